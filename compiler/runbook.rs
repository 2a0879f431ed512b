//! Turns a plan into the runbook's data.
//!
//! Numbers the steps, groups them by server, chooses the words for effects and ways back, and collects what the
//! appendices need. The look is the templates' business; this module must not know Markdown syntax or HTML.

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, catalogue};
use crate::check::Warning;
use crate::contract::artifact::{Effect, Rollback, Scope};
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::facts::Facts;
use crate::facts::plan_view::{
    AcceptedView, AppliedView, DeviationView, GroupView, LaterView, PhaseView, PlanView, PortTable, Prose,
    RestartView, StepNumber, StepReference, StepView, WarningView,
};
use crate::facts::topology::topology;
use crate::plan::{Plan, Planned};

/// From this many servers on, servers whose steps differ in nothing but the server's name share one section.
const FOLD_FROM: usize = 6;

/// Stands for the name of a server while sections are compared. Inventories hold no private-use characters.
const NAME_MARK: char = '\u{F8F0}';
/// Stands for the FQDN of a server while sections are compared.
const FQDN_MARK: char = '\u{F8F1}';

impl PlanView {
    /// The runbook of a plan; `texts` are the rendered bodies in the order of the plan. Linear in the size of both.
    pub fn of(plan: &Plan<'_>, texts: &[String]) -> Self {
        let mut view = Self {
            warnings: plan
                .warnings
                .iter()
                .filter(|warning| warning.accepted.is_none())
                .map(|warning| WarningView {
                    code: warning.code.id().to_owned(),
                    message: sentence(&warning.message),
                    help: sentence(warning.help.as_deref().unwrap_or_default()),
                })
                .collect(),
            accepted: plan.warnings.iter().filter_map(accepted).collect(),
            assumptions: assumptions(&plan.facts).into_iter().map(Prose::new).collect(),
            deviations: deviations(catalogue(), plan),
            ports: port_tables(&plan.facts),
            topology: topology(&plan.facts),
            ..Self::default()
        };
        let applied = applied(plan);
        for &phase in Phase::ALL {
            let entries: Vec<(usize, &Planned<'_>)> = plan
                .entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.template.front.phase == phase && is_listed(entry))
                .collect();
            if entries.is_empty() {
                continue;
            }
            let number = view.phases.len() + 1;
            let mut groups = groups(&plan.facts, &entries, texts, &applied);
            let mut steps = 0;
            for step in groups.iter_mut().flat_map(|group| &mut group.steps) {
                steps += 1;
                step.number = StepNumber {
                    phase: number,
                    step: steps,
                };
            }
            view.steps += steps;
            view.phases.push(PhaseView {
                id: phase.name().to_owned(),
                number,
                title: phase.title().to_owned(),
                intro: phase.intro().to_owned(),
                groups,
            });
        }
        view.restarts = restarts(&view.phases);
        view.later = later(&view.phases);
        view.one_way = view
            .phases
            .iter()
            .flat_map(|phase| &phase.groups)
            .flat_map(|group| &group.steps)
            .filter(|step| step.one_way)
            .map(|step| StepReference {
                number: step.number,
                title: step.title.clone(),
            })
            .collect();
        view
    }
}

/// A warning that somebody looked at.
fn accepted(warning: &Warning) -> Option<AcceptedView> {
    let answer = warning.accepted.as_ref()?;
    Some(AcceptedView {
        code: warning.code.id().to_owned(),
        message: sentence(&warning.message),
        reason: answer.reason.clone(),
        until: answer.until.clone(),
    })
}

/// A message of a diagnostic (lower case, no full stop, names in backticks) as a sentence.
fn sentence(message: &str) -> Prose {
    let mut letters = message.chars();
    let Some(first) = letters.next() else {
        return Prose::default();
    };
    Prose::new(format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What each script puts in place or runs, in the order of work.
type Applied<'a> = BTreeMap<&'a BundlePath, Vec<&'a Planned<'a>>>;

fn applied<'a>(plan: &'a Plan<'_>) -> Applied<'a> {
    let mut found = Applied::new();
    for entry in &plan.entries {
        if let Some(script) = &entry.applied_by {
            found.entry(script).or_default().push(entry);
        }
    }
    found
}

/// The runbook does not list itself, nor files an engineer never handles: ways back are named by the step they undo,
/// what a script applies by the step of the script. Applying such a file by hand as well would make the script save the
/// new state as the old one.
fn is_listed(entry: &Planned<'_>) -> bool {
    let front = &entry.template.front;
    front.scope != Scope::Bundle
        && entry.applied_by.is_none()
        && (front.effect != Some(Effect::Read) || !entry.runbook.todo.is_empty())
        && !is_way_back(entry)
}

/// A script that only goes back: it has no lines of its own to do.
fn is_way_back(entry: &Planned<'_>) -> bool {
    entry.template.front.effect == Some(Effect::RunScript)
        && entry
            .path
            .as_ref()
            .is_some_and(|path| path.file_name().starts_with("rollback-"))
}

/// Steps grouped by place. A step of the whole deployment is a barrier: what stands before it is done on every server
/// first (DEF-87 needs Callback stopped everywhere before a broker changes).
fn groups(
    facts: &Facts,
    entries: &[(usize, &Planned<'_>)],
    texts: &[String],
    applied: &Applied<'_>,
) -> Vec<GroupView> {
    let mut found = Vec::new();
    let mut by_server: BTreeMap<usize, Vec<StepView>> = BTreeMap::new();
    let mut deployment: Vec<StepView> = Vec::new();
    let mut ordered = entries.to_vec();
    ordered.sort_by_key(|(index, entry)| (entry.template.front.order, *index));
    for (index, entry) in ordered {
        let files = entry.path.as_ref().and_then(|path| applied.get(path));
        let step = step(
            entry,
            texts.get(index).map_or("", String::as_str),
            files.map_or(&[], Vec::as_slice),
        );
        if let Some(server) = entry.server {
            close_deployment(&mut found, &mut deployment);
            by_server.entry(server).or_default().push(step);
        } else {
            close_servers(facts, &mut found, &mut by_server);
            deployment.push(step);
        }
    }
    close_servers(facts, &mut found, &mut by_server);
    close_deployment(&mut found, &mut deployment);
    found
}

fn close_deployment(found: &mut Vec<GroupView>, steps: &mut Vec<StepView>) {
    if !steps.is_empty() {
        found.push(GroupView {
            title: "Once for the whole installation".into(),
            servers: Vec::new(),
            folded: false,
            steps: std::mem::take(steps),
        });
    }
}

fn close_servers(facts: &Facts, found: &mut Vec<GroupView>, by_server: &mut BTreeMap<usize, Vec<StepView>>) {
    // Management servers first: what the others talk to is ready before they restart.
    let mut sections: Vec<(usize, Vec<StepView>)> = std::mem::take(by_server).into_iter().collect();
    sections.sort_by_key(|(index, _)| {
        (
            facts
                .servers
                .get(*index)
                .is_none_or(|server| !server.is_management),
            *index,
        )
    });
    if sections.len() < FOLD_FROM {
        for (index, steps) in sections {
            let name = facts
                .servers
                .get(index)
                .map_or_else(String::new, |server| server.name.clone());
            found.push(GroupView {
                title: name.clone(),
                servers: vec![name],
                folded: false,
                steps,
            });
        }
        return;
    }
    // Key: the section with the server's own names replaced; value: its servers, in order of first appearance.
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged: Vec<(Vec<String>, Vec<StepView>, Vec<StepView>)> = Vec::new();
    for (index, steps) in sections {
        let Some(server) = facts.servers.get(index) else {
            continue;
        };
        let masked: Vec<StepView> = steps
            .iter()
            .map(|step| mask(step, &server.name, &server.fqdn))
            .collect();
        // Texts, numbers and lists of them always have a JSON form; without one, different servers would look alike.
        let key = serde_json::to_string(&masked).unwrap_or_default();
        if let Some((servers, _, _)) = alike.get(&key).and_then(|place| merged.get_mut(*place)) {
            servers.push(server.name.clone());
        } else {
            alike.insert(key, merged.len());
            merged.push((vec![server.name.clone()], steps, masked));
        }
    }
    for (servers, own, masked) in merged {
        let folded = servers.len() > 1;
        let steps = if folded {
            masked.iter().map(unmask).collect()
        } else {
            own
        };
        let title = match servers.as_slice() {
            [one] => one.clone(),
            several => format!("On each of {} servers", several.len()),
        };
        found.push(GroupView {
            title,
            servers,
            folded,
            steps,
        });
    }
}

/// The step with the server's FQDN and name replaced by marks, where they stand as whole words.
fn mask(step: &StepView, name: &str, fqdn: &str) -> StepView {
    map_texts(step, &|text| {
        let text = replace_word(text, fqdn, FQDN_MARK);
        replace_word(&text, name, NAME_MARK)
    })
}

fn unmask(step: &StepView) -> StepView {
    map_texts(step, &|text| {
        text.replace(FQDN_MARK, "SERVER-FQDN")
            .replace(NAME_MARK, "SERVER")
    })
}

fn map_texts(step: &StepView, change: &dyn Fn(&str) -> String) -> StepView {
    let prose = |prose: &Prose| Prose::new(change(&prose.markdown));
    let list = |list: &[Prose]| list.iter().map(prose).collect();
    StepView {
        number: step.number,
        title: change(&step.title),
        path: step.path.as_deref().map(change),
        target: step.target.as_deref().map(change),
        effect: step.effect.clone(),
        applies: step
            .applies
            .iter()
            .map(|file| AppliedView {
                title: change(&file.title),
                path: change(&file.path),
                target: file.target.as_deref().map(change),
            })
            .collect(),
        before: list(&step.before),
        todo: list(&step.todo),
        body: prose(&step.body),
        check: list(&step.check),
        later: list(&step.later),
        undo: list(&step.undo),
        restarts: step.restarts.clone(),
        requirements: step.requirements.clone(),
        one_way: step.one_way,
    }
}

/// Replaces `word` where it is not part of a longer word, ignoring ASCII case.
fn replace_word(text: &str, word: &str, mark: char) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let wanted = word.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(&wanted) {
        let end = at + wanted.len();
        let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let before = lower.get(..at).and_then(|rest| rest.chars().next_back());
        let after = lower.get(end..).and_then(|rest| rest.chars().next());
        if !joins(before) && !joins(after) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push(mark);
            done = end;
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// A step, with the files a script of it applies.
fn step(entry: &Planned<'_>, text: &str, files: &[&Planned<'_>]) -> StepView {
    let front = &entry.template.front;
    let mut restarts = entry.restarts.clone();
    let mut requirements = front.requirements.clone();
    for file in files {
        add_new(&mut restarts, &file.restarts);
        add_new(&mut requirements, &file.template.front.requirements);
    }
    let prose = |lines: &[String]| -> Vec<Prose> { lines.iter().map(Prose::new).collect() };
    let or = |lines: &[String], default: Option<String>| {
        if lines.is_empty() {
            default.map(Prose::new).into_iter().collect()
        } else {
            prose(lines)
        }
    };
    StepView {
        number: StepNumber::default(),
        title: entry.title.clone(),
        path: entry.path.as_ref().map(ToString::to_string),
        target: entry.target.clone(),
        effect: front.effect.map_or("by hand", effect).to_owned(),
        applies: files
            .iter()
            .filter_map(|file| {
                Some(AppliedView {
                    title: file.title.clone(),
                    path: file.path.as_ref()?.to_string(),
                    target: file.target.clone(),
                })
            })
            .collect(),
        before: prose(&entry.runbook.before),
        todo: or(&entry.runbook.todo, front.effect.and_then(default_todo)),
        body: if entry.is_step() {
            Prose::new(text.trim())
        } else {
            Prose::default()
        },
        check: or(&entry.runbook.check, front.effect.and_then(default_check)),
        later: prose(&entry.runbook.later),
        undo: or(&entry.runbook.undo, default_undo(&entry.rollback)),
        restarts,
        requirements,
        one_way: entry.rollback == Rollback::OneWay,
    }
}

fn add_new(list: &mut Vec<String>, more: &[String]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

/// What applying an artifact does, as the runbook says it.
fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::ReplaceFile => "replaces the file",
        Effect::TransformXml => "changes elements of the XML file",
        Effect::SetTerms => "changes terms of the file",
        Effect::SetLines => "changes lines of the file",
        Effect::ReplaceReferences => "changes addresses in the script",
        Effect::ImportRegistry => "registry values",
        Effect::RunSql => "changes the database",
        Effect::RunScript => "script to run as administrator",
        Effect::Read => "to read",
    }
}

fn default_todo(effect: Effect) -> Option<String> {
    let text = match effect {
        Effect::ReplaceFile => "Copy the present file to the backup folder, then copy this one in its place.",
        Effect::TransformXml => {
            "Copy the present file to the backup folder. Make the changes the transform names, each found by its key or name; \
             if one is not there, stop and ask."
        }
        Effect::SetTerms | Effect::SetLines => {
            "Copy the present file to the backup folder. Set the named values in the existing lines; if one is not there, \
             stop and ask. Add nothing."
        }
        Effect::ReplaceReferences => {
            "Copy the present file to the backup folder. Replace the whole addresses the list names."
        }
        Effect::ImportRegistry => {
            "Save the key with `reg export`, import this file with `reg import`, and read every value back with `reg query`: \
             the import reports success for lines it ignored."
        }
        Effect::RunSql => "Run it with sqlcmd as the heading of the script says.",
        Effect::RunScript => "Run it in an administrator command prompt from the folder it lies in.",
        Effect::Read => return None,
    };
    Some(text.to_owned())
}

fn default_check(effect: Effect) -> Option<String> {
    match effect {
        Effect::RunScript => Some("It ends with exit code 0: `echo %ERRORLEVEL%` prints `0`.".to_owned()),
        Effect::TransformXml | Effect::SetTerms | Effect::SetLines | Effect::ReplaceReferences => Some(
            "Compare the file with the saved copy, for example with `fc /n`: only the named values differ."
                .to_owned(),
        ),
        Effect::ReplaceFile | Effect::ImportRegistry | Effect::RunSql | Effect::Read => None,
    }
}

fn default_undo(rollback: &Rollback) -> Option<String> {
    match rollback {
        Rollback::Captured => Some("Put the saved copy back.".to_owned()),
        Rollback::Artifact(path) => Some(format!("Run `{path}`.")),
        Rollback::OneWay => Some("There is no way back.".to_owned()),
        Rollback::Nothing => None,
    }
}

/// Every check that has to wait, in the order of the steps.
fn later(phases: &[PhaseView]) -> Vec<LaterView> {
    let groups = phases.iter().flat_map(|phase| &phase.groups);
    groups
        .flat_map(|group| group.steps.iter().map(move |step| (group, step)))
        .filter(|(_, step)| !step.later.is_empty())
        .map(|(group, step)| LaterView {
            number: step.number,
            place: group.title.clone(),
            title: step.title.clone(),
            checks: step.later.clone(),
        })
        .collect()
}

fn restarts(phases: &[PhaseView]) -> Vec<RestartView> {
    let mut found: BTreeMap<&str, (Vec<String>, Vec<StepNumber>)> = BTreeMap::new();
    for group in phases.iter().flat_map(|phase| &phase.groups) {
        for step in &group.steps {
            for service in &step.restarts {
                let (servers, because) = found.entry(service).or_default();
                because.push(step.number);
                servers.extend(group.servers.iter().cloned());
            }
        }
    }
    found
        .into_iter()
        .map(|(service, (mut servers, because))| {
            servers.sort_unstable();
            servers.dedup();
            let on = match servers.len() {
                0 => "where it runs".to_owned(),
                1..FOLD_FROM => servers.join(", "),
                count => format!("{count} servers"),
            };
            RestartView {
                service: service.to_owned(),
                servers,
                on,
                because,
            }
        })
        .collect()
}

fn port_tables(facts: &Facts) -> Vec<PortTable> {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let mut tables: Vec<PortTable> = Vec::new();
    for server in &facts.servers {
        // As above: such a value always has a JSON form.
        let key = serde_json::to_string(&server.ports).unwrap_or_default();
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

fn deviations(catalogue: &Catalogue, plan: &Plan<'_>) -> Vec<DeviationView> {
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
fn assumptions(facts: &Facts) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Diagnostics;

    use crate::inventory::{self, ReadInput, Schema};
    use crate::templates;

    struct OneFile(String);

    impl ReadInput for OneFile {
        fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
            Ok(self.0.clone().into_bytes())
        }
    }

    const HEAD: &str = r"
schema: cbgen/v1
bundle: { name: lab, version: '1.0.0', change: CHG1 }
product: { version: 9.5.3, high_availability: true, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.example.org }
certificate: { kind: ca_issued, pfx: 'D:\c.pfx' }
iis: { x_frame_options: SAMEORIGIN, custom_error_page: true }
sql: { version: 2016, server: 'SQL01\CALLBACK', access: [odbc, ole], ole: { authentication: windows } }
rabbitmq: { certificates: 'C:\certs', common_name: callback-mq }
network: { firewall: true, integrations: [smtp] }
";

    fn server(name: &str, role: &str, upstream: Option<&str>) -> String {
        let upstreams = upstream.map_or_else(String::new, |to| {
            format!(
                ", rabbitmq: {{ upstreams: [ {{ name: {}-up, server: {to} }} ] }}",
                to.to_lowercase()
            )
        });
        format!(
            "  - {{ name: {name}, fqdn: {}.example.org, roles: [{role}], windows: 2016, dotnet: 4.7.1{upstreams} }}\n",
            name.to_lowercase()
        )
    }

    fn with_plan<T>(servers: &str, then: impl FnOnce(&Plan<'_>) -> T) -> T {
        let mut diagnostics = Diagnostics::new();
        let own = |file: &templates::folder::TemplateFile| {
            [
                "steps/",
                "_runbook/",
                "RUNBOOK.md",
                "runbook.html",
                "registry/tls-1.2.reg",
            ]
            .iter()
            .any(|start| file.path.starts_with(start))
        };
        // The runbook's own templates and one artifact: the tests do not depend on what else there is.
        let mut files: Vec<templates::folder::TemplateFile> =
            templates::folder::built_in().into_iter().filter(own).collect();
        for file in &mut files {
            file.text = file
                .text
                .replace("\nrollback: registry/rollback-windows-tls.cmd", "")
                .replace("\napplied_by: registry/apply-windows-tls.cmd", "");
        }
        files.push(templates::folder::TemplateFile {
            path: "steps/late.md".into(),
            name: "templates/steps/late.md".into(),
            text: "---\ntitle: After the barrier\nscope: server\nformat: markdown\nphase: rabbitmq\norder: 90\n---\n".into(),
        });
        let (mut sources, templates) = templates::load(&mut diagnostics, files, catalogue());
        let templates = templates.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
        let file = OneFile(format!("{HEAD}servers:\n{servers}"));
        let loaded = inventory::load(&mut diagnostics, &mut sources, &file, &Schema::new(), "lab.yaml");
        let loaded = loaded.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
        let checked = crate::check::check(&mut diagnostics, loaded.inventory, &loaded.places, None);
        let checked = checked.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
        let plan = crate::plan::plan(&mut diagnostics, checked, &templates);
        let plan = plan.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
        then(&plan)
    }

    fn four() -> String {
        server("MGMT01", "management", None)
            + &server("MGMT02", "management", None)
            + &server("CORE01", "core", Some("CORE02"))
            + &server("CORE02", "core", Some("CORE01"))
    }

    fn bodies(plan: &Plan<'_>) -> Vec<String> {
        let render = |entry: &Planned<'_>| {
            if !entry.is_step() {
                return String::new();
            }
            crate::render::render_entry(plan, entry, None).unwrap_or_else(|error| panic!("{error:#?}"))
        };
        plan.entries.iter().map(render).collect()
    }

    /// The two printed runbooks, read back by their formats.
    fn printed(plan: &Plan<'_>) -> Vec<(String, String)> {
        let view = crate::templates::engine::Shared::of(&PlanView::of(plan, &bodies(plan)));
        let bundle = plan
            .entries
            .iter()
            .filter(|entry| entry.template.front.scope == Scope::Bundle);
        bundle
            .filter_map(|entry| {
                let text = crate::render::render_entry(plan, entry, Some(&view))
                    .unwrap_or_else(|error| panic!("{error:#?}"));
                Some((entry.path.as_ref()?.to_string(), text))
            })
            .collect()
    }

    /// A thousand Core servers beside one Management server.
    fn thousand() -> String {
        let core: String = (0..1000)
            .map(|number| server(&format!("CORE{number:04}"), "core", None))
            .collect();
        server("MGMT01", "management", None) + &core
    }

    fn steps(view: &PlanView) -> impl Iterator<Item = &StepView> {
        view.phases
            .iter()
            .flat_map(|phase| &phase.groups)
            .flat_map(|group| &group.steps)
    }

    #[test]
    fn both_runbooks_read_back_as_their_formats() {
        for servers in [four(), thousand()] {
            with_plan(&servers, |plan| {
                for (path, text) in printed(plan) {
                    let read = if path == "RUNBOOK.md" {
                        crate::formats::markdown::items(&text)
                    } else {
                        crate::formats::html::items(&text)
                    };
                    let errors: Vec<String> = read
                        .err()
                        .unwrap_or_default()
                        .into_iter()
                        .map(|error| {
                            format!("{}: {}", error.message, text.get(error.range).unwrap_or_default())
                        })
                        .collect();
                    assert_eq!(errors, Vec::<String>::new(), "{path}");
                    assert!(text.len() < 600_000, "{path} has {} bytes", text.len());
                }
            });
        }
    }

    #[test]
    fn numbers_have_no_gaps() {
        with_plan(&four(), |plan| {
            let view = PlanView::of(plan, &bodies(plan));
            let mut expected = StepNumber::default();
            for step in steps(&view) {
                if step.number.phase != expected.phase {
                    expected = StepNumber {
                        phase: expected.phase + 1,
                        step: 0,
                    };
                }
                expected.step += 1;
                assert_eq!(step.number, expected, "{}", step.title);
            }
            assert_eq!(steps(&view).count(), view.steps);
            assert_eq!(expected.phase, view.phases.len());
        });
    }

    #[test]
    fn a_step_of_the_whole_installation_is_a_barrier() {
        with_plan(&four(), |plan| {
            let view = PlanView::of(plan, &bodies(plan));
            let phase = view.phases.iter().find(|phase| phase.id == "rabbitmq").unwrap();
            let places: Vec<&str> = phase.groups.iter().map(|group| group.title.as_str()).collect();
            let whole = "Once for the whole installation";
            let servers = ["MGMT01", "MGMT02", "CORE01", "CORE02"];
            let expected: Vec<&str> = [whole].into_iter().chain(servers).collect();
            assert_eq!(places, expected);
        });
    }

    #[test]
    fn equal_servers_share_a_section() {
        with_plan(&thousand(), |plan| {
            let view = PlanView::of(plan, &bodies(plan));
            let phase = view.phases.iter().find(|phase| phase.id == "restart").unwrap();
            let places: Vec<(&str, usize)> = phase
                .groups
                .iter()
                .map(|group| (group.title.as_str(), group.servers.len()))
                .collect();
            assert_eq!(places.first(), Some(&("MGMT01", 1)));
            assert!(places.contains(&("On each of 1000 servers", 1000)), "{places:?}");
            assert!(steps(&view).count() < 100);
            assert_eq!(view.ports.len(), 2);
            assert!(
                steps(&view).any(|step| step.before.iter().any(|prose| prose.markdown.contains("SERVER")))
            );
        });
    }

    #[test]
    fn the_picture_stays_small_and_inside_its_frame() {
        for (servers, boxes) in [
            (four(), 6),
            (thousand(), 4),
            (server("A", "core, management", None), 3),
        ] {
            with_plan(&servers, |plan| {
                let picture = topology(&plan.facts);
                assert_eq!(picture.nodes.len(), boxes);
                for node in &picture.nodes {
                    assert!(node.x > 0 && node.x + node.width < picture.width, "{node:?}");
                    assert!(node.y > 0 && node.y + node.height < picture.height, "{node:?}");
                }
                for (index, one) in picture.nodes.iter().enumerate() {
                    for other in picture.nodes.iter().skip(index + 1) {
                        let apart = one.x + one.width <= other.x
                            || other.x + other.width <= one.x
                            || one.y + one.height <= other.y
                            || other.y + other.height <= one.y;
                        assert!(apart, "{one:?} {other:?}");
                    }
                }
            });
        }
    }

    #[test]
    fn names_are_replaced_as_whole_words() {
        let check = |text: &str, expected: &str| assert_eq!(replace_word(text, "SQL", '#'), expected);
        check("sql, SQL01 and MYSQL", "#, SQL01 and MYSQL");
        check("servers/SQL/x SQL", "servers/#/x #");
        check("SQLSQL", "SQLSQL");
        check("ſql İ SQL", "ſql İ #");
    }

    #[test]
    fn conditions_of_the_catalogue_name_variables_that_exist() {
        let schema = templates::variable_schema(Scope::Deployment);
        for condition in catalogue().entries().iter().flat_map(|entry| &entry.applies) {
            let body = format!("{{% if {} %}}1{{% endif %}}", condition.when);
            let errors: Vec<String> = schema
                .check("condition", &body, &BTreeMap::new())
                .into_iter()
                .map(|error| error.message)
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{}", condition.when);
        }
        with_plan(&four(), |plan| {
            let conditions = Conditions::new(catalogue(), plan);
            for entry in catalogue().entries() {
                assert!(
                    entry.not_applicable(&|when| conditions.holds(when)).is_ok(),
                    "{}",
                    entry.id
                );
            }
            assert_eq!(conditions.holds("topology.has_common_name"), Ok(true));
            assert_eq!(conditions.holds("topology.has_combined"), Ok(false));
        });
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(
            sentence("the port `x` is wrong").markdown,
            "The port `x` is wrong."
        );
        assert_eq!(sentence("").markdown, "");
    }
}
