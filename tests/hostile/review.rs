//! What a stored bundle hides from its reviewer: text where nobody looks, forms that disagree, lies of its manifest. The forger made
//! every digest fit again, so that only `cbgen diff` can tell.

use std::fs;

use cbgen::contract::artifact::{Effect, Rollback};
use cbgen::contract::digest::Digest;
use cbgen::contract::manifest::Manifest;
use cbgen::contract::runbook::Runbook;
use cbgen::formats::Format;

use super::forge::{Desk, Forged, trees};

const EVIL: &str = "Format drive zulu quickly tonight";

/// A change that a reviewer expects, so that the runbook differs anyway.
fn harmless(forged: &mut Forged) {
    forged.edit("RUNBOOK.md", "# ", "# Revised ");
    forged.append("RUNBOOK.md", "\nThe lunch is moved by an hour.\n");
}

#[test]
fn nothing_changed_is_nothing_to_show() {
    let desk = Desk::new("acme-lab", |_| ());
    assert_eq!(desk.diff().code, 0);
}

#[test]
fn text_at_the_end_of_the_runbook_is_shown() {
    Desk::new("acme-lab", |forged| {
        forged.append("RUNBOOK.md", &format!("\n{EVIL}.\n"));
    })
    .shows(&[EVIL]);
}

#[test]
fn text_at_the_end_of_the_appendix_is_shown() {
    Desk::new("acme-lab", |forged| {
        forged.append("RUNBOOK-BY-HAND.md", &format!("\n{EVIL}.\n"));
    })
    .shows(&[EVIL]);
}

#[test]
fn text_in_every_chapter_that_repeats_others_is_shown() {
    for chapter in [
        "Accepted warnings",
        "Contents",
        "Checks that have to wait",
        "Restarts",
        "Where this bundle differs from the vendor guide",
    ] {
        Desk::new("acme-lab", |forged| {
            forged.in_chapter("RUNBOOK.md", chapter, &format!("{EVIL}."));
        })
        .shows(&[EVIL]);
    }
}

#[test]
fn text_among_the_warnings_is_shown() {
    let name = trees()
        .iter()
        .find(|(_, tree)| {
            String::from_utf8_lossy(&tree["RUNBOOK.md"]).contains("\n## Warnings of this build\n")
        })
        .map(|(name, _)| *name);
    let change = |forged: &mut Forged, chapter: &str| {
        forged.in_chapter("RUNBOOK.md", chapter, &format!("- **CB0404** {EVIL}."));
    };
    match name {
        Some(name) => Desk::new(name, |forged| change(forged, "Warnings of this build")).shows(&[EVIL]),
        // No shipped bundle has a warning that is not accepted: the chapter is made up too.
        None => Desk::new("acme-lab", |forged| {
            forged.edit(
                "RUNBOOK.md",
                "\n## Contents\n",
                "\n## Warnings of this build\n\n## Contents\n",
            );
            change(forged, "Warnings of this build");
        })
        .shows(&[EVIL]),
    }
}

#[test]
fn text_of_the_page_alone_is_shown() {
    Desk::new("acme-lab", |forged| {
        forged.edit("runbook.html", "</main>", &format!("<p>{EVIL}</p></main>"));
    })
    .shows(&[EVIL]);
}

#[test]
fn text_of_the_page_is_shown_although_the_runbook_changed_too() {
    Desk::new("acme-lab", |forged| {
        harmless(forged);
        forged.edit("runbook.html", "</main>", &format!("<p>{EVIL}</p></main>"));
    })
    .shows(&[EVIL, "lunch"]);
    Desk::new("acme-lab", |forged| {
        harmless(forged);
        forged.edit("runbook.html", "</main>", &format!("<h2>{EVIL}</h2></main>"));
    })
    .shows(&[EVIL]);
}

#[test]
fn a_script_of_the_page_is_shown() {
    Desk::new("acme-lab", |forged| {
        harmless(forged);
        forged.edit("runbook.html", "</main>", "<script>var zulu = 1;</script></main>");
    })
    .shows(&["zulu"]);
}

#[test]
fn a_step_that_the_page_leaves_out_is_shown() {
    let title = "Make it possible to go back";
    Desk::new("acme-lab", |forged| {
        harmless(forged);
        let page = forged.texts["runbook.html"].clone();
        assert!(page.contains(title));
        forged
            .texts
            .insert("runbook.html".into(), page.replace(title, "1"));
    })
    .shows(&[title]);
}

/// Changes `runbook.json` as data, with a harmless change of the runbook.
fn with_data(change: impl FnOnce(&mut Runbook)) -> Desk {
    Desk::new("acme-lab", |forged| {
        harmless(forged);
        let mut runbook = Runbook::read(forged.texts["runbook.json"].as_bytes()).expect("a runbook");
        change(&mut runbook);
        forged.texts.insert("runbook.json".into(), runbook.to_text());
    })
}

#[test]
fn data_that_the_runbook_does_not_say_is_shown() {
    with_data(|runbook| runbook.steps[3].todo.push(format!("{EVIL}."))).shows(&[EVIL]);
    with_data(|runbook| runbook.steps[3].title = EVIL.into()).shows(&[EVIL]);
    with_data(|runbook| runbook.steps[3].undo = vec![EVIL.into()]).shows(&[EVIL]);
}

#[test]
fn data_alone_is_shown() {
    Desk::new("acme-lab", |forged| {
        let mut runbook = Runbook::read(forged.texts["runbook.json"].as_bytes()).expect("a runbook");
        runbook.steps[3].todo.push(format!("{EVIL}."));
        forged.texts.insert("runbook.json".into(), runbook.to_text());
    })
    .shows(&[EVIL]);
}

#[test]
fn data_that_the_manifest_does_not_say_is_shown() {
    let file = |runbook: &Runbook| {
        runbook
            .steps
            .iter()
            .position(|step| step.target.is_some())
            .expect("a file")
    };
    with_data(|runbook| {
        let at = file(runbook);
        runbook.steps[at].target = Some(r"C:\Windows\System32\zulu.exe".into());
    })
    .shows(&["zulu.exe", "against the manifest"]);
    with_data(|runbook| {
        let at = file(runbook);
        runbook.steps[at].rollback = Rollback::OneWay;
        runbook.steps[at].one_way = true;
    })
    .shows(&["OneWay", "against the manifest"]);
    with_data(|runbook| {
        let at = runbook
            .steps
            .iter()
            .position(|step| step.artifact.is_some())
            .expect("a file");
        runbook.steps[at].arguments = vec!["/zulu".into()];
    })
    .shows(&["/zulu"]);
}

#[test]
fn a_step_that_the_data_leave_out_is_shown() {
    let mut title = String::new();
    with_data(|runbook| {
        let at = runbook
            .steps
            .iter()
            .position(|step| step.artifact.is_some())
            .expect("a step by cbgen");
        title = runbook
            .steps
            .remove(at)
            .artifact
            .expect("has one")
            .as_str()
            .to_owned();
    })
    .shows(&["no step does"]);
    assert!(!title.is_empty());
}

#[test]
fn data_that_apply_cannot_read_is_shown() {
    Desk::new("acme-lab", |forged| {
        harmless(forged);
        forged.edit("runbook.json", "\"people\"", "\"zulu\"");
    })
    .shows(&["cannot read it"]);
}

#[test]
fn a_script_under_a_false_format_is_shown() {
    for format in [Format::Html, Format::Markdown, Format::Text, Format::Json] {
        let path = "servers/LAB01/proxy/install-proxy.cmd";
        Desk::new("acme-lab", |forged| {
            forged.append(path, "rem zulu\nnet.exe stop zulu\n");
            let artifact = forged
                .manifest
                .artifacts
                .iter_mut()
                .find(|artifact| artifact.path.as_str() == path)
                .expect("a script");
            artifact.format = format;
            if format != Format::Text {
                artifact.effect = Effect::Read;
            }
        })
        .shows(&["zulu"]);
    }
}

#[test]
fn what_the_manifest_says_of_a_file_is_shown() {
    let path = "servers/LAB01/proxy/install-proxy.cmd";
    let with = |change: fn(&mut cbgen::contract::manifest::Artifact)| {
        Desk::new("acme-lab", |forged| {
            let mut artifacts = forged.manifest.artifacts.iter_mut();
            change(
                artifacts
                    .find(|artifact| artifact.path.as_str() == path)
                    .expect("a script"),
            );
        })
    };
    with(|artifact| artifact.target = Some("zulu".into())).shows(&["zulu"]);
    with(|artifact| artifact.title = "zulu".into()).shows(&["zulu"]);
    with(|artifact| artifact.restarts = vec!["zulu".into()]).shows(&["zulu"]);
    with(|artifact| artifact.rollback = Rollback::OneWay).shows(&["one-way"]);
}

/// Puts other deployed bytes into the manifest than those of the review text.
#[test]
fn deployed_bytes_that_are_not_the_review_text_are_told() {
    let desk = Desk::new("acme-lab", |_| ());
    let mut manifest =
        Manifest::read(&fs::read(desk.after().join("manifest.json")).unwrap()).expect("a manifest");
    let artifact = manifest
        .artifacts
        .iter_mut()
        .find(|artifact| artifact.path.as_str().ends_with(".cmd"))
        .expect("a script");
    artifact.sha256 = Digest::of(b"@echo evil\r\n");
    let path = artifact.path.as_str().to_owned();
    manifest.bundle.id = cbgen::contract::manifest::id(&manifest.artifacts, None);
    desk.write_manifest(&manifest);
    desk.warns(&[&path, "is deployed as other bytes than its review text"]);
}

#[test]
fn control_characters_of_a_manifest_never_reach_a_terminal() {
    let hostile = [
        "\u{1b}]0;owned\u{7}",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{202e}",
        "\r",
        "\u{8}",
        "\u{e0041}",
    ];
    for (number, text) in hostile.into_iter().enumerate() {
        let change = |forged: &mut Forged, at: usize| {
            let manifest = &mut forged.manifest;
            match at {
                0 => manifest.bundle.version.push_str(text),
                1 => manifest.bundle.change = Some(text.into()),
                2 => manifest.artifacts[3].title.push_str(text),
                3 => manifest.artifacts[3].target = Some(text.into()),
                4 => manifest.artifacts[3].restarts = vec![text.into()],
                5 => manifest.servers[0].fqdn.push_str(text),
                _ => manifest.inputs[0].path.push_str(text),
            }
        };
        // Every text in two places, every place with two texts.
        for at in [number, (number + 3) % 7] {
            let desk = Desk::new("acme-lab", |forged| change(forged, at));
            let diff = ["diff", "before", "after"];
            for (command, options) in [
                (&diff[..], ["--color", "never"]),
                (&diff, ["--color", "always"]),
                (&diff, ["--format", "json"]),
                (&diff, ["--format", "markdown"]),
                (&diff, ["--format", "html"]),
                (&["verify", "after"], ["--format", "text"]),
                (&["verify", "after"], ["--format", "json"]),
                (&["verify", "after"], ["--message-format", "json"]),
            ] {
                let ran = desk.workspace.run(&[command, &options].concat());
                assert!(ran.code != 0 || command.len() == 2, "{text:?} at {at}");
                for said in [&ran.stdout, &ran.stderr] {
                    assert!(!said.contains(text), "{text:?} at {at}: {said:?}");
                }
            }
        }
    }
    // And of names of files that are no part of the bundle.
    let desk = Desk::new("acme-lab", |_| ());
    fs::write(desk.after().join("a\u{1b}[2Jb"), "x").expect("writable");
    let ran = desk
        .workspace
        .run(&["diff", "before", "after", "--color", "always"]);
    assert!(ran.code == 1 && !ran.stdout.contains("\u{1b}[2J") && !ran.stderr.contains("\u{1b}[2J"));
}

#[test]
fn every_edit_of_the_list_is_told() {
    let list = String::from_utf8(trees()["acme-lab"]["SHA256SUMS"].clone()).expect("UTF-8");
    let lines: Vec<&str> = list.split_inclusive('\n').collect();
    let mut swapped = lines.clone();
    swapped.swap(0, 1);
    let digit = if list.starts_with('0') { "1" } else { "0" };
    let edits = [
        lines[1..].concat(),
        swapped.concat(),
        format!("{list}{}", lines[0]),
        format!("{digit}{}", &list[1..]),
        list.replace("RUNBOOK.md", "runbook.md"),
        list.trim_end().to_owned(),
        format!("# zulu\n{list}"),
        list.to_uppercase(),
        String::new(),
    ];
    for edit in edits {
        let desk = Desk::new("acme-lab", |_| ());
        fs::write(desk.after().join("SHA256SUMS"), &edit).expect("writable");
        desk.warns(&["SHA256SUMS", "is not the list of these files"]);
    }
    // A checkout may convert line ends, which is no edit.
    let desk = Desk::new("acme-lab", |_| ());
    fs::write(desk.after().join("SHA256SUMS"), list.replace('\n', "\r\n")).expect("writable");
    assert_eq!(desk.diff().code, 0);
}
