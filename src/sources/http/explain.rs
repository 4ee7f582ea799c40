//! Finds the sentence in an error's body. Every provider has its own shape, some several, proxies none.

use serde::Deserialize;
use serde_json::Value;

use crate::text::{Clean, Untrusted};

/// Longest excerpt kept of a provider's words.
const EXCERPT_BYTES: usize = 300;

/// The provider's code and words; `redact` cuts our secrets out of what it quotes.
pub(super) fn explain(body: &[u8], redact: impl Fn(&str) -> String) -> (Option<Clean>, Clean) {
    let keep = |text: &str| excerpt(&redact(text));
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if is_html(text.as_bytes()) {
        let said = title(text).map_or_else(|| "a web page".to_owned(), |title| format!("a web page, \"{title}\""));
        return (None, keep(&said));
    }
    let (code, message) = match serde_json::from_str::<Value>(text) {
        Ok(Value::String(message)) => (None, message),
        Ok(Value::Object(fields)) => read_object(&fields),
        _ => (None, text.to_owned()),
    };
    (code.filter(|code| !code.is_empty()).map(|code| keep(&code)), keep(&message))
}

/// True when a body is a web page.
pub(super) fn is_html(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    body.first() == Some(&b'<')
}

/// PagerDuty `{"error":{"message","code","errors":[]}}` or `{"error":"…"}`; Prometheus `{"errorType","error"}`;
/// Alertmanager's framework `{"code","message"}`; Events v2 `{"status","message","errors":[]}`.
fn read_object(fields: &serde_json::Map<String, Value>) -> (Option<String>, String) {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Words {
        message: Value,
        code: Value,
        errors: Value,
    }
    let error = fields.get("error").unwrap_or(&Value::Null);
    if let Value::String(message) = error {
        return (fields.get("errorType").map(scalar), message.clone());
    }
    let holder = if error.is_object() { error.clone() } else { Value::Object(fields.clone()) };
    let words: Words = serde_json::from_value(holder).unwrap_or_default();
    let mut message = scalar(&words.message);
    let details: Vec<String> = match &words.errors {
        Value::Array(errors) => errors.iter().map(scalar).collect(),
        Value::Null => Vec::new(),
        other => vec![scalar(other)],
    };
    for detail in details {
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(&detail);
    }
    (Some(scalar(&words.code)), message)
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower.get(start..)?.find('<')?;
    page.get(start..end).map(str::trim).filter(|title| !title.is_empty())
}

fn excerpt(text: &str) -> Clean {
    let end = text.floor_char_boundary(EXCERPT_BYTES);
    let kept = text.get(..end).unwrap_or("");
    let mark = if end < text.len() { "…" } else { "" };
    Untrusted::new(format!("{}{mark}", kept.split_whitespace().collect::<Vec<_>>().join(" "))).clean()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_providers_shape() {
        let cases = [
            (r#"{"error":{"message":"Rate Limit Exceeded","code":2020}}"#, "2020", "Rate Limit Exceeded"),
            (
                r#"{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Title is missing","x"]}}"#,
                "2001",
                "Invalid Input Provided: Title is missing: x",
            ),
            (r#"{"error":"a account-level access token cannot"}"#, "", "a account-level access token cannot"),
            (r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "bad_data", "parse error"),
            (r#"{"code":602,"message":"comment in body is required"}"#, "602", "comment in body is required"),
            (
                r#"{"status":"invalid event","message":"Event object is invalid","errors":["x"]}"#,
                "",
                "Event object is invalid: x",
            ),
            (r#""silence not found""#, "", "silence not found"),
            ("404 page not found\n", "", "404 page not found"),
            ("<html><Title> Hotel WiFi login </title>", "", "a web page, \"Hotel WiFi login\""),
            ("\u{feff} <p>", "", "a web page"),
            ("", "", ""),
            (r#"{"error":{"message":null,"errors":{"a":1}}}"#, "", r#"{"a":1}"#),
            ("[1]", "", "[1]"),
        ];
        for (body, code, message) in cases {
            let (got_code, got) = explain(body.as_bytes(), str::to_owned);
            assert_eq!(got_code.as_ref().map_or("", Clean::as_str), code, "{body}");
            assert_eq!(got.as_str(), message, "{body}");
        }
    }

    #[test]
    fn long_words_are_cut_and_secrets_are_cut_out() {
        let (_, message) = explain("é".repeat(400).as_bytes(), str::to_owned);
        assert!(message.as_str().ends_with('…') && message.as_str().len() <= EXCERPT_BYTES + 3);
        let (_, message) = explain(br#""bad token s3cret""#, |text| text.replace("s3cret", "***"));
        assert_eq!(message.as_str(), "bad token ***");
    }
}
