//! `payload recode`: writes each file in its canonical form.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use snapshot_core::WriteOptions;

use crate::format::Format;
use crate::input::{accept, name, refused};

/// A file to recode, and its target.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    file: &'a Path,
    target: PathBuf,
}

/// Determines the target of each file.
///
/// # Errors
///
/// Two files with the same name, a file without a name, or a file that would overwrite itself. Then
/// nothing is written.
pub(crate) fn plan<'a>(out: &Path, files: &'a [PathBuf]) -> Result<Vec<Job<'a>>, String> {
    let mut names: HashMap<&OsStr, &Path> = HashMap::new();
    files
        .iter()
        .map(|file| {
            let own = file.file_name().ok_or_else(|| format!("{} names no file", name(file)))?;
            if let Some(other) = names.insert(own, file) {
                return Err(format!(
                    "{} and {} would both be written to {}: recode them into two folders",
                    name(other),
                    name(file),
                    name(&out.join(own))
                ));
            }
            let target = out.join(own);
            if is_same(file, &target) {
                let target = name(&target);
                return Err(format!("{target} would be written over itself: name another folder"));
            }
            Ok(Job { file, target })
        })
        .collect()
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Recodes the files. Returns whether all were accepted and written.
pub(crate) fn run(format: Format, out: &Path, jobs: &[Job<'_>]) -> io::Result<bool> {
    fs::create_dir_all(out)
        .map_err(|e| io::Error::new(e.kind(), format!("cannot make {}: {e}", name(out))))?;
    let mut all = true;
    for Job { file, target } in jobs {
        let done =
            accept(format, file).map_err(|reason| refused(file, &reason)).and_then(|accepted| {
                let options = WriteOptions::new().replace(true);
                options
                    .write_bytes_to_path(&accepted.canonical, target)
                    .map_err(|error| error.to_string())
            });
        if let Err(reason) = done {
            all = false;
            writeln!(io::stderr(), "{reason}")?;
        }
    }
    Ok(all)
}
