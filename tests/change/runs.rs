//! Several runs on one server: what is open, what is lost, and whose it is.

use std::path::PathBuf;

use cbgen::change::apply::{End, Wish};
use cbgen::change::rollback::{self, Way, rollback};
use cbgen::change::server::Server;
use cbgen::change::status::status;
use cbgen::change::steps::Selection;

use super::refused;
use crate::reliability::fixture::Fixture;
use crate::reliability::stage::Stage;
use crate::reliability::world::World;
use crate::reliability::{run_apply, run_apply_at, run_rollback, state, wish};

pub(super) const STATE: &str = "C/ProgramData/cbgen/acme/1.0.0";

/// A part of the change.
pub(super) fn part(fixture: &Fixture, from: &str, until: &str) -> Wish {
    Wish {
        selection: Selection {
            from: Some(from.parse().unwrap()),
            until: Some(until.parse().unwrap()),
            ..Selection::default()
        },
        ..wish(fixture)
    }
}

/// A server with two runs, and what it was before each.
pub(super) fn two_runs(fixture: &Fixture) -> (World, [crate::reliability::world::Tree; 2]) {
    let world = fixture.world();
    let stage = Stage::new(&world);
    let first = world.tree();
    assert_eq!(
        run_apply(fixture, &stage, &part(fixture, "3.1", "3.7")),
        End::Done
    );
    let second = world.tree();
    assert_eq!(
        run_apply(fixture, &stage, &part(fixture, "6.1", "8.3")),
        End::Done
    );
    (world, [first, second])
}

/// Whatever happens to the journal, every run goes back, the last one first.
#[test]
fn a_damaged_journal_loses_no_run() {
    let fixture = Fixture::new();
    let (whole, [first, second]) = two_runs(&fixture);
    let path = format!("{STATE}/journal.jsonl");
    let journal = whole.get(&path).unwrap();
    let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
    let of_run_2 = lines
        .iter()
        .position(|line| String::from_utf8_lossy(line).contains("\"run\":2"))
        .unwrap();
    let changed = |at: usize| {
        let mut lines: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
        lines[at] = b"garbage\n".to_vec();
        lines.concat()
    };
    for (what, bytes) in [
        ("removed", None),
        ("emptied", Some(Vec::new())),
        ("cut back to run 1", Some(lines[..of_run_2].concat())),
        ("first line", Some(changed(0))),
        ("begin of run 2", Some(changed(of_run_2))),
        ("in run 1", Some(changed(3))),
        ("in run 2", Some(changed(of_run_2 + 3))),
        ("last line", Some(changed(lines.len() - 1))),
    ] {
        let world = whole.after_kill();
        match &bytes {
            Some(bytes) => world.put(&path, bytes, 0o600),
            None => world.take(&path),
        }
        let stage = Stage::new(&world);
        let before = world.tree();
        assert_eq!(
            refused(&run_apply(&fixture, &stage, &wish(&fixture))),
            ["CB1241"],
            "{what}"
        );
        assert_eq!(world.tree(), before, "{what}");
        for (number, wanted) in [(2, &second), (1, &first)] {
            let end = run_rollback(&fixture, &stage, &[]);
            assert!(
                matches!(end, rollback::End::Back { run, .. } if run == number),
                "{what}, run {number}: {end:?}\n{}",
                stage.output()
            );
            assert_eq!(&world.tree(), wanted, "{what}, run {number}");
        }
        assert_eq!(
            run_rollback(&fixture, &stage, &[]),
            rollback::End::Nothing,
            "{what}"
        );
        let status = status(&Fixture::server(), &world, &[state(&world)]).unwrap();
        assert!(!status.has_findings(), "{what}: {}", status.to_table());
        assert_eq!(run_apply(&fixture, &stage, &wish(&fixture)), End::Done, "{what}");
    }
}

/// A run that waits is not ended by another part of the change.
#[test]
fn steps_of_an_open_run_are_not_left_out() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let stage = Stage::new(&world);
    let mut some = part(&fixture, "8.1", "8.4");
    some.done.clear();
    assert_eq!(run_apply(&fixture, &stage, &some), End::Waits);
    let before = world.tree();
    let other = part(&fixture, "3.1", "3.7");
    assert_eq!(refused(&run_apply(&fixture, &stage, &other)), ["CB1243"]);
    assert_eq!(world.tree(), before);
    // With its own words it goes on, and so it does with more.
    assert_eq!(run_apply(&fixture, &stage, &some), End::Waits);
    assert_eq!(
        run_apply(&fixture, &stage, &wish(&fixture)),
        End::Done,
        "{}",
        stage.output()
    );
}

/// A run of another version that has not ended stands against this one: both may change the same files.
#[test]
fn an_open_run_of_another_version_is_ended_first() {
    let fixture = Fixture::new();
    let world = fixture.world();
    assert_eq!(
        run_apply(&fixture, &Stage::new(&world), &Wish::default()),
        End::Waits
    );
    for path in world.below(STATE) {
        let path = path.to_string_lossy().into_owned();
        let bytes = world.get(&path).unwrap();
        world.put(&path.replace("1.0.0", "0.9.0"), &bytes, 0o600);
        world.take(&path);
    }
    let before = world.tree();
    let stage = Stage::new(&world);
    assert_eq!(refused(&run_apply(&fixture, &stage, &wish(&fixture))), ["CB1243"]);
    assert_eq!(world.tree(), before);
}

/// Who names one server does not take back another.
#[test]
fn a_run_of_another_place_is_not_taken_back() {
    let fixture = Fixture::new();
    let (world, _) = two_runs(&fixture);
    let before = world.tree();
    for place in ["CORE01", "deployment"] {
        let stage = Stage::new(&world);
        let server = Server::new(place, Some(PathBuf::new()), None, None);
        let way = Way {
            server: &server,
            disk: &world,
            machine: &stage,
            package: Some(&fixture),
            overwrite: &[],
            leave: &[],
        };
        let end = rollback(&way, &state(&world));
        assert!(
            matches!(&end, rollback::End::Refused(problems) if problems[0].code == "CB1243" && problems[0].help.as_deref().is_some_and(|help| help.contains("--server MGMT01"))),
            "{end:?}"
        );
        assert_eq!(world.tree(), before, "{place}");
    }
}

/// Where the journal and its copies are gone, evidence tells what each run did; where that is gone too, nothing older goes back.
#[test]
fn evidence_tells_what_the_journal_lost() {
    let fixture = Fixture::new();
    let (whole, [first, second]) = two_runs(&fixture);
    let lose = |world: &World| {
        world.take(&format!("{STATE}/journal.jsonl"));
        for path in world.below(&format!("{STATE}/runs")) {
            world.take(&path.to_string_lossy());
        }
    };
    let world = whole.after_kill();
    lose(&world);
    assert!(
        status(&Fixture::server(), &world, &[state(&world)])
            .unwrap()
            .has_findings()
    );
    for (number, wanted) in [(2, &second), (1, &first)] {
        let stage = Stage::new(&world);
        let end = run_rollback(&fixture, &stage, &[]);
        assert!(
            matches!(end, rollback::End::Back { run, .. } if run == number),
            "{end:?}\n{}",
            stage.output()
        );
        assert_eq!(&world.tree(), wanted);
    }
    // No number is given twice.
    assert_eq!(
        run_apply(&fixture, &Stage::new(&world), &wish(&fixture)),
        End::Done
    );
    assert!(world.get(&format!("{STATE}/evidence/run-0003.jsonl")).is_some());

    let world = whole.after_kill();
    world.take(&format!("{STATE}/journal.jsonl"));
    world.take(&format!("{STATE}/evidence/run-0002.jsonl"));
    world.put(&format!("{STATE}/runs/0002.json"), b"garbage", 0o600);
    let before = world.tree();
    let end = run_rollback(&fixture, &Stage::new(&world), &[]);
    assert!(
        matches!(&end, rollback::End::Refused(problems) if problems[0].code == "CB1241" && problems[0].message.contains("run 2, the newest")),
        "{end:?}"
    );
    assert_eq!(world.tree(), before);
    assert!(
        status(&Fixture::server(), &world, &[state(&world)])
            .unwrap()
            .has_findings()
    );
    // Where it is the only one, that is not nothing.
    world.take(&format!("{STATE}/evidence/run-0001.jsonl"));
    world.take(&format!("{STATE}/runs/0001.json"));
    let end = run_rollback(&fixture, &Stage::new(&world), &[]);
    assert!(
        matches!(&end, rollback::End::Refused(problems) if problems[0].code == "CB1241"),
        "{end:?}"
    );
}

/// A run that was done stays done when the journal begins anew: nothing is added to it.
#[test]
fn a_new_journal_keeps_what_was_done() {
    let fixture = Fixture::new();
    let (world, [_, second]) = two_runs(&fixture);
    let before = status(&Fixture::server(), &world, &[state(&world)]).unwrap().runs;
    world.take(&format!("{STATE}/journal.jsonl"));
    let end = run_rollback(&fixture, &Stage::new(&world), &[]);
    assert!(matches!(end, rollback::End::Back { run: 2, .. }), "{end:?}");
    assert_eq!(world.tree(), second);
    let after = status(&Fixture::server(), &world, &[state(&world)]).unwrap().runs;
    assert_eq!(after[0], before[0]);
    assert_eq!(
        run_apply(&fixture, &Stage::new(&world), &wish(&fixture)),
        End::Done
    );
    let evidence = world.get(&format!("{STATE}/evidence/run-0003.jsonl"));
    assert!(evidence.is_some(), "a run that was done was gone on with");
}

/// A server waits for what is done once for the whole installation, and that may be done from the same machine.
#[test]
fn a_waiting_run_leaves_other_places_alone() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let stage = Stage::new(&world);
    let mut some = part(&fixture, "8.1", "8.4");
    some.done.clear();
    assert_eq!(run_apply(&fixture, &stage, &some), End::Waits);
    let elsewhere = Server::new("deployment", Some(PathBuf::new()), None, None);
    let end = run_apply_at(&elsewhere, &fixture, &stage, &wish(&fixture));
    assert!(matches!(end, End::Nothing | End::Done), "{end:?}");
    assert_eq!(
        run_apply(&fixture, &stage, &wish(&fixture)),
        End::Done,
        "{}",
        stage.output()
    );
}

/// A file that another version changed holds neither what is looked for nor what would be written.
#[test]
fn what_another_version_wrote_is_not_called_done() {
    let fixture = Fixture::new();
    let world = fixture.world();
    world.put(
        "C/Product/web/settings17.js",
        b"var a='https://old.example/auth';\n",
        0o644,
    );
    let stage = Stage::new(&world);
    let codes = super::codes(&super::plan_on(&fixture, &stage, &Fixture::server()));
    assert_eq!(codes, ["CB1222"]);
    assert_eq!(run_apply(&fixture, &stage, &wish(&fixture)), End::Done);
    let again = Stage::new(&world);
    assert_eq!(run_apply(&fixture, &again, &wish(&fixture)), End::Nothing);
    assert!(again.output().contains("look at this: "), "{}", again.output());
}
