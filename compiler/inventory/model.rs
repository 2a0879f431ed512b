//! The inventory as typed data.
//!
//! These types are the inventory contract: the JSON Schema, the editor help and the typed reader all come from them.
//! A doc comment here is what an author sees while typing. This module must not know YAML, positions or checks that
//! look at more than one value; places are found by JSON pointer in the spanned tree next door.

mod broker;
mod sql;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::accept::Acceptance;
use crate::contract::artifact::Role;

pub use broker::{LogLevel, RabbitMq, ServerRabbitMq, Upstream, UpstreamKey, UserTag};
pub use sql::{
    ApplicationSettingsNames, Ole, SecretReference, Sql, SqlAccess, SqlAuthentication, SqlNames,
    WsConfigurationNames,
};

/// One on-premise Callback installation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Version of the inventory format.
    #[schemars(example = &"cbgen/v1")]
    pub schema: SchemaVersion,
    /// Versions of cbgen that may compile this inventory, for example `>=0.1, <0.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-version-range"))]
    #[schemars(example = &">=0.1, <0.2")]
    pub requires: Option<String>,
    /// What the bundle is called.
    #[schemars(example = serde_json::json!({ "name": "acme-prod", "version": "2026.12.1" }))]
    pub bundle: Bundle,
    /// The installed product.
    #[schemars(example = serde_json::json!({ "version": "9.5.3", "high_availability": false }))]
    pub product: Product,
    /// The nginx reverse proxy on the Management servers.
    #[schemars(example = serde_json::json!({ "fqdn": "callback.acme.example" }))]
    pub proxy: Proxy,
    /// The certificate of the proxy.
    #[schemars(example = serde_json::json!({ "kind": "ca_issued", "pfx": r"D:\handoff\callback.pfx" }))]
    pub certificate: Certificate,
    /// Internet Information Services on the Management servers.
    #[serde(default)]
    pub iis: Iis,
    /// SQL Server and how Callback reaches it.
    #[schemars(example = serde_json::json!({ "version": 2016, "server": r"SQL01\CALLBACK", "access": ["odbc"] }))]
    pub sql: Sql,
    /// Protocol versions of Windows itself.
    #[serde(default)]
    pub windows_tls: WindowsTls,
    /// RabbitMQ over TLS; only for high availability without Agent Priority, product 9.2.0 to 9.5.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rabbitmq: Option<RabbitMq>,
    /// Ports and firewall.
    #[serde(default)]
    pub network: Network,
    /// Values that replace what the vendor guide prints, for installations that differ from it.
    #[serde(default)]
    pub overrides: Overrides,
    /// Warnings that somebody looked at: they are no findings any more, and the runbook prints them with their reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = serde_json::json!([{ "code": "CB0440", "reason": "reg query on CORE01 shows REG_SZ", "servers": ["CORE01"] }]))]
    pub accept: Vec<Acceptance>,
    /// Every Callback server.
    #[schemars(length(min = 1))]
    #[schemars(example = serde_json::json!([{ "name": "CB01", "fqdn": "cb01.acme.example", "roles": ["core", "management"], "windows": 2016, "dotnet": "4.7.1" }]))]
    pub servers: Vec<Server>,
}

/// Version of the inventory format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SchemaVersion {
    /// The first format.
    #[serde(rename = "cbgen/v1")]
    V1,
}

/// Name and version of the bundle.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Folder and archive name: lower-case letters, digits and `-`, at most 48.
    #[schemars(example = &"acme-prod")]
    #[schemars(
        length(min = 1, max = 48),
        regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    )]
    pub name: String,
    /// Version of the bundle: at most 32 letters, digits, dots and `-`. Quote it, or YAML may read it as a number.
    #[schemars(example = &"2026.12.1")]
    #[schemars(
        length(min = 1, max = 32),
        regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
    )]
    pub version: String,
    /// Number of the change request, printed in the runbook and the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9 ._/#-]*$")
    )]
    #[schemars(example = &"CHG0041873")]
    pub change: Option<String>,
    /// The change window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<ChangeWindow>,
    /// A Windows program of cbgen that comes along in the archive, as `cbgen.exe`: a file of the repository, looked for in
    /// the folder of the inventory and in those above it. Then one archive is all a server needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"tools/cbgen.exe")]
    #[schemars(
        length(min = 5, max = 200),
        regex(pattern = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*\.exe$")
    )]
    pub tool: Option<String>,
}

/// A change window in RFC 3339 time stamps with an offset.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Window")]
pub struct ChangeWindow {
    /// First moment of the window, for example `2026-12-05T22:00:00+01:00`.
    #[schemars(extend("format" = "cbgen-date-time"))]
    #[schemars(example = &"2026-12-05T22:00:00+01:00")]
    pub start: String,
    /// Last moment of the window.
    #[schemars(extend("format" = "cbgen-date-time"))]
    #[schemars(example = &"2026-12-06T02:00:00+01:00")]
    pub end: String,
}

/// The installed product.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Product version: three numbers, 9.2.0 or later.
    #[schemars(example = &"9.5.3")]
    #[schemars(extend("format" = "cbgen-product-version"))]
    pub version: String,
    /// Product folder, the same on every server.
    #[serde(default = "default_install_root")]
    #[schemars(extend("format" = "cbgen-windows-folder"))]
    pub install_root: String,
    /// Folder of the Smart Rules Engine service; default `SmartRules` below `install_root` (assumed, DEF-12, DEF-50).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-windows-folder"))]
    #[schemars(example = &r"C:\Program Files (x86)\Virtual Hold Technology\SmartRules")]
    pub smart_rules_root: Option<String>,
    /// Folder of Core Monitor. The guide does not say where it is; required when its `site.config` must change (CFG-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-windows-folder"))]
    #[schemars(example = &r"C:\Program Files (x86)\Virtual Hold Technology\Core Monitor")]
    pub core_monitor_root: Option<String>,
    /// Whether this is a high availability installation.
    #[schemars(example = false)]
    pub high_availability: bool,
    /// Whether Agent Priority is integrated.
    #[serde(default)]
    pub agent_priority: bool,
}

fn default_install_root() -> String {
    r"C:\Program Files (x86)\Virtual Hold Technology".into()
}

/// The nginx reverse proxy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The name clients use.
    #[schemars(example = &"callback.acme.example")]
    #[schemars(extend("format" = "cbgen-fqdn"))]
    pub fqdn: String,
    /// Port of the TLS listener. Any port but 443 appears in every generated URL and CORS origin (DEF-7, DEF-32).
    #[serde(default = "default_https_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub https_port: u16,
    /// Port of a plain listener on 127.0.0.1, for a program that cannot do without; absent means none (DEF-34). Whoever sets it
    /// answers CB0420.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    #[schemars(example = 8081)]
    pub http_port: Option<u16>,
    /// Further names allowed as CORS origin, beside every Management FQDN and `fqdn` itself.
    #[serde(default)]
    #[schemars(extend("items" = serde_json::json!({"type": "string", "format": "cbgen-fqdn"})))]
    pub aliases: Vec<String>,
    /// TLS versions of the listener.
    #[serde(default = "default_tls_protocols")]
    #[schemars(length(min = 1))]
    pub tls_protocols: Vec<TlsProtocol>,
    /// Whether Configuration Management needs a trailing slash on every path (DEF-31).
    #[serde(default)]
    pub config_trailing_slash: bool,
    /// What spreads requests over several Management servers, when `fqdn` is the name of such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancer: Option<Balancer>,
    /// Name of the proxy's Windows service, the key name or the one *Services* shows; default `VHT Reverse Proxy` (NGX-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 80),
        regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$")
    )]
    #[schemars(example = &"VHTReverseProxy")]
    pub service_name: Option<String>,
    /// Seconds the proxy waits for an answer of a component; default is the 25 minutes the Smart Rules Engine waits (CFG-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400))]
    #[schemars(example = 1500)]
    pub read_timeout: Option<u32>,
    /// Largest request the proxy accepts, in bytes; default is the largest message of the Smart Rules Engine (CFG-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 65536, max = 2_147_483_647))]
    #[schemars(example = 10_485_760)]
    pub largest_request: Option<u32>,
}

/// What stands in front of several Management servers. Callback speaks TLS up to nginx, so it has to pass TLS through.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Balancer {
    /// What it is.
    #[schemars(example = &"load_balancer")]
    pub kind: BalancerKind,
    /// Who can change it, on the night too.
    #[schemars(example = &"network team, +49 30 1234")]
    #[schemars(length(min = 1, max = 100))]
    pub owner: String,
    /// What it asks to find out whether a server lives; default is a connection to the port of the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[schemars(example = &"port 443")]
    pub health_probe: Option<String>,
    /// Whether it keeps sending one client to one server; ASP.NET keeps sessions in the memory of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &true)]
    pub affinity: Option<bool>,
}

/// What a balancer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalancerKind {
    /// A device or service that passes connections on.
    LoadBalancer,
    /// A name with several addresses; it knows nothing of dead servers.
    Dns,
}

fn default_https_port() -> u16 {
    super::web::HTTPS
}

fn default_tls_protocols() -> Vec<TlsProtocol> {
    vec![TlsProtocol::Tls12]
}

/// A TLS version the proxy may accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TlsProtocol {
    /// TLS 1.2.
    #[serde(rename = "TLSv1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

/// The certificate of the proxy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Who issued it.
    #[schemars(example = &"ca_issued")]
    pub kind: CertificateKind,
    /// The exported file on each Management server, on a local drive.
    #[schemars(extend("format" = "cbgen-windows-file"))]
    #[schemars(example = &r"D:\handoff\callback.pfx")]
    pub pfx: String,
}

/// Who issued a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateKind {
    /// A certification authority: the root goes to Trusted Root, intermediates to Intermediate, the leaf nowhere.
    CaIssued,
    /// The server itself, for test environments: the certificate goes to Trusted Root (PRE-3).
    SelfSigned,
}

/// Internet Information Services.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iis {
    /// The site that holds the Callback applications.
    #[serde(default = "default_site")]
    #[schemars(length(min = 1, max = 128))]
    pub site: String,
    /// Value of X-Frame-Options on EyeQueue; absent means it is not set (HARD-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"SAMEORIGIN")]
    pub x_frame_options: Option<XFrameOptions>,
    /// Whether to show the product's error page instead of details (HARD-2).
    #[serde(default)]
    pub custom_error_page: bool,
}

impl Default for Iis {
    fn default() -> Self {
        Self {
            site: default_site(),
            x_frame_options: None,
            custom_error_page: false,
        }
    }
}

fn default_site() -> String {
    "Default Web Site".into()
}

/// Values of X-Frame-Options (RFC 7034).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum XFrameOptions {
    /// Only pages of the same origin may frame EyeQueue.
    SameOrigin,
    /// No page may.
    Deny,
}

/// Protocol versions of Windows itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowsTls {
    /// Whether to switch off SSL 2.0, SSL 3.0, TLS 1.0 and TLS 1.1. Old drivers and SQL Server builds stop (DEF-61).
    #[serde(default)]
    pub disable_legacy_protocols: bool,
}

/// Ports and firewall.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Ports of the Erlang virtual machines (PORT-5, DEF-4); absent leaves them to Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erlang_ports: Option<PortRange>,
    /// Third-party systems this installation talks to: rows of the port table.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub integrations: Vec<Integration>,
    /// Whether to generate firewall scripts.
    #[serde(default)]
    pub firewall: bool,
    /// Addresses or ranges of the Callback servers, for ports only they may use; default is what their names mean in DNS when
    /// the script runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[schemars(example = serde_json::json!(["10.20.0.0/24"]))]
    pub callback_addresses: Option<Vec<String>>,
}

/// A contiguous range of ports.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortRange {
    /// First port.
    #[schemars(range(min = 1024, max = 65535))]
    #[schemars(example = 20000)]
    pub first: u16,
    /// Number of ports, at least 1000.
    #[schemars(range(min = 1, max = 64512))]
    #[schemars(example = 1000)]
    pub count: u16,
}

/// A third-party system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Integration {
    /// Mail server (PORT-26).
    Smtp,
    /// Cisco Application Gateway (PORT-22).
    CiscoAppGateway,
    /// Cisco Peripheral Gateways A and B (PORT-23, PORT-24).
    CiscoPg,
    /// Genesys SIP Server (PORT-25).
    GenesysSip,
    /// TSAPI client (PORT-27).
    Tsapi,
}

/// Values that replace what the guide prints.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Address of the page Notification Server puts into e-mails (DEF-48); default is the guide's 127.0.0.1 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-http-url"))]
    #[schemars(example = &"https://callback.acme.example/EyeQueue/NoAccessPage")]
    pub no_access_page_url: Option<String>,
    /// Address of VHQWatchWS for the Smart Rules Engine (DEF-50); default is the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-https-url"))]
    #[schemars(example = &"https://callback.acme.example/VHCallbackResponse/Service.svc")]
    pub smart_rules_endpoint_url: Option<String>,
    /// Largest message the Smart Rules Engine accepts, in bytes (DEF-51); default is the guide's 10485760.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 65536, max = 2_147_483_647))]
    #[schemars(example = 10_485_760)]
    pub smart_rules_max_message_size: Option<u32>,
    /// File name of the broker's configuration below `RabbitMQ Server` (DEF-69); default `rabbitmq.config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), extend("format" = "cbgen-config-file"))]
    #[schemars(example = &"rabbitmq.config")]
    pub rabbitmq_config_file: Option<String>,
    /// File name of Callback's client configuration (DEF-69); default `rabbitmq_config.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))]
    #[schemars(example = &"rabbitmq_config.json")]
    pub rabbitmq_json_file: Option<String>,
}

/// One Callback server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Windows host name: at most 15 letters, digits and `-`, unique ignoring case.
    #[schemars(example = &"MGMT01")]
    #[schemars(length(min = 1, max = 15), extend("format" = "cbgen-host-name"))]
    pub name: String,
    /// Fully qualified domain name, unique ignoring case.
    #[schemars(example = &"mgmt01.acme.example")]
    #[schemars(extend("format" = "cbgen-fqdn"))]
    pub fqdn: String,
    /// What runs on it.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[schemars(example = serde_json::json!(["core", "management"]))]
    pub roles: Vec<Role>,
    /// Windows Server release.
    #[schemars(example = 2016)]
    pub windows: WindowsVersion,
    /// .NET Framework version, for example `4.7.1`.
    #[schemars(extend("format" = "cbgen-dotnet-version"))]
    #[schemars(example = &"4.7.1")]
    pub dotnet: String,
    /// Name of the proxy a Core server uses, when it is not `proxy.fqdn` (DEF-44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-fqdn"))]
    #[schemars(example = &"callback.acme.example")]
    pub proxy: Option<String>,
    /// Whether a program on this server reads the addresses in the table of web service paths (DEF-45); default is the
    /// role `management`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = true)]
    pub reads_ws_paths: Option<bool>,
    /// RabbitMQ on this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rabbitmq: Option<ServerRabbitMq>,
}

impl Server {
    /// Whether it has a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// A Windows Server release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WindowsVersionText", into = "WindowsVersionText")]
#[schemars(with = "WindowsVersionText")]
pub enum WindowsVersion {
    /// Windows Server 2012.
    W2012,
    /// Windows Server 2012 R2.
    W2012R2,
    /// Windows Server 2016.
    W2016,
    /// Windows Server 2019.
    W2019,
}

/// How a Windows release is written: a number, or `2012r2`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WindowsVersionText {
    /// `2012`, `2016`, `2019`.
    Number(u16),
    /// `2012r2`.
    Text(String),
}

impl JsonSchema for WindowsVersionText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WindowsVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Windows Server release.",
            "enum": [2012, "2012r2", 2016, 2019],
            "x-note": "the vendor guide ends with Windows Server 2019"
        })
    }
}

impl TryFrom<WindowsVersionText> for WindowsVersion {
    type Error = String;

    fn try_from(text: WindowsVersionText) -> Result<Self, Self::Error> {
        match text {
            WindowsVersionText::Number(2012) => Ok(Self::W2012),
            WindowsVersionText::Number(2016) => Ok(Self::W2016),
            WindowsVersionText::Number(2019) => Ok(Self::W2019),
            WindowsVersionText::Text(text) if text == "2012r2" => Ok(Self::W2012R2),
            WindowsVersionText::Number(other) => Err(format!("Windows Server {other} is not supported")),
            WindowsVersionText::Text(other) => Err(format!("Windows Server {other} is not supported")),
        }
    }
}

impl From<WindowsVersion> for WindowsVersionText {
    fn from(version: WindowsVersion) -> Self {
        match version {
            WindowsVersion::W2012 => Self::Number(2012),
            WindowsVersion::W2012R2 => Self::Text("2012r2".into()),
            WindowsVersion::W2016 => Self::Number(2016),
            WindowsVersion::W2019 => Self::Number(2019),
        }
    }
}
