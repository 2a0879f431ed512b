//! Documents say what is true: their commands are run, their tables compared with the code, their paths looked up.
//!
//! In a fence ```` ```console ```` every line that begins with `$ ` is a command; the lines below it are its output, standard
//! output and standard error together, with a line `(status N)` when it does not end with 0. A line `...` stands for
//! any number of lines. The commands of a document run one after another in a folder of their own: a git repository
//! that holds the shipped inventories and nothing else. `CBGEN_BLESS=1` writes outputs anew, without `...`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::harness::{Workspace, blessing, difference, expect_none, read_tree, root, write_tree};
use crate::tidy::LAYERS;

/// Top folders whose paths may be named in documents; what is named must be there.
const FOLDERS: &[&str] = &[
    "compiler/",
    "templates/",
    "tests/",
    "docs/",
    "kit/",
    "fuzz/",
    "inventories/",
    "benches/",
    ".ci/",
];

/// Every document that people read, with its path: not what is generated, not what tests expect.
fn documents() -> Vec<(String, String)> {
    let mut names: Vec<String> = ["README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"]
        .iter()
        .map(|name| format!("{name}.md"))
        .collect();
    let docs = read_tree(&root().join("docs"));
    let docs = docs.keys().filter(|name| name.ends_with(".md"));
    names.extend(docs.map(|name| format!("docs/{name}")));
    let read = |name: String| {
        let text =
            std::fs::read_to_string(root().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, text)
    };
    names.into_iter().map(read).collect()
}

fn document(name: &str) -> String {
    let (_, text) = documents()
        .into_iter()
        .find(|(known, _)| known == name)
        .expect("a document");
    text
}

/// A command of a document: the line of its `$ `, the first and the last line of its output.
struct Example {
    line: usize,
    output: std::ops::Range<usize>,
}

fn examples(lines: &[&str]) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in lines.iter().enumerate() {
        match *line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if inside && line.starts_with("$ ") => found.push(Example {
                line: number,
                output: number + 1..number + 1,
            }),
            _ if inside => {
                let example = found.last_mut();
                let example = example.expect("a fence `console` begins with a command");
                assert_eq!(example.output.end, number, "output follows its command");
                example.output.end = number + 1;
            }
            _ => {}
        }
    }
    found
}

/// Whether `found` is what `expected` says; `...` in it stands for any lines.
pub(crate) fn matches(expected: &[&str], found: &[&str]) -> bool {
    let parts: Vec<&[&str]> = expected.split(|line| *line == "...").collect();
    let [first, others @ ..] = parts.as_slice() else {
        return found.is_empty();
    };
    let Some(mut rest) = found.strip_prefix(*first) else {
        return false;
    };
    let Some((last, middle)) = others.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = (0..=rest.len()).find(|at| rest[*at..].starts_with(part)) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn elisions_stand_for_any_lines() {
    let check = |expected: &str, found: &str| {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let (expected, found) = (lines(expected), lines(found));
        let expected: Vec<&str> = expected
            .iter()
            .map(|line| if line == "." { "..." } else { line })
            .collect();
        matches(&expected, &found.iter().map(String::as_str).collect::<Vec<_>>())
    };
    for (expected, found) in [
        ("abc", "abc"),
        ("", ""),
        (".", ""),
        (".", "abc"),
        ("a.", "abc"),
        (".c", "abc"),
        ("a.c", "abbc"),
        ("a.b.d", "axbxd"),
    ] {
        assert!(check(expected, found), "{expected} {found}");
    }
    for (expected, found) in [
        ("abc", "abd"),
        ("abc", "abcd"),
        ("", "a"),
        ("a.c", "abd"),
        ("a.b.d", "axd"),
        ("ab.ba", "aba"),
    ] {
        assert!(!check(expected, found), "{expected} {found}");
    }
}

/// A repository with the shipped inventories, and nothing of the machine in the environment.
fn scratch() -> Workspace {
    let workspace = Workspace::new();
    let folder = workspace.folder();
    write_tree(
        &folder.join("inventories"),
        &read_tree(&root().join("inventories")),
    );
    // git leaves the archives out of a clone.
    let mut committed = read_tree(&root().join("out"));
    committed.retain(|name, _| !name.ends_with(".zip") && !name.ends_with(".zip.sha256"));
    write_tree(&folder.join("out"), &committed);
    let prepare = "git init -q -b main && git add -A && git commit -q -m 'the state before'";
    assert_eq!(shell(&folder, prepare), "");
    workspace
}

/// Runs one line of shell; gives both streams, and the status when it is not 0.
fn shell(folder: &Path, line: &str) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_cbgen")).parent().expect("a folder");
    let mut path = programs.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{line}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("COLUMNS", "100")
        .envs([
            ("GIT_AUTHOR_NAME", "author"),
            ("GIT_AUTHOR_EMAIL", "author@acme.example"),
            ("GIT_COMMITTER_NAME", "author"),
            ("GIT_COMMITTER_EMAIL", "author@acme.example"),
        ])
        .output()
        .expect("sh starts");
    let mut text = String::from_utf8(output.stdout).expect("output is UTF-8");
    let code = output.status.code().expect("ended by itself");
    if code != 0 {
        writeln!(text, "(status {code})").expect("a String");
    }
    text
}

#[test]
fn commands_in_documents_print_what_they_say() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for (name, text) in documents() {
        let lines: Vec<&str> = text.lines().collect();
        let examples = examples(&lines);
        if examples.is_empty() {
            continue;
        }
        let workspace = scratch();
        let mut blessed = String::new();
        let mut copied = 0;
        for example in examples {
            count += 1;
            let command = lines[example.line].strip_prefix("$ ").expect("a command");
            let found = shell(&workspace.folder(), command);
            let machine = workspace.outside().to_string_lossy().into_owned();
            assert!(
                !found.contains(&machine),
                "{name}: an absolute path is printed:\n{found}"
            );
            let found: Vec<&str> = found.lines().collect();
            let expected = &lines[example.output.clone()];
            let right = matches(expected, &found);
            let output = if right { expected } else { &found };
            for line in lines[copied..=example.line].iter().chain(output) {
                writeln!(blessed, "{line}").expect("a String");
            }
            copied = example.output.end;
            if !right {
                let difference = difference(&expected.join("\n"), &found.join("\n"));
                complaints.push(format!("{name}:{}: {command}\n{difference}", example.line + 1));
            }
        }
        for line in &lines[copied..] {
            writeln!(blessed, "{line}").expect("a String");
        }
        if blessing() {
            std::fs::write(root().join(&name), blessed).expect("a writable file");
        }
    }
    assert!(count > 5, "examples are found");
    if !blessing() {
        expect_none(&complaints);
    }
}

/// `docs/diff.md` shows a report as a reviewer sees it, rendered, so it cannot stand in a fence.
#[test]
fn the_report_in_the_documentation_is_current() {
    let workspace = scratch();
    let command = "sed -i 's/port: 5671/port: 5673/; s/x_frame_options: SAMEORIGIN/x_frame_options: DENY/; \
        s/2026.12.1/2026.12.2/' inventories/prod.yaml; \
        cbgen diff git:HEAD:inventories/prod.yaml inventories/prod.yaml --format markdown 2>/dev/null";
    let printed = shell(&workspace.folder(), command);
    let report = printed.strip_suffix("(status 1)\n").expect("differences");
    // Its headings stand below one of the document.
    let deeper = |line: &str| {
        if line.starts_with("##") {
            format!("#{line}\n")
        } else {
            format!("{line}\n")
        }
    };
    let report: String = report.lines().map(deeper).collect();
    let path = root().join("docs/diff.md");
    let text = std::fs::read_to_string(&path).expect("a document");
    let (before, rest) = text.split_once("\n### git:HEAD:").expect("the report");
    let at = rest.find("\n## As a page").expect("the chapter behind it");
    let current = format!("{before}\n{}\n{}", report.trim_end(), &rest[at..]);
    if blessing() {
        std::fs::write(&path, current).expect("a writable file");
        return;
    }
    let difference = difference(&text, &current);
    assert!(
        difference.is_empty(),
        "docs/diff.md is old, CBGEN_BLESS=1 writes it:\n{difference}"
    );
}

/// The cells of the rows of a table whose head begins with `head`.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let rows = text.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let inner = line.trim_matches(['|', ' ']);
            inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

#[test]
fn the_layers_of_the_architecture_are_those_of_the_tidy_test() {
    let said: Vec<String> = table(&document("ARCHITECTURE.md"), "| layer | modules |")
        .iter()
        .map(|row| format!("{}: {}", row[0], row[1].replace('`', "")))
        .collect();
    let true_ones: Vec<String> = LAYERS
        .iter()
        .map(|(layer, modules)| format!("{layer}: {}", modules.join(" ")))
        .collect();
    assert_eq!(said, true_ones);
    let mut complaints = Vec::new();
    for module in LAYERS.iter().flat_map(|(_, modules)| modules.iter()) {
        let place = root().join("compiler").join(module);
        if !place.is_dir() && !place.with_extension("rs").is_file() {
            complaints.push(format!("compiler/{module} is in a layer but not there"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn every_module_is_on_the_code_map() {
    let text = document("ARCHITECTURE.md");
    let map: BTreeSet<String> = table(&text, "| place | what it is for |")
        .iter()
        .flat_map(|row| {
            row[0]
                .split(", ")
                .map(|name| name.replace('`', ""))
                .collect::<Vec<_>>()
        })
        .collect();
    let files = read_tree(&root().join("compiler"));
    let mut complaints = BTreeSet::new();
    for name in files.keys() {
        let top = match name.split_once('/') {
            Some((folder, _)) => format!("compiler/{folder}/"),
            None => format!("compiler/{name}"),
        };
        // A module in a file and a folder is on the map once.
        let file = format!("{}.rs", top.trim_end_matches('/'));
        if !map.contains(&top) && !map.contains(&file) {
            complaints.insert(format!("ARCHITECTURE.md: `{top}` is not on the code map"));
        }
    }
    expect_none(&complaints.into_iter().collect::<Vec<_>>());
}

#[test]
fn paths_in_documents_are_there() {
    let mut complaints = Vec::new();
    for (name, text) in documents() {
        for word in text.split('`').skip(1).step_by(2) {
            let named = FOLDERS.iter().any(|folder| word.starts_with(folder));
            let pattern = word.contains(['*', '<', '…', ' ', '{', '\n'])
                || word.contains("NAME")
                || word.contains("xxxx");
            let path = word.split([':', '#']).next().unwrap_or_default();
            if named && !pattern && !root().join(path).exists() {
                complaints.push(format!("{name}: `{word}` is not there"));
            }
        }
    }
    expect_none(&complaints);
}

/// In `ARCHITECTURE.md` an invariant stands beside the test that would fail without it.
#[test]
fn tests_named_in_documents_are_there() {
    let tests: String = ["tests", "compiler", "fuzz"]
        .iter()
        .flat_map(|folder| read_tree(&root().join(folder)))
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    let mut complaints = Vec::new();
    let mut count = 0;
    for (name, text) in documents() {
        for word in text.split('`').skip(1).step_by(2) {
            let Some((_, test)) = word.split_once(".rs: ") else {
                continue;
            };
            count += 1;
            if !tests.contains(&format!("fn {test}()")) {
                complaints.push(format!("{name}: there is no test `{test}`"));
            }
        }
    }
    assert!(count > 10, "tests are named");
    expect_none(&complaints);
}

#[test]
fn the_readme_names_every_command_and_every_document() {
    let readme = document("README.md");
    let commands = table(&readme, "| command |");
    let help = Workspace::new().run(&["--help"]).stdout;
    let names = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // A line that goes on with the words of the one before is indented further.
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next());
    let mut complaints = Vec::new();
    for name in names.filter(|name| *name != "help") {
        let shown = |row: &Vec<String>| row[0].starts_with(&format!("`cbgen {name}"));
        if !commands.iter().any(shown) {
            complaints.push(format!("README.md: the table of commands lacks `{name}`"));
        }
    }
    let linked: BTreeSet<String> = table(&readme, "| document |")
        .iter()
        .filter_map(|row| Some(row[0].split("](").nth(1)?.trim_end_matches(')').to_owned()))
        .collect();
    for (name, _) in documents() {
        let one_of_many = name.starts_with("docs/errors/CB") || name.starts_with("docs/decisions/0");
        if !one_of_many && name != "README.md" && !linked.contains(&name) {
            complaints.push(format!("README.md: the table of documents lacks {name}"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn every_decision_is_in_their_list() {
    let list = document("docs/decisions/README.md");
    let mut complaints = Vec::new();
    for (name, text) in documents() {
        let Some(file) = name
            .strip_prefix("docs/decisions/")
            .filter(|file| *file != "README.md")
        else {
            continue;
        };
        if !list.contains(&format!("]({file})")) {
            complaints.push(format!("docs/decisions/README.md lacks {file}"));
        }
        for section in ["## Context", "## Decision", "## Consequences"] {
            if !text.contains(section) {
                complaints.push(format!("{name} has no section `{section}`"));
            }
        }
    }
    expect_none(&complaints);
}
