//! After a step's process: what its end means, whether it brought about what it should, what the alert's own expression
//! did meanwhile, and what of its output stays in the record.

use tokio::time::{Instant, sleep};

use super::execute::{Job, Ran};
use super::judge;
use crate::domain::run::{Ending, Happened, Need, Outcome, OutputMark, Question, Sample, Side, Truth};
use crate::domain::series::Answer;
use crate::runbook::model::OnFailure;
use crate::step::event::{Cause, End, Finished, Stream};
use crate::step::place::Place;
use crate::text::{Clean, Untrusted};

impl Job {
    /// What an end means. A change whose time was up, or that was cancelled, may have been done: unknown, never run again
    /// by itself.
    pub(super) fn outcome(&self, finished: &Finished, stdout: &str) -> (Ending, Outcome) {
        let unknown_or_failed = |words: String| {
            if self.changes() {
                Outcome::Unknown {
                    check: Clean::new(format!("{words}: what it changed is not known, look at the target")),
                }
            } else {
                Outcome::Failed { why: Clean::new(words) }
            }
        };
        match (&finished.cause, finished.end) {
            (Cause::TimedOut, _) => {
                let limit = self.step.handling.timeout(self.prepared.proposal.level);
                let words = format!("its time of {} was up", humantime::format_duration(limit));
                (Ending::TimedOut { limit_ms: limit.as_millis() as u64 }, unknown_or_failed(words))
            }
            (Cause::Cancelled { by }, _) => (Ending::Cancelled, unknown_or_failed(format!("cancelled by {by}"))),
            (Cause::Itself, End::Exit(code)) => (Ending::Exit { code }, self.by_exit(code, stdout)),
            (Cause::Itself, End::Signal(number)) => {
                (Ending::Signal { number }, unknown_or_failed(format!("ended by signal {number}")))
            }
            (Cause::Itself, End::Unseen) => (Ending::Lost, unknown_or_failed("its end was not seen".to_owned())),
        }
    }

    fn by_exit(&self, code: i32, stdout: &str) -> Outcome {
        let expect = &self.step.handling.expect;
        if !expect.exit.contains(&code) {
            return Outcome::Failed { why: Clean::new(format!("exit {code}")) };
        }
        let wanted = expect.stdout.as_ref().and_then(|pattern| regex::Regex::new(pattern).ok());
        if wanted.is_some_and(|pattern| !pattern.is_match(stdout)) {
            return Outcome::Failed { why: Clean::new("its output is not what the runbook expects") };
        }
        Outcome::Done { note: Clean::default() }
    }

    /// Verification and the alert's own expression, after the end; then what a failure leads to.
    pub async fn after(&self, ran: &Ran) {
        let step = self.step.id.clone();
        if let (Some(_), Outcome::Done { .. } | Outcome::Unknown { .. }) = (&self.step.handling.verify, &ran.outcome) {
            self.verify().await;
        }
        if self.changes() {
            let samples: Vec<Happened> = self.sample(Side::After).await.into_iter().collect();
            let _ = self.write(samples).await;
        }
        if let Outcome::Failed { why } = &ran.outcome
            && self.step.handling.on_failure == OnFailure::Ask
        {
            // The failure stays in the record; what waits is the decision.
            let need = Need::Decision { happened: why.clone() };
            let _ = self.write(vec![Happened::Waits { step, need }]).await;
        }
    }

    /// So many times in a row: one good scrape closes nothing.
    async fn verify(&self) {
        let Some(verify) = &self.step.handling.verify else { return };
        let until = Instant::now() + verify.within;
        let mut in_a_row = 0;
        loop {
            let judgement = judge::judge(&self.kit, &self.scene, Question::Verify, &verify.condition).await;
            in_a_row = if judgement.truth == Truth::True { in_a_row + 1 } else { 0 };
            let is_late = Instant::now() + verify.every > until;
            let is_done = in_a_row >= verify.count.max(1);
            if is_done || is_late {
                let step = self.step.id.clone();
                let outcome = match (&judgement.truth, is_done) {
                    (_, true) => Outcome::Done { note: Clean::new(format!("verified: {}", verify.condition)) },
                    (Truth::Unknown { cause }, _) => Outcome::Unknown { check: cause.clone() },
                    _ => Outcome::Failed { why: Clean::new(format!("not so: {}", verify.condition)) },
                };
                let judged = Happened::Judged { step: step.clone(), judgement };
                let _ = self.write(vec![judged, Happened::Settled { step, outcome }]).await;
                return;
            }
            sleep(verify.every).await;
        }
    }

    /// The alert's own expression now.
    pub(super) async fn sample(&self, side: Side) -> Option<Happened> {
        let expression = self.scene.situation.expression.clone()?;
        let generator = self.scene.situation.generator.as_ref().map(Untrusted::expose);
        let (server, _) = self.kit.server(generator)?;
        let value = match self.kit.ask(server, &expression).await {
            Ok(result) => match result.answer {
                Answer::Vector(samples) if samples.is_empty() => "no data".to_owned(),
                Answer::Vector(samples) => {
                    let most = samples.iter().map(|sample| sample.value).fold(f64::NEG_INFINITY, f64::max);
                    format!("{most:.1}")
                }
                _ => "?".to_owned(),
            },
            Err(_) => "no answer".to_owned(),
        };
        let sample = Sample { side, expression: Clean::new(expression), value: Clean::new(value) };
        Some(Happened::Sampled { step: self.step.id.clone(), sample })
    }
}

/// What was printed, as much as expressions may look at.
pub(super) async fn stdout(place: &Place) -> String {
    const MOST: usize = 64 << 10;
    let folder = place.spool();
    let reading = tokio::task::spawn_blocking(move || {
        crate::step::spool::read::whole_stream(&folder, Stream::Stdout, MOST).ok().flatten().unwrap_or_default()
    });
    String::from_utf8_lossy(&reading.await.unwrap_or_default()).into_owned()
}

pub(super) fn mark(finished: &Finished) -> OutputMark {
    let mut mark = OutputMark::default();
    let mut hashes = Vec::new();
    for (stream, summary) in &finished.streams {
        mark.bytes += summary.bytes;
        mark.dropped += summary.dropped;
        if summary.bytes > 0 {
            hashes.push((*stream, summary.sha256.clone()));
        }
        mark.first.extend(summary.first.iter().map(Clean::new));
        mark.last.extend(summary.last.iter().map(Clean::new));
    }
    mark.sha256 = match hashes.as_slice() {
        [(_, only)] => only.clone(),
        several => several.iter().map(|(_, hash)| hash.as_str()).collect::<Vec<_>>().join("+"),
    };
    mark
}
