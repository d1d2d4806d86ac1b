//! Writes the seeds of every target, and the words of its format, for libFuzzer.
//!
//!     seeds FOLDER

use std::fs;
use std::path::PathBuf;

use pipeline_fuzz::targets::TARGETS;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder"));
    for target in &TARGETS {
        let seeds = folder.join(target.name);
        fs::create_dir_all(&seeds).expect("a folder for the seeds");
        for (i, seed) in (target.seeds)().iter().enumerate() {
            fs::write(seeds.join(format!("seed-{i:02}")), seed).expect("a seed");
        }
        let quoted = |word: &&[u8]| {
            let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{bytes}\"\n")
        };
        let words: String = target.words.iter().map(quoted).collect();
        fs::write(folder.join(format!("{}.words", target.name)), words).expect("words");
    }
}
