//! The change window: what `plan` finds, what is refused, and the commands on a copy of a server with played scripts.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use cbgen::change::apply::{End, Wish};
use cbgen::change::history::History;
use cbgen::change::plan::{Desk, Plan};
use cbgen::change::rollback;
use cbgen::change::server::Server;
use cbgen::change::steps::Selection;
use cbgen::contract::artifact::Rollback;
use cbgen::contract::runbook::Step;

use crate::harness::{Workspace, expect_none};
use crate::reliability::fixture::Fixture;
use crate::reliability::stage::Stage;
use crate::reliability::world::{Fault, World};
use crate::reliability::{run_apply, run_rollback, wish};

mod absent;
mod going_back;
mod processes;
mod runs;

fn plan_on(fixture: &Fixture, stage: &Stage<'_>, server: &Server) -> Plan {
    let desk = Desk {
        package: fixture,
        server,
        disk: stage.world,
        machine: stage,
        history: &History::default(),
    };
    desk.plan(&Selection::default())
}

/// Every code of a plan, each once.
fn codes(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().flat_map(|step| &step.problems);
    let mut codes: Vec<String> = plan
        .problems
        .iter()
        .chain(steps)
        .map(|problem| problem.code.clone())
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn plan_finds_tonight_what_step_37_would_find() {
    let found = |fixture: &Fixture, change: &dyn Fn(&World)| {
        let world = fixture.world();
        change(&world);
        let before = world.stamps();
        let plan = plan_on(fixture, &Stage::new(&world), &Fixture::server());
        assert_eq!(world.stamps(), before, "a plan wrote something");
        assert!(plan.is_blocked() || plan.obstacles().iter().all(|problem| !problem.blocks()));
        codes(&plan)
    };
    let plain = Fixture::new();
    let file = "C/Product/config/file7.url";
    let check = |code: &str, change: &dyn Fn(&World)| assert_eq!(found(&plain, change), [code]);
    check("CB1210", &|world| world.take(file));
    check("CB1210", &|world| world.take("C/Product/config"));
    check("CB1211", &|world| world.put(file, b"[B]\r\nNothing=1\r\n", 0o644));
    check("CB1212", &|world| world.put(file, b"[A]\r\nURL=x\r\n", 0o1644));
    check("CB1213", &|world| world.put(file, b"[A]\r\nURL=x\r\n", 0o444));
    check("CB1214", &|world| world.put_other(file, Fault::Link));
    check("CB1215", &|world| world.put_other(file, Fault::Folder));
    check("CB1217", &|world| {
        world.put(file, &vec![b'x'; (64 << 20) + 1], 0o644);
    });
    check("CB1218", &|world| world.take("C/Windows/System32/cmd.exe"));
    check("CB1218", &|world| {
        world.take("C/Program Files/Microsoft SQL Server");
    });
    check("CB1207", &|world| world.inner.lock().unwrap().free = 1000);
    let with = |change: &dyn Fn(&mut Step)| {
        Fixture::new().with(|steps| {
            change(
                steps
                    .iter_mut()
                    .find(|step| step.number.to_string() == "6.7")
                    .unwrap(),
            );
        })
    };
    let long = with(&|step| step.target = Some(format!(r"C:\{}", "a".repeat(250))));
    assert_eq!(found(&long, &|_| {}), ["CB1216"]);
    let service = with(&|step| step.restarts = vec!["Notification Server".into(), "Windows".into()]);
    let with_sc = |world: &World| world.put("C/Windows/System32/sc.exe", b"MZ", 0o755);
    assert_eq!(found(&service, &with_sc), ["CB1219"]);
    // The name may be another one here, and nothing of the step restarts it.
    let world = service.world();
    with_sc(&world);
    assert!(!plan_on(&service, &Stage::new(&world), &Fixture::server()).is_blocked());
    let lost = Fixture::new().with_file("servers/MGMT01/config/file7.set.url", None);
    assert_eq!(found(&lost, &|_| {}), ["CB1220"]);
}

#[test]
fn the_wrong_machine_is_refused() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let live = Server::new("MGMT01", None, None, None);
    let mut stage = Stage::new(&world);
    assert_eq!(codes(&plan_on(&fixture, &stage, &live)), ["CB1204"]);
    stage.is_windows = true;
    stage.is_elevated = false;
    let found = codes(&plan_on(&fixture, &stage, &live));
    assert!(
        found.contains(&"CB1202".to_owned()) && found.contains(&"CB1205".to_owned()),
        "{found:?}"
    );
    // A copy on a Windows machine: files may change, scripts would change the machine itself.
    assert_eq!(codes(&plan_on(&fixture, &stage, &Fixture::server())), ["CB1221"]);
}

/// The codes of an end that changed nothing.
fn refused(end: &End) -> Vec<&str> {
    match end {
        End::Refused(problems) => problems.iter().map(|problem| problem.code.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn apply_refuses_before_anything_changes() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let old = world.tree();
    let stage = Stage::new(&world);
    let plan = plan_on(&fixture, &stage, &Fixture::server());
    world.lock_it(true);
    assert_eq!(refused(&run_apply(&fixture, &stage, &wish(&fixture))), ["CB1240"]);
    world.lock_it(false);
    // Somebody changes a file after the plan was looked at.
    let moved = world.after_kill();
    moved.put("C/Product/config/file7.url", b"[A]\r\nURL=other\r\n", 0o640);
    let with_plan = Wish {
        plan: Some(plan.clone()),
        ..wish(&fixture)
    };
    // What a person read and agreed to is what is done, to the last letter.
    let mut forged = plan.clone();
    let is_shown = |step: &&mut cbgen::change::plan::Planned| {
        step.diff
            .as_ref()
            .is_some_and(|diff| diff.contains("new.example"))
    };
    let step = forged.steps.iter_mut().find(is_shown).unwrap();
    step.diff = step
        .diff
        .as_ref()
        .map(|diff| diff.replace("new.example", "other.example"));
    let with_forged = Wish {
        plan: Some(forged),
        ..wish(&fixture)
    };
    let unmoved = world.after_kill();
    assert_eq!(
        refused(&run_apply(&fixture, &Stage::new(&unmoved), &with_forged)),
        ["CB1230"]
    );
    assert_eq!(
        refused(&run_apply(&fixture, &Stage::new(&moved), &with_plan)),
        ["CB1230"]
    );
    // The same plan twice: the first one used it up.
    let twice = world.after_kill();
    assert_eq!(run_apply(&fixture, &Stage::new(&twice), &with_plan), End::Done);
    assert!(refused(&run_apply(&fixture, &Stage::new(&twice), &with_plan)).contains(&"CB1230"));
    // A step without a way back.
    let one_way = |step: &mut Step| {
        step.one_way = true;
        step.rollback = Rollback::OneWay;
    };
    let change = |steps: &mut Vec<Step>| one_way(steps.iter_mut().find(|step| step.title == "pool").unwrap());
    let final_steps = Fixture::new().with(change);
    assert_eq!(
        refused(&run_apply(&final_steps, &stage, &wish(&final_steps))),
        ["CB1251"]
    );
    let script = b"@echo off\r\nset \"STEP=look at the variable CANARY\"\r\n";
    let secret = Fixture::new().with_file("servers/MGMT01/scripts/apply-ws.cmd", Some(script));
    assert_eq!(refused(&run_apply(&secret, &stage, &wish(&secret))), ["CB1253"]);
    let in_the_way = world.after_kill();
    in_the_way.put("C/ProgramData/cbgen", b"a file", 0o644);
    assert_eq!(
        refused(&run_apply(&fixture, &Stage::new(&in_the_way), &wish(&fixture))),
        ["CB1242"]
    );
    // Whoever owns a folder there can change the scripts that will run.
    for folder in ["", "/acme", "/acme/1.0.0"] {
        let planted = world.after_kill();
        let mut path = "C/ProgramData/cbgen".to_owned();
        planted.put_foreign_folder(&path);
        for step in folder.split('/').skip(1) {
            path = format!("{path}/{step}");
            planted.put_foreign_folder(&path);
        }
        assert_eq!(
            refused(&run_apply(&fixture, &Stage::new(&planted), &wish(&fixture))),
            ["CB1242"],
            "{path}"
        );
    }
    assert_eq!(world.tree(), old);
}

#[test]
fn a_run_of_another_build_is_not_gone_on_with() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let stage = Stage::new(&world);
    // It stops in front of the first step, which a person does.
    assert_eq!(run_apply(&fixture, &stage, &Wish::default()), End::Waits);
    let other = Fixture::new().with_file(
        "servers/MGMT01/config/file7.set.url",
        Some(b"[A]\nURL=https://x\n"),
    );
    assert_eq!(refused(&run_apply(&other, &stage, &wish(&other))), ["CB1243"]);
    assert_eq!(run_apply(&fixture, &stage, &wish(&fixture)), End::Done);
}

#[test]
fn a_run_that_stopped_for_a_person_loses_only_what_came_after() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let mut stage = Stage::new(&world);
    let mut some = wish(&fixture);
    let last = some.done.pop().expect("the last step by hand");
    assert_eq!(last, "8.4");
    // Everything but the last step is done, then the run stops.
    assert_eq!(
        run_apply(&fixture, &stage, &some),
        End::Waits,
        "{}",
        stage.output()
    );
    let waiting = world.tree();
    assert_eq!(run_apply(&fixture, &stage, &some), End::Waits);
    assert_eq!(world.tree(), waiting);
    let end = run_rollback(&fixture, &stage, &[]);
    assert!(matches!(end, rollback::End::Back { by_hand: 2, .. }), "{end:?}");
    assert_eq!(world.tree(), fixture.world().tree());
    stage.fails = Some("rollback-page");
    assert_eq!(
        run_apply(&fixture, &stage, &wish(&fixture)),
        End::Done,
        "{}",
        stage.output()
    );
    let end = run_rollback(&fixture, &stage, &[]);
    let rollback::End::Incomplete(problems) = &end else {
        panic!("{end:?}")
    };
    assert_eq!(problems[0].code, "CB1260");
    stage.fails = None;
    assert!(matches!(
        run_rollback(&fixture, &stage, &[]),
        rollback::End::Back { .. }
    ));
    assert_eq!(world.tree(), fixture.world().tree());
}

#[test]
fn the_second_apply_writes_nothing() {
    let fixture = Fixture::new();
    let world = fixture.world();
    assert_eq!(
        run_apply(&fixture, &Stage::new(&world), &wish(&fixture)),
        End::Done
    );
    let before = world.stamps();
    assert_eq!(
        run_apply(&fixture, &Stage::new(&world), &wish(&fixture)),
        End::Nothing
    );
    assert_eq!(world.stamps(), before);
}

/// A workspace with the bundle and a server.
struct Site {
    workspace: Workspace,
    place: Vec<&'static str>,
}

impl Site {
    fn new(fixture: &Fixture) -> Self {
        let workspace = Workspace::new();
        fs::write(workspace.folder().join("acme.zip"), fixture.archive(true)).unwrap();
        fixture.write_server(&workspace.folder().join("server"));
        Self {
            workspace,
            place: vec!["--server", "MGMT01", "--root", "server"],
        }
    }

    fn command(&self, words: &[&str]) -> assert_cmd::Command {
        let mut command = self.workspace.command();
        command.env("PATH", "/usr/bin:/bin").args(words).args(&self.place);
        command
    }

    fn run(&self, words: &[&str]) -> crate::harness::Ran {
        self.workspace.finish(&mut self.command(words))
    }

    fn root(&self) -> PathBuf {
        self.workspace.folder().join("server")
    }

    /// Content, rights and time of every file outside the folder of cbgen.
    fn files(&self) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
        let state = self.root().join("C/ProgramData/cbgen");
        tree(&self.root())
            .into_iter()
            .filter(|(path, _)| path.is_file() && !path.starts_with(&state))
            .map(|(path, file)| (path, (file.0, file.1)))
            .collect()
    }

    fn apply(fixture: &Fixture) -> Vec<&str> {
        let mut words = vec!["apply", "acme.zip"];
        for done in &wish(fixture).done {
            words.extend(["--done", done.clone().leak()]);
        }
        words
    }
}

/// Everything below a folder with the time of its last change. A file that was made and removed again is seen by the time
/// of its folder.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, SystemTime)> {
    use std::os::unix::fs::PermissionsExt as _;
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    files
        .map(|entry| {
            let metadata = entry.metadata().unwrap();
            let content = metadata.is_file().then(|| fs::read(entry.path()).unwrap());
            let file = (
                content.unwrap_or_default(),
                metadata.permissions().mode(),
                metadata.modified().unwrap(),
            );
            (entry.path().to_owned(), file)
        })
        .collect()
}

#[test]
fn the_commands_lead_from_plan_to_evidence_and_back() {
    let fixture = Fixture::new();
    let site = Site::new(&fixture);
    let old = site.files();
    let untouched = tree(&site.root());
    let plan = site.run(&["plan", "acme.zip", "-o", "plan.json"]);
    assert_eq!(plan.code, 1, "{}", plan.stderr);
    assert!(
        plan.stdout.contains("-URL=http://old.example/1"),
        "{}",
        plan.stdout
    );
    for format in ["json", "html"] {
        assert_eq!(site.run(&["plan", "acme.zip", "--format", format]).code, 1);
    }
    assert_eq!(site.run(&["status", "acme.zip"]).code, 2);
    assert_eq!(tree(&site.root()), untouched, "plan and status write nothing");
    // Nobody is at the terminal: the run stops in front of the first step by hand.
    let stopped = site.run(&["apply", "acme.zip", "--plan", "plan.json"]);
    assert_eq!(stopped.code, 1, "{}", stopped.stderr);
    assert!(stopped.stdout.contains("--done 1.1"), "{}", stopped.stdout);
    let applied = site.run(&Site::apply(&fixture));
    assert_eq!(applied.code, 0, "{}{}", applied.stdout, applied.stderr);
    assert_ne!(site.files(), old);
    let before = tree(&site.root());
    let again = site.run(&Site::apply(&fixture));
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "nothing to do: every step is done already\n")
    );
    assert_eq!(tree(&site.root()), before, "the second apply writes nothing");
    assert_eq!(site.run(&["status"]).code, 0);
    let evidence = "server/C/ProgramData/cbgen/acme/1.0.0/evidence/run-0001.jsonl";
    let table = site.run(&["status", "--evidence", evidence]);
    assert_eq!(table.code, 0, "{}", table.stderr);
    assert!(
        table.stdout.contains("8.4") && table.stdout.contains("exit code 0"),
        "{}",
        table.stdout
    );
    let file = site.root().join("C/Product/config/file7.url");
    let applied = fs::read(&file).unwrap();
    fs::write(&file, "theirs").unwrap();
    let drifted = site.run(&["status", "--format", "json"]);
    assert_eq!(drifted.code, 1);
    assert!(drifted.stdout.contains("\"changed\""), "{}", drifted.stdout);
    expect_none(&Workspace::new().misfits("status", &drifted.stdout));
    let kept = tree(&site.root().join("C/ProgramData/cbgen"));
    let path = kept.keys().find(|path| path.ends_with("journal.jsonl")).unwrap();
    // Cut in the middle of any line: what cbgen did itself is not said to be done by others.
    fs::write(&file, &applied).unwrap();
    let journal = fs::read(path).unwrap();
    let mut at = 0;
    for line in journal.split_inclusive(|byte| *byte == b'\n') {
        fs::write(path, &journal[..at + line.len() / 2]).unwrap();
        let cut = site.run(&["status"]);
        assert!(
            cut.code == 1
                && cut.stdout.contains("it ends in the middle")
                && !cut.stdout.contains("by someone"),
            "{} {}",
            cut.code,
            cut.stdout
        );
        at += line.len();
    }
    fs::write(path, "{}\n".repeat(300)).unwrap();
    let filled = site.run(&["status"]).stdout;
    assert!(
        filled.matches("damaged: ").count() < 110 && filled.contains("200 more lines"),
        "{filled}"
    );
    fs::write(path, &journal).unwrap();
    assert_eq!(site.run(&["status"]).code, 0);
    fs::write(path, "").unwrap();
    let emptied = site.run(&["status"]);
    assert!(
        emptied.code == 1 && emptied.stdout.contains("says nothing of run 1"),
        "{} {}",
        emptied.code,
        emptied.stdout
    );
    fs::write(path, &kept[path].0).unwrap();
    let nobody = site.run(&["apply", "acme.zip", "--phase", "stop"]);
    assert!(
        nobody.code == 2 && nobody.stderr.contains("MGMT01 has no step in the phase `stop`"),
        "{} {}",
        nobody.code,
        nobody.stderr
    );
    fs::write(&file, applied).unwrap();
    let back = site.run(&["rollback"]);
    assert_eq!(
        back.code, 1,
        "steps by hand are left: {}{}",
        back.stdout, back.stderr
    );
    assert_eq!(site.files(), old);
    assert_eq!(site.run(&["rollback", "acme.zip"]).code, 0);
}

#[test]
fn mistakes_at_the_command_line_are_named() {
    let fixture = Fixture::new();
    let site = Site::new(&fixture);
    let check = |words: &[&str], code: &str| {
        let ran = site.run(words);
        assert!(
            ran.code != 0 && ran.stderr.contains(&format!("[{code}]")),
            "{words:?}: {}",
            ran.stderr
        );
    };
    check(&["plan", "acme.zip", "--from", "9.9"], "CB1206");
    check(&["apply", "acme.zip", "--done", "9.9"], "CB1206");
    check(&["rollback"], "CB1262");
    fs::write(site.workspace.folder().join("older.zip"), fixture.archive(false)).unwrap();
    check(&["plan", "older.zip"], "CB1203");
    fs::write(site.workspace.folder().join("plan.json"), "{").unwrap();
    check(&["apply", "acme.zip", "--plan", "plan.json"], "CB1231");
    let other = site
        .workspace
        .run(&["plan", "acme.zip", "--server", "CORE09", "--root", "server"]);
    assert!(other.stderr.contains("[CB1201]"), "{}", other.stderr);
    assert_eq!(site.run(&["apply", "acme.zip"]).code, 1);
    let state = site.root().join("C/ProgramData/cbgen/acme/1.0.0");
    let evidence = "server/C/ProgramData/cbgen/acme/1.0.0/evidence/run-0001.jsonl";
    let text = fs::read_to_string(state.join("evidence/run-0001.jsonl")).unwrap();
    fs::write(
        state.join("evidence/run-0001.jsonl"),
        text.replacen("engineer", "somebody", 1).replacen("1.1", "1.2", 1),
    )
    .unwrap();
    check(&["status", "--evidence", evidence], "CB1270");
    let journal = fs::read_to_string(state.join("journal.jsonl")).unwrap();
    fs::write(state.join("journal.jsonl"), journal.replacen("1.1", "1.2", 1)).unwrap();
    check(&["apply", "acme.zip"], "CB1241");
}

#[test]
fn a_failing_script_is_told_with_its_log_and_taken_back() {
    let fixture = Fixture::new();
    let site = Site::new(&fixture);
    let old = site.files();
    let shell = site.root().join("C/Windows/System32/cmd.exe");
    let text = fs::read_to_string(&shell).unwrap();
    fs::write(
        &shell,
        text.replace(
            "apply-preflight) ;;",
            "apply-preflight) ;;\napply-bindings) echo no such site; exit 3 ;;",
        ),
    )
    .unwrap();
    let ran = site.run(&Site::apply(&fixture));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("[CB1250]") && ran.stderr.contains("exit code 3"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("no such site"), "{}", ran.stdout);
    let mut files = site.files();
    files.retain(|path, _| !path.ends_with("cmd.exe"));
    let mut wanted = old;
    wanted.retain(|path, _| !path.ends_with("cmd.exe"));
    assert_eq!(files, wanted);
}

const CANARY: &str = "Kanarienvogel-7319";

/// Runs at a terminal, where a person types the secret when it is asked for.
fn typed(site: &Site, words: &[&str]) -> crate::harness::Ran {
    let words: Vec<String> = std::iter::once(env!("CARGO_BIN_EXE_cbgen"))
        .chain(words.iter().copied())
        .chain(site.place.iter().copied())
        .map(|word| format!("'{word}'"))
        .collect();
    let mut child = Command::new("script")
        .args(["-qec", &words.join(" "), "/dev/null"])
        .current_dir(site.workspace.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` of bsdutils");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut seen, mut block, mut answered) = (Vec::new(), [0; 4096], false);
    while let Ok(read @ 1..) = stdout.read(&mut block) {
        seen.extend(&block[..read]);
        if !answered && seen.windows(13).any(|window| window == b"Secret CANARY") {
            // Nothing that was typed before the question counts.
            std::thread::sleep(std::time::Duration::from_millis(200));
            writeln!(stdin, "{CANARY}").unwrap();
            answered = true;
        }
    }
    assert!(answered, "{}", String::from_utf8_lossy(&seen));
    crate::harness::Ran {
        stdout: String::from_utf8_lossy(&seen).into_owned(),
        stderr: String::new(),
        code: child.wait().unwrap().code().unwrap(),
    }
}

#[test]
fn a_secret_reaches_the_script_and_nothing_else() {
    for is_typed in [false, true] {
        a_secret_stays_one(is_typed);
    }
}

fn a_secret_stays_one(is_typed: bool) {
    let script = b"@echo off\r\nset \"STEP=look at the variable CANARY\"\r\n";
    let fixture = Fixture::new().with_file("servers/MGMT01/scripts/apply-ws.cmd", Some(script));
    let site = Site::new(&fixture);
    let shell = site.root().join("C/Windows/System32/cmd.exe");
    let text = fs::read_to_string(&shell).unwrap();
    // The script says what it got, and looks at the arguments of every process.
    let look = "apply-ws) [ \"${CANARY-}\" = Kanarienvogel-7319 ] || exit 4\n    for p in /proc/[0-9]*; do\n    case $p in /proc/$$) continue ;; esac\n\
        if tr '\\0' ' ' <\"$p/cmdline\" 2>/dev/null | grep -q 'Kanarien[v]ogel'; then echo seen in $p; exit 5; fi\n    done ;;\n";
    fs::write(
        &shell,
        text.replace("apply-preflight) ;;", &format!("apply-preflight) ;;\n{look}")),
    )
    .unwrap();
    let words = Site::apply(&fixture);
    let ran = if is_typed {
        typed(&site, &words)
    } else {
        site.workspace.finish(site.command(&words).env("CANARY", CANARY))
    };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY));
    for (path, (bytes, ..)) in tree(&site.root()) {
        let holds = bytes
            .windows(CANARY.len())
            .any(|window| window == CANARY.as_bytes());
        assert!(
            !holds || path.ends_with("cmd.exe"),
            "{} holds the secret",
            path.display()
        );
    }
    let log = fs::read_to_string(
        site.root()
            .join("C/ProgramData/cbgen/acme/1.0.0/logs/run-0001-step-4.1.log"),
    )
    .unwrap();
    assert!(log.contains("says hello (secret)"), "{log}");
}

#[test]
fn a_killed_process_leads_back_and_on() {
    let fixture = Fixture::new();
    let whole = Site::new(&fixture);
    let old: Vec<_> = whole.files().into_values().collect();
    assert_eq!(whole.run(&Site::apply(&fixture)).code, 0);
    let new: Vec<_> = whole.files().into_values().collect();
    let mut killed = 0;
    for (call, moments) in [
        ("rename", [3, 60, 90, 110]),
        ("linkat", [1, 7, 30, 44]),
        ("fsync", [40, 200, 420, 600]),
        ("unlink", [2, 9, 40, 80]),
    ] {
        for (index, moment) in moments.into_iter().enumerate() {
            let site = Site::new(&fixture);
            let mut strace = Command::new("strace");
            strace
                .args([
                    "-f",
                    "-qq",
                    "-o",
                    "/dev/null",
                    "-e",
                    &format!("trace={call}"),
                    "-e",
                ])
                .arg(format!("inject={call}:signal=KILL:when={moment}"))
                .arg(env!("CARGO_BIN_EXE_cbgen"))
                .args(Site::apply(&fixture))
                .args(&site.place)
                .current_dir(site.workspace.folder())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let status = strace.status().expect("strace");
            killed += usize::from(!status.success());
            if index % 2 == 0 {
                let ran = site.run(&["rollback", "acme.zip"]);
                let is_unknown = ran.stderr.contains("[CB1262]");
                assert!(
                    ran.code < 2 || is_unknown,
                    "{call} {moment}: {}{}",
                    ran.stdout,
                    ran.stderr
                );
                assert_eq!(
                    site.files().into_values().collect::<Vec<_>>(),
                    old,
                    "{call} {moment}"
                );
            } else {
                let ran = site.run(&Site::apply(&fixture));
                assert_eq!(ran.code, 0, "{call} {moment}: {}{}", ran.stdout, ran.stderr);
                assert_eq!(
                    site.files().into_values().collect::<Vec<_>>(),
                    new,
                    "{call} {moment}"
                );
            }
        }
    }
    assert!(killed >= 12, "{killed} of 16 were killed");
}
