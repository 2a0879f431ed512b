//! `cbgen why`: which inventory values and which template line made an output line, and the other way round.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::bundle::{MANIFEST, SUMS};
use crate::codes;
use crate::contract::manifest::Manifest;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::driver::Run;
use crate::files::{EntryKind, Files as _, is_absent};
use crate::inventory::Loaded;
use crate::render::Rendered;
use crate::source::Sources;
use crate::why::{self, Answer, Explorer, Impact, text};

use super::answers::json;
use super::args::{Why, WhyFormat};
use super::exit::Exit;
use super::folder::{has_extension, is_inventory};
use super::made_with::NotRead;
use super::session::Session;
use super::workshop::{Workshop, in_run, plain, shown, unreadable};

/// Largest output file that is looked at.
const MAX_OUTPUT_BYTES: u64 = 64 << 20;

/// Answers one question.
pub(super) fn run(session: &mut Session, arguments: &Why) {
    let Some(workshop) = Workshop::open(session, arguments.templates.templates.as_deref()) else {
        return;
    };
    let mut arguments = arguments.clone();
    // One spelling, for names are compared with those that manifests and layers give.
    arguments.place.file = plain(&as_here(&workshop, &arguments.place.file));
    let inventory = arguments.inventory.as_deref();
    arguments.inventory = inventory.map(|inventory| plain(&as_here(&workshop, inventory)));
    if arguments.impact {
        impact(session, &workshop, &arguments);
    } else {
        why(session, &workshop, &arguments);
    }
}

/// A path somebody copied from Windows, as this system writes it. A file whose name really holds `\` goes first.
fn as_here(workshop: &Workshop, file: &Path) -> PathBuf {
    let slashes = shown(file);
    if slashes.as_str() == file.to_string_lossy() || matches!(workshop.files.kind(file), Ok(Some(_))) {
        return file.to_owned();
    }
    slashes.into()
}

fn why(session: &mut Session, workshop: &Workshop, arguments: &Why) {
    let file = &arguments.place.file;
    let (tree, passed_over) = find_tree(workshop, file);
    let found = match (&arguments.inventory, &tree) {
        (Some(inventory), _) => Ok(inventory.clone()),
        (None, Some(tree)) => inventory_of(workshop, tree),
        (None, None) => Err(Vec::new()),
    };
    let on_disk = match workshop.files.read(file, MAX_OUTPUT_BYTES) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            let help = "name a file of an `out/NAME` tree and a line of it, for example `out/acme-prod/RUNBOOK.md:12`";
            return session.fail(unreadable(&shown(file), &error).help(help));
        }
    };
    let inventory = match found {
        Ok(inventory) => inventory,
        Err(not_these) => {
            let asks_the_other_way = !arguments.impact && is_inventory(&workshop.files, file);
            let message = if asks_the_other_way {
                format!("`{}` is an inventory, and no output of one", shown(file))
            } else {
                format!(
                    "it is unclear which inventory `{}` was compiled from",
                    shown(file)
                )
            };
            let finding = Diagnostic::new(codes::INVENTORY_UNCLEAR, message)
                .in_file(shown(file))
                .help(if asks_the_other_way {
                    "add `--impact`: it tells what a line of an inventory reaches"
                } else if arguments.impact {
                    "name the inventory with `--inventory FILE`"
                } else {
                    "name a file of an `out/NAME` tree, or the inventory with `--inventory FILE`; what a line of an inventory reaches is asked with `--impact`"
                });
            let notes = passed_over.into_iter().chain(not_these);
            session.report_alone(notes.fold(finding, Diagnostic::note));
            return;
        }
    };
    let path = match &tree {
        Some(tree) => tree.path.clone(),
        None => shown(file),
    };
    if [MANIFEST, SUMS].contains(&path.as_str()) {
        // No template makes these.
        let lines = on_disk.lines().count();
        if arguments.place.line > lines {
            return session.report_alone(no_such_line(file, lines, arguments.place.line));
        }
        return session.print(&format!(
            "{path} is written by cbgen itself: it lists every artifact with its digest, and the inputs\n"
        ));
    }
    let on_disk = on_disk.replace("\r\n", "\n");
    let not_read = tree.as_ref().and_then(|tree| templates_not_read(workshop, tree));
    let answer = workshop.with_run(session, &inventory, |workshop, run| {
        let (loaded, rendered) = compiled(workshop, run, &inventory)?;
        let explorer = explorer(workshop, run.sources, &loaded, &rendered);
        let mut found = Diagnostics::new();
        let answer = answer(&explorer, &mut found, &path, &on_disk, arguments, &inventory);
        match (&not_read, &answer) {
            // What is wrong follows from it, and building anew would not answer anything.
            (Some(not_read), Err(_)) => Err(run.diagnostics.error(not_read.finding())),
            (not_read, _) => {
                for finding in found.iter() {
                    let mut finding = finding.clone();
                    if let Some(reason) = not_read.as_ref().map(NotRead::finding) {
                        finding.notes.push(reason.message);
                        finding.help = reason.help;
                    }
                    run.diagnostics.push(finding);
                }
                answer
            }
        }
    });
    let Some(answer) = answer else { return };
    session.print(&match arguments.format {
        WhyFormat::Text => text::answer(&answer),
        WhyFormat::Json => json(&answer),
    });
}

/// Templates that a tree was made with and that are not read now.
fn templates_not_read(workshop: &Workshop, tree: &InTree) -> Option<NotRead> {
    let overlay = workshop.compiler.overlay();
    // Which inventories and layers are read is not known here, and why the line is stale is said anyway.
    let is_read = |path: &str| {
        has_extension(path, &["yaml", "yml", "exe"]) || overlay.iter().any(|input| input.path == path)
    };
    NotRead::of(&tree.folder, &tree.manifest, &is_read)
}

/// Compiles an inventory. Its warnings are not what was asked for; its errors are, since then there is no answer.
fn compiled<'a>(
    workshop: &'a Workshop,
    run: &mut Run<'_>,
    inventory: &Path,
) -> Result<(Loaded, Rendered<'a>), Reported> {
    let mut found = Diagnostics::new();
    let mut quiet = Run {
        sources: &mut *run.sources,
        diagnostics: &mut found,
        on_phase: &mut *run.on_phase,
    };
    let compiler = &workshop.compiler;
    let result = compiler
        .load(&mut quiet, &workshop.workspace, &shown(inventory))
        .and_then(|loaded| {
            let linted = compiler.compile_loaded(&mut quiet, &loaded)?;
            Ok((loaded, linted.into_rendered()))
        });
    if result.is_err() {
        run.diagnostics.append(found);
    }
    result
}

fn explorer<'a>(
    workshop: &'a Workshop,
    sources: &'a Sources,
    loaded: &'a Loaded,
    rendered: &'a Rendered<'a>,
) -> Explorer<'a> {
    let compiler = &workshop.compiler;
    Explorer::new(compiler.templates(), compiler.schema(), loaded, sources, rendered)
}

/// The answer about a line of a file on disk, which may be older than the inventory.
fn answer(
    explorer: &Explorer<'_>,
    diagnostics: &mut Diagnostics,
    path: &str,
    on_disk: &str,
    arguments: &Why,
    inventory: &Path,
) -> Result<Answer, Reported> {
    let (file, line) = (&arguments.place.file, arguments.place.line);
    let artifacts: BTreeMap<String, &str> = explorer.artifacts().collect();
    let exact = artifacts.get_key_value(path);
    let ending = || {
        artifacts
            .iter()
            .find(|(artifact, _)| path.ends_with(&format!("/{artifact}")))
    };
    let Some((artifact, compiled)) = exact.or_else(ending) else {
        return Err(diagnostics.error(
            Diagnostic::new(
                codes::NOT_AN_OUTPUT_LINE,
                format!("`{}` compiles to no file `{path}`", shown(inventory)),
            )
            .in_file(shown(file))
            .help("build again; a file of an earlier build, or one cbgen did not make, has no origin"),
        ));
    };
    let count = on_disk.lines().count();
    if line > count {
        return Err(diagnostics.error(no_such_line(file, count, line)));
    }
    let mut line_now = Some(line);
    if on_disk != *compiled {
        line_now = why::moved_line(on_disk, compiled, line);
        diagnostics.push(
            Diagnostic::new(
                codes::STALE_OUTPUT,
                format!(
                    "`{}` is not what `{}` compiles to now",
                    shown(file),
                    shown(inventory)
                ),
            )
            .in_file(shown(file))
            .note(match line_now {
                Some(now) if now == line => "the line itself is the same".to_owned(),
                Some(now) => format!("the same line is now line {now}"),
                None => "the line is not made any more".to_owned(),
            })
            .help(format!("run `cbgen build {}`", shown(inventory))),
        );
    }
    line_now
        .and_then(|line| explorer.why(artifact, line))
        .ok_or_else(|| {
            diagnostics.error(
                Diagnostic::new(
                    codes::NOT_AN_OUTPUT_LINE,
                    format!(
                        "line {line} of `{}` is not in what the inventory compiles to",
                        shown(file)
                    ),
                )
                .in_file(shown(file))
                .help(format!(
                    "run `cbgen build {}` and ask about the new line",
                    shown(inventory)
                )),
            )
        })
}

/// A file in an output tree.
struct InTree {
    folder: PathBuf,
    manifest: Manifest,
    /// Path below the tree, with forward slashes.
    path: String,
}

/// The tree a file lies in: the nearest folder above it that holds a manifest of cbgen. Beside it, why each file of that
/// name on the way is none: other programs have manifests too, and one of cbgen may be damaged.
fn find_tree(workshop: &Workshop, file: &Path) -> (Option<InTree>, Vec<String>) {
    let mut passed_over = Vec::new();
    for folder in file.ancestors().skip(1) {
        let name = folder.join(MANIFEST);
        let why = match workshop.files.read(&name, MAX_OUTPUT_BYTES) {
            Ok(bytes) => match Manifest::read(&bytes) {
                Ok(manifest) => {
                    let tree = InTree {
                        folder: folder.to_owned(),
                        manifest,
                        path: shown(file.strip_prefix(folder).unwrap_or(file)),
                    };
                    return (Some(tree), passed_over);
                }
                Err(error) => error.to_string(),
            },
            Err(error) if is_absent(&error) => continue,
            Err(error) => error.to_string(),
        };
        passed_over.push(format!("`{}` cannot be read: {why}", shown(&name)));
    }
    (None, passed_over)
}

/// The inventory a tree was compiled from: the input of its manifest that compiles to a bundle of its name. Looked for
/// where cbgen runs, and beside the output folder. `Err` says of every inventory that was looked at why it is not the one.
fn inventory_of(workshop: &Workshop, tree: &InTree) -> Result<PathBuf, Vec<String>> {
    let beside = tree
        .folder
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    let inputs = tree
        .manifest
        .inputs
        .iter()
        .filter(|input| !input.path.starts_with("templates/"));
    let mut candidates: Vec<PathBuf> = Vec::new();
    for input in inputs {
        for candidate in [PathBuf::from(&input.path), beside.join(&input.path)] {
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    let mut not_these = Vec::new();
    for path in candidates {
        let name = shown(&path);
        match quietly(workshop, &path).0 {
            Some(loaded) if loaded.inventory.bundle.name == tree.manifest.bundle.name => return Ok(path),
            Some(loaded) => not_these.push(format!(
                "`{name}` makes the bundle `{}`",
                loaded.inventory.bundle.name
            )),
            // Layers and files that are gone explain nothing.
            None if matches!(workshop.files.kind(&path), Ok(None))
                || !is_inventory(&workshop.files, &path) => {}
            None => not_these.push(format!("`{name}` has errors, which `cbgen check {name}` shows")),
        }
    }
    Err(not_these)
}

/// What was read of an inventory.
struct Read {
    sources: Sources,
    /// Whether something may be missing, so that nobody knows all it extends.
    in_part: bool,
}

/// An inventory, if the file is one. Its mistakes are not kept: who gets `None` says that there are some, or has them
/// reported.
fn quietly(workshop: &Workshop, path: &Path) -> (Option<Loaded>, Read) {
    let compiler = &workshop.compiler;
    let (loaded, sources, diagnostics) = in_run(compiler.sources(), |run| {
        compiler.load(run, &workshop.workspace, &shown(path))
    });
    // From this code on, every value was read.
    let in_part = diagnostics
        .iter()
        .any(|finding| finding.code < codes::AMBIGUOUS_SCALAR);
    (loaded.ok(), Read { sources, in_part })
}

fn impact(session: &mut Session, workshop: &Workshop, arguments: &Why) {
    let (file, line) = (shown(&arguments.place.file), arguments.place.line);
    let inventories = match &arguments.inventory {
        Some(inventory) => vec![inventory.clone()],
        None => match inventories_with(workshop, &arguments.place.file) {
            Ok(inventories) => inventories,
            Err(finding) => {
                session.fail(*finding);
                return;
            }
        },
    };
    let mut answers: Vec<(String, Impact)> = Vec::new();
    for inventory in &inventories {
        let found = workshop.with_run(session, inventory, |workshop, run| {
            let (loaded, rendered) = compiled(workshop, run, inventory)?;
            let source = run.sources.find(&file).and_then(|id| run.sources.get(id));
            let count = source.map_or(0, crate::source::SourceFile::line_count);
            if line > count {
                return Err(run.diagnostics.error(
                    Diagnostic::new(
                        codes::NOT_AN_INVENTORY_LINE,
                        format!("line {line} of `{file}` is not part of `{}`", shown(inventory)),
                    )
                    .in_file(&*file)
                    .help("name a line of the inventory or of a file it extends"),
                ));
            }
            Ok(explorer(workshop, run.sources, &loaded, &rendered).impact(
                &file,
                line,
                arguments.to.as_deref(),
            ))
        });
        answers.extend(found.map(|impact| (shown(inventory), impact)));
    }
    let sections = answers.iter().flat_map(|(_, impact)| &impact.values);
    if sections.clone().any(|section| !section.refused.is_empty()) {
        session.raise(Exit::Findings);
    }
    let one =
        |inventory: &str, impact: &Impact| serde_json::json!({ "inventory": inventory, "impact": impact });
    session.print(&match (arguments.format, answers.as_slice()) {
        (WhyFormat::Text, answers) => {
            let texts = answers
                .iter()
                .map(|(inventory, impact)| text::impact(impact, inventory));
            texts.collect::<Vec<_>>().join("\n")
        }
        // One document, also for a layer of several inventories.
        (WhyFormat::Json, [(inventory, impact)]) => json(&one(inventory, impact)),
        (WhyFormat::Json, answers) => {
            let all = answers.iter().map(|(inventory, impact)| one(inventory, impact));
            json(&all.collect::<Vec<_>>())
        }
    });
}

/// The inventories a file is part of: itself, or, when it is a layer, those in its folder and the one above that extend
/// it. One with mistakes is among them when it extends the file or cannot be read at all: its mistakes are reported, where
/// leaving it out would make the answer look complete. When there is none the file itself, for the same reason.
///
/// Errors: a folder that cannot be listed.
fn inventories_with(workshop: &Workshop, file: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    if quietly(workshop, file).0.is_some() || is_inventory(&workshop.files, file) {
        return Ok(vec![file.to_owned()]);
    }
    let wanted = shown(file);
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        let entries = match workshop.files.children(folder) {
            Ok(entries) => entries,
            // The file is not there either, which is reported where it is read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let folder = if folder.as_os_str().is_empty() {
                    ".".to_owned()
                } else {
                    shown(folder)
                };
                return Err(Box::new(
                    Diagnostic::new(
                        codes::UNREADABLE_FILE,
                        format!("the folder `{folder}` cannot be read: {error}"),
                    )
                    .in_file(folder)
                    .note("inventories that extend the file may be in it")
                    .help("name the inventory with `--inventory FILE`"),
                ));
            }
        };
        for entry in entries {
            let path = folder.join(&entry.path);
            if !matches!(entry.kind, EntryKind::File | EntryKind::Link)
                || !has_extension(&shown(&path), &["yaml", "yml"])
                || path == file
            {
                continue;
            }
            let is_part = match quietly(workshop, &path) {
                (Some(loaded), _) => loaded.inputs.iter().any(|input| input.name == wanted),
                (None, read) => {
                    is_inventory(&workshop.files, &path)
                        && (read.sources.find(&wanted).is_some() || read.in_part)
                }
            };
            if is_part {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        found.push(file.to_owned());
    }
    Ok(found)
}

fn no_such_line(file: &Path, count: usize, line: usize) -> Diagnostic {
    Diagnostic::new(
        codes::NOT_AN_OUTPUT_LINE,
        format!("`{}` has {count} lines, so there is no line {line}", shown(file)),
    )
    .in_file(shown(file))
    .help("count from 1, as editors do")
}
