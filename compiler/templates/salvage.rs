//! The templates that have no mistake, where others have.
//!
//! They are compiled and rendered too, so that one run tells the mistakes of all. This file must not report anything: what is
//! wrong with the others was reported when they were read.

use std::collections::BTreeSet;

use super::folder::TemplateFile;
use super::{Templates, load_files};
use crate::catalogue::Catalogue;
use crate::codes::Severity;
use crate::diag::Diagnostics;
use crate::source::Sources;

/// Most times templates are read again without those that are wrong: one that includes what was left out is wrong then.
const MOST_ROUNDS: usize = 8;

/// Texts of templates that were left out. What they would have made is missing in a plan, and so is what it says of others.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    texts: Vec<String>,
    /// Whether there are some that could not even be read.
    unread: bool,
}

impl Missing {
    /// Whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.unread
    }

    /// Whether one of them may make the file of this path.
    pub fn may_make(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_open = |line: &str| line.trim_start().starts_with("path:") && line.contains("{{");
        let texts = &mut self.texts.iter();
        self.unread || texts.any(|text| text.contains(name) || text.lines().any(is_open))
    }
}

impl Templates {
    /// The same, where further files could not be read.
    #[must_use]
    pub fn with_unread_files(mut self) -> Self {
        self.missing.unread = true;
        self
    }
}

/// The templates without those that `found` has errors about, and without those that need them; `None` when nothing certain is left.
pub(super) fn without_mistakes(
    found: &Diagnostics,
    sources: &Sources,
    mut files: Vec<TemplateFile>,
    catalogue: &Catalogue,
) -> Option<Templates> {
    let mut missing = Missing::default();
    let mut wrong = names_in(found, sources);
    for _ in 0..MOST_ROUNDS {
        if wrong.is_empty() {
            return None;
        }
        let (left_out, rest): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| wrong.contains(&file.name));
        if left_out.is_empty() || rest.is_empty() {
            return None;
        }
        missing.texts.extend(left_out.into_iter().map(|file| file.text));
        files = rest;
        let mut again = Diagnostics::new();
        let (texts, loaded) = load_files(&mut again, &files, catalogue);
        match loaded {
            Ok(templates) => return Some(Templates { missing, ..templates }),
            Err(_) => wrong = names_in(&again, &texts),
        }
    }
    None
}

/// Names of the files that errors stand in.
fn names_in(found: &Diagnostics, sources: &Sources) -> BTreeSet<String> {
    found
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .filter_map(|finding| {
            let (name, _) = sources.locate(finding.primary.as_ref()?.span)?;
            Some(name.to_owned())
        })
        .collect()
}
