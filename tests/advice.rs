//! Help that says what to write: it is written into the inventory of each case of `tests/errors`, and the finding is gone without
//! another one in its place. The same for what the pages of the codes say to write.

use std::fs;

use serde_json::Value;

use crate::harness::{Case, Workspace, expect_none};

const FILE: &str = "inventory.yaml";

/// Findings in the inventory itself, as JSON.
fn findings(workspace: &Workspace) -> Vec<Value> {
    let ran = workspace.run(&["check", FILE, "--message-format", "json"]);
    let lines = ran
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.filter(|finding: &Value| finding["file"] == FILE).collect()
}

/// What a help says to write in the place of what is marked; `None` when it is advice for a person.
fn replacement(finding: &Value) -> Option<String> {
    let help = finding["help"].as_str()?;
    let behind = |start: &str| help.strip_prefix(start);
    let word = |rest: &str| Some(rest.split('`').nth(1)?.to_owned());
    if let Some(rest) = behind("did you mean ").or_else(|| behind("remove the quotes: ")) {
        return word(rest);
    }
    if let Some(rest) = behind("quote it: ") {
        // `key: 'value'`, or the value alone.
        return Some(rest.rsplit(": ").next()?.split(';').next()?.to_owned());
    }
    let is_of_a_form = finding["code"] == "CB0207" || finding["code"] == "CB0212";
    if let Some(rest) = behind("write it like ").filter(|_| is_of_a_form) {
        return word(rest);
    }
    if help.starts_with("write `true`") || help.starts_with("write `false`") {
        return word(help).filter(|_| !help.contains(" or "));
    }
    None
}

fn place(finding: &Value) -> (u64, u64) {
    (
        finding["line"].as_u64().unwrap_or(0),
        finding["column"].as_u64().unwrap_or(0),
    )
}

/// The text with a finding's place replaced; `None` when it is not on one line.
fn follow(text: &str, finding: &Value, new: &str) -> Option<String> {
    let (line, column) = place(finding);
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    let range = usize::try_from(column.checked_sub(1)?).ok()?
        ..usize::try_from(finding["end_column"].as_u64()?.checked_sub(1)?).ok()?;
    if finding["end_line"].as_u64() != Some(line) {
        return None;
    }
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let letters: Vec<char> = lines.get(index)?.chars().collect();
    let head: String = letters.get(..range.start)?.iter().collect();
    let tail: String = letters.get(range.end..)?.iter().collect();
    // A value that may be a secret is not marked: its key is, and stays.
    if tail.starts_with(':') && finding["code"] != "CB0201" {
        return None;
    }
    lines[index] = format!("{head}{new}{tail}");
    Some(lines.join("\n"))
}

#[test]
fn advice_that_is_followed_ends_its_finding() {
    let mut complaints = Vec::new();
    let mut followed = 0;
    for case in Case::all("errors", &["base"]) {
        let is_of_an_inventory = ("CB01".."CB05").contains(&case.name().as_str());
        if !is_of_an_inventory || case.path("command.txt").is_file() || case.path("templates").is_dir() {
            continue;
        }
        let workspace = case.workspace();
        let Ok(text) = fs::read_to_string(workspace.folder().join(FILE)) else {
            continue;
        };
        if !text.is_ascii() {
            continue;
        }
        let before = findings(&workspace);
        for finding in &before {
            let Some(changed) = replacement(finding).and_then(|new| follow(&text, finding, &new)) else {
                continue;
            };
            workspace.write(FILE, &changed);
            followed += 1;
            for after in findings(&workspace) {
                let is_same = after["code"] == finding["code"] && after["message"] == finding["message"];
                let is_new = !before
                    .iter()
                    .any(|old| old["code"] == after["code"] && old["message"] == after["message"]);
                let is_error = after["severity"] == "error";
                if place(&after) == place(finding) && (is_same || is_new) && is_error {
                    complaints.push(format!(
                        "{}: {} {}\n  {}\n  then {} {}",
                        case.name(),
                        finding["code"],
                        finding["message"],
                        finding["help"],
                        after["code"],
                        after["message"]
                    ));
                }
            }
        }
        workspace.write(FILE, &text);
    }
    expect_none(&complaints);
    assert!(followed >= 20, "only {followed} were followed");
}

/// Pages whose example says less than would end the finding in the inventory of the cases, each with what it leaves out.
const EXCERPTS: &[(&str, &str)] = &[
    ("CB0312", "the section that is removed"),
    ("CB0314", "the section that is removed"),
    ("CB0324", "the other address, which has no port there"),
    ("CB0354", "the other servers"),
    ("CB0417", "the steps, which take longer there"),
];

/// What a page says to write is laid over the good inventory of the cases: it can be read, and has the finding no more.
#[test]
fn examples_of_pages_end_their_finding() {
    let workspace = Case::all("errors", &["base"])
        .first()
        .expect("a case")
        .workspace();
    let mut complaints = Vec::new();
    let mut tried = 0;
    for code in cbgen::codes::ALL {
        // CB0604 is about an inventory too.
        let is_of_inventories = ("CB01".."CB05").contains(&code.id()) || code.id() == "CB0604";
        let page = cbgen::explain::page(*code).expect("every code has a page");
        let Some(advice) = page.split("## What to do").nth(1).filter(|_| is_of_inventories) else {
            continue;
        };
        let blocks = advice.split("```yaml\n").skip(1);
        for block in blocks.filter_map(|block| block.split("```").next()) {
            if block.starts_with("# cbgen.yaml") || block.contains("extends:") {
                continue;
            }
            let format = if block.contains("schema:") {
                ""
            } else {
                "schema: cbgen/v1\n"
            };
            workspace.write(FILE, &format!("{format}extends: base/good.yaml\n{block}"));
            tried += 1;
            for finding in findings(&workspace) {
                let is_own = finding["code"] == code.id()
                    && !EXCERPTS
                        .iter()
                        .any(|(id, left_out)| *id == code.id() && !left_out.is_empty());
                // Servers are shown in part.
                let is_unreadable = finding["code"]
                    .as_str()
                    .is_some_and(|id| id < "CB03" && id != "CB0202");
                if is_own || is_unreadable && finding["severity"] == "error" {
                    complaints.push(format!(
                        "{}: {} {}",
                        code.id(),
                        finding["code"],
                        finding["message"]
                    ));
                }
            }
        }
    }
    expect_none(&complaints);
    assert!(tried > 80, "only {tried} examples");
}

/// Front matter that pages about templates say to write: keys that are not shown are filled in, and the finding is not there.
#[test]
fn front_matter_of_pages_has_no_finding() {
    let workspace = Case::all("errors", &["base"])
        .first()
        .expect("a case")
        .workspace();
    workspace.write(FILE, "extends: base/good.yaml\n");
    let mut complaints = Vec::new();
    let mut tried = 0;
    for code in cbgen::codes::ALL {
        let page = cbgen::explain::page(*code).expect("every code has a page");
        let of_templates = ("CB0501".."CB0600").contains(&code.id());
        let Some(advice) = page.split("## What to do").nth(1).filter(|_| of_templates) else {
            continue;
        };
        let blocks = advice.split("```yaml\n").skip(1);
        for block in blocks.filter_map(|block| block.split("```").next()) {
            let value = |key: &str| {
                let mut lines = block.lines();
                let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))?;
                Some(value.split(" #").next().unwrap_or(value).trim().to_owned())
            };
            let effect = value("effect").unwrap_or_else(|| "read".to_owned());
            let (format, body) = match (value("format").as_deref(), effect.as_str()) {
                (Some("reg"), _) => ("reg", "Windows Registry Editor Version 5.00\n\n"),
                (_, "replace_file" | "set_lines") => ("json", "{ \"a\": 1 }\n"),
                _ => ("markdown", "Text.\n"),
            };
            let is_step = value("minutes").is_some();
            let extension = if format == "markdown" { "md" } else { format };
            let mut front = block.to_owned();
            for (key, default) in [
                ("title", "T".to_owned()),
                ("scope", "server".to_owned()),
                ("format", format.to_owned()),
                ("phase", "verify".to_owned()),
            ] {
                if value(key).is_none() {
                    front.push_str(&format!("{key}: {default}\n"));
                }
            }
            if !is_step {
                for (key, default) in [
                    ("effect", effect.clone()),
                    ("path", format!("advice/x.{extension}")),
                    ("target", "'C:\\Callback\\x.json'".to_owned()),
                ] {
                    if value(key).is_none() {
                        front.push_str(&format!("{key}: {default}\n"));
                    }
                }
            }
            workspace.write("over/x.txt", &format!("---\n{front}---\n{body}"));
            tried += 1;
            let ran = workspace.run(&["check", FILE, "--templates", "over", "--message-format", "short"]);
            if ran.stderr.contains("error") {
                complaints.push(format!("{}: {}", code.id(), ran.stderr));
            }
        }
    }
    expect_none(&complaints);
    assert!(tried >= 4, "only {tried} examples");
}
