//! The template engine: the only place that names Tera.
//!
//! One engine per output format, because the escape function belongs to an engine. Escaping refuses by default: a value
//! that would need quoting stops the build unless a filter says which position it is quoted for. This module must not
//! know inventories or bundles.

mod tools;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

use tera::{Context, ErrorKind, Kwargs, State, Tera, Value};

use super::meter::{self, Metered};
use crate::formats::{self, Format, FormatError};
use crate::marks::{REFUSED_END, REFUSED_START};

/// A template text under the name by which others include it.
#[derive(Clone, Debug)]
pub struct Text {
    /// Name.
    pub name: String,
    /// Body.
    pub body: String,
}

impl Text {
    /// A text under a name.
    pub fn new(name: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            body: body.into(),
        }
    }
}

/// A mistake of a template, in the coordinates of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError {
    /// Name of the text; empty when the engine does not say.
    pub name: String,
    /// Byte range in the text, when the engine says.
    pub range: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// Whether a value was refused because it cannot be written safely.
    pub refused: bool,
    /// Whether the template did more than it may.
    pub exceeded: bool,
}

impl EngineError {
    /// A mistake without a place in its text.
    fn of(name: &str, message: String) -> Self {
        Self {
            name: name.to_owned(),
            range: None,
            message,
            refused: false,
            exceeded: false,
        }
    }
}

/// Variables a rendering sees. Cloning is cheap: values are shared.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    context: Context,
}

impl Variables {
    /// The fields of a serializable struct as top-level variables.
    pub fn from_fields<T: serde::Serialize>(value: &T) -> Result<Self, String> {
        Ok(Self {
            context: Context::from_serialize(value).map_err(|error| error.to_string())?,
        })
    }

    /// Sets one variable from any serializable value.
    pub fn set<T: serde::Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        self.context.insert(name, value);
    }

    /// Sets one variable to a value that is converted already, sharing it.
    pub fn set_shared(&mut self, name: &'static str, value: &Shared) {
        self.context.insert_value(name, value.0.clone());
    }

    /// Sets a variable to the item at `index` of the list `list`, sharing it; nothing happens when there is none.
    pub fn set_item(&mut self, name: &'static str, list: &str, index: usize) {
        let item = self
            .context
            .get(list)
            .and_then(|list| list.as_array()?.get(index).cloned());
        if let Some(item) = item {
            self.context.insert_value(name, item);
        }
    }
}

/// A value for several sets of variables, converted once; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Shared(Value);

impl Shared {
    /// Converts a serializable value.
    pub fn of<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        Self(Value::from_serializable(value))
    }
}

/// Compiled templates of one format.
#[derive(Debug, Default)]
pub struct Engine {
    tera: Tera,
    /// Every text with its counters, to find places again.
    metered: BTreeMap<String, Metered>,
    /// Every loop by its number: its text and its tag.
    loops: Vec<(String, Range<usize>)>,
}

impl Engine {
    /// Compiles `texts` for `format`; `None` means no escaping at all, for titles, paths and conditions.
    ///
    /// # Errors
    /// Every mistake of every text: syntax, unknown filters, tests, functions and includes.
    pub fn compile(
        format: Option<Format>,
        partials: &[Text],
        texts: &[Text],
    ) -> Result<Self, Vec<EngineError>> {
        let mut tera = Tera::new();
        register_filters(&mut tera, format);
        tools::register(&mut tera);
        let mut engine = Self::default();
        let partials = engine.meter(partials, true);
        let texts = engine.meter(texts, false);
        match format {
            Some(format) => {
                tera.set_escape_fn(escape_function(format));
                tera.autoescape_on([""]);
            }
            None => tera.autoescape_on(Vec::<&str>::new()),
        }
        let all = |chosen: &[Text]| -> Vec<(String, String)> {
            chosen
                .iter()
                .map(|text| (text.name.clone(), text.body.clone()))
                .collect()
        };
        let mut whole = tera.clone();
        let mut everything = all(&partials);
        everything.extend(all(&texts));
        let Err(first) = whole.add_raw_templates(everything) else {
            engine.tera = whole;
            return Ok(engine);
        };
        let mut errors = Vec::new();
        let mut base = tera;
        let partials_error = base.add_raw_templates(all(&partials)).err();
        if let Some(error) = &partials_error {
            errors.extend(engine.explain(error));
        } else {
            for text in &texts {
                if let Err(error) = base.clone().add_raw_template(&text.name, &text.body) {
                    errors.extend(engine.explain(&error).into_iter().map(|mut error| {
                        if error.name.is_empty() {
                            error.name.clone_from(&text.name);
                        }
                        error
                    }));
                }
            }
        }
        if errors.is_empty() {
            errors = engine.explain(&first);
        }
        Err(errors)
    }

    /// The texts with their counters.
    fn meter(&mut self, texts: &[Text], are_partials: bool) -> Vec<Text> {
        let mut all = Vec::with_capacity(texts.len());
        for text in texts {
            let loops = &mut self.loops;
            let metered = meter::metered(&text.body, are_partials, &mut |range| {
                loops.push((text.name.clone(), range));
                loops.len() - 1
            });
            all.push(Text::new(&text.name, &metered.body));
            self.metered.insert(text.name.clone(), metered);
        }
        all
    }

    /// What the engine complains about, in the coordinates of the texts as they were written.
    fn explain(&self, error: &tera::Error) -> Vec<EngineError> {
        let mut errors = explain(error);
        for error in &mut errors {
            if let (Some(range), Some(metered)) = (&error.range, self.metered.get(&error.name)) {
                error.range = Some(metered.written(range));
            }
            if error.exceeded && error.message.ends_with(STEPS) {
                self.point_at_loop(error);
            }
        }
        errors
    }

    /// Points at the loop that began last: what goes on too long is it, or what it does.
    fn point_at_loop(&self, error: &mut EngineError) {
        let number = meter::last_loop().and_then(|number| usize::try_from(number).ok());
        if let Some((name, range)) = number.and_then(|number| self.loops.get(number)) {
            error.name.clone_from(name);
            error.range = Some(range.clone());
        }
    }

    /// Renders one text. The result may hold refused values; see [`refused`].
    ///
    /// # Errors
    /// What the engine complains about, and a text that grows beyond [`LONGEST_TEXT`].
    pub fn render(&self, name: &str, variables: &Variables) -> Result<String, EngineError> {
        self.render_within(name, variables, LONGEST_TEXT)
    }

    fn render_within(&self, name: &str, variables: &Variables, limit: usize) -> Result<String, EngineError> {
        let failed = |message: String| EngineError::of(name, message);
        meter::begin();
        let mut text = Limited {
            bytes: Vec::with_capacity(USUAL_TEXT),
            limit,
            is_full: false,
        };
        let rendered = self.tera.render_to(name, &variables.context, &mut text);
        if text.is_full {
            let mut error = failed(format!(
                "the text grows beyond {} MiB; a loop may run over more than was meant",
                limit >> 20
            ));
            error.exceeded = true;
            self.point_at_loop(&mut error);
            return Err(error);
        }
        rendered.map_err(|error| {
            self.explain(&error)
                .into_iter()
                .next()
                .unwrap_or_else(|| failed("the template cannot be rendered".into()))
        })?;
        String::from_utf8(text.bytes).map_err(|error| failed(format!("the text is not UTF-8: {error}")))
    }
}

/// Longest text a template may become, in bytes. The longest real one, the HTML runbook, has 7.5 MB for 1,000 servers.
const LONGEST_TEXT: usize = 64 << 20;

/// Bytes that most texts need at most.
const USUAL_TEXT: usize = 8 << 10;

/// A buffer that refuses to grow beyond a limit.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.is_full = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The first value in a rendered text that the escape of `format` refused, with the reason.
pub fn refused(format: Format, text: &str) -> Option<(String, FormatError)> {
    let (_, rest) = text.split_once(REFUSED_START)?;
    let (value, _) = rest.split_once(REFUSED_END)?;
    let error = escape(format, value)
        .err()
        .unwrap_or_else(|| FormatError::new(0..value.len(), "it was refused"));
    Some((value.to_owned(), error))
}

/// The rendered text in front of the first refused value.
pub fn before_refused(text: &str) -> &str {
    text.split_once(REFUSED_START).map_or(text, |(before, _)| before)
}

fn explain(error: &tera::Error) -> Vec<EngineError> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the engine's enum is not exhaustive"
    )]
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let message = report.message();
            let refused = message.strip_prefix(REFUSED_PREFIX);
            let exceeded = message.strip_prefix(EXCEEDED_PREFIX);
            vec![EngineError {
                name: report.filename().to_owned(),
                range: Some(report.span().range.clone()),
                message: lower_first(refused.or(exceeded).unwrap_or(message)),
                refused: refused.is_some(),
                exceeded: exceeded.is_some(),
            }]
        }
        _ => unknown_references(&error.to_string()),
    }
}

/// The engine reports unknown filters, tests, functions and includes as one drawn text; this reads them back.
fn unknown_references(drawn: &str) -> Vec<EngineError> {
    let mut errors: Vec<EngineError> = Vec::new();
    for line in drawn.lines() {
        let line = line.trim().trim_start_matches("error: ");
        if let Some(rest) = line.strip_prefix("Unknown ") {
            errors.push(EngineError::of("", format!("unknown {rest}")));
        } else if let (Some(last), Some((_, place))) = (errors.last_mut(), line.split_once("--> "))
            && last.name.is_empty()
        {
            let name = place.rsplitn(3, ':').nth(2).unwrap_or(place);
            name.clone_into(&mut last.name);
        }
    }
    if errors.is_empty() {
        let first = drawn.lines().next().unwrap_or("");
        errors.push(EngineError::of("", lower_first(first)));
    }
    errors
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

const REFUSED_PREFIX: &str = "refused: ";
const EXCEEDED_PREFIX: &str = "exceeded: ";

/// How the message about too many steps ends.
const STEPS: &str = "steps; a loop may run over more than was meant";

/// Counts steps; an error when the template takes more than it may.
fn count(steps: usize) -> tera::TeraResult<()> {
    if meter::count(steps) {
        return Ok(());
    }
    Err(tera::Error::message(format!(
        "{EXCEEDED_PREFIX}the template takes more than {} million {STEPS}",
        meter::MOST_STEPS / 1_000_000
    )))
}

/// Counts bytes that are handled.
fn count_bytes(bytes: usize) -> tera::TeraResult<()> {
    count(bytes / meter::BYTES_OF_A_STEP)
}

type Quote = fn(&str) -> Result<String, FormatError>;

/// Every filter that quotes a value for one position, with its function.
pub const QUOTING_FILTERS: &[(&str, Quote)] = &[
    ("nginx_string", formats::nginx::nginx_string),
    ("nginx_path", formats::nginx::nginx_path),
    ("nginx_host_regex", formats::nginx::nginx_host_regex),
    ("xml_text", formats::xml::xml_text),
    ("xml_attr", formats::xml::xml_attr),
    ("erl_string", formats::erlang::erl_string),
    ("erl_atom", formats::erlang::erl_atom),
    ("json_string", formats::json::json_string),
    ("yaml_string", formats::yaml_lines::yaml_string),
    ("ini_value", formats::ini::ini_value),
    ("reg_string", formats::reg::reg_string),
    ("reg_key", formats::reg::reg_key),
    ("sql_string", formats::sql::sql_string),
    ("sql_name", formats::sql::sql_name),
    ("sql_table", formats::sql::sql_table),
    ("sql_like", formats::sql::sql_like),
    ("cmd_arg", formats::cmd::cmd_arg),
    ("cmd_call_arg", formats::cmd::cmd_call_arg),
    ("cmd_call_json", formats::cmd::cmd_call_json),
    ("cmd_set", formats::cmd::cmd_set),
    ("cmd_echo", formats::cmd::cmd_echo),
    ("cmd_rem", formats::cmd::cmd_rem),
    ("reg_comment", formats::reg::reg_comment),
    ("sql_comment", formats::sql::sql_comment),
    ("md_code", formats::markdown::md_code),
    ("md_text", formats::markdown::md_text),
    ("prose_md", formats::prose::prose_md),
    ("prose_html", formats::prose::prose_html),
    ("html_text", formats::html::html_text),
    ("html_attr", formats::html::html_attr),
];

/// Filters that change a value and leave the quoting to what follows.
const PLAIN_FILTERS: &[(&str, Quote)] = &[
    ("slashes", |value| Ok(value.replace('\\', "/"))),
    ("uri_component", formats::uri::uri_component),
    ("uri_path", formats::uri::uri_path_component),
];

/// Whether a quoting filter quotes for a format: its name begins with that of the format.
pub(super) fn belongs(name: &str, format: Format) -> bool {
    let prefixes: &[&str] = match format {
        Format::Nginx => &["nginx_"],
        Format::Xdt => &["xml_"],
        Format::Erlang => &["erl_"],
        Format::Json | Format::JsReferences => &["json_"],
        Format::Yaml => &["yaml_"],
        Format::Ini => &["ini_"],
        Format::Reg => &["reg_"],
        Format::Sql => &["sql_"],
        Format::Cmd => &["cmd_"],
        Format::Markdown => &["md_", "prose_md"],
        Format::Html => &["html_", "prose_html", "xml_"],
        Format::PowerShell | Format::Text => &[],
    };
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// The formats a quoting filter quotes for; none for filters that leave the quoting to what follows.
pub(super) fn homes(filter: &str) -> Vec<Format> {
    let is_quoting = QUOTING_FILTERS.iter().any(|(name, _)| *name == filter);
    let formats = Format::ALL.iter().copied();
    formats
        .filter(|format| is_quoting && belongs(filter, *format))
        .collect()
}

/// Registers every filter. What a quoting filter of another format makes is quoted for nothing here: it would pass the default of this
/// format as if it were safe, so it is refused. Titles, paths and conditions have no format and no quotes.
fn register_filters(tera: &mut Tera, format: Option<Format>) {
    for &(name, quote) in QUOTING_FILTERS {
        let is_at_home = format.is_none_or(|format| belongs(name, format));
        tera.register_filter(
            name,
            move |value: Value, _: Kwargs, _: &State<'_>| -> tera::TeraResult<Value> {
                match format {
                    Some(format) if !is_at_home => Err(tera::Error::message(format!(
                        "`{name}` quotes for another format than {}, which this template writes",
                        format.name()
                    ))),
                    _ => Ok(Value::safe_string(&apply(name, quote, &value)?)),
                }
            },
        );
    }
    for &(name, change) in PLAIN_FILTERS {
        tera.register_filter(
            name,
            move |value: Value, _: Kwargs, _: &State<'_>| -> tera::TeraResult<Value> {
                Ok(Value::normal_string(&apply(name, change, &value)?))
            },
        );
    }
    tera.register_filter(
        "safe",
        |_: Value, _: Kwargs, _: &State<'_>| -> tera::TeraResult<Value> {
            Err(tera::Error::message(
                "`safe` is not available: name the position with a quoting filter",
            ))
        },
    );
}

fn apply(name: &str, quote: Quote, value: &Value) -> tera::TeraResult<String> {
    let text = match value.as_str() {
        Some(text) => Cow::Borrowed(text),
        None if value.is_number() => Cow::Owned(value.to_string()),
        None => {
            return Err(tera::Error::message(format!(
                "`{name}` quotes text and numbers, not {}",
                value.name()
            )));
        }
    };
    count_bytes(text.len())?;
    quote(&text).map_err(|error| {
        tera::Error::message(format!(
            "{REFUSED_PREFIX}`{name}` refuses the value: {}",
            error.message
        ))
    })
}

/// The default escape of a format.
pub fn escape(format: Format, value: &str) -> Result<String, FormatError> {
    match format {
        Format::Nginx => formats::nginx::escape(value),
        Format::Xdt => formats::xml::xml_attr(value),
        Format::Erlang | Format::Json | Format::JsReferences | Format::Yaml | Format::Ini => {
            formats::bare_word(value)
        }
        Format::Reg => formats::reg::escape(value),
        Format::Sql => formats::sql::escape(value),
        Format::Cmd => formats::cmd::escape(value),
        Format::Markdown => formats::markdown::escape(value),
        Format::Html => formats::html::escape(value),
        Format::PowerShell => formats::power_shell::escape(value),
        Format::Text => formats::text::escape(value),
    }
}

fn escape_function(format: Format) -> tera::EscapeFn {
    match format {
        Format::Nginx => |value, output| write_escaped(Format::Nginx, value, output),
        Format::Xdt => |value, output| write_escaped(Format::Xdt, value, output),
        Format::Erlang => |value, output| write_escaped(Format::Erlang, value, output),
        Format::Json => |value, output| write_escaped(Format::Json, value, output),
        Format::Yaml => |value, output| write_escaped(Format::Yaml, value, output),
        Format::Ini => |value, output| write_escaped(Format::Ini, value, output),
        Format::JsReferences => |value, output| write_escaped(Format::JsReferences, value, output),
        Format::Reg => |value, output| write_escaped(Format::Reg, value, output),
        Format::Sql => |value, output| write_escaped(Format::Sql, value, output),
        Format::Cmd => |value, output| write_escaped(Format::Cmd, value, output),
        Format::Markdown => |value, output| write_escaped(Format::Markdown, value, output),
        Format::Html => |value, output| write_escaped(Format::Html, value, output),
        Format::PowerShell => |value, output| write_escaped(Format::PowerShell, value, output),
        Format::Text => |value, output| write_escaped(Format::Text, value, output),
    }
}

/// The engine forgets the place of an error in an escape function, so a refusal is marked in the text and found later.
fn write_escaped(format: Format, value: &str, output: &mut dyn Write) -> std::io::Result<()> {
    match escape(format, value) {
        Ok(escaped) => output.write_all(escaped.as_bytes()),
        Err(_) => write!(output, "{REFUSED_START}{value}{REFUSED_END}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_quotes_for_its_own_format_only() {
        for format in Format::ALL {
            for (filter, _) in QUOTING_FILTERS {
                let text = Text::new("one", format!("{{{{ value | {filter} }}}}"));
                let engine = Engine::compile(Some(*format), &[], &[text]).expect("a sound template");
                let mut variables = Variables::default();
                variables.set_shared("value", &Shared::of("acme"));
                let rendered = engine.render("one", &variables);
                let is_refused =
                    rendered.is_err_and(|error| error.message.contains("quotes for another format"));
                assert_eq!(
                    is_refused,
                    !belongs(filter, *format),
                    "{filter} in {}",
                    format.name()
                );
            }
        }
        // Every filter has a home.
        for (filter, _) in QUOTING_FILTERS {
            assert!(
                Format::ALL.iter().any(|format| belongs(filter, *format)),
                "{filter}"
            );
        }
    }

    #[test]
    fn a_text_that_grows_beyond_the_limit_is_refused() {
        let text = Text::new(
            "endless",
            "{% for a in list %}{% for b in list %}{% for c in list %}0123456789{% endfor %}{% endfor %}{% endfor %}",
        );
        let engine = Engine::compile(Some(Format::Text), &[], &[text]).expect("a sound template");
        let mut variables = Variables::default();
        variables.set_shared("list", &Shared::of(&vec![0; 64]));
        // 64 * 64 * 64 * 10 bytes
        let whole = engine
            .render_within("endless", &variables, 2_621_440)
            .expect("fits");
        assert_eq!(whole.len(), 2_621_440);
        let error = engine
            .render_within("endless", &variables, 2_621_439)
            .expect_err("does not fit");
        assert_eq!(
            error.message,
            "the text grows beyond 2 MiB; a loop may run over more than was meant"
        );
    }
}
