//! Callback stopped and started again: services found by their place, on a Windows of any language, and nothing else touched.

use std::fs;
use std::sync::LazyLock;

use super::machine::{Answer, Call, Machine, Outcome, good};
use super::services::{LANGUAGES, Service, Services};
use super::stops::Stops;
use super::text_tools::text_tool;
use super::{PROGRAMS, built};

/// One server that is everything, with the program that watches it in a folder of its own.
const INVENTORY: &str = r"
schema: cbgen/v1
bundle: { name: scripts, version: '1.0' }
product: { version: 9.5.3, high_availability: true, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.acme.example }
certificate: { kind: ca_issued, pfx: 'C:\hand off\callback.pfx' }
sql: { version: 2016, server: SQL01, access: [odbc] }
rabbitmq: { certificates: 'C:\certs', common_name: callback-mq }
servers:
  - { name: CORE01, fqdn: core01.acme.example, roles: [core, management], windows: 2016, dotnet: 4.7.1 }
";

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| built(INVENTORY));

const SERVICES: &str = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services";
const PRODUCT: &str = r"C:\Program Files (x86)\Virtual Hold Technology";

/// What `reg query /s /d /f` lists below the product folder: its services, what has only left its key behind, and Windows'
/// own services with rules and sources that name the folder.
const BELOW_PRODUCT: &[&str] = &[
    r"EventLog\Application\VHQueueManager",
    "RabbitMQ",
    r"SharedAccess\Parameters\FirewallPolicy\FirewallRules",
    "VHGone",
    r"VHNotify\Parameters",
    "VHQueueManager",
    "VHSmartRules",
    "VHTReverseProxy",
    "VHToolKit Bridge",
];

fn services() -> Services {
    let service = |display, runs, needs: &[&'static str]| Service {
        display,
        runs,
        start: 2,
        needs: needs.to_vec(),
    };
    Services::new(&[
        ("EventLog", service("Windows Event Log", true, &[])),
        ("SharedAccess", service("Internet Connection Sharing", true, &[])),
        ("RabbitMQ", service("RabbitMQ", true, &[])),
        ("VHTReverseProxy", service("VHT Reverse Proxy", true, &[])),
        ("VHQueueManager", service("VHT Queue Manager", true, &[])),
        // Stopped by its owner: it stays so.
        ("VHSmartRules", service("VHT Smart Rules", false, &[])),
        (
            "VHToolKit Bridge",
            service("VHT ToolKit Bridge", true, &["VHQueueManager"]),
        ),
        ("CoreMonitor", service("Core Monitor", true, &[])),
        // Run by a wrapper, and by an Erlang in its own folder, of either width.
        ("VHNotify", service("VHT Notification Server", true, &[])),
        ("vht_auth_api", service("vht_auth_api", true, &[])),
        ("vht_stats_api", service("vht_stats_api", true, &[])),
        ("vht_license", service("vht_license", true, &[])),
        ("W3SVC", service("World Wide Web Publishing Service", true, &[])),
        // Not Callback's, and it cannot run without IIS.
        ("W3Needer", service("Something for IIS", true, &["W3SVC"])),
    ])
}

fn running(services: &Services) -> Vec<&'static str> {
    let runs = services.all.iter().filter(|(_, service)| service.runs);
    runs.map(|(key, _)| *key).collect()
}

/// What `reg` answers about services of a folder.
fn registered(call: &Call, has_monitor: bool) -> Option<Answer> {
    let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    let ("reg", ["query", key, "/s", "/d", "/f", folder, "/reg:64" | "/reg:32"]) =
        (call.program.as_str(), words.as_slice())
    else {
        return None;
    };
    if *key == r"HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1" {
        let text = if words.last() == Some(&"/reg:64") {
            "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Ericsson\\Erlang\\ErlSrv\\1.1\\vht_auth_api\r\n    WorkDir    REG_SZ    x\r\n\
             \r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Ericsson\\Erlang\\ErlSrv\\1.1\\RabbitMQ\r\n    WorkDir    REG_SZ    x\r\n"
        } else {
            "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Ericsson\\Erlang\\ErlSrv\\1.1\\vht_stats_api\r\n    WorkDir    REG_SZ    x\r\n\
             \r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Ericsson\\Erlang\\ErlSrv\\1.1\\vht_license\r\n"
        };
        return Some(Answer::Code(0, text.to_owned()));
    }
    assert_eq!(*key, r"HKLM\SYSTEM\CurrentControlSet\Services");
    let names: &[&str] = match *folder {
        PRODUCT => BELOW_PRODUCT,
        r"C:\Core Monitor" if has_monitor => &["CoreMonitor"],
        r"C:\Core Monitor" => &[],
        other => panic!("nobody asks for {other}"),
    };
    let mut text = String::new();
    for name in names {
        text.push_str(&format!(
            "\r\n{SERVICES}\\{name}\r\n    ImagePath    REG_EXPAND_SZ    \"{folder}\\a & b\\x.exe\" %1 ^\r\n"
        ));
    }
    text.push_str(&format!(
        "\r\nSuche beendet: {} \u{dc}bereinstimmungen gefunden.\r\n",
        names.len()
    ));
    Some(Answer::Code(i32::from(names.is_empty()), text))
}

fn run(machine: &Machine, services: &mut Services, script: &str, failing: usize) -> Outcome {
    machine.run(
        &format!("servers/CORE01/services/{script}.cmd"),
        |number, call| {
            if number == failing {
                return Answer::Code(9, String::new());
            }
            services
                .answer(call)
                .or_else(|| registered(call, true))
                .or_else(|| text_tool(machine, call))
                .unwrap_or_else(|| panic!("unexpected {}", call.line()))
        },
    )
}

#[test]
fn what_runs_below_the_product_folder_stops_and_runs_again() {
    let machine = Machine::new("CORE01", &ARCHIVE, PROGRAMS);
    let whole = running(&services());
    let kept = ["EventLog", "RabbitMQ", "SharedAccess", "VHTReverseProxy"];
    for language in LANGUAGES {
        machine.forget();
        let mut services = services();
        services.language = language;
        run(&machine, &mut services, "stop-callback", 0).expect_success("Callback is stopped");
        assert_eq!(running(&services), kept, "{}", language.name);
        run(&machine, &mut services, "start-callback", 0).expect_success("Callback runs");
        assert_eq!(running(&services), whole, "{}", language.name);
    }
    machine.forget();
    let mut services = services();
    run(&machine, &mut services, "start-callback", 0).expect_failure(
        "find out which services ran",
        "stop-callback.cmd has noted nothing",
    );
    run(&machine, &mut services, "stop-callback", 0).expect_success("Callback is stopped");
    // A second run knows what ran at the first.
    run(&machine, &mut services, "stop-callback", 0).expect_success("Callback is stopped");
    run(&machine, &mut services, "start-callback", 0).expect_success("Callback runs");
    assert_eq!(running(&services), whole);
    // Back from the end: stopped once more, then as before.
    run(&machine, &mut services, "stop-callback", 0).expect_success("Callback is stopped");
    run(&machine, &mut services, "rollback-stop", 0).expect_success("Callback runs as before");
    assert_eq!(running(&services), whole);
    run(&machine, &mut services, "rollback-stop", 0).expect_success("It was rolled back before");
}

/// A question that fails is no answer: nothing is stopped before all of them are known, and nothing is believed to be gone.
#[test]
fn a_registry_or_service_control_that_refuses_stops_nothing() {
    let machine = Machine::new("CORE01", &ARCHIVE, PROGRAMS);
    for code in [5, 1722] {
        machine.forget();
        let mut services = services();
        let before = running(&services);
        services.refuses = Some(code);
        run(&machine, &mut services, "stop-callback", 0).expect_failure(
            "find the service of RabbitMQ",
            "Nothing after this step was done.",
        );
        assert_eq!(running(&services), before);
    }
    // Another folder than the inventory's: Windows answers 1, and so it does where reading is denied.
    machine.forget();
    let mut services = services();
    let before = running(&services);
    let outcome = machine.run("servers/CORE01/services/stop-callback.cmd", |_, call| {
        if call.program == "reg" {
            return Answer::Code(1, "ERROR: Access is denied.\r\n".to_owned());
        }
        services
            .answer(call)
            .or_else(|| text_tool(&machine, call))
            .unwrap_or_else(good)
    });
    outcome.expect_failure(
        "find the services below",
        "Is that the folder of Callback on this server?",
    );
    assert_eq!(running(&services), before);
    // A server without the program that watches: that answer is one.
    let outcome = machine.run("servers/CORE01/services/stop-callback.cmd", |_, call| {
        services
            .answer(call)
            .or_else(|| registered(call, false))
            .or_else(|| text_tool(&machine, call))
            .unwrap_or_else(|| panic!("unexpected {}", call.line()))
    });
    outcome.expect_success("Callback is stopped");
    assert!(running(&services).contains(&"CoreMonitor"));
}

/// `sc start` answers 1056 also of a service that is just stopping: only one that answers afterwards runs.
#[test]
fn a_service_that_was_still_stopping_is_started_again() {
    let machine = Machine::new("CORE01", &ARCHIVE, PROGRAMS);
    let mut services = services();
    run(&machine, &mut services, "stop-callback", 0).expect_success("Callback is stopped");
    let mut stops_for = 2;
    let outcome = machine.run("servers/CORE01/services/rollback-stop.cmd", |_, call| {
        match call.line().as_str() {
            "sc start VHQueueManager" if stops_for > 0 => return Answer::Code(1056, String::new()),
            "sc interrogate VHQueueManager" if stops_for > 0 => {
                stops_for -= 1;
                let code = if stops_for > 0 { 1061 } else { 1062 };
                return Answer::Code(code, String::new());
            }
            _ => {}
        }
        services
            .answer(call)
            .or_else(|| text_tool(&machine, call))
            .unwrap_or_else(|| panic!("unexpected {}", call.line()))
    });
    outcome.expect_success("Callback runs as before");
    assert!(running(&services).contains(&"VHQueueManager"));
    // And stopping what is stopping already only waits.
    machine.forget();
    let mut asked = 0;
    let outcome = machine.run("servers/CORE01/services/stop-callback.cmd", |_, call| {
        if call.line() == "sc stop CoreMonitor" {
            asked += 1;
            services.all.get_mut("CoreMonitor").expect("there").runs = false;
            return Answer::Code(1061, String::new());
        }
        services
            .answer(call)
            .or_else(|| registered(call, true))
            .or_else(|| text_tool(&machine, call))
            .unwrap_or_else(|| panic!("unexpected {}", call.line()))
    });
    outcome.expect_success("Callback is stopped");
    assert_eq!(asked, 1);
}

/// A service that does not start keeps none of the others from it, and is named.
#[test]
fn one_that_does_not_start_is_named_and_the_others_run() {
    let machine = Machine::new("CORE01", &ARCHIVE, PROGRAMS);
    let mut services = services();
    run(&machine, &mut services, "stop-callback", 0).expect_success("Callback is stopped");
    let outcome = machine.run("servers/CORE01/services/start-callback.cmd", |_, call| {
        if call.line() == "sc start VHQueueManager" {
            return Answer::Code(1053, String::new());
        }
        services
            .answer(call)
            .or_else(|| text_tool(&machine, call))
            .unwrap_or_else(|| panic!("unexpected {}", call.line()))
    });
    outcome.expect_failure(
        "start the services of Callback",
        "The service \"VHQueueManager\" does not start.",
    );
    assert!(running(&services).contains(&"CoreMonitor"));
    let again = run(&machine, &mut services, "start-callback", 0);
    again.expect_success("Callback runs");
    assert!(running(&services).contains(&"VHQueueManager"));
}

#[test]
fn every_call_that_fails_stops_the_scripts_at_a_named_step() {
    let machine = Machine::new("CORE01", &ARCHIVE, PROGRAMS);
    let mut stops = Stops::default();
    let mut at_work = services();
    let stopping = run(&machine, &mut at_work, "stop-callback", 0);
    stopping.expect_success("Callback is stopped");
    let (saved, at_rest) = (machine.saved(), at_work.all.clone());
    let starting = run(&machine, &mut at_work, "start-callback", 0);
    starting.expect_success("Callback runs");
    for (script, whole) in [("stop-callback", &stopping), ("start-callback", &starting)] {
        stops.of(script);
        for failing in 1..=whole.calls.len() {
            machine.forget();
            let mut services = services();
            if script == "start-callback" {
                machine.restore(&saved);
                services.all.clone_from(&at_rest);
            }
            let outcome = run(&machine, &mut services, script, failing);
            if script == "stop-callback" {
                stops.note(&machine, whole, failing, &outcome, "", "Wine");
            } else {
                stops.line(&machine, whole, failing, &outcome, "Wine");
            }
        }
    }
    stops.compare("callback");
    let kept = fs::read_to_string(machine.state("services/captured.txt"));
    assert!(kept.is_ok_and(|text| text.contains("VHQueueManager")));
}
