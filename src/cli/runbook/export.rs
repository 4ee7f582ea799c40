//! `runbook export`: a run as the filled-in document, for the postmortem.

use std::fmt::Write as _;

use super::ExportArgs;
use super::approve::past;
use crate::cli::desk::Desk;
use crate::cli::exit::{self, Usage};
use crate::cli::{Session, print};
use crate::domain::room::Room;
use crate::domain::run::{Run, RunId, describe};

pub(super) async fn run(session: &Session, desk: &Desk, args: &ExportArgs) -> color_eyre::Result<i32> {
    let id = RunId::parse(&args.run).ok_or_else(|| Usage::new("RUN is the id that 'runbook run' and the room show"))?;
    let room = past(session, desk).await;
    let Some(run) = room.run(id) else {
        return Err(Usage::new("the journal has no such run").into());
    };
    print::out(&document(&room, run))?;
    Ok(exit::DONE)
}

fn document(room: &Room, run: &Run) -> String {
    let mut out = format!("# {}\n\n", run.title);
    let _ = writeln!(out, "- run: {}\n- runbook: {} (sha256 {})", run.id, run.runbook, run.content_hash);
    if let Some(incident) = &run.incident {
        let _ = writeln!(out, "- incident: {incident}");
    }
    let _ = writeln!(out, "- opened: {} by {}\n", run.opened_at.to_rfc3339(), run.holder);
    for planned in &run.plan {
        let state = run.state(&planned.id);
        let tick = if state.is_past() { "x" } else { " " };
        let _ = writeln!(out, "## [{tick}] {} — {}\n", planned.title, state.word());
        for event in room.run_events(run.id).iter().filter(|event| event.what.step() == Some(&planned.id)) {
            let Some((line, below)) = describe(run, event) else { continue };
            let _ = writeln!(out, "- {} {}: {line}", event.at.format("%H:%M:%S"), event.by);
            for line in below {
                let _ = writeln!(out, "  - `{}`", line.as_str().replace('`', "'"));
            }
        }
        out.push('\n');
    }
    out
}
