//! Tells the stories: lets their beats happen at their time, and notices what ends them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{World, WorldOptions};
use crate::domain::time::Timestamp;
use crate::sim::agenda::Agenda;
use crate::sim::alerting::Alerting;
use crate::sim::alerting::matcher::Matcher;
use crate::sim::alerting::silence::SilenceDraft;
use crate::sim::dice::Dice;
use crate::sim::metrics::LabelSet;
use crate::sim::pager::model::{Agent, Change, Event, EventAction, Status};
use crate::sim::pager::{Declaration, Pager, Update};
use crate::sim::plant::WORKLOADS;
use crate::sim::scenario::{AlertSpec, Deed, Storm, Story, Strain, Subject, later, program};

/// A story under way.
#[derive(Debug)]
struct Run {
    story: Story,
    begins: Timestamp,
    cured: Option<Timestamp>,
    is_acknowledged: bool,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Beat(usize, usize),
    Cure(usize),
    Clear(usize),
    /// One alert of a storm comes or goes.
    Storm {
        run: usize,
        alert: usize,
        comes: bool,
    },
    /// The evening goes on with another story.
    Another,
}

/// The stories and what is due in them.
#[derive(Debug)]
pub(super) struct Teller {
    runs: Vec<Run>,
    due: Agenda<Due>,
    dice: Dice,
    /// Log entries already looked at for acknowledgements.
    seen_entries: usize,
}

impl Teller {
    pub(super) fn new(options: &WorldOptions) -> Self {
        let mut teller =
            Self { runs: Vec::new(), due: Agenda::default(), dice: Dice::new(options.seed, "teller"), seen_entries: 0 };
        for mut scheduled in program(&options.scenario).unwrap_or_default() {
            if let (Some(storm), Some(count)) = (&mut scheduled.story.storm, options.storm) {
                storm.count = count;
            }
            // A few seconds of chance, so that two seeds do not tell the same evening.
            let jitter = teller.dice.between(-6, 6);
            teller.begin(scheduled.story, options.start + TimeDelta::seconds(scheduled.begins_s + jitter));
        }
        if options.scenario == "friday-night" {
            teller.due.put(options.start + TimeDelta::minutes(31), Due::Another);
        }
        teller
    }

    fn begin(&mut self, story: Story, begins: Timestamp) {
        let run = self.runs.len();
        for (index, beat) in story.beats.iter().enumerate() {
            self.due.put(begins + TimeDelta::seconds(beat.at_s), Due::Beat(run, index));
        }
        if let Some(seconds) = story.cure_at_s {
            self.due.put(begins + TimeDelta::seconds(seconds), Due::Cure(run));
        }
        self.runs.push(Run { story, begins, cured: None, is_acknowledged: false });
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.next()
    }

    pub(super) fn stories(&self, now: Timestamp) -> impl Iterator<Item = (&'static str, bool)> + '_ {
        self.runs.iter().filter(move |run| run.begins <= now).map(|run| (run.story.name, run.cured.is_some()))
    }

    pub(super) fn strains(&self, now: Timestamp) -> impl Iterator<Item = (&Strain, f64)> {
        let of_run = move |run| strengths(run, now);
        self.runs.iter().flat_map(of_run)
    }

    pub(super) fn cure_named(&mut self, story: &str, now: Timestamp) -> bool {
        let found =
            self.runs.iter().position(|run| run.story.name == story && run.cured.is_none() && run.begins <= now);
        if let Some(run) = found {
            self.cure(run, now);
        }
        found.is_some()
    }

    fn cure(&mut self, run: usize, now: Timestamp) {
        let Some(told) = self.runs.get_mut(run).filter(|run| run.cured.is_none()) else { return };
        told.cured = Some(now);
        self.due.put(now + TimeDelta::seconds(told.story.clear_after_s), Due::Clear(run));
    }

    /// Notices the first acknowledgement by a person of each story that waits for one.
    pub(super) fn look_for_acknowledgements(&mut self, alerting: &Alerting, pager: &Pager, now: Timestamp) {
        let fresh = pager.entries().get(self.seen_entries..).unwrap_or_default();
        self.seen_entries = pager.entries().len();
        let is_ack = |entry: &&crate::sim::pager::model::Entry| {
            entry.kind == "acknowledge_log_entry" && matches!(entry.agent, Agent::Person(_))
        };
        let acknowledged: Vec<usize> = fresh.iter().filter(is_ack).map(|entry| entry.incident).collect();
        for incident in acknowledged {
            let keys: BTreeSet<&str> = pager.alerts_of(incident).map(|alert| alert.key.as_str()).collect();
            for run in 0..self.runs.len() {
                let Some(told) = self.runs.get_mut(run) else { continue };
                let Some(seconds) = told.story.cure_after_ack_s.filter(|_| !told.is_acknowledged && told.begins <= now)
                else {
                    continue;
                };
                if told
                    .story
                    .alerts
                    .iter()
                    .any(|spec| dedup_key(alerting, spec).is_some_and(|key| keys.contains(key.as_str())))
                {
                    told.is_acknowledged = true;
                    self.due.put(now + TimeDelta::seconds(seconds), Due::Cure(run));
                }
            }
        }
    }
}

fn strengths(run: &Run, now: Timestamp) -> impl Iterator<Item = (&Strain, f64)> {
    let since = (now - run.begins).num_seconds();
    let cured = run.cured.map(|at| (at - run.begins).num_seconds());
    let of = move |strain: &Strain| if since < 0 { 0.0 } else { strain.strength(since, cured) };
    run.story.strains.iter().map(move |strain| (strain, of(strain))).filter(|(_, strength)| *strength > 0.0)
}

/// The key under which an alert of a story is known to PagerDuty.
fn dedup_key(alerting: &Alerting, spec: &AlertSpec) -> Option<String> {
    let mut labels = spec.alert_labels();
    labels.insert(super::EXTERNAL.0.to_owned(), super::EXTERNAL.1.to_owned());
    alerting.tree().destinations(&labels).first().map(super::super::alerting::route::Destination::dedup_key)
}

impl World {
    /// Lets everything happen in the stories that is due now.
    pub(super) fn tell_stories(&mut self) {
        while let Some(due) = self.teller.due.take_due(self.now) {
            match due {
                Due::Beat(run, beat) => {
                    let deed = self
                        .teller
                        .runs
                        .get(run)
                        .and_then(|run| run.story.beats.get(beat))
                        .map(|beat| beat.deed.clone());
                    let is_cured = self.teller.runs.get(run).is_some_and(|run| run.cured.is_some());
                    if let Some(deed) = deed {
                        self.perform(run, deed, is_cured);
                    }
                }
                Due::Cure(run) => self.teller.cure(run, self.now),
                Due::Clear(run) => self.clear(run),
                Due::Storm { run, alert, comes } => self.storm_alert(run, alert, comes),
                Due::Another => {
                    let (story, wait_s) = later(&mut self.teller.dice);
                    self.teller.begin(story, self.now);
                    self.teller.due.put(self.now + TimeDelta::seconds(wait_s), Due::Another);
                }
            }
        }
    }

    fn clear(&mut self, run: usize) {
        let Some(told) = self.teller.runs.get(run) else { return };
        let storm = told.story.storm;
        let ended: Vec<LabelSet> = told.story.alerts.iter().map(AlertSpec::alert_labels).collect();
        for labels in ended {
            self.end_alert(&labels);
        }
        if let Some(storm) = storm {
            for alert in 0..storm.count {
                let after = self.teller.dice.between(0, 120);
                self.teller.due.put(self.now + TimeDelta::seconds(after), Due::Storm { run, alert, comes: false });
            }
        }
    }

    fn begin_alert(&mut self, spec: &AlertSpec) {
        let rule = self.ruler.add_rule(spec.rule());
        self.ruler.begin(rule, spec.alert_labels(), spec.annotations.clone(), spec.value, self.now);
    }

    fn end_alert(&mut self, labels: &LabelSet) {
        if let Some(change) = self.ruler.end(labels) {
            self.carry(change);
        }
    }

    fn perform(&mut self, run: usize, deed: Deed, is_cured: bool) {
        let spec = |world: &Self, alert: usize| {
            world.teller.runs.get(run).and_then(|run| run.story.alerts.get(alert)).cloned()
        };
        match deed {
            Deed::Begin(alert) if !is_cured => {
                if let Some(spec) = spec(self, alert) {
                    self.begin_alert(&spec);
                }
            }
            Deed::End(alert) => {
                if let Some(spec) = spec(self, alert) {
                    self.end_alert(&spec.alert_labels());
                }
            }
            Deed::Change { service, version, summary, source } => self.change(service, version, summary, source),
            Deed::Event { service, key, summary, severity } => {
                self.monitor_event(service, key, EventAction::Trigger, &summary, severity);
            }
            Deed::EndEvent { service, key } => self.monitor_event(service, key, EventAction::Resolve, "", "info"),
            Deed::Silence { who, matchers, minutes, comment } => self.silence(who, &matchers, minutes, comment),
            Deed::Storm if !is_cured => self.break_loose(run),
            Deed::Begin(_) | Deed::Storm => {}
            Deed::Declare { key, service, title, who, priority } => self.declare(key, service, title, who, priority),
            Deed::Acknowledge(ref subject, _)
            | Deed::Note(ref subject, ..)
            | Deed::Snooze(ref subject, ..)
            | Deed::Resolve(ref subject, _)
            | Deed::Assign(ref subject, ..)
            | Deed::Priority(ref subject, ..) => {
                if let Some(incident) = self.incident_of(run, subject) {
                    self.act(incident, &deed);
                }
            }
        }
    }

    fn incident_of(&self, run: usize, subject: &Subject) -> Option<usize> {
        match subject {
            Subject::Key(key) => {
                let declared = |one: &crate::sim::pager::model::Incident| {
                    one.is_open() && one.incident_key.as_deref() == Some(*key)
                };
                self.pager.open_incident_with_key(key).or_else(|| self.pager.incidents().iter().rposition(declared))
            }
            Subject::Alert(alert) => {
                let spec = self.teller.runs.get(run)?.story.alerts.get(*alert)?;
                self.pager.open_incident_with_key(&dedup_key(&self.alerting, spec)?)
            }
        }
    }

    fn person(&self, incident: usize, who: &str) -> usize {
        let one = self.pager.incident(incident);
        let assigned = one.and_then(|one| one.assignments.first()).map(|(_, person)| *person);
        let on_call = || {
            let policy = one.map_or(0, |one| one.policy);
            self.pager.company.called(policy, 0, self.now).first().copied()
        };
        let named = if who == "on-call" { assigned.or_else(on_call) } else { self.pager.company.person_named(who) };
        named.unwrap_or_default()
    }

    /// A colleague does something to an open incident.
    fn act(&mut self, incident: usize, deed: &Deed) {
        let Some(one) = self.pager.incident(incident) else { return };
        let (status, acknowledged_by) = (one.status, one.acknowledgements.last().map(|(_, agent)| *agent));
        let channel = "website";
        match deed {
            Deed::Acknowledge(_, who) => {
                let agent = Agent::Person(self.person(incident, who));
                // A colleague does not take over what somebody works on, but may renew an acknowledgement.
                if status == Status::Triggered || acknowledged_by == Some(agent) {
                    self.pager.acknowledge(incident, agent, "mobile");
                }
            }
            Deed::Note(_, who, text) => {
                let person = self.person(incident, who);
                self.pager.note(incident, person, text);
            }
            Deed::Snooze(_, who, seconds) => {
                let agent = Agent::Person(self.person(incident, who));
                if acknowledged_by == Some(agent) {
                    drop(self.pager.snooze(incident, *seconds, agent, channel));
                }
            }
            Deed::Resolve(_, who) => {
                let agent = Agent::Person(self.person(incident, who));
                self.pager.resolve(incident, agent, channel, None);
            }
            Deed::Assign(_, who, to) => {
                let (agent, to) = (Agent::Person(self.person(incident, who)), self.person(incident, to));
                self.pager.apply(Update { incident, people: Some(vec![to]), ..Update::default() }, agent, channel);
            }
            Deed::Priority(_, who, name) => {
                let agent = Agent::Person(self.person(incident, who));
                let priority = self.pager.company.priorities.iter().position(|priority| priority.name == *name);
                self.pager.apply(Update { incident, priority: Some(priority), ..Update::default() }, agent, channel);
            }
            _ => {}
        }
    }

    fn change(&mut self, service: &str, version: Option<&str>, summary: String, source: &str) {
        let Some(index) = self.pager.company.service_named(service) else { return };
        let before = self.plant.version(service).map(str::to_owned);
        if let Some(version) = version {
            self.plant.deploy(&mut self.metrics, service, version);
        }
        let details = match version {
            Some(version) => {
                json!({"service": service, "version": version, "previous": before, "build_state": "passed"})
            }
            None => json!({"service": service}),
        };
        let links = json!([{"href": format!("https://git.meridian.example/{service}/releases/{}", version.unwrap_or("latest")), "text": "Release"}]);
        let (at, source) = (self.now, source.to_owned());
        self.pager.enqueue_change(Change { id: String::new(), at, summary, source, service: index, details, links });
    }

    fn monitor_event(&mut self, service: &str, key: &str, action: EventAction, summary: &str, severity: &str) {
        let Some(service) = self.pager.company.service_named(service) else { return };
        self.pager.enqueue(Event {
            service,
            action,
            key: key.to_owned(),
            summary: summary.to_owned(),
            source: "synthetic-monitor".to_owned(),
            severity: severity.to_owned(),
            details: json!({"check": key, "runs": "every minute"}),
            payload: Value::Null,
            client: Some("Synthetic monitor".to_owned()),
            client_url: Some("https://monitor.meridian.example/".to_owned()),
            contexts: Vec::new(),
        });
    }

    fn silence(&mut self, who: &str, matchers: &[&str], minutes: i64, comment: &str) {
        let matchers = matchers.iter().filter_map(|text| Matcher::parse(text).ok()).collect();
        let created_by = self.pager.company.person_named(who).and_then(|person| self.pager.company.people.get(person));
        let created_by = created_by.map_or_else(String::new, |person| person.email.clone());
        let ends_at = self.now + TimeDelta::minutes(minutes);
        let draft =
            SilenceDraft { id: None, matchers, starts_at: self.now, ends_at, created_by, comment: comment.to_owned() };
        let now = self.now;
        let (silences, id) = self.alerting.silences_mut();
        drop(silences.set(draft, now, id));
    }

    fn declare(&mut self, key: &str, service: &str, title: &str, who: &str, priority: &str) {
        let company = &self.pager.company;
        let (Some(service), Some(who)) = (company.service_named(service), company.person_named(who)) else { return };
        let priority = company.priorities.iter().position(|one| one.name == priority);
        let draft = Declaration {
            title: title.to_owned(),
            service,
            priority,
            is_urgent: true,
            key: Some(key.to_owned()),
            body: None,
            people: vec![who],
            policy: None,
            conference: None,
        };
        drop(self.pager.declare(draft, who, "website"));
    }

    fn break_loose(&mut self, run: usize) {
        let Some(storm) = self.teller.runs.get(run).and_then(|run| run.story.storm) else { return };
        for alert in 0..storm.count {
            let after = self.teller.dice.between(0, storm.over_s * 1000);
            self.teller.due.put(self.now + TimeDelta::milliseconds(after), Due::Storm { run, alert, comes: true });
        }
    }

    fn storm_alert(&mut self, run: usize, alert: usize, comes: bool) {
        let Some(told) = self.teller.runs.get(run) else { return };
        let (Some(storm), is_cured) = (told.story.storm, told.cured.is_some()) else { return };
        let spec = storm_spec(storm, alert);
        if !comes {
            self.end_alert(&spec.alert_labels());
            if storm.is_churning && !is_cured {
                let after = self.teller.dice.between(20_000, 120_000);
                self.teller.due.put(self.now + TimeDelta::milliseconds(after), Due::Storm { run, alert, comes: true });
            }
        } else if !is_cured {
            self.begin_alert(&spec);
            if storm.is_churning {
                let after = self.teller.dice.between(30_000, 3_600_000);
                self.teller.due.put(self.now + TimeDelta::milliseconds(after), Due::Storm { run, alert, comes: false });
            }
        }
    }
}

/// The `index`-th alert of a storm.
fn storm_spec(storm: Storm, index: usize) -> AlertSpec {
    const KINDS: [(&str, &str, &str); 6] = [
        ("KubePodNotReady", "high", "has not been ready for two minutes"),
        ("TargetDown", "high", "cannot be scraped"),
        ("KubeContainerWaiting", "medium", "waits to start"),
        ("UpstreamConnectErrors", "medium", "cannot reach its upstream"),
        ("KubeDeploymentReplicasMismatch", "medium", "has fewer replicas than wanted"),
        ("ProbeSlow", "low", "answers its probe slowly"),
    ];
    let (name, severity, text) = KINDS.get(index % KINDS.len()).copied().unwrap_or(("TargetDown", "high", "is down"));
    let service = WORKLOADS.get(index / KINDS.len() % WORKLOADS.len()).map_or("edge", |load| load.name);
    let pod = format!("{service}-{:05x}", index.wrapping_mul(2_654_435_761) & 0xf_ffff);
    AlertSpec::new(name, severity, service, &format!("{pod} {text}"))
        .when("up == 0", 0, 0.0)
        .label("region", storm.region)
        .label("pod", &pod)
        .label("instance", &format!("10.{}.{}.{}:8080", 20 + index / 65_025, index / 255 % 255, index % 255))
}
