//! The reverse proxy: its names, who uses it, its protocols and its certificate.

use std::collections::BTreeMap;

use super::problem::Problems;
use super::{View, server_pointer, some_servers, suggestion};
use crate::codes;
use crate::contract::artifact::Role;
use crate::facts::SMART_RULES_RECEIVE_SECONDS;
use crate::facts::ciphers::is_served_by_modern_suites;
use crate::inventory::model::{CertificateKind, TlsProtocol, XFrameOptions};
use crate::inventory::web;

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    fqdn(view, problems);
    aliases(view, problems);
    users(view, problems);
    addresses(view, problems);
    protocols(view, problems);
    certificate(view, problems);
    suites(view, problems);
    patience(view, problems);
}

/// DEF-44: where the proxy's name leads.
fn fqdn(view: &View<'_>, problems: &mut Problems) {
    let proxy = &view.inventory.proxy;
    let Some((index, server)) = view.server_by_fqdn(&proxy.fqdn) else {
        balancer(view, problems);
        return; // A name of its own: a load balancer or an alias in DNS.
    };
    if !server.has(Role::Management) {
        problems
            .at(
                codes::PROXY_WITHOUT_NGINX,
                "/proxy/fqdn",
                format!(
                    "`proxy.fqdn` is the name of `{}`, which runs no proxy",
                    server.name
                ),
            )
            .related(
                server_pointer(index, "/roles"),
                "the role `management` is missing",
            )
            .help("name a Management server or the load balancer in front of them");
        return;
    }
    let managements = view.with_role(Role::Management).count();
    let undecided: Vec<_> = view
        .with_role(Role::Core)
        .filter(|(_, server)| !server.has(Role::Management) && server.proxy.is_none())
        .collect();
    if managements > 1 && !undecided.is_empty() {
        let problem = problems.at(
            codes::PROXY_AMBIGUOUS,
            "/proxy/fqdn",
            format!(
                "`proxy.fqdn` is just one of {managements} Management servers, so the proxy of {} is unclear",
                some_servers(&undecided)
            ),
        )
        .related(server_pointer(index, "/fqdn"), "this Management server")
        .help("set `proxy.fqdn` to the name of the load balancer, or `proxy` on each Core server");
        for (index, _) in undecided.iter().take(3) {
            problem.related(server_pointer(*index, "/name"), "names no `proxy`");
        }
    }
}

/// DEF-115: what leads from the name of the proxy to one of several servers.
fn balancer(view: &View<'_>, problems: &mut Problems) {
    let managements: Vec<_> = view.with_role(Role::Management).collect();
    if managements.len() < 2 || view.inventory.proxy.balancer.is_some() {
        return;
    }
    problems
        .at(
            codes::BALANCER_UNDESCRIBED,
            "/proxy/fqdn",
            format!(
                "`proxy.fqdn` leads to {}, and nothing is said about what chooses between them",
                some_servers(&managements)
            ),
        )
        .note("its probe, its way with TLS and its owner decide whether users reach Callback on the night (DEF-115)")
        .help("add `balancer` with at least `kind` and `owner`, also when it is only a name with several addresses");
}

fn aliases(view: &View<'_>, problems: &mut Problems) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, alias) in view.inventory.proxy.aliases.iter().enumerate() {
        let pointer = format!("/proxy/aliases/{index}");
        if let Some(first) = seen.insert(alias.to_ascii_lowercase(), index) {
            problems
                .at(
                    codes::DUPLICATE_ALIAS,
                    pointer,
                    format!("the alias `{alias}` is listed twice"),
                )
                .related(format!("/proxy/aliases/{first}"), "first listed here")
                .note("names are compared without regard to case; nginx would use the first line without a word")
                .help("remove one of the two");
            continue;
        }
        let other = if alias.eq_ignore_ascii_case(&view.inventory.proxy.fqdn) {
            Some(("/proxy/fqdn".to_owned(), "`proxy.fqdn`"))
        } else {
            view.management_by_fqdn(alias)
                .map(|(index, _)| (server_pointer(index, "/fqdn"), "a Management server"))
        };
        if let Some((place, what)) = other {
            problems
                .at(
                    codes::ALIAS_REDUNDANT,
                    pointer,
                    format!("the alias `{alias}` repeats the name of {what}"),
                )
                .related(place, "allowed as an origin anyway")
                .help("remove the alias");
        }
    }
}

/// Who uses which proxy.
fn users(view: &View<'_>, problems: &mut Problems) {
    let proxy = &view.inventory.proxy;
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let names = std::iter::once(&proxy.fqdn)
        .chain(&proxy.aliases)
        .chain(view.with_role(Role::Management).map(|(_, server)| &server.fqdn));
    for name in names {
        known.entry(name.to_ascii_lowercase()).or_insert(name);
    }
    let mut unknown = 0;
    for (index, server) in view.servers() {
        let Some(name) = &server.proxy else { continue };
        let pointer = server_pointer(index, "/proxy");
        if !known.contains_key(&name.to_ascii_lowercase()) {
            unknown += 1;
            let help = match suggestion(unknown, name, known.values().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "use `proxy.fqdn`, one of `proxy.aliases` or the fqdn of a Management server".into(),
            };
            problems
                .at(
                    codes::PROXY_UNKNOWN,
                    pointer,
                    format!("`{}` uses the proxy `{name}`, which does not exist", server.name),
                )
                .related("/proxy/fqdn", "the proxy of this installation")
                .help(help);
        } else if !server.has(Role::Core) {
            problems
                .at(
                    codes::PROXY_UNUSED,
                    pointer,
                    format!("`{}` names a proxy but is no Core server", server.name),
                )
                .note("only Core servers call web services through a proxy of their choice (REG-2)")
                .help("remove `proxy`, or add the role `core`");
        }
    }
}

/// DEF-7, DEF-50, DEF-57: addresses in `overrides` must lead to a listener.
fn addresses(view: &View<'_>, problems: &mut Problems) {
    let proxy = &view.inventory.proxy;
    for (field, address) in view.given_addresses() {
        let Some((scheme, host, port)) = web::parts(address) else {
            continue;
        };
        let host = host.to_ascii_lowercase();
        let pointer = format!("/overrides/{field}");
        if host == "localhost" {
            problems
                .at(
                    codes::LOCALHOST_ADDRESS,
                    pointer,
                    format!("`overrides.{field}` uses `localhost`"),
                )
                .note("`localhost` may become `::1`, but IIS listens on 127.0.0.1 only (IIS-1, DEF-57)")
                .help("write `127.0.0.1`");
            continue;
        }
        let names = std::iter::once(&proxy.fqdn).chain(&proxy.aliases);
        let is_proxy = view.management_by_fqdn(&host).is_some()
            || names.into_iter().any(|name| name.eq_ignore_ascii_case(&host));
        if is_proxy && (scheme != "https" || port != proxy.https_port) {
            problems
                .at(
                    codes::PROXY_URL_DEAD,
                    pointer,
                    format!("`overrides.{field}` leads to `{host}` by {scheme} on port {port}, where nothing listens"),
                )
                .related("/proxy/https_port", "the only port the proxy offers to other machines")
                .note("IIS listens on 127.0.0.1 only once this change is made (IIS-1, IIS-2, DEF-7)")
                .help(format!("write `https://{host}{}/…`", web::https_suffix(proxy.https_port)));
        }
    }
}

fn protocols(view: &View<'_>, problems: &mut Problems) {
    let proxy = &view.inventory.proxy;
    let position = |wanted: TlsProtocol| proxy.tls_protocols.iter().position(|found| *found == wanted);
    for (index, protocol) in proxy.tls_protocols.iter().enumerate() {
        if let Some(first) = position(*protocol).filter(|first| *first < index) {
            problems
                .at(
                    codes::TLS_PROTOCOL_TWICE,
                    format!("/proxy/tls_protocols/{index}"),
                    "a TLS version is listed twice",
                )
                .related(format!("/proxy/tls_protocols/{first}"), "first listed here")
                .help("remove one of the two");
        }
    }
    if position(TlsProtocol::Tls12).is_none() {
        problems
            .at(
                codes::TLS12_MISSING,
                "/proxy/tls_protocols",
                "`proxy.tls_protocols` lacks `TLSv1.2`",
            )
            .note(
                "Windows Server 2012 to 2019 cannot speak TLS 1.3, so Core servers could not reach the proxy",
            )
            .help("add `TLSv1.2`");
    }
    if let Some(index) = position(TlsProtocol::Tls13) {
        problems
            .at(
                codes::TLS13_NEEDS_NGINX,
                format!("/proxy/tls_protocols/{index}"),
                "the nginx of the vendor package may be too old for TLS 1.3",
            )
            .note("TLS 1.3 needs nginx 1.13.0 built with OpenSSL 1.1.1; an older one refuses to start or ignores it")
            .help("run `nginx -V` in `proxy\\nginx` before the change window");
    }
    let why = match view.inventory.iis.x_frame_options {
        Some(XFrameOptions::Deny) => Some("`DENY` blocks every frame, also Launchpad's frame of EyeQueue"),
        Some(XFrameOptions::SameOrigin) if proxy.https_port != web::HTTPS || proxy.http_port.is_some() => {
            Some("`SAMEORIGIN` compares scheme, host and port, and this proxy is reached by several")
        }
        Some(XFrameOptions::SameOrigin) | None => None,
    };
    if let Some(why) = why {
        problems
            .at(
                codes::FRAMES_BLOCKED,
                "/iis/x_frame_options",
                "`iis.x_frame_options` may block the product's own frames",
            )
            .note(why)
            .help("use `SAMEORIGIN` with `https_port: 443` alone, or test Launchpad with every address people use (DEF-59)");
    }
}

/// Which releases need a suite the others do not.
fn suites(view: &View<'_>, problems: &mut Problems) {
    let old: Vec<_> = view
        .servers()
        .filter(|(_, server)| !is_served_by_modern_suites(server.windows))
        .collect();
    let Some((first, _)) = old.first() else { return };
    problems
        .at(
            codes::OLDER_SUITE,
            server_pointer(*first, "/windows"),
            format!(
                "the proxy also offers `ECDHE-RSA-AES128-SHA256`, because {} cannot use the newer suites",
                some_servers(&old)
            ),
        )
        .note("with an RSA certificate Windows Server 2012 and 2012 R2 have no suite that is both ephemeral and GCM")
        .help("nothing to do while these servers stay; a certificate with an elliptic key serves them without it");
}

/// A proxy that gives up before the clients behind it do.
fn patience(view: &View<'_>, problems: &mut Problems) {
    let Some(seconds) = view.inventory.proxy.read_timeout else {
        return;
    };
    if seconds < SMART_RULES_RECEIVE_SECONDS {
        problems
            .at(
                codes::PROXY_GIVES_UP,
                "/proxy/read_timeout",
                format!("the proxy gives up after {seconds} seconds, before its clients do"),
            )
            .note("the Smart Rules Engine waits 25 minutes for an answer (CFG-7) and gets error 504 instead")
            .help(format!(
                "write {SMART_RULES_RECEIVE_SECONDS} or more, or remove the key"
            ));
    }
}

fn certificate(view: &View<'_>, problems: &mut Problems) {
    let certificate = &view.inventory.certificate;
    if certificate.kind == CertificateKind::SelfSigned {
        let bundle = &view.inventory.bundle;
        let sign = if view.inventory.product.high_availability {
            Some(("/product/high_availability", "a high availability installation"))
        } else if bundle.change.is_some() {
            Some(("/bundle/change", "an installation under change control"))
        } else {
            None
        };
        if let Some((place, what)) = sign {
            problems
                .at(
                    codes::SELF_SIGNED_IN_PRODUCTION,
                    "/certificate/kind",
                    format!("a self-signed certificate is used for {what}"),
                )
                .related(place, "this looks like production")
                .note("the guide allows self-signed certificates in test environments only (PRE-3)")
                .help("ask the certification authority for a certificate of `proxy.fqdn` and every Management server");
        }
        let managements = view.with_role(Role::Management).count();
        if managements > 1 {
            problems
                .at(
                    codes::SELF_SIGNED_SEVERAL,
                    "/certificate/kind",
                    format!("each of {managements} Management servers makes its own self-signed certificate"),
                )
                .note("all of them must be in the trust store of every server (DEF-107)")
                .help("export all certificates and import all of them, or use one that names every server");
        }
    }
    let folder = format!("{}\\proxy\\", view.inventory.product.install_root).to_ascii_lowercase();
    if certificate.pfx.to_ascii_lowercase().starts_with(&folder) {
        problems
            .at(
                codes::PFX_IN_PROXY_FOLDER,
                "/certificate/pfx",
                "the exported certificate lies in the folder of the proxy",
            )
            .note(
                "the file holds the private key; the service account of nginx can read this folder (DEF-15)",
            )
            .help("export it to a folder only administrators can read, and delete it after the change");
    }
}
