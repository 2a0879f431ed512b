//! Files of a git revision, read with the `git` program.
//!
//! Names are those `git` lists below the working folder, so `git:main:inventories/prod.yaml` and
//! `inventories/prod.yaml` name the same file. What a user typed never becomes an option: a revision may not begin with
//! `-`, stands behind `--end-of-options`, and contents are asked for by object id on standard input. This file must not
//! know what the files mean.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::files::{Files as _, MemoryFiles};

/// Largest file that is read from a revision.
const LARGEST: u64 = 256 << 20;

/// Most that git may say: contents of a whole revision with room to spare.
const MOST_OUTPUT: u64 = 1 << 30;

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

/// Runs `git`; tests put something else in its place.
pub(super) trait RunGit {
    /// Standard output of a run with these arguments and this input. `Err` holds what to tell the user.
    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String>;
}

/// The `git` program on the search path, in the working folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct GitProgram;

impl RunGit for GitProgram {
    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
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
        let mut output = Vec::new();
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
            let read = match stdout {
                Some(stdout) => stdout.take(MOST_OUTPUT + 1).read_to_end(&mut output),
                None => Ok(0),
            };
            if read.as_ref().map_or(true, |read| {
                u64::try_from(*read).unwrap_or(u64::MAX) > MOST_OUTPUT
            }) {
                // It is still writing, to nobody.
                drop(child.kill());
            }
            read
        });
        let status = child.wait();
        read.map_err(|error| format!("`git` failed: {error}"))?;
        if u64::try_from(output.len()).unwrap_or(u64::MAX) > MOST_OUTPUT {
            return Err(format!("the revision has more than {} MiB", MOST_OUTPUT >> 20));
        }
        if status
            .map_err(|error| format!("`git` failed: {error}"))?
            .success()
        {
            return Ok(output);
        }
        let message = String::from_utf8_lossy(&message);
        let first = message
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it gave no reason");
        Err(in_own_words(first.trim_start_matches("fatal: ")))
    }
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
    /// Lists a revision. `Err` is a message without the name of the revision.
    pub(super) fn open(git: &'a dyn RunGit, revision: &str) -> Result<Self, String> {
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
        let listing = git.run(&["ls-tree", "-r", "-z", "--long", "--end-of-options", id], b"")?;
        let (mut blobs, mut unusable) = (BTreeMap::new(), BTreeMap::new());
        for entry in listing.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let text = String::from_utf8_lossy(entry);
            let (name, listed) = listed(&text).ok_or("`git ls-tree` gave something else than a listing")?;
            let listed = if std::str::from_utf8(entry).is_ok() {
                listed
            } else {
                Listed::Unusable("its name is not UTF-8")
            };
            match listed {
                Listed::File(blob) => drop(blobs.insert(name, blob)),
                Listed::Unusable(why) => drop(unusable.insert(name, why)),
            }
        }
        Ok(Self { git, blobs, unusable })
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

    /// The files that `wanted` picks, with their contents.
    pub(super) fn files(&self, wanted: impl Fn(&str) -> bool) -> Result<MemoryFiles, String> {
        let picked: Vec<(&String, &Blob)> = self.blobs.iter().filter(|(name, _)| wanted(name)).collect();
        if let Some((name, _)) = picked.iter().find(|(_, blob)| blob.size > LARGEST) {
            return Err(format!("`{name}` is larger than {} MiB", LARGEST >> 20));
        }
        // Many names may be one small object.
        let all = picked
            .iter()
            .map(|(_, blob)| blob.size)
            .fold(0, u64::saturating_add);
        if all > MOST_OUTPUT {
            return Err(format!(
                "its {} files have more than {} MiB together",
                picked.len(),
                MOST_OUTPUT >> 20
            ));
        }
        let ids: Vec<&str> = picked.iter().map(|(_, blob)| blob.id.as_str()).collect();
        // The last line feed ends the last question.
        let input = ids.join(
            "
",
        ) + "
";
        let output = if picked.is_empty() {
            Vec::new()
        } else {
            self.git.run(&["cat-file", "--batch"], input.as_bytes())?
        };
        let files = MemoryFiles::default();
        let mut rest = output.as_slice();
        for (name, blob) in picked {
            let content = take(&mut rest, blob).ok_or("`git cat-file` gave something else than asked for")?;
            files
                .write(Path::new(name), content)
                .map_err(|error| format!("`{name}` cannot be kept: {error}"))?;
        }
        Ok(files)
    }
}

/// One entry of a listing.
enum Listed {
    File(Blob),
    Unusable(&'static str),
}

/// `100644 blob ID SIZE\tNAME`; `None` when it is no such line.
fn listed(entry: &str) -> Option<(String, Listed)> {
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
    Some((name.to_owned(), listed))
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
        fn run(&self, arguments: &[&str], _: &[u8]) -> Result<Vec<u8>, String> {
            let answer = match arguments.first() {
                Some(&"rev-parse") => self.0[0],
                Some(&"ls-tree") => self.0[1],
                _ => self.0[2],
            };
            answer
                .strip_prefix("fail ")
                .map_or(Ok(answer.as_bytes().to_vec()), |why| Err(why.to_owned()))
        }
    }

    fn check(revision: &str, answers: [&'static str; 3]) -> Result<Vec<(String, String)>, String> {
        let fake = Fake(answers);
        let files = Revision::open(&fake, revision)?.files(|_| true)?;
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
        let tree = Revision::open(&names, "main").unwrap();
        let found: Vec<_> = tree
            .unusable()
            .map(|(name, why)| (name, why.split(',').next().unwrap()))
            .collect();
        assert_eq!(
            found,
            [("link", "it is a symbolic link"), ("sub", "it is a submodule")]
        );
        let cut = Fake(["ab\n", "100644 blob aa       -\ta.yaml\0", ""]);
        assert!(Revision::open(&cut, "main").is_err());
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
        fn run(&self, arguments: &[&str], _: &[u8]) -> Result<Vec<u8>, String> {
            if arguments.contains(&"--is-shallow-repository") {
                Ok(b"true\n".to_vec())
            } else {
                Err("it gave no reason".to_owned())
            }
        }
    }

    #[test]
    fn a_shallow_clone_says_that_it_is_one() {
        let why = Revision::open(&Shallow, "v1.0").err().unwrap();
        assert!(why.contains("git fetch --unshallow"), "{why}");
    }

    #[test]
    fn what_git_says_reaches_the_user() {
        let failed = |revision, answers| check(revision, answers).unwrap_err();
        assert_eq!(
            failed("--output=x", ["", "", ""]),
            "a revision may not be empty or begin with `-`"
        );
        assert_eq!(
            failed("", ["", "", ""]),
            "a revision may not be empty or begin with `-`"
        );
        assert_eq!(
            failed("x", ["fail it gave no reason", "", ""]),
            "there is no such revision"
        );
        assert_eq!(
            failed("x", ["fail not a git repository", "", ""]),
            "not a git repository"
        );
        assert_eq!(
            failed("x", ["ab\n", TREE, "aa missing\n"]),
            "`git cat-file` gave something else than asked for"
        );
    }
}
