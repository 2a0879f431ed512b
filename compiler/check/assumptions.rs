//! What the guide leaves open and cbgen has to assume (DEF-12, DEF-31, DEF-40, DEF-43, DEF-48, DEF-51, DEF-66).
//!
//! Each assumption is one warning for the whole installation; writing the value into the inventory confirms it.

use super::problem::Problems;
use super::{View, server_pointer};
use crate::codes;
use crate::contract::artifact::Role;
use crate::inventory::web;

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    core_monitor(view, problems);
    proxy(view, problems);
    smart_rules(view, problems);
    no_access_page(view, problems);
    let cores: Vec<usize> = view.with_role(Role::Core).map(|(index, _)| index).collect();
    if let Some(index) = cores.first().copied() {
        problems
            .at(
                codes::REGISTRY_TYPE_ASSUMED,
                server_pointer(index, "/roles"),
                "the registry value `VHQMWSPATH` is written as text (REG_SZ), which the guide does not say",
            )
            .note("the guide calls it a key and gives neither type nor server; every Core server gets it (DEF-43)")
            .help(r#"compare with `reg query "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" /v VHQMWSPATH` on one server"#)
            .servers(cores);
    }
}

/// DEF-66: CFG-17 applies with every SQL Server release, so Core Monitor's folder is always needed.
fn core_monitor(view: &View<'_>, problems: &mut Problems) {
    if view.inventory.product.core_monitor_root.is_none() {
        problems
            .at_key(
                codes::CORE_MONITOR_FOLDER_MISSING,
                "/product",
                "`product.core_monitor_root` is missing",
            )
            .note("the `site.config` of Core Monitor must name the database driver, and the guide does not say where it is (CFG-17, DEF-66)")
            .help("look for the folder on a Core server and add `core_monitor_root`");
    }
}

fn proxy(view: &View<'_>, problems: &mut Problems) {
    let slash = view.inventory.proxy.config_trailing_slash;
    if slash || view.is_default("/proxy/config_trailing_slash") {
        let what = if slash {
            "every path below `/config/` gets a trailing slash, unlike in the guide's example"
        } else {
            "paths below `/config/` are passed on as they come, unlike in the guide's example"
        };
        problems
            .at(codes::CONFIG_SLASH_ASSUMED, "/proxy/config_trailing_slash", what)
            .note(
                "the example glues a slash to the query and doubles others; its purpose is unknown (DEF-31)",
            )
            .help(
                "test Configuration Management; write `config_trailing_slash: false` when it works without",
            );
    }
    problems
        .at(
            codes::WEBSOCKET_PORT_UNKNOWN,
            "/proxy/fqdn",
            "the WebSocket port of the statistics service is unknown, so only `/stats/` upgrades connections",
        )
        .note("the guide binds the listener to 127.0.0.1 but documents no port (CFG-3, DEF-40)")
        .help("open a dashboard after the change and watch that its numbers move");
}

fn smart_rules(view: &View<'_>, problems: &mut Problems) {
    if view.inventory.product.smart_rules_root.is_none() {
        problems
            .at(
                codes::SMART_RULES_FOLDER_ASSUMED,
                "/product/smart_rules_root",
                format!(
                    r"the Smart Rules Engine is assumed in `{}\SmartRules`",
                    view.inventory.product.install_root
                ),
            )
            .note("the guide names the folder without its parent (DEF-12, DEF-50)")
            .help("look for `VHT_SmartRulesEngineService.exe` and write its folder as `product.smart_rules_root`");
    }
    if view.inventory.overrides.smart_rules_max_message_size.is_none() {
        problems
            .at(
                codes::SMART_RULES_SIZE_SHRINKS,
                "/overrides/smart_rules_max_message_size",
                "the largest message of the Smart Rules Engine shrinks from 2147483647 to 10485760 bytes",
            )
            .note("the guide does so without a word; long lists of queues that worked may fail (DEF-51)")
            .help(
                "write `overrides.smart_rules_max_message_size`, with 10485760 if the guide's size is enough",
            );
    }
}

fn no_access_page(view: &View<'_>, problems: &mut Problems) {
    let given = view.inventory.overrides.no_access_page_url.as_deref();
    let local =
        given.is_none_or(|address| web::parts(address).is_some_and(|(_, host, _)| host.starts_with("127.")));
    if local {
        problems
            .at(
                codes::NO_ACCESS_PAGE_LOCAL,
                "/overrides/no_access_page_url",
                "Notification Server puts an address at 127.0.0.1 into its e-mails",
            )
            .note("nobody who reads the e-mail on another machine can open it (CFG-5, DEF-48)")
            .help(format!(
                "set `overrides.no_access_page_url: https://{}{}/EyeQueue/NoAccessPage`",
                view.inventory.proxy.fqdn,
                web::https_suffix(view.inventory.proxy.https_port)
            ));
    }
}
