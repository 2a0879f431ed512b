//! Edits of an INI file, as the Windows profile functions read it.
//!
//! They find the first section of a name and the first key in it, ignoring the case of both and blanks around them, and
//! take a pair of quotes off the value. A line that is none of theirs is left alone, and so is every other line.

use std::ops::Range;

use super::nearest::nearest;
use super::source::{Charset, Readable, Source, Unmarked};
use super::{Change, Outcome, Refusal, RefusalKind, Work};
use crate::Cut as _;
use crate::ini::IniEdit;

/// The profile functions read UTF-16LE with a mark, and the code page of the server otherwise; every code page of
/// Windows has ASCII at its place, which is all that edits hold.
pub(super) const READABLE: Readable = Readable {
    reader: "the reader of INI files of Windows",
    utf8_mark: false,
    utf16: true,
    unmarked: Unmarked::Only(Charset::Windows1252),
};

/// A key of the file.
struct Key<'a> {
    name: &'a str,
    /// The number of its section among all sections.
    section: usize,
    /// The value without blanks and quotes around it.
    value: Range<usize>,
}

/// A file in parts.
#[derive(Default)]
struct File<'a> {
    /// Names of the sections in order.
    sections: Vec<(&'a str, Range<usize>)>,
    keys: Vec<Key<'a>>,
}

fn read<'a>(source: &'a Source<'_>) -> File<'a> {
    let text = source.text();
    let mut file = File::default();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\n', '\r']);
        let inside = line.trim();
        let offset = start + line.len() - line.trim_start().len();
        start += whole.len();
        if let Some(rest) = inside.strip_prefix('[') {
            // Windows takes what stands before the last bracket.
            if let Some((name, _)) = rest.rsplit_once(']') {
                file.sections.push((name.trim(), offset..offset + inside.len()));
            }
            continue;
        }
        if inside.starts_with(';') {
            continue;
        }
        if let (Some((name, value)), Some(section)) =
            (inside.split_once('='), file.sections.len().checked_sub(1))
        {
            let end = offset + inside.len();
            let value = value.trim_start();
            let mut value = end - value.len()..end;
            let quoted = text.cut(value.clone());
            let pair = |quote| quoted.len() > 1 && quoted.starts_with(quote) && quoted.ends_with(quote);
            if pair('"') || pair('\'') {
                value = value.start + 1..value.end - 1;
            }
            file.keys.push(Key {
                name: name.trim(),
                section,
                value,
            });
        }
    }
    file
}

/// What the edits do to a file, or everything that stands against it.
pub(super) fn work(edits: &[IniEdit], source: &Source<'_>) -> Result<Work, Vec<Refusal>> {
    let text = source.text();
    let alone = memchr::memchr_iter(b'\r', text.as_bytes())
        .find(|at| text.as_bytes().get(at + 1).is_none_or(|next| *next != b'\n'));
    if let Some(at) = alone {
        let message = "a carriage return without a line feed ends a line for some readers and not for others";
        return Err(vec![
            Refusal::new(RefusalKind::Unsuitable, message)
                .in_file(source.file_range(&(at..at + 1)))
                .help("save the file with ordinary line ends first"),
        ]);
    }
    let file = read(source);
    let about = |edit: &IniEdit| (edit.path(), edit.range.clone());
    Work::of(edits, about, |work, edit| {
        let key = find(edit, &file, source)?;
        let old = text.cut(key.value.clone());
        let change = Change {
            key: edit.path(),
            line: 0,
            old: Some(old.to_owned()),
            new: Some(edit.value.clone()),
            outcome: Outcome::of(old == edit.value),
            edit_range: edit.range.clone(),
            span: key.value.clone(),
        };
        work.set(change, edit.value.clone());
        Ok(())
    })
}

fn find<'f, 'a>(edit: &IniEdit, file: &'f File<'a>, source: &Source<'_>) -> Result<&'f Key<'a>, Refusal> {
    let is_section = |name: &str| name.eq_ignore_ascii_case(&edit.section);
    let Some(first) = file.sections.iter().position(|(name, _)| is_section(name)) else {
        let message = format!("the file has no section `[{}]`", edit.section);
        let near = nearest(&edit.section, file.sections.iter().map(|(name, _)| *name));
        return Err(Refusal::new(RefusalKind::Missing, message)
            .nearest(near)
            .help("nothing is appended: add the section by hand if the file is the right one"));
    };
    let of_section = |number: usize| {
        file.sections
            .get(number)
            .is_some_and(|(name, _)| is_section(name))
    };
    let found: Vec<&Key<'_>> = file
        .keys
        .iter()
        .filter(|key| of_section(key.section) && key.name.eq_ignore_ascii_case(&edit.key))
        .collect();
    match found.as_slice() {
        [key] if key.section == first => Ok(key),
        [key] => {
            let message = format!(
                "`{}` stands in a second section `[{}]`, and Windows reads only the first one",
                edit.key, edit.section
            );
            Err(Refusal::new(RefusalKind::Unsuitable, message)
                .in_file(source.file_range(&key.value))
                .help("find out which of the two sections the program reads, and join them by hand"))
        }
        [] => {
            let message = format!("the section `[{}]` has no key `{}`", edit.section, edit.key);
            let names = file
                .keys
                .iter()
                .filter(|key| of_section(key.section))
                .map(|key| key.name);
            let section = file.sections.get(first);
            Err(Refusal::new(RefusalKind::Missing, message)
                .in_file(section.map(|(_, range)| source.file_range(range)))
                .nearest(nearest(&edit.key, names))
                .help("nothing is appended: add the key by hand if the file is the right one"))
        }
        [_, second, ..] => {
            let message = format!(
                "`{}` is there {} times, in lines {}, and Windows reads only the first one",
                edit.path(),
                found.len(),
                source.lines(found.iter().map(|key| key.value.start))
            );
            Err(Refusal::new(RefusalKind::Ambiguous, message)
                .in_file(source.file_range(&second.value))
                .help("remove all but one by hand"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::EditKind::IniLines;
    use super::super::tests::{applied, refused};

    #[test]
    fn the_value_changes_and_nothing_else() {
        assert_eq!(
            applied(
                IniLines,
                "[internetshortcut]\nurl=https://new/\n",
                b"; a shortcut\r\n[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,2\r\nURL=no\r\n [InternetShortcut] \r\n\tUrl = \"http://old\" \r\nIconIndex=0"
            ),
            (
                "; a shortcut\r\n[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,2\r\nURL=no\r\n [InternetShortcut] \r\n\tUrl = \"https://new/\" \r\nIconIndex=0".into(),
                vec!["6 Set internetshortcut > url: http://old -> https://new/".into()]
            )
        );
        assert_eq!(
            applied(IniLines, "[{a b}]\nk=1\n[B]\nk=2\n", b"[B]\nk=\n[{A B}]\nk=1"),
            (
                "[B]\nk=2\n[{A B}]\nk=1".into(),
                vec![
                    "4 AlreadySo {a b} > k: 1 -> 1".into(),
                    "2 Set B > k:  -> 2".into()
                ]
            )
        );
    }

    #[test]
    fn what_is_not_there_once_is_refused() {
        let check = |file: &str, expected: &[&str]| {
            assert_eq!(refused(IniLines, "[A]\nurl=1\n", file.as_bytes()), expected);
        };
        check("", &["Missing the file has no section `[A]`"]);
        check("url=2\n", &["Missing the file has no section `[A]`"]);
        check(
            "[A]\nurll=2\n",
            &["Missing 0..3 the section `[A]` has no key `url` (nearest `urll`)"],
        );
        check(
            "[A]\n;url=2\n",
            &["Missing 0..3 the section `[A]` has no key `url`"],
        );
        check(
            "[A]\nurl=2\nURL=3\n",
            &[
                "Ambiguous 14..15 `A > url` is there 2 times, in lines 2, 3, and Windows reads only the first one",
            ],
        );
        check(
            "[A]\nx=2\n[a]\nurl=3\n",
            &[
                "Unsuitable 16..17 `url` stands in a second section `[A]`, and Windows reads only the first one",
            ],
        );
    }

    #[test]
    fn utf_16_stays_utf_16() {
        let file: Vec<u8> = std::iter::once(0xfeff_u16)
            .chain("[A]\r\nurl=é\r\n".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let wanted: Vec<u8> = std::iter::once(0xfeff_u16)
            .chain("[A]\r\nurl=1\r\n".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let edits = super::super::Edits::read(IniLines, "[A]\nurl=1\n").unwrap();
        assert_eq!(edits.apply(&file).unwrap().bytes, wanted);
    }
}
