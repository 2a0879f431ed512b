//! Accounts and their passwords in one value: `login: sa/…`.
//!
//! This file must not know where the value stands.

use super::names;
use super::positions::{first_value, is_literal};

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

/// `sa/value`, `svc:value1` behind `login:`. A word of letters behind another account may be the page of an address.
pub(super) fn is_account_with_password(after: &str, declared: &[&str]) -> bool {
    let value = first_value(after.trim_start_matches([' ', '\t']));
    value.split_once(['/', ':']).is_some_and(|(account, password)| {
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
