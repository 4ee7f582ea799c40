use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::player::{Difference, Player};
use super::*;
use crate::config::keymap::Chord;
use crate::tui::export;
use crate::tui::model::Model;
use crate::tui::msg::Input;
use crate::tui::testing::{after, instant, setup, world};
use crate::tui::update::update;
use crate::tui::view::{self, RenderCache};

fn draw(model: &Model) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    view::draw(model, &mut RenderCache::new(Capabilities::FULL), &mut buffer);
    export::text(&buffer)
}

fn key(text: &str) -> Msg {
    let chord: Chord = text.parse().unwrap();
    Msg::Input(Input::Key { chord, in_burst: false })
}

/// A session as the loop writes it: every message, a frame after each, the end.
fn record(messages: Vec<Msg>) -> String {
    let start = setup(100, 30);
    let header = Header {
        form: FORM,
        version: "test".to_owned(),
        start: Start::of(&start, Capabilities::FULL),
        files: Vec::new(),
    };
    let mut model = Model::new(start);
    let mut effects = EffectHash::default();
    let mut text = format!("{}\n", serde_json::to_string(&header).unwrap());
    let count = messages.len() as u64;
    for (msg, second) in messages.into_iter().zip(1..) {
        let at = after(second);
        let step = update(&mut model, msg.clone(), at);
        effects.add(&step.effects);
        for line in [Line::Took(Taken { at, msg }), Line::Drew { frame: frame_hash(&draw(&model)) }] {
            text += &format!("{}\n", serde_json::to_string(&line).unwrap());
        }
    }
    let end = Line::Ended { messages: count, effects: effects.hash() };
    text + &format!("{}\n", serde_json::to_string(&end).unwrap())
}

fn session() -> Vec<Msg> {
    let facts = world().into_iter().map(Msg::Learned);
    facts.chain(["j", "j", "a", "k", "/", "d", "enter", "z", "tab", "e"].map(key)).collect()
}

fn player(text: &str) -> Player {
    Player::new(Recording::read(text).unwrap(), Box::new(|| Model::new(setup(100, 30))))
}

#[test]
fn a_session_replays_to_the_same_effects_and_frames() {
    let text = record(session());
    let proof = player(&text).prove(draw);
    assert_eq!(proof.difference, None);
    assert_eq!((proof.messages, proof.frames), (20, 20));
}

#[test]
fn a_session_that_was_changed_is_told() {
    let text = record(session());
    let other_key = text.replace(r#"{"chord":"a","#, r#"{"chord":"k","#);
    assert_ne!(text, other_key);
    assert!(matches!(player(&other_key).prove(draw).difference, Some(Difference::Frame { after: 13, .. })));
    let fewer: String =
        text.lines().filter(|line| !line.contains(r#""chord":"z""#)).map(|l| format!("{l}\n")).collect();
    assert!(player(&fewer).prove(draw).difference.is_some());
}

#[test]
fn any_instant_can_be_sought_in_any_order() {
    let text = record(session());
    let mut straight = player(&text);
    let frames: Vec<String> = (0..=20)
        .map(|second| {
            straight.seek(after(second));
            draw(straight.model())
        })
        .collect();
    let mut hopping = player(&text);
    for second in [20, 3, 17, 0, 11, 10, 12] {
        hopping.seek(after(second));
        let second = usize::try_from(second).unwrap().max(1);
        assert_eq!(draw(hopping.model()), frames[second], "second {second}");
    }
    hopping.seek(after(12));
    hopping.forward();
    assert_eq!(draw(hopping.model()), frames[13]);
    hopping.back();
    assert_eq!(draw(hopping.model()), frames[12]);
}

#[test]
fn time_passes_at_the_chosen_speed_and_ends() {
    let mut player = player(&record(session()));
    assert_eq!(player.span(), (after(1), after(20)));
    player.pass(Duration::from_secs(5));
    assert_eq!(player.position(), instant(), "it stands still until it is started");
    player.is_playing = true;
    player.change_speed(true);
    assert_eq!(player.wait(), Some(Duration::from_millis(500)));
    player.pass(Duration::from_secs(5));
    assert_eq!(player.position(), after(10));
    player.pass(Duration::from_secs(50));
    assert!(player.is_over() && !player.is_playing);
    assert_eq!(player.wait(), None);
}

#[test]
fn what_is_no_recording_is_told_and_a_cut_one_replays_up_to_there() {
    let text = record(session());
    assert!(matches!(Recording::read(""), Err(Unreadable::NotARecording(_))));
    assert!(matches!(Recording::read("{\"a\":1}\n"), Err(Unreadable::NotARecording(_))));
    let newer = text.replacen("\"form\":1", "\"form\":9", 1);
    assert_eq!(Recording::read(&newer).err(), Some(Unreadable::Newer(9)));
    let damaged = text.replacen("{\"took\"", "{\"tkoo\"", 1);
    assert!(matches!(Recording::read(&damaged), Err(Unreadable::Line(2, _))));
    let cut = Recording::read(text.get(..text.len() - 40).unwrap()).unwrap();
    assert!(cut.is_cut && cut.lines.len() == 40);
    assert!(!Recording::read(&text).unwrap().is_cut);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is pressed, the recording proves itself.
    #[test]
    fn any_keys_replay(keys in proptest::collection::vec("[a-zA-Z /?:]|enter|esc|tab|space", 0..40)) {
        let keys: Vec<Msg> = keys.iter().filter(|key| !key.trim().is_empty()).map(|text| key(text)).collect();
        let text = record(world().into_iter().map(Msg::Learned).chain(keys).collect());
        prop_assert_eq!(player(&text).prove(draw).difference, None);
    }
}
