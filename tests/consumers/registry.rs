//! Registry files in Wine's regedit, read back with `reg query`, and in hivexregedit as a second opinion.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cbgen::formats::{Format, reg};

use super::facts::vhqmws;
use super::{expect_all, of_format, same};
use crate::scripts::machine::{Answer, Machine, good};
use crate::support::program::{finish, folder, program, succeed, write};
use crate::support::subject::{Subject, Verdict};
use crate::support::wine::Wine;

/// The registry, for one test at a time. Nothing else runs in this prefix: what changes, an import changed.
fn wine() -> MutexGuard<'static, Wine> {
    static REGISTRY: LazyLock<Mutex<Wine>> = LazyLock::new(|| Mutex::new(Wine::new("cbgen-registry")));
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

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
                for runtime in ["v2.0.50727", "v4.0.30319"] {
                    for name in ["SchUseStrongCrypto", "SystemDefaultTlsVersions"] {
                        number(&format!(r"{root}\{runtime}"), name, 1);
                    }
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

/// A registry file in the form that is known to work.
fn unicode(body: &str) -> Vec<u8> {
    let text = format!("Windows Registry Editor Version 5.00\r\n\r\n{body}");
    let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
    units.into_iter().flat_map(u16::to_le_bytes).collect()
}

/// The file that makes what is there before.
fn seed_file() -> Vec<u8> {
    let part = |root: &&str| format!("[-{root}]\r\n\r\n[{root}\\Neighbour]\r\n\"Kept\"=\"here\"\r\n\r\n");
    unicode(&ROOTS.iter().map(part).collect::<String>())
}

/// Everything below `HKEY_LOCAL_MACHINE`, as regedit exports it: each key by its path, and each value by `key > name`.
fn exported(wine: &Wine, root: &str) -> Values {
    let drive = wine.drive();
    wine.run(&drive, &["regedit", "/E", "export.reg", root]);
    let bytes = std::fs::read(drive.join("export.reg")).expect("an export");
    std::fs::remove_file(drive.join("export.reg")).expect("was there");
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = String::from_utf16(&units.collect::<Vec<_>>()).expect("UTF-16");
    // Long data goes on behind a backslash.
    let text = text.replace("\\\r\n  ", "");
    let (mut key, mut all) = (String::new(), Values::new());
    for line in text.lines() {
        if let Some(path) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            path.clone_into(&mut key);
            all.insert(key.clone(), String::new());
        } else if line.starts_with('"') {
            let mut escaped = false;
            let end = line.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let (name, rest) = line.split_at(end.map_or(line.len(), |(at, _)| at));
            let data = rest.strip_prefix("\"=").unwrap_or_default();
            all.insert(format!("{key} > {}", &name[1..]), data.to_owned());
        }
    }
    assert!(all.len() > 1, "an export of {root} has something in it");
    all
}

/// The same when nothing changes any more: after its start Wine goes on to enter devices and services.
fn settled(wine: &Wine, root: &str) -> Values {
    let mut last = exported(wine, root);
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(500));
        let now = exported(wine, root);
        if now == last {
            return now;
        }
        last = now;
    }
    panic!("{root} does not come to rest");
}

/// What an import did.
struct Imported {
    /// The values below [`ROOTS`], with types and data.
    values: Values,
    /// Keys and values anywhere that are new, gone or different, in small letters.
    touched: BTreeSet<String>,
    /// What was there before.
    before: BTreeSet<String>,
}

/// Imports with regedit, which says 0 whatever it did, and lists what is there.
fn imported(wine: &Wine, bytes: &[u8]) -> Imported {
    // The seed brings about the same state each time.
    static BEFORE: OnceLock<Values> = OnceLock::new();
    let drive = wine.drive();
    let import = |name: &str, bytes: &[u8]| {
        write(&drive.join(name), bytes);
        let ran = wine.run(&drive, &["regedit", "/S", name]);
        assert_eq!(ran.code, 0, "regedit says 0 even for files it ignores");
    };
    import("seed.reg", &seed_file());
    let before = BEFORE.get_or_init(|| settled(wine, "HKEY_LOCAL_MACHINE"));
    import("subject.reg", bytes);
    let after = exported(wine, "HKEY_LOCAL_MACHINE");
    // Keys keep the spelling of who made them and ignore case; a control set is the current one by another name.
    let different = |from: &Values, to: &Values| -> Vec<String> {
        let other = from.iter().filter(|(path, data)| to.get(*path) != Some(*data));
        other
            .map(|(path, _)| path.to_lowercase())
            .filter(|path| !path.contains(r"\controlset0"))
            .collect()
    };
    let touched: BTreeSet<String> = [different(before, &after), different(&after, before)]
        .concat()
        .into_iter()
        .collect();
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
    // The next import must not find what this one left elsewhere; the seed removes what is below its keys.
    let strays = after.keys().filter(|path| {
        let below = ROOTS
            .iter()
            .any(|root| path.to_lowercase().starts_with(&root.to_lowercase()));
        !before.contains_key(*path) && !path.contains(" > ") && !below
    });
    let strays: String = strays.map(|path| format!("[-{path}]\r\n\r\n")).collect();
    if !strays.is_empty() {
        import("clean.reg", &unicode(&strays));
    }
    Imported {
        values,
        touched,
        before: before.keys().map(|path| path.to_lowercase()).collect(),
    }
}

/// A quoted text of an export without its quotes and escapes.
fn plain(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let mut characters = inner.unwrap_or(quoted).chars();
    let mut plain = String::new();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}

/// The registry after the import: exactly the wanted values and their keys, nothing else anywhere, and the neighbours.
pub(crate) fn regedit(subject: &Subject) -> Verdict {
    let found = imported(&wine(), &subject.bytes()?);
    let mut all = seeds();
    all.extend(wanted(subject));
    same("the registry", &shown(&found.values), &shown(&all))?;
    let mut wanted_touched = BTreeSet::new();
    for path in wanted(subject).into_keys().map(|path| path.to_lowercase()) {
        let key = path.split(" > ").next().unwrap_or_default().to_owned();
        let ends = key.match_indices('\\').map(|(at, _)| at).chain([key.len()]);
        wanted_touched.extend(
            ends.map(|end| key[..end].to_owned())
                .filter(|key| !found.before.contains(key)),
        );
        wanted_touched.insert(path);
    }
    let lines = |paths: &BTreeSet<String>| paths.iter().map(|path| format!("{path}\n")).collect::<String>();
    same(
        "keys and values that changed",
        &lines(&found.touched),
        &lines(&wanted_touched),
    )
}

/// The scripts of a server bring the value and take it back: to what it was, or to nothing, and with its neighbour kept.
pub(crate) fn there_and_back(subject: &Subject) -> Verdict {
    let own = subject.bytes()?;
    let (server, key) = (subject.server(), r"HKLM\SOFTWARE\WOW6432Node\Virtual Hold");
    for before in [None, Some(r"C:\old folder\VHQMWS.asmx")] {
        let machine = Machine::new(server, &subject.built.archive, &["fltmc", "reg", "find"]);
        write(&machine.bundle(&subject.path), &own);
        machine.reg(&["delete", key, "/f"]);
        machine.reg(&["add", key, "/v", "Kept", "/d", "here", "/f"]);
        if let Some(value) = before {
            machine.reg(&["add", key, "/v", "VHQMWSPATH", "/d", value, "/f"]);
        }
        let state = || machine.reg(&["query", key, "/s"]).1;
        let first = state();
        let mut ends = Vec::new();
        for script in ["apply-registry.cmd", "rollback-registry.cmd"] {
            let outcome = machine.run(&format!("servers/{server}/registry/{script}"), |_, call| {
                match (call.program.as_str(), call.arguments.as_slice()) {
                    ("reg", _) => Answer::Native,
                    ("fltmc", _) => good(),
                    ("find", [text, name]) => {
                        let found =
                            std::fs::read_to_string(machine.unix(name)).is_ok_and(|read| read.contains(text));
                        Answer::Code(i32::from(!found), String::new())
                    }
                    _ => panic!("{} is not known here", call.line()),
                }
            });
            if outcome.code != 0 {
                return Err(format!("{before:?}: {script}: {}", outcome.output));
            }
            ends.push(state());
        }
        machine.reg(&["delete", key, "/f"]);
        if ends[0] == first || !ends[0].contains(&vhqmws(subject)) {
            return Err(format!("{before:?}: not applied: {}", ends[0]));
        }
        same(&format!("{before:?}: after the way back"), &ends[1], &first)?;
    }
    Ok(())
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
        let found = imported(&wine(), &bytes);
        assert_eq!(found.values, seeds(), "{what}");
        assert!(found.touched.is_empty(), "{what}: {:?}", found.touched);
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

/// Names and data of all kinds of characters come back from the registry as they went in.
#[test]
fn written_texts_come_back_from_the_registry() {
    let alphabet: Vec<char> = r#"aZ09 .,:;=@[]{}()<>|&^!?*%#'"\\\\""-+~`$äßЖ漢€😀"#.chars().collect();
    let mut random = 1_u32;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(random >> 8).expect("small") % below
    };
    let mut texts: Vec<String> = [
        "",
        r"\",
        r#"""#,
        r#"\""#,
        r"C:\new\table\",
        "%PATH%",
        "dword:00000001",
        "hex:00",
        "-",
        "@",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    for _ in 0..300 {
        texts.push((0..=next(24)).map(|_| alphabet[next(alphabet.len())]).collect());
    }
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Virtual Hold";
    let mut body = format!("[-{key}]\r\n\r\n[{key}]\r\n");
    let mut sent = Values::new();
    for (number, text) in texts.iter().enumerate() {
        // The number keeps names apart that differ in case only.
        let name = format!("{number}{text}");
        if let (Ok(quoted_name), Ok(quoted)) = (reg::reg_string(&name), reg::reg_string(text)) {
            write!(body, "{quoted_name}={quoted}\r\n").expect("a String");
            sent.insert(name, text.clone());
        }
    }
    assert!(
        sent.len() > 300,
        "only {} of {} are written",
        sent.len(),
        texts.len()
    );
    let wine = wine();
    let drive = wine.drive();
    write(&drive.join("texts.reg"), unicode(&(body + "\r\n")));
    wine.run(&drive, &["regedit", "/S", "texts.reg"]);
    let found: Values = exported(&wine, key)
        .into_iter()
        .filter_map(|(path, data)| Some((plain(&format!("\"{}\"", path.split_once(" > ")?.1)), plain(&data))))
        .collect();
    assert_eq!(found, sent);
}

/// Of two lines for one value regedit keeps the last and hivexregedit both; keys above a new one are made by regedit only.
/// So generated files have no value twice, and the reader refuses it.
#[test]
fn regedit_keeps_the_last_of_two_lines_and_makes_parents() {
    let body = "\"Twice\"=\"first\"\r\n\"Twice\"=\"last\"\r\n\r\n";
    let key = format!(r"{}\New\Below", ROOTS[4]);
    let found = imported(&wine(), &unicode(&format!("[{key}]\r\n{body}")));
    let value = found.values.get(&format!("{key} > Twice"));
    assert_eq!(value.map(String::as_str), Some("REG_SZ last"));
    assert!(
        found
            .touched
            .contains(&format!(r"{}\New", ROOTS[4]).to_lowercase()),
        "{:?}",
        found.touched
    );
    for (key, complaint) in [
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\A", None),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\A\B", Some("parent")),
    ] {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        write(&path("hive"), hive());
        write(
            &path("subject.reg"),
            format!("Windows Registry Editor Version 5.00\n\n[{key}]\n{body}").replace('\r', ""),
        );
        let prefix = r"HKEY_LOCAL_MACHINE\SOFTWARE";
        let run =
            |arguments: &[&str]| finish(program("hivexregedit").args(arguments).current_dir(folder.path()));
        let merged = run(&["--merge", "--prefix", prefix, "hive", "subject.reg"]);
        if let Some(word) = complaint {
            assert!(
                merged.code != 0 && merged.stderr.contains(word),
                "{}",
                merged.stderr
            );
        } else {
            let all = run(&[
                "--export",
                "--unsafe-printable-strings",
                "--prefix",
                prefix,
                "hive",
                r"\",
            ])
            .stdout;
            assert!(all.contains("last") && all.contains("first"), "{all}");
        }
    }
}
