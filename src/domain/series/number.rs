//! Samples as JSON: JSON has no NaN, no infinity, and a gap is neither of them. What is written reads back bit for bit
//! (every NaN but [`gap`] as the plain one, which is all that Prometheus can tell apart).

use serde::de::Unexpected;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{gap, is_gap};

/// A sample as it is written: a number, a word for what JSON has no number for, or null for a gap.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(String),
    Gap(()),
}

impl Written {
    fn of(value: f64) -> Self {
        if is_gap(value) {
            Self::Gap(())
        } else if value.is_finite() {
            Self::Number(value)
        } else if value.is_nan() {
            Self::Word("NaN".to_owned())
        } else {
            Self::Word(if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned())
        }
    }

    fn read<E: serde::de::Error>(self) -> Result<f64, E> {
        match self {
            Self::Number(value) => Ok(value),
            Self::Gap(()) => Ok(gap()),
            Self::Word(word) => match word.as_str() {
                "NaN" => Ok(f64::NAN),
                "+Inf" => Ok(f64::INFINITY),
                "-Inf" => Ok(f64::NEG_INFINITY),
                other => Err(E::invalid_value(Unexpected::Str(other), &"a number, NaN, +Inf or -Inf")),
            },
        }
    }
}

/// One sample.
pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Written::of(*value).serialize(serializer)
}

/// One sample.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Written::deserialize(deserializer)?.read()
}

/// A column of samples.
pub(super) mod column {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Written;

    pub(in super::super) fn serialize<S: Serializer>(values: &Arc<[f64]>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| Written::of(*value)))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[f64]>, D::Error> {
        Vec::<Written>::deserialize(deserializer)?.into_iter().map(Written::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Sample, Series, gap};
    use crate::domain::alert::Labels;
    use crate::domain::time::Timestamp;

    #[test]
    fn special_values_and_gaps_read_back_as_what_they_were() {
        let values = [1.5, -0.0, 1e300, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, gap()];
        let series = Series { labels: Labels::default(), values: Arc::from(values) };
        let text = serde_json::to_string(&series).unwrap();
        assert_eq!(
            text,
            r#"{"labels":[],"values":[1.5,-0.0,1e+300,2.2250738585072014e-308,"NaN","+Inf","-Inf",null]}"#
        );
        let back: Series = serde_json::from_str(&text).unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back.values), bits(&series.values));
        let sample = Sample { labels: Labels::default(), at: Timestamp::default(), value: f64::INFINITY };
        let back: Sample = serde_json::from_str(&serde_json::to_string(&sample).unwrap()).unwrap();
        assert_eq!(back.value, f64::INFINITY);
        assert!(serde_json::from_str::<Series>(r#"{"labels":[],"values":["many"]}"#).is_err());
    }
}
