//! Whether a locator finds what it shows: names, and attributes that are compared with `=` and a quoted text.
//!
//! The engine can do more; a template may not, because who reviews it has to see what it finds.

use crate::edits::xdt::instructions::{Locator, Selector};
use crate::edits::xdt::xpath::{Axis, Expression, Step, Test};

/// Whether a locator is exact.
pub(super) fn locator(locator: &Locator) -> bool {
    match locator {
        Locator::Match(_) => true,
        Locator::XPath(path) => selector(path) && compares(&path.expression),
        Locator::Condition(condition) => {
            !condition.predicates.is_empty() && condition.predicates.iter().all(predicate)
        }
    }
}

/// Whether a path consists of names and exact predicates.
pub(super) fn selector(selector: &Selector) -> bool {
    selector.expression.path().is_some_and(|path| {
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
