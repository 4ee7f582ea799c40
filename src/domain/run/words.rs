//! What happened to a run, for the timeline: one line, and more lines of evidence.

use super::event::{Approval, Ending, Happened, RunEvent, Side, Truth};
use super::state::{Outcome, Run};
use crate::domain::id::StepId;
use crate::text::Clean;

/// The line of an event and the lines below it; `None` for what is only a step on the way to another event.
#[must_use]
pub fn describe(run: &Run, event: &RunEvent) -> Option<(Clean, Vec<Clean>)> {
    let title = |step: &StepId| {
        let planned = run.plan.iter().find(|planned| planned.id == *step);
        planned.map_or_else(|| step.to_string(), |planned| planned.title.to_string())
    };
    let mut below: Vec<String> = Vec::new();
    let line = match &event.what {
        Happened::Opened { title, content_hash, is_drill, .. } => {
            below.push(format!("document sha256 {content_hash}"));
            format!("{}began runbook {title}", if *is_drill { "DRILL: " } else { "" })
        }
        Happened::Bound(value) if value.is_typed => format!("gave {} = {}", value.name, value.value),
        Happened::Judged { step, judgement } => {
            for evidence in &judgement.evidence {
                let age = evidence.age_ms / 1_000;
                below.push(format!("{} = {} ({} s old)", evidence.name, evidence.value, age));
                below.push(format!("asked {}: {}", evidence.source, evidence.asked));
            }
            let says = match &judgement.truth {
                Truth::True => "true".to_owned(),
                Truth::False => "false".to_owned(),
                Truth::Unknown { cause } => format!("can't tell: {cause}"),
            };
            format!("{} of '{}' ({}): {says}", judgement.question.word(), title(step), judgement.expression)
        }
        Happened::Approved { step, how, digest } => {
            let how = match how {
                Approval::Enter => "by Enter (it only reads)".to_owned(),
                Approval::Key => "by key".to_owned(),
                Approval::Name { typed } => format!("by typing {typed}"),
                Approval::Flag => "by --yes".to_owned(),
                Approval::SecondPerson { asked_by } => format!("as second person, asked by {asked_by}"),
                Approval::Retry => "again, as the runbook's retries allow".to_owned(),
            };
            format!("approved '{}' {how}, digest {}", title(step), digest.short())
        }
        Happened::Finished { step, ending, millis, outcome } => {
            let step_run = run.steps.get(step);
            if let Some(intended) = step_run.and_then(|step| step.intended.as_ref()) {
                match &intended.shell {
                    Some(text) => below.push(format!("sh: {text}")),
                    None => below.push(spell(&intended.words)),
                }
                below.extend(intended.given.iter().map(|given| format!("  {given}")));
            }
            if let Some(output) = step_run.and_then(|step| step.output.as_ref()) {
                below.push(format!("{} bytes of output, sha256 {}", output.bytes, output.sha256));
                below.extend(output.first.iter().chain(&output.last).map(|line| format!("  {line}")));
            }
            below.push(outcome.says().to_string());
            format!("step '{}' {}: {} after {}", title(step), outcome.word(), ending_words(ending), span(*millis))
        }
        Happened::Settled { step, outcome } => {
            let says = outcome.says();
            let more = if says.as_str().is_empty() { String::new() } else { format!(": {says}") };
            format!("step '{}' {}{more}", title(step), outcome.word())
        }
        Happened::Sampled { step, sample } if sample.side == Side::After => {
            let before =
                run.steps.get(step).and_then(|step| step.samples.iter().find(|known| known.side == Side::Before));
            let before = before.map_or("?", |before| before.value.as_str());
            below.push(sample.expression.to_string());
            format!("after '{}': {before} → {}", title(step), sample.value)
        }
        Happened::Undone { step, words, outcome } => {
            below.push(spell(words));
            format!("took back '{}': {}", title(step), outcome.word())
        }
        Happened::HandedOver { to } => format!("handed the run to {to}"),
        Happened::Closed => "ended the run".to_owned(),
        Happened::Bound(_)
        | Happened::Waits { .. }
        | Happened::Intended { .. }
        | Happened::Started { .. }
        | Happened::Printed { .. }
        | Happened::Sampled { .. }
        | Happened::Remembered { .. } => return None,
    };
    let below = below.into_iter().filter(|line| !line.is_empty()).map(Clean::new).collect();
    Some((Clean::new(line), below))
}

/// The words of a command so that their borders can be seen: one with a space in it, or none at all, in quotes.
#[must_use]
pub fn spell(words: &[Clean]) -> String {
    let quoted = |word: &Clean| {
        let text = word.as_str();
        let is_plain = !text.is_empty() && !text.contains([' ', '\'', '"', '\\', '$', '`', '|', '&', ';', '<', '>']);
        if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn ending_words(ending: &Ending) -> String {
    match ending {
        Ending::Exit { code } => format!("exit {code}"),
        Ending::Signal { number } => format!("signal {number}"),
        Ending::TimedOut { limit_ms } => format!("timed out at {}", span(*limit_ms)),
        Ending::Cancelled => "cancelled".to_owned(),
        Ending::NotStarted { cause } => format!("not started: {cause}"),
        Ending::Lost => "nobody saw its end".to_owned(),
    }
}

fn span(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// Whether a run ended well: nothing failed, was refused or is unknown.
#[must_use]
pub fn went_well(run: &Run) -> bool {
    run.steps.values().all(|step| {
        !matches!(
            step.state,
            super::state::StepState::Ended(Outcome::Failed { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. })
        )
    })
}
