//! A private PostgreSQL on loopback: made, started, killed and removed by the test that needs it, as a user without
//! rights, because `initdb` refuses root.

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// How long a server may take to start on a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with its own data.
pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    is_tls: bool,
    server: Option<Child>,
}

impl Cluster {
    /// Makes one and starts it.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that speaks TLS with this certificate and key, both PEM.
    pub async fn start_tls(certificate: &str, key: &str) -> Self {
        Self::start_with(Some((certificate, key))).await
    }

    async fn start_with(tls: Option<(&str, &str)>) -> Self {
        let bin = binaries().expect("PostgreSQL is installed (on Debian: apt-get install postgresql)");
        // A folder that the user without rights can reach, whatever TMPDIR says.
        let folder = tempfile::Builder::new().prefix("warroom-pg").tempdir_in("/tmp").expect("a folder");
        let user =
            geteuid().is_root().then(|| user("nobody").or_else(|| user("postgres")).expect("a user without rights"));
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("the folder can be given away");
        }
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
        let mut cluster = Self { folder, bin, user, port, is_tls: tls.is_some(), server: None };
        let made = cluster
            .command("initdb")
            .args(["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=trust", "--username=warroom", "-D"])
            .arg(cluster.data())
            .stdout(Stdio::null())
            .output()
            .expect("initdb starts");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        if let Some((certificate, key)) = tls {
            cluster.give("server.crt", certificate);
            cluster.give("server.key", key);
        }
        cluster.run().await;
        cluster
    }

    /// A file of the server's own, for nobody else.
    fn give(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, text).expect("the file can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode can be set");
        if let Some((uid, gid)) = self.user {
            chown(&path, Some(uid), Some(gid)).expect("the file can be given away");
        }
    }

    /// Starts the server again where it is stopped, and waits until it answers.
    pub async fn run(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            if self.server.is_none() {
                let log = std::fs::File::options().create(true).append(true).open(self.log()).expect("a log");
                let server = self
                    .command("postgres")
                    .arg("-D")
                    .arg(self.data())
                    .args(["-p", &self.port.to_string(), "-k", "", "-h", "127.0.0.1", "-c", "max_connections=60"])
                    .args(["-c", if self.is_tls { "ssl=on" } else { "ssl=off" }])
                    .stdout(Stdio::null())
                    .stderr(log)
                    .spawn()
                    .expect("postgres starts");
                self.server = Some(server);
            }
            if self.answers() {
                return;
            }
            assert!(Instant::now() < until, "PostgreSQL does not start:\n{}", self.told());
            // What a killed one left in shared memory must be gone first: then it ends at once and is started again.
            if self.server.as_mut().is_some_and(|server| server.try_wait().expect("it can be waited for").is_some()) {
                self.server = None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn answers(&self) -> bool {
        let asked = self
            .command("psql")
            .args(["-X", "-q", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "warroom", "-d", "postgres"])
            .args(["-c", "SELECT 1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// Kills the server as a power cut does, without a goodbye to anybody.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("it lives");
            server.wait().expect("it ends");
        }
    }

    /// Stops it (or lets it go on) in the middle of whatever it does; its backends too.
    pub fn signal(&self, signal: Signal) {
        let Some(server) = &self.server else { return };
        for pid in children(server.id()).into_iter().chain([server.id()]) {
            let pid = Pid::from_raw(i32::try_from(pid).expect("a process id")).expect("a process id");
            let _ = kill_process(pid, signal);
        }
    }

    /// A fresh database; its URL.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://warroom@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    /// What a statement answers, as psql prints it bare.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let asked = self
            .command("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "warroom"])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", statement])
            .output()
            .expect("psql starts");
        assert!(asked.status.success(), "{statement}: {}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8_lossy(&asked.stdout).trim().to_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir("/").env("LC_ALL", "C").env_remove("PGPASSWORD");
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn told(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        if let Some(mut server) = self.server.take() {
            // SIGQUIT ends its backends too.
            let pid = Pid::from_raw(i32::try_from(server.id()).unwrap_or(0));
            let _ = pid.map(|pid| kill_process(pid, Signal::QUIT));
            let _ = server.wait();
        }
    }
}

/// The processes that this one started.
fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("a process table").flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            after_name.split_whitespace().nth(1).and_then(|text| text.parse().ok()) == Some(parent)
        })
        .collect()
}

/// Where `initdb`, `postgres` and `psql` stand together.
fn binaries() -> Option<PathBuf> {
    let has_all = |folder: &Path| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).exists());
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.map(|told| PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    debian.sort();
    let known = ["/usr/local/bin", "/usr/local/pgsql/bin", "/usr/bin"].map(PathBuf::from);
    debian.into_iter().rev().chain(told).chain(known).find(|folder| has_all(folder))
}

fn user(name: &str) -> Option<(u32, u32)> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with(&format!("{name}:")))?;
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}
