//! The part of the inventory about RabbitMQ, of the whole installation and of one server.
//!
//! As in the file above, a doc comment is what an author sees while typing. This module must not know YAML or positions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// RabbitMQ over TLS with certificate login.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RabbitMq {
    /// Broker version, part of its folder name.
    #[serde(default = "default_rabbitmq_version")]
    #[schemars(extend("format" = "cbgen-rabbitmq-version"))]
    pub version: String,
    /// Folder of the seven certificate files on each node; a server may override it.
    #[schemars(example = &r"C:\certs\rabbitmq")]
    #[schemars(extend("format" = "cbgen-windows-folder"))]
    pub certificates: String,
    /// Common Name of the client certificates; exactly one of this and `subject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[schemars(example = &"callback-mq")]
    pub common_name: Option<String>,
    /// RFC 4514 subject of client certificates without a Common Name (DEF-76, DEF-77).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[schemars(example = &"OU=Callback,O=Acme,C=US")]
    pub subject: Option<String>,
    /// TLS port of the broker.
    #[serde(default = "default_amqps_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// How many intermediates may stand between leaf and root; `null` leaves it to Erlang.
    #[serde(default = "default_depth")]
    #[schemars(range(min = 0, max = 10))]
    pub depth: Option<u8>,
    /// Log level of connections (DEF-78, DEF-79).
    #[serde(default)]
    pub log_level: LogLevel,
    /// Tags of the certificate users (DEF-89).
    #[serde(default = "default_user_tags")]
    #[schemars(extend("uniqueItems" = true))]
    pub user_tags: Vec<UserTag>,
    /// Whether to disable the management plugin in the last step (DEF-71).
    #[serde(default)]
    pub disable_management_plugin: bool,
    /// Settings of the existing `rabbitmq.config` that stay, by name; given, every other setting this bundle does not make
    /// stops the change before it begins. Absent, all of them stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("uniqueItems" = true, "items" = serde_json::json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})))]
    #[schemars(example = serde_json::json!(["tcp_listen_options"]))]
    pub keep: Option<Vec<String>>,
    /// Settings of the existing `rabbitmq.config` that go, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true, "items" = serde_json::json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})))]
    #[schemars(example = serde_json::json!(["loopback_users"]))]
    pub drop: Vec<String>,
}

fn default_rabbitmq_version() -> String {
    "3.8.1".into()
}

fn default_amqps_port() -> u16 {
    5671
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "serde wants a default of the field's own type"
)]
fn default_depth() -> Option<u8> {
    Some(2)
}

fn default_user_tags() -> Vec<UserTag> {
    vec![UserTag::Administrator]
}

/// Log level of RabbitMQ connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Everything; for troubleshooting only.
    Debug,
    /// Normal operation.
    #[default]
    Info,
    /// Only what may need attention.
    Warning,
    /// Only failures.
    Error,
}

/// A RabbitMQ user tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserTag {
    /// Everything. What the guide sets; more than federation needs.
    Administrator,
    /// Read access to monitoring.
    Monitoring,
    /// Policies and parameters.
    Policymaker,
    /// The management pages.
    Management,
}

/// RabbitMQ on one server.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerRabbitMq {
    /// Folder of the certificate files, when it differs on this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-windows-folder"))]
    #[schemars(example = &r"D:\certs\rabbitmq")]
    pub certificates: Option<String>,
    /// Common Name of this server's client certificate, when it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[schemars(example = &"callback-mq")]
    pub common_name: Option<String>,
    /// RFC 4514 subject of this server's client certificate, when it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[schemars(example = &"OU=Callback,O=Acme,C=US")]
    pub subject: Option<String>,
    /// Names in this server's certificate (subject alternative names), to check the federation graph against: the short name, by which other
    /// brokers connect, and the FQDN (DEF-96).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("uniqueItems" = true))]
    #[schemars(example = serde_json::json!(["core01", "core01.acme.example"]))]
    pub certificate_names: Option<Vec<String>>,
    /// Federation upstreams: the brokers this server's broker connects to, each as `rabbitmqctl list_parameters -p /` shows it there.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
}

/// One federation upstream.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Name as the broker lists it (RMQ-14).
    #[schemars(example = &"core02-upstream")]
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Server of this inventory it connects to.
    #[schemars(example = &"CORE02")]
    pub server: String,
    /// Further keys of the upstream's definition that must survive, for example `prefetch-count` (DEF-95).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "keep_schema")]
    #[schemars(example = serde_json::json!({ "prefetch-count": 500 }))]
    pub keep: BTreeMap<UpstreamKey, serde_json::Value>,
}

/// Schema of [`Upstream::keep`]: a derived one would take any key.
fn keep_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let keys = generator.subschema_for::<UpstreamKey>();
    schemars::json_schema!({
        "type": "object",
        "propertyNames": keys,
        "additionalProperties": { "type": ["string", "integer", "boolean"] }
    })
}

/// Optional keys of a federation upstream in RabbitMQ 3.8.1, without those the guide sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamKey {
    /// Messages in flight.
    PrefetchCount,
    /// Seconds before a new attempt.
    ReconnectDelay,
    /// Milliseconds a message may wait upstream.
    MessageTtl,
    /// Name of the upstream exchange.
    Exchange,
    /// Name of the upstream queue.
    Queue,
    /// Consumer tag.
    ConsumerTag,
    /// Mirroring policy of the internal queue.
    HaPolicy,
    /// Whether bindings wait for an answer.
    BindNowait,
}
