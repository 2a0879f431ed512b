//! The `cbgen` program: hands the command line to the library and the outcome to the operating system.

use std::process::ExitCode;

fn main() -> ExitCode {
    cbgen::cli::run(std::env::args_os()).into()
}
