//! Runs a generated batch script against a private node: [`follow`] follows it by the model of cmd.exe. RabbitMQ's tools
//! and openssl are the real programs; the programs of Windows are played in `windows.rs`. Whatever a script starts that
//! is not known here fails the test.
//!
//! A path with a drive letter and backslashes is the name of one file in the node's folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::broker::{Broker, Network};
use crate::harness::Ran;
use crate::support::follow::{Ended, Server, Started, built_in, follow};
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
    /// A service that is installed anew keeps its database in another folder.
    pub(super) forgets_its_folder: bool,
    /// Every program that was started, with its arguments.
    pub(super) calls: Vec<Vec<String>>,
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
            forgets_its_folder: false,
            calls: Vec::new(),
        }
    }

    /// Runs a script with one argument.
    pub(super) fn run(&mut self, script: &str, argument: &str) -> Ended {
        follow(self, script, argument)
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

impl Server for Machine<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        Some(match name {
            "COMPUTERNAME" => self.broker.name.to_uppercase(),
            "PROGRAMDATA" => r"C:\ProgramData".to_owned(),
            "SYSTEMROOT" => r"C:\Windows".to_owned(),
            "PROGRAMFILES" => r"C:\Program Files".to_owned(),
            "USERPROFILE" => r"C:\Users\engineer".to_owned(),
            "USERNAME" => "engineer".to_owned(),
            "RANDOM" => "16180".to_owned(),
            "~DP0" => r"C:\bundle\".to_owned(),
            _ => return None,
        })
    }

    /// A path with a drive letter: real folders for certificates, otherwise one name.
    fn file(&self, path: &str) -> PathBuf {
        assert!(path.starts_with("C:\\"), "{path} is no path on drive C");
        let slashed = self.broker.folder.join(path.replace('\\', "/"));
        if slashed.exists() {
            slashed
        } else {
            self.broker.folder.join(path)
        }
    }

    fn start(&mut self, program: &str, arguments: &[&str], variables: &BTreeMap<String, String>) -> Started {
        let words = std::iter::once(program).chain(arguments.iter().copied());
        self.calls.push(words.map(str::to_owned).collect());
        let ran = match program {
            failing if self.failing == Some(failing) => {
                return Started {
                    code: 5,
                    ..Started::default()
                };
            }
            "rabbitmqctl.bat" | "rabbitmq-plugins.bat" => {
                let mut ran = self.tool(program.trim_end_matches(".bat"), arguments);
                if self.forgets_its_folder && self.calls.iter().any(|call| call[0] == "rabbitmq-service.bat")
                {
                    ran.stdout = ran.stdout.replace("/db/", "/elsewhere/");
                }
                ran
            }
            "openssl" => self.openssl(arguments),
            "rabbitmq-service.bat" => {
                assert_eq!(arguments, ["install"]);
                self.service_reads = variables["RABBITMQ_CONFIG_FILE"].replace('\\', "/");
                return Started::quiet(false);
            }
            played => {
                return built_in(self, played, arguments).unwrap_or_else(|| self.play(played, arguments));
            }
        };
        Started {
            code: ran.code,
            output: ran.stdout,
            errors: ran.stderr,
        }
    }
}

impl Machine<'_> {
    fn tool(&self, tool: &str, arguments: &[&str]) -> Ran {
        self.broker.run(self.network, tool, arguments)
    }

    fn openssl(&self, arguments: &[&str]) -> Ran {
        let broker = &self.broker;
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
