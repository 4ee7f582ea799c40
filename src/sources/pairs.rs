//! Labels as sources send them: an object of strings, read without a copy where its bytes allow.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::domain::alert::Labels;

/// A string that shares the bytes it was read from when it can.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Borrowed<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Labels or annotations, in the order sent. A value that is null is an empty one; null instead of the object is none.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a>(Vec<(Borrowed<'a>, Borrowed<'a>)>);

impl Pairs<'_> {
    /// Names and values in the order sent.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&*name.0, &*value.0))
    }

    /// As the rest of the program knows them.
    pub(super) fn to_labels(&self) -> Labels {
        self.iter().collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("labels")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some(name) = map.next_key()? {
                    pairs.push((name, map.next_value::<Option<_>>()?.unwrap_or_default()));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(PairsVisitor)
    }
}
