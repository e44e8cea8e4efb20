#[snapshot(message = pb::DiskSnapshot, version = 3, controller = DiskController, after(Vm))]
#[snapshot(save_from(Attached), freeze_to = Migrating, abort_to = Ejected)]
#[snapshot(accept(version = 2))]
#[snapshot(accept(version = 1, message = pb::v1::Disk, upgrade = from_v1, downgrade = to_v1))]
struct Disk {
    #[snapshot(id, defines = "disk")]
    name: String,
    #[snapshot(stage)]
    stage: DiskStage,
    #[snapshot(since = 3, default = 512)]
    sector_size: u32,
    #[snapshot(refers = "pod")]
    pods: Vec<PodName>,
    mount: Child<Mount>,
}
