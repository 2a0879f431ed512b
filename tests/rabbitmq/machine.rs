//! Runs a generated batch script against a private node, as far as these scripts go.
//!
//! Lines are taken apart by the product's own model of cmd.exe (`formats::cmd::phases`), so every argument a tool gets
//! here is the one the model says it gets on Windows; nothing is typed again. Flow (`if`, `goto`, `call :LABEL`,
//! `for /f` over a file, `exit /b`) is followed. RabbitMQ's tools and openssl are the real programs; the programs of
//! Windows are played: service, registry, `findstr`, `fc`, `copy`. Whatever a script starts that is not known here fails
//! the test.
//!
//! A path with a drive letter and backslashes is the name of one file in the node's folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cbgen::formats::cmd::phases::{Command, arguments_of, percent_pass};

use super::broker::{Broker, Network};
use crate::support::program::{finish, program};

/// A Windows server: a node, its files, and how its scripts end.
pub(super) struct Machine<'a> {
    pub(super) broker: &'a mut Broker,
    pub(super) network: &'a Network,
    /// The configuration file as the service was told when it was installed; with slashes.
    pub(super) service_reads: String,
}

/// How a script ended.
pub(super) struct Ended {
    pub(super) code: i32,
    /// What it printed, with the output of its tools.
    pub(super) printed: String,
}

struct Run<'m, 'a> {
    machine: &'m mut Machine<'a>,
    lines: Vec<&'m str>,
    variables: BTreeMap<String, String>,
    code: i32,
    printed: String,
    argument: String,
}

/// Where to go on.
enum Next {
    Line,
    Label(String),
    Leave(i32),
}

impl Machine<'_> {
    /// Runs a script with one argument.
    pub(super) fn run(&mut self, script: &str, argument: &str) -> Ended {
        let mut run = Run {
            machine: self,
            lines: script.lines().map(str::trim).collect(),
            variables: BTreeMap::new(),
            code: 0,
            printed: String::new(),
            argument: argument.to_owned(),
        };
        let code = run.from(0);
        Ended {
            code,
            printed: run.printed,
        }
    }

    /// Runs a script that must end well; gives what it printed.
    #[track_caller]
    pub(super) fn succeed(&mut self, script: &str) -> String {
        let ended = self.run(script, "");
        assert_eq!(
            ended.code,
            0,
            "{}: {}\n{}",
            self.broker.name,
            ended.printed,
            self.broker.log()
        );
        ended.printed
    }
}

/// The text of a file in the node's folder by its Windows path; empty when there is none.
pub(super) fn read(broker: &Broker, path: &str) -> String {
    fs::read_to_string(broker.folder.join(path)).unwrap_or_default()
}

impl Run<'_, '_> {
    fn from(&mut self, mut at: usize) -> i32 {
        loop {
            let line = *self.lines.get(at).expect("the script ends with exit");
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
    fn environment(&self) -> impl Fn(&str) -> Option<String> + use<> {
        let (variables, code, argument) = (self.variables.clone(), self.code, self.argument.clone());
        move |name| match name {
            "ERRORLEVEL" => Some(code.to_string()),
            "PROGRAMDATA" => Some(r"C:\ProgramData".to_owned()),
            "SYSTEMROOT" => Some(r"C:\Windows".to_owned()),
            "PROGRAMFILES" => Some(r"C:\Program Files".to_owned()),
            "RANDOM" => Some("16180".to_owned()),
            "~DP0" => Some(r"C:\bundle\".to_owned()),
            "~1" | "1" => Some(argument.clone()),
            _ => variables.get(name).cloned(),
        }
    }

    fn line(&mut self, line: &str) -> Next {
        if line.starts_with("for ") {
            return self.for_file(line);
        }
        let environment = self.environment();
        if line.starts_with("if ") {
            let expanded = percent_pass(line, &environment).expect("a line the model reads");
            if !self.condition(&expanded) {
                return Next::Line;
            }
        }
        let commands = arguments_of(line, &environment).unwrap_or_else(|error| panic!("{line}: {error}"));
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
                let there = path.ends_with("\\.") || path.ends_with(r"\Git\usr\bin\openssl.exe");
                (there || self.file(path).exists(), command)
            } else if let Some(after) = after.strip_prefix("defined ") {
                let (name, command) = after.split_once(' ').expect("a name");
                (self.variables.contains_key(name), command)
            } else {
                let (left, after) = after
                    .strip_prefix('"')
                    .expect("a quote")
                    .split_once("\"==\"")
                    .expect("==");
                let (right, command) = after.split_once("\" ").expect("a quote");
                (left == right, command)
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
        let environment = self.environment();
        let path = percent_pass(path.trim_end_matches('"'), &environment).expect("a path");
        let text = fs::read_to_string(self.file(&path)).expect("the file of a for line");
        let first: usize = if options.contains("tokens=2,*") { 2 } else { 1 };
        let by_equals = options.ends_with("delims==");
        for read in text.lines() {
            let is_delimiter = |c: char| {
                if by_equals {
                    c == '='
                } else {
                    c == ' ' || c == '\t'
                }
            };
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
            let outer = std::mem::replace(&mut self.argument, raw.to_owned());
            self.code = self.from(self.label(&program) + 1);
            self.argument = outer;
            return Next::Line;
        }
        let (code, output) = match program.as_str() {
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
                    self.variables.remove(name);
                } else {
                    self.variables.insert(name.to_uppercase(), value.to_owned());
                }
                return Next::Line;
            }
            "setlocal" | "endlocal" => return Next::Line,
            "echo" if raw == "off" => return Next::Line,
            "echo" | "echo." => (self.code, format!("{raw}\n")),
            "rabbitmqctl.bat" | "rabbitmq-plugins.bat" => {
                assert!(command.through_call, "without call the script would end");
                self.tool(program.trim_end_matches(".bat"), &arguments)
            }
            "openssl" => self.openssl(&arguments),
            "findstr" => self.findstr(&arguments),
            "copy" => {
                let [_, from, to] = arguments[..] else {
                    panic!("{arguments:?}")
                };
                let copied = fs::copy(self.file(from), self.file(to));
                (i32::from(copied.is_err()), String::new())
            }
            "fc" => {
                let contents: Vec<_> = arguments
                    .iter()
                    .filter(|argument| **argument != "/b")
                    .map(|path| fs::read(self.file(path)).expect("a file to compare"))
                    .collect();
                (i32::from(contents[0] != contents[1]), String::new())
            }
            "type" => (0, fs::read_to_string(self.file(raw)).expect("a file to show")),
            "del" => {
                let removed = fs::remove_file(self.file(arguments.last().expect("a path")));
                (i32::from(removed.is_err()), String::new())
            }
            "reg" => self.registry(&arguments),
            "net" | "sc" => self.service(&program, &arguments),
            "rabbitmq-service.bat" => {
                assert_eq!(arguments, ["install"]);
                self.machine.service_reads = self.variables["RABBITMQ_CONFIG_FILE"].replace('\\', "/");
                (0, String::new())
            }
            "netstat" => (
                0,
                "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING\n".to_owned(),
            ),
            "icacls" | "mkdir" | "ping" => (0, String::new()),
            other => panic!("the script starts {other} {arguments:?}"),
        };
        if !program.starts_with("echo") {
            self.code = code;
        }
        self.write(command, &output);
        Next::Line
    }

    /// Standard output goes where the redirections say.
    fn write(&mut self, command: &Command, output: &str) {
        let target = command
            .redirections
            .iter()
            .find_map(|redirection| redirection.strip_prefix('>'));
        match target {
            None => self.printed += output,
            Some(target) if target.eq_ignore_ascii_case("nul") => {}
            Some(target) => {
                fs::write(self.file(target.trim_matches('"')), output).expect("writable");
            }
        }
    }

    fn file(&self, path: &str) -> PathBuf {
        assert!(path.starts_with("C:\\"), "{path} is no path on drive C");
        let slashed = self.machine.broker.folder.join(path.replace('\\', "/"));
        // Certificates are real files below `C:`, everything else is one name.
        if slashed.exists() {
            slashed
        } else {
            self.machine.broker.folder.join(path)
        }
    }

    fn tool(&self, tool: &str, arguments: &[&str]) -> (i32, String) {
        let ran = self.machine.broker.run(self.machine.network, tool, arguments);
        (ran.code, ran.stdout + &ran.stderr)
    }

    fn openssl(&self, arguments: &[&str]) -> (i32, String) {
        let broker = &self.machine.broker;
        let server = format!("{}:", broker.name);
        let arguments = arguments
            .iter()
            .map(|argument| match argument.strip_prefix(&server) {
                Some(port) => format!("{}:{port}", broker.address),
                None => argument.replace('\\', "/"),
            });
        let ran = finish(program("openssl").args(arguments).current_dir(&broker.folder));
        (ran.code, ran.stdout + &ran.stderr)
    }

    /// Literal search; the two patterns with `/r` look for listeners in a played list and find none.
    fn findstr(&self, arguments: &[&str]) -> (i32, String) {
        let (path, options) = arguments.split_last().expect("a file");
        let text = fs::read_to_string(self.file(path)).unwrap_or_else(|_| panic!("findstr reads {path}"));
        let ignore_case = options.contains(&"/i");
        let fold = |text: &str| {
            if ignore_case {
                text.to_lowercase()
            } else {
                text.to_owned()
            }
        };
        let mut patterns: Vec<String> = Vec::new();
        for option in options {
            match option.strip_prefix("/c:") {
                Some(pattern) => patterns.push(fold(pattern)),
                None if option.starts_with('/') => {}
                None => patterns.extend(option.split(' ').map(fold)),
            }
        }
        let at_begin = options.contains(&"/b");
        let found: Vec<&str> = text
            .lines()
            .filter(|line| {
                let line = fold(line);
                patterns.iter().any(|pattern| {
                    if at_begin {
                        line.starts_with(pattern)
                    } else {
                        line.contains(pattern)
                    }
                })
            })
            .collect();
        (i32::from(found.is_empty()), found.join("\n"))
    }

    fn registry(&self, arguments: &[&str]) -> (i32, String) {
        match arguments {
            ["query", key, view] if key.ends_with(r"ErlSrv\1.1\RabbitMQ") => {
                assert_eq!(*view, "/reg:64");
                let reads = &self.machine.service_reads;
                let text = format!(
                    "\n{key}\n    WorkDir    REG_EXPAND_SZ    C:\\base\n    \
                     Args    REG_EXPAND_SZ    -rabbit windows_service_config \\\"{reads}\\\"\n"
                );
                (0, text)
            }
            ["query", _, "/v", name] if name.starts_with("RABBITMQ_NODE_") => (1, String::new()),
            ["export", _, target, ..] => {
                fs::write(self.machine.broker.folder.join(target), "saved").expect("writable");
                (0, String::new())
            }
            ["import", source, ..] => (i32::from(!self.file(source).exists()), String::new()),
            other => panic!("reg {other:?}"),
        }
    }

    fn service(&mut self, program: &str, arguments: &[&str]) -> (i32, String) {
        let (broker, network) = (&mut *self.machine.broker, self.machine.network);
        match (program, arguments) {
            ("net", ["session"]) => (0, String::new()),
            ("net", ["stop", "RabbitMQ"]) => {
                broker.stop(network);
                (0, String::new())
            }
            ("net", ["start", "RabbitMQ"]) => {
                broker.start(network);
                broker.wait(network);
                (0, String::new())
            }
            ("sc", ["query", "RabbitMQ"]) => (0, "        STATE              : 1  STOPPED\n".to_owned()),
            other => panic!("{other:?}"),
        }
    }
}
