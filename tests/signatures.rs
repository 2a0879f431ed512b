//! `cbgen sign` and `verify --signers`, with `ssh-keygen` on the other side.

use std::process::Command;

use crate::harness::{Ran, Workspace, expect_none, read_tree, root, write_tree};

/// A workspace with a built bundle in `out/`, and keys made by `ssh-keygen`.
struct Desk {
    workspace: Workspace,
}

const ZIP: &str = "out/acme-lab-2026.11.3.zip";

impl Desk {
    fn new() -> Self {
        let workspace = Workspace::new();
        write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
        let desk = Self { workspace };
        desk.build();
        desk
    }

    fn build(&self) -> Ran {
        let ran = self
            .workspace
            .run(&["build", "lab.yaml", "-o", "out", "--message-format", "short"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran
    }

    fn tool(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.workspace.folder());
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    /// A key of this kind, and a line of signers for it.
    fn key(&self, name: &str, kind: &[&str], passphrase: &str) -> String {
        let arguments = [&["-q", "-N", passphrase, "-C", "x", "-f", name, "-t"], kind].concat();
        let (made, text) = self.tool("ssh-keygen", &arguments);
        assert!(made, "{text}");
        let public =
            std::fs::read_to_string(self.workspace.folder().join(format!("{name}.pub"))).expect("a key");
        format!("{name}@acme.example namespaces=\"cbgen\" {public}")
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let arguments = [arguments, &["--message-format", "short"]].concat();
        self.workspace.run(&arguments)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.workspace.folder().join(name)).expect("a file")
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.workspace.folder().join(name), content).expect("a file");
    }

    fn unpack(&self, to: &str) {
        let (done, text) = self.tool("unzip", &["-q", "-o", ZIP, "-d", to]);
        assert!(done, "{text}");
    }
}

const KINDS: &[(&str, &[&str])] = &[
    ("ed25519", &["ed25519"]),
    ("p256", &["ecdsa", "-b", "256"]),
    ("p384", &["ecdsa", "-b", "384"]),
    ("p521", &["ecdsa", "-b", "521"]),
    ("rsa2048", &["rsa", "-b", "2048"]),
    ("rsa4096", &["rsa", "-b", "4096"]),
];

#[test]
fn keys_of_every_kind_sign_and_verify_both_ways() {
    let desk = Desk::new();
    let unsigned = desk.read(ZIP);
    let mut complaints = Vec::new();
    for (name, kind) in KINDS {
        for passphrase in ["", "correct horse"] {
            let name = &format!("{name}{}", if passphrase.is_empty() { "" } else { "-locked" });
            let mut expect = |what: &str, good: bool, text: &str| {
                if !good {
                    complaints.push(format!("{name}: {what}: {text}"));
                }
            };
            let line = desk.key(name, kind, passphrase);
            desk.write("signers", line.as_bytes());
            desk.write(ZIP, &unsigned);
            // Ours, read by OpenSSH and by ourselves.
            let mut command = desk.workspace.command();
            command.args([
                "sign",
                ZIP,
                "--key",
                name,
                "--passphrase-env",
                "SIGNING",
                "--message-format",
                "short",
            ]);
            let ran = desk.workspace.finish(command.env("SIGNING", passphrase));
            expect(
                "sign",
                ran.code == 0 && ran.stdout.contains("signed"),
                &ran.stderr,
            );
            let ran = desk.run(&["verify", ZIP, "--signers", "signers"]);
            expect(
                "verify ours",
                ran.code == 0 && ran.stdout.contains(&format!("good, by {name}@acme.example")),
                &ran.stderr,
            );
            desk.unpack("u");
            let script = format!(
                "ssh-keygen -Y verify -f signers -I {name}@acme.example -n cbgen -s u/SHA256SUMS.sig < u/SHA256SUMS"
            );
            let (good, text) = desk.tool("sh", &["-c", &script]);
            expect("ssh-keygen verifies ours", good && text.contains("Good"), &text);
            // Theirs, read by us: with both hashes.
            if passphrase.is_empty() {
                for hash in ["sha512", "sha256"] {
                    std::fs::remove_file(desk.workspace.folder().join("u/SHA256SUMS.sig")).expect("it");
                    let option = format!("hashalg={hash}");
                    let (good, text) = desk.tool(
                        "ssh-keygen",
                        &[
                            "-q",
                            "-Y",
                            "sign",
                            "-n",
                            "cbgen",
                            "-O",
                            &option,
                            "-f",
                            name,
                            "u/SHA256SUMS",
                        ],
                    );
                    expect("ssh-keygen signs", good, &text);
                    let ran = desk.run(&["verify", "u", "--signers", "signers"]);
                    expect(
                        "verify theirs",
                        ran.code == 0 && ran.stdout.contains("good, by"),
                        &ran.stderr,
                    );
                }
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn signatures_that_do_not_count_are_refused() {
    let desk = Desk::new();
    let line = desk.key("release", &["ed25519"], "");
    let other = desk.key("other", &["ed25519"], "");
    desk.unpack("u");
    desk.write("signers", line.as_bytes());
    let mut complaints = Vec::new();
    let mut expect = |case: &str, code: &str, words: &str| {
        let ran = desk.run(&["verify", "u", "--signers", "signers"]);
        if ran.code != 1 || !ran.stderr.contains(&format!("[{code}]")) || !ran.stderr.contains(words) {
            complaints.push(format!(
                "{case}: {code} `{words}`, found {} {}",
                ran.code, ran.stderr
            ));
        }
    };
    let sign = |key: &str, namespace: &str, file: &str| {
        drop(std::fs::remove_file(
            desk.workspace.folder().join(format!("{file}.sig")),
        ));
        let (good, text) = desk.tool(
            "ssh-keygen",
            &["-q", "-Y", "sign", "-n", namespace, "-f", key, file],
        );
        assert!(good, "{text}");
    };
    expect("no signature", "CB1120", "is not signed");
    sign("other", "cbgen", "u/SHA256SUMS");
    expect("another key", "CB1123", "does not name");
    sign("release", "git", "u/SHA256SUMS");
    expect("another purpose", "CB1121", "made for `git`");
    desk.write("x", b"another text");
    sign("release", "cbgen", "x");
    desk.write("u/SHA256SUMS.sig", &desk.read("x.sig"));
    expect("another text", "CB1122", "is not one of this");
    sign("release", "cbgen", "u/SHA256SUMS");
    let good = String::from_utf8(desk.read("u/SHA256SUMS.sig")).expect("a text");
    let armour = [
        ("CR LF", good.replace('\n', "\r\n"), "CR LF"),
        ("a line before", format!("Comment: x\n{good}"), "first line"),
        ("a line behind", format!("{good}x\n"), "last line"),
        ("two signatures", format!("{good}{good}"), "base64"),
        (
            "a blank at the end",
            good.replace("-----END SSH SIGNATURE-----\n", "-----END SSH SIGNATURE----- \n"),
            "last line",
        ),
        ("no last line feed", good.trim_end().to_owned(), "last line"),
        ("empty", String::new(), "first line"),
        ("a key in its place", line.clone(), "first line"),
        (
            "lines of other lengths",
            good.replacen("U1NIU0lH", "U1NIU0l\nH", 1),
            "base64",
        ),
    ];
    for (case, text, words) in armour {
        desk.write("u/SHA256SUMS.sig", text.as_bytes());
        expect(case, "CB1121", words);
    }
    desk.write("u/SHA256SUMS.sig", good.as_bytes());
    let key = line
        .split("namespaces=\"cbgen\" ")
        .nth(1)
        .expect("the key")
        .to_owned();
    for (options, words) in [
        ("namespaces=\"git\"", "does not allow"),
        ("valid-after=\"29990101Z\"", "does not allow"),
        ("valid-before=\"20000101Z\"", "does not allow"),
    ] {
        desk.write("signers", format!("a@b {options} {key}").as_bytes());
        expect(options, "CB1123", words);
    }
    for (options, words) in [
        ("cert-authority", "vouches for keys"),
        ("valid-before=\"soon\"", "no moment"),
        ("restrict", "no option"),
    ] {
        desk.write("signers", format!("{other}a@b {options} {key}").as_bytes());
        expect(options, "CB1126", words);
        expect(options, "CB1126", "line 2");
    }
    // A short key: OpenSSH makes none below 1024 bits, and signs with it.
    let (made, text) = desk.tool(
        "openssl",
        &["genrsa", "-traditional", "-out", "short.pem", "1024"],
    );
    assert!(made, "{text}");
    let (made, text) = desk.tool("sh", &["-c", "chmod 600 short.pem && cp short.pem short && ssh-keygen -q -p -N '' -f short && ssh-keygen -y -f short > short.pub"]);
    if made {
        let (signed, _) = desk.tool(
            "sh",
            &[
                "-c",
                "rm u/SHA256SUMS.sig; ssh-keygen -q -Y sign -n cbgen -f short u/SHA256SUMS",
            ],
        );
        if signed {
            desk.write("signers", line.as_bytes());
            expect("a short key", "CB1124", "1024 bits");
        }
        let ran = desk.run(&["sign", ZIP, "--key", "short"]);
        assert!(ran.code == 2 && ran.stderr.contains("[CB1129]"), "{}", ran.stderr);
    } else {
        panic!("{text}");
    }
    expect_none(&complaints);
}

#[test]
fn signing_changes_the_archive_as_a_whole_and_building_again_keeps_it() {
    let desk = Desk::new();
    let line = desk.key("release", &["ed25519"], "");
    desk.key("other", &["ed25519"], "");
    desk.write("signers", line.as_bytes());
    let before = desk.read(ZIP);
    let ran = desk.run(&["sign", ZIP, "--key", "release"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let signed = desk.read(ZIP);
    assert_ne!(before, signed);
    let digest = String::from_utf8(desk.read(&format!("{ZIP}.sha256"))).expect("a text");
    let (good, text) = desk.tool("sh", &["-c", "cd out && sha256sum --strict -c *.sha256"]);
    assert!(good, "{text}");
    // A second time nothing is written; a digest an interruption left behind is put right.
    desk.write(&format!("{ZIP}.sha256"), b"old\n");
    let ran = desk.run(&["verify", ZIP]);
    assert!(ran.code == 0 && ran.stderr.contains("[CB1118]"), "{}", ran.stderr);
    let ran = desk.run(&["sign", ZIP, "--key", "release"]);
    assert!(
        ran.code == 0 && ran.stdout.contains("nothing changed"),
        "{}",
        ran.stderr
    );
    assert_eq!(desk.read(&format!("{ZIP}.sha256")), digest.as_bytes());
    // Another key has to say so.
    let ran = desk.run(&["sign", ZIP, "--key", "other"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("[CB1130]") && ran.stderr.contains("SHA256:"),
        "{}",
        ran.stderr
    );
    assert_eq!(desk.read(ZIP), signed);
    // Building the same again keeps the signature, and so does a check.
    desk.build();
    assert_eq!(desk.read(ZIP), signed);
    let ran = desk.run(&["build", "--check", "lab.yaml", "-o", "out"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Beside the tree too, where it is no stranger.
    let ran = desk.run(&["sign", "out/acme-lab", "--key", "release"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = desk.build();
    assert!(
        !ran.stdout.contains("SHA256SUMS.sig") && !ran.stderr.contains("SHA256SUMS.sig"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let ran = desk.run(&["verify", "out/acme-lab", "--signers", "signers"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Another content loses it, and says so.
    let inventory = String::from_utf8(desk.read("lab.yaml")).expect("a text");
    desk.write(
        "lab.yaml",
        inventory
            .replacen("depth: 2", "depth: 3", 1)
            .replacen("fqdn: ", "fqdn: x", 1)
            .as_bytes(),
    );
    let ran = desk.build();
    assert!(ran.stderr.contains("[CB1131]"), "{}", ran.stderr);
    assert!(
        !desk
            .workspace
            .folder()
            .join("out/acme-lab/SHA256SUMS.sig")
            .exists()
    );
}

#[test]
fn keys_that_cannot_sign_say_why_and_touch_nothing() {
    let desk = Desk::new();
    desk.key("locked", &["ed25519"], "correct horse");
    desk.key("good", &["ed25519"], "");
    desk.write("text", b"hello");
    let (made, text) = desk.tool("openssl", &["genrsa", "-traditional", "-out", "old.pem", "2048"]);
    assert!(made, "{text}");
    let before = desk.read(ZIP);
    let mut complaints = Vec::new();
    for (key, passphrase, code, words) in [
        ("none", None, "CB0001", "cannot be read"),
        ("text", None, "CB1127", "no private key"),
        ("good.pub", None, "CB1127", "public half"),
        ("old.pem", None, "CB1127", "older format"),
        ("locked", None, "CB1128", "no terminal"),
        ("locked", Some("wrong"), "CB1128", "another one"),
    ] {
        let mut command = desk.workspace.command();
        command.args(["sign", ZIP, "--key", key, "--message-format", "short"]);
        if let Some(passphrase) = passphrase {
            command
                .args(["--passphrase-env", "SIGNING"])
                .env("SIGNING", passphrase);
        }
        // Without a terminal nobody can be asked.
        let ran = desk.workspace.finish(&mut command);
        if ran.code != 2 || !ran.stderr.contains(&format!("[{code}]")) || !ran.stderr.contains(words) {
            complaints.push(format!(
                "{key}: {code} `{words}`, found {} {}",
                ran.code, ran.stderr
            ));
        }
    }
    assert_eq!(desk.read(ZIP), before);
    // What is not in order is not signed.
    desk.unpack("u");
    desk.write("u/start.cmd", b"x");
    let ran = desk.run(&["sign", "u", "--key", "good"]);
    assert!(ran.code == 1 && ran.stderr.contains("[CB1113]"), "{}", ran.stderr);
    assert!(!desk.workspace.folder().join("u/SHA256SUMS.sig").exists());
    expect_none(&complaints);
}
