//! Tests of the rules for transform documents, each through [`check`].

use proptest::prelude::*;

use super::*;
use crate::formats::edits::xdt::NAMESPACE;

fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    read_back(Format::Xdt, text)
}

/// Wraps `body` in a root element, reads it and compares its items, or its errors as `text pointed at | message`.
fn check(body: &str, expected: &[&str]) {
    let text = format!("<configuration xmlns:xdt=\"{NAMESPACE}\">{body}</configuration>\n");
    check_text(&text, expected);
}

fn check_text(text: &str, expected: &[&str]) {
    let found: Vec<String> = match items(text) {
        Ok(items) => items
            .into_iter()
            .map(|item| format!("{} = {}", item.path, item.value))
            .collect(),
        Err(errors) => errors
            .into_iter()
            .map(|error| format!("{} | {error}", text.get(error.range.clone()).unwrap()))
            .collect(),
    };
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn the_namespace_has_to_be_the_exact_one() {
    check_text(
        "<configuration xmlns:xdt=\"https://schemas.microsoft.com/XML-Document-Transform\"><appSettings xdt:Transform=\"Remove\"/></configuration>",
        &[
            "<configuration | the root element has to declare `xmlns:xdt=\"http://schemas.microsoft.com/XML-Document-Transform\"`, or nothing is applied",
            "xdt:Transform=\"Remove\" | `Transform` is in the namespace `https://schemas.microsoft.com/XML-Document-Transform`, transforms are in `http://schemas.microsoft.com/XML-Document-Transform`",
        ],
    );
    check(
        "<runtime><assemblyBinding xmlns=\"urn:schemas-microsoft-com:asm.v1\" xdt:Locator=\"Match(x)\" x=\"1\" xdt:Transform=\"Remove\"/></runtime>",
        &[
            "configuration > runtime > assemblyBinding[x=1] > @xdt:Locator = Match(x)",
            "configuration > runtime > assemblyBinding[x=1] > @x = 1",
            "configuration > runtime > assemblyBinding[x=1] > @xdt:Transform = Remove",
        ],
    );
    check(
        "<appSettings Transform=\"Remove\"/><system.web xdt:Transform=\"Remove\" xdt:Other=\"\"/>",
        &[
            "<appSettings Transform=\"Remove\" | `appSettings` holds no transform, so it changes nothing",
            "Transform=\"Remove\" | `Transform` without the prefix `xdt:` is an ordinary attribute",
            "xdt:Other=\"\" | `xdt:Other` is not an attribute of transforms",
        ],
    );
}

#[test]
fn every_transform_is_located_exactly() {
    check(
        "<appSettings><add key='a' value='b' xdt:Transform='SetAttributes(value)'/></appSettings>",
        &[
            "<add key='a' value='b' xdt:Transform='SetAttributes(value)' | `add` needs a locator such as `xdt:Locator=\"Match(name)\"`, or every `add` matches",
            "key='a' | `key` is neither set nor matched, so it changes nothing",
        ],
    );
    check(
        "<applicationSettings><setting name='X'><value xdt:Transform='Replace'>y</value></setting></applicationSettings>",
        &[
            "<setting name='X' | `setting` needs a locator such as `xdt:Locator=\"Match(name)\"`, or every `setting` matches",
        ],
    );
    check(
        "<appSettings><add value='b' xdt:Transform='SetAttributes(value)' xdt:Locator='Match(key)'/></appSettings>",
        &[
            "<add value='b' xdt:Transform='SetAttributes(value)' xdt:Locator='Match(key)' | the locator matches `key`, which the element does not have",
        ],
    );
    check(
        "<appSettings><add key='a' xdt:Transform='SetAttribute(value)' xdt:Locator='Match(value)'/></appSettings>",
        &[
            "<add key='a' xdt:Transform='SetAttribute(value)' xdt:Locator='Match(value)' | the locator matches `value`, which the element does not have",
            "SetAttribute(value) | unknown transform `SetAttribute`, known are `Replace`, `Insert`, `InsertBefore(path)`, `InsertAfter(path)`, `InsertIfMissing`, `Remove`, `RemoveAll`, `SetAttributes(names)` and `RemoveAttributes(names)`",
        ],
    );
}

/// Each was taken for something else than it is, or refused without a reason.
#[test]
fn expressions_are_read_by_their_grammar() {
    let loose = "the expression has to compare an attribute with `=` and a quoted text, without functions or alternatives";
    for (locator, expected) in [
        ("Condition(@key='x'or@key='y')", Some(loose)),
        ("Condition(@key>='x')", Some(loose)),
        ("Condition(@key!='x')", Some(loose)),
        ("Condition(contains(@key,'x'))", Some(loose)),
        ("Condition(@key)", Some(loose)),
        ("Condition(not(@key='x'))", Some(loose)),
        ("XPath(//add)", Some(loose)),
        (
            "XPath(//[@key='x'])",
            Some("expected a name, not `[`, at `[@key='x']`"),
        ),
        (
            "Condition(@key='x)",
            Some("a quote of the expression is not closed, at `'x`"),
        ),
        (
            "match(key)",
            Some(
                "unknown locator `match`, known are `Match(names)`, `XPath(path)` and `Condition(predicate)`",
            ),
        ),
        ("Match()", Some("the locator takes arguments in parentheses")),
        ("Match(key,key)", Some("an attribute is listed twice")),
        ("Condition(@key='x or (y)' and @value = 'z')", None),
        (
            "XPath(/configuration/applicationSettings/*/setting[@name='X'])",
            None,
        ),
        ("XPath(//add[@key='x'])", None),
        ("Match(path)", None),
        ("Match(statusCode)", None),
    ] {
        let locator = locator.replace('>', "&gt;");
        let text = format!(
            "<configuration xmlns:xdt=\"{NAMESPACE}\"><appSettings><add path=\"it's\" statusCode=\"4\" key=\"k\" xdt:Transform=\"RemoveAttributes(value)\" xdt:Locator=\"{locator}\"/></appSettings></configuration>"
        );
        let found = items(&text).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            found.err(),
            expected.map(|message| vec![message.to_owned()]),
            "{locator}"
        );
    }
}

#[test]
fn transforms_are_read_with_and_without_names() {
    for (verb, fine) in [
        ("SetAttributes", true),
        ("SetAttributes()", true),
        ("SetAttributes(key, value)", true),
        ("SetAttributes(key,)", false),
        ("SetAttributes(key", false),
        ("RemoveAttributes", true),
        ("RemoveAttributes(other)", true),
        ("RemoveAll", true),
        ("Replace(x)", false),
        ("replace", false),
        ("InsertBefore", false),
        ("InsertBefore(@x)", false),
        ("", false),
    ] {
        let text = format!(
            "<configuration xmlns:xdt=\"{NAMESPACE}\"><connectionStrings><add key=\"k\" value=\"v\" xdt:Transform=\"{verb}\" xdt:Locator=\"Match(key)\"/></connectionStrings></configuration>"
        );
        assert_eq!(items(&text).is_ok(), fine, "{verb}: {:?}", items(&text).err());
    }
}

#[test]
fn what_changes_nothing_is_refused() {
    check("", &["<configuration | the document transforms nothing"]);
    check(
        "<appSettings><add key='a' value='b'/></appSettings>",
        &["<configuration | the document transforms nothing"],
    );
    check(
        "<appSettings><add key='a' value='b' xdt:Locator='Match(key)'/><add key='c' xdt:Transform='Remove' xdt:Locator='Match(key)'/></appSettings>",
        &[
            "<add key='a' value='b' xdt:Locator='Match(key)' | `add[key=a]` holds no transform, so it changes nothing",
        ],
    );
    check(
        "<appSettings><add key='a' value='b' other='c' xdt:Transform='SetAttributes(value,type)' xdt:Locator='Match(key)'/></appSettings>",
        &[
            "<add key='a' value='b' other='c' xdt:Transform='SetAttributes(value,type)' xdt:Locator='Match(key)' | `SetAttributes` lists `type`, which the element does not have",
            "other='c' | `other` is neither set nor matched, so it changes nothing",
        ],
    );
    check(
        "<appSettings xdt:Transform='Replace'><add key='a' value='b' xdt:Transform='Insert'/><add key='c'/><add key='c'/></appSettings>",
        &[
            "xdt:Transform='Insert' | an element around this one is replaced, inserted or removed as a whole",
            "<add key='c' | `add[key=c]` is given twice",
        ],
    );
}

#[test]
fn a_target_is_transformed_once_or_by_a_known_pair() {
    let add =
        |verb: &str| format!("<add key='a' value='b' xdt:Transform='{verb}' xdt:Locator='Match(key)'/>");
    let pair =
        |first: &str, second: &str| format!("<appSettings>{}{}</appSettings>", add(first), add(second));
    let text = |body: &str| format!("<configuration xmlns:xdt=\"{NAMESPACE}\">{body}</configuration>");
    assert!(items(&text(&pair("SetAttributes(value)", "InsertIfMissing"))).is_ok());
    assert!(items(&text(&pair("InsertIfMissing", "SetAttributes(value)"))).is_ok());
    check(
        &pair("SetAttributes(value)", "SetAttributes(value)"),
        &[&format!(
            "{} | `configuration > appSettings > add[key=a]` is transformed more than once",
            add("SetAttributes(value)")
        )],
    );
    check(
        &pair("Remove", "Replace"),
        &[&format!(
            "{} | `configuration > appSettings > add[key=a]` is transformed more than once",
            add("Replace")
        )],
    );
}

#[test]
fn nothing_is_inserted_blindly() {
    check(
        "<applicationSettings><setting name='X' xdt:Transform='InsertIfMissing' xdt:Locator='Match(name)'><value>y</value></setting></applicationSettings>",
        &[
            "<setting name='X' xdt:Transform='InsertIfMissing' xdt:Locator='Match(name)' | a `setting` is never inserted, it has to exist in the file",
        ],
    );
    check(
        "<appSettings><add key='a' value='b' xdt:Transform='Insert'/></appSettings>",
        &[
            "<add key='a' value='b' xdt:Transform='Insert' | `Insert` adds a second entry when the key exists; use `InsertIfMissing`",
        ],
    );
}

#[test]
fn values_keep_their_white_space() {
    check(
        "<applicationSettings><setting name='X' xdt:Locator='Match(name)'><value xdt:Transform='Replace'> y\n</value></setting></applicationSettings>",
        &[
            "<value xdt:Transform='Replace'> y\n</value> | white space around the text of a `value` is part of the setting",
        ],
    );
    check(
        "<appSettings>x<add key='a' value='b\nc&#10;d' xdt:Transform='SetAttributes(value)' xdt:Locator='Match(key)'/></appSettings>",
        &[
            "<appSettings>x<add key='a' value='b\nc&#10;d' xdt:Transform='SetAttributes(value)' xdt:Locator='Match(key)'/></appSettings> | `appSettings` takes no text",
            "b\nc&#10;d | the value of `value` holds a line break or a tab, which XML turns into a blank",
        ],
    );
}

#[test]
fn collections_of_iis_remove_before_they_add() {
    let headers = |inside: &str| {
        format!(
            "<system.webServer><httpProtocol xdt:Transform='InsertIfMissing'><customHeaders xdt:Transform='InsertIfMissing'>{inside}</customHeaders></httpProtocol></system.webServer>"
        )
    };
    let transformed = "xdt:Transform='InsertIfMissing' xdt:Locator='Match(name)'";
    let good = headers(&format!(
        "<remove name='X-Frame-Options' {transformed}/><add name='x-frame-options' value='SAMEORIGIN' {transformed}/>"
    ));
    assert!(
        items(&format!(
            "<configuration xmlns:xdt='{NAMESPACE}'>{good}</configuration>"
        ))
        .is_ok()
    );
    let message = "`<remove>` of the same name has to stand before this `<add>`, or an inherited entry stops the application";
    let add = format!("<add name='X-Frame-Options' value='SAMEORIGIN' {transformed}");
    check(&headers(&format!("{add}/>")), &[&format!("{add} | {message}")]);
    check(
        &headers(&format!("{add}/><remove name='X-Frame-Options' {transformed}/>")),
        &[&format!("{add} | {message}")],
    );
    // Microsoft's library writes a missing parent out with everything in it, so the entry would stand there twice.
    let set = "<add name='X-Frame-Options' value='SAMEORIGIN' xdt:Transform='SetAttributes(value)' xdt:Locator='Match(name)'";
    check(
        &headers(&format!(
            "<remove name='X-Frame-Options' {transformed}/>{add}/>{set}/>"
        )),
        &[&format!("{set} | `add[name=X-Frame-Options]` is given twice")],
    );
    check(
        "<system.webServer><httpErrors defaultPath='/x' xdt:Transform='SetAttributes(defaultPath)'/></system.webServer>",
        &[
            "defaultPath='/x' | `defaultPath` is locked at server level; set it with appcmd and `/commit:apphost`",
        ],
    );
}

#[test]
fn service_bindings_agree_with_themselves() {
    let model = |sizes: &str, mode: &str, scheme: &str| {
        format!(
            "<system.serviceModel xdt:Transform='Replace'><bindings><basicHttpBinding><binding name='B' {sizes}>{mode}</binding></basicHttpBinding></bindings><client><endpoint address='{scheme}://h/' binding='basicHttpBinding' bindingConfiguration='B' contract='C' name='E'/></client></system.serviceModel>"
        )
    };
    let sizes = "maxBufferSize='10485760' maxReceivedMessageSize='10485760'";
    let transport = "<security mode='Transport'/>";
    let text = |body: &str| format!("<configuration xmlns:xdt='{NAMESPACE}'>{body}</configuration>");
    assert!(items(&text(&model(sizes, transport, "https"))).is_ok());
    assert!(items(&text(&model(sizes, "", "http"))).is_ok());
    assert!(
        items(&text(&model(
            "maxBufferSize='1' transferMode='Streamed'",
            "",
            "http"
        )))
        .is_ok()
    );
    check(
        &model(sizes, transport, "http"),
        &[
            "http://h/ | the binding `B` has security mode `Transport`, so the address has to begin with `https://`",
        ],
    );
    check(
        &model(sizes, "", "https"),
        &[
            "https://h/ | the binding `B` has security mode `None`, so the address has to begin with `http://`",
        ],
    );
    check(
        &model("maxBufferSize='10485760' maxReceivedMessageSize='1'", "", "http"),
        &[
            "<binding name='B' maxBufferSize='10485760' maxReceivedMessageSize='1'></binding> | `maxBufferSize` is 10485760 and `maxReceivedMessageSize` is 1, a buffered binding needs them equal",
        ],
    );
    check(
        "<system.serviceModel><bindings><basicHttpBinding><binding name='B' maxReceivedMessageSize='1' xdt:Transform='SetAttributes(maxReceivedMessageSize)' xdt:Locator='Match(name)'/></basicHttpBinding></bindings></system.serviceModel>",
        &[
            "<binding name='B' maxReceivedMessageSize='1' xdt:Transform='SetAttributes(maxReceivedMessageSize)' xdt:Locator='Match(name)'/> | `maxBufferSize` and `maxReceivedMessageSize` have to be set together",
        ],
    );
}

proptest! {
    #[test]
    fn any_document_is_read_without_a_panic(words in prop::collection::vec(prop::sample::select(vec![
        "<add key='a' ", "<setting name='b' ", "<appSettings>", "</appSettings>", "<value>", "</value>", "/>", ">", " x ",
        "xdt:Transform='Replace' ", "xdt:Transform='Insert' ", "xdt:Locator='Match(key)' ", "</setting>", "\n", "é",
        "<system.webServer>", "</system.webServer>", "<bindings>", "</bindings>", "<binding ", "</binding>",
    ]), 0..12)) {
        let text = format!("<configuration xmlns:xdt='{NAMESPACE}'>{}</configuration>", words.concat());
        for error in items(&text).err().into_iter().flatten() {
            prop_assert!(text.get(error.range.clone()).is_some());
        }
    }
}
