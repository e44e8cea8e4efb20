//! The rooms of each crate, by floor. Data only: this is the file to change when a room moves.

/// A part of a crate that may import only from floors below its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) floor: u8,
    pub(super) name: &'static str,
    /// The modules that belong to it, each with all modules inside; `a::*` stands for the modules
    /// inside of `a`, without `a` itself. The longest match decides.
    pub(super) modules: &'static [&'static str],
    /// The responsibility of the room, for the table in ARCHITECTURE.md.
    pub(super) purpose: &'static str,
    /// The things that the room must not know, for the same table.
    pub(super) barred: &'static str,
}

/// A crate to check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Package {
    pub(super) name: &'static str,
    /// The root files: a library, and a binary if there is one.
    pub(super) roots: &'static [&'static str],
    /// Its rooms. A crate without rooms is checked for circles of files only.
    pub(super) rooms: &'static [Room],
}

pub(super) const PACKAGES: &[Package] = &[
    Package { name: "snapshot-core", roots: &["snapshot-core/src/lib.rs"], rooms: CORE },
    Package { name: "snapshot-derive", roots: &["snapshot-derive/src/lib.rs"], rooms: DERIVE },
    Package {
        name: "snapshot-cli",
        roots: &["snapshot-cli/src/lib.rs", "snapshot-cli/src/main.rs"],
        rooms: &[],
    },
    Package { name: "snapshot-handover", roots: &["snapshot-handover/src/lib.rs"], rooms: &[] },
];

const CORE: &[Room] = &[
    Room {
        floor: 1,
        name: "path",
        modules: &["path"],
        purpose: "places: paths of fields, ids of controllers, one escape",
        barred: "the values at these places",
    },
    Room {
        floor: 1,
        name: "hash",
        modules: &["keyed_hash"],
        purpose: "the hash of text from snapshots",
        barred: "what the text is",
    },
    Room {
        floor: 2,
        name: "error",
        modules: &["error", "panics"],
        purpose: "errors, their findings and codes; panics as errors",
        barred: "states, controllers and phases",
    },
    Room {
        floor: 3,
        name: "visit",
        modules: &["visit"],
        purpose: "the one walk over a state: its controllers, and the names that fields define and refer to",
        barred: "controllers, and the purpose of a walk",
    },
    Room {
        floor: 3,
        name: "wire",
        modules: &["wire"],
        purpose: "the framework's own messages, generated from `snapshot.v1`",
        barred: "the use of the messages",
    },
    Room {
        floor: 4,
        name: "schema",
        modules: &["schema"],
        purpose: "kinds, descriptors, notes, manifest",
        barred: "the Rust types of states, and their encoding",
    },
    Room {
        floor: 4,
        name: "provenance",
        modules: &["provenance"],
        purpose: "the id and the writer of a stored snapshot",
        barred: "the payload beside it, and the file around it",
    },
    Room {
        floor: 5,
        name: "codec",
        modules: &["codec::*"],
        purpose: "the encoding and decoding of each Rust type; a slot for the scope of a save or a read",
        barred: "controllers, references, schema versions, the tree",
    },
    Room {
        floor: 6,
        name: "payload",
        modules: &["payload"],
        purpose: "the traits of the derive: `State`, `Payload`, `Stage`; their bytes, and payloads in an `Any`",
        barred: "controllers, and the readers and writers of payloads",
    },
    Room {
        floor: 7,
        name: "derive",
        modules: &["__private::*"],
        purpose: "the functions for generated code: the field plan, the running decode, the proof of fit",
        barred: "the phases of a migration",
    },
    Room {
        floor: 7,
        name: "controller",
        modules: &["controller"],
        purpose: "`Controller`, `Child`, `ControllerSet`, `Context`, hooks; the linked controller types",
        barred: "the registry, and the orchestrator that runs the hooks",
    },
    Room {
        floor: 8,
        name: "references",
        modules: &["references"],
        purpose: "names that fields define and refer to, collected over a tree and checked",
        barred: "the registry, and the time of a check",
    },
    Room {
        floor: 8,
        name: "version",
        modules: &["version"],
        purpose: "older versions of a payload: upgrade, downgrade, lost values",
        barred: "the agreement of two sides on a version",
    },
    Room {
        floor: 8,
        name: "envelope",
        modules: &["envelope"],
        purpose: "the byte format around a root payload; files, streams, compression",
        barred: "the content of the payload",
    },
    Room {
        floor: 9,
        name: "registry",
        modules: &["registry"],
        purpose: "the linked controllers as a whole: their checks and manifest",
        barred: "the phases of a migration",
    },
    Room {
        floor: 10,
        name: "evolution",
        modules: &["evolution"],
        purpose: "the lock of released versions, comparison of manifests, verdicts for peers",
        barred: "the phases of a migration",
    },
    Room {
        floor: 11,
        name: "orchestrator",
        modules: &["orchestrator"],
        purpose: "session, phases, transaction, source, destination, reports",
        barred: "bytes: it saves and reads through the rooms below",
    },
    Room {
        floor: 11,
        name: "testing",
        modules: &["testing"],
        purpose: "the contract kit, behind the feature `testing`",
        barred: "the orchestrator; and no other room may name the kit",
    },
    Room {
        floor: 12,
        name: "codec face",
        modules: &["codec"],
        purpose: "the codec for users, re-exported from the rooms codec, visit, payload and version; defines nothing",
        barred: "nothing, and no room may import from it",
    },
    Room {
        floor: 12,
        name: "private face",
        modules: &["__private"],
        purpose: "the only names that generated code uses, re-exported; defines nothing",
        barred: "nothing, and no room may import from it",
    },
];

const DERIVE: &[Room] = &[
    Room {
        floor: 1,
        name: "errors",
        modules: &["errors"],
        purpose: "collects the mistakes of one type",
        barred: "the kinds of mistakes",
    },
    Room {
        floor: 2,
        name: "attr",
        modules: &["attr"],
        purpose: "parses `#[snapshot(...)]`, with suggestions",
        barred: "whether the attributes make sense together",
    },
    Room {
        floor: 3,
        name: "model",
        modules: &["model"],
        purpose: "checks a type with its attributes and reports every mistake",
        barred: "the generated code",
    },
    Room {
        floor: 4,
        name: "expand",
        modules: &["expand"],
        purpose: "generates the code of `derive(Snapshot)`; reports nothing",
        barred: "mistakes: its input is valid",
    },
    Room {
        floor: 4,
        name: "schema",
        modules: &["schema"],
        purpose: "`derive(Schema)`, from prost's attributes to constants",
        barred: "`derive(Snapshot)`",
    },
];

/// The room that a module belongs to; `None` for the root of the crate, which is its face.
pub(super) fn room_of<'r>(rooms: &'r [Room], module: &[String]) -> Option<&'r Room> {
    let path = module.join("::");
    let matched = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => {
            path == pattern || path.strip_prefix(pattern).is_some_and(|rest| rest.starts_with("::"))
        }
    };
    rooms
        .iter()
        .flat_map(|room| room.modules.iter().map(move |pattern| (room, *pattern)))
        .filter(|(_, pattern)| matched(pattern))
        .max_by_key(|(_, pattern)| pattern.len())
        .map(|(room, _)| room)
}
