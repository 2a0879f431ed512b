//! Names of positions that hold secrets.
//!
//! An identifier is taken apart into words (`DB_PASS`, `dbPassword`, `X-Api-Key`), and a word is enough: what stands
//! around it does not make the value harmless. Words that say something about a secret (`PasswordLength`) do. This file
//! must not know where a name stands.

/// Words that alone name a secret.
const WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passwort",
    "pwd",
    "pass",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "cookie",
    "credential",
    "credentials",
    "apikey",
    "authkey",
];

/// Parts of one word that name a secret wherever they stand in it: `DBPASSWORD1`, `vhapikey`.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "accesskey",
    "privatekey",
    "sharedkey",
    "accountkey",
    "secretkey",
    "clientsecret",
    "connectionsecret",
];

/// Ends of one word: `DBPASS`, `userpwd`. `bypass` and the like are words of their own.
const ENDS: &[&str] = &["pass", "pwd", "secret", "token", "credential", "cookie"];
const OTHER_WORDS: &[&str] = &[
    "bypass",
    "compass",
    "surpass",
    "trespass",
    "overpass",
    "underpass",
];

/// Words before `key` that make it secret.
const KEYS: &[&str] = &[
    "api",
    "access",
    "account",
    "shared",
    "private",
    "secret",
    "encryption",
    "signing",
    "master",
    "storage",
    "subscription",
    "machine",
    "decryption",
    "validation",
];

/// Last words that turn the name into a statement about the secret.
const ABOUT: &[&str] = &[
    "type",
    "name",
    "names",
    "length",
    "format",
    "policy",
    "endpoint",
    "url",
    "uri",
    "file",
    "files",
    "path",
    "folder",
    "age",
    "required",
    "enabled",
    "expires",
    "expiry",
    "lifetime",
    "timeout",
    "count",
    "mode",
    "provider",
    "good",
    "set",
    "flags",
    "domain",
    "field",
    "prompt",
    "strength",
    "attempts",
    "size",
    "limit",
    "algorithm",
    "less",
    "consistency",
    "reset",
    "change",
    "changed",
    "variable",
];

/// How identifiers of Windows and nginx begin that are named like a secret and hold none.
const HARMLESS: &[&str] = &[
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
    "publickeytoken",
    "set-cookie",
];

/// Whether a text can be an identifier of which [`is_secret`] may be asked.
pub(super) fn belongs(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// Whether an identifier names a secret.
pub(super) fn is_secret(name: &str) -> bool {
    if !may_be_secret(name) {
        return false;
    }
    let words = words(name);
    let lower = name.to_ascii_lowercase();
    if HARMLESS.iter().any(|harmless| lower.starts_with(harmless))
        || words.iter().any(|word| word == "public")
        || words.last().is_some_and(|word| ABOUT.contains(&word.as_str()))
    {
        return false;
    }
    let alone = words.iter().any(|word| {
        let letters = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        WORDS.contains(&letters)
            || PARTS.iter().any(|part| word.contains(part))
            || ENDS.iter().any(|end| letters.ends_with(end)) && !OTHER_WORDS.contains(&letters)
    });
    alone
        || words.windows(2).any(|pair| {
            matches!(pair, [first, second] if second.trim_end_matches(|letter: char| letter.is_ascii_digit()) == "key"
                && KEYS.contains(&first.as_str()))
        })
}

/// Without an allocation: whether any spelling of [`is_secret`] is possible. Most names end here.
fn may_be_secret(name: &str) -> bool {
    name.as_bytes().windows(3).any(begins_a_secret)
}

/// Whether three letters, in any case, are in one of the words that name a secret.
#[inline]
pub(super) fn begins_a_secret(three: &[u8]) -> bool {
    let [first, second, third] = three else {
        return false;
    };
    // Setting this bit makes capitals small and no other byte a small letter.
    let rest = [second | 0x20, third | 0x20];
    match first | 0x20 {
        b'p' => matches!(&rest, b"as" | b"wd"),
        b's' => &rest == b"ec",
        b't' => &rest == b"ok",
        b'k' => &rest == b"ey",
        b'c' => matches!(&rest, b"oo" | b"re"),
        _ => false,
    }
}

/// The words of an identifier, lower case: separated by other characters, and where a capital begins a word.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit())
                || before.is_some_and(|before| before.is_uppercase())
                    && after.is_some_and(|after| after.is_lowercase()));
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_anywhere_in_an_identifier() {
        for name in [
            "Password",
            "PASSWORD1",
            "PASSWORD_HASH",
            "DBPASS",
            "default_pass",
            "SECRET_KEY",
            "AccountKey",
            "VHApiKey",
            "X-Api-Key",
            "ERLANG_COOKIE",
            "clientSecret",
            "connection.password",
            "accessKey2",
            "spring.pwd",
            "userToken",
            "X-Auth-Token",
            "sharedAccessKey",
            "private_key",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "tokens",
            "server_tokens",
            "PublicKeyToken",
            "clientCredentialType",
            "proxy_pass",
            "passed",
            "bypass",
            "bypassProxyOnLocal",
            "allowCookies",
            "PasswordLength",
            "key",
            "PASSIN",
            "secret_good",
            "secretary",
            "keys",
            "monkey",
            "proxy_pass_header",
            "Set-Cookie",
            "token_endpoint",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
