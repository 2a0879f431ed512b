//! What the commands of the scripts do with exported files: openssl itself, without any script around it.

use std::path::{Path, PathBuf};

use super::openssl::Authority;
use crate::harness::Ran;
use crate::support::program::{finish, folder, program, succeed, write};

fn openssl(arguments: &[&str], file: &Path) -> Ran {
    finish(program("openssl").args(arguments).arg("-in").arg(file))
}

/// Rule 10.1.
#[test]
fn without_its_issuers_the_leaf_is_alone() {
    let authority = Authority::new();
    authority.leaf("good", "DNS:callback.acme.example", "90");
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let file = path("good.pfx");
    write(
        &file,
        authority.pfx("good", Some("good"), &["middle", "root"], "", &[]),
    );
    let part = |option: &str| {
        let ran = openssl(&["pkcs12", option, "-nokeys", "-passin", "pass:"], &file);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let (leaf, issuers) = (part("-clcerts"), part("-cacerts"));
    let count = |text: &str| text.matches("BEGIN CERTIFICATE").count();
    assert_eq!((count(&leaf), count(&issuers)), (1, 2));
    write(&path("root.pem"), authority.pem("root"));
    write(&path("leaf.pem"), &leaf);
    write(&path("issuers.pem"), &issuers);
    let verify = |more: &[&str]| {
        let mut openssl = program("openssl");
        openssl
            .args(["verify", "-no-CApath", "-CAfile", "root.pem"])
            .args(more)
            .arg("leaf.pem");
        finish(openssl.current_dir(folder.path())).code == 0
    };
    assert!(!verify(&[]), "the leaf alone leads nowhere");
    assert!(verify(&["-untrusted", "issuers.pem"]));
}

/// Rule 10.2: no password, a password, and the encryption of old exports.
#[test]
fn passwords_and_old_encryption_are_told_apart() {
    let authority = Authority::new();
    authority.leaf("good", "DNS:callback.acme.example", "90");
    let folder = folder();
    let made = |name: &str, password: &str, more: &[&str]| -> PathBuf {
        let path = folder.path().join(name);
        write(
            &path,
            authority.pfx("good", Some("good"), &["middle"], password, more),
        );
        path
    };
    let old = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40"];
    let (open, locked, old) = (
        made("open", "", &[]),
        made("locked", "secret", &[]),
        made("old", "", &old),
    );
    let opens = |file: &Path, more: &[&str]| {
        let arguments = [&["pkcs12", "-noout", "-passin", "pass:"], more].concat();
        openssl(&arguments, file).code == 0
    };
    assert!(opens(&open, &[]) && !opens(&locked, &[]) && !opens(&old, &[]));
    assert!(opens(&open, &["-legacy"]) && !opens(&locked, &["-legacy"]) && opens(&old, &["-legacy"]));
    // Without the colon, as the guide prints it, even the open file is refused.
    let printed = openssl(&["pkcs12", "-noout", "-passin", "pass"], &open);
    assert_ne!(printed.code, 0, "{}", printed.stdout);
}

/// Rule 10.3: what openssl writes around the blocks, and line ends of Windows, do not reach Erlang.
#[test]
fn erlang_keeps_the_blocks_of_a_file_only() {
    let authority = Authority::new();
    authority.leaf("good", "DNS:callback.acme.example", "90");
    let folder = folder();
    let file = folder.path().join("good.pfx");
    write(
        &file,
        authority.pfx("good", Some("good"), &["middle", "root"], "", &[]),
    );
    let around = openssl(&["pkcs12", "-nokeys", "-passin", "pass:"], &file).stdout;
    assert!(
        around.contains("Bag Attributes") && around.contains("subject="),
        "{around}"
    );
    write(&folder.path().join("around.pem"), around.replace('\n', "\r\n"));
    let read = "{ok, B} = file:read_file(\"around.pem\"), \
                [public_key:pkix_decode_cert(D, otp) || {'Certificate', D, not_encrypted} <- public_key:pem_decode(B)], \
                io:format(\"~b of ~b\", [length([x || {'Certificate', _, _} <- public_key:pem_decode(B)]), \
                length(public_key:pem_decode(B))]), halt().";
    let mut erl = program("erl");
    erl.args(["-noshell", "-eval", read]).current_dir(folder.path());
    assert_eq!(succeed(&mut erl), "3 of 3");
}

/// Rule 10.4: a name that is not listed is not matched, and a certificate for one role is refused in the other.
#[test]
fn names_and_roles_are_those_in_the_certificate() {
    let authority = Authority::new();
    authority.leaf_of(
        "middle",
        "both",
        "DNS:CORE01,DNS:core01.acme.example",
        "serverAuth,clientAuth",
    );
    authority.leaf_of("middle", "server", "DNS:callback.acme.example", "serverAuth");
    let folder = folder();
    for name in ["both", "server", "middle", "root"] {
        write(&folder.path().join(name), authority.pem(name));
    }
    let named = |certificate: &str, host: &str| {
        let file = folder.path().join(certificate);
        let said = openssl(&["x509", "-noout", "-checkhost", host], &file).stdout;
        said.contains("does match certificate")
    };
    assert!(named("both", "CORE01") && named("both", "core01") && named("both", "core01.acme.example"));
    assert!(!named("both", "CORE02") && !named("server", "mgmt01.acme.example"));
    // The Common Name counts for nothing where names are listed.
    assert!(!named("server", "callback"));
    let fit = |certificate: &str, purpose: &str| {
        let mut openssl = program("openssl");
        openssl.args([
            "verify",
            "-no-CApath",
            "-purpose",
            purpose,
            "-CAfile",
            "root",
            "-untrusted",
            "middle",
        ]);
        finish(openssl.arg(certificate).current_dir(folder.path())).code == 0
    };
    assert!(fit("both", "sslserver") && fit("both", "sslclient") && fit("server", "sslserver"));
    assert!(!fit("server", "sslclient"));
}
