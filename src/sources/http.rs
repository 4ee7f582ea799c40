//! One HTTP client for all sources: time limits, body caps, own origin only, rate budget, clock skew, retries.
//!
//! Secrets live in [`SecretString`]s and are cut out of every message. Nothing here knows a provider.

pub mod backoff;
mod body;
mod exchange;
mod explain;
mod fault;
mod gauge;
pub mod share;
mod tls;
#[cfg(test)]
pub(crate) mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use url::Url;

use crate::domain::time::Timestamp;

pub use body::Body;
pub use exchange::Http;
pub(crate) use exchange::{json_fault, parse};
pub use gauge::{Gauge, poll_wait};
pub use tls::install_crypto;

/// Where time and chance come in.
#[derive(Clone)]
pub struct Edge {
    /// The wall clock.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// A random number, for jitter.
    pub random: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl fmt::Debug for Edge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Edge")
    }
}

/// How a source is told who we are.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// The `Authorization` header.
    pub credential: Credential,
    /// Other headers whose values are secret, such as an API key.
    pub headers: Vec<(String, SecretString)>,
    /// Other headers that may go unencrypted, such as a tenant's `X-Scope-OrgID`.
    pub plain: Vec<(String, String)>,
}

/// What the `Authorization` header carries.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    /// No such header.
    #[default]
    None,
    /// `Bearer …`.
    Bearer(SecretString),
    /// `Basic …`.
    Basic(String, SecretString),
    /// PagerDuty's `Token token=…`.
    Token(SecretString),
    /// No such header: the secret goes in bodies, and is guarded as if it went in a header.
    InBody(SecretString),
}

/// How large an answer may be after decompression, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Alertmanager's alerts and groups, Prometheus's ranges (50 series of 11,000 points are 20 MiB).
    pub bulk: usize,
    /// Everything else.
    pub rest: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { bulk: 64 << 20, rest: 16 << 20 }
    }
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until a connection stands, names and TLS included.
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub answer: Duration,
    /// The same for Alertmanager's alerts, which take a minute at 50,000.
    pub bulk_answer: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// Over all; a body that keeps coming may take this long.
    pub total: Duration,
    /// The longest pause before an automatic retry; a longer one is the caller's to wait.
    pub patience: Duration,
    /// How often an idempotent call is repeated by itself.
    pub retries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            bulk_answer: Duration::from_secs(120),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(300),
            patience: Duration::from_secs(2),
            retries: 1,
        }
    }
}

/// Everything an [`Http`] is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configured address; its origin is the only one that gets the token. A path is kept as a prefix.
    pub url: Url,
    /// Who we are.
    pub auth: Auth,
    /// The `Accept` header.
    pub accept: &'static str,
    /// Extra certificate authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Body caps.
    pub caps: Caps,
    /// Time limits.
    pub limits: Limits,
    /// Time and chance.
    pub edge: Edge,
}

impl Settings {
    /// No authentication, default caps and limits.
    #[must_use]
    pub fn new(url: Url, edge: Edge) -> Self {
        Self {
            url,
            auth: Auth::default(),
            accept: "application/json",
            ca_pem: None,
            caps: Caps::default(),
            limits: Limits::default(),
            edge,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload,
    pub(crate) is_idempotent: bool,
    pub(crate) is_bulk: bool,
    pub(crate) is_slow: bool,
    pub(crate) may_retry: bool,
}

/// What a request carries.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Nothing,
    Json(Vec<u8>),
    Form(String),
}

impl Call {
    /// A GET of these path segments, each percent-encoded as one segment.
    pub fn get<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::GET, path, true)
    }

    /// A request that changes something; repeated by nobody but the caller.
    pub fn change<'a>(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(method, path, false)
    }

    /// A form POST that only reads, as Prometheus takes queries.
    pub fn read_form<'a>(path: impl IntoIterator<Item = &'a str>, fields: &[(&str, String)]) -> Self {
        let mut call = Self::new(Method::POST, path, true);
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        call.payload = Payload::Form(form);
        call
    }

    fn new<'a>(method: Method, path: impl IntoIterator<Item = &'a str>, is_idempotent: bool) -> Self {
        Self {
            method,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Nothing,
            is_idempotent,
            is_bulk: false,
            is_slow: false,
            may_retry: is_idempotent,
        }
    }

    /// Adds a query parameter; names may repeat.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Carries JSON.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.payload = Payload::Json(body.to_string().into_bytes());
        self
    }

    /// Takes the bulk cap.
    #[must_use]
    pub fn bulk(mut self) -> Self {
        self.is_bulk = true;
        self
    }

    /// Is sent once: asking again at once would only add to the load.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.may_retry = false;
        self
    }

    /// Waits long for the first byte.
    #[must_use]
    pub fn slow(mut self) -> Self {
        self.is_slow = true;
        self
    }
}

/// An answer, complete.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status, always 2xx.
    pub status: u16,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
