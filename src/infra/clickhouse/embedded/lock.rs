//! One process per data directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Why the data directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "the data directory {} is in use by process {holder}: stop that process, or choose another directory with BROKLE_DATA_DIR",
        .directory.display()
    )]
    Held {
        /// The data directory.
        directory: PathBuf,
        /// Its process id, or `unknown`.
        holder: String,
    },
    /// The directory or the lock file in it cannot be written.
    #[error("the data directory {} cannot be used: {source}", .directory.display())]
    Io {
        /// The data directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Holds the data directory until dropped, or until the process ends in any way.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    // Closing the file releases the lock.
    _file: File,
}

impl DirectoryLock {
    const FILE_NAME: &str = "engine.lock";

    /// Takes the lock and writes this process's id into the file.
    ///
    /// The file stays when the lock is released: removing it would let two processes lock two different files.
    pub(super) fn acquire(directory: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io { directory: directory.to_owned(), source };
        // Prompts and answers lie in it: for this user alone, whatever the umask.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(directory.join(Self::FILE_NAME)).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let holder = match file.read_to_string(&mut holder) {
                    Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
                    _ => "unknown".to_owned(),
                };
                return Err(LockError::Held { directory: directory.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| writeln!(file, "{}", std::process::id())).map_err(io)?;
        Ok(Self { _file: file })
    }
}
