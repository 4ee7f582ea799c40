//! The alerts of one Alertmanager cluster: replicas folded by fingerprint, told as differences.
//!
//! Absence is not resolution: an alert has ended only when every replica that is up told all of its alerts and it was
//! in none of them. A failed, cut or partly understood answer ends nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::domain::alert::{Alert, AlertKey, Fingerprint};
use crate::domain::fact::Fact;
use crate::domain::id::SourceId;
use crate::domain::time::Timestamp;

/// Most alerts in one fact: applying one costs the screen far less than a frame.
pub(crate) const BATCH: usize = 500;

#[derive(Debug, Default)]
struct Replica {
    /// What it has by its last answer that told all, with what later answers added.
    alerts: HashMap<Fingerprint, Arc<Alert>>,
    /// Its last exchange worked; a dead replica's memory counts only while no other one answers.
    is_up: bool,
}

/// What one replica answered.
#[derive(Debug, Default)]
pub struct Told {
    /// The alerts.
    pub alerts: Vec<Arc<Alert>>,
    /// Whether an alert that is not among them does not exist there.
    pub is_all: bool,
    /// Fingerprints of elements that were not understood but exist.
    pub unread: HashSet<Fingerprint>,
}

/// A difference to what was told before.
#[derive(Debug, Default, PartialEq)]
pub struct Difference {
    /// New or changed.
    pub changed: Vec<Arc<Alert>>,
    /// Gone.
    pub ended: Vec<AlertKey>,
}

/// One cluster.
#[derive(Debug)]
pub struct Cluster {
    id: SourceId,
    replicas: HashMap<SourceId, Replica>,
    told: HashMap<Fingerprint, Arc<Alert>>,
    /// A replica answered: from here on an earlier console's word counts for nothing.
    has_answered: bool,
}

impl Cluster {
    /// Of which nothing was told yet.
    #[must_use]
    pub fn new(id: SourceId) -> Self {
        Self { id, replicas: HashMap::new(), told: HashMap::new(), has_answered: false }
    }

    /// A replica's exchange failed: what it told stays until another replica that is up tells otherwise.
    pub fn lost(&mut self, replica: &SourceId) {
        self.replicas.entry(replica.clone()).or_default().is_up = false;
    }

    /// What an earlier console was told, before any replica answered here; returns what is new of it. The first answer
    /// that tells all decides what of it has ended meanwhile.
    pub fn recall(&mut self, alerts: Vec<Arc<Alert>>) -> Vec<Arc<Alert>> {
        if self.has_answered {
            return Vec::new();
        }
        let is_own = |alert: &Arc<Alert>| alert.key.cluster == self.id;
        let own: Vec<Arc<Alert>> = alerts.into_iter().filter(is_own).collect();
        for alert in &own {
            self.told.insert(alert.key.fingerprint, Arc::clone(alert));
        }
        own
    }

    /// Everything that was told and has not ended.
    pub fn all(&self) -> Vec<Arc<Alert>> {
        self.told.values().cloned().collect()
    }

    /// A replica answered. Returns what that changes for the cluster.
    pub fn learn(&mut self, replica: &SourceId, told: Told) -> Difference {
        self.has_answered = true;
        let entry = self.replicas.entry(replica.clone()).or_default();
        entry.is_up = true;
        let named: Option<HashSet<Fingerprint>> = told.is_all.then(|| {
            let listed = told.alerts.iter().map(|alert| alert.key.fingerprint);
            listed.chain(told.unread.iter().copied()).collect()
        });
        if let Some(named) = named {
            entry.alerts.retain(|fingerprint, _| named.contains(fingerprint));
        }
        for alert in told.alerts {
            // Replicas and polls tell the same again and again: keep one copy of it.
            let kept = match self.told.get(&alert.key.fingerprint) {
                Some(known) if known.looks_like(&alert) => Arc::clone(known),
                _ => alert,
            };
            entry.alerts.insert(kept.key.fingerprint, kept);
        }
        self.difference(told.is_all)
    }

    fn difference(&mut self, may_end: bool) -> Difference {
        let mut difference = Difference::default();
        let mut seen: HashSet<Fingerprint> = HashSet::with_capacity(self.told.len());
        for replica in self.replicas.values().filter(|replica| replica.is_up) {
            for (fingerprint, alert) in &replica.alerts {
                let is_first = seen.insert(*fingerprint);
                let known = self.told.get(fingerprint);
                let is_news = match known {
                    None => true,
                    Some(known) if known.looks_like(alert) => false,
                    // Two replicas that differ for a moment: the one that heard of it last is right.
                    Some(known) => alert.updated_at >= known.updated_at || is_first && self.replicas.len() == 1,
                };
                if is_news {
                    self.told.insert(*fingerprint, Arc::clone(alert));
                    difference.changed.push(Arc::clone(alert));
                }
            }
        }
        if may_end {
            let id = &self.id;
            self.told.retain(|fingerprint, alert| {
                let stays = seen.contains(fingerprint);
                if !stays {
                    difference.ended.push(AlertKey { cluster: id.clone(), fingerprint: alert.key.fingerprint });
                }
                stays
            });
        }
        difference.changed.sort_by_key(|alert| alert.key.fingerprint);
        difference.changed.dedup_by_key(|alert| alert.key.fingerprint);
        difference.ended.sort_unstable();
        difference
    }
}

/// The difference as facts of at most [`BATCH`] alerts; one empty fact when nothing changed is none at all.
#[must_use]
pub fn facts(cluster: &SourceId, difference: Difference, at: Timestamp) -> Vec<Fact> {
    let Difference { changed, ended } = difference;
    let mut facts: Vec<Fact> = changed.chunks(BATCH).map(|some| fact(cluster, some.to_vec(), Vec::new(), at)).collect();
    facts.extend(ended.chunks(BATCH).map(|some| fact(cluster, Vec::new(), some.to_vec(), at)));
    facts
}

fn fact(cluster: &SourceId, changed: Vec<Arc<Alert>>, ended: Vec<AlertKey>, at: Timestamp) -> Fact {
    Fact::AlertsChanged { cluster: cluster.clone(), changed, ended, at }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::alert::{AlertState, Labels};
    use crate::text::Untrusted;

    fn id(name: &str) -> SourceId {
        SourceId::parse(name).unwrap()
    }

    fn alert(number: u64, summary: &str, updated: i64) -> Arc<Alert> {
        let at = |second: i64| chrono::DateTime::from_timestamp(second, 0).unwrap();
        Arc::new(Alert {
            key: AlertKey { cluster: id("eu"), fingerprint: Fingerprint(number) },
            labels: Labels::from_iter([("alertname", "Disk")]),
            annotations: Labels::from_iter([("summary", summary)]),
            starts_at: at(1),
            updated_at: at(updated),
            generator_url: Untrusted::from(""),
            state: AlertState::Active,
            groups: [].into(),
        })
    }

    fn all(alerts: &[Arc<Alert>]) -> Told {
        Told { alerts: alerts.to_vec(), is_all: true, unread: HashSet::new() }
    }

    fn numbers(difference: &Difference) -> (Vec<u64>, Vec<u64>) {
        (
            difference.changed.iter().map(|alert| alert.key.fingerprint.0).collect(),
            difference.ended.iter().map(|key| key.fingerprint.0).collect(),
        )
    }

    #[test]
    fn polls_tell_differences() {
        let mut cluster = Cluster::new(id("eu"));
        let one = id("am-1");
        assert_eq!(numbers(&cluster.learn(&one, all(&[alert(1, "a", 1), alert(2, "b", 1)]))), (vec![1, 2], vec![]));
        assert_eq!(numbers(&cluster.learn(&one, all(&[alert(1, "a", 9), alert(2, "c", 2)]))), (vec![2], vec![]));
        assert_eq!(numbers(&cluster.learn(&one, all(&[alert(2, "c", 3)]))), (vec![], vec![1]));
    }

    #[test]
    fn a_partial_answer_ends_nothing_and_an_unread_element_still_exists() {
        let mut cluster = Cluster::new(id("eu"));
        let one = id("am-1");
        cluster.learn(&one, all(&[alert(1, "a", 1), alert(2, "b", 1)]));
        let part = Told { alerts: vec![alert(3, "c", 1)], is_all: false, unread: HashSet::new() };
        assert_eq!(numbers(&cluster.learn(&one, part)), (vec![3], vec![]));
        let unread = Told { alerts: vec![alert(1, "a", 1)], is_all: true, unread: HashSet::from([Fingerprint(2)]) };
        assert_eq!(numbers(&cluster.learn(&one, unread)), (vec![], vec![3]));
    }

    #[test]
    fn replicas_are_folded_and_a_dead_one_holds_nothing_back() {
        let mut cluster = Cluster::new(id("eu"));
        let (one, two) = (id("am-1"), id("am-2"));
        cluster.learn(&one, all(&[alert(1, "a", 1), alert(2, "b", 1)]));
        assert_eq!(numbers(&cluster.learn(&two, all(&[alert(1, "a", 1), alert(3, "c", 1)]))), (vec![3], vec![]));
        assert_eq!(numbers(&cluster.learn(&two, all(&[alert(1, "a", 1)]))), (vec![], vec![3]), "2 is still at am-1");
        cluster.lost(&one);
        assert_eq!(numbers(&cluster.learn(&two, all(&[alert(1, "a", 1)]))), (vec![], vec![2]), "am-1 is dead");
        cluster.lost(&two);
        assert_eq!(cluster.told.len(), 1, "all dead: the last known state stays");
        let back = cluster.learn(&one, all(&[alert(1, "a", 1), alert(2, "b", 1)]));
        assert_eq!(numbers(&back), (vec![2], vec![]));
    }

    #[test]
    fn of_two_replicas_that_differ_the_one_that_heard_last_is_right_whoever_answered_first() {
        let (one, two) = (id("am-1"), id("am-2"));
        let (old, new) = (alert(1, "old", 1), alert(1, "new", 2));
        for order in [[(&one, &old), (&two, &new)], [(&two, &new), (&one, &old)]] {
            let mut cluster = Cluster::new(id("eu"));
            for (replica, alert) in order {
                cluster.learn(replica, all(std::slice::from_ref(alert)));
            }
            assert_eq!(cluster.told.values().collect::<Vec<_>>(), [&new]);
        }
    }

    #[test]
    fn a_silenced_alert_is_news_and_one_that_was_only_heard_of_again_is_not() {
        let mut cluster = Cluster::new(id("eu"));
        cluster.learn(&id("am-1"), all(&[alert(1, "a", 1)]));
        let state = AlertState::Suppressed(Box::default());
        let silenced = Arc::new(Alert { state, ..(*alert(1, "a", 1)).clone() });
        assert_eq!(numbers(&cluster.learn(&id("am-1"), all(&[alert(1, "a", 60)]))), (vec![], vec![]));
        assert_eq!(numbers(&cluster.learn(&id("am-1"), all(&[silenced]))), (vec![1], vec![]));
    }

    #[test]
    fn what_an_earlier_console_was_told_stands_until_the_first_answer_that_tells_all() {
        let mut cluster = Cluster::new(id("eu"));
        let one = id("am-1");
        assert_eq!(cluster.recall(vec![alert(1, "a", 1), alert(2, "b", 1)]).len(), 2);
        let part = Told { alerts: vec![alert(1, "a", 1)], is_all: false, unread: HashSet::new() };
        assert_eq!(numbers(&cluster.learn(&one, part)), (vec![], vec![]), "absence is not resolution");
        assert!(cluster.recall(vec![alert(1, "old", 0), alert(9, "old", 0)]).is_empty(), "an answer knows better");
        assert_eq!(numbers(&cluster.learn(&one, all(&[alert(1, "c", 2)]))), (vec![1], vec![2]));
        let mut other = Cluster::new(id("us"));
        assert!(other.recall(vec![alert(1, "a", 1)]).is_empty(), "it is another cluster's");
    }

    #[test]
    fn facts_are_small() {
        let changed: Vec<_> = (0..1_200).map(|number| alert(number, "a", 1)).collect();
        let sizes: Vec<usize> =
            facts(&id("eu"), Difference { changed, ended: Vec::new() }, chrono::DateTime::UNIX_EPOCH)
                .iter()
                .map(|fact| if let Fact::AlertsChanged { changed, .. } = fact { changed.len() } else { 0 })
                .collect();
        assert_eq!(sizes, [500, 500, 200]);
    }

    /// What can happen to a replica: it answers all of a set, a part of a set, or fails.
    #[derive(Clone, Debug)]
    enum Step {
        All(usize, Vec<u64>),
        Part(usize, Vec<u64>),
        Lost(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let set = || proptest::collection::vec(0_u64..8, 0..6);
        prop_oneof![
            (0_usize..3, set()).prop_map(|(replica, set)| Step::All(replica, set)),
            (0_usize..3, set()).prop_map(|(replica, set)| Step::Part(replica, set)),
            (0_usize..3).prop_map(Step::Lost),
        ]
    }

    proptest! {
        /// Replaying the differences gives exactly what is told, and only a complete answer ever ends an alert, and
        /// never one that this very answer or a living replica's last one named.
        #[test]
        fn absence_is_not_resolution(steps in proptest::collection::vec(step(), 1..40)) {
            let mut cluster = Cluster::new(id("eu"));
            let names = [id("am-0"), id("am-1"), id("am-2")];
            let mut shown: HashSet<u64> = HashSet::new();
            for step in steps {
                let (told, replica, is_all) = match step {
                    Step::Lost(replica) => { cluster.lost(&names[replica]); continue; }
                    Step::All(replica, set) => (set, replica, true),
                    Step::Part(replica, set) => (set, replica, false),
                };
                let alerts = told.iter().map(|number| alert(*number, "a", 1)).collect();
                let change = cluster.learn(&names[replica], Told { alerts, is_all, unread: HashSet::new() });
                let (changed, ended) = numbers(&change);
                prop_assert!(is_all || ended.is_empty(), "a partial answer ended {ended:?}");
                prop_assert!(ended.iter().all(|number| !told.contains(number)));
                shown.extend(changed);
                for number in ended { prop_assert!(shown.remove(&number), "ended twice: {number}"); }
                prop_assert!(told.iter().all(|number| shown.contains(number)));
            }
            let kept: HashSet<u64> = cluster.told.keys().map(|fingerprint| fingerprint.0).collect();
            prop_assert_eq!(kept, shown);
        }
    }
}
