//! The server a change is for: its name, and where its paths lead.
//!
//! With a root, `C:\X` is `ROOT/C/X`: a copy of a server, or a test. Windows finds names in any case of letters, and a copy
//! is read the same way. No path is followed through a link or junction, because what stands behind one may change between
//! two looks. This file must not know steps.

use std::io;
use std::path::PathBuf;

use crate::formats::Cut as _;

use super::disk::{Disk, Found};

/// Where the paths of a server lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Name of the server in the bundle, or `deployment` for what is done once.
    pub place: String,
    /// The copy, when it is one.
    root: Option<PathBuf>,
    /// `C:\ProgramData` and `C:\Windows`, as this machine calls them.
    program_data: String,
    system_root: String,
}

/// Longest path Windows' own tools open.
const LONGEST: usize = 259;
/// What a path needs to spare for the names beside it.
const SPARE: usize = 24;

impl Server {
    /// A server. `program_data` and `system_root` are where this machine has them; `None` for the usual places.
    pub fn new(
        place: impl Into<String>,
        root: Option<PathBuf>,
        program_data: Option<String>,
        system_root: Option<String>,
    ) -> Self {
        let or = |value: Option<String>, usual: &str| {
            // A copy has its folders where they usually are, whatever the machine it lies on calls its own.
            let value = value.filter(|value| root.is_none() && is_drive_path(value));
            value.unwrap_or_else(|| usual.to_owned())
        };
        Self {
            program_data: or(program_data, r"C:\ProgramData"),
            system_root: or(system_root, r"C:\Windows"),
            place: place.into(),
            root,
        }
    }

    /// Whether this is a copy below a folder.
    pub fn is_copy(&self) -> bool {
        self.root.is_some()
    }

    /// The folder below which cbgen keeps what it knows of this server.
    pub fn program_data(&self) -> String {
        format!(r"{}\cbgen", self.program_data)
    }

    /// A tool of Windows, by its full path.
    pub fn system_tool(&self, name: &str) -> String {
        format!(r"{}\System32\{name}", self.system_root)
    }

    /// Where a Windows path leads on this machine; the letters of a name that is there in another case are its own.
    pub fn at(&self, disk: &dyn Disk, windows: &str) -> PathBuf {
        let Some(root) = &self.root else {
            return PathBuf::from(windows);
        };
        let steps = || {
            let steps = windows.split(['\\', '/']).map(|step| step.trim_end_matches(':'));
            steps.filter(|step| !step.is_empty())
        };
        let exact = steps().fold(root.clone(), |at, step| at.join(step));
        // The usual case: the name is there as it is written.
        if matches!(disk.look(&exact), Ok(Some(_))) {
            return exact;
        }
        let mut at = root.clone();
        for step in steps() {
            let exact = at.join(step);
            at = match disk.look(&exact) {
                Ok(None) => {
                    let names = disk.names(&at).unwrap_or_default();
                    let same = names.iter().find(|name| name.eq_ignore_ascii_case(step));
                    same.map_or(exact, |name| at.join(name))
                }
                Ok(Some(_)) | Err(_) => exact,
            };
        }
        at
    }

    /// Refuses a link or junction on the way to a path, and gives which. Only the folders below the drive are looked at.
    pub fn link_on_the_way(&self, disk: &dyn Disk, windows: &str) -> io::Result<Option<String>> {
        let steps: Vec<&str> = windows.split('\\').collect();
        for count in 2..steps.len() {
            let folder = steps.cut(..count).join("\\");
            if disk.look(&self.at(disk, &folder))? == Some(Found::Link) {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }
}

/// Whether a text is a path on a drive, `C:\…`, without `..`, names of streams and what Windows refuses in names.
pub fn is_drive_path(text: &str) -> bool {
    let behind_drive = text.strip_prefix(|letter: char| letter.is_ascii_alphabetic());
    let Some(below) = behind_drive.and_then(|rest| rest.strip_prefix(r":\")) else {
        return false;
    };
    // `.` and `..` end in a dot.
    below.split('\\').all(|step| {
        !step.is_empty()
            && !step.ends_with(['.', ' '])
            && !step
                .chars()
                .any(|letter| letter.is_control() || r#"/:*?"<>|"#.contains(letter))
    })
}

/// Whether a path is too long for Windows, with the names cbgen needs beside it.
pub fn is_too_long(windows: &str) -> bool {
    windows.encode_utf16().count() + SPARE > LONGEST
}

/// The folder of a Windows path.
pub fn folder_of(windows: &str) -> &str {
    windows.rsplit_once('\\').map_or(windows, |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_on_a_drive_are_taken() {
        for good in [r"C:\a", r"D:\Program Files (x86)\a.config"] {
            assert!(is_drive_path(good), "{good}");
        }
        for bad in [
            "",
            "C:",
            r"C:a",
            r"\\server\share\a",
            r"C:\a\..\b",
            r"C:\a:b",
            r"C:\\a",
            r"C:\a.",
            "C:/a",
            r"C:\a*",
        ] {
            assert!(!is_drive_path(bad), "{bad}");
        }
    }

    #[test]
    fn long_paths_are_found_before_windows_finds_them() {
        assert!(!is_too_long(&format!(r"C:\{}", "a".repeat(200))));
        assert!(is_too_long(&format!(r"C:\{}", "a".repeat(240))));
    }
}
