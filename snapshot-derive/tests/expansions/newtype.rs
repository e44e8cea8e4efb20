#[snapshot(transparent, validate = is_a_name)]
struct Name(String);
