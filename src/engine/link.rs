//! A client and the secrets it was made with: made in the background, made anew when the secrets change.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, watch};

use crate::domain::failure::{Failure, FailureKind};
use crate::text::Clean;

/// Tells whether secrets changed, without keeping them.
pub(crate) type Seal = [u8; 32];

type Make<C> = Arc<dyn Fn(&mut Sealer) -> Result<C, Failure> + Send + Sync>;

/// Sees every secret that goes into a client.
#[derive(Debug, Default)]
pub(crate) struct Sealer(Sha256);

impl Sealer {
    pub(crate) fn see(&mut self, secret: &str) {
        self.0.update((secret.len() as u64).to_be_bytes());
        self.0.update(secret.as_bytes());
    }
}

/// A client that can be renewed while the console runs.
pub(crate) struct Link<C> {
    make: Make<C>,
    state: Mutex<Option<(C, Seal)>>,
    renewals: watch::Sender<u64>,
    /// Looking at the secrets again bothers nobody (a command or a keyring may ask the person).
    pub(crate) is_quiet: bool,
}

impl<C: Clone + Send + 'static> Link<C> {
    /// `make` may block: it reads files and runs commands, off the async threads.
    pub(crate) fn new(
        is_quiet: bool,
        make: impl Fn(&mut Sealer) -> Result<C, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { make: Arc::new(make), state: Mutex::new(None), renewals: watch::Sender::new(0), is_quiet }
    }

    /// The client; makes it first where that was not done or failed before.
    pub(crate) async fn get(&self) -> Result<C, Failure> {
        let mut state = self.state.lock().await;
        if let Some((client, _)) = &*state {
            return Ok(client.clone());
        }
        let (client, seal) = self.made().await?;
        *state = Some((client.clone(), seal));
        Ok(client)
    }

    /// Looks at the secrets again; true when they changed, and then the next [`Link::get`] has a new client.
    pub(crate) async fn renew(&self) -> bool {
        let mut state = self.state.lock().await;
        let Ok((client, seal)) = self.made().await else { return false };
        if state.as_ref().is_some_and(|(_, known)| *known == seal) {
            return false;
        }
        *state = Some((client, seal));
        self.renewals.send_modify(|count| *count += 1);
        true
    }

    /// Somebody says that the same secrets may work now (a permission was given): who waits for a renewal tries again.
    pub(crate) fn nudge(&self) {
        self.renewals.send_modify(|count| *count += 1);
    }

    /// Whether somebody waits for a renewal.
    pub(crate) fn is_awaited(&self) -> bool {
        self.renewals.receiver_count() > 0
    }

    /// Returns at the next renewal.
    pub(crate) async fn renewed(&self) {
        let mut renewals = self.renewals.subscribe();
        renewals.mark_unchanged();
        if renewals.changed().await.is_err() {
            std::future::pending().await
        }
    }

    async fn made(&self) -> Result<(C, Seal), Failure> {
        let make = Arc::clone(&self.make);
        // A simulation has one thread.
        #[cfg(test)]
        if crate::sources::http::wire::here().is_some() {
            let mut sealer = Sealer::default();
            return make(&mut sealer).map(|client| (client, sealer.0.finalize().into()));
        }
        let made = tokio::task::spawn_blocking(move || {
            let mut sealer = Sealer::default();
            make(&mut sealer).map(|client| (client, sealer.0.finalize().into()))
        });
        made.await.unwrap_or_else(|cause| {
            Err(Failure {
                kind: FailureKind::Internal,
                what: Clean::new("make"),
                target: Clean::new("a client"),
                cause: Clean::new(cause.to_string()),
                remedy: Clean::new("please report it"),
            })
        })
    }
}
