//! What the slices stand on: databases, queues, clients. No domain knowledge.

pub mod db;
