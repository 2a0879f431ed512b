//! `cbgen build`: many inventories in one run, one bundle each.
//!
//! Inventories are compiled and staged one by one on every core, put in place some at a time, because the disk is waited
//! for once each time, and then forgotten, so memory does not grow with their number. Findings are printed in the order of
//! the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::bundle::archive::Press;
use crate::bundle::tree::{self, Prepared, Written};
use crate::bundle::{Bundle, MANIFEST};
use crate::codes::{self, Severity};
use crate::contract::manifest::Manifest;
use crate::contract::runbook::{RUNBOOK, Runbook};
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::driver::Run;
use crate::files::{EntryKind, Files as _};
use crate::report::Counts;
use crate::source::Sources;

use super::answers::{self, BuildState, Built, Named};
use super::args::{AnswerFormat, Build};
use super::exit::Exit;
use super::made_with;
use super::parallel::for_each_in_order;
use super::phases::{Progress, Stopwatch};
use super::session::Session;
use super::workshop::{Workshop, in_run, shown};

/// Largest manifest that is looked at.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Most bundles that are put in place together. A killed run has at most so many bundles per core still to write.
const MOST_TOGETHER: usize = 32;

/// What became of one inventory.
struct Compiled {
    sources: Sources,
    diagnostics: Diagnostics,
    result: Result<Made, Reported>,
    times: Stopwatch,
}

/// What standard output says of an inventory that compiles.
#[derive(Debug, Default)]
struct Made {
    bundle: Named,
    state: Option<BuildState>,
    lines: Vec<String>,
}

/// The output folder; the project file or its absence decided it.
fn output_of(arguments: &Build) -> &Path {
    arguments.output.as_deref().unwrap_or(Path::new(""))
}

/// Builds every inventory. An error in one does not stop the others; the last lines name those that failed.
pub(super) fn run(session: &mut Session, arguments: &Build) {
    let mut times = Stopwatch::default();
    times.begin("templates");
    let is_text = arguments.format == AnswerFormat::Text;
    let mut answer = answers::Builds {
        format: answers::FORMAT,
        check: arguments.check,
        inventories: Vec::new(),
    };
    let opened = Workshop::open_for(
        session,
        arguments.templates.templates.as_deref(),
        &arguments.inventories,
    );
    let workshop = match opened {
        Ok(workshop) => workshop,
        Err(found) => {
            answer.inventories = found.into_iter().map(not_built).collect();
            if !is_text {
                session.print(&answers::json(&answer));
            }
            return;
        }
    };
    let inventories = &arguments.inventories;
    times.begin("names");
    let shared = if inventories.len() > 1 {
        shared_names(&workshop, inventories)
    } else {
        BTreeMap::new()
    };
    times.stop();
    let progress = Progress::new(session.is_for_people(), inventories.len());
    let press = Press::default();
    let mut failed = Vec::new();
    for_each_in_order(
        inventories.len(),
        MOST_TOGETHER,
        |indices| {
            let built = indices
                .filter_map(|index| Some((index, inventories.get(index)?)))
                .map(|(index, inventory)| {
                    let shared = shared.get(&index);
                    build(&workshop, &press, inventory, shared, arguments, &progress)
                })
                .collect();
            put_in_place(&workshop, built)
        },
        |index, outcome: Compiled| {
            let subject = shown(inventories.get(index).expect("the index of an inventory"));
            progress.paused(|| {
                let counts = session.report(&subject, &outcome.sources, &outcome.diagnostics);
                let made = outcome
                    .result
                    .as_ref()
                    .ok()
                    .filter(|_| counts.errors == 0 || arguments.check);
                answer.inventories.push(Built {
                    inventory: subject.clone(),
                    state: made.and_then(|made| made.state).unwrap_or(BuildState::Failed),
                    errors: counts.errors,
                    warnings: counts.warnings,
                    bundle: made.map(|made| made.bundle.clone()),
                });
                let good = outcome.result.as_ref().ok().filter(|_| counts.errors == 0);
                for line in good.iter().filter(|_| is_text).flat_map(|made| &made.lines) {
                    session.print(&format!("{line}\n"));
                }
                if good.is_none_or(|made| made.state == Some(BuildState::Differs)) {
                    session.raise(Exit::Findings);
                    failed.push(subject);
                }
            });
            times.add(&outcome.times);
            progress.advance();
        },
    );
    progress.finish();
    session.release();
    if !is_text {
        session.print(&answers::json(&answer));
    }
    if arguments.timings {
        session.remark(&times.table(), is_text);
    }
    if inventories.len() > 1 && !failed.is_empty() {
        let what = if arguments.check {
            "inventories failed or differ"
        } else {
            "inventories failed"
        };
        let text = format!(
            "{} of {} {what}: {}",
            failed.len(),
            inventories.len(),
            failed.join(", ")
        );
        session.headline(Severity::Error, &text);
    }
}

/// What is said of an inventory when templates have mistakes.
fn not_built((inventory, counts): (String, Counts)) -> Built {
    Built {
        inventory,
        state: BuildState::Failed,
        errors: counts.errors,
        warnings: counts.warnings,
        bundle: None,
    }
}

/// An inventory whose bundle is compiled, and staged unless `--check` only compares.
struct Staged {
    outcome: Compiled,
    prepared: Option<Prepared>,
}

/// Puts the bundles of some inventories in place, and says so in their outcomes.
fn put_in_place(workshop: &Workshop, built: Vec<Staged>) -> Vec<Compiled> {
    let mut times = Stopwatch::default();
    times.begin("write");
    let (mut outcomes, prepared): (Vec<Compiled>, Vec<Option<Prepared>>) =
        built.into_iter().map(|one| (one.outcome, one.prepared)).unzip();
    let staged: Vec<bool> = prepared.iter().map(Option::is_some).collect();
    let mut results = tree::commit(&workshop.files, prepared.into_iter().flatten().collect()).into_iter();
    for (outcome, _) in outcomes.iter_mut().zip(staged).filter(|(_, staged)| *staged) {
        match results.next() {
            Some(Ok(written)) => {
                if let Ok(made) = &mut outcome.result {
                    made.state = Some(made.bundle.written(&written));
                    made.lines.extend(lines_of(&written, &made.bundle));
                }
            }
            Some(Err(finding)) => outcome.result = Err(outcome.diagnostics.error(finding)),
            None => {}
        }
    }
    times.stop();
    if let Some(outcome) = outcomes.first_mut() {
        outcome.times.add(&times);
    }
    outcomes
}

fn build(
    workshop: &Workshop,
    press: &Press,
    inventory: &Path,
    shared: Option<&Shared>,
    arguments: &Build,
    progress: &Progress,
) -> Staged {
    let mut sources = workshop.compiler.sources();
    let mut diagnostics = Diagnostics::new();
    let mut times = Stopwatch::default();
    let subject = shown(inventory);
    let result = {
        let mut run = Run {
            sources: &mut sources,
            diagnostics: &mut diagnostics,
            on_phase: &mut |name| {
                times.begin(name);
                progress.phase(&subject, name);
            },
        };
        match shared {
            Some(shared) => Err(run.diagnostics.error(same_bundle(shared))),
            None => make(workshop, press, &mut run, &subject, arguments),
        }
    };
    times.stop();
    let (result, prepared) = match result {
        Ok((made, prepared)) => (Ok(made), prepared),
        Err(reported) => (Err(reported), None),
    };
    Staged {
        outcome: Compiled {
            sources,
            diagnostics,
            result,
            times,
        },
        prepared,
    }
}

fn make(
    workshop: &Workshop,
    press: &Press,
    run: &mut Run<'_>,
    inventory: &str,
    arguments: &Build,
) -> Result<(Made, Option<Prepared>), Reported> {
    let bundle = workshop.compiler.compile(run, &workshop.workspace, inventory)?;
    let mut made = Made {
        bundle: Named {
            name: bundle.name().to_owned(),
            version: bundle.manifest().bundle.version.clone(),
            id: bundle.id().to_string(),
            seal: bundle.seal().to_string(),
            tree: format!("{}/{}", shown(output_of(arguments)), bundle.name()),
            archive: format!("{}/{}", shown(output_of(arguments)), bundle.archive_name()),
            work: work_of(&bundle),
            ..Named::default()
        },
        ..Made::default()
    };
    if arguments.check {
        (run.on_phase)("compare");
        let differs = differs(workshop, press, run.diagnostics, output_of(arguments), &bundle)?;
        let (state, words) = if differs {
            (BuildState::Differs, "differs")
        } else {
            (BuildState::UpToDate, "is up to date")
        };
        made.state = Some(state);
        made.lines.push(format!("{} {words}", made.bundle.tree));
        return Ok((made, None));
    }
    (run.on_phase)("write");
    let prepared = tree::prepare(
        run.diagnostics,
        &workshop.files,
        press,
        output_of(arguments),
        &bundle,
    )?;
    Ok((made, Some(prepared)))
}

/// Whether the output differs from what an inventory compiles to, which is told.
fn differs(
    workshop: &Workshop,
    press: &Press,
    diagnostics: &mut Diagnostics,
    output: &Path,
    bundle: &Bundle,
) -> Result<bool, Reported> {
    if matches!(
        workshop.files.kind(output),
        Ok(Some(EntryKind::File | EntryKind::Other))
    ) {
        return Err(diagnostics.error(tree::no_folder(output)));
    }
    let tree = format!("{}/{}", shown(output), bundle.name());
    if matches!(workshop.files.kind(Path::new(&tree)), Ok(None)) {
        diagnostics.push(
            Diagnostic::new(codes::OUTPUT_DIFFERS, format!("`{tree}` is not there"))
                .in_file(tree)
                .help("run `cbgen build` without `--check`, and commit what it writes"),
        );
        return Ok(true);
    }
    let comparison = tree::compare(&workshop.files, press, output, bundle).map_err(|error| {
        let output = shown(output);
        let message = format!("`{output}` cannot be read: {error}");
        diagnostics.error(Diagnostic::new(codes::OUTPUT_FAILED, message).in_file(output))
    })?;
    if comparison.differences.is_empty() {
        return Ok(false);
    }
    let differences = tree::findings(&comparison.differences, output);
    match not_read_now(workshop, output, bundle) {
        // All of them follow from it, as far as anybody can tell, and building anew would be wrong.
        Some(not_read) if not_read.are_templates() => {
            diagnostics.push(not_read.finding().note(match differences.len() {
                1 => "1 file of it is not what the inventory compiles to without them".to_owned(),
                many => format!("{many} files of it are not what the inventory compiles to without them"),
            }));
        }
        not_read => {
            for finding in differences {
                diagnostics.push(finding);
            }
            if let Some(not_read) = not_read {
                diagnostics.push(not_read.finding());
            }
        }
    }
    Ok(true)
}

/// Says which files the tree was made from that this run does not read: templates laid over it, most of the time.
fn not_read_now(workshop: &Workshop, output: &Path, bundle: &Bundle) -> Option<made_with::NotRead> {
    let folder = output.join(bundle.name());
    let bytes = workshop
        .files
        .read(&folder.join(MANIFEST), MAX_MANIFEST_BYTES)
        .ok()?;
    let old = Manifest::read(&bytes).ok()?;
    let now = &bundle.manifest().inputs;
    made_with::NotRead::of(&folder, &old, &|path| now.iter().any(|input| input.path == path))
}

/// What the runbook of a bundle asks of people.
fn work_of(bundle: &Bundle) -> Option<String> {
    let file = bundle.files().get(RUNBOOK)?;
    Some(Runbook::read(&file.deployed).ok()?.summary())
}

/// What standard output says about a bundle that was written.
fn lines_of(written: &Written, bundle: &Named) -> Vec<String> {
    let what = match &written.old {
        _ if !written.changed => "unchanged",
        _ if written.completed => "unchanged, its archive was made",
        Some(_) => "replaced",
        None => "written",
    };
    let mut lines = vec![
        format!("{} {what}", bundle.tree),
        format!("{} seal {}", bundle.archive, written.new_seal.spoken()),
    ];
    lines.extend(bundle.work.iter().map(|work| format!("  {work}")));
    lines.extend(written.replaced(&bundle.version).map(|seal| {
        format!(
            "  version {} had other content: seal {}",
            bundle.version,
            seal.spoken()
        )
    }));
    let removed = written.removed_stale.iter();
    lines.extend(removed.map(|path| format!("  removed {path}, which is no longer made")));
    let kept = written.foreign.iter();
    lines.extend(kept.map(|path| format!("  kept {path}, which cbgen did not make")));
    lines
}

/// Inventories whose output would have the same name: the first of them, and the others.
#[derive(Clone, Debug)]
struct Shared {
    what: Name,
    first: String,
    others: Vec<String>,
}

/// What two inventories must not share; in lower case, as file systems may ignore it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    /// The name of the bundle, which is that of its tree.
    Bundle(String),
    /// The name of the archive, which joins two fields.
    Archive(String),
}

/// Inventories that share a name: by index, with the others' names. Read ahead of the build, because bundles are written
/// before the last inventory is compiled.
fn shared_names(workshop: &Workshop, inventories: &[PathBuf]) -> BTreeMap<usize, Shared> {
    let mut users: BTreeMap<Name, BTreeSet<usize>> = BTreeMap::new();
    let names = |index: usize| {
        let subject = shown(inventories.get(index).expect("the index of an inventory"));
        let (loaded, _, _) = in_run(Sources::new(), |run| {
            workshop.compiler.load(run, &workshop.workspace, &subject)
        });
        let bundle = loaded.ok()?.inventory.bundle;
        let archive = format!("{}-{}", bundle.name, bundle.version);
        Some([
            Name::Archive(archive.to_lowercase()),
            Name::Bundle(bundle.name.to_lowercase()),
        ])
    };
    for_each_in_order(
        inventories.len(),
        MOST_TOGETHER,
        |indices| indices.map(names).collect(),
        |index, names| {
            for name in names.into_iter().flatten() {
                users.entry(name).or_default().insert(index);
            }
        },
    );
    let mut shared = BTreeMap::new();
    // In reverse order: where both names are shared, the archive's is replaced by the bundle's, which explains it.
    for (what, indices) in users.into_iter().rev().filter(|(_, indices)| indices.len() > 1) {
        let mut names = indices.iter().filter_map(|index| inventories.get(*index));
        let Some(first) = names.next() else { continue };
        let of_all = Shared {
            what,
            first: shown(first),
            others: names.map(|path| shown(path)).collect(),
        };
        shared.extend(indices.into_iter().map(|index| (index, of_all.clone())));
    }
    shared
}

/// Two outputs of one name would replace each other: none of them is written. All inventories have the same finding, which is
/// said once.
fn same_bundle(shared: &Shared) -> Diagnostic {
    let (code, message, help) = match &shared.what {
        Name::Bundle(name) => (
            codes::SAME_BUNDLE,
            format!("the bundle name `{name}` is used by more than one inventory of this build"),
            "give each inventory its own `bundle.name`",
        ),
        Name::Archive(name) => (
            codes::ARCHIVE_TAKEN,
            format!("the archive name `{name}.zip` is used by more than one inventory of this build"),
            "change `bundle.name` or `bundle.version` so that each archive has a name of its own",
        ),
    };
    Diagnostic::new(code, message)
        .in_file(shared.first.as_str())
        .note(format!("also used by {}", shared.others.join(", ")))
        .help(help)
}
