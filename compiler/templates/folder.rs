//! Files of templates: the built-in ones, and a folder laid over them.
//!
//! This file must not know what a template says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::files::{EntryKind, Files};
use crate::source::plain_text;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Largest template file.
const MAX_TEMPLATE_BYTES: u64 = 1 << 20;

/// A template file as it was found.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    /// Path below the templates folder, with forward slashes.
    pub path: String,
    /// Name for diagnostics: the path below the workspace.
    pub name: String,
    /// Content.
    pub text: String,
    /// Whether it is part of this program, so that its tests have judged the text.
    pub is_built_in: bool,
}

/// The built-in template files.
pub fn built_in() -> Vec<TemplateFile> {
    fn collect(folder: &Dir<'_>, found: &mut Vec<TemplateFile>) {
        for file in folder.files() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            let text = file.contents_utf8().expect("a template that is built in is text");
            found.push(TemplateFile {
                name: format!("templates/{path}"),
                path,
                text: plain_text(text).into_owned(),
                is_built_in: true,
            });
        }
        for inner in folder.dirs() {
            collect(inner, found);
        }
    }
    let mut found = Vec::new();
    collect(&BUILT_IN, &mut found);
    found
}

/// Lays `over` on `base`: same path replaces, other paths add.
pub fn overlay(base: Vec<TemplateFile>, over: Vec<TemplateFile>) -> Vec<TemplateFile> {
    let mut by_path: BTreeMap<String, TemplateFile> = BTreeMap::new();
    for file in base.into_iter().chain(over) {
        by_path.insert(file.path.clone(), file);
    }
    by_path.into_values().collect()
}

/// Why a link among templates is refused: followed, it could bring any file of the machine into a finding or a bundle;
/// passed over, its template would be missing without a word.
const LINK: &str = "it is a symbolic link; put the file or folder itself there";

/// Whether a name is one that people and their programs keep beside templates: hidden names (`.git` of a checkout or a
/// submodule among them), what editors leave, and a page about the folder.
fn is_of_others(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| part.starts_with('.'))
        || name.ends_with('~')
        || name.eq_ignore_ascii_case("README.md")
}

/// The folder of templates as a manifest names it: as it was given. Of an absolute path, which belongs to one machine, the last
/// name stays.
pub fn recorded_folder(folder: &Path) -> String {
    let is_absolute = |part: &Component<'_>| matches!(part, Component::RootDir | Component::Prefix(_));
    let named: Vec<_> = folder
        .components()
        .filter(|part| !is_absolute(part) && *part != Component::CurDir)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let kept = if folder.components().any(|part| is_absolute(&part)) {
        named.len().saturating_sub(1)
    } else {
        0
    };
    match named.get(kept..) {
        Some(kept) if !kept.is_empty() => kept.join("/"),
        _ => "templates".to_owned(),
    }
}

/// What was read of a folder.
#[derive(Debug)]
pub struct Found {
    /// The templates.
    pub files: Vec<TemplateFile>,
    /// Whether something could not be read, so that templates are missing.
    pub refused: Option<Reported>,
}

/// Reads every file of a templates folder but what people keep beside them; what is no file or folder is an error, for a template must not be missing
/// without a word.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn read(diagnostics: &mut Diagnostics, files: &dyn Files, folder: &Path) -> Result<Found, Reported> {
    let shown = folder.to_string_lossy().replace('\\', "/");
    let mut refuse = |name: &str, why: String| {
        diagnostics.error(
            Diagnostic::new(codes::UNREADABLE_FILE, format!("`{name}` cannot be read: {why}"))
                .in_file(name)
                .help("check the folder given with `--templates`, or as `templates` in cbgen.yaml"),
        )
    };
    // Without a slash at its end, which would follow a link.
    let folder: PathBuf = folder.components().collect();
    let folder = folder.as_path();
    match files.kind(folder) {
        Ok(None) => return Err(refuse(&shown, "there is no such folder".into())),
        // What cannot be looked at fails in the listing below, in the words of the system.
        Ok(Some(EntryKind::Folder)) | Err(_) => {}
        Ok(Some(EntryKind::Link)) => return Err(refuse(&shown, LINK.into())),
        Ok(Some(EntryKind::File | EntryKind::Other)) => return Err(refuse(&shown, "it is no folder".into())),
    }
    let entries = files
        .list(folder)
        .map_err(|error| refuse(&shown, error.to_string()))?;
    let mut found = Vec::new();
    let mut refused = None;
    for entry in entries {
        let path = entry.path.to_string_lossy().replace('\\', "/");
        if is_of_others(&path) {
            continue;
        }
        let name = format!("{shown}/{path}");
        match entry.kind {
            EntryKind::File => {}
            EntryKind::Folder => continue,
            EntryKind::Link => {
                refused = Some(refuse(&name, LINK.into()));
                continue;
            }
            EntryKind::Other => {
                refused = Some(refuse(&name, "it is no regular file".into()));
                continue;
            }
        }
        let text = files
            .read(&folder.join(&entry.path), MAX_TEMPLATE_BYTES)
            .and_then(|bytes| {
                String::from_utf8(bytes)
                    .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
            });
        match text {
            Ok(text) => found.push(TemplateFile {
                path,
                name,
                text: plain_text(&text).into_owned(),
                is_built_in: false,
            }),
            Err(error) => refused = Some(refuse(&name, error.to_string())),
        }
    }
    Ok(Found {
        files: found,
        refused,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::files::MemoryFiles;

    /// What a run does not judge again, and what would be found if a run had to.
    #[test]
    fn the_templates_of_the_program_have_no_finding() {
        let judged = |change: fn(&mut TemplateFile)| {
            let mut files = built_in();
            for file in &mut files {
                change(file);
                file.is_built_in = false;
            }
            let mut diagnostics = Diagnostics::new();
            let (sources, _) = super::super::load(&mut diagnostics, files, crate::catalogue::catalogue());
            let found = diagnostics.sorted(&sources);
            found
                .iter()
                .map(|finding| finding.code.id())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(judged(|_| {}), BTreeSet::new());
        let secret = |file: &mut TemplateFile| {
            file.text
                .push_str("\npassword: Xk9#mQ2vLp7w\n{{ nobody_knows }}\n");
        };
        assert_eq!(judged(secret), BTreeSet::from(["CB0503", "CB0509"]));
    }

    #[test]
    fn what_people_keep_beside_templates_is_passed_over() {
        let files = MemoryFiles::default();
        for name in [
            "over/.git",
            "over/.gitattributes",
            "over/.git/config",
            "over/nginx/.nginx.conf.swp",
            "over/nginx/nginx.conf~",
            "over/README.md",
            "over/nginx/readme.md",
            "over/nginx/nginx.conf",
            "over/notes.txt",
        ] {
            // A file cannot be a folder too: a submodule has `.git` as a file, a checkout as a folder.
            drop(files.write(Path::new(name), b"\xEF\xBB\xBFa\r\nb\n"));
        }
        let found = read(&mut Diagnostics::new(), &files, Path::new("over")).unwrap();
        assert_eq!(found.refused, None);
        let found = found.files;
        let names: Vec<&str> = found.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["nginx/nginx.conf", "notes.txt"]);
        assert_eq!(found[0].text, "a\nb\n");
    }

    #[test]
    fn a_folder_is_recorded_as_it_was_given() {
        for (given, expected) in [
            ("over", "over"),
            ("./company/templates/", "company/templates"),
            ("/srv/company/over", "over"),
            ("../common/over", "../common/over"),
            ("./.././over", "../over"),
            (".", "templates"),
        ] {
            assert_eq!(recorded_folder(Path::new(given)), expected, "{given}");
        }
    }
}
