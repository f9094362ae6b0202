// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask test`: setup, then every test of the workspace.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::mem;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::hang;
use crate::process::{cargo, run as run_command, shown};
use crate::timing::Parts;
use crate::workspace::RTL_FEATURES;
use crate::{Failure, Result, setup};

/// Longest that a test program may say nothing before it is ended. Each test says when it has ended, and also when it has
/// run for a minute.
const SILENCE_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Lines of output that are read before they are handed on.
const LINES_AHEAD: usize = 64;

/// Runs every test; `arguments` are handed to `cargo test`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut parts = Parts::default();
    let missing = parts.run("setup", || {
        setup::simulation()?;
        setup::test_programs()
    })?;
    // The tests start programs of the workspace, which cargo test by itself would not build.
    parts.run("build", || run_command(on_workspace("build").args(["--bins", "--tests"])))?;
    let mut tests = on_workspace("test");
    tests.arg("--no-fail-fast").args(arguments).args(skip(&missing, arguments));
    let (tally, outcome) =
        parts.run("test", || count(&mut tests, SILENCE_LIMIT, &mut io::stdout()))?;
    parts.print();
    for program in &missing {
        println!("{program} is missing: tests with {program} in their name were skipped");
    }
    println!("{tally}");
    outcome
}

/// cargo with everything in it that the tests need.
pub(crate) fn on_workspace(verb: &str) -> Command {
    let mut command = cargo();
    command.args([verb, "--workspace", "--features", RTL_FEATURES]);
    command
}

/// The arguments that leave out the tests of missing programs: such a test bears the program's name.
fn skip(missing: &[&str], arguments: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    if !missing.is_empty() && !arguments.iter().any(|argument| argument == "--") {
        words.push("--".to_owned());
    }
    for program in missing {
        words.extend(["--skip".to_owned(), (*program).to_owned()]);
    }
    words
}

/// Runs the tests, hands their output on to `copy` and adds up the result lines. A test program that says nothing for
/// `silence` is ended, and its tests have failed.
fn count(
    tests: &mut Command,
    silence: Duration,
    copy: &mut impl Write,
) -> Result<(Tally, Result<()>)> {
    let what = shown(tests);
    let mut child = tests.stdout(Stdio::piped()).spawn().map_err(Failure::at(&what))?;
    let mut tally = Tally::default();
    let mut hung = Vec::new();
    if let Some(output) = child.stdout.take() {
        let lines = read_lines(output);
        loop {
            match lines.recv_timeout(silence) {
                Ok(line) => {
                    let mut line = line.map_err(Failure::at(&what))?;
                    tally.add(&String::from_utf8_lossy(&line));
                    line.push(b'\n');
                    copy.write_all(&line).map_err(Failure::at("standard output"))?;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let programs = hang::end_test_programs(child.id());
                    if !programs.is_empty() {
                        hung.push(tally.hang(&programs));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }
    tally.close();
    let status = child.wait().map_err(Failure::at(&what))?;
    let outcome = if !hung.is_empty() {
        let minutes = silence.as_secs() / 60;
        Err(Failure::new(format!("silent for {minutes} minutes and ended: {}", hung.join("; "))))
    } else if status.success() {
        Ok(())
    } else {
        Err(Failure::new("tests failed or could not be run; see above"))
    };
    Ok((tally, outcome))
}

/// Reads on a thread of its own, so that one can wait for a line for a limited time. Tests may print anything: what is not
/// UTF-8 is handed on as it is.
fn read_lines(output: ChildStdout) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, lines) = mpsc::sync_channel(LINES_AHEAD);
    thread::spawn(move || {
        BufReader::new(output).split(b'\n').try_for_each(|line| sender.send(line))
    });
    lines
}

/// Sums of the result lines of test programs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// Tests that a program announced and gave no result for yet.
    announced: u64,
    /// Tests of that program that said they take long, and have not ended.
    slow: Vec<String>,
}

impl Tally {
    /// Adds a line such as `running 6 tests`, or
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; …`; others mean nothing.
    fn add(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("running ").and_then(|rest| rest.split_once(" test"))
        {
            self.close();
            self.announced = count.0.parse().unwrap_or(0);
        }
        if let Some(said) = line.strip_prefix("test ") {
            if let Some((test, _)) = said.split_once(" has been running for over ") {
                self.slow.push(test.to_owned());
            } else if let Some((test, _)) = said.split_once(" ... ") {
                self.slow.retain(|slow| !test.starts_with(slow));
            }
        }
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.announced = 0;
        self.slow.clear();
        for count in counts.split("; ") {
            let Some((number, kind)) = count.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match kind {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "filtered out" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// A program that ended without a result: everything it announced counts as failed.
    fn close(&mut self) {
        self.failed += mem::take(&mut self.announced);
        self.slow.clear();
    }

    /// These programs hung and were ended; returns that in words, with the tests that are known to have run.
    fn hang(&mut self, programs: &[String]) -> String {
        let mut words = programs.join(", ");
        if !self.slow.is_empty() {
            words = format!("{words} in {}", self.slow.join(", "));
        }
        // One that hung before it told of its tests has failed all the same.
        self.announced = self.announced.max(1);
        self.close();
        words
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn result_lines_are_added_up() {
        let mut tally = Tally::default();
        tally.add("running 3 tests");
        tally.add(
            "test result: ok. 15 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
        );
        tally.add(
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        );
        assert_eq!(tally.to_string(), "16 passed, 2 failed, 3 skipped");
    }

    #[test]
    fn a_program_without_a_result_has_failed() {
        let mut tally = Tally::default();
        tally.add("running 3 tests");
        tally.add("running 1 test");
        tally.add("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.close();
        assert_eq!(tally.to_string(), "1 passed, 3 failed, 0 skipped");
    }

    #[test]
    fn a_program_that_hangs_is_ended_and_named() {
        let Ok(folder) = Scratch::new("hang") else { panic!("there is no folder") };
        let program = folder.path().join("deps/sleep");
        fs::create_dir(folder.path().join("deps")).unwrap();
        fs::copy("/bin/sleep", &program).unwrap();
        let script = format!(
            "echo running 3 tests
            echo test quick has been running for over 60 seconds
            echo test quick ... ok
            echo test stuck has been running for over 60 seconds
            {0} 1000000
            echo running 1 test
            echo 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'
            {0} 1000000
            true",
            program.display()
        );
        let mut runner = Command::new("sh");
        let result =
            count(runner.args(["-c", &script]), Duration::from_millis(50), &mut io::sink());
        let Ok((tally, Err(Failure(what)))) = result else { panic!("nothing was noticed") };
        assert_eq!(tally.to_string(), "1 passed, 4 failed, 0 skipped");
        assert!(what.ends_with("sleep in stuck; sleep"), "{what}");
    }

    #[test]
    fn tests_of_missing_programs_are_skipped_by_name() {
        assert!(skip(&[], &[]).is_empty());
        assert_eq!(skip(&["curl"], &[]), ["--", "--skip", "curl"]);
        assert_eq!(skip(&["curl"], &["--".to_owned(), "seal".to_owned()]), ["--skip", "curl"]);
    }
}
