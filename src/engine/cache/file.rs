//! The file of one source: read line by line, written whole or not at all.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Answered;
use crate::domain::alert::{Alert, GroupRef};
use crate::domain::fact::Fact;
use crate::text::Untrusted;

/// Version of the form; a file of a newer one is passed over.
const FORM: u32 = 1;

/// Largest file that is written or read: an Alertmanager of a hundred thousand alerts.
pub(super) const MOST_BYTES: u64 = 96 << 20;

/// What the last line may measure.
const END_BYTES: u64 = 64;

#[derive(Serialize, Deserialize)]
struct Header {
    form: u32,
    answered: Answered,
}

/// As much of the header as every form has.
#[derive(Deserialize)]
struct Form {
    form: u32,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct End {
    /// Lines between the first and this one.
    facts: usize,
}

/// Reads a file: `head` gets when it was true, then `each` every fact; either may say that it wants no more. A file that
/// is not there is no error.
pub(super) fn read(
    path: &Path,
    head: impl FnOnce(Answered) -> bool,
    mut each: impl FnMut(Fact) -> bool,
) -> io::Result<()> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cause),
    };
    // A FIFO in its place would hold who opens it.
    if !about.is_file() || about.len() > MOST_BYTES {
        return Err(io::Error::other("it is no file of at most 96 MiB"));
    }
    let file = File::open(path)?;
    let end = end(&file, about.len())?;
    let mut lines = BufReader::with_capacity(1 << 16, file.take(MOST_BYTES)).lines();
    let first = lines.next().ok_or_else(|| io::Error::other("it is empty"))??;
    let form: Form = serde_json::from_str(&first)?;
    if form.form != FORM {
        return Err(io::Error::other(format!("it is of form {}, this program knows {FORM}", form.form)));
    }
    let header: Header = serde_json::from_str(&first)?;
    if !head(header.answered) {
        return Ok(());
    }
    let mut alike = Alike::default();
    for line in lines.take(end.facts) {
        if !each(alike.shared(serde_json::from_str(&line?)?)) {
            break;
        }
    }
    Ok(())
}

/// The last line: without it the file was cut, and no part of it is used.
fn end(mut file: &File, length: u64) -> io::Result<End> {
    let from = length.saturating_sub(END_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(END_BYTES).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    let last = tail.strip_suffix(b"\n").and_then(|tail| tail.rsplit(|byte| *byte == b'\n').next());
    last.and_then(|last| serde_json::from_slice(last).ok()).ok_or_else(|| io::Error::other("its end is missing"))
}

/// Writes a file beside the old one and puts it in its place.
pub(super) fn write(path: &Path, answered: &Answered, facts: &[Fact]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    // What a console of the same number left when it was killed.
    let _ = fs::remove_file(&beside);
    let written = fill(&beside, answered, facts).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill(path: &Path, answered: &Answered, facts: &[Fact]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut file = Capped { out: BufWriter::with_capacity(1 << 16, file), left: MOST_BYTES };
    line(&mut file, &Header { form: FORM, answered: answered.clone() })?;
    for fact in facts {
        line(&mut file, fact)?;
    }
    line(&mut file, &End { facts: facts.len() })?;
    file.flush()
}

fn line(file: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, value)?;
    file.write_all(b"\n")
}

struct Capped<W> {
    out: W,
    left: u64,
}

impl<W: Write> Write for Capped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| io::Error::other("it would be larger than 96 MiB"))?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What many alerts have alike is kept once, as when it comes from an Alertmanager.
#[derive(Default)]
struct Alike {
    urls: HashSet<Untrusted>,
    groups: HashSet<Arc<[GroupRef]>>,
}

impl Alike {
    fn shared(&mut self, mut fact: Fact) -> Fact {
        if let Fact::AlertsChanged { changed, .. } = &mut fact {
            for alert in changed.iter_mut().filter_map(Arc::get_mut) {
                self.share(alert);
            }
        }
        fact
    }

    fn share(&mut self, alert: &mut Alert) {
        match self.urls.get(&alert.generator_url) {
            Some(known) => alert.generator_url = known.clone(),
            None => drop(self.urls.insert(alert.generator_url.clone())),
        }
        match self.groups.get(&alert.groups) {
            Some(known) => alert.groups = Arc::clone(known),
            None => drop(self.groups.insert(Arc::clone(&alert.groups))),
        }
    }
}
