//! Windows batch scripts: quoting of values, a model of how cmd.exe reads a line, and the strict reader.
//!
//! # How a generated script must look
//!
//! [`items`] refuses everything else, so this is the contract for whoever writes a script template.
//!
//! * ASCII, at most 8191 characters a line, every quote closed on its line.
//! * First line `@echo off`, second line `setlocal EnableExtensions DisableDelayedExpansion`, last line `exit /b …`.
//! * No parentheses around commands, no `^`, no `&`, no pipe, and `!` only in `echo` and `rem`. Redirections are
//!   `>nul`, `2>nul`, `2>&1`, `<nul` and `>"file"` or `>>"file"` (handle 1 or 2 in front allowed).
//! * `set "NAME=value"` only, and every variable that is used is set somewhere in the script or listed in
//!   [`KNOWN_VARIABLES`]. `%NAME%` stands inside quotes, except after `echo` and `exit /b`. No `%NAME:…%`. Dates and
//!   times are forbidden: their format depends on the server.
//! * Batch files are started with `call "…\x.bat"`, programs without. Bare program names come from a fixed list
//!   (`findstr`, `icacls`, `sc`, …); everything else is a quoted path, and the reader must be able to tell from it, or
//!   from the `set` of its variable, whether it is a batch file.
//! * After every program, `call`, `pushd`, `copy`, `move`, `del`, `mkdir`, … the failure is handled by the next line:
//!   `if [not] "%errorlevel%"=="N" …` or `set "NAME=%errorlevel%"`. For `copy`, `move`, `mkdir` and `ren` it may be
//!   `if [not] exist "path" …`; for `del` and `rd` it must be, because they leave the code alone.
//!   Except after `call`, `|| goto :LABEL` or `|| exit /b N` at the end of the line does as well, but prefer the next
//!   line: Wine 8 runs the command behind `||` always, so such a script cannot be tried out there.
//!   Where a failure does not matter: `rem unchecked: reason` on the line before.
//! * Why not after `call`: cmd.exe then looks at the last command inside the batch file, and `rabbitmqctl.bat` 3.8.1
//!   ends with an `if` that is usually false.
//! * A `goto :FAILED` inside a subroutine ends in an `exit /b` that returns to the caller, which is why `call :NAME`
//!   must be checked like a program.
//! * `if` forms: `if [not] [/i] "A"=="B" …`, `if [not] exist "path" …`, `if [not] defined NAME …`; the rest of the line
//!   is one command; a program there needs `|| …`, and instead of a `call` jump around it. `if errorlevel N` is
//!   refused, it misses negative codes.
//! * `for` form: `for /f "options" %%X in ('command') do …` or, with `usebackq` in the options, `in ("file")`; the
//!   rest is `set`, `call :NAME` or `goto`. The script must then test what it got.
//! * A command that may ask (`copy`, `move`, `net stop`, `reg add`, `rd /s`, …) has the switch that keeps it quiet, or `<nul`.
//! * What programs of Windows print is searched for numbers and addresses only, never for words: those are translated.
//! * Nothing is written below `%~dp0`: the bundle stays what was checked.
//! * `powershell` needs `-NoProfile`, and its `-Command` text holds no `%`.
//! * A literal percent sign is `%%`, in an argument of `call` `%%%%` (write it with [`cmd_call_arg`]).
//! * No argument `/?`, no `\"`, no `"%~dp0"` as an argument (it ends in a backslash).
//!
//! # A complete script
//!
//! ```
//! let script = r#"@echo off
//! setlocal EnableExtensions DisableDelayedExpansion
//! rem Adds one federation upstream.
//! set "SBIN=C:\RabbitMQ\sbin"
//! set "CTL=%SBIN%\rabbitmqctl.bat"
//! if not exist "%CTL%" goto :MISSING
//! call "%CTL%" set_parameter federation-upstream up1 "{""expires"":300000}"
//! if not "%errorlevel%"=="0" goto :FAILED
//! call "%CTL%" list_parameters >"%TEMP%\parameters.txt" 2>&1
//! if not "%errorlevel%"=="0" goto :FAILED
//! findstr /c:"up1" "%TEMP%\parameters.txt" >nul
//! if not "%errorlevel%"=="0" goto :FAILED
//! rem unchecked: the file may stay
//! del /q "%TEMP%\parameters.txt" >nul 2>&1
//! echo done
//! exit /b 0
//!
//! :MISSING
//! echo rabbitmqctl.bat is not in %SBIN%
//! exit /b 2
//!
//! :FAILED
//! echo failed
//! exit /b 1
//! "#;
//! assert!(cbgen_formats::cmd::items(script).is_ok());
//! ```
//!
//! This module must not know which programs a deployment runs or in which order.

pub mod phases;
mod quote;
mod read;

pub use quote::{cmd_arg, cmd_call_arg, cmd_call_json, cmd_echo, cmd_rem, cmd_set, escape};
pub(super) use read::check;
pub use read::{KNOWN_VARIABLES, items};
pub use read::{Line, Script, lines};

/// Batch files that are often named without extension.
const BATCH_FILES: &[&str] = &[
    "install_dependencies",
    "nginx_windows_service",
    "rabbitmq-diagnostics",
    "rabbitmq-plugins",
    "rabbitmq-queues",
    "rabbitmq-service",
    "rabbitmqctl",
];

/// Whether a program name or path means a batch file.
fn is_batch_file(program: &str) -> bool {
    let name = program.rsplit(['\\', '/']).next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_one_of = |text: &str, known: &[&str]| known.iter().any(|known| text.eq_ignore_ascii_case(known));
    is_one_of(extension, &["bat", "cmd"]) || is_one_of(name, BATCH_FILES)
}

/// The longest command line cmd.exe reads. Source: Microsoft, "Command prompt line string limitation".
const LONGEST_LINE: usize = 8191;
