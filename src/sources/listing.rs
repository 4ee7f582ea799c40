//! Lists as sources answer them: what was understood, how much was not, and whether it is all there is.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::source::{ChronoSeconds, RateBudget, Reach};
use crate::text::{Clean, Untrusted};

/// Longest reason kept for an element that was not understood.
const REASON_BYTES: usize = 160;

/// How many reasons are kept; the rest is only counted.
const REASONS: usize = 4;

/// A list from a source. One bad element never costs the good ones.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// What was understood.
    pub items: Vec<T>,
    /// Elements that were not understood and left out.
    pub dropped: usize,
    /// Identities of dropped elements, where at least those could be read: they exist, so they must not be taken for
    /// gone. When fewer than `dropped`, absence in this list says nothing.
    pub unread: Vec<String>,
    /// Whether the source told all there is: every page, every byte. Only then can absence mean anything.
    pub complete: bool,
    /// What is left of the provider's rate limit.
    pub budget: Option<RateBudget>,
    /// The provider's clock minus ours.
    pub skew: Option<ChronoSeconds>,
    /// Why elements were dropped, and what the provider warned of.
    pub warnings: Vec<Clean>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            dropped: 0,
            unread: Vec::new(),
            complete: true,
            budget: None,
            skew: None,
            warnings: Vec::new(),
        }
    }
}

impl<T> Listing<T> {
    /// True when something that is not in this list does not exist: all was told and every element has an identity.
    #[must_use]
    pub fn tells_absence(&self) -> bool {
        self.complete && self.unread.len() >= self.dropped
    }

    /// How this answer counts for the source's health.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.dropped == 0 && self.complete { Reach::Up } else { Reach::Partial { dropped: self.dropped } }
    }

    /// Leaves an element out, remembering why.
    pub fn drop_one(&mut self, id: Option<String>, why: &str) {
        self.dropped += 1;
        self.unread.extend(id);
        if self.warnings.len() < REASONS {
            let end = why.floor_char_boundary(REASON_BYTES);
            self.warnings.push(Clean::new(format!("an element was not understood: {}", why.get(..end).unwrap_or(""))));
        }
    }

    /// The same list with other items in it.
    #[must_use]
    pub fn with_items<U>(self, items: Vec<U>) -> Listing<U> {
        Listing {
            items,
            dropped: self.dropped,
            unread: self.unread,
            complete: self.complete,
            budget: self.budget,
            skew: self.skew,
            warnings: self.warnings,
        }
    }

    /// The same list with every item mapped; items that `map` refuses are dropped with its reason.
    #[must_use]
    pub fn try_map<U>(mut self, mut map: impl FnMut(T) -> Result<U, String>) -> Listing<U> {
        let items = std::mem::take(&mut self.items);
        let mut mapped = self.with_items(Vec::with_capacity(items.len()));
        for item in items {
            match map(item) {
                Ok(item) => mapped.items.push(item),
                Err(why) => mapped.drop_one(None, &why),
            }
        }
        mapped
    }
}

impl<T> Listing<T> {
    /// Takes in what a further page told.
    pub(crate) fn extend(&mut self, page: Self) {
        self.items.extend(page.items);
        self.dropped += page.dropped;
        self.unread.extend(page.unread);
        let room = REASONS.saturating_sub(self.warnings.len());
        self.warnings.extend(page.warnings.into_iter().take(room));
    }
}

impl<T: DeserializeOwned> Listing<T> {
    /// Reads elements one by one.
    pub(crate) fn read(&mut self, elements: &[Box<RawValue>]) {
        for element in elements {
            match serde_json::from_str(element.get()) {
                Ok(item) => self.items.push(item),
                Err(error) => self.drop_one(identity(element.get()), &error.to_string()),
            }
        }
    }
}

/// The `id` of an element that is otherwise not understood.
pub(crate) fn identity(element: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    serde_json::from_str::<Id>(element).ok().map(|element| element.id)
}

/// A field that may be missing, null, or of a type nobody documented: then it counts as absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Soft<T>(pub Option<T>);

impl<T> Default for Soft<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Soft<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Soft<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// An inner list: null or anything else is empty, and elements that are not understood are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Each<T>(pub Vec<T>);

impl<T> Default for Each<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Each<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Each<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let elements: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).unwrap_or_default();
        Ok(Self(elements.iter().filter_map(|element| serde_json::from_str(element.get()).ok()).collect()))
    }
}

/// Text from outside, cleaned, or the fallback when there is none.
pub(crate) fn clean_or(text: Option<&str>, fallback: &str) -> Clean {
    match text {
        Some(text) if !text.is_empty() => Untrusted::new(text).clean(),
        _ => Clean::new(fallback),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Vec<Box<RawValue>> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn one_bad_element_never_costs_the_good_ones() {
        #[derive(Deserialize)]
        struct Item {
            #[serde(rename = "id")]
            _id: String,
            size: u8,
        }
        let mut listing = Listing::<Item>::default();
        assert!(listing.tells_absence() && listing.reach() == Reach::Up);
        listing.read(&elements(
            r#"[{"id":"a","size":1},{"id":"b","size":999},null,{"id":7},{"id":"c","size":3,"new":[]}]"#,
        ));
        let sizes: Vec<u8> = listing.items.iter().map(|item| item.size).collect();
        assert_eq!((sizes, listing.dropped, listing.unread.as_slice()), (vec![1, 3], 3, &["b".to_owned()][..]));
        assert_eq!(listing.warnings.len(), 3);
        assert!(!listing.tells_absence());
        assert_eq!(listing.reach(), Reach::Partial { dropped: 3 });
        let mapped = listing.try_map(|item| if item.size > 1 { Ok(item.size) } else { Err("small".to_owned()) });
        assert_eq!((mapped.items, mapped.dropped, mapped.complete), (vec![3], 4, true));
    }

    #[test]
    fn reasons_are_few_and_short() {
        let mut listing = Listing::<u8>::default();
        for _ in 0..100 {
            listing.drop_one(None, &"é".repeat(1_000));
        }
        assert_eq!((listing.dropped, listing.warnings.len()), (100, REASONS));
        assert!(listing.warnings.iter().all(|warning| warning.as_str().len() < 220));
    }

    #[test]
    fn soft_fields_and_lists_take_anything() {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Told {
            number: Soft<u8>,
            list: Each<u8>,
        }
        let read =
            |text: &str| serde_json::from_str::<Told>(text).map(|told| (*told.number, told.list.to_vec())).unwrap();
        assert_eq!(read(r#"{"number":7,"list":[1,null,"x",300,2]}"#), (Some(7), vec![1, 2]));
        assert_eq!(read(r#"{"number":null,"list":null}"#), (None, vec![]));
        assert_eq!(read(r#"{"number":{"a":[1]},"list":{"a":1}}"#), (None, vec![]));
        assert_eq!(read("{}"), (None, vec![]));
    }
}
