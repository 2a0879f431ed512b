//! Generated scripts run from beginning to end in Wine's command interpreter, also with every program failing once.
//!
//! Wine is not cmd.exe: quoting and percent signs are proved by the model in `compiler/formats/cmd`, the flow here.
//! A missing program (Wine, mingw, openssl) is a failure: an untested script must not look tested.
#![expect(clippy::panic, reason = "a test that meets an unexpected call fails there")]

mod answers;
mod bindings;
mod callback;
mod certificate;
mod chain;
mod exported;
mod firewall;
mod iis;
mod lines;
pub(crate) mod machine;
mod model;
pub(crate) mod mutants;
mod openssl;
mod phases;
mod proxy;
mod rabbitmq;
mod readiness;
mod registry;
mod services;
mod sql;
mod start;
mod stops;
mod text_tools;
mod trust;
mod values;

use std::fs;
use std::sync::LazyLock;

use crate::harness::Workspace;
use machine::{Call, Machine, Outcome};

/// One Core and one Management server, everything switched on.
const INVENTORY: &str = r"
schema: cbgen/v1
bundle: { name: scripts, version: '1.0' }
product: { version: 9.5.3, high_availability: false, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.acme.example }
certificate: { kind: ca_issued, pfx: 'C:\hand off\callback.pfx' }
iis: { x_frame_options: SAMEORIGIN, custom_error_page: true }
sql:
  version: 2016
  server: 'SQL01\CALLBACK'
  access: [odbc, ole]
  ole: { authentication: sql, user: callback_report, password: { secret: CALLBACK_REPORT_PASSWORD } }
windows_tls: { disable_legacy_protocols: true }
network: { firewall: true }
servers:
  - { name: CORE01, fqdn: core01.acme.example, roles: [core], windows: 2016, dotnet: 4.7.1 }
  - { name: MGMT01, fqdn: mgmt01.acme.example, roles: [management], windows: 2016, dotnet: 4.7.1 }
";

/// The archive of a bundle whose name is `scripts` and whose version is 1.0.
fn built(inventory: &str) -> Vec<u8> {
    let workspace = Workspace::new();
    workspace.write("inventory.yaml", inventory);
    let ran = workspace.run(&["build", "inventory.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    fs::read(workspace.folder().join("out/scripts-1.0.zip")).expect("an archive")
}

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| built(INVENTORY));

const PROGRAMS: &[&str] = &[
    "fltmc",
    "net",
    "reg",
    "find",
    "findstr",
    "fc",
    "icacls",
    "netsh",
    "certutil",
    "sc",
    "netstat",
    "ping",
    "where",
    "sqlcmd",
    "inetsrv/appcmd",
    "WindowsPowerShell/v1.0/powershell",
];

fn machine(name: &str) -> Machine {
    Machine::new(name, &ARCHIVE, PROGRAMS)
}
/// The last call of a script whose call `failing` failed. When the filter manager does not answer, Windows is asked once more.
fn last_call(outcome: &Outcome, failing: usize) -> usize {
    let asks_again = outcome
        .calls
        .get(failing - 1)
        .is_some_and(|call| call.program == "fltmc");
    failing + usize::from(asks_again)
}

/// The failing call is the last one, but for cleaning, and the message names a step.
#[track_caller]
fn stopped_at(outcome: &Outcome, failing: usize) {
    let calls: Vec<String> = outcome.calls.iter().map(Call::line).collect();
    let failing = last_call(outcome, failing);
    let told = ["FAILED at step: ", "Nothing after this step was done."];
    assert!(
        outcome.code == 1 && told.iter().all(|text| outcome.output.contains(text)),
        "exit code {}: {}{}{calls:#?}",
        outcome.code,
        outcome.output,
        outcome.errors
    );
    assert_eq!(
        calls.len(),
        failing,
        "something ran after the failure: {}{calls:#?}",
        outcome.output
    );
}
