//! Fault scripts: which provider misbehaves, how, and how often; the same seed gives the same faults to the same
//! sequence of requests.
//!
//! ```text
//! pagerduty=429:0.1,alertmanager=slow:3s,prometheus=500:0.05,html,truncate:0.2,hang,reset
//! ```
//! An item without a provider belongs to the provider before it (`all` at the beginning). A number is an HTTP status.

use std::fmt;
use std::time::Duration;

use super::dice::Dice;

/// The providers a script can name.
pub const PROVIDERS: [&str; 6] = ["all", "pagerduty", "events", "alertmanager", "alertmanager-2", "prometheus"];

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status and the provider's error body; nothing is done.
    Status(u16),
    /// Answered after so long.
    Slow(Duration),
    /// A proxy's HTML page with status 502.
    Html,
    /// A proxy's HTML page with status 200.
    HtmlOk,
    /// Half of the announced bytes, then the connection closes.
    Truncate,
    /// Half of the document as a whole HTTP answer.
    Cut,
    /// Never answered.
    Hang,
    /// The connection closes without an answer, and nothing is done.
    Reset,
    /// What was asked is done, and then the connection closes without an answer.
    Lost,
    /// Status 200 and no body.
    Empty,
    /// The answer is followed by 64 MiB of spaces.
    Oversize,
}

#[derive(Clone, Debug, PartialEq)]
struct FaultRule {
    provider: String,
    fault: Fault,
    probability: f64,
}

/// A script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultScript {
    rules: Vec<FaultRule>,
}

/// An unreadable script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "fault '{item}' is not understood: {reason}; write PROVIDER=KIND[:ARGUMENT][:PROBABILITY], PROVIDER one of {}, KIND an \
     HTTP status, slow:3s, html, html-ok, truncate, cut, hang, reset, lost, empty or oversize",
    PROVIDERS.join(", ")
)]
pub struct FaultError {
    item: String,
    reason: String,
}

impl std::str::FromStr for FaultScript {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut rules = Vec::new();
        let mut provider = "all".to_owned();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty() && *item != "none") {
            let refuse = |reason: &str| FaultError { item: item.to_owned(), reason: reason.to_owned() };
            let mut kind = item;
            if let Some((name, rest)) = item.split_once('=') {
                if !PROVIDERS.contains(&name) {
                    return Err(refuse("no such provider"));
                }
                name.clone_into(&mut provider);
                kind = rest;
            }
            let (fault, probability) = parse_kind(kind).map_err(|reason| refuse(&reason))?;
            rules.push(FaultRule { provider: provider.clone(), fault, probability });
        }
        Ok(Self { rules })
    }
}

fn parse_kind(text: &str) -> Result<(Fault, f64), String> {
    let mut parts = text.split(':');
    let kind = parts.next().unwrap_or_default();
    let fault = match kind {
        "slow" => {
            let span = parts.next().ok_or("slow needs a span such as slow:3s")?;
            Fault::Slow(humantime::parse_duration(span).map_err(|error| error.to_string())?)
        }
        "html" => Fault::Html,
        "html-ok" => Fault::HtmlOk,
        "truncate" => Fault::Truncate,
        "cut" => Fault::Cut,
        "hang" => Fault::Hang,
        "reset" => Fault::Reset,
        "lost" => Fault::Lost,
        "empty" => Fault::Empty,
        "oversize" => Fault::Oversize,
        _ => match kind.parse::<u16>() {
            Ok(status @ 400..=599) => Fault::Status(status),
            _ => return Err("no such kind".to_owned()),
        },
    };
    let probability = match parts.next() {
        None => 1.0,
        Some(word) => match word.parse::<f64>() {
            Ok(value) if (0.0..=1.0).contains(&value) => value,
            _ => return Err(format!("'{word}' is not a probability between 0 and 1")),
        },
    };
    if parts.next().is_some() {
        return Err("there is too much behind the colon".to_owned());
    }
    Ok((fault, probability))
}

impl fmt::Display for FaultScript {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{}=", rule.provider)?;
            match rule.fault {
                Fault::Status(status) => write!(out, "{status}")?,
                Fault::Slow(span) => {
                    write!(out, "slow:{}", humantime::format_duration(span).to_string().replace(' ', ""))?
                }
                Fault::Html => write!(out, "html")?,
                Fault::HtmlOk => write!(out, "html-ok")?,
                Fault::Truncate => write!(out, "truncate")?,
                Fault::Cut => write!(out, "cut")?,
                Fault::Hang => write!(out, "hang")?,
                Fault::Reset => write!(out, "reset")?,
                Fault::Lost => write!(out, "lost")?,
                Fault::Empty => write!(out, "empty")?,
                Fault::Oversize => write!(out, "oversize")?,
            }
            if rule.probability < 1.0 {
                write!(out, ":{}", rule.probability)?;
            }
        }
        Ok(())
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draw {
    /// It waits so long first.
    pub delay: Duration,
    /// Then this goes wrong.
    pub fault: Option<Fault>,
}

/// A script in force.
#[derive(Clone, Debug)]
pub struct Faults {
    script: FaultScript,
    dice: Dice,
}

impl Faults {
    /// A script thrown with `seed`.
    pub fn new(script: FaultScript, seed: u64) -> Self {
        Self { script, dice: Dice::new(seed, "faults") }
    }

    /// The script in force.
    pub fn script(&self) -> &FaultScript {
        &self.script
    }

    /// Another script from now on.
    pub fn set(&mut self, script: FaultScript) {
        self.script = script;
    }

    /// What happens to the next request of `provider`. Spans add up; of the others the first one that hits counts.
    pub fn draw(&mut self, provider: &str) -> Draw {
        let mut draw = Draw::default();
        for rule in self.script.rules.iter().filter(|rule| rule.provider == provider || rule.provider == "all") {
            if self.dice.unit() >= rule.probability {
                continue;
            }
            match rule.fault {
                Fault::Slow(span) => draw.delay += span,
                fault => draw.fault = draw.fault.or(Some(fault)),
            }
        }
        draw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_scripts() {
        let text = "pagerduty=429:0.1,alertmanager=slow:3s,prometheus=500:0.05,html,truncate,hang,reset";
        let script: FaultScript = text.parse().unwrap();
        assert_eq!(script.rules.len(), 7);
        assert_eq!(script.rules[6], FaultRule { provider: "prometheus".into(), fault: Fault::Reset, probability: 1.0 });
        assert_eq!(script.to_string().parse::<FaultScript>().unwrap(), script);
        assert_eq!("none".parse::<FaultScript>().unwrap(), FaultScript::default());
    }

    #[test]
    fn refuses_nonsense_with_a_reason() {
        for (text, reason) in [
            ("pagerdutty=429", "no such provider"),
            ("pagerduty=200", "no such kind"),
            ("pagerduty=slow", "slow needs a span"),
            ("pagerduty=429:2", "'2' is not a probability"),
            ("pagerduty=429:0.1:7", "too much"),
        ] {
            let error = text.parse::<FaultScript>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_at_the_asked_rate() {
        let run = |seed| {
            let mut faults = Faults::new("pagerduty=429:0.25,slow:1s:0.5".parse().unwrap(), seed);
            (0..4000).map(|_| faults.draw("pagerduty")).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let hits = run(3).iter().filter(|draw| draw.fault.is_some()).count();
        assert!((850..1150).contains(&hits), "{hits} of 4000 at a quarter");
        let mut faults = Faults::new("pagerduty=429".parse().unwrap(), 1);
        assert_eq!(faults.draw("prometheus"), Draw::default());
    }
}
