//! Markdown runbooks: ours (front matter with `runbook:` or an `## Alert:` heading) and anybody's.
//!
//! A foreign document is trusted with nothing: its commands never run by themselves and its `{x}` are text. What is a
//! step: a numbered or boxed list item, a list item with a command in it, a fenced block, and plain bullets under a
//! heading that asks for action (Diagnosis, Mitigation…).

mod fence;
mod front;
mod times;

use std::time::Duration;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use self::fence::Fence;
use super::model::{Runbook, Step, Trigger, Work};
use super::shell::{self, Block, Listed};
use super::yaml::node::Complaint;
use super::yaml::{check_steps, parse_severity, problem, step_id};
use super::{content_hash, stem};
use crate::domain::id::RunbookId;
use crate::domain::problem::Problem;
use crate::domain::severity::Severity;
use crate::text::Clean;

/// Reads a document. Never fails: a text without steps is a runbook to read, and what is wrong with the front matter or
/// with an attribute is told beside it.
#[must_use]
pub fn read(file: &str, text: &str) -> (Runbook, Vec<Problem>) {
    let mut wrong = Vec::new();
    let (front, body_at) = front::read(text, &mut wrong);
    let body = text.get(body_at..).unwrap_or_default();
    let mut reader = Reader { is_native: front.is_native, ..Reader::new(text, body_at) };
    for (event, span) in Parser::new_ext(body, options()).into_offset_iter() {
        reader.take(event, span.start + body_at);
    }
    reader.flush_item();
    wrong.append(&mut reader.wrong);
    let is_native = reader.alert.is_some() || front.is_native;
    let id = front.runbook.as_deref().unwrap_or_else(|| stem(file));
    let mut triggers = front.head.triggers;
    if triggers.is_empty() {
        let alertname = reader.alert.clone().unwrap_or_else(|| stem(file).to_owned());
        triggers.push(Trigger { alertname, labels: Vec::new(), when: None });
    }
    let title = reader.title.clone().or(front.title).unwrap_or_else(|| id.to_owned());
    if is_native && let Err(complaint) = check_steps(&reader.steps) {
        wrong.push(complaint);
    }
    let runbook = Runbook {
        id: RunbookId::parse(id).unwrap_or_else(|| RunbookId::derived("md", file)),
        title: Clean::new(title),
        triggers,
        severity: front.head.severity.or(reader.severity),
        service: front.head.service,
        owner: front.head.owner,
        last_verified: front.head.last_verified,
        review_every: front.head.review_every,
        origin: Clean::new(file),
        is_native,
        content_hash: content_hash(text),
        intro: reader.intro,
        respond_within: reader.respond_within,
        escalate_after: reader.escalate_after,
        links: front.head.links,
        target: front.head.target,
        params: front.head.params,
        library: std::sync::Arc::default(),
        steps: reader.steps,
        line: 1,
    };
    let problems = wrong.into_iter().map(|complaint| problem(file, complaint)).collect();
    (runbook, if is_native { problems } else { Vec::new() })
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH
}

/// A list item on its way to becoming a step.
#[derive(Default)]
struct Item {
    line: usize,
    is_numbered: bool,
    is_boxed: bool,
    text: String,
    notes: Vec<String>,
    blocks: Vec<(Fence, String)>,
    inline_commands: Vec<String>,
}

struct Reader<'a> {
    lines: Vec<usize>,
    source: &'a str,
    title: Option<String>,
    alert: Option<String>,
    severity: Option<Severity>,
    section: Option<String>,
    asks_for_action: bool,
    is_remote: bool,
    intro: Vec<Clean>,
    steps: Vec<Step>,
    heading: Option<(HeadingLevel, String)>,
    paragraph: Option<String>,
    last_sentence: String,
    numbered: Vec<bool>,
    item: Option<Item>,
    depth: usize,
    code: Option<(Fence, String, usize)>,
    wrong: Vec<Complaint>,
    is_native: bool,
    respond_within: Option<Duration>,
    escalate_after: Option<Duration>,
}

const ACTION_HEADINGS: &[&str] = &[
    "diagnos",
    "mitigat",
    "investigat",
    "resol",
    "remediat",
    "recover",
    "action",
    "check",
    "steps",
    "procedure",
    "troubleshoot",
    "what to do",
    "contain",
    "eradicat",
    "post-",
];

impl<'a> Reader<'a> {
    fn new(source: &'a str, body_at: usize) -> Self {
        let lines = source.match_indices('\n').map(|(at, _)| at).collect();
        debug_assert!(body_at <= source.len(), "front matter ends inside the document");
        Self {
            lines,
            source,
            title: None,
            alert: None,
            severity: None,
            section: None,
            asks_for_action: false,
            is_remote: false,
            intro: Vec::new(),
            steps: Vec::new(),
            heading: None,
            paragraph: None,
            last_sentence: String::new(),
            numbered: Vec::new(),
            item: None,
            depth: 0,
            code: None,
            wrong: Vec::new(),
            is_native: false,
            respond_within: None,
            escalate_after: None,
        }
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|&newline| newline < at.min(self.source.len())) + 1
    }

    fn take(&mut self, event: Event<'_>, at: usize) {
        match event {
            Event::Start(tag) => self.open(tag, at),
            Event::End(tag) => self.close(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.inline_code(&code),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            Event::TaskListMarker(_) => {
                if let Some(item) = &mut self.item {
                    item.is_boxed = true;
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>, at: usize) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush_item();
                self.heading = Some((level, String::new()));
            }
            Tag::Paragraph => self.paragraph = Some(String::new()),
            Tag::List(start) => {
                self.numbered.push(start.is_some());
            }
            Tag::Item => {
                self.depth += 1;
                if self.depth == 1 {
                    self.flush_item();
                    let is_numbered = self.numbered.last().copied().unwrap_or(false);
                    self.item = Some(Item { line: self.line(at), is_numbered, ..Item::default() });
                } else if let Some(item) = &mut self.item {
                    item.notes.push(String::new());
                }
            }
            Tag::CodeBlock(kind) => {
                let fence = match kind {
                    CodeBlockKind::Fenced(info) => Fence::parse(&info, self.line(at), &mut self.wrong),
                    CodeBlockKind::Indented => Fence::default(),
                };
                self.code = Some((fence, String::new(), self.line(at)));
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.close_heading(),
            TagEnd::Paragraph => self.close_paragraph(),
            TagEnd::List(_) => {
                self.numbered.pop();
                if self.numbered.is_empty() {
                    self.flush_item();
                }
            }
            TagEnd::Item => self.depth = self.depth.saturating_sub(1),
            TagEnd::CodeBlock => self.close_code(),
            _ => {}
        }
    }

    fn close_heading(&mut self) {
        let Some((level, text)) = self.heading.take() else { return };
        let text = text.trim().to_owned();
        if let Some(name) = text.strip_prefix("Alert:") {
            self.alert = Some(name.trim().to_owned());
            return;
        }
        if let Some(words) = text.strip_prefix("Severity:") {
            self.severity_words(words);
        }
        let generic = text.is_empty() || text.eq_ignore_ascii_case("runbook");
        if level == HeadingLevel::H1 && self.title.is_none() && !generic {
            self.title = Some(text.clone());
        }
        let lower = text.to_ascii_lowercase();
        self.asks_for_action = ACTION_HEADINGS.iter().any(|word| lower.contains(word));
        self.is_remote = false;
        self.last_sentence.clear();
        self.section = (level != HeadingLevel::H1).then_some(text);
    }

    fn close_paragraph(&mut self) {
        let Some(text) = self.paragraph.take() else { return };
        let text = text.trim().to_owned();
        if let Some(item) = &mut self.item {
            if self.depth == 1 && item.text.is_empty() {
                item.text = text;
            } else {
                item.notes.push(text);
            }
            return;
        }
        self.last_sentence = text.rsplit(". ").next().unwrap_or(&text).trim_end_matches(':').to_owned();
        if self.is_severity() {
            self.severity_words(&text);
        }
        if self.steps.is_empty() {
            self.intro.push(Clean::new(&text));
        }
    }

    fn is_severity(&self) -> bool {
        self.section.as_deref().is_some_and(|section| section.to_ascii_lowercase().starts_with("severity"))
    }

    /// `High: respond in 15 min, escalate in 30 min`, in a paragraph or over several items.
    fn severity_words(&mut self, text: &str) {
        if self.severity.is_none() {
            self.severity = text.split(|symbol: char| !symbol.is_alphanumeric()).find_map(parse_severity);
        }
        for part in text.split([',', ';', '\n']) {
            let lower = part.to_ascii_lowercase();
            let Some(span) = times::span(&lower) else { continue };
            if lower.contains("escalat") {
                self.escalate_after.get_or_insert(span);
            } else if lower.contains("respon") || lower.contains("acknowledg") {
                self.respond_within.get_or_insert(span);
            }
        }
    }

    fn close_code(&mut self) {
        let Some((fence, text, line)) = self.code.take() else { return };
        if let Some(item) = &mut self.item {
            item.blocks.push((fence, text));
            return;
        }
        let named = if self.last_sentence.is_empty() { self.section.clone() } else { Some(self.last_sentence.clone()) };
        let title = named.unwrap_or_else(|| text.lines().next().unwrap_or_default().to_owned());
        self.push_blocks(&title, Vec::new(), &[(fence, text)], line);
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code, _)) = &mut self.code {
            code.push_str(text);
        } else if let Some((_, heading)) = &mut self.heading {
            heading.push_str(text);
        } else if let Some(paragraph) = &mut self.paragraph {
            paragraph.push_str(text);
        } else if let Some(item) = &mut self.item {
            match (self.depth, item.notes.last_mut()) {
                (2.., Some(note)) => note.push_str(text),
                _ => item.text.push_str(text),
            }
        }
    }

    fn inline_code(&mut self, code: &str) {
        if let Some(item) = &mut self.item
            && code.contains(' ')
            && shell::starts_with_program(code)
            && !shell::enters_remote(code)
        {
            item.inline_commands.push(code.to_owned());
        }
        self.text(&format!("`{code}`"));
    }

    /// `<details>`, comments and the like: their words are kept, their tags are not.
    fn html(&mut self, html: &str) {
        let words = html.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text)).collect::<String>();
        let words = words.trim();
        if words.is_empty() {
            return;
        }
        if self.paragraph.is_some() || self.item.is_some() {
            self.text(words);
        } else if self.steps.is_empty() {
            self.intro.push(Clean::new(words));
        }
    }

    fn flush_item(&mut self) {
        let Some(item) = self.item.take() else { return };
        let title = item.text.trim().trim_end_matches(':').to_owned();
        let has_work = !item.blocks.is_empty() || !item.inline_commands.is_empty();
        let is_step = item.is_numbered || item.is_boxed || has_work || self.asks_for_action;
        if title.is_empty() && !has_work {
            return;
        }
        if self.is_severity() {
            self.severity_words(&title);
            self.intro.push(Clean::new(format!("• {title}")));
            return;
        }
        if !is_step {
            if self.steps.is_empty() {
                self.intro.push(Clean::new(format!("• {title}")));
            }
            return;
        }
        let notes: Vec<Clean> =
            item.notes.iter().map(|note| note.trim()).filter(|note| !note.is_empty()).map(Clean::new).collect();
        let blocks: Vec<(Fence, String)> = if item.blocks.is_empty() {
            item.inline_commands.into_iter().map(|command| (Fence::of_language("sh"), command)).collect()
        } else {
            item.blocks
        };
        if blocks.is_empty() {
            self.push(&title, notes, Work::Manual, &Fence::default(), item.line);
        } else {
            self.push_blocks(&title, notes, &blocks, item.line);
        }
    }

    fn push_blocks(&mut self, title: &str, notes: Vec<Clean>, blocks: &[(Fence, String)], line: usize) {
        let works: Vec<(Listed, Work, Fence)> = blocks
            .iter()
            .filter(|(fence, _)| !fence.is_ignored)
            .flat_map(|(fence, text)| {
                let works = self.works_of(fence, text);
                works.into_iter().map(|(listed, work)| (listed, work, fence.clone())).collect::<Vec<_>>()
            })
            .collect();
        let many = works.len() > 1;
        for (at, (listed, work, fence)) in works.into_iter().enumerate() {
            let title = if many { format!("{title} ({})", at + 1) } else { title.to_owned() };
            let mut notes = if at == 0 { notes.clone() } else { Vec::new() };
            notes.extend(listed.notes.iter().map(Clean::new));
            self.push(&title, notes, work, &fence, line);
            if let Some(step) = self.steps.last_mut() {
                step.sample_output = listed.output;
            }
        }
    }

    fn works_of(&mut self, fence: &Fence, text: &str) -> Vec<(Listed, Work)> {
        let bare = |work: Work| vec![(Listed::default(), work)];
        // In one of our documents the braces are holes; the grammar takes them for letters.
        let is_own = self.is_native || self.alert.is_some();
        let classify = if is_own { shell::classify_own } else { shell::classify };
        match classify(&fence.language, text, self.is_remote) {
            Block::Commands(commands) => commands
                .into_iter()
                .map(|listed| {
                    let work = Work::Automated { command: listed.command.clone() };
                    (listed, work)
                })
                .collect(),
            Block::PromQl(promql) => bare(Work::Query { promql }),
            Block::Session(lines) => {
                self.is_remote = true;
                bare(Work::Session { lines })
            }
            Block::CopyOnly => {
                bare(Work::CopyOnly { text: text.trim_end().to_owned(), language: fence.language.clone() })
            }
        }
    }

    fn push(&mut self, title: &str, notes: Vec<Clean>, work: Work, fence: &Fence, line: usize) {
        let title = fence.name.as_deref().unwrap_or(title);
        // An id that stands twice would make two steps one.
        let own = fence.id.clone().filter(|id| self.steps.iter().all(|step| step.id != *id));
        self.steps.push(Step {
            id: own.unwrap_or_else(|| step_id(title, self.steps.len())),
            section: self.section.as_deref().map(Clean::new),
            title: Clean::new(title.replace('`', "")),
            notes,
            condition: fence.condition.clone(),
            work,
            handling: fence.handling.clone(),
            sample_output: Vec::new(),
            line,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "# Runbook\n\n## Alert: HighErrorRate\n\n### Summary\nToo many errors.\n\n### Severity\nHigh: respond in 15 min, escalate in 30 min.\n\n### Automated Checks\n- [ ] Pods are ready\n- [ ] No deploy in the last hour\n\n### Investigation Steps\n1. Look at the pods\n   ```bash\n   kubectl get pods -n {namespace}\n   ```\n2. Read the logs\n\n### Resolution Steps\n1. Roll back\n   ```bash\n   kubectl rollout undo deployment/{deployment} -n {namespace}\n   ```\n\n### Post-Resolution\n- [ ] Write the review\n";

    #[test]
    fn the_teams_template_is_native_and_complete() {
        let (runbook, problems) = read("errors.md", TEMPLATE);
        assert!(problems.is_empty());
        assert!(runbook.is_native);
        assert_eq!(runbook.triggers[0].alertname, "HighErrorRate");
        assert_eq!(runbook.severity, Some(Severity::High));
        assert_eq!(runbook.respond_within, Some(Duration::from_secs(900)));
        assert_eq!(runbook.escalate_after, Some(Duration::from_secs(1_800)));
        let titles: Vec<_> = runbook.steps.iter().map(|step| step.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "Pods are ready",
                "No deploy in the last hour",
                "Look at the pods",
                "Read the logs",
                "Roll back",
                "Write the review"
            ]
        );
        let command = "kubectl get pods -n {namespace}".to_owned();
        assert_eq!(runbook.steps[2].work, Work::Automated { command });
        assert_eq!(runbook.steps[2].line, 16);
        assert_eq!(runbook.steps[4].section.as_ref().map(Clean::as_str), Some("Resolution Steps"));
    }

    #[test]
    fn a_foreign_document_keeps_output_and_remote_lines_apart() {
        let text = "# etcdDown\n\n## Diagnosis\n\nCheck the nodes:\n\n```console\n$ oc get nodes\nNAME STATUS\n```\n\nOpen a shell.\n\n```console\n$ oc rsh etcd-0\n```\n\nAsk its health.\n\n```console\n$ etcdctl endpoint health\n```\n\n## Mitigation\n\n- Call the team\n";
        let (runbook, _) = read("etcdDown.md", text);
        assert!(!runbook.is_native);
        let works: Vec<_> = runbook.steps.iter().map(|step| &step.work).collect();
        assert!(matches!(works[0], Work::Automated { command } if command == "oc get nodes"));
        assert!(matches!(works[1], Work::Session { .. }));
        assert!(matches!(works[2], Work::Session { lines } if lines[0].starts_with("etcdctl")), "{works:?}");
        assert_eq!(works[3], &Work::Manual);
        assert_eq!(runbook.steps[0].title.as_str(), "Check the nodes");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[ -~\\n\\t`#*>|é]{0,400}") {
            let (runbook, _) = read("any.md", &text);
            proptest::prop_assert!(runbook.steps.iter().all(|step| step.line >= 1));
        }
    }
}
