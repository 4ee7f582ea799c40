//! What the terminal can show. Decided once at the edge from the environment; everything inside takes the value.

/// How many colours there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourDepth {
    /// None: `NO_COLOR` or a dumb terminal.
    Mono,
    /// The sixteen of ANSI.
    Ansi16,
    /// The xterm palette.
    Ansi256,
    /// Twenty-four bits.
    True,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Capabilities {
    /// Colours.
    pub colours: ColourDepth,
    /// Whether glyphs outside ASCII come out right.
    pub is_unicode: bool,
    /// Whether OSC 8 links may be written.
    pub has_links: bool,
}

impl Capabilities {
    /// Everything; for tests and for pictures.
    pub const FULL: Self = Self { colours: ColourDepth::True, is_unicode: true, has_links: false };

    /// Reads `NO_COLOR`, `TERM`, `COLORTERM`, the locale and terminals known by name. `variable` is the environment.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let is_dumb = term.is_empty() || term == "dumb";
        let colours = if set("NO_COLOR").is_some() || is_dumb {
            ColourDepth::Mono
        } else if matches!(set("COLORTERM").as_deref(), Some("truecolor" | "24bit")) || term.contains("direct") {
            ColourDepth::True
        } else if term.contains("256color") || term.starts_with("xterm-kitty") || term == "alacritty" {
            ColourDepth::Ansi256
        } else {
            ColourDepth::Ansi16
        };
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let spelled = locale.to_ascii_lowercase();
        let is_utf8 = spelled.contains("utf-8") || spelled.contains("utf8");
        // The Linux console has 512 glyphs: no braille, no rounded corners.
        let is_unicode = is_utf8 && !is_dumb && term != "linux";
        // screen shows the address as text; tmux passes links on since 3.4.
        let has_links = !is_dumb && term != "linux" && !(term.starts_with("screen") && set("TMUX").is_none());
        Self { colours, is_unicode, has_links }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> Capabilities {
        Capabilities::detect(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn the_environment_decides() {
        let cases: [(&[(&str, &str)], ColourDepth, bool); 8] = [
            (&[], ColourDepth::Mono, false),
            (&[("TERM", "dumb"), ("LANG", "en_US.UTF-8")], ColourDepth::Mono, false),
            (&[("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")], ColourDepth::Ansi256, true),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LC_ALL", "C")], ColourDepth::True, false),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1"), ("LANG", "C.utf8")], ColourDepth::Mono, true),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", ""), ("LANG", "C.utf8")], ColourDepth::Ansi256, true),
            (&[("TERM", "linux"), ("LANG", "C.utf8")], ColourDepth::Ansi16, false),
            (&[("TERM", "vt100"), ("LC_ALL", "POSIX"), ("LANG", "C.utf8")], ColourDepth::Ansi16, false),
        ];
        for (pairs, colours, is_unicode) in cases {
            let found = detect(pairs);
            assert_eq!((found.colours, found.is_unicode), (colours, is_unicode), "{pairs:?}");
        }
    }
}
