//! The programs of Windows that the scripts start, played: files, registry, service, `findstr`, `netstat`.
//!
//! A played program looks at what is there: `netstat` shows the sockets of the broker, `sc` its process, `copy` and
//! `mkdir` change its folder. It must not know what a script wants to hear.

use std::fs;

use super::machine::Machine;
use crate::support::follow::{Server as _, Started};

/// Where the settings of a service that come from the system lie.
const SYSTEM_SETTINGS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

impl Machine<'_> {
    /// Runs one program of Windows.
    pub(super) fn play(&mut self, program: &str, arguments: &[&str]) -> Started {
        match program {
            "findstr" => self.findstr(arguments),
            "fc" => {
                let mut contents = arguments
                    .iter()
                    .filter(|argument| **argument != "/b")
                    .map(|path| fs::read(self.file(path)).expect("a file to compare"));
                Started::quiet(contents.next() != contents.next())
            }
            "icacls" => Started::quiet(!self.file(arguments[0]).is_dir()),
            "reg" => self.registry(arguments),
            "fltmc" | "sc" => self.service(program, arguments),
            "netstat" => Started::says(self.netstat(arguments)),
            "ping" => Started::quiet(false),
            // Asked when the filter manager did not answer: there are no rights.
            "powershell" => Started {
                code: 3,
                ..Started::default()
            },
            other => panic!("the script starts {other} {arguments:?}"),
        }
    }

    fn findstr(&self, arguments: &[&str]) -> Started {
        let (path, options) = arguments.split_last().expect("a file");
        let text = fs::read_to_string(self.file(path)).unwrap_or_else(|_| panic!("findstr reads {path}"));
        let found = found(options, &text);
        Started {
            code: i32::from(found.is_empty()),
            output: found.join("\n"),
            ..Started::default()
        }
    }

    /// The listeners of the broker. Its loopback address stands for every address of the server, and a port of its own
    /// for 5672: on the machine of the tests others may listen.
    fn netstat(&self, arguments: &[&str]) -> String {
        let [_, "-p", family] = arguments else {
            panic!("netstat {arguments:?}")
        };
        let mut table = format!(
            "\r\nActive Connections\r\n\r\n  Proto  Local Address          Foreign Address        State\r\n  \
             TCP    {:<23}{:<23}LISTENING\r\n",
            "0.0.0.0:135", "0.0.0.0:0"
        );
        let any = if *family == "TCPv6" { "[::]" } else { "0.0.0.0" };
        if *family == self.listens_on {
            for port in self.broker.listeners() {
                let port = if port == self.broker.plain { 5672 } else { port };
                let (local, foreign) = (format!("{any}:{port}"), format!("{any}:0"));
                table += &format!("  TCP    {local:<23}{foreign:<23}LISTENING\r\n");
            }
        }
        table
    }

    fn registry(&self, arguments: &[&str]) -> Started {
        match arguments {
            ["query", key, view] if key.ends_with(r"ErlSrv\1.1\RabbitMQ") => {
                assert_eq!(*view, "/reg:64");
                let reads = &self.service_reads;
                let text = format!(
                    "\n{key}\n    WorkDir    REG_EXPAND_SZ    C:\\base\n    \
                     Args    REG_EXPAND_SZ    -rabbit windows_service_config \\\"{reads}\\\"\n"
                );
                Started::says(text)
            }
            ["query", SYSTEM_SETTINGS] => Started::quiet(false),
            ["query", SYSTEM_SETTINGS, "/v", name] => Started::quiet(self.system_setting != Some(*name)),
            ["export", _, target, ..] => Started::quiet(
                !self.has_folder_of(target) || fs::write(self.broker.folder.join(target), "saved").is_err(),
            ),
            ["import", source, ..] => Started::quiet(!self.file(source).exists()),
            other => panic!("reg {other:?}"),
        }
    }

    fn service(&mut self, program: &str, arguments: &[&str]) -> Started {
        let (broker, network) = (&mut *self.broker, self.network);
        let runs = broker.runs();
        match (program, arguments) {
            ("fltmc", []) => Started::quiet(false),
            ("sc", ["enumdepend", "RabbitMQ", _]) => Started::says("Enum: entriesRead  = 0\n".to_owned()),
            ("sc", ["stop", "RabbitMQ"]) => {
                if runs {
                    broker.stop(network);
                }
                Started {
                    code: if runs { 0 } else { 1062 },
                    ..Started::default()
                }
            }
            ("sc", ["start", "RabbitMQ"]) => {
                if runs {
                    return Started {
                        code: 1056,
                        ..Started::default()
                    };
                }
                broker.start(network);
                broker.wait(network);
                Started::quiet(false)
            }
            ("sc", ["interrogate", "RabbitMQ"]) => Started {
                code: if runs { 0 } else { 1062 },
                ..Started::default()
            },
            // Words of the list that are no service's name.
            ("sc", ["interrogate" | "stop", _]) => Started {
                code: 1060,
                ..Started::default()
            },
            other => panic!("{other:?}"),
        }
    }
}

/// The lines `findstr` prints: without `/r` texts are looked for as they stand, with `/r` as its patterns.
fn found<'t>(options: &[&str], text: &'t str) -> Vec<&'t str> {
    let fold = |text: &str| {
        if options.contains(&"/i") {
            text.to_lowercase()
        } else {
            text.to_owned()
        }
    };
    let mut wanted: Vec<String> = Vec::new();
    for option in options {
        match option.strip_prefix("/c:") {
            Some(text) => wanted.push(fold(text)),
            None if matches!(*option, "/i" | "/l" | "/r" | "/b") => {}
            None if option.starts_with('/') => panic!("findstr {option}"),
            None => wanted.extend(option.split(' ').map(fold)),
        }
    }
    let patterns = options.contains(&"/r");
    assert!(!patterns || !options.contains(&"/b"), "{options:?}");
    let at_begin = options.contains(&"/b");
    text.lines()
        .filter(|line| {
            let line = fold(line);
            wanted.iter().any(|wanted| {
                if patterns {
                    let (line, units) = (line.chars().collect::<Vec<_>>(), units(wanted));
                    (0..=line.len()).any(|at| matches(&units, &line[at..]))
                } else if at_begin {
                    line.starts_with(wanted)
                } else {
                    line.contains(wanted)
                }
            })
        })
        .collect()
}

/// One character of a pattern, `None` for any, and whether a `*` follows.
type Unit = (Option<char>, bool);

/// `.`, `*` and `\` as `findstr /?` explains them; the generated scripts use no more.
fn units(pattern: &str) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '.' => units.push((None, false)),
            '*' => units.last_mut().expect("something to repeat").1 = true,
            '\\' => units.push((chars.next(), false)),
            '^' | '$' | '[' => panic!("{pattern}: {c} is not played"),
            c => units.push((Some(c), false)),
        }
    }
    units
}

fn matches(units: &[Unit], line: &[char]) -> bool {
    let Some(((wanted, repeated), rest)) = units.split_first() else {
        return true;
    };
    let first = line
        .split_first()
        .filter(|(c, _)| wanted.is_none_or(|wanted| wanted == **c));
    if *repeated {
        matches(rest, line) || first.is_some_and(|(_, after)| matches(units, after))
    } else {
        first.is_some_and(|(_, after)| matches(rest, after))
    }
}

#[test]
fn findstr_reads_patterns() {
    let rows: &[(&[&str], &str, bool)] = &[
        (
            &["/r", r"/c::5672  *0\.0\.0\.0:0 "],
            "  TCP    0.0.0.0:5672           0.0.0.0:0              LISTENING",
            true,
        ),
        (
            &["/r", r"/c::5672  *0\.0\.0\.0:0 "],
            "  TCP    0.0.0.0:15672          0.0.0.0:0              LISTENING",
            false,
        ),
        (
            &["/r", r"/c::5672  *0\.0\.0\.0:0 "],
            "  TCP    10.0.0.1:49160         10.0.0.2:5672          ESTABLISHED",
            false,
        ),
        (
            &["/r", r"/c::5672  *\[::\]:0 "],
            "  TCP    [::]:5672              [::]:0                 LISTENING",
            true,
        ),
        (
            &["/r", r"/c::5672  *\[::\]:0 "],
            "  TCP    [::]:5671              [::]:0                 LISTENING",
            false,
        ),
        (&["/r", r"/c:a\.b"], "axb", false),
        (&["/r", "/c:a.b"], "axb", true),
        (&["/c:a.b"], "axb", false),
        (&["/i", "/l", "/c:A.B"], "xa.bx", true),
        (&["/b", "/c:a"], "ba", false),
        (&["one two"], "a two", true),
    ];
    for (options, line, expected) in rows {
        assert_eq!(!found(options, line).is_empty(), *expected, "{options:?} {line}");
    }
}
