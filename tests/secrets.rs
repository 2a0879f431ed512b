//! The secret gate: a secret anywhere in an inventory or a template fails the run, and nothing ever prints it.

use std::collections::BTreeMap;

use cbgen::diag::Diagnostics;
use cbgen::driver::{Compiler, Run};
use cbgen::files::DiskFiles;
use cbgen::inventory::ReadInput;
use cbgen::inventory::alternatives::{Origin, leaves};
use cbgen::source::Sources;

use crate::harness::{Ran, Workspace, expect_none, read_tree, root};

/// The secret that must never be printed.
const CANARY: &str = "C4nary-7f3a91Zq";
const FORMATS: [&str; 5] = ["human", "short", "json", "sarif", "github"];

struct Folder(BTreeMap<String, Vec<u8>>);

impl ReadInput for Folder {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = usize::try_from(group >> (18 - 6 * place) & 63).expect("six bits");
            text.push(if place <= chunk.len() {
                char::from(LETTERS[index])
            } else {
                '='
            });
        }
    }
    text
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The secret as somebody might write it.
fn forms() -> [String; 5] {
    let plain = format!("Password={CANARY}");
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [
        base64(plain.as_bytes()),
        hexadecimal(plain.as_bytes()),
        base64(&wide),
        hexadecimal(&wide),
        plain,
    ]
}

/// What of the secret is in a text: the secret itself, or the beginning of one of its forms.
fn leak(text: &str) -> Option<String> {
    let beginnings = forms()
        .into_iter()
        .map(|form| form.chars().take(20).collect::<String>());
    let text = text.to_lowercase();
    std::iter::once(CANARY.to_owned())
        .chain(beginnings)
        .find(|piece| text.contains(&piece.to_lowercase()))
}

/// Runs the program in every message format; the last result is that of `short`.
fn check(workspace: &Workspace, arguments: &[&str], complaints: &mut Vec<String>) -> Ran {
    let mut last = None;
    for format in FORMATS
        .iter()
        .filter(|format| **format != "short")
        .chain(&["short"])
    {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--message-format", format]);
        let ran = workspace.run(&arguments);
        if ran.code != 1 {
            complaints.push(format!("{format}: status {}", ran.code));
        }
        for text in [&ran.stdout, &ran.stderr] {
            if let Some(piece) = leak(text) {
                let line = text.lines().find(|line| leak(line).is_some()).unwrap_or_default();
                let line: String = line.chars().take(300).collect();
                complaints.push(format!("{format}: prints `{piece}`: {line}"));
            }
        }
        last = Some(ran);
    }
    last.expect("there are formats")
}

#[test]
fn a_secret_in_any_field_of_an_inventory_is_refused_and_never_printed() {
    let tree = read_tree(&root().join("inventories"));
    let files: BTreeMap<String, Vec<u8>> = tree
        .into_iter()
        .map(|(name, bytes)| (format!("inventories/{name}"), bytes))
        .collect();
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let compiler =
        Compiler::new(&mut sources, &mut diagnostics, &DiskFiles::new(""), None).expect("templates");
    let mut run = Run {
        sources: &mut sources,
        diagnostics: &mut diagnostics,
        on_phase: &mut |_| (),
    };
    let folder = Folder(files.clone());
    let loaded = compiler
        .load(&mut run, &folder, "inventories/plant.yaml")
        .expect("a good inventory");
    let workspace = Workspace::new();
    let mut arguments = vec!["check".to_owned()];
    let mut seen = Vec::new();
    for leaf in leaves(compiler.schema(), &loaded) {
        // One item stands for its siblings.
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
        seen.push(field);
        let (file, _) = sources.locate(span).expect("a place");
        for (index, form) in forms().iter().enumerate() {
            let mut text = String::from_utf8(files[file].clone()).expect("UTF-8");
            text.replace_range(span.range(), &format!("'{form}'"));
            let case = format!("{}-{index}", seen.len());
            for (name, bytes) in &files {
                let bytes = if name == file { text.as_bytes() } else { bytes };
                workspace.write(
                    &format!("{case}/{name}"),
                    std::str::from_utf8(bytes).expect("UTF-8"),
                );
            }
            arguments.push(format!("{case}/inventories/plant.yaml"));
        }
    }
    assert!(seen.len() > 30, "only {} fields", seen.len());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut complaints = Vec::new();
    let ran = check(&workspace, &arguments, &mut complaints);
    for inventory in arguments.iter().skip(1) {
        let folder = inventory.split('/').next().unwrap_or_default();
        let refused = ran
            .stderr
            .lines()
            .any(|line| line.starts_with(&format!("{folder}/")) && line.contains(": error["));
        if !refused {
            complaints.push(format!(
                "{inventory} is accepted: field {}",
                seen[folder_number(folder) - 1]
            ));
        }
    }
    let mut build = vec!["build"];
    build.extend(&arguments[1..10]);
    assert_eq!(workspace.run(&build).code, 1);
    assert!(!workspace.folder().join("out").exists(), "something was written");
    expect_none(&complaints);
}

fn folder_number(folder: &str) -> usize {
    folder
        .split('-')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[test]
fn a_secret_in_a_template_is_refused_and_never_printed() {
    let mut complaints = Vec::new();
    for form in forms() {
        let workspace = Workspace::new();
        for (name, bytes) in read_tree(&root().join("inventories")) {
            workspace.write(
                &format!("inventories/{name}"),
                std::str::from_utf8(&bytes).expect("UTF-8"),
            );
        }
        let front = "---\ntitle: Report\nscope: deployment\npath: report.txt\nformat: text\neffect: read\nphase: verify\n---\n";
        workspace.write("templates/report.txt", &format!("{front}Value {form}\n"));
        // A syntax error on the same line must not show it either.
        workspace.write(
            "broken/report.txt",
            &format!("{front}Value {form} {{{{ nothing\n"),
        );
        for templates in ["templates", "broken"] {
            let ran = check(
                &workspace,
                &["check", "inventories/lab.yaml", "--templates", templates],
                &mut complaints,
            );
            if !ran.stderr.contains("CB0509") {
                complaints.push(format!("{templates}: {}", ran.stderr));
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn shipped_inventories_and_templates_hold_no_suspects() {
    let workspace = Workspace::new();
    for (name, bytes) in read_tree(&root().join("inventories")) {
        workspace.write(
            &format!("inventories/{name}"),
            std::str::from_utf8(&bytes).expect("UTF-8"),
        );
    }
    for inventory in ["prod", "plant", "lab", "branch"] {
        let ran = workspace.run(&[
            "check",
            &format!("inventories/{inventory}.yaml"),
            "--message-format",
            "short",
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}
