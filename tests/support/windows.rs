//! The Windows program: built once by `kit/windows-build`, run in the Wine prefix that all tests share.
//!
//! `tests/run` starts the build before the tests, so that it goes on beside them; whoever needs the program first waits
//! for it here.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::program::succeed;
use super::wine::Wine;
use crate::harness::{Ran, root};

/// Seconds the build may take: on two busy cores it was seen to take a quarter of an hour.
const BUILD_LIMIT: &str = "3000";

static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=3", BUILD_LIMIT])
        .arg(root().join("kit/windows-build"))
        .arg("--tests")
        // What Cargo tells its own tests must not reach another Cargo.
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            !name.starts_with("CARGO") && !name.starts_with("RUST") || name == "CARGO_HOME"
        }))
        .current_dir(root())
        .stdin(Stdio::null());
    let output: Output = command.output().expect("`timeout` of coreutils");
    assert!(
        output.status.success(),
        "kit/windows-build failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    root().join("target/windows")
});

static WINE: LazyLock<Mutex<Wine>> = LazyLock::new(|| Mutex::new(Wine::new("cbgen-wine")));

/// Makes a Windows program of a file in `tests/stubs`.
pub(crate) fn compile(source: &str, program: &Path) {
    succeed(
        super::program::program("x86_64-w64-mingw32-gcc")
            .args(["-municode", "-O2", "-s", "-o"])
            .arg(program)
            .arg(root().join("tests/stubs").join(source)),
    );
}

/// Makes `hold.exe` in a folder: it takes a file so that nobody else may open it.
pub(crate) fn make_holder(folder: &Path) -> PathBuf {
    let program = folder.join("hold.exe");
    compile("hold.c", &program);
    program
}

/// The Windows program in Wine.
pub(crate) struct Windows {
    wine: MutexGuard<'static, Wine>,
}

/// The program and the prefix, for one test at a time.
pub(crate) fn windows() -> Windows {
    LazyLock::force(&BUILT);
    let wine = WINE.lock().unwrap_or_else(PoisonError::into_inner);
    let library = wine.drive().join("windows/system32/bcryptprimitives.dll");
    if !library.exists() {
        succeed(
            super::program::program("x86_64-w64-mingw32-gcc")
                .args(["-shared", "-O2", "-s", "-o"])
                .arg(&library)
                .arg(root().join("tests/stubs/prng.c"))
                .arg("-ladvapi32"),
        );
    }
    Windows { wine }
}

impl Windows {
    /// `cbgen.exe`.
    pub(crate) fn program() -> PathBuf {
        BUILT.join("cbgen.exe")
    }

    /// The unit tests of a crate as a program.
    pub(crate) fn unit_tests(name: &str) -> PathBuf {
        BUILT.join("tests").join(format!("{name}.exe"))
    }

    /// A command that runs a Windows program in a folder.
    pub(crate) fn command(&self, folder: &Path, program: &Path) -> Command {
        let mut command = self.wine.command();
        command.arg(program).current_dir(folder);
        command
    }

    /// A command that runs a program of many tests in a folder.
    pub(crate) fn tests(&self, folder: &Path, program: &Path) -> Command {
        let mut command = self.wine.patient_command();
        command.arg(program).current_dir(folder);
        command
    }

    /// Runs `cbgen.exe` in a folder.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        let ran = super::program::finish(self.command(folder, &Self::program()).args(arguments));
        assert!(!ran.stderr.contains("panicked at"), "{}", ran.stderr);
        ran
    }

    /// The folder Windows sees as `C:\`.
    pub(crate) fn drive(&self) -> PathBuf {
        self.wine.drive()
    }

    /// A program that has opened a file so that nobody else may, until its standard input ends.
    pub(crate) fn hold(&self, folder: &Path, file: &Path) -> Child {
        let program = make_holder(folder);
        let mut command = self.command(folder, &program);
        let mut child = command
            .arg(format!("Z:{}", file.display()).replace('/', r"\"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("wine starts");
        let mut said = String::new();
        let output = child.stdout.as_mut().expect("a pipe");
        BufReader::new(output).read_line(&mut said).expect("it speaks");
        assert_eq!(said.trim(), "held");
        child
    }

    /// Runs a line of cmd.exe in a folder.
    pub(crate) fn cmd(&self, folder: &Path, line: &str) -> Ran {
        self.wine.run(folder, &["cmd", "/c", line])
    }
}
