//! Acknowledged warnings: `accept:` takes warnings out of the findings and gives them a reason.
//!
//! The bundle depends on what is accepted and never on the day: only the finding that an acceptance is past its date
//! does. This file must not know the rules that make warnings.

use std::collections::BTreeSet;

use super::View;
use super::problem::Problems;
use crate::codes::{self, Severity};
use crate::inventory::accept::Acceptance;

/// Warnings that only the order of work shows, after the checks: whether one is accepted in vain is not known here.
const OF_THE_PLAN: &[codes::Code] = &[
    codes::WINDOW_TOO_SHORT,
    codes::WINDOW_WITHOUT_RESERVE,
    codes::NO_TIME_TO_GO_BACK,
];

/// Warnings of `check --lint`, which has its own word on acceptances of them.
pub(super) const OF_THE_LINT: &[codes::Code] =
    &[codes::LAYER_IDLE, codes::VALUE_REPLACED, codes::EQUAL_TO_DEFAULT];

/// Gives every accepted warning its reason, and adds what is wrong with the acceptances themselves. `today` is a day like
/// `2026-12-05`; without one no acceptance is past its date.
pub(super) fn answer(view: &View<'_>, today: Option<&str>, problems: &mut Problems) {
    let entries = &view.inventory.accept;
    let mut used = BTreeSet::new();
    for problem in problems
        .0
        .iter_mut()
        .filter(|problem| problem.code.severity() == Severity::Warning)
    {
        let of_code = || {
            let all = entries.iter().enumerate();
            all.filter(|(_, entry)| entry.code == problem.code.id())
        };
        if let Some((index, entry)) = of_code().find(|(_, entry)| entry.servers.is_empty()) {
            problem.accepted = Some(entry.clone());
            used.insert(index);
            continue;
        }
        let affected = problem.affected();
        let names: Vec<&str> = affected
            .iter()
            .filter_map(|index| view.inventory.servers.get(*index))
            .map(|server| server.name.as_str())
            .collect();
        let mut open = names.clone();
        let mut answers = Vec::new();
        for (index, entry) in of_code() {
            let before = open.len();
            if names.iter().any(|name| entry.lists(name)) {
                used.insert(index);
            }
            open.retain(|name| !entry.lists(name));
            if open.len() < before {
                answers.push(entry);
            }
        }
        if answers.is_empty() {
            continue;
        }
        if open.is_empty() {
            problem.accepted = Some(joined(&answers));
        } else {
            problem.note(format!(
                "it is accepted for others, and still open for {}",
                super::some_names(&open)
            ));
        }
    }
    for (index, entry) in entries.iter().enumerate() {
        let mut elsewhere = OF_THE_PLAN.iter().chain(OF_THE_LINT);
        let is_found_elsewhere = elsewhere.any(|code| code.id() == entry.code);
        if !is_found_elsewhere && !used.contains(&index) {
            let earlier = entries.iter().take(index);
            let mut covering = earlier.enumerate().filter(|(_, other)| other.code == entry.code);
            match covering.find(|(_, other)| other.servers.is_empty()) {
                Some((first, _)) => repeated(entry, index, first, problems),
                None => unused(view, entry, index, problems),
            }
            continue;
        }
        for (at, name) in unknown_servers(view, entry) {
            problems
                .at(
                    codes::ACCEPTANCE_UNUSED,
                    format!("/accept/{index}/servers/{at}"),
                    format!(
                        "{} is accepted for `{name}`, and no server is called so",
                        entry.code
                    ),
                )
                .help("correct the name, or remove it");
        }
        if let (Some(today), Some(until)) = (today, entry.until.as_deref())
            && until < today
        {
            problems
                .at(
                    codes::ACCEPTANCE_EXPIRED,
                    format!("/accept/{index}/until"),
                    format!("the acceptance of {} ended on {until}", entry.code),
                )
                .note(format!("its reason was: {}", entry.reason))
                .help("look at the warning again: settle it, or write a later date and a reason that holds today");
        }
    }
}

/// Names of an acceptance that no server has, with their places in its list.
fn unknown_servers<'a>(view: &View<'_>, entry: &'a Acceptance) -> Vec<(usize, &'a str)> {
    let is_known = |name: &str| {
        let mut servers = view.inventory.servers.iter();
        servers.any(|server| server.name.eq_ignore_ascii_case(name))
    };
    let names = entry.servers.iter().map(String::as_str).enumerate();
    names.filter(|(_, name)| !is_known(name)).collect()
}

/// Several acceptances of one warning as one: their reasons one after the other, the first day on which one of them ends.
fn joined(answers: &[&Acceptance]) -> Acceptance {
    let reasons: Vec<String> = match answers {
        [one] => vec![one.reason.clone()],
        many => many
            .iter()
            .map(|entry| format!("{}: {}", entry.servers.join(", "), entry.reason))
            .collect(),
    };
    Acceptance {
        code: answers
            .first()
            .map(|entry| entry.code.clone())
            .expect("only what has an answer is accepted"),
        reason: reasons.join("; "),
        servers: Vec::new(),
        until: answers.iter().filter_map(|entry| entry.until.clone()).min(),
    }
}

/// An acceptance of what another one accepts everywhere.
fn repeated(entry: &Acceptance, index: usize, first: usize, problems: &mut Problems) {
    problems
        .at(
            codes::ACCEPTANCE_UNUSED,
            format!("/accept/{index}/code"),
            format!("{} is accepted twice", entry.code),
        )
        .related(format!("/accept/{first}/code"), "accepted here for all servers")
        .help("remove one of the two; list `servers` in both where the reasons differ");
}

fn unused(view: &View<'_>, entry: &Acceptance, index: usize, problems: &mut Problems) {
    let code = &entry.code;
    let known = codes::find(code).filter(|code| code.severity() == Severity::Warning);
    let is_found = problems.0.iter().any(|problem| problem.code.id() == code);
    let unknown = unknown_servers(view, entry).into_iter().next();
    let problem = problems.at(
        codes::ACCEPTANCE_UNUSED,
        format!("/accept/{index}/code"),
        match known {
            None => format!("no warning has the code {code}"),
            Some(_) if is_found => format!("{code} is not found on the servers this acceptance lists"),
            Some(_) => format!("{code} is accepted, and this inventory has no such warning"),
        },
    );
    match (known, unknown) {
        (None, _) => problem.help("`cbgen explain --list` shows every code; correct it, or remove the entry"),
        (_, Some((_, name))) => problem.help(format!(
            "no server is called `{name}`; correct `servers`, or remove the entry"
        )),
        (Some(_), None) if is_found => {
            problem.help("remove `servers` when the warning is about the whole installation")
        }
        (Some(_), None) => problem
            .note("an acceptance that nothing needs would hide the warning when it comes back")
            .help("remove the entry"),
    };
}

#[cfg(test)]
mod tests {
    use super::super::collect;
    use super::super::tests::good;
    use super::*;

    fn entry(code: &str, servers: &[&str], until: Option<&str>) -> Acceptance {
        Acceptance {
            code: code.into(),
            reason: "seen".into(),
            servers: servers.iter().map(|name| (*name).to_owned()).collect(),
            until: until.map(Into::into),
        }
    }

    /// Codes that stay findings, and codes that are accepted.
    fn check(accept: Vec<Acceptance>, today: Option<&str>) -> (Vec<&'static str>, Vec<&'static str>) {
        let mut inventory = good();
        inventory.accept = accept;
        let problems = collect(&inventory, &|_| false, today);
        let codes = |accepted: bool| {
            let some = problems
                .iter()
                .filter(|problem| problem.accepted.is_some() == accepted);
            some.map(|problem| problem.code.id()).collect()
        };
        (codes(false), codes(true))
    }

    #[test]
    fn an_accepted_warning_is_no_finding() {
        let (open, accepted) = check(vec![entry("CB0422", &[], None), entry("CB0440", &[], None)], None);
        assert_eq!((open, accepted), (vec![], vec!["CB0422", "CB0440"]));
    }

    #[test]
    fn servers_are_accepted_one_by_one() {
        let all: Vec<String> = good()
            .servers
            .iter()
            .filter(|server| server.roles.contains(&crate::contract::artifact::Role::Core))
            .map(|server| server.name.to_lowercase())
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert!(all.len() > 1, "{all:?}");
        let (open, _) = check(vec![entry("CB0440", &all[..1], None)], None);
        assert!(open.contains(&"CB0440") && !open.contains(&"CB0490"), "{open:?}");
        let (open, accepted) = check(vec![entry("CB0440", &all, None)], None);
        assert!(!open.contains(&"CB0440") && !open.contains(&"CB0490"), "{open:?}");
        assert_eq!(accepted, ["CB0440"]);
        // A server that went away, or a slip, beside names that are right.
        let more = [all.as_slice(), &["NOBODY"]].concat();
        let (open, accepted) = check(vec![entry("CB0440", &more, None)], None);
        assert!(open.contains(&"CB0490"), "{open:?}");
        assert_eq!(accepted, ["CB0440"]);
    }

    #[test]
    fn entries_without_a_warning_or_past_their_date_are_warnings() {
        for useless in [
            entry("CB0404", &[], None),
            entry("CB0489", &[], None),
            entry("CB0422", &["CORE01"], None),
            entry("CB0440", &["NOBODY"], None),
        ] {
            assert!(
                check(vec![useless.clone()], None).0.contains(&"CB0490"),
                "{useless:?}"
            );
        }
        let dated = || vec![entry("CB0422", &[], Some("2026-12-05"))];
        assert!(!check(dated(), Some("2026-12-05")).0.contains(&"CB0491"));
        let (open, accepted) = check(dated(), Some("2026-12-06"));
        assert!(
            open.contains(&"CB0491") && accepted == ["CB0422"],
            "{open:?} {accepted:?}"
        );
    }
}
