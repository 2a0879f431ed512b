//! Files that a tree was made from and that a run does not read: templates that were laid over it, or old layers.
//!
//! Without them nothing else that is said of the tree is certain. This file must not read anything.

use std::path::Path;

use crate::codes;
use crate::contract::manifest::Manifest;
use crate::diag::{Diagnostic, one_of};
use crate::templates::folder;

use super::folder::has_extension;
use super::workshop::shown;

/// Most names in one message.
const MOST_NAMES: usize = 3;

/// The inputs of a tree that a run does not read.
#[derive(Debug)]
pub(super) struct NotRead {
    tree: String,
    paths: Vec<String>,
}

impl NotRead {
    /// Those of the tree in a folder, by its manifest; `None` when all are read.
    pub(super) fn of(tree: &Path, manifest: &Manifest, is_read: &dyn Fn(&str) -> bool) -> Option<Self> {
        let paths: Vec<String> = manifest
            .inputs
            .iter()
            .map(|input| input.path.clone())
            .filter(|path| !is_read(path))
            .collect();
        (!paths.is_empty()).then(|| Self {
            tree: shown(tree),
            paths,
        })
    }

    /// Whether templates are among them; layers and inventories are YAML.
    pub(super) fn are_templates(&self) -> bool {
        self.paths.iter().any(|path| is_template(path))
    }

    /// What is said about them.
    pub(super) fn finding(&self) -> Diagnostic {
        let names = self.paths.iter().take(MOST_NAMES).map(String::as_str);
        let more = match self.paths.len().saturating_sub(MOST_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = one_of(names).replace("` or `", if more.is_empty() { "` and `" } else { "`, `" });
        let help = match (self.are_templates(), self.folder()) {
            (true, Some(folder)) => format!(
                "give the folder of the templates again with `--templates {folder}`, or write `templates: {folder}` into `cbgen.yaml`"
            ),
            (true, None) => "give the folder of the templates again with `--templates DIR`, or write `templates: DIR` into `cbgen.yaml`: DIR is \
                             the first part of these names"
                .to_owned(),
            (false, _) => "where these are layers that the inventory no longer extends, build anew".to_owned(),
        };
        Diagnostic::new(
            codes::MADE_WITH_OTHER_FILES,
            format!(
                "`{}` was made from files that are not read now: {names}{more}",
                self.tree
            ),
        )
        .in_file(self.tree.clone())
        .help(help)
    }

    /// The folder the templates lay in, where the names show it: in front of the path of a built-in template, or the only folder
    /// there is.
    fn folder(&self) -> Option<String> {
        let built_in = folder::built_in();
        let of_known = self.paths.iter().find_map(|path| {
            let known = built_in
                .iter()
                .find(|file| path.ends_with(&format!("/{}", file.path)))?;
            path.strip_suffix(&format!("/{}", known.path))
        });
        let of_one = || {
            let path = self.paths.iter().find(|path| is_template(path))?;
            let (folder, _) = path.rsplit_once('/')?;
            let parts = folder.split('/').filter(|part| *part != "..");
            (parts.count() == 1).then_some(folder)
        };
        of_known.or_else(of_one).map(str::to_owned)
    }
}

fn is_template(path: &str) -> bool {
    !has_extension(path, &["yaml", "yml", "exe"])
}
