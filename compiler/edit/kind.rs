//! Which kind of edits a file holds, by its name.

use crate::formats::edits::EditKind;

/// How the name of a text of edits ends, and what that tells.
const ENDINGS: [(&str, EditKind); 8] = [
    (".set.yml", EditKind::YamlLines),
    (".set.yaml", EditKind::YamlLines),
    (".set.json", EditKind::JsonKeys),
    (".js.json", EditKind::References),
    (".set.url", EditKind::IniLines),
    (".set.ini", EditKind::IniLines),
    (".set", EditKind::Terms),
    (".xdt", EditKind::Xdt),
];

/// The kind that the name of a text of edits tells, as bundles name them, and as people name transforms
/// (`web.Release.config` beside `web.config`).
pub fn kind_by_name(edits: &str, file: &str) -> Option<EditKind> {
    let last = |path: &str| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        name.to_ascii_lowercase()
    };
    let (name, file) = (last(edits), last(file));
    let mut endings = ENDINGS.iter();
    if let Some((_, kind)) = endings.find(|(ending, _)| name.ends_with(ending)) {
        return Some(*kind);
    }
    // `NAME.ANYTHING.config` for a file `NAME.config`.
    let stem = file.strip_suffix(".config")?;
    let middle = name.strip_prefix(stem)?.strip_suffix(".config")?;
    let middle = middle.strip_prefix('.').filter(|middle| !middle.is_empty());
    middle.map(|_| EditKind::Xdt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_kind() {
        let check = |edits: &str, file: &str| kind_by_name(edits, file).map(EditKind::name);
        assert_eq!(
            check("config/Core Monitor/site.config.driver.set", "site.config"),
            Some("erlang")
        );
        assert_eq!(check(r"config\Dashboard\a.SET.yml", "a.yml"), Some("yaml"));
        assert_eq!(check("rabbitmq_config.set.json", "-"), Some("json"));
        assert_eq!(check("settings.js.json", "settings.js"), Some("js_references"));
        assert_eq!(check("EyeQueue.set.url", "EyeQueue.url"), Some("ini"));
        assert_eq!(check("web.config.x-frame-options.xdt", "-"), Some("xdt"));
        assert_eq!(check("a/Web.Release.config", "b/web.config"), Some("xdt"));
        assert_eq!(check("web.config", "web.config"), None);
        assert_eq!(check("edits.txt", "site.config"), None);
    }
}
