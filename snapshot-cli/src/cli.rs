//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::Program;

/// Show, verify and compare snapshots of controllers.
///
/// FILE is a snapshot, compressed or not, or a bare google.protobuf.Any; `-` is the standard input.
/// Use --descriptors for types that are not built in.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:
  {program} inspect sandbox.snapshot
  {program} inspect sandbox.snapshot --path pods/web/containers/c1
  {program} verify sandbox.snapshot --manifest destination.manifest
  {program} diff before.snapshot after.snapshot
  {program} json sandbox.snapshot > sandbox.json
  {program} from-json sandbox.json -o again.snapshot
  {program} timeline report.json -o migration.svg
  {program} schema check proto/schema.lock

Exit codes:
  0  success
  1  verify and schema check have findings, diff and schema diff have differences
  2  the command line is wrong
  3  a file cannot be read or written, or has the wrong content")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of all commands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Also use the messages of this descriptor set. `protoc --descriptor_set_out --include_imports`,
    /// `buf build -o FILE` and prost-build write such files.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) descriptors: Vec<PathBuf>,

    /// Use this field of a payload as the id of its controller among its siblings, as `#[snapshot(id)]`
    /// does: acme.v1.PodSnapshot=pod_id. Linked types do not need it.
    #[arg(long = "id", global = true, value_name = "MESSAGE=FIELD", value_parser = message_and_field)]
    pub(crate) ids: Vec<(String, String)>,

    /// The maximum size of a file in MiB, both stored and decompressed; the default is 32. A malicious
    /// file can take 150 times its length in memory.
    #[arg(long, global = true, value_name = "MIB",
          value_parser = clap::value_parser!(u32).range(1..=4096))]
    limit: Option<u32>,
}

impl Options {
    /// The limit in MiB.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(32)
    }

    /// The limit in bytes.
    pub(crate) fn limit_bytes(&self) -> u64 {
        u64::from(self.limit()) << 20
    }
}

impl Cli {
    /// An option without effect on the command, or a repeated use of the standard input.
    pub(crate) fn contradiction(&self) -> Option<String> {
        use Command as C;
        let (name, descriptors, ids, limit) = match &self.command {
            C::Inspect(_) | C::Verify(_) | C::Diff(_) | C::Json(_) | C::FromJson(_) => {
                ("", true, true, true)
            }
            C::Timeline(_) => ("timeline", false, false, true),
            C::Schema { command: Schema::Show(of) } => {
                ("schema show", of.file.is_none() && of.schema.is_none(), false, true)
            }
            C::Schema { command: Schema::Check(_) } => ("schema check", false, false, true),
            C::Schema { command: Schema::Diff(_) } => ("schema diff", false, false, true),
            C::Completions(_) => ("completions", false, false, false),
            C::Man(_) => ("man", false, false, false),
        };
        let given = [
            ("--descriptors", !self.options.descriptors.is_empty(), descriptors),
            ("--id", !self.options.ids.is_empty(), ids),
            ("--limit", self.options.limit.is_some(), limit),
        ];
        if let Some((option, ..)) = given.iter().find(|(_, given, used)| *given && !used) {
            let rest = match &self.command {
                C::Schema { command: Schema::Show(_) } if *option == "--descriptors" => {
                    " of a file or of --schema"
                }
                _ => "",
            };
            return Some(format!("{option} has no effect on `{name}`{rest}: remove it"));
        }
        let inputs = self.inputs();
        let standard = inputs.filter(|path| *path == Path::new("-")).count();
        (standard > 1).then(|| "the standard input can be read only once: name a file".to_owned())
    }

    /// All files that are read.
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        use Command as C;
        let files: Vec<&PathBuf> = match &self.command {
            C::Inspect(Inspect { file, .. }) | C::Json(Json { file }) => vec![file],
            C::FromJson(FromJson { file, .. }) => vec![file],
            C::Verify(of) => std::iter::once(&of.file).chain(&of.manifest).collect(),
            C::Diff(of) => vec![&of.before, &of.after],
            C::Timeline(of) => of.reports.iter().collect(),
            C::Schema { command: Schema::Show(of) } => of.file.iter().collect(),
            C::Schema { command: Schema::Check(of) } => {
                std::iter::once(&of.lock).chain(&of.manifest).collect()
            }
            C::Schema { command: Schema::Diff(of) } => vec![&of.before, &of.after],
            C::Completions(_) | C::Man(_) => Vec::new(),
        };
        files.into_iter().chain(&self.options.descriptors).map(PathBuf::as_path)
    }
}

/// The command line of a program: its name, its version, its description.
pub(crate) fn command(program: &Program<'_>) -> clap::Command {
    let mut command = named(Cli::command(), program.name)
        .name(program.name.to_owned())
        .bin_name(program.name.to_owned());
    if !program.version.is_empty() {
        command = command.version(program.version.to_owned());
    }
    if !program.about.is_empty() {
        let general = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        let usage = general.split_once("\n\n").map_or("", |(_, usage)| usage);
        let long = format!("{}\n\n{usage}", program.about);
        command = command.about(program.about.to_owned()).long_about(long);
    }
    command
}

/// Puts the name of the program into the examples of a command and of its subcommands.
fn named(mut command: clap::Command, name: &str) -> clap::Command {
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string().replace("{program}", name);
        command = command.after_help(examples);
    }
    command.mut_subcommands(|below| named(below, name))
}

fn message_and_field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((message, field)) if !message.is_empty() && !field.is_empty() => {
            Ok((message.to_owned(), field.to_owned()))
        }
        _ => Err("expected MESSAGE=FIELD, as in acme.v1.PodSnapshot=pod_id".to_owned()),
    }
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the controllers in a snapshot: id, type, version, stage and size, the largest first.
    ///
    /// For linked types, ids and stages are the same as in the library. For other types, the id is the
    /// field in --id, or an index or key, and the stage is the enum field `stage` or `state`, shown with a
    /// question mark.
    #[command(after_help = "Examples:
  {program} inspect sandbox.snapshot
  {program} inspect sandbox.snapshot --path vm/scsi
  {program} inspect sandbox.snapshot --json | jq .controllers")]
    Inspect(Inspect),
    /// Report all problems of a snapshot: digest, structure, versions, unknown fields, and, for linked
    /// types, values, stages and references.
    #[command(after_help = "Examples:
  {program} verify sandbox.snapshot
  {program} verify sandbox.snapshot --manifest destination.manifest")]
    Verify(Verify),
    /// List the differences between two snapshots by path. The order of maps does not matter; lists are
    /// aligned, so that an inserted element is one difference.
    ///
    /// A removed element has its index in A, every other element its index in B.
    #[command(after_help = "Example:
  {program} diff before.snapshot after.snapshot
  vm/scsi: disks[3].state Attached -> Detached")]
    Diff(Diff),
    /// Print a snapshot as JSON; `from-json` converts it back to the same bytes.
    ///
    /// The format is protobuf JSON. A payload that would not come back byte for byte (unknown types, unknown
    /// fields, unusual encodings) is printed as `@bytes` in base64. A compressed snapshot comes back
    /// without compression.
    Json(Json),
    /// Convert the JSON of `json`, edited or not, to a snapshot with a new digest. The rules of the types are
    /// not checked: use `verify`.
    ///
    /// JSON that a snapshot cannot represent exactly is refused with its place: a duplicate or unknown
    /// member, two members of a oneof, a number that does not fit or would be rounded.
    FromJson(FromJson),
    /// Draw the phases of a migration per controller, with the blackout marked, as an SVG picture.
    #[command(after_help = "Examples:
  {program} timeline report.json -o migration.svg
  {program} timeline source.json destination.json -o migration.svg")]
    Timeline(Timeline),
    /// Show the schema of a build, check a lock, and compare schemas.
    ///
    /// The manifest has the schema of a build: a `snapshot.v1.Manifest` from `Registry::manifest`. The lock
    /// has the released schemas: the text file of `assert_locked!`.
    Schema {
        /// The command for schemas.
        #[command(subcommand)]
        command: Schema,
    },
    /// Print the completions for a shell.
    #[command(after_help = "Example:
  {program} completions bash > /etc/bash_completion.d/snapshot")]
    Completions(Completions),
    /// Print the man page, or write the man pages of all commands into a folder.
    Man(Man),
}

/// `inspect`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Inspect {
    /// The snapshot.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Show only this controller: its fields, including those that its descriptor does not know, and the
    /// controllers below it.
    #[arg(long, value_name = "ID")]
    pub(crate) path: Option<String>,

    /// Print JSON for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `verify`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Verify {
    /// The snapshot.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Also check against this manifest, a `snapshot.v1.Manifest` from `Registry::manifest`: whether its
    /// build knows every type, version and field.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
}

/// `diff`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Diff {
    /// The earlier snapshot.
    #[arg(value_name = "A")]
    pub(crate) before: PathBuf,

    /// The later snapshot.
    #[arg(value_name = "B")]
    pub(crate) after: PathBuf,
}

/// `json`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Json {
    /// The snapshot.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `from-json`.
#[derive(Clone, Debug, Args)]
pub(crate) struct FromJson {
    /// The JSON.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Write to this file, which must not exist. Without this option, or with `-`, the bytes go to the
    /// standard output. Pipes and devices are written to directly, and links are followed.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace an existing file.
    #[arg(long, requires = "output")]
    pub(crate) replace: bool,

    /// Compress a snapshot with zstd, from 1 (fast) to 19 (small).
    #[cfg(feature = "zstd")]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=19))]
    pub(crate) zstd: Option<i32>,
}

/// `timeline`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Timeline {
    /// The reports of one side or of both sides.
    #[arg(value_name = "REPORT", required = true)]
    pub(crate) reports: Vec<PathBuf>,

    /// Write to this file and replace it. Without this option, or with `-`, the picture goes to the
    /// standard output.
    #[arg(long, short, value_name = "FILE.svg")]
    pub(crate) output: Option<PathBuf>,
}

/// The commands for schemas.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Schema {
    /// Show payloads with their versions and stage rules, and messages field by field: the built-in ones,
    /// those of a file, or those of --descriptors, which contain only messages.
    #[command(after_help = "Examples:
  {program} schema show --message acme.v1.DiskSnapshot
  {program} schema show proto/schema.lock
  {program} schema show --schema acme -o here.manifest
  {program} schema show --descriptors acme.binpb --json | jq '.schemas[].messages'")]
    Show(SchemaShow),
    /// Compare a lock with a build, as `assert_locked!` does in a test: list the changes since the
    /// release, with the cures.
    #[command(after_help = "Examples:
  {program} schema check proto/schema.lock
  {program} schema check acme.lock --manifest acme.manifest")]
    Check(SchemaCheck),
    /// List the differences between two manifests or locks, and report whether each side restores the
    /// snapshots of the other.
    #[command(after_help = "Example:
  {program} schema diff source.manifest destination.manifest
  acme.v1.DiskSnapshot: field 4 (size: uint64) is new, since version 2")]
    Diff(SchemaDiff),
}

/// `schema show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SchemaShow {
    /// A manifest or a lock.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Show only the built-in schema with this name.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) schema: Option<String>,

    /// Show only this message, by its full name or type URL, and the messages in it.
    #[arg(long, value_name = "NAME")]
    pub(crate) message: Option<String>,

    /// Print JSON for programs.
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,

    /// Write a manifest to this file and replace it: for `schema diff`, `schema check` and `verify`.
    #[arg(long, short, value_name = "FILE.manifest")]
    pub(crate) output: Option<PathBuf>,
}

/// `schema check`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SchemaCheck {
    /// The lock.
    #[arg(value_name = "LOCK")]
    pub(crate) lock: PathBuf,

    /// Compare with the built-in schema with this name, instead of the first one.
    #[arg(long, value_name = "NAME", conflicts_with = "manifest")]
    pub(crate) schema: Option<String>,

    /// Compare with the build that wrote this manifest.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
}

/// `schema diff`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SchemaDiff {
    /// The earlier manifest or lock.
    #[arg(value_name = "A")]
    pub(crate) before: PathBuf,

    /// The later manifest or lock.
    #[arg(value_name = "B")]
    pub(crate) after: PathBuf,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

/// `man`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Man {
    /// Write one page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
        let program = Program { name: "acme", version: "1.2.3", about: "Show snapshots of acme." };
        command(&program).debug_assert();
    }

    #[test]
    fn the_name_of_a_controller_is_a_message_and_a_field() {
        assert!(message_and_field("a.B=c").is_ok());
        for wrong in ["", "a", "=a", "a="] {
            assert!(message_and_field(wrong).is_err(), "{wrong}");
        }
    }
}
