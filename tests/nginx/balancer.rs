//! Two generated proxies behind a name that passes TLS through, as a load balancer does: what users see of a server that
//! is down, and what the checks of the runbook see of it.
//!
//! The balancer is nginx too, with its module for streams. It knows nothing of the inventory but the two ports.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use super::{Given, expected, serve};
use crate::support::bundles::bundle;
use crate::support::client::{Ask, ask};
use crate::support::program::{Daemon, folder, free_port, wait_until, write};

/// Where Debian keeps the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// nginx that passes connections on to `ports` as they are, one after the other.
fn balancer(ports: [u16; 2]) -> (u16, Daemon, tempfile::TempDir) {
    let folder = folder();
    let port = free_port();
    let [first, second] = ports;
    let text = format!(
        "load_module {MODULE};\ndaemon off;\npid {at}/nginx.pid;\nerror_log {at}/error.log;\nevents {{}}\nstream {{\n    \
         upstream proxies {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; }}\n    \
         server {{ listen 127.0.0.1:{port}; proxy_pass proxies; }}\n}}\n",
        at = folder.path().display()
    );
    write(&folder.path().join("nginx.conf"), text);
    let file = folder.path().join("nginx.conf");
    let mut daemon = Daemon::start("nginx", |command| {
        command.arg("-p").arg(folder.path()).arg("-c").arg(file);
    });
    let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    let began = wait_until(Duration::from_secs(20), || listens() || !daemon.runs());
    let said = std::fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
    assert!(
        began && daemon.runs(),
        "the balancer does not run (is libnginx-mod-stream there?): {said}"
    );
    (port, daemon, folder)
}

/// Who asks by the common name sees a page while one of two servers is dead; who asks each server by its own name, as the
/// checks of the runbook do, sees which one it is.
#[test]
fn a_dead_server_hides_behind_the_common_name_and_not_behind_its_own() {
    let prod = expected("prod");
    let text = |server: &str| {
        let bytes = bundle("prod").deployed[&format!("servers/{server}/nginx/nginx.conf")].clone();
        String::from_utf8(bytes).expect("UTF-8")
    };
    let first = serve(prod, &text("MGMT01"), Given::Chain).expect("starts");
    let second = serve(prod, &text("MGMT02"), Given::Chain).expect("starts");
    let (port, _balancer, _folder) = balancer([first.port(), second.port()]);
    let common = || {
        let asked: Vec<Ask> = (0..6)
            .map(|_| Ask::new("https", prod.proxy(), port, "/auth/").with("Connection", "close"))
            .collect();
        ask(&asked).map(|answers| {
            answers
                .iter()
                .map(|answer| answer.status)
                .collect::<BTreeSet<_>>()
        })
    };
    let own = [
        ("mgmt01.acme.example", first.port()),
        ("mgmt02.acme.example", second.port()),
    ];
    let by_own_name = |(host, port): (&str, u16)| {
        ask(&[Ask::new("https", host, port, "/EyeQueue")]).map(|answers| answers[0].status)
    };

    // TLS goes through: the certificate is that of the proxies, and both of them get their share.
    assert_eq!(common(), Ok(BTreeSet::from([200])));
    assert!(!first.requests().is_empty() && !second.requests().is_empty());
    for one in own {
        assert!(by_own_name(one).is_ok(), "{one:?}");
    }
    second.requests();

    drop(first);
    assert_eq!(common(), Ok(BTreeSet::from([200])), "nobody notices");
    assert!(!second.requests().is_empty());
    let [dead, alive] = own;
    assert_eq!(
        by_own_name(dead).map_err(|(code, _)| code),
        Err(7),
        "no connection"
    );
    assert!(by_own_name(alive).is_ok());
}
