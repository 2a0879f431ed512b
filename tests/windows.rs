//! The Windows program, built from this repository and run in Wine: it does there what it does here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::documents::matches;
use crate::harness::{Tree, Workspace, expect_none, read_tree, root, write_tree};
use crate::reliability::{self, fixture::Fixture};
use crate::support::program::{finish, program, succeed};
use crate::support::windows::{Windows, windows};

/// The shipped inventories in a workspace.
fn shipped() -> Workspace {
    let workspace = Workspace::new();
    let inventories = read_tree(&root().join("inventories"));
    write_tree(&workspace.folder().join("inventories"), &inventories);
    workspace
}

/// Paths of the shipped inventories, sorted.
fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("inventories"))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml"))
        .map(|name| format!("inventories/{name}"))
        .collect();
    names.sort();
    names
}

/// Programs of unit tests. A failed one is named with what it printed.
fn unit_tests(name: &str) {
    let windows = windows();
    let ran = finish(
        windows
            .tests(&root(), &Windows::unit_tests(name))
            .env("PROPTEST_CASES", "64")
            .args(["--test-threads", "2"]),
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("test result: ok."), "{}", ran.stdout);
}

#[test]
fn the_unit_tests_of_the_compiler_hold_on_windows() {
    unit_tests("cbgen");
}

#[test]
fn the_unit_tests_of_the_formats_hold_on_windows() {
    unit_tests("cbgen_formats");
}

#[test]
fn the_unit_tests_of_the_system_calls_hold_on_windows() {
    unit_tests("cbgen_windows");
}

/// Trees, archives, digests and findings of every shipped inventory are those of the program here.
#[test]
fn archives_and_trees_equal_those_of_linux() {
    let workspace = shipped();
    let folder = workspace.folder();
    let windows = windows();
    let here: Vec<_> = {
        let names = names();
        let mut arguments = vec!["build", "-o", "here", "--message-format", "short"];
        arguments.extend(names.iter().map(String::as_str));
        let ran = workspace.run(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        vec![ran.stdout, ran.stderr]
    };
    // The pattern as cmd and PowerShell hand it on.
    let there = windows.run(
        &folder,
        &[
            "build",
            "-o",
            "there",
            "--message-format",
            "short",
            r"inventories\*.yaml",
        ],
    );
    assert_eq!(there.code, 0, "{}", there.stderr);
    let trees = ["here", "there"].map(|name| read_tree(&folder.join(name)));
    assert_eq!(
        trees[0].keys().collect::<Vec<_>>(),
        trees[1].keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &trees[0] {
        assert!(trees[1].get(name) == Some(bytes), "{name} differs");
    }
    assert!(trees[0].keys().filter(|name| name.ends_with(".zip")).count() >= names().len());
    let there = [there.stdout, there.stderr].map(|text| text.replace("there/", "here/"));
    assert_eq!(there.as_slice(), here.as_slice());
    // And nothing is left to do, whoever wrote it and whoever looks.
    let ran = windows.run(
        &folder,
        &["build", "--check", "-o", "here", r".\inventories\*.yaml"],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = windows.run(&folder, &["build", "-o", "there", "inventories/lab.yaml"]);
    assert!(ran.stdout.contains("there/acme-lab unchanged"), "{}", ran.stdout);
}

/// Findings are the same in every format: paths with forward slashes, the same lines and columns.
#[test]
fn findings_read_the_same() {
    let workspace = shipped();
    let folder = workspace.folder();
    let text = fs::read_to_string(folder.join("inventories/lab.yaml")).expect("shipped");
    workspace.write(
        "inventories/broken.yaml",
        &text.replace("fqdn: lab01", "fqnd: lab01"),
    );
    let windows = windows();
    for format in ["human", "short", "json", "sarif", "github"] {
        let arguments = ["check", "inventories/broken.yaml", "--message-format", format];
        let here = workspace.run(&arguments);
        let there = windows.run(
            &folder,
            &["check", r"inventories\broken.yaml", "--message-format", format],
        );
        assert_eq!((there.code, &there.stdout), (here.code, &here.stdout));
        // A console of Windows may end lines in its own way; what reaches a pipe is what the program wrote.
        assert_eq!(there.stderr, here.stderr, "{format}");
    }
}

/// Eight programs at the same time, each with a bundle of its own, three times over.
#[test]
fn eight_builds_in_one_folder_do_not_disturb_each_other() {
    let workspace = shipped();
    let folder = workspace.folder();
    let lab = fs::read_to_string(folder.join("inventories/lab.yaml")).expect("shipped");
    for number in 0..8 {
        let text = lab.replace("name: acme-lab", &format!("name: lab-{number}"));
        assert_ne!(text, lab);
        workspace.write(&format!("inventories/{number}.yaml"), &text);
    }
    let windows = windows();
    for round in 0..2 {
        let children: Vec<_> = (0..8)
            .map(|number| {
                windows
                    .command(&folder, &Windows::program())
                    .args(["build", &format!("inventories/{number}.yaml")])
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .expect("wine starts")
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().expect("ends");
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "round {round}: {text}");
        }
        let left: Vec<String> = fs::read_dir(folder.join("out"))
            .expect("a folder")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert_eq!(fs::read_dir(folder.join("out")).expect("a folder").count(), 24);
    // The same bundle twice at the same time: one of them says so, and what is there is whole.
    let ran = windows.run(&folder, &["build", "--check", r"inventories\0.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Killed at any moment, also between the two renames that Windows needs: the next build finds old or new.
#[test]
fn a_killed_build_is_recovered() {
    let workspace = shipped();
    let folder = workspace.folder();
    let windows = windows();
    let build = || windows.run(&folder, &["build", r"inventories\lab.yaml"]);
    assert_eq!(build().code, 0);
    fs::write(folder.join("out/acme-lab/notes of an engineer.txt"), "keep me").expect("writable");
    let path = folder.join("inventories/lab.yaml");
    let text = fs::read_to_string(&path).expect("shipped");
    for round in 0..10_u32 {
        fs::write(
            &path,
            text.replace("lab.acme.example", &format!("lab{round}.acme.example")),
        )
        .expect("writable");
        let mut command = windows.command(&folder, &Windows::program());
        command
            .args(["build", r"inventories\lab.yaml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("wine starts");
        std::thread::sleep(Duration::from_millis(200 + u64::from(round) * 60));
        // Only the program, the child of `timeout`: a server of Wine that it has started is everybody's.
        let timeout = child.id();
        let children = format!("/proc/{timeout}/task/{timeout}/children");
        let program_of = fs::read_to_string(children).expect("Linux");
        for id in program_of.split_whitespace() {
            succeed(program("sh").args(["-c", "kill -KILL \"$1\"", "sh", id]));
        }
        child.wait().expect("it ends");
        let ran = build();
        assert_eq!(ran.code, 0, "round {round}: {}", ran.stderr);
        let tree = read_tree(&folder.join("out"));
        assert!(tree.contains_key("acme-lab/notes of an engineer.txt"));
        assert!(
            !tree.keys().any(|name| name.starts_with('.')),
            "{:?}",
            tree.keys()
        );
        let ran = workspace.run(&["build", "--check", "inventories/lab.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}

/// Files that an older kind of version control marked read-only are replaced and removed, as here.
#[test]
fn read_only_files_are_no_obstacle() {
    let workspace = shipped();
    let folder = workspace.folder();
    let windows = windows();
    assert_eq!(windows.run(&folder, &["build", r"inventories\lab.yaml"]).code, 0);
    succeed(
        program("sh")
            .args(["-c", "find out -type f -exec chmod a-w {} +"])
            .current_dir(&folder),
    );
    let path = folder.join("inventories/lab.yaml");
    let text = fs::read_to_string(&path).expect("shipped");
    fs::write(&path, text.replace("lab.acme.example", "other.acme.example")).expect("writable");
    let ran = windows.run(&folder, &["build", r"inventories\lab.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = workspace.run(&["build", "--check", "inventories/lab.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Both slashes, a drive letter in either case, a path above 260 letters, signs that cmd expands.
#[test]
fn paths_are_taken_in_every_form() {
    let workspace = shipped();
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

/// What the program is, for whoever looks at its properties, and what Windows is told before it starts it.
#[test]
fn the_program_says_what_it_is() {
    let _built = windows();
    let bytes = fs::read(Windows::program()).expect("built");
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    for wanted in [
        r#"<requestedExecutionLevel level="asInvoker" uiAccess="false"/>"#,
        ">true</longPathAware>",
        ">UTF-8</activeCodePage>",
    ] {
        assert!(has(wanted.as_bytes()), "{wanted}");
    }
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    for wanted in [
        "VS_VERSION_INFO",
        "OriginalFilename",
        "cbgen.exe",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(has(&wide(wanted)), "{wanted}");
    }
    // Nothing of the building machine, and nothing that has to come along.
    for unwanted in [
        root().to_string_lossy().as_bytes(),
        b"/.cargo/",
        b"libgcc_s",
        b"libwinpthread",
    ] {
        assert!(!has(unwanted), "{}", String::from_utf8_lossy(unwanted));
    }
    let listed = succeed(
        program("x86_64-w64-mingw32-objdump")
            .arg("-p")
            .arg(Windows::program()),
    );
    for entry in ["ID: 0x000010", "ID: 0x000018"] {
        assert!(listed.contains(entry), "{listed}");
    }
    let libraries: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("DLL Name: "))
        .collect();
    for library in libraries {
        let known = [
            "kernel32",
            "ntdll",
            "msvcrt",
            "bcryptprimitives",
            "api-ms-win-",
            "advapi32",
            "rstrtmgr",
            "ws2_32",
            "userenv",
        ];
        let name = library.to_lowercase();
        assert!(
            known.iter().any(|known| name.starts_with(known)),
            "{library} is not part of every Windows"
        );
    }
}

/// Output that goes into a pipe or a file is UTF-8 on every system, whatever the code page of the console is.
#[test]
fn output_does_not_depend_on_the_code_page() {
    let workspace = shipped();
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

/// One zip is the whole hand-off: unpacked on a server, the program inside leads from the check to the evidence and back.
#[test]
fn a_change_goes_from_the_zip_to_evidence_and_back() {
    let windows = windows();
    let drive = windows.drive();
    let computer = windows.cmd(&drive, "echo %COMPUTERNAME%").stdout;
    let fixture = Fixture::for_windows(computer.trim());
    let hand_off = tempfile::Builder::new()
        .prefix("hand off ")
        .tempdir_in(&drive)
        .expect("a folder");
    let folder = hand_off.path();
    let tool = fs::read(Windows::program()).expect("built");
    fs::write(folder.join("acme.zip"), fixture.archive_with_tool(tool)).expect("writable");
    succeed(
        program("unzip")
            .args(["-q", "acme.zip", "-d", "acme"])
            .current_dir(folder),
    );
    fixture.write_windows(&drive);
    // Attributes, access lists and streams are more than Wine has; `kit/windows-proof.ps1` shows them on a real server.
    let product = drive.join("Program Files (x86)/Some Product");
    let old = on_drive(&drive);
    let bundle = folder.join("acme");
    let own = bundle.join("cbgen.exe");
    let run = |arguments: &[&str]| {
        let ran = finish(windows.command(&bundle, &own).args(arguments));
        assert!(!ran.stderr.contains("panicked at"), "{}", ran.stderr);
        ran
    };
    let ran = run(&["verify", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = run(&["plan", "."]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(on_drive(&drive), old, "a plan writes nothing");
    let done = reliability::wish(&fixture).done;
    let mut arguments = vec!["apply", "."];
    for step in &done {
        arguments.extend(["--done", step]);
    }
    let ran = run(&arguments);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let new = on_drive(&drive);
    let text = |tree: &Tree, name: &str| {
        let bytes = &tree[&format!("Program Files (x86)/Some {name}")];
        String::from_utf8_lossy(bytes).into_owned()
    };
    assert!(text(&new, "Product/config/file7.url").contains("URL=https://new.example/7\r\n"));
    assert_eq!(text(&new, "World/ws"), "new\r\n");
    assert!(new.keys().all(|name| !name.ends_with('~')), "{:?}", new.keys());
    // Once more: nothing to do.
    let ran = run(&arguments);
    assert_eq!(
        (ran.code, ran.stdout.trim_end()),
        (0, "nothing to do: every step is done already")
    );
    let ran = run(&["status", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let evidence = r"C:\ProgramData\cbgen\acme\1.0.0\evidence\run-0001.jsonl";
    let ran = run(&["status", "--evidence", evidence]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("exit code 0"), "{}", ran.stdout);
    let ran = run(&["rollback"]);
    assert_eq!(
        ran.code, 1,
        "steps by hand are left: {}{}",
        ran.stdout, ran.stderr
    );
    assert_eq!(on_drive(&drive), old);
    // What Windows refuses is found before anything is done, also by whoever has the file open.
    let held = product.join("config/file7.url");
    windows.cmd(&product, r"attrib +r config\file8.url");
    let mut holder = windows.hold(folder, &held);
    let ran = run(&["plan", "."]);
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
    assert_eq!(on_drive(&drive), old);
    for folder in [
        "Program Files (x86)/Some Product",
        "Program Files (x86)/Some World",
        "ProgramData/cbgen",
    ] {
        fs::remove_dir_all(drive.join(folder)).expect("was there");
    }
}

/// git for Windows lists names with forward slashes; whoever types a revision there types the other ones.
#[test]
fn revisions_are_named_with_either_slash() {
    let workspace = shipped();
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
    // The names are read alike on every system; Wine cannot wait for a git of the system it stands on.
    let review = |old: &str, new: &str| {
        let mut command = workspace.command();
        let path = std::env::var_os("PATH").expect("a search path");
        let ran = workspace.finish(command.env("PATH", path).args(["diff", old, new]));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        ran.stdout.replace('\\', "/")
    };
    assert_eq!(
        review(r"git:HEAD:inventories\lab.yaml", r"inventories\lab.yaml"),
        review("git:HEAD:inventories/lab.yaml", "inventories/lab.yaml")
    );
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

/// One archive is the whole hand-off: the program in it is the one that was built, is in both lists, and starts.
#[test]
fn a_bundle_brings_its_program_along() {
    let windows = windows();
    let workspace = shipped();
    let folder = workspace.folder();
    let path = folder.join("inventories/lab.yaml");
    let text = fs::read_to_string(&path).expect("shipped");
    let with = text.replace(
        "  name: acme-lab\n",
        "  name: acme-lab\n  tool: tools/cbgen.exe\n",
    );
    assert_ne!(with, text);
    fs::write(&path, with).expect("writable");
    fs::create_dir(folder.join("tools")).expect("a folder");
    fs::copy(Windows::program(), folder.join("tools/cbgen.exe")).expect("built");
    let ran = workspace.run(&["build", "inventories/lab.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // The tree that reviewers read names it and does not hold it; building again changes nothing, on either system.
    assert!(!folder.join("out/acme-lab/cbgen.exe").exists());
    let list = fs::read_to_string(folder.join("out/acme-lab/SHA256SUMS")).expect("a list");
    assert!(list.contains("  cbgen.exe\n"), "{list}");
    let ran = windows.run(&folder, &["build", "--check", r"inventories\lab.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let archive = read_tree(&folder.join("out"))
        .into_keys()
        .find(|name| name.ends_with(".zip"))
        .expect("an archive");
    let unpacked = folder.join("unpacked");
    fs::create_dir(&unpacked).expect("a folder");
    succeed(
        program("unzip")
            .args(["-q", &format!("../out/{archive}")])
            .current_dir(&unpacked),
    );
    succeed(
        program("sha256sum")
            .args(["--check", "--quiet", "SHA256SUMS"])
            .current_dir(&unpacked),
    );
    let there = finish(
        windows
            .command(&unpacked, &unpacked.join("cbgen.exe"))
            .arg("--version"),
    );
    assert_eq!(there.stdout, workspace.run(&["--version"]).stdout);
    // Another program is a difference that a review says.
    fs::copy(folder.join("out").join(&archive), folder.join("old.zip")).expect("an archive");
    let mut bytes = fs::read(folder.join("tools/cbgen.exe")).expect("a program");
    bytes.push(0);
    fs::write(folder.join("tools/cbgen.exe"), bytes).expect("writable");
    let ran = workspace.run(&["diff", "old.zip", "inventories/lab.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains(", program "), "{}", ran.stdout);
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
    let workspace = shipped();
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
