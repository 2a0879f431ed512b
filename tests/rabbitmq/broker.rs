//! Private RabbitMQ nodes: own home, cookie, port mapper, names and ports, loopback only; stopped by process id.
//!
//! A node runs in a folder of its own that stands for the Windows server. Paths with a drive letter are relative paths
//! on Linux, so `C:/certs (x86)/…` in a generated file leads into that folder without any substitution; a path with
//! backslashes is the name of one file there. The one thing that is substituted is the address a listener is bound to,
//! see [`Broker::loopback`].

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::harness::Ran;
use crate::support::program::{Daemon, finish, finish_with_input, free_port, program, wait_until};

/// Where the programs of RabbitMQ are; the test fails without them.
pub(super) fn installation() -> PathBuf {
    let found = fs::read_dir("/usr/lib/rabbitmq/lib").ok().and_then(|entries| {
        entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.join("sbin/rabbitmq-server").is_file())
    });
    found.expect("the package rabbitmq-server is installed")
}

/// The path of one of RabbitMQ's programs.
fn tool(name: &str) -> String {
    installation().join("sbin").join(name).display().to_string()
}

/// What the nodes of a test show each other.
const COOKIE: &str = "cbgen";
/// How `tests/run` knows the processes of its run; they would be left unseen in an empty environment.
const RUN: &str = "CBGEN_TEST_RUN";

/// What nodes and tools of one test share: home, cookie, names, port mapper.
pub(super) struct Network {
    home: PathBuf,
    mapper_port: u16,
    _mapper: Daemon,
}

impl Network {
    /// Starts a port mapper. `names` are host names with their addresses, for Erlang only.
    pub(super) fn start(home: &Path, names: &[(&str, &str)]) -> Self {
        fs::create_dir_all(home).expect("a folder");
        let mut hosts = "{lookup, [file, native]}.\n".to_owned();
        for (name, address) in names {
            writeln!(
                hosts,
                "{{host, {{{}}}, [\"{name}\"]}}.",
                address.replace('.', ",")
            )
            .expect("a String");
        }
        fs::write(home.join("hosts"), hosts).expect("writable");
        // Two nodes that start at once would each invent a cookie.
        let cookie = home.join(".erlang.cookie");
        fs::write(&cookie, COOKIE).expect("writable");
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400)).expect("a cookie for its owner");
        let mapper_port = free_port();
        let mapper = Daemon::start("epmd", |command| {
            command.args(["-port", &mapper_port.to_string(), "-address", "127.0.0.1"]);
        });
        Self {
            home: home.to_owned(),
            mapper_port,
            _mapper: mapper,
        }
    }

    /// Sets what every Erlang program of this test needs.
    pub(super) fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .envs(std::env::var_os(RUN).map(|run| (RUN, run)))
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            // One scheduler that sleeps when it has nothing to do: the machine has other tests to run.
            .env("ERL_FLAGS", "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none")
            .env("HOME", &self.home)
            .env("ERL_EPMD_PORT", self.mapper_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_INETRC", self.home.join("hosts"));
    }
}

/// One node.
pub(super) struct Broker {
    /// Name of the Windows server it stands for.
    pub(super) name: String,
    /// Loopback address its listeners are bound to.
    pub(super) address: String,
    /// Its folder, which stands for the server.
    pub(super) folder: PathBuf,
    /// The port that stands for 5672, where a broker of this machine may listen.
    pub(super) plain: u16,
    settings: Vec<(&'static str, String)>,
    process: Option<Daemon>,
}

impl Broker {
    /// A node that is not started yet.
    pub(super) fn new(folder: &Path, name: &str, address: &str) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let path = |name: &str| folder.join(name).display().to_string();
        let settings = vec![
            (
                "RABBITMQ_NODENAME",
                format!("{}-{}@localhost", name.to_lowercase(), std::process::id()),
            ),
            ("RABBITMQ_DIST_PORT", free_port().to_string()),
            ("RABBITMQ_CONFIG_FILE", path("rabbitmq")),
            ("RABBITMQ_CONF_ENV_FILE", path("none")),
            ("RABBITMQ_MNESIA_BASE", path("db")),
            ("RABBITMQ_LOG_BASE", path("log")),
            ("RABBITMQ_LOGS", path("broker.log")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins")),
            ("RABBITMQ_PLUGINS_EXPAND_DIR", path("expanded")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", path("generated")),
            ("RABBITMQ_PID_FILE", path("pid")),
            // Four brokers and their tools share two cores: one thread each, and none that waits busily.
            (
                "ERL_AFLAGS",
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none".to_owned(),
            ),
        ];
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            folder: folder.to_owned(),
            plain: free_port(),
            settings,
            process: None,
        }
    }

    /// A configuration with its listeners bound to the loopback address of this node, and 5672 on the port that stands
    /// for it.
    pub(super) fn loopback(&self, configuration: &str, port: u16) -> String {
        let everywhere = format!("{{ssl_listeners, [{port}]}}");
        assert!(configuration.contains(&everywhere), "{configuration}");
        let here = |port: u16| format!("_listeners, [{{\"{}\", {port}}}]", self.address);
        configuration
            .replace(&format!("_listeners, [{port}]"), &here(port))
            .replace("_listeners, [5672]", &here(self.plain))
    }

    /// Sets the folder and the variables of this node.
    fn prepare(&self, network: &Network, command: &mut Command) {
        network.prepare(command);
        command
            .current_dir(&self.folder)
            .envs(self.settings.iter().map(|(name, value)| (*name, value)));
    }

    /// Starts the node without waiting.
    pub(super) fn start(&mut self, network: &Network) {
        let output = fs::File::create(self.folder.join("output")).expect("writable");
        let errors = output.try_clone().expect("a file");
        self.process = Some(Daemon::start(&tool("rabbitmq-server"), |command| {
            self.prepare(network, command);
            // With this set the script becomes the virtual machine and does not watch it.
            command.env("RUNNING_UNDER_SYSTEMD", "1");
            let local = "-kernel inet_dist_use_interface {127,0,0,1}";
            command
                .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", local)
                .stdout(output)
                .stderr(errors);
        }));
    }

    /// Waits until the node has started everything, plugins too.
    pub(super) fn wait(&mut self, network: &Network) {
        let mut ended = false;
        let mut answer = Err(String::new());
        let up = wait_until(Duration::from_mins(5), || {
            ended = !self.runs();
            answer = self.ask(network, "rabbit_boot_state:get()");
            ended || answer.as_deref() == Ok("{ok, ready}")
        });
        assert!(
            up && !ended,
            "{} does not start: {answer:?}\n{}",
            self.name,
            self.log()
        );
    }

    /// What the running node makes of an expression. For what a test asks or prepares; scripts use the real tools, which
    /// take a hundred times as long.
    pub(super) fn ask(&self, network: &Network, expression: &str) -> Result<String, String> {
        let mut command = program("erl_call");
        self.prepare(network, &mut command);
        let (_, node) = &self.settings[0];
        command.args(["-c", COOKIE, "-n", node, "-e"]);
        let ran = finish_with_input(&mut command, format!("{expression}.\n").as_bytes());
        // Long answers are broken into lines.
        let answer = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        if ran.code == 0 && !answer.starts_with("{error") {
            Ok(answer)
        } else {
            Err(answer + &ran.stderr)
        }
    }

    /// Whether the node was started and not stopped.
    pub(super) fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(Daemon::runs)
    }

    /// Stops the node, which writes what it holds first.
    pub(super) fn stop(&mut self, network: &Network) {
        // The node ends after its answer.
        self.ask(network, "spawn(fun() -> rabbit:stop_and_halt() end)")
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        let process = self.process.as_mut().expect("a started node");
        assert!(
            wait_until(Duration::from_mins(3), || !process.runs()),
            "{}",
            self.log()
        );
        self.process = None;
    }

    /// Runs one of RabbitMQ's tools for this node.
    pub(super) fn run(&self, network: &Network, name: &str, arguments: &[&str]) -> Ran {
        let once = || {
            let mut command = program(&tool(name));
            self.prepare(network, &mut command);
            finish(command.args(arguments))
        };
        // 69: the node cannot be reached. Erlang gives a handshake seven seconds, which a starved machine now and then
        // does not keep; a node that is down says the same a second time.
        let ran = once();
        if ran.code == 69 { once() } else { ran }
    }

    /// Runs `rabbitmqctl`, which must end well; gives what it prints.
    #[track_caller]
    pub(super) fn ctl(&self, network: &Network, arguments: &[&str]) -> String {
        let ran = self.run(network, "rabbitmqctl", &[&["-q"], arguments].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Whether something accepts connections on this node's address.
    pub(super) fn listens(&self, port: u16) -> bool {
        let address: SocketAddr = format!("{}:{port}", self.address).parse().expect("an address");
        TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
    }

    /// Ports this node's address is listened on, as the system tells.
    pub(super) fn listeners(&self) -> Vec<u16> {
        let address: std::net::Ipv4Addr = self.address.parse().expect("an address");
        let own = format!("{:08X}:", u32::from_le_bytes(address.octets()));
        let table = fs::read_to_string("/proc/net/tcp").expect("the sockets of Linux");
        let ports = table.lines().filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let port = words.next()?.strip_prefix(&own)?;
            // State 0A is listening.
            (words.nth(1)? == "0A").then(|| u16::from_str_radix(port, 16).expect("a port"))
        });
        ports.collect()
    }

    /// The log of the node, for messages.
    pub(super) fn log(&self) -> String {
        ["output", "broker.log"]
            .map(|name| fs::read_to_string(self.folder.join(name)).unwrap_or_default())
            .concat()
    }
}
