//! The certificate of pay.meridian.example was not renewed. It holds for nine hours more.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Story, Subject};

/// Seconds from the beginning to the page.
pub(super) const PAGE_S: i64 = 75;
/// Seconds from the beginning to the end of the certificate.
pub(super) const EXPIRES_S: i64 = 9 * 3_600;

pub(super) fn story() -> Story {
    let mut story = Story::new("certificate-expiry");
    let host = "pay.meridian.example";
    let soon = story.alert(
        AlertSpec::new(
            "CertificateExpiringSoon",
            "high",
            "edge",
            "The certificate of pay.meridian.example ends in nine hours",
        )
        .when("(probe_ssl_earliest_cert_expiry - time()) / 3600 < 12", 60, 9.0)
        .label("instance", "https://pay.meridian.example/")
        .label("host", host)
        .label("namespace", "edge")
        .label("certificate", "pay-meridian-example")
        .describe("The renewal of this morning failed: the DNS challenge was not answered."),
    );
    let down = story.alert(
        AlertSpec::new(
            "ProbeFailed",
            "critical",
            "edge",
            "pay.meridian.example cannot be reached: certificate has expired",
        )
        .when("probe_success{instance=\"https://pay.meridian.example/\"} == 0", 60, 0.0)
        .label("instance", "https://pay.meridian.example/")
        .label("host", host),
    );
    // The amount is the instant itself; the program fills it in.
    story.strain(host, Knob::CertExpiry, 1.0, 0, 0);
    story.at(5, Deed::Begin(soon)).at(EXPIRES_S + 30, Deed::Begin(down));
    story.ack(PAGE_S + 240, soon, "on-call");
    story.note(
        PAGE_S + 300,
        soon,
        "Nadia",
        "cert-manager: order failed, TXT record _acme-challenge.pay not found. DNS token expired on Wednesday.",
    );
    story.at(PAGE_S + 900, Deed::Snooze(Subject::Alert(soon), "Nadia", 6 * 3_600));
    story.note(
        PAGE_S + 905,
        soon,
        "Nadia",
        "New DNS token is requested; security answers in the morning. Snoozed until then, nine hours are left.",
    );
    (story.cure_at_s, story.clear_after_s) = (Some(11 * 3_600), 60);
    story
}
