//! The road of every action: find the targets, say what will happen, ask, send, tell the result of each.

use std::time::Duration;

use super::find::{Search, find};
use super::plan::{self, Step};
use super::{IncidentsCommand, code_of, verb};
use crate::cli::ask;
use crate::cli::desk::{Answering, Desk};
use crate::cli::exit::{FAILED, USAGE, Usage};
use crate::cli::json::{FailureJson, ResultJson, delivery_word, target_word};
use crate::cli::print::{self, Style, Table, Tone, cell};
use crate::domain::action::{Action, Delivery, Intent};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::OpId;
use crate::domain::source::ChronoSeconds;
use crate::engine::headless::{Outcome, Wanted};
use crate::text::{Clean, Untrusted};

/// PagerDuty's limit: seven days.
const MOST_SNOOZE: Duration = Duration::from_secs(604_800);

pub(super) async fn run(desk: &Desk, command: IncidentsCommand) -> color_eyre::Result<i32> {
    let (steps, answering, sure) = match command {
        IncidentsCommand::Ack(targets) => {
            let search = find(desk, &targets.ids, false, targets.answering.timeout).await?;
            (Step::same(&search, &Action::Acknowledge, "acknowledge {}"), targets.answering, None)
        }
        IncidentsCommand::Escalate(args) => {
            let search = find(desk, &args.targets.ids, true, args.targets.answering.timeout).await?;
            (plan::escalate(&search, &args), args.targets.answering, Some(args.sure))
        }
        IncidentsCommand::Resolve(args) => {
            let search = find(desk, &args.targets.ids, !args.sure.yes, args.targets.answering.timeout).await?;
            let action = Action::Resolve { resolution: args.message.map(Untrusted::from) };
            (Step::same(&search, &action, "resolve {}"), args.targets.answering, Some(args.sure))
        }
        IncidentsCommand::Reassign(args) => {
            let limit = args.targets.answering.timeout;
            let search = find(desk, &args.targets.ids, true, limit).await?;
            let wanted: &[Wanted] = if args.policy.is_some() { &[] } else { &[Wanted::People] };
            let people = desk.collect(wanted, limit).await?;
            if let Some(failure) = people.failures.into_iter().next() {
                return Err(failure.into());
            }
            (plan::reassign(&search, &args, &people.room)?, args.targets.answering, Some(args.sure))
        }
        IncidentsCommand::Snooze(args) => {
            let action = snooze(args.span)?;
            let search = find(desk, &args.targets.ids, false, args.targets.answering.timeout).await?;
            (Step::same(&search, &action, "snooze {}"), args.targets.answering, None)
        }
        IncidentsCommand::Merge(args) => {
            let ids: Vec<String> = std::iter::once(args.into).chain(args.ids).collect();
            let search = find(desk, &ids, true, args.answering.timeout).await?;
            (plan::merge(&search), args.answering, Some(args.sure))
        }
        IncidentsCommand::Note(args) => {
            let text = text_or_stdin(&args.message).await?;
            let search: Search = find(desk, &args.targets.ids, false, args.targets.answering.timeout).await?;
            let action = Action::Note { text: Untrusted::from(text) };
            (Step::same(&search, &action, "write a note on {}"), args.targets.answering, None)
        }
        IncidentsCommand::List(_) | IncidentsCommand::Show(_) | IncidentsCommand::Declare(_) => return Ok(USAGE),
    };
    if let Some(sure) = sure {
        let says: Vec<Clean> = steps.iter().filter_map(|step| step.says.clone()).collect();
        if !says.is_empty() && !ask::confirm(&says, sure.yes).await? {
            print::tell("nothing was done");
            return Ok(FAILED);
        }
    }
    send(desk, steps, &answering).await
}

fn snooze(span: Duration) -> Result<Action, Usage> {
    if span < Duration::from_secs(1) || span > MOST_SNOOZE {
        return Err(Usage::new("an incident can be snoozed for 1s to 7d: give --for another span"));
    }
    Ok(Action::Snooze { span: ChronoSeconds(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)) })
}

/// The text itself, or standard input for `-`.
///
/// # Errors
/// [`Usage`] when there is no text.
pub(super) async fn text_or_stdin(text: &str) -> color_eyre::Result<String> {
    let text = match text {
        "-" => tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await??,
        other => other.to_owned(),
    };
    if text.trim().is_empty() {
        return Err(
            Usage::new("the text is empty: give --message TEXT, or --message - and text on standard input").into()
        );
    }
    Ok(text.trim_end().to_owned())
}

/// Sends what is planned and tells the result of each target, those that could not be planned included.
pub(in crate::cli) async fn send(desk: &Desk, steps: Vec<Step>, answering: &Answering) -> color_eyre::Result<i32> {
    let batch = OpId(uuid::Uuid::now_v7());
    let now = desk.now();
    let intent = |(target, action): &(_, _)| Intent {
        op: OpId(uuid::Uuid::now_v7()),
        batch,
        target: Clone::clone(target),
        action: Clone::clone(action),
        by: desk.config.room.operator.clone(),
        at: now,
    };
    let intents: Vec<Intent> = steps.iter().filter_map(|step| step.planned.as_ref().ok()).map(intent).collect();
    let mut outcomes = if intents.is_empty() { Vec::new() } else { desk.act(intents.clone(), answering.timeout).await };
    let results: Vec<(Intent, Outcome)> = intents
        .into_iter()
        .map(|intent| {
            let at = outcomes.iter().position(|outcome| outcome.op == intent.op);
            let outcome = at.map_or_else(|| untold(&intent), |at| outcomes.swap_remove(at));
            (intent, outcome)
        })
        .collect();
    let refusals: Vec<(&str, &Failure)> =
        steps.iter().filter_map(|step| Some((step.word.as_str(), step.planned.as_ref().err()?))).collect();
    let are_confirmed = refusals.is_empty()
        && results.iter().all(|(_, outcome)| matches!(outcome.delivery, Delivery::Confirmed { .. }));
    show(&results, &refusals, answering.json)?;
    let is_config = |failure: &Failure| failure.kind == FailureKind::Config;
    let mut failures = results.iter().filter_map(|(_, outcome)| match &outcome.delivery {
        Delivery::Failed { failure } => Some(failure),
        _ => None,
    });
    let code = if failures.any(is_config) || refusals.iter().any(|(_, failure)| is_config(failure)) {
        USAGE
    } else {
        code_of(are_confirmed)
    };
    for (word, failure) in &refusals {
        print::tell(format!("{word}: {failure}"));
    }
    Ok(code)
}

fn show(results: &[(Intent, Outcome)], refusals: &[(&str, &Failure)], is_json: bool) -> color_eyre::Result<()> {
    if is_json {
        print::json(&Told::of(results, refusals))?;
    } else {
        print::out(&table(results, refusals).render(Style::of_stdout()))?;
    }
    for (intent, outcome) in results {
        if let Some(sentence) = sentence(intent, outcome) {
            print::tell(sentence);
        }
    }
    Ok(())
}

/// Tells what became of actions that were asked before.
///
/// # Errors
/// When nothing can be printed.
pub(in crate::cli) fn tell_outcomes(results: &[(Intent, Outcome)], is_json: bool) -> color_eyre::Result<()> {
    show(results, &[], is_json)
}

/// Whether the provider's answer shows the wanted state.
pub(in crate::cli) fn is_confirmed(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Confirmed { .. })
}

/// An outcome the engine did not give counts as not known, never as done.
fn untold(intent: &Intent) -> Outcome {
    let check = Clean::new("look at the incident in PagerDuty before doing it again");
    Outcome { op: intent.op, delivery: Delivery::Unknown { check }, opened: None }
}

/// What has to be said beside the table.
fn sentence(intent: &Intent, outcome: &Outcome) -> Option<String> {
    let (what, target) = (verb(&intent.action), target_word(&intent.target));
    match &outcome.delivery {
        Delivery::Confirmed { .. } => None,
        Delivery::Failed { failure } => Some(failure.to_string()),
        Delivery::Unknown { check } => Some(format!("{what} {target} may or may not have been done: {check}")),
        Delivery::Queued { .. } | Delivery::Sent => {
            Some(format!("{what} {target} is not settled yet: it stays in the outbox and goes on at the next start"))
        }
        Delivery::Dropped => Some(format!("{what} {target} was given up")),
    }
}

#[derive(serde::Serialize)]
struct Told {
    results: Vec<ResultJson>,
    refused: Vec<Refusal>,
}

#[derive(serde::Serialize)]
struct Refusal {
    target: String,
    failure: FailureJson,
}

impl Told {
    fn of(results: &[(Intent, Outcome)], refusals: &[(&str, &Failure)]) -> Self {
        Self {
            results: results.iter().map(|(intent, outcome)| ResultJson::of(intent, outcome)).collect(),
            refused: refusals
                .iter()
                .map(|(word, failure)| Refusal { target: (*word).to_owned(), failure: FailureJson::of(failure) })
                .collect(),
        }
    }
}

fn table(results: &[(Intent, Outcome)], refusals: &[(&str, &Failure)]) -> Table {
    let mut table = Table::new(&["TARGET", "ACTION", "RESULT", "DETAILS"]);
    for (intent, outcome) in results {
        let (tone, details) = match &outcome.delivery {
            Delivery::Confirmed { says } => (Tone::Good, opened(says, outcome)),
            Delivery::Failed { failure } => (Tone::Bad, failure.cause.to_string()),
            Delivery::Unknown { check } => (Tone::Warning, check.to_string()),
            Delivery::Queued { .. } | Delivery::Sent | Delivery::Dropped => (Tone::Warning, String::new()),
        };
        let word = match &intent.action {
            Action::Merge { source } => source.to_string(),
            _ => target_word(&intent.target),
        };
        table.row([
            cell(word),
            cell(verb(&intent.action)),
            cell(delivery_word(&outcome.delivery)).tone(tone),
            cell(details),
        ]);
    }
    for (word, failure) in refusals {
        table.row([cell(word), cell(""), cell("refused").tone(Tone::Bad), cell(&failure.cause)]);
    }
    table
}

fn opened(says: &Clean, outcome: &Outcome) -> String {
    match &outcome.opened {
        Some(pager) if !says.as_str().contains(pager.as_str()) => format!("{says} {pager}").trim().to_owned(),
        _ => says.to_string(),
    }
}
