//! The service control of Windows as the scripts see it: key names and the names the panel shows, answers in several
//! languages, services that depend on each other, and how each is started. Knows nothing about single scripts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::machine::{Answer, Call, good};

/// The words of one language in front of what `sc` prints. Numbers, key names and exit codes are the same everywhere.
pub(super) struct Language {
    pub(super) name: &'static str,
    state: &'static str,
    key: &'static str,
    listening: &'static str,
    success: &'static str,
}

/// As far as the scripts could stumble over them.
pub(super) const LANGUAGES: &[Language] = &[
    Language {
        name: "English",
        state: "STATE",
        key: "Name",
        listening: "LISTENING",
        success: "SUCCESS",
    },
    Language {
        name: "German",
        state: "STATUS",
        key: "Name",
        listening: "ABH\u{d6}REN",
        success: "ERFOLG",
    },
    Language {
        name: "French",
        state: "\u{c9}TAT",
        key: "Nom",
        listening: "LISTENING",
        success: "R\u{c9}USSITE(s)",
    },
    Language {
        name: "Spanish",
        state: "ESTADO",
        key: "Nombre",
        listening: "LISTENING",
        success: "CORRECTO",
    },
    Language {
        name: "Japanese",
        state: "\u{72b6}\u{614b}",
        key: "\u{540d}\u{524d}",
        listening: "LISTENING",
        success: "\u{6210}\u{529f}",
    },
];

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) display: &'static str,
    pub(super) runs: bool,
    /// As in the registry: 2 by itself, 3 by hand.
    pub(super) start: u32,
    /// Key names of services it cannot run without.
    pub(super) needs: Vec<&'static str>,
}

/// Every service of a server.
pub(super) struct Services {
    pub(super) all: BTreeMap<&'static str, Service>,
    pub(super) language: &'static Language,
    /// What every question is answered with instead: a broken service control, or a right that is missing.
    pub(super) refuses: Option<i32>,
}

impl Services {
    /// A server with English Windows and these services.
    pub(super) fn new(all: &[(&'static str, Service)]) -> Self {
        Self {
            all: all.iter().cloned().collect(),
            language: &LANGUAGES[0],
            refuses: None,
        }
    }

    /// What `netstat` says when something listens at a port.
    pub(super) fn listener(&self, port: u16) -> Answer {
        let listening = self.language.listening;
        Answer::Code(
            0,
            format!("  TCP    0.0.0.0:{port}       0.0.0.0:0      {listening}       4\n"),
        )
    }

    /// The running services that need one, in the order they have to be stopped.
    fn dependents(&self, key: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        for (name, service) in &self.all {
            if service.runs && service.needs.contains(&key) {
                found.extend(self.dependents(name));
                found.push(*name);
            }
        }
        found
    }

    fn state(&self, service: &Service) -> String {
        let number = if service.runs { "4  RUNNING" } else { "1  STOPPED" };
        format!("        {}              : {number}\n", self.language.state)
    }

    /// What `sc` and `reg` answer about services; `None` for what is no question about them.
    pub(super) fn answer(&mut self, call: &Call) -> Option<Answer> {
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        if call.program == "sc"
            && let Some(code) = self.refuses
        {
            return Some(Answer::Code(code, "[SC] OpenSCManager FAILED\n".to_owned()));
        }
        let absent = || Answer::Code(1060, "[SC] FAILED 1060:\n".to_owned());
        Some(match (call.program.as_str(), words.as_slice()) {
            ("sc", ["query", key]) => match self.all.get(*key) {
                Some(service) => Answer::Code(0, format!("\nSERVICE_NAME: {key}\n{}", self.state(service))),
                None => absent(),
            },
            ("sc", ["getkeyname", display]) => {
                match self.all.iter().find(|(_, service)| service.display == *display) {
                    Some((key, _)) => Answer::Code(
                        0,
                        format!(
                            "[SC] GetServiceKeyName {}\n{} = {key}\n",
                            self.language.success, self.language.key
                        ),
                    ),
                    None => absent(),
                }
            }
            ("sc", ["interrogate", key]) => match self.all.get(*key) {
                Some(service) if service.runs => Answer::Code(0, self.state(service)),
                Some(_) => Answer::Code(1062, "[SC] ControlService FAILED 1062:\n".to_owned()),
                None => absent(),
            },
            ("sc", ["enumdepend", key, _]) => {
                let found = self.dependents(key);
                let mut text = format!("Enum: entriesRead  = {}\n", found.len());
                for key in found {
                    let service = &self.all[key];
                    write!(text, "\nSERVICE_NAME: {key}\nDISPLAY_NAME: {}\n", service.display)
                        .expect("a String");
                    text.push_str("        TYPE               : 10  WIN32_OWN_PROCESS\n");
                    text.push_str(&self.state(service));
                }
                Answer::Code(0, text)
            }
            ("sc", ["stop", key]) => {
                if !self.all.contains_key(*key) {
                    absent()
                } else if !self.dependents(key).is_empty() {
                    Answer::Code(1051, String::new())
                } else if self.all[*key].runs {
                    self.all.get_mut(*key)?.runs = false;
                    good()
                } else {
                    Answer::Code(1062, String::new())
                }
            }
            ("sc", ["start", key]) => match self.all.get_mut(*key) {
                Some(service) if service.runs => Answer::Code(1056, String::new()),
                Some(service) => {
                    service.runs = true;
                    good()
                }
                None => absent(),
            },
            ("sc", ["config", key, "start=", kind]) => {
                let Some(service) = self.all.get_mut(*key) else {
                    return Some(absent());
                };
                service.start = match *kind {
                    "auto" | "delayed-auto" => 2,
                    "demand" => 3,
                    "disabled" => 4,
                    other => panic!("sc config start= {other}"),
                };
                good()
            }
            ("reg", ["query", key, "/v", "Start", "/reg:64"]) => {
                let (_, name) = key.rsplit_once('\\')?;
                match self.all.get(name) {
                    Some(service) => Answer::Code(
                        0,
                        format!("\n{key}\n    Start    REG_DWORD    0x{}\n\n", service.start),
                    ),
                    None => Answer::Code(1, String::new()),
                }
            }
            ("reg", ["query", _, "/v", "DelayedAutostart", "/reg:64"]) => Answer::Code(1, String::new()),
            ("net", ["stop", ..]) => panic!(
                "net stop asks when another service depends on it: {}",
                call.line()
            ),
            _ => return None,
        })
    }
}
