//! Numbers and instants in Prometheus's JSON.

/// A value as Prometheus writes it: `NaN`, `+Inf`, shortest digits, an exponent only far from one.
#[must_use]
pub fn format_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

/// Milliseconds as seconds: `1795469970`, `1795469970.370`.
#[must_use]
pub fn format_time(at_ms: i64) -> String {
    let sign = if at_ms < 0 { "-" } else { "" };
    let (whole, millis) = (at_ms.unsigned_abs() / 1000, at_ms.unsigned_abs() % 1000);
    if millis == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{millis:03}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_prometheus_writes_them() {
        for (value, text) in [
            (12.852, "12.852"),
            (49.962_528_103_922_06, "49.96252810392206"),
            (1_795_469_888.0, "1795469888"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-07"),
            (1e-6, "0.000001"),
            (-0.0, "-0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(format_float(value), text);
        }
        for (at, text) in [(1_795_469_970_000, "1795469970"), (1_795_469_970_370, "1795469970.370"), (-1_500, "-1.500")]
        {
            assert_eq!(format_time(at), text);
        }
    }
}
