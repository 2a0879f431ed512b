//! The two directories of a zip: what its end lists, and what stands before each content.
//!
//! Programs differ in which of the two they believe, in how they look for the end, and in what they do with bytes that
//! nobody lists. An archive in which any of that could matter is refused here, so that everyone who unpacks it sees what was
//! checked: every byte belongs to one entry or to the directory, in order, and both directories say the same. Source:
//! APPNOTE.TXT 6.3. This file must not know bundles, and unpacks nothing.

use std::io::{self, Read, Seek, SeekFrom};

use super::{ArchiveError, Limits, Trouble, entry, whole};
use crate::formats::Cut as _;

/// Something to read an archive from.
pub trait Readable: Read + Seek {}

impl<T: Read + Seek> Readable for T {}

/// One entry, as both directories describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name as written; text in place of what is not UTF-8.
    pub name: String,
    /// Whether it is a folder by its name.
    pub is_folder: bool,
    /// Size of the content, unpacked, as both directories say.
    pub size: u64,
    pub(super) packed: u64,
    pub(super) crc: u32,
    pub(super) method: u16,
    /// Where its packed content begins.
    pub(super) data: u64,
    flags: u16,
    /// Where its own header begins.
    header: u64,
    /// The type bits of the Unix mode; none when another system made the entry.
    file_type: u32,
    raw_name: Vec<u8>,
    big: bool,
}

const END: [u8; 4] = *b"PK\x05\x06";
const BIG_END: [u8; 4] = *b"PK\x06\x06";
const BIG_END_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Content is encrypted; sizes stand behind the content; patch data; strong encryption; the directory is masked.
const ENCRYPTED: u16 = 1 << 0;
const SIZES_BEHIND: u16 = 1 << 3;
const PATCHED: u16 = 1 << 5;
const STRONGLY_ENCRYPTED: u16 = 1 << 6;
const MASKED: u16 = 1 << 13;
/// Flags both headers of an entry must agree in: they change what a program makes of the bytes.
const MEANINGFUL: u16 = ENCRYPTED | SIZES_BEHIND | PATCHED | STRONGLY_ENCRYPTED | MASKED;

/// Extra fields: large sizes; a second name (Info-ZIP Unicode path), which some programs prefer.
const BIG_SIZES: u16 = 0x0001;
const SECOND_NAME: u16 = 0x7075;

/// A record of a fixed length, which was read as a whole: its little-endian numbers, at the places the format gives them.
struct Record(Vec<u8>);

impl Record {
    fn number<const N: usize>(&self, place: usize) -> [u8; N] {
        let number = self.0.cut(place..).first_chunk();
        *number.expect("the number lies in the record")
    }

    fn two(&self, place: usize) -> u16 {
        u16::from_le_bytes(self.number(place))
    }

    fn four(&self, place: usize) -> u32 {
        u32::from_le_bytes(self.number(place))
    }

    fn eight(&self, place: usize) -> u64 {
        u64::from_le_bytes(self.number(place))
    }
}

/// Little-endian numbers of a field whose length somebody stated, in order, as far as they are there.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn two(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn eight(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

fn bytes_at(source: &mut dyn Readable, at: u64, count: usize) -> Result<Vec<u8>, ArchiveError> {
    source.seek(SeekFrom::Start(at))?;
    bytes(source, count)
}

fn bytes(source: &mut dyn Read, count: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = vec![0; count];
    source.read_exact(&mut bytes).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            broken("it is cut short")
        } else {
            error.into()
        }
    })?;
    Ok(bytes)
}

fn broken(message: &str) -> ArchiveError {
    whole(Trouble::NotAnArchive, message)
}

/// Where the directory is, from the records at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    entries: u64,
    size: u64,
    start: u64,
}

/// Every entry, and everything that is wrong with the archive as far as it can be seen without unpacking. `Err` when
/// there is no directory to speak of.
pub(super) fn read(
    source: &mut dyn Readable,
    limits: Limits,
) -> Result<(Vec<Member>, Vec<ArchiveError>), ArchiveError> {
    let end = end(source)?;
    if end.entries > u64::try_from(limits.entries).unwrap_or(u64::MAX) {
        let message = format!(
            "{} entries are more than the {} allowed",
            end.entries, limits.entries
        );
        return Err(whole(Trouble::TooLarge, &message));
    }
    // The shortest entry of a directory has 46 bytes and a name.
    if end.size / 46 < end.entries {
        return Err(broken("its directory is shorter than the number of its entries"));
    }
    let mut errors = Vec::new();
    let mut members = central(source, end, &mut errors)?;
    // Names first: a name that is not safe is told even when the rest of its entry is nonsense.
    let mut kept = Vec::new();
    for member in members.drain(..) {
        match local(source, member, end.start) {
            Ok(member) => kept.push(member),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        layout(source, &kept, end.start, &mut errors)?;
    }
    for member in &kept {
        errors.extend(refused(member));
    }
    Ok((kept, errors))
}

fn end(source: &mut dyn Readable) -> Result<End, ArchiveError> {
    let length = source.seek(SeekFrom::End(0))?;
    let Some(at) = length.checked_sub(22) else {
        return Err(broken("it is shorter than the shortest archive"));
    };
    let record = Record(bytes_at(source, at, 22)?);
    if !record.0.starts_with(&END) || !record.0.ends_with(&[0, 0]) {
        return Err(broken(if marks_an_end(source, length)? {
            "bytes stand behind its directory, or it has a comment"
        } else {
            "it is no zip archive, or it is cut short"
        }));
    }
    let small = End {
        entries: record.two(10).into(),
        size: record.four(12).into(),
        start: record.four(16).into(),
    };
    let locator = match at.checked_sub(20) {
        Some(locator_at) => Some((locator_at, Record(bytes_at(source, locator_at, 20)?))),
        None => None,
    };
    let (end, ends_at) = match locator {
        Some((locator_at, locator)) if locator.0.starts_with(&BIG_END_LOCATOR) => {
            big_end(source, &locator, locator_at, small)?
        }
        Some(_) | None => (small, at),
    };
    let (disk, first_disk, entries_here, entries) =
        (record.two(4), record.two(6), record.two(8), record.two(10));
    if (disk, first_disk) != (0, 0) || entries_here != entries {
        return Err(broken("it is one part of several"));
    }
    match end.start.checked_add(end.size) {
        Some(behind) if behind == ends_at => Ok(end),
        Some(behind) if behind < ends_at => {
            Err(broken("bytes stand before the archive or behind its directory"))
        }
        _ => Err(broken("its directory reaches beyond its end")),
    }
}

/// Whether the last 64 KiB hold the signature of an end.
fn marks_an_end(source: &mut dyn Readable, length: u64) -> Result<bool, ArchiveError> {
    let reach = length.min(22 + 65_535);
    let tail = bytes_at(source, length - reach, usize::try_from(reach).unwrap_or(0))?;
    Ok(memchr::memmem::find(&tail, &END).is_some())
}

/// The record of a large archive, which must agree with the small one in every number that fits there.
fn big_end(
    source: &mut dyn Readable,
    locator: &Record,
    locator_at: u64,
    small: End,
) -> Result<(End, u64), ArchiveError> {
    let (disk, at, disks) = (locator.four(4), locator.eight(8), locator.four(16));
    if (disk, disks) != (0, 1) {
        return Err(broken("it is one part of several"));
    }
    if at.checked_add(56) != Some(locator_at) {
        return Err(broken("the records at its end do not follow each other"));
    }
    let record = Record(bytes_at(source, at, 56)?);
    let end = End {
        entries: record.eight(32),
        size: record.eight(40),
        start: record.eight(48),
    };
    let (rest, disk, first_disk, entries_here) = (
        record.eight(4),
        record.four(16),
        record.four(20),
        record.eight(24),
    );
    if !record.0.starts_with(&BIG_END)
        || (rest, disk, first_disk) != (44, 0, 0)
        || entries_here != end.entries
    {
        return Err(broken("the record at its end is damaged"));
    }
    let agrees = |small: u64, most: u64, big: u64| small == most || small == big;
    if agrees(small.entries, 0xFFFF, end.entries)
        && agrees(small.size, 0xFFFF_FFFF, end.size)
        && agrees(small.start, 0xFFFF_FFFF, end.start)
    {
        Ok((end, at))
    } else {
        Err(whole(
            Trouble::TwoFaces,
            "the two records at its end name different directories",
        ))
    }
}

fn central(
    source: &mut dyn Readable,
    end: End,
    errors: &mut Vec<ArchiveError>,
) -> Result<Vec<Member>, ArchiveError> {
    source.seek(SeekFrom::Start(end.start))?;
    let mut directory = io::BufReader::new(source.take(end.size));
    let mut members = Vec::new();
    let mut read = 0_u64;
    for _ in 0..end.entries {
        let record = Record(bytes(&mut directory, 46)?);
        if !record.0.starts_with(&CENTRAL) {
            return Err(broken("its directory is damaged"));
        }
        let (packed, size, header) = (record.four(20), record.four(24), record.four(42));
        let lengths = (record.two(28), record.two(30), record.two(32));
        let raw_name = bytes(&mut directory, lengths.0.into())?;
        let extra = bytes(&mut directory, lengths.1.into())?;
        // A comment of an entry is no part of what is unpacked.
        let _comment = bytes(&mut directory, lengths.2.into())?;
        read += 46 + u64::from(lengths.0) + u64::from(lengths.1) + u64::from(lengths.2);
        let name = String::from_utf8_lossy(&raw_name).into_owned();
        let disk = record.two(34);
        if disk != 0 {
            return Err(broken("it is one part of several"));
        }
        let (made_by, external) = (record.two(4), record.four(38));
        let mut member = Member {
            is_folder: name.ends_with('/'),
            size: size.into(),
            packed: packed.into(),
            crc: record.four(16),
            method: record.two(10),
            data: 0,
            flags: record.two(8),
            header: header.into(),
            // Only Unix (3) and macOS (19) put a mode there.
            file_type: if matches!(made_by >> 8, 3 | 19) {
                external >> 16 & 0o170_000
            } else {
                0
            },
            raw_name,
            name,
            big: false,
        };
        match extra_fields(&extra, [size, packed, header]) {
            Ok(None) => {}
            Ok(Some([size, packed, header])) => {
                (member.size, member.packed, member.header, member.big) = (size, packed, header, true);
            }
            Err((trouble, why)) => errors.push(entry(trouble, &member.name, why)),
        }
        members.push(member);
    }
    if read != end.size {
        return Err(broken("its directory holds more than its entries"));
    }
    Ok(members)
}

/// The numbers of an entry that did not fit where they belong, in the order in which they did not fit.
fn extra_fields<const N: usize>(
    extra: &[u8],
    small: [u32; N],
) -> Result<Option<[u64; N]>, (Trouble, &'static str)> {
    const MALFORMED: (Trouble, &str) = (Trouble::NotAnArchive, "its extra fields are malformed");
    let mut rest = Numbers(extra);
    let mut numbers = None;
    while !rest.0.is_empty() {
        let (id, length) = rest.two().zip(rest.two()).ok_or(MALFORMED)?;
        let (field, behind) = rest.0.split_at_checked(length.into()).ok_or(MALFORMED)?;
        rest.0 = behind;
        match id {
            SECOND_NAME => {
                return Err((
                    Trouble::TwoFaces,
                    "it has a second name, which some programs prefer",
                ));
            }
            BIG_SIZES if numbers.is_some() => {
                return Err((Trouble::TwoFaces, "its sizes are given twice"));
            }
            BIG_SIZES => {
                let mut field = Numbers(field);
                let mut found = [0; N];
                for (found, small) in found.iter_mut().zip(small) {
                    *found = if small == u32::MAX {
                        field.eight().ok_or(MALFORMED)?
                    } else {
                        small.into()
                    };
                }
                numbers = Some(found);
            }
            _ => {}
        }
    }
    Ok(numbers)
}

/// Reads the header before the content of an entry, and compares it with the directory.
fn local(source: &mut dyn Readable, mut member: Member, directory: u64) -> Result<Member, ArchiveError> {
    let differs = |what: &str| {
        let message = format!("its {what} differs between the directory of the archive and its own header");
        entry(Trouble::TwoFaces, &member.name, message)
    };
    let damaged = || {
        entry(
            Trouble::NotAnArchive,
            &member.name,
            "its own header is not where the directory says",
        )
    };
    if member.header >= directory {
        return Err(damaged());
    }
    let record = Record(bytes_at(source, member.header, 30).map_err(|_| damaged())?);
    if !record.0.starts_with(&LOCAL) {
        return Err(damaged());
    }
    let (flags, method, crc) = (record.two(6), record.two(8), record.four(14));
    let (packed, size) = (record.four(18), record.four(22));
    let (name_length, extra_length) = (record.two(26), record.two(28));
    let name = bytes(source, name_length.into()).map_err(|_| damaged())?;
    if name != member.raw_name {
        let message = format!(
            "its own header calls it `{}`",
            String::from_utf8_lossy(&name).escape_debug()
        );
        return Err(entry(Trouble::TwoFaces, &member.name, message));
    }
    let extra = bytes(source, extra_length.into()).map_err(|_| damaged())?;
    let big =
        extra_fields(&extra, [size, packed]).map_err(|(trouble, why)| entry(trouble, &member.name, why))?;
    if flags & MEANINGFUL != member.flags & MEANINGFUL {
        return Err(differs("way of being stored"));
    }
    if method != member.method {
        return Err(differs("compression"));
    }
    // What is written before the content was known is zero there, or what a later hand put in.
    let behind = flags & SIZES_BEHIND != 0;
    let [size, packed] = big.unwrap_or([size.into(), packed.into()]);
    let agrees = |header: u64, directory: u64| header == directory || behind && header == 0;
    if !agrees(size, member.size) || !agrees(packed, member.packed) {
        return Err(differs("size"));
    }
    if !agrees(crc.into(), member.crc.into()) {
        return Err(differs("check sum"));
    }
    member.big |= big.is_some();
    member.data = member.header + 30 + u64::from(name_length) + u64::from(extra_length);
    Ok(member)
}

/// Every byte before the directory belongs to exactly one entry.
fn layout(
    source: &mut dyn Readable,
    members: &[Member],
    directory: u64,
    errors: &mut Vec<ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut ordered: Vec<&Member> = members.iter().collect();
    ordered.sort_by_key(|member| member.header);
    let mut free = 0;
    let mut before: Option<&Member> = None;
    for member in ordered {
        if member.header < free {
            let other = before.map_or("", |other| other.name.as_str());
            let message = format!("it overlaps the entry `{}`", other.escape_debug());
            errors.push(entry(Trouble::TwoFaces, &member.name, message));
        } else if member.header > free {
            errors.push(entry(
                Trouble::TwoFaces,
                &member.name,
                "bytes that its directory does not list stand before it",
            ));
        }
        let Some(end) = content_end(source, member, directory)? else {
            errors.push(entry(
                Trouble::TwoFaces,
                &member.name,
                "its content does not end where both directories say",
            ));
            return Ok(());
        };
        free = end.max(free);
        before = Some(member);
    }
    if free != directory {
        errors.push(whole(
            Trouble::TwoFaces,
            "bytes that its directory does not list stand before the directory",
        ));
    }
    Ok(())
}

/// Where the next entry begins: behind the content, and behind the sizes that may follow it.
fn content_end(
    source: &mut dyn Readable,
    member: &Member,
    directory: u64,
) -> Result<Option<u64>, ArchiveError> {
    let Some(end) = member
        .data
        .checked_add(member.packed)
        .filter(|end| *end <= directory)
    else {
        return Ok(None);
    };
    if member.flags & SIZES_BEHIND == 0 {
        return Ok(Some(end));
    }
    let room = usize::try_from((directory - end).min(24)).unwrap_or(0);
    let behind = bytes_at(source, end, room)?;
    let descriptor = |marked: bool, wide: bool| {
        let mut expected = if marked { DESCRIPTOR.to_vec() } else { Vec::new() };
        expected.extend(member.crc.to_le_bytes());
        for size in [member.packed, member.size] {
            let bytes = size.to_le_bytes();
            expected.extend(if wide { bytes.as_slice() } else { bytes.cut(..4) });
        }
        expected
    };
    // The wide form belongs to entries whose headers say so; nobody may have to guess.
    let fits = [true, false]
        .into_iter()
        .map(|marked| descriptor(marked, member.big))
        .chain([true, false].map(|marked| descriptor(marked, !member.big)))
        .find(|expected| behind.starts_with(expected));
    Ok(fits.map(|found| end + u64::try_from(found.len()).unwrap_or(0)))
}

/// What no bundle holds, whatever its bytes are.
fn refused(member: &Member) -> Option<ArchiveError> {
    let refuse = |trouble, why| Some(entry(trouble, &member.name, why));
    if member.flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED) != 0 {
        return refuse(Trouble::Encrypted, "it is encrypted");
    }
    if member.flags & PATCHED != 0 || !matches!(member.method, 0 | 8) {
        return refuse(
            Trouble::Compression,
            "it is compressed in a way other than deflate, which Windows cannot unpack",
        );
    }
    if !member.is_folder && !matches!(member.file_type, 0 | 0o100_000) {
        return refuse(Trouble::Special, "it is a link or another special file");
    }
    if member.is_folder && (member.size != 0 || !matches!(member.file_type, 0 | 0o040_000)) {
        return refuse(Trouble::Special, "it is named as a folder and is none");
    }
    None
}
