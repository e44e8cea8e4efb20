//! `cargo xtask layers`: a room imports only from rooms on floors below, files do not import in circles,
//! and a type name stands for one thing in a crate.

mod architecture;
mod circles;
mod exceptions;
mod imports;
mod modules;
mod names;
mod production;
mod resolve;
mod rooms;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use self::exceptions::{Allowed, Exception};
use self::imports::Edge;
use self::modules::{Crate, FileId, Read};
use self::names::Repeated;
use self::rooms::{PACKAGES, Package, Room, room_of};

/// All violations in the workspace at `root`, ready to print.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let read = |path: &Path| match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let list = read(Path::new(exceptions::PATH))?.unwrap_or_default();
    let repeated = names::parse(&read(Path::new(names::PATH))?.unwrap_or_default())?;
    let mut problems = check_packages(PACKAGES, &exceptions::parse(&list)?, &read)?;
    problems.extend(check_names(PACKAGES, &repeated, &read)?);
    let page = read_page(root)?;
    if page != architecture::with_table(&page, PACKAGES)? {
        problems.push(format!(
            "{}: the table of rooms is not up to date: run `cargo xtask layers --write`",
            architecture::PATH
        ));
    }
    Ok(problems)
}

/// Writes the table of rooms to ARCHITECTURE.md.
pub(crate) fn write(root: &Path) -> Result<()> {
    let page = architecture::with_table(&read_page(root)?, PACKAGES)?;
    let path = root.join(architecture::PATH);
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

fn read_page(root: &Path) -> Result<String> {
    let path = root.join(architecture::PATH);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn check_packages(
    packages: &[Package],
    exceptions: &[Exception],
    read: &Read<'_>,
) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut is_needed = vec![false; exceptions.len()];
    for package in packages {
        for root in package.roots {
            let krate = Crate::load(package.name, Path::new(root), read)?;
            let mut checked = Checked {
                krate: &krate,
                rooms: package.rooms,
                exceptions,
                is_needed: &mut is_needed,
                problems: &mut problems,
            };
            checked.check_table();
            let edges = imports::edges(&krate);
            checked.check_floors(&edges);
            checked.check_circles(&edges);
        }
    }
    for (exception, _) in exceptions.iter().zip(is_needed).filter(|(_, needed)| !needed) {
        let to = match &exception.to {
            Allowed::Room(to) | Allowed::File(to) => to,
        };
        problems.push(format!(
            "{}:{}: the exception `{} -> {to}` is no longer needed: remove the line",
            exceptions::PATH,
            exception.line,
            exception.from
        ));
    }
    Ok(problems)
}

/// Each type name stands for one type of its crate, or the list says why it stands for several.
fn check_names(packages: &[Package], listed: &[Repeated], read: &Read<'_>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut is_needed = vec![false; listed.len()];
    for package in packages {
        for root in package.roots {
            let krate = Crate::load(package.name, Path::new(root), read)?;
            for (name, places) in names::repeated(&krate) {
                let is_listed = |one: &Repeated| one.package == package.name && one.name == name;
                match listed.iter().position(is_listed) {
                    Some(index) => is_needed[index] = true,
                    None => problems.push(format!(
                        "{}: `{name}` is also a type in {}: rename one, or give the reason in {}",
                        places[0],
                        places[1..].join(", "),
                        names::PATH
                    )),
                }
            }
        }
    }
    for (one, _) in listed.iter().zip(is_needed).filter(|(_, needed)| !needed) {
        problems.push(format!(
            "{}:{}: `{}` stands for one type: remove the line",
            names::PATH,
            one.line,
            one.name
        ));
    }
    Ok(problems)
}

/// One crate while it is checked.
struct Checked<'c> {
    krate: &'c Crate,
    rooms: &'c [Room],
    exceptions: &'c [Exception],
    /// For each exception, whether an import needs it.
    is_needed: &'c mut [bool],
    problems: &'c mut Vec<String>,
}

impl Checked<'_> {
    fn file(&self, file: FileId) -> String {
        self.krate.files[file].display().to_string()
    }

    /// The table of rooms must cover the crate and name nothing else.
    fn check_table(&mut self) {
        if self.rooms.is_empty() {
            return;
        }
        for module in self.krate.modules.iter().filter(|module| module.path.len() == 1) {
            if room_of(self.rooms, &module.path).is_none() {
                self.problems.push(format!(
                    "{}: module `{}` belongs to no room: add it in xtask/src/layers/rooms.rs",
                    self.file(module.file),
                    module.path.join("::")
                ));
            }
        }
        for name in self.rooms.iter().flat_map(|room| room.modules) {
            let written = name.strip_suffix("::*").unwrap_or(name);
            if !self.krate.modules.iter().any(|module| module.path.join("::") == written) {
                self.problems.push(format!(
                    "{}: there is no module `{name}`: remove it in xtask/src/layers/rooms.rs",
                    self.file(0)
                ));
            }
        }
    }

    /// No room imports from a room on its own floor or above. The root of the crate is its face for users and
    /// belongs to no room.
    fn check_floors(&mut self, edges: &[Edge]) {
        for edge in edges {
            let room = |module: usize| room_of(self.rooms, &self.krate.modules[module].path);
            let (Some(from), Some(to)) = (room(edge.from_module), room(edge.to_module)) else {
                continue;
            };
            if from.name == to.name || to.floor < from.floor {
                continue;
            }
            let file = self.file(edge.from);
            let allowed = Allowed::Room(to.name.to_owned());
            let listed = self.exceptions.iter().position(|e| e.from == file && e.to == allowed);
            match listed {
                Some(index) => self.is_needed[index] = true,
                None => self.problems.push(format!(
                    "{file}:{}: {} (floor {}) uses {} (floor {}): see ARCHITECTURE.md",
                    edge.line, from.name, from.floor, to.name, to.floor
                )),
            }
        }
    }

    /// No files of one room, or of a crate without rooms, import in a circle.
    fn check_circles(&mut self, edges: &[Edge]) {
        let is_inside = |edge: &Edge| {
            let room = |module: usize| room_of(self.rooms, &self.krate.modules[module].path);
            let (from, to) = (room(edge.from_module), room(edge.to_module));
            from.map(|room| room.name) == to.map(|room| room.name)
        };
        let inside: Vec<Edge> = edges.iter().filter(|edge| is_inside(edge)).copied().collect();
        let (krate, exceptions) = (self.krate, self.exceptions);
        let exception_of = |edge: &Edge| {
            let [from, to] =
                [edge.from, edge.to].map(|file| krate.files[file].display().to_string());
            let allowed = Allowed::File(to);
            exceptions.iter().position(|e| e.from == from && e.to == allowed)
        };
        let (excepted, rest): (Vec<Edge>, Vec<Edge>) =
            inside.iter().partition(|edge| exception_of(edge).is_some());
        for index in excepted.iter().filter_map(&exception_of).collect::<Vec<_>>() {
            // An exception is needed if its import alone would close a circle.
            let with: Vec<Edge> = excepted
                .iter()
                .filter(|edge| exception_of(edge) == Some(index))
                .chain(&rest)
                .copied()
                .collect();
            let closes = circles::circles(self.krate, &with)
                .iter()
                .any(|circle| circle.iter().any(|edge| exception_of(edge) == Some(index)));
            self.is_needed[index] |= closes;
        }
        for circle in circles::circles(self.krate, &rest) {
            let mut text = String::from("files import in a circle: see ARCHITECTURE.md");
            for edge in circle {
                let (from, to) = (self.file(edge.from), self.file(edge.to));
                text.push_str(&format!("\n    {from}:{}: uses {to}", edge.line));
            }
            self.problems.push(text);
        }
    }
}
