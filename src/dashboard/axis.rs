//! The time axis: where an instant lies, which instants are named below the chart, and marks such as the incident's
//! start. Labels are in the room's zone and never touch each other.

use chrono::{DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::domain::series::Range;
use crate::domain::time::Timestamp;

/// Between two labels there are at least so many columns.
const GAP: usize = 2;

/// An instant named below the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeTick {
    /// The instant.
    pub at: Timestamp,
    /// The column of its mark.
    pub column: usize,
    /// The column where its label begins; the label lies within the axis.
    pub label_column: usize,
    /// Its name.
    pub label: String,
}

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The incident began.
    Started,
    /// Somebody acknowledged it.
    Acknowledged,
    /// It was resolved.
    Resolved,
    /// Something was deployed or changed.
    Changed,
}

/// An instant that is marked on every chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: MarkKind,
}

/// A time axis over `columns` columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeAxis {
    start: Timestamp,
    end: Timestamp,
    columns: usize,
}

impl TimeAxis {
    /// The axis of a query's grid.
    #[must_use]
    pub fn new(range: &Range, columns: usize) -> Self {
        Self { start: range.start, end: range.end.max(range.start + Duration::milliseconds(1)), columns }
    }

    /// The column of an instant; `None` outside the axis.
    #[must_use]
    pub fn column(&self, at: Timestamp) -> Option<usize> {
        self.dot(at, self.columns)
    }

    /// Where an instant lies among `dots` places side by side (twice the columns for braille).
    #[must_use]
    pub fn dot(&self, at: Timestamp, dots: usize) -> Option<usize> {
        if at < self.start || at > self.end || dots == 0 {
            return None;
        }
        let (into, span) = ((at - self.start).num_milliseconds(), (self.end - self.start).num_milliseconds());
        let last = i64::try_from(dots - 1).unwrap_or(0);
        usize::try_from((into * last + span / 2) / span).ok()
    }

    /// The marks that lie on the axis, with their columns, in order of time.
    #[must_use]
    pub fn marks(&self, marks: &[Mark]) -> Vec<(usize, Mark)> {
        let mut found: Vec<_> = marks.iter().filter_map(|mark| Some((self.column(mark.at)?, *mark))).collect();
        found.sort_by_key(|(_, mark)| (mark.at, mark.kind));
        found
    }

    /// Instants to name: whole minutes, hours, days… of the zone, as many as fit without touching.
    #[must_use]
    pub fn ticks(&self, zone: Tz) -> Vec<TimeTick> {
        STRIDES
            .iter()
            .filter(|stride| (self.end - self.start).num_seconds() / stride.seconds().max(1) <= 400)
            .find_map(|stride| self.try_stride(*stride, zone))
            .unwrap_or_default()
    }

    /// The ticks of one stride, or `None` when their labels would touch.
    fn try_stride(&self, stride: Stride, zone: Tz) -> Option<Vec<TimeTick>> {
        let mut ticks: Vec<TimeTick> = Vec::new();
        let mut free_from = 0;
        for at in stride.instants(self.start, self.end, zone) {
            let Some(column) = self.column(at) else { continue };
            let label = stride.label(at, zone);
            let width = label.chars().count();
            if width > self.columns {
                return None;
            }
            let label_column = column.saturating_sub(width / 2).min(self.columns - width);
            if label_column < free_from {
                return None;
            }
            free_from = label_column + width + GAP;
            ticks.push(TimeTick { at, column, label_column, label });
        }
        (!ticks.is_empty()).then_some(ticks)
    }
}

/// Distance of ticks, from the finest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stride {
    Seconds(i64),
    Days(i64),
    Months(u32),
    Years(i32),
}

const STRIDES: &[Stride] = &[
    Stride::Seconds(1),
    Stride::Seconds(2),
    Stride::Seconds(5),
    Stride::Seconds(10),
    Stride::Seconds(15),
    Stride::Seconds(30),
    Stride::Seconds(60),
    Stride::Seconds(120),
    Stride::Seconds(300),
    Stride::Seconds(600),
    Stride::Seconds(900),
    Stride::Seconds(1_800),
    Stride::Seconds(3_600),
    Stride::Seconds(7_200),
    Stride::Seconds(10_800),
    Stride::Seconds(21_600),
    Stride::Seconds(43_200),
    Stride::Days(1),
    Stride::Days(2),
    Stride::Days(7),
    Stride::Days(14),
    Stride::Months(1),
    Stride::Months(3),
    Stride::Months(6),
    Stride::Years(1),
    Stride::Years(5),
    Stride::Years(20),
];

impl Stride {
    fn seconds(self) -> i64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Days(days) => days * 86_400,
            Self::Months(months) => i64::from(months) * 28 * 86_400,
            Self::Years(years) => i64::from(years) * 365 * 86_400,
        }
    }

    /// Whole instants of the zone within the axis. Counted in local time, so that midnight is midnight also across a
    /// change of the clocks; an hour that does not exist is left out, one that comes twice is named once.
    fn instants(self, start: Timestamp, end: Timestamp, zone: Tz) -> Vec<Timestamp> {
        let mut local = self.floor(start.with_timezone(&zone).naive_local());
        let mut found: Vec<Timestamp> = Vec::new();
        for _ in 0..1_000 {
            if let LocalResult::Single(at) | LocalResult::Ambiguous(at, _) = zone.from_local_datetime(&local) {
                let at = at.to_utc();
                if at > end {
                    break;
                }
                if at >= start && found.last().is_none_or(|last| *last < at) {
                    found.push(at);
                }
            }
            let Some(next) = self.next(local) else { break };
            local = next;
        }
        found
    }

    fn floor(self, local: NaiveDateTime) -> NaiveDateTime {
        let date = local.date();
        let day = match self {
            Self::Seconds(stride) => {
                let into = i64::from(local.time().num_seconds_from_midnight());
                return at_midnight(date) + Duration::seconds(into - into % stride);
            }
            Self::Days(stride) => date - Duration::days(i64::from(date.num_days_from_ce() - 1).rem_euclid(stride)),
            Self::Months(stride) => day_one(date.year(), date.month0() / stride * stride),
            Self::Years(stride) => day_one(date.year().div_euclid(stride) * stride, 0),
        };
        at_midnight(day)
    }

    fn next(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let date = local.date();
        match self {
            Self::Seconds(seconds) => local.checked_add_signed(Duration::seconds(seconds)),
            Self::Days(days) => local.checked_add_signed(Duration::days(days)),
            Self::Months(months) => {
                let month = date.month0() + months;
                let years = i32::try_from(month / 12).unwrap_or(0);
                Some(at_midnight(day_one(date.year() + years, month % 12)))
            }
            Self::Years(years) => Some(at_midnight(day_one(date.year() + years, 0))),
        }
    }

    /// The name of an instant: only what differs from its neighbours, the day at midnight, the year at its first day.
    fn label(self, at: Timestamp, zone: Tz) -> String {
        let local: DateTime<Tz> = at.with_timezone(&zone);
        let is_midnight = local.time().num_seconds_from_midnight() == 0;
        let form = match self {
            Self::Seconds(_) if is_midnight => "%b %-d",
            Self::Seconds(stride) if stride < 60 => "%H:%M:%S",
            Self::Seconds(_) => "%H:%M",
            Self::Days(_) => "%b %-d",
            Self::Months(_) if local.month() == 1 => "%Y",
            Self::Months(_) => "%b",
            Self::Years(_) => "%Y",
        };
        local.format(form).to_string()
    }
}

fn day_one(year: i32, month0: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month0 + 1, 1).unwrap_or_default()
}

fn at_midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(chrono::NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: &str, span: Duration) -> Range {
        let start: Timestamp = start.parse().unwrap();
        Range { start, end: start + span, step_ms: 15_000 }
    }

    fn drawn(axis: &TimeAxis, zone: Tz) -> String {
        let mut line = vec![' '; axis.columns];
        for tick in axis.ticks(zone) {
            for (offset, symbol) in tick.label.chars().enumerate() {
                line[tick.label_column + offset] = symbol;
            }
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn labels_fit_the_range_and_the_zone() {
        for (start, span, columns, zone, line) in [
            (
                "2026-11-23T12:00:00Z",
                Duration::hours(1),
                60,
                Tz::UTC,
                "12:00   12:10     12:20     12:30    12:40     12:50   13:00",
            ),
            (
                "2026-11-23T12:00:00Z",
                Duration::hours(1),
                60,
                Tz::Asia__Kolkata,
                "17:30   17:40     17:50     18:00    18:10     18:20   18:30",
            ),
            ("2026-11-23T23:00:00Z", Duration::hours(2), 40, Tz::UTC, "23:00   23:30    Nov 24    00:30   01:00"),
            ("2026-11-23T12:00:00Z", Duration::minutes(1), 30, Tz::UTC, "12:00:00   12:00:30   12:01:00"),
            ("2026-01-01T00:00:00Z", Duration::days(365), 40, Tz::UTC, "2026     Apr      Jul       Oct     2027"),
        ] {
            let axis = TimeAxis::new(&range(start, span), columns);
            assert_eq!(drawn(&axis, zone), line, "{start} {span}");
        }
    }

    #[test]
    fn marks_lie_where_their_instants_are() {
        let range = range("2026-11-23T12:00:00Z", Duration::hours(1));
        let axis = TimeAxis::new(&range, 61);
        let mark = |minutes, kind| Mark { at: range.start + Duration::minutes(minutes), kind };
        let marks = [
            mark(30, MarkKind::Acknowledged),
            mark(10, MarkKind::Started),
            mark(90, MarkKind::Resolved),
            mark(-1, MarkKind::Changed),
        ];
        let columns: Vec<_> = axis.marks(&marks).into_iter().map(|(column, mark)| (column, mark.kind)).collect();
        assert_eq!(columns, [(10, MarkKind::Started), (30, MarkKind::Acknowledged)]);
        assert_eq!(
            (axis.column(range.start), axis.column(range.end), axis.dot(range.end, 122)),
            (Some(0), Some(60), Some(121))
        );
    }

    #[test]
    fn a_change_of_the_clocks_keeps_labels_apart_and_true() {
        let axis = TimeAxis::new(&range("2026-10-24T20:00:00Z", Duration::hours(12)), 80);
        assert_eq!(
            drawn(&axis, Tz::Europe__Berlin).split_whitespace().collect::<Vec<_>>().join(" "),
            "22:00 Oct 25 02:00 04:00 06:00 08:00"
        );
    }

    proptest! {
        /// 10 to 300 columns, a minute to a year, anywhere in time, any of some odd zones.
        #[test]
        fn labels_never_touch_nor_leave_the_axis(
            columns in 10_usize..300, span_s in 60_i64..31_536_000, start in 0_i64..4_000_000_000,
            zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Berlin, Tz::Australia__Lord_Howe, Tz::Asia__Kathmandu, Tz::America__St_Johns]),
        ) {
            let start = DateTime::from_timestamp(start, 0).unwrap();
            let axis = TimeAxis::new(&Range { start, end: start + Duration::seconds(span_s), step_ms: 1_000 }, columns);
            let ticks = axis.ticks(zone);
            let mut free_from = 0;
            for tick in &ticks {
                prop_assert!(tick.label_column >= free_from, "{:?}", ticks);
                let end = tick.label_column + tick.label.chars().count();
                prop_assert!(end <= columns && tick.column < columns);
                prop_assert!((tick.label_column..=end).contains(&tick.column));
                free_from = end + GAP;
            }
            if columns >= 30 {
                prop_assert!(!ticks.is_empty(), "{span_s}s from {start} in {zone}");
            }
        }
    }
}
