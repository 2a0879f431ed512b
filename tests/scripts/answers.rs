//! What a tool answers has three meanings: yes, no, and that it could not look. The third is never taken for the second.

use super::machine::{Answer, Machine, good};
use super::readiness::with_broker;
use super::text_tools::text_tool;
use super::{PROGRAMS, built, machine, model};
use crate::harness::{read_tree, root};

/// The lines behind a search, without blanks and comments.
fn behind<'t>(lines: &[&'t str], at: usize) -> [&'t str; 2] {
    [1, 2].map(|step| lines.get(at + step).copied().unwrap_or_default())
}

/// Whether a test sends every answer but one to a failure.
fn refuses_all_but(line: &str, code: &str) -> bool {
    [
        "goto :fail",
        "goto :NOLIST",
        "goto :closed_cookie",
        "goto :UNREADABLE_LIST",
        "exit /b 1",
        "exit /b 4",
    ]
    .iter()
    .any(|end| line == format!("if not \"%errorlevel%\"==\"{code}\" {end}"))
}

/// What is wrong with the lines behind a search or comparison.
fn mistaken(next: [&str; 2]) -> bool {
    let first = |code: &str| next[0].starts_with(&format!("if \"%errorlevel%\"==\"{code}\" "));
    let sound = refuses_all_but(next[0], "0")
        || refuses_all_but(next[0], "1")
        || first("0") && refuses_all_but(next[1], "1")
        || first("1") && refuses_all_but(next[1], "0");
    !sound
}

/// `findstr`, `find` and `fc` answer 0, 1, or 2 for what they cannot read.
#[test]
fn a_search_that_could_not_look_found_nothing_out() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, bytes) in read_tree(&root().join("out")) {
        let text = String::from_utf8_lossy(&bytes);
        if !path.ends_with(".cmd") {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let tool = ["findstr.exe\" ", "find.exe\" ", "fc.exe\" ", "%FINDSTR%\" "]
                .iter()
                .any(|tool| line.starts_with('"') && line.contains(tool));
            // A wrong release and one that cannot be read are both open: the readiness of a server says so in one line.
            if !tool || line.contains("openssl.txt") {
                continue;
            }
            seen += 1;
            if mistaken(behind(&lines, at)) {
                wrong.push(format!("{path}:{}: {line}", at + 1));
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (next, expected) in [
        (
            ["if \"%errorlevel%\"==\"0\" goto :there", "echo It is not there."],
            true,
        ),
        (["if not \"%errorlevel%\"==\"0\" goto :not_there", ""], true),
        (["if not \"%errorlevel%\"==\"1\" goto :fail", ""], false),
    ] {
        assert_eq!(mistaken(next), expected, "{next:?}");
    }
}

/// A list of ports that cannot be read says nothing about port 5672.
#[test]
fn port_5672_is_not_closed_because_nobody_could_look() {
    const SBIN: &str =
        r"C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq_server-3.8\sbin";
    let archive = built(&with_broker());
    let mut machine = Machine::new("MGMT01", &archive, PROGRAMS);
    let script =
        std::fs::read_to_string(machine.bundle("servers/MGMT01/rabbitmq/post-check.cmd")).expect("a script");
    let sbin = script
        .lines()
        .find_map(|line| line.strip_prefix("set \"SBIN="))
        .map_or(SBIN, |rest| rest.trim_end_matches('"'))
        .to_owned();
    for tool in ["rabbitmqctl.bat", "rabbitmq-plugins.bat"] {
        machine.put(&format!(r"{sbin}\{tool}"), b"");
    }
    machine.put(r"C:\base\enabled_plugins", b"[].\n");
    machine.put(r"C:\Program Files\Git\mingw64\bin\openssl.exe", b"");
    let run = |code: i32| {
        let (outcome, _) = model::run(
            &machine,
            "servers/MGMT01/rabbitmq/post-check.cmd",
            &mut |_, call| {
                let line = call.line();
                match call.program.as_str() {
                    "findstr" if line.contains(":5672") => Answer::Code(code, String::new()),
                    "findstr" if line.contains("refused.txt") => good(),
                    "reg" => Answer::Code(0, "\n    WorkDir    REG_EXPAND_SZ    C:\\base\n".to_owned()),
                    "openssl" if line.contains("s_client") => Answer::Code(1, String::new()),
                    "rabbitmqctl.bat" if line.contains("list_connections") => Answer::Code(1, String::new()),
                    "openssl" | "rabbitmqctl.bat" | "netstat" => good(),
                    _ => text_tool(&machine, call).unwrap_or_else(|| panic!("unexpected {line}")),
                }
            },
        );
        outcome
    };
    for code in [0, 2] {
        run(code).expect_failure(
            "see that nothing listens on port 5672",
            "Nothing after this step was done.",
        );
    }
    run(1).expect_failure("list the connections", "Nothing after this step was done.");
}

/// The filter manager may fail for reasons of its own; then Windows says whether rights are missing.
#[test]
fn what_failed_is_not_called_missing_rights() {
    let machine = machine("CORE01");
    let run = |answer: i32| {
        machine.run(super::registry::APPLY, |_, call| match call.program.as_str() {
            "fltmc" => Answer::Code(1, String::new()),
            "powershell" => {
                let line = call.line();
                assert!(line.contains("WindowsBuiltInRole"), "{line}");
                Answer::Code(answer, String::new())
            }
            // Rights are there: the next step is another one.
            _ => Answer::Code(9, String::new()),
        })
    };
    run(3).expect_failure("check administrator rights", "Run as administrator");
    let unknown = run(1);
    unknown.expect_failure("check administrator rights", "nobody knows whether");
    assert!(
        !unknown.output.contains("Run as administrator"),
        "{}",
        unknown.output
    );
    let elevated = run(0);
    assert!(
        !elevated
            .output
            .contains("FAILED at step: check administrator rights"),
        "{}",
        elevated.output
    );
}

/// 3010 and 1641 are done, with a restart to come; 1638 means that this version or a later one is there.
#[test]
fn an_installer_says_done_in_four_ways() {
    const FOLDER: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy\dependencies";
    let mut machine = machine("CORE01");
    machine.put(&format!(r"{FOLDER}\install_dependencies.cmd"), b"@echo off\r\n");
    let run = |code: i32| {
        let script = "servers/CORE01/proxy/install-dependencies.cmd";
        let (outcome, _) = model::run(&machine, script, &mut |_, call| match call.program.as_str() {
            "install_dependencies.cmd" => Answer::Code(code, String::new()),
            "pushd" | "popd" => good(),
            _ => text_tool(&machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
        });
        outcome
    };
    for code in [0, 1638] {
        run(code).expect_success("The dependencies are installed.\n");
    }
    for code in [3010, 1641] {
        run(code).expect_success("Windows asks for a restart");
    }
    for code in [1, 1603, 1618] {
        run(code).expect_failure(
            "install the dependencies",
            &format!("Exit code of the failing command: {code}"),
        );
    }
}

/// What was saved of RabbitMQ goes, of earlier versions too; what others saved stays.
#[test]
fn saved_passwords_are_deleted_by_the_command_of_the_last_step() {
    let runbook = std::fs::read_to_string(root().join("out/acme-prod/RUNBOOK.md")).expect("a runbook");
    let command = runbook
        .split('`')
        .find(|code| code.starts_with("for /d "))
        .expect("a command");
    let folder =
        r#"icacls C:\handoff\before /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F""#;
    assert!(
        runbook.contains(folder),
        "the folder people copy files to is for few eyes"
    );
    let machine = machine("CORE01");
    let script = machine.bundle("forget.cmd");
    std::fs::write(
        script,
        format!(
            "@echo off\r\n{}\r\nexit /b 0\r\n",
            command.replace("%A", "%%A").replace("%B", "%%B")
        ),
    )
    .expect("writable");
    let saved = machine
        .state("x")
        .parent()
        .expect("a folder")
        .join("../../acme-prod");
    for version in ["2026.11.1", "2026.12.1"] {
        for part in ["rabbitmq", "certificate", "proxy"] {
            let folder = saved.join(version).join(part);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join("parameters.json"), "amqp://user:secret@core02").expect("writable");
        }
    }
    let outcome = machine.run("forget.cmd", |_, call| panic!("unexpected {call:?}"));
    assert_eq!(outcome.code, 0, "{outcome:?}");
    for version in ["2026.11.1", "2026.12.1"] {
        for part in ["rabbitmq", "certificate"] {
            assert!(!saved.join(version).join(part).exists(), "{version}");
        }
        assert!(saved.join(version).join("proxy").exists(), "{version}");
    }
}

/// Wherever somebody is told to run a script, its path begins in the unpacked folder: one base for all of them.
#[test]
fn every_path_of_a_script_begins_in_the_unpacked_folder() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, bytes) in read_tree(&root().join("out")) {
        let text = String::from_utf8_lossy(&bytes);
        if !(path.ends_with(".cmd") || path.ends_with(".md")) {
            continue;
        }
        for line in text.lines() {
            let words: Vec<&str> = line
                .split(|c: char| c.is_whitespace() || matches!(c, '`' | ',' | ';' | ':' | '=' | '"'))
                .filter(|word| !word.is_empty())
                .collect();
            for pair in words.windows(2) {
                let script = pair[1].trim_end_matches('.');
                if !matches!(pair[0], "run" | "Run") || !script.ends_with(".cmd") {
                    continue;
                }
                seen += 1;
                let at_the_top = matches!(script, "verify.cmd" | "run-phase.cmd");
                let of_the_package = script == "nginx_windows_service.cmd";
                let based = script.starts_with(r"servers\") || script.starts_with(r"deployment\");
                if !(at_the_top || of_the_package || based) {
                    wrong.push(format!("{path}: {line}"));
                } else if based && !path.contains("README") {
                    let (bundle, _) = path.split_once('/').expect("a bundle");
                    let there = root().join("out").join(bundle).join(script.replace('\\', "/"));
                    let folded = script.contains(r"\SERVER\");
                    if !folded && !there.exists() {
                        wrong.push(format!("{path}: {script} is not there"));
                    }
                }
            }
            let names = words
                .iter()
                .filter(|word| word.ends_with(".cmd") && word.contains('\\'));
            for name in names {
                let known = [
                    r".\run-phase",
                    r"servers\",
                    r"deployment\",
                    "%",
                    r"proxy\bin\",
                    r"rabbitmq\",
                ];
                if !known.iter().any(|start| name.starts_with(start)) {
                    wrong.push(format!("{path}: {name}"));
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
