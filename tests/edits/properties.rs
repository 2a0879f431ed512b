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

/// A file of one kind with these keys in this order, and the edit that sets one of them.
fn made(kind: EditKind, keys: &[u8], crlf: bool, deep: bool) -> (String, impl Fn(&[(u8, u16)]) -> String) {
    let each = |line: &dyn Fn(u8) -> String, between: &str| {
        let lines: Vec<String> = keys.iter().map(|key| line(*key)).collect();
        lines.join(between)
    };
    let file = match kind {
        EditKind::Terms if deep => format!(
            "[{{app, [{}]}}].\n",
            each(&|key| format!("{{k{key}, \"v\"}}"), ",\n  % {k1, 0}\n  ")
        ),
        EditKind::Terms => each(&|key| format!("{{k{key}, [1, {{a, b}}]}}."), "\n"),
        EditKind::YamlLines => each(&|key| format!("k{key}: \"v\" # k1: 0"), "\n"),
        EditKind::JsonKeys => format!("{{\n{}\n}}", each(&|key| format!("  \"k{key}\" : 1.5e3"), ",\n")),
        EditKind::IniLines => format!(
            "[S]\n; k1=0\n{}\n[T]\nk1=t",
            each(&|key| format!("K{key} = v"), "\n")
        ),
        EditKind::References => each(&|key| format!("'http://s:20{key:02}/x'"), "\n"),
        EditKind::Xdt => format!(
            "<configuration>\n<appSettings>\n{}\n</appSettings>\n</configuration>",
            each(
                &|key| format!("  <add key='k{key}' value='v'/>"),
                "\n  <!-- k1 -->\n"
            )
        ),
    };
    let file = if crlf { file.replace('\n', "\r\n") } else { file };
    let edit = move |wanted: &[(u8, u16)]| {
        let each = |line: &dyn Fn(u8, u16) -> String, between: &str| {
            let lines: Vec<String> = wanted.iter().map(|(key, value)| line(*key, *value)).collect();
            lines.join(between)
        };
        match kind {
            EditKind::Terms => format!(
                "[{}].\n",
                each(&|key, value| format!("{{set, [k{key}], \"n{value}\"}}"), ", ")
            ),
            EditKind::YamlLines => each(&|key, value| format!("k{key}: 'n{value}'\n"), ""),
            EditKind::JsonKeys => format!("{{{}}}", each(&|key, value| format!("\"k{key}\": {value}"), ",")),
            EditKind::IniLines => format!("[S]\n{}", each(&|key, value| format!("k{key}=n{value}\n"), "")),
            EditKind::References => format!(
                "{{\"rewrites\":[{}],\"boundary\":\"not-a-digit\",\"when_absent\":\"report\"}}",
                each(
                    &|key, value| format!("{{\"port\":20{key:02},\"to\":\"https://h/n{value}\"}}"),
                    ","
                )
            ),
            EditKind::Xdt => format!(
                "<configuration xmlns:xdt=\"{}\"><appSettings>{}</appSettings></configuration>",
                cbgen::formats::edits::xdt::NAMESPACE,
                each(
                    &|key, value| format!(
                        "<add key=\"k{key}\" value=\"n{value}\" xdt:Locator=\"Match(key)\" xdt:Transform=\"SetAttributes(value)\"/>"
                    ),
                    ""
                )
            ),
        }
    };
    (file, edit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A then B is B then A, and both at once, for any two sets of keys that have none in common.
    #[test]
    fn edits_of_different_keys_commute(
        keys in Just((0..12_u8).collect::<Vec<_>>()).prop_shuffle(),
        ours in 1..11_usize,
        values in prop::collection::vec(any::<u16>(), 12),
        crlf in any::<bool>(),
        deep in any::<bool>(),
    ) {
        for (folder, kind) in KINDS {
            let (file, edit) = made(*kind, &keys, crlf, deep);
            let wanted: Vec<(u8, u16)> = (0..12).zip(values.iter().copied()).collect();
            let (one, other) = wanted.split_at(ours);
            let after = |wanted: &[(u8, u16)], file: &[u8]| {
                let text = edit(wanted);
                let edits = Edits::read(*kind, &text).expect("edits");
                done(&edits, file).unwrap_or_else(|why| panic!("{folder}: {why}\n{text}")).bytes
            };
            let forwards = after(other, &after(one, file.as_bytes()));
            prop_assert_eq!(&forwards, &after(one, &after(other, file.as_bytes())), "{}", folder);
            prop_assert_eq!(&forwards, &after(&wanted, file.as_bytes()), "{}", folder);
            prop_assert!(forwards != file.as_bytes(), "{folder}");
        }
    }

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
                prop_assert!(set.clone().all(|change| change.new.is_some() || change.outcome == Outcome::Removed));
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
