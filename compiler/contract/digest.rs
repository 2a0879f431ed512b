//! SHA-256 digests and the list of them, `SHA256SUMS`.
//!
//! The list is what an engineer checks with stock tools: `sha256sum -c` on Linux, `verify.ps1` and `verify.cmd` on
//! Windows. This file must not know what the digested files are.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

use crate::contract::path::BundlePath;
use crate::formats::Cut as _;

/// A SHA-256 digest (FIPS 180-4), written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// A number that differs for most digests, to find a place for what belongs to one.
    pub fn number(&self) -> u64 {
        let [first, ..] = self.0.as_chunks::<8>().0 else {
            return 0;
        };
        u64::from_le_bytes(*first)
    }

    /// The first twelve digits in groups of four, short enough to read out over the telephone.
    pub fn spoken(&self) -> String {
        let text = self.to_string();
        format!("{} {} {}", text.cut(..4), text.cut(4..8), text.cut(8..12))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written as one text: a bundle has hundreds of digests, and 32 pieces of each are a measurable part of a build.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| {
            *DIGITS
                .get(usize::from(value))
                .expect("four bits are less than 16")
        };
        let mut text = [0; 64];
        for (to, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *to = [digit(byte >> 4), digit(byte & 0xF)];
        }
        formatter.write_str(str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Digests what is written into it, and counts it.
#[derive(Clone, Debug, Default)]
pub struct Hasher {
    state: sha2::Sha256,
    size: u64,
}

impl Hasher {
    /// The digest of everything written so far, and its number of bytes.
    pub fn finish(self) -> (Digest, u64) {
        (Digest(self.state.finalize().into()), self.size)
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.state.update(bytes);
        self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A text is not a [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a digest is 64 lower-case hexadecimal digits")
    }
}

impl std::error::Error for NotADigest {}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(NotADigest),
        };
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(NotADigest);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let &[high, low] = pair else {
                return Err(NotADigest);
            };
            *byte = value(high)? << 4 | value(low)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "SHA-256 in lower-case hexadecimal digits.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$"
        })
    }
}

/// The list in the form `sha256sum -c` reads: digest, two blanks, path, line feed.
pub fn sums<'a>(digests: impl IntoIterator<Item = (&'a BundlePath, Digest)>) -> String {
    digests.into_iter().fold(String::new(), |list, (path, digest)| {
        list + &format!("{digest}  {path}\n")
    })
}

/// One line of the list without its line feed.
pub fn sum(line: &str) -> Option<(BundlePath, Digest)> {
    let (digest, path) = line.split_once("  ")?;
    Some((BundlePath::parse(path).ok()?, digest.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digests_are_sha_256() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.spoken(), "e3b0 c442 98fc");
        assert_eq!(EMPTY.parse(), Ok(digest));
        let mut hasher = Hasher::default();
        std::io::Write::write_all(&mut hasher, b"abc").unwrap();
        assert_eq!(hasher.finish(), (Digest::of(b"abc"), 3));
        for bad in ["", "e3", &EMPTY.to_uppercase(), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad}");
        }
    }
}
