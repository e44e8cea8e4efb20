#[snapshot(stage = pb::DiskStage)]
enum DiskStage {
    #[default]
    Reserved,
    #[snapshot(rename = Attached)]
    Plugged,
    #[snapshot(transient)]
    Migrating,
}
