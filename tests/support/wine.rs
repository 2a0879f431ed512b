//! A Windows registry and command interpreter of its own: a Wine prefix in a temporary folder, shared by a run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::program::{finish, program, remove_after_exit, succeed};
use crate::harness::Ran;

/// Where Debian's package `wine64` has its programs.
const PROGRAMS: &str = "/usr/lib/wine";

/// How a Wine server is ended whose prefix is `prefix` in the folder `$1`. Both commands leave temporary files, which go
/// with the folder.
pub(crate) const END_SERVER: &str = "export TMPDIR=\"$1\" WINEPREFIX=\"$1/prefix\"; /usr/lib/wine/wineserver64 --kill; timeout 9 /usr/lib/wine/wineserver64 --wait";

/// Wine without a random layout of its memory. Debian's has no preloader, so now and then something else lies where
/// Windows shares its clock with every process (one start in a thousand), and the script finds a program "not recognized".
pub(crate) fn unshuffled(wine: &str) -> Command {
    let mut command = program("setarch");
    command.args(["--addr-no-randomize", wine]);
    command
}

/// A prefix. Its server ends and its folder goes when the tests end.
pub(crate) struct Wine {
    folder: PathBuf,
}

static SHARED: LazyLock<Mutex<Wine>> = LazyLock::new(|| {
    let folder = tempfile::Builder::new()
        .prefix("cbgen-wine")
        .tempdir()
        .expect("a temporary folder")
        .keep();
    remove_after_exit(&folder, END_SERVER);
    let wine = Wine { folder };
    succeed(wine.command().args(["wineboot", "--init"]));
    Mutex::new(wine)
});

/// The prefix, for one test at a time.
pub(crate) fn wine() -> MutexGuard<'static, Wine> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wine {
    /// The folder Windows sees as `C:\`.
    pub(crate) fn drive(&self) -> PathBuf {
        self.folder.join("prefix/drive_c")
    }

    /// A command that runs a Windows program; its name is the first argument.
    pub(crate) fn command(&self) -> Command {
        let mut command = unshuffled(&format!("{PROGRAMS}/wine64"));
        command
            .env("WINEPREFIX", self.folder.join("prefix"))
            .env("WINEDEBUG", "-all")
            .env("WINEDLLOVERRIDES", "mscoree=;mshtml=;winemenubuilder.exe=")
            .env("HOME", &self.folder)
            // A server that is killed leaves its temporary files.
            .env("TMPDIR", &self.folder)
            .env_remove("DISPLAY");
        command
    }

    /// Runs a Windows program in a folder.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        finish(self.command().args(arguments).current_dir(folder))
    }
}
