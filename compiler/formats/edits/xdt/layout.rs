//! How the file is laid out around a place: what is put there looks like its neighbours.

use crate::Cut as _;
use crate::xml::tree::{Document, NodeId, NodeKind};

/// How a new element is written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// The line it stands on its own in; without one it follows its neighbour directly.
    pub(super) line: Option<Line>,
    /// What one more level is indented by.
    pub(super) unit: String,
    /// The quotes of attributes.
    pub(super) quote: char,
    /// A blank stands before `/>`.
    pub(super) blank: bool,
    /// The first attribute, and each further one, begins a line: what it is indented by beyond its element.
    pub(super) attributes: [Option<String>; 2],
}

/// A line that an element begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The line end before it.
    pub(super) end: String,
    /// The blanks before the element.
    pub(super) indent: String,
}

/// What is written before an element that begins this line, or none.
fn lead(line: Option<&Line>) -> String {
    line.map_or(String::new(), |line| format!("{}{}", line.end, line.indent))
}

/// Where a new element goes among the children of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Behind the last child.
    Last,
    /// Before this child.
    Before(NodeId),
    /// Behind this child.
    After(NodeId),
}

/// The line that a node begins, if nothing but blanks stands before it there.
pub(super) fn line_of(file: &Document, node: NodeId) -> Option<Line> {
    let mut blanks = String::new();
    let mut next = file.previous(node);
    while let Some(before) = next {
        if !file.is_blank(before) {
            return None;
        }
        let text = file.slice(file.range(before));
        let Some(end) = text.rfind(['\n', '\r']) else {
            blanks.insert_str(0, text);
            next = file.previous(before);
            continue;
        };
        let (line, indent) = (text.cut(..=end), text.cut(end + 1..));
        blanks.insert_str(0, indent);
        let line_end = if line.ends_with("\r\n") {
            "\r\n"
        } else {
            line.cut(end..)
        };
        return Some(Line {
            end: line_end.to_owned(),
            indent: blanks,
        });
    }
    None
}

/// The line end that the file begins with.
pub(super) fn first_line_end(file: &Document) -> &'static str {
    match first_end(file.file_text()) {
        Some("\r\n") => "\r\n",
        Some("\r") => "\r",
        _ => "\n",
    }
}

/// The line of an element; the root element begins one also at the very beginning.
fn line_of_parent(file: &Document, parent: NodeId) -> Option<Line> {
    let line = line_of(file, parent);
    if line.is_none() && file.parent_element(parent).is_none() {
        let holds_line = file
            .children(parent)
            .any(|child| file.is_blank(child) && breaks(file, child));
        let file_has_lines = file.file_text().trim_end().contains(['\n', '\r']);
        return (holds_line || file_has_lines).then(|| Line {
            end: first_line_end(file).to_owned(),
            indent: String::new(),
        });
    }
    line
}

/// What one level is indented by at `parent`.
fn unit(file: &Document, parent: NodeId) -> String {
    let indent = |node: NodeId| line_of(file, node).map(|line| line.indent);
    let difference = |inner: NodeId| -> Option<String> {
        let outer = file.parent_element(inner)?;
        let outer = if file.parent_element(outer).is_none() {
            indent(outer).unwrap_or_default()
        } else {
            indent(outer)?
        };
        let inner = indent(inner)?;
        let unit = inner.strip_prefix(outer.as_str())?;
        (!unit.is_empty()).then(|| unit.to_owned())
    };
    let nearby = file
        .ancestors(parent)
        .filter(|node| file.is_element(*node))
        .find_map(difference);
    nearby
        .or_else(|| file.elements(file.root()?).find_map(difference))
        .unwrap_or_else(|| "  ".to_owned())
}

/// How an element looks like `neighbour` at a new place below `parent`.
pub(super) fn style(file: &Document, parent: NodeId, neighbour: Option<NodeId>, line: Option<Line>) -> Style {
    let elements = || {
        let beside = neighbour.into_iter().chain(file.elements(parent).take(50));
        beside.chain(file.ancestors(parent)).chain(
            file.descendants(file.top())
                .filter(|node| file.is_element(*node))
                .take(200),
        )
    };
    let quote = elements().find_map(|node| quote(file, node));
    let one_tag = elements().find(|node| file.is_one_tag(*node));
    let blank = one_tag.is_none_or(|node| {
        file.slice(file.tag(node))
            .trim_end_matches("/>")
            .ends_with([' ', '\t', '\n', '\r'])
    });
    Style {
        line,
        unit: unit(file, parent),
        quote: quote.unwrap_or('"'),
        blank,
        attributes: neighbour
            .and_then(|node| attribute_lines(file, node))
            .unwrap_or_default(),
    }
}

/// How far the first attribute of an element and the further ones are indented, where they begin lines.
fn attribute_lines(file: &Document, node: NodeId) -> Option<[Option<String>; 2]> {
    let indent = line_of(file, node)?.indent;
    let leads = file.attributes(node).map(|attribute| {
        let lead = file.slice(attribute.range_with_blanks().start..attribute.range().start);
        let (_, blanks) = lead.rsplit_once(['\n', '\r'])?;
        blanks.strip_prefix(indent.as_str()).map(str::to_owned)
    });
    let leads: Vec<Option<String>> = leads.collect();
    let (first, others) = leads.split_first()?;
    let second = others.first().cloned().flatten();
    // One that stands otherwise makes no layout.
    others
        .iter()
        .all(|lead| lead.is_some() == second.is_some())
        .then(|| [first.clone(), second])
}

/// The quote of the last attribute of an element.
pub(super) fn quote(file: &Document, node: NodeId) -> Option<char> {
    let last = file.attributes(node).last()?;
    file.slice(last.range()).chars().next_back()
}

/// The blanks that stand before a new attribute of an element: a line of its own where the others have one each.
pub(super) fn attribute_lead(file: &Document, node: NodeId) -> String {
    let leads: Vec<&str> = file
        .attributes(node)
        .map(|attribute| file.slice(attribute.range_with_blanks().start..attribute.range().start))
        .collect();
    match leads.as_slice() {
        [.., before, last] if last.contains('\n') && before.contains('\n') => (*last).to_owned(),
        [last] if last.contains('\n') => (*last).to_owned(),
        _ => " ".to_owned(),
    }
}

/// A place for a new element: the text before it, the text behind it, the node it follows, and its style.
pub(super) struct Gap {
    pub(super) before: String,
    pub(super) behind: String,
    pub(super) previous: Option<NodeId>,
    pub(super) style: Style,
    /// Blanks that the new element makes superfluous.
    pub(super) emptied: Option<NodeId>,
}

/// Finds the place for a new element.
pub(super) fn gap(file: &Document, parent: NodeId, place: Slot) -> Gap {
    match place {
        Slot::Before(sibling) => {
            let line = line_of(file, sibling);
            Gap {
                before: String::new(),
                behind: lead(line.as_ref()),
                previous: file.previous(sibling),
                style: style(file, parent, Some(sibling), line),
                emptied: None,
            }
        }
        Slot::After(sibling) => behind(file, parent, sibling, sibling),
        Slot::Last => {
            let last = std::iter::successors(file.last_child(parent), |node| file.previous(*node))
                .find(|node| !file.is_blank(*node));
            match last {
                Some(last) => {
                    let in_line = std::iter::successors(Some(last), |node| file.previous(*node))
                        .find(|node| file.is_element(*node) && line_of(file, *node).is_some());
                    let mixed = matches!(file.kind(last), NodeKind::Text | NodeKind::CData);
                    let model = if mixed { last } else { in_line.unwrap_or(last) };
                    behind(file, parent, last, model)
                }
                None => into_empty(file, parent),
            }
        }
    }
}

/// The place behind `sibling`, and behind a comment on the same line; it looks like `model`.
fn behind(file: &Document, parent: NodeId, sibling: NodeId, model: NodeId) -> Gap {
    let line = line_of(file, model);
    let mut previous = sibling;
    let mut next = file.next(sibling);
    while let Some(node) = next {
        let breaks = breaks(file, node);
        match file.kind(node) {
            NodeKind::Text if file.is_blank(node) && !breaks => {}
            NodeKind::Comment if !breaks => previous = node,
            NodeKind::Document
            | NodeKind::Element(_)
            | NodeKind::Text
            | NodeKind::CData
            | NodeKind::Comment
            | NodeKind::Instruction => break,
        }
        next = file.next(node);
    }
    // The line that is there keeps its end, and the new one has the same.
    let mut line = line;
    let end = next
        .filter(|node| file.is_blank(*node))
        .and_then(|node| first_end(file.slice(file.range(node))));
    if let (Some(line), Some(end)) = (&mut line, end) {
        end.clone_into(&mut line.end);
    }
    let before = lead(line.as_ref());
    let neighbour = file.is_element(model).then_some(model);
    Gap {
        before,
        behind: String::new(),
        previous: Some(previous),
        style: style(file, parent, neighbour, line),
        emptied: None,
    }
}

/// The place in an element without content.
fn into_empty(file: &Document, parent: NodeId) -> Gap {
    let around = line_of_parent(file, parent);
    let unit = unit(file, parent);
    let inside = around.as_ref().map(|line| Line {
        end: line.end.clone(),
        indent: format!("{}{unit}", line.indent),
    });
    let blank = file.first_child(parent);
    let breaks = blank.is_some_and(|node| breaks(file, node));
    Gap {
        before: lead(inside.as_ref()),
        behind: if breaks {
            String::new()
        } else {
            lead(around.as_ref())
        },
        previous: None,
        style: style(file, parent, None, inside),
        emptied: blank.filter(|_| !breaks),
    }
}

/// Removes a node; when it had lines of its own, they go with it. Returns the bytes of the file that went.
pub(super) fn remove(file: &mut Document, node: NodeId) -> std::ops::Range<usize> {
    let mut gone = file.range(node);
    let before = blanks(file, node, Document::previous);
    let behind = blanks(file, node, Document::next);
    let begins = before.last().is_some_and(|node| breaks(file, *node));
    let last_behind = behind.last().copied();
    let ends = last_behind.is_some_and(|node| breaks(file, node));
    let at_end = !ends
        && last_behind
            .map_or(file.next(node), |last| file.next(last))
            .is_none();
    if begins && (ends || at_end) {
        for (index, node) in before.iter().rev().enumerate() {
            let is_last = index == 0;
            let range = file.range(*node);
            let text = file.slice(range.clone());
            let mut kept = if is_last {
                text.rfind(['\n', '\r']).map_or(0, |at| at + 1)
            } else {
                0
            };
            if is_last && at_end {
                // Nothing follows in the parent: the line end before it goes instead of the one behind it.
                let text = text.cut(..kept);
                let without = text
                    .strip_suffix("\r\n")
                    .or_else(|| text.strip_suffix(['\n', '\r']));
                kept = without.map_or(0, str::len);
            }
            gone.start = gone.start.min(range.start + kept);
            file.cut_text(*node, range.start..range.start + kept);
        }
        for (index, node) in behind.iter().enumerate() {
            let range = file.range(*node);
            let is_last = index + 1 == behind.len();
            let cut = if is_last {
                line_end_behind(file.slice(range.clone()))
            } else {
                None
            };
            let cut = cut.unwrap_or(range.len());
            if range.end <= file.file_length() {
                gone.end = gone.end.max(range.start + cut);
            }
            file.cut_text(*node, range.start + cut..range.end);
        }
    }
    file.detach(node);
    gone
}

fn breaks(file: &Document, node: NodeId) -> bool {
    file.slice(file.range(node)).contains(['\n', '\r'])
}

/// The texts of blanks beside a node, up to the first that holds a line end.
fn blanks(file: &Document, node: NodeId, step: impl Fn(&Document, NodeId) -> Option<NodeId>) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut next = step(file, node);
    while let Some(blank) = next.filter(|node| file.is_blank(*node)) {
        found.push(blank);
        if breaks(file, blank) {
            break;
        }
        next = step(file, blank);
    }
    found
}

/// The first line end of a text.
fn first_end(text: &str) -> Option<&str> {
    let rest = text.get(text.find(['\n', '\r'])?..)?;
    rest.get(..if rest.starts_with("\r\n") { 2 } else { 1 })
}

/// Where the first line of a text of blanks ends, behind its line end.
fn line_end_behind(text: &str) -> Option<usize> {
    Some(text.find(['\n', '\r'])? + first_end(text)?.len())
}
