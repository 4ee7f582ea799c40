use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::config::theme::{Capabilities, ColourDepth, Theme};
use crate::dashboard::model::{PanelKind, Threshold};
use crate::domain::id::PanelId;
use crate::domain::series::gap;
use crate::tui::export;
use crate::tui::style::Skin;

fn range(points: usize) -> Range {
    let start: Timestamp = "2026-11-23T01:00:00Z".parse().unwrap();
    Range { start, end: start + chrono::Duration::seconds(15 * (points as i64 - 1)), step_ms: 15_000 }
}

fn panel() -> Panel {
    let mut panel = Panel::new(PanelId::parse("errors").unwrap(), "Errors", PanelKind::TimeSeries);
    panel.unit = "percentunit".into();
    panel.min = Some(0.0);
    panel
}

fn drawn(panel: &Panel, lines: &[(&str, Vec<f64>)], marks: &[i64], size: (u16, u16), is_unicode: bool) -> Buffer {
    let skin = Skin::new(&Theme::default(), Capabilities { is_unicode, ..Capabilities::FULL });
    let names: Vec<Clean> = lines.iter().map(|(name, _)| Clean::new(name)).collect();
    let range = range(lines.iter().map(|(_, values)| values.len()).max().unwrap_or(1));
    let kinds = [MarkKind::Started, MarkKind::Acknowledged];
    let mark = |(minutes, kind): (&i64, MarkKind)| Mark { at: range.start + chrono::Duration::minutes(*minutes), kind };
    let marks: Vec<Mark> = marks.iter().zip(kinds).map(mark).collect();
    let lines: Vec<Line<'_>> = names.iter().zip(lines).map(|(name, (_, values))| Line { name, values }).collect();
    let plot = Plot {
        panel,
        range: &range,
        lines: &lines,
        marks: &marks,
        zone: Tz::UTC,
        now: range.end,
        size,
        marker: skin.glyphs.marker,
    };
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    Chart::new(&plot).paint(&mut Pen { buffer: &mut buffer, skin: &skin }, Area::new(0, 0, size.0, size.1));
    buffer
}

fn rise(points: usize) -> Vec<f64> {
    (0..points)
        .map(|at| if at < points / 2 { 0.01 } else { 0.01 + (at - points / 2) as f64 * 0.09 / points as f64 })
        .collect()
}

#[test]
fn a_chart_has_axes_thresholds_and_marks() {
    let mut panel = panel();
    panel.thresholds = vec![Threshold { value: 0.04, level: ThresholdLevel::Bad }];
    let picture = export::text(&drawn(&panel, &[("errors", rise(240))], &[30, 40], (72, 10), true));
    insta::assert_snapshot!("chart_one_line", picture);
}

#[test]
fn many_lines_are_named_at_their_ends_and_in_ascii_too() {
    let lines = [
        ("checkout-7f9c", rise(240)),
        ("checkout-aa11", rise(240).iter().map(|value| value * 0.5).collect()),
        ("old", vec![0.002; 240]),
    ];
    insta::assert_snapshot!("chart_three_lines", export::text(&drawn(&panel(), &lines, &[30], (72, 10), true)));
    insta::assert_snapshot!("chart_ascii", export::text(&drawn(&panel(), &lines, &[30], (72, 10), false)));
}

#[test]
fn gaps_stay_gaps() {
    let mut values = vec![0.05; 240];
    values[80..160].fill(gap());
    let picture = export::text(&drawn(&panel(), &[("errors", values)], &[], (66, 6), true));
    let is_dot = |symbol: &char| ('\u{2801}'..='\u{28ff}').contains(symbol);
    let line = picture.lines().find(|line| line.chars().any(|symbol| is_dot(&symbol))).unwrap();
    let dots: Vec<usize> = line.chars().enumerate().filter(|(_, symbol)| is_dot(symbol)).map(|(at, _)| at).collect();
    let widest = dots.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!((20..24).contains(&widest), "a third of 62 columns is empty, not {widest}: {picture}");
}

#[test]
fn the_grid_is_not_drawn_with_the_glyphs_of_data() {
    for is_unicode in [true, false] {
        let empty = export::text(&drawn(&panel(), &[], &[], (60, 8), is_unicode));
        let plot = empty.lines().flat_map(|line| line.chars().skip(5)).collect::<String>();
        let is_dot = |symbol: char| ('\u{2801}'..='\u{28ff}').contains(&symbol) || "*+ox#@%&".contains(symbol);
        assert!(!plot.chars().any(is_dot), "{empty}");
        assert!(plot.contains(if is_unicode { "┈┈┈" } else { "..." }), "{empty}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_size_and_any_number_is_drawn(
        columns in 0_u16..300, rows in 0_u16..60, values in proptest::collection::vec(any::<f64>(), 0..400), count in 0_usize..12,
        stacked: bool, colours: bool,
    ) {
        let mut panel = panel();
        panel.stacked = stacked;
        let lines: Vec<(&str, Vec<f64>)> = (0..count).map(|_| ("a name that is long", values.clone())).collect();
        let _ = drawn(&panel, &lines, &[1, 2], (columns, rows), colours);
        let mono = Skin::new(&Theme::default(), Capabilities { colours: ColourDepth::Mono, ..Capabilities::FULL });
        prop_assert!(mono.tint(0).is_none());
    }
}
