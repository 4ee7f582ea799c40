//! The simulated company: its teams, people, on-call schedules, escalation policies and services. Fixed: the same in
//! every world, so that a test or a drill can name them.

use chrono::TimeDelta;

use super::dice::{fixed_id, hex_digest};
use crate::domain::time::Timestamp;

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// PagerDuty id.
    pub id: String,
    /// Name.
    pub name: &'static str,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// PagerDuty id.
    pub id: String,
    /// Name.
    pub name: &'static str,
    /// E-mail: what the `From` header carries.
    pub email: String,
    /// Job title.
    pub title: &'static str,
    /// Index of the team.
    pub team: usize,
    /// IANA zone.
    pub time_zone: &'static str,
    /// PagerDuty role.
    pub role: &'static str,
}

/// A rotation: each person a week, handed over on Monday at 09:00 UTC.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// PagerDuty id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Who takes turns.
    pub people: Vec<usize>,
}

/// Who is called by an escalation rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever is on call by this schedule.
    Schedule(usize),
    /// This person.
    Person(usize),
}

/// A level of an escalation policy.
#[derive(Clone, Debug)]
pub struct Level {
    /// PagerDuty id.
    pub id: String,
    /// Minutes until the next level is called.
    pub delay_min: i64,
    /// Who is called.
    pub targets: Vec<Target>,
}

/// An escalation policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// PagerDuty id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Index of the team.
    pub team: usize,
    /// Levels, first called first.
    pub levels: Vec<Level>,
    /// How often the whole is repeated.
    pub loops: u32,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// PagerDuty id.
    pub id: String,
    /// Name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Index of the team.
    pub team: usize,
    /// Index of the escalation policy.
    pub policy: usize,
    /// 1 = the shop stands still without it.
    pub tier: u8,
    /// Seconds until an acknowledged incident is triggered again.
    pub ack_timeout_s: Option<i64>,
    /// Seconds until an open incident is resolved by itself.
    pub auto_resolve_s: Option<i64>,
    /// Events v2 integration.
    pub integration_id: String,
    /// Events v2 routing key.
    pub routing_key: String,
}

/// A priority; worst first.
#[derive(Clone, Debug)]
pub struct PriorityLevel {
    /// PagerDuty id.
    pub id: String,
    /// Name.
    pub name: &'static str,
    /// Meaning.
    pub description: &'static str,
}

/// The company.
#[derive(Clone, Debug)]
pub struct Company {
    /// Teams.
    pub teams: Vec<Team>,
    /// People; the first one is the operator.
    pub people: Vec<Person>,
    /// Schedules: primary and secondary of each team, in the teams' order.
    pub schedules: Vec<Schedule>,
    /// Policies: one for each team, in the teams' order.
    pub policies: Vec<Policy>,
    /// Services.
    pub services: Vec<Service>,
    /// Priorities, worst first.
    pub priorities: Vec<PriorityLevel>,
    /// The Monday 09:00 UTC at which the first person of each schedule took over.
    pub handover: Timestamp,
}

/// REST key of the operator: `users/me` works.
pub const USER_TOKEN: &str = "y_SimulatedOperator1";
/// Account-level REST key: no `users/me`.
pub const ACCOUNT_TOKEN: &str = "u+SimulatedAccount01";
/// REST key that may only read.
pub const READ_ONLY_TOKEN: &str = "r-SimulatedReader001";
/// What the account can do.
pub const ABILITIES: [&str; 8] = [
    "sso",
    "advanced_reports",
    "teams",
    "read_only_users",
    "team_responders",
    "service_support_hours",
    "urgencies",
    "coordinated_responding",
];
/// Domain of the company's addresses and links.
pub const DOMAIN: &str = "meridian.example";

const TEAMS: [&str; 5] = ["Storefront", "Payments", "Discovery", "Identity", "Platform"];

/// Name, title, team, zone.
const PEOPLE: [(&str, &str, usize, &str); 17] = [
    ("Ines Okafor", "Senior Software Engineer", 0, "Europe/Berlin"),
    ("Tomás Rivera", "Software Engineer", 0, "Europe/Madrid"),
    ("Hannah Lindqvist", "Staff Engineer", 0, "Europe/Stockholm"),
    ("Marcus Adeyemi", "Engineering Manager", 0, "Europe/London"),
    ("Priya Raman", "Senior Software Engineer", 1, "Asia/Kolkata"),
    ("Jonas Weber", "Software Engineer", 1, "Europe/Berlin"),
    ("Claire Dubois", "Engineering Manager", 1, "Europe/Paris"),
    ("Yuki Tanaka", "Search Engineer", 2, "Asia/Tokyo"),
    ("Owen Gallagher", "Software Engineer", 2, "Europe/Dublin"),
    ("Sara Haddad", "Engineering Manager", 2, "Europe/Amsterdam"),
    ("Felix Braun", "Security Engineer", 3, "Europe/Zurich"),
    ("Amara Nwosu", "Software Engineer", 3, "Africa/Lagos"),
    ("Diego Fernández", "Engineering Manager", 3, "America/Bogota"),
    ("Mei-Ling Chou", "Site Reliability Engineer", 4, "Asia/Taipei"),
    ("Erik Johansson", "Database Engineer", 4, "Europe/Stockholm"),
    ("Nadia Petrova", "Site Reliability Engineer", 4, "Europe/Sofia"),
    ("Samuel Brooks", "Director of Platform", 4, "America/New_York"),
];

/// Name, team, tier, description.
const SERVICES: [(&str, usize, u8, &str); 13] = [
    ("checkout", 0, 1, "Basket, order placement and payment hand-over"),
    ("payments", 1, 1, "Card authorisation and capture through two providers"),
    ("search", 2, 2, "Product search and facets"),
    ("catalog", 2, 2, "Product data, prices and availability"),
    ("auth", 3, 1, "Sign-in, sessions and tokens"),
    ("edge", 4, 1, "Ingress, TLS termination and the CDN's origin"),
    ("orders-db", 4, 1, "PostgreSQL cluster of orders: one primary, two replicas"),
    ("inventory", 0, 2, "Stock levels and reservations"),
    ("notifications", 0, 3, "E-mail, push and SMS to customers"),
    ("recommendations", 2, 3, "Also bought, for you"),
    ("shipping", 0, 2, "Labels, carriers and tracking"),
    ("ledger", 1, 2, "Bookings and settlement files"),
    ("platform-nodes", 4, 2, "Kubernetes nodes and what runs on all of them"),
];

const PRIORITIES: [(&str, &str); 5] = [
    ("P1", "Complete outage, data loss or a security breach: war room"),
    ("P2", "A major function is impaired for many customers"),
    ("P3", "A minor function is impaired, or one service is degraded"),
    ("P4", "Hardly noticed by customers"),
    ("P5", "Cosmetic"),
];

impl Company {
    /// The company in the week of `start`.
    pub fn new(start: Timestamp) -> Self {
        let teams: Vec<Team> = TEAMS.iter().map(|name| Team { id: fixed_id("team", name), name }).collect();
        let people: Vec<Person> = PEOPLE.iter().map(person).collect();
        let mut schedules = Vec::new();
        let mut policies = Vec::new();
        for (team, name) in TEAMS.iter().enumerate() {
            let members: Vec<usize> =
                (0..people.len()).filter(|index| PEOPLE.get(*index).is_some_and(|p| p.2 == team)).collect();
            let (manager, engineers) = members.split_last().map_or((0, &[][..]), |(last, rest)| (*last, rest));
            for (rank, offset) in [("Primary", 0), ("Secondary", 1)] {
                let name = format!("{name} {rank}");
                let mut turns = engineers.to_vec();
                let turn = offset.min(turns.len());
                turns.rotate_left(turn);
                schedules.push(Schedule { id: fixed_id("schedule", &name), name, people: turns });
            }
            let targets = [Target::Schedule(team * 2), Target::Schedule(team * 2 + 1), Target::Person(manager)];
            let levels = targets.into_iter().zip([5, 10, 15]).enumerate().map(|(index, (target, delay_min))| Level {
                id: fixed_id("level", &format!("{name}{index}")),
                delay_min,
                targets: vec![target],
            });
            let policy = format!("{name} on-call");
            let loops = if team == 2 { 0 } else { 2 };
            policies.push(Policy {
                id: fixed_id("policy", &policy),
                name: policy,
                team,
                levels: levels.collect(),
                loops,
            });
        }
        let services = SERVICES.iter().map(service).collect();
        let priorities = PRIORITIES.iter().map(|(name, description)| PriorityLevel {
            id: fixed_id("priority", name),
            name,
            description,
        });
        Self {
            teams,
            people,
            schedules,
            policies,
            services,
            priorities: priorities.collect(),
            handover: monday_before(start),
        }
    }

    /// Index of a service by name.
    pub fn service_named(&self, name: &str) -> Option<usize> {
        self.services.iter().position(|service| service.name == name)
    }

    /// Index of a person by the beginning of the name.
    pub fn person_named(&self, name: &str) -> Option<usize> {
        self.people.iter().position(|person| person.name.starts_with(name))
    }

    /// Who is on call by a schedule, and from when until when.
    pub fn turn(&self, schedule: usize, now: Timestamp) -> Option<(usize, Timestamp, Timestamp)> {
        let week = now.signed_duration_since(self.handover).num_seconds().div_euclid(WEEK_S);
        let people = &self.schedules.get(schedule)?.people;
        let index = usize::try_from(week.rem_euclid(i64::try_from(people.len()).ok()?)).ok()?;
        let start = self.handover + TimeDelta::weeks(week);
        Some((*people.get(index)?, start, start + TimeDelta::weeks(1)))
    }

    /// Whom a level calls now.
    pub fn called(&self, policy: usize, level: usize, now: Timestamp) -> Vec<usize> {
        let level = self.policies.get(policy).and_then(|policy| policy.levels.get(level));
        let targets = level.map(|level| level.targets.as_slice()).unwrap_or_default();
        let resolve = |target: &Target| match target {
            Target::Schedule(schedule) => self.turn(*schedule, now).map(|turn| turn.0),
            Target::Person(person) => Some(*person),
        };
        targets.iter().filter_map(resolve).collect()
    }
}

const WEEK_S: i64 = 7 * 86_400;

fn monday_before(instant: Timestamp) -> Timestamp {
    const MONDAY: i64 = 1_767_603_600; // 2026-01-05 09:00 UTC
    let into_week = (instant.timestamp() - MONDAY).rem_euclid(WEEK_S);
    Timestamp::from_timestamp(instant.timestamp() - into_week, 0).unwrap_or(instant)
}

fn person((name, title, team, time_zone): &(&'static str, &'static str, usize, &'static str)) -> Person {
    let plain = name.to_lowercase().replace(' ', ".").replace('á', "a").replace('é', "e");
    let role = if title.starts_with("Engineering Manager") || title.starts_with("Director") { "admin" } else { "user" };
    Person { id: fixed_id("user", name), name, email: format!("{plain}@{DOMAIN}"), title, team: *team, time_zone, role }
}

fn service((name, team, tier, description): &(&'static str, usize, u8, &'static str)) -> Service {
    Service {
        id: fixed_id("service", name),
        name,
        description,
        team: *team,
        policy: *team,
        tier: *tier,
        ack_timeout_s: if *tier == 1 { Some(1800) } else { None },
        auto_resolve_s: if *tier == 1 { None } else { Some(14_400) },
        integration_id: fixed_id("integration", name),
        routing_key: hex_digest(&format!("routing/{name}"), 32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_level_calls_somebody_and_ids_are_unique() {
        let now = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let company = Company::new(now);
        for (index, policy) in company.policies.iter().enumerate() {
            assert_eq!(policy.levels.len(), 3);
            for level in 0..3 {
                assert!(!company.called(index, level, now).is_empty(), "{} level {level}", policy.name);
            }
            assert_ne!(company.called(index, 0, now), company.called(index, 1, now), "{}", policy.name);
        }
        let mut ids: Vec<&String> = company.people.iter().map(|person| &person.id).collect();
        ids.extend(company.services.iter().map(|service| &service.id));
        ids.extend(company.schedules.iter().map(|schedule| &schedule.id));
        ids.extend(company.policies.iter().map(|policy| &policy.id));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(company.people.iter().all(|person| person.email.is_ascii()));
    }

    #[test]
    fn turns_change_on_monday_morning() {
        let monday: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let company = Company::new(monday + TimeDelta::days(3));
        let (_, start, end) = company.turn(0, monday).unwrap();
        assert_eq!(company.turn(0, monday).unwrap().0, 0, "the operator is on call in the first week");
        assert_eq!((start, end), (monday, monday + TimeDelta::weeks(1)));
        let before = company.turn(0, monday - TimeDelta::seconds(1)).unwrap().0;
        assert_ne!(before, company.turn(0, monday).unwrap().0);
    }
}
