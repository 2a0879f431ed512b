//! Edits of vendor files: a tree of files with one trap each, edited by the engine and read by the programs that read such
//! files; what every edit promises, as properties.
//!
//! A trap is a folder of `tests/fixtures/vendor/traps` with `file`, `edit` and `view.txt`: what a real reader sees
//! before (`-`) and after (`+`) the edit. The edits of the shipped inventories are done on sample files by the tests of
//! `consumers`.

/// The command.
mod command;
/// What every edit promises, with random files and edits.
mod properties;
/// The real readers.
mod readers;

use std::fmt::Write as _;
use std::path::PathBuf;

use cbgen::formats::edits::{EditKind, Edited, Edits, Outcome};

use crate::consumers::done;
use crate::harness::{compare_text, expect_none, root};

/// Folders of the tree, with the kind of their edits.
pub(crate) const KINDS: &[(&str, EditKind)] = &[
    ("erlang", EditKind::Terms),
    ("yaml", EditKind::YamlLines),
    ("json", EditKind::JsonKeys),
    ("ini", EditKind::IniLines),
    ("js", EditKind::References),
    ("xml", EditKind::Xdt),
];

/// A vendor file with edits.
pub(crate) struct Trap {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) file: Vec<u8>,
    pub(crate) edit: String,
}

/// The traps of a folder of the tree.
pub(crate) fn traps(folder: &str) -> Vec<Trap> {
    let folder = root().join("tests/fixtures/vendor/traps").join(folder);
    let mut names: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    let trap = |folder: PathBuf| Trap {
        name: folder.file_name().expect("a name").to_string_lossy().into_owned(),
        file: std::fs::read(folder.join("file")).expect("a file"),
        edit: std::fs::read_to_string(folder.join("edit")).expect("edits"),
        folder,
    };
    names.into_iter().map(trap).collect()
}

/// Shows files as their real reader sees them.
type View = fn(&[Vec<u8>]) -> Vec<Vec<String>>;

/// The lines a reader sees no longer, and those it sees newly.
fn differences<'v>(before: &'v [String], after: &'v [String]) -> (Vec<&'v String>, Vec<&'v String>) {
    let gone = before.iter().filter(|line| !after.contains(line));
    let new = after.iter().filter(|line| !before.contains(line));
    (gone.collect(), new.collect())
}

/// Lines that show one change: an added setting is a key, a value, and what the program makes of them.
const LINES: usize = 3;

/// Whether a value became another one at the same place, be it a text that was a list of numbers.
fn is_replaced(line: &str, by: &[&String]) -> bool {
    let place = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let below = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let at = place(line);
    by.iter()
        .any(|other| below(&at, &place(other)) || below(&place(other), &at))
}

/// Whether a reader refuses a file.
fn is_refused(view: &[String]) -> bool {
    view.iter().any(|line| line.starts_with("! "))
}

/// How many places an edit changed.
fn changed(edited: &Edited) -> usize {
    let changes = edited.changes.iter();
    changes
        .filter(|change| change.outcome != Outcome::AlreadySo)
        .count()
}

/// Edits the files of a folder, and compares what their reader sees before and after.
fn check(folder: &str, view: View) {
    let kind = KINDS.iter().find(|(name, _)| *name == folder).expect("a kind").1;
    let traps = traps(folder);
    let mut complaints = Vec::new();
    let mut files = Vec::new();
    let mut counts = Vec::new();
    for trap in &traps {
        let edits =
            Edits::read(kind, &trap.edit).unwrap_or_else(|errors| panic!("{}: {errors:?}", trap.name));
        match done(&edits, &trap.file) {
            Ok(edited) => {
                counts.push(changed(&edited));
                files.push(trap.file.clone());
                files.push(edited.bytes);
            }
            Err(why) => panic!("{folder}/{}: {why}", trap.name),
        }
    }
    let views = view(&files);
    assert_eq!(views.len(), files.len(), "the reader shows every file");
    for (index, trap) in traps.iter().enumerate() {
        assert!(
            !is_refused(&views[index * 2]),
            "{}: its reader refuses it",
            trap.name
        );
        let (gone, new) = differences(&views[index * 2], &views[index * 2 + 1]);
        let mut shown = String::new();
        for line in &gone {
            writeln!(shown, "- {line}").expect("a String");
        }
        for line in &new {
            writeln!(shown, "+ {line}").expect("a String");
        }
        if gone.len() + new.len() == 0 || new.len() > counts[index].max(1) * LINES {
            complaints.push(format!(
                "{folder}/{}: {} lines differ for {} changes",
                trap.name,
                new.len(),
                counts[index]
            ));
        }
        complaints.extend(compare_text(&trap.folder.join("view.txt"), &shown).err());
    }
    expect_none(&complaints);
    check_flipped(kind, &traps, view);
}

/// Flips bits all over the files. What the engine then accepts and changes, the real reader sees changed, and nothing
/// else; a file that the reader refuses has no meaning to be wrong about.
fn check_flipped(kind: EditKind, traps: &[Trap], view: View) {
    let mut files = Vec::new();
    let mut cases = Vec::new();
    for trap in traps {
        let edits = Edits::read(kind, &trap.edit).expect("edits");
        let step = (trap.file.len() / 24).max(1);
        for (turn, at) in (0..trap.file.len()).step_by(step).enumerate() {
            let mut file = trap.file.clone();
            file[at] ^= 1 << (turn % 8);
            if let Ok(edited) = edits.apply(&file) {
                cases.push((
                    format!("{}: bit {} of byte {at}", trap.name, turn % 8),
                    changed(&edited),
                ));
                files.push(file);
                files.push(edited.bytes);
            }
        }
    }
    let views = view(&files);
    assert_eq!(views.len(), files.len(), "the reader shows every file");
    let mut complaints = Vec::new();
    let mut read = 0;
    for (pair, (name, count)) in views.chunks(2).zip(&cases) {
        if is_refused(&pair[0]) {
            continue;
        }
        read += 1;
        let (gone, new) = differences(&pair[0], &pair[1]);
        // References in comments are rewritten too, which no reader sees.
        let is_seen = kind == EditKind::References || *count == 0 || gone.len() + new.len() > 0;
        let only_gone = gone.iter().filter(|line| !is_replaced(line, &new));
        let only_new = new.iter().filter(|line| !is_replaced(line, &gone));
        let most = count * LINES;
        let is_true = gone.is_empty() && new.is_empty() || *count > 0;
        if is_refused(&pair[1]) || !is_seen || !is_true || only_gone.count() > most || only_new.count() > most
        {
            complaints.push(format!("{name}: {count} changes, {gone:?} became {new:?}"));
        }
    }
    expect_none(&complaints);
    assert!(
        read > traps.len() * 4,
        "only {read} flipped files were accepted and read"
    );
}

#[test]
fn erlang_sees_the_new_terms_and_nothing_else() {
    check("erlang", readers::erlang);
}

#[test]
fn ruby_sees_the_new_settings_and_nothing_else() {
    check("yaml", readers::ruby);
}

#[test]
fn node_sees_the_new_keys_and_nothing_else() {
    check("json", readers::json);
}

#[test]
fn scripts_yield_the_new_addresses_and_nothing_else() {
    check("js", readers::script);
}

#[test]
fn configparser_sees_the_new_lines_and_nothing_else() {
    check("ini", readers::ini);
}

#[test]
fn dotnet_sees_the_new_settings_and_nothing_else() {
    check("xml", readers::dotnet);
}

#[test]
fn the_tree_has_a_file_for_each_trap() {
    let files: usize = KINDS.iter().map(|(folder, _)| traps(folder).len()).sum();
    assert!(files >= 40, "{files} files");
}
