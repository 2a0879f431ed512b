//! The phases of a change, in the order of the runbook.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A phase of the change window. The order is the order of work: callers are led elsewhere before the first path dies,
/// RabbitMQ's commands run while Callback is stopped and the broker still runs with its old files (DEF-87), the proxy
/// starts only after IIS has let go of its port (DEF-22), everything restarts once, and old protocols go only after
/// drivers and database are known to speak TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Prerequisites and the check of the bundle itself.
    Prepare,
    /// Certificate, key and trust stores.
    Certificate,
    /// Proxy package and its configuration, not yet started.
    Proxy,
    /// Callers are led elsewhere and Callback stops: the window begins.
    Stop,
    /// RabbitMQ over TLS.
    Rabbitmq,
    /// Database content.
    Database,
    /// Registry values, TLS versions of Windows and .NET, firewall rules.
    Registry,
    /// TLS versions of Windows and .NET, where a template keeps them apart from the registry.
    WindowsTls,
    /// Firewall rules, where a template keeps them apart from the registry.
    Firewall,
    /// Configuration files of Callback components.
    Components,
    /// IIS bindings, and the first start of the proxy after IIS let go of its port.
    Iis,
    /// First start of the proxy, where a template keeps it apart from IIS.
    ProxyStart,
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
        Self::Stop,
        Self::Rabbitmq,
        Self::Database,
        Self::Registry,
        Self::WindowsTls,
        Self::Firewall,
        Self::Components,
        Self::Iis,
        Self::ProxyStart,
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
            Self::Stop => "stop",
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
            Self::Certificate => "Certificate",
            Self::Proxy => "Trust and proxy, not yet started",
            Self::Stop => "Callers away, Callback stops",
            Self::Database => "Database",
            Self::Registry => "Registry, TLS versions and firewall",
            Self::Components => "Configuration files",
            Self::Iis => "IIS lets go, the proxy starts",
            Self::Firewall => "Firewall",
            Self::ProxyStart => "Clients reach the proxy",
            Self::Rabbitmq => "RabbitMQ over TLS",
            Self::WindowsTls => "TLS versions of Windows",
            Self::Restart => "Restart",
            Self::Hardening => "Hardening",
            Self::Verify => "Verify",
        }
    }

    /// Whether it is done inside the change window; what comes before can be done days earlier.
    pub fn in_window(self) -> bool {
        self >= Self::Stop
    }

    /// Whether every server must have finished what comes before, because servers or people at other places depend on
    /// it: nobody restarts or looks at the whole while a file is missing elsewhere.
    pub fn waits_for_all(self) -> bool {
        matches!(
            self,
            Self::Database | Self::Rabbitmq | Self::Restart | Self::Hardening | Self::Verify
        )
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
                "Servers learn to trust the proxy; it is installed but does not run yet: IIS may still hold its port. Users notice \
                 nothing."
            }
            Self::Stop => {
                "The change window begins. Callers and users are led elsewhere first; only then does anything stop."
            }
            Self::Database => "Callback is stopped: nobody reads these values before the restart.",
            Self::Registry => "Values take effect when the services and servers restart.",
            Self::Components => {
                "Keep a copy of each file outside the product folder before you touch it. Saving a web.config recycles its \
                 web application at once."
            }
            Self::Iis => "IIS lets go of the outside, and the proxy takes its port.",
            Self::Firewall => "Rules are added, none of yours is removed.",
            Self::ProxyStart => {
                "The name that clients use leads to the proxies. Pages come back with the services behind them."
            }
            Self::Rabbitmq => {
                "Callback is stopped everywhere, RabbitMQ keeps running until its commands are done; then its files change and \
                 it restarts."
            }
            Self::WindowsTls => {
                "Registry values that take effect with the restart of Windows in the next phase."
            }
            Self::Restart => {
                "Never all servers of a kind at once: the second half waits for the first. Services with the start type \
                 Automatic start with Windows, the others are started by hand."
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
