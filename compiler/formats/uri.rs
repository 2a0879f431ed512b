//! URIs: percent encoding, checked host names and web addresses, and the federation URI of RabbitMQ.
//!
//! RabbitMQ's own parser (`uri_parser.erl`, `amqp_uri.erl`) forgives nothing visibly: a `#` cuts off all TLS
//! parameters behind it, a slash before `?` means the empty virtual host. So the builder here writes only what its own
//! small parser, which follows the same rules, reads back unchanged. This module must not know inventories or formats
//! that carry a URI.

use std::fmt::Write as _;

use super::FormatError;
use super::characters::only;

/// The port RabbitMQ uses for `amqps` when the URI names none.
pub const AMQPS_PORT: u16 = 5671;

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
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, path),
        None => (rest, ""),
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
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
fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

/// What a federation URI says (requirements RMQ-18 and RMQ-19, DEF-93).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederationUri {
    /// Host name of the upstream broker; it is also the name its certificate must carry.
    pub host: String,
    /// Port of the upstream broker; [`AMQPS_PORT`] is left out of the URI.
    pub port: u16,
    /// User part. It plays no role for EXTERNAL logins, so `None` is the better choice.
    pub user: Option<String>,
    /// Path of the file with the trusted authorities, as the upstream's client sees it.
    pub cacertfile: String,
    /// Path of the client certificate.
    pub certfile: String,
    /// Path of the client key.
    pub keyfile: String,
}

impl FederationUri {
    /// The paths of RMQ-18 inside one certificate folder.
    pub fn with_folder(host: &str, port: u16, user: Option<&str>, certificates_folder: &str) -> Self {
        let folder = certificates_folder.trim_end_matches(['/', '\\']);
        Self {
            host: host.to_owned(),
            port,
            user: user.map(str::to_owned),
            cacertfile: format!("{folder}/ca_certificate.pem"),
            certfile: format!("{folder}/client_certificate.pem"),
            keyfile: format!("{folder}/client_key.pem"),
        }
    }
}

/// Writes the federation URI, without a slash before `?` and with `auth_mechanism=external` in lower case.
///
/// # Errors
/// What [`host_name`], [`uri_component`] and [`uri_path_component`] refuse, port 0, and a URI that would not read back.
pub fn federation_uri(parts: &FederationUri) -> Result<String, FormatError> {
    host_name(&parts.host)?;
    if parts.port == 0 {
        return Err(FormatError::new(0..0, "0 is not a port"));
    }
    let mut uri = "amqps://".to_owned();
    if let Some(user) = &parts.user {
        uri.push_str(&uri_component(user)?);
        uri.push('@');
    }
    uri.push_str(&parts.host);
    if parts.port != AMQPS_PORT {
        let _ = write!(uri, ":{}", parts.port);
    }
    let mut separator = '?';
    for (name, path) in [
        ("cacertfile", &parts.cacertfile),
        ("certfile", &parts.certfile),
        ("keyfile", &parts.keyfile),
    ] {
        let _ = write!(uri, "{separator}{name}={}", uri_path_component(path)?);
        separator = '&';
    }
    let _ = write!(
        uri,
        "&verify=verify_peer&server_name_indication={}&auth_mechanism=external",
        parts.host
    );
    let mut meant = parts.clone();
    for path in [&mut meant.cacertfile, &mut meant.certfile, &mut meant.keyfile] {
        *path = path.replace('\\', "/");
    }
    if read_federation_uri(&uri)? != meant {
        return Err(FormatError::new(0..0, "the URI would not read back unchanged"));
    }
    Ok(uri)
}

/// Reads a federation URI the way RabbitMQ 3.8 does, but strictly.
///
/// # Errors
/// A fragment, a path (it would name the virtual host), a password, unknown, repeated or missing parameters, and
/// parameters other than full verification against the host with `auth_mechanism=external`.
pub fn read_federation_uri(uri: &str) -> Result<FederationUri, FormatError> {
    let refuse = |message: String| Err(FormatError::new(0..uri.len(), message));
    let Some(rest) = uri.strip_prefix("amqps://") else {
        return refuse("the URI does not start with `amqps://`".into());
    };
    if let Some(at) = uri.find('#') {
        return Err(FormatError::new(
            at..uri.len(),
            "RabbitMQ drops everything behind `#`, also `verify`",
        ));
    }
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    if authority.contains('/') {
        return refuse("a `/` before `?` names the empty virtual host".into());
    }
    let (user, address) = match authority.split_once('@') {
        Some((user, _)) if user.contains(':') => return refuse("the URI holds a password".into()),
        Some((user, address)) => (Some(decode(user)?), address),
        None => (None, authority),
    };
    let (host, port) = match address.split_once(':') {
        Some((host, port)) if is_port(port) => (host, port.parse().unwrap_or(AMQPS_PORT)),
        Some((_, port)) => return refuse(format!("`{port}` is not a port")),
        None => (address, AMQPS_PORT),
    };
    host_name(host)?;
    let mut parameters = std::collections::BTreeMap::new();
    for pair in query.split('&') {
        let Some((name, value)) = pair.split_once('=') else {
            return refuse(format!("the parameter `{pair}` has no value"));
        };
        if parameters.insert(name, decode(value)?).is_some() {
            return refuse(format!("the parameter `{name}` stands twice"));
        }
    }
    let mut take = |name: &str| {
        parameters
            .remove(name)
            .ok_or_else(|| FormatError::new(0..uri.len(), format!("the parameter `{name}` is missing")))
    };
    let (cacertfile, certfile, keyfile) = (take("cacertfile")?, take("certfile")?, take("keyfile")?);
    for (name, expected) in [
        ("verify", "verify_peer"),
        ("server_name_indication", host),
        ("auth_mechanism", "external"),
    ] {
        let value = take(name)?;
        if value != expected {
            return refuse(format!("`{name}` is `{value}` and not `{expected}`"));
        }
    }
    if let Some(name) = parameters.keys().next() {
        return refuse(format!("unknown parameter `{name}`"));
    }
    Ok(FederationUri {
        host: host.to_owned(),
        port,
        user,
        cacertfile,
        certfile,
        keyfile,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_the_uri_of_the_guide() {
        let uri = |port, user, folder| {
            federation_uri(&FederationUri::with_folder(
                "rabbit2.example.com",
                port,
                user,
                folder,
            ))
            .unwrap()
        };
        // Printed by amqp_uri:parse/1 of RabbitMQ 3.10.8 as
        // {cacertfile,"C:/Program Files (x86)/ca_certificate.pem"} and so on, virtual host <<"/">>.
        assert_eq!(
            uri(5671, None, r"C:\Program Files (x86)\"),
            "amqps://rabbit2.example.com?cacertfile=C:/Program%20Files%20(x86)/ca_certificate.pem\
             &certfile=C:/Program%20Files%20(x86)/client_certificate.pem\
             &keyfile=C:/Program%20Files%20(x86)/client_key.pem\
             &verify=verify_peer&server_name_indication=rabbit2.example.com&auth_mechanism=external"
        );
        assert!(uri(5672, Some("OU=x@y:z"), "C:/a,#&%b").starts_with(
            "amqps://OU%3Dx%40y%3Az@rabbit2.example.com:5672?cacertfile=C:/a%2C%23%26%25b/ca_certificate.pem&"
        ));
    }

    /// Each line was given to `amqp_uri:parse/1` of RabbitMQ 3.10.8: what it makes of them is the reason to refuse.
    #[test]
    fn refuses_what_rabbitmq_misreads() {
        let files = "cacertfile=a&certfile=b&keyfile=c";
        let tail = "verify=verify_peer&server_name_indication=h&auth_mechanism=external";
        for (uri, message) in [
            (format!("amqps://h?cacertfile=C:/a#b&{tail}"), "drops everything"),
            (format!("amqps://h/?{files}&{tail}"), "virtual host"),
            (format!("amqps://h?cacertfile=C:/a%zz&{tail}"), "hexadecimal"),
            (format!("amqps://h:1x?{files}&{tail}"), "not a port"),
            (format!("amqps://u:p@h?{files}&{tail}"), "password"),
            (
                format!("amqps://h?{files}&{}", tail.replace("external", "EXTERNAL")),
                "`EXTERNAL` and not `external`",
            ),
            (format!("amqps://h?{files}"), "`verify` is missing"),
            (
                format!("amqps://h?{files}&{tail}&depth=1"),
                "unknown parameter `depth`",
            ),
            (format!("amqp://h?{files}&{tail}"), "`amqps://`"),
        ] {
            let error = read_federation_uri(&uri).unwrap_err();
            assert!(error.message.contains(message), "{uri}: {error}");
        }
        // `+` stays a plus: RabbitMQ does no form decoding.
        let plus = read_federation_uri(&format!("amqps://h?cacertfile=a+b&certfile=b&keyfile=c&{tail}"));
        assert_eq!(plus.unwrap().cacertfile, "a+b");
    }

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
        fn federation_uris_read_back(
            host in "[a-z]{1,8}(\\.[a-z0-9]{1,8}){0,3}", port in 1u16.., user in proptest::option::of("[ -~]{1,12}"),
            paths in proptest::array::uniform3("[ -~]{1,12}"),
        ) {
            let [cacertfile, certfile, keyfile] = paths;
            let parts = FederationUri { host, port, user, cacertfile, certfile, keyfile };
            if let Ok(uri) = federation_uri(&parts) {
                let read = read_federation_uri(&uri).unwrap();
                prop_assert_eq!(&read.user, &parts.user);
                prop_assert_eq!(read.keyfile, parts.keyfile.replace('\\', "/"));
            }
        }

        #[test]
        fn readers_survive_anything(text in "\\PC*|amqps://[ -~]*") {
            drop((decode(&text), read_federation_uri(&text), http_url(&text)));
        }
    }
}
