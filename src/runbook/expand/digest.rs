//! What an approval covers, as one hash: whatever runs must be what was shown, there and in those circumstances.

use sha2::{Digest, Sha256};

use super::{Invocation, Run};

/// Where and for what an invocation would run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The kube context in force.
    pub kube_context: String,
    /// The server of that context.
    pub server: String,
    /// Its namespace.
    pub namespace: String,
    /// Hash of the runbook's document.
    pub runbook_hash: String,
    /// The step.
    pub step: String,
}

/// Sha-256, hex, over what runs: words or text, environment, folder, input, circumstances, values.
#[must_use]
pub fn digest(invocation: &Invocation, circumstances: &Circumstances) -> String {
    let mut hash = Hash(Sha256::new());
    hash.part("warroom step 1");
    match &invocation.run {
        Run::Argv(words) => hash.list("argv", words),
        Run::Shell { text, .. } => {
            hash.list("shell", &invocation.argv());
            hash.part(text);
        }
        Run::Script { interpreter, text } => {
            hash.list("script", &[interpreter.clone()]);
            hash.part(text);
        }
    }
    let mut env: Vec<String> =
        invocation.env.iter().map(|(name, value)| format!("{name}={}", hex(&Sha256::digest(value)))).collect();
    env.sort();
    hash.list("env", &env);
    hash.list("secrets", &invocation.secrets);
    let optional = |text: &Option<String>| text.iter().cloned().collect::<Vec<_>>();
    hash.list("cwd", &optional(&invocation.cwd));
    hash.list("stdin", &optional(&invocation.stdin));
    let place = [
        &circumstances.kube_context,
        &circumstances.server,
        &circumstances.namespace,
        &circumstances.runbook_hash,
        &circumstances.step,
    ];
    hash.list("circumstances", &place.map(Clone::clone));
    let values: Vec<String> = invocation.uses.iter().map(|(name, bound)| format!("{name}={}", bound.value)).collect();
    hash.list("values", &values);
    hex(&hash.0.finalize())
}

struct Hash(Sha256);

impl Hash {
    /// Length first, so that no two lists of parts look the same.
    fn part(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn list(&mut self, name: &str, parts: &[String]) {
        self.part(name);
        self.0.update((parts.len() as u64).to_be_bytes());
        for part in parts {
            self.part(part);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
