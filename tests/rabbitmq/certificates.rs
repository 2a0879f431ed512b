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
        "60",
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
    leaf_for(folder, name, subject, usage, names, "60");
}

/// The same for a number of days, which may be negative.
pub(super) fn leaf_for(folder: &Path, name: &str, subject: &str, usage: &str, names: &[&str], days: &str) {
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
        days,
        &format!("extendedKeyUsage={usage}\n{alternative}"),
    );
    let path = folder.join(format!("{name}_certificate.pem"));
    let chain = fs::read_to_string(&path).expect("a certificate")
        + &fs::read_to_string(folder.join("intermediate.pem")).expect("a certificate");
    fs::write(path, chain).expect("writable");
}

fn signed(folder: &Path, name: &str, subject: &str, signer: &str, days: &str, extensions: &str) {
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
            days,
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
        bag(target, name, "");
    }
}

/// Puts the client's key and certificate into a PKCS#12 file.
pub(super) fn bag(folder: &Path, name: &str, password: &str) {
    openssl(
        folder,
        &[
            "pkcs12",
            "-export",
            "-in",
            "client_certificate.pem",
            "-inkey",
            "client_key.pem",
            "-passout",
            &format!("pass:{password}"),
            "-out",
            name,
        ],
    );
}

/// Locks a key with a password.
pub(super) fn lock(folder: &Path, name: &str) {
    let open = folder.join("open");
    fs::rename(folder.join(name), &open).expect("renamed");
    openssl(
        folder,
        &[
            "pkey",
            "-aes256",
            "-in",
            "open",
            "-passout",
            "pass:a password",
            "-out",
            name,
        ],
    );
    fs::remove_file(open).expect("removed");
}

fn openssl(folder: &Path, arguments: &[&str]) {
    succeed(program("openssl").args(arguments).current_dir(folder));
}
