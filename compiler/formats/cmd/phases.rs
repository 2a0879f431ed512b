//! A model of how cmd.exe turns one line of a batch script into the arguments a program receives.
//!
//! Phases, for a script with extensions on and delayed expansion off:
//!
//! 1. [`percent_pass`]: `%%`, `%NAME%`, `%1` are replaced, without regard to quotes.
//! 2. [`split()`]: quotes switch the special characters off; `& && || |` separate commands, `< >` redirect, `^` protects
//!    one character.
//! 3. `call` doubles every `^` and runs phases 1 and 2 again.
//! 4. A batch file of RabbitMQ 3.8 relays its arguments by `set STAR=%*`, which is phase 2 once more without quotes
//!    around, and hands `!STAR!` to `erl.exe` (`scripts/rabbitmqctl.bat`, v3.8.1; `rabbitmq-plugins.bat` is alike).
//! 5. [`runtime_arguments`]: the C runtime of the program splits its command line.
//!
//! Sources: <https://stackoverflow.com/a/4095133> and <https://www.dostips.com/forum/viewtopic.php?f=3&t=1838> for
//! cmd.exe; Microsoft, "main function and command-line arguments" for the C runtime. Where the real cmd.exe does
//! something that no generated script may rely on (substrings, unbalanced quotes), the model refuses. It must not know
//! which lines are good style; that is `read.rs`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::is_batch_file;
use crate::{Cut as _, FormatError};

mod split;

pub(super) use split::whole;
pub use split::{Joint, Piece, split};

/// One command of a line as the program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, batch file, built-in command or `:LABEL`, without quotes.
    pub program: String,
    /// What the program receives. Built-in commands receive their raw text as one argument.
    pub arguments: Vec<String>,
    /// Whether it was started with `call`.
    pub through_call: bool,
    /// Redirections, in order, for example `>nul`.
    pub redirections: Vec<String>,
}

/// Looks up a variable; the name arrives in upper case. Arguments of the script are named `0` to `9` and `*`, its folder
/// `~DP0`.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One thing a percent sign can begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Percent<'a> {
    /// `%%`, which becomes `%`.
    Literal,
    /// `%NAME%`, `%1`, `%~1`, `%~dp0`, `%*`.
    Name(&'a str),
    /// Anything else that the real cmd.exe would expand in its own way.
    Odd(&'static str),
}

/// Finds what the percent sign at the beginning of `rest` means and how many bytes it takes.
pub(super) fn percent(rest: &str) -> (Percent<'_>, usize) {
    let after = rest.strip_prefix('%').unwrap_or(rest);
    // No part where the text is shorter, or where a character does not end there.
    let part = |length: usize| after.get(..length).unwrap_or("");
    match after.chars().next() {
        Some('%') => (Percent::Literal, 2),
        Some('0'..='9' | '*') => (Percent::Name(part(1)), 2),
        Some('~') => {
            let folder = part(4);
            if folder.eq_ignore_ascii_case("~dp0") {
                (Percent::Name(folder), 5)
            } else if part(2).ends_with(|c: char| c.is_ascii_digit()) {
                (Percent::Name(part(2)), 3)
            } else {
                (Percent::Odd("a modifier other than `%~dp0` and `%~1`"), 1)
            }
        }
        _ => match memchr::memchr(b'%', after.as_bytes()) {
            None => (Percent::Odd("a single percent sign"), 1),
            Some(end) if part(end).contains(':') => {
                (Percent::Odd("a substring or replacement `%NAME:…%`"), end + 2)
            }
            Some(end) => (Percent::Name(part(end)), end + 2),
        },
    }
}

/// Phase 1: replaces everything that begins with a percent sign; an undefined variable becomes nothing.
///
/// # Errors
/// `%NAME:…%`, unknown modifiers, and a percent sign without a partner.
pub fn percent_pass(line: &str, environment: Environment<'_>) -> Result<String, FormatError> {
    let mut expanded = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        expanded.push_str(before);
        let (meaning, length) = percent(from);
        let start = line.len() - from.len();
        match meaning {
            Percent::Literal => expanded.push('%'),
            Percent::Name(name) => {
                let upper = name.to_ascii_uppercase();
                let digit = upper.strip_prefix('~').filter(|digit| digit.len() == 1);
                let value = match digit {
                    Some(digit) => environment(digit).map(|value| value.trim_matches('"').to_owned()),
                    None => environment(&upper),
                };
                expanded.push_str(&value.unwrap_or_default());
            }
            Percent::Odd(what) => return Err(FormatError::new(start..start + length, what)),
        }
        rest = from.cut(length..);
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Takes the first word off: up to the first blank outside quotes.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    let mut quoted = false;
    let end = text
        .bytes()
        .position(|byte| {
            quoted ^= byte == b'"';
            byte == b' ' && !quoted
        })
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Phase 5: splits what follows the program name by the rules of Microsoft's C runtime (UCRT).
///
/// Backslashes are literal unless they stand before a quote; inside quotes `""` is one quote.
pub fn runtime_arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if chars.peek().is_none() {
            return arguments;
        }
        let mut argument = String::new();
        let mut quoted = false;
        loop {
            let mut backslashes = 0;
            while chars.next_if_eq(&'\\').is_some() {
                backslashes += 1;
            }
            if chars.peek() == Some(&'"') {
                argument.extend(std::iter::repeat_n('\\', backslashes / 2));
                chars.next();
                if backslashes % 2 == 1 || (quoted && chars.next_if_eq(&'"').is_some()) {
                    argument.push('"');
                } else {
                    quoted = !quoted;
                }
                continue;
            }
            argument.extend(std::iter::repeat_n('\\', backslashes));
            match chars.next_if(|c| quoted || !matches!(c, ' ' | '\t')) {
                Some(c) => argument.push(c),
                None => break,
            }
        }
        arguments.push(argument);
    }
}

/// Commands that cmd.exe does itself; they get their raw text.
const BUILT_IN: &[&str] = &[
    "echo", "echo.", "endlocal", "exit", "for", "goto", "popd", "set", "setlocal",
];

/// Every command of one line with the arguments its program receives.
///
/// `if` conditions are taken off and not evaluated. A comment or label gives no command.
///
/// # Errors
/// What the phases refuse, and a `call` line whose second reading or relay would split it.
pub fn arguments_of(line: &str, environment: Environment<'_>) -> Result<Vec<Command>, FormatError> {
    let line = line.trim_start_matches([' ', '@']);
    let (word, _) = first_word(line);
    // Labels and comments are recognized before anything is expanded.
    if line.is_empty() || line.starts_with(':') || word.eq_ignore_ascii_case("rem") {
        return Ok(Vec::new());
    }
    let expanded = percent_pass(line, environment)?;
    split(&expanded)?
        .into_iter()
        .map(|piece| command_of(piece, environment))
        .collect()
}

fn command_of(piece: Piece<'_>, environment: Environment<'_>) -> Result<Command, FormatError> {
    let range = piece.range;
    let text = without_conditions(&piece.text);
    let (word, rest) = first_word(text);
    let owned = |redirection: &Cow<'_, str>| redirection.clone().into_owned();
    let mut redirections: Vec<String> = piece.redirections.iter().map(owned).collect();
    if word.eq_ignore_ascii_case("call") {
        let again = percent_pass(&rest.replace('^', "^^"), environment)?;
        let text = only_piece(&again, &range, "`call` reads the line again and would split it")?;
        let (program, rest) = first_word(&text.text);
        redirections.extend(text.redirections.iter().map(owned));
        let program = program.replace('"', "");
        let arguments = if is_batch_file(&program) {
            let relayed = only_piece(
                rest,
                &range,
                "`set STAR=%*` of the batch file would split the arguments",
            )?;
            runtime_arguments(&relayed.text)
        } else {
            runtime_arguments(rest)
        };
        return Ok(Command {
            program,
            arguments,
            through_call: true,
            redirections,
        });
    }
    let arguments = if BUILT_IN.iter().any(|name| word.eq_ignore_ascii_case(name)) {
        let raw = rest.strip_prefix(' ').unwrap_or(rest);
        Some(raw)
            .filter(|raw| !raw.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect()
    } else {
        runtime_arguments(rest)
    };
    Ok(Command {
        program: word.replace('"', ""),
        arguments,
        through_call: false,
        redirections,
    })
}

/// Splits a text that must stay one command.
fn only_piece<'l>(
    text: &'l str,
    range: &std::ops::Range<usize>,
    why: &str,
) -> Result<Piece<'l>, FormatError> {
    let refuse = || FormatError::new(range.clone(), why);
    let mut pieces = split(text).map_err(|_| refuse())?;
    match (pieces.pop(), pieces.is_empty()) {
        (Some(piece), true) if piece.redirections.is_empty() => Ok(piece),
        (Some(_) | None, _) => Err(refuse()),
    }
}

/// Takes `if …` conditions off the beginning of a command. A second `if` is legal in cmd.exe; more are not worth modelling.
fn without_conditions(text: &str) -> &str {
    let behind = |text| condition(text).map_or(text, |condition| condition.command);
    behind(behind(text))
}

/// `if CONDITION COMMAND`, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition<'l> {
    /// What is asked.
    pub question: Question,
    /// What it is asked about: the word after the keyword, or the whole comparison.
    pub subject: &'l str,
    /// What is done then.
    pub command: &'l str,
}

/// What a condition asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// `exist PATH`
    Exist,
    /// `defined NAME`
    Defined,
    /// `errorlevel N`
    ErrorLevel,
    /// `A==B`
    Equal,
}

/// Splits `if CONDITION COMMAND`; `None` when the text is no `if` of a known form.
pub(super) fn condition(text: &str) -> Option<Condition<'_>> {
    let (word, mut rest) = first_word(text);
    if !word.eq_ignore_ascii_case("if") {
        return None;
    }
    // `not` and `/i` may stand in front, in any order, at most once each.
    for _ in 0..4 {
        let (word, after) = first_word(rest);
        rest = after;
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if is("not") || is("/i") {
            continue;
        }
        let question = match word.len() {
            5 if is("exist") => Question::Exist,
            7 if is("defined") => Question::Defined,
            10 if is("errorlevel") => Question::ErrorLevel,
            _ => {
                return word.contains("==").then(|| Condition {
                    question: Question::Equal,
                    subject: word,
                    command: rest.trim_start(),
                });
            }
        };
        let (subject, after) = first_word(rest);
        return (!subject.is_empty()).then(|| Condition {
            question,
            subject,
            command: after.trim_start(),
        });
    }
    None
}

/// Every command of a script in the order of its lines, with variables taken from the script's own `set` lines first.
///
/// Jumps and conditions are not followed. The range of an error lies in its line.
///
/// # Errors
/// As [`arguments_of`], for the first bad line.
pub fn commands_of(script: &str, environment: Environment<'_>) -> Result<Vec<Command>, FormatError> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut commands = Vec::new();
    for line in script.lines() {
        let found = arguments_of(line, &|name| {
            variables.get(name).cloned().or_else(|| environment(name))
        })?;
        for command in &found {
            if command.program.eq_ignore_ascii_case("set")
                && let [assignment] = command.arguments.as_slice()
                && let Some((name, value)) = assignment
                    .strip_prefix('"')
                    .and_then(|inner| inner.strip_suffix('"'))
                    .and_then(|inner| inner.split_once('='))
            {
                variables.insert(name.to_ascii_uppercase(), value.to_owned());
            }
        }
        commands.extend(found);
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "SBIN" => Some(r"C:\Program Files\RabbitMQ\sbin".to_owned()),
            "~DP0" => Some(r"D:\unpacked\".to_owned()),
            "1" => Some("\"first\"".to_owned()),
            _ => None,
        }
    }

    /// Compares `program|argument|argument` of every command, or the error.
    fn check(line: &str, expected: &[&str]) {
        let got: Vec<_> = match arguments_of(line, &environment) {
            Ok(commands) => commands
                .into_iter()
                .map(|command| [vec![command.program], command.arguments].concat().join("|"))
                .collect(),
            Err(error) => vec![format!("error: {error}")],
        };
        assert_eq!(got, expected, "{line}");
    }

    #[test]
    fn percent_signs() {
        check(
            "echo 100%% %SBIN% %none%x %~1",
            &[r"echo|100% C:\Program Files\RabbitMQ\sbin x first"],
        );
        check(r#"pushd "%~dp0""#, &[r#"pushd|D:\unpacked""#]);
        check("a %x:~1%", &["error: a substring or replacement `%NAME:…%`"]);
        check("a 5%", &["error: a single percent sign"]);
    }

    /// The travel of an argument through `call rabbitmqctl.bat`; the good form and the forms that go wrong.
    #[test]
    fn relay() {
        let ctl = r"C:\Program Files\RabbitMQ\sbin\rabbitmqctl.bat";
        check(
            r#"call "%SBIN%\rabbitmqctl.bat" -q set "{""uri"":""a%%%%20b&c=d"",""n"":1}" || goto :FAILED"#,
            &[
                &format!(r#"{ctl}|-q|set|{{"uri":"a%20b&c=d","n":1}}"#),
                "goto|:FAILED",
            ],
        );
        // Half of the percent signs: `%2` becomes the second argument of the script.
        check(
            r#"call "%SBIN%\rabbitmqctl.bat" "a%%20b""#,
            &[&format!("{ctl}|a0b")],
        );
        check(
            r#"call "%SBIN%\rabbitmqctl.bat" "a^b""#,
            &[&format!("{ctl}|a^^b")],
        );
        // Backslash quoting switches cmd.exe out of quotes, so `&` separates.
        check(
            r#"call "%SBIN%\rabbitmqctl.bat" "{\"uri\":\"a&c=d\"}""#,
            &[&format!(r#"{ctl}|{{"uri":"a"#), r"c=d\}"],
        );
        check(r#"C:\a.exe "%%20""#, &[r"C:\a.exe|%20"]);
    }

    #[test]
    fn conditions_and_comments_are_taken_off() {
        check(r#"if not "%x%"=="0" if exist "C:\a b" copy a b"#, &["copy|a|b"]);
        check("rem 5% \" &", &[]);
        check(":label % \"", &[]);
    }

    /// The table of Microsoft's page "main function and command-line arguments".
    #[test]
    fn runtime_rules() {
        for (text, expected) in [
            (r#""abc" d e"#, &["abc", "d", "e"][..]),
            (r#"a\\b d"e f"g h"#, &[r"a\\b", "de fg", "h"]),
            (r#"a\\\"b c d"#, &[r#"a\"b"#, "c", "d"]),
            (r#"a\\\\"b c" d e"#, &[r"a\\b c", "d", "e"]),
            (r#"a"b"" c d"#, &[r#"ab" c d"#]),
        ] {
            assert_eq!(runtime_arguments(text), expected, "{text}");
        }
        assert_eq!(runtime_arguments(r#"""" x" "" y"#), ["\" x", "", "y"]);
    }

    proptest! {
        #[test]
        fn model_survives_anything(line in "\\PC*|[a-z\"%^&|<>~*0-9: \\\\]*") {
            drop(arguments_of(&line, &environment));
            drop(runtime_arguments(&line));
        }
    }
}
