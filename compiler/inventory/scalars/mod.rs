//! The forms of scalar values: one function per form, used by the schema, by messages and by tests.
//!
//! Each function answers `Ok` or says exactly what is wrong, in the grammar of diagnostics, as a clause that follows
//! "`KEY`: ". This module must not know fields, places or the schema.

mod names;
mod paths;
mod versions;

pub use names::{config_file, fqdn, host_name, http_url, https_url, secret_name, sql_server, sql_table};
pub use paths::{path_below, windows_file, windows_folder};
pub use versions::{date, date_time, dotnet_version, product_version, rabbitmq_version, version_range};

use versions::product_version_form;

/// Answer of a form: `Err` says why.
pub type Form = fn(&str) -> Result<(), String>;

/// Every form by the name the schema uses in `format`, with a text that has it.
pub const FORMS: &[(&str, Form, &str)] = &[
    ("cbgen-fqdn", fqdn, "callback.acme.example"),
    ("cbgen-host-name", host_name, "MGMT01"),
    ("cbgen-config-file", config_file, "rabbitmq.config"),
    ("cbgen-secret-name", secret_name, "CALLBACK_REPORT_PASSWORD"),
    ("cbgen-windows-folder", windows_folder, r"D:\Callback\certs"),
    ("cbgen-windows-file", windows_file, r"D:\handoff\callback.pfx"),
    ("cbgen-product-version", product_version_form, "9.5.3"),
    ("cbgen-rabbitmq-version", rabbitmq_version, "3.8.1"),
    ("cbgen-dotnet-version", dotnet_version, "4.7.1"),
    ("cbgen-sql-server", sql_server, r"SQL01\CALLBACK"),
    ("cbgen-sql-table", sql_table, "dbo.WSConfiguration"),
    ("cbgen-date-time", date_time, "2026-12-05T22:00:00+01:00"),
    ("cbgen-date", date, "2027-01-31"),
    (
        "cbgen-http-url",
        http_url,
        "https://callback.acme.example/EyeQueue/NoAccessPage",
    ),
    (
        "cbgen-https-url",
        https_url,
        "https://callback.acme.example/VHQWatchWS",
    ),
    ("cbgen-version-range", version_range, ">=0.1, <0.2"),
    ("cbgen-path-below", path_below, "templates"),
];

/// The form with this name.
pub fn find(name: &str) -> Option<Form> {
    row(name).map(|(_, form, _)| *form)
}

/// A text that has the form with this name.
pub fn example(name: &str) -> Option<&'static str> {
    row(name).map(|(.., example)| *example)
}

fn row(name: &str) -> Option<&'static (&'static str, Form, &'static str)> {
    FORMS.iter().find(|(known, ..)| *known == name)
}

/// What stands before and behind a sign; nothing stands behind it where it is missing.
fn halves(text: &str, sign: char) -> (&str, Option<&str>) {
    match text.split_once(sign) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// A text short enough for a message.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
        .replace("\\\\", "\\")
        .replace("\\'", "'")
        .replace("\\\"", "\"")
}

#[cfg(test)]
mod tests;
