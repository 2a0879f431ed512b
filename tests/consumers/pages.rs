//! The runbook in a browser without a screen: it needs nothing from anywhere, and it prints.

use std::path::Path;

use super::expect_all;
use super::subjects;
use crate::harness::{blessing, root};
use crate::support::program::{finish, folder, program, write};
use crate::support::subject::{Subject, Verdict};

/// Runs the browser on a file; gives what it printed.
fn browse(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut chromium = program("chromium");
    chromium
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        .args([
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--disable-background-networking",
            "--disable-component-update",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", folder.join("runbook.html").display()))
        // Where the shipped installations are, so that the picture shows their times once.
        .env("TZ", "Europe/Berlin")
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .current_dir(folder);
    let ran = finish(&mut chromium);
    if ran.code == 0 {
        Ok(ran.stdout)
    } else {
        Err(format!("{}{}", ran.stdout, ran.stderr))
    }
}

/// The page shows every server, asks nothing of any other place, and prints.
pub(crate) fn page(subject: &Subject) -> Verdict {
    let folder = folder();
    write(&folder.path().join("runbook.html"), subject.bytes()?);
    let log = folder.path().join("network.json");
    let network = format!("--log-net-log={}", log.display());
    let dump = browse(folder.path(), &[&network, "--dump-dom"])?;
    let log = std::fs::read_to_string(&log)
        .map_err(|error| format!("it leads elsewhere before the browser keeps its log: {error}"))?;
    // Requests of the page itself; the browser's own ones have another origin and cannot leave the machine.
    let outside: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("\"initiator\":\"null\"") || line.contains("\"initiator\":\"file://"))
        .filter(|line| {
            ["\"url\":\"http", "\"url\":\"ws", "\"url\":\"//"]
                .iter()
                .any(|start| line.contains(start))
        })
        .collect();
    if !outside.is_empty() {
        return Err(format!("requests: {outside:?}"));
    }
    for server in subject
        .built
        .review
        .keys()
        .filter_map(|path| path.strip_prefix("servers/")?.split('/').next())
    {
        if !dump.contains(server) {
            return Err(format!("{server} is not shown"));
        }
    }
    if let Some(script) = ["javascript:", " onclick"]
        .iter()
        .find(|word| dump.contains(*word))
    {
        return Err(format!("`{script}` is in the page"));
    }
    if dump.matches("<script").count() != 1 {
        return Err("the page has another script than its own".into());
    }
    let print = format!("--print-to-pdf={}", folder.path().join("runbook.pdf").display());
    browse(folder.path(), &[&print])?;
    let printed = std::fs::read(folder.path().join("runbook.pdf"))
        .map_err(|error| format!("it leads elsewhere or does not print: {error}"))?;
    if !printed.starts_with(b"%PDF-") || printed.len() < 10_000 {
        return Err(format!("a print of {} bytes", printed.len()));
    }
    Ok(())
}

/// The page names no resource outside itself: a static look that does not depend on what a browser tries.
pub(crate) fn self_contained(subject: &Subject) -> Verdict {
    // The page's own script and the policy that allows no other: tests/runbook_page.rs.
    let text = subject.text.replacen("<script>", "", 1);
    let text = text.replacen("http-equiv=\"Content-Security-Policy\"", "", 1);
    for word in [
        "<script",
        "<link",
        "http-equiv",
        "<iframe",
        "<object",
        "<embed",
        "src=\"",
        "src='",
        "url(",
        "@import",
        "srcset",
    ] {
        if let Some(at) = text.find(word) {
            let rest: String = text[at..].chars().take(60).collect();
            if !rest.contains("data:") && !rest.starts_with("url(#") {
                return Err(format!("`{rest}`"));
            }
        }
    }
    Ok(())
}

#[test]
fn the_runbook_needs_nothing_and_prints() {
    let pages = subjects(|_, path| path == "runbook.html");
    expect_all(&pages, self_contained);
    expect_all(&pages, page);
}

#[test]
fn the_runbook_has_a_picture_in_the_documentation() {
    let subject = Subject::new("prod", "runbook.html");
    let folder = folder();
    write(
        &folder.path().join("runbook.html"),
        subject.bytes().expect("can be deployed"),
    );
    let picture = folder.path().join("runbook.png");
    let target = format!("--screenshot={}", picture.display());
    browse(
        folder.path(),
        &[&target, "--window-size=1200,1600", "--hide-scrollbars"],
    )
    .expect("a picture");
    let bytes = std::fs::read(&picture).expect("a picture");
    assert!(
        bytes.starts_with(b"\x89PNG") && bytes.len() > 20_000,
        "a picture of {} bytes",
        bytes.len()
    );
    let shipped = root().join("docs/images/runbook.png");
    if blessing() {
        write(&shipped, &bytes);
    }
    assert!(
        shipped.is_file(),
        "docs/images/runbook.png is missing; CBGEN_BLESS=1 makes it"
    );
}
