//! Which part of something long is on screen. The state's offset is a wish; the selected item is always shown, whatever
//! the heights of the items are.

/// First item to draw so that `selected` is on screen, when items have heights and `rows` rows are there. Looks only at
/// items near the selection, so it costs the same for ten items and for fifty thousand.
#[must_use]
pub fn first_shown(
    offset: usize,
    selected: Option<usize>,
    count: usize,
    rows: u16,
    height: impl Fn(usize) -> u16,
) -> usize {
    let offset = offset.min(count.saturating_sub(1));
    let Some(selected) = selected.filter(|selected| *selected < count) else { return offset };
    if selected < offset {
        return selected;
    }
    // From the selection upwards until the rows are used up; the offset holds if it is reached before.
    let mut used = height(selected);
    let mut first = selected;
    while first > offset {
        let above = height(first - 1);
        if used.saturating_add(above) > rows {
            return first;
        }
        used = used.saturating_add(above);
        first -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_selection_decides_where_the_offset_is_wrong() {
        assert_eq!(first_shown(0, Some(3), 100, 10, |_| 1), 0);
        assert_eq!(first_shown(0, Some(12), 100, 10, |_| 1), 3);
        assert_eq!(first_shown(50, Some(12), 100, 10, |_| 1), 12);
        assert_eq!(first_shown(500, None, 100, 10, |_| 1), 99);
        assert_eq!(first_shown(0, Some(0), 0, 10, |_| 1), 0);
    }

    proptest! {
        #[test]
        fn the_selected_item_is_whole_on_screen(
            offset in 0_usize..60, selected in 0_usize..60, count in 1_usize..60, rows in 3_u16..20,
            heights in proptest::collection::vec(1_u16..4, 60),
        ) {
            let selected = selected.min(count - 1);
            let first = first_shown(offset, Some(selected), count, rows, |at| heights[at]);
            prop_assert!(first <= selected);
            let used: u16 = heights[first..=selected].iter().sum();
            prop_assert!(used <= rows, "{} rows from {} to {}", used, first, selected);
        }
    }
}
