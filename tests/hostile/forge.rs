//! Bundles that somebody changed and signed off again: every digest, the list and the id are those of what is in it. Holds no test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cbgen::contract::digest::{Digest, sums};
use cbgen::contract::manifest::{Manifest, id};
use cbgen::contract::path::BundlePath;
use cbgen::formats::encode::encode;

use crate::harness::{Ran, Tree, Workspace, read_tree, root, write_tree};

/// What is in a bundle, as its forger sees it.
pub(crate) struct Forged {
    /// Review texts by path.
    pub(crate) texts: BTreeMap<String, String>,
    /// The manifest.
    pub(crate) manifest: Manifest,
}

impl Forged {
    /// Replaces a text in a file once.
    #[track_caller]
    pub(crate) fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = self.texts.get_mut(path).expect("a file of the bundle");
        assert!(text.contains(from), "{path} holds no {from}");
        *text = text.replacen(from, to, 1);
    }

    /// Adds lines at the end of a file.
    pub(crate) fn append(&mut self, path: &str, more: &str) {
        self.texts
            .get_mut(path)
            .expect("a file of the bundle")
            .push_str(more);
    }

    /// Adds a line behind the heading of a chapter.
    pub(crate) fn in_chapter(&mut self, path: &str, chapter: &str, more: &str) {
        let heading = format!("\n## {chapter}\n");
        self.edit(path, &heading, &format!("{heading}\n{more}\n"));
    }
}

/// The trees of two shipped inventories, built once.
pub(crate) fn trees() -> &'static BTreeMap<&'static str, Tree> {
    static TREES: OnceLock<BTreeMap<&'static str, Tree>> = OnceLock::new();
    TREES.get_or_init(|| {
        let workspace = Workspace::new();
        write_tree(
            &workspace.folder().join("inventories"),
            &read_tree(&root().join("inventories")),
        );
        let built = workspace.run(&[
            "build",
            "inventories/lab.yaml",
            "inventories/plant.yaml",
            "-o",
            "out",
        ]);
        assert_eq!(built.code, 0, "{}", built.stderr);
        let out = workspace.folder().join("out");
        ["acme-lab", "acme-plant"]
            .into_iter()
            .map(|name| (name, read_tree(&out.join(name))))
            .collect()
    })
}

/// A workspace with `before`, the bundle as it was built, and `after`, the same after `change`.
pub(crate) struct Desk {
    pub(crate) workspace: Workspace,
}

impl Desk {
    pub(crate) fn new(name: &str, change: impl FnOnce(&mut Forged)) -> Self {
        let workspace = Workspace::new();
        let tree = &trees()[name];
        write_tree(&workspace.folder().join("before"), tree);
        write_tree(&workspace.folder().join("after"), tree);
        let desk = Self { workspace };
        desk.forge(change);
        desk
    }

    pub(crate) fn after(&self) -> PathBuf {
        self.workspace.folder().join("after")
    }

    /// Changes `after`, and makes everything in it fit again.
    fn forge(&self, change: impl FnOnce(&mut Forged)) {
        let tree = read_tree(&self.after());
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).expect("UTF-8");
        let mut forged = Forged {
            texts: tree
                .iter()
                .map(|(name, bytes)| (name.clone(), text(bytes)))
                .collect(),
            manifest: Manifest::read(&tree["manifest.json"]).expect("a manifest"),
        };
        change(&mut forged);
        let Forged { texts, mut manifest } = forged;
        for artifact in &mut manifest.artifacts {
            let text = &texts[artifact.path.as_str()];
            let deployed = encode(text, artifact.encoding, artifact.eol).expect("in the encoding");
            artifact.review_sha256 = Digest::of(text.as_bytes());
            artifact.sha256 = Digest::of(&deployed);
            artifact.size = u64::try_from(deployed.len()).expect("small");
            fs::write(self.after().join(artifact.path.as_str()), text).expect("writable");
        }
        manifest.bundle.id = id(&manifest.artifacts, manifest.tool.as_ref());
        self.write_manifest(&manifest);
    }

    /// Writes a manifest and the list that fits it.
    pub(crate) fn write_manifest(&self, manifest: &Manifest) {
        write_manifest(&self.after(), manifest);
    }

    /// `cbgen diff before after` in every format; the last is the one for terminals.
    pub(crate) fn diff(&self) -> Ran {
        let mut last = None;
        for format in ["json", "html", "markdown", "text"] {
            let ran = self
                .workspace
                .run(&["diff", "before", "after", "--format", format, "--color", "never"]);
            assert!(
                !ran.stdout.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
                "{format}"
            );
            last = Some(ran);
        }
        last.expect("there are formats")
    }

    /// The difference must be shown: these words, and the status of a difference.
    #[track_caller]
    pub(crate) fn shows(&self, words: &[&str]) {
        for format in ["json", "html", "markdown", "text"] {
            let ran = self
                .workspace
                .run(&["diff", "before", "after", "--format", format, "--color", "never"]);
            assert_eq!(ran.code, 1, "{format}: {}{}", ran.stdout, ran.stderr);
            for word in words {
                assert!(
                    ran.stdout.contains(word),
                    "{format} hides `{word}`: {}\n{}",
                    ran.stdout,
                    ran.stderr
                );
            }
        }
    }

    /// The same as a warning about a file.
    #[track_caller]
    pub(crate) fn warns(&self, words: &[&str]) {
        let ran = self
            .workspace
            .run(&["diff", "before", "after", "--message-format", "short"]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        for word in words {
            assert!(
                ran.stderr.contains(word) && ran.stdout.contains(word),
                "`{word}`: {}\n{}",
                ran.stdout,
                ran.stderr
            );
        }
        assert!(ran.stderr.contains("[CB0905]"), "{}", ran.stderr);
    }
}

/// Writes a manifest into a tree, and the list that fits it.
fn write_manifest(folder: &Path, manifest: &Manifest) {
    let text = manifest.to_text();
    let own = BundlePath::parse("manifest.json").expect("a path");
    let mut digests: BTreeMap<BundlePath, Digest> = manifest
        .artifacts
        .iter()
        .map(|artifact| (artifact.path.clone(), artifact.sha256))
        .collect();
    digests.insert(own, Digest::of(text.as_bytes()));
    let list = sums(digests.iter().map(|(path, digest)| (path, *digest)));
    fs::write(folder.join("manifest.json"), text).expect("writable");
    fs::write(folder.join("SHA256SUMS"), list).expect("writable");
}

/// Adds so many texts of one word to a tree.
pub(crate) fn with_many(folder: &Path, count: usize, word: &str) {
    let bytes = fs::read(folder.join("manifest.json")).expect("a manifest");
    let mut manifest = Manifest::read(&bytes).expect("a manifest");
    let text = format!("{word}\n");
    let (encoding, eol) = cbgen::formats::encode::deployed_form(cbgen::formats::Format::Text);
    let deployed = encode(&text, encoding, eol).expect("plain");
    let script = manifest
        .artifacts
        .iter()
        .find(|artifact| artifact.server.is_some());
    let like = script.expect("a file of a server").clone();
    let many = (0..count).map(|number| {
        let path = format!("servers/LAB01/many{:03}/{number:06}.txt", number / 1000);
        let mut artifact = like.clone();
        artifact.path = BundlePath::parse(&path).expect("a path");
        artifact.title = format!("Text {number}");
        artifact.format = cbgen::formats::Format::Text;
        artifact.effect = cbgen::contract::artifact::Effect::Read;
        artifact.rollback = cbgen::contract::artifact::Rollback::Nothing;
        artifact.target = None;
        (artifact.encoding, artifact.eol) = (encoding, eol);
        artifact.size = u64::try_from(deployed.len()).expect("small");
        (artifact.sha256, artifact.review_sha256) = (Digest::of(&deployed), Digest::of(text.as_bytes()));
        artifact
    });
    manifest.artifacts.extend(many);
    manifest
        .artifacts
        .sort_by(|left, right| left.path.cmp(&right.path));
    let files = (0..count).map(|number| format!("servers/LAB01/many{:03}/{number:06}.txt", number / 1000));
    write_tree(
        folder,
        &files.map(|path| (path, text.clone().into_bytes())).collect(),
    );
    manifest.bundle.id = id(&manifest.artifacts, manifest.tool.as_ref());
    write_manifest(folder, &manifest);
}
