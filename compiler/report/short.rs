//! `--message-format short`: `path:line:column: error[CB0102]: message`, the form editors parse.

use crate::diag::Diagnostic;
use crate::source::Sources;

use super::{TextRange, file_name, visible};

/// One line with its line feed. Without a place there is only the path, without a path only the message.
pub(super) fn render(sources: &Sources, finding: &Diagnostic) -> String {
    let place = match TextRange::of_primary(sources, finding) {
        Some(place) => format!("{}:{}:{}: ", visible(&place.file), place.line, place.column),
        None => match file_name(sources, finding) {
            Some(name) => format!("{}: ", visible(name)),
            None => String::new(),
        },
    };
    format!(
        "{place}{}[{}]: {}\n",
        finding.severity.word(),
        finding.code.id(),
        visible(&finding.message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::source::Span;

    #[test]
    fn one_line_each() {
        let mut sources = Sources::new();
        let file = sources.add("inventories/a.yaml", "äb: 1\nfqnd: x\n");
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "unknown\nkey `fqnd`").at(Span::new(file, 7..11));
        assert_eq!(
            render(&sources, &finding),
            "inventories/a.yaml:2:1: error[CB0201]: unknown␊key `fqnd`\n"
        );
        let finding = Diagnostic::new(codes::UNREADABLE_FILE, "gone").in_file("b.yaml");
        assert_eq!(render(&sources, &finding), "b.yaml: error[CB0001]: gone\n");
        let finding = Diagnostic::new(codes::UNREADABLE_FILE, "gone");
        assert_eq!(render(&sources, &finding), "error[CB0001]: gone\n");
    }
}
