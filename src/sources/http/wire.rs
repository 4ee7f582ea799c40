//! The network of a simulation: where one is set on this thread, requests go to it and not to a socket.

use std::cell::RefCell;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::{Request, Response};

use crate::sources::error::Fault;

/// Carries a request to a simulated provider.
pub(crate) trait Wire: Send + Sync {
    /// The answer, or how the exchange failed.
    fn carry(&self, request: Request) -> BoxFuture<'static, Result<Response, Fault>>;
}

thread_local! {
    static HERE: RefCell<Option<Arc<dyn Wire>>> = const { RefCell::new(None) };
}

/// Sets, or takes away, this thread's network.
pub(crate) fn set(wire: Option<Arc<dyn Wire>>) {
    HERE.with_borrow_mut(|here| *here = wire);
}

/// This thread's network, where it is a simulated one.
pub(crate) fn here() -> Option<Arc<dyn Wire>> {
    HERE.with_borrow(Clone::clone)
}
