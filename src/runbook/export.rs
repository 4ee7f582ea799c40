//! A run as a document: the runbook with every step's tick, words, result and evidence filled in, for the review.

use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// A run, as much as a document needs of it.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    /// The runbook's title.
    pub title: Clean,
    /// Its id.
    pub runbook: Clean,
    /// Hash of the document it was pinned to.
    pub content_hash: String,
    /// The run's id.
    pub run: Clean,
    /// The incident, for people.
    pub incident: Clean,
    /// Who began it.
    pub by: Clean,
    /// When it began and ended.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether it was practice.
    pub is_drill: bool,
    /// The steps in order.
    pub steps: Vec<FilledStep>,
}

/// A step of a run.
#[derive(Clone, Debug, Default)]
pub struct FilledStep {
    /// The heading it stands under.
    pub section: Option<Clean>,
    /// Its title.
    pub title: Clean,
    /// Its level.
    pub level: Level,
    /// What became of it, in a word: done, failed, skipped, unknown…
    pub state: Clean,
    /// Whether it is ticked.
    pub is_done: bool,
    /// Who did it, or agreed to it.
    pub by: Vec<Clean>,
    /// When it ended.
    pub at: Option<Timestamp>,
    /// The exact words, or the text a shell read.
    pub ran: Vec<Clean>,
    /// Exit status or signal, in words.
    pub exit: Option<Clean>,
    /// How long it took.
    pub took: Option<Duration>,
    /// Sha-256 of its output.
    pub output_digest: Option<String>,
    /// Bytes of output.
    pub output_bytes: u64,
    /// First and last lines of its output.
    pub output: Vec<Clean>,
    /// Values and where they came from, conditions and what they were decided on, before and after.
    pub evidence: Vec<Clean>,
    /// What a person wrote.
    pub notes: Vec<Clean>,
}

/// The document.
#[must_use]
pub fn document(run: &Filled) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# {}{}\n", if run.is_drill { "DRILL: " } else { "" }, inline(&run.title));
    let mut about = vec![
        ("Runbook", inline(&run.runbook)),
        ("Incident", inline(&run.incident)),
        ("Run", inline(&run.run)),
        ("By", inline(&run.by)),
    ];
    about.extend(run.started_at.map(|at| ("Started", instant(at))));
    about.extend(run.ended_at.map(|at| ("Ended", instant(at))));
    about.push(("Document", format!("sha256 {}", run.content_hash)));
    for (name, value) in about {
        let _ = writeln!(text, "- **{name}:** {value}");
    }
    let mut section: Option<&Clean> = None;
    for (at, step) in run.steps.iter().enumerate() {
        if step.section.as_ref() != section || at == 0 {
            section = step.section.as_ref();
            let heading = section.map_or_else(|| "Steps".to_owned(), inline);
            let _ = writeln!(text, "\n## {heading}\n");
        }
        self::step(&mut text, at + 1, step);
    }
    text
}

fn step(text: &mut String, number: usize, step: &FilledStep) {
    let tick = if step.is_done { 'x' } else { ' ' };
    let _ = write!(text, "{number}. [{tick}] {} — {}", inline(&step.title), inline(&step.state));
    if step.level > Level::Read {
        let _ = write!(text, " ({})", step.level);
    }
    let by: Vec<String> = step.by.iter().map(inline).collect();
    if !by.is_empty() {
        let _ = write!(text, ", {}", by.join(", "));
    }
    if let Some(at) = step.at {
        let _ = write!(text, ", {}", instant(at));
    }
    text.push('\n');
    fenced(text, "sh", &step.ran);
    let took = step
        .took
        .map(|span| format!("took {}", humantime::format_duration(Duration::from_millis(span.as_millis() as u64))));
    let result: Vec<String> = step.exit.iter().map(inline).chain(took).collect();
    if !result.is_empty() {
        let _ = writeln!(text, "   - {}", result.join(", "));
    }
    for line in step.evidence.iter().chain(&step.notes) {
        let _ = writeln!(text, "   - {}", inline(line));
    }
    if let Some(digest) = &step.output_digest {
        let _ = writeln!(text, "   - output: {} bytes, sha256 {digest}", step.output_bytes);
    }
    fenced(text, "text", &step.output);
}

/// Lines in a fence that no line of them can close.
fn fenced(text: &mut String, language: &str, lines: &[Clean]) {
    if lines.is_empty() {
        return;
    }
    let longest = lines.iter().map(|line| ticks(line.as_str())).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "\n   {fence}{language}");
    for line in lines {
        let _ = writeln!(text, "   {}", line.as_str());
    }
    let _ = writeln!(text, "   {fence}\n");
}

fn ticks(line: &str) -> usize {
    line.split(|symbol| symbol != '`').map(str::len).max().unwrap_or(0)
}

/// Text that stays text in Markdown.
fn inline(words: &Clean) -> String {
    let mut text = String::with_capacity(words.as_str().len());
    for symbol in words.as_str().chars() {
        if matches!(symbol, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|') {
            text.push('\\');
        }
        text.push(symbol);
    }
    text
}

fn instant(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_a_run_stands_in_it() {
        let at = chrono::DateTime::from_timestamp(1_764_110_000, 0).unwrap();
        let run = Filled {
            title: Clean::new("High CPU"),
            runbook: Clean::new("high_cpu"),
            content_hash: "abc".into(),
            run: Clean::new("r1"),
            incident: Clean::new("am:1"),
            by: Clean::new("alice"),
            started_at: Some(at),
            is_drill: true,
            steps: vec![FilledStep {
                section: Some(Clean::new("Mitigation")),
                title: Clean::new("Scale *now*"),
                level: Level::Change,
                state: Clean::new("verified"),
                is_done: true,
                by: vec![Clean::new("alice")],
                at: Some(at),
                ran: vec![Clean::new("kubectl scale deployment/x --replicas=4")],
                exit: Some(Clean::new("exit 0")),
                took: Some(Duration::from_millis(1_200)),
                output_digest: Some("def".into()),
                output_bytes: 9,
                output: vec![Clean::new("``` scaled")],
                evidence: vec![Clean::new("cpu_usage 93.5%, query on prom, 10s old")],
                ..FilledStep::default()
            }],
            ..Filled::default()
        };
        let text = document(&run);
        for part in [
            "# DRILL: High CPU",
            "## Mitigation",
            "1. [x] Scale \\*now\\* — verified (change), alice, 2025-11-25 22:33:20 UTC",
            "kubectl scale deployment/x --replicas=4",
            "exit 0, took 1s 200ms",
            "cpu\\_usage 93.5%, query on prom, 10s old",
            "output: 9 bytes, sha256 def",
            "   ````text\n   ``` scaled\n   ````",
        ] {
            assert!(text.contains(part), "{part}\n---\n{text}");
        }
    }
}
