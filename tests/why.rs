//! Provenance: every output line has an origin, and the predicted impact of an edit is what the edit does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use cbgen::check;
use cbgen::diag::Diagnostics;
use cbgen::driver::{Compiler, Run};
use cbgen::files::DiskFiles;
use cbgen::inventory::alternatives::{Alternative, Leaf, Origin};
use cbgen::inventory::{Loaded, ReadInput};
use cbgen::plan;
use cbgen::render::{self, Rendered};
use cbgen::source::Sources;
use cbgen::why::{Change, Explorer, Impact, Reached};
use rayon::prelude::*;
use serde_json::Value;

use crate::harness::{Workspace, expect_none, read_tree, root};

/// The repository's files with some of them replaced.
struct Edited {
    files: BTreeMap<String, Vec<u8>>,
}

impl ReadInput for Edited {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

fn shipped() -> Edited {
    let tree = read_tree(&root().join("inventories"));
    Edited {
        files: tree
            .into_iter()
            .map(|(name, bytes)| (format!("inventories/{name}"), bytes))
            .collect(),
    }
}

fn names() -> Vec<String> {
    let files = shipped().files.into_keys();
    files
        .filter(|name| !name.starts_with("inventories/shared/"))
        .collect()
}

fn compiler() -> Compiler {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    Compiler::new(&mut sources, &mut diagnostics, &DiskFiles::new(""), None).expect("sound templates")
}

/// Reads, checks, plans and renders; `None` when the inventory is refused.
fn compile<'t>(
    compiler: &'t Compiler,
    files: &Edited,
    name: &str,
) -> Option<(Sources, Loaded, Rendered<'t>)> {
    let (mut sources, mut diagnostics) = (compiler.sources(), Diagnostics::new());
    let mut run = Run {
        sources: &mut sources,
        diagnostics: &mut diagnostics,
        on_phase: &mut |_| (),
    };
    let loaded = compiler.load(&mut run, files, name).ok()?;
    let checked = check::check(run.diagnostics, loaded.inventory.clone(), &loaded.places, None).ok()?;
    let plan = plan::plan(run.diagnostics, checked, compiler.templates()).ok()?;
    let rendered = render::render(run.diagnostics, plan).ok()?;
    Some((sources, loaded, rendered))
}

/// A small seeded generator (`SplitMix64`), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u64::try_from(items.len()).expect("small");
        &items[usize::try_from(self.next() % count).expect("small")]
    }
}

/// The texts of a line outside tags.
fn literals(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        let close = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
            .iter()
            .find(|(open, _)| rest.starts_with(open));
        if let Some((_, close)) = close {
            found.push(String::new());
            rest = rest.split_once(close).map_or("", |(_, rest)| rest);
        } else {
            found.last_mut().expect("never empty").push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    found
        .iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

#[test]
fn every_line_of_every_artifact_has_a_template_line() {
    let compiler = compiler();
    let mut complaints = Vec::new();
    let mut count = 0;
    for name in names() {
        let (sources, loaded, rendered) = compile(&compiler, &shipped(), &name).expect("compiles");
        let explorer = Explorer::new(
            compiler.templates(),
            compiler.schema(),
            &loaded,
            &sources,
            &rendered,
        );
        for (artifact, text) in explorer.artifacts() {
            let places = explorer.template_places(&artifact);
            assert_eq!(places.len(), text.lines().count(), "{artifact}");
            for (at, (line, places)) in text.lines().zip(places).enumerate() {
                count += 1;
                // The text of some template line must be in the output line, or that line prints a value.
                let fits = places.iter().any(|place| {
                    line.trim().is_empty()
                        || place.text.contains("{{")
                        || literals(&place.text)
                            .iter()
                            .any(|literal| line.contains(literal.as_str()))
                });
                if !fits {
                    let places: Vec<String> = places
                        .iter()
                        .map(|place| format!("{}:{}: {}", place.file, place.line, place.text))
                        .collect();
                    complaints.push(format!("{name} {artifact}:{}: `{line}` from {places:?}", at + 1));
                }
            }
        }
    }
    assert!(count > 5000, "only {count} lines");
    expect_none(&complaints);
}

/// Changed lines by artifact, found without the code under test.
fn changed(old: &Rendered<'_>, new: &Rendered<'_>) -> BTreeMap<String, Change> {
    let mut found = BTreeMap::new();
    for (entry, text) in old.plan.entries.iter().zip(&old.texts) {
        let Some(path) = &entry.path else { continue };
        let twin = new.plan.entries.iter().zip(&new.texts).find(|(other, _)| {
            (&other.template.path, other.server, &other.each)
                == (&entry.template.path, entry.server, &entry.each)
        });
        let mut change = Change::default();
        match twin {
            None => {
                change.gone = true;
                change.lines = (1..=text.lines().count()).collect();
            }
            Some((_, new)) => {
                let diff = similar::TextDiff::from_lines(text, new);
                for operation in diff.ops() {
                    let range = operation.old_range();
                    match operation.tag() {
                        similar::DiffTag::Equal => {}
                        similar::DiffTag::Insert => {
                            change.inserted_before.insert(range.start + 1);
                        }
                        similar::DiffTag::Delete | similar::DiffTag::Replace => {
                            change.lines.extend(range.map(|at| at + 1));
                        }
                    }
                }
            }
        }
        if !change.is_empty() {
            found.insert(path.to_string(), change);
        }
    }
    found
}

/// A random edit of a written value that keeps its form, and how YAML writes it.
fn edit(random: &mut Random, leaf: &Leaf) -> Option<(Value, String)> {
    let others: Vec<&Alternative> = leaf
        .alternatives
        .iter()
        .filter(|other| !matches!(other, Alternative::Removed))
        .collect();
    if others.is_empty() || leaf.value.is_null() {
        return None;
    }
    let value = match random.pick(&others) {
        Alternative::Named(value) => value.clone(),
        Alternative::Fresh(Value::String(text)) => {
            let (letter, digit) = (
                b'a' + u8::try_from(random.next() % 26).ok()?,
                random.next() % 90 + 10,
            );
            let small = format!("{}{digit}", char::from(letter));
            text.replace("q7", &small)
                .replace("Q7", &small.to_uppercase())
                .into()
        }
        Alternative::Fresh(Value::Number(_)) => (20_000 + random.next() % 20_000).into(),
        Alternative::Fresh(_) | Alternative::Removed => return None,
    };
    let written = value.as_str().map_or_else(
        || value.to_string(),
        |text| format!("'{}'", text.replace('\'', "''")),
    );
    (value != leaf.value).then_some((value, written))
}

/// `--impact` before an edit against what the edit does, over random edits of the shipped inventories.
#[test]
fn predicted_impact_is_what_the_edit_does() {
    const WANTED: usize = 500;
    let compiler = compiler();
    let originals: Vec<(String, Sources, Loaded, Rendered<'_>)> = names()
        .into_iter()
        .map(|name| {
            let (sources, loaded, rendered) = compile(&compiler, &shipped(), &name).expect("compiles");
            (name, sources, loaded, rendered)
        })
        .collect();
    let explorers: Vec<(&String, Explorer<'_>, &Sources, &Rendered<'_>)> = originals
        .iter()
        .map(|(name, sources, loaded, rendered)| {
            let explorer = Explorer::new(compiler.templates(), compiler.schema(), loaded, sources, rendered);
            (name, explorer, sources, rendered)
        })
        .collect();
    let mut random = Random(20_261_205);
    let mut tried = 0;
    let mut accepted: Vec<(bool, Option<String>)> = Vec::new();
    // Everything that depends on a place is asked for once.
    let impacts: Mutex<BTreeMap<(String, String, usize), Arc<Impact>>> = Mutex::default();
    while accepted.len() < WANTED && tried < WANTED * 3 {
        let mut edits = Vec::new();
        while edits.len() < 100 {
            let (name, explorer, sources, rendered) = random.pick(&explorers);
            let leaf = random.pick(explorer.leaves());
            if let (Origin::Written(span), Some((value, written))) = (leaf.origin, edit(&mut random, leaf)) {
                edits.push((*name, explorer, *sources, *rendered, leaf, span, value, written));
            }
        }
        tried += edits.len();
        let outcomes: Vec<Option<(bool, Option<String>)>> = edits
            .par_iter()
            .map(
                |(name, explorer, sources, rendered, leaf, span, value, written)| {
                    let (file, position) = sources.locate(*span).expect("a place");
                    let mut files = shipped();
                    let text = String::from_utf8(files.files[file].clone()).expect("UTF-8");
                    let mut edited = text.clone();
                    edited.replace_range(span.range(), written);
                    files.files.insert(file.to_owned(), edited.into_bytes());
                    // An edit that is refused changes nothing.
                    let (_, _, new) = compile(&compiler, &files, name)?;
                    let actual = changed(rendered, &new);
                    // `--to` with the very value: exactly what the edit does.
                    let exact = explorer.predict(&leaf.pointer, value);
                    let place = ((*name).clone(), file.to_owned(), position.line);
                    let known = impacts.lock().expect("alive").get(&place).cloned();
                    let impact = known.unwrap_or_else(|| {
                        let impact = Arc::new(explorer.impact(file, position.line, None));
                        impacts.lock().expect("alive").insert(place, Arc::clone(&impact));
                        impact
                    });
                    let mut complaint = String::new();
                    if exact != actual {
                        writeln!(complaint, "predicted {exact:?}\nactual {actual:?}").expect("a String");
                    }
                    let section = impact
                        .values
                        .iter()
                        .find(|section| {
                            section.value.line == Some(position.line)
                                && section.value.column == Some(position.column)
                        })
                        .expect("a section");
                    let actual: Vec<Reached> = actual
                        .into_iter()
                        .map(|(path, change)| Reached {
                            path,
                            gone: change.gone,
                            lines: change.lines.into_iter().collect(),
                            inserted_before: change.inserted_before.into_iter().collect(),
                        })
                        .collect();
                    let same = actual.is_empty() || section.edits.iter().any(|edit| edit.artifacts == actual);
                    if !same && !leaf.value.is_number() {
                        // Another value of the same form may cross a threshold, but must not reach a line nobody named. (A
                        // number may also sort elsewhere in a list; `--to` predicts that exactly.)
                        let named: BTreeSet<(&str, usize)> = section
                            .edits
                            .iter()
                            .flat_map(|edit| &edit.artifacts)
                            .flat_map(|reached| {
                                reached.lines.iter().map(|line| (reached.path.as_str(), *line))
                            })
                            .collect();
                        for reached in &actual {
                            let lines = reached
                                .lines
                                .iter()
                                .filter(|line| !named.contains(&(reached.path.as_str(), **line)));
                            for line in lines {
                                writeln!(complaint, "--impact misses {}:{line}", reached.path)
                                    .expect("a String");
                            }
                        }
                    }
                    let complaint = (!complaint.is_empty()).then(|| {
                        format!(
                            "{file}:{} {} = {written}\n{complaint}",
                            position.line, leaf.pointer
                        )
                    });
                    Some((same, complaint))
                },
            )
            .collect();
        accepted.extend(outcomes.into_iter().flatten());
    }
    let same = accepted.iter().filter(|(same, _)| *same).count();
    // Nearly every edit does what one of those that were tried does; the others are numbers that sort elsewhere.
    assert!(
        same * 10 >= accepted.len() * 9,
        "only {same} of {} had a predicted outcome",
        accepted.len()
    );
    expect_none(
        &accepted
            .iter()
            .filter_map(|(_, complaint)| complaint.clone())
            .collect::<Vec<_>>(),
    );
    assert!(
        accepted.len() >= WANTED,
        "only {} edits were accepted",
        accepted.len()
    );
}

#[test]
fn stale_files_and_wrong_lines_are_reported() {
    let workspace = Workspace::new();
    for (name, bytes) in shipped().files {
        workspace.write(&name, std::str::from_utf8(&bytes).expect("UTF-8"));
    }
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let file = "out/acme-lab/servers/LAB01/nginx/nginx.conf";
    let path = workspace.folder().join(file);
    let text = std::fs::read_to_string(&path).expect("an artifact");
    let line = text
        .lines()
        .position(|line| line.contains("server_name"))
        .expect("a line")
        + 1;

    let ran = workspace.run(&["why", &format!("{file}:{line}")]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("templates/nginx/nginx.conf:"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("inventories/lab.yaml:"), "{}", ran.stdout);

    let ran = workspace.run(&["why", "--format", "json", &format!("{file}:{line}")]);
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(!answer["requirements"].as_array().expect("a list").is_empty());

    let ran = workspace.run(&["why", &format!("{file}:99999")]);
    assert!(ran.code == 1 && ran.stderr.contains("CB0951"), "{}", ran.stderr);
    let ran = workspace.run(&["why", "inventories/lab.yaml:3"]);
    assert!(ran.code == 1 && ran.stderr.contains("CB0950"), "{}", ran.stderr);
    let ran = workspace.run(&["why", "--impact", "inventories/lab.yaml:99999"]);
    assert!(ran.code == 1 && ran.stderr.contains("CB0953"), "{}", ran.stderr);

    std::fs::write(&path, format!("# by hand\n{text}")).expect("writable");
    let ran = workspace.run(&["why", &format!("{file}:{}", line + 1)]);
    assert!(ran.code == 0 && ran.stderr.contains("CB0952"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("now line {line}")), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("cbgen build inventories/lab.yaml"),
        "{}",
        ran.stderr
    );
    let ran = workspace.run(&["why", &format!("{file}:1")]);
    assert!(ran.code == 1 && ran.stderr.contains("CB0951"), "{}", ran.stderr);
}

/// What `cbgen why` says of the shipped `prod` inventory, built in a workspace of its own.
fn asked(arguments: &[&str]) -> crate::harness::Ran {
    let workspace = crate::harness::Workspace::new();
    crate::harness::write_tree(
        &workspace.folder().join("inventories"),
        &crate::harness::read_tree(&crate::harness::root().join("inventories")),
    );
    assert_eq!(workspace.run(&["build", "inventories/prod.yaml"]).code, 0);
    workspace.run(&[&["why"], arguments].concat())
}

#[test]
fn a_value_that_cannot_stand_there_gets_no_prediction() {
    let line = |key: &str| {
        let text =
            std::fs::read_to_string(crate::harness::root().join("inventories/prod.yaml")).expect("shipped");
        text.lines()
            .position(|line| line.trim_start().starts_with(key))
            .expect("a line")
            + 1
    };
    for (key, to, why) in [
        ("https_port:", "abc", "wrong form"),
        ("https_port:", "99999", "wrong form"),
        ("https_port:", "443", "it is the present value"),
        ("https_port:", "80", "[CB0330]"),
        ("high_availability:", "false", "[CB03"),
    ] {
        let place = format!("inventories/prod.yaml:{}", line(key));
        let ran = asked(&["--impact", &place, "--to", to]);
        assert_eq!(ran.code, 1, "{key} {to}: {}", ran.stdout);
        assert!(
            ran.stdout.contains("no answer: ") && ran.stdout.contains(why),
            "{key} {to}: {}",
            ran.stdout
        );
    }
    let place = format!("inventories/prod.yaml:{}", line("https_port:"));
    let ran = asked(&["--impact", &place, "--to", "8443"]);
    assert!(
        ran.code == 0 && ran.stdout.contains("nginx.conf"),
        "{}",
        ran.stdout
    );
}

#[test]
fn answers_about_layers_are_one_document() {
    let ran = asked(&[
        "--impact",
        "inventories/shared/hardening.yaml:5",
        "--format",
        "json",
    ]);
    let answers: serde_json::Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
    assert!(answers.is_array() || answers.is_object());
}

#[test]
fn files_and_lines_that_are_not_there_are_told_apart() {
    for (place, code, finding) in [
        ("nosuch.txt:3", 2, "cannot be read"),
        (
            "out/acme-prod/manifest.json:99999",
            1,
            "so there is no line 99999",
        ),
        ("out/acme-prod/SHA256SUMS:99999", 1, "so there is no line 99999"),
    ] {
        let ran = asked(&[place]);
        assert_eq!(ran.code, code, "{place}: {}", ran.stderr);
        assert!(ran.stderr.contains(finding), "{place}: {}", ran.stderr);
    }
}

/// An inventory that extends the layer but does not compile must not be missing from an answer that looks complete.
#[test]
fn inventories_with_mistakes_are_part_of_the_answer_about_their_layer() {
    let workspace = Workspace::new();
    for (name, bytes) in shipped().files {
        workspace.write(&name, std::str::from_utf8(&bytes).expect("UTF-8"));
    }
    let layer = "inventories/shared/hardening.yaml";
    let line = |ran: &crate::harness::Ran| ran.stdout.matches(layer).count();
    let before = workspace.run(&["why", "--impact", &format!("{layer}:5")]);
    assert_eq!((before.code, before.stderr.as_str()), (0, ""));
    assert!(line(&before) > 0, "{}", before.stdout);

    let broken = "schema: cbgen/v1\nextends: shared/hardening.yaml\nbundle: { name: x }\nnonsense: 1\n";
    workspace.write("inventories/broken.yaml", broken);
    workspace.write("inventories/unrelated.yaml", "bundle: { name: y }\nnonsense: 1\n");
    workspace.write("inventories/other.yaml", "nonsense: 1\n");
    for spelling in [layer, "./inventories//shared/./hardening.yaml"] {
        let ran = workspace.run(&["why", "--impact", &format!("{spelling}:5")]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("inventories/broken.yaml:4:1") && ran.stderr.contains("CB0201"),
            "{}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("unrelated") && !ran.stderr.contains("other.yaml"),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stdout, before.stdout);
    }
    let path = workspace.folder().join("inventories/broken.yaml");
    std::fs::write(path, b"bundle: { name: \xFC }\n").expect("writable");
    let ran = workspace.run(&["why", "--impact", &format!("{layer}:5")]);
    assert!(
        ran.code == 1 && ran.stderr.contains("CB0005") && ran.stderr.contains("broken.yaml"),
        "{}",
        ran.stderr
    );
}

/// Why the inventory of a tree is not found: the causes were looked at, so they are named.
#[test]
fn an_unclear_inventory_comes_with_its_causes() {
    let workspace = Workspace::new();
    for (name, bytes) in shipped().files {
        workspace.write(&name, std::str::from_utf8(&bytes).expect("UTF-8"));
    }
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let place = "out/acme-lab/servers/LAB01/nginx/nginx.conf:3";
    let text = std::fs::read_to_string(workspace.folder().join("inventories/lab.yaml")).expect("shipped");
    let check = |finding: &str| {
        let ran = workspace.run(&["why", place]);
        assert!(
            ran.code == 1 && ran.stderr.contains("CB0950") && ran.stderr.contains(finding),
            "{finding}: {}",
            ran.stderr
        );
    };
    workspace.write("inventories/lab.yaml", &format!("{text}nonsense: 1\n"));
    check("`inventories/lab.yaml` has errors, which `cbgen check inventories/lab.yaml` shows");
    workspace.write("inventories/lab.yaml", &text.replace("acme-lab", "acme-other"));
    check("`inventories/lab.yaml` makes the bundle `acme-other`");
    workspace.write("inventories/lab.yaml", &text);
    workspace.write("out/acme-lab/manifest.json", "<<<<<<< HEAD\n");
    check("`out/acme-lab/manifest.json` cannot be read: ");
}

#[test]
fn a_path_copied_from_windows_names_the_same_file() {
    let workspace = Workspace::new();
    for (name, bytes) in shipped().files {
        workspace.write(&name, std::str::from_utf8(&bytes).expect("UTF-8"));
    }
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    for (slashes, backslashes) in [
        (
            &["why", "out/acme-lab/servers/LAB01/nginx/nginx.conf:38"][..],
            &["why", r"out\acme-lab\servers\LAB01\nginx\nginx.conf:38"][..],
        ),
        (
            &["why", "--impact", "inventories/lab.yaml:21"],
            &["why", "--impact", r".\inventories\lab.yaml:21"],
        ),
    ] {
        let (wanted, found) = (workspace.run(slashes), workspace.run(backslashes));
        assert_eq!((found.code, found.stderr.as_str()), (0, ""));
        assert_eq!(found.stdout, wanted.stdout);
    }
}
