//! What `preflight.cmd` refuses. Everything here comes before the first question to the broker, so none runs.

use std::fs;
use std::path::Path;

use super::certificates::{bag, leaf_for, lock};
use super::machine::{Machine, read};
use super::stage::{CERTIFICATES, CONFIG, STATE, Stage};
use crate::support::follow::Server as _;

/// The step that asks the broker, which is reached when every certificate is right.
const AFTER_THE_CERTIFICATES: &str = "ask the broker for its users";

/// One thing that is wrong on the server.
enum Wrong {
    /// The certificate of `server` or `client`: its subject, usage, names and days of validity.
    Certificate(
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
        &'static str,
    ),
    /// The issuer is missing in the file.
    LeafOnly(&'static str),
    /// The key of another certificate.
    ForeignKey(&'static str),
    /// A key with a password.
    LockedKey(&'static str),
    /// A PKCS#12 file with a password.
    LockedBag(&'static str),
    /// A file that is not there.
    Missing(&'static str),
    /// A variable of the system.
    Setting(&'static str),
    /// A line of `rabbitmq-env-conf.bat`.
    Line(&'static str),
    /// The cookie of the service in this folder is another one than that of the engineer.
    Cookie(&'static str),
    /// A file of the broker that the new configuration would put out of use.
    There(&'static str),
    /// A program that fails.
    Fails(&'static str),
}
use Wrong::{
    Certificate, Cookie, Fails, ForeignKey, LeafOnly, Line, LockedBag, LockedKey, Missing, Setting, There,
};

const CLIENT: &str = "/O=Acme/OU=Callback/CN=callback mq";
const SERVER: &str = "/O=Acme/CN=core01.test.example";
const NAMES: &[&str] = &["CORE01", "core01.test.example"];
const COMMON_NAME: &str = "check that the Common Name of client_certificate.pem is callback mq";
const SERVER_NAME: &str = "check that server_certificate.pem names CORE01";
const SERVER_KEY: &str = "check that server_key.pem has no password and belongs to server_certificate.pem";
const CLIENT_KEY: &str = "check that client_key.pem has no password and belongs to client_certificate.pem";
const SERVER_USAGE: &str = "check that server_certificate.pem may act as a server";
const CLIENT_USAGE: &str = "check that client_certificate.pem may act as a client";
const COOKIE: &str = "compare the Erlang cookie of engineer with the one of the service";
const SETTINGS: &str = "see that no other file holds settings of the broker, which would get lost";
const FOLDER: &str = "create the folder for saved state";

/// What is wrong, and where the script has to stop.
const REFUSED: &[(Wrong, &str)] = &[
    (
        Certificate("server", SERVER, "serverAuth", NAMES, "-1"),
        "check that server_certificate.pem has not expired",
    ),
    (
        Certificate("client", CLIENT, "clientAuth", &[], "-1"),
        "check that client_certificate.pem has not expired",
    ),
    (
        Certificate("server", SERVER, "clientAuth", NAMES, "60"),
        SERVER_USAGE,
    ),
    (
        Certificate("client", CLIENT, "serverAuth", &[], "60"),
        CLIENT_USAGE,
    ),
    (
        Certificate("server", SERVER, "serverAuth", &[], "60"),
        SERVER_NAME,
    ),
    (
        Certificate("server", SERVER, "serverAuth", &["core01.test.example"], "60"),
        SERVER_NAME,
    ),
    // The Common Name does not count beside other names.
    (
        Certificate("server", "/CN=CORE01", "serverAuth", &["other"], "60"),
        SERVER_NAME,
    ),
    (
        Certificate("client", "/O=Acme/CN=callback", "clientAuth", &[], "60"),
        COMMON_NAME,
    ),
    (
        Certificate("client", "/O=Acme/CN=Callback MQ", "clientAuth", &[], "60"),
        COMMON_NAME,
    ),
    (
        Certificate("client", "/O=Acme/OU=callback mq", "clientAuth", &[], "60"),
        COMMON_NAME,
    ),
    // RabbitMQ joins several to one name.
    (
        Certificate("client", "/CN=other/CN=callback mq", "clientAuth", &[], "60"),
        COMMON_NAME,
    ),
    (
        Certificate("client", "/CN=callback mq/CN=other", "clientAuth", &[], "60"),
        COMMON_NAME,
    ),
    (LeafOnly("server"), "check the chain of server_certificate.pem"),
    (LeafOnly("client"), "check the chain of client_certificate.pem"),
    (ForeignKey("server"), SERVER_KEY),
    (ForeignKey("client"), CLIENT_KEY),
    (LockedKey("server"), SERVER_KEY),
    (LockedKey("client"), CLIENT_KEY),
    (LockedBag("cert.p12"), "open cert.p12 without a password"),
    (
        LockedBag("client_key.p12"),
        "open client_key.p12 without a password",
    ),
    (Missing("ca_certificate.pem"), "find ca_certificate.pem"),
    (Missing("server_certificate.pem"), "find server_certificate.pem"),
    (Missing("server_key.pem"), "find server_key.pem"),
    (Missing("cert.p12"), "find cert.p12"),
    (Missing("client_key.p12"), "find client_key.p12"),
    (Missing("client_certificate.pem"), "find client_certificate.pem"),
    (Missing("client_key.pem"), "find client_key.pem"),
    (
        Setting("RABBITMQ_NODE_PORT"),
        "check that RABBITMQ_NODE_PORT is not set",
    ),
    (
        Setting("RABBITMQ_NODE_IP_ADDRESS"),
        "check that RABBITMQ_NODE_IP_ADDRESS is not set",
    ),
    (
        Line("set NODE_PORT=5672\r\n"),
        "check that rabbitmq-env-conf.bat sets no port",
    ),
    (
        Line("set RABBITMQ_NODE_IP_ADDRESS=0.0.0.0\r\n"),
        "check that rabbitmq-env-conf.bat sets no port",
    ),
    (Cookie(r"C:\Windows\System32\config\systemprofile"), COOKIE),
    // Erlang before release 20 keeps it here.
    (Cookie(r"C:\Windows"), COOKIE),
    (There("rabbitmq.conf"), SETTINGS),
    (There("rabbitmq.config"), SETTINGS),
    (There("advanced.config"), SETTINGS),
    (Fails("fltmc"), "check administrator rights"),
    (Fails("mkdir"), FOLDER),
    (Fails("icacls"), FOLDER),
    (Fails("reg"), "ask the service RabbitMQ for its folder"),
    (Fails("fc"), SERVER_KEY),
];

/// Makes one thing wrong in the folder of the certificates, or on the machine.
fn break_it(wrong: &Wrong, pki: &Path, folder: &Path, machine: &mut Machine<'_>) {
    let copy = |from: &str, to: &str| fs::copy(pki.join(from), folder.join(to)).expect("copied");
    match wrong {
        Certificate(side, subject, usage, names, days) => {
            leaf_for(pki, "wrong", subject, usage, names, days);
            for file in ["certificate", "key"] {
                copy(&format!("wrong_{file}.pem"), &format!("{side}_{file}.pem"));
            }
        }
        LeafOnly(side) => {
            let path = folder.join(format!("{side}_certificate.pem"));
            let chain = fs::read_to_string(&path).expect("a certificate");
            let end = chain.rfind("-----BEGIN").expect("two certificates");
            fs::write(path, &chain[..end]).expect("writable");
        }
        ForeignKey(side) => {
            copy("stranger_key.pem", &format!("{side}_key.pem"));
        }
        LockedKey(side) => lock(folder, &format!("{side}_key.pem")),
        LockedBag(name) => bag(folder, name, "a password"),
        Missing(name) => fs::remove_file(folder.join(name)).expect("removed"),
        Setting(name) => machine.system_setting = Some(name),
        Line(line) => {
            let path = machine.file(r"C:\base\rabbitmq-env-conf.bat");
            fs::write(path, line).expect("writable");
        }
        Cookie(place) => {
            for (folder, cookie) in [(r"C:\Users\engineer", "mine"), (place, "theirs")] {
                let path = machine.file(&format!(r"{folder}\.erlang.cookie"));
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, cookie).expect("writable");
            }
        }
        There(name) => {
            fs::write(machine.file(&format!(r"C:\base\{name}")), "[].\n").expect("writable");
            "C:/base/rabbitmq".clone_into(&mut machine.service_reads);
        }
        Fails(program) => machine.failing = Some(program),
    }
}

#[test]
fn preflight_refuses_what_is_wrong_by_the_name_of_its_step() {
    let mut stage = Stage::new("common_name: callback mq", CLIENT);
    let (pki, script) = (stage.pki(), stage.artifact("CORE01", "preflight.cmd"));
    let Stage {
        brokers: [broker, _],
        network,
        ..
    } = &mut stage;
    let folder = broker.folder.join(CERTIFICATES.replace('\\', "/"));
    let kept: Vec<_> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (fs::read(&path).expect("a file"), path))
        .collect();
    let mut machine = Machine::new(broker, network, CONFIG);
    // With nothing wrong all of it passes; the folder of the state is made first, for few eyes only.
    machine.fail(&script, AFTER_THE_CERTIFICATES);
    let folder_calls = [
        vec!["fltmc"],
        vec!["mkdir", STATE],
        vec![
            "icacls",
            STATE,
            "/inheritance:r",
            "/grant:r",
            "*S-1-5-18:(OI)(CI)F",
            "*S-1-5-32-544:(OI)(CI)F",
        ],
    ];
    assert_eq!(machine.calls[..3], folder_calls);
    for (wrong, step) in REFUSED {
        let mut machine = Machine::new(machine.broker, network, CONFIG);
        if matches!(wrong, Fails("mkdir")) {
            fs::remove_dir(machine.file(STATE)).expect("removed");
        }
        break_it(wrong, &pki, &folder, &mut machine);
        machine.fail(&script, step);
        let asked = machine.calls.iter().any(|call| call[0].starts_with("rabbitmq"));
        assert!(!asked, "{step}: {:?}", machine.calls);
        assert_eq!(read(machine.broker, &format!(r"{STATE}\captured.txt")), "");
        for (bytes, path) in &kept {
            fs::write(path, bytes).expect("writable");
        }
        fs::create_dir(machine.file(STATE)).ok();
        for name in [
            "rabbitmq-env-conf.bat",
            "rabbitmq.conf",
            "rabbitmq.config",
            "advanced.config",
        ] {
            fs::remove_file(machine.file(&format!(r"C:\base\{name}"))).ok();
        }
        for place in [
            r"C:\Users\engineer",
            r"C:\Windows\System32\config\systemprofile",
            r"C:\Windows",
        ] {
            fs::remove_file(machine.file(&format!(r"{place}\.erlang.cookie"))).ok();
        }
    }
}
