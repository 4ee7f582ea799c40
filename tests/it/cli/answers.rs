//! Everything that can be wrong with configuration, secrets, addresses and answers: one sentence and the exit code.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;

use super::home::{Home, Stub};

fn pagerduty(url: &str) -> String {
    format!("[pagerduty]\nurl = \"{url}\"\ntoken = {{ env = \"PD\" }}\n")
}

fn alertmanager(url: &str) -> String {
    format!("[[alertmanager]]\nname = \"am\"\nurl = \"{url}\"\n")
}

/// What a run says, with the port replaced.
fn told(home: &Home, arguments: &[&str], url: &str) -> String {
    let ran = home.run(arguments);
    let steady = |text: &str| {
        let text = home.steady(text).replace(url.trim_start_matches("http://").trim_start_matches("https://"), "HOST");
        text.lines().map(|line| format!("    {line}\n")).collect::<String>()
    };
    format!("  exit {}\n{}{}", ran.code.map_or(-1, |code| code), steady(&ran.out), steady(&ran.err))
}

fn bad_servers() -> Vec<(&'static str, Stub)> {
    let html = "<!doctype html><html><head><title>Hotel WiFi</title></head><body>Log in</body></html>";
    let error = |message: &str, code: u32| format!("{{\"error\":{{\"message\":\"{message}\",\"code\":{code}}}}}");
    vec![
        ("HTML instead of JSON", Stub::answering("200 OK", "content-type: text/html\r\n", html)),
        ("truncated JSON", Stub::raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"incidents\":[{\"id\":\"P".into())),
        ("whole but broken JSON", Stub::json("200 OK", "{\"incidents\":[{\"id\":\"P\"")),
        ("401", Stub::json("401 Unauthorized", &error("Unauthorized", 2006))),
        ("403", Stub::json("403 Forbidden", &error("Access Denied", 2010))),
        ("404", Stub::json("404 Not Found", &error("Not Found", 2100))),
        ("429", Stub::answering("429 Too Many Requests", "content-type: application/json\r\nratelimit-limit: 960\r\nratelimit-remaining: 0\r\nratelimit-reset: 40\r\n", &error("Rate Limit Exceeded", 2020))),
        ("500", Stub::json("500 Internal Server Error", &error("Internal Server Error", 2000))),
        ("503 of a proxy", Stub::answering("503 Service Unavailable", "content-type: text/html\r\n", html)),
        ("redirect to another host", Stub::answering("302 Found", "location: https://login.example.com/\r\n", "")),
    ]
}

#[test]
fn a_source_that_answers_wrongly_is_told_in_one_sentence() {
    let mut all = String::new();
    for (name, stub) in bad_servers() {
        let home = Home::new(&pagerduty(&stub.url())).with("PD", "u+canary-token-1234");
        let _ =
            write!(all, "PagerDuty: {name}\n{}", told(&home, &["incidents", "list", "--timeout", "20s"], &stub.url()));
        let home = Home::new(&alertmanager(&stub.url()));
        let _ =
            write!(all, "Alertmanager: {name}\n{}", told(&home, &["alerts", "list", "--timeout", "20s"], &stub.url()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_address_or_a_secret_that_does_not_work_is_told_in_one_sentence() {
    let mut all = String::new();
    let mut case = |name: &str, home: &Home, arguments: &[&str], url: &str| {
        let _ = write!(all, "{name}\n{}", told(home, arguments, url));
    };
    let list = ["incidents", "list", "--timeout", "20s"];
    let alerts = ["alerts", "list", "--timeout", "20s"];
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    case("nothing listens", &Home::new(&alertmanager(&closed)), &alerts, &closed);
    let unknown = "http://no-such-host.invalid:9093";
    case("the name is not known", &Home::new(&alertmanager(unknown)), &alerts, unknown);
    let plain = Stub::json("200 OK", "[]");
    let https = format!("https://{}", plain.address);
    case("TLS to a server without it", &Home::new(&alertmanager(&https)), &alerts, &https);
    let silent = Stub::talking(|_| None);
    let late = ["alerts", "list", "--timeout", "1s"];
    case("no answer in time", &Home::new(&alertmanager(&silent.url())), &late, &silent.url());
    let nowhere = "http://127.0.0.1:9";
    case("the token's variable is missing", &Home::new(&pagerduty(nowhere)), &list, nowhere);
    let home = Home::new(&pagerduty(nowhere).replace("env = \"PD\"", "file = \"token\""));
    case("the token's file is missing", &home, &list, nowhere);
    fs::write(home.path("config/warroom/token"), "u+canary-token-1234").expect("a token");
    case("the token's file is everybody's", &home, &list, nowhere);
    let home = Home::new(&pagerduty(nowhere).replace("env = \"PD\"", "command = [\"sh\", \"-c\", \"exit 3\"]"));
    case("the token's command fails", &home, &list, nowhere);
    let home = Home::new(&format!("{}ca_file = \"ca.pem\"\n", alertmanager("https://127.0.0.1:9")));
    case("the authorities' file is missing", &home, &alerts, nowhere);
    insta::assert_snapshot!(all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_nobody_signed_is_told_and_a_named_authority_is_trusted() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (acceptor, authority) =
        warroom::sim::tls::throw_away_authority(&["127.0.0.1".to_owned()]).expect("an authority");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]").await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let refused = tokio::task::spawn_blocking(move || {
        let home = Home::new(&alertmanager(&url));
        let refused = told(&home, &["silences", "list"], &url);
        fs::write(home.path("config/warroom/ca.pem"), authority).expect("the authority");
        fs::write(home.config(), format!("{}ca_file = \"ca.pem\"\n", alertmanager(&url))).expect("a configuration");
        let ran = home.run(&["silences", "list"]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "no silences\n", ""));
        refused
    });
    insta::assert_snapshot!(refused.await.expect("no panic"));
}

#[test]
fn a_broken_configuration_is_told_but_does_not_stop_what_works() {
    let stub = Stub::json("200 OK", "[]");
    let config = format!("[room]\ntehme = \"dark\"\n\n{}\n[[prometheus]]\nurl = 5\n", alertmanager(&stub.url()));
    let home = Home::new(&config);
    let ran = home.run(&["silences", "list"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "no silences\n"));
    assert_eq!(
        home.steady(&ran.err),
        "warroom: HOME/config/warroom/config.toml:2:1: unknown key 'tehme' in [room]; did you mean 'theme'?\n\
         warroom: HOME/config/warroom/config.toml:9:7: 'url' in [[prometheus]] must be an address in quotes, not an integer; \
         write for example \"https://host:9090\"\n"
    );
    let ran = home.run(&["check"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(home.steady(&ran.out).lines().last(), Some("HOME/config/warroom/config.toml: 2 errors, 0 warnings"));
    // The section that is needed is the broken one: configuration, not the network.
    let ran = home.run(&["oncall"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
}

#[test]
fn every_bad_fixture_is_exit_2_for_check_and_never_a_panic() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/invalid");
    for entry in fs::read_dir(folder).expect("fixtures").flatten() {
        let home = Home::new("");
        fs::copy(entry.path(), home.config()).expect("a copy");
        let ran = home.run(&["check", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        let has_errors = told["errors"].as_u64().expect("a number") > 0;
        assert!(!told["problems"].as_array().expect("a list").is_empty(), "{}", entry.path().display());
        assert_eq!(ran.code, Some(if has_errors { 2 } else { 0 }), "{}: {}", entry.path().display(), ran.err);
        assert_eq!(ran.err, "");
    }
}

#[test]
fn what_is_dangerous_asks_and_without_anybody_to_ask_does_nothing() {
    let stub = Stub::json("200 OK", "{\"incidents\":[]}");
    let home = Home::new(&pagerduty(&stub.url())).with("PD", "u+canary-token-1234");
    let ran = home.run(&["incidents", "snooze", "PABC123", "--for", "30d"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (Some(2), "warroom: an incident can be snoozed for 1s to 7d: give --for another span\n")
    );
    let ran = home.run(&["incidents", "note", "PABC123", "-m", "  "]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let ran = home.run(&["incidents", "ack", "../users"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let read_only = home.run(&["--read-only", "incidents", "ack", "PABC123"]);
    assert_eq!(read_only.code, Some(2), "{}", read_only.err);
    assert_eq!(stub.requests(), Vec::<String>::new(), "nothing may be asked before the arguments are sound");
}
