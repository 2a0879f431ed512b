//! Tells Cargo which folders are embedded in the binary: `include_dir!` alone does not notice a changed or new file.

fn main() {
    for folder in ["docs/errors", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
