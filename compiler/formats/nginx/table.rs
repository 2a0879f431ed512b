//! The directives and variables generated files may use, with their argument counts and contexts.
//!
//! Source: the module pages of nginx.org. This file must not know what has to hold between directives; that is
//! `rules.rs`.

use std::collections::BTreeSet;

/// Outside all blocks.
pub(super) const MAIN: u8 = 1;
/// In `events`.
pub(super) const EVENTS: u8 = 2;
/// In `http`.
pub(super) const HTTP: u8 = 4;
/// In `server`.
pub(super) const SERVER: u8 = 8;
/// In `location`.
pub(super) const LOCATION: u8 = 16;
const SHARED: u8 = HTTP | SERVER | LOCATION;

/// How a directive behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DirectiveKind {
    /// May stand once in a block.
    Once,
    /// May stand once, with `on` or `off`.
    Flag,
    /// May stand once; the first argument is a path.
    Path,
    /// May be repeated with different first arguments.
    Keyed,
    /// As `Keyed`; the first argument is a path.
    KeyedPath,
    /// Opens a block.
    Block,
}

/// One row of the table of directives.
pub(super) struct Rule {
    /// Name of the directive.
    pub(super) name: &'static str,
    /// Blocks it may stand in, as a sum of [`MAIN`], [`EVENTS`], [`HTTP`], [`SERVER`] and [`LOCATION`].
    pub(super) contexts: u8,
    /// Fewest arguments.
    pub(super) fewest: usize,
    /// Most arguments.
    pub(super) most: usize,
    /// How the directive behaves.
    pub(super) kind: DirectiveKind,
}

const fn rule(name: &'static str, contexts: u8, fewest: usize, most: usize, kind: DirectiveKind) -> Rule {
    Rule {
        name,
        contexts,
        fewest,
        most,
        kind,
    }
}

const ANY: usize = usize::MAX;

/// Every directive a generated file may hold.
const RULES: &[Rule] = &[
    rule("access_log", SHARED, 1, 5, DirectiveKind::KeyedPath),
    rule("add_header", SHARED, 2, 3, DirectiveKind::Keyed),
    rule("client_body_timeout", SHARED, 1, 1, DirectiveKind::Once),
    rule("client_header_timeout", HTTP | SERVER, 1, 1, DirectiveKind::Once),
    rule("client_max_body_size", SHARED, 1, 1, DirectiveKind::Once),
    rule("default_type", SHARED, 1, 1, DirectiveKind::Once),
    rule("error_log", MAIN | SHARED, 1, 2, DirectiveKind::KeyedPath),
    rule("events", MAIN, 0, 0, DirectiveKind::Block),
    rule("http", MAIN, 0, 0, DirectiveKind::Block),
    rule("include", MAIN | HTTP, 1, 1, DirectiveKind::KeyedPath),
    rule("index", SHARED, 1, ANY, DirectiveKind::Once),
    rule("keepalive_timeout", SHARED, 1, 2, DirectiveKind::Once),
    rule(
        "large_client_header_buffers",
        HTTP | SERVER,
        2,
        2,
        DirectiveKind::Once,
    ),
    rule("listen", SERVER, 1, ANY, DirectiveKind::Keyed),
    rule("location", SERVER, 1, 2, DirectiveKind::Block),
    rule("log_format", HTTP, 2, ANY, DirectiveKind::Keyed),
    rule("map", HTTP, 2, 2, DirectiveKind::Block),
    rule("map_hash_bucket_size", HTTP, 1, 1, DirectiveKind::Once),
    rule("map_hash_max_size", HTTP, 1, 1, DirectiveKind::Once),
    rule("pid", MAIN, 1, 1, DirectiveKind::Path),
    rule("proxy_buffer_size", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_buffering", SHARED, 1, 1, DirectiveKind::Flag),
    rule("proxy_buffers", SHARED, 2, 2, DirectiveKind::Once),
    rule("proxy_busy_buffers_size", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_connect_timeout", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_hide_header", SHARED, 1, 1, DirectiveKind::Keyed),
    rule("proxy_http_version", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_pass", LOCATION, 1, 1, DirectiveKind::Once),
    rule("proxy_read_timeout", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_redirect", SHARED, 1, 2, DirectiveKind::Keyed),
    rule("proxy_send_timeout", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_set_header", SHARED, 2, 2, DirectiveKind::Keyed),
    rule("proxy_ssl_name", SHARED, 1, 1, DirectiveKind::Once),
    rule("proxy_ssl_protocols", SHARED, 1, ANY, DirectiveKind::Once),
    rule("proxy_ssl_server_name", SHARED, 1, 1, DirectiveKind::Flag),
    rule("proxy_ssl_trusted_certificate", SHARED, 1, 1, DirectiveKind::Path),
    rule("proxy_ssl_verify", SHARED, 1, 1, DirectiveKind::Flag),
    rule("proxy_ssl_verify_depth", SHARED, 1, 1, DirectiveKind::Once),
    rule("return", SERVER | LOCATION, 1, 2, DirectiveKind::Once),
    rule("rewrite", SERVER | LOCATION, 2, 3, DirectiveKind::Keyed),
    rule("root", SHARED, 1, 1, DirectiveKind::Path),
    rule("send_timeout", SHARED, 1, 1, DirectiveKind::Once),
    rule("sendfile", SHARED, 1, 1, DirectiveKind::Flag),
    rule("server", HTTP, 0, 0, DirectiveKind::Block),
    rule("server_name", SERVER, 1, ANY, DirectiveKind::Once),
    rule("server_names_hash_bucket_size", HTTP, 1, 1, DirectiveKind::Once),
    rule("server_tokens", SHARED, 1, 1, DirectiveKind::Flag),
    rule("ssl_certificate", HTTP | SERVER, 1, 1, DirectiveKind::Path),
    rule("ssl_certificate_key", HTTP | SERVER, 1, 1, DirectiveKind::Path),
    rule("ssl_ciphers", HTTP | SERVER, 1, 1, DirectiveKind::Once),
    rule("ssl_dhparam", HTTP | SERVER, 1, 1, DirectiveKind::Path),
    rule("ssl_ecdh_curve", HTTP | SERVER, 1, 1, DirectiveKind::Once),
    rule(
        "ssl_prefer_server_ciphers",
        HTTP | SERVER,
        1,
        1,
        DirectiveKind::Flag,
    ),
    rule("ssl_protocols", HTTP | SERVER, 1, ANY, DirectiveKind::Once),
    rule("ssl_session_cache", HTTP | SERVER, 1, 2, DirectiveKind::Once),
    rule("ssl_session_tickets", HTTP | SERVER, 1, 1, DirectiveKind::Flag),
    rule("ssl_session_timeout", HTTP | SERVER, 1, 1, DirectiveKind::Once),
    rule("tcp_nodelay", SHARED, 1, 1, DirectiveKind::Flag),
    rule("worker_connections", EVENTS, 1, 1, DirectiveKind::Once),
    rule("worker_processes", MAIN, 1, 1, DirectiveKind::Once),
];

/// Variables nginx defines that generated files may use; families such as `$http_…` are matched by prefix.
const VARIABLES: &[&str] = &[
    "args",
    "body_bytes_sent",
    "bytes_sent",
    "connection",
    "content_length",
    "content_type",
    "host",
    "hostname",
    "is_args",
    "msec",
    "proxy_add_x_forwarded_for",
    "proxy_host",
    "proxy_port",
    "query_string",
    "remote_addr",
    "remote_port",
    "remote_user",
    "request",
    "request_length",
    "request_method",
    "request_time",
    "request_uri",
    "scheme",
    "server_addr",
    "server_name",
    "server_port",
    "server_protocol",
    "ssl_cipher",
    "ssl_protocol",
    "status",
    "time_iso8601",
    "time_local",
    "upstream_addr",
    "upstream_response_time",
    "upstream_status",
    "uri",
];

const VARIABLE_FAMILIES: &[&str] = &["http_", "sent_http_", "upstream_http_", "arg_", "cookie_"];

/// The rule of a directive, if cbgen writes that directive.
pub(super) fn rule_of(name: &str) -> Option<&'static Rule> {
    RULES
        .binary_search_by(|rule| rule.name.cmp(name))
        .ok()
        .and_then(|at| RULES.get(at))
}

/// Whether nginx, or a `map` among `mapped`, defines the variable.
pub(super) fn is_variable(name: &str, mapped: &BTreeSet<String>) -> bool {
    mapped.contains(name)
        || VARIABLES.binary_search(&name).is_ok()
        || VARIABLE_FAMILIES
            .iter()
            .any(|family| name.starts_with(family) && name.len() > family.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lookups are binary searches.
    #[test]
    fn tables_are_sorted() {
        assert!(RULES.is_sorted_by(|a, b| a.name < b.name));
        assert!(VARIABLES.is_sorted());
    }
}
