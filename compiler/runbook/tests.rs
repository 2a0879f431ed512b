//! The runbook of small installations, made from the built-in steps.

use super::*;
use crate::catalogue::catalogue;
use crate::contract::artifact::Scope;
use crate::diag::Diagnostics;
use crate::facts::plan_view::{PlanView, StepView};
use crate::facts::topology::topology;

use crate::inventory::{self, ReadInput, Schema};
use crate::templates;

struct OneFile(String);

impl ReadInput for OneFile {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }
}

const HEAD: &str = r"
schema: cbgen/v1
bundle: { name: lab, version: '1.0.0', change: CHG1 }
product: { version: 9.5.3, high_availability: true, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.example.org }
certificate: { kind: ca_issued, pfx: 'D:\c.pfx' }
iis: { x_frame_options: SAMEORIGIN, custom_error_page: true }
sql: { version: 2016, server: 'SQL01\CALLBACK', access: [odbc, ole], ole: { authentication: windows } }
rabbitmq: { certificates: 'C:\certs', common_name: callback-mq }
network: { firewall: true, integrations: [smtp] }
";

fn server(name: &str, role: &str, upstream: Option<&str>) -> String {
    let upstreams = upstream.map_or_else(String::new, |to| {
        format!(
            ", rabbitmq: {{ upstreams: [ {{ name: {}-up, server: {to} }} ] }}",
            to.to_lowercase()
        )
    });
    format!(
        "  - {{ name: {name}, fqdn: {}.example.org, roles: [{role}], windows: 2016, dotnet: 4.7.1{upstreams} }}\n",
        name.to_lowercase()
    )
}

fn with_plan<T>(servers: &str, then: impl FnOnce(&Plan<'_>) -> T) -> T {
    let late = "title: After the barrier\nscope: server\nformat: markdown\nphase: stop\norder: 90\nminutes: 3\n\
                runbook:\n  do: ['Look at {{ server.name | md_code }}.']\n";
    with_plan_and(servers, late, |plan| then(plan))
}

/// The plan with one more step, given as front matter.
fn with_plan_and<T>(servers: &str, step: &str, then: impl FnOnce(&mut Plan<'_>) -> T) -> T {
    let mut diagnostics = Diagnostics::new();
    let own = |file: &templates::folder::TemplateFile| {
        [
            "steps/",
            "_runbook/",
            "RUNBOOK.md",
            "runbook.html",
            "registry/tls-1.2.reg",
        ]
        .iter()
        .any(|start| file.path.starts_with(start))
    };
    // The runbook's own templates and one artifact: the tests do not depend on what else there is.
    let mut files: Vec<templates::folder::TemplateFile> =
        templates::folder::built_in().into_iter().filter(own).collect();
    for file in &mut files {
        file.text = file
            .text
            .replace("\nrollback: registry/rollback-windows-tls.cmd", "")
            .replace("\napplied_by: registry/apply-windows-tls.cmd", "");
    }
    files.push(templates::folder::TemplateFile {
        path: "steps/late.md".into(),
        name: "templates/steps/late.md".into(),
        text: format!("---\n{step}---\n"),
        is_built_in: false,
    });
    let (mut sources, templates) = templates::load(&mut diagnostics, files, catalogue());
    let templates = templates.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
    let file = OneFile(format!("{HEAD}servers:\n{servers}"));
    let loaded = inventory::load(&mut diagnostics, &mut sources, &file, &Schema::new(), "lab.yaml");
    let loaded = loaded.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
    let checked = crate::check::check(&mut diagnostics, loaded.inventory, &loaded.places, None);
    let checked = checked.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
    let plan = crate::plan::plan(&mut diagnostics, checked, &templates);
    let mut plan = plan.unwrap_or_else(|_| panic!("{:#?}", diagnostics.sorted(&sources)));
    then(&mut plan)
}

fn four() -> String {
    server("MGMT01", "management", None)
        + &server("MGMT02", "management", None)
        + &server("CORE01", "core", Some("CORE02"))
        + &server("CORE02", "core", Some("CORE01"))
}

fn bodies(plan: &Plan<'_>) -> Vec<String> {
    let render = |entry: &Planned<'_>| {
        if !entry.is_step() {
            return String::new();
        }
        crate::render::render_entry(plan, entry, None).unwrap_or_else(|error| panic!("{error:#?}"))
    };
    plan.entries.iter().map(render).collect()
}

/// The two printed runbooks, read back by their formats.
fn printed(plan: &Plan<'_>) -> Vec<(String, String)> {
    let view = crate::templates::engine::Shared::of(&PlanView::of(plan, &bodies(plan)));
    let bundle = plan
        .entries
        .iter()
        .filter(|entry| entry.template.front.scope == Scope::Bundle);
    bundle
        .filter_map(|entry| {
            let text = crate::render::render_entry(plan, entry, Some(&view))
                .unwrap_or_else(|error| panic!("{error:#?}"));
            Some((entry.path.as_ref()?.to_string(), text))
        })
        .collect()
}

/// A thousand Core servers beside one Management server.
fn thousand() -> String {
    let core: String = (0..1000)
        .map(|number| server(&format!("CORE{number:04}"), "core", None))
        .collect();
    server("MGMT01", "management", None) + &core
}

fn shown(view: &PlanView) -> impl Iterator<Item = &StepView> {
    view.phases
        .iter()
        .flat_map(|phase| &phase.groups)
        .flat_map(|group| &group.runs)
        .flat_map(|run| &run.steps)
}

#[test]
fn both_runbooks_read_back_as_their_formats() {
    for servers in [four(), thousand()] {
        with_plan(&servers, |plan| {
            for (path, text) in printed(plan) {
                let read = if path == "RUNBOOK.md" {
                    crate::formats::markdown::items(&text)
                } else {
                    crate::formats::html::items(&text)
                };
                let errors: Vec<String> = read
                    .err()
                    .unwrap_or_default()
                    .into_iter()
                    .map(|error| format!("{}: {}", error.message, text.get(error.range).unwrap_or_default()))
                    .collect();
                assert_eq!(errors, Vec::<String>::new(), "{path}");
                // The page holds the text by hand too.
                assert!(text.len() < 820_000, "{path} has {} bytes", text.len());
            }
        });
    }
}

#[test]
fn the_data_is_consistent_and_equal_work_has_equal_numbers() {
    with_plan(&four(), |plan| {
        let runbook = runbook(plan, &bodies(plan));
        assert_eq!(Runbook::read(runbook.to_text().as_bytes()), Ok(runbook.clone()));
        let mut titles: BTreeMap<StepNumber, &str> = BTreeMap::new();
        for step in &runbook.steps {
            assert_eq!(
                *titles.entry(step.number).or_insert(&step.title),
                step.title,
                "{}",
                step.number
            );
        }
        for (at, phase) in runbook.phases.iter().enumerate() {
            let numbers = titles.keys().filter(|number| number.phase == phase.number);
            let numbers: Vec<u32> = numbers.map(|number| number.step).collect();
            let count = u32::try_from(numbers.len()).unwrap();
            assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "phase {at}");
        }
        assert_eq!(
            titles.keys().map(|number| number.phase).max(),
            runbook.phases.last().map(|last| last.number)
        );
    });
}

/// Whoever waits for the other servers waits for all of their steps before, and nobody waits without need.
#[test]
fn barriers_are_where_the_whole_installation_has_a_step() {
    with_plan(&four(), |plan| {
        let runbook = runbook(plan, &bodies(plan));
        for (at, step) in runbook.steps.iter().enumerate() {
            let needed: Vec<&Step> = runbook.needed_by(step).collect();
            let earlier = runbook.steps.get(..at).unwrap_or_default();
            let elsewhere = |other: &&Step| other.server != step.server;
            if step.server.is_none()
                && runbook
                    .steps
                    .get(at.wrapping_sub(1))
                    .is_none_or(|before| before.server.is_some())
            {
                assert_eq!(
                    needed,
                    earlier.iter().filter(elsewhere).collect::<Vec<_>>(),
                    "{}",
                    step.number
                );
            }
            assert!(
                needed.iter().all(|other| earlier.contains(other)),
                "{}",
                step.number
            );
        }
        let waiting = runbook.steps.iter().filter(|step| step.needs.is_some()).count();
        assert!(waiting > 4 && waiting < runbook.steps.len(), "{waiting}");
    });
}

#[test]
fn a_step_of_the_whole_installation_is_a_barrier() {
    with_plan(&four(), |plan| {
        let view = PlanView::of(plan, &bodies(plan));
        let phase = view.phases.iter().find(|phase| phase.id == "stop").unwrap();
        let places: Vec<&str> = phase.groups.iter().map(|group| group.title.as_str()).collect();
        let whole = "Once for the whole installation";
        let servers = ["MGMT01", "MGMT02", "CORE01", "CORE02"];
        let expected: Vec<&str> = [whole].into_iter().chain(servers).collect();
        assert_eq!(places, expected);
    });
}

#[test]
fn equal_servers_share_a_section() {
    with_plan(&thousand(), |plan| {
        let view = PlanView::of(plan, &bodies(plan));
        let phase = view.phases.iter().find(|phase| phase.id == "restart").unwrap();
        let places: Vec<(&str, usize)> = phase
            .groups
            .iter()
            .map(|group| (group.title.as_str(), group.servers.len()))
            .collect();
        // Never all at once: the second half of the Core servers is a section of its own.
        let half = ("On each of 500 servers", 500);
        assert_eq!(places, [("MGMT01", 1), half, half]);
        assert!(shown(&view).count() < 100);
        assert_eq!(view.ports.len(), 2);
        assert!(shown(&view).any(|step| step.todo.iter().any(|prose| prose.markdown.contains("SERVER"))));
    });
}

#[test]
fn the_picture_stays_small_and_inside_its_frame() {
    for (servers, boxes) in [
        (four(), 6),
        (thousand(), 4),
        (server("A", "core, management", None), 3),
    ] {
        with_plan(&servers, |plan| {
            let picture = topology(&plan.facts);
            assert_eq!(picture.nodes.len(), boxes);
            for node in &picture.nodes {
                assert!(node.x > 0 && node.x + node.width < picture.width, "{node:?}");
                assert!(node.y > 0 && node.y + node.height < picture.height, "{node:?}");
            }
            for (index, one) in picture.nodes.iter().enumerate() {
                for other in picture.nodes.iter().skip(index + 1) {
                    let apart = one.x + one.width <= other.x
                        || other.x + other.width <= one.x
                        || one.y + one.height <= other.y
                        || other.y + other.height <= one.y;
                    assert!(apart, "{one:?} {other:?}");
                }
            }
        });
    }
}

#[test]
fn conditions_of_the_catalogue_name_variables_that_exist() {
    let schema = templates::variable_schema(Scope::Deployment);
    for condition in catalogue().entries().iter().flat_map(|entry| &entry.applies) {
        let body = format!("{{% if {} %}}1{{% endif %}}", condition.when);
        let errors: Vec<String> = schema
            .check("condition", &body, &BTreeMap::new())
            .into_iter()
            .map(|error| error.message)
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", condition.when);
    }
    with_plan(&four(), |plan| {
        let conditions = Conditions::new(catalogue(), plan);
        for entry in catalogue().entries() {
            assert!(
                entry.not_applicable(&|when| conditions.holds(when)).is_ok(),
                "{}",
                entry.id
            );
        }
        assert_eq!(conditions.holds("topology.has_common_name"), Ok(true));
        assert_eq!(conditions.holds("topology.has_combined"), Ok(false));
    });
}

/// Whatever phase a step that breaks something is put into: the plan is refused, or callers and users were led
/// elsewhere before, and what broke works again at the end.
#[test]
fn no_order_has_a_dead_path_before_callers_are_away() {
    use crate::contract::phase::Phase;
    use crate::contract::runbook::Function;

    let mut verdicts = std::collections::BTreeSet::new();
    for &phase in Phase::ALL {
        for (order, function) in [(1, "callbacks"), (50, "web_pages"), (99, "callbacks")] {
            let step = format!(
                "title: It breaks\nscope: server\nformat: markdown\nphase: {}\norder: {order}\nminutes: 1\nbreaks: [{function}]\n",
                phase.name()
            );
            let accepted = with_plan_and(&four(), &step, |plan| {
                let places = crate::inventory::Places::empty();
                let verdict = judge(&mut Diagnostics::new(), &places, plan);
                let runbook = runbook(plan, &bodies(plan));
                if verdict.is_err() {
                    return false;
                }
                for function in Function::ALL {
                    let at = |wanted: &dyn Fn(&Step) -> bool| {
                        let found = runbook.steps.iter().enumerate().filter(|(_, step)| wanted(step));
                        found.map(|(at, _)| at).collect::<Vec<_>>()
                    };
                    let breaks = at(&|step| step.breaks.contains(function));
                    // The scripts that stop Callback are not among the steps here: only the added step breaks something.
                    if breaks.is_empty() {
                        continue;
                    }
                    let away = at(&|step| step.moves_away.contains(function));
                    let back = at(&|step| step.restores.contains(function));
                    assert!(away.iter().max() < breaks.iter().min(), "{phase:?} {order}");
                    assert!(back.iter().max() > breaks.iter().max(), "{phase:?} {order}");
                    assert!(runbook.outages.iter().any(|outage| outage.function == *function));
                }
                true
            });
            verdicts.insert((accepted, phase.in_window()));
            assert!(phase.in_window() || !accepted, "{phase:?}");
        }
    }
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
}

/// Two servers that stand in for each other are not restarted at the same time, whatever people are there.
#[test]
fn the_second_half_of_a_kind_waits_for_the_first() {
    let of = |servers: &str| {
        with_plan(servers, |plan| {
            let runbook = runbook(plan, &bodies(plan));
            let restarts = runbook
                .steps
                .iter()
                .filter(|step| step.title == "Restart this server");
            restarts
                .map(|step| {
                    let needed: Vec<String> = runbook
                        .needed_by(step)
                        .filter(|other| other.title == step.title)
                        .filter_map(|other| other.server.clone())
                        .collect();
                    format!(
                        "{} {} after [{}]",
                        step.number.step,
                        step.server.as_deref().unwrap_or_default(),
                        needed.join(" ")
                    )
                })
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        of(&four()),
        [
            "1 MGMT01 after []",
            "1 CORE01 after []",
            "2 MGMT02 after [MGMT01 CORE01]",
            "2 CORE02 after [MGMT01 CORE01]"
        ]
    );
    let three = server("CORE01", "core", None)
        + &server("MGMT01", "management", None)
        + &server("MGMT02", "management", None)
        + &server("MGMT03", "management", None);
    assert_eq!(
        of(&three),
        [
            "1 MGMT01 after []",
            "1 MGMT02 after []",
            "1 CORE01 after []",
            "2 MGMT03 after [MGMT01 MGMT02 CORE01]"
        ]
    );
    let one_of_each = server("MGMT01", "management", None) + &server("CORE01", "core", None);
    assert_eq!(of(&one_of_each), ["1 MGMT01 after []", "1 CORE01 after []"]);
}

/// The same words at one place and in one phase are looked at once; other places and other words stay.
#[test]
fn equal_checks_that_wait_are_one() {
    let step = "title: It waits\nscope: server\nformat: markdown\nphase: components\nminutes: 1\neach: [a, b, c]\n\
                runbook:\n  do: ['{{ each }}']\n  later: ['The page loads.', 'Part {{ each }} loads.']\n";
    with_plan_and(&four(), step, |plan| {
        let view = PlanView::of(plan, &bodies(plan));
        let at = |place: &str| {
            let later = view.later.iter().filter(|later| later.place == place);
            later
                .map(|later| (later.numbers.len(), later.check.markdown.clone()))
                .collect::<Vec<_>>()
        };
        let expected = [
            (3, "The page loads.".to_owned()),
            (1, "Part a loads.".to_owned()),
            (1, "Part b loads.".to_owned()),
            (1, "Part c loads.".to_owned()),
        ];
        assert_eq!(at("MGMT01"), expected);
        assert_eq!(at("CORE02"), expected);
    });
}

#[test]
fn going_back_is_one_list_from_the_end_with_a_command_for_each_phase_and_place() {
    let servers = server("MGMT01", "management", None) + &server("CORE01", "core", Some("MGMT01"));
    with_plan(&servers, |plan| {
        let view = PlanView::of(plan, &[]);
        let lines: Vec<String> = view
            .back
            .iter()
            .map(|back| {
                let way = back.command.clone().unwrap_or_else(|| "by hand".to_owned());
                format!("{}.{} {} {way}", back.last.phase, back.last.step, back.place)
            })
            .collect();
        let restart = |entry: &&crate::facts::plan_view::BackView| entry.phase == "restart";
        let place = |wanted: &str| view.back.iter().position(|entry| entry.phase == wanted);
        assert!(
            place("restart") < place("stop") && place("restart") > place("proxy_start"),
            "{lines:#?}"
        );
        let numbers: Vec<_> = view
            .back
            .iter()
            .filter(|entry| !restart(entry))
            .map(|back| (back.last.phase, back.first.phase))
            .collect();
        assert!(
            numbers.is_sorted_by(|earlier, later| earlier.0 >= later.0),
            "{lines:#?}"
        );
        // Every command of the way forth has one back, and none comes twice for a phase and place.
        let forth: std::collections::BTreeSet<_> = view
            .phases
            .iter()
            .flat_map(|phase| phase.groups.iter().map(move |group| (phase, group)))
            .filter(|(_, group)| group.runs.iter().any(|run| run.automatic))
            .map(|(phase, group)| (phase.number, group.title.clone()))
            .collect();
        let back: Vec<_> = view
            .back
            .iter()
            .filter(|back| back.command.is_some())
            .map(|back| (back.last.phase, back.place.clone()))
            .collect();
        assert_eq!(back.len(), forth.len(), "{lines:#?}");
        assert_eq!(back.into_iter().collect::<std::collections::BTreeSet<_>>(), forth);
    });
}

#[test]
fn checks_that_had_to_wait_take_minutes_of_the_step_that_gathers_them() {
    let servers = server("MGMT01", "management", None) + &server("CORE01", "core", Some("MGMT01"));
    let step = |later: &str| {
        format!(
            "title: A page that shows later\nscope: server\nformat: markdown\nphase: components\nminutes: 1\n\
             runbook:\n  do: ['Change it.']\n  later: [{later}]\n"
        )
    };
    let minutes = |later: &str| {
        with_plan_and(&servers, &step(later), |plan| {
            let runbook = super::runbook(plan, &[]);
            let gathers = runbook
                .steps
                .iter()
                .find(|step| step.title.starts_with("Look at it as a user does"));
            gathers.expect("built in").minutes
        })
    };
    let one = minutes("'One.'");
    // On two servers, shared by two people; the same words are one check.
    assert_eq!(minutes("'One.', 'Two.', 'Three.'"), one + 2);
    assert_eq!(minutes("'One.', 'One.', 'One.'"), one);
}
