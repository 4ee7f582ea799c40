//! `runbook lint`.

use super::LintArgs;
use super::find::{all, one};
use crate::cli::desk::Desk;
use crate::cli::session::environment;
use crate::cli::{exit, print};
use crate::runbook::lint::{Known, Weight, lint};
use crate::runbook::{Runbook, builtin};

pub(super) fn run(desk: &Desk, args: &LintArgs) -> color_eyre::Result<i32> {
    let runbooks: Vec<Runbook> = if args.runbooks.is_empty() {
        all(desk).into_iter().filter(|runbook| runbook.is_native).collect()
    } else {
        let found = args.runbooks.iter().map(|wanted| one(desk, wanted).map(|(runbook, _)| runbook));
        found.collect::<color_eyre::Result<_>>()?
    };
    let path = environment("PATH").unwrap_or_default();
    let has_program = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let (mut wrong, mut found) = (false, 0);
    for runbook in &runbooks {
        let file = runbook.origin.as_str();
        let shipped = builtin::FILES.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned());
        let source = shipped.or_else(|| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let today = Some(desk.now().date_naive());
        let known = Known { source: &source, today, alerts: None, has_program: Some(&has_program) };
        for finding in lint(runbook, &known) {
            let (line, column) = finding.at;
            let word = finding.weight.word();
            let fix = if finding.fix.is_empty() { String::new() } else { format!("; {}", finding.fix) };
            print::out(&format!("{file}:{line}:{column}: {word}: {} [{}]{fix}\n", finding.message, finding.code))?;
            wrong |= finding.weight == Weight::Error;
            found += 1;
        }
    }
    print::tell(format!("{found} findings in {} runbooks", runbooks.len()));
    Ok(if wrong { exit::FAILED } else { exit::DONE })
}
