//! Thins a column of samples to the dots of a chart in one pass, keeping every peak, every trough and every gap.

use crate::domain::series::is_gap;

/// Samples that fall on one dot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Which dot, from the left.
    pub dot: usize,
    /// Smallest sample.
    pub min: f64,
    /// Largest sample.
    pub max: f64,
    /// First sample in time.
    pub first: f64,
    /// Last sample in time.
    pub last: f64,
}

/// Samples without a gap between them: the line is drawn through these and ends at both ends.
pub type Stroke = Vec<Bucket>;

/// `values`, one for each point of the grid, on `dots` places side by side. A gap ends a stroke, however short it is, so
/// that no line is drawn where nothing was measured; NaN is a gap to the eye too. Infinite values are kept: they lie on
/// the edge of the chart.
#[must_use]
pub fn strokes(values: &[f64], dots: usize) -> Vec<Stroke> {
    let mut strokes: Vec<Stroke> = Vec::new();
    let mut open = false;
    if dots == 0 {
        return strokes;
    }
    for (index, value) in values.iter().copied().enumerate() {
        if is_gap(value) || value.is_nan() {
            open = false;
            continue;
        }
        let dot = place(index, values.len(), dots);
        let single = Bucket { dot, min: value, max: value, first: value, last: value };
        if !open {
            strokes.push(vec![single]);
            open = true;
            continue;
        }
        let Some(stroke) = strokes.last_mut() else { continue };
        match stroke.last_mut() {
            Some(bucket) if bucket.dot == dot => {
                bucket.min = bucket.min.min(value);
                bucket.max = bucket.max.max(value);
                bucket.last = value;
            }
            _ => stroke.push(single),
        }
    }
    strokes
}

/// The dot of point `index` of `points`: the first point lies on the first dot, the last on the last.
#[must_use]
pub fn place(index: usize, points: usize, dots: usize) -> usize {
    match points {
        0 | 1 => dots.saturating_sub(1),
        _ => (index * (dots.saturating_sub(1)) + (points - 1) / 2) / (points - 1),
    }
}

/// The mean of the finite samples of each of `columns` groups, for a spark line; `None` where there was no sample.
#[must_use]
pub fn spark(values: &[f64], columns: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_u32); columns];
    for (index, value) in values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()) {
        if let Some((sum, count)) = sums.get_mut(place(index, values.len(), columns)) {
            *sum += value;
            *count += 1;
        }
    }
    sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::series::gap;

    fn dots(strokes: &[Stroke]) -> Vec<Vec<usize>> {
        strokes.iter().map(|stroke| stroke.iter().map(|bucket| bucket.dot).collect()).collect()
    }

    #[test]
    fn gaps_break_strokes() {
        let g = gap();
        for (values, width, expected) in [
            (vec![1.0, 2.0, 3.0], 3, vec![vec![0, 1, 2]]),
            (vec![1.0, g, 3.0], 3, vec![vec![0], vec![2]]),
            (vec![1.0, f64::NAN, 3.0], 3, vec![vec![0], vec![2]]),
            (vec![g, g], 3, vec![]),
            (vec![1.0, g, 3.0, 4.0], 1, vec![vec![0], vec![0]]),
            (vec![1.0, 2.0], 5, vec![vec![0, 4]]),
            (vec![1.0], 5, vec![vec![4]]),
            (vec![], 5, vec![]),
            (vec![1.0], 0, vec![]),
        ] {
            assert_eq!(dots(&strokes(&values, width)), expected, "{values:?}");
        }
    }

    #[test]
    fn a_bucket_keeps_its_peak_and_its_ends() {
        let [stroke] = &strokes(&[2.0, 9.0, 1.0, 5.0], 1)[..] else { panic!() };
        assert_eq!(stroke[..], [Bucket { dot: 0, min: 1.0, max: 9.0, first: 2.0, last: 5.0 }]);
        assert_eq!(spark(&[1.0, 3.0, gap(), f64::INFINITY], 2), [Some(2.0), None]);
    }

    proptest! {
        /// No sample is lost, none is invented, and no stroke crosses a gap.
        #[test]
        fn extremes_and_gaps_survive(
            values in prop::collection::vec(prop_oneof![4 => -1e6_f64..1e6, 1 => Just(gap())], 0..500), width in 1_usize..300,
        ) {
            let strokes = strokes(&values, width);
            let kept = values.iter().copied().filter(|value| !is_gap(*value));
            let (low, high) = kept.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
            let buckets = strokes.iter().flatten();
            let (found_low, found_high) = buckets.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), bucket| (low.min(bucket.min), high.max(bucket.max)));
            prop_assert_eq!((low, high), (found_low, found_high));
            let runs = values.split(|value| is_gap(*value)).filter(|run| !run.is_empty()).count();
            prop_assert_eq!(strokes.len(), runs);
            for stroke in &strokes {
                prop_assert!(stroke.windows(2).all(|pair| pair[0].dot < pair[1].dot));
                prop_assert!(stroke.iter().all(|bucket| bucket.dot < width));
            }
        }
    }
}
