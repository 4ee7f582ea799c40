//! Alertmanager's fingerprint of a label set.

use super::super::alert::{Fingerprint, Labels};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;
/// No byte of UTF-8, so names and values cannot run into each other.
const SEPARATOR: u8 = 0xff;

/// FNV-1a-64 over the sorted `name 0xFF value 0xFF`; a set without labels has the bare offset (apis.md 3).
#[must_use]
pub fn fingerprint(labels: &Labels) -> Fingerprint {
    let mut sum = OFFSET;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(std::iter::once(&SEPARATOR)) {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for (name, value) in labels.iter() {
        add(name.as_bytes());
        add(value.expose().as_bytes());
    }
    Fingerprint(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alertmanager_0_25_sent() {
        let table: [(&[(&str, &str)], &str); 3] = [
            (
                &[
                    ("alertname", "CheckoutErrorBudgetBurn"),
                    ("cluster", "lab"),
                    ("service", "checkout"),
                    ("severity", "critical"),
                ],
                "dc11d3baefd32752",
            ),
            (
                &[
                    ("alertname", "TargetDown"),
                    ("cluster", "lab"),
                    ("instance", "127.0.0.1:18199"),
                    ("job", "down"),
                    ("severity", "warning"),
                ],
                "2b92a112a2d4bd50",
            ),
            (
                &[("severity", "critical"), ("service", "checkout"), ("cluster", "lab"), ("alertname", "Res")],
                "f347a538476c61da",
            ),
        ];
        for (labels, expected) in table {
            let labels: Labels = labels.iter().copied().collect();
            assert_eq!(fingerprint(&labels).to_string(), expected);
        }
    }
}
