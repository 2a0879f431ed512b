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
