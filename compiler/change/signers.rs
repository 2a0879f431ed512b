//! The file of allowed signers: who may sign bundles, with which key, and when.
//!
//! The format is the one of `ssh-keygen -Y verify -f` (ssh-keygen(1), ALLOWED SIGNERS), without certificates. A line that is not understood is an error,
//! never skipped: a restriction that one program does not know would be a permission. This file must not know bundles.

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, PublicKey};

use super::moment::{Moment, Seconds};

/// One line of the file.
#[derive(Clone, Debug)]
struct Entry {
    line: usize,
    principals: String,
    namespaces: Option<Vec<String>>,
    valid_after: Option<Moment>,
    valid_before: Option<Moment>,
    key: KeyData,
}

/// Everybody who may sign.
#[derive(Clone, Debug)]
pub struct Signers {
    entries: Vec<Entry>,
}

/// A line of the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignersError {
    /// Its number, from one; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, in the grammar of diagnostics.
    pub message: String,
}

/// Why nobody vouches for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unvouched {
    /// No line has the key.
    Unknown,
    /// Lines have the key and none allows it; what each says, in order.
    Restricted(Vec<(usize, String)>),
}

impl Signers {
    /// Reads the file. `Err` holds every line that cannot be used.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<SignersError>> {
        let whole = |message: &str| {
            vec![SignersError {
                line: 0,
                message: message.to_owned(),
            }]
        };
        let text = str::from_utf8(bytes).map_err(|_| whole("it is not UTF-8"))?;
        let mut entries = Vec::new();
        let mut errors = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match entry(number, line) {
                Ok(entry) => entries.push(entry),
                Err(message) => errors.push(SignersError {
                    line: number,
                    message,
                }),
            }
        }
        if !errors.is_empty() {
            Err(errors)
        } else if entries.is_empty() {
            Err(whole("it names nobody"))
        } else {
            Ok(Self { entries })
        }
    }

    /// The principals of the first line that allows `key` to sign in `namespace` at the moment `now`.
    pub fn vouch(&self, key: &KeyData, namespace: &str, now: Seconds) -> Result<&str, Unvouched> {
        let mut reasons = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.key == *key) {
            match entry.allows(namespace, now) {
                Ok(()) => return Ok(&entry.principals),
                Err(why) => reasons.push((entry.line, why)),
            }
        }
        Err(if reasons.is_empty() {
            Unvouched::Unknown
        } else {
            Unvouched::Restricted(reasons)
        })
    }
}

impl Entry {
    fn allows(&self, namespace: &str, now: Seconds) -> Result<(), String> {
        if let Some(namespaces) = &self.namespaces
            && !any_matches(namespaces.iter().map(String::as_str), namespace)
        {
            return Err(format!("it is not for the namespace `{namespace}`"));
        }
        let zone = "; write the time with `Z`, in UTC, so that every computer reads the same";
        if let Some(after) = self.valid_after {
            if now < after.earliest {
                return Err("it is not valid yet".into());
            }
            if now < after.latest {
                return Err(format!("whether it is valid yet depends on the time zone{zone}"));
            }
        }
        if let Some(before) = self.valid_before {
            if now >= before.latest {
                return Err("it is not valid any more".into());
            }
            if now >= before.earliest {
                return Err(format!(
                    "whether it is still valid depends on the time zone{zone}"
                ));
            }
        }
        Ok(())
    }
}

/// The next field of a line: up to a blank that is not in double quotes.
fn field(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                let (field, rest) = line.split_at(at);
                return Some((field, rest.trim_start()));
            }
            _ => {}
        }
    }
    (!quoted && !line.is_empty()).then_some((line, ""))
}

fn unquoted(text: &str) -> Option<&str> {
    match text.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').filter(|inner| !inner.contains('"')),
        None => (!text.contains('"')).then_some(text),
    }
}

fn entry(line: usize, text: &str) -> Result<Entry, String> {
    let (principals, rest) = field(text).ok_or("a double quote is not closed")?;
    let principals = unquoted(principals)
        .filter(|text| !text.is_empty() && text.split(',').all(|pattern| !pattern.is_empty()))
        .ok_or("the names of who signs, the first field, are malformed")?;
    let mut entry = Entry {
        line,
        principals: principals.to_owned(),
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key: KeyData::Ed25519(ssh_key::public::Ed25519PublicKey([0; 32])),
    };
    let (first, behind) = field(rest).ok_or("there is no key")?;
    let key = match first.parse::<Algorithm>() {
        Ok(Algorithm::Other(_)) | Err(_) => {
            options(&mut entry, first)?;
            behind
        }
        Ok(_) => rest,
    };
    let key = PublicKey::from_openssh(key).map_err(|error| format!("the key cannot be read: {error}"))?;
    entry.key = key.key_data().clone();
    Ok(entry)
}

fn options(entry: &mut Entry, text: &str) -> Result<(), String> {
    let mut rest = text;
    while !rest.is_empty() {
        // An option ends at a comma outside of quotes.
        let mut quoted = false;
        let end = rest
            .char_indices()
            .find(|(_, character)| {
                quoted ^= *character == '"';
                *character == ',' && !quoted
            })
            .map_or(rest.len(), |(at, _)| at);
        let (option, behind) = rest.split_at(end);
        rest = behind.strip_prefix(',').unwrap_or_default();
        if behind == "," {
            return Err("the options end in a comma".into());
        }
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let name = name.to_ascii_lowercase();
        let value = || {
            value
                .and_then(|value| value.strip_prefix('"')?.strip_suffix('"'))
                .filter(|value| !value.is_empty() && !value.contains('"'))
                .ok_or_else(|| format!("`{name}` needs a value in double quotes"))
        };
        let moment = |already: Option<Moment>| {
            if already.is_some() {
                return Err(format!("`{name}` is there twice"));
            }
            let value = value()?;
            let read = Moment::read(value);
            read.map(Some).ok_or_else(|| {
                format!("`{value}` is no moment; write YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ")
            })
        };
        match name.as_str() {
            "namespaces" if entry.namespaces.is_some() => return Err("`namespaces` is there twice".into()),
            "namespaces" => {
                let patterns: Vec<String> = value()?.split(',').map(str::to_owned).collect();
                if patterns.iter().any(String::is_empty) {
                    return Err("`namespaces` holds an empty name".into());
                }
                entry.namespaces = Some(patterns);
            }
            "valid-after" => entry.valid_after = moment(entry.valid_after)?,
            "valid-before" => entry.valid_before = moment(entry.valid_before)?,
            "cert-authority" => {
                return Err(
                    "`cert-authority` vouches for keys that are not in the file; name each key itself".into(),
                );
            }
            _ => {
                return Err(format!(
                    "`{}` is no option, and no kind of key cbgen knows",
                    option.escape_debug()
                ));
            }
        }
    }
    Ok(())
}

/// Whether a list of patterns (`*`, `?`, `!` before what is excluded) takes `text`, as `match_pattern_list` of OpenSSH.
fn any_matches<'a>(patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    let mut taken = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excluded) if matches(excluded, text) => return false,
            Some(_) => {}
            None => taken |= matches(pattern, text),
        }
    }
    taken
}

/// Whether `text` is what a pattern with `*` and `?` describes, in linear steps back to the last `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(expected) if *expected == b'?' || expected == byte => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const NOW: Seconds = 1_767_312_000; // 2026-01-02

    fn key() -> KeyData {
        PublicKey::from_openssh(KEY).unwrap().key_data().clone()
    }

    fn vouched(line: &str) -> Result<String, String> {
        let signers = Signers::read(line.as_bytes()).map_err(|errors| errors[0].message.clone())?;
        match signers.vouch(&key(), "cbgen", NOW) {
            Ok(principals) => Ok(principals.to_owned()),
            Err(Unvouched::Unknown) => Err("unknown".into()),
            Err(Unvouched::Restricted(reasons)) => Err(reasons[0].1.clone()),
        }
    }

    #[test]
    fn lines_allow_what_they_say() {
        for line in [
            format!("release@acme {KEY}"),
            format!("release@acme {KEY} comment of any words"),
            format!("\n# comment\n  release@acme\t{KEY}\r\n"),
            format!("\"release@acme\" namespaces=\"git,cbgen\" {KEY}"),
            format!("release@acme namespaces=\"cb*\" {KEY}"),
            format!(
                "release@acme NAMESPACES=\"?bgen\",valid-after=\"20260101Z\",valid-before=\"20270101\" {KEY}"
            ),
            format!("other@acme namespaces=\"git\" {KEY}\nrelease@acme {KEY}"),
        ] {
            assert_eq!(vouched(&line).as_deref(), Ok("release@acme"), "{line}");
        }
    }

    #[test]
    fn lines_refuse_what_they_do_not_say() {
        for (options, expected) in [
            ("namespaces=\"git\"", "not for the namespace"),
            ("namespaces=\"*,!cbgen\"", "not for the namespace"),
            ("valid-after=\"20260103Z\"", "not valid yet"),
            ("valid-before=\"20260102Z\"", "not valid any more"),
            ("valid-after=\"20260102\"", "depends on the time zone"),
            ("valid-before=\"20260102\"", "depends on the time zone"),
            ("valid-before=\"20251301Z\"", "no moment"),
            ("valid-before=20270101Z", "double quotes"),
            ("valid-before=\"20270101Z\",valid-before=\"20270102Z\"", "twice"),
            ("namespaces=\"a\",namespaces=\"b\"", "twice"),
            ("namespaces=\"a,\"", "empty name"),
            ("namespaces=\"\"", "double quotes"),
            ("cert-authority", "vouches for keys"),
            ("CERT-AUTHORITY,namespaces=\"cbgen\"", "vouches for keys"),
            ("no-touch-required", "no option"),
            ("namespaces=\"cbgen\",", "end in a comma"),
            ("namespaces=\"cbgen", "no key"),
        ] {
            let error = vouched(&format!("a@acme {options} {KEY}")).unwrap_err();
            assert!(error.contains(expected), "{options}: {error}");
        }
        for (line, expected) in [
            ("", "names nobody"),
            ("# only a comment", "names nobody"),
            ("a@acme", "no key"),
            ("a@acme ssh-ed25519 AAAA", "cannot be read"),
            ("a@acme ssh-ed25519", "cannot be read"),
            ("\"a@acme ssh-ed25519 AAAA", "not closed"),
            ("a,,b ssh-ed25519 AAAA", "malformed"),
            (
                "a@acme ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD",
                "unknown",
            ),
        ] {
            let error = vouched(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
        // Every line, not the first.
        let errors = Signers::read(format!("a x\nb {KEY}\nc y\n").as_bytes()).unwrap_err();
        assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn patterns_match_in_linear_time() {
        assert!(matches("*", "") && matches("a*c?", "abbcd") && matches("*b*", "abc"));
        assert!(!matches("", "a") && !matches("a?", "a") && !matches("a*b", "ac"));
        assert!(!matches(&"*a".repeat(5_000), &"a".repeat(4_000)));
    }
}
