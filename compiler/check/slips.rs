//! Values that are well formed and most likely not what was meant: a probe at a closed port, a file of another kind, a window of
//! days, a host that is nearly one of the installation.
//!
//! Each is a warning: nobody but the author knows better, and can say so.

use cbgen_formats::Cut as _;

use super::View;
use super::problem::Problems;
use crate::codes;
use crate::contract::moment::Moment;
use crate::diag::{code, slip_of};
use crate::inventory::web;

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    window(view, problems);
    probe(view, problems);
    extensions(view, problems);
    hosts(view, problems);
}

/// Minutes of the longest window that nobody asks about.
const DAY: i64 = 24 * 60;

/// Minutes of the largest offsets from UTC that clocks have.
const OFFSETS: std::ops::RangeInclusive<i64> = -12 * 60..=14 * 60;

fn window(view: &View<'_>, problems: &mut Problems) {
    let Some((window, start, end)) = view.window() else {
        return;
    };
    let length = start.minutes_to(&end);
    if length > DAY {
        problems
            .at(
                codes::WINDOW_OVER_A_DAY,
                "/bundle/window/end",
                format!("the change window lasts {} hours", length / 60),
            )
            .related("/bundle/window/start", "the start")
            .note("the runbook counts how long callers wait, and when to decide about going back, from this window")
            .help("correct the date, or say in `accept` why it is so long");
    }
    let mut odd = |moment: &Moment, pointer: &str, text: &str| {
        let offset = moment.offset_minutes();
        let is_common = OFFSETS.contains(&offset) && [0, 30, 45].contains(&(offset.abs() % 60));
        if !is_common {
            problems
                .at(
                    codes::WINDOW_OFFSET_ODD,
                    pointer,
                    format!("no time zone has the offset of `{text}`"),
                )
                .note("the offset is what follows the time; it moves the whole window")
                .help("write the offset of the installation's clocks on that day, for example `+01:00`");
        }
        is_common
    };
    let start_is_common = odd(&start, "/bundle/window/start", &window.start);
    let end_is_common = odd(&end, "/bundle/window/end", &window.end);
    let apart = (start.offset_minutes() - end.offset_minutes()).abs();
    if start_is_common && end_is_common && apart > 60 {
        problems
            .at(
                codes::WINDOW_OFFSET_ODD,
                "/bundle/window/end",
                format!(
                    "the window begins and ends at offsets that are {} hours apart",
                    apart / 60
                ),
            )
            .related("/bundle/window/start", "the start")
            .note("a change to or from daylight saving time moves a clock by one hour at most")
            .help("write both times with the offset of the installation's clocks");
    }
}

/// A balancer that asks a port where the proxy does not listen finds every server dead.
fn probe(view: &View<'_>, problems: &mut Problems) {
    let proxy = &view.inventory.proxy;
    let Some(probe) = proxy
        .balancer
        .as_ref()
        .and_then(|balancer| balancer.health_probe.as_deref())
    else {
        return;
    };
    let ports = ports_in(probe);
    if ports.is_empty() || ports.contains(&proxy.https_port) {
        return;
    }
    let named: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let why = if ports.contains(&80) {
        "once this change is made, IIS answers port 80 to nobody from outside: a balancer that asks there finds every server dead"
    } else {
        "a balancer that asks where nothing listens finds every server dead"
    };
    problems
        .at(
            codes::PROBE_AT_CLOSED_PORT,
            "/proxy/balancer/health_probe",
            format!(
                "the health probe asks port {}, and the proxy listens at {}",
                named.join(" and "),
                proxy.https_port
            ),
        )
        .note(why)
        .help(format!(
            "have it changed before the window, and write what it asks then, for example `TCP port {}`",
            proxy.https_port
        ));
}

/// Ports that a sentence names: numbers behind `port`, `tcp`, `:` or alone, and those of web addresses.
fn ports_in(text: &str) -> Vec<u16> {
    let lower = text.to_ascii_lowercase();
    let mut ports: Vec<u16> = lower
        .split_whitespace()
        .filter_map(web::parts)
        .map(|(_, _, port)| port)
        .collect();
    if ports.is_empty() {
        let words: Vec<&str> = lower
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let is_alone = words.len() == 1;
        let mut before = "";
        for word in words {
            let is_named = ["port", "ports", "tcp", "https", "http", "ssl", "tls"].contains(&before);
            before = word;
            if let Ok(port) = word.parse::<u16>()
                && (is_alone || is_named)
            {
                ports.push(port);
            }
        }
    }
    ports
}

/// Endings of files that no folder has and that say what is in a file.
const KINDS_OF_FILES: [&str; 12] = [
    "pem", "crt", "cer", "key", "pfx", "p12", "exe", "config", "conf", "zip", "txt", "msi",
];

fn extensions(view: &View<'_>, problems: &mut Problems) {
    let inventory = view.inventory;
    let ending = |path: &str| {
        let name = path.rsplit('\\').next().unwrap_or(path);
        name.rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase())
    };
    let pfx = &inventory.certificate.pfx;
    let is_pfx = ending(pfx).is_none_or(|ending| ["pfx", "p12"].contains(&ending.as_str()));
    if !is_pfx {
        problems
            .at(
                codes::FILE_OF_ANOTHER_KIND,
                "/certificate/pfx",
                format!("`certificate.pfx` names {}, which is not called as a PFX file is", code(pfx)),
            )
            .note("the file must hold the certificate with its private key (PKCS #12); the script of the change takes it apart")
            .help("export it with its key as a `.pfx` or `.p12` file and name that");
    }
    let product = &inventory.product;
    let mut folders: Vec<(String, &str)> =
        vec![("/product/install_root".into(), product.install_root.as_str())];
    let optional = [
        ("/product/smart_rules_root", &product.smart_rules_root),
        ("/product/core_monitor_root", &product.core_monitor_root),
    ];
    folders.extend(
        optional
            .into_iter()
            .filter_map(|(pointer, folder)| Some((pointer.to_owned(), folder.as_deref()?))),
    );
    folders.extend(view.certificate_folders());
    for (pointer, folder) in folders {
        if ending(folder).is_some_and(|ending| KINDS_OF_FILES.contains(&ending.as_str())) {
            problems
                .at(
                    codes::FILE_OF_ANOTHER_KIND,
                    pointer,
                    format!(
                        "{} is called like a file, and a folder belongs here",
                        code(folder)
                    ),
                )
                .note("the names of the files in it are added to this one")
                .help("write the folder that the file lies in");
        }
    }
}

/// Hosts in addresses that differ from a name of the installation by a slip of the finger.
fn hosts(view: &View<'_>, problems: &mut Problems) {
    let inventory = view.inventory;
    let mut names = vec![inventory.proxy.fqdn.as_str()];
    names.extend(inventory.proxy.aliases.iter().map(String::as_str));
    names.extend(inventory.servers.iter().map(|server| server.fqdn.as_str()));
    for (field, address) in view.given_addresses() {
        let Some((scheme, host, _)) = web::parts(address) else {
            continue;
        };
        let rest = address.cut(scheme.len() + "://".len() + host.len()..);
        let host = host.to_ascii_lowercase();
        if let Some(near) = slip_of(&host, &names) {
            problems
                .at(
                    codes::HOST_NEARLY_KNOWN,
                    format!("/overrides/{field}"),
                    format!(
                        "the host {} is nearly {}, a name of this installation",
                        code(&host),
                        code(near)
                    ),
                )
                .note("nothing else of the inventory has this name")
                .help(format!(
                    "did you mean {}?",
                    code(&format!("{scheme}://{near}{rest}"))
                ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ports_in;

    #[test]
    fn probes_name_ports_in_many_ways() {
        for (text, ports) in [
            ("TCP port 80", &[80][..]),
            ("tcp/443", &[443]),
            ("80", &[80]),
            ("http://callback.acme.example/EyeQueue", &[80]),
            ("GET https://callback.acme.example:8443/", &[8443]),
            ("ports 80 and port 443", &[80, 443]),
            ("a page of EyeQueue every 5 seconds", &[]),
            ("every 5 s", &[]),
        ] {
            assert_eq!(ports_in(text), ports, "{text}");
        }
    }
}
