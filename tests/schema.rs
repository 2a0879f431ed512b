//! The published schemas in a validator of their own, as an editor uses them: what they refuse and what they must not.
//!
//! It must not know what a key means: the cases of `tests/errors` say what is wrong.

use std::process::Command;

use crate::harness::{Case, Workspace, compare_text, expect_none, read_tree, root};

/// Which files a schema refuses.
fn refused(schema: &str, files: &[String]) -> Vec<(String, bool)> {
    let python = root().join("target/python/bin/python");
    assert!(
        python.is_file(),
        "tests/run installs a validator into target/python"
    );
    let workspace = Workspace::new();
    let ran = workspace.run(&["schema", schema]);
    workspace.write("schema.json", &ran.stdout);
    let output = Command::new(python)
        .arg(root().join("tests/fixtures/schema/validate.py"))
        .arg(workspace.folder().join("schema.json"))
        .args(files)
        .output()
        .expect("python starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(word, name)| (name.to_owned(), word == "refused"))
        .collect()
}

fn path(name: &str) -> String {
    root().join(name).to_string_lossy().into_owned()
}

#[test]
fn what_cbgen_takes_no_editor_refuses() {
    let mut complaints = Vec::new();
    let mut inventories = vec![path("compiler/cli/init_starter.yaml")];
    let mut layers = Vec::new();
    for name in read_tree(&root().join("inventories")).into_keys() {
        let list = if name.starts_with("shared/") {
            &mut layers
        } else {
            &mut inventories
        };
        list.push(path(&format!("inventories/{name}")));
    }
    let good = |case: &Case| ("CB04".."CB05").contains(&&case.name()[..4]);
    for case in Case::all("errors", &["base"]).iter().filter(|case| good(case)) {
        inventories.push(case.path("inventory.yaml").to_string_lossy().into_owned());
    }
    inventories.push(path("tests/errors/base/good.yaml"));
    for (schema, files) in [
        ("inventory", inventories),
        ("layer", layers),
        ("project", vec![path("compiler/cli/init_project.yaml")]),
    ] {
        assert!(!files.is_empty());
        let wrong = refused(schema, &files)
            .into_iter()
            .filter(|(_, refused)| *refused);
        complaints.extend(wrong.map(|(name, _)| format!("{schema}: {name} is refused")));
    }
    expect_none(&complaints);
}

/// Every error case of one file, and whether an editor marks it. The list is reviewed: what moves to `unseen` is a loss.
#[test]
fn editors_mark_the_mistakes_a_schema_can_know() {
    let of_values = |case: &Case| {
        ("CB01".."CB04").contains(&&case.name()[..4])
            && !case.path("templates").is_dir()
            && !case.path("command.txt").is_file()
    };
    let cases: Vec<Case> = Case::all("errors", &["base"])
        .into_iter()
        .filter(of_values)
        .collect();
    let files: Vec<String> = cases
        .iter()
        .map(|case| case.path("inventory.yaml").to_string_lossy().into_owned())
        .collect();
    let mut text = String::from(
        "What an editor with `cbgen schema inventory` makes of the cases of tests/errors that one file shows.\n\n",
    );
    let mut marked = 0;
    for (name, refused) in refused("inventory", &files) {
        let case = name.rsplit('/').nth(1).unwrap_or_default();
        marked += usize::from(refused);
        text.push_str(&format!("{} {case}\n", if refused { "marked" } else { "unseen" }));
    }
    assert!(marked * 2 > files.len(), "only {marked} of {}", files.len());
    if let Err(complaint) = compare_text(&root().join("tests/schema_marks.txt"), &text) {
        panic!("{complaint}");
    }
}

/// 71 single mistakes in a good inventory: what an editor marks, and what cbgen says. The answers are reviewed in
/// `tests/schema_mistakes.txt`: a line that moves to `unseen`, or loses its code, is a loss.
#[test]
fn every_single_mistake_is_found_and_most_by_editors() {
    let good = std::fs::read_to_string(path("tests/errors/base/good.yaml")).expect("an inventory");
    let table = std::fs::read_to_string(path("tests/fixtures/schema/mistakes.tsv")).expect("a table");
    let workspace = Workspace::new();
    let mut mistakes = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t').map(|cell| cell.replace('⏎', "\n"));
        let (name, old, new) = (cells.next(), cells.next(), cells.next());
        let (name, old, new) = (
            name.expect("a name"),
            old.expect("a text"),
            new.expect("a mistake"),
        );
        assert!(good.contains(&old), "{name}");
        let file = format!("{:02}.yaml", mistakes.len() + 1);
        workspace.write(&file, &good.replacen(&old, &new, 1));
        mistakes.push((name, file));
    }
    let files: Vec<String> = mistakes
        .iter()
        .map(|(_, file)| workspace.folder().join(file).to_string_lossy().into_owned())
        .collect();
    let marks = refused("inventory", &files);
    let mut words = vec!["check", "--message-format", "short"];
    words.extend(mistakes.iter().map(|(_, file)| file.as_str()));
    let said = workspace.run(&words).stderr;
    let mut text = String::from(
        "What an editor with `cbgen schema inventory`, and cbgen, make of the mistakes of tests/fixtures/schema/mistakes.tsv.\n\n",
    );
    let (mut marked, mut found) = (0, 0);
    for ((name, file), (_, is_marked)) in mistakes.iter().zip(marks) {
        let codes: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with(file.as_str()))
            .filter_map(|line| line.split("error[").nth(1)?.split(']').next())
            .collect();
        marked += usize::from(is_marked);
        found += usize::from(!codes.is_empty());
        let word = if is_marked { "marked" } else { "unseen" };
        text.push_str(&format!("{word} {} {name}\n", codes.join(" ")));
    }
    if let Err(complaint) = compare_text(&root().join("tests/schema_mistakes.txt"), &text) {
        panic!("{complaint}");
    }
    // What is left to cbgen: two values together, a day of the calendar, octal digits, names of devices, file names and addresses in full.
    assert_eq!((mistakes.len(), found, marked), (71, 71, 62), "{text}");
}
