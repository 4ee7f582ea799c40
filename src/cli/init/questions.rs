//! The questions of `init`, one line each; at the end of input every answer is nothing.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use super::is_set;
use crate::cli::ask;
use crate::cli::exit::Usage;
use crate::cli::print;
use crate::config::model::SecretSource;
use crate::text::redact::SECRETS;

/// Where a secret is, and the secret itself when it was typed.
pub(super) struct Asked {
    pub source: SecretSource,
    pub typed: Option<SecretString>,
}

pub(super) async fn text(question: &str, default: Option<&str>) -> color_eyre::Result<String> {
    let brackets = default.map(|default| format!(" [{default}]")).unwrap_or_default();
    let answer = ask::line(&format!("{question}{brackets}: ")).await?.unwrap_or_default();
    let answer = answer.trim();
    Ok(if answer.is_empty() { default.unwrap_or_default() } else { answer }.to_owned())
}

pub(super) async fn url(question: &str, default: &str) -> color_eyre::Result<Url> {
    loop {
        let answer = text(question, Some(default)).await?;
        if let Some(url) = parse(&answer)? {
            return Ok(url);
        }
    }
}

pub(super) async fn optional_url(question: &str) -> color_eyre::Result<Option<Url>> {
    loop {
        let answer = text(question, None).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        if let Some(url) = parse(&answer)? {
            return Ok(Some(url));
        }
    }
}

/// `None` asks again; without a terminal a wrong answer ends it.
fn parse(answer: &str) -> Result<Option<Url>, Usage> {
    let with_scheme = if answer.contains("://") { answer.to_owned() } else { format!("http://{answer}") };
    let url =
        Url::parse(&with_scheme).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    let is_plain = url.as_ref().is_none_or(|url| url.username().is_empty() && url.password().is_none());
    match url {
        Some(url) if is_plain => Ok(Some(url)),
        _ => {
            let sentence = "that is not an address: write it as http://host:9090, without user and password";
            if ask::is_possible() {
                print::tell(sentence);
                return Ok(None);
            }
            Err(Usage::new(sentence))
        }
    }
}

/// A variable, a file, or the token itself, which is then kept in `file`.
pub(super) async fn secret(question: &str, file: &Path) -> color_eyre::Result<Option<Asked>> {
    loop {
        let answer = hidden_line(&format!("{question}: ")).await?.unwrap_or_default();
        let answer = answer.trim();
        if answer.is_empty() {
            return Ok(None);
        }
        if let Some(name) = answer.strip_prefix('$') {
            if is_set(name) {
                return Ok(Some(Asked { source: SecretSource::Env(name.to_owned()), typed: None }));
            }
            let sentence = format!("the variable {name} is not set here: export it first");
            if !ask::is_possible() {
                return Err(Usage::new(sentence).into());
            }
            print::tell(sentence);
            continue;
        }
        if answer.starts_with(['/', '~', '.']) {
            return Ok(Some(Asked { source: SecretSource::File(std::path::absolute(home(answer))?), typed: None }));
        }
        let typed = SecretString::from(answer);
        SECRETS.learn(&typed);
        return Ok(Some(Asked { source: SecretSource::File(file.to_path_buf()), typed: Some(typed) }));
    }
}

fn home(path: &str) -> PathBuf {
    crate::config::files::expand(path, Path::new("."), &crate::cli::session::environment)
}

/// A line that the terminal does not show.
async fn hidden_line(question: &str) -> color_eyre::Result<Option<String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return ask::line(question).await;
    }
    let _quiet = Quiet::begin();
    let answer = ask::line(question).await;
    print::note("");
    answer
}

/// The terminal's echo, off until this is dropped.
struct Quiet(Option<rustix::termios::Termios>);

impl Quiet {
    fn begin() -> Self {
        let before = rustix::termios::tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Flush, &silent);
        }
        Self(before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Flush, before);
        }
    }
}
