//! Moments: RFC 3339 time stamps, read, moved by minutes and written with the offset they came with.
//!
//! This file must not look at a clock: every moment comes from an inventory, or from who asked one.

/// A moment with the offset people wrote it in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds since 1970 in UTC.
    seconds: i64,
    /// Digits of the fraction, without zeros at the end.
    fraction: String,
    /// Seconds east of UTC.
    offset: i64,
}

impl Moment {
    /// Reads an RFC 3339 time stamp.
    pub fn read(text: &str) -> Option<Self> {
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
        } * 60;
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
        Some(Self {
            seconds,
            fraction: fraction.trim_end_matches('0').to_owned(),
            offset,
        })
    }

    /// So many seconds after 1970 began, in UTC.
    pub fn utc(seconds: i64) -> Self {
        Self {
            seconds,
            fraction: String::new(),
            offset: 0,
        }
    }

    /// Minutes east of UTC, as it was written.
    pub fn offset_minutes(&self) -> i64 {
        self.offset / 60
    }

    /// Whole minutes from this moment to a later one; negative when the other one is earlier.
    pub fn minutes_to(&self, other: &Self) -> i64 {
        (other.seconds - self.seconds).div_euclid(60)
    }

    /// The moment so many minutes later.
    #[must_use]
    pub fn plus(&self, minutes: i64) -> Self {
        Self {
            seconds: self.seconds + minutes * 60,
            ..self.clone()
        }
    }

    /// `2026-12-05T23:10:00+01:00`: the time stamp, in the offset it was read with, without the fraction.
    pub fn stamp(&self) -> String {
        let (date, time) = (self.date(), self.time_of_day());
        let zone = if self.offset == 0 {
            "Z".to_owned()
        } else {
            let (sign, offset) = if self.offset < 0 {
                ('-', -self.offset)
            } else {
                ('+', self.offset)
            };
            format!("{sign}{:02}:{:02}", offset / 3600, offset % 3600 / 60)
        };
        format!("{date}T{time}:{:02}{zone}", self.local().rem_euclid(60))
    }

    /// `2026-12-05`, where the people are.
    pub fn date(&self) -> String {
        let (year, month, day) = date(self.local().div_euclid(86_400));
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `23:10`, where the people are.
    pub fn time_of_day(&self) -> String {
        let minutes = self.local().rem_euclid(86_400) / 60;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn local(&self) -> i64 {
        self.seconds + self.offset
    }
}

/// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01: the inverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_compared_in_utc() {
        // Values from `date -u -d STAMP +%s`.
        for (stamp, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-12-05T22:00:00+01:00", 1_796_504_400),
            ("2024-02-29T23:59:59-05:30", 1_709_270_999),
            ("2000-03-01T00:00:00z", 951_868_800),
        ] {
            assert_eq!(
                Moment::read(stamp).map(|moment| moment.seconds),
                Some(seconds),
                "{stamp}"
            );
        }
        assert!(Moment::read("2026-12-05T22:00:00.25Z") < Moment::read("2026-12-05T22:00:00.5Z"));
        assert_eq!(Moment::read("tomorrow"), None);
    }

    #[test]
    fn minutes_are_added_over_midnight_and_leap_days() {
        let check = |stamp: &str, minutes: i64, expected: &str| {
            let moment = Moment::read(stamp).unwrap();
            let later = moment.plus(minutes);
            assert_eq!(later.stamp(), expected);
            assert_eq!(moment.minutes_to(&later), minutes);
        };
        check("2026-12-05T22:00:00+01:00", 0, "2026-12-05T22:00:00+01:00");
        check("2026-12-05T22:00:00+01:00", 150, "2026-12-06T00:30:00+01:00");
        check("2028-02-28T23:59:30-05:30", 1, "2028-02-29T00:00:30-05:30");
        check("2026-01-01T00:00:00Z", -1, "2025-12-31T23:59:00Z");
    }

    #[test]
    fn days_cover_leap_years_both_ways() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1) - days(2000, 2, 28), 2);
        assert_eq!(days(1900, 3, 1) - days(1900, 2, 28), 1);
        for day in (-200_000..200_000).step_by(37) {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }
}
