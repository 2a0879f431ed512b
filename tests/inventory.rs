//! Reading inventories from the repository: the shipped ones load, every error case gives exactly its findings.

use cbgen::diag::Diagnostics;
use cbgen::inventory::{Loaded, ReadInput, Schema, load};
use cbgen::source::Sources;

/// Reads below a folder of the repository.
struct Folder(std::path::PathBuf);

impl ReadInput for Folder {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository itself")]
    fn read(&self, path: &str) -> Result<Vec<u8>, std::io::Error> {
        std::fs::read(self.0.join(path))
    }
}

fn repository() -> std::path::PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn findings(diagnostics: &Diagnostics, sources: &Sources) -> Vec<String> {
    diagnostics
        .sorted(sources)
        .iter()
        .map(|finding| {
            let place = finding
                .primary
                .as_ref()
                .and_then(|label| sources.locate(label.span));
            let place = match place {
                Some((name, position)) => format!("{name}:{}:{}", position.line, position.column),
                None => finding.file.clone().unwrap_or_default(),
            };
            format!("{} {place}", finding.code.id())
        })
        .collect()
}

fn read(folder: std::path::PathBuf, name: &str) -> (Option<Loaded>, Diagnostics, Sources) {
    let (mut diagnostics, mut sources) = (Diagnostics::new(), Sources::new());
    let loaded = load(
        &mut diagnostics,
        &mut sources,
        &Folder(folder),
        &Schema::new(),
        name,
    );
    (loaded.ok(), diagnostics, sources)
}

#[expect(clippy::disallowed_methods, reason = "tests read the repository itself")]
fn sorted_names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder of the repository")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn shipped_inventories_load_without_findings() {
    let inventories = repository().join("inventories");
    for name in sorted_names(&inventories)
        .iter()
        .filter(|name| name.as_str() != "shared")
    {
        let (loaded, diagnostics, sources) = read(repository(), &format!("inventories/{name}"));
        let messages: Vec<&str> = diagnostics
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert!(
            loaded.is_some(),
            "{name}: {:?} {messages:?}",
            findings(&diagnostics, &sources)
        );
    }
}

#[test]
fn every_finding_of_the_reader_has_a_remedy() {
    let cases = repository().join("tests/errors");
    let ours = |name: &String| ("CB00".."CB03").contains(&name.as_str());
    let mut count = 0;
    for case in sorted_names(&cases).into_iter().filter(ours) {
        // Front matter is read by the same reader, but not from an inventory.
        // A case with a command of its own may not name an inventory at all.
        if cases.join(&case).join("templates").is_dir() || cases.join(&case).join("command.txt").is_file() {
            continue;
        }
        let (loaded, diagnostics, sources) = read(cases.join(&case), "inventory.yaml");
        assert!(loaded.is_none(), "{case} loads");
        let found = findings(&diagnostics, &sources);
        let code = case.split('_').next().unwrap_or_default();
        assert!(
            found.iter().any(|line| line.starts_with(code)),
            "{case} does not give its code"
        );
        assert!(
            diagnostics.iter().all(|finding| finding.help.is_some()),
            "{case}: a finding without help"
        );
        count += 1;
    }
    assert!(count > 50, "only {count} cases");
}

/// The schema editors read (`# yaml-language-server: $schema=…`) is the one of the types.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests read and bless the repository itself"
)]
fn published_schema_is_current() {
    let file = repository().join("docs/inventory.schema.json");
    let mut wanted = serde_json::to_string_pretty(&Schema::json()).expect("serializable");
    wanted.push('\n');
    if std::env::var("CBGEN_BLESS").is_ok() {
        std::fs::write(&file, &wanted).expect("writable");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/inventory.schema.json is old; run the tests with CBGEN_BLESS=1"
    );
}

/// Schemas for editors of other files, and the reference page: made from the types as well.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests read and bless the repository itself"
)]
fn reference_and_other_schemas_are_current() {
    let pretty = |schema: serde_json::Value| format!("{schema:#}\n");
    for (name, wanted) in [
        ("inventory.md", cbgen::reference::page()),
        ("layer.schema.json", pretty(Schema::layer())),
        ("project.schema.json", pretty(Schema::project())),
    ] {
        let file = repository().join("docs").join(name);
        if std::env::var("CBGEN_BLESS").is_ok() {
            std::fs::write(&file, &wanted).expect("writable");
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == wanted,
            "docs/{name} is old; run the tests with CBGEN_BLESS=1"
        );
    }
}

/// Every condition that switches an artifact is met by one shipped inventory and not by another.
#[test]
fn shipped_inventories_switch_every_condition() {
    use cbgen::contract::artifact::Role;
    use cbgen::inventory::model::{Inventory, SqlAccess, SqlAuthentication};
    use cbgen::inventory::scalars::product_version;

    type Condition = (&'static str, fn(&Inventory) -> bool);
    let conditions: &[Condition] = &[
        ("9.2.0 to 9.5.2", |i| {
            product_version(&i.product.version).unwrap() < [9, 5, 3]
        }),
        ("9.5.3", |i| {
            product_version(&i.product.version).unwrap() == [9, 5, 3]
        }),
        ("9.5.4 and later", |i| {
            product_version(&i.product.version).unwrap() > [9, 5, 3]
        }),
        ("a combined server", |i| {
            i.servers.iter().any(|s| s.roles.len() == 2)
        }),
        ("a Core server alone", |i| {
            i.servers.iter().any(|s| s.roles == [Role::Core])
        }),
        ("a Management server alone", |i| {
            i.servers.iter().any(|s| s.roles == [Role::Management])
        }),
        ("high availability", |i| i.product.high_availability),
        ("several Management servers", |i| {
            i.servers
                .iter()
                .filter(|s| s.roles.contains(&Role::Management))
                .count()
                > 1
        }),
        ("Agent Priority", |i| i.product.agent_priority),
        ("RabbitMQ with a Common Name", |i| {
            i.rabbitmq.as_ref().is_some_and(|r| r.common_name.is_some())
        }),
        ("RabbitMQ without one", |i| {
            i.rabbitmq.as_ref().is_some_and(|r| r.subject.is_some())
        }),
        ("SQL Server 2012", |i| i.sql.version == 2012),
        ("SQL Server 2016", |i| i.sql.version == 2016),
        ("SQL Server 2017", |i| i.sql.version == 2017),
        ("OLE", |i| i.sql.access.contains(&SqlAccess::Ole)),
        ("Windows login", |i| {
            i.sql
                .ole
                .as_ref()
                .is_some_and(|o| o.authentication == SqlAuthentication::Windows)
        }),
        ("SQL login", |i| {
            i.sql
                .ole
                .as_ref()
                .is_some_and(|o| o.authentication == SqlAuthentication::Sql)
        }),
        ("port 443", |i| i.proxy.https_port == 443),
        ("a plain listener", |i| i.proxy.http_port.is_some()),
        ("a trailing slash", |i| i.proxy.config_trailing_slash),
        ("X-Frame-Options", |i| i.iis.x_frame_options.is_some()),
        ("the error page", |i| i.iis.custom_error_page),
        ("old protocols off", |i| i.windows_tls.disable_legacy_protocols),
        ("the firewall", |i| i.network.firewall),
        ("Erlang ports", |i| i.network.erlang_ports.is_some()),
        ("another proxy for a Core server", |i| {
            i.servers.iter().any(|s| s.proxy.is_some())
        }),
    ];
    let inventories: Vec<Inventory> = sorted_names(&repository().join("inventories"))
        .iter()
        .filter(|name| name.as_str() != "shared")
        .map(|name| {
            read(repository(), &format!("inventories/{name}"))
                .0
                .expect("loads")
                .inventory
        })
        .collect();
    for (what, holds) in conditions {
        assert!(inventories.iter().any(holds), "no shipped inventory has {what}");
        assert!(
            !inventories.iter().all(holds),
            "every shipped inventory has {what}"
        );
    }
}
