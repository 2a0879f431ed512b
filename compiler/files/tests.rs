//! What every file system must do, on the disk and in memory. No product code may use this file.

use super::*;

/// The same facts must hold on the disk and in memory.
fn check(test: impl Fn(&dyn Files)) {
    let folder = tempfile::tempdir().unwrap();
    test(&DiskFiles::new(folder.path()));
    test(&MemoryFiles::default());
}

fn path(text: &str) -> &Path {
    Path::new(text)
}

#[test]
fn reads_up_to_the_limit() {
    check(|files| {
        files.write(path("a/b"), b"12345").unwrap();
        assert_eq!(files.read(path("a/b"), 5).unwrap(), b"12345");
        let error = files.read(path("a/b"), 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(
            files.read(path("a"), 9).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(
            files.read(path("x"), 9).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    });
}

#[test]
fn lists_sorted_and_with_parents_first() {
    check(|files| {
        for name in ["t/b/z", "t/a", "t/b/c", "t/b-c"] {
            files.write(path(name), b"").unwrap();
        }
        let names: Vec<_> = files
            .list(path("t"))
            .unwrap()
            .into_iter()
            .map(|entry| entry.path.to_string_lossy().replace('\\', "/"))
            .collect();
        assert_eq!(names, ["a", "b", "b/c", "b/z", "b-c"]);
    });
}

#[test]
fn children_are_what_is_directly_in_a_folder() {
    check(|files| {
        for name in ["t/b/z", "t/a", "t/b-c"] {
            files.write(path(name), b"").unwrap();
        }
        let names = |folder: &str| -> Vec<(PathBuf, EntryKind)> {
            let entries = files.children(path(folder)).unwrap();
            entries
                .into_iter()
                .map(|entry| (entry.path, entry.kind))
                .collect()
        };
        let expected = [
            ("a", EntryKind::File),
            ("b", EntryKind::Folder),
            ("b-c", EntryKind::File),
        ];
        assert_eq!(names("t"), expected.map(|(name, kind)| (name.into(), kind)));
        // The root has no name.
        assert_eq!(names(""), [("t".into(), EntryKind::Folder)]);
        assert_eq!(files.list(path("")).unwrap().len(), 5);
        assert_eq!(
            files.children(path("x")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    });
}

#[test]
fn exchanges_links_renames_and_removes() {
    check(|files| {
        files.write(path("left/x"), b"left").unwrap();
        files.write(path("right/x"), b"right").unwrap();
        let identity = files.identity(path("left")).unwrap();
        match files.exchange(path("left"), path("right")) {
            // The disks of Linux do it in one step, and so does the memory; elsewhere whoever asks takes more steps.
            Err(error) if !cfg!(target_os = "linux") && error.kind() == io::ErrorKind::Unsupported => {
                for (from, to) in [("left", "free"), ("right", "left"), ("free", "right")] {
                    files.rename(path(from), path(to)).unwrap();
                }
            }
            result => result.unwrap(),
        }
        assert_eq!(files.read(path("left/x"), 9).unwrap(), b"right");
        assert_eq!(files.identity(path("right")).unwrap(), identity);
        files.link_or_copy(path("left/x"), path("other/deep/x")).unwrap();
        files.remove(path("left")).unwrap();
        files.remove(path("left")).unwrap();
        assert_eq!(files.kind(path("left")).unwrap(), None);
        assert_eq!(files.read(path("other/deep/x"), 9).unwrap(), b"right");
        files.rename(path("other/deep"), path("free")).unwrap();
        assert_eq!(files.kind(path("free/x")).unwrap(), Some(EntryKind::File));
        files.write(path("y"), b"y").unwrap();
        files.rename(path("y"), path("free/x")).unwrap();
        assert_eq!(files.read(path("free/x"), 9).unwrap(), b"y");
    });
}

#[test]
fn a_lock_is_exclusive_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = DiskFiles::new(folder.path());
    let held = files.lock(path("lock")).unwrap();
    assert!(held.is_some());
    assert!(files.lock(path("lock")).unwrap().is_none());
    drop(held);
    assert_eq!(files.kind(path("lock")).unwrap(), None);
    assert!(files.lock(path("lock")).unwrap().is_some());
}

/// What Windows refuses at first: to replace or remove what is read-only, or what somebody holds for a moment.
#[cfg(windows)]
#[test]
fn read_only_and_held_files_are_replaced_and_removed() {
    use std::os::windows::fs::OpenOptionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let files = DiskFiles::new(folder.path());
    let write = |name: &str, text: &str| {
        files.write(path(name), text.as_bytes()).unwrap();
        let at = folder.path().join(name);
        let mut permissions = std::fs::metadata(&at).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(at, permissions).unwrap();
    };
    write("a", "old");
    write("b", "new");
    files.rename(path("b"), path("a")).unwrap();
    assert_eq!(files.read(path("a"), 9).unwrap(), b"new");
    write("tree/deep/x", "x");
    files.remove(path("tree")).unwrap();
    files.remove(path("a")).unwrap();
    files.write(path("held/x"), b"x").unwrap();
    let hold = |name: &str| {
        let file = std::fs::File::options()
            .read(true)
            .share_mode(0)
            .open(folder.path().join(name))
            .unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            drop(file);
        })
    };
    let held = hold("held/x");
    files.rename(path("held/x"), path("held/y")).unwrap();
    held.join().unwrap();
    let held = hold("held/y");
    files.remove(path("held")).unwrap();
    held.join().unwrap();
    assert_eq!(files.list(path("")).unwrap(), []);
}
