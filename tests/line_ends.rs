//! Line ends and byte order marks never matter: what is read is text, and what is written is bytes.
//!
//! It must not know what an inventory means: it changes the form of files and compares outputs.

use std::process::Command;

use crate::harness::{Tree, Workspace, expect_none, read_tree, root, write_tree};

/// A way to save the same text.
type Form = (&'static str, fn(&str) -> String);

const FORMS: &[Form] = &[
    ("CRLF", |text| text.replace('\n', "\r\n")),
    ("a mark", |text| format!("\u{feff}{text}")),
    ("both", |text| format!("\u{feff}{}", text.replace('\n', "\r\n"))),
];

fn git(folder: &std::path::Path, arguments: &[&str]) {
    let ran = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@t.example"])
        .args(["-c", "init.defaultBranch=main", "-c", "core.safecrlf=false"])
        .args(arguments)
        .output()
        .expect("git");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "git {arguments:?}: {said}");
}

/// An installation in layers, with templates laid over and a project file.
fn project() -> Tree {
    let mut tree = Tree::new();
    for (name, bytes) in read_tree(&root().join("inventories")) {
        tree.insert(format!("inventories/{name}"), bytes);
    }
    let note = "---\ntitle: Note\nscope: deployment\npath: note.md\nformat: markdown\neffect: read\nphase: verify\n---\nA note\nof two lines.\n";
    tree.insert("over/note.md".to_owned(), note.into());
    let project = "schema: cbgen/v1\ntemplates: over\ninventories: [inventories/lab.yaml]\n";
    tree.insert("cbgen.yaml".to_owned(), project.into());
    tree
}

#[test]
fn the_form_of_a_file_changes_no_byte_of_the_output() {
    let plain = Workspace::new();
    write_tree(&plain.folder(), &project());
    let ran = plain.run(&["build"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = read_tree(&plain.folder().join("out"));
    assert!(expected.contains_key("acme-lab/deployment/note.md"));
    let mut complaints = Vec::new();
    for (form, change) in FORMS {
        let workspace = Workspace::new();
        let mut tree = project();
        for bytes in tree.values_mut() {
            *bytes = change(std::str::from_utf8(bytes).expect("UTF-8")).into_bytes();
        }
        write_tree(&workspace.folder(), &tree);
        let ran = workspace.run(&["build"]);
        if ran.code != 0 {
            complaints.push(format!("{form}: {}", ran.stderr));
        } else if read_tree(&workspace.folder().join("out")) != expected {
            complaints.push(format!("{form}: the output differs"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn a_finding_names_the_same_place_in_every_form() {
    let text = "schema: cbgen/v1\nbundle:\n  nme: x\n";
    let said = |text: &str| {
        let workspace = Workspace::new();
        workspace.write("a.yaml", text);
        workspace.run(&["check", "a.yaml"]).stderr
    };
    for (form, change) in FORMS {
        assert_eq!(said(&change(text)), said(text), "{form}");
    }
}

/// What a new author gets: `init`, `build`, commit; a colleague on Windows clones and checks.
#[test]
fn a_clone_with_autocrlf_is_up_to_date() {
    let workspace = Workspace::new();
    let folder = workspace.folder();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let ran = workspace.run(&["build", "inventories/example.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-qm", "start"]);
    let clone = workspace.outside().join("clone");
    git(
        workspace.outside(),
        &["clone", "-q", "-c", "core.autocrlf=true", "case", "clone"],
    );
    let inventory = std::fs::read(clone.join("inventories/example.yaml")).expect("cloned");
    assert!(
        inventory.windows(2).any(|two| two == b"\r\n"),
        "nothing was converted"
    );
    let ran = workspace.finish(workspace.command().current_dir(&clone).args([
        "build",
        "--check",
        "inventories/example.yaml",
    ]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Whoever builds there changes nothing for the others.
    let ran = workspace.finish(
        workspace
            .command()
            .current_dir(&clone)
            .args(["build", "inventories/example.yaml"]),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let status = Command::new("git")
        .current_dir(&clone)
        .args(["status", "--porcelain"])
        .output();
    assert_eq!(String::from_utf8_lossy(&status.expect("git").stdout), "");
}

/// An output folder that no attribute is about: one cause is one finding, which names the line to write.
#[test]
fn converted_line_ends_are_one_finding() {
    let workspace = Workspace::new();
    let folder = workspace.folder();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let build = ["build", "inventories/example.yaml", "--output", "bundles"];
    assert_eq!(workspace.run(&build).code, 0);
    workspace.write(".gitignore", "/bundles/*.zip*\n");
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-qm", "start"]);
    let clone = workspace.outside().join("clone");
    git(
        workspace.outside(),
        &["clone", "-q", "-c", "core.autocrlf=true", "case", "clone"],
    );
    let check = || {
        let mut command = workspace.command();
        command.current_dir(&clone).args(build).arg("--check");
        workspace.finish(&mut command)
    };
    let ran = check();
    assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("`/bundles/** -text`"), "{}", ran.stderr);
    // The line that the finding names ends it.
    let attributes = clone.join(".gitattributes");
    let mut text = std::fs::read_to_string(&attributes).expect("from init");
    text.push_str("/bundles/** -text\n");
    std::fs::write(&attributes, text).expect("writable");
    let mut rebuild = workspace.command();
    assert_eq!(workspace.finish(rebuild.current_dir(&clone).args(build)).code, 0);
    assert_eq!(check().code, 0);
}

/// The same for this repository, with its own attributes.
#[test]
fn a_clone_of_this_repository_with_autocrlf_is_up_to_date() {
    let workspace = Workspace::new();
    let folder = workspace.folder();
    for part in ["inventories", "out"] {
        write_tree(&folder.join(part), &read_tree(&root().join(part)));
    }
    std::fs::copy(root().join(".gitattributes"), folder.join(".gitattributes")).expect("copied");
    let names: Vec<String> = read_tree(&root().join("inventories"))
        .into_keys()
        .filter(|name| !name.contains('/'))
        .map(|name| format!("inventories/{name}"))
        .collect();
    // What is committed here may be older than the templates; whether it is current is another test's question.
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = workspace.run(&[&["build"], names.as_slice()].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-qm", "start"]);
    git(
        workspace.outside(),
        &["clone", "-q", "-c", "core.autocrlf=true", "case", "clone"],
    );
    let clone = workspace.outside().join("clone");
    let check = [&["build", "--check"], names.as_slice()].concat();
    let ran = workspace.finish(workspace.command().current_dir(&clone).args(check));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
