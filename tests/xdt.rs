//! XML transforms: the engine against Microsoft's, against hostile files, and in the eyes of .NET's configuration system.
//!
//! `tests/edits/xdt/corpus.txt` holds pairs of a file and a transform. All of them go through Microsoft's engine in one
//! run, and the results are compared element by element and attribute by attribute. Where they differ, the pair names the
//! line of the list in `docs/edit-xdt.md` that says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cbgen::formats::edits::xdt::NAMESPACE;
use cbgen::formats::edits::{EditKind, Edited, Edits, Outcome, Refusal};

use crate::harness::{expect_none, root};
use crate::support::mono::Tool;
use crate::support::program::write;

/// A pair, and what is expected of it.
struct Case {
    name: String,
    file: String,
    transform: String,
    expected: String,
    /// What ours leaves where the engines differ.
    ours: Option<String>,
}

fn transform(body: &str) -> String {
    if body.starts_with("<configuration") || body.starts_with("<?xml") {
        body.to_owned()
    } else {
        format!("<configuration xmlns:xdt=\"{NAMESPACE}\">{body}</configuration>")
    }
}

fn corpus() -> Vec<Case> {
    let text = std::fs::read_to_string(root().join("tests/edits/xdt/corpus.txt")).expect("the corpus");
    let mut files = BTreeMap::new();
    let mut cases = Vec::new();
    let begins = |line: &str| line.starts_with("file ") || line.starts_with("case ");
    let mut lines = text.lines().skip_while(|line| !begins(line)).peekable();
    while let Some(head) = lines.next() {
        let mut block = String::new();
        while let Some(line) = lines.next_if(|line| !begins(line)) {
            block.push_str(line);
            block.push('\n');
        }
        if let Some(name) = head.strip_prefix("file ") {
            files.insert(name.to_owned(), block.trim_end().to_owned() + "\n");
            continue;
        }
        let (name, file) = head
            .trim_start_matches("case ")
            .rsplit_once(" on ")
            .expect("a file");
        let (body, expected) = block.split_once("\nexpect ").expect("what is expected");
        let mut expected = expected.lines();
        cases.push(Case {
            name: name.to_owned(),
            file: files[file].clone(),
            transform: transform(body),
            expected: expected.next().expect("what is expected").to_owned(),
            ours: expected
                .next()
                .and_then(|line| line.strip_prefix("  "))
                .map(str::to_owned),
        });
    }
    cases
}

/// A document as both engines have to leave it: names, attributes in order, and text that is no layout.
fn canonical(text: &str) -> String {
    fn walk(node: roxmltree::Node<'_, '_>, depth: usize, out: &mut String) {
        let indent = " ".repeat(depth);
        let name = |namespace: Option<&str>, name: &str| format!("{{{}}}{name}", namespace.unwrap_or(""));
        writeln!(
            out,
            "{indent}{}",
            name(node.tag_name().namespace(), node.tag_name().name())
        )
        .unwrap();
        let attributes: BTreeSet<String> = node
            .attributes()
            .map(|attribute| {
                format!(
                    "{indent} @{}={:?}\n",
                    name(attribute.namespace(), attribute.name()),
                    attribute.value()
                )
            })
            .collect();
        out.extend(attributes);
        let leaf = !node.children().any(|child| child.is_element());
        let mut text = String::new();
        let say = |text: &mut String, out: &mut String| {
            if !text.trim().is_empty() || leaf && !text.is_empty() && !text.contains('\n') {
                writeln!(out, "{indent} {text:?}").unwrap();
            }
            text.clear();
        };
        for child in node.children() {
            if child.is_element() {
                say(&mut text, out);
                walk(child, depth + 1, out);
            } else if child.is_text() {
                text.push_str(child.text().unwrap_or_default());
            }
        }
        say(&mut text, out);
    }
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')).expect("well-formed");
    let mut out = String::new();
    walk(document.root_element(), 0, &mut out);
    out
}

/// What ours makes of a pair: the result, or the kind of the first refusal and all messages.
fn ours(case: &Case) -> Result<(Edits, Edited), String> {
    let edits =
        Edits::read(EditKind::Xdt, &case.transform).map_err(|errors| format!("BadEdit: {errors:?}"))?;
    let edited = edits
        .apply(case.file.as_bytes())
        .map_err(|refused| format!("{:?}: {refused:?}", refused.first().expect("a refusal").kind))?;
    Ok((edits, edited))
}

/// Why a pair is not as it should be.
fn complaint(case: &Case, theirs: &str, said: &str) -> Result<(), String> {
    let found = ours(case);
    if let Some(kind) = case.expected.strip_prefix("refused ") {
        let kind = kind.split(':').next().unwrap_or_default();
        return match found {
            Err(message) if message.starts_with(&format!("{kind}: ")) => Ok(()),
            Err(message) => Err(format!("refused as {message}")),
            Ok(_) => Err("not refused".to_owned()),
        };
    }
    let (edits, edited) = found?;
    let text = String::from_utf8(edited.bytes.clone()).expect("UTF-8");
    let again = edits.apply(&edited.bytes);
    let repeats = again.as_ref().is_ok_and(|again| {
        again.bytes == edited.bytes
            && again
                .changes
                .iter()
                .all(|change| change.outcome == Outcome::AlreadySo)
    });
    if repeats == (case.expected == "same once") {
        return Err(format!("the second time: {again:?}"));
    }
    let (left, right) = (
        canonical(&text),
        if theirs.is_empty() {
            String::new()
        } else {
            canonical(theirs)
        },
    );
    let clean = said.contains("warnings: 0 errors: 0");
    match &case.ours {
        None if !clean => Err(format!("Microsoft's engine says {said}")),
        None if left == right => Ok(()),
        None => Err(crate::harness::difference(&right, &left)),
        Some(_) if left == right && clean => Err("Microsoft's engine does the same by now".to_owned()),
        Some(expected) if expected == "unchanged" => {
            if text == case.file {
                Ok(())
            } else {
                Err(text)
            }
        }
        Some(expected) => {
            let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if one_line.contains(expected) {
                Ok(())
            } else {
                Err(text)
            }
        }
    }
}

#[test]
fn results_are_those_of_microsofts_engine() {
    let cases = corpus();
    assert!(cases.len() >= 150, "{}", cases.len());
    let tool = Tool::new(None);
    std::fs::create_dir(tool.path().join("pairs")).expect("a folder");
    let path = |number: usize, kind: &str| tool.path().join(format!("pairs/{number:03}.{kind}"));
    for (number, case) in cases.iter().enumerate() {
        write(&path(number, "config"), &case.file);
        write(&path(number, "xdt"), &case.transform);
    }
    let ran = tool.run(&["corpus", "pairs"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let mut complaints = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let said = std::fs::read_to_string(path(number, "log")).expect("what was said");
        let theirs = std::fs::read_to_string(path(number, "out")).unwrap_or_default();
        if let Err(why) = complaint(case, &theirs, &said) {
            complaints.push(format!("{} [{}]: {why}", case.name, case.expected));
        }
    }
    expect_none(&complaints);
}

/// Every difference of the corpus has its reason in the document, and every reason a pair.
#[test]
fn every_difference_has_its_reason() {
    let document = std::fs::read_to_string(root().join("docs/edit-xdt.md")).expect("the document");
    let listed: BTreeSet<String> = document
        .split_once("\n## Where the result differs")
        .expect("the list")
        .1
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|first| *first != "situation" && !first.starts_with("---"))
        .map(|first| first.replace('`', ""))
        .collect();
    let used: BTreeSet<String> = corpus()
        .iter()
        .filter_map(|case| case.expected.split_once(": "))
        .map(|(_, reason)| reason.to_owned())
        .collect();
    let only = |left: &BTreeSet<String>, right: &BTreeSet<String>, what: &str| {
        left.difference(right)
            .map(|reason| format!("{what}: {reason}"))
            .collect::<Vec<_>>()
    };
    let mut complaints = only(&used, &listed, "not in the document");
    complaints.extend(only(&listed, &used, "without a pair"));
    expect_none(&complaints);
}

const SET: &str = "<appSettings><add key='a' value='new' xdt:Locator='Match(key)' xdt:Transform='SetAttributes(value)'/></appSettings>";

/// Times are far above what is needed; what is not linear takes hours.
#[test]
fn hostile_files_are_refused_or_cheap() {
    let set = Edits::read(EditKind::Xdt, &transform(SET)).expect("a transform");
    let timed = |name: &str, file: &str| {
        let start = Instant::now();
        let found = set.apply(file.as_bytes());
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{name}: {:?}",
            start.elapsed()
        );
        found
    };
    let wrap = |inner: &str| {
        format!("<configuration><appSettings>{inner}<add key='a' value='1'/></appSettings></configuration>")
    };
    let first = |found: Result<Edited, Vec<Refusal>>| {
        found
            .err()
            .map_or(String::new(), |refused| refused[0].message.clone())
    };
    let deep = wrap(&format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000)));
    assert_eq!(
        first(timed("deep", &deep)),
        "elements are nested deeper than 200 levels"
    );
    let attributes: String = (0..100_000).map(|number| format!(" a{number}=''")).collect();
    assert!(timed("attributes", &wrap(&format!("<x{attributes}/>"))).is_ok());
    let twice = wrap(&format!("<x{attributes} a77=''/>"));
    assert_eq!(
        first(timed("twice", &twice)),
        "the attribute `a77` is given twice"
    );
    let prefixes: String = (0..50_000)
        .map(|number| format!(" xmlns:p{number}='u{number}' p{number}:a=''"))
        .collect();
    assert!(timed("prefixes", &wrap(&format!("<x{prefixes}/>"))).is_ok());
    let bomb =
        "<!DOCTYPE c [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><configuration>&b;</configuration>";
    assert!(first(timed("bomb", bomb)).starts_with("document type definitions"));
    assert!(timed("line", &wrap(&"x".repeat(12 << 20))).is_ok());
    assert!(first(timed("longer line", &wrap(&"x".repeat(100 << 20)))).contains("more than 16777216"));
    assert!(timed("references", &wrap(&"&#65;".repeat(1 << 20))).is_ok());
    assert_eq!(first(timed("no end", &"<".repeat(1 << 20))), "expected a name");
    assert!(first(timed("many", &wrap(&"<x/>".repeat(1_100_000)))).contains("more than 1000000"));
    assert!(timed("siblings", &wrap(&"<add key='b' value='1'/> ".repeat(100_000))).is_ok());
}

#[test]
fn expressions_cannot_run_for_hours() {
    let file = format!("<configuration>{}</configuration>", "<a b='1'/>".repeat(3_000));
    let body = "<a xdt:Transform='Remove' xdt:Locator='XPath(//a[count(//a[@b=//a/@b]) &gt; 1])'/>";
    let edits = Edits::read(EditKind::Xdt, &transform(body)).expect("a transform");
    let refused = edits.apply(file.as_bytes()).expect_err("too much");
    assert_eq!(
        refused[0].message,
        "the transforms together look at too many elements of this file"
    );
}

/// Realistic files in every form a server may have them in: .NET reads the new values, and the old ones elsewhere.
#[test]
fn the_configuration_system_reads_what_was_edited() {
    let text = std::fs::read_to_string(root().join("tests/fixtures/vendor/EyeQueue.web.config"))
        .expect("the sample");
    let text = text.trim_start_matches('\u{feff}').replace('\r', "");
    let text = text.replacen("value=\"http://server:2800\"", "value=\"Zürich\"", 1);
    let body = "<appSettings><add key='QStatsURL' value='http://127.0.0.1/?a=1&amp;b=&quot;ü€' xdt:Locator='Match(key)' xdt:Transform='SetAttributes(value)'/><add key='Untouched' xdt:Locator='Match(key)' xdt:Transform='Remove'/><add key='New' value='1' xdt:Locator='Match(key)' xdt:Transform='InsertIfMissing'/></appSettings>";
    let edits = Edits::read(EditKind::Xdt, &transform(body)).expect("a transform");
    let declared = |name: &str| text.replacen("encoding=\"utf-8\"", &format!("encoding=\"{name}\""), 1);
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let latin = |text: &str| -> Vec<u8> {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
            .collect()
    };
    let tool = Tool::new(None);
    for (name, bytes) in [
        ("UTF-8", text.clone().into_bytes()),
        (
            "UTF-8 with a mark and CRLF",
            format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes(),
        ),
        ("mixed line ends", text.replacen('\n', "\r\n", 9).into_bytes()),
        ("UTF-16, little end", utf16(&declared("utf-16"), false)),
        ("UTF-16, big end", utf16(&declared("utf-16"), true)),
        ("Windows-1252", latin(&declared("windows-1252"))),
        ("ISO-8859-1", latin(&declared("iso-8859-1"))),
        ("no last line end", text.trim_end().as_bytes().to_vec()),
    ] {
        let read = |bytes: &[u8]| -> BTreeMap<String, String> {
            write(&tool.path().join("after.config"), bytes);
            let ran = tool.run(&["settings", "after.config"]);
            assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
            let pairs = ran.stdout.lines().filter_map(|line| line.split_once('='));
            pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        };
        let mut expected = read(&bytes);
        let edited = edits
            .apply(&bytes)
            .unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        expected.insert("QStatsURL".to_owned(), "http://127.0.0.1/?a=1&b=\"ü€".to_owned());
        expected.insert("New".to_owned(), "1".to_owned());
        assert!(expected.remove("Untouched").is_some(), "{name}");
        assert_eq!(
            expected.get("ConversationBridgeAuthURL").map(String::as_str),
            Some("Zürich"),
            "{name}"
        );
        assert_eq!(read(&edited.bytes), expected, "{name}");
    }
}
