//! `journal verify|export|import`: the journal without a screen. What the lines of an export hold: docs/journal.md.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use serde::Serialize;

use super::desk::Desk;
use super::exit::{DONE, FAILED, Usage};
use super::{Session, print};
use crate::engine::journal_of;
use crate::store::record::{Flaw, Verifier};
use crate::store::{Imported, Notice, Paging, Record, SharedJournal};
use crate::text::Clean;

/// Records read, written or imported at once.
const TOGETHER: u32 = 1_000;

/// Flaws told one by one; the rest is counted.
const MOST_TOLD: usize = 20;

/// First line of an export.
const HEAD: &str = r#"{"format":"warroom-journal","version":1}"#;

/// What to do with the journal.
#[derive(Debug, clap::Subcommand)]
pub enum JournalCommand {
    /// Check every entry's hash, every writer's chain, and the file itself
    Verify(VerifyArgs),
    /// Write every entry as JSON Lines
    Export(ExportArgs),
    /// Take the entries of an export, each once
    Import(ImportArgs),
}

/// Options of `journal verify`.
#[derive(Clone, Debug, clap::Args)]
pub struct VerifyArgs {
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
}

/// Options of `journal export`.
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArgs {
    /// Where to [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Options of `journal import`.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// An export; '-' is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
///
/// # Errors
/// One sentence.
pub async fn run(session: &Session, command: JournalCommand) -> color_eyre::Result<i32> {
    let desk = Desk::open(session);
    let journal = journal_of(&desk.config.room).await?;
    while let Some(notice) = journal.notice().now_or_never() {
        print::tell(says(&notice));
    }
    let done = match command {
        JournalCommand::Verify(args) => verify(&journal, &args).await,
        JournalCommand::Export(args) => export(&journal, &args).await,
        JournalCommand::Import(args) => import(&journal, args).await,
    };
    journal.close().await;
    done
}

#[derive(Serialize)]
struct Verified {
    entries: u64,
    writers: usize,
    flaws: Vec<FlawJson>,
    file: Option<String>,
}

#[derive(Serialize)]
struct FlawJson {
    #[serde(flatten)]
    flaw: Flaw,
    says: String,
}

async fn verify(journal: &SharedJournal, args: &VerifyArgs) -> color_eyre::Result<i32> {
    let mut verifier = Verifier::default();
    let mut flaws = Vec::new();
    let mut place = 0;
    loop {
        let page = journal.page(Paging::After(place), TOGETHER).await?;
        let Some((last, _)) = page.last() else { break };
        place = *last;
        flaws.extend(page.iter().flat_map(|(_, record)| verifier.see(record)));
    }
    let file = journal.verify().await?;
    let is_whole = flaws.is_empty() && file.is_none();
    if args.json {
        let flaws = flaws.into_iter().map(|flaw| FlawJson { says: flaw.to_string(), flaw }).collect();
        print::json(&Verified { entries: verifier.records, writers: verifier.writers(), flaws, file })?;
    } else {
        let word = if is_whole { "whole" } else { "NOT whole" };
        print::out(&format!("{} entries of {} writers: {word}\n", verifier.records, verifier.writers()))?;
        flaws.iter().take(MOST_TOLD).for_each(|flaw| print::tell(flaw.to_string()));
        if flaws.len() > MOST_TOLD {
            print::tell(format!("and {} more", flaws.len() - MOST_TOLD));
        }
        if let Some(file) = &file {
            print::tell(format!("the file is damaged: {}", Clean::new(file)));
        }
    }
    Ok(if is_whole { DONE } else { FAILED })
}

async fn export(journal: &SharedJournal, args: &ExportArgs) -> color_eyre::Result<i32> {
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(std::io::BufWriter::new(create(path)?)),
        None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
    };
    writeln!(out, "{HEAD}")?;
    let mut place = 0;
    loop {
        let page = journal.page(Paging::After(place), TOGETHER).await?;
        let Some((last, _)) = page.last() else { break };
        place = *last;
        for (_, record) in &page {
            writeln!(out, "{}", record.line())?;
        }
    }
    out.flush()?;
    Ok(DONE)
}

/// For the owner only; an export holds whatever was written in notes.
fn create(path: &Path) -> Result<std::fs::File, Usage> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|cause| Usage::new(format!("{}: {cause}; name a file that is not there yet", path.display())))
}

async fn import(journal: &SharedJournal, args: ImportArgs) -> color_eyre::Result<i32> {
    let name = args.file.display().to_string();
    let records = tokio::task::spawn_blocking(move || read(&args.file)).await??;
    let mut all = Imported::default();
    for some in records.chunks(usize::try_from(TOGETHER).unwrap_or(1_000)) {
        let imported = journal.import(some.to_vec()).await?;
        all.new += imported.new;
        all.known += imported.known;
    }
    if args.json {
        print::json(&all)?;
    } else {
        print::out(&format!("{}: {} entries are new, {} were there already\n", Clean::new(name), all.new, all.known))?;
    }
    Ok(DONE)
}

/// Everything is read and checked before anything is written: a file that is cut or was changed is refused whole.
fn read(path: &Path) -> Result<Vec<Record>, Usage> {
    let refuse = |why: String| Usage::new(format!("{}: {why}; nothing was imported", path.display()));
    let lines: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(std::fs::File::open(path).map_err(|cause| refuse(cause.to_string()))?))
    };
    let mut records = Vec::new();
    for (at, line) in lines.lines().enumerate() {
        let line = line.map_err(|cause| refuse(format!("line {}: {cause}", at + 1)))?;
        if at == 0 {
            let head: Option<serde_json::Value> = serde_json::from_str(&line).ok();
            let is =
                |key: &str, wanted: &serde_json::Value| head.as_ref().and_then(|head| head.get(key)) == Some(wanted);
            if !is("format", &"warroom-journal".into()) {
                return Err(refuse("the first line does not say that it is an export of a journal".to_owned()));
            }
            if !is("version", &1.into()) {
                return Err(refuse("it was exported by a newer warroom".to_owned()));
            }
            continue;
        }
        let record = Record::read(&line).map_err(|cause| refuse(format!("line {}: {cause}", at + 1)))?;
        if !record.is_intact() {
            return Err(refuse(format!("line {}: the entry was changed: its hash differs", at + 1)));
        }
        records.push(record);
    }
    if records.is_empty() && std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Err(refuse("it is empty".to_owned()));
    }
    Ok(records)
}

/// What a notice of the journal says, for subcommands.
#[must_use]
pub fn says(notice: &Notice) -> String {
    match notice {
        Notice::Salvaged { kept, recovered } => {
            format!("the journal was damaged: {recovered} entries were recovered, the damaged file is {kept}")
        }
        Notice::Damaged { path, cause } => format!("{path} is damaged ({cause}) and another console uses it"),
        Notice::ReadOnly { path, cause } => format!("{path} {cause}"),
    }
}
