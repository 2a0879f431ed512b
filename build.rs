//! Tells Cargo which folders are embedded in the binary (`include_dir!` alone does not notice a changed or new file), and
//! gives a Windows program its manifest and version properties.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script everything in its environment, and wants a file"
)]

#[path = "compiler/windows/resource.rs"]
mod resource;

fn main() {
    for folder in ["docs/errors", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    println!("cargo::rerun-if-changed=compiler/windows/resource.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // Only the linker of mingw was tried with this object; with another one the program has no properties and keeps
    // the limits that Windows has without a manifest.
    if std::env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return;
    }
    if variable("CARGO_CFG_TARGET_ENV") != "gnu" || variable("CARGO_CFG_TARGET_ARCH") != "x86_64" {
        println!(
            "cargo::warning=no manifest and no version properties: they are made for x86_64-pc-windows-gnu only"
        );
        return;
    }
    let about = resource::About {
        name: &variable("CARGO_PKG_NAME"),
        description: &variable("CARGO_PKG_DESCRIPTION"),
        version: &variable("CARGO_PKG_VERSION"),
        licence: &variable("CARGO_PKG_LICENSE"),
    };
    let path = std::path::Path::new(&variable("OUT_DIR")).join("resources.o");
    match std::fs::write(&path, resource::object(&about)) {
        Ok(()) => println!("cargo::rustc-link-arg={}", path.display()),
        Err(error) => println!("cargo::error=`{}` could not be written: {error}", path.display()),
    }
}
