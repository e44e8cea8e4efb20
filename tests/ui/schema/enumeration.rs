//! Every value of an enum has its number written down.

use snapshot_core::Schema;

#[derive(Schema)]
#[repr(i32)]
pub enum Stage {
    Idle = 0,
    Running,
    Stopped,
}

fn main() {}
