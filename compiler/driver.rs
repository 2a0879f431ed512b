//! What the commands do, one call per phase; the command line is only one user of it.
//!
//! ```text
//! read      inventory text to typed data           inventory::load
//! check     cross-checks                           check::check
//! plan      which artifacts, where                 plan::plan
//! render    their texts                            render::render
//! lint      read back by each format's parser      lint::lint
//! bundle    manifest, bytes, digests               assemble::assemble
//! write     tree and archive                       bundle::tree
//! ```
//!
//! A [`Compiler`] holds what every inventory of a run shares; it is immutable but for
//! what it remembers of texts that were read back, so inventories compile in parallel. This
//! file prints nothing and measures nothing: each phase is announced by name.

use std::path::Path;

use crate::assemble;
use crate::bundle::Bundle;
use crate::catalogue;
use crate::check::{self, secrets};
use crate::contract::digest::Digest;
use crate::contract::manifest::InputDigest;
use crate::coverage::{self, Coverage};
use crate::diag::{Diagnostics, Reported};
use crate::files::Files;
use crate::inventory::{self, Loaded, ReadInput, Schema};
use crate::lint::{self, Accepted, Linted};
use crate::plan::{self, Plan};
use crate::render;
use crate::runbook;
use crate::source::Sources;
use crate::templates::{self, Templates, folder};

/// What every compilation of a run shares.
#[derive(Debug)]
pub struct Compiler {
    schema: Schema,
    templates: Templates,
    overlay: Vec<InputDigest>,
    accepted: Accepted,
    today: Option<String>,
    /// Set when templates have mistakes and were left out: nothing this compiler makes may be written.
    failed: Option<Reported>,
}

/// No templates are left; their mistakes were reported.
#[derive(Debug)]
pub struct TemplatesFailed(Reported);

/// Where the findings of one compilation go, and who is told about its phases.
pub struct Run<'a> {
    /// Texts the findings point into.
    pub sources: &'a mut Sources,
    /// The sink of findings.
    pub diagnostics: &'a mut Diagnostics,
    /// Called with the name of each phase when it begins.
    pub on_phase: &'a mut dyn FnMut(&'static str),
}

impl Compiler {
    /// Compiles the templates: the built-in ones, with a folder laid over them when one is given.
    ///
    /// # Errors
    /// When a template has a mistake; all of them are in `diagnostics`.
    pub fn new(
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
        files: &dyn Files,
        overlay: Option<&Path>,
    ) -> Result<Self, Reported> {
        let compiler =
            Self::of_what_is_sound(sources, diagnostics, files, overlay).map_err(|failed| failed.0)?;
        match compiler.failed {
            Some(reported) => Err(reported),
            None => Ok(compiler),
        }
    }

    /// The same without the templates that have mistakes: then [`Compiler::compile`] says what else is wrong, and fails.
    ///
    /// # Errors
    /// When no templates are left; all mistakes are in `diagnostics`.
    pub fn of_what_is_sound(
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
        files: &dyn Files,
        overlay: Option<&Path>,
    ) -> Result<Self, TemplatesFailed> {
        let (over, unread) = match overlay {
            Some(folder) => {
                let found = folder::read(diagnostics, files, folder).map_err(TemplatesFailed)?;
                (found.files, found.refused)
            }
            None => (Vec::new(), None),
        };
        let recorded = overlay.map(folder::recorded_folder).unwrap_or_default();
        let digests = over
            .iter()
            .map(|file| InputDigest {
                path: format!("{recorded}/{}", file.path),
                sha256: Digest::of(file.text.as_bytes()),
            })
            .collect();
        let all = folder::overlay(folder::built_in(), over);
        let (texts, loaded) = templates::load_or_salvage(diagnostics, all, catalogue::catalogue());
        *sources = texts;
        let (mut templates, mut failed) = what_is_left(loaded).map_err(TemplatesFailed)?;
        if unread.is_some() {
            templates = templates.with_unread_files();
            failed = unread;
        }
        Ok(Self {
            schema: Schema::new(),
            templates,
            overlay: digests,
            accepted: Accepted::default(),
            today: None,
            failed,
        })
    }

    /// Whether templates were left out, so that nothing can be made.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Says what is wrong with an inventory when there are no templates: their mistakes must not hide it.
    pub fn check_without_templates(run: &mut Run<'_>, files: &dyn ReadInput, inventory: &str) {
        let schema = Schema::new();
        match inventory::load_or_salvage(run.diagnostics, run.sources, files, &schema, inventory) {
            Ok(loaded) => {
                secrets::refuse_secrets(run.diagnostics, &loaded);
                // What it says is in the findings.
                drop(check::check(
                    run.diagnostics,
                    loaded.inventory,
                    &loaded.places,
                    None,
                ));
            }
            Err((_, Some(salvaged))) => check::check_salvaged(run.diagnostics, &salvaged),
            Err((_, None)) => {}
        }
    }

    /// Tells which day it is, like `2026-12-05`, so that acceptances can end. No output depends on it.
    #[must_use]
    pub fn on_day(mut self, today: Option<String>) -> Self {
        self.today = today;
        self
    }

    /// The compiled templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Files of the folder that is laid over, as manifests name them.
    pub fn overlay(&self) -> &[InputDigest] {
        &self.overlay
    }

    /// The compiled schema of inventories.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A table of texts to start a compilation with: it holds the templates.
    pub fn sources(&self) -> Sources {
        self.templates.sources().clone()
    }

    /// The first phase.
    pub fn load(
        &self,
        run: &mut Run<'_>,
        files: &dyn ReadInput,
        inventory: &str,
    ) -> Result<Loaded, Reported> {
        (run.on_phase)("read");
        let loaded = inventory::load_or_salvage(run.diagnostics, run.sources, files, &self.schema, inventory);
        loaded.map_err(|(reported, salvaged)| {
            if let Some(salvaged) = salvaged {
                (run.on_phase)("check");
                check::check_salvaged(run.diagnostics, &salvaged);
            }
            reported
        })
    }

    /// Warns about what of an inventory has no effect; what is wrong with it is said elsewhere.
    pub fn lint_inventory(&self, run: &mut Run<'_>, files: &dyn ReadInput, inventory: &str) {
        let mut said = Diagnostics::new();
        if let Ok(loaded) = inventory::load(&mut said, run.sources, files, &self.schema, inventory) {
            check::lint(run.diagnostics, &self.schema, &loaded);
        }
    }

    /// From a typed inventory to texts that were read back.
    pub fn compile_loaded(&self, run: &mut Run<'_>, loaded: &Loaded) -> Result<Linted<'_>, Reported> {
        let (plan, failed) = self.plan(run, loaded)?;
        (run.on_phase)("render");
        let (rendered, gaps) = what_is_left(render::render(run.diagnostics, plan))?;
        (run.on_phase)("lint");
        let linted = lint::lint(run.diagnostics, run.sources, &self.accepted, rendered);
        gaps.or(failed).or(self.failed).map_or(linted, Err)
    }

    /// The plan, also when something is wrong with it; that was reported then.
    fn plan(&self, run: &mut Run<'_>, loaded: &Loaded) -> Result<(Plan<'_>, Option<Reported>), Reported> {
        (run.on_phase)("check");
        secrets::refuse_secrets(run.diagnostics, loaded);
        let before = run.diagnostics.checkpoint();
        let checked = check::check(
            run.diagnostics,
            loaded.inventory.clone(),
            &loaded.places,
            self.today.as_deref(),
        );
        let (checked, refused) = what_is_left(checked)?;
        before?;
        (run.on_phase)("plan");
        // A run that did too much already ends here for every further inventory.
        if let Some(finding) = self.templates.spent() {
            return Err(run.diagnostics.error(finding));
        }
        let (mut plan, gaps) = what_is_left(plan::plan(run.diagnostics, checked, &self.templates))?;
        // An order with gaps says nothing of the one that was meant.
        let wrong = match gaps {
            Some(gaps) => Some(gaps),
            None => runbook::judge(run.diagnostics, &loaded.places, &mut plan).err(),
        };
        Ok((plan, refused.or(wrong)))
    }

    /// All phases up to the bundle in memory.
    pub fn compile(
        &self,
        run: &mut Run<'_>,
        files: &dyn ReadInput,
        inventory: &str,
    ) -> Result<Bundle, Reported> {
        let loaded = self.load(run, files, inventory)?;
        let program = inventory::program::load(run.diagnostics, files, &loaded);
        let linted = self.compile_loaded(run, &loaded)?;
        (run.on_phase)("bundle");
        let folder = files.folder();
        assemble::assemble(run.diagnostics, &folder, &loaded, &self.overlay, linted, program?)
    }

    /// Every guide requirement with what became of it in this installation.
    pub fn coverage(
        &self,
        run: &mut Run<'_>,
        files: &dyn ReadInput,
        inventory: &str,
    ) -> Result<Coverage, Reported> {
        let loaded = self.load(run, files, inventory)?;
        match self.plan(run, &loaded)? {
            (plan, None) => Ok(coverage::of_plan(catalogue::catalogue(), &plan)),
            (_, Some(reported)) => Err(reported),
        }
    }
}

/// What a phase made, also when something of it was left out; that was reported then.
fn what_is_left<T>(made: Result<T, (Reported, Option<T>)>) -> Result<(T, Option<Reported>), Reported> {
    match made {
        Ok(made) => Ok((made, None)),
        Err((reported, Some(rest))) => Ok((rest, Some(reported))),
        Err((reported, None)) => Err(reported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    struct Examples;

    impl ReadInput for Examples {
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            let text = match path {
                "lab.yaml" => include_str!("../inventories/lab.yaml"),
                _ => include_str!("../inventories/shared/acme.yaml"),
            };
            Ok(text.as_bytes().to_vec())
        }
    }

    #[test]
    fn all_inventories_of_a_run_have_one_bound_of_steps() {
        let files = crate::files::MemoryFiles::default();
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let mut compiler = Compiler::new(&mut sources, &mut diagnostics, &files, None).expect("built in");
        compiler.templates = compiler.templates.with_most_steps(9_000);
        let mut ends = Vec::new();
        for _ in 0..3 {
            let (mut sources, mut diagnostics) = (compiler.sources(), Diagnostics::new());
            let mut run = Run {
                sources: &mut sources,
                diagnostics: &mut diagnostics,
                on_phase: &mut |_| {},
            };
            let loaded = compiler.load(&mut run, &Examples, "lab.yaml").expect("valid");
            let compiled = compiler.compile_loaded(&mut run, &loaded).is_ok();
            let refused = diagnostics
                .iter()
                .filter(|finding| finding.code == codes::RUN_BOUND);
            ends.push((compiled, refused.count()));
        }
        // An inventory takes more than half of these steps: the second one is stopped while its texts are made, the third at once.
        assert_eq!(ends, [(true, 0), (false, 1), (false, 1)]);
    }
}
