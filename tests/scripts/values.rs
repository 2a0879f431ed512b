//! Registry scripts that are lied to, and keys that were not there before.

use super::machine;
use super::machine::{Answer, good};
use super::registry::{APPLY, KEY, ROLLBACK, registry_answer};

/// Rule 1.7: an import that says it succeeded and did nothing, or something else.
#[test]
fn an_import_that_did_nothing_is_found_out() {
    let machine = machine("CORE01");
    machine.reg(&["delete", KEY, "/f"]);
    for wrong in [
        None,
        Some(["/t", "REG_SZ", "/d", "something else"]),
        Some(["/t", "REG_DWORD", "/d", "1"]),
    ] {
        machine.forget();
        let mut answer = registry_answer(&machine, 0);
        let outcome = machine.run(APPLY, |number, call| {
            if call.line().starts_with("reg import ") {
                if let Some(value) = &wrong {
                    let words = [&["add", KEY, "/v", "VHQMWSPATH", "/f"][..], value].concat();
                    assert!(machine.reg(&words).0);
                }
                return good();
            }
            answer(number, call)
        });
        outcome.expect_failure("read back VHQMWSPATH", "Nothing after this step was done.");
        machine.reg(&["delete", KEY, "/f"]);
    }
    let honest = machine.run(APPLY, registry_answer(&machine, 0));
    honest.expect_success("All values are in place");
    assert!(machine.reg(&["delete", KEY, "/f"]).0);
}

/// Rule 1.10: a key that was not there is a state of its own, and the way back says what it did not find.
#[test]
fn a_key_that_was_not_there_loses_its_value_again() {
    let machine = machine("CORE01");
    machine.reg(&["delete", KEY, "/f"]);
    assert!(!machine.reg(&["query", KEY]).0, "no key to begin with");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    assert!(machine.state("registry/value-1.absent").exists());
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("The old values are back");
    assert!(
        !machine.reg(&["query", KEY, "/v", "VHQMWSPATH"]).0,
        "the value is gone"
    );
    // Someone else took the value away in between: nothing to delete is no failure.
    machine.forget();
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    assert!(machine.reg(&["delete", KEY, "/f"]).0);
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("The old values are back");
    let refused = machine.run(ROLLBACK, |_, _| Answer::Code(0, String::new()));
    refused.expect_success("rolled back before");
    machine.reg(&["delete", KEY, "/f"]);
}
