//! Self-contained HTML pages, written so that an XML parser and a browser read the same thing.
//!
//! The runbook page is opened on servers without a network, so it may not load anything. This file must not know what a
//! page is about.

use std::ops::Range;

use super::{Collector, Cut as _, FactPath, Form, FormatError, Item, Step, text};

const DOCTYPE: &str = "<!doctype html>\n";

/// Elements that never have content; browsers ignore `/>` on any other element and go on inside it.
const VOID: &[&str] = &["br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// Elements whose text is one item.
const BLOCKS: &[&str] = &[
    "button",
    "caption",
    "dd",
    "dt",
    "figcaption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "label",
    "li",
    "p",
    "pre",
    "script",
    "style",
    "summary",
    "text",
    "title",
    "tr",
];

/// Attributes that name something a browser loads, or goes to.
const REFERENCES: &[&str] = &[
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "manifest",
    "ping",
    "poster",
    "src",
    "srcset",
];

/// Elements that bring content from elsewhere.
const FOREIGN: &[&str] = &[
    "applet", "base", "embed", "frame", "iframe", "link", "object", "portal",
];

/// Words of a script that reach the network or run text.
const SCRIPT_WORDS: &[&str] = &[
    "fetch(",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "sendBeacon",
    "importScripts",
    "import(",
    "import ",
    "eval(",
    "Function(",
    "document.write",
    "http:",
    "https:",
];

/// Text between tags: `&`, `<`, `>` and quotes as references.
pub fn html_text(value: &str) -> Result<String, FormatError> {
    text::written(value, write_text)
}

/// Appends [`html_text`] of `value`.
pub(super) fn write_text(value: &str, written: &mut String) -> Result<(), FormatError> {
    text::refuse_invisible(value)?;
    let mut copied = 0;
    for (offset, byte) in value.bytes().enumerate() {
        let reference = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        written.push_str(value.cut(copied..offset));
        written.push_str(reference);
        copied = offset + 1;
    }
    written.push_str(value.cut(copied..));
    Ok(())
}

/// The inside of a quoted attribute; the quotes are the template's.
pub fn html_attr(value: &str) -> Result<String, FormatError> {
    html_text(value)
}

/// The default: safe between tags and inside quoted attributes.
pub fn escape(value: &str) -> Result<String, FormatError> {
    html_text(value)
}

/// Reads a page.
///
/// It must start with `<!doctype html>`, be well-formed XML after that, close every element that is not void with its
/// own tag, and load nothing: no reference but `#…`, relative links of `a`, and `data:` images.
///
/// Items are the texts of headings, paragraphs, list items, table rows and the like by heading path.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    read(text, Collector::items())
}

/// Reads a page for its mistakes only.
pub(super) fn check(text: &str) -> Result<(), Vec<FormatError>> {
    read(text, Collector::nothing()).map(drop)
}

fn read(text: &str, collector: Collector) -> Result<Vec<Item>, Vec<FormatError>> {
    let Some(body) = text.strip_prefix(DOCTYPE) else {
        return Err(vec![FormatError::new(
            0..0,
            "the page must start with a line `<!doctype html>`",
        )]);
    };
    let shift = DOCTYPE.len();
    let document = match roxmltree::Document::parse(body) {
        Ok(document) => document,
        Err(error) => {
            let position = error.pos();
            let start = shift + offset_of(body, position.row, position.col);
            let message = error.to_string();
            let message = message.split(" at ").next().unwrap_or(&message);
            return Err(vec![FormatError::new(
                start..start,
                format!("not well-formed: {message}"),
            )]);
        }
    };
    let mut page = Page {
        body,
        shift,
        collector,
        ..Page::default()
    };
    if !document.root_element().has_tag_name("html") {
        page.refuse(
            document.root_element().range(),
            "the outermost element must be `html`",
        );
    }
    let mut taken = 0;
    for node in document.root().descendants() {
        if node.is_pi() {
            page.refuse(node.range(), "a processing instruction is a comment to a browser");
        }
        if node.is_element() {
            page.element(node);
        }
        // What is left is for items only.
        if page.collector.kept.is_none() || node.range().start < taken {
            continue;
        }
        if node.is_element() && BLOCKS.contains(&node.tag_name().name()) {
            taken = node.range().end;
            page.block(node);
        } else if node.is_text() && node.text().is_some_and(|text| !text.trim().is_empty()) {
            page.item(
                "text",
                text::squeeze(node.text().unwrap_or_default()),
                node.range(),
            );
        }
    }
    page.collector.finish(page.errors)
}

#[derive(Default)]
struct Page<'a> {
    body: &'a str,
    shift: usize,
    errors: Vec<FormatError>,
    collector: Collector,
    /// The headings above.
    place: FactPath,
    counter: usize,
    svg_end: usize,
}

impl Page<'_> {
    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(
            range.start + self.shift..range.end + self.shift,
            message,
        ));
    }

    fn item(&mut self, kind: &str, value: String, range: Range<usize>) {
        self.counter += 1;
        self.collector.add(|| Item {
            path: self
                .place
                .child(Step::new(Form::Block, kind).numbered(self.counter)),
            value,
            range: range.start + self.shift..range.end + self.shift,
        });
    }

    fn block(&mut self, node: roxmltree::Node<'_, '_>) {
        let name = node.tag_name().name();
        let words = |node: roxmltree::Node<'_, '_>| -> String {
            let parts: String = node
                .descendants()
                .filter(roxmltree::Node::is_text)
                .filter_map(|inner| inner.text())
                .collect();
            text::squeeze(&parts)
        };
        if let Some(level) = name.strip_prefix('h').and_then(|digit| digit.parse().ok()) {
            self.place = self.place.next_heading(level, &words(node));
            self.counter = 0;
            self.collector.add(|| Item {
                path: self.place.clone(),
                value: name.to_owned(),
                range: node.range().start + self.shift..node.range().end + self.shift,
            });
            return;
        }
        let value = if name == "tr" {
            let cells: Vec<String> = node
                .children()
                .filter(roxmltree::Node::is_element)
                .map(words)
                .collect();
            cells.join(" | ")
        } else {
            words(node)
        };
        self.item(if name == "tr" { "row" } else { name }, value, node.range());
    }

    fn element(&mut self, node: roxmltree::Node<'_, '_>) {
        let name = node.tag_name().name();
        let source = self.body.get(node.range()).unwrap_or_default();
        if name.bytes().any(|b| b.is_ascii_uppercase()) && node.tag_name().namespace().is_none() {
            self.refuse(
                node.range(),
                format!("the element `{name}` must be written in lower case"),
            );
        }
        let is_void = VOID.contains(&name);
        if name == "svg" {
            self.svg_end = self.svg_end.max(node.range().end);
        }
        let in_svg = node.range().start < self.svg_end;
        if !is_void && !in_svg && source.ends_with("/>") && !node.has_children() {
            self.refuse(
                node.range(),
                format!("browsers read `<{name}/>` as an open tag; write `<{name}></{name}>`"),
            );
        }
        if is_void && !in_svg && !source.ends_with("/>") {
            self.refuse(
                node.range(),
                format!("`{name}` has no end tag in HTML; write `<{name}/>`"),
            );
        }
        if FOREIGN.contains(&name) {
            self.refuse(
                node.range(),
                format!("`{name}` brings content from elsewhere; the page must stand alone"),
            );
        }
        if name == "meta"
            && node
                .attribute("http-equiv")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("refresh"))
        {
            self.refuse(node.range(), "`meta` must not send the reader elsewhere");
        }
        if name == "script" || name == "style" {
            self.raw(node, name, source);
        }
        for attribute in node.attributes() {
            let key = attribute.name();
            let value = attribute.value();
            if key.starts_with("on") {
                self.refuse(
                    attribute.range(),
                    format!("the handler `{key}` belongs into a script"),
                );
            }
            if REFERENCES.contains(&key) && !is_local(name, key, value) {
                self.refuse(
                    attribute.range(),
                    format!(
                        "`{key}` must stay in the page (`#…`), be a relative link, or an image as `data:`"
                    ),
                );
            }
            if key == "style" && !is_local_style(value) {
                self.refuse(attribute.range(), "a style must not load anything");
            }
        }
    }

    /// Script and style: browsers do not read references inside, so `&` and `<` would mean two things.
    fn raw(&mut self, node: roxmltree::Node<'_, '_>, name: &str, source: &str) {
        let content = node.text().unwrap_or_default();
        let inner = source.split_once('>').map_or("", |(_, rest)| rest);
        let inner = inner.rsplit_once("</").map_or("", |(inner, _)| inner);
        if inner.contains(['&', '<']) {
            self.refuse(
                node.range(),
                format!("`&` and `<` in `{name}` mean one thing to browsers and another to XML"),
            );
        }
        if name == "style" && !is_local_style(content) {
            self.refuse(node.range(), "a style must not load anything");
        }
        if name == "script"
            && let Some(word) = SCRIPT_WORDS.iter().find(|word| content.contains(**word))
        {
            self.refuse(
                node.range(),
                format!("`{word}` is not allowed in a script of the page"),
            );
        }
    }
}

fn is_local(element: &str, key: &str, value: &str) -> bool {
    if value.starts_with('#') {
        return true;
    }
    if element == "img" && key == "src" {
        return value.starts_with("data:image/");
    }
    // A relative link: nothing that a browser could take for a scheme or a host, not even after dropping control
    // characters or reading `\` as `/`.
    element == "a"
        && key == "href"
        && !value.is_empty()
        && !value.starts_with(['/', '\\', '.'])
        && value
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b':' && b != b'\\')
}

/// Whether a style loads nothing: `url()` leads into the page or to `data:`, and no rule imports. `\` is refused because
/// it could spell any of these words in another way.
fn is_local_style(style: &str) -> bool {
    let folded = style.to_ascii_lowercase();
    let urls_stay = folded.match_indices("url(").all(|(start, word)| {
        let inside = folded.cut(start + word.len()..);
        let inside = inside.trim_start_matches([' ', '\'', '"']);
        inside.starts_with('#') || inside.starts_with("data:")
    });
    urls_stay
        && !["\\", "@import", "@namespace", "image-set(", "expression("]
            .iter()
            .any(|word| folded.contains(word))
}

fn offset_of(text: &str, row: u32, column: u32) -> usize {
    let Some((start, line)) = text::lines(text).nth(row.saturating_sub(1) as usize) else {
        return text.len();
    };
    line.char_indices()
        .nth(column.saturating_sub(1) as usize)
        .map_or(start + line.len(), |(offset, _)| start + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(body: &str) -> String {
        format!("<!doctype html>\n<html><body>{body}</body></html>\n")
    }

    fn check(body: &str, expected: &[&str]) {
        let got: Vec<String> = match items(&page(body)) {
            Ok(items) => items
                .into_iter()
                .map(|item| format!("{} = {}", item.path, item.value))
                .collect(),
            Err(errors) => errors.into_iter().map(|error| error.message).collect(),
        };
        assert_eq!(got, expected, "{body}");
    }

    #[test]
    fn texts_are_items_by_heading() {
        check(
            "<h1>A</h1><p>b  <b>c</b></p><h2>D</h2><table><tr><td>1</td><td>2</td></tr></table><h2>E</h2>x",
            &[
                "A = h1",
                "A > p 1 = b c",
                "A > D = h2",
                "A > D > row 1 = 1 | 2",
                "A > E = h2",
                "A > E > text 1 = x",
            ],
        );
        check("<p>a</p>\n  <ul><li>b</li></ul>", &["p 1 = a", "li 2 = b"]);
    }

    #[test]
    fn what_browsers_and_xml_read_differently_is_refused() {
        check(
            "<div/>",
            &["browsers read `<div/>` as an open tag; write `<div></div>`"],
        );
        check("<br></br>", &["`br` has no end tag in HTML; write `<br/>`"]);
        check(
            "<DIV></DIV>",
            &["the element `DIV` must be written in lower case"],
        );
        check(
            "<style>a &gt; b {}</style>",
            &["`&` and `<` in `style` mean one thing to browsers and another to XML"],
        );
        check("<?x y?>", &["a processing instruction is a comment to a browser"]);
        assert!(items("<html></html>").is_err());
        assert!(items(&page("<p>")).is_err());
        assert!(items(&page("&nbsp;")).is_err());
    }

    #[test]
    fn nothing_is_loaded() {
        let reference = "`href` must stay in the page (`#…`), be a relative link, or an image as `data:`";
        for bad in [
            "https://example.com/",
            "//example.com",
            "javascript:x",
            "/x",
            "a\\b",
            "java&#10;script:x",
            "",
        ] {
            check(&format!("<a href=\"{bad}\"></a>"), &[reference]);
        }
        check(
            "<a href=\"#x\">https://example.com</a>",
            &["text 1 = https://example.com"],
        );
        check("<a href=\"servers/MGMT01/nginx.conf\">x</a>", &["text 1 = x"]);
        for bad in [
            "<script src=\"x.js\"></script>",
            "<img src=\"x.png\"/>",
            "<link rel=\"stylesheet\" href=\"#x\"/>",
            "<iframe></iframe>",
            "<p style=\"background: url(x)\"></p>",
            "<style>@import 'x';</style>",
            "<style>a { background: URL( 'http://x' ) }</style>",
            "<script>fetch('x')</script>",
            "<p onclick=\"x\"></p>",
            "<meta http-equiv=\"Refresh\" content=\"0\"/>",
        ] {
            assert!(items(&page(bad)).is_err(), "{bad}");
        }
        for good in [
            "<style>@media print { a { color: red } }</style>",
            "<img src=\"data:image/png;base64,AA==\"/>",
            "<script>var a = 1;</script>",
            "<svg><rect/><use href=\"#a\"/></svg>",
        ] {
            assert!(items(&page(good)).is_ok(), "{good} {:?}", items(&page(good)));
        }
    }

    proptest! {
        #[test]
        fn printable_values_come_back_or_are_refused(value in "\\PC{0,20}") {
            if let Ok(escaped) = escape(&value) {
                let text = format!("<!doctype html>\n<html><p title=\"{escaped}\">{escaped}</p></html>");
                prop_assert!(items(&text).is_ok(), "{text} {:?}", items(&text));
                let document = roxmltree::Document::parse(text.strip_prefix(DOCTYPE).unwrap()).unwrap();
                let paragraph = document.root_element().first_element_child().unwrap();
                prop_assert_eq!(paragraph.text().unwrap_or_default(), &value);
                prop_assert_eq!(paragraph.attribute("title").unwrap(), &value);
            } else {
                prop_assert!(!value.chars().all(text::is_visible));
            }
        }
    }
}
