//! Parameters as Prometheus reads them: from the form of a POST, else from the address. A JSON body has none.

use chrono::DateTime;

use super::super::http::Ask;
use super::super::promql::QueryError;

/// A request's parameters, those of the body first.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn of(ask: &Ask) -> Self {
        let kind = ask.header("content-type").unwrap_or_default();
        let is_form = kind.split(';').next().is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded");
        let mut pairs: Vec<(String, String)> = Vec::new();
        if ask.method == "POST" && is_form {
            pairs.extend(url::form_urlencoded::parse(&ask.body).into_owned());
        }
        pairs.extend(ask.query.iter().cloned());
        Self(pairs)
    }

    /// First value; an absent one is empty.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An instant in milliseconds: seconds with a fraction, or RFC 3339. `default` when it is absent.
    pub(super) fn instant(&self, name: &str, default: Option<i64>) -> Result<i64, QueryError> {
        let text = self.get(name);
        if let (true, Some(default)) = (text.is_empty(), default) {
            return Ok(default);
        }
        let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.abs() < 1e11);
        let millis = seconds.map(|seconds| (seconds * 1000.0).round() as i64);
        millis
            .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis()))
            .ok_or_else(|| invalid(name, &format!("cannot parse \"{text}\" to a valid timestamp")))
    }

    /// A span in milliseconds: seconds with a fraction, or `1m30s`.
    pub(super) fn span(&self, name: &str) -> Result<i64, QueryError> {
        let text = self.get(name);
        let wrong = || invalid(name, &format!("cannot parse \"{text}\" to a valid duration"));
        if let Ok(seconds) = text.parse::<f64>() {
            let millis = seconds * 1000.0;
            return if millis.abs() < 9e15 { Ok(millis as i64) } else { Err(wrong()) };
        }
        span(text).ok_or_else(wrong)
    }
}

/// `1h30m` in milliseconds: units from the largest to the smallest, each at most once.
fn span(text: &str) -> Option<i64> {
    const UNITS: &[(&str, i64)] = &[
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    let (mut rest, mut total, mut below) = (text, 0_i64, i64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|symbol: char| !symbol.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|symbol: char| symbol.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, size) = UNITS.iter().find(|(known, _)| *known == unit).filter(|(_, size)| *size < below)?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*size)?)?;
        (rest, below) = (tail, *size);
    }
    (!text.is_empty()).then_some(total)
}

/// `invalid parameter "x": why`.
pub(super) fn invalid(name: &str, why: &str) -> QueryError {
    QueryError::bad(format!("invalid parameter \"{name}\": {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_prometheus_does() {
        for (text, millis) in [
            ("15s", Some(15_000)),
            ("1h30m", Some(5_400_000)),
            ("1500ms", Some(1_500)),
            ("30m1h", None),
            ("5", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(span(text), millis, "{text}");
        }
    }

    #[test]
    fn a_json_body_is_no_form() {
        let mut ask = Ask::new("POST", "/api/v1/query?query=a");
        ask.body = b"query=b&query=c".to_vec();
        assert_eq!(Form::of(&ask).get("query"), "a");
        let form = Form::of(&ask.with_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"));
        assert_eq!((form.get("query"), form.all("query").count()), ("b", 3));
    }
}
