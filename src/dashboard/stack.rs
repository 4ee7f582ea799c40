//! Series that stand on each other.

use std::sync::Arc;

use crate::domain::series::{Series, gap, is_gap};

/// For each series the line of its upper edge, in order: each value is the sum of itself and of those below it. Where a
/// series has no sample its edge has a gap, and it adds nothing to those above.
#[must_use]
pub fn edges(series: &[Series]) -> Vec<Arc<[f64]>> {
    let points = series.iter().map(|one| one.values.len()).max().unwrap_or(0);
    let mut below = vec![0.0_f64; points];
    series
        .iter()
        .map(|one| {
            let edge = below.iter_mut().zip(one.values.iter()).map(|(sum, value)| {
                if is_gap(*value) || value.is_nan() {
                    return gap();
                }
                *sum += value;
                *sum
            });
            edge.collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::Labels;

    #[test]
    fn edges_add_up_and_keep_gaps() {
        let one = |values: &[f64]| Series { labels: Labels::default(), values: values.into() };
        let edges = edges(&[one(&[1.0, 2.0, gap()]), one(&[10.0, gap(), 30.0]), one(&[100.0, 200.0, 300.0])]);
        let shown: Vec<Vec<Option<f64>>> =
            edges.iter().map(|edge| edge.iter().map(|value| (!is_gap(*value)).then_some(*value)).collect()).collect();
        assert_eq!(
            shown,
            [
                vec![Some(1.0), Some(2.0), None],
                vec![Some(11.0), None, Some(30.0)],
                vec![Some(111.0), Some(202.0), Some(330.0)]
            ]
        );
    }
}
