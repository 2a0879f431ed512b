//! The one set of names by which anybody reaches the proxy.
//!
//! nginx answers to them, its certificate has to be made for them, redirects to them are redirects to the proxy. Whoever
//! needs a part of the set asks here, so that no name is served without a certificate. This module must not know
//! templates or where the names are printed.

use std::collections::BTreeSet;

use crate::contract::artifact::Role;
use crate::inventory::model::{Inventory, Server};
use crate::inventory::web;

/// Keeps the first of names that are equal without regard to case, in lower case.
fn once<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names
        .into_iter()
        .map(str::to_ascii_lowercase)
        .filter(|name| seen.insert(name.clone()))
        .collect()
}

/// Names pages of Callback are opened with, so that scripts on them may call the APIs: the proxy, the Management servers,
/// the aliases.
pub fn origins(inventory: &Inventory) -> Vec<String> {
    let management = inventory
        .servers
        .iter()
        .filter(|server| server.has(Role::Management));
    once(
        std::iter::once(inventory.proxy.fqdn.as_str())
            .chain(management.map(|server| server.fqdn.as_str()))
            .chain(inventory.proxy.aliases.iter().map(String::as_str)),
    )
}

/// Every name somebody reaches the proxy with: those of pages, those single servers use instead, and the hosts of addresses
/// in `overrides` that lead to its port.
pub fn proxy_names(inventory: &Inventory) -> Vec<String> {
    let origins = origins(inventory);
    let others = inventory
        .servers
        .iter()
        .filter_map(|server| server.proxy.as_deref());
    let overrides = &inventory.overrides;
    let addresses = [&overrides.no_access_page_url, &overrides.smart_rules_endpoint_url];
    let hosts: Vec<&str> = addresses
        .into_iter()
        .flatten()
        .filter_map(|address| host_at(address, inventory.proxy.https_port))
        .collect();
    once(origins.iter().map(String::as_str).chain(others).chain(hosts))
}

/// The names the certificate on one Management server has to be made for: all but those of other servers.
pub fn certificate_names(inventory: &Inventory, server: &Server) -> Vec<String> {
    let is_other = |name: &str| {
        inventory.servers.iter().any(|other| {
            other.fqdn.eq_ignore_ascii_case(name) && !other.name.eq_ignore_ascii_case(&server.name)
        })
    };
    let proxy = &inventory.proxy.fqdn;
    proxy_names(inventory)
        .into_iter()
        .filter(|name| !is_other(name) || name.eq_ignore_ascii_case(proxy))
        .collect()
}

/// The host of an `https` address with this port; numbers are no names.
fn host_at(address: &str, wanted: u16) -> Option<&str> {
    let (scheme, host, port) = web::parts(address)?;
    let is_name = host
        .split('.')
        .next_back()?
        .bytes()
        .any(|b| b.is_ascii_alphabetic());
    (scheme == "https" && port == wanted && is_name).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant() -> Inventory {
        let text = include_str!("../check/mutations.json");
        let cases: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut base = cases["base"].clone();
        base["servers"][2]["proxy"] = "queue-dmz.acme.example".into();
        base["overrides"]["smart_rules_endpoint_url"] =
            "https://Rules.acme.example/VHQWatchWS/VHQWatchWS.asmx".into();
        serde_json::from_value(base).unwrap()
    }

    #[test]
    fn every_name_that_is_used_is_in_the_certificate() {
        let inventory = plant();
        let first = inventory.servers.first().unwrap();
        assert_eq!(
            certificate_names(&inventory, first),
            [
                "callback.acme.example",
                "mgmt01.acme.example",
                "queue.acme.example",
                "queue-dmz.acme.example",
                "rules.acme.example"
            ]
        );
        assert!(proxy_names(&inventory).contains(&"mgmt02.acme.example".to_owned()));
        assert!(!origins(&inventory).contains(&"rules.acme.example".to_owned()));
    }

    #[test]
    fn only_addresses_of_the_proxy_give_a_name() {
        for (address, host) in [
            ("https://a.example/x", Some("a.example")),
            ("https://a.example:443", Some("a.example")),
            ("https://a.example:8443/", None),
            ("http://a.example/", None),
            ("https://10.0.0.1/", None),
        ] {
            assert_eq!(host_at(address, 443), host, "{address}");
        }
    }
}
