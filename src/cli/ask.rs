//! Questions at the terminal. Without one nothing is asked: the caller must have been told by a flag.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::exit::Usage;
use crate::text::Clean;

/// True when somebody can be asked: questions go to standard error, answers come from standard input.
#[must_use]
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows what will happen and asks. `Ok(false)` when the answer is not yes.
///
/// # Errors
/// [`Usage`] when nobody can be asked and `is_sure` is not set.
pub async fn confirm(what: &[Clean], is_sure: bool) -> color_eyre::Result<bool> {
    if is_sure {
        return Ok(true);
    }
    if !is_possible() {
        let what = what.iter().map(Clean::as_str).collect::<Vec<_>>().join("; ");
        return Err(Usage::new(format!("this would {what}; nobody can be asked here: give --yes to do it")).into());
    }
    for line in what {
        let _ = writeln!(io::stderr(), "  {line}");
    }
    let answer = line("Do this? [y/N] ").await?;
    Ok(matches!(answer.as_deref().map(str::trim), Some("y" | "Y" | "yes" | "Yes")))
}

/// Asks for a line; `None` at the end of input.
///
/// # Errors
/// When standard input cannot be read.
pub async fn line(question: &str) -> color_eyre::Result<Option<String>> {
    let question = question.to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer)?;
        Ok::<_, io::Error>((read > 0).then(|| answer.trim_end_matches(['\r', '\n']).to_owned()))
    });
    Ok(asked.await??)
}
