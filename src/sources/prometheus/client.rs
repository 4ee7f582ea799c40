//! Requests to one Prometheus.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Rule, Settings, answer};
use crate::domain::effect::QueryTime;
use crate::domain::series::QueryResult;
use crate::sources::error::Fault;
use crate::sources::http::{Call, Http};
use crate::sources::listing::{Each, Soft};
use crate::sources::{Listing, SourceError};
use crate::text::{Clean, Untrusted};

/// A client for one server.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
}

#[derive(Debug, Deserialize)]
struct Envelope<T> {
    data: Option<T>,
}

#[derive(Debug, Deserialize)]
struct Build {
    version: Option<Untrusted>,
}

#[derive(Debug, Deserialize)]
struct RuleGroups {
    groups: Each<RuleGroup>,
}

#[derive(Clone, Debug, Deserialize)]
struct RuleGroup {
    name: Untrusted,
    rules: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRule {
    name: Untrusted,
    query: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    state: Soft<Untrusted>,
    #[serde(default)]
    last_error: Soft<Untrusted>,
    #[serde(default)]
    labels: Soft<BTreeMap<String, String>>,
}

impl WireRule {
    fn named(self, group: &Untrusted) -> Rule {
        let clean = |text: Soft<Untrusted>| text.0.filter(|text| !text.is_empty()).map(|text| text.clean());
        Rule {
            group: group.clean(),
            name: self.name,
            query: self.query,
            is_alert: self.kind == "alerting",
            state: clean(self.state),
            last_error: clean(self.last_error),
            labels: self.labels.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        }
    }
}

impl Client {
    /// Makes a client; opens no connection.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn new(settings: Settings) -> Result<Self, SourceError> {
        Ok(Self { http: Http::new(settings.http)? })
    }

    /// The configured address, for messages.
    #[must_use]
    pub fn shown_url(&self) -> &str {
        self.http.shown_url()
    }

    /// Asks, at an instant or over a range, by form POST: an expression may be longer than an address. Dropping the
    /// future closes the connection, which ends the query there.
    ///
    /// # Errors
    /// As [`Http::fetch`]; an expression that the server refuses comes back in the server's own words.
    pub async fn query(&self, promql: &str, time: QueryTime) -> Result<QueryResult, SourceError> {
        let call = match time {
            QueryTime::Instant(at) => {
                let fields = [("query", promql.to_owned()), ("time", seconds(at.timestamp_millis()))];
                Call::read_form(["api", "v1", "query"], &fields)
            }
            QueryTime::Range(range) => {
                let fields = [
                    ("query", promql.to_owned()),
                    ("start", seconds(range.start.timestamp_millis())),
                    ("end", seconds(range.end.timestamp_millis())),
                    ("step", seconds(range.step_ms)),
                ];
                Call::read_form(["api", "v1", "query_range"], &fields)
            }
        };
        // Asked again by the next refresh anyway; a retry here would only add to a slow server's load.
        let reply = self.http.fetch(&call.once().bulk()).await?;
        answer::read(&reply.body, time)
    }

    /// Every rule, for seeing which alerts are covered. Newer filters are ignored by older servers, so none is sent.
    ///
    /// # Errors
    /// As [`Http::fetch`].
    pub async fn rules(&self) -> Result<Listing<Rule>, SourceError> {
        let told: Envelope<RuleGroups> = self.http.json(&Call::get(["api", "v1", "rules"]).bulk()).await?;
        let groups = told.data.ok_or_else(|| Fault::Malformed(Clean::new("it holds no groups")))?.groups;
        let mut listing = self.http.listing::<Rule>();
        for group in groups.iter() {
            let mut told = Listing::<WireRule>::default();
            told.read(&group.rules);
            listing.dropped += told.dropped;
            listing.warnings.extend(told.warnings);
            listing.items.extend(told.items.into_iter().map(|rule| rule.named(&group.name)));
        }
        Ok(listing)
    }

    /// The server's version; `None` when it does not tell (some that speak this API do not).
    ///
    /// # Errors
    /// As [`Http::fetch`], but for 404 and 405, which are a `None`.
    pub async fn version(&self) -> Result<Option<Clean>, SourceError> {
        match self.http.json::<Envelope<Build>>(&Call::get(["api", "v1", "status", "buildinfo"])).await {
            Ok(info) => Ok(info.data.and_then(|build| build.version).map(|version| version.clean())),
            Err(error) if matches!(error.status(), Some(404 | 405)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Milliseconds as the seconds that the API takes, exact.
fn seconds(millis: i64) -> String {
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::domain::series::{Answer, Range, is_gap};
    use crate::domain::testing::{noon, source};
    use crate::sources::error::Disposition;
    use crate::sources::testing::{Server, now, ok, status, with_head};

    fn client(server: &Server) -> Client {
        let mut http = server.settings();
        http.auth.headers.push(("X-Scope-OrgID".to_owned(), "t1".into()));
        Client::new(Settings { id: source("prom"), http }).unwrap()
    }

    #[tokio::test]
    async fn queries_go_as_forms_and_come_back_with_gaps_and_notes() {
        let body = json!({"status": "success", "warnings": ["partial"], "infos": ["odd"], "data": {"resultType": "matrix", "result": [
            {"metric": {"job": "a"}, "values": [[now().timestamp(), "1"], [now().timestamp() + 30, "NaN"]]},
            {"metric": {"job": "h"}, "histograms": [[now().timestamp(), {"count": "1", "sum": "2"}]]}]}});
        let server = Server::answering(move |_| ok(body.clone())).await;
        let range = Range { start: now(), end: now() + TimeDelta::seconds(30), step_ms: 15_000 };
        let result = client(&server).query("up{a=\"ü&\"}", QueryTime::Range(range)).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.line, "POST /api/v1/query_range");
        assert!(asked.head.to_ascii_lowercase().contains("x-scope-orgid: t1"));
        assert_eq!(asked.body, "query=up%7Ba%3D%22%C3%BC%26%22%7D&start=1795521600.000&end=1795521630.000&step=15.000");
        assert_eq!((result.notes.len(), result.histograms), (2, 1));
        let Answer::Matrix { series, .. } = result.answer else { panic!("{:?}", result.answer) };
        let values = &series[0].values;
        assert_eq!((values.len(), values[0], is_gap(values[1])), (3, 1.0, true));
        assert!(values[2].is_nan() && !is_gap(values[2]), "a sample that is NaN is no gap");
    }

    #[tokio::test]
    async fn refusals_keep_prometheus_own_words_and_pages_are_no_answers() {
        let refusal = json!({"status": "error", "errorType": "bad_data", "error": "1:4: parse error"});
        let late = json!({"status": "error", "errorType": "timeout", "error": "query timed out"});
        let script = vec![
            status(400, refusal),
            status(503, late),
            with_head("HTTP/1.1 200 OK", "<p>"),
            ok(json!({"status": "success"})),
        ];
        let server = Server::scripted(script).await;
        let client = client(&server);
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(client.query("up{", QueryTime::Instant(noon(0))).await);
        }
        let words: Vec<String> =
            told.iter().map(|told| told.as_ref().map_or_else(ToString::to_string, |_| "read".into())).collect();
        assert!(words[0].ends_with("(400 bad_data): 1:4: parse error"), "{}", words[0]);
        assert!(words[1].ends_with("(503 timeout): query timed out"), "{}", words[1]);
        assert!(words[2].contains("web page"), "{}", words[2]);
        assert_eq!(told[0].as_ref().unwrap_err().disposition(), Disposition::GiveUp);
        assert_eq!(server.asked().len(), 4, "a slow query is not asked again by itself");
    }

    #[tokio::test]
    async fn rules_are_read_one_by_one_and_the_version_may_be_missing() {
        let server = Server::scripted(vec![
            ok(json!({"status": "success", "data": {"groups": [{"name": "g", "file": "f", "rules": [
                {"name": "A", "query": "up == 0", "type": "alerting", "state": "firing", "labels": {"severity": "page"}, "lastError": ""},
                {"name": "r", "query": "sum(up)", "type": "recording", "lastError": "bad"}, {"name": 7}]}, null]}})),
            ok(json!({"status": "success", "data": {"version": "2.42.0"}})),
            status(404, "404 page not found"),
        ])
        .await;
        let client = client(&server);
        let rules = client.rules().await.unwrap();
        assert_eq!((rules.items.len(), rules.dropped), (2, 1));
        assert_eq!((rules.items[0].is_alert, rules.items[0].labels.len()), (true, 1));
        assert_eq!(rules.items[1].last_error.as_ref().map(Clean::as_str), Some("bad"));
        assert_eq!(client.version().await.unwrap().as_ref().map(Clean::as_str), Some("2.42.0"));
        assert_eq!(client.version().await.unwrap(), None);
    }
}
