//! Arguments that stand for several files: patterns, which the shells of Windows hand on as they are typed.
//!
//! One function turns what was typed into the files that are meant, for every command that takes inventories. Both
//! slashes separate on every system. This file must not know what an inventory is.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::codes;
use crate::diag::Diagnostic;
use crate::files::{EntryKind, Files, is_absent};

use super::session::Session;
use super::workshop::shown;

/// The files that arguments stand for. One that stands for none is reported, in the file `of` that names them if any, and does
/// not stop the others.
pub(super) fn files_of(
    session: &mut Session,
    files: &dyn Files,
    arguments: &[PathBuf],
    of: Option<&str>,
) -> Vec<PathBuf> {
    let (meant, findings) = expand(files, arguments);
    for finding in findings {
        session.report_alone(match of {
            Some(of) => finding.in_file(of),
            None => finding,
        });
    }
    meant
}

/// Turns arguments into files, in their order, those of a pattern sorted, each once. What names a file that is there is that file, whatever signs are in its name; what has
/// `*` (any letters), `?` (one letter) or `**` (any folders) in it is a pattern, and one that fits no file is a finding
/// (`CB0013`). Everything else is handed on as it is: who reads it says what is wrong with it.
fn expand(files: &dyn Files, arguments: &[PathBuf]) -> (Vec<PathBuf>, Vec<Diagnostic>) {
    let (mut meant, mut findings) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for argument in arguments {
        let found = match pattern(files, argument) {
            None => vec![argument.clone()],
            Some(pattern) => match matching(files, &pattern) {
                Ok(found) if !found.is_empty() => found,
                result => {
                    findings.push(nothing(argument, result.err().as_ref()));
                    continue;
                }
            },
        };
        meant.extend(found.into_iter().filter(|path| seen.insert(shown(path))));
    }
    (meant, findings)
}

fn nothing(argument: &Path, error: Option<&io::Error>) -> Diagnostic {
    let message = format!("the pattern `{}` fits no file", shown(argument));
    let finding = Diagnostic::new(codes::PATTERN_WITHOUT_FILES, message)
        .help("`*` stands for any letters of one name, `?` for one letter, `**` for any number of folders");
    match error {
        Some(error) => finding.note(format!("a folder on the way cannot be read: {error}")),
        None => finding,
    }
}

/// The part of a pattern that has no wildcard, with its last slash, and the names behind it.
struct Pattern {
    base: String,
    names: Vec<String>,
}

/// An argument as pattern; nothing when it is the name of something.
fn pattern(files: &dyn Files, argument: &Path) -> Option<Pattern> {
    let text = argument.to_str()?.replace('\\', "/");
    let text = text.trim_start_matches("./");
    let wildcard = text.find(['*', '?'])?;
    // A name of Windows that begins so means every sign as it is.
    if text.starts_with("//?/") || matches!(files.kind(argument), Ok(Some(_))) {
        return None;
    }
    let (before, _) = text.split_at_checked(wildcard)?;
    let base = before.rfind('/').map_or(0, |slash| slash + 1);
    let (base, rest) = text.split_at_checked(base)?;
    let names = rest.split('/').filter(|name| !matches!(*name, "" | "."));
    Some(Pattern {
        base: base.to_owned(),
        names: names.map(str::to_owned).collect(),
    })
}

/// Every file that fits, sorted.
fn matching(files: &dyn Files, pattern: &Pattern) -> io::Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    descend(files, &pattern.base, &pattern.names, &mut found)?;
    Ok(found.into_iter().map(PathBuf::from).collect())
}

/// Looks for the rest of a pattern in a folder; `folder` is empty or ends with a slash.
fn descend(
    files: &dyn Files,
    folder: &str,
    names: &[String],
    found: &mut BTreeSet<String>,
) -> io::Result<()> {
    let Some((name, rest)) = names.split_first() else {
        return Ok(());
    };
    if name == "**" {
        // No folder at all, or one and whatever is below it.
        descend(files, folder, rest, found)?;
    } else if !name.contains(['*', '?']) {
        let path = format!("{folder}{name}");
        return match files.kind(Path::new(&path))? {
            Some(EntryKind::File | EntryKind::Link) if rest.is_empty() => {
                found.insert(path);
                Ok(())
            }
            Some(EntryKind::Folder | EntryKind::Link) if !rest.is_empty() => {
                descend(files, &format!("{path}/"), rest, found)
            }
            _ => Ok(()),
        };
    }
    let entries = match files.children(Path::new(folder)) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        // A name that is not Unicode cannot be typed either.
        let Some(entry_name) = entry.path.to_str() else {
            continue;
        };
        let path = format!("{folder}{entry_name}");
        // As in a shell: what begins with a dot is hidden from wildcards.
        let is_hidden = entry_name.starts_with('.') && !name.starts_with('.');
        if is_hidden {
            continue;
        }
        if name == "**" {
            if entry.kind == EntryKind::Folder {
                descend(files, &format!("{path}/"), names, found)?;
            }
        } else if fits(name, entry_name) {
            match entry.kind {
                EntryKind::File | EntryKind::Link if rest.is_empty() => drop(found.insert(path)),
                EntryKind::Folder if !rest.is_empty() => descend(files, &format!("{path}/"), rest, found)?,
                EntryKind::File | EntryKind::Folder | EntryKind::Link | EntryKind::Other => {}
            }
        }
    }
    Ok(())
}

/// Whether a name fits a pattern of `*` and `?`; case counts where it does for the file system.
fn fits(pattern: &str, name: &str) -> bool {
    let letters = |text: &str| -> Vec<char> {
        if cfg!(windows) {
            text.to_lowercase().chars().collect()
        } else {
            text.chars().collect()
        }
    };
    let (pattern, name) = (letters(pattern), letters(name));
    let (mut at, mut read) = (0, 0);
    // Where to go on when the last `*` takes one letter more.
    let mut last: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(read) {
        match pattern.get(at) {
            Some('*') => {
                last = Some((at + 1, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                read += 1;
            }
            _ => match &mut last {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, read) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    const FILES: [&str; 8] = [
        "inventories/prod.yaml",
        "inventories/lab.yaml",
        "inventories/notes.txt",
        "inventories/.hidden.yaml",
        "inventories/shared/acme.yaml",
        "inventories/eu/paris/x.yaml",
        "a[1].yaml",
        "top.yaml",
    ];

    fn check(arguments: &[&str]) -> Vec<String> {
        let files = MemoryFiles::shuffled();
        for path in FILES {
            files.write(Path::new(path), b"").unwrap();
        }
        let arguments: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
        let (meant, findings) = expand(&files, &arguments);
        let findings = findings.into_iter().map(|finding| finding.message);
        meant.iter().map(|path| shown(path)).chain(findings).collect()
    }

    #[test]
    fn patterns_become_files_in_order() {
        let both = ["inventories/lab.yaml", "inventories/prod.yaml"];
        assert_eq!(check(&["inventories/*.yaml"]), both);
        assert_eq!(check(&[r"inventories\*.yaml"]), both);
        assert_eq!(check(&[r".\inventories\*.yaml"]).len(), 2);
        assert_eq!(check(&["inventories/*"]).len(), 3);
        assert_eq!(check(&["i*s/p?od.yaml"]), ["inventories/prod.yaml"]);
        assert_eq!(check(&["*/shared/*.yaml"]), ["inventories/shared/acme.yaml"]);
        assert_eq!(check(&["inventories/.h*"]), ["inventories/.hidden.yaml"]);
        assert_eq!(check(&["**/x.yaml"]), ["inventories/eu/paris/x.yaml"]);
        assert_eq!(check(&["**/*.yaml"]).len(), 6);
    }

    #[test]
    fn what_is_no_pattern_stays() {
        assert_eq!(
            check(&["not/there.yaml", "a[1].yaml", "-"]),
            ["not/there.yaml", "a[1].yaml", "-"]
        );
        // Each file once, in the order of the arguments.
        assert_eq!(
            check(&["inventories/prod.yaml", r"inventories\*.yaml"]),
            ["inventories/prod.yaml", "inventories/lab.yaml"]
        );
    }

    #[test]
    fn a_pattern_without_files_is_a_finding() {
        assert_eq!(
            check(&["inventories/*.yml"]),
            ["the pattern `inventories/*.yml` fits no file"]
        );
        assert_eq!(check(&["top.yaml/*", "nowhere/*"]).len(), 2);
        // What names a file that is there is no pattern, whatever is in its name.
        let files = MemoryFiles::default();
        files.write(Path::new("what?.yaml"), b"").unwrap();
        assert_eq!(
            expand(&files, &["what?.yaml".into()]).0,
            [PathBuf::from("what?.yaml")]
        );
    }

    #[test]
    fn names_fit_patterns() {
        let check = |pattern: &str, name: &str, wanted: bool| {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        };
        for (pattern, name) in [
            ("*", ""),
            ("*", "abc"),
            ("a*c", "abbc"),
            ("*.y*ml", "a.yaml"),
            ("???", "äöü"),
        ] {
            check(pattern, name, true);
        }
        for (pattern, name) in [("?", ""), ("a*c", "abcd"), ("a", "A b"), ("*a", "ab")] {
            check(pattern, name, false);
        }
        check("A*", "abc", cfg!(windows));
        // Many stars cost no more than the product of the lengths.
        check(&"*a".repeat(50), &"a".repeat(5000), true);
        check(&format!("{}b", "*a".repeat(50)), &"a".repeat(5000), false);
    }
}
