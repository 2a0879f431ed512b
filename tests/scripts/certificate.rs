//! Conversion of certificates with the real openssl, and the way back.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::machine::{Answer, Call, Machine, Outcome};
use super::model::UNCHECKED;
use super::stops::Stops;
use super::text_tools::text_tool;
use super::{machine, openssl, stopped_at, trust::trust};

const CONVERT: &str = "servers/MGMT01/certificate/convert-certificate.cmd";
pub(super) const CONF: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy\nginx\conf";

/// Puts the exported file, the proxy package and openssl where the script looks for them.
pub(super) fn certificate_machine(pfx: &[u8], password: &str) -> Machine {
    let mut machine = machine("MGMT01");
    machine.put(r"C:\hand off\callback.pfx", pfx);
    machine.put(&format!(r"{CONF}\mime.types"), b"");
    machine.put_relay(r"C:\Git (x86)\openssl.exe");
    machine.set("CALLBACK_OPENSSL", r"C:\Git (x86)\openssl.exe");
    machine.set("CALLBACK_PFX_PASSWORD", password);
    // The name of a working folder.
    machine.set("RANDOM", "16180");
    machine
}

pub(super) fn convert(machine: &Machine, password: &str, failing: usize) -> Outcome {
    machine.run(CONVERT, |number, call| match call.program.as_str() {
        _ if number == failing => Answer::Code(9, String::new()),
        "openssl" => openssl::answer(machine, call, password),
        _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
    })
}

#[test]
fn certificate_problems_are_told_apart() {
    const NAMES: &str = "DNS:callback.acme.example,DNS:mgmt01.acme.example";
    let authority = openssl::Authority::new();
    authority.leaf("good", NAMES, "90");
    authority.leaf("other", NAMES, "90");
    authority.leaf("wrong-name", "DNS:callback.acme.example", "90");
    authority.leaf("expired", NAMES, "-1");
    let chain = ["middle", "root"];
    let legacy = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40"];
    let good_file = authority.pfx("good", Some("good"), &chain, "top secret", &[]);
    for (step, text, file) in [
        (
            "open the exported file",
            "The password is wrong",
            authority.pfx("good", Some("good"), &chain, "else", &[]),
        ),
        (
            "open the exported file",
            "is no PKCS12 file",
            b"not a certificate".to_vec(),
        ),
        (
            "take the certificate out",
            "no certificate with a private key",
            authority.pfx("good", None, &chain, "top secret", &[]),
        ),
        (
            "take the chain out",
            "the certificate only",
            authority.pfx("good", Some("good"), &[], "top secret", &[]),
        ),
        (
            "split the chain",
            "ends before its root",
            authority.pfx("good", Some("good"), &["middle"], "top secret", &[]),
        ),
        (
            "verify the chain",
            "does not accept the chain",
            authority.pfx("good", Some("good"), &["root"], "top secret", &[]),
        ),
        (
            "find mgmt01.acme.example",
            "not made for mgmt01.acme.example",
            authority.pfx("wrong-name", Some("wrong-name"), &chain, "top secret", &[]),
        ),
        (
            "check that the certificate is still valid",
            "has expired",
            authority.pfx("expired", Some("expired"), &chain, "top secret", &[]),
        ),
    ] {
        let machine = certificate_machine(&file, "top secret");
        convert(&machine, "top secret", 0).expect_failure(step, text);
        assert!(
            !machine.unix(&format!(r"{CONF}\vht_callback_ssl.key")).exists(),
            "{text}"
        );
        assert!(
            !machine.state("certificate/work").exists(),
            "{text}: the working folder stays"
        );
    }

    let old = authority.pfx("good", Some("good"), &chain, "top secret", &legacy);
    convert(&certificate_machine(&old, "top secret"), "top secret", 0).expect_success("old encryption");
    let mut machine = certificate_machine(&authority.pfx("good", Some("good"), &chain, "", &[]), "");
    machine.unset("CALLBACK_PFX_PASSWORD");
    convert(&machine, "", 0).expect_success("Certificate and key are in place");
    fs::remove_file(machine.unix(r"C:\hand off\callback.pfx")).expect("removable");
    convert(&machine, "", 0)
        .expect_failure("find the exported file", "There is no C:\\hand off\\callback.pfx");
    machine.set("CALLBACK_OPENSSL", r"C:\nowhere\openssl.exe");
    convert(&machine, "", 0).expect_failure("find openssl.exe", "There is no C:\\nowhere\\openssl.exe");
    drop(machine);

    // Everything in order: what lies where afterwards, and the way back.
    let machine = certificate_machine(&good_file, "top secret");
    let (key, crt) = (
        machine.unix(&format!(r"{CONF}\vht_callback_ssl.key")),
        machine.unix(&format!(r"{CONF}\vht_callback_ssl.crt")),
    );
    fs::write(&key, "old key").expect("writable");
    let whole = convert(&machine, "top secret", 0);
    whole.expect_success("Certificate and key are in place");
    assert!(
        !whole.calls.iter().any(|call| call.line().contains("top secret")),
        "the password is on a command line"
    );
    assert_eq!(
        openssl::certificates(&crt),
        2,
        "certificate and intermediate, no root"
    );
    assert!(
        openssl::subject(&crt).contains("CN = callback"),
        "the certificate comes first"
    );
    assert!(
        fs::read_to_string(&key)
            .expect("a key")
            .contains("BEGIN PRIVATE KEY")
    );
    assert!(
        !machine.state("certificate/work").exists(),
        "no copy of the key stays"
    );
    let list = fs::read_to_string(machine.state("certificate/trust/MGMT01.txt")).expect("a list");
    let stores: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        stores.iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([&"CA", &"Root"]),
        "{list}"
    );
    convert(&machine, "top secret", 0).expect_success("Certificate and key are in place");

    trust(&machine);
    check(&machine);
    rollback(&machine, &key, &crt);

    let mut stops = Stops::default();
    stops.of("convert-certificate");
    for failing in 1..=whole.calls.len() {
        machine.forget();
        fs::write(&key, "old key").expect("writable");
        if crt.exists() {
            fs::remove_file(&crt).expect("removable");
        }
        let outcome = convert(&machine, "top secret", failing);
        if outcome.code == 0 {
            assert_eq!(openssl::certificates(&crt), 2, "{outcome:#?}");
        } else {
            assert!(
                fs::read_to_string(&key).expect("a key") == "old key" && !crt.exists(),
                "{outcome:#?}"
            );
        }
        assert!(!machine.state("certificate/work").exists(), "{outcome:#?}");
        stops.note(
            &machine,
            &whole,
            failing,
            &outcome,
            form(&whole.calls[failing - 1]),
            "Wine",
        );
    }
    stops.compare("certificate");
}

/// As the model would give it: the next line finds out that a host name was not looked for, and the date of a certificate
/// that has expired is shown.
fn form(call: &Call) -> &'static str {
    let has = |word: &str| call.arguments.iter().any(|argument| argument == word);
    if has("-checkhost") || has("-checkend") && has("0") {
        UNCHECKED
    } else {
        ""
    }
}

/// The installed files are looked at, and every call fails once.
fn check(machine: &Machine) {
    let script = "servers/MGMT01/certificate/check-certificate.cmd";
    let run = |failing: usize| {
        let outcome = machine.run(script, |number, call| match call.program.as_str() {
            _ if number == failing => Answer::Code(9, String::new()),
            "openssl" => openssl::answer(machine, call, ""),
            _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
        });
        assert!(machine.temporary().is_empty(), "a copy of the key stays");
        outcome
    };
    let whole = run(0);
    whole.expect_success("The installed files are good");
    let mut stops = Stops::default();
    stops.of("check-certificate");
    for failing in 1..=whole.calls.len() {
        let form = form(&whole.calls[failing - 1]);
        stops.note(machine, &whole, failing, &run(failing), form, "Wine");
    }
    stops.compare("check-certificate");
}

/// The files of before come back. All but the first step is done by commands of cmd.exe itself, so these fail because of
/// what they find.
fn rollback(machine: &Machine, key: &Path, crt: &Path) {
    let script = "servers/MGMT01/certificate/rollback-certificate.cmd";
    let run = |failing: usize| {
        machine.run(script, |number, call| match number {
            _ if number == failing => Answer::Code(9, String::new()),
            _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
        })
    };
    let saved = machine.saved();
    stopped_at(&run(1), 1);
    let folder = key.parent().expect("a folder");
    let elsewhere = folder.with_extension("away");
    fs::rename(folder, &elsewhere).expect("movable");
    run(0).expect_failure(
        "restore vht_callback_ssl.key",
        "Nothing after this step was done.",
    );
    fs::rename(&elsewhere, folder).expect("movable");
    assert_ne!(fs::read_to_string(key).expect("a key"), "old key");

    fs::rename(crt, &elsewhere).expect("movable");
    fs::create_dir_all(crt.join("in the way")).expect("a folder");
    run(0).expect_failure(
        "restore vht_callback_ssl.crt",
        "Nothing after this step was done.",
    );
    assert_eq!(
        machine.saved(),
        saved,
        "what was saved stays until everything is back"
    );
    fs::remove_dir_all(crt).expect("removable");
    fs::rename(&elsewhere, crt).expect("movable");

    let whole = run(0);
    whole.expect_success("The files of before are back");
    assert_eq!(whole.calls.len(), 1, "{whole:#?}");
    assert_eq!(fs::read_to_string(key).expect("a key"), "old key");
    assert!(!crt.exists());
}
