//! Error hooks, arguments, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use warroom::cli::{self, Args};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(report) = cli::crash::install() {
        return cli::exit::refused(&report);
    }
    if let Some(code) = cli::step::supervised() {
        return cli::exit::code(code);
    }
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::exit::refused(&error.into()),
    };
    let code = match runtime.block_on(cli::run(args)) {
        Ok(code) => cli::exit::code(code),
        Err(report) => cli::exit::refused(&report),
    };
    // A command that hangs in a blocking read must not keep the terminal.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    code
}
