//! Stories: what happens in the company, beat by beat, and what ends it.
//!
//! A story is a value. It strains metrics, makes alert conditions hold, and lets colleagues act; everything else (alert
//! states, notifications, incidents, escalations) follows from the simulated Prometheus, Alertmanager and PagerDuty. A
//! story is over when it is cured: by itself at some time, some time after a person acknowledged it, or at once when its
//! remedy is applied.

mod background;
mod bad_deploy;
mod certificate_expiry;
mod database_failover;
mod flapping;
mod node_cpu;
mod program;
mod regional_outage;

use super::metrics::LabelSet;
use super::plant::Knob;
use super::ruler::Rule;

pub use program::{SCENARIOS, Scheduled, is_known, later, program};

/// An alert that a story may raise.
#[derive(Clone, Debug)]
pub struct AlertSpec {
    /// Alert name.
    pub name: &'static str,
    /// The rule's expression.
    pub expr: String,
    /// The rule's `for`, seconds.
    pub hold_s: i64,
    /// All labels but `alertname`.
    pub labels: LabelSet,
    /// Annotations.
    pub annotations: LabelSet,
    /// The expression's value while it holds.
    pub value: f64,
}

impl AlertSpec {
    /// An alert of `service`.
    pub fn new(name: &'static str, severity: &str, service: &str, summary: &str) -> Self {
        let slug = name.chars().fold(String::new(), |mut slug, c| {
            if c.is_ascii_uppercase() && !slug.is_empty() {
                slug.push('-');
            }
            slug.push(c.to_ascii_lowercase());
            slug
        });
        let mut spec = Self {
            name,
            expr: format!("{slug} > 0").replace('-', "_"),
            hold_s: 120,
            labels: LabelSet::new(),
            annotations: LabelSet::new(),
            value: 1.0,
        };
        for (name, value) in [("severity", severity), ("service", service), ("namespace", "shop")] {
            spec.labels.insert(name.to_owned(), value.to_owned());
        }
        spec.annotations.insert("summary".to_owned(), summary.to_owned());
        spec.annotations.insert("runbook_url".to_owned(), format!("https://runbooks.meridian.example/{slug}"));
        spec
    }

    /// With an expression, a `for` in seconds, and the value while it holds.
    #[must_use]
    pub fn when(mut self, expr: &str, hold_s: i64, value: f64) -> Self {
        expr.clone_into(&mut self.expr);
        (self.hold_s, self.value) = (hold_s, value);
        self
    }

    /// With another label.
    #[must_use]
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a description.
    #[must_use]
    pub fn describe(mut self, text: &str) -> Self {
        self.annotations.insert("description".to_owned(), text.to_owned());
        self
    }

    /// All labels of the alert.
    pub fn alert_labels(&self) -> LabelSet {
        let mut labels = self.labels.clone();
        labels.insert("alertname".to_owned(), self.name.to_owned());
        labels
    }

    /// The rule it comes from.
    pub fn rule(&self) -> Rule {
        let service = self.labels.get("service").map_or("", String::as_str);
        let kept = ["severity", "service"].into_iter().filter_map(|name| self.labels.get_key_value(name));
        Rule {
            group: format!("{service}.rules"),
            name: self.name.to_owned(),
            expr: self.expr.clone(),
            hold_s: self.hold_s,
            labels: kept.map(|(name, value)| (name.clone(), value.clone())).collect(),
            annotations: self.annotations.clone(),
        }
    }
}

/// Which incident a colleague means.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The one that this alert of the story opened.
    Alert(usize),
    /// The one with this key.
    Key(&'static str),
}

/// What happens in a beat. People are named by the beginning of their name; `on-call` is the incident's first assignee.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A change event; with a version, that version runs from now on.
    Change {
        /// Which service.
        service: &'static str,
        /// The version deployed.
        version: Option<&'static str>,
        /// One line.
        summary: String,
        /// Which system tells.
        source: &'static str,
    },
    /// An alert's condition begins to hold.
    Begin(usize),
    /// It holds no more.
    End(usize),
    /// A monitor that is not Prometheus sends a PagerDuty event.
    Event {
        /// Which service.
        service: &'static str,
        /// Dedup key.
        key: &'static str,
        /// One line.
        summary: String,
        /// PagerDuty's severity word.
        severity: &'static str,
    },
    /// That monitor says that it is over.
    EndEvent {
        /// Which service.
        service: &'static str,
        /// Dedup key.
        key: &'static str,
    },
    /// Somebody acknowledges, unless another person has.
    Acknowledge(Subject, &'static str),
    /// Somebody writes a note.
    Note(Subject, &'static str, String),
    /// Somebody lets it sleep for so many seconds.
    Snooze(Subject, &'static str, i64),
    /// Somebody resolves it.
    Resolve(Subject, &'static str),
    /// Somebody gives it to somebody.
    Assign(Subject, &'static str, &'static str),
    /// Somebody sets a priority.
    Priority(Subject, &'static str, &'static str),
    /// Somebody opens an incident by hand and takes it.
    Declare {
        /// Its key.
        key: &'static str,
        /// Which service.
        service: &'static str,
        /// One line.
        title: &'static str,
        /// Who.
        who: &'static str,
        /// Its priority.
        priority: &'static str,
    },
    /// Somebody silences alerts that match.
    Silence {
        /// Who.
        who: &'static str,
        /// Matchers in the filter syntax.
        matchers: Vec<&'static str>,
        /// For so many minutes.
        minutes: i64,
        /// Why.
        comment: &'static str,
    },
    /// The storm breaks loose.
    Storm,
}

/// Something that happens at its time after the story's beginning.
#[derive(Clone, Debug)]
pub struct Beat {
    /// Seconds after the beginning.
    pub at_s: i64,
    /// What.
    pub deed: Deed,
}

/// How a strain comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// It stays until the cure.
    Steady,
    /// It comes for `on_s` of every `period_s` seconds.
    Flapping {
        /// Length of a cycle.
        period_s: i64,
        /// How long of it the strain is on.
        on_s: i64,
    },
}

/// What a story does to the metrics.
#[derive(Clone, Debug)]
pub struct Strain {
    /// Service, node, region, host or queue.
    pub target: &'static str,
    /// Which knob.
    pub knob: Knob,
    /// How far it is turned at full strength.
    pub amount: f64,
    /// Seconds after the beginning.
    pub delay_s: i64,
    /// Seconds until full strength.
    pub ramp_s: i64,
    /// Seconds from the cure to nothing.
    pub relief_s: i64,
    /// How it comes and goes.
    pub pattern: Pattern,
}

impl Strain {
    /// Strength between 0 and 1 at `since_s` seconds after the beginning, `cured_s` seconds after it cured.
    pub fn strength(&self, since_s: i64, cured_s: Option<i64>) -> f64 {
        let since = since_s - self.delay_s;
        if since < 0 {
            return 0.0;
        }
        let up = if self.ramp_s == 0 { 1.0 } else { (since as f64 / self.ramp_s as f64).min(1.0) };
        let left = match cured_s {
            Some(cured) if since_s >= cured => 1.0 - (since_s - cured) as f64 / self.relief_s.max(1) as f64,
            _ => 1.0,
        };
        let on = match self.pattern {
            Pattern::Flapping { period_s, on_s } if since.rem_euclid(period_s.max(1)) >= on_s => 0.0,
            _ => 1.0,
        };
        up * left.max(0.0) * on
    }
}

/// Thousands of alerts at once.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// How many.
    pub count: usize,
    /// In which region.
    pub region: &'static str,
    /// Seconds over which they come.
    pub over_s: i64,
    /// Whether they come and go until the cure.
    pub is_churning: bool,
}

/// A story.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its name, as `/_sim/fix/NAME` takes it.
    pub name: &'static str,
    /// Its alerts.
    pub alerts: Vec<AlertSpec>,
    /// What happens, in any order.
    pub beats: Vec<Beat>,
    /// What it does to the metrics.
    pub strains: Vec<Strain>,
    /// Seconds after which it cures by itself.
    pub cure_at_s: Option<i64>,
    /// Seconds from the first acknowledgement by a person to the cure.
    pub cure_after_ack_s: Option<i64>,
    /// Seconds from the cure to the end of its alerts.
    pub clear_after_s: i64,
    /// Its storm.
    pub storm: Option<Storm>,
}

impl Story {
    /// A story in which nothing happens yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            alerts: Vec::new(),
            beats: Vec::new(),
            strains: Vec::new(),
            cure_at_s: None,
            cure_after_ack_s: None,
            clear_after_s: 120,
            storm: None,
        }
    }

    /// Adds an alert; answers its index.
    pub fn alert(&mut self, spec: AlertSpec) -> usize {
        self.alerts.push(spec);
        self.alerts.len() - 1
    }

    /// Adds a beat at so many seconds.
    pub fn at(&mut self, at_s: i64, deed: Deed) -> &mut Self {
        self.beats.push(Beat { at_s, deed });
        self
    }

    /// Adds a note.
    pub fn note(&mut self, at_s: i64, alert: usize, who: &'static str, text: &str) -> &mut Self {
        self.at(at_s, Deed::Note(Subject::Alert(alert), who, text.to_owned()))
    }

    /// Adds an acknowledgement.
    pub fn ack(&mut self, at_s: i64, alert: usize, who: &'static str) -> &mut Self {
        self.at(at_s, Deed::Acknowledge(Subject::Alert(alert), who))
    }

    /// Adds a steady strain that begins at `delay_s`, is full after `ramp_s`, and gone two minutes after the cure.
    pub fn strain(&mut self, target: &'static str, knob: Knob, amount: f64, delay_s: i64, ramp_s: i64) -> &mut Self {
        let pattern = Pattern::Steady;
        self.strains.push(Strain { target, knob, amount, delay_s, ramp_s, relief_s: 120, pattern });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strain_rises_holds_and_falls() {
        let strain = Strain {
            target: "checkout",
            knob: Knob::Errors,
            amount: 0.2,
            delay_s: 60,
            ramp_s: 100,
            relief_s: 50,
            pattern: Pattern::Steady,
        };
        for (since, cured, expected) in [
            (59, None, 0.0),
            (110, None, 0.5),
            (160, None, 1.0),
            (9_000, None, 1.0),
            (525, Some(500), 0.5),
            (550, Some(500), 0.0),
        ] {
            assert!((strain.strength(since, cured) - expected).abs() < 1e-9, "{since} {cured:?}");
        }
        let flapping = Strain { pattern: Pattern::Flapping { period_s: 100, on_s: 30 }, ramp_s: 0, ..strain };
        assert!((flapping.strength(60 + 129, None) - 1.0).abs() < 1e-9);
        assert!(flapping.strength(60 + 130, None).abs() < 1e-9);
    }

    #[test]
    fn every_alert_of_every_program_has_a_rule_that_parses_and_known_people() {
        let start = "2026-11-20T21:00:00Z".parse().unwrap();
        let company = crate::sim::company::Company::new(start);
        for name in SCENARIOS {
            for scheduled in program(name.0).unwrap() {
                for spec in &scheduled.story.alerts {
                    assert!(promql_parser::parser::parse(&spec.expr).is_ok(), "{}: {}", spec.name, spec.expr);
                    assert!(company.service_named(&spec.labels["service"]).is_some(), "{}", spec.name);
                }
                for beat in &scheduled.story.beats {
                    let who = match &beat.deed {
                        Deed::Acknowledge(_, who) | Deed::Note(_, who, _) | Deed::Snooze(_, who, _) => *who,
                        Deed::Resolve(_, who) | Deed::Priority(_, who, _) | Deed::Assign(_, _, who) => *who,
                        Deed::Declare { who, .. } | Deed::Silence { who, .. } => *who,
                        _ => continue,
                    };
                    assert!(who == "on-call" || company.person_named(who).is_some(), "{}: {who}", scheduled.story.name);
                }
            }
        }
    }
}
