//! Transforms of .NET configuration files that say what they do (CFG-6 to CFG-8, CFG-10 to CFG-14, IIS-3; DEF-49).
//!
//! The engine applies all that Microsoft's engine knows. A template may say less, because who reviews it has to see what it
//! finds and what it changes:
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
//! - No attribute holds a line break (DEF-58), and no blanks stand around the text of a `<value>`.
//!
//! This file must not know what IIS or a service makes of the result.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::formats::edits::xdt::instructions::{Locator, Names, Verb};
use crate::formats::edits::xdt::{NAMESPACE, XdtEdits};
use crate::formats::xdt::step;
use crate::formats::xml::tree::{Attribute, NodeId};
use crate::formats::{FactPath, FormatError};

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

/// Everything in a transform document that does not show what it does. A document that transforms nothing is refused
/// unless `is_clean` is false: then another mistake may be the reason.
pub(super) fn problems(edits: &XdtEdits, is_clean: bool) -> Vec<FormatError> {
    let mut checker = Checker {
        edits,
        targets: BTreeMap::new(),
        errors: Vec::new(),
    };
    if let Some(root) = edits.document.root() {
        checker.root(root, is_clean);
    }
    checker.conflicting_targets();
    checker.errors
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

/// What surrounds the element that is checked.
#[derive(Clone, Copy)]
struct Around {
    content: Content,
    /// Below a `value`.
    value: bool,
}

struct Checker<'a> {
    edits: &'a XdtEdits,
    /// For each target the verbs that change it, with the elements that say so.
    targets: BTreeMap<FactPath, Vec<(Verb, Range<usize>)>>,
    errors: Vec<FormatError>,
}

impl Checker<'_> {
    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    /// The start tag of an element, which is shorter to point at than the whole element.
    fn tag(&self, element: NodeId) -> Range<usize> {
        self.edits.document.short_tag(element)
    }

    fn root(&mut self, root: NodeId, is_clean: bool) {
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
            value: false,
        };
        if !self.children(root, &"configuration".into(), around) && is_clean && self.errors.is_empty() {
            self.refuse(self.tag(root), "the document transforms nothing");
        }
    }

    /// Checks the children of an element; returns whether there is a transform among or below them.
    fn children(&mut self, parent: NodeId, path: &FactPath, around: Around) -> bool {
        let edits = self.edits;
        self.own_text(parent, around);
        let mut without = Vec::new();
        let mut any = false;
        let mut seen = BTreeSet::new();
        for child in edits.document.elements(parent) {
            if self.element(child, path, around) {
                any = true;
            } else {
                without.push(child);
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

    /// Checks an element; returns whether it or something below it is a transform.
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
        let has = |name: &str| edits.instruction(element, name).is_some();
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
        let edits = self.edits;
        if locator.is_some_and(|locator| !locator.is_exact()) {
            let message = "the expression has to compare an attribute with `=` and a quoted text, without functions or alternatives";
            self.refuse(edits.instruction_range(element, "Locator"), message);
        }
        if let Some(Verb::InsertBefore(path) | Verb::InsertAfter(path)) = verb
            && !path.is_exact()
        {
            let message =
                "the path has to consist of names, and compare attributes with `=` and a quoted text alone";
            self.refuse(edits.instruction_range(element, "Transform"), message);
        }
    }

    /// Checks all attributes.
    fn attributes(&mut self, element: NodeId, around: Around) {
        let document = &self.edits.document;
        for attribute in document.plain_attributes(element) {
            let raw = document.slice(attribute.range_value());
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
