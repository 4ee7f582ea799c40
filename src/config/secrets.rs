//! Finding a secret where the configuration says it is. Each one found is a [`SecretString`], is learned by the
//! redactor, and never stands in a message. Blocking: call it off the async threads.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::files::Environment;
use super::model::{Config, Endpoint, HeaderValue, SecretSource};
use crate::domain::failure::{Failure, FailureKind};
use crate::text::Clean;
use crate::text::redact::SECRETS;

/// How long a command may take: an agent may have to ask the network, a person waits no longer.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Longest secret, in bytes; the longest in use are JSON web tokens of some kilobytes.
const MOST_BYTES: u64 = 16 * 1024;

/// Finds secrets. Holds no secret, only names.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    /// Variables that hold secrets: no command gets to see them.
    hidden: BTreeSet<String>,
    limit: Option<Duration>,
}

impl Finder {
    /// Knows which variables hold secrets, so that commands do not inherit them.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let hidden = sources(config)
            .into_iter()
            .filter_map(|source| match source {
                SecretSource::Env(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        Self { hidden, limit: None }
    }

    /// With another time limit for commands.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Finds one.
    ///
    /// # Errors
    /// One sentence of kind [`FailureKind::Config`]: which place, why not, what to do. Never the secret, never a
    /// command's output.
    pub fn find(&self, source: &SecretSource, environment: Environment<'_>) -> Result<SecretString, Failure> {
        let found = match source {
            SecretSource::Env(name) => environment(name).map(SecretString::from).ok_or_else(|| Trouble {
                cause: "it is not set".to_owned(),
                remedy: format!("export {name} before starting warroom"),
            }),
            SecretSource::File(path) => from_file(path),
            SecretSource::Command(words) => self.run(words),
            SecretSource::Keyring(service, user) => keyring::find(service, user),
        };
        let secret = found.and_then(first_line).map_err(|trouble| trouble.failure(source))?;
        SECRETS.learn(&secret);
        Ok(secret)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that runs a secret's command: argv, no shell, no secrets"
    )]
    fn run(&self, words: &[String]) -> Result<SecretString, Trouble> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(Trouble::new("it is empty", "name a program"));
        };
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        for name in &self.hidden {
            command.env_remove(name);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => Trouble::new("there is no such program", "install it or give its full path"),
            io::ErrorKind::PermissionDenied => Trouble::new("it may not be run", "make it executable: chmod +x"),
            _ => Trouble::new(&cause.to_string(), "try it in a shell"),
        })?;
        let limit = self.limit.unwrap_or(COMMAND_LIMIT);
        let told = Output::read(&mut child, limit);
        if told.is_none() {
            stop(&mut child);
        }
        let seconds = limit.as_secs_f32();
        let late = || Trouble {
            cause: format!("it did not end within {seconds} s"),
            remedy: "try it in a shell: it must answer without asking anything".to_owned(),
        };
        let Output { secret, status } = told.ok_or_else(late)?;
        if !status.success() {
            let code = status.code().map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
            return Err(Trouble { cause: format!("it ended with {code}"), remedy: "try it in a shell".to_owned() });
        }
        Ok(secret)
    }
}

/// Every place of a secret in the configuration.
#[must_use]
pub fn sources(config: &Config) -> Vec<&SecretSource> {
    fn of(endpoint: &Endpoint) -> impl Iterator<Item = &SecretSource> {
        let auth = &endpoint.auth;
        let headers = auth.headers.iter().filter_map(|(_, value)| match value {
            HeaderValue::Secret(source) => Some(source),
            HeaderValue::Plain(_) => None,
        });
        auth.bearer.iter().chain(auth.basic.iter().map(|(_, password)| password)).chain(headers)
    }
    let mut found: Vec<&SecretSource> = Vec::new();
    if let Some(pagerduty) = &config.pagerduty {
        found.extend(pagerduty.token.iter().chain(&pagerduty.routing_key));
    }
    found.extend(config.alertmanagers.iter().flat_map(|known| of(&known.endpoint)));
    found.extend(config.prometheus.iter().flat_map(|known| of(&known.endpoint)));
    if let Some(slack) = &config.slack {
        found.extend(slack.bot_token.iter().chain(&slack.app_token));
    }
    found.extend(config.ms_teams.iter().map(|teams| &teams.webhook_url));
    if let Some(super::model::StatusTarget::Hosted { token, .. }) = config.statuspage.as_ref().map(|page| &page.target)
    {
        found.extend(token);
    }
    found.extend(config.secrets.values());
    found
}

/// What a command said.
struct Output {
    secret: SecretString,
    status: std::process::ExitStatus,
}

impl Output {
    /// Waits for both, the end of the output and the end of the process; `None` when the time is over first.
    fn read(child: &mut std::process::Child, limit: Duration) -> Option<Self> {
        let until = Instant::now() + limit;
        let (sender, receiver) = mpsc::sync_channel(1);
        if let Some(stdout) = child.stdout.take() {
            // Ends with the pipe: at the latest when the group was killed.
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = stdout.take(MOST_BYTES + 1).read_to_end(&mut bytes);
                let _ = sender.send(secret_text(bytes));
            });
        }
        let secret = receiver.recv_timeout(limit).ok()?;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Self { secret, status });
            }
            if Instant::now() >= until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn stop(child: &mut std::process::Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // A wrapper script's children hold the pipe: the whole group goes.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn from_file(path: &Path) -> Result<SecretString, Trouble> {
    let shown = path.display();
    let file = File::open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => Trouble {
            cause: "there is no such file".to_owned(),
            remedy: format!("write the secret into it and run: chmod 600 {shown}"),
        },
        io::ErrorKind::PermissionDenied => Trouble {
            cause: "it may not be read".to_owned(),
            remedy: format!("make it yours: chown \"$USER\" {shown}"),
        },
        _ => Trouble::new(&cause.to_string(), "look at the disk"),
    })?;
    // Of the open file, not of the path: nobody can swap it in between.
    let about = file.metadata().map_err(|cause| Trouble::new(&cause.to_string(), "look at the disk"))?;
    if !about.is_file() {
        return Err(Trouble::new("it is not a file", "name a regular file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let mode = about.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Trouble {
                cause: format!("others can read or change it (mode {mode:03o})"),
                remedy: format!("run: chmod 600 {shown}"),
            });
        }
    }
    let mut bytes = Vec::new();
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    let secret = secret_text(bytes);
    read.map_err(|cause| Trouble::new(&cause.to_string(), "look at the disk"))?;
    Ok(secret)
}

/// Takes the bytes over and leaves none behind. What is not UTF-8 is no token: it becomes a text that is refused.
fn secret_text(bytes: Vec<u8>) -> SecretString {
    match String::from_utf8(bytes) {
        Ok(text) => SecretString::from(text),
        Err(cause) => {
            cause.into_bytes().zeroize();
            SecretString::from("\u{0}".to_owned())
        }
    }
}

/// The first line, which must be usable in a header.
fn first_line(whole: SecretString) -> Result<SecretString, Trouble> {
    let text = whole.expose_secret();
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err(Trouble::new("its first line is empty", "put the secret on the first line"));
    }
    if line.len() as u64 > MOST_BYTES {
        return Err(Trouble::new("its first line is longer than 16 KiB", "put only the secret there"));
    }
    if line.chars().any(char::is_control) {
        return Err(Trouble::new("it holds control characters", "put only the secret there, as plain text"));
    }
    Ok(SecretString::from(line))
}

struct Trouble {
    cause: String,
    remedy: String,
}

impl Trouble {
    fn new(cause: &str, remedy: &str) -> Self {
        Self { cause: cause.to_owned(), remedy: remedy.to_owned() }
    }

    fn failure(self, source: &SecretSource) -> Failure {
        let target = match source {
            SecretSource::Env(name) => format!("variable {name}"),
            SecretSource::File(path) => format!("file {}", path.display()),
            // Only the program: an argument may be secret itself.
            SecretSource::Command(words) => format!("command '{}'", words.first().map_or("", String::as_str)),
            SecretSource::Keyring(service, user) => format!("keyring entry '{service}' of '{user}'"),
        };
        Failure {
            kind: FailureKind::Config,
            what: Clean::new("reading the secret from"),
            target: Clean::new(target),
            cause: Clean::new(self.cause),
            remedy: Clean::new(self.remedy),
        }
    }
}

#[cfg(feature = "keyring")]
mod keyring {
    use secrecy::SecretString;

    use super::Trouble;

    /// Asks the OS. Without a session bus (over SSH, in a container) that is an error in words, not a hang.
    pub(super) fn find(service: &str, user: &str) -> Result<SecretString, Trouble> {
        let entry = ::keyring::Entry::new(service, user).and_then(|entry| entry.get_password());
        entry.map(SecretString::from).map_err(|cause| match cause {
            ::keyring::Error::NoEntry => {
                Trouble::new("there is no such entry", "store it with the OS's keyring program")
            }
            other => Trouble {
                cause: format!("the keyring does not answer here ({other})"),
                remedy: "over SSH or without a desktop session use { file = … } or { command = […] }".to_owned(),
            },
        })
    }
}

#[cfg(not(feature = "keyring"))]
mod keyring {
    use secrecy::SecretString;

    use super::Trouble;

    pub(super) fn find(_service: &str, _user: &str) -> Result<SecretString, Trouble> {
        Err(Trouble::new(
            "this build has no keyring support",
            "build with --features keyring, or use { command = [\"secret-tool\", \"lookup\", …] }",
        ))
    }
}

#[cfg(test)]
mod tests;
