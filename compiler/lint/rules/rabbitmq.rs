//! What RabbitMQ 3.8 understands in its own section of `rabbitmq.config` (RMQ-2).
//!
//! The broker does not complain about an unknown key, and starts with a value of the wrong shape only to refuse every
//! login later; a test against a newer broker proves nothing either, because keys came and went. So keys and shapes are
//! compared with a table. It was made from the repository `rabbitmq/rabbitmq-server` at tag v3.8.1: `PROJECT_ENV` in
//! `Makefile`, the `get_env(rabbit, …)` calls under `src/` and `priv/schema/rabbit.schema`. Which minor version a
//! server runs is not known here: `subject_alternative_name` needs 3.8.10 (DEF-76), a rule of the inventory checks.
//! This module must not know how a term is read.

use crate::formats::erlang::{Term, TermKind, erl_atom};
use crate::formats::{FactPath, FormatError, Step};

/// The shape a value has to have.
#[derive(Clone, Copy)]
enum Shape {
    Any,
    Boolean,
    /// A whole number from 0 on.
    Count,
    /// A whole number from 0 on, or `infinity`.
    CountOrInfinity,
    /// A fraction between 0 and 1.
    Fraction,
    /// A string that is not empty, such as a path.
    Text,
    /// A binary, such as a user name.
    Binary,
    OneOf(&'static [&'static str]),
    /// A list of at least one of these atoms.
    SomeOf(&'static [&'static str]),
    /// A list of ports, or of addresses with a port.
    Listeners,
    /// A list of pairs with keys from a table.
    Keys(&'static [(&'static str, Shape)]),
    /// A list of pairs with keys from a list, each with the same shape of value.
    Each(&'static [&'static str], &'static Shape),
}

const LEVEL: Shape = Shape::OneOf(&[
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
    "none",
]);

const LOG: Shape = Shape::Keys(&[
    ("categories", Shape::Each(CATEGORIES, &CATEGORY)),
    ("console", HANDLER),
    ("exchange", HANDLER),
    (
        "file",
        Shape::Keys(&[
            ("count", Shape::Count),
            ("date", Shape::Any),
            ("file", Shape::Text),
            ("formatter_config", Shape::Any),
            ("level", LEVEL),
            ("size", Shape::Count),
        ]),
    ),
    ("syslog", HANDLER),
]);

const HANDLER: Shape = Shape::Keys(&[
    ("enabled", Shape::Boolean),
    ("formatter_config", Shape::Any),
    ("level", LEVEL),
]);

const CATEGORIES: &[&str] = &[
    "channel",
    "connection",
    "default",
    "federation",
    "mirroring",
    "queue",
    "ra",
    "upgrade",
];

const CATEGORY: Shape = Shape::Keys(&[("file", Shape::Text), ("level", LEVEL)]);

const SSL_OPTIONS: Shape = Shape::Keys(&[
    ("cacertfile", Shape::Text),
    ("certfile", Shape::Text),
    ("ciphers", Shape::Any),
    ("client_renegotiation", Shape::Boolean),
    (
        "crl_check",
        Shape::OneOf(&["true", "false", "peer", "best_effort"]),
    ),
    ("depth", Shape::Count),
    ("dhfile", Shape::Text),
    ("fail_if_no_peer_cert", Shape::Boolean),
    ("honor_cipher_order", Shape::Boolean),
    ("honor_ecc_order", Shape::Boolean),
    ("keyfile", Shape::Text),
    ("password", Shape::Text),
    ("reuse_sessions", Shape::Boolean),
    ("secure_renegotiate", Shape::Boolean),
    ("verify", Shape::OneOf(&["verify_peer", "verify_none"])),
    (
        "versions",
        Shape::SomeOf(&["tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"]),
    ),
]);

/// The keys of the application `rabbit`, sorted.
const KEYS: &[(&str, Shape)] = &[
    ("auth_backends", Shape::Any),
    (
        "auth_mechanisms",
        Shape::SomeOf(&["AMQPLAIN", "EXTERNAL", "PLAIN", "RABBIT-CR-DEMO"]),
    ),
    ("autocluster", Shape::Any),
    ("background_gc_enabled", Shape::Boolean),
    ("background_gc_target_interval", Shape::Count),
    ("backing_queue_module", Shape::Any),
    ("channel_max", Shape::Count),
    ("channel_operation_timeout", Shape::Count),
    ("channel_tick_interval", Shape::Count),
    ("cluster_formation", Shape::Any),
    ("cluster_keepalive_interval", Shape::Count),
    ("cluster_name", Shape::Any),
    ("cluster_nodes", Shape::Any),
    ("cluster_partition_handling", Shape::Any),
    ("collect_statistics", Shape::OneOf(&["none", "coarse", "fine"])),
    ("collect_statistics_interval", Shape::Count),
    ("config_entry_decoder", Shape::Any),
    ("connection_max", Shape::CountOrInfinity),
    ("consumer_timeout", Shape::Any),
    ("core_metrics_gc_interval", Shape::Count),
    ("credential_validator", Shape::Any),
    ("credit_flow_default_credit", Shape::Any),
    ("default_consumer_prefetch", Shape::Any),
    ("default_pass", Shape::Binary),
    ("default_permissions", Shape::Any),
    ("default_quorum_initial_group_size", Shape::Count),
    ("default_user", Shape::Binary),
    ("default_user_tags", Shape::Any),
    ("default_vhost", Shape::Binary),
    ("delegate_count", Shape::Count),
    ("disk_free_limit", Shape::Any),
    ("disk_monitor_failure_retries", Shape::Count),
    ("disk_monitor_failure_retry_interval", Shape::Count),
    ("enabled_plugins_file", Shape::Text),
    ("feature_flags_file", Shape::Text),
    ("fhc_read_buffering", Shape::Boolean),
    ("fhc_write_buffering", Shape::Boolean),
    ("frame_max", Shape::Count),
    ("halt_on_upgrade_failure", Shape::Boolean),
    ("handshake_timeout", Shape::Count),
    ("heartbeat", Shape::Count),
    ("hipe_compile", Shape::Boolean),
    ("hipe_modules", Shape::Any),
    ("initial_frame_max", Shape::Count),
    ("lazy_queue_explicit_gc_run_operation_threshold", Shape::Count),
    ("log", LOG),
    ("loopback_users", Shape::Any),
    ("max_message_size", Shape::Count),
    ("memory_monitor_interval", Shape::Count),
    ("mirroring_flow_control", Shape::Boolean),
    ("mirroring_sync_batch_size", Shape::Count),
    ("mnesia_table_loading_retry_limit", Shape::Count),
    ("mnesia_table_loading_retry_timeout", Shape::Count),
    ("msg_store_credit_disc_bound", Shape::Any),
    ("msg_store_file_size_limit", Shape::Count),
    ("msg_store_index_module", Shape::Any),
    ("msg_store_io_batch_size", Shape::Count),
    ("num_ssl_acceptors", Shape::Count),
    ("num_tcp_acceptors", Shape::Count),
    ("password_hashing_module", Shape::Any),
    ("plugins_dir", Shape::Text),
    ("plugins_expand_dir", Shape::Text),
    ("proxy_protocol", Shape::Boolean),
    ("queue_explicit_gc_run_operation_threshold", Shape::Count),
    ("queue_index_embed_msgs_below", Shape::Count),
    ("queue_index_max_journal_entries", Shape::Count),
    ("queue_master_locator", Shape::Any),
    ("quorum_cluster_size", Shape::Count),
    ("quorum_commands_soft_limit", Shape::Count),
    ("quorum_tick_interval", Shape::Count),
    ("reverse_dns_lookups", Shape::Boolean),
    ("server_properties", Shape::Any),
    ("slave_wait_timeout", Shape::Count),
    ("ssl_allow_poodle_attack", Shape::Boolean),
    ("ssl_apps", Shape::Any),
    (
        "ssl_cert_login_from",
        Shape::OneOf(&["distinguished_name", "common_name", "subject_alternative_name"]),
    ),
    ("ssl_cert_login_san_index", Shape::Count),
    (
        "ssl_cert_login_san_type",
        Shape::OneOf(&["dns", "ip", "email", "uri", "other_name"]),
    ),
    ("ssl_handshake_timeout", Shape::CountOrInfinity),
    ("ssl_listeners", Shape::Listeners),
    ("ssl_options", SSL_OPTIONS),
    ("tcp_listen_options", Shape::Any),
    ("tcp_listeners", Shape::Listeners),
    ("total_memory_available_override_value", Shape::Any),
    ("trace_vhosts", Shape::Any),
    ("vhost_restart_strategy", Shape::OneOf(&["continue", "stop_node"])),
    (
        "vm_memory_calculation_strategy",
        Shape::OneOf(&["rss", "allocated", "erlang", "legacy"]),
    ),
    ("vm_memory_high_watermark", Shape::Any),
    ("vm_memory_high_watermark_paging_ratio", Shape::Fraction),
];

/// Everything in the settings of the application `rabbit` that RabbitMQ 3.8 would ignore, misread or die of: keys it
/// does not know, values of the wrong shape, and `log_levels`, which stops the broker at start (DEF-78).
///
/// `file` is the list `[{Application, [...]}, …]`. A key given twice is found by the reader, which knows its frame too.
pub(super) fn problems(file: &Term) -> Vec<FormatError> {
    let mut problems = Vec::new();
    let applications = file.as_list().into_iter().flatten().filter_map(Term::as_pair);
    for (_, settings) in applications.filter(|(name, value)| *name == "rabbit" && value.as_list().is_some()) {
        keys(&"rabbit".into(), settings, KEYS, &mut problems);
    }
    problems
}

fn keys(
    path: &FactPath,
    value: &Term,
    table: &'static [(&'static str, Shape)],
    problems: &mut Vec<FormatError>,
) {
    each_pair(path, value, problems, |key, value, problems| {
        if path.steps().len() == 1 && key == "log_levels" {
            problems.push(FormatError::new(
                value.range.clone(),
                "`log_levels` stops RabbitMQ 3.8 at start when its list holds anything but pairs, and later versions \
                 ignore it; write `{log, [{categories, [{connection, [{level, info}]}]}]}`",
            ));
            return;
        }
        let known = table.binary_search_by(|(name, _)| (*name).cmp(key)).ok();
        match known.and_then(|index| table.get(index)) {
            Some((_, shape)) => check(&path.child(Step::named(key)), value, *shape, problems),
            None => unknown(path, key, value, problems),
        }
    });
}

fn unknown(path: &FactPath, key: &str, value: &Term, problems: &mut Vec<FormatError>) {
    let message = format!("`{path}` has no key `{key}` in RabbitMQ 3.8, so the broker would ignore it");
    problems.push(FormatError::new(value.range.clone(), message));
}

fn each_pair(
    path: &FactPath,
    value: &Term,
    problems: &mut Vec<FormatError>,
    mut then: impl FnMut(&str, &Term, &mut Vec<FormatError>),
) {
    let Some(elements) = value.as_list() else {
        return refuse(path, value, "a list of `{key, value}`", problems);
    };
    for element in elements {
        match element.as_pair() {
            Some((key, value)) => then(key, value, problems),
            None => refuse(path, element, "a list of `{key, value}`", problems),
        }
    }
}

fn refuse(path: &FactPath, value: &Term, expected: &str, problems: &mut Vec<FormatError>) {
    problems.push(FormatError::new(
        value.range.clone(),
        format!("`{path}` takes {expected}"),
    ));
}

fn check(path: &FactPath, value: &Term, shape: Shape, problems: &mut Vec<FormatError>) {
    let is_count = |value: &Term| value.as_integer().is_some_and(|number| number >= 0);
    let (fits, expected) = match shape {
        Shape::Any => (true, String::new()),
        Shape::Boolean => (
            matches!(value.as_atom(), Some("true" | "false")),
            "`true` or `false`".into(),
        ),
        Shape::Count => (is_count(value), "a whole number that is not negative".into()),
        Shape::CountOrInfinity => (
            is_count(value) || value.as_atom() == Some("infinity"),
            "a whole number that is not negative, or `infinity`".into(),
        ),
        Shape::Fraction => (
            matches!(value.kind, TermKind::Float(number) if (0.0..=1.0).contains(&number)),
            "a fraction between 0.0 and 1.0".into(),
        ),
        Shape::Text => (
            value.as_string().is_some_and(|text| !text.is_empty()),
            "a string that is not empty".into(),
        ),
        Shape::Binary => (
            matches!(value.kind, TermKind::Binary(_)),
            "a binary such as `<<\"/\">>`".into(),
        ),
        Shape::OneOf(names) => (
            value.as_atom().is_some_and(|name| names.contains(&name)),
            format!("one of {}", listed(names)),
        ),
        Shape::SomeOf(names) => (
            value.as_list().is_some_and(|elements| {
                let known = |element: &Term| element.as_atom().is_some_and(|name| names.contains(&name));
                !elements.is_empty() && elements.iter().all(known)
            }),
            format!("a list of at least one of {}", listed(names)),
        ),
        Shape::Listeners => (
            value
                .as_list()
                .is_some_and(|elements| elements.iter().all(is_listener)),
            "a list of ports or of `{\"address\", port}`".into(),
        ),
        Shape::Keys(table) => return keys(path, value, table, problems),
        Shape::Each(names, shape) => {
            return each_pair(path, value, problems, |key, value, problems| {
                if names.contains(&key) {
                    check(&path.child(Step::named(key)), value, *shape, problems);
                } else {
                    unknown(path, key, value, problems);
                }
            });
        }
    };
    if !fits {
        refuse(path, value, &expected, problems);
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", erl_atom(name).unwrap_or_else(|_| (*name).to_owned())))
        .collect();
    quoted.join(", ")
}

fn is_listener(listener: &Term) -> bool {
    let is_port = |port: &Term| port.as_integer().is_some_and(|port| (1..=65_535).contains(&port));
    match listener.as_tuple() {
        Some([address, port]) => address.as_string().is_some_and(|text| !text.is_empty()) && is_port(port),
        _ => is_port(listener),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::erlang::read;

    /// Reads the settings of `rabbit` and compares the problems found, as `range message`.
    fn check(settings: &str, expected: &[&str]) {
        let before = "[{rabbit, ";
        let found: Vec<String> = problems(&read(&format!("{before}{settings}}}].")).unwrap())
            .into_iter()
            .map(|error| {
                (
                    error.range.start - before.len()..error.range.end - before.len(),
                    error.message,
                )
            })
            .map(|(range, message)| format!("{range:?} {message}"))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        fn sorted(table: &[(&str, Shape)]) {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
            for (_, shape) in table {
                if let Shape::Keys(inner) = shape {
                    sorted(inner);
                }
            }
        }
        sorted(KEYS);
    }

    #[test]
    fn the_guide_without_its_log_levels_is_accepted() {
        check(
            "[{ssl_cert_login_from, common_name}, {tcp_listeners, []}, {auth_mechanisms, ['EXTERNAL']},
              {ssl_listeners, [5671, {\"10.0.0.1\", 5673}]},
              {ssl_options, [{cacertfile, \"C:/c/ca_certificate.pem\"}, {certfile, \"C:/c/server_certificate.pem\"},
                {keyfile, \"C:/c/server_key.pem\"}, {verify, verify_peer}, {depth, 2},
                {versions, ['tlsv1.2']}, {fail_if_no_peer_cert, true}]},
              {log, [{file, [{level, info}]}, {categories, [{connection, [{level, debug}]}]}]}]",
            &[],
        );
    }

    #[test]
    fn log_levels_is_refused_in_every_shape() {
        let message = "`log_levels` stops RabbitMQ 3.8 at start when its list holds anything but pairs, and later versions \
             ignore it; write `{log, [{categories, [{connection, [{level, info}]}]}]}`";
        check(
            "[{log_levels, [connection,debug]}]",
            &[&format!("14..32 {message}")],
        );
        check(
            "[{log_levels, [{connection, debug}]}]",
            &[&format!("14..35 {message}")],
        );
    }

    #[test]
    fn unknown_keys_and_wrong_shapes_are_refused() {
        check(
            "[{ssl_listener, [5671]}, {ssl_options, [{cafile, \"x\"}, {depth, \"2\"}]}, tcp_listeners]",
            &[
                "16..22 `rabbit` has no key `ssl_listener` in RabbitMQ 3.8, so the broker would ignore it",
                "49..52 `rabbit > ssl_options` has no key `cafile` in RabbitMQ 3.8, so the broker would ignore it",
                "63..66 `rabbit > ssl_options > depth` takes a whole number that is not negative",
                "71..84 `rabbit` takes a list of `{key, value}`",
            ],
        );
        check(
            "[{auth_mechanisms, [external]}, {ssl_listeners, [\"5671\"]}, {ssl_listeners, 5671}, {ssl_options, [{versions, ['tlsv1.2', tlsv12]}, {verify, true}]}]",
            &[
                "19..29 `rabbit > auth_mechanisms` takes a list of at least one of `'AMQPLAIN'`, `'EXTERNAL'`, `'PLAIN'`, `'RABBIT-CR-DEMO'`",
                "48..56 `rabbit > ssl_listeners` takes a list of ports or of `{\"address\", port}`",
                "75..79 `rabbit > ssl_listeners` takes a list of ports or of `{\"address\", port}`",
                "108..127 `rabbit > ssl_options > versions` takes a list of at least one of `'tlsv1.3'`, `'tlsv1.2'`, `'tlsv1.1'`, `tlsv1`",
                "139..143 `rabbit > ssl_options > verify` takes one of `verify_peer`, `verify_none`",
            ],
        );
        check(
            "[{log, [{categories, [{connection, [{level, verbose}]}, {conection, []}, connection]}]}, {default_vhost, \"/\"}]",
            &[
                "44..51 `rabbit > log > categories > connection > level` takes one of `debug`, `info`, `notice`, `warning`, `error`, `critical`, `alert`, `emergency`, `none`",
                "68..70 `rabbit > log > categories` has no key `conection` in RabbitMQ 3.8, so the broker would ignore it",
                "73..83 `rabbit > log > categories` takes a list of `{key, value}`",
                "105..108 `rabbit > default_vhost` takes a binary such as `<<\"/\">>`",
            ],
        );
    }
}
