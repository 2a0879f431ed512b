//! One run: where text goes, what was found so far, and how the run ends.
//!
//! Results go to standard output, everything else to standard error. A reader that goes away (`cbgen schema | head`)
//! ends the output quietly; any other failure to write is a failure of the run.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};

use crate::codes::{Code, Meaning, Severity};
use crate::diag::{Diagnostic, Diagnostics};
use crate::files::{DiskFiles, Files as _};
use crate::report::{Counts, MessageFormat, Reporter, look_alikes};
use crate::source::Sources;

use super::args::{Color, Deny, Global};
use super::exit::Exit;

/// The state of one run.
pub(super) struct Session {
    reporter: Reporter,
    color: ColorChoice,
    deny_warnings: bool,
    quiet: bool,
    /// Where diagnostics go instead of standard error, and those so far.
    message_file: Option<PathBuf>,
    messages: String,
    /// Findings in files that several subjects share: each is said once.
    said: BTreeSet<(Code, String, usize, usize, String)>,
    /// Errors that are printed behind the warnings of all subjects; `None` where each is printed at once.
    held: Option<Vec<Held>>,
    exit: Exit,
}

/// What is printed later.
enum Held {
    /// Diagnostics.
    Messages(String),
    /// The summary of a subject.
    Headline(Severity, String),
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
            quiet: global.quiet,
            message_file: global.message_file.clone(),
            messages: String::new(),
            said: BTreeSet::new(),
            held: None,
            exit: Exit::Clean,
        }
    }

    /// Whether messages are for a person, so that progress may be shown.
    pub(super) fn is_for_people(&self) -> bool {
        self.reporter.format() == MessageFormat::Human && !self.quiet
    }

    /// Treats something as an error that the command line did not name.
    pub(super) fn deny(&mut self, what: Deny) {
        self.deny_warnings |= what == Deny::Warnings;
    }

    /// From here on errors wait until [`Session::release`] or the end of the run: they are read last, where the cursor is,
    /// however many inventories there are.
    pub(super) fn hold_errors(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Prints the errors that waited.
    pub(super) fn release(&mut self) {
        for held in self.held.take().unwrap_or_default() {
            match held {
                Held::Messages(text) => self.message(&text),
                Held::Headline(severity, text) => self.headline(severity, &text),
            }
        }
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

    /// Writes text about the run that is no diagnostic: to standard error, else, when diagnostics for programs go there, to
    /// standard output; nowhere when the answer there is for programs too.
    pub(super) fn remark(&mut self, text: &str, answer_is_text: bool) {
        if self.reporter.format() == MessageFormat::Human || self.message_file.is_some() {
            self.note(text);
        } else if answer_is_text {
            self.print(text);
        }
    }

    /// Writes diagnostics where they belong.
    fn message(&mut self, text: &str) {
        if self.message_file.is_some() {
            self.messages.push_str(text);
        } else {
            self.note(text);
        }
    }

    /// The same, of errors, which may have to wait.
    fn error_message(&mut self, text: String) {
        match &mut self.held {
            Some(held) => held.push(Held::Messages(text)),
            None => self.message(&text),
        }
    }

    /// Writes `error: text` or `warning: text` to standard error, for people only.
    pub(super) fn headline(&self, severity: Severity, text: &str) {
        if severity == Severity::Error || !self.quiet {
            self.note(&self.reporter.headline(severity, text));
        }
    }

    /// Prints the findings about `subject`, with a summary for people, and raises the exit code accordingly.
    /// Gives what it counted.
    pub(super) fn report(&mut self, subject: &str, sources: &Sources, diagnostics: &Diagnostics) -> Counts {
        let mut findings = diagnostics.sorted(sources);
        for finding in &mut findings {
            look_alikes::name(sources, finding);
        }
        self.raise(self.exit_for(&findings));
        let mut counts = Counts::of(&findings);
        if self.quiet {
            findings.retain(|finding| finding.severity == Severity::Error);
            if counts.errors == 0 && self.deny_warnings {
                self.denied(counts, Some(subject));
            }
            counts.warnings = 0;
        }
        let all = findings.len();
        findings.retain(|finding| self.is_new(subject, sources, finding));
        let before = match all - findings.len() {
            0 => String::new(),
            before => format!(", {before} said before"),
        };
        // What stops the run is read last, where the cursor is.
        let (errors, warnings): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|finding| finding.severity == Severity::Error);
        let text = self.reporter.add(sources, &warnings);
        self.message(&text);
        let text = self.reporter.add(sources, &errors);
        self.error_message(text);
        if let (Some(severity), Some(sentence)) = (counts.severity(), counts.sentence()) {
            let text = format!("{sentence} in {subject}{before}");
            match &mut self.held {
                Some(held) if severity == Severity::Error => held.push(Held::Headline(severity, text)),
                Some(_) | None => self.headline(severity, &text),
            }
        }
        counts
    }

    /// Says why the run fails where the warnings that are denied are not printed themselves.
    fn denied(&self, counts: Counts, subject: Option<&str>) {
        let place = subject.map_or_else(String::new, |subject| format!(" in {subject}"));
        if let Some(sentence) = counts.sentence() {
            let text = format!("{sentence}{place}, and warnings are denied; without `-q` they are printed");
            self.headline(Severity::Error, &text);
        }
    }

    /// Whether a finding was not said before: a mistake in a layer is one mistake, however many inventories extend it.
    fn is_new(&mut self, subject: &str, sources: &Sources, finding: &Diagnostic) -> bool {
        let place = finding
            .primary
            .as_ref()
            .and_then(|label| sources.locate(label.span));
        let (name, line, column) = match place {
            Some((name, position)) => (name, position.line, position.column),
            None => (finding.file.as_deref().unwrap_or(subject), 0, 0),
        };
        let place = (
            finding.code,
            name.to_owned(),
            line,
            column,
            finding.message.clone(),
        );
        // What is wrong in the subject itself is not said before; of what it shares with others it may be the first.
        let is_first = self.said.insert(place);
        is_first || name == subject
    }

    /// Prints one finding that belongs to no source text.
    pub(super) fn report_alone(&mut self, finding: Diagnostic) {
        self.raise(self.exit_for(std::slice::from_ref(&finding)));
        if self.quiet && finding.severity == Severity::Warning {
            if self.deny_warnings {
                self.denied(Counts::of(std::slice::from_ref(&finding)), None);
            }
            return;
        }
        let is_error = finding.severity == Severity::Error;
        let text = self.reporter.add(&Sources::new(), &[finding]);
        if is_error {
            self.error_message(text);
        } else {
            self.message(&text);
        }
    }

    /// Prints findings about files that are no source texts.
    pub(super) fn report_files(&mut self, subject: &str, findings: Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new();
        for finding in findings {
            diagnostics.push(finding);
        }
        self.report(subject, &Sources::new(), &diagnostics);
    }

    /// Tells why a command could not do its work.
    pub(super) fn fail(&mut self, finding: Diagnostic) {
        self.report_alone(finding);
        self.raise(Exit::Failure);
    }

    /// Ends the run.
    pub(super) fn finish(mut self) -> Exit {
        self.release();
        let text = self.reporter.finish();
        self.message(&text);
        if let Some(file) = self.message_file.take() {
            // Colours belong to terminals.
            let text = anstream::adapter::strip_str(&self.messages).to_string();
            if let Err(error) = DiskFiles::new("").write(&file, text.as_bytes()) {
                self.raise(Exit::Failure);
                let text = format!("`{}` cannot be written: {error}", crate::files::shown(&file));
                self.note(&self.reporter.headline(Severity::Error, &text));
            }
        }
        self.exit
    }

    fn exit_for(&self, findings: &[Diagnostic]) -> Exit {
        let exit = |finding: &Diagnostic| match finding.severity {
            Severity::Error if finding.code.meaning() == Meaning::Failure => Exit::Failure,
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
    use crate::codes;

    fn check(code: Code, severity: Severity, deny: Option<Deny>, expected: Exit) {
        let session = Session::new(&Global {
            message_format: MessageFormatArgument::Short,
            message_file: None,
            quiet: false,
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
        check(codes::NOT_UTF8, Severity::Error, None, Exit::Findings);
        check(codes::UNREADABLE_FILE, Severity::Error, None, Exit::Failure);
        check(codes::UNREADABLE_FILE, Severity::Warning, deny, Exit::Findings);
    }
}
