//! Our evaluator and a real Prometheus on the same samples, and Prometheus's own client against our simulator.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_cmp, reason = "a test fails so")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use warroom::dashboard::{Values, ask, builtin};
use warroom::sim::metrics::LabelSet;
use warroom::sim::promql::{self, Answer, ErrorKind, Point, Row, Storage, Stored};
use warroom::sim::{SimOptions, serve};

use super::daemon::{Daemon, client, free_port, run};

const START: i64 = 1_700_000_100_000;
const MINUTES: i64 = 60;
const END: i64 = START + MINUTES * 60_000;

#[derive(Debug)]
struct Kept {
    labels: LabelSet,
    points: Vec<Point>,
}

impl Stored for Kept {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }

    fn latest(&self, at_ms: i64) -> Option<Point> {
        let next = self.points.partition_point(|(at, _)| *at <= at_ms);
        let point = *self.points.get(next.checked_sub(1)?)?;
        (at_ms - point.0 <= 300_000).then_some(point)
    }

    fn between(&self, from_ms: i64, until_ms: i64) -> Vec<Point> {
        self.points.iter().copied().filter(|(at, _)| (from_ms..=until_ms).contains(at)).collect()
    }
}

struct Shelf(Vec<Kept>);

impl Storage for Shelf {
    fn candidates<'a>(&'a self, name: Option<&str>) -> Vec<&'a dyn Stored> {
        let fits = |kept: &&Kept| name.is_none_or(|name| kept.labels["__name__"] == name);
        self.0.iter().filter(fits).map(|kept| kept as &dyn Stored).collect()
    }
}

/// Noise in 0..1 that is the same in every run.
fn noise(seed: i64) -> f64 {
    let mixed = (seed as u64).wrapping_add(0x9E37_79B9).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 40) as f64 / f64::from(1 << 24)
}

impl Shelf {
    fn add(&mut self, labels: &[(&str, &str)], shift_ms: i64, value: impl Fn(i64) -> Option<f64>) {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let points = (0..=MINUTES * 4).filter_map(|index| Some((START + index * 15_000 + shift_ms, value(index)?)));
        self.0.push(Kept { labels, points: points.collect() });
    }

    /// Counters with resets and holes, gauges with special values, a histogram; scraped at different moments.
    fn filled() -> Self {
        let mut shelf = Self(Vec::new());
        for (number, job) in (0_i64..).zip(["api", "web", "db"]) {
            for (offset, code) in (0_i64..).zip(["200", "404", "500"]) {
                let seed = number * 10 + offset;
                let instance = format!("10.0.0.{number}:80");
                let labels = [("__name__", "requests_total"), ("job", job), ("code", code), ("instance", &instance)];
                shelf.add(&labels, seed * 370, |index| {
                    let is_down = job == "db" && (100..130).contains(&index);
                    let run = if job == "web" { index % 90 } else { index };
                    // The fraction keeps values apart: which of two equal ones topk shows is nobody's promise.
                    let apart = seed as f64 / 128.0;
                    let grown = run as f64 * (3.0 + seed as f64) + noise(seed * 1_000 + run) * 3.0;
                    (!is_down).then(|| grown.round() + apart)
                });
            }
            let instance = format!("10.0.0.{number}:80");
            let labels = [("__name__", "up"), ("job", job), ("instance", &instance)];
            shelf.add(&labels, number * 1_700, |index| {
                Some(if job == "db" && (100..130).contains(&index) { 0.0 } else { 1.0 })
            });
            let labels = [("__name__", "temperature"), ("job", job), ("room", ["red", "blue", "red"][number as usize])];
            shelf.add(&labels, 0, |index| {
                Some(20.0 + 5.0 * ((index + number * 7) as f64 / 9.0).sin() + noise(number * 7_000 + index))
            });
            for (le, share) in [("0.1", 0.4), ("0.25", 0.7), ("0.5", 0.9), ("1", 0.97), ("+Inf", 1.0)] {
                let labels = [("__name__", "latency_bucket"), ("job", job), ("le", le)];
                shelf.add(&labels, number * 910, |index| {
                    Some((index as f64 * 20.0 * share * (1.0 + number as f64)).floor())
                });
            }
        }
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -3.5, 1e300, 1e-300];
        shelf.add(&[("__name__", "odd"), ("kind", "special")], 0, |index| Some(special[(index % 7) as usize]));
        shelf.add(&[("__name__", "odd"), ("kind", "plain")], 0, |index| {
            (index % 5 != 0).then_some(index as f64 - 100.0)
        });
        shelf.add(&[("__name__", "flat")], 0, |_| Some(42.0));
        shelf
    }

    fn openmetrics(&self) -> String {
        let mut families: BTreeMap<&str, String> = BTreeMap::new();
        for kept in &self.0 {
            let family = families.entry(&kept.labels["__name__"]).or_default();
            let labels: Vec<String> = kept
                .labels
                .iter()
                .filter(|(name, _)| *name != "__name__")
                .map(|(name, value)| format!("{name}=\"{value}\""))
                .collect();
            for (at, value) in &kept.points {
                let value = promql::format_float(*value);
                writeln!(family, "{}{{{}}} {value} {}", kept.labels["__name__"], labels.join(","), *at as f64 / 1000.0)
                    .expect("a string takes it");
            }
        }
        families.into_values().chain(["# EOF\n".to_owned()]).collect()
    }
}

/// A real Prometheus that has the shelf's samples.
struct Server(Daemon);

impl Server {
    fn start(folder: &Path, shelf: &Shelf) -> Self {
        let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
        std::fs::write(path("samples"), shelf.openmetrics()).expect("the folder can be written");
        std::fs::write(path("prometheus.yml"), "global: {}\n").expect("the folder can be written");
        let arguments = ["tsdb", "create-blocks-from", "openmetrics", &path("samples"), &path("data")];
        let made = run("promtool", "prometheus", &arguments);
        assert!(
            made.status.success(),
            "{}{}",
            String::from_utf8_lossy(&made.stdout),
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let arguments = [
            format!("--config.file={}", path("prometheus.yml")),
            format!("--storage.tsdb.path={}", path("data")),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--storage.tsdb.retention.time=100y".to_owned(),
            "--log.level=error".to_owned(),
        ];
        Self(Daemon::start("prometheus", "prometheus", port, &arguments))
    }

    async fn ask(&self, client: &reqwest::Client, path: &str, form: &[(&str, String)]) -> (u16, Value) {
        let response =
            client.post(format!("{}/api/v1/{path}", self.0.url)).form(form).send().await.expect("prometheus answers");
        let status = response.status().as_u16();
        (status, response.json().await.expect("prometheus answers JSON"))
    }
}

/// Samples by labels; scalars have none.
type Told = BTreeMap<String, Vec<(i64, f64)>>;

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        other => other.parse().expect("a number"),
    }
}

fn point(pair: &Value) -> (i64, f64) {
    ((pair[0].as_f64().expect("seconds") * 1000.0).round() as i64, number(pair[1].as_str().expect("a text")))
}

fn theirs(data: &Value) -> Told {
    if data["resultType"] == "scalar" {
        return Told::from([("{}".to_owned(), vec![point(&data["result"])])]);
    }
    let rows = data["result"].as_array().expect("a list").iter();
    rows.map(|row| {
        let labels: BTreeMap<String, String> = serde_json::from_value(row["metric"].clone()).expect("labels");
        let points = match &row["values"] {
            Value::Array(values) => values.iter().map(point).collect(),
            _ => vec![point(&row["value"])],
        };
        (format!("{labels:?}"), points)
    })
    .collect()
}

fn ours(answer: Answer) -> Told {
    let told = |rows: Vec<Row>| rows.into_iter().map(|row| (format!("{:?}", row.labels), row.points)).collect();
    match answer {
        Answer::Scalar(point) => Told::from([("{}".to_owned(), vec![point])]),
        Answer::Vector(rows) | Answer::Matrix(rows) => told(rows),
        Answer::Text(..) => panic!("no text is asked for"),
    }
}

fn is_same(one: f64, other: f64) -> bool {
    (one.is_nan() && other.is_nan())
        || one == other
        || (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-3)
}

fn compare(place: &str, ours: &Told, theirs: &Told) -> Result<(), String> {
    let names = |told: &Told| told.keys().cloned().collect::<Vec<_>>();
    if names(ours) != names(theirs) {
        return Err(format!("{place}\n  ours   {:?}\n  theirs {:?}", names(ours), names(theirs)));
    }
    for (labels, points) in theirs {
        let times = |points: &[(i64, f64)]| points.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        if times(&ours[labels]) != times(points) {
            return Err(format!(
                "{place} {labels}: other instants: {} of ours, {} of theirs",
                ours[labels].len(),
                points.len()
            ));
        }
        for ((at, one), (_, other)) in ours[labels].iter().zip(points) {
            if !is_same(*one, *other) {
                return Err(format!("{place} {labels} at {at}: ours {one}, theirs {other}"));
            }
        }
    }
    Ok(())
}

const EXPRESSIONS: &[&str] = &[
    "up",
    "up == 0",
    "up != bool 1",
    "requests_total{code=~\"4..|5..\"}",
    "requests_total{code!~\"2..\", job!=\"db\"}",
    "requests_total{job=\"web\"} offset 7m",
    "requests_total offset -3m",
    "requests_total @ 1700001000",
    "rate(requests_total[5m] @ end())",
    "rate(requests_total[1m])",
    "rate(requests_total[5m])",
    "rate(requests_total[37s])",
    "rate(requests_total[10m] offset 4m)",
    "increase(requests_total[2m])",
    "irate(requests_total[5m])",
    "idelta(temperature[5m])",
    "delta(temperature[3m])",
    "deriv(temperature[6m])",
    "deriv(flat[5m])",
    "predict_linear(temperature[10m], 3600)",
    "changes(requests_total[20m])",
    "resets(requests_total[40m])",
    "avg_over_time(temperature[5m])",
    "min_over_time(temperature[5m])",
    "max_over_time(odd[2m])",
    "sum_over_time(odd{kind=\"plain\"}[5m])",
    "count_over_time(odd[5m])",
    "last_over_time(temperature[5m])",
    "present_over_time(up[5m])",
    "stddev_over_time(temperature[10m])",
    "stdvar_over_time(requests_total{job=\"api\"}[10m])",
    "quantile_over_time(0.9, temperature[10m])",
    "absent_over_time(nosuch{a=\"b\"}[5m])",
    "absent_over_time(up[5m])",
    "sum(rate(requests_total[5m]))",
    "sum by (job) (rate(requests_total[5m]))",
    "sum without (instance, code) (rate(requests_total[5m]))",
    "avg by (code) (requests_total)",
    "min by (room) (temperature)",
    "max(odd)",
    "min(odd)",
    "sum(odd)",
    "avg(odd)",
    "count by (job, nosuch) (requests_total)",
    "group by (job) (up)",
    "stddev by (job) (requests_total)",
    "stdvar(temperature)",
    "topk(2, requests_total)",
    "topk by (job) (1, requests_total)",
    "bottomk(2, temperature)",
    "topk(0, up)",
    "quantile(0.75, temperature)",
    "quantile by (job) (0.5, requests_total)",
    "quantile(1.5, temperature)",
    "count_values(\"value\", up)",
    "histogram_quantile(0.99, sum by (le) (rate(latency_bucket[5m])))",
    "histogram_quantile(0.5, sum by (job, le) (rate(latency_bucket[5m])))",
    "histogram_quantile(0.9, latency_bucket)",
    "histogram_quantile(2, latency_bucket)",
    "sum(rate(requests_total{code=\"500\"}[5m])) / sum(rate(requests_total[5m]))",
    "sum by (job) (rate(requests_total{code=\"500\"}[5m])) / sum by (job) (rate(requests_total[5m])) > 0.3",
    "requests_total / on (job) group_left (room) temperature",
    "temperature * on (job) group_right () requests_total",
    "requests_total - ignoring (code) group_left () sum without (code) (requests_total)",
    "up and on (job) temperature > 20",
    "up or temperature",
    "up unless on (job) requests_total{job=\"api\"}",
    "up or on (job) vector(7)",
    "temperature > 20 < 24",
    "20 < temperature",
    "temperature > bool on (job) up * 21",
    "2 ^ 3 ^ 2 - 10 % 4 + -2 ^ 2",
    "-temperature + 1",
    "temperature % 7",
    "temperature ^ 0.5",
    "temperature atan2 on (job) up",
    "abs(odd) + 1",
    "ceil(temperature) - floor(temperature)",
    "round(temperature, 0.25)",
    "round(odd)",
    "clamp(temperature, 19, 23)",
    "clamp_min(clamp_max(odd, 10), -10)",
    "ln(temperature) + log2(temperature) + log10(temperature)",
    "exp(temperature / 10)",
    "sqrt(odd)",
    "sgn(odd)",
    "sin(temperature) + cos(temperature) * tan(temperature)",
    "deg(rad(temperature))",
    "time() - 1e9",
    "timestamp(up)",
    "timestamp(up + 0)",
    "vector(scalar(flat)) * pi()",
    "scalar(up)",
    "absent(nosuch{job=\"x\", a!=\"b\"})",
    "absent(up{job=\"api\"})",
    "label_replace(up, \"host\", \"$1.lan\", \"instance\", \"(.*):(\\\\d+)\")",
    "label_replace(up, \"job\", \"\", \"job\", \"a.*\")",
    "label_join(requests_total, \"both\", \"/\", \"job\", \"code\", \"nosuch\")",
    "sort(temperature)",
    "sort_desc(up)",
    "hour() + minute(vector(1700000100)) + day_of_week() + day_of_month() + days_in_month() + month() + year() + day_of_year()",
    "max_over_time(rate(requests_total[1m])[10m:1m])",
    "avg_over_time(temperature[5m:30s] offset 2m)",
    "rate(requests_total[10m:15s])",
    "sum_over_time((up == 1)[5m:])",
];

#[tokio::test]
async fn real_prometheus_and_the_evaluator_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::filled();
    let server = Server::start(folder.path(), &shelf);
    let client = client();
    server.0.ready(&client).await;
    let mut wrong = Vec::new();
    let mut samples = 0;
    for expression in EXPRESSIONS {
        let expr = promql::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        for at in [START + 90_000, START + 1_234_567, START + 2_000_000, END, END + 200_000] {
            let form = [("query", (*expression).to_owned()), ("time", promql::format_time(at))];
            let (status, body) = server.ask(&client, "query", &form).await;
            assert_eq!(status, 200, "{expression}: {body}");
            let answer =
                promql::instant(&shelf, &expr, at, None).unwrap_or_else(|error| panic!("{expression}: {error}"));
            let told = theirs(&body["data"]);
            samples += told.values().map(Vec::len).sum::<usize>();
            wrong.extend(compare(&format!("{expression} at {at}"), &ours(answer), &told).err());
        }
        let (from, until, step) = (START - 60_000, END + 600_000, 41_000);
        let form = [
            ("query", (*expression).to_owned()),
            ("start", promql::format_time(from)),
            ("end", promql::format_time(until)),
            ("step", promql::format_time(step)),
        ];
        let (status, body) = server.ask(&client, "query_range", &form).await;
        assert_eq!(status, 200, "{expression}: {body}");
        let answer = promql::range(&shelf, &expr, from, until, step, None)
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        let told = theirs(&body["data"]);
        samples += told.values().map(Vec::len).sum::<usize>();
        wrong.extend(compare(&format!("{expression} over time"), &ours(answer), &told).err());
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), EXPRESSIONS.len() * 6, wrong.join("\n"));
    println!("{} expressions, {samples} samples equal to 1e-9", EXPRESSIONS.len());
    refuses_alike(&server, &client, &shelf).await;
    takes_every_shipped_query(&server, &client).await;
}

/// Every query of the shipped dashboards, filled as for an incident, is PromQL to the real thing.
async fn takes_every_shipped_query(server: &Server, client: &reqwest::Client) {
    let (dashboards, _) = builtin::dashboards();
    let values =
        Values::default().with("service", "check.out").with("instance", "a\"b:9100").with("instance", "c:9100");
    let now = chrono::DateTime::from_timestamp_millis(END).expect("an instant");
    let mut asked = 0;
    for dashboard in &dashboards {
        for panel in &dashboard.panels {
            for question in ask(dashboard, panel, &values, now, dashboard.range_s, 200, 15_000) {
                let promql = question.promql.unwrap_or_else(|why| panic!("{} {}: {why}", dashboard.name, panel.id));
                let (status, body) = server.ask(client, "query", &[("query", promql.clone())]).await;
                assert_eq!(status, 200, "{} {}: {promql}: {body}", dashboard.name, panel.id);
                asked += 1;
            }
        }
    }
    assert!(asked > 50, "{asked} shipped queries");
}

/// What a real Prometheus refuses we refuse with the same class and, where they are its own, the same words.
async fn refuses_alike(server: &Server, client: &reqwest::Client, shelf: &Shelf) {
    for (expression, same_words) in [
        ("", true),
        ("up{", true),
        ("sum(up", true),
        ("nosuch(up)", true),
        ("1 + nosuch(up)", true),
        ("up[5m", false),
        ("up{a=}", false),
        ("up + on (nosuch) up", false),
        ("requests_total / on (job) up", true),
        ("up * on (job) group_left () requests_total", false),
        ("label_replace(up, \"a-b\", \"x\", \"job\", \".*\")", true),
        ("label_replace(up, \"a\", \"x\", \"job\", \"(\")", true),
        ("rate(requests_total)", false),
        ("sum(up[5m])", false),
        ("rate(up[1e300])", false),
        ("up[300]", false),
        ("1 > 2", false),
        ("{job=~\".*\"}", false),
        ("rate({__name__=~\"requests_total|up\"}[5m]) + 0", false),
        ("label_join(up, \"job\", \"\", \"nosuch\") + 0 + on () group_left () up", false),
        ("topk(NaN, up)", true),
    ] {
        let at = START + 2_000_000;
        let form = [("query", expression.to_owned()), ("time", promql::format_time(at))];
        let (_, body) = server.ask(client, "query", &form).await;
        let answer = promql::parse(expression).and_then(|expr| promql::instant(shelf, &expr, at, None));
        let Err(error) = answer else {
            assert_eq!(body["status"], "success", "{expression}: ours is no error, theirs is {body}");
            continue;
        };
        let kind = match error.kind {
            ErrorKind::BadData => "bad_data",
            ErrorKind::Execution => "execution",
            ErrorKind::Timeout => "timeout",
        };
        assert_eq!(body["errorType"], kind, "{expression}: ours {error}; theirs {body}");
        if same_words {
            let words = body["error"].as_str().unwrap_or_default();
            assert_eq!(words.trim_start_matches("invalid parameter \"query\": "), error.message, "{expression}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_promtool_is_a_client_of_the_simulator() {
    let running = serve(SimOptions::default()).await.expect("the simulator serves");
    let url = running.prometheus_url.to_string();
    let now = warroom::sim::promql::format_time(running.sim().world().now().timestamp_millis());
    let asked = move |arguments: Vec<String>| async move {
        let output = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run("promtool", "prometheus", &arguments)
        });
        let output = output.await.expect("promtool ran");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let words = |text: &[&str]| text.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for (arguments, expected) in [
        (words(&["query", "instant", &url, "vector(41) + 1"]), "{} => 42 @"),
        (
            words(&["query", "range", "--start=1700000000", "--end=1700000060", "--step=30s", &url, "vector(3)"]),
            "3 @[1700000060]",
        ),
        (words(&["query", "labels", &url, "__name__"]), ""),
        (words(&["query", "series", "--match=up", &url]), ""),
        (words(&["query", "instant", &url, "up"]), ""),
    ] {
        let (succeeded, text) = asked(arguments.clone()).await;
        assert!(succeeded && text.contains(expected), "promtool {arguments:?} at {now}: {text}");
    }
    let (succeeded, text) = asked(words(&["query", "instant", &url, "nosuch(up)"])).await;
    assert!(!succeeded && text.contains("unknown function with name \"nosuch\""), "{text}");
    running.shutdown().await;
}
