//! What others put into an output folder: a pull request can bring a journal, a staging folder and a lock along. No
//! product code may use this file.

use std::path::Path;

use super::tests::{OUT, codes_of, named, new_bundle, old_bundle, put, state, text, write};
use super::*;
use crate::files::DiskFiles;

/// A folder with `out/acme` of [`old_bundle`] and, beside `out`, `outside/secret`.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        put(&ground.files(), &old_bundle()).0.unwrap();
        ground.write("outside/tree/secret", "secret");
        ground.write("outside/secret", "secret");
        ground
    }

    fn files(&self) -> DiskFiles {
        DiskFiles::new(self.folder.path())
    }

    fn write(&self, path: &str, text: &str) {
        self.files().write(Path::new(path), text.as_bytes()).unwrap();
    }

    fn remove(&self, path: &str) {
        self.files().remove(Path::new(path)).unwrap();
    }

    fn recover(&self) -> recover::Recovery {
        let place = OutputSlot::new(Path::new(OUT), "acme");
        place.recover(&self.files()).unwrap()
    }

    /// A journal whose write looks as if it had reached its commit point.
    fn journal(&self) {
        let journal = format!("{{\"tree\":7,\"manifest\":\"{}\"}}", Digest::of(b""));
        self.write("out/.acme.commit", &journal);
    }

    /// A link to a file or folder, from the folder of the link.
    #[cfg(unix)]
    fn link(&self, target: &str, path: &str) {
        self.files()
            .make_folder(Path::new(path).parent().unwrap())
            .unwrap();
        link(Path::new(target), &self.folder.path().join(path));
    }

    fn outside(&self) -> Vec<String> {
        let entries = self.files().list(Path::new("outside")).unwrap();
        entries.iter().map(|entry| shown(&entry.path)).collect()
    }

    /// Builds and demands that everything is as after a build without any of this, apart from `allowed`.
    #[track_caller]
    fn check(&self, expected: &[&str], allowed: &[&str]) {
        let before = self.outside();
        let (written, findings) = put(&self.files(), &new_bundle());
        assert!(written.is_ok(), "{findings:?}");
        assert_eq!(codes_of(&findings), expected);
        assert_eq!(self.outside(), before);
        let mut now = state(&self.files());
        now.retain(|path, _| !allowed.iter().any(|allowed| path.starts_with(allowed)));
        let fresh = Ground::new();
        put(&fresh.files(), &new_bundle()).0.unwrap();
        assert!(now == state(&fresh.files()), "{:?}", now.keys());
        // Nothing holds up the builds after it.
        assert!(!put(&self.files(), &new_bundle()).0.unwrap().changed);
    }

    /// Builds and demands that nothing changed but a finding was reported.
    #[track_caller]
    fn refused(&self, code: &str) {
        let before = (state_of_names(self), self.outside());
        let (written, findings) = put(&self.files(), &new_bundle());
        assert!(written.is_err());
        assert_eq!(codes_of(&findings), [code], "{findings:?}");
        assert_eq!((state_of_names(self), self.outside()), before);
    }
}

/// Names and kinds, because a pipe has no content.
fn state_of_names(ground: &Ground) -> Vec<crate::files::Entry> {
    ground.files().list(Path::new(OUT)).unwrap()
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) {
    std::os::unix::fs::symlink(target, path).unwrap();
}

#[cfg(unix)]
fn pipe(ground: &Ground, path: &str) {
    let path = ground.folder.path().join(path);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}

#[test]
fn an_archive_of_another_bundle_is_never_replaced() {
    let ground = Ground::new();
    put(&ground.files(), &named("other", "x\n")).0.unwrap();
    let other = state(&ground.files());
    // As an earlier version of cbgen wrote it, and as this one does.
    for journal in [
        "{\"tree\":null,\"archive\":\"other-1.zip\"}".to_owned(),
        format!("{{\"tree\":null,\"manifest\":\"{}\"}}", Digest::of(b"")),
        format!("{{\"tree\":7,\"manifest\":\"{}\"}}", Digest::of(b"")),
    ] {
        ground.write("out/.acme.commit", &journal);
        ground.write("out/.acme.staging/zip", "evil");
        ground.write("out/.acme.staging/sums", "evil");
        ground.recover();
        assert!(state(&ground.files()) == other, "{journal}");
    }
}

#[test]
fn an_archive_that_is_not_the_one_of_the_tree_is_dropped() {
    // A real archive of this bundle, but of another content; the right one with a byte behind it; another version.
    let right = Press::default().write(&old_bundle()).unwrap();
    let longer = [right.as_slice(), b"x"].concat();
    for archive in [Press::default().write(&new_bundle()).unwrap(), longer, Vec::new()] {
        let ground = Ground::new();
        let before = state(&ground.files());
        ground.journal();
        let staged = Path::new("out/.acme.staging/zip");
        ground.files().write(staged, &archive).unwrap();
        ground.recover();
        assert!(state(&ground.files()) == before);
    }
    // The right one is taken.
    let ground = Ground::new();
    let before = state(&ground.files());
    ground.remove("out/acme-1.zip");
    ground.remove("out/acme-1.zip.sha256");
    ground.journal();
    ground
        .files()
        .write(Path::new("out/.acme.staging/zip"), &right)
        .unwrap();
    ground.write("out/.acme.staging/sums", &archive_sums(&old_bundle(), &right));
    assert!(ground.recover().is_completed);
    assert!(state(&ground.files()) == before);
}

/// On Windows a link is no different for cbgen; making one needs a right there, and Wine shows none.
#[cfg(unix)]
#[test]
fn links_in_place_of_the_staging_folder_are_not_followed() {
    for (target, path) in [
        ("../outside", "out/.acme.staging"),
        ("../../outside/tree", "out/.acme.staging/tree"),
        ("../../outside/tree", "out/.acme.staging/old"),
        ("../../outside/secret", "out/.acme.staging/zip"),
        ("../../outside/secret", "out/.acme.staging/sums"),
        ("../outside/secret", "out/.acme.commit"),
        ("nowhere", "out/.acme.commit"),
    ] {
        let ground = Ground::new();
        ground.link(target, path);
        if !path.ends_with("commit") {
            ground.journal();
        }
        ground.check(&[], &[]);
    }
    // Not even when the tree itself is missing.
    let ground = Ground::new();
    ground.remove("out/acme");
    ground.link("../../outside/tree", "out/.acme.staging/old");
    ground.journal();
    ground.check(&[], &[]);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_tree_leads_no_file_out_of_it() {
    let ground = Ground::new();
    ground.link("../../outside", "out/acme/way");
    ground.write("out/.acme.staging/tree/way/evil", "evil");
    ground.journal();
    ground.check(&["CB0712"], &["acme/way", "acme.kept-1"]);
    assert_eq!(text(&ground.files(), "acme.kept-1/way/evil").unwrap(), "evil");
}

#[test]
fn a_journal_that_can_never_complete_holds_nothing_up() {
    // A file where the left-over tree has a folder.
    let ground = Ground::new();
    ground.write("out/.acme.staging/tree/same.sql/mine", "mine");
    ground.journal();
    ground.check(&["CB0712"], &["acme.kept-1"]);
    assert_eq!(
        text(&ground.files(), "acme.kept-1/same.sql/mine").unwrap(),
        "mine"
    );
    // However many folders with such names were sent along.
    let ground = Ground::new();
    ground.write("out/.acme.staging/tree/same.sql/mine", "mine");
    for number in 1..=150 {
        ground.write(&format!("out/acme.kept-{number}/x"), "x");
    }
    ground.journal();
    let kept: Vec<String> = (1..=151).map(|number| format!("acme.kept-{number}")).collect();
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    ground.check(&["CB0712"], &kept);
    assert_eq!(
        text(&ground.files(), "acme.kept-151/same.sql/mine").unwrap(),
        "mine"
    );
    // A staged archive that is a folder; a staged tree that is a file; junk; a journal without its folder.
    for (path, content) in [
        ("out/.acme.staging/zip/x", "x"),
        ("out/.acme.staging/tree", "x"),
        ("out/.acme.staging/junk", "x"),
        ("out/.acme.staging", "x"),
        ("out/.acme.commit", "junk"),
    ] {
        let ground = Ground::new();
        if path != "out/.acme.commit" {
            ground.journal();
        }
        ground.write(path, content);
        ground.check(&[], &[]);
    }
    let ground = Ground::new();
    ground.write("out/.acme.commit", &"x".repeat(5000));
    ground.check(&[], &[]);
}

#[cfg(unix)]
#[test]
fn pipes_are_not_waited_for() {
    for path in [
        "out/.acme.commit",
        "out/.acme.staging",
        "out/.acme.staging/zip",
        "out/.acme.staging/tree",
    ] {
        let ground = Ground::new();
        ground
            .files()
            .make_folder(Path::new(path).parent().unwrap())
            .unwrap();
        pipe(&ground, path);
        if path != "out/.acme.commit" {
            ground.journal();
        }
        ground.check(&[], &[]);
    }
    for path in [
        "out/acme-1.zip",
        "out/acme-1.zip.sha256",
        "out/acme/a/changed.sql",
    ] {
        let ground = Ground::new();
        ground.remove(path);
        pipe(&ground, path);
        ground.refused("CB0704");
    }
    let ground = Ground::new();
    ground.remove("out/acme/manifest.json");
    pipe(&ground, "out/acme/manifest.json");
    ground.remove("out/acme/SHA256SUMS");
    pipe(&ground, "out/acme/SHA256SUMS");
    assert!(put(&ground.files(), &new_bundle()).0.is_err());
    let ground = Ground::new();
    pipe(&ground, "out/.acme.lock");
    ground.refused("CB0711");
}

#[cfg(unix)]
#[test]
fn a_lock_is_no_way_out() {
    for target in ["../outside/secret", "../outside/new", ".acme.lock"] {
        let ground = Ground::new();
        ground.link(target, "out/.acme.lock");
        ground.refused("CB0711");
        assert_eq!(text(&ground.files(), "../outside/secret").unwrap(), "secret");
    }
}

/// The output folder itself, and a folder above it.
#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_output_folder_is_not_followed() {
    for (target, link_at, out) in [
        ("outside", "out2", "out2"),
        ("outside/new", "out2", "out2"),
        ("out", "out2", "out2"),
        ("outside", "build", "build/out"),
        ("outside", "build", "./build/./out"),
    ] {
        let ground = Ground::new();
        link(Path::new(target), &ground.folder.path().join(link_at));
        let before = ground.outside();
        let mut diagnostics = Diagnostics::new();
        let press = Press::default();
        let (files, out) = (ground.files(), Path::new(out));
        let written = write(&mut diagnostics, &files, &press, out, &new_bundle());
        let findings: Vec<_> = diagnostics.iter().cloned().collect();
        assert!(
            written.is_err() && codes_of(&findings) == ["CB0711"],
            "{findings:?}"
        );
        assert_eq!(ground.outside(), before);
        let compared = compare(&files, &press, out, &new_bundle());
        assert!(compared.is_err_and(|error| error.to_string().contains("is a link")));
        // A path that a person typed in full leads where it leads.
        let absolute = ground.folder.path().join(out);
        if target == "out" {
            write(&mut Diagnostics::new(), &files, &press, &absolute, &new_bundle()).unwrap();
        }
    }
}

#[test]
fn folders_with_names_of_ours_are_named_and_kept() {
    for path in ["out/.acme.lock/x", "out/.acme.commit/x"] {
        let ground = Ground::new();
        ground.write(path, "mine");
        ground.refused("CB0711");
    }
    for path in ["out/acme-1.zip", "out/acme-1.zip.sha256"] {
        let ground = Ground::new();
        ground.remove(path);
        ground.write(&format!("{path}/x"), "mine");
        ground.refused("CB0704");
    }
}

/// A lock file that somebody committed, and that nobody holds, is no lock.
#[test]
fn a_lock_that_nobody_holds_is_taken() {
    let ground = Ground::new();
    ground.write("out/.acme.lock", "");
    ground.check(&[], &[]);
}
