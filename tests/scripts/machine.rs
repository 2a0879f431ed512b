//! A pretended Windows server: Wine's command interpreter runs a generated script, and every program the script starts
//! is a relay that asks the test what to answer. Knows nothing about single scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::{Tree, read_tree, write_tree};
use crate::support::wine::Wine;

/// A program call of a script: name and arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

impl Call {
    /// The call on one line.
    pub(crate) fn line(&self) -> String {
        let words = [&self.program].into_iter().chain(&self.arguments);
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// What a program answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Exit code and standard output.
    Code(i32, String),
    /// Exit code, standard output and standard error.
    Both(i32, String, String),
    /// Wine's own program of this name does it.
    Native,
}

/// Success without a word.
pub(crate) fn good() -> Answer {
    Answer::Code(0, String::new())
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
    pub(crate) calls: Vec<Call>,
    /// What each call was answered, `None` where Wine's own program did it.
    pub(crate) codes: Vec<Option<i32>>,
}

impl Outcome {
    /// Fails unless the script ended well and printed `text`.
    #[track_caller]
    pub(crate) fn expect_success(&self, text: &str) {
        assert!(
            self.code == 0 && self.output.contains(text),
            "expected `{text}`: {self:#?}"
        );
    }

    /// Fails unless the script stopped at `step` and printed `text`.
    #[track_caller]
    pub(crate) fn expect_failure(&self, step: &str, text: &str) {
        let line = format!("FAILED at step: {step}");
        assert!(
            self.code == 1 && self.output.contains(&line) && self.output.contains(text),
            "expected `{line}` and `{text}`: {self:#?}"
        );
    }
}

/// What every test shares: one Wine prefix and one compiled relay. Used by one test at a time.
struct Shared {
    wine: Wine,
}

static SHARED: LazyLock<Mutex<Shared>> = LazyLock::new(|| Mutex::new(Shared::new()));

fn program(candidates: &[&str], package: &str) -> String {
    let found = candidates.iter().find(|path| Path::new(path).is_file());
    (*found.unwrap_or_else(|| panic!("none of {candidates:?} is installed; install the package {package}")))
        .to_owned()
}

impl Shared {
    fn new() -> Self {
        let wine = Wine::new("cbgen-scripts");
        let compiler = program(&["/usr/bin/x86_64-w64-mingw32-gcc"], "gcc-mingw-w64-x86-64");
        let source = crate::harness::root().join("tests/stubs/relay.c");
        let built = Command::new(compiler)
            .args(["-O1", "-o"])
            .arg(wine.folder().join("relay.exe"))
            .arg(source)
            .status();
        assert!(
            built.expect("the compiler starts").success(),
            "relay.c does not compile"
        );
        Self { wine }
    }
}

/// A server with nothing on it but the unpacked bundle.
pub(crate) struct Machine {
    shared: MutexGuard<'static, Shared>,
    folder: TempDir,
    name: String,
    environment: BTreeMap<String, String>,
    /// Folders on drive C that go with this server.
    placed: BTreeSet<PathBuf>,
}

impl Machine {
    /// The server `name` with the archive of a bundle unpacked, and a relay for each of `programs`.
    pub(crate) fn new(name: &str, archive: &[u8], programs: &[&str]) -> Self {
        let shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = tempfile::Builder::new()
            .prefix("cbgen-server")
            .tempdir()
            .expect("a folder");
        let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).expect("an entry");
            let path = folder
                .path()
                .join("bundle")
                .join(file.name().expect("a name").as_ref());
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("a readable entry");
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, bytes).expect("a writable file");
        }
        for part in ["spool", "data", "temp"] {
            fs::create_dir(folder.path().join(part)).expect("a folder");
        }
        let machine = Self {
            shared,
            folder,
            name: name.to_owned(),
            environment: BTreeMap::new(),
            placed: BTreeSet::new(),
        };
        for program in programs {
            let path = machine
                .folder
                .path()
                .join("windows/System32")
                .join(format!("{program}.exe"));
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::copy(machine.shared.wine.folder().join("relay.exe"), path).expect("a copy");
        }
        machine
    }

    /// Puts a file on drive C; it goes with the server, and so do folders made for it.
    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) {
        let path = self.unix(path);
        let made = path.ancestors().skip(1).take_while(|folder| !folder.exists());
        self.placed.extend(made.last().map(Path::to_owned));
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("writable");
    }

    /// The relay under another name on drive C.
    pub(crate) fn put_relay(&mut self, path: &str) {
        let relay = fs::read(self.shared.wine.folder().join("relay.exe")).expect("the relay");
        self.put(path, &relay);
    }

    /// The folder of Windows programs.
    pub(crate) fn system(&self) -> PathBuf {
        self.folder.path().join("windows/System32")
    }

    /// Sets an environment variable for the scripts.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// A variable as a script on this server sees it that sets none.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let part = |part: &str| Some(Self::windows(&self.folder.path().join(part)));
        match name {
            "SYSTEMROOT" => part("windows"),
            "PROGRAMDATA" => part("data"),
            "TEMP" => part("temp"),
            "COMPUTERNAME" => Some(self.name.clone()),
            "PROGRAMFILES" => Some(r"C:\Program Files".to_owned()),
            _ => self.environment.get(name).cloned(),
        }
    }

    /// A text without the folder this server lies in, which differs from run to run.
    pub(crate) fn anonymous(&self, text: &str) -> String {
        text.replace(&Self::windows(self.folder.path()), "…")
    }

    /// Takes it away.
    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// A file of the state folder.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/cbgen/scripts/1.0").join(name)
    }

    /// What lies in the folder for temporary files.
    pub(crate) fn temporary(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("temp")).expect("a folder");
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect()
    }

    /// What the scripts saved so far.
    pub(crate) fn saved(&self) -> Tree {
        read_tree(&self.folder.path().join("data"))
    }

    /// Makes the scripts find what was saved at another time.
    pub(crate) fn restore(&self, saved: &Tree) {
        self.forget();
        write_tree(&self.folder.path().join("data"), saved);
    }

    /// Forgets everything the scripts saved.
    pub(crate) fn forget(&self) {
        let data = self.folder.path().join("data");
        fs::remove_dir_all(&data).expect("removable");
        fs::create_dir(data).expect("a folder");
    }

    /// A path in the bundle.
    pub(crate) fn bundle(&self, name: &str) -> PathBuf {
        self.folder.path().join("bundle").join(name)
    }

    /// The path on this machine of a Windows path.
    pub(crate) fn unix(&self, path: &str) -> PathBuf {
        let path = path.replace('\\', "/");
        match path.strip_prefix("C:/") {
            Some(rest) => self.shared.wine.drive().join(rest),
            None => PathBuf::from(path.strip_prefix("Z:").unwrap_or(&path)),
        }
    }

    /// The Windows path of a path on this machine.
    pub(crate) fn windows(path: &Path) -> String {
        format!("Z:{}", path.to_string_lossy().replace('/', "\\"))
    }

    /// Runs Wine's own `reg.exe`; gives its exit code and answer.
    pub(crate) fn reg(&self, arguments: &[&str]) -> (bool, String) {
        let output = self
            .shared
            .wine
            .command()
            .arg("reg.exe")
            .args(arguments)
            .arg("/reg:64")
            .output()
            .expect("wine starts");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }

    /// Runs a script of the bundle. `answer` sees every call and its number, counted from 1.
    pub(crate) fn run(&self, script: &str, answer: impl FnMut(usize, &Call) -> Answer) -> Outcome {
        self.run_with(script, "", answer)
    }

    /// The same with arguments, as they are typed.
    pub(crate) fn run_with(
        &self,
        script: &str,
        arguments: &str,
        mut answer: impl FnMut(usize, &Call) -> Answer,
    ) -> Outcome {
        let path = |part: &str| Self::windows(&self.folder.path().join(part));
        let mut wrapper = format!(
            "@echo off\r\nset \"SystemRoot={}\"\r\nset \"ProgramData={}\"\r\nset \"TEMP={}\"\r\nset \"COMPUTERNAME={}\"\r\n",
            path("windows"),
            path("data"),
            path("temp"),
            self.name
        );
        for (name, value) in &self.environment {
            write!(wrapper, "set \"{name}={value}\"\r\n").expect("a String");
        }
        write!(wrapper, "echo began>\"{}\"\r\n", path("began.txt")).expect("a String");
        let script_path = Self::windows(&self.bundle(script));
        write!(
            wrapper,
            "call \"{script_path}\" {arguments}\r\nexit %errorlevel%\r\n"
        )
        .expect("a String");
        fs::write(self.folder.path().join("run.cmd"), wrapper).expect("a writable file");
        // A server of Wine that is just ending now and then refuses a new program. Nothing of the script ran then.
        (0..3)
            .find_map(|_| self.attempt(script, &mut answer))
            .unwrap_or_else(|| panic!("Wine did not begin {script}"))
    }

    /// Runs `run.cmd` once, or says that Wine did not even begin it.
    fn attempt(&self, script: &str, answer: &mut dyn FnMut(usize, &Call) -> Answer) -> Option<Outcome> {
        let path = |part: &str| Self::windows(&self.folder.path().join(part));
        let printed = self.folder.path().join("printed.txt");
        let complaints = self.folder.path().join("complaints.txt");
        let mut child = self
            .shared
            .wine
            .command()
            .args(["cmd.exe", "/d", "/c", &path("run.cmd")])
            .env("CBGEN_TEST_SPOOL", path("spool"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(fs::File::create(&printed).expect("a file"))
            .stderr(fs::File::create(&complaints).expect("a file"))
            .spawn()
            .expect("wine starts");
        let (mut calls, mut codes) = (Vec::new(), Vec::new());
        let mut answered = BTreeSet::new();
        let begun = Instant::now();
        let status = loop {
            let status = child.try_wait().expect("a child");
            for entry in fs::read_dir(self.folder.path().join("spool"))
                .expect("a folder")
                .filter_map(Result::ok)
            {
                let request = entry.path();
                if request.extension().is_some_and(|end| end == "req") && answered.insert(request.clone()) {
                    let text = String::from_utf8_lossy(&fs::read(&request).expect("a request")).into_owned();
                    let mut words = text.split('\n').map(str::to_owned);
                    let call = Call {
                        program: words.next().unwrap_or_default(),
                        arguments: words.collect(),
                    };
                    calls.push(call.clone());
                    let (code, output, error) = match answer(calls.len(), &call) {
                        Answer::Native => (None, String::new(), String::new()),
                        Answer::Code(code, output) => (Some(code), output, String::new()),
                        Answer::Both(code, output, error) => (Some(code), output, error),
                    };
                    codes.push(code);
                    let result = code.map_or("native".to_owned(), |code| code.to_string());
                    fs::write(request.with_extension("out"), &output).expect("writable");
                    fs::write(request.with_extension("err"), &error).expect("writable");
                    let ready = request.with_extension("ready");
                    fs::write(&ready, result).expect("writable");
                    fs::rename(ready, request.with_extension("res")).expect("movable");
                }
            }
            if let Some(status) = status {
                break status;
            }
            if begun.elapsed() > Duration::from_mins(5) {
                child.kill().expect("a child");
                panic!("{script} does not end; calls: {calls:#?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        for entry in fs::read_dir(self.folder.path().join("spool"))
            .expect("a folder")
            .filter_map(Result::ok)
        {
            fs::remove_file(entry.path()).expect("removable");
        }
        fs::remove_file(self.folder.path().join("began.txt")).ok()?;
        let text = |path| String::from_utf8_lossy(&fs::read(path).expect("a file")).replace('\r', "");
        let output = text(printed);
        let errors = text(complaints);
        Some(Outcome {
            code: status.code().unwrap_or(-1),
            output,
            errors,
            calls,
            codes,
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A folder within another one that was made for an earlier file is gone already.
        for folder in self.placed.iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder).expect("removable");
        }
    }
}
