//! Silences: their life and Alertmanager's error texts.

use chrono::TimeDelta;

use super::matcher::Matcher;
use crate::domain::time::Timestamp;

/// A silence.
#[derive(Clone, Debug)]
pub struct Silence {
    /// UUID.
    pub id: String,
    /// What it silences.
    pub matchers: Vec<Matcher>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// `pending`, `active` or `expired`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        if now >= self.ends_at {
            "expired"
        } else if now < self.starts_at {
            "pending"
        } else {
            "active"
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SilenceDraft {
    /// The silence to change.
    pub id: Option<String>,
    /// What it silences.
    pub matchers: Vec<Matcher>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who asks.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

/// All silences, oldest change first.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    all: Vec<Silence>,
}

/// A refusal: HTTP status and text.
pub type Refusal = (u16, String);

impl Silences {
    /// Every silence that Alertmanager still remembers.
    pub fn all(&self) -> &[Silence] {
        &self.all
    }

    /// One silence.
    pub fn get(&self, id: &str) -> Option<&Silence> {
        self.all.iter().find(|silence| silence.id == id)
    }

    /// The next instant at which a silence begins or ends.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.all.iter().flat_map(|silence| [silence.starts_at, silence.ends_at]).filter(|at| *at > now).min()
    }

    /// Makes or changes a silence; answers its id. `new_id` is used when a new one is needed.
    pub fn set(&mut self, draft: SilenceDraft, now: Timestamp, new_id: String) -> Result<String, Refusal> {
        let failed = |text: &str| Err((400, format!("Failed to create silence: {text}")));
        if draft.starts_at >= draft.ends_at {
            return failed("start time must be before end time");
        }
        if draft.ends_at < now {
            return failed("end time can't be in the past");
        }
        if draft.matchers.is_empty() {
            return Err((400, "silence invalid: at least one matcher required".to_owned()));
        }
        if draft.matchers.iter().all(|matcher| matcher.matches_value("")) {
            return Err((400, "silence invalid: at least one matcher must not match the empty string".to_owned()));
        }
        let starts_at = draft.starts_at.max(now);
        if let Some(id) = draft.id.as_deref().filter(|id| !id.is_empty()) {
            let Some(old) = self.all.iter_mut().find(|silence| silence.id == id) else {
                return Err((404, "silence not found".to_owned()));
            };
            let same =
                |a: &[Matcher], b: &[Matcher]| a.iter().map(ToString::to_string).eq(b.iter().map(ToString::to_string));
            let state = old.state(now);
            let keeps_id = state != "expired" && same(&old.matchers, &draft.matchers);
            let keeps_id = keeps_id && (state == "pending" || draft.starts_at.timestamp() <= old.starts_at.timestamp());
            if keeps_id {
                old.ends_at = draft.ends_at;
                old.updated_at = now;
                (old.created_by, old.comment) = (draft.created_by, draft.comment);
                return Ok(id.to_owned());
            }
            if state != "expired" {
                old.ends_at = now;
                old.updated_at = now;
            }
        }
        let SilenceDraft { matchers, ends_at, created_by, comment, .. } = draft;
        self.all.push(Silence {
            id: new_id.clone(),
            matchers,
            starts_at,
            ends_at,
            updated_at: now,
            created_by,
            comment,
        });
        Ok(new_id)
    }

    /// Ends a silence now. Ending an expired one is no error.
    pub fn expire(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let Some(silence) = self.all.iter_mut().find(|silence| silence.id == id) else {
            return Err((404, "silence not found".to_owned()));
        };
        if silence.state(now) != "expired" {
            silence.starts_at = silence.starts_at.min(now);
            silence.ends_at = now;
            silence.updated_at = now;
        }
        Ok(())
    }

    /// Forgets what expired more than five days ago, as Alertmanager's retention does.
    pub fn forget_old(&mut self, now: Timestamp) {
        self.all.retain(|silence| now - silence.ends_at < TimeDelta::days(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn draft(matcher: &str, from: i64, to: i64) -> SilenceDraft {
        SilenceDraft {
            id: None,
            matchers: vec![Matcher::parse(matcher).unwrap()],
            starts_at: at(from),
            ends_at: at(to),
            created_by: "ann".into(),
            comment: "INC-1".into(),
        }
    }

    #[test]
    fn refuses_as_alertmanager_does() {
        for (matcher, from, to, text) in [
            ("a=b", 100, 90, "Failed to create silence: start time must be before end time"),
            ("a=b", 10, 20, "Failed to create silence: end time can't be in the past"),
            ("a=~\".*\"", 100, 200, "silence invalid: at least one matcher must not match the empty string"),
            ("a=\"\"", 100, 200, "silence invalid: at least one matcher must not match the empty string"),
        ] {
            let refused = Silences::default().set(draft(matcher, from, to), at(50), "id".into());
            assert_eq!(refused, Err((400, text.to_owned())));
        }
    }

    #[test]
    fn extending_keeps_the_id_and_other_matchers_make_a_new_one() {
        let mut silences = Silences::default();
        assert_eq!(silences.set(draft("a=b", 100, 200), at(100), "one".into()), Ok("one".into()));
        let longer = SilenceDraft { id: Some("one".into()), ..draft("a=b", 100, 300) };
        assert_eq!(silences.set(longer, at(110), "two".into()), Ok("one".into()));
        let other = SilenceDraft { id: Some("one".into()), ..draft("a=c", 100, 300) };
        assert_eq!(silences.set(other, at(120), "three".into()), Ok("three".into()));
        assert_eq!(silences.get("one").unwrap().state(at(120)), "expired");
        let unknown = SilenceDraft { id: Some("nope".into()), ..draft("a=b", 100, 300) };
        assert_eq!(silences.set(unknown, at(120), "x".into()), Err((404, "silence not found".into())));
        assert_eq!(silences.expire("three", at(130)), Ok(()));
        assert_eq!(silences.expire("three", at(131)), Ok(()));
        assert_eq!(silences.get("three").unwrap().ends_at, at(130));
    }
}
