#[snapshot(enumeration = pb::Color)]
enum Color {
    #[snapshot(rename = Unspecified)]
    Unknown,
    Red,
}
