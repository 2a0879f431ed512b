//! Whether a bundle is what was built, before anybody trusts a word of it.
//!
//! [`verify`] compares the files that are there, the list of digests, the manifest and the signature with each other, and tells everything that is
//! wrong at once. Its result gives contents lazily, each checked again when it is read, so that nothing can be exchanged in between. It reads
//! a piece at a time and never more than the manifest says. This file must not know how a bundle is made, and looks at no clock.

mod lists;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use self::store::{Store, Unread};
use super::moment::Seconds;
use super::signature::{self, Signature, SignatureError};
use super::signers::{Signers, Unvouched};
use crate::bundle::{MANIFEST, SIGNATURE, SUMS};
use crate::codes;
use crate::contract::digest::Digest;
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::contract::runbook::RUNBOOK;
use crate::diag::Diagnostic;
use crate::files::{Files, Links, shown};

/// Largest manifest, list or signature that is read: 100,000 artifacts need a fifth of it.
const OWN_LIMIT: u64 = 256 << 20;
/// Findings of one kind that are told one by one.
const MOST_OF_A_KIND: usize = 100;

/// Which bytes a folder or archive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The bytes that are deployed: an archive, or the folder it was unpacked into.
    Deployed,
    /// The texts reviewers read: the tree in `out/`. Nothing may be applied from there.
    Review,
}

/// Who may sign, and when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Vouchers<'a> {
    /// The file of signers.
    pub signers: &'a Signers,
    /// Its name, for findings.
    pub name: &'a str,
    /// Seconds since 1970 in UTC.
    pub now: Seconds,
}

/// A signature that fits the list of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The signature.
    pub signature: Signature,
    /// Who vouches for it, from the file of signers; `None` when nobody was asked.
    pub principals: Option<String>,
}

/// A bundle that is complete and unchanged.
pub struct VerifiedBundle<'a> {
    manifest: Manifest,
    form: Form,
    origin: String,
    /// Digest and size of every file as it stands there, but of the list and the signature.
    files: BTreeMap<BundlePath, (Digest, u64)>,
    list: Vec<u8>,
    signed: Option<Signed>,
    warnings: Vec<Diagnostic>,
    store: Mutex<Store<'a>>,
}

impl std::fmt::Debug for VerifiedBundle<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("VerifiedBundle")
            .field("origin", &self.origin)
            .field("form", &self.form)
            .field("seal", &self.seal())
            .finish_non_exhaustive()
    }
}

impl VerifiedBundle<'_> {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Which bytes it holds. Only [`Form::Deployed`] may be applied; [`Self::require_deployed`] says so.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The digest of `SHA256SUMS`: of every file, and of the manifest. Two bundles with one seal are equal in all.
    pub fn seal(&self) -> Digest {
        Digest::of(&self.list)
    }

    /// The text of `SHA256SUMS`, which is what a signature is of.
    pub fn list(&self) -> &[u8] {
        &self.list
    }

    /// The signature; `None` when the bundle has none.
    pub fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }

    /// Every file but the list and the signature, in order of paths, with digest and size of the bytes that are there.
    pub fn files(&self) -> impl Iterator<Item = (&BundlePath, Digest, u64)> {
        self.files
            .iter()
            .map(|(path, (digest, size))| (path, *digest, *size))
    }

    /// What should be known and is no error.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Refuses a tree of review texts, whose bytes no server may get.
    pub fn require_deployed(&self) -> Result<(), Box<Diagnostic>> {
        match self.form {
            Form::Deployed => Ok(()),
            Form::Review => Err(Box::new(
                Diagnostic::new(
                    codes::BUNDLE_REVIEW_FORM,
                    format!(
                        "`{}` holds review texts, not the bytes that are deployed",
                        self.origin
                    ),
                )
                .in_file(self.origin.clone())
                .help("name the archive beside it, or the folder it was unpacked into"),
            )),
        }
    }

    /// The content of one file, the digest of which is checked again.
    ///
    /// Errors: `CB1112` when the bundle has no such file, `CB1114` when it is not what was verified any more, `CB1101` when it cannot be read.
    pub fn read(&self, path: &BundlePath) -> Result<Vec<u8>, Box<Diagnostic>> {
        let told = |mut finding: Diagnostic| {
            finding.file = Some(self.origin.clone());
            Box::new(finding)
        };
        let Some((digest, size)) = self.files.get(path) else {
            let message = format!("`{path}` is no file of the bundle");
            return Err(told(Diagnostic::new(codes::BUNDLE_MISSING_FILE, message)));
        };
        let changed = || {
            told(
                Diagnostic::new(
                    codes::BUNDLE_CHANGED_FILE,
                    format!("`{path}` was changed since it was checked"),
                )
                .help("somebody writes to this bundle; copy it to a place of your own and begin again"),
            )
        };
        // A poisoned lock only means that another reader failed.
        let mut store = self
            .store
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match store.content(path, *size) {
            Ok(content) if Digest::of(&content) == *digest => Ok(content),
            Ok(_) | Err(Unread::Longer) => Err(changed()),
            Err(Unread::Broken(finding)) => Err(told(*finding)),
        }
    }

    /// The content of `runbook.json`; `None` when the bundle has none.
    pub fn runbook(&self) -> Option<Result<Vec<u8>, Box<Diagnostic>>> {
        let (path, _) = self.files.get_key_value(RUNBOOK)?;
        Some(self.read(path))
    }
}

/// Checks the bundle at `place`: an archive, the folder it was unpacked into, or a tree in `out/`.
///
/// Without `vouchers` a signature must fit, and nobody is asked who made it; with them, a bundle without a signature by one of
/// the signers is refused. `Err` holds every finding, with the place as its file:
///
/// - `CB1101` it cannot be opened; `CB1102` it is no sound archive; `CB1103` programs would see different things;
/// - `CB1104` unsafe names, `CB1105` names twice, `CB1106` links, `CB1107` bombs, `CB1108` encryption, `CB1109` compression, `CB1110` damage;
/// - `CB1111` the list, `CB1112` missing, `CB1113` extra, `CB1114` changed, `CB1115` manifest against list, `CB1116` the id, `CB0709` the manifest;
/// - `CB1120` to `CB1124` the signature.
pub fn verify<'a>(
    files: &'a dyn Files,
    place: &Path,
    vouchers: Option<Vouchers<'_>>,
) -> Result<VerifiedBundle<'a>, Vec<Diagnostic>> {
    let origin = shown(place);
    let mut found = Vec::new();
    let (store, names) = match Store::open(files, place, &origin, &mut found) {
        Ok(opened) => opened,
        Err(finding) => return Err(vec![*finding]),
    };
    let mut check = Check {
        origin: &origin,
        store,
        names,
        found,
        warnings: Vec::new(),
    };
    // A bomb is not unpacked, not even in part: what it says about itself is enough.
    if check
        .found
        .iter()
        .any(|finding| finding.code == codes::BUNDLE_TOO_LARGE)
    {
        return Err(few(check.found));
    }
    let Some(list) = check.list() else {
        return Err(few(check.found));
    };
    let digests = check.digests(&list);
    let manifest = check.manifest();
    let (files_there, form) = check.compare(&digests, manifest.as_ref());
    if let Some(manifest) = &manifest {
        lists::compare(check.origin, manifest, &digests, &mut check.found);
    }
    let signed = check.signature(&list, vouchers);
    check.digest_beside(files, place);
    let Check {
        store,
        found,
        warnings,
        ..
    } = check;
    match manifest {
        Some(manifest) if found.is_empty() => Ok(VerifiedBundle {
            manifest,
            form,
            origin,
            files: files_there,
            list,
            signed,
            warnings,
            store: Mutex::new(store),
        }),
        _ => Err(few(found)),
    }
}

struct Check<'a, 'b> {
    origin: &'b str,
    store: Store<'a>,
    /// Files that are there under a name a bundle may have.
    names: BTreeSet<BundlePath>,
    found: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Check<'_, '_> {
    fn finding(&mut self, code: codes::Code, message: impl Into<String>, help: &str) {
        self.found
            .push(Diagnostic::new(code, message).in_file(self.origin).help(help));
    }

    /// The content of a file the bundle itself needs; `None` when it is not there or cannot be read, which is told.
    fn own(&mut self, name: &str) -> Option<Vec<u8>> {
        let path = self.names.get(name)?.clone();
        match self.store.content(&path, OWN_LIMIT) {
            Ok(content) => Some(content),
            Err(Unread::Longer) => {
                let message = format!("`{name}` has more than {OWN_LIMIT} bytes");
                self.finding(
                    codes::BUNDLE_TOO_LARGE,
                    message,
                    "get the bundle from where it was built",
                );
                None
            }
            Err(Unread::Broken(finding)) => {
                self.found.push(finding.in_file(self.origin));
                None
            }
        }
    }

    /// The list of digests. Without it nothing can be said about any file.
    fn list(&mut self) -> Option<Vec<u8>> {
        if !self.names.contains(SUMS) {
            let (message, help) = if self.names.contains(MANIFEST) {
                (
                    format!("the list of digests, `{SUMS}`, is missing"),
                    "get the bundle from where it was built; without its list nothing in it can be checked",
                )
            } else {
                (
                    format!("there is neither `{SUMS}` nor `{MANIFEST}`, so this is no bundle"),
                    "name the archive of a bundle, or the folder it was unpacked into: the one with `manifest.json` in it",
                )
            };
            self.finding(codes::BUNDLE_BAD_LIST, message, help);
            return None;
        }
        self.own(SUMS)
    }

    fn digests(&mut self, list: &[u8]) -> BTreeMap<BundlePath, Digest> {
        let (digests, wrong) = lists::read(list);
        for (line, why) in wrong {
            let message = format!("line {line} of `{SUMS}` {why}");
            self.finding(
                codes::BUNDLE_BAD_LIST,
                message,
                "get the bundle from where it was built",
            );
        }
        digests
    }

    fn manifest(&mut self) -> Option<Manifest> {
        let bytes = self.own(MANIFEST)?;
        if let Some(why) = lists::wrong_id(&bytes) {
            self.finding(
                codes::BUNDLE_WRONG_ID,
                why,
                "the manifest was changed after the build; get the bundle from where it was built",
            );
            return None;
        }
        match Manifest::read(&bytes) {
            Ok(manifest) => Some(manifest),
            Err(error) => {
                let message = format!("the manifest of `{}` cannot be read: {error}", self.origin);
                self.finding(
                    codes::BAD_MANIFEST,
                    message,
                    "check bundles with the version of cbgen that made them, or a newer one",
                );
                None
            }
        }
    }

    /// Compares every file with the list: missing, extra, changed. Gives what is there, and in which form.
    fn compare(
        &mut self,
        digests: &BTreeMap<BundlePath, Digest>,
        manifest: Option<&Manifest>,
    ) -> (BTreeMap<BundlePath, (Digest, u64)>, Form) {
        let known: BTreeMap<&BundlePath, _> = manifest
            .iter()
            .flat_map(|manifest| &manifest.artifacts)
            .map(|artifact| (&artifact.path, artifact))
            .collect();
        let tool = manifest.and_then(|manifest| manifest.tool.as_ref());
        let mut there = BTreeMap::new();
        // Files that differ from the list, and whether each is the review text of its artifact.
        let mut different: Vec<(&BundlePath, bool)> = Vec::new();
        let mut deployed_only = 0_usize;
        let mut missing = Vec::new();
        for (path, listed) in digests {
            if !self.names.contains(path) {
                missing.push(path);
                continue;
            }
            // A review text is at most twice as long as the bytes that are deployed, and usually shorter.
            let size = known
                .get(path)
                .map(|artifact| artifact.size.saturating_mul(2))
                .or_else(|| tool.filter(|tool| tool.path == *path).map(|tool| tool.size));
            let limit = size.map_or(OWN_LIMIT, |size| size.min(OWN_LIMIT));
            match self.store.measure(path, limit) {
                Ok((digest, size)) => {
                    let artifact = known.get(path);
                    let is_review = artifact.is_some_and(|artifact| artifact.review_sha256 == digest);
                    if digest != *listed {
                        different.push((path, is_review));
                    } else if !is_review && artifact.is_some() {
                        deployed_only += 1;
                    }
                    there.insert(path.clone(), (digest, size));
                }
                Err(Unread::Longer) => different.push((path, false)),
                Err(Unread::Broken(finding)) => self.found.push(finding.in_file(self.origin)),
            }
        }
        let extra: Vec<String> = self
            .names
            .iter()
            .filter(|path| !digests.contains_key(*path) && ![SUMS, SIGNATURE].contains(&path.as_str()))
            .map(|path| format!("`{path}` is not part of the bundle"))
            .collect();
        for message in extra {
            self.finding(
                codes::BUNDLE_EXTRA_FILE,
                message,
                "remove it, or unpack the archive again into an empty folder",
            );
        }
        let is_folder = matches!(self.store, Store::Folder { .. });
        let reviews = different.iter().filter(|(_, is_review)| *is_review).count();
        // Files that are the same in both forms decide nothing; of the others, the greater number does.
        let form = if is_folder && reviews > deployed_only {
            Form::Review
        } else {
            Form::Deployed
        };
        // The program that comes along is nothing to review.
        missing.retain(|path| form == Form::Deployed || tool.is_none_or(|tool| tool.path != **path));
        for path in missing {
            let message = format!("`{path}` is missing");
            self.finding(
                codes::BUNDLE_MISSING_FILE,
                message,
                "unpack the whole archive, or get it again",
            );
        }
        for (path, is_review) in different {
            if form == Form::Review && is_review {
                continue;
            }
            let mut finding = Diagnostic::new(
                codes::BUNDLE_CHANGED_FILE,
                format!("`{path}` was changed after the build"),
            )
            .in_file(self.origin)
            .help("do not apply it; get the bundle from where it was built");
            if is_review {
                finding = finding
                    .note("it is the text reviewers read, in the place of the bytes that are deployed");
            }
            self.found.push(finding);
        }
        if form == Form::Review && deployed_only > 0 {
            let message = format!("{deployed_only} of its files are deployed bytes, the others review texts");
            self.finding(
                codes::BUNDLE_REVIEW_FORM,
                message,
                "unpack the archive into an empty folder",
            );
        }
        (there, form)
    }

    fn signature(&mut self, list: &[u8], vouchers: Option<Vouchers<'_>>) -> Option<Signed> {
        if !self.names.contains(SIGNATURE) {
            if vouchers.is_some() {
                self.finding(
                    codes::BUNDLE_UNSIGNED,
                    "the bundle is not signed",
                    "sign it where it was built, with `cbgen sign`, or check it without `--signers`",
                );
            }
            return None;
        }
        let bytes = self.own(SIGNATURE)?;
        let signature = match signature::check(&bytes, list) {
            Ok(signature) => signature,
            Err(error) => {
                let (code, message) = match error {
                    SignatureError::Malformed(why) => (
                        codes::SIGNATURE_MALFORMED,
                        format!("`{SIGNATURE}` is no signature: {why}"),
                    ),
                    SignatureError::Namespace(namespace) => (
                        codes::SIGNATURE_MALFORMED,
                        format!(
                            "the signature was made for `{}`, not for `{}`",
                            namespace.escape_debug(),
                            signature::NAMESPACE
                        ),
                    ),
                    SignatureError::Unsuited(why) => (
                        codes::SIGNATURE_WEAK,
                        format!("the signature is not accepted: {why}"),
                    ),
                    SignatureError::DoesNotFit => (
                        codes::SIGNATURE_WRONG,
                        format!("the signature is not one of this `{SUMS}`"),
                    ),
                };
                self.finding(code, message, "the bundle was changed after it was signed, or the signature is of another; sign it again where it was built");
                return None;
            }
        };
        let principals = match vouchers {
            None => None,
            Some(vouchers) => match vouchers
                .signers
                .vouch(&signature.key, signature::NAMESPACE, vouchers.now)
            {
                Ok(principals) => Some(principals.to_owned()),
                Err(unvouched) => {
                    self.unvouched(&signature, vouchers.name, unvouched);
                    return None;
                }
            },
        };
        Some(Signed {
            signature,
            principals,
        })
    }

    fn unvouched(&mut self, signature: &Signature, name: &str, unvouched: Unvouched) {
        let key = format!("{} {}", signature.algorithm(), signature.fingerprint());
        let finding = match unvouched {
            Unvouched::Unknown => Diagnostic::new(
                codes::SIGNER_UNKNOWN,
                format!("it is signed by {key}, which `{name}` does not name"),
            ),
            Unvouched::Restricted(reasons) => {
                let finding = Diagnostic::new(
                    codes::SIGNER_UNKNOWN,
                    format!("it is signed by {key}, which `{name}` does not allow"),
                );
                reasons.into_iter().fold(finding, |finding, (line, why)| {
                    finding.note(format!("line {line} of `{name}`: {why}"))
                })
            }
        };
        self.found.push(
            finding
                .in_file(self.origin)
                .help("ask who signed it; add the key only when you know whose it is"),
        );
    }

    /// Compares an archive with the digest beside it, which a repacked archive may have left behind.
    fn digest_beside(&mut self, files: &dyn Files, place: &Path) {
        let Store::Archive(_) = self.store else { return };
        let Some(name) = place.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return;
        };
        let beside = place.with_file_name(format!("{name}.sha256"));
        let Ok(text) = files.read(&beside, 4096) else {
            return;
        };
        let stated = String::from_utf8_lossy(&text);
        let digest = files.open(place, Links::Followed).and_then(|mut file| {
            let mut hasher = crate::contract::digest::Hasher::default();
            std::io::copy(&mut file, &mut hasher)?;
            Ok(hasher.finish().0)
        });
        let Ok(digest) = digest else { return };
        if stated.split_whitespace().next() != Some(digest.to_string().as_str()) {
            self.warnings.push(
                Diagnostic::new(
                    codes::DIGEST_BESIDE_DIFFERS,
                    format!("`{name}.sha256` is not the digest of the archive beside it"),
                )
                .in_file(self.origin)
                .note("what counts is the list inside of the archive, and that one fits")
                .help("expected when another program packed the same files again; otherwise ask who exchanged one of the two"),
            );
        }
    }
}

/// Every kind of finding, and of each kind the first hundred.
fn few(findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut counts: BTreeMap<codes::Code, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    let mut file = None;
    for finding in findings {
        let count = counts.entry(finding.code).or_default();
        *count += 1;
        file.clone_from(&finding.file);
        if *count <= MOST_OF_A_KIND {
            kept.push(finding);
        }
    }
    for (code, count) in counts {
        if let Some(more) = count.checked_sub(MOST_OF_A_KIND).filter(|more| *more > 0) {
            let mut finding = Diagnostic::new(code, format!("{more} more findings of this kind"));
            finding.file.clone_from(&file);
            kept.push(finding);
        }
    }
    kept
}
