// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the virtual machine boots with: busybox, the kernel's modules, our programs, curl, and the libraries of these.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Programs, only};
use crate::process::{output, run as run_command};
use crate::{Failure, Result, workspace};

/// Modules of the kernel, which the first process loads in the order of what they need.
const MODULES: [&str; 5] = [
    "virt/lib/irqbypass",
    "drivers/vfio/vfio",
    "drivers/vfio/vfio_iommu_type1",
    "drivers/vfio/pci/vfio-pci-core",
    "drivers/vfio/pci/vfio-pci",
];

/// A digit of eight rows of eight pixels that the embedded model takes for a 4.
const IMAGE: &str = r#"{"data":[[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9]]}"#;

/// Packs it into a file in `scratch`. It is not compressed: unpacking takes a machine without KVM longer than reading.
pub(super) fn pack(tools: &Path, programs: &Programs, scratch: &Path) -> Result<PathBuf> {
    let root = scratch.join("root");
    for folder in ["bin", "dev", "etc", "modules", "proc", "sys", "tmp"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(Failure::at(folder.display()))?;
    }
    let busybox = tools.join("usr/bin/busybox");
    copy(&busybox, &root.join("bin/busybox"))?;
    copy(&workspace::root().join("tests/vm/init"), &root.join("init"))?;
    modules(tools, &busybox, &root.join("modules"))?;
    let inside = [
        (programs.sealgate.clone(), "bin/sealgate"),
        (programs.transports.clone(), "bin/transports"),
        (of_system("curl")?, "bin/curl"),
        // That of busybox does not change users.
        (of_system("setpriv")?, "bin/setpriv"),
    ];
    let mut libraries = BTreeSet::new();
    for (program, place) in &inside {
        libraries.extend(libraries_of(program)?);
        let place = root.join(place);
        copy(program, &place)?;
        // What debuggers read is most of it.
        run_command(Command::new("strip").arg(&place))?;
    }
    for library in &libraries {
        copy(library, &root.join(library.strip_prefix("/").unwrap_or(library)))?;
    }
    let files = [
        ("image.json", IMAGE),
        ("etc/hosts", "127.0.0.1 localhost\n"),
        ("etc/passwd", "root:x:0:0::/:/bin/sh\nsealgate:x:1000:1000::/:/bin/sh\n"),
        ("etc/group", "root:x:0:\nsealgate:x:1000:\n"),
    ];
    for (name, text) in files {
        let path = root.join(name);
        fs::write(&path, text).map_err(Failure::at(path.display()))?;
    }
    let archive = scratch.join("initramfs.cpio");
    let file = fs::File::create(&archive).map_err(Failure::at(archive.display()))?;
    let script = format!("find . | {} cpio -o -H newc", busybox.display());
    let mut cpio = Command::new("sh");
    cpio.current_dir(&root).args(["-c", &script]).stdout(file).stderr(Stdio::null());
    run_command(&mut cpio)?;
    Ok(archive)
}

/// The kernel loads modules that are not compressed.
fn modules(tools: &Path, busybox: &Path, into: &Path) -> Result<()> {
    let kernel = only(&tools.join("usr/lib/modules"), "")?.join("kernel");
    for module in MODULES {
        let packed = kernel.join(module).with_extension("ko.xz");
        let name = Path::new(module).file_name().unwrap_or_default();
        let place = into.join(name).with_extension("ko");
        let file = fs::File::create(&place).map_err(Failure::at(place.display()))?;
        let packed_file = fs::File::open(&packed).map_err(Failure::at(packed.display()))?;
        run_command(Command::new(busybox).arg("unxz").stdin(packed_file).stdout(file))?;
    }
    Ok(())
}

/// Where a program of the system is.
fn of_system(name: &str) -> Result<PathBuf> {
    let path = output(Command::new("sh").args(["-c", &format!("command -v {name}")]))?;
    Ok(path.trim_end().into())
}

/// The libraries that a program is loaded with, and what loads them.
fn libraries_of(program: &Path) -> Result<Vec<PathBuf>> {
    let listed = output(Command::new("ldd").arg(program))?;
    // Such as "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)", or the path alone.
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(listed.lines().filter_map(path).collect())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let what = || format!("{} to {}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(Failure::at(what()))?;
    }
    fs::copy(from, to).map_err(Failure::at(what()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).map_err(Failure::at(what()))
}
