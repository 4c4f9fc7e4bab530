//! A few thousand hostile bodies through decoding, conversion and pricing; `make fuzz` sends a million of each encoding.

#[path = "../../benches/fuzz/mutate.rs"]
#[expect(clippy::cast_possible_truncation, reason = "random bytes are cut from random numbers")]
mod mutate;
#[path = "../../benches/fuzz/target.rs"]
mod target;

use std::path::Path;

use brokle::observability::otlp::decode_traces;
use brokle::observability::pricing::Pricer;

use mutate::Mutator;
use target::{Encoding, Outcome};

fn some_thousand(encoding: Encoding) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp/captured");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.file_name().is_some_and(|name| name != "versions.json"));
    let mutator = Mutator::new(files.iter().map(|file| decode_traces(&std::fs::read(file).unwrap()).unwrap()).collect());
    let pricer = Pricer::from_catalogue().unwrap();
    let (mut whole, mut broken) = (0, 0);
    for seed in 0..2_000 {
        match target::run(&mutator.body(seed, encoding), encoding, &pricer) {
            Outcome::Rows(rows) => whole += usize::from(rows > 0),
            Outcome::NotDecoded | Outcome::Refused => broken += 1,
        }
    }
    assert!(whole > 800 && broken > 200, "hostile bodies are of every kind: {whole} whole, {broken} not decoded");
}

#[test]
fn no_json_breaks_the_conversion() {
    some_thousand(Encoding::Json);
}

#[test]
fn no_protobuf_breaks_the_conversion() {
    some_thousand(Encoding::Protobuf);
}
