//! Secrets out of text: by value, for those that were read, and by shape, for those that were not.
//!
//! Serves logs, crash reports and error sentences. What passes here may be shown; what was masked cannot come back.

use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Shorter values are not masked: a password "a" would make every sentence unreadable and would be told by the gaps.
const LEAST_LENGTH: usize = 6;

/// The secrets of this process. A static, because a panic hook must reach them.
pub static SECRETS: Redactor = Redactor::new();

/// Knows secrets and takes them out of text.
#[derive(Debug)]
pub struct Redactor(RwLock<Vec<SecretString>>);

impl Redactor {
    /// Knows none yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RwLock::new(Vec::new()))
    }

    /// From now on this one is masked.
    pub fn learn(&self, secret: &SecretString) {
        let value = secret.expose_secret();
        if value.len() < LEAST_LENGTH {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|known| known.expose_secret() == value) {
            known.push(secret.clone());
            // A secret that begins with another one must go first, or its tail would stay.
            known.sort_by_key(|known| std::cmp::Reverse(known.expose_secret().len()));
        }
    }

    /// The text without secrets: known values (also as JSON and percent-encoding write them), what follows `Bearer`,
    /// `Basic` and `Token token=`, and words with the prefix of a provider's tokens.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let value = secret.expose_secret();
            for shape in [value.to_owned(), json_inside(value), percent(value)] {
                if masked.contains(&shape) {
                    masked = masked.replace(&shape, MASK);
                }
            }
        }
        for lead in ["Bearer ", "bearer ", "Basic ", "basic ", "Token token=", "xoxb-", "xoxp-", "xapp-"] {
            masked = mask_after(&masked, lead);
        }
        masked
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

fn json_inside(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.trim_matches('"').to_owned()
}

fn percent(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Masks the word behind each `lead` when it looks like a credential: eight letters, digits or signs at least.
fn mask_after(text: &str, lead: &str) -> String {
    let mut parts = text.split(lead);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str(lead);
        let is_part = |symbol: char| symbol.is_ascii_alphanumeric() || "-._~+/=".contains(symbol);
        let end = part.find(|symbol| !is_part(symbol)).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        masked.push_str(if word.len() >= 8 { MASK } else { word });
        masked.push_str(rest);
    }
    masked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values_and_known_shapes_are_masked() {
        let redactor = Redactor::new();
        redactor.learn(&SecretString::from("s3cr3t\"tail/x"));
        redactor.learn(&SecretString::from("s3cr3t"));
        redactor.learn(&SecretString::from("ab"));
        for (text, expected) in [
            ("token s3cr3t\"tail/x end", "token *** end"),
            (r#"{"t":"s3cr3t\"tail/x"}"#, r#"{"t":"***"}"#),
            ("q=s3cr3t%22tail%2Fx", "q=***"),
            ("s3cr3t twice s3cr3t", "*** twice ***"),
            ("ab is too short to hide", "ab is too short to hide"),
            ("Authorization: Token token=u+abcdefgh123, next", "Authorization: Token token=***, next"),
            ("bearer of news; Bearer abcdefghij.k", "bearer of news; Bearer ***"),
            ("xoxb-1234567890-abc", "xoxb-***"),
        ] {
            assert_eq!(redactor.mask(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_known_secret_never_survives(secret in "[!-~]{6,40}", before in ".{0,20}", after in ".{0,20}") {
            let redactor = Redactor::new();
            redactor.learn(&SecretString::from(secret.clone()));
            let masked = redactor.mask(&format!("{before}{secret}{after}"));
            // A secret of asterisks is its own mask.
            prop_assert!(!masked.contains(&secret) || MASK.repeat(14).contains(&secret), "{masked}");
        }
    }
}
