//! How IIS and the services behind the proxy answer: with absolute redirects made from the Host header, cookies, challenges,
//! 304, pieces, and slowly.
//!
//! It must not know nginx or an inventory: it answers what it is asked, as it would without a proxy.

use std::time::Duration;

use super::backend::Request;

/// An answer: status, headers and the body, in pieces when there is no length.
pub(crate) struct Reply {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    pub(crate) is_chunked: bool,
}

/// What the server at `port` answers to a request for one of the paths below; `None` for every other.
pub(crate) fn reply(port: u16, request: &Request) -> Option<Reply> {
    let first = |name: &str| request.header(name).first().map(|value| (*value).to_owned());
    // A server that was asked without a name knows its own address only.
    let host = first("host").unwrap_or_else(|| "127.0.0.1".to_owned());
    let plain = |status, headers: Vec<String>| {
        Some(Reply {
            status,
            headers,
            body: "<html>".to_owned(),
            is_chunked: false,
        })
    };
    let moved = |to: String| plain("301 Moved Permanently", vec![format!("Location: {to}")]);
    match (port, request.target.as_str()) {
        // A folder without its slash: IIS takes scheme and port from the connection and the name from the Host header.
        (80, folder @ ("/EyeQueue" | "/launchpad")) => moved(format!("http://{host}{folder}/")),
        (80, "/redirect/relative") => moved("/EyeQueue/Login.aspx?ReturnUrl=%2fEyeQueue".to_owned()),
        (80, "/redirect/loopback") => moved("http://127.0.0.1/EyeQueue/NoAccessPage?a=http://b/".to_owned()),
        (80, "/redirect/local-name") => moved("http://localhost".to_owned()),
        (80, "/redirect/with-80") => moved(format!("http://{}:80/x", host.split(':').next()?)),
        (80, "/redirect/own-service") => moved(format!("http://{}:2800/login", host.split(':').next()?)),
        (80, "/redirect/foreign") => moved("http://partner.example/landing".to_owned()),
        (80, "/redirect/foreign-port") => moved(format!("http://{}:9000/x", host.split(':').next()?)),
        (80, "/redirect/longer") => moved(format!("http://{}.attacker.example/x", host.split(':').next()?)),
        (80, "/redirect/secure") => moved(format!("https://{host}/EyeQueue/")),
        (80, "/redirect/refresh") => {
            plain("200 OK", vec![format!("Refresh: 5; url=http://{host}/EyeQueue/")])
        }
        (80, "/cookies") => plain(
            "200 OK",
            vec![
                "Set-Cookie: ASP.NET_SessionId=abc; path=/; HttpOnly; SameSite=Lax".to_owned(),
                "Set-Cookie: .ASPXAUTH=def; path=/EyeQueue; secure; HttpOnly".to_owned(),
            ],
        ),
        (80, "/challenge") => plain(
            "401 Unauthorized",
            vec![
                "WWW-Authenticate: Negotiate".to_owned(),
                "WWW-Authenticate: NTLM".to_owned(),
                "X-Powered-By: ASP.NET".to_owned(),
            ],
        ),
        (80, "/cached") if first("if-none-match").as_deref() == Some("\"v1\"") => Some(Reply {
            status: "304 Not Modified",
            headers: vec!["ETag: \"v1\"".to_owned()],
            body: String::new(),
            is_chunked: false,
        }),
        (80, "/cached") => plain("200 OK", vec!["ETag: \"v1\"".to_owned()]),
        (80, "/pieces") => Some(Reply {
            status: "200 OK",
            headers: vec!["Content-Type: text/xml".to_owned()],
            body: "<rows/>".repeat(9000),
            is_chunked: true,
        }),
        (_, "/slow") => {
            std::thread::sleep(Duration::from_millis(2500));
            plain("200 OK", Vec::new())
        }
        (80, "/long-answer") => plain(
            "200 OK",
            vec![format!("Set-Cookie: .ASPXAUTH={}; path=/", "a".repeat(6_000))],
        ),
        (80, "/long-request") => plain(
            if first("authorization").is_some_and(|value| value.len() > 12_000) {
                "200 OK"
            } else {
                "401 Unauthorized"
            },
            Vec::new(),
        ),
        (_, "/self") => moved(format!("http://127.0.0.1:{port}/self/")),
        _ => None,
    }
}
