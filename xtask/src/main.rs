//! The project's chores, run as `cargo xtask <chore>`.

#![forbid(unsafe_code)]

mod blackout;
mod codegen;
mod compile;
mod layers;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

const USAGE: &str = "\
usage: cargo xtask <chore>

chores:
    codegen            generate the Rust types and the descriptor set from the .proto files
    codegen --check    generate them in memory and fail if the committed files differ
    layers             fail on imports that are not down the floors of ARCHITECTURE.md, on circles of files,
                       and on type names that stand for two types
    layers --write     write the table of rooms to ARCHITECTURE.md
    bench-instructions
                       count the instructions of save and restore and of their peers, with valgrind
    bench-instructions --check
                       count them, and fail if a ratio is worse than in benches/instructions.txt
    bench-instructions --update
                       count them, and write the ratios to benches/instructions.txt
    bench-blackout BASE NEW FOLDER...
                       measure the blackout of two binaries of the example live_migration, by phase
    bench-compile      measure the CPU time to compile derived structs, and the same conversions by hand
    help               print this";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["codegen"] => generate(),
        ["codegen", "--check"] => check(),
        ["layers"] => check_layers(),
        ["layers", "--write"] => {
            layers::write(&workspace_root()?)?;
            Ok(ExitCode::SUCCESS)
        }
        ["bench-instructions", rest @ ..] => bench_instructions(rest),
        ["bench-blackout", rest @ ..] => {
            blackout::run(rest)?;
            Ok(ExitCode::SUCCESS)
        }
        ["bench-compile"] => Ok(match compile::run(&workspace_root()?)? {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn generate() -> Result<ExitCode> {
    let root = workspace_root()?;
    for path in codegen::write(&root, &codegen::generate(&root)?)? {
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn check() -> Result<ExitCode> {
    let root = workspace_root()?;
    let differences = codegen::compare(&root, &codegen::generate(&root)?)?;
    if differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for difference in differences {
        eprintln!("{difference}");
    }
    eprintln!("error: generated files are not up to date: run `cargo xtask codegen`");
    Ok(ExitCode::FAILURE)
}

fn check_layers() -> Result<ExitCode> {
    let problems = layers::check(&workspace_root()?)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => Ok(ExitCode::SUCCESS),
        count => {
            eprintln!("error: {count} imports or entries break the layers");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Runs the counter, built as the benchmarks are.
fn bench_instructions(args: &[&str]) -> Result<ExitCode> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--profile=bench", "--package=snapshot-benches"])
        .args(["--bin=instructions", "--"])
        .args(args)
        .current_dir(workspace_root()?)
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The folder of the workspace.
///
/// Cargo says at run time where the package is. What `env!` would say is where it was when it was
/// compiled, which is another place when two checkouts share a target folder.
fn workspace_root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let package = PathBuf::from(package);
    let root = package.parent().context("xtask is not inside a workspace")?;
    Ok(root.to_owned())
}
