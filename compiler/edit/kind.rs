//! Which kind of edits a file holds, by its name.

use crate::formats::edits::EditKind;

/// The kind that the name of a text of edits tells, as bundles name them, and as people name transforms
/// (`web.Release.config` beside `web.config`).
pub fn kind_by_name(edits: &str, file: &str) -> Option<EditKind> {
    let last = |path: &str| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        name.to_ascii_lowercase()
    };
    let (name, file) = (last(edits), last(file));
    let ends = |ending: &str| name.ends_with(ending);
    if ends(".set.yml") || ends(".set.yaml") {
        return Some(EditKind::YamlLines);
    }
    if ends(".set.json") {
        return Some(EditKind::JsonKeys);
    }
    if ends(".js.json") {
        return Some(EditKind::References);
    }
    if ends(".set.url") || ends(".set.ini") {
        return Some(EditKind::IniLines);
    }
    if ends(".set") {
        return Some(EditKind::Terms);
    }
    transform(&name, &file)
}

/// `NAME.xdt`, or `NAME.ANYTHING.config` for a file `NAME.config`.
fn transform(name: &str, file: &str) -> Option<EditKind> {
    let beside = || {
        let stem = file.strip_suffix(".config")?;
        let middle = name.strip_prefix(stem)?.strip_suffix(".config")?;
        middle.strip_prefix('.').filter(|middle| !middle.is_empty())
    };
    (name.strip_suffix(".xdt").is_some() || beside().is_some()).then_some(EditKind::Xdt)
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
