//! Archives whose entries or records are tampered with.

use super::lies::{Around, Lie, archive, crc, deflated};
use super::{Corpus, lies_of};
use crate::harness::Tree;

/// The archive of these files with one entry more.
fn with(tree: &Tree, lie: Lie) -> Vec<u8> {
    let mut entries = lies_of(tree);
    entries.push(lie);
    archive(&entries, &Around::default())
}

pub(super) fn names_and_entries(corpus: &mut Corpus, tree: &Tree) {
    for (name, words) in [
        ("../start.cmd", "would leave"),
        ("a/../../start.cmd", "would leave"),
        ("./start.cmd", "would leave"),
        ("/etc/cron.d/x", "empty component"),
        ("a//b", "empty component"),
        ("a//", "empty component"),
        ("..\\start.cmd", "not safe"),
        ("servers\\CORE01\\x", "not safe"),
        ("C:/Windows/x", "not safe"),
        ("C:x", "not safe"),
        ("a.cmd:stream", "not safe"),
        ("con", "device name"),
        ("servers/nul.txt", "device name"),
        ("com1.log", "device name"),
        ("lpt9", "device name"),
        ("a.", "trailing dot"),
        ("a ", "trailing dot or blank"),
        (" a", "trailing dot or blank"),
        ("a%PATH%b", "not safe"),
        ("a&calc", "not safe"),
        ("a\u{1b}[2Jb", "not safe"),
        ("a\nb", "not safe"),
        ("a\u{202e}dmc", "not safe"),
        ("\u{e4}", "not safe"),
        ("", "empty"),
        (&"x".repeat(131), "131 characters"),
    ] {
        corpus.archive(
            &format!("name {name:?}"),
            with(tree, Lie::new(name, b"x")),
            "CB1104",
            words,
        );
    }
    let mut raw = Lie::new("x", b"x");
    raw.name = vec![0xFF, 0xFE];
    corpus.archive("a name that is no text", with(tree, raw), "CB1104", "not safe");
    corpus.archive(
        "a name with a NUL",
        with(tree, Lie::new("a\0b", b"x")),
        "CB1104",
        "not safe",
    );

    corpus.archive(
        "a name twice",
        with(tree, Lie::new("verify.cmd", b"x")),
        "CB1105",
        "two entries have this name",
    );
    corpus.archive(
        "a name in capitals",
        with(tree, Lie::new("VERIFY.cmd", b"x")),
        "CB1105",
        "one file with `verify.cmd`",
    );
    corpus.archive(
        "the manifest in capitals",
        with(tree, Lie::new("MANIFEST.JSON", b"x")),
        "CB1105",
        "one file with",
    );
    corpus.archive(
        "a file as folder",
        with(tree, Lie::new("verify.cmd/x", b"x")),
        "CB1105",
        "needs `verify.cmd`",
    );
    let mut folder = Lie::new("verify.cmd/", b"");
    folder.mode = 0o040_755;
    corpus.archive(
        "a folder over a file",
        with(tree, folder),
        "CB1105",
        "needs `verify.cmd`",
    );

    let special = |mode: u32| {
        let mut lie = Lie::new("link", b"/etc/passwd");
        lie.mode = mode;
        with(tree, lie)
    };
    for (case, mode) in [
        ("a link", 0o120_777),
        ("a pipe", 0o010_644),
        ("a device", 0o020_644),
        ("a socket", 0o140_644),
        ("a folder as file", 0o040_755),
    ] {
        corpus.archive(case, special(mode), "CB1106", "a link or another special file");
    }
    let mut folder = Lie::new("f/", b"content");
    folder.mode = 0o040_755;
    corpus.archive(
        "a folder with content",
        with(tree, folder),
        "CB1106",
        "named as a folder and is none",
    );
    let mut folder = Lie::new("f/", b"");
    folder.mode = 0o120_777;
    corpus.archive(
        "a link named as folder",
        with(tree, folder),
        "CB1106",
        "named as a folder and is none",
    );

    let changed = |change: &dyn Fn(&mut Lie)| {
        let mut lie = Lie::new("x.txt", b"content");
        change(&mut lie);
        with(tree, lie)
    };
    corpus.archive("encrypted", changed(&|lie| lie.flags = 1), "CB1108", "encrypted");
    corpus.archive(
        "strongly encrypted",
        changed(&|lie| lie.flags = 0x41),
        "CB1108",
        "encrypted",
    );
    corpus.archive(
        "masked headers",
        changed(&|lie| lie.flags = 0x2001),
        "CB1108",
        "encrypted",
    );
    for (case, method) in [
        ("bzip2", 12),
        ("lzma", 14),
        ("zstd", 93),
        ("deflate64", 9),
        ("AES", 99),
    ] {
        corpus.archive(
            case,
            changed(&|lie| lie.method = method),
            "CB1109",
            "other than deflate",
        );
    }
    corpus.archive(
        "patch data",
        changed(&|lie| lie.flags = 0x20),
        "CB1109",
        "other than deflate",
    );

    corpus.archive(
        "two names",
        changed(&|lie| lie.local_name = Some(b"y.txt".to_vec())),
        "CB1103",
        "calls it `y.txt`",
    );
    corpus.archive(
        "a local name that leaves",
        changed(&|lie| lie.local_name = Some(b"../x.txt".to_vec())),
        "CB1103",
        "calls it `../x.txt`",
    );
    corpus.archive(
        "a local name with an escape",
        changed(&|lie| lie.local_name = Some(b"\x1b[2J".to_vec())),
        "CB1103",
        "calls it `\\u{1b}[2J`",
    );
    corpus.archive(
        "two sizes",
        changed(&|lie| lie.local_size = Some(3)),
        "CB1103",
        "size differs",
    );
    corpus.archive(
        "two check sums",
        changed(&|lie| lie.local_crc = Some(3)),
        "CB1103",
        "check sum differs",
    );
    corpus.archive(
        "two methods",
        changed(&|lie| lie.local_method = Some(8)),
        "CB1103",
        "compression differs",
    );
    corpus.archive(
        "encrypted in one place",
        changed(&|lie| lie.local_flags = Some(1)),
        "CB1103",
        "way of being stored differs",
    );
    corpus.archive(
        "sizes behind in one place",
        changed(&|lie| lie.local_flags = Some(8)),
        "CB1103",
        "way of being stored differs",
    );
    corpus.archive(
        "sizes behind that are not there",
        changed(&|lie| lie.flags = 8),
        "CB1103",
        "does not end where",
    );
    let second = [0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, b'y'];
    corpus.archive(
        "a second name",
        changed(&|lie| lie.extra = second.to_vec()),
        "CB1103",
        "second name",
    );
    corpus.archive(
        "a second name before the content",
        changed(&|lie| lie.local_extra = second.to_vec()),
        "CB1103",
        "second name",
    );
    let big = [1, 0, 0, 0, 1, 0, 0, 0];
    corpus.archive(
        "sizes given twice",
        changed(&|lie| lie.extra = big.to_vec()),
        "CB1103",
        "given twice",
    );
    corpus.archive(
        "a field that is cut",
        changed(&|lie| lie.extra = vec![1, 0, 9]),
        "CB1102",
        "malformed",
    );
    corpus.archive(
        "a field that is too long",
        changed(&|lie| lie.local_extra = vec![1, 0, 9, 0, 1]),
        "CB1102",
        "malformed",
    );
    corpus.archive(
        "an entry in another",
        changed(&|lie| lie.offset = Some(0)),
        "CB1103",
        "calls it",
    );
    corpus.archive(
        "an entry nowhere",
        changed(&|lie| lie.offset = Some(5)),
        "CB1102",
        "not where the directory says",
    );
    corpus.archive(
        "an entry behind the end",
        changed(&|lie| lie.offset = Some(u32::MAX - 1)),
        "CB1102",
        "not where the directory says",
    );
    corpus.archive(
        "hidden bytes between entries",
        changed(&|lie| lie.before = b"hidden".to_vec()),
        "CB1103",
        "does not list stand before it",
    );
    corpus.archive(
        "content that is longer",
        changed(&|lie| lie.behind = b"hidden".to_vec()),
        "CB1103",
        "stand before the directory",
    );

    // Entries that share their content: 1,000 of them would unpack to 1,000 times the archive.
    let mut entries = lies_of(tree);
    let mut first = Lie::new("o1", &[b'x'; 200]);
    let inner = archive(&[Lie::new("o2", &[b'y'; 20])], &Around::default());
    first.content[..70].copy_from_slice(&inner[..70]);
    let at: usize = entries
        .iter()
        .map(|lie| 30 + lie.name.len() + lie.content.len())
        .sum();
    let mut second = Lie::new("o2", &[]);
    second.offset = Some(u32::try_from(at + 32).expect("small"));
    second.size = Some(20);
    second.packed = Some(20);
    second.crc = Some(crc(&[b'y'; 20]));
    entries.push(first);
    entries.push(second);
    let mut overlapping = archive(&entries, &Around::default());
    // The header of the second stands in the content of the first only.
    let own = overlapping
        .windows(6)
        .rposition(|window| window == b"PK\x03\x04\x14\0")
        .expect("its own header");
    let cut = 30 + 2;
    let directory = overlapping.len() - 22;
    let start = u32::from_le_bytes(
        overlapping[directory + 16..directory + 20]
            .try_into()
            .expect("four"),
    );
    overlapping.drain(own..own + cut);
    let directory = overlapping.len() - 22;
    overlapping[directory + 16..directory + 20]
        .copy_from_slice(&(start - u32::try_from(cut).expect("small")).to_le_bytes());
    corpus.archive(
        "overlapping entries",
        overlapping,
        "CB1103",
        "overlaps the entry `o1`",
    );
}

pub(super) fn records(corpus: &mut Corpus, tree: &Tree) {
    let entries = lies_of(tree);
    let good = archive(&entries, &Around::default());
    let around = |change: &dyn Fn(&mut Around)| {
        let mut around = Around::default();
        change(&mut around);
        archive(&entries, &around)
    };
    corpus.archive("nothing", Vec::new(), "CB1102", "shorter than the shortest");
    corpus.archive("a text", vec![b'x'; 4000], "CB1102", "no zip archive");
    corpus.archive(
        "another format",
        b"7z\xBC\xAF\x27\x1C".repeat(20),
        "CB1102",
        "no zip archive",
    );
    corpus.archive(
        "cut in the middle",
        good[..good.len() / 2].to_vec(),
        "CB1102",
        "cut short",
    );
    corpus.archive(
        "the last byte lost",
        good[..good.len() - 1].to_vec(),
        "CB1102",
        "behind its directory, or it has a comment",
    );
    corpus.archive(
        "a program before it",
        around(&|around| around.before = b"MZ program".to_vec()),
        "CB1103",
        "stand before it",
    );
    let mut shifted = b"MZ program".to_vec();
    shifted.extend(&good);
    corpus.archive(
        "a program before it, unknown to it",
        shifted,
        "CB1102",
        "before the archive",
    );
    corpus.archive(
        "a comment",
        around(&|around| around.comment = b"hello".to_vec()),
        "CB1102",
        "has a comment",
    );
    corpus.archive(
        "a comment with a second end",
        around(&|around| around.comment = good[good.len() - 22..].to_vec()),
        "CB1102",
        "behind its directory",
    );
    corpus.archive(
        "bytes behind it",
        around(&|around| around.behind = b"x".to_vec()),
        "CB1102",
        "behind its directory",
    );
    corpus.archive(
        "zeros up to a block, as a stream of bsdtar has them",
        around(&|around| around.behind = vec![0; 10_240]),
        "CB1102",
        "behind its directory",
    );
    let mut two = good.clone();
    two.extend(&good);
    corpus.archive("two archives", two, "CB1102", "before the archive");
    corpus.archive(
        "bytes before the directory",
        around(&|around| around.between = b"x".to_vec()),
        "CB1103",
        "before the directory",
    );
    corpus.archive(
        "bytes behind the directory",
        around(&|around| around.behind_directory = b"x".to_vec()),
        "CB1102",
        "behind its directory",
    );
    corpus.archive(
        "one entry unlisted",
        around(&|around| around.entries = Some(3)),
        "CB1102",
        "holds more than its entries",
    );
    corpus.archive(
        "more entries than there are",
        around(&|around| around.entries = Some(60_000)),
        "CB1102",
        "shorter than the number",
    );
    corpus.archive(
        "the directory beyond the end",
        around(&|around| around.directory_offset = Some(u32::MAX - 100)),
        "CB1102",
        "beyond its end",
    );
    corpus.archive(
        "one of several parts",
        around(&|around| around.disk = 1),
        "CB1102",
        "one part of several",
    );
    corpus.archive(
        "an archive without a bundle",
        archive(&[Lie::new("a", b"x")], &Around::default()),
        "CB1111",
        "no bundle",
    );
    corpus.archive(
        "an empty archive",
        archive(&[], &Around::default()),
        "CB1111",
        "no bundle",
    );

    // Bombs: by their word, and by their content.
    let mut huge = Lie::new("RUNBOOK2.md", b"x");
    huge.size = Some(1 << 30);
    corpus.archive(
        "an entry of a gibibyte",
        with(tree, huge),
        "CB1107",
        "67108864 bytes",
    );
    let zeros = deflated(&vec![0; 20 << 20]);
    let mut bomb = Lie::new("zeros", &zeros);
    bomb.method = 8;
    bomb.size = Some(20 << 20);
    bomb.crc = Some(crc(&vec![0; 20 << 20]));
    corpus.archive(
        "20 MiB of zeros",
        with(tree, bomb.clone()),
        "CB1107",
        "more than 250 times",
    );
    let mut many = lies_of(tree);
    for number in 0..70 {
        let mut lie = Lie::new(&format!("part{number}"), &[0; 4]);
        lie.size = Some(63 << 20);
        lie.packed = Some(4);
        many.push(lie);
    }
    corpus.archive(
        "70 entries of 63 MiB",
        archive(&many, &Around::default()),
        "CB1107",
        "more than",
    );

    let packed = |change: &dyn Fn(&mut Lie)| {
        let mut entries = lies_of(tree);
        let lie = entries
            .iter_mut()
            .find(|lie| lie.name == b"RUNBOOK.md")
            .expect("the runbook");
        lie.size = Some(u32::try_from(lie.content.len()).expect("small"));
        lie.crc = Some(crc(&lie.content));
        lie.content = deflated(&lie.content);
        lie.method = 8;
        change(lie);
        archive(&entries, &Around::default())
    };
    corpus.archive(
        "a size that is too small",
        packed(&|lie| lie.size = Some(7)),
        "CB1110",
        "says 7 bytes and has more",
    );
    corpus.archive(
        "a size that is too large",
        packed(&|lie| lie.size = lie.size.map(|size| size + 1)),
        "CB1110",
        "bytes and has",
    );
    corpus.archive(
        "another check sum",
        packed(&|lie| lie.crc = Some(7)),
        "CB1110",
        "check sum is another",
    );
    corpus.archive(
        "damaged content",
        packed(&|lie| lie.content[9] ^= 0xFF),
        "CB1110",
        "RUNBOOK.md",
    );
    corpus.archive(
        "bytes behind the compressed content",
        packed(&|lie| lie.content.extend(b"hidden")),
        "CB1110",
        "follow its compressed content",
    );
    corpus.archive(
        "content that stops early",
        packed(&|lie| lie.content.truncate(100)),
        "CB1110",
        "RUNBOOK.md",
    );
}
