//! Generated RabbitMQ files against real brokers: two private nodes, real certificates, the real command line tools.
//!
//! An inventory is compiled, the scripts are followed line by line with arguments taken from them by the model of
//! cmd.exe, and the brokers start with the generated configuration. Once with a common name in the certificates, once
//! without. Missing programs fail the tests. Debian's broker is newer than 3.8: what 3.8 alone does (its keys, the crash
//! on `log_levels`) is a matter of the unit tests of the Erlang format.

mod addresses;
mod again;
mod broker;
mod certificates;
mod machine;
mod postcheck;
mod preflight;
mod stage;
mod windows;

use std::fs;

use crate::support::follow::Server as _;
use crate::support::program::free_port;
use machine::read;
use stage::{CONFIG, SERVERS, Stage, state};

#[test]
fn brokers_with_common_names_go_there_and_back() {
    let mut stage = Stage::new(
        "common_name: callback mq\n  keep: [collect_statistics_interval]\n  drop: [frame_max]",
        "/O=Acme/OU=Callback/CN=callback mq",
    );
    stage.keys_are_known();
    stage.uris_are_read();
    for broker in &stage.brokers {
        let before = format!(
            "[{{rabbit, [{{tcp_listeners, [{{\"{}\", {}}}]}}, {{collect_statistics_interval, 7000}}, {{frame_max, 65536}}]}}].\n",
            broker.address, broker.plain
        );
        fs::write(broker.folder.join("rabbitmq.config"), before).expect("writable");
    }
    stage.start_both();
    // The first server has an old definition and an old user; the second has neither.
    let first = &stage.brokers[0];
    let old = r#"{"uri":"amqp://someone:secret@CORE02","prefetch-count":7,"reconnect-delay":3}"#;
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
    // A user who exists, which apply-users.cmd takes for no failure (2.2f), and a key nobody knows (3.5c).
    let code = |arguments: &[&str]| {
        stage.brokers[0]
            .run(&stage.network, "rabbitmqctl", arguments)
            .code
    };
    assert_eq!(code(&["authenticate_user", "callback mq", "old password"]), 0);
    assert_eq!(code(&["add_user", "callback mq", "another"]), 70);
    let misspelt = r#"{"uri":"amqp://CORE02","prefetch_count":7}"#;
    assert_eq!(
        code(&["set_parameter", "federation-upstream", "from CORE02", misspelt]),
        69
    );
    assert_eq!(state(&stage.brokers[0], &stage.network), before[0]);

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
        // A setting that nobody decided about is not carried on in silence, nor lost.
        let config = machine.file(CONFIG);
        let decided = fs::read_to_string(&config).expect("a file");
        let undecided = decided.replace("{frame_max", "{channel_max, 100}, {frame_max");
        fs::write(&config, undecided).expect("writable");
        machine.fail(
            &script("preflight.cmd"),
            "see that rabbitmq.keep and rabbitmq.drop of the inventory name every one of them",
        );
        fs::write(&config, decided).expect("writable");
        machine.succeed(&script("preflight.cmd"));
        machine.fail(
            &script("apply-config.cmd"),
            "see that apply-users.cmd was run: the plugin is enabled",
        );
        machine.succeed(&script("apply-users.cmd"));
        machine.succeed(&script("apply-upstreams.cmd"));
        // As if the service had been installed without a configuration file (DEF-98).
        machine.service_reads = "C:/base/rabbitmq".to_owned();
        if machine.broker.name == SERVERS[1] {
            // As if the service were installed without the variable that tells where its database lies.
            machine.forgets_its_folder = true;
            machine.fail(
                &script("apply-config.cmd"),
                "see that this is the same node with the same folder, users and upstreams",
            );
            machine.forgets_its_folder = false;
            machine.service_reads = "C:/base/rabbitmq".to_owned();
        }
        machine.succeed(&script("apply-config.cmd"));
        assert_eq!(machine.service_reads, CONFIG.replace('\\', "/"));
    });
    assert!(
        !stage.brokers[0].listens(stage.brokers[0].plain),
        "the old listener is still there"
    );
    // What the site has set besides stays or goes, as the inventory says (DEF-113).
    for server in 0..2 {
        let setting = |name: &str| stage.ask(server, &format!("application:get_env(rabbit, {name})"));
        assert_eq!(setting("collect_statistics_interval"), "{ok, 7000}");
        assert_ne!(setting("frame_max"), "{ok, 65536}");
    }
    for (broker, before) in stage.brokers.iter().zip(&before) {
        assert_ne!(&state(broker, &stage.network), before);
        // Nothing of the old value is left (3.5c).
        let parameters = broker.ctl(&stage.network, &["list_parameters", "--formatter", "json"]);
        let parameters: serde_json::Value = serde_json::from_str(&parameters).expect("JSON");
        let list = parameters.as_array().expect("a list");
        assert_eq!(list.len(), 1, "{list:?}");
        let value: serde_json::Value =
            serde_json::from_str(list[0]["value"].as_str().expect("a text")).expect("JSON");
        assert_eq!(value, stage.definition(&broker.name));
    }
    // Only the certificate logs in (2.3f).
    let old = ["authenticate_user", "callback mq", "old password"];
    let ran = stage.brokers[0].run(&stage.network, "rabbitmqctl", &old);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    // An upstream alone federates nothing (3.5d).
    assert_eq!(stage.ask(0, "rabbit_federation_status:status()"), "");
    stage.federate();
    stage.judge("callback mq");
    stage.cross();
    stage.certificates_decide();
    // Login by Common Name, and there is none (3.4b).
    stage.refused("nameless", "EXTERNAL login refused: no name found");
    // The certificate of a server, shown by a client (3.4h).
    let unfit = stage.login("unfit");
    assert!(unfit.starts_with("refused: {tls_alert,{"), "{unfit}");
    postcheck::faults_are_named(&mut stage);
    postcheck::links_are_looked_at(&mut stage);

    stage.on_both(|machine, script| {
        machine.succeed(&script("preflight.cmd"));
        machine.succeed(&script("rollback-rabbitmq.cmd"));
    });
    assert!(stage.brokers[0].listens(stage.brokers[0].plain));
    for (broker, before) in stage.brokers.iter().zip(&before) {
        assert_eq!(&state(broker, &stage.network), before, "{}", broker.name);
        assert_eq!(read(broker, "enabled_plugins"), "[rabbitmq_federation].\n");
    }
    again::a_new_application_saves_anew(&mut stage);
}

#[test]
fn brokers_without_common_names_know_the_whole_subject() {
    let user = r"OU=Call back,O=Acme\, Inc.,C=US";
    let mut stage = Stage::new(&format!("subject: '{user}'"), "/C=US/O=Acme, Inc./OU=Call back");
    stage.keys_are_known();
    let ports = [free_port(), free_port()];
    for (broker, port) in stage.brokers.iter().zip(ports) {
        let put = |name: &str, text: &str| fs::write(broker.folder.join(name), text).expect("writable");
        let less = "[rabbitmq_auth_mechanism_ssl,rabbitmq_federation].\n";
        put(
            "enabled_plugins",
            if broker.name == SERVERS[0] { less } else { MANAGED },
        );
        let management = format!(
            "{{rabbitmq_management, [{{tcp_config, [{{ip, \"{}\"}}, {{port, {port}}}]}}]}},\n  {{amqp_client",
            broker.address
        );
        let config = read(broker, r"C:\bundle\rabbitmq.config").replace("{amqp_client", &management);
        put("rabbitmq.config", &config);
    }
    // Plugins are a matter of files, users of a running broker (3.5e).
    let broker = &stage.brokers[0];
    let more = [
        "enable",
        "--offline",
        "rabbitmq_management",
        "rabbitmq_federation_management",
    ];
    let enabled = broker.run(&stage.network, "rabbitmq-plugins", &more);
    assert_eq!(enabled.code, 0, "{}", enabled.stderr);
    assert_eq!(names(&read(broker, "enabled_plugins")), names(MANAGED));
    assert_eq!(
        broker.run(&stage.network, "rabbitmqctl", &["list_users"]).code,
        69
    );
    stage.start_both();
    // Without users nobody logs in, however good the certificate is (DEF-77).
    assert!(stage.login("client").starts_with("refused: {auth_failure,"));
    let before = states(&stage);
    stage.on_both(|machine, script| {
        machine.succeed(&script("preflight.cmd"));
        machine.succeed(&script("apply-users.cmd"));
        machine.succeed(&script("apply-upstreams.cmd"));
    });
    stage.federate();
    stage.judge(user);
    stage.cross();
    stage.certificates_decide();
    // A subject that holds nothing is the name of nobody (3.4d).
    stage.refused("empty", "user '' - invalid credentials");

    // What depends on the management plugin goes with it, and what was enabled comes back (3.5f).
    stage.on_both(|machine, script| {
        machine.fail(
            &script("rollback-management.cmd"),
            "see that disable-management.cmd has saved",
        );
        machine.succeed(&script("disable-management.cmd"));
        let left = read(machine.broker, "enabled_plugins");
        assert_eq!(
            names(&left),
            ["rabbitmq_auth_mechanism_ssl", "rabbitmq_federation"]
        );
        assert!(
            !machine
                .broker
                .listeners()
                .contains(&ports[usize::from(machine.broker.name == SERVERS[1])])
        );
        // Once more does not take the smaller set for the old one.
        machine.succeed(&script("disable-management.cmd"));
        machine.succeed(&script("rollback-management.cmd"));
        assert_eq!(names(&read(machine.broker, "enabled_plugins")), names(MANAGED));
        again::plugins_are_saved_anew(machine, script);
        assert!(
            machine
                .broker
                .listeners()
                .contains(&ports[usize::from(machine.broker.name == SERVERS[1])])
        );
    });

    stage.on_both(|machine, script| {
        machine.succeed(&script("rollback-rabbitmq.cmd"));
    });
    assert_eq!(states(&stage), before);
    assert!(stage.login("client").starts_with("refused: {auth_failure,"));

    // One issuer stands between client and root (3.6c); nobody is known any more, but the handshake comes first.
    let depth = |depth: &'static str| [("{depth, 2}", depth)];
    let plugins = "[rabbitmq_auth_mechanism_ssl].\n";
    let (none, one) = (depth("{depth, 0}"), depth("{depth, 1}"));
    stage.restart_with([(&none, plugins), (&one, plugins)], |_, _| {});
    let answers = [0, 1].map(|index| stage.login_at(index, "client"));
    assert!(answers[0].starts_with("refused: {tls_alert,{"), "{answers:?}");
    assert!(answers[1].starts_with("refused: {auth_failure,"), "{answers:?}");
}

/// Plugins that are enabled before anything changes.
const MANAGED: &str =
    "[rabbitmq_auth_mechanism_ssl,rabbitmq_federation,rabbitmq_federation_management,rabbitmq_management].\n";

/// The names of plugins in a file or a list, in order.
fn names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names
}

fn states(stage: &Stage) -> [String; 2] {
    [0, 1].map(|index| state(&stage.brokers[index], &stage.network))
}
