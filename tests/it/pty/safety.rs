//! Dangerous keys ask, and nothing but a lone, late key answers.

use std::time::Duration;

use super::room;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_dangerous_key_asks_before_anything_is_done() {
    let mut terminal = room::open("quiet", 120, 30).await;
    terminal.wait_text("pd:PINC1").await;
    for (keys, question) in [("e", "question: Escalate?"), ("R", "question: Resolve"), (" kkm", "question: Merge 1")] {
        if keys.len() > 1 {
            terminal.send("j").await;
            terminal.wait_text("IncidentId(pd:PINC2)").await;
        }
        for key in keys.chars() {
            terminal.send(key.to_string()).await;
            terminal.drain(Duration::from_millis(30)).await;
        }
        terminal.wait_text(question).await;
        terminal.send("n").await;
        terminal.wait(&format!("the end of '{question}'"), |terminal| !terminal.text().contains("question:")).await;
    }
    for (keys, shown) in [("x", "picker: Reassign"), ("s", "picker: Snooze"), ("c", "form:"), ("n", "prompt:")] {
        terminal.send(keys).await;
        terminal.wait_text(shown).await;
        terminal.send("\x1b").await;
        terminal.wait(&format!("the end of '{shown}'"), |terminal| !terminal.text().contains(shown)).await;
    }
    assert!(terminal.text().contains("acts=0"), "{}", terminal.text());
    terminal.send("q").await;
    assert_eq!(terminal.exit(super::PATIENCE).await.0, Some(0));
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_paste_and_an_answer_of_the_terminal_cannot_confirm_but_a_finger_can() {
    let mut terminal = room::open("quiet", 120, 30).await;
    terminal.wait_text("pd:PINC1").await;
    terminal.send("R").await;
    terminal.wait_text("question: Resolve").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    for bytes in [
        // A bracketed paste, a paste of a terminal that does not bracket, XTVERSION, a cursor report, device attributes.
        "\x1b[200~y\ny\n\x1b[201~",
        "y\r",
        "yyyyyyyyyyyyyyyy",
        "\x1bP>|xterm-y(390)\x1b\\y",
        "\x1b[12;40R",
        "\x1b[?64;1;2c",
    ] {
        terminal.send(bytes).await;
        terminal.never_text("acts=1", Duration::from_millis(250)).await;
        assert!(terminal.text().contains("question: Resolve"), "{bytes:?}:\n{}", terminal.text());
    }
    terminal.send("y").await;
    terminal.wait_text("acts=1").await;
    terminal.send("q").await;
    assert_eq!(terminal.exit(super::PATIENCE).await.0, Some(0));
}
