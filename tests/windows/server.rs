//! A change of a server by the Windows program, in Wine.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{Ran, Tree, read_tree};
use crate::reliability::{self, fixture::Fixture};
use crate::support::program::{finish, program, succeed};
use crate::support::windows::{Windows, make_holder, windows};

/// Every file below a folder of drive C that a change may touch: content.
fn on_drive(drive: &Path) -> Tree {
    let mut tree = Tree::new();
    for folder in [
        "Program Files (x86)/Some Product",
        "Program Files (x86)/Some World",
    ] {
        for (name, bytes) in read_tree(&drive.join(folder)) {
            tree.insert(format!("{folder}/{name}"), bytes);
        }
    }
    tree
}

/// A server in Wine with the bundle of a change, unpacked from its one archive with the program inside.
struct Site<'w> {
    windows: &'w Windows,
    hand_off: TempDir,
    /// `--done` for every step by hand.
    done: Vec<String>,
    /// Files before the change.
    old: Tree,
}

impl<'w> Site<'w> {
    /// A server for a bundle that is made from the name of the computer.
    fn new(windows: &'w Windows, fixture: impl FnOnce(&str, &Path) -> Fixture) -> Self {
        let drive = windows.drive();
        let computer = windows.cmd(&drive, "echo %COMPUTERNAME%").stdout;
        let hand_off = tempfile::Builder::new()
            .prefix("hand off ")
            .tempdir_in(&drive)
            .expect("a folder");
        let folder = hand_off.path();
        let fixture = fixture(computer.trim(), folder);
        let tool = fs::read(Windows::program()).expect("built");
        fs::write(folder.join("acme.zip"), fixture.archive_with_tool(tool)).expect("writable");
        succeed(
            program("unzip")
                .args(["-q", "acme.zip", "-d", "acme"])
                .current_dir(folder),
        );
        fixture.write_windows(&drive);
        Self {
            windows,
            done: reliability::wish(&fixture).done,
            old: on_drive(&drive),
            hand_off,
        }
    }

    fn product(&self) -> PathBuf {
        self.windows.drive().join("Program Files (x86)/Some Product")
    }

    /// What is on the server now.
    fn now(&self) -> Tree {
        on_drive(&self.windows.drive())
    }

    /// Runs the program that came with the bundle.
    fn run(&self, arguments: &[&str]) -> Ran {
        let bundle = self.hand_off.path().join("acme");
        let own = bundle.join("cbgen.exe");
        let ran = finish(self.windows.command(&bundle, &own).args(arguments));
        assert!(!ran.stderr.contains("panicked at"), "{}", ran.stderr);
        ran
    }

    fn apply(&self) -> Ran {
        let mut arguments = vec!["apply", "."];
        for step in &self.done {
            arguments.extend(["--done", step]);
        }
        self.run(&arguments)
    }
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        for folder in [
            "Program Files (x86)/Some Product",
            "Program Files (x86)/Some World",
            "ProgramData/cbgen",
        ] {
            // A test that failed early has not made them all.
            drop(fs::remove_dir_all(self.windows.drive().join(folder)));
        }
    }
}

fn text(tree: &Tree, name: &str) -> String {
    let bytes = &tree[&format!("Program Files (x86)/Some {name}")];
    String::from_utf8_lossy(bytes).into_owned()
}

/// One zip is the whole hand-off: unpacked on a server, the program inside leads from the check to the evidence and back.
#[test]
fn a_change_goes_from_the_zip_to_evidence_and_back() {
    let windows = windows();
    let site = Site::new(&windows, |computer, _| Fixture::for_windows(computer));
    // Attributes, access lists and streams are more than Wine has; `kit/windows-proof.ps1` shows them on a real server.
    let ran = site.run(&["verify", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = site.run(&["plan", "."]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(site.now(), site.old, "a plan writes nothing");
    let ran = site.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let new = site.now();
    assert!(text(&new, "Product/config/file7.url").contains("URL=https://new.example/7\r\n"));
    assert!(text(&new, "Product/config/11/web.config").contains("https://callback.example/11"));
    assert!(text(&new, "Product/config/12/rabbitmq.config").contains("{tcp_listeners, []}"));
    assert_eq!(text(&new, "World/ws"), "new\r\n");
    assert!(new.keys().all(|name| !name.ends_with('~')), "{:?}", new.keys());
    // Once more: nothing to do.
    let ran = site.apply();
    assert_eq!(
        (ran.code, ran.stdout.trim_end()),
        (0, "nothing to do: every step is done already")
    );
    let ran = site.run(&["status", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let evidence = r"C:\ProgramData\cbgen\acme\1.0.0\evidence\run-0001.jsonl";
    let ran = site.run(&["status", "--evidence", evidence]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("exit code 0"), "{}", ran.stdout);
    let ran = site.run(&["rollback"]);
    assert_eq!(
        ran.code, 1,
        "steps by hand are left: {}{}",
        ran.stdout, ran.stderr
    );
    assert_eq!(site.now(), site.old);
    // What Windows refuses is found before anything is done, also by whoever has the file open.
    let held = site.product().join("config/file7.url");
    windows.cmd(&site.product(), r"attrib +r config\file8.url");
    let mut holder = windows.hold(site.hand_off.path(), &held);
    let ran = site.run(&["plan", "."]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    for wanted in ["CB1212", "file7.url", "CB1213", "file8.url"] {
        assert!(
            ran.stdout.contains(wanted) || ran.stderr.contains(wanted),
            "{wanted}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    assert_eq!(site.now(), site.old);
}

/// A script of the change before the edits, which lets another program take a file for some time.
fn with_holder(computer: &str, folder: &Path, milliseconds: u32) -> Fixture {
    make_holder(folder);
    let name = folder.file_name().expect("a name").to_string_lossy();
    let script = format!(
        "@echo off\r\nstart \"\" /b \"C:\\{name}\\hold.exe\" \"C:\\Program Files (x86)\\Some Product\\config\\file7.url\" {milliseconds} <nul >nul 2>nul\r\nexit /b 0\r\n"
    );
    let path = format!("servers/{computer}/scripts/apply-crypto.cmd");
    Fixture::for_windows(computer).with_file(&path, Some(script.as_bytes()))
}

/// A scanner or an editor that has a file for some seconds, begun after the plan has looked at it.
#[test]
fn a_file_that_is_taken_during_the_change_is_waited_for() {
    let windows = windows();
    let site = Site::new(&windows, |computer, folder| with_holder(computer, folder, 4000));
    let ran = site.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(text(&site.now(), "Product/config/file7.url").contains("https://new.example/7"));
}

/// Who does not let go stops the change, which goes back by itself to the old server and names the file.
#[test]
fn a_file_that_stays_taken_stops_the_change_and_everything_goes_back() {
    let windows = windows();
    let site = Site::new(&windows, |computer, folder| with_holder(computer, folder, 60_000));
    let ran = site.apply();
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("file7.url"), "{}", ran.stderr);
    assert_eq!(site.now(), site.old);
    assert_eq!(site.run(&["status", "."]).code, 0);
}

/// Two steps of one file, written in other letters and with the other slash, are steps of one file.
#[test]
fn one_file_under_two_spellings_is_one_file() {
    let windows = windows();
    let site = Site::new(&windows, |computer, _| {
        Fixture::for_windows(computer).with(|steps| {
            for step in steps
                .iter_mut()
                .filter(|step| step.title.starts_with("config/again"))
            {
                let target = step.target.as_mut().expect("an edit");
                *target = target.to_lowercase();
            }
        })
    });
    let ran = site.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let new = text(&site.now(), "Product/config/file1.url");
    assert!(
        new.contains("https://new.example/1") && new.contains("Other=again 1"),
        "{new}"
    );
    let ran = site.run(&["status", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = site.run(&["rollback"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(site.now(), site.old);
}
