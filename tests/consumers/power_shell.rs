//! `verify.ps1` in a model of Windows PowerShell 5.1: its grammar is read by a parser of its own, everything it uses is
//! looked up in a table of what 5.1 has, and it is followed in unpacked bundles. No PowerShell runs here: none can be
//! installed from where the tests install their programs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::harness::{Ran, root, write_tree};
use crate::support::bundles::{Built, bundle, bundles};
use crate::support::program::{finish, folder, program, write};
use crate::support::subject::{Subject, Verdict};

/// Follows a script in a folder.
fn follow(script: &[u8], bundle: &Path) -> Ran {
    let python = root().join("target/python/bin/python");
    assert!(
        python.is_file(),
        "the grammar of PowerShell is missing, tests/run installs it into target/python"
    );
    let own = folder();
    let (text, temporary) = (own.path().join("script.ps1"), own.path().join("temporary"));
    write(&text, script);
    fs::create_dir(&temporary).expect("a folder");
    let mut model = program(&python.display().to_string());
    model
        .arg("-B")
        .arg(root().join("tests/fixtures/power_shell/model.py"));
    let ran = finish(model.arg(&text).arg(bundle).arg(&temporary));
    assert!(ran.stderr.is_empty(), "the model does not go on: {}", ran.stderr);
    let left = fs::read_dir(&temporary).expect("a folder").count();
    assert!(ran.code == 70 || left == 0, "{left} temporary files stay");
    ran
}

/// What an unpacked bundle looks like, and what the script has to say: its exit code and lines of its output.
type Case = (&'static str, fn(&Path), i32, &'static [&'static str]);

fn list(folder: &Path, change: impl Fn(String) -> String) {
    let path = folder.join("SHA256SUMS");
    let text = fs::read_to_string(&path).expect("a list");
    write(&path, change(text));
}

const DIFFERENT: &str = "The bundle is NOT what was built. Do not apply it; get the zip again.";

const CASES: &[Case] = &[
    (
        "as it was built",
        |_| {},
        0,
        &[" files.", "The bundle is complete and unchanged."],
    ),
    (
        "with a signature",
        |folder| write(&folder.join("SHA256SUMS.sig"), "signed"),
        0,
        &["There is a signature, which this script cannot check; cbgen verify can."],
    ),
    (
        "with everything wrong at once",
        |folder| {
            write(&folder.join("RUNBOOK.md"), "changed");
            fs::remove_file(folder.join("servers/LAB01/nginx/nginx.conf")).expect("was there");
            write(&folder.join("servers/LAB01/new/extra.reg"), "extra");
            std::os::unix::fs::symlink("/", folder.join("elsewhere")).expect("a link");
        },
        1,
        &[
            "changed  RUNBOOK.md",
            "extra    servers/LAB01/new/extra.reg",
            "link     elsewhere",
            "missing  servers/LAB01/nginx/nginx.conf",
            DIFFERENT,
        ],
    ),
    (
        "with names of properties",
        |folder| {
            write(&folder.join("Count"), "extra");
            write(&folder.join("servers/Keys"), "extra");
        },
        1,
        &["extra    Count", "extra    servers/Keys", DIFFERENT],
    ),
    (
        "with another manifest, and the list set right",
        |folder| {
            use sha2::Digest as _;
            let path = folder.join("manifest.json");
            let text = fs::read_to_string(&path).expect("a manifest");
            let other = text.replacen("\"id\": \"", "\"id\": \"0", 1);
            let digest = |text: &str| -> String {
                let digest = sha2::Sha256::digest(text);
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            };
            list(folder, |list| list.replace(&digest(&text), &digest(&other)));
            write(&path, other);
        },
        1,
        &["changed  manifest.json (it states another id)", DIFFERENT],
    ),
    (
        "without its list",
        |folder| fs::remove_file(folder.join("SHA256SUMS")).expect("was there"),
        2,
        &[
            "The check could not be done: SHA256SUMS is missing: unpack the whole zip and run verify.ps1 in its folder",
        ],
    ),
    (
        "with an empty list",
        |folder| list(folder, |_| String::new()),
        2,
        &["The check could not be done: SHA256SUMS is empty"],
    ),
    (
        "with a line of another form",
        |folder| list(folder, |list| list.replacen("  ", " ", 1)),
        2,
        &["The check could not be done: SHA256SUMS has a line of another form"],
    ),
    (
        "with a path that leaves the folder",
        |folder| list(folder, |list| list.replacen("  RUNBOOK.md", "  ../RUNBOOK.md", 1)),
        2,
        &["The check could not be done: SHA256SUMS names a file this script must not touch: ../RUNBOOK.md"],
    ),
    (
        "with a path from the root",
        |folder| list(folder, |list| list.replacen("  RUNBOOK.md", "  /RUNBOOK.md", 1)),
        2,
        &["The check could not be done: SHA256SUMS names a file this script must not touch: /RUNBOOK.md"],
    ),
    (
        "with the path of a device",
        |folder| list(folder, |list| list.replacen("  RUNBOOK.md", "  a/nul.txt", 1)),
        2,
        &["The check could not be done: SHA256SUMS names a file this script must not touch: a/nul.txt"],
    ),
    (
        "with a list that names a file twice, in other letters",
        |folder| {
            list(folder, |list| {
                let line = list
                    .lines()
                    .find(|line| line.ends_with("  RUNBOOK.md"))
                    .expect("the runbook is listed");
                format!("{list}{}\n", line.replace("RUNBOOK.md", "Runbook.MD"))
            });
        },
        2,
        &["The check could not be done: SHA256SUMS names a file twice: Runbook.MD"],
    ),
];

/// The script says what it has to say of every kind of bundle.
pub(crate) fn follows(subject: &Subject) -> Verdict {
    let own = subject.bytes()?;
    let built = bundle(&subject.built.name);
    let changed = own != built.deployed["verify.ps1"];
    for (what, change, code, lines) in CASES {
        let folder = folder();
        write_tree(folder.path(), &built.deployed);
        change(folder.path());
        // The script that is followed may be another one than the one in the bundle, so that only what it does is judged.
        let ran = follow(&own, folder.path());
        let named = lines
            .iter()
            .all(|line| ran.stdout.lines().any(|said| said.ends_with(line)));
        // A finding more would be as wrong as one less.
        let only = *code != 1 || ran.stdout.lines().count() == lines.len();
        if (ran.code, named, only) != (*code, true, true) {
            return Err(format!(
                "a bundle {what}: {} {} (changed {changed})",
                ran.code, ran.stdout
            ));
        }
    }
    Ok(())
}

#[test]
fn the_model_finds_what_was_done_to_a_bundle() {
    follows(&Subject::new("lab", "verify.ps1")).expect("works");
}

/// What came with PowerShell 6 and 7, or is no PowerShell at all, is refused by name before anything is followed.
#[test]
fn what_power_shell_5_lacks_is_refused() {
    let script = bundle("lab").text("verify.ps1");
    let nowhere = folder();
    for (line, complaint) in [
        ("$a = $true ? 1 : 2", "this is no PowerShell: $true ? 1 :"),
        ("$root ??= 1", "this is no PowerShell:  ??"),
        ("$a = $root?.Length", "this is no PowerShell: ?"),
        ("if (", "this is no PowerShell"),
        (
            "Get-Item -LiteralPath x && Get-Item -LiteralPath y",
            "`&&` is not known here",
        ),
        ("class A { }", "class_statement is not known"),
        ("Get-FileHash -Fast x", "Get-FileHash has no parameter Fast"),
        (
            "Get-Content -LiteralPath x -AsByteStream",
            "Get-Content has no parameter AsByteStream",
        ),
        (
            "Get-Content -LiteralPath x -Encoding utf8NoBOM",
            "Get-Content has no such encoding",
        ),
        (
            "ConvertFrom-Json -AsHashtable",
            "ConvertFrom-Json has no parameter AsHashtable",
        ),
        ("Get-Uptime", "Get-Uptime is not part of Windows PowerShell 5.1"),
        (
            "$a = [System.IO.File]::ReadAllBytes('x')",
            "the type File is not known",
        ),
        ("$a = $root.Contains('x')", "the member Contains is not known"),
        ("$a = $root -split ','", "the operator -split is not known"),
        ("Write-Output $unset", "the variable $unset is never set"),
    ] {
        let ran = follow(format!("{script}{line}\n").as_bytes(), nowhere.path());
        assert!(
            ran.code == 70 && ran.stdout.contains(complaint),
            "{line}: {} {}",
            ran.code,
            ran.stdout
        );
    }
}

/// The proof for a real server is PowerShell, and the test that it runs is there.
#[test]
fn the_proof_for_a_real_server_can_be_read() {
    let path = root().join("kit/windows-proof.ps1");
    let python = root().join("target/python/bin/python");
    let reader = "import sys, tree_sitter_powershell as p\nfrom tree_sitter import Language, Parser\n\
                  root = Parser(Language(p.language())).parse(open(sys.argv[1], 'rb').read()).root_node\n\
                  sys.exit('this is no PowerShell' if root.has_error else 0)\n";
    let read = |path: &Path| {
        finish(
            program(&python.display().to_string())
                .args(["-B", "-c", reader])
                .arg(path),
        )
    };
    let ran = read(&path);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let script = fs::read_to_string(&path).expect("the script");
    let (broken, own) = (script.replacen("finally {", "finally (", 1), folder());
    write(&own.path().join("broken.ps1"), broken);
    assert_eq!(read(&own.path().join("broken.ps1")).code, 1);
    let test = script
        .split("'tests::")
        .nth(1)
        .and_then(|rest| rest.split('\'').next());
    let tests = fs::read_to_string(root().join("compiler/windows/tests.rs")).expect("the tests");
    assert!(
        tests.contains(&format!("fn {}()", test.expect("a name"))),
        "{test:?}"
    );
}

/// The commands of PowerShell in a bundle: what its scripts hand over, and what its runbooks tell people to type.
fn commands(built: &Built) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, script) in built.ending(".cmd") {
        // A batch file doubles a percent sign, and the text ends before the line does.
        let text = String::from_utf8_lossy(script).replace("%%", "%");
        let handed = text.split("-NonInteractive -Command \"").skip(1);
        found.extend(handed.filter_map(|rest| rest.split('"').next().map(str::to_owned)));
    }
    for (_, runbook) in built.ending(".md") {
        let text = String::from_utf8_lossy(runbook);
        let typed = text.split('`').filter(|code| {
            let verb = code.split('-').next().unwrap_or_default();
            let is_verb = ["Export", "Get", "New", "Test"].contains(&verb) && !code.contains('\n');
            is_verb || code.starts_with("$env:")
        });
        found.extend(typed.map(str::to_owned));
    }
    found
}

fn read_lines(lines: &[&str]) -> Ran {
    let own = folder();
    let path = own.path().join("lines.txt");
    write(&path, lines.join("\n"));
    let python = root().join("target/python/bin/python");
    let mut reader = program(&python.display().to_string());
    reader
        .arg("-B")
        .arg(root().join("tests/fixtures/power_shell/lines.py"));
    let ran = finish(reader.arg(path));
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    ran
}

/// The export of the certificate among them: the dialog of IIS has no choice for the chain.
#[test]
fn commands_that_people_type_and_scripts_hand_over_are_those_of_5_1() {
    let all: BTreeSet<String> = bundles().values().flat_map(commands).collect();
    let lines: Vec<&str> = all.iter().map(String::as_str).collect();
    let ran = read_lines(&lines);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    for used in [
        "Export-PfxCertificate -Cert Cert:\\LocalMachine\\My\\THUMBPRINT -FilePath \"D:\\handoff\\callback.pfx\" -ChainOption BuildChain",
        "New-SelfSignedCertificate -DnsName ",
        "Test-NetConnection ",
        "foreach ($p in Get-NetFirewallProfile -PolicyStore ActiveStore ",
        "$env:CALLBACK_PFX_PASSWORD = ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(used)), "no line {used}");
    }
    for (line, complaint) in [
        (
            "Export-PfxCertificate -IncludeAllCertificates",
            "has no parameter IncludeAllCertificates",
        ),
        (
            "Export-PfxCertificate -ChainOption All",
            "-ChainOption takes one of BuildChain, EndEntityCertOnly",
        ),
        (
            "Test-Connection callback -TcpPort 443",
            "Test-Connection is not known",
        ),
        ("Get-Date -Format s && exit 0", "`&&` came with PowerShell 7"),
        ("foreach ($p in 1) { exit 3", "this is no PowerShell"),
    ] {
        let ran = read_lines(&[line]);
        assert!(
            ran.code == 70 && ran.stdout.contains(complaint),
            "{line}: {}",
            ran.stdout
        );
    }
}
