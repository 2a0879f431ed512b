//! The programs of the server that a change runs, by their full paths.
//!
//! Nothing is looked for in the working folder. This file must not know what a program is run for.

use std::path::PathBuf;

use crate::codes;

use super::disk::{Disk, Found};
use super::machine::Machine;
use super::problem::Problem;
use super::server::Server;

/// Where the command line of SQL Server is installed, one folder for each version below.
const SQL_FOLDERS: &[&str] = &[
    r"C:\Program Files\Microsoft SQL Server\Client SDK\ODBC",
    r"C:\Program Files\Microsoft SQL Server",
    r"C:\Program Files (x86)\Microsoft SQL Server",
];

/// The full path of a program; `None` when it is not there.
pub fn find(server: &Server, disk: &dyn Disk, machine: &dyn Machine, name: &str) -> Option<PathBuf> {
    let is_there = |path: &PathBuf| matches!(disk.look(path), Ok(Some(Found::File(_))));
    let at = |windows: &str| server.at(disk, windows);
    if name != "sqlcmd.exe" {
        return Some(at(&server.system_tool(name))).filter(is_there);
    }
    if !server.is_copy() {
        let folders = machine.variable("PATH").unwrap_or_default();
        let mut absolute = folders
            .split(';')
            .filter(|folder| folder.get(1..3) == Some(":\\"));
        if let Some(found) =
            absolute.find_map(|folder| Some(at(&format!("{folder}\\{name}"))).filter(is_there))
        {
            return Some(found);
        }
    }
    SQL_FOLDERS.iter().find_map(|folder| {
        let versions = disk.names(&at(folder)).unwrap_or_default();
        let mut versions = versions.iter().rev();
        versions
            .find_map(|version| Some(at(&format!(r"{folder}\{version}\Tools\Binn\{name}"))).filter(is_there))
    })
}

/// That a program is not there.
pub fn missing(name: &str) -> Problem {
    let help = if name == "sqlcmd.exe" {
        "install the Microsoft command line utilities for SQL Server, or run these steps on a machine that has them"
    } else {
        "this is a program of Windows; is `SystemRoot` right, and is this a whole server?"
    };
    Problem::new(codes::TOOL_MISSING, format!("there is no `{name}`"), help)
}
