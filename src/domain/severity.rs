//! The four severities, their clocks and response modes, and the rules by which an incident gets one.

use std::collections::BTreeMap;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::incident::{Assessment, PagerIncident, Priority, Urgency};
use crate::text::{Clean, UntrustedStr};

/// How bad it is. Ordered: `Critical` is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Minimal impact.
    Low,
    /// Minor function impaired, single service degraded.
    Medium,
    /// Major function impaired, degraded by more than half.
    High,
    /// Complete outage, data loss, security breach.
    Critical,
}

impl Severity {
    /// All four, worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word on screen, in configs and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// One cell that tells it without colour; four different outlines.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Critical => "■",
            Self::High => "▲",
            Self::Medium => "◆",
            Self::Low => "○",
        }
    }

    /// The severity of that word, in any case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word().eq_ignore_ascii_case(word))
    }

    /// Position in lists: 0 = worst.
    #[must_use]
    pub fn rank(self) -> usize {
        Self::Critical as usize - self as usize
    }

    /// What a position in PagerDuty's list of priorities means (apis.md 1).
    #[must_use]
    pub fn of_rank(rank: usize) -> Self {
        match rank {
            0 => Self::Critical,
            1 => Self::High,
            2 => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// What the mode of a severity is called and does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// Everybody in one room.
    WarRoom,
    /// The on-call and whom they call.
    Standard,
    /// In working hours.
    Normal,
}

/// When a severity escalates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscalateAfter {
    /// At once.
    Now,
    /// After so long.
    Span(Duration),
    /// On the next business day.
    NextBusinessDay,
}

/// `[severity.NAME]`.
#[derive(Clone, Debug)]
pub struct SeverityPolicy {
    /// What it means.
    pub description: Clean,
    /// Examples, shown where a person chooses one.
    pub examples: Vec<Clean>,
    /// Time to respond.
    pub response: Duration,
    /// When it escalates.
    pub escalate: EscalateAfter,
    /// How people work on it.
    pub mode: ResponseMode,
    /// Whether a review must follow.
    pub review_required: bool,
    /// Priority names that mean it; they beat the rank in the account's list.
    pub priorities: Vec<String>,
    /// Values of the `severity` label that mean it, lower case.
    pub labels: Vec<String>,
}

impl SeverityPolicy {
    /// What a room without configuration uses (DESIGN.md, "Severity defaults"; labels: apis.md 1). No priority names:
    /// accounts name theirs as they like, the rank tells.
    #[must_use]
    pub fn builtin(severity: Severity) -> Self {
        let (description, examples, response, escalate, mode, labels): (_, _, _, _, _, &[&str]) = match severity {
            Severity::Critical => (
                "Complete outage, data loss or security breach",
                ["Nobody can check out", "Database lost writes", "Credentials leaked"],
                Duration::minutes(5),
                EscalateAfter::Now,
                ResponseMode::WarRoom,
                &["critical", "page", "p1", "sev1", "emergency", "fatal"],
            ),
            Severity::High => (
                "Major function impaired, or degraded by more than half",
                ["Payments fail for one provider", "Error rate above 50 %", "One region is down"],
                Duration::minutes(15),
                EscalateAfter::Span(Duration::minutes(30)),
                ResponseMode::Standard,
                &["high", "error", "major", "p2", "sev2"],
            ),
            Severity::Medium => (
                "Minor function impaired, single service degraded",
                ["Search is slow", "E-mails arrive late", "One replica lags"],
                Duration::hours(1),
                EscalateAfter::Span(Duration::hours(4)),
                ResponseMode::Normal,
                &["medium", "warning", "warn", "minor", "p3", "sev3"],
            ),
            Severity::Low => (
                "Minimal impact",
                ["A certificate expires in a month", "A disk fills slowly", "A typo on a page"],
                Duration::hours(4),
                EscalateAfter::NextBusinessDay,
                ResponseMode::Normal,
                &["low", "info", "information", "notice", "p4", "p5", "sev4"],
            ),
        };
        Self {
            description: Clean::new(description),
            examples: examples.into_iter().map(Clean::new).collect(),
            response,
            escalate,
            mode,
            review_required: severity >= Severity::High,
            priorities: Vec::new(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        }
    }
}

/// What a `severity` label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelVerdict {
    /// It names a severity.
    Is(Severity),
    /// `none`: a heartbeat such as Watchdog, no incident; its absence is the fault.
    Heartbeat,
    /// No label, or a word nobody configured.
    Unknown,
}

/// All four policies: the rules by which an incident gets its severity and its clocks.
#[derive(Clone, Debug)]
pub struct SeverityRules {
    policies: BTreeMap<Severity, SeverityPolicy>,
}

impl Default for SeverityRules {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}

impl SeverityRules {
    /// The built-in policy stands in for a missing one.
    #[must_use]
    pub fn new(mut policies: BTreeMap<Severity, SeverityPolicy>) -> Self {
        for severity in Severity::ALL {
            policies.entry(severity).or_insert_with(|| SeverityPolicy::builtin(severity));
        }
        Self { policies }
    }

    /// The policy of a severity.
    #[must_use]
    pub fn policy(&self, severity: Severity) -> Option<&SeverityPolicy> {
        self.policies.get(&severity)
    }

    /// Time to respond.
    #[must_use]
    pub fn response(&self, severity: Severity) -> Duration {
        self.policy(severity).map_or_else(|| Duration::minutes(15), |policy| policy.response)
    }

    /// What the value of a `severity` label says, in any case.
    #[must_use]
    pub fn of_label(&self, value: &str) -> LabelVerdict {
        let value = value.trim();
        let means = |severity: &Severity| {
            self.policy(*severity)
                .is_some_and(|policy| policy.labels.iter().any(|label| label.eq_ignore_ascii_case(value)))
        };
        match Severity::ALL.into_iter().find(means) {
            Some(severity) => LabelVerdict::Is(severity),
            None if value.eq_ignore_ascii_case("none") => LabelVerdict::Heartbeat,
            None => Severity::parse(value).map_or(LabelVerdict::Unknown, LabelVerdict::Is),
        }
    }

    /// What a priority means: by configured name, else by its rank in the account's list, else (that list could not be
    /// read) by the usual names.
    #[must_use]
    pub fn of_priority(&self, priority: &Priority, rank: Option<usize>) -> Option<Severity> {
        let name = priority.name.as_str().trim();
        let is_configured = |severity: &Severity| {
            self.policy(*severity)
                .is_some_and(|policy| policy.priorities.iter().any(|known| known.eq_ignore_ascii_case(name)))
        };
        Severity::ALL
            .into_iter()
            .find(is_configured)
            .or_else(|| priority.rank.or(rank).map(Severity::of_rank))
            .or_else(|| usual_rank(name).map(Severity::of_rank))
    }

    /// The severity of an incident and why, by the rules in order: priority, worst `severity` label of its alerts,
    /// urgency (which never makes it critical), else high. `rank` is the priority's place in the account's list.
    #[must_use]
    pub fn assess(&self, record: Option<&PagerIncident>, rank: Option<usize>, label: Option<Severity>) -> Assessment {
        let because = |severity: Severity, text: String| Assessment { severity, because: Clean::new(text) };
        if let Some(priority) = record.and_then(|record| record.priority.as_ref())
            && let Some(severity) = self.of_priority(priority, rank)
        {
            return because(severity, format!("PagerDuty priority {}", priority.name));
        }
        if let Some(severity) = label.max(record.and_then(|record| record.alert_severity)) {
            return because(severity, format!("worst severity label of its alerts is {}", severity.word()));
        }
        match record.map(|record| record.urgency) {
            Some(Urgency::High) => because(Severity::High, "urgency high, no priority and no severity label".into()),
            Some(Urgency::Low) => because(Severity::Low, "urgency low, no priority and no severity label".into()),
            None => because(Severity::High, "no priority, severity label or urgency tells".into()),
        }
    }
}

/// The rank that a usual name (`P1`, `SEV-2`, `Sev 3`) stands for.
fn usual_rank(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    let digits = name.strip_prefix("sev").or_else(|| name.strip_prefix('p'))?;
    let number: usize = digits.trim_start_matches(['-', ' ']).parse().ok()?;
    number.checked_sub(1)
}

/// The value of a `severity` label, if any; a name of its own because every rule about alerts begins with it.
#[must_use]
pub fn severity_label(labels: &super::alert::Labels) -> &str {
    labels.get("severity").map_or("", UntrustedStr::expose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::PriorityId;
    use crate::domain::testing::pager;

    #[test]
    fn labels_of_the_table() {
        let rules = SeverityRules::default();
        let table = [
            ("critical", LabelVerdict::Is(Severity::Critical)),
            ("PAGE", LabelVerdict::Is(Severity::Critical)),
            ("sev2", LabelVerdict::Is(Severity::High)),
            ("Warning", LabelVerdict::Is(Severity::Medium)),
            ("info", LabelVerdict::Is(Severity::Low)),
            ("none", LabelVerdict::Heartbeat),
            ("None", LabelVerdict::Heartbeat),
            ("", LabelVerdict::Unknown),
            ("purple", LabelVerdict::Unknown),
        ];
        for (value, expected) in table {
            assert_eq!(rules.of_label(value), expected, "{value:?}");
        }
    }

    #[test]
    fn rules_in_order_and_urgency_is_never_critical() {
        let rules = SeverityRules::default();
        let mut record = pager("P1");
        record.urgency = Urgency::High;
        assert_eq!(rules.assess(Some(&record), None, None).severity, Severity::High);
        assert_eq!(rules.assess(Some(&record), None, Some(Severity::Low)).severity, Severity::Low);
        record.urgency = Urgency::Low;
        assert_eq!(rules.assess(Some(&record), None, None).severity, Severity::Low);
        record.alert_severity = Some(Severity::Medium);
        assert_eq!(rules.assess(Some(&record), None, Some(Severity::Critical)).severity, Severity::Critical);
        let id = PriorityId::parse("PX").expect("an identity");
        record.priority = Some(Priority { id, name: Clean::new("Lava"), rank: Some(2) });
        assert_eq!(rules.assess(Some(&record), None, Some(Severity::Critical)).severity, Severity::Medium);
        assert_eq!(rules.assess(None, None, None).severity, Severity::High);
    }

    #[test]
    fn priorities_by_configured_name_then_rank_then_usual_name() {
        let mut policy = SeverityPolicy::builtin(Severity::Critical);
        policy.priorities = vec!["Lava".into()];
        let rules = SeverityRules::new(BTreeMap::from([(Severity::Critical, policy)]));
        let priority = |name: &str, rank| Priority {
            id: PriorityId::parse("PX").expect("an identity"),
            name: Clean::new(name),
            rank,
        };
        assert_eq!(rules.of_priority(&priority("lava", Some(4)), None), Some(Severity::Critical));
        assert_eq!(rules.of_priority(&priority("P1", Some(1)), None), Some(Severity::High), "the list beats the name");
        assert_eq!(rules.of_priority(&priority("SEV-3", None), None), Some(Severity::Medium));
        assert_eq!(rules.of_priority(&priority("Ice", None), Some(9)), Some(Severity::Low));
        assert_eq!(rules.of_priority(&priority("Ice", None), None), None);
    }
}
