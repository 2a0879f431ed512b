//! What the change desk asks of the machine it runs on beside its disk: who and where, programs, people, time.
//!
//! A trait, so that tests play a server whose tools fail or hang, and so that nothing here looks at a clock, at the
//! environment or at a terminal itself. This file must not know what a step is.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A value nobody may see. It has no way to be printed; [`Secret::reveal`] is for the environment of a child only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the environment of a child process and for finding it in what the child prints.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Full path of the program.
    pub program: PathBuf,
    /// Arguments, each one word as the program is to see it.
    pub arguments: Vec<String>,
    /// The last argument, passed on as it is written where the system hands over one line: what `cmd.exe /c` runs.
    pub tail: Option<String>,
    /// Folder to run in.
    pub folder: PathBuf,
    /// Variables added to the environment.
    pub variables: Vec<(String, String)>,
    /// Secrets added to the environment, under their names.
    pub secrets: Vec<(String, Secret)>,
    /// Whole minutes after which somebody is asked.
    pub minutes: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code; `None` when the system ended it.
    Code(Option<i32>),
    /// It was ended because it took too long.
    Killed,
    /// It still runs, and nobody waits for it any more.
    StillRunning {
        /// Its number.
        process: u32,
    },
}

/// What to do with a program that takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Wait for as long again.
    Wait,
    /// End it.
    Kill,
    /// Let it run and wait no more.
    Leave,
}

/// The machine.
pub trait Machine {
    /// The moment, as RFC 3339 in UTC. It is written down and never decides anything: clocks jump.
    fn now(&self) -> String;

    /// Milliseconds since some moment, which never go back.
    fn milliseconds(&self) -> u64;

    /// Name of this computer; empty when the system does not tell.
    fn computer(&self) -> String;

    /// Who runs this.
    fn user(&self) -> String;

    /// Whether this account may change the system.
    fn is_elevated(&self) -> bool;

    /// Whether paths such as `C:\X` are real here.
    fn is_windows(&self) -> bool;

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// Number of this process.
    fn process(&self) -> u32;

    /// Digest of the running program, when it can be read.
    fn program_digest(&self) -> Option<String>;

    /// Runs a program and gives its output, both streams in the order they were written, to `output`. `too_long` is asked
    /// each time the minutes of the call have passed, with how many passed so far.
    fn run(
        &self,
        call: &Call,
        output: &mut dyn FnMut(&[u8]),
        too_long: &mut dyn FnMut(u64) -> Patience,
    ) -> io::Result<Ended>;

    /// Asks the person at the terminal; `None` when there is nobody.
    fn ask(&self, question: &str) -> Option<String>;

    /// Asks the person at the terminal for a secret, without showing it; `None` when there is nobody.
    fn ask_secret(&self, name: &str) -> Option<Secret>;

    /// Prints a line of progress.
    fn say(&self, line: &str);
}
