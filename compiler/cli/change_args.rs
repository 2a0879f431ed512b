//! What may be typed for the commands of the change window. The doc comments here are the help texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::contract::phase::Phase;
use crate::contract::runbook::StepNumber;

/// Which server.
#[derive(Clone, Debug, Args)]
pub(super) struct PlaceOptions {
    /// Server of the bundle to work on
    ///
    /// The default is the name of this computer. Another name is refused on a live server, because every script of a
    /// bundle is made for one server; with --root it says whose copy it is.
    #[arg(long, value_name = "NAME", conflicts_with = "deployment")]
    pub(super) server: Option<String>,
    /// The steps that are done once for the whole installation, in place of those of a server
    #[arg(long)]
    pub(super) deployment: bool,
    /// A copy of a server: `C:\X` is DIR/C/X
    ///
    /// State and scripts stay below DIR as well. On Windows no script runs for a copy: it would change this machine.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) root: Option<PathBuf>,
}

/// Which steps.
#[derive(Clone, Debug, Args)]
pub(super) struct StepOptions {
    /// Only the steps of these phases, for example `components`; may be repeated
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    pub(super) phase: Vec<Phase>,
    /// First step, for example 6.12
    #[arg(long, value_name = "STEP")]
    pub(super) from: Option<StepNumber>,
    /// Last step
    #[arg(long, value_name = "STEP")]
    pub(super) until: Option<StepNumber>,
}

fn phase(text: &str) -> Result<Phase, String> {
    let found = Phase::ALL.iter().copied().find(|phase| phase.name() == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = Phase::ALL.iter().map(|phase| phase.name()).collect();
        format!("no phase has this name; phases are {}", names.join(", "))
    })
}

/// What `plan` and `apply` work with.
#[derive(Debug, Args)]
pub(super) struct WorkOptions {
    /// Archive of the bundle, or the folder it was unpacked into
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) bundle: PathBuf,
    /// Who may sign, in the format of `ssh-keygen -Y verify -f`: a bundle nobody of them signed is refused
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) signers: Option<PathBuf>,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
    #[command(flatten)]
    pub(super) steps: StepOptions,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing to do, 1 changes pending, 2 at least one step cannot be done. \
                        Nothing on the server is written."
)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) work: WorkOptions,
    /// How the plan is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: PlanFormat,
    /// Write the plan as JSON to a file too, for `apply --plan FILE`
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
}

/// The formats of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For a console
    Text,
    /// For programs, complete
    Json,
    /// One page that works offline
    Html,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done, or nothing to do; 1 it stopped in front of a step for a person; 2 it was refused, \
                        or a step failed and what the run did was taken back."
)]
pub(super) struct ApplyArguments {
    #[command(flatten)]
    pub(super) work: WorkOptions,
    /// Refuse when the server is not what this plan saw
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) plan: Option<PathBuf>,
    /// A step by hand that is done, or a step whose needs at other places are met; may be repeated
    #[arg(long, value_name = "STEP")]
    pub(super) done: Vec<StepNumber>,
    /// Accept a step that has no way back; may be repeated
    #[arg(long, value_name = "STEP")]
    pub(super) accept_one_way: Vec<StepNumber>,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
#[command(
    after_help = "Takes back the last run that was not taken back, also an interrupted one; once more, the run before it.\n\
                        Exit codes: 0 taken back, or nothing to take back; 1 taken back, but steps done by hand or left as asked are yours; \
                        2 refused, or not everything was taken back."
)]
pub(super) struct RollbackArguments {
    /// The bundle; without it, the bundle of the last run on this server
    ///
    /// What is needed to go back was kept on the server. A named bundle replaces scripts that were lost there.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
    /// Go back although someone changed the file of this step since; a copy of it is kept
    #[arg(long, value_name = "STEP")]
    pub(super) overwrite: Vec<StepNumber>,
    /// Leave what this step changed as it is, and take everything else back; may be repeated
    ///
    /// For a step without a way back, a saved copy that is lost, a way back that fails. A file that several steps changed
    /// is left as a whole.
    #[arg(long, value_name = "STEP")]
    pub(super) leave: Vec<StepNumber>,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 as cbgen left it; 1 something drifted or a run has not ended; 2 it could not be found out. \
                        Nothing is written."
)]
pub(super) struct StatusArguments {
    /// The bundle; without it, every bundle that was applied to this server
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: StatusFormat,
    /// Print a run from its evidence as a table, for the record of the change
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) evidence: Option<PathBuf>,
}

/// The formats of `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFormat {
    /// For a console
    Text,
    /// For monitoring
    Json,
}
