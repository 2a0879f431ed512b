//! The strict reader of generated batch scripts; the rules are listed in the parent module.
//!
//! It works line by line on the text as written, because a script's meaning must not depend on what a variable holds.
//! How cmd.exe splits a line is asked from `phases.rs`. This file must not know any deployment.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::phases::{Joint, Percent, Piece, Question, condition, first_word, percent, split, whole};
use super::{LONGEST_LINE, is_batch_file};
use crate::formats::{Collector, FormatError, Item};
use words::{
    BACKSLASH, BANG, BRACKET, BareCommand, CARET, Name, ODD, PERCENT, QUESTION, SEPARATOR, Signs, TILDE,
    handles_errorlevel, handles_existence, has_bracket, is_name, is_quoted, lower, single_blanks, stem,
    upper, without_quotes,
};

mod words;

/// Variables a script may use without setting them: they exist on every server, or are RabbitMQ's own.
pub const KNOWN_VARIABLES: &[&str] = &[
    "COMPUTERNAME",
    "COMSPEC",
    "ERLANG_HOME",
    "ERRORLEVEL",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "RABBITMQ_BASE",
    "RANDOM",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERDOMAIN",
    "USERNAME",
    "WINDIR",
];

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

/// Commands of cmd.exe itself that can fail.
const FILE_COMMANDS: &[&str] = &[
    "copy", "del", "md", "mkdir", "move", "pushd", "rd", "ren", "rmdir", "type",
];

fn is_known(variable: &str) -> bool {
    KNOWN_VARIABLES
        .iter()
        .any(|known| known.len() == variable.len() && known.eq_ignore_ascii_case(variable))
}

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
pub(in crate::formats) fn check(text: &str) -> Result<(), Vec<FormatError>> {
    read(text, Collector::nothing()).map(drop)
}

fn read(text: &str, collector: Collector) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut reader = Reader::new(collector);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let line = text.get(start..end).unwrap_or_default();
        reader.line(line.strip_suffix('\r').unwrap_or(line), start..end);
        start = end + 1;
    }
    reader.finish(text.len());
    reader
        .errors
        .sort_by_key(|error| (error.range.start, error.range.end));
    reader.collector.finish(reader.errors)
}

/// What a command demands of its surroundings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// It cannot fail, or its failure is its answer.
    Nothing,
    /// Its failure must be handled; the answer says where it shows.
    Check(Answer),
    /// It ends the script or the subroutine.
    End,
}

/// Where the failure of a command shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// In `%errorlevel%` or behind `||`.
    Code,
    /// In `%errorlevel%` on the next line only: behind `||`, cmd.exe looks at the last command of the batch file, which
    /// may be an `if` that was false.
    NextLine,
    /// In `%errorlevel%`, behind `||`, or in what exists afterwards.
    Either,
    /// Not in `%errorlevel%`: `del` and `rd` leave it alone when they fail.
    Existence,
}

struct Reader<'t> {
    /// What kinds of characters the line has.
    signs: Signs,
    errors: Vec<FormatError>,
    collector: Collector,
    /// Command lines read so far.
    commands: usize,
    /// Label the next command stands under, and commands under it so far.
    label: &'t str,
    below_label: usize,
    /// Labels in lower case.
    labels: BTreeSet<String>,
    /// Jumps: label in lower case and places.
    jumps: BTreeMap<String, Vec<Range<usize>>>,
    /// Variables that are set, in upper case, with their last value.
    variables: BTreeMap<String, String>,
    /// Variables that are used before they are set, in upper case.
    uses: Vec<(String, Range<usize>)>,
    /// A command whose failure the next line must handle.
    unchecked: Option<(Range<usize>, Answer)>,
    /// Whether the line before was `rem unchecked: …`.
    marked: bool,
    /// Whether the last command ends the script.
    ended: bool,
}

impl<'t> Reader<'t> {
    fn new(collector: Collector) -> Self {
        Self {
            signs: Signs(0),
            errors: Vec::new(),
            collector,
            commands: 0,
            label: "start",
            below_label: 0,
            labels: BTreeSet::new(),
            jumps: BTreeMap::new(),
            variables: BTreeMap::new(),
            uses: Vec::new(),
            unchecked: None,
            marked: false,
            ended: false,
        }
    }

    fn refuse(&mut self, range: &Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range.clone(), message));
    }

    fn line(&mut self, written: &'t str, range: Range<usize>) {
        if written.len() > LONGEST_LINE {
            self.refuse(
                &range,
                format!("the line is longer than {LONGEST_LINE} characters"),
            );
            return;
        }
        self.signs = Signs::of(written);
        if self.signs.has(ODD)
            && let Some((at, c)) = written.char_indices().find(|(_, c)| !matches!(c, ' '..='~'))
        {
            let here = range.start + at..range.start + at + c.len_utf8();
            self.refuse(
                &here,
                format!("{c:?} in a batch script; only printable ASCII is safe"),
            );
            return;
        }
        let line = written.trim();
        if line.is_empty() {
            return;
        }
        if self.signs.has(CARET)
            && let Some(at) = written.find('^')
        {
            let here = range.start + at..range.start + at + 1;
            self.refuse(
                &here,
                "`^`, which every `call` doubles; no generated script needs it",
            );
            return;
        }
        self.commands += 1;
        let (word, rest) = first_word(line);
        match self.commands {
            1 => {
                if line != FIRST_LINE {
                    self.refuse(&range, format!("the first line is not `{FIRST_LINE}`"));
                }
                return;
            }
            2 => {
                if line != SECOND_LINE {
                    self.refuse(&range, format!("the second line is not `{SECOND_LINE}`"));
                }
                return;
            }
            _ => {}
        }
        if word.eq_ignore_ascii_case("rem") {
            if let Some(c) = rest.chars().find(|c| matches!(c, '%' | '&' | '|' | '<' | '>')) {
                self.refuse(&range, format!("`{c}` in a comment; cmd.exe may still act on it"));
            }
            if self.asks_for_help(rest) {
                self.refuse(&range, "`/?` makes `rem` print its help");
            }
            self.marked = rest
                .trim_start()
                .strip_prefix("unchecked:")
                .is_some_and(|reason| !reason.trim().is_empty());
            return;
        }
        if let Some(label) = line.strip_prefix(':') {
            self.new_label(label, &range);
            return;
        }
        let marked = std::mem::take(&mut self.marked);
        self.percents(line, &range);
        if let Some((before, answer)) = self.unchecked.take() {
            let (handled, advice) = match answer {
                Answer::Code | Answer::NextLine => (handles_errorlevel(line), "test `\"%errorlevel%\"` next"),
                Answer::Either => (
                    handles_errorlevel(line) || handles_existence(line),
                    "test `\"%errorlevel%\"` or `exist` next",
                ),
                Answer::Existence => (
                    handles_existence(line),
                    "it does not set `errorlevel`; test `exist` next",
                ),
            };
            if !handled {
                self.refuse(
                    &before,
                    format!("nothing handles a failure of this command; {advice}"),
                );
            }
        }
        self.below_label += 1;
        if self.collector.kept.is_some() {
            self.item(word, rest, &range);
        }
        let result = if self.signs.has(SEPARATOR) {
            split(line).map(|pieces| self.pieces(&pieces, &range, marked))
        } else {
            whole(line).map(|piece| self.pieces(&[piece], &range, marked))
        };
        if let Err(error) = result {
            self.refuse(&range, error.message);
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
            path: format!("{} > {:02} {name}", self.label, self.below_label),
            value,
            range: range.clone(),
        });
    }

    fn new_label(&mut self, label: &'t str, range: &Range<usize>) {
        if self.unchecked.is_some() {
            self.check_now();
        }
        self.marked = false;
        if label.is_empty() || !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            self.refuse(range, "a label consists of letters, digits and `_`");
        } else if !self.labels.insert(label.to_ascii_lowercase()) {
            self.refuse(
                range,
                format!("the label `{label}` stands twice; cmd.exe ignores case"),
            );
        }
        self.label = label;
        self.below_label = 0;
        self.collector.add(|| Item {
            path: label.to_owned(),
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

    /// Everything that begins with a percent sign.
    fn percents(&mut self, line: &str, range: &Range<usize>) {
        if !self.signs.has(PERCENT | BANG) {
            return;
        }
        let mut command: Option<BareCommand> = None;
        let mut bare_command = || *command.get_or_insert_with(|| BareCommand::of(line));
        let mut quoted = false;
        let mut rest = line;
        while let Some(at) = memchr::memchr3(b'%', b'"', b'!', rest.as_bytes()) {
            let from = rest.get(at..).unwrap_or_default();
            let mut length = 1;
            if from.starts_with('"') {
                quoted = !quoted;
            } else if from.starts_with('!') {
                if bare_command().name != Name::Echo {
                    self.refuse(range, "`!` in an argument is lost where delayed expansion is on");
                }
            } else {
                let (meaning, taken) = percent(from);
                length = taken;
                match meaning {
                    Percent::Literal if bare_command().name == Name::Call => {
                        let run = from.len() - from.trim_start_matches('%').len();
                        if !run.is_multiple_of(4) {
                            self.refuse(range, "a percent sign in an argument of `call` is written `%%%%`");
                        }
                        length = run;
                    }
                    Percent::Literal => {}
                    Percent::Name(name) => {
                        let place = line.len() - from.len();
                        let safe = quoted || bare_command().takes_text_at(place);
                        self.variable(name, safe, range);
                    }
                    Percent::Odd(what) => self.refuse(range, what),
                }
            }
            rest = from.get(length..).unwrap_or_default();
        }
    }

    fn variable(&mut self, name: &str, safe: bool, range: &Range<usize>) {
        if !safe {
            self.refuse(
                range,
                format!("`%{name}` outside quotes; a blank in its value would split it"),
            );
        }
        if name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("time") {
            self.refuse(
                range,
                format!("`%{name}%` depends on the format the server is set to"),
            );
        } else if matches!(name, "*" | "0") {
            self.refuse(range, format!("`%{name}` is not used by generated scripts"));
        } else if !name.starts_with('~') && !name.bytes().all(|b| b.is_ascii_digit()) {
            self.used(name, range);
        }
    }

    fn used(&mut self, name: &str, range: &Range<usize>) {
        if is_known(name) {
            return;
        }
        let upper = upper(name);
        if !self.variables.contains_key(&*upper) {
            self.uses.push((upper.into_owned(), range.clone()));
        }
    }

    /// The commands of one line.
    fn pieces(&mut self, pieces: &[Piece<'_>], range: &Range<usize>, marked: bool) {
        let (Some(first), second, third) = (pieces.first(), pieces.get(1), pieces.get(2)) else {
            return;
        };
        if third.is_some() || second.is_some_and(|piece| piece.joint != Joint::OrElse) {
            self.refuse(
                range,
                "only `|| goto :LABEL` or `|| exit /b N` may follow a command on its line",
            );
            return;
        }
        for redirection in pieces.iter().flat_map(|piece| &piece.redirections) {
            let bare = redirection.trim_start_matches(['1', '2']);
            let target = bare.trim_start_matches(['>', '<']);
            let file = target.len() > 2 && target.starts_with('"') && target.ends_with('"');
            if !file && !target.eq_ignore_ascii_case("nul") && redirection != "2>&1" {
                self.refuse(
                    range,
                    format!("the redirection `{redirection}` is not `nul`, `2>&1` or a quoted file"),
                );
            }
        }
        let fallback = second.is_some();
        if let Some(second) = second {
            let (word, _) = first_word(&second.text);
            if word.eq_ignore_ascii_case("goto") || word.eq_ignore_ascii_case("exit") {
                self.command(&second.text, range, 0);
            } else {
                self.refuse(range, "only `goto :LABEL` or `exit /b N` may follow `||`");
            }
        }
        let conditional = first_word(&first.text).0.eq_ignore_ascii_case("if");
        let demand = self.command(&first.text, range, 0);
        self.ended = demand == Demand::End && !conditional;
        match demand {
            Demand::Check(Answer::NextLine) if fallback => self.refuse(
                range,
                "`||` after `call` is not reliable; test `\"%errorlevel%\"` on the next line",
            ),
            Demand::Check(Answer::NextLine) if conditional && !marked => self.refuse(
                range,
                "`call` after `if` cannot be checked on this line; jump around it instead",
            ),
            Demand::Check(_) if conditional && !fallback && !marked => {
                self.refuse(
                    range,
                    "a command after `if` needs `|| goto :LABEL` on the same line",
                );
            }
            Demand::Check(answer) if !fallback && !marked => self.unchecked = Some((range.clone(), answer)),
            Demand::Check(_) | Demand::Nothing | Demand::End => {}
        }
    }

    /// One command; `depth` counts the `if` and `for` around it.
    fn command(&mut self, text: &str, range: &Range<usize>, depth: usize) -> Demand {
        let text = text.trim();
        let (word, rest) = first_word(text);
        let rest = rest.trim();
        let lower = lower(word);
        // Blocks change how variables are read, and a bracket from a path would end them.
        if !matches!(&*lower, "echo" | "for" | "if") && self.signs.has(BRACKET) && has_bracket(text) {
            self.refuse(
                range,
                "a parenthesis outside quotes; generated scripts have no blocks",
            );
        }
        if self.asks_for_help(rest) {
            self.refuse(range, "`/?` makes a command print its help");
        }
        match &*lower {
            "echo" => {
                if rest.is_empty() || rest.eq_ignore_ascii_case("on") || rest.eq_ignore_ascii_case("off") {
                    self.refuse(range, "`echo` needs a text; an empty line is `echo.`");
                }
                Demand::Nothing
            }
            "echo." | "endlocal" | "popd" if rest.is_empty() => Demand::Nothing,
            "set" => {
                self.set(rest, range);
                Demand::Nothing
            }
            "goto" => {
                self.jump(rest, range);
                Demand::End
            }
            "exit" => {
                let code = rest.strip_prefix("/b").map(str::trim);
                let valid = code.is_some_and(|code| {
                    code.bytes().all(|b| b.is_ascii_digit())
                        || code.len() > 2 && code.starts_with('%') && code.ends_with('%')
                });
                if !valid {
                    self.refuse(range, "`exit` is written `exit /b` or `exit /b N`");
                }
                Demand::End
            }
            "if" if depth < 2 => self.condition(text, range, depth),
            "for" if depth == 0 => {
                self.for_loop(text, range);
                Demand::Nothing
            }
            "call" => {
                self.call(rest, range);
                Demand::Check(Answer::NextLine)
            }
            "copy" | "move"
                if !rest
                    .get(..3)
                    .is_some_and(|start| start.eq_ignore_ascii_case("/y ")) =>
            {
                self.refuse(range, format!("`{lower}` without `/y` waits for an answer"));
                Demand::Check(Answer::Either)
            }
            _ if FILE_COMMANDS.contains(&&*lower) => {
                if lower != "pushd" || rest != "\"%~dp0\"" {
                    self.arguments(rest, range);
                }
                Demand::Check(match &*lower {
                    "del" | "rd" | "rmdir" => Answer::Existence,
                    "pushd" | "type" => Answer::Code,
                    _ => Answer::Either,
                })
            }
            _ => {
                self.program(word, rest, range);
                Demand::Check(Answer::Code)
            }
        }
    }

    fn set(&mut self, rest: &str, range: &Range<usize>) {
        let assignment = rest
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .filter(|inner| !inner.contains('"'))
            .and_then(|inner| inner.split_once('='));
        match assignment {
            Some((name, value)) if is_name(name) => {
                if value.ends_with('\\') {
                    self.refuse(
                        range,
                        "a value that ends in a backslash would join with a closing quote",
                    );
                }
                let resolved = self.resolve(value).into_owned();
                self.variables.insert(name.to_ascii_uppercase(), resolved);
            }
            Some(_) | None => self.refuse(range, "`set` is written `set \"NAME=value\"`"),
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
                Some(_) | None => resolved.push_str(from.get(..length).unwrap_or_default()),
            }
            rest = from.get(length..).unwrap_or_default();
        }
        resolved.push_str(rest);
        Cow::Owned(resolved)
    }

    fn jump(&mut self, target: &str, range: &Range<usize>) {
        match target.strip_prefix(':') {
            Some(label) if label.eq_ignore_ascii_case("eof") => {
                self.refuse(range, "`:eof` leaves without a code; use `exit /b N`");
            }
            Some(label) if !label.contains(' ') => {
                let label = lower(label);
                if let Some(places) = self.jumps.get_mut(&*label) {
                    places.push(range.clone());
                } else {
                    self.jumps.insert(label.into_owned(), vec![range.clone()]);
                }
            }
            Some(_) | None => self.refuse(range, "a jump is written `goto :LABEL`"),
        }
    }

    fn condition(&mut self, text: &str, range: &Range<usize>, depth: usize) -> Demand {
        let Some(condition) = condition(text) else {
            self.refuse(range, "not a form of `if` that generated scripts use");
            return Demand::Nothing;
        };
        let subject = condition.subject;
        match condition.question {
            Question::ErrorLevel => self.refuse(
                range,
                "`if errorlevel` misses negative codes; compare `\"%errorlevel%\"`",
            ),
            Question::Exist if !is_quoted(subject) => {
                self.refuse(range, "the path after `exist` needs quotes");
            }
            Question::Exist => {}
            Question::Defined => {
                if !is_name(subject) {
                    self.refuse(range, format!("`{subject}` is not a variable name"));
                }
                self.used(subject, range);
            }
            Question::Equal => {
                let sides = subject.split_once("==");
                if !sides.is_some_and(|(left, right)| is_quoted(left) && is_quoted(right)) {
                    self.refuse(range, "both sides of `==` need quotes and no blanks around");
                }
            }
        }
        let command = condition.command;
        if command.is_empty() {
            self.refuse(range, "`if` without a command");
            return Demand::Nothing;
        }
        self.command(command, range, depth + 1)
    }

    fn for_loop(&mut self, text: &str, range: &Range<usize>) {
        let parts = || {
            let rest = text
                .strip_prefix("for /f \"")
                .or_else(|| text.strip_prefix("for /F \""))?;
            let (options, rest) = rest.split_once("\" %%")?;
            let rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic())?;
            let (list, command) = rest.strip_prefix(" in (")?.split_once(") do ")?;
            let usebackq = options.split(' ').any(|option| option == "usebackq");
            let form = if usebackq {
                is_quoted(list)
            } else {
                list.len() > 2 && list.starts_with('\'') && list.ends_with('\'')
            };
            form.then_some(command)
        };
        match parts() {
            Some(command) => {
                let (word, rest) = first_word(command);
                let simple = matches!(word.to_ascii_lowercase().as_str(), "set" | "goto")
                    || word.eq_ignore_ascii_case("call") && rest.trim_start().starts_with(':');
                if simple {
                    self.command(command, range, 1);
                } else {
                    self.refuse(range, "after `do` only `set`, `goto` and `call :LABEL` are allowed");
                }
            }
            None => self.refuse(
                range,
                "`for` is written `for /f \"options\" %%X in ('command') do …` or, with `usebackq`, `in (\"file\")`",
            ),
        }
    }

    fn call(&mut self, rest: &str, range: &Range<usize>) {
        let (target, arguments) = first_word(rest);
        if target.starts_with(':') {
            self.jump(target, range);
        } else {
            let target = without_quotes(target);
            let program = self.resolve(&target);
            if !is_batch_file(&program) {
                self.refuse(
                    range,
                    format!(
                        "`{program}` is not known to be a batch file; programs are started without `call`"
                    ),
                );
            }
        }
        self.arguments(arguments, range);
    }

    fn program(&mut self, word: &str, rest: &str, range: &Range<usize>) {
        let unquoted = without_quotes(word);
        let program = self.resolve(&unquoted);
        let name = lower(stem(&program));
        let bare = !program.contains(['\\', '/']);
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
        } else if bare && !PROGRAMS.contains(&&*name) {
            self.refuse(range, format!("unknown command `{word}`"));
        } else if !bare && !is_quoted(word) && word.contains([' ', '(']) {
            self.refuse(range, "the path of a program needs quotes");
        }
        if name == "powershell" {
            let lower = rest.to_ascii_lowercase();
            if !lower.split(' ').any(|option| option == "-noprofile") {
                self.refuse(
                    range,
                    "`powershell` without `-NoProfile` runs the user's profile first",
                );
            }
            if lower
                .split_once("-command ")
                .is_some_and(|(_, code)| code.contains('%'))
            {
                self.refuse(
                    range,
                    "the text of `-Command` must be fixed; hand values over in a file",
                );
            }
        }
        self.arguments(rest, range);
    }

    /// What no argument may hold.
    fn arguments(&mut self, rest: &str, range: &Range<usize>) {
        if self.signs.has(BACKSLASH)
            && rest
                .bytes()
                .zip(rest.bytes().skip(1))
                .any(|pair| pair == (b'\\', b'"'))
        {
            self.refuse(
                range,
                "a backslash before a quote; programs read the quote as part of the value",
            );
        }
        if self.signs.has(TILDE) && rest.to_ascii_lowercase().contains("%~dp0\"") {
            self.refuse(range, "`\"%~dp0\"` ends in a backslash; write `\"%~dp0.\"`");
        }
    }

    fn asks_for_help(&self, rest: &str) -> bool {
        self.signs.has(QUESTION) && rest.contains("/?")
    }

    fn finish(&mut self, end: usize) {
        self.check_now();
        if self.commands < 2 || !self.ended {
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
    }
}

#[cfg(test)]
mod tests;
