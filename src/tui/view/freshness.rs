//! How far what is shown can be trusted, and since when: of a source, of a pane, of a row.

use std::collections::BTreeMap;

use crate::domain::freshness::Freshness;
use crate::domain::id::SourceId;
use crate::domain::room::Room;
use crate::domain::source::{Reach, SourceHealth, SourceKind};
use crate::domain::time::Timestamp;
use crate::tui::widgets::{Words, clock, words};

/// A state and its age in words.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The state.
    pub freshness: Freshness,
    /// Such as `now`, `48s`, `12m`.
    pub age: Words,
}

/// The age of what came at `at`. What is fresh is `now`: its seconds say nothing and would have to tick.
pub(crate) fn age_of(freshness: Freshness, at: Option<Timestamp>, now: Timestamp) -> Words {
    match (freshness, at) {
        (Freshness::Fresh, _) => words!("now"),
        (_, Some(at)) => clock::brief(now.signed_duration_since(at)),
        (_, None) => Words::default(),
    }
}

/// How far a source can be trusted.
pub(crate) fn source_trust(health: &SourceHealth, now: Timestamp) -> Trust {
    let freshness = Freshness::of(health, now, false);
    Trust { freshness, age: age_of(freshness, health.answered_at, now) }
}

/// Whether the last exchange with a source failed, whatever the age of what it told before.
pub(crate) fn is_down(health: &SourceHealth) -> bool {
    matches!(health.reach, Reach::Down { .. } | Reach::Forbidden { .. })
}

/// The worst state of the sources of these kinds; `None` when there is none. Replicas of a cluster are one source: while
/// one of them answers, nothing is missing.
pub(crate) fn pane_trust(room: &Room, kinds: &[SourceKind], is_empty: bool, now: Timestamp) -> Option<Trust> {
    let rank = |(freshness, at): &(Freshness, Option<Timestamp>)| (weight(*freshness), std::cmp::Reverse(*at));
    let mut best: BTreeMap<&SourceId, (Freshness, Option<Timestamp>)> = BTreeMap::new();
    for health in room.sources().values().filter(|health| kinds.contains(&health.kind)) {
        let cluster = room.settings().clusters.get(&health.id).unwrap_or(&health.id);
        let state = (Freshness::of(health, now, is_empty), health.answered_at);
        let known = best.entry(cluster).or_insert(state);
        if rank(&state) < rank(known) {
            *known = state;
        }
    }
    let (freshness, at) = best.into_values().max_by_key(rank)?;
    Some(Trust { freshness, age: age_of(freshness, at, now) })
}

/// Worse is more.
fn weight(freshness: Freshness) -> u8 {
    match freshness {
        Freshness::Empty => 0,
        Freshness::Fresh => 1,
        Freshness::Ageing => 2,
        Freshness::Unknown => 3,
        Freshness::Stale => 4,
        Freshness::Forbidden => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Fact;
    use crate::domain::failure::{Failure, FailureKind};
    use crate::domain::room::RoomSettings;
    use crate::tui::testing::{health, instant, source};

    fn down(name: &str) -> Fact {
        let word = |text: &str| crate::text::Clean::new(text);
        let failure = Failure {
            kind: FailureKind::Unreachable,
            what: word("list"),
            target: word(name),
            cause: word("refused"),
            remedy: word("look"),
        };
        let reach = Reach::Down { failure, retry_at: None };
        Fact::HealthChanged(SourceHealth { reach, answered_at: None, ..health(name, SourceKind::Alertmanager) })
    }

    #[test]
    fn a_dead_replica_does_not_make_the_list_old_and_a_dead_cluster_does() {
        let clusters = ["am-1", "am-2"].map(|name| (source(name), source("eu")));
        let mut room = Room::new(RoomSettings { clusters: clusters.into_iter().collect(), ..RoomSettings::default() });
        room.apply(&Fact::HealthChanged(health("am-1", SourceKind::Alertmanager)), instant());
        room.apply(&down("am-2"), instant());
        let trust = |room: &Room| pane_trust(room, &[SourceKind::Alertmanager], false, instant()).unwrap().freshness;
        assert_eq!(trust(&room), Freshness::Fresh);
        room.apply(&down("am-1"), instant());
        assert_ne!(trust(&room), Freshness::Fresh);
    }
}
