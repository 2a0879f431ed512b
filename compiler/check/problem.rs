//! A finding of the cross-checks before it has a position.
//!
//! Rules name places by JSON pointer and never see spans, so they can be tested on plain data. Only
//! [`Problem::lift`] looks positions up.

use std::collections::BTreeMap;

use crate::codes::{self, Code, Severity};
use crate::diag::Diagnostic;
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

/// The server that a pointer leads into.
pub(super) fn server_of(pointer: &str) -> Option<usize> {
    let rest = pointer.strip_prefix("/servers/")?;
    rest.split('/').next()?.parse().ok()
}

/// What the rules found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Adds a finding at a value.
    pub(super) fn at(
        &mut self,
        code: Code,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.add(code, Place::Value(pointer.into()), message.into())
    }

    /// Adds a finding at a key.
    pub(super) fn at_key(
        &mut self,
        code: Code,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.add(code, Place::Key(pointer.into()), message.into())
    }

    fn add(&mut self, code: Code, place: Place, message: String) -> &mut Problem {
        self.0.push_mut(Problem {
            code,
            message,
            place,
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            servers: Vec::new(),
            accepted: None,
        })
    }
}

impl Problem {
    /// Names the servers it is about.
    pub(super) fn servers(&mut self, servers: impl IntoIterator<Item = usize>) -> &mut Self {
        self.servers = servers.into_iter().collect();
        self
    }

    /// The servers it is about; none when it is about the whole installation.
    pub(super) fn affected(&self) -> Vec<usize> {
        if !self.servers.is_empty() {
            return self.servers.clone();
        }
        server_of(self.place.pointer()).into_iter().collect()
    }

    /// Whether an engineer must know it: warnings about acceptances are for the author alone, and one of them depends on
    /// the day.
    pub(super) fn is_for_the_runbook(&self) -> bool {
        self.code.severity() == Severity::Warning && !self.is_about_an_acceptance()
    }

    /// Whether it is about an acceptance itself.
    pub(super) fn is_about_an_acceptance(&self) -> bool {
        [codes::ACCEPTANCE_UNUSED, codes::ACCEPTANCE_EXPIRED].contains(&self.code)
    }

    /// Adds another place.
    pub(super) fn related(&mut self, pointer: impl Into<String>, text: impl Into<String>) -> &mut Self {
        self.related.push((Place::Value(pointer.into()), text.into()));
        self
    }

    /// Adds a fact.
    pub(super) fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    /// Adds the remedy.
    pub(super) fn help(&mut self, text: impl Into<String>) -> &mut Self {
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

/// Findings of several servers that are one mistake at one place, as a value in `defaults`, are one finding.
///
/// Such findings differ in nothing but the first name in their message.
pub(super) fn together(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let parts = |message: &str| -> Option<(String, String)> {
        let (before, rest) = message.split_once('`')?;
        let (name, after) = rest.split_once('`')?;
        Some((name.to_owned(), format!("{before}`{after}")))
    };
    let mut all: Vec<(Diagnostic, Vec<String>)> = Vec::new();
    let mut by_place: BTreeMap<(&str, u32, u32), Vec<usize>> = BTreeMap::new();
    for finding in found {
        let own = parts(&finding.message);
        let place = finding.primary.as_ref();
        let key = place.map(|label| (finding.code.id(), label.span.start, label.span.end));
        let here = key.and_then(|key| by_place.get(&key)).into_iter().flatten();
        let same = here.copied().find(|at| {
            all.get(*at).is_some_and(|(first, _)| {
                first.primary == finding.primary
                    && first.related == finding.related
                    && first.notes == finding.notes
                    && first.help == finding.help
                    && own.is_some()
                    && parts(&first.message).map(|(_, words)| words)
                        == own.as_ref().map(|(_, words)| words.clone())
            })
        });
        if let (Some((_, names)), Some((name, _))) = (same.and_then(|at| all.get_mut(at)), own) {
            names.push(name);
            continue;
        }
        if let Some(key) = key {
            by_place.entry(key).or_default().push(all.len());
        }
        all.push((finding, Vec::new()));
    }
    let joined = |names: &[String]| match names {
        [] => None,
        [one] => Some(format!("the same is true of `{one}`")),
        [one, other] => Some(format!("the same is true of `{one}` and `{other}`")),
        [one, rest @ ..] => Some(format!("the same is true of `{one}` and {} others", rest.len())),
    };
    let noted = |(finding, names): (Diagnostic, Vec<String>)| match joined(&names) {
        Some(note) => finding.note(note),
        None => finding,
    };
    all.into_iter().map(noted).collect()
}
