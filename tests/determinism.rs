//! Same inventory, same templates, same version: the same bytes.

use crate::harness::{Tree, Workspace, read_tree};

/// Builds the starter inventory with the given environment and working folder; gives the whole output.
fn build(environment: &[(&str, &str)], prepare: impl Fn(&Workspace)) -> Tree {
    let workspace = Workspace::new();
    prepare(&workspace);
    assert_eq!(workspace.run(&["init"]).code, 0);
    let mut command = workspace.command();
    command.args(["build", "inventories/example.yaml", "--message-format", "short"]);
    for (name, value) in environment {
        command.env(name, value);
    }
    let ran = workspace.finish(&mut command);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    read_tree(&workspace.folder().join("out"))
}

#[test]
fn environment_and_surroundings_do_not_matter() {
    let plain = build(&[], |_| ());
    let other = build(
        &[
            ("TZ", "Pacific/Kiritimati"),
            ("LANG", "tr_TR.UTF-8"),
            ("LC_ALL", "tr_TR.UTF-8"),
            ("USER", "somebody"),
            ("HOSTNAME", "elsewhere"),
            ("SOURCE_DATE_EPOCH", "1"),
            ("RAYON_NUM_THREADS", "1"),
        ],
        |workspace| workspace.write("inventories/zz-other.yaml", "# another file beside it\n"),
    );
    assert!(!plain.is_empty(), "nothing was built");
    for (name, bytes) in &plain {
        assert!(other.get(name) == Some(bytes), "{name} differs");
    }
    assert_eq!(plain.len(), other.len());
}

#[test]
fn another_spelling_of_the_inventory_changes_nothing() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let mut trees = Vec::new();
    for name in [
        "inventories/example.yaml",
        "./inventories/../inventories/./example.yaml",
        "inventories//example.yaml",
    ] {
        let ran = workspace.run(&["build", name, "--message-format", "short"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        trees.push(read_tree(&workspace.folder().join("out")));
    }
    assert!(
        trees.windows(2).all(|pair| pair[0] == pair[1]),
        "the bytes differ"
    );
}

#[test]
fn a_second_build_changes_nothing() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let mut trees = Vec::new();
    for _ in 0..2 {
        let ran = workspace.run(&["build", "inventories/example.yaml", "--message-format", "short"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        trees.push(read_tree(&workspace.folder().join("out")));
    }
    assert_eq!(trees.first(), trees.last());
    let ran = workspace.run(&["build", "inventories/example.yaml", "--check"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
