//! What one line of a script says, whatever stands around it.
//!
//! Most lines of a script are lines of a thousand other scripts, so looking at a line depends on nothing but the line: a
//! reader of many scripts looks at each only once. What a line means for its script is decided in the parent module.

use crate::Cut as _;
use std::borrow::Cow;
use std::ops::Range;

use super::super::LONGEST_LINE;
use super::super::phases::{Joint, Percent, Piece, Question, condition, first_word, percent, split, whole};
use super::asking;
use super::words::{
    BACKSLASH, BANG, BRACKET, BareCommand, CARET, Name, ODD, PERCENT, QUESTION, SEPARATOR, Signs, TILDE,
    handles_errorlevel, handles_existence, has_bracket, is_name, is_quoted, lower,
};

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
    "USERPROFILE",
    "WINDIR",
];

fn is_known(variable: &str) -> bool {
    KNOWN_VARIABLES
        .iter()
        .any(|known| known.len() == variable.len() && known.eq_ignore_ascii_case(variable))
}

/// Commands of cmd.exe itself that can fail.
const FILE_COMMANDS: &[&str] = &[
    "copy", "del", "md", "mkdir", "move", "pushd", "rd", "ren", "rmdir", "type",
];

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its own mistakes.
    pub(super) mistakes: Vec<Mistake>,
    pub(super) kind: LineKind,
}

/// A mistake of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Bytes of the line; `None` for all of it.
    pub(super) range: Option<Range<usize>>,
    pub(super) message: Cow<'static, str>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// It is blank, or not even its first word can be trusted.
    Nothing,
    Comment {
        /// Whether it gives a reason why the next line needs no check.
        excuses: bool,
    },
    Label {
        /// Whether it can be jumped to.
        is_valid: bool,
    },
    Command(Command),
}

/// What a command line means for its script. Names are as written, in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// Variables it reads, without those that every server has.
    pub(super) reads: Vec<Part>,
    /// A variable, and the value it gets, in which others may stand.
    pub(super) sets: Option<(Part, Part)>,
    /// Labels it jumps to.
    pub(super) jumps: [Option<Part>; 2],
    /// What it starts, with its quotes.
    pub(super) starts: Option<(Part, Start)>,
    /// Whether it looks at the result of the command before it.
    pub(super) handles_errorlevel: bool,
    /// Whether it looks at what exists.
    pub(super) handles_existence: bool,
    /// What follows from it; `None` when it cannot be told.
    pub(super) outcome: Option<Consequence>,
}

/// A part of a line, so that what is known of a line needs no text of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    start: u16,
    end: u16,
}

impl Part {
    /// Where `text` stands in a line: the first place, since only the text is asked for. `None` when it does not.
    fn find(line: &str, text: &str) -> Option<Self> {
        let start = memchr::memmem::find(line.as_bytes(), text.as_bytes())?;
        Some(Self {
            start: u16::try_from(start).ok()?,
            end: u16::try_from(start + text.len()).ok()?,
        })
    }

    /// The text of this part of the line it was found in.
    pub(super) fn of(self, line: &str) -> &str {
        line.cut(usize::from(self.start)..usize::from(self.end))
    }
}

/// How something is started. What it is may depend on variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// By `call`.
    Batch,
    /// By its name, with arguments that would be wrong if it were PowerShell.
    Program {
        /// Whether `-NoProfile` is missing.
        loads_profile: bool,
        /// Whether the code behind `-Command` depends on variables.
        has_variable_code: bool,
    },
}

/// What follows from a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Consequence {
    pub(super) demand: Demand,
    /// Whether it stands behind `if`.
    pub(super) conditional: bool,
    /// Whether `||` follows.
    pub(super) fallback: bool,
}

/// What a command demands of its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// It cannot fail, or its failure is its answer.
    Nothing,
    /// Its failure must be handled; the answer says where it shows.
    Check(Answer),
    /// It ends the script or the subroutine.
    End,
}

/// Where the failure of a command shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
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

impl Line {
    /// Looks at a line without its line end.
    pub fn of(written: &str) -> Self {
        let mut reader = Reader {
            written,
            ..Reader::default()
        };
        let kind = reader.kind();
        Self {
            mistakes: reader.mistakes,
            kind,
        }
    }
}

/// How a program with these arguments is started.
fn start_of_program(arguments: &str) -> Start {
    let lower = lower(arguments);
    let code = lower.split_once("-command ");
    Start::Program {
        loads_profile: !lower.split(' ').any(|option| option == "-noprofile"),
        has_variable_code: code.is_some_and(|(_, code)| code.contains('%')),
    }
}

#[derive(Default)]
struct Reader<'l> {
    written: &'l str,
    /// What kinds of characters the line has.
    signs: Signs,
    mistakes: Vec<Mistake>,
    /// What is known of its command so far.
    command: Command,
}

impl Reader<'_> {
    fn refuse(&mut self, message: impl Into<Cow<'static, str>>) {
        self.mistakes.push(Mistake {
            range: None,
            message: message.into(),
        });
    }

    fn refuse_at(&mut self, range: Range<usize>, message: impl Into<Cow<'static, str>>) {
        self.mistakes.push(Mistake {
            range: Some(range),
            message: message.into(),
        });
    }

    /// The part of the line that is `text`. No redirection stands inside a word or a value, so there is one; were there
    /// none, the line would be refused rather than passed with less than it says.
    fn part(&mut self, text: &str) -> Option<Part> {
        let part = Part::find(self.written, text);
        if part.is_none() {
            self.refuse("the line cannot be taken apart");
        }
        part
    }

    fn kind(&mut self) -> LineKind {
        let written = self.written;
        if written.len() > LONGEST_LINE {
            self.refuse(format!("the line is longer than {LONGEST_LINE} characters"));
            return LineKind::Nothing;
        }
        self.signs = Signs::of(written);
        if self.signs.has(ODD)
            && let Some((at, c)) = written.char_indices().find(|(_, c)| !matches!(c, ' '..='~'))
        {
            let message = format!("{c:?} in a batch script; only printable ASCII is safe");
            self.refuse_at(at..at + c.len_utf8(), message);
            return LineKind::Nothing;
        }
        let line = written.trim();
        if line.is_empty() {
            return LineKind::Nothing;
        }
        if self.signs.has(CARET)
            && let Some(at) = written.find('^')
        {
            self.refuse_at(
                at..at + 1,
                "`^`, which every `call` doubles; no generated script needs it",
            );
            return LineKind::Nothing;
        }
        let (word, rest) = first_word(line);
        if word.eq_ignore_ascii_case("rem") {
            return self.comment(rest);
        }
        if let Some(label) = line.strip_prefix(':') {
            let is_valid = !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !is_valid {
                self.refuse("a label consists of letters, digits and `_`");
            }
            return LineKind::Label { is_valid };
        }
        self.percents(line);
        self.command.handles_errorlevel = handles_errorlevel(line);
        self.command.handles_existence = handles_existence(line);
        let pieces = if self.signs.has(SEPARATOR) {
            split(line).map(|pieces| self.pieces(&pieces))
        } else {
            whole(line).map(|piece| self.pieces(&[piece]))
        };
        match pieces {
            Ok(outcome) => self.command.outcome = outcome,
            Err(error) => self.refuse(error.message),
        }
        LineKind::Command(std::mem::take(&mut self.command))
    }

    fn comment(&mut self, text: &str) -> LineKind {
        if let Some(c) = text.chars().find(|c| matches!(c, '%' | '&' | '|' | '<' | '>')) {
            self.refuse(format!("`{c}` in a comment; cmd.exe may still act on it"));
        }
        if self.asks_for_help(text) {
            self.refuse("`/?` makes `rem` print its help");
        }
        let reason = text.trim_start().strip_prefix("unchecked:");
        LineKind::Comment {
            excuses: reason.is_some_and(|reason| !reason.trim().is_empty()),
        }
    }

    /// Everything that begins with a percent sign.
    fn percents(&mut self, line: &str) {
        if !self.signs.has(PERCENT | BANG) {
            return;
        }
        let mut command: Option<BareCommand> = None;
        let mut bare_command = || *command.get_or_insert_with(|| BareCommand::of(line));
        let mut quoted = false;
        let mut rest = line;
        while let Some(at) = memchr::memchr3(b'%', b'"', b'!', rest.as_bytes()) {
            let from = rest.cut(at..);
            let mut length = 1;
            if from.starts_with('"') {
                quoted = !quoted;
            } else if from.starts_with('!') {
                if bare_command().name != Name::Echo {
                    self.refuse("`!` in an argument is lost where delayed expansion is on");
                }
            } else {
                let (meaning, taken) = percent(from);
                length = taken;
                match meaning {
                    Percent::Literal if bare_command().name == Name::Call => {
                        let run = from.len() - from.trim_start_matches('%').len();
                        if !run.is_multiple_of(4) {
                            self.refuse("a percent sign in an argument of `call` is written `%%%%`");
                        }
                        length = run;
                    }
                    Percent::Literal => {}
                    Percent::Name(name) => {
                        let place = line.len() - from.len();
                        let safe = quoted || bare_command().takes_text_at(place);
                        self.variable(name, safe);
                    }
                    Percent::Odd(what) => self.refuse(what),
                }
            }
            rest = from.cut(length..);
        }
    }

    fn variable(&mut self, name: &str, safe: bool) {
        if !safe {
            self.refuse(format!(
                "`%{name}` outside quotes; a blank in its value would split it"
            ));
        }
        if name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("time") {
            self.refuse(format!("`%{name}%` depends on the format the server is set to"));
        } else if matches!(name, "*" | "0") {
            self.refuse(format!("`%{name}` is not used by generated scripts"));
        } else if !name.starts_with('~') && !name.bytes().all(|b| b.is_ascii_digit()) {
            self.used(name);
        }
    }

    fn used(&mut self, name: &str) {
        if !is_known(name) {
            let part = self.part(name);
            self.command.reads.extend(part);
        }
    }

    /// The commands of one line.
    fn pieces(&mut self, pieces: &[Piece<'_>]) -> Option<Consequence> {
        let (first, second, third) = (pieces.first()?, pieces.get(1), pieces.get(2));
        if third.is_some() || second.is_some_and(|piece| piece.joint != Joint::OrElse) {
            self.refuse("only `|| goto :LABEL` or `|| exit /b N` may follow a command on its line");
            return None;
        }
        for redirection in pieces.iter().flat_map(|piece| &piece.redirections) {
            let bare = redirection.trim_start_matches(['1', '2']);
            let target = bare.trim_start_matches(['>', '<']);
            let file = target.len() > 2 && target.starts_with('"') && target.ends_with('"');
            if !file && !target.eq_ignore_ascii_case("nul") && redirection != "2>&1" {
                self.refuse(format!(
                    "the redirection `{redirection}` is not `nul`, `2>&1` or a quoted file"
                ));
            }
        }
        let writes_home = |redirection: &&str| redirection.contains('>') && redirection.contains("%~dp0");
        let redirections = pieces.iter().flat_map(|piece| &piece.redirections);
        if redirections.map(|text| &**text).any(|text| writes_home(&text)) {
            self.refuse("a script must not write into the folder of the bundle, which is then no longer what was checked");
        }
        let fallback = second.is_some();
        if let Some(second) = second {
            let (word, _) = first_word(&second.text);
            if word.eq_ignore_ascii_case("goto") || word.eq_ignore_ascii_case("exit") {
                self.command(&second.text, 0);
            } else {
                self.refuse("only `goto :LABEL` or `exit /b N` may follow `||`");
            }
        }
        let conditional = first_word(&first.text).0.eq_ignore_ascii_case("if");
        let demand = self.command(&first.text, 0);
        if demand == Demand::Check(Answer::NextLine) && fallback {
            self.refuse("`||` after `call` is not reliable; test `\"%errorlevel%\"` on the next line");
        }
        Some(Consequence {
            demand,
            conditional,
            fallback,
        })
    }

    /// One command; `depth` counts the `if` and `for` around it.
    fn command(&mut self, text: &str, depth: usize) -> Demand {
        let text = text.trim();
        let (word, rest) = first_word(text);
        let rest = rest.trim();
        let lower = lower(word);
        // Blocks change how variables are read, and a bracket from a path would end them.
        if !matches!(&*lower, "echo" | "for" | "if") && self.signs.has(BRACKET) && has_bracket(text) {
            self.refuse("a parenthesis outside quotes; generated scripts have no blocks");
        }
        if self.asks_for_help(rest) {
            self.refuse("`/?` makes a command print its help");
        }
        match &*lower {
            "echo" => {
                if rest.is_empty() || rest.eq_ignore_ascii_case("on") || rest.eq_ignore_ascii_case("off") {
                    self.refuse("`echo` needs a text; an empty line is `echo.`");
                }
                Demand::Nothing
            }
            "echo." | "endlocal" | "popd" if rest.is_empty() => Demand::Nothing,
            "set" => {
                self.set(rest);
                Demand::Nothing
            }
            "goto" => {
                self.jump(rest);
                Demand::End
            }
            "exit" => {
                let code = rest.strip_prefix("/b").map(str::trim);
                let valid = code.is_some_and(|code| {
                    code.bytes().all(|b| b.is_ascii_digit())
                        || code.len() > 2 && code.starts_with('%') && code.ends_with('%')
                });
                if !valid {
                    self.refuse("`exit` is written `exit /b` or `exit /b N`");
                }
                Demand::End
            }
            "if" if depth < 2 => self.condition(text, depth),
            "for" if depth == 0 => {
                self.for_loop(text);
                Demand::Nothing
            }
            "call" => {
                self.call(rest);
                Demand::Check(Answer::NextLine)
            }
            _ if FILE_COMMANDS.contains(&&*lower) => {
                if lower != "pushd" || rest != "\"%~dp0\"" {
                    self.arguments(rest);
                }
                if let Some(message) = asking::mistake(&lower, rest) {
                    self.refuse(message);
                }
                let target = rest.rsplit(" \"").next().unwrap_or_default();
                if matches!(&*lower, "copy" | "move" | "md" | "mkdir") && target.contains("%~dp0") {
                    self.refuse(
                        "a script must not write into the folder of the bundle, which is then no longer what was checked",
                    );
                }
                Demand::Check(match &*lower {
                    "del" | "rd" | "rmdir" => Answer::Existence,
                    "pushd" | "type" => Answer::Code,
                    _ => Answer::Either,
                })
            }
            _ => {
                let part = self.part(word);
                self.command.starts = part.map(|part| (part, start_of_program(rest)));
                self.arguments(rest);
                Demand::Check(Answer::Code)
            }
        }
    }

    fn set(&mut self, rest: &str) {
        let assignment = rest
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .filter(|inner| !inner.contains('"'))
            .and_then(|inner| inner.split_once('='));
        match assignment {
            Some((name, value)) if is_name(name) => {
                if value.ends_with('\\') {
                    self.refuse("a value that ends in a backslash would join with a closing quote");
                }
                self.command.sets = self.part(name).zip(self.part(value));
            }
            Some(_) | None => self.refuse("`set` is written `set \"NAME=value\"`"),
        }
    }

    fn jump(&mut self, target: &str) {
        match target.strip_prefix(':') {
            Some(label) if label.eq_ignore_ascii_case("eof") => {
                self.refuse("`:eof` leaves without a code; use `exit /b N`");
            }
            Some(label) if !label.contains(' ') => {
                let part = self.part(label);
                let [first, second] = &mut self.command.jumps;
                let jump = if first.is_none() { first } else { second };
                *jump = part;
            }
            Some(_) | None => self.refuse("a jump is written `goto :LABEL`"),
        }
    }

    fn condition(&mut self, text: &str, depth: usize) -> Demand {
        let Some(condition) = condition(text) else {
            self.refuse("not a form of `if` that generated scripts use");
            return Demand::Nothing;
        };
        let subject = condition.subject;
        match condition.question {
            Question::ErrorLevel => {
                self.refuse("`if errorlevel` misses negative codes; compare `\"%errorlevel%\"`");
            }
            Question::Exist if !is_quoted(subject) => {
                self.refuse("the path after `exist` needs quotes");
            }
            Question::Exist => {}
            Question::Defined => {
                if !is_name(subject) {
                    self.refuse(format!("`{subject}` is not a variable name"));
                }
                self.used(subject);
            }
            Question::Equal => {
                let sides = subject.split_once("==");
                if !sides.is_some_and(|(left, right)| is_quoted(left) && is_quoted(right)) {
                    self.refuse("both sides of `==` need quotes and no blanks around");
                }
            }
        }
        let command = condition.command;
        if command.is_empty() {
            self.refuse("`if` without a command");
            return Demand::Nothing;
        }
        self.command(command, depth + 1)
    }

    fn for_loop(&mut self, text: &str) {
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
                    self.command(command, 1);
                } else {
                    self.refuse("after `do` only `set`, `goto` and `call :LABEL` are allowed");
                }
            }
            None => self.refuse("`for` is written `for /f \"options\" %%X in ('command') do …` or, with `usebackq`, `in (\"file\")`",
            ),
        }
    }

    fn call(&mut self, rest: &str) {
        let (target, arguments) = first_word(rest);
        if target.starts_with(':') {
            self.jump(target);
        } else {
            let part = self.part(target);
            self.command.starts = part.map(|part| (part, Start::Batch));
        }
        self.arguments(arguments);
    }

    /// What no argument may hold.
    fn arguments(&mut self, rest: &str) {
        if self.signs.has(BACKSLASH)
            && rest
                .bytes()
                .zip(rest.bytes().skip(1))
                .any(|pair| pair == (b'\\', b'"'))
        {
            self.refuse("a backslash before a quote; programs read the quote as part of the value");
        }
        if self.signs.has(TILDE) && rest.to_ascii_lowercase().contains("%~dp0\"") {
            self.refuse("`\"%~dp0\"` ends in a backslash; write `\"%~dp0.\"`");
        }
    }

    fn asks_for_help(&self, rest: &str) -> bool {
        self.signs.has(QUESTION) && rest.contains("/?")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_not_in_the_line_is_a_mistake() {
        let mut reader = Reader {
            written: "net stop x",
            ..Reader::default()
        };
        let part = reader.part("stop");
        assert_eq!(part.map(|part| part.of("net stop x")), Some("stop"));
        assert!(reader.mistakes.is_empty());
        assert_eq!(reader.part("start"), None);
        assert_eq!(reader.mistakes.len(), 1);
    }
}
