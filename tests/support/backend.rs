//! Stub backends: they record every request and answer as the request asks, so that a test controls both ends.
//!
//! Headers of a request that steer the answer: `X-Stub-Status` (number), `X-Stub-Origin` (value of an own
//! `Access-Control-Allow-Origin`), `X-Stub-Frame` (value of `X-Frame-Options`). `Upgrade: websocket` is accepted, then
//! one line is echoed. Some paths are answered as the real servers do; they are in `iis.rs`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What reached a backend.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub(crate) received: u64,
}

impl Request {
    /// Every value of a header; names ignore case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        values(&self.headers, name)
    }
}

/// Every value of a header; names ignore case.
pub(crate) fn values<'h>(headers: &'h [(String, String)], name: &str) -> Vec<&'h str> {
    let same = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    same.map(|(_, value)| value.as_str()).collect()
}

/// An HTTP server on a port of its own on 127.0.0.1, until it is dropped.
pub(crate) struct Backend {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// Listens, and answers like what listens on `original` of a real server.
    pub(crate) fn of_port(original: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (theirs, ends) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let seen = Arc::clone(&theirs);
                if let Ok(stream) = stream {
                    // A connection that breaks is the business of the program that broke it.
                    std::thread::spawn(move || answer(stream, original, &seen).ok());
                }
            }
        });
        Self {
            port,
            seen,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.seen.lock().expect("no panic while it is held"))
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // One more connection wakes the thread; if it is gone already, nothing is to be woken.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn answer(stream: TcpStream, port: u16, seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        received: 0,
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let first = |name: &str| request.header(name).first().map(|value| (*value).to_owned());
    let length = first("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    let received = reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
    // Older versions of HTTP know no upgrade.
    let upgrade = line.trim_end().ends_with("HTTP/1.1")
        && first("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        && first("connection").is_some_and(|value| value.eq_ignore_ascii_case("upgrade"));
    let status = first("x-stub-status").unwrap_or_else(|| "200".to_owned());
    let mut extra = String::new();
    for (asked, sent) in [
        ("x-stub-origin", "Access-Control-Allow-Origin"),
        ("x-stub-frame", "X-Frame-Options"),
    ] {
        if let Some(value) = first(asked) {
            extra.push_str(&format!("{sent}: {value}\r\n"));
        }
    }
    let body = format!("{} {}\n", request.method, request.target);
    request.received = u64::try_from(received).unwrap_or(u64::MAX);
    let real = (!upgrade).then(|| super::iis::reply(port, &request)).flatten();
    seen.lock().expect("no panic while it is held").push(request);
    if upgrade {
        stream.write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        )?;
        let mut line = String::new();
        reader.read_line(&mut line)?;
        return stream.write_all(format!("echo {line}").as_bytes());
    }
    if let Some(real) = real {
        write!(
            stream,
            "HTTP/1.1 {}\r\nServer: Microsoft-IIS/10.0\r\nConnection: close\r\n",
            real.status
        )?;
        for header in &real.headers {
            write!(stream, "{header}\r\n")?;
        }
        if !real.is_chunked {
            return write!(stream, "Content-Length: {}\r\n\r\n{}", real.body.len(), real.body);
        }
        write!(stream, "Transfer-Encoding: chunked\r\n\r\n")?;
        for piece in real.body.as_bytes().chunks(1000) {
            write!(stream, "{:x}\r\n", piece.len())?;
            stream.write_all(piece)?;
            write!(stream, "\r\n")?;
        }
        return write!(stream, "0\r\n\r\n");
    }
    write!(
        stream,
        "HTTP/1.1 {status} Stub\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n{body}",
        body.len()
    )
}
