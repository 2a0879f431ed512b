//! A finding of the cross-checks before it has a position.
//!
//! Rules name places by JSON pointer and never see spans, so they can be tested on plain data. Only
//! [`Problem::lift`] looks positions up.

use crate::codes::{self, Code};
use crate::diag::{Diagnostic, Severity};
use crate::inventory::Places;
use crate::inventory::accept::Acceptance;
use crate::source::Span;

/// A place in the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value at a JSON pointer.
    Value(String),
    /// The key at a JSON pointer: for something that is missing below it, or for a whole section.
    Key(String),
}

impl Place {
    /// The JSON pointer.
    pub(super) fn pointer(&self) -> &str {
        match self {
            Self::Value(pointer) | Self::Key(pointer) => pointer,
        }
    }

    /// The written place, or the key of the section that lacks it.
    fn find(&self, places: &Places) -> Option<Span> {
        match self {
            Self::Value(pointer) => places.nearest(pointer),
            Self::Key(pointer) => places.key(pointer).or_else(|| places.nearest(pointer)),
        }
    }
}

/// A finding with pointers instead of positions.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) place: Place,
    pub(super) related: Vec<(Place, String)>,
    notes: Vec<String>,
    pub(super) help: Option<String>,
    /// Servers it is about, when the place alone does not say.
    servers: Vec<usize>,
    /// Why somebody accepts it.
    pub(super) accepted: Option<Acceptance>,
}

impl Problem {
    /// A finding at a value.
    pub(super) fn at(code: Code, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Place::Value(pointer.into()), message.into())
    }

    /// A finding at a key.
    pub(super) fn at_key(code: Code, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Place::Key(pointer.into()), message.into())
    }

    fn new(code: Code, place: Place, message: String) -> Self {
        Self {
            code,
            message,
            place,
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            servers: Vec::new(),
            accepted: None,
        }
    }

    /// Names the servers it is about.
    pub(super) fn servers(mut self, servers: impl IntoIterator<Item = usize>) -> Self {
        self.servers = servers.into_iter().collect();
        self
    }

    /// The servers it is about; none when it is about the whole installation.
    pub(super) fn affected(&self) -> Vec<usize> {
        if !self.servers.is_empty() {
            return self.servers.clone();
        }
        let mut segments = self.place.pointer().split('/').skip(1);
        let is_server = segments.next() == Some("servers");
        segments
            .next()
            .filter(|_| is_server)
            .and_then(|index| index.parse().ok())
            .into_iter()
            .collect()
    }

    /// Whether an engineer must know it: warnings about acceptances are for the author alone, and one of them depends on
    /// the day.
    pub(super) fn is_for_the_runbook(&self) -> bool {
        self.code.severity() == Severity::Warning
            && ![codes::ACCEPTANCE_UNUSED, codes::ACCEPTANCE_EXPIRED].contains(&self.code)
    }

    /// Adds a fact to a finished finding.
    pub(super) fn add_note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Adds another place.
    pub(super) fn related(mut self, pointer: impl Into<String>, text: impl Into<String>) -> Self {
        self.related.push((Place::Value(pointer.into()), text.into()));
        self
    }

    /// Adds a fact.
    pub(super) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds the remedy.
    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The diagnostic, with every pointer replaced by its position.
    pub(super) fn lift(&self, places: &Places) -> Diagnostic {
        let mut diagnostic =
            Diagnostic::new(self.code, self.message.as_str()).at_opt(self.place.find(places));
        for (place, text) in &self.related {
            if let Some(span) = place.find(places) {
                diagnostic = diagnostic.related(span, text.as_str());
            }
        }
        diagnostic.notes.clone_from(&self.notes);
        diagnostic.help.clone_from(&self.help);
        diagnostic
    }
}
