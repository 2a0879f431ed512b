//! YAML text to a spanned tree.
//!
//! A deliberately small YAML: one document, mappings with text keys, sequences, scalars, anchors and aliases. Tags,
//! merge keys and directives are refused, because readers disagree about them. Everything that can go wrong here is
//! reported with its place and, where the structure allows it, reading goes on. This module must not know what the
//! inventory means; the type of a plain scalar is decided later, when its field is known.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError};

use super::removed::{self, Removed};
use super::value::{Entry, Map, Node, ValueKind};
use super::{Subject, comments, repeats, slips, syntax};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// Deepest nesting, aliases expanded. Bounds every recursion over a tree.
pub(super) const MAX_DEPTH: usize = 64;

/// Most nodes of one file, aliases expanded; about 100,000 servers.
pub(super) const MAX_NODES: u64 = 2_000_000;

/// The key that merges in YAML 1.1.
pub(super) const MERGE: &str = "<<";

/// What was read of a file.
pub(super) struct Parsed {
    /// The tree; `None` when the file holds no value.
    pub(super) root: Option<Node>,
    /// Whether reading reached the end of the file: only then a missing key is really missing.
    pub(super) complete: bool,
    /// Values in it, aliases expanded.
    pub(super) nodes: u64,
}

/// Reads one text, which is blank before `from` when something before it cannot be read. Findings go into `diagnostics`; the number is a
/// place behind which the text may be read on, when its syntax ends the reading.
pub(super) fn parse(
    diagnostics: &mut Diagnostics,
    file: FileId,
    text: &str,
    from: usize,
    removed: &[Removed],
    subject: Subject,
) -> (Parsed, Option<usize>) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options.emit_unresolved_aliases = true;
    options.disallow_directives = true;
    let mut reader = Reader {
        diagnostics,
        file,
        text,
        from,
        removed,
        subject,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        documents: 0,
        nodes: 0,
        last_was_scalar: false,
        spoiled_at: None,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let resume = reader.syntax_error(&error);
                return (reader.give_up(), resume);
            }
        };
        let tag = span.tag_span().and_then(|tag| tag.byte_range());
        let bytes = span.byte_range().unwrap_or_default();
        if !reader.event(event, bytes.clone(), tag) || reader.diagnostics.count() >= super::MAX_FINDINGS {
            return (reader.give_up(), None);
        }
        if reader.nodes > MAX_NODES {
            let span = reader.span(bytes);
            reader.too_many(span);
            return (reader.give_up(), None);
        }
    }
    let parsed = Parsed {
        nodes: reader.nodes,
        root: reader.root,
        complete: true,
    };
    (parsed, None)
}

/// Bytes of a text that weigh as much as one value: aliases of a long text fill the memory as aliases of many values do.
const BYTES_OF_A_VALUE: usize = 64;

/// A finished value on its way into its parent.
struct Built {
    node: Node,
    /// Nodes in it, aliases expanded.
    size: u64,
    /// Levels below it, aliases expanded.
    depth: usize,
}

impl Built {
    fn new(span: Span, kind: ValueKind, size: u64, depth: usize) -> Self {
        let node = Node::new(span, kind);
        Self { node, size, depth }
    }
}

/// A collection whose end has not been read.
struct Frame {
    start: usize,
    anchor: usize,
    size: u64,
    depth: usize,
    content: Content,
    /// Whether what was written here is something else than was meant; it was reported, and nothing more is said.
    spoiled: bool,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: PendingKey },
}

enum PendingKey {
    None,
    Known(String, Span),
    /// Already reported; its value is dropped.
    Refused,
    /// `<<`, already reported; it stays as a key without a value, as what it would bring is not missing.
    Merge(Span),
}

/// An anchored value. `Arc` because aliases share it.
struct Anchored {
    node: Arc<Node>,
    size: u64,
    depth: usize,
}

struct Reader<'a> {
    diagnostics: &'a mut Diagnostics,
    file: FileId,
    text: &'a str,
    /// Where the text begins that is not blank.
    from: usize,
    removed: &'a [Removed],
    subject: Subject,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    root: Option<Node>,
    documents: usize,
    nodes: u64,
    last_was_scalar: bool,
    /// Where what spoils a collection was written.
    spoiled_at: Option<usize>,
}

impl Reader<'_> {
    /// Takes one event; `false` means that reading must stop.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
    fn event(&mut self, event: Event<'_>, bytes: Range<usize>, tag: Option<Range<usize>>) -> bool {
        self.last_was_scalar = false;
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let at = bytes.start..(bytes.start + 3).min(self.text.len());
                    self.report(
                        Diagnostic::new(codes::SECOND_DOCUMENT, "a second YAML document begins here")
                            .at(self.span(at))
                            .note("everything below `---` would be ignored")
                            .help(
                                "remove the `---` line, or move the second document into a file of its own",
                            ),
                    );
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, has_tag) => {
                let tag = has_tag.map(|_| tag.unwrap_or_else(|| bytes.clone()));
                self.scalar(&text, style, anchor, bytes, tag);
                self.last_was_scalar = true;
            }
            Event::SequenceStart(_, anchor, has_tag) => {
                let tag = has_tag.map(|_| tag.unwrap_or_else(|| bytes.clone()));
                return self.open(bytes.start, anchor, tag, Content::List(Vec::new()));
            }
            Event::MappingStart(_, anchor, has_tag) => {
                let tag = has_tag.map(|_| tag.unwrap_or_else(|| bytes.clone()));
                let (entries, key) = (Vec::new(), PendingKey::None);
                return self.open(bytes.start, anchor, tag, Content::Map { entries, key });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(bytes.end),
            Event::Alias(anchor) => return self.alias(anchor, bytes),
            Event::UnresolvedAlias(name) => {
                let span = self.span(bytes);
                // What is merged is refused already, and an anchor may stand in what could not be read.
                if self.merges() || self.from > 0 {
                    self.refused(span);
                    return true;
                }
                self.report(syntax::no_anchor(&name).at(span));
                self.refused(span);
            }
            // `Event` is open for extension; every kind that can carry a value is handled above.
            _ => {}
        }
        true
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        bytes: Range<usize>,
        tag: Option<Range<usize>>,
    ) {
        let span = self.span(bytes.clone());
        let is_absent = style == ScalarStyle::Plain && span.start == span.end;
        let written = if is_absent { "" } else { text };
        let cut =
            comments::cut(self.file, self.text, written, bytes.end).filter(|_| style == ScalarStyle::Plain);
        let is_told = is_absent && cut.is_some();
        if let Some(finding) = cut {
            self.report(finding);
        }
        let kind = if is_told {
            ValueKind::Refused
        } else if text.len() > syntax::LONGEST_VALUE {
            self.report(syntax::too_long(text.len(), span));
            ValueKind::Refused
        } else if let Some(tag) = tag {
            self.tag(tag);
            ValueKind::Refused
        } else if style != ScalarStyle::Plain && self.refuse_characters(text, style, span) {
            ValueKind::Refused
        } else if style == ScalarStyle::Plain {
            ValueKind::Plain(written.to_owned())
        } else {
            ValueKind::Text(text.to_owned())
        };
        let size = 1 + u64::try_from(text.len() / BYTES_OF_A_VALUE).unwrap_or(u64::MAX);
        self.finish(Built::new(span, kind, size, 0), anchor);
    }

    /// Characters that escapes make: `"C:\temp"` holds a tab.
    fn refuse_characters(&mut self, text: &str, style: ScalarStyle, span: Span) -> bool {
        let body = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => text.trim_end_matches('\n'),
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => text,
        };
        let Some((character, why)) = body.chars().find_map(|character| {
            super::characters::forbidden_in_value(character).map(|why| (character, why))
        }) else {
            return false;
        };
        let mut finding = Diagnostic::new(
            codes::FORBIDDEN_CHARACTER,
            format!("this text holds {}, {why}", super::characters::name(character)),
        )
        .at(span);
        finding = if style == ScalarStyle::DoubleQuoted {
            finding
                .note("between double quotes YAML reads `\\` and the letter behind it as an escape: `\"C:\\temp\"` holds a tab")
                .help("write Windows paths between single quotes: 'C:\\temp'")
        } else {
            finding.help("write the text in one line")
        };
        self.report(finding);
        true
    }

    fn tag(&mut self, bytes: Range<usize>) {
        self.report(syntax::tag(self.subject).at(self.span(bytes)));
    }

    fn open(&mut self, start: usize, anchor: usize, tag: Option<Range<usize>>, content: Content) -> bool {
        if let Some(tag) = tag {
            self.tag(tag);
        }
        if self.stack.len() >= MAX_DEPTH {
            self.too_deep(start..start + 1);
            return false;
        }
        self.stack.push(Frame {
            start,
            anchor,
            size: 1,
            depth: 0,
            content,
            spoiled: false,
        });
        true
    }

    fn close(&mut self, end: usize) {
        let Some(frame) = self.stack.pop() else {
            return;
        };
        let span = self.span(frame.start..end.max(frame.start));
        let (size, depth) = (frame.size, frame.depth + 1);
        let kind = match frame.content {
            _ if frame.spoiled => ValueKind::Refused,
            Content::List(items) => ValueKind::List(items),
            Content::Map { entries, .. } => {
                let again = if self.stack.is_empty() {
                    None
                } else {
                    repeats::written_again(&entries)
                };
                match again {
                    None => ValueKind::Map(Map::new(repeats::without_duplicates(self.diagnostics, entries))),
                    Some(starts) if self.is_in_a_list() => {
                        repeats::report_items(self.diagnostics, &entries, &starts);
                        let items = repeats::split(entries, &starts);
                        return self.split(items, span, frame.anchor, size, depth);
                    }
                    Some(starts) => {
                        repeats::report_section(self.diagnostics, &entries, &starts);
                        ValueKind::Refused
                    }
                }
            }
        };
        self.finish(Built::new(span, kind, size, depth), frame.anchor);
    }

    /// The collection that is being read.
    fn innermost(&self) -> Option<&Content> {
        self.stack.last().map(|frame| &frame.content)
    }

    fn is_in_a_list(&self) -> bool {
        matches!(self.innermost(), Some(Content::List(_)))
    }

    /// Hands items over that have no `-`; an anchor belongs to the first.
    fn split(&mut self, items: Vec<Vec<Entry>>, span: Span, anchor: usize, size: u64, depth: usize) {
        for (index, entries) in items.into_iter().enumerate() {
            let span = entries.first().map_or(span, |entry| entry.key_span);
            let kind = ValueKind::Map(Map::new(repeats::without_duplicates(self.diagnostics, entries)));
            let built = Built::new(span, kind, size, depth);
            self.finish(built, if index == 0 { anchor } else { 0 });
        }
    }

    fn alias(&mut self, anchor: usize, bytes: Range<usize>) -> bool {
        let span = self.span(bytes.clone());
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.report(
                Diagnostic::new(codes::YAML_ALIAS, "this alias stands inside its own anchor")
                    .at(span)
                    .note("the value would contain itself without end")
                    .help("move the anchor to a smaller value, or write the value out"),
            );
            self.refused(span);
            return true;
        };
        let shared = ValueKind::Shared(Arc::clone(&anchored.node));
        let built = Built::new(span, shared, anchored.size, anchored.depth);
        if self.nodes.saturating_add(built.size) > MAX_NODES {
            self.too_many(span);
            return false;
        }
        if self.stack.len() + built.depth > MAX_DEPTH {
            self.too_deep(bytes);
            return false;
        }
        self.finish(built, 0);
        true
    }

    fn refused(&mut self, span: Span) {
        self.finish(Built::new(span, ValueKind::Refused, 1, 0), 0);
    }

    /// Hands a finished value to its parent.
    fn finish(&mut self, built: Built, anchor: usize) {
        let is_shared = matches!(built.node.kind, ValueKind::Shared(_));
        self.nodes = self.nodes.saturating_add(if is_shared { built.size } else { 1 });
        let Built { node, size, depth } = built;
        let node = if anchor == 0 {
            node
        } else {
            let (span, shared) = (node.span, Arc::new(node));
            let node = Arc::clone(&shared);
            self.anchors.insert(anchor, Anchored { node, size, depth });
            Node::new(span, ValueKind::Shared(shared))
        };
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.size = frame.size.saturating_add(size);
        frame.depth = frame.depth.max(depth);
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key } => match std::mem::replace(key, PendingKey::None) {
                PendingKey::Known(key, key_span) => entries.push(Entry {
                    key,
                    key_span,
                    value: node,
                }),
                PendingKey::Refused => {}
                PendingKey::Merge(key_span) => entries.push(Entry {
                    key: MERGE.to_owned(),
                    key_span,
                    value: Node::new(key_span, ValueKind::Refused),
                }),
                PendingKey::None => {
                    let accepted = self.accept_key(node);
                    if let Some(Frame {
                        content: Content::Map { key, .. },
                        ..
                    }) = self.stack.last_mut()
                    {
                        *key = accepted;
                    }
                }
            },
        }
    }

    /// Whether the next value is one to merge.
    fn merges(&self) -> bool {
        let merge = |key: &PendingKey| matches!(key, PendingKey::Merge(_));
        matches!(self.innermost(), Some(Content::Map { key, .. }) if merge(key))
    }

    fn accept_key(&mut self, node: Node) -> PendingKey {
        let span = node.span;
        match node.kind {
            ValueKind::Plain(text) if text == MERGE => {
                self.report(syntax::merge_key(self.subject).at(span));
                PendingKey::Merge(span)
            }
            ValueKind::Plain(text) if slips::is_dash_without_blank(&text) => {
                if !self.stack.iter().any(|frame| frame.spoiled) {
                    let end = span.start + 1;
                    self.report(syntax::dash_without_blank().at(Span { end, ..span }));
                    self.spoiled_at = usize::try_from(span.start).ok();
                }
                if let Some(frame) = self.stack.last_mut() {
                    frame.spoiled = true;
                }
                PendingKey::Refused
            }
            ValueKind::Plain(text) | ValueKind::Text(text) if !text.is_empty() => {
                PendingKey::Known(text, span)
            }
            ValueKind::Refused => PendingKey::Refused,
            ValueKind::Plain(_)
            | ValueKind::Text(_)
            | ValueKind::List(_)
            | ValueKind::Map(_)
            | ValueKind::Shared(_) => {
                self.report(syntax::key_not_text(self.subject).at(span));
                PendingKey::Refused
            }
        }
    }

    fn too_many(&mut self, span: Span) {
        self.report(syntax::too_many(MAX_NODES, self.subject).at(span));
    }

    fn too_deep(&mut self, bytes: Range<usize>) {
        let span = self.span(bytes);
        self.report(syntax::too_deep(MAX_DEPTH, self.subject).at(span));
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
    fn syntax_error(&mut self, error: &ScanError) -> Option<usize> {
        let start = error.marker().byte_offset().unwrap_or(self.text.len());
        // One cause, one finding: what is spoiled was reported, and the error only follows from it.
        if self.stack.iter().any(|frame| frame.spoiled) {
            return self.spoiled_at;
        }
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            self.too_deep(start..start + 1);
            return None;
        }
        let span = self.span(start..start + 1);
        if let Some((finding, made)) = self.slip(error, start, span) {
            self.report(finding);
            return Some(made.min(start));
        }
        let mut finding = syntax::explain(error).at(span);
        let quote = match error.kind() {
            ErrorKind::InvalidTrailingSingleQuotedScalar => Some('\''),
            ErrorKind::InvalidTrailingDoubleQuotedScalar => Some('"'),
            _ => None,
        };
        if let Some(opening) = quote.and_then(|quote| slips::odd_quote_above(self.text, start, quote)) {
            finding = finding.related(self.span(opening), "this quote may not be closed");
        }
        self.report(finding);
        Some(start)
    }

    /// The finding about what was written wrong before the parser noticed it, and where that was.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
    fn slip(&mut self, error: &ScanError, start: usize, span: Span) -> Option<(Diagnostic, usize)> {
        let text = self.text;
        let is_tab = syntax::explain(error).code == codes::YAML_TAB;
        let tab = if is_tab {
            slips::tab(text, start)
        } else {
            slips::tab_of_line(text, start)
        };
        if let Some(tab) = tab {
            return Some((syntax::tab().at(self.span(tab.clone())), tab.start));
        }
        if let Some((bracket, open)) = slips::open_bracket(text, start) {
            for frame in &mut self.stack {
                frame.spoiled |= frame.start >= bracket.start;
            }
            let finding = syntax::never_closed(open)
                .at(self.span(bracket.clone()))
                .related(span, "YAML still reads what stands between the brackets here");
            return Some((finding, bracket.start));
        }
        let found = text.get(start..).and_then(|rest| rest.chars().next());
        if matches!(error.kind(), ErrorKind::MappingValueNotAllowed)
            && let Some((dash, key)) = slips::dash_left_of_its_key(text, start)
        {
            // The key of the list was read as one without a value.
            if let Some(Content::List(items)) = self.stack.last_mut().map(|frame| &mut frame.content)
                && let Some(item) = items.iter_mut().rfind(|item| item.entries().is_some())
            {
                item.refuse_last();
            }
            let finding = syntax::dash_left_of_its_key()
                .at(self.span(dash.clone()))
                .related(self.span(key), "the key of the list");
            return Some((finding, dash.start));
        }
        match error.kind() {
            ErrorKind::MisplacedFlowCollectionEnd => {
                found.map(|close| (syntax::closes_nothing(close).at(span), start))
            }
            ErrorKind::MappingValueNotAllowed if slips::line_without_colon(text, start).is_some() => {
                let above = slips::line_without_colon(text, start)?;
                let finding = syntax::missing_colon()
                    .at(self.span(above.clone()))
                    .related(span, "so YAML reads on here, and this colon comes too late");
                Some((finding, above.start))
            }
            ErrorKind::ExpectedBlockSequenceEntry => {
                let dash = slips::dash_without_blank(text, start)?;
                Some((syntax::dash_without_blank().at(self.span(dash)), start))
            }
            ErrorKind::ExpectedBlockMappingKey if found == Some('-') => {
                // The items before it were read as the keys of one section.
                let Content::Map { entries, .. } = &mut self.stack.last_mut()?.content else {
                    return None;
                };
                let section = &mut entries.last_mut()?.value;
                let first = section.entries()?.first()?.key_span;
                section.kind = ValueKind::Refused;
                let finding = syntax::first_dash_missing()
                    .at(first)
                    .related(span, "another item of the list begins here");
                Some((finding, start))
            }
            kind => syntax::slip(kind, text, start)
                .map(|(finding, place)| (finding.at(self.span(place.clone())), place.start)),
        }
    }

    /// The tree as far as it was read. The last scalar may be half a value, so it is dropped.
    fn give_up(mut self) -> Parsed {
        if self.last_was_scalar
            && let Some(frame) = self.stack.last_mut()
        {
            match &mut frame.content {
                Content::List(items) => {
                    items.pop();
                }
                Content::Map { entries, key } => {
                    if matches!(key, PendingKey::None) {
                        entries.pop();
                    }
                }
            }
        }
        while let Some(frame) = self.stack.last_mut() {
            let end = frame.start;
            if let Content::Map { key, .. } = &mut frame.content {
                *key = PendingKey::None;
            }
            self.close_partial(end);
        }
        Parsed {
            nodes: self.nodes,
            root: self.root,
            complete: false,
        }
    }

    /// Closes a collection that has no end; one that would become a key is dropped.
    fn close_partial(&mut self, end: usize) {
        let parent = self.stack.len().checked_sub(2).and_then(|at| self.stack.get(at));
        let awaits_key = |key: &PendingKey| matches!(key, PendingKey::None);
        let is_key =
            parent.is_some_and(|frame| matches!(&frame.content, Content::Map { key, .. } if awaits_key(key)));
        if is_key {
            self.stack.pop();
        } else {
            self.close(end);
        }
    }

    fn report(&mut self, finding: Diagnostic) {
        self.diagnostics.push(finding);
    }

    /// A span clipped to its first line.
    fn span(&self, bytes: Range<usize>) -> Span {
        let start = slips::floor(self.text, bytes.start);
        let end = slips::floor(self.text, bytes.end.max(start));
        let line = self
            .text
            .get(start..end)
            .and_then(|range| range.lines().next())
            .map_or(0, |line| line.trim_end().len());
        let rest = if line == 0 && end > start {
            end - start
        } else {
            line
        };
        let end = start + rest.min(end - start);
        Span::new(
            self.file,
            removed::place(self.removed, start)..removed::place(self.removed, end),
        )
    }
}
