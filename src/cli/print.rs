//! Output for people and for programs: aligned tables of gated text, colours only where they are wanted, JSON.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::session::environment;
use crate::domain::severity::Severity;
use crate::text::Clean;
use crate::text::redact::SECRETS;

/// What a cell's colour means. Always said by a word too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Act now.
    Bad,
    /// Look at it.
    Warning,
    /// As it should be.
    Good,
    /// Beside the point.
    Faint,
    /// A heading.
    Strong,
}

impl Tone {
    /// The tone of a severity.
    #[must_use]
    pub fn of(severity: Severity) -> Option<Self> {
        match severity {
            Severity::Critical => Some(Self::Bad),
            Severity::High => Some(Self::Warning),
            Severity::Medium => None,
            Severity::Low => Some(Self::Faint),
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Bad => "31;1",
            Self::Warning => "33",
            Self::Good => "32",
            Self::Faint => "2",
            Self::Strong => "1",
        }
    }
}

/// One cell. Its text has passed the gate.
#[derive(Clone, Debug)]
pub struct Cell {
    text: Clean,
    tone: Option<Tone>,
}

/// A cell of any text; what comes from outside is neutralised here at the latest.
pub fn cell(text: impl AsRef<str>) -> Cell {
    Cell { text: Clean::new(text), tone: None }
}

impl Cell {
    /// With a colour.
    #[must_use]
    pub fn tone(self, tone: impl Into<Option<Tone>>) -> Self {
        Self { tone: tone.into(), ..self }
    }
}

/// How the output is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours.
    pub is_coloured: bool,
    /// Columns of the terminal; `None` when it is not one: then nothing is cut.
    pub width: Option<usize>,
}

impl Style {
    /// Of standard output: colours and cutting only on a terminal; `NO_COLOR` and `TERM=dumb` are honoured.
    #[must_use]
    pub fn of_stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let is_plain = environment("NO_COLOR").is_some() || environment("TERM").as_deref() == Some("dumb");
        let width = is_terminal.then(|| crossterm::terminal::size().ok()).flatten();
        Self {
            is_coloured: is_terminal && !is_plain,
            width: width.map(|(columns, _)| usize::from(columns)).filter(|columns| *columns >= 20),
        }
    }
}

/// Rows under headings. Columns are as wide as their widest cell; on a terminal the last one is cut.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<(&'static str, bool)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// With these headings; one that begins with `>` is aligned to the right.
    #[must_use]
    pub fn new(headings: &[&'static str]) -> Self {
        let split = |heading: &&'static str| match heading.strip_prefix('>') {
            Some(heading) => (heading, true),
            None => (*heading, false),
        };
        Self { headings: headings.iter().map(split).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines without the headings.
    #[must_use]
    pub fn body(&self, style: Style) -> String {
        let widths: Vec<usize> = (0..self.headings.len()).map(|column| self.width_of(column)).collect();
        let mut out = String::new();
        self.rows.iter().for_each(|row| self.line(row, &widths, style, &mut out));
        out
    }

    /// The lines.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let widths: Vec<usize> = (0..self.headings.len()).map(|column| self.width_of(column)).collect();
        let mut out = String::new();
        let headings = self.headings.iter().map(|(heading, _)| cell(heading).tone(Tone::Strong)).collect::<Vec<_>>();
        for row in std::iter::once(&headings).chain(&self.rows) {
            self.line(row, &widths, style, &mut out);
        }
        out
    }

    fn width_of(&self, column: usize) -> usize {
        let heading = self.headings.get(column).map_or(0, |(heading, _)| heading.width());
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.as_str().width());
        cells.chain([heading]).max().unwrap_or(0)
    }

    fn line(&self, row: &[Cell], widths: &[usize], style: Style, out: &mut String) {
        let (mut used, last) = (0, row.len().saturating_sub(1));
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            let text = match style.width {
                Some(total) if column == last => cut(cell.text.as_str(), total.saturating_sub(used).max(8)),
                _ => cell.text.as_str().to_owned(),
            };
            let gap = " ".repeat(width.saturating_sub(text.width()));
            let is_right = self.headings.get(column).is_some_and(|(_, is_right)| *is_right);
            let painted = paint(&text, cell.tone, style.is_coloured);
            match (is_right, column == last) {
                (true, _) => line.push_str(&format!("{gap}{painted}")),
                (false, true) => line.push_str(&painted),
                (false, false) => line.push_str(&format!("{painted}{gap}")),
            }
            if column != last {
                line.push_str("  ");
            }
            used += width + 2;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// A text in a colour.
#[must_use]
pub fn paint(text: &str, tone: Option<Tone>, is_coloured: bool) -> String {
    match tone {
        Some(tone) if is_coloured && !text.is_empty() => format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code()),
        _ => text.to_owned(),
    }
}

fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for symbol in text.chars() {
        let wider = format!("{kept}{symbol}");
        if wider.width() + 1 > columns {
            break;
        }
        kept = wider;
    }
    kept.push('…');
    kept
}

/// Writes to standard output. A reader that went away (`| head`) is no error.
///
/// # Errors
/// When the disk behind a redirection is full, for example.
pub fn out(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes a value as one JSON document.
///
/// # Errors
/// As [`out`].
pub fn json(value: &impl Serialize) -> color_eyre::Result<()> {
    Ok(out(&format!("{}\n", serde_json::to_string_pretty(value)?))?)
}

/// One line on standard error, gated and without secrets. Nobody is left to tell when that is closed.
pub fn tell(text: impl AsRef<str>) {
    let line = Clean::new(SECRETS.mask(text.as_ref()));
    let _ = writeln!(io::stderr(), "warroom: {line}");
}

/// One line of a dialogue on standard error.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", Clean::new(SECRETS.mask(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { is_coloured: false, width: None };

    fn table() -> Table {
        let mut table = Table::new(&["ID", ">AGE", "TITLE"]);
        table.row([cell("P1"), cell("5m"), cell("Checkout down")]);
        table.row([cell("P22222"), cell("12h"), cell("Schlüssel 鍵 \u{1b}[2J")]);
        table
    }

    #[test]
    fn columns_are_aligned_and_escapes_are_shown() {
        assert_eq!(
            table().render(PLAIN),
            "ID      AGE  TITLE\nP1       5m  Checkout down\nP22222  12h  Schlüssel 鍵 ‹U+001B›[2J\n"
        );
    }

    #[test]
    fn only_the_last_column_is_cut_and_only_on_a_terminal() {
        let cut = table().render(Style { width: Some(22), ..PLAIN });
        assert_eq!(cut, "ID      AGE  TITLE\nP1       5m  Checkout…\nP22222  12h  Schlüsse…\n");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let mut table = Table::new(&["A", "B"]);
        table.row([cell("x").tone(Tone::Bad), cell("y")]);
        let coloured = table.render(Style { is_coloured: true, width: None });
        assert_eq!(coloured, "\u{1b}[1mA\u{1b}[0m  \u{1b}[1mB\u{1b}[0m\n\u{1b}[31;1mx\u{1b}[0m  y\n");
    }
}
