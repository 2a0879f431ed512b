//! What the runbook's appendices need: ports, deviations from the vendor guide, assumptions, warnings as sentences.
//!
//! This file must not know steps.

use std::collections::BTreeMap;

use super::conditions::Conditions;
use super::fold::FOLD_FROM;
use crate::catalogue::Catalogue;
use crate::facts::Facts;
use crate::facts::plan_view::{DeviationView, PortTable, Prose};
use crate::json;
use crate::plan::Plan;

/// A message of a diagnostic (lower case, no full stop, names in backticks) as a sentence.
pub(super) fn sentence(message: &str) -> Prose {
    let mut letters = message.chars();
    let Some(first) = letters.next() else {
        return Prose::default();
    };
    Prose::new(format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

pub(super) fn port_tables(facts: &Facts) -> Vec<PortTable> {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let mut tables: Vec<PortTable> = Vec::new();
    for server in &facts.servers {
        let key = json::compact(&server.ports);
        if let Some(table) = alike.get(&key).and_then(|place| tables.get_mut(*place)) {
            table.servers.push(server.name.clone());
        } else {
            alike.insert(key, tables.len());
            tables.push(PortTable {
                title: String::new(),
                servers: vec![server.name.clone()],
                rows: server.ports.clone(),
            });
        }
    }
    for table in &mut tables {
        table.title = match (table.servers.as_slice(), table.servers.len()) {
            (few, 0..FOLD_FROM) => few.join(", "),
            ([first, .., last], count) => format!("{first} … {last} ({count} servers)"),
            (few, _) => few.join(", "),
        };
    }
    tables
}

pub(super) fn deviations(catalogue: &Catalogue, plan: &Plan<'_>) -> Vec<DeviationView> {
    let conditions = Conditions::new(catalogue, plan);
    let mut found: Vec<DeviationView> = catalogue
        .entries()
        .iter()
        .filter(|entry| entry.is_deviation())
        .filter(|entry| matches!(entry.not_applicable(&|when| conditions.holds(when)), Ok(None)))
        .filter_map(|entry| {
            Some(DeviationView {
                id: entry.id.clone(),
                severity: entry.severity?,
                title: entry.title.clone(),
                resolution: Prose::new(entry.resolution.clone()?),
                section: entry.section.clone(),
            })
        })
        .collect();
    found.sort_by_key(|deviation| deviation.severity);
    found
}

/// Where the vendor guide is silent and a value of this bundle rests on an inference.
pub(super) fn assumptions(facts: &Facts) -> Vec<String> {
    let mut found = vec![
        "The guide does not say which component runs where. Queue Manager and its neighbours are taken to run on Core servers, \
         IIS, the APIs and Notification Server on Management servers (the port tables follow from this)."
            .to_owned(),
        "`VHQMWSPATH` is taken to be a text value (`REG_SZ`); the guide calls it a key (DEF-43).".to_owned(),
    ];
    if facts.sql.names_are_assumed {
        found.push(
            "Names of tables and columns in the configuration database are defaults the guide does not give (DEF-67). The \
             scripts check that they exist and stop otherwise."
                .to_owned(),
        );
    }
    if facts.product.smart_rules_root == format!(r"{}\SmartRules", facts.product.install_root) {
        found.push(
            "The Smart Rules Engine is taken to lie in `SmartRules` below the product folder (DEF-12, DEF-50).".to_owned(),
        );
    }
    if facts.rabbitmq.is_some() {
        found.push(
            "The broker is taken to read the configuration file named in its step; the service knows better, and the step \
             shows how to ask it (DEF-69, DEF-98)."
                .to_owned(),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_sentences() {
        assert_eq!(
            sentence("the port `x` is wrong").markdown,
            "The port `x` is wrong."
        );
        assert_eq!(sentence("").markdown, "");
    }
}
