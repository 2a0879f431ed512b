//! `--message-format json`: one object a line (JSON Lines), every key always present.

use serde::Serialize;
use serde_json::json;

use crate::diag::Diagnostic;
use crate::json;
use crate::source::Sources;

use super::{TextRange, escape_hidden, file_name};

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: TextRange,
}

/// One object with its line feed. Columns count Unicode scalar values from 1; the end is exclusive.
pub(super) fn render(sources: &Sources, finding: &Diagnostic) -> String {
    let place = TextRange::of_primary(sources, finding);
    let label = finding.primary.as_ref().map(|label| label.text.as_str());
    let related = finding.related.iter().filter_map(|label| {
        Some(Related {
            message: &label.text,
            place: TextRange::of(sources, label.span)?,
        })
    });
    let place = place.as_ref();
    let object = json!({
        "code": finding.code.id(),
        "severity": finding.severity.word(),
        "message": finding.message,
        "file": file_name(sources, finding),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "end_line": place.map(|place| place.end_line),
        "end_column": place.map(|place| place.end_column),
        "label": label.filter(|text| !text.is_empty()),
        "help": finding.help,
        "notes": finding.notes,
        "related": related.collect::<Vec<_>>(),
    });
    escape_hidden(&json::compact(&object)) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::source::Span;

    #[test]
    fn every_key_is_present() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "ä: {fqnd: x}\n");
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "unknown key `fqnd`\u{1b}")
            .at(Span::new(file, 5..9))
            .related(Span::new(file, 0..2), "inside this")
            .note("a fact")
            .help("did you mean `fqdn`?");
        assert_eq!(
            render(&sources, &finding),
            concat!(
                r#"{"code":"CB0201","severity":"error","message":"unknown key `fqnd`\u001b","#,
                r#""file":"a.yaml","line":1,"column":5,"end_line":1,"end_column":9,"label":null,"#,
                r#""help":"did you mean `fqdn`?","notes":["a fact"],"#,
                r#""related":[{"message":"inside this","file":"a.yaml","line":1,"column":1,"end_line":1,"#,
                r#""end_column":2}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_finding_without_a_place_has_nulls() {
        let finding = Diagnostic::new(codes::UNREADABLE_FILE, "gone").in_file("b.yaml");
        let text = render(&Sources::new(), &finding);
        assert!(text.contains(r#""file":"b.yaml","line":null"#), "{text}");
    }
}
