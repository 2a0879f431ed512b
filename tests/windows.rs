//! The Windows program, built from this repository and run in Wine: it does there what it does here.

mod desk;
mod server;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{Workspace, read_tree, root};
use crate::support::program::{finish, program, succeed};
use crate::support::windows::{Windows, windows};

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
    let workspace = Workspace::shipped();
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
    let workspace = Workspace::shipped();
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

/// The linker sorts imports by the path of the archive they come from. A folder that sorts before Debian's libraries and one
/// that sorts behind them give the same program. (`kit/windows-build --twice` shows it of cbgen itself.)
#[test]
fn the_folder_of_a_build_does_not_decide_the_order_of_imports() {
    let linked = ["/tmp", "/var/tmp"].map(|parent| {
        let folder = tempfile::Builder::new().tempdir_in(parent).expect("writable");
        let path = fs::canonicalize(folder.path()).expect("there");
        let here = |name: &str| path.join(name);
        fs::create_dir(here("kit")).expect("writable");
        fs::copy(root().join("kit/windows-linker"), here("kit/windows-linker")).expect("there");
        fs::write(here("own.def"), "LIBRARY own.dll\nEXPORTS\nown\n").expect("writable");
        fs::write(
            here("main.c"),
            "__declspec(dllimport) int own(void);\n\
             __declspec(dllimport) unsigned long GetTickCount(void);\n\
             int main(void) { return own() + (int)GetTickCount(); }\n",
        )
        .expect("writable");
        let tool = |name: &str| {
            let mut command = program(name);
            // dlltool leaves two empty temporary files behind for each library it makes.
            command.current_dir(&path).env("TMPDIR", &path);
            command
        };
        succeed(tool("x86_64-w64-mingw32-dlltool").args([
            "-d",
            "own.def",
            "-D",
            "own.dll",
            "-l",
            "libown.a",
            "--temp-prefix",
            "own",
        ]));
        succeed(tool("x86_64-w64-mingw32-gcc").args(["-c", "main.c", "-o", "main.o"]));
        let linker = here("kit/windows-linker");
        // Whole paths, as the compiler names what it hands to the linker.
        succeed(
            tool(linker.to_str().expect("readable"))
                .args([here("main.o"), here("libown.a")])
                .args(["-s", "-Wl,--no-insert-timestamp", "-o"])
                .arg(here("main.exe")),
        );
        fs::read(here("main.exe")).expect("linked")
    });
    assert!(linked[0] == linked[1], "the programs differ");
}

/// Eight programs at the same time, each with a bundle of its own, three times over.
#[test]
fn eight_builds_in_one_folder_do_not_disturb_each_other() {
    let workspace = Workspace::shipped();
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
    let workspace = Workspace::shipped();
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
    let workspace = Workspace::shipped();
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

/// One archive is the whole hand-off: the program in it is the one that was built, is in both lists, and starts.
#[test]
fn a_bundle_brings_its_program_along() {
    let windows = windows();
    let workspace = Workspace::shipped();
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
