//! From a socket to the simulated providers and back: reads requests, asks the provider by its prefix, keeps the log of
//! what had an effect.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::alertmanager::{self, Replica};
use super::control;
use super::events;
use super::http::{Ask, Reply};
use super::pagerduty::{self, Limiter};
use super::prometheus;
use super::server::Sim;

/// Largest request body.
const MAX_BODY: usize = 64 << 20;

/// Everything that is served.
pub(super) fn router(sim: &Arc<Sim>) -> Router {
    let others = Router::new().fallback(serve).with_state(Arc::clone(sim));
    others.nest("/prometheus", prometheus::router(Arc::clone(sim)))
}

/// First segment of a path: the provider.
pub(super) fn provider_of(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

async fn serve(State(sim): State<Arc<Sim>>, request: Request) -> Response<Body> {
    let Some((provider, ask)) = read(&sim, request).await else {
        return respond(Reply::text(413, "Request Entity Too Large\n"));
    };
    // Off the async threads: the answer about a storm takes a while to prepare.
    let answered = tokio::task::spawn_blocking(move || answer(&sim, &provider, &ask)).await;
    respond(answered.unwrap_or_else(|_| Reply::text(500, "the simulator failed\n")))
}

fn answer(sim: &Sim, provider: &str, ask: &Ask) -> Reply {
    let now_ms = sim.clock().real_ms();
    let events_url = format!("{}/events", sim.base_url());
    let reply = match provider {
        "pagerduty" => rate_limited(sim, ask, now_ms),
        "events" => events::answer(sim.world().pager_mut(), &mut sim.event_limiter(), now_ms, ask),
        "alertmanager" => alertmanager::answer(&mut sim.world(), &mut sim.prepared(), Replica::First, &events_url, ask),
        "alertmanager-2" => {
            alertmanager::answer(&mut sim.world(), &mut sim.prepared(), Replica::Second, &events_url, ask)
        }
        "_sim" => return control::answer(sim, ask),
        _ => Reply::text(
            404,
            "warroom's simulator serves /pagerduty, /events, /alertmanager, /alertmanager-2 and /prometheus\n",
        ),
    };
    if !matches!(ask.method.as_str(), "GET" | "HEAD") {
        sim.log_effect(provider, ask, reply.status);
    }
    sim.count(provider);
    reply
}

fn rate_limited(sim: &Sim, ask: &Ask, now_ms: i64) -> Reply {
    let budget = sim.limiter().take(pagerduty::token(ask).unwrap_or_default(), now_ms);
    let mut reply = if budget.remaining.is_some() {
        pagerduty::answer(sim.world().pager_mut(), ask)
    } else {
        pagerduty::rate_limited()
    };
    reply.headers.extend(Limiter::headers(budget));
    let id = super::dice::hex_digest(&format!("{}{now_ms}", ask.path), 32);
    reply.with_header("x-request-id", id)
}

async fn read(sim: &Sim, request: Request) -> Option<(String, Ask)> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let provider = provider_of(parts.uri.path()).to_owned();
    let below = target.trim_start_matches('/').get(provider.len()..).filter(|rest| !rest.is_empty()).unwrap_or("/");
    let mut ask = Ask::new(parts.method.as_str(), below);
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            ask.headers.push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    // Links go to the address by which the asker knows this server.
    let scheme = sim.base_url().split("://").next().unwrap_or("http");
    let host = ask.header("host").map_or_else(|| sim.base_url().to_owned(), |host| format!("{scheme}://{host}"));
    ask.base = format!("{host}/{provider}");
    ask.body = to_bytes(body, MAX_BODY).await.ok()?.to_vec();
    Some((provider, ask))
}

fn respond(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(kind) = reply.content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
