//! An entry as it stands in a journal: who wrote it, as its how-manieth, and the hash that ties it to the one before.
//!
//! Each writer (one console from its start to its end) has a chain of its own: sequence 1, 2, 3… without gaps, each
//! record carrying the hash of the one before. So several writers append to one journal without waiting for a common
//! head, journals can be merged, and a record that was changed, dropped or moved shows by itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Entry, StoreError};
use crate::domain::time::Timestamp;
use crate::store::entry::ENTRY_VERSION;

/// SHA-256; all zero before a writer's first record.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// From the bytes of a column; `None` when there are not 32.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0_u8; 32];
        let digits = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        for (place, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(place * 2..place * 2 + 2).filter(|_| digits);
            *byte = pair
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(|| serde::de::Error::custom("a hash is 64 lower-case hexadecimal digits"))?;
        }
        Ok(Self(bytes))
    }
}

/// An entry before a writer took it into its chain. Whatever can go wrong with its text has gone wrong by then.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// UUIDv7: what an import recognises it by.
    pub id: Uuid,
    /// Microseconds since 1970 by the writer's clock.
    pub at_us: i64,
    /// Which kind of entry.
    pub kind: String,
    /// Of the payload.
    pub version: i64,
    /// Canonical JSON.
    pub payload: String,
}

impl Draft {
    /// An entry as text, with a fresh identity.
    ///
    /// # Errors
    /// [`StoreError::Entry`] for what cannot be written as JSON.
    pub fn new(entry: &Entry) -> Result<Self, StoreError> {
        let Value::Object(mut told) = serde_json::to_value(entry)? else {
            return Err(StoreError::Entry(serde::ser::Error::custom("an entry cannot be written")));
        };
        let kind = told.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let payload = canonical(&told.remove("payload").unwrap_or(Value::Null));
        let at_us = entry.at().timestamp_micros();
        Ok(Self { id: uuid_at(entry.at()), at_us, kind, version: ENTRY_VERSION, payload })
    }

    /// As the next record of a writer's chain.
    #[must_use]
    pub fn sealed(self, writer: Uuid, seq: u64, prev: Hash) -> Record {
        let Self { id, at_us, kind, version, payload } = self;
        let mut record = Record { id, writer, seq, at_us, kind, version, payload, prev, hash: Hash::default() };
        record.hash = record.computed();
        record
    }
}

/// An entry in a writer's chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// UUIDv7.
    pub id: Uuid,
    /// Which console, from its start to its end.
    pub writer: Uuid,
    /// Its how-manieth, from 1.
    pub seq: u64,
    /// Microseconds since 1970 by the writer's clock; order comes from the sequence, not from this.
    pub at_us: i64,
    /// Which kind of entry.
    pub kind: String,
    /// Of the payload.
    pub version: i64,
    /// Canonical JSON.
    pub payload: String,
    /// Hash of the writer's record before.
    pub prev: Hash,
    /// Hash of this one.
    pub hash: Hash,
}

impl Record {
    /// The hash that it must have: of its line (see [`Record::line`]) without `hash`.
    #[must_use]
    pub fn computed(&self) -> Hash {
        Hash(Sha256::digest(self.text(false)).into())
    }

    /// True when nothing of it was changed.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.computed() == self.hash
    }

    /// The entry; `None` for a kind or shape that this version does not know: it stays where it is, not acted on.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        entry(&self.kind, &self.payload)
    }

    /// As one line of an export: canonical JSON, `docs/journal.md`.
    #[must_use]
    pub fn line(&self) -> String {
        self.text(true)
    }

    /// From a line of an export. Spaces and the order of keys do not matter: what is hashed is canonical.
    ///
    /// # Errors
    /// What is missing or of the wrong type.
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            at_us: i64,
            hash: Hash,
            id: Uuid,
            kind: String,
            payload: Value,
            prev: Hash,
            seq: u64,
            version: i64,
            writer: Uuid,
        }
        let Line { at_us, hash, id, kind, payload, prev, seq, version, writer } = serde_json::from_str(line)?;
        Ok(Self { id, writer, seq, at_us, kind, version, payload: canonical(&payload), prev, hash })
    }

    /// Written by hand, because the payload goes in as it is: sorting its keys once, when it was made, is enough.
    fn text(&self, with_hash: bool) -> String {
        let kind = Value::from(self.kind.as_str());
        let hash = if with_hash { format!(r#""hash":"{}","#, self.hash) } else { String::new() };
        format!(
            r#"{{"at_us":{},{hash}"id":"{}","kind":{kind},"payload":{},"prev":"{}","seq":{},"version":{},"writer":"{}"}}"#,
            self.at_us, self.id, self.payload, self.prev, self.seq, self.version, self.writer
        )
    }
}

/// An entry from its two columns.
#[must_use]
pub fn entry(kind: &str, payload: &str) -> Option<Entry> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    serde_json::from_value(serde_json::json!({ "kind": kind, "payload": payload })).ok()
}

/// JSON without spaces, the keys of every object sorted by code point: what `jq -cS` prints.
#[must_use]
pub fn canonical(value: &Value) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            Value::Object(fields) => {
                out.push('{');
                for (place, (name, field)) in fields.iter().collect::<BTreeMap<_, _>>().into_iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    out.push_str(&Value::from(name.as_str()).to_string());
                    out.push(':');
                    write(field, out);
                }
                out.push('}');
            }
            other => out.push_str(&other.to_string()),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// A UUIDv7 whose time is the entry's own: the clock comes in as a value.
fn uuid_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let mut random = [0_u8; 10];
    random.copy_from_slice(Uuid::new_v4().as_bytes().get(..10).unwrap_or(&[0; 10]));
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// One thing that is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "flaw")]
pub enum Flaw {
    /// Its text is not what was hashed.
    Changed {
        /// Whose.
        writer: Uuid,
        /// Which.
        seq: u64,
    },
    /// It does not follow the one before.
    Unlinked {
        /// Whose.
        writer: Uuid,
        /// Which.
        seq: u64,
    },
    /// Records are missing, or came twice or out of order.
    Gap {
        /// Whose.
        writer: Uuid,
        /// Which was expected.
        expected: u64,
        /// Which came.
        found: u64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { writer, seq } => {
                write!(out, "entry {seq} of writer {writer} was changed: its hash differs")
            }
            Self::Unlinked { writer, seq } => {
                write!(out, "entry {seq} of writer {writer} does not follow the entry before it")
            }
            Self::Gap { writer, expected, found } if found > expected => {
                write!(out, "entries {expected} to {} of writer {writer} are missing", found - 1)
            }
            Self::Gap { writer, found, .. } => write!(out, "entry {found} of writer {writer} comes twice or too late"),
        }
    }
}

/// Follows every writer's chain, record by record in the order in which each writer wrote.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    heads: BTreeMap<Uuid, (u64, Hash)>,
    /// Records seen.
    pub records: u64,
}

impl Verifier {
    /// Takes the next record; tells what is wrong with it.
    pub fn see(&mut self, record: &Record) -> Vec<Flaw> {
        self.records += 1;
        let Record { writer, seq, .. } = *record;
        let (last, head) = self.heads.insert(writer, (seq, record.hash)).unwrap_or_default();
        let mut flaws = Vec::new();
        if !record.is_intact() {
            flaws.push(Flaw::Changed { writer, seq });
        }
        if seq != last + 1 {
            flaws.push(Flaw::Gap { writer, expected: last + 1, found: seq });
        } else if record.prev != head {
            flaws.push(Flaw::Unlinked { writer, seq });
        }
        flaws
    }

    /// How many writers were seen.
    #[must_use]
    pub fn writers(&self) -> usize {
        self.heads.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chain(writer: u128, count: u64) -> Vec<Record> {
        let mut prev = Hash::default();
        (1..=count)
            .map(|seq| {
                let payload = canonical(&json!({"z": seq, "a": [1.5, null, "ü\u{202e}\n"]}));
                let id = Uuid::from_u128(writer << 64 | u128::from(seq));
                let draft = Draft { id, at_us: 1_000_000, kind: "note".into(), version: 1, payload };
                let record = draft.sealed(Uuid::from_u128(writer), seq, prev);
                prev = record.hash;
                record
            })
            .collect()
    }

    fn flaws(records: &[Record]) -> Vec<Flaw> {
        let mut verifier = Verifier::default();
        records.iter().flat_map(|record| verifier.see(record)).collect()
    }

    #[test]
    fn the_hash_is_of_the_line_without_it() {
        let record = chain(7, 1).remove(0);
        let mut line: Value = serde_json::from_str(&record.line()).unwrap();
        assert_eq!(canonical(&line), record.line(), "a line is canonical");
        line.as_object_mut().unwrap().remove("hash");
        assert_eq!(Hash(Sha256::digest(canonical(&line)).into()), record.hash);
        // Fixed for ever: journals that exist must verify.
        assert_eq!(record.hash.to_string(), "785ba9cf44e44c287a247cd83e8b3c45e76965146cd168d7b8ec75cd13fb795a");
    }

    #[test]
    fn a_line_read_back_is_the_same_record_in_any_order_of_keys() {
        let record = chain(7, 1).remove(0);
        let line: serde_json::Map<String, Value> = serde_json::from_str(&record.line()).unwrap();
        let turned: serde_json::Map<String, Value> = line.into_iter().rev().collect();
        assert_eq!(Record::read(&serde_json::to_string_pretty(&turned).unwrap()).unwrap(), record);
        assert!(record.is_intact());
    }

    #[test]
    fn chains_are_followed_for_each_writer_and_every_change_shows() {
        let (one, two) = (chain(1, 3), chain(2, 3));
        let mixed: Vec<_> = one.iter().zip(&two).flat_map(|(one, two)| [one.clone(), two.clone()]).collect();
        assert_eq!(flaws(&mixed), []);
        let writer = Uuid::from_u128(1);
        let mut changed = one.clone();
        changed[1].payload = "{}".into();
        assert_eq!(flaws(&changed), [Flaw::Changed { writer, seq: 2 }]);
        let mut forged = one.clone();
        forged[1].payload = "{}".into();
        forged[1].hash = forged[1].computed();
        assert_eq!(flaws(&forged), [Flaw::Unlinked { writer, seq: 3 }]);
        let missing = [one[0].clone(), one[2].clone()];
        assert_eq!(flaws(&missing), [Flaw::Gap { writer, expected: 2, found: 3 }]);
        let twice = [one[0].clone(), one[0].clone()];
        assert_eq!(flaws(&twice), [Flaw::Gap { writer, expected: 2, found: 1 }]);
    }

    #[test]
    fn numbers_and_texts_survive_being_made_canonical() {
        let value = json!({"b": 1.0, "a": u64::MAX, "c": {"y": -1, "x": "\u{0}\"\\"}});
        let text = canonical(&value);
        assert_eq!(text, r#"{"a":18446744073709551615,"b":1.0,"c":{"x":"\u0000\"\\","y":-1}}"#);
        assert_eq!(canonical(&serde_json::from_str(&text).unwrap()), text);
    }
}
