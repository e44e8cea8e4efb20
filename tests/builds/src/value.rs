//! What the values of the builds' types mean, as text that is the same in all builds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZero;
use std::time::Duration;

use snapshot_core::Snapshot;

use crate::message;

/// A type of a field.
pub trait Meaning: Sized {
    /// Returns the value with this meaning, or for `None` the value that means nothing. `None` if the type
    /// does not have it.
    fn of(text: Option<&str>) -> Option<Self>;

    /// Returns what the value means; `None` if it means the same as no value.
    fn meaning(&self) -> Option<String>;
}

/// Where something is, with a member that came in version 2.
#[derive(Snapshot, Clone, PartialEq, Debug)]
#[snapshot(oneof = message::Place)]
pub enum NewerPlace {
    /// In a slot.
    Slot(u32),
    /// On a shelf.
    #[snapshot(since = 2)]
    Shelf(String),
}

/// Where something is, with members that every version has.
#[derive(Snapshot, Clone, PartialEq, Debug)]
#[snapshot(oneof = message::Place)]
pub enum Place {
    /// In a slot.
    Slot(u32),
    /// On a shelf.
    Shelf(String),
}

/// Whether something has power, with a value that came in version 2.
#[derive(Snapshot, Clone, Copy, PartialEq, Debug)]
#[snapshot(enumeration = message::Power)]
pub enum NewerPower {
    /// It has none.
    Off,
    /// It has.
    On,
    /// It has, and does nothing.
    #[snapshot(since = 2)]
    Paused,
}

/// Whether something has power, with values that every version has.
#[derive(Snapshot, Clone, Copy, PartialEq, Debug)]
#[snapshot(stage = message::Power)]
pub enum Power {
    /// It has none.
    Off,
    /// It has.
    On,
    /// It has, and does nothing.
    Paused,
}

/// Counts in dozens, and takes nothing else.
pub mod dozens {
    /// Returns the number of dozens.
    ///
    /// # Errors
    ///
    /// A number that is no number of dozens.
    pub fn to_wire(number: &u64) -> Result<u64, &'static str> {
        if number.is_multiple_of(12) { Ok(number / 12) } else { Err("is no number of dozens") }
    }

    /// Returns the number.
    ///
    /// # Errors
    ///
    /// A number that is too great.
    pub fn from_wire(dozens: u64) -> Result<u64, &'static str> {
        dozens.checked_mul(12).ok_or("is too many dozens")
    }
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl Meaning for $ty {
            fn of(text: Option<&str>) -> Option<Self> {
                text.unwrap_or("0").parse().ok()
            }

            fn meaning(&self) -> Option<String> {
                (*self != 0).then(|| self.to_string())
            }
        }
    )*};
}

numbers! { u8 u64 }

/// For fields with presence: 0 is a value.
impl Meaning for u32 {
    fn of(text: Option<&str>) -> Option<Self> {
        text?.parse().ok()
    }

    fn meaning(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Meaning for NonZero<u64> {
    fn of(text: Option<&str>) -> Option<Self> {
        text?.parse().ok()
    }

    fn meaning(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// In milliseconds.
impl Meaning for Duration {
    fn of(text: Option<&str>) -> Option<Self> {
        Meaning::of(text).map(Duration::from_millis)
    }

    fn meaning(&self) -> Option<String> {
        (!self.is_zero()).then(|| self.as_millis().to_string())
    }
}

impl Meaning for String {
    fn of(text: Option<&str>) -> Option<Self> {
        Some(text.unwrap_or_default().to_owned())
    }

    fn meaning(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.clone())
    }
}

impl Meaning for char {
    fn of(text: Option<&str>) -> Option<Self> {
        text?.parse().ok()
    }

    fn meaning(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Meaning for IpAddr {
    fn of(text: Option<&str>) -> Option<Self> {
        text?.parse().ok()
    }

    fn meaning(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// The elements of a list in text.
fn elements<T: Meaning>(text: Option<&str>) -> Option<Vec<T>> {
    text.into_iter().flat_map(|text| text.split(',')).map(|one| T::of(Some(one))).collect()
}

fn listed<'t, T: ToString + 't>(elements: impl IntoIterator<Item = &'t T>) -> Option<String> {
    let texts: Vec<String> = elements.into_iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

impl<T: Meaning + ToString> Meaning for Vec<T> {
    fn of(text: Option<&str>) -> Option<Self> {
        elements(text)
    }

    fn meaning(&self) -> Option<String> {
        listed(self)
    }
}

impl<T: Meaning + ToString, const N: usize> Meaning for [T; N] {
    fn of(text: Option<&str>) -> Option<Self> {
        elements(text)?.try_into().ok()
    }

    fn meaning(&self) -> Option<String> {
        listed(self)
    }
}

impl Meaning for BTreeSet<u32> {
    fn of(text: Option<&str>) -> Option<Self> {
        elements(text).map(|elements| elements.into_iter().collect())
    }

    fn meaning(&self) -> Option<String> {
        listed(self)
    }
}

/// As `key:value,key:value`.
impl<T: Meaning + ToString> Meaning for BTreeMap<String, T> {
    fn of(text: Option<&str>) -> Option<Self> {
        let entries = text.into_iter().flat_map(|text| text.split(','));
        let entries = entries.map(|entry| {
            let (key, value) = entry.split_once(':')?;
            Some((key.to_owned(), T::of(Some(value))?))
        });
        entries.collect()
    }

    fn meaning(&self) -> Option<String> {
        let texts: Vec<String> =
            self.iter().map(|(key, value)| format!("{key}:{}", value.to_string())).collect();
        listed(&texts)
    }
}

impl Meaning for Option<u32> {
    fn of(text: Option<&str>) -> Option<Self> {
        Some(match text {
            None => None,
            Some(text) => Some(text.parse().ok()?),
        })
    }

    fn meaning(&self) -> Option<String> {
        self.map(|value| value.to_string())
    }
}

macro_rules! powers {
    ($($ty:ident)*) => {$(
        impl Meaning for $ty {
            fn of(text: Option<&str>) -> Option<Self> {
                Some(match text {
                    None => $ty::Off,
                    Some("on") => $ty::On,
                    Some("paused") => $ty::Paused,
                    Some(_) => return None,
                })
            }

            fn meaning(&self) -> Option<String> {
                match self {
                    $ty::Off => None,
                    $ty::On => Some("on".to_owned()),
                    $ty::Paused => Some("paused".to_owned()),
                }
            }
        }
    )*};
}

powers! { Power NewerPower }

macro_rules! places {
    ($($ty:ident)*) => {$(
        impl Meaning for Option<$ty> {
            fn of(text: Option<&str>) -> Option<Self> {
                let Some(text) = text else { return Some(None) };
                Some(match text.split_once(' ')? {
                    ("slot", slot) => Some($ty::Slot(slot.parse().ok()?)),
                    ("shelf", shelf) => Some($ty::Shelf(shelf.to_owned())),
                    _ => return None,
                })
            }

            fn meaning(&self) -> Option<String> {
                self.as_ref().map(|place| match place {
                    $ty::Slot(slot) => format!("slot {slot}"),
                    $ty::Shelf(shelf) => format!("shelf {shelf}"),
                })
            }
        }
    )*};
}

places! { Place NewerPlace }
