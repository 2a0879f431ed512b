//! Which of the keys that are there comes nearest to one that is not.

use strsim::damerau_levenshtein;

/// The candidate that is nearest to `wanted`, if at most a third of its letters differ; case makes no difference.
pub(super) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = wanted.to_lowercase();
    let length = wanted.chars().count();
    if length > LONGEST {
        return None;
    }
    // Longer lists and names are those of a hostile file; a suggestion is not worth their time.
    let candidates = candidates.into_iter().filter(|name| name.len() <= LONGEST * 2);
    candidates
        .take(MOST)
        .map(|name| (damerau_levenshtein(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.chars().count().max(length).max(3) / 3)
        .min()
        .map(|(_, name)| name.to_owned())
}

/// Most candidates that are looked at.
const MOST: usize = 2_000;

/// Longest name that is compared, in characters.
const LONGEST: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let check = |wanted: &str| nearest(wanted, ["driver", "url", "auth_api_url"]);
        assert_eq!(check("drivr").as_deref(), Some("driver"));
        assert_eq!(check("URL").as_deref(), Some("url"));
        assert_eq!(check("password"), None);
        assert_eq!(check(&"url".repeat(1000)), None);
    }
}
