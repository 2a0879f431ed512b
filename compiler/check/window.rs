//! The change window.

use super::View;
use super::problem::Problems;
use crate::codes;

pub(super) fn check(view: &View<'_>, problems: &mut Problems) {
    let Some((window, start, end)) = view.window() else {
        return;
    };
    if end <= start {
        problems
            .at(
                codes::WINDOW_ENDS_EARLY,
                "/bundle/window/end",
                format!(
                    "the change window ends at `{}`, which is not after its start",
                    window.end
                ),
            )
            .related("/bundle/window/start", "the start")
            .note("the offsets of both time stamps are taken into account")
            .help("correct the date or the offset");
    }
}
