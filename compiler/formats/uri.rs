//! URIs: percent encoding, checked host names and web addresses.
//!
//! This module must not know inventories, formats that carry a URI or what a program makes of one.

use std::fmt::Write as _;

use super::FormatError;
use super::characters::only;

/// Whether RFC 3986, section 2.3, calls the character unreserved.
fn unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

fn printable(c: char) -> bool {
    matches!(c, ' '..='~')
}

/// Percent-encodes every character of ASCII text that `plain` does not accept.
fn encode(text: &str, plain: impl Fn(char) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        if plain(c) {
            encoded.push(c);
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{:02X}", u32::from(c));
        }
    }
    encoded
}

/// One component of a URI: everything but unreserved characters is percent-encoded.
///
/// # Errors
/// An empty value, and anything but printable ASCII.
pub fn uri_component(value: &str) -> Result<String, FormatError> {
    only(value, printable, |c| {
        format!("{c:?} is not printable ASCII and would arrive as other characters")
    })?;
    Ok(encode(value, unreserved))
}

/// A Windows path as the value of a URI parameter: forward slashes, and everything outside `A-Za-z0-9-._~/:()`
/// percent-encoded.
///
/// # Errors
/// Non-ASCII text (RabbitMQ reads the bytes as Latin-1 and does not find the file), control characters, and
/// `^ ! [ ] { }`, which RabbitMQ forbids in its paths (<https://www.rabbitmq.com/docs/relocate>).
pub fn uri_path_component(path: &str) -> Result<String, FormatError> {
    only(
        path,
        |c| printable(c) && !"^![]{}".contains(c),
        |c| {
            if printable(c) {
                format!("RabbitMQ allows no `{c}` in a path")
            } else {
                format!("{c:?} in a path; RabbitMQ would look for another file")
            }
        },
    )?;
    Ok(encode(&path.replace('\\', "/"), |c| {
        unreserved(c) || "/:()".contains(c)
    }))
}

/// Resolves percent encoding.
///
/// # Errors
/// `%` without two hexadecimal digits, and a result that is not printable ASCII.
pub fn decode(text: &str) -> Result<String, FormatError> {
    let mut decoded = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let meant = if c == '%' {
            let mut digit = || chars.next().and_then(|(_, digit)| digit.to_digit(16));
            match (digit(), digit()) {
                (Some(high), Some(low)) => char::from_u32(high * 16 + low),
                _ => None,
            }
        } else {
            Some(c)
        };
        match meant {
            Some(meant) if printable(meant) => decoded.push(meant),
            Some(meant) => {
                return Err(FormatError::new(
                    at..at + c.len_utf8(),
                    format!("{meant:?} is not printable ASCII"),
                ));
            }
            None => return Err(FormatError::new(at..at + 1, "`%` without two hexadecimal digits")),
        }
    }
    Ok(decoded)
}

/// A host name of letters, digits, hyphens and dots (RFC 1123, section 2.1), returned unchanged.
///
/// # Errors
/// Any other character, empty labels, labels longer than 63 characters or with a hyphen at an end, names longer than
/// 253 characters.
pub fn host_name(value: &str) -> Result<String, FormatError> {
    only(
        value,
        |c| c.is_ascii_alphanumeric() || c == '-' || c == '.',
        |c| format!("{c:?} is not a letter, digit or hyphen of a host name"),
    )?;
    if value.len() > 253 {
        return Err(FormatError::new(
            0..value.len(),
            "the host name has more than 253 characters",
        ));
    }
    let mut at = 0;
    for label in value.split('.') {
        let range = at..at + label.len();
        if label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-') {
            return Err(FormatError::new(
                range,
                format!("`{label}` is not a label of a host name"),
            ));
        }
        at = range.end + 1;
    }
    Ok(value.to_owned())
}

/// An address such as `http://host:8001/path`, returned unchanged.
///
/// # Errors
/// Another scheme, a bad host name or port, and characters that are not part of a path (RFC 3986, section 3.3); a
/// query or a fragment is refused.
pub fn http_url(value: &str) -> Result<String, FormatError> {
    web_address(value, "http://")
}

/// An address such as `https://host/path`, returned unchanged; the rules are those of [`http_url`].
///
/// # Errors
/// As [`http_url`].
pub fn https_url(value: &str) -> Result<String, FormatError> {
    web_address(value, "https://")
}

fn web_address(value: &str, scheme: &str) -> Result<String, FormatError> {
    let whole = 0..value.len();
    let Some(rest) = value.strip_prefix(scheme) else {
        return Err(FormatError::new(
            whole,
            format!("the address does not start with `{scheme}`"),
        ));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority
        .split_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port)));
    let shift = |error: FormatError, by: usize| {
        FormatError::new(error.range.start + by..error.range.end + by, error.message)
    };
    host_name(host).map_err(|error| shift(error, scheme.len()))?;
    if let Some(port) = port
        && !is_port(port)
    {
        let start = scheme.len() + host.len() + 1;
        return Err(FormatError::new(
            start..start + port.len(),
            format!("`{port}` is not a port"),
        ));
    }
    let start = value.len() - path.len();
    if let Some((at, c)) = path
        .char_indices()
        .find(|(_, c)| !unreserved(*c) && !"/%!$&'()*+,;=:@".contains(*c))
    {
        return Err(FormatError::new(
            start + at..start + at + c.len_utf8(),
            format!("{c:?} is not allowed in the path of an address"),
        ));
    }
    decode(path).map_err(|error| shift(error, start))?;
    Ok(value.to_owned())
}

/// Whether the text is a port as people write it: no sign, no leading zero, 1 to 65535.
pub fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn checks_addresses() {
        for good in ["http://127.0.0.1:8001/", "http://a.b", "http://a.b:80/x/%20(y)"] {
            assert_eq!(http_url(good).unwrap(), good);
        }
        assert!(https_url("https://a.b/x").is_ok());
        for bad in [
            "https://a.b",
            "http://",
            "http://a..b",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+1/",
            "http://a/b c",
            "http://a/?b",
            "http://a/#b",
            "http://a/%2",
            "http://u@a/",
            "http://a:1:2/",
        ] {
            assert!(http_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_refuse_what_rabbitmq_forbids() {
        for bad in ["C:/ä", "C:/a^b", "C:/a!", "C:/[a]", "C:/{a}", "C:/a\tb", ""] {
            assert!(uri_path_component(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn encoded_text_reads_back(value in "\\PC*|[ -~]*") {
            if let Ok(encoded) = uri_component(&value) {
                prop_assert_eq!(decode(&encoded).unwrap(), value.clone());
                prop_assert!(encoded.chars().all(|c| unreserved(c) || c == '%'));
            }
            if let Ok(encoded) = uri_path_component(&value) {
                prop_assert_eq!(decode(&encoded).unwrap(), value.replace('\\', "/"));
                prop_assert!(encoded.chars().all(|c| unreserved(c) || "%/:()".contains(c)));
            }
        }

        #[test]
        fn readers_survive_anything(text in "\\PC*|https?://[ -~]*") {
            drop((decode(&text), http_url(&text)));
        }
    }
}
