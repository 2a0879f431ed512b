//! The page of the runbook in a real browser: ticks are kept and carried in files, times are the reader's, it prints on few pages, and its
//! colours can be read. `tests/runbook_page/drive.mjs` drives the browser and judges nothing; this file judges and drives nothing.

use std::collections::BTreeSet;

use cbgen::contract::digest::Digest;
use serde_json::Value;

use crate::harness::root;
use crate::support::bundles::bundles;
use crate::support::program::{folder, program, succeed, write};

/// Pages of paper that a runbook of four servers may have.
const PAGES: u64 = 40;
/// The lowest contrast of text, WCAG 2 level AA.
const CONTRAST: f64 = 4.5;

/// Hexadecimal digits as base64 (RFC 4648), as policies spell digests.
fn base64(digits: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = digits
        .chars()
        .map(|digit| format!("{:04b}", digit.to_digit(16).expect("a digit")))
        .collect();
    let mut text = String::new();
    for group in bits.as_bytes().chunks(6) {
        let group = format!("{:0<6}", String::from_utf8_lossy(group));
        let at = usize::from_str_radix(&group, 2).expect("bits");
        text.push(char::from(LETTERS[at]));
    }
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// What the browser shows of one page; of another one where pages must not be mixed up.
fn drive(inventory: &str, other: &str) -> Value {
    let folder = folder();
    for name in [inventory, other] {
        let text = bundles()[name].text("runbook.html");
        write(&folder.path().join(format!("{name}.html")), text);
    }
    let mut node = program("node");
    node.arg(root().join("tests/runbook_page/drive.mjs"))
        .arg(folder.path())
        .args([inventory, other].map(|name| folder.path().join(format!("{name}.html"))));
    serde_json::from_str(&succeed(&mut node)).expect("a report")
}

fn text<'r>(report: &'r Value, pointer: &str) -> &'r str {
    let found = report.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("{pointer} in {report:#}"))
}

#[test]
fn the_page_keeps_its_ticks_and_says_when_it_cannot() {
    let report = drive("prod", "lab");
    assert_eq!(report["complaints"], Value::Array(Vec::new()));

    // Boxes: each has a name for those who do not see it, and one of its own for files.
    let names: Vec<&str> = report["names"]
        .as_array()
        .expect("names")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(names.len() > 80, "{} boxes", names.len());
    assert_eq!(report["foreign"], 0, "boxes without a name");
    assert_eq!(report["boxes"]["count"], names.len());
    assert_eq!(report["boxes"]["unnamed"], 0);
    assert_eq!(text(&report, "/first/progress"), "0 of 50 steps ticked");
    assert_eq!(text(&report, "/first/said"), "This browser keeps the ticks.");

    // By key, by the title, by the box; a check that waits is kept and is no step.
    let ticked = &report["ticked"]["ticked"];
    assert_eq!(ticked.as_array().map(Vec::len), Some(4), "{ticked}");
    assert_eq!(text(&report, "/ticked/progress"), "3 of 50 steps ticked");
    assert_eq!(&report["reloaded"]["ticked"], ticked);
    assert_eq!(report["window"]["ticked"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        report["other"]["ticked"],
        Value::Array(Vec::new()),
        "of another bundle"
    );

    // Out and in again.
    assert_eq!(text(&report, "/saved/name"), "ticks-acme-prod-2026.12.1.json");
    assert_eq!(text(&report, "/saved/file/bundle"), "acme-prod 2026.12.1");
    assert_eq!(report["saved"]["file"]["ticked"], report["window"]["ticked"]);
    assert_eq!(report["cleared"]["ticked"], Value::Array(Vec::new()));
    assert_eq!(report["loaded"]["ticked"], report["window"]["ticked"]);
    assert_eq!(
        text(&report, "/loaded/said").trim_end(),
        "5 ticks loaded, 5 of them new."
    );
    assert_eq!(
        text(&report, "/marked/said").trim_end(),
        "5 ticks loaded, 0 of them new."
    );
    assert_eq!(
        text(&report, "/elsewhere/said"),
        "These ticks belong to acme-prod 2026.12.1, and this page to acme-lab 2026.11.3. Nothing was changed."
    );
    assert_eq!(report["elsewhere"]["ticked"], Value::Array(Vec::new()));

    // Nothing of a foreign file is ticked, and nothing of it becomes an element.
    let refused = report["refused"].as_object().expect("files");
    assert_eq!(refused.len(), 13);
    for (name, state) in refused {
        assert_eq!(state["ticked"], report["window"]["ticked"], "{name}");
        assert_eq!(state["elements"], 0, "{name}");
        let said = text(state, "/said");
        assert!(
            said.ends_with(" Nothing was changed.") && said.len() < 200,
            "{name}: {said}"
        );
    }
    assert!(text(&refused["another build"], "/said").contains("another build of acme-prod 2026.12.1"));
    assert!(text(&refused["a step with markup"], "/said").contains("no step: <script>alert(1)</script>"));

    // A browser that keeps nothing, and one without scripts.
    assert!(text(&report, "/broken/said").contains("cannot be read"));
    for (storage, reason) in [
        ("refused", "SecurityError"),
        ("full", "QuotaExceededError"),
        ("absent", "TypeError"),
    ] {
        let states = &report[format!("storage {storage}")];
        for said in ["/before/said", "/after/said"] {
            let said = text(states, said);
            assert!(
                said.contains(&format!("does not keep ticks ({reason})")),
                "{said}"
            );
        }
        assert_eq!(text(states, "/after/progress"), "1 of 50 steps ticked");
    }
    assert_eq!(report["still"]["tools"], false);
    assert!(text(&report, "/still/said").contains("ticks are gone"));

    times(&report);
    colours_and_paper(&report);
}

/// The reader's words; where the reader's clock is another one, the installation's stand beside them.
fn times(report: &Value) {
    let shown = |reader: &str| -> Vec<&str> {
        let list = report["times"][reader].as_array().expect("times");
        list.iter().filter_map(Value::as_str).collect()
    };
    let (there, german, away) = (
        shown("en-US Europe/Berlin"),
        shown("de-DE Europe/Berlin"),
        shown("en-US America/New_York"),
    );
    let page = bundles()["prod"].text("runbook.html");
    assert_eq!(page.matches("<time ").count(), there.len());
    assert_eq!(there[0], "Saturday, December 5, 2026 at 10:00 PM");
    assert_eq!(german[0], "Samstag, 5. Dezember 2026 um 22:00");
    assert_eq!((there[3], german[3]), ("10:00 PM", "22:00"));
    assert_eq!(away[3], "Sat 4:00 PM (22:00 at the installation)");
    assert!(away.iter().all(|time| time.ends_with(" at the installation)")));
}

fn colours_and_paper(report: &Value) {
    let contrast = report["contrast"].as_object().expect("contrasts");
    assert_eq!(contrast.len(), 6);
    for (form, worst) in contrast {
        let ratio = worst["ratio"].as_f64().expect("a ratio");
        assert!(ratio >= CONTRAST, "{form}: {ratio} of `{}`", worst["text"]);
        assert!(worst["texts"].as_u64() > Some(1500), "{form}: {}", worst["texts"]);
        let white = worst["paper"] == serde_json::json!([255, 255, 255]);
        assert_eq!(
            white,
            !form.starts_with("dark") || form.ends_with("on paper"),
            "{form}"
        );
    }
    for (paper, pages) in report["pages"].as_object().expect("pages") {
        let pages = pages.as_u64().expect("a number");
        assert!((10..=PAGES).contains(&pages), "{pages} pages of {paper}");
    }
}

/// Browsers run the page's own script and style and no other. Names of boxes are unique, or two steps would share a tick.
#[test]
fn the_page_allows_its_own_script_only() {
    for built in bundles().values() {
        let page = built.text("runbook.html");
        let policy = page
            .split("http-equiv=\"Content-Security-Policy\" content=\"")
            .nth(1);
        let policy = policy.and_then(|rest| rest.split('"').next()).expect("a policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let content = page.split(&format!("<{element}>")).nth(1).expect("one");
            let content = content.split(&format!("</{element}>")).next().expect("its end");
            let digest = base64(&Digest::of(content.as_bytes()).to_string());
            assert!(
                policy.contains(&format!(" {directive} 'sha256-{digest}';")),
                "{}: templates/runbook.html needs {directive} 'sha256-{digest}'",
                built.name
            );
            assert_eq!(page.matches(&format!("<{element}")).count(), 1, "{}", built.name);
        }
        let names: Vec<&str> = page
            .split("data-step=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let different: BTreeSet<&&str> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{}", built.name);
        assert_eq!(
            page.matches("type=\"checkbox\"").count(),
            names.len(),
            "{}",
            built.name
        );
    }
}
