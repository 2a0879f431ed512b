//! A model of how cmd.exe turns one line of a batch script into the arguments a program receives.
//!
//! Phases, for a script with extensions on and delayed expansion off:
//!
//! 1. [`percent_pass`]: `%%`, `%NAME%`, `%1` are replaced, without regard to quotes.
//! 2. [`split`]: quotes switch the special characters off; `& && || |` separate commands, `< >` redirect, `^` protects
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
use crate::formats::FormatError;

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

/// How a command is joined to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// First command of the line.
    First,
    /// `&`
    Always,
    /// `&&`
    AndThen,
    /// `||`
    OrElse,
    /// `|`
    Pipe,
}

/// One command of a line after phase 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'l> {
    /// How the command is joined to the one before it.
    pub joint: Joint,
    /// The command without redirections; quotes are still there, carets outside quotes are gone.
    pub text: Cow<'l, str>,
    /// Redirections, in order.
    pub redirections: Vec<String>,
    /// The bytes of the command in the line that was split.
    pub range: std::ops::Range<usize>,
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
    let part = |length: usize| after.get(..length).unwrap_or_default();
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
        _ => match after.find('%') {
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
        rest = from.get(length..).unwrap_or_default();
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Phase 2: splits a line into commands and takes the redirections out.
///
/// # Errors
/// A quote that is not closed, a redirection without a target, an empty command between separators.
pub fn split(line: &str) -> Result<Vec<Piece<'_>>, FormatError> {
    // Most lines are one command without a redirection.
    if !line
        .bytes()
        .any(|byte| matches!(byte, b'^' | b'&' | b'|' | b'<' | b'>'))
    {
        return if line
            .bytes()
            .filter(|byte| *byte == b'"')
            .count()
            .is_multiple_of(2)
        {
            Ok(vec![Piece {
                joint: Joint::First,
                text: Cow::Borrowed(line),
                redirections: Vec::new(),
                range: 0..line.len(),
            }])
        } else {
            let at = line.rfind('"').unwrap_or_default();
            Err(FormatError::new(at..line.len(), "a quote that is not closed"))
        };
    }
    split_at_signs(line)
}

fn split_at_signs(line: &str) -> Result<Vec<Piece<'_>>, FormatError> {
    let mut pieces = Vec::new();
    // The command of the piece that is being read.
    let mut text = String::with_capacity(line.len());
    let mut piece = Piece {
        joint: Joint::First,
        text: Cow::Borrowed(""),
        redirections: Vec::new(),
        range: 0..0,
    };
    let mut chars = line.char_indices().peekable();
    let mut open_quote = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                open_quote = if open_quote.is_none() { Some(at) } else { None };
                text.push(c);
            }
            _ if open_quote.is_some() => text.push(c),
            '^' => match chars.next() {
                Some((_, protected)) => text.push(protected),
                None => return Err(FormatError::new(at..at + 1, "`^` at the end of a line")),
            },
            '&' | '|' => {
                let double = chars.next_if(|(_, next)| *next == c).is_some();
                let joint = match (c, double) {
                    ('&', false) => Joint::Always,
                    ('&', true) => Joint::AndThen,
                    (_, false) => Joint::Pipe,
                    (_, true) => Joint::OrElse,
                };
                let end = at + if double { 2 } else { 1 };
                piece.range.end = at;
                piece.text = Cow::Owned(std::mem::take(&mut text));
                let next = Piece {
                    joint,
                    text: Cow::Borrowed(""),
                    redirections: Vec::new(),
                    range: end..end,
                };
                pieces.push(std::mem::replace(&mut piece, next));
            }
            '<' | '>' => {
                let mut redirection = String::new();
                // A single digit in front, after a blank, is the handle.
                let mut before = text.chars().rev();
                if let Some(handle @ '0'..='9') = before.next()
                    && before.next().is_none_or(|c| c == ' ')
                {
                    text.pop();
                    redirection.push(handle);
                }
                redirection.push(c);
                if c == '>' && chars.next_if(|(_, next)| *next == '>').is_some() {
                    redirection.push('>');
                }
                let target_from = redirection.len();
                if chars.next_if(|(_, next)| *next == '&').is_some() {
                    redirection.push('&');
                }
                while chars.next_if(|(_, next)| *next == ' ').is_some() {}
                let mut quoted = false;
                while let Some((_, next)) =
                    chars.next_if(|(_, next)| quoted || !matches!(next, ' ' | '&' | '|' | '<' | '>' | '^'))
                {
                    quoted ^= next == '"';
                    redirection.push(next);
                }
                if quoted {
                    return Err(FormatError::new(at..line.len(), "a quote that is not closed"));
                }
                if redirection.len() == target_from {
                    return Err(FormatError::new(at..at + 1, "a redirection without a target"));
                }
                piece.redirections.push(redirection);
            }
            _ => text.push(c),
        }
    }
    if let Some(at) = open_quote {
        return Err(FormatError::new(at..line.len(), "a quote that is not closed"));
    }
    piece.range.end = line.len();
    piece.text = Cow::Owned(text);
    pieces.push(piece);
    if pieces.len() > 1
        && let Some(empty) = pieces.iter().find(|piece| piece.text.trim().is_empty())
    {
        return Err(FormatError::new(
            empty.range.clone(),
            "a separator without a command on both sides",
        ));
    }
    Ok(pieces)
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
    let text = without_condition(&piece.text);
    let (word, rest) = first_word(text);
    let mut redirections = piece.redirections;
    if word.eq_ignore_ascii_case("call") {
        let again = percent_pass(&rest.replace('^', "^^"), environment)?;
        let text = only_piece(&again, &range, "`call` reads the line again and would split it")?;
        let (program, rest) = first_word(&text.text);
        redirections.extend(text.redirections.iter().cloned());
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
        if raw.is_empty() {
            Vec::new()
        } else {
            vec![raw.to_owned()]
        }
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

/// Takes `if …` conditions off the beginning of a command.
fn without_condition(text: &str) -> &str {
    match condition(text) {
        Some((_, command)) => without_condition_tail(command),
        None => text,
    }
}

/// A second `if` is legal in cmd.exe; more are not worth modelling.
fn without_condition_tail(text: &str) -> &str {
    condition(text).map_or(text, |(_, command)| command)
}

/// Splits `if CONDITION COMMAND` into its words and the command; `None` when the text is no `if` of a known form.
pub(super) fn condition(text: &str) -> Option<(Vec<&str>, &str)> {
    let (word, mut rest) = first_word(text);
    if !word.eq_ignore_ascii_case("if") {
        return None;
    }
    let mut words = Vec::with_capacity(3);
    // `not` and `/i` may stand in front, in any order, at most once each.
    for _ in 0..4 {
        let (word, after) = first_word(rest);
        words.push(word);
        rest = after;
        let is = |known: &[&str]| known.iter().any(|known| word.eq_ignore_ascii_case(known));
        if is(&["exist", "defined", "errorlevel"]) {
            let (subject, after) = first_word(rest);
            words.push(subject);
            return (!subject.is_empty()).then_some((words, after.trim_start()));
        }
        if !is(&["not", "/i"]) {
            return word.contains("==").then_some((words, rest.trim_start()));
        }
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
    fn separators_and_redirections() {
        let pieces = split(r#"a "b & c" >nul 2>&1 || goto :X"#).unwrap();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].redirections, [">nul", "2>&1"]);
        assert_eq!(pieces[1].joint, Joint::OrElse);
        assert_eq!(
            split(r#"a >"C:\x y" b"#).unwrap()[0].redirections,
            [r#">"C:\x y""#]
        );
        assert_eq!(split("a x2>b").unwrap()[0].redirections, [">b"]);
        for bad in ["a \"b", "a ||", "a > ", "a ^", "& a"] {
            assert!(split(bad).is_err(), "{bad}");
        }
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
        fn lines_without_signs_are_split_as_any_other(line in "[a-z \"%()]{0,20}") {
            prop_assert_eq!(split(&line), split_at_signs(&line));
        }

        #[test]
        fn model_survives_anything(line in "\\PC*|[a-z\"%^&|<>~*0-9: \\\\]*") {
            drop(arguments_of(&line, &environment));
            drop(runtime_arguments(&line));
        }
    }
}
