//! A server's own names in a text, replaced by stand-ins, so that the same change on many servers looks the same.
//!
//! The stand-ins are private-use characters. They differ by spelling (as written, lower case, upper case), so two texts
//! are equal with stand-ins exactly when they are equal without. This file must not know formats or reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use super::fact::Fact;
use crate::formats::Cut as _;
use crate::formats::unseen::unseen;
use crate::marks;

/// Each stand-in with what people read.
const STAND_INS: &[(char, &str)] = &[
    (marks::FQDN, "‹fqdn›"),
    (marks::LOWER_FQDN, "‹fqdn in lower case›"),
    (marks::SERVER, "‹server›"),
    (marks::LOWER_SERVER, "‹server in lower case›"),
    (marks::UPPER_SERVER, "‹server in upper case›"),
    (marks::VERSION, "‹bundle version›"),
    (marks::BUNDLE, "‹bundle›"),
    (marks::DOMAIN, ".‹domain›"),
    (marks::PATTERN_DOMAIN, "\\.‹domain›"),
];

/// The names of a server, longest first, each with its stand-in, and the edition of its bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    words: Vec<(String, char)>,
    /// Name and version of the bundle.
    edition: Option<(String, String)>,
}

impl Identity {
    /// The names of one server; `None` for an artifact of the whole deployment.
    pub fn new(name: &str, fqdn: &str) -> Self {
        let spellings = [
            (fqdn.to_owned(), marks::FQDN),
            (fqdn.to_lowercase(), marks::LOWER_FQDN),
            (name.to_owned(), marks::SERVER),
            (name.to_lowercase(), marks::LOWER_SERVER),
            (name.to_uppercase(), marks::UPPER_SERVER),
        ];
        let mut words: Vec<(String, char)> = Vec::new();
        for (word, stand_in) in spellings {
            if !word.is_empty() && words.iter().all(|(known, _)| *known != word) {
                words.push((word, stand_in));
            }
        }
        Self { words, edition: None }
    }

    /// Also hides the version of the bundle, which the head of a report names once: only directly behind the name of
    /// the bundle, as in `acme 1.2` or `acme\\1.2`, because a version alone may be any number.
    #[must_use]
    pub fn with_edition(mut self, name: &str, version: &str) -> Self {
        let usable = !name.is_empty() && !version.is_empty();
        self.edition = usable.then(|| (name.to_owned(), version.to_owned()));
        self
    }

    /// The same without the edition.
    #[must_use]
    pub fn without_edition(&self) -> Self {
        Self {
            words: self.words.clone(),
            edition: None,
        }
    }

    /// Only the names that `other` spells the same: what differs between the two must stay visible.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Self {
        let words = self
            .words
            .iter()
            .filter(|word| other.words.contains(word))
            .cloned();
        Self {
            words: words.collect(),
            edition: self.edition.clone(),
        }
    }

    /// The text with stand-ins; not for texts that hold such characters already ([`holds_stand_ins`]). A name inside a longer word or host label stays.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = match &self.edition {
            Some((name, version)) if text.contains(name) => hide_version(text, name, version),
            Some(_) | None => text.to_owned(),
        };
        for (word, stand_in) in &self.words {
            if hidden.contains(word.as_str()) {
                hidden = replace_word(&hidden, word, *stand_in);
            }
        }
        hidden
    }

    /// The text with the names back in place.
    pub fn restore(&self, text: &str) -> String {
        let mut restored = text.to_owned();
        for (word, stand_in) in &self.words {
            restored = restored.replace(*stand_in, word);
        }
        restored
    }
}

/// The names by which texts of one installation differ from those of another.
#[derive(Clone, Debug, Default)]
pub struct Installation {
    /// Name of the bundle.
    pub bundle: String,
    /// Names of its servers and first labels of their FQDNs, lower case.
    pub hosts: BTreeSet<String>,
    /// What follows the first label of the FQDNs, lower case.
    pub domains: BTreeSet<String>,
}

/// Names of an installation, replaced by stand-ins: other servers numbered in the order in which they appear, the bundle,
/// and the domain when there is only one.
#[derive(Clone, Debug)]
pub struct Others<'a> {
    installation: Option<&'a Installation>,
    seen: BTreeMap<String, u32>,
}

impl<'a> Others<'a> {
    /// For one installation.
    pub fn new(installation: Option<&'a Installation>) -> Self {
        Self {
            installation,
            seen: BTreeMap::new(),
        }
    }

    /// The fact with stand-ins.
    pub fn hide_in(&mut self, fact: &Fact) -> Fact {
        fact.map(|text| self.hide(text))
    }

    /// The other servers that were met, by number.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<(&u32, &String)> = self.seen.iter().map(|(name, number)| (number, name)).collect();
        names.sort();
        names.into_iter().map(|(_, name)| name.clone()).collect()
    }

    fn hide(&mut self, text: &str) -> String {
        let Some(installation) = self.installation else {
            return text.to_owned();
        };
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            let stand_in = if !word.is_empty() && word == installation.bundle {
                Some(marks::BUNDLE)
            } else {
                self.stand_in(&installation.hosts, word)
            };
            hidden.push_str(&stand_in.map_or_else(|| word.to_owned(), String::from));
            let mut letters = tail.chars();
            hidden.extend(letters.next());
            rest = letters.as_str();
        }
        match installation.domains.first() {
            Some(domain) if installation.domains.len() == 1 => hide_domain(&hidden, domain),
            _ => hidden,
        }
    }

    fn stand_in(&mut self, hosts: &BTreeSet<String>, word: &str) -> Option<char> {
        if word.is_empty() || !hosts.contains(&word.to_lowercase()) {
            return None;
        }
        let next = u32::try_from(self.seen.len()).ok()?;
        let number = *self.seen.entry(word.to_owned()).or_insert(next);
        // Where there are more servers than marks, the rest keep their names.
        marks::OTHER_SERVERS.mark(number)
    }
}

/// Replaces `.domain` behind a label, plain and with the dots as a regular expression writes them. Only in lower case:
/// stand-ins must not make texts equal that are not.
fn hide_domain(text: &str, domain: &str) -> String {
    let plain = format!(".{domain}");
    let pattern = plain.replace('.', "\\.");
    let mut hidden = text.to_owned();
    for (spelling, stand_in) in [(pattern, marks::PATTERN_DOMAIN), (plain, marks::DOMAIN)] {
        let ends = |behind: &str| {
            let label = behind.strip_prefix('.').unwrap_or(behind);
            !behind.starts_with(belongs) && !label.starts_with(belongs)
        };
        let places = parts(&hidden, &spelling).filter(|place| ends(hidden.cut(place.end..)));
        hidden = marks::put(stand_in, &hidden, places);
    }
    hidden
}

/// Where a text stands in another one.
fn parts(text: &str, part: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(part).map(|(at, found)| at..at + found.len())
}

/// Whether a text holds stand-ins already: replacing names could make it equal to another one.
pub fn holds_stand_ins(text: &str) -> bool {
    text.contains(|letter| stand_in(letter).is_some() || marks::OTHER_SERVERS.number(letter).is_some())
}

/// The text with readable stand-ins, and control characters made visible.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if let Some(number) = marks::OTHER_SERVERS.number(letter) {
            let _ = write!(shown, "‹other server {}›", number + 1);
            continue;
        }
        match stand_in(letter) {
            Some(words) => shown.push_str(words),
            None if letter == '\n' || unseen(letter).is_none() => shown.push(letter),
            None if letter.is_control() => shown.extend(letter.escape_debug()),
            None => shown.extend(letter.escape_unicode()),
        }
    }
    shown
}

fn stand_in(letter: char) -> Option<&'static str> {
    STAND_INS
        .iter()
        .find(|(known, _)| *known == letter)
        .map(|(_, words)| *words)
}

/// Replaces `version` where it stands behind `name` and one separator.
fn hide_version(text: &str, name: &str, version: &str) -> String {
    let mut done = 0;
    let versions = parts(text, name).filter_map(|found| {
        let separated = text.cut(found.end..).strip_prefix(['\\', '/', ' ', '-', '_']);
        let rest = separated?.strip_prefix(version)?;
        let goes_on = rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let place = found.end + 1..text.len() - rest.len();
        let is_one = !goes_on && found.start >= done;
        done = if is_one { place.end } else { done };
        is_one.then_some(place)
    });
    marks::put(marks::VERSION, text, versions)
}

/// Whether a letter goes on with a name.
fn belongs(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-')
}

/// Whether what stands behind a word makes it longer. A `-` and a number, as in `CORE01-1.cer`, counts something of it.
fn continues(tail: &str) -> bool {
    let counted = tail
        .strip_prefix('-')
        .map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    match counted {
        Some(rest) if rest.len() + 1 < tail.len() => rest.starts_with(belongs),
        _ => tail.starts_with(belongs),
    }
}

fn replace_word(text: &str, word: &str, stand_in: char) -> String {
    let is_whole = |place: &Range<usize>| {
        !text.cut(..place.start).ends_with(belongs) && !continues(text.cut(place.end..))
    };
    marks::put(stand_in, text, parts(text, word).filter(is_whole))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) -> String {
        shown(&Identity::new("CORE01", "core01.acme.example").hide(text))
    }

    #[test]
    fn own_names_become_stand_ins() {
        assert_eq!(check("rabbit@core01"), "rabbit@‹server in lower case›");
        assert_eq!(check("https://core01.acme.example/x"), "https://‹fqdn›/x");
        assert_eq!(
            check("CORE01\\x CORE012 CORE01-b"),
            "‹server›\\x CORE012 CORE01-b"
        );
        assert_eq!(
            check("CORE01-12.cer CORE01-1b CORE01-"),
            "‹server›-12.cer CORE01-1b CORE01-"
        );
        assert_eq!(
            check("core01.other.example"),
            "‹server in lower case›.other.example"
        );
    }

    #[test]
    fn what_differs_stays_visible() {
        let (old, new) = (
            Identity::new("A", "a.x.example"),
            Identity::new("A", "a.y.example"),
        );
        let shared = old.shared_with(&new);
        assert_ne!(shared.hide("a.x.example"), shared.hide("a.y.example"));
        assert_eq!(
            shown(&shared.hide("a.x.example")),
            "‹server in lower case›.x.example"
        );
    }

    #[test]
    fn a_version_is_hidden_behind_its_bundle_only() {
        let check = |text: &str| shown(&Identity::default().with_edition("acme", "1").hide(text));
        assert_eq!(
            check("acme\\1\\sql acme 1, 1"),
            "acme\\‹bundle version›\\sql acme ‹bundle version›, 1"
        );
        assert_eq!(check("acme 12 acme-1x acme1"), "acme 12 acme-1x acme1");
    }

    proptest! {
        #[test]
        fn stand_ins_never_make_two_texts_equal(
            left in "(CORE01|core01|core01\\.acme\\.example|[a .-]){0,8}",
            right in "(CORE01|core01|core01\\.acme\\.example|[a .-]){0,8}",
        ) {
            let identity = Identity::new("CORE01", "core01.acme.example");
            prop_assert_eq!(left == right, identity.hide(&left) == identity.hide(&right));
        }
    }
}
