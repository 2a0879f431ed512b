//! What every command that compiles needs: the compiler, the files of the workspace, and a way to report.

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::driver::{Compiler, Run};
use crate::files::DiskFiles;
pub(super) use crate::files::shown;
use crate::inventory::MAX_INPUT_BYTES;
use crate::inventory::workspace::{STANDARD_INPUT, Workspace};
use crate::report::Counts;
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
        Self::open_for(session, overlay, &[]).ok()
    }

    /// The same, for these inventories: one of them may be standard input. When templates have mistakes, the error says how
    /// many findings each inventory has beside them.
    pub(super) fn open_for(
        session: &mut Session,
        overlay: Option<&Path>,
        inventories: &[PathBuf],
    ) -> Result<Self, Vec<(String, Counts)>> {
        let files = DiskFiles::new("");
        let mut sources = Sources::new();
        let mut diagnostics = Diagnostics::new();
        let compiler = Compiler::of_what_is_sound(&mut sources, &mut diagnostics, &files, overlay);
        let compiler = compiler.map(|compiler| compiler.on_day(super::clock::today()));
        let subject = overlay.map_or_else(|| "the built-in templates".to_owned(), shown);
        session.report(&subject, &sources, &diagnostics);
        let workspace = Workspace::new(Path::new(""))
            .with_standard_input(standard_input(session, inventories).ok_or_else(Vec::new)?);
        let compiler = match compiler {
            Ok(compiler) if !compiler.has_failed() => compiler,
            failed => {
                session.raise(Exit::Findings);
                let compiler = failed.ok();
                let found = inventories.iter().map(|inventory| {
                    let name = shown(inventory);
                    let counts = check_without_result(session, compiler.as_ref(), &workspace, &name);
                    (name, counts)
                });
                return Err(found.collect());
            }
        };
        Ok(Self {
            compiler,
            workspace,
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
        let (result, sources, diagnostics) = in_run(self.compiler.sources(), |run| work(self, run));
        session.report(&shown(subject), &sources, &diagnostics);
        if result.is_err() {
            session.raise(Exit::Findings);
        }
        result.ok()
    }
}

/// Does some work in a run of its own, and gives what it made, the texts and the findings.
pub(super) fn in_run<T>(
    mut sources: Sources,
    work: impl FnOnce(&mut Run<'_>) -> T,
) -> (T, Sources, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let made = work(&mut Run {
        sources: &mut sources,
        diagnostics: &mut diagnostics,
        on_phase: &mut |_| (),
    });
    (made, sources, diagnostics)
}

/// The finding for a file that cannot be read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    let message = format!("`{name}` cannot be read: {error}");
    Diagnostic::new(codes::UNREADABLE_FILE, message).in_file(name)
}

/// Says what is wrong with an inventory, and with the templates that are left, when others have mistakes already.
fn check_without_result(
    session: &mut Session,
    compiler: Option<&Compiler>,
    workspace: &Workspace,
    inventory: &str,
) -> Counts {
    let sources = compiler.map(Compiler::sources).unwrap_or_default();
    let ((), sources, diagnostics) = in_run(sources, |run| match compiler {
        // It fails, and what it says is in the findings.
        Some(compiler) => drop(compiler.compile(run, workspace, inventory)),
        None => Compiler::check_without_templates(run, workspace, inventory),
    });
    session.report(inventory, &sources, &diagnostics)
}

/// What stands on standard input, when it is one of the inventories: at most one byte more than an inventory may have.
#[expect(clippy::option_option, reason = "failed, not wanted, read")]
fn standard_input(session: &mut Session, inventories: &[PathBuf]) -> Option<Option<Vec<u8>>> {
    if !inventories.iter().any(|path| path.as_os_str() == STANDARD_INPUT) {
        return Some(None);
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_INPUT_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    match io::stdin().lock().take(most).read_to_end(&mut bytes) {
        Ok(_) => Some(Some(bytes)),
        Err(error) => {
            let text = format!("standard input cannot be read: {error}");
            session.report_alone(Diagnostic::new(codes::UNREADABLE_FILE, text).in_file(STANDARD_INPUT));
            None
        }
    }
}

/// A path without `.` and doubled separators, which name nothing.
pub(super) fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}
