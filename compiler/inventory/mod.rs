//! Reading inventories: text to a spanned tree to typed data.
//!
//! The way of a value, one file per step:
//!
//! ```text
//! input     bytes to checked UTF-8 text
//! yaml      text to a tree that knows the bytes of every key and value
//! extends   the trees of all layers to one tree
//! decode    plain scalars get the type of their field; YAML traps and passwords are found
//! schema    the value against the JSON Schema of `model`
//! explain   schema errors in the words of an author, at their place
//! ```
//!
//! Beside them, `outline` tells inventories from other YAML files of a folder.
//!
//! [`load`] runs them all and collects every finding. What a schema cannot say (names that must be unique, versions
//! that must fit) is not checked here.

pub mod accept;
pub mod alternatives;
mod characters;
mod comments;
mod decode;
mod defaults;
mod explain;
mod extends;
mod input;
mod lacking;
pub mod layers;
pub mod model;
mod outline;
mod plain;
pub mod program;
pub mod project;
mod published;
mod removed;
mod repeats;
mod salvage;
pub mod scalars;
mod schema;
mod segments;
mod slips;
mod syntax;
#[cfg(test)]
mod tests;
mod value;
pub mod web;
mod wording;
pub mod workspace;
mod yaml;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

pub use outline::{extended, is_inventory, is_meant_as_inventory};
pub use salvage::Salvaged;
pub use schema::Schema;
pub use value::Places;
pub use wording::inline as yaml_scalar;

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::source::{FileId, Sources, Span};

/// Largest input file.
pub const MAX_INPUT_BYTES: usize = 16 << 20;

/// Most findings of one inventory; a wrong file must not fill the memory with them.
const MAX_FINDINGS: usize = 10_000;

/// Most mistakes with which the checks of several values still run.
const MOST_SALVAGED: usize = 100;

/// Oldest product version the vendor guide covers (PRE-1).
const OLDEST_PRODUCT: [u16; 3] = [9, 2, 0];

/// Where inventory files come from.
pub trait ReadInput {
    /// The content of a file; `path` is relative to the workspace and has forward slashes.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says. An implementation may answer [`std::io::ErrorKind::FileTooLarge`] for files
    /// above [`MAX_INPUT_BYTES`] instead of reading them.
    fn read(&self, path: &str) -> Result<Vec<u8>, std::io::Error>;

    /// The content of a file that the inventory `main` extends, directly or by way of others. It lies within the same boundary as the
    /// inventory itself, wherever the layer that names it lies: findings print lines of what is read.
    ///
    /// # Errors
    ///
    /// Those of [`ReadInput::read`].
    fn read_layer(&self, path: &str, main: &str) -> Result<Vec<u8>, std::io::Error> {
        let _ = main;
        self.read(path)
    }

    /// The content of a program of at most `limit` bytes; `path` as in [`ReadInput::read`].
    ///
    /// # Errors
    ///
    /// As [`ReadInput::read`].
    fn read_program(&self, path: &str, limit: u64) -> Result<Vec<u8>, std::io::Error> {
        let bytes = self.read(path)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
            Ok(bytes)
        } else {
            Err(std::io::ErrorKind::FileTooLarge.into())
        }
    }

    /// Where the workspace lies, absolute and with forward slashes; empty when it lies nowhere. A manifest names its
    /// inputs the same from whichever folder below the repository cbgen was started.
    fn folder(&self) -> String {
        String::new()
    }
}

/// Why [`ReadInput::read`] refuses a file that links lead to and that is no part of the workspace; the inner error of
/// an [`std::io::ErrorKind::PermissionDenied`].
#[derive(Clone, Copy, Debug)]
pub struct OutsideWorkspace;

impl std::fmt::Display for OutsideWorkspace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a symbolic link leads out of the workspace")
    }
}

impl std::error::Error for OutsideWorkspace {}

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name in the workspace, with forward slashes.
    pub name: String,
    /// Its text as it was read: without a byte order mark, with LF. A checkout with CRLF compiles to the same bytes.
    pub text: String,
}

/// An inventory that was read without an error.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The typed inventory, defaults filled in.
    pub inventory: model::Inventory,
    /// The merged inventory as written: source order, no defaults, no `extends`.
    pub value: Value,
    /// Where every value is written.
    pub places: Places,
    /// Every file that was read, the inventory itself first.
    pub inputs: Vec<Input>,
    layers: Vec<extends::Layer>,
}

/// Reads an inventory and everything it extends.
///
/// # Errors
///
/// Every finding of a run is in `diagnostics` (codes CB00, CB01, CB02), each with its place where it has one.
pub fn load(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &dyn ReadInput,
    schema: &Schema,
    name: &str,
) -> Result<Loaded, Reported> {
    load_or_salvage(diagnostics, sources, files, schema, name).map_err(|(reported, _)| reported)
}

/// The same; where the inventory was read to its end and has wrong values, the error holds what it could be without them.
///
/// # Errors
///
/// As [`load`].
pub fn load_or_salvage(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &dyn ReadInput,
    schema: &Schema,
    name: &str,
) -> Result<Loaded, (Reported, Option<Box<Salvaged>>)> {
    let mut found = Diagnostics::new();
    let mut salvaged = None;
    let loaded = read(&mut found, &mut salvaged, sources, files, schema, name);
    let result = found.checkpoint();
    let mut redaction = Redaction {
        sources,
        judged: BTreeMap::new(),
    };
    for finding in found.iter() {
        diagnostics.push(redaction.apply(finding.clone()));
    }
    if let Err(reported) = result {
        return Err((reported, salvaged.map(Box::new)));
    }
    match loaded {
        Some(loaded) => Ok(loaded),
        // Every way to `None` reports an error; this keeps the promise even if one does not.
        None => Err((
            diagnostics.error(
                Diagnostic::new(codes::INVENTORY_REFUSED, format!("`{name}` cannot be read")).in_file(name),
            ),
            None,
        )),
    }
}

fn read(
    diagnostics: &mut Diagnostics,
    salvaged: &mut Option<Salvaged>,
    sources: &mut Sources,
    files: &dyn ReadInput,
    schema: &Schema,
    name: &str,
) -> Option<Loaded> {
    let layers = extends::read(diagnostics, sources, files, name);
    let expanded = defaults::expand(defaults::without_nulls(layers.root?, schema.root()));
    let root = expanded.root;
    let mut decoded = decode::decode(diagnostics, &root, schema.root(), true);
    // A mistake in what servers share is said where it is shared.
    let refused = decoded.quiet.clone();
    decoded.quiet.extend(expanded.shared);
    let places = Places::new(root);
    let explainer = explain::Explainer {
        places: &places,
        schema,
        quiet: &decoded.quiet,
        complete: layers.complete,
        subject: explain::INVENTORY,
        lacking_in_servers: RefCell::default(),
    };
    let mut said = std::collections::BTreeSet::new();
    for error in schema.validator()?.iter_errors(&decoded.value) {
        if diagnostics.count() >= MAX_FINDINGS {
            break;
        }
        // A name that is too long does not have the form of a name either: that is one mistake.
        if explain::is_about_the_text(&error) && !said.insert(error.instance_path().as_str().to_owned()) {
            continue;
        }
        explainer.explain(diagnostics, &error);
    }
    if diagnostics.count() >= MAX_FINDINGS {
        diagnostics.push(
            Diagnostic::new(
                codes::TOO_MANY_FINDINGS,
                format!("there are more than {MAX_FINDINGS} mistakes"),
            )
            .in_file(name)
            .help("repair the first ones and run again; perhaps this is not an inventory"),
        );
    }
    check_versions(diagnostics, &decoded.value, &places);
    if diagnostics.has_errors() {
        if layers.complete && diagnostics.count() < MOST_SALVAGED {
            *salvaged = salvage::salvage(schema, &decoded.value, &refused, places);
        }
        return None;
    }
    if let Some(object) = decoded.value.as_object_mut() {
        object.shift_remove("defaults");
    }
    match from_value(decoded.value.clone()) {
        Ok(inventory) => Some(Loaded {
            inventory,
            value: decoded.value,
            places,
            inputs: layers.inputs,
            layers: layers.own,
        }),
        Err(why) => {
            diagnostics.push(
                Diagnostic::new(
                    codes::INVENTORY_REFUSED,
                    format!("the inventory cannot be used: {why}"),
                )
                .at_opt(places.nearest(""))
                .help("please report this: the schema should have said it with a place"),
            );
            None
        }
    }
}

/// What a document is called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Behind "in": `the inventory`.
    pub the: &'static str,
    /// Behind "is no key of": `an inventory`.
    pub a: &'static str,
    /// Whether it has layers and names secrets, which only inventories do.
    pub is_inventory: bool,
}

/// Reads the project file: the same YAML, the same errors.
///
/// # Errors
///
/// Every finding is in `diagnostics`.
pub fn read_project(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &dyn ReadInput,
) -> Option<project::Project> {
    const SUBJECT: Subject = Subject {
        the: "the project file",
        a: "a project file",
        is_inventory: false,
    };
    let text = input::read(diagnostics, sources, files, project::FILE, project::FILE, None)?;
    let body = text.body?;
    let schema = Schema::of::<project::Project>();
    let document = read_meant(diagnostics, &schema, SUBJECT, text.id, &body, &text.removed);
    document.filter(|_| text.removed.is_empty())
}

/// Reads another document in the same YAML: the front matter of a template. `text` is the beginning of the file, so
/// that places are places of the file.
///
/// # Errors
///
/// Every finding is in `diagnostics`, with its place in the file.
pub fn read_document<T: serde::de::DeserializeOwned>(
    diagnostics: &mut Diagnostics,
    schema: &Schema,
    subject: Subject,
    file: FileId,
    text: &str,
) -> Option<T> {
    read_meant(diagnostics, schema, subject, file, text, &[])
}

/// The same of a text without what was `removed` from the file.
fn read_meant<T: serde::de::DeserializeOwned>(
    diagnostics: &mut Diagnostics,
    schema: &Schema,
    subject: Subject,
    file: FileId,
    text: &str,
    removed: &[removed::Removed],
) -> Option<T> {
    let mut found = Diagnostics::new();
    let parsed = segments::parse(&mut found, file, text, removed, subject);
    let first_line = Span::new(file, 0..text.find('\n').unwrap_or(text.len()));
    let is_empty =
        |root: &value::Node| matches!(&root.kind, value::ValueKind::Plain(text) if text.is_empty());
    if parsed.complete && parsed.root.as_ref().is_none_or(is_empty) {
        found.push(
            Diagnostic::new(codes::INPUT_EMPTY, format!("{} is empty", subject.the))
                .at(first_line)
                .help("write its keys, one `key: value` a line"),
        );
    }
    let document = parsed.root.filter(|root| !is_empty(root)).and_then(|root| {
        let decoded = decode::decode(&mut found, &root, schema.root(), subject.is_inventory);
        let places = Places::new(root);
        let explainer = explain::Explainer {
            places: &places,
            schema,
            quiet: &decoded.quiet,
            complete: parsed.complete,
            subject,
            lacking_in_servers: RefCell::default(),
        };
        for error in schema.validator()?.iter_errors(&decoded.value) {
            explainer.explain(&mut found, &error);
        }
        check_cbgen_version(&mut found, &decoded.value, explainer.places);
        if found.has_errors() {
            return None;
        }
        match serde_json::from_value(decoded.value) {
            Ok(document) => Some(document),
            Err(error) => {
                found.push(Diagnostic::new(codes::INVENTORY_REFUSED, error.to_string()).at(first_line));
                None
            }
        }
    });
    let failed = found.has_errors();
    diagnostics.append(found);
    document.filter(|_| !failed)
}

/// The typed inventory of a value, without places.
///
/// # Errors
///
/// The words of the typed reader.
pub fn from_value(value: Value) -> Result<model::Inventory, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Versions that are well formed but do not fit.
fn check_versions(diagnostics: &mut Diagnostics, value: &Value, places: &Places) {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let product =
        text("/product/version").and_then(|version| Some((version, scalars::product_version(version).ok()?)));
    if let Some((version, numbers)) = product
        && numbers < OLDEST_PRODUCT
    {
        diagnostics.push(
            Diagnostic::new(
                codes::PRODUCT_TOO_OLD,
                format!("product version `{version}` is older than 9.2.0"),
            )
            .at_opt(places.value("/product/version"))
            .note("the vendor guide that the templates follow begins with 9.2.0 (PRE-1)")
            .help("upgrade the product first; its files must not be changed this way"),
        );
    }
    check_cbgen_version(diagnostics, value, places);
}

/// Whether this cbgen is one that `requires` asks for.
fn check_cbgen_version(diagnostics: &mut Diagnostics, value: &Value, places: &Places) {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let own = env!("CARGO_PKG_VERSION");
    let range = text("/requires").and_then(|range| Some((range, semver::VersionReq::parse(range).ok()?)));
    if let (Some((range, wanted)), Ok(version)) = (range, semver::Version::parse(own))
        && !wanted.matches(&version)
    {
        diagnostics.push(
            Diagnostic::new(
                codes::CBGEN_VERSION,
                format!(
                    "this is cbgen {own}, and `requires` asks for `{}`",
                    scalars::shorten(range)
                ),
            )
            .at_opt(places.value("/requires"))
            .note("another version may write other files from the same inventory")
            .help("run a version it accepts, or change `requires` and review the new output"),
        );
    }
}

/// Hides the lines of findings when one of them may hold a password, also in places the schema does not know.
///
/// Every line is judged once: a generated inventory may be one long line with thousands of findings.
struct Redaction<'a> {
    sources: &'a Sources,
    judged: BTreeMap<(FileId, usize), bool>,
}

impl Redaction<'_> {
    fn apply(&mut self, mut finding: Diagnostic) -> Diagnostic {
        let labels = finding.primary.iter().chain(&finding.related);
        finding.redact |= labels.map(|label| label.span).any(|span| self.is_secret(span));
        finding
    }

    fn is_secret(&mut self, span: Span) -> bool {
        let Some(file) = self.sources.get(span.file) else {
            return false;
        };
        let line = file.position(span.start as usize).line;
        *self
            .judged
            .entry((span.file, line))
            .or_insert_with(|| file.line(line).is_some_and(may_hold_secret))
    }
}

/// Longest line that is judged; a longer one is not shown.
const LONGEST_JUDGED: usize = 256 << 10;

/// Whether a line (or a whole value, before a message cuts it) sounds like a password, looks like a secret, or holds an
/// address with a user in it.
fn may_hold_secret(line: &str) -> bool {
    if line.len() > LONGEST_JUDGED || !crate::secrets::scan(line, &[]).is_empty() {
        return true;
    }
    let line = line.to_ascii_lowercase();
    // `scheme://user:password@host`, also folded, `user:password@host` and `user/password@host`
    line.contains("://") && line.contains('@')
        || line
            .split_whitespace()
            .filter_map(|word| word.rsplit_once('@'))
            .any(|(before, _)| before.contains([':', '/']))
        || ["pass", "pwd", "secret", "token", "credential"]
            .iter()
            .any(|word| line.contains(word))
}
