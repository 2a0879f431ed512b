//! Which server and which artifact of one side belong to which of the other, and what comparing them gave.
//!
//! Bundles belong together by name, servers by name within their bundle. What is left is looked for elsewhere: a server
//! with the same name or fqdn has moved, one whose artifacts are equal but for its own names was renamed. This file
//! must not know how a report looks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::artifact::{Verdict, added, compare_artifacts, summary};
use super::compare::all_facts;
use super::edition::{BundlePair, Edition};
use super::fact::{Fact, FactKind, without_alike};
use super::identity::{Identity, Installation};
use super::runbook::{Said, what_is_new};
use super::sides::{Content, Side, Snapshot, is_derived, is_runbook};
use super::views;
use crate::catalogue::catalogue;
use crate::contract::digest::Digest;
use crate::contract::manifest::{Artifact, ServerEntry};
use crate::contract::path::BundlePath;

/// A server of a bundle, or the bundle as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the bundle.
    pub bundle: String,
    /// Name of the server; `None` for what exists once per bundle.
    pub server: Option<String>,
}

impl Place {
    /// The server, or the word for what exists once per bundle.
    pub(super) fn at(&self) -> &str {
        self.server.as_deref().unwrap_or("deployment")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.bundle, self.at())
    }
}

impl serde::Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One artifact of one place.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// Where it is.
    pub place: Place,
    /// Path below the server's folder, or in the bundle.
    pub artifact: String,
    /// What the newer manifest that has it says.
    pub record: &'a Artifact,
    /// The names of the server that stand-ins stand for, on the new side when there is one.
    pub names: Identity,
    /// The same on the old side when there is one.
    pub old_names: Identity,
    /// What came out.
    pub verdict: Verdict,
}

/// Everything that was compared.
#[derive(Clone, Debug, Default)]
pub struct Comparison<'a> {
    /// What was typed for the old side.
    pub old: String,
    /// What was typed for the new side.
    pub new: String,
    /// The bundles.
    pub bundles: Vec<BundlePair>,
    /// Servers on the new side only.
    pub added: Vec<Place>,
    /// Servers on the old side only.
    pub removed: Vec<Place>,
    /// Servers with another name or in another bundle.
    pub renamed: Vec<(Place, Place)>,
    /// Servers on both sides.
    pub kept: Vec<Place>,
    /// The names of each installation, by bundle.
    pub installations: BTreeMap<String, Installation>,
    /// Every artifact.
    pub artifacts: Vec<Compared<'a>>,
    /// Warnings of the new side only, with their bundles.
    pub new_warnings: BTreeMap<String, BTreeSet<String>>,
    /// Warnings of the old side only, with their bundles.
    pub gone_warnings: BTreeMap<String, BTreeSet<String>>,
    /// Files that are not what their manifest says.
    pub damage: Vec<String>,
    /// What could not be compared because one side does not compile.
    pub failed: Vec<String>,
}

/// A server of a snapshot with its artifacts, or what exists once per bundle.
#[derive(Clone, Debug)]
struct Unit<'a> {
    snapshot: &'a Snapshot,
    server: Option<&'a ServerEntry>,
    artifacts: BTreeMap<String, &'a Artifact>,
}

impl Unit<'_> {
    fn place(&self) -> Place {
        Place {
            bundle: self.snapshot.manifest.bundle.name.clone(),
            server: self.server.map(|server| server.name.clone()),
        }
    }

    fn names(&self) -> Identity {
        let bundle = &self.snapshot.manifest.bundle;
        self.server
            .map(|server| Identity::new(&server.name, &server.fqdn))
            .unwrap_or_default()
            .with_edition(&bundle.name, &bundle.version)
    }

    fn content(&self, path: &BundlePath) -> &Content {
        self.snapshot.contents.get(path).unwrap_or(&Content::Missing)
    }

    /// Equal for servers that differ in their own names only.
    fn fingerprint(&self) -> Digest {
        let names = self.names();
        let mut text = String::new();
        for (name, artifact) in &self.artifacts {
            text.push_str(name);
            match self.content(&artifact.path) {
                Content::Text(content) => {
                    match all_facts(artifact.effect.reading(artifact.format), content, &names) {
                        Some(facts) => facts.iter().for_each(|fact| {
                            text.extend(["\0", &fact.shape.to_string(), "\0", &fact.value]);
                        }),
                        None => text.extend(["\0\0", &names.hide(content)]),
                    }
                }
                Content::Bytes(_) | Content::Derived(_) | Content::Missing => {
                    text.push_str(&summary(self.content(&artifact.path)));
                }
            }
            text.push('\u{1}');
        }
        Digest::of(text.as_bytes())
    }
}

fn units(snapshot: &Snapshot) -> BTreeMap<Option<&str>, Unit<'_>> {
    let unit = |server| Unit {
        snapshot,
        server,
        artifacts: BTreeMap::new(),
    };
    let mut units: BTreeMap<Option<&str>, Unit<'_>> = snapshot
        .manifest
        .servers
        .iter()
        .map(|server| (Some(server.name.as_str()), unit(Some(server))))
        .collect();
    units.insert(None, unit(None));
    for artifact in &snapshot.manifest.artifacts {
        let path = artifact.path.as_str();
        let below = artifact
            .server
            .as_ref()
            .and_then(|server| path.strip_prefix(&format!("servers/{server}/")));
        if let Some(unit) = units.get_mut(&artifact.server.as_deref()) {
            unit.artifacts.insert(below.unwrap_or(path).to_owned(), artifact);
        }
    }
    units
}

/// Compares two sides.
pub fn compare<'a>(old: &'a Side, new: &'a Side) -> Comparison<'a> {
    let mut comparison = Comparison {
        old: old.label.clone(),
        new: new.label.clone(),
        ..Comparison::default()
    };
    let (mut pairs, mut gone, mut come) = (Vec::new(), Vec::new(), Vec::new());
    for (old, new) in bundles(old, new, &mut comparison) {
        let pair = BundlePair::of(old, new);
        warnings(&pair.name, old, new, &mut comparison);
        comparison.bundles.push(pair);
        let mut olds = old.map(units).unwrap_or_default();
        for (key, unit) in new.map(units).unwrap_or_default() {
            match olds.remove(&key) {
                Some(old) => pairs.push((old, unit)),
                None => come.push(unit),
            }
        }
        gone.extend(olds.into_values());
    }
    for snapshot in old.snapshots.iter().chain(&new.snapshots) {
        let damage = snapshot.damage.iter();
        comparison
            .damage
            .extend(damage.map(|(path, wrong)| format!("{}/{path} {wrong}", snapshot.origin)));
        let name = snapshot.manifest.bundle.name.clone();
        let installation = comparison.installations.entry(name.clone()).or_default();
        installation.bundle = name;
        for server in &snapshot.manifest.servers {
            installation.hosts.insert(server.name.to_lowercase());
            let fqdn = server.fqdn.to_lowercase();
            let (label, domain) = fqdn.split_once('.').unwrap_or((&fqdn, ""));
            installation.hosts.insert(label.to_owned());
            if !domain.is_empty() {
                installation.domains.insert(domain.to_owned());
            }
        }
    }
    let renamed = match_renamed(&mut gone, &mut come);
    let servers = |units: &mut dyn Iterator<Item = &Unit<'a>>| {
        let servers = units.filter(|unit| unit.server.is_some());
        servers.map(Unit::place).collect()
    };
    comparison.added = servers(&mut come.iter());
    comparison.removed = servers(&mut gone.iter());
    comparison.kept = servers(&mut pairs.iter().map(|(_, new)| new));
    comparison.renamed = renamed
        .iter()
        .map(|(old, new)| (old.place(), new.place()))
        .collect();
    let mut jobs: Vec<(Option<&Unit<'a>>, Option<&Unit<'a>>)> = Vec::new();
    let both = pairs.iter().chain(&renamed);
    jobs.extend(both.map(|(old, new)| (Some(old), Some(new))));
    jobs.extend(gone.iter().map(|old| (Some(old), None)));
    jobs.extend(come.iter().map(|new| (None, Some(new))));
    comparison.artifacts = jobs
        .par_iter()
        .flat_map_iter(|(old, new)| compare_units(*old, *new))
        .collect();
    leave_out_what_follows(&mut comparison, old, new);
    comparison
}

/// Takes out of each runbook what other changes of its bundle say already. A page that differs while the runbook does
/// not has a change of its own.
fn leave_out_what_follows(comparison: &mut Comparison<'_>, old: &Side, new: &Side) {
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    for found in &comparison.artifacts {
        let said = said.entry(found.place.bundle.clone()).or_default();
        let record = found.record;
        if let Some(server) = &found.place.server {
            said.server(server);
        }
        match &found.verdict {
            Verdict::Changed(_) | Verdict::Lines(_) if is_runbook(record) => {}
            Verdict::Changed(facts) | Verdict::Lines(facts) => {
                // The names of its server are back in place, as the runbook writes them.
                for fact in facts {
                    said.fact(&fact.map(|text| found.names.restore(text)));
                }
            }
            Verdict::Added(_) => {
                said.subject(record.path.as_str());
                said.come(&record.title);
            }
            Verdict::Removed => {
                said.subject(record.path.as_str());
                said.gone(&record.title);
            }
            Verdict::Unchanged | Verdict::Layout | Verdict::Names | Verdict::Derived => {}
        }
    }
    for place in comparison.added.iter().chain(&comparison.removed) {
        if let (Some(said), Some(server)) = (said.get_mut(&place.bundle), &place.server) {
            said.subject(server);
            said.come(server);
            said.gone(server);
        }
    }
    for (old, new) in &comparison.renamed {
        if let (Some(said), Some(old), Some(new)) = (said.get_mut(&new.bundle), &old.server, &new.server) {
            said.renamed(old, new);
        }
    }
    for pair in &comparison.bundles {
        let Some(said) = said.get_mut(&pair.name) else {
            continue;
        };
        for text in pair.old.iter().flat_map(Edition::texts) {
            said.gone(&text);
        }
        for text in pair.new.iter().flat_map(Edition::texts) {
            said.come(&text);
        }
    }
    for (side, is_new) in [(old, false), (new, true)] {
        for snapshot in &side.snapshots {
            if let Some(said) = said.get_mut(&snapshot.manifest.bundle.name) {
                rest(said, snapshot, is_new);
            }
        }
    }
    let mut with_runbook: BTreeSet<String> = BTreeSet::new();
    for found in &mut comparison.artifacts {
        if !is_runbook(found.record) {
            continue;
        }
        if !matches!(found.verdict, Verdict::Unchanged) {
            with_runbook.insert(found.place.bundle.clone());
        }
        if let Verdict::Changed(facts) = &mut found.verdict
            && let Some(said) = said.get(&found.place.bundle)
        {
            let left = what_is_new(std::mem::take(facts), said);
            found.verdict = if left.is_empty() {
                Verdict::Derived
            } else {
                Verdict::Changed(left)
            };
        }
    }
    let unsaid = views::of_sides(&comparison.bundles, old, new);
    for found in &mut comparison.artifacts {
        if let Some(facts) = unsaid
            .get(&found.place.bundle)
            .and_then(|views| views.get(found.record.path.as_str()))
        {
            found.verdict = Verdict::Changed(facts.clone());
            continue;
        }
        if is_derived(found.record)
            && found.verdict == Verdict::Derived
            && !with_runbook.contains(&found.place.bundle)
        {
            let why = "another page, while the runbook says the same".into();
            found.verdict = Verdict::Lines(views::whole("the whole file", why));
        }
    }
}

/// Notes what the made chapters of a runbook may repeat: the rest of its bundle, and what was or is said elsewhere.
fn rest(said: &mut Said, snapshot: &Snapshot, is_new: bool) {
    if snapshot.is_compiled {
        return said.compiled(is_new);
    }
    for warning in &snapshot.manifest.warnings {
        said.rest(&warning.message, is_new);
        said.rest(&warning.code, is_new);
    }
    for artifact in &snapshot.manifest.artifacts {
        said.rest(artifact.path.as_str(), is_new);
        said.rest(&artifact.title, is_new);
        for service in &artifact.restarts {
            said.rest(service, is_new);
        }
        if is_runbook(artifact)
            && let Some(Content::Text(text)) = snapshot.contents.get(&artifact.path)
        {
            said.runbook(text, is_new);
        }
    }
    for server in &snapshot.manifest.servers {
        said.rest(&server.name, is_new);
    }
    for entry in catalogue().entries() {
        for text in [Some(&entry.title), entry.resolution.as_ref()]
            .into_iter()
            .flatten()
        {
            said.rest(text, is_new);
        }
    }
}

type Pair<'a> = (Option<&'a Snapshot>, Option<&'a Snapshot>);

/// Bundles that belong together: by name, or because there is one on each side.
fn bundles<'a>(old: &'a Side, new: &'a Side, comparison: &mut Comparison<'_>) -> Vec<Pair<'a>> {
    // What does not compile on one side was not removed or added there.
    let failed: BTreeSet<&str> = old
        .failed
        .iter()
        .chain(&new.failed)
        .map(|name| file_name(name))
        .collect();
    comparison.failed = old.failed.iter().chain(&new.failed).cloned().collect();
    let usable = |side: &'a Side| -> Vec<&'a Snapshot> {
        let snapshots = side.snapshots.iter();
        snapshots
            .filter(|snapshot| !failed.contains(file_name(&snapshot.origin)))
            .collect()
    };
    let (olds, news) = (usable(old), usable(new));
    if let ([old], [new]) = (olds.as_slice(), news.as_slice()) {
        return vec![(Some(*old), Some(*new))];
    }
    let mut pairs: BTreeMap<&str, Pair<'a>> = BTreeMap::new();
    for snapshot in olds {
        pairs.entry(&snapshot.manifest.bundle.name).or_default().0 = Some(snapshot);
    }
    for snapshot in news {
        pairs.entry(&snapshot.manifest.bundle.name).or_default().1 = Some(snapshot);
    }
    pairs.into_values().collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', ':']).next().unwrap_or(path)
}

fn warnings(name: &str, old: Option<&Snapshot>, new: Option<&Snapshot>, comparison: &mut Comparison<'_>) {
    let all = |snapshot: Option<&Snapshot>| -> BTreeSet<String> {
        let snapshots = snapshot.into_iter();
        let warnings = snapshots.flat_map(|snapshot| &snapshot.manifest.warnings);
        warnings
            .map(|warning| format!("{}: {}", warning.code, warning.message))
            .collect()
    };
    let (before, now) = (all(old), all(new));
    for (found, warnings) in [
        (&mut comparison.new_warnings, &now - &before),
        (&mut comparison.gone_warnings, &before - &now),
    ] {
        for warning in warnings {
            found.entry(warning).or_default().insert(name.to_owned());
        }
    }
}

/// Takes servers out of both lists that are one and the same under another name or in another bundle. A match must be
/// the only one of its kind: two equal candidates prove nothing.
fn match_renamed<'a>(gone: &mut Vec<Unit<'a>>, come: &mut Vec<Unit<'a>>) -> Vec<(Unit<'a>, Unit<'a>)> {
    let mut pairs = Vec::new();
    let server = |unit: &Unit<'_>| unit.server.cloned();
    take_unique(gone, come, &mut pairs, |unit| {
        server(unit).map(|server| server.fqdn.to_lowercase())
    });
    take_unique(gone, come, &mut pairs, |unit| {
        server(unit).map(|server| server.name.to_lowercase())
    });
    if gone.iter().any(|unit| unit.server.is_some()) && come.iter().any(|unit| unit.server.is_some()) {
        take_unique(gone, come, &mut pairs, |unit| {
            (unit.server.is_some() && !unit.artifacts.is_empty()).then(|| unit.fingerprint())
        });
    }
    pairs
}

fn take_unique<'a, K: Ord>(
    gone: &mut Vec<Unit<'a>>,
    come: &mut Vec<Unit<'a>>,
    pairs: &mut Vec<(Unit<'a>, Unit<'a>)>,
    key: impl Fn(&Unit<'a>) -> Option<K>,
) {
    let mut table: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, unit) in gone.iter().enumerate() {
        if let Some(key) = key(unit) {
            table.entry(key).or_default().0.push(index);
        }
    }
    for (index, unit) in come.iter().enumerate() {
        if let Some(key) = key(unit) {
            table.entry(key).or_default().1.push(index);
        }
    }
    let (mut old_taken, mut new_taken) = (BTreeSet::new(), BTreeSet::new());
    for (old, new) in table.values() {
        if let ([old], [new]) = (old.as_slice(), new.as_slice())
            && let (Some(left), Some(right)) = (gone.get(*old), come.get(*new))
        {
            pairs.push((left.clone(), right.clone()));
            old_taken.insert(*old);
            new_taken.insert(*new);
        }
    }
    for (units, taken) in [(gone, old_taken), (come, new_taken)] {
        let mut index = 0..;
        units.retain(|_| index.next().is_none_or(|index| !taken.contains(&index)));
    }
}

/// A server that is renamed loses other names on each side, so what both sides say alike can look different. Such facts
/// go: those that read the same with all names in place.
fn only_what_differs(verdict: Verdict, old_names: &Identity, new_names: &Identity) -> Verdict {
    let Verdict::Changed(facts) = verdict else {
        return verdict;
    };
    let written = |fact: &Fact, names: &Identity| fact.map(|text| names.restore(text));
    let mut kept = without_alike(facts, |fact| {
        let is_old = fact.kind == FactKind::Removed;
        written(fact, if is_old { old_names } else { new_names })
    });
    kept.retain(|fact| {
        let (old, new) = (written(fact, old_names), written(fact, new_names));
        fact.kind != FactKind::Changed || old.path != new.path || old.old != new.new
    });
    if kept.is_empty() {
        Verdict::Names
    } else {
        Verdict::Changed(kept)
    }
}

fn compare_units<'a>(old: Option<&Unit<'a>>, new: Option<&Unit<'a>>) -> Vec<Compared<'a>> {
    let nothing = BTreeMap::new();
    let olds = old.map_or(&nothing, |unit| &unit.artifacts);
    let news = new.map_or(&nothing, |unit| &unit.artifacts);
    let Some(place) = new.or(old).map(Unit::place) else {
        return Vec::new();
    };
    let (old_full, new_full) = (
        old.map(Unit::names).unwrap_or_default(),
        new.map(Unit::names).unwrap_or_default(),
    );
    // A server that was renamed loses its names on both sides; one that kept its name hides only what stayed.
    let renamed = matches!((old, new), (Some(old), Some(new))
        if old.server.map(|server| &server.name) != new.server.map(|server| &server.name));
    let (old_names, new_names) = if renamed || old.is_none() || new.is_none() {
        (old_full, new_full)
    } else {
        (old_full.shared_with(&new_full), new_full.shared_with(&old_full))
    };
    let mut compared = Vec::new();
    let all: BTreeSet<&String> = olds.keys().chain(news.keys()).collect();
    for name in all {
        let content = |unit: Option<&Unit<'a>>, artifact: Option<&&'a Artifact>| {
            let artifact: &'a Artifact = artifact?;
            let content = &unit?.snapshot.contents;
            content
                .get(&artifact.path)
                .filter(|content| **content != Content::Missing)
                .map(|content| (artifact, content))
        };
        let (before, now) = (content(old, olds.get(name)), content(new, news.get(name)));
        let verdict = match (before, now) {
            (Some(before), Some(now)) => {
                let verdict = compare_artifacts(before, now, &old_names, &new_names, renamed);
                if renamed {
                    only_what_differs(verdict, &old_names, &new_names)
                } else {
                    verdict
                }
            }
            (None, Some((artifact, content))) => Verdict::Added(added(artifact, content, &new_names)),
            // Also a file that both manifests list and neither side has.
            (_, None) => Verdict::Removed,
        };
        if let Some(record) = news.get(name).or_else(|| olds.get(name)) {
            compared.push(Compared {
                place: place.clone(),
                artifact: name.clone(),
                record,
                names: new.map_or(&old_names, |_| &new_names).clone(),
                old_names: old.map_or(&new_names, |_| &old_names).clone(),
                verdict,
            });
        }
    }
    compared
}
