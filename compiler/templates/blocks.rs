//! Blocks and tags of a template that are opened and never closed, closed and never opened, or misspelt.
//!
//! The engine notices most of them at the end of the file. This file must not know the engine; it reads template text.

use std::ops::Range;

use super::tags::{Kind, read};
use crate::diag::nearest;

/// A mistake in the structure of a template text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slip {
    /// The tag it is about.
    pub(super) range: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

/// Tags that open a block.
const BLOCKS: &[&str] = &["if", "for", "block", "filter"];

/// Tags that may stand alone.
const ALONE: &[&str] = &[
    "set",
    "set_global",
    "include",
    "extends",
    "elif",
    "else",
    "break",
    "continue",
];

/// The first mistake in the structure of a text.
pub(super) fn slip(body: &str) -> Option<Slip> {
    let mut open: Vec<(String, Range<usize>)> = Vec::new();
    let (tags, unclosed) = read(body);
    for tag in tags.into_iter().filter(|tag| tag.kind == Kind::Statement) {
        let (content, range) = (tag.content.trim(), tag.whole);
        let word = content
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .next()?;
        if let Some(closed) = word.strip_prefix("end") {
            match open.pop() {
                Some((opened, _)) if opened == closed => {}
                Some((opened, opener)) => {
                    return Some(Slip {
                        range: opener,
                        message: format!("this `{{% {opened} %}}` is not closed before `{{% {word} %}}`"),
                        help: format!("write `{{% end{opened} %}}` at its end"),
                    });
                }
                None => {
                    return Some(Slip {
                        range,
                        message: format!("nothing is open that `{{% {word} %}}` could close"),
                        help: "remove it, or write the tag that opens the block".to_owned(),
                    });
                }
            }
        } else if BLOCKS.contains(&word) || word.starts_with("set") && !content.contains('=') {
            open.push((word.to_owned(), range));
        } else if !ALONE.contains(&word) {
            let known = BLOCKS.iter().chain(ALONE).copied();
            return Some(Slip {
                range,
                message: format!("there is no tag `{word}`"),
                help: match nearest(word, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "docs/templates.md says what templates may use".to_owned(),
                },
            });
        }
    }
    let (word, range) = match unclosed {
        Some((Kind::Raw, range)) => ("raw".to_owned(), range),
        Some((kind, range)) => {
            let (begin, close) = kind.marks();
            return Some(Slip {
                range,
                message: format!("the `{begin}` that opens here is never closed"),
                help: format!("write `{close}` at its end; also quotes in it must be closed"),
            });
        }
        None => open.pop()?,
    };
    Some(Slip {
        range,
        message: format!("this `{{% {word} %}}` is never closed"),
        help: format!("write `{{% end{word} %}}` at its end"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_that_opens_is_named() {
        let check = |body: &str, expected: Option<(&str, &str)>| {
            let found = slip(body);
            let found = found.as_ref().map(|slip| {
                (
                    body.get(slip.range.clone()).unwrap_or_default(),
                    slip.message.as_str(),
                )
            });
            assert_eq!(found, expected, "{body}");
        };
        check("a {% if x %}b{% else %}{{ c }}{% endif %}{# {% if #}", None);
        check(
            "{% for a in b %}{%- set c = 1 %}{% include \"_x\" %}{%- endfor -%}",
            None,
        );
        check("{% set a %}x{% endset %}{% raw %}{% if {{ {% endraw %}", None);
        check(
            "a {% if x %}\nb",
            Some(("{% if x %}", "this `{% if %}` is never closed")),
        );
        check(
            "{% if x %}{% for a in b %}{% endif %}",
            Some((
                "{% for a in b %}",
                "this `{% for %}` is not closed before `{% endif %}`",
            )),
        );
        check(
            "x{% endif %}",
            Some(("{% endif %}", "nothing is open that `{% endif %}` could close")),
        );
        check("{% iff x %}", Some(("{% iff x %}", "there is no tag `iff`")));
        check(
            "{{ a\nb",
            Some(("{{", "the `{{` that opens here is never closed")),
        );
        check(
            "{% raw %}x",
            Some(("{% raw %}", "this `{% raw %}` is never closed")),
        );
    }
}
