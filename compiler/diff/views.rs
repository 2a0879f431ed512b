//! Whether the other forms of a runbook say what the runbook says: the page with boxes to tick, and the data that `apply` follows.
//!
//! `RUNBOOK.md` and its appendix are compared in detail, and repeating every change of theirs twice would hide it. So a view is held to them
//! instead: what a stored page says must stand in them, three words after each other, or be a whole short text of them or of the page's own
//! words; what the data says of a file must be what the manifest says of it, and its texts must stand in them too. What does not, and what
//! a page leaves out that it had, is shown. A bundle that was compiled just now is not asked: nobody could write into it. This file must not
//! know how a report looks.

use std::collections::{BTreeMap, BTreeSet};

use super::edition::{BundlePair, Edition};
use super::fact::{Fact, FactKind};
use super::runbook::{holds, is_number, words};
use super::sides::{Content, Side, Snapshot, is_derived, is_runbook};
use crate::catalogue::catalogue;
use crate::contract::artifact::{Effect, Rollback, Scope};
use crate::contract::manifest::{Artifact, ServerEntry, Window};
use crate::contract::moment::Moment;
use crate::contract::path::BundlePath;
use crate::contract::runbook::{Runbook, Step};
use crate::formats::{Cut as _, FactPath, Form, Format, Step as PathStep, items};
use crate::runbook::effect_words;
use crate::templates::folder::{TemplateFile, built_in};

/// Words of the longest text that is held to as a whole.
const SHORT: usize = 8;
/// Words after each other that must stand somewhere.
const RUN: usize = 3;

/// Everything that views may repeat.
#[derive(Debug, Default)]
struct Book {
    /// Runs of [`RUN`] words.
    runs: BTreeSet<[String; RUN]>,
    /// Whole short texts.
    short: BTreeSet<Vec<String>>,
    /// All words of the runbook and its appendix, for what is said there and left out elsewhere.
    text: String,
}

impl Book {
    fn add(&mut self, text: &str) {
        let words = words(text);
        for run in words.array_windows::<RUN>() {
            if !self.runs.contains(run) {
                self.runs.insert(run.clone());
            }
        }
        if !words.is_empty() && words.len() <= SHORT {
            self.short.insert(words);
        }
    }

    /// A runbook in Markdown, with its cells, code and strong words as texts of their own.
    fn add_markdown(&mut self, text: &str) {
        let plain = plain(text);
        for line in plain.lines() {
            for piece in line.split(['|', '`']).chain(line.split("**")) {
                self.add(piece);
            }
        }
        self.add(&plain);
        self.text.push(' ');
        self.text.push_str(&words(&plain).join(" "));
        self.text.push(' ');
    }

    /// A template of a page: its own words, without what it prints.
    fn add_template(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find(['{', '<']) {
            let (before, from) = rest.split_at(start);
            self.add(&plain(before));
            let close = match from.get(..2) {
                Some("{{") => "}}",
                Some("{%") => "%}",
                Some("{#") => "#}",
                _ if from.starts_with('<') => ">",
                _ => "{",
            };
            let (tag, behind) = from.split_at(from.find(close).map_or(from.len(), |at| at + close.len()));
            if tag.starts_with('{') {
                for text in tag.split('"').skip(1).step_by(2) {
                    self.add(text);
                }
            }
            rest = behind;
        }
        self.add(&plain(rest));
    }

    /// Whether every word stands in a run or a short text. Numbers alone count steps and minutes.
    fn says(&self, words: &[String]) -> bool {
        if words.len() < RUN {
            return words.is_empty()
                || self.short.contains(words)
                || words.iter().all(|word| is_number(word));
        }
        let mut said: Vec<bool> = words.iter().map(|word| is_number(word)).collect();
        let mut mark = |from: usize, length: usize| {
            for slot in said.iter_mut().skip(from).take(length) {
                *slot = true;
            }
        };
        for (at, run) in words.array_windows::<RUN>().enumerate() {
            if self.runs.contains(run) {
                mark(at, RUN);
            }
        }
        for at in 0..words.len() {
            for length in 1..=SHORT.min(words.len() - at) {
                let text = words.cut(at..at + length);
                if self.short.contains(text) {
                    mark(at, length);
                }
            }
        }
        said.into_iter().all(|said| said)
    }

    /// Whether the runbook says exactly this somewhere.
    fn holds(&self, words: &[String]) -> bool {
        words.len() >= RUN && holds(&self.text, words)
    }
}

/// A text without the elements and references that Markdown for people may hold.
fn plain(text: &str) -> String {
    let mut plain = text.to_owned();
    for element in ["b", "br", "code", "details", "kbd", "sub", "summary", "sup"] {
        for tag in [
            format!("<{element}>"),
            format!("</{element}>"),
            format!("<{element}/>"),
        ] {
            if plain.contains(&tag) {
                plain = plain.replace(&tag, " ");
            }
        }
    }
    for (reference, letter) in [
        ("&#32;", " "),
        ("&#124;", "|"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        if plain.contains(reference) {
            plain = plain.replace(reference, letter);
        }
    }
    plain
}

/// What the page and the data of stored bundles say that their runbooks do not, by bundle and path.
pub(super) fn of_sides(
    bundles: &[BundlePair],
    old: &Side,
    new: &Side,
) -> BTreeMap<String, BTreeMap<String, Vec<Fact>>> {
    fn find<'s>(side: &'s Side, edition: Option<&Edition>) -> Option<&'s Snapshot> {
        let name = &edition?.name;
        side.snapshots
            .iter()
            .find(|snapshot| snapshot.manifest.bundle.name == *name)
    }
    let mut found = BTreeMap::new();
    for pair in bundles {
        if let Some(after) = find(new, pair.new.as_ref()) {
            let before = find(old, pair.old.as_ref());
            found.insert(pair.name.clone(), unsaid(before, after));
        }
    }
    found
}

/// What the views of a stored bundle say that its runbook does not, by path of the view.
fn unsaid(old: Option<&Snapshot>, new: &Snapshot) -> BTreeMap<String, Vec<Fact>> {
    let mut found = BTreeMap::new();
    if new.is_compiled {
        return found;
    }
    let changed = |artifact: &&Artifact| {
        let before = old.and_then(|old| old.views.get(&artifact.path));
        is_derived(artifact) && before != new.views.get(&artifact.path)
    };
    let views: Vec<&Artifact> = new.manifest.artifacts.iter().filter(changed).collect();
    if views.is_empty() {
        return found;
    }
    let book = book(new);
    for artifact in views {
        let Some(text) = new.views.get(&artifact.path) else {
            continue;
        };
        let before = old
            .and_then(|old| old.views.get(&artifact.path))
            .map(String::as_str);
        let facts = if artifact.format == Format::Html {
            let mut facts = of_page(before, text, &book);
            facts.extend(untrue_times(text, new.manifest.bundle.window.as_ref()));
            facts
        } else {
            of_data(before, text, new, &book)
        };
        if !facts.is_empty() {
            found.insert(artifact.path.as_str().to_owned(), facts);
        }
    }
    found
}

/// What the views of a bundle may repeat.
fn book(snapshot: &Snapshot) -> Book {
    let mut book = Book::default();
    for artifact in &snapshot.manifest.artifacts {
        if is_runbook(artifact)
            && let Some(Content::Text(text)) = snapshot.contents.get(&artifact.path)
        {
            book.add_markdown(text);
        }
        // All of these are shown where they differ.
        book.add(artifact.path.as_str());
        for text in artifact.target.iter().chain(&artifact.restarts) {
            book.add(text);
        }
        book.add(effect_words(artifact.effect));
    }
    for server in &snapshot.manifest.servers {
        book.add(&server.name);
        book.add(&server.fqdn);
    }
    for id in catalogue().ids() {
        book.add(id);
    }
    for template in built_in() {
        if template.path == "runbook.html" || template.path.starts_with("_runbook/") {
            book.add_template(&template.text);
        }
    }
    book
}

/// A view that says nothing that can be compared, and why.
pub(super) fn whole(path: &str, why: String) -> Vec<Fact> {
    vec![Fact {
        kind: FactKind::Changed,
        ..Fact::new(path, None, Some(why))
    }]
}

/// What a page says that the runbook does not, and what it said, the runbook still says, and it does not say any more.
fn of_page(before: Option<&str>, text: &str, book: &Book) -> Vec<Fact> {
    let read = |text: &str| -> Option<Vec<(FactPath, String)>> {
        let (first, rest) = text.split_once('\n')?;
        // A number in an element of its own is a word of its own.
        let spaced = format!("{first}\n{}", rest.replace('<', " <"));
        let texts = items(Format::Html, &spaced).ok()?.into_iter().map(|item| {
            // The text of a heading is the end of its path.
            let title = item.path.last().filter(|_| item.path.heading().is_some());
            let text = title.map_or(item.value, PathStep::to_string);
            (item.path, text)
        });
        Some(texts.collect())
    };
    let Some(now) = read(text) else {
        return whole("the whole page", "it does not read as a page of cbgen".into());
    };
    let then = before.and_then(read).unwrap_or_default();
    let own_script = own_script();
    let values = |items: &[(FactPath, String)]| -> BTreeSet<Vec<String>> {
        items.iter().map(|(_, value)| words(value)).collect()
    };
    let (seen, there) = (values(&then), values(&now));
    let mut all = String::from(" ");
    for (_, value) in &now {
        all.push_str(&words(value).join(" "));
        all.push_str(" \0 ");
    }
    let mut facts = Vec::new();
    for (path, value) in &now {
        // A script does what it says with every sign in it: it is one of the page's own, or it is shown.
        if path
            .last()
            .is_some_and(|step| step.form == Form::Block && step.name == "script")
        {
            let is_known =
                own_script.as_deref() == Some(value) || then.iter().any(|(_, before)| before == value);
            if !is_known {
                facts.push(Fact::new(path.clone(), None, Some(value.clone())));
            }
            continue;
        }
        let words = words(value);
        // A picture cuts long names.
        let is_cut = value.contains('…');
        if !is_cut && !seen.contains(&words) && !book.says(&words) {
            facts.push(Fact::new(
                FactPath::from("on the page and not in RUNBOOK.md").join(path),
                None,
                Some(value.clone()),
            ));
        }
    }
    for (path, value) in &then {
        let words = words(value);
        if !there.contains(&words) && book.holds(&words) && !holds(&all, &words) {
            facts.push(Fact::new(
                FactPath::from("in RUNBOOK.md and no more on the page").join(path),
                Some(value.clone()),
                None,
            ));
        }
    }
    facts
}

fn script_template() -> Option<TemplateFile> {
    let mut templates = built_in().into_iter();
    templates.find(|template| template.path == "_runbook/page.js")
}

/// The script of the built-in page, as the reader of pages gives it.
fn own_script() -> Option<String> {
    let script = script_template()?;
    let words: Vec<&str> = script.text.split_whitespace().collect();
    Some(words.join(" "))
}

/// Times that the page's script would show otherwise than they are written. The attribute is not a text of the page, so it is held to the
/// text: a day is one of the window's own stamps; a time of day is the same there, within half a day of the window and with its offset.
fn untrue_times(text: &str, window: Option<&Window>) -> Vec<Fact> {
    const HALF_A_DAY: i64 = 12 * 60;
    let bounds = window.and_then(|window| Some((Moment::read(&window.start)?, Moment::read(&window.end)?)));
    let is_true = |element: &str| -> Option<bool> {
        let (window, (start, end)) = (window?, bounds.as_ref()?);
        let (stamp, rest) = element.strip_prefix(" datetime=\"")?.split_once('"')?;
        let is_bound = stamp == window.start || stamp == window.end;
        if let Some(rest) = rest.strip_prefix(" class=\"day\">") {
            return Some(is_bound && rest.split_once("</time>")?.0 == stamp);
        }
        let shown = rest.strip_prefix('>')?.split_once("</time>")?.0;
        let moment = Moment::read(stamp)?;
        let (since, left) = (start.minutes_to(&moment), moment.minutes_to(end));
        let has_offset = [start.plus(since).stamp(), end.plus(-left).stamp()]
            .iter()
            .any(|exact| exact == stamp);
        Some(shown == moment.time_of_day() && since.min(left) >= -HALF_A_DAY && has_offset)
    };
    text.split("<time")
        .skip(1)
        .filter(|element| is_true(element) != Some(true))
        .map(|element| {
            let shown: String = element.chars().take(80).collect();
            Fact::new(
                "a time that is another one than the page says",
                None,
                Some(format!("<time{shown}")),
            )
        })
        .collect()
}

/// What the data says that neither runbook nor manifest do.
fn of_data(before: Option<&str>, text: &str, snapshot: &Snapshot, book: &Book) -> Vec<Fact> {
    let runbook = match Runbook::read(text.as_bytes()) {
        Ok(runbook) => runbook,
        Err(error) => return whole("the whole file", format!("`apply` cannot read it: {error}")),
    };
    let then = before.and_then(|text| Runbook::read(text.as_bytes()).ok());
    let artifacts: BTreeMap<&str, &Artifact> = snapshot
        .manifest
        .artifacts
        .iter()
        .map(|artifact| (artifact.path.as_str(), artifact))
        .collect();
    let servers: BTreeMap<&str, &ServerEntry> = snapshot
        .manifest
        .servers
        .iter()
        .map(|server| (server.name.as_str(), server))
        .collect();
    let key = |step: &Step| (step.server.clone(), step.artifact.clone(), step.title.clone());
    let earlier: BTreeMap<_, &Step> = then
        .iter()
        .flat_map(|runbook| &runbook.steps)
        .map(|step| (key(step), step))
        .collect();
    let mut facts = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for step in &runbook.steps {
        let place = step.server.as_deref().unwrap_or("deployment");
        let at = format!("step {} {place}", step.number);
        for (name, manifest, here) in against_manifest(step, &artifacts) {
            facts.push(Fact::new(
                FactPath::of([format!("{at}, against the manifest"), name]),
                Some(manifest),
                Some(here),
            ));
        }
        done.extend(step.artifact.iter().map(BundlePath::as_str));
        done.extend(step.applies.iter().map(|applied| applied.artifact.as_str()));
        let server = step.server.as_deref().and_then(|name| servers.get(name)).copied();
        let seen = earlier.get(&key(step)).copied();
        for (name, text) in texts(step) {
            let is_seen = seen.is_some_and(|step| texts(step).iter().any(|(_, before)| *before == text));
            if !is_seen && !is_said(&text, server, book) {
                facts.push(Fact::new(
                    FactPath::of([&format!("{at}, not in RUNBOOK.md"), name]),
                    None,
                    Some(text),
                ));
            }
        }
        if let Some(seen) = seen {
            for (name, old, new) in [
                ("arguments", seen.arguments.join(" "), step.arguments.join(" ")),
                ("kind", format!("{:?}", seen.kind), format!("{:?}", step.kind)),
                ("one way", seen.one_way.to_string(), step.one_way.to_string()),
            ] {
                if old != new {
                    facts.push(Fact::new(FactPath::of([&at, name]), Some(old), Some(new)));
                }
            }
        }
    }
    let rollbacks: BTreeSet<&str> = artifacts
        .values()
        .filter_map(|artifact| match &artifact.rollback {
            Rollback::Artifact(path) => Some(path.as_str()),
            Rollback::Captured | Rollback::OneWay | Rollback::Nothing => None,
        })
        .collect();
    for (path, artifact) in &artifacts {
        let is_work = artifact.scope != Scope::Bundle && artifact.effect != Effect::Read;
        if is_work && !done.contains(path) && !rollbacks.contains(path) {
            facts.push(Fact::new(
                FactPath::of(["no step does", path]),
                Some(artifact.title.clone()),
                None,
            ));
        }
    }
    let there: BTreeSet<_> = runbook.steps.iter().map(key).collect();
    for (key, step) in earlier {
        if !there.contains(&key) && book.holds(&words(&step.title)) && step.artifact.is_none() {
            facts.push(Fact::new(
                FactPath::of([format!(
                    "step {} is gone, and RUNBOOK.md still has it",
                    step.number
                )]),
                Some(step.title.clone()),
                None,
            ));
        }
    }
    facts
}

/// What a step says of its files and the manifest says differently: name, manifest, step.
fn against_manifest(step: &Step, artifacts: &BTreeMap<&str, &Artifact>) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let words_of = |effect| effect_words(effect).to_owned();
    let mut differ = |name: String, manifest: String, here: String| {
        if manifest != here {
            found.push((name, manifest, here));
        }
    };
    if let Some(path) = &step.artifact {
        let Some(artifact) = artifacts.get(path.as_str()) else {
            differ(path.as_str().to_owned(), "no such file".into(), "used".into());
            return found;
        };
        // A step without an effect or a format says nothing of it.
        let effect = step.effect.unwrap_or(artifact.effect);
        let format = step.format.unwrap_or(artifact.format);
        for (what, manifest, here) in [
            ("server", text(&artifact.server), text(&step.server)),
            ("target", text(&artifact.target), text(&step.target)),
            ("phase", artifact.phase.name().into(), step.phase.name().into()),
            ("effect", words_of(artifact.effect), words_of(effect)),
            ("format", artifact.format.name().into(), format.name().into()),
            (
                "undo",
                format!("{:?}", artifact.rollback),
                format!("{:?}", step.rollback),
            ),
        ] {
            differ(format!("{what} of {path}"), manifest, here);
        }
        let services = artifact.restarts.iter();
        for service in services.filter(|service| !step.restarts.contains(service)) {
            differ(
                format!("restarts of {path}"),
                service.clone(),
                "not restarted".into(),
            );
        }
    }
    for applied in &step.applies {
        let path = &applied.artifact;
        let Some(artifact) = artifacts.get(path.as_str()) else {
            differ(path.as_str().to_owned(), "no such file".into(), "applied".into());
            continue;
        };
        differ(
            format!("target of {path}"),
            text(&artifact.target),
            text(&applied.target),
        );
        differ(
            format!("effect of {path}"),
            words_of(artifact.effect),
            words_of(applied.effect),
        );
    }
    found
}

/// Every text of a step that people or programs follow.
fn texts(step: &Step) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("title", step.title.clone()),
        ("number and title", format!("{} {}", step.number, step.title)),
        ("text", step.text.clone()),
    ];
    let lists = [
        ("before", &step.before),
        ("do", &step.todo),
        ("check", &step.check),
        ("later", &step.later),
        ("undo", &step.undo),
        ("arguments", &step.arguments),
    ];
    for (name, list) in lists {
        all.extend(list.iter().map(|text| (name, text.clone())));
    }
    for value in &step.values {
        let texts = [Some(&value.key), value.old.as_ref(), value.new.as_ref()];
        all.extend(texts.into_iter().flatten().map(|text| ("values", text.clone())));
    }
    all.retain(|(_, text)| !text.is_empty());
    all
}

/// Whether the runbook says a text of a step, also where it folds equal servers.
fn is_said(text: &str, server: Option<&ServerEntry>, book: &Book) -> bool {
    let text = plain(text);
    if book.says(&words(&text)) {
        return true;
    }
    server.is_some_and(|server| {
        let folded = text
            .replace(&server.fqdn, "SERVER-FQDN")
            .replace(&server.name, "SERVER");
        book.says(&words(&folded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_with_one_other_sign_is_told() {
        let own = script_template().expect("a script");
        let page = |script: &str| {
            format!("<!doctype html>\n<html><body><script>\n{script}</script></body></html>\n")
        };
        let mut book = Book::default();
        book.add_template(&own.text);
        assert_eq!(of_page(None, &page(&own.text), &book), []);
        let changed = own.text.replacen("!==", "===", 1);
        assert_ne!(changed, own.text);
        let facts = of_page(Some(&page(&own.text)), &page(&changed), &book);
        assert_eq!(facts.len(), 1);
        // A bundle of another edition of cbgen has another script, and had it before.
        assert_eq!(of_page(Some(&page(&changed)), &page(&changed), &book), []);
    }

    #[test]
    fn times_that_the_script_would_show_otherwise_are_told() {
        // The night in which the clocks go back.
        let window = Window {
            start: "2026-10-24T23:00:00+02:00".into(),
            end: "2026-10-25T04:00:00+01:00".into(),
        };
        let told = |stamp: &str, shown: &str, window: Option<&Window>| {
            let text = format!("<p><time datetime=\"{stamp}\">{shown}</time></p>");
            untrue_times(&text, window).len()
        };
        for (stamp, shown) in [
            ("2026-10-24T23:10:00+02:00", "23:10"),
            ("2026-10-25T05:10:00+02:00", "05:10"),
            ("2026-10-25T03:30:00+01:00", "03:30"),
        ] {
            assert_eq!(told(stamp, shown, Some(&window)), 0, "{stamp}");
            assert_eq!(told(stamp, shown, None), 1, "{stamp} without a window");
        }
        for (stamp, shown) in [
            ("2026-10-24T23:11:00+02:00", "23:10"),
            ("2026-10-24T23:10:00+09:00", "23:10"),
            ("2026-10-27T23:10:00+02:00", "23:10"),
            ("2026-10-24T23:10:00+02:00", "<b>23:10</b>"),
            ("2026-10-24T23:10:00", "23:10"),
            ("Sat, 24 Oct 2026 23:10:00 +0900", "23:10"),
        ] {
            assert_eq!(told(stamp, shown, Some(&window)), 1, "{stamp}");
        }
        let whole = |stamp: &str, shown: &str| {
            untrue_times(
                &format!("<time datetime=\"{stamp}\" class=\"day\">{shown}</time>"),
                Some(&window),
            )
            .len()
        };
        assert_eq!(whole(&window.start, &window.start), 0);
        assert_eq!(whole(&window.end, &window.start), 1);
        assert_eq!(whole("2026-10-24T23:30:00+02:00", "2026-10-24T23:30:00+02:00"), 1);
        // Another way to write the attribute is not the page's own.
        assert_eq!(
            untrue_times(
                "<time  datetime='2026-10-24T23:10:00+02:00'>23:10</time>",
                Some(&window)
            )
            .len(),
            1
        );
    }
}
