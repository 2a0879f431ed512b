//! Firewall rules with a played `netsh`.

use std::collections::BTreeSet;

use super::machine::{Answer, Call, Machine, Outcome, good};
use super::stops::Stops;
use super::text_tools::text_tool;
use super::{machine, model};

/// Words of a rule, as `netsh` gets them behind `rule`.
type Rule = Vec<String>;

fn rule(words: &[&str]) -> Rule {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// `netsh`, and failure of the call with this number; 0 fails none.
fn answer(machine: &Machine, rules: &mut Vec<Rule>, failing: usize, number: usize, call: &Call) -> Answer {
    if number == failing {
        return Answer::Code(9, String::new());
    }
    if call.program == "powershell" {
        let code = call.arguments.last().expect("code");
        return match code.split_once("GetHostAddresses('") {
            Some((_, rest)) if rest.starts_with("core01.") => {
                Answer::Code(0, "10.20.0.11\nfd00::11\n".to_owned())
            }
            Some(_) => Answer::Code(0, "10.20.0.21\n".to_owned()),
            None if code.contains("WindowsBuiltInRole") => Answer::Code(3, String::new()),
            None => {
                assert!(code.contains("-PolicyStore ActiveStore"), "{code}");
                good()
            }
        };
    }
    if call.program != "netsh" {
        return text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}"));
    }
    if call.arguments == ["advfirewall", "show", "currentprofile"] {
        return good();
    }
    let [first, second, verb, third, words @ ..] = call.arguments.as_slice() else {
        panic!("unexpected {call:?}")
    };
    assert_eq!([first, second, third], ["advfirewall", "firewall", "rule"]);
    let known = rules.iter().any(|other| other[0] == words[0]);
    match verb.as_str() {
        "add" => rules.push(words.to_vec()),
        "delete" => rules.retain(|other| other[0] != words[0]),
        "show" => assert_eq!(words.len(), 1, "{call:?}"),
        _ => panic!("unexpected {call:?}"),
    }
    Answer::Code(i32::from(verb != "add" && !known), String::new())
}

fn path(script: &str) -> String {
    format!("servers/MGMT01/firewall/{script}.cmd")
}

/// Runs a script in Wine and by the model, which have to agree.
#[track_caller]
fn run(machine: &Machine, rules: &mut Vec<Rule>, script: &str, failing: usize) -> Outcome {
    let (modelled, after, _) = modelled(machine, rules, script, failing);
    let outcome = machine.run(&path(script), |number, call| {
        answer(machine, rules, failing, number, call)
    });
    model::agree(&format!("{script}, failing {failing}"), &outcome, &modelled);
    assert_eq!(*rules, after, "{script}, failing {failing}");
    outcome
}

fn modelled(
    machine: &Machine,
    rules: &[Rule],
    script: &str,
    failing: usize,
) -> (Outcome, Vec<Rule>, Vec<String>) {
    let mut rules = rules.to_vec();
    let (outcome, forms) = model::run(machine, &path(script), &mut |number, call| {
        answer(machine, &mut rules, failing, number, call)
    });
    (outcome, rules, forms)
}

#[test]
fn firewall_rules_come_and_go() {
    let machine = machine("MGMT01");
    let mut rules = Vec::new();
    run(&machine, &mut rules, "apply-firewall", 0).expect_success("All rules are in place");
    let wanted = rules.clone();
    for (name, action, port) in [
        (
            "name=cbgen scripts allow 443 Reverse proxy",
            "action=allow",
            "localport=443",
        ),
        (
            "name=cbgen scripts block 2800 Authorization API",
            "action=block",
            "localport=2800",
        ),
    ] {
        let words = rule(&[
            name,
            "dir=in",
            action,
            "enable=yes",
            "profile=any",
            "protocol=TCP",
            port,
        ]);
        assert!(wanted.contains(&words), "{wanted:#?}");
    }
    assert!(
        wanted
            .iter()
            .all(|rule| rule[0].starts_with("name=cbgen scripts "))
    );
    run(&machine, &mut rules, "apply-firewall", 0).expect_success("All rules are in place");
    assert_eq!(
        rules.iter().collect::<BTreeSet<_>>(),
        wanted.iter().collect::<BTreeSet<_>>()
    );
    let foreign = rule(&["name=World Wide Web Services", "dir=in"]);
    rules.push(foreign.clone());
    let before = rules.clone();
    run(&machine, &mut rules, "rollback-firewall", 0).expect_success("The rules are gone");
    assert_eq!(rules, [foreign]);
    run(&machine, &mut rules, "rollback-firewall", 0).expect_success("The rules are gone");

    // Every call fails once in the model; in Wine one of each form, because every rule has the same lines.
    let mut stops = Stops::default();
    for (script, rules, before) in [
        ("apply-firewall", "without rules", Vec::new()),
        ("apply-firewall", "with its rules", before.clone()),
        ("rollback-firewall", "with its rules", before),
    ] {
        stops.of(&format!("{script}, {rules}"));
        let (whole, goal, forms) = modelled(&machine, &before, script, 0);
        for (index, form) in forms.iter().enumerate() {
            let (mut outcome, mut after, _) = modelled(&machine, &before, script, index + 1);
            let in_wine = !forms[..index].contains(form);
            if in_wine {
                after.clone_from(&before);
                outcome = run(&machine, &mut after, script, index + 1);
            }
            if outcome.code == 0 {
                // Windows keeps two rules of one name when `add` is not told of the first; `delete` takes both.
                let sorted = |rules: &[Rule]| rules.iter().cloned().collect::<BTreeSet<_>>();
                assert_eq!(sorted(&after), sorted(&goal), "{script}: {outcome:#?}");
            }
            let by = if in_wine { "Wine and model" } else { "model" };
            stops.note(&machine, &whole, index + 1, &outcome, form, by);
        }
    }
    stops.compare("firewall");
}

/// Rules say nothing when the firewall is off or a policy ignores them, and ports between servers never open to everybody
/// because a name has no address.
#[test]
fn rules_that_would_do_nothing_or_too_much_are_not_made() {
    let machine = machine("MGMT01");
    let mut rules = Vec::new();
    let mut with = |state: i32, address: &str| {
        let outcome = machine.run(&path("apply-firewall"), |number, call| {
            let code = call.arguments.last().map(String::as_str).unwrap_or_default();
            match call.program.as_str() {
                "powershell" if code.contains("GetHostAddresses") => {
                    Answer::Code(i32::from(address == "error"), address.replace("error", ""))
                }
                "powershell" => Answer::Code(state, String::new()),
                _ => answer(&machine, &mut rules, 0, number, call),
            }
        });
        (outcome, rules.len())
    };
    let step = "see that the firewall is on and takes rules of this server";
    for (state, text) in [
        (3, "Switch it on"),
        (4, "A policy of the domain"),
        (1, "Nothing after"),
    ] {
        let (outcome, made) = with(state, "10.0.0.1\n");
        outcome.expect_failure(step, text);
        assert_eq!(made, 0);
    }
    for address in ["", "error"] {
        let (outcome, made) = with(0, address);
        outcome.expect_failure("find the addresses of CORE01", "network.callback_addresses");
        assert_eq!(made, 0);
    }
    let (outcome, _) = with(0, "10.20.0.11\n");
    outcome.expect_success("All rules are in place");
    let between = |port: &str| {
        let port = format!("localport={port}");
        rules
            .iter()
            .find(|rule| rule.contains(&port))
            .expect("a rule")
            .clone()
    };
    for port in ["4369", "15672", "25672", "35672-35682"] {
        assert!(
            between(port).contains(&"remoteip=10.20.0.11,10.20.0.11".to_owned()),
            "{:?}",
            between(port)
        );
    }
    assert!(!between("443").iter().any(|word| word.starts_with("remoteip")));
}
