//! Generated RabbitMQ files against real brokers: two private nodes, real certificates, the real command line tools.
//!
//! An inventory is compiled, the scripts are followed line by line with arguments taken from them by the model of
//! cmd.exe, and the brokers start with the generated configuration. Once with a common name in the certificates, once
//! without. Missing programs fail the tests. Debian's broker is newer than 3.8: what 3.8 alone does (its keys, the crash
//! on `log_levels`) is a matter of the unit tests of the Erlang format.

mod broker;
mod certificates;
mod machine;
mod preflight;
mod stage;
mod windows;

use std::fs;

use machine::read;
use stage::{CONFIG, SERVERS, Stage, state};

#[test]
fn brokers_with_common_names_go_there_and_back() {
    let mut stage = Stage::new("common_name: callback mq", "/O=Acme/OU=Callback/CN=callback mq");
    stage.keys_are_known();
    stage.uris_are_read();
    for broker in &stage.brokers {
        let before = format!(
            "[{{rabbit, [{{tcp_listeners, [{{\"{}\", {}}}]}}]}}].\n",
            broker.address, broker.plain
        );
        fs::write(broker.folder.join("rabbitmq.config"), before).expect("writable");
    }
    stage.start_both();
    // The first server has an old definition and an old user; the second has neither.
    let first = &stage.brokers[0];
    let old = r#"{"uri":"amqp://someone:secret@CORE02","prefetch-count":7}"#;
    first.ctl(
        &stage.network,
        &["set_parameter", "federation-upstream", "from CORE02", old],
    );
    first.ctl(&stage.network, &["add_user", "callback mq", "old password"]);
    first.ctl(&stage.network, &["set_user_tags", "callback mq", "policymaker"]);
    first.ctl(
        &stage.network,
        &["set_permissions", "callback mq", "^x", "^y", "^z"],
    );
    let before: Vec<String> = stage
        .brokers
        .iter()
        .map(|broker| state(broker, &stage.network))
        .collect();
    assert!(stage.brokers[0].listens(stage.brokers[0].plain));

    stage.on_both(|machine, script| {
        if machine.broker.name == SERVERS[1] {
            let rehearsed = machine.run(&script("preflight.cmd"), "rehearse");
            assert_eq!(rehearsed.code, 0, "{}", rehearsed.printed);
        }
        assert_ne!(
            machine.run(&script("apply-users.cmd"), "").code,
            0,
            "without saved state nothing is changed"
        );
        machine.succeed(&script("preflight.cmd"));
        machine.succeed(&script("apply-users.cmd"));
        machine.succeed(&script("apply-upstreams.cmd"));
        // As if the service had been installed without a configuration file (DEF-98).
        machine.service_reads = "C:/base/rabbitmq".to_owned();
        machine.succeed(&script("apply-config.cmd"));
        assert_eq!(machine.service_reads, CONFIG.replace('\\', "/"));
    });
    assert!(
        !stage.brokers[0].listens(stage.brokers[0].plain),
        "the old listener is still there"
    );
    for (broker, before) in stage.brokers.iter().zip(&before) {
        assert_ne!(&state(broker, &stage.network), before);
    }
    stage.federate();
    stage.judge("callback mq");
    stage.cross();
    stage.certificates_decide();

    stage.on_both(|machine, script| {
        machine.succeed(&script("preflight.cmd"));
        machine.succeed(&script("rollback-rabbitmq.cmd"));
    });
    assert!(stage.brokers[0].listens(stage.brokers[0].plain));
    for (broker, before) in stage.brokers.iter().zip(&before) {
        assert_eq!(&state(broker, &stage.network), before, "{}", broker.name);
        assert_eq!(read(broker, "enabled_plugins"), "[rabbitmq_federation].\n");
    }
}

#[test]
fn brokers_without_common_names_know_the_whole_subject() {
    let user = r"OU=Call back,O=Acme\, Inc.,C=US";
    let mut stage = Stage::new(&format!("subject: '{user}'"), "/C=US/O=Acme, Inc./OU=Call back");
    stage.keys_are_known();
    for broker in &stage.brokers {
        let put = |name: &str, text: &str| fs::write(broker.folder.join(name), text).expect("writable");
        put(
            "enabled_plugins",
            "[rabbitmq_auth_mechanism_ssl,rabbitmq_federation].\n",
        );
        put("rabbitmq.config", &read(broker, r"C:\bundle\rabbitmq.config"));
    }
    stage.start_both();
    // Without users nobody logs in, however good the certificate is (DEF-77).
    assert!(stage.login("client").starts_with("refused: {auth_failure,"));
    stage.on_both(|machine, script| {
        machine.succeed(&script("preflight.cmd"));
        machine.succeed(&script("apply-users.cmd"));
        machine.succeed(&script("apply-upstreams.cmd"));
    });
    stage.federate();
    stage.judge(user);
    stage.cross();
    stage.certificates_decide();
}
