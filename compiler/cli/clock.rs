//! Which day and which moment it is, for acceptances that end and signers who are valid for a time only. No output of a
//! build depends on it.

use crate::change::moment::Seconds;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Today in UTC, like `2026-12-05`. `SOURCE_DATE_EPOCH` (reproducible-builds.org) stands for the clock where it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks which day it is; only findings depend on it"
)]
pub(super) fn today() -> Option<String> {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let seconds = match given.and_then(|text| text.trim().parse().ok()) {
        Some(seconds) => seconds,
        None => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?
            .as_secs(),
    };
    Some(day(seconds / DAY))
}

/// Seconds since 1970. A clock before that is as wrong as one at zero.
#[expect(
    clippy::disallowed_methods,
    reason = "signers may be valid for a time only; no output depends on it"
)]
pub(super) fn now() -> Seconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        Seconds::try_from(since.as_secs()).unwrap_or(Seconds::MAX)
    })
}

/// The day so many days after 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn day(days: u64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_792, "2026-12-05"),
            (20_818, "2026-12-31"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(day(days), expected);
        }
    }
}
