//! Forms of names and addresses: hosts, databases, web addresses.
//!
//! Every function says what is wrong as a clause behind "it is refused: ". Nothing here knows fields or places.

use super::{halves, shorten};
use crate::contract::path::is_device_name;
use crate::formats::unseen::look_alike;
use crate::formats::uri::is_port;
use crate::inventory::characters;

/// A fully qualified domain name (RFC 1035 section 2.3.1, RFC 1123 section 2.1): two or more labels.
pub fn fqdn(value: &str) -> Result<(), String> {
    if value.contains("://") {
        return Err("it is an address; write the name alone, without `https://`".into());
    }
    if value.contains('/') {
        return Err("it holds `/`; write the name alone, without a path".into());
    }
    if value.contains(':') {
        return Err("it holds `:`; write the name alone, the port has a key of its own".into());
    }
    if value.starts_with("*.") {
        return Err("it is a wildcard; write every name".into());
    }
    if value.len() > 253 {
        return Err(format!("it has {} characters, more than 253", value.len()));
    }
    if value.ends_with('.') {
        return Err("it ends with a dot; browsers and certificates compare names without it".into());
    }
    let labels: Vec<&str> = value.split('.').collect();
    for part in &labels {
        label(part)?;
    }
    if labels.len() < 2 {
        return Err(
            "it has no domain; write the fully qualified name, for example `mgmt01.acme.example`".into(),
        );
    }
    if labels
        .last()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(
            "it ends with a number, as an IP address does; write a name, certificates are checked against it"
                .into(),
        );
    }
    Ok(())
}

/// One label of a name.
fn label(part: &str) -> Result<(), String> {
    if part.is_empty() {
        return Err("it has an empty label (two dots, or a dot at an end)".into());
    }
    if let Some(bad) = part.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        let hint = if bad.is_ascii() || look_alike(bad).is_some() {
            ""
        } else {
            "; write the international name in its `xn--` form"
        };
        return Err(format!(
            "label `{}` holds {}, only letters, digits and `-` may be in a name{hint}",
            shorten(part),
            characters::name(bad)
        ));
    }
    if part.len() > 63 {
        return Err(format!(
            "label `{}` has {} characters, more than 63",
            shorten(part),
            part.len()
        ));
    }
    if part.starts_with('-') || part.ends_with('-') {
        return Err(format!("label `{}` begins or ends with `-`", shorten(part)));
    }
    Ok(())
}

/// A Windows computer name: NetBIOS length, DNS characters (Microsoft, "Naming conventions in Active Directory").
pub fn host_name(value: &str) -> Result<(), String> {
    if value.contains('.') {
        return Err("it holds `.`; write the short Windows name here and the full name in `fqdn`".into());
    }
    label(value).map_err(|why| why.replace("in a name", "in a Windows host name"))?;
    if value.len() > 15 {
        return Err(format!(
            "it has {} characters, Windows host names have at most 15",
            value.len()
        ));
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("it has digits only, which Windows refuses as a host name".into());
    }
    if is_device_name(value) {
        return Err(
            "it is the name of a device on Windows, and the bundle could not be unpacked there".into(),
        );
    }
    Ok(())
}

/// Name of the broker's configuration file: the service script of RabbitMQ 3.8 takes no other form for this content.
pub fn config_file(value: &str) -> Result<(), String> {
    if !value.ends_with(".config") {
        return Err("RabbitMQ reads Erlang terms only from a file that ends with `.config`".into());
    }
    Ok(())
}

/// Name of the environment variable that holds a secret. Scripts and Windows have variables of their own; a script would
/// overwrite the secret, or read something else.
pub fn secret_name(value: &str) -> Result<(), String> {
    const TAKEN: &[&str] = &["SQLCMD", "PROCESSOR_", "NUMBER_OF_", "RABBITMQ_", "ERLANG_"];
    // What is no name of a variable at all is refused by the pattern.
    if value
        .bytes()
        .any(|byte| !matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
    {
        return Ok(());
    }
    if !value.contains('_') {
        return Err("it may be a variable of a script or of Windows; write a name with `_`, for example `CALLBACK_REPORT_PASSWORD`".into());
    }
    if TAKEN.iter().any(|start| value.starts_with(start)) {
        return Err("programs read variables that begin so; write another name, for example `CALLBACK_REPORT_PASSWORD`".into());
    }
    Ok(())
}

/// A SQL Server address: `HOST`, `HOST\INSTANCE`, `HOST,PORT` or `HOST\INSTANCE,PORT`.
pub fn sql_server(value: &str) -> Result<(), String> {
    if matches!(value.to_ascii_lowercase().as_str(), "." | "(local)" | "localhost") {
        return Err(
            "every server would look for the database on itself; write the name of the database server"
                .into(),
        );
    }
    let (place, port) = halves(value, ',');
    if let Some(port) = port.filter(|port| !is_port(port)) {
        return Err(format!(
            "`{}` behind the comma is no port from 1 to 65535",
            shorten(port)
        ));
    }
    let (host, instance) = halves(place, '\\');
    if host.contains(':') {
        return Err("it holds `:`; write a port behind a comma, and no protocol".into());
    }
    for part in host.split('.') {
        label(part)?;
    }
    let Some(instance) = instance else {
        return Ok(());
    };
    let first_fits = instance.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !first_fits {
        return Err(r"the instance behind `\` is empty or does not begin with a letter".into());
    }
    if let Some(bad) = instance.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_') {
        return Err(format!(
            "instance `{}` holds {}, only letters, digits and `_` are safe in every file it reaches",
            shorten(instance),
            characters::name(bad)
        ));
    }
    if instance.len() > 16 {
        return Err(format!(
            "instance `{}` has {} characters, more than 16",
            shorten(instance),
            instance.len()
        ));
    }
    Ok(())
}

/// A SQL Server table with its schema, both regular identifiers.
pub fn sql_table(value: &str) -> Result<(), String> {
    let parts: Vec<&str> = value.split('.').collect();
    if parts.len() != 2 {
        return Err("it is not `schema.table`, for example `dbo.WSConfiguration`".into());
    }
    for part in parts {
        if part.contains(['[', ']', '"']) {
            return Err("it holds quotes or brackets; write the bare names, scripts quote them".into());
        }
        if !part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(format!("`{}` does not begin with a letter or `_`", shorten(part)));
        }
        if let Some(bad) = part.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_') {
            return Err(format!(
                "`{}` holds {}, only letters, digits and `_` may be in it",
                shorten(part),
                characters::name(bad)
            ));
        }
        if part.len() > 128 {
            return Err(format!(
                "`{}` has {} characters, more than 128",
                shorten(part),
                part.len()
            ));
        }
    }
    Ok(())
}

/// An `http` or `https` address.
pub fn http_url(value: &str) -> Result<(), String> {
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    url_rest(rest.ok_or("it does not begin with `http://` or `https://`")?)
}

/// An `https` address.
pub fn https_url(value: &str) -> Result<(), String> {
    if value.starts_with("http://") {
        return Err("it begins with `http://`, and the request would not be encrypted".into());
    }
    url_rest(
        value
            .strip_prefix("https://")
            .ok_or("it does not begin with `https://`")?,
    )
}

/// Host, port, path and query (RFC 3986), without user, fragment and anything that needs an escape.
fn url_rest(rest: &str) -> Result<(), String> {
    if let Some(bad) = rest.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(format!("it holds {}; percent-encode it", characters::name(bad)));
    }
    if let Some(bad) = rest.chars().find(|c| r#""<>\^`{|}[]'#$!*;"#.contains(*c)) {
        return Err(format!(
            "it holds {}, which not every file can carry; percent-encode it",
            characters::name(bad)
        ));
    }
    let mut escapes = rest.split('%');
    escapes.next();
    if escapes.any(|text| !text.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()) || text.len() < 2) {
        return Err("`%` must be followed by two hexadecimal digits".into());
    }
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Err("it holds `@` in front of the host: an address must not carry a user or password".into());
    }
    let (host, port) = halves(authority, ':');
    if host.is_empty() {
        return Err("it has no host".into());
    }
    for part in host.split('.') {
        label(part)?;
    }
    match port.filter(|port| !is_port(port)) {
        Some(port) => Err(format!("`{}` is no port from 1 to 65535", shorten(port))),
        None => Ok(()),
    }
}
