//! What templates see: every value derived from the inventory, computed once.
//!
//! Templates do no arithmetic and no string building beyond quoting; whatever needs a rule (a port suffix, a federation
//! URI, who may log in where) is computed here from a checked inventory. This module must not know the template
//! engine, and nothing in it may be null: a value that is not set is left out.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::artifact::Role;
use crate::contract::manifest::Window;
use crate::inventory::model::{
    CertificateKind, Integration, Inventory, Server, SqlAccess, SqlAuthentication, WindowsVersion,
    XFrameOptions,
};

pub use broker::{BrokerUser, RabbitMqFacts, ServerRabbitMqFacts, UpstreamFacts};
pub use proxy::{BalancerFacts, ProxyFacts};

use broker::{Users, identity, rabbitmq_facts, server_rabbitmq_facts, users};
use proxy::proxy_facts;

/// The values of one installation that every template sees.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Facts {
    /// Name and version of the bundle.
    pub bundle: BundleFacts,
    /// The product and its folders.
    pub product: ProductFacts,
    /// The reverse proxy.
    pub proxy: ProxyFacts,
    /// The proxy's certificate.
    pub certificate: CertificateFacts,
    /// Internet Information Services.
    pub iis: IisFacts,
    /// SQL Server.
    pub sql: SqlFacts,
    /// Protocol versions of Windows.
    pub windows_tls: WindowsTlsFacts,
    /// RabbitMQ; absent when it is not secured by this bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rabbitmq: Option<RabbitMqFacts>,
    /// Ports and firewall.
    pub network: NetworkFacts,
    /// Values that may replace what the guide prints, with defaults filled in.
    pub overrides: OverrideFacts,
    /// Which kinds of servers there are.
    pub topology: TopologyFacts,
    /// Every server in inventory order.
    pub servers: Vec<ServerFacts>,
}

/// Which kinds of servers there are, for conditions of the catalogue and of steps.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent question a condition asks"
)]
pub struct TopologyFacts {
    /// A server is Core and Management (REG-1).
    pub has_combined: bool,
    /// A Core server is not a Management server (REG-2, NGX-6).
    pub has_separate_core: bool,
    /// There is more than one Management server.
    pub several_management: bool,
    /// This bundle disables the RabbitMQ management plugin (RMQ-1).
    pub management_plugin_disabled: bool,
    /// A client certificate of RabbitMQ has a Common Name (RMQ-13, RMQ-19).
    pub has_common_name: bool,
    /// A client certificate of RabbitMQ has none (RMQ-18, DEF-76).
    pub has_no_common_name: bool,
}

/// Name and version of the bundle.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BundleFacts {
    /// Bundle name.
    pub name: String,
    /// Bundle version.
    pub version: String,
    /// Change number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Change window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Whether the program comes along in the bundle.
    pub has_tool: bool,
}

/// The product and its folders.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProductFacts {
    /// Product version.
    pub version: String,
    /// Whether the version is 9.5.3 or later (CFG-10, CFG-11).
    pub at_least_9_5_3: bool,
    /// Product folder.
    pub install_root: String,
    /// Folder of the web applications.
    pub publish_root: String,
    /// Folder of the Smart Rules Engine service.
    pub smart_rules_root: String,
    /// Folder of Core Monitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_monitor_root: Option<String>,
    /// High availability.
    pub high_availability: bool,
    /// Agent Priority.
    pub agent_priority: bool,
}

/// The proxy's certificate.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CertificateFacts {
    /// Who issued it.
    pub kind: CertificateKind,
    /// Whether it is self-signed.
    pub self_signed: bool,
    /// Exported file.
    pub pfx: String,
}

/// Internet Information Services.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IisFacts {
    /// Site name.
    pub site: String,
    /// X-Frame-Options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_frame_options: Option<XFrameOptions>,
    /// Custom error page wanted.
    pub custom_error_page: bool,
    /// Absolute URL of the error page (DEF-102).
    pub error_page_url: String,
}

/// SQL Server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SqlFacts {
    /// Release.
    pub version: u16,
    /// Server and instance.
    pub server: String,
    /// ODBC driver name.
    pub driver: String,
    /// Whether OLE DB access is configured.
    pub has_ole: bool,
    /// OLE DB connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ole: Option<OleFacts>,
    /// Configuration database.
    pub config_database: String,
    /// Reporting database.
    pub report_database: String,
    /// Table of web service paths.
    pub ws_configuration: crate::inventory::model::WsConfigurationNames,
    /// Table of application settings.
    pub application_settings: crate::inventory::model::ApplicationSettingsNames,
    /// Whether any of these names is a default the guide does not confirm (DEF-67).
    pub names_are_assumed: bool,
}

/// OLE DB connection of the reporting database.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OleFacts {
    /// Provider.
    pub provider: String,
    /// Windows authentication, else SQL.
    pub windows_authentication: bool,
    /// SQL login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Name of the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
    /// Whether encryption is asked for.
    pub encrypt: bool,
}

/// Protocol versions of Windows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WindowsTlsFacts {
    /// Whether old protocols are switched off.
    pub disable_legacy_protocols: bool,
}

/// Ports and firewall.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NetworkFacts {
    /// Whether firewall scripts are wanted.
    pub firewall: bool,
    /// Addresses of the Callback servers, when the inventory gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_addresses: Option<Vec<String>>,
    /// Third-party systems.
    pub integrations: Vec<Integration>,
    /// Ports of Erlang virtual machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erlang_ports: Option<ErlangPorts>,
}

/// First and last port of the Erlang range.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErlangPorts {
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
}

/// Values that may replace what the guide prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OverrideFacts {
    /// NoAccessPage in e-mails (DEF-48).
    pub no_access_page_url: String,
    /// VHQWatchWS for the Smart Rules Engine (DEF-50).
    pub smart_rules_endpoint_url: String,
    /// Message size in bytes (DEF-51).
    pub smart_rules_max_message_size: u32,
    /// How long the Smart Rules Engine waits for an answer, as `hh:mm:ss` (CFG-7).
    pub smart_rules_receive_timeout: String,
}

/// One server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ServerFacts {
    /// Windows host name.
    pub name: String,
    /// FQDN.
    pub fqdn: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// Has the Core role.
    pub is_core: bool,
    /// Has the Management role.
    pub is_management: bool,
    /// Has both.
    pub is_combined: bool,
    /// Windows Server release.
    pub windows: WindowsVersion,
    /// .NET Framework version.
    pub dotnet: String,
    /// The number Windows keeps for that release.
    pub dotnet_release: dotnet::Release,
    /// `https://` address of the proxy on this server by its own name, where a dead one cannot hide behind its twin.
    pub own_origin: String,
    /// Proxy this server uses.
    pub proxy_fqdn: String,
    /// `https://` URL of that proxy without a path.
    pub proxy_origin: String,
    /// VHQMWSPATH of this server (REG-1, REG-2).
    pub vhqmws_url: String,
    /// Names the certificate of the proxy on this server has to be made for; empty on a server without the proxy.
    pub certificate_names: Vec<String>,
    /// Its ports.
    pub ports: Vec<ports::PortRow>,
    /// Its broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rabbitmq: Option<ServerRabbitMqFacts>,
}

mod broker;
pub mod ciphers;
pub mod dotnet;
pub mod federation;
pub mod names;
pub mod plan_view;
pub mod ports;
mod proxy;
pub mod topology;

impl Facts {
    /// Derives everything from a checked inventory. Linear in the number of servers and upstreams.
    pub fn derive(inventory: &Inventory) -> Self {
        let Inventory {
            bundle,
            product,
            certificate,
            iis,
            network,
            overrides,
            ..
        } = inventory;
        let root = product.install_root.as_str();
        let proxy = proxy_facts(inventory);
        let error_page_url = format!("{}/EyeQueue/EyeQErrorPage.aspx", proxy.origin);
        let smart_rules_endpoint = format!("{}/VHQWatchWS/VHQWatchWS.asmx", proxy.origin);
        let users = users(inventory);
        Self {
            bundle: BundleFacts {
                name: bundle.name.clone(),
                version: bundle.version.clone(),
                change: bundle.change.clone(),
                window: bundle.window.as_ref().map(|window| Window {
                    start: window.start.clone(),
                    end: window.end.clone(),
                }),
                has_tool: bundle.tool.is_some(),
            },
            product: ProductFacts {
                version: product.version.clone(),
                at_least_9_5_3: version_numbers(&product.version) >= [9, 5, 3],
                install_root: root.to_owned(),
                publish_root: format!(r"{root}\VirtualHoldPub"),
                smart_rules_root: product
                    .smart_rules_root
                    .clone()
                    .unwrap_or_else(|| format!(r"{root}\SmartRules")),
                core_monitor_root: product.core_monitor_root.clone(),
                high_availability: product.high_availability,
                agent_priority: product.agent_priority,
            },
            certificate: CertificateFacts {
                kind: certificate.kind,
                self_signed: certificate.kind == CertificateKind::SelfSigned,
                pfx: certificate.pfx.clone(),
            },
            iis: IisFacts {
                site: iis.site.clone(),
                x_frame_options: iis.x_frame_options,
                custom_error_page: iis.custom_error_page,
                error_page_url,
            },
            sql: sql_facts(inventory),
            windows_tls: WindowsTlsFacts {
                disable_legacy_protocols: inventory.windows_tls.disable_legacy_protocols,
            },
            rabbitmq: inventory
                .rabbitmq
                .as_ref()
                .map(|broker| rabbitmq_facts(inventory, broker)),
            network: NetworkFacts {
                firewall: network.firewall,
                callback_addresses: network.callback_addresses.clone(),
                integrations: network.integrations.clone(),
                erlang_ports: network.erlang_ports.map(|range| ErlangPorts {
                    first: range.first,
                    last: range.first.saturating_add(range.count.saturating_sub(1)),
                }),
            },
            overrides: OverrideFacts {
                no_access_page_url: overrides
                    .no_access_page_url
                    .clone()
                    .unwrap_or_else(|| "http://127.0.0.1/EyeQueue/NoAccessPage".into()),
                smart_rules_endpoint_url: overrides
                    .smart_rules_endpoint_url
                    .clone()
                    .unwrap_or(smart_rules_endpoint),
                smart_rules_max_message_size: smart_rules_message_size(inventory),
                smart_rules_receive_timeout: clock(SMART_RULES_RECEIVE_SECONDS),
            },
            topology: topology_facts(inventory),
            servers: inventory
                .servers
                .iter()
                .map(|server| server_facts(inventory, server, &proxy, &users))
                .collect(),
            proxy,
        }
    }
}

/// How long the Smart Rules Engine waits for an answer (CFG-7); the proxy between must not give up before.
pub const SMART_RULES_RECEIVE_SECONDS: u32 = 25 * 60;

/// Largest message of the Smart Rules Engine in the guide, in bytes (CFG-7).
const SMART_RULES_MESSAGE_SIZE: u32 = 10_485_760;

fn smart_rules_message_size(inventory: &Inventory) -> u32 {
    inventory
        .overrides
        .smart_rules_max_message_size
        .unwrap_or(SMART_RULES_MESSAGE_SIZE)
}

/// Seconds as `hh:mm:ss`.
fn clock(seconds: u32) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn topology_facts(inventory: &Inventory) -> TopologyFacts {
    let servers = || inventory.servers.iter();
    let is_management = |server: &&Server| server.has(Role::Management);
    let mut cores = servers().filter(|server| server.has(Role::Core));
    let brokers = inventory.rabbitmq.iter();
    let common_names: BTreeSet<bool> = brokers
        .flat_map(|broker| servers().map(move |server| identity(broker, server).0.is_some()))
        .collect();
    TopologyFacts {
        has_combined: cores.clone().any(|server| is_management(&server)),
        has_separate_core: cores.any(|server| !is_management(&server)),
        several_management: servers().filter(is_management).count() > 1,
        management_plugin_disabled: inventory
            .rabbitmq
            .as_ref()
            .is_some_and(|broker| broker.disable_management_plugin),
        has_common_name: common_names.contains(&true),
        has_no_common_name: common_names.contains(&false),
    }
}

fn sql_facts(inventory: &Inventory) -> SqlFacts {
    let sql = &inventory.sql;
    let has_ole = sql.access.contains(&SqlAccess::Ole);
    SqlFacts {
        version: sql.version,
        server: sql.server.clone(),
        driver: sql.driver.clone(),
        has_ole,
        ole: sql.ole.as_ref().filter(|_| has_ole).map(|ole| OleFacts {
            provider: ole.provider.clone(),
            windows_authentication: ole.authentication == SqlAuthentication::Windows,
            user: ole.user.clone(),
            password_secret: ole.password.as_ref().map(|password| password.secret.clone()),
            encrypt: ole.encrypt,
        }),
        config_database: sql.config_database.clone(),
        report_database: sql.report_database.clone(),
        ws_configuration: sql.names.ws_configuration.clone(),
        application_settings: sql.names.application_settings.clone(),
        names_are_assumed: sql.names == crate::inventory::model::SqlNames::default(),
    }
}

fn server_facts(inventory: &Inventory, server: &Server, proxy: &ProxyFacts, users: &Users) -> ServerFacts {
    let is_core = server.has(Role::Core);
    let is_management = server.has(Role::Management);
    let proxy_fqdn = server.proxy.clone().unwrap_or_else(|| proxy.fqdn.clone());
    let proxy_origin = format!("https://{proxy_fqdn}{}", proxy.port_suffix);
    let vhqmws_url = if is_management {
        "http://127.0.0.1/VHQMWS/VHQMWS.asmx".to_owned()
    } else {
        format!("{proxy_origin}/VHQMWS/VHQMWS.asmx")
    };
    ServerFacts {
        name: server.name.clone(),
        fqdn: server.fqdn.clone(),
        roles: server.roles.clone(),
        is_core,
        is_management,
        is_combined: is_core && is_management,
        windows: server.windows,
        dotnet: server.dotnet.clone(),
        dotnet_release: dotnet::release(&server.dotnet),
        own_origin: format!("https://{}{}", server.fqdn, proxy.port_suffix),
        proxy_fqdn,
        proxy_origin,
        vhqmws_url,
        certificate_names: if is_management {
            names::certificate_names(inventory, server)
        } else {
            Vec::new()
        },
        ports: ports::ports(inventory, server),
        rabbitmq: inventory
            .rabbitmq
            .as_ref()
            .map(|broker| server_rabbitmq_facts(broker, server, users)),
    }
}

/// The three numbers of a product version; anything else counts as zero (the schema refuses it earlier).
pub fn version_numbers(version: &str) -> [u32; 3] {
    let mut numbers = [0; 3];
    for (slot, part) in numbers.iter_mut().zip(version.split('.')) {
        *slot = part.parse().unwrap_or(0);
    }
    numbers
}
