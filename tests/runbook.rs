//! The runbook as an engineer follows it: the order of work, and what each step may ask for.

use crate::harness::expect_none;
use crate::support::bundles::{Built, bundles};

/// A step of RUNBOOK.md.
struct Step {
    number: String,
    /// The server; empty for the whole installation.
    server: String,
    text: String,
}

impl Step {
    /// The lines of one part, for example `Check:`.
    fn part(&self, name: &str) -> Vec<&str> {
        let lines = self.text.lines().skip_while(|line| *line != name).skip(2);
        lines.take_while(|line| line.starts_with("- ")).collect()
    }
}

fn steps(built: &Built) -> Vec<Step> {
    let text = built.text("RUNBOOK.md");
    let text = text.split("\n## Restarts\n").next().unwrap_or_default();
    let mut server = String::new();
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(place) = line.strip_prefix("### ") {
            let place = place.split_once(": ").map_or("", |(_, place)| place);
            server = if place.contains(' ') {
                String::new()
            } else {
                place.to_owned()
            };
        } else if let Some(title) = line.strip_prefix("#### ") {
            let (number, title) = title.split_once(' ').expect("a number and a title");
            steps.push(Step {
                number: number.to_owned(),
                server: server.clone(),
                text: format!("{title}\n"),
            });
        } else if line.starts_with("## ") {
            server.clear();
        } else if let Some(step) = steps.last_mut() {
            step.text.push_str(line);
            step.text.push('\n');
        }
    }
    assert!(steps.len() > 20, "{} has {} steps", built.name, steps.len());
    steps
}

/// Work that must come before other work, each named by words of its step (DEF-22, DEF-87).
const ORDER: &[(&str, &str)] = &[
    ("Unpack the nginx package", "/convert-certificate.cmd`"),
    ("/convert-certificate.cmd`", "Copy every list of certificates"),
    ("Copy every list of certificates", "/import-trust.cmd`"),
    ("/convert-certificate.cmd`", "/check-certificate.cmd`"),
    ("/check-certificate.cmd`", "Remove the exported file"),
    ("/check-certificate.cmd`", "/install-proxy.cmd`"),
    ("/install-proxy.cmd`", "/apply-bindings.cmd`"),
    ("/apply-bindings.cmd`", "/start-proxy.cmd`"),
    ("/apply-registry.cmd`", "Restart this server"),
    ("/start-proxy.cmd`", "Restart this server"),
    ("Stop Callback on every server", "/preflight.cmd` (script"),
    ("/preflight.cmd` (script", "/apply-users.cmd`"),
    ("/apply-users.cmd`", "/apply-upstreams.cmd`"),
    ("/apply-users.cmd`", "/apply-config.cmd`"),
    ("/apply-upstreams.cmd`", "/apply-config.cmd`"),
    ("/apply-config.cmd`", "Look at the federation links"),
    ("Look at the federation links", "/post-check.cmd` (script"),
    ("/apply-windows-tls.cmd`", "Restart this server"),
    ("Restart this server", "/apply-legacy-protocols.cmd`"),
    ("Be sure before old protocols go", "/apply-legacy-protocols.cmd`"),
    ("x-frame-options.xdt`", "/recycle-eyequeue.cmd`"),
    ("/apply-error-page.cmd`", "See that the error page works"),
    ("Know who loses the management plugin", "/disable-management.cmd`"),
];

#[test]
fn the_work_is_in_a_workable_order() {
    let mut complaints = Vec::new();
    let mut seen = vec![false; ORDER.len()];
    for built in bundles().values() {
        let steps = steps(built);
        for (index, (first, second)) in ORDER.iter().enumerate() {
            let find = |words: &str| -> Vec<usize> {
                let has = |step: &Step| {
                    let mut lines = step.text.lines().filter(|line| !line.is_empty());
                    lines.next().is_some_and(|title| title.contains(words))
                        || lines
                            .next()
                            .is_some_and(|file| file.starts_with("File ") && file.contains(words))
                };
                (0..steps.len()).filter(|at| has(&steps[*at])).collect()
            };
            for later in find(second) {
                for earlier in find(first) {
                    let (before, after) = (&steps[earlier], &steps[later]);
                    let apart = !before.server.is_empty()
                        && !after.server.is_empty()
                        && before.server != after.server;
                    seen[index] |= !apart;
                    if !apart && earlier > later {
                        complaints.push(format!(
                            "{}: {first} ({}) comes after {second} ({})",
                            built.name, before.number, after.number
                        ));
                    }
                }
            }
        }
    }
    for (index, (first, second)) in ORDER.iter().enumerate() {
        if !seen[index] {
            complaints.push(format!("no runbook has both {first} and {second}"));
        }
    }
    expect_none(&complaints);
}

/// A check that cannot succeed yet sends the engineer back for nothing.
#[test]
fn no_check_asks_for_the_proxy_before_it_runs() {
    let mut complaints = Vec::new();
    for built in bundles().values() {
        let steps = steps(built);
        let start = steps
            .iter()
            .position(|step| step.text.contains("/start-proxy.cmd`"));
        let start = start.expect("the proxy starts");
        for step in &steps[..start] {
            for line in step.part("Check:") {
                if line.contains("https://")
                    || line.contains("after the restart")
                    || line.contains("After the restart")
                {
                    complaints.push(format!("{} {}: {line}", built.name, step.number));
                }
            }
        }
        let waiting: Vec<&str> = steps
            .iter()
            .flat_map(|step| step.part("Later (listed again under *Checks that have to wait*):"))
            .collect();
        let text = built.text("RUNBOOK.md");
        let listed = text
            .split("\n## Checks that have to wait\n")
            .nth(1)
            .unwrap_or_default();
        let listed = listed.split("\n## ").next().unwrap_or_default();
        assert_eq!(listed.matches("- [ ] ").count(), waiting.len(), "{}", built.name);
        assert!(!waiting.is_empty(), "{}", built.name);
        for line in waiting {
            assert!(
                listed.contains(line.trim_start_matches("- ")),
                "{}: {line}",
                built.name
            );
        }
    }
    expect_none(&complaints);
}

/// A file that a script applies is no step of its own: done by hand first, the script would save the new state as the old.
#[test]
fn what_a_script_applies_is_not_applied_by_hand_too() {
    let mut complaints = Vec::new();
    for built in bundles().values() {
        let steps = steps(built);
        let manifest: serde_json::Value =
            serde_json::from_str(&built.text("manifest.json")).expect("a manifest");
        let artifacts = manifest["artifacts"].as_array().expect("artifacts");
        let mut applied = 0;
        for artifact in artifacts {
            let effect = artifact["effect"].as_str().expect("an effect");
            if !["import_registry", "run_sql", "replace_file"].contains(&effect) {
                continue;
            }
            let path = artifact["path"].as_str().expect("a path");
            let own = steps
                .iter()
                .filter(|step| step.text.contains(&format!("\nFile `{path}`")));
            let by_script = steps.iter().filter(|step| {
                step.part("The script applies:")
                    .iter()
                    .any(|line| line.contains(&format!("`{path}`")))
            });
            let (own, by_script) = (own.count(), by_script.count());
            applied += by_script;
            if own != 0 || by_script != 1 {
                complaints.push(format!(
                    "{} {path}: {own} steps by hand, {by_script} scripts",
                    built.name
                ));
            }
        }
        assert!(applied > 0, "{}", built.name);
    }
    expect_none(&complaints);
}
