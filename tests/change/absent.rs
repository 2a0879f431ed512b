//! Files that a release of the product does not have.

use cbgen::change::apply::End;
use cbgen::change::plan::{Outlook, Planned};
use cbgen::change::rollback;

use super::{codes, plan_on};
use crate::reliability::fixture::Fixture;
use crate::reliability::stage::Stage;
use crate::reliability::{run_apply, run_rollback, wish};

/// References are rewritten where they are: the runbook says to leave out a script that a release does not have, and so do `plan`
/// and `apply`. One that goes away in between is missed.
#[test]
fn a_script_that_a_release_does_not_have_is_left_out() {
    let fixture = Fixture::new();
    let world = fixture.world();
    let file = "C/Product/web/settings3.js";
    world.take(file);
    let stage = Stage::new(&world);
    let plan = plan_on(&fixture, &stage, &Fixture::server());
    assert_eq!(codes(&plan), Vec::<String>::new());
    let ends_so = |planned: &&Planned| {
        planned
            .target
            .as_deref()
            .is_some_and(|target| target.ends_with(r"\settings3.js"))
    };
    let planned = plan.steps.iter().find(ends_so).expect("the step");
    assert_eq!(planned.outlook, Outlook::Nothing);
    assert!(
        planned.notes[0].contains("is not on this server"),
        "{:?}",
        planned.notes
    );
    assert_eq!(run_apply(&fixture, &stage, &wish(&fixture)), End::Done);
    assert!(
        stage.output().contains("the file is not on this server"),
        "{}",
        stage.output()
    );
    assert!(!world.tree().keys().any(|path| path.ends_with("settings3.js")));
    assert!(matches!(
        run_rollback(&fixture, &stage, &[]),
        rollback::End::Back { .. }
    ));
    let before = fixture.world();
    before.take(file);
    assert_eq!(world.tree(), before.tree());
}
