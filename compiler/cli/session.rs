//! One run: where text goes, what was found so far, and how the run ends.
//!
//! Results go to standard output, everything else to standard error. A reader that goes away (`cbgen schema | head`)
//! ends the output quietly; any other failure to write is a failure of the run.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::report::{Counts, MessageFormat, Reporter};
use crate::source::Sources;

use super::args::{Color, Deny, Global};
use super::exit::Exit;

/// Codes that mean the tool could not do its work, not that the input is wrong.
const FAILURES: &[codes::Code] = &[
    codes::UNREADABLE_FILE,
    codes::INPUT_IS_FOLDER,
    codes::OUTPUT_BUSY,
    codes::OUTPUT_FAILED,
    codes::HIDDEN_NAME_TAKEN,
    codes::PATTERN_WITHOUT_FILES,
    codes::NOT_AVAILABLE,
    codes::FILE_EXISTS,
    codes::UNKNOWN_CODE,
    codes::BUNDLE_UNREADABLE,
    codes::KEY_UNREADABLE,
    codes::KEY_LOCKED,
    codes::KEY_UNSUITED,
];

/// The state of one run.
pub(super) struct Session {
    reporter: Reporter,
    color: ColorChoice,
    deny_warnings: bool,
    exit: Exit,
}

impl Session {
    /// A session with the options of the command line.
    pub(super) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            // Styled always: the stream takes colours away where they do not belong.
            reporter: Reporter::new(global.message_format.into(), true),
            color,
            deny_warnings: global.deny == Some(Deny::Warnings),
            exit: Exit::Clean,
        }
    }

    /// Whether messages are for a person, so that progress may be shown.
    pub(super) fn is_for_people(&self) -> bool {
        self.reporter.format() == MessageFormat::Human
    }

    /// Raises the exit code.
    pub(super) fn raise(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    /// Writes a result to standard output.
    pub(super) fn print(&mut self, text: &str) {
        let mut stream = AutoStream::new(io::stdout(), self.color);
        let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.raise(Exit::Failure);
            self.headline(Severity::Error, &format!("standard output: {error}"));
        }
    }

    /// Writes text as it is to standard error, where nobody is left to tell when that fails.
    pub(super) fn note(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr(), self.color);
        drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
    }

    /// Writes `error: text` or `warning: text` to standard error, for people only.
    pub(super) fn headline(&self, severity: Severity, text: &str) {
        self.note(&self.reporter.headline(severity, text));
    }

    /// Prints the findings about `subject`, with a summary for people, and raises the exit code accordingly.
    /// Gives what it counted.
    pub(super) fn report(&mut self, subject: &str, sources: &Sources, diagnostics: &Diagnostics) -> Counts {
        let findings = diagnostics.sorted(sources);
        self.raise(self.exit_for(&findings));
        let text = self.reporter.add(sources, &findings);
        self.note(&text);
        let counts = Counts::of(&findings);
        if let (Some(severity), Some(sentence)) = (counts.severity(), counts.sentence()) {
            self.headline(severity, &format!("{sentence} in {subject}"));
        }
        counts
    }

    /// Prints one finding that belongs to no source text.
    pub(super) fn report_alone(&mut self, finding: Diagnostic) {
        self.raise(self.exit_for(std::slice::from_ref(&finding)));
        let text = self.reporter.add(&Sources::new(), &[finding]);
        self.note(&text);
    }

    /// Ends the run.
    pub(super) fn finish(mut self) -> Exit {
        let text = self.reporter.finish();
        self.note(&text);
        self.exit
    }

    fn exit_for(&self, findings: &[Diagnostic]) -> Exit {
        let exit = |finding: &Diagnostic| match finding.severity {
            Severity::Error if FAILURES.contains(&finding.code) => Exit::Failure,
            Severity::Error => Exit::Findings,
            Severity::Warning if self.deny_warnings => Exit::Findings,
            Severity::Warning => Exit::Clean,
        };
        findings.iter().map(exit).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::MessageFormatArgument;

    fn check(code: codes::Code, severity: Severity, deny: Option<Deny>, expected: Exit) {
        let session = Session::new(&Global {
            message_format: MessageFormatArgument::Short,
            color: Color::Never,
            deny,
        });
        let mut finding = Diagnostic::new(code, "m");
        finding.severity = severity;
        assert_eq!(session.exit_for(&[finding]), expected);
    }

    #[test]
    fn findings_decide_how_the_run_ends() {
        let deny = Some(Deny::Warnings);
        check(codes::UNKNOWN_KEY, Severity::Error, None, Exit::Findings);
        check(codes::UNKNOWN_KEY, Severity::Warning, None, Exit::Clean);
        check(codes::UNKNOWN_KEY, Severity::Warning, deny, Exit::Findings);
        check(codes::UNREADABLE_FILE, Severity::Error, None, Exit::Failure);
        check(codes::UNREADABLE_FILE, Severity::Warning, deny, Exit::Findings);
    }
}
