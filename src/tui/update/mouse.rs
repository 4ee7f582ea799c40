//! The mouse: focus, scroll, select, drag of borders. It opens, but it never confirms.

use super::{Step, commands};
use crate::domain::command::CommandId;
use crate::tui::layout::{Pane, incident_height};
use crate::tui::model::Model;
use crate::tui::msg::{Mouse, MouseKind};
use crate::tui::panes::incidents::update::{self as list, Move};

/// Lines of one turn of the wheel.
const WHEEL: isize = 3;

/// The mouse did something.
pub(super) fn take(model: &mut Model, step: &mut Step, mouse: Mouse) {
    let over = !model.overlays.is_empty();
    match mouse.kind {
        MouseKind::ScrollDown if over => commands::run(model, step, CommandId::MoveDown),
        MouseKind::ScrollUp if over => commands::run(model, step, CommandId::MoveUp),
        _ if over => {}
        MouseKind::ScrollDown => wheel(model, mouse, WHEEL),
        MouseKind::ScrollUp => wheel(model, mouse, -WHEEL),
        MouseKind::Press => press(model, mouse),
        MouseKind::Drag => {
            if let Some(divider) = model.dragged {
                let rects = model.rects();
                model.splits = model.splits.dragged(divider, &rects, mouse.x, mouse.y);
            }
        }
        MouseKind::Release => model.dragged = None,
    }
}

/// The wheel moves what is under it, wherever the keys are.
fn wheel(model: &mut Model, mouse: Mouse, lines: isize) {
    match model.rects().pane_at(mouse.x, mouse.y) {
        Some(Pane::Incidents) => list::scroll(model, lines),
        Some(pane) => {
            let focus = std::mem::replace(&mut model.focus, pane);
            commands::move_cursor(model, Move::By(lines.signum()));
            model.focus = focus;
        }
        None => {}
    }
}

fn press(model: &mut Model, mouse: Mouse) {
    let rects = model.rects();
    if let Some(pane) = rects.tab_at(mouse.x, mouse.y) {
        model.focus = pane;
        return;
    }
    model.dragged = rects.divider_at(mouse.x, mouse.y);
    let Some(pane) = rects.pane_at(mouse.x, mouse.y).filter(|_| model.dragged.is_none()) else { return };
    model.focus = pane;
    if pane != Pane::Incidents {
        return;
    }
    let area = rects.incident_list(model.incidents.has_filter());
    if !area.contains(mouse.x, mouse.y) {
        return;
    }
    let line = usize::from((mouse.y - area.y) / incident_height(area.width).max(1));
    let row = model.incidents.offset.saturating_add(line);
    if let Some(id) = model.incidents.get(&model.room, row).cloned() {
        list::select(model, Some(id));
    }
}
