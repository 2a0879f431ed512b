//! Small models of the text tools of Windows, as far as the scripts use them. Knows nothing about single scripts.

use std::fs;

use super::machine::{Answer, Call, Machine, good};

/// Small models of the text tools.
pub(super) fn text_tool(machine: &Machine, call: &Call) -> Option<Answer> {
    let read = |path: &str| fs::read_to_string(machine.unix(path)).map(|text| text.replace('\r', ""));
    let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    match call.program.as_str() {
        "find" => {
            let text = read(words.last()?).ok()?;
            Some(Answer::Code(
                i32::from(!text.contains(words.first()?)),
                String::new(),
            ))
        }
        "fc" => {
            let [.., one, other] = words.as_slice() else {
                return None;
            };
            Some(Answer::Code(
                i32::from(read(one).ok()? != read(other).ok()?),
                String::new(),
            ))
        }
        "findstr" => {
            let text = read(words.last()?)
                .unwrap_or_else(|_| panic!("findstr reads a file that is not there: {words:?}"));
            let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
            let needles: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix("/c:")).collect();
            let hit = |line: &str| {
                needles
                    .iter()
                    .any(|needle| match (has("/b"), has("/i"), has("/r")) {
                        (true, ..) => line.starts_with(needle),
                        (_, true, _) => line.to_lowercase().contains(&needle.to_lowercase()),
                        (_, _, true) => pattern(needle, line),
                        _ => line.contains(needle),
                    })
            };
            let found: Vec<&str> = text
                .lines()
                .filter(|line| hit(line) != has("/v"))
                .chain([""])
                .collect();
            let lines = found.join("\n");
            Some(Answer::Code(i32::from(lines.is_empty()), lines))
        }
        "fltmc" if words.is_empty() => Some(good()),
        "powershell" if call.line().contains("WindowsBuiltInRole") => Some(Answer::Code(3, String::new())),
        "icacls" | "ping" => Some(good()),
        _ => None,
    }
}

/// Whether a pattern of findstr stands in a line: letters, `.`, classes, escapes, each perhaps with a `*`. Runs of blanks
/// count as one, because columns differ between versions of Windows.
fn pattern(needle: &str, line: &str) -> bool {
    let single = |text: &str| {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let line: Vec<char> = single(line).chars().collect();
    let needle: Vec<char> = single(&needle.replace("  *", " ")).trim_end().chars().collect();
    (0..=line.len()).any(|at| matches_here(&needle, &line[at..]))
}

/// Whether a pattern stands at the beginning of a text.
fn matches_here(needle: &[char], text: &[char]) -> bool {
    let length = match needle {
        [] => return true,
        ['\\', _, ..] => 2,
        ['[', rest @ ..] => 2 + rest.iter().position(|c| *c == ']').expect("a closed class"),
        _ => 1,
    };
    let (element, rest) = needle.split_at(length);
    let fits = |c: char| match element {
        ['\\', escaped] => c == *escaped,
        ['[', class @ .., ']'] => {
            class
                .iter()
                .enumerate()
                .any(|(at, from)| match class.get(at + 1..at + 3) {
                    Some(['-', to]) => (*from..=*to).contains(&c),
                    _ => *from == c,
                })
        }
        ['.'] => true,
        _ => element == [c],
    };
    if let Some(('*', rest)) = rest.split_first().map(|(star, rest)| (*star, rest)) {
        let most = text.iter().take_while(|c| fits(**c)).count();
        return (0..=most).any(|taken| matches_here(rest, &text[taken..]));
    }
    text.first().is_some_and(|c| fits(*c)) && matches_here(rest, &text[1..])
}
