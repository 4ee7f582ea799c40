//! The rate limit: 960 requests a minute for a key, told in headers, counted in real time.

use std::collections::BTreeMap;

/// Requests a minute.
const LIMIT: u32 = 960;
/// Length of a window in milliseconds.
const WINDOW_MS: i64 = 60_000;

/// Calls of each key in its present window.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: BTreeMap<String, (i64, u32)>,
}

/// What the headers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Requests that are left; none when the request itself was refused.
    pub remaining: Option<u32>,
    /// Seconds until the window is over.
    pub reset_s: i64,
}

impl Limiter {
    /// Counts a call at `now_ms`.
    pub fn take(&mut self, key: &str, now_ms: i64) -> Budget {
        if self.windows.len() > 1_000 {
            self.windows.clear(); // wrong keys must not fill the memory
        }
        let window = self.windows.entry(key.to_owned()).or_insert((now_ms, 0));
        if now_ms - window.0 >= WINDOW_MS {
            *window = (now_ms, 0);
        }
        let reset_s = ((window.0 + WINDOW_MS - now_ms) + 999) / 1000;
        if window.1 >= LIMIT {
            return Budget { remaining: None, reset_s };
        }
        window.1 += 1;
        Budget { remaining: Some(LIMIT - window.1), reset_s }
    }

    /// The headers of an answer.
    pub fn headers(budget: Budget) -> [(&'static str, String); 3] {
        [
            ("ratelimit-limit", LIMIT.to_string()),
            ("ratelimit-remaining", budget.remaining.unwrap_or(0).to_string()),
            ("ratelimit-reset", budget.reset_s.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_961st_call_of_a_minute_is_refused_and_the_next_minute_is_new() {
        let mut limiter = Limiter::default();
        for call in 0..960 {
            assert_eq!(limiter.take("key", call).remaining, Some(959 - u32::try_from(call).unwrap()));
        }
        assert_eq!(limiter.take("key", 20_000), Budget { remaining: None, reset_s: 40 });
        assert_eq!(limiter.take("other", 20_000).remaining, Some(959));
        assert_eq!(limiter.take("key", 60_000).remaining, Some(959));
    }
}
