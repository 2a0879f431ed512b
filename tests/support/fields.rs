//! Every text that a shipped inventory writes, one of each kind, and copies of the inventory with another value in one place.

use std::collections::BTreeMap;
use std::ops::Range;

use cbgen::diag::Diagnostics;
use cbgen::driver::{Compiler, Run};
use cbgen::files::DiskFiles;
use cbgen::inventory::ReadInput;
use cbgen::inventory::alternatives::{Origin, leaves};
use cbgen::source::Sources;

use crate::harness::{Workspace, read_tree, root};

/// The inventory with the most fields, as it is named below the folder of a copy.
pub(crate) const PLANT: &str = "inventories/plant.yaml";

struct Folder(BTreeMap<String, Vec<u8>>);

impl ReadInput for Folder {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

/// A field that holds a text.
pub(crate) struct Field {
    /// Its pointer without the numbers of items: one item stands for its siblings.
    pub(crate) name: String,
    file: String,
    range: Range<usize>,
}

/// The shipped inventories and the fields of [`PLANT`] and its layers.
pub(crate) struct Plant {
    files: BTreeMap<String, String>,
    pub(crate) fields: Vec<Field>,
}

impl Plant {
    pub(crate) fn new() -> Self {
        let tree = read_tree(&root().join("inventories"));
        let files: BTreeMap<String, Vec<u8>> = tree
            .into_iter()
            .map(|(name, bytes)| (format!("inventories/{name}"), bytes))
            .collect();
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let compiler =
            Compiler::new(&mut sources, &mut diagnostics, &DiskFiles::new(""), None).expect("templates");
        let mut run = Run {
            sources: &mut sources,
            diagnostics: &mut diagnostics,
            on_phase: &mut |_| (),
        };
        let loaded = compiler
            .load(&mut run, &Folder(files.clone()), PLANT)
            .expect("a good inventory");
        let mut fields: Vec<Field> = Vec::new();
        for leaf in leaves(compiler.schema(), &loaded) {
            let name: String = leaf
                .pointer
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect();
            let Origin::Written(span) = leaf.origin else {
                continue;
            };
            if leaf.value.is_string() && !fields.iter().any(|field| field.name == name) {
                let (file, _) = sources.locate(span).expect("a place");
                fields.push(Field {
                    name,
                    file: file.to_owned(),
                    range: span.range(),
                });
            }
        }
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let files = files.into_iter().map(|(name, bytes)| (name, text(bytes)));
        Self {
            files: files.collect(),
            fields,
        }
    }

    /// Writes a copy into the folder `case`, with `value` in single quotes in one field; gives the name of its inventory.
    pub(crate) fn write(&self, workspace: &Workspace, case: &str, field: &Field, value: &str) -> String {
        for (name, text) in &self.files {
            let mut text = text.clone();
            if *name == field.file {
                text.replace_range(field.range.clone(), &format!("'{value}'"));
            }
            workspace.write(&format!("{case}/{name}"), &text);
        }
        format!("{case}/{PLANT}")
    }
}
