//! What Wine's command interpreter does with single lines, right and wrong ones: the reasons for rules of batch scripts.

use std::fs;

use super::machine;
use super::machine::{Answer, Machine, Outcome};
use super::registry::registry_answer;

/// Runs bytes as a script; every program it starts ends with `code`.
fn run(machine: &Machine, bytes: &[u8], code: i32) -> Outcome {
    fs::write(machine.bundle("lines.cmd"), bytes).expect("writable");
    machine.run("lines.cmd", |_, _| Answer::Code(code, String::new()))
}

fn text(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// Rule 2.1b.
#[test]
fn a_mark_swallows_the_first_line_of_a_script() {
    let machine = machine("MGMT01");
    let script = text(&["set \"SEEN=yes\"", "echo it ran, %SEEN%.", "exit /b 0"]);
    let clean = run(&machine, script.as_bytes(), 0);
    assert_eq!((clean.code, clean.output.trim()), (0, "it ran, yes."));
    // The first line is lost; in a script of the bundle that is `@echo off`.
    let marked = run(&machine, format!("\u{feff}{script}").as_bytes(), 0);
    assert_eq!(marked.output.trim(), "it ran, .");
}

/// Rule 2.2d.
#[test]
fn a_negative_result_is_seen_only_by_comparing() {
    let machine = machine("MGMT01");
    let script = text(&[
        "@echo off",
        "\"%SystemRoot%\\System32\\sc.exe\" query",
        "if errorlevel 1 goto :seen",
        "echo not seen",
        ":seen",
        "\"%SystemRoot%\\System32\\sc.exe\" query",
        "if not \"%errorlevel%\"==\"0\" goto :fail",
        "echo good",
        "exit /b 0",
        ":fail",
        "echo compared",
        "exit /b 0",
    ]);
    for (code, wanted) in [
        (0, "not seen\ngood"),
        (1, "compared"),
        (70, "compared"),
        (-1, "not seen\ncompared"),
    ] {
        let outcome = run(&machine, script.as_bytes(), code);
        assert_eq!(outcome.output.trim(), wanted, "{code}: {outcome:#?}");
    }
    // A script of the bundle stops there too.
    let script = "servers/MGMT01/registry/apply-windows-tls.cmd";
    let mut answer = registry_answer(&machine, 0);
    let outcome = machine.run(script, |number, call| {
        if call.line().starts_with("reg import ") {
            return Answer::Code(-1, String::new());
        }
        answer(number, call)
    });
    outcome.expect_failure("import ", "Nothing after this step was done.");
}

/// Rule 2.4a.
#[test]
fn a_doubled_percent_sign_arrives_as_one() {
    let machine = machine("MGMT01");
    let script = text(&[
        "@echo off",
        "set \"NAME=a value\"",
        "\"%SystemRoot%\\System32\\sc.exe\" \"C:/Program%%20Files\" \"%%NAME%%\" \"%NAME%\"",
        "exit /b 0",
    ]);
    let outcome = run(&machine, script.as_bytes(), 0);
    assert_eq!(outcome.calls.len(), 1, "{outcome:#?}");
    assert_eq!(
        outcome.calls[0].arguments,
        ["C:/Program%20Files", "%NAME%", "a value"]
    );
}
