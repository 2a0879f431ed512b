//! Whole builds: `tests/cases/<name>/` holds `inventory.yaml`, perhaps `templates/` and further files, and in
//! `expected/` the tree `out/` must have after `cbgen build inventory.yaml`, as bytes.

use crate::harness::{Case, compare_tree, expect_none, read_tree};

#[test]
fn every_case_builds_what_it_expects() {
    let mut complaints = Vec::new();
    for case in Case::all("cases", &["base"]) {
        let workspace = case.workspace();
        let mut arguments = vec!["build", "inventory.yaml", "--message-format", "short"];
        if case.path("templates").is_dir() {
            arguments.extend(["--templates", "templates"]);
        }
        let ran = workspace.run(&arguments);
        if ran.code != 0 {
            complaints.push(format!(
                "{}: ended with {}\n{}",
                case.name(),
                ran.code,
                ran.stderr
            ));
            continue;
        }
        let mut tree = read_tree(&workspace.folder().join("out"));
        // The archive's bytes belong to the version of the compression library; its contents are compared elsewhere.
        tree.retain(|name, _| !name.ends_with(".zip") && !name.ends_with(".zip.sha256"));
        if let Err(complaint) = compare_tree(&case.path("expected"), &tree) {
            complaints.push(format!("{}: {complaint}", case.name()));
        }
    }
    expect_none(&complaints);
}
