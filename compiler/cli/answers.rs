//! What `build`, `check`, `show`, `coverage` and `verify` print with `--format json`, as types: `cbgen schema` prints their schemas.
//!
//! A key is added only together with a new [`FORMAT`] number. This file must not decide anything.

use schemars::JsonSchema;
use serde::Serialize;

use crate::bundle::tree::Written;
use crate::change::evidence::{Flaw, Summary};
use crate::change::verify::{Form, VerifiedBundle};
use crate::contract::digest::Digest;
use crate::coverage::Row;
use crate::json;
use crate::report::escape_hidden;
use crate::show;

/// Version of these formats.
pub(super) const FORMAT: u32 = 1;

/// The answer of `build`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Builds {
    /// Version of this format: 1.
    pub(super) format: u32,
    /// Whether nothing was written, only compared.
    pub(super) check: bool,
    /// One entry for each inventory, in the order of the command line.
    pub(super) inventories: Vec<Built>,
}

/// What became of one inventory.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Built {
    /// The inventory as it was named.
    pub(super) inventory: String,
    /// What became of it.
    pub(super) state: BuildState,
    /// Number of errors.
    pub(super) errors: usize,
    /// Number of warnings.
    pub(super) warnings: usize,
    /// The bundle, when it was compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bundle: Option<Named>,
}

/// What became of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BuildState {
    /// Written for the first time, the whole of it or only the archive.
    Written,
    /// Written in place of another build.
    Replaced,
    /// Built, and nothing had to be written.
    Unchanged,
    /// With `--check`: the output is what the inventory compiles to.
    UpToDate,
    /// With `--check`: it is not.
    Differs,
    /// Errors, or the output could not be written.
    Failed,
}

/// A bundle.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(super) struct Named {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// Its id.
    pub(super) id: String,
    /// Its seal, as people read it to each other.
    pub(super) seal: String,
    /// The folder reviewers read.
    pub(super) tree: String,
    /// The archive.
    pub(super) archive: String,
    /// What its runbook asks of people, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) work: Option<String>,
    /// Seal of the build of the same version that was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replaced_seal: Option<String>,
    /// Files of the earlier build that are no longer made.
    pub(super) removed: Vec<String>,
    /// Files in the tree that cbgen did not make and kept.
    pub(super) kept: Vec<String>,
}

impl Named {
    /// Adds what writing it did, and says which state that is.
    pub(super) fn written(&mut self, written: &Written) -> BuildState {
        self.replaced_seal = written.replaced(&self.version).map(|seal| seal.to_string());
        self.removed = written.removed_stale.iter().map(ToString::to_string).collect();
        self.kept.clone_from(&written.foreign);
        match &written.old {
            _ if !written.changed => BuildState::Unchanged,
            _ if written.completed => BuildState::Written,
            Some(_) => BuildState::Replaced,
            None => BuildState::Written,
        }
    }
}

/// The answer of `check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Checks {
    /// Version of this format: 1.
    pub(super) format: u32,
    /// One entry for each inventory, in the order of the command line.
    pub(super) inventories: Vec<Checked>,
}

/// What was found in one inventory. The findings themselves go to standard error or into `--message-file`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Checked {
    /// The inventory as it was named.
    pub(super) inventory: String,
    /// Whether it compiles.
    pub(super) compiles: bool,
    /// Number of errors.
    pub(super) errors: usize,
    /// Number of warnings.
    pub(super) warnings: usize,
}

/// The answer of `coverage`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Covered<'a> {
    /// Version of this format: 1.
    pub(super) format: u32,
    /// The inventory as it was named.
    pub(super) inventory: String,
    /// Every requirement, in the order of the guide.
    pub(super) requirements: &'a [Row],
}

/// The answer of `show`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    /// Version of this format: 1.
    pub(super) format: u32,
    /// The inventory as it was named.
    pub(super) inventory: String,
    /// Every value, in the order of the format.
    pub(super) values: Vec<show::Entry>,
}

/// A bundle that is in order, for programs. One that is not has findings, which have formats of their own.
#[derive(Serialize, JsonSchema)]
pub(super) struct BundleAnswer<'a> {
    /// Its name.
    bundle: &'a str,
    /// Its version.
    version: &'a str,
    /// Number of the change request.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'a str>,
    /// Files in it.
    files: usize,
    /// `deployed`, or `review` for a tree of `out/`.
    form: &'static str,
    /// Digest of its `SHA256SUMS`, which covers everything.
    seal: Digest,
    /// Id of the manifest.
    id: Digest,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureAnswer<'a>>,
}

/// The signature of a bundle.
#[derive(Serialize, JsonSchema)]
struct SignatureAnswer<'a> {
    /// Fingerprint of the key.
    key: String,
    /// Who vouches for it; absent when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

impl<'a> BundleAnswer<'a> {
    /// What is said of a checked bundle.
    pub(super) fn of(bundle: &'a VerifiedBundle<'_>) -> Self {
        let record = &bundle.manifest().bundle;
        Self {
            bundle: &record.name,
            version: &record.version,
            change: record.change.as_deref(),
            files: bundle.files().count(),
            form: match bundle.form() {
                Form::Deployed => "deployed",
                Form::Review => "review",
            },
            seal: bundle.seal(),
            id: record.id,
            signature: bundle.signed().map(|signed| SignatureAnswer {
                key: signed.signature.fingerprint().clone(),
                by: signed.principals.as_deref(),
            }),
        }
    }
}

/// Evidence, for programs: what it is about when it is whole, and what does not fit.
#[derive(Serialize, JsonSchema)]
pub(super) struct EvidenceAnswer<'a> {
    /// The file as it was named.
    pub(super) file: &'a str,
    /// Nothing was changed, removed or added.
    pub(super) is_whole: bool,
    /// Whether the seal is the one that was given; absent when none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seal_fits: Option<bool>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Summary<'a>>,
    /// What does not fit.
    pub(super) flaws: &'a [Flaw],
}

/// An answer as pretty JSON with a line feed at its end.
pub(super) fn json(answer: &impl Serialize) -> String {
    escape_hidden(&json::pretty(answer))
}
