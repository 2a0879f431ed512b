//! `cbgen init`: a commented starter inventory and what a repository needs around it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::codes;
use crate::diag::Diagnostic;
use crate::files;
use crate::inventory::Schema as InventorySchema;

use super::args::Init;
use super::session::Session;

/// What `init` writes. A test compiles it, so that the first thing a new author builds works.
pub(super) const STARTER: &str = include_str!("init_starter.yaml");
/// The project file.
const PROJECT: &str = include_str!("init_project.yaml");

const ATTRIBUTES: &str = "\
# What cbgen writes is bytes, and a digest of each is in it: no checkout may change line ends.
/out/** -text linguist-generated
";

const IGNORE: &str = "\
# Archives are handed over, not committed; `cbgen build` makes the same bytes again.
/out/*.zip
/out/*.zip.sha256
";

/// Writes the starter below the folder and says what to do next. Never replaces a file: the inventory must be new, and of
/// the others those that are there stay.
pub(super) fn run(session: &mut Session, arguments: &Init) {
    let inventory = "inventories/example.yaml";
    let dir = &arguments.dir;
    if let Err(error) = write_new(dir, inventory, STARTER) {
        return session.report_alone(refused(&shown(dir, inventory), &error));
    }
    session.print(&format!("wrote {}\n", shown(dir, inventory)));
    let schema = |schema: serde_json::Value| format!("{schema:#}\n");
    let others = [
        ("cbgen.yaml", PROJECT.to_owned()),
        (".gitattributes", ATTRIBUTES.to_owned()),
        (".gitignore", IGNORE.to_owned()),
        ("schemas/inventory.schema.json", schema(InventorySchema::json())),
        ("schemas/layer.schema.json", schema(InventorySchema::layer())),
        ("schemas/project.schema.json", schema(InventorySchema::project())),
    ];
    for (name, text) in others {
        match write_new(dir, name, &text) {
            Ok(()) => session.print(&format!("wrote {}\n", shown(dir, name))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                session.print(&format!("kept {}{}\n", shown(dir, name), advice(name)));
            }
            Err(error) => session.report_alone(refused(&shown(dir, name), &error)),
        }
    }
    session.print(&next_steps(dir));
}

/// What a file that is there already should hold.
fn advice(name: &str) -> &'static str {
    match name {
        ".gitattributes" => {
            "; it needs the line `/out/** -text`, or a checkout on Windows changes what was built"
        }
        ".gitignore" => "; the line `/out/*.zip*` keeps archives out of commits",
        _ => "",
    }
}

fn shown(dir: &Path, name: &str) -> String {
    let path = dir.join(name);
    files::shown(path.strip_prefix(".").unwrap_or(&path))
}

#[expect(
    clippy::disallowed_methods,
    reason = "`create_new` never replaces a file, and a starter needs no atomic replacement"
)]
fn write_new(dir: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = dir.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
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

fn next_steps(dir: &Path) -> String {
    let enter = if dir == Path::new(".") {
        String::new()
    } else {
        format!("  cd {}\n", dir.display())
    };
    format!(
        "\nNext:\n{enter}  \
         edit inventories/example.yaml\n  \
         cbgen check\n  \
         cbgen build\n"
    )
}
