//! Lines of batch scripts that were looked at before.
//!
//! Scripts are half of a bundle, and nearly all of their lines stand in the scripts of another server, or of another
//! installation, too. What is remembered changes the time only: a line says the same wherever it stands. A release build
//! compiled 150 different installations in 12.6 seconds of its own processor time with it and in 15.9 without it. This file
//! must not know what a mistake means for a build.

use crate::formats::FormatError;
use crate::formats::cmd::{Line, Script, lines};
use crate::secrets::{LineLook, Watch};

/// Places for two lines each, a power of two: the scripts of an installation have some 1,600 different lines, most of them
/// those of every installation.
const PLACES: usize = 1 << 13;
/// Longer lines are not remembered, so that all together stay below 20 MB.
const LONGEST: usize = 600;

/// A fixed number of lines. Every line has one place, and the two lines that came last keep it.
#[derive(Debug, Default)]
pub(super) struct KnownLines {
    /// Empty before the first line, else [`PLACES`] long. What is known lies side by side: to look it up must not cost
    /// more than to find it out again.
    places: Vec<[Option<Known>; 2]>,
}

#[derive(Debug)]
struct Known {
    written: Box<str>,
    line: Line,
    look: LineLook,
}

impl Known {
    fn of(written: &str) -> Self {
        Self {
            written: written.into(),
            line: Line::of(written),
            look: LineLook::of(written),
        }
    }
}

impl KnownLines {
    /// The mistakes of a script, and whether it may hold a secret.
    pub(super) fn read(&mut self, text: &str) -> (Vec<FormatError>, bool) {
        let mut script = Script::to_check();
        let mut watch = Watch::new(text);
        for (written, range) in lines(text) {
            if written.is_empty() {
                continue;
            }
            let mut look_at = |known: &Known| {
                watch.add(known.look, range.clone());
                script.add(&known.line, written, range.clone());
            };
            match self.known(written) {
                Some(known) => look_at(known),
                None => look_at(&Known::of(written)),
            }
        }
        let errors = script.finish(text.len()).err().unwrap_or_default();
        (errors, watch.may_hold_a_secret())
    }

    /// What is known of a line; `None` when it is too long to be remembered.
    fn known(&mut self, written: &str) -> Option<&Known> {
        if written.len() > LONGEST {
            return None;
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || [None, None]);
        }
        let [last, before] = self.places.get_mut(number_of(written))?;
        let is_it = |known: &Option<Known>| known.as_ref().is_some_and(|known| *known.written == *written);
        if !is_it(last) {
            if is_it(before) {
                return before.as_ref();
            }
            *before = last.replace(Known::of(written));
        }
        last.as_ref()
    }
}

/// The number of a line's place. Equal numbers of different lines cost time only.
fn number_of(line: &str) -> usize {
    // An odd number whose bits look random: 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = line.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let add = |number: u64, word: &[u8; 8]| {
        (number.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(SPREAD)
    };
    let number = words.iter().chain([&last]).fold(0, add);
    // Lines that differ in their last letters only must not gather in a few places.
    let mixed = (number ^ number >> 32).wrapping_mul(SPREAD);
    usize::try_from(mixed >> 32).expect("half of 64 bits") & (PLACES - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::{Format, check};
    use crate::secrets;

    const LINES: &[&str] = &[
        "@echo off",
        "setlocal EnableExtensions DisableDelayedExpansion",
        "set \"X=1\"",
        "set \"X=%Y%\"",
        "set \"PASSWORD=hunter2Zq9\"",
        "set \"PASSWORD=%X%\"",
        "\"%X%\" a",
        "call \"%X%\" b",
        "net stop x",
        "if not \"%errorlevel%\"==\"0\" goto :A",
        "rem unchecked: no matter",
        ":A",
        ":a b",
        "exit /b 0",
        "echo 5%",
        "",
        "\"key\"=\"password\"",
        "\"value\"=\"hunter2Zq9\"",
        "sqlcmd -U sa -P hunter2Zq9",
    ];

    proptest! {
        /// The same result as without a memory, whatever was read before.
        #[test]
        fn what_is_remembered_changes_nothing(
            scripts in prop::collection::vec(prop::collection::vec(prop::sample::select(LINES), 0..12), 1..6),
            ends in prop::sample::select(&["\n", "\r\n"][..]),
        ) {
            let mut known = KnownLines::default();
            for lines in scripts {
                let text = lines.join(ends);
                let (errors, may_hold_a_secret) = known.read(&text);
                prop_assert_eq!(errors, check(Format::Cmd, &text).err().unwrap_or_default(), "{}", text);
                prop_assert!(may_hold_a_secret || secrets::scan_plain(&text, &[]).is_empty(), "{}", text);
            }
        }
    }

    #[test]
    fn harmless_scripts_are_not_looked_at_again() {
        let text = "@echo off\nsetlocal EnableExtensions DisableDelayedExpansion\nset \"X=1\"\nexit /b 0\n";
        let mut known = KnownLines::default();
        for _ in 0..2 {
            assert_eq!(known.read(text), (Vec::new(), false));
        }
    }

    #[test]
    fn lines_that_share_a_place_are_told_apart() {
        // Of one length, one without and three with a mistake.
        let first = "echo 000000".to_owned();
        let bad = (0..100_000).map(|number| format!("echo {number:05}%"));
        let others: Vec<String> = bad
            .filter(|other| number_of(other) == number_of(&first))
            .take(3)
            .collect();
        assert_eq!(others.len(), 3);
        let script = |line: &str| {
            format!("@echo off\nsetlocal EnableExtensions DisableDelayedExpansion\n{line}\nexit /b 0\n")
        };
        let mut known = KnownLines::default();
        for lines in [
            [&first, &others[0]],
            [&others[1], &first],
            [&others[2], &others[0]],
        ] {
            for line in lines {
                let errors = known.read(&script(line)).0;
                let alone = check(Format::Cmd, &script(line)).err().unwrap_or_default();
                assert_eq!(errors, alone, "{line}");
            }
        }
        let long = script(&format!("echo {}%", "x".repeat(LONGEST)));
        assert_eq!(known.read(&long).0.len(), 1);
    }
}
