//! From the order to the running command: every check, then the durable line, then exec.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Instant;

use super::child::{self, Child};
use super::consoles::Consoles;
use super::output::Output;
use super::record::{self, Record};
use super::{SUBCOMMAND, complain};
use crate::step::event::Event;
use crate::step::mask::Shapes;
use crate::step::place::{Place, private};
use crate::step::proc;
use crate::step::spec::{Handover, Secret, StepSpec};
use crate::step::state::take_lock;

/// Longest order: an argument vector of 2 MiB (what the kernel takes), twice over in JSON.
const ORDER_BYTES: u64 = 8 << 20;

/// Why nothing runs.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) why: String,
    /// Where to write it down: only when this step has not been carried by another supervisor.
    pub(super) record: Option<Record>,
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self { why, record: None }
    }
}

/// A command that runs, and everything around it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) place: Place,
    pub(super) spec: StepSpec,
    pub(super) shapes: Shapes,
    pub(super) record: Record,
    pub(super) output: Output,
    pub(super) consoles: Consoles,
    pub(super) child: Child,
    pub(super) since: Instant,
    /// Held until the process ends.
    pub(super) _lock: File,
}

/// Checks and executes.
pub(super) fn begin(place: &Place) -> Result<Begun, Refusal> {
    // First of all a session of its own: the hangup of the console's terminal does not reach it.
    let _ = rustix::process::setsid();
    close_what_was_inherited();
    let handover = read_order()?;
    let secrets = handover.secrets().ok_or_else(|| "the order and its secrets do not fit".to_owned())?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| format!("the kernel gives no child sub-reaper: {error}"))?;
    let lock = take_lock(place).map_err(|error| format!("cannot lock {}: {error}", place.path().display()))?;
    let lock = lock.ok_or_else(|| "another supervisor carries this step".to_owned())?;
    let events = place.events_so_far().map_err(|error| format!("cannot read the step's record: {error}"))?;
    if events.iter().any(|event| matches!(event, Event::Started { .. } | Event::Refused { .. })) {
        return Err("this step was carried before; it is never run twice from one folder".to_owned().into());
    }
    let mut record = Record::open(place).map_err(|error| format!("cannot open the step's record: {error}"))?;
    match prepare(place, &handover, &secrets, &mut record) {
        Ok((shapes, output, consoles, child, since)) => Ok(Begun {
            place: place.clone(),
            spec: handover.spec,
            shapes,
            record,
            output,
            consoles,
            child,
            since,
            _lock: lock,
        }),
        Err(why) => {
            record.give_room();
            Err(Refusal { why, record: Some(record) })
        }
    }
}

type Prepared = (Shapes, Output, Consoles, Child, Instant);

fn prepare(place: &Place, handover: &Handover, secrets: &[Secret], record: &mut Record) -> Result<Prepared, String> {
    let spec = &handover.spec;
    let ordered = place.ordered().map_err(|error| format!("cannot read the order: {error}"))?;
    let ordered = ordered.ok_or_else(|| "there is no order in the folder".to_owned())?;
    if ordered.spec != *spec || ordered.approved != handover.approved {
        return Err("what was handed over is not what was ordered".to_owned());
    }
    let shapes = Shapes::of(secrets).map_err(|short| short.to_string())?;
    let cannot = |what: &str, error: &io::Error| format!("cannot make the step's {what}: {error}");
    let output = Output::new(place, &shapes, spec).map_err(|error| cannot("spool", &error))?;
    let consoles = Consoles::listen(place).map_err(|error| cannot("socket", &error))?;
    private(OpenOptions::new().create(true).truncate(true).write(true))
        .open(place.outputs())
        .map_err(|error| cannot("output file", &error))?;
    let supervisor = proc::identity(rustix::process::getpid().as_raw_nonzero().get());
    let supervisor = supervisor.ok_or_else(|| "there is no /proc".to_owned())?;
    record.keep_room().map_err(|error| cannot("reserve on the disk", &error))?;
    let command = child::command(spec, secrets, place);
    // The last look before exec: what a person saw is what runs.
    let digest = spec.digest(secrets);
    if digest != handover.approved {
        return Err(format!("what would run is not what was approved ({digest}, approved {})", handover.approved));
    }
    record
        .write_durably(&Event::Started { at: record::now(), supervisor, digest })
        .map_err(|error| format!("the start cannot be written down: {error}"))?;
    let child = command.spawn().map_err(|error| {
        let argv = spec.program.argv();
        format!("cannot execute {}: {error}", argv.first().map_or("", String::as_str))
    })?;
    if let Some(process) = proc::identity(child.pid()) {
        // Not synced: without it the state is "started" all the same.
        let _ = record.note(&Event::Running { at: record::now(), process });
    }
    Ok((shapes, output, consoles, child, Instant::now()))
}

fn read_order() -> Result<Handover, String> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(ORDER_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read the order: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|_cut| "the order is not whole".to_owned())
}

/// Standard input and output were the pipes of the console that started us; the command must not be tied to them.
pub(super) fn let_go_of_the_console() {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    let done = null.and_then(|null| {
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        Ok(())
    });
    if let Err(error) = done {
        complain(&format!("the console's pipes stay open: {error}"));
    }
}

/// Descriptors above 2 that our console had itself inherited (all of its own close on exec) would reach the command. Only
/// a shell can close them without unsafe code, so where there are any we start again through one.
fn close_what_was_inherited() {
    const AGAIN: &str = "--closed";
    if std::env::args_os().any(|word| word == AGAIN) {
        return;
    }
    let open: Vec<u32> = {
        let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        // Each is looked at again: the folder's own descriptor is gone by then.
        let numbers: Vec<u32> = numbers.filter(|number| *number > 2).collect();
        numbers.into_iter().filter(|number| fs::read_link(format!("/proc/self/fd/{number}")).is_ok()).collect()
    };
    if open.is_empty() {
        return;
    }
    // A binary that was replaced since cannot be started again by its name.
    let Some(program) = std::env::current_exe().ok().filter(|program| program.exists()) else {
        return complain(&format!("inherited descriptors {open:?} stay open: our binary is gone from its place"));
    };
    let closing: Vec<String> = open.iter().map(|number| format!("{number}>&-")).collect();
    // dash takes one digit only.
    let shell = if open.iter().any(|number| *number > 9) { "bash" } else { "sh" };
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    #[expect(clippy::disallowed_methods, reason = "our own binary again, with the words we were started with")]
    let error = Command::new(shell)
        .args(["-c", &format!("exec \"$0\" \"$@\" {}", closing.join(" "))])
        .arg(program)
        .args(words)
        .arg(AGAIN)
        .exec();
    complain(&format!("inherited descriptors {open:?} stay open: {shell} for {SUBCOMMAND}: {error}"));
}
