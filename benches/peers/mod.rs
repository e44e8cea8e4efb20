//! The peers: other ways to save and restore the same state.

pub mod bilrost;
pub mod buffa;
pub mod hand_written;
pub mod ours;
pub mod postcard;
pub mod prost_own;
pub mod rkyv;
pub mod serde_json;
