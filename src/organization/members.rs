use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of one JSON object: key → its value, in the order of the keys. A repeated key has its last value.
#[derive(Debug, Clone)]
pub struct Members<'a, V = &'a RawValue>(Vec<(Cow<'a, str>, V)>);

/// The same with the values' texts.
pub type Texts<'a> = Members<'a, &'a str>;

impl<V> Default for Members<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a> Members<'a> {
    #[must_use]
    pub fn texts(self) -> Texts<'a> {
        Members(self.0.into_iter().map(|(key, value)| (key, value.get())).collect())
    }
}

impl<'a, V: Copy> Members<'a, V> {
    #[must_use]
    pub fn get(&self, key: &str) -> Option<V> {
        let found = self.0.binary_search_by(|(known, _)| known.as_ref().cmp(key));
        found.ok().map(|at| self.0[at].1)
    }

    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Cow<'a, str>, V)> + Clone {
        self.0.iter().map(|(key, value)| (key, *value))
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_ref())
    }
}

impl<'a, V> IntoIterator for Members<'a, V> {
    type Item = (Cow<'a, str>, V);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, V: Copy> FromIterator<(Cow<'a, str>, V)> for Members<'a, V> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, V)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        // Stable, so that the last of several under one key stays the last.
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        members.dedup_by(|later, earlier| {
            let is_repeated = later.0 == earlier.0;
            if is_repeated {
                earlier.1 = later.1;
            }
            is_repeated
        });
        Self(members)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entries::deserialize(deserializer).map(|Entries(entries)| entries.into_iter().collect())
    }
}

/// The members of one JSON object as they stand in its text, a repeated key each time.
pub(super) struct Entries<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Room that is made at once: for as many as most objects have.
        const COMMON: usize = 16;
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::with_capacity(COMMON);
                while let Some((Key(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'a> Entries<'a> {
    /// The entries of the object that `text` holds; `None` if it holds anything else.
    pub fn of_object(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Borrowed, unless it holds an escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_their_order_and_a_repeated_one_has_its_last_value() {
        let members: Members = serde_json::from_str(r#"{"b":1,"a":2,"\u0062":3,"a":4,"c":5}"#).unwrap();
        let read: Vec<(&str, &str)> =
            members.iter().map(|(key, value)| (key.as_ref(), value.get())).collect();
        assert_eq!(read, [("a", "4"), ("b", "3"), ("c", "5")]);
        assert_eq!(members.get("b").unwrap().get(), "3");
        assert!(members.get("d").is_none());
    }
}
