//! A writer of zip archives that can say any lie a zip can hold.

use std::io::Read as _;

/// One entry with everything both of its headers say. What is `None` is right.
#[derive(Clone, Debug)]
pub(super) struct Lie {
    pub(super) name: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) local_name: Option<Vec<u8>>,
    pub(super) flags: u16,
    pub(super) local_flags: Option<u16>,
    pub(super) method: u16,
    pub(super) local_method: Option<u16>,
    pub(super) size: Option<u32>,
    pub(super) local_size: Option<u32>,
    pub(super) crc: Option<u32>,
    pub(super) local_crc: Option<u32>,
    pub(super) packed: Option<u32>,
    pub(super) mode: u32,
    pub(super) extra: Vec<u8>,
    pub(super) local_extra: Vec<u8>,
    pub(super) offset: Option<u32>,
    /// Bytes before its header, and behind its content.
    pub(super) before: Vec<u8>,
    pub(super) behind: Vec<u8>,
}

pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

impl Lie {
    pub(super) fn new(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            content: content.to_vec(),
            local_name: None,
            flags: 0,
            local_flags: None,
            method: 0,
            local_method: None,
            size: None,
            local_size: None,
            crc: None,
            local_crc: None,
            packed: None,
            mode: 0o100_644,
            extra: Vec::new(),
            local_extra: Vec::new(),
            offset: None,
            before: Vec::new(),
            behind: Vec::new(),
        }
    }
}

/// What stands around the entries of an archive.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    pub(super) before: Vec<u8>,
    /// Between the last entry and the directory, behind the directory, behind the end.
    pub(super) between: Vec<u8>,
    pub(super) behind_directory: Vec<u8>,
    pub(super) behind: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) entries: Option<u16>,
    pub(super) directory_offset: Option<u32>,
    pub(super) disk: u16,
}

pub(super) fn archive(entries: &[Lie], around: &Around) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).expect("a small archive");
    let mut bytes = around.before.clone();
    let mut directory = Vec::new();
    for lie in entries {
        bytes.extend(&lie.before);
        let offset = number(bytes.len());
        let mut headers = [Vec::new(), Vec::new()];
        for (local, header) in [true, false].into_iter().zip(&mut headers) {
            let pick = |central: Option<u32>, own: Option<u32>, right: u32| {
                if local { own } else { None }.or(central).unwrap_or(right)
            };
            let name = if local {
                lie.local_name.as_ref().unwrap_or(&lie.name)
            } else {
                &lie.name
            };
            let extra = if local { &lie.local_extra } else { &lie.extra };
            let flags = if local {
                lie.local_flags.unwrap_or(lie.flags)
            } else {
                lie.flags
            };
            let method = if local {
                lie.local_method.unwrap_or(lie.method)
            } else {
                lie.method
            };
            if local {
                header.extend(b"PK\x03\x04\x14\0");
            } else {
                header.extend(b"PK\x01\x02\x14\x03\x14\0");
            }
            header.extend(flags.to_le_bytes());
            header.extend(method.to_le_bytes());
            header.extend([0, 0, 0x21, 0]);
            header.extend(pick(lie.crc, lie.local_crc, crc(&lie.content)).to_le_bytes());
            header.extend(lie.packed.unwrap_or(number(lie.content.len())).to_le_bytes());
            header.extend(pick(lie.size, lie.local_size, number(lie.content.len())).to_le_bytes());
            header.extend(u16::try_from(name.len()).expect("a short name").to_le_bytes());
            header.extend(u16::try_from(extra.len()).expect("a short field").to_le_bytes());
            if !local {
                header.extend([0; 6]);
                header.extend((lie.mode << 16).to_le_bytes());
                header.extend(lie.offset.unwrap_or(offset).to_le_bytes());
            }
            header.extend(name);
            header.extend(extra);
        }
        bytes.extend(&headers[0]);
        bytes.extend(&lie.content);
        bytes.extend(&lie.behind);
        directory.extend(&headers[1]);
    }
    bytes.extend(&around.between);
    let start = number(bytes.len());
    bytes.extend(&directory);
    bytes.extend(&around.behind_directory);
    bytes.extend(b"PK\x05\x06");
    bytes.extend(around.disk.to_le_bytes());
    bytes.extend(around.disk.to_le_bytes());
    let count = around
        .entries
        .unwrap_or(u16::try_from(entries.len()).expect("few"));
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(number(directory.len()).to_le_bytes());
    bytes.extend(around.directory_offset.unwrap_or(start).to_le_bytes());
    bytes.extend(u16::try_from(around.comment.len()).expect("short").to_le_bytes());
    bytes.extend(&around.comment);
    bytes.extend(&around.behind);
    bytes
}

pub(super) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::read::DeflateEncoder::new(content, flate2::Compression::default());
    let mut bytes = Vec::new();
    encoder.read_to_end(&mut bytes).expect("memory");
    bytes
}
