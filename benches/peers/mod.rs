//! The peers: other ways to save and restore the same state.

pub mod hand_written;
pub mod ours;
pub mod postcard;
pub mod rkyv;
pub mod serde_json;
