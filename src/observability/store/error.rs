//! Whose fault a failed statement is: only an entry's own fault may cost it its place in the queue.

use clickhouse::error::Error;

use crate::error::{Code, Coded, chain};

/// A statement that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rows themselves are refused; sending them again cannot help.
    #[error("{0}")]
    Data(String),
    /// The statement asks for more time or memory than it may have.
    #[error("{0}")]
    TooMuch(String),
    /// The store is away, full, overloaded or not migrated: the rows are fine.
    #[error("{0}")]
    Unavailable(String),
}

/// ClickHouse's codes for data that cannot be stored, whatever the state of the server.
///
/// Source: `src/Common/ErrorCodes.cpp` of ClickHouse.
const DATA_CODES: [u32; 18] = [
    6,   // CANNOT_PARSE_TEXT
    26,  // CANNOT_PARSE_QUOTED_STRING
    27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    38,  // CANNOT_PARSE_DATE
    41,  // CANNOT_PARSE_DATETIME
    53,  // TYPE_MISMATCH
    69,  // ARGUMENT_OUT_OF_BOUND
    70,  // CANNOT_CONVERT_TYPE
    72,  // CANNOT_PARSE_NUMBER
    117, // INCORRECT_DATA
    128, // TOO_LARGE_ARRAY_SIZE
    130, // CANNOT_READ_ARRAY_FROM_TEXT
    131, // TOO_LARGE_STRING_SIZE
    190, // SIZES_OF_ARRAYS_DONT_MATCH
    321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    407, // DECIMAL_OVERFLOW
    469, // VIOLATED_CONSTRAINT
];
/// Codes for a query that needs more time or memory than it may have.
const LIMIT_CODES: [u32; 5] = [
    158, // TOO_MANY_ROWS
    159, // TIMEOUT_EXCEEDED
    160, // TOO_SLOW
    241, // MEMORY_LIMIT_EXCEEDED
    307, // TOO_MANY_BYTES
];
/// Both "too many parts" (the server is behind) and "too many partitions in one block" (the block is wrong).
const TOO_MANY_PARTS: u32 = 252;

fn exception_code(text: &str) -> Option<u32> {
    let rest = &text[text.find("Code: ")? + 6..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

impl StoreError {
    /// The error of a write. Rows are at fault only where the store says so, or where they cannot be written out at all.
    pub(super) fn of_write(error: &Error) -> Self {
        let text = chain(error);
        match (error, exception_code(&text)) {
            (_, Some(TOO_MANY_PARTS)) if text.contains("partitions") => Self::Data(text),
            (_, Some(code)) if DATA_CODES.contains(&code) => Self::Data(text),
            (_, Some(code)) if LIMIT_CODES.contains(&code) => Self::TooMuch(text),
            (
                Error::Custom(_)
                | Error::InvalidParams(_)
                | Error::SequenceMustHaveLength
                | Error::InvalidTagEncoding(_)
                | Error::VariantDiscriminatorIsOutOfBound(_),
                None,
            ) => Self::Data(text),
            _ => Self::Unavailable(text),
        }
    }

    /// The error of a step after the rows were stored: whatever it is, it is no fault of the rows.
    #[must_use]
    pub fn after_insert(self) -> Self {
        match self {
            Self::Data(text) => Self::Unavailable(text),
            other => other,
        }
    }

    /// The error of a read.
    pub(super) fn of_read(error: &Error) -> Self {
        let text = chain(error);
        match exception_code(&text) {
            Some(code) if LIMIT_CODES.contains(&code) => Self::TooMuch(text),
            _ => Self::Unavailable(text),
        }
    }
}

impl Coded for StoreError {
    fn code(&self) -> Code {
        match self {
            Self::Data(_) => Code::Internal,
            Self::TooMuch(_) => Code::BadRequest,
            Self::Unavailable(_) => Code::Unavailable,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        matches!(self, Self::Unavailable(_)).then_some(5)
    }
}

impl StoreError {
    /// The error as the caller of the API may see it.
    #[must_use]
    pub fn into_api(self) -> crate::error::ApiError {
        use crate::error::ApiError;
        match self {
            Self::Data(cause) => ApiError::internal(cause),
            Self::TooMuch(cause) => ApiError {
                cause: Some(cause),
                ..ApiError::new(
                    Code::BadRequest,
                    "the query needs more time or memory than a reader may use; choose a shorter time range or more filters",
                )
            },
            Self::Unavailable(cause) => ApiError::unavailable("the telemetry store does not answer; try again in a few seconds", cause, 5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> StoreError {
        StoreError::of_write(&Error::BadResponse(text.to_owned()))
    }

    #[test]
    fn only_a_fault_of_the_data_itself_is_a_data_error() {
        assert!(matches!(write("Code: 131. DB::Exception: Too large value for FixedString(16)"), StoreError::Data(_)));
        assert!(matches!(
            write("Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 100)"),
            StoreError::Data(_)
        ));
        assert!(matches!(
            write("Code: 252. DB::Exception: Too many parts (3000). Merges are processing significantly slower"),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(write("Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space"), StoreError::Unavailable(_)));
        assert!(matches!(write("Code: 241. DB::Exception: Memory limit exceeded"), StoreError::TooMuch(_)));
        assert!(matches!(write("Code: 159. DB::Exception: Timeout exceeded"), StoreError::TooMuch(_)));
        assert!(matches!(write("Code: 60. DB::Exception: Table brokle.observations does not exist"), StoreError::Unavailable(_)));
        assert!(matches!(write("Service Unavailable"), StoreError::Unavailable(_)));
        assert!(matches!(StoreError::of_write(&Error::TimedOut), StoreError::Unavailable(_)));
        assert!(matches!(StoreError::of_write(&Error::Custom("row is wrong".into())), StoreError::Data(_)));
    }

    #[test]
    fn what_goes_wrong_on_the_way_is_no_fault_of_the_rows() {
        let errors = [
            Error::Decompression("not LZ4".into()),
            Error::Compression("no room".into()),
            Error::DataFormat("not RowBinary".into()),
            Error::NotEnoughData,
            Error::RowNotFound,
            Error::InvalidColumnsHeader("cut off".into()),
            Error::SchemaMismatch("another column".to_owned()),
            Error::Unsupported("https".to_owned()),
            Error::Network("reset".into()),
        ];
        for error in errors {
            assert!(matches!(StoreError::of_write(&error), StoreError::Unavailable(_)), "{error}");
        }
    }

    #[test]
    fn what_fails_after_the_insert_never_speaks_against_the_rows() {
        let error = write("Code: 407. DB::Exception: Decimal math overflow").after_insert();
        assert!(matches!(error, StoreError::Unavailable(_)));
        assert!(matches!(write("Code: 241. DB::Exception: Memory limit exceeded").after_insert(), StoreError::TooMuch(_)));
    }
}
