//! One phase at one place for people without cbgen: scripts in order, copies before people change files, one log, the way back.
//!
//! The scripts it starts are stand-ins here, which say their name and end as the test wants; each has tests of its own.

use std::fs;
use std::sync::LazyLock;

use super::machine::{Answer, Call, Machine, Outcome, good};
use super::text_tools::text_tool;
use super::{PROGRAMS, built};

/// One server that is everything.
const INVENTORY: &str = r"
schema: cbgen/v1
bundle: { name: scripts, version: '1.0' }
product: { version: 9.5.3, high_availability: false, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.acme.example }
certificate: { kind: ca_issued, pfx: 'C:\hand off\callback.pfx' }
sql: { version: 2016, server: SQL01, access: [odbc] }
servers:
  - { name: CORE01, fqdn: core01.acme.example, roles: [core, management], windows: 2016, dotnet: 4.7.1 }
";

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| built(INVENTORY));

const REGISTRY: &[&str] = &["apply-registry", "apply-windows-tls"];
const REGISTRY_BACK: &[&str] = &["rollback-windows-tls", "rollback-registry"];

fn machine() -> Machine {
    Machine::new("CORE01", &ARCHIVE, PROGRAMS)
}

/// Puts a stand-in for a script of the bundle.
fn stand_in(machine: &Machine, script: &str, code: u32) {
    let path = machine.bundle(script);
    assert!(path.exists(), "{script} is not in the bundle");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let text = format!("@echo off\r\necho {name} ran, (%~1) & more\r\nexit /b {code}\r\n")
        .replace("& more", "^& more");
    fs::write(path, text).expect("writable");
}

fn registry(machine: &Machine, name: &str, code: u32) {
    stand_in(machine, &format!("servers/CORE01/registry/{name}.cmd"), code);
}

fn run(machine: &Machine, arguments: &str) -> Outcome {
    machine.run_with("run-phase.cmd", arguments, |_, call| answer(machine, call))
}

fn answer(machine: &Machine, call: &Call) -> Answer {
    match call.program.as_str() {
        "powershell" if call.line().ends_with("Get-Date -Format s") => {
            Answer::Code(0, "2026-12-05T23:10:00\r\n".to_owned())
        }
        "icacls" => good(),
        _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
    }
}

/// The stand-ins that ran, in order.
fn ran(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.output.lines();
    lines
        .filter_map(|line| line.split_once(".cmd ran, "))
        .map(|(name, _)| name)
        .collect()
}

fn log(machine: &Machine, phase: &str) -> String {
    let path = machine.state(&format!("by-hand/CORE01/{phase}.log"));
    String::from_utf8_lossy(&fs::read(path).expect("a log")).replace('\r', "")
}

/// Wine makes every code of `exit /b` but 0 a 1, so texts tell people's turn from a failure.
#[track_caller]
fn expect(outcome: &Outcome, code: i32, text: &str) {
    assert!(
        (outcome.code == 0) == (code == 0) && outcome.output.contains(text) && outcome.errors.is_empty(),
        "expected {code} and `{text}`: {outcome:#?}"
    );
}

#[test]
fn a_phase_runs_its_scripts_once_and_keeps_one_log() {
    let machine = machine();
    for name in REGISTRY.iter().chain(REGISTRY_BACK) {
        registry(&machine, name, 0);
    }
    // The second script fails: nothing says done, and the first one does not run again.
    registry(&machine, "apply-windows-tls", 1);
    let outcome = run(&machine, "core01 REGISTRY");
    expect(&outcome, 1, "FAILED at step 6.2. Nothing after it was done.");
    assert_eq!(ran(&outcome), REGISTRY);
    assert!(
        log(&machine, "registry").ends_with("exit code 1.\nfailed\n"),
        "{}",
        log(&machine, "registry")
    );
    registry(&machine, "apply-windows-tls", 0);
    let outcome = run(&machine, "CORE01 registry");
    expect(&outcome, 0, "CORE01: phase registry is done.");
    assert!(
        outcome.output.contains("6.1 was done before."),
        "{}",
        outcome.output
    );
    assert_eq!(ran(&outcome), ["apply-windows-tls"]);
    expect(&run(&machine, "CORE01 registry"), 0, "6.2 was done before.");
    let log = log(&machine, "registry");
    for line in [
        "2026-12-05T23:10:00",
        "apply-registry.cmd ran, () & more",
        "6.1 done",
        "exit code 0.",
    ] {
        assert!(log.lines().any(|found| found.ends_with(line)), "{line}: {log}");
    }
    // Nothing is written into the folder of the bundle.
    assert!(!machine.bundle("by-hand").exists() && !machine.bundle("registry.log").exists());
}

#[test]
fn what_was_begun_is_taken_back_last_first() {
    let machine = machine();
    for name in REGISTRY.iter().chain(REGISTRY_BACK) {
        registry(&machine, name, 0);
    }
    // Nothing was begun: nothing is taken back.
    expect(
        &run(&machine, "CORE01 registry back"),
        2,
        "This script has begun nothing at CORE01 in phase registry on CORE01.",
    );
    // Halfway is begun.
    registry(&machine, "apply-windows-tls", 1);
    expect(&run(&machine, "CORE01 registry"), 1, "FAILED at step 6.2.");
    registry(&machine, "rollback-registry", 3);
    let outcome = run(&machine, "CORE01 registry back");
    expect(&outcome, 1, "FAILED at step 6.1.");
    assert_eq!(ran(&outcome), REGISTRY_BACK);
    registry(&machine, "rollback-registry", 0);
    let outcome = run(&machine, "CORE01 registry back");
    expect(&outcome, 0, "CORE01: phase registry is taken back.");
    assert_eq!(ran(&outcome), ["rollback-registry"]);
    // Forth once more does everything.
    registry(&machine, "apply-windows-tls", 0);
    assert_eq!(ran(&run(&machine, "CORE01 registry")), REGISTRY);
}

const PRODUCT: &str = r"C:\Program Files (x86)\Virtual Hold Technology";

#[test]
fn files_are_copied_before_people_change_them_and_put_back() {
    let mut machine = machine();
    let wizard = format!(r"{PRODUCT}\VHT_ConfigurationWizard.exe.config");
    let shortcut = format!(r"{PRODUCT}\VirtualHoldPub\EyeQueue\EyeQueue.url");
    let new = format!(r"{PRODUCT}\Notification Server\site.config");
    machine.put(&wizard, b"old wizard\r\n");
    machine.put(&shortcut, b"old shortcut\r\n");
    machine.put(&format!(r"{PRODUCT}\Notification Server\other.txt"), b"");
    let outcome = run(&machine, "CORE01 components");
    expect(&outcome, 2, "run-phase.cmd CORE01 components done");
    for text in [format!("in {wizard}"), "there was no such file here".to_owned()] {
        assert!(outcome.output.contains(&text), "{text}: {}", outcome.output);
    }
    // The first one was changed, the second one forgotten.
    fs::write(machine.unix(&wizard), "new wizard\r\n").expect("writable");
    fs::write(machine.unix(&new), "new\r\n").expect("writable");
    let outcome = run(&machine, "CORE01 components done");
    expect(&outcome, 2, "this file is as it was before.");
    assert_eq!(
        outcome.output.matches("this file is as it was before.").count(),
        1,
        "{}",
        outcome.output
    );
    assert!(
        outcome.output.contains(&shortcut) && !outcome.output.contains(&wizard),
        "{}",
        outcome.output
    );
    // Somebody who runs it again without a word is told what is open.
    expect(&run(&machine, "CORE01 components"), 2, &shortcut);
    expect(
        &run(&machine, "CORE01 components done-unchanged"),
        2,
        "PLACE PHASE",
    );
    expect(
        &run(&machine, "CORE01 components done-unchanged 7.99"),
        2,
        &shortcut,
    );
    expect(
        &run(&machine, "CORE01 components done-unchanged all"),
        0,
        "phase components is done",
    );
    fs::write(machine.unix(&shortcut), "changed later\r\n").expect("writable");
    expect(
        &run(&machine, "CORE01 components back"),
        0,
        "phase components is taken back",
    );
    let text = |path: &str| fs::read_to_string(machine.unix(path)).expect("a file");
    assert_eq!(
        (text(&wizard).as_str(), text(&shortcut).as_str()),
        ("old wizard\r\n", "old shortcut\r\n")
    );
    assert!(
        !machine.unix(&new).exists(),
        "a file that was not there before goes"
    );
}

#[test]
fn what_has_no_way_back_and_what_people_do_come_with_a_word() {
    let machine = machine();
    stand_in(&machine, "deployment/sql/purge-captured.cmd", 0);
    expect(&run(&machine, "deployment verify"), 2, "as RUNBOOK.md says.");
    let outcome = run(&machine, "deployment verify accept-one-way");
    expect(&outcome, 2, "run-phase.cmd deployment verify done");
    assert!(ran(&outcome).is_empty(), "{}", outcome.output);
    let outcome = run(&machine, "deployment verify done");
    expect(
        &outcome,
        2,
        "has no way back. To do it, run: run-phase.cmd deployment verify accept-one-way",
    );
    assert!(ran(&outcome).is_empty());
    let outcome = run(&machine, "deployment verify accept-one-way");
    expect(&outcome, 0, "phase verify is done");
    assert_eq!(ran(&outcome), ["purge-captured"]);
    // What people take back is asked for, and taken for done when the command comes again.
    let outcome = run(&machine, "deployment verify back");
    assert!(
        outcome.output.contains("has no way back: it stays."),
        "{}",
        outcome.output
    );
    expect(&run(&machine, "deployment verify back"), 0, "is taken back");
    assert!(
        !run(&machine, "deployment verify accept-one-way")
            .output
            .contains("purge-captured.cmd ran")
    );
}

#[test]
fn other_words_and_other_servers_do_nothing() {
    let mut machine = machine();
    for arguments in [
        "",
        "CORE01",
        "CORE01 nothing",
        "CORE02 registry",
        "CORE01 registry again",
        "deployment registry",
    ] {
        let outcome = run(&machine, arguments);
        assert_ne!(outcome.code, 0, "{arguments}: {outcome:#?}");
        assert!(
            outcome.output.contains("PLACE") || outcome.output.contains("Nothing is done at"),
            "{}",
            outcome.output
        );
    }
    machine.set("COMPUTERNAME", "MGMT01");
    expect(
        &run(&machine, "CORE01 registry"),
        1,
        "This is MGMT01, not CORE01.",
    );
}

/// A step that failed before it saved anything must not keep those before it from going back. What was done and whose saved
/// state is gone is another thing.
#[test]
fn a_step_that_changed_nothing_does_not_stand_in_the_way_back() {
    let machine = machine();
    for name in REGISTRY.iter().chain(REGISTRY_BACK) {
        registry(&machine, name, 0);
    }
    registry(&machine, "apply-windows-tls", 1);
    expect(&run(&machine, "CORE01 registry"), 1, "FAILED at step 6.2.");
    let nothing = "@echo off\r\necho There is no saved state in X: nothing.\r\nexit /b 1\r\n";
    let back = machine.bundle("servers/CORE01/registry/rollback-windows-tls.cmd");
    fs::write(&back, nothing).expect("writable");
    let outcome = run(&machine, "CORE01 registry back");
    expect(&outcome, 0, "6.2 failed before it changed anything.");
    assert_eq!(ran(&outcome), ["rollback-registry"]);
    registry(&machine, "apply-windows-tls", 0);
    expect(&run(&machine, "CORE01 registry"), 0, "is done");
    expect(&run(&machine, "CORE01 registry back"), 1, "FAILED at step 6.2.");
}

/// Where cmd.exe cannot write what a script says, it does not start it, and the code is that of the command before.
#[test]
fn a_script_that_never_started_is_not_done() {
    let machine = machine();
    for name in REGISTRY {
        registry(&machine, name, 0);
    }
    let output = machine.state("by-hand/CORE01/6.1.output");
    fs::create_dir_all(output.join("in the way")).expect("a folder");
    let outcome = run(&machine, "CORE01 registry");
    expect(&outcome, 1, "FAILED at step 6.1.");
    assert!(ran(&outcome).is_empty(), "{}", outcome.output);
    assert!(!machine.state("by-hand/CORE01/6.1.done").exists());
}

#[test]
fn a_check_runs_as_often_as_somebody_asks() {
    let machine = machine();
    stand_in(&machine, "servers/CORE01/check-readiness.cmd", 0);
    for _ in 0..2 {
        let outcome = run(&machine, "CORE01 prepare");
        expect(&outcome, 0, "phase prepare is done");
        assert_eq!(ran(&outcome), ["check-readiness"]);
    }
    stand_in(&machine, "servers/CORE01/check-readiness.cmd", 1);
    expect(&run(&machine, "CORE01 prepare"), 1, "FAILED at step 1.4.");
    // It has changed nothing, so nothing is asked of anybody.
    let outcome = run(&machine, "CORE01 prepare back");
    expect(&outcome, 0, "is taken back");
    assert!(!outcome.output.contains("By hand"), "{}", outcome.output);
}

#[test]
fn files_are_not_lost_with_their_copies_and_take_no_instructions() {
    let mut machine = machine();
    let wizard = format!(r"{PRODUCT}\VHT_ConfigurationWizard.exe.config");
    machine.put(&wizard, b"old\r\n");
    expect(&run(&machine, "CORE01 components"), 2, &wizard);
    fs::write(
        machine.unix(&wizard),
        "<a xdt:Transform=\"Replace\" xmlns:xdt=\"x\"/>\r\n",
    )
    .expect("writable");
    expect(
        &run(&machine, "CORE01 components done"),
        2,
        "attributes that begin with xdt",
    );
    fs::write(machine.unix(&wizard), "new\r\n").expect("writable");
    expect(
        &run(&machine, "CORE01 components done-unchanged all"),
        0,
        "is done",
    );
    let copies = machine.state("by-hand-copies/CORE01");
    let before: Vec<_> = fs::read_dir(&copies)
        .expect("copies")
        .filter_map(Result::ok)
        .collect();
    assert_eq!(before.len(), 1, "{before:?}");
    fs::remove_file(before[0].path()).expect("removable");
    expect(
        &run(&machine, "CORE01 components back"),
        1,
        "is gone. Restore the file",
    );
    let text = fs::read_to_string(machine.unix(&wizard)).expect("it is still there");
    assert_eq!(text, "new\r\n");
}
