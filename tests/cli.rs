//! The command line as a user meets it: arguments, exit codes, streams, help texts.

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::Stdio;

use cbgen::explain;

use crate::harness::{Workspace, compare_text, expect_none, root};

/// Every command that the help lists.
fn commands() -> Vec<String> {
    let help = check_code(&["--help"], 0);
    let (_, list) = help.split_once("\nCommands:\n").expect("a list");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| {
        let line = line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?;
        line.split_whitespace().next().map(ToOwned::to_owned)
    });
    names.filter(|name| name != "help").collect()
}

#[track_caller]
fn check_code(arguments: &[&str], expected: i32) -> String {
    let ran = Workspace::new().run(arguments);
    assert_eq!(ran.code, expected, "{arguments:?}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout + &ran.stderr
}

#[test]
fn help_texts_are_as_reviewed() {
    let mut text = check_code(&["--help"], 0);
    for command in commands() {
        let help = check_code(&[&command, "--help"], 0);
        write!(text, "\n$ cbgen {command} --help\n{help}").expect("a String");
    }
    expect_none(
        &compare_text(&root().join("tests/cli_help.txt"), &text)
            .err()
            .into_iter()
            .collect::<Vec<_>>(),
    );
}

#[test]
fn wrong_arguments_are_failures() {
    check_code(&[], 2);
    check_code(&["biuld"], 2);
    check_code(&["build"], 2);
    check_code(&["build", "a.yaml", "--nonsense"], 2);
    check_code(&["why", "file-without-line"], 2);
    check_code(&["schema", "nonsense"], 2);
    check_code(&["check", "a.yaml", "--message-format", "xml"], 2);
    check_code(&["explain", "CB9999"], 2);
}

#[test]
fn version_is_printed() {
    assert_eq!(
        check_code(&["--version"], 0),
        format!("cbgen {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_missing_inventory_is_a_failure() {
    let text = check_code(&["check", "missing.yaml", "--message-format", "short"], 2);
    assert!(text.contains("missing.yaml"), "{text}");
}

#[test]
fn explain_prints_the_page() {
    let code = cbgen::codes::UNKNOWN_KEY;
    for spelling in ["CB0201", "cb0201", "error[CB0201]:"] {
        assert_eq!(
            check_code(&["explain", spelling], 0),
            explain::page(code).expect("a page")
        );
    }
    assert!(check_code(&["explain", "CB020"], 2).contains("did you mean"));
}

#[test]
fn the_inventory_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(&check_code(&["schema"], 0)).expect("JSON");
    assert!(schema["properties"]["servers"].is_object());
    jsonschema::meta::validate(&schema).expect("a valid JSON Schema");
}

#[test]
fn every_schema_is_one_and_has_a_name() {
    let help = check_code(&["schema", "nonsense"], 2);
    let kinds = help.split("[possible values: ").nth(1);
    let kinds = kinds.and_then(|rest| rest.split(']').next()).expect("kinds");
    for kind in kinds.split(", ") {
        let schema: serde_json::Value =
            serde_json::from_str(&check_code(&["schema", kind], 0)).expect("JSON");
        jsonschema::meta::validate(&schema).expect("a valid JSON Schema");
        assert_eq!(schema["$id"], format!("urn:cbgen:schema:{kind}:v1"));
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            check_code(&["completions", shell], 0).contains("message-format"),
            "{shell}"
        );
    }
}

#[test]
fn init_never_replaces_a_file() {
    let workspace = Workspace::new();
    let ran = workspace.run(&["init", "new"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("new/inventories/example.yaml"),
        "{}",
        ran.stdout
    );
    workspace.write("new/inventories/example.yaml", "mine");
    let ran = workspace.run(&["init", "new", "--message-format", "short"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("error[CB0803]"), "{}", ran.stderr);
    let path = workspace.folder().join("new/inventories/example.yaml");
    assert_eq!(std::fs::read_to_string(path).expect("still there"), "mine");
}

#[test]
fn the_starter_builds() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let ran = workspace.run(&["build", "inventories/example.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(workspace.folder().join("out/example/manifest.json").is_file());
}

#[test]
fn an_error_in_one_inventory_does_not_stop_the_others() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let ran = workspace.run(&["build", "missing.yaml", "inventories/example.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap_or_default();
    assert_eq!(last, "error: 1 of 2 inventories failed: missing.yaml");
    assert!(workspace.folder().join("out/example").is_dir());
}

#[test]
fn an_output_folder_that_is_a_file_is_a_failure() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    workspace.write("blocked", "a file");
    let ran = workspace.run(&[
        "build",
        "inventories/example.yaml",
        "-o",
        "blocked",
        "--message-format",
        "short",
    ]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[CB0701]"), "{}", ran.stderr);
}

#[test]
fn colours_follow_the_option() {
    let color = |when: &str| check_code(&["explain", "CB9999", "--color", when], 2).contains('\u{1b}');
    assert!(color("always"));
    assert!(!color("never"));
    assert!(!color("auto"), "standard error is not a terminal here");
}

#[test]
fn every_message_format_is_machine_readable() {
    let run = |format: &str| {
        Workspace::new()
            .run(&["explain", "CB9999", "--message-format", format])
            .stderr
    };
    let line: serde_json::Value = serde_json::from_str(&run("json")).expect("one object");
    assert_eq!(line["code"], "CB0804");
    let log: serde_json::Value = serde_json::from_str(&run("sarif")).expect("one document");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "CB0804");
    assert!(
        run("github").starts_with("::error title=CB0804%3A "),
        "{}",
        run("github")
    );
    assert!(run("short").starts_with("error[CB0804]: "), "{}", run("short"));
}

/// `cbgen schema | head -c 1` must end quietly.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_cbgen"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut stderr = String::new();
    let pipe = child.stderr.as_mut().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("readable");
    let status = child.wait().expect("it ends");
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}
