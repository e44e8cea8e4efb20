#[snapshot(message = pb::Reservation, ignore(reserved), validate = is_valid)]
struct Reservation {
    #[snapshot(range = 0..64)]
    slot: u8,
    #[snapshot(field = display_name, max = 16)]
    name: Option<String>,
    #[snapshot(with = codec::millis)]
    timeout: Duration,
    disk: Disk,
    #[snapshot(skip)]
    handle: Option<u64>,
}
