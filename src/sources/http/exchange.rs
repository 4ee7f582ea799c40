//! One exchange after the other: address, token, redirects within the origin, status, retries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep, timeout};
use url::{Host, Origin, Url};

use super::share::{self, Share};
use super::{Body, Call, Credential, Edge, Gauge, Limits, Payload, Reply, Settings};
use super::{backoff, explain, fault, gauge, tls};
use crate::domain::source::{ChronoSeconds, RateBudget};
use crate::domain::time::Timestamp;
use crate::sources::error::{Disposition, Fault, Rejection, SourceError, Stage};
use crate::sources::listing::Listing;
use crate::text::{Clean, Untrusted};

/// How much of an error's body is read, and for how long.
const ERROR_BYTES: usize = 64 << 10;
const ERROR_PATIENCE: Duration = Duration::from_secs(2);

/// Redirects followed within the origin.
const MOST_REDIRECTS: usize = 5;

/// First and widest pause before a retry of our own.
const RETRY_BASE: Duration = Duration::from_millis(500);
const RETRY_CAP: Duration = Duration::from_secs(10);

/// A client for one source. Clones share connections, rate budget and clock readings.
#[derive(Clone, Debug)]
pub struct Http(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: reqwest::Client,
    base: Url,
    origin: Origin,
    headers: HeaderMap,
    secrets: Vec<SecretString>,
    bulk_cap: usize,
    rest_cap: usize,
    limits: Limits,
    edge: Edge,
    gauge: Mutex<Gauge>,
}

impl Http {
    /// Makes the client; opens no connection.
    ///
    /// # Errors
    /// An address or header that cannot be used, a token that would go over plain http, a CA file without certificate.
    pub fn new(mut settings: Settings) -> Result<Self, SourceError> {
        let mut base = settings.url.clone();
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(Fault::Address(Clean::new("it must begin with http:// or https:// and name a host")).into());
        }
        base.set_query(None);
        base.set_fragment(None);
        take_login(&mut base, &mut settings.auth.credential);
        let (headers, secrets) = default_headers(&settings)?;
        let is_loopback = is_loopback(&base);
        if !secrets.is_empty() && base.scheme() == "http" && !is_loopback {
            return Err(Fault::PlainToken.into());
        }
        let client = tls::build(&settings, is_loopback)?;
        Ok(Self(Arc::new(Inner {
            client,
            origin: base.origin(),
            base,
            headers,
            secrets,
            bulk_cap: settings.caps.bulk,
            rest_cap: settings.caps.rest,
            limits: settings.limits,
            edge: settings.edge,
            gauge: Mutex::default(),
        })))
    }

    /// The configured address, without any login: for messages.
    #[must_use]
    pub fn shown_url(&self) -> &str {
        self.0.base.as_str().trim_end_matches('/')
    }

    /// What is left of the provider's rate limit.
    #[must_use]
    pub fn budget(&self) -> Option<RateBudget> {
        self.gauge().budget()
    }

    /// The provider's clock minus ours.
    #[must_use]
    pub fn skew(&self) -> Option<ChronoSeconds> {
        self.gauge().skew()
    }

    /// Now, by our clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0.edge.now)()
    }

    /// An empty, complete list that carries budget and skew.
    pub(crate) fn listing<T>(&self) -> Listing<T> {
        Listing { budget: self.budget(), skew: self.skew(), ..Listing::default() }
    }

    /// Asks and reads the whole answer; idempotent calls are repeated within [`Limits::patience`].
    ///
    /// # Errors
    /// Everything but a complete 2xx answer.
    pub async fn fetch(&self, call: &Call) -> Result<Reply, SourceError> {
        let mut attempt = 0;
        loop {
            let error = match self.once(call).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(pause) = self.pause(call, &error, attempt) else { return Err(error) };
            sleep(pause).await;
            attempt += 1;
        }
    }

    /// Asks and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`Http::fetch`], and answers that are not what `T` needs.
    pub async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, SourceError> {
        let reply = self.fetch(call).await?;
        parse(reply.status, &reply.body).map_err(|error| error.after_sending(!call.is_idempotent))
    }

    /// Asks and hands over the body to be read piece by piece. No retries: the caller may have used pieces already.
    ///
    /// # Errors
    /// Everything but a 2xx status.
    pub async fn open(&self, call: &Call) -> Result<(u16, Body), SourceError> {
        match share::current().filter(|_| call.method == Method::GET) {
            Some(share) => self.open_shared(call, &share).await,
            None => self.open_here(call).await,
        }
    }

    /// Takes what another console of the room got, or asks for all of them.
    async fn open_shared(&self, call: &Call, share: &Share) -> Result<(u16, Body), SourceError> {
        let mut status = 200;
        let asked = async {
            let (told, body) = self.open_here(call).await?;
            status = told;
            Ok(Bytes::from(body.all().await?))
        };
        let Some(body) = share.body(&self.name_of(call), asked).await? else { return self.open_here(call).await };
        let cap = if call.is_bulk { self.0.bulk_cap } else { self.0.rest_cap };
        Ok((status, Body::kept(body, self.0.limits, cap)))
    }

    /// What is asked, as a name that tells nothing of it. Consoles that send other headers ask other questions; who is
    /// allowed to see an answer is the room's own matter.
    fn name_of(&self, call: &Call) -> String {
        let mut digest = Sha256::new();
        digest.update(self.address(call).as_str());
        digest.update(self.0.headers.get(ACCEPT).map_or(&b""[..], HeaderValue::as_bytes));
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    async fn open_here(&self, call: &Call) -> Result<(u16, Body), SourceError> {
        let sent = !call.is_idempotent;
        let mut target = self.address(call);
        let began = Instant::now();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(call, target.clone()).await?;
            let status = response.status();
            if status.is_success() {
                return Ok((status.as_u16(), self.body(response, call.is_bulk, began)));
            }
            let Some(next) = location(&response, &target) else {
                return Err(self.rejected(response, began).await.after_sending(sent));
            };
            let keeps_request = call.method == Method::GET || matches!(status.as_u16(), 307 | 308);
            if next.origin() != self.0.origin || !keeps_request {
                return Err(Fault::Elsewhere(shown(&next)).into());
            }
            target = next;
        }
        Err(Fault::Elsewhere(Clean::new("itself, again and again")).into())
    }

    fn pause(&self, call: &Call, error: &SourceError, attempt: u32) -> Option<Duration> {
        let limits = &self.0.limits;
        if !call.may_retry || attempt >= limits.retries || !is_transient(error.fault()) {
            return None;
        }
        let Disposition::RetryAfter(hint) = error.disposition() else { return None };
        let random = (self.0.edge.random)();
        let pause = hint.unwrap_or_else(|| backoff::full_jitter(RETRY_BASE, RETRY_CAP, attempt, random));
        (pause <= limits.patience).then_some(pause)
    }

    async fn once(&self, call: &Call) -> Result<Reply, SourceError> {
        let (status, body) = self.open(call).await?;
        let body = body.all().await.map_err(|error| error.after_sending(!call.is_idempotent))?;
        Ok(Reply { status, body })
    }

    async fn send(&self, call: &Call, target: Url) -> Result<Response, SourceError> {
        let inner = &self.0;
        let mut request = inner.client.request(call.method.clone(), target).headers(inner.headers.clone());
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        request = match &call.payload {
            Payload::Nothing => request,
            Payload::Json(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            Payload::Form(form) => request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone()),
        };
        let limit = if call.is_slow { inner.limits.bulk_answer } else { inner.limits.answer };
        let sent = !call.is_idempotent;
        let asked = self.now();
        let began = Instant::now();
        let response = match timeout(limit, self.exchange(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(fault)) => return Err(SourceError::from(fault).after_sending(sent)),
            Err(_) => {
                return Err(SourceError::from(Fault::Timeout(Stage::Answer, limit)).after_sending(sent));
            }
        };
        self.gauge().observe(response.headers(), asked, began.elapsed());
        Ok(response)
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Response, Fault> {
        let fault = |error: reqwest::Error| fault::classify(&error, &self.host(), &self.0.limits, None);
        #[cfg(test)]
        if let Some(wire) = super::wire::here() {
            return wire.carry(request.build().map_err(fault)?).await;
        }
        request.send().await.map_err(fault)
    }

    async fn rejected(&self, response: Response, began: Instant) -> SourceError {
        let status = response.status().as_u16();
        let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        let id = id.map(|id| Untrusted::new(self.redact(id)).clean());
        let wait = matches!(status, 408 | 425 | 429 | 500..)
            .then(|| gauge::wait_hint(response.headers(), self.now()))
            .flatten();
        let body = self.body(response, false, began).excerpt(ERROR_BYTES, ERROR_PATIENCE).await;
        let fault = if status == 511 {
            Fault::Html(status)
        } else {
            let (code, message) = explain::explain(&body, |text| self.redact(text));
            Fault::Rejected(Rejection { status, code, message })
        };
        SourceError::from(fault).with_request_id(id).with_retry_after(wait)
    }

    fn body(&self, response: Response, is_bulk: bool, began: Instant) -> Body {
        let cap = if is_bulk { self.0.bulk_cap } else { self.0.rest_cap };
        Body::new(response, self.host(), self.0.limits, cap, began)
    }

    fn address(&self, call: &Call) -> Url {
        let mut target = self.0.base.clone();
        if let Ok(mut segments) = target.path_segments_mut() {
            segments.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            target.query_pairs_mut().extend_pairs(&call.query);
        }
        target
    }

    fn host(&self) -> String {
        self.0.base.host_str().unwrap_or_default().to_owned()
    }

    /// The text without any secret of this source.
    fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0.secrets {
            let secret = secret.expose_secret();
            if !secret.is_empty() && text.contains(secret) {
                text = text.replace(secret, "***");
            }
        }
        text
    }

    fn gauge(&self) -> MutexGuard<'_, Gauge> {
        self.0.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a complete body as JSON, and says what it is instead when it is not.
pub(crate) fn parse<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, SourceError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).map_err(|error| json_fault(status, body, &error).into())
}

/// What a body that is not the documented JSON is.
pub(crate) fn json_fault(status: u16, body: &[u8], error: &serde_json::Error) -> Fault {
    if explain::is_html(body) {
        return Fault::Html(status);
    }
    if body.trim_ascii().is_empty() {
        return Fault::Malformed(Clean::new("its body is empty"));
    }
    if error.is_eof() {
        return Fault::Malformed(Clean::new(format!("the JSON breaks off after {} bytes", body.len())));
    }
    Fault::Malformed(Untrusted::new(error.to_string()).clean())
}

fn is_transient(fault: &Fault) -> bool {
    match fault {
        Fault::Cut(_) | Fault::Connect(_) => true,
        Fault::Rejected(rejection) => matches!(rejection.status, 408 | 425 | 429 | 500 | 502..=504),
        _ => false,
    }
}

/// A login in the address is a secret: it becomes Basic authentication and is shown nowhere.
fn take_login(base: &mut Url, credential: &mut Credential) {
    let password = base.password().map(str::to_owned);
    if let (Credential::None, Some(password)) = (&credential, &password) {
        let decode = |text: &str| {
            let bytes =
                url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B").replace('&', "%26")).as_bytes())
                    .next()
                    .map(|(_, value)| value.into_owned());
            bytes.unwrap_or_default()
        };
        *credential = Credential::Basic(decode(base.username()), decode(password).into());
    }
    // Both only fail for addresses without a host, which were refused before.
    let _ = base.set_password(None);
    let _ = base.set_username("");
}

fn default_headers(settings: &Settings) -> Result<(HeaderMap, Vec<SecretString>), SourceError> {
    let mut headers = HeaderMap::new();
    let mut secrets = Vec::new();
    headers.insert(ACCEPT, HeaderValue::from_static(settings.accept));
    for (name, value) in &settings.auth.plain {
        let unusable = || Fault::Address(Clean::new(format!("the header {name} cannot be sent")));
        let header = HeaderName::try_from(name.as_str()).map_err(|_error| unusable())?;
        headers.insert(header, HeaderValue::from_str(value).map_err(|_error| unusable())?);
    }
    for (name, value) in &settings.auth.headers {
        let unusable = || Fault::Address(Clean::new(format!("the header {name} cannot be sent")));
        let header = HeaderName::try_from(name.as_str()).map_err(|_error| unusable())?;
        headers.insert(header, secret_value(value.expose_secret()).ok_or_else(unusable)?);
        secrets.push(value.clone());
    }
    let authorization = match &settings.auth.credential {
        Credential::None => return Ok((headers, secrets)),
        Credential::InBody(secret) => {
            secrets.push(secret.clone());
            return Ok((headers, secrets));
        }
        Credential::Bearer(token) => format!("Bearer {}", keep(&mut secrets, token)),
        Credential::Token(token) => format!("Token token={}", keep(&mut secrets, token)),
        Credential::Basic(user, password) => {
            let login = base64(format!("{user}:{}", keep(&mut secrets, password)).as_bytes());
            secrets.push(login.clone().into());
            format!("Basic {login}")
        }
    };
    let value = secret_value(&authorization)
        .ok_or_else(|| Fault::Address(Clean::new("the token holds characters no header can carry")))?;
    headers.insert(AUTHORIZATION, value);
    Ok((headers, secrets))
}

fn keep<'a>(secrets: &mut Vec<SecretString>, secret: &'a SecretString) -> &'a str {
    secrets.push(secret.clone());
    secret.expose_secret()
}

fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number =
            group.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET.get(number >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(char::from(if place <= group.len() { digit } else { b'=' }));
        }
    }
    text
}

/// True for addresses of this machine, where plain http is as safe as a pipe.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where an answer redirects to.
fn location(response: &Response, from: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// An address for people: no login, no query (a portal's may carry anything).
fn shown(url: &Url) -> Clean {
    let mut url = url.clone();
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.set_query(None);
    Untrusted::new(url.as_str()).clean()
}
