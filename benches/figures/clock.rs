//! CPU time, and two ways of doing the same compared in one run.

use std::time::Duration;

/// CPU time that this thread has used. On a machine that others use too it tells more than a wall clock.
pub fn cpu() -> Duration {
    // The kernel brings a running thread's account up to date when it gives way.
    std::thread::yield_now();
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with schedstat");
    Duration::from_nanos(account.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Milliseconds of CPU that `run` used, and what it made.
pub fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let before = cpu();
    let made = std::hint::black_box(run());
    ((cpu() - before).as_secs_f64() * 1000.0, made)
}

/// The value below which `share` of the samples lie.
pub fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = ((samples.len().saturating_sub(1)) as f64 * share).round() as usize;
    samples.get(at).copied().unwrap_or(f64::NAN)
}

/// The middle one.
pub fn median(mut samples: Vec<f64>) -> f64 {
    quantile(&mut samples, 0.5)
}

/// `ours` and `base` in turns, each `rounds` times; the medians in milliseconds of CPU.
pub fn alternate(rounds: usize, mut ours: impl FnMut() -> f64, mut base: impl FnMut() -> f64) -> (f64, f64) {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(ours());
        other.push(base());
    }
    (median(one), median(other))
}

/// The machine's load, for the reader.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
