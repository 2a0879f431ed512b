//! How long edits of vendor files take, and whether the cost of a byte stays the same in large files.
//!
//! `all_of_prod` does every edit that `inventories/prod.yaml` compiles to, each on a file of real size: the sample of the
//! tests, padded with what such files hold. The other rows show one format at several sizes; throughput is bytes per second
//! and should not fall. These are measurements, never assertions.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the shipped output and the samples of the tests"
)]

use std::path::Path;

use cbgen::contract::manifest::Manifest;
use cbgen::formats::edits::{EditKind, Edits};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Text that makes a sample as long as a real file, in the syntax of its format, with the place it goes to.
fn padded(kind: EditKind, sample: &str, size: usize) -> Vec<u8> {
    let many = |line: &dyn Fn(usize) -> String, length: usize| -> String {
        let count = size.saturating_sub(sample.len()) / length.max(1);
        (0..count).map(line).collect()
    };
    let text = match kind {
        EditKind::Terms => {
            let terms = many(
                &|n| format!("{{setting_{n:06}, [{{value, \"text {n}\"}}, {{limit, {n}}}]}}.\n"),
                52,
            );
            format!("{sample}\n{terms}")
        }
        EditKind::YamlLines => format!(
            "{sample}\n{}",
            many(&|n| format!(":setting_{n:06}: 'text'\n"), 24)
        ),
        EditKind::IniLines => format!(
            "{sample}\n[Padding]\n{}",
            many(&|n| format!("Setting{n:06}=text\n"), 19)
        ),
        EditKind::References => format!(
            "{sample}\n{}",
            many(&|n| format!("// line {n:06} of a script: 1234\n"), 32)
        ),
        EditKind::Xdt => {
            let keys = many(
                &|n| format!("    <add key=\"Setting{n:06}\" value=\"some text of a setting\" />\n"),
                62,
            );
            sample.replacen("<appSettings>", &format!("<appSettings>\n{keys}"), 1)
        }
        EditKind::JsonKeys => {
            let keys = many(
                &|n| format!("  \"setting{n:06}\": {{\"value\": [1, 2, 3]}},\n"),
                40,
            );
            sample.replacen('{', &format!("{{\n{keys}"), 1)
        }
    };
    text.into_bytes()
}

/// The sample of the tests for an artifact of a bundle.
fn sample(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let (file, folder) = match parts.as_slice() {
        [.., folder, file] => (*file, *folder),
        _ => unreachable!("a path in a bundle has folders"),
    };
    let name = match file {
        "site.config.set" | "site.config.driver.set" => format!("{folder}.site.config"),
        "web.config.xdt" | "web.config.x-frame-options.xdt" => format!("{folder}.web.config"),
        "Web.config.xdt" => format!("{folder}.Web.config"),
        "settings.js.json" => "settings.js".to_owned(),
        other => other.trim_end_matches(".xdt").replace(".set.", "."),
    };
    let place = root().join("tests/fixtures/vendor").join(name);
    std::fs::read_to_string(&place).expect("a sample for every edit")
}

/// Every edit of the shipped production bundle with a file: 2 MB for one `web.config`, 20 KB for the others.
fn prod() -> Vec<(Edits, Vec<u8>)> {
    let folder = root().join("out/acme-prod");
    let manifest = std::fs::read(folder.join("manifest.json")).expect("the shipped bundle");
    let manifest = Manifest::read(&manifest).expect("a manifest");
    let mut large = false;
    let mut all = Vec::new();
    for artifact in &manifest.artifacts {
        let Some(kind) = EditKind::of(artifact.format).filter(|_| artifact.effect.edits()) else {
            continue;
        };
        let path = artifact.path.as_str();
        let text = std::fs::read_to_string(folder.join(path)).expect("a text");
        let is_large = !large && path.ends_with("EyeQueue/web.config.xdt");
        large |= is_large;
        let size = if is_large { 2 << 20 } else { 20 << 10 };
        let edits = Edits::read(kind, &text).expect("edits");
        all.push((edits, padded(kind, &sample(path), size)));
    }
    all
}

#[divan::bench]
fn all_of_prod(bencher: Bencher<'_, '_>) {
    let all = prod();
    let bytes: usize = all.iter().map(|(_, file)| file.len()).sum();
    assert_eq!(all.len(), 54, "the edits of the shipped bundle");
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for (edits, file) in &all {
            drop(divan::black_box(edits.apply(file).expect("done")));
        }
    });
}

fn one(bencher: Bencher<'_, '_>, kind: EditKind, edits: &str, sample: &str, size: usize) {
    let edits = Edits::read(kind, edits).expect("edits");
    let file = padded(kind, sample, size);
    bencher
        .counter(BytesCount::new(file.len()))
        .bench_local(|| edits.apply(&file).expect("done"));
}

const SIZES: [usize; 3] = [1 << 17, 1 << 20, 1 << 23];

#[divan::bench(args = SIZES)]
fn xdt(bencher: Bencher<'_, '_>, size: usize) {
    one(
        bencher,
        EditKind::Xdt,
        "<configuration xmlns:xdt=\"http://schemas.microsoft.com/XML-Document-Transform\"><appSettings>\
         <add key=\"Host\" value=\"y\" xdt:Locator=\"Match(key)\" xdt:Transform=\"SetAttributes(value)\" />\
         </appSettings></configuration>",
        "<configuration><appSettings><add key=\"Host\" value=\"x\" /></appSettings></configuration>",
        size,
    );
}

#[divan::bench(args = SIZES)]
fn erlang(bencher: Bencher<'_, '_>, size: usize) {
    one(
        bencher,
        EditKind::Terms,
        "[{set, [driver], \"x\"}].\n",
        "[{driver, 1}].",
        size,
    );
}

#[divan::bench(args = SIZES)]
fn yaml(bencher: Bencher<'_, '_>, size: usize) {
    one(bencher, EditKind::YamlLines, ":host: 'x'\n", ":host: y", size);
}

#[divan::bench(args = SIZES)]
fn json(bencher: Bencher<'_, '_>, size: usize) {
    one(
        bencher,
        EditKind::JsonKeys,
        "{\"a\": {\"b\": 1}}",
        "{\"a\": {\"b\": 0}}",
        size,
    );
}

#[divan::bench(args = SIZES)]
fn ini(bencher: Bencher<'_, '_>, size: usize) {
    one(bencher, EditKind::IniLines, "[A]\nb=1\n", "[A]\nb=0", size);
}

#[divan::bench(args = SIZES)]
fn script(bencher: Bencher<'_, '_>, size: usize) {
    let edits = "{\"rewrites\":[{\"port\":2800,\"to\":\"https://h/a\"}],\"boundary\":\"not-a-digit\",\"when_absent\":\"report\"}";
    one(bencher, EditKind::References, edits, "a = 'http://s:2800';", size);
}
