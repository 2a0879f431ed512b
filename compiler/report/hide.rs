//! The last look at findings before they are printed: no text in them may be what looks like a secret.
//!
//! The phases hide what they know to be secret. This file hides what they could not know: a line that another finding
//! quotes, a value in a message, an encoded password in an unexpected place. It must not know any phase.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::labels;
use crate::diag::Diagnostic;
use crate::formats::Cut as _;
use crate::secrets;
use crate::secrets::lines::{self, Guard};
use crate::source::{FileId, Sources, Span};

/// What is printed instead of a text that may hold a secret.
const HIDDEN: &str = "(not shown: it may hold a secret)";

/// What advice writes where the author writes a name: `password: { secret: NAME }`.
const PLACEHOLDER: &str = "NAME";

/// Findings without secrets; their lines are judged once each, since a file may be one long line with many findings.
#[derive(Debug, Default)]
pub(super) struct Hider {
    /// Whether nothing of a line may be shown.
    judged: BTreeMap<(FileId, usize), bool>,
    guards: BTreeMap<FileId, Vec<Guard>>,
}

/// Most lines below a key that are looked through for words of its secret.
const MOST_LINES: usize = 50;

/// Longest line that is judged; nothing of a longer one is shown.
const LONGEST_JUDGED: usize = 256 << 10;

/// Longest line that is looked through for words of a secret once for each finding.
const LONGEST_LINE: usize = 4096;

/// Most lines between two places of a finding that are shown with them.
const MOST_BETWEEN: usize = 40;

impl Hider {
    /// The finding as it may be printed.
    pub(super) fn hide(&mut self, sources: &Sources, finding: &Diagnostic) -> Diagnostic {
        let mut shown = finding.clone();
        // The place stays: whoever must take the secret away has to find it.
        if labels(finding).any(|label| self.hides(sources, label.span)) || self.between(sources, finding) {
            shown.redact = true;
        }
        let words = self.words(sources, finding);
        let is_secret = |text: &str| is_secret(text) || words.iter().any(|word| lines::repeats(text, word));
        if is_secret(&shown.message) {
            finding.code.title().clone_into(&mut shown.message);
        }
        let labels = shown.primary.iter_mut().chain(&mut shown.related);
        let texts = labels.map(|label| &mut label.text);
        for text in shown.notes.iter_mut().chain(shown.help.as_mut()).chain(texts) {
            if is_secret(text) {
                HIDDEN.clone_into(text);
            }
        }
        shown
    }

    fn guard(&mut self, sources: &Sources, file: FileId, line: usize) -> Guard {
        let guards = self.guards.entry(file).or_insert_with(|| {
            let file = sources.get(file);
            file.map_or_else(Vec::new, |file| lines::guards(file.text()))
        });
        line.checked_sub(1)
            .and_then(|line| guards.get(line))
            .copied()
            .unwrap_or(Guard::Open)
    }

    /// Whether a line between two places of a finding, which may be shown with them, belongs to a secret.
    fn between(&mut self, sources: &Sources, finding: &Diagnostic) -> bool {
        let spans = || labels(finding).map(|label| label.span);
        let Some(first) = spans().next().map(|span| span.file) else {
            return false;
        };
        let Some(file) = sources.get(first) else {
            return false;
        };
        let lines = spans().filter(|span| span.file == first).flat_map(|span| {
            let range = span.range();
            let start = file.position(range.start).line;
            let end = file.position(range.end).line;
            // Of a place over many lines the first one is shown.
            [start, if end - start <= MOST_BETWEEN { end } else { start }]
        });
        let (low, high) = lines.fold((usize::MAX, 0), |(low, high), line| {
            (low.min(line), high.max(line))
        });
        high.saturating_sub(low) <= MOST_BETWEEN
            && (low..=high).any(|line| {
                self.guard(sources, first, line) != Guard::Open
                    || high > low
                        && file
                            .line(line)
                            .is_some_and(|text| text.len() > LONGEST_JUDGED || is_secret(text))
            })
    }

    /// The words of the secrets a finding is about: no text of it may repeat one.
    fn words(&mut self, sources: &Sources, finding: &Diagnostic) -> Vec<String> {
        let mut words = Vec::new();
        for label in labels(finding) {
            let Some(file) = sources.get(label.span.file) else {
                continue;
            };
            let first = file.position(label.span.range().start).line;
            for line in first..first + MOST_LINES {
                let guard = self.guard(sources, label.span.file, line);
                let text = file.line(line).unwrap_or_default();
                let secret = match guard {
                    Guard::Behind(at) if line == first => text.get(at..).unwrap_or_default(),
                    Guard::Whole => text,
                    Guard::Open if line == first && text.len() <= LONGEST_LINE => {
                        words.extend(lines::suspect_words(text).map(str::to_owned));
                        break;
                    }
                    Guard::Behind(_) | Guard::Open => break,
                };
                words.extend(lines::words(secret).map(str::to_owned));
            }
        }
        words
    }

    /// Whether nothing of the lines at a place may be shown: a label over many lines shows the first and the last of them.
    fn hides(&mut self, sources: &Sources, span: Span) -> bool {
        let Some(file) = sources.get(span.file) else {
            return false;
        };
        [span.range().start, span.range().end].into_iter().any(|at| {
            let line = file.position(at).line;
            let guard = self.guard(sources, span.file, line);
            let judged = self.judged.entry((span.file, line));
            *judged.or_insert_with(|| {
                file.line(line).is_some_and(|text| {
                    text.len() > LONGEST_JUDGED || guard != Guard::Open || is_secret(text)
                })
            })
        })
    }
}

fn is_secret(text: &str) -> bool {
    !secrets::scan(&without_fingerprints(text), &[PLACEHOLDER]).is_empty()
}

/// The text without fingerprints of public keys, `SHA256:` and the 43 digits of a digest, which look like tokens.
fn without_fingerprints(text: &str) -> Cow<'_, str> {
    const MARK: &str = "SHA256:";
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(MARK);
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
            .count();
        rest.push_str(MARK);
        rest.push_str(if digits == 43 { part.cut(digits..) } else { part });
    }
    Cow::Owned(rest)
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
        let fingerprint = "signed by SHA256:67m6CHfwSpzYerwkI8S3zQCPn//hol/vcO6EDV+/l0A already";
        assert_eq!(check("key: value\n", fingerprint, "why").0, fingerprint);
        assert_eq!(check("key: value\n", "m", advice).1, [advice]);
    }

    #[test]
    fn nothing_of_a_value_below_a_secret_key_or_in_a_private_key_is_shown() {
        let (message, ..) = check("password: *hunter2Zq9\n", "there is no anchor `&hunter2Zq9`", "n");
        assert_eq!(message, codes::WRONG_FORM.title());
        let (message, notes, redacted, _) =
            check("password: {hunter2Zq9: 1}\n", "m", "`hunter2Zq9` is no key");
        assert_eq!(
            (message.as_str(), notes.as_slice(), redacted),
            ("m", [HIDDEN.to_owned()].as_slice(), true)
        );
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1\n";
        let (message, _, _, has_place) = check(key, "found `MIIEpAIBAA…`", "n");
        assert_eq!((message.as_str(), has_place), (codes::WRONG_FORM.title(), true));
        let inline = "change: '-----BEGIN RSA PRIVATE KEY----- MIIEpAIBAAKC'\n";
        let (message, _, redacted, _) =
            check(inline, "cannot be `-----BEGIN RSA PRIVATE KEY----- MIIEp…`", "n");
        assert_eq!((message.as_str(), redacted), (codes::WRONG_FORM.title(), true));
    }

    #[test]
    fn lines_messages_and_notes_with_secrets_are_hidden() {
        let (_, _, redacted, has_place) = check("driver: Password=hunter22\n", "m", "n");
        assert!(redacted && has_place);
        let (_, _, redacted, _) = check("driver: UGFzc3dvcmQ9aHVudGVyMjI=\n", "m", "n");
        assert!(redacted);
        let (_, _, redacted, has_place) = check("UGFzc3dvcmQ9aHVudGVyMjI=: x\n", "m", "n");
        assert!(redacted && has_place);
        let (message, notes, ..) = check(
            "k: v\n",
            "`Password=hunter22` is wrong",
            "it is Password=hunter22",
        );
        assert_eq!(message, codes::WRONG_FORM.title());
        assert_eq!(notes, [HIDDEN]);
        let longer = "SHA256:67m6CHfwSpzYerwkI8S3zQCPn//hol/vcO6EDV+/l0AX";
        assert_eq!(check("k: v\n", longer, "n").0, codes::WRONG_FORM.title());
    }
}
