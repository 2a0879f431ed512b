//! Which day and which moment it is, for acceptances that end, signers who are valid for a time only, and evidence. No output
//! of a build depends on it.

use crate::change::moment::Seconds;
use crate::contract::moment::Moment;

/// Today in UTC, like `2026-12-05`. `SOURCE_DATE_EPOCH` (reproducible-builds.org) stands for the clock where it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks which day it is; only findings depend on it"
)]
pub(super) fn today() -> Option<String> {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let seconds = match given.and_then(|text| text.trim().parse::<u64>().ok()) {
        Some(seconds) => seconds,
        None => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?
            .as_secs(),
    };
    let seconds = Seconds::try_from(seconds).unwrap_or(Seconds::MAX);
    Some(Moment::utc(seconds).date())
}

/// Seconds since 1970. A clock before that is as wrong as one at zero.
#[expect(
    clippy::disallowed_methods,
    reason = "signers may be valid for a time only, and evidence says when; no output depends on it"
)]
pub(super) fn now() -> Seconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        Seconds::try_from(since.as_secs()).unwrap_or(Seconds::MAX)
    })
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
            assert_eq!(Moment::utc(days * 86_400).date(), expected);
        }
    }
}
