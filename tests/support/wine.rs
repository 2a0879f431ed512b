//! A Windows registry and command interpreter of its own: a Wine prefix in a temporary folder.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::program::{finish, limited, program, remove_after_exit, succeed};
use crate::harness::Ran;

/// Where Debian's package `wine64` has its programs.
const PROGRAMS: &str = "/usr/lib/wine";

/// How a Wine server is ended whose prefix is `prefix` in the folder `$1`. Both commands leave temporary files, which go
/// with the folder.
const END_SERVER: &str = "export TMPDIR=\"$1\" WINEPREFIX=\"$1/prefix\"; /usr/lib/wine/wineserver64 --kill; timeout 9 /usr/lib/wine/wineserver64 --wait";

/// Wine without a random layout of its memory. Debian's has no preloader, so now and then something else lies where
/// Windows shares its clock with every process (one start in a thousand), and the script finds a program "not recognized".
fn unshuffled(mut setarch: Command) -> Command {
    setarch
        .arg("--addr-no-randomize")
        .arg(format!("{PROGRAMS}/wine64"));
    setarch
}

/// Seconds for a program of many tests: Wine's server sees every one of their small files.
const PATIENT: &str = "900";

/// A prefix. Its server ends and its folder goes when the tests end.
pub(crate) struct Wine {
    folder: PathBuf,
    /// A program that waits for its input to end, which it does with the tests. Without any program Wine's server ends,
    /// and the next program starts Windows again: that takes half a second, goes on in the background (so that the
    /// registry still changes under a test), and a server that is just ending refuses programs.
    _holder: Child,
}

impl Wine {
    /// A new prefix in a temporary folder whose name begins with `name`.
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix(name)
            .tempdir()
            .expect("a temporary folder")
            .keep();
        remove_after_exit(&folder, END_SERVER);
        succeed(Self::prepare(unshuffled(program("setarch")), &folder).args(["wineboot", "--init"]));
        // What starts with it keeps its outputs open, and would keep those of a program whose end a test waits for.
        let mut holder = Self::prepare(unshuffled(Command::new("setarch")), &folder)
            .args(["cmd", "/d", "/c", "echo held& more"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`setarch` of util-linux");
        let mut said = String::new();
        BufReader::new(holder.stdout.as_mut().expect("a pipe"))
            .read_line(&mut said)
            .expect("it speaks");
        assert_eq!(said.trim(), "held");
        Self {
            folder,
            _holder: holder,
        }
    }

    /// A folder that goes when the tests end; the prefix lies in it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder Windows sees as `C:\`.
    pub(crate) fn drive(&self) -> PathBuf {
        self.folder.join("prefix/drive_c")
    }

    /// A command that runs a Windows program; its name is the first argument.
    pub(crate) fn command(&self) -> Command {
        Self::prepare(unshuffled(program("setarch")), &self.folder)
    }

    /// The same for a program of many tests.
    pub(crate) fn patient_command(&self) -> Command {
        Self::prepare(unshuffled(limited("setarch", PATIENT)), &self.folder)
    }

    fn prepare(mut command: Command, folder: &Path) -> Command {
        command
            .env("WINEPREFIX", folder.join("prefix"))
            .env("WINEDEBUG", "-all")
            .env("WINEDLLOVERRIDES", "mscoree=;mshtml=;winemenubuilder.exe=")
            .env("HOME", folder)
            // A server that is killed leaves its temporary files.
            .env("TMPDIR", folder)
            .env_remove("DISPLAY");
        command
    }

    /// Runs a Windows program in a folder.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        finish(self.command().args(arguments).current_dir(folder))
    }
}
