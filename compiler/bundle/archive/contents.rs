//! The files of an archive, unpacked one at a time and a piece at a time.
//!
//! What may be unpacked at all is decided from the directories, before anything is. This file must not know bundles beyond the names
//! their files may have.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Seek as _, SeekFrom, Write};

use super::directory::{self, Member, Readable};
use super::{ArchiveError, Limits, Trouble, entry};
use crate::contract::path::BundlePath;
use crate::formats::Cut as _;

/// An archive whose directories were read and found in order, entry by entry.
pub struct Contents<'a> {
    source: Box<dyn Readable + Send + 'a>,
    limits: Limits,
    /// Files only, in order of paths.
    files: BTreeMap<BundlePath, Member>,
}

impl fmt::Debug for Contents<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Contents")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl<'a> Contents<'a> {
    /// Reads the directories of an archive. Nothing is unpacked yet.
    ///
    /// Beside the files that can be unpacked come all findings: what is not a zip or is cut short, bytes nobody lists,
    /// more than `limits`, entries other programs would see differently, names that are not a [`BundlePath`] or equal another
    /// name ignoring case, a name used as file and as folder, links and other special files, encryption, unknown
    /// compression. Folder entries, which other programs add, are passed over. `Err` when there is no directory at all.
    pub fn open(
        source: impl Readable + Send + 'a,
        limits: Limits,
    ) -> Result<(Self, Vec<ArchiveError>), ArchiveError> {
        let mut source: Box<dyn Readable + Send + 'a> = Box::new(source);
        let (members, mut errors) = directory::read(&mut source, limits)?;
        let mut files = BTreeMap::new();
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let mut folders = Vec::new();
        let mut left = limits.total_bytes;
        for member in members {
            let name = member.name.trim_end_matches('/');
            // One slash at the end makes a folder; two are no name.
            let name = if member.is_folder && name.len() + 1 != member.name.len() {
                &member.name
            } else {
                name
            };
            let path = match BundlePath::parse(name) {
                Ok(path) => path,
                Err(error) => {
                    errors.push(entry(Trouble::UnsafeName, &member.name, error.to_string()));
                    continue;
                }
            };
            if member.is_folder {
                folders.push(path);
                continue;
            }
            if let Some(other) = seen.insert(path.collision_key(), path.as_str().to_owned()) {
                let message = if other == path.as_str() {
                    "two entries have this name".to_owned()
                } else {
                    format!("it is one file with `{other}` on Windows")
                };
                errors.push(entry(Trouble::NameTwice, path.as_str(), message));
                continue;
            }
            match affordable(&member, limits.entry_bytes, left) {
                Ok(()) => left = left.saturating_sub(member.size),
                Err(error) => errors.push(error),
            }
            files.insert(path, member);
        }
        let files_and_folders = files.keys().map(|path| (path, false));
        for (path, is_folder) in files_and_folders.chain(folders.iter().map(|path| (path, true))) {
            let key = path.collision_key();
            let whole = is_folder.then_some(key.len());
            for at in key.match_indices('/').map(|(at, _)| at).chain(whole) {
                if let Some(other) = key.get(..at).and_then(|folder| seen.get(folder)) {
                    let message = format!("it needs `{other}`, which is a file, as a folder");
                    errors.push(entry(Trouble::NameTwice, path.as_str(), message));
                }
            }
        }
        Ok((
            Self {
                source,
                limits,
                files,
            },
            errors,
        ))
    }

    /// The files, in order of paths.
    pub fn files(&self) -> &BTreeMap<BundlePath, Member> {
        &self.files
    }

    /// Unpacks one file into `sink`, a piece at a time: never more than its directory says, all of it, and nothing behind it.
    pub fn unpack(&mut self, path: &BundlePath, sink: &mut dyn Write) -> Result<(), ArchiveError> {
        let Some(member) = self.files.get(path) else {
            return Err(entry(
                Trouble::NotAnArchive,
                path.as_str(),
                "it is not in the archive",
            ));
        };
        affordable(member, self.limits.entry_bytes, self.limits.total_bytes)?;
        self.source.seek(SeekFrom::Start(member.data))?;
        unpack(&mut self.source, member, sink)
    }

    /// The content of one file.
    pub fn content(&mut self, path: &BundlePath) -> Result<Vec<u8>, ArchiveError> {
        let mut content = Vec::new();
        self.unpack(path, &mut content)?;
        Ok(content)
    }
}

/// An entry above this size may not unpack to more than [`MOST_TIMES`] its packed size: texts of a bundle reach a tenth
/// of that, bombs reach four times it.
const FREELY: u64 = 1 << 20;
const MOST_TIMES: u64 = 250;

fn affordable(member: &Member, most: u64, left: u64) -> Result<(), ArchiveError> {
    let too_large = |why: String| Err(entry(Trouble::TooLarge, &member.name, why));
    let limit = most.min(left);
    if member.size > limit {
        return too_large(format!("it unpacks to more than the {limit} bytes allowed"));
    }
    if member.size > FREELY && member.size / MOST_TIMES > member.packed {
        return too_large(format!(
            "it unpacks to more than {MOST_TIMES} times its {} bytes",
            member.packed
        ));
    }
    Ok(())
}

/// The packed content of an entry.
enum Packed<R> {
    Stored(R),
    Deflated(flate2::read::DeflateDecoder<R>),
}

fn unpack(source: &mut dyn Readable, member: &Member, sink: &mut dyn Write) -> Result<(), ArchiveError> {
    let wrong = |why: String| Err(entry(Trouble::Content, &member.name, why));
    let mut crc = flate2::Crc::new();
    let mut size = 0_u64;
    let mut piece = vec![0; 64 << 10];
    let mut content = if member.method == 0 {
        Packed::Stored(source.take(member.packed))
    } else {
        Packed::Deflated(flate2::read::DeflateDecoder::new(source.take(member.packed)))
    };
    loop {
        let read = match &mut content {
            Packed::Stored(content) => content.read(&mut piece),
            Packed::Deflated(content) => content.read(&mut piece),
        };
        let read = match read {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return wrong(format!("it cannot be unpacked: {error}")),
        };
        let read = piece.cut(..read);
        size += u64::try_from(read.len()).unwrap_or(u64::MAX);
        if size > member.size {
            return wrong(format!("it says {} bytes and has more", member.size));
        }
        crc.update(read);
        sink.write_all(read)?;
    }
    // The compressed content ends by itself; what follows would be carried along unseen.
    if matches!(content, Packed::Deflated(content) if content.total_in() != member.packed) {
        return wrong("bytes that are no part of it follow its compressed content".to_owned());
    }
    if size != member.size {
        return wrong(format!("it says {} bytes and has {size}", member.size));
    }
    if crc.sum() != member.crc {
        return wrong("its check sum is another".to_owned());
    }
    Ok(())
}
