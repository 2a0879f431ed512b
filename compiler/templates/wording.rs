//! What the template engine says about syntax, in the words of an author.
//!
//! The engine names tokens of its own grammar. This file must not know places.

/// What is wrong with a tag and what to do, for words of the engine about its syntax. `is_condition` when the tag is the one
/// around a condition of the front matter, of which the author wrote only the inside.
pub(super) fn syntax(message: &str, is_condition: bool) -> (String, String) {
    let parts = message
        .strip_prefix("found ")
        .and_then(|rest| rest.split_once(" but "))
        .and_then(|(found, rest)| {
            let wanted = rest
                .strip_prefix("expected ")
                .or_else(|| rest.strip_prefix("was expecting "))?;
            Some((found, wanted.trim_end_matches('.')))
        });
    let Some((found, wanted)) = parts else {
        let help = "docs/templates.md shows what tags may hold".to_owned();
        return (message.to_owned(), help);
    };
    let wanted = words(wanted);
    let found = words(found);
    let message = if is_condition && found == "`%}`" {
        format!("the condition ends where {wanted} is missing")
    } else {
        format!("{found} stands where {wanted} is missing")
    };
    (
        message,
        format!("write {wanted} there; docs/templates.md shows what tags may hold"),
    )
}

/// A token or a choice of tokens, as an author calls it.
fn words(token: &str) -> String {
    match token {
        "identifier" | "ident" => "a name".to_owned(),
        "string" => "a text in quotes".to_owned(),
        "integer" | "float" => "a number".to_owned(),
        "bool" => "`true` or `false`".to_owned(),
        "content" | "raw content" => "text of the file".to_owned(),
        many if many.starts_with("one of: integer") => "a name, a number or a text in quotes".to_owned(),
        word if !word.contains([' ', '`']) => format!("`{word}`"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_said_in_plain_words() {
        let check = |message: &str, is_condition: bool, expected: &str| {
            assert_eq!(syntax(message, is_condition).0, expected, "{message}");
        };
        let any = "found `%}` but expected one of: integer, float, string, bool, ident, `-`, `not`, `<`, `{`, `[` or `(`";
        check(
            any,
            true,
            "the condition ends where a name, a number or a text in quotes is missing",
        );
        check(
            any,
            false,
            "`%}` stands where a name, a number or a text in quotes is missing",
        );
        check(
            "found `}}` but expected identifier.",
            false,
            "`}}` stands where a name is missing",
        );
        check(
            "found identifier but expected ).",
            false,
            "a name stands where `)` is missing",
        );
        check(
            "found identifier but expected in.",
            false,
            "a name stands where `in` is missing",
        );
        check("unexpected end of string", false, "unexpected end of string");
    }
}
