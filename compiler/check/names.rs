//! Names and roles of servers.
//!
//! Windows, DNS and the folders of a bundle all ignore case, so names are compared that way (DEF-44, PORT table).

use super::problem::Problems;
use super::{View, server_pointer};
use crate::codes;
use crate::contract::artifact::Role;

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    unique(view, problems);
    roles(view, problems);
    for (index, server) in view.servers() {
        let pointer = server_pointer(index, "/name");
        let label = server.fqdn.split('.').next().unwrap_or(&server.fqdn);
        if !label.eq_ignore_ascii_case(&server.name) {
            problems
                .at(
                    codes::NAME_DIFFERS_FROM_FQDN,
                    pointer,
                    format!(
                        "the server name `{}` differs from `{label}`, the first label of its `fqdn`",
                        server.name
                    ),
                )
                .related(server_pointer(index, "/fqdn"), "the fqdn")
                .help(
                    "check both for a slip; if they really differ, DNS must know the short name as well, \
                     because brokers connect by it",
                );
        }
    }
}

fn unique(view: &View<'_>, problems: &mut Problems) {
    for (index, server) in view.servers() {
        let fields = [
            (&view.by_name, "name", &server.name, codes::DUPLICATE_SERVER_NAME),
            (&view.by_fqdn, "fqdn", &server.fqdn, codes::DUPLICATE_SERVER_FQDN),
        ];
        for (by, field, value, code) in fields {
            let first = by.get(&value.to_ascii_lowercase());
            let Some(first) = first.filter(|first| **first != index) else {
                continue;
            };
            problems
                .at(
                    code,
                    server_pointer(index, &format!("/{field}")),
                    format!("the {field} `{value}` is used by two servers"),
                )
                .related(server_pointer(*first, &format!("/{field}")), "first used here")
                .note("names are compared without regard to case")
                .help(format!("give each server its own `{field}`"));
        }
    }
}

fn roles(view: &View<'_>, problems: &mut Problems) {
    let needed = [
        (
            Role::Management,
            codes::NO_MANAGEMENT_SERVER,
            "management",
            "web services, dashboards and the proxy run on Management servers",
        ),
        (
            Role::Core,
            codes::NO_CORE_SERVER,
            "core",
            "the Queue Manager runs on Core servers",
        ),
    ];
    for (role, code, word, why) in needed {
        if view.with_role(role).next().is_none() {
            problems
                .at_key(code, "/servers", format!("no server has the role `{word}`"))
                .note(why)
                .help(format!("add `{word}` to the `roles` of the server it runs on"));
        }
    }
}
