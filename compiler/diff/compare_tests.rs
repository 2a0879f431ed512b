//! Tests of the comparison of two texts.
#![expect(clippy::cast_possible_wrap, reason = "a test may stop where it stands")]

use proptest::prelude::*;

use super::*;

fn check(format: Format, old: &str, new: &str) -> Vec<String> {
    let names = Identity::default();
    let facts = match compare_texts(format, old, new, &names, &names) {
        Difference::Layout => return vec!["layout".into()],
        Difference::Meaning(facts) => facts,
        Difference::Lines(facts) => {
            let mut lines = vec!["by lines".to_owned()];
            lines.extend(facts.iter().map(shown));
            return lines;
        }
    };
    facts.iter().map(shown).collect()
}

fn shown(fact: &Fact) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    format!(
        "{:?} {}: {} -> {}",
        fact.kind,
        fact.path,
        text(&fact.old),
        text(&fact.new)
    )
}

#[test]
fn json_is_compared_by_key() {
    assert_eq!(check(Format::Json, "{\"a\": 1}\n", "{ \"a\":1 }\n"), ["layout"]);
    assert_eq!(
        check(Format::Json, "{\"a\": 1}\n", "{\"a\": 2}\n"),
        ["Changed /a: 1 -> 2"]
    );
}

#[test]
fn a_text_that_does_not_read_is_compared_by_lines() {
    assert_eq!(
        check(Format::Json, "{\"a\": 1}\n", "{\"a\": \n"),
        ["by lines", "Changed line 1: {\"a\": 1} -> {\"a\": "]
    );
}

#[test]
fn a_new_statement_does_not_change_those_after_it() {
    let script = |body: &str| {
        format!(
            ":on error exit\nSET QUOTED_IDENTIFIER ON;\nSET XACT_ABORT ON;\nBEGIN TRY\nBEGIN TRAN;\n{body}\nCOMMIT;\n\
             END TRY\nBEGIN CATCH\nIF XACT_STATE() <> 0 ROLLBACK;\nTHROW;\nEND CATCH\nGO\n"
        )
    };
    let update = |key: u8| {
        format!(
            "UPDATE [dbo].[T] SET [a] = N'x' WHERE [b] = {key};\nSET @n = @@ROWCOUNT;\n\
             IF @n <> 1 BEGIN THROW 50001, N'x', 1; END\n"
        )
    };
    let (old, new) = (script(&update(2)), script(&format!("{}{}", update(1), update(2))));
    let found = check(Format::Sql, &old, &new);
    assert!(found.len() <= 4, "{found:?}");
    assert!(found.iter().all(|fact| fact.starts_with("Added ")), "{found:?}");
}

#[test]
fn order_is_never_layout() {
    let found = check(Format::Text, "a\nb\n", "b\na\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("Moved "), "{found:?}");
}

#[test]
fn a_renamed_block_is_one_fact() {
    let old = Plain {
        shape: "http > server 443 > a".into(),
        value: "1".into(),
    };
    let with = |shape: &str, value: &str| Plain {
        shape: shape.into(),
        value: value.into(),
    };
    let facts = align(
        &[old, with("http > server 443 > b", "2")],
        &[
            with("http > server 444 > a", "1"),
            with("http > server 444 > b", "2"),
        ],
    );
    assert_eq!(facts.len(), 1, "{facts:?}");
    assert_eq!(facts[0].kind, FactKind::Renamed);
}

#[test]
fn running_numbers_go_and_others_stay() {
    assert_eq!(without_numbers("batch 1 > 03 UPDATE [t]"), "batch > UPDATE [t]");
    assert_eq!(
        without_numbers("Step 3: go > paragraph 12"),
        "Step 3: go > paragraph"
    );
    assert_eq!(without_numbers("line 12"), "line");
}

proptest! {
    /// Applying the facts to the old sequence as a bag gives the new one: nothing is lost, nothing is invented.
    #[test]
    fn facts_account_for_every_item(
        old in prop::collection::vec(("[ab] > [cd] > [ef]", "[12]"), 0..12),
        new in prop::collection::vec(("[ab] > [cd] > [ef]", "[12]"), 0..12),
    ) {
        let plain = |facts: &[(String, String)]| -> Vec<Plain> {
            facts.iter().map(|(shape, value)| Plain { shape: shape.clone(), value: value.clone() }).collect()
        };
        let (old, new) = (plain(&old), plain(&new));
        let facts = align(&old, &new);
        prop_assert_eq!(facts.is_empty(), old == new);
        let balance: isize = facts.iter().map(|fact| match fact.kind {
            FactKind::Added => 1,
            FactKind::Removed => -1,
            FactKind::Changed | FactKind::Moved | FactKind::Renamed => 0,
        }).sum();
        prop_assert_eq!(balance, new.len() as isize - old.len() as isize);
    }
}

#[test]
fn lines_of_a_secret_that_begins_above_them_are_not_shown() {
    for (before, after) in [
        (
            "x: 1\n-----BEGIN PRIVATE KEY-----\n",
            "\n-----END PRIVATE KEY-----\n",
        ),
        ("  \"password\": {\n    \"value\":\n", "\n  }\n"),
    ] {
        let text = |secret: &str| format!("{before}      {secret}{after}");
        let facts = by_lines(&text("hunter22"), &text("hunter33"));
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].old.as_deref(), Some(REDACTED));
        assert_eq!(facts[0].new.as_deref(), Some(REDACTED));
    }
}
