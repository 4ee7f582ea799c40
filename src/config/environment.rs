//! The few variables that stand over the file: what differs from shell to shell, never what a team agrees on.

use super::files::Environment;
use super::model::Config;
use crate::domain::problem::Problem;
use crate::text::Clean;

/// `WARROOM_THEME`, `WARROOM_KEYMAP`, `WARROOM_OPERATOR`, `WARROOM_TIME_ZONE`, `WARROOM_READ_ONLY`. (`WARROOM_CONFIG`
/// and `WARROOM_LOG` are read where the file and the log are opened.)
pub(super) fn over(config: &mut Config, environment: Environment<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |message: String, fix: &str| {
        let message = Clean::new(message).as_str().to_owned();
        problems.push(Problem {
            file: "environment".to_owned(),
            at: None,
            message,
            fix: fix.to_owned(),
            is_error: true,
        });
    };
    if let Some(theme) = environment("WARROOM_THEME") {
        config.room.theme = theme;
    }
    if let Some(keymap) = environment("WARROOM_KEYMAP") {
        config.room.keymap = keymap;
    }
    if let Some(operator) = environment("WARROOM_OPERATOR") {
        config.room.operator = Clean::new(operator);
    }
    if let Some(zone) = environment("WARROOM_TIME_ZONE") {
        match zone.parse() {
            Ok(zone) => config.room.time_zone = zone,
            Err(_) => wrong(
                format!("WARROOM_TIME_ZONE is not a time zone: '{zone}'"),
                "set it to a name of the IANA database, such as Europe/Berlin",
            ),
        }
    }
    match environment("WARROOM_READ_ONLY").as_deref() {
        None | Some("0" | "false" | "no") => {}
        Some("1" | "true" | "yes") => config.room.read_only = true,
        Some(other) => {
            // When in doubt, do nothing rather than too much.
            config.room.read_only = true;
            wrong(
                format!("WARROOM_READ_ONLY is not yes or no: '{other}'"),
                "set it to 1 or 0; until then the room is read-only",
            );
        }
    }
    problems
}
