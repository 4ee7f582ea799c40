//! One entry for each command.

use super::{Command, Danger, Group, Needs};
use crate::config::keymap::Context;
use crate::domain::command::CommandId as Id;

const TIMELINE: &[Context] = &[Context::Timeline];
const PANELS: &[Context] = &[Context::Panels];
const RUNBOOK: &[Context] = &[Context::Runbook];
const PROBLEMS: &[Context] = &[Context::Problems];

const fn plain(id: Id, group: Group, title: &'static str, short: &'static str, help: &'static str) -> Command {
    Command {
        id,
        title,
        short,
        help,
        group,
        contexts: &[],
        danger: Danger::None,
        needs: Needs { selection: false, record: false, write: false, pager: false },
        later: None,
    }
}

impl Command {
    const fn only(mut self, contexts: &'static [Context]) -> Self {
        self.contexts = contexts;
        self
    }

    /// Acts on an incident that PagerDuty has.
    const fn on_record(mut self) -> Self {
        self.needs = Needs { selection: true, record: true, write: true, pager: true };
        self
    }

    /// Acts on an incident; a routing key is enough.
    const fn on_incident(mut self) -> Self {
        self.needs = Needs { selection: true, record: false, write: true, pager: true };
        self
    }

    const fn writes(mut self) -> Self {
        self.needs.write = true;
        self
    }

    const fn at_pager(mut self) -> Self {
        self.needs.pager = true;
        self.writes()
    }

    /// Acts on the alerts of an incident, whoever else knows of it.
    const fn on_alerts(mut self) -> Self {
        self.needs = Needs { selection: true, record: false, write: true, pager: false };
        self
    }

    const fn selects(mut self) -> Self {
        self.needs.selection = true;
        self
    }

    const fn danger(mut self, danger: Danger) -> Self {
        self.danger = danger;
        self
    }

    const fn later(mut self, says: &'static str) -> Self {
        self.later = Some(says);
        self
    }
}

pub(super) fn entry(id: Id) -> Command {
    match id {
        Id::MoveDown => plain(id, Group::Move, "Down", "down", "Moves the cursor one line down."),
        Id::MoveUp => plain(id, Group::Move, "Up", "up", "Moves the cursor one line up."),
        Id::MoveFirst => plain(id, Group::Move, "First line", "first", "Moves the cursor to the first line."),
        Id::MoveLast => plain(id, Group::Move, "Last line", "last", "Moves the cursor to the last line."),
        Id::PageDown => plain(id, Group::Move, "Page down", "page", "Moves the cursor one page down."),
        Id::PageUp => plain(id, Group::Move, "Page up", "page up", "Moves the cursor one page up."),
        Id::FocusNext => plain(id, Group::Move, "Next pane", "pane", "Gives the keys to the next pane."),
        Id::FocusPrevious => plain(id, Group::Move, "Previous pane", "back", "Gives the keys to the previous pane."),
        Id::FocusIncidents => plain(id, Group::Move, "Incidents", "incidents", "Gives the keys to the incident list."),
        Id::FocusTimeline => plain(id, Group::Move, "Timeline", "timeline", "Gives the keys to the timeline."),
        Id::FocusPanels => plain(id, Group::Move, "Panels", "panels", "Gives the keys to the panels."),
        Id::FocusRunbook => plain(id, Group::Move, "Runbook", "runbook", "Gives the keys to the runbook."),
        Id::Open => plain(id, Group::Find, "Open", "open", "Shows everything about what the cursor is on."),
        Id::Back => {
            plain(id, Group::Move, "Back", "back", "Closes what is open, leaves the zoom, takes the marks away.")
        }
        Id::Mark => plain(
            id,
            Group::Find,
            "Mark",
            "mark",
            "Marks or unmarks the incident, so that a key acts on all marked ones.",
        ),
        Id::MarkAll => {
            plain(id, Group::Find, "Mark all", "all", "Marks everything that is listed, or takes all marks away.")
        }
        Id::Acknowledge => {
            plain(id, Group::Act, "Acknowledge", "ack", "Says that you work on it; done at once, and lapses by itself.")
                .on_incident()
        }
        Id::Escalate => plain(
            id,
            Group::Act,
            "Escalate",
            "escalate",
            "Calls the next level of the policy, after showing who that is.",
        )
        .on_record()
        .danger(Danger::Confirm),
        Id::RunStep => plain(
            id,
            Group::Panes,
            "Run next step",
            "run",
            "Shows the exact command of the next automated step, and runs it after you confirm.",
        )
        .selects()
        .danger(Danger::Confirm),
        Id::CancelStep => {
            plain(id, Group::Panes, "Cancel step", "cancel", "Ends the step that runs, and everything it started.")
                .selects()
        }
        Id::SkipStep => {
            plain(id, Group::Panes, "Skip step", "skip", "Leaves the runbook's step out, with a reason.").selects()
        }
        Id::UndoStep => plain(
            id,
            Group::Panes,
            "Undo the change",
            "undo",
            "Takes the last change of the runbook back, after showing with which command.",
        )
        .only(RUNBOOK)
        .selects()
        .danger(Danger::Confirm),
        Id::HandRun => plain(
            id,
            Group::Panes,
            "Hand over runbook",
            "hand over",
            "Gives the half-done runbook to a colleague: their console goes on with it.",
        )
        .only(RUNBOOK)
        .selects(),
        Id::Resolve => plain(id, Group::Act, "Resolve", "resolve", "Says that it is over, after asking.")
            .on_incident()
            .danger(Danger::TypeName),
        Id::Note => plain(id, Group::Act, "Note", "note", "Writes one line into the incident's notes.").on_record(),
        Id::NoteInEditor => {
            plain(id, Group::Act, "Note in the editor", "long note", "Writes a note in $EDITOR.").on_record()
        }
        Id::Snooze => plain(id, Group::Act, "Snooze", "snooze", "Puts it off for a span that you pick.").on_record(),
        Id::Reassign => {
            plain(id, Group::Act, "Reassign", "reassign", "Gives it to people or to a policy, after asking.")
                .on_record()
                .danger(Danger::Confirm)
        }
        Id::Merge => {
            plain(id, Group::Act, "Merge", "merge", "Merges the marked incidents into the selected one, after asking.")
                .on_record()
                .danger(Danger::TypeName)
        }
        Id::Silence => {
            plain(id, Group::Act, "Silence", "silence", "Silences its alerts in Alertmanager, after showing which.")
                .on_alerts()
                .danger(Danger::Confirm)
        }
        Id::Declare => {
            plain(id, Group::Act, "Declare", "declare", "Opens a new incident, after showing whom it will page.")
                .at_pager()
                .danger(Danger::Confirm)
        }
        Id::StatusUpdate => plain(id, Group::Act, "Status update", "update", "Tells people outside how it stands.")
            .later("Status updates come with a later version: n writes a note that responders see"),
        Id::Diagnose => plain(id, Group::Panes, "Diagnostics", "diagnose", "Looks at the service's pods and rollouts.")
            .later("Diagnostics come with a later version: the panels (3) show the service's numbers now"),
        Id::Review => plain(id, Group::Room, "Review", "review", "Writes the post-incident review.")
            .later("Reviews come with a later version: the journal keeps everything one will need"),
        Id::TakeRole => {
            plain(id, Group::Act, "Take a role", "role", "Says that you lead, write or speak for this incident.")
                .selects()
                .at_pager()
        }
        Id::Handoff => plain(id, Group::Room, "Hand over", "handoff", "Writes the handover for the next shift.")
            .later("Handover comes with a later version: x reassigns an incident to the next on-call"),
        Id::Tick => {
            plain(id, Group::Panes, "Tick", "tick", "Ticks or unticks the runbook's step, with your name and the time.")
                .selects()
        }
        Id::ChooseRunbook => plain(
            id,
            Group::Panes,
            "Choose runbook",
            "runbook",
            "Shows every runbook that fits, and why, to choose from.",
        ),
        Id::Filter => plain(
            id,
            Group::Find,
            "Filter",
            "filter",
            "Lists only what fits the words: title, service, status, labels.",
        ),
        Id::ClearFilter => plain(id, Group::Find, "Clear filter", "clear", "Lists everything again."),
        Id::Palette => plain(id, Group::Room, "Command palette", "commands", "Finds any command by its name."),
        Id::Help => plain(id, Group::Room, "Help", "help", "Shows every key."),
        Id::Copy => {
            plain(id, Group::Find, "Copy", "copy", "Copies what the cursor is on to the clipboard, over SSH too.")
        }
        Id::OpenLink => {
            plain(id, Group::Find, "Open link", "link", "Opens the page of what the cursor is on in a browser.")
        }
        Id::Zoom => plain(id, Group::Move, "Zoom", "zoom", "Lets the pane fill the screen, and back."),
        Id::Widen => plain(id, Group::Move, "Wider list", "wider", "Makes the first column wider."),
        Id::Narrow => plain(id, Group::Move, "Narrower list", "narrower", "Makes the first column narrower."),
        Id::FilterTimeline => {
            plain(id, Group::Panes, "Timeline kinds", "kinds", "Chooses which kinds of entries the timeline shows.")
                .only(TIMELINE)
        }
        Id::RangeLonger => {
            plain(id, Group::Panes, "Longer range", "longer", "Shows a longer time in the panels.").only(PANELS)
        }
        Id::RangeShorter => {
            plain(id, Group::Panes, "Shorter range", "shorter", "Shows a shorter time in the panels.").only(PANELS)
        }
        Id::Refresh => {
            plain(id, Group::Room, "Refresh", "refresh", "Asks every source again now, within its rate limit.")
        }
        Id::Problems => plain(
            id,
            Group::Room,
            "Problems",
            "problems",
            "Shows sources in trouble, actions not delivered, faults in our files.",
        ),
        Id::Retry => plain(
            id,
            Group::Room,
            "Try again",
            "retry",
            "Tries the failed action again; looks first whether it was done.",
        )
        .only(PROBLEMS)
        .writes(),
        Id::GiveUp => plain(id, Group::Room, "Give up", "give up", "Gives the action up: it will not be sent again.")
            .only(PROBLEMS),
        Id::EditAction => plain(
            id,
            Group::Room,
            "Edit and send",
            "edit",
            "Lets you change a note that was not written, and sends that instead of it.",
        )
        .only(PROBLEMS)
        .at_pager(),
        Id::Undo => plain(
            id,
            Group::Act,
            "Undo",
            "undo",
            "Gives an acknowledged incident back, opens a resolved one again, or ends a silence, where you did that last.",
        )
        .selects()
        .danger(Danger::Confirm),
        Id::Dismiss => plain(id, Group::Room, "Dismiss notice", "dismiss", "Takes the newest notice away."),
        Id::Explain => {
            plain(id, Group::Find, "Explain", "why", "Shows why this severity, why these alerts, who is called when.")
                .selects()
        }
        Id::NextTheme => plain(id, Group::Room, "Next theme", "theme", "Shows the room in the next theme."),
        Id::Suspend => plain(id, Group::Room, "Suspend", "shell", "Goes to the shell; fg comes back."),
        Id::Redraw => plain(id, Group::Room, "Redraw", "redraw", "Draws the whole screen again."),
        Id::Quit => plain(id, Group::Room, "Quit", "quit", "Leaves; what is not delivered goes on at the next start."),
    }
}
