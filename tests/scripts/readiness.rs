//! The check of a server days before the change: everything that is wrong is named in one run, and what cannot be asked is
//! never fine.

use std::fs;

use super::machine::{Answer, Call, Machine, Outcome, good};
use super::text_tools::text_tool;
use super::{INVENTORY, PROGRAMS, built};

const OPENSSL: &str = r"C:\Program Files\Git\mingw64\bin\openssl.exe";
const SCRIPT: &str = "servers/MGMT01/check-readiness.cmd";

/// What is asked for, by a part of the command line.
const QUESTIONS: &[(&str, &str)] = &[
    (
        "CurrentBuildNumber -ne '14393'",
        "this is not Windows Server 2016",
    ),
    (
        "$r -lt 461308 -or $r -ge 461808",
        "the value Release of the .NET Framework is not the one of 4.7.1",
    ),
    (
        r"reg query HKLM\SOFTWARE\Microsoft\InetStp",
        "IIS is not installed",
    ),
    ("appcmd list app", "IIS cannot be asked for the applications"),
    (
        "windowsAuthentication",
        "asks for a login of Windows cannot be told",
    ),
    ("Client 11.0 /reg:64", "the 64-bit driver"),
    ("Client 11.0 /reg:32", "the 32-bit driver"),
    ("2011.110.7001.0", "sqlncli11.dll is older"),
    ("AvailableFreeSpace", "less than 2 GB free"),
    ("openssl version", "is older than 1.1.1"),
    ("findstr", "is older than 1.1.1"),
    ("Get-NetFirewallProfile", "the firewall cannot be asked"),
    ("where sqlcmd", "sqlcmd is missing"),
    ("SUSER_SNAME", "cannot be reached, or it refuses"),
    ("ProductVersion", "is not 2016"),
    ("Win32_Service", "the accounts of services and application pools"),
    ("EXECUTE AS LOGIN", "has no access to"),
];

/// A server on which only what `wrong` says is answered by its code.
fn run(machine: &Machine, accounts: &str, wrong: &dyn Fn(&str) -> Option<i32>) -> Outcome {
    machine.run(SCRIPT, |_, call: &Call| {
        let line = call.line();
        if let Some(file) = call.arguments.iter().skip_while(|word| *word != "-o").nth(1) {
            fs::write(machine.unix(file), "what SQL Server said\n").expect("writable");
        }
        if let Some(code) = wrong(&line) {
            return Answer::Code(code, String::new());
        }
        match call.program.as_str() {
            "openssl" => Answer::Code(0, "OpenSSL 3.0.13 30 Jan 2024\n".to_owned()),
            "powershell" if line.contains("Win32_Service") => Answer::Code(0, accounts.to_owned()),
            "appcmd" if line.contains("list app") => {
                Answer::Code(0, "Default Web Site/EyeQueue\n".to_owned())
            }
            "appcmd" if line.contains("windowsAuthentication") => Answer::Code(0, "false\n".to_owned()),
            "powershell" | "reg" | "where" | "sqlcmd" => good(),
            _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {line}")),
        }
    })
}

fn server(archive: &[u8]) -> Machine {
    let mut machine = Machine::new("MGMT01", archive, PROGRAMS);
    let path = Machine::windows(&machine.system());
    machine.set("PATH", &path);
    machine.put_relay(OPENSSL);
    machine
}

#[test]
fn everything_open_is_named_in_one_run() {
    const ACCOUNTS: &str = "ACME\\MGMT01$\nACME\\svc callback\n";
    let machine = server(&super::ARCHIVE);
    let whole = run(&machine, ACCOUNTS, &|_| None);
    whole.expect_success("This server is ready");
    assert!(!whole.output.contains("OPEN"), "{}", whole.output);
    for account in ACCOUNTS.lines() {
        let line = format!("Account that logs in to SQL Server: {account}");
        assert!(whole.output.contains(&line), "{}", whole.output);
    }
    let asked = whole
        .calls
        .iter()
        .filter(|call| call.line().contains("HAS_DBACCESS"));
    assert_eq!(asked.count(), 2, "each account once: {:#?}", whole.calls);
    // One thing at a time: its line, and no other. The codes are those of a wrong answer and of no answer.
    for (question, told) in QUESTIONS {
        for code in [1, 2, 3] {
            if *question == "Win32_Service" && code == 3 {
                continue;
            }
            if *question == "Get-NetFirewallProfile" && code == 3 {
                continue;
            }
            let outcome = run(&machine, "ACME\\MGMT01$\n", &|line| {
                line.contains(question).then_some(code)
            });
            outcome.expect_failure("see that nothing is open", told);
            let open = outcome
                .output
                .lines()
                .filter(|line| line.starts_with("OPEN: "))
                .count();
            assert_eq!(open, 1, "{question}: {}", outcome.output);
        }
    }
    for (question, code, told) in [
        (
            "Get-NetFirewallProfile",
            3,
            "the firewall of Windows is off for at least one kind",
        ),
        ("Get-NetFirewallProfile", 4, "a policy of the domain"),
        ("Win32_Service", 3, "no service runs from"),
    ] {
        run(&machine, "", &|line| line.contains(question).then_some(code))
            .expect_failure("see that nothing is open", told);
    }
    // All at once.
    let outcome = run(&machine, "", &|line| {
        let asks = QUESTIONS.iter().any(|(question, _)| line.contains(question));
        asks.then_some(1)
    });
    let open = outcome.output.lines().filter(|line| line.starts_with("OPEN: "));
    assert_eq!(open.count(), 10, "{}", outcome.output);
}

/// NTLM belongs to a connection, and behind a proxy that is another one: an application that asks for it is named.
#[test]
fn applications_with_a_login_of_windows_are_named() {
    let machine = server(&super::ARCHIVE);
    let outcome = machine.run(SCRIPT, |_, call: &Call| {
        let line = call.line();
        match call.program.as_str() {
            "appcmd" if line.contains("list app") => Answer::Code(
                0,
                "Default Web Site/\nDefault Web Site/EyeQueue\nDefault Web Site/Old reports\n".to_owned(),
            ),
            "appcmd" => {
                let asks = line.contains("Default Web Site/Old reports");
                Answer::Code(0, format!("{asks}\n"))
            }
            "openssl" => Answer::Code(0, "OpenSSL 3.0.13 30 Jan 2024\n".to_owned()),
            "powershell" if line.contains("Win32_Service") => Answer::Code(0, "ACME\\MGMT01$\n".to_owned()),
            "powershell" | "reg" | "where" | "sqlcmd" => good(),
            _ => text_tool(&machine, call).unwrap_or_else(|| panic!("unexpected {line}")),
        }
    });
    outcome.expect_failure(
        "see that nothing is open",
        "\"Default Web Site/Old reports\" in IIS asks for a login of Windows",
    );
    let open = outcome.output.lines().filter(|line| line.starts_with("OPEN: "));
    assert_eq!(open.count(), 1, "{}", outcome.output);
}

/// Where the person may not ask for others, the statement and the answer it must have are printed, and what its
/// administrator says counts.
#[test]
fn accounts_are_seen_by_whoever_may_see_them() {
    let mut machine = server(&super::ARCHIVE);
    let denied = |line: &str| line.contains("EXECUTE AS LOGIN").then_some(1);
    let outcome = run(&machine, "ACME\\MGMT01$\n", &denied);
    outcome.expect_failure(
        "see that nothing is open",
        r"EXECUTE AS LOGIN = N'ACME\MGMT01$'; SELECT HAS_DBACCESS(N'VHT_Config'), HAS_DBACCESS(N'VHT_RPT');",
    );
    machine.set("CALLBACK_LOGINS_SEEN", "yes");
    run(&machine, "ACME\\MGMT01$\n", &denied).expect_success("This server is ready");
}

/// With RabbitMQ the script of the change rehearses, and its no is a no.
#[test]
fn the_broker_is_rehearsed() {
    let archive = built(&with_broker());
    let machine = server(&archive);
    let preflight = machine.bundle("servers/MGMT01/rabbitmq/preflight.cmd");
    for (code, ends) in [("0", 0), ("1", 1)] {
        let text = format!("@echo off\r\nif not \"%~1\"==\"rehearse\" exit /b 1\r\nexit /b {code}\r\n");
        fs::write(&preflight, text).expect("writable");
        let outcome = run(&machine, "ACME\\MGMT01$\n", &|_| None);
        assert_eq!(outcome.code, ends, "{}", outcome.output);
        let told = outcome.output.contains("OPEN: RabbitMQ is not ready");
        assert_eq!(told, ends == 1, "{}", outcome.output);
    }
}

/// The inventory of the scripts with a broker on each server.
pub(super) fn with_broker() -> String {
    let inventory = INVENTORY.replace("high_availability: false", "high_availability: true");
    inventory + "rabbitmq: { certificates: 'C:\\certs', common_name: callback-mq, port: 5671 }\n"
}
