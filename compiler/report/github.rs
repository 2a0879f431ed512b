//! `--message-format github`: workflow commands that GitHub shows as annotations of a pull request.
//!
//! Source: "Workflow commands for GitHub Actions", setting an error message. Escaping as in `@actions/core`
//! (`command.ts`): `%`, CR and LF in the message; also `:` and `,` in a property.

use crate::diag::Diagnostic;
use crate::source::Sources;

use super::{TextRange, file_name, is_hidden, push_advice, push_visible};

/// One command with its line feed. The remedy follows the message, because nothing else of a finding is shown there.
pub(super) fn render(sources: &Sources, finding: &Diagnostic) -> String {
    let mut properties = Vec::new();
    if let Some(name) = file_name(sources, finding) {
        properties.push(format!("file={}", property(name)));
    }
    if let Some(place) = TextRange::of_primary(sources, finding) {
        properties.push(format!("line={}", place.line));
        properties.push(format!("col={}", place.column));
        properties.push(format!("endLine={}", place.end_line));
        // GitHub ignores columns of a range over several lines, and wants the last column, not the one behind it.
        if place.end_line == place.line {
            let last = place.end_column.saturating_sub(1).max(place.column);
            properties.push(format!("endColumn={last}"));
        }
    }
    let title = format!("{}: {}", finding.code.id(), finding.code.title());
    properties.push(format!("title={}", property(&title)));

    let mut text = finding.message.clone();
    push_advice(&mut text, finding);
    format!(
        "::{} {}::{}\n",
        finding.severity.word(),
        properties.join(","),
        escape(&text, "")
    )
}

fn property(text: &str) -> String {
    escape(text, ":,")
}

/// Percent-escapes `%`, CR, LF and the characters of `also`; every other hidden character is made visible, since the
/// raw log is read in terminals too.
fn escape(text: &str, also: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            ':' if also.contains(':') => escaped.push_str("%3A"),
            ',' if also.contains(',') => escaped.push_str("%2C"),
            _ if is_hidden(character) => push_visible(&mut escaped, character),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::source::Span;

    #[test]
    fn commands_escape_what_would_end_them() {
        let mut sources = Sources::new();
        let file = sources.add("in,ventories/100%:a.yaml", "fqnd: x\n");
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "100 % `fqnd`::error::\r\n\u{1b}")
            .at(Span::new(file, 0..4))
            .help("did you mean `fqdn`?");
        assert_eq!(
            render(&sources, &finding),
            "::error file=in%2Cventories/100%25%3Aa.yaml,line=1,col=1,endLine=1,endColumn=4,\
             title=CB0201%3A unknown key::100 %25 `fqnd`::error::%0D%0A␛%0Ahelp: did you mean `fqdn`?\n"
        );
    }

    #[test]
    fn a_warning_without_a_place_is_still_a_command() {
        let mut finding = Diagnostic::new(codes::UNREADABLE_FILE, "gone");
        finding.severity = crate::codes::Severity::Warning;
        let text = render(&Sources::new(), &finding);
        assert!(text.starts_with("::warning title=CB0001%3A "), "{text}");
    }
}
