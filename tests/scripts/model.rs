//! The server of a script once more, for the model of cmd.exe instead of Wine: same files, same answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::machine::{Answer, Call, Machine, Outcome};
use crate::support::follow::{Server, Started, built_in, follow};

/// A server whose programs are answered by the test.
struct Modelled<'m> {
    machine: &'m Machine,
    folder: String,
    answer: &'m mut dyn FnMut(usize, &Call) -> Answer,
    calls: Vec<Call>,
    codes: Vec<Option<i32>>,
    form: String,
    forms: Vec<String>,
}

/// How the form of a call begins whose failure the next line finds out, as the script says above it.
pub(super) const UNCHECKED: &str = "rem unchecked";

/// What [`Machine::run`] does, by the model. Gives also the form of every call: its program, and the lines around it that
/// say what happens when the call fails.
pub(super) fn run(
    machine: &Machine,
    script: &str,
    answer: &mut dyn FnMut(usize, &Call) -> Answer,
) -> (Outcome, Vec<String>) {
    let path = machine.bundle(script);
    let text = fs::read_to_string(&path).expect("a generated script");
    let mut server = Modelled {
        machine,
        folder: Machine::windows(path.parent().expect("a folder")) + "\\",
        answer,
        calls: Vec::new(),
        codes: Vec::new(),
        form: String::new(),
        forms: Vec::new(),
    };
    let ended = follow(&mut server, &text, "");
    let outcome = Outcome {
        code: ended.code,
        output: ended.printed,
        errors: String::new(),
        calls: server.calls,
        codes: server.codes,
    };
    (outcome, server.forms)
}

/// Fails unless Wine and the model say the same of a script: every call argument by argument, the end, what was printed.
#[track_caller]
pub(super) fn agree(what: &str, ran: &Outcome, modelled: &Outcome) {
    for (number, (real, meant)) in ran.calls.iter().zip(&modelled.calls).enumerate() {
        let what = format!("{what}, call {}, {}: {}", number + 1, meant.program, ran.errors);
        assert_eq!(real.program, meant.program, "{what}");
        assert_eq!(real.arguments, meant.arguments, "{what}");
    }
    let ends = [ran, modelled].map(|outcome| (outcome.calls.len(), outcome.code));
    assert_eq!(
        ends[0], ends[1],
        "{what}\nWine: {}{}\nmodel: {}",
        ran.output, ran.errors, modelled.output
    );
    let printed = |outcome: &Outcome| {
        let lines = outcome.output.lines().map(str::trim_end);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(printed(ran), printed(modelled), "{what}");
}

impl Server for Modelled<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "~DP0" => Some(self.folder.clone()),
            _ => self.machine.variable(name),
        }
    }

    fn file(&self, path: &str) -> PathBuf {
        self.machine.unix(path)
    }

    fn comes_to(&mut self, before: &str, behind: &str) {
        let mark = before.get(..UNCHECKED.len()).filter(|start| *start == UNCHECKED);
        // Labels are numbered where lines repeat. What is no question about the call is another call, with other words.
        let behind = if behind.starts_with("if ") { behind } else { "" };
        let behind = behind.trim_end_matches(|c: char| c.is_ascii_digit());
        self.form = format!("{} {behind}", mark.unwrap_or_default());
    }

    fn start(&mut self, program: &str, arguments: &[&str], _: &BTreeMap<String, String>) -> Started {
        if let Some(started) = built_in(self, program, arguments) {
            return started;
        }
        let call = Call {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        };
        self.calls.push(call.clone());
        self.forms.push(format!("{} {program}", self.form));
        let (code, output, errors) = match (self.answer)(self.calls.len(), &call) {
            Answer::Code(code, output) => (code, output, String::new()),
            Answer::Both(code, output, errors) => (code, output, errors),
            Answer::Native => panic!("only Wine has its own {program}"),
        };
        self.codes.push(Some(code));
        Started { code, output, errors }
    }
}
