//! What a fault script does to an answer on its way out.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use futures_util::stream;
use tower::ServiceExt;

use super::faults::{Draw, Fault};
use super::pagerduty;
use super::providers::provider_of;
use super::server::Sim;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut by the fault script")]
pub(super) struct Severed;

/// Answers a request as the script in force wants it answered.
pub(super) async fn answer(sim: Arc<Sim>, router: Router, request: Request<Body>) -> Result<Response<Body>, Severed> {
    let provider = provider_of(request.uri().path()).to_owned();
    let draw = if provider == "_sim" { Draw::default() } else { sim.faults().draw(&provider) };
    if !draw.delay.is_zero() {
        tokio::time::sleep(draw.delay).await;
    }
    let mut response = match draw.fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset) => return Err(Severed),
        Some(Fault::Status(status)) => refusal(&provider, status),
        Some(Fault::Html) => html(502),
        Some(Fault::HtmlOk) => html(200),
        Some(Fault::Empty) => plain(200, String::new()),
        _ => router.oneshot(request).await.unwrap_or_else(|never| match never {}),
    };
    let date = sim.clock().now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    match draw.fault {
        Some(Fault::Lost) => Err(Severed),
        Some(fault @ (Fault::Truncate | Fault::Cut | Fault::Oversize)) => Ok(spoil(response, fault).await),
        _ => Ok(response),
    }
}

/// The error body that this provider would send with this status.
fn refusal(provider: &str, status: u16) -> Response<Body> {
    let text = match (provider, status) {
        ("pagerduty", 429) => String::from_utf8_lossy(&pagerduty::rate_limited().body).into_owned(),
        ("pagerduty", _) => format!(
            "{{\"error\":{{\"message\":\"An internal error has occurred\",\"code\":{}}}}}",
            if status == 403 { 2010 } else { 2000 }
        ),
        ("events", 429) => {
            "{\"status\":\"throttle exceeded\",\"message\":\"Requests for this service are arriving too quickly\"}"
                .to_owned()
        }
        ("prometheus", 503) => {
            "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out in expression evaluation\"}"
                .to_owned()
        }
        ("prometheus", _) => "{\"status\":\"error\",\"errorType\":\"internal\",\"error\":\"fault script\"}".to_owned(),
        ("alertmanager" | "alertmanager-2", _) => "\"fault script\"".to_owned(),
        _ => "{\"message\":\"fault script\"}".to_owned(),
    };
    let mut response = plain(status, text);
    if (provider, status) == ("pagerduty", 429) {
        for (name, value) in [("ratelimit-limit", "960"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "5")] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn plain(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn html(status: u16) -> Response<Body> {
    let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad \
                Gateway</h1></center><hr><center>nginx</center></body></html>\n";
    let mut response = plain(status, page.to_owned());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

async fn spoil(response: Response<Body>, fault: Fault) -> Response<Body> {
    const WHOLE: usize = 256 << 20;
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, WHOLE).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    let half = bytes.slice(..bytes.len() / 2);
    let body = match fault {
        Fault::Truncate => {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            Body::from_stream(stream::iter([Ok(half), Err(std::io::Error::other(Severed))]))
        }
        Fault::Cut => Body::from(half),
        _ => {
            let blanks = bytes::Bytes::from_static(&[b' '; 65_536]);
            let tail = (0..1024).map(move |_| Ok::<_, std::io::Error>(blanks.clone()));
            Body::from_stream(stream::iter(std::iter::once(Ok(bytes)).chain(tail)))
        }
    };
    Response::from_parts(parts, body)
}
