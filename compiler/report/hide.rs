//! The last look at findings before they are printed: no text in them may be what looks like a secret.
//!
//! The phases hide what they know to be secret. This file hides what they could not know: a line that another finding
//! quotes, a value in a message, an encoded password in an unexpected place. It must not know any phase.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Label, redact_line};
use crate::secrets;
use crate::source::{FileId, Sources, Span};

/// What is printed instead of a text that may hold a secret.
const HIDDEN: &str = "(not shown: it may hold a secret)";

/// What advice writes where the author writes a name: `password: { secret: NAME }`.
const PLACEHOLDER: &str = "NAME";

/// Findings without secrets; their lines are judged once each, since a file may be one long line with many findings.
#[derive(Debug, Default)]
pub(super) struct Hider {
    judged: BTreeMap<(FileId, usize), Judgement>,
}

/// What may be shown of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    /// Everything.
    Whole,
    /// What [`redact_line`] leaves.
    Redacted,
    /// Nothing.
    Nothing,
}

impl Hider {
    /// The finding as it may be printed.
    pub(super) fn hide(&mut self, sources: &Sources, finding: &Diagnostic) -> Diagnostic {
        let mut shown = finding.clone();
        let worst = |labels: &mut dyn Iterator<Item = &Label>, hider: &mut Self| {
            let judgements = labels.map(|label| hider.judge(sources, label.span));
            let mut worst = Judgement::Whole;
            for judgement in judgements {
                worst = match (worst, judgement) {
                    (Judgement::Nothing, _) | (_, Judgement::Nothing) => Judgement::Nothing,
                    (Judgement::Redacted, _) | (_, Judgement::Redacted) => Judgement::Redacted,
                    (Judgement::Whole, Judgement::Whole) => Judgement::Whole,
                };
            }
            worst
        };
        match worst(&mut finding.primary.iter().chain(&finding.related), self) {
            Judgement::Whole => {}
            Judgement::Redacted => shown.redact = true,
            Judgement::Nothing => {
                let place = finding
                    .primary
                    .as_ref()
                    .and_then(|label| sources.locate(label.span));
                if let Some((name, position)) = place {
                    shown.file = Some(name.to_owned());
                    shown.notes.push(format!(
                        "line {} is not shown: it may hold a secret",
                        position.line
                    ));
                }
                shown.primary = None;
                shown.related.clear();
            }
        }
        if is_secret(&shown.message) {
            finding.code.title().clone_into(&mut shown.message);
        }
        for text in shown.notes.iter_mut().chain(shown.help.as_mut()) {
            hide_text(text);
        }
        for label in shown.primary.iter_mut().chain(&mut shown.related) {
            hide_text(&mut label.text);
        }
        shown
    }

    fn judge(&mut self, sources: &Sources, span: Span) -> Judgement {
        let Some(file) = sources.get(span.file) else {
            return Judgement::Whole;
        };
        let range = span.range();
        let (first, last) = (file.position(range.start).line, file.position(range.end).line);
        let mut worst = Judgement::Whole;
        // A label over many lines shows the first and the last of them.
        for line in [first, last] {
            let judgement = *self
                .judged
                .entry((span.file, line))
                .or_insert_with(|| match file.line(line) {
                    Some(text) if is_secret(&redact_line(text)) => Judgement::Nothing,
                    Some(text) if is_secret(text) => Judgement::Redacted,
                    Some(_) | None => Judgement::Whole,
                });
            if judgement != Judgement::Whole && worst != Judgement::Nothing {
                worst = judgement;
            }
        }
        worst
    }
}

fn hide_text(text: &mut String) {
    if is_secret(text) {
        HIDDEN.clone_into(text);
    }
}

fn is_secret(text: &str) -> bool {
    !secrets::scan(text, &[PLACEHOLDER]).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    /// Message, notes and whether the source is hidden, of a finding about the first line of `text`.
    fn check(text: &str, message: &str, note: &str) -> (String, Vec<String>, bool, bool) {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text);
        let finding = Diagnostic::new(codes::WRONG_FORM, message)
            .at(Span::new(file, 0..1))
            .note(note);
        let shown = Hider::default().hide(&sources, &finding);
        (shown.message, shown.notes, shown.redact, shown.primary.is_some())
    }

    #[test]
    fn findings_without_secrets_stay_as_they_are() {
        let plain = ("`x` is wrong".to_owned(), vec!["why".to_owned()], false, true);
        assert_eq!(check("key: value\n", "`x` is wrong", "why"), plain);
        let advice = "write `password: { secret: NAME }`";
        assert_eq!(check("key: value\n", "m", advice).1, [advice]);
    }

    #[test]
    fn lines_messages_and_notes_with_secrets_are_hidden() {
        let (_, _, redacted, has_place) = check("driver: Password=hunter22\n", "m", "n");
        assert!(redacted && has_place);
        let (_, _, redacted, _) = check("driver: UGFzc3dvcmQ9aHVudGVyMjI=\n", "m", "n");
        assert!(redacted);
        let (_, _, _, has_place) = check("UGFzc3dvcmQ9aHVudGVyMjI=: x\n", "m", "n");
        assert!(!has_place);
        let (message, notes, ..) = check(
            "k: v\n",
            "`Password=hunter22` is wrong",
            "it is Password=hunter22",
        );
        assert_eq!(message, codes::WRONG_FORM.title());
        assert_eq!(notes, [HIDDEN]);
    }
}
