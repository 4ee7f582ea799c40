//! The route tree out of `config.original`, as far as grouping and paging need it. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::correlate::{GroupBy, LabelMatcher, MatchOp, Route, RouteTree};
use crate::text::Clean;

#[derive(Deserialize)]
struct WireConfig {
    route: Option<WireRoute>,
    #[serde(default)]
    receivers: Option<Vec<WireReceiver>>,
}

#[derive(Deserialize)]
struct WireReceiver {
    name: String,
    #[serde(default)]
    pagerduty_configs: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct WireRoute {
    receiver: Option<String>,
    group_by: Option<Vec<String>>,
    matchers: Option<Vec<String>>,
    #[serde(rename = "match")]
    equals: Option<BTreeMap<String, String>>,
    match_re: Option<BTreeMap<String, String>>,
    #[serde(rename = "continue")]
    goes_on: Option<bool>,
    routes: Option<Vec<WireRoute>>,
}

/// Reads the configuration as Alertmanager prints it.
///
/// # Errors
/// Why groups cannot be told from it, in words: alerts stay, only their tie to PagerDuty incidents is lost.
pub(super) fn read(config: &str) -> Result<RouteTree, Clean> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 200_000, max_depth: 128 },
        with_snippet: false,
    };
    let wire: WireConfig = serde_saphyr::from_str_with_options(config, options)
        .map_err(|error| Clean::new(format!("its configuration cannot be read: {}", error.render())))?;
    let root = wire.route.ok_or_else(|| Clean::new("its configuration has no route"))?;
    let pagers = wire
        .receivers
        .unwrap_or_default()
        .into_iter()
        .filter(|receiver| receiver.pagerduty_configs.as_ref().is_some_and(|configs| !configs.is_empty()))
        .map(|receiver| Arc::from(receiver.name))
        .collect();
    Ok(RouteTree::new(route(root)?, pagers))
}

fn route(wire: WireRoute) -> Result<Route, Clean> {
    let mut matchers = Vec::new();
    for text in wire.matchers.unwrap_or_default() {
        for part in parts(&text) {
            matchers.push(matcher(&part)?);
        }
    }
    for (name, value) in wire.equals.unwrap_or_default() {
        matchers.push(LabelMatcher::new(&name, MatchOp::Equal, &value).map_err(words)?);
    }
    for (name, value) in wire.match_re.unwrap_or_default() {
        matchers.push(LabelMatcher::legacy_regex(&name, &value).map_err(words)?);
    }
    let group_by = wire
        .group_by
        .map(|names| if names.iter().any(|name| name == "...") { GroupBy::All } else { GroupBy::Names(names) });
    Ok(Route {
        receiver: wire.receiver.map(Arc::from),
        matchers,
        group_by,
        is_continued: wire.goes_on.unwrap_or(false),
        routes: wire.routes.unwrap_or_default().into_iter().map(route).collect::<Result<_, _>>()?,
    })
}

fn words(error: impl std::fmt::Display) -> Clean {
    Clean::new(error.to_string())
}

/// `{a="b", c=~"d,e"}` and `a="b"` alike: the matchers, cut at commas outside quotes.
fn parts(text: &str) -> Vec<String> {
    let bare = text.trim();
    let bare = bare.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(bare);
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for symbol in bare.chars() {
        if symbol == ',' && !quoted {
            parts.push(String::new());
            continue;
        }
        quoted ^= symbol == '"' && !escaped;
        escaped = symbol == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(symbol);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn matcher(text: &str) -> Result<LabelMatcher, Clean> {
    let unreadable = || Clean::new(format!("matcher '{text}' cannot be read"));
    let text_at = |at: usize| text.get(at..).unwrap_or_default();
    let name_ends = if text.trim_start().starts_with('"') {
        let opened = text.find('"').ok_or_else(unreadable)?;
        text_at(opened + 1).find('"').map(|length| opened + length + 2)
    } else {
        text.find(['=', '!'])
    };
    let name_ends = name_ends.ok_or_else(unreadable)?;
    let rest = text_at(name_ends).trim_start();
    let (op, value) =
        [("=~", MatchOp::Regex), ("!~", MatchOp::NotRegex), ("!=", MatchOp::NotEqual), ("=", MatchOp::Equal)]
            .into_iter()
            .find_map(|(sign, op)| rest.strip_prefix(sign).map(|value| (op, value)))
            .ok_or_else(unreadable)?;
    let name = unquote(text.get(..name_ends).unwrap_or_default().trim());
    LabelMatcher::new(&name, op, &unquote(value.trim())).map_err(words)
}

/// `\"`, `\\` and `\n` inside quotes; a value without quotes is itself.
fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return text.to_owned() };
    let mut plain = String::with_capacity(inner.len());
    let mut symbols = inner.chars();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => match symbols.next() {
                Some('n') => plain.push('\n'),
                Some(other @ ('"' | '\\')) => plain.push(other),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::Labels;

    const CONFIG: &str = "global:\n  resolve_timeout: 5m\nroute:\n  receiver: default\n  routes:\n  - receiver: pd\n    group_by: [service]\n    matchers:\n    - service=~\"check.*\"\n    - severity=\"critical\"\n    routes:\n    - receiver: pd\n      match: {never: x}\n  - receiver: hook\n    match_re: {severity: info|none}\nreceivers:\n- name: default\n- name: hook\n  webhook_configs: [{url: http://x}]\n- name: pd\n  pagerduty_configs:\n  - routing_key: <secret>\n    details: {a: '{{ template \"x\" . }}'}\n";

    #[test]
    fn groups_are_keyed_as_alertmanager_keys_them() {
        let tree = read(CONFIG).unwrap();
        let labels: Labels =
            [("alertname", "Res"), ("service", "checkout"), ("severity", "critical")].into_iter().collect();
        let groups = tree.groups_of(&labels);
        assert_eq!(groups.len(), 1);
        assert!(groups[0].pages);
        let key = "{}/{service=~\"check.*\",severity=\"critical\"}:{service=\"checkout\"}";
        assert_eq!(Some(&groups[0].key), crate::domain::correlate::dedup_key(key).as_ref());
        let other: Labels = [("alertname", "X"), ("severity", "info")].into_iter().collect();
        assert_eq!(&*tree.groups_of(&other)[0].receiver, "hook");
        assert!(!tree.groups_of(&other)[0].pages);
    }

    #[test]
    fn matchers_in_every_spelling() {
        let table = [
            ("a=\"b\"", "a=\"b\""),
            ("a = b", "a=\"b\""),
            ("a!~\"x,\\\"y\"", "a!~\"x,\\\"y\""),
            ("\"a\" != \"b\\nc\"", "a!=\"b\\nc\""),
        ];
        for (text, printed) in table {
            assert_eq!(matcher(text).unwrap().to_string(), printed, "{text}");
        }
        assert_eq!(parts("{a=\"x,y\", b=~\"z\"}").len(), 2);
        for bad in ["", "a", "a=~\"(\"", "\"a"] {
            assert!(matcher(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(read("route: [").is_err());
        assert!(read("receivers: []").unwrap_err().as_str().contains("no route"));
    }
}
