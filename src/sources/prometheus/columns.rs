//! The `result` of a query, element by element, straight into columns.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scan::Column;
use crate::domain::alert::Labels;
use crate::domain::series::{Range, gap};
use crate::sources::pairs::Pairs;

/// What was read.
#[derive(Default)]
pub(super) struct Elements {
    /// Series on the grid.
    pub(super) columns: Vec<(Labels, Vec<f64>)>,
    /// Elements of an instant vector: labels, seconds, value.
    pub(super) samples: Vec<(Labels, f64, f64)>,
    /// Series of raw samples, when there is no grid.
    pub(super) raw: Vec<(Labels, Vec<(f64, f64)>)>,
    /// A bare pair: scalar or string.
    pub(super) bare: Option<(f64, String)>,
    /// Series that only have native histograms.
    pub(super) histograms: usize,
    /// What was not understood.
    pub(super) dropped: usize,
    /// Columns that the scanner read, by the number that stands for them in the text.
    cut: Vec<Option<Column>>,
}

impl Elements {
    /// Nothing yet, with what the scanner read.
    pub(super) fn with_cut(columns: Vec<Column>) -> Self {
        Self { cut: columns.into_iter().map(Some).collect(), ..Self::default() }
    }
}

/// Reads `result` into [`Elements`].
pub(super) struct ResultSeed<'e> {
    into: &'e mut Elements,
    grid: Option<Grid>,
}

#[derive(Clone, Copy)]
struct Grid {
    start_ms: f64,
    per_step: f64,
    points: usize,
}

impl<'e> ResultSeed<'e> {
    pub(super) fn new(into: &'e mut Elements, range: Option<Range>) -> Self {
        let grid = range.map(|range| Grid {
            start_ms: range.start.timestamp_millis() as f64,
            per_step: 1.0 / range.step_ms.max(1) as f64,
            points: range.points(),
        });
        Self { into, grid }
    }
}

impl<'de> DeserializeSeed<'de> for ResultSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ResultSeed<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of series or a bare pair")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut bare_at = None;
        while let Some(part) = seq.next_element_seed(ElementSeed { all: &mut self })? {
            match (part, bare_at) {
                (Part::Series, _) => {}
                (Part::Number(at), None) => bare_at = Some(at),
                (Part::Text(text), Some(at)) => self.into.bare = Some((at, text)),
                _ => self.into.dropped += 1,
            }
        }
        Ok(())
    }
}

/// One element of `result`.
enum Part {
    Series,
    Number(f64),
    Text(String),
    Other,
}

struct ElementSeed<'a, 'e> {
    all: &'a mut ResultSeed<'e>,
}

impl<'de> DeserializeSeed<'de> for ElementSeed<'_, '_> {
    type Value = Part;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ElementSeed<'_, '_> {
    type Value = Part;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a series")
    }

    fn visit_unit<E>(self) -> Result<Part, E> {
        Ok(Part::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part, E> {
        Ok(Part::Other)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Part, E> {
        Ok(Part::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Part, E> {
        Ok(Part::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Part, E> {
        Ok(Part::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Part, E> {
        Ok(Part::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Part, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Part::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let mut labels = Labels::default();
        let mut column = None;
        let mut points = Vec::new();
        let mut single = None;
        let mut has_histogram = false;
        let all = self.all;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "metric" => labels = map.next_value::<Pairs<'de>>()?.to_labels(),
                "value" => single = map.next_value_seed(PairSeed)?,
                "values" => match all.grid {
                    Some(grid) => {
                        if let Some((values, off_grid)) =
                            map.next_value_seed(ColumnSeed { grid, cut: &mut all.into.cut })?
                        {
                            all.into.dropped += off_grid;
                            column = Some(values);
                        }
                    }
                    None => all.into.dropped += map.next_value_seed(PointsSeed { points: &mut points })?,
                },
                "histogram" | "histograms" => {
                    has_histogram = true;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match (column, single) {
            (Some(column), _) => all.into.columns.push((labels, column)),
            (None, Some((at, value))) => all.into.samples.push((labels, at, value)),
            _ if !points.is_empty() => all.into.raw.push((labels, points)),
            _ if has_histogram => all.into.histograms += 1,
            _ => all.into.dropped += 1,
        }
        Ok(Part::Series)
    }
}

/// `[seconds, "value"]`, or nothing when it is something else.
struct PairSeed;

impl<'de> DeserializeSeed<'de> for PairSeed {
    type Value = Option<(f64, f64)>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PairSeed {
    type Value = Option<(f64, f64)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a pair of time and value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let at = seq.next_element_seed(NumberSeed)?;
        let value = seq.next_element_seed(NumberSeed)?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(at.flatten().zip(value.flatten()))
    }
}

/// A number, or a string that holds one: `NaN`, `+Inf`, `-Inf` and exponents included.
struct NumberSeed;

impl<'de> DeserializeSeed<'de> for NumberSeed {
    type Value = Option<f64>;

    #[inline]
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NumberSeed {
    type Value = Option<f64>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    #[inline]
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.parse().ok())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// The points of a series, each in the slot of its time: read here, or by the scanner before.
struct ColumnSeed<'a> {
    grid: Grid,
    cut: &'a mut [Option<Column>],
}

impl<'de> DeserializeSeed<'de> for ColumnSeed<'_> {
    type Value = Option<Column>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ColumnSeed<'_> {
    type Value = Option<Column>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of pairs")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        let slot = usize::try_from(number).ok().and_then(|at| self.cut.get_mut(at));
        Ok(slot.and_then(Option::take))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![gap(); self.grid.points];
        let mut dropped = 0;
        while let Some(pair) = seq.next_element_seed(PairSeed)? {
            // Rounded: seconds as a float are exact to a millisecond only after rounding.
            let slot =
                pair.map(|(at, value)| (((at * 1000.0 - self.grid.start_ms) * self.grid.per_step).round(), value));
            match slot {
                Some((slot, value)) if slot >= 0.0 && slot < values.len() as f64 => {
                    if let Some(place) = values.get_mut(slot as usize) {
                        *place = value;
                    }
                }
                _ => dropped += 1,
            }
        }
        Ok(Some((values, dropped)))
    }
}

/// The points of a series without a grid.
struct PointsSeed<'a> {
    points: &'a mut Vec<(f64, f64)>,
}

impl<'de> DeserializeSeed<'de> for PointsSeed<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PointsSeed<'_> {
    type Value = usize;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of pairs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut dropped = 0;
        while let Some(pair) = seq.next_element_seed(PairSeed)? {
            match pair {
                Some(point) => self.points.push(point),
                None => dropped += 1,
            }
        }
        Ok(dropped)
    }
}
