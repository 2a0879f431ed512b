//! Temporary.
#![allow(dead_code)]
mod harness;
mod reliability;
