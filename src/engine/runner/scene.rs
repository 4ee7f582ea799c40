//! What a step sees: its runbook, the incident as it is now, what was typed and captured so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::kit::Kit;
use crate::domain::id::StepId;
use crate::domain::run::{RunId, Situation};
use crate::runbook::Runbook;
use crate::runbook::bind::gate::{Allow, admit};
use crate::runbook::model::Param;
use crate::runbook::value::{Bound, Facts, Origin, StepResult, Trust, Values};
use crate::step::environment::environment;
use crate::text::Untrusted;

/// What a step sees. A copy: the run goes on while a step is looked at.
#[derive(Clone)]
pub(super) struct Scene {
    pub run: RunId,
    pub runbook: Arc<Runbook>,
    pub situation: Situation,
    /// What people typed.
    pub given: BTreeMap<String, Untrusted>,
    /// What steps captured: value and step.
    pub captured: BTreeMap<String, (String, String)>,
    /// How steps ended.
    pub steps: BTreeMap<String, StepResult>,
    /// Steps that run though their condition cannot be told.
    pub insisted: BTreeSet<StepId>,
}

impl Scene {
    /// The alert and the incident, as expressions read them.
    pub fn facts(&self) -> Facts {
        let names = ["id", "title", "service", "severity"];
        let fields = names.into_iter().filter_map(|name| Some((name.to_owned(), self.incident_field(name)?)));
        Facts {
            labels: self.situation.labels.clone(),
            annotations: self.situation.annotations.clone(),
            starts_at: None,
            is_resolved: self.situation.is_over,
            incident: fields.collect(),
            opened_at: None,
        }
    }

    /// A field of the incident.
    pub fn incident_field(&self, name: &str) -> Option<String> {
        let situation = &self.situation;
        match name {
            "id" => situation.incident.as_ref().map(ToString::to_string),
            "title" => situation.title.as_ref().map(|title| title.expose().to_owned()),
            "service" => situation.service.as_ref().map(ToString::to_string),
            "severity" => situation.severity.map(|severity| severity.word().to_owned()),
            _ => None,
        }
    }

    /// Where commands run: the person's own folder, for their kubeconfig and their scripts' relative paths.
    pub fn cwd(&self, kit: &Kit) -> PathBuf {
        let of = |name: &str| kit.setup.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let home = of("HOME").map(PathBuf::from).filter(|home| home.is_dir());
        home.unwrap_or_else(|| PathBuf::from("/"))
    }

    /// The environment of a command: allow-listed, with these values.
    pub fn environment(&self, kit: &Kit, values: &[(String, String)]) -> BTreeMap<String, String> {
        environment(kit.setup.environment.iter().cloned(), &[], values.iter().cloned())
    }

    /// What people typed, as the search takes it.
    pub fn overrides(&self) -> BTreeMap<String, String> {
        self.given.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
    }

    /// What steps captured, gated like everything from outside.
    pub fn captures(&self) -> Values {
        let gated = |name: &str, text: &str, step: &str| {
            let implied = Param::implied(name);
            let kind = self.runbook.param(name).map_or(&implied.kind, |param| &param.kind);
            let (value, unit) = admit(kind, text, Trust::Untrusted, Allow::default())?;
            let origin = Origin::Capture(step.to_owned());
            Ok(Bound { value, unit, origin, trust: Trust::Untrusted })
        };
        self.captured.iter().map(|(name, (text, step))| (name.clone(), gated(name, text, step))).collect()
    }
}
