//! Nothing: cargo wants a library or a program in each package, and this one is all tests.

#![forbid(unsafe_code)]
