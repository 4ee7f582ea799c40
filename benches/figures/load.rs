//! A heavy room made of facts: fifty thousand alerts, ten thousand incidents, and the changes that keep coming.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Duration, Utc};
use warroom::domain::alert::{Alert, AlertKey, AlertState, Fingerprint, GroupRef, Labels};
use warroom::domain::correlate::dedup_key;
use warroom::domain::fact::Fact;
use warroom::domain::id::{DedupKey, PagerId, PriorityId, ServiceId, SourceId, UserId};
use warroom::domain::incident::{Named, PagerIncident, Priority, Status, Urgency};
use warroom::domain::time::Timestamp;
use warroom::text::{Clean, Untrusted};

/// So many incidents are critical and older than everything else: the rows in which keys are measured.
pub const TOP: usize = 300;

/// The bench's present: when it was first asked for, in whole seconds.
pub fn present() -> Timestamp {
    static PRESENT: OnceLock<Timestamp> = OnceLock::new();
    *PRESENT.get_or_init(|| DateTime::from_timestamp(Utc::now().timestamp(), 0).expect("a date"))
}

fn id<T>(parse: impl Fn(&str) -> Option<T>, text: &str) -> T {
    parse(text).expect("a plain id")
}

/// The key of group `at`: a hash as real ones are, because rows are named by its beginning.
fn key(at: usize) -> DedupKey {
    dedup_key(&format!("{{}}:{{at=\"{at}\"}}")).expect("a key")
}

/// Interned strings, as the sources share them.
pub struct Words {
    names: Vec<&'static str>,
    services: Vec<Untrusted>,
    alertnames: Vec<Untrusted>,
    severities: Vec<Untrusted>,
    cluster: SourceId,
}

impl Words {
    /// The words of a middling company.
    pub fn new() -> Self {
        let shared = |text: &str| Untrusted::from(text);
        Self {
            names: ["alertname", "cluster", "instance", "job", "namespace", "pod", "service", "severity"].to_vec(),
            services: (0..200).map(|at| shared(&format!("service-{at:03}"))).collect(),
            alertnames: (0..120).map(|at| shared(&format!("KubeSomethingIsWrong{at:03}"))).collect(),
            severities: ["critical", "warning", "info", "page"].map(shared).to_vec(),
            cluster: id(SourceId::parse, "am"),
        }
    }

    /// Alert number `at`, in its `version`th shape.
    pub fn alert(&self, at: usize, version: usize) -> Arc<Alert> {
        let service = &self.services[at % self.services.len()];
        let pairs = [
            self.alertnames[at % self.alertnames.len()].clone(),
            Untrusted::from("prod-eu-1"),
            Untrusted::from(format!("10.{}.{}.{}:9100", at / 65_536, (at / 256) % 256, at % 256)),
            Untrusted::from("node"),
            Untrusted::from("shop"),
            Untrusted::from(format!("pod-{at:05}-x7k2p")),
            service.clone(),
            self.severities[(at + version) % self.severities.len()].clone(),
        ];
        let labels = Labels::new(self.names.iter().copied().zip(pairs.iter().map(Untrusted::borrow)));
        let summary = Untrusted::from(format!("Something is wrong with pod-{at:05} (value {version})"));
        Arc::new(Alert {
            key: AlertKey { cluster: self.cluster.clone(), fingerprint: Fingerprint(at as u64) },
            labels,
            annotations: Labels::new([("summary", summary.borrow())]),
            starts_at: present() - Duration::seconds((at % 7_200) as i64),
            updated_at: present() + Duration::seconds(version as i64),
            generator_url: Untrusted::from(format!("http://prometheus:9090/graph?g0.expr=up&at={at}")),
            state: AlertState::Active,
            groups: [GroupRef { receiver: Arc::from("pagerduty"), key: key(at), pages: true }].into(),
        })
    }

    /// All alerts, in batches as the engine sends them.
    pub fn alerts(&self, count: usize) -> Vec<Fact> {
        let numbers: Vec<usize> = (0..count).collect();
        numbers.chunks(500).map(|chunk| self.changed(chunk.iter().map(|&at| self.alert(at, 0)).collect())).collect()
    }

    /// A fact about these alerts.
    pub fn changed(&self, changed: Vec<Arc<Alert>>) -> Fact {
        Fact::AlertsChanged { cluster: self.cluster.clone(), changed, ended: Vec::new(), at: present() }
    }

    /// PagerDuty incidents, in batches.
    pub fn incidents(&self, count: usize) -> Vec<Fact> {
        let numbers: Vec<usize> = (0..count).collect();
        numbers
            .chunks(100)
            .map(|chunk| Fact::IncidentsChanged {
                source: id(SourceId::parse, "pagerduty"),
                changed: chunk.iter().map(|&at| self.incident(at)).collect(),
            })
            .collect()
    }

    fn incident(&self, at: usize) -> Arc<PagerIncident> {
        let service = self.services[at % self.services.len()].clean();
        Arc::new(PagerIncident {
            id: id(PagerId::parse, &format!("Q{at:013}")),
            number: at as u64,
            title: Clean::new(format!("[FIRING:1] case-{at:05} KubeSomethingIsWrong{:03} {service} shop", at % 120)),
            status: if at % 3 == 0 && at >= TOP { Status::Acknowledged } else { Status::Triggered },
            urgency: if at % 5 == 0 { Urgency::Low } else { Urgency::High },
            priority: (at < TOP).then(|| Priority {
                id: id(PriorityId::parse, "PPRIO1"),
                name: Clean::new("P1"),
                rank: Some(0),
            }),
            service: Some(Named { id: id(ServiceId::parse, &format!("P{:06}", at % 200)), name: service }),
            policy: None,
            level: Some(1),
            assigned_directly: false,
            assignees: vec![Named { id: id(UserId::parse, "PU1"), name: Clean::new("Ana Ruiz") }],
            acknowledgements: Vec::new(),
            teams: Vec::new(),
            // The first ones have waited longest: they stand at the top, whatever the alerts below do.
            created_at: present()
                - Duration::seconds(if at < TOP { 100_000 - at as i64 } else { (at % 86_400) as i64 }),
            changed_at: present() - Duration::seconds((at % 3_600) as i64),
            pending: Vec::new(),
            keys: vec![key(at * 3)],
            alert_counts: (1, 0),
            merged_into: None,
            fingerprints: Vec::new(),
            is_mergeable: true,
            html_url: None,
            alert_severity: None,
        })
    }
}
