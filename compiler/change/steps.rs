//! The steps of one place, as the runbook of a bundle gives them.
//!
//! The order is the runbook's; there is no other one. This file must not know the server.

use crate::contract::artifact::Effect;
use crate::contract::digest::Digest;
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::contract::runbook::{Runbook, Step, StepKind, StepNumber};

/// A bundle that is complete and unchanged, as far as the change desk needs it.
pub trait Package {
    /// The manifest.
    fn manifest(&self) -> &Manifest;

    /// The runbook.
    fn runbook(&self) -> &Runbook;

    /// Digest of everything in it.
    fn seal(&self) -> Digest;

    /// The deployed bytes of an artifact, checked again. `Err` is what is wrong, as a sentence.
    fn read(&self, path: &BundlePath) -> Result<Vec<u8>, String>;
}

/// The name of the place for what is done once for the whole installation.
pub const DEPLOYMENT: &str = "deployment";

/// The server of a place, as the runbook writes it.
pub fn server_of(place: &str) -> Option<&str> {
    (place != DEPLOYMENT).then_some(place)
}

/// The place of a step.
pub fn place_of(step: &Step) -> &str {
    step.server.as_deref().unwrap_or(DEPLOYMENT)
}

/// Whether cbgen changes a file itself.
pub fn is_native(step: &Step) -> bool {
    matches!(step.kind, StepKind::Edit | StepKind::Replace)
}

/// The file that such a step changes, as Windows writes it.
///
/// # Panics
/// For a step that names no file, which no runbook that was read has.
pub fn target_of(step: &Step) -> &str {
    step.target
        .as_deref()
        .expect("a runbook with a step that changes a file and names none cannot be read")
}

/// Whether there is nothing to do where its file is not there: references are rewritten where they are, and a release without the
/// script has none.
pub fn may_lack_its_file(step: &Step) -> bool {
    step.effect == Some(Effect::ReplaceReferences)
}

/// Whether a script of the bundle does the work.
pub fn is_script(step: &Step) -> bool {
    matches!(step.kind, StepKind::Script | StepKind::Sql | StepKind::Registry)
}

/// Which steps are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Phases; all when empty.
    pub phases: Vec<Phase>,
    /// First step.
    pub from: Option<StepNumber>,
    /// Last step.
    pub until: Option<StepNumber>,
}

impl Selection {
    /// The wanted steps of a place, in order.
    pub fn choose<'a>(&self, runbook: &'a Runbook, place: &str) -> Vec<&'a Step> {
        let steps = runbook.steps.iter().filter(|step| place_of(step) == place);
        steps
            .filter(|step| {
                self.from.is_none_or(|from| from <= step.number)
                    && self.until.is_none_or(|until| step.number <= until)
                    && (self.phases.is_empty() || self.phases.contains(&step.phase))
            })
            .collect()
    }
}

/// The names of secrets a script of a bundle reads from its environment. Its template says them in the step that looks
/// whether they are there.
pub fn secrets_of(script: &[u8]) -> Vec<String> {
    const SAYS: &str = "set \"STEP=look at the variable ";
    let text = String::from_utf8_lossy(script);
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(SAYS)?.strip_suffix('"'));
    let plain = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let mut names: Vec<String> = names.filter(plain).map(str::to_owned).collect();
    names.dedup();
    names
}
