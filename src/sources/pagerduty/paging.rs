//! Lists that come in pages: on by what was received, never by what was announced.

use std::collections::{HashMap, HashSet};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::sources::error::{Fault, SourceError};
use crate::sources::http::{Call, Http};
use crate::sources::listing::{Listing, identity};
use crate::text::Clean;

/// Most PagerDuty gives at once.
const PAGE: usize = 100;

/// PagerDuty refuses `offset + limit` beyond this.
const LAST_OFFSET: usize = 10_000;

/// A list, and whether it was cut at [`LAST_OFFSET`].
pub(super) struct Pages<T> {
    pub listing: Listing<T>,
    pub is_cut: bool,
}

/// Reads every page of `call`, whose answers hold the list in `field`. Elements that come twice (the list moves while
/// it is read) are kept once. A list that claims more but brings nothing new ends there and is not complete.
///
/// Each page is mapped as it comes, an element that `map` refuses is left out with its reason: ten thousand incidents as
/// PagerDuty tells them are forty times what is kept of them.
pub(super) async fn read_all<T: DeserializeOwned, U>(
    http: &Http,
    call: Call,
    field: &str,
    map: impl Fn(T) -> Result<U, String>,
) -> Result<Pages<U>, SourceError> {
    let mut listing = http.listing::<U>();
    let mut seen = HashSet::new();
    let mut offset = 0;
    let mut is_cut = false;
    loop {
        let page = call.clone().query("limit", PAGE.to_string()).query("offset", offset.to_string());
        let (elements, more) = read_page(http, &page, field).await?;
        let received = elements.len();
        let fresh: Vec<Box<RawValue>> =
            elements.into_iter().filter(|element| identity(element.get()).is_none_or(|id| seen.insert(id))).collect();
        let mut told = Listing::<T>::default();
        told.read(&fresh);
        listing.extend(told.try_map(&map));
        offset += received;
        if !more {
            break;
        }
        if fresh.is_empty() {
            listing.complete = false;
            listing.warnings.push(Clean::new(format!("the list of {field} claims more but brings nothing new")));
            break;
        }
        if offset + PAGE > LAST_OFFSET {
            is_cut = true;
            listing.complete = false;
            break;
        }
    }
    listing.budget = http.budget();
    listing.skew = http.skew();
    Ok(Pages { listing, is_cut })
}

/// Reads a list that comes at once.
pub(super) async fn read_one<T: DeserializeOwned>(
    http: &Http,
    call: &Call,
    field: &str,
) -> Result<Listing<T>, SourceError> {
    let (elements, _) = read_page(http, call, field).await?;
    let mut listing = http.listing::<T>();
    listing.read(&elements);
    Ok(listing)
}

/// The elements of a page, and whether there are more. A page without the list is an error, never an empty list.
async fn read_page(http: &Http, call: &Call, field: &str) -> Result<(Vec<Box<RawValue>>, bool), SourceError> {
    let envelope: HashMap<String, Box<RawValue>> = http.json(call).await?;
    let missing = || Fault::Malformed(Clean::new(format!("it holds no list of {field}")));
    let list = envelope.get(field).ok_or_else(missing)?;
    let elements = serde_json::from_str(list.get()).map_err(|_error| missing())?;
    let more = envelope.get("more").is_some_and(|more| more.get() == "true");
    Ok((elements, more))
}
