//! The transaction as a whole, with controllers whose hooks do what a script says.

mod abandoned;
mod changes;
mod checkpoint;
mod claims;
mod fixture;
mod import;
mod late_stages;
mod limits;
mod nothing_undone;
mod order;
mod preflight;
mod prepared;
mod reach;
mod scale;
mod set;
mod stop;
mod traced;
mod undo;

pub(crate) use fixture::*;
