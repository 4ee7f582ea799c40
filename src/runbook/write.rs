//! Writing runbooks: either spelling of one that was read (`runbook fmt --to yaml|md`), and a new one from an alert
//! (`runbook new`).

mod markdown;
mod template;
mod yaml;

pub use self::markdown::markdown;
pub use self::template::{New, template};
pub use self::yaml::yaml;

use std::time::Duration;

use super::model::{Kind, OnFailure, Param, ShellChoice};

/// A text as a YAML scalar: plain when nothing can be misread, else in double quotes.
fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|symbol| symbol.is_ascii_alphanumeric() || " _-./()".contains(symbol))
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain { text.to_owned() } else { quoted(text) }
}

/// JSON's quoting is YAML's double quoting.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| scalar(item)).collect();
    format!("[{}]", items.join(", "))
}

fn span(span: Duration) -> String {
    humantime::format_duration(span).to_string().replace(' ', "")
}

/// The keys of a parameter, in one line.
fn param(param: &Param) -> String {
    let mut keys: Vec<String> = Vec::new();
    if !param.from.is_empty() {
        let from: Vec<String> = param.from.iter().map(ToString::to_string).collect();
        keys.push(format!("from: {}", list(&from)));
    }
    keys.extend(kind(&param.kind));
    if !param.required {
        keys.push("required: false".to_owned());
    }
    for (name, text) in [("default", &param.default), ("suggest", &param.suggest), ("question", &param.question)] {
        keys.extend(text.iter().map(|text| format!("{name}: {}", quoted(text))));
    }
    for (name, is_set) in [("allow_dash", param.allow_dash), ("allow_empty", param.allow_empty)] {
        if is_set {
            keys.push(format!("{name}: true"));
        }
    }
    format!("{{{}}}", keys.join(", "))
}

fn kind(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Text { pattern, max } => {
            let mut keys: Vec<String> = pattern.iter().map(|pattern| format!("pattern: {}", quoted(pattern))).collect();
            if *max != super::model::MAX_VALUE_BYTES {
                keys.push(format!("max: {max}"));
            }
            keys
        }
        Kind::Int { range } => {
            let range = range.map(|(low, high)| format!("range: [{low}, {high}]"));
            ["type: int".to_owned()].into_iter().chain(range).collect()
        }
        Kind::Number { unit: Some(unit) } => vec!["type: number".to_owned(), format!("unit: {}", unit.word())],
        Kind::OneOf(of) => vec!["type: enum".to_owned(), format!("choices: {}", list(of))],
        Kind::Path { root } => vec!["type: path".to_owned(), format!("root: {}", quoted(root))],
        Kind::Url { hosts } => vec!["type: url".to_owned(), format!("hosts: {}", list(hosts))],
        Kind::List(of) => vec![format!("type: {}", quoted(&format!("list<{}>", of.word())))],
        other => vec![format!("type: {}", other.word())],
    }
}

fn on_failure(what: &OnFailure) -> Option<String> {
    match what {
        OnFailure::Ask => None,
        OnFailure::Stop => Some("stop".to_owned()),
        OnFailure::Continue => Some("continue".to_owned()),
        OnFailure::Goto(id) => Some(format!("goto:{id}")),
    }
}

fn shell(choice: ShellChoice) -> Option<&'static str> {
    match choice {
        ShellChoice::WhenNeeded => None,
        ShellChoice::Never => Some("false"),
        ShellChoice::Sh => Some("sh"),
        ShellChoice::Bash => Some("bash"),
    }
}

#[cfg(test)]
mod tests;
