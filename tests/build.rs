//! Builds under adverse conditions: what is there afterwards is the old output or the new one, and the exit code and
//! the message say which and why.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::harness::{Workspace, read_tree, root};

fn lab() -> Workspace {
    let workspace = Workspace::new();
    for name in [
        "inventories/lab.yaml",
        "inventories/shared/acme.yaml",
        "inventories/shared/hardening.yaml",
    ] {
        let text = fs::read_to_string(root().join(name)).expect("a shipped inventory");
        workspace.write(name, &text);
    }
    workspace
}

fn change_version(workspace: &Workspace, version: &str) {
    let path = workspace.folder().join("inventories/lab.yaml");
    let text = fs::read_to_string(&path).expect("the inventory");
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("fqdn: "))
        .expect("a name");
    let changed = format!("  fqdn: v{version}.lab.acme.example");
    fs::write(&path, text.replacen(line, &changed, 1)).expect("writable");
}

fn manifest_id(tree: &Path) -> Option<String> {
    let text = fs::read_to_string(tree.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(manifest["bundle"]["id"].as_str()?.to_owned())
}

#[test]
fn a_check_names_what_differs_and_writes_nothing() {
    let workspace = lab();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let check = || workspace.run(&["build", "--check", "inventories/lab.yaml"]);
    assert_eq!(check().code, 0);
    let out = workspace.folder().join("out");
    let sums = read_tree(&out).into_keys().find(|name| name.ends_with(".sha256"));
    let sums = out.join(sums.expect("made beside the archive"));
    let right = fs::read(&sums).expect("readable");
    fs::write(&sums, "junk").expect("writable");
    assert_eq!(
        check().code,
        1,
        "junk in the digest of the archive is a difference"
    );
    fs::write(&sums, right).expect("writable");
    let edited = workspace
        .folder()
        .join("out/acme-lab/servers/LAB01/nginx/nginx.conf");
    let text = fs::read_to_string(&edited).expect("generated");
    fs::write(&edited, text.replace("server_tokens off", "server_tokens on")).expect("writable");
    fs::remove_file(workspace.folder().join("out/acme-lab/RUNBOOK.md")).expect("generated");
    let before = read_tree(&workspace.folder().join("out"));
    let ran = check();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("[CB0706]"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("servers/LAB01/nginx/nginx.conf"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("RUNBOOK.md` is missing"), "{}", ran.stderr);
    assert_eq!(
        before,
        read_tree(&workspace.folder().join("out")),
        "a check must not write"
    );
}

#[test]
fn a_huge_file_is_refused_quickly_and_writes_nothing() {
    let workspace = Workspace::new();
    let nested = "[".repeat(100 << 20);
    fs::write(workspace.folder().join("huge.yaml"), nested).expect("writable");
    let ran = workspace.run(&["build", "huge.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("[CB0003]"), "{}", ran.stderr);
    assert!(!workspace.folder().join("out").exists());
}

/// A small memory disk that is full before the build is.
#[test]
fn a_full_disk_keeps_the_old_output() {
    let workspace = lab();
    let out = workspace.folder().join("out");
    fs::create_dir(&out).expect("a folder");
    let disk = MemoryDisk::mount(&out, "1200k");
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let before = read_tree(&out);
    // Full but for 100 KiB: enough to begin with, not enough to finish.
    fs::write(out.join("spare"), vec![0u8; 100 << 10]).expect("there is room");
    fs::write(out.join("filler"), vec![0u8; 4 << 20]).expect_err("the disk must be full now");
    fs::remove_file(out.join("spare")).expect("just written");
    change_version(&workspace, "2");
    let ran = workspace.run(&["build", "inventories/lab.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("[CB0701]"), "{}", ran.stderr);
    fs::remove_file(out.join("filler")).ok();
    let mut after = read_tree(&out);
    after.retain(|name, _| !name.starts_with('.'));
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    assert!(before == after, "the old output must stay as it was");
    drop(disk);
}

struct MemoryDisk(std::path::PathBuf);

impl MemoryDisk {
    fn mount(at: &Path, size: &str) -> Self {
        let options = format!("size={size}");
        assert!(
            Self::as_root(
                "mount",
                &["-t", "tmpfs", "-o", &options, "tmpfs", &at.to_string_lossy()]
            ),
            "the test needs the right to mount a memory disk, by itself or with sudo"
        );
        Self(at.to_owned())
    }

    /// Runs a program as it is, and with sudo when that does not do.
    fn as_root(program: &str, arguments: &[&str]) -> bool {
        let done = |command: &mut Command| {
            command
                .args(arguments)
                .status()
                .is_ok_and(|status| status.success())
        };
        done(Command::new(program).stderr(Stdio::null())) || done(Command::new("sudo").args(["-n", program]))
    }
}

impl Drop for MemoryDisk {
    fn drop(&mut self) {
        assert!(Self::as_root("umount", &[&self.0.to_string_lossy()]), "umount");
    }
}

/// Kills builds after ever longer times; whatever is there then is the old bundle or the new one, whole.
#[test]
fn a_killed_build_leaves_old_or_new() {
    let workspace = lab();
    let begin = Instant::now();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let whole = begin.elapsed();
    let out = workspace.folder().join("out");
    let tree = out.join("acme-lab");
    fs::write(tree.join("notes of an engineer.txt"), "keep me").expect("writable");
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..40u32 {
        let old = manifest_id(&tree).expect("a manifest before each round");
        change_version(&workspace, &round.to_string());
        let mut child = Command::new(env!("CARGO_BIN_EXE_cbgen"))
            .current_dir(workspace.folder())
            .args(["build", "inventories/lab.yaml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("cbgen starts");
        // From at once to well after the end, however fast the machine is.
        std::thread::sleep(whole * round / 25);
        child.kill().ok();
        child.wait().expect("it ends");
        let found = manifest_id(&tree).expect("a whole tree after a kill");
        verify(&tree);
        seen.insert(found == old);
        let ran = workspace.run(&["build", "inventories/lab.yaml"]);
        assert_eq!(ran.code, 0, "the next build recovers: {}", ran.stderr);
        verify(&tree);
        assert_eq!(
            fs::read_to_string(tree.join("notes of an engineer.txt")).expect("kept"),
            "keep me"
        );
        let hidden: Vec<_> = fs::read_dir(&out)
            .expect("the folder")
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(hidden, Vec::<String>::new(), "nothing may be left behind");
    }
    assert_eq!(
        seen.len(),
        2,
        "some kills must hit before the exchange and some after it"
    );
}

/// The review digests of the manifest hold for every file of a tree.
fn verify(tree: &Path) {
    use sha2::Digest as _;
    let text = fs::read_to_string(tree.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for artifact in manifest["artifacts"].as_array().expect("artifacts") {
        let path = artifact["path"].as_str().expect("a path");
        let bytes = fs::read(tree.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let digest: String = sha2::Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            artifact["review_sha256"].as_str(),
            Some(digest.as_str()),
            "{path}"
        );
    }
}

/// What an engineer does first: unpack with a stock tool and check with a stock tool.
#[test]
fn the_archive_unpacks_and_verifies_with_stock_tools() {
    let workspace = lab();
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let out = workspace.folder().join("out");
    let shell = |command: &str| {
        let output = Command::new("sh")
            .args(["-ec", command])
            .current_dir(&out)
            .output()
            .expect("sh");
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    shell("sha256sum --strict -c *.zip.sha256");
    shell("mkdir unpacked && cd unpacked && unzip -q ../*.zip && sha256sum --strict -c SHA256SUMS");
    shell("cd unpacked && test $(find . -type f | wc -l) -eq $(( $(wc -l < SHA256SUMS) + 1 ))");
}

#[test]
fn inventories_of_one_build_do_not_share_an_archive() {
    let workspace = lab();
    let text = fs::read_to_string(workspace.folder().join("inventories/lab.yaml")).expect("the inventory");
    let named = |file: &str, name: &str, version: &str| {
        let text = text
            .replace("name: acme-lab", &format!("name: {name}"))
            .replace("version: '2026.11.3'", &format!("version: '{version}'"));
        workspace.write(file, &text);
    };
    named("inventories/a.yaml", "acme", "1-2");
    named("inventories/b.yaml", "acme-1", "2");
    let ran = workspace.run(&["build", "inventories/a.yaml", "inventories/b.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    // One cause, one finding, which names both.
    assert_eq!(ran.stderr.matches("[CB0710]").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("--> inventories/a.yaml"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("also used by inventories/b.yaml"),
        "{}",
        ran.stderr
    );
    assert!(!workspace.folder().join("out").exists());
}

#[test]
fn a_check_says_that_templates_are_missing_now() {
    let workspace = lab();
    workspace.write(
        "over/notes/a.md",
        "---\ntitle: Note\nscope: deployment\npath: notes/a.md\nformat: markdown\neffect: read\nphase: verify\n---\nA note.\n",
    );
    let build = |arguments: &[&str]| {
        let all = [
            &["build", "inventories/lab.yaml", "--message-format", "short"],
            arguments,
        ]
        .concat();
        workspace.run(&all)
    };
    assert_eq!(build(&["--templates", "over"]).code, 0);
    assert_eq!(build(&["--check", "--templates", "over"]).code, 0);
    let ran = build(&["--check"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("error[CB0807]") && ran.stderr.contains("over/notes/a.md"),
        "{}",
        ran.stderr
    );
    // What differs follows from it, and to build anew would be wrong.
    assert!(!ran.stderr.contains("CB0706"), "{}", ran.stderr);
    let why = |file: &str| workspace.run(&["why", file, "--message-format", "short"]);
    let ran = why("out/acme-lab/deployment/notes/a.md:1");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error[CB0807]"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("CB0951"), "{}", ran.stderr);
    workspace.write("cbgen.yaml", "templates: over\n");
    assert_eq!(build(&["--check"]).code, 0);
    assert_eq!(why("out/acme-lab/deployment/notes/a.md:1").code, 0);
}

#[test]
fn a_manifest_names_the_folder_of_templates_as_it_was_given() {
    let workspace = lab();
    workspace.write(
        "common/over/notes/a.md",
        "---\ntitle: Note\nscope: deployment\npath: notes/a.md\nformat: markdown\neffect: read\nphase: verify\n---\nA note.\n",
    );
    workspace.write("below/keep", "");
    let nginx = fs::read_to_string(root().join("templates/nginx/nginx.conf")).expect("a template");
    workspace.write("common/over/nginx/nginx.conf", &nginx);
    let run = |arguments: &[&str]| {
        let below = workspace.folder().join("below");
        workspace.finish(workspace.command().args(arguments).current_dir(below))
    };
    let ran = run(&[
        "build",
        "../inventories/lab.yaml",
        "-q",
        "--templates",
        "../common/over",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let manifest = workspace.folder().join("below/out/acme-lab/manifest.json");
    let manifest = fs::read_to_string(manifest).expect("a manifest");
    assert!(manifest.contains("\"../common/over/notes/a.md\""), "{manifest}");
    let ran = run(&["build", "--check", "../inventories/lab.yaml"]);
    assert!(
        ran.stderr.contains("`--templates ../common/over`"),
        "{}",
        ran.stderr
    );
}
