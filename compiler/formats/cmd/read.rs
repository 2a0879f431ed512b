//! The strict reader of generated batch scripts; the rules are listed in the parent module.
//!
//! It works line by line on the text as written, because a script's meaning must not depend on what a variable holds:
//! `line.rs` says what a line says by itself, and this file what follows for the script. How cmd.exe splits a line is asked
//! from `phases.rs`. This file must not know any deployment.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::phases::{Percent, first_word, percent};
use super::{LONGEST_LINE, is_batch_file};
use crate::{Collector, Cut as _, Form, FormatError, Item, Step, characters};
use line::{Answer, Command, Consequence, Demand, LineKind, Start};
use words::{is_quoted, lower, single_blanks, stem, upper, without_quotes};

pub use line::KNOWN_VARIABLES;
pub use line::Line;

mod asking;
mod language;
mod line;
mod words;

/// Programs that may be named without a path.
const PROGRAMS: &[&str] = &[
    "appcmd",
    "attrib",
    "certutil",
    "erl",
    "fc",
    "find",
    "findstr",
    "hostname",
    "icacls",
    "iisreset",
    "net",
    "netsh",
    "nginx",
    "openssl",
    "ping",
    "powershell",
    "reg",
    "robocopy",
    "sc",
    "schtasks",
    "sqlcmd",
    "takeown",
    "taskkill",
    "tasklist",
    "timeout",
    "where",
    "whoami",
    "xcopy",
];

const FIRST_LINE: &str = "@echo off";
const SECOND_LINE: &str = "setlocal EnableExtensions DisableDelayedExpansion";

/// Reads a complete generated script; the rules stand at the top of the [module](super).
///
/// One item per command line. The path is the label, the number of the command below it, and the name of the command
/// (`FAILED > 02 exit`); before the first label it is `start`. The value is the rest of the line with single blanks, and
/// begins with the command as written where that says more than its name: a folder, or `call`. A label is an item too,
/// with itself as path and value, because moving it changes what a jump skips.
///
/// # Errors
/// Every violation of the rules, in the order of the lines.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    read(text, Collector::items())
}

/// Reads a complete generated script for its mistakes only.
pub(crate) fn check(text: &str) -> Result<(), Vec<FormatError>> {
    read(text, Collector::nothing()).map(drop)
}

fn read(text: &str, collector: Collector) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut script = Script::new(collector);
    for (written, range) in lines(text) {
        script.add(&Line::of(written), written, range);
    }
    script.finish(text.len())
}

/// The lines of a script without their line ends, and where they stand.
pub fn lines(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    characters::lines(text).map(|(start, line)| {
        let range = start..start + line.len();
        (line.strip_suffix('\r').unwrap_or(line), range)
    })
}

/// A script while its lines are read.
#[derive(Default)]
pub struct Script<'t> {
    errors: Vec<FormatError>,
    collector: Collector,
    /// Lines read so far that are not blank.
    lines: usize,
    /// Label the next command stands under, and commands under it so far.
    label: &'t str,
    below_label: usize,
    /// Labels in lower case.
    labels: BTreeSet<String>,
    /// Jumps: label in lower case and places.
    jumps: BTreeMap<String, Vec<Range<usize>>>,
    /// Variables that are set, in upper case, with their last value.
    variables: BTreeMap<String, String>,
    /// Files, as the script calls them, that hold what a program says in the language of Windows, and the program.
    spoken: BTreeMap<&'t str, String>,
    /// Variables that are used before they are set, in upper case.
    uses: Vec<(String, Range<usize>)>,
    /// A command whose failure the next line must handle.
    unchecked: Option<(Range<usize>, Answer)>,
    /// Whether the line before was `rem unchecked: …`.
    is_excused: bool,
    /// Whether the last command ends the script.
    is_ended: bool,
}

impl<'t> Script<'t> {
    /// A script of which only the mistakes are asked for.
    pub fn to_check() -> Self {
        Self::new(Collector::nothing())
    }

    fn new(collector: Collector) -> Self {
        Self {
            collector,
            label: "start",
            ..Self::default()
        }
    }

    fn refuse(&mut self, range: &Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range.clone(), message));
    }

    /// Adds the next line: what it says, as it is written, and where it stands.
    pub fn add(&mut self, line: &Line, written: &'t str, range: Range<usize>) {
        if line.kind != LineKind::Nothing {
            self.lines += 1;
            let (which, expected) = match self.lines {
                1 => ("first", FIRST_LINE),
                2 => ("second", SECOND_LINE),
                _ => ("", ""),
            };
            if !expected.is_empty() {
                if written.trim() != expected {
                    self.refuse(&range, format!("the {which} line is not `{expected}`"));
                }
                return;
            }
        }
        for mistake in &line.mistakes {
            let here = mistake.range.as_ref().map_or(range.clone(), |part| {
                range.start + part.start..range.start + part.end
            });
            self.refuse(&here, mistake.message.clone());
        }
        match &line.kind {
            LineKind::Nothing => {}
            LineKind::Comment { excuses } => self.is_excused = *excuses,
            LineKind::Label { is_valid } => {
                let label = written.trim().strip_prefix(':').unwrap_or_default();
                self.new_label(label, *is_valid, &range);
            }
            LineKind::Command(command) => self.command(command, written, &range),
        }
    }

    fn command(&mut self, command: &Command, line: &'t str, range: &Range<usize>) {
        let is_excused = std::mem::take(&mut self.is_excused);
        self.check_before(command);
        self.below_label += 1;
        if self.collector.kept.is_some() {
            let (word, rest) = first_word(line.trim());
            self.item(word, rest, range);
        }
        for name in &command.reads {
            let name = upper(name.of(line));
            if !self.variables.contains_key(&*name) {
                self.uses.push((name.into_owned(), range.clone()));
            }
        }
        for label in command.jumps.iter().flatten() {
            let label = lower(label.of(line));
            if let Some(places) = self.jumps.get_mut(&*label) {
                places.push(range.clone());
            } else {
                self.jumps.insert(label.into_owned(), vec![range.clone()]);
            }
        }
        if let Some((word, start)) = command.starts {
            self.start(word.of(line), start, range);
            self.asks_and_speaks(word.of(line), line, range);
        }
        if let Some((name, value)) = command.sets {
            let name = upper(name.of(line));
            let resolved = self.resolve(value.of(line)).into_owned();
            if let Some(value) = self.variables.get_mut(&*name) {
                *value = resolved;
            } else {
                self.variables.insert(name.into_owned(), resolved);
            }
        }
        if let Some(outcome) = command.outcome {
            self.outcome(outcome, is_excused, range);
        }
    }

    /// Whether a command handles the failure of the one before it, where that is needed.
    fn check_before(&mut self, command: &Command) {
        let Some((before, answer)) = self.unchecked.take() else {
            return;
        };
        let (code, existence) = (command.handles_errorlevel, command.handles_existence);
        let (is_handled, advice) = match answer {
            Answer::Code | Answer::NextLine => (code, "test `\"%errorlevel%\"` next"),
            Answer::Either => (code || existence, "test `\"%errorlevel%\"` or `exist` next"),
            Answer::Existence => (existence, "it does not set `errorlevel`; test `exist` next"),
        };
        if !is_handled {
            self.refuse(
                &before,
                format!("nothing handles a failure of this command; {advice}"),
            );
        }
    }

    fn outcome(&mut self, outcome: Consequence, is_excused: bool, range: &Range<usize>) {
        let Consequence {
            demand,
            conditional,
            fallback,
        } = outcome;
        self.is_ended = demand == Demand::End && !conditional;
        let Demand::Check(answer) = demand else { return };
        if fallback || is_excused {
            return;
        }
        if !conditional {
            self.unchecked = Some((range.clone(), answer));
        } else if answer == Answer::NextLine {
            self.refuse(
                range,
                "`call` after `if` cannot be checked on this line; jump around it instead",
            );
        } else {
            self.refuse(
                range,
                "a command after `if` needs `|| goto :LABEL` on the same line",
            );
        }
    }

    fn item(&mut self, word: &str, rest: &str, range: &Range<usize>) {
        let is_call = word.eq_ignore_ascii_case("call");
        let (written, arguments) = if is_call { first_word(rest) } else { (word, rest) };
        let unquoted = without_quotes(written);
        let resolved = self.resolve(&unquoted);
        let name = stem(&resolved);
        let arguments = single_blanks(arguments);
        let value = match (is_call, written == name) {
            (false, true) => arguments,
            (true, _) => format!("call {written} {arguments}").trim_end().to_owned(),
            (false, false) => format!("{written} {arguments}").trim_end().to_owned(),
        };
        self.collector.add(|| Item {
            path: [
                Step::label(self.label),
                Step::new(Form::Statement, name).numbered(self.below_label),
            ]
            .into_iter()
            .collect(),
            value,
            range: range.clone(),
        });
    }

    fn new_label(&mut self, label: &'t str, is_valid: bool, range: &Range<usize>) {
        self.check_now();
        self.is_excused = false;
        if is_valid && !self.labels.insert(label.to_ascii_lowercase()) {
            self.refuse(
                range,
                format!("the label `{label}` stands twice; cmd.exe ignores case"),
            );
        }
        self.label = label;
        self.below_label = 0;
        self.collector.add(|| Item {
            path: Step::label(label).into(),
            value: format!(":{label}"),
            range: range.clone(),
        });
    }

    /// Reports a command that nothing handled.
    fn check_now(&mut self) {
        if let Some((before, _)) = self.unchecked.take() {
            self.refuse(
                &before,
                "nothing handles a failure of this command before the next label",
            );
        }
    }

    /// Replaces variables whose value the script has set.
    fn resolve<'w>(&self, text: &'w str) -> Cow<'w, str> {
        if !text.contains('%') {
            return Cow::Borrowed(text);
        }
        let mut resolved = String::with_capacity(2 * text.len());
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            resolved.push_str(before);
            let (meaning, length) = percent(from);
            let value = match meaning {
                Percent::Name(name) => self.variables.get(&*upper(name)),
                Percent::Literal | Percent::Odd(_) => None,
            };
            match value {
                // A value may be built from others again and again; a path is never that long.
                Some(value) if resolved.len() + value.len() <= LONGEST_LINE => resolved.push_str(value),
                Some(_) | None => resolved.push_str(from.cut(..length)),
            }
            rest = from.cut(length..);
        }
        resolved.push_str(rest);
        Cow::Owned(resolved)
    }

    /// Whether a program would ask somebody, and whether a search depends on the language of Windows.
    fn asks_and_speaks(&mut self, word: &str, line: &'t str, range: &Range<usize>) {
        let unquoted = without_quotes(word);
        let program = self.resolve(&unquoted);
        let name = lower(stem(&program)).into_owned();
        let arguments = line.split_once(word).map_or("", |(_, behind)| behind);
        if let Some(message) = asking::mistake(&name, arguments) {
            self.refuse(range, message);
        }
        if let Some(file) = language::written_file(line) {
            if language::speaks(&name) {
                self.spoken.insert(file, name);
                return;
            }
            self.spoken.remove(file);
        }
        if !matches!(&*name, "find" | "findstr") {
            return;
        }
        let Some((texts, file)) = language::search(arguments) else {
            return;
        };
        let Some(speaker) = self.spoken.get(file) else {
            return;
        };
        if let Some(text) = texts.into_iter().find_map(language::translated) {
            let message = format!(
                "looks for `{text}` in what `{speaker}` prints, which is another word in another language of Windows; use numbers or exit codes"
            );
            self.refuse(range, message);
        }
    }

    fn start(&mut self, word: &str, start: Start, range: &Range<usize>) {
        let unquoted = without_quotes(word);
        let program = self.resolve(&unquoted);
        let name = lower(stem(&program));
        let is_bare = !program.contains(['\\', '/']);
        let Start::Program {
            loads_profile,
            has_variable_code,
        } = start
        else {
            if !is_batch_file(&program) {
                let message = format!(
                    "`{program}` is not known to be a batch file; programs are started without `call`"
                );
                self.refuse(range, message);
            }
            return;
        };
        if is_batch_file(&program) {
            self.refuse(
                range,
                format!("`{name}` is a batch file; without `call` the script would end there"),
            );
        } else if name.contains('%') {
            self.refuse(
                range,
                format!("cannot tell what `{program}` starts; set it in the script"),
            );
        } else if is_bare && !PROGRAMS.contains(&&*name) {
            self.refuse(range, format!("unknown command `{word}`"));
        } else if !is_bare && !is_quoted(word) && word.contains([' ', '(']) {
            self.refuse(range, "the path of a program needs quotes");
        }
        if name == "powershell" && loads_profile {
            self.refuse(
                range,
                "`powershell` without `-NoProfile` runs the user's profile first",
            );
        }
        if name == "powershell" && has_variable_code {
            self.refuse(
                range,
                "the text of `-Command` must be fixed; hand values over in a file",
            );
        }
    }

    /// Ends the script, which has `end` bytes.
    pub fn finish(mut self, end: usize) -> Result<Vec<Item>, Vec<FormatError>> {
        self.check_now();
        if self.lines < 2 || !self.is_ended {
            self.refuse(&(end..end), "the script does not end with `exit /b`");
        }
        for (label, places) in std::mem::take(&mut self.jumps) {
            if self.labels.contains(&label) {
                continue;
            }
            for range in places {
                self.refuse(&range, format!("there is no label `:{label}`"));
            }
        }
        for (name, range) in std::mem::take(&mut self.uses) {
            if !self.variables.contains_key(&name) {
                self.refuse(
                    &range,
                    format!("the variable `{name}` is set nowhere in the script"),
                );
            }
        }
        self.errors
            .sort_by_key(|error| (error.range.start, error.range.end));
        self.collector.finish(self.errors)
    }
}

#[cfg(test)]
mod tests;
