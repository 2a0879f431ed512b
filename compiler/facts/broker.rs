//! RabbitMQ as templates see it: what all brokers share, who may log in to each, where each connects to.
//!
//! This module must not know templates or files of a broker.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::federation::{FederationUri, federation_uri};
use crate::inventory::model::{Inventory, LogLevel, RabbitMq, Server, UpstreamKey, UserTag};
use crate::json;

/// RabbitMQ settings common to all nodes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RabbitMqFacts {
    /// Broker version.
    pub version: String,
    /// TLS port.
    pub port: u16,
    /// Certificate chain depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u8>,
    /// Connection log level.
    pub log_level: LogLevel,
    /// User tags.
    pub user_tags: Vec<UserTag>,
    /// Whether the management plugin goes.
    pub disable_management_plugin: bool,
    /// Settings of the old file that go.
    pub drop: Vec<String>,
    /// The same as one text, `none` when there is none.
    pub drop_list: String,
    /// Settings of the old file that are known, those that go among them, when the inventory says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_list: Option<String>,
    /// `install_root\RabbitMQ Server`.
    pub home: String,
    /// Folder of the command-line tools.
    pub sbin: String,
    /// Broker configuration file (DEF-69).
    pub config_path: String,
    /// Client configuration file (DEF-69).
    pub json_path: String,
}

/// The broker of one server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ServerRabbitMqFacts {
    /// Certificate folder.
    pub certificates: String,
    /// The same with forward slashes.
    pub certificates_slashed: String,
    /// Whether this server's certificate has a Common Name.
    pub has_common_name: bool,
    /// `ssl_cert_login_from` of this broker (DEF-76): how it names whoever connects. Its own server decides, since the
    /// checks refuse links between servers with and without a Common Name.
    pub login_from: String,
    /// Common Name of this server's client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// User name this server's certificate logs in with.
    pub login_user: String,
    /// Every user that may log in to this broker, sorted (DEF-91).
    pub users: Vec<BrokerUser>,
    /// Federation upstreams.
    pub upstreams: Vec<UpstreamFacts>,
}

/// A user of a broker.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BrokerUser {
    /// User name.
    pub name: String,
    /// Servers whose certificate gives this name.
    pub servers: Vec<String>,
}

/// A federation upstream.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UpstreamFacts {
    /// Name as the broker lists it.
    pub name: String,
    /// Server it connects to.
    pub server: String,
    /// Host name it connects to: the short name, as RMQ-18 wants it.
    pub host: String,
    /// Federation URI (RMQ-18, RMQ-19, DEF-93).
    pub uri: String,
    /// Whole definition as compact JSON (RMQ-17).
    pub definition: String,
}

/// Names as one argument of a command; `none` is no setting of RabbitMQ.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(",")
    }
}

/// What is common to all brokers.
pub(super) fn rabbitmq_facts(inventory: &Inventory, broker: &RabbitMq) -> RabbitMqFacts {
    let root = &inventory.product.install_root;
    let overrides = &inventory.overrides;
    let home = format!(r"{root}\RabbitMQ Server");
    let config_file = overrides
        .rabbitmq_config_file
        .as_deref()
        .unwrap_or("rabbitmq.config");
    let json_file = overrides
        .rabbitmq_json_file
        .as_deref()
        .unwrap_or("rabbitmq_config.json");
    RabbitMqFacts {
        version: broker.version.clone(),
        port: broker.port,
        depth: broker.depth,
        log_level: broker.log_level,
        user_tags: broker.user_tags.clone(),
        disable_management_plugin: broker.disable_management_plugin,
        drop: broker.drop.clone(),
        drop_list: listed(broker.drop.iter()),
        keep_list: broker
            .keep
            .as_ref()
            .map(|keep| listed(keep.iter().chain(&broker.drop))),
        sbin: format!(r"{home}\rabbitmq_server-{}\sbin", broker.version),
        config_path: format!(r"{home}\{config_file}"),
        json_path: format!(r"{root}\{json_file}"),
        home,
    }
}

/// The certificate identity of a server: its own when it states one, else the common one.
pub(super) fn identity<'a>(broker: &'a RabbitMq, server: &'a Server) -> (Option<&'a str>, &'a str) {
    let own = server
        .rabbitmq
        .as_ref()
        .map(|own| (own.common_name.as_deref(), own.subject.as_deref()));
    let (common_name, subject) = match own {
        Some((None, None)) | None => (broker.common_name.as_deref(), broker.subject.as_deref()),
        Some(own) => own,
    };
    // The checks refuse a server without a name; `why` asks what would come of one, and writes nothing.
    (common_name, common_name.or(subject).unwrap_or_default())
}

/// For each broker (by lower-case server name): user name to the servers that log in with it.
pub(super) type Users = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The users of every broker. A broker accepts its own server's components and every server that names it as upstream
/// (DEF-91).
pub(super) fn users(inventory: &Inventory) -> Users {
    let mut users = Users::new();
    let Some(broker) = &inventory.rabbitmq else {
        return users;
    };
    for server in &inventory.servers {
        let user = identity(broker, server).1.to_owned();
        let upstreams = server.rabbitmq.iter().flat_map(|own| &own.upstreams);
        let accepting = std::iter::once(&server.name).chain(upstreams.map(|upstream| &upstream.server));
        for accepting in accepting {
            users
                .entry(accepting.to_ascii_lowercase())
                .or_default()
                .entry(user.clone())
                .or_default()
                .insert(server.name.clone());
        }
    }
    users
}

/// What is true of the broker of one server.
pub(super) fn server_rabbitmq_facts(
    broker: &RabbitMq,
    server: &Server,
    users: &Users,
) -> ServerRabbitMqFacts {
    let (common_name, login_user) = identity(broker, server);
    let own = server.rabbitmq.as_ref();
    let certificates = own
        .and_then(|own| own.certificates.as_ref())
        .unwrap_or(&broker.certificates);
    let upstreams = own.into_iter().flat_map(|own| &own.upstreams);
    ServerRabbitMqFacts {
        certificates: certificates.clone(),
        certificates_slashed: certificates.replace('\\', "/"),
        has_common_name: common_name.is_some(),
        login_from: if common_name.is_some() {
            "common_name"
        } else {
            "distinguished_name"
        }
        .to_owned(),
        common_name: common_name.map(str::to_owned),
        login_user: login_user.to_owned(),
        users: users
            .get(&server.name.to_ascii_lowercase())
            .into_iter()
            .flatten()
            .map(|(name, servers)| BrokerUser {
                name: name.clone(),
                servers: servers.iter().cloned().collect(),
            })
            .collect(),
        upstreams: upstreams
            .map(|upstream| {
                let uri = federation_uri(&FederationUri::with_folder(
                    &upstream.server,
                    broker.port,
                    None,
                    certificates,
                ))
                // As above: what no address can hold is refused by the checks.
                .unwrap_or_default();
                UpstreamFacts {
                    name: upstream.name.clone(),
                    server: upstream.server.clone(),
                    host: upstream.server.clone(),
                    definition: upstream_definition(&uri, &upstream.keep),
                    uri,
                }
            })
            .collect(),
    }
}

/// The upstream's whole definition as compact JSON: what the guide sets (RMQ-17), then what must survive (DEF-95).
fn upstream_definition(uri: &str, keep: &BTreeMap<UpstreamKey, serde_json::Value>) -> String {
    let mut definition = serde_json::Map::new();
    definition.insert("uri".into(), uri.into());
    definition.insert("expires".into(), 300_000.into());
    definition.insert("max-hops".into(), 1.into());
    definition.insert("ack-mode".into(), "on-confirm".into());
    definition.insert("trust-user-id".into(), false.into());
    for (key, value) in keep {
        definition.insert(json::word(key), value.clone());
    }
    serde_json::Value::Object(definition).to_string()
}
