//! What of a changed runbook no other change of the report says already.
//!
//! The runbook repeats much of the other artifacts: paths, addresses, versions, and a step for each script. A reviewer
//! reads those changes where they are made, so here a fact is left out when it follows: every run of words that differs
//! in it stands in a change that is shown, or its step is about a server or an artifact that came or went. What is left is
//! what engineers will do differently. This file must not know how a report looks.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, capture_diff_slices};

use super::fact::{Fact, FactKind, without_alike};
use super::identity::Identity;
use crate::formats::{Cut as _, FactPath, Step};

/// Chapters that are made from the steps, from the warnings or from the catalogue; the report says those elsewhere.
const MADE_FROM_OTHERS: &[&str] = &[
    "Warnings of this build",
    "Contents",
    "Checks that have to wait",
    "Restarts",
    "Where this bundle differs from the vendor guide",
];

/// What the other changes of a bundle say.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Words that went, one text after the other.
    gone: String,
    /// Words that came.
    come: String,
    /// Servers that came, went or have another name, and paths of artifacts that came or went.
    subjects: BTreeSet<String>,
    /// Every server of the bundle.
    servers: BTreeSet<String>,
    /// Old and new name of renamed servers.
    renamed: Vec<(Identity, Identity)>,
    /// What the chapters that are made from the rest may repeat, on the old side and on the new one.
    old: Rest,
    new: Rest,
}

/// What a side says outside of the chapters that are made from the rest.
#[derive(Clone, Debug, Default)]
struct Rest {
    text: String,
    /// It was compiled just now, so that the made chapters are what they say: nobody could write into them.
    is_compiled: bool,
}

impl Said {
    /// Adds a shown fact.
    pub(super) fn fact(&mut self, fact: &Fact) {
        let path = fact.path.to_string();
        self.gone(&path);
        self.come(&path);
        self.gone(fact.old.as_deref().unwrap_or_default());
        self.come(fact.new.as_deref().unwrap_or_default());
    }

    /// Adds a text of the old side.
    pub(super) fn gone(&mut self, text: &str) {
        add(&mut self.gone, text);
    }

    /// Adds a text of the new side.
    pub(super) fn come(&mut self, text: &str) {
        add(&mut self.come, text);
    }

    /// A server or the path of an artifact that is on one side only.
    pub(super) fn subject(&mut self, subject: &str) {
        self.subjects.insert(subject.to_owned());
    }

    /// A server that has another name now.
    pub(super) fn renamed(&mut self, old: &str, new: &str) {
        self.gone(old);
        self.come(new);
        self.renamed
            .push((Identity::new(old, ""), Identity::new(new, "")));
    }

    /// A text of the old side with the new names of servers.
    fn with_new_names(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (old, new) in &self.renamed {
            text = new.restore(&old.hide(&text));
        }
        text
    }

    /// What a bundle says that chapters of its runbook may repeat: its manifest's warnings and steps, and the rest of the runbook.
    pub(super) fn rest(&mut self, text: &str, is_new: bool) {
        add(&mut self.side(is_new).text, text);
    }

    fn side(&mut self, is_new: bool) -> &mut Rest {
        if is_new { &mut self.new } else { &mut self.old }
    }

    /// A side that was compiled just now.
    pub(super) fn compiled(&mut self, is_new: bool) {
        self.side(is_new).is_compiled = true;
    }

    /// The text of a runbook: what stands outside of the made chapters may be repeated by them, and what stood there before was
    /// seen before.
    pub(super) fn runbook(&mut self, text: &str, is_new: bool) {
        let mut repeats = false;
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                repeats = MADE_FROM_OTHERS.contains(&title.trim());
            }
            if !repeats {
                self.rest(line, is_new);
            }
            self.rest(line, !is_new);
        }
    }

    /// Whether a chapter that is made from others says only what stands there, run by run between its numbers, which follow
    /// from how many there are.
    fn repeats(&self, fact: &Fact) -> bool {
        let stands = |text: Option<&str>, rest: &Rest| {
            let words = words(text.unwrap_or_default());
            let mut runs = words.split(|word| is_number(word));
            rest.is_compiled || runs.all(|run| run.is_empty() || holds(&rest.text, run))
        };
        stands(fact.old.as_deref(), &self.old) && stands(fact.new.as_deref(), &self.new)
    }

    /// A server of the bundle.
    pub(super) fn server(&mut self, name: &str) {
        self.servers.insert(name.to_owned());
    }
}

fn add(text: &mut String, more: &str) {
    // A mark between texts: a run of words must not be found across them.
    text.push_str(" \0 ");
    text.push_str(&words(more).join(" "));
    text.push(' ');
}

/// The facts of a runbook that do not follow, each once with the servers it is about.
pub(super) fn what_is_new(facts: Vec<Fact>, said: &Said) -> Vec<Fact> {
    // What says the same under the old and under the new name of a server is not new.
    let facts = without_alike(facts, |fact| {
        if fact.kind == FactKind::Removed {
            fact.map(|text| said.with_new_names(text))
        } else {
            fact.clone()
        }
    });
    let about_subjects = steps_about(&facts, &said.subjects);
    let mut left: BTreeMap<Fact, BTreeSet<String>> = BTreeMap::new();
    let mut order: Vec<Fact> = Vec::new();
    for fact in facts {
        let is_title = heading_of(&fact) == Some(1);
        let is_made = MADE_FROM_OTHERS.contains(&chapter_of(&fact));
        if is_title || is_made && said.repeats(&fact) || about_subjects.contains(&step_of(&fact)) && !is_made
        {
            continue;
        }
        if follows(&fact, said) {
            continue;
        }
        // The same step of many servers is said once, so it loses the heading that is the name of one, and the name.
        let mut names = fact.path.steps().iter().map(|step| &step.name);
        let server = names.find(|name| said.servers.contains(*name)).cloned();
        let fact = match &server {
            Some(server) => {
                let own = Identity::new(server, "");
                let others = fact.path.steps().iter().filter(|step| step.name != *server);
                Fact {
                    path: others.cloned().collect(),
                    old: fact.old.map(|text| own.hide(&text)),
                    new: fact.new.map(|text| own.hide(&text)),
                    ..fact
                }
            }
            None => fact,
        };
        if !left.contains_key(&fact) {
            order.push(fact.clone());
        }
        left.entry(fact).or_default().extend(server);
    }
    order
        .into_iter()
        .map(|fact| {
            let servers = left.remove(&fact).unwrap_or_default();
            if servers.is_empty() {
                return fact;
            }
            let names: Vec<String> = servers.into_iter().collect();
            let (last, above) = fact
                .path
                .steps()
                .split_last()
                .expect("a fact of a text has a path");
            let last = Step::named(format!("{last} ({})", names.join(", ")));
            let above: FactPath = above.iter().cloned().collect();
            Fact {
                path: above.child(last),
                ..fact
            }
        })
        .collect()
}

/// The heading a fact stands below, or is.
fn step_of(fact: &Fact) -> FactPath {
    match fact.path.steps() {
        [step @ .., _] if heading_of(fact).is_none() && !step.is_empty() => step.iter().cloned().collect(),
        _ => fact.path.clone(),
    }
}

/// The level of the heading that a fact is. What is said of a block with another name is about what stands in it.
fn heading_of(fact: &Fact) -> Option<usize> {
    fact.path.heading().filter(|_| fact.kind != FactKind::Renamed)
}

/// The title of the chapter in which a fact stands.
fn chapter_of(fact: &Fact) -> &str {
    fact.path.steps().first().map_or("", |chapter| &chapter.name)
}

/// Steps with a paragraph about a subject, or below a heading that is one.
fn steps_about(facts: &[Fact], subjects: &BTreeSet<String>) -> BTreeSet<FactPath> {
    let mut found = BTreeSet::new();
    for fact in facts {
        let texts = [fact.old.as_deref(), fact.new.as_deref()];
        let text = texts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let mentioned = subjects.iter().any(|subject| {
            let mut headings = fact.path.steps().iter();
            headings.any(|step| step.name == *subject) || text.contains(&format!("`{subject}`"))
        });
        if mentioned && matches!(fact.kind, FactKind::Added | FactKind::Removed) {
            found.insert(step_of(fact));
        }
    }
    found
}

/// Whether every run of words that differs stands in what is shown. Numbers of steps and how many there are follow too.
fn follows(fact: &Fact, said: &Said) -> bool {
    let (old, new) = (
        words(fact.old.as_deref().unwrap_or_default()),
        words(fact.new.as_deref().unwrap_or_default()),
    );
    if !matches!(fact.kind, FactKind::Changed | FactKind::Renamed) {
        return false;
    }
    let counts =
        old.first().map(String::as_str) == Some("steps") || chapter_of(fact) == "How to work with it";
    let stands = |run: &[String], text: &str| {
        let numbers_only = counts && run.iter().all(|word| is_number(word));
        run.is_empty() || numbers_only || holds(text, run)
    };
    capture_diff_slices(Algorithm::Myers, &old, &new)
        .into_iter()
        .all(|step| {
            let (before, now) = (old.cut(step.old_range()), new.cut(step.new_range()));
            before == now || stands(before, &said.gone) && stands(now, &said.come)
        })
}

/// Whether words stand after each other in a text made of words with blanks around them.
pub(super) fn holds(text: &str, words: &[String]) -> bool {
    text.contains(&format!(" {} ", words.join(" ")))
}

pub(super) fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Runs of letters and digits, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(path: &str, old: Option<&str>, new: Option<&str>) -> Fact {
        let is_heading = old.or(new).is_some_and(|text| text.starts_with("heading "));
        let steps = path.split(" > ").map(|title| Step::heading(2, title));
        let mut steps: Vec<Step> = steps.collect();
        if !is_heading && let Some(last) = steps.pop() {
            steps.push(Step::named(last.name));
        }
        let path: FactPath = steps.into_iter().collect();
        Fact::new(path, old.map(str::to_owned), new.map(str::to_owned))
    }

    fn check(facts: &[Fact], said: &Said, expected: &[&str]) {
        let left = what_is_new(facts.to_vec(), said);
        let paths: Vec<String> = left.iter().map(|fact| fact.path.to_string()).collect();
        assert_eq!(paths, expected, "{left:?}");
    }

    #[test]
    fn what_is_shown_elsewhere_is_left_out() {
        let mut said = Said::default();
        said.fact(&fact(
            "http > server > listen",
            Some("443: ssl"),
            Some("8443: ssl"),
        ));
        let line = |old: &str, new: &str| fact("Start > Open it > item", Some(old), Some(new));
        check(
            &[line("open `https://a:443/x`", "open `https://a:8443/x`")],
            &said,
            &[],
        );
        check(
            &[line("open `https://a:443/x`", "open `https://a:9443/x`")],
            &said,
            &["Start > Open it > item"],
        );
        check(
            &[line(
                "open `https://a:443/x`",
                "delete every backup and open `https://a:8443/x`",
            )],
            &said,
            &["Start > Open it > item"],
        );
        check(&[fact("Restarts > row", Some("1"), Some("2"))], &said, &[]);
        // A made chapter repeats what stands elsewhere, and nothing else.
        said.runbook(
            "## Firewall\nOpen the ports of CORE01.\n## Contents\nDelete the backups.\n",
            true,
        );
        check(
            &[fact("Contents > item", None, Some("3 Open the ports of CORE01"))],
            &said,
            &[],
        );
        check(
            &[fact("Contents > item", None, Some("Delete the backups"))],
            &said,
            &["Contents > item"],
        );
    }

    #[test]
    fn steps_of_what_came_or_went_follow() {
        let mut said = Said::default();
        said.subject("servers/A/x.cmd");
        said.subject("CORE09");
        let added = |path: &str, text: &str| fact(path, None, Some(text));
        let step = "Firewall > A > Open ports";
        check(
            &[
                added(&format!("{step} > paragraph"), "File `servers/A/x.cmd` (script)"),
                added(&format!("{step} > item"), "Run it."),
            ],
            &said,
            &[],
        );
        check(
            &[
                added("Firewall > CORE09 > Anything > item", "Do it."),
                added("Firewall > CORE09", "heading 3"),
            ],
            &said,
            &[],
        );
        check(
            &[added("Firewall > A > Anything > item", "Do it.")],
            &said,
            &["Firewall > A > Anything > item"],
        );
        // One heading that reads like two is about no server.
        let heading = Step::heading(2, "Firewall > CORE09");
        let path: FactPath = [heading, Step::named("item")].into_iter().collect();
        let fact = Fact::new(path, None, Some("Delete the backups.".into()));
        check(&[fact], &said, &["Firewall > CORE09 > item"]);
    }

    #[test]
    fn the_same_step_of_many_servers_is_said_once() {
        let mut said = Said::default();
        said.server("A");
        said.server("B");
        let line = |server: &str| {
            fact(
                &format!("Hardening > {server} > Look > item"),
                Some(&format!("open {server}")),
                Some(&format!("delete {server}")),
            )
        };
        check(
            &[line("A"), line("B")],
            &said,
            &["Hardening > Look > item (A, B)"],
        );
    }

    #[test]
    fn a_renamed_server_does_the_same_steps() {
        let mut said = Said::default();
        said.renamed("MGMT02", "WEB02");
        let line = |server: &str, more: &str| format!("Run servers/{server}/x.cmd{more}.");
        let path = |server: &str| format!("Firewall > {server} > Open > item");
        let facts = |more: &str| {
            [
                fact(&path("MGMT02"), Some(&line("MGMT02", "")), None),
                fact(&path("WEB02"), None, Some(&line("WEB02", more))),
            ]
        };
        check(&facts(""), &said, &[]);
        check(
            &facts(" twice"),
            &said,
            &[
                "Firewall > MGMT02 > Open > item",
                "Firewall > WEB02 > Open > item",
            ],
        );
    }

    #[test]
    fn numbers_of_steps_follow_and_other_numbers_do_not() {
        let said = Said::default();
        check(
            &[fact(
                "row",
                Some("Steps | 12 in 3 phases"),
                Some("Steps | 13 in 3 phases"),
            )],
            &said,
            &[],
        );
        check(
            &[fact("Verify > Look > item", Some("port 2800"), Some("port 2801"))],
            &said,
            &["Verify > Look > item"],
        );
    }
}
