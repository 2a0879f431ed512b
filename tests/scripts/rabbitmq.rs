//! RabbitMQ's scripts in Wine: tools that relay their arguments as RabbitMQ 3.8 does, a played broker behind them, every
//! call failing once. Real brokers get the same scripts in `tests/rabbitmq`, by the model of cmd.exe alone; here the
//! model and Wine have to agree, call by call and argument by argument.
//!
//! What Wine cannot show: that `call` doubles `^` (generated scripts hold none, and so the reader demands), and that `!`
//! is lost where delayed expansion is on (no value may hold it).

use std::fs;
use std::sync::LazyLock;

use super::machine::{Answer, Call, Machine, Outcome, good};
use super::text_tools::text_tool;
use super::{PROGRAMS, built, model, stops::Stops};
use crate::harness::{Tree, read_tree, write_tree};

/// Two servers that fetch from each other, at the default place, with the worst folder an inventory may name.
const INVENTORY: &str = r"
schema: cbgen/v1
bundle: { name: scripts, version: '1.0' }
product: { version: 9.5.3, high_availability: true, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.acme.example }
certificate: { kind: ca_issued, pfx: 'C:\hand off\callback.pfx' }
sql: { version: 2016, server: SQL01, access: [odbc] }
rabbitmq:
  certificates: 'C:\certs (x86)\rabbit mq'
  subject: 'OU=Call back,O=Acme\, Inc.,C=US'
  user_tags: [monitoring, policymaker]
  disable_management_plugin: true
servers:
  - name: CORE01
    fqdn: core01.acme.example
    roles: [core, management]
    windows: 2016
    dotnet: 4.7.1
    rabbitmq:
      certificate_names: [CORE01, core01.acme.example]
      upstreams:
        - { name: from (core) 02, server: CORE02, keep: { prefetch-count: 500 } }
  - name: CORE02
    fqdn: core02.acme.example
    roles: [core, management]
    windows: 2016
    dotnet: 4.7.1
    rabbitmq:
      certificate_names: [CORE02, core02.acme.example]
      upstreams:
        - { name: from (core) 01, server: CORE01, keep: { prefetch-count: 500 } }
";

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| built(INVENTORY));

const PRODUCT: &str = r"C:\Program Files (x86)\Virtual Hold Technology";
const CONFIG: &str = r"C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq.config";
const SBIN: &str =
    r"C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq_server-3.8.1\sbin";
const ERLANG: &str = r"C:\Program Files\erl10.4";
const CERTIFICATES: &str = r"C:\certs (x86)\rabbit mq";
/// The folder of the service.
const BASE: &str = r"C:\rabbit base (x86)\RabbitMQ";
const USER: &str = r"OU=Call back,O=Acme\, Inc.,C=US";

/// The tools of RabbitMQ 3.8.1 as far as arguments go: kept in a variable, and used with delayed expansion. Behind them
/// stands Erlang, which here is the relay; it also gets the two variables the tools take from the script.
fn tool(name: &str) -> Vec<u8> {
    let text = format!(
        "@echo off\n\
         setlocal\n\
         rem Preserve values that might contain exclamation marks before enabling delayed expansion\n\
         set TDP0=%~dp0\n\
         set STAR=%*\n\
         setlocal enabledelayedexpansion\n\
         if not exist \"!ERLANG_HOME!\\bin\\erl.exe\" (\n    \
             echo ERLANG_HOME not set correctly.\n    \
             exit /B 1\n\
         )\n\
         \"!ERLANG_HOME!\\bin\\erl.exe\" +B ^\n\
         -base \"!RABBITMQ_BASE!\" ^\n\
         -config \"!RABBITMQ_CONFIG_FILE!\" ^\n\
         -extra \"%TDP0%{name}\" !STAR!\n\
         if ERRORLEVEL 1 (\n    \
             exit /B %ERRORLEVEL%\n\
         )\n\
         endlocal\n\
         endlocal\n"
    );
    text.replace('\n', "\r\n").into_bytes()
}

/// A call of Erlang as the script made it, and whether the tool got what it needs from the script.
fn as_made(call: &Call) -> Call {
    if call.program != "erl" {
        return call.clone();
    }
    let [
        boot,
        base,
        base_folder,
        config,
        config_file,
        extra,
        tool,
        arguments @ ..,
    ] = call.arguments.as_slice()
    else {
        panic!("{call:?}")
    };
    assert_eq!(
        [boot, base, base_folder, config, config_file, extra],
        ["+B", "-base", BASE, "-config", CONFIG, "-extra"],
        "the tool works with another folder or file"
    );
    let name = tool.strip_prefix(SBIN).expect("a tool of this installation");
    Call {
        program: name.trim_start_matches('\\').to_owned(),
        arguments: arguments.to_vec(),
    }
}

/// The broker and its service, as far as the scripts see them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Broker {
    runs: bool,
    /// The configuration file the service was told when it was installed.
    reads: String,
    upstreams: Vec<[String; 2]>,
    users: Vec<String>,
}

impl Broker {
    fn new() -> Self {
        Self {
            runs: true,
            reads: BASE.replace('\\', "/") + "/rabbitmq",
            upstreams: Vec::new(),
            users: Vec::new(),
        }
    }

    /// What a program answers and does.
    fn answer(&mut self, machine: &Machine, call: &Call) -> Answer {
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        let says = |text: &str| Answer::Code(0, text.to_owned());
        match (call.program.as_str(), words.as_slice()) {
            ("sc", ["enumdepend", "RabbitMQ", _]) => says("Enum: entriesRead  = 0\n"),
            ("sc", [verb @ ("stop" | "start"), "RabbitMQ"]) => {
                let runs = *verb == "start";
                let already = self.runs == runs;
                self.runs = runs;
                let code = if runs { 1056 } else { 1062 };
                Answer::Code(if already { code } else { 0 }, String::new())
            }
            ("sc", ["interrogate", "RabbitMQ"]) => {
                Answer::Code(if self.runs { 0 } else { 1062 }, String::new())
            }
            // Words of the list that are no service's name.
            ("sc", ["interrogate" | "stop", _]) => Answer::Code(1060, String::new()),
            ("reg", ["query", key]) if key.ends_with(r"Session Manager\Environment") => good(),
            ("reg", ["query", key, "/reg:64" | "/reg:32"]) => says(&format!(
                "\n{key}\n    WorkDir    REG_EXPAND_SZ    {BASE}\n    Args    REG_EXPAND_SZ    -conf {}\n",
                self.reads
            )),
            (
                "reg",
                [
                    "query",
                    _,
                    "/v",
                    "RABBITMQ_NODE_PORT" | "RABBITMQ_NODE_IP_ADDRESS",
                ],
            ) => Answer::Code(1, String::new()),
            ("reg", ["export", _, file, "/y", "/reg:64" | "/reg:32"]) => {
                fs::write(machine.unix(file), &self.reads).expect("writable");
                good()
            }
            ("reg", ["import", file, "/reg:64" | "/reg:32"]) => {
                self.reads = fs::read_to_string(machine.unix(file)).expect("what was exported");
                good()
            }
            ("netstat", ["-an", "-p", "TCP" | "TCPv6"]) => {
                says("  TCP    0.0.0.0:15672       0.0.0.0:0      LISTENING\n")
            }
            ("openssl", [command, ..]) => openssl(command, &words),
            ("rabbitmqctl.bat" | "rabbitmq-plugins.bat", ["-q", command, rest @ ..]) => {
                self.tool(machine, command, rest)
            }
            ("rabbitmq-service.bat", ["install"]) => {
                self.reads = CONFIG.replace('\\', "/");
                good()
            }
            _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
        }
    }

    fn tool(&mut self, machine: &Machine, command: &str, rest: &[&str]) -> Answer {
        let file = machine.unix(&format!(r"{BASE}\enabled_plugins"));
        let enabled = fs::read_to_string(&file).expect("a file");
        let mut plugins: Vec<&str> = enabled
            .trim_matches(['[', ']', '.', '\n'])
            .split(',')
            .filter(|name| !name.is_empty())
            .collect();
        match (command, rest) {
            // Two files of terms become one.
            ("eval", [code, _, new, _, both]) if code.contains("file:write_file(_4") => {
                let text = fs::read_to_string(machine.unix(new)).expect("the file of the bundle");
                fs::write(machine.unix(both), text).expect("writable");
                good()
            }
            ("enable" | "disable", [name]) => {
                plugins.retain(|known| known != name);
                if command == "enable" {
                    plugins.push(name);
                }
                plugins.sort_unstable();
                fs::write(file, format!("[{}].\n", plugins.join(","))).expect("writable");
                good()
            }
            ("list", ["-E" | "-e", "-m"]) => Answer::Code(0, plugins.join("\n") + "\n"),
            ("list_users" | "list_permissions" | "list_parameters", [.., "--formatter", "json"]) => {
                Answer::Code(0, "[]\n".into())
            }
            ("list_parameters", ["-p", "/"]) => Answer::Code(
                0,
                self.upstreams
                    .iter()
                    .map(|[name, value]| format!("federation-upstream\t{name}\t{value}\n"))
                    .collect(),
            ),
            ("set_parameter", ["-p", "/", "federation-upstream", name, value]) => {
                self.upstreams.push([(*name).to_owned(), (*value).to_owned()]);
                good()
            }
            ("add_user", [name, password]) => {
                assert!(password.bytes().all(|byte| byte.is_ascii_digit()), "{password}");
                let known = self.users.iter().any(|known| known == name);
                if !known {
                    self.users.push((*name).to_owned());
                }
                Answer::Code(if known { 70 } else { 0 }, String::new())
            }
            ("list_connections", ["user", "peer_cert_subject", "auth_mechanism", "ssl_protocol"]) => {
                Answer::Code(0, format!("{USER}\t{USER}\tEXTERNAL\ttlsv1.2\n"))
            }
            (
                "clear_password"
                | "set_user_tags"
                | "set_permissions"
                | "list_user_permissions"
                | "list_permissions"
                | "list_users"
                | "list_vhosts"
                | "federation_status"
                | "eval",
                _,
            ) if self.runs => good(),
            _ => panic!("unexpected {command} {rest:?}, the broker runs: {}", self.runs),
        }
    }
}

/// What openssl says of certificates that are right.
fn openssl(command: &str, words: &[&str]) -> Answer {
    let has = |option: &str| words.contains(&option);
    let text = match command {
        "version" => "OpenSSL of the test\n".to_owned(),
        // A client without certificate is refused.
        "s_client" => {
            return Answer::Both(
                1,
                "Verify return code: 0 (ok)\n".to_owned(),
                "alert handshake failure\n".to_owned(),
            );
        }
        "x509" if has("-purpose") => "SSL client : Yes\nSSL server : Yes\n".to_owned(),
        "x509" if has("-checkhost") => "The name does match certificate\n".to_owned(),
        "x509" if has("-subject") => format!("subject={USER}\n"),
        "x509" | "pkey" if has("-pubkey") || has("-pubout") => "a public key\n".to_owned(),
        "x509" | "pkcs12" | "verify" => String::new(),
        other => panic!("unexpected openssl {other}"),
    };
    Answer::Code(0, text)
}

/// The server with RabbitMQ on it.
fn server() -> Machine {
    let mut machine = Machine::new("CORE01", &ARCHIVE, PROGRAMS);
    for name in ["rabbitmqctl.bat", "rabbitmq-plugins.bat", "rabbitmq-service.bat"] {
        machine.put(&format!(r"{SBIN}\{name}"), &tool(name));
    }
    machine.put_relay(&format!(r"{ERLANG}\bin\erl.exe"));
    machine.put_relay(r"C:\Program Files\Git\usr\bin\openssl.exe");
    machine.put(
        &format!(r"{BASE}\enabled_plugins"),
        b"[rabbitmq_federation,rabbitmq_federation_management,rabbitmq_management].\n",
    );
    machine.put(
        &format!(r"{PRODUCT}\rabbitmq_config.json"),
        b"{\"rabbitConfig\": {}}\n",
    );
    for name in [
        "ca_certificate.pem",
        "server_certificate.pem",
        "server_key.pem",
        "cert.p12",
        "client_key.p12",
        "client_certificate.pem",
        "client_key.pem",
    ] {
        machine.put(&format!(r"{CERTIFICATES}\{name}"), b"");
    }
    machine.set("ERLANG_HOME", ERLANG);
    machine.set("USERPROFILE", r"C:\Users\engineer");
    machine.set("USERNAME", "engineer");
    // cmd.exe takes a variable of this name before it makes up a number, and so does Wine.
    machine.set("RANDOM", "16180");
    machine
}

/// Everything a script can change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    broker: Broker,
    saved: Tree,
    files: [Tree; 2],
}

impl State {
    fn of(machine: &Machine, broker: &Broker) -> Self {
        Self {
            broker: broker.clone(),
            saved: machine.saved(),
            files: [PRODUCT, BASE].map(|folder| read_tree(&machine.unix(folder))),
        }
    }

    fn restore(&self, machine: &Machine) -> Broker {
        machine.restore(&self.saved);
        for (folder, tree) in [PRODUCT, BASE].iter().zip(&self.files) {
            let folder = machine.unix(folder);
            fs::remove_dir_all(&folder).expect("removable");
            write_tree(&folder, tree);
        }
        self.broker.clone()
    }

    /// Wine ends lines in CR LF.
    fn lines(mut self) -> Self {
        for tree in self.files.iter_mut().chain([&mut self.saved]) {
            for bytes in tree.values_mut() {
                bytes.retain(|byte| *byte != b'\r');
            }
        }
        self
    }
}

/// A call that does nothing and gives the other exit code than it should: its number, and what it should give.
type Failing = Option<(usize, i32)>;

fn answer(machine: &Machine, broker: &mut Broker, failing: Failing, number: usize, call: &Call) -> Answer {
    match failing {
        Some((at, code)) if at == number => {
            // The service comes up or goes down although `net` says that it does not: a slow one does so.
            if call.program == "net" && call.arguments.len() == 2 {
                broker.answer(machine, call);
            }
            // Behind a batch file Wine knows no other exit code than 0 and 1.
            let wrong = if call.program.ends_with(".bat") { 1 } else { 9 };
            // 1060: there is no service of that name. That there is one is no failure.
            let goes_on = code == 0 || code == 1060;
            Answer::Code(if goes_on { wrong } else { 0 }, String::new())
        }
        _ => broker.answer(machine, call),
    }
}

fn path(script: &str) -> String {
    format!("servers/CORE01/rabbitmq/{script}")
}

/// What the model makes of a script from a state, with the state after it and the forms of its calls.
fn modelled(
    machine: &Machine,
    before: &State,
    script: &str,
    failing: Failing,
) -> (Outcome, State, Vec<String>) {
    let mut broker = before.restore(machine);
    let (outcome, forms) = model::run(machine, &path(script), &mut |number, call| {
        answer(machine, &mut broker, failing, number, call)
    });
    let after = State::of(machine, &broker);
    (outcome, after, forms)
}

/// Runs a script in Wine, which has to agree with the model in everything.
#[track_caller]
fn agree(machine: &Machine, before: &State, script: &str, failing: Failing, model: (&Outcome, &State)) {
    let mut broker = before.restore(machine);
    let mut ran = machine.run(&path(script), |number, call| {
        answer(machine, &mut broker, failing, number, &as_made(call))
    });
    ran.calls = ran.calls.iter().map(as_made).collect();
    let what = format!("{script}, failing {failing:?}");
    model::agree(&what, &ran, model.0);
    assert_eq!(
        State::of(machine, &broker).lines(),
        model.1.clone().lines(),
        "{what}"
    );
}

/// The scripts in an order in which each finds what it needs, and what each says at its end.
const SCRIPTS: &[(&str, &str)] = &[
    ("preflight.cmd", "All checks passed."),
    ("apply-users.cmd", "The certificate users are in place."),
    ("apply-upstreams.cmd", "The federation upstreams are in place."),
    ("apply-config.cmd", "RabbitMQ runs with the new configuration"),
    (
        "post-check.cmd",
        "RabbitMQ works over TLS with certificates only.",
    ),
    ("disable-management.cmd", "The management plugin is disabled."),
    ("rollback-management.cmd", "The plugins are enabled as before."),
    ("rollback-rabbitmq.cmd", "RabbitMQ is as it was before."),
];

#[test]
fn rabbitmq_tools_get_in_wine_what_the_model_says() {
    let machine = server();
    let mut state = State::of(&machine, &Broker::new());
    let first = state.clone();
    for (script, says) in SCRIPTS {
        let (whole, after, _) = modelled(&machine, &state, script, None);
        whole.expect_success(says);
        agree(&machine, &state, script, None, (&whole, &after));
        state = after;
    }
    // An upstream and a user stay with the played broker, whose `eval` does nothing; everything else is as before.
    assert_eq!(state.files, first.files);
    assert_eq!(
        (state.broker.runs, &state.broker.reads),
        (true, &first.broker.reads)
    );
    let [name, value] = &state.broker.upstreams[0];
    assert_eq!(name, "from (core) 02");
    let value: serde_json::Value = serde_json::from_str(value).expect("JSON");
    // Four percent signs in the script are one here.
    let uri = value["uri"].as_str().expect("an address");
    assert!(
        uri.contains("cacertfile=C:/certs%20(x86)/rabbit%20mq/ca_certificate.pem"),
        "{uri}"
    );
}

/// Scripts with at most this many calls fail in Wine at every one of them. In a longer one every call fails in the model,
/// and in Wine one of each form, since every position costs a run of everything before it.
const SHORT: usize = 16;

#[test]
fn rabbitmq_scripts_stop_at_every_call_that_fails() {
    let machine = server();
    let mut state = State::of(&machine, &Broker::new());
    let mut stops = Stops::default();
    for (script, _) in SCRIPTS {
        stops.of(script);
        let (whole, after, forms) = modelled(&machine, &state, script, None);
        for (index, code) in whole.codes.iter().enumerate() {
            let failing = Some((index + 1, code.expect("a played program")));
            let (outcome, after, _) = modelled(&machine, &state, script, failing);
            let in_wine = whole.calls.len() <= SHORT || !forms[..index].contains(&forms[index]);
            if in_wine {
                agree(&machine, &state, script, failing, (&outcome, &after));
            }
            let by = if in_wine { "Wine and model" } else { "model" };
            stops.note(&machine, &whole, index + 1, &outcome, &forms[index], by);
        }
        state = after;
    }
    stops.compare("rabbitmq");
}

/// A question that nobody answers is neither *another cookie* nor *no port is set*: code 2 of `fc` and `findstr` says that a
/// file could not be read.
#[test]
fn a_file_that_cannot_be_read_is_no_answer() {
    let mut machine = server();
    let theirs = machine.variable("SYSTEMROOT").expect("set") + r"\System32\config\systemprofile";
    for place in [r"C:\Users\engineer", theirs.as_str()] {
        machine.put(&format!(r"{place}\.erlang.cookie"), b"cookie");
    }
    machine.put(&format!(r"{BASE}\rabbitmq-env-conf.bat"), b"");
    let before = State::of(&machine, &Broker::new());
    for (program, file, code, step, says) in [
        ("fc", ".erlang.cookie", 1, "compare the Erlang cookie", "differ"),
        (
            "fc",
            ".erlang.cookie",
            2,
            "compare the Erlang cookie",
            "cannot be read",
        ),
        (
            "findstr",
            "rabbitmq-env-conf.bat",
            2,
            "check that rabbitmq-env-conf.bat sets no port",
            "",
        ),
    ] {
        let mut broker = before.restore(&machine);
        let mut ask = |number: usize, call: &Call| {
            if call.program == program && call.line().contains(file) {
                return Answer::Code(code, String::new());
            }
            answer(&machine, &mut broker, None, number, call)
        };
        let in_wine = machine.run(&path("preflight.cmd"), |number, call| ask(number, &as_made(call)));
        assert!(
            in_wine.code == 1 && in_wine.output.contains(&format!("FAILED at step: {step}")),
            "{in_wine:#?}"
        );
        assert!(in_wine.output.contains(says), "{in_wine:#?}");
        if code == 2 {
            assert!(!in_wine.output.contains("differ"), "{in_wine:#?}");
        }
    }
}
