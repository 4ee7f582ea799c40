//! What becomes of the actions of one key press, said in one notice when all are settled: forty acknowledged incidents
//! are one line and not forty.

use std::collections::BTreeMap;

use super::toast::Weight;
use crate::domain::action::{Delivery, Intent};
use crate::domain::id::OpId;

/// The actions of one key press.
#[derive(Clone, Debug)]
struct Batch {
    /// Such as "acknowledge".
    what: &'static str,
    results: BTreeMap<OpId, Option<Delivery>>,
}

/// Key presses whose actions are on their way.
#[derive(Clone, Debug, Default)]
pub struct Batches {
    open: BTreeMap<OpId, Batch>,
}

impl Batches {
    /// Actions were asked for.
    pub fn begin(&mut self, intents: &[Intent]) {
        for intent in intents {
            let what = super::acts::verb(&intent.action);
            let batch = self.open.entry(intent.batch).or_insert_with(|| Batch { what, results: BTreeMap::new() });
            batch.results.insert(intent.op, None);
        }
    }

    /// Whether an action belongs to a key press of this session that is not all settled.
    #[must_use]
    pub fn knows(&self, op: OpId) -> bool {
        self.open.values().any(|batch| batch.results.contains_key(&op))
    }

    /// An action got further; what to say when that was the last of its batch.
    pub fn delivered(&mut self, op: OpId, delivery: &Delivery) -> Option<(Weight, String)> {
        if !delivery.is_settled() {
            return None;
        }
        let (batch, known) = self.open.iter_mut().find(|(_, known)| known.results.contains_key(&op))?;
        known.results.insert(op, Some(delivery.clone()));
        if known.results.values().any(Option::is_none) {
            return None;
        }
        let batch = *batch;
        self.open.remove(&batch).map(|batch| batch.summary())
    }
}

impl Batch {
    fn summary(&self) -> (Weight, String) {
        let settled: Vec<&Delivery> = self.results.values().flatten().collect();
        if let [only] = settled.as_slice() {
            return self.single(only);
        }
        let count = |fits: fn(&Delivery) -> bool| settled.iter().filter(|delivery| fits(delivery)).count();
        let confirmed = count(|delivery| matches!(delivery, Delivery::Confirmed { .. }));
        let failed = count(|delivery| matches!(delivery, Delivery::Failed { .. }));
        let unknown = count(|delivery| matches!(delivery, Delivery::Unknown { .. }));
        let dropped = count(|delivery| matches!(delivery, Delivery::Dropped));
        let mut text = format!("{}: {confirmed} of {} done", self.what, settled.len());
        for (number, word) in [(failed, "failed"), (unknown, "unknown"), (dropped, "given up")] {
            if number > 0 {
                text.push_str(&format!(", {number} {word}"));
            }
        }
        let is_well = failed + unknown == 0;
        if !is_well {
            text.push_str(" – see the problems view");
        }
        (if is_well { Weight::Info } else { Weight::Error }, text)
    }

    fn single(&self, delivery: &Delivery) -> (Weight, String) {
        match delivery {
            Delivery::Confirmed { says } if says.as_str().is_empty() => (Weight::Info, format!("{}: done", self.what)),
            Delivery::Confirmed { says } => (Weight::Info, format!("{}: {says}", self.what)),
            Delivery::Failed { failure } => (Weight::Error, failure.to_string()),
            Delivery::Unknown { check } => {
                (Weight::Error, format!("{}: it is not known whether this was done – {check}", self.what))
            }
            Delivery::Dropped => (Weight::Info, format!("{}: given up", self.what)),
            Delivery::Queued { .. } | Delivery::Sent => (Weight::Info, format!("{}: on its way", self.what)),
        }
    }
}
