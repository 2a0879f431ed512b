//! How Windows tells releases of the .NET Framework apart: by a number, `Release`, not by the text `Version`.
//!
//! Source: Microsoft, *How to: Determine which .NET Framework versions are installed*, the table of minimum values. This
//! module must not know what needs which release.

use schemars::JsonSchema;
use serde::Serialize;

/// The smallest number of each release, in order.
const TABLE: &[([u32; 3], u32)] = &[
    ([4, 5, 0], 378_389),
    ([4, 5, 1], 378_675),
    ([4, 5, 2], 379_893),
    ([4, 6, 0], 393_295),
    ([4, 6, 1], 394_254),
    ([4, 6, 2], 394_802),
    ([4, 7, 0], 460_798),
    ([4, 7, 1], 461_308),
    ([4, 7, 2], 461_808),
    ([4, 8, 0], 528_040),
    ([4, 8, 1], 533_320),
];

/// The numbers of one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Release {
    /// Its smallest number.
    pub number: u32,
    /// The same as `reg query` prints it.
    pub hexadecimal: String,
    /// The smallest number of the next release, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<u32>,
    /// The same as `reg query` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below_hexadecimal: Option<String>,
}

/// The numbers of the release a version belongs to: the last one that is not later.
pub fn release(version: &str) -> Release {
    let wanted = super::version_numbers(version);
    let at = TABLE.iter().rposition(|(known, _)| *known <= wanted).unwrap_or(0);
    let number = TABLE.get(at).map_or(0, |(_, number)| *number);
    let below = TABLE.get(at + 1).map(|(_, number)| *number);
    let hexadecimal = |number: u32| format!("{number:#x}");
    Release {
        number,
        hexadecimal: hexadecimal(number),
        below,
        below_hexadecimal: below.map(hexadecimal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_the_guide_have_the_numbers_of_microsoft() {
        for (version, number, hexadecimal) in [
            ("4.6.1", 394_254, "0x6040e"),
            ("4.6.2", 394_802, "0x60632"),
            ("4.7", 460_798, "0x707fe"),
            ("4.7.0", 460_798, "0x707fe"),
            ("4.7.1", 461_308, "0x709fc"),
            ("4.7.2", 461_808, "0x70bf0"),
        ] {
            let found = release(version);
            assert_eq!(
                (found.number, found.hexadecimal.as_str()),
                (number, hexadecimal),
                "{version}"
            );
            assert!(found.below.is_some_and(|below| below > number), "{version}");
        }
        assert_eq!(release("4.8.1").below, None);
        assert!(TABLE.is_sorted());
    }
}
