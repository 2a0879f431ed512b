//! What cbgen reads: nothing that links lead to outside the workspace, and no template is passed over without a word.

#![cfg(unix)]

use std::os::unix::fs::symlink;

use crate::harness::{Ran, Workspace};

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    std::fs::write(workspace.outside().join("hidden.yaml"), "root:a secret line\n").unwrap();
    workspace
}

fn check(workspace: &Workspace, arguments: &[&str], code: &str, says: &str) -> Ran {
    let ran = workspace.run(arguments);
    assert_ne!(ran.code, 0, "{arguments:?}");
    assert!(
        ran.stderr.contains(code) && ran.stderr.contains(says),
        "{arguments:?}\n{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("secret line"), "{}", ran.stderr);
    ran
}

#[test]
fn links_do_not_lead_out_of_the_workspace() {
    let workspace = workspace();
    let folder = workspace.folder();
    symlink(
        workspace.outside().join("hidden.yaml"),
        folder.join("inventories/link.yaml"),
    )
    .unwrap();
    symlink(workspace.outside(), folder.join("inventories/folder")).unwrap();
    workspace.write("inventories/a.yaml", "extends: link.yaml\n");
    workspace.write("inventories/b.yaml", "extends: folder/hidden.yaml\n");
    let says = "a symbolic link leads out of the workspace";
    for name in [
        "inventories/a.yaml",
        "inventories/b.yaml",
        "inventories/link.yaml",
    ] {
        check(&workspace, &["check", name], "CB0009", says);
    }
    symlink("example.yaml", folder.join("inventories/inside.yaml")).unwrap();
    assert_eq!(workspace.run(&["check", "inventories/inside.yaml"]).code, 0);
}

#[test]
fn layers_stay_where_the_inventory_is() {
    let workspace = workspace();
    let outside = workspace.outside();
    std::fs::create_dir_all(outside.join("repo/.git")).unwrap();
    std::fs::create_dir_all(outside.join("repo/inventories/deep")).unwrap();
    std::fs::create_dir_all(outside.join("folder")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(outside.join(name), text).unwrap();
    write("repo/inventories/a.yaml", "extends: ../../hidden.yaml\n");
    write("repo/inventories/b.yaml", "extends: deep/c.yaml\n");
    write("repo/inventories/deep/c.yaml", "extends: ../../../hidden.yaml\n");
    write("folder/d.yaml", "extends: ../hidden.yaml\n");
    let says = "`..` or a symbolic link leads out of the workspace";
    for name in [
        "../repo/inventories/a.yaml",
        "../repo/inventories/b.yaml",
        "../folder/d.yaml",
    ] {
        check(&workspace, &["check", name], "CB0009", says);
        check(
            &workspace,
            &["diff", "inventories/example.yaml", name],
            "CB0009",
            says,
        );
    }
    // Within the repository of the inventory a layer may lie anywhere.
    let example = std::fs::read_to_string(workspace.folder().join("inventories/example.yaml")).unwrap();
    write("repo/layer.yaml", &example);
    write("repo/inventories/e.yaml", "extends: ../layer.yaml\n");
    assert_eq!(workspace.run(&["check", "../repo/inventories/e.yaml"]).code, 0);
}

#[test]
fn a_side_of_a_comparison_follows_no_link_out_of_the_workspace() {
    let workspace = workspace();
    let link = workspace.folder().join("inventories/link.yaml");
    symlink(workspace.outside().join("hidden.yaml"), link).unwrap();
    let says = "a symbolic link leads out of the workspace";
    let sides = ["diff", "inventories/example.yaml", "inventories/link.yaml"];
    check(&workspace, &sides, "CB0009", says);
}

#[test]
fn templates_are_files_below_a_folder() {
    let workspace = workspace();
    let folder = workspace.folder();
    let run = |templates: &str, says: &str| {
        let arguments = ["check", "inventories/example.yaml", "--templates", templates];
        assert_eq!(check(&workspace, &arguments, "CB0001", says).code, 2);
    };
    run("inventories/example.yaml", "it is no folder");
    symlink(workspace.outside(), folder.join("elsewhere")).unwrap();
    run("elsewhere", "it is a symbolic link");
    run("elsewhere/", "it is a symbolic link");
    workspace.write("mine/_x/part", "text");
    symlink(workspace.outside().join("hidden.yaml"), folder.join("mine/a.txt")).unwrap();
    run("mine", "it is a symbolic link");
}

#[test]
fn a_folder_without_inventories_is_a_failure_of_the_run() {
    let workspace = workspace();
    workspace.write("elsewhere/notes.yaml", "a: 1\n");
    let ran = workspace.run(&["check", "elsewhere"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_project_file_stays_in_its_folder() {
    let workspace = workspace();
    for (line, key) in [
        ("output: ../esc", "output"),
        ("output: /tmp/esc", "output"),
        ("output: 'C:\\esc'", "output"),
        ("output: 'a\\..\\..\\esc'", "output"),
        ("templates: /etc", "templates"),
        ("templates: a/../../etc", "templates"),
        ("inventories: [../outside.yaml]", "inventories"),
        ("inventories: ['/etc/*.yaml']", "inventories"),
    ] {
        workspace.write("cbgen.yaml", &format!("{line}\n"));
        let ran = workspace.run(&["build", "--message-format", "short"]);
        assert!(
            ran.code != 0 && ran.stderr.contains("cbgen.yaml:1:") && ran.stderr.contains("CB0207"),
            "{key}: {} {}",
            ran.code,
            ran.stderr
        );
    }
    assert!(!workspace.outside().join("esc").exists());
}
