//! At a Windows desk: paths, consoles, revisions, completions and the examples of `docs/windows.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::documents::matches;
use crate::harness::{Ran, Tree, Workspace, expect_none, read_tree, root, write_tree};
use crate::support::program::{finish, program, succeed};
use crate::support::windows::{Windows, compile, windows};

/// Both slashes, a drive letter in either case, a path above 260 letters, signs that cmd expands.
#[test]
fn paths_are_taken_in_every_form() {
    let workspace = Workspace::shipped();
    let folder = workspace.folder();
    let windows = windows();
    let lab = fs::read(folder.join("inventories/lab.yaml")).expect("shipped");
    let long = ["very long folder names of a company"; 7].join("/");
    let drive = format!("Z:{}", folder.display());
    write_tree(
        &folder,
        &Tree::from([("100%^ok & more!/lab.yaml".to_owned(), lab)]),
    );
    write_tree(
        &folder.join("100%^ok & more!/shared"),
        &read_tree(&folder.join("inventories/shared")),
    );
    assert!(folder.join(&long).as_os_str().len() > 240);
    let backslashes = |path: &str| path.replace('/', r"\");
    for path in [
        r".\inventories\lab.yaml".to_owned(),
        r"inventories\..\inventories/lab.yaml".to_owned(),
        backslashes(&format!("{drive}/inventories/lab.yaml")),
        backslashes(&format!("{}/inventories/lab.yaml", drive.replacen('Z', "z", 1))),
        format!("{drive}/inventories/lab.yaml"),
        r"100%^ok & more!\lab.yaml".to_owned(),
        r"1*\l?b.yaml".to_owned(),
        backslashes(&format!(r"\\?\{drive}/inventories/lab.yaml")),
    ] {
        let ran = windows.run(&folder, &["check", &path]);
        assert_eq!(ran.code, 0, "{path}: {}", ran.stderr);
    }
    // Into a folder whose paths are too long without more ado. Reading an inventory from there follows links first, for
    // which Wine 8 has no long names.
    let out = backslashes(&format!("{long}/out"));
    let ran = windows.run(&folder, &["build", "-o", &out, r"inventories\lab.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = windows.run(
        &folder,
        &["build", "-o", &out, "--check", r"inventories\lab.yaml"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Names that are no files on Windows.
    for name in ["NUL", "con", "nul.yaml", "aux.yaml", r"inventories\COM1.yaml"] {
        let ran = windows.run(&folder, &["check", name]);
        assert_ne!(ran.code, 0, "{name}");
    }
}

/// Output that goes into a pipe or a file is UTF-8 on every system, whatever the code page of the console is.
#[test]
fn output_does_not_depend_on_the_code_page() {
    let workspace = Workspace::shipped();
    let folder = workspace.folder();
    let windows = windows();
    let here = workspace.run(&["coverage", "inventories/lab.yaml"]);
    let mut found = BTreeMap::new();
    for page in ["437", "850", "65001"] {
        let exe = format!("Z:{}", Windows::program().display()).replace('/', r"\");
        let line = format!(r"chcp {page} >nul & {exe} coverage inventories\lab.yaml > page.txt");
        windows.cmd(&folder, &line);
        found.insert(page, fs::read_to_string(folder.join("page.txt")).expect("UTF-8"));
    }
    for (page, text) in found {
        assert_eq!(text, here.stdout, "code page {page}");
    }
}

/// git for Windows lists names with forward slashes; whoever types a revision there types the other ones.
#[test]
fn revisions_are_named_with_either_slash() {
    let workspace = Workspace::shipped();
    let folder = workspace.folder();
    let git = |arguments: &[&str]| {
        let mut command = program("git");
        command
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@t.example",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments)
            .current_dir(&folder);
        succeed(&mut command)
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    let path = folder.join("inventories/lab.yaml");
    let text = fs::read_to_string(&path).expect("shipped");
    fs::write(&path, text.replace("https_port: 8080", "https_port: 8443")).expect("writable");
    let path = std::env::var_os("PATH").expect("a search path");
    let here = |old: &str, new: &str| {
        let ran = workspace.finish(workspace.command().env("PATH", &path).args(["diff", old, new]));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        ran.stdout
    };
    let bridge = Bridge::new();
    let windows = windows();
    let there = |old: &str, new: &str| {
        let mut command = windows.command(&folder, &Windows::program());
        let ran = bridge.answer(&folder, command.args(["diff", old, new]));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        ran.stdout
    };
    let wanted = here("git:HEAD:inventories/lab.yaml", "inventories/lab.yaml");
    assert!(wanted.contains("8443"), "{wanted}");
    for old in ["git:HEAD:inventories/lab.yaml", r"git:HEAD:inventories\lab.yaml"] {
        for new in [
            "inventories/lab.yaml",
            r"inventories\lab.yaml",
            r".\inventories\lab.yaml",
        ] {
            assert_eq!(
                there(old, new).replace(".\\", "").replace("./", ""),
                wanted,
                "{old} {new}"
            );
        }
    }
    // What git says when it refuses is told as it is here.
    let mut command = windows.command(&folder, &Windows::program());
    let ran = bridge.answer(
        &folder,
        command.args(["diff", "git:none:inventories/lab.yaml", "inventories/lab.yaml"]),
    );
    let mut command = workspace.command();
    command
        .env("PATH", &path)
        .args(["diff", "git:none:inventories/lab.yaml", "inventories/lab.yaml"]);
    let wanted = workspace.finish(&mut command);
    assert_eq!((ran.code, ran.stderr), (wanted.code, wanted.stderr));
}

/// The completions of PowerShell are those that the program makes here, and offer what it has.
#[test]
fn completions_for_powershell_are_complete() {
    let workspace = Workspace::new();
    let windows = windows();
    let here = workspace.run(&["completions", "powershell"]);
    let there = windows.run(&workspace.folder(), &["completions", "powershell"]);
    assert_eq!(there.stdout, here.stdout);
    for word in [
        "build",
        "check",
        "diff",
        "--message-format",
        "--output",
        "Register-ArgumentCompleter",
    ] {
        assert!(here.stdout.contains(word), "{word}");
    }
}

/// The lines of the page that are marked as `cmd`, one after the other.
#[test]
fn the_examples_of_the_page_print_what_they_say() {
    let page = fs::read_to_string(root().join("docs/windows.md")).expect("the page");
    let fence = page
        .split("```cmd\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a fence");
    let workspace = Workspace::shipped();
    let folder = workspace.folder();
    let windows = windows();
    let mut complaints = Vec::new();
    for example in fence.split("> ").skip(1) {
        let mut lines = example.lines();
        let line = lines.next().expect("a command");
        let expected: Vec<&str> = lines.collect();
        let program = format!("Z:{}", Windows::program().display()).replace('/', r"\");
        let ran = windows.cmd(&folder, &format!("{} 2>&1", line.replacen("cbgen", &program, 1)));
        let found: Vec<&str> = ran.stdout.lines().collect();
        if !matches(&expected, &found) {
            complaints.push(format!("{line}:\n{}", ran.stdout));
        }
    }
    expect_none(&complaints);
}

/// The git of this system, asked by a `git.exe` in Wine through files (`tests/stubs/git.c`).
struct Bridge {
    folder: tempfile::TempDir,
}

impl Bridge {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("calls")).expect("a folder");
        compile("git.c", &folder.path().join("git.exe"));
        Self { folder }
    }

    /// Runs a program of Windows whose calls of git are answered in `folder`.
    fn answer(&self, folder: &Path, command: &mut Command) -> Ran {
        let windows = |path: &Path| format!("Z:{}", path.display()).replace('/', r"\");
        let calls = self.folder.path().join("calls");
        command
            .env("WINEPATH", windows(self.folder.path()))
            .env("CBGEN_BRIDGE", windows(&calls));
        let has_ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !has_ended.load(Ordering::Relaxed) {
                    for call in asked(&calls) {
                        answer(folder, &call);
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
            let ran = finish(command);
            has_ended.store(true, Ordering::Relaxed);
            ran
        })
    }
}

/// Calls without an answer.
fn asked(calls: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(calls).expect("a folder");
    let found = found.filter_map(|entry| Some(entry.ok()?.path()));
    found.filter(|call| call.join("asked").exists()).collect()
}

/// Answers a call as git does.
fn answer(folder: &Path, call: &Path) {
    let read = |name: &str| fs::read(call.join(name)).expect("written before");
    let arguments = String::from_utf8(read("arguments")).expect("UTF-8");
    let mut command = program("git");
    command
        .args(arguments.split_terminator('\0'))
        .current_dir(folder)
        .stdin(fs::File::open(call.join("asked")).expect("written before"));
    let output = command.output().expect("git starts");
    fs::remove_file(call.join("asked")).expect("was there");
    fs::write(call.join("output"), &output.stdout).expect("writable");
    fs::write(call.join("errors"), &output.stderr).expect("writable");
    // The code comes last and whole: it is what the caller waits for.
    fs::write(call.join("code~"), output.status.code().unwrap_or(97).to_string()).expect("writable");
    fs::rename(call.join("code~"), call.join("code")).expect("the same folder");
}
