//! What Erlang itself does with files that break a rule: the reasons for the rules of terms.

use crate::support::program::{finish, folder, program, write};

/// What `file:consult` says of a file: the terms, or the complaint.
fn consult(bytes: &[u8]) -> String {
    let folder = folder();
    write(&folder.path().join("terms"), bytes);
    let read = "case file:consult(\"terms\") of {ok, T} -> io:format(\"~w\", [T]); \
                {error, E} -> io:format(\"error: ~ts\", [file:format_error(E)]) end, halt().";
    let mut erl = program("erl");
    let ran = finish(erl.args(["-noshell", "-eval", read]).current_dir(folder.path()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

/// Whether a virtual machine starts with a file as its configuration; its complaint if not.
fn configured(bytes: &[u8]) -> Result<(), String> {
    let folder = folder();
    write(&folder.path().join("own.config"), bytes);
    let mut erl = program("erl");
    erl.args(["-noshell", "-config", "own.config", "-eval", "halt(0)."]);
    let ran = finish(erl.env("ERL_CRASH_DUMP_BYTES", "0").current_dir(folder.path()));
    (ran.code == 0).then_some(()).ok_or(ran.stdout + &ran.stderr)
}

/// Rule 8.1.
#[test]
fn a_mark_and_other_encodings_are_refused() {
    let text = "[{a, \"\u{e4}\"}].\n";
    assert_eq!(consult(text.as_bytes()), "[[{a,[228]}]]");
    let marked = consult(format!("\u{feff}{text}").as_bytes());
    assert!(marked.contains("illegal character"), "{marked}");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect();
    assert!(consult(&latin).starts_with("error: "));
    assert!(configured(b"[{a, []}].\n").is_ok());
    configured("\u{feff}[{a, []}].\n".as_bytes()).expect_err("the virtual machine does not start");
}

/// Rule 8.2.
#[test]
fn a_configuration_is_one_list_with_a_dot() {
    assert_eq!(consult(b"[{a, 1}].\n[{b, 2}].\n"), "[[{a,1}],[{b,2}]]");
    for text in ["[{a, []}].\n[{b, []}].\n", "[{a, []}]\n", "{a, []}.\n"] {
        let said = configured(text.as_bytes()).expect_err("the virtual machine does not start");
        assert!(
            said.contains("own.config") || said.contains("ONE list"),
            "{text}: {said}"
        );
    }
}

/// Rule 8.3.
#[test]
fn a_backslash_is_an_escape_and_may_vanish() {
    let path = |text: &str| {
        text.chars()
            .map(|c| u32::from(c).to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    for (written, read) in [
        (r#""C:\new\table\Program"."#, "C:\new\tableProgram"),
        (r#""C:\\new\\table"."#, r"C:\new\table"),
        (r#""C:/new/table"."#, "C:/new/table"),
    ] {
        assert_eq!(
            consult(written.as_bytes()),
            format!("[[{}]]", path(read)),
            "{written}"
        );
    }
}
