//! A request and a reply as values, so that every simulated API is a function from one to the other, testable without
//! a socket.

use serde_json::Value;

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Upper case.
    pub method: String,
    /// Path below the provider's prefix, with a leading slash, percent-decoded segment by segment in [`Ask::segments`].
    pub path: String,
    /// Query pairs in order, decoded.
    pub query: Vec<(String, String)>,
    /// Headers with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Address of the provider as the asker sees it, such as `http://127.0.0.1:4000/pagerduty`: for links.
    pub base: String,
}

impl Ask {
    /// An ask for tests and for the control channel: `GET /path?query`.
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            base: "http://sim".to_owned(),
            ..Self::default()
        }
    }

    /// The path's segments, decoded, empty ones left out.
    pub fn segments(&self) -> Vec<String> {
        let parts = self.path.split('/').filter(|part| !part.is_empty());
        parts.map(decode).collect()
    }

    /// First value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a set parameter: `name[]=a&name[]=b`.
    pub fn set(&self, name: &str) -> Vec<&str> {
        let many = format!("{name}[]");
        self.query.iter().filter(|(key, _)| *key == many).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a parameter says yes.
    pub fn flag(&self, name: &str) -> bool {
        self.param(name) == Some("true")
    }

    /// First header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// With a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_lowercase(), value.to_owned()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("content-type", "application/json")
    }
}

fn decode(part: &str) -> String {
    // `form_urlencoded` would turn `+` into a space; in a path it is a plus.
    let escaped = part.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes()).next().map_or_else(String::new, |(key, _)| key.into_owned())
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Type`, `Content-Length` and `Date`.
    pub headers: Vec<(&'static str, String)>,
    /// `Content-Type`, none when the body is empty.
    pub content_type: Option<&'static str>,
    /// The body; shared, so that a prepared answer is not copied.
    pub body: bytes::Bytes,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::raw_json(status, body.to_string().into())
    }

    /// An answer that is JSON already.
    pub fn raw_json(status: u16, body: bytes::Bytes) -> Self {
        Self { status, headers: Vec::new(), content_type: Some("application/json"), body }
    }

    /// A plain text answer.
    pub fn text(status: u16, body: &str) -> Self {
        let body = bytes::Bytes::copy_from_slice(body.as_bytes());
        Self { status, headers: Vec::new(), content_type: Some("text/plain; charset=utf-8"), body }
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// With a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The body as JSON; null when it is none. For tests and the request log.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_target() {
        let ask = Ask::new("GET", "/incidents/P%2F1/a+b?statuses[]=triggered&statuses%5B%5D=resolved&x=1+2");
        assert_eq!(ask.segments(), vec!["incidents", "P/1", "a+b"]);
        assert_eq!(ask.set("statuses"), vec!["triggered", "resolved"]);
        assert_eq!(ask.param("x"), Some("1 2"));
    }
}
