//! The catalogue of guide requirements and guide defects.
//!
//! Every requirement of the vendor guide and every defect found in it has an id (`NGX-8`, `DEF-31`) that templates,
//! diagnostics and the runbook refer to. The catalogue is data, `requirements.json`, embedded in the program. This
//! module must not know templates, inventories or how a condition is evaluated: conditions are texts here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// One requirement or defect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Stable id, for example `NGX-8`.
    pub id: String,
    /// What it asks for, or what is wrong, in one line.
    pub title: String,
    /// Section of the vendor guide.
    pub section: String,
    /// Conditions, all of which must hold for the entry to matter to an inventory; none means always.
    #[serde(default)]
    pub applies: Vec<Condition>,
    /// Why it needs neither an artifact nor a step, when that is so for every inventory.
    #[serde(default)]
    pub accounted: Option<String>,
    /// How bad a defect is; only for `DEF` ids.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// What cbgen does about a defect; only for `DEF` ids.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// What this bundle does instead, for the runbook; only for `DEF` ids.
    #[serde(default)]
    pub resolution: Option<String>,
}

/// A condition of an entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Template expression over the variables of deployment scope.
    pub when: String,
    /// Why the entry does not apply when the expression is false.
    pub otherwise: String,
}

/// How bad a defect of the guide is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Severity {
    /// It breaks the installation or opens a hole.
    A,
    /// It gives a wrong result in some installations.
    B,
    /// It is cosmetic or unclear.
    C,
}

impl Severity {
    /// The meaning, as the runbook prints it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::A => "breaks the installation or opens a hole",
            Self::B => "wrong in some installations",
            Self::C => "cosmetic or unclear",
        }
    }
}

/// What cbgen does about a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It refuses the inventory.
    Error,
    /// It compiles and warns.
    Warn,
    /// It writes the correct form.
    Fix,
    /// The runbook explains it.
    Doc,
}

impl Entry {
    /// Whether the entry is a defect of the guide.
    pub fn is_defect(&self) -> bool {
        self.severity.is_some()
    }

    /// Whether the bundle differs from the guide because of this entry, so that the runbook lists it. A defect that is
    /// only refused leaves nothing to list.
    pub fn is_deviation(&self) -> bool {
        self.is_defect() && self.actions.iter().any(|action| *action != Action::Error)
    }

    /// Why the entry does not apply, or `None` when it does. The first condition that fails decides.
    ///
    /// `holds` evaluates an expression; its error is passed on together with the expression.
    pub fn not_applicable(
        &self,
        holds: &dyn Fn(&str) -> Result<bool, String>,
    ) -> Result<Option<&str>, String> {
        for condition in &self.applies {
            let holds = holds(&condition.when)
                .map_err(|why| format!("`{}` of {}: {why}", condition.when, self.id))?;
            if !holds {
                return Ok(Some(&condition.otherwise));
            }
        }
        Ok(None)
    }
}

/// Every entry, in the order of the guide.
pub struct Catalogue {
    entries: Vec<Entry>,
    by_id: BTreeMap<String, usize>,
}

impl Catalogue {
    /// Reads a catalogue from JSON text. The error is a sentence about the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut by_id = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if by_id.insert(entry.id.clone(), index).is_some() {
                return Err(format!("`{}` occurs twice", entry.id));
            }
            let is_defect = entry.id.starts_with("DEF-");
            if entry.severity.is_some() != is_defect
                || entry.resolution.is_some() != is_defect
                || entry.actions.is_empty() == is_defect
            {
                return Err(format!(
                    "`{}`: `severity`, `actions` and `resolution` belong to DEF ids, all three",
                    entry.id
                ));
            }
        }
        Ok(Self { entries, by_id })
    }

    /// Every entry, in the order of the guide.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with this id.
    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.get(*self.by_id.get(id)?)
    }

    /// Every id, sorted as text; for suggestions.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }
}

/// The catalogue embedded in the program.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the text is part of the program, and a test reads it"
        )]
        Catalogue::parse(include_str!("requirements.json")).expect("the embedded catalogue is sound")
    });
    &CATALOGUE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many ids each family of the guide has.
    const FAMILIES: &[(&str, usize)] = &[
        ("PRE", 21),
        ("PORT", 43),
        ("TLS", 15),
        ("NGX", 21),
        ("CORS", 3),
        ("IIS", 5),
        ("REG", 5),
        ("SQL", 6),
        ("CFG", 19),
        ("RMQ", 22),
        ("HARD", 8),
        ("STEP", 23),
        ("DEF", 116),
    ];

    #[test]
    fn every_id_is_there_and_no_other() {
        let wanted: Vec<String> = FAMILIES
            .iter()
            .flat_map(|(family, count)| (1..=*count).map(move |number| format!("{family}-{number}")))
            .collect();
        let found: Vec<String> = catalogue()
            .entries()
            .iter()
            .map(|entry| entry.id.clone())
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn texts_are_one_line_and_printable() {
        for entry in catalogue().entries() {
            let texts = [&entry.title, &entry.section]
                .into_iter()
                .chain(&entry.accounted)
                .chain(&entry.resolution)
                .chain(entry.applies.iter().map(|condition| &condition.otherwise));
            for text in texts {
                assert!(
                    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control),
                    "{}: {text:?}",
                    entry.id
                );
            }
        }
    }

    #[test]
    fn the_first_condition_that_fails_gives_the_reason() {
        let entry = catalogue().find("RMQ-13").unwrap();
        let holds = |when: &str| Ok(when == "product.high_availability");
        assert_eq!(
            entry.not_applicable(&holds),
            Ok(Some(
                "Agent Priority is integrated, and the procedure does not cover it"
            ))
        );
        assert_eq!(entry.not_applicable(&|_| Ok(true)), Ok(None));
        assert!(
            entry
                .not_applicable(&|_| Err("no".into()))
                .unwrap_err()
                .contains("RMQ-13")
        );
    }

    #[test]
    fn unsound_catalogues_are_refused() {
        let entry = r#"{"id":"X-1","title":"t","section":"s"}"#;
        for bad in [
            format!("[{entry},{entry}]"),
            r#"[{"id":"DEF-1","title":"t","section":"s"}]"#.to_owned(),
            r#"[{"id":"X-1","title":"t","section":"s","severity":"A"}]"#.to_owned(),
            r#"[{"id":"X-1","title":"t","section":"s","other":1}]"#.to_owned(),
        ] {
            assert!(Catalogue::parse(&bad).is_err(), "{bad}");
        }
    }
}
