//! Which TLS 1.2 suites the proxy offers, so that every Windows release among the servers shares at least one with it.
//!
//! Core servers call the proxy with Windows' own TLS (SCHANNEL). The table holds what each release has switched on, after
//! Microsoft's pages *TLS Cipher Suites in Windows 8* (Server 2012), *… 8.1* (Server 2012 R2), *… Windows 10 v1607*
//! (Server 2016) and *… v1809* (Server 2019). This module must not know nginx's syntax beyond the list of names, and
//! nothing of the inventory but releases.

use crate::inventory::model::WindowsVersion;

/// Offered to everybody: forward secrecy and authenticated encryption, for both kinds of certificates.
const ALWAYS: &[&str] = &[
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
];

/// Added only for releases that have none of the above, best first: forward secrecy without authenticated encryption.
/// `AES128-SHA256` stands first because Server 2012 has it without any update.
const OLDER: &[&str] = &[
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
];

/// Suites with ephemeral elliptic curves of Server 2012 and 2012 R2: with an RSA certificate none with GCM.
const OLD: &[&str] = &[
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-ECDSA-AES128-SHA",
];

/// Suites with ephemeral elliptic curves of Server 2016 and 2019.
const NEW: &[&str] = &[
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-RSA-AES128-SHA",
];

/// The kinds of keys a certificate of the proxy may have.
const KEYS: [&str; 2] = ["-ECDSA-", "-RSA-"];

/// What a release offers in a TLS 1.2 handshake as a client, in its order, by OpenSSL's names.
pub fn of_release(release: WindowsVersion) -> &'static [&'static str] {
    match release {
        WindowsVersion::W2012 | WindowsVersion::W2012R2 => OLD,
        WindowsVersion::W2016 | WindowsVersion::W2019 => NEW,
    }
}

/// Whether a release shares a suite of [`ALWAYS`] with the proxy whatever key its certificate has.
pub fn is_served_by_modern_suites(release: WindowsVersion) -> bool {
    KEYS.iter().all(|key| shares(release, ALWAYS, key))
}

fn shares(release: WindowsVersion, offered: &[&str], key: &str) -> bool {
    let known = of_release(release);
    offered
        .iter()
        .any(|suite| suite.contains(key) && known.contains(suite))
}

/// The suites of the proxy in the order it prefers them: those for everybody, and the fewest older ones without which a
/// release among `releases` would share none.
pub fn suites(releases: &[WindowsVersion]) -> Vec<&'static str> {
    let mut suites = ALWAYS.to_vec();
    for release in releases {
        for key in KEYS {
            if shares(*release, &suites, key) {
                continue;
            }
            let known = of_release(*release);
            let added = OLDER
                .iter()
                .find(|suite| suite.contains(key) && known.contains(suite));
            suites.extend(added);
        }
    }
    suites
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [WindowsVersion; 4] = [
        WindowsVersion::W2012,
        WindowsVersion::W2012R2,
        WindowsVersion::W2016,
        WindowsVersion::W2019,
    ];

    #[test]
    fn every_mixture_of_releases_is_served_with_both_kinds_of_keys() {
        for mask in 1..16_usize {
            let releases: Vec<WindowsVersion> = ALL
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| mask & (1 << bit) != 0)
                .map(|(_, r)| r)
                .collect();
            let offered = suites(&releases);
            for release in &releases {
                for key in KEYS {
                    assert!(shares(*release, &offered, key), "{release:?} {key} {offered:?}");
                }
            }
        }
    }

    #[test]
    fn older_suites_come_only_for_those_who_need_them() {
        assert_eq!(suites(&ALL[2..]), ALWAYS);
        let one: Vec<&str> = ALWAYS
            .iter()
            .copied()
            .chain(["ECDHE-RSA-AES128-SHA256"])
            .collect();
        assert_eq!(suites(&ALL), one);
        assert_eq!(ALL.map(is_served_by_modern_suites), [false, false, true, true]);
    }
}
