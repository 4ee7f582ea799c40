//! A room of a thousand consoles against a room of one: how often the provider is asked, in virtual time.

use std::time::{Duration, Instant};

use warroom::engine::sharing::figure::ask_together;

pub fn run() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let span = Duration::from_secs(3_600);
    let began = Instant::now();
    let (one, many) =
        runtime.block_on(async { (ask_together(1, span, true).await, ask_together(1_000, span, true).await) });
    let ratio = many.calls as f64 / one.calls as f64;
    println!(
        "1,000 consoles of one room for 1 h (virtual), every 10 s: {} calls against {} of one console: {ratio:.2} \
         (goal ≤ 1.10); at most {} at once; {:.1} answers a console against {}; {:.1?} real",
        many.calls,
        one.calls,
        many.at_once,
        many.answers as f64 / 1_000.0,
        one.answers,
        began.elapsed(),
    );
}
