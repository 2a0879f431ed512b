//! Why an element of the transform finds nothing, and what was probably meant.

use super::guards;
use super::instructions::{Locator, Selector};
use super::locate::{Search, is_absolute};
use super::read::Edit;
use super::state::Engine;
use super::xpath::{Axis, Expression};
use crate::edits::{Refusal, RefusalKind};
use crate::xml::tree::{Document, NodeId};

/// How alike two names have to be.
const ALIKE: f64 = 0.86;

/// Why the edit with this number finds nothing below `around`.
pub(super) fn explain(engine: &Engine<'_>, number: usize, around: &[NodeId]) -> Refusal {
    let place = engine.place(number);
    let Some(edit) = engine.edits.elements.get(number) else {
        return Refusal::new(RefusalKind::Missing, "nothing is found").in_edits(place);
    };
    reason(engine, number, edit, around)
        .unwrap_or_else(|| not_there(engine, edit, around))
        .in_edits(place)
        .looked_for(engine.search().path(number))
}

fn not_there(engine: &Engine<'_>, edit: &Edit, around: &[NodeId]) -> Refusal {
    let file = &engine.file;
    let label = guards::edit_label(engine.edits, edit);
    let first = around.first().filter(|node| file.is_element(**node));
    let message = match first {
        Some(around) => format!(
            "`{label}` is not there, below `{}`",
            guards::key(file, *around, None)
        ),
        None => format!("`{label}` is not there"),
    };
    let refused = Refusal::new(RefusalKind::Missing, message);
    match nearest(engine, edit, around) {
        Some(near) => points_at(file, refused, near),
        None => refused.in_file(first.map(|node| file.tag(*node))).help(
            "Microsoft's engine would pass over this; correct the edit, or add what is missing with `InsertIfMissing`",
        ),
    }
}

/// The refusal with what was probably meant.
fn points_at(file: &Document, refused: Refusal, (node, near): (NodeId, String)) -> Refusal {
    refused
        .in_file(file.tag(node))
        .help(format!(
            "the file has `{near}`; correct the edit if that is meant"
        ))
        .nearest(Some(near))
}

/// A reason that can be named.
fn reason(engine: &Engine<'_>, number: usize, edit: &Edit, around: &[NodeId]) -> Option<Refusal> {
    let file = &engine.file;
    let document = &engine.edits.document;
    let root = file.root()?;
    let name = document.name(edit.node);
    let unsuitable = |message: String, found: NodeId| {
        Refusal::new(RefusalKind::Unsuitable, message).in_file(file.tag(found))
    };
    if edit.parent.is_none() && file.name(root) != name {
        let message = format!(
            "the root element of the file is `{}`, not `{name}`",
            file.name(root)
        );
        return Some(unsuitable(message, root).nearest(Some(file.name(root).to_owned())));
    }
    if let Some(found) = in_another_namespace(engine, edit, around) {
        let (theirs, ours) = (
            file.uri(file.namespace(found)),
            document.uri(document.namespace(edit.node)),
        );
        let say = |uri: &str| {
            if uri.is_empty() {
                "no namespace".to_owned()
            } else {
                format!("the namespace `{uri}`")
            }
        };
        let message = format!(
            "`{}` is in {} in the file and in {} in the transform, so nothing matches; Microsoft's engine would change nothing and report success",
            file.name(found),
            say(theirs),
            if matches!(edit.locator, Some(Locator::XPath(_))) {
                "another one".to_owned()
            } else {
                say(ours)
            }
        );
        return Some(
            unsuitable(message, found).help("declare the same namespace with `xmlns` in the transform"),
        );
    }
    if let Some((range, message)) = around.first().and_then(|around| guards::closed(file, *around)) {
        return Some(Refusal::new(RefusalKind::Unsuitable, message).in_file(range));
    }
    let (location, found) = below_location(engine, number)?;
    let path = file.attribute(location, "path").unwrap_or_default();
    let message = format!(
        "`{}` is there only inside `<location path=\"{path}\">`, which the transform does not name",
        guards::edit_label(engine.edits, edit)
    );
    Some(
        unsuitable(message, found)
            .help("put a `location` element with `xdt:Locator=\"Match(path)\"` around it in the transform"),
    )
}

/// What would be found if namespaces did not matter.
fn in_another_namespace(engine: &Engine<'_>, edit: &Edit, around: &[NodeId]) -> Option<NodeId> {
    let search = Search {
        any_namespace: true,
        ..engine.search()
    };
    search.below(edit, around).ok()?.first().copied()
}

/// The same path below a `location`, which sets values for one folder only.
fn below_location(engine: &Engine<'_>, number: usize) -> Option<(NodeId, NodeId)> {
    let mut chain = Vec::new();
    let mut next = Some(number);
    while let Some(edit) = next.and_then(|number| engine.edits.elements.get(number)) {
        if matches!(&edit.locator, Some(Locator::XPath(selector)) if is_absolute(&selector.expression)) {
            return None;
        }
        chain.push(edit);
        next = edit.parent;
    }
    // The root element of the transform is that of the file.
    chain.pop();
    let search = engine.search();
    let root = engine.file.root()?;
    engine
        .file
        .elements(root)
        .filter(|node| engine.file.has_name(*node, "location"))
        .find_map(|location| {
            let mut around = vec![location];
            for edit in chain.iter().rev() {
                around = search.below(edit, &around).ok()?;
            }
            around.first().map(|found| (location, *found))
        })
}

/// Whether something else than what is looked for might be meant: it is elsewhere, or differs in case only.
pub(super) fn is_near(engine: &Engine<'_>, number: usize, around: NodeId) -> bool {
    let Some(edit) = engine.edits.elements.get(number) else {
        return false;
    };
    reason(engine, number, edit, &[around]).is_some()
        || candidates(engine, edit, &[around])
            .is_some_and(|(wanted, all)| all.iter().any(|(_, name)| name.eq_ignore_ascii_case(&wanted)))
}

fn nearest(engine: &Engine<'_>, edit: &Edit, around: &[NodeId]) -> Option<(NodeId, String)> {
    let (wanted, all) = candidates(engine, edit, around)?;
    let alike = |name: &str| {
        if name.eq_ignore_ascii_case(&wanted) {
            2.0
        } else if name.len().abs_diff(wanted.len()) * 2 > wanted.len() || wanted.len() > 200 {
            0.0
        } else {
            strsim::jaro_winkler(name, &wanted)
        }
    };
    all.into_iter()
        .map(|(node, name)| (alike(&name), node, name))
        .filter(|(alike, ..)| *alike >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, node, name)| (node, name))
}

/// What is looked for, and what there is of the kind, both as names or as values of one attribute.
fn candidates(
    engine: &Engine<'_>,
    edit: &Edit,
    around: &[NodeId],
) -> Option<(String, Vec<(NodeId, String)>)> {
    let file = &engine.file;
    let search = engine.search();
    let values = |name: &str, nodes: Vec<NodeId>| {
        let value = |node: NodeId| Some((node, file.attribute(node, name)?.into_owned()));
        nodes.into_iter().filter_map(value).collect::<Vec<_>>()
    };
    match &edit.locator {
        Some(Locator::Match(names)) => {
            let name = names.first()?;
            let wanted = engine
                .edits
                .document
                .value(engine.edits.named(edit, name)?)
                .into_owned();
            Some((wanted, values(name, search.named(edit, around).ok()?)))
        }
        Some(Locator::Condition(condition)) => {
            let (name, wanted) = condition.predicates.iter().find_map(compared)?;
            Some((wanted.to_owned(), values(name, search.named(edit, around).ok()?)))
        }
        Some(Locator::XPath(selector)) => {
            let (element, name, wanted) = last_compared(selector)?;
            let nodes = file
                .descendants(file.top())
                .filter(|node| file.name(*node) == element);
            Some((wanted.to_owned(), values(name, nodes.collect())))
        }
        None => {
            let wanted = engine.edits.document.name(edit.node).to_owned();
            let all = around
                .iter()
                .flat_map(|around| file.elements(*around))
                .map(|node| (node, file.name(node).to_owned()));
            Some((wanted, all.collect()))
        }
    }
}

/// The first `@name = 'value'` of a predicate.
fn compared(predicate: &Expression) -> Option<(&str, &str)> {
    if let Some((left, right)) = predicate.conjunction() {
        return compared(left).or_else(|| compared(right));
    }
    let (left, right) = predicate.equation()?;
    match left.path()?.steps.as_slice() {
        [step] if step.axis == Axis::Attribute => Some((step.test.name()?, right.text()?)),
        _ => None,
    }
}

/// The element of the last step of a path with such a predicate, and what it compares.
fn last_compared(selector: &Selector) -> Option<(&str, &str, &str)> {
    selector.expression.path()?.steps.iter().rev().find_map(|step| {
        let (name, value) = step.predicates.iter().find_map(compared)?;
        Some((step.test.name()?, name, value))
    })
}

/// The path of `InsertBefore` or `InsertAfter` finds nothing.
pub(super) fn anchor(
    engine: &Engine<'_>,
    number: usize,
    parent: NodeId,
    verb: &str,
    selector: &Selector,
) -> Refusal {
    let message = format!("`{verb}` finds no element beside which it could insert");
    let refused = Refusal::new(RefusalKind::Missing, message)
        .in_edits(engine.place(number))
        .looked_for(&selector.text);
    let near = last_compared(selector)
        .and_then(|(element, name, wanted)| near_value(&engine.file, element, name, wanted));
    match near {
        Some(near) => points_at(&engine.file, refused, near),
        None => refused.in_file(engine.file.tag(parent)),
    }
}

fn near_value(file: &Document, element: &str, name: &str, wanted: &str) -> Option<(NodeId, String)> {
    file.descendants(file.top())
        .filter(|node| file.name(*node) == element)
        .filter_map(|node| Some((node, file.attribute(node, name)?.into_owned())))
        .filter(|(_, value)| {
            value.eq_ignore_ascii_case(wanted) || strsim::jaro_winkler(value, wanted) >= ALIKE
        })
        .max_by(|left, right| {
            strsim::jaro_winkler(&left.1, wanted).total_cmp(&strsim::jaro_winkler(&right.1, wanted))
        })
}
