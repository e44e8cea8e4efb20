//! The agreement of two processes about one hand-over of running controllers.
#![forbid(unsafe_code)]

pub mod decision;
