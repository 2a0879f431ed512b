//! The bundles of the shipped inventories, built with the program and unpacked with `unzip`, once a run.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::program::{program, succeed};
use crate::harness::{Tree, Workspace, read_tree, root, write_tree};

/// One built inventory.
pub(crate) struct Built {
    /// The name of the inventory file, without `.yaml`.
    pub(crate) name: String,
    /// What reviewers read: UTF-8, LF.
    pub(crate) review: Tree,
    /// What engineers apply: the bytes of the archive.
    pub(crate) deployed: Tree,
    /// The archive.
    pub(crate) archive: Vec<u8>,
}

impl Built {
    /// The review text of a path.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        let bytes = self
            .review
            .get(path)
            .unwrap_or_else(|| panic!("{} has no {path}", self.name));
        String::from_utf8(bytes.clone()).expect("review texts are UTF-8")
    }

    /// Deployed files whose path ends so, sorted.
    pub(crate) fn ending(&self, ends: &str) -> Vec<(&str, &[u8])> {
        let files = self.deployed.iter().filter(|(path, _)| path.ends_with(ends));
        files
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .collect()
    }
}

/// A shipped inventory with single places changed, to reach what no shipped one shows.
struct Variant {
    name: &'static str,
    base: &'static str,
    edits: &'static [(&'static str, &'static str)],
}

const VARIANTS: &[Variant] = &[
    Variant {
        name: "prod-8443",
        base: "prod",
        edits: &[
            ("https_port: 443", "https_port: 8443\n  http_port: 8081"),
            // A first label of 63 characters, the most there can be.
            (
                "fqdn: callback.acme.example",
                "fqdn: callback-with-a-first-label-as-long-as-a-label-may-be-in-a-name.acme.example",
            ),
        ],
    },
    Variant {
        name: "lab-443",
        base: "lab",
        edits: &[
            ("https_port: 8080", "https_port: 443"),
            ("config_trailing_slash: false", "config_trailing_slash: true"),
        ],
    },
];

/// Every bundle by name: the shipped inventories, then the variants.
pub(crate) fn bundles() -> &'static BTreeMap<String, Built> {
    static BUILT: OnceLock<BTreeMap<String, Built>> = OnceLock::new();
    BUILT.get_or_init(build_all)
}

/// One bundle.
#[track_caller]
pub(crate) fn bundle(name: &str) -> &'static Built {
    bundles()
        .get(name)
        .unwrap_or_else(|| panic!("there is no inventory {name}"))
}

/// The shipped inventories only.
pub(crate) fn shipped() -> impl Iterator<Item = &'static Built> {
    bundles()
        .values()
        .filter(|built| VARIANTS.iter().all(|variant| variant.name != built.name))
}

fn build_all() -> BTreeMap<String, Built> {
    let sources = read_tree(&root().join("inventories"));
    let mut inventories: Vec<(String, String)> = Vec::new();
    for (path, bytes) in &sources {
        if let Some(name) = path.strip_suffix(".yaml").filter(|name| !name.contains('/')) {
            inventories.push((name.to_owned(), String::from_utf8(bytes.clone()).expect("UTF-8")));
        }
    }
    for Variant { name, base, edits } in VARIANTS {
        let mut text = String::from_utf8(sources[&format!("{base}.yaml")].clone()).expect("UTF-8");
        for (from, to) in *edits {
            assert_eq!(
                text.matches(from).count(),
                1,
                "{base}.yaml no longer has `{from}` once"
            );
            text = text.replace(from, to);
        }
        inventories.push(((*name).to_owned(), text));
    }
    let build = |(name, text): (String, String)| {
        let workspace = Workspace::new();
        write_tree(&workspace.folder().join("inventories"), &sources);
        workspace.write("inventories/this.yaml", &text);
        let ran = workspace.run(&["build", "inventories/this.yaml", "--message-format", "short"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        let out = read_tree(&workspace.folder().join("out"));
        let zip = out
            .keys()
            .find(|path| path.ends_with(".zip"))
            .expect("an archive")
            .clone();
        succeed(
            program("unzip")
                .args(["-q", &format!("out/{zip}"), "-d", "deployed"])
                .current_dir(workspace.folder()),
        );
        let review = out
            .iter()
            .filter_map(|(path, bytes)| Some((path.split_once('/')?.1.to_owned(), bytes.clone())));
        let built = Built {
            name: name.clone(),
            review: review.collect(),
            deployed: read_tree(&workspace.folder().join("deployed")),
            archive: out[&zip].clone(),
        };
        (name, built)
    };
    inventories.into_iter().map(build).collect()
}
