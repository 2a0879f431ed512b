//! What generated scripts really run, by the model of cmd.exe's phases in `formats::cmd`: programs and arguments as they
//! arrive, in order. Wine cannot tell (its `call` does not look at percent signs and carets again).

use cbgen::facts::federation::read_federation_uri;
use cbgen::formats::cmd::phases::commands_of;
use cbgen::formats::{Format, cmd};

use super::facts::{certificates, facts};
use super::{expect_all, of_format};
use crate::support::subject::{Subject, Verdict};

/// Every command of a script on a line of its own: program, then arguments. Variables the script does
/// not set stand as `{NAME}`.
fn commands(subject: &Subject) -> Result<Vec<String>, String> {
    let environment = |name: &str| Some(format!("{{{name}}}"));
    let found = commands_of(&subject.text, &environment).map_err(|error| error.to_string())?;
    Ok(found
        .into_iter()
        .map(|command| format!("{} {}", command.program, command.arguments.join(" ")))
        .collect())
}

/// Commands that have to be there, in this order, each known by what its line holds.
fn wanted(subject: &Subject) -> Vec<String> {
    let facts = facts(subject);
    let user = facts.common_name.unwrap_or("OU=Callback,O=Acme,C=US");
    let lines: Vec<String> = match subject.path.rsplit('/').next().unwrap_or_default() {
        "apply-users.cmd" => vec![
            "rabbitmq-plugins.bat -q enable rabbitmq_auth_mechanism_ssl".into(),
            format!("rabbitmqctl.bat -q add_user {user} "),
            format!("rabbitmqctl.bat -q clear_password {user}"),
            format!("rabbitmqctl.bat -q set_user_tags {user} "),
            format!("rabbitmqctl.bat -q set_permissions -p / {user} .* .* .*"),
            "rabbitmqctl.bat -q list_permissions -p /".into(),
        ],
        "apply-upstreams.cmd" => vec!["rabbitmqctl.bat -q set_parameter -p / federation-upstream ".into(), "list_parameters".into()],
        "post-check.cmd" => vec![
            " s_client -connect ".into(),
            "netstat.exe -an -p TCP".into(),
            "findstr.exe /r /c::5672 ".into(),
            "rabbitmqctl.bat -q list_connections user peer_cert_subject auth_mechanism ssl_protocol".into(),
            "findstr.exe /c:EXTERNAL".into(),
            "findstr.exe /c:tlsv1.2".into(),
        ],
        "apply-error-page.cmd" => vec![format!(
            " -section:system.webServer/httpErrors -errorMode:Custom -defaultResponseMode:Redirect \
             -defaultPath:{}/EyeQueue/EyeQErrorPage.aspx /commit:apphost",
            facts.origin
        )],
        "apply-bindings.cmd" => vec![
            "appcmd.exe add backup ".into(),
            "/+bindings.[protocol='http',bindingInformation='127.0.0.1:80:']".into(),
            "/-bindings.[protocol='http',bindingInformation='*:80:']".into(),
        ],
        // Nobody issued a self-signed certificate, so it has no chain.
        "convert-certificate.cmd" if subject.server() == "LAB01" => vec!["-clcerts -nokeys".into(), "-nocerts -nodes".into()],
        "convert-certificate.cmd" => vec![
            "-clcerts -nokeys".into(),
            "-nocerts -nodes".into(),
            "-cacerts -nokeys".into(),
            "verify -purpose sslserver".into(),
        ],
        "apply-ws-configuration.cmd" | "apply-report-connection.cmd" | "rollback-ws-configuration.cmd" | "rollback-report-connection.cmd" => {
            // Both are read: `-b` once more for nobody's certificate, `-C` where the engineer trusts the network.
            vec!["set \"TRUST=-b\"".into(), "set \"TRUST=-C\"".into(), " -E -b -C -I -f 65001 -i ".into()]
        }
        "apply-registry.cmd" => vec![
            "reg.exe export ".into(),
            "reg.exe import {~DP0}vhqmwspath.reg /reg:64".into(),
            // Success of the import proves nothing, so every value is read back.
            ":read HKLM\\SOFTWARE\\WOW6432Node\\Virtual Hold VHQMWSPATH".into(),
        ],
        "apply-windows-tls.cmd" => vec![
            "reg.exe import {~DP0}strong-crypto.reg /reg:64".into(),
            ":read HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319 SchUseStrongCrypto".into(),
            ":read HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v4.0.30319 SystemDefaultTlsVersions".into(),
            ":read HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v2.0.50727 SchUseStrongCrypto".into(),
        ],
        _ => Vec::new(),
    };
    lines
}

/// A script runs what it has to run, in the right order, and programs get the arguments that were meant.
pub(crate) fn script(subject: &Subject) -> Verdict {
    let found = commands(subject)?;
    let mut rest = found.iter();
    for line in wanted(subject) {
        if !rest.any(|command| command.contains(&line)) {
            return Err(format!(
                "`{line}` is not run, or not where it belongs, in {found:#?}"
            ));
        }
    }
    if subject.path.ends_with("/apply-upstreams.cmd") {
        upstreams(subject, &found)
    } else {
        Ok(())
    }
}

/// The federation parameters as the broker gets them.
fn upstreams(subject: &Subject, found: &[String]) -> Verdict {
    let peer = match subject.server() {
        "CORE01" => "CORE02",
        "CORE02" => "CORE01",
        "PLANT-CB1" => "PLANT-CB2",
        "PLANT-CB2" => "PLANT-CB1",
        other => panic!("write down what {other} fetches from"),
    };
    let folder = certificates(subject).replace('\\', "/");
    for line in found.iter().filter(|line| line.contains(" set_parameter ")) {
        let json = line
            .split_once('{')
            .map(|(_, rest)| format!("{{{rest}"))
            .unwrap_or_default();
        let value: serde_json::Value =
            serde_json::from_str(&json).map_err(|error| format!("{error}: {json}"))?;
        let uri = read_federation_uri(value["uri"].as_str().unwrap_or_default())
            .map_err(|error| error.to_string())?;
        let wanted = cbgen::facts::federation::FederationUri::with_folder(peer, 5671, None, &folder);
        if uri != wanted {
            return Err(format!("{uri:?}, not {wanted:?}"));
        }
        let policy = (
            value["expires"].as_u64(),
            value["max-hops"].as_u64(),
            value["ack-mode"].as_str(),
            value["trust-user-id"].as_bool(),
        );
        if policy != (Some(300_000), Some(1), Some("on-confirm"), Some(false)) {
            return Err(json);
        }
    }
    Ok(())
}

/// The certificate of the other broker is asked for, and the broker's own client is tried, not only the service's state.
pub(crate) fn deep_check(subject: &Subject) -> Verdict {
    script(subject)?;
    let alive = ["sc.exe query RabbitMQ", "rabbitmqctl.bat -q status"];
    let found = commands(subject)?;
    let real = found
        .iter()
        .filter(|line| !alive.iter().any(|word| line.contains(word)));
    let handshake = real
        .clone()
        .any(|line| line.contains("s_client") && line.contains("-verify_hostname"));
    let own = real.clone().any(|line| line.contains("eval"));
    if handshake && own {
        Ok(())
    } else {
        Err("no real handshake is tried".to_owned())
    }
}

#[test]
fn programs_get_the_arguments_that_were_meant() {
    expect_all(&of_format(Format::Cmd), script);
    let checks: Vec<Subject> = of_format(Format::Cmd)
        .into_iter()
        .filter(|subject| subject.path.ends_with("post-check.cmd"))
        .collect();
    expect_all(&checks, deep_check);
}

#[test]
fn percent_signs_survive_one_call_when_they_are_written_four_times() {
    let arrives = |line: &str| {
        let script = format!("@echo off\n{line}\n");
        let found = commands_of(&script, &|_| None).expect("readable");
        found.last().expect("a command").arguments.clone()
    };
    assert_eq!(
        arrives("call rabbitmqctl.bat eval \"C:/Program%%%%20Files\""),
        ["eval", "C:/Program%20Files"]
    );
    assert_ne!(
        arrives("call rabbitmqctl.bat eval \"C:/Program%%20Files\""),
        ["eval", "C:/Program%20Files"]
    );
    assert_eq!(arrives("argc.exe \"%%20\""), ["%20"]);
    assert_eq!(
        cmd::cmd_call_json("{\"a\":\"%20\"}").expect("quotable"),
        "\"{\"\"a\"\":\"\"%%%%20\"\"}\""
    );
}
