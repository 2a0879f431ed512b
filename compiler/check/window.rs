//! The change window.

use super::View;
use super::problem::Problem;
use crate::codes;

pub(super) fn check(view: &View<'_>, problems: &mut Vec<Problem>) {
    let Some(window) = &view.inventory.bundle.window else {
        return;
    };
    // A stamp that is not RFC 3339 was refused by the schema.
    let (Some(start), Some(end)) = (moment(&window.start), moment(&window.end)) else {
        return;
    };
    if end <= start {
        problems.push(
            Problem::at(
                codes::WINDOW_ENDS_EARLY,
                "/bundle/window/end",
                format!(
                    "the change window ends at `{}`, which is not after its start",
                    window.end
                ),
            )
            .related("/bundle/window/start", "the start")
            .note("the offsets of both time stamps are taken into account")
            .help("correct the date or the offset"),
        );
    }
}

/// Seconds since 1970 in UTC and the digits of the fraction, of an RFC 3339 time stamp.
fn moment(text: &str) -> Option<(i64, String)> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let rest = text.get(19..)?;
    let fraction: String = rest
        .strip_prefix('.')
        .unwrap_or_default()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = if zone.eq_ignore_ascii_case("z") {
        0
    } else {
        let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
        if zone.starts_with('-') { -minutes } else { minutes }
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset * 60;
    Some((seconds, fraction.trim_end_matches('0').to_owned()))
}

/// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{days, moment};

    #[test]
    fn time_stamps_are_compared_in_utc() {
        // Values from `date -u -d STAMP +%s`.
        for (stamp, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-12-05T22:00:00+01:00", 1_796_504_400),
            ("2024-02-29T23:59:59-05:30", 1_709_270_999),
            ("2000-03-01T00:00:00z", 951_868_800),
        ] {
            assert_eq!(moment(stamp).map(|moment| moment.0), Some(seconds), "{stamp}");
        }
        assert!(moment("2026-12-05T22:00:00.25Z") < moment("2026-12-05T22:00:00.5Z"));
        assert_eq!(moment("tomorrow"), None);
    }

    #[test]
    fn days_cover_leap_years() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1) - days(2000, 2, 28), 2);
        assert_eq!(days(1900, 3, 1) - days(1900, 2, 28), 1);
    }
}
