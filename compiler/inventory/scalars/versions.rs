//! Forms of versions and moments.
//!
//! Every function says what is wrong as a clause behind "it is refused: ". Nothing here knows fields or places.

use super::{halves, shorten};
use crate::inventory::characters;

/// The three numbers of a product version.
pub fn product_version(value: &str) -> Result<[u16; 3], String> {
    let numbers = numbers(value)?;
    <[u16; 3]>::try_from(numbers.as_slice()).map_err(|_| {
        format!(
            "it has {} numbers, a product version has three, for example `9.5.3`",
            numbers.len()
        )
    })
}

pub(super) fn product_version_form(value: &str) -> Result<(), String> {
    product_version(value).map(drop)
}

/// A broker version: three numbers.
pub fn rabbitmq_version(value: &str) -> Result<(), String> {
    match numbers(value)?.len() {
        3 => Ok(()),
        count => Err(format!(
            "it has {count} numbers, a broker version has three, for example `3.8.1`"
        )),
    }
}

/// A .NET Framework version: two or three numbers.
pub fn dotnet_version(value: &str) -> Result<(), String> {
    match numbers(value)?.len() {
        2 | 3 => Ok(()),
        count => Err(format!(
            "it has {count} numbers, a .NET Framework version has two or three, for example `4.7.1`"
        )),
    }
}

/// Dotted numbers without leading zeros.
fn numbers(value: &str) -> Result<Vec<u16>, String> {
    value
        .split('.')
        .map(|part| {
            if let Some(bad) = part.chars().find(|c| !c.is_ascii_digit()) {
                return Err(format!(
                    "it holds {}, a version has only numbers and dots",
                    characters::name(bad)
                ));
            }
            if part.is_empty() {
                return Err("it has two dots in a row, or one at an end".to_owned());
            }
            if part.len() > 1 && part.starts_with('0') {
                return Err(format!("`{}` begins with a zero", shorten(part)));
            }
            part.parse::<u16>()
                .map_err(|_| format!("`{}` is too large for a version", shorten(part)))
        })
        .collect()
}

/// A number of exactly so many digits.
fn digits(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Three numbers with a sign between them, each of exactly so many digits.
fn three(text: &str, sign: char, lengths: [usize; 3]) -> Option<[u32; 3]> {
    let mut parts = text.split(sign);
    let mut next = |length| digits(parts.next()?, length);
    let [first, second, third] = lengths;
    let numbers = [next(first)?, next(second)?, next(third)?];
    parts.next().is_none().then_some(numbers)
}

/// Whether a text is a day of the calendar; `Err(None)` when it has not even the form of one.
fn is_day(text: &str) -> Result<(), Option<String>> {
    let [year, month, day] = three(text, '-', [4, 2, 2]).ok_or(None)?;
    if !(1..=12).contains(&month) {
        return Err(Some(format!("there is no month {month}")));
    }
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day == 0 || day > days {
        return Err(Some(format!(
            "month {month} of {year} has {days} days, not {day}"
        )));
    }
    Ok(())
}

/// A day: year, month and day (RFC 3339 `full-date`).
pub fn date(value: &str) -> Result<(), String> {
    is_day(value).map_err(|why| why.unwrap_or_else(|| "it is no day; write it like `2027-01-31`".to_owned()))
}

/// A moment with its offset (RFC 3339 section 5.6), without leap seconds.
pub fn date_time(value: &str) -> Result<(), String> {
    const EXAMPLE: &str = "write it in the form `2026-12-05T22:00:00+01:00`";
    let shape = || format!("it is no RFC 3339 moment; {EXAMPLE}");
    let (date, time) = value.split_once(['T', 't']).ok_or_else(|| {
        if value.contains(' ') {
            format!("date and time must be joined by `T`; {EXAMPLE}")
        } else {
            format!("it has no time; {EXAMPLE}")
        }
    })?;
    is_day(date).map_err(|why| why.unwrap_or_else(shape))?;
    let at = time.find(['Z', 'z', '+', '-']).ok_or_else(|| {
        format!("it has no offset, so it means another moment in every time zone; {EXAMPLE}")
    })?;
    let (clock, offset) = time.split_at_checked(at).ok_or_else(shape)?;
    let (clock, fraction) = halves(clock, '.');
    if fraction.is_some_and(|text| text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(shape());
    }
    let [hour, minute, second] = three(clock, ':', [2, 2, 2])
        .ok_or_else(|| format!("the time needs hours, minutes and seconds in two digits each; {EXAMPLE}"))?;
    if hour > 23 || minute > 59 || second > 59 {
        return Err(format!("there is no time `{clock}`"));
    }
    if matches!(offset, "Z" | "z") {
        return Ok(());
    }
    let numbers = offset.get(1..).and_then(|text| text.split_once(':'));
    match numbers.and_then(|(hours, minutes)| Some((digits(hours, 2)?, digits(minutes, 2)?))) {
        Some((hours, minutes)) if hours <= 23 && minutes <= 59 => Ok(()),
        _ => Err(format!(
            "the offset `{}` is not `Z` or like `+01:00`",
            shorten(offset)
        )),
    }
}

/// A requirement on the version of cbgen, as Cargo writes them.
pub fn version_range(value: &str) -> Result<(), String> {
    semver::VersionReq::parse(value)
        .map(drop)
        .map_err(|error| format!("it is no version range ({error}); write it like `'>=0.1, <0.2'`"))
}
