//! Loading templates: front matter, compiled bodies, and every check that needs no inventory.
//!
//! Built-in templates are embedded in the binary; a folder given with `--templates` is laid over them (same path
//! replaces, other paths add). This module must not know any inventory.

mod blocks;
mod bounds;
pub mod engine;
mod findings;
mod fit;
pub mod folder;
pub mod front_matter;
pub mod lines;
pub mod meter;
mod places;
pub mod quotes;
mod salvage;
mod tags;
mod variables;
mod wording;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use cbgen_formats::Cut as _;
use serde_json::{Value as Json, json};

use crate::catalogue::Catalogue;
use crate::codes;
use crate::contract::artifact::Scope;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::facts::{Facts, plan_view::PlanView};
use crate::formats::Format;
use crate::inventory::{Schema, Subject, read_document};
use crate::marks::{FIELD, ITEM};
use crate::secrets;
use crate::source::{FileId, Sources, Span};

use engine::{Engine, EngineError, Text};
use findings::{
    engine_diagnostic, lines_of_applied, minutes_missing, no_front_matter, refused_value, step_mismatch,
    unknown_requirement,
};
use folder::TemplateFile;
use front_matter::{FrontMatter, RunbookText};
use places::Places;
use salvage::Missing;
use tags::is_open;
use variables::VariableSchema;

/// What the front matter is called in messages.
const FRONT_MATTER: Subject = Subject {
    the: "the front matter",
    a: "front matter",
    is_inventory: false,
};

/// Names the text of a condition of the catalogue, which belongs to no template.
const CONDITION: &str = "condition of the catalogue: ";

/// One compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Path below the templates folder.
    pub path: String,
    /// Its text in the source table.
    pub file: FileId,
    /// Byte offset of the body.
    pub body_start: usize,
    /// Its front matter.
    pub front: FrontMatter,
    /// Whether title, path, target and the like hold no variables.
    fields_are_static: bool,
    /// Whether the runbook lines hold no variables.
    runbook_is_static: bool,
}

/// Front-matter texts after their variables were filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Title.
    pub title: String,
    /// Path below the folder of the scope.
    pub path: Option<String>,
    /// Target on the server.
    pub target: Option<String>,
    /// Rollback as written.
    pub rollback: Option<String>,
    /// Path of the script that applies it, below the folder of the scope.
    pub applied_by: Option<String>,
    /// Services to restart.
    pub restarts: Vec<String>,
}

/// Every template, compiled.
#[derive(Debug)]
pub struct Templates {
    list: Vec<Template>,
    engines: BTreeMap<Format, Engine>,
    plain: Engine,
    prose: Engine,
    /// The texts diagnostics point into; an inventory's own texts are added to a copy.
    sources: Sources,
    places: Places,
    /// What was left out, because it has mistakes.
    missing: Missing,
    /// Steps of all texts of this run, of whatever inventory and command.
    steps: AtomicU64,
    /// The most they may be.
    most_steps: u64,
}

/// The texts of all templates, before an engine has them.
#[derive(Default)]
struct Texts {
    partials: Vec<Text>,
    bodies: BTreeMap<Format, Vec<Text>>,
    /// Fields and conditions, which have no format.
    plain: Vec<Text>,
    /// Lines of runbooks, which are Markdown.
    prose: Vec<Text>,
}

impl Texts {
    fn all(&self) -> impl Iterator<Item = &Text> {
        self.partials.iter().chain(self.of_templates())
    }

    /// All but what templates include.
    fn of_templates(&self) -> impl Iterator<Item = &Text> {
        let bodies = self.bodies.values().flatten();
        bodies.chain(&self.plain).chain(&self.prose)
    }

    /// Those that have a format.
    fn with_format(&self) -> impl Iterator<Item = (Format, &Text)> {
        let bodies = self.bodies.iter();
        let bodies = bodies.flat_map(|(format, texts)| texts.iter().map(|text| (*format, text)));
        bodies.chain(self.prose.iter().map(|text| (Format::Markdown, text)))
    }
}

/// Steps that all texts of a run may take. An installation of four servers takes 11,000.
const MOST_STEPS_OF_A_RUN: u64 = 500_000_000;

fn is_partial(path: &str) -> bool {
    path.rsplit('/').skip(1).any(|folder| folder.starts_with('_'))
}

/// Compiles `files`. All mistakes of all templates are reported.
pub fn load(
    diagnostics: &mut Diagnostics,
    files: Vec<TemplateFile>,
    catalogue: &Catalogue,
) -> (Sources, Result<Templates, Reported>) {
    let (sources, loaded) = load_or_salvage(diagnostics, files, catalogue);
    (sources, loaded.map_err(|(reported, _)| reported))
}

/// The same; where some templates have mistakes, the error holds the others, so that a run can tell their mistakes too. What is
/// made of these must never be written.
pub fn load_or_salvage(
    diagnostics: &mut Diagnostics,
    mut files: Vec<TemplateFile>,
    catalogue: &Catalogue,
) -> (Sources, Result<Templates, (Reported, Option<Templates>)>) {
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let mut found = Diagnostics::new();
    let (sources, loaded) = load_files(&mut found, &files, catalogue);
    let result = loaded.map_err(|reported| {
        let rest = salvage::without_mistakes(&found, &sources, files, catalogue);
        (reported, rest)
    });
    diagnostics.append(found);
    (sources, result)
}

/// Compiles `files`, which are in order.
fn load_files(
    diagnostics: &mut Diagnostics,
    files: &[TemplateFile],
    catalogue: &Catalogue,
) -> (Sources, Result<Templates, Reported>) {
    let mut sources = Sources::new();
    let templates = load_into(diagnostics, &mut sources, files, catalogue);
    let result = match diagnostics.checkpoint() {
        Ok(()) => templates.map(|mut templates| {
            templates.sources = sources.clone();
            templates
        }),
        Err(reported) => Err(reported),
    };
    (sources, result)
}

fn load_into(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &[TemplateFile],
    catalogue: &Catalogue,
) -> Result<Templates, Reported> {
    let schema = Schema::of::<FrontMatter>();
    let mut list: Vec<Template> = Vec::new();
    let mut places = Places::default();
    let mut texts = Texts::default();
    for file in files.iter().cloned() {
        let id = sources.add(file.name, file.text.clone());
        if !file.is_built_in {
            refuse_secrets(diagnostics, id, &file.text);
        }
        if is_partial(&file.path) {
            places.add(&file.path, id, 0);
            texts.partials.push(Text::new(file.path, file.text));
            continue;
        }
        let Some(body_start) = front_matter_length(&file.text) else {
            diagnostics.error(no_front_matter(id, &file.text));
            continue;
        };
        let head = file.text.cut(..body_start - "---\n".len());
        let Some(front) = read_document::<FrontMatter>(diagnostics, &schema, FRONT_MATTER, id, head) else {
            continue;
        };
        check_front_matter(diagnostics, sources, id, &front, catalogue);
        let body = file.text.cut(body_start..).to_owned();
        places.add(&file.path, id, body_start);
        let of_format = texts.bodies.entry(front.format).or_default();
        of_format.push(Text::new(file.path.clone(), body));
        let fields = fields_text(&front);
        let lines = runbook_text(&front);
        let (fields_are_static, runbook_is_static) = (!is_open(&fields), !is_open(&lines));
        if !fields_are_static {
            let name = format!("{}#fields", file.path);
            texts.plain.push(Text::new(name, fields));
        }
        if !runbook_is_static {
            let name = format!("{}#runbook", file.path);
            texts.prose.push(Text::new(name, lines));
        }
        if let Some(condition) = &front.when {
            let name = format!("{}#when", file.path);
            texts.plain.push(Text::new(name, condition_text(condition)));
        }
        list.push(Template {
            path: file.path,
            file: id,
            body_start,
            front,
            fields_are_static,
            runbook_is_static,
        });
    }
    for condition in catalogue.entries().iter().flat_map(|entry| &entry.applies) {
        let name = format!("{CONDITION}{}", condition.when);
        if !texts.plain.iter().any(|text| text.name == name) {
            texts.plain.push(Text::new(name, condition_text(&condition.when)));
        }
    }
    places.add_fronts(&texts.plain);
    places.add_fronts(&texts.prose);
    // What is built in was judged by the tests; only what is laid over it can change what it means.
    let mut unbounded = Vec::new();
    if !files.iter().all(|file| file.is_built_in) {
        unbounded = bounds::unbounded_loops(diagnostics, sources, &places, &texts)?;
        check_variables(diagnostics, sources, &list, &places, &texts);
    }
    let mut engines = BTreeMap::new();
    let mut refused: Vec<Diagnostic> = Vec::new();
    let mut compile = |format, texts_of: &[Text]| match Engine::compile(format, &texts.partials, texts_of) {
        Ok(engine) => Some(engine),
        Err(errors) => {
            let explain = |error| engine_diagnostic(sources, &places, error, codes::TEMPLATE_SYNTAX);
            refused.extend(errors.iter().map(explain));
            None
        }
    };
    for (format, of_format) in &texts.bodies {
        if let Some(engine) = compile(Some(*format), of_format) {
            engines.insert(*format, engine);
        }
    }
    let plain = compile(None, &texts.plain);
    let prose = compile(Some(Format::Markdown), &texts.prose);
    // A tag that the engine refuses is no tag, and needs no bound: one cause, one finding.
    for finding in unbounded {
        if !refused
            .iter()
            .any(|refused| findings::is_about(refused, &finding))
        {
            diagnostics.push(finding);
        }
    }
    for finding in refused {
        diagnostics.push(finding);
    }
    diagnostics.checkpoint()?;
    let plain = plain.expect("what an engine refuses was reported, and the run ended");
    let prose = prose.expect("what an engine refuses was reported, and the run ended");
    Ok(Templates {
        list,
        engines,
        plain,
        prose,
        sources: Sources::new(),
        places,
        missing: Missing::default(),
        steps: AtomicU64::new(0),
        most_steps: MOST_STEPS_OF_A_RUN,
    })
}

/// A template is read by everybody who reviews a bundle, and its text goes into every bundle.
fn refuse_secrets(diagnostics: &mut Diagnostics, file: FileId, text: &str) {
    for suspect in secrets::scan(text, &[]) {
        let finding = format!(
            "the template looks as if it held a secret ({}, {})",
            suspect.position, suspect.form
        );
        diagnostics.push(
            Diagnostic::new(codes::SECRET_IN_TEMPLATE, finding)
                .at(Span::new(file, suspect.name))
                .redacted()
                .help("remove it here and from the history of the repository, change the secret, and let the engineer supply it at apply time"),
        );
    }
}

/// Where the body starts: behind the second `---` line.
fn front_matter_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("---\n")?;
    let end = if rest.starts_with("---\n") {
        0
    } else {
        rest.find("\n---\n")? + 1
    };
    Some("---\n".len() + end + "---\n".len())
}

/// What stands before and behind a condition in its text.
const CONDITION_TAG: (&str, &str) = ("{% if ", " %}1{% endif %}");

fn condition_text(condition: &str) -> String {
    let (before, after) = CONDITION_TAG;
    format!("{before}{condition}{after}")
}

fn fields_text(front: &FrontMatter) -> String {
    let restarts = front.restarts.join(&ITEM.to_string());
    [
        front.title.as_str(),
        front.path.as_deref().unwrap_or(""),
        front.target.as_deref().unwrap_or(""),
        front.rollback.as_deref().unwrap_or(""),
        front.applied_by.as_deref().unwrap_or(""),
        &restarts,
    ]
    .join(&FIELD.to_string())
}

fn runbook_text(front: &FrontMatter) -> String {
    let text = &front.runbook;
    let lists = [&text.before, &text.todo, &text.check, &text.later, &text.undo];
    lists
        .map(|list| list.join(&ITEM.to_string()))
        .join(&FIELD.to_string())
}

fn list_of(text: &str) -> Vec<String> {
    if text.is_empty() {
        Vec::new()
    } else {
        text.split(ITEM).map(str::to_owned).collect()
    }
}

impl Templates {
    /// Every template, in path order.
    pub fn list(&self) -> &[Template] {
        &self.list
    }

    /// Templates that were left out because of their mistakes.
    pub fn missing(&self) -> &Missing {
        &self.missing
    }

    /// The texts diagnostics of templates point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The whole file of a template.
    fn text(&self, template: &Template) -> &str {
        let file = self.sources.get(template.file);
        file.expect("templates keep the sources they were read into")
            .text()
    }

    /// The line of a key in the front matter of a template; the first line when the key is not written.
    pub fn front_matter_span(&self, template: &Template, key: &str) -> Span {
        let front = self.text(template).cut(..template.body_start);
        Span::new(template.file, places::line_of(front, key))
    }

    /// What does not fit about path and target as they were rendered, with its key.
    pub fn misfits(
        &self,
        template: &Template,
        path: &str,
        target: Option<&str>,
    ) -> Vec<(&'static str, Diagnostic)> {
        fit::rendered_misfits(&template.front, path, target)
            .iter()
            .map(|misfit| (misfit.key, findings::misfit(&self.sources, template.file, misfit)))
            .collect()
    }

    /// The line of a template that printed a refused value: the first one that prints something behind the same text.
    fn refused_span(&self, template: &Template, rendered: &str) -> Span {
        let body = self.text(template).cut(template.body_start..);
        let before = engine::before_refused(rendered);
        let prefix = before
            .rsplit_once('\n')
            .map_or(before, |(_, last)| last)
            .trim_start();
        let mut at = template.body_start;
        for line in body.split_inclusive('\n') {
            let shown = line.trim_start();
            if shown.contains("{{")
                && (prefix.is_empty() && shown.starts_with("{{")
                    || !prefix.is_empty() && shown.starts_with(prefix))
            {
                return Span::new(template.file, at..at + line.trim_end().len());
            }
            at += line.len();
        }
        Span::new(template.file, template.body_start..template.body_start)
    }

    fn render(
        &self,
        engine: &Engine,
        name: &str,
        variables: &engine::Variables,
    ) -> Result<String, Diagnostic> {
        let rendered = engine.render(name, variables);
        self.steps.fetch_add(meter::steps(), Ordering::Relaxed);
        rendered.map_err(|error| self.diagnostic(&error))
    }

    /// The same with another bound for the run.
    #[cfg(test)]
    pub(crate) fn with_most_steps(mut self, most: u64) -> Self {
        self.most_steps = most;
        self
    }

    /// Says when the templates did more in this run than they may. Sums only grow, so that what is too much at the end is
    /// the same however inventories and texts are shared among threads.
    pub fn spent(&self) -> Option<Diagnostic> {
        let spent = self.steps.load(Ordering::Relaxed) > self.most_steps;
        spent.then(|| findings::run_is_spent(self.most_steps))
    }

    /// Whether a template applies.
    pub fn applies(&self, template: &Template, variables: &engine::Variables) -> Result<bool, Diagnostic> {
        if template.front.when.is_none() {
            return Ok(true);
        }
        self.render(&self.plain, &format!("{}#when", template.path), variables)
            .map(|text| text == "1")
    }

    /// Whether a condition of the catalogue holds.
    pub fn holds(&self, condition: &str, variables: &engine::Variables) -> Result<bool, String> {
        self.plain
            .render(&format!("{CONDITION}{condition}"), variables)
            .map(|text| text == "1")
            .map_err(|error| error.message)
    }

    /// Title, path, target and the like with their variables filled in.
    pub fn fields(&self, template: &Template, variables: &engine::Variables) -> Result<Fields, Diagnostic> {
        let text = if template.fields_are_static {
            fields_text(&template.front)
        } else {
            self.render(&self.plain, &format!("{}#fields", template.path), variables)?
        };
        let mut parts = text.split(FIELD).map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let some = |text: String| if text.is_empty() { None } else { Some(text) };
        let (title, path) = (next(), next());
        Ok(Fields {
            title,
            // A path that comes out empty is refused as a path; it does not turn a file into a step.
            path: template.front.path.as_ref().map(|_| path),
            target: some(next()),
            rollback: some(next()),
            applied_by: some(next()),
            restarts: list_of(&next()),
        })
    }

    /// Runbook lines with their variables filled in and escaped for Markdown.
    pub fn runbook(
        &self,
        template: &Template,
        variables: &engine::Variables,
    ) -> Result<front_matter::RunbookText, Diagnostic> {
        if template.runbook_is_static {
            return Ok(template.front.runbook.clone());
        }
        let text = self.render(&self.prose, &format!("{}#runbook", template.path), variables)?;
        if let Some((value, error)) = engine::refused(Format::Markdown, &text) {
            let span = self.front_matter_span(template, "runbook");
            return Err(refused_value(span, Format::Markdown, &value, &error.message));
        }
        let mut parts = text.split(FIELD);
        let mut next = || list_of(parts.next().unwrap_or(""));
        Ok(front_matter::RunbookText {
            before: next(),
            todo: next(),
            check: next(),
            later: next(),
            undo: next(),
        })
    }

    /// Renders the body of a template.
    pub fn body(&self, template: &Template, variables: &engine::Variables) -> Result<String, Diagnostic> {
        let engine = self.engines.get(&template.front.format).unwrap_or(&self.plain);
        let text = self.render(engine, &template.path, variables)?;
        match engine::refused(template.front.format, &text) {
            Some((value, error)) => Err(refused_value(
                self.refused_span(template, &text),
                template.front.format,
                &value,
                &error.message,
            )),
            None => Ok(text),
        }
    }

    fn diagnostic(&self, error: &EngineError) -> Diagnostic {
        engine_diagnostic(&self.sources, &self.places, error, codes::RENDER_FAILED)
    }
}

fn check_front_matter(
    diagnostics: &mut Diagnostics,
    sources: &Sources,
    file: FileId,
    front: &FrontMatter,
    catalogue: &Catalogue,
) {
    for id in &front.requirements {
        if catalogue.find(id).is_none() {
            diagnostics.error(unknown_requirement(sources, file, id, catalogue));
        }
    }
    let is_step = front.path.is_none();
    if is_step != front.effect.is_none() || is_step && front.scope == Scope::Bundle {
        diagnostics.error(step_mismatch(sources, file));
    }
    for misfit in fit::misfits(front) {
        diagnostics.error(findings::misfit(sources, file, &misfit));
    }
    // Whether it is meant as a step is not known while `path` and `effect` contradict each other.
    if is_step && front.effect.is_none() && front.minutes.is_none() {
        diagnostics.error(minutes_missing(sources, file));
    }
    if front.applied_by.is_some() && front.runbook != RunbookText::default() {
        diagnostics.error(lines_of_applied(sources, file));
    }
}

fn check_variables(
    diagnostics: &mut Diagnostics,
    sources: &Sources,
    list: &[Template],
    places: &Places,
    texts: &Texts,
) {
    let by_name: BTreeMap<String, String> = texts
        .partials
        .iter()
        .map(|text| (text.name.clone(), text.body.clone()))
        .collect();
    let scopes: BTreeMap<&str, Scope> = list
        .iter()
        .map(|template| (template.path.as_str(), template.front.scope))
        .collect();
    let schemas =
        [Scope::Server, Scope::Deployment, Scope::Bundle].map(|scope| (scope, variable_schema(scope)));
    for (format, text) in texts.with_format() {
        for foreign in fit::foreign_filters(Some(format), &text.name, &text.body, &by_name) {
            let place = places.of(sources, &foreign.name, Some(foreign.range.clone()));
            diagnostics.push(findings::foreign_filter(format, &foreign, place));
        }
        for quoted in quotes::quoted_twice(format, &text.name, &text.body, &by_name) {
            let place = places.of(sources, &quoted.name, Some(quoted.range.clone()));
            diagnostics.push(findings::quoted_twice(&quoted, place));
        }
    }
    for text in &texts.plain {
        for foreign in fit::foreign_filters(None, &text.name, &text.body, &by_name) {
            let key = if text.name.ends_with("#when") {
                "when"
            } else {
                places::field_at(&text.body, foreign.range.start)
            };
            if let Some(finding) = findings::quoted_nowhere(sources, places, key, &foreign) {
                diagnostics.push(finding);
            }
        }
    }
    for text in texts.of_templates() {
        let path = places::path_of(&text.name);
        let Some((_, schema)) = schemas
            .iter()
            .find(|(scope, _)| *scopes.get(path).unwrap_or(&Scope::Deployment) == *scope)
        else {
            continue;
        };
        for error in schema.check(&text.name, &text.body, &by_name) {
            let code = if error.unused {
                codes::UNUSED_VARIABLE
            } else {
                codes::UNKNOWN_VARIABLE
            };
            let place = places.of(sources, &error.name, Some(error.range.clone()));
            let mut diagnostic = Diagnostic::new(code, error.message).at_opt(place);
            diagnostic.help = error.help;
            diagnostics.push(diagnostic);
        }
    }
}

/// The schema of what a template of this scope sees.
pub fn variable_schema(scope: Scope) -> VariableSchema {
    let mut root = schemars::schema_for!(Facts).to_value();
    let mut add = |section: &str, name: &str, value: Json| {
        if let Some(section) = root.get_mut(section).and_then(Json::as_object_mut) {
            section.insert(name.to_owned(), value);
        }
    };
    add("properties", "each", json!({"type": "string"}));
    match scope {
        Scope::Server => add("properties", "server", json!({"$ref": "#/$defs/ServerFacts"})),
        Scope::Bundle => add("properties", "plan", json!({"$ref": "#/$defs/PlanView"})),
        Scope::Deployment => {}
    }
    let view = schemars::schema_for!(PlanView).to_value();
    for (name, value) in view.get("$defs").and_then(Json::as_object).into_iter().flatten() {
        add("$defs", name, value.clone());
    }
    add("$defs", "PlanView", view);
    VariableSchema::new(root)
}
