//! Mail from its occasion to the mail server.

mod send;
mod sink;
mod text;
