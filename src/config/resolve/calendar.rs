//! `[calendar]`, `[notify]`.

use chrono::Weekday;

use super::set;
use crate::config::model::Config;
use crate::config::read::Section;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

pub(super) fn calendar(config: &mut Config, top: &Section<'_>) {
    let Some(section) = top.table("calendar", "[calendar]") else { return };
    let calendar = &mut config.calendar;
    if let Some(item) = section.item("days") {
        let days: Option<Vec<Weekday>> =
            item.list().map(|list| list.iter().filter_map(|day| day.choice(&DAYS)).collect());
        if days.as_ref().is_some_and(Vec::is_empty) {
            item.error("'days' in [calendar] leaves no business day", "write for example [\"mon\", \"tue\"]");
        } else {
            set(&mut calendar.days, days);
        }
    }
    if let Some(item) = section.item("hours") {
        match item.hours() {
            Some((from, until)) if from >= until => {
                item.error("'hours' in [calendar] end before they begin", "write them as \"09:00-17:00\"");
            }
            hours => set(&mut calendar.hours, hours),
        }
    }
    let holidays = section.item("holidays").and_then(|item| item.list());
    set(&mut calendar.holidays, holidays.map(|list| list.iter().filter_map(|item| item.day()).collect()));
    calendar.time_zone = section.item("time_zone").and_then(|item| item.time_zone());
    section.finish();
}

pub(super) fn notify(config: &mut Config, top: &Section<'_>) {
    let Some(section) = top.table("notify", "[notify]") else { return };
    set(&mut config.notify.bell, section.item("bell").and_then(|item| item.flag()));
    set(&mut config.notify.desktop, section.item("desktop").and_then(|item| item.flag()));
    config.notify.quiet = section.item("quiet").and_then(|item| item.hours());
    section.finish();
}
