//! Which stories a scenario tells, and when each begins, seen from the instant at which people start to look.

use super::super::dice::Dice;
use super::super::plant::Knob;
use super::{
    Story, background, bad_deploy, certificate_expiry, database_failover, flapping, node_cpu, regional_outage,
};

/// Scenarios by name, each with what it tells.
pub const SCENARIOS: [(&str, &str); 9] = [
    ("friday-night", "a busy evening: several stories at different stages, and more to come"),
    ("bad-deploy", "a deploy of checkout breaks one order in six"),
    ("database-failover", "the primary of orders-db goes away"),
    ("node-cpu-high", "a batch job eats a node's CPU"),
    ("certificate-expiry", "a certificate was not renewed"),
    ("regional-outage", "a region goes dark: 2,400 alerts with one cause"),
    ("flapping-false-positive", "an alert that comes and goes, and nobody is affected"),
    ("alert-storm", "50,000 alerts that come and go, for measuring"),
    ("quiet", "nothing happens"),
];

/// A story and when it begins.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// Seconds from the start; negative lies in the past.
    pub begins_s: i64,
    /// The story.
    pub story: Story,
}

/// Whether there is such a scenario.
pub fn is_known(name: &str) -> bool {
    SCENARIOS.iter().any(|(known, _)| *known == name)
}

/// The stories of a scenario; none when there is no such scenario.
pub fn program(name: &str) -> Option<Vec<Scheduled>> {
    // A single story is told from half a minute after its page.
    let after_page = |page_s: i64| -(page_s + 30);
    let mut stories = match name {
        "friday-night" => friday_night(),
        "bad-deploy" => company_and(after_page(bad_deploy::PAGE_S), bad_deploy::story()),
        "database-failover" => company_and(after_page(database_failover::PAGE_S), database_failover::story()),
        "node-cpu-high" => company_and(after_page(node_cpu::PAGE_S), node_cpu::story()),
        "certificate-expiry" => company_and(after_page(certificate_expiry::PAGE_S), certificate_expiry::story()),
        "regional-outage" => company_and(after_page(regional_outage::PAGE_S), regional_outage::story(2_400)),
        "flapping-false-positive" => company_and(after_page(flapping::PAGE_S), flapping::story(12)),
        "alert-storm" => vec![(-90, regional_outage::bare_storm(50_000))],
        "quiet" => Vec::new(),
        _ => return None,
    };
    stories.push((-26 * 3_600, background::watchdog()));
    let schedule = |(begins_s, mut story): (i64, Story)| {
        for strain in story.strains.iter_mut().filter(|strain| strain.knob == Knob::CertExpiry) {
            strain.amount = (begins_s + certificate_expiry::EXPIRES_S) as f64;
        }
        Scheduled { begins_s, story }
    };
    Some(stories.into_iter().map(schedule).collect())
}

fn past() -> Vec<(i64, Story)> {
    background::past().into_iter().map(|(minutes, story)| (minutes * 60, story)).collect()
}

fn company_and(begins_s: i64, story: Story) -> Vec<(i64, Story)> {
    let mut stories = past();
    stories.extend([
        (-9_000, background::full_disk()),
        (-5_400, background::carrier()),
        (-4_000, background::stale_model()),
        (begins_s, story),
    ]);
    stories
}

fn friday_night() -> Vec<(i64, Story)> {
    let mut stories = past();
    let minutes = [
        (-9, bad_deploy::story()),
        (-47, database_failover::story()),
        (-19, node_cpu::story()),
        (-150, certificate_expiry::story()),
        (-340, flapping::story(30)),
        (-24, background::declined_payments()),
        (-41, background::slow_search()),
        (-17, background::sign_in_errors()),
        (-63, background::mail_backlog()),
        (-170, background::full_disk()),
        (-112, background::crash_loop()),
        (-700, background::stale_model()),
        (-210, background::maintenance()),
        (-88, background::late_settlement()),
        (-182, background::carrier()),
        (-97, background::stock_drift()),
        (13, regional_outage::story(260)),
    ];
    stories.extend(minutes.into_iter().map(|(minute, story)| (minute * 60, story)));
    stories
}

/// What comes when the evening goes on: some small story, and the seconds until the one after it.
pub fn later(dice: &mut Dice) -> (Story, i64) {
    let story = match dice.between(0, 6) {
        0 => background::slow_search(),
        1 => background::sign_in_errors(),
        2 => background::mail_backlog(),
        3 => background::crash_loop(),
        4 => node_cpu::story(),
        5 => bad_deploy::story(),
        _ => background::declined_payments(),
    };
    (story, dice.between(900, 2_400))
}
