//! The two lines that are always there: which room, how bad, what time; who is on call, which sources answer, what is
//! not delivered. What does not fit is left out from the least important on, never cut in the middle.

use std::collections::BTreeMap;

use super::Trust;
use super::freshness::{is_down, source_trust};
use crate::config::theme::Role;
use crate::domain::freshness::Freshness;
use crate::domain::sharing::Sharing;
use crate::domain::source::{SourceHealth, SourceKind};
use crate::domain::time::Timestamp;
use crate::tui::layout::Area;
use crate::tui::model::{Banner, Model};
use crate::tui::style::{Glyphs, freshness_role, severity_role};
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Pen, Row, Words, clock, words};

pub(super) fn draw(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let ground = pen.style(Role::Header);
    pen.ground(area, ground);
    let (first, second) = area.split_top(1);
    first_line(pen, first, model);
    second_line(pen, second, model);
}

fn first_line(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let mut row = Row::new(pen, area);
    row.gap(1).right_gap(1);
    clocks(&mut row, model);
    if area.width < NARROW {
        undelivered(&mut row, model, width(model.room_name.as_str()) + 38);
    }
    row.put(&model.room_name, Role::HeaderName).gap(1);
    let banner = match &model.banner {
        Some(Banner::Demo(story)) => Some((words!(" DEMO "), story, Role::BannerDemo)),
        Some(Banner::Drill(story)) => Some((words!(" DRILL "), story, Role::BannerDrill)),
        None => None,
    };
    if let Some((word, story, role)) = banner {
        row.put(&word, role).gap(1);
        // The story's name only where the counts keep their room.
        if width(story.as_str()) + 64 <= row.room() {
            row.put(story, Role::TextDim).gap(1);
        }
    }
    sharing(&mut row, model);
    if model.read_only {
        row.put(&" READ-ONLY ", Role::BannerReadOnly).gap(1);
    }
    if model.is_slow_terminal {
        row.put(&" slow terminal ", Role::BannerWarning).gap(1);
    }
    row.gap(1);
    let wide = row.room() >= 52;
    for (severity, count) in model.room.counts() {
        let role = if count == 0 { Role::TextDim } else { severity_role(severity) };
        let glyph = row.glyphs().severity(severity);
        let text = if wide { words!("{glyph} {count} {}", severity.word()) } else { words!("{glyph} {count}") };
        row.put(&text, role).gap(if wide { 3 } else { 2 });
    }
}

/// Whether the others see what is done here; nothing where nobody else is meant to.
fn sharing(row: &mut Row<'_, '_>, model: &Model) {
    match model.room.sharing() {
        Sharing::Alone | Sharing::Shared => {}
        Sharing::Apart { since, .. } => {
            let since = since.with_timezone(&model.zone).format("%H:%M");
            row.put(&words!(" not shared since {since} "), Role::BannerWarning).gap(1);
        }
        Sharing::ReadOnly { .. } => {
            row.put(&" READ-ONLY: the room is of a newer version ", Role::BannerReadOnly).gap(1);
        }
    }
}

/// Who else is here, and who has which role of the incident under the cursor.
fn people(row: &mut Row<'_, '_>, model: &Model) {
    let mut names: Vec<&crate::text::Clean> =
        model.room.present().iter().filter(|present| !present.is_me).map(|present| &present.who).collect();
    names.dedup();
    if let [first, more @ ..] = names.as_slice() {
        let more = if more.is_empty() { words!("") } else { words!(" +{}", more.len()) };
        if row.put_whole(&words!("here: {first}{more}"), Role::Text, 4) {
            row.gap(3);
        }
    }
    let Some(selected) = model.selected() else { return };
    for (role, holding) in model.room.roles(&selected.id) {
        if row.put_whole(&words!("{role}: {}", holding.who), Role::TextStrong, 4) {
            row.gap(3);
        }
    }
}

/// The room's zone and UTC; once where they are the same.
fn clocks(row: &mut Row<'_, '_>, model: &Model) {
    use chrono::Offset as _;
    let minute = |zone: chrono_tz::Tz| words!("{}", model.now.with_timezone(&zone).format("%H:%M"));
    let (here, utc) = (minute(model.zone), minute(chrono_tz::UTC));
    let is_utc = model.now.with_timezone(&model.zone).offset().fix().local_minus_utc() == 0;
    if row.room() >= 70 || is_utc {
        let zone = if is_utc { words!("UTC") } else { clock::zone_name(model.now, model.zone) };
        if !is_utc {
            row.right(&words!(" UTC"), Role::TextDim, 20).right(&utc, Role::TextDim, 20);
            row.right(&words!("  "), Role::Text, 20);
        }
        row.right(&words!(" {zone}"), Role::TextDim, 20);
        row.right(&here, Role::TextStrong, 20);
        let today = clock::day(model.now, model.zone);
        row.right(&words!("{today}  "), Role::TextDim, 110);
    } else {
        row.right(&words!(" / {utc} UTC"), Role::TextDim, 20).right(&here, Role::TextStrong, 20);
    }
    row.right_gap(2);
}

fn second_line(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let mut row = Row::new(pen, area);
    row.gap(1).right_gap(1);
    if area.width >= NARROW {
        undelivered(&mut row, model, ON_CALL + 20);
    }
    sources(&mut row, model);
    people(&mut row, model);
    on_call(&mut row, model);
}

/// Columns below which the actions that have not arrived stand in the first line, so that the people on call keep theirs.
const NARROW: u16 = 100;

/// At the right end: the actions that have not arrived, by how they stand. Counts alone where the words take what `keep`
/// columns need.
fn undelivered(row: &mut Row<'_, '_>, model: &Model, keep: u16) {
    use crate::domain::action::Delivery;
    let count = |is: fn(&Delivery) -> bool| model.room.sendings().values().filter(|one| is(&one.delivery)).count();
    let glyphs = row.glyphs();
    let states: [(&'static str, &str, Role, usize); 3] = [
        (glyphs.cross, "failed", Role::DeliveryFailed, count(|one| matches!(one, Delivery::Failed { .. }))),
        (glyphs.unknown, "unknown", Role::DeliveryUnknown, count(|one| matches!(one, Delivery::Unknown { .. }))),
        (glyphs.queued, "on its way", Role::DeliveryQueued, count(|one| !one.is_settled())),
    ];
    let some = || states.iter().filter(|(.., count)| *count > 0);
    let long: u16 = some().map(|(_, word, ..)| width(word) + 8).sum();
    let has_words = long + keep <= row.room();
    for (glyph, word, role, count) in some() {
        let text = if has_words { words!("{glyph} {count} {word}") } else { words!("{glyph} {count}") };
        row.right(&text, *role, keep).right_gap(if has_words { 3 } else { 2 });
    }
}

/// Columns that the people on call keep, however many sources there are.
const ON_CALL: u16 = 26;

/// One part of the line of sources.
struct Told {
    text: Words,
    role: Role,
    is_well: bool,
}

/// Every source with its age. Where that takes too much room, replicas that are all well share one word; where even that
/// does, those that are well lose their age, and then give way to those that are not.
fn sources(row: &mut Row<'_, '_>, model: &Model) {
    let all: Vec<(&SourceHealth, Trust)> =
        model.room.sources().values().map(|health| (health, source_trust(health, model.now))).collect();
    if all.is_empty() {
        row.put(&"no source is configured", Role::Unknown).gap(3);
        return;
    }
    let glyphs = row.glyphs();
    let room = row.room().saturating_sub(ON_CALL);
    let ways = [(false, true), (true, true), (true, false)];
    let mut tellings = ways.into_iter().map(|(folds, ages)| told(glyphs, &all, model.now, folds, ages)).peekable();
    let columns = |parts: &[Told]| parts.iter().map(|part| width(part.text.as_str()) + 3).sum::<u16>();
    let mut parts = Vec::new();
    while let Some(next) = tellings.next() {
        let fits = columns(&next) <= room;
        parts = next;
        if fits || tellings.peek().is_none() {
            break;
        }
    }
    let gap = if columns(&parts) <= room { 3 } else { 2 };
    parts.sort_by_key(|part| gap == 2 && part.is_well);
    let count = parts.len();
    for (at, part) in parts.into_iter().enumerate() {
        let left = count - at;
        // Those that are well leave the people on call their room.
        let keep = if left > 1 { 6 } else { 0 } + if part.is_well && gap == 2 { ON_CALL - 6 } else { 0 };
        if !row.put_whole(&part.text, part.role, keep) {
            row.put_whole(&words!("+{left} ok"), Role::TextDim, 0);
            row.gap(2);
            return;
        }
        row.gap(gap);
    }
}

fn told(glyphs: &Glyphs, all: &[(&SourceHealth, Trust)], now: Timestamp, folds: bool, ages: bool) -> Vec<Told> {
    let is_well = |health: &SourceHealth, trust: &Trust| trust.freshness == Freshness::Fresh && !is_down(health);
    let mut parts = Vec::new();
    let mut folded = Vec::new();
    for (health, trust) in all {
        let alike = all.iter().filter(|(other, trust)| other.kind == health.kind && is_well(other, trust)).count();
        let well = is_well(health, trust);
        let role = match trust.freshness {
            Freshness::Fresh if is_down(health) => Role::Ageing,
            freshness => freshness_role(freshness),
        };
        let glyph = glyphs.freshness(trust.freshness);
        if !(folds && well && alike > 1) {
            parts.push(Told {
                text: words!("{glyph} {}{}", health.id, state(health, trust, now, ages)),
                role,
                is_well: well,
            });
        } else if !folded.contains(&health.kind) {
            folded.push(health.kind);
            let age = if ages { words!(" {}", trust.age) } else { Words::default() };
            parts.push(Told { text: words!("{glyph} {alike} {}{age}", plural(health.kind)), role, is_well: well });
        }
    }
    parts
}

fn plural(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::PagerDuty => "PagerDuty",
        SourceKind::Alertmanager => "Alertmanagers",
        SourceKind::Prometheus => "Prometheus",
        SourceKind::Console => "consoles",
    }
}

/// How a source does, after its name.
fn state(health: &SourceHealth, trust: &Trust, now: Timestamp, ages: bool) -> Words {
    let asking = health.asking_since.map(|since| (now - since).num_seconds());
    match (trust.freshness, asking.filter(|waits| *waits >= 10)) {
        (Freshness::Forbidden, _) => words!(" forbidden"),
        (Freshness::Unknown, _) if is_down(health) => words!(" unreachable"),
        (Freshness::Unknown, _) => words!(" asking"),
        (Freshness::Stale, _) => words!(" stale {}", trust.age),
        (_, _) if is_down(health) => words!(" failing {}", trust.age),
        (Freshness::Ageing, Some(waits)) => words!(" {} (asking {waits}s)", trust.age),
        (Freshness::Ageing, None) => words!(" {}", trust.age),
        (Freshness::Fresh | Freshness::Empty, _) if ages => words!(" {}", trust.age),
        (Freshness::Fresh | Freshness::Empty, _) => Words::default(),
    }
}

/// Who is on call now: first those of the selected incident's policy, by level, then the others; one name once.
fn on_call(row: &mut Row<'_, '_>, model: &Model) {
    let record = model.selected().and_then(|incident| incident.record.as_deref());
    let policy = record.and_then(|record| record.policy.as_ref()).map(|policy| &policy.id);
    let mut known: BTreeMap<&crate::text::Clean, (bool, u32)> = BTreeMap::new();
    for call in model.room.on_calls() {
        let place = (Some(&call.policy.id) != policy, call.level);
        let best = known.entry(&call.user.name).or_insert(place);
        *best = place.min(*best);
    }
    let mut people: Vec<((bool, u32), &crate::text::Clean)> =
        known.into_iter().map(|(name, place)| (place, name)).collect();
    people.sort_unstable();
    let Some(((is_other, _), _)) = people.first() else {
        row.put_whole(&"on call: not known", Role::TextDim, 0);
        return;
    };
    let service = model.selected().and_then(|incident| incident.service.as_ref());
    let label = match service.filter(|_| !is_other && row.room() >= 72) {
        Some(service) => words!("on call for {service}  "),
        None => words!("on call "),
    };
    if !row.put_whole(&label, Role::TextDim, 10) {
        return;
    }
    let count = people.len();
    for (at, ((is_other, level), name)) in people.into_iter().enumerate() {
        let rest = words!("+{}", count - at);
        let name = words!("{name}");
        let level_words = words!(" L{level}");
        let keep = width(level_words.as_str()) + if at + 1 < count { 5 } else { 0 };
        let role = if level == 1 && !is_other { Role::TextStrong } else { Role::Text };
        if !row.put_whole(&name, role, keep) {
            row.put_whole(&rest, Role::TextDim, 0);
            return;
        }
        row.put(&level_words, Role::TextDim).gap(2);
    }
}
