// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Folders for what is needed for a while.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Failure, Result};

/// A new folder of our own, removed with all that is in it when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `name` tells whoever finds it what it was for.
    pub(crate) fn new(name: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("sealgate-{name}-{}-{count}", process::id()));
        fs::create_dir(&path).map_err(Failure::at(path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays behind; what it was for has ended either way.
        let _ = fs::remove_dir_all(&self.0);
    }
}
