//! What is wrong with a template, in words and at its place.
//!
//! The engine knows names and byte ranges of texts; a file holds several texts. This file must not decide what is wrong.

use super::engine::{self, EngineError};
use super::fit::{Foreign, Misfit};
use super::meter::Unbounded;
use super::places::{Places, line_of};
use super::quotes::Quoted;
use super::wording;
use crate::catalogue::Catalogue;
use crate::codes;
use crate::diag::{Diagnostic, nearest, one_of};
use crate::formats::Format;
use crate::source::{FileId, Sources, Span};

pub(super) fn engine_diagnostic(
    sources: &Sources,
    places: &Places,
    error: &EngineError,
    code: codes::Code,
) -> Diagnostic {
    let code = if error.refused {
        codes::REFUSED_VALUE
    } else if error.exceeded {
        codes::TEMPLATE_BOUND
    } else {
        code
    };
    if code == codes::TEMPLATE_SYNTAX
        && let Some(finding) = structure(sources, places, error)
    {
        return finding;
    }
    let mut found = places.of(sources, &error.name, error.range.clone());
    if found.is_none()
        && let Some((file, body_start)) = places.file(&error.name)
    {
        found = quoted_word(sources, file, body_start, &error.message).or(Some(Span::new(file, 0..3)));
    }
    if code == codes::TEMPLATE_SYNTAX && !error.message.starts_with("unknown ") {
        let (message, help) = wording::syntax(&error.message, error.name.ends_with("#when"));
        return Diagnostic::new(code, message).at_opt(found).help(help);
    }
    let diagnostic = Diagnostic::new(code, error.message.clone()).at_opt(found);
    if error.exceeded {
        diagnostic.help("loop over less, or let the facts hold what the loops look for; docs/security.md lists the bounds")
    } else if error.refused {
        diagnostic.help("change the value in the inventory; cbgen never writes what it cannot prove safe")
    } else if error.message.starts_with("unknown filter") {
        let word = error.message.split('`').nth(1).unwrap_or("");
        match nearest(word, engine::QUOTING_FILTERS.iter().map(|(name, _)| *name)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("docs/templates.md lists the filters of each format"),
        }
    } else {
        diagnostic
    }
}

/// What the engine only notices later: a block that nothing closes, a tag that is none.
fn structure(sources: &Sources, places: &Places, error: &EngineError) -> Option<Diagnostic> {
    let (file, body_start) = places.file(&error.name).filter(|_| !error.name.contains('#'))?;
    let slip = super::blocks::slip(sources.get(file)?.text().get(body_start..)?)?;
    let range = body_start + slip.range.start..body_start + slip.range.end;
    Some(
        Diagnostic::new(codes::TEMPLATE_SYNTAX, slip.message)
            .at(Span::new(file, range))
            .help(slip.help),
    )
}

/// Something in a template whose work has no bound.
pub(super) fn unbounded(sources: &Sources, places: &Places, found: Unbounded) -> Diagnostic {
    let place = places.of(sources, &found.name, Some(found.range));
    Diagnostic::new(codes::TEMPLATE_UNBOUNDED, found.message)
        .at_opt(place)
        .help("docs/templates.md lists what templates may use")
}

/// Templates did more in this run than they may.
pub(super) fn run_is_spent(most: u64) -> Diagnostic {
    Diagnostic::new(
        codes::RUN_BOUND,
        format!("the templates take more than {most} steps in this run, for all inventories together"),
    )
    .help("name fewer inventories in one command, or let templates of your own do less")
}

/// Whether what the engine refused is the tag that another finding is about.
pub(super) fn is_about(refused: &Diagnostic, other: &Diagnostic) -> bool {
    let (Some(refused), Some(other)) = (&refused.primary, &other.primary) else {
        return false;
    };
    let (refused, other) = (refused.span, other.span);
    refused.file == other.file
        && refused.start <= other.start
        && other.start < refused.end.max(refused.start + 1)
}

fn quoted_word(sources: &Sources, file: FileId, from: usize, message: &str) -> Option<Span> {
    let word = message.split('`').nth(1)?;
    let text = sources.get(file)?.text();
    let at = from + text.get(from..)?.find(word)?;
    Some(Span::new(file, at..at + word.len()))
}

pub(super) fn no_front_matter(file: FileId, text: &str) -> Diagnostic {
    if text.starts_with("---\n") {
        return Diagnostic::new(
            codes::FRONT_MATTER,
            "the front matter that begins here has no end",
        )
        .at(Span::new(file, 0..3))
        .help("write a line `---` below its last key; the text of the file begins behind it");
    }
    Diagnostic::new(codes::FRONT_MATTER, "this file is no template: it does not begin with front matter")
        .at(Span::new(file, 0..text.find('\n').unwrap_or(text.len())))
        .help("begin with a line `---`, YAML, and another line `---`; a file that is only included lies in a folder `_…`. `README.md`, hidden files and `*~` may lie here; move everything else out of the folder")
}

pub(super) fn unknown_requirement(
    sources: &Sources,
    file: FileId,
    id: &str,
    catalogue: &Catalogue,
) -> Diagnostic {
    let span = sources.get(file).and_then(|source| {
        let at = source.text().find(id)?;
        Some(Span::new(file, at..at + id.len()))
    });
    let diagnostic = Diagnostic::new(
        codes::UNKNOWN_REQUIREMENT,
        format!("unknown requirement id `{id}`"),
    )
    .at_opt(span);
    match nearest(id, catalogue.ids()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("the catalogue lists every id"),
    }
}

pub(super) fn step_mismatch(sources: &Sources, file: FileId) -> Diagnostic {
    let mut keys = ["effect", "path", "scope"].into_iter();
    let span = keys.find_map(|key| name_span(sources, file, key));
    Diagnostic::new(
        codes::FRONT_MATTER,
        "an artifact has `path` and `effect`; a runbook step has neither and is not of scope `bundle`",
    )
    .at_opt(span)
    .help("add what is missing, or remove both")
}

/// The line of a key in the front matter.
fn key_span(sources: &Sources, file: FileId, key: &str) -> Option<Span> {
    let text = sources.get(file)?.text();
    let front = text.get(..super::front_matter_length(text)?)?;
    let line = line_of(front, key);
    (line.start > 0).then(|| Span::new(file, line))
}

/// The name of a key in the front matter.
fn name_span(sources: &Sources, file: FileId, key: &str) -> Option<Span> {
    let line = key_span(sources, file, key)?;
    let end = line.start + u32::try_from(key.len()).ok()?;
    Some(Span { end, ..line })
}

pub(super) fn misfit(sources: &Sources, file: FileId, misfit: &Misfit) -> Diagnostic {
    Diagnostic::new(codes::MISFIT, misfit.message.as_str())
        .at_opt(key_span(sources, file, misfit.key))
        .note("docs/templates.md has the table of effects, formats and extensions")
        .help(misfit.help.as_str())
}

/// A quoting filter in a key of the front matter whose text has no format.
pub(super) fn quoted_nowhere(
    sources: &Sources,
    places: &Places,
    key: &str,
    foreign: &Foreign,
) -> Option<Diagnostic> {
    let (file, _) = places.file(&foreign.name)?;
    Some(
        Diagnostic::new(
            codes::FOREIGN_FILTER,
            format!(
                "the filter `{}` quotes for {}, and `{key}` is a text without quotes",
                foreign.filter, foreign.homes
            ),
        )
        .at_opt(key_span(sources, file, key))
        .note("the quotes would become part of the text")
        .help("write the value without a quoting filter"),
    )
}

pub(super) fn foreign_filter(format: Format, foreign: &Foreign, place: Option<Span>) -> Diagnostic {
    let message = format!(
        "the filter `{}` quotes for {}, and this text is `{}`",
        foreign.filter,
        foreign.homes,
        format.name()
    );
    let own: Vec<&str> = engine::QUOTING_FILTERS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| engine::belongs(name, format))
        .collect();
    let finding = Diagnostic::new(codes::FOREIGN_FILTER, message)
        .at_opt(place)
        .note("quotes of another format do not hold here: the value could break out of them");
    if own.is_empty() {
        finding.help(format!(
            "write the value without a quoting filter; the format `{}` has its own escape",
            format.name()
        ))
    } else {
        finding.help(format!("use {}", one_of(own)))
    }
}

pub(super) fn quoted_twice(quoted: &Quoted, place: Option<Span>) -> Diagnostic {
    Diagnostic::new(
        codes::FOREIGN_FILTER,
        format!(
            "the filter `{}` brings its own quotes, and stands within `{}` here",
            quoted.filter, quoted.quote
        ),
    )
    .at_opt(place)
    .note("the first of its quotes ends the quotes around it: the value would stand outside of both")
    .help("write the value without the quotes around it; what belongs before it, into the value or into a variable")
}

pub(super) fn lines_of_applied(sources: &Sources, file: FileId) -> Diagnostic {
    let span = name_span(sources, file, "runbook");
    Diagnostic::new(
        codes::FRONT_MATTER,
        "a file that a script applies has no lines in the runbook",
    )
    .at_opt(span)
    .help("write them in the front matter of the script that `applied_by` names")
}

pub(super) fn minutes_missing(sources: &Sources, file: FileId) -> Diagnostic {
    let span = name_span(sources, file, "title");
    Diagnostic::new(
        codes::MINUTES_MISSING,
        "a step by hand does not say how many minutes it takes",
    )
    .at_opt(span)
    .help("add `minutes: 10`, an honest guess: the runbook plans the window with it")
}

pub(super) fn refused_value(place: Span, format: Format, value: &str, why: &str) -> Diagnostic {
    let (unquoted, help) = if format == Format::PowerShell {
        // No filter quotes for it.
        (
            "",
            "leave the value out, or write a batch file: filters quote values for it",
        )
    } else {
        (
            " unquoted",
            "name the position with a quoting filter in the template, or change the value in the inventory",
        )
    };
    let message = format!(
        "`{value}` cannot be written into {}{unquoted}: {why}",
        format.name()
    );
    Diagnostic::new(codes::REFUSED_VALUE, message)
        .at(place)
        .help(help)
}
