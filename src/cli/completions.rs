//! Completion scripts.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Args, exit};

/// Options of `completions`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When standard output is closed.
pub fn run(args: &CompletionsArgs) -> color_eyre::Result<i32> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "warroom", &mut script);
    super::print::out(&String::from_utf8_lossy(&script))?;
    Ok(exit::DONE)
}
