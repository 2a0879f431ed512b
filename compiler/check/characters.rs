//! Values whose characters no target can carry safely.
//!
//! A value that reaches a batch file passes three rounds of expansion before the program sees it, and a value in a
//! connection string has no escape that every driver reads alike. So such values are refused by name here, before
//! anything is rendered, and are not "escaped and hoped for". Folders, addresses and host names have forms of their own
//! in the schema; here are the free texts. This module must not know the quoting rules of a format.

use super::federation::key_name;
use super::problem::Problems;
use super::rabbitmq::all_login_names;
use super::{View, server_pointer, subject};
use crate::codes;
use crate::contract::path::is_device_name;
use crate::formats::unseen::look_alike;

/// Where a value ends up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A quoted argument of a batch file: letters, digits, blank and `. _ - / \ : ( ) , = @`.
    Cmd,
    /// The same without blanks, inside JSON on a command line.
    CmdJson,
    /// An OLE DB connection string inside a SQL script.
    ConnectionString,
    /// A bracketed name in a SQL script for sqlcmd.
    SqlName,
    /// A string in an Erlang term file that also becomes part of an ODBC connection string.
    Erlang,
}

impl Target {
    /// What it is, and what it carries.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cmd => (
                "a batch script (cmd)",
                r"allowed are letters, digits, blanks and `. _ - / \ : ( ) , = @`",
            ),
            Self::CmdJson => (
                "JSON on a command line (cmd)",
                r"allowed are letters, digits and `. _ - / \ : ( ) , = @`",
            ),
            Self::ConnectionString => (
                "a connection string (sql)",
                r#"printable ASCII without `; = ' " { }` and `$(` is allowed"#,
            ),
            Self::SqlName => (
                "a SQL script (sqlcmd)",
                "everything but control characters and `$(` is allowed",
            ),
            Self::Erlang => (
                "an Erlang term file (erlang)",
                r#"printable ASCII without `" \ ; { }` is allowed"#,
            ),
        }
    }

    /// The first character this target cannot carry.
    fn bad(self, value: &str) -> Option<char> {
        // `$(` starts a variable of sqlcmd everywhere, also inside quotes.
        let variable = || value.contains("$(").then_some('$');
        let cmd = |c: char| c.is_ascii_alphanumeric() || r"._-/\:(),=@".contains(c);
        match self {
            Self::Cmd => value.chars().find(|c| !cmd(*c) && *c != ' '),
            Self::CmdJson => value.chars().find(|c| !cmd(*c)),
            Self::ConnectionString => value
                .chars()
                .find(|c| c.is_control() || !c.is_ascii() || r#";='"{}"#.contains(*c))
                .or_else(variable),
            Self::SqlName => value.chars().find(|c| c.is_control()).or_else(variable),
            Self::Erlang => value
                .chars()
                .find(|c| c.is_control() || !c.is_ascii() || r#""\;{}"#.contains(*c)),
        }
    }
}

/// One value that reaches a target.
struct Value<'a> {
    pointer: String,
    text: &'a str,
    target: Target,
}

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    for value in values(view) {
        if carried(&value, problems) && matches!(value.target, Target::Cmd) {
            no_option(&value, problems);
        }
    }
    file_names(view, problems);
    for name in all_login_names(view) {
        let value = Value {
            pointer: name.pointer,
            text: name.value,
            target: Target::Cmd,
        };
        if !carried(&value, problems) {
            continue;
        }
        if name.is_subject {
            subject_form(&value, problems);
        } else {
            no_option(&value, problems);
            without_key(&value, problems);
        }
    }
    upstreams(view, problems);
}

fn values<'a>(view: &View<'a>) -> Vec<Value<'a>> {
    let inventory = view.inventory;
    let (sql, names) = (&inventory.sql, &inventory.sql.names);
    let (settings, paths) = (&names.application_settings, &names.ws_configuration);
    let mut values: Vec<Value<'a>> = Vec::new();
    let mut add = |pointer: String, text: &'a str, target: Target| {
        values.push(Value {
            pointer,
            text,
            target,
        });
    };
    add("/iis/site".into(), &inventory.iis.site, Target::Cmd);
    add("/sql/driver".into(), &sql.driver, Target::Erlang);
    add("/sql/config_database".into(), &sql.config_database, Target::Cmd);
    add(
        "/sql/report_database".into(),
        &sql.report_database,
        Target::ConnectionString,
    );
    if let Some(ole) = &sql.ole {
        add(
            "/sql/ole/provider".into(),
            &ole.provider,
            Target::ConnectionString,
        );
        if let Some(user) = &ole.user {
            add("/sql/ole/user".into(), user, Target::ConnectionString);
        }
    }
    for (pointer, name) in [
        ("ws_configuration/path_column", &paths.path_column),
        ("application_settings/name_column", &settings.name_column),
        ("application_settings/value_column", &settings.value_column),
    ] {
        add(format!("/sql/names/{pointer}"), name, Target::SqlName);
    }
    values
}

/// Reports a value its target cannot carry; whether it can.
fn carried(value: &Value<'_>, problems: &mut Problems) -> bool {
    let field = field_name(&value.pointer);
    let mut help = "rename the thing itself, on the server too; cbgen never guesses an escape";
    let what = if let Some(bad) = value.target.bad(value.text) {
        match (bad, value.target) {
            ('$', Target::SqlName | Target::ConnectionString) => "`$(`".into(),
            (bad, _) => describe(bad),
        }
    } else if value.text.trim() != value.text {
        help = "remove the blank; the thing itself rarely has one, and nobody would see it";
        "a blank at its begin or end".into()
    } else if matches!(value.target, Target::Cmd | Target::CmdJson) && value.text.ends_with('\\') {
        "a backslash at its end, which would escape the closing quote".into()
    } else {
        return true;
    };
    let (place, allowed) = value.target.words();
    problems
        .at(
            codes::UNSAFE_VALUE,
            value.pointer.as_str(),
            format!("`{field}` has {what}, which cannot be written safely into {place}"),
        )
        .note(allowed)
        .help(help);
    false
}

fn describe(character: char) -> String {
    if character == ' ' {
        "a blank".into()
    } else if character.is_control() {
        format!("the control character U+{:04X}", u32::from(character))
    } else if character.is_ascii() {
        format!("`{character}`")
    } else if let Some(like) = look_alike(character) {
        like.name(character)
    } else {
        format!("`{character}` (U+{:04X})", u32::from(character))
    }
}

/// `/servers/3/rabbitmq/subject` as an author would say it: `rabbitmq.subject`.
fn field_name(pointer: &str) -> String {
    let parts: Vec<&str> = pointer
        .split('/')
        .filter(|part| {
            !part.is_empty() && *part != "servers" && !part.bytes().all(|byte| byte.is_ascii_digit())
        })
        .collect();
    parts.join(".")
}

/// DEF-76: what `openssl` prints is `CN=` and the name; the name alone is what logs in.
fn without_key(value: &Value<'_>, problems: &mut Problems) {
    let has_key = value
        .text
        .split_once('=')
        .is_some_and(|(key, _)| key.trim().eq_ignore_ascii_case("cn"));
    if has_key {
        problems
            .at(
                codes::SUBJECT_INVALID,
                value.pointer.as_str(),
                "the Common Name cannot match: `CN=` belongs to the subject and is no part of the name",
            )
            .note("RabbitMQ takes the name behind `CN=` as the user (DEF-76)")
            .help("write what stands behind `CN=`");
    }
}

/// DEF-76, DEF-77: the subject is compared letter by letter.
fn subject_form(value: &Value<'_>, problems: &mut Problems) {
    match subject::types(value.text) {
        Err(why) => {
            problems
                .at(
                    codes::SUBJECT_INVALID,
                    value.pointer.as_str(),
                    format!("the certificate subject cannot match: {why}"),
                )
                .note("RabbitMQ compares the user name with the subject letter by letter, and refuses an empty one (DEF-76)")
                .help("copy the output of `openssl x509 -noout -subject -nameopt RFC2253 -in client_certificate.pem`");
        }
        Ok(types) if types.iter().any(|found| found == "CN" || found == "2.5.4.3") => {
            problems
                .at(
                    codes::SUBJECT_WITH_COMMON_NAME,
                    value.pointer.as_str(),
                    "the certificate subject has a Common Name",
                )
                .note("certificates with a Common Name log in by it, and Callback's client needs it as well (RMQ-13)")
                .help("write `common_name` with the value after `CN=` instead of `subject`");
        }
        Ok(_) => {}
    }
}

/// Texts of the inventory that become names of files and folders: Windows must be able to make them.
fn file_names(view: &View<'_>, problems: &mut Problems) {
    let (bundle, overrides) = (&view.inventory.bundle, &view.inventory.overrides);
    let names = [
        ("/bundle/name", Some(&bundle.name)),
        ("/bundle/version", Some(&bundle.version)),
        (
            "/overrides/rabbitmq_config_file",
            overrides.rabbitmq_config_file.as_ref(),
        ),
        (
            "/overrides/rabbitmq_json_file",
            overrides.rabbitmq_json_file.as_ref(),
        ),
    ];
    for (pointer, name) in names {
        let Some(name) = name else { continue };
        let what = if is_device_name(name) {
            "is the name of a device on Windows, with or without an extension"
        } else if name.ends_with('.') {
            "ends with a dot, which Windows drops"
        } else {
            continue;
        };
        problems
            .at(
                codes::UNSAFE_VALUE,
                pointer,
                format!("`{}` {what}", field_name(pointer)),
            )
            .note("a file or folder is named after it, and could not be made on the server")
            .help("choose another name");
    }
}

/// A name that begins with `-` is an option for rabbitmqctl, and one with `/` for the programs of Windows.
fn no_option(value: &Value<'_>, problems: &mut Problems) {
    if let Some(sign) = value
        .text
        .chars()
        .next()
        .filter(|first| matches!(first, '-' | '/'))
    {
        problems
            .at(
                codes::NAME_LIKE_OPTION,
                value.pointer.as_str(),
                format!(
                    "`{}` begins with `{sign}`, like an option",
                    field_name(&value.pointer)
                ),
            )
            .note("the program that is given it would read it as an option and not as a name")
            .help("use another name; for a certificate that means a new certificate");
    }
}

fn upstreams(view: &View<'_>, problems: &mut Problems) {
    if view.inventory.rabbitmq.is_none() {
        return;
    }
    for (index, own) in view.brokers() {
        for (position, upstream) in own.upstreams.iter().enumerate() {
            let pointer = server_pointer(index, &format!("/rabbitmq/upstreams/{position}"));
            let name = Value {
                pointer: format!("{pointer}/name"),
                text: &upstream.name,
                target: Target::Cmd,
            };
            if carried(&name, problems) {
                no_option(&name, problems);
            }
            for (key, kept) in &upstream.keep {
                if let Some(text) = kept.as_str() {
                    let value = Value {
                        pointer: format!("{pointer}/keep/{}", key_name(*key)),
                        text,
                        target: Target::CmdJson,
                    };
                    carried(&value, problems);
                }
            }
        }
    }
    encoded_folders(view, problems);
}

/// A folder with blanks becomes `%20`, written `%%%%20` in a batch file: correct, but hard to check at night.
fn encoded_folders(view: &View<'_>, problems: &mut Problems) {
    for (pointer, folder) in view.certificate_folders() {
        let plain = |c: char| c.is_ascii_alphanumeric() || r"-._~/:()\".contains(c);
        if !folder.chars().all(plain) {
            problems
                .at(
                    codes::CERTIFICATE_FOLDER_ENCODED,
                    pointer,
                    format!(
                        "the certificate folder `{folder}` must be percent-encoded in federation addresses"
                    ),
                )
                .note("a blank becomes `%%%%20` in the script, because two programs halve the percent signs")
                .help(
                    r"prefer a folder of letters, digits, `-`, `_` and `.`, for example `C:\certs\rabbitmq`",
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, describe, field_name};

    #[test]
    fn targets_refuse_what_they_cannot_carry() {
        for (target, value, bad) in [
            (Target::Cmd, r"OU=Call back,O=Acme\, Inc.,C=US", None),
            (Target::Cmd, "a&b", Some('&')),
            (Target::Cmd, "100%", Some('%')),
            (Target::Cmd, "naïve", Some('ï')),
            (Target::CmdJson, "a b", Some(' ')),
            (Target::ConnectionString, "a;b", Some(';')),
            (Target::ConnectionString, "DOMAIN\\user", None),
            (Target::SqlName, "a]b", None),
            (Target::SqlName, "$(x)", Some('$')),
            (Target::SqlName, "x$y", None),
            (Target::Erlang, "ODBC Driver 17 for SQL Server", None),
            (Target::Erlang, "a\"b", Some('"')),
            (Target::Erlang, "a\nb", Some('\n')),
        ] {
            assert_eq!(target.bad(value), bad, "{value:?}");
        }
    }

    #[test]
    fn fields_and_characters_read_well() {
        assert_eq!(
            field_name("/servers/3/rabbitmq/upstreams/0/name"),
            "rabbitmq.upstreams.name"
        );
        assert_eq!(describe('\u{7}'), "the control character U+0007");
        assert_eq!(describe('ï'), "`ï` (U+00EF)");
    }
}
