//! Going back when something needed for it is lost or in the way, by cbgen and by hand.

use std::collections::BTreeMap;

use cbgen::change::apply::End;
use cbgen::change::evidence;
use cbgen::change::journal::{Journal, Record};
use cbgen::change::rollback::{self, Way, rollback};
use cbgen::change::state::State;
use cbgen::change::status::{Status, status};
use cbgen::change::steps::Package;

use super::runs::{STATE, part, two_runs};
use crate::reliability::fixture::{Fixture, host};
use crate::reliability::stage::Stage;
use crate::reliability::world::World;
use crate::reliability::{run_apply, run_rollback, state, wish};

fn go_back(fixture: &Fixture, world: &World, overwrite: &[&str], leave: &[&str]) -> (rollback::End, String) {
    go_back_with(Some(fixture), world, overwrite, leave)
}

/// With a bundle at hand, or with what was kept on the server alone.
fn go_back_with(
    fixture: Option<&Fixture>,
    world: &World,
    overwrite: &[&str],
    leave: &[&str],
) -> (rollback::End, String) {
    let texts = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
    let (overwrite, leave) = (texts(overwrite), texts(leave));
    let stage = Stage::new(world);
    let server = Fixture::server();
    let way = Way {
        server: &server,
        disk: world,
        machine: &stage,
        package: fixture.map(|fixture| fixture as &dyn Package),
        overwrite: &overwrite,
        leave: &leave,
    };
    let end = rollback(&way, &state(world));
    (end, stage.output())
}

fn code_of(end: &rollback::End) -> &str {
    match end {
        rollback::End::Refused(problems) | rollback::End::Incomplete(problems) => &problems[0].code,
        other => panic!("{other:?}"),
    }
}

fn looked_at(world: &World) -> Status {
    status(&Fixture::server(), world, &[state(world)]).unwrap()
}

const FILE: &str = "C/Product/config/file7.url";

/// A server on which everything is applied, and what it was before.
fn applied(fixture: &Fixture) -> (World, crate::reliability::world::Tree) {
    let world = fixture.world();
    let old = world.tree();
    assert_eq!(run_apply(fixture, &Stage::new(&world), &wish(fixture)), End::Done);
    (world, old)
}

#[test]
fn each_rollback_takes_back_the_run_before() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let stage = Stage::new(&world);
    let first = world.tree();
    assert_eq!(
        run_apply(&fixture, &stage, &part(&fixture, "3.1", "3.7")),
        End::Done
    );
    let second = world.tree();
    assert_eq!(
        run_apply(&fixture, &stage, &part(&fixture, "6.1", "8.3")),
        End::Done
    );
    assert_ne!(world.tree(), second);
    // Somebody changes a file: nothing is touched until that is decided.
    world.put("C/Product/config/file7.url", b"theirs", 0o640);
    let before = world.tree();
    let end = run_rollback(&fixture, &stage, &[]);
    assert!(
        matches!(&end, rollback::End::Refused(problems) if problems[0].code == "CB1261"),
        "{end:?}"
    );
    assert_eq!(world.tree(), before);
    assert!(matches!(
        run_rollback(&fixture, &stage, &["6.7".into()]),
        rollback::End::Back { run: 2, .. }
    ));
    assert_eq!(world.tree(), second);
    assert!(matches!(
        run_rollback(&fixture, &stage, &[]),
        rollback::End::Back { run: 1, .. }
    ));
    assert_eq!(world.tree(), first);
    assert_eq!(run_rollback(&fixture, &stage, &[]), rollback::End::Nothing);
}

#[test]
fn a_lost_copy_is_found_before_anything_goes_back() {
    let fixture = Fixture::new();
    let (whole, mut old) = applied(&fixture);
    let journal = Journal::open(&whole, state(&whole).journal()).unwrap();
    let copy = journal.reading.lines.iter().find_map(|line| match &line.record {
        Record::Did { step, file, .. } if step == "6.7" => Some((file.path.clone(), file.old?)),
        _ => None,
    });
    let (path, digest) = copy.unwrap();
    assert_eq!(host(&path), FILE);
    let saved = format!("{STATE}/saved/{digest}");
    let gone = whole.after_kill();
    gone.take(&saved);
    assert_eq!(looked_at(&gone).lost_copies.len(), 1);
    for bytes in [None, Some(&b"garbled"[..])] {
        let world = whole.after_kill();
        match bytes {
            None => world.take(&saved),
            Some(bytes) => world.put(&saved, bytes, 0o600),
        }
        let before = world.tree();
        let (end, _) = go_back(&fixture, &world, &[], &[]);
        assert_eq!(code_of(&end), "CB1263");
        assert_eq!(world.tree(), before);
        // Everything else goes back, and this file is as the run made it.
        let new = before.get(std::path::Path::new(FILE)).unwrap().clone();
        let (end, output) = go_back(&fixture, &world, &[], &["6.7"]);
        assert!(
            matches!(end, rollback::End::Back { kept: 1, .. }),
            "{end:?}\n{output}"
        );
        old.insert(FILE.into(), new);
        assert_eq!(world.tree(), old);
        // The text for people and the evidence go on naming it.
        let text = String::from_utf8(world.get(&format!("{STATE}/GOING-BACK.txt")).unwrap()).unwrap();
        assert!(text.contains("\r\n6.7 ") && !text.contains("\r\n6.8 "), "{text}");
        let evidence = world.get(&format!("{STATE}/evidence/run-0001.jsonl")).unwrap();
        let read = evidence::read(&evidence).unwrap();
        let last = evidence::summary(&read).unwrap().ends_with;
        assert!(last.contains("but NOT those of 6.7"), "{last}");
        let status = looked_at(&world);
        assert!(!status.has_findings(), "{}", status.to_table());
        assert!(
            status
                .to_table()
                .contains("step 6.7 was not taken back: left as it is")
        );
        assert_eq!(
            run_apply(&fixture, &Stage::new(&world), &wish(&fixture)),
            End::Done
        );
        assert_eq!(world.tree(), before);
    }
}

#[test]
fn a_step_without_a_way_back_keeps_no_server_in_between() {
    let fixture = Fixture::new().with(|steps| {
        let step = steps.iter_mut().find(|step| step.title == "tls").unwrap();
        step.rollback = cbgen::contract::artifact::Rollback::OneWay;
        step.one_way = true;
    });
    let step = fixture.steps().iter().find(|step| step.one_way).unwrap();
    let number = step.number.to_string();
    let world = fixture.world();
    let wish = cbgen::change::apply::Wish {
        one_way: vec![number.clone()],
        ..wish(&fixture)
    };
    assert_eq!(run_apply(&fixture, &Stage::new(&world), &wish), End::Done);
    let (end, _) = go_back(&fixture, &world, &[], &[]);
    assert_eq!(code_of(&end), "CB1260");
    let rollback::End::Incomplete(problems) = end else {
        unreachable!()
    };
    let help = problems[0].help.as_deref().unwrap();
    assert!(help.contains(&format!("--leave {number}")), "{help}");
    let (end, output) = go_back(&fixture, &world, &[], &[&number]);
    assert!(matches!(end, rollback::End::Back { .. }), "{end:?}\n{output}");
    assert_eq!(run_apply(&fixture, &Stage::new(&world), &wish), End::Done);
}

#[test]
fn wrong_numbers_and_things_in_the_way_are_named() {
    let fixture = Fixture::new();
    let (whole, _) = applied(&fixture);
    let before = whole.tree();
    for (overwrite, leave) in [(&["9.99"][..], &[][..]), (&[], &["9.99"])] {
        let (end, _) = go_back(&fixture, &whole, overwrite, leave);
        assert_eq!(code_of(&end), "CB1206");
        assert_eq!(whole.tree(), before);
    }
    // `--overwrite` cannot write over a folder, and does not say that it could.
    for fault in [
        crate::reliability::world::Fault::Folder,
        crate::reliability::world::Fault::Link,
    ] {
        let world = whole.after_kill();
        world.put_other(FILE, fault);
        let before = world.tree();
        for overwrite in [&[][..], &["6.7"]] {
            let (end, _) = go_back(&fixture, &world, overwrite, &[]);
            let rollback::End::Refused(problems) = &end else {
                panic!("{end:?}")
            };
            assert_eq!(problems[0].code, "CB1261");
            let help = problems[0].help.as_deref().unwrap();
            assert!(help.contains("Move what stands there away"), "{help}");
            assert_eq!(world.tree(), before);
        }
        world.take(FILE);
        let (end, output) = go_back(&fixture, &world, &["6.7"], &[]);
        assert!(matches!(end, rollback::End::Back { .. }), "{end:?}\n{output}");
    }
}

#[test]
fn an_older_version_waits_until_a_newer_one_went_back() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let stage = Stage::new(&world);
    assert_eq!(
        run_apply(&fixture, &stage, &part(&fixture, "3.1", "3.7")),
        End::Done
    );
    for path in world.below(STATE) {
        let path = path.to_string_lossy().into_owned();
        if let Some(bytes) = world.get(&path) {
            world.put(&path.replace("1.0.0", "0.9.0"), &bytes, 0o600);
        }
    }
    assert_eq!(
        run_apply(&fixture, &stage, &part(&fixture, "6.1", "8.3")),
        End::Done
    );
    let before = world.tree();
    let server = Fixture::server();
    let way = Way {
        server: &server,
        disk: &world,
        machine: &stage,
        package: None,
        overwrite: &[],
        leave: &[],
    };
    let end = rollback(&way, &State::of(&server, &world, "acme", "0.9.0"));
    assert_eq!(code_of(&end), "CB1243");
    let rollback::End::Refused(problems) = &end else {
        unreachable!()
    };
    assert!(problems[0].message.starts_with("run 2, "), "{problems:?}");
    assert_eq!(world.tree(), before);
}

/// A process that dies between the last line of the journal and the evidence loses nothing.
#[test]
fn evidence_is_finished_by_the_next_command() {
    let fixture = Fixture::new();
    let (whole, _) = applied(&fixture);
    let path = format!("{STATE}/evidence/run-0001.jsonl");
    let evidence = whole.get(&path).unwrap();
    let lines = Journal::open(&whole, state(&whole).journal())
        .unwrap()
        .reading
        .lines;
    let (earlier, _) = evidence::text(1, &lines[..lines.len() - 1]);
    for bytes in [None, Some(earlier)] {
        for by_rollback in [false, true] {
            let world = whole.after_kill();
            match &bytes {
                None => world.take(&path),
                Some(bytes) => world.put(&path, bytes.as_bytes(), 0o600),
            }
            let status = looked_at(&world);
            assert!(!status.has_findings() && status.to_table().contains("not finished: the evidence"));
            if by_rollback {
                let (end, _) = go_back(&fixture, &world, &[], &[]);
                assert!(matches!(end, rollback::End::Back { .. }), "{end:?}");
                world.take(&path);
                assert_eq!(go_back(&fixture, &world, &[], &[]).0, rollback::End::Nothing);
                assert!(evidence::read(&world.get(&path).unwrap()).is_ok());
            } else {
                let stage = Stage::new(&world);
                assert_eq!(run_apply(&fixture, &stage, &wish(&fixture)), End::Nothing);
                assert!(
                    stage.output().contains("seal for the change record"),
                    "{}",
                    stage.output()
                );
                assert_eq!(world.get(&path).unwrap(), evidence);
                assert_eq!(world.tree(), whole.tree());
            }
            assert!(looked_at(&world).unfinished_evidence.is_empty());
        }
    }
    // What somebody changed shows that somebody was there, and stays.
    let world = whole.after_kill();
    let mut changed = evidence.clone();
    changed[100] ^= 1;
    world.put(&path, &changed, 0o600);
    assert_eq!(
        run_apply(&fixture, &Stage::new(&world), &wish(&fixture)),
        End::Nothing
    );
    assert_eq!(world.get(&path).unwrap(), changed);
    assert!(looked_at(&world).has_findings());
}

/// A run that took everything back and had no room to say so blames nobody.
#[test]
fn files_that_went_back_unrecorded_are_nobodys_change() {
    let fixture = Fixture::new();
    let (world, old) = applied(&fixture);
    let path = format!("{STATE}/journal.jsonl");
    let journal = world.get(&path).unwrap();
    let end = journal[..journal.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    world.put(&path, &journal[..=end], 0o600);
    let (bytes, rights) = old.get(std::path::Path::new(FILE)).unwrap();
    world.put(FILE, bytes, *rights);
    let status = looked_at(&world);
    let text = status.to_table();
    assert!(
        text.contains("INTERRUPTED") && !text.contains("by someone"),
        "{text}"
    );
}

/// The text for people, followed from its top to its bottom, leads to the old server, through every run.
#[test]
fn the_text_leads_back_without_cbgen() {
    let fixture = Fixture::new();
    let (world, [first, _]) = two_runs(&fixture);
    let path = format!("{STATE}/GOING-BACK.txt");
    let text = String::from_utf8(world.get(&path).unwrap()).unwrap();
    let (two, one) = (text.find("Run 2, ").unwrap(), text.find("Run 1, ").unwrap());
    assert!(two < one, "{text}");
    let mut rights: BTreeMap<String, u32> = BTreeMap::new();
    for (path, (_, mode)) in &first {
        rights.insert(path.to_string_lossy().to_lowercase(), *mode);
    }
    let mut followed = 0;
    for line in text.lines().map(str::trim) {
        let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        if line.starts_with("copy /y ") {
            let bytes = world
                .get(&format!("{STATE}/{}", quoted[0].replace('\\', "/")))
                .unwrap();
            let target = host(quoted[1]);
            let mode = rights.get(&target.to_lowercase()).copied().unwrap_or(0o644);
            world.put(&target, &bytes, mode);
            followed += 1;
        } else if line.starts_with("del ") {
            world.take(&host(quoted[0]));
            followed += 1;
        } else if let Some(script) = line.strip_prefix("\"bundle\\") {
            let script = script.trim_end_matches('"').replace('\\', "/");
            assert!(
                world.get(&format!("{STATE}/bundle/{script}")).is_some(),
                "{script}"
            );
            let name = script.rsplit('/').next().unwrap().trim_end_matches(".cmd");
            Stage::new(&world).play(name, false);
            followed += 1;
        }
    }
    assert!(followed > 20, "{text}");
    assert_eq!(world.tree(), first);
    // cbgen finds what a person did, and ends the runs.
    for number in [2, 1] {
        let (end, output) = go_back(&fixture, &world, &[], &[]);
        assert!(
            matches!(end, rollback::End::Back { run, .. } if run == number),
            "{end:?}\n{output}"
        );
        assert_eq!(world.tree(), first);
    }
    let status = looked_at(&world);
    assert!(!status.has_findings(), "{}", status.to_table());
    // When cbgen goes back, the text follows.
    let (world, _) = two_runs(&fixture);
    assert!(matches!(
        go_back(&fixture, &world, &[], &[]).0,
        rollback::End::Back { run: 2, .. }
    ));
    let text = String::from_utf8(world.get(&path).unwrap()).unwrap();
    assert!(text.contains("Run 1, ") && !text.contains("Run 2, "), "{text}");
    assert!(matches!(
        go_back(&fixture, &world, &[], &[]).0,
        rollback::End::Back { run: 1, .. }
    ));
    let text = String::from_utf8(world.get(&path).unwrap()).unwrap();
    assert!(text.contains("Every run is taken back"), "{text}");
}

/// Of several steps on one file only what was there first is needed.
#[test]
fn a_copy_between_two_steps_is_not_needed() {
    let fixture = Fixture::new();
    let (world, old) = applied(&fixture);
    let lines = Journal::open(&world, state(&world).journal())
        .unwrap()
        .reading
        .lines;
    let between = lines.iter().find_map(|line| match &line.record {
        Record::Did { step, file, .. } if step == "6.1" => Some(file.new),
        _ => None,
    });
    let path = format!("{STATE}/saved/{}", between.unwrap());
    assert!(world.get(&path).is_some());
    world.take(&path);
    let (end, output) = go_back(&fixture, &world, &[], &[]);
    assert!(matches!(end, rollback::End::Back { .. }), "{end:?}\n{output}");
    assert_eq!(world.tree(), old);
}

/// What somebody made of a file is named in the evidence when it is written over.
#[test]
fn evidence_says_whose_change_was_written_over() {
    let fixture = Fixture::new();
    let (world, old) = applied(&fixture);
    world.put(FILE, b"theirs\n", 0o640);
    let (end, _) = go_back(&fixture, &world, &["6.7"], &[]);
    assert!(matches!(end, rollback::End::Back { .. }), "{end:?}");
    assert_eq!(world.tree(), old);
    let read = evidence::read(&world.get(&format!("{STATE}/evidence/run-0001.jsonl")).unwrap()).unwrap();
    let theirs = cbgen::contract::digest::Digest::of(b"theirs\n");
    let table = evidence::table(&read);
    assert!(table.contains(&format!("kept as saved\\{theirs}")), "{table}");
}

/// The scripts that lead back are looked at before anything goes back, and come from the bundle or from what was saved.
#[test]
fn lost_scripts_are_found_before_anything_goes_back() {
    let fixture = Fixture::new();
    let (whole, old) = applied(&fixture);
    let scripts = whole.below(&format!("{STATE}/bundle"));
    let without_bundle = |world: &World| go_back_with(None, world, &[], &[]).0;
    let world = whole.after_kill();
    let before = world.tree();
    for path in &scripts {
        world.take(&path.to_string_lossy());
    }
    assert_eq!(code_of(&without_bundle(&world)), "CB1263");
    assert_eq!(world.tree(), before);
    let (end, output) = go_back(&fixture, &world, &[], &[]);
    assert!(matches!(end, rollback::End::Back { .. }), "{end:?}\n{output}");
    assert_eq!(world.tree(), old);
    // Another build of the same version put its own scripts there.
    let world = whole.after_kill();
    for path in scripts
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".cmd"))
    {
        let path = path.strip_prefix(format!("{STATE}/bundle")).unwrap();
        let path = cbgen::contract::path::BundlePath::parse(&path.to_string_lossy()).unwrap();
        state(&world).unpack(&world, &path, b"of another build").unwrap();
    }
    let end = without_bundle(&world);
    assert!(matches!(end, rollback::End::Back { .. }), "{end:?}");
    assert_eq!(world.tree(), old);
}
