//! The change window.

use super::View;
use super::problem::Problem;
use crate::codes;
use crate::contract::moment::Moment;

pub(super) fn check(view: &View<'_>, problems: &mut Vec<Problem>) {
    let Some(window) = &view.inventory.bundle.window else {
        return;
    };
    // A stamp that is not RFC 3339 was refused by the schema.
    let (Some(start), Some(end)) = (Moment::read(&window.start), Moment::read(&window.end)) else {
        return;
    };
    if end <= start {
        problems.push(
            Problem::at(
                codes::WINDOW_ENDS_EARLY,
                "/bundle/window/end",
                format!(
                    "the change window ends at `{}`, which is not after its start",
                    window.end
                ),
            )
            .related("/bundle/window/start", "the start")
            .note("the offsets of both time stamps are taken into account")
            .help("correct the date or the offset"),
        );
    }
}
