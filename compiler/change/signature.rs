//! SSH signatures over the list of digests: made, read, and checked against who may sign.
//!
//! The format is the one of `ssh-keygen -Y` (OpenSSH, PROTOCOL.sshsig) in the namespace `cbgen`. What is signed is `SHA256SUMS`, which
//! names the digest of every file of a bundle and of its manifest. This file must not know archives, folders or clocks.

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, SshSig};

use super::armour;

/// What signatures of bundles are for: a signature made for something else, like a commit, is none.
pub const NAMESPACE: &str = "cbgen";

/// RSA keys below this are within reach of today's computers.
const SHORTEST_RSA: usize = 2048;

/// A signature that fits its list. Whether anybody vouches for the key is another question ([`super::signers`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key it was made with.
    pub key: KeyData,
}

impl Signature {
    /// The fingerprint people compare, `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The kind of key, as `ssh-keygen` calls it.
    pub fn algorithm(&self) -> &'static str {
        kind(&self.key.algorithm())
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
fn kind(algorithm: &Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ed25519 => "ED25519",
        Algorithm::Ecdsa { .. } => "ECDSA",
        Algorithm::Rsa { .. } => "RSA",
        Algorithm::Dsa => "DSA",
        Algorithm::SkEd25519 => "ED25519-SK",
        Algorithm::SkEcdsaSha2NistP256 => "ECDSA-SK",
        _ => "unknown",
    }
}

/// Why a signature is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// It cannot be read.
    Malformed(String),
    /// It was made for another purpose.
    Namespace(String),
    /// Its key or its method is too weak, or not one this version knows.
    Unsuited(String),
    /// It is of something else.
    DoesNotFit,
}

/// Reads a signature and checks that it is one of `message`.
pub fn check(signature: &[u8], message: &[u8]) -> Result<Signature, SignatureError> {
    let text = armour::text(signature).map_err(SignatureError::Malformed)?;
    let signature = SshSig::from_pem(text)
        .map_err(|error| SignatureError::Malformed(format!("it cannot be read: {error}")))?;
    if signature.namespace() != NAMESPACE {
        return Err(SignatureError::Namespace(signature.namespace().to_owned()));
    }
    suited(signature.public_key()).map_err(SignatureError::Unsuited)?;
    if matches!(signature.signature().algorithm(), Algorithm::Rsa { hash: None }) {
        return Err(SignatureError::Unsuited("it uses SHA-1".into()));
    }
    let key = signature.public_key().clone();
    ssh_key::PublicKey::from(key.clone())
        .verify(NAMESPACE, message, &signature)
        .map_err(|_| SignatureError::DoesNotFit)?;
    Ok(Signature { key })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
fn suited(key: &KeyData) -> Result<(), String> {
    match key {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) => Ok(()),
        KeyData::Rsa(rsa) => {
            let bits = rsa.key_size();
            let enough = usize::try_from(bits).is_ok_and(|bits| bits >= SHORTEST_RSA);
            if enough {
                Ok(())
            } else {
                Err(format!("the RSA key has {bits} bits, fewer than {SHORTEST_RSA}"))
            }
        }
        _ => Err(format!(
            "keys of the kind {} are not used here; use ED25519, ECDSA or RSA",
            kind(&key.algorithm())
        )),
    }
}

/// Why a key cannot sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is no private key in the format of OpenSSH.
    Unreadable(String),
    /// It is encrypted, and no passphrase was given.
    NeedsPassphrase,
    /// The passphrase is another.
    WrongPassphrase,
    /// It is too weak, or of a kind this version does not use.
    Unsuited(String),
    /// It could be read and did not sign.
    Failed(String),
}

/// A private key that is read and may still be locked.
#[derive(Debug)]
pub struct Key(PrivateKey);

impl Key {
    /// Reads a private key file as `ssh-keygen` writes it.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        if str::from_utf8(bytes).is_ok_and(|text| ssh_key::PublicKey::from_openssh(text.trim()).is_ok()) {
            return Err(KeyError::Unreadable(
                "it is the public half of a key; name the file without `.pub`".into(),
            ));
        }
        let old = [
            b"-----BEGIN RSA PRIVATE".as_slice(),
            b"-----BEGIN EC PRIVATE",
            b"-----BEGIN PRIVATE",
            b"-----BEGIN ENCRYPTED",
        ];
        if old.iter().any(|head| bytes.starts_with(head)) {
            return Err(KeyError::Unreadable(
                "it is in an older format; `ssh-keygen -p -f FILE` writes it in the format of OpenSSH".into(),
            ));
        }
        let key = PrivateKey::from_openssh(bytes).map_err(|error| KeyError::Unreadable(error.to_string()))?;
        suited(key.public_key().key_data()).map_err(KeyError::Unsuited)?;
        Ok(Self(key))
    }

    /// Whether it needs a passphrase before it signs.
    pub fn is_locked(&self) -> bool {
        self.0.is_encrypted()
    }

    /// The key with its passphrase taken off.
    pub fn unlock(self, passphrase: &str) -> Result<Self, KeyError> {
        let key = self
            .0
            .decrypt(passphrase)
            .map_err(|_| KeyError::WrongPassphrase)?;
        Ok(Self(key))
    }

    /// Signs, and checks the signature as a reader would before it gives it away.
    pub fn sign(&self, message: &[u8]) -> Result<(String, Signature), KeyError> {
        if self.is_locked() {
            return Err(KeyError::NeedsPassphrase);
        }
        let failed = |error: ssh_key::Error| KeyError::Failed(error.to_string());
        let signature = self.0.sign(NAMESPACE, HashAlg::Sha512, message).map_err(failed)?;
        let text = signature.to_pem(LineEnding::LF).map_err(failed)?;
        let read = check(text.as_bytes(), message)
            .map_err(|_| KeyError::Failed("the signature does not fit its own key".into()))?;
        Ok((text, read))
    }
}
