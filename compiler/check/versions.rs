//! Which releases go together: Windows, .NET, SQL Server (PRE-8 to PRE-11, DEF-62), product and RabbitMQ
//! (PRE-13 to PRE-15, DEF-100).

use std::fmt::Write as _;

use super::problem::Problems;
use super::{View, server_pointer};
use crate::codes;
use crate::diag::one_of;
use crate::facts::version_numbers;
use crate::inventory::model::{Server, WindowsVersion};

/// What PRE-8, PRE-9 and PRE-10 allow beside a release of SQL Server.
struct Platform {
    requirement: &'static str,
    windows: &'static [WindowsVersion],
    dotnet: &'static [&'static str],
}

/// DEF-62: the guide asks for "Windows 2017" beside SQL Server 2017; 2016 and 2019 are its neighbours.
fn platform(sql: u16) -> Option<Platform> {
    use WindowsVersion::{W2012, W2012R2, W2016, W2019};
    match sql {
        2012 => Some(Platform {
            requirement: "PRE-8",
            windows: &[W2012, W2012R2],
            dotnet: &["4.6.1", "4.6.2", "4.7.0"],
        }),
        2016 => Some(Platform {
            requirement: "PRE-9",
            windows: &[W2016],
            dotnet: &["4.7.0", "4.7.1"],
        }),
        2017 => Some(Platform {
            requirement: "PRE-10",
            windows: &[W2016, W2019],
            dotnet: &["4.7.0", "4.7.1", "4.7.2"],
        }),
        _ => None,
    }
}

/// A table of what goes together, for the reference.
pub fn platforms() -> String {
    let mut text =
        String::from("| `sql.version` | `windows` | `dotnet` | requirement |\n| --- | --- | --- | --- |\n");
    let quoted = |items: &[&str]| {
        let items: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
        items.join(", ")
    };
    for sql in [2012, 2016, 2017] {
        if let Some(platform) = platform(sql) {
            let windows: Vec<&str> = platform.windows.iter().map(|windows| release(*windows)).collect();
            let _ = writeln!(
                text,
                "| `{sql}` | {} | {} | {} |",
                quoted(&windows),
                quoted(platform.dotnet),
                platform.requirement
            );
        }
    }
    text.push_str(
        "\nWindows Server 2019 comes with .NET 4.7.2, and an earlier one cannot be installed on it.\n",
    );
    text
}

fn release(windows: WindowsVersion) -> &'static str {
    match windows {
        WindowsVersion::W2012 => "2012",
        WindowsVersion::W2012R2 => "2012r2",
        WindowsVersion::W2016 => "2016",
        WindowsVersion::W2019 => "2019",
    }
}

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    let sql = view.inventory.sql.version;
    if let Some(platform) = platform(sql) {
        for (index, server) in view.servers() {
            server_platform(sql, &platform, index, server, problems);
        }
    }
    if sql == 2012 {
        problems
            .at(
                codes::COMPATIBILITY_MATRIX,
                "/sql/version",
                "SQL Server 2012 needs the build 11.0.6216.27 or later for TLS 1.2",
            )
            .note("the guide asks to check Windows and IIS in the vendor's Compatibility and Integration Matrix before the registry is changed (PRE-8, PRE-11)")
            .help("run `SELECT SERVERPROPERTY('ProductVersion')` and read the matrix before the change window");
    }
    if sql == 2017 {
        problems
            .at(
                codes::WINDOWS_FOR_SQL_2017,
                "/sql/version",
                "the guide asks for `Windows 2017` beside SQL Server 2017, which does not exist",
            )
            .note("Windows Server 2016 and 2019 are accepted instead (DEF-62)")
            .help("ask the vendor which of the two is supported for this product version");
    }
    brokers(view, problems);
}

fn server_platform(sql: u16, platform: &Platform, index: usize, server: &Server, problems: &mut Problems) {
    let fits = platform.windows.contains(&server.windows);
    if !fits {
        problems
            .at(
                codes::WINDOWS_NOT_FOR_SQL,
                server_pointer(index, "/windows"),
                format!(
                    "`{}` runs Windows Server {}, which does not go with SQL Server {sql}",
                    server.name,
                    release(server.windows)
                ),
            )
            .related("/sql/version", "the SQL Server release")
            .note(format!(
                "{} allows {}",
                platform.requirement,
                one_of(platform.windows.iter().map(|windows| release(*windows)))
            ))
            .help("correct `windows` or `sql.version`; the bundle would switch protocols on a platform the vendor does not support");
    }
    let Some(wanted) = dotnet(&server.dotnet) else {
        return;
    };
    let (reason, place, what, note, remedy) = if !platform
        .dotnet
        .iter()
        .any(|allowed| dotnet(allowed) == Some(wanted))
    {
        (
            format!("SQL Server {sql}"),
            "/sql/version".to_owned(),
            "the SQL Server release",
            format!(
                "{} allows {}",
                platform.requirement,
                one_of(platform.dotnet.iter().copied())
            ),
            "correct `dotnet` or `sql.version`, or plan the .NET update before this change",
        )
    } else if fits && server.windows == WindowsVersion::W2019 && wanted < (4, 7, 2) {
        (
            "Windows Server 2019".to_owned(),
            server_pointer(index, "/windows"),
            "the Windows release",
            "Windows Server 2019 comes with 4.7.2; an earlier version cannot be installed on it".to_owned(),
            "write `4.7.2`, or correct `windows`",
        )
    } else {
        return;
    };
    problems
        .at(
            codes::DOTNET_NOT_FOR_SQL,
            server_pointer(index, "/dotnet"),
            format!(
                "`{}` has .NET Framework {}, which does not go with {reason}",
                server.name, server.dotnet
            ),
        )
        .related(place, what)
        .note(note)
        .help(remedy);
}

/// Numbers of a .NET version; `4.7` and `4.7.0` are the same release.
fn dotnet(text: &str) -> Option<(u16, u16, u16)> {
    let mut parts = text.split('.').map(str::parse::<u16>);
    let major = parts.next()?.ok()?;
    let minor = parts.next()?.ok()?;
    let patch = parts.next().map_or(Some(0), Result::ok)?;
    Some((major, minor, patch))
}

fn brokers(view: &View<'_>, problems: &mut Problems) {
    let product = &view.inventory.product;
    let covered = version_numbers(&product.version) < [9, 5, 4];
    if product.high_availability && view.inventory.servers.len() == 1 {
        problems
            .at(
                codes::HA_WITH_ONE_SERVER,
                "/product/high_availability",
                "this high availability installation has one server",
            )
            .help("list every server of the installation, also those that need no change");
    }
    let Some(rabbitmq) = &view.inventory.rabbitmq else {
        if product.high_availability && !product.agent_priority && covered {
            problems
                .at(
                    codes::HA_WITHOUT_RABBITMQ,
                    "/product/high_availability",
                    "this high availability installation has no section `rabbitmq`",
                )
                .note("messages between the servers stay unencrypted, with password login (PRE-13)")
                .help("describe the brokers in `rabbitmq`, or record why they stay as they are");
        }
        return;
    };
    let of_servers = view.servers().any(|(_, server)| server.rabbitmq.is_some());
    let remove = if of_servers {
        "remove the section, and `rabbitmq` of each server with it"
    } else {
        "remove the section"
    };
    if !product.high_availability {
        problems
            .at_key(
                codes::RABBITMQ_WITHOUT_HA,
                "/rabbitmq",
                "the section `rabbitmq` needs a high availability installation",
            )
            .related("/product/high_availability", "not highly available")
            .note("the procedure applies to High Availability solutions only (PRE-13)")
            .help(format!(
                "set `product.high_availability: true` if this is one, or {remove}"
            ));
    }
    if product.agent_priority {
        problems
            .at_key(
                codes::RABBITMQ_WITH_AGENT_PRIORITY,
                "/rabbitmq",
                "the section `rabbitmq` does not apply to Agent Priority integrations",
            )
            .related("/product/agent_priority", "Agent Priority is integrated")
            .note("the guide excludes them (PRE-14): their clients cannot log in with certificates")
            .help(remove);
    }
    if !covered {
        problems
            .at_key(
                codes::RABBITMQ_NOT_FOR_PRODUCT,
                "/rabbitmq",
                format!(
                    "the section `rabbitmq` covers product 9.2.0 to 9.5.3, not {}",
                    product.version
                ),
            )
            .related("/product/version", "the product version")
            .note("from 9.5.4 on another article of the vendor applies (PRE-15, DEF-100)")
            .help(format!("{remove}; everything else compiles without them"));
    }
    if !matches!(version_numbers(&rabbitmq.version), [3, 8, _]) {
        problems
            .at(
                codes::RABBITMQ_VERSION_UNPROVEN,
                "/rabbitmq/version",
                format!(
                    "the rules for RabbitMQ are written for 3.8, not {}",
                    rabbitmq.version
                ),
            )
            .note("other releases read other configuration keys, for example for logging")
            .help("check the version in the folder name below `RabbitMQ Server`");
    }
}

#[cfg(test)]
mod tests {
    use super::dotnet;

    #[test]
    fn dotnet_versions_fill_up_with_zero() {
        assert_eq!(dotnet("4.7"), dotnet("4.7.0"));
        assert_eq!(dotnet("4.7.2"), Some((4, 7, 2)));
        assert_eq!(dotnet("four"), None);
    }
}
