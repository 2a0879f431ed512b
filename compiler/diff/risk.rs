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
}

/// One line of the table. Every condition that is given must hold.
struct Rule {
    effect: Option<Effect>,
    format: Option<Format>,
    phase: Option<Phase>,
    /// The artifact asks for this restart.
    restarts: Option<&'static str>,
    subject: Option<Subject>,
    /// One of these stands in a name or key of the fact's path, lower case; none means any path.
    words: &'static [&'static str],
    risk: Risk,
    reason: &'static str,
}

const ANY: Rule = Rule {
    effect: None,
    format: None,
    phase: None,
    restarts: None,
    subject: None,
    words: &[],
    risk: Risk::Unknown,
    reason: "no rule knows this kind of change",
};

/// The table.
const RULES: &[Rule] = &[
    Rule {
        effect: Some(Effect::Read),
        format: Some(Format::Markdown),
        risk: Risk::Medium,
        reason: "what engineers do by hand, and how they go back",
        ..ANY
    },
    Rule {
        effect: Some(Effect::Read),
        format: Some(Format::Cmd),
        risk: Risk::Medium,
        reason: "how engineers see that the bundle is intact",
        ..ANY
    },
    Rule {
        effect: Some(Effect::Read),
        format: Some(Format::PowerShell),
        risk: Risk::Medium,
        reason: "how engineers see that the bundle is intact",
        ..ANY
    },
    Rule {
        effect: Some(Effect::Read),
        risk: Risk::Low,
        reason: "read by people and tools; changes nothing",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunSql),
        risk: Risk::High,
        reason: "writes into the database all servers share",
        ..ANY
    },
    Rule {
        subject: Some(Subject::Target),
        risk: Risk::High,
        reason: "goes to another place; the old file stays behind",
        ..ANY
    },
    Rule {
        subject: Some(Subject::Undo),
        risk: Risk::High,
        reason: "the way back is another one",
        ..ANY
    },
    Rule {
        subject: Some(Subject::Bytes),
        risk: Risk::Medium,
        reason: "other bytes for the same text; its reader must accept them",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Rabbitmq),
        words: &[
            "ssl", "auth", "listen", "login", "cert", "verify", "user", "loopback", "cacert",
        ],
        risk: Risk::High,
        reason: "TLS or login of the broker: components may be locked out",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Rabbitmq),
        format: Some(Format::Json),
        risk: Risk::High,
        reason: "how every service reaches the broker",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Rabbitmq),
        risk: Risk::Medium,
        reason: "setting of the broker, which restarts",
        ..ANY
    },
    Rule {
        format: Some(Format::Nginx),
        words: &["listen", "ssl_", "server_name", "return", "error_page"],
        risk: Risk::High,
        reason: "where and with which certificate the proxy listens: a mistake stops all access",
        ..ANY
    },
    Rule {
        format: Some(Format::Nginx),
        words: &[
            "log",
            "gzip",
            "keepalive",
            "timeout",
            "sendfile",
            "worker",
            "buffer",
            "hash_",
            "mime",
            "types",
        ],
        risk: Risk::Low,
        reason: "tuning of the proxy",
        ..ANY
    },
    Rule {
        format: Some(Format::Nginx),
        words: &["location", "proxy_", "upstream", "rewrite", "map", "add_header"],
        risk: Risk::Medium,
        reason: "which request reaches which component",
        ..ANY
    },
    Rule {
        format: Some(Format::Reg),
        words: &["schannel"],
        risk: Risk::High,
        reason: "TLS versions of Windows: other programs of the server are cut off too",
        ..ANY
    },
    Rule {
        restarts: Some("Windows"),
        risk: Risk::High,
        reason: "takes effect when Windows restarts",
        ..ANY
    },
    Rule {
        format: Some(Format::Reg),
        risk: Risk::Medium,
        reason: "registry value that components read when they start",
        ..ANY
    },
    Rule {
        words: &[
            "connectionstring",
            "connection_string",
            "driver",
            "provider",
            "dsn",
            "odbc",
            "sql",
        ],
        effect: Some(Effect::SetTerms),
        risk: Risk::High,
        reason: "how a component reaches the database",
        ..ANY
    },
    Rule {
        effect: Some(Effect::TransformXml),
        words: &["connectionstring", "httpgetenabled", "security", "binding"],
        risk: Risk::High,
        reason: "how a web application is reached and secured",
        ..ANY
    },
    Rule {
        effect: Some(Effect::TransformXml),
        risk: Risk::Medium,
        reason: "setting of a web application, which IIS restarts",
        ..ANY
    },
    Rule {
        effect: Some(Effect::SetTerms),
        risk: Risk::Medium,
        reason: "setting of a component",
        ..ANY
    },
    Rule {
        effect: Some(Effect::SetLines),
        risk: Risk::Medium,
        reason: "setting of a component",
        ..ANY
    },
    Rule {
        effect: Some(Effect::ReplaceReferences),
        risk: Risk::Medium,
        reason: "addresses that web pages call",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Verify),
        effect: Some(Effect::RunScript),
        risk: Risk::Low,
        reason: "a check that changes nothing",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Certificate),
        risk: Risk::High,
        reason: "certificates, keys and trust",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Firewall),
        risk: Risk::High,
        reason: "which ports can be reached",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Stop),
        risk: Risk::High,
        reason: "how Callback stops and starts",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Iis),
        risk: Risk::High,
        reason: "which addresses IIS holds, and how the proxy starts",
        ..ANY
    },
    Rule {
        phase: Some(Phase::ProxyStart),
        risk: Risk::High,
        reason: "how the proxy starts",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunScript),
        phase: Some(Phase::Database),
        risk: Risk::High,
        reason: "runs the scripts that write into the database",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunScript),
        phase: Some(Phase::WindowsTls),
        risk: Risk::High,
        reason: "TLS versions of Windows and .NET",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunScript),
        phase: Some(Phase::Registry),
        risk: Risk::High,
        reason: "registry values, TLS versions or firewall rules",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunScript),
        phase: Some(Phase::Components),
        risk: Risk::Medium,
        reason: "writes and restores configuration files",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunScript),
        phase: Some(Phase::Proxy),
        risk: Risk::Medium,
        reason: "trust, and the proxy that does not run yet",
        ..ANY
    },
    Rule {
        effect: Some(Effect::RunScript),
        phase: Some(Phase::Hardening),
        risk: Risk::Medium,
        reason: "hardening, which function does not need",
        ..ANY
    },
    Rule {
        phase: Some(Phase::Restart),
        risk: Risk::High,
        reason: "which services and servers restart",
        ..ANY
    },
];

/// The class of one fact of an artifact, and why.
pub fn of(artifact: &Artifact, subject: Subject, path: &FactPath) -> (Risk, &'static str) {
    let texts = path.steps().iter().flat_map(|step| step.texts());
    let texts: Vec<String> = texts.map(str::to_lowercase).collect();
    let is_named = |word: &&str| texts.iter().any(|text| text.contains(*word));
    if artifact.rollback == Rollback::OneWay {
        return (Risk::High, "the bundle cannot undo it");
    }
    let fits = |rule: &&Rule| {
        rule.effect.is_none_or(|effect| effect == artifact.effect)
            && rule.format.is_none_or(|format| format == artifact.format)
            && rule.phase.is_none_or(|phase| phase == artifact.phase)
            && rule.subject.is_none_or(|known| known == subject)
            && rule
                .restarts
                .is_none_or(|wanted| artifact.restarts.iter().any(|restart| restart == wanted))
            && (rule.words.is_empty() || rule.words.iter().any(is_named))
    };
    let rule = RULES.iter().find(fits).unwrap_or(&ANY);
    (rule.risk, rule.reason)
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
        assert_eq!(check(RunSql, Format::Sql, Phase::Database, &[], "x"), "high");
        assert_eq!(
            check(
                ReplaceFile,
                Format::Erlang,
                Phase::Rabbitmq,
                &[],
                "rabbit > ssl_options"
            ),
            "high"
        );
        assert_eq!(
            check(ReplaceFile, Format::Erlang, Phase::Rabbitmq, &[], "rabbit > log"),
            "medium"
        );
        assert_eq!(
            check(ImportRegistry, Format::Reg, Phase::Registry, &[], "HKLM\\x"),
            "medium"
        );
        assert_eq!(
            check(
                ImportRegistry,
                Format::Reg,
                Phase::Registry,
                &["Windows"],
                "HKLM\\x"
            ),
            "high"
        );
        assert_eq!(
            check(SetTerms, Format::Erlang, Phase::Components, &[], "set a.driver"),
            "high"
        );
        assert_eq!(check(Read, Format::Text, Phase::Verify, &[], "x"), "low");
        assert_eq!(check(RunScript, Format::Cmd, Phase::Prepare, &[], "x"), "unknown");
    }
}
