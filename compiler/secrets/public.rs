//! Certificates and public keys: long random text that everybody may read.
//!
//! A block counts only when what it encodes is built like one (RFC 5280, RFC 7468): a label alone would be a place to hide
//! a secret in. This file must not know what a secret looks like.

use std::borrow::Cow;
use std::ops::Range;

use super::decode;
use crate::formats::Cut as _;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Labels of blocks without a secret.
const PUBLIC: &[&str] = &[
    "CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "X509 CERTIFICATE",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
    "PUBLIC KEY",
    "X509 CRL",
];

/// The text with blanks in place of certificates and public keys, so that every other byte stays where it is.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    let mut blocks: Vec<Range<usize>> = text
        .match_indices(BEGIN)
        .filter_map(|(at, _)| block(text, at))
        .collect();
    for kind in OPEN_SSH {
        let found = text.match_indices(kind);
        blocks.extend(found.filter_map(|(at, _)| open_ssh(text, at, kind)));
    }
    let prints = text.match_indices(FINGERPRINT);
    blocks.extend(prints.filter_map(|(at, _)| fingerprint(text, at)));
    blocks.sort_by_key(|range| range.start);
    let mut end = 0;
    blocks.retain(|range| {
        let is_behind = range.start >= end;
        end = if is_behind { range.end } else { end };
        is_behind
    });
    if blocks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for range in blocks {
        rest.push_str(text.cut(at..range.start));
        // Every byte of a block is ASCII.
        let body = text.cut(range.clone());
        rest.extend(
            body.chars()
                .map(|letter| if letter == '\n' { letter } else { ' ' }),
        );
        at = range.end;
    }
    rest.push_str(text.cut(at..));
    Cow::Owned(rest)
}

/// Kinds of public keys of OpenSSH, as they stand in front of the key.
const OPEN_SSH: &[&str] = &[
    "ssh-ed25519 ",
    "ssh-rsa ",
    "ecdsa-sha2-nistp256 ",
    "ecdsa-sha2-nistp384 ",
    "ecdsa-sha2-nistp521 ",
];

/// In front of the digest of a key, in base64.
const FINGERPRINT: &str = "SHA256:";

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The base64 run that begins at a byte.
fn run(text: &str, from: usize) -> &str {
    let rest = text.cut(from..);
    let length = rest.bytes().take_while(|byte| is_base64(*byte)).count();
    rest.cut(..length)
}

/// A key of OpenSSH (RFC 4253, 6.6): it says its kind once more in itself.
fn open_ssh(text: &str, at: usize, kind: &str) -> Option<Range<usize>> {
    let start = at + kind.len();
    let run = run(text, start);
    let bytes = decode::from_base64(run.trim_end_matches('='))?;
    let name = kind.trim_end();
    let length = u32::try_from(name.len()).ok()?.to_be_bytes();
    let rest = bytes.strip_prefix(&length)?;
    rest.starts_with(name.as_bytes())
        .then_some(start..start + run.len())
}

/// The 32 bytes of a digest.
fn fingerprint(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at + FINGERPRINT.len();
    let run = run(text, start);
    (run.trim_end_matches('=').len() == 43).then_some(start..start + run.len())
}

/// What stands between the two lines of a public block that begins at a byte.
fn block(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at + BEGIN.len()..)?;
    let (label, after) = rest.split_once("-----")?;
    if !PUBLIC.contains(&label) {
        return None;
    }
    let start = text.len() - after.len();
    let length = after.find(END)?;
    let behind = after.get(length + END.len()..)?;
    let body = after.get(..length)?;
    // Indented in YAML, broken into lines, or with the escapes of a string in JSON.
    let mut joined = body.replace("\\r", "").replace("\\n", "");
    joined.retain(|letter| !letter.is_whitespace());
    let bytes = decode::from_base64(joined.trim_end_matches('='))?;
    (joined.bytes().all(is_base64) && behind.starts_with(label) && is_public(&bytes))
        .then_some(start..start + length)
}

/// Whether bytes are one sequence of DER whose first element is a sequence too. A private key begins with the number of
/// its version.
fn is_public(bytes: &[u8]) -> bool {
    sequence(bytes).is_some_and(|inside| inside.first() == Some(&0x30))
}

/// The content of a sequence that fills the bytes.
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, content) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let count = usize::from(short & 0x7F);
        let digits = rest.get(..count).filter(|_| (1..=3).contains(&count))?;
        let length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
        (length, rest.get(count..)?)
    };
    (first == 0x30 && content.len() == length).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::scan;

    /// A public key of P-256, as OpenSSL writes it.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+Y+qPqI3geo2hQH8eK7Rn+YWG09T\n\
        ejZ5QFoj9fmxFrUyYhFap6XmTdJtEi8myBmW6Lhwxh7h+q0ZtGYQmXRxIw==\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn a_public_key_is_no_secret_and_what_stands_beside_it_may_be_one() {
        assert_eq!(scan(KEY, &[]), Vec::new());
        assert_eq!(scan(&KEY.replace('\n', "\n    "), &[]), Vec::new());
        assert_eq!(scan(&format!("{KEY}Password=hunter2Zq9\n"), &[]).len(), 1);
        let range = block(KEY, 0).unwrap();
        assert_eq!(without(KEY).len(), KEY.len());
        assert!(KEY.get(range).unwrap().trim().ends_with("=="));
    }

    #[test]
    fn a_label_alone_hides_nothing() {
        for body in [
            "UGFzc3dvcmQ9aHVudGVyMjJaUTk=",
            "Password=hunter2Zq9",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
        ] {
            let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            assert!(!scan(&text, &[]).is_empty(), "{body}");
        }
        // The same bytes with a number in front, as a private key has.
        assert!(!is_public(&[0x30, 3, 2, 1, 0]));
        assert!(is_public(&[0x30, 2, 0x30, 0]));
        assert!(!is_public(&[0x30, 9, 0x30, 0]));
    }
}
