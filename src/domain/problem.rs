//! What is wrong with a file of ours: config, theme, keymap, dashboard, runbook.

/// Something wrong with a file of ours: shown in a banner, in the problems view and by `warroom check`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// The file, or "environment".
    pub file: String,
    /// 1-based line and column, where known.
    pub at: Option<(usize, usize)>,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to do, such as "did you mean 'theme'?".
    pub fix: String,
    /// Errors fall back to a default; warnings only tell.
    pub is_error: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at {
            Some((line, column)) => write!(out, "{}:{line}:{column}: ", self.file)?,
            None => write!(out, "{}: ", self.file)?,
        }
        write!(out, "{}", self.message)?;
        if !self.fix.is_empty() {
            write!(out, "; {}", self.fix)?;
        }
        Ok(())
    }
}
