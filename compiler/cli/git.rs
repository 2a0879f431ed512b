//! Files of a git revision, read with the `git` program.
//!
//! Names are those `git` lists below the working folder, so `git:main:inventories/prod.yaml` and
//! `inventories/prod.yaml` name the same file. What a user typed never becomes an option: a revision may not begin with
//! `-`, stands behind `--end-of-options`, and contents are asked for by object id on standard input. This file must not
//! know what the files mean.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::files::{Files as _, MemoryFiles};
use crate::formats::Cut as _;

/// Largest file that is read from a revision.
const LARGEST: u64 = 256 << 20;

/// Most that git may say: contents of a whole revision with room to spare.
const MOST_OUTPUT: u64 = 1 << 30;

/// Most bytes of names that are kept of a revision. A real one has some thousand names of a hundred bytes.
const MOST_NAMES: usize = 64 << 20;

/// Longest entry of a listing: no system has longer paths.
const LONGEST_ENTRY: usize = 64 << 10;

/// How long git may say nothing. It waits for ever where a prepared repository has a pipe in place of a file.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked at while it says nothing.
const TICK: Duration = Duration::from_millis(20);

/// What a repository may not decide. Its configuration can name commands, and whoever sent the repository wrote that: a
/// missing object is fetched with a command of the remote's choice, a monitor of files is a command, and a folder that
/// looks like a bare repository brings a configuration along. Nothing here needs any of it.
const GUARDS: &[&str] = &[
    "-c",
    "safe.bareRepository=explicit",
    "-c",
    "protocol.allow=never",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=",
    "-c",
    "core.alternateRefsCommand=",
    "--no-replace-objects",
    "--no-optional-locks",
    "--no-pager",
];

/// The same for versions of git that do not know one of the options, and for what has no option.
const GUARDING_VARIABLES: &[(&str, &str)] = &[
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
];

/// Takes the next piece of what git says. `Err` ends it and is told.
type Sink<'s> = &'s mut (dyn FnMut(&[u8]) -> Result<(), String> + Send);

/// Runs `git`; tests put something else in its place.
pub(super) trait RunGit {
    /// Hands on the standard output of a run with these arguments and this input, piece by piece. `Err` holds what to
    /// tell the user.
    fn stream(&self, arguments: &[&str], input: &[u8], sink: Sink<'_>) -> Result<(), String>;

    /// The whole standard output.
    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        let mut output = Vec::new();
        self.stream(arguments, input, &mut |piece| {
            output.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(output)
    }
}

/// The `git` program on the search path, in the working folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct GitProgram;

impl RunGit for GitProgram {
    fn stream(&self, arguments: &[&str], input: &[u8], sink: Sink<'_>) -> Result<(), String> {
        let mut child = Command::new("git")
            .args(GUARDS)
            .args(arguments)
            .envs(GUARDING_VARIABLES.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    "the program `git` was not found".to_owned()
                } else {
                    format!("the program `git` cannot be started: {error}")
                }
            })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Mutex::new(child);
        let gave_up = AtomicBool::new(false);
        let mut message = Vec::new();
        // Input and both outputs at the same time: git waits for its reader while it is written to.
        let read = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A git that ends early has told why on standard error.
                if let Some(mut stdin) = stdin {
                    drop(stdin.write_all(input));
                }
            });
            scope.spawn(|| {
                if let Some(stderr) = stderr {
                    // What it says beyond a page is read and thrown away, or it would wait.
                    let mut rest = stderr;
                    drop(rest.by_ref().take(64 << 10).read_to_end(&mut message));
                    drop(io::copy(&mut rest, &mut io::sink()));
                }
            });
            let (alive, signs) = channel();
            let (watched, gave_up) = (&child, &gave_up);
            scope.spawn(move || watch(watched, gave_up, &signs));
            let read = stdout.map_or(Ok(()), |stdout| {
                hand_on(stdout, sink, &|| {
                    // The watch ends before its reader only when git is ended too.
                    let _ended = alive.send(());
                })
            });
            if read.is_err() {
                // It is still writing, to nobody.
                kill(&child);
            }
            drop(alive);
            read
        });
        let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        if gave_up.into_inner() {
            return Err(format!(
                "git said nothing for {} seconds and was ended; it waits like that where the repository has a pipe or a device in place of a file, look at `.git`",
                PATIENCE.as_secs()
            ));
        }
        read?;
        if status
            .map_err(|error| format!("`git` failed: {error}"))?
            .success()
        {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&message);
        let first = message
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it gave no reason");
        Err(in_own_words(first.trim_start_matches("fatal: ")))
    }
}

/// Hands on what is read, up to [`MOST_OUTPUT`], with a sign of life for each piece.
fn hand_on(mut from: impl io::Read, sink: Sink<'_>, sign: &dyn Fn()) -> Result<(), String> {
    let mut piece = vec![0; 64 << 10];
    let mut all = 0u64;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("`git` failed: {error}")),
        };
        sign();
        all = all.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if all > MOST_OUTPUT {
            return Err(format!("the revision has more than {} MiB", MOST_OUTPUT >> 20));
        }
        sink(piece.cut(..read))?;
    }
}

/// Ends a program that gives no sign of life, also when it has closed its output already.
fn watch(child: &Mutex<Child>, gave_up: &AtomicBool, signs: &Receiver<()>) {
    let mut silent = Duration::ZERO;
    loop {
        match signs.recv_timeout(TICK) {
            Ok(()) => {
                silent = Duration::ZERO;
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK / 10),
        }
        let ended = child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
        if !matches!(ended, Ok(None)) {
            return;
        }
        silent += TICK;
        if silent >= PATIENCE {
            gave_up.store(true, Ordering::Relaxed);
            kill(child);
            return;
        }
    }
}

fn kill(child: &Mutex<Child>) {
    // One that has ended already cannot be ended.
    drop(child.lock().unwrap_or_else(PoisonError::into_inner).kill());
}

/// What git says, with the remedy that it leaves out or hides in further lines.
fn in_own_words(message: &str) -> String {
    if let Some(folder) = message.strip_prefix("detected dubious ownership in repository at ") {
        let folder = folder.trim_matches('\'');
        return format!(
            "git does not read the repository `{folder}`, because it belongs to another account; trust it with `git config --global --add safe.directory {folder}`"
        );
    }
    message.to_owned()
}

/// Whether the clone has only the newest commits, as pipelines make them.
fn is_shallow(git: &dyn RunGit) -> bool {
    let answer = git.run(&["rev-parse", "--is-shallow-repository"], b"");
    answer.is_ok_and(|answer| answer.trim_ascii() == b"true")
}

/// One file of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blob {
    id: String,
    size: u64,
}

/// A revision: its files, not yet their contents.
pub(super) struct Revision<'a> {
    git: &'a dyn RunGit,
    blobs: BTreeMap<String, Blob>,
    unusable: BTreeMap<String, &'static str>,
}

impl<'a> Revision<'a> {
    /// Lists the files of a revision that `wanted` picks: a listing is read as it comes, and only their names are kept.
    /// `Err` is a message without the name of the revision.
    pub(super) fn open(
        git: &'a dyn RunGit,
        revision: &str,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Self, String> {
        if revision.is_empty() || revision.starts_with('-') {
            return Err("a revision may not be empty or begin with `-`".into());
        }
        if revision.chars().any(char::is_control) {
            return Err("a revision may not hold control characters".into());
        }
        // First the name alone, because `ls-tree` would take a file of the same name.
        let commit = format!("{revision}^{{commit}}");
        let id = git
            .run(
                &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit],
                b"",
            )
            .map_err(|why| match why.as_str() {
                "it gave no reason" if is_shallow(git) => "there is no such revision in this clone, which is shallow; fetch the rest first with `git fetch --unshallow`, in a pipeline with a depth of 0".to_owned(),
                "it gave no reason" => "there is no such revision".to_owned(),
                _ => why,
            })?;
        let id = String::from_utf8_lossy(&id);
        let id = id.lines().last().unwrap_or_default().trim();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("`git rev-parse` gave no object id".into());
        }
        let mut entries = Entries {
            wanted,
            rest: Vec::new(),
            kept: 0,
            blobs: BTreeMap::new(),
            unusable: BTreeMap::new(),
        };
        git.stream(
            &["ls-tree", "-r", "-z", "--long", "--end-of-options", id],
            b"",
            &mut |piece| entries.add(piece),
        )?;
        if !entries.rest.is_empty() {
            return Err(NO_LISTING.to_owned());
        }
        Ok(Self {
            git,
            blobs: entries.blobs,
            unusable: entries.unusable,
        })
    }

    /// Names of what is no file with content, and why: whoever looks for files must say so, or they would be missing
    /// without a word.
    pub(super) fn unusable(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.unusable.iter().map(|(name, why)| (name.as_str(), *why))
    }

    /// Names of all files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.blobs.keys().map(String::as_str)
    }

    /// All of them with their contents.
    pub(super) fn files(&self) -> Result<MemoryFiles, String> {
        if let Some((name, _)) = self.blobs.iter().find(|(_, blob)| blob.size > LARGEST) {
            return Err(format!("`{name}` is larger than {} MiB", LARGEST >> 20));
        }
        // Many names may be one small object.
        let sizes = self.blobs.values().map(|blob| blob.size);
        let all = sizes.fold(0, u64::saturating_add);
        if all > MOST_OUTPUT {
            return Err(format!(
                "its {} files have more than {} MiB together",
                self.blobs.len(),
                MOST_OUTPUT >> 20
            ));
        }
        let ids: Vec<&str> = self.blobs.values().map(|blob| blob.id.as_str()).collect();
        // The last line feed ends the last question.
        let input = ids.join("\n") + "\n";
        let output = if self.blobs.is_empty() {
            Vec::new()
        } else {
            self.git.run(&["cat-file", "--batch"], input.as_bytes())?
        };
        let files = MemoryFiles::default();
        let mut rest = output.as_slice();
        for (name, blob) in &self.blobs {
            let content = take(&mut rest, blob).ok_or("`git cat-file` gave something else than asked for")?;
            files
                .write(Path::new(name), content)
                .map_err(|error| format!("`{name}` cannot be kept: {error}"))?;
        }
        Ok(files)
    }
}

/// What is told when git gives something else than was asked for.
const NO_LISTING: &str = "`git ls-tree` gave something else than a listing";

/// The wanted entries of a listing, while it comes in pieces.
struct Entries<'w> {
    wanted: &'w (dyn Fn(&str) -> bool + Sync),
    /// The beginning of an entry whose end has not come yet.
    rest: Vec<u8>,
    /// Bytes of all names that are kept.
    kept: usize,
    blobs: BTreeMap<String, Blob>,
    unusable: BTreeMap<String, &'static str>,
}

impl Entries<'_> {
    fn add(&mut self, piece: &[u8]) -> Result<(), String> {
        for part in piece.split_inclusive(|byte| *byte == 0) {
            let Some(end) = part.strip_suffix(&[0]) else {
                self.rest.extend_from_slice(part);
                is_short(&self.rest)?;
                continue;
            };
            if self.rest.is_empty() {
                self.entry(end)?;
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(end);
                self.entry(&whole)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &[u8]) -> Result<(), String> {
        is_short(entry)?;
        let text = String::from_utf8_lossy(entry);
        let (name, listed) = listed(&text).ok_or(NO_LISTING)?;
        if !(self.wanted)(name) {
            return Ok(());
        }
        self.kept += name.len() + size_of::<Blob>();
        if self.kept > MOST_NAMES {
            return Err(format!(
                "the names of its files have more than {} MiB together",
                MOST_NAMES >> 20
            ));
        }
        let listed = if std::str::from_utf8(entry).is_ok() {
            listed
        } else {
            Listed::Unusable("its name is not UTF-8")
        };
        match listed {
            Listed::File(blob) => drop(self.blobs.insert(name.to_owned(), blob)),
            Listed::Unusable(why) => drop(self.unusable.insert(name.to_owned(), why)),
        }
        Ok(())
    }
}

/// Refuses what is longer than [`LONGEST_ENTRY`].
fn is_short(entry: &[u8]) -> Result<(), String> {
    if entry.len() > LONGEST_ENTRY {
        return Err(format!("it has a name of more than {} KiB", LONGEST_ENTRY >> 10));
    }
    Ok(())
}

/// One entry of a listing.
enum Listed {
    File(Blob),
    Unusable(&'static str),
}

/// `100644 blob ID SIZE\tNAME`; `None` when it is no such line.
fn listed(entry: &str) -> Option<(&str, Listed)> {
    let (meta, name) = entry.split_once('\t')?;
    let mut words = meta.split_ascii_whitespace();
    let (mode, kind, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let listed = match (mode, kind) {
        ("120000", _) => Listed::Unusable("it is a symbolic link, which is not followed in a revision"),
        (_, "commit") => Listed::Unusable("it is a submodule, whose files are not part of the revision"),
        // What git says where an object is missing and may not be fetched.
        _ if size == "BAD" => Listed::Unusable(
            "its content is not here: the clone is partial, and cbgen lets git fetch nothing; run `git fetch --refetch --no-filter` first",
        ),
        _ => Listed::File(Blob {
            id: id.to_owned(),
            size: size.parse().ok()?,
        }),
    };
    Some((name, listed))
}

/// The next content of a batch: `ID blob SIZE`, a line feed, the content, a line feed.
fn take<'a>(rest: &mut &'a [u8], blob: &Blob) -> Option<&'a [u8]> {
    let expected = format!("{} blob {}\n", blob.id, blob.size);
    let after = rest.strip_prefix(expected.as_bytes())?;
    let (content, after) = after.split_at_checked(usize::try_from(blob.size).ok()?)?;
    *rest = after.strip_prefix(b"\n")?;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers `rev-parse`, `ls-tree` and `cat-file` in this order.
    struct Fake([&'static str; 3]);

    impl RunGit for Fake {
        fn stream(&self, arguments: &[&str], _: &[u8], sink: Sink<'_>) -> Result<(), String> {
            let answer = match arguments.first() {
                Some(&"rev-parse") => self.0[0],
                Some(&"ls-tree") => self.0[1],
                _ => self.0[2],
            };
            if let Some(why) = answer.strip_prefix("fail ") {
                return Err(why.to_owned());
            }
            // In pieces that end anywhere.
            answer.as_bytes().chunks(3).try_for_each(sink)
        }
    }

    fn check(revision: &str, answers: [&'static str; 3]) -> Result<Vec<(String, String)>, String> {
        let fake = Fake(answers);
        let files = Revision::open(&fake, revision, &|_| true)?.files()?;
        let contents = files.contents().into_iter();
        Ok(contents
            .map(|(path, bytes)| (path.display().to_string(), String::from_utf8(bytes).unwrap()))
            .collect())
    }

    const TREE: &str = "100644 blob aa       3\ta b/ü.yaml\x00120000 blob bb       1\tlink\x00160000 commit cc       -\tsub\0";

    #[test]
    fn contents_of_regular_files() {
        let found = check("main", ["ab\n", TREE, "aa blob 3\nx\ny\n"]).unwrap();
        assert_eq!(found, [("a b/ü.yaml".to_owned(), "x\ny".to_owned())]);
    }

    #[test]
    fn what_has_no_content_is_named() {
        let names = Fake(["ab\n", TREE, ""]);
        let tree = Revision::open(&names, "main", &|_| true).unwrap();
        let found: Vec<_> = tree
            .unusable()
            .map(|(name, why)| (name, why.split(',').next().unwrap()))
            .collect();
        assert_eq!(
            found,
            [("link", "it is a symbolic link"), ("sub", "it is a submodule")]
        );
        let cut = Fake(["ab\n", "100644 blob aa       -\ta.yaml\0", ""]);
        assert!(Revision::open(&cut, "main", &|_| true).is_err());
    }

    /// A revision with this many names of this length.
    struct Large(usize, usize);

    impl RunGit for Large {
        fn stream(&self, arguments: &[&str], _: &[u8], sink: Sink<'_>) -> Result<(), String> {
            if arguments.first() == Some(&"rev-parse") {
                return sink(b"ab\n");
            }
            (0..self.0).try_for_each(|number| {
                let name = format!("{}{number}.yaml", "a".repeat(self.1));
                sink(format!("100644 blob aa       3\t{name}\0").as_bytes())
            })
        }
    }

    #[test]
    fn listings_are_bounded_by_what_is_kept_of_them() {
        let open = |large: Large, suffix: &str| {
            let wanted = |name: &str| name.ends_with(suffix);
            Revision::open(&large, "main", &wanted).map(|tree| tree.names().count())
        };
        assert_eq!(open(Large(50_000, 4000), "7.yml"), Ok(0));
        assert_eq!(open(Large(1_000, 40), "7.yaml"), Ok(100));
        let why = open(Large(50_000, 4000), ".yaml").unwrap_err();
        assert_eq!(why, "the names of its files have more than 64 MiB together");
        let why = open(Large(1, 70_000), ".yaml").unwrap_err();
        assert_eq!(why, "it has a name of more than 64 KiB");
    }

    #[test]
    fn a_foreign_repository_comes_with_its_remedy() {
        assert_eq!(
            in_own_words("detected dubious ownership in repository at '/srv/callback'"),
            "git does not read the repository `/srv/callback`, because it belongs to another account; trust it with `git config --global --add safe.directory /srv/callback`"
        );
        assert_eq!(in_own_words("not a git repository"), "not a git repository");
    }

    /// A clone without the revision, which is shallow.
    struct Shallow;

    impl RunGit for Shallow {
        fn stream(&self, arguments: &[&str], _: &[u8], sink: Sink<'_>) -> Result<(), String> {
            if arguments.contains(&"--is-shallow-repository") {
                sink(b"true\n")
            } else {
                Err("it gave no reason".to_owned())
            }
        }
    }

    #[test]
    fn a_shallow_clone_says_that_it_is_one() {
        let why = Revision::open(&Shallow, "v1.0", &|_| true).err().unwrap();
        assert!(why.contains("git fetch --unshallow"), "{why}");
    }

    #[test]
    fn what_git_says_reaches_the_user() {
        let no_name = "a revision may not be empty or begin with `-`";
        let no_content = "`git cat-file` gave something else than asked for";
        for (revision, answers, expected) in [
            ("--output=x", ["", "", ""], no_name),
            ("", ["", "", ""], no_name),
            (
                "x",
                ["fail it gave no reason", "", ""],
                "there is no such revision",
            ),
            ("x", ["fail not a git repository", "", ""], "not a git repository"),
            ("x", ["ab\n", TREE, "aa missing\n"], no_content),
        ] {
            assert_eq!(check(revision, answers).unwrap_err(), expected);
        }
    }
}
