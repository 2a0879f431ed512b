//! Brokers that run and are wrong: what `post-check.cmd` says about each, and what clients and links meet.
//!
//! All of them start without complaint (3.10), so every fault is put into two running brokers, one each, and judged by
//! the generated script.

use std::fs;
use std::time::Duration;

use super::certificates::leaf;
use super::machine::Machine;
use super::stage::{CONFIG, Stage};
use crate::support::program::wait_until;

const WITHOUT_CERTIFICATE: &str = "see that a client without certificate is refused";
const HANDSHAKE: &str = "connect with TLS 1.2 and the client certificate";
const CONNECTION: &str = "find a connection of callback mq with EXTERNAL and TLS 1.2";
const PLAIN: &str = "see that nothing listens on port 5672";

const EVERYTHING: &str = "[rabbitmq_auth_mechanism_ssl,rabbitmq_federation].\n";
const NO_MECHANISM: &str = "[rabbitmq_federation].\n";

const NO_FEDERATION: &str = "[rabbitmq_auth_mechanism_ssl].\n";

/// What is wrong with one broker.
struct Fault {
    /// Texts of the configuration and what stands there instead.
    config: &'static [(&'static str, &'static str)],
    plugins: &'static str,
    /// A certificate or key, and where it comes from; nothing when it is missing.
    file: Option<(&'static str, Option<&'static str>)>,
    /// Where the script has to stop.
    step: &'static str,
}

const FAULTS: &[[Fault; 2]] = &[
    [
        Fault {
            config: &[
                ("{verify, verify_peer}", "{verify, verify_none}"),
                ("{fail_if_no_peer_cert, true}", "{fail_if_no_peer_cert, false}"),
            ],
            plugins: EVERYTHING,
            file: None,
            step: WITHOUT_CERTIFICATE,
        },
        Fault {
            config: &[("{fail_if_no_peer_cert, true}", "{fail_if_no_peer_cert, false}")],
            plugins: EVERYTHING,
            file: None,
            step: WITHOUT_CERTIFICATE,
        },
    ],
    [
        Fault {
            config: &[],
            plugins: NO_MECHANISM,
            file: None,
            step: CONNECTION,
        },
        Fault {
            config: &[("{tcp_listeners, []}", "{tcp_listeners, [5672]}")],
            plugins: NO_FEDERATION,
            file: None,
            step: PLAIN,
        },
    ],
    [
        // The name brokers ask for is not among the names of the certificate.
        Fault {
            config: &[],
            plugins: EVERYTHING,
            file: Some(("server_certificate.pem", Some("misnamed_certificate.pem"))),
            step: HANDSHAKE,
        },
        Fault {
            config: &[],
            plugins: EVERYTHING,
            file: Some(("server_key.pem", None)),
            step: HANDSHAKE,
        },
    ],
];

/// Restarts both brokers with each fault and lets the script find it.
pub(super) fn faults_are_named(stage: &mut Stage) {
    let pki = stage.pki();
    let names = &["other.test.example"];
    leaf(
        &pki,
        "misnamed",
        "/O=Acme/CN=core01.test.example",
        "serverAuth",
        names,
    );
    for (round, faults) in FAULTS.iter().enumerate() {
        let mut kept = Vec::new();
        stage.restart_with(
            [0, 1].map(|index| (faults[index].config, faults[index].plugins)),
            |index, folder| {
                let Some((name, source)) = faults[index].file else {
                    return;
                };
                let path = folder.join(name);
                kept.push((path.clone(), fs::read(&path).expect("a file")));
                match source {
                    Some(source) => {
                        fs::copy(pki.join(source), &path).expect("copied");
                        let key = source.replace("certificate", "key");
                        let own = folder.join("server_key.pem");
                        kept.push((own.clone(), fs::read(&own).expect("a key")));
                        fs::copy(pki.join(key), own).expect("copied");
                    }
                    None => fs::remove_file(&path).expect("removed"),
                }
            },
        );
        stage.on_both(|machine, script| {
            let fault = &faults[usize::from(machine.broker.name == "CORE02")];
            machine.fail(&script("post-check.cmd"), fault.step);
            if fault.step == PLAIN {
                machine.listens_on = "TCPv6";
                machine.fail(&script("post-check.cmd"), PLAIN);
            }
        });
        match round {
            // Nobody is asked for a certificate any more (3.4e).
            0 => stage.refused(
                "client",
                "EXTERNAL login refused: connection peer presented no TLS",
            ),
            // The only mechanism is one that is not there (3.4g).
            1 => {
                let answer = stage.login("client");
                assert_eq!(answer, "refused: {no_suitable_auth_mechanism,[]}");
                // A link to a broker without the plugin runs, and that broker complains (3.5g).
                wait_for_links(stage, 0, "from CORE02:running");
                // "unknown", or "invalid" where the broker met the word before: in its own database, from a time with the plugin.
                let complaint = "exchange type 'x-federation-upstream'";
                let complains = wait_until(Duration::from_mins(1), || {
                    stage.brokers[1].log().contains(complaint)
                });
                assert!(complains, "{}", stage.brokers[1].log());
            }
            _ => {}
        }
        for (path, bytes) in kept {
            fs::write(path, bytes).expect("writable");
        }
    }
}

/// The states of the first server's links, in the order of their names.
fn links(stage: &Stage, index: usize) -> String {
    let expression = "lists:flatten(lists:join(\" \", lists:sort([io_lib:format(\"~s:~s\", \
                      [proplists:get_value(upstream, L), proplists:get_value(status, L)]) \
                      || L <- rabbit_federation_status:status()])))";
    stage.ask(index, expression)
}

fn wait_for_links(stage: &Stage, index: usize, expected: &str) {
    let mut found = String::new();
    wait_until(Duration::from_mins(2), || {
        found = links(stage, index);
        found == expected
    });
    assert_eq!(found, expected, "{}", stage.brokers[index].log());
}

/// The form the product itself wants in its own file, and a name that is not in the certificate.
const WRONG_NAMES: &[(&str, &str)] = &[("a prefix", "CN%3DCORE02"), ("an other", "CORE03")];

/// Both brokers offer TLS 1.3 too. Only the first one's own links are told not to use it.
const NEWER: [(&[(&str, &str)], &str); 2] = [
    (
        &[(
            "      {versions, ['tlsv1.2']}",
            "      {versions, ['tlsv1.3', 'tlsv1.2']}",
        )],
        EVERYTHING,
    ),
    (
        &[
            (
                "      {versions, ['tlsv1.2']}",
                "      {versions, ['tlsv1.3', 'tlsv1.2']}",
            ),
            ("[{versions, ['tlsv1.2']}]", "[]"),
        ],
        EVERYTHING,
    ),
];

/// Links follow the version they are told, the name in the certificate and the policy; the script sees each that is down.
pub(super) fn links_are_looked_at(stage: &mut Stage) {
    stage.restart_with(NEWER, |_, _| {});
    wait_for_links(stage, 0, "from CORE02:running");
    wait_for_links(stage, 1, "from CORE01:running");
    // Without the setting of `amqp_client` a link takes the newest version both sides know (3.6b).
    let versions = "lists:usort([proplists:get_value(ssl_protocol, C) || C <- \
                    rabbit_networking:connection_info_all([ssl_protocol])])";
    assert_eq!(stage.ask(0, versions), "['tlsv1.3']");
    assert_eq!(stage.ask(1, versions), "['tlsv1.2']");
    stage.on_both(|machine, script| {
        if machine.broker.name == "CORE01" {
            machine.fail(&script("post-check.cmd"), CONNECTION);
        } else {
            machine.succeed(&script("post-check.cmd"));
        }
    });

    // From here on Callback itself is connected.
    let connected = [0, 1].map(|index| stage.hold(index));
    names_decide(stage);

    let wrong = upstream_uri(stage, "CORE02").replace("=CORE02&", "=elsewhere&");
    set_upstream(stage, 0, "from CORE02", &wrong);
    wait_for_links(stage, 0, "from CORE02:error");
    stage.brokers[1].ctl(&stage.network, &["clear_policy", "fed"]);
    // The upstream is there, and nothing is federated (3.5d).
    wait_for_links(stage, 1, "");
    stage.on_both(|machine, script| {
        let other = if machine.broker.name == "CORE01" {
            "CORE02"
        } else {
            "CORE01"
        };
        machine.fail(
            &script("post-check.cmd"),
            &format!("see that the links of from {other} run"),
        );
    });

    // Case does not matter.
    set_upstream(stage, 0, "from CORE02", &wrong.replace("elsewhere", "core02"));
    wait_for_links(stage, 0, "from CORE02:running");
    let network = &stage.network;
    stage.brokers[1].stop(network);
    wait_for_links(stage, 0, "from CORE02:error");
    let script = stage.artifact("CORE01", "post-check.cmd");
    let network = &stage.network;
    Machine::new(&mut stage.brokers[0], network, CONFIG)
        .fail(&script, "see that the links of from CORE02 run");
    drop(connected);
    stage.brokers[1].start(&stage.network);
    stage.brokers[1].wait(&stage.network);
}

/// A link checks the name it is given against the names in the certificate (3.8b).
fn names_decide(stage: &Stage) {
    let uri = upstream_uri(stage, "CORE02");
    for (upstream, name) in WRONG_NAMES {
        set_upstream(stage, 0, upstream, &uri.replace("=CORE02&", &format!("={name}&")));
    }
    wait_for_links(stage, 0, "a prefix:error an other:error from CORE02:running");
    for (upstream, _) in WRONG_NAMES {
        let clear = format!(
            "rabbit_runtime_parameters:clear(<<\"/\">>, <<\"federation-upstream\">>, <<\"{upstream}\">>, <<\"test\">>)"
        );
        stage.ask(0, &clear);
    }
    wait_for_links(stage, 0, "from CORE02:running");
}

/// The address the generated script gives the broker for an upstream.
fn upstream_uri(stage: &Stage, other: &str) -> String {
    let server = if other == "CORE02" { "CORE01" } else { "CORE02" };
    let definition = stage.definition(server);
    let uri = definition["uri"].as_str().expect("a text");
    assert!(uri.contains(&format!("server_name_indication={other}&")), "{uri}");
    uri.to_owned()
}

fn set_upstream(stage: &Stage, index: usize, name: &str, uri: &str) {
    let definition = format!(r#"{{\"uri\":\"{uri}\",\"reconnect-delay\":1}}"#);
    let set = format!(
        "rabbit_runtime_parameters:parse_set(<<\"/\">>, <<\"federation-upstream\">>, <<\"{name}\">>, \
         <<\"{definition}\">>, none)"
    );
    assert_eq!(stage.ask(index, &set), "ok");
}
