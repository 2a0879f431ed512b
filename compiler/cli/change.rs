//! What the commands of the change window share: the bundle, the server, and how problems are told.

use std::collections::BTreeMap;
use std::path::Path;

use crate::change::apply::state_failed;
use crate::change::disk::{Disk as _, Found, RealDisk};
use crate::change::history::History;
use crate::change::journal::Journal;
use crate::change::machine::Machine;
use crate::change::plan::Desk;
use crate::change::problem::Problem;
use crate::change::server::Server;
use crate::change::state::State;
use crate::change::steps::{DEPLOYMENT, Package, Selection, server_of};
use crate::change::verify::{Vouchers, verify as verified};
use crate::codes;
use crate::contract::digest::Digest;
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::contract::runbook::{RUNBOOK, Runbook};
use crate::diag::{Diagnostic, one_of};
use crate::files::DiskFiles;

use super::bundles::read_signers;
use super::change_args::{PlaceOptions, StepOptions, WorkOptions};
use super::clock;
use super::exit::Exit;
use super::machine::variable;
use super::session::Session;
use super::workshop::shown;

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

/// Opens a bundle and checks all of it, as `cbgen verify` does, before anything of it is used; what is wrong with it is told.
/// With `signers`, a bundle that none of them signed is refused.
fn open(session: &mut Session, place: &Path, signers: Option<&Path>) -> Option<Opened> {
    let refused = match read(place, signers) {
        Ok((opened, warnings)) => {
            session.report_files(&shown(place), warnings);
            return Some(opened);
        }
        Err(findings) => findings,
    };
    session.report_files(&shown(place), refused);
    session.raise(Exit::Failure);
    None
}

fn read(place: &Path, signers: Option<&Path>) -> Result<(Opened, Vec<Diagnostic>), Vec<Diagnostic>> {
    let disk = DiskFiles::new("");
    let trusted = match signers {
        None => None,
        Some(path) => Some((read_signers(&disk, path)?, shown(path))),
    };
    let vouchers = trusted.as_ref().map(|(signers, name)| Vouchers {
        signers,
        name,
        now: clock::now(),
    });
    let bundle = verified(&disk, place, vouchers)?;
    let one = |finding: Box<Diagnostic>| vec![*finding];
    bundle.require_deployed().map_err(one)?;
    let unusable = |why: String| {
        vec![
            Diagnostic::new(codes::RUNBOOK_UNUSABLE, why)
                .in_file(shown(place))
                .help("build the bundle with a cbgen of this version"),
        ]
    };
    let runbook = bundle
        .runbook()
        .ok_or_else(|| unusable(format!("the bundle has no `{RUNBOOK}`")))?
        .map_err(one)?;
    let runbook = Runbook::read(&runbook).map_err(|error| unusable(error.to_string()))?;
    // What is applied is what was checked: the bundle is not read a second time.
    let mut files = BTreeMap::new();
    for (path, _, _) in bundle.files() {
        files.insert(path.clone(), bundle.read(path).map_err(one)?);
    }
    let opened = Opened {
        seal: bundle.seal(),
        manifest: bundle.manifest().clone(),
        runbook,
        files,
    };
    Ok((opened, bundle.warnings().to_vec()))
}

/// What `plan` and `apply` begin with.
pub(super) struct Begun {
    pub(super) package: Opened,
    pub(super) server: Server,
    pub(super) state: State,
    pub(super) journal: Journal,
}

/// Opens the bundle, and what is kept of it on the server; what is wrong is told.
pub(super) fn begin(session: &mut Session, options: &WorkOptions, machine: &dyn Machine) -> Option<Begun> {
    let package = open(session, &options.bundle, options.signers.as_deref())?;
    let server = server(session, &options.place, Some(&package), &machine.computer())?;
    let state = state_of(&server, &package);
    match Journal::open(&RealDisk, state.journal()) {
        Ok(journal) => Some(Begun {
            package,
            server,
            state,
            journal,
        }),
        Err(error) => {
            refuse(session, &[state_failed(&state.windows, &error)]);
            None
        }
    }
}

impl Begun {
    /// Everything a plan is made of.
    pub(super) fn desk<'a>(&'a self, machine: &'a dyn Machine, history: &'a History) -> Desk<'a> {
        Desk {
            package: &self.package,
            server: &self.server,
            disk: &RealDisk,
            machine,
            history,
        }
    }
}

/// The bundle, where one is named, and the server; what is wrong is told.
pub(super) fn named(
    session: &mut Session,
    bundle: Option<&Path>,
    options: &PlaceOptions,
    machine: &dyn Machine,
) -> Option<(Option<Opened>, Server)> {
    let package = match bundle {
        None => None,
        Some(bundle) => Some(open(session, bundle, None)?),
    };
    let known = package.as_ref().map(|package| package as &dyn Package);
    let server = server(session, options, known, &machine.computer())?;
    Some((package, server))
}

/// What is kept of a bundle on a server.
pub(super) fn state_of(server: &Server, package: &dyn Package) -> State {
    let bundle = &package.manifest().bundle;
    State::of(server, &RealDisk, &bundle.name, &bundle.version)
}

/// The server of a command, checked against the bundle where there is one.
fn server(
    session: &mut Session,
    options: &PlaceOptions,
    bundle: Option<&dyn Package>,
    computer: &str,
) -> Option<Server> {
    if let Some(root) = &options.root {
        let looked = RealDisk.look(root);
        // A copy may lie behind a link.
        if !matches!(looked, Ok(Some(Found::Folder | Found::Link))) {
            session.fail(
                Diagnostic::new(
                    codes::NOT_A_SERVER,
                    format!("the folder `{}` of `--root` is not there", shown(root)),
                )
                .help("name the folder in which `C:\\X` of the server is `C/X`"),
            );
            return None;
        }
    }
    let mut place = if options.deployment {
        DEPLOYMENT.to_owned()
    } else {
        options.server.clone().unwrap_or_else(|| computer.to_owned())
    };
    if let Some(package) = bundle.filter(|_| !options.deployment) {
        let names: Vec<&str> = package
            .manifest()
            .servers
            .iter()
            .map(|server| server.name.as_str())
            .collect();
        let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(&place)) else {
            session.fail(
                Diagnostic::new(
                    codes::PLACE_UNKNOWN,
                    format!("the bundle has no server `{place}`"),
                )
                .help(format!("name one with `--server`: {}", one_of(names))),
            );
            return None;
        };
        (*name).clone_into(&mut place);
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

/// The wanted steps; numbers that are not there are told.
pub(super) fn selection(session: &mut Session, desk: &Desk<'_>, options: &StepOptions) -> Option<Selection> {
    let selection = Selection {
        phases: options.phase.clone(),
        from: options.from,
        until: options.until,
    };
    let unknown = [options.from, options.until]
        .into_iter()
        .flatten()
        .find(|number| {
            desk.package
                .runbook()
                .step(server_of(&desk.server.place), *number)
                .is_none()
        });
    if let Some(number) = unknown {
        session.fail(
            Diagnostic::new(
                codes::UNKNOWN_STEP,
                format!("{} has no step {number}", desk.server.place),
            )
            .help("the numbers stand in RUNBOOK.md of the bundle"),
        );
        return None;
    }
    let chooses = selection != Selection::default();
    if chooses
        && selection
            .choose(desk.package.runbook(), &desk.server.place)
            .is_empty()
    {
        let phases: Vec<&str> = options.phase.iter().map(|phase| phase.name()).collect();
        let which = match phases.as_slice() {
            [] => "between these numbers".to_owned(),
            phases => format!("in the phase {}", one_of(phases.iter().copied())),
        };
        session.fail(Diagnostic::new(
                codes::UNKNOWN_STEP,
                format!("{} has no step {which}", desk.server.place),
            )
            .help("`cbgen plan` without these options lists the steps of this place; RUNBOOK.md has a command for each place and phase"),
        );
        return None;
    }
    Some(selection)
}

/// Tells problems, each as a finding: the command could not do its work.
pub(super) fn refuse(session: &mut Session, problems: &[Problem]) {
    for problem in problems {
        let code = codes::find(&problem.code).unwrap_or(codes::STATE_FAILED);
        let mut finding = Diagnostic::new(code, problem.message.clone());
        if let Some(help) = &problem.help {
            finding = finding.help(help.clone());
        }
        session.report_alone(finding);
    }
    session.raise(Exit::Failure);
}
