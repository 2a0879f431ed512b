//! The bundle is applied once more after it was taken back: what is saved then is the state of then.

use std::fs;

use super::machine::{Machine, read};
use super::names;
use super::stage::{SERVERS, STATE, Stage};

/// After the way back of both servers.
pub(super) fn a_new_application_saves_anew(stage: &mut Stage) {
    let saved = |name: &str| format!(r"{STATE}\{name}");
    let changed = r#"{"uri":"amqp://someone:secret@CORE02","prefetch-count":9}"#;
    let set = ["set_parameter", "federation-upstream", "from CORE02", changed];
    stage.brokers[0].ctl(&stage.network, &set);
    stage.on_both(|machine, script| {
        let said = machine.succeed(&script("rollback-rabbitmq.cmd"));
        assert!(said.contains("It was rolled back before."), "{said}");
        machine.fail(
            &script("apply-users.cmd"),
            "see that preflight.cmd has saved the old state",
        );
        // One server is enough for what takes long.
        if machine.broker.name != SERVERS[0] {
            return;
        }
        // As an application left it that found no configuration file.
        let absent = machine.broker.folder.join(saved("config-absent.txt"));
        fs::write(&absent, "absent").expect("writable");
        machine.succeed(&script("preflight.cmd"));
        let parameters = read(machine.broker, &saved("parameters.json"));
        assert!(parameters.contains("prefetch-count\\\":9"), "{parameters}");
        assert_eq!(read(machine.broker, &saved("captured.txt")), "captured\n");
        let left = machine.broker.folder.join(saved("rolled-back.txt"));
        assert!(!absent.exists() && !left.exists());
    });
}

/// After the way back of the management plugin: one plugin less is enabled when it is disabled once more.
pub(super) fn plugins_are_saved_anew(machine: &mut Machine<'_>, script: &dyn Fn(&str) -> String) {
    let said = machine.succeed(&script("rollback-management.cmd"));
    assert!(said.contains("It was rolled back before."), "{said}");
    if machine.broker.name != SERVERS[0] {
        return;
    }
    let less = ["disable", "rabbitmq_federation_management"];
    let ran = machine.broker.run(machine.network, "rabbitmq-plugins", &less);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let before = read(machine.broker, "enabled_plugins");
    machine.succeed(&script("disable-management.cmd"));
    machine.succeed(&script("rollback-management.cmd"));
    assert_eq!(names(&read(machine.broker, "enabled_plugins")), names(&before));
}
