//! Texts to a bundle: encode, hash, list.
//!
//! [`bundle`] is the last phase of a compilation. Its result holds every file twice, as the reviewers read it and as it
//! is deployed, and depends on nothing but its arguments. [`archive`] stores a bundle in a zip, [`tree`] beside it as
//! the folder reviewers read. This module must not know inventories or templates.

pub mod archive;
pub mod tree;

#[cfg(test)]
mod samples;

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::codes;
use crate::contract::artifact::{Effect, Rollback, Scope};
use crate::contract::digest::{Digest, sums};
use crate::contract::manifest::{
    self, Artifact, BundleRecord, Generator, InputDigest, Manifest, ServerEntry, TOOL, Tool, Warning, Window,
};
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::formats::encode::{Encoding, LineEnd, deployed_form, encode};
use crate::formats::{Format, FormatError};
use crate::source::Span;

/// Path of the manifest in every bundle.
pub const MANIFEST: &str = "manifest.json";
/// Path of the list of digests in every bundle.
pub const SUMS: &str = "SHA256SUMS";
/// Path of the detached signature over [`SUMS`] in a signed bundle; the only file the list does not cover.
pub const SIGNATURE: &str = "SHA256SUMS.sig";

/// What a bundle is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleIdentity {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Number of the change request.
    pub change: Option<String>,
    /// The change window.
    pub window: Option<Window>,
}

/// What the manifest says about an artifact, without what follows from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// How often it exists.
    pub scope: Scope,
    /// The server it is for, when the scope is [`Scope::Server`].
    pub server: Option<String>,
    /// What it is, for people.
    pub title: String,
    /// Requirements it fulfils.
    pub requirements: Vec<String>,
    /// Where it goes on the server.
    pub target: Option<String>,
    /// Its format.
    pub format: Format,
    /// What applying it does.
    pub effect: Effect,
    /// The phase of the runbook it belongs to.
    pub phase: Phase,
    /// How its effect is undone.
    pub rollback: Rollback,
    /// Services to restart afterwards.
    pub restarts: Vec<String>,
}

/// One artifact that goes into a bundle.
#[derive(Clone, Debug)]
pub struct Part {
    /// Path inside the bundle.
    pub path: BundlePath,
    /// Review form: UTF-8, LF, no mark.
    pub text: String,
    /// Digest of `text`.
    pub review_sha256: Digest,
    /// What the manifest says about it.
    pub record: ArtifactRecord,
    /// What made it, to point at when two parts collide.
    pub origin: Option<Span>,
}

/// One file of a bundle in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleFile {
    /// The bytes that are deployed.
    pub deployed: Vec<u8>,
    /// The text reviewers read: UTF-8, LF, no mark.
    pub review: String,
    /// Digest of the deployed bytes.
    pub sha256: Digest,
    /// Digest of the review text.
    pub review_sha256: Digest,
}

impl BundleFile {
    fn encode(
        review: String,
        review_sha256: Digest,
        encoding: Encoding,
        line_end: LineEnd,
    ) -> Result<Self, FormatError> {
        debug_assert_eq!(Digest::of(review.as_bytes()), review_sha256);
        let deployed = encode(&review, encoding, line_end)?;
        Ok(Self {
            sha256: if deployed == review.as_bytes() {
                review_sha256
            } else {
                Digest::of(&deployed)
            },
            review_sha256,
            deployed,
            review,
        })
    }

    /// A file that is deployed as it is reviewed.
    fn plain(text: String) -> Self {
        let digest = Digest::of(text.as_bytes());
        Self {
            deployed: text.clone().into_bytes(),
            review: text,
            sha256: digest,
            review_sha256: digest,
        }
    }
}

/// A complete bundle: every artifact, the manifest and the list of digests. Only [`bundle`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    manifest: Manifest,
    files: BTreeMap<BundlePath, BundleFile>,
    tool: Option<(BundlePath, BundleFile)>,
}

impl Bundle {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every file in order of paths, with the manifest and the list of digests.
    pub fn files(&self) -> &BTreeMap<BundlePath, BundleFile> {
        &self.files
    }

    /// Every file of the archive in order of paths: [`Bundle::files`], and the program where one comes along.
    pub fn archived(&self) -> Vec<(&BundlePath, &BundleFile)> {
        let mut files: Vec<_> = self.files.iter().collect();
        files.extend(self.tool.as_ref().map(|(path, file)| (path, file)));
        files.sort_by_key(|(path, _)| *path);
        files
    }

    /// The same bundle with a program in it, as [`TOOL`]. It is in the archive, in the manifest and in the list of
    /// digests, but not in the tree that reviewers read: it has no text.
    #[must_use]
    pub fn with_tool(mut self, bytes: Vec<u8>) -> Self {
        let path = own_path(TOOL);
        let file = BundleFile {
            sha256: Digest::of(&bytes),
            review_sha256: Digest::of(b""),
            review: String::new(),
            deployed: bytes,
        };
        self.manifest.tool = Some(Tool {
            path: path.clone(),
            size: u64::try_from(file.deployed.len()).unwrap_or(u64::MAX),
            sha256: file.sha256,
        });
        self.manifest.bundle.id = manifest::id(&self.manifest.artifacts, self.manifest.tool.as_ref());
        self.tool = Some((path, file));
        self.list_files();
        self
    }

    /// Puts the manifest and the list of digests among the files.
    fn list_files(&mut self) {
        self.files.remove(SUMS);
        let manifest = BundleFile::plain(self.manifest.to_text());
        self.files.insert(own_path(MANIFEST), manifest);
        let list = sums(
            self.archived()
                .into_iter()
                .map(|(path, file)| (path, file.sha256)),
        );
        self.files.insert(own_path(SUMS), BundleFile::plain(list));
    }

    /// Digest over the paths and digests of the artifacts and the program.
    pub fn id(&self) -> Digest {
        self.manifest.bundle.id
    }

    /// Digest of the list: of every file, and of the manifest, which the id leaves out because it stands in it.
    pub fn seal(&self) -> Digest {
        let list = self.files.get(SUMS);
        list.map_or_else(|| Digest::of(b""), |file| file.sha256)
    }

    /// `NAME`: the folder reviewers read.
    pub fn name(&self) -> &str {
        &self.manifest.bundle.name
    }

    /// `NAME-VERSION.zip`.
    pub fn archive_name(&self) -> String {
        format!("{}-{}.zip", self.name(), self.manifest.bundle.version)
    }
}

/// Makes a bundle. Equal arguments give equal bytes; the order of `inputs` and `parts` does not matter.
///
/// Reports `CB0702` for two parts at one path (ignoring case, as Windows does), for a part whose path is a folder of
/// another part, and for a part at a path the bundle needs itself; `CB0703` for a text that its deployed encoding
/// cannot hold. All of them, not the first.
pub fn bundle(
    diagnostics: &mut Diagnostics,
    identity: BundleIdentity,
    mut inputs: Vec<InputDigest>,
    servers: Vec<ServerEntry>,
    warnings: Vec<Warning>,
    parts: Vec<Part>,
) -> Result<Bundle, Reported> {
    let mut failed = collisions(diagnostics, &parts);
    let mut encoded: Vec<(Artifact, Result<BundleFile, Diagnostic>)> =
        parts.into_par_iter().map(encode_part).collect();
    encoded.sort_by(|left, right| left.0.path.cmp(&right.0.path));
    let mut artifacts = Vec::new();
    let mut files = BTreeMap::new();
    for (artifact, file) in encoded {
        match file {
            Ok(file) => {
                files.insert(artifact.path.clone(), file);
                artifacts.push(artifact);
            }
            Err(diagnostic) => failed = Some(diagnostics.error(diagnostic)),
        }
    }
    if let Some(reported) = failed {
        return Err(reported);
    }

    inputs.sort();
    inputs.dedup();
    let manifest = Manifest {
        format: manifest::FORMAT,
        bundle: BundleRecord {
            name: identity.name,
            version: identity.version,
            change: identity.change,
            window: identity.window,
            id: manifest::id(&artifacts, None),
        },
        generator: Generator::current(),
        inputs,
        servers,
        warnings,
        tool: None,
        artifacts,
    };
    let mut bundle = Bundle {
        manifest,
        files,
        tool: None,
    };
    bundle.list_files();
    Ok(bundle)
}

fn own_path(name: &str) -> BundlePath {
    BundlePath::parse(name).expect("the names of a bundle's own files are paths")
}

fn encode_part(part: Part) -> (Artifact, Result<BundleFile, Diagnostic>) {
    let Part {
        path,
        text,
        review_sha256,
        record,
        origin,
    } = part;
    let (encoding, line_end) = deployed_form(record.format);
    let file = BundleFile::encode(text, review_sha256, encoding, line_end).map_err(|error| {
        Diagnostic::new(
            codes::NOT_ENCODABLE,
            format!("`{path}` cannot be written as {}: {error}", encoding.name()),
        )
        .at_opt(origin)
    });
    let digest = |of: fn(&BundleFile) -> Digest| file.as_ref().map_or_else(|_| Digest::of(b""), of);
    let artifact = Artifact {
        scope: record.scope,
        server: record.server,
        title: record.title,
        requirements: record.requirements,
        target: record.target,
        format: record.format,
        effect: record.effect,
        phase: record.phase,
        encoding,
        eol: line_end,
        size: file
            .as_ref()
            .map_or(0, |file| u64::try_from(file.deployed.len()).unwrap_or(u64::MAX)),
        sha256: digest(|file| file.sha256),
        review_sha256: digest(|file| file.review_sha256),
        rollback: record.rollback,
        restarts: record.restarts,
        path,
    };
    (artifact, file)
}

fn collisions(diagnostics: &mut Diagnostics, parts: &[Part]) -> Option<Reported> {
    let mut failed = None;
    let mut seen: BTreeMap<String, &Part> = BTreeMap::new();
    for part in parts {
        let key = part.path.collision_key();
        if [MANIFEST, SUMS, SIGNATURE, TOOL]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&key))
        {
            let message = format!("`{}` is a path every bundle uses itself", part.path);
            failed =
                Some(diagnostics.error(Diagnostic::new(codes::PATH_COLLISION, message).at_opt(part.origin)));
        }
        if let Some(first) = seen.insert(key, part) {
            failed = Some(collision(diagnostics, first, part, "are one file on Windows"));
        }
    }
    for part in parts {
        let key = part.path.collision_key();
        for (at, _) in key.match_indices('/') {
            if let Some(file) = key.get(..at).and_then(|folder| seen.get(folder)) {
                failed = Some(collision(
                    diagnostics,
                    file,
                    part,
                    "need one name as file and as folder",
                ));
            }
        }
    }
    failed
}

fn collision(diagnostics: &mut Diagnostics, first: &Part, second: &Part, what: &str) -> Reported {
    let message = if first.path == second.path {
        format!("two artifacts have the path `{}`", first.path)
    } else {
        format!("`{}` and `{}` {what}", first.path, second.path)
    };
    let mut diagnostic = Diagnostic::new(codes::PATH_COLLISION, message)
        .at_opt(second.origin)
        .help("give one of them another `path`");
    if let Some(span) = first.origin {
        diagnostic = diagnostic.related(span, format!("`{}` comes from here", first.path));
    }
    diagnostics.error(diagnostic)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::{build, part};
    use super::*;

    /// The messages for these paths.
    fn check(paths: &[&str]) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let parts = paths.iter().map(|path| part(path, "x\n", Format::Text)).collect();
        let result = build(&mut diagnostics, parts);
        assert_eq!(result.is_err(), diagnostics.has_errors());
        diagnostics
            .iter()
            .map(|finding| finding.message.clone())
            .collect()
    }

    #[test]
    fn collisions_are_named() {
        assert!(check(&["a", "b/c"]).is_empty());
        assert_eq!(check(&["a", "a"]), ["two artifacts have the path `a`"]);
        assert_eq!(check(&["a", "A"]), ["`a` and `A` are one file on Windows"]);
        assert_eq!(
            check(&["B/c", "b", "b/d/e"]),
            [
                "`b` and `B/c` need one name as file and as folder",
                "`b` and `b/d/e` need one name as file and as folder"
            ]
        );
        assert_eq!(
            check(&["Manifest.JSON"]),
            ["`Manifest.JSON` is a path every bundle uses itself"]
        );
    }

    #[test]
    fn a_program_comes_along_in_the_archive_only() {
        let parts = vec![part("z", "z\n", Format::Text), part("a", "a\n", Format::Text)];
        let plain = build(&mut Diagnostics::new(), parts).unwrap();
        let bundle = plain.clone().with_tool(b"MZ and \xFF".to_vec());
        assert_ne!(bundle.id(), plain.id());
        assert!(bundle.files().keys().all(|path| path.as_str() != TOOL));
        let archived = bundle.archived();
        let names: Vec<&str> = archived.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, [SUMS, "a", TOOL, MANIFEST, "z"]);
        let file = |name: &str| &bundle.files()[name];
        let listed = sums(
            archived
                .iter()
                .filter(|(path, _)| path.as_str() != SUMS)
                .map(|(path, file)| (*path, Digest::of(&file.deployed))),
        );
        assert_eq!(file(SUMS).review, listed);
        let text = &file(MANIFEST).review;
        let manifest = Manifest::read(text.as_bytes()).unwrap();
        assert_eq!(manifest.tool.unwrap().size, 8);
        // The id covers it, its name is fixed, and no artifact can take it.
        let digest = Digest::of(b"MZ and \xFF").to_string();
        for (from, to) in [(digest.as_str(), "0".repeat(64)), (TOOL, "other.exe".to_owned())] {
            assert!(
                Manifest::read(text.replace(from, &to).as_bytes()).is_err(),
                "{from}"
            );
        }
        assert_eq!(
            check(&["Cbgen.EXE"]),
            ["`Cbgen.EXE` is a path every bundle uses itself"]
        );
        assert!(archive::Press::default().write(&bundle).unwrap().len() > 100);
    }

    #[test]
    fn a_text_outside_its_encoding_is_refused() {
        let mut diagnostics = Diagnostics::new();
        let parts = vec![part("a.cmd", "rem ü\n", Format::Cmd)];
        assert!(build(&mut diagnostics, parts).is_err());
        let finding = diagnostics.iter().next().unwrap();
        assert_eq!(finding.code, codes::NOT_ENCODABLE);
        assert!(
            finding
                .message
                .starts_with("`a.cmd` cannot be written as ascii: "),
            "{}",
            finding.message
        );
    }

    #[test]
    fn the_contract_as_text() {
        let parts = vec![
            part("servers/MGMT01/nginx/nginx.conf", "daemon off;\n", Format::Nginx),
            part("deployment/a.reg", "ü\n", Format::Reg),
        ];
        let bundle = build(&mut Diagnostics::new(), parts).unwrap();
        let file = |name: &str| &bundle.files()[name];
        assert_eq!(
            file("deployment/a.reg").deployed,
            [0xFF, 0xFE, 0xFC, 0, 0x0D, 0, 0x0A, 0]
        );
        assert_eq!(file("deployment/a.reg").review, "ü\n");
        let id_lines = file(SUMS)
            .review
            .lines()
            .filter(|line| !line.ends_with("  manifest.json"))
            .fold(String::new(), |lines, line| format!("{lines}{line}\n"));
        assert_eq!(bundle.id(), Digest::of(id_lines.as_bytes()));
        let text = file(MANIFEST).review.clone();
        assert_eq!(Manifest::read(text.as_bytes()).as_ref(), Ok(bundle.manifest()));
        let golden =
            include_str!("samples/manifest.json").replace("VERSION_OF_CBGEN", env!("CARGO_PKG_VERSION"));
        assert_eq!(text, golden, "{text}");
    }

    #[test]
    fn manifests_are_read_strictly() {
        let parts = vec![
            part("servers/MGMT01/a", "a\n", Format::Text),
            part("b", "b\n", Format::Text),
        ];
        let bundle = build(&mut Diagnostics::new(), parts).unwrap();
        let good = bundle.manifest().to_text();
        let (format, path) = (r#""format": 1"#, r#""path": "b""#);
        for (from, to, expected) in [
            (format, r#""format": 2"#, "made by a newer cbgen"),
            (format, r#""format": 0"#, "does not exist"),
            (format, r#""format": 1, "more": 1"#, "unknown field `more`"),
            (path, r#""path": "../b""#, "would leave"),
            (path, r#""path": "x""#, "out of order"),
            (path, r#""path": "c""#, "the id of the bundle"),
            (path, r#""path": "servers/mgmt01/A""#, "one file on Windows"),
            (
                r#""name": "MGMT01""#,
                r#""name": "X""#,
                "not a server of the bundle",
            ),
            (r#""captured""#, r#""undo.sql""#, "which is not in the bundle"),
            ("{", "", "expected struct Head"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = Manifest::read(good.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(Manifest::read(b"\xFF").is_err());
    }

    proptest! {
        #[test]
        fn order_of_parts_does_not_matter(
            paths in prop::collection::btree_set("[a-d]{1,2}(/[a-d]{1,2})?", 1..12),
            seed in any::<prop::sample::Index>(),
        ) {
            let parts: Vec<Part> =
                paths.iter().map(|path| part(path, &format!("{path}\n"), Format::Sql)).collect();
            let mut rotated = parts.clone();
            rotated.rotate_left(seed.index(parts.len()));
            let one = build(&mut Diagnostics::new(), parts);
            prop_assert_eq!(&one, &build(&mut Diagnostics::new(), rotated));
            if let Ok(bundle) = one {
                let archive = archive::Press::default().write(&bundle).unwrap();
                prop_assert_eq!(&archive, &archive::Press::default().write(&bundle).unwrap());
                let read = archive::read(&archive, archive::Limits::default()).unwrap();
                let deployed: BTreeMap<_, _> = bundle.files().iter()
                    .map(|(path, file)| (path.clone(), file.deployed.clone())).collect();
                prop_assert_eq!(read, deployed);
            }
        }
    }
}
