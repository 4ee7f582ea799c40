//! A theme brought to one terminal: styles for roles, and the glyphs that the terminal has. The only place where a
//! theme's colours become ratatui's.

use ratatui::style::{Color, Modifier, Style};

use crate::config::theme::{Capabilities, Colour, ColourDepth, Look, Role, Shade, Theme};
use crate::dashboard::model::ThresholdLevel;
use crate::domain::freshness::Freshness;
use crate::domain::incident::Status;
use crate::domain::severity::Severity;

pub mod glyphs;

pub use glyphs::{Glyphs, Marker};

/// How much of a line's colour the area under it takes.
const TINT: f64 = 0.13;

/// A theme on a terminal.
#[derive(Clone, Debug)]
pub struct Skin {
    styles: Box<[Style]>,
    tints: [Option<Color>; 8],
    /// Which glyphs.
    pub glyphs: &'static Glyphs,
    /// What the terminal can show.
    pub capabilities: Capabilities,
}

impl Skin {
    /// Without colours the mono theme takes the place of any other.
    #[must_use]
    pub fn new(theme: &Theme, capabilities: Capabilities) -> Self {
        let depth = capabilities.colours;
        let mono;
        let theme = if depth == ColourDepth::Mono && theme.name() != "mono" {
            mono = Theme::builtin("mono");
            &mono
        } else {
            theme
        };
        let glyphs = if capabilities.is_unicode { &glyphs::UNICODE } else { &glyphs::ASCII };
        let styles = Role::ALL.iter().map(|role| style(theme.look(*role), depth)).collect();
        let tints = Role::SERIES.map(|role| tint(theme, role, depth));
        Self { styles, tints, glyphs, capabilities }
    }

    /// How a role is drawn.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// What stands under a line of a chart; `None` where there are too few colours for it.
    #[must_use]
    pub fn tint(&self, series: usize) -> Option<Color> {
        self.tints.get(series % self.tints.len()).copied().flatten()
    }

    /// The line of a chart by its number.
    #[must_use]
    pub fn series(&self, at: usize) -> Style {
        self.style(Role::SERIES.get(at % Role::SERIES.len()).copied().unwrap_or(Role::Series1))
    }
}

impl Default for Skin {
    fn default() -> Self {
        Self::new(&Theme::default(), Capabilities::FULL)
    }
}

/// The role of a severity.
#[must_use]
pub fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Critical => Role::SeverityCritical,
        Severity::High => Role::SeverityHigh,
        Severity::Medium => Role::SeverityMedium,
        Severity::Low => Role::SeverityLow,
    }
}

/// The role of a status.
#[must_use]
pub fn status_role(status: Status) -> Role {
    match status {
        Status::Triggered => Role::StatusTriggered,
        Status::Acknowledged => Role::StatusAcknowledged,
        Status::Resolved => Role::StatusResolved,
    }
}

/// The role of a freshness.
#[must_use]
pub fn freshness_role(freshness: Freshness) -> Role {
    match freshness {
        Freshness::Fresh => Role::Fresh,
        Freshness::Ageing => Role::Ageing,
        Freshness::Stale => Role::Stale,
        Freshness::Unknown => Role::Unknown,
        Freshness::Forbidden => Role::Forbidden,
        Freshness::Empty => Role::Empty,
    }
}

/// The role of a value's state.
#[must_use]
pub fn threshold_role(level: ThresholdLevel) -> Role {
    match level {
        ThresholdLevel::Good => Role::ThresholdGood,
        ThresholdLevel::Warning => Role::ThresholdWarning,
        ThresholdLevel::Bad => Role::ThresholdBad,
    }
}

fn style(look: Look, depth: ColourDepth) -> Style {
    let colour = |shade: Option<Shade>| shade.and_then(|shade| shade.at(depth)).map(colour);
    let mut style = Style { fg: colour(look.fg), bg: colour(look.bg), ..Style::default() };
    let weights = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.reverse, Modifier::REVERSED),
    ];
    for (is_set, modifier) in weights {
        if is_set {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Default => Color::Reset,
        Colour::Ansi(at) => ansi(at).unwrap_or(Color::Reset),
        Colour::Indexed(at) => Color::Indexed(at),
        Colour::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}

/// One of the sixteen colours that every terminal has.
pub(crate) fn ansi(at: u8) -> Option<Color> {
    ANSI.get(usize::from(at)).copied()
}

const ANSI: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

fn tint(theme: &Theme, role: Role, depth: ColourDepth) -> Option<Color> {
    if depth != ColourDepth::True {
        return None;
    }
    let line = theme.look(role).fg?.full.rgb()?;
    let page = theme.look(Role::Background).bg?.full.rgb()?;
    let mix = |line: u8, page: u8| (f64::from(page) + (f64::from(line) - f64::from(page)) * TINT).round() as u8;
    Some(Color::Rgb(mix(line.0, page.0), mix(line.1, page.1), mix(line.2, page.2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_every_theme_is_mono() {
        let mono = Capabilities { colours: ColourDepth::Mono, ..Capabilities::FULL };
        for name in ["dark", "light", "high-contrast"] {
            let skin = Skin::new(&Theme::builtin(name), mono);
            for role in Role::ALL {
                let style = skin.style(*role);
                assert_eq!((style.fg, style.bg), (None, None), "{name} {}", role.word());
            }
            assert!(skin.style(Role::SeverityCritical).add_modifier.contains(Modifier::REVERSED));
        }
    }

    #[test]
    fn shallower_terminals_get_only_their_colours() {
        let skin = Skin::new(&Theme::default(), Capabilities { colours: ColourDepth::Ansi16, ..Capabilities::FULL });
        for role in Role::ALL {
            for colour in [skin.style(*role).fg, skin.style(*role).bg].into_iter().flatten() {
                assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{} is {colour:?}", role.word());
            }
        }
        assert_eq!(skin.tint(0), None);
    }
}
