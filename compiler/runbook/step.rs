//! One planned artifact or step as a step of the runbook, with the words for what an effect means to people.
//!
//! This file must not know where a step stands.

use super::values;
use crate::contract::artifact::{Effect, Rollback};
use crate::contract::runbook::{Applied, Step, StepKind, StepNumber};
use crate::plan::Planned;

/// The step of an entry. `text` is its rendered body, `files` what its script puts in place or runs.
pub(super) fn step(
    entry: &Planned<'_>,
    server: Option<&str>,
    number: StepNumber,
    text: &str,
    files: &[&Planned<'_>],
) -> Step {
    let front = &entry.template.front;
    let mut restarts = entry.restarts.clone();
    let mut requirements = front.requirements.clone();
    let (mut breaks, mut restores) = (front.breaks.clone(), front.restores.clone());
    for file in files {
        let more = &file.template.front;
        add_new(&mut restarts, &file.restarts);
        add_new(&mut requirements, &more.requirements);
        add_new(&mut breaks, &more.breaks);
        add_new(&mut restores, &more.restores);
    }
    let kind = front.effect.map_or(StepKind::Manual, kind);
    let or = |lines: &[String], default: Option<String>| {
        if lines.is_empty() {
            default.into_iter().collect()
        } else {
            lines.to_vec()
        }
    };
    Step {
        number,
        phase: front.phase,
        server: server.map(str::to_owned),
        title: entry.title.clone(),
        kind,
        artifact: entry.path.clone(),
        arguments: front.arguments.clone(),
        target: entry.target.clone(),
        effect: front.effect,
        format: front.effect.map(|_| front.format),
        applies: files
            .iter()
            .filter_map(|file| {
                Some(Applied {
                    title: file.title.clone(),
                    artifact: file.path.clone()?,
                    effect: file.template.front.effect?,
                    target: file.target.clone(),
                })
            })
            .collect(),
        values: if kind == StepKind::Edit {
            values::values(front.format, text)
        } else {
            Vec::new()
        },
        before: entry.runbook.before.clone(),
        todo: or(&entry.runbook.todo, front.effect.and_then(default_todo)),
        text: if entry.is_step() {
            text.trim().to_owned()
        } else {
            String::new()
        },
        check: or(&entry.runbook.check, front.effect.and_then(default_check)),
        later: entry.runbook.later.clone(),
        undo: or(&entry.runbook.undo, default_undo(&entry.rollback)),
        rollback: entry.rollback.clone(),
        one_way: entry.rollback == Rollback::OneWay,
        restarts,
        requirements,
        needs: None,
        breaks,
        restores,
        moves_away: front.moves_away.clone(),
        minutes: minutes(entry),
        undo_minutes: front
            .undo_minutes
            .unwrap_or_else(|| undo_minutes(&entry.rollback)),
    }
}

fn add_new<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

fn kind(effect: Effect) -> StepKind {
    match effect {
        Effect::TransformXml | Effect::SetTerms | Effect::SetLines | Effect::ReplaceReferences => {
            StepKind::Edit
        }
        Effect::ReplaceFile => StepKind::Replace,
        Effect::ImportRegistry => StepKind::Registry,
        Effect::RunSql => StepKind::Sql,
        Effect::RunScript => StepKind::Script,
        Effect::Read => StepKind::Manual,
    }
}

/// Minutes of a step: what its template states, or what is assumed of its kind when cbgen does it and a person looks on.
/// A step by hand states its minutes: that is checked where templates are read.
pub(super) fn minutes(entry: &Planned<'_>) -> u32 {
    entry
        .template
        .front
        .minutes
        .unwrap_or(match entry.template.front.effect {
            None | Some(Effect::Read) => 5,
            Some(Effect::RunScript | Effect::RunSql) => 2,
            Some(
                Effect::TransformXml
                | Effect::SetTerms
                | Effect::SetLines
                | Effect::ReplaceReferences
                | Effect::ReplaceFile
                | Effect::ImportRegistry,
            ) => 1,
        })
}

/// Saved files are put back all at once, in seconds; scripts that go back take as long as those that went forth.
fn undo_minutes(rollback: &Rollback) -> u32 {
    match rollback {
        Rollback::Artifact(_) => 2,
        Rollback::Captured | Rollback::OneWay | Rollback::Nothing => 0,
    }
}

/// What applying an artifact does, as the runbook says it.
pub fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::ReplaceFile => "replaces the file",
        Effect::TransformXml => "changes elements of the XML file",
        Effect::SetTerms => "changes terms of the file",
        Effect::SetLines => "changes lines of the file",
        Effect::ReplaceReferences => "changes addresses in the script",
        Effect::ImportRegistry => "registry values",
        Effect::RunSql => "changes the database",
        Effect::RunScript => "script to run as administrator",
        Effect::Read => "to read",
    }
}

fn default_todo(effect: Effect) -> Option<String> {
    let text = match effect {
        Effect::ReplaceFile => {
            "Copy the present file to the backup folder, unless a copy is there already. Then copy this one in its place."
        }
        Effect::TransformXml => {
            "Copy the present file to the backup folder, unless a copy is there already. Make the changes the transform names, \
             each found by its key or name; if one is not there, stop and ask."
        }
        Effect::SetTerms | Effect::SetLines => {
            "Copy the present file to the backup folder, unless a copy is there already. Set the named values in the existing \
             lines; if one is not there, stop and ask. Add nothing."
        }
        Effect::ReplaceReferences => {
            "Copy the present file to the backup folder, unless a copy is there already. Replace the whole addresses the list names."
        }
        Effect::ImportRegistry => {
            "Save the key with `reg export`, import this file with `reg import`, and read every value back with `reg query`: \
             the import reports success for lines it ignored."
        }
        Effect::RunSql => "Run it with sqlcmd as the heading of the script says.",
        Effect::RunScript => "Run it in an administrator command prompt from the folder it lies in.",
        Effect::Read => return None,
    };
    Some(text.to_owned())
}

fn default_check(effect: Effect) -> Option<String> {
    match effect {
        Effect::RunScript => Some("It ends with exit code 0: `echo %ERRORLEVEL%` prints `0`.".to_owned()),
        Effect::TransformXml | Effect::SetTerms | Effect::SetLines | Effect::ReplaceReferences => Some(
            "Compare the file with the saved copy, for example with `fc /n`: only the named values differ."
                .to_owned(),
        ),
        Effect::ReplaceFile | Effect::ImportRegistry | Effect::RunSql | Effect::Read => None,
    }
}

fn default_undo(rollback: &Rollback) -> Option<String> {
    match rollback {
        Rollback::Captured => Some("Put the saved copy back.".to_owned()),
        // People type it into cmd, which takes what stands behind a slash for an option.
        Rollback::Artifact(path) => Some(format!("Run `{}`.", path.to_string().replace('/', "\\"))),
        Rollback::OneWay => Some("There is no way back.".to_owned()),
        Rollback::Nothing => None,
    }
}
