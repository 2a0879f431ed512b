//! Registry files in Wine's regedit, read back with `reg query`, and in hivexregedit as a second opinion.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cbgen::formats::Format;

use super::facts::vhqmws;
use super::{expect_all, of_format, same};
use crate::support::program::{folder, program, succeed, write};
use crate::support::subject::{Subject, Verdict};
use crate::support::wine::{Wine, wine};

/// Where the files write. Everything below is looked at, so that a stray new key is seen.
const ROOTS: &[&str] = &[
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\.NETFramework",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\.NETFramework",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Virtual Hold",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Virtual Hold",
];

/// Key and value name, then type and data as `reg query` prints them.
type Values = BTreeMap<String, String>;

/// What is there before an import: neighbours that have to survive.
fn seeds() -> Values {
    let seed = |root: &&str| (format!(r"{root}\Neighbour > Kept"), "REG_SZ here".to_owned());
    ROOTS.iter().map(seed).collect()
}

/// What the guide and its corrections want in the registry, written down by hand.
fn wanted(subject: &Subject) -> Values {
    let mut wanted = Values::new();
    let mut number = |key: &str, name: &str, data: u32| {
        wanted.insert(format!("{key} > {name}"), format!("REG_DWORD 0x{data:x}"));
    };
    let protocols = format!(r"{}\Protocols", ROOTS[2]);
    let mut protocol = |name: &str, enabled: u32| {
        for role in ["Client", "Server"] {
            number(&format!(r"{protocols}\{name}\{role}"), "Enabled", enabled);
            number(
                &format!(r"{protocols}\{name}\{role}"),
                "DisabledByDefault",
                1 - enabled,
            );
        }
    };
    match subject.path.rsplit('/').next().unwrap_or_default() {
        "tls-1.2.reg" => protocol("TLS 1.2", 1),
        "disable-legacy-protocols.reg" => {
            for name in ["SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1"] {
                protocol(name, 0);
            }
        }
        "strong-crypto.reg" => {
            for root in &ROOTS[..2] {
                for name in ["SchUseStrongCrypto", "SystemDefaultTlsVersions"] {
                    number(&format!(r"{root}\v4.0.30319"), name, 1);
                }
            }
        }
        "vhqmwspath.reg" => {
            wanted.insert(
                format!("{} > VHQMWSPATH", ROOTS[3]),
                format!("REG_SZ {}", vhqmws(subject)),
            );
        }
        other => panic!("write down what {other} is for"),
    }
    wanted
}

fn shown(values: &Values) -> String {
    values
        .iter()
        .map(|(path, data)| format!("{path} = {data}\n"))
        .collect()
}

/// The file that makes what is there before, in the form that is known to work.
fn seed_file() -> Vec<u8> {
    let mut text = "Windows Registry Editor Version 5.00\r\n\r\n".to_owned();
    for root in ROOTS {
        write!(
            text,
            "[-{root}]\r\n\r\n[{root}\\Neighbour]\r\n\"Kept\"=\"here\"\r\n\r\n"
        )
        .expect("a String");
    }
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Imports with regedit, which says 0 whatever it did, and lists what is there.
fn imported(wine: &Wine, bytes: &[u8]) -> Values {
    let drive = wine.drive();
    for (name, bytes) in [("seed.reg", &seed_file()[..]), ("subject.reg", bytes)] {
        write(&drive.join(name), bytes);
        let ran = wine.run(&drive, &["regedit", "/S", name]);
        assert_eq!(ran.code, 0, "regedit says 0 even for files it ignores");
    }
    let mut values = Values::new();
    for root in ROOTS {
        let ran = wine.run(&drive, &["reg", "query", root, "/s", "/reg:64"]);
        let mut key = String::new();
        for line in ran.stdout.lines() {
            let line = line.trim_end_matches('\r');
            if line.starts_with("HKEY_") {
                line.clone_into(&mut key);
            } else if let Some((name, rest)) = line.trim_start().split_once("    ") {
                let (kind, data) = rest.split_once("    ").unwrap_or((rest, ""));
                values.insert(format!("{key} > {name}"), format!("{kind} {data}"));
            }
        }
    }
    values
}

/// The registry after the import: exactly the wanted values, and the neighbours.
pub(crate) fn regedit(subject: &Subject) -> Verdict {
    let found = imported(&wine(), &subject.bytes()?);
    let mut all = seeds();
    all.extend(wanted(subject));
    same("the registry", &shown(&found), &shown(&all))
}

/// An empty hive: header, one block, a root key without anything, and its security record.
fn hive() -> Vec<u8> {
    let mut bytes = vec![0_u8; 0x2000];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    let number = |value: u32| value.to_le_bytes();
    put(0, b"regf");
    for (at, value) in [
        (4, 1),
        (8, 1),
        (20, 1),
        (24, 3),
        (32, 1),
        (36, 0x20),
        (40, 0x1000),
        (44, 1),
    ] {
        put(at, &number(value));
    }
    put(0x1000, b"hbin");
    put(0x1008, &number(0x1000));
    let none = number(u32::MAX);
    // A cell in use has its size as a negative number. Offsets inside records count from the block.
    let root = 0x1020;
    put(root, &number(0x60_u32.wrapping_neg()));
    put(root + 4, b"nk\x2c\0");
    put(root + 0x14, &number(0x20));
    for at in [0x20, 0x24, 0x2c, 0x34] {
        put(root + at, &none);
    }
    put(root + 0x30, &number(0x80));
    put(root + 0x4c, &[4, 0, 0, 0]);
    put(root + 0x50, b"root");
    let security = 0x1080;
    put(security, &number(0x30_u32.wrapping_neg()));
    put(security + 4, b"sk\0\0");
    for (at, value) in [(8, 0x80), (12, 0x80), (16, 1), (20, 0x14)] {
        put(security + at, &number(value));
    }
    put(security + 24, &[1, 0, 0, 0x80]);
    put(0x10b0, &number(0x1000 - 0xb0));
    let words = bytes[..508]
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")));
    let sum = words.fold(0, |sum, word| sum ^ word);
    bytes[508..512].copy_from_slice(&number(sum));
    bytes
}

/// hivexregedit merges the text into an empty hive and exports the same values.
pub(crate) fn hivex(subject: &Subject) -> Verdict {
    let folder = folder();
    let mut found = Values::new();
    for prefix in [r"HKEY_LOCAL_MACHINE\SOFTWARE", r"HKEY_LOCAL_MACHINE\SYSTEM"] {
        let blocks = subject
            .text
            .split("\n\n")
            .filter(|block| block.starts_with(&format!("[{prefix}\\")));
        let mut text = "Windows Registry Editor Version 5.00\n\n".to_owned();
        let mut parents = Vec::new();
        for block in blocks {
            // Unlike regedit, hivex makes no parents.
            let key = block.lines().next().unwrap_or_default().trim_matches(['[', ']']);
            let below: Vec<&str> = key[prefix.len()..].split('\\').skip(1).collect();
            for end in 1..below.len() {
                let parent = format!("[{prefix}\\{}]\n\n", below[..end].join("\\"));
                if !parents.contains(&parent) {
                    text.push_str(&parent);
                    parents.push(parent);
                }
            }
            write!(text, "{}\n\n", block.trim_end()).expect("a String");
        }
        if parents.is_empty() && !text.contains('[') {
            continue;
        }
        let path = |name: &str| folder.path().join(name);
        write(&path("hive"), hive());
        write(&path("subject.reg"), text);
        let run =
            |arguments: &[&str]| succeed(program("hivexregedit").args(arguments).current_dir(folder.path()));
        run(&["--merge", "--prefix", prefix, "hive", "subject.reg"]);
        let exported = run(&[
            "--export",
            "--unsafe-printable-strings",
            "--prefix",
            prefix,
            "hive",
            r"\",
        ]);
        let mut key = String::new();
        for line in exported.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                name.clone_into(&mut key);
            } else if let Some((name, data)) = line.split_once('=').filter(|(name, _)| name.starts_with('"'))
            {
                let data = match data.split_once(':') {
                    Some(("dword", digits)) => {
                        format!(
                            "REG_DWORD 0x{:x}",
                            u32::from_str_radix(digits, 16).map_err(|error| error.to_string())?
                        )
                    }
                    Some(("str(1)", text)) => format!("REG_SZ {}", text.trim_matches('"')),
                    _ => data.to_owned(),
                };
                found.insert(format!("{key} > {}", name.trim_matches('"')), data);
            }
        }
    }
    same("the hive", &shown(&found), &shown(&wanted(subject)))
}

/// Registry texts, each once.
fn files() -> Vec<Subject> {
    let mut seen = Vec::new();
    let mut files = of_format(Format::Reg);
    files.retain(|subject| {
        let what = (subject.text.clone(), wanted(subject));
        let new = !seen.contains(&what);
        seen.push(what);
        new
    });
    files
}

#[test]
fn regedit_makes_exactly_the_wanted_values() {
    expect_all(&files(), regedit);
}

#[test]
fn hivex_reads_the_same_values() {
    expect_all(&files(), hivex);
}

#[test]
fn other_encodings_and_short_roots_are_ignored_without_a_word() {
    let subject = Subject::new("prod", "servers/CORE01/registry/strong-crypto.reg");
    let crlf = subject.text.replace('\n', "\r\n");
    let units: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let short = crlf.replace("HKEY_LOCAL_MACHINE", "HKLM");
    let short: Vec<u8> = std::iter::once(0xfeff)
        .chain(short.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let with_mark = [b"\xef\xbb\xbf".to_vec(), crlf.into_bytes()].concat();
    for (what, bytes) in [
        ("UTF-16 without mark", units),
        ("UTF-8 with mark", with_mark),
        ("HKLM", short),
    ] {
        assert_eq!(imported(&wine(), &bytes), seeds(), "{what}");
    }
}

#[test]
fn enabling_and_disabling_are_two_files() {
    for subject in of_format(Format::Reg) {
        let disables = subject.text.contains("\"Enabled\"=dword:00000000");
        assert_eq!(
            disables,
            subject.path.ends_with("disable-legacy-protocols.reg"),
            "{}",
            subject.path
        );
    }
}
