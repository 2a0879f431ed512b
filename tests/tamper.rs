//! `cbgen verify` against a corpus of tampered bundles: each is refused with its own reason and code, and sound ones pass.
//!
//! The archives are written by a small writer of our own that can say any lie a zip can hold.

mod contents;
mod entries;
mod lies;

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::Command;

use cbgen::change::verify::{VerifiedBundle, verify};
use cbgen::contract::digest::Digest;
use cbgen::files::{DiskFiles, Files as _, MemoryFiles};

use self::lies::{Around, Lie, archive};
use crate::harness::{Tree, Workspace, expect_none, read_tree, root, write_tree};

/// The files of a real bundle, deployed and as reviewers read them.
fn sample() -> (Tree, Tree) {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    let ran = workspace.run(&["build", "lab.yaml", "-o", "out"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let out = read_tree(&workspace.folder().join("out"));
    let zip = out
        .iter()
        .find(|(name, _)| name.ends_with(".zip"))
        .expect("an archive")
        .1;
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut deployed = Tree::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).expect("an entry");
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("content");
        deployed.insert(file.name().expect("a name").to_string(), content);
    }
    let review = read_tree(&workspace.folder().join("out/acme-lab"));
    (deployed, review)
}

fn lies_of(tree: &Tree) -> Vec<Lie> {
    tree.iter()
        .map(|(name, content)| Lie::new(name, content))
        .collect()
}

/// What verify says about an archive or a folder: codes and messages.
fn verdict(files: &MemoryFiles, place: &str) -> Vec<(String, String)> {
    match verify(files, Path::new(place), None) {
        Ok(_) => Vec::new(),
        Err(findings) => findings
            .iter()
            .map(|finding| (finding.code.id().to_owned(), finding.message.clone()))
            .collect(),
    }
}

struct Corpus {
    cases: usize,
    complaints: Vec<String>,
    reasons: BTreeMap<String, String>,
}

impl Corpus {
    fn new() -> Self {
        Self {
            cases: 0,
            complaints: Vec::new(),
            reasons: BTreeMap::new(),
        }
    }

    /// The bundle at `place` must be refused with this code and a message with these words.
    fn expect(&mut self, case: &str, files: &MemoryFiles, place: &str, code: &str, words: &str) {
        self.cases += 1;
        let found = verdict(files, place);
        if !found
            .iter()
            .any(|(id, message)| id == code && message.contains(words))
        {
            self.complaints
                .push(format!("{case}: expected {code} with `{words}`, found {found:?}"));
        }
        for (_, message) in &found {
            if message.chars().any(char::is_control) {
                self.complaints.push(format!(
                    "{case}: a control character would be printed: {message:?}"
                ));
            }
        }
        let reason = format!("{code} {words}");
        if let Some(other) = self.reasons.insert(format!("{case} {reason}"), reason) {
            self.complaints.push(format!("{case} stands here twice: {other}"));
        }
    }

    fn archive(&mut self, case: &str, bytes: impl AsRef<[u8]>, code: &str, words: &str) {
        let files = MemoryFiles::default();
        files.write("a.zip".as_ref(), bytes.as_ref()).expect("memory");
        self.expect(case, &files, "a.zip", code, words);
    }

    fn folder(&mut self, case: &str, tree: &Tree, code: &str, words: &str) {
        let files = MemoryFiles::default();
        for (name, content) in tree {
            files
                .write(format!("b/{name}").as_ref(), content)
                .expect("memory");
        }
        self.expect(case, &files, "b", code, words);
    }
}

#[test]
fn every_tampered_bundle_is_refused_with_its_own_reason() {
    let (deployed, review) = sample();
    let mut corpus = Corpus::new();
    entries::names_and_entries(&mut corpus, &deployed);
    entries::records(&mut corpus, &deployed);
    contents::contents(&mut corpus, &deployed, &review);
    assert!(corpus.cases >= 80, "{} cases", corpus.cases);
    println!("{} tampered bundles refused", corpus.cases);
    expect_none(&corpus.complaints);
}

#[test]
fn everything_wrong_is_told_at_once_and_little_of_it() {
    let (mut tree, _) = sample();
    tree.insert("start.cmd".into(), b"x".to_vec());
    tree.remove("verify.ps1");
    tree.get_mut("RUNBOOK.md").expect("it").push(b' ');
    for number in 0..300 {
        tree.insert(format!("x{number}"), Vec::new());
    }
    let files = MemoryFiles::default();
    files
        .write("a.zip".as_ref(), &archive(&lies_of(&tree), &Around::default()))
        .expect("memory");
    let found = verdict(&files, "a.zip");
    let count = |code: &str| found.iter().filter(|(id, _)| id == code).count();
    assert_eq!(
        (count("CB1112"), count("CB1114"), count("CB1113")),
        (1, 1, 101),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|(_, message)| message == "201 more findings of this kind")
    );
}

fn opened(bundle: &Result<VerifiedBundle<'_>, Vec<cbgen::diag::Diagnostic>>) -> String {
    match bundle {
        Ok(bundle) => format!("{:?}", bundle.form()),
        Err(findings) => format!("{findings:?}"),
    }
}

#[test]
fn sound_bundles_pass_in_every_form_and_are_read_again_when_asked() {
    let (deployed, review) = sample();
    let files = MemoryFiles::default();
    files
        .write(
            "a.zip".as_ref(),
            &archive(&lies_of(&deployed), &Around::default()),
        )
        .expect("memory");
    for (folder, tree) in [("d", &deployed), ("r", &review)] {
        for (name, content) in tree {
            files
                .write(format!("{folder}/{name}").as_ref(), content)
                .expect("memory");
        }
    }
    let check = |place: &str| verify(&files, Path::new(place), None);
    assert_eq!(opened(&check("a.zip")), "Deployed");
    assert_eq!(opened(&check("d")), "Deployed");
    assert_eq!(opened(&check("r")), "Review");
    let (archive, folder, review) = (
        check("a.zip").expect("it"),
        check("d").expect("it"),
        check("r").expect("it"),
    );
    assert_eq!(archive.seal(), review.seal());
    assert!(archive.require_deployed().is_ok() && review.require_deployed().is_err());
    assert_eq!(review.require_deployed().expect_err("texts").code.id(), "CB1117");
    for (path, digest, size) in archive.files() {
        let content = archive.read(path).expect("content");
        assert_eq!((Digest::of(&content), content.len() as u64), (digest, size));
        assert_eq!(content, deployed[path.as_str()]);
    }
    // Exchanged behind our back: never given away.
    let (path, _, _) = folder.files().next().expect("a file");
    files
        .write(format!("d/{path}").as_ref(), b"exchanged")
        .expect("memory");
    assert_eq!(folder.read(path).expect_err("exchanged").code.id(), "CB1114");
}

#[test]
fn what_other_programs_pack_again_is_the_same_bundle() {
    let (deployed, _) = sample();
    let workspace = Workspace::new();
    write_tree(&workspace.folder().join("b"), &deployed);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(workspace.folder().join("b"));
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
        assert!(output.status.success(), "{program}: {output:?}");
    };
    run("zip", &["-q", "-r", "../infozip.zip", "."]);
    run("zip", &["-q", "-r", "-0", "../stored.zip", "."]);
    run("zip", &["-q", "-r", "-X", "-D", "-9", "../plain.zip", "."]);
    run("sh", &["-c", "find . -type f | zip -q - -@ > ../streamed.zip"]);
    run("7z", &["a", "-bso0", "-bsp0", "../seven.zip", "."]);
    run("7z", &["a", "-bso0", "-bsp0", "-mx9", "../seven9.zip", "*"]);
    run("sh", &["-c", "bsdtar --format zip -cf ../bsdtar.zip *"]);
    // As a stream, bsdtar pads an archive with zeros, which the corpus refuses (`entries.rs`).
    run("python3", &["-m", "zipfile", "-c", "../python.zip", "."]);
    run(
        "python3",
        &[
            "-c",
            "import shutil; shutil.make_archive('../shutil', 'zip', '.')",
        ],
    );
    let files = DiskFiles::new(workspace.folder());
    let mut complaints = Vec::new();
    let archives = [
        "infozip", "stored", "plain", "streamed", "seven", "seven9", "bsdtar", "python", "shutil",
    ];
    for name in archives {
        let bundle = verify(&files, Path::new(&format!("{name}.zip")), None);
        if opened(&bundle) != "Deployed" {
            complaints.push(format!("{name}: {}", opened(&bundle)));
        }
    }
    expect_none(&complaints);
}

#[test]
fn nothing_hangs_and_no_link_is_followed() {
    let (deployed, _) = sample();
    let workspace = Workspace::new();
    let folder = workspace.folder().join("b");
    write_tree(&folder, &deployed);
    std::fs::remove_file(folder.join("RUNBOOK.md")).expect("it");
    let status = Command::new("mkfifo")
        .arg(folder.join("RUNBOOK.md"))
        .status()
        .expect("mkfifo");
    assert!(status.success());
    std::fs::remove_file(folder.join("verify.cmd")).expect("it");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("verify.cmd")).expect("a link");
    let ran = workspace.run(&["verify", "b", "--message-format", "short"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for name in ["RUNBOOK.md", "verify.cmd"] {
        assert!(
            ran.stderr
                .contains(&format!("CB1106]: `{name}` is a link or another special file")),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains(&format!("`{name}` is missing")),
            "{}",
            ran.stderr
        );
    }
    let status = Command::new("mkfifo")
        .arg(workspace.folder().join("p.zip"))
        .status()
        .expect("mkfifo");
    assert!(status.success());
    let ran = workspace.run(&["verify", "p.zip", "--message-format", "short"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    // A file that is mostly a hole: its size costs nothing, and reading it to the end would.
    let holes = std::fs::File::create(workspace.folder().join("b/holes")).expect("a file");
    holes.set_len(1 << 42).expect("a sparse file");
    let ran = workspace.run(&["verify", "b", "--message-format", "short"]);
    assert!(
        ran.stderr.contains("`holes` is not part of the bundle"),
        "{}",
        ran.stderr
    );
    let runbook = std::fs::File::options()
        .write(true)
        .open(workspace.folder().join("b/manifest.json"))
        .expect("it");
    runbook.set_len(1 << 42).expect("a sparse file");
    let ran = workspace.run(&["verify", "b", "--message-format", "short"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("CB1107"), "{}", ran.stderr);
}
