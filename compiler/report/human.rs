//! `--message-format human`: the look of rustc, through annotate-snippets. The only file that names that crate.
//!
//! The crate never gets a whole source text: it indexes what it is given, so a window of a few lines is cut out for
//! each place, long lines are cut around the place, and everything a terminal could act on is made visible first.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::codes::Severity;
use crate::diag::Diagnostic;
use crate::marks::WINDOW_PATH;
use crate::source::{SourceFile, Sources};

use super::{TextRange, file_name, labels, push_visible, visible, visible_lines};

/// Places in one file that are at most this many lines apart share a window.
const JOIN_LINES: usize = 4;
/// A place over more lines is shown by its first line only.
const LONGEST_PLACE: usize = 5;
/// A window never grows beyond this many lines by joining.
const LONGEST_WINDOW: usize = 16;
/// Characters kept before and behind the start of a place in a line that is too long to show.
const KEEP_BEFORE: usize = 50;
const KEEP_BEHIND: usize = 100;

/// A finding with its source lines, followed by an empty line.
pub(super) fn render(sources: &Sources, finding: &Diagnostic, styled: bool) -> String {
    let mut group = level(finding.severity)
        .primary_title(visible(&finding.message).into_owned())
        .id(finding.code.id())
        .elements(Vec::<Origin<'_>>::new());
    let mut headers = Vec::new();
    if finding.redact {
        group = without_lines(group, sources, finding);
    } else {
        for window in windows(sources, finding) {
            let placeholder = format!("{WINDOW_PATH}{}{WINDOW_PATH}", headers.len());
            group = group.element(window.snippet.path(placeholder));
            headers.push(window.header);
        }
    }
    if finding.primary.is_none()
        && let Some(name) = file_name(sources, finding)
    {
        group = group.element(Origin::path(visible(name).into_owned()));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(visible_lines(note)));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(visible_lines(help)));
    }
    let mut text = with_headers(&renderer(styled).render(&[group]), &headers);
    text.push_str("\n\n");
    text
}

/// Puts `path:line:column` where the renderer wrote a placeholder and the column it knows, which is the column in the
/// cut line, not in the file.
fn with_headers(rendered: &str, headers: &[String]) -> String {
    let mut parts = rendered.split(WINDOW_PATH);
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let (Some(index), Some(rest)) = (parts.next(), parts.next()) {
        let header = index.parse().ok().and_then(|index: usize| headers.get(index));
        text.push_str(header.map_or("", String::as_str));
        text.push_str(
            rest.trim_start_matches(|character: char| character == ':' || character.is_ascii_digit()),
        );
    }
    text
}

/// `error: text`, with a line feed.
pub(super) fn headline(severity: Severity, text: &str, styled: bool) -> String {
    let title = level(severity).primary_title(visible(text).into_owned());
    let mut line = renderer(styled).render(&[Group::with_title(title)]);
    line.push('\n');
    line
}

fn renderer(styled: bool) -> Renderer {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    // Fixed, so that the same finding is the same text on every terminal; lines are already cut to fit.
    renderer.term_width(KEEP_BEFORE + KEEP_BEHIND + 20)
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    }
}

/// The places of a finding by position only: labels become notes.
fn without_lines<'a>(mut group: Group<'a>, sources: &Sources, finding: &Diagnostic) -> Group<'a> {
    for label in labels(finding) {
        if let Some(place) = TextRange::of(sources, label.span) {
            let origin = Origin::path(visible(&place.file).into_owned());
            group = group.element(origin.line(place.line).char_column(place.column));
        }
        if !label.text.is_empty() {
            group = group.element(Level::NOTE.message(visible_lines(&label.text)));
        }
    }
    group.element(Level::NOTE.message("the line is not shown, because it may hold a secret"))
}

/// One cut of a file with the places it shows.
struct Excerpt {
    /// `path:line:column` of its first place.
    header: String,
    snippet: Snippet<'static, annotate_snippets::Annotation<'static>>,
}

/// A place with the lines it will be shown on.
struct Mark<'a> {
    file: &'a SourceFile,
    lines: Range<usize>,
    range: Range<usize>,
    text: &'a str,
    primary: bool,
}

fn windows(sources: &Sources, finding: &Diagnostic) -> Vec<Excerpt> {
    let mut groups: Vec<Vec<Mark<'_>>> = Vec::new();
    for (index, label) in labels(finding).enumerate() {
        let Some(file) = sources.get(label.span.file) else {
            continue;
        };
        let primary = index == 0 && finding.primary.is_some();
        let mark = Mark::new(file, label.span.range(), &label.text, primary);
        match groups.iter_mut().find(|group| joins(group, &mark)) {
            Some(group) => group.push(mark),
            None => groups.push(vec![mark]),
        }
    }
    groups.iter().filter_map(|group| window(group)).collect()
}

impl<'a> Mark<'a> {
    fn new(file: &'a SourceFile, range: Range<usize>, text: &'a str, primary: bool) -> Self {
        // The place of a YAML block runs to the next token: white space behind the last character is not shown.
        let marked = file.text().get(range.clone()).unwrap_or_default();
        let end = match marked.trim_end().len() {
            0 => range.end.max(range.start),
            length => range.start + length,
        };
        let first = file.position(range.start).line;
        let last = file.position(end).line;
        let (last, end) = if last - first < LONGEST_PLACE {
            (last, end)
        } else {
            (first, file.line_range(first).map_or(end, |line| line.end))
        };
        Self {
            file,
            lines: first..last + 1,
            range: range.start..end.max(range.start),
            text,
            primary,
        }
    }
}

fn joins(group: &[Mark<'_>], mark: &Mark<'_>) -> bool {
    let Some(first) = group.first() else {
        return false;
    };
    let lines = extent(group);
    std::ptr::eq(first.file, mark.file)
        && mark.lines.start <= lines.end + JOIN_LINES
        && lines.start <= mark.lines.end + JOIN_LINES
        && lines.end.max(mark.lines.end) - lines.start.min(mark.lines.start) <= LONGEST_WINDOW
}

fn extent(group: &[Mark<'_>]) -> Range<usize> {
    let start = group.iter().map(|mark| mark.lines.start).min().unwrap_or(1);
    let end = group.iter().map(|mark| mark.lines.end).max().unwrap_or(start);
    start..end
}

fn window(group: &[Mark<'_>]) -> Option<Excerpt> {
    let leading = group.first()?;
    let file = leading.file;
    let lines = extent(group);
    let mut text = String::new();
    let mut shown: Vec<Range<usize>> = vec![0..0; group.len()];
    for number in lines.clone() {
        let range = file.line_range(number)?;
        let line = file.text().get(range.clone())?;
        let starts = group.iter().map(|mark| mark.range.start);
        let focus = starts.filter(|start| range.contains(start)).min();
        let cut = Cut::new(line, focus.map_or(0, |start| start - range.start), text.len());
        for (mark, shown) in group.iter().zip(&mut shown) {
            if mark.lines.start == number {
                shown.start = cut.offset(mark.range.start.saturating_sub(range.start));
            }
            if mark.lines.end == number + 1 {
                shown.end = cut.offset(mark.range.end.saturating_sub(range.start));
            }
        }
        text.push_str(&cut.text);
        text.push('\n');
    }
    let start = file.position(leading.range.start);
    let annotations = group.iter().zip(shown).map(|(mark, shown)| {
        let kind = if mark.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let label = (!mark.text.is_empty()).then(|| visible(mark.text).into_owned());
        kind.span(shown.start..shown.end.max(shown.start)).label(label)
    });
    Some(Excerpt {
        header: format!("{}:{}:{}", visible(file.name()), start.line, start.column),
        snippet: Snippet::source(text)
            .line_start(lines.start)
            .annotations(annotations.collect::<Vec<_>>()),
    })
}

/// A source line as shown, with the offsets its characters moved to.
struct Cut {
    text: String,
    /// Byte offset in the line, byte offset in the window; one entry per kept character and one for the end.
    moved: Vec<(usize, usize)>,
}

impl Cut {
    /// Keeps the part of `line` around the byte offset `focus`. Looks at no more than it keeps.
    fn new(line: &str, focus: usize, base: usize) -> Self {
        let before = line.get(..focus).unwrap_or(line);
        let behind = line.get(focus..).unwrap_or("");
        let (mut from, mut to) = (0, line.len());
        if line.len() > KEEP_BEFORE + KEEP_BEHIND {
            let mut back = before.char_indices().rev();
            from = back.nth(KEEP_BEFORE - 1).map_or(0, |(at, _)| at);
            let kept = KEEP_BEHIND + KEEP_BEFORE.saturating_sub(focus);
            let end = behind.char_indices().nth(kept);
            to = end.map_or(line.len(), |(at, _)| before.len() + at);
        }

        let mut text = String::new();
        let mut moved = Vec::new();
        if from > 0 {
            text.push('…');
        }
        for (at, character) in line.get(from..to).unwrap_or("").char_indices() {
            moved.push((from + at, base + text.len()));
            if character == '\t' {
                text.push_str("    ");
            } else {
                push_visible(&mut text, character);
            }
        }
        moved.push((to, base + text.len()));
        if to < line.len() {
            text.push('…');
        }
        Self { text, moved }
    }

    /// Where the character at byte `offset` of the line stands in the window; the nearest kept one when it is cut.
    fn offset(&self, offset: usize) -> usize {
        let next = self.moved.partition_point(|(from, _)| *from < offset);
        let entry = self.moved.get(next).or(self.moved.last());
        entry.map_or(0, |(_, to)| *to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::source::Span;

    fn check(sources: &Sources, finding: &Diagnostic, expected: &str) {
        let found = render(sources, finding, false);
        assert_eq!(found, expected, "\n{found}");
    }

    #[test]
    fn looks_like_rustc() {
        let mut sources = Sources::new();
        let base = sources.add("shared/base.yaml", "a: 1\nproxy:\n  fqdn: a.example\n");
        let text = format!("{}servers:\n  - name: A\n    fqnd: ä\n", "# text\n".repeat(97));
        let start = text.find("fqnd").expect("in the text");
        let file = sources.add("inventories/a.yaml", text);
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "unknown key `fqnd`")
            .at_with(Span::new(file, start..start + 4), "not a key of a server")
            .related(Span::new(base, 14..18), "as it is written here")
            .note("keys are case-sensitive")
            .help("did you mean `fqdn`?");
        check(
            &sources,
            &finding,
            "\
error[CB0201]: unknown key `fqnd`
   --> inventories/a.yaml:100:5
    |
100 |     fqnd: ä
    |     ^^^^ not a key of a server
    |
   ::: shared/base.yaml:3:3
    |
  3 |   fqdn: a.example
    |   ---- as it is written here
    |
    = note: keys are case-sensitive
    = help: did you mean `fqdn`?

",
        );
    }

    #[test]
    fn hostile_lines_are_cut_and_shown() {
        let mut sources = Sources::new();
        let text = format!(
            "key: \"{}\u{1b}]0;x\u{7}\u{202e}bad{}\"\n",
            "ä".repeat(5000),
            "b".repeat(5000)
        );
        let start = text.find("bad").expect("in the text");
        let file = sources.add("a\u{1b}.yaml", text);
        let span = Span::new(file, start..start + 3);
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "evil \u{1b}[2J").at(span);
        let before = "ä".repeat(43);
        let behind = "b".repeat(97);
        check(
            &sources,
            &finding,
            &format!(
                "\
error[CB0201]: evil ␛[2J
 --> a␛.yaml:1:5014
  |
1 | …{before}␛]0;x␇<U+202E>bad{behind}…
  |                                                           ^^^

"
            ),
        );
        // The label of a place that runs beyond the cut ends with the cut.
        let span = Span::new(file, 5..15_000);
        let text = render(
            &sources,
            &Diagnostic::new(codes::UNKNOWN_KEY, "long").at(span),
            false,
        );
        assert!(text.lines().all(|line| line.chars().count() < 180), "{text}");
        assert!(text.contains("1 | key: \"ä"), "{text}");
    }

    #[test]
    fn every_place_can_be_shown() {
        let text = "a: 1\r\nb:\t日本\n\n  - x\nend";
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text);
        let empty = sources.add("empty.yaml", "");
        for start in 0..=text.len() + 2 {
            for end in start..=text.len() + 2 {
                let finding = Diagnostic::new(codes::UNKNOWN_KEY, "m")
                    .at_with(Span::new(file, start..end), "here")
                    .related(Span::new(file, 0..1), "there");
                let found = render(&sources, &finding, false);
                assert!(
                    found.contains("here") && found.contains("there"),
                    "{start}..{end}\n{found}"
                );
            }
        }
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "m").at_with(Span::new(empty, 0..0), "here");
        assert!(render(&sources, &finding, false).contains("--> empty.yaml:1:1"));
    }

    #[test]
    fn near_places_share_a_window_and_far_ones_do_not() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "k: v\n".repeat(100));
        let at = |line: usize| Span::new(file, (line - 1) * 5..(line - 1) * 5 + 1);
        let render_two = |first, second| {
            let finding = Diagnostic::new(codes::UNKNOWN_KEY, "m").at(at(first));
            render(&sources, &finding.related(at(second), "first here"), false)
        };
        assert_eq!(render_two(13, 10).matches("a.yaml").count(), 1);
        let far = render_two(90, 10);
        assert!(
            far.contains("--> a.yaml:90:1") && far.contains("::: a.yaml:10:1"),
            "{far}"
        );
        // A place over many lines is shown by its first one.
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "m").at(Span::new(file, 50..400));
        assert!(render(&sources, &finding, false).lines().count() < 8);
    }

    #[test]
    fn a_finding_without_a_place_names_its_file() {
        let finding = Diagnostic::new(codes::UNREADABLE_FILE, "gone")
            .in_file("b.yaml")
            .help("look");
        check(
            &Sources::new(),
            &finding,
            "error[CB0001]: gone\n--> b.yaml\n = help: look\n\n",
        );
    }

    #[test]
    fn a_redacted_finding_shows_no_line() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "password: hunter2\n");
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "m").at_with(Span::new(file, 10..17), "a literal");
        let group = Level::ERROR.primary_title("m").elements(Vec::<Origin<'_>>::new());
        let group = without_lines(group, &sources, &finding);
        let text = renderer(false).render(&[group]);
        assert!(
            !text.contains("hunter2") && text.contains("--> a.yaml:1:11"),
            "{text}"
        );
        assert!(text.contains("a literal"), "{text}");
    }
}
