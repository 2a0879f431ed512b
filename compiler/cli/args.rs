//! What may be typed. The doc comments here are the help texts; nothing here reads a file or decides anything.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::contract::digest::Digest;
use crate::formats::edits::EditKind;
use crate::report::MessageFormat;

use super::change_args::{ApplyArguments, PlanArguments, RollbackArguments, StatusArguments};

/// Compiles the inventory of an on-premise Callback installation into a bundle of configuration files.
#[derive(Debug, Parser)]
#[command(name = "cbgen", version, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 nothing to report, 1 findings (errors in the input, drift, differences), \
                        2 cbgen could not do its work."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// How diagnostics are printed on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub(super) message_format: MessageFormatArgument,
    /// Write diagnostics into a file and nothing else into it, instead of on standard error
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) message_file: Option<PathBuf>,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// When to use colours; the variable `NO_COLOR` is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// End with status 1 on warnings too
    #[arg(long, global = true, value_name = "WHAT")]
    pub(super) deny: Option<Deny>,
}

/// The formats of `--message-format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum MessageFormatArgument {
    /// Source lines with labels
    Human,
    /// One line each, for editors
    #[value(help = "path:line:column: error[CB0102]: message")]
    Short,
    /// One JSON object a line
    Json,
    /// One SARIF 2.1.0 document
    Sarif,
    /// Workflow commands that annotate a pull request
    Github,
}

impl From<MessageFormatArgument> for MessageFormat {
    fn from(format: MessageFormatArgument) -> Self {
        match format {
            MessageFormatArgument::Human => Self::Human,
            MessageFormatArgument::Short => Self::Short,
            MessageFormatArgument::Json => Self::Json,
            MessageFormatArgument::Sarif => Self::Sarif,
            MessageFormatArgument::Github => Self::Github,
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to treat as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Deny {
    /// Warnings
    Warnings,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compile inventories and write their bundles
    Build(Build),
    /// Compile inventories and print diagnostics only
    Check(Check),
    /// Review what changes between two bundles or inventories, by meaning
    Diff(Diff),
    /// Print an inventory as it is compiled: layers merged, defaults filled in, each value with its origin
    Show(Show),
    /// Show which inventory lines and which template line made an output line
    Why(Why),
    /// Do edits of a bundle on a vendor's file, byte for byte, and show the difference
    Edit(Edit),
    /// Check that a bundle is what was built, and who signed it
    Verify(Verify),
    /// Sign a bundle with an SSH key
    Sign(Sign),
    /// List every guide requirement: generated, manual step or not applicable, and why
    Coverage(Coverage),
    /// Show what applying a bundle would change on this server; writes nothing
    Plan(PlanArguments),
    /// Carry out a bundle on this server, step by step
    Apply(ApplyArguments),
    /// Take back the last run on this server
    Rollback(RollbackArguments),
    /// Show whether this server still is what the last apply made it
    Status(StatusArguments),
    /// Print the long text of a diagnostic code, of a requirement or defect of the guide, or of an inventory key
    Explain(Explain),
    /// Print a JSON Schema
    Schema(Schema),
    /// Write a commented starter inventory and what a repository needs around it
    Init(Init),
    /// Print a shell completion script
    Completions(Completions),
}

/// Where templates come from.
#[derive(Clone, Debug, Args)]
pub(super) struct TemplateOptions {
    /// Lay the templates of a folder over the built-in ones: same path replaces, other paths add
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) templates: Option<PathBuf>,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// Inventories to compile: files, folders, patterns with `*`, `?` and `**`, or `-` for standard input; those of
    /// cbgen.yaml when there is none. An error in one does not stop the others
    #[arg(value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    pub(super) inventories: Vec<PathBuf>,
    /// Folder for the trees and archives [default: that of cbgen.yaml, else out]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) output: Option<PathBuf>,
    /// How the answer is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: AnswerFormat,
    #[command(flatten)]
    pub(super) templates: TemplateOptions,
    /// Write nothing; status 1 when the output folder differs from what would be written
    #[arg(long)]
    pub(super) check: bool,
    /// Print how long each phase took; left out where both output streams are for programs
    #[arg(long)]
    pub(super) timings: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Inventories to check: files, folders, patterns with `*`, `?` and `**`, or `-` for standard input; those of
    /// cbgen.yaml when there is none. An error in one does not stop the others
    #[arg(value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    pub(super) inventories: Vec<PathBuf>,
    /// Warn also about what has no effect: layers and values that others replace, keys equal to their default
    #[arg(long)]
    pub(super) lint: bool,
    /// How the answer is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: AnswerFormat,
    #[command(flatten)]
    pub(super) templates: TemplateOptions,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A bundle .zip, an out/NAME tree, an inventory, a folder of them, or git:REV:PATH
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) old: String,
    /// The same, for the new side
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) new: String,
    /// How the report is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: DiffFormat,
    /// Longest text or Markdown report; details that do not fit are counted, names of changed servers never cut
    /// [default: 60000 for Markdown]
    #[arg(long, value_name = "N")]
    pub(super) max_chars: Option<usize>,
    #[command(flatten)]
    pub(super) templates: TemplateOptions,
}

/// The formats of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DiffFormat {
    /// For a terminal
    Text,
    /// For a comment of a merge request
    Markdown,
    /// For programs, complete
    Json,
    /// One page that works offline, complete
    Html,
}

/// Arguments of `why`.
#[derive(Clone, Debug, Args)]
pub(super) struct Why {
    /// A line of an output file, or with --impact of an inventory
    #[arg(value_name = "FILE:LINE", value_parser = file_line)]
    pub(super) place: FileLine,
    /// The other way round: which output lines an inventory line reaches
    #[arg(long)]
    pub(super) impact: bool,
    /// With --impact: what exactly this value changes in place of the present one
    #[arg(long, value_name = "VALUE", requires = "impact")]
    pub(super) to: Option<String>,
    /// Inventory to compile, where the manifest beside the output or the place does not tell
    #[arg(long, value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    pub(super) inventory: Option<PathBuf>,
    /// How the answer is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: WhyFormat,
    #[command(flatten)]
    pub(super) templates: TemplateOptions,
}

/// How `why` prints its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WhyFormat {
    /// For people
    Text,
    /// One JSON object with everything
    Json,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileLine {
    pub(super) file: PathBuf,
    /// One-based.
    pub(super) line: usize,
}

/// Reads `FILE:LINE`; the last colon divides, so a Windows drive letter stays with the file.
fn file_line(text: &str) -> Result<FileLine, String> {
    let parts = text.rsplit_once(':').filter(|(file, _)| !file.is_empty());
    let (file, line) = parts.ok_or(
        "expected a file name, a colon and a line number, like `out/acme-prod/RUNBOOK.md:12`, or with `--impact` a line of \
         an inventory, like `inventories/prod.yaml:20`",
    )?;
    let line = line.parse().ok().filter(|line| *line > 0);
    Ok(FileLine {
        file: file.into(),
        line: line.ok_or("the part after the last colon is not a line number")?,
    })
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A bundle .zip, the folder it was unpacked into, or an out/NAME tree
    #[arg(value_hint = ValueHint::AnyPath, required_unless_present = "evidence")]
    pub(super) bundle: Option<PathBuf>,
    /// Who may sign, in the format of `ssh-keygen -Y verify -f`: a bundle nobody of them signed is an error
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) signers: Option<PathBuf>,
    /// Check the evidence of a run instead of a bundle: every line, the chain between them, and the seal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["bundle", "signers"])]
    pub(super) evidence: Option<PathBuf>,
    /// The seal of the evidence as it stands in the record of the change: 64 hexadecimal digits. Another one is an error
    #[arg(long, value_name = "HEX", requires = "evidence", conflicts_with = "bundle", value_parser = seal)]
    pub(super) seal: Option<Digest>,
    /// Format of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

/// A seal as a person copies it: with blanks between groups, in capitals.
fn seal(text: &str) -> Result<Digest, String> {
    let digits: String = text.split_whitespace().collect();
    digits.to_lowercase().parse().map_err(|_| {
        "a seal has 64 hexadecimal digits; the short form is too short to prove anything".to_owned()
    })
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub(super) struct Sign {
    /// A bundle .zip, the folder it was unpacked into, or an out/NAME tree
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) bundle: PathBuf,
    /// Private key as ssh-keygen writes it: ED25519, ECDSA or RSA; its passphrase is asked on the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) key: PathBuf,
    /// Take the passphrase from this environment variable instead of asking
    #[arg(long, value_name = "NAME")]
    pub(super) passphrase_env: Option<String>,
    /// Put this signature in the place of one by another key
    #[arg(long)]
    pub(super) replace: bool,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Inventory to show, or `-` for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) inventory: PathBuf,
    /// Key to show with everything below it, for example `sql.ole` or `servers.CORE01.fqdn`
    pub(super) key: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: AnswerFormat,
}

/// How a command prints its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AnswerFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// Arguments of `edit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing changes, 1 something changes, 2 the edits are refused and nothing is written."
)]
pub(super) struct Edit {
    /// The vendor's file, or - for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// The edits: an XML transform, Erlang terms, keyed lines of YAML or INI, JSON keys, references in a script
    #[arg(value_name = "EDIT", value_hint = ValueHint::FilePath)]
    pub(super) edits: PathBuf,
    /// Write the edited file here, in one step; it may be FILE itself
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
    /// The format of the edits, where neither a manifest beside them nor their name tells it
    #[arg(long = "as", value_name = "FORMAT")]
    pub(super) kind: Option<EditKindArgument>,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: EditFormat,
}

/// The formats of edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EditKindArgument {
    /// An XML transform for a .NET configuration file
    Xdt,
    /// `[{set, [key], value}].` for a file of Erlang terms
    Erlang,
    /// `:key: 'value'` for a YAML file
    Yaml,
    /// An object with the keys to set, for a JSON file
    Json,
    /// `Key=Value` below `[Section]`, for an INI file
    Ini,
    /// Ports and the addresses that replace them, for a script
    #[value(name = "js_references")]
    JsReferences,
}

impl From<EditKindArgument> for EditKind {
    fn from(kind: EditKindArgument) -> Self {
        match kind {
            EditKindArgument::Xdt => Self::Xdt,
            EditKindArgument::Erlang => Self::Terms,
            EditKindArgument::Yaml => Self::YamlLines,
            EditKindArgument::Json => Self::JsonKeys,
            EditKindArgument::Ini => Self::IniLines,
            EditKindArgument::JsReferences => Self::References,
        }
    }
}

/// How `edit` prints its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EditFormat {
    /// A unified difference
    Text,
    /// One JSON object with every place
    Json,
}

/// Arguments of `coverage`.
#[derive(Debug, Args)]
pub(super) struct Coverage {
    /// Inventory to look at
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) inventory: PathBuf,
    /// How the answer is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: AnswerFormat,
    #[command(flatten)]
    pub(super) templates: TemplateOptions,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Code of a diagnostic (CB0201), id of the vendor guide (DEF-31) or key of an inventory (sql.ole.user)
    #[arg(required_unless_present = "list")]
    pub(super) name: Option<String>,
    /// Print everything that can be explained, one line each
    #[arg(long)]
    pub(super) list: bool,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What the schema describes
    #[arg(default_value = "inventory")]
    pub(super) kind: SchemaKind,
}

/// What `schema` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemaKind {
    /// An inventory file
    Inventory,
    /// A file that inventories extend
    Layer,
    /// The project file cbgen.yaml
    Project,
    /// The front matter of a template
    Template,
    /// manifest.json of a bundle
    Manifest,
    /// What `build --format json` prints
    Build,
    /// What `check --format json` prints
    Check,
    /// What `show --format json` prints
    Show,
    /// What `coverage --format json` prints
    Coverage,
    /// runbook.json of a bundle
    Runbook,
    /// The output of `edit --format json`
    Edit,
    /// What `verify --format json` prints of a bundle
    Verify,
    /// What `verify --evidence FILE --format json` prints
    Evidence,
    /// What `plan --format json` prints
    Plan,
    /// What `status --format json` prints
    Status,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Folder of the new repository
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub(super) dir: PathBuf,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to complete in
    pub(super) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn lines_of_files() {
        let check = |text: &str| file_line(text).map(|place| (place.file, place.line)).ok();
        assert_eq!(
            check("out/a/nginx.conf:12"),
            Some(("out/a/nginx.conf".into(), 12))
        );
        assert_eq!(check(r"C:\out\a.conf:3"), Some((r"C:\out\a.conf".into(), 3)));
        assert_eq!(check("a.conf"), None);
        assert_eq!(check("a.conf:0"), None);
        assert_eq!(check(":3"), None);
        assert_eq!(check(r"C:\out\a.conf"), None);
    }
}
