//! One generated nginx.conf behind a running nginx: what the inventories ask of it, and the few places that have to be
//! another on this machine.
//!
//! The file is the one of the archive with only these substitutions: listening ports become free ports on 127.0.0.1; where
//! requests are passed on, ports of backends become those of the stubs and own ports the own free ports, so that a proxy that
//! calls itself really does; and the folders nginx keeps temporary files in are set (a build for Linux would use those of the
//! system). Paths stay: `C:/…` is no absolute path on Linux, so those of the logs lie below the prefix.
//!
//! What keeps a file from being tried at all is a panic, never a verdict about the file.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use cbgen::inventory::model::WindowsVersion;

use crate::support::backend::{Backend, Request};
use crate::support::bundles::{Built, bundle};
use crate::support::certificates::certificates;
use crate::support::client::Ask;
use crate::support::program::{Daemon, finish, folder, free_port, program, succeed, wait_until, write};

/// What stands before the port of a service on the same machine.
const LOOPBACK: &str = "://127.0.0.1:";

/// What the inventories ask of the proxy, written down by hand so that the compiler is not its own judge.
pub(crate) struct Expected {
    /// The inventory.
    pub(crate) inventory: &'static str,
    /// One of its Management servers.
    pub(crate) server: &'static str,
    /// Names browsers may come from; the first one is that of the proxy.
    pub(crate) hosts: &'static [&'static str],
    pub(crate) https_port: u16,
    pub(crate) http_port: Option<u16>,
    pub(crate) trailing_slash: bool,
    pub(crate) tls13: bool,
    /// Windows releases of its servers.
    pub(crate) windows: &'static [WindowsVersion],
}

pub(crate) const EXPECTED: &[Expected] = &[
    Expected {
        inventory: "prod",
        server: "MGMT01",
        hosts: &[
            "callback.acme.example",
            "mgmt01.acme.example",
            "mgmt02.acme.example",
        ],
        https_port: 443,
        http_port: None,
        trailing_slash: false,
        tls13: false,
        windows: &[WindowsVersion::W2016],
    },
    Expected {
        inventory: "prod-8443",
        server: "MGMT02",
        hosts: &[
            "callback-with-a-first-label-as-long-as-a-label-may-be-in-a-name.acme.example",
            "mgmt01.acme.example",
            "mgmt02.acme.example",
        ],
        https_port: 8443,
        http_port: Some(8081),
        trailing_slash: false,
        tls13: false,
        windows: &[WindowsVersion::W2016],
    },
    Expected {
        inventory: "lab",
        server: "LAB01",
        hosts: &["lab.acme.example", "lab01.acme.example"],
        https_port: 8080,
        http_port: None,
        trailing_slash: false,
        tls13: false,
        windows: &[WindowsVersion::W2012R2],
    },
    Expected {
        inventory: "lab-443",
        server: "LAB01",
        hosts: &["lab.acme.example", "lab01.acme.example"],
        https_port: 443,
        http_port: None,
        trailing_slash: true,
        tls13: false,
        windows: &[WindowsVersion::W2012R2],
    },
    Expected {
        inventory: "branch",
        server: "BR-MGMT",
        hosts: &["callback.branch.acme.example", "mgmt.branch.acme.example"],
        https_port: 443,
        http_port: None,
        trailing_slash: false,
        tls13: false,
        windows: &[WindowsVersion::W2016],
    },
    Expected {
        inventory: "plant",
        server: "PLANT-CB2",
        hosts: &[
            "callback.plant.acme.example",
            "cb1.plant.acme.example",
            "cb2.plant.acme.example",
            "intranet.plant.acme.example",
            "kiosk.plant.acme.example",
            "callback-dmz.plant.acme.example",
        ],
        https_port: 443,
        http_port: Some(8081),
        trailing_slash: true,
        tls13: true,
        windows: &[WindowsVersion::W2016],
    },
];

impl Expected {
    pub(crate) fn proxy(&self) -> &'static str {
        self.hosts[0]
    }

    /// What the browser calls a page of `host`: the port is there only when it is not the usual one.
    pub(crate) fn origin(&self, host: &str) -> String {
        match self.https_port {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }

    /// The path of the file in the bundle.
    pub(crate) fn path(&self) -> String {
        format!("servers/{}/nginx/nginx.conf", self.server)
    }

    /// The folder of the logs, from the file as it was built.
    fn logs(&self) -> String {
        let text = self.text();
        let rest = text.split("access_log \"").nth(1).expect("a log");
        let folder = rest.split("/logs/").next().expect("a folder");
        assert!(folder[1..].starts_with(":/"), "{folder} is no path of Windows");
        format!("{folder}/logs")
    }

    /// The deployed text.
    pub(crate) fn text(&self) -> String {
        let built: &Built = bundle(self.inventory);
        String::from_utf8(built.deployed[&self.path()].clone()).expect("UTF-8")
    }
}

/// The expectation for an inventory.
pub(crate) fn expected(inventory: &str) -> &'static Expected {
    EXPECTED
        .iter()
        .find(|expected| expected.inventory == inventory)
        .expect("a known inventory")
}

/// Ports of the backends in the generated file: Auth, Configuration, Stats, System, License, Management, IIS.
const BACKENDS: &[u16] = &[2800, 8001, 2900, 8000, 8002, 8012, 80];

/// Settings of OpenSSL that allow everything.
const POLICY: &str = "openssl_conf = all\n[all]\nssl_conf = modules\n[modules]\nsystem_default = everything\n\
    [everything]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n";

/// What a server is given as its certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Chain,
    LeafOnly,
    NoCertificate,
    /// The certificate lies in the prefix, not beside the file.
    InPrefix,
    NoKey,
    /// The certificate has an elliptic key.
    Elliptic,
    /// Nobody may read the key.
    ClosedKey,
    /// The key needs a password.
    LockedKey,
    NoLogs,
    /// Text of OpenSSL and line ends of Windows around the blocks.
    Surrounded,
}

/// A prefix with the file, and stubs for its backends.
struct Site {
    folder: tempfile::TempDir,
    backends: BTreeMap<u16, Backend>,
    https: u16,
    http: Option<u16>,
    /// The folder of the logs, below the prefix.
    logs: String,
    /// Whether the key is closed to everybody.
    closed: bool,
}

impl Site {
    fn new(expected: &Expected, text: &str, given: Given) -> Self {
        let backends: BTreeMap<u16, Backend> = BACKENDS
            .iter()
            .map(|port| (*port, Backend::of_port(*port)))
            .collect();
        let logs = expected.logs();
        let site = Self {
            folder: folder(),
            backends,
            https: free_port(),
            http: expected.http_port.map(|_| free_port()),
            logs,
            closed: given == Given::ClosedKey,
        };
        let text = site.substituted(expected, text);
        let (prefix, made) = (site.prefix(), certificates());
        write(&prefix.join("conf/nginx.conf"), text);
        write(
            &prefix.join("conf/mime.types"),
            "types {\n    text/html html;\n}\n",
        );
        let certificate = match given {
            Given::NoCertificate => None,
            Given::InPrefix => {
                write(&prefix.join("vht_callback_ssl.crt"), made.chain());
                None
            }
            Given::LeafOnly => Some(made.leaf.clone()),
            Given::Elliptic => Some(made.elliptic_chain()),
            Given::Surrounded => {
                let attributes = "Bag Attributes\n    localKeyID: 01\nsubject=CN = callback\n-----BEGIN";
                Some(
                    made.chain()
                        .replace("-----BEGIN", attributes)
                        .replace('\n', "\r\n"),
                )
            }
            _ => Some(made.chain()),
        };
        if let Some(text) = certificate {
            write(&prefix.join("conf/vht_callback_ssl.crt"), text);
        }
        let key = prefix.join("conf/vht_callback_ssl.key");
        match given {
            Given::NoKey => {}
            Given::Elliptic => write(&key, &made.elliptic[1]),
            Given::LockedKey => {
                let plain = site.folder.path().join("plain.key");
                write(&plain, &made.key);
                let mut openssl = program("openssl");
                openssl.args(["pkey", "-aes256", "-passout", "pass:locked", "-in"]);
                succeed(openssl.arg(plain).arg("-out").arg(key));
            }
            _ => write(&key, &made.key),
        }
        if given == Given::ClosedKey {
            let nobody = std::fs::Permissions::from_mode(0o000);
            std::fs::set_permissions(prefix.join("conf/vht_callback_ssl.key"), nobody).expect("own file");
        }
        if given != Given::NoLogs {
            write(&prefix.join(&site.logs).join(".keep"), "");
        }
        site
    }

    /// The prefix has the blanks and parentheses of the default installation folder.
    fn prefix(&self) -> PathBuf {
        self.folder.path().join("Program Files (x86)/proxy/nginx")
    }

    fn substituted(&self, expected: &Expected, text: &str) -> String {
        let mut text = text.to_owned();
        let mut listens = vec![(
            format!("listen {} ssl", expected.https_port),
            format!("listen 127.0.0.1:{} ssl", self.https),
        )];
        if let (Some(written), Some(used)) = (expected.http_port, self.http) {
            listens.push((
                format!("listen 127.0.0.1:{written};"),
                format!("listen 127.0.0.1:{used};"),
            ));
        }
        for (from, to) in listens {
            assert_eq!(text.matches(&from).count(), 1, "`{from}` stands once in the file");
            text = text.replace(&from, &to);
        }
        let mut parts = text.split(LOOPBACK);
        let mut mapped = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.chars().take_while(char::is_ascii_digit).count();
            let written: u16 = part[..digits].parse().expect("a port");
            let used = match written {
                port if port == expected.https_port => self.https,
                port if Some(port) == expected.http_port => self.http.expect("a second listener"),
                // Whatever listens there on this machine is none of ours.
                port => self.backends.get(&port).map_or_else(free_port, Backend::port),
            };
            mapped.push_str(&format!("{LOOPBACK}{used}{}", &part[digits..]));
        }
        let mut temporary = "http {\n".to_owned();
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            temporary.push_str(&format!("    {kind}_temp_path temp_{kind};\n"));
        }
        let end = if mapped.contains("http {\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let begin = format!("http {{{end}");
        assert!(mapped.contains(&begin), "the file has a part `http`");
        mapped.replacen(&begin, &temporary, 1)
    }

    /// The arguments of nginx, which runs as who runs the tests.
    fn arguments(&self) -> Vec<String> {
        let folder = self.folder.path();
        let mut global = format!(
            "daemon off; pid {0}/nginx.pid; error_log {0}/error.log;",
            folder.display()
        );
        // Workers that root starts become `nobody`, who may not write into the folders of a test.
        if std::fs::metadata(folder).is_ok_and(|folder| folder.uid() == 0) {
            global.push_str(" user root;");
        }
        let prefix = format!("{}/", self.prefix().display());
        ["-p", &prefix, "-c", "conf/nginx.conf", "-g", &global]
            .map(ToOwned::to_owned)
            .to_vec()
    }

    /// `nginx -t`.
    fn test(&self) -> Result<(), String> {
        // Without a terminal nobody can be asked for the password of a key.
        let mut nginx = program("setsid");
        nginx.arg("--wait");
        // Root reads what nobody may read, unless it gives that right away.
        if self.closed && std::fs::read(self.prefix().join("conf/vht_callback_ssl.key")).is_ok() {
            nginx.args(["setpriv", "--bounding-set=-dac_override,-dac_read_search"]);
        }
        nginx.args(["nginx", "-t"]).args(self.arguments());
        let ran = finish(&mut nginx);
        match (ran.code, ran.stderr.contains("test is successful")) {
            (0, true) => Ok(()),
            _ => Err(ran.stderr),
        }
    }

    fn start(self) -> Result<Served, String> {
        self.test()?;
        let arguments = self.arguments();
        // Debian's own policy refuses old protocols whatever the file says; here only the file decides.
        let policy = self.folder.path().join("openssl.cnf");
        write(&policy, POLICY);
        let mut daemon = Daemon::start("nginx", |command| {
            command.args(arguments).env("OPENSSL_CONF", policy);
        });
        let https = self.https;
        let listens = || TcpStream::connect(("127.0.0.1", https)).is_ok();
        if wait_until(Duration::from_mins(1), || listens() || !daemon.runs()) && daemon.runs() {
            Ok(Served {
                site: self,
                _daemon: daemon,
            })
        } else {
            Err(std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default())
        }
    }
}

/// nginx with the file, running.
pub(crate) struct Served {
    site: Site,
    _daemon: Daemon,
}

/// Serves a text as the file of an inventory.
pub(crate) fn serve(expected: &Expected, text: &str, given: Given) -> Result<Served, String> {
    Site::new(expected, text, given).start()
}

/// `nginx -t` on the file of an inventory: the logs that are there before and afterwards.
pub(crate) fn logs_of_a_test(expected: &Expected) -> [Vec<String>; 2] {
    let site = Site::new(expected, &expected.text(), Given::Chain);
    let logs = || {
        let entries = std::fs::read_dir(site.prefix().join(&site.logs)).expect("a folder");
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name != ".keep");
        names.sort();
        names
    };
    let before = logs();
    site.test().expect("the file itself is fine");
    [before, logs()]
}

/// `nginx -t` on a text.
pub(crate) fn tested(expected: &Expected, text: &str, given: Given) -> Result<(), String> {
    Site::new(expected, text, given).test()
}

impl Served {
    /// A request to the TLS server.
    pub(crate) fn https(&self, host: &str, path: &str) -> Ask {
        Ask::new("https", host, self.site.https, path)
    }

    /// The port of the TLS server.
    pub(crate) fn port(&self) -> u16 {
        self.site.https
    }

    /// Every listener, and what speaks there.
    pub(crate) fn listeners(&self) -> Vec<(&'static str, u16)> {
        let plain = self.site.http.map(|port| ("http", port));
        [("https", self.site.https)].into_iter().chain(plain).collect()
    }

    /// What each backend saw since the last call.
    pub(crate) fn requests(&self) -> Vec<(u16, Request)> {
        let all = self.site.backends.iter();
        all.flat_map(|(port, stub)| stub.take().into_iter().map(move |request| (*port, request)))
            .collect()
    }

    /// The number of requests nginx wrote into the logs the file names.
    pub(crate) fn logged(&self) -> usize {
        let logs = self.site.prefix().join(&self.site.logs);
        let lines =
            |name: &str| std::fs::read_to_string(logs.join(name)).map_or(0, |text| text.lines().count());
        lines("https.log") + lines("http.log")
    }
}
