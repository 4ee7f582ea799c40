//! Spans of time as people write them: `15 min`, `1 hour`, `immediately`.

use std::time::Duration;

/// The first span in a lower-case text.
pub(super) fn span(text: &str) -> Option<Duration> {
    if ["immediate", "at once", "right away"].iter().any(|words| text.contains(words)) {
        return Some(Duration::ZERO);
    }
    let at = text.find(|symbol: char| symbol.is_ascii_digit())?;
    let rest = text.get(at..)?;
    let end = rest.find(|symbol: char| !symbol.is_ascii_digit()).unwrap_or(rest.len());
    let number: u64 = rest.get(..end)?.parse().ok()?;
    let unit = rest.get(end..)?.trim_start();
    let unit: String = unit.chars().take_while(char::is_ascii_alphabetic).collect();
    let seconds = match unit.as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("respond in 15 min", Some(900)),
            ("1 hour", Some(3_600)),
            ("2h", Some(7_200)),
            ("escalate immediately", Some(0)),
            ("soon", None),
            ("in 5 parsecs", None),
        ] {
            assert_eq!(span(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
