//! The glyphs, once for terminals with Unicode and once for those without. Every state has its own glyph, so nothing is
//! told by colour alone. All are one column wide in every terminal we know: no emoji, nothing of East Asian width.

use crate::domain::freshness::Freshness;
use crate::domain::incident::Status;
use crate::domain::severity::Severity;
use crate::domain::timeline::EventKind;

/// How lines of a chart are dotted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Two by four dots a cell.
    Braille,
    /// One sign a cell, another for each series.
    Ascii,
}

/// One set of glyphs.
#[derive(Debug)]
pub struct Glyphs {
    /// Frame: left upper, right upper, left lower, right lower corner, horizontal, vertical.
    pub frame: [&'static str; 6],
    /// Where text was cut.
    pub cut: &'static str,
    /// Before a selected row.
    pub cursor: &'static str,
    /// Before a marked row.
    pub mark: &'static str,
    /// Between things of one line.
    pub dot: &'static str,
    /// From one to another.
    pub arrow: &'static str,
    /// Up, to a higher level.
    pub up: &'static str,
    /// Down.
    pub down: &'static str,
    /// Ticked.
    pub tick: &'static str,
    /// Not done.
    pub cross: &'static str,
    /// On its way.
    pub queued: &'static str,
    /// Left, no answer yet.
    pub sent: &'static str,
    /// Nobody knows.
    pub unknown: &'static str,
    /// An automated step.
    pub auto: &'static str,
    /// A step to copy.
    pub copy: &'static str,
    /// New since one looked.
    pub new: &'static str,
    /// Silenced.
    pub silenced: &'static str,
    /// A tie that is only probable.
    pub probable: &'static str,
    /// The scroll bar's thumb.
    pub thumb: &'static str,
    /// A rule between sections.
    pub rule: &'static str,
    /// Lines behind the data of a chart.
    pub grid: &'static str,
    /// A threshold's line.
    pub threshold: &'static str,
    /// A vertical line at a marker.
    pub marker_line: &'static str,
    /// Where the incident began.
    pub marker_start: &'static str,
    /// Where it was acknowledged.
    pub marker_ack: &'static str,
    /// Where it ended.
    pub marker_end: &'static str,
    /// Where something was changed.
    pub marker_change: &'static str,
    /// Corner, horizontal, vertical and tick of an axis.
    pub axis: [&'static str; 4],
    /// A gauge's full and empty cell.
    pub gauge: [&'static str; 2],
    /// Eighths, lowest first.
    pub sparks: [&'static str; 8],
    /// How charts are dotted.
    pub marker: Marker,
    severities: [&'static str; 4],
    statuses: [&'static str; 3],
    freshnesses: [&'static str; 6],
    kinds: [&'static str; 15],
}

impl Glyphs {
    /// A severity's glyph.
    #[must_use]
    pub fn severity(&self, severity: Severity) -> &'static str {
        self.severities.get(severity as usize).copied().unwrap_or("?")
    }

    /// A status's glyph.
    #[must_use]
    pub fn status(&self, status: Status) -> &'static str {
        self.statuses.get(status as usize).copied().unwrap_or("?")
    }

    /// A freshness's glyph.
    #[must_use]
    pub fn freshness(&self, freshness: Freshness) -> &'static str {
        self.freshnesses.get(freshness as usize).copied().unwrap_or("?")
    }

    /// A timeline entry's glyph.
    #[must_use]
    pub fn kind(&self, kind: EventKind) -> &'static str {
        self.kinds.get(kind as usize).copied().unwrap_or("?")
    }
}

/// For terminals with UTF-8.
pub static UNICODE: Glyphs = Glyphs {
    frame: ["╭", "╮", "╰", "╯", "─", "│"],
    cut: "…",
    cursor: "▌",
    mark: "✓",
    dot: "·",
    arrow: "→",
    up: "↑",
    down: "↓",
    tick: "✓",
    cross: "✗",
    queued: "◷",
    sent: "↗",
    unknown: "?",
    auto: "▸",
    copy: "⧉",
    new: "•",
    silenced: "∅",
    probable: "≈",
    thumb: "┃",
    rule: "─",
    grid: "┈",
    threshold: "╌",
    marker_line: "┊",
    marker_start: "▲",
    marker_ack: "✓",
    marker_end: "■",
    marker_change: "◇",
    axis: ["└", "─", "│", "┬"],
    gauge: ["━", "─"],
    sparks: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    marker: Marker::Braille,
    severities: ["○", "●", "▲", "◆"],
    statuses: ["!", "✓", "■"],
    freshnesses: ["●", "◐", "◌", "?", "⊘", "○"],
    kinds: ["◇", "▲", "⚑", "@", "✓", "↺", "↑", "→", "☾", "✎", "~", "▸", "»", "■", "·"],
};

/// For everything else.
pub static ASCII: Glyphs = Glyphs {
    frame: ["+", "+", "+", "+", "-", "|"],
    cut: "~",
    cursor: ">",
    mark: "*",
    dot: "-",
    arrow: ">",
    up: "^",
    down: "v",
    tick: "x",
    cross: "!",
    queued: "q",
    sent: "s",
    unknown: "?",
    auto: ">",
    copy: "=",
    new: "*",
    silenced: "z",
    probable: "~",
    thumb: "#",
    rule: "-",
    grid: ".",
    threshold: "-",
    marker_line: ":",
    marker_start: "^",
    marker_ack: "v",
    marker_end: "=",
    marker_change: "d",
    axis: ["+", "-", "|", "+"],
    gauge: ["=", "."],
    sparks: [".", ".", "-", "-", "=", "=", "#", "#"],
    marker: Marker::Ascii,
    severities: [".", "o", "^", "#"],
    statuses: ["!", "v", "="],
    freshnesses: ["o", "~", "!", "?", "x", "."],
    kinds: ["d", "!", "T", "@", "v", "u", "^", ">", "z", "n", "~", "s", "c", "=", "."],
};

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn distinct(glyphs: &[&str]) -> bool {
        glyphs.iter().enumerate().all(|(at, one)| glyphs.iter().skip(at + 1).all(|other| one != other))
    }

    #[test]
    fn states_differ_without_colour() {
        for set in [&UNICODE, &ASCII] {
            assert!(distinct(&set.severities) && distinct(&set.statuses) && distinct(&set.freshnesses));
            assert!(distinct(&set.kinds), "{:?}", set.kinds);
            assert_ne!(set.grid, set.threshold);
        }
    }

    #[test]
    fn glyphs_are_one_column_wide() {
        for set in [&UNICODE, &ASCII] {
            let single = [set.cut, set.cursor, set.mark, set.queued, set.sent, set.copy, set.silenced, set.thumb];
            let all = set.severities.iter().chain(&set.statuses).chain(&set.freshnesses).chain(&set.kinds);
            for glyph in all.chain(&single).chain(&set.frame).chain(&set.sparks).chain(&set.axis) {
                assert_eq!(glyph.width(), 1, "{glyph}");
            }
        }
    }

    #[test]
    fn the_ascii_set_is_ascii() {
        let set = &ASCII;
        let all = set.severities.iter().chain(&set.statuses).chain(&set.freshnesses).chain(&set.kinds);
        assert!(all.chain(&set.frame).chain(&set.sparks).chain(&set.axis).all(|glyph| glyph.is_ascii()));
    }
}
