//! Bundles in zip archives.
//!
//! Writing is deterministic: sorted entries, one fixed time, one mode, one compression level, nothing of the machine.
//! Equal bundles give equal bytes as long as the compression library stays the same; the manifest's digests hold
//! whatever happens to it. Reading trusts nothing: an archive may have passed mail servers, shares and other tools. This
//! file must not know the file system.

mod contents;
mod directory;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex};

use rayon::iter::ParallelIterator as _;
use rayon::slice::ParallelSlice as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::{Bundle, BundleFile, SIGNATURE};
use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;

pub use contents::Contents;
pub use directory::{Member, Readable};

/// Entries in one part of an archive that is compressed on its own. The parts are joined in order, so the number
/// changes the time only, never the bytes.
const SHARD: usize = 2_000;

/// The kinds of trouble with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It is no zip, is cut short, or its records are damaged.
    NotAnArchive,
    /// Different programs would see different contents.
    TwoFaces,
    /// A name is not a path of a bundle.
    UnsafeName,
    /// Two names are one file, or one name is a file and a folder.
    NameTwice,
    /// A link or another special file.
    Special,
    /// More than is unpacked.
    TooLarge,
    /// Encrypted.
    Encrypted,
    /// Compressed in a way Windows cannot unpack.
    Compression,
    /// The content is not what the directory says.
    Content,
    /// The file cannot be read.
    Unreadable,
}

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveError {
    /// The kind of trouble.
    pub trouble: Trouble,
    /// The entry, as its name is written in the archive; `None` for the archive as a whole.
    pub entry: Option<String>,
    /// What is wrong, in the grammar of diagnostics.
    pub message: String,
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            // Names come from strangers: control characters must not reach a terminal.
            Some(entry) => write!(formatter, "entry `{}`: {}", entry.escape_debug(), self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for ArchiveError {}

impl From<zip::result::ZipError> for ArchiveError {
    fn from(error: zip::result::ZipError) -> Self {
        whole(Trouble::NotAnArchive, &error.to_string())
    }
}

impl From<std::io::Error> for ArchiveError {
    fn from(error: std::io::Error) -> Self {
        whole(Trouble::Unreadable, &error.to_string())
    }
}

/// How much an archive may hold before it is taken for an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest number of entries.
    pub entries: usize,
    /// Largest entry in bytes, unpacked.
    pub entry_bytes: u64,
    /// All entries together in bytes, unpacked.
    pub total_bytes: u64,
}

impl Default for Limits {
    /// Ten times what 10,000 servers with 25 files each need.
    fn default() -> Self {
        Self {
            entries: 2_500_000,
            entry_bytes: 64 << 20,
            total_bytes: 4 << 30,
        }
    }
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        // A third larger than at level 6, some 100 KB for an installation, and a sixth of the time of a whole build less.
        .compression_level(Some(1))
        // 1980-01-01, the first moment a zip can name; zip times have no zone, so any other would depend on one.
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        // The default is the system that compiles.
        .system(System::Unix)
}

/// How many bytes of compressed contents a [`Press`] keeps; the last of them may exceed it.
const MOST_KEPT: usize = 8 << 20;

/// Makes archives, and remembers compressed contents by their digest: most files of an installation are the same on every
/// server, and most of a fleet the same in every installation. What it remembers never changes the bytes of an archive.
/// When it is full, it forgets nothing and learns nothing.
#[derive(Debug, Default)]
pub struct Press {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Archives of one entry each.
    archives: BTreeMap<Digest, Arc<[u8]>>,
    bytes: usize,
}

impl Press {
    /// The archive of a bundle.
    ///
    /// Errors come from the zip library only; a bundle that reaches them is larger than the format allows.
    pub fn write(&self, bundle: &Bundle) -> Result<Vec<u8>, ArchiveError> {
        let files = bundle.archived();
        if files.len() <= SHARD {
            return self.write_shard(&files);
        }
        let shards = files
            .par_chunks(SHARD)
            .map(|files| self.write_shard(files))
            .collect::<Result<Vec<_>, _>>()?;
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for shard in shards {
            writer.merge_archive(ZipArchive::new(Cursor::new(shard))?)?;
        }
        Ok(writer.finish()?.into_inner())
    }

    fn write_shard(&self, files: &[(&BundlePath, &BundleFile)]) -> Result<Vec<u8>, ArchiveError> {
        let mut known = self.known(files);
        // Contents that were compressed for this archive, and the first file that has them.
        let mut new: BTreeMap<Digest, &BundlePath> = BTreeMap::new();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, file) in files {
            if let Some(first) = new.get(&file.sha256) {
                writer.deep_copy_file(first.as_str(), path.as_str())?;
            } else if let Some(single) = known.get_mut(&file.sha256) {
                writer.raw_copy_file_rename(single.by_index_raw(0)?, path.as_str())?;
            } else {
                writer.start_file(path.as_str(), options())?;
                writer.write_all(&file.deployed)?;
                new.insert(file.sha256, path);
            }
        }
        let archive = writer.finish()?.into_inner();
        self.keep(&archive, &new)?;
        Ok(archive)
    }

    /// The contents of `files` that are remembered, each as an archive of its own.
    fn known(&self, files: &[(&BundlePath, &BundleFile)]) -> BTreeMap<Digest, Single> {
        let Ok(kept) = self.kept.lock() else {
            return BTreeMap::new();
        };
        let single = |file: &BundleFile| {
            let archive = kept.archives.get(&file.sha256)?;
            let read = ZipArchive::new(Cursor::new(Arc::clone(archive))).ok()?;
            Some((file.sha256, read))
        };
        files.iter().filter_map(|(_, file)| single(file)).collect()
    }

    /// Remembers what was compressed just now, as long as there is room.
    fn keep(&self, archive: &[u8], new: &BTreeMap<Digest, &BundlePath>) -> Result<(), ArchiveError> {
        let is_full = || self.kept.lock().is_ok_and(|kept| kept.bytes >= MOST_KEPT);
        if new.is_empty() || is_full() {
            return Ok(());
        }
        let mut archive = ZipArchive::new(Cursor::new(archive))?;
        for (digest, path) in new {
            if is_full() {
                break;
            }
            let Some(index) = archive.index_for_name(path.as_str()) else {
                continue;
            };
            let mut single = ZipWriter::new(Cursor::new(Vec::new()));
            single.raw_copy_file_rename(archive.by_index_raw(index)?, "content")?;
            let single: Arc<[u8]> = single.finish()?.into_inner().into();
            if let Ok(mut kept) = self.kept.lock() {
                let size = single.len();
                if kept.archives.insert(*digest, single).is_none() {
                    kept.bytes += size;
                }
            }
        }
        Ok(())
    }
}

/// An archive of one entry.
type Single = ZipArchive<Cursor<Arc<[u8]>>>;

/// Every file of an archive. Refused, with all findings and not the first only, is what [`Contents::open`] and
/// [`Contents::unpack`] refuse.
pub fn read(bytes: &[u8], limits: Limits) -> Result<BTreeMap<BundlePath, Vec<u8>>, Vec<ArchiveError>> {
    let (mut contents, mut errors) =
        Contents::open(Cursor::new(bytes), limits).map_err(|error| vec![error])?;
    let mut files = BTreeMap::new();
    // What cannot all be unpacked is not unpacked at all: a bomb is seen before it goes off.
    if errors.iter().any(|error| error.trouble == Trouble::TooLarge) {
        return Err(errors);
    }
    let paths: Vec<BundlePath> = contents.files().keys().cloned().collect();
    for path in paths {
        match contents.content(&path) {
            Ok(content) => {
                files.insert(path, content);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

/// The archive with `signature` as its last entry, in the place of one it may have; the other entries keep their bytes. The same
/// archive and signature give the same bytes.
pub fn with_signature(bytes: &[u8], signature: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut old = ZipArchive::new(Cursor::new(bytes))?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len() + 2 * signature.len())));
    for index in 0..old.len() {
        let file = old.by_index_raw(index)?;
        if file.name_raw() != SIGNATURE.as_bytes() {
            writer.raw_copy_file(file)?;
        }
    }
    writer.start_file(SIGNATURE, options())?;
    writer.write_all(signature)?;
    Ok(writer.finish()?.into_inner())
}

/// One file of an archive; `None` when it has none of that name. The other entries are not looked at.
pub fn read_one(bytes: &[u8], name: &str, limits: Limits) -> Result<Option<Vec<u8>>, ArchiveError> {
    let (mut contents, errors) = Contents::open(Cursor::new(bytes), limits)?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let path = contents.files().get_key_value(name).map(|(path, _)| path.clone());
    path.map(|path| contents.content(&path)).transpose()
}

fn whole(trouble: Trouble, message: &str) -> ArchiveError {
    ArchiveError {
        trouble,
        entry: None,
        message: message.to_owned(),
    }
}

fn entry(trouble: Trouble, name: &str, message: impl Into<String>) -> ArchiveError {
    ArchiveError {
        trouble,
        entry: Some(name.to_owned()),
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{build, part};
    use super::*;
    use crate::diag::Diagnostics;
    use crate::formats::Format;

    fn sample(count: usize) -> Bundle {
        let parts = (0..count)
            .map(|number| {
                part(
                    &format!("f{number:05}.txt"),
                    &"text\n".repeat(number % 50),
                    Format::Text,
                )
            })
            .collect();
        build(&mut Diagnostics::new(), parts).unwrap()
    }

    /// An archive of these entries, as the zip library writes it in one go.
    fn zip<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(name, options()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// An archive of these names, each with the content `x`.
    fn named(names: &[&str]) -> Vec<u8> {
        zip(names.iter().map(|name| (*name, b"x".as_slice())))
    }

    /// The first message for this archive.
    fn check(bytes: &[u8], expected: &str) {
        let small = Limits {
            entries: 3,
            entry_bytes: 1_000,
            total_bytes: 1_500,
        };
        let messages: Vec<String> = match read(bytes, small) {
            Ok(files) => panic!("accepted: {:?}", files.keys()),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        };
        assert!(
            messages.iter().any(|message| message.contains(expected)),
            "{messages:?}"
        );
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes.to_vec();
        let mut found = 0;
        for at in 0..=bytes.len() - from.len() {
            if &bytes[at..at + from.len()] == from {
                bytes[at..at + to.len()].copy_from_slice(to);
                found += 1;
            }
        }
        assert!(found > 0);
        bytes
    }

    fn write(bundle: &Bundle) -> Result<Vec<u8>, ArchiveError> {
        Press::default().write(bundle)
    }

    #[test]
    fn shards_and_remembered_contents_do_not_change_the_bytes() {
        let bundle = sample(SHARD + 500);
        let press = Press::default();
        let first = press.write(&bundle).unwrap();
        assert!(press.kept.lock().unwrap().bytes > 0);
        assert_eq!(press.write(&bundle).unwrap(), first);
        let files = bundle.files().iter();
        assert!(zip(files.map(|(path, file)| (path.as_str(), file.deployed.as_slice()))) == first);
    }

    #[test]
    fn nothing_of_the_machine_is_in_the_archive() {
        let bytes = write(&sample(3)).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        for index in 0..archive.len() {
            let file = archive.by_index(index).unwrap();
            assert_eq!(file.last_modified(), Some(DateTime::default()));
            assert_eq!(file.unix_mode(), Some(0o100_644));
            assert_eq!(file.system(), System::Unix);
            assert_eq!(file.extra_data().map_or(0, |extra| extra.len()), 0);
        }
        assert!(archive.comment().is_empty());
    }

    #[test]
    fn hostile_names_are_refused() {
        for (name, expected) in [
            ("../a", "would leave"),
            ("/a", "empty component"),
            (r"..\a", "not safe in a file name"),
            ("C:/a", "not safe in a file name"),
            ("a:b", "not safe in a file name"),
            ("con", "device name"),
            ("a/nul.txt", "device name"),
            ("a.", "trailing dot"),
            ("a\u{1b}[2J", "not safe in a file name"),
            ("ä", "not safe in a file name"),
        ] {
            check(&named(&[name]), expected);
        }
        check(&named(&["a", "A"]), "one file with `a` on Windows");
        check(&named(&["A", "a/b"]), "needs `A`, which is a file, as a folder");
        check(&named(&["a", "b", "c", "d"]), "4 entries are more than the 3");
        // Every finding, not the first only.
        assert_eq!(
            read(&named(&["../a", "con", "ok"]), Limits::default())
                .unwrap_err()
                .len(),
            2
        );
        let message = read(&named(&["a\u{1b}[2J"]), Limits::default()).unwrap_err()[0].to_string();
        assert!(!message.contains('\u{1b}'), "{message:?}");
    }

    #[test]
    fn duplicate_names_are_refused() {
        check(
            &replaced(&named(&["aa", "ab"]), b"ab", b"aa"),
            "two entries have this name",
        );
    }

    #[test]
    fn links_are_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("link", "/etc/passwd", options()).unwrap();
        check(
            &writer.finish().unwrap().into_inner(),
            "a link or another special file",
        );
    }

    #[test]
    fn folders_of_other_tools_are_passed_over() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_directory("servers", options()).unwrap();
        writer.start_file("servers/a", options()).unwrap();
        writer.write_all(b"x").unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let files = read(&bytes, Limits::default()).unwrap();
        assert_eq!(
            files.keys().map(BundlePath::as_str).collect::<Vec<_>>(),
            ["servers/a"]
        );
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = |count: usize, size: usize| {
            let (names, content) = (["0", "1"], vec![0; size]);
            zip(names
                .into_iter()
                .take(count)
                .map(|name| (name, content.as_slice())))
        };
        check(&bomb(1, 1_001), "more than the 1000 bytes");
        check(&bomb(2, 900), "more than the 600 bytes");
        // The same with a size that lies, in the local and in the central header.
        let lying = replaced(&bomb(1, 1_001), &1_001_u32.to_le_bytes(), &7_u32.to_le_bytes());
        check(&lying, "");
    }

    #[test]
    fn damage_is_found_everywhere() {
        let good = write(&sample(3)).unwrap();
        let files = read(&good, Limits::default()).unwrap();
        for length in 0..good.len() {
            assert!(
                read(&good[..length], Limits::default()).is_err(),
                "cut to {length}"
            );
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x01;
            // Some bytes carry no meaning (versions, times): then nothing else may come out.
            if let Ok(read) = read(&bad, Limits::default()) {
                let same = read.values().eq(files.values());
                assert!(same, "byte {at} changes a content unseen");
            }
        }
        let shifted: Vec<u8> = b"MZ".iter().chain(&good).copied().collect();
        check(&shifted, "");
        check(b"", "");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn coreutils_accept_the_list_of_digests() {
        use crate::files::{DiskFiles, Files as _};
        let folder = tempfile::tempdir().unwrap();
        let files = DiskFiles::new(folder.path());
        let parts = vec![
            part("a b/c (x86).txt", "text\n", Format::Text),
            part("r.reg", "ü\n", Format::Reg),
        ];
        let bundle = build(&mut Diagnostics::new(), parts).unwrap();
        for (path, content) in read(&write(&bundle).unwrap(), Limits::default()).unwrap() {
            files.write(path.as_str().as_ref(), &content).unwrap();
        }
        let check = || {
            let mut command = std::process::Command::new("sha256sum");
            command
                .args(["--strict", "--quiet", "-c", "SHA256SUMS"])
                .current_dir(folder.path());
            command.status().unwrap().success()
        };
        assert!(check());
        files.write("r.reg".as_ref(), b"x").unwrap();
        assert!(!check());
    }
}
