//! Moments of a file of signers, and what is known about them without a table of time zones.
//!
//! `ssh-keygen` reads `20270101` in the local time of the computer it runs on, and `20270101Z` as UTC. A check that gives another answer
//! on another computer is no check, so a moment without `Z` is a span here: every moment it can be on Earth. This file must not
//! look at a clock.

use crate::contract::moment::days;

/// Seconds since 1970 in UTC.
pub type Seconds = i64;

/// When something begins or ends: the earliest and the latest moment that can be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) earliest: Seconds,
    pub(super) latest: Seconds,
}

/// Local times are at most 14 hours ahead of UTC and 12 behind.
const AHEAD: Seconds = 14 * 3600;
const BEHIND: Seconds = 12 * 3600;

impl Moment {
    /// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, each with or without `Z`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (digits, utc) = match text.strip_suffix('Z') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
            return None;
        }
        let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse().ok());
        let (year, month, day): (i64, i64, i64) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second): (i64, i64, i64) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let longest = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if year < 1970 || !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let at = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        let (earliest, latest) = if utc { (at, at) } else { (at - AHEAD, at + BEHIND) };
        Some(Self { earliest, latest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_openssh_reads_them() {
        let utc = |text| Moment::read(text).map(|moment| (moment.earliest, moment.latest));
        assert_eq!(utc("19700101Z"), Some((0, 0)));
        assert_eq!(utc("20260102Z"), Some((1_767_312_000, 1_767_312_000)));
        assert_eq!(utc("20240229235959Z"), Some((1_709_251_199, 1_709_251_199)));
        assert_eq!(utc("202601020304Z"), Some((1_767_323_040, 1_767_323_040)));
        assert_eq!(
            utc("20260102"),
            Some((1_767_312_000 - 50_400, 1_767_312_000 + 43_200))
        );
        for bad in [
            "",
            "Z",
            "2026",
            "20261301Z",
            "20260230Z",
            "20250229Z",
            "2026010224Z",
            "202601022400Z",
            "+2260101Z",
        ] {
            assert_eq!(utc(bad), None, "{bad}");
        }
    }
}
