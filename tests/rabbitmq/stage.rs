//! A compiled bundle on two nodes that stand for its servers, with certificates of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cbgen::formats::Format;
use cbgen::lint;

use super::broker::{Broker, Network, installation};
use super::certificates;
use super::machine::{Machine, read};
use crate::harness::{Workspace, root};
use crate::support::program::{Daemon, free_port, program, succeed, wait_until};

/// Blanks, parentheses and percent signs in between: the worst folder an inventory may name.
pub(super) const CERTIFICATES: &str = r"C:\certs (x86)\rabbit mq";
pub(super) const CONFIG: &str = r"C:\Callback\RabbitMQ Server\rabbitmq.config";

/// Where the scripts keep what they saved.
pub(super) const STATE: &str = r"C:\ProgramData\cbgen\stage\1.0.0\rabbitmq";

/// Two servers that fetch from each other.
pub(super) const SERVERS: [&str; 2] = ["CORE01", "CORE02"];

/// Folders of a server, as the model keeps them: the name is the path.
const FOLDERS: &[&str] = &[
    r"C:\base",
    r"C:\bundle",
    r"C:\Callback",
    r"C:\Callback\RabbitMQ Server",
    SBIN,
];
const SBIN: &str = r"C:\Callback\RabbitMQ Server\rabbitmq_server-3.8.1\sbin";

/// Other clients: their subjects and usages.
const CLIENTS: &[(&str, &str, &str)] = &[
    ("stranger", "/O=Elsewhere/CN=stranger", "clientAuth"),
    ("nameless", "/O=Acme/OU=Callback", "clientAuth"),
    ("empty", "/", "clientAuth"),
    ("unfit", "/O=Acme/OU=Callback/CN=callback mq", "serverAuth"),
];

/// Stages have addresses of their own, 127.0.NET.x.
static NET: AtomicU8 = AtomicU8::new(1);

/// A compiled bundle and two nodes that stand for its servers.
pub(super) struct Stage {
    workspace: Workspace,
    pub(super) brokers: [Broker; 2],
    pub(super) network: Network,
    pub(super) port: u16,
}

fn inventory(port: u16, identity: &str) -> String {
    let mut text = format!(
        "schema: cbgen/v1\nbundle: {{ name: stage, version: 1.0.0 }}\n\
         product:\n  version: 9.5.3\n  install_root: 'C:\\Callback'\n  core_monitor_root: 'C:\\Callback\\Core Monitor'\n  \
         high_availability: true\n\
         proxy: {{ fqdn: callback.test.example, https_port: 443 }}\n\
         certificate: {{ kind: ca_issued, pfx: 'D:\\handoff\\callback.pfx' }}\n\
         sql: {{ version: 2016, server: SQL01, access: [odbc] }}\n\
         rabbitmq:\n  certificates: '{CERTIFICATES}'\n  {identity}\n  port: {port}\n  user_tags: [monitoring]\n  \
         disable_management_plugin: true\nservers:\n"
    );
    for (name, other) in [("CORE01", "CORE02"), ("CORE02", "CORE01")] {
        let fqdn = format!("{}.test.example", name.to_lowercase());
        write!(
            text,
            "  - name: {name}\n    fqdn: {fqdn}\n    roles: [core, management]\n    windows: 2016\n    dotnet: 4.7.1\n    \
             rabbitmq:\n      certificate_names: [{name}, {fqdn}]\n      upstreams:\n        \
             - {{ name: from {other}, server: {other}, keep: {{ prefetch-count: 500 }} }}\n"
        )
        .expect("a String");
    }
    text
}

impl Stage {
    /// Compiles the inventory, makes certificates for `subject`, and prepares both nodes.
    pub(super) fn new(identity: &str, subject: &str) -> Self {
        let workspace = Workspace::new();
        let port = free_port();
        workspace.write("inventory.yaml", &inventory(port, identity));
        let ran = workspace.run(&["build", "inventory.yaml", "-o", "out"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let top = workspace.outside().to_owned();
        let pki = top.join("pki");
        certificates::authority(&pki);
        certificates::leaf(&pki, "client", subject, "clientAuth", &[]);
        for (name, subject, usage) in CLIENTS {
            certificates::leaf(&pki, name, subject, usage, &[]);
        }
        let net = NET.fetch_add(1, Ordering::Relaxed);
        let addresses = [2, 3].map(|host| format!("127.0.{net}.{host}"));
        let network = Network::start(
            &top.join("home"),
            &[(SERVERS[0], &addresses[0]), (SERVERS[1], &addresses[1])],
        );
        let mut addresses = addresses.iter();
        let brokers = SERVERS.map(|name| {
            let broker = Broker::new(&top.join(name), name, addresses.next().expect("two"));
            let fqdn = format!("{}.test.example", name.to_lowercase());
            certificates::leaf(
                &pki,
                name,
                &format!("/O=Acme/CN={fqdn}"),
                "serverAuth",
                &[name, &fqdn],
            );
            let folder = broker.folder.join(CERTIFICATES.replace('\\', "/"));
            certificates::seven_files(&pki, name, "client", &folder);
            for (name, ..) in CLIENTS {
                for file in ["certificate", "key"] {
                    let file = format!("{name}_{file}.pem");
                    fs::copy(pki.join(&file), folder.join(file)).expect("copied");
                }
            }
            broker
        });
        let stage = Self {
            workspace,
            brokers,
            network,
            port,
        };
        for broker in &stage.brokers {
            for folder in FOLDERS {
                fs::create_dir(broker.folder.join(folder)).expect("a folder");
            }
            let link = |name: &str, target: &str| {
                std::os::unix::fs::symlink(target, broker.folder.join(name)).expect("a link");
            };
            link(CONFIG, "rabbitmq.config");
            link(r"C:\base\enabled_plugins", "enabled_plugins");
            let put = |name: &str, text: &str| fs::write(broker.folder.join(name), text).expect("writable");
            put(r"C:\Callback\rabbitmq_config.json", "{\"rabbitConfig\": {}}\n");
            put("enabled_plugins", "[rabbitmq_federation].\n");
            for tool in ["rabbitmqctl.bat", "rabbitmq-plugins.bat"] {
                put(&format!(r"{SBIN}\{tool}"), "");
            }
            put(r"C:\Program Files\Git\usr\bin\openssl.exe", "");
            put(
                r"C:\bundle\rabbitmq.config",
                &broker.loopback(&stage.artifact(&broker.name, "rabbitmq.config"), port),
            );
        }
        stage
    }

    /// Where certificates and keys are made.
    pub(super) fn pki(&self) -> PathBuf {
        self.workspace.outside().join("pki")
    }

    /// A generated file of one server.
    pub(super) fn artifact(&self, server: &str, name: &str) -> String {
        let path = self
            .workspace
            .folder()
            .join(format!("out/stage/servers/{server}/rabbitmq/{name}"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Does the same on both servers at once.
    pub(super) fn on_both(&mut self, work: impl Fn(&mut Machine<'_>, &dyn Fn(&str) -> String) + Sync) {
        let workspace = self.workspace.folder();
        let network = &self.network;
        std::thread::scope(|scope| {
            for broker in &mut self.brokers {
                let folder = workspace.join(format!("out/stage/servers/{}/rabbitmq", broker.name));
                let work = &work;
                scope.spawn(move || {
                    let mut machine = Machine::new(broker, network, CONFIG);
                    work(&mut machine, &|name| {
                        fs::read_to_string(folder.join(name)).expect("a generated script")
                    });
                });
            }
        });
    }

    pub(super) fn start_both(&mut self) {
        for broker in &mut self.brokers {
            broker.start(&self.network);
        }
        for broker in &mut self.brokers {
            broker.wait(&self.network);
        }
    }

    /// Restarts both brokers with changes in their generated configuration and other plugins; `prepare` gets each folder of
    /// certificates meanwhile.
    pub(super) fn restart_with(
        &mut self,
        changes: [(&[(&str, &str)], &str); 2],
        mut prepare: impl FnMut(usize, &Path),
    ) {
        for (index, (replaced, plugins)) in changes.into_iter().enumerate() {
            let mut text = self.artifact(SERVERS[index], "rabbitmq.config");
            for (from, to) in replaced {
                assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
                text = text.replace(from, to);
            }
            let broker = &mut self.brokers[index];
            let text = broker.loopback(&text, self.port);
            fs::write(broker.folder.join("rabbitmq.config"), text).expect("writable");
            fs::write(broker.folder.join("enabled_plugins"), plugins).expect("writable");
            prepare(index, &broker.folder.join(CERTIFICATES.replace('\\', "/")));
            broker.stop(&self.network);
        }
        self.start_both();
    }

    /// What a broker makes of an expression; a text without its quotes.
    #[track_caller]
    pub(super) fn ask(&self, index: usize, expression: &str) -> String {
        let broker = &self.brokers[index];
        let answer = broker
            .ask(&self.network, expression)
            .unwrap_or_else(|error| panic!("{expression}: {error}\n{}", broker.log()));
        let answer = answer
            .strip_prefix("{ok, ")
            .and_then(|answer| answer.strip_suffix('}'));
        let answer = answer.expect("an answer");
        // An empty text is an empty list.
        answer
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(answer)
            .replace("[]", "")
    }

    /// A login the first broker refuses; `reason` is in what it writes down about it.
    #[track_caller]
    pub(super) fn refused(&self, certificate: &str, reason: &str) {
        let before = self.brokers[0].log().len();
        let answer = self.login(certificate);
        assert!(answer.starts_with("refused: {auth_failure,"), "{answer}");
        let mut said = String::new();
        let found = wait_until(Duration::from_mins(1), || {
            said = self.brokers[0].log().split_off(before);
            said.contains(reason)
        });
        assert!(found, "{certificate}: not `{reason}` but {said}");
    }

    /// A client that stays connected to a server, as Callback does.
    pub(super) fn hold(&self, index: usize) -> Daemon {
        let (port, folder) = (self.port.to_string(), CERTIFICATES.replace('\\', "/"));
        let before = self.ask(index, "length(rabbit_networking:connections())");
        let client = Daemon::start("escript", |command| {
            self.network.prepare(command);
            command
                .env("ERL_LIBS", installation().join("plugins"))
                .current_dir(&self.brokers[index].folder)
                .arg(root().join("tests/rabbitmq/client.escript"))
                .args([
                    "hold",
                    &self.brokers[index].address,
                    &port,
                    SERVERS[index],
                    &folder,
                    "client",
                ]);
        });
        let connected = wait_until(Duration::from_mins(2), || {
            self.ask(index, "length(rabbit_networking:connections())") != before
        });
        assert!(connected, "{}", self.brokers[index].log());
        client
    }

    /// What the generated script gives the broker of a server as its upstream.
    pub(super) fn definition(&self, server: &str) -> serde_json::Value {
        let script = self.artifact(server, "apply-upstreams.cmd");
        let line = script.lines().find(|line| line.contains("set_parameter"));
        let commands = cbgen::formats::cmd::phases::arguments_of(line.expect("an upstream"), &|_| {
            Some("C:\\rabbitmqctl.bat".into())
        });
        let commands = commands.expect("a line the model reads");
        let definition = commands[0].arguments.last().expect("a definition");
        serde_json::from_str(definition).expect("JSON")
    }

    /// Runs the client of this folder beside the first server.
    pub(super) fn client(&self, arguments: &[&str]) -> String {
        let mut command = program("escript");
        self.network.prepare(&mut command);
        command
            .env("ERL_LIBS", installation().join("plugins"))
            .current_dir(&self.brokers[0].folder)
            .arg(root().join("tests/rabbitmq/client.escript"));
        succeed(command.args(arguments)).trim().to_owned()
    }

    /// One login at the first server with a certificate, or `none`.
    pub(super) fn login(&self, certificate: &str) -> String {
        self.login_at(0, certificate)
    }

    /// One login at a server.
    pub(super) fn login_at(&self, index: usize, certificate: &str) -> String {
        let (port, folder) = (self.port.to_string(), CERTIFICATES.replace('\\', "/"));
        let broker = &self.brokers[index];
        self.client(&[
            "login",
            &broker.address,
            &port,
            &broker.name,
            &folder,
            certificate,
        ])
    }

    /// A federated exchange on both servers.
    pub(super) fn federate(&self) {
        let (port, folder) = (self.port.to_string(), CERTIFICATES.replace('\\', "/"));
        for broker in &self.brokers {
            self.client(&["declare", &broker.address, &port, &broker.name, &folder, "client"]);
            let definition = r#"{"federation-upstream-set":"all"}"#;
            broker.ctl(
                &self.network,
                &[
                    "set_policy",
                    "--apply-to",
                    "exchanges",
                    "fed",
                    "^fed[.]",
                    definition,
                ],
            );
        }
    }

    /// Waits for the links, then lets the generated script judge both servers.
    pub(super) fn judge(&mut self, user: &str) {
        self.on_both(|machine, script| {
            let mut ended = machine.run(&script("post-check.cmd"), "");
            wait_until(Duration::from_mins(2), || {
                if ended.code != 0 {
                    ended = machine.run(&script("post-check.cmd"), "");
                }
                ended.code == 0
            });
            assert_eq!(ended.code, 0, "{}\n{}", ended.printed, machine.broker.log());
            assert!(ended.printed.contains("running"), "{}", ended.printed);
            let connections = read(machine.broker, &format!(r"{STATE}\connections.txt"));
            let parts: Vec<Vec<&str>> = connections
                .lines()
                .map(|line| line.split('\t').collect())
                .collect();
            assert!(
                parts.iter().any(|part| part.len() == 4
                    && part[0] == user
                    && part[2] == "EXTERNAL"
                    && part[3] == "tlsv1.2"),
                "{connections}"
            );
        });
    }

    /// A message published at the second server arrives at the first.
    pub(super) fn cross(&self) {
        let (port, folder) = (self.port.to_string(), CERTIFICATES.replace('\\', "/"));
        let [down, up] = &self.brokers;
        let found = self.client(&[
            "cross",
            &up.address,
            &up.name,
            &down.address,
            &down.name,
            &port,
            &folder,
            "client",
        ]);
        assert_eq!(found, "crossed");
    }

    pub(super) fn certificates_decide(&self) {
        assert_eq!(self.login("client"), "accepted");
        self.refused("stranger", "stranger");
        let nobody = self.login("none");
        assert!(
            nobody.starts_with("refused: {tls_alert,{handshake_failure,"),
            "{nobody}"
        );
        assert!(
            !self.brokers[0].listens(self.brokers[0].plain),
            "the plain port is open"
        );
    }

    /// The keys of the generated configuration are those of RabbitMQ 3.8; lint holds the list.
    pub(super) fn keys_are_known(&self) {
        for server in SERVERS {
            let text = self.artifact(server, "rabbitmq.config").replace('\r', "");
            let items = lint::read_back(Format::Erlang, &text).expect("RabbitMQ 3.8 knows every key");
            assert!(
                items
                    .iter()
                    .any(|item| item.path.to_string().contains("tcp_listeners")),
                "{items:?}"
            );
        }
    }

    /// RabbitMQ's own parser reads every federation URI as it was meant.
    pub(super) fn uris_are_read(&self) {
        for (server, other) in [("CORE01", "CORE02"), ("CORE02", "CORE01")] {
            let definition = self.definition(server);
            let folder = CERTIFICATES.replace('\\', "/");
            let expected = format!(
                "{other}:{} <<\"/\">> guest cacertfile={folder}/ca_certificate.pem \
                 certfile={folder}/client_certificate.pem keyfile={folder}/client_key.pem verify=verify_peer \
                 server_name_indication={other} mechanisms=[[external]]",
                self.port
            );
            assert_eq!(
                self.client(&["uri", definition["uri"].as_str().expect("a text")]),
                expected
            );
        }
    }
}

/// Parameters and users of a broker, in a fixed order.
pub(super) fn state(broker: &Broker, network: &Network) -> String {
    let lists = ["list_parameters", "list_users", "list_permissions"]
        .map(|list| broker.ctl(network, &[list, "--formatter", "json"]))
        .concat();
    let mut lines: Vec<&str> = lines_of(&lists).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The broker puts a comma before every item but the first.
fn lines_of(list: &str) -> impl Iterator<Item = &str> {
    list.lines().map(|line| line.trim_start_matches(','))
}
