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

/// The searches for addresses nobody changed, as the step of the last look tells people to type them.
fn searches(built: &Built) -> Vec<String> {
    let book = built.text("RUNBOOK.md");
    let told = book.split('`').filter(|code| code.starts_with("findstr "));
    told.map(str::to_owned).collect()
}

/// What `findstr /s /i /m /l` names in the files of a server: those whose name has one of the endings, and that hold one of
/// the texts, in any case. (Microsoft's page on findstr: `/c:` makes one text of words, several are alternatives.)
fn found(search: &str, files: &Tree) -> BTreeSet<String> {
    let (texts, endings): (Vec<&str>, Vec<&str>) = search
        .strip_prefix("findstr /s /i /m /l ")
        .unwrap_or_else(|| panic!("another kind of search: {search}"))
        .split(' ')
        .partition(|word| word.starts_with("/c:"));
    let texts: Vec<String> = texts
        .iter()
        .map(|text| text[3..].trim_matches('"').to_lowercase())
        .collect();
    let holds = |path: &str, bytes: &[u8]| {
        let path = path.to_lowercase();
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let is_looked_at = endings
            .iter()
            .any(|ending| path.ends_with(ending.trim_start_matches('*')));
        is_looked_at && texts.iter().any(|wanted| text.contains(wanted))
    };
    let named = files.iter().filter(|(path, bytes)| holds(path, bytes));
    named.map(|(path, _)| path.clone()).collect()
}

#[test]
fn the_search_for_what_is_left_knows_every_server_and_port() {
    for built in shipped() {
        let searches = searches(built);
        let manifest: Value = serde_json::from_str(&built.text("manifest.json")).expect("JSON");
        let servers = manifest["servers"].as_array().expect("a list");
        let mut addresses: Vec<String> = [2800, 2900, 8000, 8001, 8002, 8012]
            .iter()
            .map(|port| format!("\"tcp://localhost:{port}\""))
            .collect();
        addresses.push("http://LocalHost/VHQMWS".into());
        for server in servers {
            addresses.push(format!(
                "http://{}:8000/api",
                server["name"].as_str().expect("a name")
            ));
            addresses.push(format!(
                "http://{}/VHQMWS",
                server["fqdn"].as_str().expect("a name")
            ));
        }
        for ending in ["config", "js", "json", "url", "yml"] {
            for address in &addresses {
                let path = format!("C/Callback/one.{ending}");
                let files = Tree::from([(path.clone(), address.clone().into_bytes())]);
                let named = searches
                    .iter()
                    .any(|search| found(search, &files).contains(&path));
                assert!(named, "{}: nothing finds {address} in {path}", built.name);
            }
        }
    }
}

#[test]
fn every_edit_of_a_component_is_applied_and_taken_back() {
    let mut complaints = Vec::new();
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found_before = 0;
    for built in shipped() {
        let manifest: Value = serde_json::from_str(&built.text("manifest.json")).expect("JSON");
        let servers = manifest["servers"].as_array().expect("a list");
        let searches = searches(built);
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
            let left_in = |files: &Tree| -> BTreeSet<String> {
                searches.iter().flat_map(|search| found(search, files)).collect()
            };
            found_before += left_in(&before).len();
            assert_eq!(left_in(&after), BTreeSet::new(), "{} {server}", built.name);
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
    assert!(found_before > 0, "the search names no file of before the change");
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
