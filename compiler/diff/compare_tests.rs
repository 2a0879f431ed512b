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
    let with = |port: &str, name: &str, value: &str| Plain {
        shape: [Step::named("server").keyed(port), Step::named(name)]
            .into_iter()
            .collect(),
        value: value.into(),
    };
    let facts = align(
        &[with("443", "a", "1"), with("443", "b", "2")],
        &[with("444", "a", "1"), with("444", "b", "2")],
    );
    let shown: Vec<String> = facts.iter().map(shown).collect();
    assert_eq!(
        shown,
        ["Renamed server 444: server 443 (2 facts) -> server 444 (2 facts)"]
    );
}

#[test]
fn numbers_of_headings_do_not_matter_and_titles_are_whole() {
    let runbook = |number: u8, title: &str| format!("# A\n\n## {number} B\n\n### {number}.1 {title}\n\nx\n");
    let check = |old: &str, new: &str| check(Format::Markdown, old, new);
    assert_eq!(check(&runbook(1, "C 3"), &runbook(2, "C 3")), ["layout"]);
    assert_eq!(
        check(&runbook(1, "C"), &runbook(1, "C > D")),
        [
            "Removed B > C: heading 3 -> -",
            "Removed B > C > paragraph: x -> -",
            "Added B > C > D: - -> heading 3",
            "Added B > C > D > paragraph: - -> x"
        ]
    );
}

proptest! {
    /// Applying the facts to the old sequence as a bag gives the new one: nothing is lost, nothing is invented.
    #[test]
    fn facts_account_for_every_item(
        old in prop::collection::vec((["[ab]", "[cd]", "[ef]"], "[12]"), 0..12),
        new in prop::collection::vec((["[ab]", "[cd]", "[ef]"], "[12]"), 0..12),
    ) {
        let plain = |(names, value)| Plain { shape: FactPath::of::<String>(names), value };
        let [old, new]: [Vec<Plain>; 2] = [old, new].map(|facts| facts.into_iter().map(plain).collect());
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
