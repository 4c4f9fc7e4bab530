//! Finds the built web app, or puts a page in its place that says how to build it.

use std::path::PathBuf;
use std::{env, fs};

const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Brokle</title></head><body>\
<h1>Brokle is running</h1><p>This binary was built without the web app. Build it with <code>make web</code>, then build the binary again.</p>\
</body></html>";

#[expect(clippy::disallowed_methods, reason = "cargo talks to build scripts through the environment")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let built = root.join("web/dist");
    println!("cargo:rerun-if-changed=web/dist");
    let dist = if built.join("index.html").is_file() {
        built
    } else {
        let stand_in = PathBuf::from(env::var("OUT_DIR")?).join("web-dist");
        fs::create_dir_all(&stand_in)?;
        fs::write(stand_in.join("index.html"), PLACEHOLDER)?;
        stand_in
    };
    println!("cargo:rustc-env=BROKLE_WEB_DIST={}", dist.display());
    Ok(())
}
