//! Business days: when "the next business day" is.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::time::Timestamp;

/// How far ahead a business day is looked for; a calendar without any is answered with the instant asked about.
const HORIZON_DAYS: u64 = 60;

/// Business days and hours of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Where the team lives.
    pub zone: Tz,
    /// Days people work.
    pub days: Vec<Weekday>,
    /// When a day begins.
    pub opens: NaiveTime,
    /// Days nobody works.
    pub holidays: Vec<NaiveDate>,
}

impl Default for Calendar {
    fn default() -> Self {
        let opens = NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default();
        let days = vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
        Self { zone: Tz::UTC, days, opens, holidays: Vec::new() }
    }
}

impl Calendar {
    /// When the first business day after the day of `from` opens.
    #[must_use]
    pub fn next_business_day(&self, from: Timestamp) -> Timestamp {
        let today = from.with_timezone(&self.zone).date_naive();
        (1..=HORIZON_DAYS)
            .filter_map(|ahead| today.checked_add_days(Days::new(ahead)))
            .find(|day| self.days.contains(&day.weekday()) && !self.holidays.contains(day))
            .and_then(|day| self.opening(day))
            .unwrap_or(from)
    }

    /// An opening hour that a clock change skips is taken an hour later.
    fn opening(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let local = day.and_time(self.opens);
        let shifted = local.checked_add_signed(chrono::Duration::hours(1))?;
        let at = self.zone.from_local_datetime(&local).earliest();
        at.or_else(|| self.zone.from_local_datetime(&shifted).earliest()).map(|at| at.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::at;

    #[test]
    fn weekends_holidays_and_zones() {
        let mut calendar = Calendar { zone: Tz::Europe__Berlin, ..Calendar::default() };
        // A Thursday, then a Friday; Berlin is at +1 in winter.
        assert_eq!(calendar.next_business_day(at("2026-01-08T12:00:00Z")), at("2026-01-09T08:00:00Z"));
        assert_eq!(calendar.next_business_day(at("2026-01-09T12:00:00Z")), at("2026-01-12T08:00:00Z"));
        // 23:30 UTC is Friday in Berlin already.
        assert_eq!(calendar.next_business_day(at("2026-01-08T23:30:00Z")), at("2026-01-12T08:00:00Z"));
        calendar.holidays = vec![NaiveDate::from_ymd_opt(2026, 1, 12).expect("a day")];
        assert_eq!(calendar.next_business_day(at("2026-01-09T12:00:00Z")), at("2026-01-13T08:00:00Z"));
        calendar.days.clear();
        assert_eq!(calendar.next_business_day(at("2026-01-09T12:00:00Z")), at("2026-01-09T12:00:00Z"));
    }
}
