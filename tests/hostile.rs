//! What strangers send: repositories whose configuration names commands, inputs that would fill the memory, bundles that say
//! one thing to people and another to servers.

mod bounds;
mod evidence;
mod forge;
mod prose;
mod review;

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

/// Runs with 2 GiB of memory for everything, and a minute of processor time.
fn bounded(workspace: &Workspace, arguments: &str) -> (i32, String) {
    within(workspace, 2, arguments)
}

/// Runs with so many GiB of memory, and a minute of processor time.
fn within(workspace: &Workspace, memory: u32, arguments: &str) -> (i32, String) {
    let memory = memory << 20;
    let script = format!(
        "ulimit -v {memory}; ulimit -t 60; exec '{}' {arguments} --message-format short",
        env!("CARGO_BIN_EXE_cbgen")
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(workspace.folder());
    let output = command.output().expect("bash starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

/// The densest files of each format, as large as any that is edited: edited or refused, within the memory.
#[test]
fn edits_of_the_largest_files_are_bounded() {
    let workspace = Workspace::new();
    let full = |before: &str, item: &str, after: &str| {
        let count = ((16 << 20) - before.len() - after.len()) / item.len();
        format!("{before}{}{after}", item.repeat(count))
    };
    let xdt = "<configuration xmlns:xdt=\"http://schemas.microsoft.com/XML-Document-Transform\"><b c=\"1\" xdt:Transform=\"SetAttributes\"/></configuration>";
    let references = "{\"rewrites\":[{\"port\":2800,\"to\":\"https://h/a\"}],\"boundary\":\"not-a-digit\",\"when_absent\":\"report\"}";
    let cases = [
        (
            "xdt",
            xdt,
            full("<configuration><b c=\"0\"/>", "<a/>", "</configuration>"),
        ),
        (
            "xdt",
            xdt,
            full("<configuration><b c=\"0\"", " a=\"\"", "/></configuration>"),
        ),
        (
            "erlang",
            "[{set, [driver], \"x\"}].\n",
            full("[{driver, 1}", ",{a,1}", "].\n"),
        ),
        ("yaml", ":host: 'x'\n", full(":host: y\n", "- a\n", "")),
        ("yaml", ":host: 'x'\n", full(":host: y\nb: [a", ",a", "]\n")),
        ("json", "{\"a\": 1}", full("{\"a\": 0, \"b\": [1", ",1", "]}")),
        ("json", "{\"a\": 1}", full("{\"a\": 0, \"b\": ", "[", "")),
        ("ini", "[A]\nb=1\n", full("[A]\nb=0\n", "c=\n", "")),
        ("js_references", references, full("", "'http://s:2800',", "")),
        ("js_references", references, full("", "2800 ", "")),
        ("js_references", references, full("", "'https://h/a'", "")),
    ];
    for (number, (format, edit, file)) in cases.iter().enumerate() {
        let shown: String = file.chars().take(40).collect();
        workspace.write(&format!("edit{number}"), edit);
        workspace.write(&format!("file{number}"), file);
        let (status, text) = bounded(
            &workspace,
            &format!("edit file{number} edit{number} --as {format} -o new"),
        );
        let said: String = text.chars().take(500).collect();
        assert!(
            status == 1 || status == 2 && said.contains("error[CB10"),
            "{format} {shown}…: {status} {said}"
        );
    }
}

#[test]
fn inputs_are_bounded_together_and_not_one_by_one() {
    let workspace = Workspace::new();
    let expect = |arguments: &str, code: &str, says: &str| {
        let (status, text) = bounded(&workspace, arguments);
        let first: String = text.chars().take(2_000).collect();
        assert!(
            status > 0 && text.contains(code) && text.contains(says),
            "{arguments}: {status} {first}"
        );
    };
    // 20,000 aliases of a text of a megabyte.
    let long = "x".repeat(1 << 20);
    let aliases = "- *a\n".repeat(20_000);
    workspace.write("aliases.yaml", &format!("first: &a '{long}'\nrest:\n{aliases}"));
    expect("check aliases.yaml", "CB0108", "aliases expanded");
    // Layers that are each within their bound.
    let layer = format!("schema: cbgen/v1\n{}", "# a comment\n".repeat((15 << 20) / 12));
    for number in 0..6 {
        workspace.write(&format!("layer{number}.yaml"), &layer);
    }
    let names: Vec<String> = (0..6).map(|number| format!("layer{number}.yaml")).collect();
    workspace.write("layers.yaml", &format!("extends: [{}]\n", names.join(", ")));
    expect("check layers.yaml", "CB0011", "64 MiB together");
    // A file of a tree that is nearly all hole.
    write_tree(
        &workspace.folder().join("tree"),
        &read_tree(&root().join("out/acme-lab")),
    );
    write_tree(
        &workspace.folder().join("other"),
        &read_tree(&root().join("out/acme-lab")),
    );
    let runbook = std::fs::File::options()
        .write(true)
        .open(workspace.folder().join("tree/RUNBOOK.md"));
    runbook
        .expect("a runbook")
        .set_len(1 << 40)
        .expect("a sparse file");
    expect("diff other tree", "CB0901", "RUNBOOK.md");
    let hole = std::fs::File::create(workspace.folder().join("hole.zip")).expect("a file");
    hole.set_len(1 << 40).expect("a sparse file");
    expect("diff other hole.zip", "CB0901", "hole.zip");
    expect("verify hole.zip", "CB1102", "no zip archive");
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    assert_eq!(workspace.run(&["build", "lab.yaml", "-o", "full"]).code, 0);
    let archives = std::fs::read_dir(workspace.folder().join("full")).expect("a folder");
    let archives = archives.filter_map(|entry| Some(entry.ok()?.path()));
    for path in archives.filter(|path| path.extension().is_some_and(|extension| extension == "zip")) {
        let archive = std::fs::File::create(path).expect("a file");
        archive.set_len(1 << 40).expect("a sparse file");
    }
    expect("build lab.yaml -o full", "CB0704", "is in the way");
}
