//! When it is over: what it left, what it produced, and the one line that says so.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Instant;

use super::record;
use super::start::Begun;
use super::sweep;
use crate::step::capture::{self, Capture, CaptureFailure, CaptureFrom, SOURCE_BYTES};
use crate::step::event::{Cause, Event, Finished, Stream, Survivor};
use crate::step::mask::Shapes;
use crate::step::place::Place;
use crate::step::proc::{self, Stat};
use crate::step::spec::StepSpec;
use crate::step::spool::read::whole_stream;

/// Longest `$RB_OUTPUT` that is read.
const OUTPUTS_BYTES: u64 = 1 << 20;

/// Longest command line of a survivor that is told.
const COMMAND_CHARS: usize = 300;

/// Waits for the command, gathers everything, writes it down durably, wakes the consoles.
pub(super) fn write_down(mut begun: Begun, cause: Cause, ended: Instant, left: &[Stat]) -> io::Result<()> {
    let open: Vec<Stream> = begun.child.open_streams().into_iter().map(|(stream, _)| stream).collect();
    for stream in open {
        begun.output.close(stream);
    }
    let streams = begun.output.summaries();
    begun.output.tell_failure(&mut begun.record);
    begun.child.hang_up();
    let end = begun.child.reap();
    sweep::reap_orphans(begun.child.group());
    // After a sweep these are the ones it did not reach; else whatever was left running.
    let left = if left.is_empty() { sweep::living() } else { left.to_vec() };
    let (captures, failed_captures) = captures(&begun.place, &begun.spec, &begun.shapes);
    let (outputs, output_problems) = outputs(&begun.place, &begun.shapes);
    let finished = Finished {
        at: record::now(),
        duration: ended.saturating_duration_since(begun.since),
        end,
        cause,
        streams,
        survivors: left.iter().map(|stat| survivor(stat, &begun.shapes)).collect(),
        captures,
        failed_captures,
        outputs,
        output_problems,
    };
    let written = begun.record.write_durably(&Event::Finished(Box::new(finished)));
    begun.record.give_room();
    begun.consoles.wake();
    written
}

fn survivor(stat: &Stat, shapes: &Shapes) -> Survivor {
    let command = shapes.mask(&proc::command_line(stat.pid)).chars().take(COMMAND_CHARS).collect();
    Survivor { pid: stat.pid, command }
}

type Captured = (BTreeMap<String, String>, BTreeMap<String, CaptureFailure>);

fn captures(place: &Place, spec: &StepSpec, shapes: &Shapes) -> Captured {
    let (mut found, mut failed) = (BTreeMap::new(), BTreeMap::new());
    for capture in &spec.captures {
        match one(place, spec, capture) {
            Ok(value) => drop(found.insert(capture.name.clone(), shapes.mask(&value))),
            Err(failure) => drop(failed.insert(capture.name.clone(), failure)),
        }
    }
    (found, failed)
}

fn one(place: &Place, spec: &StepSpec, capture: &Capture) -> Result<String, CaptureFailure> {
    let stream = match (&capture.from, spec.terminal) {
        (CaptureFrom::File(file), _) => return capture::take(capture, &file_bytes(&spec.cwd.join(file))?),
        (_, Some(_)) => Stream::Terminal,
        (CaptureFrom::Stdout, None) => Stream::Stdout,
        (CaptureFrom::Stderr, None) => Stream::Stderr,
    };
    let bytes = whole_stream(&place.spool(), stream, SOURCE_BYTES).map_err(|error| CaptureFailure::Unreadable {
        file: place.spool().display().to_string(),
        cause: error.to_string(),
    })?;
    capture::take(capture, &bytes.ok_or(CaptureFailure::Cut)?)
}

fn file_bytes(path: &Path) -> Result<Vec<u8>, CaptureFailure> {
    let unreadable = |cause: String| CaptureFailure::Unreadable { file: path.display().to_string(), cause };
    // Only a file: a pipe or a device would be waited for without end.
    let is_file = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.is_file();
    if !is_file {
        return Err(unreadable("not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > SOURCE_BYTES { Err(CaptureFailure::Cut) } else { Ok(bytes) }
}

fn outputs(place: &Place, shapes: &Shapes) -> (BTreeMap<String, String>, Vec<String>) {
    let mut bytes = Vec::new();
    let is_file = std::fs::symlink_metadata(place.outputs()).is_ok_and(|data| data.is_file());
    let read = if is_file {
        File::open(place.outputs()).and_then(|file| file.take(OUTPUTS_BYTES).read_to_end(&mut bytes))
    } else {
        Err(io::Error::other("it is no file any more"))
    };
    match read {
        Ok(count) if count as u64 == OUTPUTS_BYTES => {
            (BTreeMap::new(), vec![format!("$RB_OUTPUT has more than {OUTPUTS_BYTES} bytes")])
        }
        Ok(_) => {
            // What stays in the folder is masked too.
            let text = shapes.mask(&String::from_utf8_lossy(&bytes));
            if text.as_bytes() != bytes {
                let _ = std::fs::write(place.outputs(), &text);
            }
            capture::outputs(&text)
        }
        Err(error) => (BTreeMap::new(), vec![format!("$RB_OUTPUT cannot be read: {error}")]),
    }
}
