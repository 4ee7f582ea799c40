//! A quiet hour: what tells nothing new asks for no frame, and what gets old is looked at in time.

use chrono::Duration;

use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::source::{ChronoSeconds, Reach, SourceHealth};
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::testing::{after, instant, learn, press, record, scene, source, world};
use crate::tui::{Msg, Step, update};

fn health(model: &Model, change: impl FnOnce(&mut SourceHealth)) -> Fact {
    let mut health = model.room.sources()[&source("am")].clone();
    change(&mut health);
    Fact::HealthChanged(health)
}

fn learn_at(model: &mut Model, fact: Fact, now: Timestamp) -> Step {
    update(model, Msg::Learned(fact), now)
}

#[test]
fn a_poll_that_tells_what_is_known_asks_for_no_frame() {
    let mut model = scene(120, 40);
    for fact in world() {
        let is_list = matches!(
            fact,
            Fact::HealthChanged(_)
                | Fact::OnCallListed(_)
                | Fact::UsersListed(_)
                | Fact::ServicesListed(_)
                | Fact::PrioritiesListed(_)
                | Fact::PolicyLoaded(_)
        );
        let what = format!("{fact:?}");
        assert!(!is_list || !learn(&mut model, fact).redraw, "{what}");
    }
    let answered = health(&model, |health| health.answered_at = Some(after(5)));
    assert!(!learn_at(&mut model, answered, after(5)).redraw, "fresh is fresh");
    assert!(learn(&mut model, Fact::OnCallListed(Vec::new())).redraw);
}

#[test]
fn a_source_that_fails_or_comes_back_is_drawn() {
    let mut model = scene(120, 40);
    let failure = Failure {
        kind: FailureKind::Unreachable,
        what: Clean::new("list alerts of"),
        target: Clean::new("am"),
        cause: Clean::new("connection refused"),
        remedy: Clean::new("start it"),
    };
    let down = health(&model, |health| health.reach = Reach::Down { failure, retry_at: None });
    assert!(learn(&mut model, down).redraw);
    let up = health(&model, |health| health.reach = Reach::Up);
    assert!(learn(&mut model, up).redraw);
    // While details are looked at, all of them count.
    press(&mut model, "!");
    assert!(!model.overlays.is_empty(), "the problems are shown");
    let now = model.now;
    let answered = health(&model, |health| health.answered_at = Some(now));
    assert!(learn_at(&mut model, answered, now).redraw);
}

#[test]
fn a_source_that_gets_old_is_looked_at_then_and_not_at_the_next_minute() {
    let mut model = scene(120, 40);
    let quick = health(&model, |health| health.every = ChronoSeconds(10));
    learn(&mut model, quick);
    let wake = model.next_wake(instant()).unwrap();
    assert!(wake <= instant() + Duration::milliseconds(15_001), "{wake}");
    // Its next answer moves that instant on, without a frame.
    let answered = health(&model, |health| health.answered_at = Some(after(10)));
    learn_at(&mut model, answered, after(10));
    let changes = model.room.next_change(after(10)).unwrap();
    assert!(changes > after(20) && model.next_wake(after(10)).unwrap() <= changes);
}

#[test]
fn a_row_that_leaves_by_time_is_drawn_whatever_the_fact() {
    let mut model = scene(120, 40);
    let mut over = record(5);
    over.status = crate::domain::incident::Status::Resolved;
    over.changed_at = instant();
    let changed = vec![std::sync::Arc::new(over)];
    learn(&mut model, Fact::IncidentsChanged { source: source("pagerduty"), changed });
    let rows = model.room.board().len();
    let late = instant() + Duration::hours(1);
    let answered = health(&model, |health| health.answered_at = Some(late));
    assert!(learn_at(&mut model, answered, late).redraw);
    assert_eq!(model.room.board().len(), rows - 1);
}
