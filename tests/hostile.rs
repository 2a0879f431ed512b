//! What strangers send: repositories whose configuration names commands.

use std::process::Command;

use crate::harness::{Workspace, read_tree, root, write_tree};

/// Runs git or a shell in `folder` of the workspace, as somebody who prepares a trap.
fn prepare(workspace: &Workspace, folder: &str, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(workspace.outside().join(folder))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("HOME", workspace.outside());
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
}

/// A repository `up` with the shipped inventories, and `hostile`, a bare clone of it without contents that names a command
/// to fetch them with.
fn trapped() -> Workspace {
    let workspace = Workspace::new();
    write_tree(
        &workspace.outside().join("up/inventories"),
        &read_tree(&root().join("inventories")),
    );
    let git = |folder: &str, arguments: &[&str]| prepare(&workspace, folder, "git", arguments);
    git("up", &["init", "-q"]);
    git("up", &["config", "uploadpack.allowFilter", "true"]);
    git("up", &["add", "-A"]);
    git(
        "up",
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.example",
            "commit",
            "-q",
            "-m",
            "x",
        ],
    );
    let up = format!("file://{}", workspace.outside().join("up").display());
    git(
        "",
        &["clone", "-q", "--bare", "--filter=blob:none", &up, "hostile"],
    );
    let trap = format!(
        "touch {}; git-upload-pack",
        workspace.outside().join("sprung").display()
    );
    git("hostile", &["config", "remote.origin.uploadpack", &trap]);
    git("hostile", &["config", "core.fsmonitor", &trap]);
    workspace
}

fn diff(workspace: &Workspace, folder: &str) -> (i32, String) {
    let mut command = workspace.command();
    command
        .args([
            "diff",
            "git:HEAD:inventories/lab.yaml",
            "git:HEAD:inventories/prod.yaml",
        ])
        .args(["--message-format", "short"])
        .current_dir(workspace.outside().join(folder))
        .env("PATH", std::env::var_os("PATH").expect("a search path"));
    let output = command.output().expect("it starts");
    let sprung = workspace.outside().join("sprung").exists();
    assert!(!sprung, "git ran a command of the repository");
    let code = output.status.code().expect("ended by itself");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn git_runs_no_command_of_a_repository() {
    let workspace = trapped();
    // The trap works: git alone springs it.
    let spring = "cp -r hostile trap && cd trap && git cat-file -p HEAD:inventories/lab.yaml >/dev/null && test -e ../sprung && rm ../sprung";
    prepare(&workspace, "", "sh", &["-c", spring]);
    // A folder that looks like a bare repository, as a change of a repository may bring one along.
    let (code, text) = diff(&workspace, "hostile");
    assert!(
        code == 2 && text.contains("CB0902") && text.contains("bare repository"),
        "{code} {text}"
    );
    // An ordinary clone without contents.
    let convert = "mkdir clone && cp -r hostile clone/.git && cd clone && git config core.bare false";
    prepare(&workspace, "", "sh", &["-c", convert]);
    let (code, text) = diff(&workspace, "clone");
    assert!(
        code == 2 && text.contains("CB0902") && text.contains("the clone is partial"),
        "{code} {text}"
    );
    // And the way out it names, with a remote that is no trap.
    let fetch = "git config --unset remote.origin.uploadpack; git config --unset core.fsmonitor; git fetch -q --refetch --no-filter origin && git config --unset remote.origin.partialclonefilter; git config remote.origin.promisor false";
    prepare(&workspace, "clone", "sh", &["-c", fetch]);
    let (code, text) = diff(&workspace, "clone");
    assert!(code == 1, "{code} {text}");
}

#[test]
fn replaced_objects_are_not_what_was_committed() {
    let workspace = trapped();
    let git = |arguments: &[&str]| prepare(&workspace, "up", "git", arguments);
    let replace =
        "git replace $(git rev-parse HEAD:inventories/lab.yaml) $(git rev-parse HEAD:inventories/prod.yaml)";
    prepare(&workspace, "up", "sh", &["-c", replace]);
    git(&["config", "--unset", "uploadpack.allowFilter"]);
    let (code, text) = diff(&workspace, "up");
    // With the replacement both sides would be the same inventory.
    assert!(code == 1, "{code} {text}");
}
