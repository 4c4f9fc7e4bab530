//! How our columns, keys and indexes are written in every migration. What stands here must never change what an applied migration
//! would do.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string_len, string_len_null, timestamp_with_time_zone, timestamp_with_time_zone_null};

pub fn id(name: &str) -> ColumnDef {
    string_len(Alias::new(name), 26)
}

pub fn id_null(name: &str) -> ColumnDef {
    string_len_null(Alias::new(name), 26)
}

pub fn time(name: &str) -> ColumnDef {
    timestamp_with_time_zone(Alias::new(name))
}

pub fn time_null(name: &str) -> ColumnDef {
    timestamp_with_time_zone_null(Alias::new(name))
}

pub fn table(name: &str) -> TableCreateStatement {
    Table::create().table(Alias::new(name)).to_owned()
}

pub fn column(name: &str) -> Alias {
    Alias::new(name)
}

pub fn reference(from: &str, column_name: &str, to: &str, on_delete: ForeignKeyAction) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{from}_{column_name}_fkey"))
        .from(Alias::new(from), Alias::new(column_name))
        .to(Alias::new(to), Alias::new("id"))
        .on_delete(on_delete)
        .to_owned()
}

pub fn index(table: &str, columns: &[&str], unique: bool) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement.table(Alias::new(table)).name(format!("{table}_{}_{}", columns.join("_"), if unique { "key" } else { "idx" }));
    for name in columns {
        statement.col(Alias::new(*name));
    }
    if unique {
        statement.unique();
    }
    statement
}

/// Adds a column to a table that exists.
pub fn add(table: &str, column: ColumnDef) -> TableAlterStatement {
    let mut column = column;
    Table::alter().table(Alias::new(table)).add_column(&mut column).to_owned()
}
