//! Writes a value into one position of a batch script, or refuses it.
//!
//! Escaping inside cmd.exe depends on how often a line is read again, so almost nothing is escaped here: values keep to
//! a small alphabet. The property tests read every result back through the model in `phases.rs`. This file must not
//! know scripts as a whole.

use crate::FormatError;
use crate::characters::only;

/// Characters that mean themselves inside double quotes in every phase of cmd.exe.
fn harmless(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/\\:(),=@ ~+".contains(c)
}

/// Why a character is not harmless.
fn reason(c: char) -> String {
    match c {
        '"' => "`\"` would end the quoted argument".to_owned(),
        '%' => "`%` begins a variable in a batch script".to_owned(),
        '!' => "`!` is lost where delayed expansion is on".to_owned(),
        '^' => "`^` is doubled by every `call`".to_owned(),
        '&' | '|' | '<' | '>' => format!("`{c}` separates or redirects commands"),
        ' '..='~' => format!("`{c}` is not allowed in values on a command line"),
        _ => format!("{c:?} is not printable ASCII; a batch script is read in the code page of the console"),
    }
}

/// Rules for a whole argument, whatever its characters are.
fn whole_argument(value: &str) -> Result<(), FormatError> {
    let refuse = |range, message: &str| Err(FormatError::new(range, message));
    if value.starts_with(['-', '/']) {
        return refuse(0..1, "a value that starts with `-` or `/` is taken as an option");
    }
    if value.ends_with('\\') {
        return refuse(
            value.len() - 1..value.len(),
            "a backslash at the end would join with the closing quote",
        );
    }
    help_switch(value)
}

/// cmd.exe looks for `/?` on the whole line and prints help instead of doing the work.
fn help_switch(value: &str) -> Result<(), FormatError> {
    match value.find("/?") {
        Some(at) => Err(FormatError::new(
            at..at + 2,
            "cmd.exe takes `/?` as a call for help",
        )),
        None => Ok(()),
    }
}

/// A value that needs no quotes: letters, digits and `. _ -`. This is the default for values no filter handles.
///
/// # Errors
/// Any other character, an empty value, and a leading `-`.
pub fn escape(value: &str) -> Result<String, FormatError> {
    only(
        value,
        |c| c.is_ascii_alphanumeric() || "._-".contains(c),
        |c| {
            if harmless(c) {
                format!("{c:?} needs quotes; use `cmd_arg` or `cmd_set`")
            } else {
                reason(c)
            }
        },
    )?;
    whole_argument(value)?;
    Ok(value.to_owned())
}

/// A quoted argument of a program.
///
/// # Errors
/// Characters outside `A-Z a-z 0-9 . _ - / \ : ( ) , = @ ~ +` and blank, an empty value, a leading `-` or `/`, a trailing
/// backslash, and `/?`.
pub fn cmd_arg(value: &str) -> Result<String, FormatError> {
    only(value, harmless, reason)?;
    whole_argument(value)?;
    Ok(format!("\"{value}\""))
}

/// A quoted argument of a batch file that is started with `call`.
///
/// `%` is accepted in addition to [`cmd_arg`], for percent-encoded paths. A percent sign becomes `%%%%`: one
/// half is lost when the line is read, another when `call` reads it again.
///
/// # Errors
/// As [`cmd_arg`].
pub fn cmd_call_arg(value: &str) -> Result<String, FormatError> {
    only(value, |c| harmless(c) || c == '%', reason)?;
    whole_argument(value)?;
    Ok(format!("\"{}\"", value.replace('%', "%%%%")))
}

/// A JSON text as an argument of a batch file that is started with `call`.
///
/// The whole argument stands in quotes and every inner quote is doubled: cmd.exe then sees all content inside quotes,
/// so that `&` is harmless, and the C runtime reads `""` as one quote. This is the form of the RabbitMQ federation
/// guide for Windows; `\"` would switch cmd.exe out of quotes.
///
/// # Errors
/// Text that is not compact JSON (blanks outside strings split the argument in programs that use the older rules),
/// backslashes, `^ ! < > |`, and anything but printable ASCII.
pub fn cmd_call_json(json: &str) -> Result<String, FormatError> {
    only(
        json,
        |c| matches!(c, ' '..='~') && !"\\^!<>|".contains(c),
        |c| match c {
            '\\' => "a backslash in JSON on a command line; use forward slashes".to_owned(),
            _ => reason(c),
        },
    )?;
    help_switch(json)?;
    let whole = 0..json.len();
    let value: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| FormatError::new(whole.clone(), format!("not JSON: {error}")))?;
    let compact = value.to_string();
    if compact != json {
        return Err(FormatError::new(
            whole,
            "the JSON is not compact, or an object has a key twice",
        ));
    }
    Ok(format!("\"{}\"", json.replace('%', "%%%%").replace('"', "\"\"")))
}

/// The value in `set "NAME=value"`, without quotes of its own.
///
/// # Errors
/// As [`cmd_arg`], because the variable will be used as a quoted argument.
pub fn cmd_set(value: &str) -> Result<String, FormatError> {
    only(value, harmless, reason)?;
    whole_argument(value)?;
    Ok(value.to_owned())
}

/// Text after `echo `.
///
/// # Errors
/// `" % ! ^ & | < >`, anything but printable ASCII, `/?`, blanks at an end, and the words `on` and `off`.
pub fn cmd_echo(text: &str) -> Result<String, FormatError> {
    only(
        text,
        |c| matches!(c, ' '..='~') && !"\"%!^&|<>".contains(c),
        reason,
    )?;
    help_switch(text)?;
    if text.trim() != text || text.eq_ignore_ascii_case("on") || text.eq_ignore_ascii_case("off") {
        return Err(FormatError::new(
            0..text.len(),
            "`echo` does not print this text as it stands",
        ));
    }
    Ok(text.to_owned())
}

/// Text after `rem `.
///
/// # Errors
/// As [`cmd_echo`], except that quotes, `!` and the words `on` and `off` are fine.
pub fn cmd_rem(text: &str) -> Result<String, FormatError> {
    only(text, |c| matches!(c, ' '..='~') && !"%^&|<>".contains(c), reason)?;
    help_switch(text)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cmd::phases::{arguments_of, commands_of};

    fn none(_: &str) -> Option<String> {
        None
    }

    /// The last argument of the only command of the line.
    fn last(line: &str) -> Option<String> {
        match arguments_of(line, &none).unwrap().as_slice() {
            [one] => one.arguments.last().cloned(),
            _ => None,
        }
    }

    #[test]
    fn refuses_by_name() {
        for (result, message) in [
            (escape("a b"), "needs quotes"),
            (escape("-a"), "option"),
            (cmd_arg("50%"), "`%` begins a variable"),
            (cmd_arg("a\"b"), "`\"` would end"),
            (cmd_arg("a&b"), "`&` separates"),
            (cmd_arg("ä"), "code page"),
            (cmd_arg("/q"), "option"),
            (cmd_arg(r"C:\a\"), "closing quote"),
            (cmd_arg("amqps://h/?a"), "not allowed"),
            (cmd_arg(""), "empty"),
            (cmd_call_arg("a;b"), "`;` is not allowed"),
            (cmd_call_json(r#"{"a": 1}"#), "not compact"),
            (cmd_call_json(r#"{"a":1,"a":1}"#), "key twice"),
            (cmd_call_json(r#"{"a":"\\"}"#), "backslash"),
            (cmd_call_json(r#"{"a":"^"}"#), "doubled by every"),
            (cmd_call_json(r#"{"a":"h/?b"}"#), "help"),
            (cmd_call_json("{"), "not JSON"),
            (cmd_echo("off"), "as it stands"),
            (cmd_echo("a>b"), "redirects"),
            (cmd_rem("100%"), "`%`"),
            (cmd_set(r"C:\a\"), "closing quote"),
        ] {
            let error = result.unwrap_err();
            assert!(error.message.contains(message), "{error}");
        }
    }

    #[test]
    fn json_is_written_as_the_federation_guide_does() {
        assert_eq!(
            cmd_call_json(r#"{"uri":"amqps://h?a=%20&b=c","expires":300000}"#).unwrap(),
            r#""{""uri"":""amqps://h?a=%%%%20&b=c"",""expires"":300000}""#
        );
    }

    proptest! {
        #[test]
        fn arguments_arrive(value in "\\PC{0,20}|[ -~]{0,20}|[a-z %~=.:/\\\\]{0,20}") {
            if let Ok(quoted) = escape(&value) {
                let line = format!(r"C:\t\tool.exe {quoted}");
                prop_assert_eq!(last(&line), Some(value.clone()));
            }
            if let Ok(quoted) = cmd_arg(&value) {
                let line = format!(r#""C:\t\tool.exe" {quoted}"#);
                prop_assert_eq!(last(&line), Some(value.clone()));
            }
            if let Ok(quoted) = cmd_call_arg(&value) {
                let line = format!(r#"call "C:\t\rabbitmqctl.bat" {quoted}"#);
                prop_assert_eq!(last(&line), Some(value.clone()));
            }
            if let Ok(text) = cmd_set(&value) {
                let script = format!("set \"NAME={text}\"\n\"C:\\tool.exe\" \"%NAME%\"\ncall \"C:\\t.bat\" \"%name%\"");
                for command in commands_of(&script, &none).unwrap().iter().skip(1) {
                    prop_assert_eq!(&command.arguments, &vec![value.clone()]);
                }
            }
            if let Ok(text) = cmd_echo(&value) {
                prop_assert_eq!(last(&format!("echo {text}")), Some(value.clone()));
            }
            if let Ok(text) = cmd_rem(&value) {
                let line = format!("rem {text}");
                prop_assert!(arguments_of(&line, &none).unwrap().is_empty());
            }
        }

        #[test]
        fn json_arrives(key in "[a-z-]{1,6}", text in "\\PC{0,20}|[ -~]{0,20}|[a-z %&?=\"]{0,20}", number in any::<u32>()) {
            let json = serde_json::json!({ key: text, "n": [number, "", null] }).to_string();
            if let Ok(quoted) = cmd_call_json(&json) {
                let line = format!(r#"call "C:\r\rabbitmqctl.bat" set_parameter x {quoted} "after""#);
                let commands = arguments_of(&line, &none).unwrap();
                prop_assert_eq!(commands.len(), 1);
                prop_assert_eq!(&commands[0].arguments, &["set_parameter", "x", json.as_str(), "after"]);
            }
        }
    }
}
