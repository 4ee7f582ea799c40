//! One of a list, or several: people, policies, services, severities, levels, spans, themes, runbooks, kinds.

use std::collections::BTreeSet;

use crate::domain::action::{Assignee, Silencing, Target};
use crate::domain::id::RunbookId;
use crate::domain::id::StepId;
use crate::domain::run::RunId;
use crate::domain::source::ChronoSeconds;
use crate::domain::timeline::EventKind;
use crate::text::Clean;
use crate::tui::fuzzy::Query;
use crate::tui::panes::incidents::update::Move;
use crate::tui::runs::RunChoice;
use crate::tui::textbox::TextBox;

/// Lines of a page key.
const PAGE: usize = 8;

/// A list to pick from.
#[derive(Clone, Debug)]
pub struct Picker {
    /// What is asked, such as "Snooze for".
    pub title: Clean,
    /// What the keys do.
    pub hint: Clean,
    /// As typed; narrows the list.
    pub input: TextBox,
    /// Everything there is.
    pub choices: Vec<Choice>,
    /// What fits the text: indices into `choices`, best first, with where the label matches.
    pub found: Vec<(usize, Vec<u32>)>,
    /// The row of `found` the cursor is on.
    pub at: usize,
    /// First visible row of `found`.
    pub offset: usize,
    /// Picked ones, where several may be: indices into `choices`.
    pub picked: BTreeSet<usize>,
    /// Whether several may be picked.
    pub is_many: bool,
    /// What the pick is for.
    pub purpose: Purpose,
    /// Said instead of an empty list, such as "the people of the account are not known yet".
    pub when_empty: Clean,
}

/// One line of a picker.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it is.
    pub label: Clean,
    /// More about it: why it fits, who it is, what it means.
    pub detail: Clean,
    /// What picking it gives.
    pub value: Value,
}

/// What picking a line gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A span.
    Span(ChronoSeconds),
    /// Somebody.
    Assignee(Assignee),
    /// A level and who that is.
    Level(u32, Vec<Clean>),
    /// A theme by name.
    Theme(String),
    /// A runbook.
    Runbook(RunbookId),
    /// A kind of timeline entry.
    Kind(EventKind),
    /// A link.
    Link(String),
    /// A role, who has it, who gets it.
    Role {
        /// Which.
        role: Clean,
        /// Who has it as it is shown.
        from: Option<Clean>,
        /// Who has it then.
        to: Option<Clean>,
    },
    /// What to do with a step.
    Run(RunChoice),
    /// A value of the declare form: the index into its list.
    Field(usize),
}

/// What a pick is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// What becomes of a step.
    Run {
        /// Which run.
        run: RunId,
        /// Which step.
        step: StepId,
    },
    /// Snooze these.
    Snooze(Vec<Target>),
    /// Silence these, each for its incident; the question follows.
    Silence(Vec<(Target, Silencing)>),
    /// Give these to whom is picked; the question follows.
    Reassign(Vec<Target>),
    /// Call a level for this one; the question follows.
    Escalate(Vec<Target>),
    /// A role of this one.
    Role(Target),
    /// Another theme.
    Theme,
    /// Another runbook for the selected incident.
    Runbook,
    /// Which kinds the timeline shows.
    Kinds,
    /// Which of several links to open.
    Link,
    /// The service of a declaration.
    DeclareService,
    /// The priority of a declaration.
    DeclarePriority,
}

impl Picker {
    /// Everything listed, nothing picked.
    #[must_use]
    pub fn new(title: &str, hint: &str, choices: Vec<Choice>, purpose: Purpose) -> Self {
        let found = (0..choices.len()).map(|at| (at, Vec::new())).collect();
        Self {
            title: Clean::new(title),
            hint: Clean::new(hint),
            input: TextBox::default(),
            choices,
            found,
            at: 0,
            offset: 0,
            picked: BTreeSet::new(),
            is_many: false,
            purpose,
            when_empty: Clean::new("nothing to choose from"),
        }
    }

    /// The text changed: lists what fits, best first; equal ones keep their order.
    pub fn narrow(&mut self) {
        let mut query = Query::parse(&self.input.text());
        let mut found: Vec<(u32, usize, Vec<u32>)> = Vec::new();
        for (at, choice) in self.choices.iter().enumerate() {
            let fields = [choice.label.as_str(), choice.detail.as_str()];
            if let Some(score) = query.score(fields.into_iter()) {
                found.push((score, at, query.positions(choice.label.as_str())));
            }
        }
        found.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        self.found = found.into_iter().map(|(_, at, positions)| (at, positions)).collect();
        self.at = 0;
        self.offset = 0;
    }

    /// Moves the cursor.
    pub fn move_cursor(&mut self, how: Move) {
        self.at = how.from(self.at, self.found.len(), PAGE);
    }

    /// Picks or unpicks the line under the cursor.
    pub fn toggle(&mut self) {
        let Some((at, _)) = self.found.get(self.at).filter(|_| self.is_many) else { return };
        if !self.picked.remove(at) {
            self.picked.insert(*at);
        }
    }

    /// What was chosen: the picked lines, else the one under the cursor.
    #[must_use]
    pub fn chosen(&self) -> Vec<Value> {
        let under = self.found.get(self.at).map(|(at, _)| *at);
        let all: Vec<usize> =
            if self.picked.is_empty() { under.into_iter().collect() } else { self.picked.iter().copied().collect() };
        all.into_iter().filter_map(|at| self.choices.get(at)).map(|choice| choice.value.clone()).collect()
    }
}
