//! What `check-certificate.cmd` says of the files nginx reads, with the real openssl: the certificates a client would get
//! have to lead to the root, which the client has and the file need not hold.

use std::fs;

use super::certificate::{CONF, certificate_machine, convert};
use super::machine::{Machine, Outcome};
use super::openssl;
use super::openssl::Authority;
use super::text_tools::text_tool;

const CHECK: &str = "servers/MGMT01/certificate/check-certificate.cmd";
const NAMES: &str = "DNS:callback.acme.example,DNS:mgmt01.acme.example";

fn check(machine: &Machine) -> Outcome {
    machine.run(CHECK, |_, call| match call.program.as_str() {
        "openssl" => openssl::answer(machine, call, ""),
        _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
    })
}

#[test]
fn the_chain_of_the_installed_file_is_counted_and_verified() {
    const UP_TO_ROOT: &str = "verify the certificates of the file up to a root";
    let authority = Authority::new();
    authority.leaf("good", NAMES, "90");
    let file = authority.pfx("good", Some("good"), &["middle", "root"], "", &[]);
    let mut machine = certificate_machine(&file, "");
    machine.unset("CALLBACK_PFX_PASSWORD");
    let converted = convert(&machine, "", 0);
    converted.expect_success("Certificate and key are in place");
    // The key is readable for SYSTEM and Administrators before anything is in it (10.5).
    let guarded = converted
        .calls
        .iter()
        .find(|call| call.line().contains("vht_callback_ssl.key.cbgen-new"))
        .expect("its permissions are set");
    let line = guarded.line();
    assert!(
        line.starts_with("icacls ") && line.ends_with("/inheritance:r /grant:r *S-1-5-18:R *S-1-5-32-544:F"),
        "{line}"
    );
    check(&machine).expect_success("Certificates in the file: 2\n");

    let crt = machine.unix(&format!(r"{CONF}\vht_callback_ssl.crt"));
    let put = |names: &[&str]| {
        let text: String = names.iter().map(|name| authority.pem(name)).collect();
        fs::write(&crt, text).expect("writable");
    };
    put(&["good"]);
    check(&machine).expect_failure(UP_TO_ROOT, "an intermediate certificate is missing or wrong");
    put(&["good", "root"]);
    check(&machine).expect_failure(UP_TO_ROOT, "an intermediate certificate is missing or wrong");

    // Without the list of convert-certificate.cmd the file has to be consistent with itself.
    fs::remove_dir_all(machine.state("certificate")).expect("removable");
    check(&machine).expect_failure(
        "verify the certificates of the file up to the last one",
        "There is no list of roots",
    );
    put(&["good"]);
    check(&machine).expect_failure(
        "see that the file holds more than the certificate of the proxy",
        "Certificates in the file: 1\n",
    );
    put(&["good", "middle"]);
    check(&machine).expect_success("The installed files are good");
}

#[test]
fn a_certificate_of_the_root_itself_needs_no_other() {
    let authority = Authority::new();
    authority.leaf_of("root", "direct", NAMES, "serverAuth");
    let file = authority.pfx("direct", Some("direct"), &["root"], "", &[]);
    let mut machine = certificate_machine(&file, "");
    machine.unset("CALLBACK_PFX_PASSWORD");
    convert(&machine, "", 0).expect_success("Certificate and key are in place");
    check(&machine).expect_success("Certificates in the file: 1\n");
    // Made for clients only, it is no certificate of a server (10.4).
    authority.leaf_of("root", "client", NAMES, "clientAuth");
    let file = authority.pfx("client", Some("client"), &["root"], "", &[]);
    fs::write(machine.unix(r"C:\hand off\callback.pfx"), file).expect("writable");
    convert(&machine, "", 0).expect_failure("verify the chain", "does not accept the chain");
}
