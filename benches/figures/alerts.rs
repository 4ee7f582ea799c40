//! A poll of 50,000 alerts, from the socket to the room: read, cleaned, compared, applied; against plain typed serde_json on
//! the same bytes, which does none of the rest.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use serde::Deserialize;
use url::Url;
use warroom::domain::id::SourceId;
use warroom::domain::room::Room;
use warroom::engine::alerts::{Cluster, Told, facts};
use warroom::sources::alertmanager::{Client, Settings};
use warroom::sources::http::{self, Edge};

use crate::clock::{median, timed};
use crate::load::present;
use crate::provider::{Load, Provider};

const ALERTS: usize = 50_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "plain typed reading reads every field")]
struct Plain {
    labels: HashMap<String, String>,
    annotations: HashMap<String, String>,
    starts_at: chrono::DateTime<chrono::Utc>,
    updated_at: chrono::DateTime<chrono::Utc>,
    ends_at: chrono::DateTime<chrono::Utc>,
    fingerprint: String,
    receivers: Vec<PlainName>,
    status: PlainStatus,
    #[serde(rename = "generatorURL")]
    generator_url: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "plain typed reading reads every field")]
struct PlainName {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "plain typed reading reads every field")]
struct PlainStatus {
    state: String,
    silenced_by: Vec<String>,
    inhibited_by: Vec<String>,
}

/// What keeps a cluster's alerts, from its client to the room.
struct Side {
    client: Client,
    cluster: Cluster,
    room: Room,
}

impl Side {
    fn new(provider: &Provider) -> Self {
        let edge = Edge { now: Arc::new(present), random: Arc::new(|| 7) };
        let url = Url::parse(&provider.alertmanager()).expect("an address");
        let settings = Settings { id: name(), http: http::Settings::new(url, edge), cluster: name() };
        let client = Client::new(settings).expect("a client");
        Self { client, cluster: Cluster::new(name()), room: Room::default() }
    }

    /// One poll. Its two costs: reading what came, and what the difference costs.
    async fn poll(&mut self) -> (f64, f64, usize) {
        let before = crate::clock::cpu();
        let listing = self.client.alerts().await.expect("alerts");
        let read = (crate::clock::cpu() - before).as_secs_f64() * 1000.0;
        let (rest, changed) = timed(|| {
            let is_all = listing.tells_absence();
            let told = Told { alerts: listing.items, is_all, ..Told::default() };
            let difference = self.cluster.learn(&name(), told);
            let changed = difference.changed.len();
            for fact in facts(&name(), difference, present()) {
                self.room.apply(&fact, present());
            }
            changed
        });
        (read, rest, changed)
    }
}

fn name() -> SourceId {
    SourceId::parse("am").expect("an identity")
}

/// First and repeated polls, in turns with the plain reader.
pub fn run() {
    let provider = Provider::start(Load { alerts: ALERTS, incidents: 0, changing: ALERTS / 100 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let body = provider.body();
    let (mut base, mut first, mut repeat, mut rests) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..6 {
        let (plain, read) = timed(|| serde_json::from_slice::<Vec<Plain>>(&body).expect("alerts"));
        assert_eq!(black_box(read).len(), ALERTS);
        base.push(plain);
        let mut side = Side::new(&provider);
        runtime.block_on(async {
            side.client.status().await.expect("routes");
            let (read, rest, changed) = side.poll().await;
            assert_eq!((changed, side.room.alerts().count()), (ALERTS, ALERTS), "every alert is there");
            first.push(read + rest);
            rests.push(rest);
            for _ in 0..2 {
                let (read, rest, changed) = side.poll().await;
                assert_eq!(changed, ALERTS / 100, "what changed, and nothing else");
                repeat.push(read + rest);
            }
        });
    }
    let (base, first, repeat) = (median(base), median(first), median(repeat));
    println!(
        "50,000 alerts ({:.1} MB), CPU of socket + read + clean + compare + apply: first poll {first:.0} ms, of that compare and \
         apply {:.0} ms; repeated with 1 % changed {repeat:.0} ms; plain typed serde_json (reads only) {base:.0} ms; ratios {:.2} \
         (goal 1.00) and {:.2} (goal 0.60)",
        body.len() as f64 / 1e6,
        median(rests),
        first / base,
        repeat / base,
    );
}
