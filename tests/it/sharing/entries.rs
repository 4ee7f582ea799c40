//! Entries to write into journals, and ends of a room to write them from.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use warroom::domain::action::{Action, Delivery, Intent, Target};
use warroom::domain::checklist::Tick;
use warroom::domain::id::{IncidentId, OpId, PagerId, RunbookId, StepId};
use warroom::domain::time::Timestamp;
use warroom::store::Entry;
use warroom::store::postgres::{Address, Limits};
use warroom::store::shared::SharedRoom;
use warroom::store::sqlite::Place;
use warroom::text::Clean;

/// An instant in a second of a day.
pub fn at(second: i64) -> Timestamp {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

/// An acknowledgement that somebody asked for.
pub fn intent(second: i64, by: &str) -> Intent {
    let op = OpId(Uuid::now_v7());
    let id = IncidentId::parse("pd:P1").unwrap();
    let target = Target::Incident { id, pager: PagerId::parse("P1"), key: None };
    Intent { op, batch: op, target, action: Action::Acknowledge, by: Clean::new(by), at: at(second) }
}

/// An action gets further.
pub fn moved(op: OpId, delivery: Delivery, second: i64) -> Entry {
    Entry::Moved { op, delivery, at: at(second), opened: None }
}

/// It is done.
pub fn confirmed() -> Delivery {
    Delivery::Confirmed { says: Clean::new("acknowledged") }
}

/// A tick.
pub fn tick(step: &str, is_done: bool, second: i64) -> Entry {
    Entry::Ticked {
        incident: IncidentId::parse("pd:P1").unwrap(),
        runbook: RunbookId::parse("disk").unwrap(),
        step: StepId::parse(step).unwrap(),
        tick: is_done.then(|| Tick { by: Clean::new("me"), at: at(second) }),
        at: at(second),
    }
}

/// Somebody takes over a role.
pub fn role(from: Option<&str>, to: Option<&str>, second: i64) -> Entry {
    Entry::RoleMoved {
        incident: IncidentId::parse("pd:P1").unwrap(),
        role: Clean::new("Incident commander"),
        from: from.map(Clean::new),
        to: to.map(Clean::new),
        at: at(second),
    }
}

/// Where the database is well: a busy machine is not one that is away.
pub fn patient() -> Limits {
    Limits { holds: Duration::from_secs(15), patience: Duration::from_secs(60) }
}

/// Where it goes away, and leases must run out soon.
pub fn brief() -> Limits {
    Limits { holds: Duration::from_secs(2), patience: Duration::from_secs(4) }
}

/// A console's end of a room; its own journal is `name` in `folder`.
pub fn end(url: &str, folder: &Path, name: &str, limits: Limits) -> Arc<SharedRoom> {
    let address = Address::parse(url).unwrap();
    let place = Place::File(folder.join(name));
    Arc::new(SharedRoom::with(&address, place, Arc::new(Utc::now), limits))
}
