//! Grafana's unit ids and what each is.

/// How a unit is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// The number, a space, the unit.
    Plain(String),
    /// The unit, the number.
    Prefixed(String),
    /// The number times this, and `%`.
    Percent(f64),
    /// Scaled by powers of a factor.
    Scaled {
        /// The factor.
        factor: f64,
        /// A suffix for each power.
        steps: &'static [&'static str],
        /// Index of the unit itself in `steps`.
        offset: i32,
        /// Behind the step's own suffix.
        suffix: String,
    },
    /// Money.
    Currency {
        /// The sign.
        symbol: String,
        /// Whether it stands behind.
        behind: bool,
    },
    /// One word or the other.
    Bool(&'static str, &'static str),
    /// Hexadecimal with this prefix.
    Hex(&'static str),
    /// With an exponent.
    Scientific,
    /// With commas.
    Locale,
    /// As it is.
    Text,
    /// A span or an instant.
    Time(Span),
}

/// Spans and instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
    /// `1 hour, 2 minutes` of so many milliseconds in the unit.
    Duration(i64),
    /// `01:02:03` of seconds.
    ClockOfDay,
    /// `1 d 01:02:03` of seconds.
    DaysAndClock,
    /// Hundredths of seconds.
    Ticks,
    /// `01h:02m:03s:004ms` of so many milliseconds in the unit.
    Clock(i64),
    /// Milliseconds since 1970; without the date when it is today.
    Iso(bool),
    /// The same in the American order.
    Us(bool),
    /// `5 minutes ago`.
    FromNow,
}

/// Powers of ten with a space: `1.5 kB`.
const SI: &[&str] = &[" f", " p", " n", " µ", " m", " ", " k", " M", " G", " T", " P", " E", " Z", " Y"];
const SI_UNIT: i32 = 5;
/// Powers of 1024.
const IEC: &[&str] = &[" ", " Ki", " Mi", " Gi", " Ti", " Pi", " Ei", " Zi", " Yi"];
/// Powers of 1000 in words.
const SHORT: &[&str] = &["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept"];
/// Powers of 1000 of things counted.
pub(super) const COUNT: &[&str] = &["", "K", "M", "B", "T"];

fn plain(suffix: &str) -> Form {
    Form::Plain(suffix.to_owned())
}

fn si(suffix: &str, power: i32) -> Form {
    Form::Scaled { factor: 1000.0, steps: SI, offset: SI_UNIT + power, suffix: suffix.to_owned() }
}

fn iec(suffix: &str, power: i32) -> Form {
    Form::Scaled { factor: 1024.0, steps: IEC, offset: power, suffix: suffix.to_owned() }
}

fn count(suffix: &str) -> Form {
    Form::Scaled { factor: 1000.0, steps: COUNT, offset: 0, suffix: format!(" {suffix}") }
}

/// True when Grafana knows the id, or it is one of the `prefix:`, `suffix:`, `si:`… forms.
#[must_use]
pub fn is_known(unit: &str) -> bool {
    unit.is_empty() || known(unit).is_some() || custom(unit).is_some()
}

/// What `unit` is.
pub(super) fn form(unit: &str) -> Form {
    known(unit).or_else(|| custom(unit)).unwrap_or_else(|| plain(unit))
}

fn known(unit: &str) -> Option<Form> {
    misc(unit).or_else(|| data(unit)).or_else(|| throughput(unit)).or_else(|| physical(unit)).or_else(|| span(unit))
}

fn misc(unit: &str) -> Option<Form> {
    Some(match unit {
        "none" => plain(""),
        "string" => Form::Text,
        "short" => Form::Scaled { factor: 1000.0, steps: SHORT, offset: 0, suffix: String::new() },
        "sishort" => si("", 0),
        "percent" => Form::Percent(1.0),
        "percentunit" => Form::Percent(100.0),
        "humidity" => plain("%H"),
        "dB" => plain("dB"),
        "hex" => Form::Hex(""),
        "hex0x" => Form::Hex("0x"),
        "sci" => Form::Scientific,
        "locale" => Form::Locale,
        "pixel" => plain("px"),
        "bool" => Form::Bool("True", "False"),
        "bool_yes_no" => Form::Bool("Yes", "No"),
        "bool_on_off" => Form::Bool("On", "Off"),
        "currencyUSD" => Form::Currency { symbol: "$".to_owned(), behind: false },
        "currencyEUR" => Form::Currency { symbol: "€".to_owned(), behind: false },
        "currencyGBP" => Form::Currency { symbol: "£".to_owned(), behind: false },
        "currencyJPY" => Form::Currency { symbol: "¥".to_owned(), behind: false },
        _ => return None,
    })
}

fn data(unit: &str) -> Option<Form> {
    Some(match unit {
        "bits" => iec("b", 0),
        "bytes" => iec("B", 0),
        "kbytes" => iec("B", 1),
        "mbytes" => iec("B", 2),
        "gbytes" => iec("B", 3),
        "tbytes" => iec("B", 4),
        "pbytes" => iec("B", 5),
        "decbits" => si("b", 0),
        "decbytes" => si("B", 0),
        "deckbytes" => si("B", 1),
        "decmbytes" => si("B", 2),
        "decgbytes" => si("B", 3),
        "dectbytes" => si("B", 4),
        "decpbytes" => si("B", 5),
        "pps" => si("p/s", 0),
        "binBps" => iec("B/s", 0),
        "Bps" => si("B/s", 0),
        "binbps" => iec("b/s", 0),
        "bps" => si("b/s", 0),
        "KiBs" => iec("B/s", 1),
        "KBs" => si("B/s", 1),
        "Kibits" => iec("b/s", 1),
        "Kbits" => si("b/s", 1),
        "MiBs" => iec("B/s", 2),
        "MBs" => si("B/s", 2),
        "Mibits" => iec("b/s", 2),
        "Mbits" => si("b/s", 2),
        "GiBs" => iec("B/s", 3),
        "GBs" => si("B/s", 3),
        "Gibits" => iec("b/s", 3),
        "Gbits" => si("b/s", 3),
        "TiBs" => iec("B/s", 4),
        "TBs" => si("B/s", 4),
        "Tbits" => si("b/s", 4),
        _ => return None,
    })
}

fn throughput(unit: &str) -> Option<Form> {
    Some(count(match unit {
        "cps" => "c/s",
        "ops" => "ops/s",
        "reqps" => "req/s",
        "rps" => "rd/s",
        "wps" => "wr/s",
        "iops" => "io/s",
        "eps" => "evt/s",
        "mps" => "msg/s",
        "recps" => "rec/s",
        "rowsps" => "rows/s",
        "cpm" => "c/m",
        "opm" => "ops/m",
        "reqpm" => "req/m",
        "rpm" => "rd/m",
        "wpm" => "wr/m",
        "epm" => "evts/m",
        "mpm" => "msgs/m",
        "recpm" => "rec/m",
        "rowspm" => "rows/m",
        _ => return None,
    }))
}

fn physical(unit: &str) -> Option<Form> {
    Some(match unit {
        "hertz" | "rothz" => si("Hz", 0),
        "rotrpm" => plain("rpm"),
        "celsius" => plain("°C"),
        "fahrenheit" | "farenheit" => plain("°F"),
        "kelvin" => plain("K"),
        "watt" => si("W", 0),
        "kwatt" => si("W", 1),
        "megwatt" => si("W", 2),
        "mwatt" => si("W", -1),
        "watth" => si("Wh", 0),
        "kwatth" => si("Wh", 1),
        "joule" => si("J", 0),
        "amp" => si("A", 0),
        "mamp" => si("A", -1),
        "volt" => si("V", 0),
        "mvolt" => si("V", -1),
        "ohm" => si("Ω", 0),
        "kohm" => si("Ω", 1),
        "Mohm" => si("Ω", 2),
        "farad" => si("F", 0),
        "µfarad" => si("F", -2),
        "nfarad" => si("F", -3),
        "henry" => si("H", 0),
        "mhenry" => si("H", -1),
        "lengthm" => si("m", 0),
        "lengthmm" => si("m", -1),
        "lengthkm" => si("m", 1),
        "massg" => si("g", 0),
        "masskg" => si("g", 1),
        "degree" => plain("°"),
        "radian" => plain("rad"),
        "ppm" => plain("ppm"),
        "lux" => plain("lux"),
        "flops" => si("FLOPS", 0),
        "dBm" => plain("dBm"),
        "pressurepa" => si("Pa", 0),
        "pressurehpa" => plain("hPa"),
        _ => return None,
    })
}

fn span(unit: &str) -> Option<Form> {
    Some(Form::Time(match unit {
        "ns" => Span::Nanoseconds,
        "µs" => Span::Microseconds,
        "ms" => Span::Milliseconds,
        "s" => Span::Seconds,
        "m" => Span::Minutes,
        "h" => Span::Hours,
        "d" => Span::Days,
        "dtdurationms" => Span::Duration(1),
        "dtdurations" => Span::Duration(1000),
        "dthms" => Span::ClockOfDay,
        "dtdhms" => Span::DaysAndClock,
        "timeticks" => Span::Ticks,
        "clockms" => Span::Clock(1),
        "clocks" => Span::Clock(1000),
        "dateTimeAsIso" => Span::Iso(false),
        "dateTimeAsIsoNoDateIfToday" => Span::Iso(true),
        "dateTimeAsUS" => Span::Us(false),
        "dateTimeAsUSNoDateIfToday" => Span::Us(true),
        "dateTimeFromNow" => Span::FromNow,
        _ => return None,
    }))
}

/// `prefix:$`, `suffix:per box`, `si:mm`, `count:cats`, `currency:CHF`.
fn custom(unit: &str) -> Option<Form> {
    let (kind, rest) = unit.split_once(':')?;
    match kind {
        "prefix" => Some(Form::Prefixed(rest.to_owned())),
        "suffix" => Some(plain(rest)),
        "count" => Some(count(rest)),
        "currency" => Some(Form::Currency { symbol: rest.to_owned(), behind: false }),
        "si" => {
            let first = rest.chars().next()?;
            let index = SI.iter().position(|step| step.trim_start().chars().eq([first]));
            let power = index.and_then(|index| i32::try_from(index).ok()).map_or(0, |index| index - SI_UNIT);
            let base = if power == 0 { rest } else { rest.get(first.len_utf8()..)? };
            Some(si(base, power))
        }
        _ => None,
    }
}
