//! As much of ClickHouse's lexer as is needed to cut statements apart and to find the FORMAT of one.

/// A token: where it stands and what it is. White space and comments are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare word: keyword, name or number.
    Word,
    /// In quotes of any kind, the quotes included.
    Quoted,
    /// Any other character.
    Symbol(u8),
}

/// A quote or a comment that never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quote or comment opened at byte {at} is never closed")]
pub struct Unterminated {
    /// Offset of the opening.
    pub at: usize,
}

/// Splits text into tokens. Takes bytes, since the data of an INSERT may follow its statement.
pub(super) struct Lexer<'s> {
    text: &'s [u8],
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(text: &'s [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn find(&self, needle: &[u8], from: usize) -> Option<usize> {
        self.text.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|found| from + found)
    }

    fn skip_line(&mut self) {
        self.at = self.find(b"\n", self.at).map_or(self.text.len(), |end| end + 1);
    }

    fn skip_blank(&mut self) -> Result<(), Unterminated> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c, _) if self.at < self.text.len() => self.at += 1,
                (b'-', b'-') | (b'#', b' ' | b'!') => self.skip_line(),
                (b'/', b'*') => {
                    let end = self.find(b"*/", self.at + 2).ok_or(Unterminated { at: self.at })?;
                    self.at = end + 2;
                }
                _ => return Ok(()),
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<(), Unterminated> {
        let start = self.at;
        self.at += 1;
        while self.at < self.text.len() {
            match self.peek(0) {
                b'\\' => self.at += 2,
                byte if byte == quote && self.peek(1) == quote => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return Ok(());
                }
                _ => self.at += 1,
            }
        }
        Err(Unterminated { at: start })
    }

    /// A heredoc, `$tag$ … $tag$`, if one starts here.
    fn heredoc(&mut self) -> Result<bool, Unterminated> {
        let tag = self.text[self.at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let opening_end = self.at + 1 + tag;
        if self.text.get(opening_end) != Some(&b'$') {
            return Ok(false);
        }
        let mark = &self.text[self.at..=opening_end];
        let end = self.find(mark, opening_end + 1).ok_or(Unterminated { at: self.at })?;
        self.at = end + mark.len();
        Ok(true)
    }

    /// The next token, or nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Unterminated> {
        self.skip_blank()?;
        let start = self.at;
        let Some(&first) = self.text.get(start) else { return Ok(None) };
        let kind = match first {
            b'\'' | b'"' | b'`' => {
                self.quoted(first)?;
                TokenKind::Quoted
            }
            b'$' if self.heredoc()? => TokenKind::Quoted,
            byte if is_word(byte) => {
                self.at += self.text[start..].iter().take_while(|byte| is_word(**byte)).count();
                TokenKind::Word
            }
            byte => {
                self.at += 1;
                TokenKind::Symbol(byte)
            }
        };
        Ok(Some(Token { start, end: self.at, kind }))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is(text: &[u8], token: Token, keyword: &str) -> bool {
    token.kind == TokenKind::Word && text[token.start..token.end].eq_ignore_ascii_case(keyword.as_bytes())
}

/// The statements of a script, without the semicolons between them. Comments stay with the statement they precede.
pub(super) fn split_statements(script: &str) -> Result<Vec<&str>, Unterminated> {
    let mut lexer = Lexer::new(script.as_bytes());
    let mut statements = Vec::new();
    let mut start = 0;
    let mut empty = true;
    while let Some(token) = lexer.next()? {
        if token.kind == TokenKind::Symbol(b';') {
            if !empty {
                statements.push(script[start..token.start].trim());
            }
            start = token.end;
            empty = true;
        } else {
            empty = false;
        }
    }
    if !empty {
        statements.push(script[start..].trim());
    }
    Ok(statements)
}

/// The first word of a statement in capitals, opening parentheses passed over.
pub(super) fn first_keyword(statement: &[u8]) -> Option<String> {
    let mut lexer = Lexer::new(statement);
    while let Ok(Some(token)) = lexer.next() {
        match token.kind {
            TokenKind::Symbol(b'(') => {}
            TokenKind::Word => {
                return Some(String::from_utf8_lossy(&statement[token.start..token.end]).to_ascii_uppercase());
            }
            _ => return None,
        }
    }
    None
}

/// The format a statement that returns rows names itself in a FORMAT clause.
pub(super) fn output_format(statement: &str) -> Option<&str> {
    let text = statement.as_bytes();
    let mut lexer = Lexer::new(text);
    let mut depth = 0_u32;
    let mut found = None;
    let mut previous: Option<Token> = None;
    while let Ok(Some(token)) = lexer.next() {
        match token.kind {
            TokenKind::Symbol(b'(' | b'[') => depth += 1,
            TokenKind::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 && previous.is_some_and(|word| is(text, word, "FORMAT")) => {
                found = Some(&statement[token.start..token.end]);
            }
            _ => {}
        }
        previous = Some(token);
    }
    found
}

/// An INSERT that is followed by data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InsertHead {
    /// The statement without its FORMAT or VALUES.
    pub(super) statement: String,
    /// The format of the data, when the statement says.
    pub(super) format: Option<String>,
    /// Where the data begins in the text.
    pub(super) data_at: usize,
}

/// What a text that begins with INSERT is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Insert {
    /// Data follows, here or in what comes after the text.
    Data(InsertHead),
    /// The rows come from a query.
    Select,
    /// No end of the statement within the text.
    Open,
}

/// Reads the head of an INSERT; nothing when the text is another statement.
///
/// Data begins as in ClickHouse's own parser: after the format's name, blanks and one line feed, or right after VALUES.
pub(super) fn insert_head(text: &[u8]) -> Option<Insert> {
    if first_keyword(text)? != "INSERT" {
        return None;
    }
    let mut lexer = Lexer::new(text);
    let mut depth = 0_u32;
    let mut named = false;
    let cut = |token: Token, format: Option<String>, data_at: usize| {
        Some(Insert::Data(InsertHead { statement: String::from_utf8_lossy(&text[..token.start]).trim().to_owned(), format, data_at }))
    };
    loop {
        // Data that follows may hold anything, so an open quote only says that no end was found.
        let Ok(Some(token)) = lexer.next() else { return Some(Insert::Open) };
        match token.kind {
            TokenKind::Symbol(b'(' | b'[') => depth += 1,
            TokenKind::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            TokenKind::Quoted => named = true,
            TokenKind::Word if ["INSERT", "INTO", "TABLE", "FUNCTION"].iter().any(|word| is(text, token, word)) => {}
            TokenKind::Word if !named => named = true,
            TokenKind::Word if depth > 0 => {}
            TokenKind::Word if is(text, token, "SELECT") || is(text, token, "WITH") || is(text, token, "FROM") => {
                return Some(Insert::Select);
            }
            TokenKind::Word if is(text, token, "VALUES") => return cut(token, Some("Values".to_owned()), token.end),
            TokenKind::Word if is(text, token, "FORMAT") => {
                let Ok(Some(name)) = lexer.next() else { return Some(Insert::Open) };
                let format = String::from_utf8_lossy(&text[name.start..name.end]).into_owned();
                let mut data_at = name.end;
                while matches!(text.get(data_at), Some(b' ' | b'\t' | 0x0c)) {
                    data_at += 1;
                }
                if text.get(data_at) == Some(&b'\r') {
                    data_at += 1;
                }
                if text.get(data_at) == Some(&b'\n') {
                    data_at += 1;
                }
                return cut(token, Some(format), data_at);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Insert, InsertHead, first_keyword, insert_head, output_format, split_statements};

    fn data(statement: &str, format: &str, data_at: usize) -> Insert {
        Insert::Data(InsertHead { statement: statement.to_owned(), format: Some(format.to_owned()), data_at })
    }

    #[test]
    fn splits_outside_quotes_and_comments() {
        let script = "-- first; not an end\nCREATE TABLE a (x String DEFAULT 'a;''b\\';');\n/* ; */ SELECT `a;b`, $x$;$x$;; \n -- end";
        assert_eq!(
            split_statements(script),
            Ok(vec!["-- first; not an end\nCREATE TABLE a (x String DEFAULT 'a;''b\\';')", "/* ; */ SELECT `a;b`, $x$;$x$",])
        );
    }

    #[test]
    fn refuses_what_never_ends() {
        assert_eq!(split_statements("SELECT 'abc; SELECT 1").map_err(|error| error.at), Err(7));
        assert!(split_statements("SELECT 1 /* abc").is_err());
    }

    #[test]
    fn finds_the_first_keyword() {
        assert_eq!(first_keyword(b" -- c\n((select 1))").as_deref(), Some("SELECT"));
        assert_eq!(first_keyword(b"/* INSERT */ with 1 as x"), Some("WITH".to_owned()));
        assert_eq!(first_keyword(b""), None);
    }

    #[test]
    fn finds_the_format_of_an_answer() {
        assert_eq!(output_format("SELECT format('{}', 1) FORMAT JSON"), Some("JSON"));
        assert_eq!(output_format("SELECT 1 FORMAT TSV SETTINGS max_threads = 1;"), Some("TSV"));
        assert_eq!(output_format("SELECT 'FORMAT JSON' -- FORMAT CSV"), None);
        assert_eq!(output_format("SELECT * FROM (SELECT 1 FORMAT JSON)"), None);
    }

    #[test]
    fn takes_inserts_apart() {
        assert_eq!(insert_head(b"SELECT 1"), None);
        assert_eq!(
            insert_head(b"INSERT INTO a.b(`x`, format) SETTINGS t = 'FORMAT' FORMAT RowBinary"),
            Some(data("INSERT INTO a.b(`x`, format) SETTINGS t = 'FORMAT'", "RowBinary", 67))
        );
        assert_eq!(insert_head(b"INSERT INTO t FORMAT CSV\n1,'"), Some(data("INSERT INTO t", "CSV", 25)));
        assert_eq!(insert_head(b"insert into t values(1, 'a')"), Some(data("insert into t", "Values", 20)));
        assert_eq!(insert_head(b"INSERT INTO format FORMAT CSV"), Some(data("INSERT INTO format", "CSV", 29)));
        assert_eq!(insert_head(b"INSERT INTO t (a) SELECT 1 FORMAT CSV"), Some(Insert::Select));
        assert_eq!(insert_head(b"INSERT INTO t (a)"), Some(Insert::Open));
        assert_eq!(insert_head(b"INSERT INTO t (a) FORM"), Some(Insert::Open));
    }
}
