//! Prices as services, on both kinds of database.
