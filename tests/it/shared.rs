//! Where the corpus of real and hostile material stands beside a checkout; a clone alone does without it.

use std::path::PathBuf;

/// The shared folder, or `None` after saying so.
pub fn folder() -> Option<PathBuf> {
    let path = std::env::var_os("WARROOM_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let there = path.is_dir();
    if !there {
        println!("shared corpus absent: not run");
    }
    there.then_some(path)
}

#[test]
fn hostile_runbooks_and_alerts_never_panic_the_readers() {
    let Some(folder) = folder() else { return };
    let mut read = 0;
    for entry in std::fs::read_dir(folder.join("corpus/hostile")).expect("the corpus has this folder").flatten() {
        let bytes = std::fs::read(entry.path()).expect("a corpus file can be read");
        for name in ["x.md", "x.yaml"] {
            let _ = warroom::runbook::read(name, &bytes);
        }
        read += 1;
    }
    assert!(read >= 20, "{read} hostile files");
}

/// What a fenced block's lines are, found without the reader under test: typed after a prompt, or shown below one.
fn typed_and_shown(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut typed, mut shown) = (Vec::new(), Vec::new());
    let mut block: Option<Vec<&str>> = None;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            match block.take() {
                None => block = Some(Vec::new()),
                Some(lines) => {
                    let has_prompt = lines.iter().any(|line| line.trim_start().starts_with("$ "));
                    let mut goes_on = false;
                    for line in lines {
                        let body = line.trim().strip_prefix("$ ");
                        if body.is_some() || !has_prompt || goes_on {
                            typed.push(body.unwrap_or(line.trim()).to_owned());
                        } else {
                            shown.push(line.trim().to_owned());
                        }
                        // A loop, a here-document or a continuation goes on without a prompt.
                        goes_on = line.ends_with('\\')
                            || line.contains("<<")
                            || line.ends_with("do")
                            || (goes_on && !line.trim().is_empty());
                    }
                }
            }
        } else if let Some(lines) = &mut block {
            lines.push(line);
        }
    }
    (typed, shown)
}

#[test]
fn every_real_runbook_loads_and_offers_only_local_commands() {
    use warroom::runbook::{Work, shell, template};
    let Some(folder) = folder() else { return };
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("corpus/runbooks"))
        .expect("the corpus")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    println!(
        "{:72} {:>5} {:>8} {:>7} {:>8} {:>7} {:>9} {:>6}",
        "file", "steps", "commands", "prompts", "sessions", "queries", "copy-only", "sample"
    );
    let mut files = 0;
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name == "SOURCES.md" {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(path).expect("a corpus file can be read");
        let (runbooks, problems) = warroom::runbook::read(&name, text.as_bytes());
        assert_eq!(problems, Vec::new(), "{name}");
        let runbook = &runbooks[0];
        assert!(!runbook.is_native && !runbook.steps.is_empty(), "{name}");
        let (typed, shown) = typed_and_shown(&text);
        let (mut prompts, mut commands, mut sample) = (0, 0, 0);
        for step in &runbook.steps {
            assert!(step.line >= 1 && step.line <= text.lines().count(), "{name}: {}", step.id);
            sample += step.sample_output.len();
            let Work::Automated { command } = &step.work else { continue };
            commands += 1;
            println!("    $ {}", command.replace('\n', "\n      "));
            let first = command.lines().next().unwrap_or_default().trim();
            assert!(
                !shown.iter().any(|line| line == first) || typed.iter().any(|line| line == first),
                "{name}: output offered: {first}"
            );
            assert!(!shell::is_promql(command), "{name}: PromQL offered: {command}");
            assert!(!shell::enters_remote(command), "{name}: a remote shell offered: {command}");
            let template = template::foreign(command).unwrap_or_else(|| panic!("{name}: no shell: {command}"));
            prompts += template.holes().count();
            // Braces are nobody's holes here: what is filled in stands in place of `<x>`, `$X`, `XXXX`, `[x]` alone.
            assert_eq!(template.fill(|hole| hole.written.clone()), *command, "{name}");
            for hole in template.holes() {
                assert!(!hole.written.starts_with('{'), "{name}: {}", hole.written);
            }
        }
        let count = |wanted: fn(&Work) -> bool| runbook.steps.iter().filter(|step| wanted(&step.work)).count();
        println!(
            "{name:72} {:>5} {commands:>8} {prompts:>7} {:>8} {:>7} {:>9} {sample:>6}",
            runbook.steps.len(),
            count(|work| matches!(work, Work::Session { .. })),
            count(|work| matches!(work, Work::Query { .. })),
            count(|work| matches!(work, Work::CopyOnly { .. })),
        );
    }
    assert_eq!(files, 16);
}
