//! One answer for several consoles: where a room is shared, a question that only reads is asked by one of them, and the
//! others take what it got.
//!
//! Who asks is decided outside, by [`Answers`]. What a poll asks is marked by running it inside [`Share::over`]; whatever
//! runs outside of it (every action) goes straight to the provider.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::sources::error::{Fault, SourceError};
use crate::text::Clean;

/// Who asks a question.
pub enum Ask {
    /// Nobody: this answer is so old.
    Known(Bytes, Duration),
    /// This console; it tells what came of it.
    Yours(Box<dyn Turn>),
    /// Another console, and it has no answer yet: why.
    Theirs(Clean),
    /// Nothing is shared now: everybody for itself.
    Alone,
}

/// The right to ask for everybody.
pub trait Turn: Send {
    /// An answer that took so long. It was read completely, and it is JSON.
    fn answered(self: Box<Self>, body: Bytes, took: Duration) -> BoxFuture<'static, ()>;
    /// No answer that is worth anything to the others.
    fn failed(self: Box<Self>, error: Option<&SourceError>) -> BoxFuture<'static, ()>;
}

/// Decides who asks.
pub trait Answers: Send + Sync {
    /// `name` is the question, `label` what those who wait for it are told.
    fn ask<'a>(&'a self, name: &'a str, label: &'a str, max_age: Duration) -> BoxFuture<'a, Ask>;
}

/// How questions are shared while a poll runs.
#[derive(Clone)]
pub struct Share {
    answers: Arc<dyn Answers>,
    label: Arc<str>,
    max_age: Duration,
    oldest: Arc<Mutex<Duration>>,
}

impl fmt::Debug for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Share({})", self.label)
    }
}

tokio::task_local! {
    static SHARE: Share;
}

impl Share {
    /// An answer of at most that age will do.
    #[must_use]
    pub fn new(answers: Arc<dyn Answers>, label: String, max_age: Duration) -> Self {
        Self { answers, label: label.into(), max_age, oldest: Arc::default() }
    }

    /// Runs a poll whose questions are shared.
    pub async fn over<F: Future>(&self, poll: F) -> F::Output {
        SHARE.scope(self.clone(), poll).await
    }

    /// The age of the oldest answer that was taken from others; zero when this console asked itself.
    #[must_use]
    pub fn oldest(&self) -> Duration {
        *self.age()
    }

    fn age(&self) -> MutexGuard<'_, Duration> {
        self.oldest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body that another console got, or the one that `ask` gets for everybody. `None` while nothing is shared: then
    /// nobody has asked yet.
    ///
    /// # Errors
    /// Those of `ask`, and that another console has no answer.
    pub async fn body(
        &self,
        name: &str,
        ask: impl Future<Output = Result<Bytes, SourceError>>,
    ) -> Result<Option<Bytes>, SourceError> {
        let turn = match self.answers.ask(name, &self.label, self.max_age).await {
            Ask::Known(body, age) => {
                let mut oldest = self.age();
                *oldest = (*oldest).max(age);
                return Ok(Some(body));
            }
            Ask::Alone => return Ok(None),
            Ask::Theirs(why) => return Err(Fault::Waits(why).into()),
            Ask::Yours(turn) => turn,
        };
        let began = Instant::now();
        match ask.await {
            Ok(body) if is_whole_json(&body) => {
                turn.answered(body.clone(), began.elapsed()).await;
                Ok(Some(body))
            }
            Ok(body) => {
                turn.failed(None).await;
                Ok(Some(body))
            }
            Err(error) => {
                turn.failed(Some(&error)).await;
                Err(error)
            }
        }
    }
}

/// How the poll that runs here shares its questions.
#[must_use]
pub fn current() -> Option<Share> {
    SHARE.try_with(Clone::clone).ok()
}

/// How old the answers are that the poll that runs here got so far.
#[must_use]
pub fn age() -> Duration {
    current().map_or(Duration::ZERO, |share| share.oldest())
}

/// Whether a body looks like a whole JSON document: a portal's page or half an answer is nobody else's business.
fn is_whole_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    matches!((body.first(), body.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_answers_are_shared() {
        for (body, is_whole) in [
            ("[]", true),
            (" {\"a\":1}\n", true),
            ("\u{feff}{}", true),
            ("<html></html>", false),
            ("{\"a\":[1", false),
            ("[1,2}", false),
            ("", false),
        ] {
            assert_eq!(is_whole_json(body.as_bytes()), is_whole, "{body}");
        }
    }
}
