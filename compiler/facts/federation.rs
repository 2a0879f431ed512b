//! The federation URI of RabbitMQ: where a broker connects to, and how it proves who it is (RMQ-18, RMQ-19, DEF-93).
//!
//! RabbitMQ's own parser (`uri_parser.erl`, `amqp_uri.erl`) forgives nothing visibly: a `#` cuts off all TLS
//! parameters behind it, a slash before `?` means the empty virtual host. So the builder here writes only what its own
//! small parser, which follows the same rules, reads back unchanged. This module must not know inventories or formats
//! that carry a URI.

use std::fmt::Write as _;

use crate::formats::FormatError;
use crate::formats::uri::{decode, host_name, is_port, uri_component, uri_path_component};

/// The port RabbitMQ uses for `amqps` when the URI names none.
pub const AMQPS_PORT: u16 = 5671;

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

    proptest! {
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
        fn any_text_is_read_without_a_panic(text in "\\PC*|amqps://[ -~]*") {
            drop(read_federation_uri(&text));
        }
    }
}
