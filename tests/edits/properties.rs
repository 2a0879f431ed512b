//! What every edit promises, on the traps of every format and on files with a byte changed.

use cbgen::formats::edits::{EditKind, Edits, Outcome};
use proptest::prelude::*;

use super::{KINDS, Trap, traps};
use crate::consumers::done;

/// Every trap with its kind.
fn all() -> Vec<(EditKind, Trap)> {
    let kinds = KINDS.iter();
    kinds
        .flat_map(|(folder, kind)| traps(folder).into_iter().map(|trap| (*kind, trap)))
        .collect()
}

#[test]
fn reported_places_lie_in_the_file_and_not_in_each_other() {
    for (kind, trap) in all() {
        let edited = done(&Edits::read(kind, &trap.edit).expect("edits"), &trap.file).expect("done");
        let mut spans: Vec<_> = edited.changes.iter().map(|change| change.span.clone()).collect();
        spans.sort_by_key(|span| (span.start, span.end));
        let apart = spans.windows(2).all(|two| two[0].end <= two[1].start);
        let inside = spans.last().is_none_or(|last| last.end <= trap.file.len());
        assert!(apart && inside, "{}: {spans:?}", trap.name);
        for change in &edited.changes {
            let before = trap.file[..change.span.start].iter();
            let utf16 = trap.file.starts_with(&[0xff, 0xfe]);
            if !utf16 {
                let line = before.fold(1, |lines, byte| lines + usize::from(*byte == b'\n'));
                assert_eq!(change.line, line, "{} {}", trap.name, change.key);
            }
        }
    }
}

/// Two edits of one file, as a text with both and as two texts, in both orders.
#[test]
fn the_order_of_edits_with_different_keys_makes_no_difference() {
    let check = |kind, one: &str, other: &str, both: &str, file: &[u8]| {
        let edits = |text: &str| Edits::read(kind, text).expect("edits");
        let after = |text: &str, file: &[u8]| edits(text).apply(file).expect("done").bytes;
        let forwards = after(other, &after(one, file));
        let backwards = after(one, &after(other, file));
        assert_eq!(forwards, backwards);
        assert_eq!(forwards, after(both, file));
    };
    check(
        EditKind::Terms,
        "[{set, [a], \"x\"}].\n",
        "[{set, [b], [1,2]}].\n",
        "[{set, [b], [1,2]}, {set, [a], \"x\"}].\n",
        b"[{b, 1}, {c, [{a, 2}]}].\r\n",
    );
    check(
        EditKind::YamlLines,
        ":a: 'x'\n",
        "b:\n  :c: 'y'\n",
        "b:\n  :c: 'y'\n:a: 'x'\n",
        b":a: 1\r\nb:\n    :c: \"2\"\n",
    );
    check(
        EditKind::JsonKeys,
        "{\"a\": 1}",
        "{\"b\": {\"c\": 2}}",
        "{\"b\": {\"c\": 2}, \"a\": 1}",
        b"{\"b\": {\"c\": 0}, \"a\":0}",
    );
    check(
        EditKind::IniLines,
        "[A]\nx=1\n",
        "[B]\nx=2\n",
        "[B]\nx=2\n[A]\nx=1\n",
        b"[B]\r\nx=\r\n[A]\nx=0",
    );
    let references = |rewrites: &str| {
        format!("{{\"rewrites\":[{rewrites}],\"boundary\":\"not-a-digit\",\"when_absent\":\"report\"}}")
    };
    let (one, other) = (
        "{\"port\":1,\"to\":\"https://h/a\"}",
        "{\"port\":2,\"to\":\"https://h/b\"}",
    );
    check(
        EditKind::References,
        &references(one),
        &references(other),
        &references(&format!("{other},{one}")),
        b"'http://s:1/x' 'http://s:2' 'http://s:12'",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A file with one byte changed is refused, or edited as a file that says so: never a panic, and never a change
    /// outside the places that are reported.
    #[test]
    fn a_flipped_byte_never_yields_a_silent_wrong_edit(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let all = all();
        let (kind, trap) = &all[which.index(all.len())];
        let mut file = trap.file.clone();
        if !file.is_empty() {
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
        }
        let edits = Edits::read(*kind, &trap.edit).expect("edits");
        match edits.apply(&file) {
            Ok(edited) => {
                done(&edits, &file).unwrap_or_else(|why| panic!("{}: {why}", trap.name));
                let set = edited.changes.iter().filter(|change| change.outcome != Outcome::AlreadySo);
                prop_assert!(set.clone().all(|change| change.new.is_some()));
            }
            Err(refusals) => {
                prop_assert!(!refusals.is_empty());
                for refusal in refusals {
                    if let Some(range) = refusal.file_range {
                        prop_assert!(range.start <= range.end && range.end <= file.len(), "{:?}", range);
                    }
                    if let Some(range) = refusal.edit_range {
                        prop_assert!(trap.edit.get(range).is_some());
                    }
                }
            }
        }
    }
}

/// Hostile files end soon, with a refusal that says why.
#[test]
fn hostile_files_are_refused_in_bounded_time() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000)).into_bytes();
    let line = |before: &str, length: usize| format!("{before}{}", "x".repeat(length)).into_bytes();
    let many = |item: &str, count: usize| format!("[{}0]", item.repeat(count)).into_bytes();
    for (folder, kind) in KINDS {
        let edits = Edits::read(*kind, &traps(folder)[0].edit).expect("edits");
        let mut files = vec![
            deep("[", "]"),
            deep("{", "}"),
            deep("{a,", "1}"),
            deep("{\"a\":", "}"),
            deep("<a>", "</a>"),
            deep("- ", ""),
            deep("'", ""),
            deep("\"", ""),
            deep("[A]\n", ""),
            deep("&a [*a,*a,", "]"),
            line("", 100 << 20),
            line("\"", 1 << 20),
            line(":host: ", 1 << 20),
            line("http://", 1 << 20),
            many("1,", 2_000_000),
            many("{a,1},", 300_000),
            "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n"
                .repeat(2_000)
                .into_bytes(),
            "http://a".repeat(1 << 20).into_bytes(),
            ":2800".repeat(1 << 20).into_bytes(),
            vec![0; 1 << 20],
            vec![0xff; 1 << 20],
        ];
        files.push([b"\xff\xfe".as_slice(), &vec![0xd8; 1 << 20]].concat());
        for file in files {
            let start = std::time::Instant::now();
            let done = edits.apply(&file);
            let shown = String::from_utf8_lossy(&file[..file.len().min(20)]).into_owned();
            assert!(
                start.elapsed().as_secs() < 20,
                "{folder}: {:?} for {shown:?}…",
                start.elapsed()
            );
            match done {
                Ok(edited) => assert!(edited.changes.iter().all(|change| change.span.end <= file.len())),
                Err(refusals) => assert!(!refusals.is_empty()),
            }
        }
    }
}
