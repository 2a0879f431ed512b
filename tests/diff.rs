//! `cbgen diff` as a program: every kind of side in any mix, formats, exit codes, damaged input.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Ran, Workspace, read_tree, root, write_tree};

fn edit(workspace: &Workspace, name: &str, from: &str, to: &str) {
    let path = workspace.folder().join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} holds no {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn git(workspace: &Workspace, arguments: &[&str]) {
    let done = Command::new("git")
        .args([
            "-c",
            "user.name=n",
            "-c",
            "user.email=e@example.com",
            "-c",
            "core.autocrlf=false",
        ])
        .args(arguments)
        .current_dir(workspace.folder())
        .env("GIT_CONFIG_GLOBAL", "no-such-file")
        .output()
        .expect("git starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn diff(workspace: &Workspace, arguments: &[&str]) -> Ran {
    let mut command = workspace.command();
    // The program needs to find git.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    workspace.finish(command.arg("diff").args(arguments))
}

fn json(workspace: &Workspace, old: &str, new: &str) -> Value {
    let ran = diff(workspace, &[old, new, "--format", "json"]);
    assert_eq!(ran.code, 1, "{old} {new}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn bytes_of(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn every_kind_of_side_gives_the_same_review() {
    let workspace = Workspace::shipped();
    let inventory = "inventories/plant.yaml";
    assert_eq!(workspace.run(&["build", inventory, "-o", "before"]).code, 0);
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    edit(
        &workspace,
        inventory,
        "version: '2026.12.0-rc.1'",
        "version: '2026.12.0-rc.2'",
    );
    // A layer of the inventory: the old side must read the old one.
    edit(
        &workspace,
        "inventories/shared/hardening.yaml",
        "x_frame_options: DENY",
        "x_frame_options: SAMEORIGIN",
    );
    edit(&workspace, inventory, "port: 5671", "port: 5673");
    assert_eq!(workspace.run(&["build", inventory, "-o", "after"]).code, 0);

    let old = [
        "before/acme-plant",
        "before/acme-plant-2026.12.0-rc.1.zip",
        "before",
        "git:HEAD:inventories/plant.yaml",
        "git:HEAD:before/acme-plant",
        "git:HEAD:before/acme-plant-2026.12.0-rc.1.zip",
        "git:HEAD:before",
    ];
    let new = [
        inventory,
        "after",
        "after/acme-plant",
        "after/acme-plant-2026.12.0-rc.2.zip",
    ];
    let first = json(&workspace, old[0], new[0]);
    let groups = first["groups"].as_array().unwrap();
    assert!(!groups.is_empty());
    assert_eq!(groups[0]["risk"], "high");
    assert!(first["servers"]["added"].as_array().unwrap().is_empty());
    let mut pairs: Vec<(&str, &str)> = old.iter().map(|old| (*old, new[0])).collect();
    pairs.extend(new.iter().map(|new| (old[0], *new)));
    for (old, new) in pairs {
        let other = json(&workspace, old, new);
        for part in ["groups", "servers", "artifacts", "coverage", "new_warnings"] {
            assert_eq!(other[part], first[part], "{part} of {old} and {new}");
        }
    }
    // Committed and not committed, a whole folder.
    let folder = json(&workspace, "git:HEAD:inventories", "inventories");
    assert!(folder["bundles"].as_array().unwrap().len() > 2);
    assert!(!folder["groups"].as_array().unwrap().is_empty());
}

#[test]
fn templates_of_a_revision_belong_to_it() {
    let workspace = Workspace::shipped();
    let template = "---\ntitle: Note\nscope: deployment\npath: note.txt\nformat: text\neffect: read\nphase: verify\n---\n";
    workspace.write("own/note.txt", &format!("{template}first\n"));
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    workspace.write("own/note.txt", &format!("{template}second\n"));
    let sides = [
        "git:HEAD:inventories/lab.yaml",
        "inventories/lab.yaml",
        "--templates",
        "own",
    ];
    let ran = diff(&workspace, &sides);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("first") && ran.stdout.contains("second"),
        "{}",
        ran.stdout
    );
}

#[test]
fn equal_sides_end_with_status_0() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    edit(
        &workspace,
        "inventories/lab.yaml",
        "schema: cbgen/v1",
        "# a comment\nschema: cbgen/v1",
    );
    for format in ["text", "markdown", "html", "json"] {
        let ran = diff(
            &workspace,
            &["out/acme-lab", "inventories/lab.yaml", "--format", format],
        );
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert!(
            format == "json" || ran.stdout.contains("No differences."),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_changed_file_is_named_and_compared_as_it_is() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    edit(
        &workspace,
        "out/acme-lab/servers/LAB01/nginx/nginx.conf",
        "worker_processes 1;",
        "worker_processes 7;",
    );
    let removed = "out/acme-lab/servers/LAB01/registry/vhqmwspath.reg";
    fs::remove_file(workspace.folder().join(removed)).unwrap();
    let ran = diff(&workspace, &["inventories/lab.yaml", "out/acme-lab"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("warning[CB0905]"), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("nginx.conf` of `out/acme-lab` was changed after the build"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("vhqmwspath.reg` of `out/acme-lab` is missing"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("+ worker_processes: 7"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("registry/vhqmwspath.reg removed"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("not as built: out/acme-lab/"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_text_that_does_not_read_is_compared_by_lines() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    edit(
        &workspace,
        "out/acme-lab/servers/LAB01/nginx/nginx.conf",
        "worker_processes 1;",
        "worker_processes 7",
    );
    let ran = diff(&workspace, &["inventories/lab.yaml", "out/acme-lab"]);
    assert!(
        ran.stdout.contains("1 by lines only (nginx/nginx.conf)"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("worker_processes 7"), "{}", ran.stdout);
}

#[test]
fn unreadable_sides_end_with_status_2() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let archive = workspace.folder().join("out/acme-lab-2026.11.3.zip");
    let bytes = bytes_of(&archive);
    fs::write(workspace.folder().join("cut.zip"), &bytes[..bytes.len() / 2]).unwrap();
    write_tree(
        &workspace.folder().join("newer"),
        &read_tree(&workspace.folder().join("out/acme-lab")),
    );
    edit(
        &workspace,
        "newer/manifest.json",
        "\"format\": 1,",
        "\"format\": 2,",
    );
    fs::create_dir(workspace.folder().join("empty")).unwrap();
    let check = |side: &str, code: &str, words: &str| {
        let ran = diff(&workspace, &[side, "inventories/lab.yaml"]);
        assert_eq!(ran.code, 2, "{side}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(code) && ran.stderr.contains(words),
            "{side}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "", "{side}");
    };
    check("cut.zip", "CB0708", "is not a sound archive");
    check("newer", "CB0709", "made by a newer cbgen");
    check("empty", "CB0904", "holds no bundle and no inventory");
    check("git:HEAD:inventories", "CB0902", "git repository");
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    check("git:nowhere:inventories", "CB0902", "there is no such revision");
    check(
        "git:HEAD:nothing",
        "CB0902",
        "there is no `nothing` in that revision",
    );
    check("git:HEAD:../x", "CB0902", "the path leaves this folder");
    check("git:--all:inventories", "CB0902", "begin with `-`");
}

#[test]
fn an_inventory_that_does_not_compile_stops_only_itself() {
    let workspace = Workspace::shipped();
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    edit(
        &workspace,
        "inventories/lab.yaml",
        "schema: cbgen/v1",
        "schema: cbgen/v1\nnonsense: 1",
    );
    edit(&workspace, "inventories/plant.yaml", "rc.1", "rc.2");
    let ran = diff(&workspace, &["git:HEAD:inventories", "inventories"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("CB0201"), "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("does not compile on one side: inventories/lab.yaml"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("acme-plant: version 2026.12.0-rc.1"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("removed bundles"), "{}", ran.stdout);
}

/// A file of a folder is left out only when it is certainly no inventory: what is left out is never mentioned again.
#[test]
fn an_inventory_of_a_folder_that_cannot_be_read_is_named() {
    let check = |bytes: &[u8], code: &str, status: i32| {
        let workspace = Workspace::new();
        let mut files = read_tree(&root().join("inventories"));
        files.retain(|name, _| ["lab.yaml", "plant.yaml"].contains(&name.as_str()) || name.contains('/'));
        for folder in ["inventories", "new"] {
            write_tree(&workspace.folder().join(folder), &files);
        }
        edit(&workspace, "new/plant.yaml", "rc.1", "rc.2");
        fs::write(workspace.folder().join("new/lab.yaml"), bytes).unwrap();
        let ran = diff(&workspace, &["inventories", "new"]);
        assert_eq!(ran.code, status, "{code}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(code) && ran.stderr.contains("new/lab.yaml"),
            "{code}: {}",
            ran.stderr
        );
        // The others are compared all the same.
        assert!(
            ran.stdout.contains("acme-plant: version 2026.12.0-rc.1")
                && !ran.stdout.contains("removed bundles"),
            "{code}: {}",
            ran.stdout
        );
    };
    check(b"bundle:\n  name: acme-\xFC\n", "CB0005", 2);
    check(&vec![b'#'; (16 << 20) + 1], "CB0003", 2);
    check(b"\xFF\xFEb\0u\0", "CB0006", 2);
    check(b"sql: [1\nproduct: 2\n", "CB0101", 1);
    check(b"", "CB0004", 1);
    check(b"'bundle': { name: acme-lab }\n", "CB0202", 1);
    check(b"bundle : { name: acme-lab }\n", "CB0202", 1);
}

#[cfg(unix)]
#[test]
fn a_link_of_a_folder_that_leads_nowhere_is_named() {
    let workspace = Workspace::shipped();
    std::os::unix::fs::symlink("nowhere.yaml", workspace.folder().join("inventories/site.yaml")).unwrap();
    let ran = diff(&workspace, &["inventories", "inventories/lab.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("CB0001") && ran.stderr.contains("inventories/site.yaml"),
        "{}",
        ran.stderr
    );
    // A revision has no content for a link; without a word it would look like an inventory that is new today.
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    let ran = diff(&workspace, &["git:HEAD:inventories", "inventories/lab.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("`inventories/site.yaml` in it: it is a symbolic link"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_file_of_a_tree_with_a_name_no_bundle_has_is_named() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    workspace.write("out/acme-lab/servers/LAB01/con.txt", "x");
    let ran = diff(&workspace, &["out/acme-lab", "inventories/lab.yaml"]);
    assert!(
        ran.stderr
            .contains("`servers/LAB01/con.txt` of `out/acme-lab` is not part of the bundle"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_root_of_a_repository_is_a_side_like_any_other() {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    edit(&workspace, "plant.yaml", "rc.1", "rc.2");
    for old in ["git:HEAD:.", "git:HEAD", "git:HEAD:./"] {
        for new in [".", "./"] {
            let ran = diff(&workspace, &[old, new]);
            assert_eq!(ran.code, 1, "{old} {new}: {}", ran.stderr);
            assert!(
                ran.stdout.contains("acme-plant: version 2026.12.0-rc.1"),
                "{old} {new}: {}",
                ran.stdout
            );
        }
    }
}

#[test]
fn a_folder_above_the_inventories_is_told_where_they_are() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    for (side, words) in [
        (
            "git:HEAD:.",
            "directly in it: `git:HEAD:inventories` or `git:HEAD:out`",
        ),
        (".", "directly in it: `inventories` or `out`"),
    ] {
        let ran = diff(&workspace, &[side, "inventories"]);
        assert_eq!(ran.code, 2, "{side}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("CB0904") && ran.stderr.contains(words),
            "{side}: {}",
            ran.stderr
        );
    }
}

#[test]
fn one_thing_in_two_spellings_is_one_thing() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&workspace, arguments);
    }
    let absolute = workspace.folder().join("out/acme-lab");
    let absolute = absolute.to_str().unwrap();
    for (old, new) in [
        ("out/acme-lab", "./out/acme-lab/"),
        ("out/acme-lab", "out\\acme-lab"),
        ("out/acme-lab", "inventories/../out//acme-lab"),
        ("out/acme-lab", absolute),
        ("git:HEAD", "git:HEAD:."),
        ("git:HEAD:inventories", "git:HEAD:./inventories/"),
        ("git:HEAD:inventories", "git:HEAD:out/../inventories"),
    ] {
        let ran = diff(&workspace, &[old, new]);
        assert_eq!(ran.code, 2, "{old} {new}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("CB0903") && ran.stderr.contains(&format!("both sides are `{old}`")),
            "{old} {new}: {}",
            ran.stderr
        );
    }
    // Another revision may hold the same, which is an answer and no mistake.
    assert_eq!(diff(&workspace, &["git:HEAD:inventories", "inventories"]).code, 0);
    // `..` stays in the folder when it only takes a step back.
    assert_eq!(
        diff(&workspace, &["git:HEAD:out/../inventories", "inventories"]).code,
        0
    );
}
