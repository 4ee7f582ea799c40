//! One case for each command, by name: what its key does. A command without a case fails.

use crate::config::keymap::Context;
use crate::domain::action::Action;
use crate::domain::command::CommandId as Id;
use crate::domain::effect::Effect;
use crate::domain::id::{RunbookId, StepId};
use crate::text::Clean;
use crate::tui::command::{command, help_lines, hints};
use crate::tui::layout::Pane;
use crate::tui::model::Model;
use crate::tui::msg::TerminalEffect;
use crate::tui::overlays::{Overlay, Subject};
use crate::tui::testing::{notice, press, row, scene};
use crate::tui::{Msg, Step, update};

fn wide() -> Model {
    scene(220, 60)
}

fn selected(model: &Model) -> String {
    model.incidents.selected.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn acts(step: &Step) -> Vec<&Action> {
    step.effects
        .iter()
        .filter_map(|effect| if let Effect::Act(intent) = effect { Some(&intent.action) } else { None })
        .collect()
}

fn pressed(keys: &str) -> (Model, Step) {
    let mut model = wide();
    let step = press(&mut model, keys);
    (model, step)
}

fn confirm_title(model: &Model) -> String {
    match model.overlays.last() {
        Some(Overlay::Confirm(confirm)) => confirm.title.as_str().to_owned(),
        other => panic!("no question but {other:?}"),
    }
}

fn runbook() -> crate::runbook::Runbook {
    let text = "# Checkout errors\n\n- [ ] Look at the deploys\n- [ ] Roll back\n";
    let (mut runbooks, _) = crate::runbook::read("checkout.md", text.as_bytes());
    runbooks.remove(0)
}

fn with_runbook() -> Model {
    let mut model = wide();
    model.runbooks = std::sync::Arc::from([runbook()]);
    press(&mut model, "b enter 4");
    assert_eq!(model.runbook.shown, Some(0));
    model
}

fn later(key: &str, words: &str) {
    let (model, step) = pressed(key);
    assert!(notice(&model).contains(words), "{key}: {}", notice(&model));
    assert!(acts(&step).is_empty());
}

const CASES: &[(Id, fn())] = &[
    (Id::MoveDown, || assert_eq!(selected(&pressed("j").0), "pd:PINC2")),
    (Id::MoveUp, || assert_eq!(selected(&pressed("j j k").0), "pd:PINC2")),
    (Id::MoveFirst, || assert_eq!(selected(&pressed("j j g").0), "pd:PINC1")),
    (Id::MoveLast, || assert_eq!(pressed("G").0.incidents.row, 5)),
    (Id::PageDown, || assert_eq!(pressed("pagedown").0.incidents.row, 5)),
    (Id::PageUp, || assert_eq!(pressed("G pageup").0.incidents.row, 0)),
    (Id::FocusNext, || assert_eq!(pressed("tab").0.focus, Pane::Timeline)),
    (Id::FocusPrevious, || assert_eq!(pressed("shift-tab").0.focus, Pane::Runbook)),
    (Id::FocusIncidents, || assert_eq!(pressed("3 1").0.focus, Pane::Incidents)),
    (Id::FocusTimeline, || assert_eq!(pressed("2").0.focus, Pane::Timeline)),
    (Id::FocusPanels, || assert_eq!(pressed("3").0.focus, Pane::Panels)),
    (Id::FocusRunbook, || assert_eq!(pressed("4").0.focus, Pane::Runbook)),
    (Id::Open, || {
        let (model, _) = pressed("enter");
        let Some(Overlay::Detail(detail)) = model.overlays.last() else { panic!() };
        assert_eq!(detail.subject, Subject::Incident(row(1)));
    }),
    (Id::Back, || {
        let (model, _) = pressed("space z 3 esc");
        assert!(!model.zoom && model.focus == Pane::Panels);
        let (model, _) = pressed("space space 3 esc esc");
        assert!(model.incidents.marks.is_empty() && model.focus == Pane::Incidents);
    }),
    (Id::Mark, || {
        let (model, _) = pressed("space space");
        assert_eq!(model.incidents.marks.iter().cloned().collect::<Vec<_>>(), [row(1), row(2)]);
    }),
    (Id::MarkAll, || {
        assert_eq!(pressed("*").0.incidents.marks.len(), 6);
        assert_eq!(pressed("* *").0.incidents.marks.len(), 0);
    }),
    (Id::Acknowledge, || {
        let (model, step) = pressed("a");
        assert_eq!(acts(&step), [&Action::Acknowledge]);
        assert!(model.overlays.is_empty(), "at once");
    }),
    (Id::Escalate, || {
        let (mut model, step) = pressed("e");
        assert!(acts(&step).is_empty(), "asks first");
        let Some(Overlay::Confirm(confirm)) = model.overlays.last() else { panic!() };
        let will = confirm.will[0].as_str();
        assert_eq!(will, "call level 2 of Payments: Ben Okafor – for #1001 Checkout error rate above 5 % (checkout)");
        let step = press(&mut model, "y");
        assert!(matches!(acts(&step)[..], [Action::Escalate { level: 2, .. }]));
    }),
    (Id::RunStep, super::runs::r_opens_proposes_and_runs_only_what_was_shown),
    (Id::CancelStep, super::runs::x_cancels_the_step_that_runs),
    (Id::SkipStep, super::runs::k_skips_with_a_reason),
    (Id::UndoStep, super::runs::u_takes_the_change_back_after_showing_how),
    (Id::HandRun, super::runs::h_hands_the_checklist_over),
    (Id::Resolve, || {
        let (mut model, step) = pressed("R");
        assert!(acts(&step).is_empty(), "asks first");
        assert_eq!(confirm_title(&model), "Resolve #1001 Checkout error rate above 5 % (checkout)?");
        assert_eq!(acts(&press(&mut model, "y")), [&Action::Resolve { resolution: None }]);
    }),
    (Id::Note, || {
        let (_, step) = pressed("n h i enter");
        assert_eq!(acts(&step), [&Action::Note { text: "hi".into() }]);
    }),
    (Id::NoteInEditor, || {
        let (mut model, step) = pressed("N");
        let Some(TerminalEffect::Edit { editing, text }) = step.terminal.first() else { panic!() };
        assert!(text.contains("#1001"), "{text}");
        let now = model.now;
        update(&mut model, Msg::Edited { editing: editing.clone(), text: Ok("seen\n# help".into()) }, now);
        assert_eq!(acts(&press(&mut model, "y")), [&Action::Note { text: "seen".into() }]);
    }),
    (Id::Snooze, || {
        let (_, step) = pressed("s down enter");
        assert!(matches!(acts(&step)[..], [Action::Snooze { span }] if span.0 == 1_800), "{step:?}");
    }),
    (Id::Reassign, || {
        let (mut model, step) = pressed("x b e n enter");
        assert!(acts(&step).is_empty(), "asks first");
        let Some(Overlay::Confirm(confirm)) = model.overlays.last() else { panic!() };
        assert!(confirm.will[0].as_str().contains("to Ben Okafor (now: Ana Ruiz)"), "{:?}", confirm.will);
        assert!(matches!(acts(&press(&mut model, "y"))[..], [Action::Reassign { .. }]));
    }),
    (Id::Merge, || {
        assert!(notice(&pressed("m").0).contains("mark"));
        let (mut model, _) = pressed("j space k k m");
        assert_eq!(confirm_title(&model), "Merge 1 into #1001 Checkout error rate above 5 % (checkout)?");
        assert!(matches!(acts(&press(&mut model, "y"))[..], [Action::Merge { source }] if source.as_str() == "PINC2"));
    }),
    (Id::Silence, || {
        assert!(notice(&pressed("S").0).contains("no Alertmanager"));
        let (mut model, step) = pressed("G S down down enter");
        assert!(acts(&step).is_empty(), "asks first");
        let Some(Overlay::Confirm(confirm)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
        let will: Vec<&str> = confirm.will.iter().map(Clean::as_str).collect();
        assert!(will[0].contains("in am"), "{will:?}");
        assert!(will.iter().any(|line| line.contains("alertname = NodeCPUUsageHigh")), "{will:?}");
        let step = press(&mut model, "y");
        let [Action::Silence(silencing)] = acts(&step)[..] else { panic!("{step:?}") };
        assert_eq!((silencing.span.0, silencing.cluster.as_str()), (3_600, "am"));
        assert!(silencing.matchers.iter().all(|matcher| matcher.is_equal && !matcher.is_regex));
        assert!(silencing.comment.expose().contains("(ana"), "who and for what: {:?}", silencing.comment);
    }),
    (Id::Declare, || {
        let (mut model, step) = pressed("c D B space d o w n enter");
        assert!(acts(&step).is_empty(), "asks first");
        assert_eq!(confirm_title(&model), "Declare a new incident?");
        let step = press(&mut model, "y");
        let [Action::Declare(declaration)] = acts(&step)[..] else { panic!("{step:?}") };
        assert_eq!((declaration.title.expose(), declaration.service.name.as_str()), ("DB down", "checkout"));
    }),
    (Id::StatusUpdate, || later("u", "later version")),
    (Id::Diagnose, || later("d", "later version")),
    (Id::Review, || later("p", "later version")),
    (Id::TakeRole, || {
        let (mut model, step) = pressed("i");
        assert!(acts(&step).is_empty(), "shows who has which first");
        let step = press(&mut model, "enter");
        let (lead, me) = (Clean::new("Incident commander"), Some(model.operator.clone()));
        assert_eq!(acts(&step), [&Action::Role { role: lead, from: None, to: me }]);
    }),
    (Id::Handoff, || later("H", "later version")),
    (Id::Tick, || {
        let mut model = with_runbook();
        let step = press(&mut model, "t");
        let first: StepId = runbook().steps[0].id.clone();
        let wanted = Action::Tick { runbook: RunbookId::parse("checkout").unwrap(), step: first, done: true };
        assert_eq!(acts(&step), [&wanted]);
        assert_eq!(model.runbook.step, Some(runbook().steps[1].id.clone()), "on to the next open one");
    }),
    (Id::ChooseRunbook, || {
        let model = with_runbook();
        assert_eq!(model.runbook.chosen.len(), 1);
    }),
    (Id::Filter, || {
        let (model, _) = pressed("/ l o g i n");
        assert_eq!(model.incidents.found, Some(vec![row(3)]));
    }),
    (Id::ClearFilter, || {
        let (model, _) = pressed("/ l o g i n enter esc");
        assert_eq!(model.incidents.found, None);
        assert_eq!(selected(&model), "pd:PINC3", "the cursor stays on its incident");
    }),
    (Id::Palette, || {
        let (model, _) = pressed(": z o o m enter");
        assert!(model.zoom && model.overlays.is_empty());
    }),
    (Id::Help, || {
        assert!(matches!(pressed("?").0.overlays.last(), Some(Overlay::Help(_))));
        assert!(pressed("? ?").0.overlays.is_empty());
    }),
    (Id::Copy, || {
        let (_, step) = pressed("y");
        assert_eq!(step.terminal, [TerminalEffect::Copy("#1001 Checkout error rate above 5 % (checkout)".into())]);
    }),
    (Id::OpenLink, || {
        let (_, step) = pressed("o");
        assert_eq!(step.terminal, [TerminalEffect::OpenLink("https://acme.pagerduty.com/incidents/PINC1".into())]);
    }),
    (Id::Zoom, || assert!(pressed("z").0.zoom)),
    (Id::Widen, || assert!(pressed(">").0.splits.first > wide().splits.first)),
    (Id::Narrow, || assert!(pressed("<").0.splits.first < wide().splits.first)),
    (Id::FilterTimeline, || {
        let (model, _) = pressed("2 f tab enter");
        assert_eq!(model.timeline.hidden.len(), 1);
    }),
    (Id::RangeLonger, || assert_eq!(pressed("]").0.panels.range_chosen, Some(10_800))),
    (Id::RangeShorter, || assert_eq!(pressed("[").0.panels.range_chosen, Some(1_800))),
    (Id::Refresh, || assert!(pressed("f5").1.effects.contains(&Effect::Refresh))),
    (Id::Problems, || assert!(matches!(pressed("!").0.overlays.last(), Some(Overlay::Problems(_))))),
    (Id::Retry, super::dialogs::retry),
    (Id::GiveUp, super::dialogs::give_up),
    (Id::EditAction, super::dialogs::edit_action),
    (Id::Undo, super::dialogs::undo),
    (Id::Dismiss, || {
        let mut model = wide();
        model.toasts.say(crate::tui::toast::Weight::Error, "refused", model.now);
        press(&mut model, "esc");
        assert!(model.toasts.shown().is_empty());
    }),
    (Id::Explain, || {
        let (model, _) = pressed("E");
        let Some(Overlay::Detail(detail)) = model.overlays.last() else { panic!() };
        assert_eq!(detail.subject, Subject::Explain(row(1)));
    }),
    (Id::NextTheme, || assert_eq!(pressed("T").0.theme.name(), "light")),
    (Id::Suspend, || assert_eq!(pressed("ctrl-z").1.terminal, [TerminalEffect::Suspend])),
    (Id::Redraw, || assert_eq!(pressed("ctrl-l").1.terminal, [TerminalEffect::Redraw])),
    (Id::Quit, || assert_eq!(pressed("q").1.terminal, [TerminalEffect::Quit(0)])),
];

#[test]
fn every_command_does_what_its_name_says() {
    for id in Id::ALL {
        let case = CASES.iter().find(|(known, _)| known == id);
        let (_, case) = case.unwrap_or_else(|| panic!("no test names the command '{id}'"));
        eprintln!("{id}");
        case();
    }
}

#[test]
fn every_command_has_words_and_those_that_ask_say_so() {
    for id in Id::ALL {
        let entry = command(*id);
        assert_eq!(entry.id, *id);
        assert!(entry.help.ends_with('.') && entry.title.len() >= 2 && !entry.short.is_empty(), "{id}");
        assert!(entry.later.is_none_or(|says| says.contains("later version")), "{id}");
    }
}

#[test]
fn help_and_hints_follow_the_keymap() {
    let keymap = crate::config::keymap::Keymap::builtin("vim");
    let shown = help_lines(&keymap);
    let quit = shown.iter().find_map(|line| match line {
        crate::tui::command::HelpLine::Entry { keys, command } if command.id == Id::Quit => Some(keys.clone()),
        _ => None,
    });
    assert_eq!(quit.as_deref(), Some("q  ctrl-c  Z Z"));
    assert_eq!(hints(&keymap, Context::Incidents)[0], (Id::Acknowledge, "a".to_owned(), "ack"));
}

/// docs/keys.md is made of the table; run with `WARROOM_WRITE_DOCS=1` to write it again.
#[test]
fn the_page_of_keys_is_in_sync() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    let head = "# Keys\n\nThe default keymap, made from the command table; `?` in the room shows the one in force.\n\
                `keymap = \"vim\"` or `\"emacs\"` under `[room]` chooses another, and a file of your own in the keymaps folder of\n\
                the configuration changes single keys (see `keymaps/default.toml`).\n";
    let wanted = format!("{head}{}", crate::tui::command::markdown(&crate::config::keymap::Keymap::default()));
    #[expect(clippy::disallowed_methods, reason = "a test that writes a page when it is asked to")]
    let writes = std::env::var("WARROOM_WRITE_DOCS").is_ok();
    if writes {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "docs/keys.md is not what the command table says: run with WARROOM_WRITE_DOCS=1");
}
