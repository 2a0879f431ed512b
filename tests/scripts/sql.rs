//! SQL scripts with a recording `sqlcmd`.

use std::fs;

use super::machine::{Answer, Machine, good};
use super::text_tools::text_tool;
use super::{machine, stopped_at};

#[test]
fn sql_scripts_run_only_after_every_check() {
    let mut machine = machine("MGMT01");
    // The scripts take sqlcmd from the PATH.
    let path = Machine::windows(&machine.system());
    machine.set("PATH", &path);
    let run = |machine: &Machine, script: &str, failing: usize| {
        machine.run(&format!("deployment/sql/{script}.cmd"), |number, call| {
            if call.program == "sqlcmd"
                && let Some(log) = call.arguments.iter().skip_while(|word| *word != "-o").nth(1)
            {
                fs::write(machine.unix(log), "what SQL Server said\n").expect("writable");
            }
            match call.program.as_str() {
                _ if number == failing => Answer::Code(1, String::new()),
                "sqlcmd" | "where" | "powershell" => good(),
                _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
            }
        })
    };
    run(&machine, "apply-report-connection", 0).expect_failure(
        "look at the variable CALLBACK_REPORT_PASSWORD",
        "Set the environment variable",
    );
    machine.set("CALLBACK_REPORT_PASSWORD", "top secret");
    run(&machine, "purge-captured", 0).expect_success("purge-captured.sql was run");
    for script in ["ws-configuration", "report-connection"] {
        for kind in ["apply", "rollback"] {
            let name = format!("{kind}-{script}");
            let whole = run(&machine, &name, 0);
            whole.expect_success("was run. Log:");
            let last = whole.calls.last().expect("a call").line();
            assert!(
                last.starts_with(r"sqlcmd -S SQL01\CALLBACK -d VHT_Config -E -b -b -I -f 65001 -i "),
                "{last}"
            );
            assert!(
                !whole.calls.iter().any(|call| call.line().contains("top secret")),
                "{whole:#?}"
            );
            for failing in 1..=whole.calls.len() {
                stopped_at(&run(&machine, &name, failing), failing);
            }
        }
    }
    // What was saved is deleted: going back says so and is no success, until something is saved again.
    run(&machine, "purge-captured", 0).expect_success("purge-captured.sql was run");
    for script in ["ws-configuration", "report-connection"] {
        let outcome = run(&machine, &format!("rollback-{script}"), 0);
        outcome.expect_failure(
            "see that the values of before are still saved",
            "Restore the backup of the database",
        );
        assert!(
            outcome.calls.iter().all(|call| call.program != "sqlcmd"),
            "{outcome:#?}"
        );
    }
    run(&machine, "apply-ws-configuration", 0).expect_success("was run. Log:");
    run(&machine, "rollback-ws-configuration", 0).expect_success("was run. Log:");
}

/// An account without the rights of an administrator of this machine is enough: rights count in the database. A certificate
/// nobody trusts is accepted only when somebody says so.
#[test]
fn sql_needs_no_administrator_of_the_machine() {
    let mut machine = machine("MGMT01");
    let path = Machine::windows(&machine.system());
    machine.set("PATH", &path);
    for trust in [false, true] {
        if trust {
            machine.set("CALLBACK_SQL_TRUST", "yes");
        }
        let outcome = machine.run("deployment/sql/apply-ws-configuration.cmd", |_, call| {
            if let Some(log) = call.arguments.iter().skip_while(|word| *word != "-o").nth(1) {
                fs::write(machine.unix(log), "").expect("writable");
            }
            match call.program.as_str() {
                "fltmc" => Answer::Code(2, String::new()),
                "sqlcmd" => {
                    assert_eq!(
                        call.arguments.contains(&"-C".to_owned()),
                        trust,
                        "{}",
                        call.line()
                    );
                    good()
                }
                "where" => good(),
                _ => text_tool(&machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
            }
        });
        outcome.expect_success("was run. Log:");
    }
}
