// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What outlives the program: one file, changed by transactions that are on the disk before they
//! count.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::target::{Target, TargetName};

/// The file, in the folder of the state.
const FILE: &str = "state.redb";

/// Keys are in it: for the owner alone.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Whoever may write the folder may put another file, or another socket, in the place of ours.
const OTHERS_WRITE: u32 = 0o022;

/// Targets by name, as JSON.
const TARGETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("targets");

/// What issuers keep for themselves, by a name of their own: an account, an authority's key.
const SECRETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("secrets");

/// What is written to see whether the disk takes as much as a certificate and its key.
const PROBE: &str = "probe";
const PROBE_BYTES: usize = 16 << 10;

/// The state of a server; clones are the same file. Held by one program at a time.
///
/// A transaction that was cut short never happened: the file is as it was before. Calls wait for
/// the disk.
#[derive(Clone, Debug)]
pub struct Store {
    /// None while it could not be opened again after a failure of the disk.
    database: Arc<RwLock<Option<Database>>>,
    path: Arc<PathBuf>,
}

impl Store {
    /// Opens the state in `folder`, which is made if it is not there, for the owner alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when others may read it, another program holds it, or it is damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(failed)?;
        let mode = fs::metadata(folder).map_err(failed)?.permissions().mode() & 0o777;
        if mode & OTHERS_WRITE != 0 {
            return Err(StoreError::Writable { path: folder.to_owned(), mode });
        }
        let path = folder.join(FILE);
        let database = open_file(&path)?;
        // The name of a new file is as much to be kept as what is in it.
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        let database = Arc::new(RwLock::new(Some(database)));
        let store = Self { database, path: Arc::new(path) };
        store.write(|_, _| Ok(()))?;
        Ok(store)
    }

    /// All targets.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read or holds what this version does not know.
    pub fn targets(&self) -> Result<BTreeMap<TargetName, Target>, StoreError> {
        let read = |database: &Database| -> Result<Vec<Vec<u8>>, redb::Error> {
            let table = database.begin_read()?.open_table(TARGETS)?;
            table.iter()?.map(|entry| Ok(entry?.1.value().to_vec())).collect()
        };
        let mut targets = BTreeMap::new();
        for kept in self.read(read)? {
            let kept = Zeroizing::new(kept);
            let target: Target = serde_json::from_slice(&kept).map_err(|error| {
                // What serde shows of the text could be a key.
                let (line, column) = (error.line(), error.column());
                StoreError::Unknown { path: self.path.to_path_buf(), line, column }
            })?;
            targets.insert(target.name.clone(), target);
        }
        Ok(targets)
    }

    /// Keeps all of `targets` and forgets those named by `gone`: everything or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the disk does not take it.
    pub fn keep(&self, targets: &[&Target], gone: &[&TargetName]) -> Result<(), StoreError> {
        self.write(|table, _| {
            for target in targets {
                let json = serde_json::to_vec(target).map_err(io::Error::from)?;
                table.insert(target.name.as_str(), Zeroizing::new(json).as_slice())?;
            }
            for name in gone {
                table.remove(name.as_str())?;
            }
            Ok(())
        })
    }

    /// A secret of an issuer.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read.
    pub fn secret(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.read(|database| {
            let table = database.begin_read()?.open_table(SECRETS)?;
            Ok(table.get(name)?.map(|kept| Zeroizing::new(kept.value().to_vec())))
        })
    }

    /// Whether changes could be kept now: asked before anything is begun that cannot be taken back.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the disk takes nothing.
    pub fn probe(&self) -> Result<(), StoreError> {
        self.keep_secret(PROBE, &[0; PROBE_BYTES])
    }

    /// Keeps a secret of an issuer.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the disk does not take it.
    pub fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<(), StoreError> {
        self.write(|_, table| table.insert(name, secret).map(drop).map_err(redb::Error::from))
    }

    /// Forgets a secret of an issuer, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the disk does not take it.
    pub fn forget_secret(&self, name: &str) -> Result<(), StoreError> {
        if self.secret(name)?.is_none() {
            return Ok(());
        }
        self.write(|_, table| Ok(table.remove(name).map(drop)?))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let read = database.as_ref().ok_or(redb::Error::PreviousIo).and_then(read);
        read.map_err(|source| StoreError::Damaged { path: self.path.to_path_buf(), source })
    }

    /// A database that has failed to write takes nothing more until it is opened again, as after a crash.
    fn write(
        &self,
        change: impl Fn(&mut Table<'_>, &mut Table<'_>) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let failed = |source| StoreError::Write { path: self.path.to_path_buf(), source };
        let written = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            let present = database.as_ref().ok_or(redb::Error::PreviousIo);
            present.and_then(|database| commit(database, &change))
        };
        let Err(redb::Error::PreviousIo | redb::Error::Io(_)) = &written else {
            return written.map_err(failed);
        };
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // It has to be closed before.
        *database = None;
        let opened = database.insert(open_file(&self.path)?);
        commit(opened, &change).map_err(failed)
    }
}

/// Opens the file, which is made if it is not there.
fn open_file(path: &Path) -> Result<Database, StoreError> {
    let failed = |source| StoreError::Folder { path: path.to_owned(), source };
    // Made with its mode: at no time may others read it.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
        .map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & !FILE_MODE != 0 {
        return Err(StoreError::Readable { path: path.to_owned(), mode });
    }
    let damaged = |source| StoreError::Damaged { path: path.to_owned(), source };
    // It asserts that the file is as long as its header says.
    let opened = panic::catch_unwind(|| Builder::new().create_file(file)).map_err(|_| {
        damaged(redb::Error::Corrupted("its length is not that of its header".to_owned()))
    })?;
    opened.map_err(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StoreError::Held { path: path.to_owned() },
        other => damaged(other.into()),
    })
}

fn commit(
    database: &Database,
    change: impl Fn(&mut Table<'_>, &mut Table<'_>) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut targets = transaction.open_table(TARGETS)?;
        let mut secrets = transaction.open_table(SECRETS)?;
        change(&mut targets, &mut secrets)?;
    }
    Ok(transaction.commit()?)
}

type Table<'a> = redb::Table<'a, &'static str, &'static [u8]>;

/// Why the state cannot be had or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder or the file cannot be opened.
    #[error("the state in {} cannot be opened", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the file.
    #[error(
        "{} holds private keys and has mode {mode:03o}: chmod 600 it, and replace the keys if others may have read it",
        path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Others may write the folder.
    #[error("{} has mode {mode:03o}, and keys are to be kept in it: chmod go-w it, or name another folder", path.display())]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Another program has the file open.
    #[error("{} is held by another sealgate: stop it, or name another folder", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: redb::Error,
    },
    /// The file holds something of another version.
    #[error("{} holds a target that this version does not know (at {line}:{column} of its record)", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Where in the record.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A change could not be written.
    #[error("the change could not be written to {}; nothing has changed", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: redb::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Kind;

    fn target(name: &str) -> Target {
        Target::new(TargetName::parse(name).unwrap(), Kind::Provisioned)
    }

    #[test]
    fn what_is_kept_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let store = Store::open(&state).unwrap();
        let (one, two) = (target("one"), target("two"));
        store.keep(&[&one, &two], &[]).unwrap();
        store.keep_secret("account", b"secret").unwrap();
        store.keep(&[], &[&two.name]).unwrap();
        drop(store);
        let store = Store::open(&state).unwrap();
        assert_eq!(store.targets().unwrap().into_values().collect::<Vec<_>>(), [one]);
        assert_eq!(store.secret("account").unwrap().unwrap().as_slice(), b"secret");
        assert!(store.secret("other").unwrap().is_none());
        store.forget_secret("other").unwrap();
        store.forget_secret("account").unwrap();
        assert!(store.secret("account").unwrap().is_none());
    }

    #[test]
    fn what_the_disk_did_not_take_is_taken_later() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&[&target("one")], &[]).unwrap();
        // As it is after a failure of the disk, until it is opened again.
        *store.database.write().unwrap() = None;
        assert!(store.targets().is_err());
        store.probe().unwrap();
        store.keep(&[&target("two")], &[]).unwrap();
        assert_eq!(store.targets().unwrap().len(), 2);
    }

    #[test]
    fn the_file_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        drop(Store::open(&state).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join(FILE))), (0o700, 0o600));
        fs::set_permissions(state.join(FILE), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Store::open(&state), Err(StoreError::Readable { mode: 0o640, .. })));
        fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Store::open(&state), Err(StoreError::Writable { mode: 0o777, .. })));
    }

    #[test]
    fn one_program_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Held { .. })));
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, [7; 4096]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn a_file_that_was_cut_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep_secret("large", &vec![7; 300_000]).unwrap();
        drop(store);
        let file = OpenOptions::new().write(true).open(folder.path().join(FILE)).unwrap();
        file.set_len(file.metadata().unwrap().len() - 200_000).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Damaged { .. })));
    }
}
