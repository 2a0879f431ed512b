//! The runbook as an engineer follows it: the order of work, and what each step may ask for.

use std::collections::BTreeSet;

use cbgen::contract::artifact::Effect;
use cbgen::contract::manifest::Manifest;
use cbgen::contract::moment::Moment;
use cbgen::contract::phase::Phase;
use cbgen::contract::runbook::{Runbook, Step, StepKind};

use crate::harness::expect_none;
use crate::support::bundles::{Built, bundles};

fn runbook(built: &Built) -> Runbook {
    let runbook = Runbook::read(built.text("runbook.json").as_bytes());
    let runbook = runbook.unwrap_or_else(|error| panic!("{}: {error}", built.name));
    assert!(
        runbook.steps.len() > 20,
        "{} has {} steps",
        built.name,
        runbook.steps.len()
    );
    runbook
}

/// Letters and digits of a text: prose is escaped anew where it is printed.
fn words(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

fn place(step: &Step) -> &str {
    step.server.as_deref().unwrap_or("the whole installation")
}

/// Work that must come before other work, each named by words of its step (DEF-22, DEF-87).
const ORDER: &[(&str, &str)] = &[
    ("Unpack the vendor", "/convert-certificate.cmd"),
    ("/convert-certificate.cmd", "Copy every list of certificates"),
    ("Copy every list of certificates", "/import-trust.cmd"),
    ("/convert-certificate.cmd", "/check-certificate.cmd"),
    ("/check-certificate.cmd", "/install-proxy.cmd"),
    ("/install-proxy.cmd", "/apply-bindings.cmd"),
    ("/apply-bindings.cmd", "/start-proxy.cmd"),
    ("/apply-registry.cmd", "Restart this server"),
    ("/start-proxy.cmd", "Restart this server"),
    ("/stop-callback.cmd", "/preflight.cmd"),
    ("Restart this server", "/start-callback.cmd"),
    ("/start-callback.cmd", "/post-check.cmd"),
    ("/preflight.cmd", "/apply-users.cmd"),
    ("/apply-users.cmd", "/apply-upstreams.cmd"),
    ("/apply-users.cmd", "/apply-config.cmd"),
    ("/apply-upstreams.cmd", "/apply-config.cmd"),
    ("/apply-windows-tls.cmd", "Restart this server"),
    ("Restart this server", "/apply-legacy-protocols.cmd"),
    ("Be sure before old protocols go", "/apply-legacy-protocols.cmd"),
    ("x-frame-options.xdt", "/recycle-eyequeue.cmd"),
    ("Know who loses the management plugin", "/disable-management.cmd"),
];

#[test]
fn the_work_is_in_a_workable_order() {
    let mut complaints = Vec::new();
    let mut seen = vec![false; ORDER.len()];
    for built in bundles().values() {
        let steps = runbook(built).steps;
        for (index, (first, second)) in ORDER.iter().enumerate() {
            let find = |words: &str| -> Vec<usize> {
                let has = |step: &Step| {
                    let path = step.artifact.as_ref();
                    step.title.contains(words) || path.is_some_and(|path| path.as_str().ends_with(words))
                };
                (0..steps.len()).filter(|at| has(&steps[*at])).collect()
            };
            for later in find(second) {
                for earlier in find(first) {
                    let (before, after) = (&steps[earlier], &steps[later]);
                    let apart =
                        before.server.is_some() && after.server.is_some() && before.server != after.server;
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
        let steps = runbook(built).steps;
        let is_start = |step: &Step| {
            let path = step.artifact.as_ref();
            path.is_some_and(|path| path.as_str().ends_with("/start-proxy.cmd"))
        };
        let start = steps.iter().position(is_start).expect("the proxy starts");
        for step in &steps[..start] {
            for line in &step.check {
                if line.contains("https://")
                    || line.contains("after the restart")
                    || line.contains("After the restart")
                {
                    complaints.push(format!("{} {} {}: {line}", built.name, step.number, place(step)));
                }
            }
        }
        // The same words at one place and in one phase are one check.
        let waiting: BTreeSet<(Option<&str>, Phase, &String)> = steps
            .iter()
            .flat_map(|step| {
                let later = step.later.iter();
                later.map(|line| (step.server.as_deref(), step.phase, line))
            })
            .collect();
        let text = built.text("RUNBOOK.md");
        let listed = text
            .split("\n## Checks that have to wait\n")
            .nth(1)
            .unwrap_or_default();
        let listed = listed.split("\n## ").next().unwrap_or_default();
        assert_eq!(listed.matches("- [ ] ").count(), waiting.len(), "{}", built.name);
        assert!(!waiting.is_empty(), "{}", built.name);
        let shown = listed
            .replace("<code>", "")
            .replace("</code>", "")
            .replace("&#124;", "");
        let shown = words(&shown);
        for (_, _, line) in waiting {
            assert!(shown.contains(&words(line)), "{}: {line}", built.name);
        }
    }
    expect_none(&complaints);
}

/// A file that a script applies is no step of its own: done by hand first, the script would save the new state as the old.
#[test]
fn what_a_script_applies_is_not_applied_by_hand_too() {
    let mut complaints = Vec::new();
    for built in bundles().values() {
        let steps = runbook(built).steps;
        let manifest = Manifest::read(built.text("manifest.json").as_bytes()).expect("a manifest");
        let mut applied = 0;
        for artifact in &manifest.artifacts {
            use Effect::{ImportRegistry, ReplaceFile, RunSql};
            if !matches!(artifact.effect, ImportRegistry | RunSql | ReplaceFile) {
                continue;
            }
            let path = &artifact.path;
            let own = steps.iter().filter(|step| step.artifact.as_ref() == Some(path));
            let by_script = steps
                .iter()
                .filter(|step| step.applies.iter().any(|file| file.artifact == *path));
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

/// What people read and what a program reads is one thing: each step of the data is printed once, with its number, and
/// the commands of the main path do exactly the steps a program can do.
#[test]
fn the_printed_runbooks_are_the_data() {
    for built in bundles().values() {
        let runbook = runbook(built);
        let (main, by_hand) = (built.text("RUNBOOK.md"), built.text("RUNBOOK-BY-HAND.md"));
        let headings = |text: &str, step: &Step| text.matches(&format!("\n#### {} ", step.number)).count();
        for step in &runbook.steps {
            let same = runbook.steps.iter().filter(|other| other.number == step.number);
            let (here, there) = match step.kind {
                StepKind::Manual => (&main, &by_hand),
                _ => (&by_hand, &main),
            };
            assert_eq!(
                headings(here, step),
                same.count(),
                "{} {}",
                built.name,
                step.number
            );
            assert_eq!(headings(there, step), 0, "{} {}", built.name, step.number);
            let page = built.text("runbook.html");
            let shown = format!(r#"<span class="no">{}</span>"#, step.number);
            assert!(page.contains(&shown), "{} {}", built.name, step.number);
        }
        let commands = main.matches("`cbgen apply ").count();
        let places: BTreeSet<(Option<&str>, Phase)> = runbook
            .steps
            .iter()
            .filter(|step| step.kind != StepKind::Manual)
            .map(|step| (step.server.as_deref(), step.phase))
            .collect();
        assert!(commands >= places.len(), "{} has {commands} commands", built.name);
    }
}

/// Nobody has to open the edit to know what to type.
#[test]
fn every_edit_has_its_values_in_the_step() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for built in bundles().values() {
        let by_hand = built.text("RUNBOOK-BY-HAND.md");
        for step in runbook(built).steps {
            if step.kind != StepKind::Edit {
                continue;
            }
            seen += step.values.len();
            if step.values.is_empty() {
                complaints.push(format!(
                    "{} {} {} has no values",
                    built.name, step.number, step.title
                ));
            }
            let news = step.values.iter().filter_map(|value| value.new.as_deref());
            for new in news.filter(|new| new.starts_with("https://")) {
                assert!(by_hand.contains(&format!("| `{new}` |")), "{}: {new}", built.name);
            }
        }
    }
    expect_none(&complaints);
    assert!(seen > 400, "{seen} values");
}

/// What the shipped production installation asks of people, as the build prints it.
#[test]
fn production_fits_its_window_with_an_hour_in_reserve() {
    let runbook = runbook(&bundles()["prod"]);
    let time = &runbook.schedule;
    assert!(runbook.main_path() <= 50, "{}", runbook.summary());
    assert!(runbook.by_hand() <= 12, "{}", runbook.summary());
    assert_eq!((time.people, time.window), (2, Some(240)));
    assert!(time.needed + 60 <= 240, "{}", runbook.summary());
    assert!(
        time.critical_path <= time.needed && time.needed <= time.work,
        "{time:?}"
    );
    assert!(time.needed + time.going_back <= 240, "{time:?}");
    assert!(time.decide_by.is_some());
    let starts = runbook.phases.iter().filter(|phase| phase.starts.is_some());
    assert_eq!(
        starts.count(),
        runbook.phases.iter().filter(|phase| phase.in_window).count()
    );
}

/// Callers are led elsewhere before the first cut, and the first page says what is down from when to when.
#[test]
fn callers_are_away_before_the_first_path_dies() {
    for built in bundles().values() {
        let runbook = runbook(built);
        assert_eq!(runbook.outages.len(), 2, "{}", built.name);
        for outage in &runbook.outages {
            let of = |wanted: &dyn Fn(&Step) -> bool| {
                let found = runbook.steps.iter().enumerate().filter(|(_, step)| wanted(step));
                found.map(|(at, _)| at).collect::<Vec<_>>()
            };
            let breaks = of(&|step| step.breaks.contains(&outage.function));
            let away = of(&|step| step.moves_away.contains(&outage.function));
            assert!(
                !away.is_empty() && away.iter().max() < breaks.iter().min(),
                "{}",
                built.name
            );
            assert!(breaks.len() > 3, "{} {:?}", built.name, outage.function);
        }
        let edits = runbook.steps.iter().filter(|step| step.kind == StepKind::Edit);
        for step in edits {
            assert!(
                !step.breaks.is_empty(),
                "{} {} breaks nothing",
                built.name,
                step.title
            );
        }
        let text = built.text("RUNBOOK.md");
        let first_page = text.split("\n## First").next().unwrap_or_default();
        assert!(first_page.contains("## What is down, and when"), "{}", built.name);
    }
}

/// People copy paths into a command prompt, which takes what stands behind a slash for an option.
#[test]
fn paths_for_people_are_those_of_windows() {
    for built in bundles().values() {
        for name in ["RUNBOOK.md", "RUNBOOK-BY-HAND.md", "runbook.html"] {
            let text = built.text(name);
            for folder in ["servers/", "deployment/"] {
                assert!(!text.contains(folder), "{} {name}: {folder}", built.name);
            }
        }
    }
}

/// What people type means the same in PowerShell, what they look at can answer, and what a page says of frames is what its
/// header does.
#[test]
fn what_people_type_and_look_at_is_what_it_seems() {
    for built in bundles().values() {
        let texts = ["RUNBOOK.md", "RUNBOOK-BY-HAND.md"].map(|name| built.text(name));
        for code in texts.iter().flat_map(|text| text.split('`').skip(1).step_by(2)) {
            // `sc` alone is Set-Content there, and brackets outside of quotes are read as a command.
            assert!(!code.starts_with("sc "), "{}: {code}", built.name);
            let outside: String = code.split('"').step_by(2).collect();
            let is_icacls = code.starts_with("icacls ");
            assert!(!is_icacls || !outside.contains('('), "{}: {code}", built.name);
            // The folder of a web service answers 403, however well it runs.
            let is_folder = code.starts_with("http") && code.trim_end_matches('/').ends_with("WS");
            assert!(!is_folder, "{}: {code}", built.name);
        }
        let frames = built.ending("/EyeQueue/web.config.x-frame-options.xdt");
        let denied = frames
            .iter()
            .any(|(_, text)| String::from_utf8_lossy(text).contains("value=\"DENY\""));
        let said = texts.concat();
        assert_eq!(said.contains("Nothing frames EyeQueue"), denied, "{}", built.name);
        let same_name = said.contains("Launchpad and EyeQueue are opened under one and the same name");
        assert_eq!(same_name, !frames.is_empty() && !denied, "{}", built.name);
    }
}

/// Who works with commands reads RUNBOOK.md only: what has to be so before a command stands below it.
#[test]
fn every_condition_of_a_command_is_on_the_main_path() {
    let mut seen = 0;
    for built in bundles().values() {
        let main = words(&built.text("RUNBOOK.md"));
        for step in runbook(built).steps {
            for line in step.before.iter().filter(|_| step.kind != StepKind::Manual) {
                assert!(
                    main.contains(&words(line)),
                    "{} {}: {line}",
                    built.name,
                    step.number
                );
                seen += 1;
            }
        }
        assert!(main.contains("CALLBACKPFXPASSWORD"), "{}", built.name);
        // What one step stops, the script of another one starts.
        let stops = main.contains("netstopW3SVC");
        let mut scripts = runbook(built).steps.into_iter().filter_map(|step| step.artifact);
        let starts = scripts.any(|path| {
            path.as_str().ends_with("iis/apply-bindings.cmd")
                && built.text(path.as_str()).contains("call :start_service W3SVC")
        });
        assert!(!stops || starts, "{}", built.name);
    }
    assert!(seen > 50, "{seen} conditions");
}

/// Behind one name: its owner has steps before, in and after the switch; what is done at one server is looked at by that
/// server's own name; and no two servers that stand in for each other go down together.
#[test]
fn an_installation_behind_one_name_knows_who_chooses_and_which_server_is_dead() {
    for (inventory, common, owner) in [
        ("prod", "https://callback.acme.example", "the network team"),
        (
            "plant",
            "https://callback.plant.acme.example",
            "the plant network desk",
        ),
    ] {
        let runbook = runbook(&bundles()[inventory]);
        let whole = runbook.steps.iter().filter(|step| step.server.is_none());
        let with_owner = |step: &&Step| {
            step.before
                .iter()
                .chain(&step.todo)
                .any(|line| line.contains(owner))
        };
        let phases: BTreeSet<Phase> = whole.filter(with_owner).map(|step| step.phase).collect();
        assert_eq!(phases, BTreeSet::from([Phase::Prepare, Phase::ProxyStart]));

        let mut seen = 0;
        for step in runbook.steps.iter().filter(|step| step.server.is_some()) {
            for line in step.check.iter().chain(&step.later) {
                assert!(
                    !line.contains(common),
                    "{inventory} {} {}: {line}",
                    step.number,
                    place(step)
                );
                seen += usize::from(line.contains("https://"));
            }
        }
        assert!(seen >= 10, "{inventory} asks {seen} times");

        let restarts: Vec<&Step> = runbook
            .steps
            .iter()
            .filter(|step| step.phase == Phase::Restart)
            .collect();
        let drained = restarts.iter().filter(|step| step.todo[0].starts_with("Drain: "));
        let drained: Vec<&&Step> = drained.collect();
        assert_eq!(drained.len(), 2);
        assert!(drained.iter().all(|step| step.todo[0].contains(owner)));
        let [first, second] = [drained[0], drained[1]];
        assert!(
            runbook.needed_by(second).any(|step| step == *first),
            "{inventory}"
        );
        assert!(runbook.needed_by(first).all(|step| step.phase != Phase::Restart));
    }
}

/// Scripts of the window that take nothing away, and why.
const BREAKS_NOTHING: &[(&str, &str)] = &[
    ("preflight.cmd", "it reads, and saves what is there"),
    ("start-callback.cmd", "it starts what ran"),
    ("post-check.cmd", "it reads"),
    ("purge-captured.cmd", "it forgets what was saved"),
    (
        "apply-windows-tls.cmd",
        "Windows reads the values when it starts, which is a step of its own",
    ),
    ("apply-details.cmd", "other error pages; every address stays"),
    ("apply-error-page.cmd", "other error pages; every address stays"),
    (
        "disable-management.cmd",
        "what used the plugin loses it for good, and a step asks about that before",
    ),
];

/// Each script of the window says what it takes away, or this table says why that is nothing.
#[test]
fn scripts_of_the_window_say_what_they_break() {
    let mut complaints = BTreeSet::new();
    let mut used = BTreeSet::new();
    for built in bundles().values() {
        for step in runbook(built).steps {
            if !step.phase.in_window() || step.kind != StepKind::Script {
                continue;
            }
            let name = step.artifact.as_ref().expect("a script").file_name().to_owned();
            let excused = BREAKS_NOTHING.iter().find(|(excused, _)| *excused == name);
            used.extend(excused.map(|(name, _)| *name));
            if step.breaks.is_empty() != excused.is_some() {
                complaints.insert(format!(
                    "{name} breaks {:?}, and is excused: {excused:?}",
                    step.breaks
                ));
            }
        }
    }
    let stale = BREAKS_NOTHING.iter().filter(|(name, _)| !used.contains(name));
    complaints.extend(stale.map(|(name, _)| format!("no runbook has {name}")));
    expect_none(&complaints.into_iter().collect::<Vec<_>>());
}

/// What the first page says is down is what the steps say: from the one that leads users elsewhere to the one that leads
/// them back, at the minutes these steps begin and end.
#[test]
fn times_of_the_first_page_are_those_of_the_steps() {
    for built in bundles().values() {
        let runbook = runbook(built);
        let window = runbook.window.as_ref();
        for outage in &runbook.outages {
            let of = |number| {
                runbook
                    .steps
                    .iter()
                    .find(|step| step.number == number)
                    .expect("a step")
            };
            let (from, until) = (of(outage.from), of(outage.until));
            assert!(
                from.moves_away.contains(&outage.function),
                "{} {}",
                built.name,
                from.title
            );
            assert!(
                until.restores.contains(&outage.function),
                "{} {}",
                built.name,
                until.title
            );
            let said = until.todo.join(" ");
            assert!(
                said.contains("Route callers through Callback again") && said.contains("Tell agents"),
                "{said}"
            );
            let text = built.text("RUNBOOK.md");
            let row = |clock: Option<&str>, number| {
                clock.map_or_else(
                    || format!("step {number}"),
                    |clock| format!("{clock}, step {number}"),
                )
            };
            let clock = |stamp: &Option<String>| stamp.as_deref().map(|stamp| stamp[11..16].to_owned());
            let (starts, ends) = (clock(&outage.starts), clock(&outage.ends));
            let cells = format!(
                "| {} | {} | {} |",
                row(starts.as_deref(), outage.from),
                row(ends.as_deref(), outage.until),
                outage.minutes
            );
            assert!(text.contains(&cells), "{}: no `{cells}`", built.name);
            let Some(window) = window else { continue };
            // Users are led away by the first step of the window; the last steps are done by one person after the other.
            assert_eq!(outage.starts.as_ref(), Some(&window.start), "{}", built.name);
            let last = runbook.phases.last().expect("a phase");
            let servers = runbook
                .steps
                .iter()
                .filter(|step| step.phase == last.name && step.server.is_some());
            let rounds = u32::try_from(servers.clone().count())
                .expect("few")
                .div_ceil(runbook.schedule.people);
            let each = servers.map(|step| step.minutes).max().unwrap_or(0);
            let whole = runbook.steps.iter().filter(|step| {
                step.phase == last.name && step.server.is_none() && step.number <= outage.until
            });
            let minutes = rounds * each + whole.map(|step| step.minutes).sum::<u32>();
            let begin = Moment::read(last.starts.as_deref().expect("a time")).expect("a moment");
            assert_eq!(
                outage.ends,
                Some(begin.plus(i64::from(minutes)).stamp()),
                "{}",
                built.name
            );
        }
    }
}

/// No step is forgotten in `run-phase.cmd` and none is made up: each place has its steps of each phase in which something is done without hands.
#[test]
fn every_step_of_a_phase_is_in_its_script_forth_and_back() {
    for built in bundles().values() {
        let (name, text, runbook) = (&built.name, built.text("run-phase.cmd"), runbook(built));
        let (forth, back) = text.split_once("\n:go_back\n").expect("two halves");
        let back = back.split_once("\n:finish\n").expect("an end").0;
        let numbers = |half: &str| -> Vec<String> {
            let mut found: Vec<String> = half
                .lines()
                .filter_map(|line| line.strip_prefix("call :")?.split('"').nth(1).map(str::to_owned))
                .filter(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))
                .collect();
            found.sort();
            found
        };
        let with_commands: BTreeSet<u32> = runbook
            .steps
            .iter()
            .filter(|step| step.kind != StepKind::Manual)
            .map(|step| step.number.phase)
            .collect();
        let mut expected: Vec<String> = runbook
            .steps
            .iter()
            .filter(|step| with_commands.contains(&step.number.phase))
            .map(|step| step.number.to_string())
            .collect();
        expected.sort();
        assert_eq!(numbers(forth), expected, "{name}");
        assert_eq!(numbers(back), expected, "{name}");
    }
}
