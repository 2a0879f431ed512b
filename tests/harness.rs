//! Temporary workspaces, running the program, comparing with what is expected.
//!
//! `CBGEN_BLESS=1 cargo test` writes expected files anew; they are never edited by hand, and what a bless changed is
//! reviewed like code. A left-over expected file is a failure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;
use walkdir::WalkDir;

/// The folder of `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether expected files are written instead of compared.
pub(crate) fn blessing() -> bool {
    std::env::var_os("CBGEN_BLESS").is_some_and(|value| value == "1")
}

/// Relative paths with forward slashes, and bytes.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Every file below `folder`; an absent folder is an empty tree.
pub(crate) fn read_tree(folder: &Path) -> Tree {
    let files = WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below the folder");
            let name = path.to_string_lossy().replace('\\', "/");
            (name, fs::read(entry.path()).expect("a readable file"))
        })
        .collect()
}

/// Writes `tree` below `folder`.
pub(crate) fn write_tree(folder: &Path, tree: &Tree) {
    for (name, bytes) in tree {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("a folder");
        fs::write(path, bytes).expect("a writable file");
    }
}

/// A test case: a folder with an inventory, perhaps templates, and what is expected of them.
pub(crate) struct Case {
    folder: PathBuf,
}

impl Case {
    /// Every case below `tests/<group>`, sorted; folders in `except` are shared files, not cases.
    pub(crate) fn all(group: &str, except: &[&str]) -> Vec<Self> {
        let folder = root().join("tests").join(group);
        let mut folders: Vec<PathBuf> = fs::read_dir(folder)
            .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
            .unwrap_or_default();
        folders.retain(|path| path.is_dir() && !except.iter().any(|name| path.ends_with(name)));
        folders.sort();
        assert!(!folders.is_empty(), "there is no case in tests/{group}");
        folders.into_iter().map(|folder| Self { folder }).collect()
    }

    /// The name of its folder.
    pub(crate) fn name(&self) -> String {
        self.folder
            .file_name()
            .expect("has a name")
            .to_string_lossy()
            .into_owned()
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A workspace with the files of the case, without what is expected, and the folder `base` of its group when there is one.
    pub(crate) fn workspace(&self) -> Workspace {
        let mut tree = read_tree(&self.folder);
        tree.retain(|name, _| {
            name != "expected.txt" && name != "command.txt" && !name.starts_with("expected/")
        });
        let workspace = Workspace::new();
        write_tree(&workspace.folder(), &tree);
        let base = self.folder.with_file_name("base");
        write_tree(&workspace.folder().join("base"), &read_tree(&base));
        workspace
    }
}

/// A temporary folder to run the program in.
pub(crate) struct Workspace {
    root: TempDir,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Workspace {
    /// An empty workspace.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("cbgen-test")
            .tempdir()
            .expect("a temporary folder");
        fs::create_dir(root.path().join("case")).expect("a folder");
        Self { root }
    }

    /// A workspace with the shipped inventories.
    pub(crate) fn shipped() -> Self {
        let workspace = Self::new();
        write_tree(
            &workspace.folder().join("inventories"),
            &read_tree(&root().join("inventories")),
        );
        workspace
    }

    /// The working directory of the program.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("case")
    }

    /// The folder around it.
    pub(crate) fn outside(&self) -> &Path {
        self.root.path()
    }

    /// Adds a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        write_tree(
            &self.folder(),
            &Tree::from([(name.to_owned(), text.as_bytes().to_vec())]),
        );
    }

    /// The program, with this working directory and an empty environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cbgen"));
        command
            .current_dir(self.folder())
            .env_clear()
            .env("COLUMNS", "100");
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.finish(self.command().args(arguments))
    }

    /// What does not fit the schema `kind` that the program prints, in an answer of one of its commands.
    pub(crate) fn misfits(&self, kind: &str, answer: &str) -> Vec<String> {
        let schema = serde_json::from_str(&self.run(&["schema", kind]).stdout).expect("a schema");
        let schema = jsonschema::validator_for(&schema).expect("a valid schema");
        match serde_json::from_str(answer) {
            Ok(answer) => schema
                .iter_errors(&answer)
                .map(|error| format!("{kind}: {error}"))
                .collect(),
            Err(error) => vec![format!("{kind}: {error}: {answer}")],
        }
    }

    /// Runs a prepared command.
    pub(crate) fn finish(&self, command: &mut Command) -> Ran {
        let output = command.output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        let ran = Ran {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            code: output.status.code().expect("ended by itself"),
        };
        // Nothing of the building machine may be printed.
        let machine = self.root.path().to_string_lossy().into_owned();
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(&machine), "an absolute path is printed:\n{text}");
            assert!(!text.contains("panicked at"), "the program panicked:\n{text}");
        }
        ran
    }
}

/// Compares a text with the file that holds the expected one; gives the complaint.
pub(crate) fn compare_text(path: &Path, found: &str) -> Result<(), String> {
    if blessing() {
        fs::write(path, found).expect("a writable file");
        return Ok(());
    }
    let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    match fs::read(path) {
        Ok(expected) if expected == found.as_bytes() => Ok(()),
        Ok(expected) => Err(format!(
            "{shown} differs:\n{}",
            difference(&String::from_utf8_lossy(&expected), found)
        )),
        Err(_) => Err(format!("{shown} is missing; found:\n{found}")),
    }
}

/// Compares a tree with an expected folder: missing, additional and different files are complaints.
pub(crate) fn compare_tree(folder: &Path, found: &Tree) -> Result<(), String> {
    if blessing() {
        if folder.is_dir() {
            fs::remove_dir_all(folder).expect("an old expected tree");
        }
        write_tree(folder, found);
        return Ok(());
    }
    let expected = read_tree(folder);
    let mut complaints = String::new();
    for (name, bytes) in &expected {
        match found.get(name) {
            None => writeln!(complaints, "{name}: expected, but not made").expect("a String"),
            Some(made) if made != bytes => {
                let text = difference(&String::from_utf8_lossy(bytes), &String::from_utf8_lossy(made));
                writeln!(complaints, "{name} differs:\n{text}").expect("a String");
            }
            Some(_) => {}
        }
    }
    for name in found.keys().filter(|name| !expected.contains_key(*name)) {
        writeln!(complaints, "{name}: made, but not expected").expect("a String");
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints)
    }
}

/// A unified diff.
pub(crate) fn difference(expected: &str, found: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, found);
    diff.unified_diff().header("expected", "found").to_string()
}

/// Fails with all complaints at once and says how to accept them.
#[track_caller]
pub(crate) fn expect_none(complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{}\n{} complaints; CBGEN_BLESS=1 accepts differences of expected files",
        complaints.join("\n"),
        complaints.len()
    );
}
