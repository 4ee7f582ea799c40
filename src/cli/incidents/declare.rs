//! `incidents declare`.

use super::DeclareArgs;
use super::act::{send, text_or_stdin};
use super::plan::Step;
use crate::cli::ask;
use crate::cli::desk::Desk;
use crate::cli::exit::{FAILED, Usage};
use crate::cli::print;
use crate::domain::action::{Action, Declaration, Target};
use crate::domain::id::ServiceId;
use crate::domain::incident::{Named, Priority};
use crate::domain::room::Room;
use crate::engine::headless::Wanted;
use crate::text::{Clean, Untrusted};

pub(super) async fn run(desk: &Desk, args: DeclareArgs) -> color_eyre::Result<i32> {
    desk.needs_write()?;
    desk.needs_pagerduty()?;
    if args.title.trim().is_empty() {
        return Err(Usage::new("the title is empty: say in one line what is wrong").into());
    }
    let details = match &args.message {
        Some(message) => Some(Untrusted::from(text_or_stdin(message).await?)),
        None => None,
    };
    let has_token = desk.config.pagerduty.as_ref().is_some_and(|pagerduty| pagerduty.token.is_some());
    let (service, priority) = if has_token {
        let collected = desk.collect(&[Wanted::Services], args.answering.timeout).await?;
        if let Some(failure) = collected.failures.into_iter().next() {
            return Err(failure.into());
        }
        (service(&args.service, &collected.room)?, priority(args.priority.as_deref(), &collected.room)?)
    } else {
        (of_key(&args.service)?, None)
    };
    let with = priority.as_ref().map(|priority| format!(", priority {}", priority.name)).unwrap_or_default();
    let says = Clean::new(format!("open \"{}\" on {}, urgency {:?}{with}", args.title, service.name, args.urgency));
    if !ask::confirm(std::slice::from_ref(&says), args.sure.yes).await? {
        print::tell("nothing was done");
        return Ok(FAILED);
    }
    let declaration = Declaration {
        title: Untrusted::from(args.title.trim()),
        service,
        urgency: args.urgency.urgency(),
        priority: priority.map(|priority| Named { id: priority.id, name: priority.name }),
        details,
    };
    let planned = Ok((Target::New, Action::Declare(declaration)));
    send(desk, vec![Step { word: "new incident".to_owned(), planned, says: Some(says) }], &args.answering).await
}

fn service(wanted: &str, room: &Room) -> Result<Named<ServiceId>, Usage> {
    let services = room.services();
    let exact = |service: &&Named<ServiceId>| {
        service.id.as_str() == wanted || service.name.as_str().eq_ignore_ascii_case(wanted)
    };
    if let Some(service) = services.iter().find(exact) {
        return Ok(service.clone());
    }
    let lower = wanted.to_lowercase();
    let near: Vec<&str> = services
        .iter()
        .map(|service| service.name.as_str())
        .filter(|name| {
            name.to_lowercase().contains(&lower) || strsim::jaro_winkler(&name.to_lowercase(), &lower) > 0.85
        })
        .take(5)
        .collect();
    let shown = Clean::new(wanted);
    Err(Usage::new(if near.is_empty() {
        format!("PagerDuty knows no service '{shown}': give a name or an id")
    } else {
        format!("PagerDuty knows no service '{shown}': did you mean {}?", near.join(", "))
    }))
}

fn priority(wanted: Option<&str>, room: &Room) -> Result<Option<Priority>, Usage> {
    let Some(wanted) = wanted else { return Ok(None) };
    let known = room.priorities();
    let found = known.iter().find(|priority| priority.name.as_str().eq_ignore_ascii_case(wanted));
    found.cloned().map(Some).ok_or_else(|| {
        let names = known.iter().map(|priority| priority.name.as_str()).collect::<Vec<_>>().join(", ");
        let fix = if names.is_empty() { "the account has none".to_owned() } else { format!("it has {names}") };
        Usage::new(format!("the account has no priority '{}': {fix}", Clean::new(wanted)))
    })
}

/// With a routing key the integration decides the service; the name given stands in the event.
fn of_key(wanted: &str) -> Result<Named<ServiceId>, Usage> {
    let id = ServiceId::parse(wanted).ok_or_else(|| Usage::new("the service's name must be plain ASCII"))?;
    Ok(Named { id, name: Clean::new(wanted) })
}
