//! The three exit codes of every command.

use std::process::ExitCode;

/// How a run ended. The order matters: where two apply, the greater one wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to report.
    #[default]
    Clean,
    /// Findings: errors in the input, drift, differences, or warnings with `--deny warnings`.
    Findings,
    /// The tool could not do its work: an unreadable file, bad arguments, a full disk.
    Failure,
}

impl Exit {
    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failure => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_one_wins() {
        assert_eq!(Exit::Clean.max(Exit::Findings).max(Exit::Failure).code(), 2);
        assert_eq!(Exit::default().max(Exit::Findings).code(), 1);
    }
}
