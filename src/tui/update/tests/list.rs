//! Selection by identity, filter, attention, panels.

use std::sync::Arc;

use chrono::Duration;

use crate::domain::action::Target;
use crate::domain::effect::Effect;
use crate::domain::fact::Fact;
use crate::domain::incident::Status;
use crate::tui::model::Model;
use crate::tui::msg::{Input, Mouse, MouseKind};
use crate::tui::testing::{
    alert, alerts_changed, instant, learn, model, notice, press, record, row, scene, source, type_text,
};
use crate::tui::{Msg, update};

fn changed(model: &mut Model, records: Vec<crate::domain::incident::PagerIncident>) {
    let changed = records.into_iter().map(Arc::new).collect();
    learn(model, Fact::IncidentsChanged { source: source("pagerduty"), changed });
}

#[test]
fn a_refresh_never_puts_another_incident_under_the_cursor() {
    let mut model = scene(120, 40);
    press(&mut model, "j j");
    assert_eq!(model.incidents.selected, Some(row(3)));
    let mut worse = record(8);
    worse.priority = record(1).priority;
    let mut up = record(3);
    up.priority = record(1).priority;
    changed(&mut model, vec![worse]);
    assert_eq!((model.incidents.selected.clone(), model.incidents.row), (Some(row(3)), 3));
    changed(&mut model, vec![up]);
    assert_eq!(model.incidents.selected, Some(row(3)));
}

#[test]
fn an_incident_that_leaves_the_list_stays_under_the_cursor_until_the_person_moves() {
    let mut model = scene(120, 40);
    learn(&mut model, alerts_changed(vec![alert(2), alert(3)]));
    press(&mut model, "G");
    let last = model.incidents.selected.clone().unwrap();
    let ended = model.room.alerts_of(&last).map(|alert| alert.key.clone()).collect();
    learn(&mut model, Fact::AlertsChanged { cluster: source("am"), changed: Vec::new(), ended, at: instant() });
    let gone = model.now + Duration::hours(2);
    update(&mut model, Msg::Learned(Fact::OnCallListed(Vec::new())), gone);
    assert_eq!(model.incidents.selected, Some(last), "still under the cursor");
    assert!(model.incidents.has_left && notice(&model).contains("left the list"), "{}", notice(&model));
    let above = model.incidents.get(&model.room, model.incidents.row - 1).cloned();
    press(&mut model, "k");
    assert_eq!(model.incidents.selected, above);
}

#[test]
fn a_filter_is_worked_off_in_slices_and_extending_it_narrows() {
    let mut model = model(120, 40);
    let many: Vec<_> = (1..=9_000)
        .map(|number| {
            let mut record = record(number);
            record.title = crate::text::Clean::new(format!("disk {number} full"));
            record
        })
        .collect();
    changed(&mut model, many);
    press(&mut model, "/");
    type_text(&mut model, "77");
    assert!(model.incidents.search.progress().is_some(), "not everything in one step");
    let mut steps = 0;
    while model.incidents.search.progress().is_some() {
        assert_eq!(model.next_wake(model.now), Some(model.now), "goes on at once");
        let now = model.now;
        update(&mut model, Msg::Woke, now);
        steps += 1;
        assert!(steps < 10);
    }
    let found = model.incidents.found.clone().unwrap();
    let wanted =
        (1..=9_000_u64).filter(|number| format!("#{} disk {number} full", 1_000 + number).contains("77")).count();
    assert!(found.len() >= wanted, "{} of {wanted}", found.len());
    type_text(&mut model, "77");
    assert!(model.incidents.search.progress().is_none(), "narrowing looks at what was found only");
    let narrowed = model.incidents.found.clone().unwrap();
    assert!(narrowed.iter().all(|id| found.contains(id)) && narrowed.contains(&row(7_777)));
    let first = narrowed.first().and_then(|id| model.incidents.matches.get(id)).unwrap();
    assert!(!first.title.is_empty(), "highlights are kept");
}

#[test]
fn a_running_cursor_asks_for_nothing_until_it_rests() {
    let mut model = scene(120, 40);
    let focus = |model: &mut Model, millis: i64| {
        let now = model.now + Duration::milliseconds(millis);
        let step = update(model, Msg::Woke, now);
        step.effects.iter().filter(|effect| matches!(effect, Effect::Focus(_))).count()
    };
    focus(&mut model, 1_000);
    for _ in 0..3 {
        let now = model.now + Duration::milliseconds(30);
        let chord = crate::config::keymap::Chord::char('j');
        let step = update(&mut model, Msg::Input(Input::Key { chord, in_burst: false }), now);
        assert!(step.effects.is_empty(), "{:?}", step.effects);
    }
    assert!(model.next_wake(model.now).unwrap() <= model.now + Duration::milliseconds(120));
    assert_eq!(focus(&mut model, 130), 1);
    assert_eq!(focus(&mut model, 130), 0, "told once");
}

#[test]
fn attention_is_told_again_when_the_row_learns_its_pagerduty_id() {
    let mut model = model(120, 40);
    let mut one = alert(1);
    Arc::make_mut(&mut one.groups)[0].pages = true;
    let step = learn(&mut model, alerts_changed(vec![one.clone()]));
    assert!(matches!(&step.effects[..], [Effect::Focus(Some(Target::Incident { pager: None, .. }))]), "{step:?}");
    let mut joined = record(1);
    joined.keys = vec![one.groups[0].key.clone()];
    changed(&mut model, vec![joined]);
    let now = model.now + Duration::seconds(1);
    let step = update(&mut model, Msg::Woke, now);
    let told = step
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Focus(Some(Target::Incident { pager: Some(_), .. }))));
    assert!(told, "{step:?}");
}

#[test]
fn the_mouse_selects_scrolls_and_drags() {
    let mut model = scene(220, 60);
    let mouse = |model: &mut Model, kind, x, y| {
        let now = model.now;
        update(model, Msg::Input(Input::Mouse(Mouse { kind, x, y })), now)
    };
    let rects = model.rects();
    let list = rects.incident_list(false);
    let line = crate::tui::layout::incident_height(list.width);
    mouse(&mut model, MouseKind::Press, list.x + 3, list.y + 2 * line);
    assert_eq!(model.incidents.selected, Some(row(3)));
    mouse(&mut model, MouseKind::Press, rects.timeline.x + 4, rects.timeline.y + 3);
    assert_eq!(model.focus, crate::tui::layout::Pane::Timeline);
    let edge = rects.incidents.right() - 1;
    mouse(&mut model, MouseKind::Press, edge, 20);
    mouse(&mut model, MouseKind::Drag, edge + 10, 20);
    mouse(&mut model, MouseKind::Release, edge + 10, 20);
    assert!(model.rects().incidents.right() > rects.incidents.right() + 8);
    assert!(model.dragged.is_none());
}

#[test]
fn what_is_excluded_is_looked_for_in_labels_too() {
    let mut model = scene(120, 40);
    press(&mut model, "/");
    type_text(&mut model, "cpu");
    assert_eq!(model.incidents.found.as_ref().map(Vec::len), Some(1), "the alert's row, by its name");
    type_text(&mut model, " !api");
    assert_eq!(model.incidents.found.as_ref().map(Vec::len), Some(0), "instance=api-1 is excluded");
}

#[test]
fn an_idle_screen_wakes_once_a_minute_and_a_countdown_once_a_second() {
    let quiet = model(120, 40);
    assert!(quiet.next_wake(quiet.now).is_some());
    let mut model = model(120, 40);
    let mut over = record(1);
    over.status = Status::Resolved;
    over.changed_at = instant();
    over.created_at = instant() - Duration::hours(3);
    changed(&mut model, vec![over]);
    let wake = model.next_wake(model.now).unwrap();
    assert_eq!(wake.timestamp() % 60, 0, "{wake}");
    let mut ticking = scene(120, 40);
    let now = ticking.now;
    update(&mut ticking, Msg::Woke, now);
    assert_eq!(ticking.next_wake(now), Some(now + Duration::seconds(1)));
}

#[test]
fn panels_ask_when_they_are_seen_and_drop_late_answers() {
    let mut setup = crate::tui::testing::setup(220, 60);
    setup.dashboards = crate::dashboard::builtin::dashboards().0.into();
    setup.prometheus = vec![crate::tui::testing::prometheus()];
    let mut model = Model::new(setup);
    let mut steps = Vec::new();
    for fact in crate::tui::testing::world() {
        steps.push(learn(&mut model, fact));
    }
    let query = |effect: &Effect| if let Effect::Query { id, .. } = effect { Some(*id) } else { None };
    let ids: Vec<_> = steps.iter().flat_map(|step| &step.effects).filter_map(query).collect();
    assert!(!ids.is_empty(), "dashboard {:?}, {:?}", model.panels.dashboard, model.panels.panels);
    let answer = || {
        let answer = crate::domain::series::Answer::Vector(Vec::new());
        Ok(Arc::new(crate::domain::series::QueryResult { answer, notes: Vec::new(), histograms: 0 }))
    };
    let last = *ids.last().unwrap();
    let at = model.now;
    assert!(learn(&mut model, Fact::QueryAnswered { id: last, at, result: answer() }).redraw);
    assert!(
        !learn(&mut model, Fact::QueryAnswered { id: last, at, result: answer() }).redraw,
        "nobody waits for it now"
    );
    let due = model.panels.next_due.unwrap();
    let step = update(&mut model, Msg::Woke, due);
    assert!(step.effects.iter().filter_map(query).next().is_some(), "asked again when due");
    press(&mut model, "1 z");
    let far = model.now + Duration::hours(1);
    assert!(
        update(&mut model, Msg::Woke, far).effects.iter().filter_map(query).next().is_none(),
        "none that nobody sees"
    );
}

#[test]
fn the_cursor_waits_on_the_first_row_for_the_first_answers_and_no_longer() {
    let silent = |name: &str, kind| {
        let mut told = crate::tui::testing::health(name, kind);
        (told.reach, told.answered_at) = (crate::domain::source::Reach::Unasked, None);
        Fact::HealthChanged(told)
    };
    let listed = |numbers: &[u64]| Fact::IncidentsChanged {
        source: source("pagerduty"),
        changed: numbers.iter().map(|number| std::sync::Arc::new(record(*number))).collect(),
    };
    let open = || {
        let mut model = model(120, 40);
        learn(&mut model, silent("am", crate::domain::source::SourceKind::Alertmanager));
        learn(&mut model, listed(&[3]));
        assert_eq!(model.incidents.selected, Some(row(3)));
        model
    };
    let mut untouched = open();
    learn(&mut untouched, listed(&[2]));
    assert_eq!(untouched.incidents.selected, Some(row(2)), "the worst is on top, and nobody has looked yet");
    untouched.now += Duration::seconds(6);
    learn(&mut untouched, listed(&[1]));
    assert_eq!(untouched.incidents.selected, Some(row(2)), "five seconds are enough");

    let mut touched = open();
    press(&mut touched, "2");
    learn(&mut touched, listed(&[1]));
    assert_eq!(touched.incidents.selected, Some(row(3)), "a key fixes the cursor");
}
