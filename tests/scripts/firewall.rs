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
