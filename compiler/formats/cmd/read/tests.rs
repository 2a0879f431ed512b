//! Tests of the reader of batch scripts.

use proptest::prelude::*;

use super::*;
use crate::told::told;

/// A script around some lines.
fn script(lines: &str) -> String {
    format!(
        "{FIRST_LINE}\n{SECOND_LINE}\nset \"CTL=C:\\r\\rabbitmqctl.bat\"\n{lines}\nexit /b 0\n:FAILED\nexit /b 1\n"
    )
}

/// Expects an error with this message, or acceptance when the message is empty.
fn check(lines: &str, message: &str) {
    match items(&script(lines)) {
        Ok(_) => assert!(message.is_empty(), "accepted: {lines}"),
        Err(errors) => assert!(
            !message.is_empty() && errors.iter().any(|error| error.message.contains(message)),
            "{lines}: {errors:?}"
        ),
    }
}

#[test]
fn accepts_the_forms_of_the_contract() {
    for lines in [
        "call \"%CTL%\" list_users >\"%TEMP%\\users.txt\" 2>&1\nif not \"%errorlevel%\"==\"0\" goto :FAILED",
        "call \"%CTL%\" set x \"{\"\"uri\"\":\"\"a%%%%20b&c\"\"}\"\nset \"CODE=%errorlevel%\"",
        "net stop x /y >nul\nif not \"%errorlevel%\"==\"0\" goto :FAILED",
        "net stop x <nul\nif not \"%errorlevel%\"==\"0\" goto :FAILED",
        "\"%SystemRoot%\\netstat.exe\" -ano >\"%TEMP%\\p\" || goto :FAILED\nfindstr /r /c:\":443 \" \"%TEMP%\\p\" || goto :FAILED",
        "openssl version >\"%TEMP%\\p\" || goto :FAILED\nfindstr /c:\"OpenSSL\" \"%TEMP%\\p\" || goto :FAILED",
        "net session >nul 2>&1\nif not \"%errorlevel%\"==\"0\" goto :FAILED",
        "\"%SystemRoot%\\System32\\sc.exe\" query RabbitMQ >nul || exit /b 3",
        "findstr /c:\"up 1\" \"%TEMP%\\users.txt\" >nul\nif \"%errorlevel%\"==\"1\" goto :FAILED",
        "icacls \"C:\\keys\\k.pem\" /inheritance:r >nul\nset \"CODE=%errorlevel%\"\nexit /b %CODE%",
        "rem unchecked: may be gone\ndel /q \"C:\\a b\"",
        "del /q \"C:\\a b\"\nif exist \"C:\\a b\" goto :FAILED",
        "mkdir \"C:\\a b\"\nif not exist \"C:\\a b\" goto :FAILED",
        "pushd \"%~dp0\" || goto :FAILED\npopd",
        "if not exist \"C:\\a b\" mkdir \"C:\\a b\" || goto :FAILED",
        "if defined CTL goto :FAILED",
        "if /i \"%COMPUTERNAME%\"==\"A\" echo (x86) %CTL%!",
        "if not \"%COMPUTERNAME%\"==\"A\" exit /b %errorlevel%",
        "for /f \"usebackq tokens=1\" %%V in (\"%TEMP%\\x\") do set \"V=%%V\"",
        "for /f \"tokens=1\" %%V in ('hostname') do call :FAILED \"%%V\"",
        "powershell -NoProfile -Command \"Get-Service\" || goto :FAILED",
        "copy /y \"C:\\a\" \"C:\\b\" >nul || goto :FAILED",
        "call :SUB \"a b\"\nif not \"%errorlevel%\"==\"0\" exit /b 4\nexit /b 0\n:SUB\necho %~1\nexit /b 0\n:NEXT\necho.",
    ] {
        check(lines, "");
    }
}

#[test]
fn refuses_what_goes_wrong_at_night() {
    for (lines, message) in [
        ("net stop x", "nothing handles a failure"),
        ("if defined CTL call \"%CTL%\" a%%20b", "written `%%%%`"),
        (
            "net stop x\necho a\nif not \"%errorlevel%\"==\"0\" goto :FAILED",
            "nothing handles a failure",
        ),
        ("call :FAILED", "nothing handles a failure"),
        ("call :FAILED || goto :FAILED", "not reliable"),
        ("if defined CTL call :FAILED", "jump around"),
        (
            "del \"C:\\a\"\nif not \"%errorlevel%\"==\"0\" goto :FAILED",
            "test `exist` next",
        ),
        (
            "\"%CTL%\" list || goto :FAILED",
            "without `call` the script would end",
        ),
        (
            "rabbitmqctl list || goto :FAILED",
            "without `call` the script would end",
        ),
        ("call net stop x || goto :FAILED", "not known to be a batch file"),
        ("call \"%CTL%\" a%%20b || goto :FAILED", "written `%%%%`"),
        ("call \"%CTL%\" \"a!b\" || goto :FAILED", "`!`"),
        ("if exist \"a\" (\necho x\n)", "unknown command"),
        ("net stop \"a\" (x) || goto :FAILED", "parenthesis"),
        ("echo a ^& b", "`^`"),
        ("echo a & echo b", "may follow a command"),
        ("net stop x | find \"y\" || goto :FAILED", "may follow a command"),
        ("echo a || echo b", "may follow `||`"),
        ("goto :NOWHERE", "no label `:nowhere`"),
        (":failed", "stands twice"),
        ("goto :eof", "`:eof`"),
        ("set A=b", "`set \"NAME=value\"`"),
        ("set \"A=C:\\b\\\"", "ends in a backslash"),
        ("echo %NOPE%", "set nowhere"),
        ("echo %DATE%", "format the server"),
        ("echo %CTL:~1%", "substring"),
        ("net stop %CTL% || goto :FAILED", "outside quotes"),
        ("net stop \"x || goto :FAILED", "not closed"),
        ("net stop x >C:\\a || goto :FAILED", "redirection"),
        ("if errorlevel 1 goto :FAILED", "negative codes"),
        ("if exist C:\\a goto :FAILED", "needs quotes"),
        ("if \"a\" == \"b\" goto :FAILED", "not a form of `if`"),
        ("if exist \"C:\\a\" net stop x", "on the same line"),
        ("for %%V in (a b) do echo %%V", "`for` is written"),
        ("for /f \"x\" %%V in ('a') do net stop %%V", "after `do`"),
        ("copy \"a\" \"b\" || goto :FAILED", "waits for an answer"),
        ("net stop x >nul || goto :FAILED", "waits for an answer"),
        ("hostname >\"%~dp0a.txt\" || goto :FAILED", "folder of the bundle"),
        (
            "copy /y \"C:\\a\" \"%~dp0b\" >nul || goto :FAILED",
            "folder of the bundle",
        ),
        ("mkdir \"%~dp0logs\" || goto :FAILED", "folder of the bundle"),
        ("reg add HKLM\\x /v a /d b || goto :FAILED", "without `/f` waits"),
        ("rem unchecked: test\nrd /s \"C:\\a\"", "without `/q` waits"),
        (
            "sc query x >\"%TEMP%\\s\" || goto :FAILED\nfindstr /r /c:\"STATE  *: 1 \" \"%TEMP%\\s\" || goto :FAILED",
            "looks for `STATE` in what `sc` prints",
        ),
        (
            "\"%SystemRoot%\\netstat.exe\" >\"%TEMP%\\s\" || goto :FAILED\nfind \"LISTENING\" \"%TEMP%\\s\" || goto :FAILED",
            "another language",
        ),
        ("powershell -Command \"x\" || goto :FAILED", "-NoProfile"),
        (
            "powershell -NoProfile -Command \"%CTL%\" || goto :FAILED",
            "must be fixed",
        ),
        ("sc query \"C:\\a\\\" || goto :FAILED", "backslash before a quote"),
        ("sc query \"%~dp0\" || goto :FAILED", "ends in a backslash"),
        ("\"%TOOLS%\" x || goto :FAILED", "cannot tell"),
        ("fidnstr x || goto :FAILED", "unknown command `fidnstr`"),
        ("net help /? || goto :FAILED", "`/?`"),
        ("echo ä", "printable ASCII"),
        ("echo\ta", "printable ASCII"),
        ("rem 5%", "in a comment"),
        ("exit 1", "`exit /b`"),
        (&format!("echo {}", "a".repeat(LONGEST_LINE)), "longer than"),
    ] {
        check(lines, message);
    }
    for (text, message) in [
        ("", "does not end"),
        ("echo off\n", "first line"),
        ("@echo off\nsetlocal\nexit /b 0\n", "second line"),
        (
            "@echo off\nsetlocal EnableExtensions DisableDelayedExpansion\necho a\n",
            "does not end",
        ),
    ] {
        assert!(
            items(text)
                .unwrap_err()
                .iter()
                .any(|error| error.message.contains(message)),
            "{text}"
        );
    }
}

#[test]
fn items_number_commands_below_their_label() {
    let text = script(
        "net   start \"a  b\" || goto :FAILED\ncall \"%CTL%\"  list\nif \"%errorlevel%\"==\"1\" goto :FAILED",
    );
    assert_eq!(
        told(items(&text)),
        [
            "start > 01 set = \"CTL=C:\\r\\rabbitmqctl.bat\"",
            "start > 02 net = start \"a  b\" || goto :FAILED",
            "start > 03 rabbitmqctl.bat = call \"%CTL%\" list",
            "start > 04 if = \"%errorlevel%\"==\"1\" goto :FAILED",
            "start > 05 exit = /b 0",
            "FAILED = :FAILED",
            "FAILED > 01 exit = /b 1",
        ]
    );
}

#[test]
fn items_say_which_program_runs() {
    let value = |program: &str| {
        let text = script(&format!("{program} session >nul || goto :FAILED"));
        items(&text).unwrap().remove(1)
    };
    let (system, temp) = (value("\"%SystemRoot%\\net.exe\""), value("\"%TEMP%\\net.exe\""));
    assert_eq!((&system.path, &temp.path), (&temp.path, &system.path));
    assert_ne!(system.value, temp.value);
    assert_eq!(value("net").value, "session >nul || goto :FAILED");
}

proptest! {
    #[test]
    fn reader_survives_anything(text in "\\PC*|@echo off\n[a-z\"%^&|<>~*0-9:() \n\\\\]*") {
        drop(items(&text));
        drop(items(&script(&text)));
    }
}
