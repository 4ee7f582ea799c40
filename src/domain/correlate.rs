//! What belongs together: Alertmanager's route tree and the keys it gives its groups, fingerprints, and the rules that
//! tie alerts and PagerDuty services to one name. Pure types; reading a configuration is the business of `sources`.

mod fingerprint;
mod matcher;
mod route;
mod service;

pub use fingerprint::fingerprint;
pub use matcher::{LabelMatcher, MatchOp, MatcherError};
pub use route::{GroupBy, Route, RouteTree, dedup_key};
pub(crate) use service::ServiceTie;
pub use service::{ServiceRule, ServiceRules};
