//! A laboratory authority: a root, one intermediate and a certificate of the proxy, made with `openssl` once a run.

use std::sync::OnceLock;

use super::program::{folder, program, succeed, write};

/// PEM texts.
pub(crate) struct Certificates {
    pub(crate) root: String,
    pub(crate) intermediate: String,
    pub(crate) leaf: String,
    pub(crate) key: String,
    /// A certificate with an elliptic key, and the key.
    pub(crate) elliptic: [String; 2],
}

impl Certificates {
    /// The file a server needs: leaf first, then the intermediate.
    pub(crate) fn chain(&self) -> String {
        format!("{}{}", self.leaf, self.intermediate)
    }

    /// The same file with the elliptic certificate.
    pub(crate) fn elliptic_chain(&self) -> String {
        format!("{}{}", self.elliptic[0], self.intermediate)
    }
}

/// Names the certificate of the proxy has, one label deep in each domain of the shipped inventories.
const NAMES: &str = "DNS:*.acme.example,DNS:*.branch.acme.example,DNS:*.plant.acme.example,DNS:localhost";

/// The certificates, the same ones for every test of a run.
pub(crate) fn certificates() -> &'static Certificates {
    static MADE: OnceLock<Certificates> = OnceLock::new();
    MADE.get_or_init(make)
}

fn make() -> Certificates {
    let folder = folder();
    let openssl = |arguments: &[&str]| succeed(program("openssl").args(arguments).current_dir(folder.path()));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("made by openssl");
    let authority = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n";
    write(&folder.path().join("ca.ext"), authority);
    write(
        &folder.path().join("leaf.ext"),
        format!("subjectAltName={NAMES}\nextendedKeyUsage=serverAuth\n"),
    );
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
        "-days",
        "3650",
        "-subj",
        "/O=Laboratory/CN=Laboratory Root",
    ]);
    openssl(&["ecparam", "-name", "prime256v1", "-out", "p256.pem"]);
    let leaf = "/O=Laboratory/CN=callback.acme.example";
    for (name, subject, issuer, extensions, algorithm) in [
        (
            "intermediate",
            "/O=Laboratory/CN=Laboratory Intermediate",
            "root",
            "ca.ext",
            "rsa:2048",
        ),
        ("leaf", leaf, "intermediate", "leaf.ext", "rsa:2048"),
        ("elliptic", leaf, "intermediate", "leaf.ext", "ec:p256.pem"),
    ] {
        let (key, request, certificate) = (
            format!("{name}.key"),
            format!("{name}.csr"),
            format!("{name}.pem"),
        );
        let (authority, authority_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        openssl(&[
            "req", "-newkey", algorithm, "-nodes", "-keyout", &key, "-out", &request, "-subj", subject,
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &authority,
            "-CAkey",
            &authority_key,
            "-CAcreateserial",
            "-days",
            "3650",
            "-extfile",
            extensions,
            "-out",
            &certificate,
        ]);
    }
    Certificates {
        root: read("root.pem"),
        intermediate: read("intermediate.pem"),
        leaf: read("leaf.pem"),
        key: read("leaf.key"),
        elliptic: [read("elliptic.pem"), read("elliptic.key")],
    }
}
