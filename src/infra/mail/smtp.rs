//! The mail server.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::StoredMail;
use crate::config;
use crate::error::chain;

/// How long the whole conversation about one mail may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(15);
/// Answers that speak of us and not of the mail: it is not the mail's fault, and an operator can mend it.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

/// A mail that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Will never be.
    Permanent(String),
    /// May be later.
    Temporary(String),
}

/// A configured mail server.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    server: String,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).field("from", &self.from).finish_non_exhaustive()
    }
}

impl Smtp {
    /// The server of the configuration; none when none is set. Nothing is sent yet.
    ///
    /// # Errors
    /// When the name of the server or our own address cannot be used.
    pub fn of(config: &config::Mail) -> anyhow::Result<Option<Self>> {
        if !config.delivers() {
            return Ok(None);
        }
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match config.tls.as_str() {
            "tls" => Transport::relay(&config.host)?,
            "none" => Transport::builder_dangerous(config.host.as_str()),
            _ => Transport::starttls_relay(&config.host)?,
        };
        let mut builder = builder.port(config.port).timeout(Some(CONNECTING));
        if !config.username.is_empty() {
            builder = builder.credentials(Credentials::new(config.username.clone(), config.password.expose().to_owned()));
        }
        let name = (!config.from_name.is_empty()).then(|| config.from_name.clone());
        let from = Mailbox::new(name, config.from_address.parse::<Address>()?);
        Ok(Some(Self { transport: builder.build(), from, server: format!("{}:{}", config.host, config.port) }))
    }

    /// Where mail goes.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Hands a mail to the server.
    pub(super) async fn send(&self, mail: &StoredMail, now: DateTime<Utc>) -> Result<(), Refusal> {
        let message = self.message(mail, now).map_err(|error| Refusal::Permanent(format!("{error:#}")))?;
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let mend = error.status().is_some_and(|code| ABOUT_US.contains(&u16::from(code)));
                let reason = format!("the mail server {}: {}", self.server, chain(&error));
                Err(if error.is_permanent() && !mend { Refusal::Permanent(reason) } else { Refusal::Temporary(reason) })
            }
            Err(_) => Err(Refusal::Temporary(format!("the mail server {} does not answer within {} s", self.server, PATIENCE.as_secs()))),
        }
    }

    fn message(&self, mail: &StoredMail, now: DateTime<Utc>) -> anyhow::Result<Message> {
        let domain = self.from.email.domain();
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Ok(Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.recipient.parse::<Address>()?))
            .subject(mail.subject.clone())
            .date(now.into())
            // The same however often it is sent: a mailbox that gets it twice may see so.
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))?)
    }
}
