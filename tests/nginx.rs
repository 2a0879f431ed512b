//! The generated nginx.conf in a real nginx, in front of stub backends, asked by `curl` and `openssl`.
//!
//! The file is the one of the archive with only these substitutions, each of which must be possible:
//! listening ports become free ports on 127.0.0.1, ports of backends become those of the stubs, the folder of the logs
//! becomes `logs` below the prefix, and the folders nginx keeps temporary files in are set (a build for Linux would use
//! those of the system). Certificates are made by a laboratory authority and lie where the file looks for them.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::expect_none;
use crate::support::backend::Backend;
use crate::support::bundles::{Built, bundle, bundles};
use crate::support::certificates::certificates;
use crate::support::client::{Answer, Ask, ask};
use crate::support::program::{
    Daemon, finish, finish_with_input, folder, free_port, line_with, program, wait_until, write,
};

/// What the inventories ask of the proxy, written down by hand so that the compiler is not its own judge.
pub(crate) struct Expected {
    /// The inventory.
    pub(crate) inventory: &'static str,
    /// One of its Management servers.
    pub(crate) server: &'static str,
    /// Names browsers may come from; the first one is that of the proxy.
    hosts: &'static [&'static str],
    https_port: u16,
    http_port: Option<u16>,
    trailing_slash: bool,
    tls13: bool,
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
    },
    Expected {
        inventory: "lab",
        server: "LAB01",
        hosts: &["lab.acme.example", "lab01.acme.example"],
        https_port: 8080,
        http_port: None,
        trailing_slash: false,
        tls13: false,
    },
    Expected {
        inventory: "lab-443",
        server: "LAB01",
        hosts: &["lab.acme.example", "lab01.acme.example"],
        https_port: 443,
        http_port: None,
        trailing_slash: true,
        tls13: false,
    },
    Expected {
        inventory: "branch",
        server: "BR-MGMT",
        hosts: &["callback.branch.acme.example", "mgmt.branch.acme.example"],
        https_port: 443,
        http_port: None,
        trailing_slash: false,
        tls13: false,
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
    },
];

impl Expected {
    fn proxy(&self) -> &'static str {
        self.hosts[0]
    }

    /// What the browser calls a page of `host`: the port is there only when it is not the usual one.
    fn origin(&self, host: &str) -> String {
        match self.https_port {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }

    /// The path of the file in the bundle.
    pub(crate) fn path(&self) -> String {
        format!("servers/{}/nginx/nginx.conf", self.server)
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
    NoKey,
    NoLogs,
}

/// A prefix with the file, and stubs for its backends.
struct Site {
    folder: tempfile::TempDir,
    backends: BTreeMap<u16, Backend>,
    https: u16,
    http: Option<u16>,
}

impl Site {
    fn new(expected: &Expected, text: &str, given: Given) -> Result<Self, String> {
        let backends: BTreeMap<u16, Backend> =
            BACKENDS.iter().map(|port| (*port, Backend::start())).collect();
        let site = Self {
            folder: folder(),
            backends,
            https: free_port(),
            http: expected.http_port.map(|_| free_port()),
        };
        let text = site.substituted(expected, text)?;
        let (prefix, made) = (site.prefix(), certificates());
        write(&prefix.join("conf/nginx.conf"), text);
        write(
            &prefix.join("conf/mime.types"),
            "types {\n    text/html html;\n}\n",
        );
        let certificate = if given == Given::LeafOnly {
            made.leaf.clone()
        } else {
            made.chain()
        };
        write(&prefix.join("conf/vht_callback_ssl.crt"), certificate);
        if given != Given::NoKey {
            write(&prefix.join("conf/vht_callback_ssl.key"), &made.key);
        }
        if given != Given::NoLogs {
            write(&prefix.join("logs/.keep"), "");
        }
        Ok(site)
    }

    /// The prefix has the blanks and parentheses of the default installation folder.
    fn prefix(&self) -> PathBuf {
        self.folder.path().join("Program Files (x86)/proxy/nginx")
    }

    fn substituted(&self, expected: &Expected, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        let mut replace = |from: &str, to: &str, times: Option<usize>| {
            let found = text.matches(from).count();
            if found == 0 || times.is_some_and(|times| times != found) {
                return Err(format!("`{from}` stands {found} times in the file"));
            }
            text = text.replace(from, to);
            Ok(())
        };
        replace(
            &format!("listen {} ssl", expected.https_port),
            &format!("listen 127.0.0.1:{} ssl", self.https),
            Some(1),
        )?;
        if let (Some(written), Some(used)) = (expected.http_port, self.http) {
            replace(
                &format!("listen 127.0.0.1:{written};"),
                &format!("listen 127.0.0.1:{used};"),
                Some(1),
            )?;
        }
        // In two steps, because a free port could be the port of another backend.
        for port in self.backends.keys() {
            for end in ["/;", ";"] {
                let from = format!("proxy_pass http://127.0.0.1:{port}{end}");
                replace(&from, &format!("proxy_pass http://127.0.0.1:<{port}>{end}"), None).ok();
            }
        }
        for (port, backend) in &self.backends {
            replace(&format!("<{port}>"), &backend.port().to_string(), None)?;
        }
        let folder = text
            .split("access_log \"")
            .nth(1)
            .and_then(|rest| rest.split("/logs/").next());
        let folder = format!("access_log \"{}/logs/", folder.unwrap_or("no folder"));
        let text = text.replace(&folder, "access_log \"logs/");
        if !text.contains("access_log \"logs/https.log\" custom;") {
            return Err("the log of the TLS server is not where it should be".to_owned());
        }
        let mut temporary = "http {\n".to_owned();
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            temporary.push_str(&format!("    {kind}_temp_path temp_{kind};\n"));
        }
        let end = if text.contains("http {\r\n") { "\r\n" } else { "\n" };
        Ok(text.replacen(&format!("http {{{end}"), &temporary, 1))
    }

    /// The arguments of nginx, which runs as who runs the tests.
    fn arguments(&self) -> Vec<String> {
        let global = format!(
            "daemon off; pid {0}/nginx.pid; error_log {0}/error.log;",
            self.folder.path().display()
        );
        let prefix = format!("{}/", self.prefix().display());
        ["-p", &prefix, "-c", "conf/nginx.conf", "-g", &global]
            .map(ToOwned::to_owned)
            .to_vec()
    }

    /// `nginx -t`.
    fn test(&self) -> Result<(), String> {
        let ran = finish(program("nginx").arg("-t").args(self.arguments()));
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
        if wait_until(Duration::from_secs(20), || listens() || !daemon.runs()) && daemon.runs() {
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
    Site::new(expected, text, given)?.start()
}

/// `nginx -t` on a text.
pub(crate) fn tested(expected: &Expected, text: &str, given: Given) -> Result<(), String> {
    Site::new(expected, text, given)?.test()
}

impl Served {
    /// A request to the TLS server.
    fn https(&self, host: &str, path: &str) -> Ask {
        Ask::new("https", host, self.site.https, path)
    }

    /// The answer of a handshake with one protocol version, on a client that would accept every one.
    fn handshake(&self, host: &str, version: &str) -> String {
        let address = format!("127.0.0.1:{}", self.site.https);
        let mut openssl = program("openssl");
        openssl.args([
            "s_client",
            "-connect",
            &address,
            "-servername",
            host,
            version,
            "-cipher",
            "ALL@SECLEVEL=0",
        ]);
        let ran = finish(&mut openssl);
        ran.stdout + &ran.stderr
    }

    /// What each backend saw since the last call, in the order of [`BACKENDS`].
    fn seen(&self) -> Vec<(u16, String)> {
        let all = self.site.backends.iter();
        all.flat_map(|(port, backend)| backend.take().into_iter().map(|request| (*port, request.target)))
            .collect()
    }
}

fn only<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    match answer.header(name).as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// The Origin header of browsers and of those who would like to be one, and whether it is an allowed one.
fn origins(expected: &Expected, host: &str) -> Vec<(String, bool)> {
    let origin = expected.origin(host);
    let other_port = if expected.https_port == 443 {
        format!("{origin}:8443")
    } else {
        format!("https://{host}")
    };
    vec![
        (origin.clone(), true),
        (origin.to_uppercase(), true),
        (other_port, false),
        (origin.replacen("https", "http", 1), false),
        (format!("{origin}.attacker.example"), false),
        (origin.replacen("https://", "https://attacker-", 1), false),
        (format!("https://attacker.example/{origin}"), false),
        (origin.replacen('.', "x", 1), false),
        ("null".to_owned(), false),
    ]
}

/// Who may read answers: exactly the listed origins, exactly one header, on every status and whatever a backend sends.
pub(crate) fn cors(served: &Served, expected: &Expected) -> Result<(), String> {
    let paths = [
        "/auth/login",
        "/config/a",
        "/stats/a",
        "/system/a",
        "/license/a",
        "/mgmt/a",
        "/vhqmws/a",
        "/vhqwatchws/a",
        "/EyeQueue/",
    ];
    let mut sent = Vec::new();
    let mut asks = Vec::new();
    for (number, host) in expected.hosts.iter().enumerate() {
        for (origin, allowed) in origins(expected, host) {
            for (status, own) in [
                ("200", None),
                ("500", None),
                ("200", Some("*")),
                ("500", Some("*")),
            ] {
                // Every location once with the name of the proxy; one of them with every other name.
                for path in if number == 0 && status == "500" && own.is_some() {
                    &paths[..]
                } else {
                    &paths[..1]
                } {
                    let mut ask = served
                        .https(expected.proxy(), path)
                        .with("Origin", &origin)
                        .with("X-Stub-Status", status);
                    if let Some(own) = own {
                        ask = ask.with("X-Stub-Origin", own);
                    }
                    asks.push(ask);
                    sent.push((origin.clone(), allowed, status, path));
                }
            }
        }
    }
    asks.push(
        served
            .https(expected.proxy(), "/auth/x")
            .with("X-Stub-Origin", "*"),
    );
    sent.push((String::new(), false, "200", &paths[0]));
    let answers = ask(&asks).map_err(|(code, text)| format!("curl {code}: {text}"))?;
    for (answer, (origin, allowed, status, path)) in answers.iter().zip(&sent) {
        let found = answer.header("Access-Control-Allow-Origin");
        let wanted: Vec<&str> = if *allowed {
            vec![origin.as_str()]
        } else {
            Vec::new()
        };
        if found != wanted {
            return Err(format!(
                "{path} with Origin `{origin}` and status {status}: allowed are {found:?}, not {wanted:?}"
            ));
        }
        if only(answer, "Vary") != Some("Origin") || answer.status.to_string() != *status {
            return Err(format!("{path} with Origin `{origin}`: {answer:?}"));
        }
    }
    Ok(())
}

/// Where each path has to arrive: port of the backend and what it is asked.
fn routes(slash: bool) -> Vec<(&'static str, u16, &'static str)> {
    let mut routes = vec![
        ("/auth/", 2800, "/"),
        ("/auth/login?user=a&next=/b/", 2800, "/login?user=a&next=/b/"),
        ("/stats/queue/1", 2900, "/queue/1"),
        ("/system/a/b", 8000, "/a/b"),
        ("/license/a?b", 8002, "/a?b"),
        ("/mgmt/a/", 8012, "/a/"),
        ("/vhqmws/VHQMWS.asmx?WSDL", 80, "/vhqmws/VHQMWS.asmx?WSDL"),
        ("/vhqwatchws/VHQWatchWS.asmx", 80, "/vhqwatchws/VHQWatchWS.asmx"),
        // On Windows nginx compares without case and takes the location above; the backend is the same.
        ("/VHQMWS/VHQMWS.asmx", 80, "/VHQMWS/VHQMWS.asmx"),
        ("/EyeQueue/Login.aspx?a=%20b", 80, "/EyeQueue/Login.aspx?a=%20b"),
        ("/launchpad", 80, "/launchpad"),
        ("/", 80, "/"),
        ("/config/", 8001, "/"),
    ];
    routes.extend(if slash {
        [
            ("/config/foo", 8001, "/foo/"),
            ("/config/foo/", 8001, "/foo/"),
            ("/config/a%20b", 8001, "/a%20b/"),
            ("/config/foo/bar?x=y&z=1", 8001, "/foo/bar/?x=y&z=1"),
            ("/config/foo?u=http://a/b", 8001, "/foo/?u=http://a/b"),
        ]
    } else {
        [
            ("/config/foo", 8001, "/foo"),
            ("/config/foo/", 8001, "/foo/"),
            ("/config/a%20b", 8001, "/a%20b"),
            ("/config/foo/bar?x=y&z=1", 8001, "/foo/bar?x=y&z=1"),
            ("/config/foo?u=http://a/b", 8001, "/foo?u=http://a/b"),
        ]
    });
    routes
}

/// Every location reaches its backend, once, with path and query, and tells it who asks.
pub(crate) fn locations(served: &Served, expected: &Expected) -> Result<(), String> {
    let mut listeners = vec![("https", served.site.https)];
    listeners.extend(served.site.http.map(|port| ("http", port)));
    for (scheme, port) in listeners {
        let host = if scheme == "https" {
            expected.proxy()
        } else {
            "localhost"
        };
        for (path, backend, target) in routes(expected.trailing_slash) {
            let ask_one = Ask::new(scheme, host, port, path).with("X-Stub-Frame", "SAMEORIGIN");
            let answers = ask(&[ask_one]).map_err(|(code, text)| format!("{path}: curl {code}: {text}"))?;
            let answer = &answers[0];
            if answer.status != 200 || only(answer, "X-Frame-Options") != Some("SAMEORIGIN") {
                return Err(format!("{path}: {answer:?}"));
            }
            if only(answer, "Server") != Some("nginx") {
                return Err(format!("{path}: the version of nginx is told: {answer:?}"));
            }
            let all = served.site.backends.iter();
            let seen: Vec<_> = all
                .flat_map(|(port, stub)| stub.take().into_iter().map(move |request| (*port, request)))
                .collect();
            let [(reached, request)] = seen.as_slice() else {
                return Err(format!("{path} reached {} backends: {seen:?}", seen.len()));
            };
            if (*reached, request.target.as_str()) != (backend, target) {
                return Err(format!(
                    "{path} reached {reached} as {}, not {backend} as {target}",
                    request.target
                ));
            }
            let host_header = match (scheme, expected.https_port) {
                ("https", 443) => host.to_owned(),
                _ => format!("{host}:{port}"),
            };
            for (name, value) in [
                ("Host", host_header.as_str()),
                ("X-Real-IP", "127.0.0.1"),
                ("X-Forwarded-For", "127.0.0.1"),
                ("X-Forwarded-Proto", scheme),
            ] {
                if request.header(name) != [value] {
                    return Err(format!(
                        "{path}: {name} is {:?}, not {value}",
                        request.header(name)
                    ));
                }
            }
        }
    }
    Ok(())
}

/// TLS 1.2 is spoken, 1.0 and 1.1 are refused by the server itself, 1.3 only where the inventory says so.
pub(crate) fn tls(served: &Served, expected: &Expected) -> Result<(), String> {
    for (version, name, wanted) in [
        ("-tls1", "TLSv1", false),
        ("-tls1_1", "TLSv1.1", false),
        ("-tls1_2", "TLSv1.2", true),
        ("-tls1_3", "TLSv1.3", expected.tls13),
    ] {
        let said = served.handshake(expected.proxy(), version);
        let agreed = said.contains(&format!(
            "New, {}, Cipher is",
            if name == "TLSv1.3" { "TLSv1.3" } else { "TLSv1.2" }
        ));
        // Alert 70 is protocol_version, sent by the server; a refusal of the client would prove nothing.
        let refused = said.contains("SSL alert number 70");
        if (agreed, refused) != (wanted, !wanted) {
            return Err(format!(
                "{name}: agreed {agreed}, refused {refused}: {}",
                line_with(&said, "alert")
            ));
        }
    }
    Ok(())
}

/// A WebSocket connection of the Stats API stays one, and other requests carry no trace of an upgrade.
pub(crate) fn upgrade(served: &Served, expected: &Expected) -> Result<(), String> {
    let address = format!("127.0.0.1:{}", served.site.https);
    let mut openssl = program("openssl");
    openssl.args([
        "s_client",
        "-quiet",
        "-connect",
        &address,
        "-servername",
        expected.proxy(),
    ]);
    let host = expected.proxy();
    let request = format!(
        "GET /stats/socket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nping\n"
    );
    let ran = finish_with_input(&mut openssl, request.as_bytes());
    if !ran.stdout.starts_with("HTTP/1.1 101 ") || !ran.stdout.contains("echo ping") {
        return Err(format!("no upgrade: {}", ran.stdout));
    }
    let seen = served.seen();
    if seen != [(2900, "/socket".to_owned())] {
        return Err(format!("the upgrade reached {seen:?}"));
    }
    ask(&[served.https(host, "/stats/plain")]).map_err(|(code, text)| format!("curl {code}: {text}"))?;
    let requests = served.site.backends[&2900].take();
    let traces = requests
        .iter()
        .map(|request| request.header("Upgrade").len() + request.header("Connection").len());
    let traces: usize = traces.sum();
    // nginx itself says `Connection: close` only when it is not told otherwise.
    if requests.len() == 1 && traces == 0 {
        Ok(())
    } else {
        Err(format!("{requests:?}"))
    }
}

/// Every complaint about the file of one inventory.
fn complaints(expected: &Expected) -> Vec<String> {
    let served = match serve(expected, &expected.text(), Given::Chain) {
        Ok(served) => served,
        Err(text) => return vec![format!("{}: does not start: {text}", expected.inventory)],
    };
    let checks = [
        ("cors", cors as fn(&_, &_) -> _),
        ("locations", locations),
        ("tls", tls),
        ("upgrade", upgrade),
    ];
    let mut complaints = Vec::new();
    for (name, check) in checks {
        if let Err(text) = check(&served, expected) {
            complaints.push(format!("{} {name}: {text}", expected.inventory));
        }
        served.seen();
    }
    complaints
}

#[test]
fn every_file_is_served_as_the_inventory_says() {
    let all: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = EXPECTED
            .iter()
            .map(|expected| scope.spawn(|| complaints(expected)))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    expect_none(&all);
}

#[test]
fn every_inventory_is_expected_and_all_its_servers_have_the_same_file() {
    for (name, built) in bundles() {
        let expected = expected(name);
        let comment = |text: &str| text.lines().skip(1).collect::<Vec<_>>().join("\n");
        for (path, bytes) in built.ending("/nginx.conf") {
            let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
            assert_eq!(
                comment(&text),
                comment(&expected.text()),
                "{name}: {path} differs in more than its first line"
            );
        }
    }
}

#[test]
fn a_certificate_without_its_intermediate_is_not_trusted() {
    let prod = expected("prod");
    let served = serve(prod, &prod.text(), Given::LeafOnly).expect("starts");
    let answer = ask(&[served.https(prod.proxy(), "/auth/")]);
    assert_eq!(answer.expect_err("curl does not trust it").0, 60);
}

#[test]
fn missing_folders_and_keys_and_a_mark_at_the_start_are_found_by_nginx_itself() {
    let prod = expected("prod");
    tested(prod, &prod.text(), Given::Chain).expect("the file itself is fine");
    let rest = prod
        .text()
        .trim_end()
        .strip_suffix('}')
        .expect("the end of `http`")
        .to_owned();
    let with_name = rest + "server { location / { proxy_pass http://backend.invalid; } } }\n";
    for (text, given, complaint) in [
        (prod.text(), Given::NoLogs, "No such file or directory"),
        (prod.text(), Given::NoKey, "cannot load certificate key"),
        (
            format!("\u{feff}{}", prod.text()),
            Given::Chain,
            "unknown directive",
        ),
        (with_name, Given::Chain, "host not found in upstream"),
    ] {
        let error = tested(prod, &text, given).expect_err("refused");
        assert!(error.contains(complaint), "{error}");
    }
}
