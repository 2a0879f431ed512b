//! One test for each call, the same on every system; `tests/windows.rs` runs them as a Windows program too.
#![expect(
    clippy::disallowed_methods,
    reason = "the ban points to the module of files, which stands on this crate"
)]

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Everything in a folder, as `name=content`.
fn contents(folder: &tempfile::TempDir) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            format!("{}={text}", entry.file_name().to_string_lossy())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_file_is_replaced_and_its_old_content_kept() {
    let folder = folder(&[("web.config", "old"), ("new", "new")]);
    let at = |name: &str| folder.path().join(name);
    replace_file(&at("web.config"), &at("new"), &at("saved")).unwrap();
    assert_eq!(contents(&folder), ["saved=old", "web.config=new"]);
    // A backup that is there already is replaced.
    fs::write(at("newer"), "newer").unwrap();
    replace_file(&at("web.config"), &at("newer"), &at("saved")).unwrap();
    assert_eq!(contents(&folder), ["saved=new", "web.config=newer"]);
}

/// `kit/windows-proof.ps1` prepares `web.config` and `new` in a folder, and looks at what became of them.
#[test]
fn a_file_is_replaced_where_a_script_says() {
    let own = folder(&[("web.config", "old"), ("new", "new")]);
    let at = std::env::var_os("CBGEN_PROOF").map_or_else(|| own.path().to_owned(), PathBuf::from);
    replace_file(&at.join("web.config"), &at.join("new"), &at.join("saved")).unwrap();
    assert_eq!(fs::read_to_string(at.join("saved")).unwrap(), "old");
}

#[test]
fn a_file_that_is_not_there_is_not_replaced() {
    let folder = folder(&[("new", "new")]);
    let at = |name: &str| folder.path().join(name);
    let error = replace_file(&at("web.config"), &at("new"), &at("saved")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(contents(&folder), ["new=new"]);
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[("a", "old"), ("new", "new")]);
    let at = |name: &str| folder.path().join(name);
    fs::set_permissions(at("a"), fs::Permissions::from_mode(0o640)).unwrap();
    replace_file(&at("a"), &at("new"), &at("saved")).unwrap();
    assert_eq!(
        fs::metadata(at("a")).unwrap().permissions().mode() & 0o7777,
        0o640
    );
    std::os::unix::fs::symlink("a", at("link")).unwrap();
    fs::write(at("new"), "newer").unwrap();
    assert!(replace_file(&at("link"), &at("new"), &at("saved")).is_err());
}

#[test]
fn files_and_folders_are_renamed() {
    let folder = folder(&[("a", "a"), ("b", "b")]);
    let at = |name: &str| folder.path().join(name);
    rename(&at("a"), &at("b")).unwrap();
    assert_eq!(contents(&folder), ["b=a"]);
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("folder").join("x"), "x").unwrap();
    rename(&at("folder"), &at("other")).unwrap();
    assert_eq!(fs::read_to_string(at("other").join("x")).unwrap(), "x");
    assert_eq!(
        rename(&at("a"), &at("c")).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    sync_folder(folder.path()).unwrap();
    assert!(sync_folder(&at("none")).is_err());
}

#[test]
fn a_private_folder_is_used_like_any_other_and_belongs_to_us() {
    let folder = folder(&[("file", "text")]);
    let private = folder.path().join("private");
    make_private_folder(&private).unwrap();
    fs::write(private.join("inside"), "text").unwrap();
    assert_eq!(fs::read_to_string(private.join("inside")).unwrap(), "text");
    for path in [
        folder.path().join("file"),
        private.join("inside"),
        private.clone(),
    ] {
        assert!(!is_owned_by_somebody(&path).unwrap(), "{}", path.display());
    }
    let again = make_private_folder(&private).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert!(is_owned_by_somebody(&folder.path().join("missing")).is_err());
}

/// Only root may give a file away.
#[cfg(unix)]
#[test]
fn what_belongs_to_somebody_else_is_known() {
    let folder = folder(&[("file", "text")]);
    let file = folder.path().join("file");
    if is_elevated() {
        std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
        assert!(is_owned_by_somebody(&file).unwrap());
    }
    let private = folder.path().join("private");
    make_private_folder(&private).unwrap();
    let rights = fs::metadata(&private).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&rights) & 0o777, 0o700);
    assert!(!is_owned_by_somebody(std::path::Path::new("/")).unwrap());
}

#[test]
fn an_identity_stays_with_a_folder() {
    let folder = folder(&[("a", "a")]);
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("one")).unwrap();
    fs::create_dir(at("two")).unwrap();
    let one = identity(&at("one")).unwrap();
    assert!(one.is_some());
    assert_ne!(one, identity(&at("two")).unwrap());
    rename(&at("one"), &at("three")).unwrap();
    assert_eq!(identity(&at("three")).unwrap(), one);
    assert_eq!(identity(&at("one")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(identity(&at("a")).unwrap().is_some());
}

#[test]
fn the_system_says_who_and_how_much() {
    let name = computer_name();
    assert!(!name.is_empty() && !name.contains('.'), "{name}");
    let folder = folder(&[("a", "a")]);
    assert!(free_space(folder.path()).unwrap() > 0);
    assert!(free_space(&folder.path().join("a")).unwrap() > 0);
    assert!(free_space(&folder.path().join("not/there/yet")).unwrap() > 0);
    // Whichever it is: the same twice.
    assert_eq!(is_elevated(), is_elevated());
    assert!(holders(&folder.path().join("a")).is_empty());
}

#[test]
fn typing_is_hidden_at_a_terminal_and_nowhere_else() {
    use std::io::IsTerminal as _;
    assert_eq!(hide_typing().is_ok(), std::io::stdin().is_terminal());
    // It was set back, so it can be hidden again.
    assert_eq!(hide_typing().is_ok(), std::io::stdin().is_terminal());
}

/// A file another handle holds without sharing it: the call waits, and goes on as soon as it is free.
#[cfg(windows)]
#[test]
fn a_file_in_use_is_waited_for() {
    use std::os::windows::fs::OpenOptionsExt as _;
    let folder = folder(&[("a", "old"), ("new", "new")]);
    let at = |name: &str| folder.path().join(name);
    let held = fs::File::options()
        .read(true)
        .share_mode(0)
        .open(at("a"))
        .unwrap();
    let refused = system::replace_file(&at("a"), &at("new"), &at("saved")).unwrap_err();
    assert!(is_held(&refused), "{refused}");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            drop(held);
        });
        replace_file(&at("a"), &at("new"), &at("saved")).unwrap();
    });
    assert_eq!(contents(&folder), ["a=new", "saved=old"]);
}

/// Names longer than 260 units, for which the standard library changes the form of a path and these calls do too.
#[test]
fn long_paths_work() {
    let folder = folder(&[]);
    let deep = (0..6).fold(folder.path().to_owned(), |path, _| path.join("d".repeat(60)));
    fs::create_dir_all(&deep).unwrap();
    let at = |name: &str| deep.join(name);
    fs::write(at("a"), "old").unwrap();
    fs::write(at("new"), "new").unwrap();
    replace_file(&at("a"), &at("new"), &at("saved")).unwrap();
    rename(&at("a"), &at("b")).unwrap();
    assert_eq!(fs::read_to_string(at("b")).unwrap(), "new");
    assert_eq!(fs::read_to_string(at("saved")).unwrap(), "old");
    assert!(identity(&at("b")).unwrap().is_some());
    assert!(free_space(&deep).unwrap() > 0);
    sync_folder(&deep).unwrap();
}

#[test]
fn long_paths_get_the_form_without_a_limit() {
    let check = |from: &str, to: &str| assert_eq!(unlimited(from), PathBuf::from(to), "{from}");
    let long = "x".repeat(250);
    check(r"C:\a", r"C:\a");
    check(&format!(r"C:\{long}"), &format!(r"\\?\C:\{long}"));
    check(
        &format!(r"\\server\share\{long}"),
        &format!(r"\\?\UNC\server\share\{long}"),
    );
    check(&format!(r"\\?\C:\{long}"), &format!(r"\\?\C:\{long}"));
}

#[test]
fn waiting_has_a_bound() {
    let check = |fails: u32, most: Option<Duration>| {
        let left = RefCell::new(fails);
        let waited = RefCell::new(Duration::ZERO);
        let result = repeat(
            || {
                let now = *left.borrow();
                *left.borrow_mut() = now.saturating_sub(1);
                if now == 0 {
                    Ok(())
                } else {
                    Err(io::Error::other("held"))
                }
            },
            |_| most,
            |time| *waited.borrow_mut() += time,
        );
        (result.is_ok(), waited.into_inner())
    };
    assert_eq!(check(0, Some(PATIENCE)), (true, Duration::ZERO));
    let (good, waited) = check(5, Some(PATIENCE));
    assert!(good && waited == Duration::from_millis(5 + 10 + 20 + 40 + 80));
    let (good, waited) = check(u32::MAX, Some(PATIENCE));
    assert!(!good && waited >= PATIENCE && waited < PATIENCE * 2, "{waited:?}");
    assert_eq!(check(1, None), (false, Duration::ZERO));
}
