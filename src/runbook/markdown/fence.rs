//! What a fence's info string says besides the language: `bash {id=scale if="cpu_usage > 90%"}`, or the same in JSON.
//! Both are runme's spellings; runme's own keys are understood, so its documents run unchanged.

use std::time::Duration;

use crate::domain::id::StepId;
use crate::runbook::model::{Handling, Level, OnFailure, Retries};
use crate::runbook::yaml::node::{Complaint, nearest};
use crate::runbook::yaml::step::plain_verify;

/// A fence.
#[derive(Clone, Debug, Default)]
pub(super) struct Fence {
    pub language: String,
    pub id: Option<StepId>,
    pub name: Option<String>,
    pub condition: Option<String>,
    pub is_ignored: bool,
    pub handling: Handling,
}

const KEYS: &[&str] = &[
    "id",
    "name",
    "if",
    "condition",
    "guard",
    "danger",
    "timeout",
    "verify",
    "rollback",
    "dry_run",
    "lock",
    "cwd",
    "interactive",
    "idempotent",
    "retries",
    "on_failure",
    "cooldown",
    "parallel",
];

/// Keys of runme that ask for nothing we do differently.
const RUNMES: &[&str] = &[
    "background",
    "interpreter",
    "excludeFromRunAll",
    "promptEnv",
    "closeTerminalOnSuccess",
    "mimeType",
    "category",
    "tag",
    "terminalRows",
    "openTerminalOnError",
];

impl Fence {
    /// A fence that says only its language.
    pub fn of_language(language: &str) -> Self {
        Self { language: language.to_owned(), ..Self::default() }
    }

    /// Reads an info string; what it cannot read is told.
    pub fn parse(info: &str, line: usize, wrong: &mut Vec<Complaint>) -> Self {
        let language = info.split([' ', '{', ',']).next().unwrap_or_default();
        let mut fence = Self::of_language(language);
        let Some(at) = info.find('{') else { return fence };
        let body = info.get(at..).unwrap_or_default().trim();
        let pairs = json(body).or_else(|| spelled(body));
        let Some(pairs) = pairs else {
            wrong.push(Complaint::new(
                (line, 1),
                format!("the attributes {body} are not readable"),
                "write {key=value}",
            ));
            return fence;
        };
        for (key, value) in pairs {
            if let Err((message, fix)) = fence.take(&key, &value) {
                wrong.push(Complaint::new((line, 1), message, fix));
            }
        }
        fence
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), (String, String)> {
        let bad = |wanted: &str| (format!("'{key}' is '{value}', which is no {wanted}"), format!("write a {wanted}"));
        let text = || Some(value.to_owned());
        let duration = || humantime::parse_duration(value).map_err(|_cause| bad("duration such as 30s"));
        match key {
            "id" => self.id = Some(StepId::parse(value).ok_or_else(|| bad("id of plain characters"))?),
            "name" => self.name = text(),
            "if" | "condition" => self.condition = text(),
            "guard" => self.handling.guard = text(),
            "danger" => self.handling.danger = Some(Level::parse(value).ok_or_else(|| bad("level of danger"))?),
            "timeout" => self.handling.timeout = Some(duration()?),
            "verify" => self.handling.verify = Some(plain_verify(value)),
            "rollback" => self.handling.rollback = text(),
            "dry_run" => self.handling.dry_run = text(),
            "lock" => self.handling.lock = text(),
            "cwd" => self.handling.cwd = text(),
            "interactive" => self.handling.interactive = value == "true",
            "idempotent" => self.handling.idempotent = value == "true",
            "cooldown" => self.handling.cooldown = Some(duration()?),
            "parallel" => self.handling.parallel = text(),
            "retries" => {
                let max = value.parse().map_err(|_cause| bad("number"))?;
                self.handling.retries = Retries { max, delay: Duration::from_secs(5), backoff: 1 };
            }
            "on_failure" => self.handling.on_failure = on_failure(value).ok_or_else(|| bad("ask, stop, continue"))?,
            "ignore" => self.is_ignored = value == "true",
            _ if RUNMES.contains(&key) => {}
            _ => {
                let fix = nearest(key, KEYS).map_or_else(
                    || format!("valid here: {}", KEYS.join(", ")),
                    |name| format!("did you mean '{name}'?"),
                );
                return Err((format!("unknown attribute '{key}'"), fix));
            }
        }
        Ok(())
    }
}

fn on_failure(word: &str) -> Option<OnFailure> {
    match word {
        "ask" => Some(OnFailure::Ask),
        "stop" => Some(OnFailure::Stop),
        "continue" => Some(OnFailure::Continue),
        _ => word.strip_prefix("goto:").and_then(StepId::parse).map(OnFailure::Goto),
    }
}

fn json(body: &str) -> Option<Vec<(String, String)>> {
    let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).ok()?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Some(parsed.into_iter().map(|(key, value)| (key, text(value))).collect())
}

/// `{key=value other="two words"}`; a key alone is true.
fn spelled(body: &str) -> Option<Vec<(String, String)>> {
    let inner = body.strip_prefix('{')?.trim_end().strip_suffix('}')?;
    let mut pairs = Vec::new();
    let mut letters = inner.chars().peekable();
    loop {
        while letters.next_if(|symbol| symbol.is_whitespace() || *symbol == ',').is_some() {}
        if letters.peek().is_none() {
            return Some(pairs);
        }
        let mut key = String::new();
        while let Some(symbol) = letters.next_if(|symbol| !symbol.is_whitespace() && *symbol != '=' && *symbol != ',') {
            key.push(symbol);
        }
        if letters.next_if_eq(&'=').is_none() {
            pairs.push((key, "true".to_owned()));
            continue;
        }
        let mut value = String::new();
        if let Some(quote) = letters.next_if(|symbol| matches!(symbol, '"' | '\'')) {
            loop {
                match letters.next()? {
                    symbol if symbol == quote => break,
                    '\\' => value.push(letters.next()?),
                    symbol => value.push(symbol),
                }
            }
        } else {
            while let Some(symbol) = letters.next_if(|symbol| !symbol.is_whitespace() && *symbol != ',') {
                value.push(symbol);
            }
        }
        pairs.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_say_the_same() {
        for info in [
            "bash {id=scale if=\"cpu_usage > 90%\" danger=change timeout=20s interactive=false}",
            "bash {\"id\":\"scale\",\"if\":\"cpu_usage > 90%\",\"danger\":\"change\",\"timeout\":\"20s\",\"interactive\":false}",
        ] {
            let mut wrong = Vec::new();
            let fence = Fence::parse(info, 3, &mut wrong);
            assert_eq!(wrong, Vec::new(), "{info}");
            assert_eq!(fence.language, "bash");
            assert_eq!(fence.id.as_ref().map(StepId::as_str), Some("scale"));
            assert_eq!(fence.condition.as_deref(), Some("cpu_usage > 90%"));
            assert_eq!(fence.handling.danger, Some(Level::Change));
            assert_eq!(fence.handling.timeout, Some(Duration::from_secs(20)));
        }
    }

    #[test]
    fn unknown_attributes_name_the_nearest_and_runmes_are_known() {
        let mut wrong = Vec::new();
        Fence::parse("sh {timout=5s background=true promptEnv=no}", 7, &mut wrong);
        assert_eq!(wrong.len(), 1);
        assert_eq!((wrong[0].at.0, wrong[0].fix.as_str()), (7, "did you mean 'timeout'?"));
    }
}
