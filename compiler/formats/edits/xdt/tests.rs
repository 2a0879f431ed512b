//! Tests of the engine: bytes that stay, errors that name what was meant, properties, hostile files. The comparison
//! with Microsoft's engine is an integration test.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::edits::source::Source;
use crate::edits::{Edited, Outcome, Refusal};

fn edits(body: &str) -> XdtEdits {
    let text = if body.starts_with("<configuration") {
        body.to_owned()
    } else {
        format!("<configuration xmlns:xdt=\"{NAMESPACE}\">{body}</configuration>")
    };
    XdtEdits::read(&text).unwrap_or_else(|errors| panic!("{body}: {errors:?}"))
}

fn apply(edits: &XdtEdits, file: &[u8]) -> Result<Edited, Vec<Refusal>> {
    let source = Source::read(file, readable(file)).map_err(|refused| vec![*refused])?;
    work(edits, file, &source)?.finish(&source)
}

/// Applies a transform to a text and compares the bytes; a second time has to change none.
fn check(file: &str, body: &str, expected: &str) {
    let edits = edits(body);
    let edited = apply(&edits, file.as_bytes()).unwrap_or_else(|refused| panic!("{body}: {refused:#?}"));
    assert_eq!(
        String::from_utf8(edited.bytes.clone()).unwrap(),
        expected,
        "{body}"
    );
    let again = apply(&edits, &edited.bytes).unwrap();
    assert_eq!(again.bytes, edited.bytes, "{body}");
    assert!(
        again
            .changes
            .iter()
            .all(|change| change.outcome == Outcome::AlreadySo),
        "{:?}",
        again.changes
    );
    only_spans_differ(file.as_bytes(), &edited);
}

/// A new element is laid out as its neighbour: its attributes, and the end of its line, which each line keeps.
#[test]
fn new_elements_look_like_their_neighbours() {
    let insert = "<a><add key='N' value='9' xdt:Transform='Insert'/></a>";
    let after = "<a><add key='N' value='9' xdt:Transform='InsertAfter(/configuration/a/add[@key=&quot;A&quot;])'/></a>";
    let file = |inside: &str| format!("<configuration>\n  <a>\n{inside}  </a>\n</configuration>\n");
    for (old, new) in [
        (
            "    <add\n      key=\"A\"\n      value=\"1\" />\n",
            "    <add\n      key=\"N\"\n      value=\"9\" />\n",
        ),
        (
            "    <add key=\"A\"\n         value=\"1\"/>\n",
            "    <add key=\"N\"\n         value=\"9\"/>\n",
        ),
        (
            "    <add key=\"A\"\n  value=\"1\"/>\n",
            "    <add key=\"N\" value=\"9\"/>\n",
        ),
        (
            "    <add key=\"A\" value=\"1\"/>\r\n",
            "    <add key=\"N\" value=\"9\"/>\r\n",
        ),
    ] {
        check(&file(old), insert, &file(&format!("{old}{new}")));
        check(&file(old), after, &file(&format!("{old}{new}")));
    }
    let mixed = "<configuration>\r\n  <a>\r\n    <add key=\"A\" value=\"1\"/>\n  </a>\r\n</configuration>";
    let expected = "<configuration>\r\n  <a>\r\n    <add key=\"A\" value=\"1\"/>\n    <add key=\"N\" value=\"9\"/>\n  </a>\r\n</configuration>";
    check(mixed, insert, expected);
    check(mixed, after, expected);
}

/// Whether the new bytes are the old ones, with something else in the places that are reported.
fn only_spans_differ(old: &[u8], edited: &Edited) {
    let mut spans: Vec<_> = edited.changes.iter().map(|change| change.span.clone()).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut rest = edited.bytes.as_slice();
    let mut at = 0;
    let mut first = true;
    for span in spans
        .iter()
        .map(Clone::clone)
        .chain(std::iter::once(old.len()..old.len()))
    {
        if span.start < at {
            at = at.max(span.end);
            continue;
        }
        let kept = &old[at..span.start];
        let place = if first {
            usize::from(!rest.starts_with(kept)) * usize::MAX
        } else {
            find(rest, kept)
        };
        assert_ne!(
            place,
            usize::MAX,
            "{:?} is not kept",
            String::from_utf8_lossy(kept)
        );
        rest = &rest[place + kept.len()..];
        at = span.end;
        first = false;
    }
    assert!(spans.last().is_some_and(|span| span.end == old.len()) || rest.is_empty());
}

fn find(text: &[u8], part: &[u8]) -> usize {
    memchr::memmem::find(text, part).unwrap_or(usize::MAX)
}

/// Applies a transform that has to be refused, and shows the refusals as `kind message | place in the file | nearest`.
fn refused(file: &str, body: &str) -> Vec<String> {
    let show = |refused: &Refusal| {
        let place = refused
            .file_range
            .clone()
            .map_or("", |range| file.get(range).unwrap());
        let nearest = refused.nearest.as_deref().unwrap_or("-");
        format!("{:?}: {} | {place} | {nearest}", refused.kind, refused.message)
    };
    let refused = apply(&edits(body), file.as_bytes()).expect_err(body);
    assert!(
        refused
            .iter()
            .all(|refused| refused.edit_range.is_some() || refused.looked_for.is_none())
    );
    refused.iter().map(show).collect()
}

const SET: &str = "<appSettings><add key='a' value='new' xdt:Locator='Match(key)' xdt:Transform='SetAttributes(value)'/></appSettings>";

#[test]
fn only_the_meant_bytes_change() {
    for file in [
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes'?>\r\n<?p i?>\r\n<!DOC -->".replace("<!DOC -->", "<!-- c -->")
            + "\r\n<configuration  >\r\n\t<appSettings\t>\r\n\t\t<add  key = 'a'\tvalue\n=  'OLD'  />\r\n\t\t<b></b ><c />&#65;&amp;<![CDATA[<x>]]>\n\t</appSettings >\r\n</configuration>\r\n<!-- end -->",
        "<configuration><appSettings><add value=\"OLD\" other='&lt;\"' key=\"a\"></add></appSettings></configuration>".to_owned(),
        "<configuration>\r<appSettings>\r\n<add key=\"&#97;\" value='OLD'/>\n</appSettings></configuration>\n\n".to_owned(),
    ] {
        check(&file, SET, &file.replacen("OLD", "new", 1));
    }
}

#[test]
fn a_value_is_written_as_its_place_needs_it() {
    let set = |value: &str| SET.replace("'new'", value);
    let file = |value: &str| {
        format!("<configuration><appSettings><add key=\"a\" value={value}/></appSettings></configuration>")
    };
    for (written, before, after) in [
        ("'a&quot;b'", "\"x\"", "\"a&quot;b\""),
        ("'a&quot;b'", "'x'", "'a\"b'"),
        ("\"it's\"", "'x'", "'it&apos;s'"),
        ("'a&amp;b&lt;c&gt;'", "'x'", "'a&amp;b&lt;c&gt;'"),
        ("'a&#10;b&#9;c&#13;d'", "'x'", "'a&#xA;b&#x9;c&#xD;d'"),
        ("'Zürich'", "''", "'Zürich'"),
        // The same value in another spelling stays as it is.
        ("'aAb'", "'a&#65;b'", "'a&#65;b'"),
    ] {
        check(&file(before), &set(written), &file(after));
    }
}

#[test]
fn a_file_keeps_its_encoding() {
    let text = "<?xml version=\"1.0\" encoding=\"ENC\"?>\r\n<configuration><!-- äöü --><appSettings><add key=\"a\" value=\"ß\"/></appSettings></configuration>";
    let set = edits(&SET.replace("'new'", "'é€東'"));
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let units = text.encode_utf16();
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
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    };
    for (name, form, expected) in [
        ("utf-16", "little", "é€東"),
        ("utf-16", "big", "é€東"),
        ("iso-8859-1", "", "é&#x20AC;&#x6771;"),
        ("utf-8", "marked", "é€東"),
        ("utf-8", "", "é€東"),
    ] {
        let encode = |text: &str| {
            let marked = format!("\u{feff}{text}");
            match (name, form) {
                ("utf-16", form) => utf16(&marked, form == "big"),
                ("iso-8859-1", _) => latin(text),
                (_, "marked") => marked.into_bytes(),
                _ => text.as_bytes().to_vec(),
            }
        };
        let file = encode(&text.replace("ENC", name));
        let edited = apply(&set, &file).unwrap();
        assert_eq!(
            edited.bytes,
            encode(&text.replace("ENC", name).replace('ß', expected)),
            "{name}"
        );
        only_spans_differ(&file, &edited);
        assert_eq!(edited.changes[0].line, 2);
    }
    // Windows-1252 has the euro sign, but not where Latin-1 would put it.
    let mut file = latin(&text.replace("ENC", "windows-1252"));
    let edited = apply(&set, &file).unwrap();
    let place = file.iter().position(|byte| *byte == 0xdf).unwrap();
    file.splice(place..=place, *b"\xe9\x80&#x6771;");
    assert_eq!(edited.bytes, file);
}

#[test]
fn what_is_inserted_follows_its_neighbours() {
    let insert = |inner: &str| format!("<appSettings>{inner}</appSettings>");
    let add = "<add key='n' xdt:Transform='Insert'/>";
    for (before, after) in [
        (
            "<appSettings>\r\n\t<add key='a'/>\r\n</appSettings>",
            "<appSettings>\r\n\t<add key='a'/>\r\n\t<add key='n'/>\r\n</appSettings>",
        ),
        (
            "<appSettings><add key=\"a\" /></appSettings>",
            "<appSettings><add key=\"a\" /><add key=\"n\" /></appSettings>",
        ),
        (
            "<appSettings>\n    <add key=\"a\" /> <!-- why -->\n</appSettings>",
            "<appSettings>\n    <add key=\"a\" /> <!-- why -->\n    <add key=\"n\" />\n</appSettings>",
        ),
        (
            "\n  <appSettings/>\n",
            "\n  <appSettings>\n    <add key=\"n\"/>\n  </appSettings>\n",
        ),
        (
            "\n\t<appSettings />\n",
            "\n\t<appSettings>\n\t\t<add key=\"n\" />\n\t</appSettings>\n",
        ),
        (
            "\n  <appSettings></appSettings>\n",
            "\n  <appSettings>\n    <add key=\"n\" />\n  </appSettings>\n",
        ),
        (
            "\n  <appSettings>\n  </appSettings>\n",
            "\n  <appSettings>\n    <add key=\"n\" />\n  </appSettings>\n",
        ),
        (
            "<appSettings>\n<!-- only -->\n</appSettings>",
            "<appSettings>\n<!-- only -->\n<add key=\"n\" />\n</appSettings>",
        ),
    ] {
        let file = |inner: &str| format!("<configuration>{inner}</configuration>");
        check(&file(before), &insert(add), &file(after));
    }
    let file = "<configuration>\n  <a>\n    <b x='1'/>\n    <c/>\n  </a>\n</configuration>\n";
    for (transform, after) in [
        (
            "<a><n xdt:Transform='InsertBefore(b)'/></a>",
            file.replace("<b x='1'/>", "<n/>\n    <b x='1'/>"),
        ),
        (
            "<a><n xdt:Transform='InsertAfter(b)'>t</n></a>",
            file.replace("<b x='1'/>", "<b x='1'/>\n    <n>t</n>"),
        ),
        (
            "<a>\n<n xdt:Transform='InsertAfter(b)'>\n<!-- k -->\n\n<m y=\"2\" />\n<o>t\nu</o></n></a>",
            file.replace(
                "<b x='1'/>",
                "<b x='1'/>\n    <n>\n      <!-- k -->\n\n      <m y='2'/>\n      <o>t\nu</o></n>",
            ),
        ),
        (
            "<a xdt:Transform='Replace'>\n<z><y/></z>\n</a>",
            "<configuration>\n  <a>\n    <z><y/></z>\n  </a>\n</configuration>\n".to_owned(),
        ),
        (
            "<a><c n='1' xdt:Transform='SetAttributes'/></a>",
            file.replace("<c/>", "<c n='1'/>"),
        ),
        (
            "<a><b xdt:Transform='Remove'/></a>",
            file.replace("    <b x='1'/>\n", ""),
        ),
        (
            "<a><c xdt:Transform='Remove'/></a>",
            file.replace("    <c/>\n", ""),
        ),
        (
            "<a><b xdt:Transform='RemoveAttributes(x)'/></a>",
            file.replace(" x='1'", ""),
        ),
    ] {
        check(file, transform, &after);
    }
    check(
        "<configuration>\n  <a\n    x=\"1\"\n    y=\"2\" />\n</configuration>",
        "<a z='3' xdt:Transform='SetAttributes'/>",
        "<configuration>\n  <a\n    x=\"1\"\n    y=\"2\"\n    z=\"3\" />\n</configuration>",
    );
}

#[test]
fn text_keeps_its_form() {
    let replace = |text: &str| format!("<v xdt:Transform='Replace'>{text}</v>");
    for (before, written, after) in [
        ("<v>old</v>", "a &lt; b", "<v>a &lt; b</v>"),
        (
            "<v ><![CDATA[old]]></v >",
            "a &lt; b",
            "<v ><![CDATA[a < b]]></v >",
        ),
        ("<v><![CDATA[old]]></v>", "a]]&gt;b", "<v>a]]&gt;b</v>"),
        ("<v/>", "x", "<v>x</v>"),
        ("<v>old</v>", "", "<v></v>"),
        ("<v> a </v>", " b ", "<v> b </v>"),
    ] {
        let file = |inner: &str| format!("<configuration>\r\n{inner}\r\n</configuration>");
        check(&file(before), &replace(written), &file(after));
    }
}

#[test]
fn every_edit_tells_what_it_did() {
    let file = "<configuration>\n<appSettings>\n<add key='a' value='1'/>\n<add key='b' value='2'/>\n<add key='c'/>\n</appSettings>\n</configuration>";
    let body = "<appSettings><add key='a' value='9' xdt:Locator='Match(key)' xdt:Transform='SetAttributes'/><add key='b' xdt:Locator='Match(key)' xdt:Transform='Remove'/><add key='d' value='4' xdt:Locator='Match(key)' xdt:Transform='InsertIfMissing'/><add key='c' value='3' xdt:Locator='Match(key)' xdt:Transform='SetAttributes(value)'/></appSettings>";
    let edited = apply(&edits(body), file.as_bytes()).unwrap();
    let told: Vec<String> = edited
        .changes
        .iter()
        .map(|change| {
            format!(
                "{} {:?} {}: {:?} -> {:?}",
                change.line, change.outcome, change.key, change.old, change.new
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "3 AlreadySo configuration > appSettings > add[key=a] > @key: Some(\"a\") -> Some(\"a\")",
            "3 Set configuration > appSettings > add[key=a] > @value: Some(\"1\") -> Some(\"9\")",
            "4 Removed configuration > appSettings > add[key=b]: Some(\"<add key='b' value='2'/>\") -> None",
            "5 Inserted configuration > appSettings > add[key=d]: None -> Some(\"<add key='d' value='4'/>\")",
            "5 Inserted configuration > appSettings > add[key=c] > @value: None -> Some(\"3\")",
        ]
    );
}

#[test]
fn a_refusal_names_what_was_probably_meant() {
    let file = "<configuration>\n<appSettings>\n<add key='QStatsUrl' value='1'/>\n</appSettings>\n<location path='x'><connectionStrings><add name='M'/></connectionStrings></location>\n</configuration>";
    let set = |section: &str, key: &str| {
        format!(
            "<{section}><add {key} value='2' xdt:Locator='Match({})' xdt:Transform='SetAttributes(value)'/></{section}>",
            key.split('=').next().unwrap()
        )
    };
    for (body, expected) in [
        (
            set("appSettings", "key='QStatsURL'"),
            "Missing: `add[key=QStatsURL]` is not there, below `configuration > appSettings` | <add key='QStatsUrl' value='1'/> | QStatsUrl",
        ),
        (
            set("appSettings", "key='Other'"),
            "Missing: `add[key=Other]` is not there, below `configuration > appSettings` | <appSettings> | -",
        ),
        (
            set("appsettings", "key='QStatsUrl'"),
            "Missing: `appsettings` is not there, below `configuration` | <appSettings> | appSettings",
        ),
        (
            set("connectionStrings", "name='M'"),
            "Unsuitable: `connectionStrings` is there only inside `<location path=\"x\">`, which the transform does not name | <connectionStrings> | -",
        ),
    ] {
        assert_eq!(refused(file, &body), [expected], "{body}");
    }
    // All of a file at once, and a missing section once however much is meant in it.
    let both = format!(
        "{}{}{}",
        set("appSettings", "key='One'"),
        set("appSettings", "key='Two'"),
        set("gone", "key='Three'")
    );
    assert_eq!(refused(file, &both).len(), 3);
}

#[test]
fn files_that_do_not_read_are_refused_with_the_place() {
    for (file, expected) in [
        (
            "<configuration><a></configuration>",
            "BadFile: expected `</a>`, not `</configuration>` | </configuration> | -",
        ),
        (
            "<!DOCTYPE a [<!ENTITY b 'c'>]><configuration/>",
            "BadFile: document type definitions are not read: they could declare entities and attributes that nobody sees | < | -",
        ),
        ("", "BadFile: the document has no root element |  | -"),
        (
            "<configuration>\u{1}</configuration>",
            "BadFile: the character U+0001 cannot stand in XML | \u{1} | -",
        ),
    ] {
        assert_eq!(refused(file, SET), [expected]);
    }
}

/// Instructions that pass in silence, or throw, in Microsoft's engine.
#[test]
fn instructions_that_cannot_be_meant_are_refused() {
    for (body, expected) in [
        (
            "<xdt:Import assembly='a'/>",
            "`xdt:Import` loads a program library into the engine that applies the transform; it is not done here",
        ),
        (
            "<a xdt:Transform='CommentOut'/>",
            "`CommentOut` is not applied: no engine before 2019 knows it; write `Remove`",
        ),
        (
            "<a xdt:Transfrom='Remove'/>",
            "`xdt:Transfrom` is not an attribute of transforms",
        ),
        (
            "<a Transform='Remove'/>",
            "`Transform` without the prefix `xdt:` is an ordinary attribute",
        ),
        (
            "<a xdt:Transform='Remove' xdt:Locator='Condition(p:b)'/>",
            "the prefix `p` is not declared",
        ),
        (
            "<a xdt:Transform='Remove' xdt:Locator='XPath(1)'/>",
            "the expression is no path, so it finds no element",
        ),
        (
            "<a xdt:Transform='Remove' xdt:Locator='Condition(f(x))'/>",
            "the function `f` is not known",
        ),
        (
            "<a xdt:Transform='Remove' xdt:Locator='Condition($x)'/>",
            "variables are not known, at `$x`",
        ),
    ] {
        let text = format!("<configuration xmlns:xdt=\"{NAMESPACE}\">{body}</configuration>");
        let errors = XdtEdits::read(&text).unwrap_err();
        assert!(errors[0].message.starts_with(expected), "{body}: {errors:?}");
    }
}

/// One transform for the key with this number.
fn transform(number: usize, verb: usize) -> String {
    let verb = [
        "SetAttributes(value)",
        "Remove",
        "Replace",
        "RemoveAttributes(other)",
        "SetAttributes",
    ][verb % 5];
    format!("<add key='k{number}' value='n{number}&amp;\"' xdt:Locator='Match(key)' xdt:Transform='{verb}'/>")
}

fn file(entries: &[(usize, usize)]) -> String {
    let mut text = String::from("\u{feff}<configuration>\r\n\t<appSettings>\r\n");
    for (number, (layout, value)) in entries.iter().enumerate() {
        let quote = if layout % 2 == 0 { '"' } else { '\'' };
        let lead = ["\t\t", "\t\t<!-- c -->", " ", "\r\n\r\n", "\t\t<x/> "][layout % 5];
        let end = ["\r\n", " <!-- d -->\n", "", "\r\n", "\n"][layout % 5];
        let tag = ["/>", " />", "></add>", ">t</add >"][value % 4];
        write!(
            text,
            "{lead}<add key={quote}k{number}{quote} value={quote}v{value}é{quote} other={quote}{quote}{tag}{end}"
        )
        .unwrap();
    }
    text + "\t</appSettings>\r\n</configuration>"
}

proptest! {
    #[test]
    fn edits_of_different_keys_can_be_exchanged_and_repeated(
        entries in prop::collection::vec((0_usize..5, 0_usize..8), 2..7),
        verbs in prop::collection::vec(0_usize..5, 7),
    ) {
        let file = file(&entries);
        let all: Vec<String> = (0..entries.len()).map(|number| transform(number, verbs[number])).collect();
        let both = edits(&format!("<appSettings>{}</appSettings>", all.concat()));
        let once = apply(&both, file.as_bytes()).unwrap();
        only_spans_differ(file.as_bytes(), &once);
        let twice = apply(&both, &once.bytes).unwrap();
        prop_assert_eq!(&twice.bytes, &once.bytes);
        prop_assert!(twice.changes.iter().all(|change| change.outcome == Outcome::AlreadySo && change.span.is_empty()));
        let mut other = file.into_bytes();
        for one in all.iter().rev() {
            other = apply(&edits(&format!("<appSettings>{one}</appSettings>")), &other).unwrap().bytes;
        }
        prop_assert_eq!(String::from_utf8(other).unwrap(), String::from_utf8(once.bytes).unwrap());
    }

    /// Whatever a flipped byte does: no panic; and when the edit is done, it is right, and the rest is as it was.
    #[test]
    fn a_flipped_byte_is_never_edited_wrongly(
        entries in prop::collection::vec((0_usize..5, 0_usize..8), 1..5),
        place in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
        verb in 0_usize..5,
    ) {
        let mut bytes = file(&entries).into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let edits = edits(&format!("<appSettings>{}</appSettings>", transform(0, verb)));
        if let Ok(edited) = apply(&edits, &bytes) {
            only_spans_differ(&bytes, &edited);
            let text = Source::read(&edited.bytes, readable(&edited.bytes)).unwrap().text().to_owned();
            let read = roxmltree::Document::parse(&text).unwrap();
            let path = |node: &roxmltree::Node<'_, '_>| -> Vec<String> {
                node.ancestors().map(|node| node.tag_name().name().to_owned()).collect()
            };
            let found: Vec<_> = read
                .descendants()
                .filter(|node| node.attribute("key") == Some("k0") && path(node) == ["add", "appSettings", "configuration", ""])
                .collect();
            match verb {
                1 => prop_assert!(found.is_empty()),
                3 => prop_assert!(found[0].attribute("other").is_none()),
                _ => prop_assert_eq!(found[0].attribute("value"), Some("n0&\"")),
            }
        }
    }

    #[test]
    fn inserted_elements_are_read_back(value in "[ -~é€\n\t]{0,20}", layout in 0_usize..5, quote in "[\"']") {
        if let Ok(quoted) = crate::xml::xml_attr(&value.replace(['\n', '\t'], " ")) {
            let text = crate::xml::xml_text(&value).unwrap();
            let file = file(&[(layout, 1)]);
            let body = format!("<appSettings><n a={quote}{quoted}{quote} xdt:Transform='Insert'>{text}</n></appSettings>");
            let edited = apply(&edits(&body), file.as_bytes()).unwrap();
            only_spans_differ(file.as_bytes(), &edited);
            let written = String::from_utf8(edited.bytes).unwrap();
            let read = roxmltree::Document::parse(&written).unwrap();
            let node = read.descendants().find(|node| node.has_tag_name("n")).unwrap();
            let plain = value.replace(['\n', '\t'], " ");
            prop_assert_eq!(node.attribute("a"), Some(plain.as_str()));
            prop_assert_eq!(node.text().unwrap_or_default(), value);
        }
    }

    #[test]
    fn any_expression_is_read_without_a_panic(text in "[@a\\[\\]()/|=!<>.:* 'or$,1-]{0,24}") {
        let _either = instructions::locator(&format!("Condition({text})"));
        let _either = instructions::locator(&format!("XPath({text})"));
    }
}

#[test]
fn entries_that_another_file_may_hide_are_named() {
    let set = |key: &str| {
        format!(
            "<add key=\"{key}\" value=\"2\" xdt:Locator=\"Match(key)\" xdt:Transform=\"SetAttributes(value)\"/>"
        )
    };
    let edits = edits(&format!("<appSettings>{}{}</appSettings>", set("a"), set("b")));
    let notes = |attribute: &str| {
        let file = format!(
            "<configuration><appSettings{attribute}><add key=\"a\" value=\"1\"/><add key=\"b\" value=\"2\"/></appSettings></configuration>"
        );
        let edited = apply(&edits, file.as_bytes()).unwrap();
        let place = edited.notes.first().and_then(|note| file.get(note.span.clone()?));
        assert!(
            place.is_none_or(|tag| tag.starts_with("<appSettings file")),
            "{place:?}"
        );
        edited
            .notes
            .into_iter()
            .map(|note| note.message)
            .collect::<Vec<_>>()
    };
    assert!(notes("").is_empty());
    assert_eq!(
        notes(" file=\"..\\user.config\""),
        [
            "`appSettings` reads `..\\user.config` too (file), where an entry of the same key wins: look there for `a`, `b`"
        ]
    );
}
