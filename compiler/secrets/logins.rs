//! Accounts and their passwords in one value: `login: sa/…`, `{login, {"sa", "…"}}`.
//!
//! This file must not know where the value stands.

use super::names;
use super::values::{first_value, is_literal};

/// Accounts whose name alone says that a password follows.
const ACCOUNTS: &[&str] = &[
    "sa",
    "root",
    "admin",
    "administrator",
    "guest",
    "postgres",
    "system",
];

/// `sa/value`, `svc:value1`, `{"sa", "value"}` behind `login`. A word of letters behind another account may be the page of an
/// address.
pub(super) fn is_account_with_password(after: &str, declared: &[&str]) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    let pair = match after.strip_prefix(['{', '[', '(']) {
        Some(inside) => two_texts(inside),
        None => first_value(after).split_once(['/', ':']),
    };
    pair.is_some_and(|(account, password)| {
        let is_known = ACCOUNTS.iter().any(|known| account.eq_ignore_ascii_case(known));
        let is_mixed = password.contains(|letter: char| letter.is_ascii_digit())
            && password.contains(|letter: char| letter.is_ascii_alphabetic());
        !account.is_empty()
            && account
                .chars()
                .all(|letter| names::belongs(letter) || letter == '\\')
            && !password.contains(['/', '\\'])
            && (is_known || is_mixed)
            && is_literal(password, declared)
    })
}

/// The first two texts of a tuple or list.
fn two_texts(inside: &str) -> Option<(&str, &str)> {
    let inside = inside.trim_start();
    let is_text = |text: &str| text.trim_start_matches(['<', 'N']).starts_with(['"', '\'']);
    let account = first_value(inside);
    let (_, behind) = inside.split_once(account)?;
    let password = behind
        .trim_start_matches(['"', '\'', '>', ' '])
        .strip_prefix(',')?
        .trim_start();
    (is_text(inside) && is_text(password)).then(|| (account, first_value(password)))
}
