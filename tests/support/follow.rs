//! Follows a generated batch script line by line, as far as these scripts go.
//!
//! Lines are taken apart by the product's own model of cmd.exe (`formats::cmd::phases`), so every argument a program gets
//! here is the one the model says it gets on Windows; nothing is typed again. Flow (`if`, `goto`, `call :LABEL`,
//! `for /f` over a file, `exit /b`) is followed here. What the programs do is a matter of the [`Server`]; it must not know
//! what a script wants to hear.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use cbgen::formats::cmd::phases::{Command, Joint, arguments_of, percent_pass, split};

/// What a script finds around it.
pub(crate) trait Server {
    /// A variable the script did not set; the name is in upper case.
    fn variable(&self, name: &str) -> Option<String>;

    /// The place on this machine of a Windows path.
    fn file(&self, path: &str) -> PathBuf;

    /// Starts a program or a built-in command that is not flow. `program` is a file name in lower case without `.exe`,
    /// `variables` are those of the script.
    fn start(&mut self, program: &str, arguments: &[&str], variables: &BTreeMap<String, String>) -> Started;

    /// Hears of the lines before and behind the program that is started next.
    fn comes_to(&mut self, _before: &str, _behind: &str) {}

    /// `if exist`; `\.` behind a path asks for a folder.
    fn exists(&self, path: &str) -> bool {
        match path.strip_suffix("\\.") {
            Some(folder) => self.file(folder).is_dir(),
            None => self.file(path).exists(),
        }
    }

    /// Whether a file can be made at a path: its folder is there.
    fn has_folder_of(&self, path: &str) -> bool {
        let (folder, _) = path.rsplit_once('\\').expect("a path with a folder");
        self.file(folder).is_dir()
    }
}

/// What a program did.
#[derive(Debug, Default)]
pub(crate) struct Started {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Started {
    /// Without a word.
    pub(crate) fn quiet(failed: bool) -> Self {
        Self {
            code: i32::from(failed),
            ..Self::default()
        }
    }

    /// Success with something to say.
    pub(crate) fn says(output: String) -> Self {
        Self {
            output,
            ..Self::default()
        }
    }
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// What it printed, with the output of its tools.
    pub(crate) printed: String,
}

/// Runs a script with one argument.
pub(crate) fn follow(server: &mut dyn Server, script: &str, argument: &str) -> Ended {
    let mut run = Run {
        server,
        lines: script.lines().map(str::trim).collect(),
        at: 0,
        variables: BTreeMap::new(),
        code: 0,
        printed: String::new(),
        arguments: vec![argument.to_owned()],
    };
    let code = run.from(0);
    Ended {
        code,
        printed: run.printed,
    }
}

/// The commands of cmd.exe that work on files. `None` for a program.
pub(crate) fn built_in(server: &dyn Server, program: &str, arguments: &[&str]) -> Option<Started> {
    let started = match (program, arguments) {
        ("copy", ["/y", from, to]) => {
            Started::quiet(!server.has_folder_of(to) || fs::copy(server.file(from), server.file(to)).is_err())
        }
        ("type", [path]) => Started::says(fs::read_to_string(server.file(path)).expect("a file to show")),
        ("move", ["/y", from, to]) => Started::quiet(fs::rename(server.file(from), server.file(to)).is_err()),
        // It succeeds when there is nothing to delete.
        ("del", ["/q", path] | [path]) => {
            let path = server.file(path);
            Started::quiet(path.exists() && fs::remove_file(path).is_err())
        }
        ("mkdir", [path]) => {
            let path = server.file(path);
            Started::quiet(path.exists() || fs::create_dir_all(path).is_err())
        }
        _ => return None,
    };
    Some(started)
}

struct Run<'m> {
    server: &'m mut dyn Server,
    lines: Vec<&'m str>,
    /// The line that is run.
    at: usize,
    variables: BTreeMap<String, String>,
    code: i32,
    printed: String,
    arguments: Vec<String>,
}

/// Where to go on.
enum Next {
    Line,
    Label(String),
    Leave(i32),
}

impl Run<'_> {
    fn from(&mut self, mut at: usize) -> i32 {
        loop {
            let line = *self.lines.get(at).expect("the script ends with exit");
            self.at = at;
            match self.line(line) {
                Next::Line => at += 1,
                Next::Label(label) => at = self.label(&label),
                Next::Leave(code) => return code,
            }
        }
    }

    fn label(&self, label: &str) -> usize {
        let found = self
            .lines
            .iter()
            .position(|line| line.eq_ignore_ascii_case(label));
        found.unwrap_or_else(|| panic!("no label {label}"))
    }

    /// A look-up of variables as they are now.
    fn environment(&self) -> impl Fn(&str) -> Option<String> {
        |name| match name.trim_start_matches('~').parse::<usize>() {
            Ok(number) => self.arguments.get(number.wrapping_sub(1)).cloned(),
            Err(_) if name == "ERRORLEVEL" => Some(self.code.to_string()),
            Err(_) => self
                .variables
                .get(name)
                .cloned()
                .or_else(|| self.server.variable(name)),
        }
    }

    fn line(&mut self, line: &str) -> Next {
        if line.starts_with("for ") {
            return self.for_file(line);
        }
        let commands = {
            let environment = self.environment();
            let expanded = percent_pass(line, &environment).expect("a line the model reads");
            if line.starts_with("if ") && !self.condition(&expanded) {
                return Next::Line;
            }
            let comment = line.starts_with(':') || line.starts_with("rem ");
            let pieces = if comment { Ok(Vec::new()) } else { split(&expanded) };
            assert!(
                pieces.is_ok_and(|pieces| pieces
                    .iter()
                    .all(|piece| matches!(piece.joint, Joint::First | Joint::OrElse))),
                "{line}: only `||` is followed"
            );
            arguments_of(line, &environment).unwrap_or_else(|error| panic!("{line}: {error}"))
        };
        let mut next = Next::Line;
        for (index, command) in commands.iter().enumerate() {
            if index == 0 || self.code != 0 {
                next = self.command(command);
            }
        }
        next
    }

    /// Whether the conditions at the beginning of a line hold.
    fn condition(&self, mut rest: &str) -> bool {
        while let Some(after) = rest.strip_prefix("if ") {
            let (expected, after) = after
                .strip_prefix("not ")
                .map_or((true, after), |after| (false, after));
            let (holds, command) = if let Some(after) = after.strip_prefix("exist \"") {
                let (path, command) = after.split_once("\" ").expect("a quoted path");
                (self.server.exists(path), command)
            } else if let Some(after) = after.strip_prefix("defined ") {
                let (name, command) = after.split_once(' ').expect("a name");
                (self.variables.contains_key(name), command)
            } else {
                let (any_case, after) = after
                    .strip_prefix("/i ")
                    .map_or((false, after), |after| (true, after));
                let (left, after) = after
                    .strip_prefix('"')
                    .expect("a quote")
                    .split_once("\"==\"")
                    .expect("==");
                let (right, command) = after.split_once("\" ").expect("a quote");
                (
                    left == right || any_case && left.eq_ignore_ascii_case(right),
                    command,
                )
            };
            if holds != expected {
                return false;
            }
            rest = command;
        }
        true
    }

    /// `for /f "usebackq tokens=…,* delims=…" %%A in ("file") do set "NAME=%%B"` or `do call :LABEL "%%A"`.
    fn for_file(&mut self, line: &str) -> Next {
        let (head, body) = line.split_once(") do ").expect("a for line");
        let (options, path) = head.split_once("\" %%A in (\"").expect("a for line over a file");
        let path = percent_pass(path.trim_end_matches('"'), &self.environment()).expect("a path");
        let text = fs::read_to_string(self.server.file(&path)).expect("the file of a for line");
        let first: usize = if options.contains("tokens=2,*") { 2 } else { 1 };
        let delimiters = options.split_once("delims=").map_or(" \t", |(_, signs)| signs);
        let is_delimiter = |c: char| delimiters.contains(c);
        for read in text.lines() {
            let mut rest = read.trim_start_matches(is_delimiter);
            let mut token = "";
            for _ in 0..first {
                let end = rest.find(is_delimiter).unwrap_or(rest.len());
                (token, rest) = rest.split_at(end);
                rest = rest.trim_start_matches(is_delimiter);
            }
            if !token.is_empty() {
                self.line(&body.replace("%%A", token).replace("%%B", rest));
            }
        }
        Next::Line
    }

    fn command(&mut self, command: &Command) -> Next {
        let arguments: Vec<&str> = command.arguments.iter().map(String::as_str).collect();
        let raw = arguments.first().copied().unwrap_or_default();
        let path = command.program.to_lowercase();
        let name = path.rsplit('\\').next().unwrap_or_default();
        let program = name.trim_end_matches(".exe").to_owned();
        if command.through_call && program.starts_with(':') {
            let outer = std::mem::replace(&mut self.arguments, command.arguments.clone());
            self.code = self.from(self.label(&program) + 1);
            self.arguments = outer;
            return Next::Line;
        }
        if let Some(target) = target(command)
            && !self.server.has_folder_of(target)
        {
            self.code = 1;
            return Next::Line;
        }
        match program.as_str() {
            "goto" => return Next::Label(raw.to_owned()),
            "exit" => {
                let code = raw.trim_start_matches("/b").trim();
                self.code = if code.is_empty() {
                    self.code
                } else {
                    code.parse().expect("a number")
                };
                return Next::Leave(self.code);
            }
            "set" => {
                let assignment = raw.trim_matches('"');
                let (name, value) = assignment.split_once('=').expect("an assignment");
                if value.is_empty() {
                    self.variables.remove(&name.to_uppercase());
                } else {
                    self.variables.insert(name.to_uppercase(), value.to_owned());
                }
            }
            "setlocal" | "endlocal" => {}
            "echo" if raw == "off" => {}
            "echo" | "echo." => self.write(command, Started::says(format!("{raw}\n"))),
            _ => {
                assert!(
                    !is_batch_file(&program) || command.through_call,
                    "without call the script would end at {program}"
                );
                let line = |at: usize| self.lines.get(at).copied().unwrap_or_default();
                self.server
                    .comes_to(line(self.at.wrapping_sub(1)), line(self.at + 1));
                let started = self.server.start(&program, &arguments, &self.variables);
                self.code = started.code;
                self.write(command, started);
            }
        }
        Next::Line
    }

    /// Output and errors go where the redirections say.
    fn write(&mut self, command: &Command, started: Started) {
        let Started {
            mut output, errors, ..
        } = started;
        let has = |wanted: &str| {
            command
                .redirections
                .iter()
                .any(|to| to.eq_ignore_ascii_case(wanted))
        };
        if has("2>&1") {
            output += &errors;
        } else if !has("2>nul") {
            self.printed += &errors;
        }
        match target(command) {
            Some(target) => {
                let mut options = fs::OpenOptions::new();
                let appends = command.redirections.iter().any(|to| to.starts_with(">>"));
                options
                    .create(true)
                    .write(true)
                    .append(appends)
                    .truncate(!appends);
                let mut file = options.open(self.server.file(target)).expect("writable");
                file.write_all(output.as_bytes()).expect("writable");
            }
            None if has(">nul") => {}
            None => self.printed += &output,
        }
    }
}

fn is_batch_file(program: &str) -> bool {
    program.ends_with(".bat") || program.ends_with(".cmd")
}

/// The file the output of a command goes to.
fn target(command: &Command) -> Option<&str> {
    let mut targets = command.redirections.iter().filter_map(|to| to.strip_prefix('>'));
    // The second sign of `>>` only says that the file is not emptied first.
    let target = targets.next()?.trim_start_matches('>').trim_matches('"');
    (!target.eq_ignore_ascii_case("nul")).then_some(target)
}
