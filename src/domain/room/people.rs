//! Who is in the room, who looks at what, who has which role.

use std::collections::BTreeMap;

use super::Room;
use crate::domain::id::IncidentId;
use crate::domain::sharing::{Holding, Present, Sharing};
use crate::text::Clean;

impl Room {
    /// Everybody in the room, this console included; empty where nothing is shared.
    #[must_use]
    pub fn present(&self) -> &[Present] {
        &self.present
    }

    /// Who looks at this incident, under any name it had.
    pub fn watchers<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Present> {
        let row = self.resolve_alias(id);
        self.present.iter().filter(move |present| {
            present.looking_at.as_ref().is_some_and(|seen| seen == id || self.resolve_alias(seen) == row)
        })
    }

    /// Whether what this console does reaches the others.
    #[must_use]
    pub fn sharing(&self) -> &Sharing {
        &self.sharing
    }

    /// Who has which role of an incident, under all the names it had.
    #[must_use]
    pub fn roles(&self, id: &IncidentId) -> BTreeMap<&Clean, &Holding> {
        self.names_of(id).iter().filter_map(|name| self.roles.get(name)).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Fact;
    use crate::domain::sharing::ConsoleId;
    use crate::domain::testing::{noon, pager, source};
    use std::sync::Arc;

    #[test]
    fn a_role_has_one_holder_and_watchers_are_found_by_any_name() {
        let mut room = Room::default();
        let changed = vec![Arc::new(pager("P1"))];
        room.apply(&Fact::IncidentsChanged { source: source("pagerduty"), changed }, noon(0));
        let id = IncidentId::parse("pd:P1").unwrap();
        let (lead, ana, ben) = (Clean::new("Incident commander"), Clean::new("Ana"), Clean::new("Ben"));
        let moved = |who: Option<&Clean>| Fact::RoleMoved {
            incident: id.clone(),
            role: lead.clone(),
            holder: who.map(|who| Holding { who: who.clone(), since: noon(1) }),
        };
        room.apply(&moved(Some(&ana)), noon(1));
        room.apply(&moved(Some(&ben)), noon(2));
        assert_eq!(room.roles(&id).into_iter().map(|(_, held)| &held.who).collect::<Vec<_>>(), [&ben]);
        room.apply(&moved(None), noon(3));
        assert!(room.roles(&id).is_empty());
        let present = |who: &Clean, at: Option<&IncidentId>| Present {
            console: ConsoleId(uuid::Uuid::new_v4()),
            who: who.clone(),
            looking_at: at.cloned(),
            since: noon(0),
            is_me: false,
        };
        room.apply(&Fact::PresentListed(vec![present(&ana, Some(&id)), present(&ben, None)]), noon(4));
        assert_eq!(room.watchers(&id).map(|present| &present.who).collect::<Vec<_>>(), [&ana]);
    }
}
