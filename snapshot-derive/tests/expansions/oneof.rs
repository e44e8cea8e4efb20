#[snapshot(oneof = nic_snapshot::Link, ignore(PassThrough))]
enum Link {
    #[snapshot(rename = Bridge)]
    Switch(Bridge),
    None,
}
