//! Generates the messages and the service with tonic, and the schema of the messages with them. The
//! builder of tonic-prost-build has no `enable_type_names`, so both lines go to its `Config`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/disks.proto"], ["proto"])?;
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().type_attribute(".", "#[derive(::snapshot_core::Schema)]");
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
