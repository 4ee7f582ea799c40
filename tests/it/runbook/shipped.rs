//! Every step of every shipped runbook, at a terminal: with the simulator's `kubectl` and its like on the path and a real
//! Prometheus behind its values, walked through by the keys that its questions name. A runbook or a step that is not in
//! the table fails the test.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use super::stage::Stage;

/// What becomes of a step.
#[derive(Clone, Copy, Debug)]
enum Becomes {
    /// These words are run.
    Runs(&'static str),
    /// This query is asked, and Prometheus answers.
    Asks(&'static str),
    /// A remote shell is opened by these words, and takes this line.
    Session(&'static str, &'static str),
    /// Ticked.
    Ticked,
    /// Ticked with a note.
    Noted,
    /// Answered.
    Answered(&'static str),
    /// Waits; the walk goes on by hand.
    Waits,
    /// Its condition is false.
    Skipped,
}
use Becomes::{Answered, Asks, Noted, Runs, Session, Skipped, Ticked, Waits};

struct Case {
    id: &'static str,
    set: &'static [&'static str],
    steps: &'static [(&'static str, Becomes)],
}

const CASES: &[Case] = &[
    Case {
        id: "pod_crash_looping",
        set: &["namespace=shop", "pod=web-1", "deployment=desk"],
        steps: &[
            ("State and last exit", Runs("kubectl describe pod web-1 -n shop")),
            ("Log of the crashed container", Runs("kubectl logs web-1 -n shop --previous --tail=200")),
            ("Recent events", Runs("kubectl get events -n shop --sort-by=.lastTimestamp")),
            ("Did a deploy or a config change come right before?", Answered("yes")),
            ("Roll back", Runs("kubectl rollout undo deployment/desk -n shop")),
            ("Call the owner", Noted),
        ],
    },
    Case {
        id: "deployment_replicas_mismatch",
        set: &["namespace=shop", "deployment=web"],
        steps: &[
            ("Where it stands", Runs("kubectl rollout status deployment/web -n shop --watch=false")),
            ("Pods that are not ready", Runs("kubectl get pods -n shop -o wide")),
            ("Room on the nodes", Runs("kubectl describe nodes")),
            ("Pending pods need", Ticked),
        ],
    },
    Case {
        id: "high_cpu_usage",
        set: &["instance=n1:9100", "namespace=shop", "pod_name=web-1", "deployment=api"],
        steps: &[
            ("Identify top processes", Runs("kubectl top pods --sort-by=cpu -A")),
            ("Check resource limits", Runs("kubectl describe pod web-1 -n shop")),
            ("Scale if needed", Runs("kubectl scale deployment api -n shop --replicas=4")),
            ("Review application logs", Ticked),
            ("Check for memory leaks", Ticked),
            ("Consider vertical scaling", Ticked),
            ("Update resource", Ticked),
        ],
    },
    Case {
        id: "node_memory_pressure",
        set: &["node=n2", "instance=n1:9100"],
        steps: &[
            ("Top pods by memory", Runs("kubectl top pods --sort-by=memory -A")),
            ("Trend of available memory", Asks("node_memory_MemAvailable_bytes{instance=\"n1:9100\"}")),
            ("Pods that were killed", Runs("kubectl get events -A --field-selector reason=OOMKilling")),
            ("Decide whether", Noted),
            ("Cordon the node", Runs("kubectl cordon n2")),
        ],
    },
    Case {
        id: "node_filesystem_filling",
        set: &["node=n1", "instance=n1:9100", "mountpoint=/data"],
        steps: &[
            ("How fast", Asks("mountpoint=\"/data\"")),
            ("Pods on the node", Runs("kubectl get pods -A -o wide --field-selector spec.nodeName=n1")),
            ("What writes there", Session("ssh n1", "df -h")),
            ("Keep new pods away", Runs("kubectl cordon n1")),
            ("Free space only", Ticked),
            ("Grow the volume", Ticked),
        ],
    },
    Case {
        id: "bad_deploy",
        set: &["service=web", "namespace=shop"],
        steps: &[
            ("Error ratio by version", Asks("http_requests_total{service=\"web\"}")),
            ("Last rollouts", Runs("kubectl rollout history deployment/web -n shop")),
            ("Logs of the new pods", Runs("kubectl logs deployment/web -n shop --since=10m --tail=200")),
            ("Roll back", Runs("kubectl rollout undo deployment/web -n shop")),
            ("Say in the channel", Ticked),
            ("Check that queued work", Ticked),
        ],
    },
    Case {
        id: "latency_high",
        set: &["service=web", "namespace=shop"],
        steps: &[
            ("Slowest endpoints", Asks("topk(5")),
            ("Pods by CPU", Runs("kubectl top pods -n shop --sort-by=cpu")),
            ("Is a dependency slow", Asks("upstream_request_duration_seconds_bucket")),
            ("Restart pods that hang", Skipped),
            ("Shed load", Ticked),
            ("Add replicas only", Ticked),
        ],
    },
    Case {
        id: "database_failover",
        set: &["cluster=orders", "namespace=data"],
        steps: &[
            ("Who is primary now", Asks("pg_replication_is_replica{cluster=\"orders\"}")),
            ("State of the cluster", Runs("patronictl list orders")),
            ("Pods of the cluster", Runs("kubectl get pods -n data -l app=postgres -o wide")),
            ("Make sure that the old primary", Noted),
            ("Promote the replica", Runs("patronictl failover orders --force")),
            ("Check the replication lag", Ticked),
            ("Restart services", Ticked),
        ],
    },
    Case {
        id: "replication_lag",
        set: &["cluster=orders", "instance=db-2"],
        steps: &[
            ("Lag of every replica", Asks("pg_replication_lag_seconds{cluster=\"orders\"}")),
            ("State of the cluster", Runs("patronictl list orders")),
            ("Longest transactions", Session("psql -h db-2", "select pid")),
            ("Give a bulk load", Waits),
            ("Take the replica out", Ticked),
            ("Look for a long transaction", Ticked),
        ],
    },
    Case {
        id: "certificate-expiry",
        set: &["host=pay.example", "namespace=edge", "certificate=pay"],
        steps: &[
            ("The certificate served", Ticked),
            ("cert-manager's last order", Ticked),
            ("Read the end date", Runs("openssl s_client -connect pay.example:443 -servername pay.example")),
            ("See why the renewal failed", Runs("kubectl describe certificate pay -n edge")),
            ("Read the log", Runs("kubectl logs deployment/cert-manager -n cert-manager --since=1h --tail=200")),
            (
                "Ask for a new one",
                Runs(
                    "kubectl annotate certificate pay -n edge cert-manager.io/issue-temporary-certificate=true --overwrite",
                ),
            ),
            ("Restart what keeps", Ticked),
            ("Clients see the new", Ticked),
            ("The warning time", Ticked),
        ],
    },
    Case {
        id: "flapping_alert",
        set: &["alertname=CartFlapping"],
        steps: &[
            ("How often it fired", Asks("ALERTS_FOR_STATE{alertname=\"CartFlapping\"}")),
            ("Compare the metric", Ticked),
            ("Say in a note", Ticked),
            ("Lengthen", Ticked),
            ("Open a change", Ticked),
        ],
    },
    Case {
        id: "regional_outage",
        set: &["region=eu-west-1"],
        steps: &[
            ("See which regions", Asks("up{job=\"edge\"}")),
            ("Look at the edge", Runs("kubectl get pods -n edge -o wide --context eu-west-1")),
            ("Read the provider's status page", Ticked),
            ("Take the incident commander", Ticked),
            (
                "Move the traffic away",
                Runs("kubectl annotate service edge -n edge traffic.example.com/drain=eu-west-1 --overwrite"),
            ),
            ("Check that the other regions", Ticked),
            ("Silence the region's alerts", Ticked),
            ("Bring traffic back", Ticked),
            ("Write down when", Ticked),
        ],
    },
];

/// What Prometheus scrapes: a node that is hot and full, a deploy that fails, a cluster without a primary, a region that
/// is out. Counters grow by the second.
fn metrics(second: f64, calls: &[String]) -> String {
    let was_done = |words: &str| calls.iter().any(|call| call.starts_with(words));
    let mut text = String::new();
    let mut add = |series: &str, value: f64| text.push_str(&format!("{series} {value}\n"));
    add(
        "node_cpu_seconds_total{instance=\"n1:9100\",mode=\"idle\"}",
        if was_done("kubectl scale") { second * 50.0 } else { second * 0.04 },
    );
    add("node_memory_MemAvailable_bytes{instance=\"n1:9100\"}", 8e8);
    add("node_memory_MemTotal_bytes{instance=\"n1:9100\"}", 1e10);
    add("node_filesystem_avail_bytes{instance=\"n1:9100\",mountpoint=\"/data\"}", 4e9 - second);
    add("node_filesystem_size_bytes{instance=\"n1:9100\",mountpoint=\"/data\"}", 1e11);
    // After the rollback so many good ones that the bad ones of before are less than one in a hundred.
    let good = if was_done("kubectl rollout undo deployment/web -n shop") { 1e6 } else { 80.0 };
    for (code, each) in [("200", good), ("500", 20.0)] {
        add(&format!("http_requests_total{{service=\"web\",version=\"2\",code=\"{code}\"}}"), second * each);
    }
    for bucket in ["http_request", "upstream_request"] {
        for (le, each) in [("0.5", 90.0), ("1", 99.5), ("+Inf", 100.0)] {
            let more = if bucket == "http_request" { "handler=\"/pay\"" } else { "upstream=\"ledger\"" };
            add(&format!("{bucket}_duration_seconds_bucket{{service=\"web\",{more},le=\"{le}\"}}"), second * each);
        }
    }
    for instance in ["db-1", "db-2"] {
        let is_replica = f64::from(instance == "db-1" || !was_done("patronictl failover"));
        add(&format!("pg_replication_is_replica{{cluster=\"orders\",instance=\"{instance}\"}}"), is_replica);
        add(&format!("pg_up{{cluster=\"orders\",instance=\"{instance}\"}}"), 1.0);
    }
    add("pg_replication_lag_seconds{cluster=\"orders\",instance=\"db-2\"}", 95.0);
    add("ALERTS_FOR_STATE{alertname=\"CartFlapping\"}", second);
    add("up{job=\"edge\",region=\"eu-west-1\"}", 0.0);
    for (code, each) in [("2xx", 10.0), ("5xx", 90.0)] {
        add(&format!("edge_requests_total{{region=\"eu-west-1\",code=\"{code}\"}}"), second * each);
    }
    text
}

/// What the person at the terminal does with what it asks now.
fn answer(screen: &str, becomes: Becomes) -> Option<String> {
    // A session prints behind its question.
    let asks = ["leaves:", "runs exactly this", "exactly this line", "ends the session:", "leaves it open", "]:"];
    let is_asked = |line: &&str| asks.iter().any(|ask| line.contains(ask)) || line.contains(" to run exactly this:");
    let last = screen.lines().rev().map(str::trim).find(is_asked).unwrap_or_default();
    let pressed = |keys: &str| Some(keys.to_owned());
    if last.contains("Enter runs it, s skips") || last.contains("Enter ends the session:") {
        return pressed("\r");
    }
    if last.contains("y runs exactly this, anything") {
        return pressed("y\r");
    }
    if let Some(name) =
        last.strip_prefix("type ").and_then(|rest| rest.split_once(" to run exactly this:")).map(|found| found.0)
    {
        return Some(format!("{name}\r"));
    }
    if last.contains("Enter sends exactly this line") {
        return pressed("\r");
    }
    if last.contains("Enter ticks it") {
        return pressed("\r");
    }
    if last.contains("empty leaves it open") {
        return pressed("nothing unusual\r");
    }
    if let (Answered(text), true) = (becomes, last.contains("]:")) {
        return Some(format!("{text}\r"));
    }
    None
}

/// Walks through one runbook; what the screen said of each step.
async fn walk(stage: &Stage, case: &Case) -> Vec<String> {
    let mut words = vec!["runbook", "run", case.id];
    for set in case.set {
        words.extend(["--set", set]);
    }
    let mut terminal = stage.terminal_of(&words, 200, 500);
    let until = Instant::now() + Duration::from_secs(120);
    let mut answered = 0;
    loop {
        let is_over = terminal.drain(Duration::from_millis(20)).await;
        let text = terminal.text();
        assert!(Instant::now() < until, "{} does not go on:\n{text}", case.id);
        let parts: Vec<&str> = text.split("\nStep ").collect();
        let Some(at) = parts.len().checked_sub(2).map(|at| at.min(case.steps.len() - 1)) else { continue };
        let becomes = case.steps[at].1;
        // One answer for each new question.
        let asked = text.matches("exactly").count()
            + text.matches("Enter").count()
            + text.matches("]:").count()
            + text.matches("open):").count();
        if let Some(keys) = answer(&text, becomes).filter(|_| asked > answered) {
            answered = asked;
            terminal.send(&keys).await;
        }
        if is_over {
            return terminal.text().split("\nStep ").skip(1).map(str::to_owned).collect();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_every_shipped_runbook_does_what_the_table_says() {
    let stage = Stage::shipped(metrics).await;
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir("runbooks").expect("the shipped runbooks").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains(".test.") {
            continue;
        }
        let (runbooks, problems) = warroom::runbook::read(&name, &fs::read(entry.path()).expect("a file"));
        assert!(problems.is_empty(), "{name}: {problems:?}");
        for runbook in runbooks {
            known.insert(runbook.id.to_string(), runbook.steps.iter().map(|step| step.title.to_string()).collect());
        }
    }
    for (id, titles) in &known {
        let case = CASES.iter().find(|case| case.id == id).unwrap_or_else(|| panic!("{id} is not in the table"));
        let rows: Vec<&str> = case.steps.iter().map(|(title, _)| *title).collect();
        assert_eq!(titles.len(), rows.len(), "{id}: {titles:?} against {rows:?}");
        for (title, row) in titles.iter().zip(rows) {
            assert!(title.starts_with(row), "{id}: '{title}' against '{row}'");
        }
    }
    assert_eq!(known.len(), CASES.len(), "the table has a runbook that does not ship");
    // The first one alone: it makes the journal that the others share.
    let (first, others) = CASES.split_first().expect("a table");
    let mut walks = vec![walk(&stage, first).await];
    walks.extend(futures_util::future::join_all(others.iter().map(|case| walk(&stage, case))).await);
    for (case, said) in CASES.iter().zip(walks) {
        assert_eq!(said.len(), case.steps.len(), "{}: {said:#?}", case.id);
        for ((title, becomes), said) in case.steps.iter().zip(&said) {
            let is_so = match becomes {
                Runs(words) => {
                    stage.programs().contains(&(*words).to_owned()) && said.contains(words) && said.contains("    done")
                }
                Asks(query) => said.contains(query) && said.contains("    done") && !said.contains("no data"),
                Session(words, line) => said.contains(words) && said.contains(line) && said.contains("    done"),
                Ticked => said.contains("Enter ticks it"),
                Noted => said.contains("wants a note"),
                Answered(text) => said.contains(text),
                Waits => said.contains("would run"),
                Skipped => said.contains("would skip"),
            };
            assert!(is_so, "{}: '{title}' should be {becomes:?}, but:\n{said}\n{:#?}", case.id, stage.programs());
        }
    }
}
