//! The Prometheus HTTP API over what the world has scraped; answers, errors and status codes are those of 2.42.
//!
//! [`answer`] is a function from a request to a reply, so that everything is tested without a socket; [`router`] puts it
//! behind axum.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::http::{Ask, Reply};
use super::metrics::Metrics;
use super::promql::{ErrorKind, QueryError};
use super::ruler::Ruler;
use super::server::Sim;
use super::world::World;

mod catalog;
mod params;
mod query;
mod state;

/// Largest request body that is read.
const MAX_BODY: usize = 1 << 20;
/// No query may take longer, whatever `timeout` says: the whole world waits for it.
const LONGEST: Duration = Duration::from_secs(20);

/// What the API answers from.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What was scraped.
    pub metrics: &'a Metrics,
    /// Rules and active alerts.
    pub ruler: &'a Ruler,
    /// The world's time in milliseconds.
    pub now_ms: i64,
    /// Since when the world exists, milliseconds.
    pub since_ms: i64,
    /// Address of the simulator, without a slash at the end.
    pub base_url: &'a str,
}

impl<'a> Scene<'a> {
    /// The scene of a world.
    #[must_use]
    pub fn of(world: &'a World, base_url: &'a str) -> Self {
        let since = world.options().start - world.options().history;
        Self {
            metrics: world.metrics(),
            ruler: world.ruler(),
            now_ms: world.now().timestamp_millis(),
            since_ms: since.timestamp_millis(),
            base_url,
        }
    }
}

/// Everything below `/prometheus`.
pub fn router(sim: Arc<Sim>) -> Router {
    Router::new().fallback(serve).with_state(sim)
}

async fn serve(State(sim): State<Arc<Sim>>, request: Request) -> Response<Body> {
    let ask = read(request).await;
    // Off the async threads: a heavy query must not hold up the other providers' sockets.
    let answered = tokio::task::spawn_blocking(move || {
        let world = sim.world();
        answer(&Scene::of(&world, sim.base_url()), &ask)
    });
    let reply = answered.await.unwrap_or_else(|_| error(500, "internal", "the evaluation failed"));
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(kind) = reply.content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn read(request: Request) -> Ask {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut ask = Ask::new(parts.method.as_str(), target);
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            ask = ask.with_header(name.as_str(), value);
        }
    }
    let body: Bytes = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    ask.body = body.to_vec();
    ask
}

/// The reply to a request.
#[must_use]
pub fn answer(scene: &Scene<'_>, ask: &Ask) -> Reply {
    let segments = ask.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let form = params::Form::of(ask);
    let (is_get, is_post) = (ask.method == "GET" || ask.method == "HEAD", ask.method == "POST");
    match path.as_slice() {
        ["-", "ready"] => Reply::text(200, "Prometheus Server is Ready.\n"),
        ["-", "healthy"] => Reply::text(200, "Prometheus Server is Healthy.\n"),
        [] | ["graph"] => Reply::text(200, "This is a simulated Prometheus; ask /api/v1/query.\n"),
        ["api", "v1", rest @ ..] => {
            let both = is_get || is_post;
            let reply = match rest {
                ["query"] if both => query::instant(scene, &form, Instant::now()),
                ["query_range"] if both => query::range(scene, &form, Instant::now()),
                ["query_exemplars"] if both => query::exemplars(scene, &form),
                ["format_query"] if both => query::format(&form),
                ["series"] if both => catalog::series(scene, &form),
                ["labels"] if both => catalog::labels(scene, &form),
                ["label", name, "values"] if is_get => catalog::values(scene, name, &form),
                ["metadata"] if is_get => Ok(catalog::metadata(scene, &form)),
                ["targets"] if is_get => Ok(state::targets(scene, &form)),
                ["scrape_pools"] if is_get => Ok(state::scrape_pools(scene)),
                ["rules"] if is_get => state::rules(scene, &form),
                ["alerts"] if is_get => Ok(state::alerts(scene)),
                ["alertmanagers"] if is_get => Ok(state::alertmanagers(scene)),
                ["status", what] if is_get => match state::status(scene, what) {
                    Some(data) => Ok(data),
                    None => return not_found(),
                },
                _ if both => return not_found(),
                _ => return Reply::text(405, "Method Not Allowed\n"),
            };
            reply.unwrap_or_else(|wrong| refused(&wrong))
        }
        _ => not_found(),
    }
}

fn not_found() -> Reply {
    Reply::text(404, "404 page not found\n")
}

fn success(data: &Value) -> Reply {
    Reply::json(200, &json!({"status": "success", "data": data}))
}

fn refused(wrong: &QueryError) -> Reply {
    match wrong.kind {
        ErrorKind::BadData => error(400, "bad_data", &wrong.message),
        ErrorKind::Execution => error(422, "execution", &wrong.message),
        ErrorKind::Timeout => error(503, "timeout", &wrong.message),
    }
}

fn error(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"status": "error", "errorType": kind, "error": message}))
}

#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod tests;
