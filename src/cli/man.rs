//! The manual: one page, or one a subcommand into a folder.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::{Args, exit};

/// Options of `man`.
#[derive(Clone, Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for every subcommand into this folder instead
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Prints the page, or writes all pages.
///
/// # Errors
/// When the folder or standard output cannot be written.
pub fn run(args: ManArgs) -> color_eyre::Result<i32> {
    match args.out {
        Some(folder) => {
            std::fs::create_dir_all(&folder)?;
            clap_mangen::generate_to(Args::command(), folder)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut page)?;
            super::print::out(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(exit::DONE)
}
