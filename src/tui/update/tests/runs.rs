//! From `r` to the engine and back: what is asked, what is shown, and what a key then lets run.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::effect::Effect;
use crate::domain::fact::Fact;
use crate::domain::id::StepId;
use crate::domain::run::{
    Digest, Ending, Forecast, Happened, Inverse, Judgement, Level, Need, Outcome, Part, PlannedStep, Printed,
    ProcessMark, Proposal, Question, RunEvent, RunId, Target, Truth, Wanted, Word,
};
use crate::domain::sharing::{ConsoleId, Present};
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::testing::{learn, notice, press, scene, type_text};
use crate::tui::update::Step;

const YAML: &str = "runbooks:\n  scale:\n    title: Scale\n    steps:\n      - {name: Look, id: look, command: kubectl get pods -n shop}\n      - {name: Grow, id: grow, command: kubectl scale deployment web --replicas=4 -n shop}\n      - manual: Tell people\n";

fn room() -> Model {
    room_with(YAML)
}

fn room_with(yaml: &str) -> Model {
    let mut model = scene(220, 60);
    let (runbooks, problems) = crate::runbook::read("scale.yaml", yaml.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    model.runbooks = Arc::from(runbooks);
    press(&mut model, "b enter 4");
    assert_eq!(model.runbook.shown, Some(0));
    model
}

pub(super) fn asked(step: &Step) -> Vec<(RunId, Wanted)> {
    let order = |effect: &Effect| match effect {
        Effect::Run(order) => Some((order.run, order.what.clone())),
        _ => None,
    };
    step.effects.iter().filter_map(order).collect()
}

pub(super) fn id(step: &str) -> StepId {
    StepId::parse(step).unwrap()
}

pub(super) fn moved(model: &mut Model, run: RunId, what: Happened) {
    let event = RunEvent { run, at: model.now, by: Clean::new("ana"), what };
    learn(model, Fact::RunMoved(event));
}

/// Presses `r` in a fresh room and lets the engine open the run.
fn opened() -> (Model, RunId) {
    opened_in(room())
}

/// As [`opened`], with a runbook `scale` whose first step is `look`.
pub(super) fn opened_with(yaml: &str) -> (Model, RunId) {
    opened_in(room_with(yaml))
}

fn opened_in(mut model: Model) -> (Model, RunId) {
    let step = press(&mut model, "r");
    let orders = asked(&step);
    let [(run, Wanted::Open { runbook, situation, .. }), (_, Wanted::Propose { step: Some(first), .. })] = &orders[..]
    else {
        panic!("{orders:?}")
    };
    assert_eq!((runbook.as_str(), first.as_str()), ("scale", "look"));
    assert_eq!(situation.incident, model.incidents.selected);
    let run = *run;
    let runbook = model.runbooks[0].clone();
    let planned = |step: &crate::runbook::Step| PlannedStep {
        id: step.id.clone(),
        title: step.title.clone(),
        is_automated: step.work.runs_here(),
    };
    let what = Happened::Opened {
        incident: model.incidents.selected.clone(),
        runbook: runbook.id.clone(),
        title: runbook.title.clone(),
        content_hash: runbook.content_hash.clone(),
        steps: runbook.steps.iter().map(planned).collect(),
        is_drill: false,
    };
    moved(&mut model, run, what);
    (model, run)
}

fn proposal(run: RunId, step: &str, level: Level) -> Proposal {
    let word = |text: &str| Word { text: Clean::new(text), parts: Vec::new() };
    let mut words = vec![word("kubectl"), word("scale"), word("two words")];
    words.push(Word {
        text: Clean::new("--replicas=4"),
        parts: vec![Part {
            placeholder: Clean::new("current_replicas + 1"),
            value: Clean::new("4"),
            source: Clean::new("computed"),
        }],
    });
    Proposal {
        run,
        step: id(step),
        title: Clean::new("Grow"),
        forecast: if level == Level::Read { Forecast::WouldRun } else { Forecast::NeedsApproval },
        level,
        words,
        shell: None,
        given: Vec::new(),
        values: Vec::new(),
        judgements: Vec::new(),
        target: Target { context: Some(Clean::new("prod")), ..Target::default() },
        name: Clean::new("web"),
        warnings: vec![Clean::new("look out")],
        need: None,
        inverse: None,
        digest: Digest("a".repeat(64)),
        until: crate::tui::testing::after(120),
    }
}

fn question(model: &Model) -> (String, String) {
    let Some(Overlay::Confirm(confirm)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
    let lines: Vec<&str> = confirm.will.iter().map(Clean::as_str).collect();
    (confirm.title.to_string(), lines.join("\n"))
}

pub fn r_opens_proposes_and_runs_only_what_was_shown() {
    let (mut model, run) = opened();
    learn(&mut model, Fact::StepProposed(Box::new(proposal(run, "look", Level::Change))));
    let (title, will) = question(&model);
    assert_eq!(title, "Grow  [change]");
    assert_eq!(will, "kubectl scale 'two words' --replicas=4\n  current_replicas + 1 = 4 · computed\non context prod");
    let step = press(&mut model, "enter");
    assert!(asked(&step).is_empty(), "a change wants y");
    let step = press(&mut model, "y");
    let orders = asked(&step);
    let [(of, Wanted::Approve { step: approved, digest, .. })] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((of, approved.as_str(), digest.0.len()), (&run, "look", 64));
}

pub fn x_cancels_the_step_that_runs() {
    let (mut model, run) = opened();
    press(&mut model, "X");
    assert!(notice(&model).contains("no step runs"), "{}", notice(&model));
    running(&mut model, run, "look");
    let orders = asked(&press(&mut model, "X"));
    assert_eq!(orders, [(run, Wanted::Cancel { step: id("look") })]);
}

pub(super) fn running(model: &mut Model, run: RunId, step: &str) {
    let digest = Digest("a".repeat(64));
    let words = vec![Clean::new("kubectl"), Clean::new("scale")];
    let (level, shell, target, given) = (Level::Change, None, Clean::default(), Vec::new());
    let step = id(step);
    let what = Happened::Intended {
        step: step.clone(),
        attempt: 1,
        level,
        words,
        shell,
        digest: digest.clone(),
        target,
        given,
        lock: None,
    };
    moved(model, run, what);
    let how = crate::domain::run::Approval::Key;
    moved(model, run, Happened::Approved { step: step.clone(), digest, how });
    let process = ProcessMark { pid: 7, start_time: 1, boot: "b".to_owned(), folder: "f".to_owned() };
    moved(model, run, Happened::Started { step, process });
}

pub fn k_skips_with_a_reason() {
    let (mut model, run) = opened();
    learn(&mut model, Fact::StepProposed(Box::new(proposal(run, "look", Level::Read))));
    press(&mut model, "esc K");
    type_text(&mut model, "not today");
    let orders = asked(&press(&mut model, "enter"));
    assert_eq!(orders, [(run, Wanted::Skip { step: id("look"), reason: "not today".into() })]);
}

pub fn u_takes_the_change_back_after_showing_how() {
    let (mut model, run) = opened();
    press(&mut model, "U");
    assert!(notice(&model).contains("nothing can be taken back"), "{}", notice(&model));
    let words = ["kubectl", "scale", "deployment", "web", "--replicas=3"].map(str::to_owned).to_vec();
    let inverse = Inverse { was: Clean::new("replicas 3"), words };
    moved(&mut model, run, Happened::Remembered { step: id("grow"), inverse });
    press(&mut model, "U");
    let (_, will) = question(&model);
    assert!(will.contains("kubectl scale deployment web --replicas=3"), "{will}");
    assert_eq!(asked(&press(&mut model, "y")), [(run, Wanted::Undo { step: id("grow") })]);
}

pub fn h_hands_the_checklist_over() {
    let mut model = room();
    press(&mut model, "4 H");
    assert!(notice(&model).contains("nothing to hand over"), "{}", notice(&model));
    let (mut model, run) = opened();
    press(&mut model, "4 H");
    type_text(&mut model, "Ben");
    let orders = asked(&press(&mut model, "enter"));
    assert_eq!(orders, [(run, Wanted::HandOver { to: Clean::new("Ben") })]);
    let present = |who: &str, is_me| Present {
        console: ConsoleId(uuid::Uuid::from_u128(u128::from(is_me))),
        who: Clean::new(who),
        looking_at: None,
        since: model.now,
        is_me,
    };
    let all = vec![present("ana", true), present("Ben", false), present("Cem", false)];
    learn(&mut model, Fact::PresentListed(all));
    press(&mut model, "H");
    let Some(Overlay::Picker(picker)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
    let labels: Vec<&str> = picker.choices.iter().map(|choice| choice.label.as_str()).collect();
    assert_eq!(labels, ["Ben", "Cem"], "not oneself");
    let orders = asked(&press(&mut model, "down enter"));
    assert_eq!(orders, [(run, Wanted::HandOver { to: Clean::new("Cem") })]);
}

#[test]
fn the_output_of_a_step_is_a_page_to_scroll_search_and_copy() {
    let (mut model, run) = opened();
    press(&mut model, "4 g");
    press(&mut model, "enter");
    assert!(model.overlays.is_empty(), "nothing was printed: Enter zooms as before");
    press(&mut model, "enter");
    let lines: Vec<Clean> = (0..500).map(|number| Clean::new(format!("line {number} level=info"))).collect();
    let bytes = lines.iter().map(|line| line.as_str().len() as u64 + 1).sum();
    learn(&mut model, Fact::StepPrinted(Box::new(Printed { run, step: id("look"), lines, bytes, dropped: 0 })));
    let more = vec![Clean::new("panic: out of memory")];
    let printed = Printed { run, step: id("look"), lines: more, bytes: bytes + 1_021, dropped: 1_000 };
    learn(&mut model, Fact::StepPrinted(Box::new(printed)));
    press(&mut model, "enter");
    let text = |model: &Model| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
        let capabilities = crate::config::theme::Capabilities::FULL;
        crate::tui::view::draw(model, &mut crate::tui::view::RenderCache::new(capabilities), &mut buffer);
        crate::tui::export::text(&buffer)
    };
    let page = text(&model);
    assert!(page.contains("panic: out of memory") && page.contains("line 499"), "the newest lines first:\n{page}");
    assert!(page.contains("1000 bytes not shown"), "{page}");
    let find = |model: &mut Model, wanted: &str| {
        press(model, "/");
        type_text(model, wanted);
        press(model, "enter");
        let Some(Overlay::Detail(detail)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
        detail.offset
    };
    assert_eq!(find(&mut model, "LINE 25 "), 25, "from the top again, whatever its case");
    assert!(text(&model).contains("line 25 level"), "{}", text(&model));
    assert_eq!(find(&mut model, "level="), 25);
    assert_eq!(find(&mut model, ""), 26, "the next one");
    find(&mut model, "nowhere");
    assert!(notice(&model).contains("no line here has"), "{}", notice(&model));
    let step = press(&mut model, "y");
    let [crate::tui::msg::TerminalEffect::Copy(copied)] = &step.terminal[..] else { panic!("{step:?}") };
    assert!(copied.starts_with("line 0 ") && copied.ends_with("… 1000 bytes not shown …\npanic: out of memory\n"));
}

#[test]
fn a_destructive_step_wants_its_target_typed() {
    let (mut model, run) = opened();
    learn(&mut model, Fact::StepProposed(Box::new(proposal(run, "look", Level::Destructive))));
    assert!(asked(&press(&mut model, "y enter")).is_empty());
    press(&mut model, "backspace");
    type_text(&mut model, "web");
    let orders = asked(&press(&mut model, "enter"));
    assert!(matches!(&orders[..], [(_, Wanted::Approve { .. })]), "{orders:?}");
}

#[test]
fn an_unknown_condition_is_asked_about_and_runs_nothing() {
    let (mut model, run) = opened();
    let mut unknown = proposal(run, "look", Level::Change);
    let cause = Clean::new("cpu_usage: the query returned no series");
    unknown.forecast = Forecast::CantTell { cause: cause.clone() };
    unknown.need = Some(Need::Certainty { cause: cause.clone() });
    let truth = Truth::Unknown { cause };
    let expression = Clean::new("cpu_usage > 90%");
    unknown.judgements = vec![Judgement { question: Question::Condition, expression, truth, evidence: Vec::new() }];
    learn(&mut model, Fact::StepProposed(Box::new(unknown)));
    let Some(Overlay::Picker(picker)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
    assert!(picker.title.as_str().contains("Can't tell: cpu_usage"), "{}", picker.title);
    let labels: Vec<&str> = picker.choices.iter().map(|choice| choice.label.as_str()).collect();
    assert_eq!(labels, ["retry", "run anyway", "skip"]);
    let step = press(&mut model, "down enter");
    assert!(asked(&step).is_empty(), "a reason is wanted first");
    type_text(&mut model, "the graph says so");
    let orders = asked(&press(&mut model, "enter"));
    assert!(matches!(&orders[..], [(_, Wanted::Insist { .. })]), "{orders:?}");
}

#[test]
fn output_goes_to_its_step_and_an_unknown_end_asks_before_anything_runs_again() {
    let (mut model, run) = opened();
    running(&mut model, run, "look");
    let lines = vec![Clean::new("hello")];
    learn(&mut model, Fact::StepPrinted(Box::new(Printed { run, step: id("look"), lines, bytes: 6, dropped: 0 })));
    assert_eq!(model.runbook.outputs.of(run, &id("look")).unwrap().text(), "hello\n");
    let outcome = Outcome::Unknown { check: Clean::new("its time of 1s was up") };
    let ending = Ending::TimedOut { limit_ms: 1_000 };
    moved(&mut model, run, Happened::Finished { step: id("look"), ending, millis: 1_000, outcome });
    let step = press(&mut model, "r");
    assert!(asked(&step).is_empty(), "nothing runs again by itself: {step:?}");
    let Some(Overlay::Picker(picker)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
    assert!(picker.title.as_str().contains("its time of 1s was up"), "{}", picker.title);
}
