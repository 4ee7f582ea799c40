//! `check`: every problem of configuration, theme, keymap, dashboards and runbooks. Asks no source, reads no secret.

use super::print::{self, Style, Tone, paint};
use super::{Session, exit, json};
use crate::config::files;
use crate::config::model::Config;
use crate::domain::problem::Problem;
use crate::text::Clean;

/// Options of `check`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CheckArgs {
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
}

#[derive(serde::Serialize)]
struct Checked {
    file: Option<String>,
    errors: usize,
    warnings: usize,
    problems: Vec<json::ProblemJson>,
}

/// Prints every problem; 2 when one is an error.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(session: &Session, args: &CheckArgs) -> color_eyre::Result<i32> {
    let loaded = session.load();
    let mut problems = loaded.problems;
    problems.extend(of_files(&loaded.config, session));
    let errors = problems.iter().filter(|problem| problem.is_error).count();
    let warnings = problems.len() - errors;
    let file = loaded.config.file.map(|file| file.display().to_string());
    if args.json {
        let problems = problems.iter().map(json::ProblemJson::of).collect();
        print::json(&Checked { file, errors, warnings, problems })?;
    } else {
        print::out(&words(&problems, file.as_deref(), errors, warnings, Style::of_stdout()))?;
    }
    Ok(if errors > 0 { exit::USAGE } else { exit::DONE })
}

/// Problems of everything but the configuration file itself, and of what it names.
#[must_use]
pub fn of_files(config: &Config, session: &Session) -> Vec<Problem> {
    let (_, mut problems) = files::theme(&config.room.theme, &session.places);
    problems.extend(files::keymap(&config.room.keymap, &session.places).1);
    for (kind, name) in files::other_files(config, &session.places) {
        problems.extend(match kind {
            files::Kind::Theme => files::theme(&name, &session.places).1,
            files::Kind::Keymap => files::keymap(&name, &session.places).1,
        });
    }
    let (dashboards, wrong) = files::dashboards(config);
    problems.extend(wrong);
    let (runbooks, wrong) = files::runbooks(config);
    problems.extend(wrong);
    for service in &config.services {
        if let Some(name) = &service.dashboard
            && !dashboards.iter().any(|dashboard| dashboard.name == *name)
        {
            let known: Vec<&str> = dashboards.iter().map(|dashboard| dashboard.name.as_str()).collect();
            problems.push(unknown(
                config,
                &format!("[[service]] '{}' names no dashboard: '{name}'", service.name),
                &known,
            ));
        }
        for id in
            service.runbooks.iter().filter(|id| !runbooks.iter().any(|runbook| runbook.id.as_str() == id.as_str()))
        {
            let known: Vec<&str> = runbooks.iter().map(|runbook| runbook.id.as_str()).collect();
            problems.push(unknown(config, &format!("[[service]] '{}' names no runbook: '{id}'", service.name), &known));
        }
    }
    problems
}

fn unknown(config: &Config, message: &str, known: &[&str]) -> Problem {
    let file = config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    let message = Clean::new(message).as_str().to_owned();
    Problem { file, at: None, message, fix: format!("known are {}", known.join(", ")), is_error: true }
}

fn words(problems: &[Problem], file: Option<&str>, errors: usize, warnings: usize, style: Style) -> String {
    let mut out = String::new();
    for problem in problems {
        let (word, tone) = if problem.is_error { ("error", Tone::Bad) } else { ("warning", Tone::Warning) };
        let line = Clean::new(problem.to_string());
        out.push_str(&format!("{}: {line}\n", paint(word, Some(tone), style.is_coloured)));
    }
    let file =
        file.map_or_else(|| "no configuration file, built-in values".to_owned(), |file| Clean::new(file).to_string());
    let counted = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    out.push_str(&format!("{file}: {}, {}\n", counted(errors, "error"), counted(warnings, "warning")));
    out
}
