//! Runbook prose, written once as Markdown, printed in the language of a page.
//!
//! Templates print prose with these functions instead of looking at its pieces: a runbook has thousands of pieces, and
//! a template loop costs many times what the text costs. Every piece goes through the quoting function of its format,
//! so what comes out is safe where a paragraph, list item or table cell stands. This file must not know runbooks.

use super::html::write_text as write_html_text;
use super::markdown::{write_code, write_text, write_text_within};
use super::markdown_blocks::{Block, Piece, Style, blocks};
use super::{FormatError, text};

/// The prose on one line of Markdown: blocks are joined by blanks, so that it can stand in a list item or table cell.
///
/// # Errors
/// A character that cannot be shown.
pub fn prose_md(markdown: &str) -> Result<String, FormatError> {
    print(
        markdown,
        " ",
        |piece, printed| match piece.style {
            Style::Code => write_code(&piece.text, printed),
            Style::Strong => between(printed, "**", "**", |printed| write_text(&piece.text, printed)),
            Style::Emphasis => between(printed, "*", "*", |printed| write_text(&piece.text, printed)),
            Style::Text if printed.is_empty() => write_text(&piece.text, printed),
            Style::Text => write_text_within(&piece.text, printed),
        },
        write_code,
    )
}

/// The prose as HTML that may stand in any element of running text.
///
/// # Errors
/// A character that cannot be shown.
pub fn prose_html(markdown: &str) -> Result<String, FormatError> {
    let write_code = |code: &str, printed: &mut String| {
        between(printed, "<code>", "</code>", |printed| {
            write_html_text(code, printed)
        })
    };
    print(
        markdown,
        "<br/>",
        |piece, printed| {
            let words = |printed: &mut String| write_html_text(&piece.text, printed);
            match piece.style {
                Style::Code => write_code(&piece.text, printed),
                Style::Strong => between(printed, "<strong>", "</strong>", words),
                Style::Emphasis => between(printed, "<em>", "</em>", words),
                Style::Text => words(printed),
            }
        },
        write_code,
    )
}

fn between(
    printed: &mut String,
    before: &str,
    after: &str,
    write: impl Fn(&mut String) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    printed.push_str(before);
    write(printed)?;
    printed.push_str(after);
    Ok(())
}

/// Prints every block; `joint` stands between blocks and between the lines of code.
fn print(
    markdown: &str,
    joint: &str,
    piece: impl Fn(&Piece<'_>, &mut String) -> Result<(), FormatError>,
    code: impl Fn(&str, &mut String) -> Result<(), FormatError>,
) -> Result<String, FormatError> {
    // Before the pieces are looked at, so that the place of a refusal is one in the prose as written. Line ends are the
    // prose's own; a carriage return or tab would not reach a piece as such.
    if !text::is_plain(markdown) {
        text::refuse_unless(markdown, |c| c == '\n' || text::is_visible(c), "cannot be shown")?;
    }
    let mut printed = String::with_capacity(markdown.len() + markdown.len() / 4);
    for (index, Block { pieces, lines }) in blocks(markdown).iter().enumerate() {
        if index > 0 {
            printed.push_str(joint);
        }
        for found in pieces {
            if found.space_before {
                printed.push(' ');
            }
            piece(found, &mut printed)?;
            if found.space_after {
                printed.push(' ');
            }
        }
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                printed.push_str(joint);
            }
            code(line, &mut printed)?;
        }
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{html, markdown, markdown_blocks};

    fn check(prose: &str, as_markdown: &str, as_html: &str) {
        assert_eq!(prose_md(prose).as_deref(), Ok(as_markdown), "{prose:?}");
        assert_eq!(prose_html(prose).as_deref(), Ok(as_html), "{prose:?}");
    }

    #[test]
    fn every_style_is_printed_and_escaped() {
        check("", "", "");
        check("run `a`: now", "run `a`: now", "run <code>a</code>: now");
        check("`a` - 1. b", "`a` - 1. b", "<code>a</code> - 1. b");
        check("- `a`", "`a`", "<code>a</code>");
        check(": a", "\\: a", ": a");
        check(
            "a `b|c` *d* **e** \\<i> & f",
            "a <code>b&#124;c</code> *d* **e** \\<i\\> & f",
            "a <code>b|c</code> <em>d</em> <strong>e</strong> &lt;i&gt; &amp; f",
        );
        check(
            "one\ntwo\n\n- three\n\n```\nx  y\nz\n```\n",
            "one two three `x  y` `z`",
            "one two<br/>three<br/><code>x  y</code><br/><code>z</code>",
        );
        assert_eq!(prose_html("a\u{202e}").unwrap_err().range, 1..4);
    }

    proptest! {
        #[test]
        fn any_prose_is_readable_in_both_pages(prose in "(\\PC|[ `|*_<>&#.\\n\\-\\\\]){0,40}") {
            match (prose_md(&prose), prose_html(&prose)) {
                (Ok(as_markdown), Ok(as_html)) => {
                    // Inside a cell, as the appendices of the runbook print it.
                    let page = format!("# A\n\n| a | b |\n| --- | --- |\n| x | {as_markdown} |\n");
                    prop_assert!(markdown::items(&page).is_ok(), "{page:?} {:?}", markdown::items(&page));
                    let page = format!("<!doctype html>\n<html><body><p>{as_html}</p></body></html>\n");
                    prop_assert!(html::items(&page).is_ok(), "{page:?} {:?}", html::items(&page));
                    // The page says what the prose says: the same letters in the same order.
                    let said: String = markdown_blocks::blocks(&prose)
                        .iter()
                        .flat_map(|block| block.pieces.iter().map(|piece| piece.text.as_ref()).chain(block.lines.iter().copied()))
                        .flat_map(str::chars)
                        .filter(|c| !c.is_whitespace())
                        .collect();
                    let document = roxmltree::Document::parse(page.strip_prefix("<!doctype html>\n").unwrap()).unwrap();
                    let shown: String = document
                        .root()
                        .descendants()
                        .filter(|&node| node.is_text()).map(|node| node.text().unwrap_or_default())
                        .flat_map(str::chars)
                        .filter(|c| !c.is_whitespace())
                        .collect();
                    prop_assert_eq!(shown, said);
                }
                (as_markdown, as_html) => {
                    prop_assert!(as_markdown.is_err() && as_html.is_err());
                    prop_assert!(!prose.chars().all(|c| c == '\n' || text::is_visible(c)));
                }
            }
        }
    }
}
