//! Tests of the nginx format.

use proptest::prelude::*;

use super::*;

/// A file of the shape cbgen writes.
const GOOD: &str = r#"
worker_processes 1;
events { worker_connections 1024; }
http {
    include mime.types;
    default_type application/octet-stream;
    log_format custom '$remote_addr - $http_origin [$time_local] "$request" $status $body_bytes_sent '
                      '"$http_referer" "$http_user_agent"';
    map $http_origin $cors_origin_header {
        default "";
        "~*^https://mgmt01\.example\.com$" "$http_origin";
    }
    server {
        listen 443 ssl default_server;
        server_name mgmt01.example.com;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        ssl_protocols TLSv1.2;
        access_log "C:/Program Files (x86)/proxy/nginx/logs/https.log" custom;
        add_header Access-Control-Allow-Origin $cors_origin_header always;
        add_header Vary Origin always;
        proxy_set_header Host $host;
        proxy_redirect "~*^http://(mgmt01\.example\.com)(/.*)?$" "https://$1$2";
        location /auth/ {
            proxy_hide_header Access-Control-Allow-Origin;
            proxy_pass http://127.0.0.1:2800/;
        }
        location /stats/ {
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_pass http://127.0.0.1:2900/;
        }
        location / { proxy_pass http://127.0.0.1:80; }
    }
}
"#;

/// Compares the items, or the first error, with the expected text.
fn check(text: &str, expected: &str) {
    let got = match items(text) {
        Ok(items) => items
            .iter()
            .map(|item| format!("{} = {}", item.path, item.value))
            .collect::<Vec<_>>()
            .join("\n"),
        Err(errors) => format!("error: {}", errors[0]),
    };
    assert!(got.contains(expected), "{text}\ngave\n{got}\nwithout\n{expected}");
}

fn in_http(inner: &str) -> String {
    format!("events {{}}\nhttp {{ {inner} }}")
}

fn in_server(inner: &str) -> String {
    in_http(&format!("server {{ listen 8081; {inner} }}"))
}

#[test]
fn items_name_their_blocks() {
    for expected in [
        "http > server 443 > location /auth/ > proxy_pass = http://127.0.0.1:2800/",
        r"http > map $http_origin $cors_origin_header > ~*^https://mgmt01\.example\.com$ = $http_origin",
        "http > map $http_origin $cors_origin_header > default = \"\"",
        "http > server 443 > add_header Vary = Origin always",
        "http > server 443 > listen 443 = ssl default_server",
        "http > server 443 > location /stats/ > proxy_set_header Upgrade = $http_upgrade",
        r#"access_log "C:/Program Files (x86)/proxy/nginx/logs/https.log" = custom"#,
        "http > include mime.types = ",
    ] {
        check(GOOD, expected);
    }
}

#[test]
fn layout_and_quotes_do_not_matter() {
    let compact = GOOD
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("\r\n# note ; {\r\n");
    let requoted = compact.replace("listen 443 ssl", "listen '443' \"ssl\"");
    let strip = |text: &str| -> Vec<_> {
        items(text)
            .unwrap()
            .into_iter()
            .map(|item| (item.path, item.value))
            .collect()
    };
    assert_eq!(strip(GOOD), strip(&requoted));
}

#[test]
fn paths_are_unique() {
    let all = items(GOOD).unwrap();
    let paths: std::collections::BTreeSet<_> = all.iter().map(|item| &item.path).collect();
    assert_eq!(paths.len(), all.len());
}

/// What `nginx -t` of nginx 1.22.1 (Debian 12) said about each text: `Both` accept or both refuse, or only this reader
/// refuses because nginx would do something else than was meant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Accepted,
    Refused,
    RefusedHereOnly,
}

#[test]
fn agrees_with_nginx_1_22_1() {
    use Verdict::{Accepted, Refused, RefusedHereOnly};
    let rows = [
        ("events{} http{}".to_owned(), Accepted),
        ("# a \" { ;\nevents{} http{}".to_owned(), Accepted),
        ("events{}\r\nhttp{\r\n}\r\n".to_owned(), Accepted),
        (in_http(r#"log_format a "x"b;"#), Refused),
        (in_http(r#"log_format a "x";"#), Accepted),
        (in_http(r#"log_format a "x""y";"#), Refused),
        (in_http(r#"log_format a "x\"y";"#), Accepted),
        (in_http(r#"log_format a "x'y";"#), Accepted),
        (in_http(r#"log_format a x"y;"#), Accepted),
        (in_http("log_format a x#y;"), Accepted),
        (in_http("log_format a x};"), Accepted),
        (in_http(r#"map $host $x { default ""; ~a{2} b; }"#), Refused),
        (in_http(r#"map $host $x { default ""; "~a{2}" b; }"#), Accepted),
        (in_http("log_format a ${host}x;"), Accepted),
        (in_http("sendfile on"), Refused),
        (in_http("sendfile on\nkeepalive_timeout 65;"), Refused),
        (in_server("server_name a\n listen 18082;"), RefusedHereOnly),
        (in_http(";"), Refused),
        ("events{} http{} }".to_owned(), Refused),
        ("events{} http{ ".to_owned(), Refused),
        (in_http("log_format a \"x;"), Refused),
        ("events{} http{} foo".to_owned(), Refused),
        ("\u{feff}events{} http{}".to_owned(), Refused),
        (in_http(r#"map $host $x { default ""; a b; A c; }"#), Refused),
        (in_http(r#"map $host $x { "~a" b; "~a" c; }"#), RefusedHereOnly),
        (in_http(r#"map $host $x { default ""; default "b"; }"#), Refused),
        (in_http(r#"map $host $x { default "" c; }"#), Refused),
        (
            in_http(&format!("map $host $x {{ {} b; }}", "a".repeat(46))),
            Accepted,
        ),
        (
            in_http(&format!("map $host $x {{ {} b; }}", "a".repeat(47))),
            Refused,
        ),
        (in_server("add_header a $nope;"), Refused),
        (in_http("sendfile on; sendfile on;"), Refused),
        (in_server("location /a { } location /a { }"), Refused),
        (in_server("location /a { } location ^~ /a { }"), Refused),
        (in_server("location /a { } location = /a { }"), Accepted),
        (in_server("location =/a { } location = /a { }"), Refused),
        (in_server("location /a { } location /A { }"), RefusedHereOnly),
        (in_server("location \"/a b\" { }"), Accepted),
        (in_server("location /a { return 404; }"), Accepted),
        (in_server("add_header a b; add_header a c;"), RefusedHereOnly),
        (in_server("listen 8081;"), Refused),
        (
            in_server("server_name a; } server { listen 8081; server_name A;"),
            RefusedHereOnly,
        ),
        (in_http("server { listen 8082 ssl; }"), Refused),
        (
            in_server("location ~ /a { proxy_pass http://127.0.0.1:9/; }"),
            Refused,
        ),
        (
            in_server("location /a { proxy_ssl_verify on; proxy_pass https://127.0.0.1:9; }"),
            Refused,
        ),
        (
            in_server("location /a { proxy_pass http://127.0.0.1:9; proxy_pass http://127.0.0.1:9; }"),
            Refused,
        ),
        (in_http(r#"access_log "logs/a\tb.log";"#), RefusedHereOnly),
        (in_http(r#"map $host $x { "~^a\.b$" b; }"#), Accepted),
        ("events{} add_header a b; http{ }".to_owned(), Refused),
        (in_http("add_header a b always d;"), Refused),
        (in_http("add_header a b alway;"), Refused),
        (in_http("sendfile yes;"), Refused),
        (in_http("log_format a x\\\ny;"), RefusedHereOnly),
        (in_http("log_format a \"x$\";"), Refused),
        (in_http(&format!("log_format a {};", "a".repeat(4200))), Refused),
        (in_http(&format!("log_format a {};", "a".repeat(4000))), Accepted),
        (in_http("log_format a x\0y;"), RefusedHereOnly),
        ("http{}".to_owned(), Refused),
        ("events; http{}".to_owned(), Refused),
        (in_http("sendfile on { }"), Refused),
        (in_http("log_format a b; log_format a c;"), Refused),
        (in_http("access_log logs/x.log nope;"), Refused),
        (in_http("\"sendfile\" on;"), Accepted),
        (
            in_http("proxy_set_header a b; proxy_set_header a c;"),
            RefusedHereOnly,
        ),
        ("events{}\u{c}http{}".to_owned(), Refused),
    ];
    for (text, verdict) in rows {
        assert_eq!(
            items(&text).is_ok(),
            verdict == Accepted,
            "{verdict:?} by nginx: {text}\n{:?}",
            items(&text)
        );
    }
}

#[test]
fn refuses_what_nginx_would_do_wrong() {
    for (text, message) in [
        (
            in_server("server_name a\n listen 8082;"),
            "a `;` is missing before it",
        ),
        (
            in_http(r#"access_log "C:\nginx\logs\a.log";"#),
            "control characters",
        ),
        (in_http(r"access_log C:\logs\a.log;"), "a path with a backslash"),
        (
            in_server("add_header a b; location / { add_header c d; }"),
            "removes every header",
        ),
        (
            in_server("proxy_set_header Host $host; location / { proxy_set_header X b; }"),
            "removes the inherited `host`",
        ),
        (
            in_server("location / { proxy_pass http://127.0.0.1:8081; }"),
            "would loop",
        ),
        (
            in_server("server_name A.b; location / { proxy_pass http://a.B:8081/x; }"),
            "would loop",
        ),
        (
            in_server("location / { proxy_pass https://127.0.0.1:9; }"),
            "without `proxy_ssl_verify on`",
        ),
        (
            in_server("location / { proxy_pass http://$host; }"),
            "resolved per request",
        ),
        (in_server("listen 80;"), "belongs to IIS"),
        (in_server("listen 0.0.0.0:80;"), "belongs to IIS"),
        (in_http("server { server_name a; }"), "takes port 80"),
        (in_http("server { listen 443; }"), "without `ssl`"),
        (in_http("map $host $x { \"~(a)\" b; }"), "overwrites `$1`"),
        (in_http("sendfiel on;"), "unknown directive `sendfiel`"),
    ] {
        let errors = items(&text).unwrap_err();
        assert!(
            errors.iter().any(|error| error.message.contains(message)),
            "{text}\n{errors:?}"
        );
    }
}

#[test]
fn reports_every_error() {
    let errors = items(&in_server(
        "nope a; listen 80; location / { proxy_pass http://127.0.0.1:8081; }",
    ));
    assert_eq!(errors.unwrap_err().len(), 3);
}

#[test]
fn hostile_nesting_is_bounded() {
    let deep = "a {".repeat(100_000);
    assert!(items(&deep).is_err());
    let wide = in_server(&"location /a { add_header a b; }".repeat(20_000));
    assert!(items(&wide).is_err());
}

#[test]
fn quoting_refuses_by_name() {
    for (result, message) in [
        (escape("a b"), "`nginx_string`"),
        (escape(""), "empty"),
        (nginx_string("a$b"), "variable"),
        (nginx_string(r"a\b"), "backslash"),
        (nginx_string("ä"), "printable ASCII"),
        (nginx_path("C:/a*"), "path on Windows"),
        (nginx_host_regex("a_b.c"), "host name"),
        (nginx_host_regex("a..c"), "not a label"),
        (nginx_host_regex("-a.c"), "not a label"),
    ] {
        let message_got = result.unwrap_err().message;
        assert!(message_got.contains(message), "{message_got}");
    }
    assert_eq!(
        nginx_path(r"C:\Program Files (x86)\a").unwrap(),
        "\"C:/Program Files (x86)/a\""
    );
    assert_eq!(
        nginx_host_regex("mgmt01.example.com").unwrap(),
        r"mgmt01\.example\.com"
    );
    assert_eq!(nginx_string("a\"b").unwrap(), r#""a\"b""#);
}

/// Reads the argument of a directive back with the token rules.
fn read_back(quoted: &str) -> Option<String> {
    let (directives, errors) = read::read(&format!("x {quoted};"));
    match directives.as_slice() {
        [one] if errors.is_empty() && one.arguments.len() == 1 => Some(one.argument(0).to_owned()),
        _ => None,
    }
}

proptest! {
    #[test]
    fn quoted_text_reads_back(value in "\\PC*|[ -~]*|[a-z\"'{};#]*") {
        for quoted in [escape(&value), nginx_string(&value)].into_iter().flatten() {
            prop_assert_eq!(read_back(&quoted), Some(value.clone()));
        }
        if let Ok(quoted) = nginx_path(&value) {
            prop_assert_eq!(read_back(&quoted), Some(value.replace('\\', "/")));
        }
        if let Ok(expression) = nginx_host_regex(&value) {
            prop_assert_eq!(read_back(&format!("\"{expression}\"")), Some(expression.clone()));
            prop_assert_eq!(expression.replace("\\.", "."), value);
        }
    }

    #[test]
    fn reader_survives_anything(text in "\\PC*|[a-z \n;{}\"'\\\\$#~]*") {
        drop(items(&text));
    }
}
