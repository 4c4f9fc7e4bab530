pub mod infra {
    pub mod clickhouse;
}
pub mod observability {
    pub mod rows;
}
