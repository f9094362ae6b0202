// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where things are.

use std::env;
use std::path::{self, Path, PathBuf};

/// The features that put the verilated record engine into every crate that can hold it.
pub(crate) const RTL_FEATURES: &str = "sealgate-sim/rtl-lane,sealgate-sim/serve,sealgate-bench/rtl,sealgate-cli/rtl,sealgate-tests/rtl,sealgate-benches/rtl,xtask/rtl";

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // Cargo names the folder at run time; the folder at build time may be that of another clone.
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.ancestors().nth(2).map_or_else(|| here.clone(), Path::to_path_buf)
}

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of the tools that setup gets.
pub(crate) fn tools() -> PathBuf {
    let chosen = env::var_os("SEALGATE_TOOLS").map(PathBuf::from);
    // Programs that we start in other folders have to find it too.
    chosen.and_then(|folder| path::absolute(folder).ok()).unwrap_or_else(|| root().join(".tools"))
}
