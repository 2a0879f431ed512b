//! What the reader of registry files takes and refuses, with the verdicts of a real import.
//!
//! This file must not know what the entries are for.

use super::*;
use proptest::prelude::*;

const KEY: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\CbProbe";

/// Reads `body` below the header, with `KEY` written out.
fn read(body: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    items(&format!(
        "{HEADER}\n\n{}",
        body.replace("[KEY", &format!("[{KEY}"))
            .replace("[-KEY", &format!("[-{KEY}"))
            .replace("key KEY", &format!("key {KEY}"))
    ))
}

fn check(body: &str, expected: &[&str]) {
    let got: Vec<String> = match read(body) {
        Ok(items) => items
            .into_iter()
            .map(|item| format!("{} = {}", item.path.to_string().replace(KEY, "KEY"), item.value))
            .collect(),
        Err(errors) => errors
            .into_iter()
            .map(|error| error.message.replace(KEY, "KEY"))
            .collect(),
    };
    assert_eq!(got, expected, "{body}");
}

/// Each text was written as UTF-16LE with mark and CRLF, imported with `regedit /S` of Wine 8.0 into an emptied key
/// and read back with `reg query`. regedit returned 0 for every one of them. The items of a good text are what the
/// query showed; `wine` tells what it did with the bad ones.
#[test]
fn good_texts_mean_what_wine_imports() {
    check(
        "[KEY]\n\"A\"=\"http://127.0.0.1/x\"\n\n",
        &["KEY > A = string:http://127.0.0.1/x"],
    );
    check(
        "[KEY]\n\"A\\\"\\\\\"=\"C:\\\\new\\\\table \\\"q\\\" ü\"\n\n",
        &["KEY > A\"\\ = string:C:\\new\\table \"q\" ü"],
    );
    check("[KEY]\n\"A\"=dword:00000001\n\n", &["KEY > A = dword:00000001"]);
    check("[KEY]\n@=\"d\"\n\n", &["KEY > @ = string:d"]);
    check(
        "[KEY]\n\"A\"=hex(2):25,00,\\\n  50,00,00,00\n\n",
        &["KEY > A = expand_string:%P"],
    );
    check(
        "[KEY]\n\"A\"=hex(7):61,00,00,00,62,00,00,00,00,00\n\n",
        &["KEY > A = multi_string:a | b"],
    );
    check("[KEY]\n\"A\"=hex:01,FF\n\n", &["KEY > A = hex:01,ff"]);
    check("[KEY]\n\n", &["KEY = present"]);
    check("; c\n[KEY]\n; c\n\"A\"=\"x\"\n\n", &["KEY > A = string:x"]);
    check(
        "[KEY]\n\"A\"=\"x\"\n\n; deletes key KEY\\S\n[-KEY\\S]\n\n",
        &["KEY > A = string:x", "KEY\\S = absent"],
    );
    // Wine 8 imports it and cannot show the number.
    check(
        "[KEY]\n\"A\"=hex(b):01,00,00,00,00,00,00,00\n\n",
        &["KEY > A = qword:0000000000000001"],
    );
    check("[KEY]\n\"A\"=-\n\n", &["KEY > A = absent"]);
}

#[test]
fn bad_texts_are_refused_where_wine_says_nothing() {
    struct Bad {
        body: &'static str,
        wine: &'static str,
        error: &'static str,
    }
    let expected = "expected `\"Name\"=…`, `@=…`, `[KEY]`, a line that starts with `;`, or an empty line";
    for Bad { body, wine, error } in [
        Bad {
            body: "[KEY]\n\"A\"=dword:0x1\n\n",
            wine: "no value",
            error: "`dword:` needs exactly eight hexadecimal digits",
        },
        Bad {
            body: "[KEY]\n\"A\"=dword:000000001\n\n",
            wine: "no value",
            error: "`dword:` needs exactly eight hexadecimal digits",
        },
        Bad {
            body: "[KEY]\n\"A\"=dword:1\n\n",
            wine: "1",
            error: "`dword:` needs exactly eight hexadecimal digits",
        },
        Bad {
            body: "[HKLM\\SOFTWARE\\CbProbe]\n\"A\"=\"x\"\n\n",
            wine: "no key",
            error: "the key path starts with `HKLM`; only `HKEY_LOCAL_MACHINE` in full is allowed",
        },
        Bad {
            body: "[KEY\\ v4]\n\"A\"=\"x\"\n\n",
            wine: "another key",
            error: "the blank at the edge of ` v4` would be part of the key's name",
        },
        Bad {
            body: "[KEY]\n\"A\"=\"C:\\new\\table\"\n\n",
            wine: "C:, line break, ewtable",
            error: "`\\n` is no escape; write `\\\\` for a backslash",
        },
        Bad {
            body: "[KEY]\n\"A\"=\"x\n\"B\"=\"y\"\n\n",
            wine: "B only",
            error: "a string is not closed on its line",
        },
        Bad {
            body: "[KEY]\n\"A\"=\"x\" ; c\n\n",
            wine: "x",
            error: "something follows the closing quote; comments need a line of their own",
        },
        Bad {
            body: "[KEY]\n\"A\" = \"x\"\n\n",
            wine: "x",
            error: "the name of a value must be followed by `=` without a blank",
        },
        Bad {
            body: "[KEY]\n\"A\"=\"x\"\n\"a\"=\"y\"\n\n",
            wine: "y",
            error: "the value `a` is set twice; the last one would win",
        },
        Bad {
            body: "[KEY]\nA=\"x\"\n\n",
            wine: "no value",
            error: expected,
        },
        Bad {
            body: "[KEY]\ngarbage\n\n",
            wine: "line ignored",
            error: expected,
        },
        Bad {
            body: "[KEY\n\n",
            wine: "no key",
            error: "the line of a key must end with `]`",
        },
        Bad {
            body: "[KEY]\n\"A\"=hex:1,zz\n\n",
            wine: "no value",
            error: "`1` is not two hexadecimal digits",
        },
        Bad {
            body: "[KEY]\n\"A\"=hex(2):25,00,50\n\n",
            wine: "%",
            error: "the hex data has half a UTF-16 unit at its end",
        },
        Bad {
            body: "[KEY]\n\"\"=\"x\"\n\n",
            wine: "the default value",
            error: "a value without a name is written as `@=`",
        },
        Bad {
            body: "[KEY]\n\"A\"=\"x\"\n\n[KEY]\n\"B\"=\"y\"\n\n",
            wine: "both",
            error: "the key `KEY` is named twice",
        },
        Bad {
            body: "[KEY\\\\S]\n\"A\"=\"x\"\n\n",
            wine: "key S",
            error: "the key path has an empty component",
        },
        Bad {
            body: "; deletes key KEY\n[-KEY]\n\"A\"=\"x\"\n\n",
            wine: "no key",
            error: "a value stands below a deleted key",
        },
        Bad {
            body: "[KEY]\n\"A\"=\"x\"\n",
            wine: "x",
            error: "the text must end with an empty line; old versions of regedit drop the last line otherwise",
        },
        Bad {
            body: "\t[KEY]\n\n",
            wine: "the key",
            error: "a tab is not allowed in a registry file",
        },
    ] {
        assert!(!wine.is_empty());
        check(body, &[error]);
    }
}

#[test]
fn headers_are_exact() {
    for text in [
        "",
        "REGEDIT4\n\n\n",
        "windows registry editor version 5.00\n\n\n",
        "Windows Registry Editor Version 5.00\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\n\n",
        "\u{FEFF}Windows Registry Editor Version 5.00\n\n\n",
    ] {
        assert!(items(text).is_err(), "{text:?}");
    }
    check("", &[]);
}

#[test]
fn shared_keys_are_never_deleted() {
    for shared in SHARED.iter().copied().chain([
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft",
        r"HKEY_LOCAL_MACHINE\software\wow6432node\virtual hold",
    ]) {
        let body = format!("; deletes key {shared}\n[-{shared}]\n\n");
        let errors = items(&format!("{HEADER}\n\n{body}")).unwrap_err();
        assert!(errors[0].message.contains("is shared"), "{shared}: {errors:?}");
    }
    check(
        "[-KEY]\n\n",
        &["a key is deleted without a line `; deletes key KEY` before it"],
    );
}

#[test]
fn every_mistake_is_reported_in_order() {
    check(
        "\"Z\"=\"x\"\n[KEY]\nA\n\"B\"=dword:1\n\"C\"=hex(b):01\n\n",
        &[
            "a value stands before the first key",
            "expected `\"Name\"=…`, `@=…`, `[KEY]`, a line that starts with `;`, or an empty line",
            "`dword:` needs exactly eight hexadecimal digits",
            "`hex(b):` needs exactly eight bytes",
        ],
    );
}

#[test]
fn keys_are_checked_by_component() {
    for (key, range) in [
        ("HKLM\\SOFTWARE\\X", 0..4),
        ("HKEY_CURRENT_USER\\SOFTWARE\\X", 0..17),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE", 0..27),
        (r"HKEY_LOCAL_MACHINE\SAM\X", 19..22),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\ v4", 28..31),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\v4 ", 28..31),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\a]b", 29..30),
        ("HKEY_LOCAL_MACHINE\\SOFTWARE\\a\nb", 29..30),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\X\", 30..30),
    ] {
        assert_eq!(reg_key(key).unwrap_err().range, range, "{key:?}");
    }
    assert!(reg_key(r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client").is_ok());
}

#[test]
fn continued_hex_data_is_linear() {
    let long = format!("[KEY]\n\"A\"=hex:{}\n\n", "00,\\\n  ".repeat(50_000) + "00");
    assert_eq!(read(&long).unwrap().len(), 1);
}

// 600 generated strings, written by `reg_string` and deployed as UTF-16LE, were also imported with Wine's regedit and
// exported again: the export held the same 600 lines.
proptest! {
    #[test]
    fn printable_values_come_back_or_are_refused(name in "(\\PC|[\"\\\\]){1,12}", value in "(\\PC|[\"\\\\]){0,20}") {
        let (Ok(quoted_name), Ok(quoted)) = (reg_string(&name), reg_string(&value)) else {
            prop_assert!(!name.chars().chain(value.chars()).all(text::is_visible));
            return Ok(());
        };
        let read = items(&format!("{HEADER}\n\n[{KEY}]\n{quoted_name}={quoted}\n\n")).unwrap();
        prop_assert_eq!(&read[0].path, &FactPath::of([KEY, &name]));
        prop_assert_eq!(&read[0].value, &format!("string:{value}"));
    }

    #[test]
    fn keys_come_back_or_are_refused(last in "(\\PC|[ \\[\\]\\\\-]){0,12}") {
        let key = format!("{KEY}\\{last}");
        if let Ok(written) = reg_key(&key) {
            let read = items(&format!("{HEADER}\n\n[{written}]\n\n")).unwrap();
            prop_assert_eq!(read[0].path.to_string(), key);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(body in "(\\PC|[\n\"\\\\=\\[\\]-]){0,40}") {
        let _read = items(&format!("{HEADER}\n\n{body}"));
    }
}
