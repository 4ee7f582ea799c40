//! The simulated Prometheus's alerting rules: what is pending and firing. The stories say when a condition holds; the
//! ruler keeps the `for` time as Prometheus does.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::agenda::Agenda;
use super::metrics::LabelSet;
use crate::domain::time::Timestamp;

/// An alerting rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The rule group.
    pub group: String,
    /// Alert name.
    pub name: String,
    /// The PromQL expression.
    pub expr: String,
    /// `for`, seconds.
    pub hold_s: i64,
    /// Labels that the rule adds.
    pub labels: LabelSet,
    /// Annotations as templates.
    pub annotations: LabelSet,
}

/// Where an alert stands in Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    /// The condition holds, the `for` time is not over.
    Pending,
    /// It fires.
    Firing,
}

/// An active alert of a rule.
#[derive(Clone, Debug)]
pub struct RuleAlert {
    /// Index in [`Ruler::rules`].
    pub rule: usize,
    /// All its labels, `alertname` among them; without external labels.
    pub labels: LabelSet,
    /// Its annotations, expanded.
    pub annotations: LabelSet,
    /// Where it stands.
    pub state: RuleState,
    /// When the condition began to hold.
    pub active_at: Timestamp,
    /// When it began to fire.
    pub fired_at: Option<Timestamp>,
    /// The expression's value.
    pub value: f64,
}

/// All rules and what they say now.
#[derive(Clone, Debug, Default)]
pub struct Ruler {
    rules: Vec<Rule>,
    active: BTreeMap<LabelSet, RuleAlert>,
    due: Agenda<LabelSet>,
}

/// What changed, for Alertmanager.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleChange {
    /// Begins to fire.
    Fires(LabelSet),
    /// Fires no more.
    Ends(LabelSet),
}

impl Ruler {
    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Active alerts, in the order of their labels.
    pub fn active(&self) -> impl Iterator<Item = &RuleAlert> {
        self.active.values()
    }

    /// The active alert with these labels.
    pub fn get(&self, labels: &LabelSet) -> Option<&RuleAlert> {
        self.active.get(labels)
    }

    /// Active alerts of one rule.
    pub fn alerts_of(&self, rule: usize) -> impl Iterator<Item = &RuleAlert> {
        self.active.values().filter(move |alert| alert.rule == rule)
    }

    /// The rule with this name, added when it is new.
    pub fn add_rule(&mut self, rule: Rule) -> usize {
        if let Some(index) = self.rules.iter().position(|known| known.name == rule.name && known.labels == rule.labels)
        {
            return index;
        }
        self.rules.push(rule);
        self.rules.len() - 1
    }

    /// The condition of `rule` begins to hold for `labels`.
    pub fn begin(&mut self, rule: usize, labels: LabelSet, annotations: LabelSet, value: f64, now: Timestamp) {
        if self.active.contains_key(&labels) {
            return;
        }
        let hold = self.rules.get(rule).map_or(0, |rule| rule.hold_s);
        self.due.put(now + TimeDelta::seconds(hold), labels.clone());
        let state = RuleState::Pending;
        let alert =
            RuleAlert { rule, labels: labels.clone(), annotations, state, active_at: now, fired_at: None, value };
        self.active.insert(labels, alert);
    }

    /// The condition no longer holds for `labels`; answers the change when it was firing.
    pub fn end(&mut self, labels: &LabelSet) -> Option<RuleChange> {
        let alert = self.active.remove(labels)?;
        (alert.state == RuleState::Firing).then_some(RuleChange::Ends(alert.labels))
    }

    /// When the next pending alert fires.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.next()
    }

    /// Lets the alerts fire whose time has come.
    pub fn run(&mut self, now: Timestamp) -> Vec<RuleChange> {
        let mut changes = Vec::new();
        while let Some(labels) = self.due.take_due(now) {
            let Some(alert) = self.active.get_mut(&labels) else { continue };
            let hold = self.rules.get(alert.rule).map_or(0, |rule| rule.hold_s);
            if alert.state == RuleState::Pending && alert.active_at + TimeDelta::seconds(hold) <= now {
                alert.state = RuleState::Firing;
                alert.fired_at = Some(now);
                changes.push(RuleChange::Fires(labels));
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::label_set;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn ruler() -> Ruler {
        let mut ruler = Ruler::default();
        ruler.add_rule(Rule {
            group: "g".into(),
            name: "Down".into(),
            expr: "up == 0".into(),
            hold_s: 60,
            labels: LabelSet::new(),
            annotations: LabelSet::new(),
        });
        ruler
    }

    #[test]
    fn pending_until_the_hold_is_over() {
        let mut ruler = ruler();
        let labels = label_set([("alertname", "Down")]);
        ruler.begin(0, labels.clone(), LabelSet::new(), 0.0, at(0));
        assert_eq!(ruler.run(at(59)), vec![]);
        assert_eq!(ruler.get(&labels).unwrap().state, RuleState::Pending);
        assert_eq!(ruler.run(at(60)), vec![RuleChange::Fires(labels.clone())]);
        assert_eq!(ruler.end(&labels), Some(RuleChange::Ends(labels)));
    }

    #[test]
    fn a_condition_that_goes_away_in_time_never_fires() {
        let mut ruler = ruler();
        let labels = label_set([("alertname", "Down")]);
        ruler.begin(0, labels.clone(), LabelSet::new(), 0.0, at(0));
        assert_eq!(ruler.end(&labels), None);
        ruler.begin(0, labels.clone(), LabelSet::new(), 0.0, at(30));
        assert_eq!(ruler.run(at(60)), vec![], "the first hold must not count for the second");
        assert_eq!(ruler.run(at(90)), vec![RuleChange::Fires(labels)]);
    }
}
