//! The runbooks that ship with the program, their shared variables and their tests: `runbooks/` beside the sources.

/// File name and text of each.
pub const FILES: &[(&str, &str)] = &[
    ("variables.yaml", include_str!("../../runbooks/variables.yaml")),
    ("node.yaml", include_str!("../../runbooks/node.yaml")),
    ("kubernetes.yaml", include_str!("../../runbooks/kubernetes.yaml")),
    ("deploys.yaml", include_str!("../../runbooks/deploys.yaml")),
    ("database.yaml", include_str!("../../runbooks/database.yaml")),
    ("region-outage.md", include_str!("../../runbooks/region-outage.md")),
    ("certificate-expiry.md", include_str!("../../runbooks/certificate-expiry.md")),
    ("noisy-alert.md", include_str!("../../runbooks/noisy-alert.md")),
];

/// File name and text of their tests; `NAME.test.yaml` belongs to `NAME.yaml` or `NAME.md`.
pub const TESTS: &[(&str, &str)] = &[
    ("node.test.yaml", include_str!("../../runbooks/node.test.yaml")),
    ("kubernetes.test.yaml", include_str!("../../runbooks/kubernetes.test.yaml")),
    ("deploys.test.yaml", include_str!("../../runbooks/deploys.test.yaml")),
    ("database.test.yaml", include_str!("../../runbooks/database.test.yaml")),
    ("region-outage.test.yaml", include_str!("../../runbooks/region-outage.test.yaml")),
    ("certificate-expiry.test.yaml", include_str!("../../runbooks/certificate-expiry.test.yaml")),
    ("noisy-alert.test.yaml", include_str!("../../runbooks/noisy-alert.test.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::lint::{Known, lint};
    use crate::runbook::testfile;
    use crate::runbook::{Document, Runbook};

    fn documents() -> Vec<(&'static str, &'static str, Document)> {
        FILES.iter().map(|(file, text)| (*file, *text, crate::runbook::document(file, text.as_bytes()))).collect()
    }

    fn linked() -> Vec<Runbook> {
        let documents = documents();
        let libraries: Vec<_> = documents.iter().map(|(.., document)| document.library.clone()).collect();
        let mut runbooks: Vec<Runbook> = documents.into_iter().flat_map(|(.., document)| document.runbooks).collect();
        assert_eq!(crate::runbook::link(&mut runbooks, &libraries), Vec::new());
        runbooks
    }

    #[test]
    fn every_shipped_runbook_loads_without_a_problem() {
        let mut ids = std::collections::BTreeSet::new();
        for (file, _, document) in documents() {
            assert_eq!(document.problems, Vec::new(), "{file}");
            for runbook in document.runbooks {
                assert!(runbook.steps.len() >= 4, "{file}: {} has too few steps to be of help", runbook.id);
                assert!(!runbook.triggers.is_empty(), "{file}: {} matches nothing", runbook.id);
                assert!(runbook.is_native && runbook.owner.is_some() && runbook.severity.is_some(), "{}", runbook.id);
                assert!(ids.insert(runbook.id.clone()), "{} twice", runbook.id);
            }
        }
        assert!(ids.len() >= 10, "{}", ids.len());
    }

    #[test]
    fn every_shipped_runbook_lints_clean() {
        for runbook in linked() {
            let source = FILES.iter().find(|(file, _)| *file == runbook.origin.as_str()).map_or("", |(_, text)| text);
            let findings = lint(&runbook, &Known { source, ..Known::default() });
            assert!(findings.is_empty(), "{}: {findings:#?}", runbook.id);
        }
    }

    #[test]
    fn every_shipped_runbook_passes_its_tests_and_has_one() {
        let runbooks = linked();
        let mut tested = std::collections::BTreeSet::new();
        for (file, text) in TESTS {
            let (tests, problems) = testfile::read(file, text);
            assert_eq!(problems, Vec::new(), "{file}");
            let stem = file.trim_end_matches(".test.yaml");
            let own: Vec<Runbook> = runbooks
                .iter()
                .filter(|runbook| crate::runbook::stem(runbook.origin.as_str()) == stem)
                .cloned()
                .collect();
            for test in &tests {
                let verdict = testfile::run(test, &own);
                assert_eq!(verdict.wrong, [], "{file}: {}: {:#?}", verdict.name, verdict.happened);
                let id = if test.runbook.is_empty() { own[0].id.as_str() } else { test.runbook.as_str() };
                tested.insert(id.to_owned());
            }
        }
        let untested: Vec<_> = runbooks.iter().filter(|runbook| !tested.contains(runbook.id.as_str())).collect();
        assert!(untested.is_empty(), "{untested:?}");
    }
}
