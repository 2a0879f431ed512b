//! What the tests with real programs share: starting programs, stub backends, certificates, built bundles, Wine.
//!
//! Nothing here knows a format or says what is right. Every process and folder belongs to a value that ends and removes
//! it when it is dropped, also when a test panics. A program that is missing fails the test.

/// HTTP stubs that record what reaches them.
pub(crate) mod backend;
/// The bundles of the shipped inventories and of variants of them.
pub(crate) mod bundles;
/// A laboratory authority with one intermediate.
pub(crate) mod certificates;
/// Many requests with one `curl`.
pub(crate) mod client;
/// Every text of an inventory, and copies with another value.
pub(crate) mod fields;
/// Scripts followed by the model of cmd.exe.
pub(crate) mod follow;
pub(crate) mod iis;
/// The .NET programs of the tests, compiled with Mono.
pub(crate) mod mono;
/// Running programs and daemons.
pub(crate) mod program;
/// One generated text with where it belongs.
pub(crate) mod subject;
/// The Windows program, built once and run there.
pub(crate) mod windows;
/// A Windows registry and command interpreter.
pub(crate) mod wine;
