//! Alertmanager's route tree: which groups an alert is in, and under which key PagerDuty knows each.

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::alert::{GroupRef, Labels};
use super::super::id::DedupKey;
use super::LabelMatcher;

/// Deepest tree that is walked; real ones have three or four levels.
const MAX_DEPTH: usize = 64;

/// Labels by which a route groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// `['...']`: all of them.
    All,
    /// These; those that an alert lacks are left out.
    Names(Vec<String>),
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its receiver; inherited where none is written. The root must have one.
    pub receiver: Option<Arc<str>>,
    /// Its matchers; all must hold. The root has none.
    pub matchers: Vec<LabelMatcher>,
    /// How it groups; inherited where nothing is written.
    pub group_by: Option<GroupBy>,
    /// Whether later siblings are tried too.
    pub is_continued: bool,
    /// Its children, in order.
    pub routes: Vec<Route>,
}

/// The tree, and which receivers page.
#[derive(Clone, Debug)]
pub struct RouteTree {
    root: Route,
    pagers: Vec<Arc<str>>,
}

/// What a route inherits on the way down.
#[derive(Clone)]
struct Inherited<'a> {
    receiver: &'a Arc<str>,
    group_by: &'a GroupBy,
    key: String,
}

impl RouteTree {
    /// `pagers` names the receivers that have `pagerduty_configs`.
    #[must_use]
    pub fn new(mut root: Route, pagers: Vec<Arc<str>>) -> Self {
        sort_matchers(&mut root);
        Self { root, pagers }
    }

    /// The groups of an alert with these labels, in route order: in every branch the deepest match; one group a
    /// (route, group labels).
    #[must_use]
    pub fn groups_of(&self, labels: &Labels) -> Vec<GroupRef> {
        let nameless: Arc<str> = Arc::from("");
        let by_nothing = GroupBy::Names(Vec::new());
        let inherited = Inherited {
            receiver: self.root.receiver.as_ref().unwrap_or(&nameless),
            group_by: self.root.group_by.as_ref().unwrap_or(&by_nothing),
            key: String::new(),
        };
        let mut groups = Vec::new();
        self.walk(&self.root, &inherited, labels, 0, &mut groups);
        groups
    }

    fn walk(
        &self,
        route: &Route,
        from: &Inherited<'_>,
        labels: &Labels,
        depth: usize,
        into: &mut Vec<GroupRef>,
    ) -> bool {
        if depth > MAX_DEPTH || !route.matchers.iter().all(|matcher| matcher.matches(labels)) {
            return false;
        }
        let mut here = from.clone();
        here.receiver = route.receiver.as_ref().unwrap_or(from.receiver);
        here.group_by = route.group_by.as_ref().unwrap_or(from.group_by);
        if depth > 0 {
            here.key.push('/');
        }
        print_matchers(&route.matchers, &mut here.key);
        let mut is_taken = false;
        for child in &route.routes {
            if self.walk(child, &here, labels, depth + 1, into) {
                is_taken = true;
                if !child.is_continued {
                    break;
                }
            }
        }
        if !is_taken && let Some(key) = dedup_key(&group_key(&here.key, here.group_by, labels)) {
            let pages = self.pagers.contains(here.receiver);
            into.push(GroupRef { receiver: Arc::clone(here.receiver), key, pages });
        }
        true
    }
}

/// What Alertmanager's PagerDuty integration sends for a group: the sha256 of its key, in hex.
#[must_use]
pub fn dedup_key(group_key: &str) -> Option<DedupKey> {
    let digest = Sha256::digest(group_key.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in digest {
        let _ = write!(hex, "{byte:02x}");
    }
    DedupKey::parse(&hex)
}

fn sort_matchers(route: &mut Route) {
    route.matchers.sort_by(|one, other| one.order().cmp(&other.order()));
    route.routes.iter_mut().for_each(sort_matchers);
}

fn print_matchers(matchers: &[LabelMatcher], into: &mut String) {
    into.push('{');
    for (at, matcher) in matchers.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(into, "{comma}{matcher}");
    }
    into.push('}');
}

fn group_key(route_key: &str, by: &GroupBy, labels: &Labels) -> String {
    let mut key = format!("{route_key}:{{");
    let mut is_first = true;
    for (name, value) in labels.iter() {
        let is_wanted = match by {
            GroupBy::All => true,
            GroupBy::Names(names) => names.iter().any(|wanted| wanted == name),
        };
        if is_wanted {
            let comma = if is_first { "" } else { ", " };
            let _ = write!(key, "{comma}{name}=");
            go_quote(value.expose(), &mut key);
            is_first = false;
        }
    }
    key.push('}');
    key
}

/// `strconv.Quote`: what Go prints for `%q`.
fn go_quote(value: &str, into: &mut String) {
    into.push('"');
    for symbol in value.chars() {
        match symbol {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\u{7}' => into.push_str("\\a"),
            '\u{8}' => into.push_str("\\b"),
            '\u{c}' => into.push_str("\\f"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\u{b}' => into.push_str("\\v"),
            ' '..='~' => into.push(symbol),
            symbol => quote_beyond_ascii(symbol, into),
        }
    }
    into.push('"');
}

fn quote_beyond_ascii(symbol: char, into: &mut String) {
    let code = u32::from(symbol);
    let _ = match code {
        _ if is_go_printable(symbol) => write!(into, "{symbol}"),
        0..=0x7f => write!(into, "\\x{code:02x}"),
        0..=0xffff => write!(into, "\\u{code:04x}"),
        _ => write!(into, "\\U{code:08x}"),
    };
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols; no space but the ASCII one. Near enough: the
/// classes that Rust's regex knows.
fn is_go_printable(symbol: char) -> bool {
    static PRINTABLE: std::sync::OnceLock<Option<regex::Regex>> = std::sync::OnceLock::new();
    let printable = PRINTABLE.get_or_init(|| regex::Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").ok());
    let mut buffer = [0; 4];
    printable.as_ref().is_some_and(|printable| printable.is_match(symbol.encode_utf8(&mut buffer)))
}

#[cfg(test)]
mod tests {
    use super::super::MatchOp;
    use super::*;

    fn matcher(name: &str, op: MatchOp, value: &str) -> LabelMatcher {
        LabelMatcher::new(name, op, value).expect("compiles")
    }

    fn route(receiver: &str, matchers: Vec<LabelMatcher>, group_by: Option<&[&str]>, routes: Vec<Route>) -> Route {
        let names = |names: &[&str]| GroupBy::Names(names.iter().map(|name| (*name).to_owned()).collect());
        let receiver = (!receiver.is_empty()).then(|| Arc::from(receiver));
        Route { receiver, matchers, group_by: group_by.map(names), is_continued: false, routes }
    }

    /// The tree of the captured Alertmanager (tests/fixtures/alertmanager-group-keys.json).
    fn lab() -> RouteTree {
        let checkout = route(
            "pd-checkout",
            vec![matcher("service", MatchOp::Equal, "checkout")],
            Some(&["alertname", "service"]),
            Vec::new(),
        );
        let mut critical = route(
            "pd-critical",
            vec![matcher("severity", MatchOp::Equal, "critical"), matcher("service", MatchOp::Regex, "check.*")],
            None,
            vec![checkout],
        );
        critical.is_continued = true;
        let hook = route("hook", vec![matcher("severity", MatchOp::NotEqual, "info")], None, Vec::new());
        let root = route("default", Vec::new(), Some(&["alertname", "cluster"]), vec![critical, hook]);
        RouteTree::new(root, vec!["pd-critical".into(), "pd-checkout".into()])
    }

    #[test]
    fn the_keys_that_alertmanager_0_25_really_sent() {
        let fixture = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/alertmanager-group-keys.json"));
        let cases: Vec<serde_json::Value> = serde_json::from_str(fixture).expect("our own fixture");
        assert!(cases.len() >= 3);
        for case in cases {
            let labels: Labels =
                serde_json::from_value::<std::collections::BTreeMap<String, String>>(case["labels"].clone())
                    .expect("labels")
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
            let found: Vec<_> = lab().groups_of(&labels);
            let shown: Vec<_> =
                found.iter().map(|group| (group.receiver.to_string(), group.key.to_string(), group.pages)).collect();
            let expected: Vec<_> = case["groups"]
                .as_array()
                .expect("groups")
                .iter()
                .map(|group| {
                    let text = |name: &str| group[name].as_str().expect("text").to_owned();
                    let key = group.get("dedup_key").map_or_else(
                        || dedup_key(&text("group_key")).expect("hex").to_string(),
                        |key| key.as_str().expect("text").to_owned(),
                    );
                    (text("receiver"), key, group["pages"].as_bool().expect("a flag"))
                })
                .collect();
            assert_eq!(shown, expected, "{}", case["labels"]);
        }
    }

    #[test]
    fn the_vector_of_the_description() {
        let key =
            r#"{}/{service=~"check.*",severity="critical"}/{service="checkout"}:{alertname="Res", service="checkout"}"#;
        let expected = "cafe82981b3609946c0a1229aba84990ca2a1d13080ed243a6fed8877f078eb4";
        assert_eq!(dedup_key(key).expect("hex").as_str(), expected);
    }

    #[test]
    fn all_labels_legacy_forms_and_quoting() {
        let legacy = LabelMatcher::legacy_regex("a", "x|y").expect("compiles");
        let child = Route {
            receiver: None,
            matchers: vec![matcher("b", MatchOp::Equal, "1"), legacy],
            group_by: Some(GroupBy::All),
            is_continued: false,
            routes: Vec::new(),
        };
        let tree = RouteTree::new(route("root", Vec::new(), None, vec![child]), Vec::new());
        let labels: Labels = [("b", "1"), ("a", "x"), ("c", "q\"\\\n\u{1}é\u{202e}")].into_iter().collect();
        let groups = tree.groups_of(&labels);
        let key = "{}/{a=~\"^(?:x|y)$\",b=\"1\"}:{a=\"x\", b=\"1\", c=\"q\\\"\\\\\\n\\x01é\\u202e\"}";
        assert_eq!(groups.len(), 1);
        assert_eq!(Some(groups[0].key.clone()), dedup_key(key));
        assert_eq!((&*groups[0].receiver, groups[0].pages), ("root", false));
        let other: Labels = [("b", "2")].into_iter().collect();
        assert_eq!(Some(tree.groups_of(&other)[0].key.clone()), dedup_key("{}:{}"));
    }
}
