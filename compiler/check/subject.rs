//! Certificate subjects as RabbitMQ writes them: RFC 4514 without blanks after commas.
//!
//! RabbitMQ compares the user name with its own spelling of the subject, letter by letter, so another correct spelling
//! of the same subject is as wrong as a broken one. It escapes `, + " \ < > ;`, a leading `#` and blanks at the ends,
//! each with a backslash, and nothing else (`rabbit_cert_info.erl`, 3.8.1).

use cbgen_formats::Cut as _;

/// Attribute types of a subject in order, or why the text is not a subject.
pub(super) fn types(subject: &str) -> Result<Vec<String>, String> {
    let mut types = Vec::new();
    if subject.trim().is_empty() {
        return Err("the subject is empty".into());
    }
    let mut rest = subject;
    loop {
        let (attribute, value) = rest
            .split_once('=')
            .ok_or_else(|| format!("`{rest}` is not of the form `TYPE=value`"))?;
        if attribute.starts_with(' ') {
            return Err(format!(
                "a blank stands before `{}`; RabbitMQ joins the parts without blanks",
                attribute.trim_start()
            ));
        }
        if !is_type(attribute) {
            return Err(format!(
                "`{attribute}` is not an attribute type such as `OU` or `O`"
            ));
        }
        types.push(attribute.to_ascii_uppercase());
        match value_end(attribute, value)? {
            None => return Ok(types),
            Some(next) => rest = next,
        }
    }
}

/// RFC 4512 `descr` or `numericoid`.
fn is_type(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts_well {
        text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    } else {
        text.split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Reads one value; the text after the separator that ends it, or `None` at the end.
fn value_end<'a>(attribute: &str, value: &'a str) -> Result<Option<&'a str>, String> {
    let mut characters = value.char_indices();
    let mut last_is_plain_blank = false;
    let mut length = 0usize;
    let finish = |length: usize, blank: bool| {
        if length == 0 {
            Err(format!("the value of `{attribute}` is empty"))
        } else if blank {
            Err(format!(
                "the value of `{attribute}` ends with a blank without a backslash"
            ))
        } else {
            Ok(())
        }
    };
    while let Some((offset, character)) = characters.next() {
        match character {
            ',' | '+' => {
                finish(length, last_is_plain_blank)?;
                return Ok(Some(value.cut(offset + 1..)));
            }
            '\\' => {
                let (after, escaped) = characters
                    .next()
                    .ok_or_else(|| format!("the value of `{attribute}` ends with a backslash"))?;
                let at_end = matches!(value.get(after + 1..), Some(rest) if rest.is_empty() || rest.starts_with([',', '+']));
                let allowed = match escaped {
                    ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
                    '#' => length == 0,
                    ' ' => length == 0 || at_end,
                    _ => false,
                };
                if !allowed {
                    return Err(format!(
                        "RabbitMQ writes `{escaped}` without a backslash in the value of `{attribute}`"
                    ));
                }
                last_is_plain_blank = false;
            }
            '"' | '<' | '>' | ';' => {
                return Err(format!(
                    "`{character}` in the value of `{attribute}` needs a backslash"
                ));
            }
            ' ' | '#' if length == 0 => {
                return Err(format!(
                    "the value of `{attribute}` begins with {character:?} without a backslash"
                ));
            }
            other => last_is_plain_blank = other == ' ',
        }
        length += 1;
    }
    finish(length, last_is_plain_blank)?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::types;
    use proptest::prelude::*;

    #[test]
    fn subjects_of_real_certificates_are_read() {
        for (subject, expected) in [
            (r"OU=Call back,O=Acme\, Inc.,C=US", vec!["OU", "O", "C"]),
            ("CN=mq", vec!["CN"]),
            ("2.5.4.5=12,O=Acme", vec!["2.5.4.5", "O"]),
            (r"O=\#1\ ", vec!["O"]),
            ("O=a=b", vec!["O"]),
        ] {
            assert_eq!(types(subject).unwrap(), expected, "{subject}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for subject in [
            "",
            "  ",
            "Acme",
            "O=",
            "O=Acme,",
            "O=Acme, C=US",
            "O=Acme ,C=US",
            "O= Acme",
            "O=#1",
            r"O=Acme\2C Inc",
            r"O=a\=b",
            r"O=a\",
            r#"O="a""#,
            "O=a;C=US",
            "=a",
            "O U=a",
            "1..2=a",
            r"O=a\ b",
        ] {
            assert!(types(subject).is_err(), "{subject}");
        }
    }

    proptest! {
        #[test]
        fn escaped_values_are_one_value(value in "[ -~&&[^=]]{1,20}") {
            let last = value.chars().count() - 1;
            let escaped: String = value
                .chars()
                .enumerate()
                .flat_map(|(index, c)| {
                    let edge = c == ' ' && (index == 0 || index == last) || c == '#' && index == 0;
                    let special = ",+\"\\<>;".contains(c);
                    (edge || special).then_some('\\').into_iter().chain([c])
                })
                .collect();
            prop_assert_eq!(types(&format!("O={escaped},C=US")), Ok(vec!["O".to_owned(), "C".to_owned()]));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            drop(types(&text));
        }
    }
}
