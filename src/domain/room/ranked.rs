//! Rows in order, with the rank of any of them in O(log n).
//!
//! Chunks of at most [`CHUNK`] entries, each sorted, in order. A sorted `Vec` would move 1.6 MB for an insert at the top
//! of 50,000 rows, and filling it row by row would be quadratic; a tree of nodes would allocate for every row. Here an
//! insert moves at most one chunk (16 KiB), and `get`/`rank_of` walk the lengths of about n / 256 chunks.

use std::cmp::Ordering;

use crate::domain::id::IncidentId;

/// Entries in a chunk before it is split.
const CHUNK: usize = 512;

/// Where a row stands: `key` first, then the identity, so that no two are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: u64,
    pub id: IncidentId,
    pub row: u32,
}

impl Entry {
    fn against(&self, key: u64, id: &IncidentId) -> Ordering {
        self.key.cmp(&key).then_with(|| self.id.cmp(id))
    }
}

/// Sorted entries with access by rank.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    chunks: Vec<Vec<Entry>>,
    len: usize,
}

impl Ranked {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, entry: Entry) {
        let at = self.chunk_of(entry.key, &entry.id);
        if self.chunks.is_empty() {
            self.chunks.push(Vec::new());
        }
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        match chunk.binary_search_by(|known| known.against(entry.key, &entry.id)) {
            Ok(_) => return,
            Err(place) => chunk.insert(place, entry),
        }
        self.len += 1;
        if chunk.len() > CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at + 1, upper);
        }
    }

    pub fn remove(&mut self, key: u64, id: &IncidentId) {
        let at = self.chunk_of(key, id);
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        if let Ok(place) = chunk.binary_search_by(|known| known.against(key, id)) {
            chunk.remove(place);
            self.len -= 1;
            if chunk.is_empty() {
                self.chunks.remove(at);
            }
        }
    }

    pub fn get(&self, rank: usize) -> Option<&Entry> {
        self.from(rank).next()
    }

    /// Entries from `rank` on.
    pub fn from(&self, rank: usize) -> impl Iterator<Item = &Entry> {
        let mut left = rank;
        let first = self.chunks.iter().position(|chunk| {
            let is_here = left < chunk.len();
            if !is_here {
                left -= chunk.len();
            }
            is_here
        });
        let first = first.unwrap_or(self.chunks.len());
        self.chunks.iter().skip(first).flatten().skip(left)
    }

    pub fn rank_of(&self, key: u64, id: &IncidentId) -> Option<usize> {
        let at = self.chunk_of(key, id);
        let place = self.chunks.get(at)?.binary_search_by(|known| known.against(key, id)).ok()?;
        let before: usize = self.chunks.iter().take(at).map(Vec::len).sum();
        Some(before + place)
    }

    /// The chunk that holds such an entry or must take it: the first whose last entry is not before it, else the last.
    fn chunk_of(&self, key: u64, id: &IncidentId) -> usize {
        let is_before = |chunk: &Vec<Entry>| chunk.last().is_some_and(|last| last.against(key, id) == Ordering::Less);
        self.chunks.partition_point(is_before).min(self.chunks.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(key: u64, row: u32) -> Entry {
        Entry { key, id: IncidentId::derived("t", &format!("{row:05}")), row }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn behaves_as_a_sorted_list(moves in prop::collection::vec((any::<bool>(), 0_u64..40, 0_u32..900), 0..3_000)) {
            let mut ranked = Ranked::default();
            let mut model = std::collections::BTreeSet::new();
            for (is_insert, key, row) in moves {
                let new = entry(key, row);
                if is_insert {
                    model.insert((key, new.id.clone(), row));
                    ranked.insert(new);
                } else {
                    model.remove(&(key, new.id.clone(), row));
                    ranked.remove(key, &new.id);
                }
            }
            prop_assert_eq!(ranked.len(), model.len());
            for (rank, (key, id, row)) in model.iter().enumerate() {
                prop_assert_eq!(ranked.rank_of(*key, id), Some(rank));
                prop_assert_eq!(ranked.get(rank).map(|entry| entry.row), Some(*row));
            }
            prop_assert!(ranked.get(model.len()).is_none());
            prop_assert_eq!(ranked.from(model.len() / 2).count(), model.len() - model.len() / 2);
        }
    }

    #[test]
    fn ranks_hold_across_chunks() {
        let mut ranked = Ranked::default();
        for row in (0..5_000_u32).rev() {
            ranked.insert(entry(u64::from(row / 2), row));
        }
        for rank in [0_u32, 1, 511, 512, 513, 2_500, 4_999] {
            let id = IncidentId::derived("t", &format!("{rank:05}"));
            assert_eq!(ranked.rank_of(u64::from(rank / 2), &id), Some(rank as usize));
            assert_eq!(ranked.get(rank as usize).map(|entry| entry.row), Some(rank));
        }
    }
}
