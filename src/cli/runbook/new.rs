//! `runbook new` and `runbook fmt`.

use super::find::{incident, one};
use super::{FmtArgs, Form, NewArgs};
use crate::cli::desk::Desk;
use crate::cli::{exit, print};
use crate::domain::alert::Labels;
use crate::domain::severity::Severity;
use crate::runbook::write::{self, New};

/// Response and escalation where the configuration names none.
const SOON: std::time::Duration = std::time::Duration::from_secs(15 * 60);

pub(super) async fn run(desk: &Desk, args: &NewArgs) -> color_eyre::Result<i32> {
    let is_incident = args.alert.contains([':', '/']) || args.alert.trim_start_matches('#').parse::<u64>().is_ok();
    let (labels, annotations, severity) = if is_incident {
        let (room, incident) = incident(desk, &args.alert, args.timeout).await?;
        let first = room.alerts_of(&incident.id).next();
        let labels = first.map_or_else(|| room.common_labels(&incident.id), |alert| alert.labels.clone());
        let annotations = first.map(|alert| alert.annotations.clone()).unwrap_or_default();
        (labels, annotations, incident.assessment.severity)
    } else {
        ([("alertname", args.alert.as_str())].into_iter().collect(), Labels::default(), Severity::Medium)
    };
    let policy = desk.config.severities.get(&severity);
    let response = policy.and_then(|policy| policy.response.to_std().ok()).unwrap_or(SOON);
    let new = New {
        labels: &labels,
        annotations: &annotations,
        severity,
        respond_within: response,
        escalate_after: response * 2,
    };
    print::out(&write::template(&new))?;
    Ok(exit::DONE)
}

pub(super) fn format(desk: &Desk, args: &FmtArgs) -> color_eyre::Result<i32> {
    let (runbook, _) = one(desk, &args.runbook)?;
    print::out(&match args.to {
        Form::Yaml => write::yaml(&runbook),
        Form::Md => write::markdown(&runbook),
    })?;
    Ok(exit::DONE)
}
