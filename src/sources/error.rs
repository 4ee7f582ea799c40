//! What can go wrong between us and a source, what may be done about it, and the one sentence people read.

use std::fmt;
use std::time::Duration;

use crate::domain::failure::{Failure, FailureKind};
use crate::text::Clean;

/// What the caller may do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing happened, or asking again is harmless: after the provider's own time where it named one, else after our
    /// backoff.
    RetryAfter(Option<Duration>),
    /// Asking again is pointless until a person gives another token or permission.
    NeedsLogin,
    /// Asking again gives the same answer.
    GiveUp,
    /// The change may have happened: look before doing anything.
    Ambiguous,
}

/// Where in an exchange time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a connection stood.
    Connect,
    /// Before the first byte of the answer.
    Answer,
    /// Between two pieces of the answer.
    Idle,
    /// Over all.
    Total,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// Its time is over.
    Expired,
    /// Its time has not come; usually a wrong clock.
    NotYetValid,
    /// It is for another name.
    WrongHost,
    /// Nobody we trust signed it.
    UnknownIssuer,
    /// Anything else: protocol version, revoked, handshake.
    Other(Clean),
}

/// A refusal by status code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP status.
    pub status: u16,
    /// The provider's own error code (PagerDuty) or word (Prometheus's `errorType`).
    pub code: Option<Clean>,
    /// The provider's words, or what can be said of a body that is not JSON.
    pub message: Clean,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The configured address or header cannot be used.
    Address(Clean),
    /// A secret over plain http to another machine.
    PlainToken,
    /// PagerDuty wants to know who acts and the token does not say.
    NoSender,
    /// The host name has no address.
    Name(Clean),
    /// Nothing listens there.
    ConnectionRefused,
    /// Any other failure to connect.
    Connect(Clean),
    /// Time ran out.
    Timeout(Stage, Duration),
    /// Certificate or handshake.
    Tls(TlsFault),
    /// The connection ended before the answer did; so many bytes had come.
    Cut(usize),
    /// A web page where JSON was expected.
    Html(u16),
    /// Not JSON, not the documented shape, or breaking off.
    Malformed(Clean),
    /// Larger than the cap, in bytes.
    TooLarge(usize),
    /// A redirect that leaves the configured origin, or would change the request; where to.
    Elsewhere(Clean),
    /// Refused by status.
    Rejected(Rejection),
    /// Another console of the room asks, and has no answer yet; why.
    Waits(Clean),
    /// A 2xx whose answer does not show what was asked.
    NotDone(Clean),
    /// The time in which this console may send was over before anything was sent.
    Lapsed,
    /// A fault of ours.
    Internal(Clean),
}

/// A failed exchange with a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cause())]
pub struct SourceError {
    fault: Box<Fault>,
    may_have_happened: bool,
    retry_after: Option<Duration>,
    request_id: Option<Clean>,
}

impl From<Fault> for SourceError {
    fn from(fault: Fault) -> Self {
        Self { fault: Box::new(fault), may_have_happened: false, retry_after: None, request_id: None }
    }
}

impl SourceError {
    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Marks that the request changes something, cannot be repeated safely, and may have reached the provider.
    #[must_use]
    pub(crate) fn after_sending(mut self, may_have_happened: bool) -> Self {
        self.may_have_happened = may_have_happened;
        self
    }

    /// Keeps the provider's name for this exchange, for its support desk.
    #[must_use]
    pub(crate) fn with_request_id(mut self, id: Option<Clean>) -> Self {
        self.request_id = id;
        self
    }

    /// Keeps how long the provider wants us to wait.
    #[must_use]
    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// The status the provider answered with, where it did.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &*self.fault {
            Fault::Rejected(rejection) => Some(rejection.status),
            Fault::Html(status) => Some(*status),
            _ => None,
        }
    }

    /// What may be done.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match &*self.fault {
            Fault::Address(_) | Fault::PlainToken | Fault::NoSender | Fault::Internal(_) => Disposition::GiveUp,
            Fault::Name(_) | Fault::ConnectionRefused | Fault::Connect(_) | Fault::Tls(_) => self.again(),
            Fault::Timeout(Stage::Connect, _) | Fault::Lapsed => self.again(),
            Fault::Rejected(Rejection { status: 401 | 402 | 403 | 407, .. }) => Disposition::NeedsLogin,
            Fault::Rejected(Rejection { status: 429, .. }) => self.again(),
            Fault::Rejected(Rejection { status: 408 | 425 | 500.., .. })
            | Fault::Timeout(..)
            | Fault::Cut(_)
            | Fault::Html(_)
            | Fault::Malformed(_)
            | Fault::Waits(_)
            | Fault::TooLarge(_) => self.again_unless_sent(),
            Fault::NotDone(_) if self.may_have_happened => Disposition::Ambiguous,
            Fault::Elsewhere(_) | Fault::Rejected(_) | Fault::NotDone(_) => Disposition::GiveUp,
        }
    }

    fn again(&self) -> Disposition {
        Disposition::RetryAfter(self.retry_after)
    }

    fn again_unless_sent(&self) -> Disposition {
        if self.may_have_happened { Disposition::Ambiguous } else { self.again() }
    }

    /// The class of trouble.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match &*self.fault {
            Fault::Address(_) | Fault::PlainToken | Fault::NoSender => FailureKind::Config,
            Fault::Name(_) | Fault::ConnectionRefused | Fault::Connect(_) => FailureKind::Unreachable,
            Fault::Timeout(..) | Fault::Waits(_) => FailureKind::Timeout,
            Fault::Tls(_) => FailureKind::Tls,
            Fault::Cut(_) => FailureKind::Unreachable,
            Fault::Html(_) | Fault::Malformed(_) | Fault::Elsewhere(_) => FailureKind::NotUnderstood,
            Fault::TooLarge(_) => FailureKind::TooLarge,
            Fault::Rejected(rejection) => kind_of_status(rejection.status),
            Fault::NotDone(_) => FailureKind::Refused,
            Fault::Lapsed => FailureKind::Journal,
            Fault::Internal(_) => FailureKind::Internal,
        }
    }

    /// In words for people: one sentence with a remedy. `what` such as "list open incidents", `target` such as the
    /// source's name and address, or an incident's id.
    #[must_use]
    pub fn into_failure(self, what: &str, target: &str) -> Failure {
        let mut cause = self.cause();
        if self.may_have_happened && self.disposition() == Disposition::Ambiguous {
            cause.push_str("; it may have been done all the same");
        }
        if let Some(id) = &self.request_id {
            cause.push_str(&format!(" (request {id})"));
        }
        Failure {
            kind: self.kind(),
            what: Clean::new(what),
            target: Clean::new(target),
            cause: Clean::new(cause),
            remedy: Clean::new(self.remedy()),
        }
    }

    fn cause(&self) -> String {
        match &*self.fault {
            Fault::Address(why) => format!("the address cannot be used: {why}"),
            Fault::PlainToken => "a token is never sent over plain http to another machine".to_owned(),
            Fault::NoSender => "PagerDuty must be told who acts, and this token belongs to no user".to_owned(),
            Fault::Name(host) => format!("the name {host} was not found"),
            Fault::ConnectionRefused => "nothing listens there (connection refused)".to_owned(),
            Fault::Connect(why) => format!("no connection: {why}"),
            Fault::Timeout(stage, after) => timeout_words(*stage, *after),
            Fault::Tls(fault) => tls_words(fault),
            Fault::Cut(bytes) => format!("the connection broke off after {bytes} bytes of the answer"),
            Fault::Html(status) => {
                format!("answered {status} with a web page instead of JSON, such as a login page or a proxy's")
            }
            Fault::Malformed(why) => format!("the answer was not understood: {why}"),
            Fault::TooLarge(cap) => format!("the answer is larger than {}", Size(*cap)),
            Fault::Elsewhere(to) => format!("it redirects to {to}"),
            Fault::Rejected(rejection) => rejection_words(rejection, self.retry_after),
            Fault::Waits(why) => format!("another console of the room asks: {why}"),
            Fault::NotDone(said) => format!("answered success, but {said}"),
            Fault::Lapsed => "this console was stopped for too long: another one may have taken it over".to_owned(),
            Fault::Internal(why) => format!("a fault of warroom: {why}"),
        }
    }

    fn remedy(&self) -> &'static str {
        match &*self.fault {
            Fault::Address(_) => "correct the url of this source in the config",
            Fault::PlainToken => "use an https url, or a loopback address",
            Fault::NoSender => "set from = \"you@example.com\" under [pagerduty], or use a user's token",
            Fault::Name(_) => "check the url of this source, the network and the VPN",
            Fault::ConnectionRefused => "check host and port in the url, and that the server runs",
            Fault::Connect(_) => "check the network, the VPN and the proxy",
            Fault::Timeout(Stage::Connect, _) => "check the network, the VPN and the firewall",
            Fault::Timeout(..) => "the server is slow or overloaded; it is asked again",
            Fault::Tls(fault) => tls_remedy(fault),
            Fault::Cut(_) => "the server or a proxy closed the connection; it is asked again",
            Fault::Html(_) => "sign in to the network, or check that the url is the API's and not a web page's",
            Fault::Malformed(_) => "check that the url is this kind of source's",
            Fault::TooLarge(_) => "narrow what is asked for",
            Fault::Elsewhere(_) => "if that is right, set it as the url in the config; the token was not sent there",
            Fault::Rejected(rejection) => status_remedy(rejection.status),
            Fault::Waits(_) => "its answer comes here too",
            Fault::NotDone(_) => "look at it on the provider's own page",
            Fault::Lapsed => "nothing was sent; it is looked at again",
            Fault::Internal(_) => "please report it",
        }
    }
}

fn kind_of_status(status: u16) -> FailureKind {
    match status {
        401 | 407 => FailureKind::Unauthorised,
        402 | 403 => FailureKind::Forbidden,
        404 | 410 => FailureKind::NotFound,
        408 => FailureKind::Timeout,
        413 => FailureKind::TooLarge,
        429 => FailureKind::RateLimited,
        500.. => FailureKind::ServerError,
        _ => FailureKind::Refused,
    }
}

fn rejection_words(rejection: &Rejection, wait: Option<Duration>) -> String {
    let said = match rejection.status {
        401 => "the token is not accepted",
        402 => "the account lacks a feature this needs",
        403 => "the token may not do this",
        404 => "it is not there",
        407 => "the proxy wants a login",
        408 => "the server gave up waiting",
        410 => "it is gone",
        413 => "the request is too large",
        429 => "too many requests",
        500.. => "the server failed",
        _ => "it was refused",
    };
    let mut words = format!("{said} ({}", rejection.status);
    if let Some(code) = &rejection.code {
        words.push_str(&format!(" {code}"));
    }
    words.push(')');
    if !rejection.message.as_str().is_empty() {
        words.push_str(&format!(": {}", rejection.message));
    }
    if let Some(wait) = wait {
        words.push_str(&format!(", wait {} s", wait.as_secs().max(1)));
    }
    words
}

fn status_remedy(status: u16) -> &'static str {
    match status {
        401 => "check the token of this source; a new one is taken without a restart",
        402 => "ask the account's owner, or do without",
        403 => "give the token's user the permission, or use another token",
        404 | 410 => "check the url and the id; it may have been deleted",
        407 => "put user and password into the proxy variable",
        408 | 500.. => "the provider has trouble; it is asked again",
        413 => "choose fewer at once",
        429 => "it is asked again when the provider allows",
        _ => "change what was asked; asking again gives the same answer",
    }
}

fn timeout_words(stage: Stage, after: Duration) -> String {
    let after = format!("{} s", after.as_secs_f64());
    match stage {
        Stage::Connect => format!("no connection within {after}"),
        Stage::Answer => format!("no answer within {after}"),
        Stage::Idle => format!("the answer stalled for {after}"),
        Stage::Total => format!("the answer was not complete after {after}"),
    }
}

fn tls_words(fault: &TlsFault) -> String {
    match fault {
        TlsFault::Expired => "its TLS certificate has expired".to_owned(),
        TlsFault::NotYetValid => "its TLS certificate is not valid yet".to_owned(),
        TlsFault::WrongHost => "its TLS certificate is for another host name".to_owned(),
        TlsFault::UnknownIssuer => "its TLS certificate is self-signed or from an unknown authority".to_owned(),
        TlsFault::Other(why) => format!("no secure connection: {why}"),
    }
}

fn tls_remedy(fault: &TlsFault) -> &'static str {
    match fault {
        TlsFault::Expired => "renew the server's certificate, or check this machine's clock",
        TlsFault::NotYetValid => "check this machine's clock",
        TlsFault::WrongHost => "use the name the certificate is for in the url",
        TlsFault::UnknownIssuer => "if it is yours, set ca_file to the authority's PEM file",
        TlsFault::Other(_) => "check that the port speaks TLS 1.2 or newer",
    }
}

/// Bytes as people say them.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        match bytes {
            0..1024 => write!(out, "{bytes} bytes"),
            1024..1_048_576 => write!(out, "{} KiB", bytes / 1024),
            _ => write!(out, "{} MiB", bytes / 1_048_576),
        }
    }
}
