//! What a person can ask, by name. The TUI's command table, keymaps, palette, CLI verbs and chat commands share these.

use std::fmt;

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What a person can ask.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CommandId {
            $($(#[$doc])* $variant,)*
        }

        impl CommandId {
            /// Every command, in the order of the help page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in keymaps, in the palette and in docs.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The command of that name.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// One line down.
    MoveDown = "move-down",
    /// One line up.
    MoveUp = "move-up",
    /// First line.
    MoveFirst = "move-first",
    /// Last line.
    MoveLast = "move-last",
    /// One page down.
    PageDown = "page-down",
    /// One page up.
    PageUp = "page-up",
    /// Next pane.
    FocusNext = "focus-next",
    /// Previous pane.
    FocusPrevious = "focus-previous",
    /// The incident list.
    FocusIncidents = "focus-incidents",
    /// The timeline.
    FocusTimeline = "focus-timeline",
    /// The panels.
    FocusPanels = "focus-panels",
    /// The runbook.
    FocusRunbook = "focus-runbook",
    /// Open what is selected, or run it.
    Open = "open",
    /// Close what is open, go back.
    Back = "back",
    /// Mark or unmark the selected incident.
    Mark = "mark",
    /// Mark all that are listed, or none.
    MarkAll = "mark-all",
    /// Acknowledge.
    Acknowledge = "acknowledge",
    /// Escalate to the next level.
    Escalate = "escalate",
    /// Run the next automated step.
    RunStep = "run-step",
    /// Cancel the step that runs.
    CancelStep = "cancel-step",
    /// Leave the selected step out.
    SkipStep = "skip-step",
    /// Take the last change back.
    UndoStep = "undo-step",
    /// Give the half-done checklist to somebody.
    HandRun = "hand-run",
    /// Resolve.
    Resolve = "resolve",
    /// Write a note.
    Note = "note",
    /// Write a note in the editor.
    NoteInEditor = "note-in-editor",
    /// Snooze.
    Snooze = "snooze",
    /// Reassign.
    Reassign = "reassign",
    /// Merge the marked incidents into the selected one.
    Merge = "merge",
    /// Silence the alert.
    Silence = "silence",
    /// Declare an incident.
    Declare = "declare",
    /// Send a status update.
    StatusUpdate = "status-update",
    /// Run diagnostics.
    Diagnose = "diagnose",
    /// Write the post-incident review.
    Review = "review",
    /// Take a role.
    TakeRole = "take-role",
    /// Hand over.
    Handoff = "handoff",
    /// Tick the selected step.
    Tick = "tick",
    /// Show the runbook's other matches.
    ChooseRunbook = "choose-runbook",
    /// Filter the list.
    Filter = "filter",
    /// Clear the filter.
    ClearFilter = "clear-filter",
    /// Command palette.
    Palette = "palette",
    /// Help.
    Help = "help",
    /// Copy the selected line.
    Copy = "copy",
    /// Open the link.
    OpenLink = "open-link",
    /// Zoom the pane.
    Zoom = "zoom",
    /// Wider first column.
    Widen = "widen",
    /// Narrower first column.
    Narrow = "narrow",
    /// Choose which kinds of entries the timeline shows.
    FilterTimeline = "filter-timeline",
    /// Longer time range of the panels.
    RangeLonger = "range-longer",
    /// Shorter time range of the panels.
    RangeShorter = "range-shorter",
    /// Ask every source again.
    Refresh = "refresh",
    /// The problems view: sources, actions, configuration.
    Problems = "problems",
    /// Try the selected action again.
    Retry = "retry",
    /// Give the selected action up.
    GiveUp = "give-up",
    /// Write the selected note anew and send that instead.
    EditAction = "edit-action",
    /// Take the last action on the incident back.
    Undo = "undo",
    /// Dismiss the newest notice.
    Dismiss = "dismiss",
    /// Why this severity, why these alerts, who escalates.
    Explain = "explain",
    /// Next theme.
    NextTheme = "next-theme",
    /// To the shell and back.
    Suspend = "suspend",
    /// Redraw the screen.
    Redraw = "redraw",
    /// Leave.
    Quit = "quit",
}

impl fmt::Display for CommandId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}
