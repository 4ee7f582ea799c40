//! What keeps a step from running too often: cooldowns and counts.

use std::time::Duration;

use crate::domain::id::{RunbookId, StepId};
use crate::domain::run::{Happened, RunEvent, RunId};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// How often a step of a runbook was started, whichever run it was in.
pub(super) fn starts(events: &[RunEvent], runbook: &RunbookId, step: &StepId) -> Vec<Timestamp> {
    let mut of: std::collections::BTreeMap<RunId, bool> = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for event in events {
        match &event.what {
            Happened::Opened { runbook: opened, is_drill, .. } => {
                of.insert(event.run, opened == runbook && !is_drill);
            }
            Happened::Started { step: started, .. } if started == step && of.get(&event.run) == Some(&true) => {
                found.push(event.at);
            }
            _ => {}
        }
    }
    found
}

/// Why it may not run again yet.
pub(super) fn too_often(
    starts: &[Timestamp],
    cooldown: Option<Duration>,
    most: Option<(u32, Duration)>,
    now: Timestamp,
) -> Option<Clean> {
    let within = |span: Duration| {
        let span = chrono::TimeDelta::from_std(span).unwrap_or(chrono::TimeDelta::MAX);
        starts.iter().filter(move |at| now.signed_duration_since(**at) < span).count()
    };
    if let Some(pause) = cooldown.filter(|pause| within(*pause) > 0) {
        return Some(Clean::new(format!(
            "it ran less than {} ago, and the runbook wants that pause (cooldown)",
            humantime::format_duration(pause)
        )));
    }
    let (count, per) = most?;
    let ran = within(per);
    (ran >= count as usize).then(|| {
        let per = humantime::format_duration(per);
        Clean::new(format!("it ran {ran} times within {per}, and the runbook allows {count} (max_runs)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    #[test]
    fn pauses_and_counts_are_kept() {
        let ran = [at(0), at(100)];
        let hour = Duration::from_secs(3_600);
        assert_eq!(too_often(&ran, None, None, at(101)), None);
        assert!(too_often(&ran, Some(Duration::from_secs(60)), None, at(101)).is_some());
        assert_eq!(too_often(&ran, Some(Duration::from_secs(60)), None, at(161)), None);
        let words = too_often(&ran, None, Some((2, hour)), at(200)).unwrap();
        assert!(words.as_str().contains("2 times within 1h"), "{words}");
        assert_eq!(too_often(&ran, None, Some((2, hour)), at(3_600)), None, "the first one is an hour ago");
    }
}
