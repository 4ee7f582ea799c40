//! Questions, forms, pastes, results.

use std::sync::Arc;

use crate::domain::action::{Action, Delivery, Intent, Target};
use crate::domain::effect::Effect;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{OpId, SilenceId};
use crate::domain::incident::Status;
use crate::domain::silence::{Silence, SilenceState};
use crate::text::Clean;
use crate::tui::model::{Model, PagerAccess};
use crate::tui::msg::{Input, TerminalEffect};
use crate::tui::overlays::Overlay;
use crate::tui::testing::{learn, notice, press, record, row, scene, source, type_text};
use crate::tui::toast::Weight;
use crate::tui::{Msg, Step, update};

fn intents(step: &Step) -> Vec<Intent> {
    step.effects
        .iter()
        .filter_map(|effect| if let Effect::Act(intent) = effect { Some(intent.clone()) } else { None })
        .collect()
}

fn failure() -> Failure {
    Failure {
        kind: FailureKind::Refused,
        what: Clean::new("acknowledge"),
        target: Clean::new("PINC1"),
        cause: Clean::new("PagerDuty said no"),
        remedy: Clean::new("look at it there"),
    }
}

fn delivered(model: &mut Model, op: OpId, delivery: Delivery) {
    let at = model.now;
    learn(model, Fact::Delivered { op, delivery, at, opened: None });
}

/// A scene with one action that failed, and the problems view open on it.
fn failed() -> (Model, OpId) {
    let mut model = scene(120, 40);
    let [intent] = &intents(&press(&mut model, "a"))[..] else { panic!() };
    learn(&mut model, Fact::IntentRecorded(intent.clone()));
    delivered(&mut model, intent.op, Delivery::Failed { failure: failure() });
    assert_eq!(model.toasts.shown().last().map(|toast| toast.weight), Some(Weight::Error));
    press(&mut model, "!");
    (model, intent.op)
}

pub(super) fn retry() {
    let (mut model, op) = failed();
    assert!(press(&mut model, "r").effects.contains(&Effect::Retry(op)));
}

pub(super) fn edit_action() {
    let mut model = scene(120, 40);
    press(&mut model, "n");
    type_text(&mut model, "wrong");
    let [intent] = &intents(&press(&mut model, "enter"))[..] else { panic!() };
    learn(&mut model, Fact::IntentRecorded(intent.clone()));
    delivered(&mut model, intent.op, Delivery::Unknown { check: Clean::new("look") });
    press(&mut model, "!");
    press(&mut model, "e");
    type_text(&mut model, " no more");
    let step = press(&mut model, "enter");
    assert_eq!(step.effects.first(), Some(&Effect::Drop(intent.op)), "both never are on their way");
    let [anew] = &intents(&step)[..] else { panic!("{step:?}") };
    assert_eq!((&anew.action, &anew.target), (&Action::Note { text: "wrong no more".into() }, &intent.target));
    assert_ne!(anew.op, intent.op);
}

pub(super) fn undo() {
    let mut model = scene(120, 40);
    press(&mut model, "U");
    assert!(model.overlays.is_empty(), "nothing was done yet");
    let [intent] = &intents(&press(&mut model, "a"))[..] else { panic!() };
    learn(&mut model, Fact::IntentRecorded(intent.clone()));
    delivered(&mut model, intent.op, Delivery::Confirmed { says: Clean::new("acknowledged") });
    press(&mut model, "U");
    model.now += chrono::Duration::seconds(1);
    let [back] = &intents(&press(&mut model, "y"))[..] else { panic!("{:?}", model.overlays) };
    assert_eq!((&back.action, &back.target), (&Action::Trigger, &intent.target));
}

#[test]
fn u_ends_the_silence_that_was_made_last_while_it_works() {
    let mut model = scene(120, 40);
    press(&mut model, "G S down down enter");
    let [intent] = &intents(&press(&mut model, "y"))[..] else { panic!("{:?}", model.overlays) };
    let intent = intent.clone();
    let Action::Silence(silencing) = &intent.action else { panic!("{intent:?}") };
    learn(&mut model, Fact::IntentRecorded(intent.clone()));
    delivered(&mut model, intent.op, Delivery::Confirmed { says: Clean::new("silenced") });
    press(&mut model, "U");
    assert!(model.overlays.is_empty(), "Alertmanager does not list it yet: {:?}", model.overlays);
    let made = Silence {
        id: SilenceId::parse("0f6a").unwrap(),
        cluster: silencing.cluster.clone(),
        matchers: silencing.matchers.clone(),
        starts_at: model.now,
        ends_at: model.now + chrono::Duration::hours(1),
        created_by: Clean::new("ana"),
        comment: Clean::new(format!("noise [warroom {}]", intent.op)),
        state: SilenceState::Active,
    };
    let cluster = silencing.cluster.clone();
    learn(&mut model, Fact::SilencesListed { cluster: cluster.clone(), silences: vec![Arc::new(made.clone())] });
    press(&mut model, "U");
    model.now += chrono::Duration::seconds(1);
    let [back] = &intents(&press(&mut model, "y"))[..] else { panic!("{:?}", model.overlays) };
    assert_eq!(back.action, Action::Unsilence { cluster, id: made.id });
}

pub(super) fn give_up() {
    let (mut model, op) = failed();
    assert!(press(&mut model, "d").effects.contains(&Effect::Drop(op)));
}

#[test]
fn bulk_actions_share_a_batch_and_their_results_are_one_notice() {
    let mut model = scene(120, 40);
    let made = intents(&press(&mut model, "space space space a"));
    assert_eq!(made.len(), 3);
    assert!(made.iter().all(|intent| intent.batch == made[0].batch && intent.action == Action::Acknowledge));
    let targets: std::collections::BTreeSet<String> =
        made.iter().map(|intent| format!("{:?}", intent.target)).collect();
    assert_eq!(targets.len(), 3, "one for each");
    for (at, intent) in made.iter().enumerate() {
        learn(&mut model, Fact::IntentRecorded(intent.clone()));
        let says = Clean::new("acknowledged");
        let delivery = if at == 1 { Delivery::Failed { failure: failure() } } else { Delivery::Confirmed { says } };
        delivered(&mut model, intent.op, delivery);
    }
    assert_eq!(notice(&model), "acknowledge: 2 of 3 done, 1 failed – see the problems view");
}

#[test]
fn ten_targets_need_a_word() {
    let mut model = scene(120, 40);
    let changed = (6..=14).map(|number| Arc::new(record(number))).collect();
    learn(&mut model, Fact::IncidentsChanged { source: source("pagerduty"), changed });
    press(&mut model, "* R");
    assert!(intents(&press(&mut model, "y enter")).is_empty(), "y is not enough");
    press(&mut model, "backspace");
    let made = intents(&type_text(&mut model, "resolve 14"));
    assert!(made.is_empty());
    assert_eq!(intents(&press(&mut model, "enter")).len(), 14, "the alert without a record is left out");
}

#[test]
fn nothing_that_is_pasted_or_comes_in_one_piece_acts_or_confirms() {
    for text in ["y", "y\n", "yyyyyyyy", "a", "resolve 14\n", ":quit\n"] {
        let mut model = scene(120, 40);
        press(&mut model, "R");
        for input in [Input::Paste(text.to_owned())].into_iter().chain(text.chars().map(|symbol| key_of(symbol, true)))
        {
            let now = model.now + chrono::Duration::seconds(1);
            let step = update(&mut model, Msg::Input(input), now);
            assert!(intents(&step).is_empty() && step.terminal.is_empty(), "{text:?}");
        }
        assert!(matches!(model.overlays.last(), Some(Overlay::Confirm(_))), "{text:?}: the question stays");
    }
    let mut model = scene(120, 40);
    let now = model.now;
    let step = update(&mut model, Msg::Input(Input::Paste("aeRq".into())), now);
    assert!(intents(&step).is_empty() && step.terminal.is_empty());
    assert!(notice(&model).contains("a paste does nothing here"));
}

fn key_of(symbol: char, in_burst: bool) -> Input {
    use crate::config::keymap::{Chord, Key};
    let chord = if symbol == '\n' { Chord::plain(Key::Enter) } else { Chord::char(symbol) };
    Input::Key { chord, in_burst }
}

#[test]
fn an_answer_of_the_terminal_does_not_confirm() {
    // XTVERSION as crossterm takes it apart when it does not know it: alt-P, then letters.
    let mut model = scene(120, 40);
    press(&mut model, "R");
    let now = model.now + chrono::Duration::seconds(5);
    let reply = std::iter::once(Input::Key {
        chord: crate::config::keymap::Chord { alt: true, ..crate::config::keymap::Chord::char('P') },
        in_burst: true,
    })
    .chain(">|xterm-y(390)".chars().map(|symbol| key_of(symbol, true)));
    for input in reply {
        assert!(intents(&update(&mut model, Msg::Input(input), now)).is_empty());
    }
    assert_eq!(model.overlays.len(), 1);
}

#[test]
fn the_target_is_fixed_when_the_key_is_pressed_and_the_list_stands_still() {
    let mut model = scene(120, 40);
    press(&mut model, "j R");
    let before = model.incidents.visible(&model.room, 20);
    // Everything changes under the question: another critical incident, and the target is resolved elsewhere.
    let mut worse = record(9);
    worse.priority = record(1).priority;
    let mut over = record(2);
    over.status = Status::Resolved;
    learn(
        &mut model,
        Fact::IncidentsChanged { source: source("pagerduty"), changed: vec![Arc::new(worse), Arc::new(over)] },
    );
    assert_eq!(model.incidents.visible(&model.room, 20), before);
    let made = intents(&press(&mut model, "y"));
    assert!(matches!(&made[..], [Intent { target: Target::Incident { id, .. }, .. }] if *id == row(2)), "{made:?}");
    assert_ne!(model.incidents.visible(&model.room, 20), before, "it moves again");
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut read_only = scene(120, 40);
    read_only.read_only = true;
    let mut unpaged = scene(120, 40);
    unpaged.pager = PagerAccess::None;
    let mut events = scene(120, 40);
    events.pager = PagerAccess::EventsOnly;
    for (model, keys, words) in [
        (&mut read_only, "a", "Acknowledge is off: this room is read-only"),
        (&mut unpaged, "R", "Resolve: PagerDuty is not configured"),
        (&mut events, "e", "Escalate needs a REST token; this room has a routing key only"),
        (&mut scene(120, 40), "G a", "Acknowledge: only Alertmanager has this alert"),
        (&mut crate::tui::testing::model(120, 40), "a", "Acknowledge: no incident is selected"),
    ] {
        let step = press(model, keys);
        assert!(intents(&step).is_empty() && model.overlays.is_empty());
        assert!(notice(model).starts_with(words), "{keys}: {}", notice(model));
    }
}

#[test]
fn leaving_with_undelivered_actions_asks() {
    let mut model = scene(120, 40);
    let made = intents(&press(&mut model, "a"));
    learn(&mut model, Fact::IntentRecorded(made[0].clone()));
    assert!(press(&mut model, "q").terminal.is_empty());
    assert_eq!(press(&mut model, "y").terminal, [TerminalEffect::Quit(0)]);
}

#[test]
fn the_declare_form_says_what_is_missing() {
    let mut model = scene(120, 40);
    press(&mut model, "c enter");
    let Some(Overlay::Declare(form)) = model.overlays.last() else { panic!() };
    assert_eq!(form.complaint.as_ref().map(Clean::as_str), Some("a title is needed: what is broken, for whom"));
    // Letters that are commands elsewhere are text here.
    type_text(&mut model, "query");
    let Some(Overlay::Declare(form)) = model.overlays.last() else { panic!() };
    assert_eq!(form.title.text(), "query");
    // The service is chosen from a list.
    press(&mut model, "tab enter s e a r c h enter");
    let Some(Overlay::Declare(form)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
    assert_eq!(form.service.as_ref().map(|service| service.name.as_str()), Some("search"));
}

#[test]
fn letters_typed_into_the_filter_are_never_commands() {
    let mut model = scene(120, 40);
    press(&mut model, "/");
    let step = type_text(&mut model, "aeRqxz?:!");
    assert!(step.effects.iter().all(|effect| matches!(effect, Effect::Focus(_))) && step.terminal.is_empty());
    assert_eq!(model.incidents.filter.text(), "aeRqxz?:!");
    assert!(model.overlays.is_empty());
}
