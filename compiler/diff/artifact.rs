//! One artifact of both sides: its bytes, its meaning, and how it is applied.
//!
//! This file must not know servers, grouping or reports.

use super::compare::{Difference, all_facts, by_lines, compare_texts};
use super::fact::{Fact, FactKind, Subject};
use super::identity::Identity;
use super::sides::Content;
use crate::contract::artifact::Rollback;
use crate::contract::digest::Digest;
use crate::contract::manifest::Artifact;
use crate::formats::{FactPath, Reading};

/// What comparing one artifact gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same bytes, applied the same way.
    Unchanged,
    /// The same meaning.
    Layout,
    /// The same but for the names of the server, or the version of the bundle, which changed.
    Names,
    /// Other facts.
    Changed(Vec<Fact>),
    /// Other lines; a text does not read.
    Lines(Vec<Fact>),
    /// New, with all its facts.
    Added(Vec<Fact>),
    /// Gone.
    Removed,
    /// Another content of a file that follows from the others.
    Derived,
}

/// Compares an artifact that both sides have. `renamed` says that the server has another name.
pub(super) fn compare_artifacts(
    (old, before): (&Artifact, &Content),
    (new, now): (&Artifact, &Content),
    old_names: &Identity,
    new_names: &Identity,
    renamed: bool,
) -> Verdict {
    let editions_differ = old_names != new_names;
    let mut facts = applied(old, new, old_names, new_names);
    let difference = match (before, now) {
        (Content::Derived(before), Content::Derived(now)) if before == now => return Verdict::Unchanged,
        (Content::Derived(_), Content::Derived(_)) => return Verdict::Derived,
        (before, now) if before == now => None,
        (Content::Text(before), Content::Text(now)) if reading(old) == reading(new) => {
            Some(compare_texts(reading(new), before, now, old_names, new_names))
        }
        (Content::Text(before), Content::Text(now)) => {
            // Without a common format there is no common meaning.
            Some(Difference::Lines(by_lines(before, now)))
        }
        (before, now) => Some(Difference::Lines(vec![Fact::new(
            "the whole file",
            Some(summary(before)),
            Some(summary(now)),
        )])),
    };
    match difference {
        None if facts.is_empty() => Verdict::Unchanged,
        Some(Difference::Layout)
            if facts.is_empty() && (renamed || editions_differ && !is_layout(reading(new), before, now)) =>
        {
            Verdict::Names
        }
        Some(Difference::Layout) if facts.is_empty() => Verdict::Layout,
        None | Some(Difference::Layout) => Verdict::Changed(facts),
        Some(Difference::Meaning(more)) => {
            facts.extend(more);
            Verdict::Changed(facts)
        }
        Some(Difference::Lines(more)) => {
            facts.extend(more);
            Verdict::Lines(facts)
        }
    }
}

/// How the text of an artifact is read.
fn reading(artifact: &Artifact) -> Reading {
    artifact.effect.reading(artifact.format)
}

/// Whether two texts say the same also with every name and version in place.
fn is_layout(reading: Reading, before: &Content, now: &Content) -> bool {
    let none = Identity::default();
    match (before, now) {
        (Content::Text(before), Content::Text(now)) => {
            compare_texts(reading, before, now, &none, &none) == Difference::Layout
        }
        _ => false,
    }
}

/// Size and digest, for what is no text.
pub(super) fn summary(content: &Content) -> String {
    let (size, digest) = match content {
        Content::Text(text) => (text.len(), Digest::of(text.as_bytes())),
        Content::Bytes(bytes) => (bytes.len(), Digest::of(bytes)),
        Content::Derived(digest) => return digest.to_string(),
        Content::Missing => return "missing".into(),
    };
    format!("{size} bytes, SHA-256 {digest}")
}

/// All facts of a new artifact.
pub(super) fn added(artifact: &Artifact, content: &Content, names: &Identity) -> Vec<Fact> {
    let whole = |text| vec![Fact::new("the whole file", None, Some(text))];
    match content {
        Content::Text(text) => match all_facts(reading(artifact), text, names) {
            Some(facts) => {
                let facts = facts.into_iter();
                facts
                    .map(|fact| Fact::new(fact.shape, None, Some(fact.value)))
                    .collect()
            }
            None => whole(names.hide(text)),
        },
        Content::Derived(_) => Vec::new(),
        Content::Bytes(_) | Content::Missing => whole(summary(content)),
    }
}

/// Differences of the manifest that change what an engineer does.
fn applied(old: &Artifact, new: &Artifact, old_names: &Identity, new_names: &Identity) -> Vec<Fact> {
    let rows = said(old, old_names).into_iter().zip(said(new, new_names));
    rows.filter(|((.., old), (.., new))| old != new)
        .map(|((name, subject, old), (.., new))| Fact {
            subject,
            kind: FactKind::Changed,
            ..Fact::new(FactPath::of(["how it is applied", name]), old, new)
        })
        .collect()
}

/// How an artifact is undone, in words.
pub(super) fn undo(rollback: &Rollback) -> String {
    match rollback {
        Rollback::Captured => "captured".to_owned(),
        Rollback::OneWay => "one-way".to_owned(),
        Rollback::Nothing => "nothing to undo".to_owned(),
        Rollback::Artifact(path) => path.to_string(),
    }
}

/// What the manifest says of how an artifact is applied.
fn said(artifact: &Artifact, names: &Identity) -> [(&'static str, Subject, Option<String>); 10] {
    let rows = [
        ("title", Subject::Content, Some(artifact.title.clone())),
        ("target", Subject::Target, artifact.target.clone()),
        ("effect", Subject::Content, Some(format!("{:?}", artifact.effect))),
        ("format", Subject::Content, Some(artifact.format.name().into())),
        ("phase", Subject::Content, Some(artifact.phase.name().into())),
        ("encoding", Subject::Bytes, Some(artifact.encoding.name().into())),
        ("line ends", Subject::Bytes, Some(artifact.eol.name().into())),
        ("undo", Subject::Undo, Some(undo(&artifact.rollback))),
        (
            "requirements",
            Subject::Content,
            Some(artifact.requirements.join(", ")),
        ),
        ("restarts", Subject::Content, Some(artifact.restarts.join(", "))),
    ];
    rows.map(|(name, subject, text)| (name, subject, text.map(|text| names.hide(&text))))
}
