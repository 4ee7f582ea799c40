//! The one place that makes a TLS client: one crypto provider, and certificate authorities even where the system has none.

use std::sync::Once;

use reqwest::{Certificate, ClientBuilder};

use super::{Limits, Settings};
use crate::sources::error::{Fault, SourceError};
use crate::text::{Clean, Untrusted};

/// Makes ring the process's crypto provider; once, any number of calls. reqwest panics without one.
pub fn install_crypto() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // An error says that somebody installed one before us: that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The client for one source.
pub(super) fn build(settings: &Settings, is_loopback: bool) -> Result<reqwest::Client, SourceError> {
    install_crypto();
    let extra = extra_authorities(settings)?;
    let mut builder = base(&settings.limits, is_loopback);
    if !extra.is_empty() {
        builder = builder.tls_certs_merge(extra.clone());
    }
    if let Ok(client) = builder.build() {
        return Ok(client);
    }
    // A machine without a CA bundle: there the system's verifier does not even start. Mozilla's authorities serve.
    let mozilla = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| Certificate::from_der(der).ok());
    base(&settings.limits, is_loopback)
        .tls_certs_only(mozilla.chain(extra))
        .build()
        .map_err(|error| Fault::Internal(Untrusted::new(error.to_string()).clean()).into())
}

fn base(limits: &Limits, is_loopback: bool) -> ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("warroom/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect)
        .pool_idle_timeout(std::time::Duration::from_secs(90))
        .tcp_keepalive(std::time::Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    // Plain http to loopback may carry a token: no proxy may stand between.
    if is_loopback { builder.no_proxy() } else { builder }
}

fn extra_authorities(settings: &Settings) -> Result<Vec<Certificate>, SourceError> {
    let Some(pem) = &settings.ca_pem else { return Ok(Vec::new()) };
    match Certificate::from_pem_bundle(pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Fault::Address(Clean::new("ca_file holds no certificate")).into()),
        Err(error) => Err(Fault::Address(Clean::new(format!("ca_file is not PEM: {error}"))).into()),
    }
}
