//! One thing that two texts say differently. This file must not know how it was found, nor how it is shown.

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

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fact {
    /// What it is about.
    pub path: String,
    /// How it differs.
    pub kind: FactKind,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is said now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}
