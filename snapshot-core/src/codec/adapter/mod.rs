//! Ready modules for `#[snapshot(with = module)]`.
