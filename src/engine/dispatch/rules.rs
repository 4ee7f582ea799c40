//! What a second send of each action would do, how it is known whether the first one was done, and what a person looks at
//! when that cannot be told. One row an action: an action of a new provider adds its row here.
//!
//! | action | a second send | read back before it | mark |
//! |---|---|---|---|
//! | acknowledge | restarts the timer, may take it from a colleague | the incident: acknowledged or resolved is done | – |
//! | resolve | the same state, a second resolution | the incident: resolved is done; its note by its mark | action id in the note |
//! | reopen | the same state | the incident: triggered is done | – |
//! | escalate | calls the level again | who it is assigned to: the absolute level's people is done | – |
//! | reassign | tells people again | who it is assigned to; a policy: which one runs | – |
//! | snooze | moves the end | when the snooze ends | – |
//! | merge | is refused | the merged one: where it went | – |
//! | note | a second note | the notes, for the mark | action id in the text |
//! | declare | a second incident that pages | incidents of the key | action id as `incident_key` |
//! | Events v2 (no token) | once resolved and raised anew, it would hit the new alert | cannot be read back: it stops at unknown | `dedup_key` |
//! | silence | a second silence | the cluster's silences, for the mark | action id in the comment |
//! | end a silence | is refused | the silence: expired is done | – |
//! | tick | nothing: it stays in this room | – | – |

use super::carry;
use crate::domain::action::{Action, Assignee, Intent};
use crate::sources::pagerduty::marker;

/// What a person looks at to know whether it was done.
pub(crate) fn look_at(intent: &Intent) -> String {
    let target = carry::target(intent);
    match &intent.action {
        Action::Acknowledge => format!("look at {target} in PagerDuty: is it acknowledged, and by whom?"),
        Action::Resolve { .. } => format!("look at {target} in PagerDuty: is it resolved?"),
        Action::Trigger => format!("look at {target} in PagerDuty: is it triggered again?"),
        Action::Escalate { level, to } => {
            let names: Vec<&str> = to.iter().map(crate::text::Clean::as_str).collect();
            let whom = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            format!("look at {target} in PagerDuty: is it with level {level}{whom}?")
        }
        Action::Reassign { to: Assignee::Users(users) } => {
            let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
            format!("look at {target} in PagerDuty: is it with {}?", names.join(", "))
        }
        Action::Reassign { to: Assignee::Policy(policy) } => {
            format!("look at {target} in PagerDuty: does policy {} run?", policy.name)
        }
        Action::Snooze { .. } => format!("look at {target} in PagerDuty: is it snoozed, and until when?"),
        Action::Merge { source } => format!("look at {source} in PagerDuty: was it merged into {target}?"),
        Action::Note { .. } => {
            format!("look at the notes of {target} in PagerDuty: does one end in {}?", marker(intent.op))
        }
        Action::Declare(declaration) => {
            let service = &declaration.service.name;
            format!("look at the incidents of {service} in PagerDuty: is there one with the key {}?", intent.op)
        }
        Action::Silence(silencing) => {
            let cluster = &silencing.cluster;
            format!("look at the silences of {cluster}: is there one whose comment ends in {}?", marker(intent.op))
        }
        Action::Unsilence { cluster, id } => format!("look at the silences of {cluster}: is {id} expired?"),
        Action::Tick { .. } | Action::Role { .. } => format!("look at {target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::undo;
    use crate::domain::id::OpIds;
    use crate::engine::testing::{at, intent, pager_id};
    use crate::text::Untrusted;

    #[test]
    fn each_action_says_what_to_look_at_and_a_note_names_its_mark() {
        let mut ids = OpIds::new(1);
        let mut told = std::collections::BTreeSet::new();
        for action in [
            Action::Acknowledge,
            Action::Resolve { resolution: None },
            Action::Trigger,
            Action::Escalate { level: 2, to: vec![crate::text::Clean::new("Ana")] },
            Action::Merge { source: pager_id("P2") },
            Action::Note { text: Untrusted::from("x") },
            Action::Silence(crate::domain::action::Silencing {
                cluster: crate::domain::id::SourceId::parse("P1").unwrap(),
                matchers: Vec::new(),
                span: crate::domain::source::ChronoSeconds(60),
                comment: Untrusted::from("x"),
            }),
        ] {
            let intent = intent(&mut ids, "P1", action, at(0));
            let look = look_at(&intent);
            assert!(look.contains("P1") && look.ends_with('?'), "{look}");
            if matches!(intent.action, Action::Note { .. } | Action::Silence(_)) {
                assert!(look.contains(&intent.op.to_string()), "{look}");
            }
            assert!(told.insert(look));
        }
    }

    #[test]
    fn what_can_be_undone_is_undone_by_an_absolute_state() {
        assert_eq!(undo(&Action::Acknowledge), Some(Action::Trigger));
        assert_eq!(undo(&Action::Resolve { resolution: None }), Some(Action::Trigger));
        assert_eq!(undo(&Action::Merge { source: pager_id("P2") }), None);
    }
}
