//! What a person does at the terminal while a runbook is walked through: ticks, with a note where one is wanted, and the
//! lines of a remote shell, each sent by a key.

use super::run::{Next, Walk};
use super::talk::{Ended, Heard};
use crate::cli::{ask, print};
use crate::domain::id::StepId;
use crate::domain::run::{StepState, Wanted};
use crate::runbook::model::{Evidence, Step};
use crate::text::{Clean, Untrusted};

/// Ctrl-D.
const END_OF_INPUT: u8 = 4;

/// How long a remote shell may take to end by itself.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Walk {
    /// A step that no program does.
    pub(super) async fn by_hand(&mut self, step: &Step) -> color_eyre::Result<Option<Next>> {
        if !self.has_terminal {
            print::note("    by hand: left open");
            return Ok(Some(Next::Step));
        }
        let wants_note = step.handling.evidence != Evidence::None;
        let note = if wants_note {
            let answer = ask::line("done? What did you see (the runbook wants a note; empty leaves it open): ").await?;
            answer.filter(|note| !note.trim().is_empty()).map(|note| Some(Untrusted::from(note)))
        } else {
            let answer = ask::line("done? Enter ticks it, s leaves it open: ").await?;
            (answer.as_deref() == Some("")).then_some(None)
        };
        if let Some(note) = note {
            self.talk.order(Wanted::Tick { step: step.id.clone(), note }).await;
            self.talk.until_ended(&step.id).await;
        }
        Ok(Some(Next::Step))
    }

    /// A remote shell that is open: its staged lines, one at a time, while what it prints is shown.
    pub(super) async fn session(&mut self, id: &StepId, lines: &[String]) -> color_eyre::Result<Option<Ended>> {
        // The first line opened it.
        for line in lines.iter().skip(1) {
            print::note(&format!("    > {}", Clean::new(line)));
            let question = "    Enter sends exactly this line, s leaves it out, q ends the session: ";
            match self.asked_meanwhile(id, question).await? {
                Meanwhile::Ended(ended) => return Ok(ended),
                Meanwhile::Answered(answer) => match answer.as_deref().map(str::trim) {
                    Some("") => {
                        self.talk.order(Wanted::SendLine { step: id.clone(), line: line.clone() }).await;
                    }
                    Some("s") => {}
                    _ => break,
                },
            }
        }
        if let Meanwhile::Ended(ended) = self.asked_meanwhile(id, "    Enter ends the session: ").await? {
            return Ok(ended);
        }
        // The end of input, as a person would; what does not take it is cancelled.
        self.talk.order(Wanted::Type { step: id.clone(), bytes: vec![END_OF_INPUT] }).await;
        if let Ok(ended) = tokio::time::timeout(PATIENCE, self.talk.until_ended(id)).await {
            return Ok(ended);
        }
        self.talk.order(Wanted::Cancel { step: id.clone() }).await;
        Ok(self.talk.until_ended(id).await)
    }

    /// Asks, and goes on showing what the session prints until there is an answer or the session is over.
    async fn asked_meanwhile(&mut self, id: &StepId, question: &str) -> color_eyre::Result<Meanwhile> {
        let mut answer = std::pin::pin!(ask::line(question));
        let ended = loop {
            tokio::select! {
                answered = &mut answer => return Ok(Meanwhile::Answered(answered?)),
                heard = self.talk.hear() => match heard {
                    None => break None,
                    Some(Heard::Refused(why)) => {
                        print::tell(why.as_str());
                        break Some(Ended::Refused);
                    }
                    Some(Heard::Proposed(again)) if again.step == *id => break Some(Ended::Again(again)),
                    Some(Heard::Moved) if matches!(self.talk.state(id), StepState::Ended(_)) => break Some(Ended::Over),
                    Some(_) => {}
                },
            }
        };
        // The question stands still at the terminal: its answer must not go to the next one.
        print::note("");
        print::note("    the session is over: press Enter");
        let _ = answer.await;
        Ok(Meanwhile::Ended(ended))
    }
}

/// What came first.
enum Meanwhile {
    Answered(Option<String>),
    Ended(Option<Ended>),
}
