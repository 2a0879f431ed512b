//! Registry scripts there and back, with Wine's own `reg.exe` behind the relay.

use super::machine::{Answer, Call, Machine};
use super::text_tools::text_tool;
use super::{machine, stopped_at};

/// Answers the text tools, lets Wine do the registry, and fails the call with this number; 0 fails none.
pub(super) fn registry_answer(machine: &Machine, failing: usize) -> impl FnMut(usize, &Call) -> Answer + '_ {
    move |number, call| {
        if number == failing {
            return Answer::Code(9, String::new());
        }
        match call.program.as_str() {
            "reg" => Answer::Native,
            _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
        }
    }
}

pub(super) const KEY: &str = r"HKLM\SOFTWARE\WOW6432Node\Virtual Hold";
pub(super) const APPLY: &str = "servers/CORE01/registry/apply-registry.cmd";
pub(super) const ROLLBACK: &str = "servers/CORE01/registry/rollback-registry.cmd";

#[test]
fn registry_values_come_and_go_exactly() {
    let machine = machine("CORE01");
    let query = || machine.reg(&["query", KEY, "/v", "VHQMWSPATH"]);
    let set = |name: &str, data: &str| assert!(machine.reg(&["add", KEY, "/v", name, "/d", data, "/f"]).0);
    let new = "https://callback.acme.example/VHQMWS/VHQMWS.asmx";

    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_failure("find the saved state", "nothing to take back");
    // A value that was not there before.
    set("Other", "stays");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    assert!(query().1.contains(new));
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("The old values are back");
    assert!(!query().0, "the value is gone");
    assert!(machine.reg(&["query", KEY, "/v", "Other"]).1.contains("stays"));
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("rolled back before");

    // A former value, with characters that mean something to cmd.exe; work of others survives the way back. A percent
    // sign is not among them: Wine expands the value of a variable once more, cmd.exe does not.
    let old = "http://old  host/a&b=(x86)/!VHQMWS.asmx";
    set("VHQMWSPATH", old);
    let before = query();
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    set("Other", "changed later");
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("The old values are back");
    assert_eq!(query(), before);
    assert!(
        machine
            .reg(&["query", KEY, "/v", "Other"])
            .1
            .contains("changed later")
    );

    // Every program fails once: the script stops there, or the value is right all the same.
    for script in [APPLY, ROLLBACK] {
        let whole = machine.run(script, registry_answer(&machine, 0)).calls.len();
        for failing in 1..=whole {
            machine.forget();
            set("VHQMWSPATH", old);
            if script == ROLLBACK {
                machine
                    .run(APPLY, registry_answer(&machine, 0))
                    .expect_success("All values are in place");
            }
            let outcome = machine.run(script, registry_answer(&machine, failing));
            if outcome.code == 0 {
                assert!(
                    query().1.contains(if script == APPLY { new } else { old }),
                    "{outcome:#?}"
                );
            } else {
                stopped_at(&outcome, failing);
            }
            machine
                .run(script, registry_answer(&machine, 0))
                .expect_success("");
        }
        machine.forget();
        set("VHQMWSPATH", old);
        machine
            .run(APPLY, registry_answer(&machine, 0))
            .expect_success("All values are in place");
    }

    // Not on this server, and a value the script must not touch.
    machine.forget();
    machine
        .run(
            "servers/MGMT01/registry/apply-windows-tls.cmd",
            registry_answer(&machine, 0),
        )
        .expect_failure("check that this is MGMT01", "made for MGMT01; this is CORE01");
    set("VHQMWSPATH", "a \" quote");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_failure("save the old value", "holds a quote");
    assert!(query().1.contains("a \" quote"));
    assert!(machine.reg(&["delete", KEY, "/f"]).0);
}

/// Where the first call of each kind stands, up to the first of `last`; the kind are program and first argument.
fn first_of_each_kind(calls: &[Call], last: &str) -> Vec<usize> {
    let kinds: Vec<String> = calls
        .iter()
        .map(|call| call.line().split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let end = kinds.iter().position(|kind| kind == last).expect("such a call");
    (0..=end)
        .filter(|at| !kinds[..*at].contains(&kinds[*at]))
        .collect()
}

#[test]
fn windows_tls_values_match_their_files() {
    let machine = machine("MGMT01");
    for name in ["windows-tls", "legacy-protocols"] {
        let script = |kind: &str| format!("servers/MGMT01/registry/{kind}-{name}.cmd");
        let all = || {
            machine
                .reg(&[
                    "query",
                    r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL",
                    "/s",
                ])
                .1
        };
        let before = all();
        let whole = machine.run(&script("apply"), registry_answer(&machine, 0));
        whole.expect_success("All values are in place");
        assert_ne!(all(), before);
        let saved = machine.saved();
        let back = machine.run(&script("rollback"), registry_answer(&machine, 0));
        back.expect_success("The old values are back");
        let values = |text: &str| text.lines().filter(|line| line.starts_with(' ')).count();
        assert_eq!(values(&all()), values(&before), "every added value is gone");
        // Each value has the same lines, and one value fails everywhere above: here fails the first call of each kind up
        // to the first import, which leaves the registry as it was, and then the last look at a value.
        for at in first_of_each_kind(&whole.calls, "reg import")
            .into_iter()
            .chain([whole.calls.len() - 1])
        {
            machine.forget();
            let outcome = machine.run(&script("apply"), registry_answer(&machine, at + 1));
            stopped_at(&outcome, at + 1);
        }
        // The way back likewise, up to the first value it takes away.
        for at in first_of_each_kind(&back.calls, "reg delete") {
            machine.forget();
            machine.restore(&saved);
            let outcome = machine.run(&script("rollback"), registry_answer(&machine, at + 1));
            stopped_at(&outcome, at + 1);
        }
        machine
            .run(&script("rollback"), registry_answer(&machine, 0))
            .expect_success("The old values are back");
    }
}
