//! Tests of the whole way from bytes to an inventory, in memory.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use proptest::prelude::*;

use super::*;

const GOOD: &str = r"schema: cbgen/v1
bundle: { name: acme-lab, version: '2026.1' }
product: { version: 9.5.3, high_availability: false }
proxy: { fqdn: callback.acme.example }
certificate: { kind: ca_issued, pfx: 'D:\handoff\callback.pfx' }
sql: { version: 2016, server: SQL01, access: [odbc] }
servers:
  - name: CB01
    fqdn: cb01.acme.example
    roles: [core, management]
    windows: 2016
    dotnet: 4.7.1
";

struct Memory(BTreeMap<String, Vec<u8>>);

impl ReadInput for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, io::Error> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Run {
    loaded: Option<Loaded>,
    diagnostics: Diagnostics,
    sources: Sources,
}

fn run(files: &[(&str, &[u8])]) -> Run {
    let memory = Memory(
        files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
            .collect(),
    );
    let (mut diagnostics, mut sources) = (Diagnostics::new(), Sources::new());
    let name = files.first().map_or("a.yaml", |(name, _)| name);
    let loaded = load(&mut diagnostics, &mut sources, &memory, shared_schema(), name).ok();
    Run {
        loaded,
        diagnostics,
        sources,
    }
}

/// A file that loads.
fn loaded(text: &str) -> Loaded {
    run(&[("a.yaml", text.as_bytes())]).loaded.expect("loads")
}

fn shared_schema() -> &'static Schema {
    static SCHEMA: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(Schema::new);
    &SCHEMA
}

/// Every text a finding shows, source lines as a renderer shows them.
fn shown(run: &Run) -> String {
    let mut text = String::new();
    for finding in run.diagnostics.iter() {
        writeln!(text, "{} {}", finding.code.id(), finding.message).unwrap();
        for extra in finding.notes.iter().chain(&finding.help) {
            writeln!(text, "  {extra}").unwrap();
        }
        for label in finding.primary.iter().chain(&finding.related) {
            let file = run.sources.get(label.span.file).expect("known file");
            let line = file
                .line(file.position(label.span.start as usize).line)
                .unwrap_or_default();
            // No renderer shows anything of a redacted line.
            text.push_str(if finding.redact { "…" } else { line });
            text.push('\n');
        }
    }
    text
}

fn check_places(pointer: &str, value: Option<&str>, key: Option<&str>) {
    let run = run(&[("a.yaml", GOOD.as_bytes())]);
    let places = run.loaded.expect("loads").places;
    let text = |span: crate::source::Span| run.sources.get(span.file)?.text().get(span.range());
    assert_eq!(places.value(pointer).and_then(text), value, "value of {pointer}");
    assert_eq!(places.key(pointer).and_then(text), key, "key of {pointer}");
    assert_eq!(places.is_default(pointer), value.is_none(), "default {pointer}");
}

#[test]
fn places_lead_to_the_bytes() {
    check_places("/proxy/fqdn", Some("callback.acme.example"), Some("fqdn"));
    check_places("/servers/0", Some("name: CB01"), Some("name"));
    check_places("/servers/0/roles/1", Some("management"), Some("management"));
    check_places(
        "/certificate/pfx",
        Some(r"'D:\handoff\callback.pfx'"),
        Some("pfx"),
    );
    check_places(
        "/bundle",
        Some("{ name: acme-lab, version: '2026.1' }"),
        Some("bundle"),
    );
    check_places("", Some("schema: cbgen/v1"), None);
    check_places("/proxy/https_port", None, None);
    check_places("/servers/7/name", None, None);
    check_places("/schema/x", None, None);
}

#[test]
fn nearest_climbs_to_what_is_written() {
    let places = loaded(GOOD).places;
    assert_eq!(places.nearest("/proxy/https_port"), places.key("/proxy"));
    assert_eq!(
        places.nearest("/servers/0/rabbitmq/upstreams/0"),
        places.key("/servers/0")
    );
    assert_eq!(places.nearest("/network/firewall"), places.value(""));
    assert_eq!(Places::empty().nearest("/x"), None);
}

#[test]
fn scalars_come_in_file_order() {
    let run = run(&[
        ("a.yaml", format!("extends: b.yaml\n{GOOD}").as_bytes()),
        ("b.yaml", b"iis:\n  site: Callback\n"),
    ]);
    let loaded = run.loaded.expect("loads");
    let pointers: Vec<String> = loaded.places.scalars().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers.first().map(String::as_str), Some("/schema"));
    assert_eq!(pointers.last().map(String::as_str), Some("/iis/site"));
    for pointer in &pointers {
        assert!(loaded.value.pointer(pointer).is_some(), "{pointer}");
    }
    let names: Vec<&str> = loaded.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["a.yaml", "b.yaml"]);
}

#[test]
fn layers_merge_maps_and_replace_the_rest() {
    let top = GOOD.replace(
        "proxy: { fqdn: callback.acme.example }",
        "proxy: { fqdn: callback.acme.example, http_port: null, tls_protocols: [TLSv1.3] }",
    );
    let run = run(&[
        (
            "x/a.yaml",
            format!("extends: [../s/one.yaml, ../s/two.yaml]\n{top}").as_bytes(),
        ),
        (
            "s/one.yaml",
            b"proxy: { https_port: 8443, http_port: 8081, tls_protocols: [TLSv1.2] }\n",
        ),
        ("s/two.yaml", b"extends: one.yaml\nproxy: { https_port: 9443 }\n"),
    ]);
    let proxy = run.loaded.expect("loads").inventory.proxy;
    assert_eq!(proxy.https_port, 9443, "a later layer wins");
    assert_eq!(proxy.http_port, None, "null takes away");
    assert_eq!(proxy.tls_protocols, [model::TlsProtocol::Tls13], "lists replace");
}

#[test]
fn a_shared_layer_takes_nothing_back() {
    let run = run(&[
        (
            "a.yaml",
            format!("extends: [d1.yaml, d2.yaml]\n{GOOD}").as_bytes(),
        ),
        ("d1.yaml", b"extends: base.yaml\niis: { site: One }\n"),
        ("d2.yaml", b"extends: base.yaml\n"),
        ("base.yaml", b"iis: { site: Base }\n"),
    ]);
    let site = run.loaded.expect("loads").inventory.iis.site;
    assert_eq!(site, "One", "the base lies below both");
}

#[test]
fn null_depth_differs_from_no_depth() {
    let with = |line: &str| {
        let text =
            GOOD.to_owned() + &format!("rabbitmq: {{ certificates: 'C:\\certs', common_name: mq{line} }}\n");
        loaded(&text).inventory.rabbitmq.expect("there").depth
    };
    assert_eq!(
        (with(""), with(", depth: null"), with(", depth: 5")),
        (Some(2), None, Some(5))
    );
}

#[test]
fn marks_and_line_ends_of_windows_are_accepted() {
    let text = format!("\u{FEFF}{}", GOOD.replace('\n', "\r\n"));
    let run = run(&[("a.yaml", text.as_bytes())]);
    let places = run.loaded.expect("loads").places;
    let position = places.value("/schema").and_then(|span| run.sources.locate(span));
    assert_eq!(
        position.map(|(_, at)| (at.line, at.column)),
        Some((1, 9)),
        "the mark is not counted"
    );
}

#[test]
fn anchors_share_values() {
    let text = GOOD.replace("acme-lab", "&a acme-lab") + "iis: { site: *a }\n";
    let loaded = loaded(&text);
    assert_eq!(loaded.inventory.iis.site, "acme-lab");
    assert_eq!(
        loaded.places.value("/iis/site"),
        loaded.places.value("/bundle/name")
    );
}

#[test]
fn too_large_files_are_refused_by_size_and_by_the_reader() {
    let run = run(&[("a.yaml", &vec![b'#'; MAX_INPUT_BYTES + 1])]);
    assert!(shown(&run).starts_with("CB0003"), "{}", shown(&run));
}

#[test]
fn passwords_are_never_shown() {
    let password = "hunter2hunter2";
    let ole = |rest: &str| {
        GOOD.replace(
            "access: [odbc] }",
            &format!("access: [odbc, ole], ole: {{ authentication: sql, user: u{rest} }} }}"),
        )
    };
    let block = |rest: &str| GOOD.to_owned() + rest;
    for text in [
        ole(&format!(", password: {password}")),
        ole(&format!(", password: [{password}]")),
        ole(&format!(", password: {{ secret: {password} }}")),
        ole(&format!(", password: {{ secret: {{ x: {password} }} }}")),
        ole(&format!(", password: {{ secrets: {password} }}")),
        ole(&format!(", passwort: {password}")),
        ole(&format!(", password: !secret {password}")),
        ole(&format!(", password: '{password}")),
        ole(&format!(", password: @{password}")),
        GOOD.replace("SQL01", &format!("'Server=SQL01;Password={password}'")),
        GOOD.replace("callback.acme.example", &format!("'https://u:{password}@x'"))
            .replace("proxy: {", "proxy: { pwd: x, "),
        block(&format!(
            "overrides:\n  no_access_page_url: https://u:{password}@x.example/\n"
        )),
        block(&format!("password: {password}\npassword: {password}\n")),
    ] {
        let run = run(&[("a.yaml", text.as_bytes())]);
        assert!(run.loaded.is_none(), "{text}");
        assert!(!shown(&run).contains(password), "{text}\n{}", shown(&run));
    }
}

#[test]
fn a_thousand_servers_are_read_in_linear_time() {
    let mut text = GOOD.to_owned();
    for number in 0..1000 {
        write!(
            text,
            "  - name: CB{number}x\n    fqdn: cb{number}.acme.example\n    roles: [core]\n    windows: 2016\n    dotnet: 4.7.1\n"
        ).unwrap();
    }
    let loaded = loaded(&text);
    assert_eq!(loaded.inventory.servers.len(), 1001);
    let found = loaded
        .places
        .scalars()
        .filter(|(pointer, _)| loaded.places.value(pointer).is_some())
        .count();
    assert!(found > 5000);
}

#[test]
fn hostile_shapes_end_quickly() {
    let mut unknown = String::new();
    for number in 0..20_000 {
        writeln!(unknown, "k{number}: {number}").unwrap();
    }
    for text in [
        "[".repeat(200_000),
        "{a: ".repeat(100_000),
        "- ".repeat(50_000),
        "&a ".repeat(10_000),
        "a:\n ".repeat(1000),
        unknown.clone() + "extends: b.yaml\n",
    ] {
        let run = run(&[("a.yaml", text.as_bytes()), ("b.yaml", unknown.as_bytes())]);
        assert!(run.diagnostics.has_errors());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_end_in_an_inventory_or_a_finding(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let run = run(&[("a.yaml", &bytes)]);
        prop_assert!(run.loaded.is_some() != run.diagnostics.has_errors());
    }

    #[test]
    fn any_yaml_letters_end_in_an_inventory_or_a_finding(text in r"([-:\[\]{}&*!|>'%@#,?ab0 ]|\n  ?|: |- |&a |\*a |<<: ){0,80}") {
        let run = run(&[("a.yaml", text.as_bytes())]);
        prop_assert!(run.loaded.is_some() != run.diagnostics.has_errors());
    }

    #[test]
    fn a_damaged_inventory_ends_in_an_inventory_or_a_finding(at in 0..GOOD.len(), with in r"\PC{0,3}|[\n\t'{\[:]", cut in 0..40_usize) {
        let mut text = GOOD.to_owned();
        text.replace_range(at..(at + cut).min(GOOD.len()), &with);
        let run = run(&[("a.yaml", text.as_bytes())]);
        prop_assert!(run.loaded.is_some() != run.diagnostics.has_errors());
        for finding in run.diagnostics.iter() {
            for label in finding.primary.iter().chain(&finding.related) {
                let file = run.sources.get(label.span.file).expect("known");
                prop_assert!(file.text().get(label.span.range()).is_some(), "span inside the text");
            }
        }
    }

    #[test]
    fn a_quoted_text_is_read_back_or_refused(text in r"\PC{1,40}") {
        let yaml = GOOD.to_owned() + &format!("iis:\n  site: '{}'\n", text.replace('\'', "''"));
        let run = run(&[("a.yaml", yaml.as_bytes())]);
        match &run.loaded {
            Some(loaded) => prop_assert_eq!(&loaded.inventory.iis.site, &text),
            None => prop_assert!(run.diagnostics.has_errors()),
        }
    }

    #[test]
    fn a_plain_text_is_read_back_or_refused(text in r"[ -~]{1,20}") {
        let yaml = GOOD.to_owned() + &format!("iis:\n  site: {text}\n");
        let run = run(&[("a.yaml", yaml.as_bytes())]);
        if let Some(loaded) = &run.loaded {
            let read = &loaded.inventory.iis.site;
            // Quotes, comments, anchors and outer blanks are syntax; everything else must survive to the letter.
            if matches!(text.trim(), "" | "~" | "null" | "Null" | "NULL") {
                // YAML's words for nothing leave the default.
                prop_assert_eq!(read, "Default Web Site");
            } else if !text.contains(['#', '\'', '"', '&', '|', '>']) {
                prop_assert_eq!(read, text.trim());
            }
        }
    }
}

#[test]
fn the_number_of_findings_is_bounded() {
    let many = GOOD.replace(
        "fqdn: callback.acme.example",
        &format!("fqdn: callback.acme.example, aliases: [{}]", "1, ".repeat(30_000)),
    );
    let aliases = format!("{GOOD}\ny:\n{}", "  - *nothing\n".repeat(50_000));
    let colons = format!("{GOOD}\n{}", ": \n".repeat(50_000));
    for many in [many, aliases, colons] {
        let run = run(&[("a.yaml", many.as_bytes())]);
        let count = run.diagnostics.iter().count();
        assert!((MAX_FINDINGS..MAX_FINDINGS + 10).contains(&count), "{count}");
        assert!(shown(&run).contains("CB0215"));
    }
}

#[test]
fn the_number_of_values_is_bounded() {
    let many = format!("x: [{}]\n", "1,".repeat(2_100_000));
    assert!(shown(&run(&[("a.yaml", many.as_bytes())])).contains("CB0108"));
}
