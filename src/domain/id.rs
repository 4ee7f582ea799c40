//! Identities as types, so that a service id cannot be sent where an incident id belongs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::time::Timestamp;

/// Longest identity taken from outside; PagerDuty's are 14, Alertmanager's dedup keys 64, its limit for them is 255.
pub const MAX_ID_BYTES: usize = 255;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an identity from outside: 1 to [`MAX_ID_BYTES`] bytes of printable ASCII, so it can be shown,
            /// logged and put in a path segment; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let fits = (1..=MAX_ID_BYTES).contains(&text.len());
                (fits && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))).then(|| Self(text.into()))
            }

            /// `kind:name`; a name that is no identity (too long, not ASCII) is replaced by its hash, so it can neither
            /// fail nor collide.
            #[must_use]
            pub fn derived(kind: &str, name: &str) -> Self {
                Self::parse(&format!("{kind}:{name}")).unwrap_or_else(|| {
                    let digest = Sha256::digest(name.as_bytes());
                    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                    Self(format!("{kind}:{hex}").into())
                })
            }

            /// The identity as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}({})", stringify!($name), self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an identity"))
            }
        }
    )*};
}

text_id! {
    /// One thing people work on: a row. `pd:…` when PagerDuty has it, `am:…` for an Alertmanager group, `al:…` for a lone
    /// alert, `svc:…` for a folded service. When a side joins later the other name stays valid:
    /// [`super::room::Room::resolve_alias`] leads from any name it ever had to the row, so a selection survives.
    IncidentId;
    /// PagerDuty's id of an incident.
    PagerId;
    /// PagerDuty's id of a service.
    ServiceId;
    /// PagerDuty's id of a user.
    UserId;
    /// PagerDuty's id of an escalation policy.
    PolicyId;
    /// PagerDuty's id of a priority.
    PriorityId;
    /// PagerDuty's id of a team.
    TeamId;
    /// A configured source by its name, such as `pagerduty`, `am-eu-1`, `prometheus`.
    SourceId;
    /// The key under which Alertmanager's PagerDuty integration raises a group (apis.md 3), or any `dedup_key`.
    DedupKey;
    /// Alertmanager's id of a silence.
    SilenceId;
    /// A timeline entry: the provider's id, or ours.
    EventId;
    /// A runbook by its key or file stem.
    RunbookId;
    /// A step within its runbook; stable while the runbook's text is.
    StepId;
    /// A panel within its dashboard.
    PanelId;
}

impl IncidentId {
    /// The row of a PagerDuty incident.
    #[must_use]
    pub fn of_pager(pager: &PagerId) -> Self {
        Self::derived("pd", pager.as_str())
    }
}

/// One effect that changes the world; names it in the journal, in the outbox and in provider texts. A UUIDv7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(pub Uuid);

impl fmt::Display for OpId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

/// Makes [`OpId`]s without reading a clock or a random source: both come in. Same seed, same instants, same ids.
#[derive(Clone, Debug)]
pub struct OpIds {
    seed: u64,
    made: u64,
}

impl OpIds {
    /// `seed` must differ between consoles (the edge draws it at random).
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// The next identity, at `now`.
    pub fn next(&mut self, now: Timestamp) -> OpId {
        self.made += 1;
        let mut bytes = [0_u8; 10];
        let mixed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bytes[..4].copy_from_slice(&(self.made as u32).to_be_bytes());
        bytes[4..].copy_from_slice(&mixed.to_be_bytes()[..6]);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        OpId(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}
