//! The labels and annotations of alerts and series.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{Untrusted, UntrustedStr};

/// Name/value pairs, sorted by name. All of them in one text, each behind its length in bytes (`9:alertname4:Disk`):
/// fifty thousand alerts with a dozen pairs each are one allocation an alert, not a million small ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// Sorts by name; of two values for one name the last wins.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, UntrustedStr<'a>)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        // Alertmanager and Prometheus send them sorted.
        if pairs.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Self::packed(&pairs);
        }
        let sorted: BTreeMap<&str, UntrustedStr<'a>> = pairs.into_iter().collect();
        Self::packed(&sorted.into_iter().collect::<Vec<_>>())
    }

    fn packed(pairs: &[(&str, UntrustedStr<'_>)]) -> Self {
        let size = pairs.iter().map(|(name, value)| name.len() + value.expose().len() + 8).sum();
        let mut text = String::with_capacity(size);
        for (name, value) in pairs {
            let value = value.expose();
            // Writing to a String cannot fail.
            let _ = write!(text, "{}:{name}{}:{value}", name.len(), value.len());
        }
        Self(text.into())
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<UntrustedStr<'_>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, sorted by name. Names come from outside too: clean them before showing.
    pub fn iter(&self) -> impl Iterator<Item = (&str, UntrustedStr<'_>)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (name, after) = piece(rest)?;
            let (value, after) = piece(after)?;
            rest = after;
            Some((name, UntrustedStr::new(value)))
        })
    }

    /// Whether these pairs are exactly its own, in its order: compares without making anything.
    pub fn holds<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
        let mut own = self.iter();
        let are_alike = pairs.into_iter().all(|(name, value)| own.next() == Some((name, UntrustedStr::new(value))));
        are_alike && own.next().is_none()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The first piece of a packed text, and what comes after it.
fn piece(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    rest.split_at_checked(length.parse().ok()?)
}

impl Default for Labels {
    fn default() -> Self {
        Self("".into())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        Self::new(pairs.into_iter().map(|(name, value)| (name, UntrustedStr::new(value))))
    }
}

/// As a list of pairs.
impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|(name, value)| (name, value.expose())))
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs: Vec<(String, Untrusted)> = Vec::deserialize(deserializer)?;
        Ok(Self::new(pairs.iter().map(|(name, value)| (name.as_str(), value.borrow()))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_two_values_the_last_wins_and_the_order_sent_does_not_matter() {
        let labels: Labels = [("b", "1"), ("a", "2"), ("b", "3")].into_iter().collect();
        let told: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name, value.expose())).collect();
        assert_eq!(told, [("a", "2"), ("b", "3")]);
        assert_eq!(labels, [("a", "2"), ("b", "3")].into_iter().collect());
        assert!(labels.get("c").is_none());
    }

    proptest! {
        /// Whatever names and values hold (digits, colons, NUL, nothing), they come out as they went in.
        #[test]
        fn what_goes_in_comes_out(pairs in proptest::collection::btree_map("[a0:9é\u{0}]{0,4}", any::<String>(), 0..8)) {
            let labels: Labels = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let told: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name, value.expose())).collect();
            prop_assert_eq!(&told, &pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>());
            prop_assert_eq!(labels.len(), pairs.len());
            for (name, value) in &pairs {
                prop_assert_eq!(labels.get(name).map(UntrustedStr::expose), Some(value.as_str()));
            }
            let again: Labels = serde_json::from_str(&serde_json::to_string(&labels).unwrap()).unwrap();
            prop_assert_eq!(again, labels);
        }
    }
}
