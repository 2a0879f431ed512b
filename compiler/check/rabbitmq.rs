//! RabbitMQ: who logs in, with which certificate, and what the settings cost (DEF-71, DEF-76 to DEF-79, DEF-82,
//! DEF-89, DEF-96).

use std::collections::BTreeSet;

use super::problem::Problems;
use super::{View, server_pointer, some_servers};
use crate::codes;
use crate::inventory::model::{LogLevel, RabbitMq, Server, UserTag};

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    let Some(rabbitmq) = &view.inventory.rabbitmq else {
        for (index, server) in view.servers().filter(|(_, server)| server.rabbitmq.is_some()) {
            problems
                .at_key(
                    codes::SERVER_RABBITMQ_UNUSED,
                    server_pointer(index, "/rabbitmq"),
                    format!(
                        "`{}` describes RabbitMQ, but the installation does not",
                        server.name
                    ),
                )
                .help("add the section `rabbitmq` to the inventory, or remove this one");
        }
        overrides(view, problems);
        return;
    };
    login_names(view, rabbitmq, problems);
    settings(rabbitmq, problems);
    certificates(view, problems);
}

/// DEF-69: names of files that only the section `rabbitmq` makes.
fn overrides(view: &View<'_>, problems: &mut Problems) {
    let overrides = &view.inventory.overrides;
    for (field, name) in [
        ("rabbitmq_config_file", &overrides.rabbitmq_config_file),
        ("rabbitmq_json_file", &overrides.rabbitmq_json_file),
    ] {
        if name.is_none() {
            continue;
        }
        problems
            .at(
                codes::OVERRIDE_UNUSED,
                format!("/overrides/{field}"),
                format!("`overrides.{field}` has no effect, because the inventory has no section `rabbitmq`"),
            )
            .note("without that section the bundle changes no file of RabbitMQ, so none needs a name")
            .help("add the section `rabbitmq`, or remove the override");
    }
}

/// Where a login name is written, and what it is.
pub(super) struct LoginName<'a> {
    pub(super) pointer: String,
    pub(super) value: &'a str,
    pub(super) is_subject: bool,
}

/// Every login name of the inventory, in order.
pub(super) fn all_login_names<'a>(view: &View<'a>) -> Vec<LoginName<'a>> {
    let mut names = Vec::new();
    let mut add = |section: String, common_name: Option<&'a String>, subject: Option<&'a String>| {
        for (field, value) in [("common_name", common_name), ("subject", subject)] {
            names.extend(value.map(|value| LoginName {
                pointer: format!("{section}/{field}"),
                value,
                is_subject: field == "subject",
            }));
        }
    };
    if let Some(rabbitmq) = &view.inventory.rabbitmq {
        add(
            "/rabbitmq".into(),
            rabbitmq.common_name.as_ref(),
            rabbitmq.subject.as_ref(),
        );
        for (index, own) in view.brokers() {
            add(
                server_pointer(index, "/rabbitmq"),
                own.common_name.as_ref(),
                own.subject.as_ref(),
            );
        }
    }
    names
}

/// Exactly one of the two forms for every server; a server's own form replaces the common one.
fn login_names(view: &View<'_>, rabbitmq: &RabbitMq, problems: &mut Problems) {
    let mut both = |section: &str| {
        problems
            .at(
                codes::LOGIN_NAME_TWICE,
                format!("{section}/subject"),
                "`common_name` and `subject` are given together",
            )
            .related(format!("{section}/common_name"), "the other one")
            .note("RabbitMQ takes the user name from the Common Name or from the whole subject, never both (DEF-76)")
            .help("keep `common_name` when the certificate has one, else `subject`");
    };
    if rabbitmq.common_name.is_some() && rabbitmq.subject.is_some() {
        both("/rabbitmq");
    }
    for (index, own) in view.brokers() {
        if own.common_name.is_some() && own.subject.is_some() {
            both(&server_pointer(index, "/rabbitmq"));
        }
    }
    if rabbitmq.common_name.is_none() && rabbitmq.subject.is_none() {
        let names_nobody = |server: &Server| {
            let mut own = server.rabbitmq.iter();
            own.all(|own| own.common_name.is_none() && own.subject.is_none())
        };
        let without: Vec<_> = view
            .servers()
            .filter(|(_, server)| names_nobody(server))
            .collect();
        if !without.is_empty() {
            problems
                .at_key(
                    codes::LOGIN_NAME_MISSING,
                    "/rabbitmq",
                    format!(
                        "neither `common_name` nor `subject` is given for {}",
                        some_servers(&without)
                    ),
                )
                .note("the brokers would have no user for these certificates, and every login fails (DEF-77)")
                .help("add `common_name`, or `subject` for certificates without one");
        }
    }
}

fn settings(rabbitmq: &RabbitMq, problems: &mut Problems) {
    if let Some(index) = rabbitmq
        .user_tags
        .iter()
        .position(|tag| *tag == UserTag::Administrator)
    {
        problems
            .at(
                codes::ADMINISTRATOR_TAG,
                format!("/rabbitmq/user_tags/{index}"),
                "certificate users become administrators of RabbitMQ",
            )
            .note("the guide sets this tag; federation needs none (DEF-89)")
            .help("write `user_tags: [monitoring]` if nothing manages the broker with a certificate");
    }
    if rabbitmq.log_level == LogLevel::Debug {
        problems
            .at(
                codes::DEBUG_LOG,
                "/rabbitmq/log_level",
                "RabbitMQ logs every connection in detail",
            )
            .note("the guide leaves this on for good; the log grows with every heartbeat (DEF-79)")
            .help("use `info`, and `debug` only while you look for a mistake");
    }
    if rabbitmq.disable_management_plugin {
        problems
            .at(
                codes::MANAGEMENT_PLUGIN_OFF,
                "/rabbitmq/disable_management_plugin",
                "five components lose their access to the management plugin",
            )
            .note(
                "System Management API, Notification Server, Platform ToolKit, Peripheral Monitor and Core Monitor \
                 use port 15672 (PORT-17, DEF-71)",
            )
            .help("ask the vendor before you switch the plugin off; the last step of the runbook does it");
    }
}

/// DEF-96: clients check the short name of a broker (as SNI), Callback's own client the short name or the fqdn.
fn certificates(view: &View<'_>, problems: &mut Problems) {
    let targets: BTreeSet<&str> = view
        .brokers()
        .flat_map(|(_, own)| own.upstreams.iter().map(|upstream| upstream.server.as_str()))
        .collect();
    let mut unknown: Vec<(usize, &Server)> = Vec::new();
    for (index, server) in view.servers() {
        let targeted = targets.contains(server.name.as_str());
        let names = server
            .rabbitmq
            .as_ref()
            .and_then(|own| own.certificate_names.as_ref());
        let Some(names) = names else {
            if targeted {
                unknown.push((index, server));
            }
            continue;
        };
        let short = names.iter().any(|name| covers(name, &server.name));
        let full = names.iter().any(|name| covers(name, &server.fqdn));
        let pointer = server_pointer(index, "/rabbitmq/certificate_names");
        if !short && (targeted || !full) {
            problems
                .at(
                    codes::CERTIFICATE_LACKS_NAME,
                    pointer,
                    format!("the broker certificate of `{0}` does not name `{0}`", server.name),
                )
                .related(server_pointer(index, "/name"), "the short name")
                .note("other brokers connect by the short name and check it, so the handshake fails (DEF-96)")
                .help("have the certificate issued with the short name and the fqdn as subject alternative names");
        } else if !full {
            problems
                .at(
                    codes::CERTIFICATE_LACKS_FQDN,
                    pointer,
                    format!(
                        "the broker certificate of `{}` does not name `{}`",
                        server.name, server.fqdn
                    ),
                )
                .related(server_pointer(index, "/fqdn"), "the fqdn")
                .note("a client that connects by the fqdn refuses the certificate (DEF-82)")
                .help("have the certificate issued with both names");
        }
    }
    if let Some((index, _)) = unknown.first() {
        problems
            .at_key(
                codes::CERTIFICATE_NAMES_UNKNOWN,
                server_pointer(*index, "/rabbitmq"),
                format!(
                    "the names in the broker certificate of {} are not given, so they cannot be checked",
                    some_servers(&unknown)
                ),
            )
            .note("the certificate must name the short name of its server, or federation fails (DEF-96)")
            .help("copy the output of `openssl x509 -noout -ext subjectAltName -in server_certificate.pem` to `certificate_names`")
            .servers(unknown.iter().map(|(index, _)| *index));
    }
}

/// Whether a name in a certificate covers a host name; `*` stands for one whole label (RFC 6125, section 6.4.3).
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(host),
        Some(domain) => host
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn wildcards_cover_one_label() {
        for (pattern, host, expected) in [
            ("CORE01", "core01", true),
            ("*.acme.example", "core01.acme.example", true),
            ("*.acme.example", "a.b.acme.example", false),
            ("*.acme.example", "acme.example", false),
            ("core02", "core01", false),
        ] {
            assert_eq!(covers(pattern, host), expected, "{pattern} {host}");
        }
    }
}
