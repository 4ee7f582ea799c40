//! `snapshot`: one frame of the real screen after the data has arrived, as text, picture or JSON.
//!
//! The same engine, `update` and `view` as the room, without a terminal. It never acts: whatever keys are given, the
//! room is read-only unless the world is the simulated one.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::desk::{Desk, parse_span};
use super::exit::{self, Usage};
use super::{Session, demo, print, setup};
use crate::config::keymap::Chord;
use crate::config::load::Loaded;
use crate::config::theme::{Capabilities, ColourDepth};
use crate::domain::effect::Effect;
use crate::domain::fact::Fact;
use crate::domain::source::{Reach, SourceKind};
use crate::engine::Engine;
use crate::engine::runner::RunSetup;
use crate::sim::{SimOptions, serve};
use crate::text::Clean;
use crate::tui::export::{self, Page};
use crate::tui::model::{Banner, Model, PagerAccess, Size};
use crate::tui::msg::{Input, Msg};
use crate::tui::ports::{EFFECT_LANE, FACT_LANE};
use crate::tui::update::update;
use crate::tui::view::{self, RenderCache};

/// Facts come in bursts: a list, then what depends on it. When nothing came for so long, the answers are in.
const QUIET: Duration = Duration::from_millis(700);

/// Options of `snapshot`.
#[derive(Clone, Debug, clap::Args)]
pub struct SnapshotArgs {
    /// Columns and lines
    #[arg(long, value_name = "WxH", default_value = "120x40", value_parser = parse_size)]
    pub size: Size,
    /// Keys to press before, such as "j j enter"
    #[arg(long, value_name = "KEYS", value_parser = parse_keys)]
    pub keys: Option<Keys>,
    /// How the frame is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Into this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of the simulated world: no account needed
    #[arg(long)]
    pub demo: bool,
    /// Which story the simulated world tells
    #[arg(long, value_name = "NAME", requires = "demo")]
    pub scenario: Option<String>,
    /// Draw what is there after so long
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    pub timeout: Duration,
}

/// Chords in the order they are pressed.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Chord>);

/// How a frame is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The glyphs alone.
    #[default]
    Text,
    /// A picture.
    Svg,
    /// Lines and styles.
    Json,
}

fn parse_size(text: &str) -> Result<Size, String> {
    let fix = "write columns and lines from 1x1 to 500x200, such as 120x40";
    let (width, height) = text.split_once(['x', 'X']).ok_or(fix)?;
    let number = |text: &str, most: u16| text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or(fix);
    Ok(Size { width: number(width, 500)?, height: number(height, 200)? })
}

fn parse_keys(text: &str) -> Result<Keys, String> {
    let chord = |word: &str| word.parse().map_err(|_| format!("'{word}' is not a key: write j, enter, ctrl-d, f1"));
    text.split_whitespace().map(chord).collect::<Result<_, _>>().map(Keys)
}

/// Draws and prints.
///
/// # Errors
/// When nothing is configured, or the file cannot be written.
pub async fn run(session: &Session, args: SnapshotArgs) -> color_eyre::Result<i32> {
    if !args.demo {
        let mut loaded = session.load();
        // Nothing is changed anywhere, whatever is pressed.
        loaded.config.room.read_only = true;
        let desk = Desk::of(loaded.config.clone(), loaded.problems.iter().any(|problem| problem.is_error));
        desk.needs_incidents()?;
        return draw(session, &desk, loaded, None, &args).await;
    }
    let mut options = SimOptions::default();
    if let Some(scenario) = &args.scenario {
        options.scenario.clone_from(scenario);
    }
    let banner = Banner::Demo(Clean::new(&options.scenario));
    let world = serve(options).await.map_err(|cause| Usage::new(cause.to_string()))?;
    let loaded = demo::loaded(session, &world.config_toml);
    let desk = Desk::of(loaded.config.clone(), false).with_secrets(demo::secrets());
    let code = draw(session, &desk, loaded, Some(banner), &args).await;
    world.shutdown().await;
    code
}

async fn draw(
    session: &Session,
    desk: &Desk,
    loaded: Loaded,
    banner: Option<Banner>,
    args: &SnapshotArgs,
) -> color_eyre::Result<i32> {
    let mut setup = setup::setup(session, &loaded.config, loaded.problems, args.size, desk.now());
    setup.banner = banner;
    let keys = args.keys.clone().map(|Keys(keys)| keys).unwrap_or_default();
    let (model, is_complete) = arrive(Model::new(setup), desk, keys, args.timeout).await;
    write(&model, args)?;
    if !is_complete {
        print::tell(format!(
            "not everything had arrived within {} s: the frame shows what had",
            args.timeout.as_secs()
        ));
    }
    Ok(if is_complete { exit::DONE } else { exit::FAILED })
}

/// Runs engine and `update` until the answers are in, presses the keys, waits again. True when every source has
/// answered or failed.
async fn arrive(model: Model, desk: &Desk, keys: Vec<Chord>, limit: Duration) -> (Model, bool) {
    let (fact_sender, facts) = mpsc::channel(FACT_LANE);
    let (effects, effect_receiver) = mpsc::channel(EFFECT_LANE);
    let engine = Engine::start(
        Arc::clone(&desk.config),
        desk.secrets(),
        fact_sender,
        effect_receiver,
        desk.clock(),
        RunSetup::none(),
    );
    let mut stage = Stage { model, facts, effects, backlog: VecDeque::new(), until: Instant::now() + limit };
    let mut is_complete = stage.settle(desk).await;
    for chord in keys {
        stage.take(Msg::Input(Input::Key { chord, in_burst: false }), desk);
        is_complete = stage.settle(desk).await;
    }
    let Stage { model, effects, .. } = stage;
    drop(effects);
    engine.shutdown().await;
    (model, is_complete)
}

struct Stage {
    model: Model,
    facts: mpsc::Receiver<Fact>,
    effects: mpsc::Sender<Effect>,
    backlog: VecDeque<Effect>,
    until: Instant,
}

impl Stage {
    fn take(&mut self, msg: Msg, desk: &Desk) {
        let step = update(&mut self.model, msg, desk.now());
        let is_harmless = |effect: &Effect| !matches!(effect, Effect::Act(_) | Effect::Retry(_));
        let may_act = !self.model.read_only;
        self.backlog.extend(step.effects.into_iter().filter(|effect| may_act || is_harmless(effect)));
        while let Some(effect) = self.backlog.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(effect)) = self.effects.try_send(effect) {
                self.backlog.push_front(effect);
                break;
            }
        }
    }

    /// Until every source has answered or failed and no fact has come for [`QUIET`].
    async fn settle(&mut self, desk: &Desk) -> bool {
        loop {
            let quiet = (Instant::now() + QUIET).min(self.until);
            match timeout_at(quiet, self.facts.recv()).await {
                Ok(Some(fact)) => self.take(Msg::Learned(fact), desk),
                Ok(None) => return self.is_complete(desk),
                Err(_) if self.is_complete(desk) => return true,
                Err(_) if Instant::now() >= self.until => return false,
                Err(_) => {}
            }
        }
    }

    fn is_complete(&self, desk: &Desk) -> bool {
        let sources = self.model.room.sources();
        let configured = usize::from(setup::pager(&desk.config) == PagerAccess::Full) + desk.config.alertmanagers.len();
        let lists =
            sources.values().filter(|health| matches!(health.kind, SourceKind::PagerDuty | SourceKind::Alertmanager));
        let told = lists.filter(|health| !matches!(health.reach, Reach::Unasked)).count();
        let is_asking =
            sources.values().any(|health| matches!(health.reach, Reach::Unasked) && health.asking_since.is_some());
        told >= configured && !is_asking
    }
}

fn write(model: &Model, args: &SnapshotArgs) -> color_eyre::Result<()> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, args.size.width, args.size.height));
    let capabilities = Capabilities { colours: ColourDepth::True, ..Capabilities::FULL };
    view::draw(model, &mut RenderCache::new(capabilities), &mut buffer);
    let frame = match args.format {
        Format::Text => export::text(&buffer),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&export::json(&buffer))?),
        Format::Svg => export::svg(&buffer, &Page::of(&model.theme)),
    };
    match &args.output {
        Some(path) => std::fs::write(path, frame).map_err(|cause| {
            Usage::new(format!(
                "{} cannot be written: {cause}; name another file",
                Clean::new(path.display().to_string())
            ))
        })?,
        None => print::out(&frame)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_both_bounds() {
        assert_eq!(parse_size("80x24"), Ok(Size { width: 80, height: 24 }));
        for text in ["", "80", "0x24", "80x0", "501x24", "80x201", "-1x5", "axb", "80x24x1"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_chords_apart() {
        let Keys(keys) = parse_keys("j  G enter ctrl-d").unwrap();
        assert_eq!(keys.len(), 4);
        assert!(parse_keys("j nokey").is_err());
    }
}
