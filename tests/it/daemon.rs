//! Real servers on loopback: started on a free port with a folder of their own, ended with the value.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to be ready on a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program by name, without anything on standard input.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// Runs a program to its end.
pub fn run(name: &str, package: &str, arguments: &[&str]) -> Output {
    let output = program(name).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{name} does not run ({error}); on Debian: apt-get install {package}"))
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// A client that goes to loopback directly.
pub fn client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client")
}

/// A server; ends with the value.
pub struct Daemon {
    child: Child,
    name: &'static str,
    /// Its address, without a slash at the end.
    pub url: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Daemon {
    /// Starts a server that will listen on `port`.
    pub fn start(name: &'static str, package: &str, port: u16, arguments: &[String]) -> Self {
        let child = program(name).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{name} does not run ({error}); on Debian: apt-get install {package}"));
        Self { child, name, url: format!("http://127.0.0.1:{port}") }
    }

    /// Waits until `/-/ready` says so.
    pub async fn ready(&self, client: &reqwest::Client) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(response) = client.get(format!("{}/-/ready", self.url)).send().await
                && response.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} was not ready within {PATIENCE:?}", self.name);
    }
}
