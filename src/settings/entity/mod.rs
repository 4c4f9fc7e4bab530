pub mod setting_changes;
pub mod settings;
