//! What RabbitMQ's own reader makes of federation addresses: those that are written, and those that are refused before a
//! broker could misread them.

use cbgen::facts::federation::{FederationUri, federation_uri, read_federation_uri};

use super::broker::installation;
use crate::harness::root;
use crate::support::program::{program, succeed};

/// An address as it is written, and what it means to RabbitMQ: host, port, virtual host, user (`guest` when none is
/// named), then what it takes from the parameters.
const ADDRESS: &str = "amqps://H?cacertfile=C:/ca&certfile=C:/c&keyfile=C:/k&verify=verify_peer&server_name_indication=H&\
                       auth_mechanism=external";
const MEANING: &str = "H:undefined <<\"/\">> guest cacertfile=C:/ca certfile=C:/c keyfile=C:/k verify=verify_peer \
                       server_name_indication=H mechanisms=[[external]]";

/// Rule, what is changed in the address, what changes in its meaning, and whether the product's own reader takes it. A
/// meaning without an arrow is the whole of it.
const CHANGES: &[(&str, (&str, &str), (&str, &str), bool)] = &[
    (
        "3.7a",
        ("C:/ca", "C:/P%20F%20(x86)/ca"),
        ("C:/ca", "C:/P F (x86)/ca"),
        true,
    ),
    // Everything behind the sign is gone: not verified, not by certificate, and no word about it.
    (
        "3.7b",
        ("C:/k", "C:/#k"),
        (
            "keyfile=C:/k verify=verify_peer server_name_indication=H mechanisms=[[external]]",
            "keyfile=C:/ server_name_indication=H mechanisms=[[plain],[amqplain]]",
        ),
        false,
    ),
    ("3.7c", ("C:/ca", "C:/a&b/ca"), ("C:/ca", "C:/a"), false),
    ("3.7d", ("C:/ca", "C:/50%/ca"), ("", "error"), false),
    ("3.7e", ("C:/ca", "C:/a+b/ca"), ("C:/ca", "C:/a+b/ca"), true),
    ("3.7f", ("H?", "H/?"), ("<<\"/\">>", "<<>>"), false),
    ("3.7g", ("//H", "//a@b:c@H"), ("", "error"), false),
    ("3.7g", ("//H", "//a:b@H"), ("guest", "a"), false),
    ("3.7g", ("//H", "//a%40b%3Ac@H"), ("guest", "a@b:c"), true),
    // One letter arrives as the two bytes of its UTF-8.
    ("3.7h", ("C:/ca", "C:/%C3%BC"), ("C:/ca", "C:/<C3><BC>"), false),
    // The name of a function that does not exist.
    (
        "3.7i",
        ("=external", "=EXTERNAL"),
        ("[external]", "['EXTERNAL']"),
        false,
    ),
    (
        "3.7j",
        ("&auth_mechanism=external", ""),
        ("[external]", "[plain],[amqplain]"),
        false,
    ),
    (
        "3.7k",
        ("&verify", "&versions=tlsv1.2&verify"),
        ("", MEANING),
        false,
    ),
];

fn read(addresses: &[String]) -> Vec<String> {
    let mut command = program("escript");
    command
        .env("ERL_LIBS", installation().join("plugins"))
        .arg(root().join("tests/rabbitmq/client.escript"))
        .arg("uri")
        .args(addresses);
    let printed = succeed(&mut command);
    // A warning of RabbitMQ about an address stands before its line.
    printed
        .lines()
        .filter(|line| line.contains(" mechanisms=") || *line == "error")
        .map(str::to_owned)
        .collect()
}

#[test]
fn addresses_mean_to_rabbitmq_what_the_rules_say() {
    let mut addresses = vec![ADDRESS.to_owned()];
    for (rule, (from, to), ..) in CHANGES {
        let changed = ADDRESS.replacen(from, to, 1);
        assert_ne!(changed, ADDRESS, "{rule}: {from}");
        addresses.push(changed);
    }
    let found = read(&addresses);
    assert_eq!(found.len(), addresses.len(), "{found:#?}");
    assert_eq!(found[0], MEANING);
    for (((rule, _, (from, to), accepted), address), found) in
        CHANGES.iter().zip(&addresses[1..]).zip(&found[1..])
    {
        let expected = if from.is_empty() {
            (*to).to_owned()
        } else {
            MEANING.replacen(from, to, 1)
        };
        assert_eq!(found, &expected, "{rule}: {address}");
        let own = read_federation_uri(address);
        assert_eq!(own.is_ok(), *accepted, "{rule}: {address}: {own:?}");
    }
}

/// Folders with every character that means something in an address.
#[test]
fn folders_arrive_at_rabbitmq_as_they_are_written() {
    let folders = [
        "C:/a#b",
        "C:/a&b=c",
        "C:/50%",
        "C:/a+b",
        "C:/x (y) z",
        "C:/a;b,c",
        "C:/a'b@d",
        "C:/%20",
    ];
    let written: Vec<String> = folders
        .iter()
        .map(|folder| {
            federation_uri(&FederationUri::with_folder("H", 5671, None, folder)).expect("an address")
        })
        .collect();
    let found = read(&written);
    for (folder, found) in folders.iter().zip(&found) {
        let expected = format!(
            "H:undefined <<\"/\">> guest cacertfile={folder}/ca_certificate.pem certfile={folder}/client_certificate.pem \
             keyfile={folder}/client_key.pem verify=verify_peer server_name_indication=H mechanisms=[[external]]"
        );
        assert_eq!(found, &expected);
    }
    assert_eq!(found.len(), folders.len());
}
