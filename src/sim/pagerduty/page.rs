//! Classic pagination: `limit`, `offset`, `more`, `total`.

use serde_json::{Value, json};

use super::super::http::{Ask, Reply};
use super::{Answer, error, invalid};

/// A page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    limit: usize,
    offset: usize,
    has_total: bool,
}

impl Page {
    /// The page that was asked for.
    pub fn of(ask: &Ask) -> Result<Self, Box<Reply>> {
        let number = |name: &str, default: usize| match ask.param(name) {
            None | Some("") => Ok(default),
            Some(text) => text.parse().map_err(|_| invalid(&format!("{} must be an integer", capital(name)))),
        };
        let (limit, offset) = (number("limit", 25)?, number("offset", 0)?);
        if limit == 0 {
            return Err(invalid("Limit must be greater than 0"));
        }
        let limit = limit.min(100);
        if offset.saturating_add(limit) > 10_000 {
            return Err(error(
                400,
                "Invalid Input Provided",
                2001,
                &["Offset plus limit must not be greater than 10000"],
            ));
        }
        Ok(Self { limit, offset, has_total: ask.flag("total") })
    }

    /// The answer with this page of `items` under `key`; only the items on the page are painted.
    pub fn answer<T>(self, key: &str, items: &[T], paint: impl Fn(&T) -> Value) -> Answer {
        let from = self.offset.min(items.len());
        let to = (from + self.limit).min(items.len());
        let shown: Vec<Value> = items.get(from..to).unwrap_or_default().iter().map(paint).collect();
        let total = if self.has_total { json!(items.len()) } else { Value::Null };
        let more = to < items.len();
        Ok(Reply::json(
            200,
            &json!({key: shown, "limit": self.limit, "offset": self.offset, "more": more, "total": total}),
        ))
    }
}

fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}
