//! Every verb of the command line against the simulated world, and what became of it there.

use std::sync::Arc;

use serde_json::Value;
use warroom::sim::pager::model::Status;
use warroom::sim::{Running, SimOptions, serve};

use super::home::{Home, Ran};

/// A world and a home that is connected to it.
struct Stage {
    sim: Running,
    home: Arc<Home>,
}

impl Stage {
    async fn of(scenario: &str, config: impl Fn(&str) -> String) -> Self {
        let sim = serve(SimOptions { scenario: scenario.to_owned(), ..SimOptions::default() }).await.expect("a world");
        let home = Arc::new(Home::new(&config(&sim.config_toml)));
        Self { sim, home }
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let home = Arc::clone(&self.home);
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let ran =
            tokio::task::spawn_blocking(move || home.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        ran.await.expect("no panic")
    }

    async fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ran = self.run(&[arguments, &["--json"]].concat()).await;
        let told = serde_json::from_str(&ran.out);
        (ran.code, told.unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}{}", ran.out, ran.err)))
    }

    /// An action that must be confirmed; what PagerDuty says of it.
    async fn act(&self, arguments: &[&str]) -> String {
        let (code, told) = self.json(arguments).await;
        assert_eq!((code, &told["results"][0]["delivery"]), (Some(0), &"confirmed".into()), "{arguments:?}: {told:#}");
        told["results"][0]["says"].as_str().expect("words").to_owned()
    }

    /// Number, status and holders of the incident with this title.
    fn incident(&self, title: &str) -> (String, Status, Vec<&'static str>) {
        let world = self.sim.sim().world();
        let (pager, people) = (world.pager(), &world.pager().company.people);
        // The evening's own, not one of the days before.
        let found = pager.incidents().iter().rfind(|one| one.title.starts_with(title) && one.merged_into.is_none());
        let found = found.unwrap_or_else(|| panic!("no incident '{title}'"));
        let holders = found.assignments.iter().map(|(_, person)| people[*person].name).collect();
        (found.id.clone(), found.status, holders)
    }
}

fn as_it_is(config: &str) -> String {
    config.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_is_confirmed_by_the_world() {
    let stage = Stage::of("bad-deploy", as_it_is).await;
    let (id, status, first) = stage.incident("Checkout fails");
    assert_eq!(status, Status::Triggered);
    // The level it stands at is worked out from who has it: "the next one" needs no --level.
    let says = stage.act(&["incidents", "escalate", &id, "--yes"]).await;
    let (_, _, second) = stage.incident("Checkout fails");
    assert!(says.starts_with("level 2 called") && first != second, "{says}: {first:?} → {second:?}");
    stage.act(&["incidents", "ack", &id]).await;
    assert_eq!(stage.incident("Checkout fails").1, Status::Acknowledged);
    assert!(stage.act(&["incidents", "ack", &id]).await.starts_with("already acknowledged"), "twice is once");
    stage.act(&["incidents", "note", &id, "-m", "rolling back"]).await;
    stage.act(&["incidents", "snooze", &id, "--for", "1h"]).await;
    stage.act(&["incidents", "reassign", &id, "--to", "tomás rivera", "--yes"]).await;
    assert_eq!(stage.incident("Checkout fails").2, ["Tomás Rivera"]);
    stage.act(&["incidents", "reassign", &id, "--policy", "Platform on-call", "--yes"]).await;
    assert_ne!(stage.incident("Checkout fails").2, ["Tomás Rivera"]);

    let declare = ["incidents", "declare", "Mails are late", "--service", "notifications", "--priority", "P3", "--yes"];
    stage.act(&declare).await;
    let other = stage.incident("Mails are late").0;
    stage.act(&["incidents", "merge", &id, &other, "--yes"]).await;
    let merged = |one: &warroom::sim::pager::model::Incident| one.id == other && one.merged_into.is_some();
    assert!(stage.sim.sim().world().pager().incidents().iter().any(merged));
    stage.act(&["incidents", "resolve", &id, "-m", "rolled back", "--yes"]).await;
    assert_eq!(stage.incident("Checkout fails").1, Status::Resolved);

    let (code, told) = stage.json(&["incidents", "show", &id]).await;
    assert_eq!(code, Some(0), "{told:#}");
    let kinds: Vec<&str> =
        told["timeline"].as_array().expect("a list").iter().filter_map(|one| one["kind"].as_str()).collect();
    for kind in ["trigger", "escalate", "acknowledge", "note", "snooze", "assign", "resolve"] {
        assert!(kinds.contains(&kind), "{kind} is missing: {kinds:?}");
    }
    let (code, told) = stage.json(&["incidents", "ack", "PNOSUCH1", &id]).await;
    assert_eq!(code, Some(1), "one target's failure is the command's: {told:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_checks_of_a_busy_evening() {
    let stage = Stage::of("friday-night", as_it_is).await;
    let (code, told) = stage.json(&["incidents", "list"]).await;
    let incidents = told["incidents"].as_array().expect("a list");
    assert!(code == Some(0) && told["complete"] == true && incidents.len() > 12, "{told:#}");
    let correlated = incidents.iter().filter(|one| !one["pagerduty_id"].is_null() && one["alerts"].as_u64() > Some(0));
    assert!(correlated.count() >= 8, "PagerDuty's incidents have the alerts that raised them: {told:#}");
    let ran = stage.run(&["incidents", "list"]).await;
    let silenced = ran.out.lines().find(|line| line.contains("NodeMemoryHighUtilization"));
    assert!(silenced.is_some_and(|line| line.contains("suppressed")), "{}", ran.out);
    for (arguments, list) in
        [(["alerts", "list"], "alerts"), (["silences", "list"], "silences"), (["oncall", "--timeout=20s"], "oncall")]
    {
        let (code, told) = stage.json(&arguments).await;
        assert!(code == Some(0) && !told[list].as_array().expect("a list").is_empty(), "{arguments:?}: {told:#}");
    }
    let (code, told) = stage.json(&["doctor"]).await;
    assert!(
        code == Some(0) && told["sound"] == true && told["sources"].as_array().expect("a list").len() == 4,
        "{told:#}"
    );
    let ran = stage.run(&["check"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    let ran = stage.run(&["snapshot", "--size", "220x60"]).await;
    assert!(
        ran.code == Some(0) && ran.out.contains("PD+AM") && ran.out.contains("Checkout fails"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_page_of_incidents_filters_and_a_dead_replica() {
    let stage = Stage::of("quiet", |config| config.replace("/alertmanager-2\"", "/nobody-home\"")).await;
    let post = |number: usize| {
        let mut world = stage.sim.sim().world();
        let service = world.pager().company.services[number % 3].id.clone();
        let body = serde_json::json!({"incident": {"type": "incident", "title": format!("Number {number}"),
            "service": {"id": service, "type": "service_reference"}, "urgency": if number.is_multiple_of(2) { "low" } else { "high" }}});
        let mut ask = warroom::sim::http::Ask::new("POST", "/incidents").with_json(&body);
        ask.headers.push(("authorization".to_owned(), format!("Token token={}", warroom::sim::company::USER_TOKEN)));
        ask.headers.push(("from".to_owned(), world.pager().company.people[0].email.clone()));
        assert_eq!(warroom::sim::pagerduty::answer(world.pager_mut(), &ask).status, 201);
    };
    (0..230).for_each(post);
    let (code, told) = stage.json(&["incidents", "list"]).await;
    let ids = |told: &Value| -> std::collections::BTreeSet<String> {
        told["incidents"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["pagerduty_id"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(ids(&told).len(), 230, "three pages, each incident once");
    assert_eq!((code, &told["complete"]), (Some(1), &false.into()), "one replica is dead, and that is said");
    let service = stage.sim.sim().world().pager().company.services[0].id.clone();
    for (filter, expected) in [("urgency = \"high\"".to_owned(), 115), (format!("services = [\"{service}\"]"), 77)] {
        let config = std::fs::read_to_string(stage.home.config()).expect("a configuration");
        std::fs::write(stage.home.config(), config.replacen("events_url", &format!("{filter}\nevents_url"), 1))
            .expect("written");
        assert_eq!(ids(&stage.json(&["incidents", "list"]).await.1).len(), expected, "{filter}");
        std::fs::write(stage.home.config(), config).expect("written");
    }
    let (_, told) = stage.json(&["alerts", "list"]).await;
    assert_eq!(told["alerts"].as_array().expect("a list").len(), 1, "the living replica's alert: {told:#}");
}

/// Only the events address and the routing key; nothing that can list.
fn events_only(config: &str) -> String {
    let world: toml::Table = config.parse().expect("TOML");
    let told = &world["pagerduty"];
    format!(
        "[pagerduty]\nevents_url = \"{}\"\nrouting_key = {{ command = [\"echo\", \"{}\"] }}\n",
        told["events_url"].as_str().expect("an address"),
        told["routing_key"]["command"][1].as_str().expect("a key"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_with_a_routing_key_only_declares_acknowledges_and_resolves() {
    let stage = Stage::of("quiet", events_only).await;
    let (code, told) = stage
        .json(&["incidents", "declare", "Nobody can pay", "--service", "checkout", "-m", "since noon", "--yes"])
        .await;
    assert_eq!((code, &told["results"][0]["delivery"]), (Some(1), &"unknown".into()), "taken is not done: {told:#}");
    let says = told["results"][0]["says"].as_str().expect("words");
    let key = says
        .split_once("under the key ")
        .and_then(|(_, rest)| rest.split_once(';'))
        .expect("the key is told")
        .0
        .to_owned();
    let reached = async |wanted: Status| {
        for _ in 0..100 {
            let there =
                |one: &warroom::sim::pager::model::Incident| one.title == "Nobody can pay" && one.status == wanted;
            if stage.sim.sim().world().pager().incidents().iter().any(there) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("it never became {wanted:?}");
    };
    reached(Status::Triggered).await;
    for (verb, wanted) in
        [(&["incidents", "ack"][..], Status::Acknowledged), (&["incidents", "resolve", "--yes"][..], Status::Resolved)]
    {
        let (code, told) = stage.json(&[verb, &[key.as_str()]].concat()).await;
        assert_eq!((code, &told["results"][0]["delivery"]), (Some(1), &"unknown".into()), "{told:#}");
        reached(wanted).await;
    }
    // What it cannot do and cannot know is said, not guessed.
    for (arguments, words) in [
        (&["incidents", "note", "k1", "-m", "x"][..], "with only a routing key"),
        (&["incidents", "list"][..], "[pagerduty] with a token, or [[alertmanager]]"),
        (&["oncall"][..], "no token is configured"),
    ] {
        let ran = stage.run(arguments).await;
        assert!(ran.code == Some(2) && ran.err.contains(words), "{arguments:?}: {:?} {}", ran.code, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_tries_every_answer_and_writes_a_private_file_that_works() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::of("quiet", |_| String::new()).await;
    std::fs::remove_file(stage.home.config()).expect("no configuration yet");
    let sim = &stage.sim;
    let answers = |token: &str| {
        let alertmanagers = format!("{}\n{}", sim.alertmanager_url, sim.alertmanager_replica_url);
        format!("Ana\n{token}\n{}\n{alertmanagers}\n\n{}\n\n", sim.pagerduty_url, sim.prometheus_url)
    };
    let run = async |input: String| {
        let home = Arc::clone(&stage.home);
        tokio::task::spawn_blocking(move || home.run_with_input(&["init"], &input)).await.expect("no panic")
    };
    let ran = run(answers("not-the-token")).await;
    assert!(ran.code == Some(2) && ran.err.contains("log in to pagerduty") && ran.err.contains("401"), "{ran:?}");
    assert!(!stage.home.config().exists(), "a token that is refused is not written");
    let ran = run(answers(warroom::sim::company::USER_TOKEN)).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mode = |path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(stage.home.config()), mode(stage.home.path("config/warroom/pagerduty.token"))), (0o600, 0o600));
    let text = std::fs::read_to_string(stage.home.config()).expect("a file");
    assert!(!text.contains(warroom::sim::company::USER_TOKEN) && text.contains('#'), "{text}");
    for arguments in [&["check"][..], &["doctor"], &["incidents", "list"]] {
        let ran = stage.run(arguments).await;
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    }
    // The two Alertmanagers are one cluster: `init` saw it, and `doctor` says so where the file does not.
    let folded = stage.run(&["alerts", "list"]).await;
    assert_eq!(folded.out.matches("Watchdog").count(), 1, "{folded:?}");
    assert!(!stage.run(&["doctor"]).await.out.contains("a replica of"));
    std::fs::write(stage.home.config(), text.replace("\ncluster = ", "\n#cluster = ")).expect("written");
    assert!(stage.run(&["doctor"]).await.out.contains("it is a replica of alertmanager-1"));
    let ran = run(answers(warroom::sim::company::USER_TOKEN)).await;
    assert!(ran.code == Some(2) && ran.err.contains("--force"), "{ran:?}");
}
