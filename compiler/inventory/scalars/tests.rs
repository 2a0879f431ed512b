//! Texts that have each form and texts that do not.

use super::*;
use proptest::prelude::*;

fn check(form: Form, good: &[&str], bad: &[&str]) {
    for text in good {
        assert_eq!(form(text), Ok(()), "`{text}`");
    }
    for text in bad {
        let why = form(text).expect_err(text);
        assert!(
            !why.is_empty() && !why.ends_with('.') && !why.starts_with(|c: char| c.is_uppercase()),
            "{why}"
        );
    }
}

#[test]
fn names() {
    check(
        fqdn,
        &["a.b", "cb01.acme.example", "xn--bcher-kva.example", "1.a"],
        &[
            "",
            "a",
            ".",
            "a.",
            ".a.b",
            "a..b",
            "-a.b",
            "a-.b",
            "a_b.c",
            "a.b:443",
            "https://a.b",
            "a.b/c",
            "*.a.b",
            "bücher.example",
            "10.0.0.1",
            "a b.c",
            &format!("{}.b", "a".repeat(64)),
            &"a.".repeat(127),
        ],
    );
    check(
        host_name,
        &[
            "CB01",
            "a",
            "MGMT-01",
            "123456789012345a".get(1..).unwrap_or_default(),
        ],
        &[
            "",
            "1234567890123456",
            "CB_01",
            "-CB",
            "CB-",
            "12345",
            "CON",
            "com1",
            "a.b",
            "ä",
        ],
    );
}

#[test]
fn windows_paths() {
    check(
        windows_folder,
        &[
            r"C:\Program Files (x86)\Virtual Hold Technology",
            r"d:\a",
            r"C:\a (b)\a.b",
            r"C:\PROGRA~1\a.b",
            r"C:\a+b",
        ],
        &[
            "",
            "C:",
            r"C:\",
            "C:a",
            r"C:/a",
            r"\\srv\share",
            r"\a",
            "a",
            r"C:\a\",
            r"C:\a\\b",
            r"C:\a\..\b",
            r"C:\.",
            r"C:\a.",
            r"C:\a \b",
            r"C:\ a",
            r"C:\CON",
            r"C:\nul.txt\a",
            r"C:\a/b",
            r"C:\a:b",
            r"C:\a%b",
            r"C:\a!b",
            r"C:\a^b",
            r"C:\a[b",
            r"C:\a{b",
            r"C:\a&b",
            r"C:\a;b",
            r"C:\a#b",
            r"C:\a$b",
            r"C:\a'b",
            r"C:\ä",
            "C:\\a\tb",
            r"é:\a",
            &format!(r"C:\{}", "a".repeat(120)),
        ],
    );
    check(
        windows_file,
        &[r"D:\handoff\callback.pfx"],
        &[r"D:\handoff\callback", r"D:\handoff\"],
    );
}

#[test]
fn versions() {
    check(
        product_version_form,
        &["9.5.3", "10.0.0"],
        &[
            "9.5",
            "9.5.3.1",
            "9.05.3",
            "9.5.x",
            "9..3",
            "9.5.99999",
            "v9.5.3",
            "",
        ],
    );
    check(rabbitmq_version, &["3.8.1"], &["3.8", "3.8.1-rc"]);
    check(dotnet_version, &["4.7", "4.7.1"], &["4", "4.7.1.2"]);
    check(version_range, &[">=0.1, <0.2", "0.1"], &["latest", ">=x"]);
    assert!(product_version("9.10.0") > product_version("9.5.3"));
}

#[test]
fn databases() {
    check(
        sql_server,
        &[
            "SQL01",
            r"SQL01\CALLBACK",
            "SQL01,1433",
            r"sql.acme.example\A_1,14330",
            "10.0.0.1",
        ],
        &[
            "",
            ".",
            "(local)",
            "localhost",
            "SQL01:1433",
            "tcp:SQL01",
            "SQL01,",
            "SQL01,0",
            "SQL01,70000",
            "SQL01,+1",
            r"SQL01\",
            r"SQL01\1A",
            r"SQL01\A;B",
            r"SQL01\A\B",
            "SQL01;X=1",
            "SQL 01",
            &format!(r"A\{}", "a".repeat(17)),
        ],
    );
    check(
        sql_table,
        &["dbo.WSConfiguration", "_a._b1"],
        &["", "a", "a.b.c", "[dbo].a", "dbo.1a", "dbo.", "dbo.a b", "dbo.a'"],
    );
}

#[test]
fn moments() {
    check(
        date_time,
        &[
            "2026-12-05T22:00:00+01:00",
            "2028-02-29T00:00:00Z",
            "2026-12-05t22:00:00.25-11:30",
        ],
        &[
            "",
            "2026-12-05",
            "2026-12-05 22:00:00Z",
            "2026-12-05T22:00:00",
            "2026-13-05T22:00:00Z",
            "2026-02-29T22:00:00Z",
            "2026-12-00T22:00:00Z",
            "2026-12-05T24:00:00Z",
            "2026-12-05T22:00Z",
            "2026-12-05T22:00:60Z",
            "26-12-05T22:00:00Z",
            "2026-12-05T22:00:00+1:00",
            "2026-12-05T22:00:00+24:00",
            "2026-12-05T22:00:00.Z",
            "2026-12-05T2ä:00:00Z",
        ],
    );
}

#[test]
fn addresses() {
    check(
        http_url,
        &[
            "http://127.0.0.1:8002/a/b",
            "https://a.example/x?y=1&z=%20",
            "https://a.example",
        ],
        &[
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https://:80/",
            "https://u@a.example/",
            "https://a.example:0/",
            "https://a.example:70000/",
            "https://a.example/ä",
            "https://a.example/a b",
            "https://a.example/%2",
            "https://a.example/%zz",
            "https://a_b.example/",
            "https://a.example/#x",
            "https://a.example/'",
        ],
    );
    check(
        https_url,
        &["https://a.example/VHQWatchWS"],
        &["http://a.example/", "a"],
    );
}

#[test]
fn every_example_has_its_form() {
    for (name, form, example) in FORMS {
        assert_eq!(form(example), Ok(()), "{name}");
    }
}

proptest! {
    #[test]
    fn no_form_panics_and_refusals_are_short(text in r"\PC{0,300}|[A-Za-z]:\\\PC{0,40}|https://\PC{0,20}|[0-9T:.Z+-]{0,30}") {
        for (_, form, _) in FORMS {
            if let Err(why) = form(&text) {
                prop_assert!(why.chars().count() < 400, "{}", why);
            }
        }
    }

    #[test]
    fn accepted_paths_hold_only_what_every_file_can_carry(rest in r"\PC{1,20}") {
        if windows_folder(&format!(r"C:\{rest}")).is_ok() {
            let carried = |c: char| c.is_ascii() && !r#"^![]{}%"<>|*?&;:/'`$#"#.contains(c);
            prop_assert!(rest.chars().all(carried), "{}", rest);
        }
    }
}
