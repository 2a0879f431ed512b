//! Words that Windows translates: a script that looks for them works in one language only.
//!
//! `sc query` prints `STATE` in English and `STATUS` in German, `netstat` `LISTENING` and `ABHÖREN`. What stays the same is
//! exit codes, numbers, addresses and names the script brought along. This module must not know single scripts.

/// Programs of Windows that speak the language of Windows.
const SPEAKING: &[&str] = &[
    "certutil",
    "fc",
    "find",
    "gpresult",
    "icacls",
    "ipconfig",
    "net",
    "netsh",
    "netstat",
    "ping",
    "powercfg",
    "sc",
    "schtasks",
    "systeminfo",
    "takeown",
    "taskkill",
    "tasklist",
    "whoami",
    "xcopy",
];

/// Words these programs print in every language: protocols, and units of addresses.
const CONSTANT: &[&str] = &["tcp", "tcpv6", "udp", "udpv6"];

/// Whether what a program prints depends on the language of Windows.
pub(super) fn speaks(program: &str) -> bool {
    SPEAKING.binary_search(&program).is_ok()
}

/// The file a line writes what it prints into, as it is written between its quotes.
pub(super) fn written_file(line: &str) -> Option<&str> {
    let (_, behind) = line.split_once(">\"")?;
    let (file, _) = behind.split_once('"')?;
    Some(file)
}

/// What a line with `findstr` or `find` looks for, and the file it looks into.
pub(super) fn search(arguments: &str) -> Option<(Vec<&str>, &str)> {
    let before = arguments.split('>').next().unwrap_or_default();
    let quoted: Vec<(usize, &str)> = before
        .split('"')
        .enumerate()
        .filter(|(number, _)| number % 2 == 1)
        .collect();
    let ((_, file), texts) = quoted.split_last()?;
    (!texts.is_empty()).then(|| (texts.iter().map(|(_, text)| *text).collect(), *file))
}

/// A word in a search that may be another one in another language. Variables of the script are its own.
pub(super) fn translated(text: &str) -> Option<String> {
    let mut plain = String::new();
    for (number, piece) in text.split('%').enumerate() {
        plain.push_str(if number % 2 == 0 { piece } else { " " });
    }
    let mut words = plain.split(|c: char| !c.is_ascii_alphabetic());
    words
        .find(|word| word.len() > 1 && !CONSTANT.iter().any(|known| known.eq_ignore_ascii_case(word)))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name() {
        assert!(SPEAKING.is_sorted());
        assert!(speaks("sc") && speaks("netstat") && !speaks("openssl") && !speaks("appcmd"));
    }

    #[test]
    fn words_are_told_from_numbers_addresses_and_own_names() {
        for (text, word) in [
            ("STATE  *: 1 ", Some("STATE")),
            ("STATUS *: 1", Some("STATUS")),
            (":443  *0\\.0\\.0\\.0:0 ", None),
            ("TCP .*:443", None),
            ("%NAME%", None),
            ("%NAME% LISTENING", Some("LISTENING")),
            (": 1 ", None),
        ] {
            assert_eq!(translated(text).as_deref(), word, "{text}");
        }
    }

    #[test]
    fn files_and_texts_of_a_line_are_found() {
        assert_eq!(written_file("x query >\"%S%\\a.txt\" 2>&1"), Some("%S%\\a.txt"));
        assert_eq!(written_file("x query >nul"), None);
        assert_eq!(
            search("/r /c:\"STATE\" /c:\"b\" \"%S%\\a.txt\" >nul"),
            Some((vec!["STATE", "b"], "%S%\\a.txt"))
        );
        assert_eq!(search("/c:\"a\""), None);
    }
}
