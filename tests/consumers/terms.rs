//! Erlang terms in Erlang: `file:consult` of every file, and keyed edits applied to sample files.

use cbgen::formats::Format;

use super::facts::{certificates, facts};
use super::{expect_all, of_format, same};
use crate::harness::root;
use crate::support::program::{finish, folder, program, write};
use crate::support::subject::{Subject, Verdict};

/// What the terms of a file are, or what a sample file has become, in Erlang's own spelling.
pub(crate) fn terms(subject: &Subject) -> Verdict {
    let folder = folder();
    let file = folder.path().join("subject");
    write(&file, subject.bytes()?);
    let script = root().join("tests/fixtures/erlang/terms.escript");
    let mut escript = program("escript");
    escript.arg(script).env("HOME", folder.path());
    let edits = subject.path.ends_with(".set");
    if edits {
        let sample = root()
            .join("tests/fixtures/vendor")
            .join(sample_of(&subject.path));
        let before = std::fs::read(&sample).map_err(|error| error.to_string())?;
        let after = folder.path().join("after");
        write(&after, super::edited(subject, &before)?);
        escript.arg("consult").arg(sample).arg(after);
    } else {
        escript.arg("consult").arg(&file);
    }
    let ran = finish(&mut escript);
    if ran.code != 0 {
        return Err(format!("{}{}", ran.stdout, ran.stderr));
    }
    if !edits {
        return same("terms", &ran.stdout, &broker(subject));
    }
    let (before, after) = ran.stdout.split_once('\n').ok_or("nothing was printed")?;
    same("the sample after the edits", after, &edited(subject, before))
}

fn sample_of(path: &str) -> String {
    let component = path.split('/').nth(3).unwrap_or_default();
    format!("{component}.site.config")
}

/// Every sample has exactly one place for each edit.
fn edited(subject: &Subject, before: &str) -> String {
    let facts = facts(subject);
    let driver = format!("{{driver,\"{}\"}}", facts.driver);
    let driver = ("{driver,\"SQL Server\"}", driver.as_str());
    let edits: &[(&str, &str)] = if subject.path.ends_with(".driver.set") {
        &[driver]
    } else if subject.path.contains("/Notification Server/") {
        &[
            (
                "http://server/VHTPlatformWS-v5",
                "http://127.0.0.1/VHTPlatformWS-v5",
            ),
            ("http://server/EyeQueue/NoAccessPage", facts.no_access),
        ]
    } else {
        &[
            (
                "{auth_api_url,\"http://server:2800\"}",
                "{auth_api_url,\"http://127.0.0.1:2800\"}",
            ),
            driver,
        ]
    };
    edits
        .iter()
        .fold(before.to_owned(), |text, (from, to)| text.replacen(from, to, 1))
}

/// `rabbitmq.config` as the guide and its corrections ask for it.
fn broker(subject: &Subject) -> String {
    let facts = facts(subject);
    let folder = certificates(subject).replace('\\', "/");
    let login = if facts.common_name.is_some() {
        "common_name"
    } else {
        "distinguished_name"
    };
    format!(
        "[[{{rabbit,[{{log,[{{categories,[{{connection,[{{level,{level}}}]}}]}}]}},{{ssl_cert_login_from,{login}}},\
         {{tcp_listeners,[]}},{{auth_mechanisms,['EXTERNAL']}},{{ssl_listeners,[5671]}},{{ssl_options,\
         [{{cacertfile,\"{folder}/ca_certificate.pem\"}},{{certfile,\"{folder}/server_certificate.pem\"}},\
         {{keyfile,\"{folder}/server_key.pem\"}},{{verify,verify_peer}},{{depth,{depth}}},{{versions,['tlsv1.2']}},\
         {{fail_if_no_peer_cert,true}}]}}]}},{{amqp_client,[{{ssl_options,[{{versions,['tlsv1.2']}}]}}]}}]]",
        level = facts.log_level,
        depth = facts.depth
    )
}

/// What RabbitMQ 3.8 does with `log_levels` when it starts, which later brokers no longer show: it maps over pairs of a
/// name and a level.
pub(crate) fn starts_with_log_levels(levels: &str) -> bool {
    let expression = format!(
        "try lists:map(fun({{_Name, Level}}) when is_atom(Level) -> Level end, {levels}), halt(0) catch _:function_clause -> halt(3) end."
    );
    finish(program("erl").args(["-noshell", "-eval", &expression])).code == 0
}

#[test]
fn erlang_reads_every_file_of_terms() {
    expect_all(&of_format(Format::Erlang), terms);
}

#[test]
fn the_log_levels_of_the_guide_stop_an_old_broker() {
    assert!(!starts_with_log_levels("[connection,debug]"));
    assert!(starts_with_log_levels("[{connection,debug}]"));
    for subject in of_format(Format::Erlang) {
        assert!(!subject.text.contains("log_levels"), "{}", subject.path);
    }
}
