//! The way from the archive to the evidence with the shipped bundles: every edit of a component of every inventory is planned, applied and
//! taken back on copies of its servers, made of the vendor's sample files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Ran, Tree, Workspace, expect_none, read_tree, root, write_tree};
use crate::support::bundles::{Built, shipped};

/// Effects that are done in a vendor's file.
const EDITS: [&str; 4] = ["transform_xml", "set_terms", "set_lines", "replace_references"];

/// The vendor's files a server has, by their path below a copy of it, and how many edits are for them.
fn server_of(built: &Built, server: &str) -> (Tree, usize) {
    let samples = read_tree(&root().join("tests/fixtures/vendor"));
    let manifest: Value = serde_json::from_str(&built.text("manifest.json")).expect("JSON");
    let mut files = Tree::new();
    let mut edits = 0;
    for artifact in manifest["artifacts"].as_array().expect("a list") {
        let effect = artifact["effect"].as_str().expect("an effect");
        let is_component = artifact["phase"] == "components";
        if artifact["server"] != server || !is_component || !EDITS.contains(&effect) {
            continue;
        }
        edits += 1;
        let target = artifact["target"].as_str().expect("a target").replace('\\', "/");
        let mut parts = target.rsplit('/');
        let name = parts.next().expect("a name");
        let with_folder = format!("{}.{name}", parts.next().expect("a folder"));
        let sample = samples
            .iter()
            .find(|(sample, _)| {
                sample.eq_ignore_ascii_case(name) || sample.eq_ignore_ascii_case(&with_folder)
            })
            .unwrap_or_else(|| panic!("tests/fixtures/vendor has no sample of {target}"));
        files.insert(target.replacen(':', "", 1), sample.1.clone());
    }
    (files, edits)
}

/// A copy of one server and the archive beside it.
struct Desk {
    workspace: Workspace,
    server: String,
}

impl Desk {
    fn new(built: &Built, server: &str, files: &Tree) -> Self {
        let workspace = Workspace::new();
        std::fs::write(workspace.folder().join("bundle.zip"), &built.archive).expect("a writable file");
        write_tree(&workspace.folder().join("server"), files);
        Self {
            workspace,
            server: server.to_owned(),
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let place = ["--root", "server", "--server", &self.server];
        self.workspace.run(&[words, &place].concat())
    }

    /// The files of the server without what cbgen keeps about it.
    fn files(&self) -> Tree {
        let all = read_tree(&self.workspace.folder().join("server"));
        all.into_iter()
            .filter(|(path, _)| !path.starts_with("C/ProgramData/cbgen/"))
            .collect()
    }

    fn kept(&self) -> PathBuf {
        self.workspace.folder().join("server/C/ProgramData/cbgen")
    }
}

#[test]
fn every_edit_of_a_component_is_applied_and_taken_back() {
    let mut complaints = Vec::new();
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for built in shipped() {
        let manifest: Value = serde_json::from_str(&built.text("manifest.json")).expect("JSON");
        let servers = manifest["servers"].as_array().expect("a list");
        for server in servers.iter().filter_map(|server| server["name"].as_str()) {
            let (before, edits) = server_of(built, server);
            if edits == 0 {
                continue;
            }
            let desk = Desk::new(built, server, &before);
            let mut expect = |what: &str, ran: &Ran, code: i32, words: &str| {
                let text = format!("{}{}", ran.stdout, ran.stderr);
                if ran.code != code || !text.contains(words) {
                    complaints.push(format!("{} {server}: {what}: {}\n{text}", built.name, ran.code));
                }
            };
            let components = ["--phase", "components"];
            let plan = desk.run(&[&["plan", "bundle.zip"][..], &components].concat());
            expect("plan", &plan, 1, &format!("{edits} will change"));
            assert!(
                !desk.kept().exists() && desk.files() == before,
                "a plan writes nothing"
            );
            let apply = [&["apply", "bundle.zip"][..], &components].concat();
            expect("apply", &desk.run(&apply), 0, "run 1 is done");
            let after = desk.files();
            let names = |tree: &Tree| tree.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(names(&after), names(&before), "no file comes or goes");
            let same = before
                .iter()
                .filter(|(path, bytes)| after.get(*path) == Some(bytes));
            assert_eq!(same.count(), 0, "every file is changed");
            expect("apply again", &desk.run(&apply), 0, "nothing to do");
            expect(
                "status",
                &desk.run(&["status"]),
                0,
                &format!("Files: {} as cbgen left them, 0 not", before.len()),
            );
            expect("rollback", &desk.run(&["rollback"]), 0, "run 1 is taken back");
            assert!(
                desk.files() == before,
                "{} {server}: every byte is as it was",
                built.name
            );
            *done.entry(built.name.as_str()).or_default() += edits;
        }
    }
    expect_none(&complaints);
    assert!(done["prod"] >= 46, "{done:?}");
    assert!(done.len() == 4, "{done:?}");
}

/// Every command that a runbook tells an engineer to type is one that the program takes: its place and its phase are there.
/// `plan` stands for `apply`, since it reads the same words and changes nothing.
#[test]
fn the_commands_of_a_runbook_are_taken() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for built in shipped() {
        let book = built.text("RUNBOOK.md");
        let told: BTreeSet<&str> = book
            .split('`')
            .filter(|code| code.starts_with("cbgen "))
            .collect();
        let workspace = Workspace::new();
        std::fs::create_dir(workspace.folder().join("server")).expect("a new folder");
        for command in told {
            let words: Vec<&str> = command.split(' ').skip(1).collect();
            let [verb, archive, rest @ ..] = words.as_slice() else {
                // A bare name of a command.
                assert!(workspace.run(&[words[0], "--help"]).code == 0, "{command}");
                continue;
            };
            std::fs::write(workspace.folder().join(archive), &built.archive).expect("a writable file");
            if !["plan", "apply"].contains(verb) {
                // Of the others, `verify` passes; the rest is taken and finds that nothing was done there yet.
                let root: &[&str] = if *verb == "verify" {
                    &[]
                } else {
                    &["--root", "server"]
                };
                let ran = workspace.run(&[words.as_slice(), root].concat());
                let is_taken = ran.code == 0 || *verb != "verify" && ran.stderr.contains("CB1262");
                assert!(is_taken, "{command}: {}", ran.stderr);
                continue;
            }
            let verb = "plan";
            let words = [&[verb, *archive], rest, &["--root", "server", "--format", "json"]].concat();
            let ran = workspace.run(&words);
            count += 1;
            // What the empty folder lacks is a finding of each step; a wrong word is no plan at all.
            let is_plan = serde_json::from_str::<Value>(&ran.stdout)
                .is_ok_and(|plan| plan["steps"].as_array().is_some_and(|steps| !steps.is_empty()));
            if !is_plan {
                complaints.push(format!("{command}: {}\n{}", ran.code, ran.stderr));
            }
            complaints.extend(workspace.misfits("plan", &ran.stdout));
        }
    }
    expect_none(&complaints);
    assert!(count >= 40, "{count}");
}
