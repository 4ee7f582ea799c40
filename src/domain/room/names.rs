//! From any name an incident ever had to its row, and from a row to its names. Worked out from what is known now, not
//! remembered, so a name from last week's journal leads to the right row too.

use super::Room;
use super::rows::{Anchor, Row};
use super::ties::node_id;
use crate::domain::alert::{AlertKey, Fingerprint};
use crate::domain::id::{IncidentId, PagerId, SourceId};

impl Room {
    /// The name under which the row of `id` stands now; `id` itself where nothing is known of it.
    #[must_use]
    pub fn resolve_alias<'a>(&'a self, id: &'a IncidentId) -> &'a IncidentId {
        self.row(id).map_or(id, |row| &row.incident.id)
    }

    pub(super) fn row(&self, id: &IncidentId) -> Option<&Row> {
        self.world.rows.slab.get(self.find(id)?)
    }

    pub(super) fn find(&self, id: &IncidentId) -> Option<u32> {
        if let Some(row) = self.world.rows.by_id(id) {
            return Some(row);
        }
        let (kind, name) = id.as_str().split_once(':')?;
        match kind {
            "pd" => self.find_pager(&PagerId::parse(name)?),
            "am" => self.find_node(id),
            "al" => self.find_alone(name),
            "svc" => self.find_fold(id),
            _ => None,
        }
    }

    /// The row of a PagerDuty incident, or of the one it was merged into.
    pub(super) fn find_pager(&self, pager: &PagerId) -> Option<u32> {
        let records = &self.world.records;
        records.slab.get(records.target_of(records.find(pager)?))?.row
    }

    /// The incident that holds the group's key; else where its first alert went.
    fn find_node(&self, id: &IncidentId) -> Option<u32> {
        let node_at = self.world.ties.node_by_id(id)?;
        if let Some(row) = self.world.holder_of(node_at).and_then(|at| self.world.records.slab.get(at)?.row) {
            return Some(row);
        }
        let node = self.world.ties.nodes.get(node_at)?;
        let members = node.members.iter().filter_map(|at| self.world.alerts.slots.get(*at));
        let first = members.min_by(|one, other| one.alert.key.cmp(&other.alert.key))?;
        first.homes.iter().next().map(|(row, _)| row)
    }

    fn find_alone(&self, name: &str) -> Option<u32> {
        let (cluster, hex) = name.rsplit_once(':')?;
        let fingerprint = Fingerprint(u64::from_str_radix(hex, 16).ok()?);
        let at = self.world.alerts.find(&AlertKey { cluster: SourceId::parse(cluster)?, fingerprint })?;
        self.world.alerts.slots.get(at)?.homes.iter().next().map(|(row, _)| row)
    }

    fn find_fold(&self, id: &IncidentId) -> Option<u32> {
        let fold = self.world.ties.folds.values().find(|fold| fold.id == *id)?;
        fold.row.or_else(|| self.world.holder_of_fold(fold))
    }

    /// Every name under which something may have been kept for the incident `id`: its row's, its groups', those of what
    /// was merged into it, and `id` itself.
    pub(super) fn names_of(&self, id: &IncidentId) -> Vec<IncidentId> {
        let mut names = Vec::new();
        if let Some(row) = self.row(id) {
            names.push(row.incident.id.clone());
            if let Anchor::Record(at) = row.anchor {
                let family = self.world.records.family(at);
                for slot in family.into_iter().filter_map(|member| self.world.records.slab.get(member)) {
                    names.push(IncidentId::of_pager(&slot.record.id));
                    names.extend(slot.record.keys.iter().map(|key| node_id(&(None, key.clone()))));
                }
            }
        }
        names.push(id.clone());
        names.sort_unstable();
        names.dedup();
        names
    }
}
