//! A map that remembers the order of insertion: "the first member" means something.

use std::collections::{BTreeMap, HashMap};

use crate::snowflake::Snowflake;

/// Rows by id, walked in the order they came.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, (Snowflake, T)>,
    places: HashMap<Snowflake, u64>,
    next_place: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
        }
    }
}

impl<T> Table<T> {
    /// Puts a row in; an id that is there keeps its place and gets the new value.
    pub(crate) fn insert(&mut self, id: Snowflake, row: T) {
        let place = *self.places.entry(id).or_insert_with(|| {
            self.next_place += 1;
            self.next_place
        });
        self.rows.insert(place, (id, row));
    }

    pub(crate) fn remove(&mut self, id: Snowflake) -> Option<T> {
        let place = self.places.remove(&id)?;
        self.rows.remove(&place).map(|(_, row)| row)
    }

    pub(crate) fn get(&self, id: Snowflake) -> Option<&T> {
        self.rows.get(self.places.get(&id)?).map(|(_, row)| row)
    }

    pub(crate) fn get_mut(&mut self, id: Snowflake) -> Option<&mut T> {
        self.rows.get_mut(self.places.get(&id)?).map(|(_, row)| row)
    }

    pub(crate) fn contains(&self, id: Snowflake) -> bool {
        self.places.contains_key(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values().map(|(_, row)| row)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut().map(|(_, row)| row)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}
