//! What every command that compiles needs: the compiler, the files of the workspace, and a way to report.

use std::path::{Component, Path, PathBuf};

use crate::diag::{Diagnostics, Reported};
use crate::driver::{Compiler, Run};
use crate::files::DiskFiles;
use crate::inventory::workspace::Workspace;
use crate::source::Sources;

use super::exit::Exit;
use super::session::Session;

/// The compiler and the files of one run.
pub(super) struct Workshop {
    pub(super) compiler: Compiler,
    pub(super) workspace: Workspace,
    pub(super) files: DiskFiles,
}

impl Workshop {
    /// Compiles the templates; their mistakes are printed once and end the run.
    pub(super) fn open(session: &mut Session, overlay: Option<&Path>) -> Option<Self> {
        let files = DiskFiles::new("");
        let mut sources = Sources::new();
        let mut diagnostics = Diagnostics::new();
        let compiler = Compiler::new(&mut sources, &mut diagnostics, &files, overlay);
        let subject = overlay.map_or_else(|| "the built-in templates".to_owned(), shown);
        session.report(&subject, &sources, &diagnostics);
        let Ok(compiler) = compiler else {
            session.raise(Exit::Findings);
            return None;
        };
        Some(Self {
            compiler,
            workspace: Workspace::new(Path::new("")),
            files,
        })
    }

    /// Runs `work` on one subject, prints its findings, and gives its result.
    pub(super) fn with_run<T>(
        &self,
        session: &mut Session,
        subject: &Path,
        work: impl FnOnce(&Self, &mut Run<'_>) -> Result<T, Reported>,
    ) -> Option<T> {
        let mut sources = self.compiler.sources();
        let mut diagnostics = Diagnostics::new();
        let mut run = Run {
            sources: &mut sources,
            diagnostics: &mut diagnostics,
            on_phase: &mut |_| (),
        };
        let result = work(self, &mut run);
        session.report(&shown(subject), &sources, &diagnostics);
        if result.is_err() {
            session.raise(Exit::Findings);
        }
        result.ok()
    }
}

/// A path as messages show it.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// A path without `.` and doubled separators, which name nothing.
pub(super) fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}
