//! Several inventories in one run: what is said of all of them, and in which order. Also what `--lint` says of the shipped ones.
//!
//! It runs the program as an author does, and must not know how a command is made.

use crate::harness::{Workspace, compare_text, expect_none, root};

/// `e` for each line of standard error that is about an error, `w` for each that is about a warning.
fn kinds(stderr: &str) -> String {
    let kind = |line: &str| match (line.contains("error"), line.contains("warning")) {
        (true, _) => Some('e'),
        (false, true) => Some('w'),
        (false, false) => None,
    };
    stderr.lines().filter_map(kind).collect()
}

#[test]
fn errors_of_all_inventories_come_behind_all_warnings() {
    let workspace = Workspace::shipped();
    let lab = std::fs::read_to_string(root().join("inventories/lab.yaml")).expect("an inventory");
    let open = lab.replace(
        "  - { code: CB0440, reason: reg query on LAB01 shows REG_SZ }\n",
        "",
    );
    let bad = open.replace("dotnet: 4.6.2", "dotnet: 4.7.2");
    for (name, text) in [("a.yaml", &bad), ("b.yaml", &open), ("c.yaml", &bad)] {
        let text = text
            .replace("extends: shared/", "extends: inventories/shared/")
            .replace(
                "name: acme-lab",
                &format!("name: acme-{}", name.trim_end_matches(".yaml")),
            );
        workspace.write(name, &text);
    }
    for command in [
        ["check", "a.yaml", "b.yaml", "c.yaml", "--message-format", "short"],
        ["build", "a.yaml", "b.yaml", "c.yaml", "--message-format", "human"],
    ] {
        let ran = workspace.run(&command);
        let kinds = kinds(&ran.stderr);
        let errors = kinds.trim_start_matches('w');
        assert!(
            kinds.starts_with("www") && errors.starts_with("ee") && !errors.contains('w'),
            "{kinds}: {}",
            ran.stderr
        );
        let place = |name: &str| ran.stderr.rfind(&format!("{name}:")).expect("an error in it");
        assert!(
            place("a.yaml") < place("c.yaml"),
            "each has its own: {}",
            ran.stderr
        );
        assert_eq!(ran.code, 1);
    }
}

#[test]
fn an_inventory_with_two_names_is_one() {
    let workspace = Workspace::shipped();
    let folder = workspace.folder();
    let mut words = vec![
        "build",
        "inventories/lab.yaml",
        "./inventories//lab.yaml",
        "inventories/shared/../lab.yaml",
    ];
    if cfg!(unix) {
        #[cfg(unix)]
        std::os::unix::fs::symlink("inventories/lab.yaml", folder.join("link.yaml")).expect("a link");
        words.push("link.yaml");
    }
    let ran = workspace.run(&words);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout.matches("out/acme-lab written").count(),
        1,
        "{}",
        ran.stdout
    );
    // Two files are two inventories, whatever is in them, and one mistake is said once.
    std::fs::copy(
        folder.join("inventories/lab.yaml"),
        folder.join("inventories/copy.yaml"),
    )
    .expect("a copy");
    let ran = workspace.run(&[
        "build",
        "inventories/lab.yaml",
        "inventories/copy.yaml",
        "--message-format",
        "short",
    ]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr.matches("error[CB0802]").count(), 1, "{}", ran.stderr);
}

#[test]
fn timings_spoil_no_answer_for_programs() {
    let workspace = Workspace::shipped();
    let words = ["build", "inventories/lab.yaml", "--timings", "--format", "json"];
    let ran = workspace.run(&[&words[..], &["--message-format", "json"]].concat());
    assert_eq!(workspace.misfits("build", &ran.stdout), Vec::<String>::new());
    assert!(!ran.stderr.contains("ms of work"), "{}", ran.stderr);
    let ran = workspace.run(&words);
    assert_eq!(workspace.misfits("build", &ran.stdout), Vec::<String>::new());
    assert!(ran.stderr.contains("ms of work"), "{}", ran.stderr);
}

/// The layers of the shipped inventories hold what most installations share; what others replace of it is known.
#[test]
fn lint_says_of_the_shipped_inventories_what_is_known() {
    let workspace = Workspace::shipped();
    let ran = workspace.run(&["check", "inventories", "--lint", "--message-format", "short"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let compared = compare_text(&root().join("tests/lint_of_shipped.txt"), &ran.stderr);
    expect_none(&compared.err().into_iter().collect::<Vec<_>>());
}
