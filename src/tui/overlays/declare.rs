//! A new incident: title, service, urgency, priority, details. The question with what will happen follows.

use crate::config::keymap::{Chord, Key};
use crate::domain::action::Declaration;
use crate::domain::id::{PriorityId, ServiceId};
use crate::domain::incident::{Named, Urgency};
use crate::text::{Clean, Untrusted};
use crate::tui::textbox::TextBox;

/// The fields, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// One line.
    #[default]
    Title,
    /// On which service.
    Service,
    /// Whether it escalates.
    Urgency,
    /// How bad, in the account's words; its description and examples are shown.
    Priority,
    /// More text.
    Details,
}

impl Field {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Title, Self::Service, Self::Urgency, Self::Priority, Self::Details];
}

/// A new incident.
#[derive(Clone, Debug)]
pub struct Declare {
    /// The field that has the keys.
    pub field: Field,
    /// Title.
    pub title: TextBox,
    /// Service.
    pub service: Option<Named<ServiceId>>,
    /// Urgency.
    pub urgency: Urgency,
    /// Priority.
    pub priority: Option<Named<PriorityId>>,
    /// More text.
    pub details: TextBox,
    /// What is missing, said after a try.
    pub complaint: Option<Clean>,
}

impl Declare {
    /// Whether letters are text in the field that has the keys.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        matches!(self.field, Field::Title | Field::Details)
    }
}

impl Default for Declare {
    fn default() -> Self {
        Self {
            field: Field::Title,
            title: TextBox::default(),
            service: None,
            urgency: Urgency::High,
            priority: None,
            details: TextBox::default(),
            complaint: None,
        }
    }
}

impl Declare {
    /// To another field.
    pub fn move_field(&mut self, by: isize) {
        let count = Field::ALL.len() as isize;
        let at = Field::ALL.iter().position(|field| *field == self.field).unwrap_or(0) as isize;
        let next = usize::try_from((at + by).rem_euclid(count)).unwrap_or(0);
        self.field = Field::ALL.get(next).copied().unwrap_or_default();
    }

    /// A key for the field that has them; true when it took it.
    pub fn press(&mut self, chord: Chord) -> bool {
        self.complaint = None;
        match self.field {
            Field::Title => self.title.press(chord),
            Field::Details => self.details.press(chord),
            Field::Urgency if matches!(chord.key, Key::Left | Key::Right | Key::Char(' ')) => {
                self.urgency = match self.urgency {
                    Urgency::High => Urgency::Low,
                    Urgency::Low => Urgency::High,
                };
                true
            }
            Field::Priority if chord.key == Key::Backspace => self.priority.take().is_some(),
            Field::Urgency | Field::Service | Field::Priority => false,
        }
    }

    /// What is to be declared, or what is missing; the cursor goes to the missing field.
    ///
    /// # Errors
    /// One sentence for the form.
    pub fn finished(&mut self) -> Result<Declaration, Clean> {
        let title = self.title.text().trim().to_owned();
        if title.is_empty() {
            self.field = Field::Title;
            return Err(Clean::new("a title is needed: what is broken, for whom"));
        }
        let Some(service) = self.service.clone() else {
            self.field = Field::Service;
            return Err(Clean::new("a service is needed: Enter shows them"));
        };
        let details = self.details.text();
        Ok(Declaration {
            title: Untrusted::from(title),
            service,
            urgency: self.urgency,
            priority: self.priority.clone(),
            details: (!details.trim().is_empty()).then(|| Untrusted::from(details)),
        })
    }
}
