//! `cbgen edit`: what it prints, writes and ends with.

use crate::harness::{Workspace, expect_none, read_tree};

const FILE: &str = "%% vendor\r\n[\r\n  {driver, \"SQL Server\"}\r\n].\r\n";
const EDIT: &str = "[{set, [driver], \"ODBC Driver 17 for SQL Server\"}].\n";

fn read(workspace: &Workspace, name: &str) -> String {
    std::fs::read_to_string(workspace.folder().join(name)).expect("a text")
}

fn names(workspace: &Workspace) -> Vec<String> {
    read_tree(&workspace.folder()).into_keys().collect()
}

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("site.config", FILE);
    workspace.write("site.config.set", EDIT);
    workspace
}

#[test]
fn the_difference_is_printed_and_the_status_tells() {
    let workspace = workspace();
    let ran = workspace.run(&["edit", "site.config", "site.config.set"]);
    assert_eq!(
        ran.stdout,
        "--- site.config\n+++ site.config (edited)\n@@ -1,4 +1,4 @@\n %% vendor\n [\n-  {driver, \"SQL Server\"}\n\
         +  {driver, \"ODBC Driver 17 for SQL Server\"}\n ].\n"
    );
    assert_eq!((ran.stderr.as_str(), ran.code), ("1 set\n", 1));
    assert_eq!(read(&workspace, "site.config"), FILE);

    let ran = workspace.run(&["edit", "site.config", "site.config.set", "-o", "site.config"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        read(&workspace, "site.config"),
        FILE.replace("SQL Server\"", "ODBC Driver 17 for SQL Server\"")
    );
    assert_eq!(names(&workspace), ["site.config", "site.config.set"]);
    let ran = workspace.run(&["edit", "site.config", "site.config.set", "-o", "copy"]);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str(), ran.code),
        ("", "1 already so\n", 0)
    );
    assert_eq!(read(&workspace, "copy"), read(&workspace, "site.config"));
}

#[test]
fn a_file_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = workspace();
    let path = workspace.folder().join("site.config");
    for mode in [0o600, 0o664] {
        workspace.write("site.config", FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("our file");
        workspace.run(&["edit", "site.config", "site.config.set", "-o", "site.config"]);
        let now = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(now & 0o777, mode);
        assert_ne!(read(&workspace, "site.config"), FILE);
        assert_eq!(names(&workspace), ["site.config", "site.config.set"]);
    }
}

#[test]
fn refused_edits_write_nothing() {
    let workspace = workspace();
    workspace.write("site.config.set", &EDIT.replace("driver", "drivers"));
    let ran = workspace.run(&[
        "edit",
        "site.config",
        "site.config.set",
        "-o",
        "copy",
        "--message-format",
        "short",
    ]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 2));
    assert_eq!(
        ran.stderr,
        "site.config.set:1:2: error[CB1004]: the file has no `{drivers, …}`\n"
    );
    assert_eq!(names(&workspace), ["site.config", "site.config.set"]);
}

#[test]
fn a_program_gets_every_place_as_data_and_no_secret() {
    let workspace = Workspace::new();
    workspace.write("a.json", "{\"db\": {\"password\": \"Xk29vQ11pp\", \"port\": 1}}");
    workspace.write(
        "a.set.json",
        "{\"db\": {\"port\": 2, \"password\": \"nothing-to-see-1\"}}",
    );
    let ran = workspace.run(&["edit", "a.json", "a.set.json", "--format", "json"]);
    assert_eq!(ran.code, 1);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["changes"][0]["key"], "/db/port");
    assert_eq!(report["changes"][0]["outcome"], "set");
    assert_eq!(report["changes"][1]["old"], "(not shown: it may hold a secret)");
    assert!(!ran.stdout.contains("Xk29vQ11pp") && !ran.stdout.contains("nothing-to-see-1"));
    expect_none(&workspace.misfits("edit", &ran.stdout));
    let ran = workspace.run(&["edit", "a.json", "a.set.json"]);
    assert!(
        !ran.stdout.contains("Xk29vQ11pp") && !ran.stdout.contains("nothing-to-see-1"),
        "{}",
        ran.stdout
    );
}

/// The same data, and nothing in it that acts on a terminal or turns a line round.
#[test]
fn what_is_printed_for_a_program_is_safe_to_look_at() {
    let workspace = Workspace::new();
    workspace.write("a.json", "{\"name\": \"a\u{202e}b\u{9b}2J\"}");
    workspace.write("a.set.json", "{\"name\": \"c\"}");
    for format in ["json", "text"] {
        let ran = workspace.run(&["edit", "a.json", "a.set.json", "--format", format]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(!ran.stdout.contains(['\u{202e}', '\u{9b}']), "{:?}", ran.stdout);
    }
    let ran = workspace.run(&["edit", "a.json", "a.set.json", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["changes"][0]["old"], "\"a\u{202e}b\u{9b}2J\"");
}

/// Secrets that only the key above them tells, in each format, as text and as data.
#[test]
fn a_value_below_the_name_of_a_secret_is_not_shown() {
    let workspace = Workspace::new();
    let xdt = "xmlns:xdt=\"http://schemas.microsoft.com/XML-Document-Transform\"";
    let xml = |value: &str, attributes: &str, replace: &str| {
        format!(
            "<configuration {attributes}><applicationSettings><Vht.Settings><setting name=\"SmtpPassword\"{}>\n\n\n\n<value{replace}>{value}</value>\n</setting></Vht.Settings></applicationSettings></configuration>\n",
            if replace.is_empty() {
                " serializeAs=\"String\""
            } else {
                " xdt:Locator=\"Match(name)\""
            }
        )
    };
    let cases = [
        (
            "xdt",
            xml("geheim1", "", ""),
            xml("geheim2", xdt, " xdt:Transform=\"Replace\""),
        ),
        (
            "erlang",
            "[{password,\n  [\n {k,\"geheim1\"}\n]}].\n".into(),
            "[{set,[password,k],\"geheim2\"}].\n".into(),
        ),
        (
            "yaml",
            "password:\n\n\n  k: geheim1\n  l: x\n".into(),
            "password:\n  k: 'geheim2'\n".into(),
        ),
        (
            "json",
            "{\"password\":\n\n\n{\"k\":\n\n\"geheim1\"}}\n".into(),
            "{\"password\":{\"k\":\"geheim2\"}}".into(),
        ),
        (
            "ini",
            "[Password]\nvalue=geheim1\n".into(),
            "[Password]\nvalue=geheim2\n".into(),
        ),
    ];
    for (format, file, edit) in cases {
        workspace.write("file", &file);
        workspace.write("edit", &edit);
        for out in ["text", "json"] {
            let ran = workspace.run(&["edit", "file", "edit", "--as", format, "--format", out]);
            assert_eq!(ran.code, 1, "{format}: {}", ran.stderr);
            assert!(!ran.stdout.contains("geheim"), "{format}: {}", ran.stdout);
            assert!(
                ran.stdout.contains("(not shown: it may hold a secret)"),
                "{format}: {}",
                ran.stdout
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn only_an_ordinary_file_is_replaced_and_a_new_one_is_for_no_more_people() {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
    let workspace = workspace();
    let folder = workspace.folder();
    let edit = |output: &str| workspace.run(&["edit", "site.config", "site.config.set", "-o", output]);
    workspace.write("vendor", FILE);
    symlink("vendor", folder.join("link")).expect("a link");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.join("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    for output in ["link", "pipe"] {
        let ran = edit(output);
        assert!(
            ran.code == 2 && ran.stderr.contains("CB0701"),
            "{output}: {} {}",
            ran.code,
            ran.stderr
        );
    }
    assert_eq!(read(&workspace, "vendor"), FILE);
    assert!(
        std::fs::symlink_metadata(folder.join("link"))
            .expect("there")
            .is_symlink()
    );
    assert!(
        std::fs::symlink_metadata(folder.join("pipe"))
            .expect("there")
            .file_type()
            .is_fifo()
    );
    let few = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("site.config"), few).expect("mine");
    assert_eq!(edit("new").code, 1);
    let mode = std::fs::metadata(folder.join("new"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn standard_input_is_a_file_too() {
    let workspace = workspace();
    let mut command = workspace.command();
    command.args(["edit", "-", "site.config.set", "-o", "copy"]);
    let ran = workspace.finish(command.write_stdin(FILE));
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("--- standard input\n"), "{}", ran.stdout);
    assert!(read(&workspace, "copy").contains("ODBC Driver 17"));
}
