//! The machine this runs on: clock, account, programs, the person at the terminal.
//!
//! The only place of the change window that looks at any of them. This file must not know steps.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::change::machine::{Call, Ended, Machine, Patience, Secret};
use crate::contract::digest::Digest;
use crate::contract::moment::Moment;
use crate::files::{DiskFiles, Files as _};
use crate::formats::Cut as _;

use super::clock;

/// How long output of a program that has ended is waited for: what it started may hold its pipe open.
const REST: Duration = Duration::from_secs(2);
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The largest program of ours.
const LARGEST: u64 = 1 << 30;

/// This machine.
pub(super) struct RealMachine {
    began: Instant,
    digest: OnceLock<Option<String>>,
    /// How long a minute is; tests cannot wait for real ones.
    minute: Duration,
}

impl RealMachine {
    #[expect(
        clippy::disallowed_methods,
        reason = "durations are for people and evidence only"
    )]
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            digest: OnceLock::new(),
            minute: Duration::new(60, 0),
        }
    }

    fn is_watched() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn prompt(question: &str) {
        let mut stderr = io::stderr();
        // Where nothing can be shown, nobody answers either.
        drop(
            stderr
                .write_all(question.as_bytes())
                .and_then(|()| stderr.flush()),
        );
    }

    fn answer() -> Option<String> {
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
        }
    }
}

/// A variable of the environment, for where a server has its folders.
#[expect(
    clippy::disallowed_methods,
    reason = "a server says by its environment where its folders are"
)]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Machine for RealMachine {
    fn now(&self) -> String {
        Moment::utc(clock::now()).stamp()
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn computer(&self) -> String {
        cbgen_windows::computer_name()
    }

    fn user(&self) -> String {
        let name = variable("USERNAME").or_else(|| variable("USER"));
        let name = name.unwrap_or_else(|| "unknown".to_owned());
        match variable("USERDOMAIN") {
            Some(domain) => format!(r"{domain}\{name}"),
            None => name,
        }
    }

    fn is_elevated(&self) -> bool {
        cbgen_windows::is_elevated()
    }

    fn is_windows(&self) -> bool {
        cfg!(windows)
    }

    fn variable(&self, name: &str) -> Option<String> {
        variable(name)
    }

    fn process(&self) -> u32 {
        std::process::id()
    }

    fn program_digest(&self) -> Option<String> {
        let digest = self.digest.get_or_init(|| {
            let program = std::env::current_exe().ok()?;
            let bytes = DiskFiles::new("").read(&program, LARGEST).ok()?;
            Some(Digest::of(&bytes).to_string())
        });
        digest.clone()
    }

    fn run(
        &self,
        call: &Call,
        output: &mut dyn FnMut(&[u8]),
        too_long: &mut dyn FnMut(u64) -> Patience,
    ) -> io::Result<Ended> {
        let (mut reader, writer) = io::pipe()?;
        let mut command = Command::new(&call.program);
        command
            .args(&call.arguments)
            .current_dir(&call.folder)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        add_tail(&mut command, call.tail.as_deref());
        for (name, value) in &call.variables {
            command.env(name, value);
        }
        for name in &call.without {
            command.env_remove(name);
        }
        for (name, secret) in &call.secrets {
            command.env(name, secret.reveal());
        }
        let mut child = command.spawn()?;
        // Else this process would hold the pipe open itself.
        drop(command);
        let (sender, pieces) = mpsc::channel();
        // Not joined: what the program started may hold the pipe open for days.
        std::thread::spawn(move || {
            let mut piece = vec![0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                if sender.send(piece.cut(..count).to_vec()).is_err() {
                    return;
                }
            }
        });
        let began = self.began.elapsed();
        let mut asked = 0;
        loop {
            match pieces.recv_timeout(LOOK) {
                Ok(piece) => output(&piece),
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK / 10),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(status) = child.try_wait()? {
                while let Ok(piece) = pieces.recv_timeout(REST) {
                    output(&piece);
                }
                return Ok(Ended::Code(status.code()));
            }
            let minutes =
                self.began.elapsed().saturating_sub(began).as_millis() / self.minute.as_millis().max(1);
            let minutes = u64::try_from(minutes).unwrap_or(u64::MAX);
            if minutes >= asked + call.minutes.max(1) {
                asked = minutes;
                match too_long(minutes) {
                    Patience::Wait => {}
                    Patience::Kill => return end(&mut child),
                    Patience::Leave => {
                        return Ok(Ended::StillRunning { process: child.id() });
                    }
                }
            }
        }
    }

    fn ask(&self, question: &str) -> Option<String> {
        if !Self::is_watched() {
            return None;
        }
        Self::prompt(question);
        Self::answer()
    }

    fn ask_secret(&self, name: &str) -> Option<Secret> {
        if !Self::is_watched() {
            return None;
        }
        // A question whose answer everybody could read over the shoulder is not asked.
        let hidden = cbgen_windows::hide_typing().ok()?;
        Self::prompt(&format!("Secret {name} (it is not shown): "));
        let secret = Self::answer();
        drop(hidden);
        Self::prompt("\n");
        secret.filter(|secret| !secret.is_empty()).map(Secret::new)
    }

    fn say(&self, line: &str) {
        let mut stdout = io::stdout();
        // A reader that went away must not stop a change in the middle.
        drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
    }
}

/// Ends a program with everything it started.
fn end(child: &mut Child) -> io::Result<Ended> {
    end_tree(child.id());
    drop(child.kill());
    child.wait()?;
    Ok(Ended::Killed)
}

#[cfg(windows)]
fn end_tree(process: u32) {
    let root = variable("SystemRoot").unwrap_or_else(|| r"C:\Windows".to_owned());
    let program = std::path::Path::new(&root).join(r"System32\taskkill.exe");
    // What it could not end is ended by the call behind this one, or runs on and is said to be unknown.
    drop(
        Command::new(program)
            .args(["/T", "/F", "/PID", &process.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status(),
    );
}

#[cfg(not(windows))]
fn end_tree(_: u32) {}

#[cfg(windows)]
fn add_tail(command: &mut Command, tail: Option<&str>) {
    // cmd.exe has rules of its own for what stands behind /c, so nothing may be quoted a second time.
    if let Some(tail) = tail {
        std::os::windows::process::CommandExt::raw_arg(command, tail);
    }
}

#[cfg(not(windows))]
fn add_tail(command: &mut Command, tail: Option<&str>) {
    command.args(tail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_asked_about_and_ended_or_left() {
        let mut machine = RealMachine::new();
        machine.minute = Duration::from_millis(150);
        let call = Call {
            program: "/bin/sh".into(),
            arguments: ["-c", "echo begun; exec sleep 60"].map(str::to_owned).to_vec(),
            tail: None,
            folder: "/".into(),
            variables: Vec::new(),
            secrets: Vec::new(),
            without: Vec::new(),
            minutes: 2,
        };
        for last in [Patience::Kill, Patience::Leave] {
            let (mut said, mut asked) = (Vec::new(), Vec::new());
            let mut output = |piece: &[u8]| said.extend_from_slice(piece);
            let mut too_long = |minutes| {
                asked.push(minutes);
                if asked.len() < 3 { Patience::Wait } else { last }
            };
            let ended = machine.run(&call, &mut output, &mut too_long).unwrap();
            assert_eq!(said, b"begun\n");
            assert!(
                asked.len() == 3 && asked.is_sorted() && asked.first() >= Some(&2),
                "{asked:?}"
            );
            match (last, ended) {
                (Patience::Kill, Ended::Killed) => {}
                (_, Ended::StillRunning { process }) => {
                    // It was left running, so it can be ended.
                    let kill = ["-c", "kill -KILL \"$1\"", "sh"];
                    let mut sh = Command::new("/bin/sh");
                    assert!(sh.args(kill).arg(process.to_string()).status().unwrap().success());
                }
                (_, other) => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(Moment::utc(0).stamp(), "1970-01-01T00:00:00Z");
        assert_eq!(Moment::utc(951_782_400).stamp(), "2000-02-29T00:00:00Z");
        assert_eq!(Moment::utc(1_796_486_399).stamp(), "2026-12-05T15:59:59Z");
    }
}
