//! The form for a new incident, with what the severities mean where one is chosen.

use super::input_line;
use crate::config::theme::Role;
use crate::domain::incident::Urgency;
use crate::domain::severity::Severity;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::declare::{Declare, Field};
use crate::tui::style::severity_role;
use crate::tui::widgets::{Align, Pen, Row, Words, frame, words};

const NAME: u16 = 10;

pub(super) fn draw(pen: &mut Pen<'_>, over: Area, model: &Model, form: &Declare) {
    let columns = 84.min(over.width.saturating_sub(8)).max(30);
    let help = form.field == Field::Priority && !model.severities.is_empty();
    let rows = 5 * 2 + 1 + if help { 6 } else { 0 };
    let inside = frame::popup(pen, over, columns, rows, &"Declare an incident");
    let mut y = inside.y;
    for field in Field::ALL {
        if y >= inside.bottom() {
            return;
        }
        let line = Area { y, height: 1, ..inside };
        draw_field(pen, line, form, field);
        y += 2;
    }
    if help {
        y = severities(pen, Area { y, height: inside.bottom().saturating_sub(y + 1), ..inside }, model);
    }
    let last = Area { y: inside.bottom().saturating_sub(1).max(y.saturating_sub(1)), height: 1, ..inside };
    let mut row = Row::new(pen, last);
    match &form.complaint {
        Some(complaint) => row.put(complaint, Role::ToastError),
        None => row
            .put(&"Tab", Role::KeyHint)
            .put(&" next field   ", Role::KeyLabel)
            .put(&"Enter", Role::KeyHint)
            .put(&if form.field == Field::Details { " asks, then sends   " } else { " chooses   " }, Role::KeyLabel)
            .put(&"Esc", Role::KeyHint)
            .put(&" leaves", Role::KeyLabel),
    };
}

fn draw_field(pen: &mut Pen<'_>, line: Area, form: &Declare, field: Field) {
    let has_keys = form.field == field;
    let name = match field {
        Field::Title => "Title",
        Field::Service => "Service",
        Field::Urgency => "Urgency",
        Field::Priority => "Priority",
        Field::Details => "Details",
    };
    let cursor = pen.glyphs().cursor;
    let mut row = Row::new(pen, line);
    row.cell(2, Align::Left, &if has_keys { cursor } else { "" }, Role::Accent);
    row.cell(NAME, Align::Left, &name, if has_keys { Role::TextStrong } else { Role::TextDim });
    let x = row.x();
    let value = Area::new(x, line.y, line.right().saturating_sub(x), 1);
    let choice = |text: Option<Words>| text.unwrap_or_else(|| words!("Enter shows them"));
    let text = match field {
        Field::Title | Field::Details => {
            let input = if field == Field::Title { &form.title } else { &form.details };
            return input_line(pen, value, &input.text(), has_keys.then(|| input.cursor().1));
        }
        Field::Service => choice(form.service.as_ref().map(|service| words!("{}", service.name))),
        Field::Priority => choice(form.priority.as_ref().map(|priority| words!("{}", priority.name))),
        Field::Urgency => match form.urgency {
            Urgency::High => words!("high: calls people now, escalates"),
            Urgency::Low => words!("low: does not escalate"),
        },
    };
    let is_set = match field {
        Field::Service => form.service.is_some(),
        Field::Priority => form.priority.is_some(),
        Field::Title | Field::Urgency | Field::Details => true,
    };
    Row::new(pen, value).put(&text, if is_set { Role::Text } else { Role::TextDim });
}

/// What each severity means; returns the row after it.
fn severities(pen: &mut Pen<'_>, area: Area, model: &Model) -> u16 {
    let mut y = area.y;
    for severity in Severity::ALL {
        let Some(policy) = model.severities.get(&severity) else { continue };
        if y >= area.bottom() {
            break;
        }
        let mut row = Row::new(pen, Area { y, height: 1, ..area });
        let glyph = row.glyphs().severity(severity);
        row.gap(2 + NAME).cell(11, Align::Left, &words!("{glyph} {}", severity.word()), severity_role(severity));
        row.put(&policy.description, Role::Text);
        if let Some(example) = policy.examples.first() {
            row.put_whole(&words!("; {example}"), Role::TextDim, 0);
        }
        y += 1;
    }
    y + 1
}
