//! Seeded randomness and the identifiers made from it. Nothing here reads a clock or the machine.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// The world's only source of chance.
#[derive(Clone, Debug)]
pub struct Dice {
    rng: SmallRng,
}

impl Dice {
    /// Dice of their own for `purpose`, so that one room's throws do not move another's.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        let digest = hasher.finalize();
        let mut bytes = [0_u8; 8];
        for (to, from) in bytes.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self { rng: SmallRng::seed_from_u64(u64::from_le_bytes(bytes)) }
    }

    /// A whole number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.rng.random_range(low..=high.max(low))
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        self.rng.random::<f64>()
    }

    /// An identifier as PagerDuty makes them: a letter and upper-case letters and digits.
    pub fn pager_id(&mut self, first: char, length: usize) -> String {
        const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut id = String::with_capacity(length);
        id.push(first);
        while id.len() < length {
            let index = self.rng.random_range(0..ALPHABET.len());
            id.push(ALPHABET.get(index).map_or('A', |byte| char::from(*byte)));
        }
        id
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random::<[u8; 16]>()).into_uuid().to_string()
    }
}

/// The first `length` hex digits of the SHA-256 of `text`.
pub fn hex_digest(text: &str, length: usize) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out.truncate(length);
    out
}

/// A fixed identifier for a thing of the company: the same in every world.
pub fn fixed_id(kind: &str, name: &str) -> String {
    let digest = hex_digest(&format!("{kind}/{name}"), 12).to_uppercase();
    format!("P{}", digest.get(..6).unwrap_or("000000"))
}

/// A cheap hash of two numbers as a value in `0.0..1.0`: noise that needs no state.
pub fn noise(salt: u64, step: i64) -> f64 {
    let mut x = salt ^ (step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_throws_and_purposes_are_apart() {
        let throw = |seed, purpose: &str| {
            let mut dice = Dice::new(seed, purpose);
            (dice.pager_id('P', 7), dice.uuid(), dice.between(1, 1_000_000))
        };
        assert_eq!(throw(7, "pager"), throw(7, "pager"));
        assert_ne!(throw(7, "pager"), throw(8, "pager"));
        assert_ne!(throw(7, "pager"), throw(7, "alerting"));
        assert_eq!(throw(7, "pager").0.len(), 7);
    }

    #[test]
    fn noise_stays_in_the_unit_interval() {
        for step in -500..500 {
            let value = noise(42, step);
            assert!((0.0..1.0).contains(&value), "{value}");
        }
        assert!((noise(1, 1) - noise(1, 2)).abs() > f64::EPSILON);
    }
}
