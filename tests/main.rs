//! The one integration-test binary: `cargo test --test suite`. Unit tests stand beside the code instead.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read and write real files and the environment; the product does so in one place only"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "a test that reads past an end should fail there"
)]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::type_complexity,
    clippy::needless_for_each,
    clippy::zombie_processes,
    reason = "a test may stop where it stands, and is read more often than it runs"
)]
#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the files of this repository have lower-case extensions"
)]

/// Advice that can be followed letter by letter ends its finding.
mod advice;
/// What an author works with: project file, `show`, shared keys, accepted warnings, answers for programs.
mod authors;
/// Builds on full disks, under kills, of hostile files; archives in the hands of stock tools.
mod build;
/// Whole builds: every folder of `tests/cases` is compiled and compared with its `expected` tree.
mod cases;
/// The change window: what `plan` finds, what is refused, and the commands on a copy of a server.
mod change;
/// No two files import each other.
mod circles;
/// Command line: arguments, exit codes, help texts, output streams, `init`, `explain`, `completions`, `schema`.
mod cli;
/// Every artifact in the program that reads it.
mod consumers;
/// What is read: no link leads out of the workspace, and no template is passed over.
mod containment;
/// What may be in `Cargo.lock`: licences, number of packages, sources, banned crates.
mod dependency_policy;
/// Same input, same bytes: in another folder, environment, time zone and order.
mod determinism;
/// `cbgen diff`: every kind of side, formats, exit codes, damaged input.
mod diff;
/// What `cbgen diff` says of a change: nothing that matters folded, nothing said that is not so.
mod diff_meaning;
/// Documents: their commands are run, their tables and paths compared with the repository.
mod documents;
/// Edits of vendor files: the engine against real readers, its promises, the command.
mod edits;
/// One folder of `tests/errors` per diagnostic code, with the printed diagnostic.
mod errors;
/// The functions of the fuzz targets, run over seeds and mutations of them.
mod fuzz_seeds;
/// The review kit for pipelines, run in a real repository.
mod gitops;
/// Temporary workspaces, running the program, comparing and blessing. Holds no test.
mod harness;
/// What strangers send: repositories that name commands.
mod hostile;
/// No value breaks out of its quotes, in any format.
mod injection;
/// Reading inventories through the library: hostile files, shipped inventories, properties.
mod inventory;
/// Line ends and byte order marks never matter.
mod line_ends;
/// Generated texts broken in one place, and the checks that must notice.
mod mutations;
/// nginx.conf in a real nginx with stub backends.
mod nginx;
/// The page that says what is proved, by what, and what is not.
mod promises;
mod proof;
/// Generated RabbitMQ files and scripts against two private brokers with real certificates.
mod rabbitmq;
/// A change of a server under faults: kills, power cuts, full disks, other people. Writes `docs/reliability.md`.
mod reliability;
/// The runbook: the order of work, and what a step may ask for.
mod runbook;
mod runbook_page;
/// The published schemas in a validator of their own.
mod schema;
/// Generated scripts run in Wine, with every program answered by the test.
mod scripts;
/// The secret gate: nothing prints or writes what looks like a secret.
mod secrets;
/// Several inventories in one run, and what `--lint` says of the shipped ones.
mod several;
/// The shipped bundles planned, applied and taken back on copies of their servers.
mod shipped;
/// `cbgen sign` and `verify --signers` with `ssh-keygen` on the other side.
mod signatures;
/// Starting real programs, stub backends, certificates, bundles. Holds no test.
mod support;
/// Tampered bundles, each refused with its own reason.
mod tamper;
/// Rules of the repository: layers, file headers, lengths, words, codes, links.
mod tidy;
/// Provenance: every output line has an origin, and the predicted impact of an edit is what the edit does.
mod why;
/// The Windows program in Wine: it does there what it does here.
mod windows;
/// XML transforms against Microsoft's engine, hostile files and .NET's configuration system.
mod xdt;
