//! How dangerous a changed fact is, by a table: the first rule that fits decides.
//!
//! The table says what an engineer would be asked at the change board: what breaks when this is wrong, and can it be
//! undone. What no rule knows is `unknown`, never harmless. This file must not know servers or reports.

use super::fact::Subject;
use crate::contract::artifact::Effect;
use crate::contract::artifact::Rollback;
use crate::contract::manifest::Artifact;
use crate::contract::phase::Phase;
use crate::formats::{FactPath, Format};

/// The classes, from harmless to dangerous; what nobody has judged stands above medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing breaks.
    Low,
    /// A component may fail until it is set back.
    Medium,
    /// No rule knows it.
    Unknown,
    /// Outage, lost access or no way back.
    High,
}

impl Risk {
    /// Every class, the worst first.
    pub const ALL: [Self; 4] = [Self::High, Self::Unknown, Self::Medium, Self::Low];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::Unknown => "unknown",
            Self::High => "high",
        }
    }

    /// The class with its reason.
    fn because(self, reason: &'static str) -> (Self, &'static str) {
        (self, reason)
    }
}

/// The class of one fact of an artifact, and why.
pub fn of(artifact: &Artifact, subject: Subject, path: &FactPath) -> (Risk, &'static str) {
    use Effect::{Read, ReplaceReferences, RunScript, RunSql, SetLines, SetTerms, TransformXml};
    use Risk::{High, Low, Medium, Unknown};

    if artifact.rollback == Rollback::OneWay {
        return High.because("the bundle cannot undo it");
    }
    let texts = path.steps().iter().flat_map(|step| step.texts());
    let texts: Vec<String> = texts.map(str::to_lowercase).collect();
    // One of these words stands in a name or key of the fact's path.
    let names = |words: &[&str]| {
        let mut words = words.iter();
        words.any(|word| texts.iter().any(|text| text.contains(*word)))
    };
    match (artifact.effect, artifact.format, artifact.phase, subject) {
        (Read, Format::Markdown, ..) => Medium.because("what engineers do by hand, and how they go back"),
        (Read, Format::Cmd | Format::PowerShell, ..) => {
            Medium.because("how engineers see that the bundle is intact")
        }
        (Read, ..) => Low.because("read by people and tools; changes nothing"),
        (RunSql, ..) => High.because("writes into the database all servers share"),
        (.., Subject::Target) => High.because("goes to another place; the old file stays behind"),
        (.., Subject::Undo) => High.because("the way back is another one"),
        (.., Subject::Bytes) => Medium.because("other bytes for the same text; its reader must accept them"),
        (_, _, Phase::Rabbitmq, _)
            if names(&[
                "ssl", "auth", "listen", "login", "cert", "verify", "user", "loopback", "cacert",
            ]) =>
        {
            High.because("TLS or login of the broker: components may be locked out")
        }
        (_, Format::Json, Phase::Rabbitmq, _) => High.because("how every service reaches the broker"),
        (_, _, Phase::Rabbitmq, _) => Medium.because("setting of the broker, which restarts"),
        (_, Format::Nginx, ..) if names(&["listen", "ssl_", "server_name", "return", "error_page"]) => {
            High.because("where and with which certificate the proxy listens: a mistake stops all access")
        }
        (_, Format::Nginx, ..)
            if names(&["log", "gzip", "keepalive", "timeout", "sendfile"])
                || names(&["worker", "buffer", "hash_", "mime", "types"]) =>
        {
            Low.because("tuning of the proxy")
        }
        (_, Format::Nginx, ..)
            if names(&["location", "proxy_", "upstream", "rewrite", "map", "add_header"]) =>
        {
            Medium.because("which request reaches which component")
        }
        (_, Format::Reg, ..) if names(&["schannel"]) => {
            High.because("TLS versions of Windows: other programs of the server are cut off too")
        }
        _ if artifact.restarts.iter().any(|restart| restart == "Windows") => {
            High.because("takes effect when Windows restarts")
        }
        (_, Format::Reg, ..) => Medium.because("registry value that components read when they start"),
        (SetTerms, ..)
            if names(&["connectionstring", "connection_string", "driver", "provider"])
                || names(&["dsn", "odbc", "sql"]) =>
        {
            High.because("how a component reaches the database")
        }
        (TransformXml, ..) if names(&["connectionstring", "httpgetenabled", "security", "binding"]) => {
            High.because("how a web application is reached and secured")
        }
        (TransformXml, ..) => Medium.because("setting of a web application, which IIS restarts"),
        (SetTerms | SetLines, ..) => Medium.because("setting of a component"),
        (ReplaceReferences, ..) => Medium.because("addresses that web pages call"),
        (RunScript, _, Phase::Verify, _) => Low.because("a check that changes nothing"),
        (_, _, Phase::Certificate, _) => High.because("certificates, keys and trust"),
        (_, _, Phase::Firewall, _) => High.because("which ports can be reached"),
        (_, _, Phase::Stop, _) => High.because("how Callback stops and starts"),
        (_, _, Phase::Iis, _) => High.because("which addresses IIS holds, and how the proxy starts"),
        (_, _, Phase::ProxyStart, _) => High.because("how the proxy starts"),
        (RunScript, _, Phase::Database, _) => High.because("runs the scripts that write into the database"),
        (RunScript, _, Phase::WindowsTls, _) => High.because("TLS versions of Windows and .NET"),
        (RunScript, _, Phase::Registry, _) => High.because("registry values, TLS versions or firewall rules"),
        (RunScript, _, Phase::Components, _) => Medium.because("writes and restores configuration files"),
        (RunScript, _, Phase::Proxy, _) => Medium.because("trust, and the proxy that does not run yet"),
        (RunScript, _, Phase::Hardening, _) => Medium.because("hardening, which function does not need"),
        (_, _, Phase::Restart, _) => High.because("which services and servers restart"),
        _ => Unknown.because("no rule knows this kind of change"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::artifact::Scope;
    use crate::contract::digest::Digest;
    use crate::contract::path::BundlePath;
    use crate::formats::encode::{Encoding, LineEnd};

    fn check(effect: Effect, format: Format, phase: Phase, restarts: &[&str], path: &str) -> &'static str {
        let artifact = Artifact {
            path: BundlePath::parse("a").unwrap(),
            scope: Scope::Deployment,
            server: None,
            title: String::new(),
            requirements: Vec::new(),
            target: None,
            format,
            effect,
            phase,
            encoding: Encoding::Utf8,
            eol: LineEnd::Lf,
            size: 0,
            sha256: Digest::of(b""),
            review_sha256: Digest::of(b""),
            rollback: Rollback::Captured,
            restarts: restarts.iter().map(|name| (*name).to_owned()).collect(),
        };
        let path = FactPath::of(path.split(" > "));
        let (risk, reason) = of(&artifact, Subject::Content, &path);
        assert!(!reason.is_empty());
        let one_way = Artifact {
            rollback: Rollback::OneWay,
            ..artifact
        };
        assert_eq!(of(&one_way, Subject::Content, &path).0, Risk::High);
        risk.word()
    }

    #[test]
    fn the_table_judges_what_engineers_fear() {
        use Effect::{ImportRegistry, Read, ReplaceFile, RunScript, RunSql, SetTerms};
        let nginx = |path| check(ReplaceFile, Format::Nginx, Phase::Proxy, &[], path);
        assert_eq!(nginx("http > server 443 > ssl_protocols"), "high");
        assert_eq!(nginx("http > server 443 > listen"), "high");
        assert_eq!(
            nginx("http > server 443 > location /auth/ > proxy_pass"),
            "medium"
        );
        assert_eq!(nginx("http > keepalive_timeout"), "low");
        assert_eq!(nginx("http > something"), "unknown");
        let erlang = |path| check(ReplaceFile, Format::Erlang, Phase::Rabbitmq, &[], path);
        assert_eq!(erlang("rabbit > ssl_options"), "high");
        assert_eq!(erlang("rabbit > log"), "medium");
        let reg =
            |restarts: &[&str]| check(ImportRegistry, Format::Reg, Phase::Registry, restarts, "HKLM\\x");
        assert_eq!(reg(&[]), "medium");
        assert_eq!(reg(&["Windows"]), "high");
        let other = |effect, format, phase, path| check(effect, format, phase, &[], path);
        assert_eq!(other(RunSql, Format::Sql, Phase::Database, "x"), "high");
        assert_eq!(
            other(SetTerms, Format::Erlang, Phase::Components, "set a.driver"),
            "high"
        );
        assert_eq!(other(Read, Format::Text, Phase::Verify, "x"), "low");
        assert_eq!(other(RunScript, Format::Cmd, Phase::Prepare, "x"), "unknown");
    }
}
