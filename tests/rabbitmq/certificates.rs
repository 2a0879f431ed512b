//! Certificates of a small company, made with openssl: a root, one intermediate, and below it a server certificate with
//! two names, a client certificate, and one of a stranger.

use std::fs;
use std::path::Path;

use crate::support::program::{program, succeed};

/// Makes root and intermediate in `folder`.
pub(super) fn authority(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "90",
            "-subj",
            "/O=Acme/CN=Acme Root",
            "-keyout",
            "root_key.pem",
            "-out",
            "root.pem",
        ],
    );
    signed(
        folder,
        "intermediate",
        "/O=Acme/CN=Acme Intermediate",
        "root",
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
    );
    fs::rename(
        folder.join("intermediate_certificate.pem"),
        folder.join("intermediate.pem"),
    )
    .expect("renamed");
}

/// Makes a key and a certificate below the intermediate; `NAME_certificate.pem` holds the chain without the root.
pub(super) fn leaf(folder: &Path, name: &str, subject: &str, usage: &str, names: &[&str]) {
    let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let alternative = if names.is_empty() {
        String::new()
    } else {
        format!("subjectAltName={}\n", names.join(","))
    };
    signed(
        folder,
        name,
        subject,
        "intermediate",
        &format!("extendedKeyUsage={usage}\n{alternative}"),
    );
    let path = folder.join(format!("{name}_certificate.pem"));
    let chain = fs::read_to_string(&path).expect("a certificate")
        + &fs::read_to_string(folder.join("intermediate.pem")).expect("a certificate");
    fs::write(path, chain).expect("writable");
}

fn signed(folder: &Path, name: &str, subject: &str, signer: &str, extensions: &str) {
    let (request, key) = (format!("{name}.csr"), format!("{name}_key.pem"));
    openssl(
        folder,
        &[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            subject,
            "-keyout",
            &key,
            "-out",
            &request,
        ],
    );
    fs::write(folder.join("extensions"), extensions).expect("writable");
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &format!("{signer}.pem"),
            "-CAkey",
            &format!("{signer}_key.pem"),
            "-CAcreateserial",
            "-days",
            "60",
            "-extfile",
            "extensions",
            "-out",
            &format!("{name}_certificate.pem"),
        ],
    );
}

/// The seven files of one server (PRE-17), from those in `folder`.
pub(super) fn seven_files(folder: &Path, server: &str, client: &str, target: &Path) {
    fs::create_dir_all(target).expect("a folder");
    let copy = |from: &str, to: &str| fs::copy(folder.join(from), target.join(to)).expect("copied");
    copy("root.pem", "ca_certificate.pem");
    for (name, role) in [(server, "server"), (client, "client")] {
        copy(
            &format!("{name}_certificate.pem"),
            &format!("{role}_certificate.pem"),
        );
        copy(&format!("{name}_key.pem"), &format!("{role}_key.pem"));
    }
    for name in ["cert.p12", "client_key.p12"] {
        openssl(
            target,
            &[
                "pkcs12",
                "-export",
                "-in",
                "client_certificate.pem",
                "-inkey",
                "client_key.pem",
                "-passout",
                "pass:",
                "-out",
                name,
            ],
        );
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    succeed(program("openssl").args(arguments).current_dir(folder));
}
