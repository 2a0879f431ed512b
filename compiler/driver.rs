//! What the commands do, one call per phase; the command line is only one user of it.
//!
//! ```text
//! read      inventory text to typed data           inventory::load
//! check     cross-checks                           check::check
//! plan      which artifacts, where                 plan::plan
//! render    their texts                            render::render
//! lint      read back by each format's parser      lint::lint
//! bundle    bytes, digests, manifest               bundle::bundle
//! write     tree and archive                       bundle::tree
//! ```
//!
//! A [`Compiler`] holds what every inventory of a run shares; it is immutable but for
//! what it remembers of texts that were read back, so inventories compile in parallel. This
//! file prints nothing and measures nothing: each phase is announced by name.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::bundle::{self, ArtifactRecord, Bundle, BundleIdentity, Part, manifest};
use crate::catalogue;
use crate::check;
use crate::codes;
use crate::coverage::{self, Coverage, Provided, ProvidedKind};
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::files::{DiskFiles, Files, Kind};
use crate::inventory::{self, Loaded, MAX_INPUT_BYTES, ReadInput, Schema};
use crate::lint::{self, Accepted, Linted};
use crate::plan::{self, Plan, Rollback};
use crate::render;
use crate::runbook::Conditions;
use crate::secrets;
use crate::source::{Sources, Span, plain_text};
use crate::templates::{self, TemplateFile, Templates};

/// Largest template file.
const MAX_TEMPLATE_BYTES: u64 = 1 << 20;

/// What every compilation of a run shares.
#[derive(Debug)]
pub struct Compiler {
    schema: Schema,
    templates: Templates,
    overlay: Vec<manifest::InputDigest>,
    accepted: Accepted,
    today: Option<String>,
}

/// Where the findings of one compilation go, and who is told about its phases.
pub struct Run<'a> {
    /// Texts the findings point into.
    pub sources: &'a mut Sources,
    /// The sink of findings.
    pub diagnostics: &'a mut Diagnostics,
    /// Called with the name of each phase when it begins.
    pub on_phase: &'a mut dyn FnMut(&'static str),
}

/// Reads files of a workspace; names with forward slashes, relative to its root.
#[derive(Clone, Debug)]
pub struct Workspace {
    files: DiskFiles,
    standard_input: Option<Vec<u8>>,
}

/// The name of standard input among the files of a workspace.
pub const STANDARD_INPUT: &str = "-";

impl Workspace {
    /// The workspace at a folder of the disk.
    pub fn new(root: &Path) -> Self {
        Self {
            files: DiskFiles::new(root),
            standard_input: None,
        }
    }

    /// The workspace with what was read from standard input, as the file `-`.
    #[must_use]
    pub fn with_standard_input(mut self, bytes: Option<Vec<u8>>) -> Self {
        self.standard_input = bytes;
        self
    }
}

impl ReadInput for Workspace {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == STANDARD_INPUT
            && let Some(bytes) = &self.standard_input
        {
            return Ok(bytes.clone());
        }
        let path = Path::new(path);
        if self.files.kind(path)? == Some(Kind::Folder) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if self.files.leaves(path, &self.boundary(path)?)? {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                inventory::OutsideWorkspace,
            ));
        }
        self.files
            .read(path, u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX))
    }

    fn folder(&self) -> String {
        // Without it names stay as they were typed, which only the folder a manifest names its inputs from can show.
        self.files.folder().unwrap_or_default()
    }
}

impl Workspace {
    /// The folder a link on the way to `path` must not leave: a change of a repository may add links, and findings
    /// print lines of what is read. That is the workspace for a name below it, and for another name the repository
    /// that holds it, or its folder where there is none.
    fn boundary(&self, path: &Path) -> io::Result<PathBuf> {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if path.components().all(inside) {
            return Ok(PathBuf::from("."));
        }
        let folders = path.ancestors().skip(1);
        for folder in folders.take_while(|folder| !folder.as_os_str().is_empty()) {
            if self.files.kind(&folder.join(".git"))?.is_some() {
                return Ok(folder.to_owned());
            }
        }
        Ok(path.parent().unwrap_or(path).to_owned())
    }
}

impl Compiler {
    /// Compiles the templates: the built-in ones, with a folder laid over them when one is given.
    pub fn new(
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
        files: &dyn Files,
        overlay: Option<&Path>,
    ) -> Result<Self, Reported> {
        let over = match overlay {
            Some(folder) => read_templates(diagnostics, files, folder)?,
            None => Vec::new(),
        };
        let digests = over
            .iter()
            .map(|file| manifest::InputDigest {
                path: format!("templates/{}", file.path),
                sha256: bundle::digest::Digest::of(file.text.as_bytes()),
            })
            .collect();
        let all = templates::overlay(templates::built_in(), over);
        let (texts, templates) = templates::load(diagnostics, all, catalogue::catalogue());
        *sources = texts;
        Ok(Self {
            schema: Schema::new(),
            templates: templates?,
            overlay: digests,
            accepted: Accepted::default(),
            today: None,
        })
    }

    /// Tells which day it is, like `2026-12-05`, so that acceptances can end. No output depends on it.
    #[must_use]
    pub fn on_day(mut self, today: Option<String>) -> Self {
        self.today = today;
        self
    }

    /// The compiled templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// The compiled schema of inventories.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A table of texts to start a compilation with: it holds the templates.
    pub fn sources(&self) -> Sources {
        self.templates.sources().clone()
    }

    /// The first phase.
    pub fn load(
        &self,
        run: &mut Run<'_>,
        files: &dyn ReadInput,
        inventory: &str,
    ) -> Result<Loaded, Reported> {
        (run.on_phase)("read");
        inventory::load(run.diagnostics, run.sources, files, &self.schema, inventory)
    }

    /// From a typed inventory to texts that were read back.
    pub fn compile_loaded(&self, run: &mut Run<'_>, loaded: &Loaded) -> Result<Linted<'_>, Reported> {
        let plan = self.plan(run, loaded)?;
        (run.on_phase)("render");
        let rendered = render::render(run.diagnostics, plan)?;
        (run.on_phase)("lint");
        lint::lint(run.diagnostics, run.sources, &self.accepted, rendered)
    }

    fn plan(&self, run: &mut Run<'_>, loaded: &Loaded) -> Result<Plan<'_>, Reported> {
        (run.on_phase)("check");
        refuse_secrets(run.diagnostics, loaded);
        let checked = check::check(
            run.diagnostics,
            loaded.inventory.clone(),
            &loaded.places,
            self.today.as_deref(),
        );
        let checked = checked?;
        run.diagnostics.checkpoint()?;
        (run.on_phase)("plan");
        plan::plan(run.diagnostics, checked, &self.templates)
    }

    /// All phases up to the bundle in memory.
    pub fn compile(
        &self,
        run: &mut Run<'_>,
        files: &dyn ReadInput,
        inventory: &str,
    ) -> Result<Bundle, Reported> {
        let loaded = self.load(run, files, inventory)?;
        let linted = self.compile_loaded(run, &loaded)?;
        (run.on_phase)("bundle");
        self.bundle(run, &files.folder(), &loaded, linted)
    }

    /// Every guide requirement with what became of it in this installation.
    pub fn coverage(
        &self,
        run: &mut Run<'_>,
        files: &dyn ReadInput,
        inventory: &str,
    ) -> Result<Coverage, Reported> {
        let loaded = self.load(run, files, inventory)?;
        let plan = self.plan(run, &loaded)?;
        let mut provided: Vec<Provided> = Vec::new();
        for entry in &plan.entries {
            for id in &entry.template.front.requirements {
                let kind = match &entry.path {
                    Some(path) => ProvidedKind::Artifact(path.to_string()),
                    None => ProvidedKind::Step(entry.title.clone()),
                };
                provided.push(Provided {
                    id: id.clone(),
                    title: entry.title.clone(),
                    kind,
                });
            }
        }
        for server in &plan.facts.servers {
            provided.extend(coverage::provided_by_ports(&server.ports));
        }
        let conditions = Conditions::new(catalogue::catalogue(), &plan);
        Ok(coverage::coverage(
            catalogue::catalogue(),
            &|condition| conditions.holds(condition),
            &provided,
        ))
    }

    fn bundle(
        &self,
        run: &mut Run<'_>,
        folder: &str,
        loaded: &Loaded,
        linted: Linted<'_>,
    ) -> Result<Bundle, Reported> {
        let (rendered, digests) = linted.into_parts();
        let facts = &rendered.plan.facts;
        let identity = BundleIdentity {
            name: facts.bundle.name.clone(),
            version: facts.bundle.version.clone(),
            change: facts.bundle.change.clone(),
            window: facts.bundle.window.as_ref().map(|window| manifest::Window {
                start: window.start.clone(),
                end: window.end.clone(),
            }),
        };
        let main = loaded
            .inputs
            .first()
            .map(|input| input.name.as_str())
            .unwrap_or_default();
        let mut inputs: Vec<manifest::InputDigest> = loaded
            .inputs
            .iter()
            .map(|input| manifest::InputDigest {
                path: manifest_name(folder, main, &input.name),
                sha256: bundle::digest::Digest::of(input.text.as_bytes()),
            })
            .collect();
        inputs.extend(self.overlay.iter().cloned());
        let servers = facts
            .servers
            .iter()
            .map(|server| manifest::ServerEntry {
                name: server.name.clone(),
                fqdn: server.fqdn.clone(),
                roles: server.roles.clone(),
            })
            .collect();
        let warnings = rendered
            .plan
            .warnings
            .iter()
            .filter(|warning| warning.accepted.is_none())
            .map(|warning| manifest::Warning {
                code: warning.code.id().to_owned(),
                message: warning.message.clone(),
            })
            .collect();
        let names: Vec<String> = facts.servers.iter().map(|server| server.name.clone()).collect();
        let parts = rendered
            .plan
            .entries
            .iter()
            .zip(rendered.texts.into_iter().zip(digests))
            .filter_map(|(entry, (text, review_sha256))| {
                let front = &entry.template.front;
                Some(Part {
                    path: entry.path.clone()?,
                    text,
                    review_sha256,
                    record: ArtifactRecord {
                        scope: front.scope,
                        server: entry.server.and_then(|server| names.get(server).cloned()),
                        title: entry.title.clone(),
                        requirements: front.requirements.clone(),
                        target: entry.target.clone(),
                        format: front.format,
                        effect: front.effect?,
                        phase: front.phase,
                        rollback: match &entry.rollback {
                            Rollback::Captured => manifest::Rollback::Captured,
                            Rollback::Artifact(path) => manifest::Rollback::Artifact(path.clone()),
                            Rollback::OneWay => manifest::Rollback::OneWay,
                            Rollback::Nothing => manifest::Rollback::Nothing,
                        },
                        restarts: entry.restarts.clone(),
                    },
                    origin: Some(Span::new(entry.template.file, 0..3)),
                })
            })
            .collect();
        bundle::bundle(run.diagnostics, identity, inputs, servers, warnings, parts)
    }
}

/// The name of an input in a manifest: from the last folder called `inventories` on, else relative to the folder of the
/// inventory. It must not depend on where cbgen was started.
fn manifest_name(workspace: &str, main: &str, name: &str) -> String {
    let absolute = |name: &str| {
        if workspace.is_empty() || name.starts_with('/') {
            normal(name)
        } else {
            normal(&format!("{workspace}/{name}"))
        }
    };
    let (main, name) = (&*absolute(main), &*absolute(name));
    if let Some(at) = name
        .rfind("inventories/")
        .filter(|&at| at == 0 || name.get(..at).is_some_and(|head| head.ends_with('/')))
    {
        return name.get(at..).unwrap_or(name).to_owned();
    }
    let folder = main
        .rfind('/')
        .map_or("", |at| main.get(..=at).unwrap_or_default());
    match name.strip_prefix(folder) {
        Some(rest) => rest.to_owned(),
        None => name.rsplit('/').next().unwrap_or(name).to_owned(),
    }
}

/// A name without `.`, doubled slashes and `..` behind a folder: other spellings of a place must not change a byte.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let root = if name.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// An inventory must not hold a secret anywhere, also not encoded; the generated texts are scanned again later.
fn refuse_secrets(diagnostics: &mut Diagnostics, loaded: &Loaded) {
    let declared = declared_secrets(&loaded.inventory);
    for (pointer, span) in loaded.places.scalars() {
        let Some(text) = loaded.value.pointer(&pointer).and_then(serde_json::Value::as_str) else {
            continue;
        };
        if let Some(suspect) = secrets::scan(text, &declared).into_iter().next() {
            let place = loaded.places.key(&pointer).unwrap_or(span);
            diagnostics.push(
                Diagnostic::new(
                    codes::SECRET_IN_INVENTORY,
                    format!(
                        "the value of `{}` looks like a secret ({}, {})",
                        field_name(&pointer),
                        suspect.position,
                        suspect.form
                    ),
                )
                .at(place)
                .redacted()
                .help("remove it here and from the history of the repository, and change the secret itself"),
            );
        }
    }
}

fn field_name(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// Names of the secrets an inventory declares; the names may be printed.
pub fn declared_secrets(inventory: &inventory::model::Inventory) -> Vec<&str> {
    let ole = inventory.sql.ole.as_ref();
    ole.and_then(|ole| ole.password.as_ref())
        .map(|password| password.secret.as_str())
        .into_iter()
        .collect()
}

/// Why a link among templates is refused: followed, it could bring any file of the machine into a finding or a bundle;
/// passed over, its template would be missing without a word.
const LINK: &str = "it is a symbolic link; put the file or folder itself there";

/// Reads every file of a templates folder; what is no file or folder is an error, for a template must not be missing
/// without a word.
fn read_templates(
    diagnostics: &mut Diagnostics,
    files: &dyn Files,
    folder: &Path,
) -> Result<Vec<TemplateFile>, Reported> {
    let shown = folder.to_string_lossy().replace('\\', "/");
    let mut refuse = |name: &str, why: String| {
        diagnostics.error(
            Diagnostic::new(codes::UNREADABLE_FILE, format!("`{name}` cannot be read: {why}"))
                .in_file(name)
                .help("check the folder given with `--templates`"),
        )
    };
    // Without a slash at its end, which would follow a link.
    let folder: PathBuf = folder.components().collect();
    let folder = folder.as_path();
    match files.kind(folder) {
        // What is not there or cannot be looked at fails in the listing below, in the words of the system.
        Ok(Some(Kind::Folder) | None) | Err(_) => {}
        Ok(Some(Kind::Link)) => return Err(refuse(&shown, LINK.into())),
        Ok(Some(Kind::File | Kind::Other)) => return Err(refuse(&shown, "it is no folder".into())),
    }
    let entries = files
        .list(folder)
        .map_err(|error| refuse(&shown, error.to_string()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.path.to_string_lossy().replace('\\', "/");
        let name = format!("{shown}/{path}");
        match entry.kind {
            Kind::File => {}
            Kind::Folder => continue,
            Kind::Link => return Err(refuse(&name, LINK.into())),
            Kind::Other => return Err(refuse(&name, "it is no regular file".into())),
        }
        let text = files
            .read(&folder.join(&entry.path), MAX_TEMPLATE_BYTES)
            .and_then(|bytes| {
                String::from_utf8(bytes)
                    .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
            });
        match text {
            Ok(text) => found.push(TemplateFile {
                path,
                name,
                text: plain_text(&text).into_owned(),
            }),
            Err(error) => return Err(refuse(&name, error.to_string())),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_names_do_not_depend_on_the_working_folder() {
        let check = |main: &str, name: &str| manifest_name("", main, name);
        assert_eq!(
            check("inventories/prod.yaml", "inventories/shared/base.yaml"),
            "inventories/shared/base.yaml"
        );
        assert_eq!(
            check("/a/b/inventories/prod.yaml", "/a/b/inventories/prod.yaml"),
            "inventories/prod.yaml"
        );
        assert_eq!(check("x/prod.yaml", "x/layers/base.yaml"), "layers/base.yaml");
        for spelling in [
            "./inventories/../inventories/./prod.yaml",
            "inventories//prod.yaml",
        ] {
            assert_eq!(check(spelling, spelling), "inventories/prod.yaml");
        }
        assert_eq!(
            check("myinventories/prod.yaml", "myinventories/prod.yaml"),
            "prod.yaml"
        );
        for (folder, name) in [
            ("/a/b", "inventories/x/prod.yaml"),
            ("/a/b/inventories", "x/prod.yaml"),
            ("/a/b/inventories/x", "prod.yaml"),
            ("/a/b/c", "../inventories/x/prod.yaml"),
        ] {
            assert_eq!(manifest_name(folder, name, name), "inventories/x/prod.yaml");
        }
    }
}
