//! A server on loopback that answers by script, byte for byte: also what no well-behaved framework would send.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use super::http::{Edge, Settings};
use crate::domain::time::Timestamp;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `GET /incidents?limit=100`.
    pub line: String,
    /// The head, lower-case names.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Asked {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// Whether the line has all of these words, percent-encoding undone.
    pub fn has(&self, words: &[&str]) -> bool {
        let line = self.line.replace("%5B", "[").replace("%5D", "]").replace("%3A", ":");
        words.iter().all(|word| line.contains(word))
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// Head lines (status line first, without length) and body; the length is added.
    Whole(String, Vec<u8>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes, then nothing more, for ever.
    Stall(Vec<u8>),
}

/// 200 with JSON.
pub(crate) fn ok(body: impl Into<Value>) -> Say {
    status(200, body)
}

/// A status with JSON.
pub(crate) fn status(code: u16, body: impl Into<Value>) -> Say {
    Say::Whole(format!("HTTP/1.1 {code} X\r\ncontent-type: application/json"), body.into().to_string().into_bytes())
}

/// A head and a text.
pub(crate) fn with_head(head: &str, body: &str) -> Say {
    Say::Whole(head.to_owned(), body.as_bytes().to_vec())
}

/// A server on loopback.
pub(crate) struct Server {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers the first request with the first script, and so on; after the last one every request gets a 418.
    pub async fn scripted(script: Vec<Say>) -> Self {
        let script = Mutex::new(VecDeque::from(script));
        let next = move |_: &Asked| script.lock().unwrap().pop_front().unwrap_or_else(|| status(418, "script is over"));
        Self::answering(next).await
    }

    /// Answers each request by what it asks.
    pub async fn answering(answer: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let answer = Arc::new(answer);
        let serve = async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                let exchange = async move {
                    let _ = talk(stream, &*answer, &seen).await;
                };
                #[expect(clippy::disallowed_methods, reason = "a test's server has no supervisor")]
                tokio::spawn(exchange);
            }
        };
        #[expect(clippy::disallowed_methods, reason = "a test's server has no supervisor")]
        let task = tokio::spawn(serve);
        Self { address, asked, task }
    }

    /// Its address.
    pub fn url(&self) -> Url {
        format!("http://{}/", self.address).parse().unwrap()
    }

    /// Settings for it.
    pub fn settings(&self) -> Settings {
        Settings::new(self.url(), edge())
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A fixed clock, and no jitter: retries come at once.
pub(crate) fn edge() -> Edge {
    Edge { now: Arc::new(now), random: Arc::new(|| 0) }
}

/// The instant at which every test takes place.
pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

async fn talk(
    mut stream: TcpStream,
    answer: &(impl Fn(&Asked) -> Say + Send + Sync),
    seen: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    loop {
        let Some(asked) = read_request(&mut stream).await? else { return Ok(()) };
        let say = answer(&asked);
        seen.lock().unwrap().push(asked);
        match say {
            Say::Whole(head, body) => {
                let head = format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).await?;
                // The client may have read enough.
                if stream.write_all(&body).await.is_err() {
                    return Ok(());
                }
            }
            Say::Raw(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Say::Stall(bytes) => {
                stream.write_all(&bytes).await?;
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().to_owned()))
        .map_or(0, |value| value.parse().unwrap());
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Some(Asked { line, head, body }))
}

/// Limits that end within a test.
pub(crate) fn hurried(mut settings: Settings) -> Settings {
    settings.limits.answer = Duration::from_millis(300);
    settings.limits.idle = Duration::from_millis(300);
    settings.limits.total = Duration::from_millis(2_000);
    settings
}

/// The folder of real and hostile material, or `None` after saying that it is not there.
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared"));
    let folder = std::env::var_os("WARROOM_SHARED").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("shared corpus absent: not run");
    None
}
