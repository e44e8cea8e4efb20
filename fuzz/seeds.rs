//! Writes the initial inputs of the fuzz targets. Run `cargo run --example seeds` in this folder.

use std::fs;
use std::path::Path;

#[path = "../tests/fuzzing/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the targets use the rest")]
mod fuzzing;

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in ["lcow", "hcsshim", "envelope"] {
        let folder = here.join("seeds").join(target);
        fs::create_dir_all(&folder)?;
        let seeds = fuzzing::seeds::of(target, &here.join("../tests/golden"));
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("{number:03}")), seed)?;
        }
        println!("{}: {} seeds", folder.display(), seeds.len());
    }
    Ok(())
}
