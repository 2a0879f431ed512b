//! Windows registry files, version 5.00 (Microsoft KB 310516): quoting, and a reader stricter than regedit.
//!
//! regedit skips what it does not understand and still returns 0, so this reader accepts only what has one meaning, in
//! one spelling. It must not know which keys Callback needs.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Cut as _, FactPath, FormatError, Item, text};

const HEADER: &str = "Windows Registry Editor Version 5.00";
const HIVE: &str = "HKEY_LOCAL_MACHINE";

/// Keys other products or other parts of Callback share. Deleting one of them, or a key above one, would take settings
/// along that this file never wrote.
const SHARED: &[&str] = &[
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Virtual Hold",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Virtual Hold",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\.NETFramework\v2.0.50727",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\.NETFramework\v4.0.30319",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 2.0\Client",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 2.0\Server",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Client",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Server",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Client",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Client",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Server",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server",
];

/// A comment line with this text documents that the file deletes a whole key; without it `[-KEY]` is refused.
const DELETES: &str = "; deletes key ";

/// A name or string value in its quotes: `\` and `"` get a backslash, nothing else has an escape in this format.
pub fn reg_string(value: &str) -> Result<String, FormatError> {
    text::refuse_invisible(value)?;
    Ok(format!(
        "\"{}\"",
        value.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

/// A key path for `[…]`, unchanged, or a refusal.
///
/// Every blank is significant there, so a component with a blank at either end is refused: importing `…\ v4.0.30319`
/// creates a new key and changes nothing (DEF-61). Only `HKEY_LOCAL_MACHINE\SOFTWARE` and `\SYSTEM` are allowed, written
/// in full: regedit refuses abbreviations, and other hives depend on who runs the import.
pub fn reg_key(value: &str) -> Result<String, FormatError> {
    check_key(value)?;
    Ok(value.to_owned())
}

/// A value after `; ` in a comment line.
pub fn reg_comment(value: &str) -> Result<String, FormatError> {
    text::refuse_invisible(value)?;
    Ok(value.to_owned())
}

/// A value outside quotes: bare words only, anything else needs [`reg_string`], [`reg_key`] or [`reg_comment`].
pub fn escape(value: &str) -> Result<String, FormatError> {
    text::bare(value, "`reg_string`, `reg_key` or `reg_comment`")
}

fn check_key(key: &str) -> Result<(), FormatError> {
    text::refuse_invisible(key)?;
    text::refuse_unless(key, |c| !"[]".contains(c), "is not allowed in a key path")?;
    let mut components = key.split('\\');
    let hive = components.next().unwrap_or_default();
    if hive != HIVE {
        return Err(FormatError::new(
            0..hive.len(),
            format!("the key path starts with `{hive}`; only `{HIVE}` in full is allowed"),
        ));
    }
    let mut start = hive.len() + 1;
    let mut depth = 0;
    for component in components {
        let range = start..start + component.len();
        if component.is_empty() {
            return Err(FormatError::new(range, "the key path has an empty component"));
        }
        if component.starts_with(' ') || component.ends_with(' ') {
            return Err(FormatError::new(
                range,
                format!("the blank at the edge of `{component}` would be part of the key's name"),
            ));
        }
        if component.encode_utf16().count() > 255 {
            return Err(FormatError::new(range, "a key name has more than 255 characters"));
        }
        if depth == 0
            && !["SOFTWARE", "SYSTEM"]
                .iter()
                .any(|known| component.eq_ignore_ascii_case(known))
        {
            return Err(FormatError::new(
                range,
                format!("`{HIVE}\\{component}` is not written here; only `SOFTWARE` and `SYSTEM` are"),
            ));
        }
        depth += 1;
        start += component.len() + 1;
    }
    if depth < 2 {
        return Err(FormatError::new(
            0..key.len(),
            "the key path names a whole hive; it needs a key below `SOFTWARE` or `SYSTEM`",
        ));
    }
    Ok(())
}

/// Reads a registry file.
///
/// Paths are `KEY > Name` (`KEY > @` for the default value, `KEY` for a key without values); values are
/// `dword:00000001`, `string:…`, `expand_string:…`, `multi_string:a | b`, `qword:…`, `hex:…`, `absent` or `present`.
///
/// Refused beyond broken syntax: abbreviated hives, blanks around `=` or at the edge of a key component, escapes other
/// than `\\` and `\"`, `dword` data without exactly eight digits, a key or a value named twice (the last one would win),
/// deletion of keys that are shared or not announced by a line `; deletes key KEY`, and a missing blank line at the end.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut reader = Reader::default();
    reader.read(text);
    reader.close_section();
    if reader.errors.is_empty() {
        Ok(reader.items)
    } else {
        reader.errors.sort_by_key(|error| error.range.start);
        Err(reader.errors)
    }
}

/// What the value lines being read belong to.
#[derive(Default)]
enum Section {
    /// Nothing yet.
    #[default]
    None,
    /// A key that is written; the range is its line.
    Key { key: String, line: Range<usize> },
    /// A key that is deleted.
    Deleted,
    /// A key line that was refused; its values are read for further errors.
    Refused,
}

#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    errors: Vec<FormatError>,
    section: Section,
    keys: BTreeSet<String>,
    names: BTreeSet<String>,
    announced: BTreeSet<String>,
}

impl Reader {
    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    fn read(&mut self, text: &str) {
        let mut lines = text::lines(text).enumerate().peekable();
        while let Some((index, (start, line))) = lines.next() {
            let whole = start..start + line.len();
            if let Some((offset, c)) = line.char_indices().find(|&(_, c)| !text::is_visible(c)) {
                self.refuse(
                    text::at(start + offset, c),
                    format!("{} is not allowed in a registry file", text::name(c)),
                );
                continue;
            }
            match index {
                0 => {
                    if line != HEADER {
                        self.refuse(whole, format!("the first line must be `{HEADER}`"));
                    }
                }
                1 => {
                    if !line.is_empty() {
                        self.refuse(whole, "the second line must be empty");
                    }
                }
                _ if line.is_empty() => {}
                _ if line.starts_with(';') => {
                    if let Some(key) = line.strip_prefix(DELETES) {
                        self.announced.insert(key.to_lowercase());
                    }
                }
                _ if line.starts_with('[') => self.key(line, start),
                _ => {
                    let mut joined = line.to_owned();
                    let mut end = whole.end;
                    let may_continue = is_hex(line);
                    while may_continue && joined.ends_with('\\') {
                        joined.pop();
                        let Some((_, (next_start, next))) = lines.next() else {
                            self.refuse(whole.clone(), "the hex data goes on after the last line");
                            break;
                        };
                        if !next.starts_with("  ") {
                            self.refuse(
                                next_start..next_start + next.len(),
                                "a line that continues hex data starts with two blanks",
                            );
                        }
                        joined.push_str(next.trim_start_matches(' '));
                        end = next_start + next.len();
                    }
                    self.value(&joined, start..end);
                }
            }
        }
        if text.is_empty() {
            self.refuse(0..0, format!("the first line must be `{HEADER}`"));
        }
        if !text.ends_with("\n\n") {
            self.refuse(
                text.len()..text.len(),
                "the text must end with an empty line; old versions of regedit drop the last line otherwise",
            );
        }
    }

    /// A key without values is a fact of its own: importing it creates the key.
    fn close_section(&mut self) {
        if let Section::Key { key, line } = std::mem::take(&mut self.section)
            && self.names.is_empty()
        {
            self.items.push(Item {
                path: key.as_str().into(),
                value: "present".to_owned(),
                range: line,
            });
        }
        self.names.clear();
    }

    fn key(&mut self, line: &str, start: usize) {
        self.close_section();
        self.section = Section::Refused;
        let whole = start..start + line.len();
        let Some(inner) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
            return self.refuse(whole, "the line of a key must end with `]`");
        };
        let (key, deleted) = match inner.strip_prefix('-') {
            Some(key) => (key, true),
            None => (inner, false),
        };
        if let Err(error) = check_key(key) {
            let shift = whole.end - 1 - key.len();
            return self.refuse(error.range.start + shift..error.range.end + shift, error.message);
        }
        let folded = key.to_lowercase();
        if !self.keys.insert(folded.clone()) {
            self.refuse(whole.clone(), format!("the key `{key}` is named twice"));
        }
        if !deleted {
            self.section = Section::Key {
                key: key.to_owned(),
                line: whole,
            };
            return;
        }
        self.section = Section::Deleted;
        if SHARED.iter().any(|shared| is_at_or_above(&folded, shared)) {
            self.refuse(
                whole,
                format!("`{key}` is shared; deleting it would remove what others wrote below it"),
            );
        } else if !self.announced.contains(&folded) {
            self.refuse(
                whole,
                format!("a key is deleted without a line `{DELETES}{key}` before it"),
            );
        } else {
            self.items.push(Item {
                path: key.into(),
                value: "absent".to_owned(),
                range: whole,
            });
        }
    }

    fn value(&mut self, line: &str, range: Range<usize>) {
        let (name, data) = match split_value(line) {
            Ok(parts) => parts,
            Err(message) => return self.refuse(range, message),
        };
        let value = match read_data(data) {
            Ok(value) => value,
            Err(message) => return self.refuse(range, message),
        };
        if name.as_deref() == Some("") {
            return self.refuse(range, "a value without a name is written as `@=`");
        }
        if name
            .as_ref()
            .is_some_and(|name| name.encode_utf16().count() > 16_383)
        {
            return self.refuse(range, "a value name has more than 16383 characters");
        }
        let folded = name.as_ref().map_or(String::new(), |name| name.to_lowercase());
        let shown = name.unwrap_or_else(|| "@".to_owned());
        match &self.section {
            Section::None => self.refuse(range, "a value stands before the first key"),
            Section::Deleted => self.refuse(range, "a value stands below a deleted key"),
            Section::Refused => {}
            Section::Key { key, .. } => {
                let path = FactPath::of([key, &shown]);
                if self.names.insert(folded) {
                    self.items.push(Item { path, value, range });
                } else {
                    self.refuse(
                        range,
                        format!("the value `{shown}` is set twice; the last one would win"),
                    );
                }
            }
        }
    }
}

fn is_at_or_above(folded: &str, shared: &str) -> bool {
    let shared = shared.to_lowercase();
    shared
        .strip_prefix(folded)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

/// Whether a line holds hex data, the only data that may continue on the next line.
fn is_hex(line: &str) -> bool {
    split_value(line).is_ok_and(|(_, data)| data.starts_with("hex"))
}

/// Splits `"Name"=data` or `@=data`; the name is `None` for `@`.
fn split_value(line: &str) -> Result<(Option<String>, &str), String> {
    if let Some(data) = line.strip_prefix("@=") {
        return Ok((None, data));
    }
    let (name, rest) = read_string(line).ok_or_else(|| {
        "expected `\"Name\"=…`, `@=…`, `[KEY]`, a line that starts with `;`, or an empty line".to_owned()
    })??;
    let data = rest
        .strip_prefix('=')
        .ok_or("the name of a value must be followed by `=` without a blank")?;
    Ok((Some(name), data))
}

/// The quoted string at the start of `text` and what follows it; `None` when there is no quote at the start.
fn read_string(text: &str) -> Option<Result<(String, &str), String>> {
    let rest = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = rest.char_indices();
    while let Some((offset, c)) = characters.next() {
        match c {
            '"' => return Some(Ok((value, rest.cut(offset + 1..)))),
            '\\' => match characters.next() {
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                Some((_, other)) => {
                    return Some(Err(format!(
                        "`\\{other}` is no escape; write `\\\\` for a backslash"
                    )));
                }
                None => break,
            },
            _ => value.push(c),
        }
    }
    Some(Err("a string is not closed on its line".to_owned()))
}

fn read_data(data: &str) -> Result<String, String> {
    if data == "-" {
        return Ok("absent".to_owned());
    }
    if let Some(read) = read_string(data) {
        let (value, rest) = read?;
        if !rest.is_empty() {
            return Err("something follows the closing quote; comments need a line of their own".to_owned());
        }
        return Ok(format!("string:{value}"));
    }
    if let Some(digits) = data.strip_prefix("dword:") {
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("`dword:` needs exactly eight hexadecimal digits".to_owned());
        }
        return Ok(format!("dword:{}", digits.to_ascii_lowercase()));
    }
    for (prefix, kind) in [("hex:", 3), ("hex(2):", 2), ("hex(7):", 7), ("hex(b):", 11)] {
        if let Some(list) = data.strip_prefix(prefix) {
            return read_hex(list, kind);
        }
    }
    Err("the data must be `\"…\"`, `dword:`, `hex:`, `hex(2):`, `hex(7):`, `hex(b):` or `-`".to_owned())
}

fn read_hex(list: &str, kind: u8) -> Result<String, String> {
    let bytes: Vec<u8> = if list.is_empty() {
        Vec::new()
    } else {
        list.split(',')
            .map(|pair| {
                (pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
                    .then(|| u8::from_str_radix(pair, 16).ok())
                    .flatten()
                    .ok_or_else(|| format!("`{pair}` is not two hexadecimal digits"))
            })
            .collect::<Result<_, _>>()?
    };
    match kind {
        2 => {
            let decoded = utf16(&bytes)?;
            let value = decoded
                .strip_suffix('\0')
                .ok_or("an expandable string must end with `00,00`")?;
            text::refuse_invisible(value).map_err(|error| error.message)?;
            Ok(format!("expand_string:{value}"))
        }
        7 => {
            let decoded = utf16(&bytes)?;
            let list = decoded
                .strip_suffix('\0')
                .ok_or("a list of strings must end with `00,00`")?;
            let mut strings: Vec<&str> = Vec::new();
            if !list.is_empty() {
                let inner = list.strip_suffix('\0').ok_or(
                    "each string of a list must end with `00,00`, and the list with another `00,00`",
                )?;
                strings.extend(inner.split('\0'));
            }
            for string in &strings {
                if string.is_empty() {
                    return Err("an empty string would end the list".to_owned());
                }
                text::refuse_invisible(string).map_err(|error| error.message)?;
            }
            Ok(format!("multi_string:{}", strings.join(" | ")))
        }
        11 => {
            let eight: [u8; 8] = bytes
                .try_into()
                .map_err(|_| "`hex(b):` needs exactly eight bytes".to_owned())?;
            Ok(format!("qword:{:016x}", u64::from_le_bytes(eight)))
        }
        _ => {
            let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(format!("hex:{}", pairs.join(",")))
        }
    }
}

fn utf16(bytes: &[u8]) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("the hex data has half a UTF-16 unit at its end".to_owned());
    }
    char::decode_utf16(pairs.iter().map(|&pair| u16::from_le_bytes(pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| "the hex data has half of a UTF-16 surrogate pair".to_owned())
}

#[cfg(test)]
mod tests;
