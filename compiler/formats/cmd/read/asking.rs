//! Commands that ask the person at the keyboard unless they are told not to. With `>nul` nobody sees the question, and the
//! script waits until somebody closes the window.
//!
//! One table for all of them, after what each program says about itself (`/?`). This module must not know scripts.

/// A command that may ask.
struct Asking {
    program: &'static str,
    /// Its first argument, for programs that do many things; empty for any.
    verb: &'static str,
    /// An argument without which it never asks; empty for always.
    only_with: &'static str,
    /// Any of these keeps it from asking.
    switches: &'static [&'static str],
}

const fn asks(
    program: &'static str,
    verb: &'static str,
    only_with: &'static str,
    switches: &'static [&'static str],
) -> Asking {
    Asking {
        program,
        verb,
        only_with,
        switches,
    }
}

const TABLE: &[Asking] = &[
    asks("copy", "", "", &["/y"]),
    asks("del", "", "*", &["/q"]),
    asks("move", "", "", &["/y"]),
    asks("net", "stop", "", &["/y"]),
    asks("net", "use", "/delete", &["/y"]),
    asks("openssl", "pkcs12", "", &["-passin"]),
    asks("openssl", "pkey", "", &["-passin"]),
    asks("openssl", "rsa", "", &["-passin"]),
    asks("rd", "", "/s", &["/q"]),
    asks("reg", "add", "", &["/f"]),
    asks("reg", "copy", "", &["/f"]),
    asks("reg", "delete", "", &["/f"]),
    asks("reg", "export", "", &["/y"]),
    asks("reg", "save", "", &["/y"]),
    asks("rmdir", "", "/s", &["/q"]),
    asks("schtasks", "/change", "", &["/rp"]),
    asks("schtasks", "/create", "", &["/f"]),
    asks("schtasks", "/delete", "", &["/f"]),
    asks("sqlcmd", "", "-u", &["-p"]),
    asks("takeown", "", "/r", &["/d"]),
    asks("xcopy", "", "", &["/y"]),
];

/// What is wrong with a command that may ask, or `None`. `arguments` are the rest of its line.
pub(super) fn mistake(program: &str, arguments: &str) -> Option<String> {
    if !TABLE.iter().any(|row| row.program == program) {
        return None;
    }
    let arguments = arguments.to_ascii_lowercase();
    if arguments.contains("<nul") {
        return None;
    }
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let has = |wanted: &str| words.iter().any(|word| word.trim_matches('"') == wanted);
    let row = TABLE.iter().find(|row| {
        let is_meant = match row.only_with {
            "" => true,
            "*" => arguments.contains('*'),
            wanted => has(wanted),
        };
        row.program == program && (row.verb.is_empty() || words.first() == Some(&row.verb)) && is_meant
    })?;
    if row.switches.iter().any(|switch| has(switch)) {
        return None;
    }
    let what = format!("{program} {}", row.verb);
    Some(format!(
        "`{}` without `{}` waits for an answer nobody sees; add it, or `<nul`",
        what.trim_end(),
        row.switches.join("` or `")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_asks_and_is_quiet_with_its_switch_or_without_an_input() {
        for row in TABLE {
            let arguments = format!("{} {} \"x\"", row.verb, row.only_with);
            let arguments = arguments.trim();
            assert!(
                mistake(row.program, arguments).is_some(),
                "{} {arguments}",
                row.program
            );
            for switch in row.switches {
                let told = format!("{arguments} {}", switch.to_ascii_uppercase());
                assert_eq!(mistake(row.program, &told), None, "{told}");
            }
            assert_eq!(mistake(row.program, &format!("{arguments} <nul")), None);
        }
        for (program, arguments) in [
            ("net", "start x"),
            ("reg", "query x"),
            ("rd", "\"x\""),
            ("sc", "stop x"),
        ] {
            assert_eq!(mistake(program, arguments), None);
        }
    }
}
