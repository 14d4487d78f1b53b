//! What is on the device of one network's weights, for the next session that reads the same.

use std::sync::{Arc, Weak};

use super::pack::{Packed, PackedWeights};
use super::recipe::Recipe;
use super::resident::Resident;

/// What living sessions read, and the one that was compiled last: nothing else is kept alive.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) raw: Shelf<Resident>,
    pub(super) packed: Shelf<Packed>,
    pub(super) last: PackedWeights,
}

impl Kept {
    /// What such a recipe made.
    pub(super) fn packed_by(&self, recipe: &Recipe) -> Option<Arc<Packed>> {
        self.packed.find(|packed| packed.recipe == *recipe)
    }
}

/// Things that live as long as somebody else holds them.
#[derive(Debug)]
pub(super) struct Shelf<T>(Vec<Weak<T>>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Shelf<T> {
    /// The first living one that is what is looked for.
    pub(super) fn find(&self, is: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        self.0.iter().filter_map(Weak::upgrade).find(|item| is(item))
    }

    /// Puts one up, to be found while the result or a clone of it lives.
    pub(super) fn add(&mut self, item: T) -> Arc<T> {
        let item = Arc::new(item);
        self.0.retain(|other| other.strong_count() > 0);
        self.0.push(Arc::downgrade(&item));
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_gone() {
        let mut shelf = Shelf::default();
        let (one, two) = (shelf.add(1), shelf.add(2));
        assert_eq!(shelf.find(|&item| item == 2), Some(Arc::clone(&two)));
        drop(one);
        assert_eq!(shelf.find(|&item| item == 1), None);
        shelf.add(3);
        assert_eq!((shelf.0.len(), shelf.find(|_| true)), (2, Some(two)));
    }
}
