//! XML document transforms (XDT) for .NET configuration files: `web.config` and `.exe.config`.
//!
//! A text of this format is a keyed edit of a file that belongs to the vendor (CFG-6 to CFG-8, CFG-10 to CFG-14,
//! IIS-3; DEF-49). Microsoft's library applies such a document with three silent ways to do nothing: a wrong namespace,
//! a transform that was forgotten, and a `SetAttributes` that matches nothing. The first two are refused here. The
//! third, and what else the library leaves open, is a contract with whatever applies the document:
//!
//! - Every element with `Replace`, `Remove` or `SetAttributes` has to match exactly one element; none or several are a
//!   failure before anything is written. Exceptions: `Remove` with nothing to remove, and `SetAttributes` beside an
//!   `InsertIfMissing` for the same target, which together mean "set, or add".
//! - `<setting>` directly below `<applicationSettings>` is looked for at any depth below it, because the guide does not
//!   name the section between them (DEF-53). A `<setting>` is never inserted.
//! - `InsertIfMissing` of a `<remove>` puts it directly in front of an existing `<add>` of the same name; behind it, IIS
//!   would drop the entry again (DEF-59).
//!
//! # What a document may hold
//!
//! - The root `<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform">` (not `https`), and no
//!   other namespace.
//! - The verbs `Replace`, `Insert`, `InsertIfMissing`, `Remove` and `SetAttributes(names)`, the locators `Match(names)`,
//!   `XPath(path)` and `Condition(predicate)`. The content of `Replace` and `Insert` holds neither.
//! - A locator on every element with a transform, and on every element around one, unless the element can occur only
//!   once in its parent (`appSettings`, `system.serviceModel`, the `<value>` of a `<setting>`). A locator is exact:
//!   `Match` names `key` or `name`, and a predicate compares with `=`.

mod instructions;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Attribute, Node};

use super::xml;
use super::{FormatError, Item, characters};
use instructions::{Locator, Verb};

pub use super::xml::{xml_attr, xml_text};

/// The namespace of transforms. Copies of the documentation show it with `https`; then nothing is applied and success
/// is reported.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/XML-Document-Transform";

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
/// Refuses what the module documentation excludes, line breaks in attribute values (DEF-58), `defaultPath` (locked at
/// server level, so every error page would fail), blanks around the text of a `<value>`, an `<add>` below
/// `system.webServer` without a `<remove>` before it (DEF-59), and service bindings whose sizes or security mode
/// contradict each other (DEF-51). Well-formedness errors come alone; otherwise everything is reported.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let document = xml::parse(text)?;
    let mut reader = Reader {
        text,
        targets: BTreeMap::new(),
        errors: Vec::new(),
    };
    reader.root(document.root_element());
    reader.conflicting_targets();
    reader.errors.extend(services::problems(&document));
    if reader.errors.is_empty() {
        let value = |attribute: &Attribute<'_, '_>| normalized(attribute);
        Ok(xml::flatten(&document, &[(NAMESPACE, "xdt")], &label, &value))
    } else {
        reader.errors.sort_by_key(|error| error.range.start);
        Err(reader.errors)
    }
}

/// The transform of an element, if it has one that can be read.
fn verb_of(element: Node<'_, '_>) -> Option<Verb> {
    let text = element.attribute((NAMESPACE, "Transform"))?;
    instructions::verb(text).ok()
}

/// Whether an element is put into the file as it is written here: it or an element around it is replaced or inserted.
fn is_written_out(element: Node<'_, '_>) -> bool {
    element
        .ancestors()
        .filter_map(verb_of)
        .any(|verb| matches!(verb, Verb::Replace | Verb::Insert | Verb::InsertIfMissing))
}

fn normalized(attribute: &Attribute<'_, '_>) -> String {
    let value = attribute.value();
    let read = match (attribute.namespace(), attribute.name()) {
        (Some(NAMESPACE), "Transform") => instructions::verb(value).map(|verb| verb.to_string()),
        (Some(NAMESPACE), "Locator") => instructions::locator(value).map(|locator| locator.to_string()),
        _ => return value.to_owned(),
    };
    read.unwrap_or_else(|_| value.to_owned())
}

/// Name of an element together with what identifies it among its siblings.
fn label(element: Node<'_, '_>) -> String {
    let name = element.tag_name().name();
    let locator = element
        .attribute((NAMESPACE, "Locator"))
        .and_then(|text| instructions::locator(text).ok());
    let identity = match locator {
        Some(Locator::Match(names)) => {
            let equal = |name: &String| {
                let value = element.attribute(name.as_str()).unwrap_or_default();
                format!("{name}={value}")
            };
            names.iter().map(equal).collect::<Vec<_>>().join(",")
        }
        Some(Locator::XPath(path) | Locator::Condition(path)) => path,
        None => match ["key", "name"].map(|name| element.attribute(name)) {
            [Some(key), _] => format!("key={key}"),
            [None, Some(value)] => format!("name={value}"),
            [None, None] => return name.to_owned(),
        },
    };
    format!("{name}[{identity}]")
}

fn is_single(element: Node<'_, '_>) -> bool {
    let name = element.tag_name().name();
    let parent = element.parent_element().map(|parent| parent.tag_name().name());
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
    /// For each target the verbs that change it, with the elements that say so.
    targets: BTreeMap<String, Vec<(Verb, std::ops::Range<usize>)>>,
    errors: Vec<FormatError>,
}

impl Reader<'_> {
    fn refuse(&mut self, range: std::ops::Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    /// The start tag of an element, which is shorter to point at than the whole element.
    fn tag(&self, element: Node<'_, '_>) -> std::ops::Range<usize> {
        let range = element.range();
        let name = element.tag_name().name().len();
        let last = element.attributes().next_back();
        let end = last.map_or(range.start + 1 + name, |attribute| attribute.range().end);
        range.start..end.min(self.text.len())
    }

    fn root(&mut self, root: Node<'_, '_>) {
        if root.tag_name().name() != "configuration" {
            self.refuse(self.tag(root), "the root element has to be `configuration`");
        }
        if !root.namespaces().any(|namespace| namespace.uri() == NAMESPACE) {
            let message =
                format!("the root element has to declare `xmlns:xdt=\"{NAMESPACE}\"`, or nothing is applied");
            self.refuse(self.tag(root), message);
        }
        for attribute in root.attributes() {
            let message = "the root element takes no attributes and no transform";
            self.refuse(attribute.range(), message);
        }
        let around = Around {
            content: Content::Sought,
            web_server: false,
            value: false,
        };
        if !self.children(root, "configuration", around) && self.errors.is_empty() {
            self.refuse(self.tag(root), "the document transforms nothing");
        }
    }

    /// Reads the children of an element; returns whether there is a transform among or below them.
    fn children(&mut self, parent: Node<'_, '_>, path: &str, around: Around) -> bool {
        self.own_text(parent, around);
        let mut without = Vec::new();
        let mut any = false;
        let mut removed = BTreeSet::new();
        let mut labels = BTreeSet::new();
        for child in parent.children().filter(Node::is_element) {
            if self.element(child, path, around) {
                any = true;
            } else {
                without.push(child);
            }
            if around.web_server {
                self.remove_before_add(child, around, &mut removed);
            }
            let label = label(child);
            let named = label.ends_with(']');
            // What may be written out as a whole would hold both.
            if around.content != Content::Sought && named && !labels.insert(label.clone()) {
                self.refuse(
                    self.tag(child),
                    format!("`{}` is given twice", characters::label(&label)),
                );
            }
        }
        if any && around.content == Content::Sought {
            for child in without {
                let message = format!(
                    "`{}` holds no transform, so it changes nothing",
                    characters::label(&label(child))
                );
                self.refuse(self.tag(child), message);
            }
        }
        any
    }

    fn own_text(&mut self, element: Node<'_, '_>, around: Around) {
        let text = xml::own_text(element);
        let trimmed = text.trim();
        let leaf = element.first_element_child().is_none();
        if around.value && leaf && trimmed != text {
            let message = "white space around the text of a `value` is part of the setting";
            self.refuse(element.range(), message);
        } else if !around.value && !trimmed.is_empty() {
            let message = format!("`{}` takes no text", element.tag_name().name());
            self.refuse(element.range(), message);
        }
    }

    /// Reads an element; returns whether it or something below it is a transform.
    fn element(&mut self, element: Node<'_, '_>, path: &str, around: Around) -> bool {
        let name = element.tag_name().name();
        if let Some(namespace) = element.tag_name().namespace() {
            let message =
                format!("`{name}` is in the namespace `{namespace}`, so it matches no element of the file");
            self.refuse(self.tag(element), message);
        }
        let (verb, locator) = self.attributes(element, around);
        let path = format!("{path} > {}", characters::label(&label(element)));
        let content = match verb {
            Some(Verb::Replace | Verb::Insert | Verb::Remove) => Content::Literal,
            Some(Verb::InsertIfMissing) => Content::MaybeWritten,
            Some(Verb::SetAttributes(_)) | None => Content::Sought,
        };
        let inside = Around {
            content: around.content.max(content),
            web_server: around.web_server || name == "system.webServer",
            value: around.value || name == "value",
        };
        let below = self.children(element, &path, inside);
        if let Some(verb) = &verb {
            self.transform(element, verb, locator.as_ref());
            let entry = self.targets.entry(path).or_default();
            entry.push((verb.clone(), element.range()));
        }
        let located = locator.is_some() || is_single(element);
        let matches_others = match verb {
            Some(Verb::Insert) => false,
            Some(_) => true,
            None => below,
        };
        let unreadable = element.has_attribute((NAMESPACE, "Locator")) && locator.is_none();
        if matches_others && !located && !unreadable {
            let message = format!(
                "`{name}` needs a locator such as `xdt:Locator=\"Match(name)\"`, or every `{name}` matches"
            );
            self.refuse(self.tag(element), message);
        }
        verb.is_some() || below || element.has_attribute((NAMESPACE, "Transform"))
    }

    /// Checks all attributes and reads the transform and the locator.
    fn attributes(&mut self, element: Node<'_, '_>, around: Around) -> (Option<Verb>, Option<Locator>) {
        let mut verb = None;
        let mut locator = None;
        for attribute in element.attributes() {
            let raw = self.text.get(attribute.range_value()).unwrap_or_default();
            if raw.contains(['\n', '\t', '\r']) || attribute.value().contains(['\n', '\t', '\r']) {
                let message = format!(
                    "the value of `{}` holds a line break or a tab, which XML turns into a blank",
                    attribute.name()
                );
                self.refuse(attribute.range_value(), message);
            }
            match (attribute.namespace(), attribute.name()) {
                (Some(NAMESPACE), "Transform" | "Locator") if around.content == Content::Literal => self
                    .refuse(
                        attribute.range(),
                        "an element around this one is replaced, inserted or removed as a whole",
                    ),
                (Some(NAMESPACE), "Transform") => match instructions::verb(attribute.value()) {
                    Ok(read) => verb = Some(read),
                    Err(message) => self.refuse(attribute.range_value(), message),
                },
                (Some(NAMESPACE), "Locator") => match instructions::locator(attribute.value()) {
                    Ok(read) => locator = Some(read),
                    Err(message) => self.refuse(attribute.range_value(), message),
                },
                (Some(NAMESPACE), name) => {
                    let message = format!("`xdt:{name}` is not an attribute of transforms");
                    self.refuse(attribute.range(), message);
                }
                (Some(namespace), name) => {
                    let message = format!(
                        "`{name}` is in the namespace `{namespace}`, transforms are in `{NAMESPACE}`"
                    );
                    self.refuse(attribute.range(), message);
                }
                (None, name @ ("Transform" | "Locator")) => {
                    let message = format!("`{name}` without the prefix `xdt:` is an ordinary attribute");
                    self.refuse(attribute.range(), message);
                }
                (None, "defaultPath") => self.refuse(
                    attribute.range(),
                    "`defaultPath` is locked at server level; set it with appcmd and `/commit:apphost`",
                ),
                (None, _) => {}
            }
        }
        if let Some(Locator::Match(names)) = &locator {
            for name in names {
                if element.attribute(name.as_str()).is_none_or(str::is_empty) {
                    let message = format!("the locator matches `{name}`, which the element does not have");
                    self.refuse(self.tag(element), message);
                }
            }
        }
        (verb, locator)
    }

    /// Checks a transform against the element it stands on.
    fn transform(&mut self, element: Node<'_, '_>, verb: &Verb, locator: Option<&Locator>) {
        let name = element.tag_name().name();
        let parent = element.parent_element().map(|parent| parent.tag_name().name());
        match verb {
            Verb::SetAttributes(listed) => {
                for attribute in listed {
                    if !element.has_attribute(attribute.as_str()) {
                        let message =
                            format!("`SetAttributes` lists `{attribute}`, which the element does not have");
                        self.refuse(self.tag(element), message);
                    }
                }
                let matched: &[String] = match locator {
                    Some(Locator::Match(names)) => names,
                    _ => &[],
                };
                let known = |name: &str| listed.iter().chain(matched).any(|known| known == name);
                for attribute in element.attributes() {
                    if attribute.namespace().is_none() && !known(attribute.name()) {
                        let message = format!(
                            "`{}` is neither set nor matched, so it changes nothing",
                            attribute.name()
                        );
                        self.refuse(attribute.range(), message);
                    }
                }
            }
            Verb::Insert | Verb::InsertIfMissing if name == "setting" => self.refuse(
                self.tag(element),
                "a `setting` is never inserted, it has to exist in the file",
            ),
            Verb::Insert if name == "add" && parent == Some("appSettings") => self.refuse(
                self.tag(element),
                "`Insert` adds a second entry when the key exists; use `InsertIfMissing`",
            ),
            Verb::Remove if element.first_element_child().is_some() => {
                let message = "the content of an element to remove changes nothing";
                self.refuse(self.tag(element), message);
            }
            Verb::Insert | Verb::InsertIfMissing | Verb::Remove | Verb::Replace => {}
        }
    }

    /// Collections of IIS refuse a second entry of the same name anywhere up the hierarchy (error 500.19).
    fn remove_before_add(&mut self, element: Node<'_, '_>, around: Around, removed: &mut BTreeSet<String>) {
        let identity = ["name", "value"].iter().find_map(|name| element.attribute(*name));
        let Some(identity) = identity.map(str::to_ascii_lowercase) else {
            return;
        };
        let verb = verb_of(element);
        match element.tag_name().name() {
            "remove" if verb != Some(Verb::Remove) => {
                removed.insert(identity);
            }
            "add" => {
                let inserted = match verb {
                    Some(verb) => matches!(verb, Verb::Insert | Verb::InsertIfMissing),
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
                    | [Verb::Remove, Verb::Insert]
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
