//! The simulated world, served on loopback: prints the configuration that connects to it, then serves until a signal.

use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::ValueEnum;

use super::Session;
use super::exit::{self, Usage};
use crate::sim::alerting::Shape;
use crate::sim::faults::FaultScript;
use crate::sim::{SimOptions, scenario};

/// Options of `simulate`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SimulateArgs {
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Which story the world tells; 'list' prints all of them [default: friday-night]
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Seed of everything random in the world [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What goes wrong, such as pagerduty=429:0.1,alertmanager=slow:3s,prometheus=500:0.05,truncate:0.1
    #[arg(long, value_name = "SCRIPT", default_value = "none")]
    pub faults: String,
    /// Serve https with a throw-away authority, whose certificate is written to a file
    #[arg(long)]
    pub tls: bool,
    /// Where --tls writes the authority's certificate [default: a file in the temporary folder]
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub ca_file: Option<PathBuf>,
    /// How many times as fast as real time; 0 stands still
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub speed: f64,
    /// Which Alertmanager is played
    #[arg(long, value_name = "VERSION", default_value = "current")]
    pub alertmanager: AlertmanagerShape,
    /// How many alerts the scenario's storm has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=200_000))]
    pub storm: Option<u32>,
}

/// Versions of Alertmanager that can be played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AlertmanagerShape {
    /// 0.34.
    #[default]
    Current,
    /// As in Debian 12.
    #[value(name = "0.25")]
    Old,
}

/// The simulator's options for a scenario and a seed, as `simulate` and `demo` share them.
///
/// # Errors
/// [`Usage`] when there is no such scenario; it names the nearest one.
pub fn options(scenario: Option<&str>, seed: Option<u64>) -> Result<SimOptions, Usage> {
    let defaults = SimOptions::default();
    let name = scenario.unwrap_or(&defaults.scenario).to_owned();
    if !scenario::is_known(&name) {
        let near = scenario::SCENARIOS.iter().map(|(known, _)| (strsim::jaro_winkler(known, &name), *known));
        let near = near.filter(|(likeness, _)| *likeness > 0.75).max_by(|a, b| a.0.total_cmp(&b.0));
        let all: Vec<&str> = scenario::SCENARIOS.iter().map(|(known, _)| *known).collect();
        let hint =
            near.map_or_else(|| format!("one of {}", all.join(", ")), |(_, known)| format!("did you mean '{known}'?"));
        return Err(Usage::new(format!("there is no scenario '{name}'; {hint}")));
    }
    Ok(SimOptions { scenario: name, seed: seed.unwrap_or(defaults.seed), ..defaults })
}

/// Serves until a signal.
///
/// # Errors
/// When the address cannot be listened on, and when an option is not understood.
pub async fn run(_session: &Session, args: SimulateArgs) -> color_eyre::Result<i32> {
    if args.scenario.as_deref() == Some("list") {
        let lines = scenario::SCENARIOS.iter().map(|(name, what)| format!("{name:<24} {what}\n"));
        print(&lines.collect::<String>())?;
        return Ok(exit::DONE);
    }
    let listen = address(&args.listen)?;
    let faults: FaultScript = args.faults.parse().map_err(|error| Usage::new(format!("--faults: {error}")))?;
    if !args.speed.is_finite() || args.speed < 0.0 {
        return Err(Usage::new("--speed: a number of at least 0 is needed").into());
    }
    let options = SimOptions {
        listen,
        faults,
        tls: args.tls,
        ca_file: args.ca_file,
        speed: args.speed,
        shape: if args.alertmanager == AlertmanagerShape::Old { Shape::Old } else { Shape::Current },
        storm: args.storm.and_then(|count| usize::try_from(count).ok()),
        ..options(args.scenario.as_deref(), args.seed)?
    };
    exit::unless_signalled(async {
        let running = crate::sim::serve(options).await?;
        print(&running.config_toml)?;
        std::future::pending::<()>().await;
        running.shutdown().await;
        Ok(exit::DONE)
    })
    .await
}

fn address(text: &str) -> Result<SocketAddr, Usage> {
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| Usage::new(format!("--listen: '{text}' is no address; write 127.0.0.1:PORT")))
}

/// Writes to standard output at once: a program that reads the configuration waits for its last line.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
