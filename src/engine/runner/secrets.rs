//! Values of the secrets that steps name: found where the configuration says, for as long as an approval counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::kit::Kit;
use super::prepare::{COUNTS, Deed};
use crate::domain::run::{Forecast, Proposal};
use crate::domain::time::Timestamp;
use crate::engine::Secrets;
use crate::step::spec::Secret;
use crate::text::Clean;

/// Finds values and keeps them for a while: a step is looked at more often than it runs, and a keyring that asks a person
/// must not ask at every look. The approval is bound to the value, so one that changes meanwhile asks again.
pub(super) struct Vault {
    finder: Secrets,
    kept: Mutex<BTreeMap<String, (SecretString, Timestamp)>>,
}

impl Vault {
    pub fn new(finder: Secrets) -> Self {
        Self { finder, kept: Mutex::default() }
    }

    fn kept(&self, name: &str, now: Timestamp) -> Option<SecretString> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(name).filter(|(_, at)| (now - *at).abs() < COUNTS).map(|(value, _)| value.clone())
    }

    fn keep(&self, name: &str, value: SecretString, now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (_, at)| (now - *at).abs() < COUNTS);
        kept.insert(name.to_owned(), (value, now));
    }
}

/// The values of what a step names; without one of them the step is refused, saying what to do.
pub(super) async fn found(kit: &Kit, deed: &Deed, proposal: &mut Proposal) -> Vec<Secret> {
    let Deed::Process(spec) = deed else { return Vec::new() };
    let mut secrets = Vec::new();
    for name in &spec.secrets {
        match value(kit, name).await {
            Ok(value) => secrets.push(Secret { name: name.clone(), value }),
            Err(why) => {
                proposal.forecast = Forecast::Refused { why };
                return Vec::new();
            }
        }
    }
    secrets
}

async fn value(kit: &Kit, name: &str) -> Result<SecretString, Clean> {
    let now = kit.clock.now();
    if let Some(value) = kit.vault.kept(name, now) {
        return Ok(value);
    }
    let Some(source) = kit.config.secrets.get(name).cloned() else {
        let why = format!("the secret {name} is not configured: add {name} = {{ env = \"…\" }} to [secrets]");
        return Err(Clean::new(why));
    };
    let finder = Arc::clone(&kit.vault.finder);
    let found = tokio::task::spawn_blocking(move || finder(&source)).await;
    let value = found
        .map_err(|_| Clean::new(format!("looking for the secret {name} broke off: try again")))?
        .map_err(|failure| Clean::new(format!("the secret {name}: {failure}")))?;
    kit.vault.keep(name, value.clone(), now);
    Ok(value)
}
