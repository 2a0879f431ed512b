//! Layers: a file, the files it extends, and the files those extend.
//!
//! Names are resolved as text only, inside the workspace: relative to the file that says them, forward slashes, never
//! above the folder the run started in. Each file is read once, however many others extend it. This module must not
//! know the schema.

use std::collections::BTreeMap;

use super::plain::{Plain, classify};
use super::segments;
use super::value::{Node, ValueKind, merge};
use super::{Input, ReadInput, input, yaml};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{Sources, Span};

/// Most files of one inventory.
const MAX_FILES: usize = 64;

/// Longest chain of files that extend each other.
const MAX_CHAIN: usize = 16;

/// Most bytes of all files together: four of the largest.
const MAX_BYTES: usize = 4 * super::MAX_INPUT_BYTES;

/// The merged tree and what was read for it.
pub(super) struct Layers {
    /// The merged tree without `extends`; `None` when nothing usable was read.
    pub(super) root: Option<Node>,
    /// Whether every file was read to its end: only then a missing key is really missing.
    pub(super) complete: bool,
    /// Every file that was read, the named one first.
    pub(super) inputs: Vec<Input>,
    /// What each file says itself, lowest first.
    pub(super) own: Vec<Layer>,
}

/// What one file says itself.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) root: Node,
}

/// Reads `name` and every file it extends.
pub(super) fn read(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &dyn ReadInput,
    name: &str,
) -> Layers {
    let main = name.replace('\\', "/");
    let mut reader = Reader {
        main: &main,
        diagnostics,
        sources,
        files,
        inputs: Vec::new(),
        done: BTreeMap::new(),
        stack: Vec::new(),
        chain: Vec::new(),
        limit_reported: false,
        bytes: 0,
        nodes: 0,
    };
    let complete = reader.layer(&main, None);
    let layers = std::mem::take(&mut reader.stack);
    let mut roots = layers.iter().map(|layer| &layer.root);
    let first = roots.next().cloned();
    Layers {
        root: first.map(|first| roots.fold(first, |base, over| merge(&base, over))),
        complete,
        inputs: reader.inputs,
        own: layers,
    }
}

struct Reader<'a> {
    /// The inventory everything is read for.
    main: &'a str,
    diagnostics: &'a mut Diagnostics,
    sources: &'a mut Sources,
    files: &'a dyn ReadInput,
    inputs: Vec<Input>,
    /// Files that were read, and whether that was to their end and to the end of everything they extend.
    done: BTreeMap<String, bool>,
    /// What each file says itself, lowest layer first. A file that several others extend lies where it is met first:
    /// laid down again for the second of them it would take back what the first one set.
    stack: Vec<Layer>,
    chain: Vec<String>,
    limit_reported: bool,
    /// Bytes and values of all files so far, aliases expanded.
    bytes: usize,
    nodes: u64,
}

impl Reader<'_> {
    /// Puts a file on the stack, above everything it extends; whether all of it was read to the end.
    fn layer(&mut self, name: &str, origin: Option<Span>) -> bool {
        if let Some(&complete) = self.done.get(name) {
            return complete;
        }
        if let Some(at) = self.chain.iter().position(|open| open == name) {
            let mut circle: Vec<&str> = self.chain.iter().skip(at).map(String::as_str).collect();
            circle.push(name);
            let finding = Diagnostic::new(codes::EXTENDS_CYCLE, format!("`{name}` extends itself"))
                .at_opt(origin)
                .note(format!("the circle is {}", circle.join(" -> ")))
                .help("remove one of these `extends`");
            self.diagnostics.push(finding);
            return false;
        }
        if self.chain.len() >= MAX_CHAIN || self.inputs.len() >= MAX_FILES {
            return self.over(
                origin,
                format!("an inventory may have {MAX_FILES} files in chains of {MAX_CHAIN}"),
            );
        }
        self.chain.push(name.to_owned());
        let complete = self.read(name, origin);
        self.chain.pop();
        self.done.insert(name.to_owned(), complete);
        complete
    }

    fn read(&mut self, name: &str, origin: Option<Span>) -> bool {
        let before = self.diagnostics.count();
        let Some(text) = input::read(
            self.diagnostics,
            self.sources,
            self.files,
            name,
            self.main,
            origin,
        ) else {
            self.explain_chain(before);
            return false;
        };
        self.inputs.push(Input {
            name: name.to_owned(),
            text: text.body.clone().unwrap_or_default(),
        });
        let Some(body) = text.body else {
            return false;
        };
        self.bytes += body.len();
        if self.bytes > MAX_BYTES {
            let most = MAX_BYTES >> 20;
            return self.over(
                origin,
                format!("the files of an inventory may have {most} MiB together"),
            );
        }
        let parsed = segments::parse(
            self.diagnostics,
            text.id,
            &body,
            &text.removed,
            super::explain::INVENTORY,
        );
        self.nodes = self.nodes.saturating_add(parsed.nodes);
        if self.nodes > yaml::MAX_NODES {
            let most = yaml::MAX_NODES;
            return self.over(
                origin,
                format!("the files of an inventory may have {most} values together, aliases expanded"),
            );
        }
        let Some(root) = parsed.root else {
            if parsed.complete {
                self.diagnostics.push(
                    Diagnostic::new(codes::INPUT_EMPTY, format!("`{name}` holds only comments"))
                        .in_file(name)
                        .at_opt(origin)
                        .help("`cbgen init` writes a commented inventory to start from"),
                );
            }
            return false;
        };
        if root.entries().is_none() {
            // After a syntax error the rest of the text would have been a mapping.
            if parsed.complete && !matches!(root.target().kind, ValueKind::Refused) {
                let help = if matches!(root.target().kind, ValueKind::Plain(_)) {
                    "write `key: value` lines, with a colon and a blank behind each key; a section is its key and a \
                     colon, `bundle:`"
                } else {
                    "write `key: value` lines"
                };
                self.diagnostics.push(
                    Diagnostic::new(codes::NOT_A_MAPPING, "an inventory file must be a mapping")
                        .at(root.span)
                        .note("its first line is usually `schema: cbgen/v1`")
                        .help(help),
                );
            }
            return false;
        }
        self.extend(name, &root, parsed.complete)
    }

    /// Reports, once, that there is more than is read.
    fn over(&mut self, origin: Option<Span>, message: String) -> bool {
        if !self.limit_reported {
            self.limit_reported = true;
            let finding = Diagnostic::new(codes::EXTENDS_LIMIT, message)
                .at_opt(origin)
                .help("join some of the layers, or split the installation");
            self.diagnostics.push(finding);
        }
        false
    }

    /// Lays the file over everything it extends.
    fn extend(&mut self, name: &str, root: &Node, mut complete: bool) -> bool {
        let mut named: BTreeMap<String, Span> = BTreeMap::new();
        for (wanted, span) in self.wanted(root) {
            complete &= match resolve(name, &wanted) {
                Ok(file) => {
                    if let Some(first) = named.get(&file) {
                        self.diagnostics.push(
                            Diagnostic::new(codes::REPEATED_ITEM, format!("`extends` names `{file}` twice"))
                                .at(span)
                                .related(*first, "first named here")
                                .note("a file is laid down once, where it is met first")
                                .help("remove one of the two, or write the other file that was meant"),
                        );
                        continue;
                    }
                    named.insert(file.clone(), span);
                    self.layer(&file, Some(span))
                }
                Err(why) => {
                    self.diagnostics.push(
                        Diagnostic::new(
                            codes::EXTENDS_FORM,
                            format!("`extends` cannot read this file: {why}"),
                        )
                        .at(span)
                        .help("write the name relative to this file, for example `shared/base.yaml`"),
                    );
                    false
                }
            };
        }
        self.stack.push(Layer {
            name: name.to_owned(),
            root: without_extends(root),
        });
        complete
    }

    /// The names in `extends`.
    fn wanted(&mut self, root: &Node) -> Vec<(String, Span)> {
        let Some(entry) = root.get("extends") else {
            return Vec::new();
        };
        let value = entry.value.target();
        let items = value.items().unwrap_or(std::slice::from_ref(value));
        let mut wanted = Vec::new();
        if items.is_empty() {
            self.names_nothing("names no file", entry.value.span);
        }
        for item in items {
            let found = match &item.target().kind {
                ValueKind::Refused => continue,
                ValueKind::Text(text) if !text.is_empty() => {
                    wanted.push((text.clone(), item.target().span));
                    continue;
                }
                ValueKind::Plain(text) => match classify(text) {
                    Plain::Word => {
                        wanted.push((text.clone(), item.target().span));
                        continue;
                    }
                    Plain::Empty => "names no file".to_owned(),
                    Plain::Null => format!("names no file: `{text}` is nothing to YAML"),
                    Plain::Bool(_) => format!("names no file: `{text}` is true or false to YAML"),
                    Plain::Integer(_) | Plain::Fraction(_) => {
                        format!("names no file: `{text}` is a number to YAML")
                    }
                    Plain::Trap(why) => format!("names no file: `{text}` {why}"),
                },
                ValueKind::Text(_) | ValueKind::List(_) | ValueKind::Map(_) | ValueKind::Shared(_) => {
                    "must be a file name or a list of file names".to_owned()
                }
            };
            let is_there = item.span.start != item.span.end;
            self.names_nothing(&found, if is_there { item.span } else { entry.key_span });
        }
        wanted
    }

    /// Reports what `extends` has in the place of a file name.
    fn names_nothing(&mut self, found: &str, place: Span) {
        let finding = Diagnostic::new(codes::EXTENDS_FORM, format!("`extends` {found}"))
            .at(place)
            .help(
                "write `extends: shared/base.yaml` or `extends: [shared/base.yaml, shared/sql.yaml]`; remove the key where \
                 there is nothing to extend",
            );
        self.diagnostics.push(finding);
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
    let entries = root.entries().into_iter().flatten();
    let kept = entries.filter(|entry| entry.key != "extends");
    Node::mapping(root.span, kept.cloned().collect())
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
    // Findings print lines of a layer; what is no YAML file is none, and its lines are nobody's business.
    let name = wanted.rsplit_once('/').map_or(wanted, |(_, name)| name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_yaml = ["yaml", "yml"]
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known));
    if !matches!(name, "" | "." | "..") && !is_yaml {
        return Err("it is no YAML file: the name of a layer ends with `.yaml` or `.yml`");
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
