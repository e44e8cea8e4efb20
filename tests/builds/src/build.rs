//! The commands of a build, by which a test moves a state from one program to another through files.
//!
//! - `manifest OUT` writes the manifest.
//! - `send MANIFEST OUT NAME=VALUE...` makes a state with these values, asks the preflight about the
//!   destination with this manifest, and moves the state into a file. It prints the values, and each
//!   value that the destination drops as `dropped PATH`. It exits with [`REFUSED`] if the preflight
//!   refuses, and with [`UNFIT`] if the state cannot have the values.
//! - `receive IN` restores the state and prints its values.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use futures_executor::block_on;
use prost::Message;
use snapshot_core::registry::{Manifest, registry};
use snapshot_core::{Child, Controller, Incoming, Session, Source};

use crate::root::Root;

/// The exit code of a source whose preflight refuses the destination.
pub const REFUSED: u8 = 3;

/// The exit code of a build whose state cannot have the values.
pub const UNFIT: u8 = 4;

/// What the values of a state mean, by the names of their fields; `None` for a value that means the same as
/// no value.
pub type View = Vec<(&'static str, Option<String>)>;

/// The values that a state is made of, by the names of its fields.
pub type Texts = BTreeMap<String, String>;

/// A build, behind functions.
pub struct Build {
    /// Makes the controller with these values; `None` if its state cannot have them.
    pub make: fn(&Texts) -> Option<Child<dyn Controller>>,
    /// Returns the values of a controller; `None` if it is another one.
    pub view: fn(&Child<dyn Controller>) -> Option<View>,
}

/// Runs the command in the arguments of the program.
pub fn run(build: &Build) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["manifest", out] => write_manifest(out),
        ["send", manifest, out, ref values @ ..] => build.send(manifest, out, values),
        ["receive", from] => build.receive(from),
        _ => {
            Err("expected `manifest OUT`, `send MANIFEST OUT NAME=VALUE...` or `receive IN`".into())
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn write_manifest(out: &str) -> Result<ExitCode, Box<dyn Error>> {
    std::fs::write(out, registry()?.manifest().encode_to_vec())?;
    Ok(ExitCode::SUCCESS)
}

impl Build {
    fn send(&self, manifest: &str, out: &str, values: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
        let values = values.iter().filter_map(|value| value.split_once('='));
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let Some(part) = (self.make)(&values) else { return Ok(ExitCode::from(UNFIT)) };
        let root = Arc::new(Root::new(part));
        let theirs = Manifest::decode(&*std::fs::read(manifest)?)?;
        let source = Source::new(&root);
        let preflight = match source.preflight(&theirs) {
            Ok(preflight) => preflight,
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::from(REFUSED));
            }
        };
        self.print(&root)?;
        for dropped in preflight.dropped {
            println!("dropped {}", dropped.path());
        }
        let frozen = block_on(source.freeze(&Session::new()))?;
        std::fs::write(out, frozen.save()?.as_bytes())?;
        block_on(frozen.commit())?;
        Ok(ExitCode::SUCCESS)
    }

    fn receive(&self, from: &str) -> Result<ExitCode, Box<dyn Error>> {
        let session = Session::new();
        let imported = Incoming::open(std::fs::read(from)?)?.import::<Root>()?;
        let root = block_on(block_on(imported.patch(&session))?.resume(&session))?;
        self.print(&root)?;
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, root: &Root) -> Result<(), Box<dyn Error>> {
        let view = (self.view)(&root.state().part).ok_or("the controller is of another build")?;
        for (name, value) in view {
            if let Some(value) = value {
                println!("{name}={value}");
            }
        }
        Ok(())
    }
}
