//! What Prometheus answers to a query, read straight into columns. Pure.
//!
//! One pass over the bytes: no tree, no owned string for a number. A 50 × 11,000 matrix is 20 MB of text; building it as
//! owned strings and parsing them afterwards takes about twice the time (RELIABILITY F9). Order of keys does not matter,
//! unknown ones are skipped, a value of the wrong kind costs itself and nothing else.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::columns::{Elements, ResultSeed};
use super::scan;
use crate::domain::effect::QueryTime;
use crate::domain::series::{Answer, QueryResult, Range, Sample, Series};
use crate::domain::time::Timestamp;
use crate::sources::error::{Fault, Rejection, SourceError};
use crate::text::{Clean, Untrusted};

/// Reads the body of a 2xx answer to a query asked for `time`.
///
/// # Errors
/// A body that is not the documented envelope, or one that says `"status": "error"`.
pub fn read(body: &[u8], time: QueryTime) -> Result<QueryResult, SourceError> {
    let cut = match time {
        QueryTime::Range(range) => scan::cut(body, range),
        QueryTime::Instant(_) => return read_whole(body, Vec::new(), time),
    };
    // What is wrong is told of the text as it came, so a failure is read again without the cut.
    read_whole(&cut.skeleton, cut.columns, time).or_else(|_| read_whole(body, Vec::new(), time))
}

fn read_whole(body: &[u8], columns: Vec<scan::Column>, time: QueryTime) -> Result<QueryResult, SourceError> {
    let mut envelope = Envelope { elements: Elements::with_cut(columns), ..Envelope::default() };
    let mut json = serde_json::Deserializer::from_slice(body);
    let outcome = json.deserialize_map(EnvelopeVisitor { envelope: &mut envelope, time }).and_then(|()| json.end());
    outcome.map_err(|error| crate::sources::http::json_fault(200, body, &error))?;
    match envelope.status.as_deref() {
        Some("success") => Ok(envelope.into_result(time)),
        Some("error") => Err(envelope.into_error()),
        _ => Err(Fault::Malformed(Clean::new("the answer has no status")).into()),
    }
}

#[derive(Default)]
struct Envelope {
    status: Option<String>,
    kind: Option<String>,
    elements: Elements,
    notes: Vec<Clean>,
    error_type: Option<String>,
    error: Option<String>,
}

impl Envelope {
    fn into_result(self, time: QueryTime) -> QueryResult {
        let Self { kind, elements, mut notes, error, .. } = self;
        // Data may come with an error (partial answers); the words go beside the number.
        notes.extend(error.map(Clean::new));
        if elements.dropped > 0 {
            notes.push(Clean::new(format!("{} elements were not understood", elements.dropped)));
        }
        let histograms = elements.histograms;
        QueryResult { answer: answer(kind.as_deref(), elements, time), notes, histograms }
    }

    fn into_error(self) -> SourceError {
        let message = self.error.unwrap_or_else(|| "no reason given".to_owned());
        Fault::Rejected(Rejection { status: 200, code: self.error_type.map(Clean::new), message: Clean::new(message) })
            .into()
    }
}

fn answer(kind: Option<&str>, elements: Elements, time: QueryTime) -> Answer {
    if let Some((at, text)) = elements.bare {
        return match text.parse::<f64>() {
            Ok(value) if kind != Some("string") => {
                Answer::Vector(vec![Sample { labels: crate::domain::alert::Labels::default(), at: instant(at), value }])
            }
            _ => Answer::Text(Untrusted::new(text).clean()),
        };
    }
    match time {
        QueryTime::Range(range) => Answer::Matrix {
            range,
            series: elements
                .columns
                .into_iter()
                .map(|(labels, values)| Series { labels, values: values.into() })
                .collect(),
        },
        QueryTime::Instant(_) if !elements.raw.is_empty() => raw_matrix(elements.raw),
        QueryTime::Instant(_) => Answer::Vector(
            elements.samples.into_iter().map(|(labels, at, value)| Sample { labels, at: instant(at), value }).collect(),
        ),
    }
}

/// Raw samples of a range selector (`up[5m]`) laid on the finest grid that they need and that Prometheus would take.
fn raw_matrix(raw: Vec<(crate::domain::alert::Labels, Vec<(f64, f64)>)>) -> Answer {
    let millis = |at: f64| (at * 1000.0).round() as i64;
    let times = || raw.iter().flat_map(|(_, points)| points.iter().map(|(at, _)| millis(*at)));
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Answer::Vector(Vec::new()) };
    let closest = raw
        .iter()
        .flat_map(|(_, points)| {
            points.windows(2).map(|pair| match pair {
                [(before, _), (after, _)] => millis(*after) - millis(*before),
                _ => i64::MAX,
            })
        })
        .filter(|distance| *distance > 0)
        .min();
    let step_ms = closest.unwrap_or(1_000).max((last - first) / (super::MAX_POINTS - 1)).max(1);
    let range = Range { start: instant(first as f64 / 1000.0), end: instant(last as f64 / 1000.0), step_ms };
    let series = raw
        .into_iter()
        .map(|(labels, points)| {
            let mut values = vec![crate::domain::series::gap(); range.points()];
            for (at, value) in points {
                let slot = usize::try_from((millis(at) - first) / step_ms).ok();
                if let Some(place) = slot.and_then(|slot| values.get_mut(slot)) {
                    *place = value;
                }
            }
            Series { labels, values: values.into() }
        })
        .collect();
    Answer::Matrix { range, series }
}

/// Prometheus's seconds; what is outside any calendar becomes the epoch rather than an error.
fn instant(seconds: f64) -> Timestamp {
    Timestamp::from_timestamp_millis((seconds * 1000.0).round() as i64).unwrap_or_default()
}

struct EnvelopeVisitor<'e> {
    envelope: &'e mut Envelope,
    time: QueryTime,
}

impl<'de> Visitor<'de> for EnvelopeVisitor<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the envelope of a Prometheus answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "status" => self.envelope.status = map.next_value()?,
                "errorType" => self.envelope.error_type = map.next_value()?,
                "error" => self.envelope.error = map.next_value()?,
                "warnings" | "infos" => {
                    let notes: Option<Vec<Untrusted>> = map.next_value()?;
                    self.envelope.notes.extend(notes.unwrap_or_default().iter().map(Untrusted::clean));
                }
                "data" => map.next_value_seed(DataSeed { envelope: self.envelope, time: self.time })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct DataSeed<'e> {
    envelope: &'e mut Envelope,
    time: QueryTime,
}

impl<'de> DeserializeSeed<'de> for DataSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DataSeed<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("resultType and result")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let range = match self.time {
            QueryTime::Range(range) => Some(range),
            QueryTime::Instant(_) => None,
        };
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "resultType" => self.envelope.kind = map.next_value()?,
                "result" => map.next_value_seed(ResultSeed::new(&mut self.envelope.elements, range))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::series::is_gap;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    fn range() -> QueryTime {
        QueryTime::Range(Range { start: at(100), end: at(130), step_ms: 10_000 })
    }

    fn columns(body: &str) -> Vec<Vec<f64>> {
        match read(body.as_bytes(), range()).unwrap().answer {
            Answer::Matrix { series, .. } => series.into_iter().map(|series| series.values.to_vec()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn samples_stand_at_their_time_and_gaps_stay_gaps() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"job":"a"},"values":[[100,"1"],[120.000,"NaN"],[130,"+Inf"]]}]}}"#;
        let values = &columns(body)[0];
        assert_eq!(values[0], 1.0);
        assert!(is_gap(values[1]), "no sample");
        assert!(values[2].is_nan() && !is_gap(values[2]), "a sample that is NaN is not a gap");
        assert_eq!(values[3], f64::INFINITY);
    }

    #[test]
    fn keys_in_any_order_and_unknown_ones() {
        let body = r#"{"infos":["i"],"data":{"x":{"y":[1]},"result":[{"values":[[110,"2"]],"metric":null,"z":1}],
            "resultType":"matrix"},"warnings":["w"],"status":"success"}"#;
        let result = read(body.as_bytes(), range()).unwrap();
        assert_eq!(result.notes, [Clean::new("i"), Clean::new("w")]);
        assert_eq!(columns(body)[0][1], 2.0);
    }

    #[test]
    fn one_bad_element_never_costs_the_good_ones() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            null, 7, {"metric":{"a":null},"values":[[100,"1"],"x",[110,{}],[9e9,"1"],[120,3]]}, {"metric":{}}]}}"#;
        let result = read(body.as_bytes(), range()).unwrap();
        assert_eq!(columns(body)[0][0], 1.0);
        assert_eq!(columns(body)[0][2], 3.0);
        assert_eq!(result.notes.len(), 1, "{:?}", result.notes);
    }

    #[test]
    fn scalars_strings_histograms_and_raw_samples() {
        let now = QueryTime::Instant(at(100));
        let read_now = |data: &str| read(format!(r#"{{"status":"success","data":{data}}}"#).as_bytes(), now).unwrap();
        let scalar = read_now(r#"{"resultType":"scalar","result":[100.5,"1.5e3"]}"#);
        assert!(matches!(&scalar.answer, Answer::Vector(samples) if samples[0].value == 1500.0));
        let text = read_now(r#"{"resultType":"string","result":[100,"12"]}"#);
        assert!(matches!(&text.answer, Answer::Text(text) if text.as_str() == "12"));
        let histogram = read_now(r#"{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"3"}]}]}"#);
        assert_eq!(histogram.histograms, 1);
        let raw = read_now(r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"2"],[5,"5"]]}]}"#);
        let Answer::Matrix { range, series } = raw.answer else { panic!("raw samples are a matrix") };
        assert_eq!((range.step_ms, series[0].values.len()), (1_000, 5));
        assert!(is_gap(series[0].values[2]));
    }

    #[test]
    fn errors_keep_the_servers_words() {
        let body = br#"{"status":"error","errorType":"execution","error":"many-to-many"}"#;
        let error = read(body, range()).unwrap_err();
        assert!(error.to_string().contains("many-to-many"), "{error}");
        for cut in [&b"{"[..], b"[]", b"{}", b"<html>", br#"{"status":"success","data":{"result":[{"#] {
            assert!(read(cut, range()).is_err());
        }
    }

    #[test]
    fn captured_answers_of_a_real_server_are_read() {
        let shared = std::env::var_os("WARROOM_SHARED").map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned(),
            |folder| folder.to_string_lossy().into_owned(),
        );
        let Ok(text) = std::fs::read_to_string(format!("{shared}/specs/fixtures/prometheus-2.42.json")) else {
            println!("shared corpus absent: not run");
            return;
        };
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut seen = 0;
        for (name, exchange) in file["exchanges"].as_object().unwrap() {
            if exchange["status"] != 200 || !exchange["body"]["data"]["resultType"].is_string() {
                continue;
            }
            let body = exchange["body"].to_string();
            let wanted = exchange["body"]["data"]["result"].as_array().unwrap().len();
            let result = read(body.as_bytes(), QueryTime::Instant(at(0))).unwrap();
            let got = match &result.answer {
                Answer::Vector(samples) if name.contains("scalar") => samples.len() * 2,
                Answer::Vector(samples) => samples.len(),
                Answer::Matrix { series, .. } => series.len(),
                Answer::Text(_) => 2,
            };
            assert_eq!(got + result.histograms, wanted, "{name}");
            seen += 1;
        }
        assert!(seen >= 6, "{seen}");
    }

    proptest! {
        /// The plain way is the oracle: a tree, strings, floats.
        #[test]
        fn columns_equal_the_plain_parse(series in proptest::collection::vec(
            proptest::collection::btree_map(0_usize..40, proptest::num::f64::ANY, 0..40), 0..6)) {
            let grid = Range { start: at(1_000), end: at(1_000) + TimeDelta::milliseconds(40 * 2_500), step_ms: 2_500 };
            let shown: Vec<serde_json::Value> = series.iter().map(|points| {
                let values: Vec<_> = points.iter().map(|(slot, value)| {
                    serde_json::json!([1000.0 + *slot as f64 * 2.5, format!("{value}")])
                }).collect();
                serde_json::json!({"metric": {"s": "x"}, "values": values})
            }).collect();
            let body = serde_json::json!({"status": "success", "data": {"resultType": "matrix", "result": shown}});
            let result = read(body.to_string().as_bytes(), QueryTime::Range(grid)).unwrap();
            let Answer::Matrix { series: got, .. } = result.answer else { panic!("a matrix") };
            prop_assert_eq!(got.len(), series.len());
            for (points, got) in series.iter().zip(&got) {
                for (slot, value) in got.values.iter().enumerate() {
                    match points.get(&slot) {
                        None => prop_assert!(is_gap(*value)),
                        Some(wanted) if wanted.is_nan() => prop_assert!(value.is_nan() && !is_gap(*value)),
                        Some(wanted) => prop_assert_eq!(value, wanted),
                    }
                }
            }
        }

        #[test]
        fn any_bytes_end_in_words(body in proptest::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\",:a-z0-9.]{0,120}") {
            let _ = read(&body, range());
            let _ = read(json.as_bytes(), range());
            let _ = read(format!(r#"{{"status":"success","data":{{"result":{json}}}}}"#).as_bytes(), range());
        }
    }
}
