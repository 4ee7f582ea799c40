//! Tests of whole frames.

mod night;
mod screens;

use crate::domain::failure::{Failure, FailureKind};
use crate::text::Clean;

fn refused() -> Failure {
    Failure {
        kind: FailureKind::Forbidden,
        what: Clean::new("list open incidents"),
        target: Clean::new("pagerduty"),
        cause: Clean::new("403: the token may not read incidents"),
        remedy: Clean::new("give the token read access"),
    }
}
