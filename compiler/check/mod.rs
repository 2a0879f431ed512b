//! Cross-checks: everything about an inventory that a schema cannot express.
//!
//! A rule looks at the whole inventory, names places by JSON pointer and only adds [`Problem`]s; it never stops another
//! rule. The subjects have a file each. Work is n log n in the number of servers: an inventory of a thousand servers is
//! normal. This module must not know YAML, templates or file names.
//!
//! Every "error" and "warn" among the resolutions of the guide's defects (DEF-n) and every prerequisite (PRE-n) that
//! can be decided from an inventory is a rule here.

mod accept;
mod assumptions;
mod characters;
mod federation;
mod lint;
mod names;
mod ports;
mod problem;
mod proxy;
mod rabbitmq;
pub mod secrets;
mod slips;
mod sql;
mod subject;
#[cfg(test)]
mod tests;
mod versions;
mod window;

use std::collections::BTreeMap;

use crate::codes::{self, Code, Severity};
use crate::contract::artifact::Role;
use crate::contract::moment::Moment;
use crate::diag::{Diagnostics, Reported, code, nearest};
use crate::inventory::accept::Acceptance;
use crate::inventory::model::{ChangeWindow, Inventory, Server, ServerRabbitMq};
use crate::inventory::{Places, Salvaged};
use problem::{Problem, Problems};

pub use lint::lint;
pub use versions::platforms;

/// An inventory whose cross-checks passed. Only [`check`] makes one.
#[derive(Clone, Debug)]
pub struct Checked {
    inventory: Inventory,
    warnings: Vec<Warning>,
}

impl Checked {
    /// An inventory taken as it is, for asking what depends on a value: nothing is refused, the warnings are those of
    /// the rules. What is compiled from it must never be written. `is_default` answers for a JSON pointer.
    pub fn assumed(inventory: Inventory, is_default: &dyn Fn(&str) -> bool) -> Self {
        let problems = collect(&inventory, is_default, None);
        let warnings = problems.into_iter().filter(Problem::is_for_the_runbook);
        let warnings = warnings.map(Warning::from).collect();
        Self { inventory, warnings }
    }

    /// The inventory.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What the engineer must know although the inventory compiles, in order of code; for the runbook.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Gives the warnings up.
    pub fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}

/// A warning without positions, for the runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Its code.
    pub code: Code,
    /// What was found.
    pub message: String,
    /// JSON pointer of the value or section it is about.
    pub pointer: String,
    /// What to do.
    pub help: Option<String>,
    /// Why somebody accepts it; it is no finding then.
    pub accepted: Option<Acceptance>,
}

impl From<Problem> for Warning {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code,
            pointer: problem.place.pointer().to_owned(),
            message: problem.message,
            help: problem.help,
            accepted: problem.accepted,
        }
    }
}

/// Checks an inventory against the rules that look at more than one value, and reports everything it finds but what the
/// inventory accepts. `today` is a day like `2026-12-05`, for acceptances that end; no result but a finding depends on it.
///
/// # Errors
/// When at least one rule refuses the inventory; every finding is in `diagnostics`. The inventory comes along when what is wrong
/// changes no text: what its templates have to say can be told too, and nothing may be written.
#[expect(
    clippy::result_large_err,
    reason = "made once for an inventory, and what came along is read by the next phase"
)]
pub fn check(
    diagnostics: &mut Diagnostics,
    inventory: Inventory,
    places: &Places,
    today: Option<&str>,
) -> Result<Checked, (Reported, Option<Checked>)> {
    let mut refused = None;
    let mut changes_texts = false;
    let mut warnings = Vec::new();
    let mut said = Vec::new();
    for problem in collect(&inventory, &|pointer| places.is_default(pointer), today) {
        if problem.accepted.is_none() {
            said.push(problem.lift(places));
        }
        if problem.is_for_the_runbook() {
            warnings.push(problem.into());
        }
    }
    for diagnostic in problem::together(said) {
        match diagnostic.severity {
            Severity::Error => {
                changes_texts |= !OF_THE_PLATFORM.contains(&diagnostic.code);
                refused = Some(diagnostics.error(diagnostic));
            }
            Severity::Warning => diagnostics.push(diagnostic),
        }
    }
    let checked = Checked { inventory, warnings };
    match refused {
        Some(reported) => Err((reported, (!changes_texts).then_some(checked))),
        None => Ok(checked),
    }
}

/// What does not go together on a server: no text depends on that.
const OF_THE_PLATFORM: &[Code] = &[codes::WINDOWS_NOT_FOR_SQL, codes::DOTNET_NOT_FOR_SQL];

/// Reports what is wrong whatever the values are that were refused before: what the rules say in every way in which those
/// were replaced.
pub fn check_salvaged(diagnostics: &mut Diagnostics, salvaged: &Salvaged) {
    let is_default = |pointer: &str| salvaged.places.is_default(pointer);
    let key = |problem: &Problem| (problem.code, problem.message.clone(), problem.place.clone());
    let mut ways = salvaged.inventories.iter().map(|inventory| {
        let found = collect(inventory, &is_default, None);
        // Whether an acceptance is needed shows only when all values are right, and a warning may follow from what is wrong.
        let is_certain = |problem: &Problem| match problem.code.severity() {
            Severity::Error => true,
            Severity::Warning => {
                problem.accepted.is_none()
                    && !problem.is_about_an_acceptance()
                    && !salvaged.is_in_doubt(problem.place.pointer())
            }
        };
        found.into_iter().filter(is_certain).collect::<Vec<Problem>>()
    });
    let Some(mut certain) = ways.next() else { return };
    for way in ways {
        let said: Vec<_> = way.iter().map(key).collect();
        certain.retain(|problem| said.contains(&key(problem)));
    }
    let lifted = certain.iter().map(|problem| problem.lift(&salvaged.places));
    for diagnostic in problem::together(lifted.collect()) {
        diagnostics.push(diagnostic);
    }
}

/// Every finding, in order of code and, within a code, of the inventory.
fn collect(inventory: &Inventory, is_default: &dyn Fn(&str) -> bool, today: Option<&str>) -> Vec<Problem> {
    let view = View::new(inventory, is_default);
    let mut problems = Problems::default();
    names::check(&view, &mut problems);
    window::check(&view, &mut problems);
    slips::check(&view, &mut problems);
    versions::check(&view, &mut problems);
    proxy::check(&view, &mut problems);
    ports::check(&view, &mut problems);
    sql::check(&view, &mut problems);
    rabbitmq::check(&view, &mut problems);
    federation::check(&view, &mut problems);
    characters::check(&view, &mut problems);
    assumptions::check(&view, &mut problems);
    accept::answer(&view, today, &mut problems);
    let Problems(mut found) = problems;
    found.sort_by_key(|problem| problem.code);
    found
}

/// An inventory with the indexes the rules share.
struct View<'a> {
    inventory: &'a Inventory,
    is_default: &'a dyn Fn(&str) -> bool,
    /// First server of each name, in lower case.
    by_name: BTreeMap<String, usize>,
    /// First server of each fqdn, in lower case.
    by_fqdn: BTreeMap<String, usize>,
}

impl<'a> View<'a> {
    fn new(inventory: &'a Inventory, is_default: &'a dyn Fn(&str) -> bool) -> Self {
        let mut by_name = BTreeMap::new();
        let mut by_fqdn = BTreeMap::new();
        for (index, server) in inventory.servers.iter().enumerate() {
            by_name.entry(server.name.to_ascii_lowercase()).or_insert(index);
            by_fqdn.entry(server.fqdn.to_ascii_lowercase()).or_insert(index);
        }
        Self {
            inventory,
            is_default,
            by_name,
            by_fqdn,
        }
    }

    /// Whether the author left this value to its default.
    fn is_default(&self, pointer: &str) -> bool {
        (self.is_default)(pointer)
    }

    /// Servers with their position in the inventory.
    fn servers(&self) -> impl Iterator<Item = (usize, &'a Server)> {
        self.inventory.servers.iter().enumerate()
    }

    /// What is said about RabbitMQ on single servers, with their position in the inventory.
    fn brokers(&self) -> impl Iterator<Item = (usize, &'a ServerRabbitMq)> {
        self.servers()
            .filter_map(|(index, server)| Some((index, server.rabbitmq.as_ref()?)))
    }

    /// Folders of certificate files of brokers, each with its pointer.
    fn certificate_folders(&self) -> impl Iterator<Item = (String, &'a str)> {
        let common = self.inventory.rabbitmq.iter();
        let common = common.map(|all| ("/rabbitmq/certificates".to_owned(), all.certificates.as_str()));
        let own = self.brokers().filter_map(|(index, own)| {
            let pointer = server_pointer(index, "/rabbitmq/certificates");
            Some((pointer, own.certificates.as_deref()?))
        });
        common.chain(own)
    }

    /// Addresses in `overrides` that are given, each with its field.
    fn given_addresses(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let overrides = &self.inventory.overrides;
        [
            ("no_access_page_url", &overrides.no_access_page_url),
            ("smart_rules_endpoint_url", &overrides.smart_rules_endpoint_url),
        ]
        .into_iter()
        .filter_map(|(field, address)| Some((field, address.as_deref()?)))
    }

    /// The change window with its first and last moment; a stamp that is not RFC 3339 was refused by the schema.
    fn window(&self) -> Option<(&'a ChangeWindow, Moment, Moment)> {
        let window = self.inventory.bundle.window.as_ref()?;
        Some((window, Moment::read(&window.start)?, Moment::read(&window.end)?))
    }

    /// Servers with a role.
    fn with_role(&self, role: Role) -> impl Iterator<Item = (usize, &'a Server)> {
        self.servers().filter(move |(_, server)| server.has(role))
    }

    /// The Management server with this fqdn, ignoring case.
    fn management_by_fqdn(&self, fqdn: &str) -> Option<(usize, &'a Server)> {
        self.server_by_fqdn(fqdn)
            .filter(|(_, server)| server.has(Role::Management))
    }

    /// The server with this fqdn, ignoring case.
    fn server_by_fqdn(&self, fqdn: &str) -> Option<(usize, &'a Server)> {
        let index = *self.by_fqdn.get(&fqdn.to_ascii_lowercase())?;
        Some((index, self.inventory.servers.get(index)?))
    }
}

/// A name that `word` may be a slip of. Each costs a look at every known name, so only the first 20 unknown words get one.
fn suggestion<'n>(nth: usize, word: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    (nth <= 20).then(|| nearest(word, known)).flatten()
}

/// JSON pointer of a member of a server.
fn server_pointer(index: usize, rest: &str) -> String {
    format!("/servers/{index}{rest}")
}

/// `/sql/ole/user` as an author would say it: `sql.ole.user`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// The names of servers for a message.
fn some_servers(servers: &[(usize, &Server)]) -> String {
    let names: Vec<&str> = servers.iter().map(|(_, server)| server.name.as_str()).collect();
    some_names(&names)
}

/// "`A`", "`A` and `B`", "`A`, `B` and 7 more": names for a message that must stay one line.
fn some_names(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().take(3).map(|name| code(name)).collect();
    let more = names.len() - quoted.len();
    match (quoted.split_last(), more) {
        (Some((last, rest)), 0) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (_, 0) => quoted.concat(),
        _ => format!("{} and {more} more", quoted.join(", ")),
    }
}
