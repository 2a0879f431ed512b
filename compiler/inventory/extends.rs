//! Layers: a file, the files it extends, and the files those extend.
//!
//! Names are resolved as text only, inside the workspace: relative to the file that says them, forward slashes, never
//! above the folder the run started in. Each file is read once, however many others extend it. This module must not
//! know the schema.

use std::collections::BTreeMap;

use super::value::{Entry, Kind, Map, Node, merge};
use super::{Input, ReadInput, input, yaml};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{Sources, Span};

/// Most files of one inventory.
const MAX_FILES: usize = 64;

/// Longest chain of files that extend each other.
const MAX_CHAIN: usize = 16;

/// A file with everything it extends laid below it.
#[derive(Clone)]
struct Layer {
    root: Option<Node>,
    complete: bool,
}

/// The merged tree and what was read for it.
pub(super) struct Layers {
    /// The merged tree without `extends`; `None` when nothing usable was read.
    pub(super) root: Option<Node>,
    /// Whether every file was read to its end: only then a missing key is really missing.
    pub(super) complete: bool,
    /// Every file that was read, the named one first.
    pub(super) inputs: Vec<Input>,
}

/// Reads `name` and every file it extends.
pub(super) fn read(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &dyn ReadInput,
    name: &str,
) -> Layers {
    let mut reader = Reader {
        diagnostics,
        sources,
        files,
        inputs: Vec::new(),
        done: BTreeMap::new(),
        chain: Vec::new(),
        limit_reported: false,
    };
    let layer = reader.layer(&name.replace('\\', "/"), None);
    Layers {
        root: layer.root,
        complete: layer.complete,
        inputs: reader.inputs,
    }
}

struct Reader<'a> {
    diagnostics: &'a mut Diagnostics,
    sources: &'a mut Sources,
    files: &'a dyn ReadInput,
    inputs: Vec<Input>,
    done: BTreeMap<String, Layer>,
    chain: Vec<String>,
    limit_reported: bool,
}

const NOTHING: Layer = Layer {
    root: None,
    complete: false,
};

impl Reader<'_> {
    fn layer(&mut self, name: &str, origin: Option<Span>) -> Layer {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        if let Some(at) = self.chain.iter().position(|open| open == name) {
            let mut circle: Vec<&str> = self.chain.iter().skip(at).map(String::as_str).collect();
            circle.push(name);
            let finding = Diagnostic::new(codes::EXTENDS_CYCLE, format!("`{name}` extends itself"))
                .at_opt(origin)
                .note(format!("the circle is {}", circle.join(" -> ")))
                .help("remove one of these `extends`");
            self.diagnostics.push(finding);
            return NOTHING;
        }
        if self.chain.len() >= MAX_CHAIN || self.inputs.len() >= MAX_FILES {
            if !self.limit_reported {
                self.limit_reported = true;
                let finding = Diagnostic::new(
                    codes::EXTENDS_LIMIT,
                    format!("an inventory may have {MAX_FILES} files in chains of {MAX_CHAIN}"),
                )
                .at_opt(origin)
                .help("join some of the layers");
                self.diagnostics.push(finding);
            }
            return NOTHING;
        }
        self.chain.push(name.to_owned());
        let layer = self.read(name, origin);
        self.chain.pop();
        self.done.insert(name.to_owned(), layer.clone());
        layer
    }

    fn read(&mut self, name: &str, origin: Option<Span>) -> Layer {
        let before = self.diagnostics.count();
        let Some(text) = input::read(self.diagnostics, self.sources, self.files, name, origin) else {
            self.explain_chain(before);
            return NOTHING;
        };
        self.inputs.push(Input {
            name: name.to_owned(),
            bytes: text.bytes,
        });
        let Some(body) = text.body else {
            return NOTHING;
        };
        let parsed = yaml::parse(self.diagnostics, text.id, &body);
        let Some(root) = parsed.root else {
            if parsed.complete {
                self.diagnostics.push(
                    Diagnostic::new(codes::INPUT_EMPTY, format!("`{name}` holds only comments"))
                        .in_file(name)
                        .at_opt(origin)
                        .help("`cbgen init` writes a commented inventory to start from"),
                );
            }
            return NOTHING;
        };
        if root.entries().is_none() {
            if !matches!(root.target().kind, Kind::Refused) {
                self.diagnostics.push(
                    Diagnostic::new(codes::NOT_A_MAPPING, "an inventory file must be a mapping")
                        .at(root.span)
                        .note("its first line is usually `schema: cbgen/v1`")
                        .help("write `key: value` lines"),
                );
            }
            return NOTHING;
        }
        self.extend(name, &root, parsed.complete)
    }

    /// Lays the file over everything it extends.
    fn extend(&mut self, name: &str, root: &Node, complete: bool) -> Layer {
        let mut layer = Layer { root: None, complete };
        let own = without_extends(root);
        for (wanted, span) in self.wanted(root) {
            let below = match resolve(name, &wanted) {
                Ok(file) => self.layer(&file, Some(span)),
                Err(why) => {
                    self.diagnostics.push(
                        Diagnostic::new(
                            codes::EXTENDS_FORM,
                            format!("`extends` cannot read this file: {why}"),
                        )
                        .at(span)
                        .help("write the name relative to this file, for example `shared/base.yaml`"),
                    );
                    NOTHING
                }
            };
            layer.complete &= below.complete;
            layer.root = match (layer.root, below.root) {
                (Some(base), Some(over)) => Some(merge(&base, &over)),
                (base, over) => over.or(base),
            };
        }
        layer.root = Some(match layer.root {
            Some(base) => merge(&base, &own),
            None => own,
        });
        layer
    }

    /// The names in `extends`.
    fn wanted(&mut self, root: &Node) -> Vec<(String, Span)> {
        let Some(entry) = root.get("extends") else {
            return Vec::new();
        };
        let value = entry.value.target();
        let items = match &value.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Plain(_) | Kind::Text(_) | Kind::Map(_) | Kind::Shared(_) | Kind::Refused => {
                std::slice::from_ref(value)
            }
        };
        let mut wanted = Vec::new();
        for item in items {
            match item.text().filter(|text| !text.is_empty()) {
                Some(text) => wanted.push((text.to_owned(), item.target().span)),
                None if matches!(item.target().kind, Kind::Refused) => {}
                None => self.diagnostics.push(
                    Diagnostic::new(
                        codes::EXTENDS_FORM,
                        "`extends` must be a file name or a list of file names",
                    )
                    .at(if item.span.start == item.span.end {
                        entry.key_span
                    } else {
                        item.span
                    })
                    .help(
                        "write `extends: shared/base.yaml` or `extends: [shared/base.yaml, shared/sql.yaml]`",
                    ),
                ),
            }
        }
        wanted
    }

    /// Says how the run came to a file that cannot be read.
    fn explain_chain(&mut self, before: usize) {
        if self.chain.len() < 2 {
            return;
        }
        let chain = self.chain.join(" -> ");
        let all = std::mem::take(self.diagnostics);
        for (index, finding) in all.iter().cloned().enumerate() {
            self.diagnostics.push(if index >= before {
                finding.note(format!("it is wanted by {chain}"))
            } else {
                finding
            });
        }
    }
}

fn without_extends(root: &Node) -> Node {
    let entries: Vec<Entry> = root
        .entries()
        .unwrap_or_default()
        .iter()
        .filter(|entry| entry.key != "extends")
        .cloned()
        .collect();
    Node {
        span: root.span,
        kind: Kind::Map(Map::new(entries)),
    }
}

/// The workspace-relative name of `wanted`, said by `from`.
fn resolve(from: &str, wanted: &str) -> Result<String, &'static str> {
    if wanted.contains('\\') {
        return Err("its name holds `\\`; write `/` between folders");
    }
    if wanted.contains(':') {
        return Err("its name holds `:`; drives and addresses are not in the workspace");
    }
    if wanted.starts_with('/') || wanted.starts_with('~') {
        return Err("its name is absolute, and other machines have other folders");
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in wanted.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                None | Some(&("" | "..")) => {
                    return Err("`..` leads above the folder cbgen runs in");
                }
                Some(_) => {
                    parts.pop();
                }
            },
            _ => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, wanted: &str, expected: Option<&str>) {
        assert_eq!(
            resolve(from, wanted).ok().as_deref(),
            expected,
            "{from} + {wanted}"
        );
    }

    #[test]
    fn names_are_relative_to_the_file_that_says_them() {
        check(
            "inventories/prod.yaml",
            "shared/base.yaml",
            Some("inventories/shared/base.yaml"),
        );
        check(
            "inventories/shared/a.yaml",
            "../b.yaml",
            Some("inventories/b.yaml"),
        );
        check("a.yaml", "./b.yaml", Some("b.yaml"));
        check("/tmp/x/a.yaml", "../b.yaml", Some("/tmp/b.yaml"));
        check("../x/a.yaml", "../b.yaml", Some("../b.yaml"));
    }

    #[test]
    fn names_stay_in_the_workspace() {
        for outside in [
            "../b.yaml",
            "/etc/passwd",
            "C:/b.yaml",
            r"shared\b.yaml",
            "~/b.yaml",
            "x/../../b.yaml",
        ] {
            check("a.yaml", outside, None);
        }
        check("../a.yaml", "../b.yaml", None);
        check("/a.yaml", "../b.yaml", None);
    }
}
