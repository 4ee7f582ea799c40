//! The simulated world: one company, its alerts, its incidents and its metrics, moved on by instants.
//!
//! Pure and deterministic: no clock, no socket, no randomness but the seed's. [`World::advance`] is the only way time
//! passes; everything due on the way happens at its own instant, in a fixed order: stories, rules, Alertmanager,
//! PagerDuty, and then the scrape that sees the result.

mod teller;

use std::fmt::Write as _;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::alerting::route::company_tree;
use super::alerting::{Alerting, AmAlert, Notification, Shape};
use super::company::Company;
use super::metrics::{LabelSet, Metrics, SCRAPE_MS};
use super::pager::Pager;
use super::pager::model::{Event, EventAction};
use super::plant::{Conditions, Knob, Plant};
use super::ruler::{RuleChange, Ruler};
use crate::domain::time::Timestamp;
use teller::Teller;

/// How far back incidents exist, whatever the metrics' history.
const PAST: TimeDelta = TimeDelta::hours(27);
/// External label that Prometheus adds on the way to Alertmanager; its own series do not have it.
const EXTERNAL: (&str, &str) = ("env", "production");

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// Seed of everything that is chance.
    pub seed: u64,
    /// Which scenario is told; nothing happens in an unknown one.
    pub scenario: String,
    /// The instant at which people start to look.
    pub start: Timestamp,
    /// How much of the past the metrics have.
    pub history: TimeDelta,
    /// Which Alertmanager is played.
    pub shape: Shape,
    /// Alerts of the scenario's storm, when not the scenario's own number.
    pub storm: Option<usize>,
}

impl WorldOptions {
    /// The default mix of stories, seen from `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            seed: 1,
            scenario: "friday-night".to_owned(),
            start,
            history: TimeDelta::minutes(390),
            shape: Shape::Current,
            storm: None,
        }
    }
}

/// The world.
#[derive(Debug)]
pub struct World {
    options: WorldOptions,
    now: Timestamp,
    metrics: Metrics,
    plant: Plant,
    ruler: Ruler,
    alerting: Alerting,
    pager: Pager,
    teller: Teller,
    told: Vec<(Timestamp, String)>,
}

impl World {
    /// A world at its start, history included.
    pub fn new(options: WorldOptions) -> Self {
        let start = options.start;
        let begins = start - PAST.max(options.history);
        let company = Company::new(start);
        let services: Vec<&str> = company.services.iter().map(|service| service.name).collect();
        let mut metrics = Metrics::default();
        let plant = Plant::new(&mut metrics);
        let alerting = Alerting::new(company_tree(&services), options.seed, options.shape);
        let mut pager = Pager::new(company, options.seed, begins);
        pager.set_now(begins);
        let teller = Teller::new(&options);
        let ruler = Ruler::default();
        let mut world = Self { options, now: begins, metrics, plant, ruler, alerting, pager, teller, told: Vec::new() };
        world.advance(start);
        world
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The options it was made from.
    pub fn options(&self) -> &WorldOptions {
        &self.options
    }

    /// What Prometheus has scraped.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Prometheus's alerting rules and active alerts.
    pub fn ruler(&self) -> &Ruler {
        &self.ruler
    }

    /// Alertmanager.
    pub fn alerting(&self) -> &Alerting {
        &self.alerting
    }

    /// Alertmanager, to act on it.
    pub fn alerting_mut(&mut self) -> &mut Alerting {
        &mut self.alerting
    }

    /// PagerDuty.
    pub fn pager(&self) -> &Pager {
        &self.pager
    }

    /// PagerDuty, to act on it.
    pub fn pager_mut(&mut self) -> &mut Pager {
        &mut self.pager
    }

    /// Stories that have begun: name, whether it is over.
    pub fn stories(&self) -> impl Iterator<Item = (&'static str, bool)> + '_ {
        self.teller.stories(self.now)
    }

    /// Applies a story's remedy: it cures now. Answers false when no such story goes on.
    pub fn fix(&mut self, story: &str) -> bool {
        self.teller.cure_named(story, self.now)
    }

    /// Lets time pass until `to`; an earlier instant changes nothing.
    pub fn advance(&mut self, to: Timestamp) {
        self.teller.look_for_acknowledgements(&self.alerting, &self.pager, self.now);
        while let Some(at) = self.next_due().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = self.now.max(to);
        self.pager.set_now(self.now);
    }

    fn step(&mut self) {
        let now = self.now;
        self.pager.set_now(now);
        self.tell_stories();
        for change in self.ruler.run(now) {
            self.carry(change);
        }
        for notification in self.alerting.run(now) {
            self.told.push((
                now,
                format!("{} {} {}", notification.receiver, notification.is_trigger, notification.dedup_key),
            ));
            self.send(notification);
        }
        self.pager.run();
        self.teller.look_for_acknowledgements(&self.alerting, &self.pager, now);
        let at_ms = now.timestamp_millis();
        if at_ms.rem_euclid(SCRAPE_MS) == 0 && now + self.options.history >= self.options.start {
            let conditions = self.conditions();
            self.plant.scrape(&mut self.metrics, &self.ruler, &conditions, at_ms);
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        let first_scrape = (self.options.start - self.options.history).timestamp_millis() - 1;
        let after = self.now.timestamp_millis().max(first_scrape);
        let scrape = Timestamp::from_timestamp_millis((after.div_euclid(SCRAPE_MS) + 1) * SCRAPE_MS);
        let due =
            [scrape, self.teller.next_due(), self.ruler.next_due(), self.alerting.next_due(), self.pager.next_due()];
        due.into_iter().flatten().min()
    }

    /// What all stories do to the metrics now.
    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        for (strain, strength) in self.teller.strains(self.now) {
            if strain.knob == Knob::CertExpiry {
                conditions.add(strain.target, strain.knob, self.options.start.timestamp() as f64 + strain.amount);
            } else {
                conditions.add(strain.target, strain.knob, strain.amount * strength);
            }
        }
        conditions
    }

    /// Prometheus tells Alertmanager.
    fn carry(&mut self, change: RuleChange) {
        let outward = |labels: &LabelSet| {
            let mut labels = labels.clone();
            labels.insert(EXTERNAL.0.to_owned(), EXTERNAL.1.to_owned());
            labels
        };
        match change {
            RuleChange::Ends(labels) => self.alerting.end(&outward(&labels), self.now),
            RuleChange::Fires(labels) => {
                let Some(alert) = self.ruler.get(&labels) else { return };
                let expr = self.ruler.rules().get(alert.rule).map_or("", |rule| rule.expr.as_str());
                let query: String = url::form_urlencoded::byte_serialize(expr.as_bytes()).collect();
                let alert = AmAlert {
                    labels: outward(&labels),
                    annotations: alert.annotations.clone(),
                    starts_at: self.now,
                    ended_at: None,
                    posted_at: None,
                    lease_until: None,
                    generator_url: format!("http://prometheus.meridian.example:9090/graph?g0.expr={query}&g0.tab=1"),
                    destinations: Vec::new(),
                };
                self.alerting.receive(alert, self.now);
            }
        }
    }

    /// Alertmanager tells PagerDuty.
    fn send(&mut self, notification: Notification) {
        let name = notification.receiver.trim_start_matches("pagerduty-");
        let Some(service) = self.pager.company.service_named(name) else { return };
        let action = if notification.is_trigger { EventAction::Trigger } else { EventAction::Resolve };
        self.pager.enqueue(Event {
            service,
            action,
            key: notification.dedup_key,
            summary: notification.summary,
            source: "Alertmanager".to_owned(),
            severity: notification.severity.to_owned(),
            details: notification.details,
            payload: serde_json::Value::Null,
            client: Some("Alertmanager".to_owned()),
            client_url: Some(format!(
                "http://alertmanager.meridian.example:9093/#/alerts?receiver={}",
                notification.receiver
            )),
            contexts: Vec::new(),
        });
    }

    /// A fingerprint of everything that has happened, independent of the instant at which it started: the same seed and
    /// scenario give the same one.
    pub fn history_hash(&self) -> String {
        let since = |at: Timestamp| at.signed_duration_since(self.options.start).num_milliseconds();
        let mut text = String::new();
        for (at, line) in &self.told {
            let _ = writeln!(text, "{} {line}", since(*at));
        }
        for entry in self.pager.entries() {
            let _ = writeln!(
                text,
                "{} {} {:?} {} {:?}",
                since(entry.at),
                entry.kind,
                entry.agent,
                entry.id,
                entry.assignees
            );
        }
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::pager::model::{Agent, Status};
    use crate::sim::scenario::SCENARIOS;

    fn start() -> Timestamp {
        "2026-11-20T21:30:07Z".parse().unwrap()
    }

    fn world(scenario: &str) -> World {
        let history = TimeDelta::minutes(30);
        World::new(WorldOptions { scenario: scenario.to_owned(), history, ..WorldOptions::new(start()) })
    }

    fn open_titles(world: &World) -> Vec<&str> {
        world.pager().incidents().iter().filter(|one| one.is_open()).map(|one| one.title.as_str()).collect()
    }

    #[test]
    fn the_same_seed_tells_the_same_story_and_steps_do_not_matter() {
        let mut whole = world("friday-night");
        let mut stepped = world("friday-night");
        assert_eq!(whole.history_hash(), stepped.history_hash());
        whole.advance(start() + TimeDelta::minutes(20));
        for second in (0..=1200).step_by(7) {
            stepped.advance(start() + TimeDelta::seconds(second));
        }
        stepped.advance(start() + TimeDelta::minutes(20));
        assert_eq!(whole.history_hash(), stepped.history_hash());
        let other = World::new(WorldOptions { seed: 2, history: TimeDelta::minutes(30), ..WorldOptions::new(start()) });
        assert_ne!(world("friday-night").history_hash(), other.history_hash());
    }

    #[test]
    fn friday_night_is_busy_at_once() {
        let world = world("friday-night");
        let open = open_titles(&world);
        assert!((11..=20).contains(&open.len()), "{open:#?}");
        let count = |status| world.pager().incidents().iter().filter(|one| one.status == status).count();
        assert!(count(Status::Triggered) >= 4, "{open:#?}");
        let states: Vec<_> =
            world.pager().incidents().iter().filter(|one| one.is_open()).map(|one| (one.status, &one.title)).collect();
        assert!(count(Status::Acknowledged) >= 4, "{states:#?}");
        assert!(count(Status::Resolved) >= 5);
        assert!(world.alerting().firing().count() >= 14);
        let checkout = world
            .pager()
            .incidents()
            .iter()
            .find(|one| one.is_open() && one.title.starts_with("Checkout fails"))
            .unwrap();
        assert_eq!((checkout.status, checkout.level), (Status::Triggered, 0), "the operator's own page");
        assert_eq!(checkout.assignments.first().map(|(_, person)| *person), Some(0));
        assert!(world.pager().changes().iter().any(|change| change.summary.starts_with("Deploy checkout")));
    }

    #[test]
    fn every_scenario_pages_before_the_start_but_the_calm_ones() {
        for (name, _) in SCENARIOS {
            if matches!(name, "alert-storm") {
                continue; // has its own test: it is large
            }
            let world = world(name);
            let fresh = world
                .pager()
                .incidents()
                .iter()
                .filter(|one| one.is_open() && one.created_at > start() - TimeDelta::minutes(12))
                .count();
            assert_eq!(fresh > 0, name != "quiet", "{name}: {:#?}", open_titles(&world));
        }
    }

    #[test]
    fn acknowledging_stops_the_escalation_and_brings_the_cure_where_the_story_says_so() {
        let mut world = world("regional-outage");
        let page =
            world.pager().incidents().iter().position(|one| one.is_open() && one.title.starts_with("Region")).unwrap();
        world.pager_mut().acknowledge(page, Agent::Person(0), "api");
        world.advance(start() + TimeDelta::minutes(15));
        assert_eq!(world.pager().incidents()[page].status, Status::Acknowledged);
        assert!(world.alerting().firing().count() > 2_000, "acknowledging does not end the alerts");
        world.advance(start() + TimeDelta::minutes(30));
        assert!(!world.pager().incidents()[page].is_open(), "{:?}", world.stories().collect::<Vec<_>>());
        assert!(world.alerting().firing().count() < 10);
    }

    #[test]
    fn a_remedy_ends_a_story_and_its_incident_by_itself() {
        let mut world = world("bad-deploy");
        let page = world.pager().incidents().iter().rposition(|one| one.title.starts_with("Checkout fails")).unwrap();
        world.advance(start() + TimeDelta::minutes(1));
        assert!(world.fix("bad-deploy"));
        assert!(!world.fix("no-such-story"));
        world.advance(start() + TimeDelta::minutes(6));
        let incident = &world.pager().incidents()[page];
        assert_eq!((incident.status, incident.changed_by), (Status::Resolved, Agent::Integration(0)));
    }

    #[test]
    fn an_incident_resolved_by_hand_stays_resolved_while_its_alert_goes_on() {
        let mut world = world("bad-deploy");
        let page = world.pager().incidents().iter().rposition(|one| one.title.starts_with("Checkout fails")).unwrap();
        world.pager_mut().resolve(page, Agent::Person(0), "api", None);
        world.advance(start() + TimeDelta::minutes(3));
        assert!(!world.pager().incidents()[page].is_open());
        assert!(world.alerting().firing().any(|(_, alert)| alert.labels["alertname"] == "CheckoutErrorRateHigh"));
    }

    #[test]
    fn metrics_move_with_the_story() {
        let mut world = world("bad-deploy");
        world.advance(start() + TimeDelta::minutes(3));
        let now = world.now().timestamp_millis();
        let failing = |world: &World, from: i64, to: i64| -> f64 {
            let errors = world
                .metrics()
                .named("http_requests_total")
                .filter(|series| series.labels()["service"] == "checkout" && series.labels()["code"].starts_with('5'));
            errors
                .map(|series| {
                    let s: Vec<_> = series.samples(from, to).collect();
                    s.last().unwrap().1 - s.first().unwrap().1
                })
                .sum()
        };
        let before = failing(&world, now - 1_500_000, now - 1_200_000);
        let during = failing(&world, now - 300_000, now);
        assert!(during > 20.0 * before, "{before} {during}");
        let firing =
            world.metrics().named("ALERTS").filter(|series| series.labels()["alertname"] == "CheckoutErrorRateHigh");
        assert!(firing.filter(|series| series.latest(now, 300_000).is_some()).count() == 1);
    }

    #[test]
    fn the_storm_has_fifty_thousand_alerts_that_come_and_go() {
        let mut world = world("alert-storm");
        let before: std::collections::BTreeSet<String> = world.alerting().firing().map(|(id, _)| id.clone()).collect();
        assert!(before.len() > 45_000, "{}", before.len());
        world.advance(start() + TimeDelta::seconds(30));
        let after: std::collections::BTreeSet<String> = world.alerting().firing().map(|(id, _)| id.clone()).collect();
        assert!(before.symmetric_difference(&after).count() > 200);
        assert!(world.pager().incidents().iter().filter(|one| one.is_open()).count() < 200);
    }
}
