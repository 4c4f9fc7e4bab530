//! A mail server that takes what it is told to take.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came and what will be answered.
#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    /// Answers to the next recipients; then 250.
    answers: VecDeque<&'static str>,
    /// Sign-ins that were seen, and whether they are refused.
    sign_ins: Vec<String>,
    refuse_sign_in: bool,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub data: String,
}

impl Sink {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let state = Arc::clone(&sink.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&state)));
            }
        });
        sink
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    pub fn answer(&self, answers: impl IntoIterator<Item = &'static str>) {
        self.state.lock().unwrap().answers.extend(answers);
    }

    pub fn refuse_sign_in(&self) {
        self.state.lock().unwrap().refuse_sign_in = true;
    }

    pub fn sign_ins(&self) -> Vec<String> {
        self.state.lock().unwrap().sign_ins.clone()
    }
}

/// One conversation. Source: RFC 5321.
async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink\r\n").await?;
    let (mut from, mut to) = (String::new(), String::new());
    while let Some(line) = lines.next_line().await? {
        let upper = line.to_uppercase();
        let answer = if upper.starts_with("EHLO") {
            "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN".to_owned()
        } else if upper.starts_with("AUTH") {
            let mut state = state.lock().unwrap();
            state.sign_ins.push(line.clone());
            if state.refuse_sign_in { "535 5.7.8 wrong" } else { "235 ok" }.to_owned()
        } else if upper.starts_with("MAIL FROM:") {
            from = address(&line);
            "250 ok".to_owned()
        } else if upper.starts_with("RCPT TO:") {
            to = address(&line);
            state.lock().unwrap().answers.pop_front().unwrap_or("250 ok").to_owned()
        } else if upper == "DATA" {
            write.write_all(b"354 go\r\n").await?;
            let mut data = String::new();
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                data.push_str(&line);
                data.push('\n');
            }
            state.lock().unwrap().taken.push(Taken { from: from.clone(), to: to.clone(), data });
            "250 taken".to_owned()
        } else if upper == "QUIT" {
            write.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 ok".to_owned()
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
