//! Generates the messages of the buffa peer from the descriptor set that all peers share.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=../proto/src/generated/descriptor_set.binpb");
    let files =
        ["container", "network", "plan9", "pod", "process", "sandbox", "scsi", "vm", "vpci"];
    let files = files.map(|file| format!("lcow/v1/{file}.proto"));
    buffa_build::Config::new()
        .files(&files)
        .map_type(buffa_build::MapRepr::BTreeMap)
        .descriptor_set("../proto/src/generated/descriptor_set.binpb")
        .generate_views(false)
        .preserve_unknown_fields(false)
        .include_file("buffa.rs")
        .compile()
}
