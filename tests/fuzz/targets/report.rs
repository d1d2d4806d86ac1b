//! `report.html`: untrusted events become a page without any tags of theirs.

use pipeline::observe::digest::Digest;
use pipeline::observe::report::{Page, State};

use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "report",
    run,
    seeds,
    words: &[
        b"<script>",
        b"\\u003cscript",
        b"\" onload=\"",
        b"&lt;",
        b"\\u001b[2J",
        b"1e308",
        b"-1e308",
        b"\"step\":",
        b"\"event\":\"eval\"",
        b"\"event\":\"verdict\"",
        b"\"stages\":{}",
        b"null",
    ],
    memory: 64 << 20,
};

/// The tags of the page itself.
const TAGS: [&str; 34] = [
    "!doctype", "html", "/html", "meta", "title", "/title", "style", "/style", "body", "/body", "head", "/head", "h1",
    "/h1", "h2", "/h2", "p", "/p", "table", "/table", "tr", "/tr", "td", "/td", "th", "/th", "pre", "/pre", "svg",
    "/svg", "g", "/g", "text", "/text",
];

/// The tags of its drawings.
const OF_DRAWINGS: [&str; 9] = [
    "line",
    "polyline",
    "circle",
    "div",
    "/div",
    "figure",
    "/figure",
    "figcaption",
    "/figcaption",
];

fn run(bytes: &[u8]) {
    let path = place::empty().join("metrics.jsonl");
    place::write(&path, bytes);
    let digest = Digest::read(&path).unwrap();
    let lines = String::from_utf8_lossy(bytes);
    let page = Page {
        path: path.clone(),
        name: lines.to_string(),
        digest,
        config: lines.to_string(),
    };
    let html = page.render(State::Running);
    assert!(!html.contains("NaN") || lines.contains("NaN"), "an invalid number");
    for tag in html.split('<').skip(1) {
        let end = tag.find([' ', '>', '\n', '/']).filter(|&end| end > 0);
        let name = if tag.starts_with('/') {
            tag.find('>').map(|end| &tag[..end])
        } else {
            end.map(|end| &tag[..end])
        };
        let is_ours = name.is_some_and(|name| TAGS.contains(&name) || OF_DRAWINGS.contains(&name));
        assert!(is_ours, "a foreign tag: <{}", tag.chars().take(60).collect::<String>());
        let rest = tag.split('>').next().unwrap_or_default();
        assert!(!rest.contains(" on"), "a foreign attribute: <{rest}");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "{\"event\":\"step\",\"step\":1,\"epoch\":0,\"loss\":2.5,\"lr\":0.01,\"images_per_s\":10.0,\"train_top1_error\":0.5}\n\
         {\"event\":\"eval\",\"step\":2,\"epoch\":0,\"loss\":2.0,\"top1_error\":0.5,\"top5_error\":0.1,\"images\":9,\"crops\":1}\n",
        "{\"event\":\"eval\",\"step\":\"<script>alert(1)</script>\",\"images\":\"<b>\",\"crops\":{\"<i>\":1},\"top1_error\":0.1}\n",
        "{\"event\":\"skip\",\"step\":1,\"sample\":\"<img src=x onerror=y>/1.jpg\",\"reason\":\"\\\"><script>\"}\n",
        "{\"event\":\"verdict\",\"text\":\"<b>\",\"bound\":\"<u>\",\"stages\":{\"<script>\":{\"busy\":0.5,\"workers\":\"<i>\"}}}\n",
        "{\"event\":\"step\",\"step\":1e308,\"loss\":1e308}\n{\"event\":\"step\",\"step\":-1e308,\"loss\":-1e308}\n",
        "{\"event\":\"eval\",\"step\":2,\"loss\":2e10,\"top1_error\":0.5}\n",
        "{\"event\":\"step\",\"step\":\"\\u001b\",\"loss\":null}\n",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}
