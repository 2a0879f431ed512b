//! Whether a locator finds what it shows: names, and attributes that are compared with `=` and a quoted text.
//!
//! Who reviews a transform sees what such a locator finds. The engine applies all others too: who may write them must not
//! be known here.

use super::instructions::{Locator, Selector};
use super::xpath::{Axis, Expression, Step, Test};

impl Locator {
    /// Whether it finds what it shows: it compares attributes, with `=` and a quoted text alone.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Match(_) => true,
            Self::XPath(path) => path.is_exact() && compares(&path.expression),
            Self::Condition(condition) => {
                !condition.predicates.is_empty() && condition.predicates.iter().all(predicate)
            }
        }
    }
}

impl Selector {
    /// Whether it consists of names and exact predicates.
    pub fn is_exact(&self) -> bool {
        self.expression.path().is_some_and(|path| {
            path.steps.iter().all(|step| {
                let plain = matches!(
                    (step.axis, &step.test),
                    (Axis::Child, Test::Name(..) | Test::Any | Test::AnyIn(_))
                        | (Axis::DescendantOrSelf | Axis::Itself | Axis::Parent, Test::Node)
                );
                plain && step.predicates.iter().all(predicate)
            })
        })
    }
}

fn compares(expression: &Expression) -> bool {
    expression
        .path()
        .is_some_and(|path| path.steps.iter().any(|step| !step.predicates.is_empty()))
}

fn predicate(expression: &Expression) -> bool {
    if let Some((left, right)) = expression.conjunction() {
        return predicate(left) && predicate(right);
    }
    expression.equation().is_some_and(|(left, right)| {
        is_attribute(left) && right.text().is_some() || left.text().is_some() && is_attribute(right)
    })
}

/// An attribute of the element, or of one below it.
fn is_attribute(expression: &Expression) -> bool {
    let Some(path) = expression.path().filter(|path| !path.from_document) else {
        return false;
    };
    let Some((last, around)) = path.steps.split_last() else {
        return false;
    };
    let plain = |step: &Step, axis: Axis| {
        step.axis == axis && step.test.name().is_some() && step.predicates.is_empty()
    };
    plain(last, Axis::Attribute) && around.iter().all(|step| plain(step, Axis::Child))
}
