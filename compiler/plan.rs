//! Decides which artifacts and runbook steps a bundle has, before any text exists.
//!
//! Each template is applied to its scope (server, deployment, bundle) and to each of its texts; conditions are
//! evaluated, paths and targets are filled in, collisions are found. This module must not render bodies.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Checked;
use crate::codes;
use crate::contract::artifact::{Effect, Rollback, Scope};
use crate::contract::manifest::Window;
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::facts::Facts;
use crate::templates::engine::Variables;
use crate::templates::front_matter::RunbookText;
use crate::templates::{Template, Templates};

/// What will be made, in the order of work: phase, order within it, server, path.
#[derive(Debug)]
pub struct Plan<'t> {
    /// The templates it was planned with.
    pub templates: &'t Templates,
    /// The facts every template sees.
    pub facts: Facts,
    /// Artifacts and steps.
    pub entries: Vec<Planned<'t>>,
    /// Warnings of the checks, accepted or not, for the runbook.
    pub warnings: Vec<crate::check::Warning>,
    /// What the inventory accepts, for warnings that only the plan shows.
    pub accept: Vec<crate::inventory::accept::Acceptance>,
    variables: Variables,
}

/// One artifact or runbook step.
#[derive(Clone, Debug)]
pub struct Planned<'t> {
    /// Its template.
    pub template: &'t Template,
    /// Index of its server in the facts.
    pub server: Option<usize>,
    /// The text of `each`.
    pub each: Option<String>,
    /// Where it lies in the bundle; a step has none.
    pub path: Option<BundlePath>,
    /// Title.
    pub title: String,
    /// What it becomes or changes.
    pub target: Option<String>,
    /// How to go back.
    pub rollback: Rollback,
    /// The script that applies it, when one does.
    pub applied_by: Option<BundlePath>,
    /// Services to restart.
    pub restarts: Vec<String>,
    /// Runbook lines.
    pub runbook: RunbookText,
}

impl Planned<'_> {
    /// Whether it is a runbook step without an artifact.
    pub fn is_step(&self) -> bool {
        self.path.is_none()
    }
}

impl Plan<'_> {
    /// Whether a condition of the catalogue holds in this installation.
    pub fn holds(&self, condition: &str) -> Result<bool, String> {
        self.templates.holds(condition, &self.variables)
    }

    /// The change window as manifests and runbooks say it.
    pub fn window(&self) -> Option<Window> {
        let window = self.facts.bundle.window.as_ref()?;
        Some(Window {
            start: window.start.clone(),
            end: window.end.clone(),
        })
    }

    /// The variables an entry is rendered with.
    pub fn variables(&self, entry: &Planned<'_>) -> Variables {
        variables_of(&self.variables, entry.server, entry.each.as_deref())
    }
}

fn variables_of(base: &Variables, server: Option<usize>, each: Option<&str>) -> Variables {
    let mut variables = base.clone();
    if let Some(server) = server {
        variables.set_item("server", "servers", server);
    }
    if let Some(each) = each {
        variables.set("each", each);
    }
    variables
}

/// Plans a bundle. All mistakes of all templates are reported. When there are some, the error holds the plan of what has
/// none, so that a run can tell the mistakes of its texts too.
///
/// # Errors
/// When a template cannot be planned, or does not fit the others.
#[expect(
    clippy::result_large_err,
    reason = "made once for an inventory, and what came along is read by the next phase"
)]
pub fn plan<'t>(
    diagnostics: &mut Diagnostics,
    checked: Checked,
    templates: &'t Templates,
) -> Result<Plan<'t>, (Reported, Option<Plan<'t>>)> {
    let facts = Facts::derive(checked.inventory());
    let base = match Variables::from_fields(&facts) {
        Ok(base) => base,
        Err(why) => {
            let reported = diagnostics.error(Diagnostic::new(codes::RENDER_FAILED, why));
            return Err((reported, None));
        }
    };
    let mut found = Diagnostics::new();
    let mut entries = Vec::new();
    let list = templates.list();
    for (index, server) in facts.servers.iter().enumerate() {
        let variables = variables_of(&base, Some(index), None);
        let folder = format!("servers/{}/", server.name);
        let place = (&variables, Some(index), folder.as_str());
        for template in list
            .iter()
            .filter(|template| template.front.scope == Scope::Server)
        {
            plan_template(&mut found, templates, template, place, &mut entries);
        }
    }
    for template in list {
        let folder = match template.front.scope {
            Scope::Server => continue,
            Scope::Deployment => "deployment/",
            Scope::Bundle => "",
        };
        plan_template(
            &mut found,
            templates,
            template,
            (&base, None, folder),
            &mut entries,
        );
    }
    let has_gaps = found.has_errors();
    misfits(&mut found, templates, &entries);
    collisions(&mut found, templates, &entries);
    // An entry that could not be planned may be the one that is missing.
    if !has_gaps {
        missing_artifacts(&mut found, templates, &entries);
    }
    let result = found.checkpoint();
    diagnostics.append(found);
    entries.sort_by(|left, right| work_order(left).cmp(&work_order(right)));
    let plan = Plan {
        templates,
        facts,
        entries,
        accept: checked.inventory().accept.clone(),
        warnings: checked.into_warnings(),
        variables: base,
    };
    match result {
        Ok(()) => Ok(plan),
        Err(reported) => Err((reported, Some(plan))),
    }
}

fn work_order<'a>(
    entry: &'a Planned<'_>,
) -> (
    Phase,
    u16,
    &'a str,
    Option<usize>,
    Option<&'a BundlePath>,
    &'a str,
) {
    let front = &entry.template.front;
    (
        front.phase,
        front.order,
        entry.template.path.as_str(),
        entry.server,
        entry.path.as_ref(),
        entry.title.as_str(),
    )
}

/// Where a template is applied: what it sees, the index of the server, and the folder of its files.
type Place<'p> = (&'p Variables, Option<usize>, &'p str);

fn plan_template<'t>(
    diagnostics: &mut Diagnostics,
    templates: &'t Templates,
    template: &'t Template,
    (variables, server, folder): Place<'_>,
    entries: &mut Vec<Planned<'t>>,
) {
    match templates.applies(template, variables) {
        Ok(true) => {}
        Ok(false) => return,
        Err(diagnostic) => return diagnostics.push(diagnostic),
    }
    let once = template.front.each.is_empty().then_some(None);
    for each in once.into_iter().chain(template.front.each.iter().map(Some)) {
        let variables = variables_of(variables, None, each.map(String::as_str));
        match planned(templates, template, (&variables, server, folder), each) {
            Ok(entry) => entries.push(entry),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
}

fn planned<'t>(
    templates: &Templates,
    template: &'t Template,
    (variables, server, folder): Place<'_>,
    each: Option<&String>,
) -> Result<Planned<'t>, Diagnostic> {
    let below = |path: &str, key| parse_path(templates, template, &format!("{folder}{path}"), key);
    let fields = templates.fields(template, variables)?;
    let runbook = templates.runbook(template, variables)?;
    let path = fields.path.map(|path| below(&path, "path")).transpose()?;
    let rollback = match fields.rollback.as_deref() {
        Some("captured") => Rollback::Captured,
        Some("one_way") => Rollback::OneWay,
        Some("none") => Rollback::Nothing,
        Some(artifact) => Rollback::Artifact(below(artifact, "rollback")?),
        None => template.front.effect.map_or(Rollback::Nothing, default_rollback),
    };
    let applied_by = fields.applied_by.map(|script| below(&script, "applied_by"));
    Ok(Planned {
        template,
        server,
        each: each.cloned(),
        path,
        title: fields.title,
        target: fields.target,
        rollback,
        applied_by: applied_by.transpose()?,
        restarts: fields.restarts,
        runbook,
    })
}

fn default_rollback(effect: Effect) -> Rollback {
    match effect {
        Effect::ReplaceFile
        | Effect::TransformXml
        | Effect::SetTerms
        | Effect::SetLines
        | Effect::ReplaceReferences
        | Effect::ImportRegistry
        | Effect::RunSql => Rollback::Captured,
        Effect::RunScript | Effect::Read => Rollback::Nothing,
    }
}

fn parse_path(
    templates: &Templates,
    template: &Template,
    text: &str,
    key: &str,
) -> Result<BundlePath, Diagnostic> {
    BundlePath::parse(text).map_err(|error| {
        Diagnostic::new(
            codes::UNSAFE_PATH,
            format!("the path `{text}` is not safe in a bundle: {error}"),
        )
        .at(templates.front_matter_span(template, key))
        .help("use forward slashes and plain names below the scope's folder")
    })
}

/// Finds paths and targets whose variables make them a file that another reader knows. A template says it once.
fn misfits(diagnostics: &mut Diagnostics, templates: &Templates, entries: &[Planned<'_>]) {
    let mut told = BTreeSet::new();
    for entry in entries {
        let Some(path) = &entry.path else { continue };
        for (key, finding) in templates.misfits(entry.template, path.as_str(), entry.target.as_deref()) {
            if told.insert((&entry.template.path, key)) {
                diagnostics.push(finding);
            }
        }
    }
}

fn collisions(diagnostics: &mut Diagnostics, templates: &Templates, entries: &[Planned<'_>]) {
    let mut seen: BTreeMap<String, &Planned<'_>> = BTreeMap::new();
    for entry in entries {
        let Some(path) = &entry.path else { continue };
        if let Some(first) = seen.insert(path.collision_key(), entry) {
            diagnostics.push(
                Diagnostic::new(codes::TEMPLATE_COLLISION, format!("two templates make `{path}`"))
                    .at(templates.front_matter_span(entry.template, "path"))
                    .related(
                        templates.front_matter_span(first.template, "path"),
                        "the other one",
                    )
                    .help("give one of them another `path`, or conditions that exclude each other"),
            );
        }
    }
}

/// Finds rollbacks and applying scripts that this bundle does not have.
fn missing_artifacts(diagnostics: &mut Diagnostics, templates: &Templates, entries: &[Planned<'_>]) {
    let paths: BTreeSet<&BundlePath> = entries.iter().filter_map(|entry| entry.path.as_ref()).collect();
    let mut told = BTreeSet::new();
    for entry in entries {
        let rollback = match &entry.rollback {
            Rollback::Artifact(path) => Some(path),
            Rollback::Captured | Rollback::OneWay | Rollback::Nothing => None,
        };
        let named = [
            ("rollback", "rollback", rollback),
            ("applied_by", "script", entry.applied_by.as_ref()),
        ];
        for (key, what, path) in named {
            let own = |path: &BundlePath| entry.path.as_ref() == Some(path);
            let Some(path) = path.filter(|path| !paths.contains(path) || own(path)) else {
                continue;
            };
            if templates.missing().may_make(path.as_str()) && !own(path) {
                continue;
            }
            let wrong = if own(path) {
                "is the artifact itself"
            } else {
                "is not part of the bundle"
            };
            if told.insert((&entry.template.path, key)) {
                diagnostics.push(
                    Diagnostic::new(codes::MISSING_ARTIFACT, format!("the {what} `{path}` {wrong}"))
                        .at(templates.front_matter_span(entry.template, key))
                        .help("name the path of another artifact that is made under the same condition"),
                );
            }
        }
    }
}
