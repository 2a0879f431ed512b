//! Phase 2 of cmd.exe: where a line is split into commands, and which redirections it has.
//!
//! A command is borrowed from its line where nothing inside it was taken out. This file must not know what a percent sign
//! means.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Cut as _, FormatError};

/// How a command is joined to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// First command of the line.
    First,
    /// `&`
    Always,
    /// `&&`
    AndThen,
    /// `||`
    OrElse,
    /// `|`
    Pipe,
}

/// One command of a line after phase 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'l> {
    /// How the command is joined to the one before it.
    pub joint: Joint,
    /// The command without redirections; quotes are still there, carets outside quotes are gone.
    pub text: Cow<'l, str>,
    /// Redirections, in order.
    pub redirections: Vec<Cow<'l, str>>,
    /// The bytes of the command in the line that was split.
    pub range: Range<usize>,
}

impl Piece<'_> {
    /// A command that begins at `start`, without its text.
    fn new(joint: Joint, start: usize) -> Self {
        Self {
            joint,
            text: Cow::Borrowed(""),
            redirections: Vec::new(),
            range: start..start,
        }
    }
}

/// Phase 2: splits a line into commands and takes the redirections out.
///
/// # Errors
/// A quote that is not closed, a redirection without a target, an empty command between separators.
pub fn split(line: &str) -> Result<Vec<Piece<'_>>, FormatError> {
    let has_signs = line
        .bytes()
        .any(|byte| matches!(byte, b'^' | b'&' | b'|' | b'<' | b'>'));
    if has_signs {
        split_at_signs(line)
    } else {
        whole(line).map(|piece| vec![piece])
    }
}

/// [`split`] for a line without a sign that separates, redirects or protects: most lines are one command without one.
pub(in crate::cmd) fn whole(line: &str) -> Result<Piece<'_>, FormatError> {
    let quotes = line
        .bytes()
        .fold(0usize, |count, byte| count + usize::from(byte == b'"'));
    if !quotes.is_multiple_of(2) {
        return Err(open_quote(line.rfind('"').unwrap_or_default(), line));
    }
    Ok(Piece {
        text: Cow::Borrowed(line),
        range: 0..line.len(),
        ..Piece::new(Joint::First, 0)
    })
}

fn split_at_signs(line: &str) -> Result<Vec<Piece<'_>>, FormatError> {
    let bytes = line.as_bytes();
    let mut pieces = Vec::with_capacity(2);
    let mut piece = Piece::new(Joint::First, 0);
    let mut kept = Kept::new(line);
    let mut at = 0;
    while let Some(sign) = next_sign(bytes, at) {
        kept.add(at..sign.at);
        at = sign.at + 1;
        match sign.byte {
            b'"' => {
                let end = memchr::memchr(b'"', bytes.cut(at..));
                let Some(length) = end else {
                    return Err(open_quote(sign.at, line));
                };
                at += length + 1;
                kept.add(sign.at..at);
            }
            b'^' => {
                if at == line.len() {
                    return Err(FormatError::new(sign.at..at, "`^` at the end of a line"));
                }
                let protected = line.get(at..).and_then(|rest| rest.chars().next());
                let end = at + protected.map_or(0, char::len_utf8);
                kept.add(at..end);
                at = end;
            }
            b'&' | b'|' => {
                let double = bytes.get(at) == Some(&sign.byte);
                at += usize::from(double);
                let joint = match (sign.byte, double) {
                    (b'&', false) => Joint::Always,
                    (b'&', true) => Joint::AndThen,
                    (_, false) => Joint::Pipe,
                    (_, true) => Joint::OrElse,
                };
                piece.range.end = sign.at;
                piece.text = kept.take();
                pieces.push(std::mem::replace(&mut piece, Piece::new(joint, at)));
            }
            _ => {
                let start = kept.take_handle().map_or(sign.at, |length| sign.at - length);
                let (redirection, end) = redirection(line, start, sign.at)?;
                piece.redirections.push(redirection);
                at = end;
            }
        }
    }
    kept.add(at..line.len());
    piece.range.end = line.len();
    piece.text = kept.take();
    pieces.push(piece);
    if pieces.len() > 1
        && let Some(empty) = pieces.iter().find(|piece| piece.text.trim().is_empty())
    {
        return Err(FormatError::new(
            empty.range.clone(),
            "a separator without a command on both sides",
        ));
    }
    Ok(pieces)
}

fn open_quote(at: usize, line: &str) -> FormatError {
    FormatError::new(at..line.len(), "a quote that is not closed")
}

/// A byte that means something outside quotes.
struct Sign {
    at: usize,
    byte: u8,
}

fn next_sign(bytes: &[u8], from: usize) -> Option<Sign> {
    let rest = bytes.get(from..)?;
    rest.iter()
        .position(|byte| matches!(byte, b'"' | b'^' | b'&' | b'|' | b'<' | b'>'))
        .and_then(|offset| {
            Some(Sign {
                at: from + offset,
                byte: *rest.get(offset)?,
            })
        })
}

/// Reads a redirection whose sign stands at `sign`; `start` is there too, or at the handle before it. Gives where it ends.
fn redirection(line: &str, start: usize, sign: usize) -> Result<(Cow<'_, str>, usize), FormatError> {
    let bytes = line.as_bytes();
    let mut at = sign + 1;
    if bytes.get(sign..sign + 2) == Some(b">>") {
        at += 1;
    }
    let to_handle = bytes.get(at) == Some(&b'&');
    at += usize::from(to_handle);
    let signs_end = at;
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    let target = at;
    let mut quoted = false;
    while let Some(byte) = bytes.get(at)
        && (quoted || !matches!(byte, b' ' | b'&' | b'|' | b'<' | b'>' | b'^'))
    {
        quoted ^= *byte == b'"';
        at += 1;
    }
    if quoted {
        return Err(open_quote(sign, line));
    }
    if at == target && !to_handle {
        return Err(FormatError::new(sign..sign + 1, "a redirection without a target"));
    }
    let part = |range: Range<usize>| line.cut(range);
    let text = if target == signs_end {
        Cow::Borrowed(part(start..at))
    } else {
        Cow::Owned([part(start..signs_end), part(target..at)].concat())
    };
    Ok((text, at))
}

/// The text of a command while it is read; it is copied only when something inside it was taken out.
struct Kept<'l> {
    line: &'l str,
    /// What was kept, while it is one part of the line.
    part: Range<usize>,
    /// What was kept, once it is not.
    joined: Option<String>,
}

impl<'l> Kept<'l> {
    fn new(line: &'l str) -> Self {
        Self {
            line,
            part: 0..0,
            joined: None,
        }
    }

    fn add(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let line = self.line;
        let text = |range: Range<usize>| line.cut(range);
        if let Some(joined) = &mut self.joined {
            joined.push_str(text(range));
        } else if self.part.is_empty() {
            self.part = range;
        } else if self.part.end == range.start {
            self.part.end = range.end;
        } else {
            self.joined = Some([text(self.part.clone()), text(range)].concat());
        }
    }

    fn text(&self) -> &str {
        match &self.joined {
            Some(joined) => joined,
            None => self.line.cut(self.part.clone()),
        }
    }

    /// Takes the handle of a redirection off: a single digit at the end, after a blank. Gives its length.
    fn take_handle(&mut self) -> Option<usize> {
        let is_handle = match self.text().as_bytes() {
            [.., before, handle] => *before == b' ' && handle.is_ascii_digit(),
            [handle] => handle.is_ascii_digit(),
            [] => false,
        };
        is_handle.then(|| {
            match &mut self.joined {
                Some(joined) => drop(joined.pop()),
                None => self.part.end -= 1,
            }
            1
        })
    }

    fn take(&mut self) -> Cow<'l, str> {
        let part = std::mem::take(&mut self.part);
        match self.joined.take() {
            Some(joined) => Cow::Owned(joined),
            None => Cow::Borrowed(self.line.cut(part)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_redirections() {
        let pieces = split(r#"a "b & c" >nul 2>&1 || goto :X"#).unwrap();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].redirections, [">nul", "2>&1"]);
        assert_eq!(pieces[1].joint, Joint::OrElse);
        assert_eq!(
            split(r#"a >"C:\x y" b"#).unwrap()[0].redirections,
            [r#">"C:\x y""#]
        );
        assert_eq!(split("a x2>b").unwrap()[0].redirections, [">b"]);
        for bad in ["a \"b", "a ||", "a > ", "a ^", "& a"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn lines_without_signs_are_split_as_any_other(line in "[a-z \"%()]{0,20}") {
            proptest::prop_assert_eq!(split(&line), split_at_signs(&line));
        }

        #[test]
        fn what_is_kept_and_what_is_taken_out_is_the_line(line in "([ab2é \"%]|>nul|2>&1|>> \"x y\"|&&|[|]{2}){0,8}") {
            let Ok(pieces) = split(&line) else { return Ok(()) };
            for piece in &pieces {
                let written = line.get(piece.range.clone()).unwrap_or_default();
                let parts = piece.redirections.iter().map(|part| &**part).chain([&*piece.text]);
                let sorted = |text: String| {
                    let mut letters: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
                    letters.sort_unstable();
                    letters
                };
                proptest::prop_assert_eq!(sorted(parts.collect()), sorted(written.to_owned()), "{}", line);
            }
        }
    }
}
