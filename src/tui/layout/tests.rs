//! Every size and every state: nothing overlaps, nothing is lost.

use proptest::prelude::*;

use super::*;

fn geometry(width: u16, height: u16) -> Geometry {
    Geometry { width, height, focus: Pane::Timeline, is_zoomed: false, splits: Splits::default(), banners: 0 }
}

#[test]
fn the_size_decides_the_shape() {
    let cases = [
        (220, 60, Shape::Wide),
        (160, 24, Shape::Wide),
        (159, 60, Shape::Medium),
        (120, 40, Shape::Medium),
        (100, 24, Shape::Medium),
        (99, 40, Shape::Small),
        (80, 24, Shape::Small),
        (220, 23, Shape::Small),
        (60, 16, Shape::Small),
        (59, 40, Shape::Tiny),
        (200, 15, Shape::Tiny),
        (0, 0, Shape::Tiny),
    ];
    for (width, height, shape) in cases {
        assert_eq!(Shape::of(width, height), shape, "{width}x{height}");
    }
}

#[test]
fn a_lone_pane_is_the_focused_one_under_its_tabs() {
    let rects = rects(&geometry(80, 24));
    assert_eq!(rects.tabs, Area::new(0, 2, 80, 1));
    assert_eq!(rects.timeline, Area::new(0, 3, 80, 20));
    assert_eq!(rects.inside(Pane::Timeline), rects.timeline);
    assert!(rects.incidents.is_empty() && rects.panels.is_empty() && rects.runbook.is_empty());
    assert_eq!(rects.tab_at(0, 2), Some(Pane::Incidents));
    assert_eq!(rects.tab_at(14, 2), Some(Pane::Timeline));
    assert_eq!(rects.tab_at(79, 2), None);
}

#[test]
fn a_dragged_border_stays_under_the_mouse() {
    for (width, height) in [(220, 60), (120, 40)] {
        let mut geometry = geometry(width, height);
        let before = rects(&geometry);
        let x = before.incidents.right() - 1;
        assert_eq!(before.divider_at(x, 20), Some(Divider::First));
        geometry.splits = geometry.splits.dragged(Divider::First, &before, x + 8, 20);
        let after = rects(&geometry);
        assert!(after.incidents.right().abs_diff(x + 8) <= 1, "{width}: {before:?} {after:?}");
    }
}

fn visible(rects: &Rects) -> Vec<Area> {
    [
        rects.incidents,
        rects.timeline,
        rects.panels,
        rects.runbook,
        rects.step,
        rects.header,
        rects.hints,
        rects.tabs,
        rects.banners,
    ]
    .into_iter()
    .filter(|area| !area.is_empty())
    .collect()
}

#[test]
fn panels_fill_their_pane() {
    use PanelSize::{Large, Small};
    let inside = Area::new(0, 0, 74, 28);
    let four = panel_cells(inside, &[Large; 4], 0);
    assert_eq!(four[3], (3, Area::new(37, 14, 37, 14)), "two by two");
    assert_eq!(panel_cells(inside, &[Large; 2], 0)[1], (1, Area::new(0, 14, 74, 14)), "one above the other");
    let mixed = panel_cells(inside, &[Small, Small, Small, Large, Large], 0);
    assert_eq!(mixed[2], (2, Area::new(49, 0, 25, 5)));
    assert_eq!(mixed[4], (4, Area::new(0, 16, 74, 12)));
    assert_eq!(panel_cells(Area::new(0, 0, 40, 10), &[Large; 9], 7).first(), Some(&(7, Area::new(0, 0, 40, 10))));
}

proptest! {
    #[test]
    fn panels_stay_inside_and_apart(
        width in 0_u16..200, height in 0_u16..80, smalls in 0_usize..5, larges in 0_usize..9, offset in 0_usize..14,
    ) {
        let inside = Area::new(3, 2, width, height);
        let sizes: Vec<PanelSize> =
            std::iter::repeat_n(PanelSize::Small, smalls).chain(std::iter::repeat_n(PanelSize::Large, larges)).collect();
        let cells = panel_cells(inside, &sizes, offset);
        prop_assert!(cells.iter().map(|(at, _)| *at).eq(offset.min(sizes.len())..offset.min(sizes.len()) + cells.len()));
        for (at, (_, one)) in cells.iter().enumerate() {
            prop_assert!(one.x >= 3 && one.y >= 2 && one.right() <= inside.right() && one.bottom() <= inside.bottom());
            for (_, other) in cells.iter().skip(at + 1) {
                let apart = one.right() <= other.x || other.right() <= one.x || one.bottom() <= other.y || other.bottom() <= one.y;
                prop_assert!(apart || one.is_empty() || other.is_empty(), "{:?} {:?}", one, other);
            }
        }
    }

    #[test]
    fn areas_fill_the_screen_and_never_overlap(
        width in 60_u16..500, height in 16_u16..200, banners in 0_u16..5, is_zoomed: bool, focus in 0_usize..4,
        first in 0_u16..1200, third in 0_u16..1200, middle in 0_u16..1200,
    ) {
        let splits = Splits { first, third, first_medium: first, middle, runbook: middle };
        let geometry = Geometry { width, height, focus: Pane::ALL[focus], is_zoomed, splits, banners };
        let rects = rects(&geometry);
        let areas = visible(&rects);
        let cells: u32 = areas.iter().map(|area| u32::from(area.width) * u32::from(area.height)).sum();
        prop_assert_eq!(cells, u32::from(width) * u32::from(height));
        for (at, one) in areas.iter().enumerate() {
            prop_assert!(one.right() <= width && one.bottom() <= height);
            for other in areas.iter().skip(at + 1) {
                let apart = one.right() <= other.x || other.right() <= one.x || one.bottom() <= other.y || other.bottom() <= one.y;
                prop_assert!(apart, "{:?} {:?}", one, other);
            }
        }
    }
}
