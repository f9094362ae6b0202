// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How long each part of a chore took.

use std::time::{Duration, Instant};

use crate::Result;

/// The parts that were run, with their times.
#[derive(Default)]
pub(crate) struct Parts(Vec<(&'static str, Duration)>);

impl Parts {
    /// Runs a part, saying so before.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        part: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        eprintln!("== {name}");
        let start = Instant::now();
        let result = part();
        self.0.push((name, start.elapsed()));
        result
    }

    /// Prints the times.
    pub(crate) fn print(&self) {
        println!();
        for (name, time) in &self.0 {
            println!("{:>8.1} s  {name}", time.as_secs_f64());
        }
        let total: Duration = self.0.iter().map(|(_, time)| time).sum();
        println!("{:>8.1} s  together", total.as_secs_f64());
    }
}
