//! Real processes on a copy of a server: two runs at once, and commands that look on a disk that cannot be written.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Site;
use crate::reliability::fixture::Fixture;
use crate::support::program::{finish, program, wait_until};

/// The second run is sent away and names the first, `status` says who works, and the first one ends as if nobody had come.
#[test]
fn two_runs_at_once_are_one_run() {
    let fixture = Fixture::new();
    let site = Site::new(&fixture);
    let shell = site.root().join("C/Windows/System32/cmd.exe");
    let text = fs::read_to_string(&shell).unwrap();
    // One script goes on only when the test says so.
    let gate = "apply-preflight) ;;\napply-ws) : >\"$root/begun\"; while [ ! -e \"$root/go on\" ]; do sleep 0.1; done; printf new >\"$root/C/World/ws\" ;;\n";
    let gated = text.replace("apply-preflight) ;;\n", gate);
    assert_ne!(gated, text);
    fs::write(&shell, gated).unwrap();
    let words = Site::apply(&fixture);
    let first = Command::new(env!("CARGO_BIN_EXE_cbgen"))
        .args(&words)
        .args(&site.place)
        .current_dir(site.workspace.folder())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("USER", "first")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = site.root().join("begun");
    let has_begun = wait_until(Duration::from_secs(100), || begun.exists());
    let now = site.files();
    let mut sent_away = Vec::new();
    if has_begun {
        for words in [&words[..], &["rollback"], &["status"]] {
            sent_away.push(site.run(words));
        }
    }
    let after = site.files();
    // Before anything is compared: a failed test leaves no process behind.
    fs::write(site.root().join("go on"), "").unwrap();
    let first = first.wait_with_output().unwrap();
    assert!(has_begun, "{}", String::from_utf8_lossy(&first.stdout));
    let [second, back, status] = &sent_away[..] else {
        panic!("three commands");
    };
    for ran in [second, back] {
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("[CB1240]")
                && ran.stderr.contains("`cbgen apply`")
                && ran.stderr.contains("first"),
            "{}",
            ran.stderr
        );
    }
    assert!(
        status.stdout.contains("works on it now: `cbgen apply`"),
        "{}",
        status.stdout
    );
    assert_eq!(now, after, "who is sent away changes nothing");
    assert_eq!(
        first.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );
    assert_eq!(site.run(&["status"]).code, 0);
    assert_eq!(
        site.run(&words).stdout,
        "nothing to do: every step is done already\n"
    );
}

/// `plan` and `status` do all they do on a disk that nobody can write to.
#[test]
fn who_only_looks_needs_no_disk_that_can_be_written() {
    let fixture = Fixture::new();
    let site = Site::new(&fixture);
    let look = |words: &[&str]| {
        // The server becomes read-only for this process and its children alone.
        let script = "mount --bind server server && mount -o remount,ro,bind server && if touch server/x 2>/dev/null; then exit 97; fi; exec \"$@\"";
        let ran = finish(
            program("unshare")
                .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
                .arg(env!("CARGO_BIN_EXE_cbgen"))
                .args(words)
                .args(&site.place)
                .current_dir(site.workspace.folder()),
        );
        (ran.code, ran.stdout, ran.stderr)
    };
    // A plan says that no step may write, and nothing else is in its way.
    let plans = || {
        for words in [
            &["plan", "acme.zip"][..],
            &["plan", "acme.zip", "--format", "json"],
        ] {
            let (code, out, said) = look(words);
            let all = out.clone() + &said;
            let found: BTreeSet<&str> = all
                .match_indices("CB12")
                .map(|(at, _)| &all[at..at + 6])
                .collect();
            assert_eq!(
                (code, found),
                (2, BTreeSet::from(["CB1213"])),
                "{words:?}: {said}{out}"
            );
            assert!(out.contains("settings18.js"), "{out}");
        }
    };
    plans();
    let (code, _, said) = look(&["status", "acme.zip"]);
    assert!(code == 2 && said.contains("[CB1262]"), "{code} {said}");
    assert_eq!(site.run(&Site::apply(&fixture)).code, 0);
    plans();
    for words in [&["status"][..], &["status", "--format", "json"]] {
        let (code, _, said) = look(words);
        assert_eq!((code, said.as_str()), (0, ""), "{words:?}");
    }
    // And one that does write says so.
    let (code, _, said) = look(&["rollback"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("[CB"), "{said}");
}

/// A slip of the finger costs no bundle and no file of the server, and a server that is not there is none without the product.
#[test]
fn what_is_no_plan_is_not_written_over() {
    let fixture = Fixture::new();
    let site = Site::new(&fixture);
    let victim = "server/C/Product/config/file7.url";
    std::os::unix::fs::symlink("acme.zip", site.workspace.folder().join("link")).unwrap();
    for file in ["acme.zip", victim, "link", "server"] {
        let before = fs::read(site.workspace.folder().join(file)).ok();
        let ran = site.run(&["plan", "acme.zip", "-o", file]);
        assert_eq!(ran.code, 2, "{file}: {}", ran.stderr);
        assert!(ran.stderr.contains("is kept"), "{file}: {}", ran.stderr);
        assert_eq!(
            fs::read(site.workspace.folder().join(file)).ok(),
            before,
            "{file}"
        );
    }
    for _ in 0..2 {
        assert_eq!(site.run(&["plan", "acme.zip", "-o", "plan.json"]).code, 1);
    }
    for words in [
        &["plan", "acme.zip"][..],
        &["apply", "acme.zip"],
        &["status"],
        &["rollback"],
    ] {
        for root in ["nosuch", "acme.zip"] {
            let mut command = site.workspace.command();
            let ran = site
                .workspace
                .finish(command.args(words).args(["--server", "MGMT01", "--root", root]));
            assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("[CB1204]"), "{words:?}: {}", ran.stderr);
        }
    }
}
