//! Running real programs: with a time limit, in a process group of their own that ends with its owner.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::harness::Ran;

/// Seconds after which a program is ended and the test fails.
const LIMIT: &str = "180";
/// Seconds after which a daemon ends even if the tests were killed.
const DAEMON_LIMIT: &str = "600";

/// A program with a time limit. `timeout` makes a process group, so that children end with it.
pub(crate) fn program(name: &str) -> Command {
    limited(name, LIMIT)
}

/// A program with a time limit of its own.
pub(crate) fn limited(name: &str, seconds: &str) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=3", seconds, name])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

/// The command with its arguments, for messages.
fn shown(command: &Command) -> String {
    let words = command.get_args().skip(2).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Ran {
    finish_with_input(command, b"")
}

/// Runs a command to its end with bytes on its input.
#[track_caller]
pub(crate) fn finish_with_input(command: &mut Command, input: &[u8]) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().expect("`timeout` of coreutils");
    let writer = child.stdin.take().map(|mut pipe| {
        let input = input.to_vec();
        std::thread::spawn(move || {
            // A program may end without reading everything.
            pipe.write_all(&input).ok();
        })
    });
    let output = child.wait_with_output().expect("ends");
    if let Some(writer) = writer {
        writer.join().expect("the writer of the input");
    }
    let code = output.status.code().unwrap_or(-1);
    assert_ne!(
        code,
        127,
        "a program is missing, tests/run installs it: {}",
        shown(command)
    );
    assert_ne!(code, 124, "ran into its time limit: {}", shown(command));
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code,
    }
}

/// Runs a command that has to succeed and gives what it printed.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let ran = finish(command);
    assert_eq!(
        ran.code,
        0,
        "{} failed:\n{}{}",
        shown(command),
        ran.stdout,
        ran.stderr
    );
    ran.stdout
}

/// A program that runs until this value is dropped.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts `name` with what `prepare` adds.
    pub(crate) fn start(name: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = limited(name, DAEMON_LIMIT);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        prepare(&mut command);
        let child = command.spawn().expect("`timeout` of coreutils");
        Self { child }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The group has the number of `timeout`. First kindly, so that it can end its own children.
        for signal in ["-TERM", "-KILL"] {
            let group = format!("-{}", self.child.id());
            let sent = Command::new("kill")
                .args([signal, "--", &group])
                .stderr(Stdio::null())
                .status();
            assert!(sent.is_ok() || std::thread::panicking(), "`kill` is missing");
            let ended = wait_until(Duration::from_secs(3), || {
                self.child.try_wait().is_ok_and(|status| status.is_some())
            });
            if ended && signal == "-KILL" {
                return;
            }
        }
    }
}

/// Waits until `done` says so, at most `limit`; gives what it said last. Who waits longer asks less often: many questions start a
/// program, and take from what is waited for the time to become ready.
pub(crate) fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(10);
    loop {
        if done() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 3 / 2).min(Duration::from_millis(400));
    }
}

/// A port nobody listens on, below the ones the system hands out by itself; never the same one twice in a run.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 8_000).expect("small");
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A temporary folder that goes with its value.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("cbgen-proof")
        .tempdir()
        .expect("a temporary folder")
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("has a parent")).expect("a folder");
    std::fs::write(path, bytes).expect("a writable file");
}

/// The first line of `text` that has `word`, or all of it.
pub(crate) fn line_with<'t>(text: &'t str, word: &str) -> &'t str {
    text.lines().find(|line| line.contains(word)).unwrap_or(text)
}

/// Ends what uses a folder and removes it when this process is gone, however it ended. For what all tests of a run
/// share, because nothing drops it. `$1` in `first` is the folder.
pub(crate) fn remove_after_exit(folder: &Path, first: &str) {
    let script = format!(
        "while kill -0 {} 2>/dev/null; do sleep 0.2; done; {first}; rm -rf \"$1\"",
        std::process::id()
    );
    let mut watcher = Command::new("setsid");
    watcher.args(["sh", "-c", &script, "sh"]).arg(folder);
    watcher
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    watcher.spawn().expect("`setsid` of util-linux");
}
