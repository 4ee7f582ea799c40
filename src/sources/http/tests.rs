//! The client against servers that answer as real ones and as broken ones do.

use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Auth, Call, Caps, Credential, Http, Settings};
use crate::domain::failure::FailureKind;
use crate::domain::source::ChronoSeconds;
use crate::sources::error::{Disposition, Fault, SourceError, Stage};
use crate::sources::testing::{Say, Server, edge, hurried, now, ok, status, with_head};

const SECRET: &str = "s3cret-canary";

fn with_token(mut settings: Settings) -> Settings {
    settings.auth.credential = Credential::Bearer(SecretString::from(SECRET));
    settings
}

async fn ask(script: Vec<Say>, call: &Call) -> (Result<Value, SourceError>, Server) {
    let server = Server::scripted(script).await;
    let http = Http::new(hurried(with_token(server.settings()))).unwrap();
    (http.json(call).await, server)
}

async fn get(script: Vec<Say>) -> (Result<Value, SourceError>, usize) {
    let (answer, server) = ask(script, &Call::get(["x"])).await;
    (answer, server.asked().len())
}

async fn failure(say: Say) -> SourceError {
    get(vec![say.clone(), say]).await.0.expect_err("a failure")
}

fn note() -> Call {
    Call::change(Method::POST, ["notes"]).json(&json!({"note": 1}))
}

#[tokio::test]
async fn an_answer_comes_with_budget_and_clock() {
    let head = "HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 12:01:30 GMT\r\nratelimit-limit: 960\r\n\
        ratelimit-remaining: 959\r\nratelimit-reset: 7";
    let server = Server::scripted(vec![with_head(head, "\u{feff}{\"a\":1}")]).await;
    let mut settings = with_token(server.settings());
    settings.auth.headers.push(("X-Scope-OrgID".to_owned(), "tenant".into()));
    settings.url.set_path("/prefix/");
    let http = Http::new(settings).unwrap();
    let answer: Value = http.json(&Call::get(["a b", "../c"]).query("q[]", "1&2").query("q[]", "3")).await.unwrap();
    assert_eq!(answer, json!({"a": 1}));
    let asked = server.asked();
    assert_eq!(asked[0].line, "GET /prefix/a%20b/..%2Fc?q%5B%5D=1%262&q%5B%5D=3");
    let head = asked[0].head.to_ascii_lowercase();
    for line in ["authorization: bearer s3cret-canary", "x-scope-orgid: tenant", "accept: application/json", "gzip"] {
        assert!(head.contains(line), "{line} in {head}");
    }
    let budget = http.budget().unwrap();
    assert_eq!((budget.limit, budget.remaining), (960, 959));
    let left = budget.resets_at.signed_duration_since(now()).num_seconds();
    assert!((7..=8).contains(&left), "{left}");
    assert!(http.skew().is_some_and(|skew| (89..=91).contains(&skew.0)), "{:?}", http.skew());
    assert_ne!(http.skew(), Some(ChronoSeconds(0)));
}

#[tokio::test]
async fn every_refusal_has_its_class_its_words_and_what_may_be_done() {
    use Disposition::{GiveUp, NeedsLogin, RetryAfter};
    use FailureKind as Kind;
    let table = [
        (400, Kind::Refused, GiveUp, "it was refused (400 2001): Bad: why", "gives the same answer"),
        (401, Kind::Unauthorised, NeedsLogin, "the token is not accepted (401 2001)", "check the token"),
        (402, Kind::Forbidden, NeedsLogin, "lacks a feature this needs (402 2001)", "do without"),
        (403, Kind::Forbidden, NeedsLogin, "may not do this (403 2001)", "the permission"),
        (404, Kind::NotFound, GiveUp, "it is not there (404 2001)", "check the url and the id"),
        (408, Kind::Timeout, RetryAfter(None), "gave up waiting (408 2001)", "asked again"),
        (413, Kind::TooLarge, GiveUp, "too large (413 2001)", "fewer at once"),
        (422, Kind::Refused, GiveUp, "it was refused (422 2001)", "change what was asked"),
        (429, Kind::RateLimited, RetryAfter(None), "too many requests (429 2001)", "when the provider allows"),
        (500, Kind::ServerError, RetryAfter(None), "the server failed (500 2001)", "asked again"),
        (503, Kind::ServerError, RetryAfter(None), "the server failed (503 2001)", "asked again"),
    ];
    for (code, kind, disposition, cause, remedy) in table {
        let body = json!({"error": {"message": "Bad", "code": 2001, "errors": ["why"]}});
        let error = failure(status(code, body)).await;
        assert_eq!(error.disposition(), disposition, "{code}");
        let failure = error.into_failure("list open incidents of", "pagerduty");
        assert_eq!(failure.kind, kind, "{code}");
        assert!(failure.cause.as_str().contains(cause), "{code}: {}", failure.cause);
        assert!(failure.remedy.as_str().contains(remedy), "{code}: {}", failure.remedy);
        assert!(failure.to_string().starts_with("list open incidents of pagerduty failed: "), "{failure}");
    }
}

#[tokio::test]
async fn what_is_no_answer_has_its_words_too() {
    let page = "<!doctype html><title>Hotel WiFi login</title>";
    let table = [
        (with_head("HTTP/1.1 200 OK\r\ncontent-type: text/html", page), "web page instead of JSON"),
        (with_head("HTTP/1.1 511 X", page), "answered 511 with a web page"),
        (with_head("HTTP/1.1 502 X", page), "(502): a web page, \"Hotel WiFi login\""),
        (with_head("HTTP/1.1 200 OK", r#"{"a":[1,"#), "the JSON breaks off after 8 bytes"),
        (with_head("HTTP/1.1 200 OK", "  "), "its body is empty"),
        (with_head("HTTP/1.1 200 OK", "{'a'}"), "was not understood: key must be a string at line 1 column 2"),
        (Say::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"a\"".to_vec()), "broke off after 4 bytes"),
        (
            Say::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n".to_vec()),
            "broke off after 4",
        ),
        (Say::Raw(Vec::new()), "the connection broke off after 0 bytes"),
        (Say::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec()), "the answer stalled for 0.3 s"),
        (Say::Stall(Vec::new()), "no answer within 0.3 s"),
    ];
    for (say, cause) in table {
        let error = failure(say).await;
        assert!(matches!(error.disposition(), Disposition::RetryAfter(_)), "{cause}: {error:?}");
        let failure = error.into_failure("ask", "it");
        assert!(failure.cause.as_str().contains(cause), "{cause}: {failure}");
        assert!(!failure.remedy.as_str().is_empty());
    }
}

#[tokio::test]
async fn only_what_is_safe_is_repeated_and_only_within_patience() {
    let (answer, asked) = get(vec![status(503, "x"), ok(json!({"a": 1}))]).await;
    assert_eq!((answer.unwrap(), asked), (json!({"a": 1}), 2));
    let (answer, asked) = get(vec![Say::Raw(Vec::new()), ok(1)]).await;
    assert_eq!((answer.unwrap(), asked), (json!(1), 2));
    let (answer, asked) = get(vec![status(500, "x"), status(500, "x"), ok(1)]).await;
    assert_eq!((answer.unwrap_err().status(), asked), (Some(500), 2), "one retry, then it is the caller's");
    for no_retry in [status(401, "x"), status(404, "x"), with_head("HTTP/1.1 200 OK", "<p>")] {
        let (answer, asked) = get(vec![no_retry, ok(1)]).await;
        assert!(answer.is_err() && asked == 1);
    }
    let busy = "HTTP/1.1 429 X\r\nratelimit-limit: 960\r\nratelimit-remaining: 0\r\nratelimit-reset: 20";
    let (answer, asked) = get(vec![with_head(busy, ""), ok(1)]).await;
    let wait = Disposition::RetryAfter(Some(Duration::from_secs(20)));
    assert_eq!((answer.unwrap_err().disposition(), asked), (wait, 1), "longer than our patience: the caller waits");
    let (answer, server) = ask(vec![status(429, "x"), ok(1)], &Call::get(["x"]).once()).await;
    assert!(answer.is_err() && server.asked().len() == 1);
}

#[tokio::test]
async fn a_change_whose_fate_is_unknown_is_never_repeated_and_says_so() {
    let cut = Say::Raw(b"HTTP/1.1 201 X\r\ncontent-length: 99\r\n\r\n{".to_vec());
    let late = Say::Stall(Vec::new());
    let table = [
        (cut, Disposition::Ambiguous),
        (late, Disposition::Ambiguous),
        (Say::Raw(Vec::new()), Disposition::Ambiguous),
        (status(500, "x"), Disposition::Ambiguous),
        (with_head("HTTP/1.1 502 X", "<p>"), Disposition::Ambiguous),
        (with_head("HTTP/1.1 200 OK", "<p>"), Disposition::Ambiguous),
        (status(429, "x"), Disposition::RetryAfter(None)),
        (status(400, "x"), Disposition::GiveUp),
        (status(401, "x"), Disposition::NeedsLogin),
        (with_head("HTTP/1.1 302 X\r\nlocation: /elsewhere", ""), Disposition::GiveUp),
    ];
    for (say, disposition) in table {
        let (answer, server) = ask(vec![say.clone(), ok(1)], &note()).await;
        let error = answer.unwrap_err();
        assert_eq!((error.disposition(), server.asked().len()), (disposition, 1), "{say:?}");
        let says = error.into_failure("note", "P1").cause;
        assert_eq!(says.as_str().contains("may have been done"), disposition == Disposition::Ambiguous, "{says}");
    }
}

#[tokio::test]
async fn nothing_was_sent_to_where_nobody_listens() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let http = Http::new(Settings::new(format!("http://{closed}").parse().unwrap(), edge())).unwrap();
    let error = http.json::<Value>(&note()).await.unwrap_err();
    assert_eq!((error.fault(), error.disposition()), (&Fault::ConnectionRefused, Disposition::RetryAfter(None)));
    assert_eq!(error.kind(), FailureKind::Unreachable);
    let http = Http::new(Settings::new("http://no-such-host.invalid/".parse().unwrap(), edge())).unwrap();
    let error = http.json::<Value>(&note()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::RetryAfter(None));
    let behind_proxy =
        ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(std::env::var_os).iter().any(Option::is_some);
    assert!(
        behind_proxy || matches!(error.fault(), Fault::Name(host) if host.as_str() == "no-such-host.invalid"),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_token_never_leaves_its_origin() {
    let elsewhere = Server::scripted(vec![ok(1)]).await;
    let to = format!("HTTP/1.1 302 X\r\nlocation: http://{}/login?next={SECRET}", elsewhere.address);
    let error = failure(with_head(&to, "")).await;
    assert_eq!(elsewhere.asked().len(), 0, "another port is another origin");
    let failure = error.into_failure("list", "am");
    assert!(failure.cause.as_str().ends_with(&format!("redirects to http://{}/login", elsewhere.address)), "{failure}");
    assert!(failure.remedy.as_str().contains("the token was not sent there"));

    let (answer, asked) = get(vec![with_head("HTTP/1.1 301 X\r\nlocation: /y", ""), ok(7)]).await;
    assert_eq!((answer.unwrap(), asked), (json!(7), 2), "within the origin it is followed");
    let round = with_head("HTTP/1.1 307 X\r\nlocation: /x", "");
    let (answer, asked) = get(vec![round; 9]).await;
    assert!(matches!(answer.unwrap_err().fault(), Fault::Elsewhere(_)) && asked == 6);
}

#[test]
fn a_token_over_plain_http_is_refused_except_on_loopback() {
    let made = |url: &str| Http::new(with_token(Settings::new(url.parse().unwrap(), edge())));
    for refused in ["http://10.0.0.1/", "http://am.example:9093", "http://localhost.example/", "http://[2001:db8::1]/"]
    {
        assert_eq!(made(refused).unwrap_err().fault(), &Fault::PlainToken, "{refused}");
    }
    for taken in ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "https://10.0.0.1/"] {
        made(taken).unwrap();
    }
    let bare = |url: &str| Http::new(Settings::new(url.parse().unwrap(), edge()));
    bare("http://am.example:9093").unwrap();
    let mut tenant = Settings::new("http://mimir.example".parse().unwrap(), edge());
    tenant.auth.plain.push(("X-Scope-OrgID".into(), "team-a".into()));
    Http::new(tenant).unwrap();
    assert!(matches!(bare("ftp://am.example/").unwrap_err().fault(), Fault::Address(_)));
    assert_eq!(bare("http://user:pw@am.example/").unwrap_err().fault(), &Fault::PlainToken, "a login is a secret too");
    let mut settings = Settings::new("https://am.example/".parse().unwrap(), edge());
    settings.ca_pem = Some(b"not a certificate".to_vec());
    assert!(matches!(Http::new(settings).unwrap_err().fault(), Fault::Address(_)));
}

#[tokio::test]
async fn no_secret_in_any_message_or_debug() {
    let echo = status(401, json!({"error": format!("bad token {SECRET} for Ym9iOnMzY3JldC1jYW5hcnk=")}));
    let server = Server::scripted(vec![echo.clone(), echo]).await;
    let mut settings = server.settings();
    settings.auth = Auth {
        credential: Credential::Basic("bob".into(), SECRET.into()),
        headers: vec![("x-key".into(), SECRET.into())],
        plain: Vec::new(),
    };
    assert!(!format!("{settings:?}").contains(SECRET));
    let http = Http::new(settings).unwrap();
    let error = http.json::<Value>(&Call::get(["x"])).await.unwrap_err();
    let mut url = server.url();
    url.set_username("bob").unwrap();
    url.set_password(Some(SECRET)).unwrap();
    let by_url = Http::new(Settings::new(url, edge())).unwrap();
    let _ = by_url.json::<Value>(&Call::get(["x"])).await;
    let sent = server.asked();
    for asked in &sent {
        assert!(asked.head.contains("Basic Ym9iOnMzY3JldC1jYW5hcnk="), "{}", asked.head);
    }
    for shown in [
        format!("{error} {error:?}"),
        format!("{http:?} {by_url:?} {}", by_url.shown_url()),
        error.into_failure("ask", http.shown_url()).to_string(),
    ] {
        assert!(!shown.contains(SECRET) && !shown.contains("Ym9i"), "{shown}");
    }
}

#[tokio::test]
async fn bodies_are_capped_after_decompression() {
    let bomb = std::iter::repeat_n(b' ', 300_000).collect::<Vec<_>>();
    for (head, body) in [("HTTP/1.1 200 OK", bomb.clone()), ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip", gzip(&bomb))]
    {
        let server = Server::scripted(vec![Say::Whole(head.to_owned(), body)]).await;
        let mut settings = server.settings();
        settings.caps = Caps { bulk: 400_000, rest: 100_000 };
        let http = Http::new(settings).unwrap();
        let error = http.fetch(&Call::get(["x"])).await.unwrap_err();
        assert_eq!(error.fault(), &Fault::TooLarge(100_000), "{head}");
    }
    let endless = Say::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551000\r\n\r\n{".to_vec());
    assert!(matches!(failure(endless).await.fault(), Fault::TooLarge(_)));
    let packed = Say::Whole("HTTP/1.1 200 OK\r\ncontent-encoding: gzip".to_owned(), gzip(b"{\"a\":1}"));
    assert_eq!(get(vec![packed]).await.0.unwrap(), json!({"a": 1}));
    let mut damaged = gzip(b"{\"a\":1}");
    damaged.truncate(20);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", damaged.len());
    let cut = failure(Say::Raw([head.as_bytes(), &damaged].concat())).await;
    assert!(matches!(cut.fault(), Fault::Cut(_) | Fault::Malformed(_)), "{cut:?}");
}

/// A gzip file of stored blocks: enough for a client to unpack, too simple to compress.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<&[u8]> = bytes.chunks(0xffff).collect();
    for (at, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        file.push(u8::from(at + 1 == blocks.len()));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(*block);
    }
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    file.extend((!sum).to_le_bytes());
    file.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    file
}

#[tokio::test]
async fn a_body_that_trickles_ends_at_the_limit_over_all() {
    let server = Server::answering(|_| Say::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec())).await;
    let mut settings = server.settings();
    settings.limits.idle = Duration::from_secs(60);
    settings.limits.total = Duration::from_millis(300);
    let http = Http::new(settings).unwrap();
    let error = http.fetch(&Call::get(["x"])).await.unwrap_err();
    assert_eq!(error.fault(), &Fault::Timeout(Stage::Total, Duration::from_millis(300)));
}
