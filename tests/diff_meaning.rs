//! What `cbgen diff` says of a change, on real bundles: nothing that matters is folded, nothing is said that is not so,
//! and the same change of many installations is said once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Workspace, read_tree, root, write_tree};

/// A workspace with the shipped inventories, and the templates in `templates`.
fn shipped() -> Workspace {
    let workspace = Workspace::new();
    for folder in ["inventories", "templates"] {
        write_tree(&workspace.folder().join(folder), &read_tree(&root().join(folder)));
    }
    workspace
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text.contains(from), "{} holds no {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).expect("writable");
}

/// The report of two sides, and the status.
fn review(workspace: &Workspace, old: &str, new: &str) -> (Value, i32) {
    let ran = workspace.run(&["diff", old, new, "--format", "json", "--templates", "templates"]);
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    (report, ran.code)
}

/// Builds an inventory into a folder that is named.
fn build(workspace: &Workspace, inventory: &str, out: &str) {
    let ran = workspace.run(&["build", inventory, "-o", out, "--templates", "templates"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// What the report says of a template edit in the shipped inventory `name`.
fn edited(name: &str, template: &str, from: &str, to: &str) -> Value {
    let workspace = shipped();
    let inventory = format!("inventories/{name}.yaml");
    build(&workspace, &inventory, "before");
    edit(&workspace.folder().join("templates").join(template), from, to);
    let (report, code) = review(&workspace, &format!("before/acme-{name}"), &inventory);
    assert_eq!(code, 1, "{template}");
    report
}

fn groups(report: &Value) -> &Vec<Value> {
    report["groups"].as_array().expect("groups")
}

/// Every old and new value with its path.
fn facts(report: &Value) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    groups(report)
        .iter()
        .flat_map(|group| group["facts"].as_array().expect("facts"))
        .map(|fact| {
            (
                text(&fact["path"]).unwrap_or_default(),
                text(&fact["old"]),
                text(&fact["new"]),
            )
        })
        .collect()
}

#[track_caller]
fn expect_fact(report: &Value, old: &str, new: &str) {
    let found = facts(report).into_iter().any(|(_, before, now)| {
        before.is_some_and(|text| text.contains(old)) && now.is_some_and(|text| text.contains(new))
    });
    assert!(found, "no fact from {old} to {new}: {report:#}");
}

#[test]
fn another_program_of_the_same_name_is_a_change() {
    let report = edited(
        "lab",
        "_cmd/elevated",
        r#""%SYSTEM%\fltmc.exe""#,
        r#""%TEMP%\fltmc.exe""#,
    );
    expect_fact(&report, r"%SYSTEM%\fltmc.exe", r"%TEMP%\fltmc.exe");
    let artifacts = report["artifacts"]["layout_only"].as_object().expect("a table");
    assert!(artifacts.is_empty(), "{artifacts:?}");
}

/// Moves a line of a file in a tree down by some lines, or takes it out.
fn move_line(path: &Path, line: &str, down: Option<usize>) {
    let text = fs::read_to_string(path).expect("readable");
    let mut lines: Vec<&str> = text.lines().collect();
    let at = lines
        .iter()
        .position(|found| *found == line)
        .unwrap_or_else(|| panic!("no {line}"));
    let taken = lines.remove(at);
    if let Some(down) = down {
        lines.insert(at + down, taken);
    }
    fs::write(path, lines.join("\n") + "\n").expect("writable");
}

#[test]
fn a_label_over_another_command_and_a_batch_that_does_not_end_are_changes() {
    for (name, file, line, down, word) in [
        (
            "plant",
            "servers/PLANT-CB1/firewall/apply-firewall.cmd",
            ":new_3",
            Some(2),
            ":new",
        ),
        (
            "lab",
            "deployment/sql/ws-configuration.sql",
            "GO",
            None,
            "the batch ends",
        ),
    ] {
        let workspace = shipped();
        let inventory = format!("inventories/{name}.yaml");
        build(&workspace, &inventory, "before");
        build(&workspace, &inventory, "after");
        move_line(
            &workspace.folder().join(format!("after/acme-{name}/{file}")),
            line,
            down,
        );
        let (report, code) = review(
            &workspace,
            &format!("before/acme-{name}"),
            &format!("after/acme-{name}"),
        );
        assert_eq!(code, 1);
        let found = facts(&report)
            .into_iter()
            .any(|(_, old, new)| [old, new].into_iter().flatten().any(|text| text.contains(word)));
        assert!(found, "{file}: {report:#}");
    }
}

#[test]
fn one_more_port_renames_no_label() {
    let workspace = shipped();
    let inventory = workspace.folder().join("inventories/plant.yaml");
    edit(&inventory, ", tsapi]", "]");
    build(&workspace, "inventories/plant.yaml", "before");
    edit(&inventory, "integrations: [", "integrations: [tsapi, ");
    let (report, _) = review(&workspace, "before/acme-plant", "inventories/plant.yaml");
    let jumps = facts(&report).into_iter().filter(|(_, old, new)| {
        old.as_ref()
            .zip(new.as_ref())
            .is_some_and(|(old, _)| old.contains("goto "))
    });
    assert_eq!(jumps.count(), 0, "{report:#}");
}

#[test]
fn a_step_that_says_something_else_is_a_change_and_what_follows_is_not() {
    let report = edited(
        "prod",
        "steps/verify-client.md",
        "'From a workstation open {{",
        "'Delete every backup, then open {{",
    );
    expect_fact(
        &report,
        "From a workstation open `https",
        "Delete every backup, then open `https",
    );
    assert_eq!(facts(&report).len(), 1, "{report:#}");

    let workspace = shipped();
    build(&workspace, "inventories/lab.yaml", "before");
    edit(
        &workspace.folder().join("inventories/lab.yaml"),
        "https_port: 8080",
        "https_port: 8443",
    );
    let (report, _) = review(&workspace, "before/acme-lab", "inventories/lab.yaml");
    let runbook = groups(&report)
        .iter()
        .filter(|group| group["artifacts"][0] == "RUNBOOK.md")
        .flat_map(|group| group["facts"].as_array().expect("facts"));
    assert!(runbook.count() < 4, "{report:#}");
}

#[test]
fn another_way_to_verify_is_a_change() {
    let report = edited(
        "lab",
        "verify.cmd",
        r"%SystemRoot%\System32\certutil.exe",
        r"%TEMP%\certutil.exe",
    );
    expect_fact(&report, r"System32\certutil.exe", r"%TEMP%\certutil.exe");
}

#[test]
fn a_moved_window_is_a_difference() {
    let workspace = shipped();
    build(&workspace, "inventories/prod.yaml", "before");
    edit(
        &workspace.folder().join("inventories/prod.yaml"),
        "2026-12-06T02",
        "2026-12-06T04",
    );
    let ran = workspace.run(&["diff", "before/acme-prod", "inventories/prod.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout
            .contains("window 2026-12-05T22:00:00+01:00 to 2026-12-06T04"),
        "{}",
        ran.stdout
    );
}

/// Repacks an archive with a file more, without one, or with another content of one.
fn repacked(archive: &Path, name: &str, content: Option<&[u8]>) {
    let folder = tempfile::tempdir().expect("a folder");
    crate::support::program::succeed(
        crate::support::program::program("unzip")
            .arg("-q")
            .arg(archive)
            .current_dir(folder.path()),
    );
    match content {
        Some(content) => crate::support::program::write(&folder.path().join(name), content),
        None => fs::remove_file(folder.path().join(name)).expect("was there"),
    }
    fs::remove_file(archive).expect("was there");
    let script = "import os, sys, zipfile\n\
        with zipfile.ZipFile(sys.argv[1], 'w') as made:\n\
        \x20   for place, _, names in os.walk('.'):\n\
        \x20       for name in sorted(names):\n\
        \x20           made.write(os.path.join(place, name)[2:])\n";
    crate::support::program::succeed(
        crate::support::program::program("python3")
            .args(["-c", script])
            .arg(archive)
            .current_dir(folder.path()),
    );
}

#[test]
fn files_a_bundle_should_not_have_are_differences() {
    for (name, content, wrong) in [
        (
            "servers/LAB01/evil.cmd",
            Some(&b"@echo off\r\n"[..]),
            "is not part of the bundle",
        ),
        (
            "SHA256SUMS",
            Some(&b"0  x\n"[..]),
            "is not the list of these files",
        ),
        ("SHA256SUMS", None, "is missing"),
    ] {
        let workspace = shipped();
        build(&workspace, "inventories/lab.yaml", "before");
        build(&workspace, "inventories/lab.yaml", "after");
        let archive = workspace.folder().join("after/acme-lab-2026.11.3.zip");
        repacked(&archive, name, content);
        let tree = workspace.folder().join("after/acme-lab").join(name);
        match content {
            Some(content) => fs::write(tree, content).expect("writable"),
            None => fs::remove_file(tree).expect("was there"),
        }
        for new in ["after/acme-lab-2026.11.3.zip", "after/acme-lab"] {
            let ran = workspace.run(&["diff", "before/acme-lab", new, "--message-format", "short"]);
            assert_eq!(ran.code, 1, "{new} {name}: {}", ran.stdout);
            assert!(
                ran.stdout.contains(&format!("{name} {wrong}")),
                "{new}: {}",
                ran.stdout
            );
            assert!(ran.stderr.contains("[CB0905]"), "{new}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_renamed_server_shows_only_what_stood_in_its_files() {
    for (from, to) in [
        ("name: MGMT02", "name: WEB02"),
        ("MGMT02\n    fqdn: mgmt02", "WEB02\n    fqdn: web02"),
    ] {
        let workspace = shipped();
        build(&workspace, "inventories/prod.yaml", "before");
        edit(&workspace.folder().join("inventories/prod.yaml"), from, to);
        let (report, _) = review(&workspace, "before/acme-prod", "inventories/prod.yaml");
        assert_eq!(
            report["servers"]["renamed"].as_array().map(Vec::len),
            Some(1),
            "{report:#}"
        );
        let before: String = read_tree(&workspace.folder().join("before/acme-prod"))
            .into_values()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect();
        assert!(!before.to_lowercase().contains("web02"));
        for (path, old, _) in facts(&report) {
            let old = old.unwrap_or_default().to_lowercase();
            assert!(!old.contains("web02"), "{path} never said {old}");
        }
        assert!(groups(&report).len() < 6, "{report:#}");
    }
}

#[test]
fn servers_behind_stand_ins_are_named() {
    let workspace = shipped();
    let inventory = workspace.folder().join("inventories/prod.yaml");
    edit(
        &inventory,
        "core02-upstream, server: CORE02",
        "up, server: MGMT01",
    );
    edit(
        &inventory,
        "core01-upstream, server: CORE01",
        "up, server: MGMT02",
    );
    edit(&inventory, "      certificates: 'D:\\certs\\rabbitmq'", "      #");
    build(&workspace, "inventories/prod.yaml", "before");
    edit(&inventory, "up, server: MGMT01", "up, server: X");
    edit(&inventory, "up, server: MGMT02", "up, server: MGMT01");
    edit(&inventory, "up, server: X", "up, server: MGMT02");
    let (report, _) = review(&workspace, "before/acme-prod", "inventories/prod.yaml");
    let group = groups(&report)
        .iter()
        .find(|group| group["artifacts"][0] == "rabbitmq/apply-upstreams.cmd")
        .expect("upstreams changed");
    let named: BTreeSet<String> = group["others"]
        .as_array()
        .expect("names")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert_ne!(group["others"][0][1], group["others"][1][1]);
    let text = workspace
        .run(&["diff", "before/acme-prod", "inventories/prod.yaml"])
        .stdout;
    assert!(
        text.contains("on CORE01: other server 1 is MGMT01, other server 2 is MGMT02"),
        "{text}"
    );
}

#[test]
fn the_same_change_of_many_installations_is_said_once() {
    let workspace = shipped();
    let text = fs::read_to_string(workspace.folder().join("inventories/prod.yaml")).expect("readable");
    fs::create_dir(workspace.folder().join("fleet")).expect("a folder");
    for site in 1..=4 {
        let text = text
            .replace("name: acme-prod", &format!("name: site-{site}"))
            .replace("acme.example", &format!("site{site}.example"))
            .replace("extends: ", "extends: ../inventories/")
            .replace("MGMT0", &format!("M{site}-MG"))
            .replace("CORE0", &format!("C{site}-CR"));
        fs::write(workspace.folder().join(format!("fleet/{site}.yaml")), text).expect("writable");
    }
    let inventories: Vec<String> = (1..=4).map(|site| format!("fleet/{site}.yaml")).collect();
    let mut arguments = vec!["build", "-o", "before", "--templates", "templates"];
    arguments.extend(inventories.iter().map(String::as_str));
    assert_eq!(workspace.run(&arguments).code, 0);
    for entry in fs::read_dir(workspace.folder().join("before"))
        .expect("readable")
        .flatten()
    {
        if entry.path().is_file() {
            fs::remove_file(entry.path()).expect("an archive");
        }
    }
    for (template, from, to, expected) in [
        (
            "nginx/nginx.conf",
            "keepalive_timeout 65",
            "keepalive_timeout 66",
            1,
        ),
        // The rule of a Management server, of a Core server, and of both.
        ("firewall/apply-firewall.cmd", "profile=any", "profile=domain", 3),
        // The value stands on Core servers alone.
        (
            "registry/vhqmwspath.reg",
            "\"VHQMWSPATH\"=",
            "\"VHQMWSPATHX\"=",
            1,
        ),
    ] {
        let path = workspace.folder().join("templates").join(template);
        let before = fs::read_to_string(&path).expect("readable");
        edit(&path, from, to);
        let (report, _) = review(&workspace, "before", "fleet");
        let shown = groups(&report)
            .iter()
            .filter(|group| group["artifacts"][0] != "RUNBOOK.md");
        assert_eq!(shown.count(), expected, "{template}: {report:#}");
        fs::write(&path, before).expect("writable");
    }
}
