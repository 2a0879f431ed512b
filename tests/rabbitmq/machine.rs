//! Runs a generated batch script against a private node, as far as these scripts go.
//!
//! Lines are taken apart by the product's own model of cmd.exe (`formats::cmd::phases`), so every argument a tool gets
//! here is the one the model says it gets on Windows; nothing is typed again. Flow (`if`, `goto`, `call :LABEL`,
//! `for /f` over a file, `exit /b`) is followed. RabbitMQ's tools and openssl are the real programs; the programs of
//! Windows are played in `windows.rs`. Whatever a script starts that is not known here fails the test.
//!
//! A path with a drive letter and backslashes is the name of one file in the node's folder.

use std::collections::BTreeMap;
use std::fs;

use cbgen::formats::cmd::phases::{Command, Joint, arguments_of, percent_pass, split};

use super::broker::{Broker, Network};
use crate::harness::Ran;
use crate::support::program::{finish, line_with, program};

/// A Windows server: a node, its files, and how its scripts end.
pub(super) struct Machine<'a> {
    pub(super) broker: &'a mut Broker,
    pub(super) network: &'a Network,
    /// The configuration file as the service was told when it was installed; with slashes.
    pub(super) service_reads: String,
    /// A variable the system sets for its services.
    pub(super) system_setting: Option<&'static str>,
    /// What `netstat -p` shows the broker's listeners under.
    pub(super) listens_on: &'static str,
    /// A program that fails without doing anything.
    pub(super) failing: Option<&'static str>,
    /// Every program that was started, with its arguments.
    pub(super) calls: Vec<Vec<String>>,
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

impl<'a> Machine<'a> {
    /// A server whose service reads the file that the bundle writes.
    pub(super) fn new(broker: &'a mut Broker, network: &'a Network, service_reads: &str) -> Self {
        Self {
            broker,
            network,
            service_reads: service_reads.replace('\\', "/"),
            system_setting: None,
            listens_on: "TCP",
            failing: None,
            calls: Vec::new(),
        }
    }

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

    /// Runs a script that must end at a step; gives what it printed.
    #[track_caller]
    pub(super) fn fail(&mut self, script: &str, step: &str) -> String {
        let ended = self.run(script, "");
        let found = line_with(&ended.printed, "FAILED at step: ");
        assert_eq!(
            (
                ended.code,
                found.trim_start_matches("FAILED at step: ").starts_with(step)
            ),
            (1, true),
            "{}, {step}: {}\n{}",
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
        let computer = self.machine.broker.name.to_uppercase();
        move |name| match name {
            "COMPUTERNAME" => Some(computer.clone()),
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
        let expanded = percent_pass(line, &environment).expect("a line the model reads");
        assert!(
            split(&expanded).is_ok_and(|pieces| pieces
                .iter()
                .all(|piece| matches!(piece.joint, Joint::First | Joint::OrElse))),
            "{line}: only `||` is followed"
        );
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
                (self.machine.exists(path), command)
            } else if let Some(after) = after.strip_prefix("defined ") {
                let (name, command) = after.split_once(' ').expect("a name");
                (self.variables.contains_key(name), command)
            } else {
                // Names of servers are compared with `/i`, and both sides are made by the tests.
                let after = after.strip_prefix("/i ").unwrap_or(after);
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
        let text = fs::read_to_string(self.machine.file(&path)).expect("the file of a for line");
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
        if let Some(target) = target(command)
            && !self.machine.has_folder_of(target)
        {
            self.code = 1;
            return Next::Line;
        }
        if !matches!(
            program.as_str(),
            "goto" | "exit" | "set" | "setlocal" | "endlocal" | "echo" | "echo."
        ) {
            let words = std::iter::once(&program).chain(&command.arguments);
            self.machine.calls.push(words.cloned().collect());
        }
        let mut errors = String::new();
        let (code, output) = match program.as_str() {
            failing if self.machine.failing == Some(failing) => (5, String::new()),
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
                let ran = self.tool(program.trim_end_matches(".bat"), &arguments);
                errors = ran.stderr;
                (ran.code, ran.stdout)
            }
            "openssl" => {
                let ran = self.openssl(&arguments);
                errors = ran.stderr;
                (ran.code, ran.stdout)
            }
            "rabbitmq-service.bat" => {
                assert_eq!(arguments, ["install"]);
                self.machine.service_reads = self.variables["RABBITMQ_CONFIG_FILE"].replace('\\', "/");
                (0, String::new())
            }
            played => self.machine.play(played, &arguments),
        };
        if !program.starts_with("echo") {
            self.code = code;
        }
        self.write(command, output, &errors);
        Next::Line
    }

    /// Output and errors go where the redirections say.
    fn write(&mut self, command: &Command, mut output: String, errors: &str) {
        let has = |wanted: &str| {
            command
                .redirections
                .iter()
                .any(|to| to.eq_ignore_ascii_case(wanted))
        };
        if has("2>&1") {
            output += errors;
        } else if !has("2>nul") {
            self.printed += errors;
        }
        match target(command) {
            Some(target) => fs::write(self.machine.file(target), output).expect("writable"),
            None if has(">nul") => {}
            None => self.printed += &output,
        }
    }

    fn tool(&self, tool: &str, arguments: &[&str]) -> Ran {
        self.machine.broker.run(self.machine.network, tool, arguments)
    }

    fn openssl(&self, arguments: &[&str]) -> Ran {
        let broker = &self.machine.broker;
        let server = format!("{}:", broker.name);
        let arguments = arguments
            .iter()
            .map(|argument| match argument.strip_prefix(&server) {
                Some(port) => format!("{}:{port}", broker.address),
                None => argument.replace('\\', "/"),
            });
        finish(program("openssl").args(arguments).current_dir(&broker.folder))
    }
}

/// The file the output of a command goes to.
fn target(command: &Command) -> Option<&str> {
    let mut targets = command.redirections.iter().filter_map(|to| to.strip_prefix('>'));
    let target = targets.next()?.trim_matches('"');
    (!target.eq_ignore_ascii_case("nul")).then_some(target)
}
