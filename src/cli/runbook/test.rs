//! `runbook test`: offline, from the file beside the runbook.

use std::path::{Path, PathBuf};

use super::TestArgs;
use crate::cli::exit::{self, Usage};
use crate::cli::print;
use crate::runbook::{self, testfile};
use crate::text::Clean;

pub(super) fn run(args: &TestArgs) -> color_eyre::Result<i32> {
    let (mut passed, mut failed) = (0, 0);
    for file in &args.files {
        let (tests, document) = pair(file)?;
        let text = std::fs::read_to_string(&tests)?;
        let (found, problems) = testfile::read(&tests.display().to_string(), &text);
        problems.iter().for_each(|problem| print::tell(problem.to_string()));
        failed += problems.iter().filter(|problem| problem.is_error).count();
        let read = runbook::document(&document.display().to_string(), &std::fs::read(&document)?);
        read.problems.iter().for_each(|problem| print::tell(problem.to_string()));
        let mut runbooks = read.runbooks;
        runbook::link(&mut runbooks, &[read.library]);
        for test in &found {
            let verdict = testfile::run(test, &runbooks);
            if verdict.passed() {
                passed += 1;
                print::out(&format!("ok      {}\n", Clean::new(&verdict.name)))?;
                continue;
            }
            failed += 1;
            print::out(&format!("FAILED  {}\n", Clean::new(&verdict.name)))?;
            for (line, words) in &verdict.wrong {
                print::out(&format!("        {}:{line}: {}\n", tests.display(), Clean::new(words)))?;
            }
        }
    }
    print::tell(format!("{passed} passed, {failed} failed"));
    Ok(if failed > 0 { exit::FAILED } else { exit::DONE })
}

/// The tests and the document that they are about, whichever was named.
fn pair(file: &Path) -> Result<(PathBuf, PathBuf), Usage> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = |name: String| file.with_file_name(name);
    if let Some(stem) = name.strip_suffix(".test.yaml") {
        let document = ["yaml", "yml", "md"].iter().map(|ending| beside(format!("{stem}.{ending}")));
        let document = document.into_iter().find(|path| path.is_file());
        let document =
            document.ok_or_else(|| Usage::new(format!("there is no runbook {stem}.yaml or .md beside {name}")))?;
        return Ok((file.to_owned(), document));
    }
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let tests = beside(format!("{stem}.test.yaml"));
    if tests.is_file() {
        return Ok((tests, file.to_owned()));
    }
    Err(Usage::new(format!("{} has no tests: write {stem}.test.yaml beside it", file.display())))
}
