//! Checks for the table of mutations: one script of a shipped bundle, perhaps broken, run in Wine. Knows which programs
//! it starts, and nothing about how it was broken.

use std::fs;

use super::certificate::CONF;
use super::machine::{Answer, Machine, Outcome, good};
use super::text_tools::text_tool;
use super::{PROGRAMS, last_call, openssl};
use crate::support::subject::{Subject, Verdict};

/// The name of the proxy and the server in the certificates of shipped inventories.
const NAMES: &str = "DNS:callback.acme.example,DNS:mgmt01.acme.example,DNS:mgmt02.acme.example";

/// A server with the unpacked bundle of a subject in which its own text stands.
fn server(subject: &Subject, bytes: &[u8]) -> Machine {
    let machine = Machine::new(subject.server(), &subject.built.archive, PROGRAMS);
    fs::write(machine.bundle(&subject.path), bytes).expect("writable");
    machine
}

/// A script whose programs answer well runs to its end; each of them that fails stops it, with the step named and nothing
/// after it run.
pub(crate) fn stops(subject: &Subject) -> Verdict {
    let machine = server(subject, &subject.bytes()?);
    let run = |failing: usize| {
        machine.forget();
        machine.run(&subject.path, |number, call| {
            if number == failing {
                Answer::Code(9, String::new())
            } else if call.line().ends_with("/text:applicationPool") {
                Answer::Code(0, "EyeQueue\n".to_owned())
            } else if call.line().contains("IsInRole") {
                Answer::Code(3, String::new())
            } else {
                text_tool(&machine, call).unwrap_or_else(good)
            }
        })
    };
    let whole = run(0);
    if whole.code != 0 {
        return Err(told("with every program at work it ends with", &whole));
    }
    for failing in 1..=whole.calls.len() {
        let outcome = run(failing);
        let what = format!("where call {failing} fails");
        if outcome.code == 0 {
            return Err(told(&format!("{what} it ends with success:"), &outcome));
        }
        let last = last_call(&outcome, failing);
        if outcome.calls.len() > last {
            let after: Vec<String> = outcome
                .calls
                .iter()
                .skip(last)
                .map(super::machine::Call::line)
                .collect();
            return Err(format!("{what} it goes on: {}", after.join("; ")));
        }
        if !outcome.output.contains("FAILED at step: ") {
            return Err(told(&format!("{what} it names no step:"), &outcome));
        }
    }
    Ok(())
}

/// A script takes certificate, chain and key out of an exported file with the real openssl, and refuses files a client
/// would not accept.
pub(crate) fn converted(subject: &Subject) -> Verdict {
    // Wine has the drives C and Z here.
    let script = Subject {
        text: subject.text.replace(r"D:\handoff", r"C:\handoff"),
        path: subject.path.clone(),
        ..*subject
    };
    let authority = openssl::Authority::new();
    authority.leaf("good", NAMES, "90");
    authority.leaf("expired", NAMES, "-1");
    authority.leaf("elsewhere", "DNS:callback.acme.example", "90");
    let mut machine = server(subject, &script.bytes()?);
    machine.put(&format!(r"{CONF}\mime.types"), b"");
    machine.put_relay(r"C:\Git (x86)\openssl.exe");
    machine.set("CALLBACK_OPENSSL", r"C:\Git (x86)\openssl.exe");
    machine.set("CALLBACK_PFX_PASSWORD", "top secret");
    let mut convert = |file: &[u8]| {
        machine.put(r"C:\handoff\callback.pfx", file);
        machine.run(&subject.path, |_, call| match call.program.as_str() {
            "openssl" => openssl::answer(&machine, call, "top secret"),
            _ => text_tool(&machine, call).unwrap_or_else(good),
        })
    };
    for (what, leaf, chain, password) in [
        (
            "an expired certificate",
            "expired",
            &["middle", "root"][..],
            "top secret",
        ),
        (
            "a certificate for other names",
            "elsewhere",
            &["middle", "root"],
            "top secret",
        ),
        (
            "a chain without its intermediate",
            "good",
            &["root"],
            "top secret",
        ),
        ("a chain without its root", "good", &["middle"], "top secret"),
        ("another password", "good", &["middle", "root"], "else"),
    ] {
        let outcome = convert(&authority.pfx(leaf, Some(leaf), chain, password, &[]));
        if outcome.code == 0 {
            return Err(format!("{what} is accepted"));
        }
    }
    let outcome = convert(&authority.pfx("good", Some("good"), &["middle", "root"], "top secret", &[]));
    if outcome.code != 0 {
        return Err(told("a good file ends with", &outcome));
    }
    let crt = machine.unix(&format!(r"{CONF}\vht_callback_ssl.crt"));
    let key = machine.unix(&format!(r"{CONF}\vht_callback_ssl.key"));
    let key = fs::read_to_string(key).unwrap_or_default();
    if !key.starts_with("-----BEGIN PRIVATE KEY-----") {
        return Err("the key is not one nginx can read".to_owned());
    }
    match openssl::certificates(&crt) {
        2 => Ok(()),
        number => Err(format!("{number} certificates, not leaf and intermediate")),
    }
}

fn told(what: &str, outcome: &Outcome) -> String {
    format!("{what} {}: {}", outcome.code, outcome.output.trim())
}
