//! The only error the screen knows: what failed, on what, why, and what to do.

use serde::{Deserialize, Serialize};

use crate::text::Clean;

/// What class of trouble it was; decides retry, colour and the words of the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection: refused, no route, name not found.
    Unreachable,
    /// Connected, but no (complete) answer in time.
    Timeout,
    /// Certificate or handshake.
    Tls,
    /// 401: the token is wrong or gone.
    Unauthorised,
    /// 402 or 403: the token may not do this.
    Forbidden,
    /// 404 or 410.
    NotFound,
    /// 429.
    RateLimited,
    /// 5xx.
    ServerError,
    /// An answer that is not what the API documents: HTML, cut JSON, wrong types.
    NotUnderstood,
    /// The body was larger than the cap.
    TooLarge,
    /// The provider understood and refused: 400, 409, 422, or a 2xx that did not do it.
    Refused,
    /// Wrong or missing configuration.
    Config,
    /// The journal could not take it, so nothing was sent.
    Journal,
    /// Another console of the room does it.
    TakenOver,
    /// It waits for the room's database.
    Held,
    /// A fault of ours.
    Internal,
}

/// A failure in words for people. One sentence: `{what} {target} failed: {cause}; {remedy}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What was tried, such as "acknowledge" or "list open incidents".
    pub what: Clean,
    /// On what, such as "PABC123" or "http://am:9093".
    pub target: Clean,
    /// Why it failed, in the provider's words where they help.
    pub cause: Clean,
    /// What the person can do.
    pub remedy: Clean,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {} failed: {}", self.what, self.target, self.cause)?;
        if !self.remedy.as_str().is_empty() {
            write!(out, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
