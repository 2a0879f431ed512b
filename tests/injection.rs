//! No value breaks out of its quotes: whatever is written into a free-text field of an inventory is refused with a
//! code at that field, or every generated text says exactly what it said before with the value in place of a word.
//!
//! The judge of a text is the strict reader of its format, which knows nothing of templates: its facts with a random
//! value must equal its facts with a harmless word, after that word is replaced by the value.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use cbgen::codes::Severity;
use cbgen::diag::Diagnostics;
use cbgen::driver::{Compiler, Run};
use cbgen::files::DiskFiles;
use cbgen::formats::{self, Format, uri};
use cbgen::inventory::ReadInput;
use cbgen::lint;
use cbgen::source::Sources;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rayon::prelude::*;
use serde_json::Value;

use crate::harness::{Workspace, expect_none, root};

/// A free-text field, a harmless word for it, and how a harmless value around a random text looks.
struct Field {
    pointer: &'static str,
    word: &'static str,
    around: fn(&str) -> String,
}

fn plain(text: &str) -> String {
    text.to_owned()
}

/// Every field of an inventory that takes more than a name from a fixed list or a number.
const FIELDS: &[Field] = &[
    Field {
        pointer: "/bundle/change",
        word: "Qzchange",
        around: plain,
    },
    Field {
        pointer: "/iis/site",
        word: "Qzsite",
        around: plain,
    },
    Field {
        pointer: "/sql/server",
        word: "QZSQL",
        around: plain,
    },
    Field {
        pointer: "/sql/driver",
        word: "Qzdriver",
        around: plain,
    },
    Field {
        pointer: "/sql/config_database",
        word: "Qzconfig",
        around: plain,
    },
    Field {
        pointer: "/sql/report_database",
        word: "Qzreport",
        around: plain,
    },
    Field {
        pointer: "/sql/ole/user",
        word: "qzuser",
        around: plain,
    },
    Field {
        pointer: "/sql/ole/provider",
        word: "QZPROVIDER",
        around: plain,
    },
    Field {
        pointer: "/sql/names/ws_configuration/table",
        word: "dbo.Qztable",
        around: |text| format!("dbo.{text}"),
    },
    Field {
        pointer: "/sql/names/ws_configuration/path_column",
        word: "Qzpath",
        around: plain,
    },
    Field {
        pointer: "/sql/names/application_settings/table",
        word: "dbo.Qzsets",
        around: |text| format!("dbo.{text}"),
    },
    Field {
        pointer: "/sql/names/application_settings/name_column",
        word: "Qzname",
        around: plain,
    },
    Field {
        pointer: "/sql/names/application_settings/value_column",
        word: "Qzvalue",
        around: plain,
    },
    Field {
        pointer: "/rabbitmq/common_name",
        word: "qzcommon",
        around: plain,
    },
    Field {
        pointer: "/rabbitmq/certificates",
        word: r"C:\qzcerts",
        around: |text| format!(r"C:\{text}"),
    },
    Field {
        pointer: "/certificate/pfx",
        word: r"D:\qzpfx.pfx",
        around: |text| format!(r"D:\{text}.pfx"),
    },
    Field {
        pointer: "/product/install_root",
        word: r"C:\Qzroot",
        around: |text| format!(r"C:\{text}"),
    },
    Field {
        pointer: "/product/smart_rules_root",
        word: r"C:\Qzrules",
        around: |text| format!(r"C:\{text}"),
    },
    Field {
        pointer: "/product/core_monitor_root",
        word: r"C:\Qzmonitor",
        around: |text| format!(r"C:\{text}"),
    },
    Field {
        pointer: "/overrides/no_access_page_url",
        word: "http://127.0.0.1/qzpage",
        around: |text| format!("http://127.0.0.1/{text}"),
    },
    Field {
        pointer: "/overrides/smart_rules_endpoint_url",
        word: "https://qz.acme.example/a",
        around: |text| format!("https://qz.acme.example/{text}"),
    },
    Field {
        pointer: "/overrides/rabbitmq_config_file",
        word: "qzbroker.config",
        around: |text| format!("{text}.config"),
    },
    Field {
        pointer: "/overrides/rabbitmq_json_file",
        word: "qzclient.json",
        around: |text| format!("{text}.json"),
    },
    Field {
        pointer: "/proxy/fqdn",
        word: "qzproxy.acme.example",
        around: |text| format!("{text}.acme.example"),
    },
    Field {
        pointer: "/proxy/aliases/0",
        word: "qzalias.acme.example",
        around: |text| format!("{text}.acme.example"),
    },
    Field {
        pointer: "/servers/0/rabbitmq/upstreams/0/name",
        word: "qzupstream",
        around: plain,
    },
];

/// The text of one file under the name `inventory.yaml`; everything else is not there.
struct OneFile(String);

impl ReadInput for OneFile {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        if path == "inventory.yaml" {
            Ok(self.0.clone().into_bytes())
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }
}

/// Facts of each artifact, or the findings that refused the inventory.
type Compiled = Result<BTreeMap<String, (Format, Vec<(String, String)>)>, Vec<String>>;

fn compile(compiler: &Compiler, inventory: &Value) -> Compiled {
    let files = OneFile(serde_json::to_string_pretty(inventory).expect("JSON is YAML"));
    let mut sources = compiler.sources();
    let mut diagnostics = Diagnostics::new();
    let mut run = Run {
        sources: &mut sources,
        diagnostics: &mut diagnostics,
        on_phase: &mut |_| (),
    };
    let linted = compiler
        .load(&mut run, &files, "inventory.yaml")
        .and_then(|loaded| compiler.compile_loaded(&mut run, &loaded));
    match linted {
        Ok(linted) => {
            let rendered = linted.rendered();
            let entries = rendered.plan.entries.iter().zip(&rendered.texts);
            Ok(entries
                .filter_map(|(entry, text)| {
                    let path = entry.path.as_ref()?.to_string();
                    let format = entry.template.front.format;
                    let front = &entry.template.front;
                    let reading = front
                        .effect
                        .map_or(format.into(), |effect| effect.reading(format));
                    let items = lint::read_back(reading, text).expect("it was read back");
                    let facts = items
                        .into_iter()
                        .map(|item| (item.path.to_string(), item.value))
                        .collect();
                    Some((path, (format, facts)))
                })
                .collect())
        }
        Err(_) => Err(diagnostics
            .sorted(&sources)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| {
                let line = finding
                    .primary
                    .and_then(|label| {
                        let file = sources.get(label.span.file)?;
                        Some(
                            file.line(file.position(label.span.start as usize).line)?
                                .to_owned(),
                        )
                    })
                    .unwrap_or_default();
                format!("{}: {} | {line}", finding.code.id(), finding.message)
            })
            .collect()),
    }
}

/// The forms in which a template may print a value: as it is, with slashes, in a URI, in lower case, as a pattern, as
/// a name of two parts.
fn forms(value: &str) -> Vec<String> {
    let slashed = value.replace('\\', "/");
    let encoded = uri::uri_path_component(value).unwrap_or_else(|_| slashed.clone());
    let pattern = value.to_lowercase().replace('.', "\\.");
    let quoted = value.replacen('.', "].[", 1);
    vec![
        value.to_owned(),
        slashed,
        encoded,
        value.to_lowercase(),
        pattern,
        quoted,
    ]
}

/// A fact as its consumer understands it: escapes of the format undone, by other means than the reader's.
fn decoded(format: Format, text: &str) -> String {
    match format {
        Format::Json | Format::JsReferences => match serde_json::from_str(text) {
            Ok(Value::String(inner)) => inner,
            _ => text.to_owned(),
        },
        // Doubled signs count as one: which of them are doubled depends on the quotes they stand in.
        Format::Sql => text
            .replace("''", "'")
            .replace("]]", "]")
            .replace("''", "'")
            .replace("]]", "]"),
        Format::Erlang => text.replace("\\\\", "\\").replace("\\\"", "\""),
        _ => text.to_owned(),
    }
}

/// The facts with the harmless word replaced by the value, form by form.
fn expected(facts: &[(String, String)], word: &str, value: &str) -> Vec<(String, String)> {
    let pairs: Vec<(String, String)> = forms(word).into_iter().zip(forms(value)).collect();
    let replace = |text: &str| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| {
            text.replace(from.as_str(), to)
        })
    };
    facts
        .iter()
        .map(|(path, value)| (replace(path), replace(value)))
        .collect()
}

fn good() -> Value {
    let root = root();
    let text =
        std::fs::read_to_string(root.join("tests/injection.json")).expect("the inventory of this test");
    serde_json::from_str(&text).expect("JSON")
}

fn with(mut inventory: Value, pointer: &str, text: &str) -> Value {
    *inventory
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer} is not in the inventory")) = text.into();
    inventory
}

/// Texts that are mostly harmless with something in them that some format could trip over.
fn hostile() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\"",
        "'",
        "`",
        "\\",
        "/",
        "%",
        "%%",
        "%20",
        "%PATH%",
        "$",
        "$(x)",
        "${x}",
        "{{ x }}",
        "{% x %}",
        "&",
        "|",
        "<",
        ">",
        "^",
        "!",
        ";",
        "--",
        "/*",
        "*/",
        "]",
        "[",
        "]]>",
        "<!--",
        "-->",
        "#",
        "\u{2019}",
        "ä",
        "日",
        "\u{202e}",
        "\u{1f600}",
        " ",
        "  ",
        ",",
        "=",
        "@",
        "~",
        "+",
        "(",
        ")",
        "GO",
        "\u{a0}",
        ":",
        "?",
        "*",
        ".",
        "..",
        "-",
        "\t",
        "\u{fffd}",
    ]);
    prop_oneof![
        4 => ("[A-Za-z]{1,6}", special.clone(), "[A-Za-z]{0,6}").prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        2 => (special.clone(), "[A-Za-z]{1,4}", special).prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        2 => "[ -~]{1,12}",
        1 => "\\PC{1,8}",
        1 => "[A-Za-z0-9 ._-]{1,20}",
    ]
}

#[test]
fn every_value_is_refused_at_its_field_or_read_back_unchanged() {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let compiler =
        Compiler::new(&mut sources, &mut diagnostics, &DiskFiles::new(""), None).expect("the templates");
    let (accepted, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    FIELDS.par_iter().for_each(|field| {
        let harmless = with(good(), field.pointer, field.word);
        let baseline =
            compile(&compiler, &harmless).unwrap_or_else(|errors| panic!("{}: {errors:#?}", field.pointer));
        let printed = baseline
            .values()
            .flat_map(|(_, facts)| facts)
            .any(|(path, value)| {
                forms(field.word)
                    .iter()
                    .any(|form| path.contains(form.as_str()) || value.contains(form.as_str()))
            });
        assert!(
            printed,
            "{} reaches no artifact, so this test proves nothing about it",
            field.pointer
        );
        let name = field
            .pointer
            .rsplit('/')
            .find(|part| part.parse::<usize>().is_err())
            .expect("a name");
        let mut runner = TestRunner::new_with_rng(
            Config {
                cases: std::env::var("CBGEN_CASES")
                    .ok()
                    .and_then(|cases| cases.parse().ok())
                    .unwrap_or(8),
                failure_persistence: None,
                ..Config::default()
            },
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        let result = runner.run(&hostile(), |text| {
            let value = (field.around)(&text);
            match compile(&compiler, &with(good(), field.pointer, &value)) {
                Err(errors) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    let named = errors
                        .iter()
                        .all(|error| error.contains(name) || error.contains(&value));
                    prop_assert!(
                        named,
                        "{value:?} in {} is refused without naming the field: {errors:#?}",
                        field.pointer
                    );
                }
                Ok(found) => {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    prop_assert_eq!(found.len(), baseline.len(), "the bundle has other files");
                    for (path, (format, facts)) in &baseline {
                        let Some((_, now)) = found.get(path) else {
                            return Err(TestCaseError::fail(format!("{path} is gone")));
                        };
                        if matches!(format, Format::Markdown | Format::Html) {
                            // Prose: every fact is still there, whatever the words around a value are.
                            prop_assert_eq!(
                                now.len(),
                                facts.len(),
                                "{} has other blocks with {:?}",
                                path,
                                value
                            );
                            continue;
                        }
                        let undo = |facts: &[(String, String)]| -> Vec<(String, String)> {
                            facts
                                .iter()
                                .map(|(path, value)| (path.clone(), decoded(*format, value)))
                                .collect()
                        };
                        let now = undo(now);
                        let wanted = undo(&expected(&undo(facts), field.word, &value));
                        // Host names mean the same in any case, and nginx gets them in lower case.
                        let same = |left: &str, right: &str| {
                            left == right
                                || field.pointer.starts_with("/proxy/") && left.eq_ignore_ascii_case(right)
                        };
                        let differs = now
                            .iter()
                            .zip(&wanted)
                            .find(|(now, wanted)| !same(&now.0, &wanted.0) || !same(&now.1, &wanted.1));
                        prop_assert!(
                            now.len() == wanted.len() && differs.is_none(),
                            "{path} with {value:?}: found and wanted {differs:#?}"
                        );
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            panic!("{}: {error}", field.pointer);
        }
    });
    let (accepted, refused) = (accepted.into_inner(), refused.into_inner());
    assert!(
        accepted * 8 > accepted + refused && refused * 4 > accepted + refused,
        "the texts are too tame or too wild: {accepted} accepted, {refused} refused"
    );
}

#[test]
fn a_character_nobody_sees_is_refused_by_every_quoting_function() {
    use cbgen::formats::unseen::unseen;
    use cbgen::formats::{cmd, erlang, html, ini, json, markdown, nginx, reg, sql, xml, yaml_lines};
    type Quote = fn(&str) -> Result<String, formats::FormatError>;
    // The second column: whether it takes every letter of the world, so that what is seen is not refused either.
    let quoters: &[(&str, Quote, bool)] = &[
        ("xml_attr", xml::xml_attr, true),
        ("xml_text", xml::xml_text, true),
        ("json_string", json::json_string, true),
        ("yaml_string", yaml_lines::yaml_string, true),
        ("html_text", html::html_text, true),
        ("html_attr", html::html_attr, true),
        ("md_text", markdown::md_text, true),
        ("md_code", markdown::md_code, true),
        ("reg_string", reg::reg_string, true),
        ("sql_string", sql::sql_string, true),
        ("nginx_string", nginx::nginx_string, false),
        ("ini_value", ini::ini_value, false),
        ("cmd_arg", cmd::cmd_arg, false),
        ("cmd_set", cmd::cmd_set, false),
        ("cmd_echo", cmd::cmd_echo, false),
        ("erl_string", erlang::erl_string, false),
        ("erl_atom", erlang::erl_atom, false),
    ];
    let mut complaints = Vec::new();
    for character in '\0'..=char::MAX {
        let value = format!("a{character}b");
        for (name, quote, takes_all) in quoters {
            // Text between tags may have lines.
            if *name == "xml_text" && matches!(character, '\t' | '\n') {
                continue;
            }
            match (unseen(character), quote(&value)) {
                (Some(why), Ok(written)) => {
                    complaints.push(format!("{name} writes {character:?} ({why:?}) as {written:?}"));
                }
                (None, Err(error)) if *takes_all && !character.is_ascii() => {
                    complaints.push(format!("{name} refuses {character:?}: {error}"));
                }
                _ => {}
            }
        }
    }
    complaints.truncate(40);
    expect_none(&complaints);
}

/// Nothing here knows the quotes of PowerShell, so no value reaches a script of it, and no such script is run.
#[test]
fn a_script_of_power_shell_takes_no_value_and_is_not_run() {
    let workspace = Workspace::shipped();
    let head = "title: A script\nrequirements: []\nscope: server\npath: site.ps1\nformat: power_shell\nphase: prepare";
    let check = |keys: &str, body: &str| {
        workspace.write("more/site.ps1", &format!("---\n{head}\n{keys}\n---\n{body}\n"));
        workspace.run(&["check", "inventories/lab.yaml", "--templates", "more"])
    };
    let ran = check("effect: read", "Write-Output 'x'");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = check("effect: read", "Write-Output '{{ server.name }}'");
    let said = "`LAB01` cannot be written into power_shell: a script of PowerShell takes no values";
    assert!(ran.code == 1 && ran.stderr.contains(said), "{}", ran.stderr);
    assert!(ran.stderr.contains("write a batch file"), "{}", ran.stderr);
    let ran = check("effect: run_script\nrollback: none", "Write-Output 'x'");
    assert!(ran.code == 1 && ran.stderr.contains("CB0510"), "{}", ran.stderr);
}
