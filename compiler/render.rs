//! Turns a plan into texts.
//!
//! Bodies are rendered in parallel; the result keeps the order of the plan. Bundle-scope templates see the plan itself
//! as `plan`. This module must not judge the texts; that is the next phase.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::codes;
use crate::contract::artifact::Scope;
use crate::contract::runbook::Runbook;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::facts::plan_view::PlanView;
use crate::plan::{Plan, Planned};
use crate::runbook;
use crate::source::Span;
use crate::templates::engine::Shared;

/// A plan with the text of each entry, in the order of the plan.
#[derive(Debug)]
pub struct Rendered<'t> {
    /// The plan.
    pub plan: Plan<'t>,
    /// Review texts: UTF-8, LF, a final line end.
    pub texts: Vec<String>,
    /// The runbook as data.
    pub runbook: Runbook,
    /// Entries without a text, in a rendering that failed.
    pub missing: BTreeSet<usize>,
}

/// Renders every entry. When some cannot be rendered, those that were come along, so that their mistakes are told in the same
/// run; what shows the whole plan is missing then.
#[expect(
    clippy::result_large_err,
    reason = "made once for an inventory, and what came along is read by the next phase"
)]
pub fn render<'t>(
    diagnostics: &mut Diagnostics,
    plan: Plan<'t>,
) -> Result<Rendered<'t>, (Reported, Option<Rendered<'t>>)> {
    let is_bundle = |entry: &Planned<'_>| entry.template.front.scope == Scope::Bundle;
    let size = Size::default();
    let first: Vec<Result<String, Diagnostic>> = plan
        .entries
        .par_iter()
        .map(|entry| {
            if is_bundle(entry) || size.is_too_much() || plan.templates.spent().is_some() {
                Ok(String::new())
            } else {
                render_entry(&plan, entry, None).inspect(|text| size.add(text))
            }
        })
        .collect();
    let too_much = || {
        let of_texts = size.is_too_much().then(|| Size::finding(plan.entries.len()));
        of_texts.or_else(|| plan.templates.spent())
    };
    if let Some(finding) = too_much() {
        return Err((diagnostics.error(finding), None));
    }
    let mut missing: BTreeSet<usize> = BTreeSet::new();
    for (index, (entry, result)) in plan.entries.iter().zip(&first).enumerate() {
        if is_bundle(entry) || result.is_err() {
            missing.insert(index);
        }
    }
    let (mut texts, mut failed) = keep_errors(diagnostics, first);
    let runbook = runbook::runbook(&plan, &texts);
    if failed.is_none() && plan.entries.iter().any(is_bundle) {
        let view = Shared::of(&PlanView::of_runbook(&plan, &runbook));
        let second: Vec<(usize, Result<String, Diagnostic>)> = plan
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| is_bundle(entry))
            .map(|(index, entry)| {
                let text = render_entry(&plan, entry, Some(&view));
                (index, text.inspect(|text| size.add(text)))
            })
            .collect();
        if let Some(finding) = too_much() {
            return Err((diagnostics.error(finding), None));
        }
        missing.clear();
        for (index, result) in second {
            match result {
                Ok(text) => {
                    if let Some(slot) = texts.get_mut(index) {
                        *slot = text;
                    }
                }
                Err(finding) => {
                    missing.insert(index);
                    failed = Some(diagnostics.error(finding));
                }
            }
        }
    }
    let rendered = Rendered {
        plan,
        texts,
        runbook,
        missing,
    };
    match failed {
        Some(reported) => Err((reported, Some(rendered))),
        None => Ok(rendered),
    }
}

/// Bytes of all texts of a bundle, which lies in memory while it is made; a side of a comparison may have as many. Firewall scripts
/// name every peer, so that they grow with the square of the servers: 200 in one inventory have 83 MB.
const MOST_BYTES: u64 = 1 << 30;

/// The bytes of the texts so far.
#[derive(Debug, Default)]
struct Size(AtomicU64);

impl Size {
    fn add(&self, text: &str) {
        self.0
            .fetch_add(u64::try_from(text.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Sums only grow, so that what is too much at the end is the same however the work is shared.
    fn is_too_much(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MOST_BYTES
    }

    fn finding(texts: usize) -> Diagnostic {
        Diagnostic::new(
            codes::RUN_BOUND,
            format!(
                "the {texts} texts of this inventory take more than {} MiB together",
                MOST_BYTES >> 20
            ),
        )
        .help("make one inventory for each part of the installation, or let templates of your own do less")
    }
}

/// Renders one entry of a plan; `view` is the [`PlanView`] that templates of the bundle see.
pub fn render_entry(
    plan: &Plan<'_>,
    entry: &Planned<'_>,
    view: Option<&Shared>,
) -> Result<String, Diagnostic> {
    if let Some(finding) = plan.templates.spent() {
        return Err(finding);
    }
    let mut variables = plan.variables(entry);
    if let Some(view) = view {
        variables.set_shared("plan", view);
    }
    let text = plan.templates.body(entry.template, &variables)?;
    let has_mark = || memchr::memmem::find(text.as_bytes(), "\u{feff}".as_bytes()).is_some();
    if memchr::memchr(b'\r', text.as_bytes()).is_some() || has_mark() {
        return Err(Diagnostic::new(
            codes::RENDER_FAILED,
            "the rendered text holds a carriage return or a byte order mark",
        )
        .at(Span::new(
            entry.template.file,
            entry.template.body_start..entry.template.body_start,
        ))
        .help("write the template with plain line feeds; cbgen adds what the target needs"));
    }
    Ok(if text.ends_with('\n') || text.is_empty() {
        text
    } else {
        text + "\n"
    })
}

/// The texts, empty where there is none, and what was reported about those. The same place of a template fails for every server:
/// that is one mistake.
fn keep_errors(
    diagnostics: &mut Diagnostics,
    results: Vec<Result<String, Diagnostic>>,
) -> (Vec<String>, Option<Reported>) {
    let mut texts = Vec::with_capacity(results.len());
    let mut wrong: Vec<(Diagnostic, usize)> = Vec::new();
    for result in results {
        let finding = match result {
            Ok(text) => {
                texts.push(text);
                continue;
            }
            Err(finding) => finding,
        };
        texts.push(String::new());
        let place = |finding: &Diagnostic| (finding.code, finding.primary.as_ref().map(|label| label.span));
        let known = wrong
            .iter_mut()
            .find(|(known, _)| known.primary.is_some() && place(known) == place(&finding));
        match known {
            Some((_, more)) => *more += 1,
            None => wrong.push((finding, 0)),
        }
    }
    let mut failed = None;
    for (finding, more) in wrong {
        failed = Some(diagnostics.error(match more {
            0 => finding,
            1 => finding.note("the same fails in 1 more file"),
            more => finding.note(format!("the same fails in {more} more files")),
        }));
    }
    (texts, failed)
}
