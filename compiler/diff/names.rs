//! Lists of names, short: `CORE01…CORE20, MGMT01` names every server and does not grow with their number.
//!
//! This file must not know what is named.

use std::collections::{BTreeMap, BTreeSet};

use super::pair::Place;

/// Names in order, runs of three or more consecutive numbers as a range.
pub fn folded<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: BTreeSet<(&str, usize, u64, &str)> = names.into_iter().map(parts).collect();
    let mut folded = Vec::new();
    let mut run: Vec<(&str, usize, u64, &str)> = Vec::new();
    for name in names {
        let follows = run.last().is_some_and(|last| {
            last.0 == name.0 && last.1 == name.1 && name.1 > 0 && last.2.checked_add(1) == Some(name.2)
        });
        if !follows {
            end(&mut run, &mut folded);
        }
        run.push(name);
    }
    end(&mut run, &mut folded);
    folded
}

fn end(run: &mut Vec<(&str, usize, u64, &str)>, folded: &mut Vec<String>) {
    match run.as_slice() {
        [first, .., last] if run.len() > 2 => folded.push(format!("{}…{}", first.3, last.3)),
        few => folded.extend(few.iter().map(|name| name.3.to_owned())),
    }
    run.clear();
}

/// A name as its head, the width and value of the number at its end, and the whole.
fn parts(name: &str) -> (&str, usize, u64, &str) {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (head, number) = name.split_at(name.len() - digits);
    match number.parse() {
        Ok(value) => (head, digits, value, name),
        Err(_) => (name, 0, 0, name),
    }
}

/// Servers of several bundles: bundles with the same servers stand together. With one bundle its name is left out.
pub fn places<'a>(places: impl IntoIterator<Item = &'a Place>, several: bool) -> Vec<String> {
    let mut by_bundle: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in places {
        by_bundle.entry(&place.bundle).or_default().insert(place.at());
    }
    if !several {
        return by_bundle.into_values().flat_map(folded).collect();
    }
    let mut by_servers: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    for (bundle, servers) in by_bundle {
        by_servers.entry(folded(servers)).or_default().push(bundle);
    }
    let mut lines: Vec<(String, String)> = by_servers
        .into_iter()
        .map(|(servers, bundles)| (folded(bundles).join(", "), servers.join(", ")))
        .collect();
    lines.sort();
    lines
        .into_iter()
        .map(|(bundles, servers)| format!("{bundles}: {servers}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: &str) {
        assert_eq!(folded(names.iter().copied()).join(", "), expected);
    }

    #[test]
    fn runs_become_ranges() {
        check(&["CORE01", "CORE02"], "CORE01, CORE02");
        check(&["CORE03", "CORE01", "CORE02", "MGMT01"], "CORE01…CORE03, MGMT01");
        check(&["CORE9", "CORE10", "CORE11", "CORE12"], "CORE9, CORE10…CORE12");
        check(&["CORE01", "CORE02", "CORE04"], "CORE01, CORE02, CORE04");
        check(&["a", "a", "b"], "a, b");
        check(&["x99999999999999999999999"], "x99999999999999999999999");
    }

    #[test]
    fn bundles_with_the_same_servers_stand_together() {
        let place = |bundle: &str, server: &str| Place {
            bundle: bundle.into(),
            server: Some(server.into()),
        };
        let all = [
            place("s1", "A"),
            place("s2", "A"),
            place("s3", "A"),
            place("t", "B"),
        ];
        assert_eq!(places(&all, true), ["s1…s3: A", "t: B"]);
        assert_eq!(places(&all[..1], false), ["A"]);
    }
}
