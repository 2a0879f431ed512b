//! A small certification authority, and the real openssl behind the relay. Knows nothing about scripts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::machine::{Answer, Call, Machine};

/// Root, intermediate and keys in a folder of their own.
pub(crate) struct Authority {
    folder: TempDir,
}

fn openssl(arguments: &[&str], password: &str) -> Output {
    Command::new("openssl")
        .args(arguments)
        .env("CALLBACK_PFX_PASSWORD", password)
        .output()
        .expect("openssl is installed; the package is called openssl")
}

fn must(arguments: &[&str]) {
    let output = openssl(arguments, "");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cbgen-ca")
            .tempdir()
            .expect("a folder");
        let authority = Self { folder };
        authority.make(
            "root",
            None,
            "/O=Acme, \"Ltd\"/CN=Acme Root",
            "30",
            &["basicConstraints=critical,CA:TRUE"],
        );
        authority.make(
            "middle",
            Some("root"),
            "/O=Acme/CN=Acme Issuing",
            "30",
            &["basicConstraints=critical,CA:TRUE"],
        );
        authority
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn make(&self, name: &str, issuer: Option<&str>, subject: &str, days: &str, extensions: &[&str]) {
        let (key, certificate) = (
            self.path(&format!("{name}.key")),
            self.path(&format!("{name}.pem")),
        );
        let request = self.path("request.pem");
        let mut arguments = vec![
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request, "-subj", subject,
        ];
        for extension in extensions {
            arguments.extend(["-addext", extension]);
        }
        must(&arguments);
        let signer = issuer.unwrap_or(name);
        let (signer_key, signer) = (
            self.path(&format!("{signer}.key")),
            self.path(&format!("{signer}.pem")),
        );
        let mut arguments = vec![
            "x509",
            "-req",
            "-in",
            &request,
            "-out",
            &certificate,
            "-days",
            days,
            "-copy_extensions",
            "copy",
        ];
        match issuer {
            None => arguments.extend(["-key", &signer_key]),
            Some(_) => arguments.extend(["-CA", &signer, "-CAkey", &signer_key, "-CAcreateserial"]),
        }
        must(&arguments);
    }

    /// A server certificate from the intermediate.
    pub(crate) fn leaf(&self, name: &str, hosts: &str, days: &str) {
        let names = format!("subjectAltName={hosts}");
        let usage = [
            "basicConstraints=critical,CA:FALSE",
            "extendedKeyUsage=serverAuth",
            &names,
        ];
        self.make(name, Some("middle"), "/O=Acme/CN=callback", days, &usage);
    }

    /// A certificate for one use, issued by `root` or `middle`.
    pub(crate) fn leaf_of(&self, issuer: &str, name: &str, hosts: &str, usage: &str) {
        let names = format!("subjectAltName={hosts}");
        let usage = format!("extendedKeyUsage={usage}");
        let extensions = ["basicConstraints=critical,CA:FALSE", &usage, &names];
        self.make(name, Some(issuer), "/O=Acme/CN=callback", "90", &extensions);
    }

    /// The text of a certificate.
    pub(crate) fn pem(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}.pem"))).expect("made")
    }

    /// A PKCS12 file: `chain` are names of certificates, `key` the owner of the key, if any.
    pub(crate) fn pfx(
        &self,
        leaf: &str,
        key: Option<&str>,
        chain: &[&str],
        password: &str,
        more: &[&str],
    ) -> Vec<u8> {
        let (certificate, output) = (self.path(&format!("{leaf}.pem")), self.path("made.pfx"));
        let key = key.map(|key| self.path(&format!("{key}.key")));
        let bundle = self.path("chain.pem");
        let text: Vec<u8> = chain
            .iter()
            .flat_map(|name| fs::read(self.path(&format!("{name}.pem"))).expect("made"))
            .collect();
        fs::write(&bundle, text).expect("writable");
        let pass = format!("pass:{password}");
        let mut arguments = vec![
            "pkcs12",
            "-export",
            "-in",
            &certificate,
            "-out",
            &output,
            "-passout",
            &pass,
        ];
        match &key {
            Some(key) => arguments.extend(["-inkey", key]),
            None => arguments.push("-nokeys"),
        }
        if !chain.is_empty() {
            arguments.extend(["-certfile", &bundle]);
        }
        arguments.extend(more);
        must(&arguments);
        fs::read(output).expect("made")
    }
}

/// Runs the real openssl for a script on `machine`.
pub(crate) fn answer(machine: &Machine, call: &Call, password: &str) -> Answer {
    let words: Vec<String> = call
        .arguments
        .iter()
        .map(|word| {
            let path = word.starts_with("C:\\") || word.starts_with("Z:\\");
            if path {
                machine.unix(word).to_string_lossy().into_owned()
            } else {
                word.clone()
            }
        })
        .collect();
    let output = openssl(&words.iter().map(String::as_str).collect::<Vec<_>>(), password);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Answer::Both(
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Number of certificates in a PEM file.
pub(crate) fn certificates(path: &Path) -> usize {
    fs::read_to_string(path)
        .unwrap_or_default()
        .matches("BEGIN CERTIFICATE")
        .count()
}

/// Common Name of the first certificate of a file.
pub(crate) fn subject(path: &Path) -> String {
    let output = openssl(
        &["x509", "-in", &path.to_string_lossy(), "-noout", "-subject"],
        "",
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
