//! The keywords inside `#[snapshot(...)]`, each with the form that errors show.

/// One keyword.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// The form of the attribute, for errors.
    pub(crate) form: &'static str,
}

macro_rules! keys {
    ($($key:ident: $name:literal, $form:literal;)*) => {$(
        pub(crate) const $key: &Key = &Key { name: $name, form: $form };
    )*};
}

keys! {
    ACCEPT: "accept",
        "accept(version = 1)` or `accept(version = 1, message = path::to::OldMessage, upgrade = function)";
    ABORT_TO: "abort_to", "abort_to = Variant";
    AT_MOST: "at_most", "at_most = other_field";
    BELOW: "below", "below = other_field";
    AFTER: "after", "after(Controller, ...)";
    CONTROLLER: "controller", "controller = Type";
    CRATE: "crate", "crate = path::to::snapshot_core";
    DEFAULT: "default", "default = expression";
    DEFINES: "defines", "defines = \"namespace\"` or `defines(keys = \"...\", values = \"...\")";
    DISCARD: "discard", "discard(proto_name, ...)";
    ENUMERATION: "enumeration", "enumeration = path::to::ProstEnum";
    FIELD: "field", "field = proto_name";
    FORM: "form", "form = \"milliseconds\"";
    FREEZE_TO: "freeze_to", "freeze_to = Variant";
    ID: "id", "id";
    IGNORE: "ignore", "ignore(proto_name, ...)";
    IMPORT_AS: "import_as", "import_as = Variant";
    LIVE: "live", "live = Variant";
    MAX: "max", "max = 64";
    MAY_STAY_BEHIND: "may_stay_behind", "may_stay_behind = path::to::function";
    MESSAGE: "message", "message = path::to::ProstMessage";
    ONEOF: "oneof", "oneof = path::to::ProstOneof";
    RANGE: "range", "range = 1..=8";
    READ_VERSION: "read_version", "read_version";
    REFERS: "refers", "refers = \"namespace\"` or `refers(keys = \"...\", values = \"...\")";
    RENAME: "rename", "rename = ProtoName";
    SAVE_FROM: "save_from", "save_from(Variant, ...)";
    SINCE: "since", "since = 2";
    SKIP: "skip", "skip` or `skip = expression";
    SECRET: "secret", "secret";
    STAGE_ENUM: "stage", "stage = path::to::ProstEnum";
    STAGE_FIELD: "stage", "stage";
    TRANSIENT: "transient", "transient";
    TRANSPARENT: "transparent", "transparent";
    TYPE_URL: "type_url", "type_url = \"domain/package.Message\"";
    UNSHARED: "unshared", "unshared";
    VALIDATE: "validate", "validate = path::to::function";
    VERSION: "version", "version = 1";
    WITH: "with", "with = path::to::module";
}
