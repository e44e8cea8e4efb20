//! The framework's own messages: the content of a snapshot besides the payloads of its controllers.
//!
//! The types are prost's, generated from the `.proto` files of the package `snapshot.v1` by
//! `cargo xtask codegen` and committed.

/// Version 1 of the package.
pub mod v1 {
    include!("generated/snapshot.v1.rs");
}
