//! The runbook that is meant: a file's, or one of the configured and shipped ones.

use std::path::Path;
use std::sync::Arc;

use crate::cli::desk::Desk;
use crate::cli::exit::Usage;
use crate::cli::print;
use crate::config::files;
use crate::domain::incident::Incident;
use crate::domain::room::Room;
use crate::runbook::matching::{Match, Wanted, matching};
use crate::runbook::{self, Runbook};
use crate::text::Clean;

/// Largest file that is read.
const MOST_BYTES: u64 = 4 << 20;

/// Every runbook; what is wrong with any is told.
pub(super) fn all(desk: &Desk) -> Vec<Runbook> {
    let (runbooks, problems) = files::runbooks(&desk.config);
    problems.iter().filter(|problem| problem.is_error).for_each(|problem| print::tell(problem.to_string()));
    runbooks
}

/// The runbook of a file (`FILE`, or `FILE#ID` where it has several) or of an id, and all that belong with it.
pub(super) fn one(desk: &Desk, wanted: &str) -> color_eyre::Result<(Runbook, Arc<[Runbook]>)> {
    let (path, id) = wanted.split_once('#').map_or((wanted, None), |(path, id)| (path, Some(id)));
    if Path::new(path).is_file() {
        return of_file(desk, path, id);
    }
    let all = all(desk);
    let found = all.iter().find(|runbook| runbook.id.as_str() == wanted).cloned();
    let found = found.ok_or_else(|| {
        let near = all.iter().map(|runbook| runbook.id.as_str()).min_by_key(|id| strsim::levenshtein(id, wanted));
        let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        Usage::new(format!("'{}' is neither a file nor the id of a runbook{near}", Clean::new(wanted)))
    })?;
    Ok((found, all.into()))
}

fn of_file(desk: &Desk, path: &str, id: Option<&str>) -> color_eyre::Result<(Runbook, Arc<[Runbook]>)> {
    let size = std::fs::metadata(path).map(|about| about.len()).unwrap_or(0);
    if size > MOST_BYTES {
        return Err(Usage::new(format!("{path} has {size} bytes; a runbook has at most {MOST_BYTES}")).into());
    }
    let document = runbook::document(path, &std::fs::read(path)?);
    document.problems.iter().for_each(|problem| print::tell(problem.to_string()));
    let broken = document.problems.iter().any(|problem| problem.is_error);
    let mut runbooks = document.runbooks;
    let own = runbooks.len();
    // Its includes and shared variables may be in the configured folders.
    runbooks.extend(all(desk));
    let libraries: Vec<_> =
        std::iter::once(document.library).chain(runbooks.iter().map(|known| (*known.library).clone())).collect();
    runbook::link(&mut runbooks, &libraries);
    let mine = runbooks.get(..own).unwrap_or_default();
    let found = match (id, mine) {
        (Some(id), mine) => mine.iter().find(|runbook| runbook.id.as_str() == id).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    };
    let Some(found) = found else {
        let ids: Vec<&str> = mine.iter().map(|runbook| runbook.id.as_str()).collect();
        let fix = if ids.is_empty() && broken {
            "correct what is told above".to_owned()
        } else {
            format!("name one of them: {path}#ID with ID of {}", ids.join(", "))
        };
        return Err(Usage::new(format!("{path} has {} runbooks; {fix}", ids.len())).into());
    };
    let mut seen = std::collections::BTreeSet::new();
    runbooks.retain(|runbook| seen.insert(runbook.id.clone()));
    Ok((found, runbooks.into()))
}

/// Those that fit an incident, best first.
pub(super) fn fitting(desk: &Desk, room: &Room, incident: &Incident, runbooks: &[Runbook]) -> Vec<Match> {
    let alerts: Vec<_> = room.alerts_of(&incident.id).take(32).collect();
    let service = incident.service.as_ref().map(Clean::as_str);
    let configured = desk.config.services.iter().find(|known| Some(known.name.as_str()) == service);
    let wanted = Wanted {
        labels: alerts.iter().map(|alert| &alert.labels).collect(),
        annotations: alerts.iter().map(|alert| &alert.annotations).collect(),
        title: incident.title.as_str(),
        service,
        service_runbooks: configured.map(|service| service.runbooks.as_slice()).unwrap_or_default(),
        severity: Some(incident.assessment.severity),
        now: Some(desk.now()),
    };
    matching(runbooks, &wanted)
}

/// The incident that is meant, with everything known around it.
pub(super) async fn incident(
    desk: &Desk,
    wanted: &str,
    limit: std::time::Duration,
) -> color_eyre::Result<(Room, Incident)> {
    desk.needs_incidents()?;
    let collected = desk.collect(&desk.incident_sources(), limit).await?;
    collected.failures.iter().for_each(|failure| print::tell(failure.to_string()));
    let room = collected.room;
    let board = room.board();
    let fits = |incident: &&Incident| {
        let record = incident.record.as_ref();
        let number = record.map(|record| record.number.to_string());
        let pager = record.map(|record| record.id.to_string());
        incident.id.as_str() == wanted
            || number.as_deref() == Some(wanted.trim_start_matches('#'))
            || pager.is_some_and(|pager| pager == wanted || wanted.ends_with(&format!("/{pager}")))
    };
    let found = board.iter().find(fits).cloned();
    let found = found.ok_or_else(|| {
        Usage::new(format!("there is no open incident {}; see 'warroom incidents list'", Clean::new(wanted)))
    })?;
    Ok((room, found))
}
