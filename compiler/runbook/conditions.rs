//! The conditions of the catalogue of requirements, for one installation.

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::plan::Plan;

/// The conditions of the catalogue, evaluated for one installation.
#[derive(Debug)]
pub struct Conditions {
    results: BTreeMap<String, Result<bool, String>>,
}

impl Conditions {
    /// Evaluates every condition of the catalogue the templates were loaded with, each once.
    pub fn new(catalogue: &Catalogue, plan: &Plan<'_>) -> Self {
        let mut results = BTreeMap::new();
        for condition in catalogue.entries().iter().flat_map(|entry| &entry.applies) {
            if !results.contains_key(&condition.when) {
                results.insert(condition.when.clone(), plan.holds(&condition.when));
            }
        }
        Self { results }
    }

    /// Whether a condition holds.
    pub fn holds(&self, when: &str) -> Result<bool, String> {
        self.results
            .get(when)
            .cloned()
            .unwrap_or_else(|| Err("it is not a condition of the catalogue".into()))
    }
}
