//! Compares the compile time of the derive with that of prost and hand-written conversions.
//!
//! Writes two crates with the same 150 prost messages and the same 150 native structs of 12 fields
//! into the target folder: in one the structs derive `Snapshot`, in the other they have hand-written
//! conversions. Compiles each crate after its dependencies, and compares the CPU times. It always uses
//! cargo's default dev profile and ignores profiles in the environment, because a build without debug
//! information is another measurement.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

const STRUCTS: usize = 150;
const RUNS: usize = 3;
/// The maximum ratio of the compile times.
const AT_MOST: f64 = 1.2;

/// One field: its native type, prost's attribute and type, and the conversions by hand.
struct Field {
    name: &'static str,
    native: &'static str,
    attribute: &'static str,
    message: &'static str,
    save: &'static str,
    restore: &'static str,
}

const FIELDS: [Field; 12] = [
    Field {
        name: "id",
        native: "Uuid",
        attribute: "string",
        message: "String",
        save: "state.id.to_string()",
        restore: "match Uuid::try_parse(&message.id) { Ok(id) => id, Err(e) => return Err(error(\"id\", e)) }",
    },
    Field {
        name: "path",
        native: "PathBuf",
        attribute: "string",
        message: "String",
        save: "match state.path.to_str() { Some(path) => path.to_owned(), \
               None => return Err(error(\"path\", \"is not UTF-8\")) }",
        restore: "message.path.into()",
    },
    Field {
        name: "slot",
        native: "u8",
        attribute: "uint32",
        message: "u32",
        save: "state.slot.into()",
        restore: "match u8::try_from(message.slot) { Ok(slot) => slot, Err(e) => return Err(error(\"slot\", e)) }",
    },
    Field {
        name: "stage",
        native: "Stage",
        attribute: "enumeration = \"pb::Stage\"",
        message: "i32",
        save: "match state.stage { Stage::Created => pb::Stage::Created, \
               Stage::Running => pb::Stage::Running, Stage::Stopped => pb::Stage::Stopped } as i32",
        restore: "match pb::Stage::try_from(message.stage) { Ok(pb::Stage::Created) => Stage::Created, \
                  Ok(pb::Stage::Running) => Stage::Running, Ok(pb::Stage::Stopped) => Stage::Stopped, \
                  Err(e) => return Err(error(\"stage\", e)) }",
    },
    Field {
        name: "timeout",
        native: "Option<Duration>",
        attribute: "message, optional",
        message: "Option<prost_types::Duration>",
        save: "match state.timeout.map(prost_types::Duration::try_from) { \
               Some(Ok(timeout)) => Some(timeout), None => None, \
               Some(Err(e)) => return Err(error(\"timeout\", e)) }",
        restore: "match message.timeout.map(Duration::try_from) { \
                  Some(Ok(timeout)) => Some(timeout), None => None, \
                  Some(Err(e)) => return Err(error(\"timeout\", e)) }",
    },
    Field {
        name: "name",
        native: "String",
        attribute: "string",
        message: "String",
        save: "state.name.clone()",
        restore: "message.name",
    },
    Field {
        name: "data",
        native: "Vec<u8>",
        attribute: "bytes = \"vec\"",
        message: "Vec<u8>",
        save: "state.data.clone()",
        restore: "message.data",
    },
    Field {
        name: "options",
        native: "Vec<String>",
        attribute: "string, repeated",
        message: "Vec<String>",
        save: "state.options.clone()",
        restore: "message.options",
    },
    Field {
        name: "counts",
        native: "BTreeMap<u32, u64>",
        attribute: "btree_map = \"uint32, uint64\"",
        message: "BTreeMap<u32, u64>",
        save: "state.counts.clone()",
        restore: "message.counts",
    },
    Field {
        name: "enabled",
        native: "bool",
        attribute: "bool",
        message: "bool",
        save: "state.enabled",
        restore: "message.enabled",
    },
    Field {
        name: "size",
        native: "u64",
        attribute: "uint64",
        message: "u64",
        save: "state.size",
        restore: "message.size",
    },
    Field {
        name: "offset",
        native: "i64",
        attribute: "int64",
        message: "i64",
        save: "state.offset",
        restore: "message.offset",
    },
];

/// The orders in which the structs have their fields.
#[derive(Clone, Copy)]
enum Orders {
    /// 12 orders, none of which two neighbours share: some code is compiled once for several structs.
    Twelve,
    /// Another order for each struct, as if no two of a program had fields of the same types: no code is
    /// compiled once for several structs.
    Distinct,
}

/// The fields of a struct by number, in its order.
fn fields(orders: Orders, number: usize) -> impl Iterator<Item = (usize, &'static Field)> {
    let mut left: Vec<&'static Field> = FIELDS.iter().collect();
    match orders {
        Orders::Twelve => left.rotate_left(number % FIELDS.len()),
        Orders::Distinct => {
            // The digits in the factorial number system, of which each number has others.
            let mut digits = number * SPREAD;
            for at in 0..left.len() {
                let base = left.len() - at;
                left[at..].rotate_left(digits % base);
                digits /= base;
            }
        }
    }
    (1..).zip(left)
}

/// Spreads the numbers of the structs over the 12! orders.
const SPREAD: usize = 2_654_435;

const HEAD: &str = "\
#![allow(dead_code)]
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;
";

/// Measures, prints the results, and returns whether the ratio is within the maximum.
pub(crate) fn run(root: &Path) -> Result<bool> {
    println!(
        "| {STRUCTS} structs of {} fields | derived | prost, converted by hand | ratio |",
        FIELDS.len()
    );
    println!("|---|--:|--:|--:|");
    let ratio = compare(root, Orders::Twelve, "12 orders")?;
    compare(root, Orders::Distinct, "each in another order")?;
    println!("\nthe ratio of 12 orders may be at most {AT_MOST}");
    Ok(ratio <= AT_MOST)
}

/// Measures both crates, prints the row, and returns the ratio.
fn compare(root: &Path, orders: Orders, name: &str) -> Result<f64> {
    let folder = target_folder(root)?.join("bench-compile");
    let derived = Crate { name: "derived", code: derived(orders) };
    let by_hand = Crate { name: "by_hand", code: by_hand(orders) };
    let crates = [&derived, &by_hand];
    for it in crates {
        it.write(&folder, root)?;
    }
    let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"derived\", \"by_hand\"]\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    // Use the versions of this workspace, so that only the code differs.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    for it in crates {
        it.compile(&folder)?;
    }
    let mut best = [f64::INFINITY; 2];
    for _ in 0..RUNS {
        for (it, best) in crates.iter().zip(&mut best) {
            it.write(&folder, root)?;
            *best = best.min(it.compile(&folder)?);
        }
    }
    let [derived, by_hand] = best;
    let ratio = derived / by_hand;
    println!("| {name} | {derived:.2} s | {by_hand:.2} s | {ratio:.2} |");
    Ok(ratio)
}

struct Crate {
    name: &'static str,
    code: String,
}

impl Crate {
    fn write(&self, folder: &Path, root: &Path) -> Result<()> {
        let folder = folder.join(self.name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n\
             prost = \"0.14\"\nprost-types = \"0.14\"\nuuid = \"1\"\nsnapshot-core.path = {:?}\n",
            self.name,
            root.join("snapshot-core")
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/lib.rs"), &self.code)?;
        Ok(())
    }

    /// Compiles the crate and returns the CPU time in seconds.
    fn compile(&self, folder: &Path) -> Result<f64> {
        let before = children_cpu_time()?;
        let mut cargo = Command::new(env!("CARGO"));
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"CARGO_PROFILE_") {
                cargo.env_remove(name);
            }
        }
        let output = cargo
            .args(["build", "--quiet", "--package", self.name])
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("{} does not compile: {}", self.name, String::from_utf8_lossy(&output.stderr));
        }
        Ok(children_cpu_time()? - before)
    }
}

/// User and system time of the children that have ended, in seconds.
/// Source: proc_pid_stat(5), fields 16 and 17, in ticks of 10 ms.
fn children_cpu_time() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("CPU times are read on Linux only")?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => bail!("/proc/self/stat has another form"),
    }
}

fn target_folder(root: &Path) -> Result<std::path::PathBuf> {
    Ok(match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    })
}

fn messages(orders: Orders, schema: bool) -> String {
    let derive = if schema { "#[derive(::snapshot_core::Schema)]\n" } else { "" };
    let mut code = String::from("pub mod pb {\nuse std::collections::BTreeMap;\nuse super::pb;\n");
    let _ = writeln!(
        code,
        "{derive}#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, \
         prost::Enumeration)]\n#[repr(i32)]\npub enum Stage {{ Created = 0, Running = 1, Stopped = 2 }}\n\
         impl Stage {{ pub fn as_str_name(&self) -> &'static str {{ match self {{ \
         Self::Created => \"STAGE_CREATED\", Self::Running => \"STAGE_RUNNING\", \
         Self::Stopped => \"STAGE_STOPPED\" }} }} }}"
    );
    for number in 0..STRUCTS {
        let _ = writeln!(
            code,
            "{derive}#[derive(Clone, PartialEq, prost::Message)]\npub struct Message{number} {{"
        );
        for (tag, field) in fields(orders, number) {
            let attribute = field.attribute;
            let _ = writeln!(code, "#[prost({attribute}, tag = \"{tag}\")]");
            let _ = writeln!(code, "pub {}: {},", field.name, field.message);
        }
        code.push_str("}\n");
        let _ = writeln!(
            code,
            "impl prost::Name for Message{number} {{ const NAME: &'static str = \
             \"Message{number}\"; const PACKAGE: &'static str = \"bench.v1\"; }}"
        );
    }
    code.push_str("}\n");
    code
}

fn native(orders: Orders, attributes: impl Fn(usize) -> String) -> String {
    let mut code = String::new();
    for number in 0..STRUCTS {
        let _ = writeln!(code, "{}\npub struct State{number} {{", attributes(number));
        for (_, field) in fields(orders, number) {
            let _ = writeln!(code, "pub {}: {},", field.name, field.native);
        }
        code.push_str("}\n");
    }
    code
}

fn derived(orders: Orders) -> String {
    let mut code = format!("{HEAD}use snapshot_core::{{Error, Snapshot, codec}};\n");
    code.push_str(&messages(orders, true));
    code.push_str(
        "#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]\n\
         #[snapshot(stage = pb::Stage)]\n\
         pub enum Stage { #[default] Created, Running, Stopped }\n",
    );
    code.push_str(&native(orders, |number| {
        format!("#[derive(Snapshot)]\n#[snapshot(message = pb::Message{number})]")
    }));
    for number in 0..STRUCTS {
        let _ = writeln!(
            code,
            "pub fn save{number}(state: &State{number}) -> Result<Vec<u8>, Error> \
             {{ codec::to_bytes(state) }}\n\
             pub fn restore{number}(bytes: &[u8]) -> Result<State{number}, Error> \
             {{ codec::from_bytes(bytes) }}"
        );
    }
    code
}

fn by_hand(orders: Orders) -> String {
    let mut code = format!("{HEAD}use prost::Message as _;\n");
    code.push_str(&messages(orders, false));
    code.push_str(
        "#[derive(Clone, Copy, Debug, Default, PartialEq)]\n\
         pub enum Stage { #[default] Created, Running, Stopped }\n\
         #[derive(Debug)]\npub struct Error(String);\n\
         fn error(field: &str, reason: impl std::fmt::Display) -> Error \
         { Error(format!(\"{field}: {reason}\")) }\n",
    );
    code.push_str(&native(orders, |_| String::new()));
    for number in 0..STRUCTS {
        let _ = writeln!(
            code,
            "impl TryFrom<&State{number}> for pb::Message{number} {{ type Error = Error;\n\
             fn try_from(state: &State{number}) -> Result<Self, Error> {{ Ok(Self {{"
        );
        for field in &FIELDS {
            let _ = writeln!(code, "{}: {},", field.name, field.save);
        }
        let _ = writeln!(
            code,
            "}}) }} }}\nimpl TryFrom<pb::Message{number}> for State{number} {{ type Error = Error;\n\
             fn try_from(message: pb::Message{number}) -> Result<Self, Error> {{ Ok(Self {{"
        );
        for field in &FIELDS {
            let _ = writeln!(code, "{}: {},", field.name, field.restore);
        }
        let _ = writeln!(
            code,
            "}}) }} }}\n\
             pub fn save{number}(state: &State{number}) -> Result<Vec<u8>, Error> \
             {{ Ok(pb::Message{number}::try_from(state)?.encode_to_vec()) }}\n\
             pub fn restore{number}(bytes: &[u8]) -> Result<State{number}, Error> {{ \
             match pb::Message{number}::decode(bytes) {{ Ok(message) => message.try_into(), \
             Err(e) => Err(error(\"message\", e)) }} }}"
        );
    }
    code
}
