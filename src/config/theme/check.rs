//! Whether a theme can be read: contrast of text, and severities that differ.

use super::colour::contrast;
use super::read::Place;
use super::{Colour, Look, Role, Shade, Theme};
use crate::domain::problem::Problem;

/// What WCAG 2 asks of text.
const CONTRAST: f64 = 4.5;

pub(super) fn check(theme: &Theme, place: impl Fn(Role) -> Place, problems: &mut Vec<Problem>) {
    for role in Role::ALL.iter().copied().filter(|role| role.is_text()) {
        for (ground, under) in [("the background", Role::Background), ("a selected row", Role::Selection)] {
            let look = theme.look(role);
            let own_ground = look.bg.is_some() || look.reverse;
            if under == Role::Selection && (own_ground || !stands_on_selection(role)) {
                continue;
            }
            let Some(found) = ratio(theme, look, theme.look(under)) else { continue };
            if found < CONTRAST {
                let message = format!("'{}' on {ground} has a contrast of {found:.1}:1", role.word());
                problems.push(place(role).problem(message, format!("text needs at least {CONTRAST}:1"), false));
            }
        }
    }
    let severities = [Role::SeverityCritical, Role::SeverityHigh, Role::SeverityMedium, Role::SeverityLow];
    for (at, one) in severities.iter().enumerate() {
        for other in severities.iter().skip(at + 1) {
            let has_colour = theme.look(*one).fg.is_some();
            if has_colour && theme.look(*one) == theme.look(*other) {
                let message = format!("'{}' looks like '{}'", other.word(), one.word());
                problems.push(place(*other).problem(message, "give each severity its own look".into(), false));
            }
        }
    }
}

/// Roles that are drawn inside list rows.
fn stands_on_selection(role: Role) -> bool {
    let word = role.word();
    ["text", "severity.", "status.", "clock.", "delivery."].iter().any(|group| word.starts_with(group))
}

fn ratio(theme: &Theme, look: Look, under: Look) -> Option<f64> {
    let full = |shade: Option<Shade>| shade.map(|shade| shade.full).filter(|colour| *colour != Colour::Default);
    let page = theme.look(Role::Background);
    let fg = full(look.fg).or_else(|| full(page.fg)).or_else(|| full(theme.look(Role::Text).fg))?;
    let bg = full(look.bg).or_else(|| full(under.bg)).or_else(|| full(page.bg))?;
    contrast(fg, bg)
}
