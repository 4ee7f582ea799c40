//! TLS on loopback with certificates made here: each fault has its own sentence, and a CA file helps.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Call, Http, Settings, install_crypto};
use crate::domain::failure::FailureKind;
use crate::sources::error::{Fault, SourceError, Stage, TlsFault};
use crate::sources::testing::edge;

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { pem, issuer: Issuer::new(params, key) }
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// Serves one certificate and asks it once.
async fn ask(chain: Vec<CertificateDer<'static>>, key: &KeyPair, ca: Option<&str>) -> Result<Value, SourceError> {
    install_crypto();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = [0_u8; 2_048];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue").await;
            let _ = stream.shutdown().await;
        }
    };
    let mut settings = Settings::new(format!("https://localhost:{}/", address.port()).parse().unwrap(), edge());
    settings.ca_pem = ca.map(|pem| pem.as_bytes().to_vec());
    let http = Http::new(settings).unwrap();
    let call = Call::get(["x"]);
    tokio::select! {
        () = serve => unreachable!("the server serves for ever"),
        answer = http.json(&call) => answer,
    }
}

#[tokio::test]
async fn each_certificate_fault_has_its_sentence() {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let sign = |params: CertificateParams| vec![params.signed_by(&key, &authority.issuer).unwrap().der().clone()];
    let pem = Some(authority.pem.as_str());

    assert_eq!(ask(sign(params("localhost")), &key, pem).await.unwrap(), Value::Bool(true), "a CA file helps");

    let mut expired = params("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = params("localhost");
    early.not_before = date_time_ymd(4000, 1, 1);
    early.not_after = date_time_ymd(4001, 1, 1);
    let own = vec![params("localhost").self_signed(&key).unwrap().der().clone()];
    let table = [
        (sign(expired), pem, TlsFault::Expired, "expired", "clock"),
        (sign(early), pem, TlsFault::NotYetValid, "not valid yet", "clock"),
        (
            sign(params("other.example")),
            pem,
            TlsFault::WrongHost,
            "another host name",
            "the name the certificate is for",
        ),
        (sign(params("localhost")), None, TlsFault::UnknownIssuer, "unknown authority", "ca_file"),
        (own, None, TlsFault::UnknownIssuer, "self-signed", "ca_file"),
    ];
    for (chain, ca, fault, cause, remedy) in table {
        let error = ask(chain, &key, ca).await.unwrap_err();
        assert_eq!(error.fault(), &Fault::Tls(fault.clone()));
        let failure = error.into_failure("ask", "it");
        assert_eq!(failure.kind, FailureKind::Tls);
        assert!(failure.cause.as_str().contains(cause) && failure.remedy.as_str().contains(remedy), "{failure}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_no_connection_in_time() {
    let server = crate::sources::testing::Server::scripted(Vec::new()).await;
    let url = format!("https://localhost:{}/", server.address.port()).parse().unwrap();
    let mut settings = Settings::new(url, edge());
    let limit = std::time::Duration::from_millis(500);
    settings.limits.connect = limit;
    let error = Http::new(settings).unwrap().json::<Value>(&Call::get(["x"])).await.unwrap_err();
    assert_eq!(error.fault(), &Fault::Timeout(Stage::Connect, limit));
}
