//! Colours: how a file writes them, what is nearest where a terminal has fewer, and how well two can be told apart.

use super::ColourDepth;

/// A colour as a terminal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Colour {
    /// What the terminal uses by itself.
    Default,
    /// One of sixteen.
    Ansi(u8),
    /// One of 256.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// One colour of a palette, for every depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Shade {
    /// With 24 bits.
    pub full: Colour,
    /// With 256 colours.
    pub indexed: Colour,
    /// With sixteen.
    pub basic: Colour,
}

/// The sixteen by name, in ANSI order.
pub const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// What xterm shows for the sixteen.
const ANSI_RGB: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

impl Colour {
    /// `#rrggbb`, `default`, a name of [`NAMES`], or a number up to 255; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(hex) = text.strip_prefix('#') {
            let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
            let [_, red, green, blue] = number.to_be_bytes();
            return Some(Self::Rgb(red, green, blue));
        }
        if text == "default" {
            return Some(Self::Default);
        }
        if let Some(at) = NAMES.iter().position(|name| *name == text) {
            return Some(Self::Ansi(at as u8));
        }
        text.parse::<u8>().ok().map(Self::Indexed)
    }

    /// Red, green, blue as most terminals show it; `None` for the terminal's own.
    #[must_use]
    pub fn rgb(self) -> Option<(u8, u8, u8)> {
        match self {
            Self::Default => None,
            Self::Ansi(at) => ANSI_RGB.get(usize::from(at)).copied(),
            Self::Indexed(at @ 0..16) => ANSI_RGB.get(usize::from(at)).copied(),
            Self::Indexed(at @ 16..232) => {
                let cube = at - 16;
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                Some((level(cube / 36), level(cube / 6 % 6), level(cube % 6)))
            }
            Self::Indexed(at) => {
                let grey = 8 + 10 * (at - 232);
                Some((grey, grey, grey))
            }
            Self::Rgb(red, green, blue) => Some((red, green, blue)),
        }
    }
}

impl Shade {
    /// The nearest colours for the shallower depths.
    #[must_use]
    pub fn of(full: Colour) -> Self {
        match (full, full.rgb()) {
            (Colour::Rgb(..), Some(rgb)) => Self { full, indexed: nearest_indexed(rgb), basic: nearest_basic(rgb) },
            (Colour::Indexed(_), Some(rgb)) => Self { full, indexed: full, basic: nearest_basic(rgb) },
            _ => Self { full, indexed: full, basic: full },
        }
    }

    /// The colour for a depth; `None` where there are no colours.
    #[must_use]
    pub fn at(self, depth: ColourDepth) -> Option<Colour> {
        match depth {
            ColourDepth::Mono => None,
            ColourDepth::Ansi16 => Some(self.basic),
            ColourDepth::Ansi256 => Some(self.indexed),
            ColourDepth::True => Some(self.full),
        }
    }
}

/// Contrast by WCAG 2: 1 to 21; `None` where one of them is the terminal's own.
#[must_use]
pub fn contrast(one: Colour, other: Colour) -> Option<f64> {
    let (one, other) = (luminance(one.rgb()?), luminance(other.rgb()?));
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/// The sixteen at the front are left out: people change them.
fn nearest_indexed(rgb: (u8, u8, u8)) -> Colour {
    let found = (16..=255_u8).min_by_key(|at| distance(rgb, Colour::Indexed(*at).rgb()));
    found.map_or(Colour::Default, Colour::Indexed)
}

fn nearest_basic(rgb: (u8, u8, u8)) -> Colour {
    let found = (0..16_u8).min_by_key(|at| distance(rgb, Colour::Ansi(*at).rgb()));
    found.map_or(Colour::Default, Colour::Ansi)
}

/// Distance weighted by how the eye sees ("redmean"): plain Euclid takes greys for blues.
fn distance(one: (u8, u8, u8), other: Option<(u8, u8, u8)>) -> i64 {
    let Some(other) = other else { return i64::MAX };
    let mean = i64::midpoint(i64::from(one.0), i64::from(other.0));
    let red = i64::from(one.0) - i64::from(other.0);
    let green = i64::from(one.1) - i64::from(other.1);
    let blue = i64::from(one.2) - i64::from(other.2);
    (((512 + mean) * red * red) >> 8) + 4 * green * green + (((767 - mean) * blue * blue) >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        assert_eq!(Colour::parse("#0a0B0c"), Some(Colour::Rgb(10, 11, 12)));
        assert_eq!(Colour::parse("bright-red"), Some(Colour::Ansi(9)));
        assert_eq!(Colour::parse("203"), Some(Colour::Indexed(203)));
        assert_eq!(Colour::parse("default"), Some(Colour::Default));
        for wrong in ["#fff", "#gggggg", "256", "crimson", "", "#"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fewer_colours_stay_near() {
        assert_eq!(Shade::of(Colour::Rgb(255, 0, 0)).basic, Colour::Ansi(9));
        assert_eq!(Shade::of(Colour::Rgb(0xff, 0x5f, 0x5f)).indexed, Colour::Indexed(203));
        assert_eq!(Shade::of(Colour::Rgb(8, 8, 8)).indexed, Colour::Indexed(232));
    }

    #[test]
    fn contrast_is_wcag() {
        let (black, white) = (Colour::Rgb(0, 0, 0), Colour::Rgb(255, 255, 255));
        assert!((contrast(black, white).unwrap() - 21.0).abs() < 1e-9);
        assert!((contrast(white, white).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(contrast(Colour::Default, white), None);
    }
}
