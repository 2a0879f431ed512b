//! Parts of texts and lists at places that were found in them.
//!
//! A reader finds where something begins and ends, and then takes it. That such a part is not there cannot happen; if it
//! does, it is a fault of this program, and an empty text instead of it would go on unseen. It must not be used with
//! numbers that an input states: these are asked with `get`, and what is not there is said.

use std::slice::SliceIndex;

/// A part at a place that is known to be there.
pub trait Cut<Place> {
    /// The part at `place`, in bytes of a text or entries of a list.
    ///
    /// # Panics
    /// Where the place is not in it, or in the middle of a character: a fault of the caller.
    #[track_caller]
    fn cut(&self, place: Place) -> &Self;
}

impl<Place: SliceIndex<str, Output = str>> Cut<Place> for str {
    fn cut(&self, place: Place) -> &Self {
        self.get(place).expect("a place that was found in this text")
    }
}

impl<Entry, Place: SliceIndex<[Entry], Output = [Entry]>> Cut<Place> for [Entry] {
    fn cut(&self, place: Place) -> &Self {
        self.get(place).expect("a place that was found in this list")
    }
}

#[cfg(test)]
mod tests {
    use super::Cut as _;

    #[test]
    fn what_is_there_is_cut_and_what_is_not_is_a_fault() {
        assert_eq!("añb".cut(1..3), "ñ");
        assert_eq!("añb".cut(4..), "");
        assert_eq!([1, 2, 3].cut(..2), [1, 2]);
        for place in [2..3, 0..5, 5..5] {
            assert!(std::panic::catch_unwind(|| "añb".cut(place)).is_err());
        }
    }
}
