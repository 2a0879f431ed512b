//! No finding shows a secret, wherever it goes on in its file and whatever else is wrong there.
//!
//! Every way to write a value below a key is put together with every other mistake beside it.

use crate::harness::{expect_none, root};

use super::{FORMATS, HUNTER};
use crate::harness::Workspace;

/// What stands in the inventory that is changed.
const PASSWORD: &str = "password: { secret: CALLBACK_REPORT_PASSWORD }";
const CHANGE: &str = "change: CHG0042007";

/// Names of secrets, right, with a slip, and in other languages.
const NAMES: &[&str] = &["password", "pasword", "login", "kennwort", "psk"];

/// `K` is the name, `V` the secret, `I` the indentation of the name.
const VALUES: &[&str] = &[
    "K:\nI  V",
    "K:\n\tV",
    "K:\nIV",
    "K:\nV",
    "K: |\n\tV",
    "K: |\nV",
    "K: >\nIV",
    "K: \"abc\nV\"",
    "K: \"abc\n\tV\"",
    "K: 'abc\nI  def\nI V'",
    "K: abc\nI  V",
    "K: abc\nIV",
    "K: abc\n\tV",
    "K:\tV",
    "K:V",
    "K = V",
    "K V",
    "\tK: V",
    "? K\nI: V",
    "K: [abc,\nV]",
    "K: { secret:\nV }",
    "K: # text\nV",
    "K:\n\n\nV",
    "K: &a\nV",
    "K: !!str\nV",
    "'K': |-\n\tV\nIx: y",
];

/// Other mistakes behind it.
const MISTAKES: &[&str] = &[
    "",
    "\nIfqnd: 1",
    "\n\tfqnd: 1",
    "\nIx: *nothing",
    "\nI: :",
    "\nI\"unclosed",
    "\nIuser: a\nIuser: b",
];

/// Values of a key that names nothing secret.
const OTHER_VALUES: &[&str] = &[
    "change: Driver;Password=\n    V",
    "change: \"Driver;Password=\n    V\"",
    "change: \"Driver;Password=\\\n    V\"",
    "change: |\n    a\n    Password=V\n    b",
    "change: |\n    password:\n    V\n",
    "change: >\n    a\n    Password=\n    V\n    b",
    "change: a\n    Password=V\n    c",
    "change: 'net user svc\n    V'",
    "change: 'Password\n   = V'",
    "change: 'https://svc:\n    V@host'",
    "change: x\n\tPassword=V",
    "change:\n\t- Password=V",
    "change: svc:V@host",
    "change: |\n   b\n   svc:V@host",
    "change: 'login: sa/V'",
    "change: 'Kennwort=V'",
    "change: 'psk: V'",
    "change: 'pfxpin: V'",
    "change: 'mot de passe: V'",
    "change: 'contraseña: V'",
    "change: 'wachtwoord=V'",
    "change: 'senha=V'",
];

/// Values that a form refuses and would quote.
const REFUSED: &[(&str, &str)] = &[
    ("fqdn: callback.plant.acme.example", "fqdn: svc:V@host"),
    ("server: 'SQL17.plant.acme.example,14330'", "server: svc:V@host"),
    ("server: 'SQL17.plant.acme.example,14330'", "server: svc/V@host"),
    (
        "server: 'SQL17.plant.acme.example,14330'",
        "server: 'sa:V@SQL17,1433'",
    ),
    ("user: callback_report", "user: 'callback_report:V@host'"),
];

fn cases() -> Vec<String> {
    let mut cases = Vec::new();
    let text = std::fs::read_to_string(root().join("inventories/plant.yaml")).expect("an inventory");
    let mut add = |from: &str, to: &str, indent: &str| {
        assert!(text.contains(from), "{from}");
        let to = to.replace('V', HUNTER).replace('I', indent);
        cases.push(text.replace(from, &to));
    };
    for (from, to) in REFUSED {
        add(from, to, "");
    }
    for mistake in MISTAKES {
        for value in OTHER_VALUES {
            add(CHANGE, &format!("{value}{mistake}"), "  ");
        }
        for value in VALUES {
            let names = if mistake.is_empty() {
                NAMES
            } else {
                &["password", "login"]
            };
            for name in names {
                add(
                    PASSWORD,
                    &format!("{}{mistake}", value.replace('K', name)),
                    "    ",
                );
            }
        }
    }
    cases
}

#[test]
fn no_finding_shows_a_secret_that_goes_on_or_stands_beside_another_mistake() {
    let workspace = Workspace::shipped();
    let cases = cases();
    let names: Vec<String> = (0..cases.len())
        .map(|number| format!("inventories/case{number}.yaml"))
        .collect();
    for (name, text) in names.iter().zip(&cases) {
        workspace.write(name, text);
    }
    let mut complaints = Vec::new();
    for format in FORMATS {
        let mut arguments = vec!["check", "--message-format", format];
        // Only `human` quotes lines, so the others see each value beside one mistake.
        let few = if format == "human" {
            names.len()
        } else {
            names.len() / 4
        };
        arguments.extend(names.iter().take(few).map(String::as_str));
        let ran = workspace.run(&arguments);
        if ran.code != 1 {
            complaints.push(format!("{format}: status {}", ran.code));
        }
        for line in ran.stdout.lines().chain(ran.stderr.lines()) {
            if line.contains("hunter2") {
                complaints.push(format!(
                    "{format}: {}",
                    line.chars().take(200).collect::<String>()
                ));
            }
        }
    }
    expect_none(&complaints);
}

/// The error of the template is another one than the secret in it.
#[test]
fn no_finding_about_a_template_shows_a_secret_beside_it() {
    const FRONT: &str = "---\ntitle: Report\nscope: deployment\npath: r.txt\nformat: text\neffect: read\nphase: verify\n---\n";
    let mut complaints = Vec::new();
    for secret in [
        "Kennwort=V",
        "psk: V",
        "pfxpin: V",
        "login: sa/V",
        "svc:V@host",
        "password:\n  V",
        "password V",
        "net user svc V",
        "mot de passe: V",
        "{% set password = 'V' %}",
    ] {
        for mistake in [
            "S {{ nothing.at.all }}",
            "{{ nothing.at.all }} S",
            "S\n{{ nothing.at.all }}",
            "{% if true %}\nS\n",
            "S {% endfor %}",
            "S {{ bundle.name | no_such_filter }}",
            "{{ bundle.name\nS }}",
            "{% include 'S' %}",
        ] {
            let workspace = Workspace::shipped();
            let line = mistake.replace('S', secret).replace('V', HUNTER);
            workspace.write("templates/r.txt", &format!("{FRONT}{line}\n"));
            let arguments = [
                "check",
                "inventories/lab.yaml",
                "--templates",
                "templates",
                "--message-format",
            ];
            for format in ["human", "json"] {
                let ran = workspace.run(&[&arguments[..], &[format]].concat());
                if ran.code != 1 {
                    complaints.push(format!("{line}: {format}: status {}", ran.code));
                }
                for shown in ran.stdout.lines().chain(ran.stderr.lines()) {
                    if shown.contains("hunter2") {
                        complaints.push(format!(
                            "{line}: {format}: {}",
                            shown.chars().take(200).collect::<String>()
                        ));
                    }
                }
            }
        }
    }
    expect_none(&complaints);
}
