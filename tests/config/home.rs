//! `~` in the configuration's paths.

use pipeline::config::validation::Validation;

use super::{LEAST, parse, refusal};

#[test]
fn paths_that_begin_with_a_tilde_are_resolved_when_they_are_read() {
    let home = std::env::var("HOME").unwrap();
    let text = "[run]\nout = \"~/runs/a\"\n[data]\ntrain = \"~/photos/train\"\nval = \"idx:~/mnist/t10k\"\ncache = \"~\"\n\
                [model]\npreset = \"alexnet-small\"\n";
    let config = parse(text, &[]).unwrap();
    assert_eq!(config.run.out.to_str(), Some(format!("{home}/runs/a").as_str()));
    assert_eq!(config.data.train, format!("{home}/photos/train"));
    let val = config.data.val.as_ref().and_then(Validation::location);
    assert_eq!(val, Some(format!("idx:{home}/mnist/t10k").as_str()));
    assert_eq!(config.data.cache.as_ref().unwrap().to_str(), Some(home.as_str()));
    // The resolved text does not depend on the home folder.
    assert!(!config.to_toml().contains('~'), "{}", config.to_toml());
    assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
    let set = parse(LEAST, &["data.train=cifar:~/c/train".to_string()]).unwrap();
    assert_eq!(set.data.train, format!("cifar:{home}/c/train"));
}

#[test]
fn the_home_of_somebody_else_is_refused() {
    let text = "[data]\n\ntrain = \"~nobody/photos\"\n[model]\npreset = \"alexnet-small\"\n";
    let error = parse(text, &[]).unwrap_err();
    assert!(error.starts_with("t.toml: line 3: data.train: `~nobody`"), "{error}");
    for key in ["run.out", "data.val", "data.cache"] {
        let error = refusal(&format!("{key}=~nobody/x"));
        assert!(
            error.starts_with(&format!("t.toml: --set: {key}: `~nobody`")),
            "{error}"
        );
    }
}
