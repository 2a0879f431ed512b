//! The archive as engineers check it: `unzip`, `sha256sum`, and the scripts of the bundle for stock Windows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cbgen::formats::Format;

use super::expect_all;
use super::subjects;
use crate::harness::write_tree;
use crate::scripts::machine::{Answer, Call, Machine, Outcome};
use crate::support::bundles::{Built, bundle, shipped};
use crate::support::program::{finish, folder, program, write};
use crate::support::subject::{Subject, Verdict, format_of};

/// `sha256sum -c` in an unpacked archive.
fn summed(folder: &Path) -> (bool, String) {
    let mut command = program("sha256sum");
    let ran = finish(
        command
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(folder),
    );
    (ran.code == 0, ran.stdout + &ran.stderr)
}

/// `sha256sum` in the unpacked archive with this text in the place of its own.
pub(crate) fn sums(subject: &Subject) -> Verdict {
    let folder = folder();
    write_tree(folder.path(), &subject.built.deployed);
    write(&folder.path().join(&subject.path), subject.bytes()?);
    match summed(folder.path()) {
        (true, _) => Ok(()),
        (false, said) => Err(said),
    }
}

#[test]
fn sums_hold_in_the_unpacked_archive_and_show_every_change() {
    for built in shipped() {
        let folder = folder();
        write_tree(folder.path(), &built.deployed);
        assert_eq!(summed(folder.path()), (true, String::new()), "{}", built.name);
        let listed = String::from_utf8(built.deployed["SHA256SUMS"].clone()).expect("ASCII");
        let listed: BTreeSet<&str> = listed
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(_, path)| path)
            .collect();
        let there: BTreeSet<&str> = built
            .deployed
            .keys()
            .map(String::as_str)
            .filter(|path| *path != "SHA256SUMS")
            .collect();
        assert_eq!(listed, there, "{}", built.name);
        let runbook = folder.path().join("RUNBOOK.md");
        write(&runbook, [&built.deployed["RUNBOOK.md"][..], b" "].concat());
        assert!(!summed(folder.path()).0, "a changed file");
        fs::remove_file(&runbook).expect("was there");
        assert!(!summed(folder.path()).0, "a missing file");
    }
}

/// The digest of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How `certutil` writes digests: up to Windows Server 2012 R2 with a blank after every two digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    Joined,
    Spaced,
}

/// What `certutil` and `findstr` answer; they are not part of Wine, or do less there. A file that is gone cannot be read,
/// nor can an empty one.
fn tool(machine: &Machine, call: &Call, digits: Digits) -> Answer {
    let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    let file = |name: &str| {
        let path = if name.contains(':') {
            machine.unix(name)
        } else {
            machine.bundle(&name.replace('\\', "/"))
        };
        fs::read(path).unwrap_or_default()
    };
    let lines = |name: &str| -> Vec<String> {
        String::from_utf8_lossy(&file(name))
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    match (call.program.as_str(), words.as_slice()) {
        ("certutil", ["-hashfile", name, "SHA256"]) => {
            let bytes = file(name);
            if bytes.is_empty() || bytes == LOCKED {
                return Answer::Code(1, "CertUtil: -hashfile command FAILED\r\n".to_owned());
            }
            let mut digest = digest(&bytes);
            if digits == Digits::Spaced {
                let pairs: Vec<&str> = (0..32).map(|at| &digest[2 * at..2 * at + 2]).collect();
                digest = pairs.join(" ");
            }
            Answer::Code(
                0,
                format!(
                    "SHA256 hash of {name}:\r\n{digest}\r\nCertUtil: -hashfile command completed successfully.\r\n"
                ),
            )
        }
        ("findstr", ["/i", "/x", "/l", wanted, name]) => {
            let wanted = lines(wanted.strip_prefix("/g:").unwrap_or_default());
            let found = lines(name)
                .iter()
                .any(|line| wanted.iter().any(|text| text.eq_ignore_ascii_case(line)));
            Answer::Code(i32::from(!found), String::new())
        }
        ("findstr", [kind, pattern, name]) => {
            let pattern = pattern.strip_prefix("/c:").unwrap_or_default();
            let fits = |line: &String| match (*kind, pattern) {
                ("/l", text) => line.contains(text),
                ("/r", class) if class.starts_with('[') => {
                    line.chars().any(|c| class.trim_matches(['[', ']']).contains(c))
                }
                ("/r", _) => line.contains("\"id\": \""),
                other => panic!("findstr {other:?}"),
            };
            let found: Vec<String> = lines(name).into_iter().filter(fits).collect();
            Answer::Code(i32::from(found.is_empty()), found.join("\r\n"))
        }
        other => panic!("{other:?} is not known here"),
    }
}

/// Files of the bundle the script is tried on: each costs two programs of Wine, so a few have to do.
const FEW: &[&str] = &[
    "RUNBOOK.md",
    "manifest.json",
    "servers/LAB01/nginx/nginx.conf",
    "servers/LAB01/registry/tls-1.2.reg",
    "servers/LAB01/config/Core Monitor/site.config.driver.set",
    "verify.cmd",
];

/// A file with this in it stands for one another program keeps open.
const LOCKED: &[u8] = b"locked";

/// Runs `verify.cmd` in a small unpacked bundle after something was done to it.
fn verified(text: &[u8], digits: Digits, change: impl FnOnce(&Machine)) -> Outcome {
    let machine = Machine::new("MGMT01", &bundle("lab").archive, &["certutil", "findstr"]);
    let list = fs::read_to_string(machine.bundle("SHA256SUMS")).expect("a list");
    let (few, rest): (Vec<&str>, Vec<&str>) = list
        .lines()
        .partition(|line| FEW.iter().any(|name| line.ends_with(&format!("  {name}"))));
    assert_eq!(few.len(), FEW.len());
    for line in rest {
        fs::remove_file(machine.bundle(&line[66..])).expect("was there");
    }
    write(&machine.bundle("SHA256SUMS"), few.join("\n") + "\n");
    write(&machine.bundle("verify.cmd"), text);
    change(&machine);
    machine.run("verify.cmd", |_, call| tool(&machine, call, digits))
}

/// A program that the bundle brings along is a file of the list like the others, so the script tells another one.
#[test]
fn a_program_in_the_bundle_is_checked_before_it_is_started() {
    let own = &bundle("lab").deployed["verify.cmd"];
    let with = |listed: &[u8], there: &[u8]| {
        verified(own, Digits::Joined, |machine| {
            let list = machine.bundle("SHA256SUMS");
            let text = fs::read_to_string(&list).expect("a list");
            write(&list, format!("{}  cbgen.exe\n{text}", digest(listed)));
            write(&machine.bundle("cbgen.exe"), there);
        })
    };
    let good = with(b"MZ program", b"MZ program");
    assert!(
        good.code == 0 && good.output.contains("complete and unchanged"),
        "{} {}",
        good.code,
        good.output
    );
    let bad = with(b"MZ program", b"MZ another");
    assert!(
        bad.code == 1 && bad.output.contains("changed  \"cbgen.exe\""),
        "{} {}",
        bad.code,
        bad.output
    );
}

/// The script says yes to the bundle, and names what was changed, is missing, or does not belong there.
pub(crate) fn verify_cmd(subject: &Subject) -> Verdict {
    let own = subject.bytes()?;
    let complain =
        |what: &str, outcome: &Outcome| Err(format!("{what}: {} {}", outcome.code, outcome.output));
    let changed = own != subject.built.deployed["verify.cmd"];
    // A changed script is in the list itself; its sum is set right, so that only what it does is judged.
    let set_right = |machine: &Machine| {
        if changed {
            let list = fs::read_to_string(machine.bundle("SHA256SUMS")).expect("a list");
            let list = list.replace(&digest(&subject.built.deployed["verify.cmd"]), &digest(&own));
            write(&machine.bundle("SHA256SUMS"), list);
        }
    };
    // The server of this bundle runs Windows 2012 R2. One file is empty, which certutil refuses.
    let good = verified(&own, Digits::Spaced, |machine| {
        set_right(machine);
        let (name, list) = (machine.bundle(FEW[2]), machine.bundle("SHA256SUMS"));
        let before = digest(&fs::read(&name).expect("a file"));
        let text = fs::read_to_string(&list).expect("a list");
        write(&list, text.replace(&before, EMPTY));
        write(&name, "");
    });
    if good.code != 0 || !good.output.contains("complete and unchanged") {
        return complain("an unchanged bundle", &good);
    }
    let locked = verified(&own, Digits::Joined, |machine| {
        set_right(machine);
        write(&machine.bundle(FEW[2]), LOCKED);
    });
    // Wine's `call` turns every failure into 1, so the words have to tell a failure of the check from its verdict.
    let named = "cannot be read  \"servers/LAB01/nginx/nginx.conf\"";
    let words = [named, "The check could not be completed."];
    if locked.code == 0 || !words.iter().all(|text| locked.output.contains(text)) {
        return complain("an unreadable file", &locked);
    }
    let bad = verified(&own, Digits::Joined, |machine| {
        set_right(machine);
        write(&machine.bundle("servers/LAB01/nginx/nginx.conf"), "changed");
        fs::remove_file(machine.bundle("RUNBOOK.md")).expect("was there");
        write(&machine.bundle("servers/LAB01/extra.reg"), "extra");
    });
    let named = [
        "changed  \"servers/LAB01/nginx/nginx.conf\"",
        "missing  \"RUNBOOK.md\"",
        "extra.reg",
    ];
    let calm = bad.output.contains("complete and unchanged");
    if bad.code == 1 && !calm && named.iter().all(|text| bad.output.contains(text)) {
        Ok(())
    } else {
        complain("a broken bundle", &bad)
    }
}

/// Commands Windows PowerShell 5.1 has without any module being installed.
const CMDLETS: &[&str] = &[
    "ConvertFrom-Json",
    "Get-ChildItem",
    "Get-Content",
    "Get-FileHash",
    "Get-Item",
    "Join-Path",
    "Out-String",
    "Remove-Item",
    "Set-Content",
    "Sort-Object",
    "Test-Path",
    "Write-Output",
];

/// `verify.ps1` calls nothing that a stock Windows lacks, and only functions of its own beside that.
pub(crate) fn verify_ps1(subject: &Subject) -> Verdict {
    let code: Vec<&str> = subject
        .text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let code = code.join("\n");
    for word in code.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let verb_and_noun = word.split_once('-').filter(|(verb, noun)| {
            verb.starts_with(|c: char| c.is_ascii_uppercase())
                && noun.starts_with(|c: char| c.is_ascii_uppercase())
        });
        let own = code.contains(&format!("function {word}("));
        if verb_and_noun.is_some() && !own && !CMDLETS.contains(&word) {
            return Err(format!("{word} is not part of Windows PowerShell 5.1"));
        }
    }
    for word in [
        "Invoke-Expression",
        "Add-Type",
        "Import-Module",
        "DownloadString",
        "::",
    ] {
        if code.contains(word) {
            return Err(format!("`{word}` has no place in a check"));
        }
    }
    if code.contains("SHA256SUMS") && code.contains("Get-FileHash") && code.contains("exit $exitCode") {
        Ok(())
    } else {
        Err("it does not compare digests".to_owned())
    }
}

#[test]
fn the_script_for_stock_windows_finds_every_change() {
    verify_cmd(&Subject::new("lab", "verify.cmd")).expect("works");
}

#[test]
fn the_power_shell_script_needs_nothing_that_is_not_there() {
    let scripts =
        subjects(|built: &Built, path| path == "verify.ps1" && format_of(built, path) == Format::PowerShell);
    expect_all(&scripts, verify_ps1);
}

#[test]
fn every_bundle_has_the_same_verification() {
    let first = &bundle("lab").deployed;
    for built in shipped() {
        for name in ["verify.cmd", "verify.ps1"] {
            assert_eq!(built.deployed[name], first[name], "{}: {name}", built.name);
        }
    }
}
