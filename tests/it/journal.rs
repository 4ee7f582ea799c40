//! The journal from outside: killed at any syscall, on disks that fail, shared by several processes, damaged.
//!
//! A fixed slice of each campaign runs every day; `WARROOM_CAMPAIGN=full cargo nextest run --test it -E 'test(journal::)'`
//! runs the whole of it.

mod consoles;
mod damage;
mod disk;
mod kill;
mod world;

/// Whether the whole campaign is wanted.
fn is_full() -> bool {
    std::env::var("WARROOM_CAMPAIGN").is_ok_and(|wanted| wanted == "full")
}

/// Whether strace can be used here; says so when not.
fn has_strace() -> bool {
    let found = std::process::Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let can = found.is_ok_and(|output| output.status.success());
    if !can {
        println!("strace cannot be used here: this campaign did not run");
    }
    can
}
