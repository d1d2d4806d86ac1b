//! Texts that are short to write but would be expensive to parse or to quote.

use super::{LEAST, parse, refusal};

/// The error for `text`, which must be short.
fn told(text: &str) -> String {
    let error = parse(text, &[]).map(|_| ()).unwrap_err();
    assert!(error.lines().count() <= 51, "{} lines", error.lines().count());
    assert!(error.len() < 50_000, "{} bytes", error.len());
    error
}

/// Finding a line's number by counting from the start each time would take minutes here.
#[test]
fn a_file_of_unknown_keys_is_read_at_once_and_the_first_are_told() {
    let keys: String = (0..200_000).map(|i| format!("k{i}=1\n")).collect();
    let error = told(&format!("{LEAST}{keys}"));
    assert!(error.starts_with("t.toml: line 5: model.k0: unknown key"), "{error}");
    assert!(error.contains("\nt.toml: line 54: model.k49: unknown key"), "{error}");
    assert!(error.ends_with("t.toml: and 199950 more errors"), "{error}");
    let tables: String = (0..50_000).map(|i| format!("[t{i}]\n")).collect();
    assert!(told(&tables).contains("t0: unknown key"));
    let set: String = (0..50_000).map(|i| format!("solver.layers.l{i}.x = 1\n")).collect();
    assert!(told(&set).contains("more errors"));
    let faults = "= 1\n".repeat(20_000);
    assert!(told(&faults).contains("more errors"));
    let twice = "a = 1\n".repeat(20_000);
    assert!(told(&twice).contains("duplicate key"));
}

#[test]
fn lists_have_an_end() {
    let layers = "{ type = \"relu\" },".repeat(100_000);
    let error = told(&format!("[data]\ntrain = \"x\"\n[model]\nlayers = [{layers}]\n"));
    assert!(
        error.contains("line 4: model.layers: the list has 100000 items, more than the limit of 1000"),
        "{error}"
    );
    let devices = vec!["\"cpu:0\""; 900].join(",");
    let error = told(&format!("{LEAST}[compute]\ndevices = [{devices}]\n"));
    assert!(error.contains("\"cpu:0\" is listed twice"), "{error}");
    let epochs = "1,".repeat(100_000);
    told(&format!(
        "{LEAST}[solver]\nschedule = {{ kind = \"multistep\", epochs = [{epochs}] }}\n"
    ));
}

#[test]
fn depth_has_an_end() {
    for depth in [33, 79, 1000, 200_000] {
        let lists = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let tables = format!("{}1{}", "{a=".repeat(depth), "}".repeat(depth));
        let dotted = format!("{}a", "a.".repeat(depth));
        for text in [
            format!("a = {lists}\n"),
            format!("a = {tables}\n"),
            format!("{dotted} = 1\n"),
            format!("[{dotted}]\nb = 1\n"),
            format!("[[{dotted}]]\nb = 1\n"),
        ] {
            told(&text);
        }
        refusal(&format!("model.layers={lists}"));
        refusal(&format!("solver={tables}"));
        let error = refusal(&format!("{dotted}=1"));
        assert!(error.starts_with("t.toml: --set: a.a."), "{error}");
    }
}

/// The deepest nesting that the TOML library accepts: nested tables with long dotted keys.
#[test]
fn depth_is_limited_whatever_nests() {
    let dotted = format!("{}a", "a.".repeat(78));
    let text = format!("{}1{}", format!("{{{dotted}=").repeat(78), "}".repeat(78));
    told(&format!("[{dotted}]\n{dotted} = {text}\n"));
    refusal(&format!("a={text}"));
}

#[test]
fn a_text_of_any_length_is_quoted_in_short() {
    let long = "x".repeat(1_000_000);
    for text in [
        format!("{long} = 1\n"),
        format!("{LEAST}[compute]\ndevices = [\"{long}\"]\n"),
        format!("{LEAST}[augment]\nmean = \"{long}\"\n"),
        format!("{LEAST}[solver]\nschedule = \"{long}\"\n"),
        format!("{LEAST}[run]\nepochs = \"{long}\"\n"),
        format!("[data]\ntrain = \"x\"\n[model]\nlayers = [{{ type = \"{long}\" }}]\n"),
        format!("[data]\ntrain = \"x\"\n[model]\nlayers = [{{ type = \"fc\", name = \"{long}\" }}]\n"),
    ] {
        let error = parse(&text, &[]).map(|_| ()).unwrap_err();
        assert!(error.len() < 2000, "{} bytes", error.len());
    }
    assert!(refusal(&long).len() < 2000);
    assert!(refusal(&format!("{long}=1")).len() < 2000);
}

#[test]
fn characters_that_act_on_a_terminal_are_shown() {
    let name = "\\u001b[2J\\u202e";
    for text in [
        format!("\"{name}\" = 1\n"),
        format!("{LEAST}[run]\nepochs = \"{name}\"\n"),
        format!("[data]\ntrain = \"x\"\n[model]\nlayers = [{{ type = \"fc\", name = \"{name}\" }}]\n"),
    ] {
        let error = parse(&text, &[]).map(|_| ()).unwrap_err();
        assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error:?}");
        assert!(error.contains("\\u{1b}"), "{error:?}");
    }
    let error = refusal("\u{1b}[2J.x=1");
    assert!(!error.contains('\u{1b}'), "{error:?}");
}
