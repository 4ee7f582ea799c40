//! Polls of a shared room: one console asks, the room's database hands its answer to the others.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use crate::sources::error::{Disposition, SourceError};
use crate::sources::http::share::{Answers, Ask, Turn};
use crate::store::postgres::{Asking, Lease};
use crate::store::shared::SharedRoom;
use crate::text::Clean;

/// For how long one console may ask before another does it instead.
const SPAN: Duration = Duration::from_secs(30);

/// How long an answer that another console asks for is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the answer is there.
const LOOKS: Duration = Duration::from_millis(250);

/// How long nobody asks again after a failure that names no time itself.
const PAUSE: Duration = Duration::from_secs(5);

/// Largest answer after it is unpacked; as much as a source may send.
const LARGEST: u64 = 64 << 20;

/// Answers kept so that one that did not change need not be fetched again.
const MOST_KNOWN: usize = 64;

/// An answer as it was fetched last.
type Known = (Vec<u8>, Bytes);

/// The room's answers.
pub(crate) struct RoomAnswers {
    room: Arc<SharedRoom>,
    known: Mutex<HashMap<String, Known>>,
}

impl RoomAnswers {
    pub(crate) fn new(room: Arc<SharedRoom>) -> Self {
        Self { room, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of an answer: the one that is known, or the one that came.
    fn body(&self, name: &str, digest: Vec<u8>, packed: Option<&[u8]>) -> Option<Bytes> {
        let Some(packed) = packed else {
            return self.known().get(name).filter(|(known, _)| *known == digest).map(|(_, body)| body.clone());
        };
        let mut body = Vec::new();
        ZlibDecoder::new(packed).take(LARGEST).read_to_end(&mut body).ok()?;
        let body = Bytes::from(body);
        let mut known = self.known();
        if known.len() >= MOST_KNOWN && !known.contains_key(name) {
            known.clear();
        }
        known.insert(name.to_owned(), (digest, body.clone()));
        Some(body)
    }
}

impl Answers for RoomAnswers {
    fn ask<'a>(&'a self, name: &'a str, label: &'a str, max_age: Duration) -> BoxFuture<'a, Ask> {
        Box::pin(async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let digest = self.known().get(name).map(|(digest, _)| digest.clone()).unwrap_or_default();
                match self.room.ask(name, max_age, &digest, SPAN).await {
                    None => return Ask::Alone,
                    Some(Asking::Known(answered)) => {
                        let body = self.body(name, answered.digest, answered.body.as_deref());
                        // One that cannot be unpacked is as good as none.
                        return body.map_or(Ask::Alone, |body| Ask::Known(body, answered.age));
                    }
                    Some(Asking::Mine(lease)) => {
                        let room = Arc::clone(&self.room);
                        return Ask::Yours(Box::new(MyTurn { room, lease, label: label.to_owned() }));
                    }
                    Some(Asking::Theirs(Some(note))) => return Ask::Theirs(Clean::new(note)),
                    Some(Asking::Theirs(None)) if Instant::now() >= until => {
                        return Ask::Theirs(Clean::new("it has no answer yet"));
                    }
                    Some(Asking::Theirs(None)) => sleep(LOOKS).await,
                }
            }
        })
    }
}

/// This console asks for everybody.
struct MyTurn {
    room: Arc<SharedRoom>,
    lease: Lease,
    label: String,
}

impl Turn for MyTurn {
    fn answered(self: Box<Self>, body: Bytes, took: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let packing = tokio::task::spawn_blocking(move || {
                let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
                packer.write_all(&body).ok()?;
                Some((Sha256::digest(&body).to_vec(), packer.finish().ok()?))
            });
            match packing.await {
                Ok(Some((digest, packed))) => {
                    self.room.answered(&self.lease, &self.label, &digest, &packed, took).await;
                }
                _ => self.room.release(&self.lease).await,
            }
        })
    }

    fn failed(self: Box<Self>, error: Option<&SourceError>) -> BoxFuture<'static, ()> {
        // A token of ours that is refused says nothing about a colleague's.
        let pause = match error.map(SourceError::disposition) {
            Some(Disposition::RetryAfter(hint)) => Some(hint.unwrap_or(PAUSE)),
            _ => None,
        };
        let note = error.map(ToString::to_string).unwrap_or_default();
        Box::pin(async move {
            match pause {
                Some(pause) => self.room.unanswered(&self.lease, pause, &note).await,
                None => self.room.release(&self.lease).await,
            }
        })
    }
}
