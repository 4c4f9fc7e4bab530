pub mod mail_outbox;
