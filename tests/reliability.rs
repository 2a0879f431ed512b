//! A whole change of a server, struck by a fault at every operation, and what is true afterwards.
//!
//! After each fault one server goes back with `rollback` and must have exactly its old bytes; the other one runs `apply`
//! again and must have exactly the new ones. Output, evidence and journal must be true in both. The counts are the table of
//! `docs/reliability.md`.

pub(crate) mod fixture;
pub(crate) mod stage;
pub(crate) mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cbgen::change::apply::{self, End, Wish, apply};
use cbgen::change::evidence;
use cbgen::change::history::History;
use cbgen::change::journal::Journal;
use cbgen::change::plan::Desk;
use cbgen::change::rollback::{self, Way, rollback};
use cbgen::change::server::Server;
use cbgen::change::state::State;
use cbgen::change::status::status;
use rayon::prelude::*;

use crate::harness::{blessing, compare_text, root};
use fixture::Fixture;
use stage::Stage;
use world::{Cut, Fault, Tree, World};

const STATE: &str = "C/ProgramData/cbgen/acme/1.0.0";

pub(crate) fn wish(fixture: &Fixture) -> Wish {
    let manual = fixture.steps().iter().filter(|step| step.artifact.is_none());
    Wish {
        done: manual.map(|step| step.number.to_string()).collect(),
        ..Wish::default()
    }
}

pub(crate) fn state(world: &World) -> State {
    State::of(&Fixture::server(), world, "acme", "1.0.0")
}

/// Applies, as the command does.
pub(crate) fn run_apply(fixture: &Fixture, stage: &Stage<'_>, wish: &Wish) -> End {
    run_apply_at(&Fixture::server(), fixture, stage, wish)
}

/// The same at another place.
pub(crate) fn run_apply_at(server: &Server, fixture: &Fixture, stage: &Stage<'_>, wish: &Wish) -> End {
    let state = state(stage.world);
    let journal = match Journal::open(stage.world, state.journal()) {
        Ok(journal) => journal,
        Err(error) => return End::Refused(vec![apply::state_failed(&state.windows, &error)]),
    };
    if let Some(problem) = apply::damaged(&journal) {
        return End::Refused(vec![problem]);
    }
    let history = History::of(&journal.reading.lines);
    let desk = Desk {
        package: fixture,
        server,
        disk: stage.world,
        machine: stage,
        history: &history,
    };
    apply(&desk, &state, wish)
}

pub(crate) fn run_rollback(fixture: &Fixture, stage: &Stage<'_>, overwrite: &[String]) -> rollback::End {
    let server = Fixture::server();
    let way = Way {
        server: &server,
        disk: stage.world,
        machine: stage,
        package: Some(fixture),
        overwrite,
        leave: &[],
    };
    rollback(&way, &state(stage.world))
}

/// What every server must be after a command that ended by itself: no debris, evidence whole, nothing drifted.
fn sound(world: &World) -> Result<(), String> {
    // What a kill left in the folder of cbgen itself is written over by the next command and harms nobody.
    let is_new = |path: &PathBuf| path.to_string_lossy().ends_with('~');
    let is_debris = |path: &PathBuf| is_new(path) && !path.starts_with("C/ProgramData/cbgen");
    let debris: Vec<_> = world.below("C").into_iter().filter(is_debris).collect();
    if !debris.is_empty() {
        return Err(format!("left over: {debris:?}"));
    }
    let evidence = world.below(&format!("{STATE}/evidence"));
    for path in evidence.into_iter().filter(|path| !is_new(path)) {
        let bytes = world.get(&path.to_string_lossy()).unwrap();
        evidence::read(&bytes).map_err(|flaws| format!("evidence {}: {flaws:?}", path.display()))?;
    }
    let status = status(&Fixture::server(), world, &[state(world)]).map_err(|error| error.to_string())?;
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
                return Err(format!(
                    "{what}: {} is {text:?}, rights {:o}",
                    path.display(),
                    other.1
                ));
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

impl Ends {
    /// The operations that write or run something.
    fn writing(&self) -> Vec<usize> {
        let numbers = self.operations.iter().enumerate();
        numbers.filter(|(_, writes)| **writes).map(|(at, _)| at).collect()
    }
}

fn ends(fixture: &Fixture) -> Ends {
    let world = fixture.world();
    let old = world.tree();
    let stage = Stage::new(&world);
    assert_eq!(
        run_apply(fixture, &stage, &wish(fixture)),
        End::Done,
        "{}",
        stage.output()
    );
    // Only those of the run: what looks at the server afterwards cannot be struck in it.
    let operations = world.inner.lock().unwrap().writing.clone();
    sound(&world).unwrap();
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
    sound(&world).map_err(told)?;
    let again = run_rollback(fixture, &Stage::new(&world), &[]);
    if let rollback::End::Back { .. } | rollback::End::Incomplete(_) = again {
        return Err(told(format!("a second rollback found something: {again:?}")));
    }
    same("after a second rollback", &world.tree(), &ends.old).map_err(told)
}

/// Runs `apply` again from here and must find the new server; then everything goes back.
fn goes_on(fixture: &Fixture, world: &World, ends: &Ends, and_back: bool) -> Result<(), String> {
    let world = world.after_kill();
    let stage = Stage::new(&world);
    let end = run_apply(fixture, &stage, &wish(fixture));
    let told = |why: String| format!("{why}\napply ended {end:?}\n{}", stage.output());
    if !matches!(end, End::Done | End::Nothing) {
        return Err(told("apply did not go on".to_owned()));
    }
    same("after apply", &world.tree(), &ends.new).map_err(told)?;
    sound(&world).map_err(told)?;
    if and_back {
        goes_back(fixture, &world, ends).map_err(|why| told(format!("going back from the end: {why}")))?;
    }
    Ok(())
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

/// A run struck by a fault at one operation, which lives and goes back by itself. `deep` also goes on from there.
fn struck(fixture: &Fixture, ends: &Ends, at: usize, fault: Fault, deep: bool) -> Result<(), String> {
    let world = fixture.world();
    world.arm(at, fault, "");
    let stage = Stage::new(&world);
    let end = run_apply(fixture, &stage, &wish(fixture));
    let told = |why: String| {
        format!(
            "operation {at}, {fault:?}: {why}\nthe run ended {end:?}\n{}",
            stage.output()
        )
    };
    says_the_truth(&end, &world, ends).map_err(told)?;
    let left = world.after_kill();
    if deep || !matches!(end, End::Failed { is_back: true, .. }) {
        goes_back(fixture, &left, ends).map_err(told)?;
    }
    if deep {
        goes_on(fixture, &left, ends, false).map_err(told)?;
    }
    Ok(())
}

/// A run in which someone meddles with a file at one operation. Nothing of theirs is lost, and everything else goes back.
fn meddled(fixture: &Fixture, ends: &Ends, at: usize, fault: Fault, victim: &str) -> Result<(), String> {
    let world = fixture.world();
    world.arm(at, fault, victim);
    let stage = Stage::new(&world);
    let end = run_apply(fixture, &stage, &wish(fixture));
    let told = |why: String| {
        format!(
            "operation {at}, {fault:?} of {victim}: {why}\nthe run ended {end:?}\n{}",
            stage.output()
        )
    };
    let without = |mut tree: Tree| {
        tree.remove(Path::new(victim));
        tree
    };
    let (old, new) = (without(ends.old.clone()), without(ends.new.clone()));
    match &end {
        End::Done => same("said to be done", &without(world.tree()), &new).map_err(told)?,
        End::Failed {
            is_back: false,
            problems,
        } if problems.is_empty() => {
            return Err(told("it failed and says nothing".to_owned()));
        }
        End::Failed { is_back: false, .. } | End::Waits => {}
        End::Nothing | End::Refused(_) | End::Failed { is_back: true, .. } => {
            same("said to be as before", &without(world.tree()), &old).map_err(told)?;
        }
    }
    let left = world.after_kill();
    let stage = Stage::new(&left);
    let before = left.tree();
    let first = run_rollback(fixture, &stage, &[]);
    let told = |why: String| told(format!("{why}\nrollback ended {first:?}\n{}", stage.output()));
    match &first {
        // Somebody's file is in the way: nothing at all was touched.
        rollback::End::Refused(problems) if problems.iter().any(|problem| problem.code == "CB1261") => {
            same("refused, so untouched", &left.tree(), &before).map_err(told)?;
        }
        rollback::End::Refused(problems) if problems.iter().any(|problem| problem.code != "CB1262") => {
            return Err(told("it was refused for another reason".to_owned()));
        }
        rollback::End::Incomplete(_) => return Err(told("it is incomplete".to_owned())),
        _ => same("after rollback", &without(left.tree()), &old).map_err(told)?,
    }
    let steps = |is_wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        let steps = fixture.steps().iter();
        let wanted =
            steps.filter(|step| is_wanted(&step.target.as_deref().map(fixture::host).unwrap_or_default()));
        wanted.map(|step| step.number.to_string()).collect()
    };
    // What is no file cannot be written over, only left.
    let (overwrite, leave) = match fault {
        Fault::Folder | Fault::Link => (Vec::new(), steps(&|target| target == victim)),
        _ => (steps(&|_| true), Vec::new()),
    };
    let server = Fixture::server();
    let stage = Stage::new(&left);
    let way = Way {
        server: &server,
        disk: &left,
        machine: &stage,
        package: Some(fixture),
        overwrite: &overwrite,
        leave: &leave,
    };
    let second = rollback(&way, &state(&left));
    // What is no file is never removed, and neither is what a stopped replacement left beside it.
    let without = |tree: Tree| {
        let mut tree = without(tree);
        if matches!(fault, Fault::Folder | Fault::Link) {
            tree.retain(|path, _| !path.to_string_lossy().ends_with('~'));
        }
        tree
    };
    let is_kept = fault != Fault::Changed
        || left.get(victim).is_some_and(|bytes| bytes == b"theirs\n")
        || left.below(STATE).iter().any(|path| {
            left.get(&path.to_string_lossy())
                .is_some_and(|bytes| bytes == b"theirs\n")
        });
    if !is_kept {
        return Err(told(format!("their content is lost; {second:?}")));
    }
    if let rollback::End::Incomplete(_) = second {
        return Err(told(format!("with consent: {second:?}")));
    }
    same("after rollback with consent", &without(left.tree()), &old).map_err(told)
}

fn checks_every_case() -> bool {
    std::env::var_os("CBGEN_EVERY_FAULT").is_some_and(|value| value == "1")
}

/// Of how many cases an ordinary run of the tests checks one; with `CBGEN_EVERY_FAULT=1` every one is checked.
const ONE_IN: usize = 37;

/// Runs cases on every core, and gives the number of all there are.
fn run_all<T: Send>(cases: Vec<T>, check: impl Fn(T) -> Result<(), String> + Sync) -> usize {
    let step = if checks_every_case() { 1 } else { ONE_IN };
    let all = cases.len();
    let cases: Vec<T> = cases.into_iter().step_by(step).collect();
    let count = cases.len();
    let complaints: Vec<String> = cases
        .into_par_iter()
        .filter_map(|case| check(case).err())
        .collect();
    let shown: Vec<String> = complaints.iter().take(3).cloned().collect();
    assert!(
        complaints.is_empty(),
        "{} of {count} cases:\n{}",
        complaints.len(),
        shown.join("\n\n")
    );
    all
}

/// Servers that differ: what looks the same to every program is checked once.
fn distinct(worlds: Vec<World>) -> Vec<World> {
    let mut seen = BTreeSet::new();
    worlds
        .into_iter()
        .filter(|world| seen.insert(world.digest()))
        .collect()
}

/// Every server that a kill or a power cut leaves, back and on.
fn interruptions(fixture: &Fixture, ends: &Ends, rows: &mut Vec<Row>) {
    let world = fixture.world();
    world.keep_shots();
    assert_eq!(run_apply(fixture, &Stage::new(&world), &wish(fixture)), End::Done);
    let mut shots = world.shots();
    shots.push(world.after_kill());
    let mut add = |what: &'static str, worlds: Vec<World>| {
        let points = worlds.len();
        let worlds: Vec<(usize, World)> = distinct(worlds).into_iter().enumerate().collect();
        let servers = run_all(worlds, |(index, world)| {
            goes_back(fixture, &world, ends)?;
            goes_on(fixture, &world, ends, index % 8 == 0)
        });
        rows.push((
            what,
            points,
            format!("{servers} servers that differ, each back and on"),
        ));
    };
    for (what, cut) in [
        ("power cut: only what was synced is left", Cut::Synced),
        ("power cut: names are left, contents are lost", Cut::NamesFirst),
        ("power cut: names are left, contents are torn", Cut::Torn),
    ] {
        add(what, shots.iter().map(|shot| shot.after_cut(cut)).collect());
    }
    add(
        "SIGKILL before, in and after each operation that writes, and each program",
        shots,
    );
}

/// What struck, at how many points, and what was checked.
type Row = (&'static str, usize, String);

#[test]
fn every_interruption_leads_back_and_on() {
    let fixture = Fixture::new();
    assert!(fixture.steps().len() >= 60);
    let ends = ends(&fixture);
    let mut rows: Vec<Row> = Vec::new();
    interruptions(&fixture, &ends, &mut rows);
    let writing: Vec<usize> = ends.writing();
    let back = "the run goes back by itself; one in five also goes on";
    for (what, fault, step) in [
        ("disk full at one writing", Fault::FullOnce, 1),
        ("disk full from one writing on", Fault::FullFrom, 5),
        ("permission denied at one writing", Fault::Denied, 5),
        ("file held by another program at one writing", Fault::Busy, 5),
    ] {
        let cases: Vec<usize> = writing.iter().copied().step_by(step).collect();
        let count = run_all(cases, |at| struck(&fixture, &ends, at, fault, at % 5 == 0));
        rows.push((what, count, back.to_owned()));
    }
    let reading: Vec<usize> = (0..ends.operations.len())
        .filter(|at| !ends.operations[*at])
        .step_by(11)
        .collect();
    let count = run_all(reading, |at| {
        struck(&fixture, &ends, at, Fault::Denied, at % 5 == 0)
    });
    rows.push(("permission denied at one reading", count, back.to_owned()));
    let cases: Vec<usize> = (0..ends.operations.len()).step_by(13).collect();
    for (what, fault) in [
        ("a file changed by someone", Fault::Changed),
        ("a file removed by someone", Fault::Vanished),
        ("a folder put in the place of a file", Fault::Folder),
        ("a link put in the place of a file", Fault::Link),
    ] {
        let victims = [
            "C/Product/config/file2.url",
            "C/Product/web/settings9.js",
            "C/Product/config/11/web.config",
            "C/Product/config/12/rabbitmq.config",
        ];
        let cases: Vec<(usize, &str)> = cases
            .iter()
            .enumerate()
            .map(|(index, at)| (*at, victims[index % victims.len()]))
            .collect();
        let count = run_all(cases, |(at, victim)| meddled(&fixture, &ends, at, fault, victim));
        let what_is_checked = "theirs is kept, everything else goes back";
        rows.push((what, count, what_is_checked.to_owned()));
    }
    journals(&fixture, &ends, &mut rows);
    programs(&fixture, &ends, &mut rows);
    let page = page(&fixture, &ends, &rows);
    let path = root().join("docs/reliability.md");
    // Only a run of every case may say that there are no exceptions.
    assert!(!blessing() || checks_every_case(), "set CBGEN_EVERY_FAULT=1 too");
    // Where a document links to the page, `tests/tidy.rs` wants it to be there.
    if checks_every_case() || path.exists() {
        compare_text(&path, &page).unwrap_or_else(|why| panic!("{why}"));
    }
}

/// The journal cut or garbled, and the state folder removed, after a whole run.
fn journals(fixture: &Fixture, ends: &Ends, rows: &mut Vec<Row>) {
    let world = fixture.world();
    assert_eq!(run_apply(fixture, &Stage::new(&world), &wish(fixture)), End::Done);
    let path = format!("{STATE}/journal.jsonl");
    let journal = world.get(&path).unwrap();
    let with = |bytes: &[u8]| {
        let world = world.after_kill();
        world.put(&path, bytes, 0o600);
        world
    };
    let cut: Vec<usize> = (0..journal.len()).step_by(97).collect();
    let count = run_all(cut, |at| {
        let told = |why: String| format!("journal cut at {at}: {why}");
        goes_back(fixture, &with(&journal[..at]), ends).map_err(told)
    });
    rows.push(("journal cut at a byte", count, "back".to_owned()));
    let garbled: Vec<usize> = (0..journal.len()).step_by(89).collect();
    let count = run_all(garbled, |at| {
        let told = |why: String| format!("journal garbled at {at}: {why}");
        let mut bytes = journal.clone();
        bytes[at] ^= 0x15;
        let world = with(&bytes);
        let stage = Stage::new(&world);
        let end = run_apply(fixture, &stage, &wish(fixture));
        let is_named =
            matches!(&end, End::Refused(problems) if problems.iter().any(|problem| problem.code == "CB1241"));
        if !is_named {
            return Err(told(format!("apply does not notice: {end:?}")));
        }
        goes_back(fixture, &world, ends).map_err(told)
    });
    rows.push((
        "journal garbled at a byte",
        count,
        "noticed by apply; back".to_owned(),
    ));
    world.take("C/ProgramData/cbgen");
    // Scripts have kept what was there in the folder that is gone, so only going on is possible.
    let stage = Stage::new(&world);
    assert_eq!(
        run_apply(fixture, &stage, &wish(fixture)),
        End::Done,
        "{}",
        stage.output()
    );
    same("state removed, applied again", &world.tree(), &ends.new).unwrap();
    rows.push(("state folder removed", 1, "on".to_owned()));
}

/// Programs that fail, hang or are not there.
fn programs(fixture: &Fixture, ends: &Ends, rows: &mut Vec<Row>) {
    let scripts = fixture
        .steps()
        .iter()
        .filter(|step| step.title.chars().all(char::is_lowercase) && step.artifact.is_some());
    let names: Vec<&'static str> = scripts.map(|step| &*step.title.clone().leak()).collect();
    let apply_with =
        |fails: Option<&'static str>, hangs: Option<&'static str>, answers: Vec<&'static str>| {
            let world = fixture.world();
            let mut stage = Stage::new(&world);
            stage.fails = fails;
            stage.hangs = hangs;
            stage.answers = answers.into();
            let end = run_apply(fixture, &stage, &wish(fixture));
            let output = stage.output();
            drop(stage);
            (world, end, output)
        };
    for name in &names {
        let name: &'static str = format!("apply-{name}").leak();
        let (world, end, output) = apply_with(Some(name), None, Vec::new());
        assert!(
            matches!(end, End::Failed { is_back: true, .. }),
            "{name}: {end:?}\n{output}"
        );
        same(name, &world.tree(), &ends.old).unwrap();
        goes_on(fixture, &world, ends, true).unwrap();
    }
    rows.push((
        "a script fails",
        names.len(),
        "the run goes back by itself, then on".to_owned(),
    ));
    for name in &names {
        let name: &'static str = format!("apply-{name}").leak();
        // Nobody there: it is left running, nothing is taken back, and that is said.
        let (world, end, output) = apply_with(None, Some(name), Vec::new());
        assert!(
            matches!(end, End::Failed { is_back: false, .. }),
            "{name}: {end:?}\n{output}"
        );
        assert!(output.contains("runs for"), "{output}");
        goes_back(fixture, &world, ends).unwrap();
        // A person ends it.
        let (world, end, _) = apply_with(None, Some(name), vec!["kill", "wait"]);
        assert!(
            matches!(end, End::Failed { is_back: true, .. }),
            "{name}: {end:?}"
        );
        same(name, &world.tree(), &ends.old).unwrap();
    }
    rows.push((
        "a script hangs, with and without a person",
        names.len() * 2,
        "asked, left or ended, then back".to_owned(),
    ));
    for tool in [
        "C/Windows/System32/cmd.exe",
        "C/Program Files/Microsoft SQL Server",
    ] {
        let world = fixture.world();
        world.take(tool);
        let old = world.tree();
        let end = run_apply(fixture, &Stage::new(&world), &wish(fixture));
        assert!(
            matches!(&end, End::Refused(problems) if problems.iter().all(|problem| problem.code == "CB1218")),
            "{end:?}"
        );
        same(tool, &world.tree(), &old).unwrap();
    }
    rows.push(("a program is missing", 2, "refused, nothing changed".to_owned()));
}

/// `docs/reliability.md`.
fn page(fixture: &Fixture, ends: &Ends, rows: &[Row]) -> String {
    let total: usize = rows.iter().map(|(_, points, _)| points).sum();
    let mut out = format!(
        "# Reliability of a change\n\nWritten by `tests/reliability.rs: every_interruption_leads_back_and_on`; do not edit.\n\n\
         One bundle of {} steps replaces files, edits settings in every format that the engine knows and addresses in scripts, and runs scripts; it is applied to a server in memory whose disk and programs are struck by faults. \
         The change makes {} operations on the disk and with programs; {} of them write or run something. \
         After every fault the server is exactly old or exactly new where it was said to be, `rollback` ends with exactly the old bytes and rights, \
         or `apply` goes on to exactly the new ones; evidence is whole, nothing lies beside a file, `status` finds no drift, and a second \
         `rollback` finds nothing to do. The clock of the machine jumps back every seventh look.\n\n\
         Kills, power cuts and the first full disk strike at every operation that writes or runs something; a disk that stays full, a right that is \
         missing and a file that is held at every fifth of them, a denied reading at every eleventh, other people at every thirteenth operation. The journal \
         of a whole run is cut at every 97th byte and garbled at every 89th.\n\n\
         A run with `CBGEN_EVERY_FAULT=1` checks every point of the table, and only such a run writes this page; an ordinary run of the tests \
         checks one in {ONE_IN} of each row, and that the page still tells the right numbers.\n\n\
         | fault | points | checked |\n| --- | ---: | --- |\n",
        fixture.steps().len(),
        ends.operations.len(),
        ends.writing().len(),
    );
    for (what, points, checked) in rows {
        out.push_str(&format!("| {what} | {points} | {checked} |\n"));
    }
    out.push_str(&format!("| all | {total} | exceptions: 0 |\n"));
    out.push_str(
        "\nThe operations are those of `compiler/change/disk.rs`. Not shown here: access lists, streams and sharing of a real NTFS, and a real power cut. \
         Real processes killed at real system calls are in `tests/change.rs: a_killed_process_leads_back_and_on`.\n",
    );
    out
}
