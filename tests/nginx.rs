//! The generated nginx.conf in a real nginx, in front of stub backends, asked by `curl` and `openssl`.
//!
//! How a file is served is in `site.rs`; here is what it has to do. Certificates are made by a laboratory authority and lie
//! where the file looks for them.

mod answers;
mod balancer;
mod site;

use std::time::Duration;

use crate::harness::expect_none;
use crate::support::bundles::bundles;
use crate::support::client::{Answer, Ask, ask};
use crate::support::program::{finish, finish_with_input, line_with, program, wait_until};
pub(crate) use site::{EXPECTED, Expected, Given, Served, expected, serve, tested};

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
        ("null".to_owned(), false),
    ]
    .into_iter()
    // A dot that stands for any character would show at each of its places.
    .chain(origin.match_indices('.').map(|(at, _)| {
        let mut other = origin.clone();
        other.replace_range(at..=at, "x");
        (other, false)
    }))
    .collect()
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
        ("/launchpad/", 80, "/launchpad/"),
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
    let before = served.logged();
    let mut asked = 0;
    for (scheme, port) in served.listeners() {
        let host = if scheme == "https" {
            expected.proxy()
        } else {
            "localhost"
        };
        for (path, backend, target) in routes(expected.trailing_slash) {
            let ask_one = Ask::new(scheme, host, port, path).with("X-Stub-Frame", "SAMEORIGIN");
            let answers = ask(&[ask_one]).map_err(|(code, text)| format!("{path}: curl {code}: {text}"))?;
            let answer = &answers[0];
            asked += 1;
            let passed = served.logged() - before;
            if passed > asked {
                return Err(format!(
                    "{path}: the proxy asks itself, {asked} requests became {passed}"
                ));
            }
            if answer.status != 200 || only(answer, "X-Frame-Options") != Some("SAMEORIGIN") {
                return Err(format!("{path}: {answer:?}"));
            }
            if only(answer, "Server") != Some("nginx") {
                return Err(format!("{path}: the version of nginx is told: {answer:?}"));
            }
            let seen = served.requests();
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
    // A line is written after its answer was sent.
    if wait_until(Duration::from_secs(30), || served.logged() == before + asked) {
        Ok(())
    } else {
        Err(format!(
            "the logs have {} lines for {asked} requests",
            served.logged() - before
        ))
    }
}

/// The answer of a handshake with one protocol version, on a client that would accept every one.
fn handshake(served: &Served, host: &str, version: &str) -> String {
    let address = format!("127.0.0.1:{}", served.port());
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

/// TLS 1.2 is spoken, 1.0 and 1.1 are refused by the server itself, 1.3 only where the inventory says so.
pub(crate) fn tls(served: &Served, expected: &Expected) -> Result<(), String> {
    for (version, name, wanted) in [
        ("-tls1", "TLSv1", false),
        ("-tls1_1", "TLSv1.1", false),
        ("-tls1_2", "TLSv1.2", true),
        ("-tls1_3", "TLSv1.3", expected.tls13),
    ] {
        let said = handshake(served, expected.proxy(), version);
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
    let address = format!("127.0.0.1:{}", served.port());
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
    let seen: Vec<_> = served
        .requests()
        .into_iter()
        .map(|(port, request)| (port, request.target))
        .collect();
    if seen != [(2900, "/socket".to_owned())] {
        return Err(format!("the upgrade reached {seen:?}"));
    }
    ask(&[served.https(host, "/stats/plain")]).map_err(|(code, text)| format!("curl {code}: {text}"))?;
    let requests: Vec<_> = served
        .requests()
        .into_iter()
        .map(|(_, request)| request)
        .collect();
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
        served.requests();
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
        (prod.text(), Given::NoCertificate, "cannot load certificate \""),
        (prod.text(), Given::InPrefix, "cannot load certificate \""),
        (prod.text(), Given::NoKey, "cannot load certificate key"),
        (prod.text(), Given::LockedKey, "problems getting password"),
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

/// `nginx -t` makes the logs and reads the key, so who runs it matters: an account without the right to the key learns
/// nothing, and the logs belong to who tested first.
#[test]
fn a_test_of_the_file_makes_its_logs_and_needs_its_key() {
    let prod = expected("prod");
    let [before, after] = site::logs_of_a_test(prod);
    assert_eq!(before, [""; 0]);
    assert!(after.contains(&"https.log".to_owned()), "{after:?}");
    let error = tested(prod, &prod.text(), Given::ClosedKey).expect_err("refused");
    assert!(error.contains("Permission denied"), "{error}");
}

#[test]
fn text_around_the_blocks_of_a_certificate_harms_nobody() {
    let prod = expected("prod");
    let served = serve(prod, &prod.text(), Given::Surrounded).expect("starts");
    let answers = ask(&[served.https(prod.proxy(), "/auth/")]).expect("curl trusts the chain");
    assert_eq!(answers[0].status, 200);
}
