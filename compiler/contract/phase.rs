//! The phases of a change, in the order of the runbook.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A phase of the change window. The order is the order of work: the proxy starts only after IIS has let go of its port
/// (DEF-22), RabbitMQ's commands run while the broker still runs with its old files (DEF-87), and old protocols go only
/// after drivers and database are known to speak TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Prerequisites and the check of the bundle itself.
    Prepare,
    /// Certificate, key and trust stores.
    Certificate,
    /// Proxy package and its configuration, not yet started.
    Proxy,
    /// Database content.
    Database,
    /// Registry values.
    Registry,
    /// Configuration files of Callback components.
    Components,
    /// IIS bindings.
    Iis,
    /// Firewall rules.
    Firewall,
    /// First start of the proxy, after IIS let go of its port.
    ProxyStart,
    /// RabbitMQ over TLS.
    Rabbitmq,
    /// TLS versions of Windows and .NET.
    WindowsTls,
    /// Restart of services and servers.
    Restart,
    /// Hardening that is not needed for function.
    Hardening,
    /// Checks from a client's point of view.
    Verify,
}

impl Phase {
    /// Every phase, in the order of work.
    pub const ALL: &'static [Self] = &[
        Self::Prepare,
        Self::Certificate,
        Self::Proxy,
        Self::Database,
        Self::Registry,
        Self::Components,
        Self::Iis,
        Self::Firewall,
        Self::ProxyStart,
        Self::Rabbitmq,
        Self::WindowsTls,
        Self::Restart,
        Self::Hardening,
        Self::Verify,
    ];

    /// The name used in front matter and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
            Self::Database => "database",
            Self::Registry => "registry",
            Self::Components => "components",
            Self::Iis => "iis",
            Self::Firewall => "firewall",
            Self::ProxyStart => "proxy_start",
            Self::Rabbitmq => "rabbitmq",
            Self::WindowsTls => "windows_tls",
            Self::Restart => "restart",
            Self::Hardening => "hardening",
            Self::Verify => "verify",
        }
    }

    /// Heading in the runbook.
    pub fn title(self) -> &'static str {
        match self {
            Self::Prepare => "Prepare",
            Self::Certificate => "Certificate and trust",
            Self::Proxy => "Proxy, not yet started",
            Self::Database => "Database",
            Self::Registry => "Registry",
            Self::Components => "Configuration files",
            Self::Iis => "IIS bindings",
            Self::Firewall => "Firewall",
            Self::ProxyStart => "Start the proxy",
            Self::Rabbitmq => "RabbitMQ over TLS",
            Self::WindowsTls => "TLS versions of Windows",
            Self::Restart => "Restart",
            Self::Hardening => "Hardening",
            Self::Verify => "Verify",
        }
    }

    /// What the phase is for and what users notice, in one or two sentences.
    pub fn intro(self) -> &'static str {
        match self {
            Self::Prepare => {
                "Everything here can be done before the change window. Nothing on the servers changes; stop here if a \
                 check fails."
            }
            Self::Certificate => "Users notice nothing: files are added, no service changes.",
            Self::Proxy => {
                "The proxy is unpacked and configured but does not run yet: IIS may still hold its port. Users notice nothing."
            }
            Self::Database => {
                "The change window begins. From here until the restart, web pages and services may fail."
            }
            Self::Registry => "Values take effect when the services restart.",
            Self::Components => {
                "Keep a copy of each file outside the product folder before you touch it. Saving a web.config recycles its \
                 web application at once."
            }
            Self::Iis => {
                "IIS lets go of the outside. From here until the proxy runs, no web page is reachable."
            }
            Self::Firewall => "Rules are added, none of yours is removed.",
            Self::ProxyStart => "The web pages come back, now over HTTPS.",
            Self::Rabbitmq => {
                "Callback services stop, RabbitMQ keeps running until its commands are done; then its files change and it \
                 restarts."
            }
            Self::WindowsTls => {
                "Registry values that take effect with the restart of Windows in the next phase."
            }
            Self::Restart => {
                "Management servers first, then Core servers. Services start by themselves with Windows."
            }
            Self::Hardening => "Not needed for function; each step can be left out or undone alone.",
            Self::Verify => "Look at the installation as a user does. Only then close the change.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_data_and_the_order_is_the_order_of_work() {
        assert!(Phase::ALL.is_sorted());
        for phase in Phase::ALL {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.name());
        }
    }
}
