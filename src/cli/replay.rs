//! `replay`: a recorded session, played on the screen, at any instant as one frame, or proved against itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::Serialize;

use super::desk::parse_span;
use super::exit::{self, Usage};
use super::snapshot::Format;
use super::{Session, print};
use crate::config::files;
use crate::config::load;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::export::{self, Page};
use crate::tui::model::{Model, Setup};
use crate::tui::recording::player::{Difference, Player};
use crate::tui::recording::{File, FileKind, Header, Recording, Start};
use crate::tui::run::playback;
use crate::tui::view::{self, RenderCache};

/// Options of `replay`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// What `warroom --record FILE` wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Begin at this instant: a span after the start such as "12m", or a time such as "2026-11-25T02:14:05Z"
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,
    /// How many times as fast as it happened
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub speed: f64,
    /// Print the frame at that instant (without --at: the last one) instead of playing
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Replay everything and compare effects and frames with what was recorded
    #[arg(long, conflicts_with_all = ["format", "at"])]
    pub verify: bool,
    /// The result of --verify for programs
    #[arg(long, requires = "verify")]
    pub json: bool,
}

/// Replays.
///
/// # Errors
/// When the file is no recording, or there is no terminal to play it on.
pub async fn run(session: &Session, args: ReplayArgs) -> color_eyre::Result<i32> {
    let recording = read(&args.file)?;
    let is_cut = recording.is_cut;
    let capabilities = recording.header.start.capabilities;
    let version = recording.header.version.clone();
    let begin = begin(session, &recording.header)?;
    let mut player = Player::new(recording, begin);
    if args.verify {
        return verify(&mut player, capabilities, &version, is_cut, args.json);
    }
    if let Some(at) = &args.at {
        player.seek(instant(at, player.span().0)?);
    }
    if let Some(format) = args.format {
        if args.at.is_none() {
            player.seek(player.span().1);
        }
        print::out(&frame(player.model(), format, capabilities)?)?;
        return Ok(exit::DONE);
    }
    if !std::io::IsTerminal::is_terminal(&std::io::stdin()) || !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        return Err(Usage::new("playing needs a terminal; for pipes there are --format text and --verify").into());
    }
    player.set_speed(args.speed);
    player.is_playing = true;
    let here = crate::config::theme::Capabilities::detect(super::session::environment);
    Ok(playback::play(player, RenderCache::new(here)).await?)
}

fn read(path: &Path) -> Result<Recording, Usage> {
    let name = Clean::new(path.display().to_string());
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Usage::new(format!("{name} cannot be read: {cause}; name a file of 'warroom --record'")))?;
    Recording::read(&text).map_err(|cause| Usage::new(format!("{name}: {cause}")))
}

fn instant(text: &str, first: Timestamp) -> Result<Timestamp, Usage> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let span = parse_span(text).ok().and_then(|span| chrono::Duration::from_std(span).ok());
    span.and_then(|span| first.checked_add_signed(span))
        .ok_or_else(|| Usage::new(format!("'{}' is no instant: write 12m or 2026-11-25T02:14:05Z", Clean::new(text))))
}

/// The header of a recording that is about to begin.
#[must_use]
pub(super) fn header(config: &crate::config::Config, start: Start, config_text: String) -> Header {
    let mut documents = vec![File { kind: FileKind::Config, name: "config.toml".to_owned(), text: config_text }];
    let read = |kind, found: Vec<(PathBuf, String)>| {
        found.into_iter().map(move |(path, text)| File {
            kind,
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            text,
        })
    };
    let (dashboards, runbooks) = files::user_documents(config);
    documents.extend(read(FileKind::Dashboard, dashboards));
    documents.extend(read(FileKind::Runbook, runbooks));
    Header { form: crate::tui::recording::FORM, version: env!("CARGO_PKG_VERSION").to_owned(), start, files: documents }
}

/// How the session's model is made again, as often as the player goes back.
fn begin(session: &Session, header: &Header) -> color_eyre::Result<Box<dyn Fn() -> Model>> {
    let folder = tempfolder()?;
    let mut config = session.defaults();
    for kind in [FileKind::Dashboard, FileKind::Runbook] {
        std::fs::create_dir_all(folder.join(word(kind)))?;
    }
    for (at, file) in header.files.iter().enumerate() {
        if file.kind == FileKind::Config {
            load::over(&mut config, &folder.join("config.toml"), file.text.as_bytes(), &|_| None);
            continue;
        }
        // Names come from the recording: only their last part counts, and a number keeps equal ones apart and in order.
        let name = Path::new(&file.name).file_name().map(|name| name.to_string_lossy().into_owned());
        let own = folder.join(word(file.kind)).join(format!("{at:04}"));
        std::fs::create_dir_all(&own)?;
        std::fs::write(own.join(name.unwrap_or_else(|| "unnamed".to_owned())), &file.text)?;
    }
    config.dashboard_dirs = vec![folder.join(word(FileKind::Dashboard))];
    config.runbook_dirs = vec![folder.join(word(FileKind::Runbook))];
    let dashboards: Arc<[_]> = files::dashboards(&config).0.into();
    let runbooks: Arc<[_]> = files::runbooks(&config).0.into();
    std::fs::remove_dir_all(&folder)?;
    let (start, services) = (header.start.clone(), Arc::from(config.services.clone()));
    let themes: Vec<_> = start.themes.iter().cloned().map(Arc::new).collect();
    let keymap = Arc::new(start.keymap.clone());
    Ok(Box::new(move || {
        Model::new(Setup {
            room: Room::new(config.room_settings()),
            size: start.size,
            now: start.now,
            seed: start.seed,
            room_name: start.room_name.clone(),
            operator: start.operator.clone(),
            zone: start.zone,
            read_only: start.read_only,
            bell: start.bell,
            pager: start.pager,
            banner: start.banner.clone(),
            themes: themes.clone(),
            keymap: Arc::clone(&keymap),
            problems: start.problems.clone(),
            dashboards: Arc::clone(&dashboards),
            runbooks: Arc::clone(&runbooks),
            services: Arc::clone(&services),
            severities: config.severities.clone(),
            prometheus: config.prometheus.clone(),
            roles: config.roles.clone(),
        })
    }))
}

fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Config => "config",
        FileKind::Dashboard => "dashboards",
        FileKind::Runbook => "runbooks",
    }
}

/// A new folder for the recording's documents, which are read once and removed.
fn tempfolder() -> std::io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder =
        std::env::temp_dir().join(format!("warroom-replay-{}-{:08x}", std::process::id(), rand::random::<u32>()));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

fn frame(
    model: &Model,
    format: Format,
    capabilities: crate::config::theme::Capabilities,
) -> color_eyre::Result<String> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    view::draw(model, &mut RenderCache::new(capabilities), &mut buffer);
    Ok(match format {
        Format::Text => export::text(&buffer),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&export::json(&buffer))?),
        Format::Svg => export::svg(&buffer, &Page::of(&model.theme)),
    })
}

#[derive(Serialize)]
struct Verdict {
    same: bool,
    complete: bool,
    messages: u64,
    frames: u64,
    recorded_by: String,
    difference: Option<String>,
}

fn verify(
    player: &mut Player,
    capabilities: crate::config::theme::Capabilities,
    version: &str,
    is_cut: bool,
    is_json: bool,
) -> color_eyre::Result<i32> {
    let mut cache = RenderCache::new(capabilities);
    let proof = player.prove(|model| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
        view::draw(model, &mut cache, &mut buffer);
        export::text(&buffer)
    });
    let difference = proof.difference.as_ref().map(|difference| match difference {
        Difference::Frame { after, .. } => format!("another frame after message {after}"),
        Difference::Effects { .. } => "other effects".to_owned(),
        Difference::Messages { recorded, found } => format!("{found} messages of {recorded}"),
    });
    let is_same = difference.is_none();
    let verdict = Verdict {
        same: is_same,
        complete: !is_cut,
        messages: proof.messages,
        frames: proof.frames,
        recorded_by: version.to_owned(),
        difference,
    };
    if is_json {
        print::out(&format!("{}\n", serde_json::to_string_pretty(&verdict)?))?;
    } else {
        let cut = if is_cut { "; it has no end, the console was cut off" } else { "" };
        let told = verdict.difference.map_or_else(|| "same".to_owned(), |what| format!("DIFFERENT: {what}"));
        print::out(&format!(
            "{told}: {} messages replayed, {} frames and the effects compared; recorded by {}{cut}\n",
            verdict.messages,
            verdict.frames,
            Clean::new(version)
        ))?;
    }
    Ok(if is_same { exit::DONE } else { exit::FAILED })
}
