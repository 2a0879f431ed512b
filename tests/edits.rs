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

use cbgen::formats::edits::{EditKind, Edits, Outcome};

use crate::consumers::done;
use crate::harness::{compare_text, expect_none, root};

/// Folders of the tree, with the kind of their edits.
pub(crate) const KINDS: &[(&str, EditKind)] = &[
    ("erlang", EditKind::Terms),
    ("yaml", EditKind::YamlLines),
    ("json", EditKind::JsonKeys),
    ("ini", EditKind::IniLines),
    ("js", EditKind::References),
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

/// Edits the files of a folder, and compares what their reader sees before and after.
fn check(folder: &str, view: impl Fn(&[Vec<u8>]) -> Vec<Vec<String>>) {
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
                let done = edited
                    .changes
                    .iter()
                    .filter(|change| change.outcome != Outcome::AlreadySo);
                counts.push(done.count());
                files.push(trap.file.clone());
                files.push(edited.bytes);
            }
            Err(why) => panic!("{folder}/{}: {why}", trap.name),
        }
    }
    let views = view(&files);
    assert_eq!(views.len(), files.len(), "the reader shows every file");
    for (index, trap) in traps.iter().enumerate() {
        let (before, after) = (&views[index * 2], &views[index * 2 + 1]);
        let mut shown = String::new();
        for line in before.iter().filter(|line| !after.contains(line)) {
            writeln!(shown, "- {line}").expect("a String");
        }
        let mut new = 0;
        for line in after.iter().filter(|line| !before.contains(line)) {
            writeln!(shown, "+ {line}").expect("a String");
            new += 1;
        }
        if new == 0 || new > counts[index].max(1) * 2 {
            complaints.push(format!(
                "{folder}/{}: {new} lines differ for {} changes",
                trap.name, counts[index]
            ));
        }
        complaints.extend(compare_text(&trap.folder.join("view.txt"), &shown).err());
    }
    expect_none(&complaints);
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
fn the_tree_has_a_file_for_each_trap() {
    let files: usize = KINDS.iter().map(|(folder, _)| traps(folder).len()).sum();
    assert!(files >= 40, "{files} files");
}
