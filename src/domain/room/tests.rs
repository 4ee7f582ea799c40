//! The room against stories, against random facts in random order, and against the oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Duration;
use proptest::prelude::*;

use super::oracle::{Oracle, Seen};
use super::*;
use crate::domain::action::{Intent, Target};
use crate::domain::alert::{Alert, AlertKey, AlertState};
use crate::domain::clock::Phase;
use crate::domain::correlate::ServiceRule;
use crate::domain::id::{DedupKey, OpIds, PagerId};
use crate::domain::incident::{Incident, Link, Status};
use crate::domain::severity::Severity;
use crate::domain::source::{ChronoSeconds, Reach, SourceKind};
use crate::domain::testing::{alert, key, noon, pager, source};
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::text::Clean;

fn up(changed: Vec<Alert>) -> Fact {
    let cluster = changed.first().map_or_else(|| source("am"), |alert| alert.key.cluster.clone());
    Fact::AlertsChanged {
        cluster,
        changed: changed.into_iter().map(Arc::new).collect(),
        ended: Vec::new(),
        at: noon(10),
    }
}

fn down(key: &AlertKey, at: i64) -> Fact {
    Fact::AlertsChanged { cluster: key.cluster.clone(), changed: Vec::new(), ended: vec![key.clone()], at: noon(at) }
}

fn told(records: Vec<PagerIncident>) -> Fact {
    Fact::IncidentsChanged { source: source("pagerduty"), changed: records.into_iter().map(Arc::new).collect() }
}

fn keyed(id: &str, keys: &[&str]) -> PagerIncident {
    PagerIncident { keys: keys.iter().map(|name| key(name)).collect(), ..pager(id) }
}

fn id(name: &str) -> IncidentId {
    IncidentId::parse(name).expect("an identity")
}

fn board(room: &Room) -> Vec<String> {
    room.board().slice(0..usize::MAX).map(ToString::to_string).collect()
}

const CPU: &[(&str, &str)] = &[("alertname", "Cpu"), ("service", "checkout"), ("severity", "critical")];
const DISK: &[(&str, &str)] = &[("alertname", "Disk"), ("service", "checkout"), ("severity", "warning")];

#[test]
fn record_and_group_are_one_row_whichever_comes_first() {
    let facts = [up(vec![alert("am", CPU, &["!k"]), alert("am", DISK, &["!k"])]), told(vec![keyed("P1", &["k"])])];
    for order in [[0, 1], [1, 0]] {
        let mut room = Room::default();
        for one in order {
            room.apply(&facts[one], noon(20));
        }
        assert_eq!(board(&room), ["pd:P1"], "{order:?}");
        let incident = room.incident(&id("am:k")).expect("the group's name leads there");
        assert_eq!(incident.id, id("pd:P1"));
        assert!(incident.alerts.iter().all(|(_, link)| *link == Link::DedupKey) && incident.alerts.len() == 2);
        assert_eq!(incident.assessment.severity, Severity::Critical);
        assert_eq!(room.counts()[0], (Severity::Critical, 1));
    }
}

#[test]
fn a_selection_survives_joining_resolving_and_firing_again() {
    let mut room = Room::default();
    room.apply(&up(vec![alert("am", CPU, &["!k"])]), noon(10));
    let selected = room.board().get(0).expect("a row").clone();
    assert_eq!(selected, id("am:k"));
    room.apply(&told(vec![keyed("P1", &["k"])]), noon(20));
    assert_eq!(room.resolve_alias(&selected), &id("pd:P1"));
    assert_eq!(room.board().rank_of(&selected), Some(0));
    let resolved = PagerIncident { status: Status::Resolved, changed_at: noon(30), ..keyed("P1", &["k"]) };
    room.apply(&told(vec![resolved]), noon(31));
    assert_eq!(board(&room), ["pd:P1"], "a poll of Alertmanager may just be late");
    // Later it still fires: a resolved incident must not hide that.
    room.apply(&told(Vec::new()), noon(30) + super::world::LINGER);
    assert_eq!(board(&room), ["am:k", "pd:P1"]);
    assert_eq!(room.hints(&id("am:k"), noon(130)), [Hint::StillFiring { pager: pager("P1").id }]);
    // It pages again under the same key: a new incident takes it.
    room.apply(&told(vec![PagerIncident { created_at: noon(140), ..keyed("P2", &["k"]) }]), noon(141));
    assert_eq!(board(&room), ["pd:P2", "pd:P1"]);
    assert_eq!(room.resolve_alias(&selected), &id("pd:P2"));
    room.apply(&told(Vec::new()), noon(30) + Duration::minutes(31));
    assert_eq!(board(&room), ["pd:P2"], "resolved ones leave");
    assert_eq!(room.resolve_alias(&id("pd:P1")), &id("pd:P1"));
    assert!(room.incident(&id("pd:P1")).is_none());
}

#[test]
fn what_ends_without_pagerduty_resolves_and_leaves_and_keeps_its_timeline() {
    let mut room = Room::default();
    let cpu = alert("am", CPU, &["h"]);
    room.apply(&up(vec![cpu.clone(), alert("am", DISK, &[])]), noon(10));
    let lone = alert("am", DISK, &[]).key;
    assert_eq!(board(&room), ["am:am:h".to_owned(), format!("al:am:{}", lone.fingerprint)]);
    room.apply(&down(&cpu.key, 60), noon(61));
    let row = room.incident(&id("am:am:h")).expect("still shown");
    assert_eq!((row.status, row.title.as_str()), (Status::Resolved, "Cpu"));
    let texts: Vec<_> = room.timeline(&id("am:am:h")).iter().map(|event| event.text.to_string()).collect();
    assert_eq!(texts, ["Cpu service=checkout fires", "Cpu service=checkout ended"]);
    assert_eq!(room.next_change(noon(61)), Some(noon(60) + Duration::minutes(30)));
    room.apply(&down(&lone, 60), noon(60) + Duration::minutes(30));
    assert_eq!(room.len(), 0);
    assert_eq!((room.tally().open(), room.tally().resolved), (0, 0));
}

#[test]
fn silenced_rows_stand_below_and_heartbeats_are_no_rows() {
    let mut room = Room::default();
    let mut cpu = alert("am", CPU, &["h"]);
    room.apply(&up(vec![cpu.clone(), alert("am", DISK, &["d"])]), noon(10));
    assert_eq!(board(&room), ["am:am:h", "am:am:d"]);
    cpu.state = AlertState::Suppressed(Box::default());
    room.apply(&up(vec![cpu.clone()]), noon(11));
    assert_eq!(board(&room), ["am:am:d", "am:am:h"]);
    assert_eq!((room.tally().open(), room.tally().suppressed), (1, 1));
    let watchdog = alert("am", &[("alertname", "Watchdog"), ("severity", "none")], &["w"]);
    room.apply(&up(vec![watchdog.clone()]), noon(12));
    assert_eq!((room.len(), room.problems().len(), room.alert_count()), (2, 0, 3));
    room.apply(&down(&watchdog.key, 70), noon(71));
    let (failure, since) = room.problems().get("heartbeat:am:Watchdog").expect("its absence is the fault");
    assert_eq!(*since, noon(70));
    assert!(failure.to_string().starts_with("heartbeat Watchdog at am failed: it stopped firing"), "{failure}");
    room.apply(&up(vec![watchdog]), noon(80));
    assert!(room.problems().is_empty());
}

#[test]
fn folded_services_and_probable_ties() {
    let rule = ServiceRule {
        name: Clean::new("Search"),
        labels: BTreeMap::from([("job".into(), "search*".into())]),
        pagerduty_service: Some("PSEARCH".into()),
        is_folded: true,
    };
    let mut room = Room::new(RoomSettings { services: vec![rule], ..RoomSettings::default() });
    let search = |name| alert("am", &[("alertname", name), ("job", "search-1"), ("severity", "page")], &[name]);
    room.apply(&up(vec![search("A"), search("B")]), noon(10));
    assert_eq!(board(&room), ["svc:search"]);
    let mut record = pager("P9");
    record.service.as_mut().expect("a service").id = ServiceId::parse("PSEARCH").expect("an identity");
    room.apply(&told(vec![record]), noon(20));
    assert_eq!(board(&room), ["pd:P9"]);
    assert_eq!(room.incident(&id("svc:search")).expect("alias").alerts.len(), 2);
    // Probable: same service, the title names the alert, both began within five minutes.
    let mut named = pager("P1");
    named.title = Clean::new("[FIRING:1] Cpu checkout (critical)");
    room.apply(&told(vec![named]), noon(21));
    let mut late = alert("am", &[("alertname", "Cpu"), ("service", "checkout"), ("instance", "b")], &[]);
    late.starts_at = noon(301);
    room.apply(&up(vec![alert("am", CPU, &["h"]), late]), noon(310));
    let members = &room.incident(&id("pd:P1")).expect("a row").alerts;
    assert_eq!(members.iter().map(|(_, link)| *link).collect::<Vec<_>>(), [Link::Probable]);
    assert_eq!(room.len(), 3, "the late one stands alone: {:?}", board(&room));
}

#[test]
fn an_incident_that_tells_of_an_alert_has_it_though_its_group_is_not_known() {
    let (cpu, disk) = (alert("am", CPU, &[]), alert("am", DISK, &["!other"]));
    let fingerprints = vec![cpu.key.fingerprint, disk.key.fingerprint];
    let facts = [up(vec![cpu, disk]), told(vec![PagerIncident { fingerprints, ..keyed("P1", &["k"]) }])];
    for order in [[0, 1], [1, 0]] {
        let mut room = Room::default();
        for one in order {
            room.apply(&facts[one], noon(20));
        }
        assert_eq!(board(&room), ["pd:P1"], "{order:?}");
        let links: Vec<Link> =
            room.incident(&id("pd:P1")).expect("a row").alerts.iter().map(|(_, link)| *link).collect();
        assert_eq!(links, [Link::Fingerprint; 2]);
        // An incident with the very key of the alert's group knows better.
        room.apply(&told(vec![keyed("P2", &["other"])]), noon(21));
        assert_eq!(room.incident(&id("pd:P2")).expect("a row").alerts.len(), 1);
        assert_eq!(room.incident(&id("pd:P1")).expect("a row").alerts.len(), 1);
        room.apply(&told(vec![keyed("P1", &["k"])]), noon(22));
        assert_eq!(room.len(), 3, "told of no more, the alert stands alone: {:?}", board(&room));
    }
}

#[test]
fn merged_incidents_are_one_row_and_share_names_and_keys() {
    let mut room = Room::default();
    room.apply(&up(vec![alert("am", CPU, &["!a"]), alert("am", DISK, &["!b"])]), noon(10));
    room.apply(&told(vec![keyed("P1", &["a"]), keyed("P2", &["b"])]), noon(11));
    assert_eq!(board(&room), ["pd:P1", "pd:P2"]);
    let merged = PagerIncident {
        status: Status::Resolved,
        changed_at: noon(20),
        merged_into: Some(pager("P2").id),
        ..keyed("P1", &["a"])
    };
    room.apply(&told(vec![merged.clone()]), noon(21));
    assert_eq!(board(&room), ["pd:P2"]);
    assert_eq!(room.resolve_alias(&id("pd:P1")), &id("pd:P2"));
    assert_eq!(room.incident(&id("am:a")).expect("alias").alerts.len(), 2);
    // A loop of merges is a lie; nothing vanishes for it.
    let other = PagerIncident { merged_into: Some(pager("P1").id), changed_at: noon(30), ..keyed("P2", &["b"]) };
    room.apply(&told(vec![other]), noon(31));
    assert_eq!(room.len(), 2);
}

#[test]
fn an_overtaken_poll_does_not_undo_an_action() {
    let mut room = Room::default();
    let acknowledged = PagerIncident { status: Status::Acknowledged, changed_at: noon(30), ..pager("P1") };
    room.apply(&told(vec![acknowledged]), noon(31));
    room.apply(&told(vec![pager("P1")]), noon(32));
    assert_eq!(room.incident(&id("pd:P1")).expect("a row").status, Status::Acknowledged);
    assert!(matches!(room.clock(&id("pd:P1"), noon(40)).expect("a clock").phase, Phase::Working { .. }));
}

#[test]
fn hints_tell_when_the_two_sides_disagree() {
    let settings = RoomSettings { pagerduty: Some(source("pagerduty")), ..RoomSettings::default() };
    let mut room = Room::new(settings);
    let cpu = alert("am", CPU, &["!k"]);
    room.apply(&up(vec![cpu.clone()]), noon(10));
    let health = |answered: i64| {
        Fact::HealthChanged(SourceHealth {
            id: source("pagerduty"),
            kind: SourceKind::PagerDuty,
            reach: Reach::Up,
            answered_at: Some(noon(answered)),
            is_recalled: false,
            asking_since: None,
            every: ChronoSeconds(10),
            clock_skew: None,
            budget: None,
            version: None,
            warnings: Vec::new(),
        })
    };
    room.apply(&health(60), noon(60));
    assert_eq!(room.hints(&id("am:k"), noon(60)), []);
    room.apply(&health(130), noon(130));
    assert_eq!(room.hints(&id("am:k"), noon(130)), [Hint::NotPaged]);
    room.apply(&told(vec![keyed("P1", &["k"])]), noon(140));
    assert_eq!(room.hints(&id("am:k"), noon(140)), []);
    room.apply(&down(&cpu.key, 150), noon(150));
    assert_eq!(room.hints(&id("pd:P1"), noon(150)), [Hint::GroupGone]);
    let fresh = room.freshness(&id("pd:P1"), noon(141));
    assert_eq!(fresh, crate::domain::freshness::Freshness::Fresh);
    assert_eq!(room.next_change(noon(150)), Some(noon(160) + Duration::milliseconds(1)), "three polls of ten seconds");
}

#[test]
fn the_timeline_gathers_all_names_in_causal_order_and_each_entry_once() {
    let mut room = Room::default();
    let event = |name: &str, kind, at| TimelineEvent {
        id: crate::domain::id::EventId::parse(name).expect("an identity"),
        source: source("pagerduty"),
        kind,
        actor: Actor::Machine(Clean::new("PagerDuty")),
        text: Clean::new(name),
        body: Vec::new(),
        happened_at: noon(at),
        recorded_at: noon(at),
        links: Vec::new(),
    };
    let listed = |incident: &str, events| Fact::TimelineListed { incident: id(incident), events };
    room.apply(&up(vec![alert("am", CPU, &["!k"])]), noon(10));
    room.apply(&listed("am:k", vec![event("deploy", EventKind::Change, -60)]), noon(10));
    let mut ops = OpIds::new(1);
    let op = ops.next(noon(11));
    let target = Target::Incident { id: id("am:k"), pager: None, key: Some(key("k")) };
    let by = Clean::new("ana");
    let intent = Intent { op, batch: op, target, action: Action::Acknowledge, by, at: noon(11) };
    room.apply(&Fact::IntentRecorded(intent), noon(11));
    assert_eq!(room.undelivered(), 1);
    let done =
        Fact::Delivered { op, delivery: Delivery::Confirmed { says: Clean::default() }, at: noon(12), opened: None };
    room.apply(&done, noon(12));
    assert_eq!(room.undelivered(), 0);
    assert_eq!(room.incident(&id("am:k")).expect("a row").status, Status::Acknowledged, "PagerDuty does not have it");
    room.apply(&told(vec![keyed("P1", &["k"])]), noon(13));
    let version = room.timeline_version(&id("am:k"));
    let entries = vec![event("ack", EventKind::Acknowledge, 0), event("trigger", EventKind::Trigger, 0)];
    room.apply(&listed("pd:P1", entries.clone()), noon(14));
    let grown = room.timeline_version(&id("am:k"));
    assert_ne!(grown, version);
    room.apply(&listed("pd:P1", entries), noon(15));
    assert_eq!(room.timeline_version(&id("am:k")), grown, "the same again is nothing new");
    let texts: Vec<_> = room.timeline(&id("am:k")).iter().map(|event| event.text.to_string()).collect();
    let expected =
        ["deploy", "Cpu service=checkout fires", "trigger", "ack", "acknowledge: asked", "acknowledge: done"];
    assert_eq!(texts, expected);
    let ticked = |step: &str, incident: &str| Fact::StepTicked {
        incident: id(incident),
        runbook: RunbookId::parse("rb").expect("an identity"),
        step: StepId::parse(step).expect("an identity"),
        tick: Some(Tick { by: Clean::new("ana"), at: noon(20) }),
    };
    room.apply(&ticked("one", "am:k"), noon(20));
    room.apply(&ticked("two", "pd:P1"), noon(20));
    let list = room.checklist(&id("pd:P1"), &RunbookId::parse("rb").expect("an identity")).expect("ticked");
    assert_eq!(list.ticks.len(), 2);
}

/// One thing that a source tells.
#[derive(Clone, Debug)]
enum Told {
    Up(Alert),
    Down(AlertKey),
    Record(PagerIncident),
}

fn some_alert(cluster: &'static str) -> impl Strategy<Value = Alert> {
    let labels = prop::sample::select(vec![
        CPU,
        DISK,
        &[("alertname", "Cpu"), ("service", "checkout"), ("instance", "b")],
        &[("alertname", "Slow"), ("service", "search"), ("severity", "page")],
        &[("alertname", "Cpu"), ("service", "search")],
        &[("alertname", "Watchdog"), ("severity", "none")],
        &[("instance", "nameless")],
    ]);
    let groups = prop::sample::subsequence(vec!["!k1", "!k2", "h1"], 0..=3);
    (labels, groups, prop::sample::select(vec![0_i64, 200, 500]), any::<bool>()).prop_map(
        move |(labels, groups, start, is_quiet)| {
            let mut one = alert(cluster, labels, &groups);
            one.starts_at = noon(start);
            if is_quiet {
                one.state = AlertState::Suppressed(Box::default());
            }
            one
        },
    )
}

fn some_record() -> impl Strategy<Value = PagerIncident> {
    let ids = || prop::sample::select(vec!["P1", "P2", "P3", "P4"]);
    let keys = prop::sample::subsequence(vec!["k1", "k2", "k3"], 0..=2);
    let titles = prop::sample::select(vec!["Cpu on fire", "[FIRING:1] Slow search", "all is lost"]);
    let services = prop::sample::select(vec!["checkout", "search"]);
    let status = prop::sample::select(vec![Status::Triggered, Status::Acknowledged, Status::Resolved]);
    let told = prop::sample::subsequence(vec![CPU, DISK], 0..=2);
    let times = (prop::sample::select(vec![0_i64, 250, 450]), prop::sample::select(vec![600_i64, 900, 950]));
    (ids(), (keys, told), titles, services, status, times, prop::option::weighted(0.2, ids())).prop_map(
        |(id, (keys, told), title, service, status, (created, changed), merged)| {
            let mut record = PagerIncident { status, created_at: noon(created), ..keyed(id, &keys) };
            record.changed_at = noon(changed);
            record.title = Clean::new(title);
            record.fingerprints = told.iter().map(|labels| alert("am", labels, &[]).key.fingerprint).collect();
            record.merged_into = merged.map(|target| pager(target).id);
            record.service.as_mut().expect("a service").name = Clean::new(service);
            record
        },
    )
}

fn story(cluster: &'static str) -> impl Strategy<Value = Vec<Told>> {
    let one = prop_oneof![
        3 => some_alert(cluster).prop_map(Told::Up),
        1 => some_alert(cluster).prop_map(|alert| Told::Down(alert.key)),
    ];
    prop::collection::vec(one, 0..12)
}

fn records() -> impl Strategy<Value = Vec<Told>> {
    // An incident's changes are told in the order of their times.
    prop::collection::vec(some_record(), 0..10).prop_map(|mut records| {
        records.sort_by_key(|record| record.changed_at);
        records.into_iter().map(Told::Record).collect()
    })
}

fn settings() -> RoomSettings {
    let search = ServiceRule {
        name: Clean::new("search"),
        labels: BTreeMap::from([("service".into(), "search".into())]),
        pagerduty_service: Some("search".into()),
        is_folded: true,
    };
    RoomSettings { services: vec![search], ..RoomSettings::default() }
}

const NOW: i64 = 1_000;

fn fact(told: &Told) -> Fact {
    match told {
        Told::Up(alert) => up(vec![alert.clone()]),
        Told::Down(key) => down(key, 990),
        Told::Record(record) => self::told(vec![record.clone()]),
    }
}

/// Tells the stories, taking the next fact from the story that `turns` names; then what is left of each.
fn tell(room: &mut Room, stories: &[Vec<Told>], turns: &[usize], mut after: impl FnMut(&Room)) {
    let mut next = vec![0; stories.len()];
    let rest = (0..stories.len()).flat_map(|story| std::iter::repeat_n(story, stories[story].len()));
    for story in turns.iter().copied().chain(rest) {
        if let Some(told) = stories[story].get(next[story]) {
            next[story] += 1;
            room.apply(&fact(told), noon(NOW));
            after(room);
        }
    }
}

/// Rows as the oracle sees them; what is over and PagerDuty does not have depends on what was there first, so it is left
/// out.
fn seen(room: &Room) -> BTreeMap<IncidentId, Seen> {
    let is_counted = |incident: &&Incident| incident.record.is_some() || incident.status != Status::Resolved;
    let see = |incident: &Incident| {
        let seen = Seen {
            members: incident.alerts.iter().cloned().collect(),
            status: incident.status,
            severity: incident.assessment.severity,
            started_at: incident.started_at,
            is_suppressed: incident.is_suppressed,
        };
        (incident.id.clone(), seen)
    };
    room.board().iter().filter(is_counted).map(see).collect()
}

/// What must hold after every fact.
fn check(room: &Room) {
    let rows: Vec<&Incident> = room.board().iter().collect();
    assert_eq!(rows.len(), room.len());
    for (rank, incident) in rows.iter().enumerate() {
        assert_eq!(room.board().rank_of(&incident.id), Some(rank));
        assert_eq!(room.board().get(rank), Some(&incident.id));
        assert_eq!(room.resolve_alias(&incident.id), &incident.id);
        assert!(incident.alerts.is_sorted() && incident.alerts.iter().all(|(key, _)| room.alert(key).is_some()));
        assert!(!incident.title.as_str().is_empty() || incident.record.is_none());
        assert!(room.timeline(&incident.id).is_sorted_by_key(|event| (event.happened_at, event.kind)));
        assert!(room.hints(&incident.id, noon(NOW)).len() <= 1);
        room.clock(&incident.id, noon(NOW)).expect("every row has a clock");
    }
    let open = |incident: &&&Incident| incident.status != Status::Resolved && !incident.is_suppressed;
    assert_eq!(room.tally().open(), rows.iter().filter(open).count());
    assert_eq!(room.tally().resolved, rows.iter().filter(|row| row.status == Status::Resolved).count());
    let order = |incident: &Incident| {
        let tier = match incident.status {
            Status::Resolved => 2,
            _ => u8::from(incident.is_suppressed),
        };
        let is_acknowledged = incident.status == Status::Acknowledged;
        (tier, incident.assessment.severity.rank(), is_acknowledged, incident.started_at, incident.id.clone())
    };
    assert!(rows.is_sorted_by_key(|incident| order(incident)), "{:?}", board(room));
    let housed: BTreeSet<&AlertKey> = rows.iter().flat_map(|row| &row.alerts).map(|(key, _)| key).collect();
    for alert in room.alerts() {
        assert_eq!(housed.contains(&alert.key), alert.name() != "Watchdog", "{:?}", alert.labels);
    }
}

fn known(stories: &[Vec<Told>]) -> (BTreeMap<AlertKey, Arc<Alert>>, BTreeMap<PagerId, Arc<PagerIncident>>) {
    let (mut alerts, mut records) = (BTreeMap::new(), BTreeMap::new());
    for told in stories.iter().flatten() {
        match told {
            Told::Up(alert) => drop(alerts.insert(alert.key.clone(), Arc::new(alert.clone()))),
            Told::Down(key) => drop(alerts.remove(key)),
            Told::Record(record) => drop(records.insert(record.id.clone(), Arc::new(record.clone()))),
        }
    }
    (alerts, records)
}

proptest! {
    #[test]
    fn any_order_gives_the_rows_of_the_oracle(
        stories in (records(), story("eu"), story("us")),
        one in prop::collection::vec(0..3_usize, 0..40),
        other in prop::collection::vec(0..3_usize, 0..40),
    ) {
        let stories = [stories.0, stories.1, stories.2];
        let (alerts, records) = known(&stories);
        let settings = settings();
        let expected = Oracle { settings: &settings, alerts: &alerts, records: &records, now: noon(NOW) }.rows();
        for turns in [one, other] {
            let mut room = Room::new(settings.clone());
            let mut selected: Vec<(IncidentId, AlertKey)> = Vec::new();
            tell(&mut room, &stories, &turns, |room| {
                check(room);
                for incident in room.board().iter() {
                    // Selected by its group's or its alert's name: those name one thing as long as it fires.
                    if let [(key, Link::Group)] = incident.alerts.as_slice() && selected.len() < 50 {
                        selected.push((incident.id.clone(), key.clone()));
                    }
                }
            });
            prop_assert_eq!(&seen(&room), &expected);
            for (name, key) in &selected {
                let is_same = |alert: &Arc<Alert>| {
                    let group = alert.groups.iter().find(|group| group.pages).or(alert.groups.first());
                    let groups = stories.iter().flatten().filter(|told| matches!(told, Told::Up(told) if told.key == *key));
                    groups.count() == 1 && group.is_some()
                };
                if room.alert(key).is_some_and(is_same) {
                    let found = room.incident(name);
                    prop_assert!(found.is_some(), "{} lost; board {:?}", name, board(&room));
                }
            }
        }
    }

    #[test]
    fn time_passes_without_harm(stories in (records(), story("eu")), steps in prop::collection::vec(0..2_000_i64, 1..8)) {
        let mut room = Room::new(settings());
        tell(&mut room, &[stories.0, stories.1], &[], check);
        let mut now = noon(NOW);
        for step in steps {
            now += Duration::seconds(step);
            if let Some(next) = room.next_change(now) {
                assert!(next > now);
            }
            room.apply(&Fact::ProblemCleared { key: String::new() }, now);
            check(&room);
        }
        room.apply(&Fact::ProblemCleared { key: String::new() }, now + Duration::days(1));
        prop_assert_eq!(room.tally().resolved, 0);
    }
}

#[test]
fn a_dedup_key_is_long_and_its_row_has_a_short_name() {
    let long: String = "0123456789abcdef".repeat(4);
    let mut room = Room::default();
    let mut one = alert("am", CPU, &[]);
    one.groups = [crate::domain::alert::GroupRef {
        receiver: "pd".into(),
        key: DedupKey::parse(&long).expect("hex"),
        pages: true,
    }]
    .into();
    room.apply(&up(vec![one]), noon(1));
    assert_eq!(board(&room), ["am:0123456789abcdef"]);
}
