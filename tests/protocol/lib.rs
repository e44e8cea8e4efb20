//! Empty: cargo needs a library or a program in each package, and this package has only tests.

#![forbid(unsafe_code)]
