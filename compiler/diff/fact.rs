//! One thing that two texts say differently. This file must not know how it was found, nor how it is shown.

use std::collections::BTreeMap;

use crate::formats::FactPath;

/// How a fact differs. The order is that of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// It says something else.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It stands in another place, which may matter.
    Moved,
    /// The block around it has another name; what it holds is the same.
    Renamed,
}

/// What a fact says something of, as far as that alone decides how bad it can get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// What stands in the artifact, or what else is said of it.
    #[default]
    Content,
    /// Where the artifact goes.
    Target,
    /// How it is undone.
    Undo,
    /// Its encoding or line ends.
    Bytes,
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fact {
    /// Where it is said. Only a report makes a text of it.
    pub path: FactPath,
    /// What it says something of.
    #[serde(skip)]
    pub subject: Subject,
    /// How it differs.
    pub kind: FactKind,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is said now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl Fact {
    /// A fact of the content of an artifact; what it says on each side decides its kind.
    pub fn new(path: impl Into<FactPath>, old: Option<String>, new: Option<String>) -> Self {
        let kind = match (&old, &new) {
            (None, _) => FactKind::Added,
            (_, None) => FactKind::Removed,
            (Some(_), Some(_)) => FactKind::Changed,
        };
        Self {
            path: path.into(),
            subject: Subject::Content,
            kind,
            old,
            new,
        }
    }

    /// The same with all its texts written as `write` says.
    #[must_use]
    pub fn map(&self, mut write: impl FnMut(&str) -> String) -> Self {
        Self {
            path: self.path.map(&mut write),
            old: self.old.as_deref().map(&mut write),
            new: self.new.as_deref().map(&mut write),
            ..*self
        }
    }
}

/// Takes out what went and came alike, as `written` reads it: as many facts as both sides have, the first ones.
pub(super) fn without_alike(mut facts: Vec<Fact>, written: impl Fn(&Fact) -> Fact) -> Vec<Fact> {
    let key = |fact: &Fact| {
        let Fact { path, old, new, .. } = written(fact);
        (path, old.or(new))
    };
    let mut alike: BTreeMap<_, [usize; 2]> = BTreeMap::new();
    for fact in &facts {
        let [gone, come] = alike.entry(key(fact)).or_default();
        *gone += usize::from(fact.kind == FactKind::Removed);
        *come += usize::from(fact.kind == FactKind::Added);
    }
    for counts in alike.values_mut() {
        let [gone, come] = *counts;
        *counts = [gone.min(come); 2];
    }
    facts.retain(|fact| {
        let left = match (fact.kind, alike.get_mut(&key(fact))) {
            (FactKind::Removed, Some([gone, _])) => gone,
            (FactKind::Added, Some([_, come])) => come,
            _ => return true,
        };
        let is_kept = *left == 0;
        *left = left.saturating_sub(1);
        is_kept
    });
    facts
}
