//! Output trees under ordinary use and under injected faults. No product code may use this file.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::samples::{build_version, part};
use super::*;
use crate::files::{DiskFiles, Entry, EntryKind, Lock, MemoryFiles};
use crate::formats::Format;

pub(super) const OUT: &str = "out";

/// A bundle of text files.
pub(super) fn bundle(version: &str, texts: &[(&str, &str)]) -> Bundle {
    let parts = texts
        .iter()
        .map(|(path, text)| part(path, text, Format::Sql))
        .collect();
    build_version(&mut Diagnostics::new(), version, parts).unwrap()
}

pub(super) fn old_bundle() -> Bundle {
    bundle(
        "1",
        &[
            ("same.sql", "same\n"),
            ("a/changed.sql", "old\n"),
            ("a/b/stale.sql", "x\n"),
        ],
    )
}

pub(super) fn new_bundle() -> Bundle {
    bundle(
        "1",
        &[
            ("same.sql", "same\n"),
            ("a/changed.sql", "new\n"),
            ("added/n.sql", "n\n"),
        ],
    )
}

/// A bundle of another name with one file.
pub(super) fn named(name: &str, text: &str) -> Bundle {
    let identity = super::super::BundleIdentity {
        name: name.to_owned(),
        version: "1".into(),
        change: None,
        window: None,
    };
    let parts = vec![part("x.sql", text, Format::Sql)];
    super::super::bundle(&mut Diagnostics::new(), identity, vec![], vec![], vec![], parts).unwrap()
}

/// Writes a bundle into a folder: [`prepare`], then [`commit()`].
pub(super) fn write(
    diagnostics: &mut Diagnostics,
    files: &dyn Files,
    press: &Press,
    out: &Path,
    bundle: &Bundle,
) -> Result<Written, Reported> {
    let prepared = prepare(diagnostics, files, press, out, bundle)?;
    let written = commit(files, vec![prepared]).pop().unwrap();
    written.map_err(|finding| diagnostics.error(finding))
}

pub(super) fn put(files: &dyn Files, bundle: &Bundle) -> (Result<Written, Reported>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new();
    let result = write(&mut diagnostics, files, &Press::default(), Path::new(OUT), bundle);
    assert_eq!(result.is_err(), diagnostics.has_errors());
    (result, diagnostics.iter().cloned().collect())
}

pub(super) fn codes_of(findings: &[Diagnostic]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.id()).collect()
}

/// Everything below the output folder: content of files, `None` for folders.
pub(super) fn state(files: &dyn Files) -> BTreeMap<String, Option<Vec<u8>>> {
    if files.kind(Path::new(OUT)).unwrap().is_none() {
        return BTreeMap::new();
    }
    files
        .list(Path::new(OUT))
        .unwrap()
        .into_iter()
        .map(|entry| {
            let content = (entry.kind == EntryKind::File).then(|| {
                files
                    .read(&Path::new(OUT).join(&entry.path), u64::MAX - 1)
                    .unwrap()
            });
            (shown(&entry.path), content)
        })
        .collect()
}

pub(super) fn text(files: &dyn Files, path: &str) -> Option<String> {
    let bytes = files.read(&Path::new(OUT).join(path), 1 << 20).ok()?;
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn writes_everything_then_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = DiskFiles::new(folder.path());
    let bundle = old_bundle();
    let (written, findings) = put(&files, &bundle);
    let written = written.unwrap();
    assert!(findings.is_empty() && written.changed && written.old.is_none());
    let names: Vec<String> = state(&files).into_keys().collect();
    assert_eq!(
        names,
        [
            "acme",
            "acme-1.zip",
            "acme-1.zip.sha256",
            "acme/SHA256SUMS",
            "acme/a",
            "acme/a/b",
            "acme/a/b/stale.sql",
            "acme/a/changed.sql",
            "acme/manifest.json",
            "acme/same.sql"
        ]
    );
    let modified = |path: &str| {
        folder
            .path()
            .join(OUT)
            .join(path)
            .metadata()
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = (
        modified("acme"),
        modified("acme/same.sql"),
        modified("acme-1.zip"),
    );
    let (written, _) = put(&files, &bundle);
    let written = written.unwrap();
    assert!(!written.changed);
    assert_eq!(written.old.unwrap().seal, Some(bundle.seal()));
    assert_eq!(
        before,
        (
            modified("acme"),
            modified("acme/same.sql"),
            modified("acme-1.zip")
        )
    );
    assert_eq!(
        compare(&files, &Press::default(), Path::new(OUT), &bundle).unwrap(),
        Comparison::default()
    );
    // An unchanged file keeps its time stamp also when others change.
    put(&files, &new_bundle()).0.unwrap();
    assert_eq!(before.1, modified("acme/same.sql"));
}

#[test]
fn stale_files_go_foreign_files_stay() {
    for files in [MemoryFiles::default(), MemoryFiles::shuffled()] {
        put(&files, &old_bundle()).0.unwrap();
        for path in ["acme/notes.txt", "acme/a/b/mine.txt", "acme/deep/er/x"] {
            files.write(&Path::new(OUT).join(path), b"mine").unwrap();
        }
        files.make_folder(Path::new("out/acme/empty")).unwrap();
        files
            .write(Path::new("out/acme/a/changed.sql"), b"edited\n")
            .unwrap();
        let comparison = compare(&files, &Press::default(), Path::new(OUT), &new_bundle()).unwrap();
        let shown: Vec<_> = comparison
            .differences
            .iter()
            .map(|difference| format!("{} {:?}", difference.path, difference.kind))
            .collect();
        assert_eq!(
            shown,
            [
                "acme/SHA256SUMS Changed { line: 1 }",
                "acme/a/b/stale.sql Stale",
                "acme/a/changed.sql Changed { line: 1 }",
                "acme/added/n.sql Missing",
                "acme/manifest.json Changed { line: 11 }",
                "acme-1.zip Changed { line: 0 }",
                "acme-1.zip.sha256 Changed { line: 0 }"
            ]
        );
        let (written, findings) = put(&files, &new_bundle());
        let written = written.unwrap();
        assert_eq!(codes_of(&findings), ["CB0707"]);
        assert!(findings[0].message.contains("out/acme/a/changed.sql"));
        assert_eq!(written.old.unwrap().seal, Some(old_bundle().seal()));
        assert_eq!(
            written.removed_stale,
            [BundlePath::parse("a/b/stale.sql").unwrap()]
        );
        assert_eq!(written.foreign, ["a/b/mine.txt", "deep/er/x", "notes.txt"]);
        assert_eq!(text(&files, "acme/a/b/mine.txt").unwrap(), "mine");
        assert_eq!(text(&files, "acme/a/changed.sql").unwrap(), "new\n");
        assert_eq!(text(&files, "acme/a/b/stale.sql"), None);
        assert!(state(&files).contains_key("acme/empty"));
    }
}

#[test]
fn foreign_files_are_never_overwritten() {
    // A file at a path, a file where a folder is needed, a folder where a file is needed, a tree of unknown origin.
    for (foreign, blocked) in [
        ("acme/added/n.sql", "acme/added/n.sql"),
        ("acme/added", "acme/added"),
        ("acme/added/n.sql/deep", "acme/added/n.sql"),
    ] {
        let files = MemoryFiles::default();
        put(&files, &old_bundle()).0.unwrap();
        files.write(&Path::new(OUT).join(foreign), b"mine").unwrap();
        let before = state(&files);
        let (written, findings) = put(&files, &new_bundle());
        assert!(written.is_err());
        assert_eq!(codes_of(&findings), ["CB0704"], "{foreign}");
        assert!(findings[0].message.contains(blocked), "{}", findings[0].message);
        assert_eq!(state(&files), before);
    }
}

#[test]
fn a_tree_after_a_merge_conflict_is_rebuilt() {
    let files = MemoryFiles::default();
    put(&files, &old_bundle()).0.unwrap();
    files
        .write(Path::new("out/acme/manifest.json"), b"<<<<<<< ours\n")
        .unwrap();
    let sums = text(&files, "acme/SHA256SUMS").unwrap();
    let conflict = format!("<<<<<<< ours\n{sums}=======\n>>>>>>> theirs\n");
    files
        .write(Path::new("out/acme/SHA256SUMS"), conflict.as_bytes())
        .unwrap();
    put(&files, &new_bundle()).0.unwrap();
    let fresh = MemoryFiles::default();
    put(&fresh, &new_bundle()).0.unwrap();
    // The folder of the stale file is gone as well.
    assert_eq!(state(&files), state(&fresh));
}

#[test]
fn line_ends_of_a_checkout_are_named() {
    let files = MemoryFiles::default();
    put(&files, &old_bundle()).0.unwrap();
    files.write(Path::new("out/acme/same.sql"), b"same\r\n").unwrap();
    files.remove(Path::new("out/acme-1.zip")).unwrap();
    let found = compare(&files, &Press::default(), Path::new(OUT), &old_bundle())
        .unwrap()
        .differences;
    assert_eq!(
        found,
        [Difference {
            path: "acme/same.sql".into(),
            kind: DifferenceKind::LineEnds
        }]
    );
    let findings = super::findings(&found, Path::new("out"));
    assert!(matches!(findings.as_slice(), [one] if one.code == codes::OUTPUT_DIFFERS));
}

#[test]
fn an_archive_of_another_bundle_is_kept() {
    let files = MemoryFiles::default();
    let other = bundle("1", &[("x.sql", "x\n")]);
    put(&files, &other).0.unwrap();
    // As if a bundle `acme-1` had version `2`: both archives are `acme-1-2.zip`.
    files
        .rename(Path::new("out/acme-1.zip"), Path::new("out/acme-2.zip"))
        .unwrap();
    let foreign = text(&files, "acme/manifest.json")
        .unwrap()
        .replace("acme", "acne");
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    writer
        .start_file(MANIFEST, zip::write::SimpleFileOptions::default())
        .unwrap();
    io::Write::write_all(&mut writer, foreign.as_bytes()).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    files.write(Path::new("out/acme-2.zip"), &archive).unwrap();
    let before = state(&files);
    let (written, findings) = put(&files, &bundle("2", &[("x.sql", "x\n")]));
    assert!(written.is_err());
    assert_eq!(codes_of(&findings), ["CB0710"]);
    assert_eq!(state(&files), before);
}

#[test]
fn a_foreign_file_under_the_name_of_the_archive_is_kept() {
    let files = MemoryFiles::default();
    for foreign in [&b"notes of somebody\n"[..], b"", b"PK\x05\x06"] {
        files.write(Path::new("out/acme-2.zip"), foreign).unwrap();
        let before = state(&files);
        let (written, findings) = put(&files, &bundle("2", &[("x.sql", "x\n")]));
        assert!(written.is_err());
        assert_eq!(codes_of(&findings), ["CB0704"]);
        assert_eq!(state(&files), before);
    }
}

#[test]
fn a_second_process_is_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let files = DiskFiles::new(folder.path());
    files.make_folder(Path::new(OUT)).unwrap();
    let lock = files
        .lock(&OutputSlot::new(Path::new(OUT), "acme").lock())
        .unwrap();
    assert_eq!(codes_of(&put(&files, &old_bundle()).1), ["CB0705"]);
    drop(lock);
    assert!(put(&files, &old_bundle()).0.is_ok());
}

#[test]
fn bundles_of_one_folder_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let files = DiskFiles::new(folder.path());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let files = &files;
            scope.spawn(move || {
                let bundle = named(&format!("b{number}"), "x\n");
                for _ in 0..3 {
                    put(files, &bundle).0.unwrap();
                }
            });
        }
    });
    let names = state(&files);
    assert_eq!(names.keys().filter(|name| name.contains(".zip")).count(), 16);
    assert!(!names.keys().any(|name| name.starts_with('.')), "{names:?}");
}

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It is half done, and no operation happens after it: the process was killed.
    Kill,
    /// It fails with "no space left"; later ones work.
    Full,
}

/// Files whose operation number `at` goes wrong.
struct Faulty<'a> {
    inner: &'a dyn Files,
    fault: Fault,
    at: usize,
    done: AtomicUsize,
    exchange: bool,
}

impl<'a> Faulty<'a> {
    fn new(inner: &'a dyn Files, fault: Fault, at: usize, exchange: bool) -> Self {
        Self {
            inner,
            fault,
            at,
            done: AtomicUsize::new(0),
            exchange,
        }
    }

    fn operation(&self, half: impl FnOnce()) -> io::Result<()> {
        let number = self.done.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::Full if number == self.at => Err(io::ErrorKind::StorageFull.into()),
            Fault::Kill if number >= self.at => {
                if number == self.at {
                    half();
                }
                Err(io::Error::other("killed"))
            }
            Fault::Full | Fault::Kill => Ok(()),
        }
    }

    fn alive(&self) -> io::Result<()> {
        if self.fault == Fault::Kill && self.done.load(Ordering::Relaxed) > self.at {
            return Err(io::Error::other("killed"));
        }
        Ok(())
    }
}

impl Files for Faulty<'_> {
    fn open(&self, path: &Path, links: crate::files::Links) -> io::Result<Box<dyn crate::files::Handle>> {
        self.inner.open(path, links)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.alive()?;
        self.inner.read(path, limit)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>> {
        self.alive()?;
        self.inner.kind(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.alive()?;
        self.inner.list(folder)
    }

    fn children(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.alive()?;
        self.inner.children(folder)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        self.alive()?;
        self.inner.identity(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.operation(|| {})?;
        self.inner.make_folder(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.operation(|| drop(self.inner.write(path, &bytes[..bytes.len() / 2])))?;
        self.inner.write(path, bytes)
    }

    fn link_or_copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation(|| {})?;
        self.inner.link_or_copy(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation(|| {})?;
        self.inner.rename(from, to)
    }

    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()> {
        if !self.exchange {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.operation(|| {})?;
        self.inner.exchange(left, right)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let half = || {
            // Whichever half: take every second file.
            let entries = self.inner.list(path).unwrap_or_default();
            for entry in entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::File)
                .step_by(2)
            {
                self.inner.remove(&path.join(&entry.path)).unwrap();
            }
        };
        self.operation(half)?;
        self.inner.remove(path)
    }

    fn sync(&self, folders: &[PathBuf]) -> io::Result<()> {
        self.operation(|| {})?;
        self.inner.sync(folders)
    }

    fn sync_names(&self, folders: &[PathBuf]) -> io::Result<()> {
        self.operation(|| {})?;
        self.inner.sync_names(folders)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        self.alive()?;
        self.inner.lock(path)
    }
}

/// Interrupts the write of `new` over `old` at every operation and demands old or new, nothing else. Returns how many
/// operations there were.
fn interrupt(
    fresh: &dyn Fn() -> Box<dyn Files>,
    old: Option<&Bundle>,
    fault: Fault,
    exchange: bool,
) -> usize {
    let prepare = || {
        let files = fresh();
        if let Some(old) = old {
            put(files.as_ref(), old).0.unwrap();
            files.write(Path::new("out/acme/a/mine.txt"), b"mine").unwrap();
            files.make_folder(Path::new("out/acme/empty")).unwrap();
        }
        files
    };
    let before = state(prepare().as_ref());
    let after = {
        let files = prepare();
        put(files.as_ref(), &new_bundle()).0.unwrap();
        state(files.as_ref())
    };
    // A first build that was undone may leave the empty output folder.
    let is_before = |now: &BTreeMap<_, _>| *now == before || old.is_none() && now.is_empty();
    for at in 0.. {
        let files = prepare();
        let files = files.as_ref();
        let faulty = Faulty::new(files, fault, at, exchange);
        let (result, findings) = put(&faulty, &new_bundle());
        let place = OutputSlot::new(Path::new(OUT), "acme");
        // Where the system cannot exchange names, the tree may be missing until somebody cleans up.
        if old.is_some() && exchange && cfg!(target_os = "linux") {
            // Also before anybody cleans up.
            assert_eq!(
                text(files, "acme/a/mine.txt").as_deref(),
                Some("mine"),
                "{fault:?} at {at}"
            );
        }
        let unfinished = files.kind(&place.journal()).unwrap().is_some();
        if fault == Fault::Full && !unfinished {
            // Nothing left to the next run but hidden remains: the answer says which state it is.
            let mut now = state(files);
            now.retain(|path, _| !path.starts_with(".acme.staging"));
            assert!(
                if result.is_ok() {
                    now == after
                } else {
                    is_before(&now)
                },
                "{fault:?} at {at}: {:?}",
                now.keys()
            );
        }
        if fault == Fault::Full && result.is_err() {
            assert_eq!(codes_of(&findings), ["CB0701"], "{at}");
        }
        place.recover(files).unwrap();
        let now = state(files);
        assert!(
            is_before(&now) || now == after,
            "{fault:?} at {at}: {:?}",
            now.keys()
        );
        assert!(!(result.is_ok() && now != after), "{fault:?} at {at}");
        // And the next build succeeds from there.
        put(files, &new_bundle()).0.unwrap();
        assert_eq!(state(files), after, "{fault:?} at {at}");
        if faulty.done.load(Ordering::Relaxed) <= at {
            return at;
        }
    }
    unreachable!()
}

#[test]
fn every_interruption_leaves_old_or_new() {
    let fresh = || -> Box<dyn Files> { Box::new(MemoryFiles::default()) };
    for fault in [Fault::Kill, Fault::Full] {
        for exchange in [true, false] {
            assert!(interrupt(&fresh, Some(&old_bundle()), fault, exchange) > 10);
            assert!(interrupt(&fresh, None, fault, exchange) > 10);
        }
    }
}

#[test]
fn every_interruption_on_the_disk_leaves_old_or_new() {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let fresh = || -> Box<dyn Files> {
        let number = count.fetch_add(1, Ordering::Relaxed);
        Box::new(DiskFiles::new(folder.path().join(number.to_string())))
    };
    for exchange in [true, false] {
        assert!(interrupt(&fresh, Some(&old_bundle()), Fault::Kill, exchange) > 10);
    }
}

/// Bundles that are put in place together: whatever is interrupted, each is old or new by itself.
#[test]
fn every_interruption_of_several_leaves_each_old_or_new() {
    const NAMES: [&str; 3] = ["one", "six", "two"];
    let put_all = |files: &dyn Files, text: &str| -> usize {
        let press = Press::default();
        let prepare = |name: &&str| {
            let bundle = named(name, text);
            prepare(&mut Diagnostics::new(), files, &press, Path::new(OUT), &bundle).ok()
        };
        let prepared = NAMES.iter().filter_map(prepare).collect();
        commit(files, prepared)
            .iter()
            .filter(|result| result.is_ok())
            .count()
    };
    let new = {
        let files = MemoryFiles::default();
        put_all(&files, "new\n");
        state(&files)
    };
    for (fault, exchange) in [
        (Fault::Kill, true),
        (Fault::Kill, false),
        (Fault::Full, true),
        (Fault::Full, false),
    ] {
        let mut mixtures = 0;
        for at in 0.. {
            let files = MemoryFiles::default();
            assert_eq!(put_all(&files, "old\n"), NAMES.len());
            let old = state(&files);
            let faulty = Faulty::new(&files, fault, at, exchange);
            let succeeded = put_all(&faulty, "new\n");
            for name in NAMES {
                OutputSlot::new(Path::new(OUT), name).recover(&files).unwrap();
            }
            let now = state(&files);
            let of = |state: &BTreeMap<String, Option<Vec<u8>>>, name: &str| -> Vec<_> {
                let own = state.iter().filter(|(path, _)| path.starts_with(name));
                own.map(|(path, content)| (path.clone(), content.clone()))
                    .collect()
            };
            let mut fresh = 0;
            for name in NAMES {
                let is_new = of(&now, name) == of(&new, name);
                fresh += usize::from(is_new);
                assert!(
                    is_new || of(&now, name) == of(&old, name),
                    "{fault:?} at {at}: {:?}",
                    now.keys()
                );
            }
            assert!(fresh >= succeeded, "{fault:?} at {at}");
            mixtures += usize::from(fresh > 0 && fresh < NAMES.len());
            assert_eq!(put_all(&files, "new\n"), NAMES.len());
            assert_eq!(state(&files), new, "{fault:?} at {at}");
            if faulty.done.load(Ordering::Relaxed) <= at {
                break;
            }
        }
        assert!(mixtures > 0, "an error of one bundle must not undo the others");
    }
}

/// Interrupting the recovery itself changes nothing.
#[test]
fn recovery_can_be_interrupted_as_well() {
    let after = {
        let files = MemoryFiles::default();
        put(&files, &old_bundle()).0.unwrap();
        put(&files, &new_bundle()).0.unwrap();
        state(&files)
    };
    for at in 0..25 {
        for again in 0..12 {
            let files = MemoryFiles::default();
            put(&files, &old_bundle()).0.unwrap();
            let before = state(&files);
            let killed_at = |at| Faulty::new(&files, Fault::Kill, at, again % 2 == 0);
            drop(put(&killed_at(at), &new_bundle()).0);
            drop(OutputSlot::new(Path::new(OUT), "acme").recover(&killed_at(again)));
            OutputSlot::new(Path::new(OUT), "acme").recover(&files).unwrap();
            let now = state(&files);
            assert!(now == before || now == after, "{at} {again}: {:?}", now.keys());
        }
    }
}
