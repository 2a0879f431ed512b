//! SQL Server: how Callback reaches it, with which driver, and what that driver does about TLS
//! (PRE-12, DEF-61, DEF-67, DEF-68, DEF-104).

use super::problem::Problems;
use super::{View, server_pointer};
use crate::codes;
use crate::codes::Code;
use crate::contract::artifact::Role;
use crate::diag::{code, nearest};
use crate::inventory::model::{Ole, SqlAccess, SqlAuthentication};

/// What is known about a driver or provider.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trait {
    /// Good, with encryption off unless asked for.
    Plain,
    /// Good, encrypts and validates the server's certificate unless told otherwise.
    EncryptsByDefault,
    /// Works with TLS 1.2 after an update, no longer developed.
    NativeClient,
    /// Cannot use TLS 1.2.
    NoTls12,
}

/// ODBC driver names as the ODBC administrator shows them.
/// Source: Microsoft Learn, "Major version differences" of the ODBC driver; KB 3135244.
const DRIVERS: &[(&str, Trait)] = &[
    ("ODBC Driver 11 for SQL Server", Trait::Plain),
    ("ODBC Driver 13 for SQL Server", Trait::Plain),
    ("ODBC Driver 13.1 for SQL Server", Trait::Plain),
    ("ODBC Driver 17 for SQL Server", Trait::Plain),
    ("ODBC Driver 18 for SQL Server", Trait::EncryptsByDefault),
    ("SQL Server", Trait::NoTls12),
    ("SQL Server Native Client 10.0", Trait::NativeClient),
    ("SQL Server Native Client 11.0", Trait::NativeClient),
];

/// OLE DB provider names as they stand in a connection string.
/// Source: Microsoft Learn, "Major version differences" of the OLE DB driver; KB 3135244.
const PROVIDERS: &[(&str, Trait)] = &[
    ("MSOLEDBSQL", Trait::Plain),
    ("MSOLEDBSQL19", Trait::EncryptsByDefault),
    ("SQLNCLI10", Trait::NativeClient),
    ("SQLNCLI11", Trait::NativeClient),
    ("SQLOLEDB", Trait::NoTls12),
];

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    readers(view, problems);
    access(view, problems);
    let driver = &view.inventory.sql.driver;
    let provider = view.inventory.sql.ole.as_ref().map(|ole| &ole.provider);
    let known = known_trait(DRIVERS, driver);
    let known_provider = provider.and_then(|provider| known_trait(PROVIDERS, provider));
    name(
        &Field {
            pointer: "/sql/driver",
            what: "ODBC driver",
            own: DRIVERS,
            others: PROVIDERS,
            swapped: codes::DRIVER_IS_PROVIDER,
            other_what: "OLE DB provider",
        },
        driver,
        problems,
    );
    if let Some(ole) = &view.inventory.sql.ole {
        name(
            &Field {
                pointer: "/sql/ole/provider",
                what: "OLE DB provider",
                own: PROVIDERS,
                others: DRIVERS,
                swapped: codes::PROVIDER_IS_DRIVER,
                other_what: "ODBC driver",
            },
            &ole.provider,
            problems,
        );
        login(ole, problems);
    }
    legacy(
        view,
        [known, known_provider].contains(&Some(Trait::NativeClient)),
        problems,
    );
    assumed_names(view, problems);
}

/// DEF-45: 127.0.0.1 in the table of web service paths means the machine that reads it.
fn readers(view: &View<'_>, problems: &mut Problems) {
    let silent: Vec<usize> = view
        .servers()
        .filter(|(_, server)| server.reads_ws_paths.is_none() && !server.has(Role::Management))
        .map(|(index, _)| index)
        .collect();
    if let Some(&first) = silent.first() {
        problems
            .at(
                codes::READERS_UNKNOWN,
                server_pointer(first, "/roles"),
                "it is assumed that nothing reads the table of web service paths on servers without these services",
            )
            .note("the change puts http://127.0.0.1/ into both rows, which is the machine that reads them (SQL-1, DEF-45)")
            .help("ask the vendor or look into the configuration of what runs there, and write `reads_ws_paths: false` below each such server")
            .servers(silent);
    }
    for (index, server) in view.servers() {
        if server.reads_ws_paths == Some(true) && !server.has(Role::Management) {
            problems
                .at(
                    codes::READER_WITHOUT_SERVICES,
                    server_pointer(index, "/reads_ws_paths"),
                    format!("`{}` reads addresses at 127.0.0.1 and runs no web services", server.name),
                )
                .note("the guide puts http://127.0.0.1/ into both rows, which is the machine that reads them (SQL-1, DEF-45)")
                .help("look up what reads the table on this server; it needs another way to the web services, or the role `management`");
        }
    }
}

fn access(view: &View<'_>, problems: &mut Problems) {
    let sql = &view.inventory.sql;
    let ole = sql.access.iter().position(|access| *access == SqlAccess::Ole);
    if let Some(index) = ole {
        if !sql.access.contains(&SqlAccess::Odbc) {
            problems
                .at(
                    codes::OLE_WITHOUT_ODBC,
                    format!("/sql/access/{index}"),
                    "`sql.access` has `ole` without `odbc`",
                )
                .note("the Erlang components reach the database by ODBC only (PRE-12)")
                .help("write `access: [odbc, ole]`");
        }
        if sql.ole.is_none() {
            problems
                .at(
                    codes::OLE_SECTION_MISSING,
                    format!("/sql/access/{index}"),
                    "`sql.access` has `ole`, but the section `sql.ole` is missing",
                )
                .note("the connection string of the reporting database is made from it (SQL-3, SQL-4)")
                .help("add `ole` with at least `authentication: windows`, or remove `ole` from `access`");
        }
    } else if sql.ole.is_some() {
        problems
            .at_key(
                codes::OLE_SECTION_UNUSED,
                "/sql/ole",
                "the section `sql.ole` is not used, because `sql.access` lacks `ole`",
            )
            .related("/sql/access", "no `ole` here")
            .help("add `ole` to `access`, or remove the section");
    }
}

/// A field that holds a driver or provider name.
struct Field {
    pointer: &'static str,
    what: &'static str,
    own: &'static [(&'static str, Trait)],
    others: &'static [(&'static str, Trait)],
    swapped: Code,
    other_what: &'static str,
}

fn known_trait(table: &[(&str, Trait)], name: &str) -> Option<Trait> {
    table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, known)| *known)
}

fn name(field: &Field, value: &str, problems: &mut Problems) {
    let what = field.what;
    let Some(known) = known_trait(field.own, value) else {
        if known_trait(field.others, value).is_some() {
            problems
                .at(
                    field.swapped,
                    field.pointer,
                    format!(
                        "{} is the name of an {}, not of an {what}",
                        code(value),
                        field.other_what
                    ),
                )
                .note("the two have different names even when they come from one installer (DEF-68)")
                .help(if field.swapped == codes::DRIVER_IS_PROVIDER {
                    "use a name from the ODBC administrator, for example `ODBC Driver 17 for SQL Server`"
                } else {
                    "use a provider name, for example `MSOLEDBSQL`"
                });
        } else if value.is_ascii() {
            // Other letters are refused by name (CB0360).
            let near = nearest(value, field.own.iter().map(|(name, _)| *name));
            problems
                .at(
                    codes::DRIVER_NAME_UNKNOWN,
                    field.pointer,
                    format!("the {what} {} is unknown", code(value)),
                )
                .note("a name that is not installed stops every component that uses the database")
                .help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "compare it letter by letter with the installed drivers on each server".into(),
                });
        }
        return;
    };
    match known {
        Trait::Plain => {}
        Trait::NoTls12 => {
            problems
                .at(
                    codes::DRIVER_WITHOUT_TLS12,
                    field.pointer,
                    format!("the {what} {} cannot use TLS 1.2", code(value)),
                )
                .note("it belongs to Windows and is not maintained; the guide asks for a driver with TLS 1.2 (TLS-15)")
                .help("install and name a current one: `ODBC Driver 17 for SQL Server`, `MSOLEDBSQL`");
        }
        Trait::NativeClient => {
            problems
                .at(
                    codes::NATIVE_CLIENT_DEPRECATED,
                    field.pointer,
                    format!("the {what} {} is deprecated", code(value)),
                )
                .note("Native Client needs the 2012 QFE package for TLS 1.2 and is gone from SQL Server 2022 (DEF-68)")
                .help("prefer `ODBC Driver 17 for SQL Server` and `MSOLEDBSQL`, or check that the QFE build is installed");
        }
        Trait::EncryptsByDefault => {
            problems
                .at(
                    codes::ENCRYPT_BY_DEFAULT,
                    field.pointer,
                    format!(
                        "the {what} {} encrypts and validates the certificate by default",
                        code(value)
                    ),
                )
                .note("with a self-signed certificate of SQL Server every connection fails (DEF-68)")
                .help("give SQL Server a certificate these servers trust, or use the release before");
        }
    }
}

fn login(ole: &Ole, problems: &mut Problems) {
    let given = [
        ("user", ole.user.is_some(), "/sql/ole/user"),
        ("password", ole.password.is_some(), "/sql/ole/password"),
    ];
    for (field, present, pointer) in given {
        match (ole.authentication, present) {
            (SqlAuthentication::Sql, false) => {
                problems
                    .at(
                        codes::SQL_LOGIN_INCOMPLETE,
                        "/sql/ole/authentication",
                        format!("SQL authentication needs `sql.ole.{field}`"),
                    )
                    .note("the connection string would name no login (SQL-3)")
                    .help(if field == "user" {
                        "add `user`, the name of the SQL login"
                    } else {
                        "add `password: { secret: NAME }`, the name of an environment variable; never the password itself"
                    });
            }
            (SqlAuthentication::Windows, true) => {
                problems
                    .at(
                        codes::SQL_LOGIN_UNUSED,
                        pointer,
                        format!("Windows authentication has no use for `sql.ole.{field}`"),
                    )
                    .related("/sql/ole/authentication", "Windows authentication")
                    .help(format!("remove `{field}`, or write `authentication: sql`"));
            }
            (SqlAuthentication::Sql, true) | (SqlAuthentication::Windows, false) => {}
        }
    }
    if ole
        .user
        .as_deref()
        .is_some_and(|user| user.eq_ignore_ascii_case("sa"))
    {
        problems
            .at(
                codes::SQL_USER_SA,
                "/sql/ole/user",
                "Callback logs in as `sa`, the administrator of SQL Server",
            )
            .note("whoever reads the connection string owns the whole server (DEF-104)")
            .help("create a login that may only read the reporting database");
    }
}

fn legacy(view: &View<'_>, native_client: bool, problems: &mut Problems) {
    if !view.inventory.windows_tls.disable_legacy_protocols {
        return;
    }
    let why = if view.inventory.sql.version == 2012 {
        "SQL Server 2012 before 11.0.6216.27 knows no TLS 1.2"
    } else if native_client {
        "SQL Server Native Client before its 2012 QFE package knows no TLS 1.2"
    } else {
        return;
    };
    problems
        .at(
            codes::LEGACY_PROTOCOLS_OFF,
            "/windows_tls/disable_legacy_protocols",
            "switching TLS 1.0 and 1.1 off may cut Callback off from SQL Server",
        )
        .note(why)
        .help("update the server and the drivers first, test a connection, and switch protocols off in a later change (DEF-61)");
}

fn assumed_names(view: &View<'_>, problems: &mut Problems) {
    const NAMES: [&str; 5] = [
        "ws_configuration/table",
        "ws_configuration/path_column",
        "application_settings/table",
        "application_settings/name_column",
        "application_settings/value_column",
    ];
    let assumed: Vec<String> = NAMES
        .iter()
        .filter(|name| view.is_default(&format!("/sql/names/{name}")))
        .map(|name| name.replace('/', "."))
        .collect();
    if assumed.is_empty() {
        return;
    }
    let names: Vec<&str> = assumed.iter().map(String::as_str).collect();
    problems
        .at_key(
            codes::SQL_NAMES_ASSUMED,
            "/sql/names",
            format!(
                "names in the configuration database are assumed: {}",
                super::some_names(&names)
            ),
        )
        .note(
            "the guide gives neither tables nor columns; the scripts stop when a column is missing (DEF-67)",
        )
        .help("look them up in the database and write them into `sql.names`");
}
