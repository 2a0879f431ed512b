//! Bundles whose files, list or manifest are tampered with, as archives and as folders.

use cbgen::contract::digest::Digest;
use cbgen::files::MemoryFiles;

use super::lies::{Around, archive};
use super::{Corpus, lies_of};
use crate::harness::Tree;

/// `SHA256SUMS` for these files.
fn listed(tree: &mut Tree) {
    let mut list = String::new();
    for (name, content) in tree.iter().filter(|(name, _)| !name.starts_with("SHA256SUMS")) {
        list.push_str(&format!("{}  {name}\n", Digest::of(content)));
    }
    tree.insert("SHA256SUMS".into(), list.into_bytes());
}

pub(super) fn contents(corpus: &mut Corpus, deployed: &Tree, review: &Tree) {
    let changed = |change: &dyn Fn(&mut Tree)| {
        let mut tree = deployed.clone();
        change(&mut tree);
        tree
    };
    let text = |tree: &Tree, name: &str| String::from_utf8(tree[name].clone()).expect("a text");
    let replaced = |name: &str, from: &str, to: &str| {
        changed(&|tree| {
            let old = text(tree, name);
            assert!(old.contains(from), "{name} holds {from:?}");
            tree.insert(name.to_owned(), old.replacen(from, to, 1).into_bytes());
        })
    };
    let conf = deployed
        .keys()
        .find(|name| name.ends_with("nginx.conf"))
        .expect("a proxy")
        .clone();
    let reg = deployed
        .keys()
        .find(|name| name.ends_with(".reg"))
        .expect("a registry file")
        .clone();

    for form in ["archive", "folder"] {
        let mut expect = |case: &str, tree: &Tree, code: &str, words: &str| {
            let case = format!("{case}, {form}");
            if form == "archive" {
                corpus.archive(&case, archive(&lies_of(tree), &Around::default()), code, words);
            } else {
                corpus.folder(&case, tree, code, words);
            }
        };
        expect(
            "a file is missing",
            &changed(&|tree| drop(tree.remove(&conf))),
            "CB1112",
            "nginx.conf` is missing",
        );
        expect(
            "the manifest is missing",
            &changed(&|tree| drop(tree.remove("manifest.json"))),
            "CB1112",
            "`manifest.json` is missing",
        );
        expect(
            "the list is missing",
            &changed(&|tree| drop(tree.remove("SHA256SUMS"))),
            "CB1111",
            "is missing",
        );
        expect(
            "a file more",
            &changed(&|tree| drop(tree.insert("start.cmd".into(), b"x".to_vec()))),
            "CB1113",
            "`start.cmd` is not part",
        );
        expect(
            "a file of the system",
            &changed(&|tree| drop(tree.insert("__MACOSX/x".into(), b"x".to_vec()))),
            "CB1113",
            "__MACOSX",
        );
        expect(
            "one byte changed",
            &changed(&|tree| tree.get_mut(&conf).expect("it")[0] ^= 1),
            "CB1114",
            "nginx.conf` was changed",
        );
        expect(
            "one byte more",
            &changed(&|tree| tree.get_mut(&conf).expect("it").push(b'\n')),
            "CB1114",
            "nginx.conf` was changed",
        );
        expect(
            "much more",
            &changed(&|tree| {
                tree.get_mut(&conf)
                    .expect("it")
                    .extend(std::iter::repeat_n(b' ', 1_000_000));
            }),
            "CB1114",
            "nginx.conf` was changed",
        );
        expect(
            "emptied",
            &changed(&|tree| tree.get_mut(&conf).expect("it").clear()),
            "CB1114",
            "nginx.conf` was changed",
        );
        expect(
            "two files exchanged",
            &changed(&|tree| {
                let (left, right) = (tree["verify.cmd"].clone(), tree["verify.ps1"].clone());
                tree.insert("verify.cmd".into(), right);
                tree.insert("verify.ps1".into(), left);
            }),
            "CB1114",
            "verify.cmd` was changed",
        );
        expect(
            "the manifest changed",
            &replaced("manifest.json", "\"title\"", "\"title\" "),
            "CB1114",
            "manifest.json` was changed",
        );
        expect(
            "a review text in an archive",
            &changed(&|tree| drop(tree.insert(reg.clone(), review[&reg].clone()))),
            "CB1114",
            ".reg` was changed",
        );
        expect(
            "a line of the list twice",
            &changed(&|tree| {
                let list = text(tree, "SHA256SUMS");
                let line = list.lines().next().expect("a line").to_owned();
                tree.insert("SHA256SUMS".into(), format!("{list}{line}\n").into_bytes());
            }),
            "CB1111",
            "names already",
        );
        expect(
            "a line of the list gone",
            &changed(&|tree| {
                let list = text(tree, "SHA256SUMS");
                let rest = list.split_once('\n').expect("lines").1.to_owned();
                tree.insert("SHA256SUMS".into(), rest.into_bytes());
            }),
            "CB1115",
            "`SHA256SUMS` does not",
        );
        expect(
            "the list names itself",
            &changed(&|tree| {
                let list = text(tree, "SHA256SUMS") + &format!("{}  SHA256SUMS\n", Digest::of(b""));
                tree.insert("SHA256SUMS".into(), list.into_bytes());
            }),
            "CB1111",
            "no list can hold",
        );
        expect(
            "the list names a path outside",
            &changed(&|tree| {
                let list = text(tree, "SHA256SUMS") + &format!("{}  ../../x\n", Digest::of(b""));
                tree.insert("SHA256SUMS".into(), list.into_bytes());
            }),
            "CB1111",
            "no safe path",
        );
        expect(
            "the list with CR LF",
            &changed(&|tree| {
                let list = text(tree, "SHA256SUMS").replace('\n', "\r\n");
                tree.insert("SHA256SUMS".into(), list.into_bytes());
            }),
            "CB1111",
            "CR LF",
        );
        expect(
            "the list without its last line feed",
            &changed(&|tree| assert!(tree.get_mut("SHA256SUMS").expect("it").pop().is_some())),
            "CB1111",
            "cut short",
        );
        expect(
            "an empty list",
            &changed(&|tree| tree.get_mut("SHA256SUMS").expect("it").clear()),
            "CB1111",
            "empty",
        );
        expect(
            "the list in another form",
            &replaced("SHA256SUMS", "  ", " *"),
            "CB1111",
            "not a digest",
        );
        expect(
            "file and list changed together",
            &changed(&|tree| {
                tree.get_mut(&conf).expect("it").push(b'\n');
                listed(tree);
            }),
            "CB1115",
            "different digests",
        );
        expect(
            "a file more in the list too",
            &changed(&|tree| {
                tree.insert("start.cmd".into(), b"x".to_vec());
                listed(tree);
            }),
            "CB1115",
            "`manifest.json` does not",
        );
        expect(
            "an artifact taken out of the manifest",
            &changed(&|tree| {
                let mut manifest: serde_json::Value =
                    serde_json::from_slice(&tree["manifest.json"]).expect("JSON");
                manifest["artifacts"].as_array_mut().expect("a list").pop();
                tree.insert(
                    "manifest.json".into(),
                    serde_json::to_vec(&manifest).expect("JSON"),
                );
                listed(tree);
            }),
            "CB1116",
            "states the id",
        );
        expect(
            "another id",
            &changed(&|tree| {
                let mut manifest: serde_json::Value =
                    serde_json::from_slice(&tree["manifest.json"]).expect("JSON");
                manifest["bundle"]["id"] = "0".repeat(64).into();
                tree.insert(
                    "manifest.json".into(),
                    serde_json::to_vec(&manifest).expect("JSON"),
                );
                listed(tree);
            }),
            "CB1116",
            "states the id 0000 0000 0000",
        );
        for (case, key, value, words) in [
            ("a newer format", "format", serde_json::json!(99), "newer cbgen"),
            (
                "a key nobody knows",
                "more",
                serde_json::json!(1),
                "unknown field",
            ),
            (
                "servers as a text",
                "servers",
                serde_json::json!("x"),
                "invalid type",
            ),
        ] {
            expect(
                case,
                &changed(&|tree| {
                    let mut manifest: serde_json::Value =
                        serde_json::from_slice(&tree["manifest.json"]).expect("JSON");
                    manifest[key] = value.clone();
                    tree.insert(
                        "manifest.json".into(),
                        serde_json::to_vec(&manifest).expect("JSON"),
                    );
                    listed(tree);
                }),
                "CB0709",
                words,
            );
        }
        expect(
            "a manifest that is no JSON",
            &changed(&|tree| {
                tree.insert("manifest.json".into(), b"{".to_vec());
                listed(tree);
            }),
            "CB0709",
            "cannot be read",
        );
        expect(
            "a signature that is none",
            &changed(&|tree| drop(tree.insert("SHA256SUMS.sig".into(), b"x".to_vec()))),
            "CB1121",
            "no signature",
        );
    }
    let mut mixed = review.clone();
    mixed.insert(reg.clone(), deployed[&reg].clone());
    corpus.folder(
        "review texts and deployed bytes",
        &mixed,
        "CB1117",
        "deployed bytes, the others review texts",
    );
    let mut edited = review.clone();
    edited.get_mut(&conf).expect("it").push(b' ');
    corpus.folder(
        "an edited review tree",
        &edited,
        "CB1114",
        "nginx.conf` was changed",
    );
    corpus.folder(
        "a folder that is no bundle",
        &Tree::from([("x".into(), b"x".to_vec())]),
        "CB1111",
        "no bundle",
    );
    let mut clash = deployed.clone();
    clash.insert("VERIFY.CMD".into(), b"x".to_vec());
    corpus.folder("names that clash in a folder", &clash, "CB1105", "one name with");
    let mut unsafe_name = deployed.clone();
    unsafe_name.insert("aux.txt".into(), b"x".to_vec());
    corpus.folder("a device in a folder", &unsafe_name, "CB1104", "device name");
    let files = MemoryFiles::default();
    corpus.expect("nothing there", &files, "nothing.zip", "CB1101", "cannot be read");
}
