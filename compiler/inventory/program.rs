//! The program that an inventory sends along with its bundle.
//!
//! It is read as bytes and never started. This file knows how Windows programs begin, and must not know bundles.

use std::io;

use cbgen_formats::Cut as _;

use super::{Loaded, ReadInput};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Reported};

/// Largest program: what a reader of archives takes for one file.
const LIMIT: u64 = 64 << 20;

/// A program that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name in the workspace.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads the program that the inventory names in `bundle.tool`; `None` when it names none.
///
/// It is looked for in the folder of the inventory, then in each folder above it, up to the one cbgen runs in: where
/// cbgen was started makes no difference as long as it finds it.
///
/// Reports `CB0014`: it is not there, cannot be read, is too large, or is no program for 64-bit Windows.
pub fn load(
    diagnostics: &mut Diagnostics,
    files: &dyn ReadInput,
    loaded: &Loaded,
) -> Result<Option<Program>, Reported> {
    let Some(tool) = &loaded.inventory.bundle.tool else {
        return Ok(None);
    };
    let main = loaded.inputs.first().map_or("", |input| input.name.as_str());
    let mut refuse = |why: String, help: &str| {
        let place = loaded.places.value("/bundle/tool");
        let finding = Diagnostic::new(codes::TOOL_UNUSABLE, why)
            .at_opt(place)
            .help(help);
        Err(diagnostics.error(finding))
    };
    for (at, _) in main.rmatch_indices('/').chain([(0, "")]) {
        let folder = main.cut(..at);
        let name = match folder {
            "" if main.starts_with('/') => continue,
            "" => tool.clone(),
            folder => format!("{folder}/{tool}"),
        };
        match files.read_program(&name, LIMIT) {
            Ok(bytes) if is_program(&bytes) => return Ok(Some(Program { name, bytes })),
            Ok(_) => {
                return refuse(
                    format!("`{name}` is no program for 64-bit Windows"),
                    "`kit/windows-build` of cbgen makes it; a file of Git LFS has to be fetched first",
                );
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(error) => {
                return refuse(
                    format!("`{name}` cannot be read: {error}"),
                    "put the program itself there, smaller than 64 MiB",
                );
            }
        }
    }
    refuse(
        format!("there is no file `{tool}` in the folder of the inventory or above it"),
        "put the program there, or leave `bundle.tool` out: then servers need a cbgen of their own, or none",
    )
}

/// Whether bytes begin as a 64-bit program for Windows does: the mark of DOS, and where it says the mark of PE with the
/// number of the processor.
fn is_program(bytes: &[u8]) -> bool {
    let read = || {
        let place = bytes.get(0x3C..)?.first_chunk::<4>()?;
        let at = usize::try_from(u32::from_le_bytes(*place)).ok()?;
        bytes.get(at..)?.first_chunk::<6>()
    };
    bytes.starts_with(b"MZ") && read().is_some_and(|head| head == b"PE\0\0\x64\x86")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_head() {
        let program = |machine: &[u8; 2]| {
            let mut bytes = b"MZ".to_vec();
            bytes.resize(0x3C, 0);
            bytes.extend([0x40, 0, 0, 0]);
            bytes.extend(b"PE\0\0");
            bytes.extend(machine);
            bytes
        };
        assert!(is_program(&program(b"\x64\x86")));
        // 32 bits, another processor, cut short, no program at all.
        assert!(!is_program(&program(b"\x4C\x01")));
        assert!(!is_program(&program(b"\x64\xAA")));
        assert!(!is_program(&program(b"\x64\x86")[..0x44]));
        for text in [
            &b"MZ"[..],
            b"",
            b"version https://git-lfs.github.com/spec/v1\n",
            &[b'M'; 99],
        ] {
            assert!(!is_program(text));
        }
    }
}
