//! Texts that look like a secret wherever they stand: private keys, tokens of known services, passwords in addresses,
//! signatures of shared links, and words that only a machine would write.
//!
//! Every function reads the text once. This file must not know names of positions.

use memchr::memmem;

use super::{Found, is_reference, up_to};
use crate::formats::Cut as _;

/// Tokens of a service: what they are, which bytes follow their beginning and how many at least, and how they begin.
struct Token {
    what: &'static str,
    belongs: fn(u8) -> bool,
    least: usize,
    begins: &'static [&'static str],
}

const fn token_of(
    what: &'static str,
    belongs: fn(u8) -> bool,
    least: usize,
    begins: &'static [&'static str],
) -> Token {
    Token {
        what,
        belongs,
        least,
        begins,
    }
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn dotted(byte: u8) -> bool {
    word(byte) || byte == b'.'
}

/// Which bytes a run of [`words`] consists of.
static OF_A_RUN: [bool; 256] = of_a_run();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would say so"
)]
const fn of_a_run() -> [bool; 256] {
    let mut belongs = [false; 256];
    let mut byte = 0;
    while byte < 128u8 {
        belongs[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=' | b'.');
        byte += 1;
    }
    belongs
}

/// The prefixes their makers document so that scanners can find them.
const TOKENS: &[Token] = &[
    token_of("AWS access key", capital, 16, &["AKIA", "ASIA"]),
    token_of(
        "GitHub token",
        word,
        20,
        &["ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "ghr_"],
    ),
    token_of(
        "GitLab token",
        word,
        16,
        &["glpat-", "glrt-", "gldt-", "glcbt-", "glptt-"],
    ),
    token_of(
        "Slack token",
        word,
        10,
        &["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xapp-", "xoxs-"],
    ),
    token_of("Google key", word, 30, &["AIza"]),
    token_of("Stripe key", word, 10, &["sk_live_", "rk_live_", "sk_test_"]),
    token_of("Slack token", word, 20, &["xoxe"]),
    token_of("npm token", word, 30, &["npm_"]),
    token_of("PyPI token", word, 40, &["pypi-"]),
    token_of("Docker token", word, 16, &["dckr_pat_"]),
    token_of("Vault token", word, 20, &["hvs.", "hvb."]),
    token_of("key of an AI service", word, 20, &["sk-ant-", "sk-proj-"]),
    token_of("Google token", word, 20, &["ya29."]),
    token_of("DigitalOcean token", word, 40, &["dop_v1_"]),
    token_of("Shopify token", word, 20, &["shpat_"]),
    token_of("Stripe secret", word, 20, &["whsec_"]),
    token_of("New Relic key", word, 20, &["NRAK-"]),
    token_of("Postman key", word, 20, &["PMAK-"]),
    token_of("RubyGems key", word, 30, &["rubygems_"]),
    token_of("age key", word, 40, &["AGE-SECRET-KEY-1"]),
    token_of("SendGrid key", dotted, 40, &["SG."]),
];

/// Shortest run of letters that can be a token.
const SHORTEST_RUN: usize = 15;
/// Shortest word that is judged by how it looks, and from which length on less is asked.
const SHORTEST_RANDOM: usize = 20;
const LONG_RANDOM: usize = 32;
/// Entropy of its letters, bits each: 20 random letters of base64 have 4.1 on average.
const LEAST_ENTROPY: f64 = 3.6;
/// Share of neighbours of another kind (capital, small, digit): 0.62 in random base64, below 0.3 in the words of every shipped text.
const LEAST_CHANGES: f64 = 0.45;
const LEAST_CHANGES_LONG: f64 = 0.33;
/// A path has words; this many small letters in a row make one.
const WORD: usize = 7;

/// Tokens of known services, JSON web tokens, and words that look random.
pub(super) fn words(text: &str, random: bool, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let belongs = |byte: u8| OF_A_RUN.get(usize::from(byte)) == Some(&true);
    // No run begins before `at`. One that is long enough covers the byte looked at next.
    let mut at = 0;
    while let Some(last) = bytes.get(at + SHORTEST_RUN - 1) {
        if !belongs(*last) {
            at += SHORTEST_RUN;
            continue;
        }
        let window = bytes.cut(at..at + SHORTEST_RUN);
        let start = window
            .iter()
            .rposition(|byte| !belongs(*byte))
            .map_or(at, |gap| at + gap + 1);
        let rest = bytes.cut(start..);
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        at = start + length;
        if length < SHORTEST_RUN {
            continue;
        }
        // Every letter of it is ASCII.
        let run = text.cut(start..at);
        let what = token(run).or_else(|| (random && random_part(run)).then_some("random text"));
        if let Some(what) = what {
            found.push(Found {
                name: start..start,
                position: what.to_owned(),
            });
        }
    }
}

fn token(run: &str) -> Option<&'static str> {
    // A name may be glued to it: `KEY=AKIA…`, `/ghp_…`.
    run.split(['=', '/', '+']).find_map(|part| {
        // A token begins where a word does.
        let bytes = part.as_bytes();
        let known = (0..bytes.len().saturating_sub(13)).find_map(|at| {
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            if before.is_some_and(u8::is_ascii_alphanumeric) {
                return None;
            }
            let rest = bytes.get(at..)?;
            TOKENS.iter().find(|token| {
                let mut bodies = token
                    .begins
                    .iter()
                    // Nearly always false, and cheaper than the next line.
                    .filter(|begin| begin.as_bytes().first() == rest.first())
                    .filter_map(|begin| rest.strip_prefix(begin.as_bytes()));
                bodies
                    .any(|body| body.iter().take_while(|byte| (token.belongs)(**byte)).count() >= token.least)
            })
        });
        let is_jwt = part.starts_with("eyJ")
            && part.split('.').count() == 3
            && part.split('.').all(|piece| piece.len() >= 10);
        known
            .map(|token| token.what)
            .or(is_jwt.then_some("JSON web token"))
    })
}

/// Whether a run, or what stands behind a `=` or `.` in it, looks random. Digests in base64 (`sha256-…`) are public.
fn random_part(run: &str) -> bool {
    run.trim_end_matches('=').split(['=', '.']).any(|part| {
        !part.starts_with("sha256-")
            && !part.starts_with("sha384-")
            && !part.starts_with("sha512-")
            && is_random(part)
    })
}

/// Whether a word is one a machine made: long, of capital and small letters and digits in no order. Hexadecimal digits
/// alone are not enough, because digests, thumbprints and GUIDs are public.
pub(super) fn is_random(text: &str) -> bool {
    if text.len() < SHORTEST_RANDOM {
        return false;
    }
    let kind = |byte: &u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let bytes = text.as_bytes();
    let mut kinds = [0u32; 4];
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = kinds.get_mut(kind(byte)) {
            *count += 1;
        }
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let [capitals, small, digits, signs] = kinds;
    let is_long = bytes.len() >= LONG_RANDOM;
    if capitals < 3 || small < 3 || digits < if is_long { 1 } else { 2 } || signs as usize * 6 > bytes.len() {
        return false;
    }
    // Signs join the words of a path, so only neighbours that are both letters or digits tell anything.
    let (mut neighbours, mut changes) = (0u32, 0u32);
    for (left, right) in bytes.iter().map(kind).zip(bytes.iter().skip(1).map(kind)) {
        if left != 3 && right != 3 {
            neighbours += 1;
            changes += u32::from(left != right);
        }
    }
    if text.contains('/')
        && text
            .split(|letter: char| !letter.is_ascii_lowercase())
            .any(|part| part.len() >= WORD)
    {
        return false;
    }
    let least = if is_long {
        LEAST_CHANGES_LONG
    } else {
        LEAST_CHANGES
    };
    if f64::from(changes) < least * f64::from(neighbours) {
        return false;
    }
    let length = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum();
    entropy >= LEAST_ENTROPY
}

/// Words before a colon that say what follows, so that `word:name@host` is an address of somebody and no password.
const LABELS: &[&str] = &[
    "mailto", "mail", "email", "e-mail", "sip", "sips", "tel", "xmpp", "im", "pres", "acct", "ssh", "git",
    "urn", "cid", "news", "from", "to", "cc", "bcc", "reply-to", "sender", "contact", "author", "owner",
    "user", "username", "account", "upn", "login", "npm", "docker", "image", "node", "name", "dns", "rabbit",
    "by", "h323", "support", "help", "write",
];
/// Shortest password before a host without a scheme.
const SHORTEST_PASSWORD: usize = 4;

/// `user:password@host` without a scheme.
fn accounts(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let of_a_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '\\');
    // No name begins before the sign that was looked at last, so that many signs are as cheap as many letters.
    let mut low = 0;
    for at in memchr::memchr_iter(b'@', bytes) {
        let from = std::mem::replace(&mut low, at + 1);
        let Some(before) = text.get(from..at) else {
            continue;
        };
        let is_gap = |letter: char| {
            letter.is_whitespace()
                || matches!(letter, '"' | '\'' | '`' | '<' | '>' | ',' | ';' | '=' | '(' | '[')
        };
        let run = before.rsplit(is_gap).next().unwrap_or(before);
        let start = at - run.len();
        let run = run.trim_start_matches(|letter: char| !of_a_name(letter));
        let Some((user, password)) = run.split_once(':') else {
            continue;
        };
        let host = up_to(text.cut(at + 1..), |letter| {
            !(letter.is_alphanumeric() || matches!(letter, '-' | '.'))
        });
        // An address with a scheme is judged below; one letter is a drive.
        if user.len() < 2
            || password.starts_with("//")
            || !user.starts_with(|letter: char| letter.is_alphabetic())
            || !user.chars().all(of_a_name)
            || LABELS.iter().any(|label| user.eq_ignore_ascii_case(label))
            || password.chars().count() < SHORTEST_PASSWORD
            || is_reference(password)
            || !password.contains(|letter: char| letter.is_alphanumeric())
            || !host.starts_with(|letter: char| letter.is_alphanumeric())
            || host.len() < 2
            // The digest of an image.
            || matches!(host, "sha256" | "sha512")
        {
            continue;
        }
        found.push(Found {
            name: start..start,
            position: "password before a host".to_owned(),
        });
    }
}

/// `scheme://user:password@host` and the same without a scheme, and `sig=` of a shared link.
pub(super) fn addresses(text: &str, found: &mut Vec<Found>) {
    accounts(text, found);
    for at in memmem::find_iter(text.as_bytes(), "://") {
        let authority = up_to(text.cut(at + 3..), |letter| {
            letter.is_whitespace() || matches!(letter, '/' | '?' | '#' | '"' | '\'')
        });
        if let Some((user, _)) = authority.rsplit_once('@')
            && let Some((_, password)) = user.split_once(':')
            && !password.is_empty()
        {
            found.push(Found {
                name: at..at + 3,
                position: "password in a URL".to_owned(),
            });
        }
    }
    for at in memmem::find_iter(text.as_bytes(), "hooks.slack.com/services/") {
        let word = up_to(text.cut(at..), char::is_whitespace);
        // The third part is the secret; a reference in its place is none.
        let secret = word.split('/').nth(4).unwrap_or_default();
        if secret.len() >= 16 && !is_reference(secret) {
            found.push(Found {
                name: at..at + "hooks".len(),
                position: "address of a Slack hook".to_owned(),
            });
        }
    }
    for at in memmem::find_iter(text.as_bytes(), "sig=") {
        let before = text.as_bytes().get(at.wrapping_sub(1));
        let value = text.cut(at + 4..);
        let length = value
            .bytes()
            .take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'+' | b'/' | b'-' | b'_')
            })
            .count();
        if matches!(before, Some(b'?' | b'&' | b';')) && length >= 16 && !is_reference(value) {
            found.push(Found {
                name: at..at + 3,
                position: "signature of a shared link".to_owned(),
            });
        }
    }
}

/// A private key with its body; the words `PRIVATE KEY` alone are harmless.
pub(super) fn private_keys(text: &str, found: &mut Vec<Found>) {
    const MARKER: &str = "PRIVATE KEY-----";
    for at in memmem::find_iter(text.as_bytes(), MARKER) {
        let rest = text.cut(at + MARKER.len()..);
        let next = rest.trim_start_matches(['\r', '\n', '\\', 'n', 'r', ' ', '\t', '"', '\'']);
        let body = next
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '='))
            .count();
        if body >= 16 || next.starts_with("Proc-Type") {
            found.push(Found {
                name: at..at + "PRIVATE KEY".len(),
                position: "private key".to_owned(),
            });
        }
    }
}

/// Whether `cmd` puts something else in the place of a word: `%NAME%`, `!NAME!`. One `!` is a letter like any other.
pub(super) fn is_variable(word: &str) -> bool {
    word.contains('%') || word.matches('!').count() > 1
}

/// Whether a word of a sentence is no word of a language: `log in with the password hunter2Zq9`.
pub(super) fn is_made_up(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| letter.is_ascii_punctuation());
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    word.len() >= 8
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && !word.contains(['/', '\\', ':', '=', '{', '(', '<', '$', '.', '_'])
}
