//! How long builds take, and whether the cost of a server stays the same when there are many.
//!
//! `cargo bench` prints one row per size; the throughput column is servers per second and should not fall. These are
//! measurements, never assertions. The fleets are made from `inventories/prod.yaml`, with every artifact.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the shipped inventory and writes to a temporary folder"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// The shipped high-availability inventory without its servers and layers.
fn head(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("inventories/prod.yaml")).expect("the shipped inventory");
    let head = text.split("\nservers:\n").next().expect("a list of servers");
    head.replace("name: acme-prod", &format!("name: {name}"))
        .replace("extends: ", "extends: ../inventories/")
}

fn server(text: &mut String, name: &str, role: &str, upstream: Option<&str>) {
    let fqdn = name.to_lowercase();
    writeln!(text, "  - name: {name}\n    fqdn: {fqdn}.acme.example\n    roles: [{role}]\n    windows: 2016\n    dotnet: '4.7.1'")
        .expect("a String");
    if let Some(upstream) = upstream {
        writeln!(text, "    rabbitmq:\n      upstreams:\n        - name: {upstream}-upstream\n          server: {upstream}")
            .expect("a String");
    }
}

/// A folder with `count` inventories of two Core and two Management servers each.
fn fleet(count: usize) -> tempfile::TempDir {
    let folder = workspace();
    for index in 0..count {
        let mut text = head(&format!("site-{index:04}")) + "\nservers:\n";
        server(&mut text, "CORE01", "core", Some("CORE02"));
        server(&mut text, "CORE02", "core", Some("CORE01"));
        server(&mut text, "MGMT01", "management", None);
        server(&mut text, "MGMT02", "management", None);
        std::fs::write(folder.path().join(format!("fleet/site-{index:04}.yaml")), text).expect("writable");
    }
    folder
}

/// As [`fleet`], and nothing that may differ between sites is the same: names and FQDNs of servers, the address of the
/// proxy, database server, folder of the certificates, Common Name.
fn different_fleet(count: usize) -> tempfile::TempDir {
    let folder = fleet(count);
    for index in 0..count {
        let path = folder.path().join(format!("fleet/site-{index:04}.yaml"));
        let text = std::fs::read_to_string(&path).expect("readable");
        let text = text
            .replace("acme.example", &format!("site{index:04}.example"))
            .replace("CORE0", &format!("C{index:04}N"))
            .replace("core0", &format!("c{index:04}n"))
            .replace("MGMT0", &format!("M{index:04}N"))
            .replace("mgmt0", &format!("m{index:04}n"))
            .replace("SQL01", &format!("SQL{index:04}"))
            .replace("callback-mq", &format!("mq-{index:04}"))
            .replace(r"C:\certs\", &format!(r"C:\certs{index:04}\"));
        std::fs::write(path, text).expect("writable");
    }
    folder
}

/// A folder with one inventory of `count` Core servers and two Management servers.
fn large(count: usize) -> tempfile::TempDir {
    let folder = workspace();
    let mut text = head("large") + "\nservers:\n";
    for index in 0..count {
        let upstream = format!("CORE{:04}", (index + 1) % count);
        server(&mut text, &format!("CORE{index:04}"), "core", Some(&upstream));
    }
    server(&mut text, "MGMT01", "management", None);
    server(&mut text, "MGMT02", "management", None);
    std::fs::write(folder.path().join("fleet/large.yaml"), text).expect("writable");
    folder
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(folder.path().join("fleet")).expect("a folder");
    std::fs::create_dir_all(folder.path().join("inventories/shared")).expect("a folder");
    for entry in std::fs::read_dir(root.join("inventories/shared"))
        .expect("the layers")
        .flatten()
    {
        std::fs::copy(
            entry.path(),
            folder.path().join("inventories/shared").join(entry.file_name()),
        )
        .expect("copied");
    }
    folder
}

/// A whole process: every inventory of the folder, cold output folder.
fn build(folder: &Path) {
    let mut inventories: Vec<_> = std::fs::read_dir(folder.join("fleet"))
        .expect("the fleet")
        .flatten()
        .map(|entry| format!("fleet/{}", entry.file_name().to_string_lossy()))
        .collect();
    inventories.sort();
    let status = Command::new(env!("CARGO_BIN_EXE_cbgen"))
        .current_dir(folder)
        .arg("build")
        .args(inventories)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("cbgen starts");
    assert!(status.success(), "the build must succeed to be measured");
    std::fs::remove_dir_all(folder.join("out")).expect("the output");
}

#[divan::bench(args = [10, 100, 1000], sample_count = 3, sample_size = 1)]
fn inventories_of_four_servers(bencher: Bencher<'_, '_>, count: usize) {
    let folder = fleet(count);
    bencher
        .counter(ItemsCount::new(count * 4))
        .bench_local(|| build(folder.path()));
}

#[divan::bench(args = [10, 100, 1000], sample_count = 3, sample_size = 1)]
fn inventories_of_four_servers_all_different(bencher: Bencher<'_, '_>, count: usize) {
    let folder = different_fleet(count);
    bencher
        .counter(ItemsCount::new(count * 4))
        .bench_local(|| build(folder.path()));
}

#[divan::bench(args = [10, 100, 1000], sample_count = 3, sample_size = 1)]
fn core_servers_in_one_inventory(bencher: Bencher<'_, '_>, count: usize) {
    let folder = large(count);
    bencher
        .counter(ItemsCount::new(count + 2))
        .bench_local(|| build(folder.path()));
}
