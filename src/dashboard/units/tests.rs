//! Golden texts: what Grafana writes.

use chrono::{DateTime, Utc};

use super::*;

fn style(decimals: Option<u8>) -> Style {
    let now: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
    Style { decimals, zone: chrono_tz::Europe::Berlin, now }
}

/// Text that Grafana makes: from its own tests where it has one (marked), else from its rules by hand.
const GOLDEN: &[(f64, &str, Option<u8>, &str)] = &[
    (0.0024, "ms", Some(4), "0.0024 ms"),              // Grafana's
    (100.0, "ms", Some(0), "100 ms"),                  // Grafana's
    (1250.0, "ms", Some(2), "1.25 s"),                 // Grafana's
    (10_000_086.123, "ms", Some(1), "2.8 hour"),       // Grafana's
    (1200.0, "ms", Some(0), "1 s"),                    // Grafana's
    (10_000_000.0, "kbytes", Some(3), "9.537 GiB"),    // Grafana's
    (10_000_000.0, "deckbytes", Some(3), "10.000 GB"), // Grafana's
    (1000.0, "megwatt", Some(3), "1.000 GW"),          // Grafana's
    (1000.0, "kohm", Some(3), "1.000 MΩ"),             // Grafana's
    (1000.0, "Mohm", Some(3), "1.000 GΩ"),             // Grafana's
    (1000.0, "farad", Some(3), "1.000 kF"),            // Grafana's
    (1000.0, "µfarad", Some(3), "1.000 mF"),           // Grafana's
    (1000.0, "nfarad", Some(3), "1.000 µF"),           // Grafana's
    (1000.0, "henry", Some(3), "1.000 kH"),            // Grafana's
    (1000.0, "mhenry", Some(3), "1.000 H"),            // Grafana's
    (1532.82, "currencyUSD", Some(2), "$1.53K"),       // Grafana's
    (98_765.0, "short", None, "98.8 K"),
    (0.0, "short", None, "0"),
    (1_234_567.0, "short", Some(2), "1.23 Mil"),
    (2.5, "short", None, "2.50"),
    (1.5, "short", None, "1.50"),
    (-2.5, "short", None, "-2.5"),
    (25_232_932_864.0, "bytes", Some(2), "23.50 GiB"),
    (25_232_932_864.0, "decbytes", Some(2), "25.23 GB"),
    (0.5, "bytes", None, "0.500 B"),
    (1024.0, "bytes", None, "1 KiB"),
    (0.0, "bytes", None, "0 B"),
    (8_000_000.0, "bps", None, "8 Mb/s"),
    (8_000_000.0, "Bps", None, "8 MB/s"),
    (0.5, "Bps", None, "500 mB/s"),
    (1_048_576.0, "binBps", None, "1 MiB/s"),
    (1_048_576.0, "binbps", None, "1 Mib/s"),
    (1234.0, "pps", Some(1), "1.2 kp/s"),
    (1e6, "decbits", None, "1 Mb"),
    (0.042, "percentunit", None, "4.20%"),
    (0.042, "percentunit", Some(1), "4.2%"),
    (0.999_99, "percentunit", Some(2), "100.00%"),
    (99.5, "percent", None, "99.5%"),
    (12.0, "none", None, "12"),
    (1234.5, "ops", Some(1), "1.2K ops/s"),
    (12.25, "reqps", Some(2), "12.25 req/s"),
    (3.0, "iops", None, "3 io/s"),
    (4.0, "eps", None, "4 evt/s"),
    (0.0, "s", None, "0 s"),
    (5e-7, "s", None, "500 ns"),
    (0.000_25, "s", None, "250 µs"),
    (0.25, "s", None, "250 ms"),
    (59.0, "s", None, "59 s"),
    (90.0, "s", None, "1.50 min"),
    (7200.0, "s", None, "2 hour"),
    (172_800.0, "s", None, "2 day"),
    (1_209_600.0, "s", None, "2 week"),
    (63_113_800.0, "s", None, "2 year"),
    (90_000.0, "ms", None, "1.50 min"),
    (1500.0, "ns", None, "1.50 µs"),
    (1500.0, "µs", None, "1.50 ms"),
    (90.0, "m", None, "1.50 hour"),
    (36.0, "h", None, "1.50 day"),
    (14.0, "d", None, "2 week"),
    (0.0, "dtdurations", None, "0 seconds"),
    (3661.0, "dtdurations", None, "1 hour"),
    (3661.0, "dtdurations", Some(2), "1 hour, 1 minute, 1 second"),
    (-120.0, "dtdurations", None, "2 minutes ago"),
    (1500.0, "dtdurationms", Some(1), "1 second, 500 milliseconds"),
    (3661.0, "dthms", None, "01:01:01"),
    (90_061.0, "dtdhms", None, "1 d 01:01:01"),
    (3_661_004.0, "clockms", None, "01h:01m:01s:004ms"),
    (61.0, "clocks", Some(1), "01m:01s"),
    (1_795_433_400_000.0, "dateTimeAsIso", None, "2026-11-23 12:30:00"),
    (1_795_433_400_000.0, "dateTimeAsIsoNoDateIfToday", None, "12:30:00"),
    (1_795_433_400_000.0, "dateTimeAsUS", None, "11/23/2026 12:30:00 pm"),
    (1_795_433_400_000.0, "dateTimeFromNow", None, "30 minutes ago"),
    (1.0, "bool", None, "True"),
    (0.0, "bool_yes_no", None, "No"),
    (2.0, "bool_on_off", None, "On"),
    (1500.0, "hertz", None, "1.50 kHz"),
    (45.5, "celsius", None, "45.5 °C"),
    (900.0, "rotrpm", None, "900 rpm"),
    (255.0, "hex", None, "FF"),
    (255.0, "hex0x", None, "0xFF"),
    (1500.0, "sci", Some(2), "1.50e+3"),
    (1_234_567.891, "locale", None, "1,234,567.891"),
    (5.0, "suffix:boxes", None, "5 boxes"),
    (5.0, "prefix:#", None, "#5"),
    (1500.0, "count:cats", None, "1.50K cats"),
    (1500.0, "si:mm", None, "1.50 m"),
    (7.0, "widgets", None, "7 widgets"),
];

#[test]
fn texts_are_grafanas() {
    for (value, unit, decimals, text) in GOLDEN {
        assert_eq!(format(*value, unit, &style(*decimals)), *text, "{value} {unit} {decimals:?}");
    }
}

#[test]
fn special_floats_are_written_and_never_panic() {
    for (value, unit, text) in [
        (f64::NAN, "short", "NaN"),
        (f64::INFINITY, "bytes", "∞"),
        (f64::NEG_INFINITY, "none", "-∞"),
        (f64::NAN, "percentunit", "NaN%"),
        (f64::INFINITY, "s", "∞ year"),
        (f64::NAN, "dtdurations", "NaN"),
        (f64::NAN, "bool", "False"),
    ] {
        assert_eq!(format(value, unit, &style(None)), text, "{value} {unit}");
    }
    for (_, unit, decimals, _) in GOLDEN {
        for value in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0, 5e-324, 1e300, -1e-300, f64::NAN, f64::INFINITY] {
            assert!(!format(value, unit, &style(*decimals)).is_empty(), "{value:e} {unit}");
        }
    }
}

#[test]
fn every_unit_of_the_survey_is_known_and_none_by_accident() {
    for unit in [
        "short",
        "percentunit",
        "bytes",
        "s",
        "none",
        "ops",
        "pps",
        "bps",
        "percent",
        "reqps",
        "eps",
        "Bps",
        "ms",
        "decbytes",
        "iops",
        "binBps",
        "dateTimeAsIso",
        "dtdurations",
        "bool",
        "bool_yes_no",
        "bool_on_off",
        "hertz",
        "rotrpm",
        "celsius",
        "decbits",
        "bits",
        "µs",
        "ns",
        "m",
        "h",
        "d",
        "wps",
        "rps",
    ] {
        assert!(is_known(unit), "{unit}");
    }
    for unit in ["BPS", "Bytes", "seconds", "perc"] {
        assert!(!is_known(unit), "{unit}");
    }
}

#[test]
fn a_narrow_place_gets_fewer_digits_and_never_half_a_number() {
    let value = 25_232_932_864.0;
    for (width, text) in [
        (9, Some("23.50 GiB")),
        (8, Some("23.50GiB")),
        (7, Some("23.5GiB")),
        (6, Some("24 GiB")),
        (5, Some("24GiB")),
        (4, None),
    ] {
        assert_eq!(format_within(value, "bytes", &style(Some(2)), width).as_deref(), text, "{width}");
    }
}

proptest::proptest! {
    #[test]
    fn rounding_is_never_further_than_half_a_digit(value in -1e12_f64..1e12, decimals in 0_u8..6) {
        let text = to_fixed(value, Some(i32::from(decimals)));
        let read: f64 = text.parse().unwrap();
        let half = 0.5 * 10_f64.powi(-i32::from(decimals));
        proptest::prop_assert!((read - value).abs() <= half * 1.001 + value.abs() * 1e-15, "{} {}", value, text);
    }
}
