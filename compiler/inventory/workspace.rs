//! The folder inventories are read from: which files of it may be read, and what an input is called in a manifest.
//!
//! This file must not know what the files hold.

use std::io;
use std::path::{Component, Path, PathBuf};

use cbgen_formats::Cut as _;

use super::{MAX_INPUT_BYTES, OutsideWorkspace, ReadInput};
use crate::files::{DiskFiles, EntryKind, Files as _};

/// Reads files of a workspace; names with forward slashes, relative to its root.
#[derive(Clone, Debug)]
pub struct Workspace {
    files: DiskFiles,
    standard_input: Option<Vec<u8>>,
}

/// The name of standard input among the files of a workspace.
pub const STANDARD_INPUT: &str = "-";

impl Workspace {
    /// The workspace at a folder of the disk.
    pub fn new(root: &Path) -> Self {
        Self {
            files: DiskFiles::new(root),
            standard_input: None,
        }
    }

    /// The workspace with what was read from standard input, as the file `-`.
    #[must_use]
    pub fn with_standard_input(mut self, bytes: Option<Vec<u8>>) -> Self {
        self.standard_input = bytes;
        self
    }
}

impl ReadInput for Workspace {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.read_within(path, path, MOST_BYTES)
    }

    fn read_layer(&self, path: &str, main: &str) -> io::Result<Vec<u8>> {
        self.read_within(path, main, MOST_BYTES)
    }

    fn read_program(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.read_within(path, path, limit)
    }

    fn folder(&self) -> String {
        // Without it names stay as they were typed, which only the folder a manifest names its inputs from can show.
        self.files.folder().unwrap_or_default()
    }
}

/// Most bytes of an inventory file.
const MOST_BYTES: u64 = MAX_INPUT_BYTES as u64;

impl Workspace {
    /// The content of a file that `main` asks for, directly or by way of others.
    fn read_within(&self, path: &str, main: &str, limit: u64) -> io::Result<Vec<u8>> {
        if path == STANDARD_INPUT
            && let Some(bytes) = &self.standard_input
        {
            return Ok(bytes.clone());
        }
        let path = Path::new(path);
        if self.files.kind(path)? == Some(EntryKind::Folder) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if self.files.leaves(path, &self.boundary(Path::new(main))?)? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, OutsideWorkspace));
        }
        self.files.read(path, limit)
    }

    /// The folder that no link and no `..` on the way to a layer of the inventory `path` may leave: a change of a repository
    /// may add both, and findings print lines of what is read. That is the workspace for a name below it, and for another name the repository
    /// that holds it, or its folder where there is none.
    fn boundary(&self, path: &Path) -> io::Result<PathBuf> {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if path.components().all(inside) {
            return Ok(PathBuf::from("."));
        }
        let folders = path.ancestors().skip(1);
        for folder in folders.take_while(|folder| !folder.as_os_str().is_empty()) {
            if self.files.kind(&folder.join(".git"))?.is_some() {
                return Ok(folder.to_owned());
            }
        }
        Ok(path.parent().unwrap_or(path).to_owned())
    }
}

/// The name of an input in a manifest: from the last folder called `inventories` on, else relative to the folder of the
/// inventory. It must not depend on where cbgen was started.
pub fn recorded_name(workspace: &str, main: &str, name: &str) -> String {
    let absolute = |name: &str| {
        if workspace.is_empty() || name.starts_with('/') {
            normal(name)
        } else {
            normal(&format!("{workspace}/{name}"))
        }
    };
    let (main, name) = (&*absolute(main), &*absolute(name));
    if let Some(at) = name
        .rfind("inventories/")
        .filter(|&at| at == 0 || name.get(..at).is_some_and(|head| head.ends_with('/')))
    {
        return name.get(at..).unwrap_or(name).to_owned();
    }
    let folder = main.rfind('/').map_or("", |at| main.cut(..=at));
    match name.strip_prefix(folder) {
        Some(rest) => rest.to_owned(),
        None => name.rsplit('/').next().unwrap_or(name).to_owned(),
    }
}

/// A name without `.`, doubled slashes and `..` behind a folder: other spellings of a place must not change a byte.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let root = if name.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_names_do_not_depend_on_the_working_folder() {
        let check = |main: &str, name: &str| recorded_name("", main, name);
        assert_eq!(
            check("inventories/prod.yaml", "inventories/shared/base.yaml"),
            "inventories/shared/base.yaml"
        );
        assert_eq!(
            check("/a/b/inventories/prod.yaml", "/a/b/inventories/prod.yaml"),
            "inventories/prod.yaml"
        );
        assert_eq!(check("x/prod.yaml", "x/layers/base.yaml"), "layers/base.yaml");
        for spelling in [
            "./inventories/../inventories/./prod.yaml",
            "inventories//prod.yaml",
        ] {
            assert_eq!(check(spelling, spelling), "inventories/prod.yaml");
        }
        assert_eq!(
            check("myinventories/prod.yaml", "myinventories/prod.yaml"),
            "prod.yaml"
        );
        for (folder, name) in [
            ("/a/b", "inventories/x/prod.yaml"),
            ("/a/b/inventories", "x/prod.yaml"),
            ("/a/b/inventories/x", "prod.yaml"),
            ("/a/b/c", "../inventories/x/prod.yaml"),
        ] {
            assert_eq!(recorded_name(folder, name, name), "inventories/x/prod.yaml");
        }
    }
}
