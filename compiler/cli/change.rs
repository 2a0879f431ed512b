//! What the commands of the change window share: the bundle, the server, and how problems are told.

use std::collections::BTreeMap;
use std::path::Path;

use crate::bundle::archive::{Limits, read as read_archive};
use crate::bundle::{MANIFEST, SUMS};
use crate::change::plan::Problem;
use crate::change::server::Server;
use crate::change::steps::{DEPLOYMENT, Package};
use crate::codes;
use crate::contract::digest::{Digest, read_sums};
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::contract::runbook::{RUNBOOK, Runbook};
use crate::diag::{Diagnostic, one_of};
use crate::files::{DiskFiles, Files as _};

use super::change_args::PlaceOptions;
use super::exit::Exit;
use super::machine::variable;
use super::session::Session;

/// A bundle that was checked.
pub(super) struct Opened {
    manifest: Manifest,
    runbook: Runbook,
    seal: Digest,
    files: BTreeMap<BundlePath, Vec<u8>>,
}

impl Package for Opened {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn runbook(&self) -> &Runbook {
        &self.runbook
    }

    fn seal(&self) -> Digest {
        self.seal
    }

    fn read(&self, path: &BundlePath) -> Result<Vec<u8>, String> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| "it is not in the bundle".to_owned())
    }
}

/// Opens and checks a bundle; what is wrong with it is told.
pub(super) fn open(session: &mut Session, place: &Path) -> Option<Opened> {
    let name = place.to_string_lossy().replace('\\', "/");
    match read(place) {
        Ok(opened) => Some(opened),
        Err((code, message)) => {
            fail(
                session,
                Diagnostic::new(code, message)
                    .in_file(name)
                    .help("get the bundle from where it was built"),
            );
            None
        }
    }
}

fn read(place: &Path) -> Result<Opened, (codes::Code, String)> {
    let bad = |message: String| (codes::BAD_ARCHIVE, message);
    let bytes = DiskFiles::new("")
        .read(place, Limits::default().total_bytes)
        .map_err(|error| (codes::UNREADABLE_FILE, error.to_string()))?;
    let files = read_archive(&bytes, Limits::default())
        .map_err(|errors| bad(errors.first().map(ToString::to_string).unwrap_or_default()))?;
    let own = |name: &str| {
        let found = files.iter().find(|(path, _)| path.as_str() == name);
        found.map(|(_, bytes)| bytes.as_slice())
    };
    let list = own(SUMS).ok_or_else(|| bad(format!("`{SUMS}` is missing")))?;
    let sums = read_sums(&String::from_utf8_lossy(list)).map_err(|_| bad(format!("`{SUMS}` is damaged")))?;
    for (path, digest) in &sums {
        if files.get(path).map(|bytes| Digest::of(bytes)) != Some(*digest) {
            return Err(bad(format!("`{path}` is not what `{SUMS}` says")));
        }
    }
    let manifest = own(MANIFEST).ok_or_else(|| bad(format!("`{MANIFEST}` is missing")))?;
    let manifest = Manifest::read(manifest).map_err(|error| (codes::BAD_MANIFEST, error.to_string()))?;
    let unusable = |why: String| (codes::RUNBOOK_UNUSABLE, why);
    let runbook = own(RUNBOOK).ok_or_else(|| unusable(format!("the bundle has no `{RUNBOOK}`")))?;
    let runbook = Runbook::read(runbook).map_err(|error| unusable(error.to_string()))?;
    Ok(Opened {
        seal: Digest::of(list),
        manifest,
        runbook,
        files,
    })
}

/// The server of a command, checked against the bundle where there is one.
pub(super) fn server(
    session: &mut Session,
    options: &PlaceOptions,
    bundle: Option<&dyn Package>,
    computer: &str,
) -> Option<Server> {
    let place = if options.deployment {
        DEPLOYMENT.to_owned()
    } else {
        options.server.clone().unwrap_or_else(|| computer.to_owned())
    };
    let mut place = place;
    if let Some(package) = bundle.filter(|_| !options.deployment) {
        let names: Vec<&str> = package
            .manifest()
            .servers
            .iter()
            .map(|server| server.name.as_str())
            .collect();
        match names.iter().find(|name| name.eq_ignore_ascii_case(&place)) {
            Some(name) => place = (*name).to_owned(),
            None => {
                fail(
                    session,
                    Diagnostic::new(
                        codes::PLACE_UNKNOWN,
                        format!("the bundle has no server `{place}`"),
                    )
                    .help(format!("name one with `--server`: {}", one_of(names))),
                );
                return None;
            }
        }
    }
    Some(Server::new(
        place,
        // Programs start in a folder of their own, so a path must not depend on the present one.
        options
            .root
            .as_ref()
            .map(|root| std::path::absolute(root).unwrap_or_else(|_| root.clone())),
        variable("ProgramData"),
        variable("SystemRoot"),
    ))
}

/// Tells problems, each as a finding.
pub(super) fn tell(session: &mut Session, problems: &[Problem]) {
    for problem in problems {
        let code = codes::find(&problem.code).unwrap_or(codes::STATE_FAILED);
        let mut finding = Diagnostic::new(code, problem.message.clone());
        if let Some(help) = &problem.help {
            finding = finding.help(help.clone());
        }
        session.report_alone(finding);
    }
}

/// Tells that a command could not do its work.
pub(super) fn fail(session: &mut Session, finding: Diagnostic) {
    session.report_alone(finding);
    session.raise(Exit::Failure);
}
