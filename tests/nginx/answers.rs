//! What the proxy makes of the answers of real servers, and who can talk to it at all: redirects, cookies, challenges, pieces,
//! large and slow requests, and the TLS suites of each Windows release.
//!
//! Lists of suites are written down from Microsoft's pages on SCHANNEL, not taken from the compiler.

use cbgen::inventory::model::WindowsVersion;

use super::{EXPECTED, Expected, Given, Served, expected, serve};
use crate::harness::expect_none;
use crate::support::bundles::bundles;
use crate::support::client::{Answer, Ask, ask};
use crate::support::program::{finish, line_with, program, succeed};

/// One answer to one request, which names the proxy as a browser would.
fn one(served: &Served, expected: &Expected, host: &str, path: &str, change: impl Fn(Ask) -> Ask) -> Answer {
    let named = expected.origin(host).replace("https://", "");
    let request = change(served.https(host, path).with("Host", &named));
    let mut answers = ask(&[request]).unwrap_or_else(|(code, text)| panic!("{path}: curl {code}: {text}"));
    answers.remove(0)
}

/// Where redirects of the real servers have to lead: path, and the address from the outside.
fn redirects(expected: &Expected, host: &str) -> Vec<(&'static str, String)> {
    let origin = expected.origin(host);
    let kept = |text: String| text;
    vec![
        ("/EyeQueue", format!("{origin}/EyeQueue/")),
        ("/launchpad", format!("{origin}/launchpad/")),
        (
            "/redirect/relative",
            kept("/EyeQueue/Login.aspx?ReturnUrl=%2fEyeQueue".to_owned()),
        ),
        (
            "/redirect/loopback",
            format!("{origin}/EyeQueue/NoAccessPage?a=http://b/"),
        ),
        ("/redirect/local-name", origin.clone()),
        ("/redirect/with-80", format!("{origin}/x")),
        ("/redirect/own-service", format!("{origin}/auth/login")),
        (
            "/redirect/foreign",
            kept("http://partner.example/landing".to_owned()),
        ),
        ("/redirect/foreign-port", kept(format!("http://{host}:9000/x"))),
        (
            "/redirect/longer",
            kept(format!("http://{host}.attacker.example/x")),
        ),
        ("/redirect/secure", format!("{origin}/EyeQueue/")),
        ("/auth/self", format!("{origin}/auth/self/")),
        ("/system/self", format!("{origin}/system/self/")),
        ("/stats/self", format!("{origin}/stats/self/")),
        ("/license/self", format!("{origin}/license/self/")),
        ("/mgmt/self", format!("{origin}/mgmt/self/")),
    ]
}

/// Complaints about what users and programs get from servers that answer as the real ones do.
fn complaints(expected: &Expected, text: &str) -> Vec<String> {
    let served = serve(expected, text, Given::Chain).expect("starts");
    let mut complaints = Vec::new();
    let mut say = |text: String| complaints.push(format!("{}: {text}", expected.inventory));
    for host in expected.hosts {
        for (path, to) in redirects(expected, host) {
            let answer = one(&served, expected, host, path, |ask| ask);
            if answer.status != 301 || answer.header("Location") != [to.as_str()] {
                say(format!(
                    "{path} at {host} leads to {:?}, not {to}",
                    answer.header("Location")
                ));
            }
        }
    }
    let host = expected.proxy();
    let get = |path: &str, change: &dyn Fn(Ask) -> Ask| one(&served, expected, host, path, change);
    let refresh = get("/redirect/refresh", &|ask| ask);
    let wanted = format!("5; url={}/EyeQueue/", expected.origin(host));
    if refresh.header("Refresh") != [wanted.as_str()] {
        say(format!("refresh: {refresh:?}"));
    }
    let cookies = get("/cookies", &|ask| ask);
    if cookies.header("Set-Cookie")
        != [
            "ASP.NET_SessionId=abc; path=/; HttpOnly; SameSite=Lax",
            ".ASPXAUTH=def; path=/EyeQueue; secure; HttpOnly",
        ]
    {
        say(format!("cookies: {cookies:?}"));
    }
    let challenge = get("/challenge", &|ask| ask);
    if challenge.status != 401 || challenge.header("WWW-Authenticate") != ["Negotiate", "NTLM"] {
        say(format!("challenge: {challenge:?}"));
    }
    let cached = get("/cached", &|ask| ask.with("If-None-Match", "\\\"v1\\\""));
    if cached.status != 304 || cached.header("ETag") != ["\"v1\""] {
        say(format!("304: {cached:?}"));
    }
    let pieces = get("/pieces", &|ask| ask);
    if pieces.status != 200 || pieces.header("Transfer-Encoding") != ["chunked"] {
        say(format!("pieces: {pieces:?}"));
    }
    // SOAP clients announce what they send; 10 MB is what the Smart Rules Engine may send and get.
    served.requests();
    let bytes = 10_000_000;
    for is_chunked in [false, true] {
        let answer = get("/vhqmws/VHQMWS.asmx", &|ask| {
            ask.with("Expect", "100-continue").posting(bytes, is_chunked)
        });
        let seen = served.requests();
        let whole = seen.iter().all(|(port, request)| {
            *port == 80 && request.received == bytes as u64 && request.header("Expect").is_empty()
        });
        if answer.status != 200 || seen.len() != 1 || !whole {
            say(format!(
                "{bytes} bytes, in pieces {is_chunked}: {answer:?} {:?}",
                seen.len()
            ));
        }
    }
    complaints
}

#[test]
fn answers_of_real_servers_lead_back_to_the_proxy() {
    let all: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = EXPECTED
            .iter()
            .map(|expected| scope.spawn(|| complaints(expected, &expected.text())))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    expect_none(&all);

    // Without these lines the first address users open leads to plain HTTP.
    let prod = expected("prod");
    let text = prod.text();
    let bare: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("proxy_redirect"))
        .collect();
    let said = complaints(prod, &bare.join("\n")).concat();
    assert!(
        said.contains("leads to [\"http://callback.acme.example/EyeQueue/\"]"),
        "{said}"
    );
}

/// nginx by itself stops after a minute and a megabyte; the file says otherwise, and a file that says a second shows that it
/// is this line that decides.
#[test]
fn slow_and_large_requests_get_their_time_and_room() {
    let prod = expected("prod");
    let text = prod.text();
    for line in [
        "proxy_read_timeout 1500s;",
        "proxy_send_timeout 1500s;",
        "client_max_body_size 10485760;",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}");
    }
    for (text, status) in [
        (text.clone(), 200),
        (
            text.replace("proxy_read_timeout 1500s;", "proxy_read_timeout 1s;"),
            504,
        ),
    ] {
        let served = serve(prod, &text, Given::Chain).expect("starts");
        let answer = one(&served, prod, prod.proxy(), "/slow", |ask| ask);
        assert_eq!(answer.status, status);
    }
    // Headers that IIS takes and gives, which nginx by itself answers with 400 and 502.
    let ticket = format!("Negotiate {}", "a".repeat(12_000));
    let plain: String = text
        .lines()
        .filter(|line| !line.contains("header_buffers") && !line.contains("_buffer"))
        .map(|line| format!("{line}\n"))
        .collect();
    for (text, statuses) in [(text.clone(), [200, 200]), (plain, [502, 400])] {
        let served = serve(prod, &text, Given::Chain).expect("starts");
        let long = one(&served, prod, prod.proxy(), "/long-answer", |ask| ask);
        let login = one(&served, prod, prod.proxy(), "/long-request", |ask| {
            ask.with("Authorization", &ticket)
        });
        assert_eq!([long.status, login.status], statuses);
    }
    let served = serve(prod, &text, Given::Chain).expect("starts");
    let large = one(&served, prod, prod.proxy(), "/x", |ask| {
        ask.posting(10_485_761, false)
    });
    assert_eq!(large.status, 413);
    assert!(
        text.contains("location /stats/ {") && text.contains("proxy_read_timeout 12h;"),
        "{text}"
    );
}

/// TLS 1.2 suites with forward secrecy or without, as SCHANNEL names them, switched on by default.
const WINDOWS_8: &[&str] = &[
    "ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "RSA_WITH_AES_256_GCM_SHA384",
    "RSA_WITH_AES_128_GCM_SHA256",
    "RSA_WITH_AES_256_CBC_SHA256",
    "RSA_WITH_AES_128_CBC_SHA256",
    "RSA_WITH_AES_256_CBC_SHA",
    "RSA_WITH_AES_128_CBC_SHA",
    "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
];

/// What Windows 10 1607 (Server 2016) and 1809 (Server 2019) have before these.
const WINDOWS_10: &[&str] = &[
    "ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ECDHE_RSA_WITH_AES_128_GCM_SHA256",
];

/// The suites of a release by the names of OpenSSL.
fn suites(release: WindowsVersion) -> String {
    let more = match release {
        WindowsVersion::W2012 | WindowsVersion::W2012R2 => &[][..],
        WindowsVersion::W2016 | WindowsVersion::W2019 => WINDOWS_10,
    };
    let name = |suite: &str| {
        let (exchange, cipher) = suite.split_once("_WITH_").expect("a suite");
        let cipher = cipher
            .replace("_CBC", "")
            .replacen("AES_", "AES", 1)
            .replace('_', "-");
        match exchange {
            "RSA" => cipher,
            _ => format!("{}-{cipher}", exchange.replace('_', "-")),
        }
    };
    let names: Vec<String> = more.iter().chain(WINDOWS_8).map(|suite| name(suite)).collect();
    names.join(":")
}

/// What a client with the suites, curves and signatures of a release agrees upon.
fn agreed(served: &Served, expected: &Expected, release: WindowsVersion) -> Result<String, String> {
    let address = format!("127.0.0.1:{}", served.port());
    let mut openssl = program("openssl");
    openssl.args([
        "s_client",
        "-connect",
        &address,
        "-servername",
        expected.proxy(),
        "-tls1_2",
    ]);
    openssl.args(["-cipher", &suites(release), "-curves", "P-256:P-384"]);
    openssl.args([
        "-sigalgs",
        "RSA+SHA256:RSA+SHA384:RSA+SHA1:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA1",
    ]);
    let ran = finish(&mut openssl);
    let said = ran.stdout + &ran.stderr;
    let line = line_with(&said, "Cipher is");
    match line.strip_prefix("New, TLSv1.2, Cipher is ") {
        Some(cipher) if cipher != "(NONE)" => Ok(cipher.to_owned()),
        _ => Err(format!("{line} {}", line_with(&said, "alert"))),
    }
}

/// Core servers call the proxy with Windows' own TLS: each release has to find a suite with forward secrecy, whatever key
/// the certificate has.
#[test]
fn every_windows_release_shares_a_suite_with_the_proxy() {
    let mut all = Vec::new();
    for inventory in ["prod", "lab", "plant"] {
        let expected = expected(inventory);
        for given in [Given::Chain, Given::Elliptic] {
            let served = serve(expected, &expected.text(), given).expect("starts");
            for release in expected.windows {
                match agreed(&served, expected, *release) {
                    Ok(cipher) if cipher.starts_with("ECDHE-") => {}
                    found => all.push(format!("{inventory} {release:?}: {found:?}")),
                }
            }
        }
    }
    expect_none(&all);

    // Without the older suite these releases share none with an RSA certificate.
    let lab = expected("lab");
    let modern = lab.text().replace(":ECDHE-RSA-AES128-SHA256;", ";");
    assert_ne!(modern, lab.text());
    for (given, shared) in [(Given::Chain, false), (Given::Elliptic, true)] {
        let served = serve(lab, &modern, given).expect("starts");
        for release in [WindowsVersion::W2012, WindowsVersion::W2012R2] {
            assert_eq!(agreed(&served, lab, release).is_ok(), shared, "{release:?}");
        }
        assert!(agreed(&served, lab, WindowsVersion::W2016).is_ok());
    }
}

/// Callback talks to RabbitMQ with Windows' own TLS too. The generated file names no suites, so the broker offers what Erlang
/// has switched on: each release has to find one with forward secrecy among them, whatever key the certificate has.
#[test]
fn every_windows_release_shares_a_suite_with_erlang() {
    let mut configurations = 0;
    for built in bundles().values() {
        for (path, bytes) in built.ending("/rabbitmq/rabbitmq.config") {
            let text = String::from_utf8_lossy(bytes);
            assert!(
                text.contains("ssl_options") && !text.contains("ciphers"),
                "{path}"
            );
            configurations += 1;
        }
    }
    assert!(configurations > 0);
    let said = succeed(program("erl").args([
        "-noshell",
        "-eval",
        "io:put_chars(lists:join($:, ssl:cipher_suites(default, 'tlsv1.2', openssl))), halt().",
    ]));
    let offered: Vec<&str> = said.trim().split(':').collect();
    for release in [
        WindowsVersion::W2012,
        WindowsVersion::W2012R2,
        WindowsVersion::W2016,
        WindowsVersion::W2019,
    ] {
        let known = suites(release);
        for key in ["ECDHE-RSA-", "ECDHE-ECDSA-"] {
            let mut shared = known.split(':').filter(|suite| suite.starts_with(key));
            assert!(
                shared.any(|suite| offered.contains(&suite)),
                "{release:?} and Erlang share no suite {key}: {offered:?}"
            );
        }
    }
}
