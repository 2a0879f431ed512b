//! A value with backticks stays a value wherever the runbook quotes it.

use cbgen::formats::prose::prose_html;

use crate::harness::{Workspace, expect_none, read_tree};
use crate::support::fields::Plant;

/// Leaves a code span of one backtick, and says something in bold behind it.
const VALUE: &str = "Zulu ` **EVIL** ` Zulu";

#[test]
fn a_value_does_not_leave_its_code_span() {
    let (plant, workspace) = (Plant::new(), Workspace::new());
    let (mut complaints, mut accepted) = (Vec::new(), 0);
    for (number, field) in plant.fields.iter().enumerate() {
        let case = format!("c{number}");
        let inventory = plant.write(&workspace, &case, field, VALUE);
        let out = format!("{case}/out");
        if workspace.run(&["build", &inventory, "-o", &out, "--quiet"]).code != 0 {
            continue;
        }
        accepted += 1;
        let tree = read_tree(&workspace.folder().join(&out));
        for (name, bytes) in &tree {
            let Ok(text) = std::str::from_utf8(bytes) else {
                continue;
            };
            let shown = if name.ends_with("RUNBOOK.md") || name.ends_with("RUNBOOK-BY-HAND.md") {
                let lines = text.lines().filter(|line| line.contains("EVIL"));
                lines.filter_map(|line| prose_html(line).ok()).collect()
            } else if name.ends_with("runbook.html") {
                text.to_owned()
            } else {
                continue;
            };
            if shown.contains("<strong>EVIL") {
                complaints.push(format!("{} in {name}", field.name));
            }
        }
    }
    assert!(accepted > 2, "only {accepted} fields take a backtick");
    expect_none(&complaints);
}
