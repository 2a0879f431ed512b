//! The secret gate: no text that looks like a secret enters a bundle.
//!
//! Generated texts, and inventory values before them, are scanned for values in a position named like a secret
//! (`Password=…`, `"token": "…"`, `key="Password" value="…"`), for private keys, tokens of known services, user
//! information in URLs and random words; also when they are written in base64, in hexadecimal, as UTF-16 bytes or with
//! escapes. A finding carries the place and the name of the position, never the value. This module must not know formats
//! or inventories: it reads plain text, and facts by their path.

use std::ops::Range;

use crate::formats::{Cut as _, FactPath, Form, Step};

mod decode;
pub mod lines;
mod logins;
mod names;
mod positions;
mod public;
mod shapes;
mod values;

/// A text that looks like a secret. The value itself is never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Byte range of the position's name, safe to show; empty at the beginning of a text that has no such name.
    pub name: Range<usize>,
    /// What the position is called, for example `Password`.
    pub position: String,
    /// How the value is written: `plain`, `escaped`, `base64`, `hexadecimal`.
    pub form: &'static str,
}

/// What the parts of this module find: a suspect without its form.
struct Found {
    name: Range<usize>,
    position: String,
}

impl Found {
    /// The same in a text in which what was looked at begins at `at`.
    fn behind(self, at: usize) -> Self {
        Self {
            name: at + self.name.start..at + self.name.end,
            ..self
        }
    }
}

/// How often a text may be encoded.
const DEEPEST: usize = 2;

/// What a suspect without a name is called.
const RANDOM: &str = "random text";

/// Every suspect of a text. `declared` are names of secrets the engineer supplies (they may be printed).
pub fn scan(text: &str, declared: &[&str]) -> Vec<Suspect> {
    let text = &*public::without(text);
    let mut found = scan_plain(text, declared);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(reading) = decode::unescaped(line) {
            let suspect = scan_as(&reading, declared, "escaped", false).into_iter().next();
            found.extend(suspect.map(|suspect| Suspect {
                name: at..at,
                ..suspect
            }));
        }
        at += line.len();
    }
    encoded(text, declared, DEEPEST, &mut found);
    found.sort_by_key(|suspect| suspect.name.start);
    one_for_each_line(text, found)
}

/// Suspects in what a text encodes.
fn encoded(text: &str, declared: &[&str], depth: usize, found: &mut Vec<Suspect>) {
    for (range, bytes, form) in decode::encoded_runs(text) {
        for reading in decode::readings(&bytes) {
            let mut inside = scan_as(&reading, declared, form, false);
            if inside.is_empty() && depth > 1 {
                encoded(&reading, declared, depth - 1, &mut inside);
            }
            if let Some(suspect) = inside.into_iter().next() {
                found.push(Suspect {
                    name: range.start..range.start,
                    position: suspect.position,
                    form,
                });
                break;
            }
        }
    }
}

/// The same value often looks like a secret in several ways: a random or escaped text is said only where nothing better
/// is known of its line.
fn one_for_each_line(text: &str, found: Vec<Suspect>) -> Vec<Suspect> {
    let is_weak = |suspect: &Suspect| suspect.position == RANDOM || suspect.form == "escaped";
    let line = |suspect: &Suspect| {
        let before = text.cut(..suspect.name.start);
        before.rfind('\n').map_or(0, |at| at + 1)
    };
    let strong: Vec<usize> = found
        .iter()
        .filter(|suspect| !is_weak(suspect))
        .map(line)
        .collect();
    let mut weak = Vec::new();
    found
        .into_iter()
        .filter(|suspect| {
            if !is_weak(suspect) {
                return true;
            }
            let line = line(suspect);
            let first = !weak.contains(&line) && !strong.contains(&line);
            weak.push(line);
            first
        })
        .collect()
}

/// Whether a key is named like a secret.
pub fn is_secret_name(key: &str) -> bool {
    names::is_secret(key)
}

/// Whether a key is named like a secret, or would be without a slip of the pen.
pub fn is_like_a_secret_name(key: &str) -> bool {
    names::is_like_a_secret(key)
}

/// Suspects that are not encoded: for long texts whose parts were scanned before.
pub fn scan_plain(text: &str, declared: &[&str]) -> Vec<Suspect> {
    let text = &*public::without(text);
    one_for_each_line(text, scan_as(text, declared, "plain", true))
}

/// What one line says about secrets by itself. A line that stands in many texts is looked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineLook {
    /// Whether it may name a secret, whose value may stand on another line.
    may_name: bool,
    /// Whether it holds one whatever stands around it.
    is_suspect: bool,
}

impl LineLook {
    /// Looks at a line.
    pub fn of(line: &str) -> Self {
        let marks = names::marks(line);
        let mut found = Vec::new();
        shapes::words(line, true, &mut found);
        Self {
            may_name: marks.may_name_a_secret() && positions::may_name_a_secret(line),
            is_suspect: !found.is_empty()
                || marks.may_have_an_argument() && positions::arguments(line, &[]).is_some(),
        }
    }
}

/// Finds out whether [`scan_plain`] has to look at a text whose lines were looked at one by one.
pub struct Watch<'t> {
    text: &'t str,
    names: positions::Names,
    is_suspect: bool,
}

impl<'t> Watch<'t> {
    /// Begins with no line.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            names: positions::Names::default(),
            is_suspect: false,
        }
    }

    /// Adds the next line, which stands at `range` of the text.
    pub fn add(&mut self, look: LineLook, range: Range<usize>) {
        self.is_suspect |= look.is_suspect;
        if look.may_name {
            self.names.look(self.text, range);
        }
    }

    /// `false` when [`scan_plain`] would find nothing. All lines must have been added.
    pub fn may_hold_a_secret(self) -> bool {
        if self.is_suspect || self.names.is_suspect() {
            return true;
        }
        let mut found = Vec::new();
        positions::inserted(self.text, &[], &mut found);
        shapes::addresses(self.text, &mut found);
        shapes::private_keys(self.text, &mut found);
        !found.is_empty()
    }
}

/// The name of the position when a fact `path` with `value`, as the reader of a format of settings states it, holds a
/// secret: the last step of the path names one, or the step before it when the last one only says that here is its value
/// (`add[key=Password] > @value`). Steps before them are sections; in JSON they count too, because what stands in a list
/// has no name.
pub fn secret_fact(path: &FactPath, value: &str, declared: &[&str]) -> Option<String> {
    let value = values::first_value(value.trim_start());
    if !values::is_literal(value, declared) {
        return None;
    }
    let (last, above) = path.steps().split_last()?;
    if last.form == Form::Member {
        return path.steps().iter().find_map(|step| named(step));
    }
    named(last).or_else(|| {
        let owner = above.last()?;
        let is_key = || owner.texts().any(|text| text.contains('\\'));
        (positions::is_value(&last.name) || is_key()).then(|| named(owner))?
    })
}

/// Whether a step of a path is called like a secret: what stands below it may be one.
pub fn names_a_secret(path: &FactPath) -> bool {
    path.steps()
        .iter()
        .flat_map(|step| step.texts())
        .any(|text| word_of(text).is_some())
}

/// The word of a step that is called like a secret. Of a key of the registry, the last part is its name.
fn named(step: &Step) -> Option<String> {
    let mut own = step.texts().filter_map(|text| text.rsplit('\\').next());
    own.find_map(word_of).map(str::to_owned)
}

fn word_of(text: &str) -> Option<&str> {
    let mut words = text.split(|letter: char| !names::belongs(letter));
    words.find(|word| names::is_secret(word))
}

fn scan_as(text: &str, declared: &[&str], form: &'static str, random: bool) -> Vec<Suspect> {
    let mut found = Vec::new();
    positions::scan(text, declared, &mut found);
    shapes::addresses(text, &mut found);
    shapes::private_keys(text, &mut found);
    shapes::words(text, random, &mut found);
    found.sort_by_key(|found| (found.name.start, found.name.end));
    found.dedup_by(|left, right| left.name.start == right.name.start);
    found
        .into_iter()
        .map(|Found { name, position }| Suspect { name, position, form })
        .collect()
}

/// Whether a value stands for something that is supplied later: `$(NAME)`, `%NAME%`, `{{ name }}`, `@name`.
fn is_reference(value: &str) -> bool {
    let identifier = |text: &str| {
        text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && text.chars().all(|letter| names::belongs(letter) || letter == ':')
    };
    let enclosed = |open: char, close: char| {
        value
            .strip_prefix(open)
            .is_some_and(|rest| rest.contains(close) && rest.len() > 1)
    };
    match value.chars().next() {
        Some('$') => value
            .get(1..)
            .is_some_and(|rest| rest.starts_with(['(', '{']) || identifier(rest)),
        Some('%') => {
            enclosed('%', '%')
                || value.get(1..).is_some_and(|rest| {
                    rest.starts_with(['%', '~']) || rest.starts_with(|letter: char| letter.is_ascii_digit())
                })
        }
        Some('!') => enclosed('!', '!'),
        Some('{') => {
            value.starts_with("{{")
                || value.starts_with("{%")
                || value.starts_with("{ ")
                || value.trim() == "{"
        }
        Some('@') => value.get(1..).is_some_and(identifier),
        Some('<' | '(') => true,
        Some('[') => value.contains("::") || value.ends_with(']'),
        Some('+') => value.starts_with("+ "),
        Some(_) => value.starts_with("env:"),
        None => false,
    }
}

/// The text up to the first letter that ends it.
fn up_to(text: &str, ends: impl Fn(char) -> bool) -> &str {
    text.split(ends).next().unwrap_or(text)
}

/// Whether the lines of a text, looked at one by one, let it pass.
#[cfg(test)]
fn passes_by_lines(text: &str) -> bool {
    let mut watch = Watch::new(text);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        watch.add(LineLook::of(line.trim_end_matches('\n')), at..at + line.len());
        at += line.len();
    }
    !watch.may_hold_a_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<(String, &'static str)> {
        scan(text, &["CALLBACK_REPORT_PASSWORD"])
            .into_iter()
            .map(|found| (found.position, found.form))
            .collect()
    }

    #[test]
    fn literals_in_secret_positions_are_found() {
        for text in [
            "Password=Pass123",
            "password: 'hunter22'",
            "\"clientSecret\": \"abcd1234\"",
            "set \"API_TOKEN=abcdef\"",
            "-passin pass:hunter2",
            "amqps://user:pass@host",
            "see\u{a0}svc:hunter2Zq9@host",
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ",
            "User ID=sa;Password=N'abcd'",
            "Pwd=longenough;",
            "Driver;pw=hunter2Zq9",
            // One setting, its name and its value apart
            r#"<add key="Password" value="hunter2Zq9" />"#,
            r#"<add value="hunter2Zq9" key="VHApiKey" />"#,
            "<setting name=\"Password\" serializeAs=\"String\">\n  <value>hunter2Zq9</value>",
            "<password>hunter2Zq9</password>",
            "{\"name\": \"DB_PASSWORD\", \"value\": \"hunter2Zq9\"}",
            "- name: DB_PASSWORD\n  value: hunter2Zq9",
            "{default_pass, <<\"hunter2Zq9\">>}.",
            "{<<\"password\">>, <<\"hunter2Zq9\">>}",
            "\"password\":\n  \"hunter2Zq9\"",
            "password: |\n  hunter2Zq9",
            "{\"password\": {\"value\": \"hunter2Zq9\"}}",
            "\"password\": {\n  \"value\": \"hunter2Zq9\"\n}",
            "{\"\"password\"\":\"\"hunter2Zq9\"\"}",
            "DECLARE @password nvarchar(128) = N'hunter2Zq9';",
            "INSERT INTO t (name, password) VALUES (N'a', N'hunter2Zq9');",
            // Headers and directives
            "proxy_set_header Authorization \"Basic Z3Vlc3Q6Z3Vlc3Q\";",
            "Authorization: Bearer hunter2Zq9",
            "proxy_set_header X-Api-Key \"hunter2Zq9\";",
            "set $password hunter2Zq9;",
            // Arguments
            "net.exe user svc hunter2Zq9 /add",
            "\"%SYSTEM%\\net.exe\" user svc \"hunter2Zq9\" /add",
            "sqlcmd -S db -U sa -P hunter2Zq9 -b",
            "call \"%CTL%\" -q change_password guest hunter2Zq9",
            "call \"%CTL%\" -q add_user {{ user.name | cmd_call_arg }} hunter2Zq9",
            "rabbitmqctl authenticate_user guest hunter2Zq9",
            "curl -u guest:hunter2Zq9 http://localhost",
            "tool --password hunter2Zq9",
            "setx DB_PASSWORD hunter2Zq9",
            "ConvertTo-SecureString \"hunter2Zq9\" -AsPlainText -Force",
            "certutil -f -p hunter2Zq9 -importpfx x.pfx",
            "\"%CERTUTIL%\\certutil.exe\" -importpfx -p \"hunter2Zq9\" x.pfx",
            "psexec \\\\host -u svc -p hunter2Zq9 cmd",
            "net use X: \\\\host\\share hunter2Zq9 /user:svc",
            "net use \\\\host\\share \"hunter2Zq9\" /user:svc",
            "net.exe use * \\\\host\\share hunter2Zq9",
            "plink -pw hunter2Zq9 host",
            // Names
            "pw=hunter2Zq9",
            "db_pw: hunter2Zq9",
            "{\"userPw\": \"hunter2Zq9\"}",
            "set \"SECRET_KEY=hunter2Zq9\"",
            "set \"DBPASS=hunter2Zq9\"",
            "set \"PASSWORD1=hunter2Zq9\"",
            "set \"PASSWORD_HASH=hunter2Zq9\"",
            "AccountName=x;AccountKey=hunter2Zq9;",
            "ERLANG_COOKIE=HUNTERZQ",
            // Values that begin like a reference
            "password: +hunter2Zq9",
            "password: '*hunter2Zq9'",
            "Password=$hunter-2%Zq9!",
            "Password=%hunter2Zq9",
            // Shapes
            "npm_abcdefghijklmnopqrstuvwxyz0123456789",
            "hvs.CAESIJabcdefghijklmnopqrstuv",
            "sk-ant-api03-abcdefghijklmnopqrst",
            "dckr_pat_abcdefghijklmnopqrst",
            "xapp-1-A0123456789-abcdef",
            "glrt-abcdefghijklmnopqrst",
            "change: AKIAIOSFODNN7EXAMPLE",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "glpat-abcdefghijklmnopqrst",
            "xoxb-123456789012-abcdef",
            "AIzaSyA1234567890abcdefghijklmnopqrstuv",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop",
            "sk_live_abcdefghijklmnop",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "https://x.example/c?sv=2020&sig=abcdefghijklmnop%3D",
            // Escapes
            "{\"pass\\u0077ord\": \"hunter2Zq9\"}",
            "&quot;password&quot;:&quot;hunter2Zq9&quot;",
            "x=%50assword%3Dhunter2Zq9",
        ] {
            assert_eq!(check(text).len(), 1, "{text}");
            let is_plain = !scan_plain(text, &[]).is_empty();
            assert!(!is_plain || !passes_by_lines(text), "{text}");
        }
    }

    #[test]
    fn references_are_not_secrets() {
        for text in [
            "Password=$(CALLBACK_REPORT_PASSWORD)",
            "password: CALLBACK_REPORT_PASSWORD",
            "set \"PASSIN=pass:\"",
            "if not defined CALLBACK_PFX_PASSWORD goto :empty",
            "-passin env:CALLBACK_PFX_PASSWORD",
            "the password: %CALLBACK_PFX_PASSWORD%",
            "findstr /c:\"BEGIN PRIVATE KEY-----\"",
            "https://callback.acme.example:8080/auth",
            "set \"CALLBACK_REPORT_PASSWORD=\"\nif defined X goto :y",
            "set \"PASSIN=pass:\"\nif defined X goto :y",
            "for /f \"usebackq tokens=2,*\" %%A in (\"%F%\") do set \"X=%%B\"",
            "if defined X set \"PASSIN=env:CALLBACK_PFX_PASSWORD\"",
            "$env:P = (New-Object Net.NetworkCredential(\"\", (Read-Host \"Password\" -AsSecureString))).Password",
            "DECLARE @secret nvarchar(4000) = N'$(CALLBACK_REPORT_PASSWORD)';",
            "(4, N'Password', NULL), (7, N'Password', @secret)",
            "call \"%CTL%\" -q clear_password guest",
            "call \"%CTL%\" -q add_user guest \"%RANDOM%%RANDOM%%RANDOM%\"",
            "Assembly, Version=1.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089",
            "<message clientCredentialType=\"UserName\" algorithmSuite=\"Default\" />",
            "proxy_pass http://127.0.0.1:8001;",
            "server_tokens off;",
            "sqlcmd -S \"%SERVER%\" -U sa -P %SQLCMDPASSWORD%",
            "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
            "\"sha256\": \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
            "integrity=\"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"",
            "VHT_SmartRulesEngineService2.ConfigurationTranslationAPI10",
            "http://x.example/page?sig=$(SIGNATURE)&x=abcdefghijklmnop",
        ] {
            assert_eq!(check(text), Vec::new(), "{text}");
        }
    }

    fn path_of(text: &str) -> FactPath {
        let step = |step: &str| {
            step.strip_prefix('@')
                .map_or(Step::named(step), |name| Step::new(Form::Attribute, name))
        };
        text.split(" > ").map(step).collect()
    }

    #[test]
    fn facts_are_secrets_when_their_last_step_names_one() {
        for (path, value) in [
            (
                "configuration > appSettings > add[key=Password] > @value",
                "hunter2Zq9",
            ),
            ("rabbit > default_pass", "<<\"hunter2Zq9\">>"),
            ("http > server 443 > set $password", "hunter2Zq9"),
            ("password > value", "\"hunter2Zq9\""),
            (
                "HKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Password > Data",
                "\"hunter2Zq9\"",
            ),
            ("HKEY_LOCAL_MACHINE\\SOFTWARE\\X > Password", "\"hunter2Zq9\""),
        ] {
            let path = path_of(path);
            assert!(secret_fact(&path, value, &[]).is_some(), "{path}");
            assert!(secret_fact(&path, "$(NAME)", &[]).is_none(), "{path}");
        }
        for (path, value) in [
            ("add[key=Password] > @xdt:Transform", "Replace"),
            ("http > location /token/ > root", "C:/html"),
            ("secrets > plain > color", "blue"),
        ] {
            let path = path_of(path);
            assert!(secret_fact(&path, value, &[]).is_none(), "{path}");
        }
        let add = Step::new(Form::Element, "add").keyed("key=Password > x");
        let attribute = FactPath::from(add).child(Step::new(Form::Attribute, "value"));
        assert!(secret_fact(&attribute, "hunter2Zq9", &[]).is_some());
        let pointer: FactPath = ["password", "0"]
            .into_iter()
            .map(|key| Step::new(Form::Member, key))
            .collect();
        assert!(secret_fact(&pointer, "\"hunter2Zq9\"", &[]).is_some());
    }

    #[test]
    fn encoded_forms_are_found() {
        // base64 and hexadecimal of `Password=Pass123`, and its UTF-16LE bytes as a registry file writes them
        assert_eq!(
            check("x UGFzc3dvcmQ9UGFzczEyMw== y"),
            [("Password".to_owned(), "base64")]
        );
        assert_eq!(
            check("50617373776f72643d50617373313233"),
            [("Password".to_owned(), "hexadecimal")]
        );
        let separated = "50617373776f72643d50617373313233".as_bytes().chunks(2);
        let pairs: Vec<&str> = separated.map(|pair| std::str::from_utf8(pair).unwrap()).collect();
        for text in [
            pairs.join(":"),
            pairs.join(" "),
            format!("0x{}", pairs.join(",0x")),
        ] {
            assert_eq!(check(&text), [("Password".to_owned(), "hexadecimal")], "{text}");
        }
        // encoded twice, and broken into lines
        for text in [
            "VUdGemMzZHZjbVE5VUdGemN6RXlNdz09",
            "Tm90aGluZyBpcyBoZXJlIHRo\nYXQgaXMgbG9uZyBlbm91Z2g7\nIFBhc3N3b3JkPVBhc3MxMjM=",
        ] {
            assert!(check(text).contains(&("Password".to_owned(), "base64")), "{text}");
        }
        let wide: Vec<String> = "Password=Pass123"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            check(&format!("\"V\"=hex(2):{}", wide.join(","))),
            [("Password".to_owned(), "hexadecimal")]
        );
    }

    /// Ways to write a secret that hide nothing of its position.
    fn written(secret: &str) -> Vec<String> {
        [
            "Password={}",
            "password: '{}'",
            "{\"apiKey\": \"{}\"}",
            "<add key=\"Password\" value=\"{}\" />",
            "{default_pass, <<\"{}\">>}.",
            "set \"DB_PASS={}\"",
            "net user svc {} /add",
            "proxy_set_header X-Api-Key \"{}\";",
        ]
        .iter()
        .map(|position| position.replace("{}", secret))
        .collect()
    }

    proptest::proptest! {
        #[test]
        fn any_word_in_a_secret_position_is_found_and_in_no_other(secret in "[A-Za-z0-9][A-Za-z0-9_.]{4,15}[0-9]") {
            // A value that is named like a secret is taken for the name of one.
            proptest::prop_assume!(!names::is_secret(&secret));
            for text in written(&secret) {
                proptest::prop_assert!(!scan(&text, &[]).is_empty(), "{}", text);
                let hexadecimal: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                proptest::prop_assert!(!scan(&hexadecimal.concat(), &[]).is_empty(), "{}", text);
                let escaped: Vec<String> = text.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect();
                proptest::prop_assert!(!scan(&escaped.concat(), &[]).is_empty(), "{}", text);
                for harmless in ["Site", "PasswordLength"] {
                    let other = format!("{harmless}={secret}");
                    proptest::prop_assert!(scan(&other, &[]).is_empty(), "{}", other);
                }
            }
        }

        #[test]
        fn no_reference_is_a_secret(name in "[A-Z][A-Z_]{3,12}") {
            for reference in [format!("$({name})"), format!("%{name}%"), format!("!{name}!"), format!("{{{{ {name} }}}}")] {
                for text in written(&reference) {
                    proptest::prop_assert_eq!(scan(&text, &[]), Vec::new(), "{}", text);
                }
            }
        }

        #[test]
        fn any_text_is_scanned(text in "(\\PC|[\n=:,<>{}\"'%\\\\&;@]|pass|key|value|VALUES|-P |://|sig=|0x|PRIVATE KEY-----){0,60}") {
            for suspect in scan(&text, &[]) {
                proptest::prop_assert!(text.get(suspect.name).is_some());
            }
            drop(lines::guards(&text));
        }
    }
}
