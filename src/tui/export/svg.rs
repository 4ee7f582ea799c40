//! A frame as a picture. Letters are text in a monospace font; frames, blocks and braille are drawn as shapes, so that
//! they meet without seams whatever font the viewer has.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::{Ink, shown, symbol};
use crate::config::theme::{Colour, Role, Theme};

const FONT: f64 = 14.0;
/// Advance of the usual monospace fonts: 0.602 em.
const CELL_W: f64 = 8.43;
const CELL_H: f64 = 18.0;
const MARGIN: f64 = 10.0;

/// The colours of what has none of its own.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    fg: (u8, u8, u8),
    bg: (u8, u8, u8),
}

impl Default for Page {
    fn default() -> Self {
        Self { fg: (211, 218, 227), bg: (15, 19, 24) }
    }
}

impl Page {
    /// The ground of a theme.
    #[must_use]
    pub fn of(theme: &Theme) -> Self {
        let look = theme.look(Role::Background);
        let plain = Self::default();
        let rgb = |shade: Option<crate::config::theme::Shade>| shade.and_then(|shade| shade.full.rgb());
        Self { fg: rgb(look.fg).unwrap_or(plain.fg), bg: rgb(look.bg).unwrap_or(plain.bg) }
    }

    fn rgb(&self, colour: Color, is_ground: bool) -> (u8, u8, u8) {
        let ansi = |at: u8| Colour::Ansi(at).rgb();
        let found = match colour {
            Color::Reset => None,
            Color::Rgb(red, green, blue) => Some((red, green, blue)),
            Color::Indexed(at) => Colour::Indexed(at).rgb(),
            Color::Black => ansi(0),
            Color::Red => ansi(1),
            Color::Green => ansi(2),
            Color::Yellow => ansi(3),
            Color::Blue => ansi(4),
            Color::Magenta => ansi(5),
            Color::Cyan => ansi(6),
            Color::Gray => ansi(7),
            Color::DarkGray => ansi(8),
            Color::LightRed => ansi(9),
            Color::LightGreen => ansi(10),
            Color::LightYellow => ansi(11),
            Color::LightBlue => ansi(12),
            Color::LightMagenta => ansi(13),
            Color::LightCyan => ansi(14),
            Color::White => ansi(15),
        };
        found.unwrap_or(if is_ground { self.bg } else { self.fg })
    }

    /// Foreground and ground as they are seen.
    fn seen(&self, ink: &Ink) -> (String, Option<String>) {
        let (mut fg, mut bg) = (self.rgb(ink.fg, false), self.rgb(ink.bg, true));
        if ink.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut fg, &mut bg);
        }
        if ink.modifier.contains(Modifier::DIM) {
            let mix = |one: u8, other: u8| (f64::from(one) * 0.6 + f64::from(other) * 0.4) as u8;
            fg = (mix(fg.0, bg.0), mix(fg.1, bg.1), mix(fg.2, bg.2));
        }
        (hex(fg), (bg != self.bg).then(|| hex(bg)))
    }
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The frame as an SVG document.
#[must_use]
pub fn svg(buffer: &Buffer, page: &Page) -> String {
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (columns * CELL_W + 2.0 * MARGIN, rows * CELL_H + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.2} {height:.2}\" \
         font-family=\"'DejaVu Sans Mono','JetBrains Mono',Menlo,Consolas,monospace\" font-size=\"{FONT}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        hex(page.bg)
    );
    let mut grounds = String::new();
    let mut shapes = Shapes::default();
    let mut letters = String::new();
    for y in buffer.area.y..buffer.area.bottom() {
        row(buffer, y, page, &mut grounds, &mut shapes, &mut letters);
    }
    out.push_str(&grounds);
    shapes.write(&mut out);
    out.push_str(&letters);
    out.push_str("</svg>\n");
    out
}

fn row(buffer: &Buffer, y: u16, page: &Page, grounds: &mut String, shapes: &mut Shapes, letters: &mut String) {
    let top = MARGIN + f64::from(y - buffer.area.y) * CELL_H;
    let left = |x: u16| MARGIN + f64::from(x - buffer.area.x) * CELL_W;
    let mut word: Option<(u16, u16, Ink, String)> = None;
    let mut ground: Option<(u16, u16, String)> = None;
    let mut finish = |word: &mut Option<(u16, u16, Ink, String)>| {
        let Some((x, columns, ink, text)) = word.take() else { return };
        let (fg, _) = page.seen(&ink);
        let blank = text.chars().all(|symbol| symbol == ' ');
        if blank && !ink.modifier.contains(Modifier::UNDERLINED) {
            return;
        }
        let mut attributes = String::new();
        for (modifier, attribute) in [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        ] {
            if ink.modifier.contains(modifier) {
                attributes.push_str(attribute);
            }
        }
        let _ = writeln!(
            letters,
            "<text x=\"{:.2}\" y=\"{:.2}\" textLength=\"{:.2}\" fill=\"{fg}\"{attributes} xml:space=\"preserve\">{}</text>",
            left(x),
            top + CELL_H * 0.74,
            f64::from(columns) * CELL_W,
            escaped(&text)
        );
    };
    for (x, cell) in shown(buffer, y) {
        let (text, ink) = (symbol(cell), Ink::of(cell));
        let columns = crate::tui::widgets::pen::width(text).max(1);
        let (fg, bg) = page.seen(&ink);
        match (&mut ground, bg) {
            (Some((_, until, colour)), Some(bg)) if *colour == bg && *until == x => *until = x + columns,
            (open, bg) => {
                write_ground(grounds, open.take(), &left, top);
                *open = bg.map(|bg| (x, x + columns, bg));
            }
        }
        if shapes.take(text, left(x), top, &fg) {
            finish(&mut word);
            continue;
        }
        let is_plain = text.is_ascii();
        match &mut word {
            Some((_, held, known, line)) if *known == ink && is_plain => {
                line.push_str(text);
                *held += columns;
            }
            _ => {
                finish(&mut word);
                word = Some((x, columns, ink, text.to_owned()));
                if !is_plain {
                    finish(&mut word);
                }
            }
        }
    }
    finish(&mut word);
    write_ground(grounds, ground, &left, top);
}

fn write_ground(out: &mut String, ground: Option<(u16, u16, String)>, left: &impl Fn(u16) -> f64, top: f64) {
    if let Some((from, until, colour)) = ground {
        let _ = writeln!(
            out,
            "<rect x=\"{:.2}\" y=\"{top:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{colour}\"/>",
            left(from),
            left(until) - left(from) + 0.05,
            CELL_H + 0.05
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Shapes gathered by colour and way of drawing, so that a chart is a few paths and not ten thousand elements.
#[derive(Default)]
struct Shapes {
    lines: BTreeMap<(String, &'static str), String>,
    dots: BTreeMap<String, String>,
    blocks: BTreeMap<String, String>,
}

impl Shapes {
    /// Whether the glyph was taken as a shape.
    fn take(&mut self, glyph: &str, x: f64, y: f64, colour: &str) -> bool {
        let mut symbols = glyph.chars();
        let (Some(symbol), None) = (symbols.next(), symbols.next()) else { return false };
        match symbol {
            '\u{2800}'..='\u{28ff}' => self.braille(symbol, x, y, colour),
            '▁'..='█' => {
                let eighths = f64::from(u32::from(symbol) - 0x2580);
                let tall = CELL_H * eighths / 8.0;
                let path = self.blocks.entry(colour.to_owned()).or_default();
                let _ = write!(
                    path,
                    "M{x:.2} {:.2}h{:.2}v{tall:.2}h-{:.2}z",
                    y + CELL_H - tall,
                    CELL_W + 0.05,
                    CELL_W + 0.05
                );
            }
            '▌' => {
                let path = self.blocks.entry(colour.to_owned()).or_default();
                let _ = write!(path, "M{x:.2} {y:.2}h{:.2}v{:.2}h-{:.2}z", CELL_W / 2.0, CELL_H + 0.05, CELL_W / 2.0);
            }
            _ => return self.line(symbol, x, y, colour),
        }
        true
    }

    fn braille(&mut self, symbol: char, x: f64, y: f64, colour: &str) {
        const DOTS: [(f64, f64); 8] = [(0., 0.), (0., 1.), (0., 2.), (1., 0.), (1., 1.), (1., 2.), (0., 3.), (1., 3.)];
        let bits = u32::from(symbol) - 0x2800;
        let path = self.dots.entry(colour.to_owned()).or_default();
        for (at, (column, row)) in DOTS.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0) {
            let _ = at;
            let _ =
                write!(path, "M{:.2} {:.2}h0", x + CELL_W * (0.25 + column * 0.5), y + CELL_H * (0.125 + row * 0.25));
        }
    }

    fn line(&mut self, symbol: char, x: f64, y: f64, colour: &str) -> bool {
        let (mid_x, mid_y, right, bottom) = (x + CELL_W / 2.0, y + CELL_H / 2.0, x + CELL_W, y + CELL_H);
        let turn = CELL_W / 2.0;
        let (class, path) = match symbol {
            '─' => ("thin", format!("M{x:.2} {mid_y:.2}H{right:.2}")),
            '│' => ("thin", format!("M{mid_x:.2} {y:.2}V{bottom:.2}")),
            '╭' => (
                "thin",
                format!("M{mid_x:.2} {bottom:.2}V{:.2}Q{mid_x:.2} {mid_y:.2} {right:.2} {mid_y:.2}", mid_y + turn),
            ),
            '╮' => {
                ("thin", format!("M{mid_x:.2} {bottom:.2}V{:.2}Q{mid_x:.2} {mid_y:.2} {x:.2} {mid_y:.2}", mid_y + turn))
            }
            '╰' => {
                ("thin", format!("M{mid_x:.2} {y:.2}V{:.2}Q{mid_x:.2} {mid_y:.2} {right:.2} {mid_y:.2}", mid_y - turn))
            }
            '╯' => {
                ("thin", format!("M{mid_x:.2} {y:.2}V{:.2}Q{mid_x:.2} {mid_y:.2} {x:.2} {mid_y:.2}", mid_y - turn))
            }
            '└' => ("thin", format!("M{mid_x:.2} {y:.2}V{mid_y:.2}H{right:.2}")),
            '├' => ("thin", format!("M{mid_x:.2} {y:.2}V{bottom:.2}M{mid_x:.2} {mid_y:.2}H{right:.2}")),
            '┤' => ("thin", format!("M{mid_x:.2} {y:.2}V{bottom:.2}M{mid_x:.2} {mid_y:.2}H{x:.2}")),
            '┬' => ("thin", format!("M{x:.2} {mid_y:.2}H{right:.2}M{mid_x:.2} {mid_y:.2}V{bottom:.2}")),
            '┴' => ("thin", format!("M{x:.2} {mid_y:.2}H{right:.2}M{mid_x:.2} {mid_y:.2}V{y:.2}")),
            '━' => ("thick", format!("M{x:.2} {mid_y:.2}H{right:.2}")),
            '┃' => ("thick", format!("M{mid_x:.2} {y:.2}V{bottom:.2}")),
            '┈' => ("dots", format!("M{x:.2} {mid_y:.2}H{right:.2}")),
            '╌' => ("dashes", format!("M{x:.2} {mid_y:.2}H{right:.2}")),
            '┊' => ("dots", format!("M{mid_x:.2} {y:.2}V{bottom:.2}")),
            _ => return false,
        };
        self.lines.entry((colour.to_owned(), class)).or_default().push_str(&path);
        true
    }

    fn write(&self, out: &mut String) {
        for (colour, path) in &self.blocks {
            let _ = writeln!(out, "<path fill=\"{colour}\" d=\"{path}\"/>");
        }
        for ((colour, class), path) in &self.lines {
            let look = match *class {
                "thick" => "stroke-width=\"2.6\"",
                "dots" => "stroke-width=\"1\" stroke-dasharray=\"1 3.2\"",
                "dashes" => "stroke-width=\"1.1\" stroke-dasharray=\"4.2 4.2\"",
                _ => "stroke-width=\"1.1\"",
            };
            let _ = writeln!(out, "<path fill=\"none\" stroke=\"{colour}\" {look} d=\"{path}\"/>");
        }
        for (colour, path) in &self.dots {
            let _ = writeln!(
                out,
                "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.1\" stroke-linecap=\"round\" d=\"{path}\"/>"
            );
        }
    }
}
