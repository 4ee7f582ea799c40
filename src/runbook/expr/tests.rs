//! Expressions: the engines' wrong branches, units, three values.

use super::*;
use crate::runbook::value::{Origin, Trust};

fn number(value: f64, unit: Option<Unit>) -> Resolved {
    Ok(Bound { unit, ..Bound::new(Value::Number(value), Origin::Override, Trust::Checked) })
}

fn text(value: &str) -> Resolved {
    Ok(Bound::new(Value::Text(value.to_owned()), Origin::Label("x".into()), Trust::Untrusted))
}

fn int(value: i64) -> Resolved {
    Ok(Bound::new(Value::Int(value), Origin::Override, Trust::Checked))
}

fn values() -> Values {
    [
        ("cpu_usage", number(93.5, Some(Unit::Percent))),
        ("error_ratio", number(0.07, Some(Unit::Ratio))),
        ("bare", number(95.0, None)),
        ("replicas", int(3)),
        ("three", text("3")),
        ("env", text("prod")),
        ("word", text("false")),
        ("empty", text("")),
        ("nan", number(f64::NAN, None)),
        ("gone", Err(Cause::NoData)),
        ("two", Err(Cause::ManySeries(2))),
        ("pod", text("a")),
        ("namespace", text("shop")),
        ("is_open", Ok(Bound::new(Value::Bool(true), Origin::Asked, Trust::Checked))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn judge(source: &str) -> Result<Truth, ExprError> {
    let (values, none, steps) = (values(), Values::new(), BTreeMap::new());
    let facts = Facts {
        labels: [("alertname", "NodeCPUUsageHigh"), ("severity", "page"), ("namespace", "shop")].into_iter().collect(),
        ..Facts::default()
    };
    let now = chrono::DateTime::from_timestamp(1_764_110_000, 0).unwrap_or_default();
    let world = World { values: &values, promql: &none, steps: &steps, facts: &facts, now };
    Expr::compile(source).map(|expr| expr.judge(&world).truth)
}

#[test]
fn conditions_are_true_or_false() {
    let table = [
        ("cpu_usage > 90%", true),
        ("90% < cpu_usage", true),
        ("cpu_usage > 94%", false),
        ("error_ratio > 5%", true),
        ("error_ratio > 8%", false),
        ("(cpu_usage > 90% && error_ratio < 10%) || is_open", true),
        ("replicas % 2 == 1", true),
        ("10%3 == 1", true),
        ("replicas + 1 <= 20", true),
        ("double(replicas) * 1.5 > 4.0", true),
        ("env == \"prod\" && replicas >= 3", true),
        ("!(env == \"dev\")", true),
        ("alert.labels.severity == \"page\"", true),
        ("has(alert.labels.team)", false),
        ("alert.name.startsWith(\"NodeCPU\")", true),
        ("env in [\"prod\", \"eu\"]", true),
        ("is_open ? replicas == 3 : false", true),
        ("in_window(\"00:00-24:00\", \"Europe/Berlin\")", true),
        ("false && gone > 1", false),
        ("gone > 1 && false", false),
        ("gone > 1 || true", true),
        ("is_open", true),
        ("namespace == \"shop\" && pod == \"a\"", true),
        ("alert.labels.namespace == \"shop\"", true),
    ];
    for (source, expected) in table {
        let wanted = if expected { Truth::True } else { Truth::False };
        assert_eq!(judge(source), Ok(wanted), "{source}");
    }
}

/// The shapes that other tools took for true or false (spec-kit#4182 #4292, objectstack#4336, PraisonAI#4617, prefab#60,
/// argo-rollouts#1466 #1905, argo-workflows#7831): here each is unknown with a cause, or no expression at all.
#[test]
fn the_wrong_branches_of_others_are_unknown_or_errors() {
    let unknown = [
        ("cpu_usgae > 90", "cpu_usgae has no value yet"),
        ("three > 2", "does not work on a text and a whole number"),
        ("three == 3", "cannot be compared"),
        ("env > 5", "does not work on a text"),
        ("word", "the text \"false\", not true or false"),
        ("empty", "not true or false"),
        ("replicas", "the number 3, not true or false"),
        ("nan > 1", "nan: the query returned NaN"),
        ("nan < 1 || nan >= 1", "NaN"),
        ("gone > 1", "gone: the query returned no series"),
        ("!(gone > 1)", "no series"),
        ("two > 1", "2 series"),
        ("bare > 90%", "bare is compared with a percentage but has no unit"),
        ("three + 1 > 2", "does not work on a text and a whole number"),
        ("replicas * 1.5 > 2.0", "write double(…)"),
        ("replicas / 0 > 1", "division by zero"),
        ("replicas + 9223372036854775807 > 0", "too large"),
        ("alert.labels.team == \"x\"", "team has no value"),
        ("step(\"x\").exit == 0", "step x has not run yet"),
        ("gone > 1 ? true : false", "no series"),
    ];
    for (source, cause) in unknown {
        match judge(source) {
            Ok(Truth::Unknown(found)) => assert!(found.to_string().contains(cause), "{source}: {found}"),
            other => panic!("{source}: {other:?}"),
        }
    }
    let errors = [
        ("", "empty"),
        ("   ", "empty"),
        ("cpu_usage > 90 and is_open", "CEL writes '&&'"),
        ("not is_open", "CEL writes '!'"),
        ("is_open = true", "CEL writes '=='"),
        ("90 < cpu_usage < 95", "write a < x && x < b"),
        ("cpu_usage > ", "is no expression"),
        ("\"open", "a quote that does not close"),
        ("$cpu_usage > 1", "the bare name"),
        ("is_open == True", "CEL writes 'true'"),
        ("ages(alert.starts_at) > 1", "did you mean 'age'?"),
        ("promql(env) > 1", "written in place"),
        ("{{ cpu_usage }} > 90", "is no expression"),
    ];
    for (source, message) in errors {
        let error = judge(source).expect_err(source).to_string();
        assert!(error.contains(message), "{source}: {error}");
    }
}

#[test]
fn references_come_before_values() {
    let expr =
        Expr::compile("cpu_usage > 90% && promql(\"up\") == 1.0 && step(\"scale\").exit == 0 && now > alert.starts_at")
            .expect("an expression");
    let wanted = References {
        variables: ["cpu_usage".to_owned()].into(),
        promql: ["up".to_owned()].into(),
        steps: ["scale".to_owned()].into(),
        reads_facts: true,
    };
    assert_eq!(expr.references(), &wanted);
    let kept = Expr::compile("namespace == package").expect("an expression");
    assert_eq!(kept.references().variables, ["namespace", "package"].map(str::to_owned).into());
    let macros = Expr::compile("[1, 2].exists(item, item > replicas)").expect("an expression");
    assert_eq!(macros.references().variables, ["replicas".to_owned()].into());
}

/// The deepest and longest that is let in, on the stack of a test thread (2 MiB).
#[test]
fn what_the_limits_let_in_does_not_overflow() {
    let deep = format!("{}is_open{}", "(".repeat(6), ")".repeat(6));
    assert_eq!(judge(&deep), Ok(Truth::True));
    let long = vec!["1"; 32].join(" + ");
    assert_eq!(judge(&format!("{long} > 0")), Ok(Truth::True));
    let both = format!("{}{}{}", "(".repeat(6), vec!["1"; 31].join(" + "), ")".repeat(6));
    assert!(judge(&format!("{both} > 0")).is_ok());
    for (text, count) in [("(", 5_000), ("!", 400), ("-", 400), ("[", 400), ("1+", 500), ("a?b:", 200), ("a.", 500)] {
        assert!(Expr::compile(&text.repeat(count)).is_err(), "{text}");
    }
    assert!(Expr::compile(&format!("{}1", "-".repeat(9))).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_compiles_or_is_refused(source in "[a-z0-9 ()<>=!&|%+*/?:,.\"'\\[\\]{}-]{0,120}") {
        if let Ok(expr) = Expr::compile(&source) {
            let (values, none, steps, facts) = (values(), Values::new(), BTreeMap::new(), Facts::default());
            let now = chrono::DateTime::UNIX_EPOCH;
            let _ = expr.judge(&World { values: &values, promql: &none, steps: &steps, facts: &facts, now });
        }
    }

    #[test]
    fn kleene_holds(left in 0..3_usize, right in 0..3_usize) {
        let parts = ["true", "false", "gone > 1"];
        let kind = |source: &str| match judge(source) { Ok(Truth::True) => 1, Ok(Truth::False) => -1, _ => 0 };
        let (a, b) = (parts[left], parts[right]);
        proptest::prop_assert_eq!(kind(&format!("({a}) && ({b})")), kind(a).min(kind(b)));
        proptest::prop_assert_eq!(kind(&format!("({a}) || ({b})")), kind(a).max(kind(b)));
        proptest::prop_assert_eq!(kind(&format!("!({a})")), -kind(a));
    }
}
