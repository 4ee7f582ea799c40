//! One frame as text, as a picture (SVG), as JSON, and as the styled text of the snapshot tests. Reads a buffer that
//! `view` has drawn; draws nothing itself and writes no file.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

mod svg;

pub use svg::{Page, svg};

/// What a cell shows: its symbol without the link around it.
#[must_use]
pub fn symbol(cell: &Cell) -> &str {
    let whole = cell.symbol();
    let Some(linked) = whole.strip_prefix("\x1b]8;") else { return whole };
    linked.split_once("\x1b\\").and_then(|(_, rest)| rest.strip_suffix("\x1b]8;;\x1b\\")).unwrap_or(" ")
}

/// The glyphs, a line for each row, without trailing spaces.
#[must_use]
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::with_capacity(usize::from(buffer.area.width) * usize::from(buffer.area.height));
    for y in buffer.area.y..buffer.area.bottom() {
        let mut line = String::new();
        for (_, cell) in shown(buffer, y) {
            line.push_str(symbol(cell));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The cells of a row that show something of their own: those under a wide glyph are left out.
fn shown(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut covered_until = buffer.area.x;
    (buffer.area.x..buffer.area.right()).filter_map(move |x| {
        let cell = buffer.cell((x, y))?;
        if x < covered_until {
            return None;
        }
        covered_until = x.saturating_add(super::widgets::pen::width(symbol(cell)).max(1));
        Some((x, cell))
    })
}

/// One frame as JSON: `width`, `height`, `lines` (text), and `runs`: for each row the stretches of one style.
#[must_use]
pub fn json(buffer: &Buffer) -> serde_json::Value {
    let lines: Vec<String> = text(buffer).lines().map(str::to_owned).collect();
    let rows: Vec<serde_json::Value> = (buffer.area.y..buffer.area.bottom())
        .map(|y| {
            let runs = runs(buffer, y).into_iter().map(|run| {
                serde_json::json!({
                    "x": run.x, "text": run.text, "fg": colour(run.look.fg), "bg": colour(run.look.bg),
                    "style": modifiers(run.look.modifier),
                })
            });
            runs.collect()
        })
        .collect();
    serde_json::json!({ "width": buffer.area.width, "height": buffer.area.height, "lines": lines, "runs": rows })
}

/// Colours and weight of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ink {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Ink {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

struct Run {
    x: u16,
    text: String,
    look: Ink,
}

fn runs(buffer: &Buffer, y: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (x, cell) in shown(buffer, y) {
        let look = Ink::of(cell);
        match runs.last_mut().filter(|run| run.look == look) {
            Some(run) => run.text.push_str(symbol(cell)),
            None => runs.push(Run { x, text: symbol(cell).to_owned(), look }),
        }
    }
    runs
}

fn colour(colour: Color) -> String {
    match colour {
        Color::Reset => "default".into(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Indexed(at) => at.to_string(),
        named => named.to_string().to_lowercase(),
    }
}

fn modifiers(modifier: Modifier) -> Vec<&'static str> {
    let words = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underline"),
        (Modifier::REVERSED, "reverse"),
    ];
    words.into_iter().filter(|(one, _)| modifier.contains(*one)).map(|(_, word)| word).collect()
}

/// The snapshot tests' form: the glyphs, then the styles of every row in runs, then what the letters mean. A changed
/// colour is then a changed line, and a person can read all of it.
#[must_use]
pub fn styled(buffer: &Buffer) -> String {
    format!("{}x{}\n{}{}", buffer.area.width, buffer.area.height, text(buffer), styles(buffer))
}

/// The second half of [`styled`]: a letter and a count for each stretch of one style (`a12b`), `=` for a row with the
/// styles of the one above.
#[must_use]
pub fn styles(buffer: &Buffer) -> String {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZαβγδεζηθικλμνξοπρστυφχψω";
    let mut looks: Vec<Ink> = Vec::new();
    let mut out = String::from("--- styles\n");
    let mut above = String::new();
    for y in buffer.area.y..buffer.area.bottom() {
        let mut row = String::new();
        let mut run: Option<(usize, usize)> = None;
        for x in buffer.area.x..buffer.area.right() {
            let Some(cell) = buffer.cell((x, y)) else { continue };
            let look = Ink::of(cell);
            let at = looks.iter().position(|known| *known == look).unwrap_or_else(|| {
                looks.push(look);
                looks.len() - 1
            });
            run = match run {
                Some((known, count)) if known == at => Some((known, count + 1)),
                ended => {
                    row.push_str(&stretch(ended, LETTERS));
                    Some((at, 1))
                }
            };
        }
        row.push_str(&stretch(run, LETTERS));
        out.push_str(if row == above { "=" } else { &row });
        out.push('\n');
        above = row;
    }
    out.push_str("--- legend\n");
    for (look, letter) in looks.iter().zip(LETTERS.chars()) {
        let words = modifiers(look.modifier).join(" ");
        out.push_str(format!("{letter} {} on {} {words}", colour(look.fg), colour(look.bg)).trim_end());
        out.push('\n');
    }
    out
}

/// `a12`; a run of one is the letter alone.
fn stretch(run: Option<(usize, usize)>, letters: &str) -> String {
    let Some((at, count)) = run else { return String::new() };
    let letter = letters.chars().nth(at).unwrap_or('#');
    if count == 1 { letter.to_string() } else { format!("{letter}{count}") }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::config::theme::{Capabilities, Role, Theme};
    use crate::tui::style::Skin;
    use crate::tui::widgets::Pen;

    fn drawn() -> Buffer {
        let skin = Skin::new(&Theme::default(), Capabilities { has_links: true, ..Capabilities::FULL });
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        let mut pen = Pen { buffer: &mut buffer, skin: &skin };
        pen.put(0, 0, 12, &"◆ 日 <&>", Style::new().fg(Color::Rgb(1, 2, 3)));
        let style = pen.style(Role::Link);
        pen.link(2, 1, 8, &"runbook", "https://x.example/", style);
        buffer
    }

    #[test]
    fn text_has_glyphs_only() {
        assert_eq!(text(&drawn()), "◆ 日 <&>\n  runbook\n");
    }

    #[test]
    fn json_has_runs() {
        let json = json(&drawn());
        assert_eq!(json["lines"][1], "  runbook");
        assert_eq!(
            json["runs"][0][0],
            serde_json::json!({
                "x": 0, "text": "◆ 日 <&>", "fg": "#010203", "bg": "default", "style": [],
            })
        );
        assert_eq!(json["runs"][1][1]["style"], serde_json::json!(["underline"]));
    }

    #[test]
    fn the_styled_form_names_every_style() {
        let styled = styled(&drawn());
        assert_eq!(
            styled,
            "12x2\n◆ 日 <&>\n  runbook\n--- styles\na8b4\nb2c7b3\n--- legend\n\
                            a #010203 on default\nb default on default\nc #6cb6ff on default underline\n"
        );
    }

    #[test]
    fn the_picture_is_well_formed_and_escaped() {
        let picture = svg(&drawn(), &Page::default());
        assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
        assert!(picture.contains("&lt;&amp;&gt;") && !picture.contains('\x1b'), "{picture}");
    }
}
