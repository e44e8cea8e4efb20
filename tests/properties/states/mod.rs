//! State structs, several for each message, so that every supported type occurs in every kind of field
//! that it fits.

pub mod adapted;
pub mod choices;
pub mod controllers;
pub mod edges;
pub mod enumerations;
pub mod maps;
pub mod nodes;
pub mod repeats;
pub mod scalars;
pub mod well_known;
