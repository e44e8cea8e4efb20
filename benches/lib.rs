//! Benchmarks of the workspace: `cargo bench`. The code is in the bench targets beside this file.
