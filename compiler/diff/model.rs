//! What a report says, whatever it looks like. Its JSON form is this, field by field.
//!
//! This file must not know how anything was compared or is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::edition::BundlePair;
use super::fact::Fact;
use super::pair::Place;
use super::risk::Risk;

/// Version of the JSON form of a report.
pub const FORMAT: u32 = 1;

/// What happened to the artifact of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It says something else.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl Change {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// One distinct change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Paths of the artifacts below the server's folder, or in the bundle: several when the same change happens to each.
    pub artifacts: Vec<String>,
    /// What they are.
    pub titles: Vec<String>,
    /// What happened to it.
    pub change: Change,
    /// The worst class of its facts.
    pub risk: Risk,
    /// Why.
    pub reason: String,
    /// Where they go on the servers.
    pub targets: Vec<String>,
    /// Services that restart.
    pub restarts: Vec<String>,
    /// How it is undone.
    pub undo: Vec<String>,
    /// Requirements of the vendor guide.
    pub requirements: Vec<String>,
    /// Where it happens.
    pub places: Vec<Place>,
    /// Whether it was compared by lines because a text does not read in its format.
    pub by_lines: bool,
    /// Which servers the facts name at each place, by the number of their stand-in, where they differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<(Place, Vec<String>)>,
    /// What differs.
    pub facts: Vec<Fact>,
}

impl Group {
    /// What it says of its artifacts, list by list.
    pub(super) fn lists(&mut self) -> [&mut Vec<String>; 6] {
        [
            &mut self.artifacts,
            &mut self.titles,
            &mut self.targets,
            &mut self.restarts,
            &mut self.undo,
            &mut self.requirements,
        ]
    }
}

/// The servers of both sides by what happened to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Servers {
    /// At least one artifact has other bytes or is applied in another way.
    pub changed: Vec<Place>,
    /// Those of them where only the layout, their own name or the version of the bundle differs.
    pub layout_only: Vec<Place>,
    /// On the new side only.
    pub added: Vec<Place>,
    /// On the old side only.
    pub removed: Vec<Place>,
    /// Under another name or in another bundle: old and new place.
    pub renamed: Vec<(Place, Place)>,
    /// Everything is as it was.
    pub unchanged: Vec<Place>,
}

/// Artifacts by what happened to them: how many, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Artifacts {
    /// Other meaning.
    pub changed: BTreeMap<String, usize>,
    /// New.
    pub added: BTreeMap<String, usize>,
    /// Gone.
    pub removed: BTreeMap<String, usize>,
    /// Other bytes of the same meaning, proved by reading both.
    pub layout_only: BTreeMap<String, usize>,
    /// Other bytes because the server was renamed or the bundle has another version.
    pub names_only: BTreeMap<String, usize>,
    /// Files that follow from the others and differ.
    pub derived: BTreeMap<String, usize>,
    /// The same.
    pub unchanged: BTreeMap<String, usize>,
}

/// How the comparison was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Artifacts on both sides.
    pub compared: usize,
    /// Equal by digest.
    pub equal: usize,
    /// Read on both sides by the parser of their format, or applied differently with equal bytes.
    pub parsed: usize,
    /// By digest only, because they follow from the others.
    pub derived: usize,
    /// By lines only, with their names.
    pub by_lines: BTreeMap<String, usize>,
    /// On one side only.
    pub one_sided: usize,
}

/// A warning that came or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Code and message.
    pub text: String,
    /// Bundles it is about.
    pub bundles: BTreeSet<String>,
}

/// Everything a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of this format.
    pub format: u32,
    /// What was typed for the old side.
    pub old: String,
    /// What was typed for the new side.
    pub new: String,
    /// The bundles.
    pub bundles: Vec<BundlePair>,
    /// The servers.
    pub servers: Servers,
    /// The artifacts.
    pub artifacts: Artifacts,
    /// How it was compared.
    pub coverage: Coverage,
    /// Warnings that are new.
    pub new_warnings: Vec<Warning>,
    /// Warnings that are gone.
    pub gone_warnings: Vec<Warning>,
    /// Files that are not what their manifest says.
    pub damage: Vec<String>,
    /// Inventories that do not compile on one side and were left out.
    pub failed: Vec<String>,
    /// The changes, the most dangerous first.
    pub groups: Vec<Group>,
}

impl Report {
    /// Whether anything differs that is deployed, warned about or said of a bundle.
    pub fn differs(&self) -> bool {
        let servers = &self.servers;
        let artifacts = &self.artifacts;
        !(self.groups.is_empty()
            && servers.added.is_empty()
            && servers.removed.is_empty()
            && servers.renamed.is_empty()
            && artifacts.layout_only.is_empty()
            && artifacts.names_only.is_empty()
            && artifacts.derived.is_empty()
            && self.damage.is_empty()
            && self.failed.is_empty()
            && self.new_warnings.is_empty()
            && self.gone_warnings.is_empty()
            && self.bundles.iter().all(|pair| match (&pair.old, &pair.new) {
                (Some(old), Some(new)) => !old.differs(new),
                _ => false,
            }))
    }

    /// Whether places need the name of their bundle.
    pub fn has_several_bundles(&self) -> bool {
        self.bundles.len() > 1
    }

    /// The worst class of all groups.
    pub fn worst(&self) -> Option<Risk> {
        self.groups.iter().map(|group| group.risk).max()
    }
}
