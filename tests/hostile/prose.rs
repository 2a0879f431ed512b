//! A value with backticks stays a value wherever the runbook quotes it.

use std::collections::BTreeMap;

use cbgen::diag::Diagnostics;
use cbgen::driver::{Compiler, Run};
use cbgen::files::DiskFiles;
use cbgen::formats::prose::prose_html;
use cbgen::inventory::ReadInput;
use cbgen::inventory::alternatives::{Origin, leaves};
use cbgen::source::Sources;

use crate::harness::{Workspace, expect_none, read_tree, root};

struct Folder(BTreeMap<String, Vec<u8>>);

impl ReadInput for Folder {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

/// Leaves a code span of one backtick, and says something in bold behind it.
const VALUE: &str = "Zulu ` **EVIL** ` Zulu";

#[test]
fn a_value_does_not_leave_its_code_span() {
    let files: BTreeMap<String, Vec<u8>> = read_tree(&root().join("inventories")).into_iter().collect();
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let compiler =
        Compiler::new(&mut sources, &mut diagnostics, &DiskFiles::new(""), None).expect("templates");
    let mut run = Run {
        sources: &mut sources,
        diagnostics: &mut diagnostics,
        on_phase: &mut |_| (),
    };
    let loaded = compiler
        .load(&mut run, &Folder(files.clone()), "plant.yaml")
        .expect("a good inventory");
    let workspace = Workspace::new();
    let (mut cases, mut seen) = (Vec::new(), Vec::new());
    for leaf in leaves(compiler.schema(), &loaded) {
        let field: String = leaf
            .pointer
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect();
        let Origin::Written(span) = leaf.origin else {
            continue;
        };
        if !leaf.value.is_string() || seen.contains(&field) {
            continue;
        }
        let (file, _) = sources.locate(span).expect("a place");
        let mut text = String::from_utf8(files[file].clone()).expect("UTF-8");
        text.replace_range(span.range(), &format!("'{VALUE}'"));
        let case = format!("c{}", seen.len());
        for (name, bytes) in &files {
            let bytes = if name == file { text.as_bytes() } else { bytes };
            workspace.write(
                &format!("{case}/{name}"),
                std::str::from_utf8(bytes).expect("UTF-8"),
            );
        }
        seen.push(field.clone());
        cases.push((case, field));
    }
    let (mut complaints, mut accepted) = (Vec::new(), 0);
    for (case, field) in &cases {
        let inventory = format!("{case}/plant.yaml");
        let out = format!("{case}/out");
        if workspace.run(&["build", &inventory, "-o", &out, "--quiet"]).code != 0 {
            continue;
        }
        accepted += 1;
        let tree = read_tree(&workspace.folder().join(&out));
        for (name, bytes) in &tree {
            let Ok(text) = std::str::from_utf8(bytes) else {
                continue;
            };
            let shown = if name.ends_with("RUNBOOK.md") || name.ends_with("RUNBOOK-BY-HAND.md") {
                let lines = text.lines().filter(|line| line.contains("EVIL"));
                lines.filter_map(|line| prose_html(line).ok()).collect()
            } else if name.ends_with("runbook.html") {
                text.to_owned()
            } else {
                continue;
            };
            if shown.contains("<strong>EVIL") {
                complaints.push(format!("{field} in {name}"));
            }
        }
    }
    assert!(accepted > 2, "only {accepted} fields take a backtick");
    expect_none(&complaints);
}
