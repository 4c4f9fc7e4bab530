//! Finding and opening the engine's shared library.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    fs::File,
    io::{Read, Seek, SeekFrom},
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

use libloading::os::unix;

/// Version of the library this build is made for, as `chdb_version()` reports it.
pub const LIBRARY_VERSION: &str = "26.7.3";

/// Version of the package that carries the library; names the folder in the per-user cache.
pub const PACKAGE_VERSION: &str = "26.7.3-stable.1";

/// File name of the library wherever it is looked for.
pub const FILE_NAME: &str = "libchdb.so";

/// Why the engine's library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// None of the places has it.
    #[error(
        "the ClickHouse engine ({FILE_NAME}) was not found in {}: run `make engine` to fetch it, or set BROKLE_ENGINE_LIB to its path",
        list(.looked)
    )]
    Missing {
        /// Every place that was tried, in order.
        looked: Vec<PathBuf>,
    },
    /// The path given by name does not exist or cannot be read.
    #[error("BROKLE_ENGINE_LIB names {}, which cannot be read ({reason}): correct it, or unset it and run `make engine`", .path.display())]
    Unreadable {
        /// The path given.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file is there, but it is no library for this machine.
    #[error("{} is not a shared library of this platform ({reason}): delete it and run `make engine`", .path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A library, but another one.
    #[error("{} is not the ClickHouse engine, or another version of it: it has no `{symbol}`; delete it and run `make engine`", .path.display())]
    MissingSymbol {
        /// The file.
        path: PathBuf,
        /// The first function that was not found.
        symbol: &'static str,
    },
    /// The engine, in a version this build was not tested with.
    #[error("{} is version {found} of the engine, this build needs {LIBRARY_VERSION}: run `make engine`", .path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        found: String,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Where to look for the library. Nothing here reads the environment; the configuration hands the paths in.
#[derive(Debug, Clone, Default)]
pub struct LibrarySearch {
    /// `BROKLE_ENGINE_LIB`: when given, the only place that is tried.
    pub explicit: Option<PathBuf>,
    /// The user's cache directory, usually `~/.cache`; `brokle/engine/<version>/libchdb.so` below it is tried.
    pub cache_home: Option<PathBuf>,
}

impl LibrarySearch {
    /// The usual search for the current user.
    ///
    /// `xdg_cache_home` is the value of XDG_CACHE_HOME; without it the cache is `.cache` in the home directory.
    #[must_use]
    pub fn for_user(explicit: Option<PathBuf>, xdg_cache_home: Option<PathBuf>) -> Self {
        let cache_home = xdg_cache_home.filter(|path| path.is_absolute()).or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        Self { explicit, cache_home }
    }

    /// Every place that is tried, in order.
    #[must_use]
    pub fn candidates(&self) -> Vec<PathBuf> {
        if let Some(path) = &self.explicit {
            return vec![path.clone()];
        }
        let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|dir| dir.join(FILE_NAME)));
        let cached = self.cache_home.as_ref().map(|home| home.join("brokle/engine").join(PACKAGE_VERSION).join(FILE_NAME));
        let system = Some(Path::new("/usr/local/lib").join(FILE_NAME));
        [beside, cached, system].into_iter().flatten().collect()
    }

    /// The first place that has a file.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Missing`], or [`LibraryError::Unreadable`] when a path was given by name.
    pub fn find(&self) -> Result<PathBuf, LibraryError> {
        if let Some(path) = &self.explicit {
            return match std::fs::metadata(path) {
                Ok(meta) if meta.is_file() => Ok(path.clone()),
                Ok(_) => Err(LibraryError::Unreadable { path: path.clone(), reason: "not a file".to_owned() }),
                Err(error) => Err(LibraryError::Unreadable { path: path.clone(), reason: error.to_string() }),
            };
        }
        let looked = self.candidates();
        match looked.iter().find(|path| path.is_file()) {
            Some(path) => Ok(path.clone()),
            None => Err(LibraryError::Missing { looked }),
        }
    }
}

/// A connection as the library hands it out; opaque.
#[repr(C)]
pub(super) struct RawConnection {
    internal: *mut c_void,
}

/// A result, whole or one block of a stream; opaque.
#[repr(C)]
pub(super) struct RawResult {
    internal: *mut c_void,
}

/// An INSERT that is being fed; opaque.
#[repr(C)]
pub(super) struct RawInsert {
    internal: *mut c_void,
}

type Bytes = *const c_char;
type ByteLists = *const *const c_char;

macro_rules! functions {
    ($($(#[$doc:meta])* $field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// The functions of the library, resolved once.
        ///
        /// Source: `chdb.h` of chdb-core 26.7.3. The library is never unloaded: its threads outlive any handle.
        pub(super) struct Library {
            path: PathBuf,
            $($(#[$doc])* pub(super) $field: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
        }

        impl Library {
            fn resolve(path: &Path, library: &unix::Library) -> Result<Self, LibraryError> {
                $(
                    // SAFETY: the type is the function's declaration in chdb.h, and the library stays loaded for the
                    // rest of the process, so the pointer taken out of the symbol stays valid.
                    let $field = unsafe {
                        library.get::<unsafe extern "C" fn($($argument),*) $(-> $answer)?>($symbol.as_bytes())
                    }
                    .map(|symbol| *symbol)
                    .map_err(|_| LibraryError::MissingSymbol { path: path.to_owned(), symbol: $symbol })?;
                )*
                Ok(Self { path: path.to_owned(), $($field),* })
            }
        }
    };
}

functions! {
    version = "chdb_version": fn() -> Bytes;
    set_signal_handlers_enabled = "chdb_set_signal_handlers_enabled": fn(c_int);
    connect = "chdb_connect": fn(c_int, *const *const c_char) -> *mut *mut RawConnection;
    close = "chdb_close_conn": fn(*mut *mut RawConnection);
    shutdown = "chdb_shutdown": fn() -> c_int;
    classify = "chdb_classify_query_n": fn(*mut RawConnection, Bytes, usize, Bytes, usize, *mut Analysis) -> c_int;
    query = "chdb_query_with_params_n": fn(*mut RawConnection, Bytes, usize, Bytes, usize, ByteLists, *const usize, ByteLists, *const usize, usize) -> *mut RawResult;
    stream_query = "chdb_stream_query_with_params_n": fn(*mut RawConnection, Bytes, usize, Bytes, usize, ByteLists, *const usize, ByteLists, *const usize, usize) -> *mut RawResult;
    stream_fetch = "chdb_stream_fetch_result": fn(*mut RawConnection, *mut RawResult) -> *mut RawResult;
    stream_cancel = "chdb_stream_cancel_query": fn(*mut RawConnection, *mut RawResult);
    destroy_result = "chdb_destroy_query_result": fn(*mut RawResult);
    insert = "chdb_stream_insert_with_params_n": fn(*mut RawConnection, Bytes, usize, Bytes, usize, ByteLists, *const usize, ByteLists, *const usize, usize) -> *mut RawInsert;
    insert_append = "chdb_stream_append": fn(*mut RawInsert, *const c_void, usize) -> c_int;
    insert_done = "chdb_stream_done": fn(*mut RawInsert) -> *mut RawResult;
    insert_cancel = "chdb_stream_cancel_insert": fn(*mut RawInsert);
    insert_error = "chdb_stream_insert_error": fn(*mut RawInsert) -> Bytes;
    destroy_insert = "chdb_destroy_insert_stream": fn(*mut RawInsert);
    result_buffer = "chdb_result_buffer": fn(*mut RawResult) -> *mut c_char;
    result_length = "chdb_result_length": fn(*mut RawResult) -> usize;
    result_elapsed = "chdb_result_elapsed": fn(*mut RawResult) -> f64;
    result_rows = "chdb_result_rows_read": fn(*mut RawResult) -> u64;
    result_storage_rows = "chdb_result_storage_rows_read": fn(*mut RawResult) -> u64;
    result_storage_bytes = "chdb_result_storage_bytes_read": fn(*mut RawResult) -> u64;
    result_rows_written = "chdb_result_rows_written": fn(*mut RawResult) -> u64;
    result_bytes_written = "chdb_result_bytes_written": fn(*mut RawResult) -> u64;
    result_error = "chdb_result_error": fn(*mut RawResult) -> Bytes;
}

/// What a statement would do, without running it: `chdb_query_analysis_v1`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    pub(super) struct_size: u32,
    pub(super) statement_count: u32,
    pub(super) flags: u32,
    pub(super) query_class: u32,
}

impl Library {
    /// Finds the library, opens it and checks that it is the one this build was made for.
    ///
    /// Takes some hundredths of a second when the file is cached by the system. Signal handlers of the library are
    /// switched off before anything else happens in it.
    ///
    /// # Errors
    ///
    /// [`LibraryError`], each variant with what to do about it.
    pub(super) fn open(search: &LibrarySearch) -> Result<Self, LibraryError> {
        let path = search.find()?;
        check_elf(&path)?;
        // SAFETY: loading runs the library's initialisers; it was found where only the operator puts files, and
        // everything that can be checked without running it has been. Lazily bound and local, so that its many
        // symbols neither cost time now nor shadow ours.
        let library = unsafe { unix::Library::open(Some(&path), unix::RTLD_LAZY | unix::RTLD_LOCAL) }
            .map_err(|error| LibraryError::NotALibrary { path: path.clone(), reason: error.to_string() })?;
        // Its background threads may run until the process ends: unloading it would pull the code from under them.
        let library = ManuallyDrop::new(library);
        let functions = Self::resolve(&path, &library)?;
        let found = functions.version_text();
        if found != LIBRARY_VERSION {
            return Err(LibraryError::OtherVersion { path, found });
        }
        // SAFETY: resolved above; the function only sets a flag, and nothing has connected yet.
        unsafe { (functions.set_signal_handlers_enabled)(0) };
        leave_without_destructors();
        Ok(functions)
    }

    /// The file that was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What `chdb_version()` says, for example `26.7.3`.
    pub(super) fn version_text(&self) -> String {
        // SAFETY: takes no argument and returns a static string.
        let text = unsafe { (self.version)() };
        // SAFETY: as above; null is handled.
        unsafe { text_of(text) }.unwrap_or_default()
    }
}

unsafe extern "C" {
    /// glibc's `on_exit`: as `atexit`, and tells the handler the exit status.
    safe fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// Makes the process end without the library's destructors, from now on.
///
/// They run while threads of the engine still do (a shutdown leaves some), which now and then ends a process that did
/// everything right with a segmentation fault. Exit handlers run in reverse order of their registration, and the library
/// registers more of them whenever it first comes by some piece of its code. So this is called again as statements are
/// run, each time the number of them has doubled, and at last at shutdown.
pub(super) fn leave_without_destructors() {
    extern "C" fn leave(status: c_int, _: *mut c_void) {
        // SAFETY: ends the process; Rust's own streams were flushed before exit handlers run.
        unsafe { libc::_exit(status) }
    }
    // Fails only for want of memory; the process then leaves as it did without it.
    let _ = on_exit(leave, std::ptr::null_mut());
}

/// Copies a C string of the library.
///
/// # Safety
///
/// `text` is null or points at a NUL-terminated string that stays valid during the call.
pub(super) unsafe fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and NUL-terminated by the caller's promise.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Refuses what the dynamic linker would not survive: it maps a file that was cut off without a word, and the process dies at the
/// first access beyond its end.
fn check_elf(path: &Path) -> Result<(), LibraryError> {
    let refuse = |reason: String| LibraryError::NotALibrary { path: path.to_owned(), reason };
    let end = (|| {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut header = [0_u8; 64];
        file.read_exact(&mut header)?;
        Ok::<_, std::io::Error>((length, elf_end(&header, &mut file)?))
    })();
    match end {
        Ok((length, Some(end))) if end <= length => Ok(()),
        Ok((length, Some(end))) => Err(refuse(format!("it was cut off: {length} of at least {end} bytes"))),
        Ok((_, None)) => Err(refuse("not an ELF file".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(refuse("not an ELF file, or the beginning of one".to_owned()))
        }
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// Where the last segment that is loaded ends, in bytes from the start of the file; none when it is no ELF file. Of another kind of
/// machine's it says 0: the dynamic linker names the difference. Source: elf(5), `Elf64_Ehdr` and `Elf64_Phdr`.
fn elf_end(header: &[u8; 64], file: &mut File) -> std::io::Result<Option<u64>> {
    const CLASS_64: u8 = 2;
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if header[..4] != *b"\x7fELF" {
        return Ok(None);
    }
    if header[4] != CLASS_64 || header[5] != order {
        return Ok(Some(0));
    }
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    let short = |bytes: &[u8]| u64::from(bytes.try_into().map_or(0, u16::from_ne_bytes));
    let (table, size, count) = (number(&header[32..40]), short(&header[54..56]), short(&header[56..58]));
    if size < 56 {
        return Ok(Some(0));
    }
    let mut segments = vec![0_u8; usize::try_from(size * count).unwrap_or(0)];
    file.seek(SeekFrom::Start(table))?;
    file.read_exact(&mut segments)?;
    let ends = segments
        .chunks_exact(usize::try_from(size).unwrap_or(usize::MAX))
        .map(|segment| number(&segment[8..16]).saturating_add(number(&segment[32..40])));
    Ok(ends.max())
}
