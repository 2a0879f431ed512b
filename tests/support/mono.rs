//! The .NET programs of the tests: Microsoft's library for XML transforms, as the package of `tests/node.txt` holds it,
//! and a small tool around it, compiled with Mono once a run.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::program::{finish, folder, program, succeed, write};
use crate::harness::{Ran, Tree, read_tree, root, write_tree};

/// The compiled files.
fn assemblies() -> &'static Tree {
    static MADE: OnceLock<Tree> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = folder();
        let library = root().join("target/node/ctt.exe");
        std::fs::copy(&library, folder.path().join("ctt.exe"))
            .unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", library.display()));
        succeed(
            program("mcs")
                .args([
                    "-out:tool.exe",
                    "-r:ctt.exe",
                    "-r:System.Configuration",
                    "-r:System.ServiceModel",
                    "-r:System.Xml",
                ])
                .arg(root().join("tests/fixtures/dotnet/Tool.cs"))
                .current_dir(folder.path()),
        );
        read_tree(folder.path())
    })
}

/// A folder with the tool, for files of one test.
pub(crate) struct Tool {
    folder: tempfile::TempDir,
}

impl Tool {
    /// The tool, with a configuration file of its own when one is given.
    pub(crate) fn new(configuration: Option<&str>) -> Self {
        let folder = folder();
        write_tree(folder.path(), assemblies());
        if let Some(text) = configuration {
            write(&folder.path().join("tool.exe.config"), text);
        }
        Self { folder }
    }

    /// Where files of the test go.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs one command of the tool.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        finish(&mut self.command(arguments))
    }

    /// One command of the tool, before it runs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut mono = program("mono");
        // Mono keeps files in the home folder of the user otherwise.
        mono.arg("tool.exe")
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("MONO_ENABLE_SHM", "0");
        mono
    }
}
