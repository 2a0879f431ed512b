//! What a fuzzer calls: one function per target, from bytes to nothing or a panic.
//!
//! The fuzzer's entry points in `fuzz_targets/` and the test `tests/fuzz_seeds.rs` share this file, so that targets cannot
//! rot. A function must accept any bytes, and panic only for a fault of cbgen.

use std::cell::OnceCell;
use std::io;
use std::ops::Range;

use cbgen::bundle::archive::{self, Limits};
use cbgen::catalogue;
use cbgen::codes::Severity;
use cbgen::contract::manifest::Manifest;
use cbgen::diag::Diagnostics;
use cbgen::formats::cmd::phases::{Environment, commands_of};
use cbgen::formats::edits::{EditKind, Edits};
use cbgen::formats::{
    self, Format, Reading, cmd, erlang, html, ini, json, nginx, reg, sql, uri, xml, yaml_lines,
};
use cbgen::inventory::{self, ReadInput, Schema};
use cbgen::lint;
use cbgen::source::Sources;
use cbgen::templates::{self, folder::TemplateFile};

/// Every target.
pub(crate) const ALL: &[(&str, fn(&[u8]))] = &[
    ("yaml", yaml),
    ("items", items),
    ("quote", quote),
    ("archive", archive),
    ("manifest", manifest),
    ("template", template),
    ("edit_erlang", edit_erlang),
    ("edit_ini", edit_ini),
    ("edit_json", edit_json),
    ("edit_references", edit_references),
    ("edit_yaml", edit_yaml),
    ("xdt", xdt),
];

/// One file; whatever it extends is not there.
struct OneFile<'a>(&'a [u8]);

impl ReadInput for OneFile<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == "inventory.yaml" {
            Ok(self.0.to_vec())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// An inventory file: read, or refused with findings that lie in its text.
pub(crate) fn yaml(data: &[u8]) {
    thread_local! {
        static SCHEMA: OnceCell<Schema> = const { OnceCell::new() };
    }
    SCHEMA.with(|schema| {
        let schema = schema.get_or_init(Schema::new);
        let (mut diagnostics, mut sources) = (Diagnostics::new(), Sources::new());
        let loaded = inventory::load(
            &mut diagnostics,
            &mut sources,
            &OneFile(data),
            schema,
            "inventory.yaml",
        );
        let errors = diagnostics
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .count();
        assert_eq!(
            loaded.is_err(),
            errors > 0,
            "refused exactly when something is reported"
        );
        for finding in diagnostics.sorted(&sources) {
            if let Some(label) = finding.primary {
                assert!(sources.locate(label.span).is_some(), "a finding has a place");
            }
        }
    });
}

fn inside(text: &str, range: &Range<usize>) {
    assert!(
        text.get(range.clone()).is_some(),
        "{range:?} is no part of {} bytes",
        text.len()
    );
}

/// A generated text: the first byte chooses the format.
pub(crate) fn items(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let readings: Vec<Reading> = Reading::all().collect();
    let reading = readings[usize::from(*first) % readings.len()];
    let text = String::from_utf8_lossy(rest);
    match lint::read_back(reading, &text) {
        Ok(items) => items.iter().for_each(|item| inside(&text, &item.range)),
        Err(errors) => {
            assert!(!errors.is_empty(), "refused for a reason");
            errors.iter().for_each(|error| inside(&text, &error.range));
        }
    }
}

/// The only value of a text.
fn value(format: Format, text: &str) -> String {
    let items =
        formats::items(format, text).unwrap_or_else(|errors| panic!("{text:?} is refused: {errors:?}"));
    assert_eq!(items.len(), 1, "{text:?} states one fact");
    items
        .into_iter()
        .next()
        .map(|item| item.value)
        .unwrap_or_default()
}

fn last_argument(script: &str) -> Option<String> {
    let nothing: Environment<'_> = &|_| None;
    let commands =
        commands_of(script, nothing).unwrap_or_else(|error| panic!("{script:?} is refused: {error}"));
    commands.last()?.arguments.last().cloned()
}

/// A value in every quoted position: refused, or read back as it was.
pub(crate) fn quote(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let given = text.as_ref();
    if let Ok(quoted) = nginx::nginx_string(given) {
        let config = format!("events {{}}\nhttp {{ server {{ listen 1; add_header X {quoted}; }} }}\n");
        let items =
            formats::items(Format::Nginx, &config).unwrap_or_else(|errors| panic!("{config:?}: {errors:?}"));
        let item = items
            .iter()
            .find(|item| item.path.to_string().ends_with("add_header X"));
        // Items are in normalized form: quoted only where needed, a quote doubled.
        let normal = if given.contains([' ', '"']) {
            format!("\"{}\"", given.replace('"', "\"\""))
        } else {
            given.to_owned()
        };
        assert_eq!(item.map(|item| item.value.as_str()), Some(normal.as_str()));
    }
    if let Ok(quoted) = xml::xml_attr(given) {
        let document = format!("<a x=\"{quoted}\" y='{quoted}'/>");
        let document = xml::parse(&document).expect("well-formed");
        let root = document.root().expect("a root element");
        assert!(document.attribute(root, "x").is_some_and(|value| value == given));
        assert!(document.attribute(root, "y").is_some_and(|value| value == given));
    }
    if let Ok(quoted) = xml::xml_text(given) {
        let document = format!("<a>{quoted}</a>");
        let document = xml::parse(&document).expect("well-formed");
        let root = document.root().expect("a root element");
        assert_eq!(document.own_text(root), given);
    }
    if let Ok(escaped) = html::escape(given) {
        let page = format!("<!doctype html>\n<html><p title=\"{escaped}\">{escaped}</p></html>");
        assert!(formats::items(Format::Html, &page).is_ok(), "{page:?}");
    }
    if let Ok(quoted) = erlang::erl_string(given) {
        let term = erlang::read(&format!("{quoted}.\n")).expect("one term");
        assert_eq!(term.as_string(), Some(given));
    }
    if let Ok(quoted) = erlang::erl_atom(given) {
        let term = erlang::read(&format!("{quoted}.\n")).expect("one term");
        assert_eq!(term.as_atom(), Some(given));
    }
    if let Ok(quoted) = json::json_string(given) {
        assert_eq!(value(Format::Json, &quoted), quoted);
    }
    if let Ok(quoted) = yaml_lines::yaml_string(given) {
        assert_eq!(value(Format::Yaml, &format!(":key: {quoted}\n")), given);
    }
    if let Ok(written) = ini::ini_value(given) {
        assert_eq!(value(Format::Ini, &format!("[A]\nx={written}\n")), given);
    }
    if let Ok(quoted) = reg::reg_string(given) {
        let key = "HKEY_LOCAL_MACHINE\\SOFTWARE\\A";
        let file = format!("Windows Registry Editor Version 5.00\n\n[{key}]\n\"name\"={quoted}\n\n");
        assert_eq!(value(Format::Reg, &file), format!("string:{given}"));
    }
    if let Ok(quoted) = sql::sql_string(given) {
        let inner = quoted.strip_prefix("N'").and_then(|rest| rest.strip_suffix('\''));
        assert_eq!(
            inner.map(|inner| inner.replace("''", "'")).as_deref(),
            Some(given)
        );
        assert!(!quoted.contains('\n'), "one line");
    }
    if let Ok(encoded) = uri::uri_component(given) {
        assert_eq!(uri::decode(&encoded).as_deref(), Ok(given));
    }
    if let Ok(quoted) = cmd::cmd_arg(given) {
        assert_eq!(
            last_argument(&format!("\"C:\\t\\tool.exe\" {quoted}")).as_deref(),
            Some(given)
        );
    }
    if let Ok(quoted) = cmd::cmd_call_arg(given) {
        assert_eq!(
            last_argument(&format!("call \"C:\\t\\tool.bat\" {quoted}")).as_deref(),
            Some(given)
        );
    }
    if let Ok(text) = cmd::cmd_set(given) {
        let script = format!("set \"NAME={text}\"\n\"C:\\t\\tool.exe\" \"%NAME%\"");
        assert_eq!(last_argument(&script).as_deref(), Some(given));
    }
}

/// An archive from a stranger: its files, or what is wrong; never more than the limits.
pub(crate) fn archive(data: &[u8]) {
    let limits = Limits {
        entries: 100,
        entry_bytes: 1 << 16,
        total_bytes: 1 << 18,
    };
    match archive::read(data, limits) {
        Ok(files) => {
            assert!(files.len() <= limits.entries);
            let total: usize = files.values().map(Vec::len).sum();
            assert!(total <= 1 << 18, "{total} bytes");
        }
        Err(errors) => assert!(!errors.is_empty(), "refused for a reason"),
    }
    drop(archive::read_one(data, "manifest.json", limits));
}

/// A manifest: what is read is written the same again.
pub(crate) fn manifest(data: &[u8]) {
    if let Ok(manifest) = Manifest::read(data) {
        let again = Manifest::read(manifest.to_text().as_bytes()).expect("its own text");
        assert_eq!(again, manifest);
    }
}

/// A template: compiled, or refused with a place in it.
pub(crate) fn template(data: &[u8]) {
    let file = TemplateFile {
        path: "nginx/fuzz.conf".to_owned(),
        name: "templates/nginx/fuzz.conf".to_owned(),
        text: String::from_utf8_lossy(data).into_owned(),
        is_built_in: false,
    };
    let mut diagnostics = Diagnostics::new();
    let (sources, templates) = templates::load(&mut diagnostics, vec![file], catalogue::catalogue());
    assert_eq!(
        templates.is_err(),
        diagnostics
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    );
    for finding in diagnostics.sorted(&sources) {
        if let Some(label) = finding.primary {
            assert!(sources.locate(label.span).is_some(), "a finding has a place");
        }
    }
}

/// Edits and a file, divided by a byte that is in neither: both are read or refused, and what was done is done once.
fn edit(kind: EditKind, data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == DIVIDER);
    let (text, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let text = String::from_utf8_lossy(text);
    let edits = match Edits::read(kind, &text) {
        Ok(edits) => edits,
        Err(errors) => {
            assert!(!errors.is_empty(), "refused for a reason");
            errors.iter().for_each(|error| inside(&text, &error.range));
            return;
        }
    };
    match edits.apply(file) {
        Ok(edited) => {
            assert!(edited.changes.iter().all(|change| change.span.end <= file.len()));
            let again = edits
                .apply(&edited.bytes)
                .expect("an edited file is edited again");
            assert_eq!(again.bytes, edited.bytes, "a second time changes more");
            assert!(!again.changes_anything());
            assert_eq!(edited.changes_anything(), edited.bytes != file);
        }
        Err(refusals) => {
            assert!(!refusals.is_empty(), "refused for a reason");
            let places = refusals.iter().filter_map(|refusal| refusal.file_range.as_ref());
            for range in places {
                assert!(range.start <= range.end && range.end <= file.len(), "{range:?}");
            }
        }
    }
}

/// What divides edits from their file.
pub(crate) const DIVIDER: u8 = 0x1f;

/// Edits of a vendor's file, see [`edit`].
pub(crate) fn edit_erlang(data: &[u8]) {
    edit(EditKind::Terms, data);
}

/// Edits of a vendor's file, see [`edit`].
pub(crate) fn edit_ini(data: &[u8]) {
    edit(EditKind::IniLines, data);
}

/// Edits of a vendor's file, see [`edit`].
pub(crate) fn edit_json(data: &[u8]) {
    edit(EditKind::JsonKeys, data);
}

/// Edits of a vendor's file, see [`edit`].
pub(crate) fn edit_references(data: &[u8]) {
    edit(EditKind::References, data);
}

/// Edits of a vendor's file, see [`edit`].
pub(crate) fn edit_yaml(data: &[u8]) {
    edit(EditKind::YamlLines, data);
}

/// The file for a transform, and the transform for a file.
const XML_FILE: &str = "<configuration>\r\n\t<appSettings>\r\n\t\t<add key='a' value='1'/>\r\n\t</appSettings>\r\n\t<a><b x='1'/></a>\r\n</configuration>";
const XML_EDITS: &str = "<configuration xmlns:xdt='http://schemas.microsoft.com/XML-Document-Transform'><appSettings><add key='a' value='2' xdt:Locator='Match(key)' xdt:Transform='SetAttributes(value)'/><add key='b' xdt:Locator='Match(key)' xdt:Transform='InsertIfMissing'/></appSettings><a><b xdt:Transform='Replace'><c>&lt;</c></b></a></configuration>";

/// The input as a transform, and as a file; where it is applied, nothing but what is reported changes, and a second
/// time nothing is changed in silence.
pub(crate) fn xdt(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(edits) = Edits::read(EditKind::Xdt, text)
    {
        apply_xml(&edits, XML_FILE.as_bytes());
    }
    let edits = Edits::read(EditKind::Xdt, XML_EDITS).expect("a transform");
    apply_xml(&edits, data);
}

fn apply_xml(edits: &Edits, file: &[u8]) {
    let Ok(edited) = edits.apply(file) else { return };
    for change in &edited.changes {
        assert!(file.get(change.span.clone()).is_some(), "{change:?}");
    }
    if !edited.changes_anything() {
        assert_eq!(edited.bytes, file);
    }
    let first = edited
        .changes
        .iter()
        .map(|change| change.span.start)
        .min()
        .unwrap_or(file.len());
    let last = edited
        .changes
        .iter()
        .map(|change| change.span.end)
        .max()
        .unwrap_or(0);
    assert_eq!(
        edited.bytes.get(..first),
        file.get(..first),
        "what stands before the first change stays"
    );
    let behind = file.get(last..).unwrap_or_default();
    assert!(
        edited.bytes.ends_with(behind),
        "what stands behind the last change stays"
    );
}
