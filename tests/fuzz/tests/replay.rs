//! Every check holds for all that fuzzers have found interesting so far.

use std::path::Path;

use lakou_fuzz::CHECKS;

#[test]
fn the_corpora_hold() {
    for (name, check) in CHECKS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = std::fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
        let mut looked_at = 0;
        for file in files {
            let path = file.expect("a file").path();
            // Named before it is looked at: a check that fails says nothing of it.
            println!("{}", path.display());
            check(&std::fs::read(&path).expect("it can be read"));
            looked_at += 1;
        }
        assert!(looked_at >= 10, "{name} has a corpus of {looked_at}");
    }
}

#[test]
fn each_check_has_a_fuzzer() {
    for (name, _) in CHECKS {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(&target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
        assert!(text.contains(&format!("check({name:?})")), "{}", target.display());
    }
}
