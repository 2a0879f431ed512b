//! What Erlang itself says about samples, as a table.
//!
//! Made with erlang-base of OTP 25: each sample was written to a file, read with `file:consult/1` and its only term
//! printed with `io:format("~0p")`. To add a row, do the same; never write a verdict that was not seen. Two columns
//! need a word: `Stricter` samples are accepted by Erlang, and this reader refuses them on purpose; the empty string
//! is printed as `[]` by Erlang, which cannot tell the two apart.

use super::{consult, read};

enum Verdict {
    /// Erlang reads one term and prints it like this.
    Reads(&'static str),
    /// Erlang refuses the file.
    Refused,
    /// Erlang accepts the file, this reader does not.
    Stricter,
}
use Verdict::{Reads, Refused, Stricter};

#[rustfmt::skip]
const SAMPLES: &[(&str, Verdict)] = &[
    ("[{rabbit,[{tcp_listeners,[]}]}].", Reads("[{rabbit,[{tcp_listeners,[]}]}]")),
    ("[{a,1},{b,2}].\n", Reads("[{a,1},{b,2}]")),
    ("[{a,1},].\n", Refused),
    ("[a|b].\n", Stricter),
    ("[a|[b]].\n", Stricter),
    ("{a,b}", Refused),
    ("{a,b}.", Reads("{a,b}")),
    ("{a,b}.%c", Reads("{a,b}")),
    ("{a,b}.x", Refused),
    ("a. b.\n", Stricter),
    ("\n% only\n", Stricter),
    ("EXTERNAL.\n", Refused),
    ("_x.\n", Refused),
    ("'EXTERNAL'.\n", Reads("'EXTERNAL'")),
    ("tlsv1.2.\n", Refused),
    ("'tlsv1.2'.\n", Reads("'tlsv1.2'")),
    ("a@b_C9.\n", Reads("a@b_C9")),
    ("end.\n", Refused),
    ("maybe.\n", Stricter),
    ("else.\n", Stricter),
    ("cond.\n", Refused),
    ("let.\n", Refused),
    ("query.\n", Reads("query")),
    ("'end'.\n", Reads("'end'")),
    ("''.\n", Reads("''")),
    ("'it\\'s'.\n", Reads("'it\\'s'")),
    ("'a\nb'.\n", Stricter),
    ("\"a\nb\".\n", Stricter),
    ("\"a\\\"b\".\n", Reads("\"a\\\"b\"")),
    ("\"C:\\\\new\".\n", Reads("\"C:\\\\new\"")),
    ("\"C:\\new\\table\\Program\".\n", Stricter),
    ("\"\\x41\\x{42}\\103\".\n", Reads("\"ABC\"")),
    ("\"\\xg\".\n", Refused),
    ("\"\\x4\".\n", Refused),
    ("\"\\x{}\".\n", Refused),
    ("\"\\s\".\n", Reads("\" \"")),
    ("\"\\^A\".\n", Stricter),
    ("\"\\x{e9}\".\n", Stricter),
    ("\"\\x{7f}\".\n", Stricter),
    ("\"\\351\".\n", Stricter),
    ("\"a\" \"b\".\n", Reads("\"ab\"")),
    ("\"a\"\"b\".\n", Stricter),
    ("\"\".\n", Reads("\"\"")),
    ("\"abc.\n", Refused),
    ("'abc.\n", Refused),
    ("\"é\".\n", Stricter),
    ("'é'.\n", Stricter),
    ("é.\n", Stricter),
    ("% é\na.\n", Stricter),
    ("\u{feff}a.\n", Refused),
    ("<<\"abc\">>.\n", Reads("<<\"abc\">>")),
    ("<<>>.\n", Reads("<<>>")),
    ("<<1,2,\"c\">>.\n", Reads("<<1,2,99>>")),
    ("<<\"a\" \"b\">>.\n", Reads("<<\"ab\">>")),
    ("<<256>>.\n", Stricter),
    ("<<1:4>>.\n", Stricter),
    ("<<\"x\"/utf8>>.\n", Stricter),
    ("<<a>>.\n", Refused),
    ("<<1,>>.\n", Refused),
    ("<<$a>>.\n", Reads("<<\"a\">>")),
    ("#{}.\n", Reads("#{}")),
    ("#{a => 1, \"b\" => [2]}.\n", Reads("#{a => 1,\"b\" => [2]}")),
    ("#{a := 1}.\n", Refused),
    ("#{a => 1, a => 2}.\n", Stricter),
    ("#{a => 1,}.\n", Refused),
    ("#r{a=1}.\n", Refused),
    ("{}.\n", Reads("{}")),
    ("{,}.\n", Refused),
    ("[].\n", Reads("[]")),
    ("$a.\n", Reads("97")),
    ("$ .\n", Reads("32")),
    ("$%.\n", Reads("37")),
    ("$\".\n", Reads("34")),
    ("$\\n.\n", Reads("10")),
    ("$\\s.\n", Reads("32")),
    ("$\\q.\n", Stricter),
    ("$\n.\n", Stricter),
    ("0.\n", Reads("0")),
    ("-5.\n", Reads("-5")),
    ("- 5.\n", Reads("-5")),
    ("+5.\n", Reads("5")),
    ("--5.\n", Refused),
    ("16#fF.\n", Reads("255")),
    ("-16#FF.\n", Reads("-255")),
    ("36#Z.\n", Reads("35")),
    ("37#1.\n", Refused),
    ("1#0.\n", Refused),
    ("2#2.\n", Refused),
    ("2#102.\n", Refused),
    ("16#.\n", Refused),
    ("1_000.\n", Stricter),
    ("0x10.\n", Refused),
    ("010.\n", Reads("10")),
    ("1.5.\n", Reads("1.5")),
    ("1.5E-3.\n", Reads("0.0015")),
    ("1e5.\n", Refused),
    ("1.0e999.\n", Refused),
    (".5.\n", Refused),
    ("1..\n", Refused),
    ("-1.5.\n", Reads("-1.5")),
    ("1.5e.\n", Refused),
    ("12a.\n", Refused),
    ("1 2.\n", Refused),
    ("a b.\n", Refused),
    ("(a).\n", Stricter),
    ("1+2.\n", Refused),
    ("a:b.\n", Refused),
    ("fun a:b/1.\n", Stricter),
    ("[a,b\n].\n", Reads("[a,b]")),
    ("[{a,[{b,\"c\"}]}].\r\n", Stricter),
    ("[1,\t2].\n", Reads("[1,2]")),
    ("[a\0].\n", Stricter),
    ("[a\u{7f}].\n", Refused),
    ("{a;b}.\n", Refused),
    ("<<\"a\">> .\n", Reads("<<\"a\">>")),
    ("<< \"a\" >>.\n", Reads("<<\"a\">>")),
    ("#{$a=>1}.\n", Reads("#{97 => 1}")),
    ("a'b'.\n", Refused),
    ("\"a\"b.\n", Refused),
    ("[1,[2,[3]]].\n", Reads("[1,[2,[3]]]")),
    ("]. \n", Refused),
    ("170141183460469231731687303715884105727.\n", Reads("170141183460469231731687303715884105727")),
    ("170141183460469231731687303715884105728.\n", Stricter),
];

#[test]
fn the_reader_agrees_with_erlang() {
    for (text, verdict) in SAMPLES {
        let found = read(text).map(|term| term.to_string());
        match verdict {
            Reads(printed) => assert_eq!(found.as_deref(), Ok(*printed), "{text:?}"),
            Refused | Stricter => assert!(found.is_err(), "{text:?} is read as {found:?}"),
        }
    }
}

/// A vendor's file is read as Erlang reads it, also where a text under review may not say the same.
#[test]
fn vendor_files_are_read_as_erlang_reads_them() {
    for (text, verdict) in SAMPLES {
        let found = consult(text).map(|terms| terms.iter().map(ToString::to_string).collect::<Vec<_>>());
        match verdict {
            Reads(printed) => assert_eq!(found.ok(), Some(vec![(*printed).to_owned()]), "{text:?}"),
            Stricter => assert!(found.is_ok(), "{text:?}: {found:?}"),
            Refused => assert!(found.is_err(), "{text:?} is read as {found:?}"),
        }
    }
}

#[test]
fn every_error_lies_in_the_text() {
    for (text, _) in SAMPLES {
        for error in read(text).err().into_iter().flatten() {
            assert!(text.get(error.range.clone()).is_some(), "{text:?} {error:?}");
            assert!(!error.message.is_empty());
        }
    }
}
