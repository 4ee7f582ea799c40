//! What `init` writes: a short commented file that `warroom check` finds nothing wrong with.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use url::Url;

use crate::cli::logs::private_folder;
use crate::config::defaults;
use crate::config::model::{PagerDutyConfig, SecretSource};

/// What was answered.
#[derive(Default)]
pub(super) struct Answers {
    pub operator: String,
    pub ca_file: Option<PathBuf>,
    pub pagerduty: Option<PagerDutyConfig>,
    /// With the name of the first instance of its cluster.
    pub alertmanagers: Vec<(Url, String)>,
    pub prometheus: Vec<Url>,
}

impl Answers {
    pub fn is_empty(&self) -> bool {
        self.pagerduty.is_none() && self.alertmanagers.is_empty() && self.prometheus.is_empty()
    }

    /// Where PagerDuty's token is.
    pub fn token(&self) -> Option<&SecretSource> {
        self.pagerduty.as_ref()?.token.as_ref()
    }

    /// The file.
    pub fn render(&self) -> String {
        let mut out = String::from(
            "# Written by 'warroom init'. Every other key, with its default: docs/config.example.toml.\n\
             # After a change: warroom check (mistakes, with line and fix), warroom doctor (tries every source).\n\n[room]\n",
        );
        let _ = writeln!(out, "# Who acts, in notes and in the journal.\noperator = {}", quoted(&self.operator));
        out.push_str("# dark, light, high-contrast, colour-blind, mono\n#theme = \"dark\"\n# default, vim, emacs\n#keymap = \"default\"\n");
        if let Some(pagerduty) = &self.pagerduty {
            self.pagerduty(pagerduty, &mut out);
        }
        for (at, (url, cluster)) in self.alertmanagers.iter().enumerate() {
            let name = format!("alertmanager-{}", at + 1);
            let _ = write!(out, "\n[[alertmanager]]\nname = {}\nurl = {}\n", quoted(&name), quoted(url.as_str()));
            out.push_str("# Replicas of one cluster share this name: their alerts are folded.\n");
            if *cluster == name {
                out.push_str("#cluster = \"main\"\n");
            } else {
                let _ = writeln!(out, "cluster = {}", quoted(cluster));
            }
            self.ca(&mut out);
        }
        for (at, url) in self.prometheus.iter().enumerate() {
            let _ = write!(out, "\n[[prometheus]]\nname = \"prometheus-{}\"\nurl = {}\n", at + 1, quoted(url.as_str()));
            self.ca(&mut out);
        }
        out.push_str(
            "\n# Ties alerts, PagerDuty, panels and runbooks of one service together; as many as you have.\n\
             #[[service]]\n#name = \"checkout\"\n#matches = { labels = { service = \"checkout\" }, pagerduty = \"Checkout\" }\n\
             #dashboard = \"service\"\n",
        );
        out
    }

    fn pagerduty(&self, config: &PagerDutyConfig, out: &mut String) {
        out.push_str("\n[pagerduty]\n");
        if config.endpoint.url.as_str().trim_end_matches('/') != defaults::PAGERDUTY_URL {
            let _ = writeln!(out, "url = {}", quoted(config.endpoint.url.as_str()));
        }
        match &config.token {
            Some(SecretSource::Env(name)) => {
                let _ = writeln!(out, "token = {{ env = {} }}", quoted(name));
            }
            Some(SecretSource::File(path)) => {
                let _ = writeln!(out, "token = {{ file = {} }}", quoted(&path.display().to_string()));
            }
            _ => {}
        }
        if let Some(from) = &config.from {
            let _ = writeln!(out, "# For whom an account's token acts.\nfrom = {}", quoted(from));
        }
        out.push_str("# Only these, by id: teams = [\"PTEAM01\"], services = [\"PSVC001\"]\n");
        self.ca(out);
    }

    fn ca(&self, out: &mut String) {
        if let Some(file) = &self.ca_file {
            let _ = writeln!(out, "ca_file = {}", quoted(&file.display().to_string()));
        }
    }
}

/// As a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Writes the configuration; an old one is kept beside it.
///
/// # Errors
/// When folder or file cannot be written.
pub(super) fn config(path: &Path, text: &str, is_forced: bool) -> io::Result<()> {
    if is_forced && path.exists() {
        let mut old = path.as_os_str().to_owned();
        old.push(".old");
        std::fs::rename(path, old)?;
    }
    private(path, text)
}

/// Writes a new file that only we can read, in a folder that is made for us when it is not there.
///
/// # Errors
/// When it cannot be written.
pub(super) fn private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder)?;
    }
    // A new file beside it, then a rename: never half a file, never through somebody's link.
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".new-{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::files::Places;
    use crate::config::{defaults, load};

    #[test]
    fn what_is_written_is_sound_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers {
            operator: "Ana \"the fox\" \\ Ö".to_owned(),
            ca_file: Some("/etc/ssl/ca.pem".into()),
            alertmanagers: [("http://localhost:9093", 1), ("https://am/x", 1), ("https://other/", 3)]
                .map(|(url, first)| (Url::parse(url).unwrap(), format!("alertmanager-{first}")))
                .into(),
            prometheus: vec![Url::parse("http://localhost:9090").unwrap()],
            pagerduty: None,
        };
        let path = folder.path().join("deep/config.toml");
        config(&path, &answers.render(), false).unwrap();
        let nothing = |_: &str| None;
        let places = Places { config: "/c".into(), state: "/s".into() };
        let mut loaded = defaults::config(&places, &nothing);
        let problems = load::over(&mut loaded, &path, &std::fs::read(&path).unwrap(), &nothing);
        assert_eq!(problems, Vec::new());
        assert_eq!(loaded.room.operator.as_str(), "Ana \"the fox\" \\ Ö");
        assert_eq!((loaded.alertmanagers.len(), loaded.prometheus.len()), (3, 1));
        let clusters: Vec<&str> = loaded.alertmanagers.iter().map(|instance| instance.cluster.as_str()).collect();
        assert_eq!(clusters, ["alertmanager-1", "alertmanager-1", "alertmanager-3"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        }
        config(&path, "new", true).unwrap();
        assert!(path.with_file_name("config.toml.old").exists());
    }
}
