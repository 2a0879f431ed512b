//! XML document transforms (XDT) for .NET configuration files: what templates of the product may say.
//!
//! A text of this format is a keyed edit of a file that belongs to the vendor (CFG-6 to CFG-8, CFG-10 to CFG-14,
//! IIS-3; DEF-49). What can be read and applied at all is `edits::xdt`, and one value of it serves both; here only rules
//! are added that make a reviewed text say what it does:
//!
//! - The root is `<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform">` (not `https`).
//! - The content of `Replace`, `Insert` and `Remove` holds no transform.
//! - A locator stands on every element with a transform, and on every element around one, unless the element can occur
//!   only once in its parent (`appSettings`, `system.serviceModel`, the `<value>` of a `<setting>`). A locator is exact:
//!   a predicate compares attributes with `=` and a quoted text.
//! - A target is transformed once. Exceptions: `Remove`, then `Insert`; and `SetAttributes` beside an `InsertIfMissing`
//!   for the same target, which together mean "set, or add".
//! - A `<setting>` is never inserted. Its section below `<applicationSettings>` is named, or found by an `XPath` with `*`,
//!   because the guide does not name it (DEF-53).

mod exact;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::edits::xdt::XdtEdits;
use super::edits::xdt::instructions::{self, Locator, Names, Verb};
use super::xml;
use super::xml::tree::{Attribute, NodeId};
use super::{FactPath, Form, FormatError, Item, Step};

pub use super::edits::xdt::NAMESPACE;
pub use super::xml::{xml_attr, xml_text};

/// Elements that occur once in their parent, so that they need no locator.
const SINGLE: &[&str] = &[
    "appSettings",
    "applicationSettings",
    "authentication",
    "authorization",
    "basicHttpBinding",
    "behaviors",
    "bindings",
    "client",
    "compilation",
    "connectionStrings",
    "customErrors",
    "customHeaders",
    "defaultDocument",
    "diagnostics",
    "directoryBrowse",
    "files",
    "handlers",
    "httpCookies",
    "httpErrors",
    "httpProtocol",
    "httpRuntime",
    "message",
    "modules",
    "readerQuotas",
    "requestFiltering",
    "rewrite",
    "rules",
    "runtime",
    "security",
    "serviceHostingEnvironment",
    "services",
    "sessionState",
    "staticContent",
    "system.diagnostics",
    "system.net",
    "system.serviceModel",
    "system.web",
    "system.webServer",
    "transport",
    "userSettings",
    "validation",
    "webHttpBinding",
    "wsHttpBinding",
];

/// Reads a transform document into items such as `configuration > appSettings > add[key=QStatsURL] > @value`; the
/// transforms and locators are items too (`… > @xdt:Transform`).
///
/// Refuses what the module documentation excludes, what [`XdtEdits::read`] refuses, line breaks in attribute values
/// (DEF-58), `defaultPath` (locked at server level, so every error page would fail), blanks around the text of a
/// `<value>`, an `<add>` below `system.webServer` without a `<remove>` before it (DEF-59), and service bindings whose
/// sizes or security mode contradict each other (DEF-51). Well-formedness errors come alone; otherwise everything is
/// reported.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    // The review form is shallower than what can be read.
    xml::parse(text)?;
    let (edits, errors) = XdtEdits::survey(text).map_err(|error| vec![error])?;
    let mut reader = Reader {
        text,
        edits: &edits,
        targets: BTreeMap::new(),
        errors,
    };
    if let Some(root) = edits.document.root() {
        reader.root(root);
    }
    reader.conflicting_targets();
    reader.errors.extend(services::problems(&edits));
    if reader.errors.is_empty() {
        Ok(said(&edits))
    } else {
        // What cannot be read and what may not be said can be one and the same.
        reader
            .errors
            .sort_by_key(|error| (error.range.start, error.range.end));
        reader.errors.dedup();
        Err(reader.errors)
    }
}

/// What a transform document says, one item for each attribute and text.
pub(crate) fn said(edits: &XdtEdits) -> Vec<Item> {
    let value = |attribute: &Attribute| normalized(edits, attribute);
    xml::flatten(
        &edits.document,
        &[(NAMESPACE, "xdt")],
        &|node| step(edits, node),
        &value,
    )
}

/// The transform of an element, if it has one that can be read.
fn verb_of(edits: &XdtEdits, element: NodeId) -> Option<&Verb> {
    edits.edit(element)?.verb.as_ref()
}

/// Whether an element is put into the file as it is written here: it or an element around it is replaced or inserted.
fn is_written_out(edits: &XdtEdits, element: NodeId) -> bool {
    edits
        .document
        .ancestors(element)
        .filter_map(|element| verb_of(edits, element))
        .any(Verb::writes_out)
}

fn normalized(edits: &XdtEdits, attribute: &Attribute) -> String {
    let value = edits.document.value(attribute);
    let is_own = edits.document.uri(attribute.namespace()) == NAMESPACE;
    let read = match edits.document.attribute_name(attribute) {
        "Transform" if is_own => instructions::verb(&value).map(|verb| verb.to_string()),
        "Locator" if is_own => instructions::locator(&value).map(|locator| locator.to_string()),
        _ => return value.into_owned(),
    };
    read.unwrap_or_else(|_| value.into_owned())
}

/// Name of an element together with what identifies it among its siblings.
fn step(edits: &XdtEdits, element: NodeId) -> Step {
    let document = &edits.document;
    let step = Step::new(Form::Element, document.name(element));
    let locator = edits.edit(element).and_then(|edit| edit.locator.as_ref());
    let identity = match locator {
        Some(Locator::Match(names)) => {
            let equal = |name: &String| {
                let value = document.attribute(element, name).unwrap_or_default();
                format!("{name}={value}")
            };
            names.iter().map(equal).collect::<Vec<_>>().join(",")
        }
        Some(Locator::XPath(path)) => path.text.clone(),
        Some(Locator::Condition(condition)) => condition.text.clone(),
        None => match ["key", "name"].map(|name| document.attribute(element, name)) {
            [Some(key), _] => format!("key={key}"),
            [None, Some(value)] => format!("name={value}"),
            [None, None] => return step,
        },
    };
    step.keyed(identity)
}

fn is_single(edits: &XdtEdits, element: NodeId) -> bool {
    let document = &edits.document;
    let name = document.name(element);
    let parent = document
        .parent_element(element)
        .map(|parent| document.name(parent));
    match parent {
        Some("setting") => name == "value",
        Some("applicationSettings" | "userSettings") => name.ends_with(".Settings"),
        _ => SINGLE.contains(&name),
    }
}

/// What becomes of the content of an element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    /// It is only looked for.
    Sought,
    /// It is written out if an element around it is missing (`InsertIfMissing`).
    MaybeWritten,
    /// It is written out or removed as a whole, so it must not hold transforms.
    Literal,
}

/// What surrounds the element that is read.
#[derive(Clone, Copy)]
struct Around {
    content: Content,
    /// Below `system.webServer`.
    web_server: bool,
    /// Below a `value`.
    value: bool,
}

struct Reader<'a> {
    text: &'a str,
    edits: &'a XdtEdits,
    /// For each target the verbs that change it, with the elements that say so.
    targets: BTreeMap<FactPath, Vec<(Verb, Range<usize>)>>,
    errors: Vec<FormatError>,
}

impl Reader<'_> {
    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    /// The start tag of an element, which is shorter to point at than the whole element.
    fn tag(&self, element: NodeId) -> Range<usize> {
        self.edits.document.short_tag(element)
    }

    fn root(&mut self, root: NodeId) {
        let document = &self.edits.document;
        if document.name(root) != "configuration" {
            self.refuse(self.tag(root), "the root element has to be `configuration`");
        }
        for attribute in document.plain_attributes(root) {
            let message = "the root element takes no attributes and no transform";
            self.refuse(attribute.range(), message);
        }
        let around = Around {
            content: Content::Sought,
            web_server: false,
            value: false,
        };
        if !self.children(root, &"configuration".into(), around) && self.errors.is_empty() {
            self.refuse(self.tag(root), "the document transforms nothing");
        }
    }

    /// Reads the children of an element; returns whether there is a transform among or below them.
    fn children(&mut self, parent: NodeId, path: &FactPath, around: Around) -> bool {
        let edits = self.edits;
        self.own_text(parent, around);
        let mut without = Vec::new();
        let mut any = false;
        let mut removed = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for child in edits.document.elements(parent) {
            if self.element(child, path, around) {
                any = true;
            } else {
                without.push(child);
            }
            if around.web_server {
                self.remove_before_add(child, around, &mut removed);
            }
            let step = step(edits, child);
            // What may be written out as a whole would hold both.
            if around.content != Content::Sought && step.key.is_some() && !seen.insert(step.clone()) {
                self.refuse(self.tag(child), format!("`{step}` is given twice"));
            }
        }
        if any && around.content == Content::Sought {
            for child in without {
                let message = format!(
                    "`{}` holds no transform, so it changes nothing",
                    step(edits, child)
                );
                self.refuse(self.tag(child), message);
            }
        }
        any
    }

    fn own_text(&mut self, element: NodeId, around: Around) {
        let document = &self.edits.document;
        let text = document.own_text(element);
        let trimmed = text.trim();
        let leaf = document.elements(element).next().is_none();
        if around.value && leaf && trimmed != text {
            let message = "white space around the text of a `value` is part of the setting";
            self.refuse(document.range(element), message);
        } else if !around.value && !trimmed.is_empty() {
            let message = format!("`{}` takes no text", document.name(element));
            self.refuse(document.range(element), message);
        }
    }

    /// Reads an element; returns whether it or something below it is a transform.
    fn element(&mut self, element: NodeId, path: &FactPath, around: Around) -> bool {
        let edits = self.edits;
        let document = &edits.document;
        let name = document.name(element);
        self.attributes(element, around);
        let read = edits.edit(element).filter(|_| around.content != Content::Literal);
        let (verb, locator) = read.map_or((None, None), |edit| (edit.verb.as_ref(), edit.locator.as_ref()));
        self.located_exactly(element, verb, locator);
        let path = path.child(step(edits, element));
        let content = match verb {
            Some(
                Verb::Replace
                | Verb::Insert
                | Verb::InsertBefore(_)
                | Verb::InsertAfter(_)
                | Verb::Remove
                | Verb::RemoveAll,
            ) => Content::Literal,
            Some(Verb::InsertIfMissing) => Content::MaybeWritten,
            Some(Verb::SetAttributes(_) | Verb::RemoveAttributes(_)) | None => Content::Sought,
        };
        let inside = Around {
            content: around.content.max(content),
            web_server: around.web_server || name == "system.webServer",
            value: around.value || name == "value",
        };
        let below = self.children(element, &path, inside);
        if let Some(verb) = verb {
            self.transform(element, verb, locator);
            let entry = self.targets.entry(path).or_default();
            entry.push((verb.clone(), document.range(element)));
        }
        let located = locator.is_some() || is_single(edits, element);
        let matches_others = match verb {
            Some(Verb::Insert | Verb::InsertBefore(_) | Verb::InsertAfter(_) | Verb::RemoveAll) => false,
            Some(_) => true,
            None => below,
        };
        let has = |name: &str| {
            document
                .plain_attributes(element)
                .any(|attribute| self.is_own(attribute) && document.attribute_name(attribute) == name)
        };
        let (unreadable, has_transform) = (has("Locator") && locator.is_none(), has("Transform"));
        if matches_others && !located && !unreadable {
            let message = format!(
                "`{name}` needs a locator such as `xdt:Locator=\"Match(name)\"`, or every `{name}` matches"
            );
            self.refuse(self.tag(element), message);
        }
        verb.is_some() || below || has_transform
    }

    fn is_own(&self, attribute: &Attribute) -> bool {
        self.edits.document.uri(attribute.namespace()) == NAMESPACE
    }

    /// Refuses expressions that can find more or something else than they show.
    fn located_exactly(&mut self, element: NodeId, verb: Option<&Verb>, locator: Option<&Locator>) {
        let document = &self.edits.document;
        let range = |name: &str| {
            document
                .plain_attributes(element)
                .find(|attribute| self.is_own(attribute) && document.attribute_name(attribute) == name)
                .map_or_else(|| self.tag(element), Attribute::range_value)
        };
        let (locator_range, verb_range) = (range("Locator"), range("Transform"));
        if locator.is_some_and(|locator| !exact::locator(locator)) {
            let message = "the expression has to compare an attribute with `=` and a quoted text, without functions or alternatives";
            self.refuse(locator_range, message);
        }
        if let Some(Verb::InsertBefore(path) | Verb::InsertAfter(path)) = verb
            && !exact::selector(path)
        {
            let message =
                "the path has to consist of names, and compare attributes with `=` and a quoted text alone";
            self.refuse(verb_range, message);
        }
    }

    /// Checks all attributes.
    fn attributes(&mut self, element: NodeId, around: Around) {
        let document = &self.edits.document;
        for attribute in document.plain_attributes(element) {
            let raw = self.text.get(attribute.range_value()).unwrap_or_default();
            let value = document.value(attribute);
            let name = document.attribute_name(attribute);
            if raw.contains(['\n', '\t', '\r']) || value.contains(['\n', '\t', '\r']) {
                let message = format!(
                    "the value of `{name}` holds a line break or a tab, which XML turns into a blank"
                );
                self.errors
                    .push(FormatError::new(attribute.range_value(), message));
            }
            let message = match (self.is_own(attribute), name) {
                (true, "Transform" | "Locator") if around.content == Content::Literal => {
                    "an element around this one is replaced, inserted or removed as a whole".to_owned()
                }
                (false, "Transform" | "Locator") => {
                    let uri = document.uri(attribute.namespace());
                    if uri.is_empty() {
                        format!("`{name}` without the prefix `xdt:` is an ordinary attribute")
                    } else {
                        format!("`{name}` is in the namespace `{uri}`, transforms are in `{NAMESPACE}`")
                    }
                }
                (false, "defaultPath") => {
                    "`defaultPath` is locked at server level; set it with appcmd and `/commit:apphost`"
                        .to_owned()
                }
                _ => continue,
            };
            self.errors.push(FormatError::new(attribute.range(), message));
        }
        if let Some(Locator::Match(names)) = self.edits.edit(element).and_then(|edit| edit.locator.as_ref()) {
            for name in names {
                if document
                    .attribute(element, name)
                    .is_some_and(|value| value.is_empty())
                {
                    let message = format!("the locator matches `{name}`, which the element does not have");
                    self.refuse(self.tag(element), message);
                }
            }
        }
    }

    /// Checks a transform against the element it stands on.
    fn transform(&mut self, element: NodeId, verb: &Verb, locator: Option<&Locator>) {
        let document = &self.edits.document;
        let name = document.name(element);
        let parent = document
            .parent_element(element)
            .map(|parent| document.name(parent));
        match verb {
            Verb::SetAttributes(Names::Listed(listed)) => {
                let matched: &[String] = match locator {
                    Some(Locator::Match(names)) => names,
                    _ => &[],
                };
                let known = |name: &str| listed.iter().chain(matched).any(|known| known == name);
                for attribute in self.edits.meant_attributes(element) {
                    let name = document.written_attribute(attribute);
                    if !known(name) {
                        let message = format!("`{name}` is neither set nor matched, so it changes nothing");
                        self.errors.push(FormatError::new(attribute.range(), message));
                    }
                }
            }
            Verb::Insert | Verb::InsertIfMissing | Verb::InsertBefore(_) | Verb::InsertAfter(_)
                if name == "setting" =>
            {
                self.refuse(
                    self.tag(element),
                    "a `setting` is never inserted, it has to exist in the file",
                );
            }
            Verb::Insert | Verb::InsertBefore(_) | Verb::InsertAfter(_)
                if name == "add" && parent == Some("appSettings") =>
            {
                self.refuse(
                    self.tag(element),
                    "`Insert` adds a second entry when the key exists; use `InsertIfMissing`",
                );
            }
            Verb::Remove | Verb::RemoveAll if document.elements(element).next().is_some() => {
                let message = "the content of an element to remove changes nothing";
                self.refuse(self.tag(element), message);
            }
            Verb::SetAttributes(Names::All)
            | Verb::RemoveAttributes(_)
            | Verb::Insert
            | Verb::InsertIfMissing
            | Verb::InsertBefore(_)
            | Verb::InsertAfter(_)
            | Verb::Remove
            | Verb::RemoveAll
            | Verb::Replace => {}
        }
    }

    /// Collections of IIS refuse a second entry of the same name anywhere up the hierarchy (error 500.19).
    fn remove_before_add(&mut self, element: NodeId, around: Around, removed: &mut BTreeSet<String>) {
        let document = &self.edits.document;
        let identity = ["name", "value"]
            .iter()
            .find_map(|name| document.attribute(element, name));
        let Some(identity) = identity.map(|identity| identity.to_ascii_lowercase()) else {
            return;
        };
        let verb = verb_of(self.edits, element);
        match document.name(element) {
            "remove" if !matches!(verb, Some(Verb::Remove | Verb::RemoveAll)) => {
                removed.insert(identity);
            }
            "add" => {
                let inserted = match verb {
                    Some(verb) => verb.writes_out() && *verb != Verb::Replace,
                    None => around.content != Content::Sought,
                };
                if inserted && !removed.contains(&identity) {
                    let message = "`<remove>` of the same name has to stand before this `<add>`, or an inherited entry stops the application";
                    self.refuse(self.tag(element), message);
                }
            }
            _ => {}
        }
    }

    fn conflicting_targets(&mut self) {
        for (path, verbs) in std::mem::take(&mut self.targets) {
            let kinds: Vec<&Verb> = verbs.iter().map(|(verb, _)| verb).collect();
            let fits = matches!(
                kinds.as_slice(),
                [_] | [Verb::SetAttributes(_), Verb::InsertIfMissing]
                    | [Verb::InsertIfMissing, Verb::SetAttributes(_)]
                    | [Verb::Remove | Verb::RemoveAll, Verb::Insert]
            );
            if let Some((_, range)) = verbs.last().filter(|_| !fits) {
                let message = format!("`{path}` is transformed more than once");
                self.refuse(range.clone(), message);
            }
        }
    }
}

#[cfg(test)]
mod tests;
