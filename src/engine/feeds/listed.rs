//! The account's lists as PagerDuty told them last: small, and kept only to be written down.

use std::collections::BTreeMap;

use crate::domain::fact::Fact;
use crate::domain::id::PolicyId;

/// Policies kept; a room looks at a few of them.
const POLICIES: usize = 200;

/// Which list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Priorities,
    Services,
    Users,
    OnCall,
    Policy(PolicyId),
}

impl Kind {
    fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::PrioritiesListed(_) => Some(Self::Priorities),
            Fact::ServicesListed(_) => Some(Self::Services),
            Fact::UsersListed(_) => Some(Self::Users),
            Fact::OnCallListed(_) => Some(Self::OnCall),
            Fact::PolicyLoaded(policy) => Some(Self::Policy(policy.id.clone())),
            _ => None,
        }
    }
}

/// The last word of each list.
#[derive(Debug, Default)]
pub(crate) struct Listed(BTreeMap<Kind, Fact>);

impl Listed {
    /// A list was told.
    pub(crate) fn take(&mut self, fact: &Fact) {
        let Some(kind) = Kind::of(fact) else { return };
        if self.0.len() < POLICIES || self.0.contains_key(&kind) {
            self.0.insert(kind, fact.clone());
        }
    }

    /// An earlier console was told a list; true when it is one and none was told here.
    pub(crate) fn recall(&mut self, fact: &Fact) -> bool {
        let is_new = Kind::of(fact).is_some_and(|kind| !self.0.contains_key(&kind));
        if is_new {
            self.take(fact);
        }
        is_new
    }

    /// All of them.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.0.values().cloned().collect()
    }
}
