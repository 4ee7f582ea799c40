//! Whatever comes in whatever order: nothing panics, and the cursor stays on its incident.

use std::sync::Arc;

use chrono::Duration;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::keymap::{Chord, Key};
use crate::config::theme::{Capabilities, ColourDepth, Theme};
use crate::domain::effect::{Effect, QueryId};
use crate::domain::fact::Fact;
use crate::domain::incident::Status;
use crate::tui::export::symbol;
use crate::tui::model::Size;
use crate::tui::msg::{Input, Mouse, MouseKind};
use crate::tui::testing::{alert, alerts_changed, record, scene, source};
use crate::tui::view::{RenderCache, draw};
use crate::tui::{Msg, TerminalEffect, update};

fn chord() -> impl Strategy<Value = Chord> {
    let keys = prop_oneof![
        6 => proptest::char::range('!', '~').prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        4 => prop_oneof![
            Just(Key::Enter), Just(Key::Esc), Just(Key::Tab), Just(Key::Backspace), Just(Key::Up), Just(Key::Down),
            Just(Key::Home), Just(Key::End), Just(Key::PageUp), Just(Key::PageDown), Just(Key::Left), Just(Key::Right),
            Just(Key::Delete), Just(Key::Char(' ')), (1_u8..13).prop_map(Key::F),
        ],
    ];
    (keys, prop::bool::weighted(0.1), prop::bool::weighted(0.05), prop::bool::weighted(0.1))
        .prop_map(|(key, ctrl, alt, shift)| Chord { key, ctrl, alt, shift })
}

fn input() -> impl Strategy<Value = Input> {
    let kinds = prop_oneof![
        Just(MouseKind::Press),
        Just(MouseKind::Drag),
        Just(MouseKind::Release),
        Just(MouseKind::ScrollDown),
        Just(MouseKind::ScrollUp)
    ];
    prop_oneof![
        12 => (chord(), prop::bool::weighted(0.1)).prop_map(|(chord, in_burst)| Input::Key { chord, in_burst }),
        1 => "\\PC{0,40}|[\\x00-\\x7f]{0,40}".prop_map(Input::Paste),
        2 => (kinds, 0_u16..230, 0_u16..70).prop_map(|(kind, x, y)| Input::Mouse(Mouse { kind, x, y })),
        1 => (1_u16..500, 1_u16..200).prop_map(|(width, height)| Input::Resized(Size { width, height })),
        1 => any::<bool>().prop_map(Input::Focused),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let status = prop_oneof![Just(Status::Triggered), Just(Status::Acknowledged), Just(Status::Resolved)];
    prop_oneof![
        (proptest::collection::vec((1_u64..12, status, 0_usize..4, any::<bool>()), 1..6)).prop_map(|changes| {
            let changed = changes.into_iter().map(|(number, status, rank, tied)| {
                let mut one = record(number);
                one.status = status;
                one.priority = record(rank as u64 + 1).priority;
                if tied {
                    one.keys = vec![alert(number).groups[0].key.clone()];
                }
                Arc::new(one)
            });
            Fact::IncidentsChanged { source: source("pagerduty"), changed: changed.collect() }
        }),
        proptest::collection::vec((1_u64..12, any::<bool>()), 1..6).prop_map(|numbers| {
            alerts_changed(
                numbers
                    .into_iter()
                    .map(|(number, pages)| {
                        let mut one = alert(number);
                        Arc::make_mut(&mut one.groups)[0].pages = pages;
                        one
                    })
                    .collect(),
            )
        }),
        proptest::collection::vec(1_u64..12, 1..6).prop_map(|numbers| Fact::AlertsChanged {
            cluster: source("am"),
            changed: Vec::new(),
            ended: numbers.into_iter().map(|number| alert(number).key).collect(),
            at: crate::tui::testing::instant(),
        }),
        (0_u64..40).prop_map(|id| Fact::QueryAnswered {
            id: QueryId(id),
            at: crate::tui::testing::instant(),
            result: Err(crate::domain::failure::Failure {
                kind: crate::domain::failure::FailureKind::Timeout,
                what: crate::text::Clean::new("query"),
                target: crate::text::Clean::new("prometheus"),
                cause: crate::text::Clean::new("no answer"),
                remedy: crate::text::Clean::default(),
            }),
        }),
    ]
}

fn msg() -> impl Strategy<Value = (Msg, i64)> {
    let msgs = prop_oneof![
        10 => input().prop_map(Msg::Input),
        4 => fact().prop_map(Msg::Learned),
        1 => Just(Msg::Woke),
        1 => Just(Msg::Resumed),
        1 => any::<bool>().prop_map(Msg::Slowed),
    ];
    (msgs, prop_oneof![Just(0_i64), 1..400_i64, 1_000..4_000_000_i64, -3_600_000..0_i64])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn update_and_view_take_anything_and_facts_never_move_the_cursor(
        width in 1_u16..500, height in 1_u16..200, msgs in proptest::collection::vec(msg(), 1..120),
    ) {
        let mut model = scene(width, height);
        let theme = msgs.len() % 5;
        model.theme = Arc::new(Theme::builtin(["dark", "light", "high-contrast", "colour-blind", "mono"][theme]));
        let depths = [ColourDepth::True, ColourDepth::Ansi256, ColourDepth::Ansi16, ColourDepth::Mono];
        let capabilities =
            Capabilities { colours: depths[theme % 4], is_unicode: theme != 3, has_links: theme == 1 };
        let mut cache = RenderCache::new(capabilities);
        let last = msgs.len() - 1;
        for (at, (msg, gap)) in msgs.into_iter().enumerate() {
            let now = model.now + Duration::milliseconds(gap);
            let before = model.incidents.selected.clone();
            let is_person = matches!(msg, Msg::Input(_));
            let shown = format!("{msg:?}");
            let step = update(&mut model, msg, now);
            if !is_person
                && let Some(before) = before
                && model.awaited.is_none()
            {
                let same = model.room.resolve_alias(&before);
                prop_assert_eq!(model.incidents.selected.as_ref(), Some(same), "after {}", shown);
                prop_assert!(!step.effects.iter().any(|effect| matches!(effect, Effect::Act(_))), "a fact acts: {}", shown);
            }
            // A screen of 500x200 has 100,000 cells: small ones are drawn after every message, large ones after some.
            let cells = usize::from(model.size.width) * usize::from(model.size.height);
            if at % (1 + cells / 2_000) == 0 || at == last {
                let pointed = model.incidents.selected.clone();
                let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
                draw(&model, &mut cache, &mut buffer);
                prop_assert_eq!(&pointed, &model.incidents.selected, "the view moved the cursor");
                let is_bare = |cell: &ratatui::buffer::Cell| !symbol(cell).chars().any(char::is_control);
                prop_assert!(buffer.content.iter().all(is_bare), "a control character reached a cell");
            }
            let leaves = step.terminal.iter().any(|effect| matches!(effect, TerminalEffect::Quit(_)));
            prop_assert!(!leaves || is_person);
            let wake = model.next_wake(now);
            prop_assert!(wake.is_some_and(|wake| wake <= now + Duration::minutes(1)), "{:?}", wake);
            if let (Some(row), Some(id)) = (model.incidents.row_of(&model.room, &model.incidents.selected.clone().unwrap_or(crate::tui::testing::row(1))), &model.incidents.selected) {
                prop_assert_eq!(model.incidents.get(&model.room, row), Some(model.room.resolve_alias(id)));
            }
        }
    }
}
