//! What a provider's headers tell beside the answer: what is left of the rate limit, its clock, how long to wait.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::backoff::bounded_hint;
use crate::domain::source::{ChronoSeconds, RateBudget};
use crate::domain::time::Timestamp;

/// How many clock readings are kept; the median of a session's last ones is steady against a slow answer.
const READINGS: usize = 31;

/// A reading whose round trip took longer says little about the clock.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(5);

/// Polls leave this share of the budget (one in so many) to actions.
const RESERVE: u32 = 10;

/// What the last answers told.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    budget: Option<RateBudget>,
    readings_ms: VecDeque<i64>,
}

impl Gauge {
    /// What is left of the provider's limit.
    #[must_use]
    pub fn budget(&self) -> Option<RateBudget> {
        self.budget
    }

    /// The provider's clock minus ours: the median of the last readings, to the second its header has.
    #[must_use]
    pub fn skew(&self) -> Option<ChronoSeconds> {
        let mut sorted: Vec<i64> = self.readings_ms.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2)?;
        Some(ChronoSeconds((median + median.signum() * 500) / 1_000))
    }

    /// Reads an answer's headers: it was asked for at `asked` and came after `round_trip`.
    pub fn observe(&mut self, headers: &HeaderMap, asked: Timestamp, round_trip: Duration) {
        let trip = TimeDelta::from_std(round_trip).unwrap_or(TimeDelta::zero());
        if let Some(budget) = read_budget(headers, asked + trip) {
            self.budget = Some(budget);
        }
        let Some(date) = read_date(headers, DATE.as_str()) else { return };
        if round_trip > LONGEST_ROUND_TRIP {
            return;
        }
        // The header is cut to whole seconds: on average it is half a second behind.
        let theirs = date.timestamp_millis() + 500;
        let ours = (asked + trip / 2).timestamp_millis();
        if self.readings_ms.len() == READINGS {
            self.readings_ms.pop_front();
        }
        self.readings_ms.push_back(theirs.saturating_sub(ours));
    }
}

/// How long a poll waits so that actions still find room in the budget; `None` when it need not.
#[must_use]
pub fn poll_wait(budget: Option<RateBudget>, now: Timestamp) -> Option<Duration> {
    let budget = budget?;
    if budget.remaining > budget.limit / RESERVE {
        return None;
    }
    budget.resets_at.signed_duration_since(now).to_std().ok().filter(|wait| !wait.is_zero()).map(bounded_hint)
}

/// How long the provider wants us to wait: PagerDuty's `ratelimit-reset` when its budget is spent, else `Retry-After`
/// in seconds or as a date. Nonsense is no hint.
pub(super) fn wait_hint(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if read_number(headers, "ratelimit-remaining") == Some(0)
        && let Some(reset) = read_number(headers, "ratelimit-reset")
    {
        return Some(bounded_hint(Duration::from_secs(u64::from(reset))));
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(bounded_hint(Duration::from_secs(seconds)));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    let from = read_date(headers, DATE.as_str()).unwrap_or(now);
    Some(bounded_hint(until.signed_duration_since(from).to_std().unwrap_or(Duration::ZERO)))
}

fn read_budget(headers: &HeaderMap, now: Timestamp) -> Option<RateBudget> {
    let reset = read_number(headers, "ratelimit-reset")?;
    Some(RateBudget {
        limit: read_number(headers, "ratelimit-limit")?,
        remaining: read_number(headers, "ratelimit-remaining")?,
        resets_at: now + TimeDelta::seconds(i64::from(reset.min(86_400))),
    })
}

fn read_number(headers: &HeaderMap, name: &str) -> Option<u32> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn read_date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(headers.get(name)?.to_str().ok()?).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hints_in_every_form_they_come_in() {
        let now = at("2026-11-24T12:00:00Z");
        let wait = |pairs: &[(&str, &str)]| wait_hint(&headers(pairs), now).map(|wait| wait.as_secs());
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        assert_eq!(wait(&[("retry-after", " 0 ")]), Some(1));
        assert_eq!(wait(&[("retry-after", "-5")]), None, "a negative one is nonsense");
        assert_eq!(wait(&[("retry-after", "99999999999999999999999")]), None);
        assert_eq!(wait(&[("retry-after", "999999999")]), Some(900));
        assert_eq!(wait(&[("retry-after", "Tue, 24 Nov 2026 12:00:40 GMT")]), Some(40));
        assert_eq!(wait(&[("retry-after", "Tue, 24 Nov 2026 11:00:40 GMT")]), Some(1), "a past date");
        let by_their_clock =
            [("retry-after", "Tue, 24 Nov 2026 14:00:40 GMT"), ("date", "Tue, 24 Nov 2026 14:00:10 GMT")];
        assert_eq!(wait(&by_their_clock), Some(30), "a date counts by the clock that wrote it");
        let pagerduty = [("ratelimit-limit", "960"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "20")];
        assert_eq!(wait(&pagerduty), Some(20));
        assert_eq!(wait(&[("ratelimit-remaining", "3"), ("ratelimit-reset", "20")]), None);
    }

    #[test]
    fn the_budget_is_kept_until_a_newer_one_and_polls_leave_a_tenth_of_it() {
        let now = at("2026-11-24T12:00:00Z");
        let mut gauge = Gauge::default();
        assert_eq!(poll_wait(gauge.budget(), now), None);
        let pairs = [("ratelimit-limit", "960"), ("ratelimit-remaining", "97"), ("ratelimit-reset", "20")];
        gauge.observe(&headers(&pairs), now, Duration::ZERO);
        assert_eq!(poll_wait(gauge.budget(), now), None);
        let pairs = [("ratelimit-limit", "960"), ("ratelimit-remaining", "96"), ("ratelimit-reset", "20")];
        gauge.observe(&headers(&pairs), now, Duration::ZERO);
        gauge.observe(&headers(&[]), now, Duration::ZERO);
        assert_eq!(poll_wait(gauge.budget(), now), Some(Duration::from_secs(20)));
        assert_eq!(poll_wait(gauge.budget(), now + TimeDelta::seconds(21)), None);
    }

    #[test]
    fn the_clock_is_the_median_of_quick_answers() {
        let now = at("2026-11-24T12:00:00Z");
        let mut gauge = Gauge::default();
        assert_eq!(gauge.skew(), None);
        for date in ["12:01:29", "12:01:30", "13:00:00"] {
            let date = format!("Tue, 24 Nov 2026 {date} GMT");
            gauge.observe(&headers(&[("date", &date)]), now, Duration::from_millis(200));
        }
        gauge.observe(&headers(&[("date", "Tue, 24 Nov 2026 15:00:00 GMT")]), now, Duration::from_secs(58));
        assert_eq!(gauge.skew(), Some(ChronoSeconds(90)));
        let mut behind = Gauge::default();
        behind.observe(&headers(&[("date", "Tue, 24 Nov 2026 11:58:00 GMT")]), now, Duration::ZERO);
        assert_eq!(behind.skew(), Some(ChronoSeconds(-120)));
    }
}
