//! `runbook run`: step by step at the terminal; without one, what `--yes` allows.

use std::io::IsTerminal as _;

use super::RunArgs;
use super::find::{incident, one};
use super::talk::{Ended, Talk};
use crate::cli::desk::Desk;
use crate::cli::exit::{self, Usage};
use crate::cli::{Session, ask, print, room};
use crate::domain::id::{OpIds, StepId};
use crate::domain::run::{
    Approval, Decision, Forecast, Level, Need, Outcome, Proposal, RunId, Situation, StepState, Truth, Wanted, spell,
};
use crate::engine::headless;
use crate::engine::runner::RunSetup;
use crate::runbook::Runbook;
use crate::runbook::model::{OnFailure, Step, Work};
use crate::text::{Clean, Untrusted};

/// How long a step waits for a second person.
const SECOND_PERSON: std::time::Duration = std::time::Duration::from_secs(600);

pub(super) async fn run(session: &Session, desk: &Desk, args: RunArgs) -> color_eyre::Result<i32> {
    let (runbook, runbooks) = one(desk, &args.runbook)?;
    let from = match &args.from {
        Some(from) => place(&runbook, from)?,
        None => 0,
    };
    let has_terminal = ask::is_possible();
    if !has_terminal && !args.yes && !args.dry_run {
        let words = "nobody can be asked here: give --yes to approve read and change steps, or --dry-run to look";
        return Err(Usage::new(words).into());
    }
    let situation = match &args.incident {
        Some(wanted) => {
            let (room, incident) = incident(desk, wanted, args.timeout).await?;
            room.situation(&incident.id)
        }
        None => Situation::default(),
    };
    let setup = setup(session, desk, runbooks);
    let mut config = std::sync::Arc::clone(&desk.config);
    if args.dry_run {
        // Nothing of a dry run is kept.
        std::sync::Arc::make_mut(&mut config).room.journal = "sqlite::memory:".to_owned();
    }
    let (secrets, clock) = (desk.secrets(), desk.clock());
    let id = RunId::from(OpIds::new(rand::random()).next(desk.now()));
    let by = desk.config.room.operator.clone();
    headless::runs(config, secrets, clock.clone(), setup, |orders, facts| async move {
        let talk = Talk { orders, facts, run: id, by, clock, situation, stands: None };
        Walk { talk, runbook, args, has_terminal, went_wrong: false }.walk(from).await
    })
    .await
}

/// What the runner needs to know here.
pub(super) fn setup(session: &Session, desk: &Desk, runbooks: std::sync::Arc<[Runbook]>) -> RunSetup {
    RunSetup {
        runbooks,
        environment: room::environment(&desk.config),
        folder: session.places.state.join("runs"),
        program: None,
    }
}

/// A step by its id or its number.
fn place(runbook: &Runbook, wanted: &str) -> Result<usize, Usage> {
    if let Some((at, _)) = runbook.step(wanted) {
        return Ok(at);
    }
    let number = wanted.parse::<usize>().ok().filter(|number| (1..=runbook.steps.len()).contains(number));
    number.map(|number| number - 1).ok_or_else(|| {
        let ids: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
        Usage::new(format!(
            "there is no step '{}'; steps are 1 to {}, or: {}",
            Clean::new(wanted),
            ids.len(),
            ids.join(" ")
        ))
    })
}

/// Walks through the steps.
pub(super) struct Walk {
    pub talk: Talk,
    pub runbook: Runbook,
    pub args: RunArgs,
    pub has_terminal: bool,
    pub went_wrong: bool,
}

/// Where to go on.
pub(super) enum Next {
    Step,
    Goto(StepId),
    Stop,
}

impl Walk {
    async fn walk(mut self, from: usize) -> color_eyre::Result<i32> {
        // A dry run has a run too, in a journal that nobody reads: nothing is written for its steps.
        if !self.talk.open(self.runbook.id.clone(), false).await {
            return Ok(exit::FAILED);
        }
        print::note(&format!("run {} of {} ({})", self.talk.run, self.runbook.title, self.runbook.id));
        for (name, value) in self.args.set.clone() {
            self.talk.order(Wanted::Give { name, value: Untrusted::from(value) }).await;
        }
        let mut at = from;
        while let Some(step) = self.runbook.steps.get(at).cloned() {
            print::note("");
            print::note(&format!("Step {}/{}  {}", at + 1, self.runbook.steps.len(), step.title));
            match self.step(&step).await? {
                Next::Step => at += 1,
                Next::Goto(id) => match self.runbook.step(id.as_str()) {
                    // Only forwards: a circle would never end without a terminal.
                    Some((to, _)) if to > at => at = to,
                    _ => break,
                },
                Next::Stop => break,
            }
        }
        if !self.args.dry_run {
            self.talk.order(Wanted::Close).await;
            while self.talk.stands.as_ref().is_some_and(|run| !run.is_closed) {
                if self.talk.hear().await.is_none() {
                    break;
                }
            }
        }
        Ok(if self.went_wrong { exit::FAILED } else { exit::DONE })
    }

    async fn step(&mut self, step: &Step) -> color_eyre::Result<Next> {
        for note in &step.notes {
            print::note(&format!("    {note}"));
        }
        if let Work::Note | Work::CopyOnly { .. } = &step.work {
            for line in step.work.text().iter().flat_map(|text| text.lines()) {
                print::note(&format!("    {}", Clean::new(line)));
            }
            return Ok(Next::Step);
        }
        let mut proposal = match self.talk.propose(&step.id, self.args.dry_run).await {
            Some(proposal) => proposal,
            None => return Ok(self.wrong("the runner did not answer")),
        };
        loop {
            self.show(&proposal);
            if self.args.dry_run {
                self.went_wrong |= matches!(proposal.forecast, Forecast::Refused { .. });
                return Ok(Next::Step);
            }
            let again = match proposal.forecast.clone() {
                Forecast::WouldSkip => return Ok(Next::Step),
                Forecast::Refused { why } if proposal.need.is_none() || !self.has_terminal => {
                    return Ok(self.wrong(why.as_str()));
                }
                Forecast::Refused { .. } | Forecast::CantTell { .. } => match self.unsure(step, &proposal).await? {
                    Some(next) => return Ok(next),
                    None => self.talk.propose(&step.id, false).await,
                },
                Forecast::WouldRun | Forecast::NeedsApproval => match self.act(step, &proposal).await? {
                    Some(next) => return Ok(next),
                    None => self.talk.propose(&step.id, false).await,
                },
            };
            match again {
                Some(next) => proposal = next,
                None => return Ok(self.wrong("the runner did not answer")),
            }
        }
    }

    fn wrong(&mut self, why: &str) -> Next {
        print::tell(why);
        self.went_wrong = true;
        Next::Stop
    }

    fn show(&self, proposal: &Proposal) {
        for judgement in &proposal.judgements {
            let says = match &judgement.truth {
                Truth::True => "true".to_owned(),
                Truth::False => "false".to_owned(),
                Truth::Unknown { cause } => format!("can't tell: {cause}"),
            };
            print::note(&format!("    {} {}: {says}", judgement.question.word(), judgement.expression));
            for evidence in &judgement.evidence {
                let age = evidence.age_ms / 1_000;
                print::note(&format!(
                    "      {} = {} ({}, {age} s old)",
                    evidence.name, evidence.value, evidence.source
                ));
            }
        }
        match &proposal.shell {
            Some(text) => print::note(&format!("    sh: {text}")),
            None if proposal.words.is_empty() => {}
            None => {
                let words: Vec<Clean> = proposal.words.iter().map(|word| word.text.clone()).collect();
                print::note(&format!("    {}", spell(&words)));
            }
        }
        for part in proposal.words.iter().flat_map(|word| &word.parts) {
            print::note(&format!("      {} = {} ({})", part.placeholder, part.value, part.source));
        }
        for given in &proposal.given {
            print::note(&format!("      {given}"));
        }
        if !proposal.target.line().as_str().is_empty() {
            print::note(&format!("    on {}", proposal.target.line()));
        }
        for warning in &proposal.warnings {
            print::note(&format!("    ! {warning}"));
        }
        let more = match &proposal.forecast {
            Forecast::CantTell { cause } => format!(": {cause}"),
            Forecast::Refused { why } => format!(": {why}"),
            _ => String::new(),
        };
        print::note(&format!("    {}{more} [{}]", proposal.forecast.word(), proposal.level.word()));
    }

    /// Something is unknown. `None`: look again.
    async fn unsure(&mut self, step: &Step, proposal: &Proposal) -> color_eyre::Result<Option<Next>> {
        if !self.has_terminal {
            return Ok(Some(self.wrong("nobody can be asked here: give the value with --set NAME=VALUE")));
        }
        match proposal.need.as_ref() {
            Some(Need::Value { name, tried, suggestions }) => {
                let shown: Vec<&str> = suggestions.iter().take(8).map(Clean::as_str).collect();
                let from = if shown.is_empty() { String::new() } else { format!(" [{}]", shown.join(" | ")) };
                let Some(value) = ask::line(&format!("{tried} {name}{from} (empty skips the step): ")).await? else {
                    return Ok(Some(self.wrong("no answer")));
                };
                if value.is_empty() {
                    return self.skip(step, "no value was given").await;
                }
                self.talk.order(Wanted::Give { name: name.to_string(), value: Untrusted::from(value) }).await;
                Ok(None)
            }
            _ => {
                let answer = ask::line("[r]etry, [s]kip, run any[w]ay, [q]uit? ").await?;
                match answer.as_deref() {
                    Some("r") => Ok(None),
                    Some("s") => self.skip(step, "skipped at the terminal").await,
                    Some("w") => {
                        let reason = ask::line("why? ").await?.unwrap_or_default();
                        let reason = Untrusted::from(reason);
                        let situation = Box::new(self.talk.situation.clone());
                        self.talk.order(Wanted::Insist { step: step.id.clone(), reason, situation }).await;
                        Ok(None)
                    }
                    _ => Ok(Some(self.wrong("left at an unknown condition"))),
                }
            }
        }
    }

    async fn skip(&mut self, step: &Step, why: &str) -> color_eyre::Result<Option<Next>> {
        let reason = Untrusted::from(why);
        self.talk.order(Wanted::Skip { step: step.id.clone(), reason }).await;
        while !self.talk.state(&step.id).is_past() {
            if self.talk.hear().await.is_none() {
                break;
            }
        }
        Ok(Some(Next::Step))
    }

    /// Lets it run, or does what a person does. `None`: look again.
    async fn act(&mut self, step: &Step, proposal: &Proposal) -> color_eyre::Result<Option<Next>> {
        if let Work::Manual | Work::Approve { .. } | Work::Wait { .. } = &step.work {
            return self.by_hand(step).await;
        }
        if let Work::Ask { .. } = &step.work {
            return self.question(step).await;
        }
        let Some(how) = self.approval(proposal).await? else { return Ok(Some(Next::Stop)) };
        let situation = Box::new(self.talk.situation.clone());
        let (id, digest) = (step.id.clone(), proposal.digest.clone());
        self.talk.order(Wanted::Approve { step: id.clone(), digest, how, situation }).await;
        let mut how_it_ended = match &step.work {
            Work::Session { lines } => self.session(&id, lines).await?,
            _ => self.talk.until_ended(&id).await,
        };
        if let Some(Ended::Again(again)) = &how_it_ended
            && matches!(again.need, Some(Need::SecondPerson { .. }))
        {
            print::note(&format!("    waits for another person: warroom runbook approve {} {id}", self.talk.run));
            let waited = tokio::time::timeout(SECOND_PERSON, self.talk.until_ended(&id)).await;
            let Ok(waited) = waited else { return Ok(Some(self.wrong("nobody else agreed in time"))) };
            how_it_ended = waited;
        }
        match how_it_ended {
            Some(Ended::Over) => self.ended(step).await,
            Some(Ended::Again(_)) => Ok(None),
            Some(Ended::Refused) => Ok(Some(self.wrong("it was not run"))),
            None => Ok(Some(self.wrong("the runner ended"))),
        }
    }

    /// What lets this step run; `None` when nobody does.
    async fn approval(&mut self, proposal: &Proposal) -> color_eyre::Result<Option<Approval>> {
        if self.args.yes && proposal.level <= Level::Change && self.runbook.is_native {
            return Ok(Some(Approval::Flag));
        }
        if !self.has_terminal {
            let words = format!("this step is {}: --yes does not approve it", proposal.level.word());
            self.wrong(&words);
            return Ok(None);
        }
        let (question, wanted) = match proposal.level {
            Level::Read => ("Enter runs it, s skips, q leaves: ".to_owned(), String::new()),
            Level::Change => ("y runs exactly this, anything else leaves: ".to_owned(), "y".to_owned()),
            Level::Destructive | Level::TwoPerson => {
                (format!("type {} to run exactly this: ", proposal.name), proposal.name.to_string())
            }
        };
        let answer = ask::line(&question).await?;
        if answer.as_deref().map(str::trim) != Some(wanted.as_str()) {
            self.wrong("not run");
            return Ok(None);
        }
        Ok(Some(match proposal.level {
            Level::Read => Approval::Enter,
            Level::Change => Approval::Key,
            Level::Destructive | Level::TwoPerson => Approval::Name { typed: proposal.name.clone() },
        }))
    }

    async fn question(&mut self, step: &Step) -> color_eyre::Result<Option<Next>> {
        let Work::Ask { choices, into } = &step.work else { return Ok(Some(Next::Step)) };
        let given = self.args.set.iter().find(|(name, _)| name == into).map(|(_, value)| value.clone());
        let answer = match given {
            Some(value) => Some(value),
            None if self.has_terminal => ask::line(&format!("{} [{}]: ", step.title, choices.join(" | "))).await?,
            None => return Ok(Some(self.wrong(&format!("nobody can be asked here: give --set {into}=…")))),
        };
        let Some(answer) = answer else { return Ok(Some(self.wrong("no answer"))) };
        self.talk.order(Wanted::Answer { step: step.id.clone(), text: Untrusted::from(answer) }).await;
        match self.talk.until_ended(&step.id).await {
            Some(Ended::Over) => Ok(Some(Next::Step)),
            _ => Ok(Some(self.wrong("the question was not answered"))),
        }
    }

    /// The step came to an end: told, and where that leads.
    async fn ended(&mut self, step: &Step) -> color_eyre::Result<Option<Next>> {
        let state = self.talk.state(&step.id);
        let says = match &state {
            StepState::Ended(outcome) => format!("{}: {}", outcome.word(), outcome.says()),
            StepState::Waiting(Need::Decision { happened }) => format!("failed: {happened}"),
            other => other.word().to_owned(),
        };
        print::note(&format!("    {}", says.trim_end_matches(": ")));
        match state {
            StepState::Ended(Outcome::Done { .. } | Outcome::Skipped { .. }) => Ok(Some(Next::Step)),
            StepState::Ended(Outcome::Failed { .. }) if step.handling.on_failure != OnFailure::Ask => {
                self.went_wrong = true;
                Ok(Some(match &step.handling.on_failure {
                    OnFailure::Continue => Next::Step,
                    OnFailure::Goto(id) => Next::Goto(id.clone()),
                    OnFailure::Ask | OnFailure::Stop => Next::Stop,
                }))
            }
            _ if self.has_terminal && std::io::stdin().is_terminal() => self.choose(step).await,
            _ => {
                self.went_wrong = true;
                Ok(Some(Next::Stop))
            }
        }
    }

    /// After a failure or an unknown end a person decides. It is never run again by itself.
    async fn choose(&mut self, step: &Step) -> color_eyre::Result<Option<Next>> {
        let answer = ask::line("[a]gain, it was [d]one, [s]kip, [q]uit? ").await?;
        match answer.as_deref() {
            Some("a") => Ok(None),
            Some("d") => {
                let reason = Untrusted::from("said so at the terminal");
                let what = Wanted::Decide { step: step.id.clone(), decision: Decision::Done, reason };
                self.talk.order(what).await;
                self.talk.until_ended(&step.id).await;
                Ok(Some(Next::Step))
            }
            Some("s") => self.skip(step, "skipped after it failed").await,
            _ => {
                self.went_wrong = true;
                Ok(Some(Next::Stop))
            }
        }
    }
}
