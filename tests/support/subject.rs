//! One generated text with where it belongs: what a check gets, as it was built or with a mutation.

use cbgen::contract::manifest::{Artifact, Manifest};
use cbgen::formats::encode::{deployed_form, encode};
use cbgen::formats::{Format, Reading};
use cbgen::lint;

use super::bundles::{Built, bundle};

/// A generated text of a bundle.
pub(crate) struct Subject {
    pub(crate) built: &'static Built,
    pub(crate) path: String,
    /// The review form.
    pub(crate) text: String,
    pub(crate) format: Format,
    pub(crate) reading: Reading,
}

/// What a check says: nothing, or what is wrong.
pub(crate) type Verdict = Result<(), String>;

impl Subject {
    /// The file as it was built.
    #[track_caller]
    pub(crate) fn new(inventory: &str, path: &str) -> Self {
        let built = bundle(inventory);
        let artifact = artifact_of(built, path);
        Self {
            built,
            path: path.to_owned(),
            text: built.text(path),
            format: artifact.format,
            reading: artifact.effect.reading(artifact.format),
        }
    }

    /// The bytes an engineer would get.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, String> {
        let (encoding, line_end) = deployed_form(self.format);
        encode(&self.text, encoding, line_end).map_err(|error| error.to_string())
    }

    /// The server whose folder it is in.
    pub(crate) fn server(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

/// The format the manifest states.
#[track_caller]
pub(crate) fn format_of(built: &Built, path: &str) -> Format {
    artifact_of(built, path).format
}

/// What the manifest says about a file.
#[track_caller]
pub(crate) fn artifact_of(built: &Built, path: &str) -> Artifact {
    let manifest = Manifest::read(&built.deployed["manifest.json"]).expect("a manifest");
    let artifact = manifest
        .artifacts
        .into_iter()
        .find(|artifact| artifact.path.to_string() == path);
    artifact.unwrap_or_else(|| panic!("{path} is not in the manifest of {}", built.name))
}

/// The text reads back, and may be generated.
pub(crate) fn read_back(subject: &Subject) -> Verdict {
    let Err(errors) = lint::read_back(subject.reading, &subject.text) else {
        return Ok(());
    };
    let lines = errors.iter().map(ToString::to_string);
    Err(lines.collect::<Vec<_>>().join("; "))
}
