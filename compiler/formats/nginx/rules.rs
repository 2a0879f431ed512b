//! What must hold in and between the directives of a file.
//!
//! `nginx -t` accepts several files that do the wrong thing; the rules here refuse those as well. Sources:
//! requirements NGX-*, CORS-* and DEF-26 to DEF-42. This file must not know how text becomes directives.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Directive, Word};
use super::table::{DirectiveKind, EVENTS, HTTP, LOCATION, MAIN, Rule, SERVER, is_variable, rule_of};
use crate::FormatError;

/// Checks the whole file.
pub(super) fn check(directives: &[Directive]) -> Vec<FormatError> {
    let mut checker = Checker::default();
    let http = blocks(directives, "http").next();
    if let Some(http) = http {
        checker.collect(http.inside());
    }
    if blocks(directives, "events").next().is_none() {
        checker.refuse_at(0, "the file has no `events` block");
    }
    checker.block(directives, MAIN, &[]);
    if let Some(http) = http {
        checker.names(http.inside());
    }
    checker.errors
}

/// The blocks of that name among `directives`.
fn blocks<'a>(directives: &'a [Directive], name: &'a str) -> impl Iterator<Item = &'a Directive> {
    named(directives, name).filter(|directive| directive.block.is_some())
}

/// The directives of that name among `directives`.
fn named<'a>(directives: &'a [Directive], name: &'a str) -> impl Iterator<Item = &'a Directive> {
    directives
        .iter()
        .filter(move |directive| directive.name.text == name)
}

/// Lists of headers that are inherited as a whole or not at all.
const LISTS: &[&str] = &[
    "add_header",
    "proxy_set_header",
    "proxy_hide_header",
    "proxy_redirect",
];

/// More listeners in one server than any installation has; keeps the work linear.
const MOST_LISTENS: usize = 16;

/// What a block says itself, prepared for the blocks inside it.
struct Scope<'a> {
    /// First directive of each name.
    first: BTreeMap<&'a str, &'a Directive>,
    /// The header names of each of [`LISTS`], in lower case.
    lists: BTreeMap<&'a str, BTreeSet<String>>,
    /// Whether a listener here speaks TLS.
    has_tls: bool,
}

impl<'a> Scope<'a> {
    fn of(directives: &'a [Directive]) -> Self {
        let mut scope = Self {
            first: BTreeMap::new(),
            lists: BTreeMap::new(),
            has_tls: named(directives, "listen").any(|listen| listen.has("ssl")),
        };
        for directive in directives {
            let name = directive.name.text.as_str();
            scope.first.entry(name).or_insert(directive);
            if LISTS.contains(&name) {
                let header = directive.argument(0).to_ascii_lowercase();
                scope.lists.entry(name).or_default().insert(header);
            }
        }
        scope
    }
}

#[derive(Default)]
struct Checker {
    errors: Vec<FormatError>,
    /// Variables made by `map`.
    mapped: BTreeSet<String>,
    /// Names given by `log_format`.
    log_formats: BTreeSet<String>,
    /// Ports of all `listen` directives.
    ports: BTreeSet<u16>,
    /// Every way this nginx can be addressed, in lower case.
    own_names: BTreeSet<String>,
    map_bucket_set: bool,
}

impl Checker {
    fn refuse(&mut self, directive: &Directive, message: impl Into<String>) {
        self.errors.push(FormatError::new(directive.range(), message));
    }

    fn refuse_at(&mut self, at: usize, message: impl Into<String>) {
        self.errors.push(FormatError::new(at..at, message));
    }

    /// Collects what other rules refer to.
    fn collect(&mut self, http: &[Directive]) {
        self.own_names
            .extend(["localhost".to_owned(), "[::1]".to_owned()]);
        self.map_bucket_set = named(http, "map_hash_bucket_size").next().is_some();
        for map in named(http, "map") {
            self.mapped
                .insert(map.argument(1).trim_start_matches('$').to_owned());
        }
        for format in named(http, "log_format") {
            self.log_formats.insert(format.argument(0).to_owned());
        }
        for server in blocks(http, "server") {
            for listen in named(server.inside(), "listen") {
                if let Some((address, port)) = address_and_port(listen.argument(0), 80) {
                    self.ports.insert(port);
                    self.own_names.insert(address.to_ascii_lowercase());
                }
            }
            for name in named(server.inside(), "server_name") {
                self.own_names
                    .extend(name.arguments.iter().map(|word| word.text.to_ascii_lowercase()));
            }
        }
    }

    /// Checks one block and everything below it. `outer` holds the enclosing blocks, outermost first.
    fn block(&mut self, directives: &[Directive], context: u8, outer: &[&Scope<'_>]) {
        let mut seen = BTreeSet::new();
        let scope = Scope::of(directives);
        let mut chain = outer.to_vec();
        chain.push(&scope);
        for directive in directives {
            let name = directive.name.text.as_str();
            let Some(rule) = rule_of(name) else {
                self.refuse(directive, format!("unknown directive `{name}`"));
                continue;
            };
            self.shape(directive, rule, context);
            let key = match rule.kind {
                DirectiveKind::Once | DirectiveKind::Flag | DirectiveKind::Path => Some(name.to_owned()),
                DirectiveKind::Keyed | DirectiveKind::KeyedPath => {
                    Some(format!("{name} {}", directive.argument(0).to_ascii_lowercase()))
                }
                DirectiveKind::Block if context == MAIN => Some(name.to_owned()),
                DirectiveKind::Block => None,
            };
            if let Some(key) = key
                && !seen.insert(key.clone())
            {
                self.refuse(directive, format!("`{key}` stands twice in the same block"));
            }
            match name {
                "events" => self.block(directive.inside(), EVENTS, &chain),
                "http" => self.block(directive.inside(), HTTP, &chain),
                "server" => {
                    self.server(directive, &scope);
                    self.block(directive.inside(), SERVER, &chain);
                }
                "location" => {
                    self.inheritance(directive, &chain);
                    self.expression_target(directive);
                    self.block(directive.inside(), LOCATION, &chain);
                }
                "map" => self.map(directive),
                "listen" => self.listen(directive),
                "proxy_pass" => self.proxy_pass(directive, &chain),
                "access_log" => self.access_log(directive),
                "add_header" if directive.arguments.len() == 3 && directive.argument(2) != "always" => {
                    self.refuse(
                        directive,
                        "the third argument of `add_header` can only be `always`",
                    );
                }
                _ => {}
            }
        }
        if context == SERVER {
            self.locations(directives);
        }
    }

    /// Context, argument count, block or not, and arguments that look like the next directive.
    fn shape(&mut self, directive: &Directive, rule: &Rule, context: u8) {
        let name = rule.name;
        if rule.contexts & context == 0 {
            self.refuse(directive, format!("`{name}` is not allowed in this block"));
        }
        if (rule.kind == DirectiveKind::Block) != directive.block.is_some() {
            self.refuse(
                directive,
                if rule.kind == DirectiveKind::Block {
                    format!("`{name}` needs a block in braces")
                } else {
                    format!("`{name}` takes no block; it ends with `;`")
                },
            );
        }
        // A variadic directive swallows the next line when its `;` is missing, and nginx -t is content.
        if let Some(word) = directive
            .arguments
            .iter()
            .find(|word| !word.quoted && word.line > directive.name.line && rule_of(&word.text).is_some())
        {
            self.errors.push(FormatError::new(
                word.range.clone(),
                format!(
                    "`{}` became an argument of `{name}`; a `;` is missing before it",
                    word.text
                ),
            ));
        } else if !(rule.fewest..=rule.most).contains(&directive.arguments.len()) {
            self.refuse(
                directive,
                format!(
                    "`{name}` with {} arguments; nginx refuses that",
                    directive.arguments.len()
                ),
            );
        }
        if rule.kind == DirectiveKind::Flag && !matches!(directive.argument(0), "on" | "off") {
            self.refuse(directive, format!("`{name}` is `on` or `off`"));
        }
        if matches!(rule.kind, DirectiveKind::Path | DirectiveKind::KeyedPath)
            && let Some(word) = directive.arguments.first()
            && word.backslash
        {
            self.errors.push(FormatError::new(
                word.range.clone(),
                "a path with a backslash; nginx needs forward slashes, also on Windows",
            ));
        }
        let variables_from = match name {
            "add_header" | "proxy_set_header" | "log_format" | "rewrite" | "proxy_redirect" => Some(1),
            "access_log" | "map" | "return" | "root" => Some(0),
            _ => None,
        };
        if let Some(from) = variables_from {
            let limit = if name == "map" {
                1
            } else {
                directive.arguments.len()
            };
            for word in directive.arguments.iter().take(limit).skip(from) {
                self.variables(word, matches!(name, "rewrite" | "proxy_redirect"));
            }
        }
    }

    /// Refuses variables nobody defines. `captures` allows `$1` to `$9`.
    fn variables(&mut self, word: &Word, captures: bool) {
        for piece in word.text.split('$').skip(1) {
            let inner = piece.strip_prefix('{').unwrap_or(piece);
            let name: String = inner
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let capture = captures && name.len() == 1 && name.bytes().all(|b| b.is_ascii_digit());
            let known = capture || is_variable(&name, &self.mapped);
            if !known {
                self.errors.push(FormatError::new(
                    word.range.clone(),
                    format!("unknown variable `${name}`"),
                ));
            }
        }
    }

    fn access_log(&mut self, directive: &Directive) {
        if let Some(format) = directive.arguments.get(1)
            && !self.log_formats.contains(&format.text)
            && format.text != "combined"
            && !format.text.contains('=')
        {
            self.refuse(directive, format!("unknown log format `{}`", format.text));
        }
    }

    /// Keys of a `map`: plain keys are compared ignoring case, an expression that stands twice is silently ignored.
    fn map(&mut self, map: &Directive) {
        let mut keys = BTreeSet::new();
        for entry in map.inside() {
            let key = entry.name.text.as_str();
            if entry.block.is_some() || entry.arguments.len() != 1 {
                self.refuse(entry, "an entry of `map` has one key and one value");
            }
            for word in &entry.arguments {
                self.variables(word, false);
            }
            let expression = key.starts_with('~');
            let folded = if expression {
                key.to_owned()
            } else {
                key.to_ascii_lowercase()
            };
            if !keys.insert(folded) {
                self.refuse(entry, format!("the key `{key}` stands twice in the map"));
            }
            if expression && has_group(key) {
                self.refuse(
                    entry,
                    "a group in a map expression overwrites `$1` to `$9` of the request; write it without a group",
                );
            }
            if !expression && key.len() > 46 && !self.map_bucket_set {
                self.refuse(
                    entry,
                    "a plain key of more than 46 characters needs `map_hash_bucket_size`",
                );
            }
        }
    }

    fn listen(&mut self, listen: &Directive) {
        match address_and_port(listen.argument(0), 80) {
            None => self.refuse(listen, "`listen` needs a port or an address with a port"),
            Some((_, 80)) => self.refuse(listen, "port 80 belongs to IIS on this server (DEF-28)"),
            Some((_, 443)) if !listen.has("ssl") => self.refuse(listen, "port 443 without `ssl`"),
            Some(_) => {}
        }
    }

    /// Certificates for `ssl` listeners.
    fn server(&mut self, server: &Directive, http: &Scope<'_>) {
        let own = Scope::of(server.inside());
        let has = |name: &str| own.first.contains_key(name) || http.first.contains_key(name);
        let missing: Vec<_> = ["ssl_certificate", "ssl_certificate_key"]
            .into_iter()
            .filter(|name| !has(name))
            .collect();
        let mut listens: usize = 0;
        for listen in named(server.inside(), "listen") {
            listens += 1;
            if listen.has("ssl") {
                for name in &missing {
                    self.refuse(listen, format!("`listen … ssl` without `{name}`"));
                }
            }
        }
        if listens > MOST_LISTENS {
            self.refuse(
                server,
                format!("a server with more than {MOST_LISTENS} `listen` directives"),
            );
        }
        if listens == 0 {
            self.refuse(
                server,
                "a server without `listen` takes port 80, which belongs to IIS",
            );
        }
    }

    /// Server names and default servers across all servers: nginx only warns about the first and ignores one of them.
    fn names(&mut self, http: &[Directive]) {
        let mut names = BTreeSet::new();
        let mut defaults = BTreeSet::new();
        for server in blocks(http, "server") {
            for listen in named(server.inside(), "listen").take(MOST_LISTENS) {
                let at = listen.argument(0).to_ascii_lowercase();
                for name in named(server.inside(), "server_name").flat_map(|name| &name.arguments) {
                    if !names.insert((at.clone(), name.text.to_ascii_lowercase())) {
                        self.errors.push(FormatError::new(
                            name.range.clone(),
                            format!(
                                "the name `{}` already has a server at `{at}`; nginx ignores one",
                                name.text
                            ),
                        ));
                    }
                }
                if listen.has("default_server") && !defaults.insert(at.clone()) {
                    self.refuse(listen, format!("a second default server at `{at}`"));
                }
            }
        }
    }

    /// On Windows nginx compares prefixes and expressions of locations ignoring case (DEF-26).
    fn locations(&mut self, server: &[Directive]) {
        let mut seen = BTreeSet::new();
        for location in blocks(server, "location") {
            let (modifier, name) = location_parts(location);
            let class = match modifier {
                "" | "^~" => 'p',
                "=" => '=',
                "~" | "~*" => '~',
                _ => {
                    self.refuse(location, format!("unknown modifier `{modifier}` of a location"));
                    continue;
                }
            };
            if !seen.insert((class, name.to_ascii_lowercase())) {
                self.refuse(
                    location,
                    format!("a second location `{name}`; nginx on Windows ignores case here"),
                );
            }
        }
    }

    /// Lists that a location inherits only while it has none of its own.
    fn inheritance(&mut self, location: &Directive, chain: &[&Scope<'_>]) {
        let own_scope = Scope::of(location.inside());
        for list in LISTS {
            let Some(own) = own_scope.lists.get(list) else {
                continue;
            };
            let Some(inherited) = chain.iter().rev().find_map(|scope| scope.lists.get(list)) else {
                continue;
            };
            let at = own_scope.first.get(list).copied().unwrap_or(location);
            if *list == "add_header" {
                self.refuse(
                    at,
                    "`add_header` in a location removes every header the server adds; add headers at server level",
                );
            } else if let Some(lost) = inherited.iter().find(|name| !own.contains(*name)) {
                self.refuse(
                    at,
                    format!("`{list}` here removes the inherited `{lost}`; repeat it in the location"),
                );
            }
        }
    }

    /// nginx cannot replace a prefix when the location is an expression.
    fn expression_target(&mut self, location: &Directive) {
        if location_parts(location).0.starts_with('~') {
            for proxy in named(location.inside(), "proxy_pass") {
                let behind_scheme = proxy.argument(0).split_once("://");
                if behind_scheme.is_some_and(|(_, rest)| rest.contains('/')) {
                    self.refuse(
                        proxy,
                        "a target with a path inside a location given by an expression",
                    );
                }
            }
        }
    }

    fn proxy_pass(&mut self, proxy: &Directive, chain: &[&Scope<'_>]) {
        let target = proxy.argument(0);
        let (secure, rest) = match (target.strip_prefix("http://"), target.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => {
                self.refuse(proxy, "the target must start with `http://` or `https://`");
                return;
            }
        };
        if target.contains('$') {
            self.refuse(
                proxy,
                "a target with variables is resolved per request and passes the path unchanged (DEF-30)",
            );
            return;
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let Some((host, port)) = address_and_port(authority, if secure { 443 } else { 80 }) else {
            self.refuse(proxy, "the target has no valid host and port");
            return;
        };
        let host = host.to_ascii_lowercase();
        if self.ports.contains(&port) && (self.own_names.contains(&host) || host.starts_with("127.")) {
            self.refuse(
                proxy,
                format!("`{host}:{port}` is this nginx itself; the request would loop (DEF-28)"),
            );
        }
        let speaks_tls = chain.iter().any(|scope| scope.has_tls);
        if !secure
            && speaks_tls
            && !chain
                .iter()
                .any(|scope| scope.first.contains_key("proxy_redirect"))
        {
            self.refuse(
                proxy,
                "a plain target behind TLS without `proxy_redirect`; its redirects would lead to plain HTTP (DEF-41)",
            );
        }
        if secure {
            let value = |name: &str| {
                chain
                    .iter()
                    .rev()
                    .find_map(|scope| scope.first.get(name))
                    .map(|directive| directive.argument(0))
            };
            for name in ["proxy_ssl_verify", "proxy_ssl_server_name"] {
                if value(name) != Some("on") {
                    self.refuse(proxy, format!("an https target without `{name} on` (DEF-29)"));
                }
            }
            if value("proxy_ssl_trusted_certificate").is_none() {
                self.refuse(
                    proxy,
                    "an https target without `proxy_ssl_trusted_certificate` (DEF-29)",
                );
            }
        }
    }
}

/// Modifier and name of a location.
fn location_parts(location: &Directive) -> (&str, &str) {
    match location.arguments.as_slice() {
        [modifier, name] => (&modifier.text, &name.text),
        [name] => ["=", "^~", "~*", "~"]
            .into_iter()
            .find_map(|modifier| Some((modifier, name.text.strip_prefix(modifier)?)))
            .unwrap_or(("", &name.text)),
        _ => ("", ""),
    }
}

/// Splits `host:port`, `[v6]:port`, `host` or `port`.
fn address_and_port(text: &str, default: u16) -> Option<(&str, u16)> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(("*", text.parse().ok()?));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, default),
    };
    let plain = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .map_or(host, |_| "v6");
    let valid = !plain.is_empty()
        && plain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'*'));
    valid.then_some((host, port))
}

/// Whether an expression has a capturing group.
fn has_group(expression: &str) -> bool {
    let mut chars = expression.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class && chars.peek() != Some(&'?') => return true,
            _ => {}
        }
    }
    false
}
