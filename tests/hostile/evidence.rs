//! `cbgen verify --evidence`: evidence of a real run, cut, changed, and written anew.

use std::fs;

use cbgen::change::evidence::{read, text};
use cbgen::change::journal::Record;
use cbgen::contract::runbook::{Runbook, Step};

use crate::harness::{Ran, Workspace, expect_none, read_tree, root, write_tree};

const FILE: &str = "evidence.jsonl";

/// A workspace with the evidence of a run, and the seal that `apply` printed.
fn applied() -> (Workspace, Vec<u8>, String) {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    assert_eq!(workspace.run(&["build", "lab.yaml", "-o", "out"]).code, 0);
    let file = r"server/C/Program Files (x86)/Virtual Hold Technology/VirtualHoldPub/EyeQueue/EyeQueue.url";
    workspace.write(file, "[InternetShortcut]\r\nURL=http://lab01/EyeQueue/\r\n");
    let runbook = fs::read(workspace.folder().join("out/acme-lab/runbook.json")).expect("a runbook");
    let runbook = Runbook::read(&runbook).expect("a runbook");
    let changes = |step: &&Step| {
        let path = step.artifact.as_ref();
        path.is_some_and(|path| path.as_str().ends_with("/EyeQueue.set.url"))
    };
    let step = runbook.steps.iter().find(changes).expect("a step for the file");
    let number = step.number.to_string();
    let place = [
        "--root", "server", "--server", "LAB01", "--from", &number, "--until", &number,
    ];
    let ran = workspace.run(&[&["apply", "out/acme-lab-2026.11.3.zip"][..], &place].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let marker = "seal for the change record: ";
    let seal = ran
        .stdout
        .split(marker)
        .nth(1)
        .expect("a seal")
        .lines()
        .next()
        .expect("a line");
    let state = workspace
        .folder()
        .join("server/C/ProgramData/cbgen/acme-lab/2026.11.3/evidence/run-0001.jsonl");
    let bytes = fs::read(state).expect("evidence");
    fs::write(workspace.folder().join(FILE), &bytes).expect("writable");
    (workspace, bytes, seal.trim().to_owned())
}

fn check(workspace: &Workspace, more: &[&str]) -> Ran {
    workspace.run(&[&["verify", "--evidence", FILE][..], more].concat())
}

#[test]
fn whole_evidence_says_what_it_is_of() {
    let (workspace, _, seal) = applied();
    let ran = check(&workspace, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    for words in [
        "run 1 of acme-lab 2026.11.3 on LAB01",
        "complete and unchanged",
        &seal,
        "compare with the change record",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    for given in [
        seal.clone(),
        seal.to_uppercase(),
        format!("{} {}", &seal[..32], &seal[32..]),
    ] {
        let ran = check(&workspace, &["--seal", &given]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stdout.contains("the one of the change record"),
            "{}",
            ran.stdout
        );
    }
    let ran = check(&workspace, &["--format", "json", "--seal", &seal]);
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(answer["is_whole"], true);
    assert_eq!(answer["seal_fits"], true);
    assert_eq!(answer["seal"], seal.as_str());
    assert_eq!(answer["place"], "LAB01");
    expect_none(&workspace.misfits("evidence", &ran.stdout));
    // A bundle answers in the same format.
    let ran = workspace.run(&["verify", "out/acme-lab-2026.11.3.zip", "--format", "json"]);
    let bundle: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(bundle["seal"], answer["bundle_seal"]);
    expect_none(&workspace.misfits("verify", &ran.stdout));
}

#[test]
fn mistakes_at_the_command_line_end_with_status_2() {
    let (workspace, _, seal) = applied();
    for arguments in [
        &["verify", "--evidence", "nothing.jsonl"][..],
        &["verify", "--evidence", "out"],
        &["verify", "--evidence", FILE, "--seal", &seal[..12]],
        &["verify", "--evidence", FILE, "--seal", "zulu"],
        &["verify", "out/acme-lab", "--evidence", FILE],
        &["verify", "out/acme-lab", "--seal", &seal],
        &["verify"],
    ] {
        assert_eq!(workspace.run(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn every_cut_and_every_changed_byte_is_refused() {
    let (workspace, good, seal) = applied();
    assert!(read(&good).is_ok());
    for at in 0..good.len() {
        assert!(read(&good[..at]).is_err(), "cut at {at}");
        for change in [1, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= change;
            assert!(read(&bytes).is_err(), "byte {at} ^ {change}");
        }
    }
    // The same through the program, with its words: at the borders of lines and here and there between.
    let borders: Vec<usize> = good
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'\n' || at % 211 == 0)
        .map(|(at, _)| at)
        .collect();
    for at in borders {
        let mut changed = good.clone();
        changed[at] ^= 1;
        for bytes in [&good[..at], &changed] {
            fs::write(workspace.folder().join(FILE), bytes).expect("writable");
            let ran = check(&workspace, &["--message-format", "short", "--seal", &seal]);
            assert_eq!(ran.code, 1, "at {at}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains("[CB1270]: line "), "{}", ran.stderr);
            assert!(!ran.stdout.contains("unchanged"), "{}", ran.stdout);
            let ran = check(&workspace, &["--format", "json", "--quiet"]);
            let answer: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
            assert_eq!((ran.code, &answer["is_whole"]), (1, &serde_json::json!(false)));
            assert!(answer["flaws"][0]["line"].is_number(), "{}", ran.stdout);
        }
    }
}

#[test]
fn evidence_that_was_written_anew_does_not_have_the_seal() {
    let (workspace, good, seal) = applied();
    let mut evidence = read(&good).expect("whole");
    for line in &mut evidence.lines {
        if let Record::Begin { by, .. } = &mut line.record {
            by.user = "somebody\u{1b}[2Jelse".into();
        }
    }
    let (forged, _) = text(1, &evidence.lines);
    fs::write(workspace.folder().join(FILE), forged).expect("writable");
    for arguments in [
        &["verify", "--evidence", FILE][..],
        &["status", "--evidence", FILE],
    ] {
        let ran = workspace.run(&[arguments, &["--color", "always"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stdout.contains("somebody") && !ran.stdout.contains("\u{1b}[2J"),
            "{:?}",
            ran.stdout
        );
    }
    let ran = check(&workspace, &["--seal", &seal, "--message-format", "short"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("was written anew") && ran.stderr.contains(&seal),
        "{}",
        ran.stderr
    );
    // Without a beginning it is of nothing.
    let (headless, _) = text(1, &evidence.lines[1..]);
    fs::write(workspace.folder().join(FILE), headless).expect("writable");
    for command in ["verify", "status"] {
        let ran = workspace.run(&[command, "--evidence", FILE, "--message-format", "short"]);
        assert!(
            ran.code == 1 && ran.stderr.contains("the beginning of the run is missing"),
            "{command}: {} {}",
            ran.code,
            ran.stderr
        );
    }
    // A file of nothing but line feeds has few findings.
    fs::write(workspace.folder().join(FILE), vec![b'\n'; 1 << 20]).expect("writable");
    let ran = check(&workspace, &["--message-format", "short"]);
    assert!(
        ran.code == 1 && ran.stderr.lines().count() < 200,
        "{}",
        ran.stderr.len()
    );
}
