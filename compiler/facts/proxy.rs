//! The reverse proxy as templates see it.
//!
//! This module must not know templates or nginx.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    SMART_RULES_MESSAGE_SIZE, SMART_RULES_RECEIVE_SECONDS, ciphers, names, smart_rules_message_size,
};
use crate::inventory::model::{BalancerKind, Inventory, TlsProtocol};
use crate::inventory::web;

/// The reverse proxy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProxyFacts {
    /// The name clients use.
    pub fqdn: String,
    /// TLS port.
    pub https_port: u16,
    /// Whether `https_port` is 443.
    pub standard_port: bool,
    /// Port of the plain listener on 127.0.0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_port: Option<u16>,
    /// Empty for 443, else `:PORT` (DEF-7).
    pub port_suffix: String,
    /// `https://fqdn[:port]`.
    pub origin: String,
    /// Folder of the proxy package.
    pub root: String,
    /// Every host allowed as CORS origin (CORS-1, DEF-32), lower case, each once.
    pub cors_hosts: Vec<String>,
    /// Every name the TLS server answers to (DEF-33), lower case, each once.
    pub server_names: Vec<String>,
    /// TLS versions.
    pub tls_protocols: Vec<TlsProtocol>,
    /// TLS 1.2 suites, so that every Windows release among the servers shares one.
    pub ciphers: Vec<String>,
    /// Whether Configuration Management paths get a trailing slash (DEF-31).
    pub config_trailing_slash: bool,
    /// Name of its Windows service, as key or as the panel shows it (DEF-110).
    pub service_name: String,
    /// What stands in front of several Management servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancer: Option<BalancerFacts>,
    /// Seconds a component may take for an answer.
    pub read_timeout: u32,
    /// Largest request in bytes.
    pub largest_request: u32,
}

/// What stands in front of several Management servers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BalancerFacts {
    /// Whether it is a name with several addresses only.
    pub is_dns: bool,
    /// Who can change it.
    pub owner: String,
    /// What it asks to find out whether a server lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_probe: Option<String>,
    /// Whether it keeps one client at one server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<bool>,
}

/// Everything about the proxy.
pub(super) fn proxy_facts(inventory: &Inventory) -> ProxyFacts {
    let proxy = &inventory.proxy;
    let port_suffix = web::https_suffix(proxy.https_port);
    ProxyFacts {
        fqdn: proxy.fqdn.clone(),
        https_port: proxy.https_port,
        standard_port: proxy.https_port == web::HTTPS,
        http_port: proxy.http_port,
        origin: format!("https://{}{port_suffix}", proxy.fqdn),
        port_suffix,
        root: format!(r"{}\proxy", inventory.product.install_root),
        cors_hosts: names::origins(inventory),
        server_names: names::proxy_names(inventory),
        tls_protocols: proxy.tls_protocols.clone(),
        ciphers: ciphers::suites(
            &inventory
                .servers
                .iter()
                .map(|server| server.windows)
                .collect::<Vec<_>>(),
        )
        .into_iter()
        .map(str::to_owned)
        .collect(),
        config_trailing_slash: proxy.config_trailing_slash,
        balancer: proxy.balancer.as_ref().map(|balancer| BalancerFacts {
            is_dns: balancer.kind == BalancerKind::Dns,
            owner: balancer.owner.clone(),
            health_probe: balancer.health_probe.clone(),
            affinity: balancer.affinity,
        }),
        service_name: proxy
            .service_name
            .clone()
            .unwrap_or_else(|| "VHT Reverse Proxy".to_owned()),
        read_timeout: proxy.read_timeout.unwrap_or(SMART_RULES_RECEIVE_SECONDS),
        largest_request: proxy
            .largest_request
            .unwrap_or_else(|| smart_rules_message_size(inventory).max(SMART_RULES_MESSAGE_SIZE)),
    }
}
