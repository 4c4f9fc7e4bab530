//! Running one statement of a request on a connection of the right lane.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::sync::{mpsc, oneshot};

use super::{
    super::sql,
    body::{Event, RequestBody},
    connection::{Class, Connection, Summary},
    engine::{Engine, LaneKind},
    exception::{Exception, code},
    request::Asked,
};

/// Formats whose documents can be joined end to end, so that blocks may be sent as they are made.
const JOINABLE: &[&str] = &[
    "CSV",
    "JSONCompactEachRow",
    "JSONCompactStringsEachRow",
    "JSONEachRow",
    "JSONLines",
    "JSONStringsEachRow",
    "LineAsString",
    "NDJSON",
    "Native",
    "RowBinary",
    "RawBLOB",
    "TSKV",
    "TSV",
    "TSVRaw",
    "TabSeparated",
    "TabSeparatedRaw",
];

/// Formats that can be joined once the head of every document but the first is cut off.
const HEADED: &[&str] = &["RowBinaryWithNames", "RowBinaryWithNamesAndTypes"];

/// The format of answers when nobody names one, as on a server.
const DEFAULT_FORMAT: &str = "TabSeparated";

/// Words a statement that reads may begin with.
const READING: &[&str] = &["SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "VALUES"];

/// Words of statements whose effect would end with the request.
const SESSION_BOUND: &[&str] = &["SET", "USE", "BEGIN", "START", "COMMIT", "ROLLBACK"];

/// Sixteen characters that no statement or answer holds by chance.
pub(super) fn random_mark() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Ends a reading statement when nobody is left to take its answer.
pub(super) struct StatementGuard {
    engine: Engine,
    tag: String,
    /// Set by the thread of the connection when the statement is over.
    over: Arc<AtomicBool>,
    armed: bool,
}

impl StatementGuard {
    /// The answer was taken to its end.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for StatementGuard {
    fn drop(&mut self) {
        if self.armed && !self.over.load(Ordering::Acquire) {
            let over = Arc::clone(&self.over);
            self.engine.kill(&self.tag, move || over.load(Ordering::Acquire));
        }
    }
}

/// A statement under way.
pub(super) struct Running {
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) guard: StatementGuard,
    /// The format its answer is in.
    pub(super) format: String,
}

/// Starts any statement but an INSERT with data.
pub(super) async fn run(engine: &Engine, asked: Asked) -> Result<Running, Exception> {
    let keyword = sql::first_keyword(asked.statement.as_bytes())
        .ok_or_else(|| Exception::new(code::SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: Empty query"))?;
    let reading = READING.contains(&keyword.as_str());
    if asked.read_only && !reading {
        return Err(read_only());
    }
    let format = sql::output_format(&asked.statement)
        .map(str::to_owned)
        .or_else(|| asked.default_format.clone())
        .unwrap_or_else(|| DEFAULT_FORMAT.to_owned());
    let lease = engine.lease(if reading { LaneKind::Read } else { LaneKind::Change }).await?;
    let (sender, events) = mpsc::channel(2);
    let over = Arc::new(AtomicBool::new(false));
    let tag = random_mark();
    let guard = StatementGuard { engine: engine.clone(), tag: tag.clone(), over: Arc::clone(&over), armed: reading };
    let work = Work { asked, keyword, reading, format: format.clone(), tag };
    lease.run(move |connection| {
        let outcome = work.run(connection, &sender);
        if outcome.is_err() && work.reading {
            connection.settle();
        }
        over.store(true, Ordering::Release);
        let last = match outcome {
            Ok(summary) => Event::End(summary),
            Err(exception) => Event::Failed(exception),
        };
        // Nobody may be left to hear it.
        let _ = sender.blocking_send(last);
    });
    Ok(Running { events, guard, format })
}

struct Work {
    asked: Asked,
    keyword: String,
    reading: bool,
    format: String,
    tag: String,
}

impl Work {
    fn run(&self, connection: &mut Connection, events: &mpsc::Sender<Event>) -> Result<Summary, Exception> {
        if events.is_closed() {
            return Err(gone());
        }
        let statement = self.asked.statement.trim_end().trim_end_matches(';');
        self.check(connection, statement)?;
        connection.prepare(&self.asked.session)?;
        if !self.reading {
            let (bytes, summary) = connection.query(statement, &self.format, &self.asked.parameters)?;
            return send(events, bytes).map(|()| summary);
        }
        // The mark by which this statement is found when it has to be ended. After a line feed, since the statement may
        // end in a comment.
        let statement = format!("{statement}\n/*{}*/", self.tag);
        let streamed = matches!(self.keyword.as_str(), "SELECT" | "WITH" | "FROM");
        let known = |list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(&self.format));
        if !streamed || !(known(JOINABLE) || known(HEADED)) {
            let (bytes, summary) = connection.query(&statement, &self.format, &self.asked.parameters)?;
            return send(events, bytes).map(|()| summary);
        }
        let mut head = known(HEADED).then(|| Head::new(!self.format.eq_ignore_ascii_case(HEADED[0])));
        let mut select = connection.select(&statement, &self.format, &self.asked.parameters)?;
        while let Some(mut block) = select.next()? {
            if let Some(head) = &mut head {
                head.cut(&mut block)?;
            }
            send(events, block)?;
        }
        Ok(select.summary())
    }

    fn check(&self, connection: &mut Connection, statement: &str) -> Result<(), Exception> {
        let (class, count) = connection.classify(statement);
        if count > 1 {
            return Err(Exception::new(code::SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)"));
        }
        match class {
            Class::Control if self.reading => Err(Exception::new(code::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "INTO OUTFILE is not allowed")),
            Class::Mutating if self.reading => Err(if self.asked.read_only {
                read_only()
            } else {
                Exception::new(
                    code::NOT_IMPLEMENTED,
                    "NOT_IMPLEMENTED",
                    "A statement that changes data cannot begin with WITH here: put the WITH after INSERT INTO",
                )
            }),
            Class::Control if SESSION_BOUND.contains(&self.keyword.as_str()) || is_temporary(statement) => Err(Exception::new(
                code::NOT_IMPLEMENTED,
                "NOT_IMPLEMENTED",
                format_args!(
                    "{} has no effect beyond its own request: pass settings and the database as parameters of the request",
                    self.keyword
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn is_temporary(statement: &str) -> bool {
    statement.split_ascii_whitespace().take(3).any(|word| word.eq_ignore_ascii_case("TEMPORARY"))
}

fn send(events: &mpsc::Sender<Event>, block: Bytes) -> Result<(), Exception> {
    if block.is_empty() {
        return Ok(());
    }
    events.blocking_send(Event::Block(block)).map_err(|_| gone())
}

fn gone() -> Exception {
    Exception::new(code::QUERY_WAS_CANCELLED, "QUERY_WAS_CANCELLED", "The client is gone")
}

fn read_only() -> Exception {
    Exception::new(
        code::READONLY,
        "READONLY",
        "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries",
    )
}

/// Cuts the head off every document of a headed binary format but the first.
struct Head {
    with_types: bool,
    length: Option<usize>,
}

impl Head {
    fn new(with_types: bool) -> Self {
        Self { with_types, length: None }
    }

    fn cut(&mut self, block: &mut Bytes) -> Result<(), Exception> {
        match self.length {
            Some(length) => {
                let length = length.min(block.len());
                block.advance(length);
            }
            None => {
                self.length = Some(
                    head_length(block, self.with_types)
                        .ok_or_else(|| Exception::new(code::UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "The head of a block is malformed"))?,
                );
            }
        }
        Ok(())
    }
}

/// Bytes of the names, and types, in front of the rows of `RowBinaryWithNames` and `RowBinaryWithNamesAndTypes`.
fn head_length(block: &[u8], with_types: bool) -> Option<usize> {
    let mut at = 0;
    let columns = variable_integer(block, &mut at)?;
    for _ in 0..columns.checked_mul(if with_types { 2 } else { 1 })? {
        let length = variable_integer(block, &mut at)?;
        at = at.checked_add(length)?;
    }
    (at <= block.len()).then_some(at)
}

fn variable_integer(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// An INSERT and where its data comes from.
pub(super) struct InsertWork {
    pub(super) asked: Asked,
    /// Without FORMAT and data.
    pub(super) statement: String,
    pub(super) format: String,
    /// The beginning of the data.
    pub(super) begun: Bytes,
}

enum Piece {
    Data(Bytes),
    End,
}

/// Runs an INSERT, feeding it the body of the request as it comes in.
pub(super) async fn insert(engine: &Engine, work: InsertWork, body: &mut RequestBody) -> Result<Summary, Exception> {
    /// Pieces under way; hyper hands over at most some hundred kilobytes at a time.
    const PIECES: usize = 8;
    if work.asked.read_only {
        return Err(read_only());
    }
    let lease = engine.lease(LaneKind::Insert).await?;
    let (pieces, feed) = mpsc::channel(PIECES);
    let (answer, outcome) = oneshot::channel();
    let InsertWork { asked, statement, format, begun } = work;
    lease.run(move |connection| {
        // Nobody may be left to hear it.
        let _ = answer.send(feed_insert(connection, &asked, &statement, &format, feed));
    });
    let mut failure = None;
    if begun.is_empty() || pieces.send(Piece::Data(begun)).await.is_ok() {
        loop {
            let piece = match body.next().await {
                Ok(Some(data)) => Piece::Data(data),
                Ok(None) => Piece::End,
                Err(exception) => {
                    failure = Some(exception);
                    break;
                }
            };
            let end = matches!(piece, Piece::End);
            if pieces.send(piece).await.is_err() || end {
                break;
            }
        }
    }
    // Without an end the thread cancels the INSERT.
    drop(pieces);
    let outcome =
        outcome.await.unwrap_or_else(|_| Err(Exception::new(code::UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "The INSERT broke off")));
    match failure {
        Some(exception) => Err(exception),
        None => outcome,
    }
}

fn feed_insert(
    connection: &mut Connection,
    asked: &Asked,
    statement: &str,
    format: &str,
    mut feed: mpsc::Receiver<Piece>,
) -> Result<Summary, Exception> {
    connection.prepare(&asked.session)?;
    let mut insert = connection.insert(statement, format, &asked.parameters)?;
    while let Some(piece) = feed.blocking_recv() {
        match piece {
            Piece::Data(data) => insert.append(&data)?,
            Piece::End => return insert.finish(),
        }
    }
    Err(gone())
}

/// How long the engine waits for the next piece of a body.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::{Head, head_length};
    use bytes::Bytes;

    #[test]
    fn measures_heads() {
        let block = b"\x02\x06number\x01s\x06UInt64\x06Stringrows";
        assert_eq!(head_length(block, true), Some(block.len() - 4));
        assert_eq!(head_length(&block[..10], true), None);
        assert_eq!(head_length(b"\x01\x01xROW", false), Some(3));
        assert_eq!(head_length(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", true), None);
    }

    #[test]
    fn cuts_all_heads_but_the_first() {
        let mut head = Head::new(true);
        let document = Bytes::from_static(b"\x01\x01x\x05UInt8\x07");
        let mut first = document.clone();
        head.cut(&mut first).unwrap();
        let mut second = document.clone();
        head.cut(&mut second).unwrap();
        assert_eq!((first, second), (document, Bytes::from_static(b"\x07")));
    }
}
