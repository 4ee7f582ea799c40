//! A home folder of its own for each test, and a stub of a provider that answers one thing to everything.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A home folder with configuration and state; nothing of the real environment but `PATH`.
pub struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the binary left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new(config: &str) -> Self {
        let home = Self { folder: tempfile::tempdir().expect("a folder"), variables: Vec::new() };
        fs::create_dir_all(home.path("config/warroom")).expect("a folder");
        fs::write(home.config(), config).expect("a configuration");
        home
    }

    /// With a variable in the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn config(&self) -> PathBuf {
        self.path("config/warroom/config.toml")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.folder.path())
            .env("USER", "ana")
            .env("WARROOM_TIME_ZONE", "UTC")
            .env("COLUMNS", "100");
        command.env("XDG_CONFIG_HOME", self.path("config")).env("XDG_STATE_HOME", self.path("state"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Self::finish(self.command(arguments).spawn().expect("the binary starts"), None)
    }

    /// With lines on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the binary starts");
        Self::finish(child, Some(input))
    }

    pub fn finish(mut child: Child, input: Option<&str>) -> Ran {
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().expect("the binary ends");
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The text with what differs from run to run replaced.
    pub fn steady(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "HOME")
    }

    /// Every file below, with its bytes.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn below(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    below(&path, found);
                } else if let Ok(bytes) = fs::read(&path) {
                    found.push((path, bytes));
                }
            }
        }
        let mut found = Vec::new();
        below(self.folder.path(), &mut found);
        found
    }
}

/// A server that answers the same to every request and keeps what it was asked.
pub struct Stub {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub fn answering(status: &str, headers: &str, body: &str) -> Self {
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len());
        Self::raw(answer)
    }

    pub fn json(status: &str, body: &str) -> Self {
        Self::answering(status, "content-type: application/json\r\n", body)
    }

    /// These bytes, then the end of the connection.
    pub fn raw(answer: String) -> Self {
        Self::talking(move |_| Some(answer.clone()))
    }

    /// What `answer` says to a request; `None` says nothing and keeps the connection.
    pub fn talking(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut bytes = [0; 16 * 1024];
                    let read = stream.read(&mut bytes).unwrap_or(0);
                    let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    seen.lock().expect("no panic").push(request.clone());
                    match answer(&request) {
                        Some(answer) => drop(stream.write_all(answer.as_bytes())),
                        None => drop(stream.read(&mut bytes)),
                    }
                });
            }
        });
        Self { address, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}
