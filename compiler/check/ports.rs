//! Ports: what listens where, and whether two programs would want the same port (PORT-1 to PORT-43, DEF-4 to DEF-8).

use super::problem::Problems;
use super::{View, server_pointer};
use crate::codes;
use crate::contract::artifact::Role;
use crate::inventory::model::{Integration, Server};

/// On which servers a program listens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Every,
    Management,
    Core,
}

impl On {
    fn runs(self, server: &Server) -> bool {
        match self {
            Self::Every => true,
            Self::Management => server.has(Role::Management),
            Self::Core => server.has(Role::Core),
        }
    }
}

/// Ports nobody can choose. IIS and the services the proxy forwards to come first.
const FIXED: &[(u16, u16, &str, On)] = &[
    (80, 80, "IIS", On::Management),
    (2800, 2800, "Authorization API", On::Management),
    (2900, 2900, "Queue Statistics API", On::Management),
    (8000, 8000, "Management API", On::Management),
    (8001, 8001, "Configuration Management", On::Management),
    (8002, 8002, "License Management", On::Management),
    (8012, 8012, "Management Gateway", On::Management),
    (2136, 2136, "Message Bus", On::Core),
    (6999, 6999, "Real-Time Adapter", On::Core),
    (9100, 9100, "Operation Mode server", On::Core),
    (9999, 9999, "Queue Manager", On::Core),
    (4369, 4369, "Erlang port mapper", On::Every),
    (PLAIN_AMQP, PLAIN_AMQP, "RabbitMQ", On::Every),
    (15672, 15672, "RabbitMQ management", On::Every),
    (25672, 25672, "RabbitMQ between nodes", On::Every),
    (35672, 35682, "RabbitMQ command line tools", On::Every),
];

/// Port of RabbitMQ without TLS (PORT-18). The broker has it until the change closes it.
const PLAIN_AMQP: u16 = 5672;

/// Ports the proxy forwards to on 127.0.0.1 (NGX-14 to NGX-21), beside 80.
const UPSTREAMS: &[u16] = &[2800, 2900, 8000, 8001, 8002, 8012];

/// First port of the range Windows hands out to outgoing connections (RFC 6335; Microsoft KB 929851).
const EPHEMERAL: u32 = 49_152;

/// A port the inventory chooses.
struct Chosen {
    port: u16,
    pointer: &'static str,
    name: &'static str,
    on: On,
    /// Whether it is the TLS port of the broker.
    is_amqps: bool,
}

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    addresses(view, problems);
    let chosen = chosen(view);
    for listener in &chosen {
        if listener.on == On::Management && listener.port == 80 {
            problems
                .at(
                    codes::PROXY_ON_PORT_80,
                    listener.pointer,
                    format!("`{}` is 80, which IIS keeps", listener.name),
                )
                .note("Windows holds port 80 on all addresses as long as IIS has it on 127.0.0.1 (DEF-24)")
                .help("use 443 for HTTPS; a plain listener is rarely needed");
        } else if listener.on == On::Management && UPSTREAMS.contains(&listener.port) {
            problems
                .at(
                    codes::PROXY_LOOP,
                    listener.pointer,
                    format!(
                        "`{}` is {}, to which the proxy itself forwards requests",
                        listener.name, listener.port
                    ),
                )
                .note("the service could not start, or requests would come back to the proxy until no connection is left (DEF-28)")
                .help("choose a port that is not in the port table, for example 443 or 8080");
        } else if listener.is_amqps && listener.port == PLAIN_AMQP {
            problems
                .at(
                    codes::RABBITMQ_PLAIN_PORT,
                    listener.pointer,
                    format!("`{}` is {PLAIN_AMQP}, the port without TLS, which this change closes", listener.name),
                )
                .note("clients and firewall rules that were left on clear text would still reach it, and the check that 5672 is closed would fail (PORT-18)")
                .help("use 5671, the registered port of AMQP over TLS");
        } else {
            fixed_collision(view, listener, problems);
        }
    }
    for (index, listener) in chosen.iter().enumerate() {
        for earlier in chosen.iter().take(index) {
            let meet = view
                .servers()
                .any(|(_, server)| listener.on.runs(server) && earlier.on.runs(server));
            if listener.port == earlier.port && meet {
                problems
                    .at(
                        codes::PORT_TAKEN,
                        listener.pointer,
                        format!(
                            "`{}` and `{}` are both {}",
                            earlier.name, listener.name, listener.port
                        ),
                    )
                    .related(earlier.pointer, "also here")
                    .help("choose another port for one of them");
            }
        }
    }
    erlang(view, &chosen, problems);
    firewall(view, problems);
}

/// Addresses a firewall rule can be limited to.
fn addresses(view: &View<'_>, problems: &mut Problems) {
    let addresses = view.inventory.network.callback_addresses.iter().flatten();
    for (index, text) in addresses.enumerate() {
        if !is_address_or_range(text) {
            problems
                .at(
                    codes::ADDRESS_INVALID,
                    format!("/network/callback_addresses/{index}"),
                    format!("`{text}` is no address and no range of addresses"),
                )
                .note("the firewall would refuse the rule, or open the port to everybody")
                .help("write `10.20.0.11`, `10.20.0.0/24` or `10.20.0.11-10.20.0.14`");
        }
    }
}

/// One address, a network of at least 8 bits, or two addresses of one family in order.
fn is_address_or_range(text: &str) -> bool {
    let address = |text: &str| {
        text.parse::<std::net::IpAddr>()
            .ok()
            .filter(|found| !found.is_unspecified())
    };
    if let Some((first, bits)) = text.split_once('/') {
        let most = match address(first) {
            Some(std::net::IpAddr::V4(_)) => 32,
            Some(std::net::IpAddr::V6(_)) => 128,
            None => return false,
        };
        return bits.parse::<u8>().is_ok_and(|bits| (8..=most).contains(&bits));
    }
    match text.split_once('-') {
        Some((first, last)) => match (address(first), address(last)) {
            (Some(first), Some(last)) => first.is_ipv4() == last.is_ipv4() && first < last,
            _ => false,
        },
        None => address(text).is_some(),
    }
}

fn chosen(view: &View<'_>) -> Vec<Chosen> {
    let proxy = &view.inventory.proxy;
    let rabbitmq = view.inventory.rabbitmq.as_ref();
    let of_proxy = |port, pointer, name| Chosen {
        port,
        pointer,
        name,
        on: On::Management,
        is_amqps: false,
    };
    let https = of_proxy(proxy.https_port, "/proxy/https_port", "proxy.https_port");
    let http = proxy
        .http_port
        .map(|port| of_proxy(port, "/proxy/http_port", "proxy.http_port"));
    let amqps = rabbitmq.map(|rabbitmq| Chosen {
        port: rabbitmq.port,
        pointer: "/rabbitmq/port",
        name: "rabbitmq.port",
        on: On::Every,
        is_amqps: true,
    });
    [https].into_iter().chain(http).chain(amqps).collect()
}

/// Fixed ports of this inventory: the table, and Agent Priority where it is integrated (PORT-1).
fn fixed(view: &View<'_>) -> impl Iterator<Item = (u16, u16, &'static str, On)> {
    let agent_priority =
        view.inventory
            .product
            .agent_priority
            .then_some((2850, 2850, "Agent Priority API", On::Core));
    FIXED.iter().copied().chain(agent_priority)
}

fn fixed_collision(view: &View<'_>, listener: &Chosen, problems: &mut Problems) {
    for (first, last, program, on) in fixed(view) {
        if !(first..=last).contains(&listener.port) {
            continue;
        }
        let mut both = view
            .servers()
            .filter(|(_, server)| on.runs(server) && listener.on.runs(server));
        if let Some((index, server)) = both.next() {
            let more = match both.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            problems
                .at(
                    codes::PORT_TAKEN,
                    listener.pointer,
                    format!(
                        "`{}` is {}, which {program} uses on `{}`{more}",
                        listener.name, listener.port, server.name
                    ),
                )
                .related(server_pointer(index, "/roles"), "both run here")
                .note("the second program to start would fail to open its port")
                .help("choose a port that is not in the port table of the guide");
        }
    }
}

/// DEF-4: the range of the Erlang virtual machines.
fn erlang(view: &View<'_>, chosen: &[Chosen], problems: &mut Problems) {
    let Some(range) = view.inventory.network.erlang_ports else {
        return;
    };
    let first = u32::from(range.first);
    let end = first + u32::from(range.count); // one past the last
    if range.count < 1000 {
        problems
            .at(
                codes::ERLANG_PORTS_TOO_FEW,
                "/network/erlang_ports/count",
                format!("the Erlang port range has {} ports, fewer than 1000", range.count),
            )
            .note("the guide asks for a contiguous range of at least 1000 ports (PORT-5)")
            .help("set `count` to 1000 or more");
    }
    if end > 65_536 {
        problems
            .at(
                codes::ERLANG_PORTS_TOO_HIGH,
                "/network/erlang_ports/count",
                format!("the Erlang port range ends at {}, above 65535", end - 1),
            )
            .related("/network/erlang_ports/first", "first port")
            .help(format!(
                "start lower, or set `count` to at most {}",
                65_536 - first
            ));
    }
    let taken = fixed(view)
        .map(|(low, high, program, on)| (low, high, program.to_owned(), on))
        .chain(chosen.iter().map(|listener| {
            (
                listener.port,
                listener.port,
                format!("`{}`", listener.name),
                listener.on,
            )
        }));
    for (low, high, program, on) in taken {
        let overlaps = u32::from(low) < end && u32::from(high) >= first;
        if overlaps && view.servers().any(|(_, server)| on.runs(server)) {
            problems
                .at(
                    codes::ERLANG_PORTS_COVER_FIXED,
                    "/network/erlang_ports/first",
                    format!(
                        "the Erlang port range {first} to {} covers {low}, the port of {program}",
                        end - 1
                    ),
                )
                .note("an Erlang node may open that port first, and the other program fails to start")
                .help("move the range, for example to 20000 with 1000 ports");
        }
    }
    if end > EPHEMERAL {
        problems
            .at(
                codes::ERLANG_PORTS_EPHEMERAL,
                "/network/erlang_ports/first",
                format!(
                    "the Erlang port range {first} to {} lies in the dynamic range of Windows",
                    end - 1
                ),
            )
            .note("any outgoing connection may hold one of these ports when a node starts (DEF-4)")
            .help("use a range below 49152, or reserve it with `netsh int ipv4 add excludedportrange`");
    }
}

fn firewall(view: &View<'_>, problems: &mut Problems) {
    let network = &view.inventory.network;
    if view.inventory.proxy.http_port.is_some() {
        problems
            .at(
                codes::PLAIN_HTTP_LISTENER,
                "/proxy/http_port",
                "`proxy.http_port` adds a listener without encryption",
            )
            .note("it answers on 127.0.0.1 only, but forwards to everything the proxy publishes (DEF-34)")
            .help("remove `http_port` unless a program on the Management server needs it");
    }
    if !network.firewall {
        problems
            .at_key(
                codes::LOCAL_APIS_REACHABLE,
                "/network/firewall",
                "without firewall scripts the services behind the proxy stay reachable unencrypted",
            )
            .note("nothing binds 8000, 8001, 8002 and 8012 to 127.0.0.1, although the guide says so (DEF-56)")
            .help(
                "set `network.firewall: true`, or block 2800, 2900, 8000, 8001, 8002 and 8012 in another way",
            );
    } else if network.erlang_ports.is_none() && view.inventory.servers.len() > 1 {
        problems
            .at_key(
                codes::FIREWALL_WITHOUT_ERLANG_PORTS,
                "/network/firewall",
                "the firewall scripts cannot open the Erlang ports, because `network.erlang_ports` is missing",
            )
            .note("Erlang nodes then listen on any free port, and a closed firewall separates them (PORT-5)")
            .help("set `network.erlang_ports`, for example to `{ first: 20000, count: 1000 }`");
    }
    if let Some(index) = network
        .integrations
        .iter()
        .position(|integration| *integration == Integration::Smtp)
    {
        problems
            .at(
                codes::SMTP_DIRECTION,
                format!("/network/integrations/{index}"),
                "port 25 is treated as outbound to the mail server",
            )
            .note("the guide lists port 25 of Notification Server as inbound, which contradicts its purpose (DEF-5)")
            .help("check with the vendor if something must send mail to Callback");
    }
}
