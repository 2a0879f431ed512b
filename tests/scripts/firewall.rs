//! Firewall rules with a played `netsh`.

use std::collections::BTreeSet;

use super::machine::Answer;
use super::text_tools::text_tool;
use super::{machine, stopped_at};

#[test]
fn firewall_rules_come_and_go() {
    let machine = machine("MGMT01");
    let run = |rules: &mut Vec<String>, script: &str, failing: usize| {
        machine.run(
            &format!("servers/MGMT01/firewall/{script}.cmd"),
            |number, call| {
                let Some(verb) = call
                    .arguments
                    .get(2)
                    .filter(|_| call.program == "netsh" && number != failing)
                else {
                    return if number == failing {
                        Answer::Code(9, String::new())
                    } else {
                        text_tool(&machine, call).expect("known")
                    };
                };
                let rule = call.arguments[4..].join(" ");
                let name = |rule: &str| rule.split(" dir=").next().unwrap_or_default().to_owned();
                let known = rules.iter().any(|other| name(other) == name(&rule));
                match verb.as_str() {
                    "add" => rules.push(rule),
                    "delete" => rules.retain(|other| name(other) != name(&rule)),
                    _ => {}
                }
                Answer::Code(i32::from(verb != "add" && !known), String::new())
            },
        )
    };
    let mut rules = Vec::new();
    let whole = run(&mut rules, "apply-firewall", 0);
    whole.expect_success("All rules are in place");
    let wanted = rules.clone();
    for rule in [
        "name=cbgen scripts allow 443 Reverse proxy dir=in action=allow enable=yes profile=any protocol=TCP localport=443",
        "name=cbgen scripts block 2800 Authorization API dir=in action=block enable=yes profile=any protocol=TCP localport=2800",
    ] {
        assert!(wanted.iter().any(|known| known == rule), "{wanted:#?}");
    }
    assert!(wanted.iter().all(|rule| rule.starts_with("name=cbgen scripts ")));
    run(&mut rules, "apply-firewall", 0).expect_success("All rules are in place");
    assert_eq!(
        rules.iter().collect::<BTreeSet<_>>(),
        wanted.iter().collect::<BTreeSet<_>>()
    );
    rules.push("name=World Wide Web Services dir=in".into());
    run(&mut rules, "rollback-firewall", 0).expect_success("The rules are gone");
    assert_eq!(rules, ["name=World Wide Web Services dir=in"]);
    run(&mut rules, "rollback-firewall", 0).expect_success("The rules are gone");
    for failing in 1..=8.min(whole.calls.len()) {
        let mut rules = Vec::new();
        let outcome = run(&mut rules, "apply-firewall", failing);
        if outcome.code == 0 {
            assert_eq!(rules, wanted, "{outcome:#?}");
        } else {
            stopped_at(&outcome, failing);
        }
    }
}
