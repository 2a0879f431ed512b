//! Values in positions that are named like a secret, in whatever text they stand.
//!
//! Key and value may be one assignment, two attributes of an element, the two parts of a tuple, or arguments of a known
//! command. This file must not know a format: a position is recognised by the characters around it.

use std::ops::Range;

use memchr::memmem;

use super::values::{first_value, is_literal};
use super::{Found, logins, names, shapes, up_to};
use crate::formats::Cut as _;

/// How far a value may stand from the attribute or line that names it, in bytes.
const NEAR: usize = 300;
/// Longest name that is looked at.
const LONGEST_NAME: usize = 80;

/// Attributes that hold the name of a setting, and those that hold its value.
const NAMING: &[&str] = &["key", "name", "id", "field", "variable", "property", "setting"];
const VALUES: &[&str] = &["value", "data", "default", "content", "text"];

/// Commands and directives whose words are a name and its value: `proxy_set_header X-Api-Key abc`.
const NAME_THEN_VALUE: &[&str] = &[
    "set",
    "setx",
    "proxy_set_header",
    "add_header",
    "more_set_headers",
    "fastcgi_param",
    "uwsgi_param",
    "env",
    "default",
];

/// Every literal in a position that is named like a secret. `declared` are names of secrets, which may be printed.
///
/// A name and the sign that assigns to it stand on one line, so most lines need no look.
pub(super) fn scan(text: &str, declared: &[&str], found: &mut Vec<Found>) {
    let mut pair = Pair::default();
    let (mut assigned, mut given) = (Vec::new(), Vec::new());
    let mut at = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
    for end in ends.chain([text.len()]) {
        let line = text.cut(at..end);
        let marks = names::marks(line);
        if marks.may_name_a_secret() {
            signs(text, at..end, declared, &mut pair, &mut assigned);
        }
        if marks.may_have_an_argument()
            && let Some(argument) = arguments(line, declared)
        {
            given.push(argument.behind(at));
        }
        at = end;
    }
    // The value of a named setting may stand on any line near it.
    if pair.met {
        assigned.clear();
        signs(text, 0..text.len(), declared, &mut Pair::default(), &mut assigned);
    }
    found.append(&mut assigned);
    found.append(&mut given);
    inserted(text, declared, found);
}

/// Whether a sign in a line may stand behind the name of a secret.
pub(super) fn may_name_a_secret(line: &str) -> bool {
    // Of a longer name only the end is looked at, which may begin inside a word.
    names::may_be_in(line)
        || line
            .split(|letter| !names::belongs(letter))
            .any(|name| name.len() > LONGEST_NAME)
}

/// What lines of a text assign to names of secrets, while they are looked at one after the other.
#[derive(Default)]
pub(super) struct Names {
    pair: Pair,
    found: Vec<Found>,
}

impl Names {
    /// Looks at the line at `range`.
    pub(super) fn look(&mut self, text: &str, range: Range<usize>) {
        signs(text, range, &[], &mut self.pair, &mut self.found);
    }

    /// Whether something was found, or a setting is named like a secret, whose value may stand on any line near it.
    pub(super) fn is_suspect(&self) -> bool {
        self.pair.met || !self.found.is_empty()
    }
}

/// What the signs in a range of a text assign.
fn signs(text: &str, range: Range<usize>, declared: &[&str], pair: &mut Pair, found: &mut Vec<Found>) {
    let named = |name: Range<usize>| Found {
        position: text.cut(name.clone()).to_owned(),
        name,
    };
    for (at, byte) in range.clone().zip(text.as_bytes().cut(range)) {
        found.extend(match byte {
            b'=' | b':' => assignment(text, at, declared, pair),
            b',' => tuple(text, at, declared).map(named),
            b'<' => element(text, at, declared).map(named),
            _ => None,
        });
    }
}

/// Whether a name only says that here is the value of something named elsewhere.
pub(super) fn is_value(name: &str) -> bool {
    VALUES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The identifier that ends before `at`, without blanks, quotes and brackets behind it.
fn name_before(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let low = at.saturating_sub(LONGEST_NAME);
    let back_over = |mut end: usize, passed: fn(u8) -> bool| {
        while end > low && bytes.get(end - 1).is_some_and(|byte| passed(*byte)) {
            end -= 1;
        }
        end
    };
    let end = back_over(at, |byte| matches!(byte, b' ' | b'\t'));
    let end = back_over(end, |byte| matches!(byte, b'"' | b'\'' | b']' | b'\\' | b'>'));
    let start = back_over(end, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
    });
    // Other letters need a look at whole characters.
    if start > low && bytes.get(start - 1).is_some_and(|byte| !byte.is_ascii()) {
        let before = text.cut(text.ceil_char_boundary(low)..start);
        let letters = before.chars().rev().take_while(|letter| names::belongs(*letter));
        return start - letters.map(char::len_utf8).sum::<usize>()..end;
    }
    start..end
}

/// A setting whose name and value stand apart, while the second half is looked for.
#[derive(Default)]
struct Pair {
    /// Where the name of a secret ends, and what it is.
    named: Option<Found>,
    /// Where a literal value begins and ends, when it came before its name.
    value: Option<Range<usize>>,
    /// Whether a name of a secret was met at all.
    met: bool,
}

/// `name = value`, `name: value`, `"name": "value"`, `key="name" … value="value"`, `pass:value` of OpenSSL.
fn assignment(text: &str, at: usize, declared: &[&str], pair: &mut Pair) -> Option<Found> {
    let after = text.cut(at + 1..);
    let symbol = text.as_bytes().get(at);
    if after.starts_with(['=', '>', ':']) || text.as_bytes().get(at.wrapping_sub(1)) == symbol {
        return None;
    }
    let range = name_before(text, at);
    let name = text.cut(range.clone());
    let found = |name: Range<usize>, position: &str| {
        Some(Found {
            name,
            position: position.to_owned(),
        })
    };
    if name.len() < 2 {
        return declared_variable(text, at, declared);
    }
    let is_naming = NAMING.iter().any(|known| name.eq_ignore_ascii_case(known));
    let is_value = is_value(name);
    if is_naming || is_value {
        let value = first_value(after.trim_start_matches([' ', '\t']));
        let close = |from: usize, to: usize| {
            to.saturating_sub(from) <= NEAR
                && text
                    .get(from..to)
                    .is_none_or(|between| !between.contains(['>', '}', '<']))
        };
        if is_naming {
            pair.named = None;
            if !names::is_secret(value) {
                return None;
            }
            pair.met = true;
            if let Some(before) = pair.value.take()
                && close(before.end, range.start)
            {
                return found(range, value);
            }
            if let Some((between, inner)) = near(after).split_once("<value>")
                && !between.contains("</")
                && is_literal(up_to(inner, |letter| letter == '<'), declared)
            {
                return found(range, value);
            }
            pair.named = found(range.start..at + 1, value);
            return None;
        }
        if is_literal(value, declared) {
            pair.value = Some(range.start..at + 1 + value.len() + 2);
            return pair
                .named
                .take()
                .filter(|named| close(named.name.end, range.start));
        }
        return None;
    }
    let openssl = symbol == Some(&b':') && name == "pass" && !after.starts_with([' ', '\t', '\r', '\n']);
    if openssl && after.starts_with(['"', '\'', '`'])
        || !openssl && name == "pass" && !is_first(text, range.start)
    {
        return None;
    }
    if !openssl && names::is_login(name) && logins::is_account_with_password(after, declared) {
        return found(range, name);
    }
    if !openssl && !names::is_secret(name) {
        return declared_variable(text, at, declared);
    }
    let value = if openssl {
        first_value(after)
    } else {
        let here = after.trim_start_matches([' ', '\t']);
        if let Some(inside) = here.strip_prefix('{') {
            value_inside(inside).unwrap_or_else(|| first_value(here))
        } else if here.trim_start_matches(['|', '>', '-', '\r']).starts_with('\n') {
            value_below(text, at, here)
        } else {
            first_value(here)
        }
    };
    // `{ secret: NAME }` of an inventory names a secret, and so does advice to write it.
    let is_named = name == "secret"
        && names::is_secret(value)
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_named || !is_literal(value, declared) {
        return None;
    }
    found(range, name)
}

/// The value of `"password": { "value": "…" }`.
fn value_inside(inside: &str) -> Option<&str> {
    let (name, value) = near(inside).split_once(':')?;
    is_value(name.trim().trim_matches(['"', '\''])).then(|| first_value(value.trim_start()))
}

/// Whether nothing but a mark of a list or a bracket stands before a name in its line. `-passin pass: -noout` is no key.
fn is_first(text: &str, at: usize) -> bool {
    let line = line_before(text, at);
    line.trim_end_matches([' ', '\t', '"', '\'', '-', '?', '{', '[', ','])
        .is_empty()
        || line.trim_end().ends_with([',', '{'])
}

/// The value on the next line: of a quoted name always, else one word that is indented deeper.
fn value_below<'t>(text: &'t str, at: usize, after: &'t str) -> &'t str {
    let below = after.trim_start_matches(['|', '>', '-', '\r', '\n']);
    let line = below.lines().next().unwrap_or_default();
    let quoted = text
        .as_bytes()
        .get(at.wrapping_sub(1))
        .is_some_and(|byte| matches!(byte, b'"' | b'\''));
    let word = line.trim();
    let own = line_before(text, at);
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    if quoted && word.starts_with(['"', '\''])
        || indent(line) > indent(own) && !word.contains([' ', ':', '='])
    {
        first_value(word)
    } else {
        ""
    }
}

/// `DECLARE @password nvarchar(128) = N'…'`.
fn declared_variable(text: &str, at: usize, declared: &[&str]) -> Option<Found> {
    if text.as_bytes().get(at) != Some(&b'=') {
        return None;
    }
    let before = line_before(text, at);
    let low = at - before.len();
    let sign = before.rfind('@')?;
    let name = before
        .get(sign + 1..)?
        .split(|letter: char| !names::belongs(letter))
        .next()?;
    let between = before.get(sign + 1 + name.len()..)?.trim();
    let kind = up_to(between, |letter| letter == '(');
    let is_type = !kind.is_empty()
        && kind
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == ' ');
    let value = first_value(text.get(at + 1..)?.trim_start());
    (is_type && names::is_secret(name) && is_literal(value, declared)).then(|| Found {
        name: low + sign + 1..low + sign + 1 + name.len(),
        position: name.to_owned(),
    })
}

/// `{default_pass, <<"value">>}`, `("password", "value")`.
fn tuple(text: &str, at: usize, declared: &[&str]) -> Option<Range<usize>> {
    let range = name_before(text, at);
    let name = text.get(range.clone())?;
    let after = text.get(at + 1..)?.trim_start();
    if names::is_login(name) && logins::is_account_with_password(after, declared) {
        return Some(range);
    }
    if !names::is_secret(name) {
        return None;
    }
    let is_quoted = after.trim_start_matches('N').starts_with(['"', '\'', '<']);
    let opens = text
        .get(..range.start)?
        .trim_end_matches(['"', '\'', '<', 'N', '\\', ' '])
        .ends_with(['{', '(', '[']);
    let value = first_value(after);
    // A list of such names is no list of secrets.
    (is_quoted && opens && is_literal(value, declared) && !names::is_secret(value) && !value.contains(' '))
        .then_some(range)
}

/// `<password>value</password>`.
fn element(text: &str, at: usize, declared: &[&str]) -> Option<Range<usize>> {
    let rest = text.get(at + 1..)?;
    let length = rest
        .find(|letter: char| !(names::belongs(letter) || letter == ':'))
        .unwrap_or(0);
    let name = rest.get(..length)?;
    let name = name.rsplit(':').next().unwrap_or(name);
    if !names::is_secret(name) {
        return None;
    }
    let (_, body) = rest.split_once('>')?;
    let (value, end) = body.split_once('<')?;
    (end.starts_with('/') && is_literal(value, declared)).then_some(at + 1..at + 1 + length)
}

/// Arguments of known commands, headers and directives in one line.
pub(super) fn arguments(line: &str, declared: &[&str]) -> Option<Found> {
    arguments_among(line, declared, names::Marks::may_have_an_argument)
}

/// [`arguments`] among the words of whose marks `is_looked_at` holds.
fn arguments_among(line: &str, declared: &[&str], is_looked_at: fn(names::Marks) -> bool) -> Option<Found> {
    let mut before: [&str; 2] = [""; 2];
    let mut rest = line;
    while let Some(word) = next_word(&mut rest) {
        let end = line.len() - rest.len();
        let start = end.saturating_sub(word.len());
        // With the blank behind it, because a mark has three letters and an option two.
        let marks = names::marks(line.get(start..=end).unwrap_or(word));
        if is_looked_at(marks)
            && let Some(position) = argument(line, before, word, rest, declared)
        {
            return Some(Found {
                name: start..end,
                position,
            });
        }
        before = [before[1], word];
    }
    None
}

/// Whether a line names one of these programs.
fn mentions(line: &str, programs: &[&str]) -> bool {
    let lower = line.to_ascii_lowercase();
    programs.iter().any(|known| lower.contains(known))
}

fn is_of_sqlcmd(line: &str) -> bool {
    mentions(line, &["sqlcmd", "bcp", "osql"])
}

/// Whether `-p` or `-P` of the program in a line is a password, and not a port or a parent folder.
fn takes_a_password(line: &str) -> bool {
    mentions(line, &["certutil", "psexec", "winrs", "rabbitmqadmin"])
}

/// Whether a word calls `net.exe`.
fn is_net(word: &str) -> bool {
    let program = word.trim_matches(['"', '\'', '`']).to_ascii_lowercase();
    let name = program.rsplit('\\').next().unwrap_or(&program);
    ["net", "net.exe", "net1", "net1.exe"].contains(&name)
}

/// Whether what follows `word` is a secret in a line; gives the name of the position.
fn argument(line: &str, before: [&str; 2], word: &str, rest: &str, declared: &[&str]) -> Option<String> {
    // Most words are plain, and no plain word that is not one of these means anything here.
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_alphanumeric());
    let bare = if edge(word.as_bytes().first()) || edge(word.as_bytes().last()) {
        word.trim_matches(['"', '\'', '`', '*', ';', '(', ')', '[', ']', ','])
    } else {
        word
    };
    let next = |number: usize| {
        let mut rest = rest;
        let mut found = None;
        for _ in 0..number {
            found = next_word(&mut rest);
        }
        found.unwrap_or_default()
    };
    let literal = |word: &str| {
        !word.starts_with(['-', '/', '>', '&', '|'])
            && !shapes::is_variable(word)
            && is_literal(first_value(word.trim_start_matches('\\')), declared)
    };
    let is = |known: &str| bare.eq_ignore_ascii_case(known);
    let named = |yes: bool, what: &str| yes.then(|| what.to_owned());
    match bare.as_bytes().first()?.to_ascii_lowercase() {
        b'a' if is("add_user") || is("authenticate_user") => {
            named(literal(next(2)), "password of a broker user")
        }
        b'a' if is("authorization") || is("authorization:") => {
            let scheme = next(1).trim_matches(['"', '\'', ':', '=']);
            let schemes = ["basic", "bearer", "digest", "token", "negotiate"];
            named(
                schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) && literal(next(2))
                    || next(1).starts_with('"') && {
                        let whole = first_value(next(1));
                        whole.split_once(' ').is_some_and(|(first, value)| {
                            schemes.iter().any(|known| first.eq_ignore_ascii_case(known)) && literal(value)
                        })
                    },
                "Authorization",
            )
        }
        b'c' if is("change_password") => named(literal(next(2)), "password of a broker user"),
        b'c' if is("convertto-securestring") => {
            named(next(1).starts_with(['"', '\'']) && literal(next(1)), "password")
        }
        b'u' if is("user") => named(is_net(before[1]) && literal(next(2)), "password of an account"),
        b'u' if is("use") => {
            // A device may stand before the share; the password stands behind it, perhaps with options between.
            let share = if next(1).contains('\\') { 1 } else { 2 };
            let mut behind = (share + 1..share + 4).map(next);
            let password = behind.find(|word| !word.starts_with('/')).unwrap_or_default();
            named(is_net(before[1]) && literal(password), "password of a share")
        }
        b'-' if bare == "-p" || bare == "-P" && !is_of_sqlcmd(line) => named(
            takes_a_password(line) && literal(next(1)),
            "password of a command",
        ),
        b'-' if bare == "-P" || bare.starts_with("-P") && !bare.starts_with("-Pa") => {
            let is_sql = is_of_sqlcmd(line);
            let value = if bare == "-P" { next(1) } else { bare.cut(2..) };
            named(is_sql && literal(value), "password of sqlcmd")
        }
        b'-' if (bare == "-u" || bare == "--user") && line.contains("curl") => {
            let value = next(1).trim_matches(['"', '\'']);
            named(
                value
                    .split_once(':')
                    .is_some_and(|(_, password)| literal(password)),
                "password of curl",
            )
        }
        b'/' if is("/p") => named(
            mentions(
                line,
                &[
                    "schtasks",
                    "systeminfo",
                    "tasklist",
                    "taskkill",
                    "getmac",
                    "driverquery",
                ],
            ) && literal(next(1)),
            "password of a command",
        ),
        b'/' if is("/rp") => named(literal(next(1)), "password of a task"),
        b'-' | b'/' => {
            let name = bare.trim_start_matches(['-', '/']);
            named(
                !name.contains(['/', '.', '\\']) && names::is_secret(name) && literal(next(1)),
                name,
            )
        }
        _ => {
            let name = bare.trim_start_matches('$');
            let directive = before[1].trim_start_matches(['@', '(']);
            let is_directive = NAME_THEN_VALUE
                .iter()
                .any(|known| directive.eq_ignore_ascii_case(known));
            named(
                name.chars().all(names::belongs)
                    && names::is_secret(name)
                    && (is_directive || names::is_password(name) && shapes::is_made_up(next(1)))
                    && !next(1).starts_with('=')
                    && literal(next(1)),
                name,
            )
        }
    }
}

/// The next word of a line; quotes keep blanks together, and so do the braces of a template.
fn next_word<'l>(rest: &mut &'l str) -> Option<&'l str> {
    let text = rest.trim_start();
    let (mut quoted, mut braces) = (false, 0u32);
    let end = text
        .bytes()
        .position(|byte| {
            match byte {
                b'"' => quoted = !quoted,
                b'{' => braces += 1,
                b'}' => braces = braces.saturating_sub(1),
                _ => return byte == b'\n' || !quoted && braces < 2 && byte.is_ascii_whitespace(),
            }
            false
        })
        .unwrap_or(text.len());
    let word = text.get(..end)?;
    *rest = text.get(end..)?;
    (!word.is_empty()).then_some(word)
}

/// `INSERT INTO t (user, password) VALUES (N'u', N'value')`.
pub(super) fn inserted(text: &str, declared: &[&str], found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    for at in memmem::find_iter(bytes, "VALUES").chain(memmem::find_iter(bytes, "values")) {
        let before = text.cut(..at).trim_end();
        let Some(inner) = before.strip_suffix(')') else {
            continue;
        };
        let Some(open) = inner.rfind('(') else { continue };
        let columns: Vec<&str> = inner.cut(open + 1..).split(',').collect();
        let rows = up_to(text.cut(at + "VALUES".len()..), |letter| letter == ';');
        for (number, column) in columns.iter().enumerate() {
            let column = column.trim().trim_matches(['[', ']', '"']);
            if !names::is_secret(column) {
                continue;
            }
            let has_literal = rows.split(')').any(|row| {
                row.split_once('(')
                    .and_then(|(_, row)| row.split(',').nth(number))
                    .map(str::trim)
                    .is_some_and(|value| value.contains('\'') && is_literal(first_value(value), declared))
            });
            if has_literal {
                found.push(Found {
                    name: at..at + "VALUES".len(),
                    position: column.to_owned(),
                });
            }
        }
    }
}

/// The beginning of a text in which what belongs together stands.
fn near(text: &str) -> &str {
    text.cut(..text.floor_char_boundary(NEAR))
}

/// What stands before `at` in its line.
fn line_before(text: &str, at: usize) -> &str {
    let before = text.cut(..at);
    before.rsplit('\n').next().unwrap_or(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at every line.
    fn scan_all(text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        signs(text, 0..text.len(), &[], &mut Pair::default(), &mut found);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            found.extend(arguments_among(line, &[], |_| true).map(|argument| argument.behind(at)));
            at += line.len();
        }
        inserted(text, &[], &mut found);
        found
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]

        #[test]
        fn no_line_that_matters_is_passed_over(
            text in "(set|SETX|env|net|user|add_user|change_password|Authorization|basic|-P|-Px|-U|-u|curl|sqlcmd|/RP|--token\
                |X-Api-Key|[$]Secret|Pwd|COOKIE|credential|pass|hunter2Zq9|key=|value=|<value>|</value>|<password>|name:\
                |api|key|[a-z]{78,82}|DECLARE @|VALUES|[\\\\\"'(){}<>=:,;| \n]|\\PC){1,16}"
        ) {
            let mut found = Vec::new();
            scan(&text, &[], &mut found);
            let every = scan_all(&text);
            proptest::prop_assert_eq!(
                found.iter().map(|found| (&found.name, &found.position)).collect::<Vec<_>>(),
                every.iter().map(|found| (&found.name, &found.position)).collect::<Vec<_>>(),
                "{}", text
            );
            let is_clean = super::super::scan_plain(&text, &[]).is_empty();
            proptest::prop_assert!(is_clean || !super::super::passes_by_lines(&text), "{}", text);
        }

        #[test]
        fn names_before_a_sign_end_where_their_letters_end(text in "([a-zA-Z0-9_.-]|[äß日]|[ \t\"'>\\]]){0,100}") {
            let range = name_before(&text, text.len());
            let name = text.get(range.clone());
            proptest::prop_assert!(name.is_some_and(|name| name.chars().all(names::belongs)), "{}", text);
            let low = text.len().saturating_sub(LONGEST_NAME);
            let letter = text.get(..range.start).and_then(|before| before.chars().next_back());
            proptest::prop_assert!(
                range.start < low + 4 || range.is_empty() || !letter.is_some_and(names::belongs),
                "{}", text
            );
        }
    }
}
