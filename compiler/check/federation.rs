//! The federation graph: which broker connects to which (RMQ-14, RMQ-17, DEF-91, DEF-95).

use std::collections::BTreeMap;

use super::problem::Problems;
use super::{View, server_pointer, some_servers, suggestion};
use crate::codes;
use crate::inventory::model::{RabbitMq, Server, Upstream, UpstreamKey};
use crate::json;

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    if view.inventory.rabbitmq.is_none() {
        return;
    }
    let mut unknown = 0;
    let mut lonely: Vec<(usize, &Server)> = Vec::new();
    for (index, server) in view.servers() {
        let upstreams = server
            .rabbitmq
            .as_ref()
            .map_or(&[][..], |own| own.upstreams.as_slice());
        if upstreams.is_empty() {
            lonely.push((index, server));
        }
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for (position, upstream) in upstreams.iter().enumerate() {
            let pointer = server_pointer(index, &format!("/rabbitmq/upstreams/{position}"));
            if let Some(first) = names.insert(&upstream.name, position) {
                problems
                    .at(
                        codes::DUPLICATE_UPSTREAM,
                        format!("{pointer}/name"),
                        format!(
                            "`{}` has two upstreams with the name `{}`",
                            server.name, upstream.name
                        ),
                    )
                    .related(
                        server_pointer(index, &format!("/rabbitmq/upstreams/{first}/name")),
                        "first used here",
                    )
                    .note("the second definition would replace the first in the broker (DEF-95)")
                    .help("use the names `rabbitmqctl list_parameters -p /` shows");
            }
            target(view, index, &pointer, upstream, &mut unknown, problems);
            kept(&pointer, upstream, problems);
        }
    }
    if view.inventory.product.high_availability
        && view.inventory.servers.len() > 1
        && let Some((index, _)) = lonely.first()
    {
        problems
            .at(
                codes::SERVER_WITHOUT_UPSTREAMS,
                server_pointer(*index, "/name"),
                format!("no federation upstream is listed for {}", some_servers(&lonely)),
            )
            .note("an upstream that is not listed keeps its old address, and its link stops when 5672 closes (RMQ-14)")
            .help("list the upstreams `rabbitmqctl list_parameters -p /` shows on each server")
            .servers(lonely.iter().map(|(index, _)| *index));
    }
}

fn target(
    view: &View<'_>,
    index: usize,
    pointer: &str,
    upstream: &Upstream,
    unknown: &mut usize,
    problems: &mut Problems,
) {
    let place = format!("{pointer}/server");
    let found = view
        .by_name
        .get(&upstream.server.to_ascii_lowercase())
        .filter(|found| {
            // Spelled as in the list of servers, so that a search finds every use.
            view.inventory
                .servers
                .get(**found)
                .is_some_and(|server| server.name == upstream.server)
        });
    match found {
        Some(found) if *found == index => {
            problems
                .at(
                    codes::UPSTREAM_IS_SELF,
                    place,
                    format!("the upstream `{}` leads back to its own server", upstream.name),
                )
                .related(server_pointer(index, "/name"), "this server")
                .note("a broker that federates with itself would deliver its own messages twice")
                .help("name the server the broker connects to");
        }
        Some(found) => mixed_forms(view, (index, *found), place, upstream, problems),
        None => {
            *unknown += 1;
            // Its own server would be refused next.
            let others = view.servers().filter(|(other, _)| *other != index);
            let names = others.map(|(_, server)| server.name.as_str());
            let near = suggestion(*unknown, &upstream.server, names);
            problems
                .at(
                    codes::UPSTREAM_UNKNOWN,
                    place,
                    format!(
                        "the upstream `{}` names the server `{}`, which does not exist",
                        upstream.name, upstream.server
                    ),
                )
                .help(match near {
                    Some(near) if near.eq_ignore_ascii_case(&upstream.server) => {
                        format!("write `{near}`: capital and small letters count where a server is named")
                    }
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "use the `name` of a server in `servers`".into(),
                });
        }
    }
}

/// One setting of a broker decides how it names everybody who connects: its own server's programs and the brokers that
/// have it as upstream. With `common_name` a certificate without one is refused; with `distinguished_name` the user of a
/// certificate with one would be its whole subject, which no inventory states (DEF-76).
fn mixed_forms(
    view: &View<'_>,
    (connecting, accepting): (usize, usize),
    place: String,
    upstream: &Upstream,
    problems: &mut Problems,
) {
    let form = |index: usize| {
        let broker = view.inventory.rabbitmq.as_ref()?;
        let server = view.inventory.servers.get(index)?;
        Some((server, has_common_name(broker, server)?))
    };
    let (Some((from, theirs)), Some((to, own))) = (form(connecting), form(accepting)) else {
        return;
    };
    if theirs == own {
        return;
    }
    let word = |common_name: bool| if common_name { "with" } else { "without" };
    let has = |common_name: bool| {
        if common_name {
            "its certificate has a common name"
        } else {
            "its certificate has no common name"
        }
    };
    problems
        .at(
            codes::LOGIN_FORMS_MIXED,
            place,
            format!(
                "`{}` connects {} a common name in its certificate to `{}`, whose broker expects certificates {} one",
                from.name,
                word(theirs),
                to.name,
                word(own)
            ),
        )
        .related(server_pointer(connecting, "/name"), has(theirs))
        .related(server_pointer(accepting, "/name"), has(own))
        .note(format!(
            "`ssl_cert_login_from` holds for everybody who connects to a broker, so the upstream `{}` would be refused (DEF-76)",
            upstream.name
        ))
        .help("issue the certificates of linked servers alike: all with a common name, or all without");
}

/// Whether the client certificate of a server has a common name; `None` while the inventory says both or nothing, which
/// is another finding.
fn has_common_name(broker: &RabbitMq, server: &Server) -> Option<bool> {
    let own = server
        .rabbitmq
        .as_ref()
        .map(|own| (own.common_name.is_some(), own.subject.is_some()))
        .filter(|own| *own != (false, false));
    let (common_name, subject) = own.unwrap_or((broker.common_name.is_some(), broker.subject.is_some()));
    (common_name != subject).then_some(common_name)
}

/// Kept values must have the type the broker demands, or it refuses the whole definition
/// (`rabbit_federation_parameters.erl`, 3.8.1).
fn kept(pointer: &str, upstream: &Upstream, problems: &mut Problems) {
    for (key, value) in &upstream.keep {
        let (fits, wanted) = match key {
            UpstreamKey::PrefetchCount | UpstreamKey::MessageTtl => {
                (value.as_u64().is_some(), "a whole number of at least 0")
            }
            UpstreamKey::ReconnectDelay => (
                value.as_f64().is_some_and(|delay| delay >= 0.0),
                "a number of seconds",
            ),
            UpstreamKey::Exchange | UpstreamKey::Queue | UpstreamKey::ConsumerTag | UpstreamKey::HaPolicy => {
                (
                    value.as_str().is_some_and(|text| !text.is_empty()),
                    "a text that is not empty",
                )
            }
            UpstreamKey::BindNowait => (value.is_boolean(), "`true` or `false`"),
        };
        if !fits {
            let name = key_name(*key);
            problems
                .at(
                    codes::UPSTREAM_VALUE_INVALID,
                    format!("{pointer}/keep/{name}"),
                    format!("`{name}` of the upstream `{}` must be {wanted}", upstream.name),
                )
                .note("the broker refuses the whole definition of an upstream with a wrong type (DEF-95)")
                .help("copy the value from `rabbitmqctl list_parameters -p / --formatter json`");
        }
    }
}

/// The key as the broker and the inventory spell it.
pub(super) fn key_name(key: UpstreamKey) -> String {
    json::word(&key)
}
