//! From what a person typed to targets: PagerDuty ids, numbers, rows.

use std::time::Duration;

use crate::cli::desk::Desk;
use crate::cli::exit::Usage;
use crate::domain::action::Target;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{DedupKey, IncidentId, PagerId};
use crate::domain::incident::Incident;
use crate::domain::room::Room;
use crate::engine::headless::Wanted;
use crate::text::Clean;

/// What a person typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Pager(PagerId),
    Number(u64),
    Row(IncidentId),
}

impl Reference {
    /// # Errors
    /// [`Usage`] when it can be none of them.
    pub fn parse(text: &str) -> Result<Self, Usage> {
        let number = text.strip_prefix('#').unwrap_or(text);
        if let Ok(number) = number.parse() {
            return Ok(Self::Number(number));
        }
        let found = match text.split_once(':') {
            Some(("pd", id)) => PagerId::parse(id).map(Self::Pager),
            Some(_) => IncidentId::parse(text).map(Self::Row),
            None => {
                PagerId::parse(text).filter(|_| text.bytes().all(|byte| byte.is_ascii_alphanumeric())).map(Self::Pager)
            }
        };
        let shown = Clean::new(text);
        found.ok_or_else(|| Usage::new(format!("'{shown}' is not an incident: give PagerDuty's id, its number, or a row's id as 'incidents list' shows it")))
    }
}

/// A target, what is known of it, and what it is called in results.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub word: String,
    pub target: Result<Target, Failure>,
    pub incident: Option<Incident>,
}

/// What was found, and the room it was found in: levels, people.
pub(super) struct Search {
    pub found: Vec<Found>,
    pub room: Room,
}

/// Finds the targets. Numbers and rows need the list; `with_details` reads each incident with its policy.
///
/// # Errors
/// [`Usage`] when something is not a reference.
pub(super) async fn find(
    desk: &Desk,
    texts: &[String],
    with_details: bool,
    limit: Duration,
) -> color_eyre::Result<Search> {
    if desk.config.pagerduty.as_ref().is_some_and(|pagerduty| pagerduty.token.is_none()) {
        return by_keys(desk, texts, limit).await;
    }
    let references = texts.iter().map(|text| Reference::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let is_list_needed = references.iter().any(|reference| !matches!(reference, Reference::Pager(_)));
    let mut room = Room::default();
    let mut failures = Vec::new();
    if is_list_needed {
        let collected = desk.collect(&desk.incident_sources(), limit).await?;
        room = collected.room;
        failures = collected.failures;
    }
    let pagers: Vec<Option<PagerId>> = references.iter().map(|reference| pager_of(reference, &room)).collect();
    let mut wanted: Vec<Wanted> = pagers.iter().flatten().cloned().map(Wanted::Details).collect();
    if with_details && !wanted.is_empty() {
        // Who is on call tells the level at which an incident stands.
        wanted.push(Wanted::OnCall);
        let collected = desk.collect(&wanted, limit).await?;
        room = collected.room;
        failures = collected.failures;
    }
    let found = references.iter().zip(pagers).zip(texts);
    let found = found.map(|((reference, pager), text)| one(reference, pager, text, &room, &failures, with_details));
    Ok(Search { found: found.collect(), room })
}

fn pager_of(reference: &Reference, room: &Room) -> Option<PagerId> {
    match reference {
        Reference::Pager(pager) => Some(pager.clone()),
        Reference::Row(id) => Some(room.incident(id)?.record.as_ref()?.id.clone()),
        Reference::Number(number) => super::list::incidents(room)
            .into_iter()
            .filter_map(|incident| incident.record.as_ref())
            .find(|record| record.number == *number)
            .map(|record| record.id.clone()),
    }
}

fn one(
    reference: &Reference,
    pager: Option<PagerId>,
    text: &str,
    room: &Room,
    failures: &[Failure],
    with_details: bool,
) -> Found {
    let word = pager.as_ref().map_or_else(|| Clean::new(text).to_string(), ToString::to_string);
    let row = match (reference, &pager) {
        (Reference::Row(id), _) => room.incident(id),
        (_, Some(pager)) => room.row_of(pager).and_then(|id| room.incident(id)),
        (Reference::Number(_) | Reference::Pager(_), None) => None,
    };
    let key = row.and_then(|incident| incident.record.as_ref()?.keys.first().cloned());
    let id = row.map(|incident| incident.id.clone());
    let id = id.or_else(|| pager.as_ref().and_then(|pager| IncidentId::parse(&format!("pd:{pager}"))));
    let target = match (id, pager) {
        (Some(id), pager @ Some(_)) if row.is_some() || !with_details => Ok(Target::Incident { id, pager, key }),
        (Some(_), None) => Err(failure(text, "PagerDuty does not have it", "declare it: warroom incidents declare")),
        _ => {
            let told =
                failures.iter().find(|failure| failure.target.as_str().contains(&word)).or_else(|| failures.first());
            Err(told
                .cloned()
                .unwrap_or_else(|| failure(text, "it is not among the open incidents", "see 'warroom incidents list'")))
        }
    };
    Found { word, target, incident: row.cloned() }
}

/// A room that only has a routing key acts on the keys that incidents were raised with: typed, or those of a row's group.
async fn by_keys(desk: &Desk, texts: &[String], limit: Duration) -> color_eyre::Result<Search> {
    let is_row = |text: &String| IncidentId::parse(text).filter(|_| text.contains(':'));
    let room = if texts.iter().any(|text| is_row(text).is_some()) {
        desk.collect(&desk.incident_sources(), limit).await?.room
    } else {
        Room::default()
    };
    let one = |text: &String| {
        let Some(incident) = is_row(text).and_then(|id| room.incident(&id)) else { return by_key(text) };
        let target = match room.key_of(incident) {
            Some(key) => Ok(Target::Incident { id: incident.id.clone(), pager: None, key: Some(key) }),
            None => {
                Err(failure(text, "its group pages nobody through PagerDuty", "declare it: warroom incidents declare"))
            }
        };
        Found { word: Clean::new(text).to_string(), target, incident: Some(incident.clone()) }
    };
    let found = texts.iter().map(one).collect();
    Ok(Search { found, room })
}

fn by_key(text: &str) -> Found {
    let key = DedupKey::parse(text);
    let id = key.as_ref().and_then(|key| IncidentId::parse(&format!("key:{key}")).or_else(|| IncidentId::parse("key")));
    let target = match id {
        Some(id) => Ok(Target::Incident { id, pager: None, key }),
        None => Err(failure(text, "it is not a dedup key", "give the key the event was sent with")),
    };
    Found { word: Clean::new(text).to_string(), target, incident: None }
}

fn failure(target: &str, cause: &str, remedy: &str) -> Failure {
    Failure {
        kind: FailureKind::NotFound,
        what: Clean::new("find incident"),
        target: Clean::new(target),
        cause: Clean::new(cause),
        remedy: Clean::new(remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_ids_numbers_or_rows() {
        let pager = |id| Reference::Pager(PagerId::parse(id).unwrap());
        for (text, expected) in [
            ("PABC123", pager("PABC123")),
            ("pd:PABC123", pager("PABC123")),
            ("1234", Reference::Number(1234)),
            ("#1234", Reference::Number(1234)),
            ("am:eu/0123", Reference::Row(IncidentId::parse("am:eu/0123").unwrap())),
        ] {
            assert_eq!(Reference::parse(text).unwrap(), expected, "{text}");
        }
        for text in ["", "P/../x", "a b", "\u{1b}[2J", "Größe"] {
            assert!(Reference::parse(text).is_err(), "{text:?}");
        }
    }
}
