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
    "kennwort",
    "wachtwoord",
    "contraseña",
    "contrasena",
    "senha",
    "pwd",
    "pw",
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
    "psk",
    "pfxpin",
    "passe",
];

/// Last words that name a secret, and something else in front of others.
const LAST_WORDS: &[&str] = &["pin"];

/// Last words of names whose value may be an account and its password: `login: sa/…`.
const LOGINS: &[&str] = &["login", "logon", "credentials", "creds"];

/// Parts of one word that name a secret wherever they stand in it: `DBPASSWORD1`, `vhapikey`.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "wachtwoord",
    "motdepasse",
    "motpasse",
    "presharedkey",
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
const ENDS: &[&str] = &["pass", "pwd", "pw", "secret", "token", "credential", "cookie"];
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
    "preshared",
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
    are_of_a_secret(&words)
}

/// Whether a name says password and not token or key, of which people write with words like these.
pub(super) fn is_password(name: &str) -> bool {
    let name = name.to_lowercase();
    ["pass", "pw", "kennw"].iter().any(|part| name.contains(part))
}

/// Whether an identifier somewhere in a line, or several words of it together, may name a secret; [`is_secret`] holds for no
/// part of a line that begins and ends where words do unless this does.
pub(super) fn may_be_in(line: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric())
        .filter(|part| may_be_secret(part))
        .map(words)
        // Which word stands before `key` is not asked.
        .any(|words| {
            are_of_a_secret(&words)
                || words.iter().any(|word| {
                    letters(word) == "key"
                        || LAST_WORDS.contains(&letters(word))
                        || LOGINS.contains(&letters(word))
                })
        })
}

/// Whether the value of an identifier may be an account and its password.
pub(super) fn is_login(name: &str) -> bool {
    may_be_secret(name)
        && words(name)
            .last()
            .is_some_and(|last| LOGINS.contains(&letters(last)))
}

/// A word without the number at its end.
fn letters(word: &str) -> &str {
    word.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

/// Whether a word names a secret, or two words do together.
fn are_of_a_secret(words: &[String]) -> bool {
    let alone = words.iter().any(|word| {
        let letters = letters(word);
        WORDS.contains(&letters)
            || PARTS.iter().any(|part| word.contains(part))
            || ENDS.iter().any(|end| letters.ends_with(end)) && !OTHER_WORDS.contains(&letters)
    });
    alone
        || words
            .last()
            .is_some_and(|last| LAST_WORDS.contains(&letters(last)))
        || words
            .array_windows()
            .any(|[first, second]| letters(second) == "key" && KEYS.contains(&first.as_str()))
}

/// Without an allocation: whether any spelling of [`is_secret`] is possible. Most names end here.
fn may_be_secret(name: &str) -> bool {
    // Without a byte before or behind it, the shortest name has no mark.
    marks(name).may_name_a_secret() || name.eq_ignore_ascii_case("pw")
}

/// Shortest word that is compared with the names of secrets letter by letter: shorter ones are like too many others.
const SHORTEST_MISSPELT: usize = 5;

/// Words near a secret's name that are words of their own.
const OTHER_NEAR: &[&str] = &[
    "taken", "spoken", "broken", "secure", "sector", "cookies", "passed",
];

/// Short forms of `password` that nobody takes for anything else.
const SHORT: &[&str] = &["pw", "psw", "pswd", "pwrd", "passw", "paswd"];

/// Whether an identifier names a secret or is a slip away from it: `pasword`, `secrt`, `ole_pw`. A value behind it is
/// not shown; whether it is refused is another question.
pub(super) fn is_like_a_secret(name: &str) -> bool {
    if is_secret(name) {
        return true;
    }
    let words = words(name);
    if words.last().is_some_and(|word| ABOUT.contains(&word.as_str())) {
        return false;
    }
    words.iter().any(|word| {
        let word = letters(word);
        let near = |known: &&&str| {
            // A longer word has more letters too many than a slip has.
            known.len() >= SHORTEST_MISSPELT
                && word.len() <= 2 * known.len()
                && strsim::damerau_levenshtein(known, word) <= known.len() / SHORTEST_MISSPELT
        };
        SHORT.contains(&word)
            || word.len() >= SHORTEST_MISSPELT
                && !OTHER_NEAR.contains(&word)
                && WORDS.iter().find(near).is_some()
    })
}

/// Any byte at this place of a pattern.
const ANY: u8 = b'\0';
/// Three letters in any case, one of which is in every word that names a secret. The shortest word comes with a byte behind
/// it and with one before it.
const OF_SECRETS: [[u8; 3]; 16] = [
    *b"pas", *b"pwd", *b"sec", *b"ken", *b"key", *b"coo", *b"cre", *b"psk", *b"pin", *b"cht", *b"ras",
    *b"nha", *b"ogi", *b"ogo", *b"pw\0", *b"\0pw",
];
/// The same for arguments whose value is a secret: `user`, `authorization`, `/rp`, `/p`.
const OF_ARGUMENTS: [[u8; 3]; 4] = [*b"use", *b"aut", *b"/rp", *b"/p "];
/// Options of one letter, whose case matters.
const OPTIONS: [[u8; 3]; 3] = [*b"-P\0", *b"-p\0", *b"-u\0"];

const ALL_OF_SECRETS: u32 = (1 << OF_SECRETS.len()) - 1;

/// For each byte at one of three places, the patterns (one bit each) that have it there.
const fn table(place: usize) -> [u32; 256] {
    let table = with_bits([0; 256], &OF_SECRETS, 0, place, true);
    let behind = OF_SECRETS.len();
    let table = with_bits(table, &OF_ARGUMENTS, behind, place, true);
    with_bits(table, &OPTIONS, behind + OF_ARGUMENTS.len(), place, false)
}

/// The table with the bits of these patterns, from the bit `first` on.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would say so"
)]
const fn with_bits(
    mut table: [u32; 256],
    patterns: &[[u8; 3]],
    first: usize,
    place: usize,
    in_any_case: bool,
) -> [u32; 256] {
    let mut pattern = 0;
    while pattern < patterns.len() {
        let letter = patterns[pattern][place];
        let mut byte = 0;
        while byte < table.len() {
            let is_upper = in_any_case && byte == letter.to_ascii_uppercase() as usize;
            if letter == ANY || byte == letter as usize || is_upper {
                table[byte] |= 1 << (first + pattern);
            }
            byte += 1;
        }
        pattern += 1;
    }
    table
}

static PLACES: [[u32; 256]; 3] = [table(0), table(1), table(2)];

/// Which of the patterns above are in a text.
#[derive(Clone, Copy)]
pub(super) struct Marks(u32);

impl Marks {
    /// Without this no identifier in the text names a secret.
    pub(super) fn may_name_a_secret(self) -> bool {
        self.0 & ALL_OF_SECRETS != 0
    }

    /// Without this no argument in the line is a secret.
    pub(super) fn may_have_an_argument(self) -> bool {
        self.0 != 0
    }
}

/// Looks at each byte once and never stops early: a look that decides nothing is faster than a decision.
pub(super) fn marks(text: &str) -> Marks {
    let at = |place: usize, byte: u8| {
        let table = PLACES.get(place).and_then(|table| table.get(usize::from(byte)));
        table.copied().unwrap_or_default()
    };
    let threes = text.as_bytes().array_windows();
    Marks(threes.fold(0, |found, [first, second, third]| {
        found | at(0, *first) & at(1, *second) & at(2, *third)
    }))
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
            "pw",
            "PW",
            "dbPw",
            "user_pw",
            "pw1",
            "psk",
            "wifiPsk",
            "pfxpin",
            "PfxPin",
            "card_pin",
            "Kennwort",
            "DbKennwort1",
            "SQLPASSWORT",
            "mot_de_passe",
            "MotDePasse",
            "contraseña",
            "Contrasena",
            "wachtwoord",
            "senha",
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
            "pwm",
            "kpwx",
            "pw_length",
            "spin",
            "pinned",
            "PinToTaskbar",
            "mapping",
            "engenharia",
            "compasse",
            "login",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn slips_and_short_forms_of_a_secret_are_known() {
        for name in [
            "pasword",
            "paswd",
            "secrt",
            "pw",
            "ole_pw",
            "passwrod",
            "Pasword",
            "tokne",
            "PassPhras",
            "sercet",
            "OLE_PSWD",
            "credentails",
            "password",
        ] {
            assert!(is_like_a_secret(name), "{name}");
        }
        for name in [
            "server",
            "servers",
            "product",
            "access",
            "provider",
            "user",
            "pfx",
            "path_column",
            "passed",
            "taken",
            "sector",
            "report_database",
            "port",
            "pass_name",
        ] {
            assert!(!is_like_a_secret(name), "{name}");
        }
    }
}
