//! Many requests with one `curl`, which verifies certificates against the laboratory root only.

use std::fmt::Write as _;

use super::backend::values;
use super::certificates::certificates;
use super::program::{finish_with_input, folder, program, write};

/// One request.
pub(crate) struct Ask {
    url: String,
    host: String,
    port: u16,
    headers: Vec<String>,
    /// Bytes to send in a POST, and whether they are announced in pieces.
    body: Option<(usize, bool)>,
}

impl Ask {
    /// A request for `path` of `scheme://host:port`, which is always on 127.0.0.1.
    pub(crate) fn new(scheme: &str, host: &str, port: u16, path: &str) -> Self {
        Self {
            url: format!("{scheme}://{host}:{port}{path}"),
            host: host.to_owned(),
            port,
            headers: Vec::new(),
            body: None,
        }
    }

    /// Makes it a POST of so many bytes, in pieces of unknown number when `is_chunked`.
    pub(crate) fn posting(mut self, bytes: usize, is_chunked: bool) -> Self {
        self.body = Some((bytes, is_chunked));
        self
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// Every value of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        values(&self.headers, name)
    }
}

/// Sends all requests, in order.
///
/// # Errors
/// The code of `curl` and what it said, when one transfer fails; 60 is a certificate it does not trust.
pub(crate) fn ask(requests: &[Ask]) -> Result<Vec<Answer>, (i32, String)> {
    let folder = folder();
    let root = folder.path().join("root.pem");
    write(&root, &certificates().root);
    let header_file = |index: usize| folder.path().join(format!("{index}.txt"));
    let mut config = String::new();
    for (index, request) in requests.iter().enumerate() {
        if index > 0 {
            config.push_str("next\n");
        }
        let Ask {
            url,
            host,
            port,
            headers,
            body,
        } = request;
        write!(
            config,
            "url = \"{url}\"\nresolve = \"{host}:{port}:127.0.0.1\"\ncacert = \"{}\"\nnoproxy = \"*\"\nsilent\nshow-error\n\
             path-as-is\ngloboff\nhttp1.1\nmax-time = 30\noutput = \"/dev/null\"\ndump-header = \"{}\"\n",
            root.display(),
            header_file(index).display()
        )
        .expect("a String");
        for header in headers {
            writeln!(config, "header = \"{header}\"").expect("a String");
        }
        if let Some((bytes, is_chunked)) = body {
            let file = folder.path().join(format!("{index}.body"));
            write(&file, "x".repeat(*bytes));
            writeln!(config, "data-binary = \"@{}\"", file.display()).expect("a String");
            if *is_chunked {
                config.push_str("header = \"Transfer-Encoding: chunked\"\n");
            }
        }
    }
    // A file of the user must not change what is sent.
    let mut curl = program("curl");
    curl.args(["--disable", "--fail-early", "--config", "-"]);
    let ran = finish_with_input(&mut curl, config.as_bytes());
    if ran.code != 0 {
        return Err((ran.code, ran.stderr));
    }
    let texts = (0..requests.len())
        .map(|index| std::fs::read_to_string(header_file(index)).expect("written by curl"));
    Ok(texts.map(|text| parse(&text)).collect())
}

fn parse(text: &str) -> Answer {
    // Before the answer there may be one that says to go on.
    let text = text.trim_end().rsplit("\r\n\r\n").next().unwrap_or(text);
    let mut lines = text.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|word| word.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    Answer {
        status: status.unwrap_or(0),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
    }
}
