//! The resources of the Windows program: its manifest and its version properties, as an object file for the linker.
//!
//! The build script uses this file; no program does. It writes the object itself, so that a build needs no resource
//! compiler and its bytes depend on nothing but the arguments. The layout is that of the section `.rsrc` in the PE
//! format, the version that of `VS_VERSIONINFO`. It must not know how the program is built.

/// What Windows has to know before it starts the program: no elevation is asked for, UTF-8 is the code page of the
/// process, paths may be long, and no behaviour of an older Windows is imitated.
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3">
    <security>
      <requestedPrivileges>
        <requestedExecutionLevel level="asInvoker" uiAccess="false"/>
      </requestedPrivileges>
    </security>
  </trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1">
    <application>
      <supportedOS Id="{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"/>
      <supportedOS Id="{1f676c76-80e1-4239-95bb-83d0f6d0da78}"/>
      <supportedOS Id="{4a2f28e3-53b9-4441-ba9c-d69d4a4a6e38}"/>
    </application>
  </compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3">
    <windowsSettings>
      <longPathAware xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">true</longPathAware>
      <activeCodePage xmlns="http://schemas.microsoft.com/SMI/2019/WindowsSettings">UTF-8</activeCodePage>
    </windowsSettings>
  </application>
</assembly>
"#;

/// English of the United States, and the code page number of UTF-16.
const LANGUAGE: u16 = 0x0409;
const UTF_16: u16 = 1200;

/// What a program says about itself.
pub(crate) struct About<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) version: &'a str,
    pub(crate) licence: &'a str,
}

/// The object file with all resources.
pub(crate) fn object(about: &About<'_>) -> Vec<u8> {
    // In order of their types, as the format demands.
    const TYPES: [u32; 2] = [16, 24];
    let contents = [version(about), MANIFEST.as_bytes().to_vec()];

    // One folder of types; below each one of names, below that one of languages, then the places of the contents.
    let folder = |entries: u16| {
        let mut bytes = vec![0; 14];
        bytes.extend(entries.to_le_bytes());
        bytes
    };
    let count = TYPES.len();
    let names = 16 + 8 * count;
    let languages = names + count * 24;
    let places = languages + count * 24;
    let first = places + count * 16;
    let mut section = folder(2);
    for (index, kind) in TYPES.iter().enumerate() {
        push(&mut section, &[*kind, 0x8000_0000 | number(names + index * 24)]);
    }
    for index in 0..count {
        section.extend(folder(1));
        push(&mut section, &[1, 0x8000_0000 | number(languages + index * 24)]);
    }
    for index in 0..count {
        section.extend(folder(1));
        push(&mut section, &[LANGUAGE.into(), number(places + index * 16)]);
    }
    let (mut at, mut relocations) = (first, Vec::new());
    for content in &contents {
        push(&mut relocations, &[number(section.len()), 0]);
        // Relative to where the program is loaded.
        relocations.extend(3_u16.to_le_bytes());
        push(&mut section, &[number(at), number(content.len()), 0, 0]);
        at += content.len().next_multiple_of(8);
    }
    for content in contents {
        section.extend(content);
        section.resize(section.len().next_multiple_of(8), 0);
    }

    let data = 20 + 40;
    let relocated = data + section.len();
    let symbols = relocated + relocations.len();
    let mut bytes = Vec::new();
    bytes.extend(0x8664_u16.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    // No time, one symbol, no optional header.
    push(&mut bytes, &[0, number(symbols), 1, 0]);
    bytes.extend(b".rsrc\0\0\0");
    push(
        &mut bytes,
        &[0, 0, number(section.len()), number(data), number(relocated), 0],
    );
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    // Initialized data, aligned to 8, readable.
    push(&mut bytes, &[0x4040_0040]);
    bytes.extend(section);
    bytes.extend(relocations);
    bytes.extend(b".rsrc\0\0\0");
    push(&mut bytes, &[0]);
    // The first section, no type, a static symbol without more.
    bytes.extend([1, 0, 0, 0, 3, 0]);
    // An empty table of long names holds its own length.
    push(&mut bytes, &[4]);
    bytes
}

/// `VS_VERSIONINFO`.
fn version(about: &About<'_>) -> Vec<u8> {
    let mut numbers = about
        .version
        .split(['.', '-', '+'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    let high = major << 16 | minor;
    let low = patch << 16;
    let mut fixed = Vec::new();
    // Signature, version of the structure, file and product version, no flags, Windows NT, a program.
    push(
        &mut fixed,
        &[
            0xFEEF_04BD,
            0x0001_0000,
            high,
            low,
            high,
            low,
            0x3F,
            0,
            0x0004_0004,
            1,
            0,
            0,
            0,
        ],
    );
    let texts = [
        ("FileDescription", about.description.to_owned()),
        ("FileVersion", about.version.to_owned()),
        ("InternalName", about.name.to_owned()),
        ("LegalCopyright", about.licence.to_owned()),
        ("OriginalFilename", format!("{}.exe", about.name)),
        ("ProductName", about.name.to_owned()),
        ("ProductVersion", about.version.to_owned()),
    ];
    let strings: Vec<Vec<u8>> = texts
        .iter()
        .map(|(key, text)| {
            let value = units(text);
            block(key, true, value.len() / 2, &value, &[])
        })
        .collect();
    let table = block(&format!("{LANGUAGE:04x}{UTF_16:04x}"), true, 0, &[], &strings);
    let strings = block("StringFileInfo", true, 0, &[], &[table]);
    let mut language = LANGUAGE.to_le_bytes().to_vec();
    language.extend(UTF_16.to_le_bytes());
    let language = block("Translation", false, language.len(), &language, &[]);
    let languages = block("VarFileInfo", true, 0, &[], &[language]);
    block(
        "VS_VERSION_INFO",
        false,
        fixed.len(),
        &fixed,
        &[strings, languages],
    )
}

/// One block of the version structure: its length, length and kind of its value, key, value and inner blocks.
fn block(key: &str, is_text: bool, value_length: usize, value: &[u8], inner: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(short(value_length));
    bytes.extend(u16::from(is_text).to_le_bytes());
    bytes.extend(units(key));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(value);
    for block in inner {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(block);
    }
    let length = short(bytes.len());
    bytes.splice(..2, length);
    bytes
}

/// A text in UTF-16 with the zero at its end.
fn units(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn push(bytes: &mut Vec<u8>, numbers: &[u32]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

/// Lengths of these few kilobytes fit; one that did not would be seen by whoever reads the program's properties.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()
}
