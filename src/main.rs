//! The `brokle` program. What it does is decided by its subcommand and, for `serve`, by `APP_MODE`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    brokle::cli::main()
}
