//! Web addresses: their parts, and the port that nobody writes.
//!
//! Browsers leave the usual port of a scheme out, and compare an `Origin` with the text without it (DEF-7, DEF-32). So
//! the rule must be the same wherever an address is made or read. This file must not know what an address is for.

/// The port of `https` where none is written (RFC 9110, 4.2.2).
pub const HTTPS: u16 = 443;

/// The port of `http` where none is written (RFC 9110, 4.2.1).
const HTTP: u16 = 80;

/// What follows a host in an `https` address at this port: nothing for 443, else `:PORT` (DEF-7).
pub fn https_suffix(port: u16) -> String {
    if port == HTTPS {
        String::new()
    } else {
        format!(":{port}")
    }
}

/// Scheme, host and port of an address, the host as it is written; `None` without a scheme or with a port that is none.
pub fn parts(address: &str) -> Option<(&str, &str, u16)> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None if scheme == "https" => (authority, HTTPS),
        None => (authority, HTTP),
    };
    Some((scheme, host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_is_not_written() {
        assert_eq!(https_suffix(443), "");
        assert_eq!(https_suffix(80), ":80");
        assert_eq!(https_suffix(8443), ":8443");
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (address, expected) in [
            ("https://A.example/x", Some(("https", "A.example", 443))),
            ("http://a.example", Some(("http", "a.example", 80))),
            ("https://a.example:8080/x:1", Some(("https", "a.example", 8080))),
            ("https://a.example?x=1:2", Some(("https", "a.example", 443))),
            ("a.example", None),
            ("https://a:b/", None),
        ] {
            assert_eq!(parts(address), expected, "{address}");
        }
    }
}
