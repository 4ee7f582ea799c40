//! A body as it comes in: capped after decompression, cut off when it stalls.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Limits, fault};
use crate::sources::error::{Fault, SourceError, Stage};

/// Most that is set aside at once on a header's word.
const FIRST_RESERVE: u64 = 1 << 20;

/// The body of an answer, piece by piece.
#[derive(Debug)]
pub struct Body {
    response: Option<reqwest::Response>,
    /// What another console of the room got, in the place of a response.
    kept: Option<Bytes>,
    host: String,
    limits: Limits,
    deadline: Instant,
    cap: usize,
    received: usize,
}

impl Body {
    pub(super) fn new(response: reqwest::Response, host: String, limits: Limits, cap: usize, began: Instant) -> Self {
        let (response, kept) = (Some(response), None);
        Self { response, kept, host, limits, deadline: began + limits.total, cap, received: 0 }
    }

    /// One that is complete already.
    pub(super) fn kept(body: Bytes, limits: Limits, cap: usize) -> Self {
        let (response, host, deadline) = (None, String::new(), Instant::now() + limits.total);
        Self { response, kept: Some(body), host, limits, deadline, cap, received: 0 }
    }

    /// How many bytes came so far, decompressed.
    #[must_use]
    pub fn received(&self) -> usize {
        self.received
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// Too large, stalled, not complete in time, or cut off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, SourceError> {
        let Some(response) = &mut self.response else {
            let piece = self.kept.take();
            self.received += piece.as_ref().map_or(0, Bytes::len);
            return Ok(piece);
        };
        if response.content_length().is_some_and(|length| length > self.cap as u64) {
            return Err(Fault::TooLarge(self.cap).into());
        }
        let next = timeout_at(self.deadline, timeout(self.limits.idle, response.chunk())).await;
        let piece = match next {
            Err(_) => return Err(Fault::Timeout(Stage::Total, self.limits.total).into()),
            Ok(Err(_)) => return Err(Fault::Timeout(Stage::Idle, self.limits.idle).into()),
            Ok(Ok(Err(error))) => {
                return Err(fault::classify(&error, &self.host, &self.limits, Some(self.received)).into());
            }
            Ok(Ok(Ok(piece))) => piece,
        };
        self.received += piece.as_ref().map_or(0, Bytes::len);
        if self.received > self.cap {
            return Err(Fault::TooLarge(self.cap).into());
        }
        Ok(piece)
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`Body::chunk`].
    pub async fn all(mut self) -> Result<Vec<u8>, SourceError> {
        let told = self.response.as_ref().and_then(reqwest::Response::content_length);
        let expected = told.unwrap_or(0).min(FIRST_RESERVE);
        let mut all = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        while let Some(piece) = self.chunk().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// What can be had of it for a message; a body that fails is no body.
    pub(super) async fn excerpt(mut self, bytes: usize, patience: Duration) -> Vec<u8> {
        let mut kept = Vec::new();
        let read = async {
            while let Ok(Some(piece)) = self.chunk().await {
                let room = bytes.saturating_sub(kept.len());
                kept.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or(&[]));
                if kept.len() >= bytes {
                    break;
                }
            }
        };
        let _ = timeout(patience, read).await;
        kept
    }
}
