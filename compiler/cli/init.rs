//! `cbgen init`: a commented starter inventory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::codes;
use crate::diag::Diagnostic;

use super::args::Init;
use super::session::Session;

/// What `init` writes. A test compiles it, so that the first thing a new author builds works.
pub(super) const STARTER: &str = include_str!("init_starter.yaml");

/// Writes `inventories/example.yaml` below the folder and says what to do next. Never replaces a file.
pub(super) fn run(session: &mut Session, arguments: &Init) {
    let folder = arguments.dir.join("inventories");
    let path = folder.join("example.yaml");
    let shown = path
        .strip_prefix(".")
        .unwrap_or(&path)
        .to_string_lossy()
        .replace('\\', "/");
    match write_new(&folder, &path) {
        Ok(()) => session.print(&next_steps(&shown, &arguments.dir)),
        Err(error) => session.report_alone(refused(&shown, &error)),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "`create_new` never replaces a file, and a starter needs no atomic replacement"
)]
fn write_new(folder: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = File::create_new(path)?;
    file.write_all(STARTER.as_bytes())?;
    file.sync_all()
}

fn refused(shown: &str, error: &io::Error) -> Diagnostic {
    if error.kind() == io::ErrorKind::AlreadyExists {
        Diagnostic::new(codes::FILE_EXISTS, format!("`{shown}` exists already"))
            .in_file(shown)
            .help("name another folder, for example `cbgen init new`, or move the file away")
    } else {
        Diagnostic::new(codes::OUTPUT_FAILED, format!("`{shown}` could not be written"))
            .in_file(shown)
            .note(error.to_string())
    }
}

fn next_steps(shown: &str, dir: &Path) -> String {
    let enter = if dir == Path::new(".") {
        String::new()
    } else {
        format!("  cd {}\n", dir.display())
    };
    format!(
        "wrote {shown}\n\n\
         Next:\n{enter}  \
         edit inventories/example.yaml\n  \
         cbgen check inventories/example.yaml\n  \
         cbgen build inventories/example.yaml\n"
    )
}
