//! Where a script stops when one of its calls fails. The list is an expected file, because only a reader can say whether
//! the message names the right step, and whether a failure may be passed over.

use std::fmt::Write as _;

use super::machine::{Machine, Outcome};
use super::model::UNCHECKED;
use super::stopped_at;
use crate::harness::{compare_text, expect_none, root};

/// The list of a topic.
#[derive(Default)]
pub(super) struct Stops {
    text: String,
}

impl Stops {
    /// What follows is about this script.
    pub(super) fn of(&mut self, script: &str) {
        write!(self.text, "\n{script}\n").expect("a String");
    }

    /// Notes where the script went when the call `failing` of `whole` failed, and who ran it. `form` is
    /// as the model gives it, or nothing.
    #[track_caller]
    pub(super) fn note(
        &mut self,
        machine: &Machine,
        whole: &Outcome,
        failing: usize,
        outcome: &Outcome,
        form: &str,
        by: &str,
    ) {
        if outcome.code != 0 {
            let found_out = usize::from(form.starts_with(UNCHECKED));
            stopped_at(outcome, failing + found_out);
        }
        self.line(machine, whole, failing, outcome, by);
    }

    /// The same for a script that goes on with other work after a failure, and fails at its end.
    pub(super) fn line(
        &mut self,
        machine: &Machine,
        whole: &Outcome,
        failing: usize,
        outcome: &Outcome,
        by: &str,
    ) {
        let call = without_thumbprints(&machine.anonymous(&whole.calls[failing - 1].line()));
        let step = if outcome.code == 0 {
            "goes on".to_owned()
        } else {
            let mut lines = outcome.output.lines();
            let step = lines.find_map(|line| line.strip_prefix("FAILED at step: "));
            without_thumbprints(&machine.anonymous(step.expect("a step")))
        };
        write!(self.text, "{failing:>3}. {call}\n     {by}: {step}\n").expect("a String");
    }

    /// Compares the list with the expected one.
    #[track_caller]
    pub(super) fn compare(&self, topic: &str) {
        let path = root().join(format!("tests/scripts/stops/{topic}.txt"));
        let text = format!(
            "Every call of a script, and the step it stops at when this call fails (or, where failing is what it should do,\n\
             does not).\n{}",
            self.text
        );
        expect_none(&compare_text(&path, &text).err().into_iter().collect::<Vec<_>>());
    }
}

/// A text without the thumbprints of certificates, which are made anew for every run.
fn without_thumbprints(text: &str) -> String {
    let thumbprint = |word: &&str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words: Vec<&str> = text.split(' ').collect();
    let hidden = words
        .iter()
        .map(|word| if thumbprint(word) { "THUMBPRINT" } else { word });
    hidden.collect::<Vec<_>>().join(" ")
}
