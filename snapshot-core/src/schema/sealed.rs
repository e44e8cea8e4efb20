//! The seal of the schema's traits.

/// A prost type that derives `Schema`. The traits of the schema require it, so that nobody implements one
/// of them by hand: nothing would notice a wrong descriptor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot implement this trait by hand",
    label = "only `#[derive(Schema)]` implements it",
    note = "derive `snapshot_core::Schema` for the prost type"
)]
pub trait SealedSchema {}
