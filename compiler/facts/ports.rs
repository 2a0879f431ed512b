//! The port table: which server talks on which port, to whom, and why.
//!
//! The vendor guide has three port tables that contradict each other (DEF-2 to DEF-6, DEF-8). This one is computed from
//! the inventory instead, one list per server, each row written from that server's side. The guide does not say which
//! component runs where; the placement here is inferred from the files it edits and from what the proxy forwards to.
//! This module must not know templates, and it does not decide which rows become firewall rules.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::artifact::Role;
use crate::inventory::model::{Integration, Inventory, Server};

/// One row of a server's port table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PortRow {
    /// Ids of the guide's rows and defects that it answers.
    pub ids: Vec<String>,
    /// Component, in one vocabulary.
    pub application: String,
    /// A number, a range such as `50000-50999`, or `dynamic`.
    pub port: String,
    /// `TCP`; every port of the guide is.
    pub protocol: String,
    /// `inbound`, `outbound` or `both`, seen from the server.
    pub direction: String,
    /// Who is at the other end.
    pub peers: String,
    /// What the port is for.
    pub purpose: String,
    /// Whether only the server itself may use it, so that a firewall has to block it from outside.
    pub local_only: bool,
    /// Whether only Callback servers use it, so that a firewall opens it for their addresses alone.
    pub callback_only: bool,
}

/// The port table of one server, sorted by port, ranges by their first number, `dynamic` last.
pub fn ports(inventory: &Inventory, server: &Server) -> Vec<PortRow> {
    let mut rows = Vec::new();
    if server.has(Role::Management) {
        management(inventory, &mut rows);
    }
    if server.has(Role::Core) {
        core(inventory, &mut rows);
    }
    everywhere(inventory, &mut rows);
    rows.sort_by(|left, right| key(left).cmp(&key(right)));
    rows
}

fn key(row: &PortRow) -> (u16, &str, &str) {
    let digits: String = row.port.chars().take_while(char::is_ascii_digit).collect();
    (
        digits.parse().unwrap_or(u16::MAX),
        &row.application,
        &row.direction,
    )
}

#[derive(Clone, Copy)]
enum Direction {
    Inbound,
    Local,
    Outbound,
    Both,
}

/// Peers that are servers of the installation, to which the firewall then keeps a port.
const CALLBACK_SERVERS: &str = "Callback servers";
const WEB_SERVICES: &str = "web services on Management servers";

fn row(
    ids: &[&str],
    direction: Direction,
    application: &str,
    port: &str,
    peers: &str,
    purpose: &str,
) -> PortRow {
    PortRow {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        application: application.into(),
        port: port.into(),
        protocol: "TCP".into(),
        direction: match direction {
            Direction::Inbound | Direction::Local => "inbound",
            Direction::Outbound => "outbound",
            Direction::Both => "both",
        }
        .into(),
        peers: peers.into(),
        purpose: purpose.into(),
        local_only: matches!(direction, Direction::Local),
        callback_only: [CALLBACK_SERVERS, WEB_SERVICES].contains(&peers)
            && matches!(direction, Direction::Inbound | Direction::Both),
    }
}

fn management(inventory: &Inventory, rows: &mut Vec<PortRow>) {
    use Direction::{Inbound, Local, Outbound};
    let https = inventory.proxy.https_port.to_string();
    rows.push(row(
        &["PORT-7", "PORT-31", "DEF-7"],
        Inbound,
        "Reverse proxy",
        &https,
        "browsers, Callback servers",
        "HTTPS entry to the web applications and APIs",
    ));
    if let Some(http) = inventory.proxy.http_port {
        rows.push(row(
            &["PORT-42", "DEF-34"],
            Local,
            "Reverse proxy",
            &http.to_string(),
            "this server only",
            "plain HTTP entry for local callers",
        ));
    }
    rows.push(row(
        &["PORT-6", "DEF-24"],
        Local,
        "IIS",
        "80",
        "reverse proxy and services on this server",
        "web services and pages, bound to 127.0.0.1",
    ));
    for (ids, application, port, purpose) in [
        (
            &["PORT-2", "PORT-34", "HARD-5"],
            "Authorization API",
            "2800",
            "published as /auth",
        ),
        (
            &["PORT-16", "PORT-35", "HARD-5"],
            "Queue Statistics API",
            "2900",
            "published as /stats",
        ),
        (
            &["PORT-10", "PORT-36", "DEF-56"],
            "System Management API",
            "8000",
            "published as /system",
        ),
        (
            &["PORT-3", "PORT-38", "DEF-56"],
            "Configuration Management",
            "8001",
            "published as /config",
        ),
        (
            &["PORT-9", "PORT-37", "DEF-56"],
            "License Management",
            "8002",
            "published as /license",
        ),
        (
            &["PORT-11", "DEF-8", "DEF-56"],
            "Management Gateway",
            "8012",
            "licensing information, published as /mgmt",
        ),
    ] {
        rows.push(row(
            ids,
            Local,
            application,
            port,
            "reverse proxy on this server",
            purpose,
        ));
    }
    let mut mail = vec!["PORT-13", "PORT-39", "DEF-5"];
    if inventory.network.integrations.contains(&Integration::Smtp) {
        mail.push("PORT-26");
    }
    rows.push(row(
        &mail,
        Outbound,
        "Notification Server",
        "25",
        "mail server",
        "e-mail notifications",
    ));
}

fn core(inventory: &Inventory, rows: &mut Vec<PortRow>) {
    use Direction::{Inbound, Outbound};
    if inventory.product.agent_priority {
        rows.push(row(
            &["PORT-1", "DEF-8"],
            Inbound,
            "Agent Priority API",
            "2850",
            "Agent Priority clients",
            "Agent Priority for AEP",
        ));
    }
    for (ids, application, port, peers, purpose) in [
        (
            &["PORT-15", "PORT-28"][..],
            "Queue Manager",
            "9999",
            CALLBACK_SERVERS,
            "core component",
        ),
        (
            &["PORT-14", "PORT-29"],
            "Operation Mode server",
            "9100",
            CALLBACK_SERVERS,
            "operation mode changes by schedule",
        ),
        (
            &["PORT-12", "PORT-30"],
            "Message Bus",
            "2136",
            WEB_SERVICES,
            "between Queue Manager and the web services",
        ),
        (
            &["PORT-20", "DEF-8"],
            "Real-Time Adapter",
            "6999",
            CALLBACK_SERVERS,
            "real-time information",
        ),
    ] {
        rows.push(row(ids, Inbound, application, port, peers, purpose));
    }
    rows.push(row(
        &["PORT-8", "PORT-33"],
        Outbound,
        "IVR",
        "dynamic",
        "interactive voice response system",
        "control of the voice ports",
    ));
    for integration in &inventory.network.integrations {
        let third_party: &[(&str, &str, &str)] = match integration {
            // A row of Notification Server on Management servers.
            Integration::Smtp => &[],
            Integration::CiscoAppGateway => &[("PORT-22", "Cisco Application Gateway", "9000")],
            Integration::CiscoPg => &[
                ("PORT-23", "Cisco Peripheral Gateway A", "42027"),
                ("PORT-24", "Cisco Peripheral Gateway B", "43027"),
            ],
            Integration::GenesysSip => &[("PORT-25", "Genesys SIP Server", "7000")],
            Integration::Tsapi => &[("PORT-27", "TSAPI client", "451")],
        };
        for (id, application, port) in third_party {
            rows.push(row(
                &[id],
                Outbound,
                application,
                port,
                "third-party system",
                "default port of the integration",
            ));
        }
    }
}

/// What runs on every Callback server: Erlang, RabbitMQ, and the way to the database.
fn everywhere(inventory: &Inventory, rows: &mut Vec<PortRow>) {
    use Direction::{Both, Inbound, Outbound};
    rows.push(row(
        &["PORT-4", "PORT-40", "HARD-8"],
        Inbound,
        "Erlang port mapper (epmd)",
        "4369",
        CALLBACK_SERVERS,
        "finds the Erlang nodes; the port must not change",
    ));
    let range = inventory.network.erlang_ports.map_or_else(
        || "dynamic".to_owned(),
        |range| {
            let last = u32::from(range.first) + u32::from(range.count.max(1)) - 1;
            format!("{}-{last}", range.first)
        },
    );
    rows.push(row(
        &["PORT-5", "PORT-41", "DEF-4"],
        Both,
        "Erlang (erl, werl)",
        &range,
        CALLBACK_SERVERS,
        "between Erlang nodes",
    ));
    let tls = inventory.rabbitmq.as_ref();
    if !tls.is_some_and(|rabbitmq| rabbitmq.disable_management_plugin) {
        rows.push(row(
            &["PORT-17", "DEF-8", "DEF-71"],
            Inbound,
            "RabbitMQ management",
            "15672",
            CALLBACK_SERVERS,
            "used by System Management API, Notification Server, Platform ToolKit, Peripheral Monitor and Core Monitor; \
             clear text",
        ));
    }
    let (ids, port, purpose): (&[&str], _, _) = match tls {
        Some(rabbitmq) => (
            &["PORT-18", "PORT-43", "DEF-3"],
            rabbitmq.port.to_string(),
            "messages over TLS; replaces 5672",
        ),
        None => (&["PORT-18", "DEF-3"], "5672".to_owned(), "messages, clear text"),
    };
    rows.push(row(ids, Inbound, "RabbitMQ", &port, CALLBACK_SERVERS, purpose));
    rows.push(row(
        &["PORT-19", "DEF-4", "DEF-97"],
        Inbound,
        "RabbitMQ between nodes",
        "25672",
        CALLBACK_SERVERS,
        "nodes and command line tools; clear text",
    ));
    rows.push(row(
        &["DEF-4"],
        Inbound,
        "RabbitMQ command line tools",
        "35672-35682",
        CALLBACK_SERVERS,
        "answers to command line tools; clear text",
    ));
    let (port, purpose) = sql_port(&inventory.sql.server);
    rows.push(row(
        &["PORT-21", "PORT-32", "DEF-6"],
        Outbound,
        "SQL Server",
        &port,
        &format!("SQL Server {}", inventory.sql.server),
        purpose,
    ));
}

/// Port of a SQL Server as connection strings name it: `HOST,PORT`, or `HOST\INSTANCE`, whose port is its own.
/// Source: Microsoft, "SQL Server Browser service".
fn sql_port(server: &str) -> (String, &'static str) {
    match server.rsplit_once(',') {
        Some((_, port)) => (port.trim().to_owned(), "configuration and reporting databases"),
        None if server.contains('\\') => (
            "1433".to_owned(),
            "configuration and reporting databases; a named instance may listen elsewhere, ask SQL Server Browser (UDP 1434)",
        ),
        None => ("1433".to_owned(), "configuration and reporting databases"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(changes: &[(&str, serde_json::Value)]) -> Inventory {
        let mut value = serde_json::json!({
            "schema": "cbgen/v1",
            "bundle": {"name": "lab", "version": "1"},
            "product": {"version": "9.5.3", "high_availability": false},
            "proxy": {"fqdn": "callback.example.org"},
            "certificate": {"kind": "ca_issued", "pfx": "D:\\c.pfx"},
            "sql": {"version": 2016, "server": "SQL01", "access": ["odbc"]},
            "network": {},
            "servers": [{"name": "A", "fqdn": "a.example.org", "roles": ["core", "management"], "windows": 2016, "dotnet": "4.7.1"}]
        });
        for (pointer, change) in changes {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            value
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .insert(key.to_owned(), change.clone());
        }
        serde_json::from_value(value).unwrap()
    }

    /// Prints the table of the first server, one row a line: port, direction (`local` when nobody else may), application.
    fn check(changes: &[(&str, serde_json::Value)], expected: &[&str]) {
        let inventory = inventory(changes);
        let table: Vec<String> = ports(&inventory, &inventory.servers[0])
            .iter()
            .map(|row| {
                let direction = if row.local_only { "local" } else { &row.direction };
                format!("{} {direction} {}", row.port, row.application)
            })
            .collect();
        assert_eq!(table, expected);
    }

    fn first_port(row: &str) -> u16 {
        let digits = row.split([' ', '-']).next();
        digits.and_then(|port| port.parse().ok()).unwrap_or(u16::MAX)
    }

    const BASE: &[&str] = &[
        "25 outbound Notification Server",
        "80 local IIS",
        "443 inbound Reverse proxy",
        "1433 outbound SQL Server",
        "2136 inbound Message Bus",
        "2800 local Authorization API",
        "2900 local Queue Statistics API",
        "4369 inbound Erlang port mapper (epmd)",
        "5672 inbound RabbitMQ",
        "6999 inbound Real-Time Adapter",
        "8000 local System Management API",
        "8001 local Configuration Management",
        "8002 local License Management",
        "8012 local Management Gateway",
        "9100 inbound Operation Mode server",
        "9999 inbound Queue Manager",
        "15672 inbound RabbitMQ management",
        "25672 inbound RabbitMQ between nodes",
        "35672-35682 inbound RabbitMQ command line tools",
        "dynamic both Erlang (erl, werl)",
        "dynamic outbound IVR",
    ];

    #[test]
    fn one_server_has_every_row() {
        check(&[], BASE);
    }

    #[test]
    fn a_core_server_publishes_no_api() {
        let expected: Vec<&str> = BASE
            .iter()
            .copied()
            .filter(|row| {
                !row.contains(" local ") && !row.contains("Reverse proxy") && !row.contains("Notification")
            })
            .collect();
        check(&[("/servers/0/roles", serde_json::json!(["core"]))], &expected);
    }

    #[test]
    fn a_management_server_has_no_queue_manager() {
        let expected: Vec<&str> = BASE
            .iter()
            .copied()
            .filter(|row| {
                ![
                    "Queue Manager",
                    "Operation Mode",
                    "Message Bus",
                    "Real-Time",
                    "IVR",
                ]
                .iter()
                .any(|application| row.contains(application))
            })
            .collect();
        check(
            &[("/servers/0/roles", serde_json::json!(["management"]))],
            &expected,
        );
    }

    #[test]
    fn the_inventory_moves_ports() {
        let mut expected = BASE.to_vec();
        expected.retain(|row| {
            !["443 ", "5672 ", "15672 ", "1433 ", "dynamic both"]
                .iter()
                .any(|start| row.starts_with(start))
        });
        expected.extend([
            "8080 inbound Reverse proxy",
            "8081 local Reverse proxy",
            "5671 inbound RabbitMQ",
            "14330 outbound SQL Server",
            "50000-50999 both Erlang (erl, werl)",
        ]);
        expected.sort_by_key(|row| first_port(row));
        check(
            &[
                ("/proxy/https_port", serde_json::json!(8080)),
                ("/proxy/http_port", serde_json::json!(8081)),
                (
                    "/rabbitmq",
                    serde_json::json!({"certificates": "C:\\c", "common_name": "x", "disable_management_plugin": true}),
                ),
                ("/sql/server", serde_json::json!("SQL01,14330")),
                (
                    "/network/erlang_ports",
                    serde_json::json!({"first": 50000, "count": 1000}),
                ),
            ],
            &expected,
        );
    }

    #[test]
    fn integrations_add_rows() {
        let mut expected = BASE.to_vec();
        expected.extend([
            "451 outbound TSAPI client",
            "2850 inbound Agent Priority API",
            "7000 outbound Genesys SIP Server",
            "9000 outbound Cisco Application Gateway",
            "42027 outbound Cisco Peripheral Gateway A",
            "43027 outbound Cisco Peripheral Gateway B",
        ]);
        expected.sort_by_key(|row| first_port(row));
        check(
            &[
                ("/product/agent_priority", serde_json::json!(true)),
                (
                    "/network/integrations",
                    serde_json::json!(["smtp", "cisco_app_gateway", "cisco_pg", "genesys_sip", "tsapi"]),
                ),
            ],
            &expected,
        );
    }

    #[test]
    fn every_guide_row_has_a_table_row() {
        let inventory = inventory(&[
            ("/product/agent_priority", serde_json::json!(true)),
            ("/proxy/http_port", serde_json::json!(8081)),
            (
                "/rabbitmq",
                serde_json::json!({"certificates": "C:\\c", "common_name": "x"}),
            ),
            (
                "/network/integrations",
                serde_json::json!(["smtp", "cisco_app_gateway", "cisco_pg", "genesys_sip", "tsapi"]),
            ),
        ]);
        let rows = ports(&inventory, &inventory.servers[0]);
        for number in 1..=43 {
            let id = format!("PORT-{number}");
            assert!(rows.iter().any(|row| row.ids.contains(&id)), "{id}");
        }
        for row in &rows {
            for id in &row.ids {
                assert!(crate::catalogue::catalogue().find(id).is_some(), "{id}");
            }
        }
    }
}
