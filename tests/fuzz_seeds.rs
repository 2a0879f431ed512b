//! The functions of the fuzz targets, run over real files and over mutations of them.
//!
//! A fuzzer finds more, but is not everywhere. Here every target gets the same few thousand inputs each time; a failure prints
//! the input, which belongs into a unit test.

use std::panic::catch_unwind;

use cbgen::formats::Format;

use crate::edits::traps;
use crate::harness::{Workspace, read_tree, root};

#[path = "../fuzz/targets.rs"]
mod targets;

/// Mutated inputs for a target.
const MUTATIONS: usize = 2_000;
/// Longer seeds are cut: they find the same, more slowly.
const LONGEST: usize = 4_096;

/// Texts with a meaning somewhere.
const TOKENS: &[&str] = &[
    "\0",
    "\u{1b}",
    "\u{feff}",
    "\u{202e}",
    "\r\n",
    "\t",
    "\"",
    "'",
    "\\",
    "%",
    "%%",
    "!",
    "^",
    "&",
    "$",
    "$(",
    "`",
    "{{",
    "}}",
    "{%",
    "<!--",
    "-->",
    "]]>",
    "<?",
    "&#0;",
    "''",
    "--",
    "/*",
    "*/",
    "GO\n",
    "---\n",
    "...\n",
    "&a",
    "*a",
    "<<: ",
    "{a: ",
    "[",
    "é",
    "日本",
    "𝄞",
    "9999999999999999999",
    "-1",
    "1e999",
    "null",
    "call ",
    "goto :eof",
    "if (",
    ")",
    "@\"\n",
    "hex(7):",
    "PK\u{1}\u{2}",
    "PK\u{5}\u{6}",
    "../",
    "CON",
    ":",
    "#",
];

/// The generator of Marsaglia, "Xorshift RNGs" (2003): the same numbers every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("small");
        usize::try_from(self.next() % limit).expect("small")
    }
}

fn mutate(numbers: &mut Numbers, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut data = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(data.len() + 1);
        let end = (at + numbers.below(24)).min(data.len());
        match numbers.below(7) {
            0 if at < data.len() => data[at] ^= 1 << numbers.below(8),
            1 => drop(data.drain(at..end)),
            2 => {
                let piece = data[at..end].to_vec();
                data.splice(at..at, piece.repeat(1 + numbers.below(4)));
            }
            3 => data.truncate(at),
            4 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len());
                let piece = other[from..(from + 64).min(other.len())].to_vec();
                drop(data.splice(at..end, piece));
            }
            _ => {
                let token = TOKENS[numbers.below(TOKENS.len())];
                drop(data.splice(at..at, token.bytes()));
            }
        }
    }
    data
}

/// Runs a target over its seeds and over mutations of them.
#[track_caller]
fn check(name: &str, mut seeds: Vec<Vec<u8>>) {
    let (_, target) = targets::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a target");
    assert!(!seeds.is_empty(), "there are seeds");
    for seed in &mut seeds {
        let whole = seed.clone();
        run(name, *target, &whole);
        seed.truncate(LONGEST);
    }
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    // Compiling a template takes longer than reading a text.
    let mutations = if name == "template" {
        MUTATIONS / 4
    } else {
        MUTATIONS
    };
    for _ in 0..mutations {
        run(name, *target, &mutate(&mut numbers, &seeds));
    }
}

#[track_caller]
fn run(name: &str, target: fn(&[u8]), data: &[u8]) {
    assert!(
        catch_unwind(|| target(data)).is_ok(),
        "the target {name} fails for b\"{}\"",
        data.escape_ascii()
    );
}

/// The output of a shipped inventory, with the archive.
fn output() -> crate::harness::Tree {
    let workspace = Workspace::new();
    let inventories = read_tree(&root().join("inventories"));
    crate::harness::write_tree(&workspace.folder().join("inventories"), &inventories);
    let ran = workspace.run(&["build", "inventories/prod.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    read_tree(&workspace.folder().join("out"))
}

#[test]
fn inventories_are_read_or_refused() {
    let inventories = read_tree(&root().join("inventories"));
    check("yaml", inventories.into_values().collect());
}

#[test]
fn generated_texts_are_read_or_refused() {
    let output = output();
    let manifest: serde_json::Value =
        serde_json::from_slice(&output["acme-prod/manifest.json"]).expect("a manifest");
    let artifacts = manifest["artifacts"].as_array().expect("artifacts");
    let mut seeds = Vec::new();
    for (index, format) in Format::ALL.iter().enumerate() {
        let number = u8::try_from(index).expect("few formats");
        // An empty text is a seed of formats nothing is generated in.
        seeds.push(vec![number]);
        let of_format = artifacts
            .iter()
            .filter(|artifact| artifact["format"] == format.name());
        let paths = of_format.map(|artifact| artifact["path"].as_str().expect("a path"));
        for path in paths.take(4) {
            let text = &output[&format!("acme-prod/{path}")];
            seeds.push([&[number], text.as_slice()].concat());
        }
    }
    assert!(
        seeds.len() > 2 * Format::ALL.len(),
        "most formats have a real text"
    );
    check("items", seeds);
}

#[test]
fn quoting_is_refused_or_read_back() {
    let mut seeds: Vec<Vec<u8>> = TOKENS.iter().map(|token| token.as_bytes().to_vec()).collect();
    let values = [
        r"C:\Program Files (x86)\Virtual Hold Technology",
        r"SQL01\CALLBACK",
        "callback.acme.example",
        "O'Brien & Sons",
        "100 %",
        "a\"b'c",
        "%PATH%",
        "!x!",
        "CN=callback,O=Acme",
        "[a]",
        "",
        " ",
        "-",
        "/?",
        "x\\",
    ];
    seeds.extend(values.iter().map(|value| value.as_bytes().to_vec()));
    check("quote", seeds);
}

#[test]
fn archives_are_read_or_refused() {
    let mut archive = None;
    for (name, bytes) in output() {
        if name.ends_with(".zip") {
            archive = Some(bytes);
        }
    }
    let archive = archive.expect("an archive");
    // A short archive too, so that its directory is not cut away.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        ("manifest.json", "{}"),
        ("a/b.txt", "text\n"),
        ("RUNBOOK.md", "# A\n"),
    ] {
        writer
            .start_file(name, zip::write::SimpleFileOptions::default())
            .expect("a name");
        std::io::Write::write_all(&mut writer, text.as_bytes()).expect("memory");
    }
    let small = writer.finish().expect("an archive").into_inner();
    check("archive", vec![small, archive]);
}

#[test]
fn manifests_are_read_or_refused() {
    let long = output()["acme-prod/manifest.json"].clone();
    let small = include_bytes!("../compiler/bundle/samples/manifest.json").to_vec();
    check("manifest", vec![long, small]);
}

#[test]
fn templates_are_read_or_refused() {
    let templates = read_tree(&root().join("templates"));
    let whole = templates.into_iter().filter(|(name, _)| !name.contains("/_"));
    check("template", whole.map(|(_, bytes)| bytes).take(12).collect());
}

#[test]
fn edits_of_vendor_files_are_done_or_refused() {
    for (name, folder) in [
        ("edit_erlang", "erlang"),
        ("edit_ini", "ini"),
        ("edit_json", "json"),
        ("edit_references", "js"),
        ("edit_yaml", "yaml"),
    ] {
        let seeds = traps(folder)
            .into_iter()
            .map(|trap| [trap.edit.as_bytes(), &[targets::DIVIDER], &trap.file].concat());
        check(name, seeds.collect());
    }
}

#[test]
fn transforms_and_their_files_are_applied_or_refused() {
    let output = output();
    let generated = output
        .iter()
        .filter(|(name, _)| name.ends_with(".xdt"))
        .map(|(_, bytes)| bytes.clone());
    let vendor = read_tree(&root().join("tests/fixtures/vendor"));
    let files = vendor
        .into_iter()
        .filter(|(name, _)| name.ends_with("eb.config"))
        .map(|(_, bytes)| bytes);
    let corpus = std::fs::read_to_string(root().join("tests/edits/xdt/corpus.txt")).expect("the corpus");
    let pairs = corpus.lines().filter(|line| line.starts_with('<')).map(|line| {
        format!("<configuration xmlns:xdt=\"http://schemas.microsoft.com/XML-Document-Transform\">{line}</configuration>")
    });
    check(
        "xdt",
        generated
            .take(4)
            .chain(files.take(3))
            .chain(pairs.map(String::into_bytes))
            .collect(),
    );
}

#[test]
fn every_target_has_its_program() {
    let programs = read_tree(&root().join("fuzz/fuzz_targets"));
    let programs: Vec<_> = programs.keys().map(|name| name.trim_end_matches(".rs")).collect();
    let mut names: Vec<_> = targets::ALL.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, programs);
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("a manifest");
    for name in names {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "fuzz/Cargo.toml lacks {name}"
        );
    }
}
