//! The path of a fact: the steps that lead through a text to the place that states it, as data.
//!
//! A reader knows what is a name, what is a key that tells one of several apart, and what only counts. It says so here, and
//! nobody has to find out again. The text form is for people: a name may hold its joint, so it cannot be taken apart. This
//! file must not know who compares paths.

use std::fmt;
use std::sync::Arc;

use super::characters::label;

/// What a step is, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A section, directive or key: `rabbit`, `server 443`, and the second one of a name `server 443 #2`.
    Name,
    /// An element of XML: `add[key=Password]`, and the second one of a name `value#2`.
    Element,
    /// An attribute of XML: `@value`.
    Attribute,
    /// The text of an element of XML: `text`.
    Content,
    /// A member of an object or list of JSON, as RFC 6901 writes it: `/port`.
    Member,
    /// A statement, with its number among its neighbours: `03 UPDATE [dbo].[T]`.
    Statement,
    /// A block that has no name but its kind, with its number: `batch 2`, `list item 20`.
    Block,
    /// A heading of this level, with the number that its writer gave it: `3.14 Title`.
    Heading(usize),
    /// A label of a batch script, with the number at its end: `new_3`.
    Label,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The name of the thing, or its kind when it has none.
    pub name: String,
    /// What tells it from others of its name; of a heading or label, the number its writer gave it.
    pub key: Option<String>,
    /// How many there are up to it, as its reader counted.
    pub ordinal: Option<usize>,
    /// What it is.
    pub form: Form,
}

impl Step {
    /// A step with nothing but a name.
    pub fn new(form: Form, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: None,
            ordinal: None,
            form,
        }
    }

    /// A section, directive or key.
    pub fn named(name: impl Into<String>) -> Self {
        Self::new(Form::Name, name)
    }

    /// A heading. A first word of digits, `.` and `:` is its number.
    pub fn heading(level: usize, title: &str) -> Self {
        let is_number = |word: &str| word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b':'));
        let numbered = title.split_once(' ').filter(|(first, _)| is_number(first));
        let step = |title| Self::new(Form::Heading(level), title);
        numbered.map_or_else(|| step(title), |(number, title)| step(title).keyed(number))
    }

    /// A label of a batch script. Digits behind the last `_` are its number, as templates count labels.
    pub fn label(text: &str) -> Self {
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let numbered = text
            .rsplit_once('_')
            .filter(|(name, number)| !name.is_empty() && is_number(number));
        let step = |name| Self::new(Form::Label, name);
        numbered.map_or_else(|| step(text), |(name, number)| step(name).keyed(number))
    }

    /// The same with a key.
    #[must_use]
    pub fn keyed(self, key: impl Into<String>) -> Self {
        let key = Some(key.into());
        Self { key, ..self }
    }

    /// The same with the number that its reader counted.
    #[must_use]
    pub fn numbered(self, number: usize) -> Self {
        let ordinal = Some(number);
        Self { ordinal, ..self }
    }

    /// The same as the `count`th of its name and key; the first one needs no number.
    #[must_use]
    pub fn repeated(self, count: usize) -> Self {
        if count > 1 { self.numbered(count) } else { self }
    }

    /// Its texts: name and key.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = [Some(&self.name), self.key.as_ref()];
        texts.into_iter().flatten().map(String::as_str)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            key,
            ordinal,
            form,
        } = self;
        let text = match (form, key) {
            (_, None) => name.clone(),
            (Form::Element, Some(key)) => format!("{name}[{key}]"),
            (Form::Heading(_), Some(number)) => format!("{number} {name}"),
            (Form::Label, Some(number)) => format!("{name}_{number}"),
            (_, Some(key)) => format!("{name} {key}"),
        };
        match (form, ordinal) {
            (Form::Element, None) => formatter.write_str(&label(&text)),
            (Form::Element, Some(number)) => write!(formatter, "{}#{number}", label(&text)),
            (Form::Attribute, _) => write!(formatter, "@{}", label(&text)),
            (Form::Member, _) => write!(
                formatter,
                "/{}",
                label(&text.replace('~', "~0").replace('/', "~1"))
            ),
            (Form::Name, Some(number)) => write!(formatter, "{text} #{number}"),
            (Form::Statement, Some(number)) => write!(formatter, "{number:02} {text}"),
            (_, Some(number)) => write!(formatter, "{text} {number}"),
            (_, None) => formatter.write_str(&text),
        }
    }
}

/// The way to a fact, from the outermost step. Paths of one text share their steps, so a path is cheap to copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactPath(Vec<Arc<Step>>);

impl FactPath {
    /// A path of names.
    pub fn of<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().map(Step::named).collect()
    }

    /// The steps, the outermost first.
    pub fn steps(&self) -> &[Arc<Step>] {
        &self.0
    }

    /// The last step: what the fact is about.
    pub fn last(&self) -> Option<&Step> {
        self.0.last().map(|step| &**step)
    }

    /// The level of the heading that this is.
    pub fn heading(&self) -> Option<usize> {
        if let Form::Heading(level) = self.last()?.form {
            Some(level)
        } else {
            None
        }
    }

    /// The path of what stands directly inside.
    #[must_use]
    pub fn child(&self, step: Step) -> Self {
        self.0.iter().cloned().chain([Arc::new(step)]).collect()
    }

    /// These steps and behind them those.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        self.0.iter().chain(&below.0).cloned().collect()
    }

    /// The path of a heading that follows the heading that this is the path of.
    pub(crate) fn next_heading(&self, level: usize, title: &str) -> Self {
        let is_above = |step: &&Arc<Step>| matches!(step.form, Form::Heading(above) if above < level);
        let above = self.0.iter().filter(is_above).cloned();
        above.chain([Arc::new(Step::heading(level, title))]).collect()
    }

    /// The same without numbers that change when something is put in before it. Which of one name it is stays.
    #[must_use]
    pub fn without_ordinals(&self) -> Self {
        self.changed(|step| {
            let (key, ordinal) = match step.form {
                Form::Statement | Form::Block => (step.key.clone(), None),
                Form::Heading(_) | Form::Label => (None, step.ordinal),
                Form::Name | Form::Element | Form::Attribute | Form::Content | Form::Member => return None,
            };
            let name = step.name.clone();
            Some(Step {
                name,
                key,
                ordinal,
                ..*step
            })
        })
    }

    /// The same with every name and key written as `write` says.
    #[must_use]
    pub fn map(&self, mut write: impl FnMut(&str) -> String) -> Self {
        self.changed(|step| {
            let (name, key) = (write(&step.name), step.key.as_deref().map(&mut write));
            (name != step.name || key != step.key).then_some(Step { name, key, ..*step })
        })
    }

    /// The same with some steps changed. The others stay shared.
    fn changed(&self, mut change: impl FnMut(&Step) -> Option<Step>) -> Self {
        let steps = self.0.iter();
        steps
            .map(|step| change(step).map_or_else(|| Arc::clone(step), Arc::new))
            .collect()
    }
}

impl fmt::Display for FactPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 && step.form != Form::Member {
                formatter.write_str(" > ")?;
            }
            step.fmt(formatter)?;
        }
        Ok(())
    }
}

impl serde::Serialize for FactPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<S: Into<Arc<Step>>> FromIterator<S> for FactPath {
    fn from_iter<I: IntoIterator<Item = S>>(steps: I) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }
}

impl From<Step> for FactPath {
    fn from(step: Step) -> Self {
        Self(vec![Arc::new(step)])
    }
}

impl From<&str> for FactPath {
    fn from(name: &str) -> Self {
        Step::named(name).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, items};

    fn check(steps: Vec<Step>, text: &str, without_ordinals: &str) {
        let path: FactPath = steps.into_iter().collect();
        assert_eq!(path.to_string(), text);
        assert_eq!(path.without_ordinals().to_string(), without_ordinals);
        assert_eq!(path.map(str::to_owned), path);
    }

    #[test]
    fn steps_are_written_as_people_name_them() {
        let server = Step::named("server").keyed("443");
        check(
            vec![server.clone(), server.repeated(2)],
            "server 443 > server 443 #2",
            "server 443 > server 443 #2",
        );
        let add = Step::new(Form::Element, "add").keyed("key=A");
        check(
            vec![add.repeated(3), Step::new(Form::Attribute, "value")],
            "add[key=A]#3 > @value",
            "add[key=A]#3 > @value",
        );
        check(
            vec![Step::new(Form::Element, "a"), Step::new(Form::Content, "text")],
            "a > text",
            "a > text",
        );
        check(
            vec![Step::new(Form::Member, "a/b~"), Step::new(Form::Member, "0")],
            "/a~1b~0/0",
            "/a~1b~0/0",
        );
        let update = Step::new(Form::Statement, "UPDATE").numbered(3).keyed("[t]");
        check(
            vec![Step::new(Form::Block, "batch").numbered(1), update],
            "batch 1 > 03 UPDATE [t]",
            "batch > UPDATE [t]",
        );
        let title = Step::heading(3, "3.14 Title");
        check(
            vec![title, Step::new(Form::Block, "list item").numbered(20)],
            "3.14 Title > list item 20",
            "Title > list item",
        );
        check(vec![Step::heading(2, "Step 3: go")], "Step 3: go", "Step 3: go");
        check(
            vec![
                Step::label("new_03"),
                Step::new(Form::Statement, "if").numbered(12),
            ],
            "new_03 > 12 if",
            "new > if",
        );
        check(vec![Step::label("end_of_1st")], "end_of_1st", "end_of_1st");
    }

    #[test]
    fn long_locators_are_cut() {
        let text = Step::new(Form::Element, "add")
            .keyed("x".repeat(200))
            .repeated(2)
            .to_string();
        assert_eq!(text, format!("add[{}…#2", "x".repeat(116)));
    }

    #[test]
    fn headings_stand_below_those_of_lower_levels() {
        let place = FactPath::default()
            .next_heading(1, "A")
            .next_heading(2, "B")
            .next_heading(3, "C");
        let next = place.next_heading(2, "2 D > E");
        assert_eq!(next.to_string(), "A > 2 D > E");
        assert_eq!((next.heading(), next.steps().len()), (Some(2), 2));
        assert_eq!(
            next.child(Step::new(Form::Block, "row").numbered(1)).heading(),
            None
        );
    }

    #[test]
    fn the_joint_in_a_name_parts_nothing() {
        for (format, text, steps) in [
            (Format::Markdown, "# A\n\n## B > C\n", 2),
            (Format::Ini, "[A > B]\nc > d=1\n", 2),
            (Format::Json, "{\"a > b\": {\"c\": 1}}\n", 2),
            (Format::Yaml, "\"a > b\": 'x'\n", 1),
        ] {
            let read = items(format, text).unwrap();
            let last = read.last().unwrap();
            assert_eq!(last.path.steps().len(), steps, "{}", last.path);
        }
        assert_ne!(FactPath::of(["a > b"]), FactPath::of(["a", "b"]));
    }
}
