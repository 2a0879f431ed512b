//! The review kit as a pipeline runs it: a real repository, a real change, the environment of each platform.
//!
//! `kit/cbgen-review.sh` is what every platform file calls, so it is run here and the platform files are only read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Ran, Workspace, read_tree, root, write_tree};

const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_BASE_REF", "main"),
    ("GITHUB_STEP_SUMMARY", "summary.md"),
];
const GITLAB: &[(&str, &str)] = &[
    ("GITLAB_CI", "true"),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
];
const AZURE: &[(&str, &str)] = &[
    ("TF_BUILD", "True"),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
];

/// A clone on a branch `change` that begins at `origin/main`, with the laboratory's inventory and its output.
struct Clone {
    workspace: Workspace,
}

impl Clone {
    fn new() -> Self {
        let workspace = Workspace::new();
        for name in ["inventories", "kit"] {
            write_tree(&workspace.folder().join(name), &read_tree(&root().join(name)));
        }
        for name in ["prod", "branch", "plant"] {
            std::fs::remove_file(workspace.folder().join(format!("inventories/{name}.yaml")))
                .expect("a file");
        }
        // One warning stays open: the laboratory of the repository has answered all of its own.
        let lab = workspace.folder().join("inventories/lab.yaml");
        let text = std::fs::read_to_string(&lab).expect("the inventory");
        let answer = "  - { code: CB0440, reason: reg query on LAB01 shows REG_SZ }\n";
        assert!(text.contains(answer), "the answer is in the inventory");
        std::fs::write(&lab, text.replace(answer, "")).expect("a writable file");
        workspace.write(".gitignore", "/cbgen-review\n/summary.md\n*.zip\n*.zip.sha256\n");
        let clone = Self { workspace };
        clone.git(&["init", "--quiet", "--initial-branch", "main"]);
        clone.build();
        clone.commit("the state before");
        clone.git(&["update-ref", "refs/remotes/origin/main", "main"]);
        clone.git(&["checkout", "--quiet", "-b", "change"]);
        clone
    }

    fn folder(&self) -> PathBuf {
        self.workspace.folder()
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = self.command("git", &[]);
        let output = command.args(arguments).output().expect("git starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
    }

    fn command(&self, program: &str, environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("CBGEN", env!("CARGO_BIN_EXE_cbgen"))
            .envs([
                ("GIT_AUTHOR_NAME", "author"),
                ("GIT_AUTHOR_EMAIL", "author@acme.example"),
                ("GIT_COMMITTER_NAME", "author"),
                ("GIT_COMMITTER_EMAIL", "author@acme.example"),
            ])
            .envs(environment.iter().copied());
        command
    }

    fn build(&self) {
        let ran = self.workspace.run(&["build", "inventories/lab.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn edit(&self, old: &str, new: &str) {
        let path = self.folder().join("inventories/lab.yaml");
        let text = std::fs::read_to_string(&path).expect("the inventory");
        assert!(text.contains(old), "`{old}` is in the inventory");
        std::fs::write(path, text.replace(old, new)).expect("a writable file");
    }

    fn step(&self, step: &str, environment: &[(&str, &str)]) -> Ran {
        let mut command = self.command("sh", environment);
        let output = command
            .args(["kit/cbgen-review.sh", step])
            .output()
            .expect("sh starts");
        Ran {
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
            code: output.status.code().expect("ended by itself"),
        }
    }

    fn read(&self, name: &str) -> String {
        let path = self.folder().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

#[track_caller]
fn expect(ran: &Ran, code: i32, words: &[&str]) {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, code, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

#[test]
fn a_changed_port_is_reviewed_on_github() {
    let clone = Clone::new();
    clone.edit("https_port: 8080", "https_port: 8443");
    clone.commit("another port");

    // The output was not built again: that is a finding, at a path of the repository.
    let ran = clone.step("tree", GITHUB);
    expect(
        &ran,
        1,
        &["::error file=out/acme-lab/servers/LAB01/nginx/nginx.conf,"],
    );
    assert!(!ran.stdout.contains("::warning"), "{}", ran.stdout);

    clone.build();
    clone.commit("its output");
    let ran = clone.step("all", GITHUB);
    expect(
        &ran,
        0,
        &[
            "::warning file=inventories/lab.yaml,line=",
            "out/acme-lab is up to date",
        ],
    );
    let review = clone.read("cbgen-review/review.md");
    for word in [
        "LAB01",
        "nginx/nginx.conf",
        "listen 8080",
        "listen 8443",
        "VHT Reverse Proxy",
    ] {
        assert!(review.contains(word), "`{word}` is not in:\n{review}");
    }
    assert!(review.len() < 65_536, "a comment of GitHub holds no more");
    assert_eq!(clone.read("summary.md"), review);
    assert!(
        clone
            .read("cbgen-review/review.html")
            .starts_with("<!doctype html>")
    );

    let log: Value = serde_json::from_str(&clone.read("cbgen-review/findings.sarif")).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let levels: Vec<_> = log["runs"][0]["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| result["level"].clone())
        .collect();
    assert!(
        !levels.is_empty() && levels.iter().all(|level| level == "warning"),
        "{levels:?}"
    );

    // What engineers get is what the change compiles to.
    let bundles = read_tree(&clone.folder().join("cbgen-review/bundles"));
    let names: Vec<_> = bundles.keys().map(String::as_str).collect();
    assert_eq!(names, ["acme-lab-2026.11.3.zip", "acme-lab-2026.11.3.zip.sha256"]);
    let out = read_tree(&clone.folder().join("out"));
    assert_eq!(bundles["acme-lab-2026.11.3.zip"], out["acme-lab-2026.11.3.zip"]);
}

#[test]
fn a_renamed_server_is_reviewed_on_gitlab() {
    let clone = Clone::new();
    clone.edit("LAB01", "LAB07");
    clone.build();
    clone.commit("another server name");
    let ran = clone.step("all", GITLAB);
    expect(
        &ran,
        0,
        &[
            "inventories/lab.yaml:",
            ": warning[CB",
            "moved or renamed servers",
            "LAB01 → LAB07",
        ],
    );
    assert!(clone.read("cbgen-review/review.md").contains("LAB01 → LAB07"));
}

#[test]
fn a_mistake_is_annotated_on_every_platform() {
    let clone = Clone::new();
    clone.edit("fqdn: lab01", "fqnd: lab01");
    let github = "::error file=inventories/lab.yaml,line=50,col=5,endLine=50,endColumn=8,title=CB0201%3A unknown key::";
    let azure = "##vso[task.logissue type=error;sourcepath=inventories/lab.yaml;linenumber=50;columnnumber=5;code=CB0201]";
    let plain = "inventories/lab.yaml:50:5: error[CB0201]: `fqnd` is no key";
    for (environment, expected) in [(GITHUB, github), (AZURE, azure), (GITLAB, plain)] {
        expect(&clone.step("check", environment), 1, &[expected]);
        for step in ["tree", "bundles", "diff"] {
            expect(&clone.step(step, environment), 1, &["CB0201"]);
        }
        assert_eq!(clone.step("sarif", environment).code, 0);
        let log: Value = serde_json::from_str(&clone.read("cbgen-review/findings.sarif")).expect("JSON");
        let results = log["runs"][0]["results"].as_array().expect("results");
        let errors = results.iter().filter(|result| result["level"] == "error");
        let rules: Vec<&Value> = errors.map(|result| &result["ruleId"]).collect();
        assert_eq!(rules, ["CB0201"], "{log}");
        assert_eq!(clone.step("all", environment).code, 1);
        assert!(
            clone
                .read("cbgen-review/review.md")
                .contains("There is no review")
        );
    }
    // For people at a desk, with source lines.
    expect(
        &clone.step("check", &[]),
        1,
        &["did you mean `fqdn`?", "50 |     fqnd"],
    );
}

#[test]
fn warnings_are_findings_when_they_are_denied() {
    let clone = Clone::new();
    assert_eq!(clone.step("check", &[]).code, 0);
    assert_eq!(clone.step("check", &[("CBGEN_DENY", "warnings")]).code, 1);
}

#[test]
fn only_what_the_branch_changes_is_reviewed() {
    let clone = Clone::new();
    clone.git(&["checkout", "--quiet", "main"]);
    clone.edit("server: SQLLAB", "server: SQLNEW");
    clone.commit("meanwhile on main");
    clone.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    clone.git(&["checkout", "--quiet", "change"]);
    clone.edit("https_port: 8080", "https_port: 8443");
    expect(
        &clone.step("diff", AZURE),
        0,
        &["listen 8443", "##vso[task.uploadsummary]"],
    );
    assert!(!clone.read("cbgen-review/review.md").contains("SQLNEW"));
}

#[test]
fn the_first_change_has_nothing_to_compare_with() {
    let clone = Clone::new();
    clone.git(&["checkout", "--quiet", "--orphan", "empty"]);
    clone.git(&["rm", "-r", "--quiet", "--cached", "."]);
    clone.git(&["commit", "--quiet", "--allow-empty", "--message", "empty"]);
    clone.git(&["update-ref", "refs/remotes/origin/main", "empty"]);
    expect(&clone.step("diff", GITHUB), 0, &["every server is new"]);
}

#[test]
fn what_cannot_be_done_is_a_failure() {
    let clone = Clone::new();
    expect(
        &clone.step("diff", &[("CBGEN_BASE", "origin/gone")]),
        2,
        &["fetch the target branch"],
    );
    expect(
        &clone.step("diff", &[("CBGEN_BASE", "--help")]),
        2,
        &["fetch the target branch"],
    );
    expect(&clone.step("nonsense", &[]), 2, &["unknown step nonsense"]);
    expect(&clone.step("comment", GITHUB), 2, &["run the step diff first"]);
    let gone = [("CBGEN_INVENTORIES", "elsewhere")];
    expect(
        &clone.step("all", &gone),
        2,
        &["there is no inventory elsewhere/*.yaml"],
    );
    let program = [("CBGEN", "no-such-program")];
    expect(&clone.step("check", &program), 2, &["no-such-program"]);
}

/// `gh` and `curl` are answered by a script that writes down how it was called.
#[test]
fn the_review_becomes_a_comment() {
    let clone = Clone::new();
    clone.edit("https_port: 8080", "https_port: 8443");
    assert_eq!(clone.step("diff", &[]).code, 0);
    clone.workspace.write(
        "bin/gh",
        "#!/bin/sh\necho \"$(basename \"$0\")\" \"$@\" >>calls\ncat >>calls\n",
    );
    for line in [
        ["cp", "bin/gh", "bin/curl"].as_slice(),
        &["chmod", "+x", "bin/gh", "bin/curl"],
    ] {
        let status = clone.command(line[0], &[]).args(&line[1..]).status();
        assert!(status.expect("it starts").success());
    }
    let path = format!(
        "{}/bin:{}",
        clone.folder().display(),
        std::env::var("PATH").expect("set")
    );
    let mut github = GITHUB.to_vec();
    github.extend([("PATH", path.as_str()), ("CBGEN_PULL_REQUEST", "17")]);
    assert_eq!(clone.step("comment", &github).code, 0);
    let mut gitlab = GITLAB.to_vec();
    gitlab.extend([
        ("PATH", path.as_str()),
        ("CBGEN_GITLAB_TOKEN", "t0ken"),
        ("CI_API_V4_URL", "https://gitlab.acme.example/api/v4"),
        ("CI_PROJECT_ID", "4"),
        ("CI_MERGE_REQUEST_IID", "9"),
    ]);
    assert_eq!(clone.step("comment", &gitlab).code, 0);
    let calls = clone.read("calls");
    assert_eq!(
        calls,
        "gh pr comment 17 --edit-last --create-if-none --body-file cbgen-review/review.md\n\
         curl --fail --silent --show-error --output /dev/null --header @- \
         --data-urlencode body@cbgen-review/review.md \
         https://gitlab.acme.example/api/v4/projects/4/merge_requests/9/notes\n\
         PRIVATE-TOKEN: t0ken\n"
    );
    expect(
        &clone.step("comment", AZURE),
        2,
        &["no comment can be written here"],
    );
}

/// Ruby's YAML reader stands for those of the platforms.
fn read_yaml(path: &Path) -> Value {
    let program = "puts JSON.generate(YAML.safe_load(File.read(ARGV[0])))";
    let output = Command::new("ruby")
        .args(["-ryaml", "-rjson", "-e", program])
        .arg(path)
        .output()
        .expect("ruby is installed; `tests/run` does so");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", path.display());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Every text in a document.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn platform_files_are_yaml_and_call_steps_that_exist() {
    let all = ["check", "sarif", "tree", "diff", "bundles"];
    let expected = BTreeMap::from([
        ("github-workflow.yml", [all.as_slice(), &["comment"]].concat()),
        ("gitlab-ci.yml", vec!["all", "comment"]),
        ("azure-pipelines.yml", all.to_vec()),
        ("pre-commit-config.yaml", vec!["check", "tree"]),
    ]);
    let files = read_tree(&root().join("kit"));
    let yaml = files
        .keys()
        .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"));
    assert!(yaml.eq(expected.keys()), "every file of the kit is tested");
    for (name, steps) in expected {
        let mut found = Vec::new();
        texts(&read_yaml(&root().join("kit").join(name)), &mut found);
        let called: Vec<_> = found
            .iter()
            .flat_map(|text| text.split("sh kit/cbgen-review.sh ").skip(1))
            .map(|rest| rest.split([';', ' ', '\n']).next().unwrap_or_default())
            .collect();
        let mut called_sorted = called.clone();
        called_sorted.sort_unstable();
        let mut steps_sorted = steps.clone();
        steps_sorted.sort_unstable();
        assert_eq!(called_sorted, steps_sorted, "{name}");
    }
}
