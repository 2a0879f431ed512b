//! Puts a signature into a bundle: into its archive, which is replaced as a whole, or beside the list of its folder.
//!
//! Only a bundle that is complete and unchanged is signed, and what was written is checked before it takes the place of what was there.
//! This file must not know where keys and passphrases come from.

use std::io;
use std::path::{Path, PathBuf};

use super::signature::{Key, KeyError, Signature};
use super::verify::{Form, VerifiedBundle, verify};
use crate::bundle::{SIGNATURE, archive};
use crate::codes;
use crate::contract::digest::Digest;
use crate::diag::Diagnostic;
use crate::files::{EntryKind, Files, shown};

/// Largest archive that is signed.
const ARCHIVE_LIMIT: u64 = 4 << 30;

/// What signing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The signature that is there now.
    pub signature: Signature,
    /// Whether anything was written; otherwise the same key had signed already.
    pub written: bool,
    /// Which bytes the bundle holds.
    pub form: Form,
    /// The digest the signature vouches for: of `SHA256SUMS`.
    pub seal: Digest,
}

/// Signs the bundle at `place`. A signature by another key is only replaced when `replace` says so.
///
/// Errors: those of [`verify`]; `CB1127` to `CB1129` for the key; `CB1130` for a signature by another key; `CB0701` when the result cannot be written: then
/// the bundle is what it was.
pub fn sign(files: &dyn Files, place: &Path, key: &Key, replace: bool) -> Result<Signing, Vec<Diagnostic>> {
    let origin = shown(place);
    let alone = |finding: Diagnostic| vec![finding];
    // A link stays a link: what it leads to is signed.
    let behind = match files.kind(place) {
        Ok(Some(EntryKind::Link)) => files
            .behind_links(place)
            .map_err(|error| alone(failed(place, &error)))?,
        Ok(_) | Err(_) => place.to_owned(),
    };
    let place = behind.as_path();
    let is_folder = files
        .kind(place)
        .is_ok_and(|kind| kind == Some(EntryKind::Folder));
    let verified = verify(files, place, None)?;
    let (text, signature) = key
        .sign(verified.list())
        .map_err(|error| alone(key_finding(&origin, error)))?;
    let mut signing = Signing {
        signature,
        written: false,
        form: verified.form(),
        seal: verified.seal(),
    };
    if let Some(there) = verified.signed() {
        if there.signature.key == signing.signature.key {
            // The digest beside the archive may be what an interruption left behind.
            if !is_folder && !verified.warnings().is_empty() {
                write_digest(files, place).map_err(|error| alone(failed(place, &error)))?;
            }
            return Ok(signing);
        }
        if !replace {
            let message = format!(
                "`{origin}` is signed by {} already",
                there.signature.fingerprint()
            );
            return Err(alone(
                Diagnostic::new(codes::SIGNED_BY_ANOTHER, message)
                    .in_file(origin)
                    .help("a bundle has one signature; `--replace` puts yours in its place"),
            ));
        }
    }
    let written = if is_folder {
        write_beside(files, &place.join(SIGNATURE), text.as_bytes())
    } else {
        write_archive(files, place, &text, &verified)
    };
    written.map_err(|error| alone(failed(place, &error)))?;
    signing.written = true;
    Ok(signing)
}

/// A new name beside `path` that no server and no `*.zip` takes for the real one.
fn staged(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.cbgen-new"))
}

/// Writes a file as a whole: it is there with its new content or as it was.
fn write_beside(files: &dyn Files, path: &Path, content: &[u8]) -> io::Result<()> {
    let new = staged(path);
    let put = || {
        files.remove(&new)?;
        files.write(&new, content)?;
        keep_rights(files, path, &new)?;
        files.sync(&[folder_of(path)])?;
        files.rename(&new, path)?;
        files.sync(&[folder_of(path)])
    };
    put().inspect_err(|_| drop(files.remove(&new)))
}

/// Who may read and write a file stays as it was.
fn keep_rights(files: &dyn Files, old: &Path, new: &Path) -> io::Result<()> {
    match files.kind(old)? {
        Some(EntryKind::File) => files.copy_rights(old, new),
        Some(EntryKind::Folder | EntryKind::Link | EntryKind::Other) | None => Ok(()),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn write_archive(
    files: &dyn Files,
    place: &Path,
    text: &str,
    verified: &VerifiedBundle<'_>,
) -> io::Result<()> {
    let old = files.read(place, ARCHIVE_LIMIT)?;
    let signed = archive::with_signature(&old, text.as_bytes()).map_err(io::Error::other)?;
    let new = staged(place);
    let put = || {
        files.remove(&new)?;
        files.write(&new, &signed)?;
        keep_rights(files, place, &new)?;
        // What the zip library made must be the bundle that was signed.
        match verify(files, &new, None) {
            Ok(read) if read.seal() == verified.seal() && read.signed().is_some() => {}
            Ok(_) | Err(_) => return Err(io::Error::other("the signed archive does not read back")),
        }
        files.sync(&[folder_of(place)])?;
        files.rename(&new, place)?;
        write_digest(files, place)
    };
    put().inspect_err(|_| drop(files.remove(&new)))
}

/// Makes the digest beside an archive right, when there is one or its place is free.
fn write_digest(files: &dyn Files, place: &Path) -> io::Result<()> {
    let name = place
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let beside = place.with_file_name(format!("{name}.sha256"));
    let digest = Digest::of(&files.read(place, ARCHIVE_LIMIT)?);
    write_beside(files, &beside, format!("{digest}  {name}\n").as_bytes())
}

fn failed(place: &Path, error: &io::Error) -> Diagnostic {
    let place = shown(place);
    Diagnostic::new(
        codes::OUTPUT_FAILED,
        format!("`{place}` could not be written: {error}"),
    )
    .in_file(place)
    .help("the bundle is what it was; sign it where you may write")
}

/// The finding for a key that does not sign.
pub fn key_finding(name: &str, error: KeyError) -> Diagnostic {
    let (code, message, help) = match error {
        KeyError::Unreadable(why) => (
            codes::KEY_UNREADABLE,
            format!("`{name}` is no private key that can be used: {why}"),
            "name a file that `ssh-keygen -t ed25519 -f FILE` wrote",
        ),
        KeyError::NeedsPassphrase => (
            codes::KEY_LOCKED,
            format!("the key `{name}` needs a passphrase, and there is no terminal to ask for it"),
            "put it into an environment variable and name that with `--passphrase-env NAME`",
        ),
        KeyError::WrongPassphrase => (
            codes::KEY_LOCKED,
            format!("the passphrase of the key `{name}` is another one"),
            "try again; the bundle was not touched",
        ),
        KeyError::Unsuited(why) => (
            codes::KEY_UNSUITED,
            format!("the key `{name}` is not used for bundles: {why}"),
            "make one with `ssh-keygen -t ed25519 -f FILE`",
        ),
        KeyError::Failed(why) => (
            codes::KEY_UNSUITED,
            format!("the key `{name}` did not sign: {why}"),
            "make one with `ssh-keygen -t ed25519 -f FILE`",
        ),
    };
    Diagnostic::new(code, message).in_file(name).help(help)
}
