//! From the text of an expression to its tree.

use std::collections::BTreeSet;

use super::{AXES, Axis, Comparison, Expression, FUNCTIONS, Path, Step, Test};
use crate::Cut as _;

/// Longest expression, and deepest nesting in it.
const LONGEST: usize = 4_000;
const DEEPEST: usize = 40;

/// An error with its place in the text.
pub(in crate::edits::xdt) type Wrong = (usize, String);

/// Reads a whole expression; the prefixes it uses go to `prefixes`.
pub(in crate::edits::xdt) fn expression(
    text: &str,
    prefixes: &mut BTreeSet<String>,
) -> Result<Expression, Wrong> {
    let mut parser = Parser::new(text)?;
    let found = parser.or()?;
    parser.end()?;
    prefixes.append(&mut parser.prefixes);
    Ok(found)
}

/// Reads what stands in `Condition(…)`: an expression, or predicates with their brackets, of which the first and the
/// last bracket may be missing.
pub(in crate::edits::xdt) fn predicates(
    text: &str,
    prefixes: &mut BTreeSet<String>,
) -> Result<Vec<Expression>, Wrong> {
    let wrong = match expression(text, prefixes) {
        Ok(found) => return Ok(vec![found]),
        Err(wrong) => wrong,
    };
    let trimmed = text.trim();
    if !trimmed.contains('[') {
        return Err(wrong);
    }
    let before = if trimmed.starts_with('[') { "" } else { "[" };
    let after = if trimmed.ends_with(']') { "" } else { "]" };
    let bracketed = format!("{before}{trimmed}{after}");
    let mut parser = Parser::new(&bracketed)?;
    let read = parser.predicates().and_then(|found| parser.end().map(|()| found));
    prefixes.append(&mut parser.prefixes);
    read.map_err(|_| wrong)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    prefixes: BTreeSet<String>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Wrong> {
        if text.len() > LONGEST {
            return Err((0, format!("the expression is longer than {LONGEST} bytes")));
        }
        Ok(Self {
            text,
            at: 0,
            depth: 0,
            prefixes: BTreeSet::new(),
        })
    }

    fn rest(&self) -> &'a str {
        self.text.cut(self.at..)
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Wrong> {
        Err((self.at, message.into()))
    }

    fn end(&mut self) -> Result<(), Wrong> {
        self.blanks();
        match self.rest().chars().next() {
            None => Ok(()),
            Some(found) => self.wrong(format!("`{found}` is not expected here")),
        }
    }

    /// Takes a sign when it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Wrong> {
        if self.sign(sign) {
            Ok(())
        } else {
            self.wrong(format!("expected `{sign}`"))
        }
    }

    /// Takes a word such as `or`, which is an operator behind an operand.
    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let follows = self.rest().strip_prefix(word);
        let found = follows.is_some_and(|rest| !rest.starts_with(continues));
        if found {
            self.at += word.len();
        }
        found
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<T, Wrong> {
        if self.depth >= DEEPEST {
            return self.wrong("the expression is nested too deep");
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn or(&mut self) -> Result<Expression, Wrong> {
        self.deeper(|parser| {
            let mut left = parser.and()?;
            while parser.word("or") {
                left = Expression::Or(Box::new(left), Box::new(parser.and()?));
            }
            Ok(left)
        })
    }

    fn and(&mut self) -> Result<Expression, Wrong> {
        let mut left = self.equality()?;
        while self.word("and") {
            left = Expression::And(Box::new(left), Box::new(self.equality()?));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Result<Expression, Wrong> {
        let signs = [("!=", Comparison::Different), ("=", Comparison::Equal)];
        self.compared(&signs, Self::relation)
    }

    fn relation(&mut self) -> Result<Expression, Wrong> {
        let signs = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::More),
        ];
        self.compared(&signs, Self::sum)
    }

    /// Operands with any of these signs between them; of signs that begin alike, the longer one comes first.
    fn compared(
        &mut self,
        signs: &[(&str, Comparison)],
        operand: impl Fn(&mut Self) -> Result<Expression, Wrong>,
    ) -> Result<Expression, Wrong> {
        let mut left = operand(self)?;
        while let Some((_, comparison)) = signs.iter().find(|(sign, _)| self.sign(sign)) {
            left = Expression::Compare(*comparison, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression, Wrong> {
        let mut left = self.negative()?;
        while let Some(sign) = ["+", "-"].into_iter().find(|sign| self.sign(sign)) {
            left = Expression::Add(Box::new(left), Box::new(self.negative()?), sign == "-");
        }
        for unknown in ["*", "div", "mod"] {
            let found = if unknown == "*" {
                self.sign(unknown)
            } else {
                self.word(unknown)
            };
            if found {
                self.at -= unknown.len();
                return self.wrong(format!("`{unknown}` is not known as an operator here"));
            }
        }
        Ok(left)
    }

    fn negative(&mut self) -> Result<Expression, Wrong> {
        if self.sign("-") {
            let inside = self.deeper(Self::negative)?;
            return Ok(Expression::Negative(Box::new(inside)));
        }
        let mut left = self.operand()?;
        while self.sign("|") {
            left = Expression::Union(Box::new(left), Box::new(self.operand()?));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expression, Wrong> {
        self.blanks();
        let rest = self.rest();
        match rest.chars().next() {
            None => self.wrong("the expression ends too early"),
            Some('(') => {
                self.at += 1;
                let inside = self.or()?;
                self.expect(")")?;
                self.blanks();
                if self.rest().starts_with(['[', '/']) {
                    return self.wrong("predicates and steps behind parentheses are not known");
                }
                Ok(inside)
            }
            Some(quote @ ('\'' | '"')) => match rest.get(1..).and_then(|inside| inside.split_once(quote)) {
                Some((inside, _)) => {
                    self.at += inside.len() + 2;
                    Ok(Expression::Text(inside.to_owned()))
                }
                None => self.wrong("a quote of the expression is not closed"),
            },
            Some('$') => self.wrong("variables are not known"),
            Some(first) if first.is_ascii_digit() || is_fraction(rest) => {
                let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
                let written = rest.cut(..rest.len() - behind.len());
                let Ok(number) = written.parse() else {
                    return self.wrong("this is no number");
                };
                self.at += written.len();
                Ok(Expression::Number(number))
            }
            Some(_) => match self.call()? {
                Some(call) => Ok(call),
                None => self.path().map(Expression::Path),
            },
        }
    }

    /// A function call, if one comes next.
    fn call(&mut self) -> Result<Option<Expression>, Wrong> {
        let start = self.at;
        let Ok(name) = self.name() else {
            self.at = start;
            return Ok(None);
        };
        self.blanks();
        if !self.rest().starts_with('(') || ["node", "text", "comment"].contains(&name) {
            self.at = start;
            return Ok(None);
        }
        let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
        let Some((_, function, fewest, most)) = known else {
            let all: Vec<String> = FUNCTIONS.iter().map(|(name, ..)| format!("`{name}`")).collect();
            return Err((
                start,
                format!("the function `{name}` is not known; known are {}", all.join(", ")),
            ));
        };
        self.at += 1;
        let mut arguments = Vec::new();
        if !self.sign(")") {
            loop {
                arguments.push(self.or()?);
                if !self.sign(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        if arguments.len() < *fewest || arguments.len() > *most {
            let message = format!(
                "`{name}` takes {fewest} to {most} arguments, not {}",
                arguments.len()
            );
            return Err((start, message));
        }
        self.blanks();
        if self.rest().starts_with(['[', '/']) {
            return self.wrong("predicates and steps behind a function are not known");
        }
        Ok(Some(Expression::Call(*function, arguments)))
    }

    fn path(&mut self) -> Result<Path, Wrong> {
        let mut steps = Vec::new();
        let from_document = self.rest().starts_with('/');
        if from_document {
            if self.sign("//") {
                steps.push(any_below());
            } else {
                self.at += 1;
                self.blanks();
                let begins = |c: char| c.is_alphabetic() || matches!(c, '_' | '*' | '.' | '@');
                if !self.rest().starts_with(begins) {
                    return Ok(Path { from_document, steps });
                }
            }
        }
        loop {
            steps.push(self.step()?);
            if self.sign("//") {
                steps.push(any_below());
            } else if !self.sign("/") {
                return Ok(Path { from_document, steps });
            }
        }
    }

    fn step(&mut self) -> Result<Step, Wrong> {
        self.blanks();
        if self.sign("..") {
            return Ok(plain(Axis::Parent, Test::Node));
        }
        if self.rest().starts_with('.') {
            self.at += 1;
            return Ok(plain(Axis::Itself, Test::Node));
        }
        let mut axis = Axis::Child;
        if self.sign("@") {
            axis = Axis::Attribute;
        } else {
            let start = self.at;
            if let Ok(name) = self.name()
                && self.sign("::")
            {
                let Some((_, known)) = AXES.iter().find(|(known, _)| *known == name) else {
                    return Err((start, format!("the axis `{name}` is not known")));
                };
                axis = *known;
            } else {
                self.at = start;
            }
        }
        let test = self.test()?;
        let predicates = self.predicates()?;
        Ok(Step {
            axis,
            test,
            predicates,
        })
    }

    fn test(&mut self) -> Result<Test, Wrong> {
        if self.sign("*") {
            return Ok(Test::Any);
        }
        let start = self.at;
        let name = self.name()?;
        if self.rest().starts_with(':') && !self.rest().starts_with("::") {
            self.at += 1;
            self.prefixes.insert(name.to_owned());
            if self.rest().starts_with('*') {
                self.at += 1;
                return Ok(Test::AnyIn(name.to_owned()));
            }
            let local = self.name()?;
            return Ok(Test::Name(name.to_owned(), local.to_owned()));
        }
        let kind = match name {
            "node" => Some(Test::Node),
            "text" => Some(Test::Text),
            "comment" => Some(Test::Comment),
            _ => None,
        };
        if self.sign("(") {
            let Some(kind) = kind else {
                return Err((start, format!("`{name}` is no kind of node")));
            };
            self.expect(")")?;
            return Ok(kind);
        }
        Ok(Test::Name(String::new(), name.to_owned()))
    }

    fn predicates(&mut self) -> Result<Vec<Expression>, Wrong> {
        let mut found = Vec::new();
        while self.sign("[") {
            found.push(self.or()?);
            self.expect("]")?;
        }
        Ok(found)
    }

    /// A name without a colon.
    fn name(&mut self) -> Result<&'a str, Wrong> {
        self.blanks();
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return match rest.chars().next() {
                Some(found) => self.wrong(format!("expected a name, not `{found}`")),
                None => self.wrong("the expression ends too early"),
            };
        }
        let length = rest.len() - rest.trim_start_matches(continues).len();
        self.at += length;
        Ok(rest.cut(..length))
    }
}

fn any_below() -> Step {
    plain(Axis::DescendantOrSelf, Test::Node)
}

fn plain(axis: Axis, test: Test) -> Step {
    Step {
        axis,
        test,
        predicates: Vec::new(),
    }
}

/// Whether a character is part of a name that has begun.
fn continues(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.')
}

fn is_fraction(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some('.') && characters.next().is_some_and(|c| c.is_ascii_digit())
}
