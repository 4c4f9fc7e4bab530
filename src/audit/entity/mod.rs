pub mod audit_logs;
