//! Whether effect, format, extension and target of a template fit each other, and whether its filters are those of its
//! format: there is no way around the reader of a format.
//!
//! A registry file that is made as plain text is deployed in the wrong encoding, and regedit ignores it with success. So
//! each effect takes the formats whose reader knows what is applied, each format has the extensions its consumer goes by, and
//! plain text is only for what people read. This file must not know what a template says.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::engine::homes;
use super::front_matter::FrontMatter;
use super::tags::{expressions, is_open};
use crate::contract::artifact::Effect;
use crate::contract::path::is_device_name;
use crate::diag::one_of;
use crate::formats::Format;
use crate::json::word;

/// What the target of an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A file, with an extension its consumer goes by.
    File,
    /// A key of the registry.
    Key,
    /// Nothing that is changed by its name.
    Free,
}

/// The formats an effect takes, and what its target is.
fn takes(effect: Effect) -> (&'static [Format], Target) {
    match effect {
        Effect::ReplaceFile => (
            &[
                Format::Nginx,
                Format::Erlang,
                Format::Json,
                Format::Yaml,
                Format::Ini,
            ],
            Target::File,
        ),
        Effect::TransformXml => (&[Format::Xdt], Target::File),
        Effect::SetTerms => (&[Format::Erlang], Target::File),
        Effect::SetLines => (&[Format::Json, Format::Yaml, Format::Ini], Target::File),
        Effect::ReplaceReferences => (&[Format::JsReferences], Target::File),
        Effect::ImportRegistry => (&[Format::Reg], Target::Key),
        Effect::RunSql => (&[Format::Sql], Target::Free),
        Effect::RunScript => (&[Format::Cmd], Target::Free),
        Effect::Read => (Format::ALL, Target::Free),
    }
}

/// How the key of a registry begins that is a target.
const KEY_BEGINS: &str = "HKEY_";

/// Extensions of a format's artifacts.
fn extensions(format: Format) -> &'static [&'static str] {
    match format {
        Format::Nginx => &["conf"],
        Format::Xdt => &["xdt"],
        Format::Erlang => &["config", "set"],
        Format::Json | Format::JsReferences => &["json"],
        Format::Yaml => &["yml", "yaml"],
        Format::Ini => &["ini", "url"],
        Format::Reg => &["reg"],
        Format::Sql => &["sql"],
        Format::Cmd => &["cmd", "bat"],
        Format::Markdown => &["md"],
        Format::Text => &["txt"],
        Format::Html => &["html"],
        Format::PowerShell => &["ps1"],
    }
}

/// Extensions of the files that artifacts of a format change.
fn target_extensions(format: Format) -> &'static [&'static str] {
    match format {
        Format::Xdt => &["config", "xml"],
        Format::Erlang => &["config"],
        Format::JsReferences => &["js"],
        Format::Nginx
        | Format::Json
        | Format::Yaml
        | Format::Ini
        | Format::Reg
        | Format::Sql
        | Format::Cmd
        | Format::Markdown
        | Format::Text
        | Format::Html
        | Format::PowerShell => extensions(format),
    }
}

/// What does not fit: the key to look at, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) key: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

/// The extension at the end of a text that may hold variables; `None` when a variable decides it.
fn extension(text: &str) -> Option<String> {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let (_, extension) = name.rsplit_once('.')?;
    (!extension.is_empty() && !extension.contains(['{', '}', ' '])).then(|| extension.to_ascii_lowercase())
}

/// When paths and targets are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// As written, with variables: what only they decide waits.
    Written,
    /// As rendered: nothing waits.
    Rendered,
}

fn with_dots(extensions: &[&str]) -> String {
    let dotted: Vec<String> = extensions
        .iter()
        .map(|extension| format!(".{extension}"))
        .collect();
    one_of(dotted.iter().map(String::as_str))
}

/// Everything about an artifact's front matter that does not fit, whatever its variables hold.
pub(super) fn misfits(front: &FrontMatter) -> Vec<Misfit> {
    judge(
        front,
        front.path.as_deref(),
        front.target.as_deref(),
        Stage::Written,
    )
}

/// The same of what path and target came out as.
pub(super) fn rendered_misfits(front: &FrontMatter, path: &str, target: Option<&str>) -> Vec<Misfit> {
    judge(front, Some(path), target, Stage::Rendered)
}

fn judge(front: &FrontMatter, path: Option<&str>, target: Option<&str>, stage: Stage) -> Vec<Misfit> {
    let (Some(effect), Some(path)) = (front.effect, path) else {
        return Vec::new();
    };
    let format = front.format;
    let mut found = Vec::new();
    let (formats, kind) = takes(effect);
    if !formats.contains(&format) {
        let fitting = one_of(formats.iter().map(|format| format.name()));
        found.push(Misfit {
            key: "format",
            message: format!("the effect `{}` does not go with the format `{}`", word(&effect), format.name()),
            help: format!(
                "write `format:` {fitting}; each has a reader that refuses what its consumer would ignore or misread"
            ),
        });
        return found;
    }
    let known = extensions(format);
    match extension(path) {
        Some(extension) if known.contains(&extension.as_str()) => {}
        // What variables make of the name of a text is judged when they are known.
        None if format == Format::Text && stage == Stage::Written && is_open(path) => {}
        other => found.push(Misfit {
            key: "path",
            message: match other {
                Some(extension) => {
                    format!(
                        "a file `.{extension}` is not made with the format `{}`{}",
                        format.name(),
                        came_out(front.path.as_deref(), path, stage)
                    )
                }
                None => format!(
                    "`path` does not end with an extension of the format `{}`",
                    format.name()
                ),
            },
            help: format!(
                "end `path` with {}, written out, or change `format`",
                with_dots(known)
            ),
        }),
    }
    if kind == Target::File {
        let fitting = target_extensions(format);
        match target {
            None => found.push(Misfit {
                key: "effect",
                message: format!(
                    "the effect `{}` changes a file, and `target` does not say which",
                    word(&effect)
                ),
                help: "write the file on the server as `target`".to_owned(),
            }),
            Some(target) => {
                // What a variable decides at the end is a file of the product.
                let waits = stage == Stage::Written && target.trim_end().ends_with("}}");
                let fits = extension(target).is_some_and(|extension| fitting.contains(&extension.as_str()));
                let unsafe_name = match stage {
                    Stage::Written if is_open(target) => None,
                    Stage::Written | Stage::Rendered => no_file(target),
                };
                if let Some(why) = unsafe_name.filter(|_| fits) {
                    found.push(Misfit {
                        key: "target",
                        message: format!("`{target}` names no file of a server: {why}"),
                        help: r"write the file from its drive on, for example `C:\Callback\site.config`"
                            .to_owned(),
                    });
                } else if !fits && !waits {
                    found.push(Misfit {
                        key: "target",
                        message: format!(
                            "the effect `{}` with the format `{}` does not change a file like `{target}`",
                            word(&effect),
                            format.name()
                        ),
                        help: format!("name a file that ends with {}", with_dots(fitting)),
                    });
                }
            }
        }
    }
    if kind == Target::Key {
        let message = match target {
            None => Some(format!(
                "the effect `{}` changes a key, and `target` does not say which",
                word(&effect)
            )),
            Some(target) if target.starts_with(KEY_BEGINS) => None,
            Some(target) if stage == Stage::Written && target.starts_with("{{") => None,
            Some(target) => Some(format!(
                "the target of `{}` begins with `{KEY_BEGINS}`, unlike `{target}`",
                word(&effect)
            )),
        };
        found.extend(message.map(|message| Misfit {
            key: if target.is_some() { "target" } else { "effect" },
            message,
            help: "write the key of the registry in full as `target`".to_owned(),
        }));
    }
    found
}

/// Why a target is no file that Windows keeps under this name: a stream beside a file, a device, a name that Windows changes.
fn no_file(target: &str) -> Option<String> {
    let mut letters = target.chars();
    let (drive, colon) = (letters.next(), letters.next());
    let rest = letters.as_str();
    let has_drive = drive.is_some_and(|letter| letter.is_ascii_alphabetic()) && colon == Some(':');
    if !has_drive || !rest.starts_with('\\') {
        return Some(r"it does not begin with a drive, as in `C:\`".to_owned());
    }
    if rest.contains(':') {
        return Some(
            "behind a second `:` Windows keeps a stream that nobody sees beside the file".to_owned(),
        );
    }
    if let Some(letter) = rest
        .chars()
        .find(|letter| letter.is_control() || "/\"<>|?*".contains(*letter))
    {
        return Some(format!("it holds `{letter}`"));
    }
    rest.split('\\').skip(1).find_map(|part| {
        if is_device_name(part) {
            Some(format!("`{part}` is the name of a device on Windows"))
        } else if part.is_empty() || part.ends_with(['.', ' ']) {
            Some("a part of it is empty or ends with a dot or blank, which Windows drops".to_owned())
        } else {
            None
        }
    })
}

/// What a path with variables came out as, for a message at the line that does not show it.
fn came_out(written: Option<&str>, path: &str, stage: Stage) -> String {
    match written {
        Some(written) if stage == Stage::Rendered && is_open(written) => {
            format!(", and `path` comes out as `{path}`")
        }
        Some(_) | None => String::new(),
    }
}

/// A filter of another format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// The text it stands in: a template or a partial.
    pub(super) name: String,
    /// Where in that text.
    pub(super) range: Range<usize>,
    pub(super) filter: String,
    pub(super) homes: String,
}

/// Filters of other formats in a text and everything it includes; a text without a format, such as a path, is home to none.
pub(super) fn foreign_filters(
    format: Option<Format>,
    name: &str,
    body: &str,
    partials: &BTreeMap<String, String>,
) -> Vec<Foreign> {
    let mut found = Vec::new();
    for (name, text) in with_partials(name, body, partials) {
        for (filter, range) in expressions(text).flat_map(|tag| tag.filters()) {
            let homes = homes(filter);
            if homes.is_empty() || format.is_some_and(|format| homes.contains(&format)) {
                continue;
            }
            found.push(Foreign {
                name: name.clone(),
                range,
                filter: filter.to_owned(),
                homes: one_of(homes.iter().map(|format| format.name())),
            });
        }
    }
    found
}

/// A text and everything it includes, each once, with its name.
pub(super) fn with_partials<'t>(
    name: &str,
    body: &'t str,
    partials: &'t BTreeMap<String, String>,
) -> Vec<(String, &'t str)> {
    let mut found = vec![(name.to_owned(), body)];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some(&(_, text)) = found.get(next) {
        next += 1;
        for name in expressions(text).flat_map(|tag| tag.includes()) {
            if let Some(partial) = partials.get(name).filter(|_| seen.insert(name)) {
                found.push((name.to_owned(), partial.as_str()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::encode::{Encoding, LineEnd, deployed_form};

    const EFFECTS: [Effect; 9] = [
        Effect::ReplaceFile,
        Effect::TransformXml,
        Effect::SetTerms,
        Effect::SetLines,
        Effect::ReplaceReferences,
        Effect::ImportRegistry,
        Effect::RunSql,
        Effect::RunScript,
        Effect::Read,
    ];

    fn front(effect: Effect, format: Format, path: &str, target: Option<&str>) -> FrontMatter {
        let mut front = serde_json::json!({
            "title": "t", "scope": "server", "path": path, "format": format, "effect": effect, "phase": "verify"
        });
        if let Some(target) = target {
            front["target"] = target.into();
        }
        serde_json::from_value(front).unwrap()
    }

    /// Every combination: what passes is deployed in the form its consumer reads, by the reader that knows it.
    #[test]
    fn no_combination_leads_around_a_reader() {
        let all_extensions: BTreeSet<&str> = Format::ALL
            .iter()
            .flat_map(|format| extensions(*format))
            .copied()
            .chain(["js", "xml", "exe", "dll", "ps1", "vbs", "", "dat"])
            .collect();
        let targets = |extension: &str| {
            [
                None,
                Some("HKEY_LOCAL_MACHINE\\SOFTWARE\\X".to_owned()),
                Some("db.dbo.T".to_owned()),
                Some(format!("C:\\x.{extension}")),
            ]
        };
        let (mut passed, mut tried) = (0, 0);
        for effect in EFFECTS {
            for format in Format::ALL {
                for extension in &all_extensions {
                    for target in all_extensions.iter().flat_map(|extension| targets(extension)) {
                        tried += 1;
                        let path = if extension.is_empty() {
                            "x".to_owned()
                        } else {
                            format!("x.{extension}")
                        };
                        if !misfits(&front(effect, *format, &path, target.as_deref())).is_empty() {
                            continue;
                        }
                        passed += 1;
                        let (encoding, line_end) = deployed_form(*format);
                        let what = format!("{effect:?} {format:?} {path} {target:?}");
                        // Only what people read may be plain text, and no consumer takes that for its own.
                        assert!(
                            *format != Format::Text
                                || effect == Effect::Read && matches!(*extension, "txt" | ""),
                            "{what}"
                        );
                        assert_eq!(*extension == "reg", *format == Format::Reg, "{what}");
                        assert_eq!(*extension == "sql", *format == Format::Sql, "{what}");
                        assert_eq!(*extension == "ps1", *format == Format::PowerShell, "{what}");
                        assert_eq!(
                            matches!(*extension, "cmd" | "bat"),
                            *format == Format::Cmd,
                            "{what}"
                        );
                        assert_eq!(*extension == "conf", *format == Format::Nginx, "{what}");
                        if *extension == "reg" {
                            assert_eq!(
                                (encoding, line_end),
                                (Encoding::Utf16LeBom, LineEnd::CrLf),
                                "{what}"
                            );
                        }
                        if matches!(*extension, "cmd" | "bat") {
                            assert_eq!((encoding, line_end), (Encoding::Ascii, LineEnd::CrLf), "{what}");
                        }
                        let by_effect = match effect {
                            Effect::ImportRegistry => *format == Format::Reg,
                            Effect::RunSql => *format == Format::Sql,
                            Effect::RunScript => *format == Format::Cmd,
                            Effect::TransformXml => *format == Format::Xdt,
                            Effect::SetTerms => *format == Format::Erlang,
                            Effect::ReplaceReferences => *format == Format::JsReferences,
                            Effect::SetLines => matches!(format, Format::Json | Format::Yaml | Format::Ini),
                            Effect::ReplaceFile => !matches!(
                                format,
                                Format::Text
                                    | Format::Markdown
                                    | Format::Html
                                    | Format::Cmd
                                    | Format::PowerShell
                                    | Format::Reg
                                    | Format::Sql
                                    | Format::Xdt
                                    | Format::JsReferences
                            ),
                            Effect::Read => true,
                        };
                        assert!(by_effect, "{what}");
                    }
                }
            }
        }
        assert!(passed > 100 && tried > 100 * passed / 30, "{passed} of {tried}");
    }

    /// Every combination again with the extension, the whole name or the target hidden in a variable: what passes when written
    /// and when rendered passes written out, so that a variable opens no way.
    #[test]
    fn a_variable_opens_no_way_around_a_reader() {
        let hidden = |text: &str| format!("{{{{ \"{text}\" }}}}");
        let extensions: BTreeSet<&str> = Format::ALL
            .iter()
            .flat_map(|format| extensions(*format))
            .copied()
            .chain(["js", "xml", "exe", "vbs", "REG", ""])
            .collect();
        let (mut passed, mut tried) = (0, 0);
        for effect in EFFECTS {
            for format in Format::ALL {
                for extension in &extensions {
                    let dot = if extension.is_empty() { "" } else { "." };
                    let path = format!("a/x{dot}{extension}");
                    let paths = [
                        format!("a/x{dot}{}", hidden(extension)),
                        format!("a/x{}", hidden(&format!("{dot}{extension}"))),
                        hidden(&path),
                        format!("a/x{{% if each %}}{dot}{extension}{{% endif %}}"),
                        format!("a/x{dot}{extension}{}", hidden("")),
                        path.clone(),
                    ];
                    for target in [
                        None,
                        Some("HKEY_LOCAL_MACHINE\\X".to_owned()),
                        Some(format!("C:\\x.{extension}")),
                    ] {
                        let out = misfits(&front(effect, *format, &path, target.as_deref()));
                        for written in &paths {
                            for target_written in [target.clone(), target.as_deref().map(hidden)] {
                                let front = front(effect, *format, written, target_written.as_deref());
                                tried += 1;
                                if misfits(&front).is_empty()
                                    && rendered_misfits(&front, &path, target.as_deref()).is_empty()
                                {
                                    passed += 1;
                                    assert_eq!(out, [], "{effect:?} {format:?} {written} {target_written:?}");
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(passed > 100 && tried > passed, "{passed} of {tried}");
    }

    #[test]
    fn every_format_and_effect_has_a_way_to_pass() {
        for effect in EFFECTS {
            let (formats, kind) = takes(effect);
            for format in formats {
                let path = format!("x.{}", extensions(*format)[0]);
                let target = match kind {
                    Target::File => Some(format!(
                        "{{{{ product.install_root }}}}\\x.{}",
                        target_extensions(*format)[0]
                    )),
                    Target::Key => Some(format!("{KEY_BEGINS}LOCAL_MACHINE\\X")),
                    Target::Free => None,
                };
                assert_eq!(
                    misfits(&front(effect, *format, &path, target.as_deref())),
                    [],
                    "{effect:?} {format:?}"
                );
            }
        }
    }

    #[test]
    fn filters_of_other_formats_are_found_in_partials_too() {
        let partials = BTreeMap::from([("_a/b".to_owned(), "{{ y | sql_string }}".to_owned())]);
        let body = "{# {{ x | nginx_string }} #}{{ x | json_string }} {{ \"|cmd_arg\" | slashes }} {% include \"_a/b\" %}{{ z | nginx_string }}";
        let found = foreign_filters(Some(Format::Json), "t", body, &partials);
        let names: Vec<(&str, &str)> = found
            .iter()
            .map(|one| (one.name.as_str(), one.filter.as_str()))
            .collect();
        assert_eq!(names, [("t", "nginx_string"), ("_a/b", "sql_string")]);
        // Quotes hide the end of a tag, and may be single ones.
        let hidden = "{{ \"}}\" | sql_string }}{% include '_a/b' %}{% raw %}{{ x | sql_string }}{% endraw %}";
        assert_eq!(
            foreign_filters(Some(Format::Json), "t", hidden, &partials).len(),
            2
        );
        assert_eq!(body.get(found[0].range.clone()), Some("nginx_string"));
    }

    #[test]
    fn every_quoting_filter_has_a_format() {
        for (name, _) in super::super::engine::QUOTING_FILTERS {
            assert!(!homes(name).is_empty(), "{name}");
        }
    }
}
