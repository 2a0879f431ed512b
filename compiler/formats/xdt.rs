//! XML document transforms (XDT) for .NET configuration files, as a text under review.
//!
//! A text of this format is a keyed edit of a file that belongs to the vendor (CFG-6 to CFG-8, CFG-10 to CFG-14, IIS-3;
//! DEF-49). The transforms are read and applied by [`edits::xdt`](super::edits::xdt), with this reader's value; here is
//! added what every text under review needs, and what a transform says as facts that are compared. Which transforms a
//! product may generate must not be known here.

use super::edits::xdt::instructions::{self, Locator};
use super::edits::xdt::{NAMESPACE, XdtEdits};
use super::xml::tree::{Attribute, NodeId};
use super::{Form, FormatError, Item, Step, xml};

/// Reads a transform document into items such as `configuration > appSettings > add[key=QStatsURL] > @value`; the
/// transforms and locators are items too (`… > @xdt:Transform`).
///
/// # Errors
/// As [`survey`], and every instruction it finds wrong.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let (edits, errors) = survey(text)?;
    if errors.is_empty() {
        Ok(said(&edits))
    } else {
        Err(errors)
    }
}

/// Reads a transform document under review; instructions that [`XdtEdits::read`] refuses come beside the others.
///
/// # Errors
/// What [`xml::parse`] refuses: what is not well-formed, or nested deeper than a reviewer can follow.
pub fn survey(text: &str) -> Result<(XdtEdits, Vec<FormatError>), Vec<FormatError>> {
    // The review form is shallower than what can be read.
    xml::parse(text)?;
    XdtEdits::survey(text).map_err(|error| vec![error])
}

/// What a transform document says, one item for each attribute and text.
pub fn said(edits: &XdtEdits) -> Vec<Item> {
    let value = |attribute: &Attribute| normalized(edits, attribute);
    xml::flatten(
        &edits.document,
        &[(NAMESPACE, "xdt")],
        &|node| step(edits, node),
        &value,
    )
}

fn normalized(edits: &XdtEdits, attribute: &Attribute) -> String {
    let value = edits.document.value(attribute);
    let is_own = edits.document.uri(attribute.namespace()) == NAMESPACE;
    let read = match edits.document.attribute_name(attribute) {
        "Transform" if is_own => instructions::verb(&value).map(|verb| verb.to_string()),
        "Locator" if is_own => instructions::locator(&value).map(|locator| locator.to_string()),
        _ => return value.into_owned(),
    };
    read.unwrap_or_else(|_| value.into_owned())
}

/// Name of an element together with what identifies it among its siblings, for example `add[key=QStatsURL]`.
pub fn step(edits: &XdtEdits, element: NodeId) -> Step {
    let document = &edits.document;
    let step = Step::new(Form::Element, document.name(element));
    let locator = edits.edit(element).and_then(|edit| edit.locator.as_ref());
    let identity = match locator {
        Some(Locator::Match(names)) => {
            let equal = |name: &String| {
                let value = document.attribute(element, name).unwrap_or_default();
                format!("{name}={value}")
            };
            names.iter().map(equal).collect::<Vec<_>>().join(",")
        }
        Some(Locator::XPath(path)) => path.text.clone(),
        Some(Locator::Condition(condition)) => condition.text.clone(),
        None => match ["key", "name"].map(|name| document.attribute(element, name)) {
            [Some(key), _] => format!("key={key}"),
            [None, Some(value)] => format!("name={value}"),
            [None, None] => return step,
        },
    };
    step.keyed(identity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::told::told;

    fn document(body: &str) -> String {
        format!("<configuration xmlns:xdt=\"{NAMESPACE}\">{body}</configuration>\n")
    }

    #[test]
    fn settings_become_items() {
        let text = document(
            r#"
  <appSettings>
    <add key="QStatsURL" value="http://127.0.0.1/a?b&amp;c" xdt:Transform="SetAttributes( value )" xdt:Locator="Match(key)" />
  </appSettings>
  <applicationSettings>
    <EyeQ.Properties.Settings>
      <setting name="EyeQ" serializeAs="String" xdt:Locator="Match(name)">
        <value xdt:Transform="Replace">http://127.0.0.1/</value>
      </setting>
    </EyeQ.Properties.Settings>
  </applicationSettings>
"#,
        );
        assert_eq!(
            told(items(&text)),
            [
                "configuration > appSettings > add[key=QStatsURL] > @key = QStatsURL",
                "configuration > appSettings > add[key=QStatsURL] > @value = http://127.0.0.1/a?b&c",
                "configuration > appSettings > add[key=QStatsURL] > @xdt:Transform = SetAttributes(value)",
                "configuration > appSettings > add[key=QStatsURL] > @xdt:Locator = Match(key)",
                "configuration > applicationSettings > EyeQ.Properties.Settings > setting[name=EyeQ] > @name = EyeQ",
                "configuration > applicationSettings > EyeQ.Properties.Settings > setting[name=EyeQ] > @serializeAs = String",
                "configuration > applicationSettings > EyeQ.Properties.Settings > setting[name=EyeQ] > @xdt:Locator = Match(name)",
                "configuration > applicationSettings > EyeQ.Properties.Settings > setting[name=EyeQ] > value > @xdt:Transform = Replace",
                "configuration > applicationSettings > EyeQ.Properties.Settings > setting[name=EyeQ] > value > text = http://127.0.0.1/",
            ]
        );
    }

    #[test]
    fn what_an_engine_can_do_is_read_whoever_wrote_it() {
        let foreign = "<system.webServer><add name='X' xdt:Transform='Insert'/></system.webServer>\
             <add key='a' xdt:Transform='SetAttributes' xdt:Locator=\"Condition(not(@key='b'))\"/>";
        assert_eq!(items(&document(foreign)).map(|items| items.len()), Ok(5));
        let deep = document(&format!(
            "{}{}",
            "<a>".repeat(xml::MAX_DEPTH),
            "</a>".repeat(xml::MAX_DEPTH)
        ));
        assert!(XdtEdits::read(&deep).is_ok() && items(&deep).is_err());
    }

    proptest! {
        #[test]
        fn quoted_values_are_read_back(value in any::<String>()) {
            if let Ok(quoted) = xml::xml_attr(&value) {
                let text = document(&format!("<appSettings><add key='k' value='{quoted}' xdt:Transform='SetAttributes(value)' xdt:Locator='Match(key)'/></appSettings>"));
                let found = items(&text).unwrap();
                prop_assert_eq!(&found[1].value, &value);
            }
        }
    }
}
