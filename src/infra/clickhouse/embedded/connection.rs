//! One connection of the engine, used by one thread at a time.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char, c_void},
    marker::PhantomData,
    ptr::{self, NonNull},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    exception::{Exception, code},
    library::{Analysis, Library, RawConnection, RawInsert, RawResult, text_of},
};

/// Name and value pairs: settings or query parameters.
pub(super) type Pairs = Vec<(String, String)>;

/// What a statement runs under.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// Current database; empty means `default`.
    pub(super) database: String,
    /// Settings on top of those of the connection.
    pub(super) settings: Pairs,
}

/// What a statement would do. Source: `chdb_query_class` of chdb.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    ReadOnly,
    Mutating,
    /// `SET`, `USE`, `KILL`, `SYSTEM`, transactions, `INTO OUTFILE`.
    Control,
    Unknown,
}

/// Figures of a finished statement.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Summary {
    /// Rows read from tables.
    pub(super) read_rows: u64,
    /// Bytes read from tables.
    pub(super) read_bytes: u64,
    pub(super) written_rows: u64,
    pub(super) written_bytes: u64,
    pub(super) result_rows: u64,
    pub(super) result_bytes: u64,
    pub(super) elapsed_seconds: f64,
}

pub(super) struct Connection {
    library: Arc<Library>,
    handle: NonNull<*mut RawConnection>,
    base: Arc<Pairs>,
    applied: BTreeMap<String, String>,
    database: String,
}

// SAFETY: a connection is tied to no thread; the library only asks that one statement runs on it at a time, which `&mut`
// on every method that runs one enforces.
unsafe impl Send for Connection {}

impl Connection {
    const HOME_DATABASE: &str = "default";

    /// Opens a connection and applies `base` to its session.
    pub(super) fn open(library: &Arc<Library>, arguments: &[CString], base: &Arc<Pairs>) -> Result<Self, Exception> {
        let pointers: Vec<*const c_char> = arguments.iter().map(|argument| argument.as_ptr()).collect();
        let count = i32::try_from(pointers.len()).unwrap_or(i32::MAX);
        // SAFETY: `pointers` has `count` NUL-terminated strings, alive during the call.
        let handle = unsafe { (library.connect)(count, pointers.as_ptr()) };
        let handle = NonNull::new(handle).ok_or_else(|| {
            Exception::new(code::UNKNOWN_EXCEPTION, "CANNOT_OPEN_ENGINE", "the engine refused to open its data directory")
        })?;
        let mut connection = Self {
            library: Arc::clone(library),
            handle,
            base: Arc::clone(base),
            applied: BTreeMap::new(),
            database: Self::HOME_DATABASE.to_owned(),
        };
        if let Some(statement) = set_statement(base.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())))) {
            connection.query(&statement, "Null", &[])?;
        }
        Ok(connection)
    }

    fn raw(&self) -> *mut RawConnection {
        // SAFETY: the handle came from `connect` and is not closed before drop.
        unsafe { *self.handle.as_ptr() }
    }

    /// Brings database and settings of the connection to what `session` asks for; does nothing when they are there.
    pub(super) fn prepare(&mut self, session: &Session) -> Result<(), Exception> {
        let database = if session.database.is_empty() { Self::HOME_DATABASE } else { session.database.as_str() };
        if database != self.database {
            self.query(&format!("USE {}", quote_identifier(database)), "Null", &[])?;
            database.clone_into(&mut self.database);
        }
        let wanted: BTreeMap<&str, &str> = session.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let base = Arc::clone(&self.base);
        let back = |name: &str| base.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let mut changes: Vec<(String, Option<String>)> = Vec::new();
        for name in self.applied.keys().filter(|name| !wanted.contains_key(name.as_str())) {
            changes.push((name.clone(), back(name)));
        }
        for (name, value) in &wanted {
            if self.applied.get(*name).map(String::as_str) != Some(*value) {
                changes.push(((*name).to_owned(), Some((*value).to_owned())));
            }
        }
        if let Some((name, _)) = changes.iter().find(|(name, _)| !is_setting_name(name)) {
            return Err(Exception::new(115, "UNKNOWN_SETTING", format_args!("Unknown setting '{}'", name.escape_debug())));
        }
        if let Some(statement) = set_statement(changes.iter().map(|(name, value)| (name.as_str(), value.as_deref()))) {
            // Applied as a whole or not at all, so on failure the connection is as before.
            self.query(&statement, "Null", &[])?;
            self.applied = wanted.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        }
        Ok(())
    }

    /// What a statement would do, by the engine's own parser.
    pub(super) fn classify(&mut self, statement: &str) -> (Class, u32) {
        let mut analysis =
            Analysis { struct_size: u32::try_from(size_of::<Analysis>()).unwrap_or(0), statement_count: 0, flags: 0, query_class: 4 };
        // SAFETY: the statement is alive during the call and its length is its own; the report's size is stated in it.
        let state =
            unsafe { (self.library.classify)(self.raw(), statement.as_ptr().cast(), statement.len(), ptr::null(), 0, &raw mut analysis) };
        let class = match (state, analysis.query_class) {
            (0, 0) => Class::ReadOnly,
            (0, 1 | 2) => Class::Mutating,
            (0, 3) => Class::Control,
            _ => Class::Unknown,
        };
        (class, analysis.statement_count)
    }

    /// Runs a statement and returns its whole answer.
    pub(super) fn query(&mut self, statement: &str, format: &str, parameters: &[(String, String)]) -> Result<(Bytes, Summary), Exception> {
        let parameters = Parameters::new(parameters);
        // SAFETY: all pointers and lengths describe slices that are alive during the call.
        let result = unsafe {
            (self.library.query)(
                self.raw(),
                statement.as_ptr().cast(),
                statement.len(),
                format.as_ptr().cast(),
                format.len(),
                parameters.names.as_ptr(),
                parameters.name_lengths.as_ptr(),
                parameters.values.as_ptr(),
                parameters.value_lengths.as_ptr(),
                parameters.names.len(),
            )
        };
        let result = Answer::new(&self.library, result)?;
        result.error()?;
        Ok((result.bytes(), result.summary()))
    }

    /// Lets go of what a failed statement left behind.
    ///
    /// The engine keeps the pipeline of a streamed statement that failed, and its entry in the list of processes, until
    /// the next statement on the connection; on an idle one that may be long.
    pub(super) fn settle(&mut self) {
        if let Err(error) = self.query("SELECT 1", "Null", &[]) {
            tracing::debug!(%error, "a connection of the engine did not settle");
        }
    }

    /// Starts a SELECT whose blocks are fetched one by one.
    pub(super) fn select(&mut self, statement: &str, format: &str, parameters: &[(String, String)]) -> Result<Select<'_>, Exception> {
        let parameters = Parameters::new(parameters);
        // SAFETY: as in `query`.
        let result = unsafe {
            (self.library.stream_query)(
                self.raw(),
                statement.as_ptr().cast(),
                statement.len(),
                format.as_ptr().cast(),
                format.len(),
                parameters.names.as_ptr(),
                parameters.name_lengths.as_ptr(),
                parameters.values.as_ptr(),
                parameters.value_lengths.as_ptr(),
                parameters.names.len(),
            )
        };
        let stream = Answer::new(&self.library, result)?;
        stream.error()?;
        Ok(Select { connection: self, stream, summary: Summary::default() })
    }

    /// Starts an INSERT that is fed in chunks. `statement` has no FORMAT clause and no data.
    pub(super) fn insert(&mut self, statement: &str, format: &str, parameters: &[(String, String)]) -> Result<Insert<'_>, Exception> {
        let parameters = Parameters::new(parameters);
        // SAFETY: as in `query`.
        let stream = unsafe {
            (self.library.insert)(
                self.raw(),
                statement.as_ptr().cast(),
                statement.len(),
                format.as_ptr().cast(),
                format.len(),
                parameters.names.as_ptr(),
                parameters.name_lengths.as_ptr(),
                parameters.values.as_ptr(),
                parameters.value_lengths.as_ptr(),
                parameters.names.len(),
            )
        };
        let stream = NonNull::new(stream).ok_or_else(no_answer)?;
        let insert = Insert { library: Arc::clone(&self.library), stream, open: true, _connection: PhantomData };
        insert.error()?;
        Ok(insert)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once; no statement is running, since those borrow the connection.
        unsafe { (self.library.close)(self.handle.as_ptr()) };
    }
}

/// A running SELECT. Dropping it early cancels it.
pub(super) struct Select<'c> {
    connection: &'c mut Connection,
    stream: Answer,
    summary: Summary,
}

impl Select<'_> {
    /// The next block as a complete document of the format, or nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Exception> {
        // SAFETY: both handles are alive, and `&mut` keeps a second fetch away.
        let block = unsafe { (self.connection.library.stream_fetch)(self.connection.raw(), self.stream.handle.as_ptr()) };
        let block = Answer::new(&self.connection.library, block)?;
        block.error()?;
        let bytes = block.bytes();
        let part = block.summary();
        self.summary.result_rows += part.result_rows;
        self.summary.result_bytes += part.result_bytes;
        self.summary.read_rows = self.summary.read_rows.max(part.read_rows);
        self.summary.read_bytes = self.summary.read_bytes.max(part.read_bytes);
        Ok(if bytes.is_empty() { None } else { Some(bytes) })
    }

    /// Figures of the blocks fetched so far.
    pub(super) fn summary(&self) -> Summary {
        self.summary
    }
}

impl Drop for Select<'_> {
    fn drop(&mut self) {
        // A statement that ended or failed must be cancelled too, or it stays in the list of processes.
        // SAFETY: both handles are alive; the stream is destroyed after this, when the field is dropped.
        unsafe { (self.connection.library.stream_cancel)(self.connection.raw(), self.stream.handle.as_ptr()) };
    }
}

/// An INSERT that is being fed. Dropping it before [`Insert::finish`] cancels it.
pub(super) struct Insert<'c> {
    library: Arc<Library>,
    stream: NonNull<RawInsert>,
    open: bool,
    _connection: PhantomData<&'c mut Connection>,
}

impl Insert<'_> {
    fn error(&self) -> Result<(), Exception> {
        // SAFETY: the stream is alive until drop.
        match unsafe { text_of((self.library.insert_error)(self.stream.as_ptr())) } {
            None => Ok(()),
            Some(text) => Err(Exception::parse(&text)),
        }
    }

    /// Hands over the next bytes of the data; blocks while the engine is behind.
    pub(super) fn append(&mut self, data: &[u8]) -> Result<(), Exception> {
        // SAFETY: the stream is alive and the library copies the bytes before it returns.
        let state = unsafe { (self.library.insert_append)(self.stream.as_ptr(), data.as_ptr().cast::<c_void>(), data.len()) };
        if state == 0 {
            return Ok(());
        }
        self.error()?;
        Err(no_answer())
    }

    /// Ends the data; the rows are stored when this returns.
    pub(super) fn finish(mut self) -> Result<Summary, Exception> {
        self.open = false;
        // SAFETY: the stream is alive and was neither finished nor cancelled.
        let result = unsafe { (self.library.insert_done)(self.stream.as_ptr()) };
        let result = Answer::new(&self.library, result)?;
        result.error()?;
        Ok(result.summary())
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        if self.open {
            // SAFETY: the stream is alive and was not finished.
            unsafe { (self.library.insert_cancel)(self.stream.as_ptr()) };
        }
        // SAFETY: destroyed once, here.
        unsafe { (self.library.destroy_insert)(self.stream.as_ptr()) };
    }
}

struct Answer {
    library: Arc<Library>,
    handle: NonNull<RawResult>,
}

impl Answer {
    fn new(library: &Arc<Library>, handle: *mut RawResult) -> Result<Self, Exception> {
        NonNull::new(handle).map(|handle| Self { library: Arc::clone(library), handle }).ok_or_else(no_answer)
    }

    fn error(&self) -> Result<(), Exception> {
        // SAFETY: the result is alive until drop; the text lives as long.
        match unsafe { text_of((self.library.result_error)(self.handle.as_ptr())) } {
            None => Ok(()),
            Some(text) => Err(Exception::parse(&text)),
        }
    }

    fn bytes(&self) -> Bytes {
        // SAFETY: the result is alive until drop.
        let (buffer, length) =
            unsafe { ((self.library.result_buffer)(self.handle.as_ptr()), (self.library.result_length)(self.handle.as_ptr())) };
        if buffer.is_null() || length == 0 {
            return Bytes::new();
        }
        // Copied: the memory belongs to the library and must not outlive the connection it came from.
        // SAFETY: `buffer` points at `length` bytes that stay valid until the result is destroyed.
        Bytes::copy_from_slice(unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), length) })
    }

    fn summary(&self) -> Summary {
        let handle = self.handle.as_ptr();
        // SAFETY: the result is alive until drop; these only read figures from it.
        unsafe {
            Summary {
                read_rows: (self.library.result_storage_rows)(handle),
                read_bytes: (self.library.result_storage_bytes)(handle),
                written_rows: (self.library.result_rows_written)(handle),
                written_bytes: (self.library.result_bytes_written)(handle),
                result_rows: (self.library.result_rows)(handle),
                result_bytes: (self.library.result_length)(handle) as u64,
                elapsed_seconds: (self.library.result_elapsed)(handle),
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: destroyed once, here.
        unsafe { (self.library.destroy_result)(self.handle.as_ptr()) };
    }
}

fn no_answer() -> Exception {
    Exception::new(code::UNKNOWN_EXCEPTION, "NO_ANSWER", "the engine returned no result")
}

/// Query parameters in the shape the library takes them.
struct Parameters<'p> {
    names: Vec<*const c_char>,
    name_lengths: Vec<usize>,
    values: Vec<*const c_char>,
    value_lengths: Vec<usize>,
    _pairs: PhantomData<&'p [(String, String)]>,
}

impl<'p> Parameters<'p> {
    fn new(pairs: &'p [(String, String)]) -> Self {
        Self {
            names: pairs.iter().map(|(name, _)| name.as_ptr().cast()).collect(),
            name_lengths: pairs.iter().map(|(name, _)| name.len()).collect(),
            values: pairs.iter().map(|(_, value)| value.as_ptr().cast()).collect(),
            value_lengths: pairs.iter().map(|(_, value)| value.len()).collect(),
            _pairs: PhantomData,
        }
    }
}

fn set_statement<'a>(changes: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Option<String> {
    let list: Vec<String> = changes
        .map(|(name, value)| match value {
            Some(value) => format!("{name} = {}", quote_string(value)),
            None => format!("{name} = DEFAULT"),
        })
        .collect();
    (!list.is_empty()).then(|| format!("SET {}", list.join(", ")))
}

/// Whether a text can be written into a SET statement as the name of a setting.
fn is_setting_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn quote_string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn quote_identifier(text: &str) -> String {
    format!("`{}`", text.replace('\\', "\\\\").replace('`', "\\`"))
}

#[cfg(test)]
mod tests {
    use super::{is_setting_name, quote_identifier, quote_string, set_statement};

    #[test]
    fn settings_cannot_break_out_of_their_quotes() {
        assert_eq!(
            set_statement([("max_threads", Some("2")), ("token", Some("a'b\\'; DROP")), ("gone", None)].into_iter()),
            Some("SET max_threads = '2', token = 'a\\'b\\\\\\'; DROP', gone = DEFAULT".to_owned())
        );
        assert_eq!(quote_string("\\"), "'\\\\'");
        assert_eq!(quote_identifier("a`b"), "`a\\`b`");
    }

    #[test]
    fn names_of_settings_are_words() {
        assert!(is_setting_name("max_threads"));
        for name in ["", "1a", "a b", "a=1", "a;", "ä"] {
            assert!(!is_setting_name(name), "{name}");
        }
    }
}
