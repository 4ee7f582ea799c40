//! The rules that tie alerts and PagerDuty services to one service's name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::alert::Labels;
use super::super::incident::PagerIncident;
use crate::text::{Clean, glob};

/// `[[service]]`, as far as it tells what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRule {
    /// Its name.
    pub name: Clean,
    /// Every label must match its glob for an alert to belong here; no labels, no alerts.
    pub labels: BTreeMap<String, String>,
    /// PagerDuty service by id or name.
    pub pagerduty_service: Option<String>,
    /// Whether its alerts are one row.
    pub is_folded: bool,
}

/// Rules in order: the first that matches wins.
#[derive(Clone, Debug, Default)]
pub struct ServiceRules(Vec<Compiled>);

/// A rule with its name in the form in which names are compared.
#[derive(Clone, Debug)]
struct Compiled {
    rule: ServiceRule,
    key: Arc<str>,
}

/// A service an alert or incident belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceTie {
    /// Lower-case name: the same for both sides.
    pub key: Arc<str>,
    /// The name for people.
    pub name: Clean,
    /// Whether its alerts are one row.
    pub is_folded: bool,
}

impl ServiceRules {
    /// Takes the rules in order.
    #[must_use]
    pub fn new(rules: Vec<ServiceRule>) -> Self {
        Self(rules.into_iter().map(|rule| Compiled { key: compared(rule.name.as_str()), rule }).collect())
    }

    /// The service of an alert: by rule, else its `service` label.
    pub(crate) fn of_alert(&self, labels: &Labels) -> Option<ServiceTie> {
        let by_rule = self.0.iter().find(|compiled| {
            let holds = |(name, pattern): (&String, &String)| {
                labels.get(name).is_some_and(|value| glob_matches(pattern, value.expose()))
            };
            !compiled.rule.labels.is_empty() && compiled.rule.labels.iter().all(holds)
        });
        by_rule.map(Compiled::tie).or_else(|| {
            let name = labels.get("service").filter(|name| !name.is_empty())?;
            Some(ServiceTie { key: compared(name.expose()), name: name.clean(), is_folded: false })
        })
    }

    /// The service of a PagerDuty incident: by rule (id or name), else PagerDuty's name.
    pub(crate) fn of_record(&self, record: &PagerIncident) -> Option<ServiceTie> {
        let service = record.service.as_ref()?;
        let by_rule = self.0.iter().find(|compiled| {
            let names =
                |wanted: &String| wanted == service.id.as_str() || wanted.eq_ignore_ascii_case(service.name.as_str());
            compiled.rule.pagerduty_service.as_ref().is_some_and(names)
        });
        let by_name =
            || ServiceTie { key: compared(service.name.as_str()), name: service.name.clone(), is_folded: false };
        Some(by_rule.map_or_else(by_name, Compiled::tie))
    }
}

impl Compiled {
    fn tie(&self) -> ServiceTie {
        ServiceTie { key: Arc::clone(&self.key), name: self.rule.name.clone(), is_folded: self.rule.is_folded }
    }
}

fn compared(name: &str) -> Arc<str> {
    name.trim().to_lowercase().into()
}

/// Most patterns are plain words, and every alert of a storm is asked: compare those without building anything.
fn glob_matches(pattern: &str, value: &str) -> bool {
    if pattern.contains(['*', '?']) { glob::matches(pattern, value) } else { pattern == value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::pager;

    #[test]
    fn first_rule_wins_and_both_sides_get_one_key() {
        let rule = |name: &str, pattern: &str, service: &str| ServiceRule {
            name: Clean::new(name),
            labels: BTreeMap::from([("job".to_owned(), pattern.to_owned())]),
            pagerduty_service: Some(service.to_owned()),
            is_folded: false,
        };
        let rules = ServiceRules::new(vec![rule("Checkout", "checkout-*", "PSVC"), rule("Rest", "*", "everything")]);
        let alert: Labels = [("job", "checkout-api"), ("service", "other")].into_iter().collect();
        let mut record = pager("P1");
        assert_eq!(rules.of_alert(&alert).expect("tied").name.as_str(), "Checkout");
        assert_eq!(rules.of_alert(&alert).map(|tie| tie.key), rules.of_record(&record).map(|tie| tie.key));
        record.service = None;
        assert_eq!(rules.of_record(&record), None);
        let unruled: Labels = [("service", "Search")].into_iter().collect();
        assert_eq!(&*rules.of_alert(&unruled).expect("by label").key, "search");
    }
}
