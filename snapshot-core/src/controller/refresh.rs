//! A later state in the place of an earlier one of the same controller.

use crate::State;

/// Replaces a state by a later one of the same controller: the mapped fields are those of the later
/// state, and the fields with `skip` stay as they are. This includes structs inside of it, if they
/// are in the same field, `Option`, `Box`, `Arc`, array or oneof variant, or under an equal key of
/// a map. The elements of a list have no key: their `skip` fields are as after an import. So are
/// those of a value that came through an adapter.
///
/// [`Controller::refresh`](crate::Controller::refresh) does this by default.
pub fn refresh<S: State>(state: &mut S, mut later: S) {
    later.keep_from(state);
    *state = later;
}
