//! The project file, and what it says where the command line says nothing.
//!
//! After [`fill`] no command needs to know whether there is a project file.

use std::path::{Path, PathBuf};

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::files::{DiskFiles, EntryKind, Files};
use crate::inventory;
use crate::inventory::project::{self, Project};
use crate::inventory::workspace::{STANDARD_INPUT, Workspace};
use crate::source::Sources;

use super::args::{Command, Deny};
use super::arguments::files_of;
use super::exit::Exit;
use super::folder::has_extension;
use super::session::Session;
use super::workshop::{plain, shown, unreadable};

/// Where bundles go when nobody says it.
const OUTPUT: &str = "out";

/// Fills in what the command line left open. `None` when the project file is wrong or no inventory is named; that is
/// reported then.
pub(super) fn fill(session: &mut Session, command: &mut Command) -> Option<()> {
    let options = match command {
        Command::Build(build) => Some(&mut build.templates),
        Command::Check(check) => Some(&mut check.templates),
        Command::Diff(diff) => Some(&mut diff.templates),
        Command::Why(why) => Some(&mut why.templates),
        Command::Coverage(coverage) => Some(&mut coverage.templates),
        Command::Show(_) => None,
        // These have nothing to do with a project.
        Command::Edit(_)
        | Command::Verify(_)
        | Command::Sign(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Rollback(_)
        | Command::Status(_)
        | Command::Explain(_)
        | Command::Schema(_)
        | Command::Init(_)
        | Command::Completions(_) => return Some(()),
    };
    let files = DiskFiles::new("");
    let project = read(session, &files)?;
    if let Some(project::Deny::Warnings) = project.deny {
        session.deny(Deny::Warnings);
    }
    if let Some(options) = options
        && options.templates.is_none()
    {
        options.templates = project.templates.as_deref().map(PathBuf::from);
    }
    if let Command::Build(build) = command {
        let of_project = project.output.as_deref().unwrap_or(OUTPUT);
        build.output.get_or_insert_with(|| of_project.into());
        build.inventories = inventories(session, &files, &build.inventories, &project)?;
    } else if let Command::Check(check) = command {
        check.inventories = inventories(session, &files, &check.inventories, &project)?;
    }
    Some(())
}

fn read(session: &mut Session, files: &DiskFiles) -> Option<Project> {
    // What is there and cannot be looked at is reported by reading it.
    if matches!(files.kind(Path::new(project::FILE)), Ok(None)) {
        return Some(Project::default());
    }
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let project = inventory::read_project(&mut diagnostics, &mut sources, &Workspace::new(Path::new("")));
    session.report(project::FILE, &sources, &diagnostics);
    if project.is_none() {
        session.raise(Exit::Findings);
    }
    project
}

/// The inventories a command compiles: what it names, else what the project names. A folder stands for the inventories
/// directly in it. A file that is named in two ways, or that a link leads to, is compiled once.
fn inventories(
    session: &mut Session,
    files: &DiskFiles,
    given: &[PathBuf],
    project: &Project,
) -> Option<Vec<PathBuf>> {
    let of_project: Vec<PathBuf> = project.inventories.iter().map(PathBuf::from).collect();
    let (named, place) = if given.is_empty() {
        (of_project.as_slice(), project::FILE)
    } else {
        (given, "the command line")
    };
    if named.is_empty() {
        session.report_alone(
            Diagnostic::new(codes::NO_INVENTORY_NAMED, "no inventory is named")
                .note(format!("there is no `{}` with `inventories` in this folder", project::FILE))
                .help("name a file or a folder, for example `cbgen build inventories`; `cbgen init` writes both"),
        );
        return None;
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let project_file = given.is_empty().then_some(project::FILE);
    let named = files_of(session, files, named, project_file);
    let mut failed = named.is_empty();
    let mut is_absent = false;
    for path in &named {
        // What the command line names and is not there is reported by reading it.
        if let Some(project_file) = project_file
            && matches!(files.kind(path), Ok(None))
        {
            is_absent = true;
            let text = format!("`inventories` names `{}`, which is not there", shown(path));
            session.report_alone(
                Diagnostic::new(codes::UNREADABLE_FILE, text)
                    .in_file(project_file)
                    .help("correct the name; it is relative to the folder of cbgen.yaml"),
            );
            continue;
        }
        let is_folder =
            path.as_os_str() != STANDARD_INPUT && matches!(files.kind(path), Ok(Some(EntryKind::Folder)));
        let of_it = if is_folder {
            in_folder(files, path)
        } else {
            Ok(vec![path.clone()])
        };
        match of_it {
            Ok(of_it) if of_it.is_empty() => {
                failed = true;
                session.report_alone(
                    Diagnostic::new(
                        codes::NO_INVENTORY_NAMED,
                        format!("the folder `{}` holds no inventory", shown(path)),
                    )
                    .in_file(shown(path))
                    .note(format!("it is named in {place}"))
                    .note("a YAML file with `bundle` or `servers` of its own is an inventory; others are layers")
                    .help("name the folder in which the inventories lie directly"),
                );
            }
            Ok(of_it) => found.extend(of_it),
            Err(error) => {
                failed = true;
                session.report_alone(unreadable(&shown(path), &error));
            }
        }
    }
    let mut seen: Vec<PathBuf> = Vec::new();
    found.retain(|path| {
        // What is not there is reported by reading it.
        let place = if path.as_os_str() == STANDARD_INPUT {
            path.clone()
        } else {
            files.place(path).unwrap_or_else(|_| plain(path))
        };
        let is_new = !seen.contains(&place);
        if is_new {
            seen.push(place);
        }
        is_new
    });
    (!(failed || is_absent && found.is_empty())).then_some(found)
}

/// The inventories directly in a folder, in order of names.
fn in_folder(files: &dyn Files, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = files.children(folder)?;
    let of_yaml = entries
        .into_iter()
        .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Link))
        .map(|entry| folder.join(entry.path))
        .filter(|path| has_extension(&shown(path), &["yaml", "yml"]))
        .collect();
    Ok(super::folder::inventories(files, of_yaml))
}
