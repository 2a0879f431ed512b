//! What an author works with: the project file, `show`, shared keys of servers, accepted warnings, answers for programs.
//!
//! It runs the program as an author does, and must not know how a command is made.

use std::fmt::Write as _;

use serde_json::Value;

use crate::harness::{Case, Tree, Workspace, expect_none, read_tree, root, write_tree};

fn lab() -> String {
    std::fs::read_to_string(root().join("inventories/lab.yaml")).expect("an inventory")
}

/// The shipped inventories and the starter compile without a warning that nobody answered.
#[test]
fn shipped_inventories_and_the_starter_have_no_open_warning() {
    let workspace = Workspace::shipped();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let ran = workspace.run(&[
        "check",
        "inventories",
        "--deny",
        "warnings",
        "--message-format",
        "short",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let inventories = ["branch", "lab", "plant", "prod"].map(|name| format!("inventories/{name}.yaml"));
    let mut words = vec!["build", "--deny", "warnings"];
    words.extend(inventories.iter().map(String::as_str));
    let ran = workspace.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let there = std::fs::read_dir(root().join("inventories")).expect("inventories");
    let there = there.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_file()));
    assert_eq!(there.count(), inventories.len());
}

/// Who copies the inventory of the reference and changes it to theirs begins with a bundle and no warning.
#[test]
fn the_inventory_of_the_reference_compiles_without_a_warning() {
    let page = std::fs::read_to_string(root().join("docs/inventory.md")).expect("the reference");
    let section = page.split("\n## A whole inventory\n").nth(1).expect("a section");
    let inventory = section.split("```yaml\n").nth(1).expect("an inventory");
    let inventory = inventory.split("```").next().expect("its end");
    let workspace = Workspace::new();
    workspace.write("nordbank.yaml", inventory);
    let ran = workspace.run(&["check", "nordbank.yaml", "--lint", "--deny", "warnings"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let ran = workspace.run(&["build", "nordbank.yaml", "--deny", "warnings"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Who asks for what has no effect hears nothing of what `init` wrote, nor of a layer that says its format.
#[test]
fn the_starter_has_nothing_without_effect() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["init"]).code, 0);
    let lint = [
        "check",
        "--lint",
        "--deny",
        "warnings",
        "--message-format",
        "short",
    ];
    let ran = workspace.run(&lint);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let own = std::fs::read_to_string(workspace.folder().join("inventories/example.yaml")).expect("written");
    workspace.write("layers/site.yaml", "schema: cbgen/v1\niis: { site: Callback }\n");
    workspace.write(
        "inventories/example.yaml",
        &own.replace(
            "schema: cbgen/v1\n",
            "schema: cbgen/v1\nextends: ../layers/site.yaml\n",
        ),
    );
    let ran = workspace.run(&lint);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// The section with a login of SQL Server takes the place of the one in the whole inventory.
#[test]
fn the_example_of_sql_authentication_compiles_without_a_warning() {
    let page = std::fs::read_to_string(root().join("docs/inventory.md")).expect("the reference");
    let example = |title: &str| {
        let section = page.split(&format!("\n## {title}\n")).nth(1).expect("a section");
        let text = section.split("```yaml\n").nth(1).expect("an example");
        text.split("```").next().expect("its end").to_owned()
    };
    let (whole, sql) = (example("A whole inventory"), example("SQL authentication"));
    let start = whole.find("sql:\n").expect("sql");
    let end = whole.find("\nrabbitmq:\n").expect("rabbitmq");
    let text = format!("{}{sql}{}", &whole[..start], &whole[end..]);
    let workspace = Workspace::new();
    workspace.write("nordbank.yaml", &text);
    let ran = workspace.run(&["check", "nordbank.yaml", "--lint", "--deny", "warnings"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    // What the text says of arguments.
    for words in [
        ["check", "nord*.yaml"],
        ["check", "**/nordban?.yaml"],
        ["check", "."],
    ] {
        let ran = workspace.run(&words);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words:?}");
    }
}

/// Short names of folders (`C:\PROGRA~2`) and folders with `+` are carried by every format: no text is refused when it is read back, and
/// the names stand in scripts, configuration files and runbooks.
#[test]
fn short_names_of_folders_are_carried_everywhere() {
    let workspace = Workspace::shipped();
    let mut replaced = 0;
    for (name, bytes) in read_tree(&root().join("inventories")) {
        let text = String::from_utf8(bytes).expect("UTF-8");
        let short = text
            .replace(r"'C:\", r"'C:\PROGRA~2\a+b\")
            .replace(r"'D:\", r"'D:\HANDOF~1\a+b\");
        replaced += short.matches('~').count();
        workspace.write(&format!("inventories/{name}"), &short);
    }
    assert!(replaced > 10, "{replaced} paths");
    let ran = workspace.run(&["build", "inventories"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for ending in [".cmd", ".conf", ".config", ".md", ".html", ".json"] {
        let carried = read_tree(&workspace.folder().join("out"))
            .into_iter()
            .filter(|(name, _)| name.ends_with(ending))
            .any(|(_, bytes)| String::from_utf8_lossy(&bytes).contains("PROGRA~2"));
        assert!(carried, "{ending}");
    }
}

/// Every warning about an inventory can be ended by an acceptance, and the runbook says why.
#[test]
fn every_warning_can_be_accepted() {
    let mut complaints = Vec::new();
    let cases = Case::all("errors", &["base"]);
    let warnings = cases
        .iter()
        .map(|case| (case, case.name().split('_').next().expect("a code").to_owned()))
        .filter(|(_, code)| cbgen::codes::find(code).is_some_and(cbgen::inventory::accept::takes));
    let mut count = 0;
    for (case, code) in warnings {
        let workspace = case.workspace();
        let text = std::fs::read_to_string(case.path("inventory.yaml")).expect("an inventory");
        if text.contains("accept:") {
            continue;
        }
        workspace.write(
            "inventory.yaml",
            &format!("{text}\naccept:\n  - {{ code: {code}, reason: a test }}\n"),
        );
        let mut words = vec!["check", "inventory.yaml", "--message-format", "short"];
        if code.as_str() > "CB0490" {
            words.push("--lint");
        }
        let ran = workspace.run(&words);
        if ran.stderr.contains(&code) || ran.stderr.contains("CB0490") {
            complaints.push(format!("{}: {}", case.name(), ran.stderr));
        }
        count += 1;
    }
    assert!(count > 30, "only {count} warnings");
    for (name, bytes) in read_tree(&root().join("docs/errors")) {
        let page = String::from_utf8(bytes).expect("UTF-8");
        if name.starts_with("CB04") && (page.contains("can settle this") || page.contains("no change:")) {
            complaints.push(format!("docs/errors/{name} says that nothing can settle it"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn the_runbook_prints_what_is_accepted_and_why() {
    let workspace = Workspace::shipped();
    let text = lab().replace(
        "reason: reg query on LAB01 shows REG_SZ }",
        "reason: 'a *reason* <b>', until: 2027-01-31 }",
    );
    workspace.write("inventories/lab.yaml", &text);
    assert_eq!(workspace.run(&["build", "inventories/lab.yaml"]).code, 0);
    let read = |name: &str| {
        std::fs::read_to_string(workspace.folder().join("out/acme-lab").join(name)).expect("built")
    };
    assert!(
        read("RUNBOOK.md").contains(r"Accepted until 2027-01-31: a \*reason\* "),
        "{}",
        read("RUNBOOK.md")
    );
    assert!(read("runbook.html").contains("a *reason* &lt;b&gt;"));
    assert!(!read("manifest.json").contains("CB0440"));
}

/// The day decides a finding and never a byte.
#[test]
fn an_acceptance_that_ended_changes_no_byte() {
    let workspace = Workspace::shipped();
    let text = lab().replace("LAB01 shows REG_SZ }", "LAB01 shows REG_SZ, until: 2026-12-05 }");
    workspace.write("inventories/lab.yaml", &text);
    let build = |epoch: &str| {
        let mut command = workspace.command();
        command.env("SOURCE_DATE_EPOCH", epoch);
        let ran =
            workspace.finish(command.args(["build", "inventories/lab.yaml", "--message-format", "short"]));
        (ran.stderr, read_tree(&workspace.folder().join("out")))
    };
    let (before, old) = build("1796428800");
    let (after, new) = build("1796515200");
    assert!(!before.contains("CB0491"), "{before}");
    assert!(after.contains("CB0491"), "{after}");
    assert!(old == new, "the output depends on the day");
}

#[test]
fn the_project_file_names_what_is_compiled_and_an_option_wins() {
    let workspace = Workspace::shipped();
    workspace.write(
        "cbgen.yaml",
        "inventories: [inventories/lab.yaml]\noutput: made\ndeny: warnings\n",
    );
    assert_eq!(workspace.run(&["build"]).code, 0);
    assert!(workspace.folder().join("made/acme-lab/manifest.json").is_file());
    assert_eq!(workspace.run(&["build", "-o", "elsewhere"]).code, 0);
    assert!(
        workspace
            .folder()
            .join("elsewhere/acme-lab/manifest.json")
            .is_file()
    );
    let without = lab().replace(
        "  - { code: CB0440, reason: reg query on LAB01 shows REG_SZ }\n",
        "",
    );
    workspace.write("inventories/lab.yaml", &without);
    assert_eq!(workspace.run(&["check"]).code, 1, "a warning is denied");
    for (text, code, said) in [
        ("inventoris: [x]\n", 1, "`inventoris` is no key of a project file"),
        ("requires: '>=9'\n", 1, "CB0211"),
        ("output: out\n", 2, "CB0805"),
        (
            "inventories: [none.yaml]\n",
            2,
            "cbgen.yaml: error[CB0001]: `inventories` names `none.yaml`",
        ),
        ("inventories: ['x*.yaml']\n", 2, "cbgen.yaml: error[CB0013]"),
    ] {
        workspace.write("cbgen.yaml", text);
        let ran = workspace.run(&["check", "--message-format", "short"]);
        assert!(
            ran.code == code && ran.stderr.contains(said),
            "{text}: {}",
            ran.stderr
        );
    }
}

/// The commands of a pipeline, word for word, in what a clone of this repository holds.
#[test]
fn a_clone_of_this_repository_needs_no_arguments() {
    let workspace = Workspace::shipped();
    let folder = workspace.folder();
    let project = std::fs::read_to_string(root().join("cbgen.yaml")).expect("the project file");
    workspace.write("cbgen.yaml", &project);
    // git leaves the archives out.
    let committed: Tree = read_tree(&root().join("out"))
        .into_iter()
        .filter(|(name, _)| !name.ends_with(".zip") && !name.ends_with(".zip.sha256"))
        .collect();
    write_tree(&folder.join("out"), &committed);
    for words in [
        ["build", "--check"].as_slice(),
        &["check", "--deny", "warnings"],
        &["build", "--deny", "warnings"],
        &["build", "--check"],
    ] {
        let ran = workspace.run(words);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (0, ""),
            "cbgen {}",
            words.join(" ")
        );
    }
    let made = read_tree(&folder.join("out"));
    let archives = made.keys().filter(|name| name.ends_with(".zip")).count();
    assert_eq!(archives, 4, "each shipped inventory has its archive");
    assert!(
        committed
            .iter()
            .all(|(name, bytes)| made.get(name) == Some(bytes)),
        "building changes no committed file"
    );
}

#[test]
fn folders_and_standard_input_are_inventories() {
    let workspace = Workspace::shipped();
    let ran = workspace.run(&["check", "inventories", "inventories/lab.yaml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let names: Vec<&str> = answer["inventories"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["inventory"].as_str())
        .collect();
    // Layers are no inventories, and a file that is named twice is compiled once.
    assert_eq!(
        names,
        ["branch", "lab", "plant", "prod"].map(|name| format!("inventories/{name}.yaml"))
    );
    let text = lab().replace("extends: shared/", "extends: inventories/shared/");
    let mut command = workspace.command();
    let ran = workspace.finish(
        command
            .args(["check", "-", "--message-format", "short"])
            .write_stdin(text),
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let mut command = workspace.command();
    let ran = workspace.finish(
        command
            .args(["check", "-", "--message-format", "short"])
            .write_stdin("a: 1\n"),
    );
    assert!(
        ran.code == 1 && ran.stderr.contains("-:1:1: error[CB0201]"),
        "{}",
        ran.stderr
    );
}

/// What `show` prints is an inventory of its own that makes the same artifacts.
#[test]
fn what_is_shown_compiles_to_the_same() {
    let workspace = Workspace::shipped();
    let shown = workspace.run(&["show", "inventories/lab.yaml"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("https_port: 8080"), "{}", shown.stdout);
    assert!(
        shown.stdout.contains("# inventories/shared/acme.yaml:"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("# default"), "{}", shown.stdout);
    workspace.write("flat.yaml", &shown.stdout);
    assert_eq!(
        workspace.run(&["build", "inventories/lab.yaml", "-o", "a"]).code,
        0
    );
    let ran = workspace.run(&["build", "flat.yaml", "-o", "b"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stderr, shown.stdout);
    let tree = |folder: &str| {
        let mut tree = read_tree(&workspace.folder().join(folder).join("acme-lab/servers"));
        tree.retain(|name, _| !name.ends_with(".json"));
        tree
    };
    assert!(tree("a") == tree("b"), "the artifacts differ");
    let part = workspace.run(&["show", "inventories/lab.yaml", "servers.lab01.fqdn"]);
    assert!(
        part.stdout.starts_with("servers.lab01.fqdn: lab01.acme.example "),
        "{}",
        part.stdout
    );
    let slip = workspace.run(&[
        "show",
        "inventories/lab.yaml",
        "proxy.fqnd",
        "--message-format",
        "short",
    ]);
    assert!(slip.code == 2 || slip.code == 1, "{}", slip.stderr);
    assert!(slip.stderr.contains("CB0806"), "{}", slip.stderr);
    // A key of the format that this inventory leaves out is no slip.
    for (key, said) in [
        ("proxy.http_port", "`proxy.http_port` is not set here"),
        ("servers.LAB01.proxy", "`servers.LAB01.proxy` is not set here"),
        ("rabbitmq.version", "`rabbitmq` is not set here"),
        ("servers.LAB99", "`servers` has no `LAB99` here"),
    ] {
        let ran = workspace.run(&["show", "inventories/lab.yaml", key]);
        assert!(
            ran.code == 1 && ran.stderr.contains(said),
            "{key}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("did you mean"), "{key}: {}", ran.stderr);
    }
    let ran = workspace.run(&["show", "inventories/lab.yaml", "proxy.http_port"]);
    assert!(ran.stderr.contains("absent means none"), "{}", ran.stderr);
}

/// `-q` prints errors only, and says why a run fails for warnings that it does not print.
#[test]
fn a_quiet_run_says_that_warnings_are_denied() {
    let workspace = Workspace::shipped();
    let without = lab().replace(
        "  - { code: CB0440, reason: reg query on LAB01 shows REG_SZ }\n",
        "",
    );
    workspace.write("inventories/lab.yaml", &without);
    let ran = workspace.run(&["check", "inventories/lab.yaml", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let ran = workspace.run(&["check", "inventories/lab.yaml", "-q", "--deny", "warnings"]);
    let said =
        "error: 1 warning in inventories/lab.yaml, and warnings are denied; without `-q` they are printed\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, said));
}

/// A slip in `bundle` does not turn an inventory into a layer that nobody compiles.
#[test]
fn a_misspelt_bundle_is_no_layer() {
    let workspace = Workspace::shipped();
    workspace.write("cbgen.yaml", "inventories: [inventories]\n");
    let good = lab();
    for (wrong, said) in [
        (good.replace("bundle:\n", "bundel:\n"), "`bundel` is no key"),
        (good.replace("bundle:\n", "Bundle:\n"), "`Bundle` is no key"),
        (good.replace("bundle:\n", "x:\n"), "`x` is no key"),
    ] {
        workspace.write("inventories/lab.yaml", &wrong);
        for words in [["check"].as_slice(), &["check", "inventories"], &["build"]] {
            let mut words = words.to_vec();
            words.extend(["--message-format", "short"]);
            let ran = workspace.run(&words);
            assert!(
                ran.code == 1 && ran.stderr.contains("inventories/lab.yaml") && ran.stderr.contains(said),
                "{words:?}: {}",
                ran.stderr
            );
        }
    }
    // What another file extends is a layer, whatever it holds.
    let start = good.find("\nservers:\n").expect("servers") + 1;
    let (top, servers) = good.split_at(start);
    workspace.write(
        "inventories/servers.yaml",
        &format!("schema: cbgen/v1\n{servers}"),
    );
    let top = top.replace(
        "extends: shared/acme.yaml",
        "extends: [shared/acme.yaml, servers.yaml]",
    );
    workspace.write("inventories/lab.yaml", &top);
    let ran = workspace.run(&["check", "--message-format", "short"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn servers_share_what_defaults_holds() {
    let workspace = Workspace::shipped();
    assert_eq!(
        workspace.run(&["build", "inventories/lab.yaml", "-o", "a"]).code,
        0
    );
    let mut text = lab();
    text = text.replace("    windows: 2012r2               # SQL Server 2012 goes with Windows Server 2012 or 2012 R2\n    dotnet: 4.6.2\n", "");
    text.push_str("\ndefaults:\n  all: { windows: 2016, dotnet: 4.6.2 }\n  core: { windows: 2012r2 }\n");
    workspace.write("inventories/lab.yaml", &text);
    let ran = workspace.run(&["build", "inventories/lab.yaml", "-o", "b"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tree = |folder: &str| read_tree(&workspace.folder().join(folder).join("acme-lab/servers"));
    assert!(tree("a") == tree("b"), "the artifacts differ");
    let line = text
        .lines()
        .position(|line| line.starts_with("  core: {"))
        .expect("written")
        + 1;
    let shown = workspace.run(&["show", "inventories/lab.yaml", "servers.LAB01.windows"]);
    assert!(
        shown.stdout.contains(&format!("# inventories/lab.yaml:{line}")),
        "{}",
        shown.stdout
    );
    // A mistake is said once, where it is written, and names are nobody's to share.
    workspace.write(
        "inventories/lab.yaml",
        &text.replace("windows: 2012r2 }", "windows: 2015, name: X }"),
    );
    let ran = workspace.run(&["check", "inventories/lab.yaml", "--message-format", "short"]);
    assert_eq!(ran.stderr.matches("2015").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("CB0201").count(), 1, "{}", ran.stderr);
}

/// Answers for programs follow their published schemas.
#[test]
fn answers_in_json_follow_their_schemas() {
    let workspace = Workspace::shipped();
    let mut complaints = Vec::new();
    for (schema, arguments) in [
        (
            "build",
            &[
                "build",
                "inventories/lab.yaml",
                "inventories/none.yaml",
                "--format",
                "json",
            ][..],
        ),
        (
            "build",
            &["build", "--check", "inventories/lab.yaml", "--format", "json"],
        ),
        ("check", &["check", "inventories/lab.yaml", "--format", "json"]),
        ("show", &["show", "inventories/lab.yaml", "--format", "json"]),
        (
            "coverage",
            &["coverage", "inventories/lab.yaml", "--format", "json"],
        ),
    ] {
        let misfits = workspace.misfits(schema, &workspace.run(arguments).stdout);
        complaints.extend(
            misfits
                .into_iter()
                .map(|misfit| format!("{arguments:?}: {misfit}")),
        );
    }
    expect_none(&complaints);
}

#[test]
fn messages_go_into_a_file_and_nothing_else_does() {
    let workspace = Workspace::shipped();
    workspace.write("bad.yaml", "a: 1\n");
    for format in ["human", "short", "json", "sarif", "github"] {
        let ran = workspace.run(&[
            "build",
            "bad.yaml",
            "inventories/lab.yaml",
            "--timings",
            "--message-format",
            format,
            "--message-file",
            "found",
            "--color",
            "always",
        ]);
        assert_eq!(ran.code, 1);
        let found = std::fs::read_to_string(workspace.folder().join("found")).expect("written");
        assert!(
            found.contains("CB0201") && !found.contains('\u{1b}') && !found.contains("ms of work"),
            "{format}: {found}"
        );
        assert!(!ran.stderr.contains("CB0201"), "{format}: {}", ran.stderr);
        if format == "sarif" {
            serde_json::from_str::<Value>(&found).expect("one document");
        }
    }
    // Without a file, too, nothing spoils the document.
    let ran = workspace.run(&["build", "bad.yaml", "--timings", "--message-format", "sarif"]);
    serde_json::from_str::<Value>(&ran.stderr).expect("one document");
    assert!(ran.stdout.contains("ms of work"), "{}", ran.stdout);
}

#[test]
fn errors_come_last_and_quiet_prints_nothing_else() {
    let workspace = Workspace::shipped();
    let mut text = lab().replace(
        "  - { code: CB0440, reason: reg query on LAB01 shows REG_SZ }\n",
        "",
    );
    text = text.replace("dotnet: 4.6.2", "dotnet: 4.7.2");
    workspace.write("inventories/lab.yaml", &text);
    let ran = workspace.run(&["check", "inventories/lab.yaml", "--message-format", "short"]);
    let kinds: String = ran
        .stderr
        .lines()
        .map(|line| if line.contains(": error[") { 'e' } else { 'w' })
        .collect();
    assert!(
        kinds.trim_start_matches('w').trim_start_matches('e').is_empty()
            && kinds.starts_with('w')
            && kinds.ends_with('e'),
        "{}",
        ran.stderr
    );
    let ran = workspace.run(&["check", "-q", "inventories/lab.yaml"]);
    assert!(
        ran.stderr.contains("error[CB0311]") && !ran.stderr.contains("warning"),
        "{}",
        ran.stderr
    );
}

#[test]
fn codes_ids_and_keys_are_explained() {
    let workspace = Workspace::new();
    for (name, said) in [
        ("sql.ole.user", "CB0345"),
        ("servers[].fqdn", "required"),
        ("servers[0].fqdn", "required"),
        ("servers.CORE01.fqdn", "required"),
        ("CB0494", "reason: what you found"),
        ("DEF-31", "proxy.config_trailing_slash"),
        ("ngx-8", "A requirement of the vendor guide"),
        ("CB0440", "reason: what you found"),
        ("warning[CB0440]:", "reason: what you found"),
    ] {
        let ran = workspace.run(&["explain", name]);
        assert!(
            ran.code == 0 && ran.stdout.contains(said),
            "{name}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
    let list = workspace.run(&["explain", "--list"]).stdout;
    for said in ["CB0201", "DEF-31", "sql.ole.user"] {
        assert!(list.lines().any(|line| line.starts_with(said)), "{said}");
    }
    let ran = workspace.run(&["explain", "sql.ole.usr"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("sql.ole.user"),
        "{}",
        ran.stderr
    );
}

/// Examples in the schema are values cbgen takes without a warning of their own.
#[test]
fn examples_of_the_schema_are_good_values() {
    let workspace = Workspace::new();
    let mut text =
        std::fs::read_to_string(root().join("compiler/cli/init_starter.yaml")).expect("the starter");
    let schema: Value = serde_json::from_str(&workspace.run(&["schema"]).stdout).expect("JSON");
    let mut complaints = Vec::new();
    let mut examples = 0;
    let sections = schema["$defs"].as_object().expect("sections").iter();
    for (section, fields) in sections.chain([(&"the inventory".to_owned(), &schema)]) {
        for (key, field) in fields["properties"].as_object().into_iter().flatten() {
            let own = serde_json::json!({ "$defs": schema["$defs"], "allOf": [field] });
            let validator = jsonschema::validator_for(&own).expect("a schema");
            for example in field["examples"].as_array().into_iter().flatten() {
                examples += 1;
                if let Err(error) = validator.validate(example) {
                    complaints.push(format!("{section}.{key}: {error}"));
                }
            }
        }
    }
    expect_none(&complaints);
    assert!(examples > 50, "{examples} examples");
    let range = &schema["$defs"]["PortRange"]["properties"];
    let example = |key: &str| range[key]["examples"][0].to_string();
    text = text.replace(
        "first: 20000, count: 1000",
        &format!("first: {}, count: {}", example("first"), example("count")),
    );
    let mut added = String::new();
    for (key, name) in [("accept", "accept"), ("servers", "servers")] {
        let value = &schema["properties"][key]["examples"][0];
        assert!(value.is_array(), "{name} has an example");
        let _ = write!(added, "{value}");
    }
    workspace.write("a.yaml", &text);
    let ran = workspace.run(&[
        "check",
        "a.yaml",
        "--deny",
        "warnings",
        "--message-format",
        "short",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
