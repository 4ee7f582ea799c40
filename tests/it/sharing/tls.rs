//! The URL's sslmode is obeyed, and nothing of its login is told.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use warroom::domain::sharing::Sharing;

use super::entries::{brief, end};
use crate::postgres::Cluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_checked_as_the_sslmode_says() {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.distinguished_name.push(DnType::CommonName, "the test's authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let cluster = Cluster::start_tls(&leaf.pem(), &key.serialize_pem()).await;
    let folder = tempfile::tempdir().unwrap();
    let right = folder.path().join("right.pem");
    std::fs::write(&right, &ca_pem).unwrap();
    let other = KeyPair::generate().unwrap();
    let wrong = folder.path().join("wrong.pem");
    std::fs::write(&wrong, CertificateParams::new(Vec::new()).unwrap().self_signed(&other).unwrap().pem()).unwrap();

    let plain = cluster.database("room");
    let by_name = plain.replace("127.0.0.1", "localhost").replace("warroom@", "warroom:hunter2@");
    let url = |base: &str, mode: &str, ca: &std::path::Path| {
        base.replace("sslmode=disable", &format!("sslmode={mode}&sslrootcert={}", ca.display()))
    };
    for (number, (url, is_shared)) in [
        (url(&by_name, "verify-full", &right), true),
        (url(&by_name, "verify-full", &wrong), false),
        // The certificate is for localhost.
        (url(&plain, "verify-full", &right), false),
        (url(&plain, "verify-ca", &right), true),
        (url(&plain, "require", &right), true),
        (plain.clone(), true),
    ]
    .into_iter()
    .enumerate()
    {
        let console = end(&url, folder.path(), &format!("{number}.db"), brief());
        assert_eq!(console.tend().await, is_shared, "{number}: {:?}", console.sharing());
        if let Some(Sharing::Apart { cause, .. }) = console.sharing() {
            assert!(!cause.as_str().contains("hunter2") && !cause.as_str().contains("postgres://"), "{cause}");
        }
    }
}
