//! A whole change of a server, struck by a fault at every operation, and what is true afterwards.
//!
//! After each fault one server goes back with `rollback` and must have exactly its old bytes; the other one runs `apply`
//! again and must have exactly the new ones. Output, evidence and journal must be true in both. The counts are the table of
//! `docs/reliability.md`.

mod fixture;
mod world;

use std::collections::BTreeMap;
use std::path::Path;

use cbgen::change::apply::{self, End, Wish, apply};
use cbgen::change::evidence;
use cbgen::change::history::History;
use cbgen::change::journal::Journal;
use cbgen::change::plan::Desk;
use cbgen::change::rollback::{self, Way, rollback};
use cbgen::change::state::State;
use cbgen::change::status::status;
use rayon::prelude::*;

use fixture::{Fixture, Stage};
use world::{Cut, Fault, Tree, World};

use crate::harness::{compare_text, expect_none, root};

const STATE: &str = "C/ProgramData/cbgen/acme/1.0.0";

fn wish(fixture: &Fixture) -> Wish {
    let manual = fixture.steps().iter().filter(|step| step.artifact.is_none());
    Wish {
        done: manual.map(|step| step.number.to_string()).collect(),
        ..Wish::default()
    }
}

fn state(fixture: &Fixture, world: &World) -> State {
    State::of(&fixture.server(), world, "acme", "1.0.0")
}

/// Applies, as the command does.
fn run_apply(fixture: &Fixture, stage: &Stage<'_>, wish: &Wish) -> End {
    let server = fixture.server();
    let state = state(fixture, stage.world);
    let journal = match Journal::open(stage.world, state.journal()) {
        Ok(journal) => journal,
        Err(error) => return End::Refused(vec![apply::state_failed(&error)]),
    };
    if let Some(problem) = apply::damaged(&journal) {
        return End::Refused(vec![problem]);
    }
    let history = History::of(&journal.reading.lines);
    let desk = Desk {
        package: fixture,
        server: &server,
        disk: stage.world,
        machine: stage,
        history: &history,
    };
    apply(&desk, &state, wish)
}

fn run_rollback(fixture: &Fixture, stage: &Stage<'_>, overwrite: &[String]) -> rollback::End {
    let server = fixture.server();
    let way = Way {
        server: &server,
        disk: stage.world,
        machine: stage,
        package: Some(fixture),
        overwrite,
    };
    rollback(&way, &state(fixture, stage.world))
}

/// What every server must be after a command that ended by itself: no debris, evidence whole, nothing drifted.
fn sound(fixture: &Fixture, world: &World) -> Result<(), String> {
    let debris: Vec<_> = world.below("C").into_iter().filter(|path| path.to_string_lossy().ends_with('~')).collect();
    if !debris.is_empty() {
        return Err(format!("left over: {debris:?}"));
    }
    for path in world.below(&format!("{STATE}/evidence")) {
        let bytes = world.get(&path.to_string_lossy()).unwrap();
        evidence::read(&bytes).map_err(|flaws| format!("evidence {}: {flaws:?}", path.display()))?;
    }
    let status = status(&fixture.server(), world, &[state(fixture, world)]).map_err(|error| error.to_string())?;
    if status.has_findings() {
        return Err(format!("status: {}", status.to_table()));
    }
    Ok(())
}

fn same(what: &str, found: &Tree, wanted: &Tree) -> Result<(), String> {
    for (path, bytes) in wanted {
        match found.get(path) {
            None => return Err(format!("{what}: {} is missing", path.display())),
            Some(other) if other != bytes => {
                let text = String::from_utf8_lossy(&other.0).into_owned();
                return Err(format!("{what}: {} is {text:?}, rights {:o}", path.display(), other.1));
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|path| !wanted.contains_key(*path)) {
        Some(path) => Err(format!("{what}: {} is too much", path.display())),
        None => Ok(()),
    }
}

/// The servers before and after.
struct Ends {
    old: Tree,
    new: Tree,
    operations: Vec<bool>,
}

fn ends(fixture: &Fixture) -> Ends {
    let world = fixture.world();
    let old = world.tree();
    let stage = Stage::new(&world);
    assert_eq!(run_apply(fixture, &stage, &wish(fixture)), End::Done, "{}", stage.output());
    sound(fixture, &world).unwrap();
    let operations = world.inner.lock().unwrap().writing.clone();
    Ends {
        old,
        new: world.tree(),
        operations,
    }
}

/// Goes back from here and must find the old server; once more, and nothing may change.
fn goes_back(fixture: &Fixture, world: &World, ends: &Ends) -> Result<(), String> {
    let world = world.after_kill();
    let stage = Stage::new(&world);
    let end = run_rollback(fixture, &stage, &[]);
    let is_true = match &end {
        rollback::End::Nothing | rollback::End::Back { .. } => true,
        rollback::End::Refused(problems) => problems.iter().all(|problem| problem.code == "CB1262"),
        rollback::End::Incomplete(_) => false,
    };
    let told = |why: String| format!("{why}\nrollback ended {end:?}\n{}", stage.output());
    if !is_true {
        return Err(told("rollback did not go back".to_owned()));
    }
    same("after rollback", &world.tree(), &ends.old).map_err(told)?;
    sound(fixture, &world).map_err(told)?;
    let again = run_rollback(fixture, &Stage::new(&world), &[]);
    if let rollback::End::Back { .. } | rollback::End::Incomplete(_) = again {
        return Err(told(format!("a second rollback found something: {again:?}")));
    }
    same("after a second rollback", &world.tree(), &ends.old).map_err(told)
}

/// Runs `apply` again from here and must find the new server; then everything goes back.
fn goes_on(fixture: &Fixture, world: &World, ends: &Ends) -> Result<(), String> {
    let world = world.after_kill();
    let stage = Stage::new(&world);
    let end = run_apply(fixture, &stage, &wish(fixture));
    let told = |why: String| format!("{why}\napply ended {end:?}\n{}", stage.output());
    if !matches!(end, End::Done | End::Nothing) {
        return Err(told("apply did not go on".to_owned()));
    }
    same("after apply", &world.tree(), &ends.new).map_err(told)?;
    sound(fixture, &world).map_err(told)?;
    goes_back(fixture, &world, ends).map_err(|why| told(format!("going back from the end: {why}")))
}

/// What a run that lived says of itself must be so.
fn says_the_truth(end: &End, world: &World, ends: &Ends) -> Result<(), String> {
    match end {
        End::Nothing | End::Refused(_) | End::Failed { is_back: true, .. } => {
            same("said to be as before", &world.tree(), &ends.old)
        }
        End::Done => same("said to be done", &world.tree(), &ends.new),
        End::Failed { problems, .. } if problems.is_empty() => Err("it failed and says nothing".to_owned()),
        End::Failed { .. } | End::Waits => Ok(()),
    }
}

/// One case: a fault at one operation, and what is left.
fn case(fixture: &Fixture, ends: &Ends, at: usize, fault: Fault, cut: Option<Cut>) -> Result<(), String> {
    let world = fixture.world();
    world.arm(at, fault, "");
    let stage = Stage::new(&world);
    let end = run_apply(fixture, &stage, &wish(fixture));
    let told = |why: String| format!("operation {at}, {fault:?}, {cut:?}: {why}\nfirst run:\n{}", stage.output());
    let was_killed = world.inner.lock().unwrap().is_dead;
    if !was_killed {
        says_the_truth(&end, &world, ends).map_err(told)?;
    }
    let left = match cut {
        None => world.after_kill(),
        Some(cut) => world.after_cut(cut),
    };
    goes_back(fixture, &left, ends).map_err(told)?;
    goes_on(fixture, &left, ends).map_err(told)
}

/// Runs cases on every core, and gives their number.
fn run_all(cases: Vec<(usize, Fault, Option<Cut>)>, fixture: &Fixture, ends: &Ends) -> usize {
    let count = cases.len();
    let complaints: Vec<String> = cases
        .into_par_iter()
        .filter_map(|(at, fault, cut)| case(fixture, ends, at, fault, cut).err())
        .collect();
    let shown: Vec<String> = complaints.iter().take(3).cloned().collect();
    assert!(complaints.is_empty(), "{} of {count} cases:\n{}", complaints.len(), shown.join("\n\n"));
    count
}

#[test]
fn every_interruption_leads_back_and_on() {
    let fixture = Fixture::new();
    assert!(fixture.steps().len() >= 60);
    let ends = ends(&fixture);
    let writing = || ends.operations.iter().enumerate().filter(|(_, writes)| **writes).map(|(at, _)| at);
    let all = || 0..ends.operations.len();
    println!("{} operations, {} of them write", ends.operations.len(), writing().count());
    let mut rows: Vec<(&str, usize)> = Vec::new();
    let mut add = |what: &'static str, cases: Vec<(usize, Fault, Option<Cut>)>| {
        let begin = std::time::Instant::now();
        rows.push((what, run_all(cases, &fixture, &ends)));
        println!("{what}: {:?}", begin.elapsed());
    };
    let kill = |fault: Fault| writing().map(|at| (at, fault, None)).collect::<Vec<_>>();
    add("killed before an operation that writes or runs something", kill(Fault::KillBefore));
    add("killed in the middle of one", kill(Fault::KillMiddle));
    add("killed after one", kill(Fault::KillAfter));
    let cut = |cut: Cut| writing().map(|at| (at, Fault::KillMiddle, Some(cut))).collect::<Vec<_>>();
    add("power cut: only what was synced is left", cut(Cut::Synced));
    add("power cut: names are left, contents are lost", cut(Cut::NamesFirst));
    add("power cut: names are left, contents are torn", cut(Cut::Torn));
    add("disk full at one writing", kill(Fault::FullOnce));
    add("disk full from one writing on", kill(Fault::FullFrom));
    add("permission denied", all().map(|at| (at, Fault::Denied, None)).collect());
    add("file held by another program", all().map(|at| (at, Fault::Busy, None)).collect());
    println!("{rows:?}");
}
