//! Reads reqwest's chains of errors: only the innermost one knows what happened.

use std::error::Error;
use std::io::ErrorKind;

use rustls::CertificateError;

use super::Limits;
use crate::sources::error::{Fault, Stage, TlsFault};
use crate::text::{Clean, Untrusted};

/// What a failed request or body read was about. `received` bytes of the body had come.
pub(super) fn classify(error: &reqwest::Error, host: &str, limits: &Limits, received: Option<usize>) -> Fault {
    let mut innermost = String::new();
    let mut link: Option<&(dyn Error + 'static)> = error.source();
    while let Some(step) = link {
        if let Some(fault) = read_link(step) {
            return cut_or(fault, received);
        }
        let words = step.to_string();
        if words.contains("dns error") || words.contains("failed to lookup address") {
            return Fault::Name(Untrusted::new(host).clean());
        }
        innermost = words;
        link = step.source();
    }
    if error.is_timeout() && error.is_connect() {
        return Fault::Timeout(Stage::Connect, limits.connect);
    }
    if let Some(bytes) = received {
        return if error.is_decode() && !innermost.contains("end of file") {
            Fault::Malformed(Clean::new("its compression is damaged"))
        } else {
            Fault::Cut(bytes)
        };
    }
    if error.is_connect() || innermost.contains("proxy") {
        return Fault::Connect(Untrusted::new(innermost).clean());
    }
    if error.is_builder() {
        return Fault::Address(Untrusted::new(innermost).clean());
    }
    Fault::Cut(0)
}

fn cut_or(fault: Fault, received: Option<usize>) -> Fault {
    match (fault, received) {
        (Fault::Cut(_), Some(bytes)) => Fault::Cut(bytes),
        (fault, _) => fault,
    }
}

/// What one link of the chain says, when it is one that says something.
fn read_link(link: &(dyn Error + 'static)) -> Option<Fault> {
    if let Some(tls) = link.downcast_ref::<rustls::Error>() {
        return Some(Fault::Tls(read_tls(tls)));
    }
    let io = link.downcast_ref::<std::io::Error>()?;
    // `source()` of an io::Error skips the error it wraps.
    if let Some(inner) = io.get_ref() {
        if let Some(fault) = read_link(inner) {
            return Some(fault);
        }
        let mut deeper = inner.source();
        while let Some(step) = deeper {
            if let Some(fault) = read_link(step) {
                return Some(fault);
            }
            deeper = step.source();
        }
    }
    match io.kind() {
        ErrorKind::ConnectionRefused => Some(Fault::ConnectionRefused),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            Some(Fault::Connect(Untrusted::new(io.to_string()).clean()))
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Some(Fault::Cut(0)),
        ErrorKind::UnexpectedEof => Some(Fault::Cut(0)),
        _ => None,
    }
}

fn read_tls(error: &rustls::Error) -> TlsFault {
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return TlsFault::Other(Untrusted::new(error.to_string()).clean());
    };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::WrongHost,
        CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
        other => {
            let words = other.to_string();
            // A self-signed certificate that also says it is an authority.
            if words.contains("CaUsedAsEndEntity") {
                TlsFault::UnknownIssuer
            } else {
                TlsFault::Other(Untrusted::new(words).clean())
            }
        }
    }
}
